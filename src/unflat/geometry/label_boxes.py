"""Where the labels of a map are: how many voxels each has, and the box around them."""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import kernel

_TABLE = 1 << 16
"""Numbers up to this are looked up in a table as they are."""
I64 = NDArray[np.int64]


class LabelBox(NamedTuple):
    """One label that occurs.

    Attributes:
        number: Its value.
        voxels: How many there are.
        low: The least column, row and slice.
        high: One more than the greatest.
    """

    number: int
    voxels: int
    low: tuple[int, int, int]
    high: tuple[int, int, int]


@kernel
def _look(numbers, counts, low, high):
    """Go through all voxels once; runs of one label along a row are looked up once."""
    d, h, w = numbers.shape
    for k in range(d):
        for j in range(h):
            i = 0
            while i < w:
                n, start = numbers[k, j, i], i
                while i < w and numbers[k, j, i] == n:
                    i += 1
                if n == 0:
                    continue
                counts[n] += i - start
                low[n, 0], high[n, 0] = min(low[n, 0], start), max(high[n, 0], i)
                low[n, 1], high[n, 1] = min(low[n, 1], j), max(high[n, 1], j + 1)
                low[n, 2], high[n, 2] = min(low[n, 2], k), max(high[n, 2], k + 1)


def label_boxes(numbers: NDArray[np.unsignedinteger]) -> tuple[LabelBox, ...]:
    """All labels but 0, in the order of their numbers.

    Args:
        numbers: (slices, rows, columns).
    """
    top, names = int(numbers.max(initial=0)), None
    if top >= _TABLE:
        names = np.unique(np.concatenate([[0], *(np.unique(plane) for plane in numbers)]))
        numbers, top = _renumbered(numbers, names), len(names) - 1
    counts = np.zeros(top + 1, np.int64)
    low = np.full((top + 1, 3), np.iinfo(np.int64).max, np.int64)
    high = np.zeros((top + 1, 3), np.int64)
    _look(numbers, counts, low, high)
    found = np.flatnonzero(counts).tolist()
    return tuple(
        LabelBox(n if names is None else int(names[n]), int(counts[n]), _three(low[n]), _three(high[n])) for n in found
    )


def _renumbered(numbers: NDArray[np.unsignedinteger], names: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The place of each number in a sorted list of all that occur."""
    places = np.empty(numbers.shape, np.uint32)
    for plane, into in zip(numbers, places, strict=True):
        into[:] = np.searchsorted(names, plane)
    return places


def _three(row: I64) -> tuple[int, int, int]:
    i, j, k = row.tolist()
    return i, j, k
