"""What is inside a volume, as rows of bits: 64 voxels to a word, with a border of outside all around."""

# pyright: standard

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner
from unflat.types.arrays import Bool

WORD = 64
SLICES = 4
"""A band of so many slices is worth a thread."""
Bits = NDArray[np.uint64]


class Packed(NamedTuple):
    """What is inside, as bits with a border of one voxel that is outside.

    Attributes:
        words: (slices + 2, rows + 2, words) uint64; bit b of word w is column 64 w + b - 1.
        shape: (slices, rows, columns) without the border.
    """

    words: Bits
    shape: tuple[int, int, int]


def packed(shape: tuple[int, int, int], inside: Callable[[int], Bool]) -> Packed:
    """Pack what is inside, slice by slice.

    Args:
        shape: (slices, rows, columns).
        inside: Gives (rows, columns) bool of a slice; called once for each, from several threads.
    """
    d, h, w = shape
    columns = -(-(w + 2) // WORD) * WORD
    words = np.zeros((d + 2, h + 2, columns // WORD), np.dtype("<u8"))

    def fill(start: int, stop: int) -> None:
        row = np.zeros((h, columns), np.bool_)
        for k in range(start, stop):
            row[:, 1 : w + 1] = inside(k)
            words[k + 1, 1:-1] = np.packbits(row, axis=1, bitorder="little").view("<u8")

    in_bands(fill, d, SLICES)
    return Packed(words.astype(np.uint64, copy=False), shape)


def unpacked(bits: Packed, k: int) -> Bool:
    """One slice of what is inside, (rows, columns) bool."""
    rows = np.ascontiguousarray(bits.words[k + 1, 1:-1].astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(rows, axis=1, bitorder="little")[:, 1 : bits.shape[2] + 1].astype(np.bool_)


@inner
def ones(x):
    """How many bits of a word are set (Warren, Hacker's Delight, 5-1)."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


def size_of(bits: Packed) -> int:
    """How many voxels are inside."""
    return int(np.bitwise_count(bits.words).sum(dtype=np.int64))


def within(bits: Packed) -> Bits:
    """The bits that stand for voxels rather than for the border."""
    d, h, w = bits.shape
    columns = np.zeros(bits.words.shape[2] * WORD, np.bool_)
    columns[1 : w + 1] = True
    row = np.packbits(columns, bitorder="little").view("<u8").astype(np.uint64)
    words = np.zeros_like(bits.words)
    words[1 : d + 1, 1 : h + 1] = row
    return words
