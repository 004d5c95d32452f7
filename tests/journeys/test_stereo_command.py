"""``unflat stereo``: what a user types for two eyes, and what comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import data_dir

Run = Callable[..., subprocess.CompletedProcess[str]]


def left_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_two_lines(done: subprocess.CompletedProcess[str], code: int) -> None:
    lines = done.stderr.strip().splitlines()
    assert done.returncode == code, done.stderr
    assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("hint: "), done.stderr
    assert done.stdout == ""


def test_a_photograph_alone_lies_side_by_side_beside_itself(unflat: Run, tmp_path: Path) -> None:
    shutil.copy(Path(data_dir) / "coffee.png", tmp_path / "coffee.png")
    done = unflat("stereo", "coffee.png")
    assert done.returncode == 0, done.stderr
    assert set(left_in(tmp_path)) == {"coffee.png", "coffee_LRF_Full_SBS.jpg"}
    assert done.stdout.strip() == "coffee_LRF_Full_SBS.jpg"
    with Image.open(tmp_path / "coffee.png") as file:
        picture = np.asarray(file.convert("RGB")).astype(int)
    with Image.open(tmp_path / "coffee_LRF_Full_SBS.jpg") as file:
        both = np.asarray(file).astype(int)
    h, w = picture.shape[:2]
    assert both.shape == (h, 2 * w, 3)
    left, right = both[:, :w], both[:, w:]
    assert np.abs(left - right).mean() > 1, "the eyes see different things"
    for view in (left, right):
        shifts = [np.abs(view[:, 30 + by : w - 30 + by] - picture[:, 30:-30]).mean() for by in range(-15, 16)]
        assert min(shifts) < 12, "and both see the picture"
    again = unflat("stereo", "coffee.png")
    assert_two_lines(again, 9)
    assert "--force" in again.stderr


def test_names_say_what_goes_in(unflat: Run, small: Path, tmp_path: Path) -> None:
    names = ["a_LR.png", "a_redcyan.jpg", "a.mpo", "a.gif", "a_180x180_LR.jpg", "a.vr.jpg", "a_RGBD.png"]
    done = unflat("stereo", small, *(word for name in names for word in ("-o", name)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == names
    said = done.stderr.splitlines()
    for name, layout in zip(names, ("half-sbs", "anaglyph", "mpo", "wiggle", "vr180", "vr180", "rgbd"), strict=True):
        assert f"{name}: {layout} (its name says so)" in said
    for name, size in {"a_LR.png": (128, 96), "a_redcyan.jpg": (128, 96), "a_RGBD.png": (256, 96)}.items():
        with Image.open(tmp_path / name) as file:
            assert file.size == size
    quiet = unflat("stereo", small, "-o", "b_LR.png", "-q")
    assert quiet.returncode == 0 and quiet.stdout == quiet.stderr == ""


@pytest.mark.parametrize("eye", ["right", "left"])
def test_a_disparity_writes_one_view_at_exactly_that(unflat: Run, small: Path, tmp_path: Path, eye: str) -> None:
    disparity = np.full((96, 128), 6, np.float32)
    disparity[20:40, 50:80] = np.nan
    np.save(tmp_path / "d.npy", disparity)
    done = unflat(
        "stereo", small, "--depth", "d.npy", "--depth-kind", "disparity-px", "--eye", eye, "-o", "R.png", "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outputs"] == ["R.png"] and report["layouts"] == [f"{eye} eye"]
    assert report["eyes"]["screen"]["shift_px"] == 0 and report["eyes"]["screen"]["disparity_px"] == 1
    with Image.open(small) as before, Image.open(tmp_path / "R.png") as after:
        picture, seen = np.asarray(before.convert("RGB")), np.asarray(after)
        story = json.loads(after.text["unflat"])  # type: ignore[attr-defined]
    assert seen.shape == picture.shape
    inner = np.s_[:, :122] if eye == "right" else np.s_[:, 6:]
    there = np.s_[:, 6:] if eye == "right" else np.s_[:, :122]
    np.testing.assert_array_equal(seen[inner], picture[there])
    assert story["invented"] is True and story["sources"][0]["name"] == "small.jpg"
    assert set(left_in(tmp_path)) == {"small.jpg", "d.npy", "R.png"}


def test_several_pictures_go_to_a_folder(unflat: Run, small: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    shutil.copy(small, tmp_path / "other.jpg")
    done = unflat("stereo", small, "other.jpg", "--layout", "anaglyph", "--anaglyph", "grey", "-o", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert set(left_in(tmp_path / "out")) == {"small_redcyan_grey.jpg", "other_redcyan_grey.jpg"}
    assert len(json.loads(done.stdout)["pictures"]) == 2
    assert_two_lines(unflat("stereo", small, "other.jpg", "-o", "x.png"), 2)
