"""The elements of Matroska and WebM films, read without trust, changed and written again.

Source: RFC 8794 (EBML): variable-length integers, unknown lengths, CRC-32 and Void elements.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from unflat.errors import InputError

CRC, VOID = 0xBF, 0xEC
_MOST = 1_000_000
_DEEPEST = 12


def _none() -> list[Element]:
    return []


@dataclass(slots=True)
class Element:
    """An element; one that is opened has ``inner`` instead of ``content``.

    Attributes:
        id: Its number, with the marker bit.
        content: Its bytes.
        inner: The elements in it.
        opened: Whether it is opened.
    """

    id: int
    content: bytes = b""
    inner: list[Element] = field(default_factory=_none)
    opened: bool = False

    @property
    def whole(self) -> bytes:
        """The element as it stands in a file; a checksum at its beginning is made anew."""
        content = self.content
        if self.opened:
            content = b"".join(one.whole for one in self.inner if one.id != CRC)
            if any(one.id == CRC for one in self.inner):
                content = head_of(CRC, 4) + zlib.crc32(content).to_bytes(4, "little") + content
        return head_of(self.id, len(content)) + content

    def all(self, *way: int) -> list[Element]:
        """Every element that is reached by going down the numbers of ``way``."""
        here = [one for one in self.inner if one.id == way[0]]
        return here if len(way) == 1 else [deep for one in here for deep in one.all(*way[1:])]

    def first(self, *way: int) -> Element | None:
        """The first of them, or None."""
        return next(iter(self.all(*way)), None)

    def number(self, *way: int) -> int | None:
        """The first of them as an unsigned number."""
        found = self.first(*way)
        return None if found is None or len(found.content) > 8 else int.from_bytes(found.content, "big")

    def put(self, one: Element) -> None:
        """Set the element of its number in this one, in place of the first of old ones."""
        at = next((i for i, old in enumerate(self.inner) if old.id == one.id), len(self.inner))
        kept = [old for old in self.inner if old.id != one.id]
        self.inner = [*kept[:at], one, *kept[at:]]

    def drop(self, *ids: int) -> None:
        """Take away the elements of these numbers."""
        self.inner = [old for old in self.inner if old.id not in ids]


def unsigned(number_of: int, value: int, width: int = 1) -> Element:
    """An unsigned number in at least ``width`` bytes."""
    return Element(number_of, value.to_bytes(max(width, (value.bit_length() + 7) // 8, 1), "big"))


def head_of(id_: int, size: int, width: int = 0) -> bytes:
    """Number and length of an element; the length in ``width`` bytes, or as few as it takes."""
    width = width or next(count for count in range(1, 9) if size < (1 << 7 * count) - 1)
    return id_.to_bytes((id_.bit_length() + 7) // 8, "big") + (size | 1 << 7 * width).to_bytes(width, "big")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element stands in its file, in bytes; ``stop`` is None where its length is unknown."""

    id: int
    start: int
    body: int
    stop: int | None


def places(file: BinaryIO, start: int, end: int, name: str) -> Iterator[Place]:
    """The elements of one level, one after the other, unread; ends after one of unknown length.

    Raises:
        InputError: An element ends outside of what holds it, or there are too many.
    """
    at, count = start, 0
    while at < end:
        file.seek(at)
        place = place_in(file.read(12), at, name)
        stop = place.stop
        count += 1
        if (stop is not None and stop > end) or count > _MOST:
            raise damaged(name, f"an element at byte {at} ends outside of what holds it")
        yield place
        if stop is None:
            return
        at = stop


def place_in(head: bytes, at: int, name: str) -> Place:
    """Number and length of an element from its first bytes.

    Raises:
        InputError: They are none.
    """
    wide = 9 - head[0].bit_length() if head and head[0] else 9
    if wide > 4 or len(head) <= wide or not head[wide]:
        raise damaged(name, f"there is no element at byte {at}")
    width = 9 - head[wide].bit_length()
    body = wide + width
    if body > len(head):
        raise damaged(name, f"there is no element at byte {at}")
    size = int.from_bytes(head[wide:body], "big") & (1 << 7 * width) - 1
    unknown = size == (1 << 7 * width) - 1
    return Place(int.from_bytes(head[:wide], "big"), at, at + body, None if unknown else at + body + size)


def opened(id_: int, content: bytes, inside: frozenset[int], name: str) -> Element:
    """An element from its content, with those in it opened whose numbers are in ``inside``.

    Raises:
        InputError: Elements in it end outside of it.
    """
    left = [_MOST]
    return _opened(id_, content, inside, name, left)


def _opened(id_: int, content: bytes, inside: frozenset[int], name: str, left: list[int], depth: int = 0) -> Element:
    found: list[Element] = []
    at = 0
    while at < len(content):
        left[0] -= 1
        place = place_in(content[at : at + 12], at, name)
        stop = len(content) if place.stop is None else place.stop
        if stop > len(content) or left[0] < 0 or depth > _DEEPEST:
            raise damaged(name, "an element ends outside of what holds it")
        within = content[place.body : stop]
        deep = place.id in inside
        found.append(_opened(place.id, within, inside, name, left, depth + 1) if deep else Element(place.id, within))
        at = stop
    return Element(id_, b"", found, True)


def length_of(file: BinaryIO) -> int:
    """Of a file in bytes."""
    return file.seek(0, os.SEEK_END)


def damaged(name: str, why: str) -> InputError:
    """What is said of a film that makes no sense."""
    return InputError(f"{name} is damaged: {why}", hint="Copy the file again.")
