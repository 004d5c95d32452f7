from __future__ import annotations

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.stages.calibrate import ASSUMED_FOV_DEG, CameraOptions, calibrate
from unflat.types import Image, Intrinsics, LensRecord, Size


def picture(width: int = 60, height: int = 40, **lens: float) -> Image:
    return Image(np.zeros((height, width, 3), np.uint8), lens=LensRecord(**lens))


def test_the_users_word_comes_first() -> None:
    measured = Intrinsics.from_fov(20, Size(6, 4), "file")
    given = calibrate(picture(focal_35mm=28), CameraOptions(fov=70), measured=measured, model_focal=1.0)
    assert given.fov_x_deg == pytest.approx(70) and given.basis == "given" and not given.guessed


def test_a_focal_length_is_across_the_long_side() -> None:
    wide = calibrate(picture(60, 40), CameraOptions(focal_mm=36))
    tall = calibrate(picture(40, 60), CameraOptions(focal_mm=36))
    assert wide.fx == tall.fx == 60


def test_the_order_of_what_is_known() -> None:
    measured = Intrinsics.from_fov(20, Size(6, 4), "file")
    lens = picture(focal_35mm=28)
    assert calibrate(lens, CameraOptions(), measured=measured, model_focal=1.0).basis == "file"
    assert calibrate(lens, CameraOptions(), model_focal=1.0).basis == "exif-35mm"
    model = calibrate(picture(), CameraOptions(), model_focal=1.0)
    assert model.basis == "model" and model.fx == 60 and model.guessed
    assumed = calibrate(picture(), CameraOptions())
    assert assumed.basis == "assumed" and assumed.fov_x_deg == pytest.approx(ASSUMED_FOV_DEG)
    assert calibrate(picture(40, 60), CameraOptions()).fov_y_deg == pytest.approx(ASSUMED_FOV_DEG)


def test_a_camera_of_a_small_depth_map_is_brought_to_the_picture() -> None:
    measured = Intrinsics.from_fov(50, Size(6, 4), "file")
    assert calibrate(picture(), CameraOptions(), measured=measured).fov_x_deg == pytest.approx(50)


@pytest.mark.parametrize("guess", [1e-9, 1e9])
def test_a_wild_guess_of_the_model_is_kept_within_reason(guess: float) -> None:
    assert 7.9 < calibrate(picture(), CameraOptions(), model_focal=guess).fov_x_deg < 130.1


def test_a_guess_that_is_no_number_is_no_guess() -> None:
    assert calibrate(picture(), CameraOptions(), model_focal=float("nan")).basis == "assumed"


@pytest.mark.parametrize(
    "wrong", [{"fov": 60.0, "focal_mm": 28.0}, {"fov": 0.0}, {"fov": 361.0}, {"focal_mm": 0.0}, {"fov": float("nan")}]
)
def test_impossible_cameras_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        CameraOptions(**wrong)
