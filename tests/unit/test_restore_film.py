"""Clean copies of old films."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.aged_films import FAULTS, aged
from tests.films import texture

from unflat.errors import ShapeError
from unflat.geometry.weave import Weave
from unflat.stages.restore_film import Restored, RestoreOptions, RestoreState, placed, restore_film
from unflat.types.clip import DepthFrame, TimedFrame

Picture = NDArray[np.uint8]
WIDTH, HEIGHT = 240, 160


def film(count: int, seed: int = 3, speed: float = 1.5, ball: float | None = None) -> list[Picture]:
    """A ground that is panned over, perhaps with a white ball that flies the other way."""
    ground = texture(seed, HEIGHT + 60, WIDTH + 120)
    pictures = []
    for k in range(count):
        way = np.array([[1, 0, -20 - speed * k], [0, 1, -20]], np.float32)
        picture = np.asarray(cv2.warpAffine(ground, way, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC), np.uint8)
        if ball is not None:
            cv2.circle(picture, (round(60 + ball * k), 90), 5, (250, 250, 250), -1, cv2.LINE_AA)
        pictures.append(picture)
    return pictures


def timed(pictures: list[Picture]) -> list[TimedFrame]:
    return [TimedFrame(picture, Fraction(k, 24), k) for k, picture in enumerate(pictures)]


def made(pictures: list[Picture], *, restore: bool = False) -> list[Restored]:
    return list(restore_film(timed(pictures), RestoreOptions("restore" if restore else "yes")))


def off(a: Picture, b: Picture, margin: int = 12) -> float:
    """Mean difference, away from the border."""
    inner = np.s_[margin:-margin, margin:-margin]
    return float(np.abs(a[inner].astype(np.float32) - b[inner]).mean())


def test_every_frame_comes_out_once_and_untouched() -> None:
    frames = timed(aged(film(11), FAULTS).pictures)
    copies = list(restore_film(frames))
    assert all(c.frame is f for c, f in zip(copies, frames, strict=True))
    assert [c.to_see.number for c in copies] == list(range(11))


@pytest.mark.parametrize(("fault", "left"), [("grain", 0.6), ("flicker", 0.5), ("weave", 0.75)])
def test_each_fault_is_taken_out_for_the_most_part(fault: str, left: float) -> None:
    clean = film(12)
    old = aged(clean, (fault,), seed=4)
    copies = [c.copy for c in made(old.pictures)]
    before, after = (np.mean([off(a, b) for a, b in zip(some, clean, strict=True)]) for some in (old.pictures, copies))
    assert after < left * before


def test_scratches_and_dirt_are_filled_with_what_was_there() -> None:
    clean = film(8)
    old = aged(clean, ("scratches",), seed=4)
    before, after = [], []
    for copy, harmed, picture, harm in zip(made(old.pictures), old.pictures, clean, old.harm, strict=True):
        before.append(np.abs(harmed[harm].astype(float) - picture[harm]).mean())
        after.append(np.abs(copy.copy[harm].astype(float) - picture[harm]).mean())
    assert np.mean(after[1:-1]) < 0.35 * np.mean(before[1:-1])


def test_a_pole_that_goes_with_the_picture_is_no_scratch() -> None:
    pictures = film(7, speed=3.0)
    for k, picture in enumerate(pictures):
        x = 150 - 3 * k
        picture[:, x : x + 3] = np.clip(picture[:, x : x + 3].astype(int) + 80, 0, 255)
    for k, copy in enumerate(made(pictures)[1:-1], 1):
        x = 150 - 3 * k
        stands_out = copy.copy[:, x + 1].astype(float) - copy.copy[:, x - 5].astype(float)
        assert np.median(stands_out) > 45, k


def test_what_jumps_from_frame_to_frame_jumps_less_in_the_copies() -> None:
    old = aged(film(16, speed=0), FAULTS, seed=5)
    copies = [c.copy for c in made(old.pictures)]
    jumps = [np.mean([off(a, b) for a, b in pairwise(some)]) for some in (old.pictures, copies)]
    assert jumps[1] < 0.3 * jumps[0]


def test_the_weave_is_told_from_the_pan() -> None:
    old = aged(film(16, speed=3.0), ("weave",), seed=6)
    told = np.array([[c.moved.x * WIDTH, c.moved.y * WIDTH] for c in made(old.pictures)])
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    true = np.array([m[:, :2] @ middle + m[:, 2] - middle for m in old.moved])
    left = true - told
    steps = [np.abs(np.diff(v, axis=0)).mean() for v in (true, left)]
    assert steps[1] < 0.35 * steps[0]
    assert np.abs(told.mean(0)).max() < 0.3  # the pan stays in the picture


def test_a_clean_film_stays_as_it_is() -> None:
    clean = film(12, speed=2.0)
    for copy, picture in zip(made(clean), clean, strict=True):
        assert off(copy.copy, picture) < 1.5
        assert abs(copy.moved.x) * WIDTH < 0.3 and abs(copy.moved.y) * WIDTH < 0.3


def test_what_flies_past_leaves_no_ghost_and_is_no_dirt() -> None:
    clean = film(10, speed=0.0, ball=14.0)
    for k, copy in enumerate(made(clean)):
        x = round(60 + 14.0 * k)
        assert copy.copy[88:93, x - 2 : x + 3].min() > 215, k
        bare = film(1, speed=0.0)[0]
        for other in (x - 14, x + 14):
            ghost = copy.copy[86:95, other - 4 : other + 5].astype(int) - bare[86:95, other - 4 : other + 5]
            assert np.abs(ghost).mean() < 6, (k, other)


def test_nothing_crosses_a_cut() -> None:
    first, second = aged(film(9, seed=3), ("grain",)).pictures, aged(film(9, seed=40), ("grain",)).pictures
    both, alone = made(first + second), [*made(first), *made(second)]
    assert [b.copy.tobytes() for b in both] == [a.copy.tobytes() for a in alone]


@pytest.fixture(scope="module", params=[False, True], ids=["copies", "restored"])
def whole(request: pytest.FixtureRequest) -> tuple[list[TimedFrame], RestoreOptions, list[Restored]]:
    """A film of two shots, and what is made of it in one run."""
    pictures = aged(film(7, seed=3), FAULTS).pictures + aged(film(6, seed=40), FAULTS).pictures
    frames, options = timed(pictures), RestoreOptions("restore" if request.param else "yes")
    return frames, options, list(restore_film(frames, options))


@pytest.mark.parametrize("border", [1, 5, 9])
def test_a_run_that_was_cut_goes_on_to_the_same_bytes(
    border: int, whole: tuple[list[TimedFrame], RestoreOptions, list[Restored]]
) -> None:
    frames, options, copies = whole
    file = io.BytesIO()
    np.savez(file, **copies[border - 1].state.arrays())  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file) as kept:
        state = RestoreState.of(kept)
    rest = list(restore_film(frames[border:], options, state))
    assert len(rest) == len(copies) - border
    for a, b in zip(copies[border:], rest, strict=True):
        assert a.copy.tobytes() == b.copy.tobytes()
        assert a.frame.pixels.tobytes() == b.frame.pixels.tobytes()
        assert a.moved == b.moved


def test_memory_does_not_grow_with_the_film() -> None:
    copies = made(film(16))

    def kept(last: int) -> int:
        return sum(a.nbytes for a in copies[last].state.arrays().values())

    assert kept(15) == kept(9)


def test_with_restore_the_picture_is_what_was_seen() -> None:
    old = aged(film(10), FAULTS)
    for copy in made(old.pictures, restore=True):
        assert copy.moved == Weave()
        np.testing.assert_array_equal(copy.frame.pixels, copy.copy)


def test_large_pictures_have_small_copies() -> None:
    large = [np.asarray(cv2.resize(p, (1200, 800)), np.uint8) for p in film(3)]
    copy = made(large)[1]
    assert copy.copy.shape == (341, 512, 3)
    assert copy.frame.pixels.shape == (800, 1200, 3)


@pytest.mark.parametrize("count", [1, 2])
def test_films_of_a_frame_or_two(count: int) -> None:
    assert len(made(aged(film(count), FAULTS).pictures)) == count


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_frames_stay_so(value: int) -> None:
    for copy in made([np.full((40, 60, 3), value, np.uint8)] * 4):
        assert (copy.copy == value).all() and copy.moved == Weave()


def test_sizes_must_not_change() -> None:
    with pytest.raises(ShapeError, match="frame 1"):
        made([film(1)[0], film(1)[0][:-2]])


def test_depth_goes_back_to_where_the_frame_is() -> None:
    inverse = np.full((50, 80), 0.5, np.float32)
    inverse[20:30, 30:50] = 1.0
    inverse[:8] = 0.0
    frame = timed(film(1))[0]
    seen = Restored(frame, film(1)[0], Weave(5 / 80, 3 / 80, 0.0), RestoreState())
    depth = placed(DepthFrame(seen.to_see, inverse, 0, 1.0, 0.5, inverse.copy()), seen)
    assert depth.frame is frame
    np.testing.assert_allclose(depth.inverse[23:33, 35:55], 1.0, atol=1e-5)
    np.testing.assert_allclose(depth.inverse[33:, :], 0.5, atol=1e-5)
    assert (depth.inverse[:11] == 0).all() and (depth.inverse[11:] >= 0.499).all()
    other = Restored(TimedFrame(frame.pixels, Fraction(1), 1), seen.copy, Weave(), RestoreState())
    with pytest.raises(ShapeError, match="frame 0"):
        placed(depth, other)
