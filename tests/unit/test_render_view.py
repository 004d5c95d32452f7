"""Scenes seen by a camera: what is nearer covers, seams are laid over, textures neither crawl nor shift."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

import worlds
from two_planes import TwoPlanes, gradient, psnr
from unflat.errors import InputError
from unflat.geometry.projection import rays
from unflat.stages.render_view import Painter, render_view, sees_past
from unflat.types.camera import Camera, Pose
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.scene import Node, Role

EYE = Camera(worlds.camera(80, 60), Pose.identity())
FACES = np.array([[0, 2, 1], [0, 3, 2]], np.uint32)
UV = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def one(colour: tuple[int, int, int], alpha: int | None = None) -> Image:
    """A texture of one colour."""
    pixels = np.full((4, 4, 3), colour, np.uint8)
    return Image(pixels, None if alpha is None else np.full((4, 4), alpha, np.uint8))


def square(z: float, half: float, texture: Image, *, x: float = 0.0, invented: bool | None = None) -> Mesh:
    """A square facing the camera."""
    corners = np.array([[x - half, -half, z], [x + half, -half, z], [x + half, half, z], [x - half, half, z]])
    marks = None if invented is None else np.full(4, invented)
    return Mesh(corners.astype(np.float32), FACES, uv=UV, texture=texture, invented=marks)


def node(name: str, mesh: Mesh, role: Role = "surface") -> Node:
    return Node(name, mesh, role)


def test_nothing_to_see_is_open_everywhere() -> None:
    view = render_view((), EYE)
    assert view.open.all() and not view.colour.any() and not view.invented.any()
    assert view.colour.shape == (60, 80, 3) and sees_past((), EYE) == 1


def test_the_nearer_one_covers_whatever_the_order() -> None:
    nodes = [
        node("far", square(4, 3, one((200, 0, 0)))),
        node("middle", square(3, 0.8, one((0, 200, 0)))),
        node("near", square(2, 0.3, one((0, 0, 200)))),
    ]
    views = [render_view(order, EYE) for order in permutations(nodes)]
    for view in views[1:]:
        np.testing.assert_array_equal(view.colour, views[0].colour)
        np.testing.assert_array_equal(view.inverse, views[0].inverse)
    np.testing.assert_allclose(views[0].colour[30, 40], [0, 0, 200], atol=0.01)
    np.testing.assert_allclose(views[0].colour[30, 54], [0, 200, 0], atol=0.01)
    np.testing.assert_allclose(views[0].inverse[30, [40, 54, 5]], [1 / 2, 1 / 3, 1 / 4], rtol=1e-5)
    assert not views[0].open.any()


@pytest.mark.parametrize("alpha", [0, 64, 255])
def test_a_soft_seam_is_laid_over_what_is_behind_it_only(alpha: int) -> None:
    wall, seam = node("wall", square(4, 3, one((100, 100, 100)))), square(3, 0.5, one((200, 0, 50), alpha))
    before = [node("seam", seam, "soft"), wall]
    behind = [*before, node("cover", square(2, 2, one((10, 20, 30))))]
    for nodes, expected in (
        (before, 100 + alpha / 255 * (np.array([200, 0, 50]) - 100)),
        (behind, np.array([10, 20, 30])),
    ):
        for order in permutations(nodes):
            view = render_view(order, EYE)
            np.testing.assert_allclose(view.colour[30, 40], expected, atol=0.01)
    assert render_view(before, EYE).inverse[30, 40] == pytest.approx(1 / 4)
    lone = render_view([node("seam", seam, "soft")], EYE)
    assert lone.open.all()


def test_only_made_up_things_are_marked_and_a_seam_marks_nothing() -> None:
    nodes = [
        node("left", square(3, 0.5, one((9, 9, 9)), x=-0.8, invented=True), "hidden"),
        node("right", square(3, 0.5, one((9, 9, 9)), x=0.8, invented=False)),
        node("seam", square(2.5, 3, one((9, 9, 9), 128), invented=True), "soft"),
    ]
    view = render_view(nodes, EYE)
    assert view.invented[30, 21] and not view.invented[30, 58] and not view.invented[30, 40]
    np.testing.assert_array_equal(view.invented[:, :40], ~view.open[:, :40])
    assert not view.invented[:, 40:].any()


def test_nearer_things_that_were_seen_cover_what_was_made_up() -> None:
    made_up = node("made up", square(4, 3, one((1, 2, 3)), invented=True), "hidden")
    view = render_view([made_up, node("seen", square(2, 0.5, one((7, 8, 9))))], EYE)
    np.testing.assert_array_equal(view.invented, view.inverse < 0.3)
    assert view.invented.any() and not view.invented.all()


def test_sees_past_is_the_share_of_open_pixels() -> None:
    nodes = [node("a", square(3, 0.5, one((9, 9, 9)))), node("s", square(2, 3, one((9, 9, 9), 255)), "soft")]
    share = sees_past(nodes, EYE)
    assert 0.2 < share < 0.95
    assert share == pytest.approx(float(render_view(nodes, EYE).open.mean()))


@pytest.mark.parametrize("sharp", [False, True])
def test_a_picture_seen_by_its_own_camera_is_itself(sharp: bool) -> None:
    rng = np.random.default_rng(0)
    picture = Image(rng.integers(0, 256, (60, 80, 3), np.uint8))
    camera = EYE.intrinsics
    x, y = 3 * camera.cx / camera.fx, 3 * camera.cy / camera.fy
    corners = np.array([[-x, -y, 3], [x, -y, 3], [x, y, 3], [-x, y, 3]], np.float32)
    view = render_view([node("p", Mesh(corners, FACES, uv=UV, texture=picture))], EYE, sharp=sharp)
    np.testing.assert_allclose(view.colour, picture.pixels, atol=0.05)
    assert not view.open.any()


def turned(degrees: float) -> Camera:
    """Beside and above the origin, looking to the side."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    pose = np.eye(4)
    pose[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    pose[:3, 3] = 0.4, -0.2, 0.5
    return Camera(EYE.intrinsics, Pose(pose))


@pytest.mark.parametrize("degrees", [-25, 0, 30])
def test_from_anywhere_the_texture_is_where_its_plane_is(degrees: float) -> None:
    y, x = np.mgrid[:256, :256]
    texture = Image(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))
    camera = turned(degrees)
    view = render_view([node("wall", square(3, 4, texture))], camera)
    rows, columns = np.mgrid[:60, :80] + 0.5
    pose = camera.pose.world_from_camera
    ray = rays(np.stack([columns, rows], axis=-1), camera.intrinsics) @ pose[:3, :3].T
    with np.errstate(divide="ignore"):
        met = pose[:3, 3] + ray * ((3 - pose[2, 3]) / ray[..., 2])[..., None]
    at = (met[..., :2] + 4) / 8
    inside = ((at > 0.01) & (at < 0.99)).all(axis=-1) & (ray[..., 2] > 0)
    assert inside.sum() > 2000 and not view.open[inside].any()
    expected = at[inside] * 256 - 0.5
    np.testing.assert_allclose(view.colour[inside][:, :2], expected, atol=1.5)


