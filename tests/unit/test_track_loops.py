"""Loops that close, parts that join, places that are known again."""

from __future__ import annotations

import numpy as np
import pytest

import walks
from unflat.geometry.bundle import Adjusted, Bundle
from unflat.geometry.seen_by import numbers_of, pixels_of
from unflat.geometry.turns import turn
from unflat.stages import track_map
from unflat.stages.track_loops import closed, joined, loose_before
from unflat.stages.track_map import Keyframe, Map
from unflat.stages.track_places import Places, Recognised
from unflat.stages.track_stream import Tracker
from unflat.types.camera import Pose
from unflat.types.views import Lens

LENS = walks.lens()
NUMBERS = numbers_of(Lens(LENS))
RNG = np.random.default_rng(5)
POINTS = np.stack(
    [*(6 * np.stack([np.sin(a := RNG.uniform(0, 2 * np.pi, 900)), np.cos(a)])), RNG.uniform(-2, 2, 900)], 1
)[:, [0, 2, 1]]
"""A round wall, 6 m away from the middle."""


def around(count: int = 24) -> list[Pose]:
    """Once around, looking outward; the last frame looks where the first one did."""
    return [walks.looking(2 * np.sin(a), 0, 2 * np.cos(a), float(np.degrees(a)))
            for a in np.linspace(0, 2 * np.pi, count)]  # fmt: skip


