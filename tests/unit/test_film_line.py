"""Depth that is given goes to the frames that it belongs to."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.bars import Window
from unflat.pipelines.film_line import Line
from unflat.types.clip import Clip, TimedFrame
from unflat.types.image import Size

PIXELS = np.zeros((16, 16, 3), np.uint8)


def _line(depth: Sequence[Fraction], fps: Fraction, opened: list[Fraction] | None = None) -> Line:
    """A film of depth whose frame number n has the value n everywhere."""

    def given(start: Fraction, _stop: Fraction | None) -> Generator[tuple[Fraction, NDArray[np.uint16]]]:
        if opened is not None:
            opened.append(start)
        for number, time in enumerate(depth):
            if time >= start:
                yield time, np.full((8, 8), number, np.uint16)

    clip = Clip(Size(16, 16), fps, lambda _start, _stop: (_ for _ in ()))
    return Line(clip, Window(0, 0, 16, 16), given=given)


def _which(line: Line, times: Sequence[Fraction]) -> list[int]:
    frames = [TimedFrame(PIXELS, time, number) for number, time in enumerate(times)]
    return [round(float(raw.inverse[0, 0]) * 65535) for _, raw in line.handed(frames)]


def _in_ms(times: Sequence[Fraction]) -> list[Fraction]:
    return [Fraction(round(time * 1000), 1000) for time in times]


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(120)])
def test_times_rounded_by_matroska_find_their_frames(fps: Fraction) -> None:
    times = [n / fps for n in range(50)]
    assert _which(_line(_in_ms(times), fps), times) == list(range(50))


def test_where_frames_are_far_apart_and_close_by_turns_each_has_its_own() -> None:
    times = [Fraction(n, 1000) for n in (0, 40, 2000, 2040, 9000, 9040)]
    assert _which(_line(times, Fraction(6, 10)), times) == list(range(6))


def test_depth_of_every_other_frame_lasts_to_the_end() -> None:
    times = [Fraction(n, 24) for n in range(8)]
    assert _which(_line(times[::2], Fraction(24)), times) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(("there", "first"), [(9, 0), (1, 0), (0, 0), (9, 12)])
def test_depth_that_is_over_is_said(there: int, first: int) -> None:
    times = [Fraction(n, 24) for n in range(16)]
    with pytest.raises(InputError, match="is over"):
        _which(_line(times[:there], Fraction(24)), times[first:])


def test_going_on_does_not_read_all_that_was_before_and_finds_the_same() -> None:
    times = [Fraction(n) for n in range(100)]
    opened: list[Fraction] = []
    assert _which(_line(times, Fraction(1), opened), times[60:]) == list(range(60, 100))
    assert opened == [50]
    slides = [Fraction(0), Fraction(40), Fraction(62)]
    assert _which(_line(slides, Fraction(1)), times[50:70]) == _which(_line(slides, Fraction(1)), times[:70])[50:]
