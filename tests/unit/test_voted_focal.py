"""The focal length that fundamental matrices speak for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import corners
from unflat.models.views.focal import voted_focal
from unflat.models.views.matches import Match
from unflat.types.camera import Pose
from unflat.types.image import Size

SIZE = Size(320, 240)


def between(first: Pose, second: Pose, focal: float, number: int, turned: bool = False) -> Match:
    """The exact fundamental matrix of two pinhole cameras."""
    inverse = np.linalg.inv(corners.lens(focal).intrinsics.matrix)
    relative = np.linalg.inv(second.world_from_camera) @ first.world_from_camera
    x, y, z = relative[:3, 3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    fundamental = inverse.T @ cross @ relative[:3, :3] @ inverse
    return Match(number, number + 1, np.zeros((100, 2), np.int32), fundamental, turned)


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
