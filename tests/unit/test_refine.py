"""Soft maps brought onto the outlines of their picture: laws on worlds whose answer is known."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflat.errors import ShapeError
from unflat.geometry.refine import RefineOptions, refine_depth
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size

FINE = Size(512, 384)
COARSE = Size(64, 48)


def noise_picture(seed=0, size=FINE, mean=(90, 140, 60), spread=12):
    """A surface of one colour with grain, (h, w, 3) uint8."""
    grain = np.random.default_rng(seed).normal(0, spread, (*size.shape, 3))
    return np.clip(np.asarray(mean) + grain, 0, 255).astype(np.uint8)


def disc(size=FINE):
    y, x = np.mgrid[: size.height, : size.width]
    return (x + 0.5 - size.width / 2) ** 2 + (y + 0.5 - size.height / 2) ** 2 < (0.3 * size.height) ** 2


def soft(inverse, size=COARSE, sigma=1.2):
    small = cv2.resize(inverse.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), sigma)


def disc_world(near=1.0, far=0.3):
    """(picture, exact inverse depth, blurred small one): a disc before a wall, both with grain."""
    inside = disc()
    picture = np.where(inside[..., None], noise_picture(1, mean=(200, 80, 70)), noise_picture(2))
    inverse = np.where(inside, near, far).astype(np.float32)
    return picture, inverse, soft(inverse)


def textured():
    """Bold stripes and a print: everything that must not become relief."""
    y, x = np.mgrid[: FINE.height, : FINE.width]
    board = ((x // 24 + y // 24) % 2 * 255).astype(np.uint8)
    return np.stack([board, 255 - board, board // 2], -1)


@pytest.mark.parametrize("kind", list(DepthKind))
def test_an_outline_becomes_steep_and_lies_on_the_picture(kind):
    picture, inverse, small = disc_world()
    near, far = 1.0, 0.3
    if kind is not DepthKind.DISPARITY:
        small, near, far = 1 / small, 1.0, 1 / 0.3
    out = refine_depth(DepthMap(small, kind), picture, FINE).values
    on_near, on_far = np.abs(out - near) < 0.05 * near, np.abs(out - far) < 0.05 * far
    assert (on_near | on_far).mean() > 0.999
    assert (on_near == (inverse == 1.0)).mean() > 0.998
    middle = FINE.height // 2
    edge = np.flatnonzero(np.diff(on_near[middle].astype(int)))
    truth = np.flatnonzero(np.diff(disc()[middle].astype(int)))
    np.testing.assert_allclose(edge, truth, atol=1)


def test_a_plane_stays_a_plane_under_any_texture():
    y, x = np.mgrid[: COARSE.height, : COARSE.width].astype(np.float32) + 0.5
    plane = 0.1 + 0.5 * y / COARSE.height + 0.3 * x / COARSE.width
    out = refine_depth(DepthMap(1 / plane, DepthKind.METRIC), textured(), FINE).values
    y, x = np.mgrid[: FINE.height, : FINE.width] + 0.5
    exact = 1 / (0.1 + 0.5 * y / FINE.height + 0.3 * x / FINE.width)
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(out[inner], exact[inner], rtol=2e-3)


@given(seed=st.integers(0, 100))
@settings(max_examples=5, deadline=None)
def test_smooth_relief_never_takes_the_texture_of_the_picture(seed):
    hills = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, COARSE.shape).astype(np.float32), (0, 0), 8)
    depth = DepthMap(0.5 + hills, DepthKind.SCALE)
    a = refine_depth(depth, textured(), FINE).values
    b = refine_depth(depth, noise_picture(seed), FINE).values
    np.testing.assert_array_equal(a, b)


@given(scale=st.floats(0.1, 50), shift=st.floats(-5, 5))
@settings(max_examples=6, deadline=None)
def test_disparity_may_be_scaled_and_shifted(scale, shift):
    picture, _, small = disc_world()
    a = refine_depth(DepthMap(small, DepthKind.DISPARITY), picture, FINE).values
    b = refine_depth(DepthMap((scale * (small + shift)).astype(np.float32), DepthKind.DISPARITY), picture, FINE).values
    close = np.abs(scale * (a + shift) - b) < 1e-3 * scale
    assert close.mean() > 0.9995


def test_a_mirror_commutes():
    picture, _, small = disc_world()
    a = refine_depth(DepthMap(1 / small, DepthKind.SCALE), picture, FINE).values[:, ::-1]
    b = refine_depth(DepthMap(1 / small[:, ::-1], DepthKind.SCALE), picture[:, ::-1], FINE).values
    assert (np.abs(a - b) < 1e-3 * a).mean() > 0.9995


def test_a_thin_pole_survives_and_ends_up_as_wide_as_it_is():
    inverse = np.full(FINE.shape, 0.3, np.float32)
    inverse[60:, 250:264] = 1.0
    picture = np.where((inverse == 1)[..., None], noise_picture(1, mean=(220, 200, 60)), noise_picture(2))
    out = 1 / refine_depth(DepthMap(1 / soft(inverse, sigma=0.8), DepthKind.SCALE), picture, FINE).values
    width = (out > 0.5).sum(axis=1)[100:350]
    assert (np.abs(width - 14) <= 2).mean() > 0.95


def test_one_coarse_map_of_any_shape_fits_any_picture():
    _, _, small = disc_world()
    camera = Intrinsics.from_fov(60, COARSE)
    out = refine_depth(
        DepthMap(1 / small, DepthKind.SCALE, intrinsics=camera), noise_picture(size=Size(77, 301)), Size(77, 301)
    )
    assert out.size == Size(77, 301) and out.intrinsics == camera.resized(Size(77, 301))


def test_reach_zero_keeps_outlines_where_they_are():
    picture, inverse, small = disc_world()
    moved = np.roll(picture, 12, axis=1)
    still = RefineOptions(reach=0)
    out = 1 / refine_depth(DepthMap(1 / small, DepthKind.SCALE), moved, FINE, options=still).values
    assert ((out > 0.6) == (inverse > 0.6)).mean() > 0.99
    assert ((np.abs(out - 1) < 0.05) | (np.abs(out - 0.3) < 0.05)).mean() > 0.98
    same = DepthMap(1 / small, DepthKind.SCALE)
    assert refine_depth(same, moved, COARSE, options=still) is same


def test_what_stands_in_holes_means_nothing_and_large_holes_stay():
    picture, _, small = disc_world()
    valid = np.ones(COARSE.shape, bool)
    valid[5:15, 5:20] = False
    valid[30:33, 50:52] = False
    results = []
    for rubbish in (np.nan, -1.0, 0.0, 1e30, np.inf):
        values = np.where(valid, 1 / small, np.float32(rubbish)).astype(np.float32)
        results.append(refine_depth(DepthMap(values, DepthKind.METRIC, valid=valid), picture, FINE))
    for other in results[1:]:
        np.testing.assert_array_equal(other.values, results[0].values)
    assert not results[0].valid[48:112, 48:152].any()
    assert results[0].valid[230:270, 390:425].all()
    assert np.isfinite(results[0].values[results[0].valid]).all()


def sky_world():
    """Hills before the sky: (picture, is sky, coarse inverse depth, coarse probability)."""
    x = np.arange(FINE.width)
    horizon = 150 + 40 * np.sin(x / 60)
    sky = np.arange(FINE.height)[:, None] + 0.5 < horizon
    picture = np.where(sky[..., None], noise_picture(1, mean=(140, 180, 240), spread=4), noise_picture(2))
    return picture, sky, soft(np.where(sky, 0, 0.5)), np.clip(soft(sky.astype(np.float32)), 0, 1)


@pytest.mark.parametrize("kind", [DepthKind.SCALE, DepthKind.DISPARITY])
def test_the_sky_ends_where_the_picture_says_and_stains_nothing(kind):
    picture, sky, inverse, probability = sky_world()
    values = inverse if kind is DepthKind.DISPARITY else 1 / np.maximum(inverse, 1e-4)
    out = refine_depth(DepthMap(values, kind), picture, FINE, sky_probability=probability)
    assert (out.sky == sky).mean() > 0.995 and out.valid.all()
    if kind is DepthKind.SCALE:
        assert np.isinf(out.values[out.sky]).all() and np.isfinite(out.values[~out.sky]).all()
        assert (np.abs(out.values[~out.sky] - 2) < 0.2).mean() > 0.98
    else:
        assert (out.values[out.sky] == out.values.min()).all()


def test_a_patch_that_might_be_sky_is_not():
    picture, _, _, _ = sky_world()
    doubtful = np.zeros(COARSE.shape, np.float32)
    doubtful[30:36, 30:40] = 0.55
    wall = DepthMap(np.full(COARSE.shape, 2, np.float32), DepthKind.METRIC)
    assert not refine_depth(wall, picture, FINE, sky_probability=doubtful).sky.any()
    assert refine_depth(wall, picture, FINE, sky_probability=np.minimum(doubtful * 2, 1)).sky.any()


def test_whatever_a_network_saw_comes_out_as_surface_or_sky():
    picture, _, inverse, probability = sky_world()
    doubtful = probability.copy()
    doubtful[30:40, 20:40] = 0.6
    depth = DepthMap(1 / np.maximum(inverse, 1e-3), DepthKind.SCALE)
    out = refine_depth(depth, picture, FINE, sky_probability=doubtful)
    assert out.valid.all() and (out.surface | out.sky).all()
    assert np.isfinite(out.values[out.surface]).all() and out.surface[240:320, 160:320].all()


def test_a_hard_sky_mask_is_enough():
    picture, sky, inverse, probability = sky_world()
    hard = probability > 0.5
    depth = DepthMap(np.where(hard, np.inf, 1 / np.maximum(inverse, 1e-4)), DepthKind.METRIC, sky=hard)
    assert (refine_depth(depth, picture, FINE).sky == sky).mean() > 0.99


def test_confidence_falls_where_no_colour_confirms_an_outline():
    picture, _, small = disc_world()
    sure = DepthMap(1 / small, DepthKind.SCALE, confidence=np.full(COARSE.shape, 0.9, np.float32))
    told = refine_depth(sure, picture, FINE).confidence
    blind = refine_depth(sure, np.full_like(picture, 128), FINE).confidence
    rim = cv2.morphologyEx(disc().astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    assert told[rim].mean() > 0.8 and blind[rim].mean() < 0.5
    assert np.allclose(blind[:50], 0.9) and blind.min() >= 0 and told.max() <= 1
    assert refine_depth(DepthMap(1 / small, DepthKind.SCALE), picture, FINE).confidence is None


def test_without_colour_an_outline_is_smooth_and_steep():
    _, inverse, small = disc_world()
    out = 1 / refine_depth(DepthMap(1 / small, DepthKind.SCALE), np.full((*FINE.shape, 3), 99, np.uint8), FINE).values
    assert ((np.abs(out - 1) < 0.05) | (np.abs(out - 0.3) < 0.05)).mean() > 0.995
    assert ((out > 0.6) == (inverse > 0.6)).mean() > 0.99


@pytest.mark.parametrize("kind", list(DepthKind))
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (48, 64)])
@pytest.mark.parametrize("fill", [1.0, np.nan, -1.0, 1e-38, 3e38])
def test_hostile_maps_come_through(kind, shape, fill):
    depth = DepthMap(np.full(shape, fill, np.float32), kind, confidence=np.full(shape, np.nan, np.float32))
    out = refine_depth(depth, noise_picture(size=Size(33, 17)), Size(33, 17))
    assert out.size == Size(33, 17)
    assert out.valid.all() if depth.valid.all() else not out.valid.any()
    if depth.valid.all():
        np.testing.assert_allclose(out.values, fill, rtol=1e-4)


def test_nothing_but_sky():
    shape = (6, 8)
    out = refine_depth(
        DepthMap(np.full(shape, np.inf), DepthKind.SCALE, sky=np.ones(shape, bool)), noise_picture(), FINE
    )
    assert out.sky.all() and np.isinf(out.values).all() and out.valid.all()


def test_wrong_shapes_are_said():
    depth = DepthMap(np.ones((4, 4), np.float32), DepthKind.SCALE)
    with pytest.raises(ShapeError):
        refine_depth(depth, np.zeros((4, 4), np.uint8), FINE)
    with pytest.raises(ShapeError):
        refine_depth(depth, noise_picture(), FINE, sky_probability=np.zeros((3, 4), np.float32))


def test_at_most_six_maps_are_held_at_once():
    picture, _, inverse, probability = sky_world()
    size = Size(2048, 1536)
    big = cv2.resize(picture, (size.width, size.height))
    depth = DepthMap(1 / np.maximum(inverse, 1e-4), DepthKind.SCALE, confidence=np.ones(COARSE.shape, np.float32))
    refine_depth(depth, big, size, probability)
    tracemalloc.start()
    refine_depth(depth, big, size, probability)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 6 * 4 * size.pixels
