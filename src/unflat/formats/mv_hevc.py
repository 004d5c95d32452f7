"""MV-HEVC streams, which hold a base layer and the other eye, become QuickTime films that players know as spatial.

FFmpeg's muxer takes such a stream apart wrongly (a picture for each layer, no ``lhvC``), so the film is written here:
one sample holds both layers of a picture, parameter sets stand in ``hvcC`` and ``lhvC`` alone, and ``vexu`` says that
both eyes are there (:mod:`unflat.formats.stereo_boxes`). FFmpeg decodes both views of what is written. No Apple device
was at hand; their acceptance is not verified.

Source: Apple, "HEVC Stereo Video Interoperability Profile" (0.9), as far as it could be read; ISO/IEC 14496-12 and -15;
Apple, QuickTime File Format.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.boxes import Box, full
from unflat.formats.hevc_setup import (
    PPS,
    SETS,
    SPS,
    SUFFIX_SEI,
    BaseSet,
    Order,
    base_box,
    begins_picture,
    is_entry,
    is_picture,
    kind_of,
    layer_of,
    layered_box,
    tells_eyes,
)
from unflat.formats.nal_units import units_of
from unflat.formats.stereo_boxes import StereoMarks, boxes_for
from unflat.types.stereo import Layout

_TO_A_CHUNK = 24
_CLOCK = 90_000
_MOST_TICKS = 1 << 31
_SQUARE = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_NO_LANGUAGE = 0x55C4
_BT709 = struct.pack(">4sHHH", b"nclc", 1, 1, 1)
_DELIMITER, _END_OF_SEQUENCE, _END_OF_STREAM, _FILLER = 35, 36, 37, 38


@dataclass(frozen=True, slots=True)
class _Timing:
    """Times of the samples in ticks.

    Attributes:
        clock: Ticks a second.
        length: Of the film.
        steps: From the decoding of each picture to that of the next.
        late: From the decoding of each to its showing; none is negative.
        delay: From the first decoding to the first showing.
    """

    clock: int
    length: int
    steps: tuple[int, ...]
    late: tuple[int, ...]
    delay: int


@dataclass(slots=True)
class _Pictures:
    """What is known of the samples once they are written.

    Attributes:
        sizes: In bytes.
        shown: Sequence and place of each.
        entries: Numbers from 0 of those that decoding can begin at.
        sets: Parameter sets and messages by layer, each once.
        order: Counts the pictures.
    """

    sizes: list[int] = field(default_factory=list[int])
    shown: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    entries: list[int] = field(default_factory=list[int])
    sets: dict[int, list[bytes]] = field(default_factory=dict[int, list[bytes]])
    order: Order | None = None

    def keep(self, unit: bytes) -> None:
        """Remember a parameter set or a message.

        Raises:
            InputError: Another of the same kind says something else: there is one description for all of the film.
        """
        known = self.sets.setdefault(layer_of(unit), [])
        if unit in known:
            return
        if any(kind_of(old) == kind_of(unit) for old in known):
            raise InputError("the parts of the stream are coded differently", hint="Encode all of it at once.")
        known.append(unit)


def write_spatial(
    streams: Sequence[Path],
    times: Sequence[Fraction],
    target: Path,
    marks: StereoMarks,
    *,
    clock: int | None = None,
    comment: str = "",
    force: bool = False,
) -> None:
    """Write MV-HEVC streams, one after the other, as a silent film.

    Args:
        streams: Files with start codes, as x265 writes them; each begins with a picture that decoding can begin at.
        times: When each picture is shown, in seconds, ascending, and when the last one ends; the film begins with the
            first.
        target: ``.mov`` or ``.mp4``.
        marks: Which eye is which, how far apart they are. The layout is ``SPATIAL``.
        clock: Ticks a second, to which times are kept; None takes as many as say all times exactly.
        comment: Free words.
        force: Replace a file that exists.

    Raises:
        InputError: No MV-HEVC stream, a damaged one, or not as many pictures as times.
        OutputError: The place cannot be written.
    """
    apple = target.suffix.lower() == ".mov"
    if marks.layout is not Layout.SPATIAL or not (apple or target.suffix.lower() == ".mp4"):
        raise InputError(f"spatial films are QuickTime films, not {target.name}", hint="Use a name that ends in .mov.")
    with replacing(target, force=force) as (draft,), draft.open("wb") as out:
        kind = b"qt  " if apple else b"isom"
        out.write(Box(b"ftyp", kind + struct.pack(">I", 0x200) + kind + (b"" if apple else b"mp41")).whole)
        out.write(struct.pack(">I4sQ", 1, b"mdat", 0))
        begin = out.tell()
        pictures = _Pictures()
        for sample in _samples(streams, pictures):
            out.write(sample)
        if len(pictures.sizes) + 1 != len(times):
            raise InputError(f"the stream holds {len(pictures.sizes)} pictures, not {len(times) - 1}")
        end = out.tell()
        out.seek(begin - 8)
        out.write(struct.pack(">Q", end - begin + 16))
        out.seek(end)
        timing = _timing(pictures, [time - times[0] for time in times], clock)
        index = _index(pictures, timing, begin, marks, apple)
        if comment:
            index.inner = [*(index.inner or ()), _comment(comment)]
        out.write(index.whole)


def _samples(streams: Sequence[Path], pictures: _Pictures) -> Iterator[bytes]:
    """The pictures, both layers together, each unit with its length before it."""
    for path in streams:
        try:
            with path.open("rb") as file:
                yield from _samples_in(file, pictures)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if not pictures.sizes:
        raise InputError("the stream holds no picture", hint="Encode it again.")
    if not any(kind_of(unit) == SPS for unit in pictures.sets.get(1, [])):
        raise InputError("the stream holds one view only: it is plain H.265", hint="x265 needs --num-views 2.")


def _samples_in(file: BinaryIO, pictures: _Pictures) -> Iterator[bytes]:
    sample: list[bytes] = []
    waiting: list[bytes] = []
    for unit in units_of(file):
        kind = kind_of(unit)
        if len(unit) < 3 or kind in (_DELIMITER, _FILLER):
            continue
        if kind in SETS:
            pictures.keep(unit)
            continue
        if not is_picture(unit):
            if tells_eyes(unit):
                pictures.keep(unit)
            late = kind in (SUFFIX_SEI, _END_OF_SEQUENCE, _END_OF_STREAM)
            (sample if late and sample else waiting).append(unit)
            continue
        if layer_of(unit) == 0 and begins_picture(unit):
            if sample:
                yield _counted(sample, pictures)
            sample = []
            _count(unit, pictures)
        elif not sample:
            raise InputError("the stream is damaged: it begins in the middle of a picture", hint="Encode it again.")
        sample += [*waiting, unit]
        waiting = []
    if sample:
        yield _counted(sample, pictures)


def _count(unit: bytes, pictures: _Pictures) -> None:
    """Note a picture that begins."""
    if pictures.order is None:
        base = {kind_of(one): one for one in pictures.sets.get(0, [])}
        if SPS not in base or PPS not in base:
            raise InputError("the stream is damaged: pictures come before parameter sets", hint="Encode it again.")
        pictures.order = Order.of(base[SPS], base[PPS])
    if is_entry(unit):
        pictures.entries.append(len(pictures.shown))
    pictures.shown.append(pictures.order.number(unit))


def _counted(units: list[bytes], pictures: _Pictures) -> bytes:
    sample = b"".join(struct.pack(">I", len(unit)) + unit for unit in units)
    pictures.sizes.append(len(sample))
    return sample


def _timing(pictures: _Pictures, times: Sequence[Fraction], clock: int | None) -> _Timing:
    """When each picture is decoded and shown: decoded at the times at which pictures are shown, and shown later."""
    clock = clock or _clock(times)
    ticks = [round(time * clock) for time in times]
    if any(second <= first for first, second in pairwise(ticks)):
        raise InputError("two pictures are shown at the same time")
    order = sorted(range(len(pictures.shown)), key=lambda number: pictures.shown[number])
    when = [0] * len(order)
    for place, number in enumerate(order):
        when[number] = ticks[place]
    decoded = ticks[:-1]
    delay = max(early - shown for early, shown in zip(decoded, when, strict=True))
    late = tuple(shown - early + delay for early, shown in zip(decoded, when, strict=True))
    return _Timing(clock, ticks[-1], tuple(second - first for first, second in pairwise(ticks)), late, delay)


def _index(pictures: _Pictures, timing: _Timing, begin: int, marks: StereoMarks, apple: bool) -> Box:
    """The index (``moov``); one track."""
    if pictures.order is None:
        raise InputError("the stream holds no picture", hint="Encode it again.")
    base, clock, length = pictures.order.base, timing.clock, timing.length
    table = [_description(base, pictures.sets, marks, apple), _runs(b"stts", timing.steps)]
    if any(timing.late):
        table.append(_runs(b"ctts", timing.late))
    table += [_entries(pictures), *_places(pictures.sizes, begin)]
    handler = full(b"hdlr", (b"mhlr" if apple else bytes(4)) + b"vide" + bytes(12) + b"\0")
    sources = Box(b"dinf", inner=[Box(b"dref", struct.pack(">II", 0, 1), [full(b"url ", b"", flags=1)])])
    media = [
        full(b"mdhd", struct.pack(">QQIQHH", 0, 0, clock, length, _NO_LANGUAGE, 0), version=1),
        handler,
        Box(b"minf", inner=[full(b"vmhd", bytes(8), flags=1), sources, Box(b"stbl", inner=table)]),
    ]
    size = struct.pack(">II", base.size.width << 16, base.size.height << 16)
    head = struct.pack(">QQII", 0, 0, 1, 0) + struct.pack(">Q", length) + bytes(16) + _SQUARE + size
    edit = full(b"elst", struct.pack(">IQqI", 1, length, timing.delay, 1 << 16), version=1)
    track = [full(b"tkhd", head, version=1, flags=3), Box(b"edts", inner=[edit]), Box(b"mdia", inner=media)]
    film = struct.pack(">QQIQ", 0, 0, clock, length) + struct.pack(">IH", 1 << 16, 0x100) + bytes(10)
    film += _SQUARE + bytes(24) + struct.pack(">I", 2)
    return Box(b"moov", inner=[full(b"mvhd", film, version=1), Box(b"trak", inner=track)])


def _comment(words: str) -> Box:
    """Free words, where iTunes and FFmpeg put them."""
    data = Box(b"data", struct.pack(">II", 1, 0) + words.encode())
    handler = full(b"hdlr", bytes(4) + b"mdirappl" + bytes(9))
    meta = full(b"meta", b"")
    meta.inner = [handler, Box(b"ilst", inner=[Box(b"\xa9cmt", inner=[data])])]
    return Box(b"udta", inner=[meta])


def _clock(times: Sequence[Fraction]) -> int:
    """Ticks a second: as many as it takes to say all times exactly, else a usual number."""
    exact = math.lcm(*(time.denominator for time in times))
    while exact < 600:
        exact *= 10
    return exact if exact < _MOST_TICKS and times[-1] * exact < 1 << 62 else _CLOCK


def _description(base: BaseSet, sets: dict[int, list[bytes]], marks: StereoMarks, apple: bool) -> Box:
    """The description of the pictures: decoders' setup for both layers, colours, eyes."""
    lead = bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", base.size.width, base.size.height)
    lead += struct.pack(">IIIH", 72 << 16, 72 << 16, 0, 1) + bytes(32) + struct.pack(">Hh", 24, -1)
    colour = _BT709 if apple else _BT709.replace(b"nclc", b"nclx") + b"\0"
    setup = [Box(b"hvcC", base_box(base, sets[0])), Box(b"lhvC", layered_box(base, sets[1]))]
    inner = [*setup, *boxes_for(marks), Box(b"colr", colour)]
    return Box(b"stsd", struct.pack(">II", 0, 1), [Box(b"hvc1", lead, inner)])


