"""The large planes of a place, from points that several views measured: floors, walls, table tops.

A point and its normal make a plane; the one on which most of the others lie is taken, fitted to them, and what lies on
it is set aside (Schnabel, Wahl & Klein, "Efficient RANSAC for point-cloud shape detection", 2007). Points are thinned
first, so that a plane counts by its area and not by how often it was seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F64, Bool

MOST = 10
"""No more planes than this are looked for."""
_LEAST = 0.01
"""A plane has at least this share of all that was measured."""
_TRIES = 256
_FACING = 0.9
"""Cosine between the normal of a point and that of its plane, at least."""
_LEVEL, _UPRIGHT = 0.995, 0.03
"""Cosine to gravity from which on a plane is level; and below which it is upright."""
_FITS = 3
_SKIRT = 4.0
"""What lies off a plane by less than so many times what is allowed is its noise, not another plane."""


class Plane(NamedTuple):
    """``normal · x = offset`` in the world."""

    normal: F64
    offset: float


def thinned(points: F64, normals: F64, cell: float) -> tuple[F64, F64]:
    """One point for each cube of an edge, the mean of those in it, and its normal of length 1."""
    keys = np.floor(points / cell).astype(np.int64)
    _, where, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    where = where.ravel()
    means = [np.bincount(where, values[:, k], len(count)) / count for values in (points, normals) for k in range(3)]
    point, normal = np.stack(means[:3], 1), np.stack(means[3:], 1)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    good = length[:, 0] > 0.5  # else they do not agree
    return point[good], normal[good] / length[good]


def large_planes(points: F64, normals: F64, within: float, down: F64 | None = None) -> list[Plane]:
    """The planes that most of the points lie on, the largest first.

    Args:
        points: (n, 3), evenly spread over what was measured (see :func:`thinned`).
        normals: (n, 3) of length 1.
        within: A point on a plane is off it by no more than this.
        down: (3,) along gravity: a plane that is about level or upright becomes so; None where nobody knows.
    """
    chance, found = np.random.default_rng(7), list[Plane]()
    least, free = max(_LEAST * len(points), 12.0), np.ones(len(points), bool)
    while len(found) < MOST and int(free.sum()) > least:
        some, facing = points[free], normals[free]
        tried = chance.choice(len(some), min(_TRIES, len(some)), replace=False)
        offsets = (facing[tried] * some[tried]).sum(1)
        on = (np.abs(facing[tried] @ some.T - offsets[:, None]) < within) & (facing[tried] @ facing.T > _FACING)
        counts = on.sum(1)
        best = int(counts.argmax())
        if counts[best] < least:
            break
        plane, mine = _fitted(some, facing, on[best], within, down)
        gone = np.flatnonzero(free)[mine]
        if len(gone) < least:
            gone = np.flatnonzero(free)[on[best]]
        else:
            found.append(plane)
        free[gone] = False
        free &= (np.abs(points @ plane.normal - plane.offset) > _SKIRT * within) | (normals @ plane.normal < _FACING)
    return found


def _fitted(points: F64, normals: F64, on: Bool, within: float, down: F64 | None) -> tuple[Plane, Bool]:
    """The plane nearest to those on it, and who is on that."""
    plane = Plane(np.zeros(3), 0.0)
    for _ in range(_FITS):
        if int(on.sum()) < 3:
            break
        middle = points[on].mean(0)
        normal: F64 = np.linalg.svd(points[on] - middle, full_matrices=False)[2][2]
        normal = normal * (1 if normals[on].mean(0) @ normal > 0 else -1)
        normal = normal if down is None else _straightened(normal, down)
        plane = Plane(normal, float(np.median(points[on] @ normal)))
        on = (np.abs(points @ normal - plane.offset) < within) & (normals @ normal > _FACING)
    return plane, on


def _straightened(normal: F64, down: F64) -> F64:
    """Level or upright if it is about so."""
    rise = float(normal @ down)
    if abs(rise) > _LEVEL:
        return down * np.sign(rise)
    flat = normal - rise * down
    return np.asarray(flat / np.linalg.norm(flat), np.float64) if abs(rise) < _UPRIGHT else normal


def in_picture(plane: Plane, camera: NDArray[np.float64], world_from_camera: F64) -> F64:
    """(3,) inverse depth of a plane at a pixel (x, y, 1); negative behind the camera.

    Args:
        plane: In the world.
        camera: (3, 3) pixel_from_camera.
        world_from_camera: (4, 4).
    """
    ahead = plane.offset - float(plane.normal @ world_from_camera[:3, 3])
    ahead = ahead if abs(ahead) > 1e-9 else 1e-9
    return np.asarray(plane.normal @ world_from_camera[:3, :3] @ np.linalg.inv(camera) / ahead, np.float64)
