"""What could not be matched lies on the planes that go on there, if nothing speaks against it: floors, walls, ceilings.

points of a view and those around it ─ planes (place_planes), the ceiling (ceiling) ─► what matches, what is around
(plane_costs, plane_labels) ─► holes filled; what was matched beyond the walls of the place, and cannot be, goes
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.agreement import normals_of
from unflat.geometry.ceiling import ceiling_height, ceiling_votes
from unflat.geometry.place_planes import Plane, in_picture, large_planes, thinned
from unflat.geometry.plane_costs import plane_costs
from unflat.geometry.plane_labels import labelled
from unflat.stages.match_views import Matching
from unflat.types.arrays import F32, F64, Bool

_SPACING = 70
"""So many points are taken along the longer side of a picture."""
_CLEAR = 0.5
"""What matched at less than this cost is a point."""
_CELL, _WITHIN = 0.02, 0.008
"""Points are thinned to one in cubes of this share of the middle depth; and lie on a plane within this share of it."""
_ON = 0.012
"""A pixel is on a plane if their depths differ by no more than this share."""
_BEYOND, _FAR_BEYOND = 0.012, 0.036
"""How far, as a share of the middle depth, something may lie beyond the ceiling; and beyond a wall."""
_LEAVES_OUT = 0.03
"""A plane bounds the place if no more of what was measured than this share lies beyond it."""
_HIGH = 0.95
"""Ceilings are looked for above this share of what was measured."""
_NOTHING = 0.7
"""What it costs a hole to stay one; a plane of which nobody can tell costs 0.5."""
_SUPPORT = 0.1
"""What is filled hangs together with at least this share of what was measured on its plane."""
_TOLD, _SURROUNDED, _RIM = 0.45, 0.25, 9
"""What is filled costs no more than this on average, or so much of its rim, so many pixels wide, is on its plane."""
_THICK = 1 / 120
"""Holes narrower than twice this share of the picture's longer side are rims, which no plane goes on in."""
_FULL_STEP = 4.0
"""Planes between which a match moves by so many pixels are a full step apart."""
_BOX = 0.005, 0.995
"""All but so little of what was measured at either end of each axis lies in the box that planes go on in."""
_SOURCES, _NEVER = 6, 10.0


class Flat(NamedTuple):
    """What planes add to a view.

    Attributes:
        inverse: (h, w) float32 inverse depth of what was filled, else 0.
        gradient: (2, h, w) float32, its change for one pixel right and down.
        beyond: (h, w) bool, what was measured and cannot be: it lies beyond what bounds the place.
    """

    inverse: F32
    gradient: F32
    beyond: Bool


class _Place(NamedTuple):
    """Its planes; beyond which of them, and by how much, nothing may lie; and which of them is the ceiling."""

    planes: list[Plane]
    bounds: list[tuple[Plane, float]]
    ceiling: Plane | None


class _Points(NamedTuple):
    """Of one view, in the world: places (n, 3), normals (n, 3); and their middle depth."""

    xyz: F64
    normals: F64
    middle: float