def _runs(kind: bytes, values: Sequence[int]) -> Box:
    """A table of equal values in a row and how many there are."""
    rows: list[list[int]] = []
    for value in values:
        if rows and rows[-1][1] == value:
            rows[-1][0] += 1
        else:
            rows.append([1, value])
    return full(kind, struct.pack(">I", len(rows)) + b"".join(struct.pack(">II", *row) for row in rows))


def _entries(pictures: _Pictures) -> Box:
    numbers = (np.array(pictures.entries, np.int64) + 1).astype(">u4").tobytes()
    return full(b"stss", struct.pack(">I", len(pictures.entries)) + numbers)


def _places(sizes: Sequence[int], begin: int) -> list[Box]:
    """Sizes and places of the samples, some to a chunk."""
    ends = begin + np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    chunks = ends[:-1:_TO_A_CHUNK]
    whole, rest = divmod(len(sizes), _TO_A_CHUNK)
    rows = [(1, _TO_A_CHUNK, 1)] if whole else []
    rows += [(whole + 1, rest, 1)] if rest else []
    return [
        full(b"stsc", struct.pack(">I", len(rows)) + b"".join(struct.pack(">III", *row) for row in rows)),
        full(b"stsz", struct.pack(">II", 0, len(sizes)) + np.array(sizes, ">u4").tobytes()),
        full(b"co64", struct.pack(">I", len(chunks)) + chunks.astype(">u8").tobytes()),
    ]
