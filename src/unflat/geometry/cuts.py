"""Where the sides of a triangle cross a cut, and how a surface ends there.

Whatever is computed for a side depends on that side alone, so the triangles on both sides of it agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from unflat.geometry.edges import CUT_DOWN, CUT_FALL, CUT_RIGHT, CUT_RISE
from unflat.types.arrays import F32, U8, Bool

STEP_Y = np.array([0, 1, 1, 1, 0, -1, -1, -1], np.int64)
STEP_X = np.array([1, 0, 1, -1, -1, 0, -1, 1], np.int64)
_BIT = np.array([CUT_RIGHT, CUT_DOWN, CUT_FALL, CUT_RISE], np.uint8)
_DIRECTION = np.array([[6, 5, 7], [4, -1, 0], [3, 1, 2]], np.int64)

COMPLEX = 4
"""A triangle that no single straight cut divides."""


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


@njit(cache=True)
def is_cut(cuts, y, x, k):
    """True if the step in direction ``k`` from (y, x) crosses a cut or leaves the lattice."""
    v, u = y + STEP_Y[k], x + STEP_X[k]
    if v < 0 or u < 0 or v >= cuts.shape[0] or u >= cuts.shape[1]:
        return True
    if k < 4:
        return cuts[y, x] & _BIT[k] != 0
    return cuts[v, u] & _BIT[k - 4] != 0


@njit(cache=True)
def direction(a, b):
    """The direction of the straight side from a to b, and how many steps it has."""
    dy, dx = b[0] - a[0], b[1] - a[1]
    sy, sx = int(dy > 0) - int(dy < 0), int(dx > 0) - int(dx < 0)
    return _DIRECTION[sy + 1, sx + 1], max(abs(dy), abs(dx))


@njit(cache=True)
def crossings(cuts, a, b):
    """Walk from lattice point a to b: how many cuts are crossed (2 is many), and before which step the first."""
    k, steps = direction(a, b)
    found, first = 0, -1
    y, x = a
    for i in range(steps):
        if is_cut(cuts, y, x, k):
            if found:
                return 2, first
            found, first = 1, i
        y += STEP_Y[k]
        x += STEP_X[k]
    return found, first


@njit(cache=True)
def rim(lattice, a, b):
    """How the surface of corner a ends on the side towards b: pixel (y, x), direction k, and inverse depth there.

    The surface goes on straight for half a step from its last pixel: with the smaller of its last two slopes,
    none where they disagree, at most out to infinity and at most half as much again towards the eye.
    """
    d, cuts = lattice.inverse, lattice.cuts
    k, _ = direction(a, b)
    steps = crossings(cuts, a, b)[1]
    y, x = a[0] + steps * STEP_Y[k], a[1] + steps * STEP_X[k]
    back = (k + 4) % 8
    slope = 0.0
    if not is_cut(cuts, y, x, back):
        v, u = y + STEP_Y[back], x + STEP_X[back]
        slope = float(d[y, x]) - float(d[v, u])
        if not is_cut(cuts, v, u, back):
            before = float(d[v, u]) - float(d[v + STEP_Y[back], u + STEP_X[back]])
            if slope * before <= 0:
                slope = 0.0
            elif abs(before) < abs(slope):
                slope = before
    here = float(d[y, x])
    return y, x, k, here + min(max(0.5 * slope, -here), 0.5 * here)


@njit(cache=True)
def pattern(cuts, triangle):
    """How cuts divide a triangle: which corner stands alone (0..2), -1 whole, 3 all alone, COMPLEX for the rest.

    The smallest triangles are never complex: what no cut divides entirely is whole.
    """
    ab = crossings(cuts, triangle[0], triangle[1])[0]
    bc = crossings(cuts, triangle[1], triangle[2])[0]
    ca = crossings(cuts, triangle[2], triangle[0])[0]
    small = max(abs(triangle[0][0] - triangle[1][0]), abs(triangle[0][1] - triangle[1][1])) == 1
    total = ab + bc + ca
    if max(ab, bc, ca) > 1:
        return COMPLEX
    if total == 3:
        return 3 if small else COMPLEX
    if total == 2:
        return 0 if bc == 0 else (1 if ca == 0 else 2)
    return -1 if total == 0 or small else COMPLEX
