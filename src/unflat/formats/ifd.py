"""TIFF directories: the tables of tags that EXIF and the Multi-Picture Format are made of.

Written little endian ("II"); read in either order, without trust. Source: TIFF 6.0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Literal, NamedTuple

HEADER = b"II*\0\x08\0\0\0"
"""Little endian, the first directory right behind."""
ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 2, 3, 4, 5, 7, 10
_WIDTH = {1: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, 6: 1, UNDEFINED: 1, 8: 2, 9: 4, SRATIONAL: 8, 11: 4, 12: 8}
Order = Literal["<", ">"]


class Tag(NamedTuple):
    """One row of a directory: its number, the kind of its values, how many they are, and their bytes."""

    number: int
    kind: int
    values: int
    raw: bytes


def ascii_tag(number: int, text: str) -> Tag:
    """Text in UTF-8 with its closing zero."""
    raw = text.encode() + b"\0"
    return Tag(number, ASCII, len(raw), raw)


def short_tag(number: int, value: int) -> Tag:
    """One number of 16 bits."""
    return Tag(number, SHORT, 1, struct.pack("<H", value))


def long_tag(number: int, value: int) -> Tag:
    """One number of 32 bits."""
    return Tag(number, LONG, 1, struct.pack("<I", value))


def bytes_tag(number: int, raw: bytes) -> Tag:
    """Bytes that TIFF does not know the meaning of."""
    return Tag(number, UNDEFINED, len(raw), raw)


def rational_tag(number: int, over: int, under: int, *, signed: bool = False) -> Tag:
    """One fraction."""
    return Tag(number, SRATIONAL if signed else RATIONAL, 1, struct.pack("<ii" if signed else "<II", over, under))


def directory(tags: Sequence[Tag], at: int, following: int = 0) -> bytes:
    """The bytes of a directory with the values that do not fit into its rows behind it.

    Args:
        tags: In any order.
        at: Where the directory begins, counted from the TIFF header.
        following: Where the next one begins; 0 for none.
    """
    rows, heap, heap_at = b"", b"", at + 2 + 12 * len(tags) + 4
    for tag in sorted(tags, key=lambda tag: tag.number):
        place = tag.raw.ljust(4, b"\0")
        if len(tag.raw) > 4:
            place = struct.pack("<I", heap_at + len(heap))
            heap += tag.raw + b"\0" * (len(tag.raw) % 2)
        rows += struct.pack("<HHI", tag.number, tag.kind, tag.values) + place
    return struct.pack("<H", len(tags)) + rows + struct.pack("<I", following) + heap


def header_order(block: bytes) -> tuple[Order, int]:
    """The byte order that a TIFF header states, and where its first directory begins.

    Raises:
        ValueError: It is no TIFF header.
    """
    order: Order | None = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])  # pyright: ignore[reportAssignmentType]
    if order is None or len(block) < 8:
        raise ValueError("no TIFF header")
    return order, struct.unpack_from(f"{order}I", block, 4)[0]


def read_directory(block: bytes, at: int, order: Order) -> tuple[dict[int, Tag], int]:
    """The tags of the directory at ``at``, and where the next one begins (0: nowhere).

    Raises:
        ValueError: It, or a value of it, reaches beyond the block.
    """
    if not 0 <= at <= len(block) - 2:
        raise ValueError("a directory lies outside the file")
    (count,) = struct.unpack_from(f"{order}H", block, at)
    end = at + 2 + 12 * count
    if end + 4 > len(block):
        raise ValueError("a directory is cut short")
    found: dict[int, Tag] = {}
    for row in range(at + 2, end, 12):
        number, kind, values = struct.unpack_from(f"{order}HHI", block, row)
        length = _WIDTH.get(kind, 1) * values
        start = row + 8 if length <= 4 else struct.unpack_from(f"{order}I", block, row + 8)[0]
        if start + length > len(block):
            raise ValueError(f"the values of tag {number:#x} lie outside the file")
        found.setdefault(number, Tag(number, kind, values, block[start : start + length]))
    return found, struct.unpack_from(f"{order}I", block, end)[0]


def whole_number(tag: Tag | None, order: Order) -> int | None:
    """The first value of a SHORT or LONG; None for anything else."""
    if tag is None or not tag.values or tag.kind not in (SHORT, LONG):
        return None
    return struct.unpack_from(f"{order}{'H' if tag.kind == SHORT else 'I'}", tag.raw)[0]


def fraction(tag: Tag | None, order: Order) -> float | None:
    """The first fraction of a tag; None where it has none, where it is n/0, or all bits are set: unknown."""
    if tag is None or not tag.values or tag.kind not in (RATIONAL, SRATIONAL):
        return None
    over, under = struct.unpack_from(f"{order}{'II' if tag.kind == RATIONAL else 'ii'}", tag.raw)
    return None if under == 0 or tag.raw[:8] == b"\xff" * 8 else over / under
