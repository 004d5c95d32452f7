"""The known films tell the truth: pictures, depth, masks and points of one place agree."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.scan_draw import MOVER, STATIC, Paint, Solid, box, covered, rays_of
from tests.scan_places import PLACES, room, thing, troubled
from tests.scan_worlds import KnownFilm, Trouble, lens_of, lifted, looking, projected

from unflat.types.image import Size

TINY = Size(64, 48)


def slow_depth(film: KnownFilm, i: int, x: float, y: float) -> float:
    """z along one ray, triangle after triangle (Möller and Trumbore, 1997)."""
    m = film.poses[i].world_from_camera
    way = m[:3, :3] @ [x, y, 1.0]
    a, b, c = (film.solid.corners[:, k] for k in range(3))
    p = np.cross(np.broadcast_to(way, a.shape), c - a)
    det = ((b - a) * p).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = m[:3, 3] - a
        u = (s * p).sum(1) / det
        q = np.cross(s, b - a)
        v, t = (q @ way) / det, ((c - a) * q).sum(1) / det
    hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return float(t[hit].min()) if hit.any() else np.inf


@pytest.mark.parametrize("name", PLACES)
def test_depth_is_that_of_each_ray(name: str) -> None:
    film = PLACES[name](TINY, 5)
    z = film.seen(1)[0]
    x, y = rays_of(film.lens)
    for row in range(3, 48, 9):
        for column in range(2, 64, 11):
            assert z[row, column] == pytest.approx(slow_depth(film, 1, x[row, column], y[row, column]), rel=1e-9)


@pytest.mark.parametrize("k1", [0.0, -0.12])
def test_points_are_seen_where_they_were_lifted_from(k1: float) -> None:
    film = room(TINY, 5, lens=lens_of(TINY, 70, k1, 0.02 if k1 else 0.0))
    xyz = lifted(film.seen(2)[0], film.lens, film.poses[2]).reshape(-1, 3)
    pixel, z = projected(xyz, film.lens, film.poses[2])
    columns, rows = np.meshgrid(np.arange(64) + 0.5, np.arange(48) + 0.5)
    assert np.abs(pixel - np.stack([columns.ravel(), rows.ravel()], 1)).max() < 1e-6
    assert (z > 0).all()


def test_a_bent_lens_leaves_no_gaps() -> None:
    straight, curved = (covered(room(TINY).solid, room(TINY).poses[0], lens_of(TINY, 70, k1))[1] for k1 in (0, -0.12))
    assert (straight >= 0).all() and (curved >= 0).all()


@pytest.mark.parametrize("name", PLACES)
def test_two_pictures_of_one_spot_agree(name: str) -> None:
    film = PLACES[name](Size(160, 120), 40)
    one, other = film.frame(3), film.frame(4)
    xyz = lifted(film.seen(3)[0], film.lens, film.poses[3])
    pixel, z = projected(np.nan_to_num(xyz, posinf=0, neginf=0).reshape(-1, 3), film.lens, film.poses[4])
    grid = pixel.reshape(120, 160, 2).astype(np.float32) - 0.5
    there = cv2.remap(film.seen(4)[0].astype(np.float32), grid[..., 0], grid[..., 1], cv2.INTER_NEAREST)
    same = np.abs(there / z.reshape(120, 160) - 1) < 0.01
    again = cv2.remap(other, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
    off = np.abs(one.astype(float) - again)[same]
    moved = np.abs(one.astype(float) - other)[same]
    assert same.mean() > 0.5
    assert off.mean() < 4 and off.mean() < 0.6 * moved.mean()


def test_the_surface_is_what_was_seen() -> None:
    white = Paint("plaster", 1, (1, 1, 1), (1, 1, 1))
    film = replace(thing(TINY, 4), figure=lambda _: box((-0.12, -1.0, -0.12), (-0.1, -0.76, -0.1), white))
    points = film.surface(0.02)
    assert len(points) > 300
    cubes = np.floor(points / 0.02)
    assert len(np.unique(cubes, axis=0)) == len(points)
    inside = ((points > [-0.121, -1.0, -0.121]) & (points < [-0.099, -0.76, -0.099])).all(1)
    assert not inside.any()  # what moves is no part of the place
    assert (film.seen(0)[1] == MOVER).any() and not film.depth(0).seen[film.seen(0)[1] == MOVER].any()


def test_true_points_are_where_their_views_say() -> None:
    known = room(TINY, 5).reconstruction(points=200)
    sparse = known.points
    for k, view in enumerate(known.views):
        here = sparse.view == k
        pixel, _ = projected(sparse.xyz[sparse.point[here]], view.lens, view.pose)
        assert here.any() and np.abs(pixel - sparse.pixel[here]).max() < 1e-3
    assert len(np.unique(sparse.point)) == len(sparse.xyz)


def test_trouble_changes_the_picture_but_not_the_truth() -> None:
    plain = room(TINY, 40)
    for trouble in (Trouble(noise=5), Trouble(shutter=0.5), Trouble(exposure=0.5), Trouble(focus=2), Trouble(jpeg=50)):
        poor = replace(plain, trouble=trouble)
        changed = np.abs(poor.frame(2).astype(float) - plain.frame(2)).mean()
        assert 0.2 < changed < 40, trouble
        assert np.array_equal(poor.frame(2), poor.frame(2))
        assert np.array_equal(poor.seen(2)[0], plain.seen(2)[0])


def test_someone_walks_through_the_room() -> None:
    film = troubled(room(TINY, 40))
    share = [float((film.seen(i)[1] == MOVER).mean()) for i in range(0, 40, 4)]
    assert max(share) > 0.03
    feet = [float(film.figure(t).corners[..., 1].max()) for t in (0.0, 3.0)] if film.figure else []
    assert feet and all(-0.2 < f < 0.02 for f in feet)


def test_a_look_is_level_and_has_its_target_in_the_middle() -> None:
    pose = looking(np.array([1.0, -1.5, 0.3]), np.array([-2.0, -0.2, 4.0]))
    pixel, z = projected(np.array([[-2.0, -0.2, 4.0]]), lens_of(TINY, 60), pose)
    assert np.allclose(pixel, [[32, 24]]) and z[0] > 0
    assert abs(pose.world_from_camera[1, 0]) < 1e-12 and pose.world_from_camera[1, 1] > 0


def test_a_thing_that_is_moved_keeps_its_pattern() -> None:
    cube = box((0, 0, 0), (1, 1, 1), Paint("patches", 0.2, (0, 0, 0), (1, 1, 1)))
    place = np.eye(4)
    place[:3, 3] = 1, 2, 3
    moved = cube.moved(place)
    at, before = moved.corners[0, 1] - moved.axes[0, 0], cube.corners[0, 1] - cube.axes[0, 0]
    assert np.allclose(moved.axes[0, 1:] @ at, cube.axes[0, 1:] @ before)
    assert isinstance(moved, Solid) and (moved.whose == STATIC).all()
