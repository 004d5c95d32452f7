"""What would be written twice is refused before anything is made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as Pil

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_both_files_of_a_map_are_one_output(unflat: Run, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Pil.fromarray(np.zeros((48, 64, 3), np.uint8)).save(folder / "a.png")
    done = unflat("scan", str(folder), "-o", "m.yaml", "-o", "m.pgm")
    assert done.returncode == 2
    assert "two outputs would be" in done.stderr
    assert not (tmp_path / "m.pgm").exists()
