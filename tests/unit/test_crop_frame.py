"""Frames, mounts, pages and beds are found, straightened and cropped; pictures without any are left alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bundled import PAGES, PHOTOGRAPHS, bundled
from framed import KINDS, framed
from unflat.errors import InputError
from unflat.geometry.lens import focal_px
from unflat.geometry.straighten import Straightening, inset, straightening
from unflat.geometry.surround import find_surround, flat_margins
from unflat.stages.calibrate import CameraOptions, calibrate
from unflat.stages.crop_frame import Crop, FrameOptions, crop_depth, crop_frame, crop_points
from unflat.types import Image, Intrinsics, LensRecord, Size
from unflat.types.arrays import F64
from unflat.types.depth import DepthKind, DepthMap

BARE = (*PHOTOGRAPHS, *PAGES, "clock")


def off(found: F64, true: F64) -> float:
    """The worst corner, in shares of the long side."""
    return float(np.linalg.norm(found - true, axis=1).max() / np.ptp(true, axis=0).max())


@pytest.mark.parametrize("kind", KINDS)
def test_the_corners_of_a_picture_are_found(kind: str) -> None:
    made = framed(bundled("coffee"), kind, 1)
    found = find_surround(made.pixels)
    assert found is not None and off(found.corners, made.corners) < 0.01
    assert found.flat == (kind == "letterbox") or kind == "margins"


@pytest.mark.parametrize("name", BARE)
def test_a_picture_without_a_frame_is_never_cropped(name: str) -> None:
    assert find_surround(bundled(name)) is None


def test_turning_the_photograph_turns_the_corners() -> None:
    made = framed(bundled("chelsea"), "bare", 2)
    turned = find_surround(np.ascontiguousarray(np.rot90(made.pixels)))
    assert turned is not None
    x, y = made.corners.T
    there = np.column_stack([y, made.pixels.shape[1] - x])  # np.rot90 turns counter-clockwise
    assert off(turned.corners, there[[1, 2, 3, 0]]) < 0.01


@pytest.mark.parametrize("name", ["astronaut", "camera"])
def test_what_was_cropped_has_nothing_more_around_it(name: str) -> None:
    made = framed(bundled(name), "mount", 1)
    crop = crop_frame(Image(made.pixels), FrameOptions())
    assert crop is not None and crop_frame(crop.picture, FrameOptions()) is None


def test_margins_need_a_step_at_their_end() -> None:
    night = np.zeros((100, 150, 3), np.uint8)
    night[30:] = np.linspace(0, 90, 70)[:, None, None]
    assert flat_margins(night) == (0, 0, 0, 0)
    barred = np.full((100, 150, 3), 90, np.uint8)
    barred[:12] = barred[-8:] = 3
    assert flat_margins(barred) == (12, 0, 8, 0)
    assert flat_margins(np.ascontiguousarray(barred.transpose(1, 0, 2))) == (0, 8, 0, 12)


def test_a_wall_in_perspective_gives_the_true_shape() -> None:
    """A rectangle of 3:2 in space, photographed from aside with a known lens."""
    size, focal = Size(900, 700), 800.0
    turn = cv2.Rodrigues(np.array([0.1, 0.5, 0.05]))[0]
    space = np.array([[-1.5, -1, 0], [1.5, -1, 0], [1.5, 1, 0], [-1.5, 1, 0]]) @ turn.T + (0.1, 0, 4)
    corners = focal * space[:, :2] / space[:, 2:] + (450, 350)
    assert straightening(corners, size, focal).size.aspect == pytest.approx(1.5, rel=0.005)
    assert straightening(corners[[1, 2, 3, 0]], size, focal).size.aspect == pytest.approx(1 / 1.5, rel=0.005)


def test_the_lens_of_the_reproduction_gives_the_shape_and_nothing_else() -> None:
    """A picture of 3:2 hangs on a grey wall, seen from aside through a long lens that EXIF tells of."""
    focal, wall = 1600.0, np.full((700, 900, 3), 190, np.uint8)
    turn = cv2.Rodrigues(np.array([0.05, 0.6, 0.0]))[0]
    space = np.array([[-1.5, -1, 0], [1.5, -1, 0], [1.5, 1, 0], [-1.5, 1, 0]]) @ turn.T + (0, 0, 8)
    corners = focal * space[:, :2] / space[:, 2:] + (450, 350)
    picture, flat = bundled("coffee"), np.float32([[0, 0], [600, 0], [600, 400], [0, 400]])
    view = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    cv2.warpPerspective(picture, view, (900, 700), wall, borderMode=cv2.BORDER_TRANSPARENT)
    lens = LensRecord(focal_35mm=focal / np.hypot(900, 700) * np.hypot(36, 24))
    known, guessed = (crop_frame(Image(wall, lens=told), FrameOptions()) for told in (lens, LensRecord()))
    assert known is not None and guessed is not None and known.picture.lens == LensRecord()
    assert known.picture.size.aspect == pytest.approx(1.5, rel=0.015)
    assert abs(guessed.picture.size.aspect - 1.5) > abs(known.picture.size.aspect - 1.5)


def test_straightened_pixels_and_points_go_the_same_way() -> None:
    whole = np.zeros((80, 120, 3), np.uint8)
    whole[40:44, 60:64] = 255
    way = straightening(np.array([[20, 10], [100, 16], [96, 70], [16, 64.0]]), Size(120, 80), 130)
    seen = way.pixels(whole)[..., 0].astype(float)
    y, x = np.mgrid[0 : seen.shape[0], 0 : seen.shape[1]] + 0.5
    middle = (x * seen).sum() / seen.sum(), (y * seen).sum() / seen.sum()
    assert np.allclose(way.points(np.array([[62, 42.0]]))[0], middle, atol=0.1)


def test_an_inset_moves_every_side_by_as_much() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10.0]])
    assert np.allclose(inset(square, 2), [[2, 2], [8, 2], [8, 8], [2, 8]])


def letterboxed(lens: LensRecord) -> Crop:
    pixels = np.full((140, 200, 3), 120, np.uint8)
    pixels[:10] = pixels[-30:] = 0
    crop = crop_frame(Image(pixels, lens=lens), FrameOptions())
    assert crop is not None and not crop.reproduction and crop.picture.size == Size(200, 100)
    return crop


@pytest.mark.parametrize("lens", [LensRecord(focal_35mm=28), LensRecord(focal_mm=5, sensor_width_mm=6)])
def test_a_camera_keeps_its_focal_length_and_axis_when_bars_are_cut_off(lens: LensRecord) -> None:
    whole = focal_px(lens, Size(200, 140))
    camera = calibrate(letterboxed(lens).picture, CameraOptions())
    assert whole is not None and camera.fx == pytest.approx(whole[0]) and camera.basis == whole[1]
    assert (camera.cx, camera.cy) == (100, 60)


def test_a_reproduction_camera_is_not_the_pictures_and_the_notes_say_so() -> None:
    made = framed(bundled("coffee"), "wall", 1)
    crop = crop_frame(Image(made.pixels, lens=LensRecord(focal_35mm=85)), FrameOptions())
    assert crop is not None and crop.reproduction
    assert calibrate(crop.picture, CameraOptions()).basis == "assumed"
    assert any("reproduced" in note for note in crop.picture.notes) and any(
        "--keep-frame" in n for n in crop.picture.notes
    )


def test_frames_are_kept_on_request_and_cut_outs_are_left_alone() -> None:
    made = framed(bundled("coffee"), "bare", 1)
    assert crop_frame(Image(made.pixels), FrameOptions(keep_frame=True)) is None
    alpha = np.full(made.pixels.shape[:2], 255, np.uint8)
    alpha[0, 0] = 0
    assert crop_frame(Image(made.pixels, alpha), FrameOptions()) is None


def test_depth_of_the_whole_is_cropped_along_with_all_that_it_holds() -> None:
    crop = letterboxed(LensRecord())
    values = np.tile(np.arange(70, dtype=np.float32)[:, None], (1, 100)) + 1  # half the size of the whole
    sky, lens = values < 8, Intrinsics.from_fov(60, Size(100, 70))
    depth = DepthMap(values, DepthKind.SCALE, sky=sky, confidence=values / 100, intrinsics=lens)
    cut = crop_depth(depth, crop)
    assert cut.size == Size(100, 50) and cut.intrinsics is not None
    assert np.array_equal(cut.values[:, 0], np.arange(6, 56, dtype=np.float32))
    assert cut.sky is not None and cut.sky[:2].all() and not cut.sky[2:].any()
    assert cut.confidence is not None and np.allclose(cut.confidence, cut.values / 100)
    assert cut.intrinsics.cy == pytest.approx(30) and cut.intrinsics.fx == pytest.approx(lens.fx)


def test_points_move_along_and_those_that_are_cut_off_are_refused() -> None:
    crop = letterboxed(LensRecord())
    assert np.allclose(crop_points([(20, 30), (60, 60)], crop), [(20, 20), (60, 50)])
    with pytest.raises(InputError, match="outside the picture"):
        crop_points([(20, 5), (60, 60)], crop)


def test_a_turned_camera_turns_its_axis_along() -> None:
    square = np.array([[40, 10], [110, 50], [70, 120], [0, 80.0]])  # turned by about 30 degrees, side 80.6
    way = straightening(square, Size(120, 130), 100)
    crop = Crop(Image(np.zeros((*way.size.shape, 3), np.uint8)), way, True, Image(np.zeros((130, 120, 3), np.uint8)))
    lens = Intrinsics.from_focal(100, Size(120, 130))
    cut = crop_depth(DepthMap(np.ones((130, 120), np.float32), DepthKind.SCALE, intrinsics=lens), crop)
    assert isinstance(crop.way, Straightening) and cut.intrinsics is not None
    assert cut.intrinsics.fx == pytest.approx(100, rel=0.01)
    assert (cut.intrinsics.cx, cut.intrinsics.cy) == pytest.approx(tuple(way.points(np.array([[60, 65.0]]))[0]))
    assert replace(cut.intrinsics, fx=1).size == cut.size


@pytest.mark.parametrize("darkest", [0, 10])
@pytest.mark.parametrize("size", [(64, 96), (300, 400)])
def test_a_fade_to_black_or_white_is_no_margin(size: tuple[int, int], darkest: int) -> None:
    fade = np.linspace(darkest, 255 - darkest, size[0]).astype(np.uint8)
    picture = np.repeat(np.repeat(fade[:, None], size[1], 1)[..., None], 3, 2)
    for turned in (picture, picture[::-1], picture.transpose(1, 0, 2)):
        assert find_surround(np.ascontiguousarray(turned)) is None
