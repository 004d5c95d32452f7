"""Which way is up, from three kinds of witnesses, and where the floor is.

    cameras   people hold them level: their x axes lie across gravity, give or take a few degrees each
    lines     edges of walls, doors and houses: the plane through the eye and an upright edge holds the vertical
    floor     the largest level plane below the eyes; floors are level within about a degree, streets are not

Each gives rows n with n · up = 0, or the direction itself, as information (3, 3): the inverse of the variance in square
radians. What is common to all rows of a kind is not averaged away: a kind never counts for more than its floor of
error allows. Up is then the direction of least information.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unflat.geometry.measure import weighted_quantile
from unflat.types.arrays import F64, Bool

_ROLL = math.radians(4.0)
"""How level a hand holds a camera, one picture."""
_CAMERAS_BEST, _LINES_BEST, _FLOOR_BEST = (math.radians(deg) for deg in (1.5, 0.2, 1.2))
"""However many witnesses of a kind agree, they may be off together by this much."""
_LEVEL, _ROUND = 0.03, 0.15
"""An axis of all cameras lies across one direction if its mean square along that is below the first, and goes round it
if it is above the second along every other one."""
_NOSE = math.radians(20.0)
"""Where cameras all look one way, how far up and down they may look on average."""
_LINE = math.radians(0.7)
"""How far a straight edge of a building, as it is drawn and measured, is off; also the robust scale."""
_LEAST_LINES, _OUT_OF_CHANCE = 15, 2.5
"""Fewer agreeing lines are none; so are those that agree no more often than lines of any direction would."""
_TRIES, _SAMPLE = 400, 3000
_TILT = math.radians(8.0)
"""A floor is no farther from level than the other witnesses may be wrong."""
_BELOW = 3.0
"""A point below a plane speaks against it as loudly as this many in it speak for it: noise puts few there, and a table
is the floor of a film of what stands on it."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A floor: up · x = height.

    Attributes:
        up: (3,) unit normal that points to the cameras.
        height: Of the plane along ``up``, from the origin.
        error: Standard error of the height where the points are, in the unit of the points.
        tilt: Standard error of the normal in radians, by the scatter of its points alone.
        points: How many agree.
    """

    up: F64
    height: float
    error: float
    tilt: float
    points: int


def capped(rows: F64, sigma: F64 | float, best: float) -> F64:
    """(3, 3) information of rows n · up = 0 with standard errors, never better than ``best`` in any direction."""
    weighted = rows / np.broadcast_to(np.asarray(sigma, np.float64), (len(rows),))[:, None]
    values, vectors = np.linalg.eigh(weighted.T @ weighted)
    return (vectors * (1 / (1 / np.maximum(values, 1e-12) + best**2))) @ vectors.T


def up_of(information: F64, roughly: F64) -> tuple[F64, float]:
    """The direction of least information on the side of ``roughly``, and its standard error in radians."""
    values, vectors = np.linalg.eigh(information)
    up = vectors[:, 0] * (1 if vectors[:, 0] @ roughly >= 0 else -1)
    return up, float(1 / math.sqrt(max(float(values[1] - values[0]), 1e-12)))


def told_by_cameras(world_from_camera: F64) -> tuple[F64, F64]:
    """Up as the cameras were held.

    Cameras that were turned on their side are outvoted by those that were not (Cauchy weights); where all of them were
    while they went round something, see :func:`off_their_side`.

    Args:
        world_from_camera: (n, 3, 3) rotations.

    Returns:
        (3,) up, and the (3, 3) information.
    """
    world_from_camera = off_their_side(world_from_camera)
    across, upwards = world_from_camera[:, :, 0], -world_from_camera[:, :, 1]
    mean = upwards.mean(0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    weak = (np.eye(3) - np.outer(mean, mean)) / _NOSE**2
    up, information = mean, weak
    for scale in (4.0, 2.0, 1.0, 1.0):
        off = np.arcsin(np.clip(across @ up, -1, 1))
        sigma = _ROLL * np.sqrt(1 + (off / (2 * scale * _ROLL)) ** 2)
        information = weak + capped(across, sigma, _CAMERAS_BEST)
        up, _ = up_of(information, mean)
    return up, information


def off_their_side(world_from_camera: F64) -> F64:
    """The same cameras, their pictures turned by a quarter if all of them lie on their side.

    That shows where cameras went round something (or it turned before them): what lies level and points all around is
    their y axis then, not their x axis. Which end of the upright is up is told by how they look: down rather than up.

    Args:
        world_from_camera: (n, 3, 3) rotations.
    """
    if _round(world_from_camera[:, :, 0]) is not None:
        return world_from_camera
    upright = _round(world_from_camera[:, :, 1])
    if upright is None:
        return world_from_camera
    up = -math.copysign(1.0, float(world_from_camera[:, :, 2].mean(0) @ upright)) * upright
    right = math.copysign(1.0, float(world_from_camera[:, :, 0].mean(0) @ up))  # 1: up is where the pictures say right
    return world_from_camera @ np.array([[0.0, -right, 0.0], [right, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _round(axes: F64) -> F64 | None:
    """(3,) what axes (n, 3) all lie across while they point all around it; None if there is no such direction."""
    along, directions = np.linalg.eigh(axes.T @ axes / len(axes))
    return directions[:, 0] if along[0] < _LEVEL and along[1] > _ROUND else None


def told_by_lines(normals: F64, weights: F64, up: F64, within: float) -> F64 | None:
    """Information from the planes through the eyes and straight edges.

    Args:
        normals: (n, 3) unit normals of those planes.
        weights: (n,) how much an edge counts (its length).
        up: Roughly.
        within: How far that may be wrong, radians.

    Returns:
        (3, 3), or None where upright edges do not stand out from the others.
    """
    start = up
    wide = math.sin(within + 3 * _LINE)
    near = np.abs(normals @ start) < wide
    if near.sum() < _LEAST_LINES:
        return None
    normals, weights = normals[near], weights[near] / float(weights[near].mean())
    for scale in np.geomspace(max(within, _LINE), _LINE, 8):
        off = normals @ up
        trust = weights / (1 + (off / scale) ** 2) ** 2
        rows = normals * np.sqrt(trust)[:, None]
        up, _ = up_of(rows.T @ rows + 1e-6 * (np.eye(3) - np.outer(start, start)), start)
    close = np.abs(normals @ up) < math.sin(1.5 * _LINE)
    chance = 1.5 * _LINE / max(math.asin(min(wide, 1.0)), 1.5 * _LINE) * len(normals)
    if close.sum() < _LEAST_LINES or close.sum() < _OUT_OF_CHANCE * min(chance, len(normals) / _OUT_OF_CHANCE):
        return None
    if math.acos(min(1.0, float(abs(up @ start)))) > within:
        return None
    return capped(normals[close], 2 * _LINE, _LINES_BEST)


def told_by_floor(floor: Plane) -> F64:
    """(3, 3) information from the normal of a floor."""
    return (np.eye(3) - np.outer(floor.up, floor.up)) / (floor.tilt**2 + _FLOOR_BEST**2)


def floor_below(xyz: F64, eyes: F64, up: F64) -> Plane | None:
    """The lowest large level plane below the eyes, by sampling (Fischler and Bolles, 1981) and least squares.

    Args:
        xyz: (n, 3) points.
        eyes: (m, 3) where the cameras stood.
        up: Unit, right within a few degrees.

    Returns:
        None where no plane is level, holds a good share of the points and has little below it.
    """
    heights, eye = xyz @ up, float(np.median(eyes @ up))
    below = np.flatnonzero(heights < eye)
    if len(below) < 12:
        return None
    size = weighted_quantile(np.linalg.norm(xyz - np.median(eyes, 0), axis=1), 0.5)
    rng = np.random.default_rng(0)
    some = below if len(below) <= _SAMPLE else rng.choice(below, _SAMPLE, replace=False)
    points, thick = xyz[some], 0.01 * size
    triple = points[rng.integers(len(points), size=(_TRIES, 3))]
    normals = np.cross(triple[:, 1] - triple[:, 0], triple[:, 2] - triple[:, 0])
    length = np.linalg.norm(normals, axis=1)
    steep = np.abs(normals @ up) / np.maximum(length, 1e-12)
    keep = (length > 1e-3 * size**2) & (steep > math.cos(_TILT))
    level = np.concatenate([normals[keep] / length[keep, None], np.tile(up, (60, 1))])
    level *= np.sign(level @ up)[:, None]
    through = np.concatenate([triple[keep, 0], points[rng.integers(len(points), size=60)]])
    off = points @ level.T - (through * level).sum(1)
    on, under = (np.abs(off) < thick).sum(0), (off < -3 * thick).sum(0)
    score = on - _BELOW * under
    best = int(np.argmax(score))
    if score[best] < max(12, 0.03 * len(points)):
        return None
    return _fitted(xyz[below], level[best], float(through[best] @ level[best]), up, thick)


def _fitted(xyz: F64, normal: F64, height: float, up: F64, thick: float) -> Plane | None:
    """The plane by least squares through the points near it, again and again nearer."""
    inside: Bool = np.zeros(len(xyz), bool)
    spread, rms = np.eye(3), thick
    for slack in (2.0, 1.5, 1.0, 1.0):
        limit = max(min(slack * thick, 3 * rms * slack), 1e-9)
        inside = np.abs(xyz @ normal - height) < limit
        if inside.sum() < 12:
            return None
        middle = xyz[inside].mean(0)
        values, spread = np.linalg.eigh(np.cov((xyz[inside] - middle).T))
        if values[1] < (4 * thick) ** 2:  # a strip or a heap, not a floor
            return None
        normal = spread[:, 0] * (1 if spread[:, 0] @ up > 0 else -1)
        height = float(middle @ normal)
        rms = math.sqrt(max(float(values[0]), 1e-24))
    if normal @ up < math.cos(_TILT):
        return None
    count = int(inside.sum())
    extent = math.sqrt(float(np.linalg.eigvalsh(np.cov(xyz[inside].T))[1]))
    few = math.sqrt(min(count, 100))  # neighbours err together
    return Plane(normal, height, rms / few, rms / few / extent, count)
