"""Depths brought together: known answers, and values nobody should send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unflat.errors import InputError, ShapeError, UnitError
from unflat.geometry.align import (
    FAR_OVER_NEAR_INDOORS,
    FAR_OVER_NEAR_OUTDOORS,
    assume_scale,
    fit_scale_shift,
    merge_depths,
)
from unflat.types.depth import DepthKind, DepthMap


def plane(h=60, w=80):
    """Inverse depth of a slanted plane, (h, w) float32 from about 0.1 to 0.6."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    return 0.1 + 0.4 * y / h + 0.1 * x / w


@pytest.mark.parametrize("kind", [DepthKind.METRIC, DepthKind.SCALE])
def test_depth_that_has_a_scale_is_left_alone(kind):
    depth = DepthMap(plane(), kind)
    assert assume_scale(depth) is depth


@pytest.mark.parametrize("has_sky", [False, True])
def test_the_rule_for_disparity(has_sky):
    values = np.linspace(-3, 7, 1001, dtype=np.float32)[None]
    sky = np.zeros(values.shape, bool)
    sky[0, 0] = has_sky
    z = assume_scale(DepthMap(values, DepthKind.DISPARITY, sky=sky)).z
    ratio = FAR_OVER_NEAR_OUTDOORS if has_sky else FAR_OVER_NEAR_INDOORS
    low, high = np.percentile(values[~sky], (1, 99))
    n = (values - low) / (high - low)
    inside = (n >= 0) & (n <= 1) & ~sky
    np.testing.assert_allclose(z[inside], 1 / (1 / ratio + (1 - 1 / ratio) * n[inside]), rtol=1e-5)
    assert (np.isinf(z) == sky).all()


@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10), kind=st.sampled_from(["disparity", "affine"]))
@settings(max_examples=30, deadline=None)
def test_the_rule_forgets_scale_and_shift(scale, shift, kind):
    values = plane().astype(np.float64)
    a = assume_scale(DepthMap(values.astype(np.float32), DepthKind(kind)))
    b = assume_scale(DepthMap((scale * (values + shift)).astype(np.float32), DepthKind(kind)))
    np.testing.assert_allclose(a.z, b.z, rtol=1e-3)
    assert a.kind is DepthKind.SCALE and a.valid.all()


def test_affine_keeps_the_order_of_depth():
    z = assume_scale(DepthMap(plane(), DepthKind.AFFINE)).z
    assert (np.diff(z, axis=0) >= 0).all() and z.min() >= 0.5


@pytest.mark.parametrize("values", [np.full((4, 5), 3.0), np.full((1, 1), -2.0), np.full((3, 3), np.nan)])
@pytest.mark.parametrize("kind", [DepthKind.DISPARITY, DepthKind.AFFINE])
def test_maps_without_spread_become_a_wall(values, kind):
    depth = assume_scale(DepthMap(values.astype(np.float32), kind))
    assert (depth.z == 1).all()
    assert (depth.valid == np.isfinite(values)).all()


def test_all_sky_stays_all_sky():
    depth = assume_scale(DepthMap(np.zeros((3, 4), np.float32), DepthKind.DISPARITY, sky=np.ones((3, 4), bool)))
    assert np.isinf(depth.z).all() and depth.valid.all()


@given(scale=st.floats(0.05, 20), shift=st.floats(-2, 2), seed=st.integers(0, 1000), bad=st.floats(0, 0.35))
@settings(max_examples=40, deadline=None)
def test_the_fit_finds_the_answer_among_outliers(scale, shift, seed, bad):
    rng = np.random.default_rng(seed)
    predicted = rng.uniform(0, 1, 2000)
    reference = scale * predicted + shift
    wrong = rng.random(2000) < bad
    reference[wrong] += rng.uniform(1, 3, wrong.sum()) * scale
    fit = fit_scale_shift(reference, predicted)
    assert fit.scale == pytest.approx(scale, rel=1e-3)
    assert fit.shift == pytest.approx(shift, abs=1e-3 * scale)
    assert fit.support == pytest.approx(1 - wrong.mean(), abs=0.05)


def test_the_fit_without_shift_and_with_weights():
    predicted = np.linspace(0.1, 1, 500)
    reference = 3 * predicted
    reference[:300] = 0.7
    weights = np.where(np.arange(500) < 300, 0.001, 1.0)
    assert fit_scale_shift(reference, predicted, weights, shift=False).scale == pytest.approx(3, rel=1e-6)
    assert fit_scale_shift(reference, predicted, weights, shift=False).shift == 0


