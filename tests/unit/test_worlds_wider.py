"""Halls, stairs, ironwork, faces up close, nights: they build, are repeatable, and their pictures show depth."""

from __future__ import annotations

import numpy as np
import pytest
from training.worlds.materials import Tiles
from training.worlds.palette import Palette
from training.worlds.parts import lattice, steps
from training.worlds.parts.auditorium import Horseshoe, pointed
from training.worlds.parts.closebeast import PLANS, close_beast
from training.worlds.sample import photograph, scenes, useful
from training.worlds.scenes import (
    afterdark,
    cathedrals,
    ironwork,
    nightfall,
    spectacle,
    stagehalls,
    stairways,
    upclose,
)
from training.worlds.sky import Panoramas
from training.worlds.stage import Lamp, Sky, Stage
from training.worlds.trace import Materials, assemble

KINDS = {
    "halls": {**stagehalls.SCENES, **cathedrals.SCENES},
    "stairs": stairways.SCENES,
    "steel": ironwork.SCENES,
    "close": upclose.SCENES,
    "night": {**nightfall.SCENES, **spectacle.SCENES},
}
SCENES = {name: scene for listed in KINDS.values() for name, scene in listed.items()}


def palette(seed: int) -> Palette:
    return Palette(np.random.default_rng(seed))


@pytest.fixture(scope="module")
def bare() -> Materials:
    return Materials.of(Tiles.none(), Panoramas.none())


@pytest.mark.parametrize("name", SCENES)
def test_scenes_build_and_keep_their_budget(name: str) -> None:
    maker, weight = SCENES[name]
    assert weight > 0
    for seed in range(4):
        stage = maker(palette(seed))
        assert stage.kind == name
        assert sum(len(part.faces) for part in stage.things) <= 95_000
        for part in stage.things:
            assert np.isfinite(part.vertices).all()
            assert np.isfinite(part.uv).all()
            assert part.faces.min() >= 0
            assert part.faces.max() < len(part.vertices)
        assert 3 <= len(stage.cameras) <= 6
        middles = np.concatenate([part.vertices[part.faces].mean(1) for part in stage.things])
        for view in stage.cameras:
            assert np.isfinite((*view.eye, *view.target)).all()
            assert np.radians(18) <= view.fov <= np.radians(105)
            assert np.linalg.norm(middles - np.asarray(view.eye, np.float32), axis=1).min() > 0.02
        assert all(np.isfinite((*lamp.at, *lamp.colour)).all() for lamp in stage.lamps)


@pytest.mark.parametrize("name", SCENES)
def test_most_pictures_show_depth(name: str, bare: Materials) -> None:
    good, all_ = 0, 0
    for seed in (11, 12, 13):
        stage = SCENES[name][0](palette(seed))
        world = assemble(stage, bare)
        for k, view in enumerate(stage.cameras):
            sample = photograph(world, view, bare, name, (64, 48), 100 * seed + k)
            near, far = np.quantile(sample.depth[sample.depth > 0], [0.05, 0.95]) if sample.depth.any() else (1.0, 1.0)
            good += useful(sample) and far > 1.15 * near
            all_ += 1
    assert good >= 0.6 * all_, (good, all_)


@pytest.mark.parametrize("name", SCENES)
def test_the_same_seed_is_the_same_scene(name: str) -> None:
    one, two, other = (SCENES[name][0](palette(seed)) for seed in (3, 3, 4))
    assert one.cameras == two.cameras
    assert one.lamps == two.lamps
    assert one.sky == two.sky
    assert len(one.things) == len(two.things)
    for a, b in zip(one.things, two.things, strict=True):
        assert a.material == b.material
        assert np.array_equal(a.vertices, b.vertices)
    assert one.cameras != other.cameras


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gets_its_share_of_the_pictures(kind: str) -> None:
    table = scenes()
    share = sum(table[name][1] for name in KINDS[kind])
    assert 0.008 < share < 0.02


