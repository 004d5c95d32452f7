"""Segments and the sound of their source into one film, without decoding pictures. Runs in ``film_child``'s process.

Decoding times are made anew: in the order of decoding, frame i gets the presentation time of frame i - d in the order
of showing, d being the smallest that never decodes a frame after it is shown. Within segments that changes nothing;
across them it keeps decoding times ascending where frames are not evenly spaced.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, OutputError
from unflat.formats.av_late import library
from unflat.formats.film_rights import tags_of
from unflat.formats.film_source import faults, opened, reason
from unflat.formats.film_tracks import Timed, Tracks, chapters_of, clock_of
from unflat.trust.privacy import FILM_KEPT

I64 = NDArray[np.int64]
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Suffixes of films that are written, and FFmpeg's muxers."""
_LAYERS = 1 << 21
"""Of a stream's disposition: MV-HEVC, of which FFmpeg writes the second view's setup only if it is said."""
_EVERY = 256
_WEB = ("av1", "libdav1d", "vp9", "libvpx-vp9")


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    start: Fraction
    tick: Fraction
    times: I64


def remux(task: dict[str, Any]) -> Generator[float | str]:
    """Do what ``film_join.join`` says; yields how much of it is done, and in words what could not be kept.

    Where the sound or the words of the source are so damaged that no file can be made with them, it is made without.

    Raises:
        InputError: Segments do not fit together, or the source is damaged beyond opening.
        OutputError: The file cannot be written.
    """
    try:
        yield from _remuxed(task, silent=False)
    except faults(library("writing films")) as error:
        if task["source"] is None:
            raise
        yield f"its sound and its subtitles are damaged and were left out ({reason(error)})"
        yield from _remuxed(task, silent=True)


def _remuxed(task: dict[str, Any], *, silent: bool) -> Generator[float | str]:
    av = library("writing films")
    segments = [_read(Path(path)) for path in task["segments"]]
    start, stop = Fraction(task["start"]), None if task["stop"] is None else Fraction(task["stop"])
    shift = segments[0].start if start > 0 else Fraction(0)
    name, pictures = FORMATS[task["suffix"]], _Pictures(segments, shift)
    with ExitStack() as stack:
        source = None if task["source"] is None else stack.enter_context(opened(Path(task["source"])))
        first = stack.enter_context(opened(segments[0].path)).streams.video[0]
        if name == "webm" and first.codec_context.name not in _WEB:
            raise InputError("WebM holds AV1 only", hint="Use --codec av1, or write .mp4 or .mkv.")
        try:
            film = av.open(task["draft"], "w", format=name, options=_options(name, segments[0].tick))
            stack.callback(film.close)
            _head(film, source, task["told"])
            streams = [pictures.packets(_picture_stream(film, first, name, segments[0].tick))]
            if source is not None:
                clock = clock_of(source, shift, stop, name)
                film.set_chapters(chapters_of(source, clock.zero, pictures.end))
                tracks = None if silent else Tracks(source, film, name, clock)
                streams += [] if tracks is None else [tracks.packets()]
                yield from () if tracks is None else tracks.notes
            yield from _written(film, streams, len(pictures.decoding))
        except OSError as error:
            raise OutputError(f"the film cannot be written: {reason(error)}") from error


def _options(name: str, tick: Fraction) -> dict[str, str]:
    """Of the muxer: the index in front, the clock of the source, nothing that changes from run to run."""
    if name not in ("mp4", "mov"):
        return {"fflags": "+bitexact"}
    scale = str(tick.denominator)
    times = {"video_track_timescale": scale, "movie_timescale": scale}
    return {"fflags": "+bitexact", "movflags": "+faststart"} | times


def _picture_stream(film: Any, first: Any, name: str, tick: Fraction) -> Any:
    """The stream of pictures, with what FFmpeg does not copy: that HEVC is set up by its description, and layers."""
    stream = film.add_stream_from_template(first, opaque=True)
    stream.time_base = tick
    if name in ("mp4", "mov") and first.codec_context.name == "hevc":
        stream.codec_context.codec_tag = "hvc1"  # Apple's players take no hev1
    stream.disposition = first.disposition if first.disposition & _LAYERS else 1
    return stream


