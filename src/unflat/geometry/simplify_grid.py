"""How badly a grid is missed by each triangle of a hierarchy of right triangles.

The hierarchy is the right-triangulated irregular network of Evans, Kirkpatrick and Townsend ("Right-triangulated
irregular networks", Algorithmica 30, 2001), laid without a root over a lattice of squares of side ``tile``: every
triangle is halved at the middle of its long side. A middle is either the middle of a square's side or the middle of
a square; both triangles that share the long side are halved together, so no crack can open.

The measure is the error of the inverse depth, which a planar triangle interpolates linearly over the picture.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unflat.geometry.cuts import STEP_X, STEP_Y, Lattice, pattern, rim
from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT, diagonal_cuts
from unflat.types.arrays import F32, U8, Bool

_REACH = 16
"""Longest side, in pixels along an axis, of a triangle that a cut may divide."""


@njit(cache=True)
def _continue(d, on, cuts, bit, first, last):
    """Continue every row of ``d`` and ``on`` beyond the columns ``first`` … ``last``, in place.

    By odd reflection, as far as the surface at the border goes uncut.
    """
    h, w = d.shape
    for y in range(h):
        for end, sign in ((first, -1), (last, 1)):
            reach = 0
            for k in range(1, (end if sign < 0 else w - 1 - end) + 1):
                inner = end - sign * k
                open_to = reach == k - 1 and first <= inner <= last and on[y, inner]
                if open_to and cuts[y, min(inner, inner + sign)] & bit == 0:
                    reach = k
                d[y, end + sign * k] = 2 * d[y, end] - d[y, end - sign * reach]
                on[y, end + sign * k] = on[y, end]


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


@njit(cache=True)
def _is_crossed(cuts, y, x):
    """True if a cut crosses one of the four smallest triangles whose right angles meet in the middle (y, x)."""
    if cuts[y, x] & (CUT_RIGHT | CUT_DOWN):
        return True
    return (x > 0 and cuts[y, x - 1] & CUT_RIGHT != 0) or (y > 0 and cuts[y - 1, x] & CUT_DOWN != 0)


@njit(cache=True)
def _plane(p, q, r):
    """The plane through three points (y, x, value) as (value at the origin, slope along y, slope along x)."""
    ay, ax, by, bx = q[0] - p[0], q[1] - p[1], r[0] - p[0], r[1] - p[1]
    area = ay * bx - ax * by
    if area == 0:
        return p[2], 0.0, 0.0
    u, v = (q[2] - p[2]) / area, (r[2] - p[2]) / area
    along_y, along_x = u * bx - v * ax, v * ay - u * by
    return p[2] - along_y * p[0] - along_x * p[1], along_y, along_x


@njit(cache=True)
def _line(p, q, inside):
    """Signed distance from the line through p and q, positive where ``inside`` is, in the form of a plane."""
    dy, dx = q[0] - p[0], q[1] - p[1]
    length = max(np.sqrt(dy**2 + dx**2), 1e-9)
    if dy * (inside[1] - p[1]) - dx * (inside[0] - p[0]) < 0:
        length = -length
    return (dx * p[0] - dy * p[1]) / length, -dx / length, dy / length


@njit(cache=True)
def _at(plane, y, x):
    return plane[0] + plane[1] * y + plane[2] * x


@njit(cache=True)
def _ending(lattice, a, b):
    """The rim of a's surface towards b as (y, x, inverse depth)."""
    y, x, k, value = rim(lattice, a, b)
    return y + 0.5 * STEP_Y[k], x + 0.5 * STEP_X[k], value


@njit(cache=True)
def _point(lattice, p):
    return float(p[0]), float(p[1]), float(lattice.inverse[p])


@njit(cache=True)
def _pieces(lattice, triangle, lone):
    """A triangle with corner ``lone`` alone as planes: its own, the other side's two, and the lines between them.

    A whole triangle (``lone`` = -1) is all on its own side.
    """
    a, b, c = triangle[lone % 3], triangle[(lone + 1) % 3], triangle[(lone + 2) % 3]
    pa, pb, pc = _point(lattice, a), _point(lattice, b), _point(lattice, c)
    if lone < 0:
        own, everywhere = _plane(pa, pb, pc), (1e9, 0.0, 0.0)
        return own, own, own, everywhere, everywhere
    ab, ac = _ending(lattice, a, b), _ending(lattice, a, c)
    ba, ca = _ending(lattice, b, a), _ending(lattice, c, a)
    return _plane(pa, ab, ac), _plane(ba, pc, pb), _plane(ba, pc, ca), _line(ab, ac, pa), _line(ba, pc, pb)


@njit(cache=True)
def _miss(d, there, value, on, middle):
    """How far a pixel is missed by a value on a side that has a surface (``on``) or none."""
    if there != on:
        return np.inf
    return abs(d - value) / max(abs(d), middle) if on else 0.0


