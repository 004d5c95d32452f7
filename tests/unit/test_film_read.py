"""Films are read frame by frame: upright, in order, at their exact times, the same wherever reading begins."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.film_files import COLOURS, colours_in, make_film, number_in

from unflat.formats.film_read import open_clip

pytest.importorskip("av")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.ts", "a.avi"])
def test_frames_come_in_order_and_time_and_from_anywhere(tmp_path: Path, name: str) -> None:
    clip = open_clip(make_film(tmp_path / name))
    whole = list(clip.frames())
    assert [number_in(f.pixels) for f in whole] == list(range(30)) == [f.number for f in whole]
    assert [f.time for f in whole] == [Fraction(i, 25) for i in range(30)]
    assert (clip.count, clip.fps, clip.even, clip.seconds) == (30, 25, True, pytest.approx(1.2))
    assert np.abs(colours_in(whole[7].pixels).astype(int) - COLOURS).max() <= 4
    for begin, end in ((10, 30), (11, 12), (19, 25), (29, 30)):
        part = list(clip.frames(Fraction(begin, 25), Fraction(end, 25)))
        assert [f.number for f in part] == list(range(begin, end))
        for one, other in zip(part, whole[begin:end], strict=True):
            assert one.time == other.time and np.array_equal(one.pixels, other.pixels)


def test_an_ordinary_film_is_read_without_what_it_has_no_need_of(tmp_path: Path) -> None:
    """Every read begins a process: it should begin fast."""
    path = make_film(tmp_path / "a.mp4", count=3)
    code = (
        "import sys; from pathlib import Path; from tests.film_files import seen;"
        "assert seen(Path(sys.argv[1]))[1];"
        "print([m for m in ('numba', 'cv2', 'PIL', 'onnxruntime') if m in sys.modules])"
    )
    words = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
