"""Which side of an outline a pixel belongs to, decided by its likeness in colour to its neighbours: numba kernels.

Each neighbour votes for the near or the far surface of the pixel. Its vote counts by likeness in colour, by
closeness, and by how sure it is itself; on a ramp, half way between two surfaces, nobody has a voice. From the
outcome the same vote without colours is subtracted, so that a pixel changes sides only on the word of colour:
where both sides look alike an outline stays where it was.

After Ma, He, Wei, Sun, Wu, "Constant time weighted median filtering for stereo matching and beyond", ICCV 2013, with
two candidates instead of a histogram.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

_COLOUR_STEP = 16
"""Squared colour distances are looked up in steps of this size."""


def colour_weights(sigma: float, least: float):
    """Weight by squared distance in sRGB (0..195075) in steps of 16: (12193,) float32, never below ``least``."""
    squared = np.arange(3 * 255 * 255 // _COLOUR_STEP + 1, dtype=np.float64) * _COLOUR_STEP
    return (least + (1 - least) * np.exp(-squared / (2 * sigma * sigma))).astype(np.float32)


def space_weights(radius: int):
    """Weight by offset: (2 radius + 1, 2 radius + 1) float32, 0 in the middle."""
    offset = np.arange(-radius, radius + 1)
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    weights = np.exp(-squared / (2 * (0.6 * radius) ** 2)).astype(np.float32)
    weights[radius, radius] = 0
    return weights


@njit(cache=True)
def places(flags, height, width):
    """The pixels of a ``height`` × ``width`` grid whose place in the coarser ``flags`` is set.

    Pixel y belongs to the row floor(y · h / height) of the h rows of ``flags``; columns likewise.

    Returns:
        ys, xs: (n,) int32, ordered by the coarse pixels they lie in.
    """
    h, w = flags.shape
    room = 0
    for j in range(h):
        for i in range(w):
            room += flags[j, i] != 0
    room *= (height // h + 1) * (width // w + 1)
    ys, xs = np.empty(room, np.int32), np.empty(room, np.int32)
    n = 0
    for j in range(h):
        top, bottom = -(-j * height // h), -(-(j + 1) * height // h)
        for i in range(w):
            if flags[j, i]:
                left, right = -(-i * width // w), -(-(i + 1) * width // w)
                for y in range(top, bottom):
                    for x in range(left, right):
                        ys[n], xs[n] = y, x
                        n += 1
    return ys[:n].copy(), xs[:n].copy()


@njit(cache=True, inline="always")
def _pick(field, rows, columns, fy, fx, keep):
    """Bilinear value of the corners that lie within ``keep`` of the closest corner."""
    (y0, y1), (x0, x1) = rows, columns
    y, x = (y0 if fy < 0.5 else y1), (x0 if fx < 0.5 else x1)
    anchor = field[y, x]
    total, weight = 0.0, 0.0
    for j, wy in ((y0, 1 - fy), (y1, fy)):
        for i, wx in ((x0, 1 - fx), (x1, fx)):
            if abs(field[j, i] - anchor) <= keep:
                total += wy * wx * field[j, i]
                weight += wy * wx
    return total / weight if weight > 0 else anchor


@njit(cache=True, parallel=True)
def sides_at(near, far, ys, xs, height, width):
    """Near and far value at pixels of a finer grid, never mixed from two different surfaces.

    Args:
        near: (h, w) float32 on the coarse grid; ``far`` likewise.
        far: See above.
        ys: (n,) int32 rows on the grid of ``height`` × ``width``; ``xs`` likewise columns.
        xs: See above.
        height: Of the fine grid.
        width: Of the fine grid.

    Returns:
        (n,) float32 near and (n,) float32 far.
    """
    h, w = near.shape
    n = len(ys)
    near_at, far_at = np.empty(n, np.float32), np.empty(n, np.float32)
    for k in prange(n):
        y = min(max((ys[k] + 0.5) * h / height - 0.5, 0.0), h - 1.0)
        x = min(max((xs[k] + 0.5) * w / width - 0.5, 0.0), w - 1.0)
        y0, x0 = int(y), int(x)
        y1, x1 = min(y0 + 1, h - 1), min(x0 + 1, w - 1)
        upper = max(near[y0, x0] - far[y0, x0], near[y0, x1] - far[y0, x1])
        keep = 0.3 * max(upper, near[y1, x0] - far[y1, x0], near[y1, x1] - far[y1, x1])
        near_at[k] = _pick(near, (y0, y1), (x0, x1), y - y0, x - x0, keep)
        far_at[k] = _pick(far, (y0, y1), (x0, x1), y - y0, x - x0, keep)
    return near_at, far_at


@njit(cache=True, parallel=True)
def vote(v, guide, ys, xs, near_at, far_at, tables):
    """One round: how near (1) or far (0) each listed pixel is by the voices around it.

    Args:
        v: (h, w) float32 present values.
        guide: (h, w, 3) uint8 picture.
        ys: (n,) int32 rows; ``xs`` columns.
        xs: See above.
        near_at: (n,) float32 near value at each listed pixel; ``far_at`` likewise.
        far_at: See above.
        tables: (colour weights, space weights, how much the word of colour counts against the present side).

    Returns:
        (n,) float32 side in 0..1.
    """
    colour, space, power = tables
    h, w = v.shape
    r = space.shape[0] // 2
    n = len(ys)
    side = np.empty(n, np.float32)
    one, two = np.float32(1), np.float32(2)
    for k in prange(n):
        y, x = ys[k], xs[k]
        lo, apart = far_at[k], near_at[k] - far_at[k]
        if apart <= 0:
            side[k] = 0.5
            continue
        per = two / apart
        red, green, blue = np.int32(guide[y, x, 0]), np.int32(guide[y, x, 1]), np.int32(guide[y, x, 2])
        told, told_of, plain, plain_of = np.float32(0), np.float32(1e-6), np.float32(0), np.float32(1e-6)
        for j in range(max(y - r, 0), min(y + r + 1, h)):
            for i in range(max(x - r, 0), min(x + r + 1, w)):
                s = min(max(per * (v[j, i] - lo) - one, -one), one)
                a, b, c = guide[j, i, 0] - red, guide[j, i, 1] - green, guide[j, i, 2] - blue
                sure = space[j - y + r, i - x + r] * s * s
                alike = colour[(a * a + b * b + c * c) // _COLOUR_STEP] * sure
                plain += sure * s
                plain_of += sure
                told += alike * s
                told_of += alike
        own = min(max(per * (v[y, x] - lo) - one, -one), one)
        side[k] = 0.5 + 0.5 * min(max(own + power * (told / told_of - plain / plain_of), -one), one)
    return side


@njit(cache=True)
def settle_sides(v, ys, xs, near_at, far_at, side, gain):
    """Write the outcome of a round into ``v``: the side, steepened by ``gain`` (infinite: all or nothing)."""
    for k in range(len(ys)):
        apart = near_at[k] - far_at[k]
        if apart <= 0:
            continue
        if gain == np.inf:
            share = np.float32(1.0 if side[k] >= 0.5 else 0.0)
        else:
            share = min(max(0.5 + gain * (side[k] - 0.5), np.float32(0)), np.float32(1))
        v[ys[k], xs[k]] = far_at[k] + share * apart


@njit(cache=True)
def lonely(v, ys, xs, near_at, far_at):
    """Which listed pixels have at most one of their eight neighbours on their own side: (n,) bool."""
    h, w = v.shape
    out = np.zeros(len(ys), np.bool_)
    for k in range(len(ys)):
        y, x = ys[k], xs[k]
        middle = 0.5 * (near_at[k] + far_at[k])
        if near_at[k] <= far_at[k]:
            continue
        mine = v[y, x] >= middle
        same, other = 0, 0
        for j in range(max(y - 1, 0), min(y + 2, h)):
            for i in range(max(x - 1, 0), min(x + 2, w)):
                if j != y or i != x:
                    if (v[j, i] >= middle) == mine:
                        same += 1
                    else:
                        other += 1
        out[k] = same <= 1 and other > same
    return out


@njit(cache=True)
def flag_edges(v, ys, xs, near_at, far_at):
    """(h, w) uint8: 1 at and around every listed pixel that is undecided or beside a step of a third."""
    h, w = v.shape
    flags = np.zeros((h, w), np.uint8)
    for k in range(len(ys)):
        y, x = ys[k], xs[k]
        least = (near_at[k] - far_at[k]) / 3
        if least <= 0:
            continue
        step = far_at[k] + 0.3 * least < v[y, x] < near_at[k] - 0.3 * least
        for j in range(max(y - 1, 0), min(y + 2, h)):
            for i in range(max(x - 1, 0), min(x + 2, w)):
                step = step or abs(v[j, i] - v[y, x]) > least
        if step:
            for j in range(max(y - 1, 0), min(y + 2, h)):
                for i in range(max(x - 1, 0), min(x + 2, w)):
                    flags[j, i] = 1
    return flags


@njit(cache=True, parallel=True)
def colour_evidence(v, guide, ys, xs, near_at, far_at, radius):
    """How far apart the mean colours of both sides are around each listed pixel, in sRGB units: (n,) float32.

    -1 where only one side is in sight.
    """
    h, w = v.shape
    out = np.full(len(ys), np.float32(-1))
    for k in prange(len(ys)):
        y, x = ys[k], xs[k]
        middle = 0.5 * (near_at[k] + far_at[k])
        a, b, c, n = 0.0, 0.0, 0.0, 0
        d, e, f, m = 0.0, 0.0, 0.0, 0
        for j in range(max(y - radius, 0), min(y + radius + 1, h)):
            for i in range(max(x - radius, 0), min(x + radius + 1, w)):
                if v[j, i] >= middle:
                    a, b, c, n = a + guide[j, i, 0], b + guide[j, i, 1], c + guide[j, i, 2], n + 1
                else:
                    d, e, f, m = d + guide[j, i, 0], e + guide[j, i, 1], f + guide[j, i, 2], m + 1
        if n > 0 and m > 0:
            out[k] = np.sqrt((a / n - d / m) ** 2 + (b / n - e / m) ** 2 + (c / n - f / m) ** 2)
    return out
