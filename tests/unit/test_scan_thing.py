"""Pictures of a thing: by the names of their sides, by what they share, or a message that says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

import painted
from unflat.errors import InputError
from unflat.formats.registry import ExportOptions
from unflat.models.views.judge import ANOTHER_PLACE, MORE_PLACES
from unflat.pipelines import scan as scans
from unflat.pipelines import scan_thing
from unflat.pipelines.scan import ScanOptions, ScanWork
from unflat.pipelines.scan_object import ObjectOptions
from unflat.pipelines.scan_thing import FEW, ThingScan, save_thing, thing
from unflat.stages.inflate import InflateOptions
from unflat.stages.marked_length import MarkedLength
from unflat.stages.name_views import NameOptions
from unflat.stages.place_scene import PlaceOptions
from unflat.stages.wrap import WrapOptions
from unflat.types.camera import Camera, Intrinsics
from unflat.types.image import Size
from unflat.types.mesh import Mesh
from unflat.types.provenance import Provenance
from unflat.types.scale import Scale
from unflat.types.scene import Frame, Node, Scene
from unflat.types.views import Dropped, Reconstruction, SparsePoints, Still, Stills

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


def made(cameras: int) -> Scene:
    """A thing that so many pictures showed."""
    block = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.uint32))
    camera = Camera(Intrinsics.from_fov(38, Size(64, 64)), painted.looking((0, 0, -2.0), (0, 0, 0)))
    scale = Scale("assumed", 0.5, 2.0)
    return Scene((Node("object", block),), (camera,) * cameras, Frame.LEVEL_RDF, scale, Provenance((), (), "0", True))


@pytest.fixture
def nine(tmp_path: Path) -> list[Path]:
    """More pictures than are called few."""
    paths = [tmp_path / f"turn_{n}.png" for n in range(FEW + 1)]
    for n, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((64, 64, 4), 20 * n, np.uint8))
    return paths


def test_told_sides_are_believed_of_any_number(nine: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_thing, "object_from_images", lambda images, *_: made(len(images)))
    turntable = ObjectOptions(names=NameOptions("turntable"))
    _, told = thing(nine, LEARNED_NOT, turntable)
    assert told["made_from"] == "cut-outs" and told["views"] == {"given": 9, "placed": 9} and not told["partial"]
    with pytest.raises(InputError, match="2 sides were named for 9 pictures"):
        thing(nine, LEARNED_NOT, ObjectOptions(names=NameOptions("front,back")))
    monkeypatch.setattr(scan_thing, "MOST_PICTURES", 8)
    with pytest.raises(InputError, match="cannot tell the sides of 9 pictures"):
        thing(nine, LEARNED_NOT, turntable)


def placing(monkeypatch: pytest.MonkeyPatch, placed: int, stills: Stills) -> None:
    """Let so many pictures find their place, without any work."""

    def cameras(_run: ThingScan) -> Any:
        return SimpleNamespace(views=(None,) * placed, lost=())

    for name, value in (("stills", lambda _: stills), ("cameras", cameras), ("pinholes", cameras)):
        monkeypatch.setattr(ThingScan, name, property(value))
    monkeypatch.setattr(ThingScan, "masked", True)
    monkeypatch.setattr(scan_thing, "object_from_views", lambda views, *_: made(len(views.views)))


def still(name: str) -> Still:
    return Still(name, Size(64, 64), lambda: np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize(("placed", "passed"), [(5, False), (11, False), (12, True), (19, True)])
def test_a_thing_of_a_few_of_its_pictures_does_not_pass(
    nine: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, placed: int, passed: bool
) -> None:
    placing(monkeypatch, placed, Stills(tuple(still(f"{n}.png") for n in range(19)), False, (Dropped("t", "twin"),)))
    scene, told = thing(nine, LEARNED_NOT, QUICK)
    assert told["partial"] is (placed < 19)
    assert [told["views"][name] for name in ("given", "taken", "placed")] == [20, 19, placed]
    report = save_thing(scene, [tmp_path / "x.ply"], ExportOptions(), told)
    (check,) = report["checks"]
    assert check == {"name": "most pictures found their place", "passed": passed, "found": f"{placed} of 19"}
    assert report["passed"] is passed and any("a check failed: most" in w for w in report["warnings"]) is not passed


def test_few_pictures_that_are_too_few_name_those_left_out(nine: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    stills = Stills(
        tuple(still(f"{n}.png") for n in range(4)), False, (Dropped("c.png", "it shows the same as b.png"),)
    )
    placing(monkeypatch, 2, stills)
    monkeypatch.setattr(scan_thing, "object_from_images", lambda images, *_: made(len(images)))
    scene, _ = thing(nine[:5], LEARNED_NOT, QUICK)
    assert "c.png was left out: it shows the same as b.png" in " ".join(scene.provenance.warnings)


def test_sides_of_a_thing_are_not_called_other_places(nine: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    places = tuple(f"{MORE_PLACES}: {n} pictures; scan them by themselves" for n in range(5))
    lost = (Dropped("a", f"{ANOTHER_PLACE}, as 2 do"), Dropped("b", "overlaps too little with the others"))
    found = Reconstruction((), SparsePoints.none(), lost, notes=("kept", *places))
    monkeypatch.setattr(scans, "track_cameras", lambda *_: found)
    monkeypatch.setattr(ThingScan, "stills", property(lambda _: Stills((still("a"), still("b")), False)))
    run = ThingScan(nine)
    told = run.tracked
    run.close()
    assert [one.why for one in told.lost][1] == lost[1].why and "side" in told.lost[0].why
    assert "kept" in told.notes and len(told.notes) == 2
    assert "place" not in " ".join(told.notes) and "scan them" not in " ".join(run.lineage.warnings)
