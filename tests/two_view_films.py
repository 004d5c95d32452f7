"""A stream of two views, and what should be found in films made of it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from unflat.formats.stereo_boxes import StereoMarks
from unflat.types import Size
from unflat.types.stereo import Layout

STREAM = Path(__file__).parent / "golden" / "streams" / "two_views.hevc"
EYE = Size(128, 96)
COUNT = 10
TIMES = [Fraction(i, 24) for i in range(COUNT + 1)]
MARKS = StereoMarks(Layout.SPATIAL, baseline_m=0.063, fov_x_deg=61.5, disparity=0.02, hero="left")
ENTRY = "moov/trak/mdia/minf/stbl/stsd/hvc1"


def view(number: int, shift: int) -> np.ndarray:
    """Luma of one eye: waves that travel, and a bright bar that stands nearer."""
    y, x = np.mgrid[: EYE.height, : EYE.width]
    luma = (128 + 60 * np.sin((x + shift + 3 * number) / 9) + 40 * np.cos(y / 7)).astype(np.uint8)
    left = (32 + 3 * shift + 2 * number) % EYE.width
    luma[24:48, left : left + EYE.width // 6] = 230
    return luma


def decoded(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """Time and plane of luma of every view of every picture, base layer first."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.codec_context.options = {"view_ids": "-1"}
        return [(Fraction(f.pts * f.time_base), f.to_ndarray()[: f.height]) for f in film.decode(stream)]


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def check_views(path: Path, times: list[Fraction], *, narrow: bool = False) -> None:
    """Both eyes of all pictures are there, each at its time, the left one first; ``narrow``: luma is 16 to 235."""
    seen = decoded(path)
    assert [time for time, _ in seen] == [time for time in times for _ in (0, 1)]
    for i in range(len(times)):
        left, right = (16 + view(i, shift) * (219 / 255) if narrow else view(i, shift) for shift in (0, 4))
        for plane, own, other in ((seen[2 * i][1], left, right), (seen[2 * i + 1][1], right, left)):
            assert error(plane, own) < 9 and error(plane, own) < 0.5 * error(plane, other)


def stream(path: Path, units: list[bytes]) -> Path:
    path.write_bytes(b"".join(b"\0\0\0\1" + unit for unit in units))
    return path
