"""The visitor of a walkable page, in Node: what stops it, what it climbs, where it stays up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from web_code import ran

pytestmark = pytest.mark.node

Quad = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
"""A corner and two sides; y is up."""

WALK = """
import { Box3, BufferGeometry, Float32BufferAttribute, Mesh, Points, Quaternion, Vector3 } from "three";
import { Body } from "@/strollbody";
import { Solid } from "@/strollsolid";
const xyz = given.quads.flatMap(([o, a, b]) => {
  const at = (s, t) => o.map((v, i) => v + s * a[i] + t * b[i]);
  return [at(0, 0), at(1, 0), at(1, 1), at(0, 0), at(1, 1), at(0, 1)].flat();
});
const geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(given.points ?? xyz, 3));
const object = given.points ? new Points(geometry) : new Mesh(geometry);
const region = new Box3(new Vector3(...given.box[0]), new Vector3(...given.box[1]));
const solid = new Solid([{ object, role: "surface" }], region, 0.05);
solid.open([], 1);
const body = new Body(solid, 1, 1.6, true);
body.stand(new Vector3(...given.eyes), new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), given.yaw));
const start = { feet: body.feet.toArray(), eyes: body.eyes.toArray() };
const highest = [body.feet.y];
for (let at = 0; at < given.seconds * 30; at++) {
  body.walk(0, given.ahead ?? 1, 1 / 30, false);
  highest.push(body.feet.y);
}
const { feet, eyes, blocked, own } = body;
const [low, high] = [Math.min(...highest), Math.max(...highest)];
return { start, feet: feet.toArray(), eyes: eyes.toArray(), blocked, own, low, high };
"""
FLOOR: Quad = ((0, 0, 0), (8, 0, 0), (0, 0, 8))
BOX = ((0, 0, 0), (8, 3, 8))
EAST = -1.5707963


def walked(
    folder: Path, *quads: Quad, seconds: float, eyes: tuple[float, float, float] = (2, 1.6, 4), **more: Any
) -> Any:
    given = {"box": BOX, "yaw": EAST, **more}
    return ran(WALK, folder, quads=quads, seconds=seconds, eyes=eyes, **given)


def test_walking_is_as_fast_as_people_walk(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, seconds=2)
    assert done["feet"] == pytest.approx([2 + 2 * 1.4, 0, 4], abs=0.01)
    assert done["eyes"][1] == pytest.approx(1.6, abs=0.01)


def test_a_wall_across_stops(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, ((5, 0, 0), (0, 2.5, 0), (0, 0, 8)), seconds=6)
    assert 4.65 < done["feet"][0] < 4.85
    assert done["blocked"]


def test_a_slanting_wall_is_slid_along(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, ((4, 0, 1), (0, 2.5, 0), (3, 0, 6)), seconds=3.5)
    beside = (done["feet"][0] - 4) * 6 / 45**0.5 - (done["feet"][2] - 1) * 3 / 45**0.5
    assert beside < -0.15, "never through it"
    assert done["feet"][2] > 4.2, "but on, along it"


def test_steps_are_climbed_up_and_down(tmp_path: Path) -> None:
    stairs: list[Quad] = []
    for step in range(5):
        x, y = 3 + 0.3 * step, 0.17 * step
        stairs += [((x, y, 0), (0, 0.17, 0), (0, 0, 8)), ((x, y + 0.17, 0), (0.3, 0, 0), (0, 0, 8))]
    top: Quad = ((4.5, 0.85, 0), (3.5, 0, 0), (0, 0, 8))
    up = walked(tmp_path, ((0, 0, 0), (3, 0, 0), (0, 0, 8)), *stairs, top, seconds=3.5)
    assert up["feet"][0] > 6 and up["feet"][1] == pytest.approx(0.85, abs=0.03)
    (tmp_path / "down").mkdir()
    down = walked(
        tmp_path / "down", ((0, 0, 0), (3, 0, 0), (0, 0, 8)), *stairs, top, seconds=4, eyes=(6, 2.45, 4), yaw=-EAST
    )
    assert down["feet"][0] < 2 and down["feet"][1] == pytest.approx(0, abs=0.03)


def test_what_is_too_high_for_a_step_stops(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, ((4, 0.6, 0), (4, 0, 0), (0, 0, 8)), ((4, 0, 0), (0, 0.6, 0), (0, 0, 8)), seconds=4)
    assert done["feet"][0] < 4 and done["high"] < 0.05


def test_holes_are_walked_over(tmp_path: Path) -> None:
    done = walked(tmp_path, ((0, 0, 0), (3, 0, 0), (0, 0, 8)), ((4.4, 0, 0), (3, 0, 0), (0, 0, 8)), seconds=2.5)
    assert done["feet"][0] > 5
    assert done["low"] > -0.01 and done["high"] < 0.01


def test_who_leaves_a_height_behind_comes_down_in_the_end(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, ((0, 0.8, 0), (3, 0, 0), (0, 0, 8)), seconds=4, eyes=(1.5, 2.9, 4))
    assert done["start"]["feet"][1] == pytest.approx(0.8, abs=0.01)
    assert done["feet"][1] == pytest.approx(0, abs=0.01)


def test_somebody_whose_camera_was_held_over_a_table_stands_on_the_floor(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, ((1.5, 0.75, 3.5), (1, 0, 0), (0, 0, 1)), seconds=0, eyes=(2, 1.4, 4))
    assert done["start"]["feet"][1] == pytest.approx(0, abs=0.01)
    assert done["start"]["eyes"] == pytest.approx([2, 1.4, 4]), "the eyes are where the camera was"


def test_the_camera_is_forgotten_while_one_walks(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, seconds=2.5, eyes=(2, 1.2, 4))
    assert done["start"]["eyes"][1] == pytest.approx(1.2)
    assert done["own"] == 0 and done["eyes"][1] == pytest.approx(1.6, abs=0.01)


def test_nobody_is_shut_in_by_what_it_stands_in(tmp_path: Path) -> None:
    wall: Quad = ((2.05, 0, 0), (0, 2.5, 0), (0, 0, 8))
    done = walked(tmp_path, FLOOR, wall, seconds=1, ahead=-1)
    assert done["feet"][0] < 1.2


def test_who_stands_close_to_a_wall_does_not_go_through_it(tmp_path: Path) -> None:
    done = walked(tmp_path, FLOOR, ((2.12, 0, 0), (0, 2.5, 0), (0, 0, 8)), seconds=3)
    assert done["feet"][0] < 2.1


def test_points_are_as_solid_as_triangles(tmp_path: Path) -> None:
    wall = [v for y in range(60) for z in range(200) for v in (5.0, 0.04 * y, 0.04 * z)]
    done = walked(tmp_path, seconds=4, points=wall)
    assert 4.65 < done["feet"][0] < 4.85


def test_what_nobody_scanned_is_not_entered(tmp_path: Path) -> None:
    done = walked(tmp_path, ((0, 0, 0), (4, 0, 0), (0, 0, 8)), seconds=5)
    assert 4.8 < done["feet"][0] < 5.2 and done["blocked"]
