"""Which way is up where cameras went round something, however they were held."""

from __future__ import annotations

import numpy as np
import pytest

from unflat.geometry.turns import turn
from unflat.geometry.upright import off_their_side, told_by_cameras
from unflat.types.arrays import F64

QUARTER = {0: np.eye(3), 1: turn(np.array([0.0, 0.0, np.pi / 2])), -1: turn(np.array([0.0, 0.0, -np.pi / 2]))}


def _round(pitch_deg: float, degrees: float = 360.0, shake: float = 0.0) -> F64:
    """(24, 3, 3) upright cameras that look a little down at what they go round; the world's y is down."""
    rng = np.random.default_rng(2)
    rotations: list[F64] = []
    for yaw in np.radians(np.linspace(0, degrees, 24, endpoint=False)):
        hand = turn(rng.normal(0, shake, 3)) if shake else np.eye(3)
        rotations.append(turn(np.array([0.0, yaw, 0.0])) @ turn(np.array([-np.radians(pitch_deg), 0.0, 0.0])) @ hand)
    return np.stack(rotations)


@pytest.mark.parametrize("quarter", [0, 1, -1])
@pytest.mark.parametrize("pitch", [5.0, 25.0])
@pytest.mark.parametrize("degrees", [220.0, 360.0])
def test_up_is_up_however_the_pictures_lie(quarter: int, pitch: float, degrees: float) -> None:
    tilt = turn(np.array([0.4, 0.2, -0.9]))  # the frame of a scan is anyhow
    cameras = tilt @ _round(pitch, degrees, 0.03) @ QUARTER[quarter]
    up, _ = told_by_cameras(cameras)
    assert np.degrees(np.arccos(np.clip(up @ (tilt @ [0.0, -1.0, 0.0]), -1, 1))) < 5


@pytest.mark.parametrize("quarter", [0, 1, -1])
def test_a_thing_seen_from_all_around_and_above_stands(quarter: int) -> None:
    cameras = np.concatenate([_round(pitch, 360.0, 0.02) for pitch in (5.0, 40.0, 75.0)]) @ QUARTER[quarter]
    up, _ = told_by_cameras(cameras)
    assert np.degrees(np.arccos(np.clip(-up[1], -1, 1))) < 3


def test_upright_cameras_stay_as_they_are() -> None:
    cameras = _round(10.0)
    assert off_their_side(cameras) is cameras


def test_cameras_that_all_look_one_way_are_believed_as_held() -> None:
    cameras = _round(10.0, 40.0) @ QUARTER[1]
    assert off_their_side(cameras) is cameras
