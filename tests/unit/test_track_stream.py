"""The tracker on films whose camera is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import walks
from unflat.errors import InputError
from unflat.stages.track_stream import Tracker
from unflat.stages.tracking import Tracking
from unflat.types.camera import Pose
from unflat.types.views import Lens, Reconstruction

LENS = walks.lens()


def tracked(
    poses: Sequence[Pose], lens: Lens | None, seed: int = 1, noise: float = 2.0
) -> tuple[list[Tracking], Tracker]:
    room, rng = walks.Room(LENS, seed), np.random.default_rng(seed)
    tracker = Tracker(lens)
    told = [tracker.push(walks.noisy(room.frame(p).pixels, rng, noise=noise), k / 20) for k, p in enumerate(poses)]
    return told, tracker


def walk(n: int = 50) -> list[Pose]:
    """Sideways and forward while looking about."""
    return [
        walks.looking(-1 + 0.04 * k, 0.1 * np.sin(k / 8), -2 + 0.02 * k, 12 * np.sin(k / 15), 4 * np.sin(k / 9))
        for k in range(n)
    ]


def centres(poses: Sequence[Pose]) -> np.ndarray:
    return np.stack([p.centre for p in poses])


def length(poses: Sequence[Pose]) -> float:
    return float(np.linalg.norm(np.diff(centres(poses), axis=0), axis=1).sum())


@pytest.fixture(scope="module")
def walked() -> tuple[list[Pose], list[Tracking], Reconstruction]:
    poses = walk()
    told, tracker = tracked(poses, Lens(LENS))
    return poses, told, tracker.finish()


def test_a_walk_is_tracked_frame_by_frame(walked: tuple[list[Pose], list[Tracking], Reconstruction]) -> None:
    poses, told, _ = walked
    on = [k for k, t in enumerate(told) if t.state == "tracking"]
    assert len(on) >= 40 and on[-1] == 49
    assert all(t.state == "starting" for t in told[: on[0]])
    off = walks.errors(centres([told[k].pose for k in on]), centres([poses[k] for k in on]))
    assert np.sqrt((off**2).mean()) < 0.01 * length(poses)
    assert sum(t.keyframe for t in told) >= 4


def test_the_end_places_every_frame_and_is_better(walked: tuple[list[Pose], list[Tracking], Reconstruction]) -> None:
    poses, _, made = walked
    assert [v.still.name for v in made.views] == [f"{k:06d}" for k in range(50)]
    off = walks.errors(centres([v.pose for v in made.views]), centres(poses))
    assert np.sqrt((off**2).mean()) < 0.004 * length(poses)
    assert len(made.points.xyz) > 200
    assert np.median(made.points.error_px) < 1.0
    for k in (0, 20, 49):
        turned = made.views[k].pose.world_from_camera[:3, :3].T @ made.views[0].pose.world_from_camera[:3, :3]
        truth = poses[k].world_from_camera[:3, :3].T @ poses[0].world_from_camera[:3, :3]
        assert np.degrees(np.arccos(np.clip((np.trace(turned @ truth.T) - 1) / 2, -1, 1))) < 0.5


def test_points_lie_on_the_walls(walked: tuple[list[Pose], list[Tracking], Reconstruction]) -> None:
    poses, _, made = walked
    found, truth = centres([v.pose for v in made.views]), centres(poses)
    scale = np.linalg.norm(truth - truth.mean(0)) / np.linalg.norm(found - found.mean(0))
    numbers, counts = np.unique(made.points.view, return_counts=True)
    view = made.views[int(numbers[counts.argmax()])]
    mine = made.points.view == numbers[counts.argmax()]
    frame = walks.Room(LENS).frame(poses[int(view.still.name)])
    camera_from_world = np.linalg.inv(view.pose.world_from_camera)
    z = (made.points.xyz[made.points.point[mine]] @ camera_from_world[2, :3] + camera_from_world[2, 3]) * scale
    column, row = made.points.pixel[mine].astype(int).T
    assert np.median(np.abs(z / frame.depth[row, column] - 1)) < 0.02


def test_a_lens_that_nobody_knows_is_measured() -> None:
    poses = walk(45)
    wide = walks.lens(fov_deg=75)
    room = walks.Room(wide)
    tracker = Tracker(None)
    for k, pose in enumerate(poses):
        tracker.push(room.frame(pose).pixels, k / 20)
    made = tracker.finish()
    assert made.views[0].lens.intrinsics.fx == pytest.approx(wide.fx, rel=0.04)


def test_the_same_film_gives_the_same_path() -> None:
    first, second = (tracked(walk(13), None)[0] for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.pose.world_from_camera, b.pose.world_from_camera)


def test_frames_of_another_size_or_time_are_refused() -> None:
    tracker = Tracker()
    tracker.push(np.zeros((120, 160, 3), np.uint8), 0.0)
    with pytest.raises(InputError, match="does not come after"):
        tracker.push(np.zeros((120, 160, 3), np.uint8), 0.0)
    with pytest.raises(InputError, match="160×120"):
        tracker.push(np.zeros((60, 160, 3), np.uint8), 1.0)


def test_nothing_to_see_is_said_and_never_an_exception() -> None:
    tracker = Tracker()
    for k in range(3):
        assert "blank" in tracker.push(np.full((120, 160, 3), 9, np.uint8), float(k)).why
    with pytest.raises(InputError, match="blank"):
        tracker.finish()


def test_after_a_cut_another_part_begins_and_the_larger_one_is_given() -> None:
    rooms = (walks.Room(LENS, 1), walks.Room(LENS, 5))
    tracker, told = Tracker(Lens(LENS)), []
    for k, pose in enumerate([*walk(14), *walk(24)]):
        told.append(tracker.push(rooms[k >= 14].frame(pose).pixels, k / 20))
    assert told[13].state == "tracking" and told[14].state == "lost" and told[14].why
    assert told[-1].state == "tracking" and told[-1].part == 1
    made = tracker.finish()
    names = {int(view.still.name) for view in made.views}
    assert names <= set(range(14, 38)) and len(names) >= 20
    assert {int(d.name) for d in made.lost} | names == set(range(38)) and all(d.why for d in made.lost)


@pytest.mark.parametrize(
    ("pixels", "seconds"),
    [
        (np.zeros((48, 64), np.uint8), 0.0),
        (np.zeros((48, 64, 4), np.uint8), 0.0),
        (np.zeros((48, 64, 3), np.float32), 0.0),
        (np.zeros((0, 64, 3), np.uint8), 0.0),
        (np.zeros((48, 64, 3), np.uint8), float("nan")),
    ],
)
def test_a_frame_that_is_refused_leaves_nothing_behind(pixels: np.ndarray, seconds: float) -> None:
    tracker = Tracker()
    with pytest.raises(InputError):
        tracker.push(pixels, seconds)
    assert tracker.push(np.zeros((60, 80, 3), np.uint8), 0.0).state == "lost"