def test_a_horseshoe_is_open_in_front_and_its_seats_look_inward() -> None:
    plan = Horseshoe(8.0, 10.0, 6.0, 3.0)
    line = plan.line(0.0)
    assert line[0] == pytest.approx([-8, 0, 0])
    assert line[-1] == pytest.approx([8, 0, 0])
    assert line[:, 2].max() == pytest.approx(16.0, abs=0.05)
    spots, yaw = plan.spots(1.0, 2.0, 1.0)
    ahead = np.stack([np.sin(yaw), np.cos(yaw)], 1)
    to_middle = np.array([0.0, 9.0]) - spots[:, [0, 2]]
    assert ((ahead * to_middle).sum(1) > 0).all()
    assert (spots[:, 1] == 2.0).all()


@pytest.mark.parametrize("sharp", [0.0, 0.4, 1.2])
def test_arches_spring_from_nothing_and_are_one_high(sharp: float) -> None:
    u = np.linspace(-1, 1, 41)
    y = pointed(u, sharp)
    assert y[[0, 20, 40]] == pytest.approx([0, 1, 0], abs=1e-6)
    assert (np.diff(y[:21]) > 0).all()
    assert y == pytest.approx(y[::-1])


@pytest.mark.parametrize("power", [2.0, 6.0, 12.0])
def test_stairs_climb_their_storeys_and_never_fall(power: float) -> None:
    well = steps.Well(1.0, 1.4, power, 1.2, 3.5, 3.0)
    turn = np.linspace(0, 6 * np.pi, 400)
    height = well.height(turn)
    assert (np.diff(height) >= 0).all()
    assert height[-1] == pytest.approx(3 * 3.5, rel=1e-3)
    inner, outer = well.at(turn, 0.0), well.at(turn, 1.2)
    assert (np.linalg.norm(outer - inner, axis=1) > 0.6).all()


def test_a_girder_runs_between_its_ends() -> None:
    start, end = np.array([1.0, 0, 2]), np.array([4.0, 9, -3])
    points = np.concatenate([p.vertices for p in lattice.girder(start, end, 0.8, lattice.iron(palette(0)))])
    along = (points - start) @ (end - start) / ((end - start) @ (end - start))
    off = points - start - along[:, None] * (end - start)
    assert along.min() > -0.05
    assert along.max() < 1.05
    assert np.linalg.norm(off, axis=1).max() < 0.8


@pytest.mark.parametrize("sort", PLANS)
def test_a_face_before_the_lens_is_nearest_at_its_nose(sort: str) -> None:
    thing, face, half = close_beast(palette(1), sort)
    points = np.concatenate([p.vertices for p in thing])
    assert np.isfinite(points).all()
    assert -0.5 * half < points[:, 1].min() < 0.5 * half
    upper = points[points[:, 1] > face[1] - 0.7 * half]
    assert abs(upper[upper[:, 2].argmax(), 0]) < 1.6 * half  # nose or whiskers, not an ear
    assert upper[:, 2].max() > face[2]
    assert points[:, 2].min() < -4 * half  # the body recedes


def test_dimming_takes_all_light_alike() -> None:
    sky = Sky(zenith=(0.1, 0.2, 0.3), horizon=(0.3, 0.2, 0.1), ground=(0.1, 0.1, 0.1), sun_colour=(1, 1, 1))
    glowing = afterdark.lit_block(palette(0), 12.0, 4)
    dark = afterdark.dimmed(Stage("x", glowing, [], sky, [Lamp((0, 1, 0), 0.1, (4, 3, 2))], (0.5, 0.5, 0.5)), 0.1)
    assert dark.lamps[0].colour == pytest.approx((0.4, 0.3, 0.2))
    assert dark.sky.zenith == pytest.approx((0.01, 0.02, 0.03))
    assert dark.fill == pytest.approx((0.05, 0.05, 0.05))
    before, after = (np.array([p.material.glow for p in things]) for things in (glowing, dark.things))
    assert before.max() > 0
    assert after == pytest.approx(before * 0.1)
