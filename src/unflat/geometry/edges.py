"""Where one surface ends and another begins: the cuts between neighbouring pixels.

Everything happens in inverse depth, because the inverse depth of a plane is exactly linear in the pixel
coordinates. A jump between two pixels counts only as far as neither of the two sides, continued straight on,
explains it: a floor seen at a grazing angle, a crease and a slanted wall are therefore never cut, however steep.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unflat.types.arrays import F32, U8, Bool

CUT_RIGHT = 1
"""Bit: the pixel and its right neighbour are not the same surface."""
CUT_DOWN = 2
"""Bit: the pixel and the one below it are not the same surface."""
CUT_FALL = 4
"""Bit: the pixel and the one below and right of it are not connected within their 2×2 cell."""
CUT_RISE = 8
"""Bit: the pixel and the one below and left of it are not connected within their 2×2 cell."""


@njit(cache=True)
def _excess(d, on, y, x, dy, dx):
    """How much of the jump from (y, x) to (y+dy, x+dx) neither side explains, in inverse depth.

    A side explains a jump if its last two steps before the jump were of the same size. Where a side is too
    short for two steps, one is asked; where it is a single pixel, it explains a jump of zero.
    """
    h, w = d.shape
    jump = d[y + dy, x + dx] - d[y, x]
    best = np.float32(np.inf)
    for side in range(2):
        py, px, sy, sx = (y, x, -dy, -dx) if side == 0 else (y + dy, x + dx, dy, dx)
        sign = np.float32(1 if side else -1)
        worst = np.float32(-1)
        for _ in range(2):
            qy, qx = py + sy, px + sx
            if qy < 0 or qx < 0 or qy >= h or qx >= w or not on[qy, qx]:
                break
            worst = max(worst, abs(jump - sign * (d[qy, qx] - d[py, px])))
            py, px = qy, qx
        best = min(best, abs(jump) if worst < 0 else worst)
    return best


@njit(cache=True)
def _is_cut(d, on, y, x, step, edge, floor):
    dy, dx = step
    a, b = on[y, x], on[y + dy, x + dx]
    if a != b:
        return True
    if not a:
        return False
    limit = edge * max(min(d[y, x], d[y + dy, x + dx]), floor)
    if abs(d[y + dy, x + dx] - d[y, x]) <= limit:
        return False
    return _excess(d, on, y, x, dy, dx) > limit


@njit(cache=True)
def _straight_cuts(d, on, edge, floor, out):
    h, w = d.shape
    for y in range(h):
        for x in range(w):
            bits = 0
            if x + 1 < w and _is_cut(d, on, y, x, (0, 1), edge, floor):
                bits |= CUT_RIGHT
            if y + 1 < h and _is_cut(d, on, y, x, (1, 0), edge, floor):
                bits |= CUT_DOWN
            out[y, x] = bits


@njit(cache=True)
def diagonal_cuts(on, cuts):
    """Add the bits CUT_FALL and CUT_RISE to ``cuts`` (in place): no way around within the 2×2 cell.

    Args:
        on: (h, w) bool, True where there is a surface.
        cuts: (h, w) uint8 with CUT_RIGHT and CUT_DOWN set.
    """
    h, w = cuts.shape
    for y in range(h - 1):
        for x in range(w - 1):
            top = cuts[y, x] & CUT_RIGHT
            left = cuts[y, x] & CUT_DOWN
            right = cuts[y, x + 1] & CUT_DOWN
            bottom = cuts[y + 1, x] & CUT_RIGHT
            if (on[y, x] or on[y + 1, x + 1]) and (top or right) and (left or bottom):
                cuts[y, x] |= CUT_FALL
            if (on[y, x + 1] or on[y + 1, x]) and (top or left) and (right or bottom):
                cuts[y, x + 1] |= CUT_RISE


def find_cuts(inverse: F32, on: Bool, edge: float, floor: float) -> U8:
    """Find where neighbouring pixels are not the same surface.

    Args:
        inverse: (h, w) inverse depth, 1/m; 0 where ``on`` is False.
        on: (h, w), True where there is a surface.
        edge: Relative depth jump, beyond what either side's own slope explains, from which two pixels are cut.
        floor: Inverse depth below which jumps are measured against this value: far away, where nothing moves
            when the eye does, even large jumps are none.

    Returns:
        (h, w) uint8 bits CUT_RIGHT, CUT_DOWN, CUT_FALL, CUT_RISE. Between surface and no surface there is always
        a cut, between two pixels without surface never.
    """
    cuts = np.empty(inverse.shape, np.uint8)
    _straight_cuts(inverse, on, np.float32(edge), np.float32(floor), cuts)
    diagonal_cuts(on, cuts)
    return cuts
