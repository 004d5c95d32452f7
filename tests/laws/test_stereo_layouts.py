"""What must hold for every layout: what was packed comes out again, greys stay grey, angles stay angles."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.geometry.anaglyph import METHODS, Anaglyph, anaglyph
from unflat.geometry.half_sphere import LARGEST, SMALLEST, HalfSphere, fitting_side
from unflat.geometry.layout import PACKED, packed, packed_size, unpacked
from unflat.stages.lay_out import Spheres, moved_apart
from unflat.stages.make_stereo import make_stereo
from unflat.stages.plan_stereo import Eyes, StereoOptions
from unflat.types.image import Size
from unflat.types.stereo import Layout, Rig

Bytes = NDArray[np.uint8]
WHOLE = (Layout.FULL_SBS, Layout.FULL_TB, Layout.CROSS, Layout.RGBD, Layout.VR180)
HALVES = (Layout.HALF_SBS, Layout.HALF_TB)
sizes = st.builds(Size, st.integers(1, 33), st.integers(1, 33))


def noise(size: Size, seed: int) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (*size.shape, 3), np.uint8)


# --- packing ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(sizes, st.sampled_from(WHOLE))
def test_full_views_come_out_as_they_went_in(size: Size, layout: Layout) -> None:
    left, right = noise(size, 1), noise(size, 2)
    whole = packed(left, right, layout)
    assert Size(whole.shape[1], whole.shape[0]) == packed_size(size, layout)
    again = unpacked(whole, layout)
    np.testing.assert_array_equal(again[0], left)
    np.testing.assert_array_equal(again[1], right)


def test_left_is_where_players_look_for_it() -> None:
    left, right = np.full((4, 6, 3), 10, np.uint8), np.full((4, 6, 3), 200, np.uint8)
    for layout, first in ((Layout.FULL_SBS, 10), (Layout.HALF_SBS, 10), (Layout.CROSS, 200)):
        whole = packed(left, right, layout)
        middle = whole.shape[1] // 2
        assert (whole[:, :middle] == first).all() and (whole[:, middle:] == 210 - first).all()
    for layout in (Layout.FULL_TB, Layout.HALF_TB):
        whole = packed(left, right, layout)
        middle = whole.shape[0] // 2
        assert (whole[:middle] == 10).all() and (whole[middle:] == 200).all()


@settings(max_examples=60, deadline=None)
@given(sizes, st.sampled_from(HALVES))
def test_half_layouts_are_as_large_as_one_view_but_for_the_odd_pixel(size: Size, layout: Layout) -> None:
    whole = packed(noise(size, 1), noise(size, 2), layout)
    beside = layout is Layout.HALF_SBS
    even = Size(size.width + size.width % 2, size.height) if beside else Size(size.width, size.height + size.height % 2)
    assert Size(whole.shape[1], whole.shape[0]) == packed_size(size, layout) == even


def box_mean(view: Bytes, n: int) -> NDArray[np.float64]:
    """The slow oracle: ``n`` columns, each the mean over the stretch of the view's columns that it covers."""
    w = view.shape[1]
    out = np.zeros((view.shape[0], n, 3))
    for i in range(n):
        start, stop = i * w / n, (i + 1) * w / n
        for x in range(w):
            share = max(0.0, min(stop, x + 1) - max(start, x))
            out[:, i] += view[:, x] * share / (stop - start)
    return out


@pytest.mark.parametrize("width", [1, 2, 7, 12, 25, 40])
@pytest.mark.parametrize("layout", HALVES)
def test_half_views_are_means_over_areas(width: int, layout: Layout) -> None:
    left, right = noise(Size(width, 5), 3), noise(Size(width, 5), 4)
    half = (width + 1) // 2
    if layout is Layout.HALF_SBS:
        whole = packed(left, right, layout)
    else:
        whole = packed(left.transpose(1, 0, 2), right.transpose(1, 0, 2), layout).transpose(1, 0, 2)
    assert np.abs(whole[:, :half] - box_mean(left, half)).max() <= 0.51
    assert np.abs(whole[:, half:] - box_mean(right, half)).max() <= 0.51


@pytest.mark.parametrize("layout", HALVES)
def test_squeezing_and_stretching_moves_nothing(layout: Layout) -> None:
    """A ramp survives, so no disparity is added or lost."""
    ramp = np.repeat(np.arange(0, 240, 3, dtype=np.uint8)[None, :, None], 3, 2)
    ramp = np.ascontiguousarray(np.broadcast_to(ramp, (80, 80, 3)))
    view = ramp if layout is Layout.HALF_SBS else ramp.transpose(1, 0, 2)
    left, right = unpacked(packed(view, view[::-1, ::-1], layout), layout)
    inner = np.s_[2:-2, 2:-2]
    assert np.abs(left[inner].astype(int) - view[inner]).max() <= 1
    assert np.abs(right[inner].astype(int) - view[::-1, ::-1][inner]).max() <= 1


