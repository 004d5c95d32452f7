"""Planes of a place: found among points, told apart in a picture, and what they add to depth that has holes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.view_worlds import Paint, Patch, Place, arc, place

from unflat.geometry.ceiling import ceiling_height
from unflat.geometry.place_planes import Plane, in_picture, large_planes, thinned
from unflat.geometry.plane_labels import labelled
from unflat.geometry.rig import Planes
from unflat.stages.dense_depth import DenseOptions, dense_depth
from unflat.stages.flat_places import FlatPlaces
from unflat.stages.match_views import Matching
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import SparsePoints

DOWN = np.array([0.0, 1.0, 0.0])


def spread_over(rng: np.random.Generator, plane: Plane, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points on a plane within 3 of its nearest to the origin, 5 mm off; and their normals, some degrees off."""
    across = np.linalg.svd(plane.normal[None])[2][1:]
    xyz = plane.offset * plane.normal + rng.uniform(-3, 3, (count, 2)) @ across
    xyz += rng.normal(0, 0.005, (count, 1)) * plane.normal
    normals = plane.normal + rng.normal(0, 0.1, (count, 3))
    return xyz, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def test_planes_are_found_among_noise_and_stand_level_and_upright() -> None:
    rng = np.random.default_rng(1)
    tilt = np.array([0.01, -1.0, 0.0]) / np.hypot(0.01, 1)
    floor, wall = Plane(tilt, -1.0), Plane(np.array([0.6, 0.01, 0.8]) / np.hypot(1, 0.01), -2.0)
    slope = Plane(np.array([0.0, -0.8, 0.6]), 1.0)
    parts = [spread_over(rng, plane, n) for plane, n in ((floor, 4000), (wall, 3000), (slope, 2000))]
    stray = rng.normal(0, 1, (1500, 3))
    parts.append((rng.uniform(-3, 3, (1500, 3)), stray / np.linalg.norm(stray, axis=1, keepdims=True)))
    xyz, facing = (np.concatenate(values) for values in zip(*parts, strict=True))
    points, normals = thinned(xyz, facing, 0.05)
    found = large_planes(points, normals, 0.02, DOWN)
    assert len(found) == 3
    for plane, true, normal in zip(
        found, (floor, wall, slope), ((0, -1, 0), (0.6, 0, 0.8), (0, -0.8, 0.6)), strict=True
    ):
        np.testing.assert_allclose(plane.normal, normal, atol=0.01)
        assert abs(plane.offset - true.offset) < 0.02
    assert found[0].normal @ DOWN == -1 and abs(found[1].normal @ DOWN) < 1e-12


def test_thinning_leaves_one_point_in_each_cube_and_none_where_normals_contradict() -> None:
    points = np.array([[0.1, 0.1, 0.1], [0.3, 0.1, 0.1], [1.1, 0, 0], [1.2, 0, 0]])
    normals = np.array([[0, 0, 1.0], [0, 0, 1], [1, 0, 0], [-1, 0, 0]])
    xyz, facing = thinned(points, normals, 1.0)
    np.testing.assert_allclose(xyz, [[0.2, 0.1, 0.1]])
    np.testing.assert_allclose(facing, [[0, 0, 1]])


