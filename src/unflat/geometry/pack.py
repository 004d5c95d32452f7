"""Flat pieces laid out on a square picture without touching each other.

Tall pieces first, each where its top comes to lie lowest; pieces are known by the lowest and highest point of each of
their columns, so that they nest into each other (Lévy, Petitjean, Ray and Maillot, "Least squares conformal maps for
automatic texture atlas generation", 2002).
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import kernel
from unflat.types.arrays import F64

GUTTER = 2
"""Empty texels around a piece; neighbours have twice as many between them."""
_TRIES = 10
_TIGHT = 1.015
"""The largest scale that fits is searched to this precision."""
_CLOSE = 1.014
"""Nearly the same pieces are tried at scales so far from each other."""


class Pieces(NamedTuple):
    """The outlines of flat pieces, each beginning at (0, 0), sorted by piece.

    Attributes:
        edges: (e, 4) float64, x and y of both ends of each outline edge.
        piece: (e,) int64.
        size: (p, 2) float64, width and height of each.
    """

    edges: F64
    piece: NDArray[np.int64]
    size: F64


class Packed(NamedTuple):
    """Where pieces lie on a square picture.

    Attributes:
        scale: Texels per unit of the pieces.
        corner: (p, 2) int64, the texel at which the point (0, 0) of each lies.
        side: Of the square, in texels.
    """

    scale: float
    corner: NDArray[np.int64]
    side: int


@kernel
def _profiles(edges, piece, scale, first, low, high):
    """Enter the lowest and highest point of the outlines over each column into flat lists; ``first`` per piece."""
    for e in range(len(edges)):
        x0, y0, x1, y1 = edges[e, 0] * scale, edges[e, 1] * scale, edges[e, 2] * scale, edges[e, 3] * scale
        if x1 < x0:
            x0, y0, x1, y1 = x1, y1, x0, y0
        start, stop = first[piece[e]], first[piece[e] + 1]
        left, right = int(np.floor(x0)), int(np.floor(x1))
        for column in range(left, right + 1):
            a, b = max(x0, float(column)), min(x1, float(column + 1))
            rise = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
            ya, yb = y0 + (a - x0) * rise, y0 + (b - x0) * rise
            if x1 == x0:
                ya, yb = y0, y1
            at = min(start + GUTTER + column, stop - 1 - GUTTER)
            for k in range(at - GUTTER, at + GUTTER + 1):
                low[k] = min(low[k], int(np.floor(min(ya, yb))) - GUTTER)
                high[k] = max(high[k], int(np.floor(max(ya, yb))) + 1 + GUTTER)


@kernel
def _place(order, first, low, high, horizon, corner):
    """Lay the pieces down one after the other; returns whether all of them fit."""
    side = len(horizon)
    for i in range(len(order)):
        p = order[i]
        start, wide = first[p], first[p + 1] - first[p]
        if wide > side:
            return False
        step = max(1, wide // 8)
        tall = 0
        for k in range(wide):
            tall = max(tall, high[start + k])
        best_x, best_y, best_lost = 0, side - tall + 1, 0
        last = side - wide
        for n in range(last // step + 2):
            x = min(n * step, last)
            y, k = 0, 0
            while k < wide and y <= best_y:
                y = max(y, horizon[x + k] - low[start + k])
                k += 1
            if y > best_y:
                continue
            lost = 0
            for k in range(wide):
                lost += y + low[start + k] - horizon[x + k]
            if y < best_y or lost < best_lost:
                best_x, best_y, best_lost = x, y, lost
        if best_y + tall > side:
            return False
        for k in range(wide):
            horizon[best_x + k] = best_y + high[start + k]
        corner[p, 0], corner[p, 1] = best_x + GUTTER, best_y
    return True


def _attempt(pieces: Pieces, scale: float, side: int) -> Packed | None:
    """Lay all pieces out at a scale; None if they do not fit."""
    wide = np.floor(pieces.size[:, 0] * scale).astype(np.int64) + 1 + 2 * GUTTER
    tall = np.floor(pieces.size[:, 1] * scale).astype(np.int64) + 1 + 2 * GUTTER
    if wide.max(initial=0) > side or tall.max(initial=0) > side:
        return None
    first = np.concatenate([[0], np.cumsum(wide)])
    low, high = np.full(first[-1], 1 << 30, np.int64), np.full(first[-1], -(1 << 30), np.int64)
    _profiles(pieces.edges, pieces.piece, float(scale), first, low, high)
    corner = np.zeros((len(wide), 2), np.int64)
    order = np.lexsort((-wide, -tall))
    fits = _place(order, first, low, high, np.zeros(side, np.int64), corner)
    return Packed(scale, corner, side) if fits else None


def pack(pieces: Pieces, most: float, largest: int, least: int = 256, before: Packed | None = None) -> Packed | None:
    """Lay pieces out on the smallest square that takes them at the scale ``most``, and as large as it takes them.

    Args:
        pieces: Each column of a piece has an outline edge above and below it.
        most: Texels per unit that are enough.
        largest: Side of the largest square.
        least: Side of the smallest one; sides between them double.
        before: How nearly the same pieces were laid out; the search begins there.

    Returns:
        Where they lie; None if the gutters alone do not fit.
    """
    area = max(float((pieces.size[:, 0] * pieces.size[:, 1]).sum()), 1e-30)
    side = min(least, largest) if before is None else before.side
    while side < largest and _attempt(pieces, most, side) is None:
        side = min(2 * side, largest)
    fits, found, fails = 0.0, None, 4 * side / float(np.sqrt(area))
    guess = float(np.sqrt(0.7 * side * side / area)) if before is None else before.scale
    for _ in range(_TRIES):
        done = _attempt(pieces, guess, side)
        if done is not None:
            fits, found = guess, done
        else:
            fails = guess
        if fits and fails / fits < _TIGHT:
            break
        if before is not None:
            guess *= _CLOSE if fits else 1 / _CLOSE**2
        else:
            guess = float(np.sqrt(fits * fails)) if fits else guess * 0.75
    if found is None and before is not None:
        return pack(pieces, most, largest, least)
    return found
