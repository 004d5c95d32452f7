"""What a user types, and what comes back: files, words, exit codes, and nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unflat.formats.registry import read_scene

Run = Callable[..., subprocess.CompletedProcess[str]]
SCENES = ["a.glb", "a.gltf", "a.usdz", "a.ply", "a.splat.ply", "a.spz", "a.obj", "a.stl", "a.3mf", "a.html"]
DEPTHS = ["d.png", "d.exr", "d.npy", "d.pfm", "d.jpg"]


def left(folder: Path) -> set[str]:
    """What lies there, but for the credentials beside files that cannot hold them."""
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if name.removesuffix(".c2pa") == name or name.removesuffix(".c2pa") not in names}


def assert_two_lines(done: subprocess.CompletedProcess[str], code: int) -> None:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == code, done.stderr
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("error: ") and lines[1].startswith("hint: ")
    assert done.stdout == ""


def test_a_real_photograph_becomes_every_format_in_one_run(unflat: Run, astronaut: Path, tmp_path: Path) -> None:
    outputs = [word for name in SCENES + DEPTHS for word in ("-o", name)]
    done = unflat("photo", astronaut, *outputs, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outputs"] == SCENES + DEPTHS
    assert {"read", "depth", "refine", "scale", "surface", "write"} <= set(report["seconds"])
    assert 1000 < report["triangles"] <= 200_000
    assert 0 < report["confidence"] <= 1 and report["peak_memory_mb"] > 50
    assert report["provenance"]["sources"][0]["name"] == "astronaut.png"
    assert any("focal length" in warning for warning in report["warnings"])
    assert set(SCENES + DEPTHS) <= left(tmp_path)
    assert not [name for name in left(tmp_path) if name.startswith(".")]
    for name in SCENES:
        told = unflat("inspect", name, "--json")
        assert told.returncode == 0, (name, told.stderr)
        about = json.loads(told.stdout)
        assert about["what"] == "scene"
        assert about["provenance"]["sources"][0]["name"] == "astronaut.png", name


def test_without_an_output_a_page_lies_beside_the_picture(unflat: Run, small: Path, tmp_path: Path) -> None:
    assert unflat("photo", small).returncode == 0
    assert left(tmp_path) == {"small.jpg", "small.html"}
    assert_two_lines(unflat("photo", small), 9)
    assert unflat("photo", small, "--force").returncode == 0


def test_the_verb_is_picked_and_said(unflat: Run, small: Path, tmp_path: Path) -> None:
    done = unflat(small, "-o", "x.glb")
    assert done.returncode == 0 and "unflat photo small.jpg" in done.stderr
    assert "x.glb" in left(tmp_path)


def test_unflat_alone_shows_what_it_can_do(unflat: Run) -> None:
    done = unflat()
    assert done.returncode == 0 and "unflat photo" in done.stdout and done.stderr == ""


def test_depth_lies_beside_the_picture_or_in_a_folder(unflat: Run, small: Path, tmp_path: Path) -> None:
    assert unflat("depth", small).returncode == 0
    assert {"small.depth.png", "small.depth.png.json"} <= left(tmp_path)
    said = json.loads((tmp_path / "small.depth.png.json").read_text())
    assert said["kind"] == "scale" and said["model"] == "worlds" and said["licence"] == "Apache-2.0"
    assert said["polarity"] == "near is white" and said["focal_px"][0] > 0
    assert len(said["provenance"]["sources"][0]["sha256"]) == 64 and said["provenance"]["version"]
    (tmp_path / "out").mkdir()
    other = tmp_path / "other.jpg"
    other.write_bytes(small.read_bytes())
    done = unflat("depth", small, other, "-o", "out")
    assert done.returncode == 0, done.stderr
    assert {"small.depth.png", "other.depth.png"} <= left(tmp_path / "out")
    assert_two_lines(unflat("depth", small, other, "-o", "x.png"), 2)


def test_a_users_depth_comes_back_in_metres(unflat: Run, small: Path, tmp_path: Path) -> None:
    metres = np.fromfunction(lambda y, x: 2 + x / 128, (96, 128)).astype(np.float32)
    np.save(tmp_path / "d.npy", metres)
    assert_two_lines(unflat("photo", small, "--depth", "d.npy", "-o", "a.glb"), 2)
    done = unflat("photo", small, "--depth", "d.npy", "--depth-kind", "metric", "--fov", "50", "-o", "a.ply", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["kind"] == "metric" and report["scale"]["basis"] == "metric-source"
    told = json.loads(unflat("inspect", "a.ply", "--json").stdout)
    assert told["extent_m"][2] == pytest.approx(1.0, abs=0.02)


def test_a_plain_ply_can_hold_splats_or_points(unflat: Run, small: Path) -> None:
    for flag, kind in ((["--splats"], "splats"), (["--ply", "points"], "pointcloud"), (["--layers", "none"], "mesh")):
        done = unflat("photo", small, "--count", "500", "-o", "a.ply", "--force", *flag)
        assert done.returncode == 0, done.stderr
        assert json.loads(unflat("inspect", "a.ply", "--json").stdout)["nodes"][0]["is"] == kind


def test_a_known_length_is_kept(unflat: Run, small: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.full((96, 128), 7, np.float32))
    line = ("--known-length", "14,48,114,48=0.50")
    done = unflat("photo", small, "--depth", "d.npy", "--depth-kind", "scale", "--fov", "60", *line, "-o", "a.glb")
    assert done.returncode == 0, done.stderr
    told = json.loads(unflat("inspect", "a.glb", "--json").stdout)
    assert told["scale"]["basis"] == "known-length" and not told["scale"]["assumed"]
    assert told["extent_m"][0] == pytest.approx(0.64, rel=0.01)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["photo", "missing.jpg"], 2),
        (["photo", "."], 2),
        (["photo"], 2),
        (["photo", "small.jpg", "-o", "a.xyz"], 2),
        (["photo", "small.jpg", "-o", "no/such/folder/a.glb"], 9),
        (["photo", "small.jpg", "--fov", "200"], 2),
        (["photo", "small.jpg", "--fov", "60", "--focal-mm", "28"], 2),
        (["photo", "small.jpg", "--known-length", "1,2,3=4"], 2),
        (["photo", "small.jpg", "--known-length", "1,1,500,500=4"], 2),
        (["photo", "small.jpg", "--depth", "nothing"], 2),
        (["photo", "small.jpg", "--depth", "missing.npy"], 2),
        (["photo", "small.jpg", "--depth-kind", "metric"], 2),
        (["photo", "small.jpg", "--triangles", "3"], 2),
        (["photo", "small.jpg", "--triangles", "many"], 2),
        (["photo", "small.jpg", "--nonsense"], 2),
        (["depth", "small.jpg", "-o", "a.glb"], 2),
        (["depth"], 2),
        (["inspect", "small.xyz"], 2),
        (["models", "nothing"], 2),
        (["view", "missing.glb"], 2),
        (["nothing"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else f"exit {value}",
)
def test_a_wrong_call_ends_in_two_lines(unflat: Run, small: Path, tmp_path: Path, words: list[str], code: int) -> None:
    before = left(tmp_path)
    assert_two_lines(unflat(*words), code)
    assert left(tmp_path) == before


def pictures(folder: Path) -> dict[str, bytes]:
    """Pictures that are none."""
    whole = folder / "whole.png"
    Image.new("RGB", (64, 64), "red").save(whole)
    data = whole.read_bytes()
    whole.unlink()
    one = folder / "one.png"
    Image.new("RGB", (1, 1)).save(one)
    pixel = one.read_bytes()
    one.unlink()
    bomb = data[:16] + (60_000).to_bytes(4, "big") + (60_000).to_bytes(4, "big") + data[24:]
    none = data[:16] + (0).to_bytes(4, "big") + (0).to_bytes(4, "big") + data[24:]
    return {
        "empty.jpg": b"",
        "text.jpg": b"not a picture at all",
        "cut.png": data[: len(data) // 2],
        "pixel.png": pixel,
        "bomb.png": bomb,
        "none.png": none,
    }


@pytest.mark.parametrize("name", ["empty.jpg", "text.jpg", "cut.png", "pixel.png", "bomb.png", "none.png"])
def test_a_picture_that_is_none_ends_in_two_lines(unflat: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pictures(tmp_path)[name])
    assert_two_lines(unflat("photo", name, "-o", "a.glb"), 2)
    assert left(tmp_path) == {name}


@pytest.mark.parametrize("kind", ["all-nan", "other-size", "zero"])
def test_a_depth_that_is_none_ends_in_two_lines(unflat: Run, small: Path, tmp_path: Path, kind: str) -> None:
    values = {"all-nan": np.full((96, 128), np.nan), "other-size": np.ones((96, 96)), "zero": np.zeros((96, 128))}[kind]
    np.save(tmp_path / "d.npy", values.astype(np.float32))
    before = left(tmp_path)
    assert_two_lines(unflat("photo", small, "--depth", "d.npy", "--depth-kind", "metric", "-o", "a.glb"), 2)
    assert left(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
def test_a_full_disk_leaves_nothing(unflat: Run, small: Path, tmp_path: Path) -> None:
    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))  # less than any page, more than a kernel's cache

    before = left(tmp_path)
    done = unflat("photo", small, "-o", "a.html", preexec_fn=limit)
    assert done.returncode == 9, done.stderr
    assert done.stderr.startswith("error: no room left")
    assert left(tmp_path) == before


INTERRUPTED = """
import os, signal, sys, threading, time
from unflat.cli.entry import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with Ctrl-C ignored

