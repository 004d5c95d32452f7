"""The line on which films are made: frames -> their depth -> steady -> pictures, each station in a thread of its own.

clip ─ frames ─► estimate_depth, as many at once as there are cores ─► stabilise_depth ─► painted ─► the films' segments

A frame is at one station at a time and none waits for more than its neighbours, so memory does not grow with the film.
What the stations remember of the past is handed on at the end of every segment: a run can be killed at any moment, and
another goes on from there to the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.bands import ahead, cores, side_by_side
from unflat.geometry.bars import Window
from unflat.pipelines.report import Progress, silent
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.stabilise_depth import RawDepth, SteadyOptions, SteadyState, as_inverse, stabilise_depth
from unflat.types.clip import Clip, DepthFrame, TimedFrame
from unflat.types.image import Image

if TYPE_CHECKING:
    from unflat.formats.film_parts import HandedOn, Parts

_WAITING = 2
_STEADY = "steady."
_PAINTER = "painter."


class Painter(Protocol):
    """Makes of a frame with its depth what goes into the films, one picture for each."""

    def paint(self, frame: DepthFrame) -> Sequence[NDArray[Any]]:
        """The pictures of all films, of the same sizes for every frame; asked in the order of the frames."""
        ...

    def handed_on(self) -> HandedOn:
        """What the frame after the last one must know."""
        ...

    def take_up(self, handed_on: HandedOn) -> None:
        """Go on where another run stopped."""
        ...

    def about(self) -> Mapping[str, Any]:
        """What the report needs of the frames since this was last asked; plain values."""
        ...


class Segment(Protocol):
    """A piece of a film that is being written; whole when it is left without an error."""

    def write(self, pixels: NDArray[Any], time: Fraction) -> None:
        """One more frame, shown at ``time`` (seconds)."""
        ...


Opened = Callable[[Path, int], AbstractContextManager[Segment]]
"""Begins the segment of the film with a number, at a path."""


@dataclass(frozen=True, slots=True)
class Line:
    """What goes onto the line, and how it is seen.

    Attributes:
        clip: The film.
        window: The part of its frames that is the picture.
        model: Who sees the depth.
        kind: What the numbers of a model from outside mean.
        estimate: How.
        steady: How depth is made steady.
        given: Depth that needs no model: the frame's raw depth, by its time; None asks the model.
    """

    clip: Clip
    window: Window
    model: str = "auto"
    kind: str | None = None
    estimate: DepthOptions = field(default_factory=DepthOptions)
    steady: SteadyOptions = field(default_factory=SteadyOptions)
    given: Callable[[TimedFrame], RawDepth] | None = None

    def look(self, frame: TimedFrame) -> tuple[TimedFrame, RawDepth]:
        """The depth of one frame by itself; called from several threads at once."""
        if self.given is not None:
            return frame, self.given(frame)
        return frame, as_inverse(estimate_depth(Image(frame.pixels), self.model, self.estimate, self.kind))

    def frames(self, start: Fraction, stop: Fraction | None, after: Fraction | None) -> Generator[TimedFrame]:
        """The pictures within the bars; only those later than ``after``."""
        with closing(self.clip.frames(start if after is None else after, stop)) as frames:
            for frame in frames:
                if after is None or frame.time > after:
                    yield TimedFrame(self.window.cut(frame.pixels), frame.time, frame.number)


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of the film is made, and how it is cut into segments.

    Attributes:
        start: First moment, seconds.
        stop: End; None is the film's own.
        length: Frames of a segment.
    """

    start: Fraction
    stop: Fraction | None
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class _Painted:
    """A frame at the end of the line; the last of a segment brings what is handed on, and what the report needs."""

    time: Fraction
    pictures: Sequence[NDArray[Any]]
    handed_on: HandedOn | None = None
    about: Mapping[str, Any] | None = None