def test_a_plane_in_a_picture_has_the_depth_of_its_rays() -> None:
    rng = np.random.default_rng(2)
    camera = Intrinsics.from_fov(70, Size(64, 48))
    pose = np.eye(4)
    pose[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    pose[:3, 3] = rng.normal(size=3)
    plane = Plane(np.array([0.0, 0.6, 0.8]), 5.0)
    inverse = in_picture(plane, camera.matrix, pose)
    for x, y in rng.uniform(0, 48, (20, 2)):
        ray = pose[:3, :3] @ np.linalg.inv(camera.matrix) @ (x, y, 1)
        z = (plane.offset - plane.normal @ pose[:3, 3]) / (plane.normal @ ray)
        assert abs(inverse @ (x, y, 1) - 1 / z) < 1e-9


def test_labels_change_where_planes_meet_although_nothing_is_told_there() -> None:
    """Two planes cross at column 20; only the outer columns tell which is seen."""
    costs = np.full((16, 40, 2), 0.5, np.float32)
    costs[:, :5, 1], costs[:, 35:, 0] = 1, 1
    costs[:, :5, 0], costs[:, 35:, 1] = 0, 0
    apart = np.stack([np.tile(np.arange(40.0) - 20, (16, 1)), np.zeros((16, 40))], -1).astype(np.float32)
    found = labelled(costs, apart, np.zeros((16, 40), np.float32))
    assert (found[:, :18] == 0).all() and (found[:, 22:] == 1).all()


def test_the_ceiling_is_where_walls_end_and_votes_gather() -> None:
    rng = np.random.default_rng(3)
    walls, ceiling = rng.uniform(1.8, 2.6, 300), rng.normal(2.6, 0.01, 400)
    height = ceiling_height(np.concatenate([walls, ceiling, rng.uniform(2.7, 6, 50)]), 3.0, 20_000)
    assert height is not None and abs(height - 2.6) < 0.02
    assert ceiling_height(rng.uniform(1.8, 6, 300), 3.0, 20_000) is None
    assert ceiling_height(ceiling, 3.0, 1_000_000) is None and ceiling_height(np.zeros(0), 3.0, 100) is None


class _Exact(Matching):
    """Matching that finds the truth, but for holes."""

    def __init__(self, world: Place, holes: dict[int, np.ndarray]) -> None:
        super().__init__(world.reconstruction, 160, 4)
        self._world, self._holes = world, holes

    def _again(self, number: int) -> Planes:
        inverse = (1 / self._world.depths[number]).astype(np.float32)
        gradient = np.stack([np.gradient(inverse, axis=1), np.gradient(inverse, axis=0)]).astype(np.float32)
        if number in self._holes:
            inverse = np.where(self._holes[number], np.float32(0), inverse)
        return Planes(inverse, gradient, np.full(inverse.shape, 0.1, np.float32))


@pytest.fixture(scope="module")
def corner() -> Place:
    """A floor and a blank wall that meet, and a post before them."""
    blank, marked = Paint((190, 188, 180), 0, seed=1), Paint((120, 95, 70), 60, seed=2)
    surfaces = [
        Patch((0, 0, 0), (6, 0, 0), (0, 0, 2.0), marked),
        Patch((0, -1.5, 2.0), (6, 0, 0), (0, 1.5, 0), blank),
        Patch((0.9, -0.6, 0.5), (0.2, 0, 0), (0, 0.6, 0), marked),
    ]
    camera = Intrinsics.from_fov(60, Size(160, 120))
    return place(surfaces, camera, arc(5, (0, -1.0, -3.0), (0, -0.7, 0), 20))


def test_holes_in_a_wall_are_filled_with_it_and_others_are_left(corner: Place) -> None:
    hole = np.zeros((120, 160), bool)
    hole[20:55, 30:90] = True  # across the wall, and beyond its lower end
    matching = _Exact(corner, {2: hole})
    own = matching.seen(2).inverse
    added = FlatPlaces(matching).completed(2, own)
    made = added.inverse > 0
    assert not made[~hole].any() and made[hole].mean() > 0.85 and not added.beyond.any()
    off = np.abs(added.inverse * corner.depths[2] - 1)
    assert (off[made] < 0.01).mean() > 0.98
    y, x = np.nonzero(made[:, 1:] & made[:, :-1])
    np.testing.assert_allclose(added.inverse[y, x + 1] - added.inverse[y, x], added.gradient[0, y, x], atol=1e-3)


def test_what_planes_added_is_told_apart(corner: Place) -> None:
    with_planes, without = (
        list(dense_depth(corner.reconstruction, DenseOptions(160, 4, flat=flat)))[2] for flat in (True, False)
    )
    assert without.flat is None
    assert with_planes.flat is not None and with_planes.flat.any()
    there, before = np.asarray(with_planes.depth.valid), np.asarray(without.depth.valid)
    assert there[with_planes.flat].all() and not before[with_planes.flat].any()
    assert (with_planes.depth.confidence == np.float32(0.7))[with_planes.flat].all()


def test_nothing_is_added_without_company(corner: Place) -> None:
    alone = replace(
        corner,
        reconstruction=replace(
            corner.reconstruction, views=corner.reconstruction.views[:1], points=SparsePoints.none()
        ),
    )
    own = (1 / corner.depths[0]).astype(np.float32)
    added = FlatPlaces(_Exact(alone, {})).completed(0, own)
    assert not added.inverse.any() and not added.beyond.any()
