"""Things and scenes of the open air: finite, standing, of plausible size, the right way out, true to their seed."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from training.worlds.mesh import bounds
from training.worlds.palette import Palette
from training.worlds.parts import buildings, many, monuments, plants, street, transport, vehicles
from training.worlds.parts.terrain import Way, fractal, noise
from training.worlds.scenes import driving, landscape, outdoor
from training.worlds.scenes.site import BUDGET, Site

MAKERS = {
    "car": (vehicles.car, (3, 7), (0.9, 2.9)),
    "near car": (lambda p: vehicles.car(p, "near"), (3, 7), (0.9, 2.9)),
    "bus": (transport.bus, (7, 14), (2.5, 5)),
    "lorry": (transport.lorry, (6, 18), (2, 5)),
    "tram": (transport.tram, (13, 46), (3, 4)),
    "bicycle": (transport.bicycle, (1.4, 2.2), (0.8, 1.4)),
    "motorcycle": (transport.motorcycle, (1.5, 2.3), (0.8, 1.5)),
    "house": (buildings.house, (6, 26), (3, 19)),
    "high rise": (buildings.high_rise, (14, 36), (25, 200)),
    "building": (lambda p: buildings.building(p, 10, 9, 4), (9, 14), (10, 32)),
    "block": (lambda p: buildings.block(p, 10, 9, 4), (9, 13), (10, 30)),
    "shed": (buildings.shed, (9, 45), (4, 24)),
    "church": (monuments.church, (15, 50), (10, 75)),
    "castle": (monuments.castle, (25, 75), (8, 60)),
    "temple": (monuments.temple, (8, 50), (6, 30)),
    "fountain": (monuments.fountain, (2, 9), (2, 3)),
    "obelisk": (monuments.obelisk, (1, 4), (4, 26)),
    "lamp": (lambda p: street.lamp_post(p)[0], (0.1, 4), (2.5, 11)),
    "traffic light": (street.traffic_light, (0.2, 7), (2.4, 7)),
    "sign": (street.sign, (0.3, 4), (2, 4)),
    "bench": (street.bench, (1, 2.5), (0.4, 1)),
    "bin": (street.bin_, (0.3, 1), (0.5, 1.3)),
    "cone": (street.cone, (0.3, 0.6), (0.5, 1)),
    "tree": (lambda p: plants.tree(p, "far", 9.0), (1, 14), (6, 14)),
    "wood tree": (lambda p: plants.tree(p, "mass", 9.0), (1, 14), (5, 14)),
    "bush": (lambda p: plants.bush(p, "near", 1.0), (0.5, 4), (0.3, 1.8)),
    "hedge": (lambda p: plants.hedge(p, 5), (4, 6), (1, 2.3)),
    "mushroom": (plants.mushroom, (0.01, 0.7), (0.02, 0.5)),
    "flower": (lambda p: plants.flower(p, 0.4), (0.05, 0.9), (0.2, 0.8)),
}
SCENES = {**outdoor.SCENES, **driving.SCENES, **landscape.SCENES}


def palette(seed: int) -> Palette:
    return Palette(np.random.default_rng(seed))


@functools.cache
def scene(name: str, seed: int):
    return SCENES[name][0](palette(seed))


def closed_shells(part):
    """Whether every edge of the part, its points welded, has its opposite."""
    keys = np.unique(np.round(part.vertices, 4), axis=0, return_inverse=True)[1].ravel()
    faces = keys[part.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward, count = np.unique(edges, axis=0, return_counts=True)
    backward, opposite = np.unique(edges[:, ::-1], axis=0, return_counts=True)
    return len(forward) == len(backward) and np.array_equal(forward, backward) and np.array_equal(count, opposite)


def volume(part):
    a, b, c = (part.vertices[part.faces[:, k]].astype(float) for k in range(3))
    return float((np.cross(a, b) * c).sum() / 6)


@pytest.mark.parametrize("name", MAKERS)
def test_things_stand_and_have_their_size(name):
    make, wide, high = MAKERS[name]
    for seed in range(20):
        thing = make(palette(seed))
        low, top = bounds(thing)
        assert all(np.isfinite(part.vertices).all() and np.isfinite(part.uv).all() for part in thing)
        assert all(part.faces.min() >= 0 and part.faces.max() < len(part.vertices) for part in thing)
        assert -1.05 <= low[1] <= 0.12, (seed, low)
        assert wide[0] <= max(top[0] - low[0], top[2] - low[2]) <= wide[1], (seed, top - low)
        assert high[0] <= top[1] <= high[1], (seed, top)


@pytest.mark.parametrize("name", MAKERS)
def test_closed_parts_face_outwards(name):
    for seed in range(6):
        for part in MAKERS[name][0](palette(seed)):
            if closed_shells(part):
                assert volume(part) > 0, (seed, part.material)


@pytest.mark.parametrize("body", vehicles.SHAPES)
def test_a_car_is_one_closed_body_on_four_wheels(body):
    thing = vehicles.car(palette(1), "near", body)
    low, top = bounds(thing)
    assert abs(low[1]) < 0.02
    assert abs(top[0] + low[0]) < 0.05
    assert closed_shells(vehicles._body(vehicles.SHAPES[body], thing[0].material, True)[0])


@pytest.mark.parametrize("name", SCENES)
def test_scenes(name):
    for seed in (3, 8):
        stage = scene(name, seed)
        assert sum(len(part.faces) for part in stage.things) <= BUDGET <= 100_000
        assert all(np.isfinite(part.vertices).all() for part in stage.things)
        assert 3 <= len(stage.cameras) <= 6
        for camera in stage.cameras:
            assert camera.eye[1] > -30
            assert np.isfinite([*camera.eye, *camera.target]).all()
            assert np.radians(18) <= camera.fov <= np.radians(105)
            away = np.array(camera.target) - camera.eye
            assert np.linalg.norm(away) > 0.01


@pytest.mark.parametrize("name", SCENES)
def test_cameras_stand_above_the_ground(name):
    """Straight down from the eye there is something to stand on."""
    stage = scene(name, 3)
    for camera in stage.cameras:
        assert len(heights_below(stage.things, np.array(camera.eye)))


def heights_below(things, eye):
    """How high the surfaces straight below the eye are."""
    found = []
    for part in things:
        a, b, c = (part.vertices[part.faces[:, k]].astype(float) for k in range(3))
        u, v = (b - a)[:, [0, 2]], (c - a)[:, [0, 2]]
        w = eye[[0, 2]] - a[:, [0, 2]]
        area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        with np.errstate(all="ignore"):
            s, t = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / area, (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / area
            hit = (s >= 0) & (t >= 0) & (s + t <= 1) & (np.abs(area) > 1e-12)
        y = a[hit, 1] + s[hit] * (b - a)[hit, 1] + t[hit] * (c - a)[hit, 1]
        found.append(y[y < eye[1]])
    return np.concatenate(found)


@pytest.mark.parametrize("name", ["street", "city_drive", "forest", "mountains", "car_portrait", "bridge"])
def test_the_same_seed_makes_the_same_scene(name):
    one, two = SCENES[name][0](palette(5)), SCENES[name][0](palette(5))
    assert one.cameras == two.cameras
    assert one.sky == two.sky
    assert len(one.things) == len(two.things)
    for a, b in zip(one.things, two.things, strict=True):
        assert a.material == b.material
        assert np.array_equal(a.vertices, b.vertices)


def test_driving_is_level():
    for seed in range(4):
        for camera in driving.country_road(palette(seed)).cameras:
            away = np.array(camera.target) - camera.eye
            assert abs(np.degrees(np.arcsin(away[1] / np.linalg.norm(away)))) < 12
            assert not camera.portrait


def test_noise_is_smooth_bounded_and_seeded():
    x = np.linspace(-30, 30, 4001)
    y = noise(x, 0.3 * x, 7)
    assert np.abs(y).max() <= 1
    assert np.abs(np.diff(y)).max() < 0.08
    assert not np.allclose(y, noise(x, 0.3 * x, 8))
    assert np.abs(fractal(x, x, 3)).max() < 1.5


def test_a_way_starts_at_the_origin_and_its_ribbon_looks_up():
    way = Way(10, 90, 1.0, 2, 80, 0.5)
    assert np.allclose(way.at(0.0), 0, atol=1e-9)
    part = way.ribbon(np.linspace(-20, 200, 60), [-3, 0, 3], [0, 0, 0], palette(0).asphalt())
    a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 1] > 0).all()


def test_copies_and_merge_keep_every_triangle():
    box = many.boxes([[0, 0, 0]], [1, 2, 3], palette(0).paint())
    (three,) = many.copies([box], [[0, 0, 0], [5, 0, 0], [0, 0, 9]], [0, 1, 2], [1, 2, 3])
    assert volume(three) == pytest.approx(6 * (1 + 8 + 27), rel=1e-4)
    assert len(many.merge([three, box])) == 1


def test_a_site_keeps_cameras_out_of_things_and_refuses_too_many_triangles():
    p = palette(0)
    site = Site("test", p)
    box = many.boxes([[0, 0, 0]], [2, 2, 2], p.paint())
    assert site.put([box])
    assert not site.free((0.5, 1, 0.5))
    assert site.free((4, 1, 0))
    many_ = [many.boxes(np.zeros((BUDGET // 12 + 1, 3)), [1, 1, 1], p.paint())]
    assert not site.put(many_)
