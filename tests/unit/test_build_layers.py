"""Layers of a world whose hidden wall is known: nothing lost from the front, nothing open from aside."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import unflat
import worlds
from two_planes import Paint, TwoPlanes, gradient, grain, plain, psnr, stretched
from unflat.errors import InputError, ShapeError, UnitError
from unflat.stages.build_layered import build_layered
from unflat.stages.build_layers import LayerOptions, build_layers
from unflat.stages.build_surface import Surface, SurfaceOptions
from unflat.stages.render_view import View, render_view
from unflat.types.camera import Camera, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.layers import Layer, Layers
from unflat.types.mesh import Mesh

PAINTS = [plain, gradient, grain]
AROUND = range(0, 360, 45)


@cache
def built(paint: Paint, samples: int = 1) -> tuple[TwoPlanes, Layers, Surface]:
    """The world, its layers and their triangles; outlines are sharp (1 sample) or mixed as a camera mixes them (4)."""
    world = TwoPlanes(paint, box=(55, 40, 105, 85)) if samples == 1 else TwoPlanes(paint)
    layers = build_layers(world.depth, world.picture(samples), LayerOptions(seam=1 if samples == 1 else 2))
    return world, layers, build_layered(layers)


def aside(layers: Layers, degrees: float, share: float = 1.0) -> tuple[float, float]:
    """A place within the reach."""
    angle = np.radians(degrees)
    return share * layers.reach * np.cos(angle), share * layers.reach * np.sin(angle)


def seen(world: TwoPlanes, surface: Surface, eye: tuple[float, float] = (0, 0)) -> View:
    return render_view(surface.nodes, world.eye(*eye))


def names(surface: Surface) -> list[str]:
    return [node.name for node in surface.nodes]


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("paint", PAINTS)
def test_from_its_own_place_the_scene_is_the_picture(paint: Paint, samples: int) -> None:
    world, _, surface = built(paint, samples)
    view = seen(world, surface)
    assert not view.open.any()
    assert psnr(view.colour, world.picture(samples).pixels) > 44
    z = np.where(world.sight().near, world.near, world.far)
    np.testing.assert_allclose(1 / view.inverse[world.sight().calm], z[world.sight().calm], rtol=0.006)


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("paint", PAINTS)
def test_within_the_reach_nothing_opens_that_the_wall_would_show(paint: Paint, samples: int) -> None:
    world, layers, surface = built(paint, samples)
    for degrees in AROUND:
        for share in (0.3, 0.999):
            eye = aside(layers, degrees, share)
            sight, view = world.sight(*eye), seen(world, surface, eye)
            assert sight.hidden.sum() > 100
            assert not (view.open & sight.framed).any()
            z = np.where(sight.near, world.near, world.far)
            sure = sight.calm & sight.framed
            assert (np.abs(view.inverse * z - 1)[sure] < 0.006).mean() > 0.999


Boxes = tuple[tuple[float, float, float, float, float], ...]
"""Panels facing the camera: z, left, right, top, bottom in metres."""
SEVERAL: dict[str, Boxes] = {
    "rims": ((1.5, -0.5, 0, -0.4, 0.4), (1.9, -0.3, 0.076, -0.4, 0.4), (2.6, -0.3, 0.21, -0.5, 0.5)),
    "steps": tuple((1.2 + 0.4 * i, -0.9 + 0.25 * i, -0.75 + 0.25 * i, -0.6, 0.7) for i in range(4)),
    "thin strip": ((2, -0.5, 0.3, -0.4, 0.5), (3, -0.3, 1.2, -0.2, 0.9)),
    "overlapping": ((1.5, -0.4, 0.1, -0.3, 0.2), (2.2, -0.2, 0.6, -0.5, 0.3), (3.5, -1.5, 0.9, -0.1, 1.2)),
}


def from_aside(boxes: Boxes, x: float, y: float) -> worlds.World:
    """Panels before a wall at 6 m, seen from (x, y)."""
    panels = [worlds.panel(z, left - x, right - x, top - y, bottom - y) for z, left, right, top, bottom in boxes]
    return worlds.render("panels", (*panels, worlds.plane((0, 0, 1), 6.0)), worlds.camera())


@pytest.mark.parametrize("name", list(SEVERAL))
def test_nothing_opens_among_several_surfaces_either(name: str) -> None:
    world = from_aside(SEVERAL[name], 0, 0)
    layers = build_layers(world.depth, world.picture())
    surface, camera = build_layered(layers), worlds.camera()
    opened = 0
    for degrees in range(0, 360, 30):
        x, y = aside(layers, degrees, 0.98)
        z = from_aside(SEVERAL[name], x, y).depth.values
        rows, columns = np.mgrid[:120, :160] + 0.5
        was_x, was_y = columns + camera.fx * x / z, rows + camera.fy * y / z
        framed = (was_x > 0) & (was_x < 160) & (was_y > 0) & (was_y < 120)
        pose = np.eye(4)
        pose[:2, 3] = x, y
        opened += int((render_view(surface.nodes, Camera(camera, Pose(pose))).open & framed).sum())
    assert opened == 0


@pytest.mark.parametrize("paint", PAINTS)
def test_what_was_hidden_is_marked_as_invented_and_what_was_seen_is_not(paint: Paint) -> None:
    world, layers, surface = built(paint)
    near = world.sight().near
    assert layers.hidden.invented.sum() > 500 and not (layers.hidden.invented & ~near).any()
    assert not layers.soft.invented.any()
    made_up = {node.name: node.item.invented for node in surface.nodes if isinstance(node.item, Mesh)}
    assert made_up["surface"] is None and made_up["hidden"] is not None and made_up.get("soft") is None
    assert seen(world, surface).invented.mean() < 0.015, "the seam at most, where seen and made up share triangles"
    for degrees in AROUND:
        eye = aside(layers, degrees)
        sight, view = world.sight(*eye), seen(world, surface, eye)
        sure = sight.calm & sight.framed
        assert view.invented[sure & sight.hidden].mean() > 0.97
        assert view.invented[sure & ~sight.hidden].mean() < 0.015


def test_a_smooth_wall_goes_on_in_its_own_colours() -> None:
    world, layers, surface = built(gradient)
    for degrees in AROUND:
        eye = aside(layers, degrees)
        sight, view = world.sight(*eye), seen(world, surface, eye)
        error = np.abs(view.colour - sight.colour).max(axis=-1)[sight.hidden & sight.calm & sight.framed]
        assert np.median(error) < 2
        assert np.quantile(error, 0.98) < 7


@pytest.mark.parametrize("degrees", [0, 20, 160, 180])
@pytest.mark.parametrize("samples", [1, 4])
def test_a_patterned_wall_is_nearer_to_the_truth_than_repeated_edges(degrees: float, samples: int) -> None:
    world, layers, surface = built(grain, samples)
    eye = aside(layers, degrees)
    sight, view = world.sight(*eye), seen(world, surface, eye)
    where = sight.hidden & sight.calm & sight.framed
    assert psnr(view.colour, sight.colour, where) > psnr(stretched(sight, eye[0]), sight.colour, where) + 0.8


@pytest.mark.parametrize("paint", PAINTS)
def test_what_was_seen_stays_true_from_aside(paint: Paint) -> None:
    world, layers, surface = built(paint, 4)
    for degrees in AROUND:
        eye = aside(layers, degrees)
        sight = world.sight(*eye)
        where = sight.calm & sight.framed & ~sight.hidden
        assert psnr(seen(world, surface, eye).colour, sight.colour, where) > 40


@pytest.mark.parametrize("paint", [plain, gradient])
def test_mixed_outlines_are_taken_apart_again(paint: Paint) -> None:
    world, layers, surface = built(paint, 4)
    assert names(surface) == ["surface", "hidden", "soft"]
    alpha = np.asarray(layers.soft.alpha)
    side = alpha[50:75, [54, 105]]
    np.testing.assert_allclose(side, np.broadcast_to([0.5, 0.25], side.shape), atol=0.05)
    mixed = (alpha > 0) & (alpha < 1)
    assert not (layers.kept & mixed).any()
    assert (layers.soft.inverse[layers.soft.on] == np.float32(1 / world.near)).all()
    wall = world.wall(*(np.mgrid[:120, :160][::-1] + 0.5))
    assert np.abs(layers.hidden.colour[mixed] - wall[mixed]).max() < 12
    assert psnr(seen(world, surface).colour, world.picture(4).pixels, mixed) > 35


def test_without_layers_there_is_one_sheet_with_honest_holes() -> None:
    world = TwoPlanes(gradient)
    made = unflat.photo(world.picture(), depth=world.depth, layers="none")
    assert [node.name for node in made.scene.nodes] == ["surface"]
    assert not made.scene.provenance.invented
    layered = unflat.photo(world.picture(), depth=world.depth)
    assert [node.role for node in layered.scene.nodes][:2] == ["surface", "hidden"]
    assert layered.scene.provenance.invented
    eye = 0.9 * layered.layers.reach
    sight = world.sight(eye)
    sheet, both = (render_view(result.scene.nodes, world.eye(eye)) for result in (made, layered))
    assert (sheet.open & sight.framed).sum() > 0.8 * sight.hidden.sum()
    assert not (both.open & sight.framed).any()


@pytest.mark.parametrize("name", ["wall", "slanted", "room"])
def test_where_nothing_is_covered_there_is_one_surface_only(name: str) -> None:
    world = worlds.WORLDS[name]()
    layers = build_layers(world.depth, world.picture())
    assert not layers.hidden.on.any() and not layers.soft.on.any() and layers.kept.all()
    assert names(build_layered(layers)) == ["surface"]


def test_the_sky_closes_what_lies_behind_everything() -> None:
    world = worlds.landscape()
    layers = build_layers(world.depth, world.picture())
    surface = build_layered(layers)
    assert names(surface)[0] == "surface" and names(surface)[-1] == "sky"
    camera = world.depth.intrinsics
    assert camera is not None
    view = render_view(surface.nodes, Camera(camera, Pose.identity()))
    assert not view.open.any()
    assert psnr(view.colour, world.picture().pixels) > 30


@pytest.mark.parametrize("triangles", [16, 24, 30])
def test_too_few_triangles_leave_a_layer_out_and_say_so(triangles: int) -> None:
    world, layers, _ = built(grain, 4)
    surface = build_layered(layers, SurfaceOptions(triangles))
    assert surface.triangles <= triangles
    assert not {"hidden", "soft"} & set(names(surface)), "all layers or one whole sheet"
    assert sum("too few" in note and "left out" in note for note in surface.notes) == 1
    assert not seen(world, surface).open.any()


@pytest.mark.parametrize("triangles", [100, 1000, 5000])
def test_all_layers_together_keep_to_the_triangles(triangles: int) -> None:
    _, layers, _ = built(grain, 4)
    surface = build_layered(layers, SurfaceOptions(triangles))
    assert surface.triangles <= triangles
    assert surface.triangles == sum(len(n.item.faces) for n in surface.nodes if isinstance(n.item, Mesh))


def test_depth_that_is_missing_is_taken_from_what_looks_alike() -> None:
    world = TwoPlanes(gradient)
    valid = np.ones(world.depth.size.shape, bool)
    valid[30:60, 90:118] = valid[50:60, 60:80] = False
    values = np.where(valid, world.depth.values, np.float32(np.nan))
    depth = replace(world.depth, values=values, valid=valid, confidence=np.full(valid.shape, 0.8, np.float32))
    layers = build_layers(depth, world.picture())
    assert np.asarray(layers.depth.valid).all()
    right = np.abs(layers.depth.values - world.depth.values) < 1e-4
    assert right[valid].all() and right[~valid].mean() > 0.97
    assert layers.depth.confidence is not None
    assert not layers.depth.confidence[~valid].any() and (layers.depth.confidence[valid] == np.float32(0.8)).all()


def test_what_is_transparent_stays_empty() -> None:
    world = TwoPlanes(gradient)
    opaque = np.ones(world.depth.size.shape, bool)
    opaque[:, 130:] = False
    picture = Image(world.picture().pixels, np.where(opaque, 255, 0).astype(np.uint8))
    layers = build_layers(replace(world.depth, valid=opaque), picture)
    np.testing.assert_array_equal(layers.depth.valid, opaque)
    view = seen(world, build_layered(layers))
    assert view.open[:, 132:].all() and not view.open[:, :128].any()


def test_a_picture_larger_than_its_depth_keeps_its_detail() -> None:
    world = TwoPlanes(grain)
    pixels = np.kron(world.picture().pixels, np.ones((2, 2, 1), np.uint8))
    pixels[::2, ::2] = np.clip(pixels[::2, ::2].astype(int) + 20, 0, 255)
    layers = build_layers(world.depth, Image(pixels))
    camera = Camera(world.camera.resized(Size(320, 240)), Pose.identity())
    view = render_view(build_layered(layers).nodes, camera)
    assert not view.open.any()
    assert psnr(view.colour, pixels) > 34


def test_very_near_things_shorten_the_reach() -> None:
    world = TwoPlanes(gradient)
    assert build_layers(world.depth, world.picture()).reach == pytest.approx(0.1 * world.far, rel=0.1)
    close = TwoPlanes(gradient, near=0.5)
    layers = build_layers(close.depth, close.picture())
    shift = layers.reach * close.camera.fx * (1 / close.near - 1 / close.far)
    assert shift == pytest.approx(LayerOptions().parallax * close.camera.size.width, rel=0.01)
    free = build_layers(close.depth, close.picture(), LayerOptions(parallax=np.inf))
    assert free.reach == pytest.approx(0.1 * close.far, rel=0.01)


@pytest.mark.parametrize(
    "wrong",
    [{"reach": 0}, {"reach": 1.5}, {"reach": -1}, {"edge": 0}, {"seam": -1}, {"seam": 17}, {"parallax": 0}],
    ids=str,
)
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        LayerOptions(**wrong)  # type: ignore[arg-type]


def test_what_cannot_become_layers_is_refused() -> None:
    world = TwoPlanes(plain)
    with pytest.raises(InputError, match="camera"):
        build_layers(replace(world.depth, intrinsics=None), world.picture())
    with pytest.raises(UnitError):
        build_layers(DepthMap(world.depth.values, DepthKind.AFFINE, intrinsics=world.camera), world.picture())
    with pytest.raises(InputError, match="no surface"):
        build_layers(replace(world.depth, valid=np.zeros(world.depth.size.shape, bool)), world.picture())


def test_layers_of_other_sizes_do_not_go_together() -> None:
    _, layers, _ = built(plain)
    small = Layer(np.zeros((3, 4), np.float32), np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4), bool))
    with pytest.raises(ShapeError, match="hidden"):
        replace(layers, hidden=small)
    with pytest.raises(ShapeError):
        replace(layers, kept=np.zeros((3, 4), bool))
    with pytest.raises(ShapeError):
        replace(small, alpha=np.zeros((4, 3), np.float32))
    assert not small.on.any() and "4×3" in repr(small) and "reach" in repr(layers)
