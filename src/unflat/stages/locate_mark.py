"""A pixel of one view -> the point of the scene that it shows, with an error bar.

Its surroundings are looked for in the views that share the most points there (geometry/pixel_sweep). Where the picture
is too plain for that, the triangulated points around it are asked; and where it is marked in two views, both rays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.distort import rays_through
from unflat.geometry.pixel_sweep import Look, inverse_depth_at
from unflat.types.arrays import F64
from unflat.types.image import Size
from unflat.types.views import Reconstruction, View

_LONGEST = 1600
_PARTNERS = 6
_AROUND = 40
"""Partners are chosen by so many points that are seen nearest to the mark."""
_BEST_ANGLE, _LEAST_ANGLE, _MOST_ANGLE = math.radians(8.0), math.radians(1.0), math.radians(40.0)
_NEAR = 0.06
"""Points within this share of the picture's long side speak for a place that is too plain to be found."""
_NEAREST, _FEWEST, _ROUGH = 24, 5, 0.006
"""How many of them are asked at most and at least, and by how much the place may stand off their plane."""
_AGREES = 7.8
"""Squared distance over its variance that chance exceeds once in twenty, in three dimensions."""
_POINTING_PX = 1 / math.sqrt(3)
"""Standard error per axis of a mark: anywhere within one pixel."""


@dataclass(frozen=True, slots=True)
class Located:
    """A point of the scene.

    Attributes:
        xyz: (3,) in the reconstruction's frame.
        covariance: (3, 3) of ``xyz``, from pointing and from how far away it is.
        plain: Its distance is only that of points around it.
    """

    xyz: F64
    covariance: F64
    plain: bool = False


def located(reconstruction: Reconstruction, number: int, at: F64) -> Located | None:
    """What a pixel of a view shows.

    Args:
        reconstruction: With points.
        number: Of the view.
        at: (2,) pixel of its still.

    Returns:
        None where nothing tells how far away it is.
    """
    view = reconstruction.views[number]
    seen, z = observed(reconstruction, number)
    if len(seen) == 0:
        return None
    inverse = 1 / z
    low, high = float(np.quantile(inverse, 0.01)) / 1.5, float(np.quantile(inverse, 0.99)) * 1.5
    order = np.argsort(np.hypot(*(seen[:, :2] - at).T))
    partners = _partners(reconstruction, number, seen[order[:_AROUND], 2].astype(np.int64))
    look = _look(view)
    scaled = at * [look.grey.shape[1] / view.still.size.width, look.grey.shape[0] / view.still.size.height]
    found = inverse_depth_at(look, scaled, [_look(reconstruction.views[k]) for k in partners], low, high)
    plain = found is None
    if found is None:
        reach = _NEAR * max(view.still.size.width, view.still.size.height)
        found = of_neighbours(seen[order[:_NEAREST], :2] - at, inverse[order[:_NEAREST]], reach)
        if found is None:
            return None
    return at_depth(view, at, found[0], found[1] / found[0], plain)


def of_neighbours(off: F64, inverse: F64, reach: float) -> tuple[float, float] | None:
    """Inverse z and its standard error at offset 0, by a plane through the points around it: there it is affine."""
    near = np.hypot(*off.T) < reach
    off, inverse = off[near] / reach, inverse[near]
    if len(off) < _FEWEST:
        return None
    rows = np.concatenate([np.ones((len(off), 1)), off], 1)
    weight = np.exp(-(off**2).sum(1))
    value, spread, covariance = np.zeros(3), 0.0, np.eye(3)
    trust = weight
    for _ in range(5):
        normal = rows.T @ (rows * trust[:, None]) + 1e-6 * np.eye(3)
        value = np.linalg.solve(normal, rows.T @ (trust * inverse))
        residual = inverse - rows @ value
        spread = max(1.4826 * float(np.median(np.abs(residual))), 1e-3 * abs(float(value[0])))
        trust = weight / (1 + (residual / (2 * spread)) ** 2) ** 2
        covariance = np.linalg.inv(normal)
    if value[0] <= 0:
        return None
    return float(value[0]), math.hypot(spread * math.sqrt(float(covariance[0, 0])), _ROUGH * float(value[0]))


def located_twice(reconstruction: Reconstruction, marks: Sequence[tuple[int, F64]]) -> Located | None:
    """A point that is marked in two views: where the rays meet, in the least squares of both pixels.

    Returns:
        None where the rays are as good as parallel, or meet behind an eye.
    """
    rows: list[F64] = []
    sides: list[F64] = []
    for number, at in marks:
        view = reconstruction.views[number]
        m = view.pose.world_from_camera
        ray = rays_through(at, view.lens)
        for axis, focal in ((0, view.lens.intrinsics.fx), (1, view.lens.intrinsics.fy)):
            row = focal * (m[:3, axis] - ray[axis] * m[:3, 2])
            rows.append(row)
            sides.append(np.asarray(row @ m[:3, 3]))
    a, b = np.stack(rows), np.stack(sides)
    poses = [reconstruction.views[number].pose.world_from_camera for number, _ in marks]
    weight, xyz, z = np.ones(2 * len(marks)), np.zeros(3), np.ones(len(marks))
    for _ in range(3):  # rows in pixels at the point's distance
        found, _, rank, _ = np.linalg.lstsq(a * weight[:, None], b * weight, rcond=1e-12)
        xyz = np.asarray(found, np.float64)
        z = np.array([(xyz - m[:3, 3]) @ m[:3, 2] for m in poses])
        if rank < 3 or (z <= 0).any():
            return None
        weight = np.repeat(1 / z, 2)
    weighted = a * weight[:, None]
    residual = float(((weighted @ xyz - b * weight) ** 2).sum())  # one degree of freedom
    variance = max(_POINTING_PX**2, residual)
    covariance = np.asarray(variance * np.linalg.inv(weighted.T @ weighted), np.float64)
    if math.sqrt(float(np.linalg.eigvalsh(covariance)[-1])) > 0.3 * float(z.min()):
        return None
    return Located(xyz, covariance)


