"""Depth goes through a film: how exactly depends on the bits, and reading begins anywhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from unflat.errors import InputError, ShapeError
from unflat.formats.film_depth import FULL, DepthFilmOptions, DepthWriter
from unflat.formats.film_join import join
from unflat.formats.film_read import open_depth_film
from unflat.types.image import Size

pytest.importorskip("av")
_SIZE = Size(96, 64)


def _depth(number: int) -> np.ndarray:
    y, x = np.mgrid[0:64, 0:96]
    near = np.hypot(x - 30 - number, y - 32) < 15
    return np.where(near, 0.9, 0.1 + 0.4 * y / 64) * FULL


def _film(folder: Path, bits: str, suffix: str) -> Path:
    segments = []
    for part in range(2):
        path = folder / f"{part}.mp4"
        with DepthWriter(path, _SIZE, Fraction(1, 1000), bits, fps=Fraction(25)) as writer:  # type: ignore[arg-type]
            for number in range(5 * part, 5 * part + 5):
                writer.write(_depth(number).astype(np.uint16), Fraction(number, 25))
        segments.append(path)
    film = folder / f"depth{suffix}"
    join(segments, None, film)
    return film


@pytest.mark.parametrize(
    ("bits", "suffix", "worst"), [("8", ".mp4", 0.012), ("10", ".mp4", 0.006), ("16", ".mkv", 0.0)]
)
def test_depth_comes_back_as_exactly_as_its_bits_allow(tmp_path: Path, bits: str, suffix: str, worst: float) -> None:
    clip, read = open_depth_film(_film(tmp_path, bits, suffix))
    assert clip.size == _SIZE
    frames = list(read(Fraction(0), None))
    assert [time for time, _ in frames] == [Fraction(number, 25) for number in range(10)]
    for number, (_, values) in enumerate(frames):
        assert values.dtype == np.uint16
        off = np.abs(values - _depth(number).astype(np.uint16).astype(float)) / FULL
        assert np.quantile(off, 0.95) <= worst
    some = list(read(Fraction(7, 25), Fraction(9, 25)))
    assert [time for time, _ in some] == [Fraction(7, 25), Fraction(8, 25)]
    assert (some[0][1] == frames[7][1]).all()


def test_a_file_says_how_many_bits_it_takes() -> None:
    assert DepthFilmOptions().for_file(Path("x.mp4")) == "8"
    assert DepthFilmOptions().for_file(Path("x.mkv")) == "16"
    assert DepthFilmOptions(depth_bits="10").for_file(Path("x.mkv")) == "10"
    with pytest.raises(InputError, match="16 bits"):
        DepthFilmOptions(depth_bits="16").for_file(Path("x.mp4"))


def test_a_frame_of_another_size_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(ShapeError, match="96×64"),
        DepthWriter(tmp_path / "x.mp4", _SIZE, Fraction(1, 1000), "8", fps=Fraction(25)) as writer,
    ):
        writer.write(np.zeros((64, 96), np.uint16), Fraction(0))
        writer.write(np.zeros((64, 90), np.uint16), Fraction(1))
    assert not list(tmp_path.iterdir())
