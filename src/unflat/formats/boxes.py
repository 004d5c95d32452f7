"""The boxes of MP4 and QuickTime films, as a tree that can be read, changed and written again.

Only boxes that are known to hold others are opened; everything else stays the bytes that it was. Lengths that lie,
boxes that end outside of what holds them, and more boxes than any film has are refused with one clear error.

Source: ISO/IEC 14496-12 (ISO base media file format), 4.2 and 8; Apple, QuickTime File Format.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from unflat.errors import InputError

_INSIDE = frozenset(
    (
        *(
            b"moov",
            b"trak",
            b"mdia",
            b"minf",
            b"dinf",
            b"dref",
            b"stbl",
            b"udta",
            b"meta",
            b"ilst",
            b"\xa9cmt",
            b"mvex",
        ),
        *(b"vexu", b"eyes", b"cams", b"cmfy", b"pack", b"sv3d", b"proj"),
    )
)
_LOOSE = (b"udta", b"meta", b"ilst", b"\xa9cmt")
"""Boxes of words for people; what makes no sense inside them harms nothing and is kept as it is."""
_DEEPEST = 12
_MOST_BOXES = 20_000
_MOST_TOP_BOXES = 100_000
LARGEST_INDEX = 1 << 27
"""Bytes of an index that are read into memory: that of a film of some days has fewer."""
_VISUAL_LEAD = 78
_ENTRIES_LEAD = 8


@dataclass(slots=True)
class Box:
    """A box.

    Attributes:
        kind: Its four letters.
        lead: Its content, or what stands before the boxes in it.
        inner: The boxes in it; None for one that holds none or is not opened.
        tail: What stands behind them: QuickTime ends some lists with four zero bytes.
    """

    kind: bytes
    lead: bytes = b""
    inner: list[Box] | None = None
    tail: bytes = b""

    @property
    def content(self) -> bytes:
        """All that stands behind the box's head."""
        return b"".join((self.lead, *(box.whole for box in self.inner or ()), self.tail))

    @property
    def whole(self) -> bytes:
        """The box as it stands in a file.

        Raises:
            InputError: It is larger than 4 GB.
        """
        content = self.content
        if len(content) + 8 > 0xFFFFFFFF:
            raise InputError("the film's index is larger than 4 GB")
        return struct.pack(">I", len(content) + 8) + self.kind + content

    def all(self, *way: bytes) -> list[Box]:
        """Every box that is reached by going down the kinds of ``way``."""
        here = [inner for inner in self.inner or () if inner.kind == way[0]]
        return here if len(way) == 1 else [box for inner in here for box in inner.all(*way[1:])]

    def first(self, *way: bytes) -> Box | None:
        """The first of them, or None."""
        return next(iter(self.all(*way)), None)

    def words(self, *way: bytes) -> bytes:
        """The content of the first of them; empty if there is none."""
        box = self.first(*way)
        return b"" if box is None else box.content