def observed(reconstruction: Reconstruction, number: int) -> tuple[F64, F64]:
    """What a view sees of the points: (n, 3) pixel x, y and number of the point, and (n,) z > 0 in its camera."""
    points, view = reconstruction.points, reconstruction.views[number]
    mine = points.view == number
    m = view.pose.world_from_camera
    z = (points.xyz[points.point[mine]] - m[:3, 3]) @ m[:3, 2]
    seen = np.concatenate([points.pixel[mine], points.point[mine][:, None]], 1).astype(np.float64)
    return seen[z > 0], z[z > 0]


def _partners(reconstruction: Reconstruction, number: int, points: NDArray[np.int64]) -> list[int]:
    """The views that see most of these points from a good angle."""
    sparse, views = reconstruction.points, reconstruction.views
    shared = np.isin(sparse.point, points)
    xyz, eye = sparse.xyz[points], views[number].pose.centre
    marks: list[tuple[float, int]] = []
    for k in np.unique(sparse.view[shared]):
        if k == number:
            continue
        one, other = eye - xyz, views[k].pose.centre - xyz
        across = np.linalg.norm(np.cross(one, other), axis=1)
        angle = float(np.median(np.arctan2(across, (one * other).sum(1))))
        if _LEAST_ANGLE <= angle <= _MOST_ANGLE:
            count = int((sparse.view[shared] == k).sum())
            marks.append((count * min(angle / _BEST_ANGLE, 1.0), int(k)))
    return [k for _, k in sorted(marks, reverse=True)[:_PARTNERS]]


def _look(view: View) -> Look:
    """The view's picture in grey, no larger than it needs to be."""
    pixels, size = view.still.read(), view.still.size
    factor = min(1.0, _LONGEST / max(size.width, size.height))
    small = Size(round(size.width * factor), round(size.height * factor))
    grey = cv2.cvtColor(np.asarray(pixels), cv2.COLOR_RGB2GRAY)
    if factor < 1:
        grey = cv2.resize(grey, (small.width, small.height), interpolation=cv2.INTER_AREA)
    return Look(np.asarray(grey, np.float32), view.lens.resized(small), view.pose.world_from_camera)


def at_depth(view: View, at: F64, inverse: float, error: float, plain: bool) -> Located:
    """The point that a view shows at a pixel.

    Args:
        view: Of any lens.
        at: (2,) pixel of its still.
        inverse: 1/z there.
        error: Its relative standard error.
        plain: Its distance is only that of points around it.
    """
    m = view.pose.world_from_camera
    ray = m[:3, :3] @ rays_through(at, view.lens)
    along = ray / inverse
    pixel = _POINTING_PX * 1.4 / inverse / view.lens.intrinsics.fx  # a surface may be slanted by 45 degrees
    off = view.error_px or 0.0
    across = pixel**2 * (1 + off**2) * np.eye(3)
    return Located(m[:3, 3] + along, np.outer(along, along) * error**2 + across, plain)


def length_between(a: Located, b: Located) -> tuple[float, float]:
    """Their distance and its relative standard error."""
    way = b.xyz - a.xyz
    length = float(np.linalg.norm(way))
    unit = way / max(length, 1e-12)
    return length, math.sqrt(float(unit @ (a.covariance + b.covariance) @ unit)) / max(length, 1e-12)


def together(seen: Sequence[Located | None], meeting: Located | None) -> Located | None:
    """One point from where its pictures see it and from where their rays meet.

    What disagrees with the meeting of the rays by more than the error bars is left out; the rest is weighted by them.
    """
    there = [one for one in seen if one is not None]
    if meeting is None:
        return min(there, key=lambda one: float(np.trace(one.covariance)), default=None)
    kept = [meeting]
    for one in there:
        off = one.xyz - meeting.xyz
        if off @ np.linalg.solve(one.covariance + meeting.covariance, off) < _AGREES:
            kept.append(one)
    weights = [np.linalg.inv(one.covariance) for one in kept]
    covariance = np.linalg.inv(np.sum(weights, 0))
    xyz = covariance @ np.sum([w @ one.xyz for w, one in zip(weights, kept, strict=True)], 0)
    return Located(xyz, len(kept) * covariance)  # they share their marks: no surer than the mean of them
