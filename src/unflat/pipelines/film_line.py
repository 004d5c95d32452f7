"""The line on which films are made: frames -> their depth -> steady -> pictures, each station in a thread of its own.

clip ─ frames ─► estimate_depth, as many at once as there are cores ─► stabilise_depth ─► painted ─► the films' segments
            └► restore_film: old films are seen on clean copies, their depth is placed on the frame when it is steady

A frame is at one station at a time and none waits for more than its neighbours, so memory does not grow with the film.
What the stations remember of the past is handed on at the end of every segment: a run can be killed at any moment, and
another goes on from there to the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.film_depth import FULL
from unflat.formats.film_read import ReadGrey
from unflat.geometry.bands import ahead, cores, side_by_side
from unflat.geometry.bars import Window
from unflat.pipelines.report import Progress, silent
from unflat.stages.estimate_depth import DepthOptions, estimate_depth
from unflat.stages.restore_film import Restored, RestoreOptions, RestoreState, placed, restore_film
from unflat.stages.stabilise_depth import RawDepth, SteadyOptions, SteadyState, as_inverse, stabilise_depth
from unflat.types.clip import Clip, DepthFrame, TimedFrame
from unflat.types.image import Image

if TYPE_CHECKING:
    from unflat.formats.film_parts import HandedOn, Parts

_WAITING = 2
_SMALL = (224, 126)
"""Depth that was given is looked at in this size, to tell shots apart."""
_EARLIER_S = 10
"""By so much earlier the film of depth is opened; from its beginning where none of its frames begins within that."""
_LASTS = Fraction(3, 4)
"""The last frame of a film of depth is good for this share of the time since the one before it."""
_STEADY = "steady."
_PAINTER = "painter."
_RESTORED = "restored."


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
        given: Depth that needs no model: the way to the frames of a film of it; None asks the model.
        restore: How clean copies are made of an old film; None where the frames themselves are looked at.
    """

    clip: Clip
    window: Window
    model: str = "auto"
    kind: str | None = None
    estimate: DepthOptions = field(default_factory=DepthOptions)
    steady: SteadyOptions = field(default_factory=SteadyOptions)
    given: ReadGrey | None = None
    restore: RestoreOptions | None = None

    def look(self, frame: TimedFrame) -> tuple[TimedFrame, RawDepth]:
        """The depth of one frame by itself; called from several threads at once."""
        return frame, as_inverse(estimate_depth(Image(frame.pixels), self.model, self.estimate, self.kind))

    def handed(self, frames: Iterable[TimedFrame]) -> Generator[tuple[TimedFrame, RawDepth]]:
        """Each frame with the depth that the given film shows nearest to its time.

        Raises:
            InputError: The film of depth is over before the other one is.
        """
        coming = iter(frames)
        first = next(coming, None)
        if first is None:
            return
        with closing(self._greys(first.time)) as greys:
            now, after, step = next(greys, None), next(greys, None), 1 / self.clip.fps
            for frame in chain([first], coming):
                while now and after and abs(after[0] - frame.time) < abs(now[0] - frame.time):
                    now, after, step = after, next(greys, None), after[0] - now[0]
                if now is None or (after is None and frame.time - now[0] > step * _LASTS):
                    raise InputError(
                        f"the film of depth is over at {float(frame.time):.2f} s, {self.clip.source.name} goes on",
                        hint="Give depth of the whole film (of a part, with --from, it begins at 0), or end with --to.",
                    )
                inner = self._fitted(now[1])
                yield frame, RawDepth(inner.astype(np.float32) / np.float32(FULL))

    def _greys(self, first: Fraction) -> Generator[tuple[Fraction, NDArray[np.uint16]]]:
        """The given film of depth, at the latest from the frame that is shown at ``first`` on."""
        if self.given is None:
            return
        for start in (max(Fraction(0), first - _EARLIER_S), Fraction(0)):
            with closing(self.given(start, None)) as greys:
                grey = next(greys, None)
                if grey is not None and (start == 0 or grey[0] <= first):
                    yield grey
                    yield from greys
                    return

    def _fitted(self, values: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """The part of a depth frame that is within the bars."""
        h, w = values.shape
        size, window = self.clip.size, self.window
        top, bottom = round(window.top * h / size.height), round(window.bottom * h / size.height)
        left, right = round(window.left * w / size.width), round(window.right * w / size.width)
        return values[top:bottom, left:right]

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
        past = _taken(saved, _RESTORED) if saved else {}
        self._past = RestoreState.of(past) if past else None
        self._copies: dict[int, Restored] = {}
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
        seen = self._seen()
        given = self._line.given is not None
        steady = self._kept(seen) if given else stabilise_depth(seen, self._line.steady, self.state)
        with closing(steady) as settled:
            for frame in settled:
                count += 1
                copy = self._copies.pop(frame.frame.number, None)
                whole = frame if copy is None else placed(frame, copy)
                yield whole, self._remembered(copy) if count % self._cut.length == 0 else None

    def _remembered(self, copy: Restored | None = None) -> HandedOn:
        """What is known behind the frame that was settled last."""
        steady = {_STEADY + name: value for name, value in self.state.arrays().items()}
        if copy is None:
            return steady
        return steady | {_RESTORED + name: value for name, value in copy.state.arrays().items()}

    def _seen(self) -> Generator[tuple[TimedFrame, RawDepth]]:
        frames = ahead(self._line.frames(self._cut.start, self._cut.stop, self._after), _WAITING)
        to_see = frames if self._line.restore is None else self._copied(frames, self._line.restore)
        looked = side_by_side(self._line.look, to_see, cores())
        given = self._line.given is not None
        with closing(frames), closing(to_see), closing(self._line.handed(frames) if given else looked) as seen:
            yield from seen

    def _copied(self, frames: Iterable[TimedFrame], options: RestoreOptions) -> Generator[TimedFrame]:
        """Clean copies of the frames; what they are of waits until their depth is steady."""
        with closing(ahead(restore_film(frames, options, self._past), _WAITING)) as copies:
            for copy in copies:
                self._copies[copy.frame.number] = copy
                yield copy.to_see

    def _kept(self, seen: Generator[tuple[TimedFrame, RawDepth]]) -> Generator[DepthFrame]:
        """Depth that was given stays as it is; only the shots are found. White is nearest, black is farthest."""
        waiting: dict[int, RawDepth] = {}

        def small() -> Generator[tuple[TimedFrame, RawDepth]]:
            with closing(seen):
                for frame, raw in seen:
                    waiting[frame.number] = raw
                    little = cv2.resize(raw.inverse, _SMALL, interpolation=cv2.INTER_AREA)
                    yield frame, RawDepth(np.asarray(little, np.float32))

        with closing(stabilise_depth(small(), replace(self._line.steady, look_ahead=0), self.state)) as settled:
            for frame in settled:
                yield replace(
                    frame, inverse=waiting.pop(frame.frame.number).inverse, near=1.0, far=0.0, confidence=None
                )

    def _handed_on(self, remembered: HandedOn | None = None) -> HandedOn:
        """What the next segment needs; asked in the painter's own thread, or when the line stands still."""
        past = self._remembered() if remembered is None else remembered
        own = self._painter.handed_on()
        return {**past, **{_PAINTER + k: v for k, v in own.items()}}

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
