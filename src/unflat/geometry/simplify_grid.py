"""How badly a grid is missed by each triangle of a hierarchy of right triangles.

The hierarchy is the right-triangulated irregular network of Evans, Kirkpatrick and Townsend ("Right-triangulated
irregular networks", Algorithmica 30, 2001), laid without a root over a lattice of squares of side ``tile``: every
triangle is halved at the middle of its long side. A middle is either the middle of a square's side or the middle of
a square; both triangles that share the long side are halved together, so no crack can open.

The measure is the error of the inverse depth, which a planar triangle interpolates linearly over the picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT, diagonal_cuts
from unflat.types.arrays import F32, U8, Bool


class Lattice(NamedTuple):
    """A padded grid: pixel (y, x) stands at lattice row y + 1, column x + 1.

    Attributes:
        inverse: (H, W) float32 inverse depth; 0 without surface. Both sides are a multiple of the tile plus one.
        on: (H, W) bool, True where there is a surface.
        cuts: (H, W) uint8, the bits of :mod:`unflat.geometry.edges`.
        size: (height, width) of the picture inside.
    """

    inverse: F32
    on: Bool
    cuts: U8
    size: tuple[int, int]


def pad_to_lattice(inverse: F32, on: Bool, cuts: U8, tile: int) -> Lattice:
    """Continue a grid beyond its borders: one pixel left and above, up to a whole tile right and below.

    The inverse depth is continued by odd reflection, which continues a plane as itself and bends nothing more
    than it is bent inside; the surface and its cuts are mirrored.

    Args:
        inverse: (h, w) inverse depth, h and w at least 2.
        on: (h, w) where there is a surface.
        cuts: (h, w) bits of :func:`unflat.geometry.edges.find_cuts`.
        tile: Side of the largest square, a power of two.
    """
    h, w = inverse.shape
    below, right = (-(h + 1)) % tile + 1, (-(w + 1)) % tile + 1
    around = ((1, below), (1, right))
    padded = np.pad(inverse, around, mode="reflect", reflect_type="odd")
    on_padded = np.pad(on, around, mode="reflect")
    padded[~on_padded] = 0

    def mirrored(bit: int, down: bool, along: bool) -> U8:
        part = cuts[: h - 1 if down else h, : w - 1 if along else w] & np.uint8(bit)
        part = np.pad(part, (around[0], (0, 0)), mode="symmetric" if down else "reflect")
        return np.pad(part, ((0, 0), around[1]), mode="symmetric" if along else "reflect")

    full = np.zeros(padded.shape, np.uint8)
    full[:, :-1] |= mirrored(CUT_RIGHT, False, True)
    full[:-1, :] |= mirrored(CUT_DOWN, True, False)
    diagonal_cuts(on_padded, full)
    return Lattice(np.ascontiguousarray(padded), on_padded, full, (h, w))


@njit(cache=True)
def _is_crossed(cuts, y, x):
    """True if a cut crosses one of the four smallest triangles whose right angles meet in the middle (y, x)."""
    if cuts[y, x] & (CUT_RIGHT | CUT_DOWN):
        return True
    return (x > 0 and cuts[y, x - 1] & CUT_RIGHT != 0) or (y > 0 and cuts[y - 1, x] & CUT_DOWN != 0)


@njit(cache=True)
def _side_middles(inverse, cuts, worst, weight, s):
    """Middles of squares' sides at step ``s``: one coordinate an odd, the other an even multiple of ``s``."""
    h, w = inverse.shape
    half = s // 2
    for y in range(0, h, s):
        odd_row = (y // s) & 1
        for x in range(0 if odd_row else s, w, 2 * s):
            if odd_row:
                miss = abs(inverse[y, x] - (inverse[y - s, x] + inverse[y + s, x]) / 2)
            else:
                miss = abs(inverse[y, x] - (inverse[y, x - s] + inverse[y, x + s]) / 2)
            e, g = np.float32(0), weight[y, x]
            if s == 1:
                if _is_crossed(cuts, y, x):
                    e = np.float32(np.inf)
            else:
                for dy in (-half, half):
                    for dx in (-half, half):
                        if 0 <= y + dy < h and 0 <= x + dx < w:
                            e = max(e, worst[y + dy, x + dx])
                            g = max(g, weight[y + dy, x + dx])
            weight[y, x] = g
            worst[y, x] = e + miss * g


@njit(cache=True)
def _square_middles(inverse, worst, weight, s):
    """Middles of squares of side 2 ``s``: both coordinates odd multiples of ``s``."""
    h, w = inverse.shape
    for y in range(s, h, 2 * s):
        for x in range(s, w, 2 * s):
            if (((y + s) // (2 * s)) & 1) == (((x + s) // (2 * s)) & 1):
                chord = (inverse[y - s, x - s] + inverse[y + s, x + s]) / 2
            else:
                chord = (inverse[y - s, x + s] + inverse[y + s, x - s]) / 2
            e = max(worst[y - s, x], worst[y + s, x], worst[y, x - s], worst[y, x + s])
            g = max(weight[y, x], weight[y - s, x], weight[y + s, x], weight[y, x - s], weight[y, x + s])
            weight[y, x] = g
            worst[y, x] = e + abs(inverse[y, x] - chord) * g


def error_pyramid(lattice: Lattice, middle: float, tile: int) -> F32:
    """Bound what is missed if a triangle is not halved at each lattice point.

    The bound of a triangle is its own miss at the middle of its long side plus the larger bound of its two halves
    (the two interpolants differ by a tent that is highest there), each weighted with the largest weight inside.
    It grows from the smallest triangles to the largest, so halving wherever it exceeds a limit leaves no cracks.

    Args:
        lattice: The padded grid.
        middle: Inverse depth up to which errors are relative; below it they are measured against this value.
        tile: Side of the largest square.

    Returns:
        (H, W) float32: bound of |error of 1/z| ÷ max(1/z, middle); inf where a cut runs through.
    """
    inverse = lattice.inverse
    weight = (1 / np.maximum(np.abs(inverse), np.float32(middle))).astype(np.float32)
    worst = np.zeros(inverse.shape, np.float32)
    step = 1
    while step < tile:
        _side_middles(inverse, lattice.cuts, worst, weight, step)
        _square_middles(inverse, worst, weight, step)
        step *= 2
    return worst
