"""A reconstruction in any axes and unit is stood upright, on its floor, in metres: on known worlds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.scan_draw import Array, Solid
from tests.scan_places import PLACES, marker, room
from tests.scan_worlds import KnownFilm, projected

from unflat.errors import InputError
from unflat.stages.locate_mark import Located, length_between, located_twice, of_neighbours, together
from unflat.stages.marked_length import MarkedLength
from unflat.stages.place_scene import Hints, PlaceOptions, place_scene
from unflat.types.camera import Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.views import Reconstruction, Similarity, SparsePoints

SIZE = Size(256, 192)


def turned(rng: np.random.Generator) -> Array:
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def hand_held(film: KnownFilm, seed: int) -> KnownFilm:
    """The same film, each picture rolled by some degrees."""
    rolls = np.random.default_rng(seed).normal(0, 0.07, film.count)

    def path(t: float) -> Pose:
        c, s = np.cos(rolls[int(t)]), np.sin(rolls[int(t)])
        m = film.path(t).world_from_camera.copy()
        m[:3, :3] = m[:3, :3] @ [[c, -s, 0], [s, c, 0], [0, 0, 1]]
        return Pose(m)

    return replace(film, path=path)


@cache
def filmed(name: str) -> tuple[KnownFilm, Reconstruction]:
    film = hand_held(PLACES[name](SIZE, 24), 3)
    frames = {i: film.frame(i) for i in range(film.count)}
    known = film.reconstruction(points=1200, noise_px=0.5)
    views = tuple(replace(v, still=replace(v.still, read=lambda i=i: frames[i])) for i, v in enumerate(known.views))
    return film, replace(known, views=views)


def lost(known: Reconstruction, seed: int, noise: float = 0.003) -> tuple[Reconstruction, Similarity]:
    """The reconstruction as a tracker hands it over: points with errors, in free axes and a free unit."""
    rng = np.random.default_rng(seed)
    away = Similarity(float(np.exp(rng.normal())), turned(rng), rng.normal(size=3))
    eyes = np.stack([view.pose.centre for view in known.views])
    size = np.median(np.linalg.norm(known.points.xyz - eyes.mean(0), axis=1))
    xyz = known.points.xyz + noise * size * rng.standard_normal(known.points.xyz.shape)
    return replace(known, points=replace(known.points, xyz=xyz), level=False, scale=None).moved(away), away


def up_error_deg(placed: Reconstruction, film: KnownFilm) -> float:
    """Between the true up and the placed one, as the cameras carry both."""
    there, true = placed.views[0].pose.world_from_camera[:3, :3], film.poses[0].world_from_camera[:3, :3]
    return float(np.degrees(np.arccos(np.clip((there.T @ [0, -1, 0]) @ (true.T @ [0, -1, 0]), -1, 1))))


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("seed", range(3))
def test_up_and_floor_are_found(name: str, seed: int) -> None:
    film, known = filmed(name)
    placed, notes = place_scene(lost(known, seed)[0], Hints(), PlaceOptions())
    assert placed.level and placed.scale is not None and placed.scale.assumed
    assert up_error_deg(placed, film) < 1.0
    floor = -0.75 if name == "thing" else 0.0  # of the table that the thing stands on
    unit = true_over_placed(placed, known)
    size = np.ptp(known.points.xyz, axis=0).max()
    assert abs(unit * placed.views[0].pose.centre[1] - (known.views[0].pose.centre[1] - floor)) < 0.01 * size
    assert any("assumed" in note for note in notes) and any("up is told by" in note for note in notes)


def test_axes_are_those_of_the_first_camera_made_level() -> None:
    film, known = filmed("room")
    placed, _ = place_scene(lost(known, 0)[0], Hints(), PlaceOptions())
    first = placed.views[0].pose.world_from_camera
    assert np.allclose(first[[0, 2], 3], 0, atol=1e-9) and first[1, 3] < 0
    assert abs(first[0, 2]) < 1e-9 and first[2, 2] > 0.7  # it looks along z
    turn = first[:3, :3] @ film.poses[0].world_from_camera[:3, :3].T
    assert np.linalg.det(turn) == pytest.approx(1) and turn[1, 1] > 0.999


def test_pictures_without_edges_or_floor_still_stand_upright() -> None:
    _, known = filmed("room")
    grey = np.full((*SIZE.shape, 3), 128, np.uint8)
    views = tuple(replace(v, still=replace(v.still, read=lambda: grey)) for v in known.views)
    high = known.points.xyz[:, 1] < -1.0
    few = replace(known.points, xyz=np.where(high[:, None], known.points.xyz, [[0.0, -2.0, 0.0]]))
    film = filmed("room")[0]
    placed, notes = place_scene(lost(replace(known, views=views, points=few), 1)[0], Hints(), PlaceOptions())
    assert up_error_deg(placed, film) < 4.0
    assert any("no floor is seen" in note for note in notes)


def marked(film: KnownFilm, i: int, ends: Array, rng: np.random.Generator | None = None) -> str:
    """Two points of the world as a user marks them in a frame: a pixel of 640 across is 0.4 of these."""
    pixels, _ = projected(ends, film.lens, film.poses[i])
    if rng is not None:
        pixels = pixels + rng.uniform(-0.4, 0.4, (2, 2))
    return f"{i:06d}:" + ",".join(f"{value:.2f}" for value in pixels.ravel())


PICTURE = np.array([[-1.2, -1.1, -1.97], [0.2, -1.1, -1.97]])
"""The lower corners of a picture on the wall of the room."""


@pytest.mark.parametrize("frames", [(5,), (4, 6)])
def test_a_known_length_gives_the_metres(frames: tuple[int, ...]) -> None:
    film, known = filmed("room")
    off, inside = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        free, _ = lost(known, seed)
        text = "+".join(marked(film, i, PICTURE, rng) for i in frames) + "=1.4"
        placed, _ = place_scene(free, Hints(), PlaceOptions(known_length=MarkedLength.parse(text)))
        assert placed.scale is not None and placed.scale.basis == "known-length"
        ratio = true_over_placed(placed, known)
        off.append(abs(ratio - 1))
        inside.append(placed.scale.low <= ratio <= placed.scale.high)
    assert np.median(off) < 0.01 and max(off) < 0.02
    assert all(inside)


def with_marker() -> KnownFilm:
    """Four views of a marker of 0.3 m on the wall, some 30 pixels wide."""
    film = room(Size(480, 360), 4)
    beside = marker((-0.2, -1.05, -1.965), np.array([-0.3, 0, 0]), np.array([0, 0.3, 0]))
    path = room(Size(480, 360), 40).path
    return replace(film, solid=Solid.of(film.solid, beside), path=lambda t: path(5 + 2 * t))


def test_a_printed_marker_gives_the_metres() -> None:
    known = with_marker().reconstruction(1, 400)
    placed, notes = place_scene(lost(known, 2)[0], Hints(), PlaceOptions(marker_mm=300))
    assert placed.scale is not None and placed.scale.basis == "marker" and "4X4_1000 7" in placed.scale.detail
    assert_true_metres(placed, known, 0.01)
    assert not any("assumed" in note for note in notes)


def true_over_placed(placed: Reconstruction, known: Reconstruction) -> float:
    """How much larger the true place is than the placed one, by the way that the camera went."""
    eyes, true = (np.stack([v.pose.centre for v in views]) for views in (placed.views, known.views))
    return float(np.linalg.norm(np.diff(true, axis=0)) / np.linalg.norm(np.diff(eyes, axis=0)))


def assert_true_metres(placed: Reconstruction, known: Reconstruction, within: float) -> None:
    ratio = true_over_placed(placed, known)
    assert abs(ratio - 1) < within
    assert placed.scale is not None and placed.scale.low <= ratio <= placed.scale.high


def test_depth_in_metres_gives_the_metres() -> None:
    film, known = filmed("room")
    maps = {f"{i:06d}": film.depth(i) for i in (0, 7, 15)}
    placed, _ = place_scene(lost(known, 4)[0], Hints(depths=maps), PlaceOptions())
    assert placed.scale is not None and placed.scale.basis == "metric-source"
    assert_true_metres(placed, known, 0.01)
    free = lost(known, 5)[0]
    already = replace(free.moved(Similarity(1.02, np.eye(3), np.zeros(3))), scale=placed.scale)
    again, _ = place_scene(already, Hints(), PlaceOptions())
    assert again.scale == placed.scale  # a tracker that has metres keeps them


def test_the_network_is_asked_last() -> None:
    film, known = filmed("room")
    asked = []

    def guess(pixels: np.ndarray) -> DepthMap:
        i = next(k for k, v in enumerate(known.views) if np.array_equal(v.still.read(), pixels))
        asked.append(i)
        return DepthMap(1.1 * np.asarray(film.depth(i).values), DepthKind.METRIC)

    placed, _ = place_scene(lost(known, 6)[0], Hints(guess=guess), PlaceOptions())
    assert placed.scale is not None and placed.scale.basis == "metric-source" and 2 <= len(asked) <= 6
    assert_true_metres(placed.moved(Similarity(1 / 1.1, np.eye(3), np.zeros(3))), known, 0.02)
    assert placed.scale.low < 1 / 1.1 < placed.scale.high
    maps = {f"{i:06d}": film.depth(i) for i in (0, 7, 15)}
    asked.clear()
    place_scene(lost(known, 6)[0], Hints(depths=maps, guess=guess), PlaceOptions())
    assert not asked


def test_what_cannot_be_found_is_said() -> None:
    free, _ = lost(filmed("room")[1], 0)
    with pytest.raises(InputError, match="no marker"):
        place_scene(free, Hints(), PlaceOptions(marker_mm=100))
    with pytest.raises(InputError, match="no picture is called 000077"):
        place_scene(free, Hints(), PlaceOptions(known_length=MarkedLength.parse("000077:1,2,3,4=1")))
    with pytest.raises(InputError, match="outside 000003"):
        place_scene(free, Hints(), PlaceOptions(known_length=MarkedLength.parse("000003:1,2,3,400=1")))
    with pytest.raises(InputError, match="no picture found its place"):
        place_scene(replace(free, views=()), Hints(), PlaceOptions())


def test_error_bars_hold_as_often_as_they_say() -> None:
    """Two points, each marked within a pixel in two pictures, two hundred times: nine bars in ten hold the truth."""
    film = room(Size(640, 480), 40)
    scene = Reconstruction((film.view(8), film.view(11)), SparsePoints.none())
    true = float(np.linalg.norm(PICTURE[1] - PICTURE[0]))
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ends: list[Located] = []
        for end in PICTURE:
            pixels = [projected(end[None], film.lens, film.poses[i])[0][0] + rng.uniform(-1, 1, 2) for i in (8, 11)]
            met = located_twice(scene, list(enumerate(pixels)))
            assert met is not None
            ends.append(met)
        length, error = length_between(*ends)
        held += abs(np.log(true / length)) <= 1.645 * error
    assert 0.83 <= held / 200 <= 0.99


def test_what_contradicts_the_meeting_of_the_rays_is_left_out() -> None:
    meeting = Located(np.array([1.0, 0.0, 3.0]), 0.01**2 * np.eye(3))
    near = Located(np.array([1.01, 0.0, 3.0]), 0.01**2 * np.eye(3))
    far = Located(np.array([1.0, 0.0, 4.0]), 0.001**2 * np.eye(3))
    both = together([near, far], meeting)
    assert both is not None and np.allclose(both.xyz, [1.005, 0, 3])
    alone = together([near, far, None], None)
    assert alone is far
    assert together([None], None) is None


def test_a_plain_spot_is_read_off_the_plane_of_its_neighbours() -> None:
    """Points of a slanted wall around a mark, with noise: where they lie, and how often the bar holds."""
    held, off = 0, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        around = rng.uniform(-1, 1, (20, 2))
        inverse = 0.5 + 0.1 * around[:, 0] - 0.05 * around[:, 1] + 0.01 * rng.standard_normal(20)
        inverse[0] = 0.9  # one on something nearer
        found = of_neighbours(around, inverse, 1.5)
        assert found is not None
        off.append(abs(found[0] - 0.5))
        held += off[-1] <= 1.645 * found[1]
    assert np.median(off) < 0.004
    assert 0.8 <= held / 200 <= 1.0
    assert of_neighbours(np.zeros((3, 2)), np.ones(3), 1.0) is None