def test_what_cannot_tell_a_shift_gives_a_scale():
    one = fit_scale_shift(np.array([6.0, np.nan]), np.array([2.0, 1.0]))
    assert (one.scale, one.shift) == (pytest.approx(3), 0)
    flat = fit_scale_shift(np.array([4.0, 4.0, 4.0]), np.array([2.0, 2.0, 2.0]))
    assert (flat.scale, flat.shift) == (pytest.approx(2), 0)
    falling = fit_scale_shift(np.linspace(2, 1, 50), np.linspace(1, 2, 50))
    assert falling.scale > 0 and falling.shift == 0


@pytest.mark.parametrize(
    ("reference", "predicted"), [([], []), ([np.nan], [1.0]), ([1.0], [np.inf]), ([1.0], [0.0]), ([-1.0], [1.0])]
)
def test_nothing_in_common_is_said(reference, predicted):
    with pytest.raises(InputError):
        fit_scale_shift(np.array(reference), np.array(predicted))


def test_shapes_of_a_fit_must_agree():
    with pytest.raises(ShapeError):
        fit_scale_shift(np.ones(3), np.ones(4))
    with pytest.raises(ShapeError):
        fit_scale_shift(np.ones(3), np.ones(3), np.ones(4))


def holed(inverse):
    """A metric map with a hole in the middle and its validity."""
    valid = np.ones(inverse.shape, bool)
    valid[20:40, 30:50] = False
    return DepthMap(np.where(valid, 1 / inverse, 0), DepthKind.METRIC, valid=valid), valid


@pytest.mark.parametrize("kind", [DepthKind.DISPARITY, DepthKind.SCALE])
def test_a_hole_is_filled_exactly_by_a_true_network(kind):
    inverse = plane()
    sensor, valid = holed(inverse)
    network = DepthMap(5 * inverse - 0.2 if kind is DepthKind.DISPARITY else 3 / inverse, kind)
    merged = merge_depths(sensor, network)
    np.testing.assert_allclose(merged.z, 1 / inverse, rtol=1e-4)
    assert (merged.z[valid] == sensor.z[valid]).all()
    assert merged.kind is DepthKind.METRIC and merged.valid.all() and merged.confidence is None


def test_the_local_correction_mends_a_bent_network():
    inverse = plane()
    sensor, valid = holed(inverse)
    y, x = np.mgrid[:60, :80]
    bent = (inverse * (1 + 0.15 * np.sin(x / 80 * 3) * np.cos(y / 60 * 3))).astype(np.float32)
    fit = fit_scale_shift(inverse[valid], bent[valid])
    before = np.abs(1 / fit(bent) - 1 / inverse)[~valid].mean()
    after = np.abs(merge_depths(sensor, DepthMap(bent, DepthKind.DISPARITY)).z - 1 / inverse)[~valid].mean()
    assert after < 0.4 * before


def test_confidence_and_sky_of_a_merged_map():
    inverse = plane()
    sensor, valid = holed(inverse)
    sky = np.zeros(inverse.shape, bool)
    sky[20:25, 30:50] = True
    sky[0] = True
    trust = np.full(inverse.shape, 0.8, np.float32)
    merged = merge_depths(sensor, DepthMap(inverse, DepthKind.DISPARITY, sky=sky, confidence=trust))
    assert (merged.sky == (sky & ~valid)).all() and np.isinf(merged.z[merged.sky]).all()
    assert (merged.confidence[valid] == 1).all()
    assert (merged.confidence[~valid & ~sky] <= 0.8).all() and (merged.confidence[~valid & ~sky] > 0.7).all()


def test_one_measured_pixel_sets_the_scale():
    inverse = plane()
    valid = np.zeros(inverse.shape, bool)
    valid[30, 40] = True
    sensor = DepthMap(np.where(valid, 1 / inverse, np.nan), DepthKind.METRIC, valid=valid)
    np.testing.assert_allclose(merge_depths(sensor, DepthMap(7 / inverse, DepthKind.SCALE)).z, 1 / inverse, rtol=1e-3)


def test_maps_that_cannot_be_merged():
    inverse = plane()
    sensor, _ = holed(inverse)
    with pytest.raises(ShapeError):
        merge_depths(sensor, DepthMap(inverse[1:], DepthKind.DISPARITY))
    with pytest.raises(UnitError):
        merge_depths(DepthMap(inverse, DepthKind.DISPARITY), sensor)
    with pytest.raises(InputError):
        merge_depths(DepthMap(np.full_like(inverse, np.nan), DepthKind.METRIC), sensor)
