"""A known box under known cameras: its pictures come back, whatever exposure, passers-by and order of work."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

import painted
from painted import U8, Shot
from unflat.errors import InputError
from unflat.geometry.atlas import covered
from unflat.geometry.exposure import linear_of, srgb_of
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.types.camera import Camera
from unflat.types.image import Size
from unflat.types.mesh import Mesh

SMALL = TextureOptions(512)


@cache
def world() -> tuple[Mesh, tuple[Shot, ...]]:
    """A box, and eight pictures of its four sides."""
    mesh = painted.box(cells=4)
    return mesh, tuple(painted.take([mesh], camera) for camera in painted.around(8, 1.9, Size(200, 150)))


def bare(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.faces)


def baked(change: dict[int, object] | None = None) -> Mesh:
    mesh, shots = world()
    frames = [painted.frame_of(shot, (change or {}).get(n)) for n, shot in enumerate(shots)]  # type: ignore[arg-type]
    return bake_texture(bare(mesh), frames, SMALL)


@cache
def plain() -> Mesh:
    return baked()


def between() -> list[Camera]:
    """Cameras where no picture was taken."""
    lens = world()[1][0].camera.intrinsics
    return [Camera(lens, painted.looking((1.7 * np.sin(a), 0.1, -1.7 * np.cos(a)), (0, 0, 0))) for a in (0.4, 2, 3.5)]


def difference(one: Mesh, other: Mesh) -> float:
    """Mean absolute difference, in levels, of what the cameras between see; the background is not counted."""
    total = []
    for camera in between():
        a, b = painted.take([one], camera), painted.take([other], camera)
        inside = cv2.erode((a.depth > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        total.append(np.abs(a.pixels.astype(float) - b.pixels)[inside].mean())
    return float(np.mean(total))


def test_the_pictures_of_a_box_come_back() -> None:
    assert difference(world()[0], plain()) < 3


def test_the_triangles_are_those_of_the_mesh() -> None:
    mesh, out = world()[0], plain()
    assert np.array_equal(mesh.vertices[mesh.faces], out.vertices[out.faces])


def test_another_exposure_of_one_picture_leaves_no_trace() -> None:
    def brighter(pixels: U8) -> U8:
        return np.clip(pixels * 1.3, 0, 255).astype(np.uint8)

    changed = baked({3: brighter})
    assert difference(plain(), changed) < 1.5


def test_dark_corners_leave_no_trace() -> None:
    def shaded(pixels: U8) -> U8:
        h, w = pixels.shape[:2]
        y, x = (np.arange(n) + 0.5 - n / 2 for n in (h, w))
        rim = 4 * (x[None] ** 2 + y[:, None] ** 2) / (w * w + h * h)
        light = linear_of(pixels.astype(np.float64)) * np.exp(-0.4 * rim - 0.4 * rim**2)[..., None]
        return np.clip(np.rint(srgb_of(light)), 0, 255).astype(np.uint8)

    assert difference(plain(), baked(dict.fromkeys(range(8), shaded))) < 2


def test_one_who_stands_before_the_box_is_not_painted_onto_it() -> None:
    def red_bar(pixels: U8) -> U8:
        out = pixels.copy()
        out[40:120, 70:110] = (255, 0, 255)
        return out

    texture = baked({2: red_bar}).texture
    assert texture is not None
    magenta = (texture.pixels[..., 1] < 60) & (texture.pixels[..., 0] > 200) & (texture.pixels[..., 2] > 200)
    assert magenta.sum() == 0


def test_coordinates_lie_on_the_texture_and_no_two_faces_share_a_texel() -> None:
    out = plain()
    assert out.uv is not None and out.texture is not None
    assert out.uv.min() >= 0 and out.uv.max() <= 1
    owner, doubled = covered(out.uv[out.faces] * out.texture.size.width, out.texture.size.width)
    assert doubled.sum() == 0 and (owner >= 0).any()


def test_the_same_twice() -> None:
    one, two = plain(), baked()
    assert one.texture is not None and two.texture is not None and one.uv is not None and two.uv is not None
    assert np.array_equal(one.texture.pixels, two.texture.pixels) and np.array_equal(one.uv, two.uv)


def test_what_no_picture_shows_keeps_its_colours_and_is_named() -> None:
    mesh, shots = world()
    green = np.full((len(mesh.vertices), 3), (10, 200, 30), np.uint8)
    out = bake_texture(replace(bare(mesh), colors=green), [painted.frame_of(shots[0])], SMALL)
    assert out.texture is not None
    assert "seen by no picture" in out.texture.notes[0]
    behind = Camera(shots[0].camera.intrinsics, painted.looking((0, 0, 2.5), (0, 0, 0)))
    seen = painted.take([out], behind)
    assert np.abs(seen.pixels[75, 100].astype(int) - (10, 200, 30)).max() <= 2


def test_own_colours_are_not_brightened_with_those_of_pictures() -> None:
    """Pictures of other exposures on one side set a light for the whole place; what they do not show has its own."""

    def brighter(pixels: U8) -> U8:
        return np.clip(pixels * 1.5, 0, 255).astype(np.uint8)

    mesh, shots = world()
    green = np.full((len(mesh.vertices), 3), (10, 200, 30), np.uint8)
    frames = [painted.frame_of(shots[n], brighter if n == 0 else None) for n in (1, 0, 0)]
    out = bake_texture(replace(bare(mesh), colors=green), frames, SMALL)
    behind = Camera(shots[0].camera.intrinsics, painted.looking((0, 0, 2.5), (0, 0, 0)))
    assert np.abs(painted.take([out], behind).pixels[75, 100].astype(int) - (10, 200, 30)).max() <= 2


def test_nothing_to_paint_is_said() -> None:
    mesh, shots = world()
    with pytest.raises(InputError, match="pictures of it"):
        bake_texture(bare(mesh), [])
    away = Camera(shots[0].camera.intrinsics, painted.looking((0, 0, -3), (0, 0, -9)))
    with pytest.raises(InputError, match="no picture shows"):
        bake_texture(bare(mesh), [painted.frame_of(painted.take([mesh], away))])


def test_sizes_of_textures_have_limits() -> None:
    with pytest.raises(InputError, match="side of"):
        TextureOptions(8)
