"""Framed, tilted pictures through the command: what a user types, and what the files and the report say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image as Pil

import unflat
from framed import Framed, framed
from unflat.cli.main import run
from unflat.formats import depthmap

FAST = ["--depth", "ramp", "--no-familiar", "--json", "-q"]


@pytest.fixture
def coffee(tmp_path: Path) -> tuple[Path, Framed]:
    made = framed(skimage.data.coffee(), "bare", 1)
    path = tmp_path / "coffee.png"
    Pil.fromarray(made.pixels).save(path)
    return path, made


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    assert run(words) == 0
    return json.loads(capsys.readouterr().out)


def test_a_tilted_print_is_cropped_and_the_report_and_file_say_so(
    coffee: tuple[Path, Framed], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, made = coffee
    report = told(["photo", str(path), "-o", str(tmp_path / "a.glb"), *FAST], capsys)
    step = next(s for s in report["provenance"]["steps"] if s["name"] == "crop_frame")
    corners = np.array(step["options"]["corners"])
    assert np.abs(corners - made.corners).max() < 0.02 * np.ptp(made.corners, axis=0).max()
    assert any("--keep-frame" in warning for warning in report["warnings"])
    assert run(["inspect", str(tmp_path / "a.glb"), "--json"]) == 0
    assert "crop_frame" in capsys.readouterr().out


def test_the_frame_is_kept_on_request(coffee: tuple[Path, Framed], capsys: pytest.CaptureFixture[str]) -> None:
    path, made = coffee
    kept = told(
        ["depth", str(path), "--keep-frame", "-o", str(path.with_name("k.npy")), "--depth", "ramp", "--json", "-q"],
        capsys,
    )
    assert kept["size"] == f"{made.pixels.shape[1]}×{made.pixels.shape[0]}"
    assert "crop_frame" not in [s["name"] for s in kept["provenance"]["steps"]]


def test_depth_of_the_whole_and_depth_of_the_picture_are_both_taken(coffee: tuple[Path, Framed]) -> None:
    path, made = coffee
    h, w = made.pixels.shape[:2]
    whole = np.tile(np.linspace(1, 3, w, dtype=np.float32), (h, 1))  # grows to the right over the whole
    np.save(path.with_name("whole.npy"), whole)
    options = {"depth": str(path.with_name("whole.npy")), "depth_kind": "scale", "familiar": False}
    cropped = unflat.photo(path, **options)
    z = np.asarray(cropped.depth.values)
    left, right = made.corners[[0, 3], 0].mean() / w, made.corners[[1, 2], 0].mean() / w
    ratio = z[:, -1].mean() / z[:, 0].mean()
    assert ratio == pytest.approx((1 + 2 * right) / (1 + 2 * left), rel=0.03)
    again = path.with_name("again.npy")
    size = cropped.picture.size
    np.save(again, np.full(size.shape, 2, np.float32))
    assert unflat.photo(path, **{**options, "depth": str(again)}).picture.size == size
    np.save(again, np.full((77, 300), 2, np.float32))
    with pytest.raises(unflat.UnflatError, match="not the same shape"):
        unflat.photo(path, **{**options, "depth": str(again)})


def test_a_known_length_is_measured_in_the_file_the_user_has(coffee: tuple[Path, Framed]) -> None:
    path, made = coffee
    (x1, y1), (x2, y2) = made.corners.mean(0) + np.array([[-60, 10], [60, 10]])
    known = f"{x1:.1f},{y1:.1f},{x2:.1f},{y2:.1f}=0.5"
    cropped = unflat.photo(path, depth="ramp", known_length=known)
    kept = unflat.photo(path, depth="ramp", known_length=known, keep_frame=True)
    assert cropped.scale.basis == kept.scale.basis == "known-length"
    with pytest.raises(unflat.UnflatError, match="outside the picture"):
        unflat.photo(path, depth="ramp", known_length=f"1,1,{x2},{y2}=0.5")


def test_the_depth_that_is_written_comes_back(coffee: tuple[Path, Framed]) -> None:
    path, _ = coffee
    first = unflat.photo(path, depth="ramp", familiar=False)
    first.save(path.with_name("d.npy"))
    assert depthmap.read(path.with_name("d.npy")).size == first.depth.size
    again = unflat.photo(path, depth=str(path.with_name("d.npy")), familiar=False)
    assert again.depth.size == first.depth.size
    assert np.allclose(again.depth.values, first.depth.values, rtol=1e-4)


def test_a_framed_tilted_faded_painting_goes_all_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = (skimage.data.astronaut() * np.float32(0.3) + np.float32([150, 140, 115])).astype(np.uint8)
    made = framed(old, "album", 2)
    path = tmp_path / "old.png"
    Pil.fromarray(made.pixels).save(path)
    words = [
        "depth",
        str(path),
        "-o",
        str(tmp_path / "d.npy"),
        *["--detail", "320", "--style", "painting", "--json", "-q"],
    ]
    report = told(words, capsys)
    steps = {s["name"]: s.get("options") for s in report["provenance"]["steps"]}
    assert steps["judge_style"] == {"decided": "given", "style": "painting"}
    assert {"crop_frame", "restore_for_eye"} <= set(steps)
    assert any("faded" in w for w in report["warnings"]) and report["camera"]["basis"] in ("model", "assumed")
    plain = told([*words, "--no-restore", "--force"], capsys)
    assert "restore_for_eye" not in [s["name"] for s in plain["provenance"]["steps"]]


def test_a_style_that_is_none_is_refused(coffee: tuple[Path, Framed], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["photo", str(coffee[0]), "--style", "cubist"]) == 2
    assert "--style" in capsys.readouterr().err
