"""Planes that keep to those around them: noise of single pixels goes, edges stay.

Every pixel looks at a grid of pixels around it that are of its grey. Of its own plane and some of theirs the one that
most of them lie on is taken (its own, unless hardly any do), and fitted to those by weighted least squares.
"""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import loose_inner, loose_kernel
from unflat.geometry.rig import Planes, Rig
from unflat.types.arrays import F32

HALF, STEP = 3, 3
"""The grid goes so many steps of so many pixels to each side."""
_SIDE = 2 * HALF + 1
_COUNT = _SIDE * _SIDE
_WITHIN = 1.0
"""Pixels of a match that a plane may be off and still count."""
_GREY = 12.0
"""Grey values by which those differ that belong to another thing, standard deviation."""
_OWN = 0.35
"""A pixel keeps to its own plane if this share of those who support the best support it."""


@loose_inner
def _support(around, count, a, b, c, over):
    """How much of what is around lies on a plane; around: (5, n) dx, dy, inverse depth, weight, share on the plane."""
    total = np.float32(0)
    for n in range(count):
        off = (around[2, n] - a - b * around[0, n] - c * around[1, n]) * over
        share = max(np.float32(1) - off * off, np.float32(0))
        around[4, n] = around[3, n] * share * share
        total += around[4, n]
    return total


@loose_inner
def _fitted(around, count, plane):
    """The plane through what has a share on it, by weighted least squares; False where there is too little for one."""
    s, sx, sy, sw = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for n in range(count):
        k = around[4, n]
        s += k
        sx += k * around[0, n]
        sy += k * around[1, n]
        sw += k * around[2, n]
    if s <= np.float32(1e-6):
        return False
    mx, my, mw = sx / s, sy / s, sw / s
    xx, yy, xy, xw, yw = np.float32(0), np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for n in range(count):
        k, x, y, w = around[4, n], around[0, n] - mx, around[1, n] - my, around[2, n] - mw
        xx += k * x * x
        yy += k * y * y
        xy += k * x * y
        xw += k * x * w
        yw += k * y * w
    slack = np.float32(2) * s
    xx += slack
    yy += slack
    det = xx * yy - xy * xy
    # slopes are held to those of the plane before as if by a few more pixels
    xw += slack * plane[1]
    yw += slack * plane[2]
    b, c = (xw * yy - yw * xy) / det, (yw * xx - xw * xy) / det
    plane[0], plane[1], plane[2] = mw - b * mx - c * my, b, c
    return True


@loose_inner
def _look_around(planes, grey, x, y, other, around, places):
    """What is around a pixel and of its grey, see :func:`_support`, and where; returns how much that is."""
    h, w = grey.shape
    count = 0
    for j in range(-HALF, HALF + 1):
        for i in range(-HALF, HALF + 1):
            u, v = x + i * STEP, y + j * STEP
            if u < 0 or u >= w or v < 0 or v >= h or planes[0, v, u] <= 0:
                continue
            off = (grey[v, u] - grey[y, x]) * other
            sure = max(np.float32(1.3) - planes[3, v, u], np.float32(0.05))
            weight = sure * sure * np.exp(-off * off)
            if weight < np.float32(1e-3):
                continue
            around[0, count], around[1, count] = np.float32(u - x), np.float32(v - y)
            around[2, count], around[3, count] = planes[0, v, u], weight
            places[count, 0], places[count, 1] = u, v
            count += 1
    return count


@loose_kernel
def _settle(planes, grey, numbers, out, start, stop):
    """One row after the other; planes, out: (4, h, w) inverse depth, gradient, and cost (in ``out``: support).

    numbers: pixels that a match moves per inverse depth, over those that it may be off; one over the grey values that
    make another thing.
    """
    around, plane = np.zeros((5, _COUNT), np.float32), np.zeros(3, np.float32)
    over = numbers[0]
    places = np.zeros((_COUNT, 2), np.int64)
    for y in range(start, stop):
        for x in range(grey.shape[1]):
            if planes[0, y, x] <= 0:
                continue
            count = _look_around(planes, grey, x, y, numbers[1], around, places)
            plane[0], plane[1], plane[2] = planes[0, y, x], planes[1, y, x], planes[2, y, x]
            best = _support(around, count, plane[0], plane[1], plane[2], over) / np.float32(_OWN)
            for k in range(0, count, 5):
                u, v = places[k, 0], places[k, 1]
                b, c = planes[1, v, u], planes[2, v, u]
                a = planes[0, v, u] - b * around[0, k] - c * around[1, k]
                found = _support(around, count, a, b, c, over)
                if found > best and a > 0:
                    best = found
                    plane[0], plane[1], plane[2] = a, b, c
            for _ in range(2):
                _support(around, count, plane[0], plane[1], plane[2], over)
                if not _fitted(around, count, plane):
                    break
            whole = np.float32(1e-6)
            for n in range(count):
                whole += around[3, n]
            out[0, y, x], out[1, y, x], out[2, y, x] = max(plane[0], np.float32(0)), plane[1], plane[2]
            out[3, y, x] = _support(around, count, plane[0], plane[1], plane[2], over) / whole


def settled(rig: Rig, planes: Planes) -> tuple[Planes, F32]:
    """Let every pixel's plane keep to those around it.

    Args:
        rig: The picture, and how far matches move.
        planes: Of its pixels.

    Returns:
        The planes, with the costs that they had; and (h, w) 0..1, how much of what is around a pixel lies on its plane.
    """
    now = np.concatenate([planes.inverse[None], planes.gradient, planes.cost[None]]).astype(np.float32)
    grey, out = np.ascontiguousarray(rig.grey, np.float32), np.zeros_like(now)
    numbers = np.array([rig.pixels_per_inverse / _WITHIN, 1 / (np.sqrt(2) * _GREY)], np.float32)
    in_bands(lambda start, stop: _settle(now, grey, numbers, out, start, stop), len(grey), 8)
    return Planes(out[0], out[1:3], planes.cost), out[3]
