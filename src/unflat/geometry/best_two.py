"""Who is nearest to whom in sets of directions: the loops of matching."""

# pyright: standard

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32

Rows = NDArray[np.int32]
_ROWS = 256
"""So many rows are compared at once, which bounds the memory."""


@kernel
def _scan(alike: Rows, ends: Rows, first_row: int, begin: int, stop: int, rows: Rows, at: Rows, columns: Rows) -> None:  # noqa: PLR0913
    """Take a band of rows in, for the sets ``begin`` … ``stop``.

    Numbers that are not negative are ordered as the integers of their bits are, which is how they are looked at here:
    the greatest of integers is found several at a time.

    ``rows[0 or 1, set, row]`` is the greatest and second greatest of a row within a set, ``at`` where the greatest
    stands; ``columns[0]`` is the greatest of a column so far, ``columns[1]`` its row.
    """
    for s in range(begin, stop):
        first, last = ends[s], ends[s + 1]
        if first == last:
            continue
        for i in range(alike.shape[0]):
            row = alike[i, first:last]
            best, row_of = columns[0, first:last], columns[1, first:last]
            number = np.int32(first_row + i)
            top = row[0]
            for j in range(row.size):
                value = row[j]
                top = max(top, value)
                higher = value > best[j]
                best[j] = value if higher else best[j]
                row_of[j] = number if higher else row_of[j]
            where = 0
            while row[where] != top:
                where += 1
            below = np.int32(-1)
            for j in range(where):
                below = max(below, row[j])
            for j in range(where + 1, row.size):
                below = max(below, row[j])
            rows[0, s, number], rows[1, s, number], at[s, number] = top, below, first + where


def mutual(words: F32, others: Sequence[F32], ratio: float) -> list[NDArray[np.int32]]:
    """Pairs of unit vectors without negative entries that are each other's nearest, and clearly nearer than the next.

    A nearest neighbour stands if its distance is below ``ratio`` times that of the second nearest in the other set
    (Lowe 2004).

    Args:
        words: (n, d) float32, unit vectors without negative entries.
        others: Sets of (m, d) such vectors; each is compared with ``words`` for itself.
        ratio: 0..1.

    Returns:
        For each of the others (k, 2) int32, rows of ``words`` and of the other, ascending in ``words``.
    """
    nothing = np.zeros((0, 2), np.int32)
    if len(words) == 0 or not others:
        return [nothing for _ in others]
    ends = np.cumsum([0, *(len(o) for o in others)]).astype(np.int32)
    across = np.ascontiguousarray(np.concatenate(list(others)).T)
    rows = np.zeros((2, len(others), len(words)), np.int32)
    at = np.zeros((len(others), len(words)), np.int32)
    columns = np.full((2, ends[-1]), -1, np.int32)
    for start in range(0, len(words), _ROWS):
        alike = (words[start : start + _ROWS] @ across).view(np.int32)

        def scan(begin: int, stop: int, alike: Rows = alike, start: int = start) -> None:
            _scan(alike, ends, start, begin, stop, rows, at, columns)

        in_bands(scan, len(others), least=2)
    found: list[NDArray[np.int32]] = []
    own = np.arange(len(words))
    for s in range(len(others)):
        if ends[s + 1] - ends[s] < 2:
            found.append(nothing)
            continue
        near, next_near = (np.maximum(2 - 2 * rows[k, s].view(np.float32), 0) for k in (0, 1))
        kept = np.flatnonzero((near < ratio * ratio * next_near) & (columns[1, at[s]] == own))
        found.append(np.stack([kept, at[s][kept] - ends[s]], axis=1).astype(np.int32))
    return found
