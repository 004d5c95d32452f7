"""What the numbers of a network become: the polarity of every kind, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unflat.errors import InputError, WeightsError
from unflat.models.depth.protocol import Prediction
from unflat.models.meaning import Meaning, kind_named, plane_of, to_values
from unflat.stages.estimate_depth import _as_depth
from unflat.types import DepthKind

Z = np.linspace(1.0, 9.0, 48, dtype=np.float32).reshape(6, 8)
"""True depth: the first pixel is the nearest."""
SAID = {
    (DepthKind.METRIC, False): Z,
    (DepthKind.METRIC, True): 1 / Z,
    (DepthKind.SCALE, False): 0.3 * Z,
    (DepthKind.SCALE, True): 5 / Z,
    (DepthKind.AFFINE, False): 0.3 * Z - 7,
    (DepthKind.DISPARITY, True): 5 / Z - 2,
}
"""What a perfect network of each meaning would say of it."""


@pytest.mark.parametrize(("kind", "inverse"), SAID)
def test_what_a_perfect_network_says_becomes_the_truth_of_its_kind(kind: DepthKind, inverse: bool) -> None:
    """Through the conversion and the stage: metres are metres, near stays near, offsets stay only where they belong."""
    values = to_values(SAID[kind, inverse].astype(np.float32), Meaning(kind, inverse), "x")
    depth = _as_depth(Prediction(values, kind), "x", "mit")
    assert depth.kind is kind and np.asarray(depth.valid).all()
    if kind is DepthKind.METRIC:
        assert np.allclose(depth.z, Z, rtol=1e-5)
    elif kind is DepthKind.SCALE:
        assert np.ptp(depth.z / Z) < 1e-4 * (depth.z / Z).max()
    else:
        target = 1 / Z if kind is DepthKind.DISPARITY else Z
        slope, offset = np.polyfit(target.ravel(), depth.values.ravel(), 1)
        assert slope > 0 and np.allclose(depth.values, slope * target + offset, atol=1e-4)


@pytest.mark.parametrize(("kind", "inverse"), SAID)
def test_the_nearest_pixel_stays_the_nearest_when_it_is_lifted(kind: DepthKind, inverse: bool) -> None:
    from unflat.geometry.align import assume_scale

    values = to_values(SAID[kind, inverse].astype(np.float32), Meaning(kind, inverse), "x")
    z = assume_scale(_as_depth(Prediction(values, kind), "x", "mit")).z
    assert np.argmin(z) == 0 and np.argmax(z) == Z.size - 1
    assert (np.diff(z.ravel()) >= 0).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(np.inf), min_size=16, max_size=16))
def test_whatever_depths_come_nothing_infinite_or_negative_goes_on(numbers: list[float]) -> None:
    raw = np.array(numbers, np.float32).reshape(4, 4)
    try:
        values = to_values(raw, Meaning(DepthKind.METRIC), "x")
    except WeightsError:
        known = raw[(raw > 0) & np.isfinite(raw)]
        assert known.size == 0 or np.median(raw) < 0 or not 1e-3 <= np.median(known) <= 1e6
        return
    assert np.isfinite(values).all() and (values >= 0).all()
    assert (values[np.isposinf(raw)] == 0).all()


def test_infinitely_far_is_zero_and_behind_the_camera_is_as_near_as_can_be() -> None:
    raw = np.array([[np.inf, 2.0, 2.0, 2.0], [4.0, 2.0, 0.0, -1.0]] * 2, np.float32)
    values = to_values(raw, Meaning(DepthKind.METRIC), "x")
    assert values[0, 0] == 0 and values[1, 0] == 0.25
    assert values[1, 2] == values[1, 3] == pytest.approx(1 / 2e-3)


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        (np.full((4, 4), -1.0), Meaning(DepthKind.METRIC)),
        (np.zeros((4, 4)), Meaning(DepthKind.SCALE)),
        (np.zeros((4, 4)), Meaning(DepthKind.SCALE, inverse=True)),
        (np.full((4, 4), np.inf), Meaning(DepthKind.METRIC)),
        (np.full((4, 4), -np.inf), Meaning(DepthKind.METRIC)),
        (np.full((4, 4), np.inf), Meaning(DepthKind.DISPARITY)),
        (np.full((4, 4), np.inf), Meaning(DepthKind.AFFINE)),
        (np.full((4, 4), np.inf), Meaning(DepthKind.METRIC, inverse=True)),
    ],
)
def test_numbers_that_cannot_be_what_they_are_said_to_be_are_refused(raw: np.ndarray, meaning: Meaning) -> None:
    with pytest.raises(WeightsError) as caught:
        to_values(raw.astype(np.float32), meaning, "net")
    assert caught.value.exit_code == 5 and "net" in str(caught.value)


@pytest.mark.parametrize("metres", [1e37, 1e7, 1e-4, 1e-38])
@pytest.mark.parametrize("inverse", [False, True])
def test_metres_of_no_scene_are_refused(metres: float, inverse: bool) -> None:
    raw = Z * np.float32(metres)
    raw = (1 / raw.astype(np.float64)).clip(max=3e38).astype(np.float32) if inverse else raw
    with pytest.raises(WeightsError, match="no metres") as caught:
        to_values(raw, Meaning(DepthKind.METRIC, inverse), "net")
    assert "'scale'" in caught.value.hint
    assert np.isfinite(to_values(raw, Meaning(DepthKind.SCALE, inverse), "net")).all()


@pytest.mark.parametrize("metres", [1e-3, 1e5])
def test_a_stamp_and_a_mountain_range_are_scenes(metres: float) -> None:
    assert np.allclose(1 / to_values(Z * np.float32(metres), Meaning(DepthKind.METRIC), "net"), Z * metres)


def test_a_part_of_a_scene_on_the_lens_itself_is_refused() -> None:
    raw = np.ones((10, 10), np.float32)
    raw[0, :5] = 3e38
    with pytest.raises(WeightsError, match="no metres"):
        to_values(raw, Meaning(DepthKind.METRIC, inverse=True), "net")


@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7), (1, 1, 5, 7), (1, 5, 7, 1), (1, 1, 1, 5, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64, np.int32, np.uint8])
def test_a_plane_is_found_among_axes_of_length_one(shape: tuple[int, ...], dtype: type) -> None:
    plane = plane_of(np.arange(35).reshape(shape).astype(dtype), "x")
    assert plane.dtype == np.float32 and np.array_equal(plane, np.arange(35).reshape(5, 7))


@pytest.mark.parametrize(
    "output",
    [
        np.zeros(9),
        np.zeros(()),
        np.zeros((3, 5, 7)),
        np.zeros((2, 1, 5, 7)),
        np.zeros((1, 1, 1, 1)),
        np.zeros((1, 1000)),
        np.zeros((2, 900)),
        np.zeros((0, 5)),
        np.full((5, 7), np.nan),
        np.zeros((5, 7), bool),
        np.zeros((5, 7), complex),
        np.array([["a"] * 5] * 5),
    ],
)
def test_what_is_no_depth_map_is_refused(output: np.ndarray) -> None:
    with pytest.raises(WeightsError):
        plane_of(output, "net")


def test_kinds_have_one_polarity_where_they_have_one() -> None:
    assert Meaning(DepthKind.DISPARITY).inverse and not Meaning(DepthKind.AFFINE).inverse
    with pytest.raises(InputError, match="disparity"):
        Meaning(DepthKind.AFFINE, inverse=True)
    with pytest.raises(InputError, match="disparity-px"):
        kind_named("disparity-px")
