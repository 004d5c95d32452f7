"""Pictures of a thing: by the names of their sides, by what they share, or a message that says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import painted
from unflat.errors import InputError
from unflat.pipelines.scan import ScanOptions, ScanWork
from unflat.pipelines.scan_object import ObjectOptions
from unflat.pipelines.scan_thing import thing
from unflat.stages.inflate import InflateOptions
from unflat.stages.marked_length import MarkedLength
from unflat.stages.place_scene import PlaceOptions
from unflat.stages.wrap import WrapOptions
from unflat.types.camera import Camera, Intrinsics
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Scene

pytest.importorskip("pycolmap")

QUICK = ObjectOptions(
    front="none", object_triangles=3000, inflate=InflateOptions(cells=48), wrap=WrapOptions(texture_side=256)
)
LEARNED_NOT = ScanOptions(ScanWork(learned=False))


def cut_outs(folder: Path, count: int, step_deg: float, word: str = "view") -> list[Path]:
    """A painted box seen from a little above, each picture with alpha, so many degrees apart."""
    block = painted.box(0.5, side=512)
    lens = Intrinsics.from_fov(38, Size(320, 240))
    paths = []
    for n in range(count):
        a = np.deg2rad(20 + step_deg * n)
        pose = painted.looking((2.4 * np.sin(a), -1.1, -2.4 * np.cos(a)), (0, 0, 0))
        shot = painted.take([block], Camera(lens, pose), 2)
        alpha = np.where(shot.depth > 0, np.uint8(255), np.uint8(0))
        paths.append(folder / f"box_{word}_{n}.png")
        cv2.imwrite(str(paths[-1]), np.dstack([shot.pixels[..., ::-1], alpha]))
    return paths


def mesh_of(scene: Scene) -> Mesh:
    (node,) = scene.nodes
    assert isinstance(node.item, Mesh)
    return node.item


def test_cut_outs_that_overlap_are_placed_without_names(tmp_path: Path) -> None:
    scene, told = thing(cut_outs(tmp_path, 6, 12), LEARNED_NOT, QUICK)
    assert told["made_from"] == "a scan" and len(scene.cameras) == 6
    box = np.ptp(mesh_of(scene).vertices, axis=0)
    assert box.max() / box.min() < 2  # a cube, and what no outline carves away behind it
    assert mesh_of(scene).invented is not None and scene.provenance.invented


def test_cut_outs_that_do_not_overlap_say_what_to_do(tmp_path: Path) -> None:
    options = replace(LEARNED_NOT, place=PlaceOptions(known_length=MarkedLength.parse("150,110,170,110=0.1")))
    scene, told = thing(cut_outs(tmp_path, 3, 90), options, QUICK)
    assert told["made_from"] == "cut-outs"
    warnings = " ".join(told["warnings"])
    assert "could not be placed" in warnings and "--sides" in warnings
    assert scene.scale.basis == "known-length"  # the length is in the picture that was used
    nothing = tmp_path / "noise.png"
    cv2.imwrite(str(nothing), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    with pytest.raises(InputError, match="not even"):
        thing([nothing], LEARNED_NOT, QUICK)


def test_names_of_sides_are_believed_first(tmp_path: Path) -> None:
    paths = cut_outs(tmp_path, 4, 90)
    named = [
        p.rename(tmp_path / f"box_{s}.png") for p, s in zip(paths, ("front", "right", "back", "left"), strict=True)
    ]
    scene, told = thing(named, LEARNED_NOT, QUICK)
    assert told["made_from"] == "cut-outs" and len(scene.cameras) == 4
