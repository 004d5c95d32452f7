"""How badly a grid is missed by each triangle of a hierarchy of right triangles.

The hierarchy is the right-triangulated irregular network of Evans, Kirkpatrick and Townsend ("Right-triangulated
irregular networks", Algorithmica 30, 2001), laid without a root over a lattice of squares of side ``tile``: every
triangle is halved at the middle of its long side. A middle is either the middle of a square's side or the middle of
a square; both triangles that share the long side are halved together, so no crack can open.

The measure is the error of the inverse depth, which a planar triangle interpolates linearly over the picture.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unflat.geometry.cuts import STEP_X, STEP_Y, Grid, Lattice, pattern, rim
from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT, diagonal_cuts
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8, Bool

_REACH = 16
"""Longest side, in pixels along an axis, of a triangle that a cut may divide."""


def _continue(d: F32, on: Bool, cuts: U8, bit: int, first: int, last: int) -> None:
    """Continue every row of ``d`` and ``on`` beyond the columns ``first`` … ``last``, in place.

    By odd reflection, as far as the surface at the border goes uncut.
    """
    rows = np.arange(len(d))
    for end, sign in ((first, -1), (last, 1)):
        reach, inner_end = np.zeros(len(d), np.int64), last if sign < 0 else first
        room = end if sign < 0 else d.shape[1] - 1 - end
        border = 2 * d[:, end]
        for k in range(1, room + 1):
            at = end - sign * k
            if (inner_end - at) * sign <= 0:
                uncut = cuts[:, min(at, at + sign)] & bit == 0
                reach[(reach == k - 1) & on[:, at] & uncut] = k
            d[:, end + sign * k] = border - d[rows, end - sign * reach]
            on[:, end + sign * k] = on[:, end]


def pad_to_lattice(inverse: F32, on: Bool, cuts: U8, tile: int) -> Lattice:
    """Continue a grid beyond its borders: one pixel left and above, up to a whole tile right and below.

    The inverse depth is continued by odd reflection, which continues a plane as itself and bends nothing more
    than it is bent inside; outlines leave the picture at a right angle.

    Args:
        inverse: (h, w) inverse depth, h and w at least 2.
        on: (h, w) where there is a surface.
        cuts: (h, w) bits of :func:`unflat.geometry.edges.find_cuts`.
        tile: Side of the largest square, a power of two.
    """
    h, w = inverse.shape
    shape = (h + 1) + (-(h + 1)) % tile + 1, (w + 1) + (-(w + 1)) % tile + 1
    d, exists, full = np.zeros(shape, np.float32), np.zeros(shape, np.bool_), np.zeros(shape, np.uint8)
    inside = np.s_[1 : h + 1, 1 : w + 1]
    d[inside], exists[inside], full[inside] = inverse, on, cuts & (CUT_RIGHT | CUT_DOWN)
    full[:, :1], full[:, w + 1 :] = full[:, 1:2] & CUT_DOWN, full[:, w : w + 1] & CUT_DOWN
    _continue(d, exists, full, CUT_RIGHT, 1, w)
    full[:1], full[h + 1 :] = full[1:2] & CUT_RIGHT, full[h : h + 1] & CUT_RIGHT
    _continue(d.T, exists.T, full.T, CUT_DOWN, 1, h)
    diagonal_cuts(exists, full)
    return Lattice(d, exists, full, (h, w))


_PLANES = np.array([[7, 0, 3, 4], [8, 5, 2, 1], [9, 5, 2, 6], [7, 0, 1, 2]], np.int64)
_LINES = np.array([[10, 3, 4, 0], [11, 5, 2, 1]], np.int64)


@inner
def _plane(work, rows):
    """Write to the first of ``rows`` the plane through the other three (y, x, value).

    A plane is its value at the origin and its slopes along y and x.
    """
    row, i, j, k = rows[0], rows[1], rows[2], rows[3]
    ay, ax, by, bx = work[j, 0] - work[i, 0], work[j, 1] - work[i, 1], work[k, 0] - work[i, 0], work[k, 1] - work[i, 1]
    area = ay * bx - ax * by
    along_y, along_x = 0.0, 0.0
    if area != 0:
        u, v = (work[j, 2] - work[i, 2]) / area, (work[k, 2] - work[i, 2]) / area
        along_y, along_x = u * bx - v * ax, v * ay - u * by
    work[row, 0] = work[i, 2] - along_y * work[i, 0] - along_x * work[i, 1]
    work[row, 1] = along_y
    work[row, 2] = along_x


@inner
def _line(work, rows):
    """Write to the first of ``rows`` the signed distance from the line through the next two, as a plane.

    It is positive where the last one is.
    """
    row, i, j, k = rows[0], rows[1], rows[2], rows[3]
    dy, dx = work[j, 0] - work[i, 0], work[j, 1] - work[i, 1]
    length = np.sqrt(dy * dy + dx * dx)
    length = 1e-9 if length < 1e-9 else length
    if dy * (work[k, 1] - work[i, 1]) - dx * (work[k, 0] - work[i, 0]) < 0:
        length = -length
    work[row, 0] = (dx * work[i, 0] - dy * work[i, 1]) / length
    work[row, 1] = -dx / length
    work[row, 2] = dy / length


@inner
def _at(work, row, y, x):
    return work[row, 0] + work[row, 1] * y + work[row, 2] * x


@inner
def _pieces(grid, t, lone, work):
    """Write what a triangle t = (y, x) × 3 with corner ``lone`` alone consists of.

    Rows 7 to 9 of ``work`` become the planes of its own and of the two on the other side, 10 and 11 the lines between
    them. A whole triangle (``lone`` = -1) is all on its own side.
    """
    first = 0 if lone < 0 else lone
    for i in range(3):
        at = first + i if first + i < 3 else first + i - 3
        y, x = t[2 * at], t[2 * at + 1]
        work[i, 0] = y
        work[i, 1] = x
        work[i, 2] = grid.inverse[y, x]
    if lone < 0:
        _plane(work, _PLANES[3])
        work[10, 0] = 1e9
        work[10, 1] = 0.0
        work[10, 2] = 0.0
        return
    for i in range(4):
        one, two = (0 if i < 2 else i - 1), (i + 1 if i < 2 else 0)
        a, b = first + one if first + one < 3 else first + one - 3, first + two if first + two < 3 else first + two - 3
        y, x, k, value = rim(grid, t[2 * a], t[2 * a + 1], t[2 * b], t[2 * b + 1])
        work[3 + i, 0] = y + 0.5 * STEP_Y[k]
        work[3 + i, 1] = x + 0.5 * STEP_X[k]
        work[3 + i, 2] = value
    for i in range(3):
        _plane(work, _PLANES[i])
    for i in range(2):
        _line(work, _LINES[i])


@inner
def _miss(d, there, value, on, middle):
    """How far a pixel is missed by a value on a side that has a surface (``on``) or none."""
    if there != on:
        return np.inf
    size = abs(d)
    return abs(d - value) / (middle if size < middle else size) if on else 0.0


@inner
def _measure(grid, t, size, bounds, work):
    """The largest miss of one triangle t = (y, x) × 3 over all its pixels, however it is cut; inf from ``enough`` on.

    Within ``slack`` pixels of the cut a pixel may belong to either side: so stairs become straight outlines.
    ``bounds`` are the middle inverse depth, ``slack`` and ``enough``.
    """
    lone = pattern(grid.cuts, t)
    if lone >= 3:
        return np.inf
    _pieces(grid, t, lone, work)
    first = 0 if lone < 0 else lone
    second = first + 1 if first < 2 else 0
    here, beyond = grid.on[t[2 * first], t[2 * first + 1]], grid.on[t[2 * second], t[2 * second + 1]]
    top, left, bottom, right = size[0], size[1], np.int64(1), np.int64(1)
    for i in range(0, 6, 2):
        top, bottom = (t[i] if t[i] < top else top), (t[i] if t[i] > bottom else bottom)
        left, right = (t[i + 1] if t[i + 1] < left else left), (t[i + 1] if t[i + 1] > right else right)
    ay, ax, uy, ux, vy, vx = t[0], t[1], t[2] - t[0], t[3] - t[1], t[4] - t[0], t[5] - t[1]
    area = uy * vx - ux * vy
    own, other_side, outline, diagonal = np.int64(7), np.int64(8), np.int64(10), np.int64(11)
    worst = 0.0
    for y in range(top if top > 1 else 1, (bottom if bottom < size[0] else size[0]) + 1):
        for x in range(left if left > 1 else 1, (right if right < size[1] else size[1]) + 1):
            p, q = ((y - ay) * vx - (x - ax) * vy) * area, (uy * (x - ax) - ux * (y - ay)) * area
            if p < 0 or q < 0 or p + q > area * area:
                continue
            d, there = float(grid.inverse[y, x]), grid.on[y, x]
            off, miss = _at(work, outline, y, x), np.inf
            if off > -bounds[1]:
                miss = _miss(d, there, _at(work, own, y, x), here, bounds[0])
            if off < bounds[1]:
                value = _at(work, other_side if _at(work, diagonal, y, x) >= 0 else other_side + 1, y, x)
                other = _miss(d, there, value, beyond, bounds[0])
                miss = other if other < miss else miss
            worst = miss if miss > worst else worst
            if worst > bounds[2]:
                return np.inf
    return worst


@inner
def _is_crossed(cuts, y, x):
    """True if a cut crosses one of the four smallest triangles whose right angles meet in the middle (y, x)."""
    if cuts[y, x] & (CUT_RIGHT | CUT_DOWN) != 0:
        return True
    return (x > 0 and cuts[y, x - 1] & CUT_RIGHT != 0) or (y > 0 and cuts[y - 1, x] & CUT_DOWN != 0)


class _Pyramid(NamedTuple):
    """What is known of each middle: bound, largest weight inside, whether a cut runs through; all (H, W)."""

    worst: F32
    weight: F32
    crossed: Bool


@kernel
def _middles(grid, pyramid, level, squares, size, bounds, room):
    """Set the bounds of one level, its step ``s`` two to the power ``level``, from those of the level below.

    Middles of squares of side 2 ``s`` (both coordinates odd multiples of ``s``), or else of squares' sides: one
    coordinate an odd, the other an even multiple of ``s``.
    """
    worst, weight, crossed = pyramid
    inverse = grid.inverse
    h, w = worst.shape
    work, t = room
    s = 1 << level
    near = s if squares else s >> 1
    for y in range(s if squares else 0, h, 2 * s if squares else s):
        odd_row = (y >> level) & 1
        for x in range(s if squares or not odd_row else 0, w, 2 * s):
            e, g, cut = np.float32(0), weight[y, x], False
            if squares or s > 1:
                for child in range(4):
                    way = (child & 1) + (4 if child > 1 else 0) + (0 if squares else 2)
                    v, u = y + STEP_Y[way] * near, x + STEP_X[way] * near
                    if 0 <= v < h and 0 <= u < w:
                        e = worst[v, u] if worst[v, u] > e else e
                        g = weight[v, u] if weight[v, u] > g else g
                        cut |= crossed[v, u]
            else:
                cut = _is_crossed(grid.cuts, y, x)
            if squares:
                p = s
                q = -s if ((y + s) ^ (x + s)) >> (level + 1) & 1 else s
            else:
                p, q = (s if odd_row else 0), (0 if odd_row else s)
            weight[y, x] = g
            if not cut:
                across = (inverse[y - p, x - q] + inverse[y + p, x + q]) * np.float32(0.5)
                worst[y, x] = e + abs(inverse[y, x] - across) * g
                continue
            crossed[y, x] = True
            if 2 * s > bounds[3] or e > bounds[2]:
                worst[y, x] = np.inf
                continue
            t[0], t[1], t[2], t[3] = y - p, x - q, y + p, x + q
            for side in range(2):
                sign = 2 * side - 1
                t[4], t[5] = y + sign * (p if squares else q), x + sign * (-q if squares else p)
                if 0 <= t[4] < h and 0 <= t[5] < w:
                    miss = np.float32(_measure(grid, t, size, bounds, work))
                    e = miss if miss > e else e
            worst[y, x] = e


def error_pyramid(lattice: Lattice, middle: float, tile: int, slack: float, enough: float) -> F32:
    """Bound what is missed if a triangle is not halved at each lattice point.

    Where no cut runs, the bound of a triangle is its own miss at the middle of its long side plus the larger bound
    of its two halves (the two interpolants differ by a tent that is highest there), each weighted with the largest
    weight inside. A triangle that a cut divides is measured pixel by pixel. The bound grows from the smallest
    triangles to the largest, so halving wherever it exceeds a limit leaves no cracks.

    Args:
        lattice: The padded grid.
        middle: Inverse depth up to which errors are relative; below it they are measured against this value.
        tile: Side of the largest square.
        slack: How far, in pixels, an outline may be from the cut between the pixels.
        enough: Errors of divided triangles beyond this one are not told apart.

    Returns:
        (H, W) float32: bound of |error of 1/z| ÷ max(1/z, middle); inf where a triangle cannot do justice to a cut.
    """
    weight = (1 / np.maximum(np.abs(lattice.inverse), np.float32(middle))).astype(np.float32)
    worst = np.zeros(weight.shape, np.float32)
    grid = Grid(lattice.inverse, lattice.on, lattice.cuts)
    pyramid = _Pyramid(worst, weight, np.zeros(weight.shape, np.bool_))
    bounds = float(middle), float(slack), float(enough), float(_REACH)
    room = np.zeros((12, 3)), np.zeros(6, np.int64)
    for level in range(tile.bit_length() - 1):
        _middles(grid, pyramid, level, False, lattice.size, bounds, room)
        _middles(grid, pyramid, level, True, lattice.size, bounds, room)
    return worst
