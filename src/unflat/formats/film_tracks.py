"""Sound, subtitles and chapters of a source, brought into a new film: copied where its container holds them.

Runs in ``film_child``'s process. Times are moved onto the new film's clock. In MP4 and QuickTime what sounds before
its beginning stays in the file, to warm up decoders, and an edit list hides it; other containers begin at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Any, Protocol

import numpy as np

from unflat.formats.av_late import library
from unflat.formats.film_source import clock_zero, faults

SOUNDS = {
    "mp4": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    "mov": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be", "pcm_s24be"}),
    "webm": frozenset({"opus", "vorbis"}),
}
"""What sound each muxer takes so that players play it; Matroska takes all that it can hold."""
WORDS = {"mp4": ("mov_text",), "mov": ("mov_text",), "webm": ("webvtt",), "matroska": ("subrip", "ass", "webvtt")}
"""What written words each takes; the first is what others become."""
_TEXTS = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"})
_LEAD = Fraction(1, 10)
"""Seconds of sound kept from before the beginning."""
_SLACK = 10
"""Seconds that streams may lie apart in a container."""
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_BITS_A_CHANNEL = 96_000
_FINER, _COARSE = 1000, 1_000_000
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_OLD_NAMES = {"deu": "ger", "nld": "dut", "ell": "gre", "zho": "chi", "isl": "ice"}
"""Languages that QuickTime knows by their bibliographic codes (ISO 639-2/B) only."""
_FONTS = frozenset(
    {"application/x-truetype-font", "application/x-font-ttf", "application/x-font-otf", "application/vnd.ms-opentype"}
    | {"font/ttf", "font/otf", "font/sfnt", "font/collection", "font/woff2"}
)
"""What may be attached to a Matroska film: what its subtitles are drawn with."""
_PAUSE_S = 0.05
Timed = tuple[float, int, Any, int]
"""Seconds, number of the stream in its source, packet, number of the stream in the new film."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How the source's time becomes the new film's.

    Attributes:
        zero: What is 0 in the new film, in seconds on the clock of the source's container.
        stop: When the new film ends, on its own clock; None where the source does.
        before: Whether the container can hide what is before its beginning.
    """

    zero: Fraction
    stop: Fraction | None
    before: bool

    def holds(self, at: Fraction, lasting: Fraction) -> bool:
        """Whether something is wanted that begins ``at`` on the new clock."""
        if self.stop is not None and at >= self.stop:
            return False
        return at >= 0 or (self.before and at + lasting > -_LEAD)

    def move(self, packet: Any) -> None:
        """Onto the new clock; finer than the source's ticks, which may be tens of milliseconds (AVI)."""
        tick = Fraction(packet.time_base)
        fine = tick / _FINER if tick.denominator <= _COARSE else tick
        begin, end = (round((at * tick - self.zero) / fine) for at in (packet.pts, packet.pts + (packet.duration or 0)))
        packet.pts = packet.dts = begin
        packet.duration, packet.time_base = end - begin, fine

    def cut(self, packet: Any) -> None:
        """Shorten a subtitle to what of it lies within the new film."""
        tick = Fraction(packet.time_base)
        begin, end = packet.pts, packet.pts + (packet.duration or 0)
        first = ceil(self.zero / tick)
        last = end if self.stop is None else min(end, floor((self.stop + self.zero) / tick))
        if begin < first < end:
            packet.pts = first
        if begin < last <= end:
            packet.duration = last - packet.pts


class _Track(Protocol):
    """A stream on its way into the new film."""

    out: Any

    def take(self, packet: Any) -> Iterator[Any]:
        """Packets for the new film, on its clock; None is the end."""
        ...


class _Copied:
    """What is handed on as it is."""

    def __init__(self, out: Any, clock: Clock) -> None:
        self.out, self._clock, self._last = out, clock, None

    def take(self, packet: Any) -> Iterator[Any]:
        if packet is None or packet.pts is None:
            return
        tick = Fraction(packet.time_base)
        if self.out.type == "subtitle":
            self._clock.cut(packet)
        if not self._clock.holds(packet.pts * tick - self._clock.zero, (packet.duration or 0) * tick):
            return
        self._clock.move(packet)
        if self._last is not None and packet.dts <= self._last:
            return
        self._last = packet.dts
        packet.stream = self.out
        yield packet


