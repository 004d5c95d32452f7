"""The loops of multi-view stereo against slow, obvious ways, and on places of known shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.view_worlds import Paint, Patch, Place, arc, look_at, place

from unflat.geometry import patch_cost as pc
from unflat.geometry import patch_match as pm
from unflat.geometry.agreement import normals_of, verdict, without_specks
from unflat.geometry.patch_match import improved
from unflat.geometry.rig import Planes, Rig
from unflat.geometry.settle_planes import settled
from unflat.geometry.sweep import cost_volume, planes_between, smoothest, swept, swept_planes
from unflat.types.camera import Intrinsics
from unflat.types.image import Size

SIZE = Size(96, 72)


@pytest.fixture(scope="module")
def tilted() -> Place:
    """A textured plane, tilted by 40 degrees, without noise."""
    t = np.radians(40)
    wall = Patch((0, 0, 0), (2 * np.cos(t), 0, 2 * np.sin(t)), (0, 2, 0), Paint(contrast=90, grain=0.06))
    return place([wall], Intrinsics.from_fov(50, SIZE), arc(3, (0, 0, -2), (0, 0, 0), 16), noise=0)


def rig_of(world: Place, reference: int, noise: float = 2.0) -> Rig:
    views = world.reconstruction.views
    greys = [v.still.read().astype(np.float32).mean(-1).astype(np.float32) for v in views]
    others = [n for n in range(len(views)) if n != reference]
    k = views[0].lens.intrinsics.matrix
    ways = []
    for other in others:
        motion = np.linalg.inv(views[other].pose.world_from_camera) @ views[reference].pose.world_from_camera
        turned = k @ motion[:3, :3] @ np.linalg.inv(k)
        ways.append(np.concatenate([turned.ravel(), k @ motion[:3, 3], (SIZE.width, SIZE.height)]))
    wanted = np.ones(SIZE.shape, bool)
    return Rig(
        greys[reference],
        wanted,
        np.stack([greys[n] for n in others]),
        np.array(ways, np.float32),
        views[0].lens.intrinsics,
        noise,
    )


def slow_cost(rig: Rig, s: int, x: int, y: int, plane: tuple[float, float, float]) -> float:
    """1 - weighted correlation, every sample by its own ray through the plane."""
    way = rig.ways[s].astype(np.float64)
    a, b = way[:9].reshape(3, 3), way[9:12]
    values, seen, weights = [], [], []
    for j in range(-4, 5, 2):
        for i in range(-4, 5, 2):
            w = plane[0] + plane[1] * i + plane[2] * j
            u, v, z = a @ (x + 0.5 + i, y + 0.5 + j, 1) + b * w
            u, v = u / z - 0.5, v / z - 0.5
            p, q = int(np.floor(u)), int(np.floor(v))
            four = rig.sources[s, q : q + 2, p : p + 2].astype(np.float64)
            seen.append(float(np.array([1 - (v - q), v - q]) @ four @ np.array([1 - (u - p), u - p])))
            values.append(float(rig.grey[y + j, x + i]))
            off = values[-1] - float(rig.grey[y, x])
            weights.append(np.exp(-(off**2) / (2 * 12**2) - (i * i + j * j) / (2 * 4**2)))
    w = np.array(weights) / np.sum(weights)
    r, t = np.array(values) - w @ values, np.array(seen) - w @ seen
    return float(1 - w @ (r * t) / np.sqrt((w @ r**2 + rig.noise**2) * (w @ t**2 + rig.noise**2)))


def test_the_cost_is_that_of_the_slow_way(tilted: Place) -> None:
    rig = rig_of(tilted, 1)
    rng = np.random.default_rng(0)
    inverse = (1 / tilted.depths[1]).astype(np.float32)
    gradient = np.stack(np.gradient(inverse)[::-1]).astype(np.float32)
    numbers = pc.numbers_of(rig, (0.1, 2.0), 1.0, 0.0, 0.8)
    spot, patch = np.zeros(8, np.float32), np.zeros((4, pc.SAMPLES), np.float32)
    made = pc.pyramid(rig)
    told = []
    for _ in range(40):
        x, y, s = int(rng.integers(30, 66)), int(rng.integers(20, 52)), int(rng.integers(2))
        w, gx, gy = float(inverse[y, x] * rng.uniform(0.95, 1.05)), *(float(g) for g in gradient[:, y, x])
        mean, variance = pc.take_patch.py_func(made.grey, 0, x, y, numbers, patch)
        spot[:] = (x + 0.5, y + 0.5, w, gx, gy, mean, variance, rig.noise**2)
        got = float(pc.match.py_func(made.sources, rig.ways, s, spot, patch, 0))
        told.append((got, slow_cost(rig, s, x, y, (w, gx, gy))))
    got, slow = np.array(told).T
    np.testing.assert_allclose(got, slow, atol=0.02)  # over a window the way into the source is taken as affine
    assert np.ptp(slow) > 0.2


def test_where_there_is_little_to_see_more_of_it_is_looked_at(tilted: Place) -> None:
    clear = rig_of(tilted, 1)
    faint = replace(clear, grey=100 + clear.grey / 20, noise=2.0)
    sizes = [pc.scales_of(pc.pyramid(rig), pc.numbers_of(rig, (0.1, 2.0), 1.0, 0.0, 0.8)) for rig in (clear, faint)]
    assert np.median(sizes[0]) == 0 and (sizes[1] >= sizes[0]).all() and sizes[1].mean() > 1
    made = pc.pyramid(clear)
    assert [g.shape for g in made.grey] == [(72 >> k, 96 >> k) for k in range(pc.SCALES)]
    np.testing.assert_allclose(made.grey[3].mean(), clear.grey.mean(), rtol=1e-5)


def test_planes_settle_into_those_around_them_and_edges_stay(tilted: Place) -> None:
    rig = rig_of(tilted, 1)
    rng = np.random.default_rng(0)
    x = np.arange(96, dtype=np.float32)
    step = np.where(x < 48, 0.5, 0.3).astype(np.float32)
    exact = np.broadcast_to(step + 1e-4 * x, SIZE.shape)
    noisy = (exact + rng.normal(0, 0.3 / rig.pixels_per_inverse, SIZE.shape)).astype(np.float32)
    noisy[rng.random(SIZE.shape) < 0.1] = 0.9  # not where the others are
    nothing = np.zeros((2, *SIZE.shape), np.float32)
    rig = replace(rig, grey=np.where(x < 48, 60, 140) + np.zeros(SIZE.shape, np.float32))
    planes, support = settled(rig, Planes(noisy, nothing, nothing[0]))
    off = np.abs(planes.inverse - exact) * rig.pixels_per_inverse
    assert np.median(off) < 0.1 and (off < 0.5).mean() > 0.97
    assert 0.3 < np.median(support) <= 1
    assert np.median(np.abs(planes.gradient[0] - 1e-4)) * rig.pixels_per_inverse < 0.05


def test_chance_is_even_and_repeats() -> None:
    with np.errstate(over="ignore"):
        drawn = np.array([pm._chance.py_func(x, y, s) for x in range(20) for y in range(20) for s in range(5)])
    assert abs(drawn.mean()) < 0.05 and drawn.min() < -0.99 and drawn.max() > 0.99
    np.testing.assert_allclose(np.histogram(drawn, 8)[0] / len(drawn), 1 / 8, atol=0.03)
    assert len(np.unique(drawn)) > 0.99 * len(drawn)


def test_a_tilted_plane_is_found(tilted: Place) -> None:
    rig = rig_of(tilted, 1)
    limits = (0.2, 1.2)
    start = swept(rig, limits)
    nothing = np.zeros((2, *SIZE.shape), np.float32)
    found = improved(rig, Planes(start, nothing, np.full(SIZE.shape, 2, np.float32)), limits, 3)
    again = improved(rig, Planes(start, nothing, np.full(SIZE.shape, 2, np.float32)), limits, 3)
    np.testing.assert_array_equal(found.inverse, again.inverse)
    inside = (slice(8, -8), slice(16, -16))
    off = np.abs(found.inverse * tilted.depths[1] - 1)[inside]
    before = np.abs(start * tilted.depths[1] - 1)[inside]
    assert np.median(off) < 0.002 and (off < 0.01).mean() > 0.97
    assert np.median(off) < 0.5 * np.median(before)
    normals = normals_of(found.inverse, found.gradient, rig.camera.matrix)[inside]
    t = np.radians(40)
    straight = normals.reshape(-1, 3) @ np.array([np.sin(t), 0, -np.cos(t)])
    assert np.median(straight) > np.cos(np.radians(5))


def test_the_sweep_of_one_plane_is_a_slow_correlation(tilted: Place) -> None:
    rig = rig_of(tilted, 1)
    planes = planes_between(rig, (0.3, 0.8))
    volume = cost_volume(rig, planes)
    k, x, y, costs = 9, 50, 33, []
    for s in range(2):
        way = rig.ways[s].astype(np.float64)
        values, seen = [], []
        for j in range(-3, 4):
            for i in range(-3, 4):
                u, v, z = way[:9].reshape(3, 3) @ (x + i + 0.5, y + j + 0.5, 1) + way[9:12] * planes[k]
                u, v = u / z - 0.5, v / z - 0.5
                p, q = int(u), int(v)
                four = rig.sources[s, q : q + 2, p : p + 2]
                seen.append(np.array([1 - (v - q), v - q]) @ four @ np.array([1 - (u - p), u - p]))
                values.append(rig.grey[y + j, x + i])
        c = np.cov(values, seen, bias=True)
        costs.append(1 - c[0, 1] / np.sqrt((c[0, 0] + 4) * (c[1, 1] + 4)))
    assert volume[y, x, k] == pytest.approx(np.mean(costs) * 64, abs=2)  # OpenCV places warped pixels to 1/32


def test_floors_are_swept_level() -> None:
    floor = Patch((0, 0, 2), (3, 0, 0), (0, 0, 3), Paint(contrast=60, grain=0.08))
    poses = [look_at((0.25 * k, -1.0, -1.0), (0.25 * k, -0.5, 1.0)) for k in range(3)]
    world = place([floor], Intrinsics.from_fov(60, SIZE), poses, noise=0)
    turned = world.reconstruction.views[1].pose.world_from_camera[:3, :3]
    rig = replace(rig_of(world, 1), down=turned.T @ (0.0, 1.0, 0.0))
    inverse, gradient = swept_planes(rig, (0.15, 1.2))
    inside = np.zeros(SIZE.shape, bool)
    inside[40:68, 12:-12] = True
    exact = 1 / world.depths[1]
    level = np.isfinite(gradient[0])
    assert level[inside].mean() > 0.8
    assert np.median(np.abs(inverse * world.depths[1] - 1)[inside]) < 0.01
    slopes = [g[inside & level] for g in (gradient[1], np.gradient(exact)[0])]
    assert np.median(np.abs(slopes[0] / slopes[1] - 1)) < 0.03


def test_paths_are_those_of_the_slow_way() -> None:
    rng = np.random.default_rng(3)
    volume = rng.integers(0, 128, (5, 6, 7), dtype=np.uint8)
    grey = rng.uniform(0, 30, (5, 6)).astype(np.float32)
    expected = np.zeros(volume.shape)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        path = np.zeros(volume.shape)
        for y in range(5)[:: dy or 1]:
            for x in range(6)[:: dx or 1]:
                v, u = y - dy, x - dx
                path[y, x] = volume[y, x]
                if not (0 <= v < 5 and 0 <= u < 6):
                    continue
                beside = grey[y, u] if dy == 0 else grey[v, x]
                jump = int(max(60 / (1 + abs(grey[y, x] - beside) / 8), 12))
                before = path[v, u]
                for d in range(7):
                    ways = [before[d], before.min() + jump]
                    ways += [before[e] + 6 for e in (d - 1, d + 1) if 0 <= e < 7]
                    path[y, x, d] += min(ways) - before.min()
        expected += path
    np.testing.assert_array_equal(smoothest(volume, grey), expected)


def test_agreement_counts_those_that_see_the_same_and_those_that_look_through(tilted: Place) -> None:
    exact = [(1 / d).astype(np.float32) for d in tilted.depths]
    stacked = [np.stack([e, *np.gradient(e)[::-1]]).astype(np.float32) for e in exact]
    there = rig_of(tilted, 1).ways
    back = np.stack([rig_of(tilted, 0).ways[0], rig_of(tilted, 2).ways[1]])
    others = np.stack([stacked[0], stacked[2]])
    inside = (slice(8, -8), slice(16, -16))
    judged = verdict(stacked[1], others, there, back)
    assert (judged.agree[inside] == 2).all() and not judged.against[inside].any()
    np.testing.assert_allclose(judged.inverse[inside], exact[1][inside], rtol=1e-3)
    near = stacked[1].copy()
    near[0, 30:40, 40:50] *= 1.3  # floats before the plane: both see through it
    judged = verdict(near, others, there, back)
    assert (judged.against[30:40, 40:50] == 2).all() and not judged.agree[30:40, 40:50].any()
    far = stacked[1].copy()
    far[0, 30:40, 40:50] *= 0.7  # hidden behind the plane: nobody can tell
    judged = verdict(far, others, there, back)
    assert not judged.against[30:40, 40:50].any() and not judged.agree[30:40, 40:50].any()


def test_specks_go_and_large_things_stay() -> None:
    inverse = np.zeros((40, 60), np.float32)
    inverse[5:35, 5:30] = 0.5
    inverse[10:13, 40:43] = 0.5
    inverse[20:23, 10:13] = 0.9  # in the middle of the large one, but far before it
    kept = without_specks(inverse, 100, 12)
    assert kept[5, 5] and kept[34, 29] and not kept[11, 41] and not kept[21, 11] and not kept[0, 0]
