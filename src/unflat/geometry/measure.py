"""Lengths read off a depth map: a spot on a surface, the span between two spots, planes, robust averages.

Nothing here decides what a length means; it only reads it and says how well it is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unflat.errors import InputError
from unflat.geometry.projection import rays
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Size

_BEND = 0.004
"""A 3×3 window whose inverse depth leaves a plane by more than this share of itself is looked at for two sides."""
_FLATTER = 0.35
"""Both sides of a crease leave their own planes by less than this share of what the whole leaves its plane by."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One point of a surface, seen at one place of the picture.

    Attributes:
        xyz: (3,) where it is, in the camera's axes and the unit of the depth.
        by_x: (3,) how ``xyz`` moves when the place moves one depth pixel to the right.
        by_y: (3,) the same one depth pixel down.
        noise: Relative standard error of its distance, from the scatter of the pixels around it.
        confidence: Of the depth there, 0..1; None where the depth has none.
        edge: True if the place lies on an outline; the nearer side was taken.
    """

    xyz: F64
    by_x: F64
    by_y: F64
    noise: float
    confidence: float | None
    edge: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The straight line between two spots.

    Attributes:
        length: In the unit of the depth.
        pointing: Relative standard error of the length when each end is pointed at with a standard error
            of one depth pixel per axis.
        noise: Relative standard error of the length from the scatter of the depth at its ends.
        across: Share of the squared length that lies across the optical axis; the rest lies along it. A focal
            length that is wrong by the factor k makes the part across wrong by 1/k and leaves the part along it.
        confidence: The lower of both ends; None where the depth has none.
        edge: True if an end lies on an outline.
    """

    length: float
    pointing: float
    noise: float
    across: float
    confidence: float | None
    edge: bool


def spot_at(depth: DepthMap, x: float, y: float, *, of: Size | None = None) -> Spot:
    """The surface seen at one place of a picture.

    Inverse depth is affine in the pixel on every plane, so a plane is fitted to the inverse depths of the 3×3
    pixels around the place (weights fall with distance, far-off values are dropped) and read at the place
    itself: exact on planes, and never a mixture of two surfaces. Where the window holds a jump, the place is on
    an outline, and an outline belongs to the nearer thing: only the nearer side is used. At a crease the side of
    the nearest pixel is used.

    Args:
        depth: METRIC or SCALE, with intrinsics.
        x: Pixels from the left edge of the picture; the first pixel's centre is 0.5.
        y: Pixels from its top edge.
        of: The size of the picture that ``x`` and ``y`` belong to, where the depth map has another one.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: The depth has no camera, or the place is outside, in the sky or without depth.
    """
    camera = _camera(depth)
    size = of or depth.size
    if not (0 <= x <= size.width and 0 <= y <= size.height):
        raise InputError(
            f"the point ({x:g}, {y:g}) is outside the picture of {size}",
            hint="Give pixels of the upright picture: 0 is its left or top edge.",
        )
    u, v = x * depth.size.width / size.width, y * depth.size.height / size.height
    window = _Window.around(depth, u, v)
    if window is None:
        column, row = min(int(u), depth.size.width - 1), min(int(v), depth.size.height - 1)
        what = "in the sky" if depth.sky is not None and bool(depth.sky[row, column]) else "where no depth is known"
        raise InputError(f"the point ({x:g}, {y:g}) is {what}", hint="Choose a point on something solid.")
    value, slope_x, slope_y, noise = window.read()
    z = 1 / value
    ray = rays(np.array([u, v]), camera)
    by_x = -z * z * slope_x * ray + np.array([z / camera.fx, 0, 0])
    by_y = -z * z * slope_y * ray + np.array([0, z / camera.fy, 0])
    return Spot(ray * z, by_x, by_y, noise, window.confidence, window.edge)


def span_between(a: Spot, b: Spot) -> Span:
    """The straight line from ``a`` to ``b``; first-order error propagation.

    Raises:
        InputError: Both are the same point.
    """
    way = b.xyz - a.xyz
    length = float(np.linalg.norm(way))
    if length <= 1e-9 * float(np.linalg.norm(a.xyz)):
        raise InputError("the two points of the length are the same", hint="Mark two points that are further apart.")
    unit = way / length
    moves = [unit @ a.by_x, unit @ a.by_y, unit @ b.by_x, unit @ b.by_y]
    jitter = [(unit @ a.xyz) * a.noise, (unit @ b.xyz) * b.noise]
    known = [c for c in (a.confidence, b.confidence) if c is not None]
    return Span(
        length=length,
        pointing=math.hypot(*moves) / length,
        noise=math.hypot(*jitter) / length,
        across=float(way[0] ** 2 + way[1] ** 2) / length**2,
        confidence=min(known) if known else None,
        edge=a.edge or b.edge,
    )


def weighted_quantile(values: ArrayLike, q: float, weights: ArrayLike | None = None) -> float:
    """The smallest value below or at which the share ``q`` of the weight lies; of the finite values only.

    Args:
        values: Any shape.
        q: 0..1.
        weights: Not negative, one per value; None weighs all alike.

    Raises:
        InputError: There is no finite value with a weight, or ``q`` is not a share.
    """
    v: NDArray[Any] = np.asarray(values).ravel()
    w = None if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    keep = np.isfinite(v) if w is None else np.isfinite(v) & (w > 0)
    if not 0 <= q <= 1 or not keep.any():
        raise InputError(f"no quantile {q:g} of {int(keep.sum())} values")
    v = v[keep]
    if w is None:
        at = max(0, math.ceil(q * len(v)) - 1)
        return float(np.partition(v, at)[at])
    order = np.argsort(v, kind="stable")
    below = np.cumsum(w[keep][order])
    place = min(int(np.searchsorted(below, q * float(below[-1]))), len(v) - 1)
    return float(v[int(order[place])])


