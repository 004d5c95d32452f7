"""Surfaces beyond a picture's border: planes go on as planes, things end, the rest closes behind them, sky stays sky.

What lies left and right is made first, then what lies above and below all of that. On each side the things that the
border cuts are taken away (:mod:`unflat.geometry.outlines`), what is left goes on to the end, and the things are set
before it. Planes go on exactly; what is loose keeps its distance to the planes beside it, and its unevenness is
smoothed the more the farther out.

Depths are inverse depths; larger is nearer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.outlines import ARC, Ground, Outline, Thing, bent, without_things
from unflat.geometry.planes import INWARD, NOTHING, SKY, line_of, planes_beyond, planes_of
from unflat.types.arrays import F32, F64, Bool

NEAREST = 3.0
"""Nothing beyond the border is nearer than this many times the nearest that is seen."""
_ALIKE = 0.15
"""What is loose follows the planes at its side less and less over this share of the side."""
_SMOOTHED = 0.4
"""Unevenness is smoothed with a Gaussian of this share of the distance from the border."""
_JOINED = 0.6
"""Where surfaces part that are one at the border, they are bent together over this share of the distance from it."""
_TALL = 1.5
"""Below the picture things reach so many times farther than elsewhere: they stand on something."""


class Beyond(NamedTuple):
    """Surfaces of a picture and around it.

    Attributes:
        inverse: (h, w) inverse depth, 0 where no surface is.
        sky: (h, w).
        valid: (h, w) surface or sky.
    """

    inverse: F32
    sky: Bool
    valid: Bool


class _Limits(NamedTuple):
    """Inverse depth of the farthest and the nearest that is seen, and whether there is a sky."""

    far: float
    near: float
    sky: bool


def continued_depth(inverse: F32, sky: Bool, margin: tuple[int, int]) -> Beyond:
    """Continue surfaces beyond the border of their picture.

    Args:
        inverse: (h, w) inverse depth, 0 where there is no surface.
        sky: (h, w), none of it surface.
        margin: How many pixels are added left and right, and above and below.
    """
    (h, w), (mx, my) = inverse.shape, margin
    seen = inverse[inverse > 0]
    limits = _Limits(float(seen.min()), float(seen.max()), bool(sky.any())) if seen.size else _Limits(1, 1, False)
    planes = planes_of(inverse)
    left = [np.array([p[0], p[2], p[1]]) for p in planes]
    right = [np.array([p[0] + p[1] * (w - 1), p[2], -p[1]]) for p in planes]
    one = _side(inverse.T, sky.T, left, mx, limits)
    other = _side(inverse.T[::-1], sky.T[::-1], right, mx, limits)
    wide = np.hstack([one[0][::-1].T, inverse, other[0].T])
    wide_sky = np.hstack([one[1][::-1].T, sky, other[1].T])
    above = [np.array([p[0] - p[1] * mx, p[1], p[2]]) for p in planes]
    below = [np.array([p[0] - p[1] * mx + p[2] * (h - 1), p[1], -p[2]]) for p in planes]
    one = _side(wide, wide_sky, above, my, limits)
    other = _side(wide[::-1], wide_sky[::-1], below, my, limits, _TALL)
    out = np.vstack([one[0][::-1], wide, other[0]])
    out_sky = np.vstack([one[1][::-1], wide_sky, other[1]])
    return Beyond(out.astype(np.float32), out_sky, (out > 0) | out_sky)


def _side(
    inside: F32, sky: Bool, planes: list[F64], count: int, limits: _Limits, tall: float = 1.0
) -> tuple[F32, Bool]:
    """``count`` rows outside one side, from the border outwards: inverse depth and sky."""
    steps = max(2, round(INWARD * min(inside.shape)))
    line = line_of(inside[:steps], sky[:steps], planes)
    ground = without_things(line, planes, inside.astype(np.float64), limits.far)
    base = _Base.of(ground, planes, limits)
    made, made_sky = np.zeros((count, inside.shape[1])), np.zeros((count, inside.shape[1]), np.bool_)
    for t in range(1, count + 1):
        made[t - 1], made_sky[t - 1] = base.row(t)
    made = np.clip(made, 0.5 * limits.far, NEAREST * limits.near) * (made > 0)
    rows = np.arange(1, count + 1, dtype=np.float64)
    for thing in ground.things:
        _set_before(made, made_sky, thing, thing.spans(rows, tall))
    return made.astype(np.float32), made_sky


def _set_before(made: F64, sky: Bool, thing: Thing, spans: tuple[F64, F64]) -> None:
    """Put a thing where it is nearer than what is there, in place."""
    column: F64 = np.arange(made.shape[1], dtype=np.float64) + 0.5
    first, end = (s[:, None] for s in spans)
    inner: Bool = (column > first) & (column < end)
    width = end - first
    if thing.left is None:
        first, width = end - width / 2, width / 2
    elif thing.right is None:
        width = width / 2
    share = np.where(inner, (column - first) / np.maximum(np.nan_to_num(width), 1e-9), 0)
    place = np.clip(share, 0, 1) * len(thing.log) - 0.5
    value = np.exp(np.interp(place, np.arange(len(thing.log)), thing.log))
    nearer: Bool = inner & (value > made)
    made[nearer] = value[nearer]
    sky[nearer] = False


class _Base(NamedTuple):
    """What goes on to the end of the extension on one side."""

    ground: Ground
    planes: list[F64]
    limits: _Limits
    carrier: F64
    uneven: list[tuple[float, F64]]

    @classmethod
    def of(cls, ground: Ground, planes: list[F64], limits: _Limits) -> _Base:
        number, value, ratio = ground.line
        n = len(value)
        on, flat = (number != SKY) & (number != NOTHING), number >= 0
        through = planes_beyond(planes, number, 0, np.arange(n))
        log = np.log(np.maximum(np.where(flat, np.nan_to_num(through), 1.0), limits.far / 4))
        carrier = _along(log, flat, _bounds(ground), None)
        rest = np.where(flat, np.log(ratio), np.log(np.where(on, value, 1.0)) - carrier)
        rest[~on] = 0
        uneven = [(0.0, rest)]
        sigma = 1.0
        while sigma < 2 * n:
            uneven.append((sigma, _blurred(rest, _bounds(ground), sigma)))
            sigma *= 1.5
        return cls(ground, planes, limits, carrier, uneven)

    def row(self, t: int) -> tuple[F64, Bool]:
        """Inverse depth, 0 without a surface, and sky, so many rows outside."""
        number = self.ground.line.number
        n = len(number)
        foot = _feet(self.ground.outlines, n, t)
        kind = number[foot]
        flat = kind >= 0
        there = np.nan_to_num(planes_beyond(self.planes, number, -t, foot))
        grown = np.log(np.maximum(there, self.limits.far / 4)) - self.carrier[foot]
        whole = np.searchsorted(_bounds(self.ground)[1:-1], foot, side="right")
        edges = [0, *(np.flatnonzero(np.diff(whole)) + 1).tolist(), n]
        grown = _along(np.where(flat, grown, 0), flat, edges, _ALIKE * n)
        log = self.carrier[foot] + grown + self._unevenness(t)[foot]
        seams = (kind[1:] != kind[:-1]) & (kind[1:] > SKY) & (kind[:-1] > SKY) & (whole[1:] == whole[:-1])
        made = np.exp(_joined(log, whole, np.flatnonzero(seams), _JOINED * t))
        is_sky = kind == SKY
        if self.limits.sky:
            is_sky = is_sky | (flat & (there < 0.5 * self.limits.far))
        made[is_sky | (kind == NOTHING)] = 0
        return made, is_sky

    def _unevenness(self, t: int) -> F64:
        sigmas = [s for s, _ in self.uneven]
        i = int(np.searchsorted(sigmas, _SMOOTHED * t))
        if i >= len(sigmas):
            return self.uneven[-1][1]
        share = (_SMOOTHED * t - sigmas[i - 1]) / (sigmas[i] - sigmas[i - 1])
        return (1 - share) * self.uneven[i - 1][1] + share * self.uneven[i][1]


def _bounds(ground: Ground) -> list[int]:
    return [0, *(o.at for o in ground.outlines), len(ground.line.value)]


def _feet(outlines: tuple[Outline, ...], n: int, t: int) -> NDArray[np.int64]:
    """(n,) the pixels of the border that those of a row outside follow: outlines go on, what is between moves along."""
    if not outlines:
        return np.arange(n)
    rows = np.array([float(t)])
    moved = [o.at + float(bent(o.lean, ARC * n, rows)[0]) for o in outlines]
    moved = np.maximum.accumulate(moved)
    at = np.array([0, *(o.at for o in outlines), n])
    part = np.searchsorted(moved, np.arange(n) + 0.5, side="right")
    return np.clip(np.arange(n), at[part], np.maximum(at[part + 1] - 1, at[part]))


def _along(value: F64, known: Bool, bounds: list[int], fading: float | None) -> F64:
    """Known values continued along a side within its parts; beside them they fade to 0, or do not."""
    out, at = np.zeros_like(value), np.arange(len(value))
    for first, end in pairwise(bounds):
        here = np.flatnonzero(known[first:end]) + first
        if not len(here):
            continue
        out[first:end] = np.interp(at[first:end], here, value[here])
        if fading is not None:
            off = np.maximum(here[0] - at[first:end], at[first:end] - here[-1])
            out[first:end] *= np.exp(-np.maximum(off, 0) / fading)
    return out


def _joined(log: F64, part: NDArray[np.int64], seams: NDArray[np.int64], over: float) -> F64:
    """Without the steps after the columns ``seams``: both sides are bent towards each other, within their part."""
    out, at = log.copy(), np.arange(len(log), dtype=np.int64)
    for seam in seams.tolist():
        step = (log[seam + 1] - log[seam]) / 2
        bend: F64 = step * np.sign(seam + 0.5 - at) * np.exp(-np.abs(at - seam - 0.5) / over)
        out += bend * (part == part[seam])
    return out


def _blurred(value: F64, bounds: list[int], sigma: float) -> F64:
    """Smoothed within each part."""
    out = value.copy()
    for first, end in pairwise(bounds):
        if end - first > 1:
            some = np.ascontiguousarray(value[first:end])[None]
            out[first:end] = cv2.GaussianBlur(some, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0]
    return out
