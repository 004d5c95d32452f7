"""Where the samples of a track stand in an MP4 or QuickTime film.

Source: ISO/IEC 14496-12, 8.7.3 (stsz), 8.7.4 (stsc), 8.7.5 (stco, co64), 8.6.2 (stss).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.boxes import Box
from unflat.formats.mp4_edit import Patch

_MOST = 1 << 23
"""Samples of a track: 38 hours at 60 pictures a second."""
_TABLE = (b"mdia", b"minf", b"stbl")
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a track, in their order.

    Attributes:
        starts: (n,) int64, where each begins in the file.
        sizes: (n,) int64, in bytes.
        entries: (m,) int64, numbers from 0 of the samples that decoding can begin at; None: all.
    """

    starts: I64
    sizes: I64
    entries: I64 | None


def samples_of(track: Box, name: str) -> Samples:
    """The samples of a track.

    Raises:
        InputError: Its tables are missing, too short, or contradict each other.
    """
    table = track.first(*_TABLE)
    if table is None:
        raise _wrong(name)
    try:
        sizes = _sizes(table.words(b"stsz"))
        chunks = _places(table)
        counts = _counts(table.words(b"stsc"), len(chunks))
    except (struct.error, ValueError) as error:
        raise _wrong(name) from error
    if int(counts.sum()) < len(sizes):
        raise _wrong(name)
    chunk = np.repeat(np.arange(len(chunks)), counts)[: len(sizes)]
    before = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    first = np.concatenate([[True], chunk[1:] != chunk[:-1]]) if len(chunk) else np.zeros(0, bool)
    base = before[first][np.cumsum(first) - 1] if len(chunk) else before
    sync = table.first(b"stss")
    entries = None if sync is None else _numbers(sync.content, 8, ">u4", 4) - 1
    if entries is not None and len(entries) and not 0 <= entries.min() <= entries.max() < max(len(sizes), 1):
        raise _wrong(name)
    return Samples(chunks[chunk] + before - base, sizes, entries)


def put_before(track: Box, samples: Samples, numbers: I64, words: bytes, skips: Sequence[int]) -> list[Patch]:
    """Let samples begin with further bytes: their sizes grow in the index, and what to put into the media is returned.

    Args:
        track: As it was when ``samples`` were read; its table of sizes is changed.
        samples: All its samples.
        numbers: Of those that grow, from 0, each once.
        words: What each begins with.
        skips: Bytes of each of them that stay in front of it.
    """
    sizes = samples.sizes.copy()
    sizes[numbers] += len(words)
    table = track.first(*_TABLE, b"stsz")
    if table is not None:
        table.lead = struct.pack(">III", 0, 0, len(sizes)) + sizes.astype(">u4").tobytes()
    return [Patch(int(at) + skip, words) for at, skip in zip(samples.starts[numbers], skips, strict=True)]


def _sizes(content: bytes) -> I64:
    same, count = struct.unpack_from(">II", content, 4)
    if count > _MOST:
        raise ValueError("too many samples")
    return np.full(count, same, np.int64) if same else _numbers(content, 12, ">u4", 8)


def _places(table: Box) -> I64:
    wide = table.first(b"co64")
    if wide is not None:
        places = _numbers(wide.content, 8, ">u8", 4)
        if len(places) and int(places.min()) < 0:
            raise ValueError("a place beyond any disk")
        return places
    return _numbers(table.words(b"stco"), 8, ">u4", 4)


def _counts(content: bytes, chunks: int) -> I64:
    """How many samples each chunk holds."""
    (rows,) = struct.unpack_from(">I", content, 4)
    runs = _numbers(content, 8, ">u4", 4, width=3).reshape(rows, 3)
    firsts = runs[:, 0] - 1
    if not rows:
        return np.zeros(chunks, np.int64)
    if firsts[0] != 0 or (np.diff(firsts) <= 0).any() or runs[:, 1].max() > _MOST:
        raise ValueError("runs of chunks that are out of order")
    kept = firsts < chunks
    counts = np.repeat(runs[kept, 1], np.diff([*firsts[kept], chunks]))
    if int(counts.sum()) > 2 * _MOST:
        raise ValueError("too many samples")
    return counts


def _numbers(content: bytes, head: int, kind: str, count_at: int, width: int = 1) -> I64:
    (rows,) = struct.unpack_from(">I", content, count_at)
    return np.frombuffer(content, kind, rows * width, head).astype(np.int64)


def _wrong(name: str) -> InputError:
    return InputError(f"{name} is damaged: its index makes no sense", hint="Copy the file again.")
