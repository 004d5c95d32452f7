"""Made films of packed frames: known depth, and a counter that stands in the picture and in its depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from unflat.formats import clip_page
from unflat.formats.clip_page import ClipAbout, ClipShot
from unflat.formats.packed_depth import packed_frame
from unflat.types import Provenance, Size, Source, Step
from unflat.types.arrays import F32, U8

FPS = 25
SIZE = Size(320, 180)
BITS = 6
NEAR, FAR = 1.0, 0.2
"""Inverse depths, 1/m."""
STORY = Provenance(
    (Source("made.mp4", None, "mp4"),),
    (Step("estimate_depth", "worlds", "Apache-2.0"),),
    "0.1.0",
    True,
    ("The depth of this film was made up.",),
)


def bits_of(number: int) -> list[bool]:
    """The digits of a counter, least significant first."""
    return [bool(number >> bit & 1) for bit in range(BITS)]


def counted(number: int, near: float = NEAR, far: float = FAR) -> tuple[U8, F32]:
    """A frame and its inverse depth; both hold ``number``.

    In the upper third white (one) and black cells on one plane, in the middle third near (one) and far cells of one
    grey, in the lower third a red panel that stands before a blue wall.
    """
    pixels = np.full((*SIZE.shape, 3), 128, np.uint8)
    middle = (near * far) ** 0.5
    inverse = np.full(SIZE.shape, middle, np.float32)
    third = SIZE.height // 3
    for bit, one in enumerate(bits_of(number)):
        left, right = (round(SIZE.width * (bit + end) / BITS) for end in (0, 1))
        pixels[:third, left:right] = 255 if one else 0
        inverse[third : 2 * third, left:right] = near if one else far
    pixels[2 * third :] = [40, 60, 200]
    inverse[2 * third :] = far
    pixels[2 * third + 12 :, 130:190] = [220, 50, 40]
    inverse[2 * third + 12 :, 130:190] = near
    return pixels, inverse


def moving(count: int, size: Size) -> Iterator[tuple[U8, F32]]:
    """Photographs that move: a sloping ground with waves, a ball, and a beam; inverse depths of 0.1 to 0.9."""
    w, h = size.width, size.height
    ground = cv2.resize(data.coffee(), (2 * w, 2 * h))
    ball = cv2.resize(data.astronaut(), (h, h))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    for at in range(count):
        pixels = ground[h // 9 : h // 9 + h, 2 * at : 2 * at + w].copy()
        inverse = 0.1 + 0.25 * (y / h) + 0.03 * np.sin(x / 40)
        middle, radius = 0.3 * w + 4 * at, 0.3 * h
        apart = ((x - middle) ** 2 + (y - 0.5 * h) ** 2) / radius**2
        inside = apart < 1
        inverse = np.where(inside, 0.6 + 0.3 * np.sqrt(np.maximum(0, 1 - apart)), inverse)
        pixels[inside] = ball[y[inside].astype(int), np.clip(x[inside] - middle + h / 2, 0, h - 1).astype(int)]
        beam = (x > 0.75 * w - 3 * at) & (x < 0.84 * w - 3 * at) & (y > 0.2 * h)
        inverse = np.where(beam, 0.45 + 0.1 * (y / h), inverse)
        pixels[beam] = [200, 180, 60]
        yield pixels, inverse.astype(np.float32)


def encoded(frames: Iterable[U8], path: Path, *, sound: bool = False, **options: str) -> Path:
    """A film of these frames by libx264, as the page wants it."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", format="mp4") as film:
        stream: Any = film.add_stream("libx264", rate=Fraction(FPS), options=clip_page.ENCODING | options)
        tone: Any = film.add_stream("aac", rate=48000) if sound else None
        count = 0
        for count, pixels in enumerate(frames, 1):
            if count == 1:
                stream.width, stream.height, stream.pix_fmt = pixels.shape[1], pixels.shape[0], "yuv420p"
                context = stream.codec_context
                context.color_primaries, context.color_trc, context.colorspace, context.color_range = 1, 1, 1, 1
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            film.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")))
        film.mux(stream.encode())
        if tone is not None:
            wave = 0.2 * np.sin(np.arange(48000 * count // FPS) * 0.06).astype(np.float32)
            heard = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            heard.sample_rate = 48000
            film.mux(tone.encode(heard))
            film.mux(tone.encode())
    return path


def decoded(path: Path) -> Iterator[U8]:
    """The frames of a film as browsers show them."""
    av = pytest.importorskip("av")
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            yield frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()


def counted_page(folder: Path, count: int = 50, cut: int = 30, *, sound: bool = False) -> Path:
    """A page with a film of counted frames: two shots, the second from frame ``cut`` on and ten times as far away."""
    ranges = [(NEAR, FAR) if at < cut else (NEAR / 10, FAR / 10) for at in range(count)]
    frames = (packed_frame(*counted(at, *ends), *ends) for at, ends in enumerate(ranges))
    film = encoded(frames, folder / "film.mp4", sound=sound)
    shots = (ClipShot(0.0, NEAR, FAR, 1.0), ClipShot(cut / FPS, NEAR / 10, FAR / 10, 1.0))
    about = ClipAbout(SIZE, FPS, 60.0, shots[: 2 if cut < count else 1], STORY)
    clip_page.write_page(film, folder / "clip.html", about)
    return folder / "clip.html"
