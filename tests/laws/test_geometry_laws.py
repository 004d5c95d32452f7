"""What must hold for every picture: pixel centres, planes, spheres, mirrors, resizing, cropping, turning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from preview import from_the_front, preview
from unflat.geometry.lift import lift
from unflat.geometry.projection import pixel_centres, project
from unflat.geometry.transform import Door, door_from_frame
from unflat.stages.build_surface import SurfaceOptions, build_surface
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Frame

cameras = st.builds(
    lambda w, h, f, g, x, y: Intrinsics(f * w, g * w, x * w, y * h, Size(w, h)),
    st.integers(2, 60),
    st.integers(2, 60),
    st.floats(0.4, 3),
    st.floats(0.4, 3),
    st.floats(0.2, 0.8),
    st.floats(0.2, 0.8),
)


def random_depth(camera: Intrinsics, seed: int) -> DepthMap:
    """Positive depths over two decades."""
    rng = np.random.default_rng(seed)
    values = 10 ** rng.uniform(-1, 1, camera.size.shape)
    return DepthMap(values.astype(np.float32), DepthKind.METRIC, intrinsics=camera)


def surface_mesh(world: worlds.World, **options: float) -> Mesh:
    """The surface of a world, without its sky."""
    mesh = build_surface(world.depth, world.picture(), SurfaceOptions(sky="none", **options)).nodes[0].item  # type: ignore
    assert isinstance(mesh, Mesh)
    return mesh


@settings(max_examples=60, deadline=None)
@given(cameras, st.integers(0, 99))
def test_projecting_what_was_lifted_gives_pixel_centres(camera: Intrinsics, seed: int) -> None:
    points = lift(random_depth(camera, seed))
    x, y = pixel_centres(camera.size)
    back = project(points.xyz_in_camera, camera)
    np.testing.assert_allclose(back[..., 0], np.broadcast_to(x, back.shape[:2]), atol=1e-4)
    np.testing.assert_allclose(back[..., 1], np.broadcast_to(y[:, None], back.shape[:2]), atol=1e-4)


@pytest.mark.parametrize("name", list(worlds.WORLDS))
def test_vertices_inside_the_picture_are_pixel_centres_with_their_own_depth(name: str) -> None:
    world = worlds.WORLDS[name]()
    mesh = surface_mesh(world)
    assert world.depth.intrinsics is not None
    at = project(mesh.vertices, world.depth.intrinsics)
    whole = np.abs(at - 0.5 - np.round(at - 0.5)).max(axis=1) < 2e-3
    assert whole.any()
    columns, rows = np.round(at[whole] - 0.5).astype(int).T
    np.testing.assert_allclose(mesh.vertices[whole, 2], world.depth.values[rows, columns], rtol=1e-5)
    parts = np.abs(at * 6 - np.round(at * 6)).max(axis=1) < 1.2e-2
    size = world.depth.size
    border = (np.abs(at[:, 0] * (at[:, 0] - size.width)) < 0.2) | (np.abs(at[:, 1] * (at[:, 1] - size.height)) < 0.2)
    assert (parts | border).all(), "the rest stands half-way between pixels, in the middle of three, or on the border"
    assert mesh.uv is not None
    np.testing.assert_allclose(mesh.uv * (size.width, size.height), at, atol=2e-3)


@pytest.mark.parametrize("name", ["wall", "slanted"])
def test_a_plane_lifts_to_a_plane_and_so_does_its_mesh(name: str) -> None:
    world = worlds.WORLDS[name]()
    points = lift(world.depth)
    distance = np.linalg.norm(points.xyz_in_camera[points.valid], axis=-1)
    assert (world.distances(points.xyz_in_camera[points.valid])[:, 0] / distance).max() < 1e-5
    mesh = surface_mesh(world)
    assert len(mesh.faces) < 60
    assert (world.distances(mesh.vertices)[:, 0] / np.linalg.norm(mesh.vertices, axis=1)).max() < 1e-5


def test_a_sphere_lifts_to_its_radius_and_so_does_its_mesh() -> None:
    world = worlds.ball(worlds.camera(400, 300))
    points = lift(world.depth)
    on_ball = world.labels == 0
    off = world.distances(points.xyz_in_camera[on_ball])[:, 0]
    assert off.max() < 1e-5
    mesh = surface_mesh(world)
    near = mesh.vertices[:, 2] < 3
    rim = world.distances(mesh.vertices[near])[:, 0] / 0.5
    assert np.quantile(rim, 0.5) < 1e-5 and rim.max() < 0.05, "only the rim, half a pixel further, may be off"


@pytest.mark.parametrize("name", list(worlds.WORLDS))
def test_no_triangle_spans_an_outline(name: str) -> None:
    world = worlds.WORLDS[name](worlds.camera(240, 180))  # type: ignore[call-arg]
    mesh = surface_mesh(world)
    corners = mesh.vertices[mesh.faces.astype(int)]
    off = world.distances(corners.reshape(-1, 3)).reshape(len(corners), 3, -1) / corners[..., 2:]
    worst_of_best = off.max(axis=1).min(axis=1)
    extent = corners[..., 2].max(axis=1) / corners[..., 2].min(axis=1)
    assert (worst_of_best < 0.02).mean() > 0.99
    assert not ((worst_of_best > 0.02) & (extent > 1.3)).any(), "what is on no single surface is no bridge either"


@pytest.mark.parametrize("name", ["ground", "slanted", "room"])
def test_nothing_is_cut_where_there_is_one_connected_surface(name: str) -> None:
    world = worlds.WORLDS[name]()
    mesh = surface_mesh(world)
    parent = np.arange(len(mesh.vertices))
    faces = mesh.faces.astype(int)
    for _ in range(200):
        before = parent.copy()
        for i in range(3):
            low = np.minimum(parent[faces[:, i]], parent[faces[:, (i + 1) % 3]])
            np.minimum.at(parent, faces[:, i], low)
            np.minimum.at(parent, faces[:, (i + 1) % 3], low)
        if np.array_equal(before, parent):
            break
    assert len(np.unique(parent)) == 1


@pytest.mark.parametrize("name", list(worlds.WORLDS))
def test_from_its_own_camera_a_scene_shows_its_picture(name: str) -> None:
    world = worlds.WORLDS[name]()
    nodes = build_surface(world.depth, world.picture()).nodes
    assert world.depth.intrinsics is not None
    assert from_the_front(nodes, world.picture(), world.depth.intrinsics) > 0.99
    _, inverse = preview(nodes, Camera(world.depth.intrinsics, Pose.identity()))
    on = world.labels >= 0
    assert (inverse[1:-1, 1:-1] > 0).all(), "no gaps"
    true = 1 / world.depth.values[on]
    error = np.abs(inverse[on] - true) / np.maximum(true, np.median(true))
    assert np.quantile(error, 0.95) < 0.005


@pytest.mark.parametrize("name", ["slanted", "ball", "landscape"])
def test_mirroring_picture_and_depth_mirrors_what_is_seen(name: str) -> None:
    world = worlds.WORLDS[name]()
    depth, picture = world.depth, world.picture()
    camera = depth.intrinsics
    assert camera is not None
    turned = replace(camera, cx=camera.size.width - camera.cx)
    flipped = DepthMap(
        depth.values[:, ::-1],
        depth.kind,
        sky=None if depth.sky is None else depth.sky[:, ::-1],
        intrinsics=turned,
    )
    one = build_surface(depth, picture)
    two = build_surface(flipped, Image(np.ascontiguousarray(picture.pixels[:, ::-1])))
    first, near = preview(one.nodes, Camera(camera, Pose.identity()))
    second, far = preview(two.nodes, Camera(turned, Pose.identity()))
    same = np.abs(first.astype(int) - second[:, ::-1].astype(int)).max(axis=-1) <= 8
    assert same.mean() > 0.98
    assert np.quantile(np.abs(near - far[:, ::-1]) / near.max(), 0.98) < 0.005


@settings(max_examples=30, deadline=None)
@given(cameras, st.integers(0, 99), st.integers(1, 4))
def test_resizing_commutes_with_lifting(camera: Intrinsics, seed: int, factor: int) -> None:
    """Every block of a picture enlarged by repetition has its middle where the pixel was."""
    depth = random_depth(camera, seed)
    big = Size(camera.size.width * factor, camera.size.height * factor)
    enlarged = DepthMap(
        np.repeat(np.repeat(depth.values, factor, 0), factor, 1), depth.kind, intrinsics=camera.resized(big)
    )
    small, large = lift(depth).xyz_in_camera, lift(enlarged).xyz_in_camera
    h, w = camera.size.shape
    np.testing.assert_allclose(large.reshape(h, factor, w, factor, 3).mean(axis=(1, 3)), small, rtol=2e-4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(cameras, st.integers(0, 99), st.data())
def test_cropping_commutes_with_lifting(camera: Intrinsics, seed: int, data: st.DataObject) -> None:
    depth = random_depth(camera, seed)
    left = data.draw(st.integers(0, camera.size.width - 1))
    top = data.draw(st.integers(0, camera.size.height - 1))
    size = Size(camera.size.width - left, camera.size.height - top)
    cut = DepthMap(depth.values[top:, left:], depth.kind, intrinsics=camera.cropped(left, top, size))
    np.testing.assert_allclose(lift(cut).xyz_in_camera, lift(depth).xyz_in_camera[top:, left:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frame", list(Frame))
@pytest.mark.parametrize("door", list(Door))
def test_every_turn_has_determinant_plus_one(frame: Frame, door: Door) -> None:
    turn = door_from_frame(frame, door)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    np.testing.assert_array_equal(turn @ turn.T, np.eye(3))
