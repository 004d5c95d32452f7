"""Lengths, planes and averages: laws on known worlds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unflat.errors import InputError, UnitError
from unflat.geometry.measure import span_between, spot_at, weighted_quantile
from unflat.geometry.projection import pixel_centres, rays
from unflat.types import DepthKind, DepthMap, Intrinsics, Size
from unflat.types.arrays import F64

SIZE = Size(64, 48)
CAMERA = Intrinsics(50, 55, 30, 26, SIZE)
tilts = st.floats(-1.0, 1.0)
across = st.floats(3, 61)
down = st.floats(3, 45)


def grid(size: Size = SIZE) -> F64:
    x, y = pixel_centres(size)
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float64)


def plane_hit(xy: F64, tilt_x: float, tilt_y: float, camera: Intrinsics = CAMERA) -> F64:
    """Where the rays of ``xy`` meet the plane 1/z = 0.5 + 0.3·tilt·ray; (…, 3)."""
    ray = rays(xy, camera)
    return ray / (0.5 + 0.3 * tilt_x * ray[..., :1] + 0.3 * tilt_y * ray[..., 1:2])


def plane_map(tilt_x: float, tilt_y: float, camera: Intrinsics = CAMERA) -> DepthMap:
    z = plane_hit(grid(camera.size), tilt_x, tilt_y, camera)[..., 2]
    return DepthMap(z.astype(np.float32), DepthKind.SCALE, intrinsics=camera)


def step_map(near: float = 1.0, far: float = 3.0, column: int = 30) -> DepthMap:
    z = np.full(SIZE.shape, far, np.float32)
    z[:, :column] = near
    return DepthMap(z, DepthKind.SCALE, intrinsics=CAMERA)


@given(across, down, tilts, tilts)
def test_a_spot_on_a_plane_lies_on_it(x: float, y: float, tilt_x: float, tilt_y: float) -> None:
    spot = spot_at(plane_map(tilt_x, tilt_y), x, y)
    np.testing.assert_allclose(spot.xyz, plane_hit(np.array([x, y]), tilt_x, tilt_y), rtol=1e-5, atol=1e-6)
    assert spot.noise < 1e-5
    assert not spot.edge


@given(across, down, tilts, tilts)
def test_the_moves_of_a_spot_are_its_derivatives(x: float, y: float, tilt_x: float, tilt_y: float) -> None:
    spot = spot_at(plane_map(tilt_x, tilt_y), x, y)
    step = 1e-3
    by_x = (plane_hit(np.array([x + step, y]), tilt_x, tilt_y) - plane_hit(np.array([x, y]), tilt_x, tilt_y)) / step
    by_y = (plane_hit(np.array([x, y + step]), tilt_x, tilt_y) - plane_hit(np.array([x, y]), tilt_x, tilt_y)) / step
    np.testing.assert_allclose(spot.by_x, by_x, rtol=5e-3, atol=1e-4)
    np.testing.assert_allclose(spot.by_y, by_y, rtol=5e-3, atol=1e-4)


@given(across, down)
def test_the_place_may_be_given_in_a_larger_picture(x: float, y: float) -> None:
    depth = plane_map(0.5, -0.3)
    small, large = spot_at(depth, x, y), spot_at(depth, 4 * x, 4 * y, of=Size(256, 192))
    np.testing.assert_allclose(small.xyz, large.xyz, rtol=1e-9)


@given(st.floats(-0.99, 0.99), down)
def test_an_outline_belongs_to_the_nearer_side_and_is_never_mixed(offset: float, y: float) -> None:
    spot = spot_at(step_map(), 30 + offset, y)
    assert spot.edge
    assert spot.xyz[2] == pytest.approx(1.0, rel=1e-6)


def test_away_from_the_outline_each_side_is_itself() -> None:
    assert spot_at(step_map(), 27.5, 20).xyz[2] == pytest.approx(1.0)
    assert spot_at(step_map(), 32.5, 20).xyz[2] == pytest.approx(3.0)


def test_the_corner_of_something_near_is_found_from_a_single_pixel_of_it() -> None:
    z = np.full(SIZE.shape, 4.0, np.float32)
    z[20:, 30:] = 2.0
    depth = DepthMap(z, DepthKind.SCALE, intrinsics=CAMERA)
    assert spot_at(depth, 29.9, 19.9).xyz[2] == pytest.approx(2.0, rel=1e-6)


def test_one_far_off_pixel_does_not_move_a_spot() -> None:
    depth = plane_map(0.4, 0.2)
    values = depth.values.copy()
    values[20, 30] *= 8
    spoilt = DepthMap(values, DepthKind.SCALE, intrinsics=CAMERA)
    np.testing.assert_allclose(spot_at(spoilt, 30.5, 20.5).xyz, spot_at(depth, 30.5, 20.5).xyz, rtol=2e-3)


def test_noise_is_told_about_as_large_as_it_is() -> None:
    rng = np.random.default_rng(3)
    told, was = [], []
    for _ in range(300):
        z = 2 * np.exp(rng.normal(0, 0.003, SIZE.shape))
        spot = spot_at(DepthMap(z.astype(np.float32), DepthKind.SCALE, intrinsics=CAMERA), 30.5, 20.5)
        told.append(spot.noise)
        was.append(math.log(spot.xyz[2] / 2))
    assert 0.5 < np.median(told) / np.std(was) < 1.5


@given(across, down, across, down, tilts, tilts)
def test_a_span_is_the_true_distance(ax: float, ay: float, bx: float, by: float, tx: float, ty: float) -> None:
    depth = plane_map(tx, ty)
    a, b = plane_hit(np.array([[ax, ay], [bx, by]]), tx, ty)
    if np.linalg.norm(a - b) < 1e-2:
        return
    span = span_between(spot_at(depth, ax, ay), spot_at(depth, bx, by))
    assert span.length == pytest.approx(float(np.linalg.norm(a - b)), rel=1e-3)
    assert span.across == pytest.approx(float(((a - b)[:2] ** 2).sum() / ((a - b) ** 2).sum()), abs=1e-3)


@pytest.mark.parametrize("k", [0.98, 1.02])
def test_the_part_across_tells_what_a_wrong_focal_length_does(k: float) -> None:
    depth = plane_map(1.0, 0.3)
    wrong = Intrinsics(k * CAMERA.fx, k * CAMERA.fy, CAMERA.cx, CAMERA.cy, SIZE)
    other = DepthMap(depth.values, DepthKind.SCALE, intrinsics=wrong)
    a, b = (10.0, 8.0), (50.0, 40.0)
    right = span_between(spot_at(depth, *a), spot_at(depth, *b))
    bent = span_between(spot_at(other, *a), spot_at(other, *b))
    assert math.log(bent.length / right.length) == pytest.approx(-right.across * math.log(k), rel=0.02)


def test_pointing_is_what_moving_the_ends_by_chance_does() -> None:
    rng = np.random.default_rng(1)
    depth = plane_map(0.8, -0.4)
    a, b = np.array([12.0, 9.0]), np.array([45.0, 30.0])
    span = span_between(spot_at(depth, *a), spot_at(depth, *b))
    moved = []
    for _ in range(400):
        i, j = a + rng.normal(0, 0.5, 2), b + rng.normal(0, 0.5, 2)
        moved.append(span_between(spot_at(depth, *i), spot_at(depth, *j)).length)
    assert np.std(moved) / span.length == pytest.approx(0.5 * span.pointing, rel=0.15)


def test_the_lower_confidence_of_both_ends_counts() -> None:
    depth = plane_map(0, 0)
    sure = np.full(SIZE.shape, 0.9, np.float32)
    sure[:, 32:] = 0.4
    told = DepthMap(depth.values, DepthKind.SCALE, confidence=sure, intrinsics=CAMERA)
    assert span_between(spot_at(told, 8, 8), spot_at(told, 56, 8)).confidence == pytest.approx(0.4)
    assert span_between(spot_at(depth, 8, 8), spot_at(depth, 56, 8)).confidence is None


def test_what_cannot_be_measured_says_why() -> None:
    sky = np.zeros(SIZE.shape, bool)
    sky[:10] = True
    valid = np.ones(SIZE.shape, bool)
    valid[40:] = False
    z = np.where(sky, np.inf, 2).astype(np.float32)
    depth = DepthMap(z, DepthKind.SCALE, valid=valid, sky=sky, intrinsics=CAMERA)
    with pytest.raises(InputError, match="in the sky"):
        spot_at(depth, 20, 4)
    with pytest.raises(InputError, match="no depth"):
        spot_at(depth, 20, 46)
    for x, y in ((-0.1, 5), (20, 48.1), (math.nan, 5), (math.inf, 5)):
        with pytest.raises(InputError, match="outside"):
            spot_at(depth, x, y)
    with pytest.raises(InputError, match="the same"):
        span_between(spot_at(depth, 20, 20), spot_at(depth, 20, 20))
    with pytest.raises(InputError, match="camera"):
        spot_at(DepthMap(z, DepthKind.SCALE, sky=sky), 20, 20)
    with pytest.raises(UnitError):
        spot_at(DepthMap(z, DepthKind.AFFINE, sky=sky, intrinsics=CAMERA), 20, 20)


def test_the_borders_of_the_picture_can_be_measured() -> None:
    depth = plane_map(0.3, 0.3)
    for xy in ((0.0, 0.0), (64.0, 48.0), (0.0, 48.0)):
        np.testing.assert_allclose(spot_at(depth, *xy).xyz, plane_hit(np.array(xy), 0.3, 0.3), rtol=1e-4)


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-9, 9)), st.floats(0, 1), st.data())
def test_a_weight_counts_like_so_many_copies(values: F64, q: float, data: st.DataObject) -> None:
    copies = data.draw(arrays(np.int64, len(values), elements=st.integers(1, 4)))
    assert weighted_quantile(values, q, copies) == weighted_quantile(np.repeat(values, copies), q)


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-9, 9)))
def test_a_quantile_is_one_of_the_values_and_the_ends_are_the_ends(values: F64) -> None:
    assert weighted_quantile(values, 0) == values.min()
    assert weighted_quantile(values, 1) == values.max()
    middle = weighted_quantile(values, 0.5)
    assert middle == np.quantile(values, 0.5, method="inverted_cdf")


def test_a_quantile_leaves_out_what_is_not_a_number_or_has_no_weight() -> None:
    assert weighted_quantile([1, np.nan, np.inf, 3], 1) == 3
    assert weighted_quantile([1, 2, 9], 1, [1, 1, 0]) == 2
    with pytest.raises(InputError):
        weighted_quantile([np.nan], 0.5)
    with pytest.raises(InputError):
        weighted_quantile([1.0], 1.5)
