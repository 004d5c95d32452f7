"""Films with marks for two eyes, and what other programs read of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from unflat.types.stereo import Layout

ENTRY = "moov/trak/mdia/minf/stbl/stsd/avc1"
V1 = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
PACKED = {
    Layout.FULL_SBS: (2, b"side"),
    Layout.HALF_SBS: (2, b"side"),
    Layout.CROSS: (4, b"side"),
    Layout.FULL_TB: (1, b"over"),
    Layout.HALF_TB: (1, b"over"),
    Layout.VR180: (2, b"side"),
}
STEREO3D = {2: 1, 4: 1, 1: 2}
"""AVStereo3D's type by st3d's: side by side is 1, top and bottom 2."""
HALF_SPHERE, FLAT = 3, 4
"""AVSphericalProjection."""


def tool(name: str) -> str:
    """A program of the system; a user may lack it, CI may not."""
    path = shutil.which(name)
    if path is None:
        if os.environ.get("UNFLAT_CI") == "1":
            pytest.fail(f"UNFLAT_CI=1, and there is no {name}")
        pytest.skip(f"there is no {name}")
    return path


def pictures(width: int, height: int, count: int) -> Iterator[np.ndarray]:
    for i in range(count):
        yield (
            np.random.default_rng(i).integers(0, 255, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        )


def film(
    path: Path, *, front: bool = False, size: tuple[int, int] = (128, 64), codec: str = "libx264", **params: str
) -> Path:
    """A film with sound and a key frame every five pictures, from FFmpeg's own muxer."""
    av = pytest.importorskip("av")
    flags = {"movflags": "+faststart"} if front else {}
    with av.open(str(path), "w", options=flags) as out:
        mild = {"preset": "veryfast", "x264-params": "log-level=error"} if codec == "libx264" else {}
        stream = out.add_stream(codec, rate=24, options={"g": "5", **mild, **params})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
        sound = out.add_stream("aac", rate=48000, layout="mono")
        wave = np.sin(np.arange(2048) / 9)[None].astype(np.float32)
        for i, pixels in enumerate(pictures(*size, 12)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            heard = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 2048 * i, Fraction(1, 48000)
            out.mux(sound.encode(heard))
        out.mux(stream.encode())
        out.mux(sound.encode())
    return path


def packets(path: Path) -> list[tuple[int, int | None, int | None, bytes]]:
    av = pytest.importorskip("av")
    with av.open(str(path)) as opened:
        return [(p.stream_index, p.pts, p.dts, bytes(p)) for p in opened.demux() if p.size]


def side_data(path: Path) -> dict[str, bytes]:
    """What FFmpeg makes of it: the side data of the first frame; decodes all of the film."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as opened:
        frames = list(opened.decode(video=0))
    assert len(frames) == 12
    return {data.type.name: bytes(data) for data in frames[0].side_data}