class _Recoded:
    """Sound of a codec that the container does not hold, decoded and coded anew, pauses filled with silence."""

    def __init__(self, stream: Any, film: Any, codec: str, clock: Clock) -> None:
        av = library()
        self._av, self._clock, self._stream = av, clock, stream
        rate = 48000 if codec == "libopus" else max((r for r in _RATES if r <= stream.rate), default=_RATES[-1])
        self.out = film.add_stream(codec, rate=rate)
        context: Any = self.out.codec_context
        layout = _LAYOUTS.get(stream.channels, "stereo")
        context.layout, context.bit_rate = layout, _BITS_A_CHANNEL * {"mono": 1, "stereo": 2, "5.1": 6}[layout]
        self._rate, self._begin, self._written = rate, None, 0
        self._resampler = av.AudioResampler(context.format.name, layout, rate)
        self._fifo: Any = av.AudioFifo()
        self._coded = 0

    def take(self, packet: Any) -> Iterator[Any]:
        frames: list[Any] = []
        with suppress(EOFError, *faults(self._av)):  # damaged sound: the pause is filled with silence
            frames = self._stream.decode(packet)
        for frame in frames:
            self._gather(frame)
        yield from self._coded_now(last=packet is None)

    def _gather(self, frame: Any) -> None:
        if frame.pts is None:
            return
        at = frame.pts * Fraction(frame.time_base) - self._clock.zero
        if not self._clock.holds(at, Fraction(frame.samples, frame.sample_rate)):
            return
        for made in self._resampler.resample(frame):
            place = round(at * self._rate)
            if self._begin is None:
                self._begin = place
            missing = place - self._begin - self._written
            if missing > _PAUSE_S * self._rate:
                self._put(self._silence(made, missing))
            if missing > -_PAUSE_S * self._rate:
                self._put(made)
            at += Fraction(made.samples, self._rate)

    def _put(self, frame: Any) -> None:
        frame.pts = None
        self._written += frame.samples
        self._fifo.write(frame)

    def _silence(self, like: Any, samples: int) -> Any:
        planar = like.format.is_planar
        channels = like.layout.nb_channels
        shape = (channels, samples) if planar else (1, samples * channels)
        still = self._av.AudioFrame.from_ndarray(
            np.zeros(shape, like.to_ndarray().dtype), format=like.format.name, layout=like.layout.name
        )
        still.sample_rate = self._rate
        return still

    def _coded_now(self, *, last: bool) -> Iterator[Any]:
        if self._begin is None:
            return
        size = self.out.codec_context.frame_size or 1024
        while (frame := self._fifo.read(size, partial=last)) is not None:
            frame.pts, frame.time_base = self._begin + self._coded, Fraction(1, self._rate)
            frame.sample_rate = self._rate
            self._coded += frame.samples
            yield from self.out.encode(frame)
        if last:
            yield from self.out.encode(None)