word = int(sys.argv.pop(1))

def interrupt():
    while "unflat.geometry.refine" not in sys.modules:
        time.sleep(0.001)
    os.kill(os.getpid(), word)

threading.Thread(target=interrupt, daemon=True).start()
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(small: Path, tmp_path: Path, word: signal.Signals) -> None:
    before = left(tmp_path)
    command = [sys.executable, "-c", INTERRUPTED, str(int(word)), "photo", str(small), "-o", "a.glb", "-o", "a.html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 130, done.stderr
    assert done.stderr.splitlines()[-1] == "interrupted; nothing was left half-written"
    assert "Traceback" not in done.stderr
    assert left(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(unflat: Run, small: Path, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o555)
    assert_two_lines(unflat("photo", small, "-o", "shut/a.glb"), 9)


def test_inspect_knows_a_depth_picture_by_itself_and_tells_what_is_private(unflat: Run, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8298] = "(c) somebody"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8769)[0xA431] = "serial 123"
    path = tmp_path / "p.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)).save(path, exif=exif)
    about = json.loads(unflat("inspect", path, "--json").stdout)
    assert about["private"] == ["GPS position", "camera serial number"]
    assert about["rights"] == {"copyright": "(c) somebody"}
    outputs = [word for name in SCENES + DEPTHS for word in ("-o", name)]
    assert unflat("photo", path, "--no-familiar", *outputs).returncode == 0
    for made in tmp_path.iterdir():
        assert made == path or b"serial 123" not in made.read_bytes(), made.name
    (tmp_path / "d.png.json").unlink()
    about = json.loads(unflat("inspect", "d.png", "--json").stdout)
    assert about["what"] == "depth" and about["model"] == "worlds"


def test_models_and_doctor(unflat: Run) -> None:
    rows = json.loads(unflat("models", "--json").stdout)
    assert {row["name"] for row in rows} >= {"worlds", "ramp"}
    told = unflat("models", "worlds")
    assert "Apache-2.0" in told.stdout and "trained" in told.stdout
    done = unflat("doctor", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["healthy"] is True


def test_a_camera_moves_through_a_photograph(unflat: Run, astronaut: Path, tmp_path: Path) -> None:
    done = unflat("animate", astronaut, "-o", "a.gif", "-o", "a.png", "--seconds", "0.2", "--fps", "10", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"] == ["a.gif", "a.00000.png", "a.00001.png"]
    with Image.open(tmp_path / "a.00001.png") as frame:
        assert frame.size == (512, 512)
    done = unflat("animate", astronaut, "-o", "move.glb", "--json", "--triangles", "5000")
    assert done.returncode == 0, done.stderr
    scene = read_scene(tmp_path / "move.glb")
    assert scene.tracks[0].name == "orbit" and scene.safe_view is not None
    assert json.loads(done.stdout)["safe_view"]["radius"] == scene.safe_view.radius
    told = unflat("inspect", "move.glb").stdout
    assert "tracks 1" in told and "seconds: 4" in told and "yaw_deg" in told
    assert_two_lines(unflat("animate", astronaut, "-o", "a.avi"), 2)
    assert_two_lines(unflat("animate", astronaut, "-o", "a.gif"), 9)
    (tmp_path / "flight.json").write_text("{}", encoding="utf-8")
    assert_two_lines(unflat("animate", astronaut, "-o", "b.gif", "--keyframes", "flight.json"), 2)
    assert left(tmp_path) == {"a.gif", "a.00000.png", "a.00001.png", "move.glb", "flight.json"}
