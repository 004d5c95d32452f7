"""HEIF files: coded pictures, what is said of each of them, and how they belong together.

A file is a table of items (pictures, EXIF records), a list of properties that items share, groups of items, and the
items' bytes behind it. Source: ISO/IEC 14496-12, 8.11 (the meta box) and 8.18 (groups); ISO/IEC 23008-12, 6 and 9.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_URL_HERE = 1
_ESSENTIAL = 0x80
_MOST = 127


@dataclass(frozen=True, slots=True)
class Property:
    """Something said of an item: a whole box, and whether a reader that does not know it must leave the item alone.

    A property that changes the picture (a crop) stands behind those that describe it.
    """

    box: bytes
    essential: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the file.

    Attributes:
        kind: Four letters: ``hvc1`` for an HEVC picture, ``Exif``.
        data: Its bytes.
        properties: What is said of it, in this order.
        describes: The item that this one is about, counted from 0.
        media: Of a ``mime`` item its media type, with a zero behind it.
    """

    kind: bytes
    data: bytes
    properties: tuple[Property, ...] = ()
    describes: int | None = None
    media: bytes = b""


@dataclass(frozen=True, slots=True)
class Group:
    """Items that belong together.

    Attributes:
        kind: Four letters: ``ster`` for a left and a right view.
        members: The items, counted from 0, in the order that the kind asks for.
        properties: What is said of the group.
    """

    kind: bytes
    members: tuple[int, ...]
    properties: tuple[Property, ...] = ()


def box(kind: bytes, *contents: bytes) -> bytes:
    """A box."""
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    """A box that begins with its version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *contents)


def coded_item(record: bytes, stream: bytes, said: Sequence[Property]) -> Item:
    """An HEVC picture with its decoder record and what else is said of it."""
    return Item(b"hvc1", stream, (Property(box(b"hvcC", record), essential=True), *said))


def extent(width: int, height: int) -> Property:
    """The size that a picture is coded in (``ispe``)."""
    return Property(full_box(b"ispe", 0, 0, struct.pack(">II", width, height)))


def bits(*channels: int) -> Property:
    """Bits of each channel (``pixi``)."""
    return Property(full_box(b"pixi", 0, 0, bytes((len(channels), *channels))))


def colour_codes(primaries: int, transfer: int, matrix: int) -> Property:
    """Colours by the numbers of ITU-T H.273, full range (``colr`` ``nclx``)."""
    return Property(box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, _ESSENTIAL)))


def colour_profile(profile: bytes) -> Property:
    """Colours by an ICC profile (``colr`` ``prof``)."""
    return Property(box(b"colr", b"prof", profile))


def upper_left(width: int, height: int, coded_width: int, coded_height: int) -> Property:
    """The upper left part of a coded picture is what is to be seen (``clap``, counted from its middle)."""
    middle = struct.pack(">iIiI", width - coded_width, 2, height - coded_height, 2)
    return Property(box(b"clap", struct.pack(">IIII", width, 1, height, 1), middle), essential=True)


def exif_item(record: bytes, describes: int) -> Item:
    r"""An EXIF record (beginning ``Exif\0\0``) about a picture."""
    return Item(b"Exif", struct.pack(">I", 6) + record, describes=describes)


def xmp_item(packet: bytes, describes: int) -> Item:
    """An XMP packet about a picture (ISO/IEC 23008-12, A.3)."""
    return Item(b"mime", packet, describes=describes, media=b"application/rdf+xml\0")


def heif_file(items: Sequence[Item], groups: Sequence[Group] = ()) -> bytes:
    """The bytes of a HEIC file.

    Args:
        items: The first one is the picture that is shown where only one is. They are numbered from 1; the groups'
            numbers go on behind theirs.
        groups: How they belong together.
    """
    head = box(b"ftyp", b"heic", bytes(4), b"mif1", b"miaf", b"heic")
    start = len(head) + len(_meta(items, groups, 0)) + 8
    return head + _meta(items, groups, start) + box(b"mdat", *(item.data for item in items))


def _meta(items: Sequence[Item], groups: Sequence[Group], start: int) -> bytes:
    """The table of everything, for bytes of items that begin at ``start``."""
    numbers = range(1, len(items) + 1)
    infos = [
        full_box(b"infe", 2, 0, struct.pack(">HH4s", number, 0, item.kind), b"\0", item.media)
        for number, item in zip(numbers, items, strict=True)
    ]
    places: list[bytes] = []
    at = start
    for number, item in zip(numbers, items, strict=True):
        places.append(struct.pack(">HHHII", number, 0, 1, at, len(item.data)))
        at += len(item.data)
    links = [
        box(b"cdsc", struct.pack(">HHH", number, 1, item.describes + 1))
        for number, item in zip(numbers, items, strict=True)
        if item.describes is not None
    ]
    rows = [
        full_box(
            group.kind,
            0,
            0,
            struct.pack(f">II{len(group.members)}I", number, len(group.members), *(at + 1 for at in group.members)),
        )
        for number, group in enumerate(groups, len(items) + 1)
    ]
    return full_box(
        b"meta",
        0,
        0,
        full_box(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
        box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, _URL_HERE))),
        full_box(b"pitm", 0, 0, struct.pack(">H", 1)),
        full_box(b"iinf", 0, 0, struct.pack(">H", len(items)), *infos),
        full_box(b"iref", 0, 0, *links) if links else b"",
        _properties([one.properties for one in (*items, *groups)]),
        box(b"grpl", *rows) if rows else b"",
        full_box(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(items)), *places),
    )


def _properties(said: Sequence[tuple[Property, ...]]) -> bytes:
    """Every different property once, and which of them are said of the things that are numbered from 1 on."""
    known: dict[bytes, int] = {}
    rows: list[bytes] = []
    for number, own in enumerate(said, 1):
        marks = [known.setdefault(one.box, len(known) + 1) | (_ESSENTIAL if one.essential else 0) for one in own]
        if marks:
            rows.append(struct.pack(">HB", number, len(marks)) + bytes(marks))
    if len(known) > _MOST:
        raise ValueError(f"{len(known)} properties are more than a short table holds")
    return box(b"iprp", box(b"ipco", *known), full_box(b"ipma", 0, 0, struct.pack(">I", len(rows)), *rows))
