"""A panorama on the command line: what is recognised, what is written, what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as Pil

from panoramas import Room, whole

Run = Callable[..., subprocess.CompletedProcess[str]]
SCENES = ["a.glb", "a.usdz", "a.ply", "a.splat.ply", "a.spz", "a.obj", "a.html"]


def test_a_panorama_becomes_a_scene_in_every_format_and_a_map_of_distances(unflat: Run, tmp_path: Path) -> None:
    picture, _ = Room().seen(whole(512))
    Pil.fromarray(picture.pixels).save(tmp_path / "sphere.png")
    outputs = [word for name in [*SCENES, "d.png", "d.npy"] for word in ("-o", name)]
    done = unflat("photo", "sphere.png", *outputs, "--detail", "512", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["panorama"]["basis"] == "shape" and report["panorama"]["projection"] == "equirectangular"
    assert report["scale"]["basis"] == "assumed" and "1.6 m" in report["scale"]["detail"]
    assert any("360" in warning for warning in report["warnings"])
    steps = {step["name"]: step for step in report["provenance"]["steps"]}
    assert steps["bring together"]["options"]["apart_after"] < 0.2
    for name in SCENES:
        told = json.loads(unflat("inspect", name, "--json").stdout)
        assert told["what"] == "scene" and told["provenance"]["sources"][0]["name"] == "sphere.png", name
    assert np.load(tmp_path / "d.npy").shape == (256, 512)
    again = unflat("photo", "sphere.png", "--depth", "d.npy", "-o", "b.glb", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["scale"]["basis"] == "assumed"


def test_depth_of_a_panorama_says_that_it_holds_distances(unflat: Run, tmp_path: Path) -> None:
    picture, _ = Room().seen(whole(512))
    Pil.fromarray(picture.pixels).save(tmp_path / "sphere.png")
    done = unflat("depth", "sphere.png", "-o", "d.npy", "--depth", "ramp", "--eye-height", "2", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["along"] == "ray" and report["kind"] == "metric"
    told = json.loads((tmp_path / "d.npy.json").read_text())
    assert told["along"] == "ray" and told["panorama"]["span_deg"] == [-180, 180, 90, -90]
    listed = json.loads(unflat("inspect", "d.npy", "--json").stdout)
    assert listed["along"] == "ray" and listed["panorama"]["span_deg"] == [-180, 180, 90, -90]
    plain = unflat("depth", "sphere.png", "-o", "e.npy", "--depth", "ramp", "--panorama", "no", "--json")
    assert json.loads(plain.stdout)["along"] == "axis"


def test_what_cannot_be_is_refused_with_a_hint(unflat: Run, tmp_path: Path) -> None:
    Pil.fromarray(np.full((60, 300, 3), 90, np.uint8)).save(tmp_path / "strip.png")
    for words, said in (
        (("--panorama", "yes"), "--fov"),
        (("--fov", "270"), "--panorama yes"),
        (("--panorama", "yes", "--fov", "400"), "360"),
    ):
        done = unflat("photo", "strip.png", "-o", "x.glb", *words)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr.splitlines()[1]
    assert not (tmp_path / "x.glb").exists()
