"""Furniture, small things and the rooms and tables they stand on: sizes, orientation, budgets, eyes in free air."""

from __future__ import annotations

from math import degrees, pi

import numpy as np
import pytest
from training.worlds.mesh import Thing, bounds
from training.worlds.palette import Palette
from training.worlds.parts import decor, kitchen, lamps, objects, pots
from training.worlds.parts.furniture import ANYWHERE, AT_WALL, SEATS, STORAGE, TABLES, bed, bicycle, shop_rack, sofa
from training.worlds.scenes import indoor, storage, tabletop
from training.worlds.scenes.eyes import Obstacles, indoors, tilt_of
from training.worlds.scenes.room import Room, wall_part

SEEDS = range(20)
FURNITURE = tuple(dict.fromkeys((*ANYWHERE, *AT_WALL, *SEATS, *STORAGE, *TABLES, bed, bicycle, shop_rack, sofa)))
SCENES = {**indoor.SCENES, **tabletop.SCENES, **storage.SCENES}


def made(maker, seed: int) -> Thing:
    return maker(Palette(np.random.default_rng(seed)))


def volume(part) -> float:
    a, b, c = part.vertices.astype(np.float64)[part.faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def closed(part) -> bool:
    """Whether every edge, with vertices told apart by place alone, is walked once each way."""
    _, where = np.unique(np.round(part.vertices, 5), axis=0, return_inverse=True)
    faces = where.reshape(-1)[part.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forth = edges[np.lexsort(edges.T)]
    back = edges[:, ::-1][np.lexsort(edges[:, ::-1].T)]
    return len(edges) > 0 and np.array_equal(forth, back)


@pytest.mark.parametrize("maker", FURNITURE, ids=lambda m: m.__name__)
def test_furniture_is_finite_and_stands_at_a_plausible_size(maker):
    for seed in SEEDS:
        thing = made(maker, seed)
        low, high = bounds(thing)
        size = high - low
        assert np.isfinite(low).all() and np.isfinite(high).all()
        assert abs(low[1]) < 0.015, seed
        assert 0.2 < size.max() < 4.0 and size[1] < 2.7, (seed, size)


@pytest.mark.parametrize("maker", objects.ALL, ids=lambda m: m.__name__)
def test_small_things_are_finite_and_small_and_stand(maker):
    for seed in SEEDS:
        low, high = bounds(made(maker, seed))
        assert np.isfinite(low).all() and np.isfinite(high).all()
        assert -0.03 < low[1] < 0.03, seed
        assert 0.005 < (high - low).max() < 1.2, (seed, high - low)


CLOSED = (*FURNITURE, *objects.ALL, kitchen.bath, kitchen.toilet, kitchen.fridge, kitchen.hood)


@pytest.mark.parametrize("maker", CLOSED, ids=lambda m: m.__name__)
def test_closed_parts_look_outwards(maker):
    for seed in range(6):
        for number, part in enumerate(made(maker, seed)):
            if closed(part):
                assert volume(part) > -1e-9, (seed, number)


def test_most_parts_are_closed():
    parts = [part for maker in (*SEATS, *TABLES, objects.cup, objects.bottle, sofa) for part in made(maker, 1)]
    assert np.mean([closed(part) for part in parts]) > 0.7


@pytest.mark.parametrize("name", SCENES)
def test_scenes_keep_their_budget_and_their_cameras_stand_clear(name):
    maker, weight = SCENES[name]
    assert weight > 0
    for seed in range(4):
        stage = maker(Palette(np.random.default_rng(seed)))
        assert stage.kind == name
        assert sum(len(part.faces) for part in stage.things) < 90_000
        assert all(np.isfinite(part.vertices).all() and np.isfinite(part.uv).all() for part in stage.things)
        assert all(part.faces.min() >= 0 and part.faces.max() < len(part.vertices) for part in stage.things)
        assert 3 <= len(stage.cameras) <= 6
        points = np.concatenate([part.vertices for part in stage.things])
        for view in stage.cameras:
            assert np.isfinite((*view.eye, *view.target)).all() and 20 < degrees(view.fov) < 110
            away = np.linalg.norm(points - np.asarray(view.eye, np.float32), axis=1).min()
            assert away > 0.04, (seed, away)


@pytest.mark.parametrize("name", ["kitchen", "office", "tabletop", "shelf_bin", "flat_picture"])
def test_the_same_seed_is_the_same_scene(name):
    maker = SCENES[name][0]
    one, two, other = (maker(Palette(np.random.default_rng(seed))) for seed in (3, 3, 4))
    assert one.cameras == two.cameras and one.lamps == two.lamps and one.sky == two.sky
    assert all(np.array_equal(a.vertices, b.vertices) and a.material == b.material
               for a, b in zip(one.things, two.things, strict=True))  # fmt: skip
    assert one.cameras != other.cameras


def test_a_wall_leaves_exactly_its_holes_open():
    from training.worlds.materials import Material

    (wall,) = wall_part(5.0, 2.5, [(-2.0, 0.0, 0.9, 2.0), (0.5, 0.8, 1.2, 1.1)], Material())
    a, b, c = wall.vertices[wall.faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert area == pytest.approx(5.0 * 2.5 - 0.9 * 2.0 - 1.2 * 1.1, rel=1e-5)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_a_room_refuses_what_does_not_fit():
    room = Room(Palette(np.random.default_rng(0)), 3.0, 3.0, 2.5)
    chest = made(SEATS[0], 0)
    assert room.put(chest, (0, 0, 0))
    assert not room.put(chest, (0.1, 0, 0.1))
    assert not room.put(chest, (1.6, 0, 0))
    assert room.put(chest, (1.0, 0, 1.0))


def test_things_against_a_wall_touch_it_and_face_the_room():
    for wall in range(4):
        room = Room(Palette(np.random.default_rng(wall)), 4.0, 5.0, 2.6)
        assert room.against(wall, made(STORAGE[1], 2)) is not None
        low, high = bounds(room.things)
        reach = {0: low[2] + 2.5, 1: low[0] + 2.0, 2: 2.5 - high[2], 3: 2.0 - high[0]}[wall]
        assert 0 <= reach < 0.05


def test_eyes_stay_out_of_boxes_and_distances_are_to_the_first():
    obstacles = Obstacles()
    obstacles.add(made(TABLES[0], 0))
    low, high = obstacles.lows[0], obstacles.highs[0]
    assert not obstacles.clear((low + high) / 2, 0.0)
    assert obstacles.clear(high + 1.0, 0.2)
    eye = np.array([0.0, (low[1] + high[1]) / 2, 5.0])
    ahead, up = obstacles.distances(eye, np.array([[0.0, 0, -1], [0, 1.0, 0]]))
    assert ahead == pytest.approx(5.0 - high[2], abs=1e-4) and up == 100.0
    for view in indoors(Palette(np.random.default_rng(1)), (-3, 0.2, -3), (3, 2, 3), obstacles, 6):
        assert obstacles.clear(view.eye, 0.05) and -pi / 5 < tilt_of(view) < pi / 8


@pytest.mark.parametrize("maker", [pots.plant, pots.flowers, lamps.floor_lamp, decor.rug, decor.picture, decor.mirror])
def test_decoration_is_of_human_size(maker):
    for seed in SEEDS:
        low, high = bounds(made(maker, seed))
        assert abs(low[1]) < 0.03 and 0.1 < (high - low).max() < 3.0