def _camera(depth: DepthMap) -> Intrinsics:
    _ = depth.z  # raises UnitError where the kind has no z
    if depth.intrinsics is None:
        raise InputError("a length needs a camera", hint="Calibrate the picture first.")
    return depth.intrinsics


@dataclass(frozen=True, slots=True)
class _Window:
    """Inverse depths around a place: offsets ``du``, ``dv`` from the place in pixels."""

    du: F64
    dv: F64
    inverse: F64
    confidence: float | None
    edge: bool = False

    @staticmethod
    def gather(depth: DepthMap, u: float, v: float, radius: int) -> _Window | None:
        """The surface pixels within ``radius`` of a place, or None if there are none."""
        column, row = min(int(u), depth.size.width - 1), min(int(v), depth.size.height - 1)
        rows = slice(max(0, row - radius), row + radius + 1)
        columns = slice(max(0, column - radius), column + radius + 1)
        z = depth.z[rows, columns].astype(np.float64)
        ok = np.asarray(depth.valid)[rows, columns] & np.isfinite(z) & (z > 0)
        if depth.sky is not None:
            ok &= ~depth.sky[rows, columns]
        if not ok.any():
            return None
        inside_v, inside_u = np.nonzero(ok)
        du = np.asarray(inside_u + (columns.start + 0.5 - u), dtype=np.float64)
        dv = np.asarray(inside_v + (rows.start + 0.5 - v), dtype=np.float64)
        sure = None if depth.confidence is None else float(depth.confidence[rows, columns][ok].mean())
        return _Window(du, dv, 1 / z[ok], sure)

    @staticmethod
    def around(depth: DepthMap, u: float, v: float) -> _Window | None:
        """The pixels of one surface: 3×3, or 5×5 where those of the surface span no plane."""
        small, wide = _Window.gather(depth, u, v, 1), _Window.gather(depth, u, v, 2)
        if small is None or wide is None:
            return None
        split, edge = small.sides(wide)
        if split is not None:
            own = edge or float(small.inverse[np.argmin(small.du**2 + small.dv**2)]) > split
            small, wide = small.side(split, own, edge), wide.side(split, own, edge)
        return small if small.spans_a_plane else wide

    def sides(self, wide: _Window) -> tuple[float | None, bool]:
        """The inverse depth between the two sides of an outline or a crease, and whether it is an outline.

        The largest gap splits the values. At a crease the planes through both sides meet, at an outline they pass
        the place far apart; and if neither side is much flatter than the whole, it is noise and nothing is split.
        """
        if len(self.inverse) < 2 or self.bend <= _BEND * float(self.inverse.mean()):
            return None, False
        order = np.sort(self.inverse)
        at = int(np.argmax(np.diff(order)))
        split = float(order[at] + order[at + 1]) / 2
        near, far = wide.side(split, True), wide.side(split, False)
        (near_value, *near_slope), (far_value, *far_slope) = near.plane(), far.plane()
        rough = max(near.bend, far.bend)
        edge = near_value - far_value > 1.5 * math.dist(near_slope, far_slope) + 2 * rough
        return (split if edge or rough < _FLATTER * wide.bend else None), edge

    def side(self, split: float, near: bool, edge: bool = False) -> _Window:
        """The pixels nearer than an inverse depth, or those that are not."""
        on = (self.inverse > split) == near
        return _Window(self.du[on], self.dv[on], self.inverse[on], self.confidence, edge)

    @property
    def spans_a_plane(self) -> bool:
        """True if there are three pixels that do not lie in one row."""
        places = np.stack([self.du - self.du.mean(), self.dv - self.dv.mean()])
        return len(self.inverse) >= 3 and bool(np.linalg.matrix_rank(places, tol=1e-6) == 2)

    @property
    def bend(self) -> float:
        """How far the farthest value lies from the plane through all of them."""
        value, sx, sy = self.plane()
        return float(np.abs(self.inverse - (value + sx * self.du + sy * self.dv)).max())

    def plane(self, weight: F64 | None = None) -> tuple[float, float, float]:
        """Inverse depth at the place and its slopes per pixel."""
        return _affine(self.du, self.dv, self.inverse, np.ones_like(self.inverse) if weight is None else weight)

    def read(self) -> tuple[float, float, float, float]:
        """Inverse depth at the place, its slopes per pixel, and the relative standard error of the value."""
        near = np.exp(-(self.du**2) - self.dv**2)
        value, sx, sy = self.plane(near)
        off = np.abs(self.inverse - (value + sx * self.du + sy * self.dv))
        limit = 3 * 1.4826 * float(np.median(off)) + 1e-6 * float(np.abs(self.inverse).max())
        value, sx, sy = self.plane(np.where(off <= limit, near, near * 1e-3))
        low, high = float(self.inverse.min()), float(self.inverse.max())
        value = min(max(value, low / 2), high * 2)
        spare = len(self.inverse) - 3
        spread = math.sqrt(float((off**2).sum()) / spare) if spare > 0 else 0.0
        return value, sx, sy, spread / math.sqrt(len(self.inverse)) / value


def _affine(du: F64, dv: F64, inverse: F64, weight: F64) -> tuple[float, float, float]:
    """Weighted least squares of value + sx·du + sy·dv; a mean without slopes where the places span no plane."""
    root = np.sqrt(weight)
    if len(inverse) >= 3:
        rows = np.stack([np.ones_like(du), du, dv], axis=1) * root[:, None]
        found, _, rank, _ = np.linalg.lstsq(rows, inverse * root, rcond=1e-6)
        if rank == 3:
            return float(found[0]), float(found[1]), float(found[2])
    return float((inverse * weight).sum() / weight.sum()), 0.0, 0.0
