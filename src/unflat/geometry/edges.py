"""Where one surface ends and another begins: the cuts between neighbouring pixels.

Everything happens in inverse depth, because the inverse depth of a plane is exactly linear in the pixel
coordinates. A jump between two pixels counts only as far as neither of the two sides, continued straight on,
explains it: a floor seen at a grazing angle, a crease and a slanted wall are therefore never cut, however steep.
"""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8, Bool

CUT_RIGHT = 1
"""Bit: the pixel and its right neighbour are not the same surface."""
CUT_DOWN = 2
"""Bit: the pixel and the one below it are not the same surface."""
CUT_FALL = 4
"""Bit: the pixel and the one below and right of it are not connected within their 2×2 cell."""
CUT_RISE = 8
"""Bit: the pixel and the one below and left of it are not connected within their 2×2 cell."""
STRONG = 4.0
"""A jump this many times the threshold is an outline however short."""
WIDEST_FLIGHT = 3
"""So many pixels may hang between two surfaces, side by side."""
SHORTEST = 16
"""Weak cuts count if at least this many pixels stand along them, both sides together."""


@inner
def _excess(d, on, y, x, down):
    """How much of the jump from (y, x) to its right (or lower) neighbour neither side explains, in inverse depth.

    A side explains a jump if its last two steps before the jump were of the same size. Where a side is too
    short for two steps, one is asked; where it is a single pixel, it explains a jump of zero.
    """
    h, w = d.shape
    dy, dx = (1 if down else 0), (0 if down else 1)
    jump = d[y + dy, x + dx] - d[y, x]
    best = np.float32(np.inf)
    for side in range(2):
        sign = 2 * side - 1
        py, px, worst = y + side * dy, x + side * dx, np.float32(-1)
        for _ in range(2):
            qy, qx = py + sign * dy, px + sign * dx
            if qy < 0 or qx < 0 or qy >= h or qx >= w or not on[qy, qx]:
                break
            step = d[qy, qx] - d[py, px]
            miss = abs(jump - step) if side else abs(jump + step)
            worst = miss if miss > worst else worst
            py, px = qy, qx
        miss = abs(jump) if worst < 0 else worst
        best = miss if miss < best else best
    return best


@kernel
def _straight_cuts(d, on, limits, cuts, sure):
    """Set CUT_RIGHT and CUT_DOWN in ``cuts``; ``sure`` says how sure each pixel beside a cut is, 0 to 2."""
    edge, floor, steepest = limits
    h, w = d.shape
    for y in range(h):
        for x in range(w):
            here = d[y, x]
            for k in range(2):
                v, u = y + k, x + 1 - k
                if v >= h or u >= w:
                    continue
                there = d[v, u]
                least = here if here < there else there
                limit = edge * (floor if least < floor else least)
                if on[y, x] != on[v, u]:
                    cuts[y, x] |= 1 + k
                elif on[y, x] and (abs(there - here) > limit or abs(there - here) > steepest):
                    torn = abs(there - here) > steepest
                    excess = _excess(d, on, y, x, k == 1)
                    if excess > limit or torn:
                        cuts[y, x] |= 1 + k
                        verdict = 1 if excess <= np.float32(STRONG) * limit and not torn else 2
                        sure[y, x] = verdict if verdict > sure[y, x] else sure[y, x]
                        sure[v, u] = verdict if verdict > sure[v, u] else sure[v, u]


def _mend(cuts: U8, on: Bool, doubtful: Bool) -> None:
    """Take back the cuts between two surface pixels that both stand in ``doubtful``, in place."""
    loose = doubtful & on
    cuts[:, :-1][loose[:, :-1] & loose[:, 1:]] &= np.uint8(255 - CUT_RIGHT)
    cuts[:-1][loose[:-1] & loose[1:]] &= np.uint8(255 - CUT_DOWN)


def _drop_crumbs(cuts: U8, on: Bool, sure: U8) -> None:
    """Take back short chains of weak cuts, in place: noise of the depth, not outlines."""
    import cv2

    count, found, stats, _ = cv2.connectedComponentsWithStats((sure > 0).astype(np.uint8), connectivity=8)
    label = np.asarray(found, np.int32)
    certain = np.zeros(count, np.bool_)
    certain[label[sure == 2]] = True
    doubtful = ~certain & (stats[:, cv2.CC_STAT_AREA] < SHORTEST)
    doubtful[0] = False
    if doubtful.any():
        _mend(cuts, on, doubtful[label])


