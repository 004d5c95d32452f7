"""Points of a picture, thinned until none is near another."""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, Bool


@kernel
def _thinned(at, apart, columns, rows, keep):
    """Cells as wide as the distance: what is near a point that was kept lies in the nine around it."""
    first = np.full(columns * rows, -1, np.int32)
    after = np.full(len(at), -1, np.int32)
    for i in range(len(at)):
        column, row = int(at[i, 0] / apart), int(at[i, 1] / apart)
        free = True
        for cy in range(max(row - 1, 0), min(row + 2, rows)):
            for cx in range(max(column - 1, 0), min(column + 2, columns)):
                j = first[cy * columns + cx]
                while j >= 0 and free:
                    dx, dy = at[i, 0] - at[j, 0], at[i, 1] - at[j, 1]
                    free = not dx * dx + dy * dy < apart * apart
                    j = after[j]
        keep[i] = free
        if free:
            after[i] = first[row * columns + column]
            first[row * columns + column] = i


def first_of_near(at: F32, apart: float) -> Bool:
    """(n,) bool: of points nearer to each other than ``apart`` only the first is kept.

    Args:
        at: (n, 2) pixels, none below 0; the best first.
        apart: Pixels.
    """
    keep = np.ones(len(at), bool)
    if len(at):
        columns, rows = (at.max(0) / apart).astype(int) + 1
        _thinned(np.ascontiguousarray(at, np.float64), float(apart), int(columns), int(rows), keep)
    return keep