def seen(pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    rotation = pose.world_from_camera[:3, :3].T
    at = pixels_of((POINTS - pose.centre) @ rotation.T, NUMBERS)
    inside = (at > 0).all(1) & (at < [320, 240]).all(1)
    return np.flatnonzero(inside), at[inside]


def mapped(poses: list[Pose], later: int = 0) -> Map:
    """A map of keyframes that see the wall; points are called other names when they come into view a second time."""
    made = Map(NUMBERS.copy())
    early = np.unique(np.concatenate([seen(pose)[0] for pose in around()[:6]]))
    for k, pose in enumerate(poses):
        rotation = pose.world_from_camera[:3, :3].T
        track, at = seen(pose)
        track = track + later + len(POINTS) * (np.isin(track, early) & (k > len(poses) / 2))
        made.add(Keyframe(k, rotation, -rotation @ pose.centre, track, at, made.doubted(track)))
        new = np.sort(track)[~made.landmarks.known(np.sort(track))]
        xyz = POINTS[(new - later) % len(POINTS)]
        made.place(new, ((xyz - pose.centre) @ rotation.T)[:, 2], 0.6)
        made.landmarks.spread[new] = 0.02
    return made


def recognised(pose: Pose) -> Recognised:
    track, at = seen(pose)
    rotation = pose.world_from_camera[:3, :3].T
    return Recognised(rotation, -rotation @ pose.centre, track, at.astype(np.float32))


def drifted(made: Map, factor: float, turned: float) -> None:
    """Make each step a little larger and more turned than it was, and all landmarks with it."""
    centres = np.stack([k.centre for k in made.keyframes])
    moved = centres[0]
    for k, frame in enumerate(made.keyframes):
        about, size = turn(np.array([0, turned * k, 0])), factor**k
        if k:
            moved = moved + size * about @ (centres[k] - centres[k - 1])
        mine = np.flatnonzero(made.landmarks.anchor == k)
        made.landmarks.xyz[mine] = moved + size * (made.landmarks.xyz[mine] - centres[k]) @ about.T
        made.landmarks.prior[mine, 0] += np.log(size)
        frame.rotation = frame.rotation @ about.T
        frame.shift = -frame.rotation @ moved


def off(made: Map, poses: list[Pose]) -> float:
    found = np.stack([k.centre for k in made.keyframes])
    return float(np.sqrt((walks.errors(found, np.stack([p.centre for p in poses])) ** 2).mean()))


def test_a_loop_takes_back_what_added_up_on_the_way() -> None:
    poses = around()
    made = mapped(poses)
    drifted(made, 1.01, 0.006)
    before, bar = off(made, poses), made.drift_at(made.keyframes[-1].centre)
    assert before > 0.1 and loose_before(made) > 0
    assert closed(made, recognised(poses[-1]))
    assert off(made, poses) < 0.1 * before
    assert made.drift_at(made.keyframes[-1].centre) < bar


def test_a_long_way_is_settled_stretch_by_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more keyframes are ever solved for at once than were allowed, and those that were moved come back."""
    poses = around()
    made, sizes = mapped(poses), []
    adjust = track_map.adjust

    def watched(bundle: Bundle, **rest: float) -> Adjusted:
        sizes.append(int(bundle.free.sum()))
        return adjust(bundle, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(track_map, "AT_ONCE", 8)
    monkeypatch.setattr(track_map, "adjust", watched)
    for k, frame in enumerate(made.keyframes[2:], 2):
        frame.shift = frame.shift + 0.03 * np.array([np.sin(k), np.cos(2 * k), np.sin(3 * k)])
    before = off(made, poses)
    made.settle_all(rounds=10)
    assert max(sizes) == 8 and len(sizes) > 3
    assert off(made, poses) < 0.2 * before


def test_a_loop_that_is_none_changes_nothing() -> None:
    poses = around()
    made = mapped(poses)
    held = [(k.rotation.copy(), k.shift.copy(), k.track.copy()) for k in made.keyframes]
    wrong = recognised(poses[-1])
    shuffled = Recognised(wrong.rotation, wrong.shift, wrong.track, wrong.at[::-1].copy())
    assert not closed(made, shuffled)
    for keyframe, (rotation, shift, track) in zip(made.keyframes, held, strict=True):
        np.testing.assert_array_equal(keyframe.rotation, rotation)
        np.testing.assert_array_equal(keyframe.shift, shift)
        np.testing.assert_array_equal(keyframe.track, track)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_a_part_joins_another_in_its_unit_and_axes(factor: float) -> None:
    poses = around()
    old, new = mapped(poses[:10]), mapped(poses[10:], later=5000)
    spin = turn(np.array([0.1, 0.8, -0.2]))
    for frame in new.keyframes:
        centre = factor * spin @ frame.centre + [3.0, 1.0, -2.0]
        frame.rotation = frame.rotation @ spin.T
        frame.shift = -frame.rotation @ centre
    new.landmarks.xyz[:] = factor * new.landmarks.xyz @ spin.T + [3.0, 1.0, -2.0]
    new.landmarks.prior[:, 0] += np.log(factor)
    assert joined(old, new, recognised(poses[-1])) == 10
    assert len(old.keyframes) == len(poses) and off(old, poses) < 0.02
    track = new.keyframes[5].track[:20]
    np.testing.assert_allclose(old.landmarks.xyz[track], POINTS[(track - 5000) % len(POINTS)], atol=0.1)


def test_a_place_is_known_again_from_where_it_was_not_seen_before() -> None:
    room = walks.Room(LENS)
    tracker = Tracker(Lens(LENS))
    poses = [walks.looking(-1 + 0.05 * k, 0, -2 + 0.03 * k, 8 * np.sin(k / 6)) for k in range(26)]
    back = walks.looking(-0.55, 0.03, -1.75, 6.0)
    for k, pose in enumerate(poses):
        tracker.push(room.frame(pose).pixels, k / 20)
    blank = np.full((240, 320, 3), 90, np.uint8)
    assert tracker.push(blank, 2.0).state == "lost"
    told = tracker.push(room.frame(back).pixels, 3.0)
    assert told.state == "tracking" and told.part == 0 and told.error is not None
    places = Places()
    assert places.recognise(blank[..., 0], Map(NUMBERS)) is None
    made = tracker.finish()
    views = {int(view.still.name): view for view in made.views}
    found = np.stack([views[k].pose.centre for k in (*range(20), 27)])
    truth = np.stack([*(p.centre for p in poses[:20]), back.centre])
    assert walks.errors(found, truth)[-1] < 0.03