def _written(film: Any, streams: list[Iterator[Timed]], total: int) -> Generator[float | str]:
    done = 0
    wrong, lost = faults(library()), False
    for _, order, packet, _ in heapq.merge(*streams, key=itemgetter(0, 1)):
        try:
            film.mux(packet)
        except wrong as error:
            if order == 0 or isinstance(error, OSError):
                raise
            lost = True  # a packet of sound that is damaged
        done += order == 0
        if done % _EVERY == 0:
            yield done / total
    if lost:
        yield "parts of its sound or subtitles are damaged and were left out"


def _read(path: Path) -> _Segment:
    """Where a segment belongs, and the times of its packets, in the order of decoding."""
    with opened(path) as file:
        try:
            said = {str(key).lower(): value for key, value in file.metadata.items()}  # Matroska's keys are in capitals
            start = Fraction(json.loads(said["comment"])["start"])
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"{path.name} is no segment of a film") from error
        stream = file.streams.video[0]
        times = [p.pts for p in file.demux(stream) if p.size]
        return _Segment(path, start, Fraction(stream.time_base), np.array(times, np.int64))


def _head(film: Any, source: Any, told: dict[str, str]) -> None:
    """What the film says of itself."""
    said = {} if source is None else {str(k).lower(): str(v) for k, v in source.metadata.items()}
    said.setdefault("artist", said.get("author", ""))
    for key in FILM_KEPT:
        if said.get(key):
            film.metadata[key] = said[key]
    film.metadata.update(tags_of(told, film.format.name))


class _Pictures:
    """The pictures of all segments, one after the other, on the new film's clock.

    Attributes:
        decoding: Decoding times of all packets, in order, in ticks.
        end: When the last one is shown no more, in seconds.
    """

    def __init__(self, segments: list[_Segment], shift: Fraction) -> None:
        self._segments, self._tick = segments, segments[0].tick
        self._offsets: list[int] = []
        before = None
        for one in segments:
            offset = (one.start - shift) / self._tick
            if one.tick != self._tick or offset.denominator != 1:
                raise InputError(f"{one.path.name} keeps time otherwise than the segments before it")
            if before is not None and int(offset) + int(one.times.min()) <= before:
                raise InputError(f"{one.path.name} begins before the segment before it ends")
            before = int(offset) + int(one.times.max())
            self._offsets.append(int(offset))
        shown = np.concatenate([one.times + offset for one, offset in zip(segments, self._offsets, strict=True)])
        self.decoding, self._lasting = decoding_times(shown), durations(shown)
        self.end = int((shown + self._lasting).max()) * self._tick

    def packets(self, to: Any) -> Iterator[Timed]:
        """In order of decoding, for a stream."""
        number = 0
        data: bytes | None = None
        for one, offset in zip(self._segments, self._offsets, strict=True):
            with opened(one.path) as file:
                stream = file.streams.video[0]
                data = stream.codec_context.extradata if data is None else data
                if stream.codec_context.extradata != data:
                    raise InputError(f"{one.path.name} is coded otherwise than the segments before it")
                for packet in file.demux(stream):
                    if not packet.size:
                        continue
                    packet.stream = to
                    packet.pts, packet.dts = packet.pts + offset, int(self.decoding[number])
                    packet.duration = int(self._lasting[number])
                    number += 1
                    yield float(packet.dts * self._tick), 0, packet, to.index


def decoding_times(shown: I64) -> I64:
    """Presentation times in the order of decoding -> decoding times: ascending, none later than its frame is shown."""
    ordered = np.sort(shown)
    place = np.searchsorted(ordered, shown)
    late = int(max(0, (np.arange(len(shown)) - place).max()))
    step = max(1, int(np.median(np.diff(ordered)))) if len(ordered) > 1 else 1
    before = ordered[0] - step * np.arange(late, 0, -1, dtype=np.int64)
    return np.concatenate([before, ordered[: len(ordered) - late]])


def durations(shown: I64) -> I64:
    """How long each frame is shown, in the order of decoding: until the next one; the last one as long as most."""
    order = np.argsort(shown)
    steps = np.diff(shown[order])
    last = int(np.median(steps)) if len(steps) else 1
    lasting = np.empty(len(shown), np.int64)
    lasting[order] = np.append(steps, last)
    return lasting
