"""A film in half spheres: eyes never turn outwards, wherever the screen was put."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.data import astronaut
from tests.film_files import FilmRecipe, make_film

from unflat.geometry.layout import unpacked
from unflat.types.stereo import Layout

av: Any = pytest.importorskip("av")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _still(_number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    width, height = size
    return np.ascontiguousarray(cv2.resize(astronaut()[:300, :500], (width, height), interpolation=cv2.INTER_AREA))


def _farther_right(left: np.ndarray, right: np.ndarray, rows: slice) -> int:
    """By how many columns the left eye sees the middle of some rows farther right than the right one."""
    middle = left.shape[1] // 2
    piece = left[rows, middle - 40 : middle + 40]
    there = right[rows, middle - 80 : middle + 80]
    found = cv2.matchTemplate(there, piece, cv2.TM_CCOEFF_NORMED)
    return 40 - int(np.unravel_index(found.argmax(), found.shape)[1])


def _views(path: Path, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    with av.open(str(path)) as film:
        return unpacked(next(film.decode(video=0)).to_ndarray(format="rgb24"), layout)


def test_what_is_far_is_seen_by_parallel_eyes(unflat: Run, tmp_path: Path) -> None:
    make_film(tmp_path / "a.mp4", FilmRecipe(size=(320, 200), paint=_still, count=4))
    words = ("--depth", "ramp", "--strength", "8", "--convergence", "1", "--fov", "60", "--eye", "left")
    sphere = ("--layout", "vr180", "--sphere-size", "512")
    done = unflat("stereo", "a.mp4", *words, *sphere, "-o", "v.mp4")
    assert done.returncode == 0, done.stderr
    assert unflat("stereo", "a.mp4", *words, *sphere, "--swap", "-o", "s.mp4").returncode == 0
    assert unflat("stereo", "a.mp4", *words, "-o", "b_SBS.mp4").returncode == 0
    shifts, views = {}, {}
    for name, layout in (("v.mp4", Layout.VR180), ("b_SBS.mp4", Layout.FULL_SBS)):
        left, right = views[name] = _views(tmp_path / name, layout)
        height = left.shape[0]
        top = slice(height // 2 - 50, height // 2 - 20) if layout is Layout.VR180 else slice(10, 50)
        low = slice(height // 2 + 20, height // 2 + 50) if layout is Layout.VR180 else slice(150, 190)
        shifts[layout] = [_farther_right(left, right, rows) for rows in (top, low)]
    far, near = shifts[Layout.FULL_SBS]
    assert far < -10 and far < near <= 1, "on the screen all lies behind it"
    far, near = shifts[Layout.VR180]
    assert 0 <= far < near, "in half a sphere nothing lies behind infinity"
    right, left = _views(tmp_path / "s.mp4", Layout.VR180)
    for exchanged, view in zip((left, right), views["v.mp4"], strict=True):
        assert np.abs(exchanged.astype(int) - view).mean() < 1, "exchanged, each view lies where it lay"
