"""Change the index of a finished MP4 or QuickTime film: what it says changes, its pictures and sound do not.

The index (``moov``) is put in front of the media, so that a browser can begin to play before it has all of the film.
The media are copied as a stream, never held in memory; every table of places in the file is set right (``stco``, which
becomes ``co64`` where 4 GB are passed, ``co64``, ``saio``). The film is written beside its place and renamed.

Source: ISO/IEC 14496-12, 8.7.5 (chunk offsets), 8.7.9 (auxiliary offsets), 8.7.2 (data references), 8.11.3 (items).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.boxes import Box, Span, index_in, open_entries, shown, top_boxes

_PIECE = 1 << 20
_FRAGMENTS = (b"moof", b"sidx", b"styp", b"mfra", b"ssix")
_MOST_32 = 0xFFFFFFFF
_ITSELF = 1
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes to put into the media, before byte ``at`` of the old file."""

    at: int
    words: bytes


Change = Callable[[Box, Path], Sequence[Patch]]
"""Changes an opened index (of the film at the path, which is for messages) and says what to put into the media."""


def edit_film(path: Path, change: Change) -> None:
    """Change the index of a film and put it in front of the media.

    Args:
        path: The film; it is replaced when all is written, or stays as it was.
        change: Changes the index. The places of chunks are set right here, the sizes of samples that grow are its own
            to set right (:func:`unflat.formats.mp4_samples.put_before`).

    Raises:
        InputError: No film, a damaged one, or one in fragments.
        OutputError: The place cannot be written.
    """
    try:
        with path.open("rb") as file:
            spans = top_boxes(file, path.name)
            _refuse_fragments(spans, path.name)
            index = index_in(file, spans, path.name)
            if index.first(b"mvex") is not None:
                raise _fragmented(path.name)
            open_entries(index, path.name)
            extra = sorted(change(index, path), key=lambda patch: patch.at)
            order = _order(spans)
            places = _settle(index, order, extra, path.name)
            with replacing(path, force=True) as (draft,), draft.open("wb") as out:
                _write(file, out, order, index, extra)
                if out.tell() != places.end:
                    raise InputError(f"{path.name} changed while it was read", hint="Try again.")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _refuse_fragments(spans: Sequence[Span], name: str) -> None:
    if any(span.kind in _FRAGMENTS for span in spans):
        raise _fragmented(name)
    if any(span.kind == b"meta" for span in spans):
        raise InputError(f"{name} holds pictures beside its film", hint="Save it anew as a plain MP4.")


def _fragmented(name: str) -> InputError:
    hint = "Save it anew without fragments: ffmpeg -i IN -c copy OUT.mp4"
    return InputError(f"{name} is in fragments, which are not edited", hint=hint)


def _order(spans: Sequence[Span]) -> list[Span]:
    """The boxes in their new order: the index before the first media."""
    index = next(span for span in spans if span.kind == b"moov")
    rest = [span for span in spans if span is not index]
    first = next((at for at, span in enumerate(rest) if span.kind == b"mdat"), len(rest))
    return [*rest[:first], index, *rest[first:]]


class _Places:
    """Where each byte of the old file stands in the new one.

    Attributes:
        end: Length of the new file.
    """

    def __init__(self, order: Sequence[Span], index_size: int, extra: Sequence[Patch], name: str) -> None:
        self.name = name
        moved: list[tuple[int, int, int]] = []
        at = 0
        for span in order:
            if span.kind == b"moov":
                at += index_size
                continue
            moved.append((span.start, span.stop, at - span.start))
            at += span.stop - span.start + sum(len(p.words) for p in extra if span.start <= p.at < span.stop)
        self.end = at
        moved.sort()
        self.starts = np.array([start for start, _, _ in moved], np.int64)
        self.stops = np.array([stop for _, stop, _ in moved], np.int64)
        self.shifts = np.array([shift for _, _, shift in moved], np.int64)
        self.cuts = np.array([patch.at for patch in extra], np.int64)
        self.sums = np.concatenate([[0], np.cumsum([len(patch.words) for patch in extra])]).astype(np.int64)

    def new(self, old: I64) -> I64:
        """New places of old ones; a place of a patch is that of the bytes put in.

        Raises:
            InputError: A place is outside of the media.
        """
        span = np.searchsorted(self.starts, old, side="right") - 1
        if len(old) and ((span < 0).any() or (old > self.stops[span]).any()):
            raise InputError(f"{self.name} is damaged: its index points outside of it", hint="Copy the file again.")
        before = self.sums[np.searchsorted(self.cuts, old, side="left")]
        inside = before - self.sums[np.searchsorted(self.cuts, self.starts[span], side="left")]
        return old + self.shifts[span] + inside


