"""What a Matroska or WebM film says of itself, from its elements alone: nothing of it is decoded.

Source: RFC 9559 (Matroska): 5.1 (elements), 18.10 (stereo: pixels count the whole frame, display sizes one view), and
Google's Spherical Video V2 RFC (Projection).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from unflat.errors import InputError
from unflat.formats.ebml import Element, Place, damaged, length_of, opened, places
from unflat.formats.film_boxes import FilmRecord
from unflat.formats.frame_packing import packing_in
from unflat.formats.nal_units import by_lengths
from unflat.formats.stereo_boxes import read_equi
from unflat.types.image import Size

SUFFIXES = (".mkv", ".webm")
HEADER, SEGMENT = 0x1A45DFA3, 0x18538067
SEEK_HEAD, INFO, TRACKS, CLUSTER, CUES, TAGS = 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1254C367
TRACK, TRACK_TYPE, VIDEO = 0xAE, 0x83, 0xE0
STEREO_MODE, PROJECTION, PROJECTION_TYPE, PROJECTION_DATA = 0x53B8, 0x7670, 0x7671, 0x7672
PIXEL_WIDTH, PIXEL_HEIGHT, DISPLAY_WIDTH, DISPLAY_HEIGHT = 0xB0, 0xBA, 0x54B0, 0x54BA
DISPLAY_UNIT = 0x54B2
DOC_TYPE, DOC_VERSION = 0x4282, 0x4287
_NUMBER, _CODEC, _PRIVATE = 0xD7, 0x86, 0x63A2
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_TAG, _SIMPLE, _TAG_NAME, _TAG_TEXT = 0x7373, 0x67C8, 0x45A3, 0x4487
_GROUP, _BLOCKS = 0xA0, (0xA1, 0xA3)
INSIDE = frozenset((TRACK, VIDEO, PROJECTION, _TAG, _SIMPLE, 0x4DBB, 0xBB, 0xB7))
"""Elements that are opened: besides those above an entry of SeekHead, a point of Cues and its place in a track."""
STEREO_MODES = {
    0: "mono",
    1: "side by side, left first",
    2: "top and bottom, right first",
    3: "top and bottom, left first",
    10: "anaglyph, cyan and red",
    11: "side by side, right first",
    12: "anaglyph, green and magenta",
    13: "in turn, left first",
    14: "in turn, right first",
}
_PROJECTIONS = {0: "rectangular", 1: "equirectangular", 2: "cubemap", 3: "mesh"}
_CODECS = {"V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc", "V_AV1": "av1", "V_VP9": "vp9", "V_VP8": "vp8"}
_LARGEST = 1 << 26
_LARGEST_BLOCK = 1 << 25
_MOST_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Layer:
    """The elements of a film's uppermost levels.

    Attributes:
        header: What stands before everything.
        segment: What holds all else.
        parts: The elements in it, in their order.
    """

    header: Place
    segment: Place
    parts: tuple[Place, ...]


def layer_of(file: BinaryIO, name: str) -> Layer:
    """The uppermost levels of a film.

    Raises:
        InputError: It is no whole Matroska film.
    """
    end = length_of(file)
    tops = list(places(file, 0, end, name)) if end else []
    if len(tops) < 2 or tops[0].id != HEADER or tops[1].id != SEGMENT:
        raise InputError(f"{name} is no Matroska film", hint="Copy the file again.")
    segment = tops[1]
    parts = tuple(places(file, segment.body, end if segment.stop is None else segment.stop, name))
    if not any(part.id == TRACKS for part in parts):
        raise InputError(f"{name} is no whole film: it has no tracks", hint="Copy the file again.")
    return Layer(tops[0], segment, parts)


def read_part(file: BinaryIO, place: Place, name: str) -> Element:
    """One of the uppermost elements, opened.

    Raises:
        InputError: It is too large, or makes no sense.
    """
    if place.stop is None or place.stop - place.body > _LARGEST:
        raise damaged(name, f"an element at byte {place.start} is too large")
    file.seek(place.body)
    return opened(place.id, file.read(place.stop - place.body), INSIDE, name)


def picture_track(tracks: Element) -> Element | None:
    """The first track that holds pictures."""
    return next((t for t in tracks.all(TRACK) if t.number(TRACK_TYPE) == 1 and t.first(VIDEO)), None)


def read_matroska(path: Path) -> FilmRecord:
    """Read what the elements of a film say.

    Raises:
        InputError: It is no whole film, or makes no sense.
    """
    try:
        with path.open("rb") as file:
            layer = layer_of(file, path.name)
            head = {id_: _first(file, layer, id_, path.name) for id_ in (TRACKS, INFO, TAGS)}
            track = picture_track(head[TRACKS])
            return _record(file, layer, head, track if track is not None else Element(TRACK, opened=True), path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (struct.error, ValueError) as error:
        raise damaged(path.name, "what it says of itself makes no sense") from error


def _first(file: BinaryIO, layer: Layer, id_: int, name: str) -> Element:
    place = next((part for part in layer.parts if part.id == id_), None)
    return Element(id_, opened=True) if place is None else read_part(file, place, name)


def _record(file: BinaryIO, layer: Layer, head: dict[int, Element], track: Element, name: str) -> FilmRecord:
    video = track.first(VIDEO) or Element(VIDEO, opened=True)
    width, height = video.number(PIXEL_WIDTH), video.number(PIXEL_HEIGHT)
    coding = _text(track, _CODEC)
    codec = None if coding is None else _CODECS.get(coding, coding)
    marks = _marks(video)
    if codec in ("h264", "hevc"):
        packing = packing_in(_first_units(file, layer, track, codec, name), codec)
        if packing is not None:
            marks["sei"] = packing.to_plain()
    comment = next(
        (_text(one, _TAG_TEXT) for one in head[TAGS].all(_TAG, _SIMPLE) if _text(one, _TAG_NAME) == "COMMENT"), None
    )
    size = Size(width, height) if width and height and max(width, height) < 1 << 20 else None
    wide, high = video.number(DISPLAY_WIDTH), video.number(DISPLAY_HEIGHT)
    in_pixels = not video.number(DISPLAY_UNIT)
    shown = Size(wide, high) if wide and high and max(wide, high) < 1 << 20 and in_pixels else None
    return FilmRecord(size, _seconds(head[INFO]), None, coding, comment, codec, marks, shown)


def _seconds(info: Element) -> float | None:
    duration = info.first(_DURATION)
    if duration is None or len(duration.content) not in (4, 8):
        return None
    (ticks,) = struct.unpack(">f" if len(duration.content) == 4 else ">d", duration.content)
    scale = info.number(_SCALE)
    seconds = ticks * (1_000_000 if scale is None else scale) / 1e9
    return seconds if 0 < seconds < 1e9 else None


def _marks(video: Element) -> dict[str, Any]:
    marks: dict[str, Any] = {}
    mode = video.number(STEREO_MODE)
    if mode:
        marks["stereo_mode"] = STEREO_MODES.get(mode, str(mode))
    projection = video.first(PROJECTION)
    if projection is not None:
        kind = projection.number(PROJECTION_TYPE) or 0
        private = projection.first(PROJECTION_DATA)
        around = kind == 1
        marks["projection"] = (
            read_equi(bytes(20) if private is None else private.content)
            if around
            else {"projection": _PROJECTIONS.get(kind, str(kind))}
        )
    return marks


def _text(element: Element, id_: int) -> str | None:
    found = element.first(id_)
    return None if found is None else found.content.rstrip(b"\0").decode(errors="replace")


def _first_units(file: BinaryIO, layer: Layer, track: Element, codec: str, name: str) -> list[bytes]:
    """The units of the first picture; none where it cannot be had easily."""
    private, number = track.first(_PRIVATE), track.number(_NUMBER)
    cluster = next((part for part in layer.parts if part.id == CLUSTER), None)
    at = 4 if codec == "h264" else 21
    if private is None or len(private.content) <= at or number is None or not 0 < number < 127 or cluster is None:
        return []
    end = length_of(file) if cluster.stop is None else cluster.stop
    waiting = [cluster]
    for _ in range(_MOST_BLOCKS):
        if not waiting:
            break
        holder = waiting.pop()
        for inner in places(file, holder.body, end if holder.stop is None else holder.stop, name):
            if inner.id == _GROUP:
                waiting.insert(0, inner)
            if inner.id in _BLOCKS and inner.stop is not None and inner.stop - inner.body <= _LARGEST_BLOCK:
                file.seek(inner.body)
                block = file.read(inner.stop - inner.body)
                if block[:1] == bytes([0x80 | number]) and len(block) > 4 and not block[3] & 0x06:
                    return list(by_lengths(block[4:], (private.content[at] & 3) + 1))
    return []
