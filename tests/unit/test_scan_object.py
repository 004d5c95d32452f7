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
    depth="none", shape="relief", triangles=4000, inflate=InflateOptions(cells=64), stand=StandOptions(height_mm=150.0)
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
