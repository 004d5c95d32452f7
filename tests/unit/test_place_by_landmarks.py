"""Pictures are placed by points that a user names in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.scan_places import room
from tests.scan_worlds import lens_of, looking, projected

from unflat.errors import InputError
from unflat.stages.locate_mark import located
from unflat.stages.place_by_landmarks import Landmark, place_by_landmarks
from unflat.stages.tour_things import Standing, Thing, landmarks_in
from unflat.types.image import Size
from unflat.types.views import Lens, Still

SIZE = Size(640, 480)
LENS = lens_of(SIZE, 48)
POSE = looking(np.array([0.4, -1.5, -3.0]), np.array([0.0, -1.2, 1.0]), 0.05)
CORNERS = np.array(
    [
        [-1, -2, 1.5],
        [1, -2.2, 1.2],
        [-0.8, -0.6, 0.4],
        [0.9, -0.5, 0.2],
        [0, -1.3, 2.5],
        [0.5, -1.8, 3.0],
        [-0.6, -1.1, 3.2],
        [0.7, -1.0, 0.9],
    ]
)


def picture(lens: Lens | None = None) -> Still:
    return Still("old.jpg", SIZE, lambda: np.zeros((480, 640, 3), np.uint8), lens=lens)


def named(count: int, noise: float = 0.0, xyz: np.ndarray = CORNERS) -> list[Landmark]:
    pixels = projected(xyz, LENS, POSE)[0] + noise * np.random.default_rng(1).standard_normal((len(xyz), 2))
    return [Landmark(p, c, f"corner {k}") for k, (p, c) in enumerate(zip(pixels[:count], xyz[:count], strict=True))]


def off(found: Any) -> tuple[float, float]:
    """Metres and degrees between the found and the true camera."""
    turn = found.view.pose.world_from_camera[:3, :3].T @ POSE.world_from_camera[:3, :3]
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    return float(np.linalg.norm(found.view.pose.centre - POSE.centre)), float(angle)


@pytest.mark.parametrize(("lens", "count"), [(LENS, 4), (LENS, 8), (None, 6), (None, 8)])
def test_exact_landmarks_give_the_camera(lens: Lens | None, count: int) -> None:
    found = place_by_landmarks(picture(lens), named(count))
    assert off(found)[0] < 0.005 and off(found)[1] < 0.05
    assert found.view.lens.intrinsics.fx == pytest.approx(LENS.intrinsics.fx, rel=0.003)
    assert max(found.errors_px) < 0.2
    assert any("angle of view" in note for note in found.notes) == (lens is None)


def test_marks_of_a_shaking_hand_give_nearly_the_camera() -> None:
    found = place_by_landmarks(picture(LENS), named(8, 1.5))
    assert off(found)[0] < 0.1 and off(found)[1] < 1
    assert 0.3 < np.sqrt(np.mean(np.square(found.errors_px))) < 4
    assert 0 < found.view.sure < 0.5 and found.view.error_px == pytest.approx(
        np.sqrt(np.mean(np.square(found.errors_px)))
    )


@pytest.mark.parametrize(
    ("still", "marks", "what"),
    [
        (picture(), named(5), "needs 6"),
        (picture(LENS), named(3), "needs 4"),
        (picture(), named(8, xyz=CORNERS * [1, 1, 0] + [0, 0, 1]), "in one plane"),
        (
            picture(LENS),
            [replace(one, pixel=np.array([640 - one.pixel[0], one.pixel[1]])) for one in named(8)],
            "contradict|no camera",
        ),
    ],
)
def test_what_cannot_be_is_said(still: Still, marks: Sequence[Landmark], what: str) -> None:
    with pytest.raises(InputError, match=what):
        place_by_landmarks(still, marks)


def test_landmarks_of_registered_pictures_give_the_camera() -> None:
    film = room(Size(128, 96), 30)
    scene = film.reconstruction(1, 60)
    corners = np.array(
        [[-1.2, -1.9, -1.97], [0.2, -1.9, -1.97], [-1.2, -1.1, -1.97], [0.2, -1.1, -1.97], [-0.5, -0.75, -0.3],
         [0.7, -0.75, -1.0], [1.3, -1.25, -1.97]]
    )  # fmt: skip
    pose, lens = looking(np.array([-0.2, -1.6, 1.5]), np.array([-0.2, -1.2, -2.0])), lens_of(SIZE, 75)
    things: list[Thing] = []
    for corner, pixel in zip(corners, projected(corners, lens, pose)[0], strict=True):
        seen: dict[str, tuple[float, float]] = {}
        for i in range(30):
            at, z = projected(corner[None], film.lens, film.poses[i])
            if z[0] > 0 and (at > 0).all() and (at < [128, 96]).all():
                seen[scene.views[i].still.name] = float(at[0, 0]), float(at[0, 1])
        ends = list(seen.items())
        pixels = {"old.jpg": (float(pixel[0]), float(pixel[1])), **dict([ends[0], ends[-1]])}
        things.append(Thing(str(corner), pixels))
    standing = {
        view.still.name: Standing(0, view, lambda at, n=n: located(scene, n, at), learned=False)
        for n, view in enumerate(scene.views)
    }
    landmarks, learned = landmarks_in("old.jpg", 0, things, standing)
    assert len(landmarks) >= 6 and not learned
    found = place_by_landmarks(picture(), landmarks)
    assert np.linalg.norm(found.view.pose.centre - pose.centre) < 0.05
    assert found.view.lens.intrinsics.fx == pytest.approx(lens.intrinsics.fx, rel=0.02)
