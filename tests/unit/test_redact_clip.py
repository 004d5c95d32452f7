"""No frame of a film shows the face: not where the finder misses it, and the same wherever reading begins."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import cv2
import numpy as np
import pytest

from bundled import bundled
from unflat.errors import InputError
from unflat.models.faces.finder import find_people
from unflat.stages.follow_people import Traces, follow_people
from unflat.stages.redact_clip import people_in_clip, redact_clip
from unflat.stages.redact_people import How
from unflat.types.arrays import U8
from unflat.types.clip import Clip, TimedFrame
from unflat.types.image import Size

SIZE, FPS = Size(480, 270), 15
FRAMES = 52
CUT = 45
"""Here another shot begins, in which nobody is."""
FACE = (175, 70, 104, 110)
SCALE = 0.8
Truth = tuple[U8, tuple[float, float] | None]


def head(number: int) -> U8:
    """The astronaut's head, which turns away and comes back."""
    whole = bundled("astronaut")[0:200, 125:325]
    turned = abs(np.sin(np.pi * number / 24)) ** 3
    wide = round(200 * SCALE * (1 - 0.45 * turned))
    return np.asarray(cv2.resize(whole, (wide, round(200 * SCALE)), interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=FRAMES)
def drawn(number: int) -> Truth:
    """A frame and where the middle of the face is: a head goes across a street of bricks, behind a post."""
    if number >= CUT:
        place = 4 * (number - CUT)
        return np.ascontiguousarray(bundled("coffee")[60 : 60 + 270, place : place + 480]), None
    ground = np.asarray(cv2.resize(bundled("gravel"), (900, 512)), np.uint8)
    frame = ground[2 * number : 2 * number + 270, 3 * number : 3 * number + 480].copy()
    shown = head(number)
    left, top = 20 + 5 * number, 40 + round(15 * np.sin(number / 6))
    frame[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    frame[:, 215:245] = (90, 120, 80)  # the post
    x = left + shown.shape[1] * (FACE[0] + FACE[2] / 2 - 125) / 200
    return frame, (x, top + SCALE * (FACE[1] + FACE[3] / 2))


def film(frames: int = FRAMES, frame: Callable[[int], Truth] = drawn) -> Clip:
    def read(start: Fraction, stop: Fraction | None) -> Generator[TimedFrame]:
        for number in range(frames):
            time = Fraction(number, FPS)
            if time >= start and (stop is None or time < stop):
                yield TimedFrame(frame(number)[0], time, number)

    return Clip(SIZE, Fraction(FPS), read, frames / FPS, frames)


@pytest.fixture(scope="module")
def traces() -> Traces:
    return follow_people(film())


def columns(middle: tuple[float, float]) -> list[slice]:
    """Those of the face, to the left and to the right of the post."""
    left, right = round(middle[0]) - 22, round(middle[0]) + 22
    return [slice(left, min(right, 213)), slice(max(left, 247), right)]


def alike(pixels: U8, source: U8, middle: tuple[float, float]) -> float:
    """Correlation of what is fine in the face and in what is there instead; -1 where the post hides all of it."""
    y, worst = round(middle[1]), -1.0
    for part in columns(middle):
        if part.stop - part.start < 12:
            continue
        greys = [np.float32(p[y - 40 : y + 40, part]).mean(-1) for p in (pixels, source)]
        fine = [grey - cv2.GaussianBlur(grey, (0, 0), 2) for grey in greys]
        worst = max(worst, float((fine[0] * fine[1]).sum() / (np.linalg.norm(fine[0]) * np.linalg.norm(fine[1]) + 200)))
    return worst


@pytest.mark.parametrize("how", ["blur", "remove"])
def test_no_frame_shows_the_face(traces: Traces, how: How) -> None:
    shown = dict[int, float]()
    for frame in redact_clip(film(), how, traces).frames(Fraction(0), Fraction(CUT, FPS)):
        source, middle = drawn(frame.number)
        assert middle is not None
        assert alike(source, source, middle) > 0.8 or alike(source, source, middle) == -1
        shown[frame.number] = alike(frame.pixels, source, middle)
    assert sum(value > -1 for value in shown.values()) >= 40
    assert max(shown.values()) < 0.3, {number: round(value, 2) for number, value in shown.items() if value >= 0.3}


def test_the_finder_alone_misses_frames() -> None:
    """Or the test above would show nothing."""
    seen = [any(one.score > 0.4 for one in find_people(drawn(n)[0], bodies=False).faces) for n in range(0, CUT, 5)]
    assert 0 < sum(seen) < len(seen)


def test_another_shot_stays_as_it_is(traces: Traces) -> None:
    for frame in redact_clip(film(), "blur", traces).frames(Fraction(CUT, FPS)):
        np.testing.assert_array_equal(frame.pixels, drawn(frame.number)[0])


def test_a_frame_is_the_same_wherever_reading_begins(traces: Traces) -> None:
    clip = redact_clip(film(), "blur", traces)
    whole = {frame.number: frame.pixels for frame in clip.frames()}
    assert sorted(whole) == list(range(FRAMES))
    for start, stop in ((7, 12), (40, 50), (33, 34)):
        part = [*clip.frames(Fraction(start, FPS), Fraction(stop, FPS))]
        assert [frame.number for frame in part] == [*range(start, stop)]
        for frame in part:
            np.testing.assert_array_equal(frame.pixels, whole[frame.number])


def test_looking_twice_finds_the_same() -> None:
    first, again = follow_people(film(14)), follow_people(film(14))
    assert first.traces and first.most == again.most
    for one, other in zip(first.traces, again.traces, strict=True):
        assert (one.first, one.part) == (other.first, other.part)
        np.testing.assert_array_equal(one.boxes, other.boxes)


def test_a_film_that_grew_is_refused(traces: Traces) -> None:
    with pytest.raises(InputError, match="was not there"):
        list(redact_clip(film(FRAMES + 1), "blur", replace(traces, frames=FRAMES)).frames())


def test_the_notice_counts_faces() -> None:
    assert len(people_in_clip(film(CUT)).faces) >= 1
    assert not people_in_clip(film(12, lambda n: (np.full((270, 480, 3), 3 * n, np.uint8), None)))


def test_a_film_without_frames() -> None:
    assert follow_people(film(0)).frames == 0
