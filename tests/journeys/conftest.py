"""The real command, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import data_dir

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def unflat(tmp_path: Path) -> Run:
    """Run ``unflat`` in an empty folder."""

    def run(*words: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "unflat.cli.entry", *map(str, words)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            **more,  # type: ignore[call-overload]
        )

    return run


@pytest.fixture
def astronaut() -> Path:
    """A real photograph that scikit-image carries."""
    return Path(data_dir) / "astronaut.png"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small JPEG with something in it."""
    y, x = np.mgrid[0:96, 0:128]
    disc = ((x - 64) ** 2 + (y - 40) ** 2 < 600)[..., None]
    pixels = np.where(disc, [200, 90, 40], np.stack([y * 2, 120 + 0 * x, 255 - y], -1)).astype(np.uint8)
    path = tmp_path / "small.jpg"
    Image.fromarray(pixels).save(path, quality=92)
    return path
