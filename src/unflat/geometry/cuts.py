"""Where the sides of a triangle cross a cut, and how a surface ends there.

Whatever is computed for a side depends on that side alone, so the triangles on both sides of it agree.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unflat.geometry.edges import CUT_DOWN, CUT_FALL, CUT_RIGHT, CUT_RISE
from unflat.geometry.jit import inner
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


class Grid(NamedTuple):
    """A lattice as the kernels take it; see there."""

    inverse: F32
    on: Bool
    cuts: U8


@inner
def is_cut(cuts, y, x, k):
    """True if the step in direction ``k`` from (y, x) crosses a cut or leaves the lattice."""
    v, u = y + STEP_Y[k], x + STEP_X[k]
    if v < 0 or u < 0 or v >= cuts.shape[0] or u >= cuts.shape[1]:
        return True
    bits = cuts[y, x] if k < 4 else cuts[v, u]
    return bits & _BIT[k & 3] != 0


@inner
def direction(ay, ax, by, bx):
    """The direction of the straight side from a to b."""
    sy = 1 if by > ay else (-1 if by < ay else 0)
    sx = 1 if bx > ax else (-1 if bx < ax else 0)
    return _DIRECTION[sy + 1, sx + 1]


@inner
def crossings(cuts, ay, ax, by, bx):
    """Walk from lattice point a to b: -1 if no cut is crossed, before which step the one is, -2 - step for the first.

    ``-2 - step`` stands for two or more, ``step`` (0 or more) for exactly one.
    """
    k = direction(ay, ax, by, bx)
    dy, dx = STEP_Y[k], STEP_X[k]
    y, x, i, first = ay, ax, 0, -1
    while y != by or x != bx:
        if is_cut(cuts, y, x, k):
            if first >= 0:
                return -2 - first
            first = i
        y += dy
        x += dx
        i += 1
    return first


@inner
def rim(grid, ay, ax, by, bx):
    """How the surface of corner a ends on the side towards b: pixel (y, x), direction k, and inverse depth there.

    The surface goes on straight for half a step from its last pixel: with the smaller of its last two slopes,
    none where they disagree, at most out to infinity and at most half as much again towards the eye.
    """
    d, cuts = grid.inverse, grid.cuts
    k = direction(ay, ax, by, bx)
    steps = crossings(cuts, ay, ax, by, bx)
    steps = -2 - steps if steps < -1 else steps
    y, x = ay + steps * STEP_Y[k], ax + steps * STEP_X[k]
    back = (k + 4) & 7
    here, slope = float(d[y, x]), 0.0
    if not is_cut(cuts, y, x, back):
        v, u = y + STEP_Y[back], x + STEP_X[back]
        slope = here - float(d[v, u])
        if not is_cut(cuts, v, u, back):
            before = float(d[v, u]) - float(d[v + STEP_Y[back], u + STEP_X[back]])
            if slope * before <= 0:
                slope = 0.0
            elif abs(before) < abs(slope):
                slope = before
    grown = 0.5 * slope
    grown = -here if grown < -here else grown
    return y, x, k, here + (0.5 * here if grown > 0.5 * here else grown)


@inner
def pattern(cuts, t):
    """How cuts divide a triangle (y, x) × 3: which corner stands alone (0..2), -1 whole, 3 all alone, COMPLEX the rest.

    The smallest triangles are never complex: what no cut divides entirely is whole.
    """
    ab = crossings(cuts, t[0], t[1], t[2], t[3])
    bc = crossings(cuts, t[2], t[3], t[4], t[5])
    ca = crossings(cuts, t[4], t[5], t[0], t[1])
    if ab < -1 or bc < -1 or ca < -1:
        return COMPLEX
    small = abs(t[0] - t[2]) <= 1 and abs(t[1] - t[3]) <= 1
    total = (ab >= 0) + (bc >= 0) + (ca >= 0)
    if total == 2:
        return 0 if bc < 0 else (1 if ca < 0 else 2)
    if total == 3 and small:
        return 3
    return -1 if total == 0 or small else COMPLEX
