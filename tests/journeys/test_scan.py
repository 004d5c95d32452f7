"""``unflat scan`` as people call it: pictures from around a thing on a table, and pictures that cannot be scanned."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.scan_places import thing

from unflat.formats import glb
from unflat.types.image import Size
from unflat.types.mesh import Mesh

Run = Callable[..., subprocess.CompletedProcess[str]]


SMALL = ("--no-learned", "--depth-size", "128", "--texture-size", "512", "--triangles", "20000")


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures from around a thing."""
    folder = tmp_path_factory.mktemp("around")
    film = thing(Size(320, 240), 72)
    for number in range(10):
        Image.fromarray(film.frame(number)).save(folder / f"{number:03d}.png")
    return folder


def test_a_folder_becomes_a_place_and_cameras(unflat: Run, around: Path, tmp_path: Path) -> None:
    done = unflat("scan", around, "-o", "a.glb", "-o", "a.tum", "-o", "a.html", "--json", *SMALL)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outputs"] == ["a.glb", "a.tum", "a.html"]
    assert report["views"]["placed"] == 10
    assert report["views"]["error_px"] < 1.5
    assert report["level"] and not report["partial"]
    assert report["scale"]["basis"] == "assumed"
    assert any("known-length" in note for note in report["warnings"])
    made = {"a.glb", "a.tum", "a.html"}
    assert set(p.name for p in tmp_path.iterdir()) == made | {f"{name}.c2pa" for name in made}
    scene = glb.read(tmp_path / "a.glb")
    mesh = scene.nodes[0].item
    assert isinstance(mesh, Mesh) and mesh.texture is not None
    assert len(mesh.faces) > 1000
    lines = [line for line in (tmp_path / "a.tum").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == 10
    assert np.isfinite([[float(word) for word in line.split()] for line in lines]).all()


def test_a_run_that_was_stopped_goes_on(unflat: Run, around: Path, tmp_path: Path) -> None:
    from unflat.formats.scan_shelf import Shelf
    from unflat.pipelines.scan import Scan, ScanOptions

    parts = tmp_path / "b.tum.parts"
    run = Scan([around], ScanOptions(), shelf=Shelf(parts, ScanOptions().work.longest))
    (parts / "lock").touch()
    placed = run.tracked
    done = unflat("scan", around, "-o", "b.tum", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert "track" not in report["seconds"], "the cameras were found before"
    assert report["views"]["placed"] == len(placed.views)
    assert not parts.exists()


def two_lines(done: subprocess.CompletedProcess[str], code: int) -> str:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == code, done.stderr
    assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("hint: "), done.stderr
    return done.stderr


def test_what_cannot_be_scanned_is_said(unflat: Run, around: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, number in (("one", 1), ("strange", 4), ("blank", 6)):
        (tmp_path / name).mkdir()
        for k in range(number):
            pixels = np.full((240, 320, 3), 100 + 9 * k, np.uint8)
            if name == "strange":
                pixels = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{k}.png")
    (tmp_path / "none").mkdir()
    for name in ("one", "strange", "blank", "none", "missing"):
        two_lines(unflat("scan", name, "-o", "x.glb"), 2)
    two_lines(unflat("scan", around, "-o", "x.png"), 2)
    two_lines(unflat("scan"), 2)
    (tmp_path / "there.glb").write_bytes(b"mine")
    assert "--force" in two_lines(unflat("scan", around, "-o", "there.glb"), 9)
    assert (tmp_path / "there.glb").read_bytes() == b"mine"
    assert not list(tmp_path.glob("*x.glb*")), "nothing is left of what was refused"


def test_a_folder_without_a_verb_is_looked_into(unflat: Run, small: Path, tmp_path: Path) -> None:
    assert "unflat photo" in two_lines(unflat(tmp_path), 2), "one picture is no place"
    (tmp_path / "blank").mkdir()
    for k in range(2):
        Image.fromarray(np.full((90, 120, 3), 60 * k, np.uint8)).save(tmp_path / "blank" / f"{k}.png")
    told = unflat("blank")
    assert told.returncode == 2 and told.stderr.startswith("unflat scan blank: 2 files of one place")
    shutil.rmtree(tmp_path / "blank")  # pictures one level down would be scanned
    small.rename(tmp_path / "small.doc")
    assert ".doc" in two_lines(unflat(tmp_path), 2)


def test_a_cut_out_becomes_a_thing_for_a_shop(unflat: Run, tmp_path: Path) -> None:
    y, x = np.mgrid[:200, :160]
    inside = ((x - 80) / 50) ** 2 + ((y - 100) / 80) ** 2 < 1
    pixels = np.dstack([x + 40, y, 255 - x, inside * 255]).astype(np.uint8)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "vase.png")
    done = unflat("scan", "vase.png", "--subject", "object", "--height-mm", "300", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["passed"]
    assert report["made_from"] == "cut-outs"
    said = {"outputs", "seconds", "peak_memory_mb", "triangles", "kind", "confidence", "warnings", "provenance"}
    assert said <= report.keys() and report["kind"] == "metric"
    scene = glb.read(tmp_path / "vase_object.glb")
    mesh = scene.nodes[0].item
    assert isinstance(mesh, Mesh)
    high = mesh.vertices[:, 1]
    assert np.isclose(np.ptp(high), 0.3, rtol=0.02)
    assert mesh.invented is not None and mesh.invented.any()
