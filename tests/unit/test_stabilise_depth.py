"""Depth over time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
import pytest
from tests.films import noisy, scene, taken

from unflat.errors import InputError, ShapeError
from unflat.stages.estimate_depth import Estimate
from unflat.stages.stabilise_depth import RawDepth, SteadyOptions, SteadyState, as_inverse, stabilise_depth
from unflat.types.clip import DepthFrame, TimedFrame
from unflat.types.depth import DepthKind, DepthMap

OPTIONS = SteadyOptions(look_ahead=5)
Film = list[tuple[TimedFrame, RawDepth]]


def flickering(cuts: tuple[int, ...], frames: int, speed: float = 0.0, noise: float = 0.03) -> Film:
    """A film whose depth has another scale in every frame and noise in every pixel."""
    rng = np.random.default_rng(7)
    made: Film = []
    for number in range(frames):
        shot = sum(number >= c for c in cuts)
        picture, inverse = scene(10 * shot, speed * number, thing=64)
        grain = noise * rng.standard_normal(inverse.shape)
        seen = (inverse + grain) * np.exp(noise * rng.standard_normal()) * (1 + shot)
        made.append(taken(noisy(picture, rng), seen.astype(np.float32), number))
    return made


def steady(film: Film, state: SteadyState | None = None) -> list[DepthFrame]:
    return list(stabilise_depth(film, OPTIONS, state))


def test_every_frame_comes_out_once_with_its_picture() -> None:
    film = flickering((), 9)
    made = steady(film)
    assert [m.frame.number for m in made] == list(range(9))
    assert all(m.frame is f for m, (f, _) in zip(made, film, strict=True))


def test_a_still_shot_hardly_varies_and_its_range_not_at_all() -> None:
    made = list(stabilise_depth(flickering((), 30)))
    span = made[0].near - made[0].far
    steps = [float(np.median(np.abs(a.inverse - b.inverse))) / span for a, b in pairwise(made)]
    assert max(steps) < 0.005
    assert len({(m.near, m.far) for m in made}) == 1


def test_cuts_are_found_to_the_frame_and_nothing_crosses_them() -> None:
    cuts = (11, 12, 25)
    film = flickering(cuts, 32)
    made = steady(film)
    assert [m.shot for m in made] == [sum(n >= c for c in cuts) for n in range(32)]
    for first, stop in zip((0, *cuts), (*cuts, 32), strict=True):
        alone = steady(film[first:stop])
        for a, b in zip(alone, made[first:stop], strict=True):
            np.testing.assert_array_equal(a.inverse, b.inverse)


@pytest.mark.parametrize("border", [1, 7, 12, 17])
def test_a_run_that_was_cut_goes_on_to_the_same_bytes(border: int) -> None:
    film = flickering((12,), 22, speed=1.3)
    whole_state = SteadyState()
    whole = steady(film, whole_state)
    state, file = SteadyState(), io.BytesIO()
    run = stabilise_depth(film, OPTIONS, state)
    for _ in range(border):
        next(run)
    np.savez(file, **state.arrays())  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file) as kept:
        again = SteadyState.of(kept)
    rest = steady(film[border:], again)
    assert len(rest) == len(whole) - border
    for a, b in zip(whole[border:], rest, strict=True):
        assert (a.shot, a.near, a.far) == (b.shot, b.near, b.far)
        assert a.inverse.tobytes() == b.inverse.tobytes()
        assert a.confidence is not None and b.confidence is not None
        assert a.confidence.tobytes() == b.confidence.tobytes()
    assert again.shots == whole_state.shots


def test_motion_is_followed_and_the_error_falls() -> None:
    state = SteadyState()
    steady(flickering((), 24, speed=1.7), state)
    assert 0 < state.after < 0.5 * state.before


@pytest.mark.parametrize("kind", ["nan", "sky", "black", "one frame", "zero"])
def test_frames_with_nothing_to_see_give_finite_depth(kind: str) -> None:
    film = flickering((), 1 if kind == "one frame" else 8)
    broken: Film = []
    for frame, raw in film:
        inverse, sky, pixels = np.array(raw.inverse), None, np.array(frame.pixels)
        if kind == "nan":
            inverse[:] = np.nan
        elif kind == "zero":
            inverse[:] = 0
        elif kind == "sky":
            sky = np.ones_like(inverse)
        elif kind == "black":
            pixels[:] = 0
        broken.append((TimedFrame(pixels, frame.time, frame.number), RawDepth(inverse, sky)))
    made = steady(broken)
    assert len(made) == len(film)
    for m in made:
        assert np.isfinite(m.inverse).all() and m.inverse.min() >= 0
        assert 0 <= m.far <= m.near
        assert (m.inverse == 0).all() or kind in ("black", "one frame")


def test_a_frame_without_depth_takes_its_neighbours() -> None:
    film = flickering((), 9, noise=0.0)
    film[4] = (film[4][0], RawDepth(np.full_like(film[4][1].inverse, np.nan)))
    made = steady(film)
    np.testing.assert_allclose(made[4].inverse, made[3].inverse, rtol=0.02, atol=0.01)


def test_sizes_may_not_change() -> None:
    film = flickering((), 3)
    film[2] = (film[2][0], RawDepth(np.ones((10, 12), np.float32)))
    with pytest.raises(ShapeError, match="another size"):
        steady(film)


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="look-ahead"):
        SteadyOptions(look_ahead=1000)


@pytest.mark.parametrize("kind", list(DepthKind))
def test_every_kind_of_estimate_becomes_inverse_depth(kind: DepthKind) -> None:
    z = np.linspace(1, 8, 96, dtype=np.float32).reshape(8, 12)
    values = 1 / z if kind is DepthKind.DISPARITY else z
    valid = np.ones(z.shape, bool)
    valid[0, 0] = False
    raw = as_inverse(Estimate(DepthMap(values, kind, valid=valid), sky_probability=np.zeros_like(z)))
    assert np.isnan(raw.inverse[0, 0])
    assert raw.sky is not None
    rest = raw.inverse.ravel()[1:]
    assert (rest > 0).all() and (np.diff(rest) <= 0).all() and rest[0] > 2 * rest[-1]
    if kind.is_depth:
        np.testing.assert_allclose(rest, 1 / z.ravel()[1:], rtol=1e-6)


def test_a_model_whose_offset_floats_is_held_as_well() -> None:
    rng = np.random.default_rng(3)
    film: Film = []
    for number in range(16):
        picture, inverse = scene(1, 0.7 * number, thing=64)
        floating = np.exp(0.15 * rng.standard_normal()) * inverse + 0.1 * rng.uniform()
        frame, raw = taken(noisy(picture, rng), floating.astype(np.float32), number)
        film.append((frame, RawDepth(raw.inverse, shifted=True)))
    state = SteadyState()
    steady(film, state)
    assert state.after < 0.05 * state.before


def test_what_moves_keeps_its_outline_and_leaves_no_trace() -> None:
    rng = np.random.default_rng(5)
    film: Film = []
    truth = []
    for number in range(20):
        picture, inverse = scene(2, 0.0, thing=30 + 3.4 * number)
        truth.append(inverse)
        seen = inverse * np.exp(0.04 * rng.standard_normal()) + 0.01 * rng.standard_normal(inverse.shape)
        film.append(taken(noisy(picture, rng), seen.astype(np.float32), number))
    state = SteadyState()
    made = steady(film, state)
    assert len(state.shots) == 1
    traces = []
    for number in range(3, 18):
        factor = np.median(made[number].inverse / truth[number])
        wrong = np.abs(made[number].inverse / factor - truth[number]) > 0.15
        rim = cv2.dilate((truth[number] > 0.8).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        was_there = (truth[number - 3] > 0.9) & ~rim
        assert wrong.mean() < 0.005
        traces.append(wrong[was_there].mean())
    assert max(traces) < 0.05
    assert np.mean(traces) < 0.01


def test_scale_does_not_drift_away() -> None:
    made = steady(flickering((), 60, speed=0.5))
    levels = [float(np.median(m.inverse[-8:])) for m in made]
    assert max(levels[10:]) < 1.06 * min(levels[10:])


def test_nothing_moves_backwards_in_time() -> None:
    """Frames far away cannot change a frame: what is held back is all that is looked at."""
    film = flickering((), 30, speed=1.1)
    changed = list(film)
    changed[29] = taken(scene(77)[0], film[29][1].inverse, 29)
    ahead = 8  # cuts are looked for no farther than that, depth OPTIONS.look_ahead
    for a, b in zip(steady(film)[: 29 - ahead], steady(changed)[: 29 - ahead], strict=True):
        assert a.inverse.tobytes() == b.inverse.tobytes()


def test_frames_are_yielded_as_soon_as_they_can_be() -> None:
    taken_in = []

    def watched() -> Iterator[tuple[TimedFrame, RawDepth]]:
        for number, one in enumerate(flickering((), 20)):
            taken_in.append(number)
            yield one

    run = stabilise_depth(watched(), SteadyOptions(look_ahead=10))
    next(run)
    assert len(taken_in) == 11
    next(run)
    assert len(taken_in) == 12
    run.close()
