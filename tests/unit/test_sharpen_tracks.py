"""Laws: a patch is found to a fraction of a pixel; places are measured better, in more views, and only where seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.scan_places import room
from tests.scan_worlds import KnownFilm, projected

from unflat.geometry.align_patches import MARGIN, aligned, patches_at
from unflat.stages.sharpen_tracks import sharpen_tracks
from unflat.types.arrays import F32, F64
from unflat.types.image import Size
from unflat.types.views import Reconstruction, SparsePoints


def _cloudy(turn: float = 0.0, grow: float = 1.0, shift: tuple[float, float] = (0, 0)) -> F32:
    """Waves of many lengths, seen after the picture was turned, grown and shifted."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:80, :100] + 0.5
    x, y = x - 50 - shift[0], y - 40 - shift[1]
    c, s = np.cos(turn) / grow, np.sin(turn) / grow
    x, y = c * x + s * y, c * y - s * x
    out = np.zeros(x.shape)
    for _ in range(30):
        fx, fy, phase = rng.normal(0, 0.25), rng.normal(0, 0.25), rng.uniform(0, 6)
        out += np.cos(fx * x + fy * y + phase)
    return (128 + 15 * out).astype(np.float32)


def test_a_patch_is_found_whatever_its_turn_its_size_and_the_light() -> None:
    cut = patches_at(_cloudy(), np.array([[50.0, 40.0], [44.3, 36.8]]))
    turn, grow, shift = 0.3, 1.2, (0.37, -0.81)
    c, s = grow * np.cos(turn), grow * np.sin(turn)
    warp = np.array([[c, -s], [s, c]])
    true = np.array([[0.0, 0.0], [-5.7, -3.2]]) @ warp.T + [50, 40] + np.array(shift)
    picture = 30 + 0.6 * _cloudy(turn, grow, shift)
    at, likeness = aligned(
        cut, np.array([0, 1]), picture, true + np.array([[1.1, -0.9], [-0.8, 1.0]]), np.stack([warp, warp])
    )
    assert np.abs(at - true).max() < 0.05
    assert likeness.min() > 0.98


def test_what_is_elsewhere_or_leaves_the_picture_is_not_like_the_patch() -> None:
    cut = patches_at(_cloudy(), np.array([[50.0, 40.0]]))
    rng = np.random.default_rng(0)
    noise = rng.normal(128, 40, (80, 100)).astype(np.float32)
    two = np.array([0, 0])
    _, likeness = aligned(cut, two, noise, np.array([[50.0, 40.0], [1.0, 2.0]]), np.stack([np.eye(2)] * 2))
    assert likeness[0] < 0.6
    assert likeness[1] == -1


def test_an_even_picture_has_no_corners_and_patches_keep_off_the_border() -> None:
    even = np.full((60, 60), 90, np.float32)
    assert patches_at(even, np.array([[30.0, 30.0]])).corner[0] == 0
    with pytest.raises(ValueError, match="from their middle"):
        patches_at(even, np.array([[MARGIN - 0.5, 30.0]]))


def _film() -> KnownFilm:
    return room(Size(320, 240), 40)


def _off(film: KnownFilm, points: SparsePoints, views: list[int]) -> F64:
    """How far observations are off from each other, pixels: of every pair of views the median."""
    off = np.zeros((len(points.view), 2))
    for number, i in enumerate(views):
        mine = points.view == number
        true, _ = projected(points.xyz[points.point[mine]], film.lens, film.poses[i])
        off[mine] = points.pixel[mine] - true
    found: list[float] = []
    for number in range(1, len(views)):
        here, there = (np.flatnonzero(points.view == n) for n in (number - 1, number))
        _, a, b = np.intersect1d(points.point[here], points.point[there], return_indices=True)
        found.append(float(np.median(np.linalg.norm(off[here[a]] - off[there[b]], axis=1))))
    return np.array(found)


@pytest.fixture(scope="module")
def roughly_seen() -> tuple[KnownFilm, list[int], Reconstruction]:
    """A few views of the known room that saw each of its corners only twice or thrice, and inexactly."""
    film, step = _film(), 6
    views = list(range(0, film.count, step))
    made = film.reconstruction(step)
    xyz: list[F64] = []
    rows: list[tuple[int, int, F64]] = []
    rng = np.random.default_rng(2)
    seen = {i: film.seen(i)[0] for i in views}
    for number, i in enumerate(views):
        grey = cv2.cvtColor(film.frame(i), cv2.COLOR_RGB2GRAY)
        for x, y in cv2.goodFeaturesToTrack(grey, 60, 0.02, 8)[:, 0] + 0.5:
            z = seen[i][int(y), int(x)]
            k = film.lens.intrinsics
            there = np.array([(x - k.cx) / k.fx * z, (y - k.cy) / k.fy * z, z, 1]) @ film.poses[i].world_from_camera.T
            for other in (number, number + 1):
                if other < len(views):
                    pixel, depth = projected(there[None, :3], film.lens, film.poses[views[other]])
                    u, v = pixel[0]
                    inside = 10 < u < 310 and 10 < v < 230
                    if inside and abs(seen[views[other]][int(v), int(u)] / depth[0] - 1) < 0.01:
                        rows.append((other, len(xyz), pixel[0] + rng.normal(0, 0.5, 2)))
            xyz.append(there[:3])
    view, point, pixel = (np.array(column) for column in zip(*rows, strict=True))
    n = len(xyz)
    points = SparsePoints(
        np.array(xyz), np.zeros((n, 3), np.uint8), np.full(n, 0.5, np.float32),
        view.astype(np.int32), point.astype(np.int32), pixel.astype(np.float32),
    )  # fmt: skip
    return film, views, replace(made, points=points)


def test_places_are_measured_better_and_found_in_more_views(
    roughly_seen: tuple[KnownFilm, list[int], Reconstruction],
) -> None:
    film, views, made = roughly_seen
    done = sharpen_tracks(made).points
    before, after = made.points, done
    assert len(after.view) > 1.2 * len(before.view)
    assert len(np.unique(np.stack([after.view, after.point]), axis=1).T) == len(after.view)
    pairs = set(zip(after.view.tolist(), after.point.tolist(), strict=True))
    assert all(pair in pairs for pair in zip(before.view.tolist(), before.point.tolist(), strict=True))
    assert np.median(_off(film, after, views)) < 0.5 * np.median(_off(film, before, views))


def test_a_point_is_not_found_where_something_stands_before_it(
    roughly_seen: tuple[KnownFilm, list[int], Reconstruction],
) -> None:
    film, views, made = roughly_seen
    done = sharpen_tracks(made).points
    hidden = 0
    for number, i in enumerate(views):
        mine = done.view == number
        pixel, z = projected(done.xyz[done.point[mine]], film.lens, film.poses[i])
        at = np.clip(pixel.astype(int), 0, [319, 239])
        hidden += int((film.seen(i)[0][at[:, 1], at[:, 0]] < 0.95 * z).sum())
    assert hidden < 0.02 * len(done.view)


def test_views_without_anything_in_common_stay_as_they_are(
    roughly_seen: tuple[KnownFilm, list[int], Reconstruction],
) -> None:
    _, _, made = roughly_seen
    alone = replace(made, points=SparsePoints.none())
    assert len(sharpen_tracks(alone).points.view) == 0
