"""How far the eye may go: as far as known worlds allow, less where depth is doubtful, told in every file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.two_planes import TwoPlanes
from tests.worlds import World, camera, plane, render

import scenes
from unflat.errors import InputError, ShapeError
from unflat.formats.registry import read_scene, write
from unflat.stages.build_layers import LayerOptions, build_layers
from unflat.stages.safe_orbit import SafeOptions, safe_orbit
from unflat.types import DepthMap, Image, SafeView, Scene

SAFE = SafeView(2.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.05)


def safe_of(depth: DepthMap, picture: Image, share: float = 0.05, reach: float = 1.0) -> SafeView:
    layers = build_layers(depth, picture, LayerOptions(reach=reach, parallax=1.0, seam=1))
    return safe_orbit(layers, SafeOptions(share))


def test_a_square_before_a_wall_may_bare_its_share() -> None:
    """The gap g beside it is f·t·(1/near - 1/far) wide and as high as the square; above it, as wide as the square.

    The wall itself moves by g, too (1/near is twice 1/far): of what it bares at the border nothing is known.
    """
    world = TwoPlanes()
    found = safe_of(world.depth, world.picture(), 0.03)
    left, top, right, bottom = world.box
    gap_per_metre = world.camera.fx * (1 / world.near - 1 / world.far)
    h, w = world.camera.size.shape
    assert found.pivot == pytest.approx(world.far)
    aside, upright = (bottom - top, h), (right - left, w)
    for side, (length, across) in (("left", aside), ("right", aside), ("up", upright), ("down", upright)):
        expected = 0.03 * h * w / (length + 0.03 * across) / gap_per_metre
        assert getattr(found, side) == pytest.approx(expected, rel=0.1), side
    assert found.radius == min(found.left, found.right, found.up, found.down)


def test_more_guessing_allows_more_and_nothing_beyond_the_reach() -> None:
    world = TwoPlanes()
    strict, mild = (safe_of(world.depth, world.picture(), share) for share in (0.005, 0.02))
    assert strict.radius < 0.6 * mild.radius
    layers = build_layers(world.depth, world.picture(), LayerOptions(reach=0.01))
    assert safe_orbit(layers, SafeOptions(0.5)).radius == layers.reach


def test_a_wall_alone_is_safe_as_far_as_it_goes_whatever_its_confidence() -> None:
    wall: World = render("wall", (plane((0, 0, 1), 3.0),), camera())
    doubtful = replace(wall.depth, confidence=np.full(wall.depth.size.shape, 0.1, np.float32))
    picture = Image(np.full((*wall.depth.size.shape, 3), 90, np.uint8))
    found = safe_of(doubtful, picture, reach=0.1)
    assert found.radius == pytest.approx(0.3) and found.nearer == pytest.approx(0.6 * 3)


def test_doubt_where_things_move_brings_the_limit_nearer() -> None:
    world = TwoPlanes()
    shape = world.camera.size.shape
    sure, unsure = (replace(world.depth, confidence=np.full(shape, value, np.float32)) for value in (0.99, 0.3))
    radii = [safe_of(depth, world.picture(), 0.01).radius for depth in (world.depth, sure, unsure)]
    assert radii[0] == pytest.approx(radii[1], rel=0.05)
    assert radii[2] < 0.9 * radii[1]


def test_it_is_the_same_every_time() -> None:
    world = TwoPlanes()
    assert safe_of(world.depth, world.picture()) == safe_of(world.depth, world.picture())


def test_angles_turn_about_the_pivot() -> None:
    assert SAFE.radius == 0.1
    assert SAFE.yaw_deg == pytest.approx((-np.degrees(np.arctan(0.05)), np.degrees(np.arctan(0.1))))
    assert SAFE.pitch_deg == pytest.approx((-np.degrees(np.arctan(0.2)), np.degrees(np.arctan(0.15))))


@pytest.mark.parametrize("wrong", [{"left": -0.1}, {"pivot": 0}, {"share": 0}, {"share": 1}, {"up": float("nan")}])
def test_impossible_ranges_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ShapeError):
        replace(SAFE, **wrong)
    if "share" in wrong:
        with pytest.raises(InputError, match="safe-share"):
            SafeOptions(wrong["share"])


@pytest.mark.parametrize("name", ["a.glb", "a.gltf", "a.usdz", "a.ply", "a.obj", "a.html", "a.splat.ply", "a.spz"])
def test_every_file_tells_it(tmp_path: Path, name: str) -> None:
    if name == "a.usdz":
        pytest.importorskip("pxr")
    scene: Scene = scenes.splat_scene() if name in ("a.splat.ply", "a.spz") else scenes.textured_scene()
    write(replace(scene, safe_view=SAFE), tmp_path / name)
    assert read_scene(tmp_path / name).safe_view == SAFE
    write(scene, tmp_path / f"b{name[1:]}")
    assert read_scene(tmp_path / f"b{name[1:]}").safe_view is None


@pytest.mark.parametrize("wrong", [[], {"radius": 1.0}, {**{k: 0.1 for k in SafeView.__slots__}, "left": -1}])
def test_a_damaged_record_is_refused(tmp_path: Path, wrong: object) -> None:
    import json

    write(scenes.textured_scene(), tmp_path / "a.gltf")
    document = json.loads((tmp_path / "a.gltf").read_text("utf-8"))
    document["asset"]["extras"]["unflat"]["safe_view"] = wrong
    (tmp_path / "a.gltf").write_text(json.dumps(document), "utf-8")
    with pytest.raises(InputError, match="damaged"):
        read_scene(tmp_path / "a.gltf")
