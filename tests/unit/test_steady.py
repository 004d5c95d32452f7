"""Flow, lines between frames, and many samples made one: against slow, obvious ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.films import scene, texture

from unflat.geometry.flow import flow, places, resized_flow, returning, sampled
from unflat.geometry.steady import Line, Step, agreed, along, guided, line_between
from unflat.geometry.still import Settled, renewed, unmoved

Array = np.ndarray


def grey(pixels: Array) -> Array:
    return pixels.mean(-1).astype(np.uint8)


def test_flow_finds_a_known_motion_and_the_way_back() -> None:
    a, b = (grey(scene(1, moved)[0]) for moved in (0.0, 3.5))
    there, back = flow(a, b), flow(b, a)
    inside = np.zeros(a.shape, bool)
    inside[8:-8, 12:-12] = True
    np.testing.assert_allclose(np.median(there[inside], 0), (-3.5, 0), atol=0.2)
    ok = returning(there, back)
    assert ok[inside].mean() > 0.9
    assert not ok[:, 0].any()  # what left the picture cannot lead back


def test_flow_of_tiny_and_flat_pictures_is_finite() -> None:
    for shape in ((5, 70), (16, 16), (60, 9)):
        flat = np.full(shape, 90, np.uint8)
        assert np.isfinite(flow(flat, flat)).all()
        assert flow(flat, flat).shape == (*shape, 2)


def test_a_flow_of_another_size_is_the_same_motion() -> None:
    moved = np.tile(np.array([4.0, -2.0], np.float32), (20, 40, 1))
    np.testing.assert_allclose(resized_flow(moved, 10, 20), np.tile([2.0, -1.0], (10, 20, 1)))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.6, 1.6), shift=st.floats(-0.1, 0.3), seed=st.integers(0, 99))
def test_lines_are_found_though_a_third_moves(scale: float, shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.3, 2.0, (40, 50)).astype(np.float32)
    y = scale * x + shift + rng.normal(0, 0.003, x.shape)
    y[:13] += rng.uniform(0.2, 1, (13, 50))
    line = line_between(x, y.astype(np.float32), np.ones_like(x))
    assert line is not None
    np.testing.assert_allclose(line(np.float32([0.4, 1.9])), scale * np.array([0.4, 1.9]) + shift, atol=0.03)
    alone = line_between(x, (scale * x).astype(np.float32), np.ones_like(x), shift=False)
    assert alone == pytest.approx((scale, 0.0), rel=1e-4)


def test_lines_do_not_shrink_depth_however_noisy() -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(0.5, 1.5, (60, 60))
    x, y = ((true + rng.normal(0, 0.05, true.shape)).astype(np.float32) for _ in range(2))
    line = line_between(x, y, np.ones_like(x))
    assert line is not None
    assert line.scale == pytest.approx(1, abs=0.01)


def test_lines_of_nothing_are_none() -> None:
    x = np.ones((20, 20), np.float32)
    assert line_between(x, x, np.zeros_like(x)) is None
    assert line_between(x * np.float32(np.nan), x, x) is None
    assert line_between(x, 0 * x, x) is None


def test_lines_undo_and_follow_each_other() -> None:
    a, b = Line(2.0, 0.5), Line(0.5, -0.25)
    x = np.float32([0.1, 3.0])
    np.testing.assert_allclose(a.after(b)(x), a(b(x)), rtol=1e-6)
    np.testing.assert_allclose(a.back(a(x)), x, rtol=1e-6)


def test_ways_are_put_together_and_sampled_once() -> None:
    rng = np.random.default_rng(2)
    planes = [rng.random((12, 16, 4)).astype(np.float32) for _ in range(2)]
    move = np.tile(np.array([1.5, 0.5, 1], np.float32), (12, 16, 1))
    seen, alive = np.empty((2, 12, 16, 4), np.float32), np.empty((2, 12, 16), np.float32)
    along([Step(move), Step(move)], planes, seen, alive)
    for k in range(2):
        at = places(12, 16) + move[..., :2] * (k + 1)
        inside = (slice(0, 9), slice(0, 11))
        np.testing.assert_allclose(seen[k][inside], sampled(planes[k], at)[inside], atol=1e-6)
        assert (alive[k][inside] == 1).all()
    assert (alive[1][:, -1] == 0).all()  # it has left the picture


def slowly_agreed(values: Array, weights: Array, life: Array, floor: float) -> tuple[float, float]:
    """The same, one pixel at a time, in words of numpy."""
    use = weights > 0
    v, w, a = values[use], weights[use], life[use]
    if not len(v):
        return np.nan, 0.0
    value = (w * v).sum() / w.sum()
    if np.abs(v - value).max() > floor + 0.03 * abs(value):
        order = np.argsort(v)
        middle = v[order][np.searchsorted(np.cumsum(w[order]), 0.5 * w.sum())]
        off = np.abs(v - middle) / (floor + 0.03 * abs(middle))
        w = w / np.maximum(off**4, 1)
        value = (w * v).sum() / w.sum()
    off = np.abs(v - value) / (floor + 0.03 * abs(value))
    return value, (a / np.maximum(off**4, 1)).sum()


def test_samples_agree_as_the_slow_way_says() -> None:
    rng = np.random.default_rng(3)
    k, n = 7, 400
    inverse = rng.choice([0.5, 0.52, 1.4], (k, n)) + rng.normal(0, 0.004, (k, n))
    trust = rng.uniform(0, 1, (k, n)) * (rng.random((k, n)) > 0.2)
    alive = rng.uniform(0.05, 1, (k, n)) * (rng.random((k, n)) > 0.2)
    trust[:, 0] = 0
    extra = rng.random((k, n, 2))
    seen = np.dstack([inverse * trust, trust, extra]).astype(np.float32)
    lines = np.stack([rng.uniform(0.9, 1.1, k), rng.uniform(-0.05, 0.05, k)], 1).astype(np.float32)
    made = agreed(seen, alive.astype(np.float32), lines, 0.01)
    for i in range(n):
        values = lines[:, 0] * inverse[:, i] + lines[:, 1]
        value, agreeing = slowly_agreed(values, trust[:, i] * alive[:, i], alive[:, i], 0.01)
        np.testing.assert_allclose(made[i, [0, 3]], (value, agreeing), rtol=2e-3, atol=1e-4)
        if alive[:, i].sum():
            mean = (alive[:, i, None] * extra[:, i]).sum(0) / alive[:, i].sum()
            np.testing.assert_allclose(made[i, 1:3], mean, rtol=1e-4)


def test_the_fit_keeps_outlines_and_takes_the_level_of_many() -> None:
    own = np.full((40, 60), 0.4, np.float32)
    own[10:30, 20:40] = 1.0
    many = 1.1 * np.roll(own, 4, axis=1)  # they say where it was a moment ago
    contested = np.where(np.roll(own, 4, axis=1) == own, np.float32(1), np.float32(0))
    made = guided(own, many.astype(np.float32), contested, contested, 0.005)
    np.testing.assert_allclose(made, 1.1 * own, rtol=0.03)
    np.testing.assert_allclose(guided(own, many, np.ones_like(own), np.ones_like(own), 0.005), many, rtol=1e-5)


def test_a_camera_that_drifts_is_no_still_one() -> None:
    first = grey(scene(5)[0])
    still = np.zeros((48, 64, 2), np.float32)
    same = unmoved(first, first, still)
    assert same is not None and same.all()
    drifted = [unmoved(first, grey(scene(5, 0.1 * t)[0]), still + np.float32(0.05)) for t in (1, 12)]
    assert drifted[0] is not None and drifted[0].mean() > 0.9
    assert drifted[1] is None


def test_what_changes_before_a_still_camera_is_not_still() -> None:
    a, b = (grey(scene(5, thing=column)[0]) for column in (-40.0, 90.0))
    still = unmoved(a, b, np.zeros((48, 64, 2), np.float32))
    assert still is not None
    assert not still[18:30, 39:51].any()
    assert still[2, 2] and still[46, 60]
    kept = renewed(a, b, still)
    assert kept[48, 90] == b[48, 90] and kept[4, 4] == a[4, 4]


def test_averages_reach_back_as_far_as_pixels_are_still() -> None:
    level = np.full((4, 4), 10, np.float32)
    anchor = texture(1)[:8, :8, 0]
    settled = Settled.begin(level, level, anchor)
    still = np.ones((4, 4), bool)
    still[0, 0] = False
    for value in (1.0, 2.0):
        settled = settled.then(level + np.float32(value), level, anchor, still)
    assert settled.level[0, 0] == 12
    assert settled.level[1, 1] == pytest.approx(11)  # the mean of 10, 11 and 12
    other = settled.then(level * 2, level, anchor, still)
    assert (other.level == 20).all()  # what is quite another depth is no part of any mean
    assert settled.then(level, level, anchor, None).count.max() == 1