def checks(side: int, cell: int) -> Image:
    """Black and white cells by turns."""
    y, x = np.mgrid[:side, :side] // cell
    return Image(np.repeat((255 * ((x + y) % 2)).astype(np.uint8)[..., None], 3, axis=2))


def test_a_texture_seen_small_is_its_mean_and_does_not_glitter() -> None:
    wall = node("wall", square(3, 0.8, checks(512, 4)))
    view = render_view([wall], EYE)
    inside = np.zeros_like(view.open)
    inside[18:42, 28:52] = True
    assert not view.open[inside].any()
    np.testing.assert_allclose(view.colour[inside], 127.5, atol=2)


def test_a_painter_keeps_what_is_asked_of_it_again() -> None:
    world = TwoPlanes(gradient)
    painter = Painter()
    texture = Image(np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8))
    nodes = [node("a", square(3, 1.2, texture)), node("b", square(2, 0.3, checks(64, 1), x=0.2))]
    for camera in (EYE, turned(10), world.eye(0.1), EYE):
        kept, fresh = render_view(nodes, camera, painter), render_view(nodes, camera)
        np.testing.assert_array_equal(kept.colour, fresh.colour)


@pytest.mark.parametrize("what", ["points", "no texture"])
def test_what_has_no_picture_on_it_is_refused(what: str) -> None:
    mesh = square(3, 1, one((1, 2, 3)))
    item = Mesh(mesh.vertices, FACES, uv=UV) if what == "no texture" else PointCloud(np.zeros((1, 3), np.float32))
    with pytest.raises(InputError, match="'odd'"):
        render_view([Node("odd", item)], EYE)


def test_the_eye_may_stand_amid_the_scene() -> None:
    y, x = np.mgrid[:64, :64]
    texture = Image(np.stack([4 * x, 4 * y, 0 * x], axis=-1).astype(np.uint8))
    floor = np.array([[-9, 1, -9], [9, 1, -9], [9, 1, 9], [-9, 1, 9]], np.float32)
    marks = np.array([True, True, False, False])
    view = render_view([node("floor", Mesh(floor, FACES, uv=UV, texture=texture, invented=marks))], EYE)
    assert np.isfinite(view.colour).all()
    lower: NDArray[np.bool_] = np.zeros_like(view.open)
    lower[38:] = True
    assert not view.open[lower].any() and view.open[:30].all()


def test_a_larger_camera_sees_the_same_finer() -> None:
    texture = Image(np.random.default_rng(2).integers(60, 200, (12, 16, 3), np.uint8))
    nodes = [node("wall", square(3, 3, texture))]
    large = Camera(EYE.intrinsics.resized(Size(240, 180)), Pose.identity())
    small, fine = render_view(nodes, EYE), render_view(nodes, large)
    mean = fine.colour.reshape(60, 3, 80, 3, 3).mean(axis=(1, 3))
    assert psnr(small.colour, mean) > 40
