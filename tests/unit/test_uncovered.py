"""What a moved eye uncovers on a line: held against a slow definition, and against gaps counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unflat.geometry.uncovered import OUTSIDE, SKY, SOLID, VOID, Lines, uncovered

FAR, NEAR = 0.25, 0.75
EDGE, STEEPEST, PIVOT, BLURRED = 0.06, np.inf, 0.25, 20.0


def lines(
    front: NDArray[np.floating],
    back: NDArray[np.floating] | None = None,
    *,
    made_up: bool = True,
    radial: bool = False,
    kind: NDArray[np.uint8] | None = None,
    doubt: float = 0.0,
) -> Lines:
    front = np.atleast_2d(front).astype(np.float32)
    behind = np.zeros_like(front) if back is None else np.atleast_2d(back).astype(np.float32)
    solid = np.full(front.shape, SOLID, np.uint8) if kind is None else np.atleast_2d(kind)
    both = np.stack([front, behind])
    marks = np.stack([np.zeros(front.shape, np.bool_), np.full(front.shape, made_up)])
    return Lines(solid, both, marks, np.full(front.shape, doubt, np.float32), 0.5, radial)


def look(of: Lines, move: float) -> tuple[float, float, float]:
    made_up, missing, doubtful = uncovered(of, move, EDGE, STEEPEST, PIVOT, BLURRED)
    return float(made_up), float(missing), float(doubtful)


def block(n: int = 100, left: int = 40, right: int = 60) -> NDArray[np.float32]:
    """A near thing before a wall."""
    line = np.full(n, FAR, np.float32)
    line[left:right] = NEAR
    return line


@pytest.mark.parametrize("move", [10.0, -10.0, 30.0])
def test_a_gap_is_as_wide_as_the_near_thing_moves_against_the_wall(move: float) -> None:
    wide = abs(move) * (NEAR - FAR)
    known = 100 - int(abs(move) * FAR)  # the wall itself moves, and bares the border, which does not count
    _, missing, _ = look(lines(block()), move)
    assert missing == pytest.approx(wide / known, abs=1.01 / known)
    made_up, still, _ = look(lines(block(), np.full(100, FAR)), move)
    assert still == 0 and made_up == pytest.approx(wide / known, abs=1.01 / known)
    assert look(lines(block(), np.full(100, FAR), made_up=False), move)[:2] == (0, 0)


def test_a_deeper_layer_fills_what_the_hidden_one_leaves_open() -> None:
    two = lines(block())
    deeper = np.stack([*two.inverse, np.full((1, 100), 0.2, np.float32)])
    three = two._replace(inverse=deeper, made_up=np.stack([*two.made_up, np.ones((1, 100), np.bool_)]))
    (_, missing, _), (made_up, still, _) = look(two, 10.0), look(three, 10.0)
    assert still == 0 and made_up == pytest.approx(missing, rel=0.1) and missing > 0.04


def test_behind_a_thin_thing_only_its_own_width_was_hidden() -> None:
    _, missing, _ = look(lines(block(100, 49, 51)), 40.0)
    assert missing * 90 == pytest.approx(2, abs=1.01)


def test_a_slanted_surface_never_opens() -> None:
    slope = np.linspace(0.1, 0.9, 100)
    for radial, moves in ((False, (30.0, -30.0)), (True, (0.5, 1.0))):
        for move in moves:
            assert look(lines(slope, radial=radial), move)[:2] == (0, 0)


def test_too_steep_is_a_cut_whatever_explains_it() -> None:
    slope = lines(np.linspace(0.1, 0.9, 100))
    seen = uncovered(slope, 100.0, EDGE, 0.005, PIVOT, BLURRED)
    assert seen[1] > 0.3


def test_the_sky_stands_still_and_goes_on_behind_things_made_up() -> None:
    line = np.zeros(100)
    line[40:60] = NEAR
    kind = np.full(100, SKY, np.uint8)
    kind[40:60] = SOLID
    made_up, missing, _ = look(lines(line, kind=kind), 10.0)
    assert missing == 0 and made_up == pytest.approx(0.07, abs=0.011)


def test_beside_nothing_nothing_is_missing() -> None:
    line = np.zeros(100)
    line[10:40] = line[60:90] = NEAR
    kind = np.full(100, VOID, np.uint8)
    kind[10:40] = kind[60:90] = SOLID
    for move in (10.0, -10.0):
        assert look(lines(line, kind=kind), move)[:2] == (0, 0)


def test_going_forward_bares_a_ring_around_near_things() -> None:
    """At depth 1/NEAR a radius of 30 grows to 30 / (1 - m·NEAR), the wall's hole to 30 / (1 - m·FAR)."""
    line = np.full(100, FAR, np.float32)
    line[:30] = NEAR
    far = np.where(np.arange(100) < 97, FAR, 0)
    m = 0.4
    made_up, missing, _ = look(lines(line, radial=True), m)
    assert (made_up, missing) == (0, 0), "the near thing grows faster and covers the wall"
    line = np.full(100, NEAR, np.float32)
    line[:30] = FAR
    inner, outer = 30 / (1 - m * FAR), 30 / (1 - m * NEAR)
    _, missing, _ = look(lines(line, radial=True), m)
    assert missing == pytest.approx((outer**2 - inner**2) / 100**2, rel=0.08)
    made_up, missing, _ = look(lines(line, far, radial=True), m)
    assert missing == 0 and made_up == pytest.approx((outer**2 - inner**2) / 100**2, rel=0.08)