def _settle(index: Box, order: Sequence[Span], extra: Sequence[Patch], name: str) -> _Places:
    """Set all tables of places right; the index grows until its own length no longer changes them."""
    tables = [table for track in index.all(b"trak") for table in _tables_of(track, name)]
    old = [(table, _read_table(table, name)) for table in tables]
    while True:
        size = len(index.whole)
        places = _Places(order, size, extra, name)
        for table, offsets in old:
            _write_table(table, places.new(offsets))
        if len(index.whole) == size:
            return places


def _tables_of(track: Box, name: str) -> list[Box]:
    """The tables that say where in this file the samples of a track stand."""
    below = track.first(b"mdia", b"minf", b"stbl")
    if below is None:
        return []
    for box in (index_of_items for way in ((b"meta",), (b"udta", b"meta")) for index_of_items in track.all(*way)):
        if box.first(b"iloc") is not None:
            raise InputError(f"{name} keeps items inside a track", hint="Save it anew as a plain MP4.")
    sources = track.first(b"mdia", b"minf", b"dinf", b"dref")
    here = {bool(box.lead[3:4] and box.lead[3] & _ITSELF) for box in (sources.inner if sources else None) or ()}
    if here == {True, False}:
        raise InputError(f"{name} keeps only a part of its media in itself", hint="Save it anew as a plain MP4.")
    if here == {False}:
        return []
    return [box for box in below.inner or () if box.kind in (b"stco", b"co64", b"saio")]


def _head_of(table: Box) -> int:
    """Bytes before the places: version and flags, the kind of auxiliary data where told, the count."""
    return 16 if table.kind == b"saio" and table.lead[3:4] == b"\1" else 8


def _wide(table: Box) -> bool:
    return table.kind == b"co64" or (table.kind == b"saio" and table.lead[:1] == b"\1")


def _read_table(table: Box, name: str) -> I64:
    head, width = _head_of(table), 8 if _wide(table) else 4
    if len(table.lead) >= head:
        (count,) = struct.unpack_from(">I", table.lead, head - 4)
        if count * width <= len(table.lead) - head:
            places = np.frombuffer(table.lead, f">u{width}", count, head)
            if not count or int(places.max()) < 1 << 62:
                return places.astype(np.int64)
    raise InputError(f"{name} is damaged: its table {shown(table.kind)!r} is too short", hint="Copy the file again.")


def _write_table(table: Box, places: I64) -> None:
    """Write places, wider if one needs it; a table never becomes narrower again."""
    head = table.lead[: _head_of(table)]
    if len(places) and int(places.max()) > _MOST_32 and not _wide(table):
        if table.kind == b"stco":
            table.kind = b"co64"
        else:
            head = b"\1" + head[1:]
    wide = table.kind == b"co64" or (table.kind == b"saio" and head[:1] == b"\1")
    table.lead = head + places.astype(">u8" if wide else ">u4").tobytes()


def _write(file: BinaryIO, out: BinaryIO, order: Sequence[Span], index: Box, extra: Sequence[Patch]) -> None:
    """Write the boxes in their order, with the patches in their media."""
    cuts = [patch.at for patch in extra]
    for span in order:
        if span.kind == b"moov":
            out.write(index.whole)
            continue
        at = span.start
        first, last = bisect_right(cuts, span.start - 1), bisect_right(cuts, span.stop - 1)
        grown = sum(len(patch.words) for patch in extra[first:last])
        if grown:
            at = _head(file, out, span, grown)
        for patch in extra[first:last]:
            _copy(file, out, at, patch.at)
            out.write(patch.words)
            at = patch.at
        _copy(file, out, at, span.stop)


def _head(file: BinaryIO, out: BinaryIO, span: Span, grown: int) -> int:
    """Write the head of a box that grows; returns where its content begins in the old file.

    Raises:
        InputError: It would pass 4 GB and has no room to say so.
    """
    file.seek(span.start)
    head = file.read(span.body - span.start)
    size = span.stop - span.start + grown
    if len(head) == 16:
        head = head[:8] + struct.pack(">Q", size)
    elif head[:4] != bytes(4):
        if size > _MOST_32:
            raise InputError("the film's media have no room to say that they pass 4 GB")
        head = struct.pack(">I", size) + head[4:]
    out.write(head)
    return span.body


def _copy(file: BinaryIO, out: BinaryIO, start: int, stop: int) -> None:
    file.seek(start)
    left = stop - start
    while left:
        piece = file.read(min(_PIECE, left))
        if not piece:
            return  # the length of what was written tells
        out.write(piece)
        left -= len(piece)
