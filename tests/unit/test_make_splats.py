"""Splats: one per sample, flat on the surface, without holes from the front and without needles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import worlds
from unflat.errors import InputError, UnitError
from unflat.geometry.projection import project
from unflat.geometry.surfels import quaternions_from_axes
from unflat.geometry.transform import quaternion_from_rotation
from unflat.stages.build_layers import LayerOptions, build_layers
from unflat.stages.make_splats import SplatOptions, make_splats, splats_of
from unflat.types.depth import DepthKind
from unflat.types.image import Size
from unflat.types.layers import Layers
from unflat.types.splats import Splats


def axes_of(splats: Splats) -> np.ndarray:
    """Rotations (n, 3, 3) from the quaternions."""
    w, x, y, z = splats.quaternions.astype(np.float64).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


@pytest.mark.parametrize("name", ["wall", "slanted"])
def test_splats_lie_on_their_plane_and_face_the_camera(name: str) -> None:
    world = worlds.WORLDS[name]()
    splats = make_splats(world.depth, world.picture(), SplatOptions(count=5000))
    assert 4500 < len(splats.means) <= 5000
    assert (world.distances(splats.means)[:, 0] / splats.means[:, 2]).max() < 1e-4
    normals = axes_of(splats)[:, :, 2]
    a, b, c = splats.means[[0, 50, -1]].astype(np.float64)
    true = np.cross(b - a, c - a)
    true /= np.linalg.norm(true)
    np.testing.assert_allclose(np.abs(normals @ true), 1, atol=1e-3)
    assert ((normals * splats.means).sum(axis=1) < 0).all()


def test_the_thin_axis_is_the_normal() -> None:
    world = worlds.ball()
    splats = make_splats(world.depth, world.picture())
    assert (splats.scales[:, 2] <= splats.scales[:, :2].min(axis=1)).all()
    assert (splats.scales[:, 2] < 0.2 * splats.scales[:, 0]).all()


def test_from_the_front_every_pixel_is_covered() -> None:
    """The footprint of each splat reaches its neighbours: at half a step it is still denser than a half."""
    world = worlds.slanted()
    splats = make_splats(world.depth, world.picture(), SplatOptions(longest=1000))
    camera = world.depth.intrinsics
    assert camera is not None
    axes = axes_of(splats)
    centre = project(splats.means, camera)
    for i in range(2):
        tip = project(splats.means + axes[:, :, i] * splats.scales[:, i : i + 1] * 1e-3, camera)
        reach = np.linalg.norm(tip - centre, axis=1) / 1e-3
        assert (reach > 0.5).all() and (reach < 0.75).all()


def test_grazing_surfaces_do_not_make_needles() -> None:
    world = worlds.ground(worlds.camera(320, 240))
    splats = make_splats(world.depth, world.picture(), SplatOptions(sky="none", longest=3))
    camera = world.depth.intrinsics
    assert camera is not None
    facing = splats.means[:, 2] / camera.fx
    assert (splats.scales[:, 0] / facing).max() <= 3 * 0.6 * 1.001


def test_the_count_is_never_exceeded() -> None:
    world = worlds.ball()
    for count in (1, 10, 999, 19_200, 400_000):
        assert len(make_splats(world.depth, world.picture(), SplatOptions(count=count)).means) <= min(count, 19_200)


def test_the_sky_is_on_the_dome_or_left_out() -> None:
    world = worlds.landscape()
    whole = make_splats(world.depth, world.picture())
    bare = make_splats(world.depth, world.picture(), SplatOptions(sky="none"))
    assert len(whole.means) == 19_200
    assert len(bare.means) == (world.labels >= 0).sum()
    distance = np.linalg.norm(whole.means, axis=1)[world.labels.ravel() < 0]
    np.testing.assert_allclose(distance, distance[0], rtol=1e-4)
    assert distance[0] > 1.1 * np.linalg.norm(bare.means, axis=1).max()


def test_colours_are_those_of_the_picture_and_confidence_dims() -> None:
    world = worlds.stairs()
    picture = world.picture()
    confidence = np.full(world.depth.size.shape, 0.5, np.float32)
    splats = make_splats(replace(world.depth, confidence=confidence), picture)
    np.testing.assert_allclose(splats.colors * 255, picture.pixels.reshape(-1, 3), atol=0.01)
    assert splats.confidence is not None
    sure = make_splats(world.depth, picture)
    assert (splats.opacities < sure.opacities).all()
    assert sure.opacities.max() == pytest.approx(0.98)
    larger = make_splats(world.depth, world.picture(Size(480, 360)))
    assert np.abs(larger.colors - sure.colors).mean() < 0.02


def test_splats_never_stand_between_two_surfaces() -> None:
    world = worlds.pole()
    splats = make_splats(world.depth, world.picture())
    assert world.distances(splats.means).min(axis=1).max() < 1e-4


def test_many_quaternions_equal_one_by_one() -> None:
    rng = np.random.default_rng(2)
    rotations = np.linalg.qr(rng.normal(size=(200, 3, 3)))[0]
    rotations *= np.linalg.det(rotations)[:, None, None]
    rotations[:4] = [np.eye(3), np.diag([1, -1, -1]), np.diag([-1, 1, -1]), np.diag([-1, -1, 1])]
    many = quaternions_from_axes(rotations)
    one = np.array([quaternion_from_rotation(r) for r in rotations])
    np.testing.assert_allclose(np.abs((many * one).sum(axis=1)), 1, atol=1e-9)


def test_what_cannot_become_splats_is_refused() -> None:
    world = worlds.ball()
    with pytest.raises(InputError, match="camera"):
        make_splats(replace(world.depth, intrinsics=None), world.picture())
    with pytest.raises(UnitError):
        make_splats(replace(world.depth, kind=DepthKind.AFFINE), world.picture())
    for bad in ({"count": 0}, {"count": 2_000_000}, {"edge": 0.0}, {"longest": 0.5}):
        with pytest.raises(InputError):
            SplatOptions(**bad)  # type: ignore[arg-type]


def layered() -> Layers:
    world = worlds.pole(worlds.camera(), 24)
    return build_layers(world.depth, world.picture(), LayerOptions(reach=0.05))


@pytest.mark.parametrize("count", [1, 50, 3000, 19_000, 1_000_000])
def test_all_layers_together_keep_to_the_count(count: int) -> None:
    splats = splats_of(layered(), SplatOptions(count=count))
    assert len(splats.means) <= count
    assert count <= 50 or len(splats.means) > 0.8 * min(count, 19_200)


def test_what_nobody_saw_is_marked_and_stands_behind() -> None:
    layers = layered()
    splats = splats_of(layers, SplatOptions(count=100_000))
    assert splats.invented is not None
    assert splats.invented.sum() == layers.hidden.invented.sum() > 100
    made_up, seen = splats.means[splats.invented, 2], layers.depth.z[layers.hidden.invented]
    assert made_up.min() > 1.02 * seen.max(), "behind the pole, not on it"
    assert len(make_splats(layers.depth, layers.picture).means) < len(splats.means)


def test_splats_of_a_seam_are_as_transparent_as_it_is() -> None:
    layers = layered()
    half = replace(layers.soft, inverse=layers.depth.z * 0 + 1, alpha=np.full(layers.kept.shape, 0.5, np.float32))
    splats = splats_of(replace(layers, soft=half), SplatOptions(count=100_000))
    assert np.allclose(splats.opacities[-layers.kept.size :], 0.49)
