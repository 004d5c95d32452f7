"""What an MP4 or QuickTime film says of itself, from its boxes alone: nothing of it is decoded.

Source: ISO/IEC 14496-12 (ISO base media file format); the comment stands where iTunes, QuickTime and FFmpeg put it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.boxes import Box, open_entries, picture_entries, picture_tracks, read_index
from unflat.formats.frame_packing import message, packing_in
from unflat.formats.mp4_edit import Patch
from unflat.formats.mp4_samples import put_before, samples_of
from unflat.formats.nal_units import by_lengths
from unflat.formats.stereo_boxes import read_marks
from unflat.types.image import Size
from unflat.types.stereo import Layout

SUFFIXES = (".mp4", ".m4v", ".mov")
_LARGEST_SAMPLE = 1 << 25
_COMMENT = (b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")
_QUICKTIME_COMMENT = (b"udta", b"\xa9cmt")
"""There a text's length and its language, two bytes each, stand before it."""
_TABLE = (b"mdia", b"minf", b"stbl")
_DELIMITER = 9
"""The unit that stands before all others of a picture, where it stands at all."""
_AVC_LENGTHS, _HEVC_LENGTHS = 4, 21
"""Where avcC and hvcC say in how many bytes the length of a unit stands."""
_CODINGS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "av01": "av1", "vp09": "vp9", "vp08": "vp8"}


def _nothing() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """What a film says of itself; None where it does not say.

    Attributes:
        size: Of its picture as stored, in pixels.
        seconds: How long its picture runs.
        frames: How many pictures it has.
        coding: The four letters of its codec, or Matroska's word for it.
        comment: Free words.
        codec: ``h264 hevc av1 vp9 …``.
        marks: What it says of two eyes, by name (:class:`unflat.formats.stereo_facts.StereoFacts`).
        view_shown: The size that one view is shown at.
    """

    size: Size | None
    seconds: float | None
    frames: int | None
    coding: str | None
    comment: str | None
    codec: str | None = None
    marks: dict[str, Any] = field(default_factory=_nothing)
    view_shown: Size | None = None


def read_film(path: Path) -> FilmRecord:
    """Read what the boxes of a film say.

    Raises:
        InputError: It has no index, or one that makes no sense.
    """
    index = read_index(path)
    open_entries(index, path.name)
    track = next(picture_tracks(index), Box(b"trak"))
    words = index.words(*_COMMENT)[8:] or index.words(*_QUICKTIME_COMMENT)[4:]
    try:
        coding = track.words(*_TABLE, b"stsd")[12:16].decode("latin-1") or None
        codec = None if coding is None else _CODINGS.get(coding, coding.strip())
        marks = read_marks(index)
        packing = packing_in(_first_units(path, track, codec), codec) if codec in ("h264", "hevc") else None
        if packing is not None:
            marks["sei"] = packing.to_plain()
        size, seconds = _shown(track, index.words(b"mvhd"))
        frames = _count(track.words(*_TABLE, b"stts"))
    except (struct.error, ValueError) as error:
        raise InputError(f"{path.name} is damaged: its index makes no sense", hint="Copy the file again.") from error
    return FilmRecord(size, seconds, frames, coding, words.decode(errors="replace") or None, codec, marks)


def _shown(track: Box, clock: bytes) -> tuple[Size | None, float | None]:
    """Size in pixels and length in seconds, which is counted by the clock of the film (``mvhd``)."""
    head = track.words(b"tkhd")
    if not head:
        return None, None
    across, down = struct.unpack(">II", head[-8:])
    size = Size(across >> 16, down >> 16) if across >> 16 and down >> 16 else None
    if not clock:
        return size, None
    (ticks,) = struct.unpack_from(">I", clock, 20 if clock[:1] == b"\1" else 12)
    (length,) = struct.unpack_from(">Q", head, 28) if head[:1] == b"\1" else struct.unpack_from(">I", head, 20)
    return size, length / ticks if ticks and 0 < length < 1 << 53 else None


def _count(times: bytes) -> int | None:
    """How many pictures the table of times speaks of."""
    if not times:
        return None
    (rows,) = struct.unpack_from(">I", times, 4)
    counts = np.frombuffer(times, ">u4", min(rows, (len(times) - 8) // 8) * 2, 8)[::2]
    return int(counts.sum(dtype=np.int64)) or None


def packing_patches(index: Box, path: Path, layout: Layout) -> list[Patch]:
    """What to put into an H.264 film whose encoder did not write the frame packing message: it, at every entry point.

    Args:
        index: With its entries open; sizes of samples are changed.
        path: The film, whose first picture is read.
        layout: How its views are packed.

    Returns:
        Nothing where the message would not be true, is there already, or the film is not H.264.

    Raises:
        InputError: The tables of samples make no sense.
    """
    words = message(layout)
    track = next(picture_tracks(index), None)
    setup = b"" if track is None else _entry(track).words(b"avcC")
    if words is None or track is None or len(setup) < _AVC_LENGTHS + 1:
        return []
    samples = samples_of(track, path.name)
    if packing_in(_first_units(path, track, "h264"), "h264") is not None:
        return []
    width = (setup[_AVC_LENGTHS] & 3) + 1
    every = np.unique(np.arange(len(samples.sizes)) if samples.entries is None else samples.entries)
    skips = _delimiters(path, samples.starts[every], width)
    return put_before(track, samples, every, len(words).to_bytes(width, "big") + words, skips)


def _delimiters(path: Path, starts: NDArray[np.int64], width: int) -> list[int]:
    """How many bytes the delimiter takes that a picture begins with; 0 where there is none."""
    skips: list[int] = []
    with path.open("rb") as file:
        for at in starts:
            file.seek(int(at))
            head = file.read(width + 1)
            there = len(head) > width and head[width] & 31 == _DELIMITER
            skips.append(width + int.from_bytes(head[:width], "big") if there else 0)
    return skips


def _entry(track: Box) -> Box:
    """The first description of a track's pictures; an empty box if there is none."""
    return next(iter(picture_entries(track)), Box(b""))


def _first_units(path: Path, track: Box, codec: str | None) -> list[bytes]:
    """The units of the first picture of an H.264 or H.265 track; none where it has no first picture."""
    setup = _entry(track).words(b"avcC" if codec == "h264" else b"hvcC")
    at = _AVC_LENGTHS if codec == "h264" else _HEVC_LENGTHS
    if len(setup) <= at:
        return []
    samples = samples_of(track, path.name)
    if not len(samples.starts) or int(samples.sizes[0]) > _LARGEST_SAMPLE:
        return []
    with path.open("rb") as file:
        file.seek(int(samples.starts[0]))
        return list(by_lengths(file.read(int(samples.sizes[0])), (setup[at] & 3) + 1))
