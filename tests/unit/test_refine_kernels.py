"""The fast kernels of refinement against slow and obvious ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unflat.geometry import crumbs, sides, votes
from unflat.geometry.inverse import Nearness
from unflat.geometry.pyramid import guides, ladder
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size


@pytest.fixture
def field():
    """A random field of two surfaces, a picture and a list of pixels: v, guide, spots, ends."""
    rng = np.random.default_rng(7)
    v = rng.random((23, 31)).astype(np.float32)
    guide = rng.integers(0, 256, (23, 31, 3), dtype=np.uint8)
    spots = np.argwhere(rng.random(v.shape) < 0.5)[:, ::-1].astype(np.int32)
    far = (0.4 * rng.random(len(spots))).astype(np.float32)
    near = (far + 0.6 * rng.random(len(spots)) - 0.05).astype(np.float32)
    return v, guide, spots, np.stack([near, far], axis=1)


def window(shape, y, x, r):
    """Index pairs around (y, x) inside the shape."""
    rows, columns = range(max(y - r, 0), min(y + r + 1, shape[0])), range(max(x - r, 0), min(x + r + 1, shape[1]))
    return [(j, i) for j in rows for i in columns]


def test_vote_equals_its_definition(field):
    v, guide, spots, ends = field
    xs, ys, near, far = *spots.T, *ends.T
    colour, space = votes.colour_weights(40, 0.01), votes.space_weights(3)
    fast = votes.vote(v, guide, spots, ends, (colour, space))
    for k, (y, x) in enumerate(zip(ys, xs, strict=True)):
        if near[k] <= far[k]:
            assert fast[k] == 0.5
            continue

        def side(j, i, k=k):
            return float(np.clip(2 * (v[j, i] - far[k]) / (near[k] - far[k]) - 1, -1, 1))

        rows = []
        for j, i in window(v.shape, y, x, 3):
            squared = int(((guide[j, i].astype(int) - guide[y, x]) ** 2).sum())
            rows.append((side(j, i), space[j - y + 3, i - x + 3] * side(j, i) ** 2, colour[squared // 16]))
        s, sure, alike = (np.array(c, dtype=np.float64) for c in zip(*rows, strict=True))
        told = (s * sure * alike).sum() / ((sure * alike).sum() + 1e-6)
        plain = (s * sure).sum() / (sure.sum() + 1e-6)
        assert fast[k] == pytest.approx(0.5 + 0.5 * np.clip(side(y, x) + 1.5 * (told - plain), -1, 1), abs=2e-4)


def test_weights_fall_with_distance():
    colour, space = votes.colour_weights(14, 0.01), votes.space_weights(3)
    assert colour[0] == pytest.approx(1) and colour[-1] == pytest.approx(0.01) and (np.diff(colour) <= 0).all()
    assert space[3, 3] == 0 and space[3, 2] == space[2, 3] == space.max() and (space == space.T).all()
    assert len(colour) > 3 * 255**2 // 16


@given(
    flags=hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 1)),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
)
@settings(max_examples=80, deadline=None)
def test_places_are_the_pixels_whose_coarse_place_is_set(flags, height, width):
    spots = votes.places(flags, height, width)
    h, w = flags.shape
    expected = {(y, x) for y in range(height) for x in range(width) if flags[y * h // height, x * w // width]}
    assert set(map(tuple, spots[:, ::-1].tolist())) == expected and len(spots) == len(expected)


def test_sides_of_smooth_fields_are_bilinear():
    y, x = np.mgrid[:6, :8].astype(np.float32)
    near, far = 5 + 0.1 * y + 0.05 * x, 1 + 0.02 * y - 0.03 * x
    ys, xs = (a.ravel().astype(np.int32) for a in np.mgrid[4:20, 4:28])
    near_at, far_at = votes.sides_at(near, far, np.stack([xs, ys], axis=1), 24, 32).T
    cy, cx = (ys + 0.5) / 4 - 0.5, (xs + 0.5) / 4 - 0.5
    np.testing.assert_allclose(near_at, 5 + 0.1 * cy + 0.05 * cx, rtol=1e-5)
    np.testing.assert_allclose(far_at, 1 + 0.02 * cy - 0.03 * cx, rtol=1e-5)


def test_sides_never_mix_two_surfaces():
    near = np.where(np.arange(8) < 4, 5.0, 3.0).astype(np.float32) * np.ones((6, 1), np.float32)
    ys, xs = (a.ravel().astype(np.int32) for a in np.mgrid[:24, :32])
    near_at, far_at = votes.sides_at(near, np.ones_like(near), np.stack([xs, ys], axis=1), 24, 32).T
    assert set(near_at.tolist()) == {5.0, 3.0} and set(far_at.tolist()) == {1.0}


@pytest.mark.parametrize("gain", [2.0, np.inf])
def test_settling_writes_the_side(field, gain):
    v, _, spots, ends = field
    xs, ys, near, far = *spots.T, *ends.T
    side = np.linspace(0, 1, len(ys)).astype(np.float32)
    out = v.copy()
    votes.settle_sides(out, spots, ends, side, gain)
    share = (side >= 0.5).astype(float) if gain == np.inf else np.clip(0.5 + gain * (side - 0.5), 0, 1)
    expected = v.copy()
    open_ = near > far
    expected[ys[open_], xs[open_]] = (far + share * (near - far))[open_]
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_edges_and_evidence_equal_their_definitions(field):
    v, guide, spots, ends = field
    xs, ys, near, far = *spots.T, *ends.T
    evidence = votes.colour_evidence(v, guide, spots, ends, 2)
    flags = np.zeros(v.shape, np.uint8)
    for k, (y, x) in enumerate(zip(ys, xs, strict=True)):
        middle = np.float32(0.5) * (near[k] + far[k])
        around = [(j, i) for j, i in window(v.shape, y, x, 1) if (j, i) != (y, x)]
        groups = ([], [])
        for j, i in window(v.shape, y, x, 2):
            groups[int(v[j, i] >= middle)].append(guide[j, i].astype(float))
        apart = np.linalg.norm(np.mean(groups[1], 0) - np.mean(groups[0], 0)) if all(groups) else -1
        assert evidence[k] == pytest.approx(apart, abs=1e-2)
        third = (near[k] - far[k]) / 3
        if third > 0:
            undecided = far[k] + 0.3 * third < v[y, x] < near[k] - 0.3 * third
            if undecided or any(abs(v[j, i] - v[y, x]) > third for j, i in around):
                for j, i in window(v.shape, y, x, 1):
                    flags[j, i] = 1
    assert (votes.flag_edges(v, spots, ends) == flags).all() and flags.any()


def ramp(width, h=20, w=40):
    """(h, w) float32: 0.2 on the left, 1 on the right, a straight ramp of ``width`` pixels in between."""
    return np.tile(np.interp(np.arange(w), [20 - width / 2, 20 + width / 2], [0.2, 1]), (h, 1)).astype(np.float32)


@pytest.mark.parametrize("width", [1, 2, 4, 6])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_every_pixel_of_a_ramp_learns_both_plateaus(width, turn):
    u = np.ascontiguousarray(np.rot90(ramp(width), turn))
    near, far, what = sides.find_sides(u, np.ones(u.shape, bool), 8, 0.02, 0.07)
    on_ramp = (u > 0.21) & (u < 0.99)
    assert (what[on_ramp] == sides.RAMP).all()
    np.testing.assert_allclose(near[on_ramp], 1, atol=0.02)
    np.testing.assert_allclose(far[on_ramp], 0.2, atol=0.02)
    assert (near[what == 0] == u[what == 0]).all() and (far[what == 0] == u[what == 0]).all()
    assert (near >= u).all() and (far <= u).all()


def test_slopes_planes_creases_and_noise_are_no_outlines():
    y, x = np.mgrid[:40, :60].astype(np.float32)
    everywhere = np.ones(x.shape, bool)
    noise = np.random.default_rng(0).normal(0, 0.002, x.shape).astype(np.float32)
    for u in (x / 60, 0.1 + y / 40 + x / 90, np.maximum(0.2, y / 40), 0.5 + noise, np.full_like(x, 0.5)):
        assert not sides.find_sides(u.astype(np.float32), everywhere, 5, 0.02, 0.07)[2].any()


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ([0, 0, 0, 0, 0.5, 1, 1, 1, 1], (3, 5)),
        ([0, 0, 0, 0, 1, 1, 1, 1, 1], (3, 4)),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], (-1, -1)),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1], (-1, -1)),
        ([0, 0, 0, 0, 1, 2, 3, 4, 5], (-1, -1)),
        ([0, 0, 1, 1, 1, 1, 2, 2, 2], (5, 6)),
    ],
)
def test_where_a_profile_begins_and_ends(line, ends):
    assert sides.ramp_ends(np.array(line, np.float32), 0, 8) == ends


def test_widening_grows_one_ring_and_keeps_own_values():
    u = ramp(2)
    everywhere = np.ones(u.shape, bool)
    near, far, what = sides.find_sides(u, everywhere, 5, 0.02, 0.07)
    near2, far2, what2 = sides.widen(u, near, far, what)
    added = what2 == sides.RIM
    columns = np.flatnonzero(what[10])
    assert set(np.flatnonzero(added[10])) == {columns[0] - 1, columns[-1] + 1}
    np.testing.assert_allclose(near2[added], 1, atol=0.02)
    np.testing.assert_allclose(far2[added], 0.2, atol=0.02)


def test_smoothing_averages_ramp_pixels_of_the_same_surfaces_only():
    near = np.array([[1.0, 1.1, 3.0, 1.0, 0.5]], np.float32)
    far = np.zeros_like(near)
    what = np.array([[1, 1, 1, 0, 1]], np.uint8)
    out, low = sides.smooth_sides(near, far, what)
    np.testing.assert_allclose(out, [[1.05, 1.05, 3.0, 1.0, 0.5]], rtol=1e-6)
    assert (low == 0).all()


def test_fading_follows_the_strength_of_a_step():
    near = np.array([[0.1, 0.15, 0.2, 0.4, 0.4]], np.float32)
    far, u, what = np.zeros_like(near), near / 2, np.ones(near.shape, np.uint8)
    whole = np.array([[1, 1, 1, 1, 0]], np.float32)
    sides.fade(u, near, far, what, whole, 0.1, 0.0)
    np.testing.assert_allclose(near - far, [[0, 0.075, 0.2, 0.4, 0.4]], atol=1e-6)


def test_ramps_go_on_where_they_were_missed():
    u = ramp(4)
    near, far, what = sides.find_sides(u, np.ones(u.shape, bool), 5, 0.02, 0.07)
    gap = slice(9, 11)
    near[gap], far[gap], what[gap] = u[gap], u[gap], 0
    assert sides.loose_ends(u, what)[9:11, 19:22].all()
    near2, _, what2 = sides.continue_ramps(u, near, far, what, 0.02, 0.07)
    assert (what2[9:11, 19:22] == sides.RAMP).all()
    np.testing.assert_allclose(near2[9:11, 19:22], 1, atol=0.02)
    assert not sides.loose_ends(u, what2)[9:11].any()


@given(kind=st.sampled_from(list(DepthKind)), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_nearness_goes_there_and_back(kind, seed):
    values = np.random.default_rng(seed).uniform(0.5, 90, (5, 6)).astype(np.float32)
    known = np.ones(values.shape, bool)
    scale = Nearness.of(DepthMap(values, kind), known)
    near = scale.from_depth(values, known)
    assert (np.argsort(near.ravel())[-1] == values.argmin()) == (kind is not DepthKind.DISPARITY)
    np.testing.assert_allclose(scale.to_depth(near), values, rtol=3e-5)


def test_the_ladder_doubles_and_ends_at_the_fine_size():
    sizes = ladder(Size(256, 192), Size(4000, 3000))
    assert sizes[-1] == Size(4000, 3000) and sizes[0].width > 256
    assert all(0 <= 2 * a.width - b.width <= 1 for a, b in pairwise(sizes))
    assert ladder(Size(100, 100), Size(50, 60)) == [Size(50, 60)]
    picture = np.full((48, 64, 3), 77, np.uint8)
    assert [p.shape[:2] for p in guides(picture, [Size(16, 12), Size(32, 24)])] == [(12, 16), (24, 32)]
    assert (guides(picture, [Size(16, 12)])[0] == 77).all()


def slow_ring(what):
    """Every plain pixel and the pixels of its window that are none, row by row."""
    for y, x in np.argwhere(what == 0):
        yield y, x, [(j, i) for j, i in window(what.shape, y, x, 1) if what[j, i]]


@pytest.mark.parametrize("seed", range(3))
def test_widening_and_continuing_equal_their_definitions(seed):
    rng = np.random.default_rng(seed)
    u = rng.random((17, 19)).astype(np.float32)
    near, far = (u + 0.3 * rng.random(u.shape)).astype(np.float32), (u - 0.3 * rng.random(u.shape)).astype(np.float32)
    what = (rng.random(u.shape) < 0.2).astype(np.uint8)
    wide, grown = sides.widen(u, near, far, what), sides.continue_ramps(u, near, far, what, 0.02, 0.07)
    squared = (sides.slopes(u) ** 2).sum(axis=2)
    other, more = [a.copy() for a in (near, far, what)], [a.copy() for a in (near, far, what)]
    for y, x, ring in slow_ring(what):
        miss = {at: min(abs(u[y, x] - near[at]), abs(u[y, x] - far[at])) for at in ring}
        fits = [at for at in ring if miss[at] < 0.4 * (near[at] - far[at])]
        if fits:
            at = min(fits, key=miss.__getitem__)
            if abs(u[y, x] - near[at]) <= abs(u[y, x] - far[at]):
                if far[at] < u[y, x]:
                    other[1][y, x], other[2][y, x] = far[at], sides.RIM
            elif near[at] > u[y, x]:
                other[0][y, x], other[2][y, x] = near[at], sides.RIM
        out = {at: max(u[y, x] - near[at], far[at] - u[y, x]) for at in ring}
        strong = [at for at in ring if near[at] - far[at] >= 4 * max(0.02, 0.07 * near[at])]
        strong = [at for at in strong if out[at] < 0.1 * (near[at] - far[at])]
        if strong and 4 * squared[y, x] > max(squared[at] for at in ring):
            at = min(strong, key=out.__getitem__)
            more[0][y, x], more[1][y, x] = max(near[at], u[y, x]), min(far[at], u[y, x])
            more[2][y, x] = sides.RAMP
    for fast, slow in zip((*wide, *grown), (*other, *more), strict=True):
        np.testing.assert_array_equal(fast, slow)
    assert (wide[2] == sides.RIM).any() and (grown[2] != what).any()


def test_islands_of_a_few_pixels_go_over_and_wires_stay():
    truth = np.zeros((60, 80), np.float32)
    truth[20:50, 20:60] = 1
    for k in range(40):
        truth[5 + k, 65 + k // 4] = 1
    v = truth.copy()
    v[30:33, 30:34], v[3:6, 10:14], v[10, 40] = 0, 1, 1
    spots = np.argwhere(np.ones(v.shape, bool))[:, ::-1].astype(np.int32)
    ends = np.tile(np.array([1, 0], np.float32), (len(spots), 1))
    assert crumbs.sweep(v, spots, ends) == 12 + 12 + 1
    np.testing.assert_array_equal(v, truth)
    assert crumbs.sweep(v, spots[:0], ends[:0]) == 0


def test_an_island_held_by_pixels_that_are_not_in_question_stays():
    v = np.zeros((20, 20), np.float32)
    v[8:10, 8:10] = 1
    spots = np.array([[x, y] for y in range(8, 10) for x in range(8, 10)], np.int32)
    ends = np.tile(np.array([1, 0], np.float32), (len(spots), 1))
    before = v.copy()
    assert crumbs.sweep(v, spots, ends) == 0 and (v == before).all()


def test_trimming_takes_bumps_and_dents_off_and_leaves_wires_and_slants():
    truth = np.zeros((60, 80), np.float32)
    y, x = np.mgrid[:60, :80]
    truth[20:50, 10:40] = 1
    truth[10:55, 70] = 1
    truth[(x - y > 38) & (x < 60) & (y > 5)] = 1
    spots = np.argwhere(np.ones(truth.shape, bool))[:, ::-1].astype(np.int32)
    ends = np.tile(np.array([1, 0], np.float32), (len(spots), 1))
    v = truth.copy()
    bumps = (19, 25), (30, 9), (50, 20)
    dents = (20, 30), (40, 39), (49, 15)
    for at in bumps:
        v[at] = 1
    for at in dents:
        v[at] = 0
    crumbs.trim(v, spots, ends, rounds=1)
    assert all(v[at] == 0 for at in bumps) and all(v[at] == 1 for at in dents)
    assert (v != truth).sum() <= 12, "corners and the ends of the wire only"
    assert (v[12:53, 70] == 1).all()
