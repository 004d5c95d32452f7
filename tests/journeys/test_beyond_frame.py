"""``--extend``: a scene that goes on beyond the photograph, through the real command, in every kind of file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_photograph_goes_on_in_every_file(unflat: Run, small: Path, tmp_path: Path) -> None:
    outputs = [word for name in ("s.glb", "s.usdz", "s.obj", "s.ply", "s.html", "s.spz") for word in ("-o", name)]
    done = unflat("photo", small, "--extend", "0.3", *outputs, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["provenance"]["invented"] is True and "extend" in report["seconds"]
    for name in ("s.glb", "s.usdz", "s.obj", "s.html"):
        told = json.loads(unflat("inspect", name, "--json").stdout)
        nodes = {node["name"]: node for node in told["nodes"]}
        assert not nodes["surface"]["invented_share"] and nodes["beyond"]["triangles"] > 100, name
        assert nodes["beyond"]["role"] == ("surface" if name == "s.usdz" else "beyond")  # USDZ knows no roles
        if name in ("s.glb", "s.html"):
            assert nodes["beyond"]["invented_share"] == 1 and nodes["beyond"]["confidence"] == 0
            assert told["cameras"][0]["size"] == "128×96"  # the photograph's own
    (merged,) = json.loads(unflat("inspect", "s.ply", "--json").stdout)["nodes"]
    assert 0.05 < merged["invented_share"] < 0.95


def test_the_eye_and_the_film_keep_the_size_of_the_photograph(unflat: Run, small: Path, tmp_path: Path) -> None:
    done = unflat("photo", small, "--extend", "0.2", "--render-eye", "right", "-o", "e.png", "-q")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "e.png") as seen:
        assert seen.size == (128, 96)
    film = "animate", small, "--seconds", "0.2", "--fps", "10", "--motion", "swing", "--no-crop", "-q"
    for name, share in (("plain.png", "0"), ("wide.png", "0.3")):
        done = unflat(*film, "--extend", share, "-o", name)
        assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "wide.00000.png") as wide, Image.open(tmp_path / "plain.00000.png") as plain:
        assert wide.size == plain.size == (128, 96)
        middle = np.s_[30:66, 40:88]
        assert np.abs(np.asarray(wide)[middle].astype(int) - np.asarray(plain)[middle]).mean() < 3


def test_an_exr_holds_the_layers_and_the_border(unflat: Run, small: Path, tmp_path: Path) -> None:
    done = unflat("photo", small, "--extend", "0.25", "-o", "s.exr", "-q")
    assert done.returncode == 0, done.stderr
    head = (tmp_path / "s.exr").read_bytes()[: 1 << 15]
    assert all(name in head for name in (b"beyond.A", b"hidden.Z", b"normal.X", b"dataWindow"))
    told = json.loads(unflat("inspect", "s.exr", "--json").stdout)
    width, height = map(int, told["size"].split("×"))
    assert width > 128 and height > 96
    done = unflat("photo", small, "-o", "l.exr", "--json")
    told = json.loads(unflat("inspect", "l.exr", "--json").stdout)
    assert told["scale"]["assumed"] and told["provenance"]["steps"][-1]["name"] == "build_layers"
    some = any(row["invented_share"] for row in told["layers"])
    assert told["provenance"]["invented"] == json.loads(done.stdout)["provenance"]["invented"] == some
    done = unflat("photo", small, "--layers", "none", "-o", "d.exr", "-q")
    assert done.returncode == 0 and b"hidden.Z" not in (tmp_path / "d.exr").read_bytes()[: 1 << 15]


def test_what_is_no_share_is_refused(unflat: Run, small: Path) -> None:
    done = unflat("photo", small, "--extend", "7", "-o", "s.glb")
    assert done.returncode == 2 and "--extend" in done.stderr


def test_depth_that_goes_on_is_not_the_depth_of_the_picture(unflat: Run, small: Path, tmp_path: Path) -> None:
    assert unflat("photo", small, "--extend", "0.25", "-o", "wide.png", "-o", "wide.npy", "-q").returncode == 0
    for name in ("wide.png", "wide.npy"):
        done = unflat("photo", small, "--depth", name, "-o", "s.glb")
        assert done.returncode == 2 and "--extend" in done.stderr, done.stderr
    assert not (tmp_path / "s.glb").exists()
