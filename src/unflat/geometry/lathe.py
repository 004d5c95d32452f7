"""Surfaces of revolution: from an outline to the turned thing, and from its profile to a closed surface."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from unflat.geometry.closed_surface import Closed
from unflat.types.arrays import F64, U32, Bool

_AROUND = 96


class Core(NamedTuple):
    """The part of an outline that is the same on both sides of an upright line.

    Attributes:
        axis: Where the line is, in pixels from the left edge.
        half: (h,) its half width in each row, 0 where the line is outside.
        alike: (h,) bool, rows that end at the same distance on both sides.
        steady: (h,) bool, those of them that nothing beside the body (a handle, a spout) makes wider.
        share: Of the outline's area that belongs to it.
        off: Share of the area in rows where the line is outside.
    """

    axis: float
    half: F64
    alike: Bool
    steady: Bool
    share: float
    off: float


def core_of(inside: Bool) -> Core:
    """The upright line about which most of an outline is symmetric.

    Args:
        inside: (h, w), somewhere True.
    """
    h, w = inside.shape
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, right = _runs(inside)
    x: F64 = np.arange(w, dtype=np.float64)[None, :] + 0.5
    best, best_sum = int(columns.mean()), -1.0
    for column in range(int(columns[0] + 0.2 * len(columns)), int(columns[0] + 0.8 * len(columns)) + 1):
        half = np.where(
            inside[:, column], np.minimum(x[0, column] - left[:, column], right[:, column] - x[0, column]), 0
        )
        if half.sum() > best_sum:
            best, best_sum = column, float(half.sum())
    on = inside[:, best]
    sides = np.stack([best + 0.5 - left[:, best], right[:, best] - best - 0.5])
    near = on & (np.abs(sides[0] - sides[1]) < 0.02 * h + 0.05 * sides.sum(axis=0))
    axis = best + 0.5 + float(np.median((sides[1] - sides[0])[near])) / 2 if near.any() else best + 0.5
    sides = np.stack([axis - left[:, best], right[:, best] - axis])
    half = np.where(on, np.maximum(sides.min(axis=0), 0), 0.0)
    alike = on & (np.abs(sides[0] - sides[1]) < 0.015 * h + 0.05 * sides.sum(axis=0))
    steady = alike & ~_grown_together(inside, axis, sides, half)
    area = inside.sum(axis=1)
    off = float(area[rows][~on[rows]].sum() / area.sum())
    return Core(axis, half, alike, steady, float(2 * half.sum() / area.sum()), off)


def _grown_together(inside: Bool, axis: float, sides: F64, half: F64) -> Bool:
    """(h,) bool, rows that are wide because something beside the body (a handle, a spout) joins it there.

    The row before has the body and, beyond a gap, what joins it; and the body goes on narrower on the other side of the
    joint, else it is a foot or a lid on which posts stand.
    """
    h, w = inside.shape
    x: F64 = np.arange(w, dtype=np.float64) + 0.5 - axis
    found = np.zeros(h, np.bool_)
    for step in (1, -1):
        order = list(range(h))[::step]
        limit, since = math.inf, 0
        for at in range(1, h):
            row, before = order[at], order[at - 1]
            if limit == math.inf and 0 < half[before] < half[row] - 0.02 * w:
                own = (x > -sides[0, before] - 1) & (x < sides[1, before] + 1)
                if (inside[before] & ~own & (np.abs(x) <= half[row] + 1)).any():
                    limit, since = float(half[before]), at
            if half[row] <= limit < math.inf:
                if (half[order[at:]] > 0).sum() >= 0.1 * h:
                    found[order[since:at]] = True
                limit = math.inf
    return found


def _runs(inside: Bool) -> tuple[F64, F64]:
    """For every pixel the left and right edge of the run of its row that it lies in; meaningless outside."""
    h, w = inside.shape
    number = np.broadcast_to(np.arange(w, dtype=np.float64), (h, w))
    left = np.maximum.accumulate(np.where(inside, -np.inf, number + 1), axis=1)
    right = np.minimum.accumulate(np.where(inside, np.inf, number)[:, ::-1], axis=1)[:, ::-1]
    return np.maximum(left, 0), np.minimum(right, w)


def settled_profile(core: Core) -> F64:
    """(h,) half widths; where the two sides differ (a handle, a spout), what the rows above and below let expect."""
    half = core.half.copy()
    rows = np.arange(len(half))
    known = core.steady | (half == 0)
    if core.steady.any() and not known.all():
        half = np.minimum(half, np.interp(rows, rows[known], half[known]))
    return half


def turned_within(half: F64, pitch: float) -> F64:
    """The widest circles around a tilted axis that stay within a symmetric outline.

    A circle of radius r whose axis leans towards the eye by ``pitch`` is seen as an ellipse r·sin(pitch) high.

    Args:
        half: (h,) half widths of the outline by row.
        pitch: In radians, 0..π/3.

    Returns:
        (h,) radius of the circle whose centre is seen in each row; 0 where none fits.
    """
    h, flat = len(half), math.sin(pitch)
    if flat < 1e-3:
        return half.copy()
    radius = half.copy()
    framed = np.concatenate([np.zeros(h), half, np.zeros(h)])
    rows = np.arange(h)
    # At a distance d from its centre an ellipse must not be wider than half(y + d): r² ≤ half² + (d / flat)²,
    # for as long as it reaches so far (r·flat > d).
    for d in range(1, int(half.max() * flat) + 2):
        for sign in (-1, 1):
            there = framed[rows + h + sign * d]
            bound = np.sqrt(there**2 + (d / flat) ** 2)
            radius = np.where(radius * flat > d, np.minimum(radius, bound), radius)
    return np.where(half > 0, radius, 0.0)


def outline_of(radius: F64, pitch: float) -> F64:
    """(h,) half widths of the outline of circles around a tilted axis: the inverse of :func:`turned_within`."""
    h, flat = len(radius), math.sin(pitch)
    seen = radius.copy()
    if flat < 1e-3:
        return seen
    framed = np.concatenate([np.zeros(h), radius, np.zeros(h)])
    rows = np.arange(h)
    for d in range(1, int(radius.max() * flat) + 2):
        for sign in (-1, 1):
            there = framed[rows + h + sign * d]
            seen = np.maximum(seen, np.sqrt(np.maximum(there**2 - (d / flat) ** 2, 0)))
    return seen


def pitch_of(half: F64, *, loss: float, steepest: float) -> float:
    """How far an axis can lean towards the eye before circles around it no longer fill the outline.

    Args:
        half: (h,) half widths.
        loss: Share of the outline's area that may stay empty.
        steepest: No more than this, in radians.
    """
    pitch, area = 0.0, float(half.sum())
    for degrees in range(1, int(math.degrees(steepest)) + 1):
        angle = math.radians(degrees)
        if 1 - float(outline_of(turned_within(half, angle), angle).sum()) / area > loss:
            break
        pitch = angle
    return pitch


def lathe(radius: F64, height: F64) -> Closed:
    """The closed surface of circles about the y axis.

    Args:
        radius: (n,) greater than 0, from top to bottom.
        height: (n,) y of each circle, growing.

    Returns:
        With y pointing down; the ends are closed by flat discs.
    """
    n = len(radius)
    turn = np.arange(_AROUND) * (2 * math.pi / _AROUND)
    circle = np.stack([np.cos(turn), np.zeros(_AROUND), np.sin(turn)], axis=1)
    rings = radius[:, None, None] * circle + height[:, None, None] * np.array([0.0, 1.0, 0.0])
    ends = np.array([[0, height[0], 0], [0, height[-1], 0]])
    i = np.arange(n - 1)[:, None] * _AROUND
    a = np.arange(_AROUND)[None, :]
    b = (a + 1) % _AROUND
    upper, lower = i, i + _AROUND
    walls = [
        np.stack([upper + a, lower + a, upper + b], axis=-1).reshape(-1, 3),
        np.stack([upper + b, lower + a, lower + b], axis=-1).reshape(-1, 3),
    ]
    a, b = a.ravel(), b.ravel()
    top, bottom = np.full(_AROUND, n * _AROUND), np.full(_AROUND, n * _AROUND + 1)
    last = (n - 1) * _AROUND
    caps = [np.stack([top, a, b], axis=1), np.stack([bottom, last + b, last + a], axis=1)]
    faces: U32 = np.concatenate([*walls, *caps]).astype(np.uint32)
    return Closed(np.concatenate([rings.reshape(-1, 3), ends]), faces)


def arc_below(inside: Bool, axis: float) -> tuple[float, float, float]:
    """How far the lower edge of an outline sags in the middle as the rim of a round base does.

    Args:
        inside: (h, w).
        axis: Of its symmetry, in pixels.

    Returns:
        The sag of the ellipse that fits best and the root mean square of what is left, in pixels, and the lean of the
        axis that it tells, in radians.
    """
    h, w = inside.shape
    column = np.clip(int(axis), 0, w - 1)
    lowest = h - 1 - inside[::-1].argmax(axis=0).astype(np.float64)
    lowest[~inside.any(axis=0)] = 0
    # The base goes as far as the edge falls away slowly.
    near = np.abs(lowest - lowest[column]) < 0.04 * h
    reach = 0
    while column - reach >= 0 and column + reach < w and near[column - reach] and near[column + reach]:
        reach += 1
    if reach < 6:
        return 0.0, math.inf, 0.0
    x: F64 = np.arange(w, dtype=np.float64) + 0.5 - axis
    on = np.abs(x) < 0.85 * reach
    ellipse = np.sqrt(np.maximum(1 - (x[on] / reach) ** 2, 0))
    basis = np.stack([ellipse, np.ones_like(ellipse), x[on]], axis=1)
    weights: F64 = np.asarray(np.linalg.pinv(basis) @ lowest[on], np.float64)
    left: F64 = lowest[on] - np.asarray(basis @ weights, np.float64)
    pitch = math.asin(min(max(float(weights[0]) / reach, 0.0), 1.0))
    return float(weights[0] * np.ptp(ellipse)), float(np.sqrt((left**2).mean())), pitch
