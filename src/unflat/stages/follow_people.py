"""a film -> where everybody is in each of its frames, also in those in which no finder sees them.

A finder misses a face in many frames of a film, and most often in those in which it comes or goes. So the film is
looked through once before anything is made of it: every quarter of a second faces and bodies are looked for, and each
is followed along the motion of the picture to the frames before and after, within its shot. To look ahead while the
film is made would be cheaper by one reading; but then what is known of a frame would depend on where reading began, and
a run that goes on after it was stopped would make other frames. Whom no finder sees in any frame is in all of them.

Held in memory are a second and a half of small frames, and 16 bytes for each face and frame of the film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from unflat.geometry.flow import flow, places, returning, sampled
from unflat.geometry.follow import followed, grown, hull
from unflat.geometry.shots import LOOK_AHEAD, Look, begins_shot, remembered, tie, torn
from unflat.geometry.veil import Veil, cells_of
from unflat.models.faces.finder import find_people
from unflat.stages.redact_people import body_region, face_region
from unflat.types.arrays import F32, F64, U8
from unflat.types.clip import Clip
from unflat.types.image import Size
from unflat.types.people import People, PersonPart, Sighting

EVERY_S = 1 / 4
"""Seconds between two looks for people."""
HELD_S = 1.5
"""Somebody who was found is followed so long to either side of the find."""
_SMALL = 256
"""Long side of the frames that motion is looked for in, pixels."""
_DRIFT, _MOST_DRIFT = 0.012, 0.4
"""A box grows by this share of its size for every frame since the find, and by no more than the other."""
_BELIEVED = 0.75
"""Scores of one person's finds sum up to this, or it was nobody."""
_NEAR, _RATIO = 0.6, 2.0
"""A find is somebody known if its middle is off by less than this share of the larger width, and its size by less."""
_CELLS = (3, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One face or body through a shot.

    Attributes:
        part: What of a person it is.
        first: Number of its first frame.
        boxes: (frames, 4) float32 left, top, width, height in pixels of the film.
        cells: (3, 3, 3) float32 the mean colours of its region, over all finds: the same in all of its frames, for
            means that change with the frame tell more than nine colours do.
    """

    part: PersonPart
    first: int
    boxes: F32
    cells: F32


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Everybody in a film.

    Attributes:
        size: Of its frames.
        frames: The number behind its last frame's.
        traces: In order of their first frames.
        most: Who was found in the frame in which the most were.
    """

    size: Size
    frames: int
    traces: tuple[Trace, ...]
    most: People

    def at(self, number: int) -> list[tuple[Trace, Sighting]]:
        """Who is in a frame, and where."""
        here = [trace for trace in self.traces if 0 <= number - trace.first < len(trace.boxes)]
        return [(trace, Sighting(trace.part, *map(float, trace.boxes[number - trace.first]))) for trace in here]


@dataclass(slots=True, eq=False)
class _Glimpse:
    """What is kept of a frame: small, its motion from and to the one before, and who was found."""

    number: int
    grey: U8
    look: Look
    there: F32
    back: F32
    found: list[tuple[Sighting, F32]] | None


@dataclass(slots=True, eq=False)
class _Open:
    """Somebody who is still being followed; boxes in pixels of small frames."""

    part: PersonPart
    first: int
    boxes: list[F64]
    here: F64
    age: int = 0
    belief: float = 0.0
    cells: list[F32] = field(default_factory=list[F32])

    def closed(self, scale: F64) -> Trace | None:
        """As it is kept; None for nobody."""
        if self.belief < _BELIEVED:
            return None
        boxes = (np.array(self.boxes) * scale).astype(np.float32)
        return Trace(self.part, self.first, boxes, np.asarray(np.mean(self.cells, 0), np.float32))


def follow_people(clip: Clip, said: Callable[[int], None] | None = None) -> Traces:
    """Look through a film for people.

    Args:
        clip: The film; it is read once from its beginning to its end.
        said: Is told the number of every frame that was looked at, for progress.

    Returns:
        Where they are, the same whenever it is asked.
    """
    every, held = (max(1, round(seconds * clip.fps)) for seconds in (EVERY_S, HELD_S))
    small = clip.size.fitted(_SMALL)
    survey = _Survey(clip.size, small, held)
    waiting, looks = deque[_Glimpse](), list[Look]()

    def settle() -> None:
        frame = waiting.popleft()
        ahead = [other.look for other in waiting]
        survey.take(frame, begins_shot(looks, [frame.look, *ahead][: LOOK_AHEAD + 1]))
        looks[:] = remembered(looks, frame.look)

    for glimpse in _glimpses(clip, small, every):
        waiting.append(glimpse)
        if glimpse.found is not None:
            survey.count([seen for seen, _ in glimpse.found])
        if len(waiting) > LOOK_AHEAD:
            settle()
        if said is not None:
            said(glimpse.number)
    while waiting:
        settle()
    return survey.end()


def _glimpses(clip: Clip, small: Size, every: int) -> Iterator[_Glimpse]:
    """All frames; people are looked for in every so many, and where the picture changes at once."""
    import cv2

    before: _Glimpse | None = None
    with closing(clip.frames()) as frames:
        for frame in frames:
            size = (small.width, small.height)
            tiny = np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
            grey = np.asarray(cv2.cvtColor(tiny, cv2.COLOR_RGB2GRAY), np.uint8)
            if before is None:
                still, look = np.zeros((*grey.shape, 2), np.float32), Look.of(tiny, 1.0)
                glimpse = _Glimpse(frame.number, grey, look, still, still, None)
            else:
                there, back = flow(before.grey, grey), flow(grey, before.grey)
                then = sampled(before.grey.astype(np.float32), places(*grey.shape) + back)
                tied = tie(then, grey.astype(np.float32), returning(back, there).astype(np.float32))
                glimpse = _Glimpse(frame.number, grey, Look.of(tiny, tied), there, back, None)
            sudden = before is None or torn(glimpse.look, before.look) or frame.number > before.number + 1
            if sudden or frame.number % every == 0:
                people = find_people(frame.pixels)
                glimpse.found = [(seen, _means(frame.pixels, seen)) for seen in people.seen]
            yield glimpse
            before = glimpse


def _means(pixels: U8, seen: Sighting) -> F32:
    """The nine colours of somebody who was found."""
    import cv2

    box = face_region(seen) if seen.part == "face" else body_region(seen, "blur")
    veil = Veil.over(box, *pixels.shape[:2])
    if veil is None:
        return np.full((*_CELLS, 3), 127, np.float32)
    cells = cells_of(pixels[veil.part].astype(np.float32), veil)
    return np.asarray(cv2.resize(cells, _CELLS, interpolation=cv2.INTER_NEAREST), np.float32)


class _Survey:
    """Everybody who is being followed, while the film goes by."""

    def __init__(self, size: Size, small: Size, held: int) -> None:
        self._size, self._held = size, held
        scale = np.array([size.width / small.width, size.height / small.height] * 2)
        self._scale, self._bounds = scale, (small.width, small.height)
        self._open, self._traces = list[_Open](), list[Trace]()
        self._past, self._next = deque[_Glimpse](maxlen=held), 0
        self._most: tuple[Sighting, ...] = ()

    def count(self, seen: list[Sighting]) -> None:
        """Remember the frame with the most faces, then the most bodies."""
        faces = (sum(one.part == "face" for one in several) for several in (seen, self._most))
        ours, most = faces
        if (ours, len(seen)) > (most, len(self._most)):
            self._most = tuple(seen)

    def take(self, frame: _Glimpse, begins: bool) -> None:
        """Follow everybody into the next frame."""
        if begins or frame.number != self._next:
            self._close(self._open)
            self._past.clear()
        for one in self._open:
            one.here, one.age = followed(one.here, frame.there), one.age + 1
            one.boxes.append(grown(one.here, min(_MOST_DRIFT, _DRIFT * one.age)))
        self._close([one for one in self._open if one.age > self._held or self._outside(one.here)])
        self._next = frame.number + 1
        self._past.append(frame)
        for seen, cells in frame.found or ():
            self._find(frame.number, seen, cells)

    def end(self) -> Traces:
        """Everybody."""
        self._close(self._open)
        traces = sorted(self._traces, key=lambda trace: (trace.first, *map(float, trace.boxes[0])))
        return Traces(self._size, self._next, tuple(traces), People(self._size, self._most))

    def _find(self, number: int, seen: Sighting, cells: F32) -> None:
        """Somebody was found in the last frame: one who is followed, or another."""
        box = np.array([seen.left, seen.top, seen.width, seen.height]) / self._scale
        known = [one for one in self._open if one.part == seen.part and (one.age or not one.belief)]
        known = [one for one in known if _alike(one.here, box)]
        one = min(known, key=lambda one: _apart(one.here, box), default=None)
        if one is None:
            one = _Open(seen.part, number, [box], box)
            self._open.append(one)
        back = box
        for step, frame in enumerate(reversed(self._past), 1):  # where it came from
            place = frame.number - one.first
            widened = grown(back, min(_MOST_DRIFT, _DRIFT * (step - 1)))
            if place < 0:
                one.boxes.insert(0, widened)
                one.first -= 1
            else:
                one.boxes[place] = hull(one.boxes[place], widened)
            if step > 1 and one.belief and place <= len(one.boxes) - 1 - one.age:
                break  # it was found there before
            if self._outside(back) or frame is self._past[0]:
                break
            back = followed(back, frame.back)
        one.here, one.age = box, 0
        one.belief += seen.score
        one.cells.append(cells)

    def _outside(self, box: F64) -> bool:
        x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
        return not (0 <= x <= self._bounds[0] and 0 <= y <= self._bounds[1])

    def _close(self, ended: list[_Open]) -> None:
        self._traces += [trace for one in ended if (trace := one.closed(self._scale)) is not None]
        self._open = [one for one in self._open if one not in ended]


def _apart(a: F64, b: F64) -> float:
    return float(np.hypot(*(a[:2] + a[2:] / 2 - b[:2] - b[2:] / 2)))


def _alike(a: F64, b: F64) -> bool:
    """Whether two boxes may be of one person."""
    larger, smaller = max(a[2], b[2]), min(a[2], b[2])
    return _apart(a, b) < _NEAR * larger and larger < _RATIO * smaller
