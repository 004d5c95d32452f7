"""Where the things are that the pictures of a tour share, where doors stand, and where parts lie."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.scan_worlds import lens_of, looking, projected

import rooms
from unflat.formats import glb
from unflat.formats.registry import ExportOptions
from unflat.pipelines.inspect import inspect
from unflat.pipelines.tour_result import TourResult
from unflat.stages.tour_layout import Seeing, all_passages, doors_of, extent_of, side_by_side
from unflat.stages.tour_things import Standing, Thing, depth_factor, landmarks_in, lifter, xyz_of
from unflat.types import (
    DepthKind,
    DepthMap,
    Doorway,
    Node,
    Pose,
    Scene,
    Size,
    Still,
    Stop,
    Tour,
    TourPlan,
    View,
)
from unflat.types.arrays import F64
from unflat.types.tour import Passage

SIZE = Size(320, 240)
LENS = lens_of(SIZE, 60)
POSES = (
    looking(np.array([0.0, -1.5, -3.0]), np.array([0.0, -1.2, 1.0])),
    looking(np.array([2.0, -1.5, -2.5]), np.zeros(3)),
)
CORNERS = np.array([[-0.6, -1.8, 1.2], [0.7, -1.0, 0.4], [0.1, -0.4, 1.0], [-0.5, -0.8, 0.2], [0.3, -1.6, 0.1]])


def depth_of(pose: Pose, factor: float = 1.0) -> DepthMap:
    """A wall through each corner would be too much: every pixel is as far away as the nearest corner of the picture."""
    pixels, z = projected(CORNERS, LENS, pose)
    v, u = np.mgrid[: SIZE.height, : SIZE.width] + 0.5
    nearest = np.hypot(u[..., None] - pixels[:, 0], v[..., None] - pixels[:, 1]).argmin(-1)
    return DepthMap((factor * z[nearest]).astype(np.float32), DepthKind.SCALE, intrinsics=LENS.intrinsics)


def standing(pose: Pose, name: str, *, part: int = 0) -> Standing:
    view = View(Still(name, SIZE, lambda: np.zeros((240, 320, 3), np.uint8)), LENS, pose)
    return Standing(part, view, lifter(view, depth_of(pose, 0.25), 4.0))


def seen(pose: Pose, k: int) -> tuple[float, float]:
    x, y = projected(CORNERS[k : k + 1], LENS, pose)[0][0]
    return float(x), float(y)


def test_a_thing_is_where_the_user_says_or_where_others_see_it() -> None:
    things = (
        Thing("told", {"c": (1.0, 1.0)}, (1.0, 2.0, 3.0)),
        Thing("once", {"c": (2.0, 2.0), "a": seen(POSES[0], 0)}),
        Thing("twice", {"c": (3.0, 3.0), "a": seen(POSES[0], 1), "b": seen(POSES[1], 1)}),
        Thing("elsewhere", {"c": (4.0, 4.0), "d": seen(POSES[0], 2)}),
        Thing("not in it", {"a": seen(POSES[0], 3)}),
    )
    known = {"a": standing(POSES[0], "a"), "b": standing(POSES[1], "b"), "d": standing(POSES[0], "d", part=1)}
    landmarks, learned = landmarks_in("c", 0, things, known)
    assert [one.name for one in landmarks] == ["told", "once", "twice"] and not learned
    np.testing.assert_allclose(landmarks[0].xyz, (1, -3, 2))
    np.testing.assert_allclose(landmarks[1].xyz, CORNERS[0], atol=1e-3)
    np.testing.assert_allclose(landmarks[2].xyz, CORNERS[1], atol=1e-3)
    landmarks, learned = landmarks_in("c", 1, things, known)
    assert [one.name for one in landmarks] == ["elsewhere"] and learned, "points of the plan are those of part 0"


def test_depth_is_brought_to_landmarks() -> None:
    things = [Thing(str(k), {"a": seen(POSES[0], k)}, (x, z, -y)) for k, (x, y, z) in enumerate(CORNERS.tolist())]
    landmarks, _ = landmarks_in("a", 0, things, {})
    view = standing(POSES[0], "a").view
    fitted = depth_factor(depth_of(POSES[0], 0.25), view, landmarks)
    assert fitted is not None
    assert fitted == (pytest.approx(4.0, rel=1e-3), pytest.approx(1.0, abs=0.01))
    far, sky = np.full((240, 320), np.inf, np.float32), np.ones((240, 320), bool)
    above = DepthMap(far, DepthKind.SCALE, sky=sky, intrinsics=LENS.intrinsics)
    assert depth_factor(above, view, landmarks) is None


def seeing(x: float, wall: float | None = 6.0) -> Seeing:
    """Somebody who looks ahead at a wall, eyes 1.5 m above the floor."""
    eye = np.array([x, -1.5, 0.0])

    def ray(at: tuple[float, float]) -> F64:
        way = np.array([(at[0] - 160) / 200, (at[1] - 120) / 200, 1.0])
        return way / np.linalg.norm(way)

    def spot(at: tuple[float, float]) -> F64 | None:
        way = ray(at)
        return None if wall is None else eye + way * (wall / way[2])

    return Seeing(eye, (320, 240), ray, spot, lambda at: (at[0] / 2, at[1] / 2))


def test_doors_stand_where_they_are_seen_and_lead_both_ways() -> None:
    passages = (Passage("a", "b", (400.0, 290.0), None, "gate"), Passage("a", "c"))
    titles = {"a": "A", "b": "B", "c": "C"}
    doors = doors_of(passages, {"a": seeing(0), "b": seeing(50, 2.0), "c": seeing(90, None)}, titles)
    assert [(d.name, d.start, d.to) for d in doors] == [
        ("gate", "a", "b"), ("C", "a", "c"), ("gate", "b", "a"), ("A", "c", "a"),
    ]  # fmt: skip
    way = doors[0].at - [0, -1.5, 0]
    np.testing.assert_allclose(way[:2] / way[2], [(200 - 160) / 200, (145 - 120) / 200], atol=1e-9)
    assert 5.4 < way[2] < 6, "just before the wall, in half of the file's pixels"
    for door in doors[1:]:
        assert door.at[1] == 0, "a door without a pixel stands on the floor"
        assert 0.5 < door.at[2] <= 4
    assert doors[2].at[2] < 2


def test_every_part_is_reached() -> None:
    stops = [Stop("a", 0), Stop("b", 1), Stop("c", 2), Stop("d", 2), Stop("e", 3)]
    passages, notes = all_passages(TourPlan(passages=(Passage("e", "a"),)), stops)
    assert {(p.start, p.to) for p in passages} == {("e", "a"), ("a", "b"), ("b", "c")}
    assert len(notes) == 2
    reached = {"a"}
    parts = {stop.picture: stop.part for stop in stops}
    for _ in stops:
        reached |= {end for p in passages if {p.start, p.to} & reached for end in (p.start, p.to)}
        reached |= {name for name, part in parts.items() if part in {parts[one] for one in reached}}
    assert reached == set(parts)


def test_parts_do_not_overlap() -> None:
    rng = np.random.default_rng(2)
    extents = [tuple(sorted(rng.normal(scale=40, size=2))) for _ in range(6)]
    shifts = side_by_side(extents)
    assert shifts[0] == 0
    lying = [(low + shift, high + shift) for (low, high), shift in zip(extents, shifts, strict=True)]
    assert all(after[0] >= before[1] + 5 for before, after in pairwise(lying))
    node = Node("n", rooms.mesh())
    assert extent_of([node, Node("sky", rooms.mesh(), "sky")], [np.array([-3.0, 0, 0])]) == (-3.0, rooms.WIDE)


def touring() -> Scene:
    scene = rooms.scene()
    names = [camera.name for camera in scene.cameras]
    tour = Tour(
        (Stop(names[0], 0, "The room", "1931"), *(Stop(name, 1) for name in names[1:])),
        (Doorway("a door", names[0], names[1], np.array([3.5, 0.0, 2.0])),),
    )
    node = Node("surface", rooms.mesh(), pictures=(names[0], names[2]))
    return Scene((node,), scene.cameras, scene.frame, scene.scale, scene.provenance, tour=tour)


def test_a_tour_is_read_back_and_inspected(tmp_path: Path) -> None:
    scene = touring()
    path = tmp_path / "tour.glb"
    glb.write(scene, path, ExportOptions())
    back = glb.read(path)
    assert back.tour is not None and scene.tour is not None
    assert back.tour.stops == scene.tour.stops
    (door,), (truth,) = back.tour.doors, scene.tour.doors
    assert (door.name, door.start, door.to) == (truth.name, truth.start, truth.to)
    np.testing.assert_allclose(door.at, truth.at, atol=1e-9)
    assert back.nodes[0].pictures == scene.nodes[0].pictures
    about = inspect(path)
    assert about["nodes"][0]["pictures"] == list(scene.nodes[0].pictures)
    assert about["tour"]["pictures"][0] == {"name": "000000", "part": 0, "title": "The room", "date": "1931"}
    assert about["tour"]["doors"] == [{"name": "a door", "from": "000000", "to": "000001"}]


def test_points_of_a_plan_are_those_that_programs_with_z_up_show() -> None:
    np.testing.assert_array_equal(xyz_of((1, 2, 3)), (1, -3, 2))


def test_a_tour_leads_to_pictures_that_found_a_place_and_were_not_looked_at_for_depth() -> None:
    placed = rooms.reconstruction()
    names = [view.still.name for view in placed.views]
    run: Any = SimpleNamespace(plan=SimpleNamespace(start=names[5], passages=(Passage(names[0], names[3]),)))
    scan: Any = SimpleNamespace(
        scene=SimpleNamespace(cameras=(placed.views[0].camera, placed.views[1].camera)),
        run=SimpleNamespace(undistorted=placed),
    )
    assert {camera.name for camera in TourResult(run)._named(scan)} == {names[3], names[5]}