def test_what_cannot_be_packed_or_cut_is_refused() -> None:
    a, b = noise(Size(4, 4), 0), noise(Size(5, 4), 0)
    for layout in PACKED:
        with pytest.raises(ShapeError, match="one size"):
            packed(a, b, layout)
    with pytest.raises(ShapeError, match="not cut in two"):
        unpacked(b, Layout.FULL_SBS)
    for layout in (Layout.ANAGLYPH, Layout.WIGGLE, Layout.PAIR, Layout.MPO, Layout.SPATIAL):
        with pytest.raises(ShapeError, match="not two views"):
            packed(a, a, layout)


# --- anaglyphs ----------------------------------------------------------------------------------------------------

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_the_same_grey_to_both_eyes_stays_that_grey(method: Anaglyph) -> None:
    np.testing.assert_array_equal(anaglyph(GREYS, GREYS, method), GREYS)


def slow(left: Bytes, right: Bytes, method: Anaglyph) -> NDArray[np.float64]:
    """The definition, in double precision."""
    views = np.concatenate([left, right], axis=2) / 255
    if method == "dubois":
        views = np.where(views <= 0.04045, views / 12.92, ((views + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(views @ np.asarray(METHODS[method].weights, np.float64).T, 0, 1)
    if method == "dubois":
        mixed = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return mixed * 255


@pytest.mark.parametrize("method", METHODS)
def test_the_kernel_does_what_the_matrices_say(method: Anaglyph) -> None:
    left, right = noise(Size(61, 150), 5), noise(Size(61, 150), 6)
    assert np.abs(anaglyph(left, right, method) - slow(left, right, method)).max() < 0.6


def test_each_eye_has_its_colours() -> None:
    black, left, right = (np.full((2, 3, 3), v, np.uint8) for v in (0, (200, 120, 40), (60, 90, 220)))
    np.testing.assert_array_equal(anaglyph(left, right, "colour")[0, 0], (200, 90, 220))
    np.testing.assert_array_equal(anaglyph(left, right, "half-colour")[0, 0], (135, 90, 220))
    np.testing.assert_array_equal(anaglyph(left, right, "grey")[0, 0], (135, 96, 96))
    for method in METHODS:
        to_left, to_right = anaglyph(left, black, method)[0, 0], anaglyph(black, right, method)[0, 0]
        assert to_left[0] > 80 and to_left[1:].max() < 10, "the left view is in red"
        assert to_right[0] < 10 and to_right[1:].min() > 60, "the right view is in green and blue"


def test_a_non_contiguous_view_is_no_other_picture() -> None:
    left, right = noise(Size(20, 12), 7), noise(Size(20, 12), 8)
    there = anaglyph(np.ascontiguousarray(left[:, ::-1]), np.ascontiguousarray(right[:, ::-1]))
    np.testing.assert_array_equal(anaglyph(left[:, ::-1], right[:, ::-1]), there)
    with pytest.raises(ShapeError, match="one size"):
        anaglyph(left, right[:-1])


# --- half spheres -------------------------------------------------------------------------------------------------


def blob(size: Size, x: float, y: float, sigma: float) -> Bytes:
    """A soft white spot about (x, y) in pixels."""
    columns, rows = np.arange(size.width) + 0.5 - x, np.arange(size.height) + 0.5 - y
    spot = 255 * np.exp(-(columns**2 + rows[:, None] ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, 2)


def centre_of(picture: Bytes) -> tuple[float, float]:
    weights = picture[..., 0].astype(np.float64)
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]] + 0.5
    return float((x * weights).sum() / weights.sum()), float((y * weights).sum() / weights.sum())


@pytest.mark.parametrize("side", [300, 301, 900])
@pytest.mark.parametrize(
    ("fov", "lon", "lat"),
    [(50, 0, 0), (50, 20, 0), (50, -12.5, 9), (90, 0, 0), (90, -31, 0), (90, 0, 18), (90, 25, -17), (140, 60, 10)],
)
def test_what_is_seen_at_an_angle_lies_at_that_angle(fov: float, lon: float, lat: float, side: int) -> None:
    size = Size(400, 300)
    focal = 200 / math.tan(math.radians(fov) / 2)
    x = 200 + focal * math.tan(math.radians(lon))
    y = 150 - focal * math.tan(math.radians(lat)) / math.cos(math.radians(lon))
    seen = HalfSphere(size, fov, side, soft=0)(blob(size, x, y, 3))
    u, v = centre_of(seen)
    assert (u / side - 0.5) * 180 == pytest.approx(lon, abs=0.08)
    assert (0.5 - v / side) * 180 == pytest.approx(lat, abs=0.08)


@pytest.mark.parametrize("moved", [-0.09, -0.013, 0.02, 0.1])
@pytest.mark.parametrize(("lon", "lat"), [(0, 0), (-21, 6)])
def test_a_view_that_was_shifted_lies_at_its_angles_again(moved: float, lon: float, lat: float) -> None:
    size, side = Size(400, 300), 600
    focal = 200 / math.tan(math.radians(70) / 2)
    x = 200 + focal * math.tan(math.radians(lon)) + moved * 400
    y = 150 - focal * math.tan(math.radians(lat)) / math.cos(math.radians(lon))
    seen = HalfSphere(size, 70, side, soft=0)(blob(size, x, y, 3), moved)
    u, v = centre_of(seen)
    assert (u / side - 0.5) * 180 == pytest.approx(lon, abs=0.08)
    assert (0.5 - v / side) * 180 == pytest.approx(lat, abs=0.08)
    lit = HalfSphere(size, 70, side, soft=0)(np.full((300, 400, 3), 250, np.uint8), moved)[side // 2, :, 0] > 125
    rims = (np.array([0, 400]) - 200 - moved * 400) / focal
    found = (np.array([lit.argmax(), side - lit[::-1].argmax()]) / side - 0.5) * np.pi
    np.testing.assert_allclose(np.tan(found), rims, atol=0.01)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("eye", ["both", "left", "right"])
def test_in_half_spheres_infinity_has_no_disparity(eye: Eyes, swap: bool) -> None:
    """Whatever lay in the plane of the screen: what is infinitely far is straight ahead of both eyes."""
    size, side = Size(400, 300), 800
    picture = blob(size, 200, 150, 4)
    options = StereoOptions(eye=eye, swap=swap)
    share = 1 - options.left if swap else options.left
    pair = make_stereo(picture, np.zeros(size.shape, np.float32), Rig(50, 12, 400, options.left), options).pair
    sphere = Spheres(HalfSphere(size, 60, side, soft=0))
    left, right = unpacked(sphere(pair.left, pair.right, moved_apart(pair, share)), Layout.VR180)
    assert centre_of(left) == pytest.approx((side / 2, side / 2), abs=0.3)
    assert centre_of(right) == pytest.approx((side / 2, side / 2), abs=0.3)
    apart = unpacked(sphere(pair.left, pair.right), Layout.VR180)
    outwards = centre_of(apart[1])[0] - centre_of(apart[0])[0]
    assert (-outwards if swap else outwards) > 5, "as they are, eyes would turn outwards"


@pytest.mark.parametrize("size", [Size(400, 300), Size(151, 401)])
@pytest.mark.parametrize("fov", [30.0, 60.0, 100.0])
def test_a_picture_fills_its_field_of_view_and_nothing_else(size: Size, fov: float) -> None:
    side = 720
    seen = HalfSphere(size, fov, side, soft=0)(np.full((*size.shape, 3), 250, np.uint8))[..., 0]
    lit = seen > 125
    focal = size.width / 2 / math.tan(math.radians(fov) / 2)
    assert lit[side // 2].sum() / side * 180 == pytest.approx(fov, abs=0.6)
    tall = 2 * math.degrees(math.atan(size.height / 2 / focal))
    assert lit[:, side // 2].sum() / side * 180 == pytest.approx(tall, abs=0.6)
    np.testing.assert_array_equal(lit, lit[:, ::-1])
    np.testing.assert_array_equal(lit, lit[::-1])
    assert set(np.unique(seen[~cv2.dilate(lit.astype(np.uint8), np.ones((5, 5))).astype(bool)])) == {0}


def test_the_rim_fades() -> None:
    seen = HalfSphere(Size(400, 400), 90, 720, soft=0.1)(np.full((400, 400, 3), 200, np.uint8))[360, :360, 0]
    rising = seen[seen > 0].astype(int)
    assert (np.diff(rising) >= 0).all() and rising[0] < 20 and rising[-1] == 200
    assert 10 < (rising < 195).sum() < 40


def test_fine_patterns_are_averaged_rather_than_lost() -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    seen = HalfSphere(Size(800, 800), 60, 256, soft=0)(stripes)[..., 0]
    middle = seen[110:146, 110:146].astype(int)
    assert np.abs(middle - 127).max() < 20


def test_the_side_follows_the_picture() -> None:
    assert fitting_side(1000, 90) == 2 * round(500 * math.pi / 2)
    assert fitting_side(8000, 40) == LARGEST
    assert fitting_side(8, 90) == SMALLEST
    assert all(fitting_side(w, 61.3) % 2 == 0 for w in range(500, 900, 7))


def test_half_spheres_that_cannot_be_are_refused() -> None:
    for fov, side, soft in ((0.5, 100, 0), (175, 100, 0), (60, 1, 0), (60, 100, 0.7)):
        with pytest.raises(ShapeError):
            HalfSphere(Size(40, 30), fov, side, soft)
    with pytest.raises(ShapeError, match="40×30"):
        HalfSphere(Size(40, 30), 60, 100)(noise(Size(30, 40), 0))
    with pytest.raises(ShapeError, match="aside"):
        HalfSphere(Size(40, 30), 60, 100)(noise(Size(40, 30), 0), 0.11)
