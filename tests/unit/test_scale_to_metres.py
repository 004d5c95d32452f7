"""The size of a scene: known worlds, every clue, and what happens when there is none."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import strategies as st

from unflat.errors import InputError, UnitError
from unflat.geometry.projection import pixel_centres, project, rays
from unflat.stages.scale_to_metres import KnownLength, ScaleOptions, scale_to_metres
from unflat.types import DepthKind, DepthMap, FocalBasis, Image, Intrinsics, LensRecord, Size
from unflat.types.arrays import F64, Bool

SIZE = Size(320, 240)
CAMERA = Intrinsics.from_fov(65, SIZE)
BLANK = Image(np.full((*SIZE.shape, 3), 127, np.uint8))
LOST = 6.1
"""The factor that every world of this file has lost."""


def ray_grid(camera: Intrinsics) -> F64:
    x, y = pixel_centres(camera.size)
    return rays(np.stack(np.meshgrid(x, y), axis=-1), camera)


def box_world(camera: Intrinsics = CAMERA) -> tuple[DepthMap, F64]:
    """A turned box, 1.2 × 0.8 × 1.0 m, on a floor 1 m below the camera, before a wall; and its corners (8, 3)."""
    directions = ray_grid(camera)
    turn = 0.5
    axes = np.array([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]])
    middle, half = np.array([0.2, 0.6, 4.0]), np.array([0.6, 0.4, 0.5])
    with np.errstate(divide="ignore"):
        floor = np.where(directions[..., 1] > 0, 1.0 / directions[..., 1], np.inf)
        towards, start = directions @ axes.T, -axes @ middle
        slabs = np.stack([(-half - start) / towards, (half - start) / towards])
    enter, leave = slabs.min(axis=0).max(axis=-1), slabs.max(axis=0).min(axis=-1)
    z = np.minimum(np.minimum(floor, 8.0), np.where(enter < leave, enter, np.inf))
    signs = np.array([[x, y, s] for x in (-1, 1) for y in (-1, 1) for s in (-1, 1)])
    corners = middle + (signs * half) @ axes
    return DepthMap((z / LOST).astype(np.float32), DepthKind.SCALE, intrinsics=camera), corners


def plane_world(
    tilt_x: float = 0.0, tilt_y: float = 0.0, *, camera: Intrinsics = CAMERA, sky: Bool | None = None
) -> DepthMap:
    """The plane 1/z = 0.3 + 0.2·tilt·ray, its scale lost."""
    ray = ray_grid(camera)
    z = 1 / (0.3 + 0.2 * tilt_x * ray[..., 0] + 0.2 * tilt_y * ray[..., 1]) / LOST
    z = z if sky is None else np.where(sky, np.inf, z)
    return DepthMap(z.astype(np.float32), DepthKind.SCALE, sky=sky, intrinsics=camera)


def on_plane(x: float, y: float, tilt_x: float, tilt_y: float) -> F64:
    ray = rays(np.array([x, y]), CAMERA)
    return ray / (0.3 + 0.2 * tilt_x * ray[0] + 0.2 * tilt_y * ray[1])


def known(a: Any, b: Any, metres: float) -> ScaleOptions:
    return ScaleOptions(known_length=KnownLength(*map(float, (*a, *b)), metres=float(metres)))


def factor(before: DepthMap, after: DepthMap) -> float:
    return float(np.median(after.z[before.surface] / before.z[before.surface]))


@given(st.floats(5, 315), st.floats(5, 235), st.floats(5, 315), st.floats(5, 235), st.floats(-1, 1), st.floats(-1, 1))
def test_a_known_length_on_a_plane_is_right(ax: float, ay: float, bx: float, by: float, tx: float, ty: float) -> None:
    if math.hypot(ax - bx, ay - by) < 10:
        return
    depth = plane_world(tx, ty)
    true = float(np.linalg.norm(on_plane(ax, ay, tx, ty) - on_plane(bx, by, tx, ty)))
    metres, scale = scale_to_metres(depth, BLANK, known((ax, ay), (bx, by), true))
    assert factor(depth, metres) == pytest.approx(LOST, rel=0.002)
    assert (metres.kind, scale.basis) == (DepthKind.METRIC, "known-length")
    assert scale.low < 1 < scale.high


@pytest.mark.parametrize(("a", "b"), [(0, 4), (0, 2), (4, 6), (0, 1), (4, 5), (2, 6), (0, 6), (1, 4), (0, 5)])
def test_the_edges_of_a_box_are_right_within_one_per_cent(a: int, b: int) -> None:
    depth, corners = box_world()
    ends = project(corners[[a, b]], CAMERA)
    metres, scale = scale_to_metres(depth, BLANK, known(*ends, float(np.linalg.norm(corners[a] - corners[b]))))
    assert factor(depth, metres) == pytest.approx(LOST, rel=0.01)
    assert scale.low <= 1 <= scale.high


def test_a_length_along_the_line_of_sight_is_right() -> None:
    depth, _ = box_world()
    a, b = np.array([-1.2, 1.0, 2.5]), np.array([-1.2, 1.0, 6.0])
    ends = project(np.stack([a, b]), CAMERA)
    metres, _ = scale_to_metres(depth, BLANK, known(*ends, 3.5))
    assert factor(depth, metres) == pytest.approx(LOST, rel=0.01)


def test_points_are_pixels_of_the_picture_even_where_the_depth_is_smaller() -> None:
    depth, _ = box_world()
    large = Image(np.zeros((960, 1280, 3), np.uint8))
    a, b = np.array([-1.2, 1.0, 3.0]), np.array([1.5, 1.0, 5.5])
    ends = project(np.stack([a, b]), CAMERA.resized(large.size))
    metres, _ = scale_to_metres(depth, large, known(*ends, float(np.linalg.norm(a - b))))
    assert factor(depth, metres) == pytest.approx(LOST, rel=0.01)


def test_the_interval_holds_the_truth_when_the_points_are_marked_with_an_error_of_one_pixel() -> None:
    rng = np.random.default_rng(11)
    depth = plane_world(0.8, -0.5)
    held = []
    for _ in range(300):
        ends = rng.uniform((10, 10), (310, 230), (2, 2))
        if np.linalg.norm(ends[0] - ends[1]) < 20:
            continue
        true = float(np.linalg.norm(on_plane(*ends[0], 0.8, -0.5) - on_plane(*ends[1], 0.8, -0.5)))
        marked = ends + rng.uniform(-1, 1, (2, 2))
        metres, scale = scale_to_metres(depth, BLANK, known(*marked, true))
        held.append(scale.low <= LOST / factor(depth, metres) <= scale.high)
    assert 0.84 <= np.mean(held) <= 0.97


def test_a_short_line_is_less_sure_than_a_long_one_and_a_guessed_lens_less_than_a_known_one() -> None:
    depth = plane_world()
    widths = [scale_to_metres(depth, BLANK, known((50, 100), (x, 100), 1))[1].high for x in (60, 100, 300)]
    assert widths[0] > widths[1] > widths[2] > 1
    bases: tuple[FocalBasis, ...] = ("given", "exif-35mm", "assumed")
    told = [
        scale_to_metres(
            replace(depth, intrinsics=replace(CAMERA, basis=basis)), BLANK, known((50, 100), (300, 100), 1)
        )[1]
        for basis in bases
    ]
    assert told[0].high < told[1].high < told[2].high
    assert "focal length" not in told[1].detail
    assert "focal length is assumed" in told[2].detail
    assert "runs across the line of sight" in told[2].detail


def test_a_wrong_focal_length_spoils_lengths_across_but_not_along() -> None:
    depth, _ = box_world()
    wrong = replace(depth, intrinsics=Intrinsics.from_focal(1.3 * CAMERA.fx, SIZE, "assumed"))
    along = project(np.array([[-0.1, 1.0, 2.2], [-1.0, 1.0, 6.5]]), CAMERA)
    across = project(np.array([[-1.5, 1.0, 2.7], [1.2, 1.0, 2.7]]), CAMERA)
    by_along, told_along = scale_to_metres(wrong, BLANK, known(*along, math.hypot(0.9, 4.3)))
    by_across, told_across = scale_to_metres(wrong, BLANK, known(*across, 2.7))
    assert factor(depth, by_across) == pytest.approx(1.3 * LOST, rel=0.01)
    assert abs(math.log(factor(depth, by_along) / LOST)) < 0.5 * math.log(1.3)
    assert told_along.high < told_across.high
    for metres, scale in ((by_along, told_along), (by_across, told_across)):
        assert scale.low <= LOST / factor(depth, metres) <= scale.high
    assert "runs along" in told_along.detail


def test_less_confidence_makes_a_wider_interval() -> None:
    depth = plane_world()
    widths = []
    for sure in (0.95, 0.6, 0.2):
        told = replace(depth, confidence=np.full(SIZE.shape, sure, np.float32))
        widths.append(scale_to_metres(told, BLANK, known((50, 100), (300, 100), 1))[1].high)
    assert widths[0] < widths[1] < widths[2]


def test_sky_and_holes_and_the_outside_cannot_be_measured() -> None:
    sky = np.zeros(SIZE.shape, bool)
    sky[:60] = True
    depth = plane_world(sky=sky)
    with pytest.raises(InputError, match="in the sky") as caught:
        scale_to_metres(depth, BLANK, known((100, 20), (100, 200), 1))
    assert caught.value.hint
    with pytest.raises(InputError, match="outside"):
        scale_to_metres(depth, BLANK, known((100, 100), (100, 300), 1))
    metres, _ = scale_to_metres(depth, BLANK, known((100, 100), (200, 100), 1))
    assert np.isinf(metres.z[sky]).all()
    np.testing.assert_array_equal(np.asarray(metres.valid), np.asarray(depth.valid))


def test_depth_in_metres_is_left_as_it_is_unless_a_length_is_known() -> None:
    depth = replace(plane_world(), kind=DepthKind.METRIC, origin="lidar")
    same, scale = scale_to_metres(depth, BLANK, ScaleOptions())
    assert same is depth
    assert (scale.basis, scale.low, scale.high) == ("metric-source", pytest.approx(1 / 1.05), pytest.approx(1.05))
    assert scale_to_metres(depth, BLANK, ScaleOptions(metric_error=0.01))[1].high == pytest.approx(1.01)
    unsure = replace(depth, confidence=np.full(SIZE.shape, 0.5, np.float32))
    assert scale_to_metres(unsure, BLANK, ScaleOptions())[1].high > 1.5
    _, other = scale_to_metres(depth, BLANK, known((50, 100), (300, 100), 1))
    assert other.basis == "known-length"


def test_the_focus_distance_belongs_to_the_middle() -> None:
    far_right = np.tile(np.linspace(0.2, 3, SIZE.width, dtype=np.float32), (SIZE.height, 1))
    flat = np.full(SIZE.shape, 0.5, np.float32)
    widths = []
    for z in (flat, far_right):
        depth = DepthMap(z, DepthKind.SCALE, intrinsics=CAMERA)
        focused = replace(BLANK, lens=LensRecord(subject_distance_m=4.0))
        metres, scale = scale_to_metres(depth, focused, ScaleOptions())
        middle = metres.z[80:160, 106:213]
        assert np.median(middle) == pytest.approx(4.0, rel=0.02)
        assert (metres.kind, scale.basis) == (DepthKind.METRIC, "subject-distance")
        widths.append(scale.high)
    assert 1.2 < widths[0] < widths[1]


@pytest.mark.parametrize("distance", [0.0, 65535.0, math.inf, math.nan, -1.0, None])
def test_a_focus_distance_that_means_unknown_or_infinity_tells_nothing(distance: float | None) -> None:
    focused = replace(BLANK, lens=LensRecord(subject_distance_m=distance))
    assert scale_to_metres(plane_world(), focused, ScaleOptions())[1].assumed


def test_without_a_clue_the_rule_is_used_and_marked() -> None:
    metres, scale = scale_to_metres(plane_world(0.5), BLANK, ScaleOptions())
    assert np.median(metres.z) == pytest.approx(2.5, rel=1e-3)
    assert metres.kind is DepthKind.SCALE
    assert scale.assumed
    assert scale.low == pytest.approx(1 / scale.high)
    assert "assumed" in scale.detail


@pytest.mark.parametrize(("rows", "median"), [(0, 2.5), (12, math.sqrt(2.5 * 12)), (24, 12), (120, 12)])
def test_much_sky_means_out_of_doors(rows: int, median: float) -> None:
    sky = np.zeros(SIZE.shape, bool)
    sky[:rows] = True
    metres, _ = scale_to_metres(plane_world(sky=sky), BLANK, ScaleOptions())
    assert np.median(metres.z[~sky]) == pytest.approx(median, rel=1e-3)


@given(st.floats(1e-6, 1e6))
def test_the_lost_factor_itself_changes_nothing(lost: float) -> None:
    depth = plane_world(0.4, 0.2)
    other = replace(depth, values=(depth.values * np.float64(lost)).astype(np.float32))
    for options in (ScaleOptions(familiar=False), known((50, 100), (300, 120), 2.0)):
        first, one = scale_to_metres(depth, BLANK, options)
        second, two = scale_to_metres(other, BLANK, options)
        np.testing.assert_allclose(first.z, second.z, rtol=1e-5)
        assert one.high == pytest.approx(two.high, rel=1e-4)


def test_nothing_but_sky_is_no_fault() -> None:
    everywhere = np.ones(SIZE.shape, bool)
    metres, scale = scale_to_metres(plane_world(sky=everywhere), BLANK, ScaleOptions())
    assert scale.assumed
    assert np.isinf(metres.z).all()


def test_what_overflows_is_not_valid() -> None:
    z = np.full(SIZE.shape, 1.0, np.float32)
    z[0, 0] = 3e38
    metres, _ = scale_to_metres(DepthMap(z, DepthKind.SCALE, intrinsics=CAMERA), BLANK, ScaleOptions())
    assert not metres.surface[0, 0]
    assert metres.surface.sum() == SIZE.pixels - 1


def test_an_offset_cannot_become_metres_and_a_camera_is_needed() -> None:
    depth = plane_world()
    for kind in (DepthKind.AFFINE, DepthKind.DISPARITY):
        with pytest.raises(UnitError):
            scale_to_metres(replace(depth, kind=kind), BLANK, ScaleOptions())
    with pytest.raises(InputError, match="camera"):
        scale_to_metres(replace(depth, intrinsics=None), BLANK, ScaleOptions())


@given(*[st.floats(0, 1e5, width=32)] * 4, st.floats(2.0**-16, 1e5, width=32))
def test_a_known_length_is_read_as_it_is_written(x1: float, y1: float, x2: float, y2: float, metres: float) -> None:
    if (x1, y1) == (x2, y2):
        return
    length = KnownLength(x1, y1, x2, y2, metres)
    assert KnownLength.parse(str(length)) == length


NONSENSE = """
1,2,3,4 1,2,3=4 1,2,3,4,5=6 a,2,3,4=1 1,2,3,4= 1,2,3,4=0 1,2,3,4=-1 1,2,3,4=nan 1,2,inf,4=1 1,2,1,2=1 1,2,3,4=1e9
10%,2,3,4=1 1;2;3;4=1 1,2,3,4=1=1 1,2,3,4=2m =
"""


@pytest.mark.parametrize("text", ["", *NONSENSE.split()])
def test_nonsense_is_no_known_length(text: str) -> None:
    with pytest.raises(InputError) as caught:
        KnownLength.parse(text)
    assert "X1,Y1,X2,Y2=METRES" in caught.value.hint


def test_the_error_of_a_metric_depth_is_a_share() -> None:
    for error in (-0.1, math.nan, math.inf):
        with pytest.raises(InputError):
            ScaleOptions(metric_error=error)


def head_world(before: float) -> tuple[Image, DepthMap]:
    """The bundled portrait: a head as a disc at z = 1/LOST, what is behind it ``before`` times as far."""
    picture = Image(skimage.data.astronaut())
    camera = Intrinsics.from_focal(1000, picture.size)
    x, y = pixel_centres(picture.size)
    head = ((x - 225) / 60) ** 2 + ((y[:, None] - 115) / 80) ** 2 < 1
    z = np.where(head, 1.0, before) / LOST
    return picture, DepthMap(z.astype(np.float32), DepthKind.SCALE, intrinsics=camera)


def test_a_face_tells_the_size() -> None:
    picture, depth = head_world(1.8)
    metres, scale = scale_to_metres(depth, picture, ScaleOptions())
    assert (metres.kind, scale.basis) == (DepthKind.METRIC, "familiar")
    assert metres.z[115, 225] == pytest.approx(1000 * 0.154 / 100, rel=0.1)  # the face's box is about 100 pixels wide
    assert 1.2 < scale.high < 1.5
    assert "1 grown-up face" in scale.detail


def test_a_face_printed_on_something_flat_tells_nothing() -> None:
    picture, depth = head_world(1.0)
    _, scale = scale_to_metres(depth, picture, ScaleOptions())
    assert scale.assumed
    assert "not a head that stands free" in scale.detail


def test_the_search_can_be_switched_off() -> None:
    picture, depth = head_world(1.8)
    assert scale_to_metres(depth, picture, ScaleOptions(familiar=False))[1].assumed


def test_an_opencv_without_finders_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, depth = head_world(1.8)
    monkeypatch.delattr(cv2, "CascadeClassifier")
    _, scale = scale_to_metres(depth, picture, ScaleOptions())
    assert scale.assumed
    assert "no face finder" in scale.detail