@njit(cache=True)
def _measure(lattice, triangle, sizes, enough):
    """The largest miss of one triangle over all its pixels, however it is cut; inf from ``enough`` on.

    Within ``slack`` pixels of the cut a pixel may belong to either side: so stairs become straight outlines.
    """
    lone = pattern(lattice.cuts, triangle)
    if lone >= 3:
        return np.inf
    middle, slack = sizes
    a, b, c = triangle
    own, second, third, outline, diagonal = _pieces(lattice, triangle, lone)
    here, beyond = lattice.on[triangle[lone % 3]], lattice.on[triangle[(lone + 1) % 3]]
    h, w = lattice.size
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    worst = 0.0
    for y in range(max(min(a[0], b[0], c[0]), 1), min(max(a[0], b[0], c[0]), h) + 1):
        for x in range(max(min(a[1], b[1], c[1]), 1), min(max(a[1], b[1], c[1]), w) + 1):
            s = ((y - a[0]) * (c[1] - a[1]) - (x - a[1]) * (c[0] - a[0])) * area
            t = ((b[0] - a[0]) * (x - a[1]) - (b[1] - a[1]) * (y - a[0])) * area
            if s < 0 or t < 0 or s + t > area * area:
                continue
            d, there = float(lattice.inverse[y, x]), lattice.on[y, x]
            off, miss = _at(outline, y, x), np.inf
            if off > -slack:
                miss = _miss(d, there, _at(own, y, x), here, middle)
            if off < slack:
                other = second if _at(diagonal, y, x) >= 0 else third
                miss = min(miss, _miss(d, there, _at(other, y, x), beyond, middle))
            worst = max(worst, miss)
            if worst > enough:
                return np.inf
    return worst


@njit(cache=True)
def _settle(grids, at, below, sizes, ends):
    """Set the bound of one middle whose triangles a cut runs through, from the two bounds ``below`` it."""
    lattice, worst, weight, crossed = grids
    a, b, left, right = ends
    h, w = worst.shape
    e, g = below
    if max(abs(a[0] - b[0]), abs(a[1] - b[1])) > sizes[3] or e > sizes[2]:
        e = np.float32(np.inf)
    else:
        for apex in (left, right):
            if 0 <= apex[0] < h and 0 <= apex[1] < w:
                e = max(e, np.float32(_measure(lattice, (a, b, apex), sizes[:2], sizes[2])))
    worst[at], weight[at], crossed[at] = e, max(g, weight[at]), True


@njit(cache=True)
def _side_middles(grids, s, sizes):
    """Middles of squares' sides at step ``s``: one coordinate an odd, the other an even multiple of ``s``."""
    lattice, worst, weight, crossed = grids
    inverse = lattice.inverse
    h, w = worst.shape
    half = s // 2
    for y in range(0, h, s):
        odd_row = (y // s) & 1
        for x in range(0 if odd_row else s, w, 2 * s):
            e, g, cut = np.float32(0), np.float32(0), False
            if s == 1:
                cut = _is_crossed(lattice.cuts, y, x)
            else:
                for dy in (-half, half):
                    for dx in (-half, half):
                        if 0 <= y + dy < h and 0 <= x + dx < w:
                            e = max(e, worst[y + dy, x + dx])
                            g = max(g, weight[y + dy, x + dx])
                            cut |= crossed[y + dy, x + dx]
            if not cut:
                across = inverse[y - s, x] + inverse[y + s, x] if odd_row else inverse[y, x - s] + inverse[y, x + s]
                g = max(g, weight[y, x])
                weight[y, x] = g
                worst[y, x] = e + abs(inverse[y, x] - across / 2) * g
                continue
            ends = (y - s, x), (y + s, x), (y, x - s), (y, x + s)
            if not odd_row:
                ends = ends[2], ends[3], ends[0], ends[1]
            _settle(grids, (y, x), (e, g), sizes, ends)


@njit(cache=True)
def _square_middles(grids, s, sizes):
    """Middles of squares of side 2 ``s``: both coordinates odd multiples of ``s``."""
    lattice, worst, weight, crossed = grids
    inverse = lattice.inverse
    h, w = worst.shape
    for y in range(s, h, 2 * s):
        for x in range(s, w, 2 * s):
            e = max(worst[y - s, x], worst[y + s, x], worst[y, x - s], worst[y, x + s])
            g = max(weight[y - s, x], weight[y + s, x], weight[y, x - s], weight[y, x + s])
            cut = crossed[y - s, x] | crossed[y + s, x] | crossed[y, x - s] | crossed[y, x + s]
            rising = (((y + s) // (2 * s)) & 1) != (((x + s) // (2 * s)) & 1)
            if not cut:
                one, two = inverse[y - s, x - s] + inverse[y + s, x + s], inverse[y - s, x + s] + inverse[y + s, x - s]
                g = max(g, weight[y, x])
                weight[y, x] = g
                worst[y, x] = e + abs(inverse[y, x] - (two if rising else one) / 2) * g
                continue
            ends = (y - s, x - s), (y + s, x + s), (y - s, x + s), (y + s, x - s)
            if rising:
                ends = ends[2], ends[3], ends[0], ends[1]
            _settle(grids, (y, x), (e, g), sizes, ends)


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
    grids = (lattice, worst, weight, np.zeros(weight.shape, np.bool_))
    sizes = (float(middle), float(slack), float(enough), float(_REACH))
    step = 1
    while step < tile:
        _side_middles(grids, step, sizes)
        _square_middles(grids, step, sizes)
        step *= 2
    return worst
