"""MPO: both eyes as two JPEG pictures in one file, for stereo cameras, 3D televisions and the 3DS.

The first picture is the left eye, which is also what programs show that know nothing of the format; an index in its
APP2 segment says where the second one begins. Both say that they are views of one scene ("multi-frame disparity"),
which of them is the base (the left), that their axes are parallel, and how far apart they stand. A distance that is not
known is written with all bits set.

Source: CIPA DC-007-2009 (Multi-Picture Format). That cameras of Fujifilm refuse files with a JFIF header, without EXIF,
without the version or without an index in the second picture is told in python-pillow/Pillow#6720.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.exif_jpeg import coded_picture, segment, told_segments
from unflat.formats.ifd import (
    HEADER,
    Order,
    Tag,
    bytes_tag,
    directory,
    fraction,
    header_order,
    long_tag,
    rational_tag,
    read_directory,
    whole_number,
)
from unflat.formats.jpeg import JpegStream
from unflat.types.image import Size
from unflat.types.stereo import StereoPair

MARK = b"MPF\0"
_SOI, _APP1, _APP2 = b"\xff\xd8", 0xE1, 0xE2
_VERSION, _COUNT, _ENTRIES, _NUMBER = 0xB000, 0xB001, 0xB002, 0xB101
_BASE, _CONVERGENCE, _BASELINE = 0xB204, 0xB205, 0xB206
_REPRESENTATIVE = 1 << 29
_DISPARITY = 0x020002
_KINDS = {
    0x030000: "primary",
    0x010001: "thumbnail",
    0x010002: "thumbnail",
    0x020001: "panorama",
    _DISPARITY: "disparity",
    0x020003: "angle",
}
_UNKNOWN = 0xFFFFFFFF
_ENTRY = 16
_MICRO = 1_000_000
_LARGEST = 4000


@dataclass(frozen=True, slots=True)
class MultiPicture:
    """One picture of a multi-picture file; None where the file does not say.

    Attributes:
        kind: "disparity" (an eye), "panorama", "angle", "thumbnail", "primary" or "undefined".
        start: Where its stream begins in the file.
        length: Of its stream, in bytes.
        size: In pixels.
        number: Of the viewpoint, from the left, counted from 1.
        base: The number of the viewpoint that lengths are measured from.
        convergence_deg: Between the axes of this camera and the base.
        baseline_m: Between this camera and its neighbour.
    """

    kind: str
    start: int
    length: int
    size: Size | None = None
    number: int | None = None
    base: int | None = None
    convergence_deg: float | None = None
    baseline_m: float | None = None


def write(
    pair: StereoPair,
    path: Path,
    *,
    force: bool = False,
    quality: int = 92,
    text: dict[str, str] | None = None,
) -> None:
    """Write both eyes into an MPO file.

    Author, copyright, time and colour profile of the source travel, and nothing else of its metadata.

    Args:
        pair: What the eyes see.
        path: Where to.
        force: Replace a file that exists.
        quality: 1..100, of each picture.
        text: Provenance, key to text: the EXIF image description of the first picture, as JSON.

    Raises:
        InputError: The quality is none, or the picture is too large for JPEG.
        OutputError: The place cannot be written, or the provenance is too long.
    """
    with replacing(path, force=force) as (draft,):
        draft.write_bytes(encoded(pair, quality, text))


def encoded(pair: StereoPair, quality: int = 92, text: dict[str, str] | None = None) -> bytes:
    """The bytes of an MPO file; see :func:`write`."""
    head, tail = (_SOI + told_segments(pair, words) for words in (text, None))
    second = tail + segment(_APP2, MARK + HEADER + directory(_attributes(2, pair.baseline_m), len(HEADER)))
    second += coded_picture(pair.right, quality, pair.profile)
    picture = coded_picture(pair.left, quality, pair.profile)
    index = segment(_APP2, MARK + _index(0, 0, 0, pair.baseline_m))
    first = len(head) + len(index) + len(picture)
    from_header = first - len(head) - 4 - len(MARK)
    index = segment(_APP2, MARK + _index(first, from_header, len(second), pair.baseline_m))
    return head + index + picture + second


def _index(first: int, second_at: int, second: int, baseline_m: float | None) -> bytes:
    """The index of the first picture and, behind it, that picture's own attributes; lengths in bytes."""
    entries = struct.pack("<IIIHH", _REPRESENTATIVE | _DISPARITY, first, 0, 0, 0)
    entries += struct.pack("<IIIHH", _DISPARITY, second, second_at, 0, 0)
    table = [bytes_tag(_VERSION, b"0100"), long_tag(_COUNT, 2), bytes_tag(_ENTRIES, entries)]
    own_at = len(HEADER) + len(directory(table, len(HEADER)))
    own = [tag for tag in _attributes(1, baseline_m) if tag.number != _VERSION]
    return HEADER + directory(table, len(HEADER), own_at) + directory(own, own_at)


