"""The table of a HEIF file: its items, what is said of each, and how they belong together. Read without trust.

Nothing is decoded, and no item's bytes are looked at. Source: ISO/IEC 14496-12, 8.11 and 8.18; ISO/IEC 23008-12, 9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_MOST_BOXES = 20_000
_MOST_LINKS = 100_000
_UUID = 16


@dataclass(frozen=True, slots=True)
class Said:
    """A property: its four letters, or the sixteen bytes that stand for them in a ``uuid`` box, and its content."""

    kind: bytes
    content: bytes


def _no_kinds() -> dict[int, bytes]:
    return {}


def _no_links() -> dict[int, list[int]]:
    return {}


@dataclass(slots=True)
class HeifTable:
    """What a HEIF file lists.

    Attributes:
        primary: The number of the item that is shown where only one is; None where it does not say.
        kinds: The four letters of each item, by its number.
        properties: Everything that is said of anything.
        links: Which of them are said of the items and groups, counted from 0, by their number.
        groups: Kind, number and members of each group.
    """

    primary: int | None = None
    kinds: dict[int, bytes] = field(default_factory=_no_kinds)
    properties: list[Said] = field(default_factory=list[Said])
    links: dict[int, list[int]] = field(default_factory=_no_links)
    groups: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list[tuple[bytes, int, tuple[int, ...]]])

    def said(self, number: int, *kinds: bytes) -> bytes | None:
        """The content of the first property of one of these kinds that is said of a thing; None if none is."""
        own = (self.properties[at] for at in self.links.get(number, ()) if at < len(self.properties))
        return next((one.content for one in own if one.kind in kinds), None)


def heif_table(data: bytes) -> HeifTable | None:
    """Read the table of a HEIF file; None where it has none.

    Raises:
        ValueError: It contradicts itself: boxes that end outside of what holds them, lists that are cut short.
    """
    counter = _Counter()
    for kind, start, end in counter.boxes(data, 0, len(data), cut=True):
        if kind == b"meta":
            try:
                return _table(data, start + 4, end, counter)
            except (struct.error, IndexError) as error:
                raise ValueError("a list is cut short") from error
    return None


class _Counter:
    """Walks over boxes and counts them, so that no file makes it walk for ever."""

    def __init__(self) -> None:
        self.count = 0

    def boxes(self, data: bytes, start: int, end: int, *, cut: bool = False) -> Iterator[tuple[bytes, int, int]]:
        """Kind of each box, and where its content begins and ends; ``cut`` allows the last one to be cut short."""
        while start + 8 <= end:
            self.count += 1
            if self.count > _MOST_BOXES:
                raise ValueError("it has more boxes than any picture")
            size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
            head = 8
            if size == 1:
                size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
            stop = end if size == 0 else start + size
            if stop < start + head or (stop > end and not cut):
                raise ValueError(f"its box {kind.decode('latin-1')!r} ends outside of what holds it")
            yield kind, start + head, min(stop, end)
            start = stop


def _table(data: bytes, start: int, end: int, counter: _Counter) -> HeifTable:
    table = HeifTable()
    for kind, at, stop in counter.boxes(data, start, end):
        part = data[at:stop]
        if kind == b"pitm":
            table.primary = _number(part, 4, wide=part[0] > 0)
        elif kind == b"iinf":
            for inner, begin, finish in counter.boxes(part, 6 if part[0] == 0 else 8, len(part)):
                if inner == b"infe":
                    _note_item(table, part[begin:finish])
        elif kind == b"iprp":
            _note_properties(table, part, counter)
        elif kind == b"grpl":
            for inner, begin, finish in counter.boxes(part, 0, len(part)):
                _note_group(table, inner, part[begin:finish])
    return table


def _note_item(table: HeifTable, entry: bytes) -> None:
    version = entry[0]
    if version in (2, 3):
        wide = version == 3
        at = 10 if wide else 8
        table.kinds[_number(entry, 4, wide=wide)] = entry[at : at + 4]


def _note_properties(table: HeifTable, part: bytes, counter: _Counter) -> None:
    for kind, start, end in counter.boxes(part, 0, len(part)):
        if kind == b"ipco":
            for inner, begin, finish in counter.boxes(part, start, end):
                own = inner == b"uuid" and finish - begin >= _UUID
                table.properties.append(
                    Said(part[begin : begin + _UUID], part[begin + _UUID : finish])
                    if own
                    else Said(inner, part[begin:finish])
                )
        elif kind == b"ipma":
            _note_links(table, part[start:end])


def _note_links(table: HeifTable, part: bytes) -> None:
    wide_number, wide_link = part[0] > 0, bool(part[3] & 1)
    (rows,) = struct.unpack_from(">I", part, 4)
    at, total = 8, 0
    for _ in range(rows):
        number = _number(part, at, wide=wide_number)
        at += 4 if wide_number else 2
        count = part[at]
        at += 1
        total += count + 1
        if total > _MOST_LINKS:
            raise ValueError("it says more of its pictures than any file")
        own = struct.unpack_from(f">{count}{'H' if wide_link else 'B'}", part, at)
        at += count * (2 if wide_link else 1)
        mask = 0x7FFF if wide_link else 0x7F
        table.links.setdefault(number, []).extend((link & mask) - 1 for link in own if link & mask)


def _note_group(table: HeifTable, kind: bytes, part: bytes) -> None:
    if kind == b"uuid":
        return
    number, count = struct.unpack_from(">II", part, 4)
    table.groups.append((kind, number, struct.unpack_from(f">{count}I", part, 12)))


def _number(part: bytes, at: int, *, wide: bool) -> int:
    return struct.unpack_from(">I" if wide else ">H", part, at)[0]