def full(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> Box:
    """A box whose content begins with a version and flags."""
    return Box(kind, struct.pack(">I", version << 24 | flags) + content)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a box of the uppermost level stands in its file, in bytes: ``start`` with its head, ``body`` without."""

    kind: bytes
    start: int
    body: int
    stop: int


def top_boxes(file: BinaryIO, name: str) -> list[Span]:
    """The boxes of the uppermost level; what is in them is passed over unread.

    Raises:
        InputError: A box is longer than the file, or there are too many.
    """
    end = file.seek(0, os.SEEK_END)
    spans: list[Span] = []
    at = 0
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        body, stop = _extent(head, at, end)
        if stop < body or stop > end:
            raise _broken(name, spans, f"its box {shown(head[4:8])!r} at byte {at} ends outside the file")
        spans.append(Span(head[4:8], at, body, stop))
        if len(spans) > _MOST_TOP_BOXES:
            raise _damaged(name, "it has more parts than any film")
        at = stop
    if at != end and any(_read(file, at, end - at)):
        raise _broken(name, spans, f"its last {end - at} bytes are no box")
    return spans


def read_index(path: Path) -> Box:
    """The box ``moov`` of a film, opened.

    Raises:
        InputError: The film has none, cannot be read, or makes no sense.
    """
    try:
        with path.open("rb") as file:
            return index_in(file, top_boxes(file, path.name), path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def index_in(file: BinaryIO, spans: list[Span], name: str) -> Box:
    """The box ``moov``, opened.

    Raises:
        InputError: There is none, there are several, or it makes no sense.
    """
    found = [span for span in spans if span.kind == b"moov"]
    if not found:
        raise _without_index(name)
    if len(found) > 1:
        raise _damaged(name, "it has several indices")
    size = found[0].stop - found[0].body
    if size > LARGEST_INDEX:
        raise _damaged(name, f"its index has {size >> 20} MB")
    index = parsed(b"moov", _read(file, found[0].body, size), name)
    if index.first(b"cmov") is not None:
        raise InputError(
            f"{name} has a compressed index, as QuickTime 3 wrote", hint="Save it anew with another program."
        )
    return index


def parsed(kind: bytes, content: bytes, name: str) -> Box:
    """A box from its content.

    Raises:
        InputError: Boxes in it end outside of it, or there are too many.
    """
    return _Parser(name).box(kind, content, 0)


def _extent(head: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the content of a box begins and ends, from its first 16 bytes; a length of 0 reaches to the end."""
    size = int.from_bytes(head[:4], "big")
    if size == 1:
        return at + 16, at + int.from_bytes(head[8:16], "big")
    return at + 8, at + size if size else end


class _Parser:
    """Opens boxes and counts them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def box(self, kind: bytes, content: bytes, depth: int) -> Box:
        self.count += 1
        if self.count > _MOST_BOXES:
            raise _damaged(self.name, "its index has more boxes than that of any film")
        if kind == b"stsd":
            return Box(kind, content)
        if kind not in _INSIDE or depth >= _DEEPEST:
            return Box(kind, content)
        lead = _lead(kind, content)
        try:
            return self.opened(kind, content, lead, depth)
        except InputError:
            if kind in _LOOSE and self.count <= _MOST_BOXES:
                return Box(kind, content)
            raise

    def opened(self, kind: bytes, content: bytes, lead: int, depth: int) -> Box:
        """A box with all boxes in it."""
        inner: list[Box] = []
        at, end = lead, len(content)
        while at + 8 <= end:
            if content[at : at + 4] == bytes(4) and not any(content[at:]):
                break
            body, stop = _extent(content[at : at + 16], at, end)
            if stop < body or stop > end:
                raise _damaged(self.name, f"a box {shown(content[at + 4 : at + 8])!r} ends outside of {shown(kind)!r}")
            inner.append(self.box(content[at + 4 : at + 8], content[body:stop], depth + 1))
            at = stop
        if any(content[at:]):
            raise _damaged(self.name, f"{shown(kind)!r} ends in the middle of a box")
        return Box(kind, content[:lead], inner, content[at:])


def open_entries(index: Box, name: str) -> None:
    """Open the descriptions (``stsd``) of the pictures of all picture tracks, and their entries.

    Raises:
        InputError: They make no sense.
    """
    for track in picture_tracks(index):
        for table in track.all(b"mdia", b"minf", b"stbl", b"stsd"):
            if table.inner is not None or len(table.lead) < _ENTRIES_LEAD:
                continue
            parser = _Parser(name)
            whole = parser.opened(b"stsd", table.lead, _ENTRIES_LEAD, 0)
            for entry in whole.inner or ():
                if len(entry.lead) < _VISUAL_LEAD:
                    raise _damaged(name, f"its description {shown(entry.kind)!r} of pictures is too short")
                laid = parser.opened(entry.kind, entry.lead, _VISUAL_LEAD, 1)
                entry.lead, entry.inner, entry.tail = laid.lead, laid.inner, laid.tail
            table.lead, table.inner, table.tail = whole.lead, whole.inner, whole.tail


def picture_tracks(index: Box) -> Iterator[Box]:
    """The tracks of a film that hold pictures."""
    for track in index.all(b"trak"):
        if track.words(b"mdia", b"hdlr")[8:12] == b"vide":
            yield track


def picture_entries(track: Box) -> list[Box]:
    """The descriptions of a track's pictures, once :func:`open_entries` has opened them."""
    return [e for table in track.all(b"mdia", b"minf", b"stbl", b"stsd") for e in table.inner or ()]


def shown(kind: bytes) -> str:
    """The letters of a box for people."""
    return kind.decode("latin-1")


def _lead(kind: bytes, content: bytes) -> int:
    """How many bytes stand before the inner boxes: QuickTime's ``meta`` has no version."""
    if kind == b"dref":
        return 8
    return 4 if kind == b"meta" and content[4:8] != b"hdlr" else 0


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def _broken(name: str, before: list[Span], why: str) -> InputError:
    """What is wrong with the uppermost level: most often the end is missing, and the index with it."""
    return _damaged(name, why) if any(span.kind == b"moov" for span in before) else _without_index(name)


def _without_index(name: str) -> InputError:
    return InputError(f"{name} is no whole film: it has no index", hint="Copy the file again.")


def _damaged(name: str, why: str) -> InputError:
    return InputError(f"{name} is damaged: {why}", hint="Copy the file again.")
