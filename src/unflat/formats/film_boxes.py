"""What an MP4 or QuickTime film says of itself, from its boxes alone: nothing of it is decoded.

Source: ISO/IEC 14496-12 (ISO base media file format); the comment stands where iTunes and FFmpeg put it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unflat.errors import InputError
from unflat.types.image import Size

_INSIDE = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta", b"ilst", b"\xa9cmt"}
_DEEPEST = 8
_LARGEST = 1 << 26
_MOST_BOXES = 10_000
_COMMENT = (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")
_TRACK = (b"moov", b"trak")
_MEDIA = (*_TRACK, b"mdia")
_TABLE = (*_MEDIA, b"minf", b"stbl")
Box = tuple[tuple[bytes, ...], bytes]


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """What stands in the boxes of a film; None where it does not say.

    Attributes:
        size: Of its picture as stored, in pixels.
        seconds: How long its picture runs.
        frames: How many pictures it has.
        coding: The four letters of its codec.
        comment: Free words.
    """

    size: Size | None
    seconds: float | None
    frames: int | None
    coding: str | None
    comment: str | None


def is_film(path: Path) -> bool:
    """Whether a file has the name of an MP4 or QuickTime film."""
    return path.suffix.lower() in (".mp4", ".m4v", ".mov")


def read_film(path: Path) -> FilmRecord:
    """Read what the boxes of a film say.

    Raises:
        InputError: It has no index, or one that makes no sense.
    """
    index = _index_of(path)
    boxes = list(_boxes(index, 0, len(index), (b"moov",)))
    words = next((content for where, content in boxes if where == _COMMENT), b"")
    try:
        clock = next((content for where, content in boxes if where == (b"moov", b"mvhd")), None)
        return _record(_picture_track(boxes), clock, words[8:].decode(errors="replace") or None)
    except (struct.error, ValueError) as error:
        raise InputError(f"{path.name} is damaged: its index makes no sense", hint="Copy the file again.") from error


def _index_of(path: Path) -> bytes:
    """The content of the box ``moov``, wherever it stands; what is around it is passed over unread."""
    wrong = InputError(f"{path.name} is no whole film: it has no index", hint="Copy the file again.")
    try:
        with path.open("rb") as file:
            for _ in range(_MOST_BOXES):
                head = file.read(8)
                if len(head) < 8:
                    break
                size, skip = int.from_bytes(head[:4], "big"), 8
                if size == 1:
                    size, skip = int.from_bytes(file.read(8), "big"), 16
                if head[4:] == b"moov" and skip <= size <= _LARGEST:
                    return file.read(size - skip)
                if size < skip or size >= 1 << 62:
                    break
                file.seek(size - skip, 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    raise wrong


def _boxes(data: bytes, start: int, end: int, within: tuple[bytes, ...]) -> Iterator[Box]:
    """Every box that holds no others, with its way down to it; ``trak`` comes first by itself, empty."""
    while start + 8 <= end:
        size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        stop = end if size == 0 else start + size
        if stop > end or (size and size < 8):
            return
        where = (*within, kind)
        if kind in _INSIDE and len(where) < _DEEPEST:
            if where == _TRACK:
                yield where, b""
            plain = kind != b"meta" or data[start + 12 : start + 16] == b"hdlr"  # QuickTime's has no version
            yield from _boxes(data, start + (8 if plain else 12), stop, where)
        else:
            yield where, data[start + 8 : stop]
        start = stop


def _picture_track(boxes: list[Box]) -> dict[tuple[bytes, ...], bytes]:
    """The boxes of the first track that holds pictures; empty if none does."""
    track: dict[tuple[bytes, ...], bytes] = {}
    for where, content in [*boxes, (_TRACK, b"")]:
        if where == _TRACK:
            if track.get((*_MEDIA, b"hdlr"), b"")[8:12] == b"vide":
                return track
            track = {}
        elif where[:2] == _TRACK:
            track.setdefault(where, content)
    return {}


def _record(track: dict[tuple[bytes, ...], bytes], clock: bytes | None, comment: str | None) -> FilmRecord:
    """What the boxes of a track say, whose times are counted by the clock of the film (``mvhd``).

    Raises:
        struct.error: A box is too short.
        ValueError: It cannot be a size.
    """
    head, times, kinds = (track.get(way) for way in ((*_TRACK, b"tkhd"), (*_TABLE, b"stts"), (*_TABLE, b"stsd")))
    size = seconds = frames = coding = None
    if head is not None:
        across, down = struct.unpack(">II", head[-8:])
        size = Size(across >> 16, down >> 16) if across >> 16 and down >> 16 else None
    if head is not None and clock is not None:
        (ticks,) = struct.unpack_from(">I", clock, 20 if clock[:1] == b"\1" else 12)
        (length,) = struct.unpack_from(">Q", head, 28) if head[:1] == b"\1" else struct.unpack_from(">I", head, 20)
        seconds = length / ticks if ticks and 0 < length < 1 << 53 else None
    if times is not None:
        (rows,) = struct.unpack_from(">I", times, 4)
        counts = np.frombuffer(times, ">u4", min(rows, (len(times) - 8) // 8) * 2, 8)[::2]
        frames = int(counts.sum(dtype=np.int64)) or None
    if kinds is not None:
        coding = kinds[12:16].decode("latin-1")
    return FilmRecord(size, seconds, frames, coding, comment)
