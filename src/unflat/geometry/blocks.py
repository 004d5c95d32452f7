"""Which blocks of space there are: a table from block to number, for volumes that are mostly empty.

A block is a cube of 8×8×8 voxels. Its place is three whole numbers, packed into one key; the table is open
addressing with linear probing (Knuth, The Art of Computer Programming 3, 6.4), filled in a fixed order, so that the
numbers are the same in every run.
"""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel

SIDE = 8
"""Voxels along a side of a block."""
VOXELS = SIDE**3
FARTHEST = 1 << 20
"""Places are within ± this number of blocks."""
_EMPTY = np.int64(-1)
_MIX = np.int64(-7046029254386353131)  # 2**64 over the golden ratio, as a signed number


@inner
def pack(x, y, z):
    """One key, at least 0, of a block's place; -1 where it is too far out."""
    if min(x, y, z) < -FARTHEST or max(x, y, z) >= FARTHEST:
        return np.int64(-1)
    return ((x + FARTHEST) << 42) | ((y + FARTHEST) << 21) | (z + FARTHEST)


@inner
def find(keys, numbers, key):
    """The number of a block; -1 where it is not there."""
    mask = len(keys) - 1
    mixed = key * _MIX
    at = (mixed ^ (mixed >> 31)) & mask
    while keys[at] != _EMPTY:
        if keys[at] == key:
            return np.int64(numbers[at])
        at = (at + 1) & mask
    return np.int64(-1)


@inner
def insert(keys, numbers, key, number):
    """Give a block that may be there a number; returns whether it is new. There must be room."""
    mask = len(keys) - 1
    mixed = key * _MIX
    at = (mixed ^ (mixed >> 31)) & mask
    while keys[at] != _EMPTY:
        if keys[at] == key:
            return False
        at = (at + 1) & mask
    keys[at] = key
    numbers[at] = number
    return True


@kernel
def _insert_all(keys, numbers, places):
    for i in range(len(places)):
        insert(keys, numbers, pack(places[i, 0], places[i, 1], places[i, 2]), i)


@kernel
def _neighbours(keys, numbers, places, chosen, out):
    for i in range(len(chosen)):
        b = chosen[i]
        for corner in range(8):
            key = pack(places[b, 0] + (corner & 1), places[b, 1] + (corner >> 1 & 1), places[b, 2] + (corner >> 2))
            out[i, corner] = find(keys, numbers, key)


class Blocks:
    """Blocks by their places, numbered in the order in which they came.

    Attributes:
        keys: Power of two many int64, -1 where empty.
        numbers: As many int32.
        places: (room, 3) int64; the first ``count`` of them are there.
        count: How many blocks there are.
    """

    def __init__(self, room: int = 1024) -> None:
        self.count = 0
        self.places = np.zeros((room, 3), np.int64)
        self._index()

    @property
    def room(self) -> int:
        """How many blocks fit before the table grows."""
        return len(self.places)

    def grow(self, room: int) -> None:
        """Make room for more blocks; numbers stay."""
        places = np.zeros((room, 3), np.int64)
        places[: self.count] = self.places[: self.count]
        self.places = places
        self._index()

    def _index(self) -> None:
        """Build the table anew, at most half full."""
        size = 1 << max(10, int(2 * self.room - 1).bit_length())
        self.keys = np.full(size, _EMPTY, np.int64)
        self.numbers = np.zeros(size, np.int32)
        _insert_all(self.keys, self.numbers, self.places[: self.count])

    def neighbours(self, chosen: NDArray[np.int64]) -> NDArray[np.int32]:
        """Of each chosen block: itself and those at +1 along x (bit 1), y (bit 2), z (bit 4).

        Args:
            chosen: (m,) numbers of blocks.

        Returns:
            (m, 8) numbers; -1 where there is no block.
        """
        out = np.empty((len(chosen), 8), np.int32)
        _neighbours(self.keys, self.numbers, self.places, chosen, out)
        return out
