"""Connected pieces of what is inside a volume, and its hollows: runs of bits, joined.

A row of bits is a list of runs; runs that touch in neighbouring rows are one piece (He, Chao and Suzuki, "A run-based
two-scan labeling algorithm", 2008, with union-find). So the work and the memory grow with the surface, not with
the volume.

What is inside hangs together across faces of voxels, so that every piece has one outer surface of its own in
:mod:`unflat.geometry.marching`. What is outside does so across faces only where hollows are filled, for across corners
that surface leaves bubbles; in a slice it does across corners, too.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bits import Bits, Packed, ones, within
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import Bool

I64 = NDArray[np.int64]


class Pieces(NamedTuple):
    """The pieces of what is inside.

    Attributes:
        first: (slices + 2, rows + 2) int64: the number of the first run of each row of bits.
        ends: (n, 2) int32: a run's first column, and the one behind its last, in columns of the bordered volume.
        piece: (n,) int64: the piece that a run belongs to, 0, 1 …, in the order of their first voxels.
        sizes: (pieces,) int64: voxels.
    """

    first: I64
    ends: NDArray[np.int32]
    piece: I64
    sizes: I64


@kernel
def _count(words, counts):
    """How many runs each row has."""
    for k in range(words.shape[0]):
        for j in range(words.shape[1]):
            before, total = np.uint64(0), np.int64(0)
            for w in range(words.shape[2]):
                x = words[k, j, w]
                total += ones(x & ~(x << np.uint64(1) | before))
                before = x >> np.uint64(63)
            counts[k, j] = total


@kernel
def _find(words, first, ends):
    """Write where the runs begin and end."""
    for k in range(words.shape[0]):
        for j in range(words.shape[1]):
            before, n, m = np.uint64(0), first[k, j], first[k, j]
            for w in range(words.shape[2]):
                x = words[k, j, w]
                changes = x ^ (x << np.uint64(1) | before)
                before = x >> np.uint64(63)
                while changes != 0:
                    low = changes & (~changes + np.uint64(1))
                    changes ^= low
                    column = 64 * w + ones(low - np.uint64(1))
                    if x & low != 0:
                        ends[n, 0] = column
                        n += 1
                    else:
                        ends[m, 1] = column
                        m += 1
            if m < n:
                ends[m, 1] = 64 * words.shape[2]


@inner
def _root(parent, a):
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@inner
def _touch(ends, parent, a, a_end, b, b_end, slack):
    """Join the runs of two rows that touch; ``slack`` 1 lets corners touch, too."""
    while a < a_end and b < b_end:
        if ends[a, 0] < ends[b, 1] + slack and ends[b, 0] < ends[a, 1] + slack:
            p, q = _root(parent, a), _root(parent, b)
            if p < q:
                parent[q] = p
            else:
                parent[p] = q
        if ends[a, 1] < ends[b, 1]:
            a += 1
        else:
            b += 1


@kernel
def _join(first, ends, parent, slack, planar):
    """Join the runs of all neighbouring rows; returns how many pieces there are, named 0, 1 … in ``parent``."""
    deep, high = first.shape
    last = len(parent)
    for k in range(deep):
        for j in range(high):
            a = first[k, j]
            at = k * high + j + 1
            a_end = first[at // high, at % high] if at < deep * high else last
            if a == a_end:
                continue
            for dk in range(1 if planar else 2):
                for dj in range(-1, 2):
                    if (dk == 0 and dj != -1) or (dk == 1 and dj != 0 and slack == 0):
                        continue
                    q, r = k - dk, j + dj
                    if q < 0 or r < 0 or r >= high:
                        continue
                    _touch(
                        ends, parent, a, a_end, first[q, r], first[(q * high + r + 1) // high, (r + 1) % high], slack
                    )
    pieces = 0
    for a in range(last):
        p = parent[a]
        if p == a:
            parent[a] = pieces
            pieces += 1
        else:
            parent[a] = parent[p]
    return pieces


@kernel
def _draw(first, ends, chosen, words):
    """Set the bits of the runs that are chosen."""
    deep, high = first.shape
    for k in range(deep):
        for j in range(high):
            at = k * high + j + 1
            stop = first[at // high, at % high] if at < deep * high else len(ends)
            for a in range(first[k, j], stop):
                if not chosen[a]:
                    continue
                start, end = ends[a, 0], ends[a, 1]
                for w in range(start >> 6, (end + 63) >> 6):
                    low, high_bit = max(start - 64 * w, 0), min(end - 64 * w, 64)
                    mask = ~np.uint64(0) << np.uint64(low)
                    if high_bit < 64:
                        mask &= (np.uint64(1) << np.uint64(high_bit)) - np.uint64(1)
                    words[k, j, w] |= mask


def _pieces(words: Bits, slack: int, *, planar: bool = False) -> Pieces:
    counts = np.empty(words.shape[:2], np.int64)
    _count(words, counts)
    stops = np.cumsum(counts.ravel())
    total = int(stops[-1])
    first = (stops - counts.ravel()).reshape(counts.shape)
    ends, parent = np.empty((total, 2), np.int32), np.arange(total, dtype=np.int64)
    _find(words, first, ends)
    pieces = int(_join(first, ends, parent, slack, planar))
    lengths = (ends[:, 1] - ends[:, 0]).astype(np.float64)
    return Pieces(first, ends, parent, np.rint(np.bincount(parent, lengths, pieces)).astype(np.int64))


def _drawn(pieces: Pieces, chosen: Bool, like: Packed) -> Packed:
    words = np.zeros_like(like.words)
    _draw(pieces.first, pieces.ends, chosen[pieces.piece], words)
    return Packed(words, like.shape)


def pieces_of(bits: Packed) -> Pieces:
    """The connected pieces of what is inside."""
    return _pieces(bits.words, 0)


def only(bits: Packed, pieces: Pieces, chosen: Bool) -> Packed:
    """The pieces that are chosen, (pieces,) bool, without the others."""
    return _drawn(pieces, chosen, bits)


def at_least(bits: Packed, voxels: int) -> Packed:
    """The pieces of at least so many voxels."""
    pieces = pieces_of(bits)
    return only(bits, pieces, pieces.sizes >= voxels)


def largest(bits: Packed, number: int = 1) -> Packed:
    """The largest pieces; as many as there are if there are fewer."""
    pieces = pieces_of(bits)
    chosen = np.zeros(len(pieces.sizes), np.bool_)
    chosen[np.argsort(-pieces.sizes, kind="stable")[:number]] = True
    return only(bits, pieces, chosen)


def holding(bits: Packed, ijk: I64) -> Packed:
    """The pieces that hold at least one of the voxels (n, 3), each (column, row, slice)."""
    pieces = pieces_of(bits)
    row = (ijk[:, 2] + 1) * bits.words.shape[1] + ijk[:, 1] + 1
    return only(bits, pieces, _met(pieces, row, ijk[:, 0] + 1))


def meeting(bits: Packed, core: Packed) -> Packed:
    """The pieces that hold at least one voxel of a core."""
    pieces, within_both = pieces_of(bits), pieces_of(Packed(bits.words & core.words, bits.shape))
    row = _rows(within_both)
    return only(bits, pieces, _met(pieces, row, within_both.ends[:, 0].astype(np.int64)))


def _rows(pieces: Pieces) -> I64:
    """The row of each run."""
    counts = np.diff(pieces.first.ravel(), append=len(pieces.ends))
    return np.repeat(np.arange(pieces.first.size), counts)


def _met(pieces: Pieces, row: I64, column: I64) -> Bool:
    """Which pieces hold one of the voxels at rows and columns of the bordered volume, (pieces,) bool."""
    wide = np.int64(1) << 32
    chosen = np.zeros(len(pieces.sizes), np.bool_)
    if not len(pieces.ends):
        return chosen
    rows = _rows(pieces)
    run = np.searchsorted(rows * wide + pieces.ends[:, 0], row * wide + column, "right") - 1
    hit = (run >= 0) & (rows[run] == row) & (column < pieces.ends[run, 1])
    chosen[pieces.piece[run[hit]]] = True
    return chosen


def filled(bits: Packed, *, lids: bool = False) -> Packed:
    """Fill what is enclosed on all sides; a passage that goes through edges and corners of voxels only is closed, too.

    Args:
        bits: What is inside.
        lids: What is open at the first or the last slice only, where the scan ends, is enclosed, too.
    """
    outside = ~bits.words
    if lids:
        outside[[0, -1], 1:-1] &= ~within(bits)[1, 1]
    return _without_hollows(bits, _pieces(outside, 0))


def filled_slices(bits: Packed) -> Packed:
    """Fill what is enclosed in its slice, open though it may be to the next one."""
    return _without_hollows(bits, _pieces(~bits.words, 1, planar=True))


def _without_hollows(bits: Packed, outside: Pieces) -> Packed:
    """Fill those pieces of the outside that do not touch the border's first row of any slice."""
    hollow = np.ones(len(outside.sizes), np.bool_)
    hollow[outside.piece[outside.first[:, 0]]] = False
    words = _drawn(outside, hollow, bits).words & within(bits)
    words |= bits.words
    return Packed(words, bits.shape)
