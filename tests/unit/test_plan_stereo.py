"""How far apart two eyes stand: limits are kept unless told otherwise, and then it is said."""

from __future__ import annotations

import pytest

from unflat.errors import InputError, UnitError
from unflat.stages.plan_stereo import COMFORT, StereoOptions, beyond_comfort, plan_stereo

DISPLAYS = sorted(COMFORT)


def shares(near: float, far: float, options: StereoOptions, width: int = 1000) -> tuple[float, float]:
    rig = plan_stereo(near, far, width, options)
    return 100 * (rig.gain_px * near - rig.shift_px) / width, 100 * (rig.shift_px - rig.gain_px * far) / width


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("convergence", ["auto", 0.0, 0.3, 1.0])
@pytest.mark.parametrize(("near", "far"), [(1.0, 0.0), (0.4, 0.05), (3.0, 2.9)])
def test_comfort_is_kept_by_default(display: str, convergence: str | float, near: float, far: float) -> None:
    options = StereoOptions(display=display, convergence=convergence)  # type: ignore[arg-type]
    out, in_ = shares(near, far, options)
    assert out <= COMFORT[display].out * 1.001 and in_ <= COMFORT[display].in_ * 1.001
    assert beyond_comfort(near, far, plan_stereo(near, far, 1000, options), options.display) == ()


@pytest.mark.parametrize("display", DISPLAYS)
def test_auto_uses_all_that_is_comfortable(display: str) -> None:
    out, in_ = shares(1.0, 0.1, StereoOptions(display=display))  # type: ignore[arg-type]
    assert out == pytest.approx(COMFORT[display].out) and in_ == pytest.approx(COMFORT[display].in_)


def test_strength_is_the_whole_range_and_what_goes_too_far_is_said() -> None:
    options = StereoOptions(strength=6, convergence=0.5)
    out, in_ = shares(2.0, 0.5, options)
    assert out == pytest.approx(3) and in_ == pytest.approx(3)
    said = beyond_comfort(2.0, 0.5, plan_stereo(2.0, 0.5, 1000, options), "tv")
    assert len(said) == 2 and "comes out" in said[0] and "3 %" in said[0] and "behind" in said[1]
    assert len(beyond_comfort(2.0, 0.5, plan_stereo(2.0, 0.5, 1000, options), "phone")) == 1


def test_convergence_says_what_lies_in_the_screen() -> None:
    for where, screen in ((0.0, 0.5), (1.0, 2.0), (0.25, 0.875)):
        rig = plan_stereo(2.0, 0.5, 1000, StereoOptions(convergence=where, strength=3))
        assert rig.gain_px * screen == pytest.approx(rig.shift_px)


def test_true_eyes_have_true_disparity() -> None:
    rig = plan_stereo(1.0, 0.0, 1000, StereoOptions(ipd_mm=63, convergence=0.0), focal_px=900)
    assert rig.gain_px * 1.0 - rig.shift_px == pytest.approx(900 * 0.063)
    with pytest.raises(UnitError, match="ipd-mm"):
        plan_stereo(1.0, 0.0, 1000, StereoOptions(ipd_mm=63))


def test_a_shallow_scene_is_not_blown_up() -> None:
    rig = plan_stereo(1.0, 0.999, 1000)
    assert rig.gain_px <= 100.001
    assert plan_stereo(1.0, 1.0, 1000).gain_px <= 100.001


@pytest.mark.parametrize(("eye", "left"), [("both", 0.5), ("left", 1.0), ("right", 0.0)])
def test_which_eye_is_moved(eye: str, left: float) -> None:
    assert plan_stereo(1, 0, 640, StereoOptions(eye=eye)).left == left  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": 0},
        {"strength": 21},
        {"strength": float("nan")},
        {"convergence": 1.1},
        {"convergence": "near"},
        {"ipd_mm": 0},
        {"ipd_mm": 63, "strength": 2},
        {"display": "watch"},
        {"eye": "third"},
        {"edge_window": "open"},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        StereoOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("near", "far"), [(0.0, 0.0), (1.0, 2.0), (1.0, -0.1), (float("nan"), 0.0)])
def test_no_depth_no_eyes(near: float, far: float) -> None:
    with pytest.raises(InputError):
        plan_stereo(near, far, 100)
