"""Rays hit what they should, light falls as it should, and the GPU's functions are the CPU's."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from math import pi, tan
from pathlib import Path

import numpy as np
import pytest
from training.worlds import film as darkroom
from training.worlds.bvh import DEPTH, build, nearest
from training.worlds.materials import Material, Tiles
from training.worlds.mesh import box, ellipsoid, floor, grid, lathe, loft, panel, place, prism, tube
from training.worlds.palette import Palette
from training.worlds.sample import SKY, blank, photograph, picture_size
from training.worlds.sky import Panoramas
from training.worlds.stage import Camera, Lamp, Sky, Stage
from training.worlds.trace import Materials, assemble, pose, render

PLAIN = Material((0.5, 0.5, 0.5))
NOTHING = Materials.of(Tiles.none(), Panoramas.none())
DARK = Sky(sun_colour=(0, 0, 0), zenith=(0, 0, 0), horizon=(0, 0, 0), ground=(0, 0, 0))


def _volume(part) -> float:
    a, b, c = (part.vertices[part.faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize(
    ("part", "volume"),
    [
        (box((1, 2, 3), PLAIN), 6.0),
        (ellipsoid((1, 2, 0.5), PLAIN, sides=48), 4 / 3 * pi),
        (lathe([(1, 0), (1, 2)], PLAIN, sides=64), 2 * pi),
        (prism([(0, 0), (2, 0), (2, 1), (0, 1)], 0.5, PLAIN), 1.0),
        (tube([(0, 0, 0), (0, 4, 0)], 0.1, PLAIN, sides=48), 4 * pi * 0.01),
    ],
    ids=["box", "ellipsoid", "lathe", "prism", "tube"],
)
def test_solids_are_closed_and_look_outward(part, volume: float) -> None:
    assert _volume(part) == pytest.approx(volume, rel=0.04)


def test_a_turned_thing_keeps_its_volume_and_stands_where_it_was_put() -> None:
    thing = place([box((1, 1, 1), PLAIN)], at=(3, 2, 1), yaw=0.7, pitch=0.3, roll=1.0, scale=(1, 2, 3))
    assert _volume(thing[0]) == pytest.approx(6.0, rel=1e-5)


def _slow_nearest(corners: np.ndarray, o: np.ndarray, d: np.ndarray) -> float:
    best = np.inf
    for v0, e1, e2 in corners.reshape(-1, 3, 3):
        m = np.stack([-d, e1, e2], 1)
        if abs(np.linalg.det(m)) < 1e-12:
            continue
        t, u, v = np.linalg.solve(m, o - v0)
        if t > 1e-5 and u >= 0 and v >= 0 and u + v <= 1:
            best = min(best, t)
    return best


def test_the_tree_finds_what_trying_every_triangle_finds() -> None:
    rng = np.random.default_rng(0)
    triangles = (rng.normal(size=(200, 1, 3)) * 2 + rng.normal(size=(200, 3, 3)) * 0.6).astype(np.float32)
    tree = build(triangles)
    t = triangles[tree.order]
    corners = np.concatenate([t[:, 0], t[:, 1] - t[:, 0], t[:, 2] - t[:, 0]], 1)
    uv, holes, stack = np.zeros((200, 6), np.float32), np.zeros((200, 3), np.float32), np.empty(2 * DEPTH + 8, np.int32)
    for _ in range(150):
        o, d = rng.normal(size=3) * 4, rng.normal(size=3)
        d /= np.linalg.norm(d)
        far, which, _, _ = nearest(tree.bounds, tree.links, corners, uv, holes, stack, *o, *d, 1e6)
        slow = _slow_nearest(corners.astype(float), o, d)
        assert (which < 0) == np.isinf(slow)
        if which >= 0:
            assert far == pytest.approx(slow, rel=1e-3)


def test_a_wall_has_its_distance_its_normal_and_the_sky_around_it() -> None:
    camera = Camera((0, 1, 5), (0, 1, 0), fov=1.2)
    world = assemble(Stage("t", [panel(2, 2, PLAIN)], [camera]), NOTHING)
    sample = photograph(world, camera, NOTHING, "t", (64, 48), 1)
    assert sample.depth[24, 32] == pytest.approx(5.0, abs=1e-4)
    wall = sample.depth > 0
    assert np.abs(sample.depth[wall] - 5).max() < 1e-3  # along the axis, not along the ray
    assert sample.normal[24, 32] == pytest.approx([0, 0, -1], abs=1e-5)
    assert (sample.what[~wall] == SKY).all()
    width = wall[24].sum() / 64 * 2 * 5 * tan(0.6)
    assert width == pytest.approx(2.0, abs=0.25)


def test_a_lamp_lights_by_the_square_of_its_distance_and_not_through_things() -> None:
    def brightness(height: float, *things) -> float:
        stage = Stage("t", [floor(0.4, 0.4, PLAIN), *things], [], DARK, [Lamp((0, height, 0), 0.01, (1, 1, 1))])
        world, camera = assemble(stage, NOTHING), Camera((0.3, 1, 0.3), (0, 0, 0), fov=0.1)
        return float(darkroom.compose(render(world, camera, (16, 16), 4), world.sky)[8, 8].mean())

    assert brightness(2) == pytest.approx(0.5 / 4, rel=0.05)
    assert brightness(4) == pytest.approx(0.5 / 16, rel=0.05)
    assert brightness(2, box((1, 0.1, 1), PLAIN, (0, 1.5, 0))) < 0.003


def test_the_sky_alone_lights_a_level_board_as_white_as_it_is() -> None:
    even = Sky(sun_colour=(0, 0, 0), zenith=(1, 1, 1), horizon=(1, 1, 1), ground=(1, 1, 1))
    camera = Camera((0, 3, 0.01), (0, 0, 0), fov=0.3)
    world = assemble(Stage("t", [floor(9, 9, PLAIN)], [camera], even), NOTHING)
    light = darkroom.compose(render(world, camera, (24, 24), 2), world.sky)
    assert light.mean() == pytest.approx(0.5, rel=0.05)


def test_same_seed_same_picture() -> None:
    def make() -> np.ndarray:
        p = Palette(np.random.default_rng(3))
        camera = Camera((0, 1, 4), (0, 0.5, 0), fov=1.0, aperture=0.03, focus=3)
        things = [floor(9, 9, p.parquet()), *place([ellipsoid((0.5, 0.5, 0.5), p.fur(), at=(0, 0.5, 0))])]
        return photograph(assemble(Stage("t", things, [camera]), NOTHING), camera, NOTHING, "t", (64, 48), 9).rgb

    assert (make() == make()).all()


def test_every_pattern_gives_finite_colours() -> None:
    from training.worlds.materials import PATTERNS

    for name in PATTERNS:
        for pixel in (1e-4, 10.0):
            camera = Camera((0, 0.5, 1 / pixel * 0.001 + 1), (0, 0.5, 0), fov=0.8)
            part = panel(1, 1, replace(PLAIN, pattern=name, frequency=7.0, seed=11, bump=0.01))
            world = assemble(Stage("t", [part], [camera]), NOTHING)
            assert np.isfinite(render(world, camera, (32, 24))).all(), name


def test_a_camera_looks_at_its_target_with_its_roll() -> None:
    axes = pose(Camera((1, 2, 3), (4, 2, -1), fov=1.0))
    assert np.linalg.det(axes) == pytest.approx(1, abs=1e-5)
    assert -axes[:, 2] == pytest.approx(np.array([3, 0, -4]) / 5, abs=1e-6)
    rolled = pose(Camera((1, 2, 3), (4, 2, -1), fov=1.0, roll=pi / 2))
    assert rolled[:, 2] == pytest.approx(axes[:, 2], abs=1e-6)
    assert abs(rolled[1, 0]) == pytest.approx(1, abs=1e-6)


def test_picture_sizes_are_multiples_of_sixteen() -> None:
    rng = np.random.default_rng(0)
    sizes = {picture_size(rng, 320) for _ in range(200)}
    assert len(sizes) > 4
    assert all(w == 320 and h % 16 == 0 for w, h in sizes)


def test_sheets_and_lofts_agree_on_outside() -> None:
    up = grid([[(0, 0, 0), (1, 0, 0)], [(0, 0, 1), (1, 0, 1)]], PLAIN)
    a, b, c = up.vertices[up.faces[0]]
    assert np.cross(b - a, c - a)[1] > 0
    ring = [(1, 0, 0), (0, 0, -1), (-1, 0, 0), (0, 0, 1)]
    assert _volume(loft([ring, [(x, 1, z) for x, _, z in ring]], PLAIN)) == pytest.approx(2.0, rel=1e-5)


GPU = """
import numpy as np
from training.worlds.materials import Material, Tiles
from training.worlds.mesh import ellipsoid, floor, panel
from training.worlds.palette import Palette
from training.worlds.sky import Panoramas
from training.worlds.stage import Camera, Lamp, Stage
from training.worlds import trace, trace_gpu
p = Palette(np.random.default_rng(0))
things = [floor(9, 9, p.parquet()), ellipsoid((.5, .5, .5), p.metal(), at=(0, .5, 0)), panel(1, 1, p.glass())]
camera = Camera((0, 1, 4), (0, .5, 0), fov=1.0)
materials = trace.Materials.of(Tiles.none(), Panoramas.none())
world = trace.assemble(Stage("t", things, [camera], lamps=[Lamp((0, 3, 0), .1, (3, 3, 3))]), materials)
a = trace.render(world, camera, (8, 6), 1, 5)
b = trace_gpu.Gpu(materials)(world, camera, (8, 6), 1, 5)
assert np.abs(a - b).max() < 1e-2, np.abs(a - b).max((0, 1))
assert (a[..., 12] > 0).any()
"""


def test_the_functions_for_the_gpu_draw_what_those_for_the_cpu_draw() -> None:
    root = Path(__file__).parents[2]
    environment = {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        [sys.executable, "-c", GPU], env=environment, capture_output=True, text=True, cwd=root, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]


def test_blank_is_where_nothing_is_drawn() -> None:
    picture = np.full((40, 60, 3), 120, np.uint8)
    picture[:, 30:] = np.random.default_rng(0).integers(0, 255, (40, 30, 3))
    assert blank(picture)[:, :24].all()
    assert not blank(picture)[:, 36:].any()