def _attributes(number: int, baseline_m: float | None) -> list[Tag]:
    """What the picture of viewpoint ``number`` says of its camera, whose axis is parallel to the base's."""
    known = baseline_m is not None and 0 <= baseline_m < _LARGEST
    length = (round(baseline_m * _MICRO), _MICRO) if known and baseline_m is not None else (_UNKNOWN, _UNKNOWN)
    return [
        bytes_tag(_VERSION, b"0100"),
        long_tag(_NUMBER, number),
        long_tag(_BASE, 1),
        rational_tag(_CONVERGENCE, 0, 1, signed=True),
        rational_tag(_BASELINE, *length),
    ]


def read_pictures(data: bytes) -> tuple[MultiPicture, ...]:
    """What the index of a JPEG file lists; empty for a JPEG without one.

    Nothing is decoded. A first picture alone, whose others a program has cut off, is damage.

    Args:
        data: The whole file.

    Raises:
        InputError: It has an index, but one that contradicts itself or the file.
    """
    found = _segment_of(data, 0)
    if found is None:
        return ()
    start, block = found
    try:
        order, at = header_order(block)
        table, own_at = read_directory(block, at, order)
        count, entries = whole_number(table.get(_COUNT), order), table.get(_ENTRIES)
        if not count or entries is None or len(entries.raw) < count * _ENTRY:
            raise ValueError("it does not list its pictures")
        pictures: list[MultiPicture] = []
        for row in range(count):
            flags, length, offset = struct.unpack_from(f"{order}III", entries.raw, row * _ENTRY)
            begin = start + offset if offset else 0
            if begin + length > len(data) or data[begin : begin + 2] != _SOI:
                raise ValueError(f"picture {row + 1} of {count} is not where it should be")
            if length + sum(picture.length for picture in pictures) > len(data):
                raise ValueError("its pictures lie upon each other")
            own = read_directory(block, own_at, order) if row == 0 and own_at else None
            kind = _KINDS.get(flags & 0xFFFFFF, "undefined")
            pictures.append(_described(kind, data[begin : begin + length], begin, own and (own[0], order)))
    except (ValueError, struct.error) as error:
        raise InputError(f"its list of pictures is damaged: {error}", hint="Copy the file again.") from error
    return tuple(pictures)


def _described(kind: str, stream: bytes, begin: int, own: tuple[dict[int, Tag], Order] | None) -> MultiPicture:
    """A picture with what its own directory says, which the first one has behind the index."""
    found = _segment_of(stream, 0) if own is None else None
    if found is not None:
        order, at = header_order(found[1])
        own = read_directory(found[1], at, order)[0], order
    tags, order = own if own is not None else ({}, "<")
    return MultiPicture(
        kind,
        begin,
        len(stream),
        frame_size(stream),
        whole_number(tags.get(_NUMBER), order),
        whole_number(tags.get(_BASE), order),
        fraction(tags.get(_CONVERGENCE), order),
        fraction(tags.get(_BASELINE), order),
    )


def _segment_of(data: bytes, start: int) -> tuple[int, bytes] | None:
    """Where the Multi-Picture header of a stream stands, and everything from there to the end of its segment."""
    stream = JpegStream.parse(data[start:])
    for part in stream.segments if stream is not None else ():
        content = data[start + part.start + 4 : start + part.end]
        if part.code == _APP2 and content.startswith(MARK):
            return start + part.start + 4 + len(MARK), content[len(MARK) :]
    return None


def frame_size(stream: bytes) -> Size | None:
    """The size that the frame header of a JPEG stream states; None if there is none."""
    parsed = JpegStream.parse(stream)
    for part in parsed.segments if parsed is not None else ():
        if 0xC0 <= part.code <= 0xCF and part.code not in (0xC4, 0xC8, 0xCC) and part.end - part.start >= 9:
            height, width = struct.unpack_from(">HH", stream, part.start + 5)
            return Size(width, height) if width and height else None
    return None
