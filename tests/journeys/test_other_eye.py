"""``unflat photo --render-eye``: the picture that the other eye sees, and what is refused before any work."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., subprocess.CompletedProcess[str]]
STEREO = ("--depth", "d.npy", "--depth-kind", "disparity-px", "--fov", "60")


@pytest.fixture
def stereo(tmp_path: Path, small: Path) -> Path:
    """The small picture with a disparity of 6 pixels everywhere but in a hole."""
    disparity = np.full((96, 128), 6, np.float32)
    disparity[20:40, 50:80] = np.nan
    np.save(tmp_path / "d.npy", disparity)
    return small


def left_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_other_eye_lies_beside_the_picture_and_says_what_it_is(unflat: Run, stereo: Path, tmp_path: Path) -> None:
    done = unflat("photo", stereo, *STEREO, "--render-eye", "right", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["outputs"] == [str(tmp_path / "small-right.png")]
    assert {"read", "eye", "write"} <= set(report["seconds"])
    assert set(left_in(tmp_path)) == {"small.jpg", "d.npy", "small-right.png"}
    with Image.open(stereo) as before, Image.open(tmp_path / "small-right.png") as after:
        story = json.loads(after.text["unflat"])  # type: ignore[attr-defined]
        shown, picture = np.asarray(after).astype(int), np.asarray(before.convert("RGB")).astype(int)
    assert shown.shape == picture.shape
    assert np.abs(shown[:, :119] - picture[:, 6:125]).max() <= 1
    assert story["invented"] is True and story["steps"][-1]["name"] == "render eye"
    assert story["sources"][0]["name"] == "small.jpg"
    before_again = left_in(tmp_path)
    again = unflat("photo", stereo, *STEREO, "--render-eye", "right")
    assert again.returncode == 9 and "exists already" in again.stderr and "--force" in again.stderr
    assert left_in(tmp_path) == before_again
    forced = unflat("photo", stereo, *STEREO, "--render-eye", "left", "-o", "small-right.png", "--force", "-q")
    assert forced.returncode == 0 and forced.stdout == forced.stderr == ""
    with Image.open(tmp_path / "small-right.png") as after:
        assert np.abs(np.asarray(after).astype(int)[:, 9:] - picture[:, 3:122]).max() <= 1


def test_a_photograph_alone_is_enough(unflat: Run, small: Path, tmp_path: Path) -> None:
    done = unflat("photo", small, "--render-eye", "left", "-o", "l.jpg", "-o", "l.webp")
    assert done.returncode == 0, done.stderr
    assert set(left_in(tmp_path)) == {"small.jpg", "l.jpg", "l.webp"}
    for name in ("l.jpg", "l.webp"):
        with Image.open(tmp_path / name) as file:
            assert file.size == (128, 96)
            assert np.asarray(file.convert("RGB")).max(axis=2).min() > 20


def test_layers_that_are_not_wanted_are_answered(unflat: Run, small: Path, tmp_path: Path) -> None:
    done = unflat("photo", small, "--render-eye", "left", "--layers", "none", "-o", "eye.png")
    assert done.returncode == 2 and "--layers none" in done.stderr
    assert not (tmp_path / "eye.png").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--render-eye", "middle"], 2),
        (["--render-eye", "right", "-o", "a.glb"], 2),
        (["--render-eye", "right", "-o", "a.png", "-o", "a.exr"], 2),
        (["--render-eye", "right", "-o", "a.png", "-o", "a.png"], 2),
        (["--render-eye", "right", "-o", "no/such/a.png"], 9),
        (["--render-eye", "right", "-o", "small.jpg"], 9),
        (["--render-eye", "right", "-o", "small.jpg", "--force"], 9),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else f"exit {value}",
)
def test_what_cannot_be_written_is_refused_before_the_work(
    unflat: Run, small: Path, tmp_path: Path, words: list[str], code: int
) -> None:
    before = left_in(tmp_path)
    done = unflat("photo", small, *words)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == code, done.stderr
    assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("hint: ")
    assert done.stdout == "" and left_in(tmp_path) == before