class _Reworded:
    """Subtitles of letters, written as the container has them."""

    def __init__(self, stream: Any, film: Any, codec: str, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        stream.codec_context.open(strict=False)
        self.out = film.add_stream(codec)
        self.out.codec_context.subtitle_header = stream.codec_context.subtitle_header
        self.out.time_base = Fraction(1, 1000)

    def take(self, packet: Any) -> Iterator[Any]:
        if packet is None or packet.pts is None or not packet.duration:
            return
        self._clock.cut(packet)
        tick = Fraction(packet.time_base)
        begin, lasts = packet.pts * tick - self._clock.zero, packet.duration * tick
        if begin < 0 or not self._clock.holds(begin, lasts):
            return
        said = self._stream.codec_context.decode2(packet)
        if said is None:
            return
        made = self.out.codec_context.encode_subtitle(said)
        made.time_base, made.stream = Fraction(1, 1000), self.out
        made.pts = made.dts = round(begin * 1000)
        made.duration = max(1, round((begin + lasts) * 1000) - made.pts)
        yield made


@dataclass(slots=True)
class Tracks:
    """All that is taken over from a source.

    Attributes:
        notes: What could not be, or not as it was, in words.
    """

    source: Any
    film: Any
    name: str
    clock: Clock
    notes: list[str] = field(default_factory=list[str])
    _tracks: dict[int, _Track] = field(default_factory=dict[int, _Track])

    def __post_init__(self) -> None:
        for stream in self.source.streams:
            if stream.type == "attachment" and self.name == "matroska" and stream.mimetype in _FONTS:
                self.film.add_attachment(stream.name or "font", stream.mimetype, bytes(stream.data))
            track = self._track(stream) if stream.type in ("audio", "subtitle") else None
            if track is not None:
                kept = {k: v for k, v in stream.metadata.items() if k in ("language", "title")}
                if self.name == "mov" and "language" in kept:
                    kept["language"] = _OLD_NAMES.get(kept["language"], kept["language"])
                track.out.metadata.update(kept)
                track.out.disposition = stream.disposition
                self._tracks[stream.index] = track
        if any(stream.type == "data" and not _names_chapters(stream) for stream in self.source.streams):
            self.notes.append("its tracks of data (telemetry, time codes) were left out")

    def packets(self) -> Iterator[Timed]:
        """In order of the source, on the new film's clock."""
        if not self._tracks:
            return
        wrong = faults(library())
        self._go_near()
        packets = self.source.demux(*(self.source.streams[index] for index in self._tracks))
        while True:
            try:
                packet = next(packets, None)
            except wrong:
                break
            if packet is None:
                break
            if not packet.size:
                continue
            at = None if packet.pts is None else packet.pts * Fraction(packet.time_base) - self.clock.zero
            if at is not None and self.clock.stop is not None and at > self.clock.stop + _SLACK:
                break
            yield from self._timed(packet.stream_index, packet)
        for index in self._tracks:
            yield from self._timed(index, None)

    def _go_near(self) -> None:
        """Skip what is long before the beginning; where the container cannot, all of it is passed through."""
        if self.clock.zero > 4 * _SLACK:
            try:
                self.source.seek(int((self.clock.zero - _SLACK) * 1_000_000))
            except faults(library()):
                self.source.seek(0)

    def _timed(self, index: int, packet: Any) -> Iterator[Timed]:
        track = self._tracks[index]
        for made in track.take(packet):
            yield float(made.dts * made.time_base), 1 + index, made, track.out.index

    def _track(self, stream: Any) -> _Track | None:
        if stream.codec_context is None:
            self.notes.append(f"a track of {stream.type} of an unknown codec was left out")
            return None
        codec = str(stream.codec_context.codec.canonical_name)
        if stream.type == "audio" and not (stream.rate and stream.channels):
            self.notes.append(f"a track of sound ({codec}) that is empty or damaged was left out")
            return None
        if stream.type == "audio":
            return self._sound(stream, codec)
        return self._words(stream, codec)

    def _sound(self, stream: Any, codec: str) -> _Track:
        if self.name not in SOUNDS or codec in SOUNDS[self.name]:
            try:
                return _Copied(self.film.add_stream_from_template(stream, opaque=True), self.clock)
            except ValueError:  # the container cannot hold it after all
                self.notes.append(f"its sound ({codec}) does not go into this container as it is")
        new = "libopus" if self.name == "webm" else "aac"
        self.notes.append(f"its sound ({codec}) was coded anew as {new.removeprefix('lib')}")
        return _Recoded(stream, self.film, new, self.clock)

    def _words(self, stream: Any, codec: str) -> _Track | None:
        if codec in WORDS[self.name] or (self.name == "matroska" and codec not in _TEXTS):
            try:
                return _Copied(self.film.add_stream_from_template(stream, opaque=True), self.clock)
            except ValueError:
                self.notes.append(f"its subtitles ({codec}) do not go into this container")
                return None
        if codec in _TEXTS:
            return _Reworded(stream, self.film, WORDS[self.name][0], self.clock)
        self.notes.append(f"its subtitles ({codec}) are pictures, which this container does not hold; .mkv does")
        return None


def _names_chapters(stream: Any) -> bool:
    """Whether a stream holds the names of chapters, as QuickTime keeps them."""
    return getattr(stream, "codec_tag", "") == "text" or stream.metadata.get("handler_name") == "SubtitleHandler"


def chapters_of(source: Any, zero: Fraction, end: Fraction) -> list[dict[str, Any]]:
    """The chapters of a source on the new film's clock, cut to it."""
    kept: list[dict[str, Any]] = []
    for chapter in source.chapters():
        tick = chapter["time_base"] or Fraction(1, 1000)
        begin, stop = (max(Fraction(0), min(end, chapter[key] * tick - zero)) for key in ("start", "end"))
        if stop > begin:
            title = {k: v for k, v in chapter["metadata"].items() if k == "title"}
            times = {"start": round(begin * 1000), "end": round(stop * 1000), "time_base": Fraction(1, 1000)}
            kept.append({"id": len(kept) + 1, "metadata": title} | times)
    return kept


def clock_of(source: Any, shift: Fraction, stop: Fraction | None, name: str) -> Clock:
    """The clock of a new film.

    Args:
        source: Where its sound comes from.
        shift: What is 0 in it, on the source film's clock.
        stop: When it ends, on the source film's clock.
        name: Of its muxer.
    """
    before = name in ("mp4", "mov") or (shift == 0 and str(source.format.name).startswith("matroska"))
    return Clock(clock_zero(source) + shift, None if stop is None else stop - shift, before)