def test_what_is_passed_is_no_longer_seen() -> None:
    line = np.full(100, FAR, np.float32)
    line[:20] = 4.0
    assert look(lines(line, np.full(100, FAR), radial=True), 0.3)[1] == 0


def test_doubt_grows_with_what_moves_and_the_pivot_never_shows_it() -> None:
    at_pivot, near = lines(np.full(100, PIVOT), doubt=0.4), lines(np.full(100, NEAR), doubt=0.4)
    assert look(at_pivot, 30.0)[2] == 0
    assert look(near, 10.0)[2] == pytest.approx(0.4 * 10 * (NEAR - PIVOT) / BLURRED, rel=1e-4)
    assert look(near, 80.0)[2] == pytest.approx(0.4, rel=1e-4)


def test_samples_outside_the_picture_count_for_nothing() -> None:
    line, kind = block(), np.full(100, SOLID, np.uint8)
    line[70:], kind[70:] = 0, OUTSIDE
    short = look(lines(block(70)), -10.0)
    assert look(lines(line, kind=kind), -10.0) == pytest.approx(short)


@given(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.52, 0.8]), min_size=4, max_size=30), st.floats(-20, 20))
def test_it_is_what_the_slow_definition_says(depths: list[float], move: float) -> None:
    front = np.array(depths, np.float32)
    if not front.any():
        return
    back = np.where(front > 0.3, np.float32(0.2), np.float32(0))
    made_up, missing, _ = look(lines(front, back), move)
    what = [slowly(front, back, move, x) for x in range(len(front))]
    known = [i for i, one in enumerate(what) if one]
    if not known:
        assert (made_up, missing) == (0, 0)
        return
    inside = what[known[0] : known[-1] + 1]
    assert made_up == pytest.approx(inside.count("made up") / len(inside), abs=1e-9)
    assert missing == pytest.approx(inside.count("") / len(inside), abs=1e-9)


def slowly(front: np.ndarray, back: np.ndarray, move: float, x: int) -> str:
    """What a place shows: of all pieces over it, grown by half a pixel, the nearest."""
    best, name = 0.0, ""
    for word, line in (("seen", front), ("made up", back)):
        for i, d in enumerate(line):
            if d <= 0:
                continue
            here = i + move * float(d)
            last = i + 1 == len(line) or line[i + 1] <= 0
            there = here if last or (word == "seen" and broken(line, i)) else i + 1 + move * float(line[i + 1])
            low, high = sorted((here, there))
            if not np.ceil(low - 0.5) <= x <= np.floor(high + 0.5):
                continue
            t = np.clip((x - here) / (there - here), 0, 1) if there != here else 0.0
            inverse = float(d) + (float(t) * (float(line[i + 1]) - float(d)) if there != here else 0.0)
            inverse *= 0.995 if word == "made up" else 1
            if np.float32(inverse) > np.float32(best):
                best, name = inverse, word
    return name


def broken(line: np.ndarray, i: int) -> bool:
    jump = line[i + 1] - line[i]
    limit = EDGE * min(line[i], line[i + 1])
    if abs(jump) <= limit:
        return False
    misses = [abs(jump)]
    if i > 0 and line[i - 1] > 0:
        misses.append(abs(jump - (line[i] - line[i - 1])))
    if i + 2 < len(line) and line[i + 2] > 0:
        misses.append(abs(jump - (line[i + 2] - line[i + 1])))
    return min(misses) > limit
