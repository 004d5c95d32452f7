"""Which pictures are worth comparing in full."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

_LEAST = 6
"""Two pictures that share fewer of their coarsest features than this hardly overlap."""
_PARTNERS, _IN_A_ROW = 14, 9
"""Each picture is compared with so many of those most like it, and with all others that have it among theirs; pictures
in a row also have their neighbours and need fewer."""
_NEIGHBOURS = (1, 2, 4, 8)
"""In a row, each picture is also compared with the ones that come so many places after it."""
_SMALL = 24
"""Sets of up to so many pictures are compared all with all: there a pair more costs little and may be the only one."""

_AGAIN = 36
"""A picture that found no place is compared with so many."""


def partners(likeness: NDArray[np.int32], *, ordered: bool) -> list[tuple[int, int]]:
    """Choose the pairs of pictures that are compared in full.

    Args:
        likeness: (n, n), how much any two pictures have in common at a first glance.
        ordered: Whether neighbours were taken one after the other.

    Returns:
        Pairs of numbers, the smaller first, ascending.
    """
    count = len(likeness)
    if count <= _SMALL:
        return [(i, j) for i in range(count) for j in range(i + 1, count)]
    chosen: set[tuple[int, int]] = set()
    for i in range(count):
        best = np.argsort(-likeness[i], kind="stable")[: _IN_A_ROW if ordered else _PARTNERS]
        chosen |= {(min(i, int(j)), max(i, int(j))) for j in best if likeness[i, j] >= _LEAST}
        if ordered:
            chosen |= {(i, i + step) for step in _NEIGHBOURS if i + step < count}
    return sorted(chosen)


def more_partners(likeness: NDArray[np.int32], missing: Collection[int]) -> list[tuple[int, int]]:
    """Choose the pairs in which pictures that found no place are looked at closely: with those most alike.

    Args:
        likeness: (n, n), as for :func:`partners`.
        missing: Numbers of the pictures without a place.

    Returns:
        Pairs of numbers, the smaller first, ascending.
    """
    chosen: set[tuple[int, int]] = set()
    for i in missing:
        others = [int(j) for j in np.argsort(-likeness[i], kind="stable") if j != i][:_AGAIN]
        chosen.update((min(i, j), max(i, j)) for j in others)
    return sorted(chosen)