class FlatPlaces:
    """The planes around the views of a matching."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._points: dict[int, _Points] = {}
        self._votes: dict[int, tuple[F64, int]] = {}

    def completed(self, number: int, inverse: F32) -> Flat:
        """What the planes of the place add to a view.

        Args:
            number: Of the view.
            inverse: (h, w) inverse depth that others agree on; 0 where there is none.
        """
        matching = self._matching
        nothing = Flat(np.zeros_like(inverse), np.zeros((2, *inverse.shape), np.float32), np.zeros(inverse.shape, bool))
        if not matching.company(number).sources:
            return nothing
        some = (number, *matching.company(number).sources)
        seen = [self._points_of(n) for n in some]
        middle = seen[0].middle
        if middle <= 0:
            return nothing
        points, normals = (np.concatenate(parts) for parts in list(zip(*seen, strict=True))[:2])
        points, normals = thinned(points, normals, _CELL * middle)
        planes = large_planes(points, normals, _WITHIN * middle, matching.down)
        slack = _FAR_BEYOND * middle
        bounds = [(p, slack) for p in planes if (points @ p.normal - p.offset < -slack).mean() < _LEAVES_OUT]
        ceiling = self._ceiling(some, points, middle)
        if ceiling is not None:
            planes = [*(plane for plane in planes if not _same(plane, ceiling, slack)), ceiling]
            bounds = [*(b for b in bounds if not _same(b[0], ceiling, slack)), (ceiling, _BEYOND * middle)]
        if not planes:
            return nothing
        beyond = (inverse > 0) & _outside(self._world(number, inverse, 0), bounds)
        inside = np.where(beyond, np.float32(0), inverse)
        place = _Place(planes, bounds + _sides(points, slack), ceiling)
        return Flat(*self._filled(number, place, inside), beyond)

    def forget(self, number: int) -> None:
        """Views up to this one will not be asked for again."""
        used = {s for n in range(number + 1, self._matching.count) for s in (n, *self._matching.company(n).sources)}
        self._points = {n: points for n, points in self._points.items() if n in used}
        self._votes = {n: votes for n, votes in self._votes.items() if n in used}

    def _labels(self, number: int, place: _Place, inverse: F32) -> tuple[F32, F32]:
        """(h, w) which plane each pixel shows, counted from 1 (0: what was measured, or none); and what it costs."""
        matching, planes = self._matching, place.planes
        level = min(1, matching.smallest)
        rig = matching.rig(number, level, _SOURCES)
        h, w = rig.grey.shape
        at = self._in_pictures(number, planes, level)
        costs = plane_costs(rig, at)
        there = _rasters(at, (h, w))
        measured = np.asarray(cv2.resize(inverse, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)[..., None]
        known = measured > 0
        on = known & (np.abs(there - measured) < _ON * measured)
        for k in range(len(planes)):
            costs[..., k][~self._possible(number, place, there[..., k], level)] = _NEVER
        costs = np.where(known, np.where(on, np.float32(0.1), np.float32(0.9)), costs)
        own = np.where(known, np.float32(0.15), np.float32(_NOTHING))
        apart = np.concatenate([np.where(known, measured, np.float32(-1e3)), there], 2)
        scale = np.float32(rig.pixels_per_inverse / _FULL_STEP)
        costs = np.concatenate([own, costs], 2)
        found = labelled(costs, apart * scale, rig.grey)
        paid = np.take_along_axis(costs, found[..., None], 2)[..., 0]
        full = inverse.shape[::-1]
        label, cost = (cv2.resize(m, full, interpolation=cv2.INTER_NEAREST) for m in (found.astype(np.float32), paid))
        return np.asarray(label, np.float32), np.asarray(cost, np.float32)

    def _possible(self, number: int, place: _Place, inverse: F32, level: int) -> Bool:
        """(h, w) where something may be seen at an inverse depth: inside the place, and not too far."""
        near = inverse > 1 / self._matching.company(number).farthest
        return near & ~_outside(self._world(number, np.where(near, inverse, np.float32(0)), level), place.bounds)

    def _filled(self, number: int, place: _Place, inverse: F32) -> tuple[F32, F32]:
        """Inverse depth and gradient of holes that hang together with enough that was measured on their plane."""
        labels, costs = self._labels(number, place, inverse)
        known = inverse > 0
        hole = _thick(~known & self._matching.wanted(number))
        made, gradient = np.zeros_like(inverse), np.zeros((2, *inverse.shape), np.float32)
        at = self._in_pictures(number, place.planes, 0)
        for k, plane in enumerate(at):
            there = _rasters(plane[None], inverse.shape)[..., 0]
            on = known & (np.abs(there - inverse) < _ON * inverse)
            mine = (labels == k + 1) | on
            count, parts = cv2.connectedComponents(mine.astype(np.uint8))
            share = np.bincount(parts[on], minlength=count) / np.bincount(parts.ravel(), minlength=count)
            good = (share > _SUPPORT) | (place.planes[k] is place.ceiling)
            good[0] = False
            here = hole & (labels == k + 1) & good[parts] & self._possible(number, place, there, 0)
            if place.planes[k] is not place.ceiling:
                here = _borne_out(here, on, costs)
            made[here] = there[here]
            gradient[:, here] = plane[:2, None]
        made[self._matching.contradicted(number, made)] = 0
        return made, gradient

    def _in_pictures(self, number: int, planes: list[Plane], level: int) -> F64:
        """(n, 3) inverse depth of planes at a pixel (x, y, 1) of a view."""
        camera, pose = self._matching.camera(number, level), self._matching.pose(number)
        return np.array([in_picture(plane, camera.matrix, pose) for plane in planes])

    def _world(self, number: int, inverse: F32, level: int) -> F32:
        """(h, w, 3) places in the world; NaN where the inverse depth is 0."""
        camera, pose = self._matching.camera(number, level), self._matching.pose(number)
        h, w = inverse.shape
        x = (np.arange(w, dtype=np.float32) + np.float32(0.5 - camera.cx)) / np.float32(camera.fx)
        y = (np.arange(h, dtype=np.float32)[:, None] + np.float32(0.5 - camera.cy)) / np.float32(camera.fy)
        ray = np.stack(np.broadcast_arrays(x, y, np.float32(1)), -1) @ pose[:3, :3].T.astype(np.float32)
        z = np.divide(np.float32(1), inverse, out=np.full_like(inverse, np.nan), where=inverse > 0)
        return ray * z[..., None] + pose[:3, 3].astype(np.float32)

    def _points_of(self, number: int) -> _Points:
        """Some of what matched well in a view."""
        if number in self._points:
            return self._points[number]
        planes = self._matching.seen(number)
        step = max(1, max(planes.inverse.shape) // _SPACING)
        cut = slice(step // 2, None, step), slice(step // 2, None, step)
        good = ((planes.inverse > 0) & (planes.cost < _CLEAR) & self._matching.wanted(number))[cut]
        normals = normals_of(planes.inverse, planes.gradient, self._matching.camera(number, 0).matrix)[cut][good]
        xyz = self._world(number, planes.inverse, 0)[cut][good]
        middle = float(np.median(1 / planes.inverse[cut][good])) if good.any() else 0.0
        turned = normals.astype(np.float64) @ self._matching.pose(number)[:3, :3].T
        self._points[number] = _Points(xyz.astype(np.float64), turned, middle)
        return self._points[number]

    def _ceiling(self, some: tuple[int, ...], points: F64, middle: float) -> Plane | None:
        """The level plane above everything that is told apart best, of some views."""
        down = self._matching.down
        if down is None:
            return None
        told = [self._votes_of(n) for n in some]
        votes = np.concatenate([votes for votes, _ in told])
        votes = votes[votes > np.quantile(-(points @ down), _HIGH)]
        height = ceiling_height(votes, middle, sum(pixels for _, pixels in told))
        return None if height is None else Plane(down, -height)

    def _votes_of(self, number: int) -> tuple[F64, int]:
        """Heights that the pixels of a view vote for, and how many pixels it has."""
        if number not in self._votes:
            down = self._matching.down
            assert down is not None
            level = self._matching.smallest
            rig = self._matching.rig(number, level, _SOURCES)
            votes = np.zeros(0)
            if len(rig.ways) and self._points_of(number).middle > 0:
                h, w = rig.grey.shape
                planes = self._matching.seen(number)
                found = np.asarray(cv2.resize(planes.inverse, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)
                votes = ceiling_votes(rig, found, self._points_of(number).middle) - float(
                    down @ self._matching.pose(number)[:3, 3]
                )
            self._votes[number] = votes, rig.grey.size
        return self._votes[number]


def _same(one: Plane, other: Plane, within: float) -> bool:
    """Whether two planes face the same way about the same place."""
    return float(one.normal @ other.normal) > 0.99 and abs(one.offset - other.offset) < within


def _sides(points: F64, slack: float) -> list[tuple[Plane, float]]:
    """The sides of the upright box around points (n, 3): where nothing was measured, no plane goes on for ever."""
    low, high = np.quantile(points, _BOX, axis=0)
    ends = [
        (Plane(sign * axis, float(sign * end[k])), slack)
        for k, axis in enumerate(np.eye(3))
        for sign, end in ((1, low), (-1, high))
    ]
    return ends


def _outside(places: F32, bounds: list[tuple[Plane, float]]) -> Bool:
    """Which places (..., 3) lie beyond one of the planes by more than is allowed."""
    out = np.zeros(places.shape[:-1], bool)
    for plane, by in bounds:
        out |= places @ plane.normal.astype(np.float32) - np.float32(plane.offset) < -by
    return out


def _rasters(planes: F64, shape: tuple[int, ...]) -> F32:
    """(h, w, n) inverse depth of planes at the centres of pixels."""
    h, w = shape
    x, y = np.arange(w) + 0.5, (np.arange(h) + 0.5)[:, None]
    return np.stack([(p[0] * x + p[1] * y + p[2]).astype(np.float32) for p in planes], -1)


def _borne_out(made: Bool, on: Bool, costs: F32) -> Bool:
    """The parts of what was filled that the pictures bear out, or that what was measured of the plane surrounds."""
    count, parts = cv2.connectedComponents(made.astype(np.uint8))
    if count < 2:
        return made
    parts = np.minimum(parts, 65535).astype(np.uint16)
    around = np.asarray(cv2.dilate(parts, np.ones((_RIM, _RIM), np.uint8)))
    rim = (around > 0) & ~made
    size, touched, held = (np.bincount(p, minlength=count) for p in (parts[made], around[rim], around[rim & on]))
    cost = np.bincount(parts[made], weights=costs[made], minlength=count) / np.maximum(size, 1)
    return made & ((cost < _TOLD) | (held > _SURROUNDED * touched))[parts]


def _thick(hole: Bool) -> Bool:
    """Without what is narrow; what the picture's border cuts off is not."""
    side = 1 + 2 * round(_THICK * max(hole.shape))
    padded = cv2.copyMakeBorder(hole.astype(np.uint8), side, side, side, side, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return np.asarray(opened[side:-side, side:-side] > 0)
