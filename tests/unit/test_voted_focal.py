"""The focal length that fundamental matrices speak for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import corners
from unflat.models.views.focal import voted_focal, voted_focals
from unflat.models.views.match import Match
from unflat.types.camera import Pose
from unflat.types.image import Size
from unflat.types.views import Still

SIZE = Size(320, 240)


def between(
    first: Pose, second: Pose, focal: float, number: int, turned: bool = False, then: float | None = None
) -> Match:
    """The exact fundamental matrix of two pinhole cameras."""
    inverse = np.linalg.inv(corners.lens(focal).intrinsics.matrix)
    other = np.linalg.inv(corners.lens(then or focal).intrinsics.matrix)
    relative = np.linalg.inv(second.world_from_camera) @ first.world_from_camera
    x, y, z = relative[:3, 3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    fundamental = other.T @ cross @ relative[:3, :3] @ inverse
    return Match(number, number + 1, np.zeros((100, 2), np.int32), fundamental, turned)


def still(number: int, camera: str) -> Still:
    return Still(f"{number:02d}", SIZE, lambda: np.zeros((*SIZE.shape, 3), np.uint8), camera)


def wandering(count: int) -> list[Pose]:
    """Cameras that look here and there from different distances."""
    draw = np.random.default_rng(3)
    return [
        corners.looking(draw.uniform(-1, 1, 3) * (1.5, 0.4, 1.5), draw.uniform(-1, 1, 3) + np.array([0, 0, 4]))
        for _ in range(count)
    ]


@pytest.mark.parametrize("focal", [250.0, 400.0, 700.0])
def test_the_vote_finds_the_focal_length(focal: float) -> None:
    poses = wandering(12)
    matches = [between(a, b, focal, i) for i, (a, b) in enumerate(pairwise(poses))]
    assert voted_focal(matches, [SIZE] * 12) == pytest.approx(focal / 320, rel=0.03)


def test_cameras_around_one_point_do_not_tell() -> None:
    around = [corners.looking((3 * np.sin(a), 0, -3 * np.cos(a)), (0, 0, 0)) for a in np.linspace(0, 1.5, 8)]
    matches = [between(a, b, 400.0, i) for i, (a, b) in enumerate(pairwise(around))]
    assert voted_focal(matches, [SIZE] * 8) is None


def test_no_overlap_has_no_voice() -> None:
    poses = wandering(3)
    assert voted_focal([], []) is None
    assert voted_focal([between(poses[0], poses[1], 300, 0, turned=True)], [SIZE] * 2) is None


def test_each_camera_is_asked_by_itself() -> None:
    poses = wandering(24)
    focal = [300.0] * 12 + [900.0] * 12
    cameras = ["wide"] * 12 + ["long"] * 12
    matches = [between(a, b, focal[i], i, then=focal[i + 1]) for i, (a, b) in enumerate(pairwise(poses))]
    told = voted_focals(matches, [still(i, camera) for i, camera in enumerate(cameras)])
    assert told["wide"] == pytest.approx(300 / 320, rel=0.04)
    assert told["long"] == pytest.approx(900 / 320, rel=0.04)


def test_pictures_that_are_each_of_a_camera_of_their_own_speak_together() -> None:
    poses = wandering(12)
    matches = [between(a, b, 400.0, i) for i, (a, b) in enumerate(pairwise(poses))]
    told = voted_focals(matches, [still(i, f"own {i}") for i in range(12)])
    assert len(told) == 12
    assert list(told.values()) == pytest.approx([1.25] * 12, rel=0.03)