class Run:
    """One run of the line, from where an earlier one stopped.

    Attributes:
        state: What is known of the depth of the frames so far.
        frames: How many frames are made, earlier runs' too.
    """

    def __init__(self, line: Line, painter: Painter, cut: Cut, parts: Parts, progress: Progress = silent) -> None:
        self._line, self._painter, self._cut, self._parts = line, painter, cut, parts
        saved = parts.handed_on()
        self.state = SteadyState.of(_taken(saved, _STEADY)) if saved else SteadyState()
        if saved:
            painter.take_up(_taken(saved, _PAINTER))
        self._after = Fraction(*parts.about(parts.done - 1)["last"]) if parts.done else None
        self.frames = sum(parts.about(number)["frames"] for number in range(parts.done))
        self._progress, self._begun, self._before = progress, time.perf_counter(), self.frames

    def make(self, opened: Opened, suffixes: Sequence[str]) -> None:
        """Make all segments that are not there yet.

        Args:
            opened: Begins a segment.
            suffixes: Of the segments, one for each film.

        Raises:
            InputError: There is no frame in that part of the film.
        """
        with closing(ahead(self._painted(), _WAITING)) as stream:
            while self._segment(stream, opened, suffixes):
                pass
        if not self.frames:
            raise InputError(
                f"there is no frame to see in {self._line.clip.source.name}",
                hint="Look at --from and --to, and at how long the film is.",
            )

    def _segment(self, stream: Generator[_Painted], opened: Opened, suffixes: Sequence[str]) -> bool:
        """Take one segment from the line; False if the film ended with it."""
        painted = next(stream, None)
        if painted is None:
            return False
        frames, last = 0, painted
        with ExitStack() as stack:
            paths = [self._parts.segment(self._parts.done, film, suffix) for film, suffix in enumerate(suffixes)]
            films = [stack.enter_context(opened(path, film)) for film, path in enumerate(paths)]
            while painted is not None:
                for film, picture in zip(films, painted.pictures, strict=True):
                    film.write(picture, painted.time)
                frames, last = frames + 1, painted
                self._tell()
                painted = next(stream, None) if painted.handed_on is None else None
        ended = last.handed_on is None
        about = self._painter.about() if last.about is None else last.about
        first = {"frames": frames, "last": [last.time.numerator, last.time.denominator]}
        self._parts.finish({**about, **first}, self._handed_on() if last.handed_on is None else last.handed_on)
        return not ended

    def _painted(self) -> Generator[_Painted]:
        """Frames as they leave the line."""
        with closing(ahead(self._steady(), _WAITING)) as settled:
            for frame, remembered in settled:
                pictures = self._painter.paint(frame)
                if remembered is None:
                    yield _Painted(frame.frame.time, pictures)
                else:
                    yield _Painted(frame.frame.time, pictures, self._handed_on(remembered), self._painter.about())

    def _steady(self) -> Generator[tuple[DepthFrame, HandedOn | None]]:
        """Frames with steady depth; the last of a segment brings what is remembered behind it."""
        count = 0
        with closing(stabilise_depth(self._seen(), self._line.steady, self.state)) as settled:
            for frame in settled:
                count += 1
                yield frame, self.state.arrays() if count % self._cut.length == 0 else None

    def _seen(self) -> Generator[tuple[TimedFrame, RawDepth]]:
        frames = ahead(self._line.frames(self._cut.start, self._cut.stop, self._after), _WAITING)
        with closing(frames), closing(side_by_side(self._line.look, frames, cores())) as seen:
            yield from seen

    def _handed_on(self, remembered: HandedOn | None = None) -> HandedOn:
        """What the next segment needs; asked in the painter's own thread, or when the line stands still."""
        steady = self.state.arrays() if remembered is None else remembered
        own = self._painter.handed_on()
        return {**{_STEADY + k: v for k, v in steady.items()}, **{_PAINTER + k: v for k, v in own.items()}}

    def _tell(self) -> None:
        """One more frame is made."""
        self.frames += 1
        rate = (self.frames - self._before) / max(time.perf_counter() - self._begun, 1e-6)
        whole = self._expected()
        left = "" if whole is None else f" of {whole}, {_clock(max(0.0, whole - self.frames) / rate)} left"
        self._progress(f"frame {self.frames}{left}, {rate:.1f} a second")

    def _expected(self) -> int | None:
        """About how many frames there will be."""
        clip, (start, stop) = self._line.clip, (self._cut.start, self._cut.stop)
        end = clip.seconds if stop is None else float(stop) if clip.seconds is None else min(float(stop), clip.seconds)
        return None if end is None else max(self.frames, round((end - float(start)) * clip.fps))


def _taken(saved: HandedOn, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in saved.items() if name.startswith(prefix)}


def _clock(seconds: float) -> str:
    """A time that is left, as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
