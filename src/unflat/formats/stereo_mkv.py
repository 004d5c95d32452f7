"""Say in a finished Matroska or WebM film that it is for two eyes: ``StereoMode``, ``Projection``, size of one view.

The description of the tracks grows, so everything behind it moves: the places in ``SeekHead`` and ``Cues`` are set
right, checksums are made anew, and clusters that repeat their own place (which is optional) lose that. Media are copied
as a stream, and the film is written beside its place and renamed.

FFmpeg writes ``StereoMode`` when a film is muxed with the metadata ``stereo_mode``, but takes packed views for full
ones, and PyAV has no way to give it a projection; so neither is used.

Source: RFC 9559 and Google's Spherical Video V2 RFC, as in :mod:`unflat.formats.matroska`. WebM knows no anaglyphs.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from unflat.errors import InputError
from unflat.formats import matroska as mkv
from unflat.formats.atomic import replacing
from unflat.formats.ebml import CRC, VOID, Element, Place, head_of, opened, places, unsigned
from unflat.formats.stereo_boxes import StereoMarks
from unflat.types.stereo import Layout

_MODES = {
    Layout.FULL_SBS: 1,
    Layout.HALF_SBS: 1,
    Layout.VR180: 1,
    Layout.FULL_TB: 3,
    Layout.HALF_TB: 3,
    Layout.CROSS: 11,
    Layout.ANAGLYPH: 10,
}
_ANAGLYPH = 10
_BESIDE, _ABOVE = (Layout.FULL_SBS, Layout.VR180, Layout.CROSS), (Layout.FULL_TB,)
_SEEK, _SEEK_AT = 0x4DBB, 0x53AC
_POINT, _IN_TRACK, _CLUSTER_AT = 0xBB, 0xB7, 0xF1
_OWN_PLACE = 0xA7
_PROJECTING = 4
"""The version of Matroska that knows projections."""
_QUARTER = 0x40000000
_PIECE = 1 << 20
_FRONT = 64
"""Where in a cluster its own place stands, if at all: within so many bytes."""


def mark_matroska(path: Path, marks: StereoMarks) -> None:
    """Write how the views are packed, in place of what stood there. Baseline and angle of view have no place in it.

    Raises:
        InputError: No whole film, one that was never finished, or ``SPATIAL``, which is QuickTime's.
        OutputError: The place cannot be written.
    """
    if marks.layout is Layout.SPATIAL:
        raise InputError("spatial films are QuickTime films", hint="Use a name that ends in .mov.")
    try:
        with path.open("rb") as file:
            layer = mkv.layer_of(file, path.name)
            if layer.segment.stop is None or any(part.stop is None for part in layer.parts):
                raise InputError(f"{path.name} was never finished", hint="Save it anew: ffmpeg -i IN -c copy OUT.mkv")
            film = _Film(file, layer, path)
            _say(film.tracks, marks, path)
            film.settle()
            with replacing(path, force=True) as (draft,), draft.open("wb") as out:
                film.write(out)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _say(tracks: Element, marks: StereoMarks, path: Path) -> None:
    """Change the description of the pictures."""
    track = mkv.picture_track(tracks)
    video = None if track is None else track.first(mkv.VIDEO)
    width = None if video is None else video.number(mkv.PIXEL_WIDTH)
    height = None if video is None else video.number(mkv.PIXEL_HEIGHT)
    if video is None or not width or not height:
        raise InputError(f"{path.name} holds no pictures")
    before = video.number(mkv.STEREO_MODE)
    shown = video.number(mkv.DISPLAY_WIDTH), video.number(mkv.DISPLAY_HEIGHT)
    known = not before and not video.number(mkv.DISPLAY_UNIT)
    across, down = (shown[0] or width, shown[1] or height) if known else (width, height)
    video.drop(mkv.STEREO_MODE, mkv.PROJECTION, mkv.DISPLAY_WIDTH, mkv.DISPLAY_HEIGHT, mkv.DISPLAY_UNIT)
    mode = _MODES.get(marks.layout)
    if mode is not None and not (mode == _ANAGLYPH and path.suffix.lower() == ".webm"):
        video.put(unsigned(mkv.STEREO_MODE, mode))
    across = across // 2 if marks.layout in _BESIDE else across
    down = down // 2 if marks.layout in _ABOVE else down
    if mode is not None or (across, down) != (width, height):
        video.put(unsigned(mkv.DISPLAY_WIDTH, max(1, across)))
        video.put(unsigned(mkv.DISPLAY_HEIGHT, max(1, down)))
    if marks.degrees is not None:
        side = _QUARTER if marks.degrees == 180 else 0
        around = [
            unsigned(mkv.PROJECTION_TYPE, 1),
            Element(mkv.PROJECTION_DATA, struct.pack(">5I", 0, 0, 0, side, side)),
        ]
        video.put(Element(mkv.PROJECTION, inner=around, opened=True))


class _Film:
    """A film with its description in memory and its media on the disk."""

    def __init__(self, file: BinaryIO, layer: mkv.Layer, path: Path) -> None:
        self.file, self.layer, self.path = file, layer, path
        file.seek(layer.header.body)
        size = (layer.header.stop or 0) - layer.header.body
        self.header = opened(mkv.HEADER, file.read(size), frozenset(), path.name)
        self.changed = {
            place: mkv.read_part(file, place, path.name)
            for place in layer.parts
            if place.id in (mkv.TRACKS, mkv.SEEK_HEAD, mkv.CUES)
        }
        self.tracks = next(element for element in self.changed.values() if element.id == mkv.TRACKS)
        self.seeks = [one for e in self._of(mkv.SEEK_HEAD) for one in e.all(_SEEK)]
        self.cues = [one for e in self._of(mkv.CUES) for one in e.all(_POINT, _IN_TRACK)]
        self.old = [
            (one, id_, one.number(id_))
            for many, id_ in ((self.seeks, _SEEK_AT), (self.cues, _CLUSTER_AT))
            for one in many
        ]

    def _of(self, id_: int) -> list[Element]:
        return [element for element in self.changed.values() if element.id == id_]

    def settle(self) -> None:
        """Set all places right; numbers only grow, so it ends."""
        if (self.header.number(mkv.DOC_VERSION) or 1) < _PROJECTING:
            self.header.put(unsigned(mkv.DOC_VERSION, _PROJECTING))
        sizes: list[int] = []
        while True:
            wholes = {place: len(element.whole) for place, element in self.changed.items()}
            if list(wholes.values()) == sizes:
                return
            sizes = list(wholes.values())
            new: dict[int | None, int] = {}
            at = 0
            for place in self.layer.parts:
                new[place.start - self.layer.segment.body] = at
                at += wholes.get(place, (place.stop or 0) - place.start)
            for holder, id_, old in self.old:
                if old in new:
                    width = len((holder.first(id_) or Element(id_)).content)
                    holder.put(unsigned(id_, new[old], width))

    def write(self, out: BinaryIO) -> None:
        """Write all of it; media are copied as they are."""
        out.write(self.header.whole)
        size = sum(
            len(self.changed[p].whole) if p in self.changed else (p.stop or 0) - p.start for p in self.layer.parts
        )
        out.write(head_of(mkv.SEGMENT, size, 8))
        for place in self.layer.parts:
            if place in self.changed:
                out.write(self.changed[place].whole)
            else:
                self._copy(out, place)
        self.file.seek(self.layer.segment.stop or 0)
        while piece := self.file.read(_PIECE):
            out.write(piece)

    def _copy(self, out: BinaryIO, place: Place) -> None:
        """Copy an element; what no longer holds in it becomes void, which takes as much room."""
        wrong = self._wrong(place)
        at = place.start
        for byte in [*wrong, place.stop or at]:
            self.file.seek(at)
            left = byte - at
            while left:
                piece = self.file.read(min(_PIECE, left))
                if not piece:
                    raise InputError(f"{self.path.name} changed while it was read", hint="Try again.")
                out.write(piece)
                left -= len(piece)
            if byte in wrong:
                out.write(bytes([VOID]))
                at = byte + 1

    def _wrong(self, place: Place) -> Sequence[int]:
        """Where in the file elements begin (with one byte each) that no longer hold."""
        if place.id == CRC:
            return [place.start]
        if place.id != mkv.CLUSTER or place.stop is None:
            return []
        found: list[Place] = []
        for inner in places(self.file, place.body, place.stop, self.path.name):
            if inner.start - place.body > _FRONT:
                break
            if inner.id in (CRC, _OWN_PLACE):
                found.append(inner)
        return [one.start for one in found] if any(one.id == _OWN_PLACE for one in found) else []
