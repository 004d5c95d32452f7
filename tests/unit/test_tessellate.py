"""The kernels below the surface: cuts, hierarchy and triangulation, each against something slow and obvious."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from unflat.geometry import edges
from unflat.geometry.edges import CUT_DOWN, CUT_FALL, CUT_RIGHT, CUT_RISE, find_cuts
from unflat.geometry.normals import vertex_normals
from unflat.geometry.simplify_grid import error_pyramid, pad_to_lattice
from unflat.geometry.tessellate import Sheet, tessellate

TILE = 16


def rough(seed: int, shape: tuple[int, int], holes: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A bumpy field of inverse depth with a raised disc, and where it exists."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    d = 0.3 + 0.01 * x / shape[1] + 0.05 * np.sin(x / 5 + seed) * np.cos(y / 7)
    disc = (x - shape[1] * rng.uniform(0.2, 0.8)) ** 2 + (y - shape[0] * rng.uniform(0.2, 0.8)) ** 2
    d = np.where(disc < (min(shape) / 4) ** 2, d + 0.4, d)
    on = rng.random(shape) >= holes
    on[0, 0] = True
    return np.where(on, d, 0).astype(np.float32), on


def slow_excess(line: list[float | None], i: int) -> float:
    """What of the jump from line[i] to line[i + 1] neither side explains; None is no surface."""
    jump = line[i + 1] - line[i]  # type: ignore[operator]
    found = []
    for steps in ([(i - 1, i), (i - 2, i - 1)], [(i + 1, i + 2), (i + 2, i + 3)]):
        misses = []
        for a, b in steps:
            if a < 0 or b >= len(line) or line[a] is None or line[b] is None:
                break
            misses.append(abs(jump - (line[b] - line[a])))  # type: ignore[operator]
        found.append(max(misses) if misses else abs(jump))
    return min(found)


def slow_cuts(d: np.ndarray, on: np.ndarray, edge: float, floor: float) -> np.ndarray:
    """Cuts between side neighbours, one by one; every jump counts however short the outline."""
    h, w = d.shape
    out = np.zeros((2, h, w), bool)
    for k, (dy, dx) in enumerate(((0, 1), (1, 0))):
        for y in range(h - dy):
            for x in range(w - dx):
                v, u = y + dy, x + dx
                if on[y, x] != on[v, u]:
                    out[k, y, x] = True
                elif on[y, x]:
                    strip = (d[y], on[y]) if dx else (d[:, x], on[:, x])
                    line = [float(a) if b else None for a, b in zip(*strip, strict=True)]
                    limit = edge * max(min(d[y, x], d[v, u]), floor)
                    at = x if dx else y
                    out[k, y, x] = abs(line[at + 1] - line[at]) > limit and slow_excess(line, at) > limit  # type: ignore
    return out


@pytest.mark.parametrize("seed", range(4))
def test_cuts_equal_the_slow_oracle(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "SHORTEST", 0)
    d, on = rough(seed, (23, 31), holes=0.05)
    d += np.where(on, np.random.default_rng(seed).normal(0, 0.004, d.shape), 0).astype(np.float32)
    cuts = find_cuts(d, on, 0.05, 0.01)
    right, down = slow_cuts(d, on, 0.05, 0.01)
    assert right.any() and down.any()
    np.testing.assert_array_equal(cuts & CUT_RIGHT != 0, right)
    np.testing.assert_array_equal(cuts & CUT_DOWN != 0, down)


def test_diagonals_are_cut_exactly_where_no_way_leads_around() -> None:
    d, on = rough(3, (19, 17), holes=0.2)
    cuts = find_cuts(d, on, 0.05, 0.01)
    for y in range(18):
        for x in range(16):
            top, left = not cuts[y, x] & CUT_RIGHT, not cuts[y, x] & CUT_DOWN
            right, bottom = not cuts[y, x + 1] & CUT_DOWN, not cuts[y + 1, x] & CUT_RIGHT
            fall, rise = (top and right) or (left and bottom), (top and left) or (right and bottom)
            assert bool(cuts[y, x] & CUT_FALL) == (not fall and bool(on[y, x] or on[y + 1, x + 1]))
            assert bool(cuts[y, x + 1] & CUT_RISE) == (not rise and bool(on[y, x + 1] or on[y + 1, x]))


@pytest.mark.parametrize("name", list(worlds.WORLDS))
def test_cuts_lie_exactly_between_the_surfaces_of_a_known_world(name: str) -> None:
    world = worlds.WORLDS[name]()
    on = world.labels >= 0
    d = np.where(on, 1 / world.depth.values, 0).astype(np.float32)
    cuts = find_cuts(d, on, 0.06, 0.0)
    different = world.labels[:, 1:] != world.labels[:, :-1]
    occluding = different & (np.abs(np.diff(d, axis=1)) > 0.2 * np.minimum(d[:, 1:], d[:, :-1]))
    assert not ((cuts[:, :-1] & CUT_RIGHT != 0) & ~different).any(), "nothing is cut within a surface"
    assert not ((cuts[:, :-1] & CUT_RIGHT == 0) & occluding).any(), "every outline is cut"


def test_short_weak_cuts_are_noise_and_strong_ones_are_not() -> None:
    d = np.full((40, 40), 0.5, np.float32)
    on = np.ones(d.shape, bool)
    d[10, 10] = 0.5 * 1.1
    assert not find_cuts(d, on, 0.06, 0.0).any()
    d[10, 10] = 0.5 * 1.5
    assert find_cuts(d, on, 0.06, 0.0)[10, 10] & CUT_RIGHT


def build(d: np.ndarray, on: np.ndarray, limit: float, edge: float = 0.05) -> Sheet:
    """The sheet of a field at one limit."""
    lattice = pad_to_lattice(d, on, find_cuts(d, on, edge, 0.0), TILE)
    sheet = tessellate(lattice, error_pyramid(lattice, 1e-6, TILE, 0.75, 1.0), limit, TILE, 200_000)
    assert sheet is not None
    return sheet


def painted(sheet: Sheet, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """At every pixel centre: how many triangles cover it (nudged off the lattice), and the value of the last one."""
    count, value = np.zeros(shape, int), np.zeros(shape)
    nudge = np.array([1e-4, 2.3e-4])
    p = sheet.points.astype(np.float64)
    for a, b, c in p[sheet.faces.astype(int)]:
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        low, high = np.floor(np.minimum(np.minimum(a, b), c)[:2]), np.ceil(np.maximum(np.maximum(a, b), c)[:2])
        for y in range(max(0, int(low[1]) - 1), min(shape[0], int(high[1]) + 1)):
            for x in range(max(0, int(low[0]) - 1), min(shape[1], int(high[0]) + 1)):
                px, py = np.array([x + 0.5, y + 0.5]) + nudge
                s = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) / area
                t = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area
                if s >= 0 and t >= 0 and s + t <= 1:
                    count[y, x] += 1
                    value[y, x] = a[2] + s * (b[2] - a[2]) + t * (c[2] - a[2])
    return count, value


def signed_areas(sheet: Sheet) -> np.ndarray:
    """Twice the area of each triangle over the picture; negative is counter-clockwise as seen (y points down)."""
    a, b, c = (sheet.points[sheet.faces[:, i], :2].astype(np.float64) for i in range(3))
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


@pytest.mark.parametrize(("seed", "limit"), [(0, 0.002), (1, 0.01), (2, 0.03)])
def test_the_error_is_bounded_and_every_pixel_is_covered_once(seed: int, limit: float) -> None:
    d, on = rough(seed, (41, 58))
    sheet = build(d, on, limit)
    count, value = painted(sheet, d.shape)
    assert (count == 1).all()
    miss = np.abs(value - d) / d
    sure = miss < 0.2
    assert miss[sure].max() <= limit * 1.05 + 1e-4
    cuts = find_cuts(d, on, 0.05, 0.0)
    beside = cuts != 0
    beside[:, 1:] |= cuts[:, :-1] & CUT_RIGHT != 0
    beside[1:] |= cuts[:-1] & CUT_DOWN != 0
    assert not (~sure & ~beside).any(), "only pixels beside a cut may have changed sides"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 45), st.integers(2, 45), st.sampled_from([0.0, 0.1, 0.5]))
def test_the_sheet_covers_the_picture_counter_clockwise(seed: int, h: int, w: int, holes: float) -> None:
    d, on = rough(seed, (h, w), holes)
    sheet = build(d, on, 0.01)
    areas = signed_areas(sheet)
    assert (areas <= 1e-6).all()
    assert sheet.points[:, 0].min() >= 0 and sheet.points[:, 0].max() <= w
    assert sheet.points[:, 1].min() >= 0 and sheet.points[:, 1].max() <= h
    assert on.ravel()[sheet.source].all()
    assert len(sheet.faces) and int(sheet.faces.max()) == len(sheet.points) - 1
    if holes == 0:
        np.testing.assert_allclose(-areas.sum() / 2, h * w, rtol=1e-6)


def test_a_sheet_has_open_edges_only_at_its_border_and_along_cuts() -> None:
    d, on = rough(5, (70, 90))
    sheet = build(d, on, 0.004)
    h, w = d.shape
    f = sheet.faces.astype(np.int64)
    sides = np.sort(np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]), axis=1)
    pairs, times = np.unique(sides, axis=0, return_counts=True)
    assert times.max() == 2
    ends = sheet.points[pairs[times == 1]][..., :2]
    at_border = np.zeros(len(ends), bool)
    for axis, bound in ((0, 0), (0, w), (1, 0), (1, h)):
        at_border |= (np.abs(ends[:, :, axis] - bound) < 1e-5).all(axis=1)
    at_cut = (np.abs((ends - 0.5) - np.round(ends - 0.5)).max(axis=2) > 1e-3).all(axis=1)
    assert (at_border | at_cut).all()
    assert at_cut.any() and at_border.any()


def test_a_plane_takes_two_triangles_a_tile() -> None:
    y, x = np.mgrid[:63, :47]
    d = (0.2 + 0.003 * x + 0.002 * y).astype(np.float32)
    sheet = build(d, np.ones(d.shape, bool), 1e-4)
    assert len(sheet.faces) <= 4 * 5 * 4
    np.testing.assert_allclose(
        sheet.points[:, 2], 0.2 + 0.003 * (sheet.points[:, 0] - 0.5) + 0.002 * (sheet.points[:, 1] - 0.5), rtol=1e-5
    )


def test_a_smaller_limit_takes_more_triangles_and_too_few_are_refused() -> None:
    d, on = rough(1, (60, 60))
    numbers = [len(build(d, on, limit).faces) for limit in (0.05, 0.01, 0.002)]
    assert numbers == sorted(numbers) and numbers[0] < numbers[2]
    lattice = pad_to_lattice(d, on, find_cuts(d, on, 0.05, 0.0), TILE)
    worst = error_pyramid(lattice, 1e-6, TILE, 0.75, 1.0)
    assert tessellate(lattice, worst, 0.002, TILE, numbers[2] - 1) is None
    assert tessellate(lattice, worst, 0.002, TILE, numbers[2]) is not None


def test_a_straight_slanted_outline_loses_its_stairs() -> None:
    y, x = np.mgrid[:64, :64]
    near = x > 20 + 0.4 * y
    d = np.where(near, 1.0, 0.25).astype(np.float32)
    sheet = build(d, np.ones(d.shape, bool), 0.01)
    rim = sheet.points[(np.abs(sheet.points[:, 0] * 2 - np.round(sheet.points[:, 0] * 2)) < 1e-5)]
    rim = rim[(np.abs(rim[:, 0] - 0.5 - np.round(rim[:, 0] - 0.5)) > 0.1) & (rim[:, 1] > 1) & (rim[:, 1] < 63)]
    rim = rim[(rim[:, 0] > 1) & (rim[:, 0] < 63)]
    off = (rim[:, 0] - 0.5) - (20 + 0.4 * (rim[:, 1] - 0.5))
    assert len(rim) < 64, "fewer points than the outline has rows, on both sides together"
    assert len(rim) > 6 and np.abs(off).max() < 1.1


def test_normals_face_the_camera_and_are_the_planes_own() -> None:
    vertices = np.array([[0, 0, 2], [0, 1, 2], [1, 0, 2], [1, 1, 2]], np.float32)
    faces = np.array([[0, 1, 2], [2, 1, 3]], np.uint32)
    np.testing.assert_allclose(vertex_normals(vertices, faces), np.tile([0, 0, -1], (4, 1)), atol=1e-7)
    lonely = vertex_normals(np.array([[0, 0, 3]], np.float32), np.zeros((0, 3), np.uint32))
    np.testing.assert_allclose(lonely, [[0, 0, -1]])
