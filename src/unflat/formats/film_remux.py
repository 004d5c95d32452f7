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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, OutputError
from unflat.formats.av_late import library
from unflat.formats.film_source import clock_zero, faults, opened, reason

I64 = NDArray[np.int64]
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Suffixes of films that are written, and FFmpeg's muxers."""
SOUNDS = {
    "mp4": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    "mov": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_s24be"}),
    "webm": frozenset({"opus", "vorbis"}),
}
"""What sound each muxer takes so that players play it; Matroska takes what it can hold."""
KEPT = ("title", "artist", "album", "date", "copyright", "genre", "creation_time")
"""What the source says of itself that its copy says too: an allow-list, as ``trust.privacy`` asks for."""
_LAYERS = 1 << 21
"""Of a stream's disposition: MV-HEVC, of which FFmpeg writes the second view's setup only if it is said."""
_SLACK = 10
_EVERY = 256
Timed = tuple[float, int, Any, int]
"""Seconds, tie-break, packet, stream in the output."""


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    start: Fraction
    tick: Fraction
    times: I64


def remux(task: dict[str, Any]) -> Generator[float]:
    """Do what ``film_join.join`` says; yields how much of it is done.

    Raises:
        InputError: Segments do not fit together, or the source is damaged beyond opening.
        OutputError: The file cannot be written.
    """
    av = library("writing films")
    segments = [_read(Path(path)) for path in task["segments"]]
    start, stop = Fraction(task["start"]), None if task["stop"] is None else Fraction(task["stop"])
    shift = segments[0].start if start > 0 else Fraction(0)
    name = FORMATS[task["suffix"]]
    with ExitStack() as stack:
        source = None if task["source"] is None else stack.enter_context(opened(Path(task["source"])))
        first = stack.enter_context(opened(segments[0].path))
        options = {"fflags": "+bitexact"}
        if name in ("mp4", "mov"):
            scale = str(segments[0].tick.denominator)
            options |= {"movflags": "+faststart", "video_track_timescale": scale, "movie_timescale": scale}
        try:
            film = av.open(task["draft"], "w", format=name, options=options)
            stack.callback(film.close)
            _head(film, source, task["told"])
            picture = film.add_stream_from_template(first.streams.video[0], opaque=True)
            _keep_kind(first.streams.video[0], picture, name)
            picture.time_base = segments[0].tick
            streams = [_Video(segments, shift, picture).packets()]
            if source is not None:
                streams.append(_Sound(source, film, name, shift, _end(segments, stop, shift)).packets())
            total = sum(len(one.times) for one in segments)
            yield from _written(film, streams, picture.index, total)
        except OSError as error:
            raise OutputError(f"the film cannot be written: {reason(error)}") from error


def _keep_kind(source: Any, picture: Any, muxer: str) -> None:
    """Say what FFmpeg does not copy: that HEVC is set up by its description, as Apple's players want it, and layers."""
    if picture.codec_context.name == "hevc" and muxer in ("mp4", "mov"):
        picture.codec_context.codec_tag = "hvc1"
    if source.disposition & _LAYERS:
        picture.disposition = source.disposition


def _written(film: Any, streams: list[Iterator[Timed]], picture: int, total: int) -> Generator[float]:
    done = 0
    for _, _, packet, index in heapq.merge(*streams):
        film.mux(packet)
        done += index == picture
        if done % _EVERY == 0:
            yield done / total


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


def _end(segments: list[_Segment], stop: Fraction | None, shift: Fraction) -> Fraction | None:
    """Until when there is sound, on the new film's clock."""
    return None if stop is None else stop - shift


def _head(film: Any, source: Any, told: dict[str, str]) -> None:
    """What the film says of itself."""
    said = {} if source is None else {str(k).lower(): str(v) for k, v in source.metadata.items()}
    said.setdefault("artist", said.get("author", ""))
    for key in KEPT:
        if said.get(key):
            film.metadata[key] = said[key]
    film.metadata["comment"] = told.get("comment", "")


class _Video:
    """The pictures of all segments, one after the other."""

    def __init__(self, segments: list[_Segment], shift: Fraction, stream: Any) -> None:
        self._segments, self._stream = segments, stream
        self._tick = segments[0].tick
        offsets: list[int] = []
        before = None
        for one in segments:
            offset = (one.start - shift) / self._tick
            if one.tick != self._tick or offset.denominator != 1:
                raise InputError(f"{one.path.name} keeps time otherwise than the segments before it")
            if before is not None and int(offset) + int(one.times.min()) <= before:
                raise InputError(f"{one.path.name} begins before the segment before it ends")
            before = int(offset) + int(one.times.max())
            offsets.append(int(offset))
        self._offsets = offsets
        shown = np.concatenate([one.times + offset for one, offset in zip(segments, offsets, strict=True)])
        self._decoding, self._lasting = decoding_times(shown), durations(shown)

    def packets(self) -> Iterator[Timed]:
        """In order, on the new film's clock."""
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
                    packet.stream = self._stream
                    packet.pts, packet.dts = packet.pts + offset, int(self._decoding[number])
                    packet.duration = int(self._lasting[number])
                    number += 1
                    yield float(packet.dts * self._tick), 0, packet, self._stream.index


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


class _Sound:
    """The sound of the source, copied."""

    def __init__(self, source: Any, film: Any, name: str, shift: Fraction, end: Fraction | None) -> None:
        self._source, self._shift, self._end = source, shift, end
        self._zero = clock_zero(source)
        self._before = name in ("mp4", "mov") or (shift == 0 and str(source.format.name).startswith("matroska"))
        self._to: dict[int, Any] = {}
        for stream in source.streams.audio:
            if stream.codec_context is None:
                continue
            if name in SOUNDS and stream.codec_context.name not in SOUNDS[name]:
                continue
            out = film.add_stream_from_template(stream, opaque=True)
            out.metadata.update({k: v for k, v in stream.metadata.items() if k in ("language", "title")})
            out.disposition = stream.disposition
            self._to[stream.index] = out

    def packets(self) -> Iterator[Timed]:
        """In order, on the new film's clock."""
        if not self._to:
            return
        wrong = faults(library())
        streams = [self._source.streams[index] for index in self._to]
        packets = self._source.demux(*streams)
        last: dict[int, int] = {}
        while True:
            try:
                packet = next(packets, None)
            except wrong:
                return
            if packet is None:
                return
            if packet.pts is None or not packet.size:
                continue
            tick = Fraction(packet.time_base)
            at = packet.pts * tick - self._zero - self._shift
            if at + (packet.duration or 0) * tick <= 0 and self._shift > 0:
                continue
            if at < 0 and not self._before:
                continue
            if self._end is not None and at >= self._end:
                if at > self._end + _SLACK:
                    return
                continue
            index, moved = packet.stream_index, round((self._zero + self._shift) / tick)
            packet.pts -= moved
            packet.dts = packet.pts
            if last.get(index, packet.dts - 1) >= packet.dts:
                continue
            last[index] = packet.dts
            packet.stream = self._to[index]
            yield float(at), 1 + index, packet, self._to[index].index