@kernel
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


def find_cuts(inverse: F32, on: Bool, edge: float, floor: float, steepest: float = np.inf) -> U8:
    """Find where neighbouring pixels are not the same surface.

    Args:
        inverse: (h, w) inverse depth, 1/m; 0 where ``on`` is False.
        on: (h, w), True where there is a surface.
        edge: Relative depth jump, beyond what either side's own slope explains, from which two pixels are cut.
        floor: Inverse depth below which jumps are measured against this value: far away, where nothing moves
            when the eye does, even large jumps are none.
        steepest: A jump of more than this inverse depth is cut whatever explains it.

    Returns:
        (h, w) uint8 bits CUT_RIGHT, CUT_DOWN, CUT_FALL, CUT_RISE. Between surface and no surface there is always
        a cut, between two pixels without surface never.
    """
    cuts, sure = np.zeros(inverse.shape, np.uint8), np.zeros(inverse.shape, np.uint8)
    _straight_cuts(inverse, on, (np.float32(edge), np.float32(floor), np.float32(steepest)), cuts, sure)
    _drop_crumbs(cuts, on, sure)
    diagonal_cuts(on, cuts)
    return cuts


@kernel
def _land(inverse, cuts):
    """Give every pixel that is cut from both opposite neighbours, and lies between them, the farther one's depth."""
    h, w = inverse.shape
    landed, moved = inverse.copy(), 0
    for y in range(h):
        for x in range(w):
            for k in range(2):
                v, u, t, s = (y - 1, x, y + 1, x) if k else (y, x - 1, y, x + 1)
                bit = np.uint8(CUT_DOWN) if k else np.uint8(CUT_RIGHT)
                if v < 0 or u < 0 or t >= h or s >= w or not cuts[v, u] & bit or not cuts[y, x] & bit:
                    continue
                here, one, other = inverse[y, x], inverse[v, u], inverse[t, s]
                low, high = min(one, other), max(one, other)
                if 0 < low < here < high and low < landed[y, x]:
                    landed[y, x] = low
                    moved += 1
    return landed, moved


def land_flying(inverse: F32, on: Bool, edge: float, floor: float, steepest: float = np.inf) -> F32:
    """Bring pixels that hang between two surfaces to the farther one.

    A depth map that was resampled, or measured through a lens, has such "flying pixels" along its outlines: each is a
    speck of its own in the air when the eye moves. What they look like is told apart by the seam.

    Args:
        inverse: (h, w) inverse depth, 0 where ``on`` is False.
        on: (h, w), where there is a surface.
        edge: As for :func:`find_cuts`.
        floor: As for :func:`find_cuts`.
        steepest: As for :func:`find_cuts`.

    Returns:
        (h, w) inverse depth.
    """
    for _ in range(WIDEST_FLIGHT):
        inverse, moved = _land(inverse, find_cuts(inverse, on, edge, floor, steepest))
        if not moved:
            break
    return inverse


@kernel
def raise_rims(inverse, on, wide, jump):
    """Bring strips between a nearer surface and where there is none (sky, or nothing) to the nearer one.

    Where the picture tells where a thing ends before the sky, or its alpha does, the depth beside it still falls off:
    such a rim is a far surface that would go on behind the whole thing.

    Args:
        inverse: (h, w) float32 inverse depth, 0 where ``on`` is False.
        on: (h, w) bool, where there is a surface.
        wide: Strips of at most so many pixels are brought.
        jump: A surface is nearer by at least this inverse depth.

    Returns:
        (h, w) float32 inverse depth.
    """
    h, w = inverse.shape
    raised = inverse.copy()
    for y in range(h):
        for x in range(w):
            if not on[y, x]:
                continue
            top, left = max(y - wide, 0), max(x - wide, 0)
            beyond = np.inf
            for v in range(top, min(y + wide + 1, h)):
                for u in range(left, min(x + wide + 1, w)):
                    if not on[v, u]:
                        beyond = min(beyond, np.hypot(v - y, u - x))
            if beyond > wide:
                continue
            nearest = inverse[y, x]
            for v in range(top, min(y + wide + 1, h)):
                for u in range(left, min(x + wide + 1, w)):
                    if on[v, u] and np.hypot(v - y, u - x) + beyond <= wide + 1:
                        nearest = max(nearest, inverse[v, u])
            if nearest > inverse[y, x] + jump:
                raised[y, x] = nearest
    return raised
