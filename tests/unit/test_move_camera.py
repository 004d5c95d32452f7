"""Where the camera of a move is: closed loops, a pivot that stays put, flights through their stations."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.geometry.projection import project
from unflat.stages.move_camera import MotionOptions, Stand, flown, looking_at, moved
from unflat.types.camera import Camera, Intrinsics
from unflat.types.image import Size
from unflat.types.keyframes import Keyframe, in_order

LENS = Intrinsics.from_fov(60, Size(320, 240))
STAND = Stand(pivot=2.0, near=1.2, reach=0.2)


def seen(camera: Camera, point: tuple[float, float, float]) -> np.ndarray:
    """Pixels of a point of the world."""
    inside = np.linalg.inv(camera.pose.world_from_camera) @ np.array([*point, 1.0])
    return project(inside[:3], camera.intrinsics)


def eyes(cameras: list[Camera]) -> np.ndarray:
    return np.array([c.pose.world_from_camera[:3, 3] for c in cameras])


@pytest.mark.parametrize("motion", ["orbit", "swing", "dolly", "zoom"])
def test_a_loop_ends_where_it_began(motion: str) -> None:
    path = eyes(list(moved(LENS, MotionOptions(motion=motion, seconds=1, fps=100), STAND)))  # type: ignore[arg-type]
    assert len(path) == 100
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert np.linalg.norm(path[0] - path[-1]) <= 1.5 * steps.max()
    assert steps.max() > 0


@pytest.mark.parametrize("motion", ["orbit", "swing"])
@pytest.mark.parametrize("cx", [160.0, 120.0])
def test_the_middle_of_the_scene_stays_in_the_middle(motion: str, cx: float) -> None:
    lens = replace(LENS, cx=cx)
    pivot = ((160 - cx) / lens.fx * 2, 0.0, 2.0)
    for camera in moved(lens, MotionOptions(motion=motion, seconds=0.5), STAND):  # type: ignore[arg-type]
        assert np.allclose(seen(camera, pivot), (160, 120), atol=1e-6)


def test_nothing_goes_farther_aside_than_the_reach() -> None:
    for amount in (0.5, 1.0):
        path = eyes(list(moved(LENS, MotionOptions(amount=amount), STAND)))
        assert np.linalg.norm(path, axis=1).max() == pytest.approx(amount * 0.2, rel=1e-3)


def test_a_zoom_keeps_the_size_of_the_middle_and_a_dolly_does_not() -> None:
    def width(camera: Camera) -> float:
        return float(seen(camera, (0.3, 0, 2.0))[0] - seen(camera, (-0.3, 0, 2.0))[0])

    zoomed = [width(c) for c in moved(LENS, MotionOptions(motion="zoom"), STAND)]
    closer = [width(c) for c in moved(LENS, MotionOptions(motion="dolly"), STAND)]
    assert np.ptp(zoomed) < 1e-6
    assert max(closer) > 1.2 * min(closer)


def test_a_dolly_stops_before_what_is_near() -> None:
    path = eyes(list(moved(LENS, MotionOptions(motion="dolly", amount=4), Stand(10.0, 0.5, 1.0))))
    assert 0.2 < path[:, 2].max() <= 0.3 + 1e-9


def test_easing_starts_and_ends_slowly() -> None:
    def speeds(easing: str) -> np.ndarray:
        options = MotionOptions(motion="dolly", loop=False, easing=easing)  # type: ignore[arg-type]
        return np.diff(eyes(list(moved(LENS, options, STAND)))[:, 2])

    smooth, linear = speeds("smooth"), speeds("linear")
    assert np.ptp(linear) < 1e-9
    assert smooth[0] < 0.02 * linear[0] and smooth[-1] < 0.02 * linear[0]
    assert smooth.sum() == pytest.approx(linear.sum())


def test_cameras_stand_upright_and_are_rotations() -> None:
    for target in [(0, 0, 1.0), (1, 0.5, 2), (-3, 0.1, -1)]:
        pose = looking_at(np.zeros(3), np.array(target, float)).world_from_camera
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
        assert abs(pose[1, 0]) < 1e-12 and pose[1, 1] > 0  # the right axis is level, down points down


STATIONS = in_order(
    [
        Keyframe(0, (0, 0, 0)),
        Keyframe(1, (0.1, 0, 0.2), (0, 0, 2), 50),
        Keyframe(3, (0.3, -0.1, 0.5), (0, 0.2, 3), 70),
    ]
)


@pytest.mark.parametrize("up", [-2.0, 2.0])
def test_a_camera_that_looks_straight_up_or_down_is_a_rotation(up: float) -> None:
    pose = looking_at(np.array([1.0, 0, 3]), np.array([1.0, up, 3])).world_from_camera
    assert pose[:3, 2] == pytest.approx([0, np.sign(up), 0])
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)


def test_a_flight_goes_through_its_stations_at_their_times() -> None:
    cameras = list(flown(LENS, STATIONS, MotionOptions(fps=10), STAND))
    assert len(cameras) == 31
    path = eyes(cameras)
    for at, keyframe in zip((0, 10, 30), STATIONS, strict=True):
        assert np.allclose(path[at], keyframe.position, atol=1e-9)
    assert cameras[10].intrinsics.fov_x_deg == pytest.approx(50)
    assert cameras[30].intrinsics.fov_x_deg == pytest.approx(70)
    assert np.allclose(seen(cameras[30], (0, 0.2, 3)), (160, 120), atol=1e-6)
    assert np.linalg.norm(np.diff(path, n=2, axis=0), axis=1).max() < 0.01  # no corner


def test_a_flight_of_even_steps_is_a_straight_line() -> None:
    stations = in_order([Keyframe(t, (0.1 * t, 0, 0), (0, 0, 5)) for t in range(4)])
    path = eyes(list(flown(LENS, stations, MotionOptions(fps=7), STAND)))
    assert np.allclose(np.diff(path, axis=0), np.diff(path, axis=0)[0], atol=1e-12)


def test_what_makes_no_flight_is_refused() -> None:
    with pytest.raises(InputError, match="at least two"):
        in_order([Keyframe(0, (0, 0, 0))])
    with pytest.raises(InputError, match="must rise"):
        in_order([Keyframe(1, (0, 0, 0)), Keyframe(1, (0, 0, 1))])
    with pytest.raises(InputError, match="finite"):
        Keyframe(0, (0, math.nan, 0))
    standing = in_order([Keyframe(0, (0, 0, 2)), Keyframe(1, (0, 0, 1))])
    with pytest.raises(InputError, match="stands on"):
        list(flown(LENS, standing, MotionOptions(), STAND))


@pytest.mark.parametrize(
    "wrong", [{"motion": "fly"}, {"easing": "bouncy"}, {"seconds": 0}, {"fps": 0.5}, {"amount": 0}, {"fps": math.nan}]
)
def test_odd_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        MotionOptions(**wrong)  # type: ignore[arg-type]
