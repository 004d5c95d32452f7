"""The surface and the sky behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import worlds
from unflat.errors import InputError, UnitError
from unflat.geometry.normals import vertex_normals
from unflat.geometry.projection import project
from unflat.stages.build_surface import Surface, SurfaceOptions, build_surface, dome_radius
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh


def mesh_of(surface: Surface, name: str = "surface") -> Mesh:
    """The mesh of one node."""
    found = [node.item for node in surface.nodes if node.name == name]
    assert len(found) == 1 and isinstance(found[0], Mesh)
    return found[0]


def bumpy(width: int = 200, height: int = 150) -> DepthMap:
    """Noise that no triangle but the smallest fits."""
    camera = worlds.camera(width, height)
    z = 2 + 0.05 * np.random.default_rng(0).random((height, width))
    return DepthMap(z.astype(np.float32), DepthKind.METRIC, intrinsics=camera)


def blank(depth: DepthMap) -> Image:
    """A grey picture of the same size."""
    return Image(np.full((*depth.size.shape, 3), 128, np.uint8))


@pytest.mark.parametrize("triangles", [500, 5_000, 30_000])
def test_the_number_of_triangles_is_kept_and_used(triangles: int) -> None:
    depth = bumpy()
    surface = build_surface(depth, blank(depth), SurfaceOptions(triangles=triangles, max_error=1e-6))
    assert 0.6 * triangles < surface.triangles <= triangles
    assert surface.triangles == sum(len(n.item.faces) for n in surface.nodes if isinstance(n.item, Mesh))


def test_fewer_triangles_report_a_larger_error() -> None:
    depth = bumpy()
    errors = [build_surface(depth, blank(depth), SurfaceOptions(n, 1e-6)).max_error for n in (1000, 10_000, 50_000)]
    assert errors == sorted(errors, reverse=True) and errors[0] > errors[2]


def test_the_budget_holds_for_sky_and_outlines_together() -> None:
    world = worlds.landscape(worlds.camera(320, 240))
    for triangles in (600, 2000, 20_000):
        surface = build_surface(world.depth, world.picture(), SurfaceOptions(triangles))
        assert surface.triangles <= triangles
        assert len(surface.nodes) == 2


def test_outlines_everywhere_are_coarsened_rather_than_refused() -> None:
    rng = np.random.default_rng(1)
    z = rng.choice([1.0, 2.0, 4.0], (120, 160)).astype(np.float32)
    depth = DepthMap(z, DepthKind.METRIC, intrinsics=worlds.camera())
    surface = build_surface(depth, blank(depth), SurfaceOptions(5000))
    assert surface.triangles <= 5000
    assert "one pixel in" in surface.notes[0]
    mesh = mesh_of(surface)
    assert mesh.uv is not None
    a, b, c = (mesh.uv[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    area = -((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    assert area.sum() / 2 == pytest.approx(1, abs=1e-3)


def test_the_texture_keeps_its_own_size_and_uv_reach_its_borders() -> None:
    world = worlds.wall()
    picture = world.picture(Size(640, 480))
    mesh = mesh_of(build_surface(world.depth, picture))
    assert mesh.texture is picture
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv.min(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(mesh.uv.max(axis=0), 1, atol=1e-6)


def test_faces_and_normals_look_at_the_camera() -> None:
    for name in ("slanted", "ball", "landscape"):
        world = worlds.WORLDS[name]()
        for node in build_surface(world.depth, world.picture()).nodes:
            mesh = node.item
            assert isinstance(mesh, Mesh) and mesh.normals is not None
            corners = mesh.vertices[mesh.faces.astype(int)].astype(np.float64)
            normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            area = np.linalg.norm(normal, axis=1)
            toward = -(normal * corners.mean(axis=1)).sum(axis=1)
            assert (toward[area > 1e-12] > -1e-9).all()
            np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
            np.testing.assert_allclose(mesh.normals, vertex_normals(mesh.vertices, mesh.faces), atol=1e-6)


def test_confidence_travels_from_the_pixel_whose_surface_it_is() -> None:
    world = worlds.pole(pixels=6)
    confidence = np.where(world.labels == 0, np.float32(0.9), np.float32(0.2))
    mesh = mesh_of(build_surface(replace(world.depth, confidence=confidence), world.picture()))
    assert mesh.confidence is not None
    near = mesh.vertices[:, 2] < 3
    np.testing.assert_allclose(mesh.confidence[near], 0.9)
    np.testing.assert_allclose(mesh.confidence[~near], 0.2)
    assert mesh_of(build_surface(world.depth, world.picture())).confidence is None


def test_invalid_pixels_are_holes() -> None:
    world = worlds.wall()
    valid = np.ones(world.depth.size.shape, bool)
    valid[40:60, 50:90] = False
    mesh = mesh_of(build_surface(replace(world.depth, valid=valid), world.picture()))
    assert world.depth.intrinsics is not None
    at = project(mesh.vertices, world.depth.intrinsics)
    a, b, c = (at[mesh.faces[:, i]] for i in range(3))
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum() / 2
    assert area == pytest.approx(160 * 120 - 20 * 40, abs=20)
    inside = (at > (51.5, 41.5)) & (at < (88.5, 58.5))
    assert not inside.all(axis=1).any()


def test_the_sky_stands_behind_everything_and_shows_sky_only() -> None:
    world = worlds.landscape()
    surface = build_surface(world.depth, world.picture())
    sky = mesh_of(surface, "sky")
    assert [node.role for node in surface.nodes] == ["surface", "sky"]
    farthest = np.linalg.norm(mesh_of(surface).vertices, axis=1).max()
    distance = np.linalg.norm(sky.vertices, axis=1)
    assert distance.min() > 1.1 * farthest
    assert distance.max() < 1.03 * distance.min()
    assert sky.uv is not None and sky.invented is not None and sky.invented.any() and not sky.invented.all()
    columns, rows = np.minimum((sky.uv * (160, 120)).astype(int), (159, 119)).T
    sky_nearby = np.zeros(len(rows), bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            sky_nearby |= world.labels[np.clip(rows + dy, 0, 119), np.clip(columns + dx, 0, 159)] == -1
    assert sky_nearby.all()
    assert (world.labels[rows, columns][sky.invented] == -1).all()


def test_the_sky_can_be_left_out() -> None:
    world = worlds.ground()
    surface = build_surface(world.depth, world.picture(), SurfaceOptions(sky="none"))
    assert [node.name for node in surface.nodes] == ["surface"]
    assert mesh_of(surface).uv is not None
    assert mesh_of(surface).uv[:, 1].min() > 0.49  # type: ignore[index]


def test_a_straight_horizon_takes_few_triangles() -> None:
    world = worlds.ground(worlds.camera(640, 480))
    assert len(mesh_of(build_surface(world.depth, world.picture())).faces) < 400


def test_spikes_are_brought_back_and_said() -> None:
    world = worlds.wall()
    values = world.depth.values.copy()
    values[30, 40:43] = 1e6
    surface = build_surface(replace(world.depth, values=values), world.picture())
    assert mesh_of(surface).vertices[:, 2].max() <= 2 * 4 * 1.26
    assert "3 pixels were farther than" in surface.notes[0]
    assert dome_radius(worlds.camera(), 10) > 15


def test_scale_depth_is_taken_and_relative_depth_refused() -> None:
    world = worlds.ball()
    assert build_surface(replace(world.depth, kind=DepthKind.SCALE), world.picture()).triangles > 100
    with pytest.raises(UnitError):
        build_surface(replace(world.depth, kind=DepthKind.AFFINE), world.picture())


def test_what_cannot_become_a_surface_is_refused_kindly() -> None:
    world = worlds.ball()
    with pytest.raises(InputError, match="camera"):
        build_surface(replace(world.depth, intrinsics=None), world.picture())
    everywhere = np.ones(world.depth.size.shape, bool)
    with pytest.raises(InputError, match="no surface"):
        build_surface(replace(world.depth, sky=everywhere), world.picture())
    with pytest.raises(InputError, match="no surface"):
        build_surface(
            DepthMap(np.ones((1, 9), np.float32), DepthKind.METRIC, intrinsics=worlds.camera(9, 1)), blank(world.depth)
        )
    for options in ({"triangles": 3}, {"max_error": 0.0}, {"edge": 0.0}, {"max_error": float("nan")}):
        with pytest.raises(InputError):
            SurfaceOptions(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "height"), [(2, 2), (3, 2), (2, 65), (64, 64), (63, 65), (129, 3)])
def test_any_size_becomes_a_whole_sheet(width: int, height: int) -> None:
    depth = bumpy(width, height)
    mesh = mesh_of(build_surface(depth, blank(depth)))
    assert mesh.uv is not None
    a, b, c = (mesh.uv[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    area = -((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    assert (area > -1e-9).all() and area.sum() / 2 == pytest.approx(1, abs=1e-4)


def test_the_same_input_gives_the_same_bytes() -> None:
    world = worlds.landscape()
    one, two = (mesh_of(build_surface(world.depth, world.picture())) for _ in range(2))
    assert one.vertices.tobytes() == two.vertices.tobytes() and one.faces.tobytes() == two.faces.tobytes()
