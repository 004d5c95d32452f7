"""Other people's judges: Khronos' glTF-Validator and Pixar's USD validators find nothing wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import painted
import scenes
import turned_models
from unflat.formats.registry import ExportOptions, write
from unflat.formats.shop import write_shop
from unflat.pipelines.scan_object import ObjectOptions, object_from_images
from unflat.stages.bake_texture import TextureOptions, bake_texture
from unflat.stages.inflate import InflateOptions
from unflat.stages.make_poster import make_poster
from unflat.types import Image, Mesh, Node, Size

TOOLS = Path(__file__).parents[1] / "tools"
GLTF_SCENES = [name for name in scenes.SCENES if name != "splats"]
XMP_PASSED_OVER = ["UNSUPPORTED_EXTENSION"]
"""The validator says, for information, that it passes over KHR_xmp_json_ld; test_rights_carried looks into that."""
HARMLESS = {"IMAGE_NPOT_DIMENSIONS", "INCOMPLETE_EXTENSION_SUPPORT", *XMP_PASSED_OVER}
"""What may be remarked upon: a photograph is not a power of two wide; the validator knows a part of animated lenses."""


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js with the validator beside it. Without them the test is skipped, but never in CI."""
    program = shutil.which("node")
    missing = None if program else "Node.js is not installed"
    if program and not (TOOLS / "node_modules" / "gltf-validator").is_dir():
        missing = "the glTF-Validator is not installed; run: npm ci --prefix tests/tools"
    if missing and os.environ.get("UNFLAT_CI") == "1":
        pytest.fail(missing)
    if missing or program is None:
        pytest.skip(missing or "")
    return program


def gltf_reports(node: str, *paths: Path) -> list[dict[str, Any]]:
    command = [node, str(TOOLS / "validate_gltf.cjs"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.node
def test_gltf_validator_finds_nothing(node: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in GLTF_SCENES for suffix in (".glb", ".gltf")]
    for path in paths:
        write(scenes.SCENES[path.stem](), path)
    reports = gltf_reports(node, *paths)
    assert len(reports) == len(paths)
    for path, report in zip(paths, reports, strict=True):
        issues = report["issues"]
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), (path.name, issues["messages"])
        codes = Counter(message["code"] for message in issues["messages"])
        assert set(codes) <= HARMLESS, (path.name, issues["messages"])
        scene = scenes.SCENES[path.stem]()
        assert ("INCOMPLETE_EXTENSION_SUPPORT" in codes) == any(track.zooms for track in scene.tracks)
        assert report["info"]["animationCount"] == len(scene.tracks)
        assert report["info"]["totalTriangleCount"] == scene.triangles
        assert report["info"]["hasTextures"] == any(isinstance(n.item, Mesh) and n.item.texture for n in scene.nodes)


@pytest.mark.node
def test_finishes_and_pins_are_valid_gltf(node: str, tmp_path: Path) -> None:
    paths = [tmp_path / "model.glb", tmp_path / "model.gltf"]
    for path in paths:
        write(turned_models.head(), path)
    for report in gltf_reports(node, *paths):
        assert [message["code"] for message in report["issues"]["messages"]] == XMP_PASSED_OVER


@pytest.mark.node
def test_gltf_validator_would_find_something(node: str, tmp_path: Path) -> None:
    """The judge is awake: a file with a wrong bound is an error."""
    write(scenes.textured_scene(), tmp_path / "a.gltf")
    document = json.loads((tmp_path / "a.gltf").read_text("utf-8"))
    document["accessors"][0]["max"][0] += 1
    (tmp_path / "a.gltf").write_text(json.dumps(document), "utf-8")
    (report,) = gltf_reports(node, tmp_path / "a.gltf")
    assert report["issues"]["numErrors"] == 1


@pytest.mark.node
def test_gltf_validator_finds_nothing_in_a_painted_surface(node: str, tmp_path: Path) -> None:
    """Vertices doubled along cuts, a texture of our own making."""
    size = Size(160, 120)
    frames = [painted.frame_of(painted.take([painted.box()], camera)) for camera in painted.around(6, 1.9, size)]
    surface = bake_texture(Mesh(painted.box().vertices, painted.box().faces), frames, TextureOptions(256))
    scene = scenes.textured_scene()
    write(replace(scene, nodes=(Node("box", surface),)), tmp_path / "a.glb")
    (report,) = gltf_reports(node, tmp_path / "a.glb")
    assert [message["code"] for message in report["issues"]["messages"]] == XMP_PASSED_OVER
    assert report["info"]["totalTriangleCount"] == 12 and report["info"]["hasTextures"]


@pytest.mark.node
def test_gltf_validator_finds_nothing_in_an_object_for_a_shop(node: str, tmp_path: Path) -> None:
    """Made of a cut-out; its report says of the USDZ what the validators here say."""
    y, x = np.mgrid[:80, :100] + 0.5
    inside = np.hypot(x - 50, y - 40) < 30
    picture = Image(np.full((80, 100, 3), (40, 120, 200), np.uint8), inside.astype(np.uint8) * np.uint8(255))
    options = ObjectOptions(front="none", object_triangles=2000, inflate=InflateOptions(cells=48))
    scene = object_from_images([picture], options)
    told = write_shop(scene, make_poster(scene, 128), tmp_path / "a.glb", ExportOptions(), {})
    (report,) = gltf_reports(node, tmp_path / "a.glb")
    codes = {message["code"] for message in report["issues"]["messages"]}
    assert (report["issues"]["numErrors"], report["issues"]["numWarnings"]) == (0, 0) and codes <= HARMLESS
    assert told["passed"]


def usd_complaints(path: Path) -> list[str]:
    from pxr import Usd, UsdValidation

    stage = Usd.Stage.Open(str(path))
    judges = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(judges) >= 20
    context = UsdValidation.ValidationContext(judges)
    return [f"{error.GetName()}: {error.GetMessage()}" for error in context.Validate(stage)]


@pytest.mark.parametrize("name", scenes.MESH_SCENES)
def test_usd_validators_find_nothing(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="usd-core has no package for this machine")
    write(scenes.MESH_SCENES[name](), tmp_path / "a.usdz", ExportOptions())
    assert usd_complaints(tmp_path / "a.usdz") == []


def test_usd_validators_would_find_something(tmp_path: Path) -> None:
    """The judges are awake: a stage without units and a picture that is not there."""
    pytest.importorskip("pxr", reason="usd-core has no package for this machine")
    (tmp_path / "bad.usda").write_text(
        '#usda 1.0\ndef Shader "s" { uniform token info:id = "UsdUVTexture"\n asset inputs:file = @none.png@\n}\n',
        "utf-8",
    )
    assert usd_complaints(tmp_path / "bad.usda")
