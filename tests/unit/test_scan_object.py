"""From one cut-out to a thing that stands: closed, textured, in its size, and honest about its back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unflat.errors import InputError
from unflat.formats.registry import read_scene, write
from unflat.geometry.closed_surface import is_closed
from unflat.pipelines.scan_object import ObjectOptions, object_from_cutouts
from unflat.stages.inflate import InflateOptions
from unflat.stages.stand import StandOptions
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Frame, Scene
from unflat.types.views import Still, Stills

QUICK = ObjectOptions(
    front="none",
    shape="relief",
    object_triangles=4000,
    inflate=InflateOptions(cells=64),
    stand=StandOptions(height_mm=150.0),
)


def cup(name: str = "cup.png") -> Still:
    """A green disc with a hole in it; its left half is lighter."""
    y, x = np.mgrid[:120, :160] + 0.5
    r = np.hypot(x - 80, y - 60)
    mask = (r < 50) & (np.hypot(x - 95, y - 60) > 12)
    pixels = np.where(mask[..., None], (30, 160, 60), (255, 0, 255)).astype(np.uint8)
    pixels[(x < 80) & mask] = (90, 220, 120)
    return Still(name, Size(160, 120), lambda: pixels, mask=lambda: mask)


def welded(mesh: Mesh) -> np.ndarray:
    """Faces between places rather than vertices."""
    _, place = np.unique(np.asarray(mesh.vertices), axis=0, return_inverse=True)
    return place.reshape(-1)[np.asarray(mesh.faces)].astype(np.uint32)


def only(scene: Scene) -> Mesh:
    (node,) = scene.nodes
    assert isinstance(node.item, Mesh)
    return node.item


def test_one_cut_out_is_a_closed_textured_thing_on_its_base(tmp_path: Path) -> None:
    scene = object_from_cutouts(Stills((cup(),), False), QUICK)
    mesh = only(scene)
    assert is_closed(welded(mesh))
    assert len(mesh.faces) <= 4000
    assert scene.frame is Frame.LEVEL_RDF and scene.scale.basis == "known-length"
    assert mesh.vertices[:, 1].max() == 0
    assert -mesh.vertices[:, 1].min() == pytest.approx(0.15, rel=1e-5)
    assert mesh.invented is not None and 0.3 < mesh.invented.mean() < 0.75
    assert scene.provenance.invented and any("back" in told for told in scene.provenance.warnings)
    write(scene, tmp_path / "cup.glb")
    back = only(read_scene(tmp_path / "cup.glb"))
    assert len(back.faces) == len(mesh.faces)


def test_the_front_is_seen_and_the_back_is_made_up_and_no_background_comes_in() -> None:
    mesh = only(object_from_cutouts(Stills((cup(),), False), QUICK))
    assert mesh.texture is not None and mesh.uv is not None and mesh.invented is not None
    z = np.asarray(mesh.vertices[:, 2])
    near, far = z < np.quantile(z, 0.2), z > np.quantile(z, 0.8)
    assert not mesh.invented[near].any() and mesh.invented[far].all()
    at = (mesh.uv * (mesh.texture.size.width, mesh.texture.size.height)).astype(int)
    x, y = (np.clip(at[:, i], 0, n - 1) for i, n in enumerate((mesh.texture.size.width, mesh.texture.size.height)))
    colour = mesh.texture.pixels[y, x].astype(int)
    assert (colour[:, 1] > colour[:, 0]).all() and (colour[:, 1] > colour[:, 2]).all()
    left = np.asarray(mesh.vertices[:, 0]) < -0.01
    assert np.median(colour[left, 0]) == 90 and np.median(colour[np.asarray(mesh.vertices[:, 0]) > 0.01, 0]) == 30


def test_the_camera_of_the_picture_sees_the_picture() -> None:
    scene = object_from_cutouts(Stills((cup(),), False), QUICK)
    (camera,) = scene.cameras
    inverse = np.linalg.inv(camera.pose.world_from_camera)
    points = np.asarray(only(scene).vertices, float) @ inverse[:3, :3].T + inverse[:3, 3]
    x = camera.intrinsics.fx * points[:, 0] / points[:, 2] + camera.intrinsics.cx
    y = camera.intrinsics.fy * points[:, 1] / points[:, 2] + camera.intrinsics.cy
    assert (x.min(), x.max()) == (pytest.approx(30, abs=1.5), pytest.approx(130, abs=1.5))
    assert (y.min(), y.max()) == (pytest.approx(10, abs=1.5), pytest.approx(110, abs=1.5))


def test_thickness_is_as_told() -> None:
    thin = replace(QUICK, inflate=InflateOptions(cells=64, thickness=0.5))
    deep = [np.ptp(only(object_from_cutouts(Stills((cup(),), False), o)).vertices[:, 2]) for o in (QUICK, thin)]
    assert deep[1] == pytest.approx(deep[0] / 2, rel=0.08)


def test_no_picture_and_an_empty_one_are_refused() -> None:
    with pytest.raises(InputError, match="no picture"):
        object_from_cutouts(Stills((), False), QUICK)
    empty = replace(cup(), mask=lambda: np.zeros((120, 160), bool))
    with pytest.raises(InputError, match=r"cup\.png is transparent"):
        object_from_cutouts(Stills((empty,), False), QUICK)


def board(name: str, width: int, height: int, tone: tuple[int, int, int]) -> Still:
    """One side of a box, on a ground that is not it."""
    mask = np.zeros((140, 140), bool)
    mask[10 : 10 + height, 20 : 20 + width] = True
    pixels = np.where(mask[..., None], tone, (255, 255, 0)).astype(np.uint8)
    return Still(name, Size(140, 140), lambda: pixels, mask=lambda: mask)


SIDES = (
    board("box_front.png", 100, 60, (200, 40, 40)),
    board("box_right.png", 50, 60, (40, 200, 40)),
    board("box_top.png", 100, 50, (40, 40, 200)),
)


def test_named_sides_make_the_box_that_has_them() -> None:
    scene = object_from_cutouts(Stills(SIDES, False), replace(QUICK, stand=StandOptions(width_mm=200.0)))
    mesh = only(scene)
    assert is_closed(welded(mesh))
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), [0.2, 0.12, 0.1], rtol=0.06)
    assert len(scene.cameras) == 3
    assert mesh.texture is not None and mesh.uv is not None and mesh.invented is not None
    centre = np.asarray(mesh.vertices)[np.asarray(mesh.faces)].mean(axis=1)
    uv = np.asarray(mesh.uv)[np.asarray(mesh.faces)].mean(axis=1)
    at = (uv * (mesh.texture.size.width, mesh.texture.size.height)).astype(int)
    colour = np.asarray(mesh.texture.pixels)[at[:, 1], at[:, 0]].astype(int)
    x, y, z = centre.T
    inner = np.abs(y + 0.06) < 0.045
    for face, channel in ((z < -0.047, 0), (x > 0.097, 1), (x < -0.097, 1), (z > 0.047, 0)):
        chosen = colour[face & inner & ((np.abs(x) < 0.09) | (np.abs(z) < 0.04))]
        assert len(chosen) and (chosen.argmax(axis=1) == channel).mean() > 0.95
    assert (colour[(y < -0.118) & (np.abs(x) < 0.09) & (np.abs(z) < 0.04)].argmax(axis=1) == 2).all()
    made_up = np.asarray(mesh.invented)[np.asarray(mesh.faces)].all(axis=1)
    assert made_up[(x < -0.097) & inner].mean() > 0.9 and not made_up[(x > 0.097) & inner & (np.abs(z) < 0.04)].any()


def test_front_and_back_make_a_round_thing_with_both_pictures() -> None:
    pair = (cup("cup_front.png"), replace(cup("cup_back.png"), read=lambda: np.full((120, 160, 3), 77, np.uint8)))
    mesh = only(object_from_cutouts(Stills(pair, False), QUICK))
    assert is_closed(welded(mesh)) and mesh.texture is not None and mesh.uv is not None and mesh.invented is not None
    at = (np.asarray(mesh.uv) * (mesh.texture.size.width, mesh.texture.size.height)).astype(int)
    colour = np.asarray(mesh.texture.pixels)[at[:, 1], at[:, 0]]
    z = np.asarray(mesh.vertices[:, 2])
    assert (colour[z > np.quantile(z, 0.85)] == 77).all() and not (colour[z < np.quantile(z, 0.15)] == 77).all(1).any()
    assert mesh.invented.mean() < 0.3


def test_pictures_whose_side_nothing_tells_are_named() -> None:
    scene = object_from_cutouts(Stills((cup("a.png"), cup("b.png")), False), QUICK)
    assert any("b.png is not used" in told for told in scene.provenance.warnings)
