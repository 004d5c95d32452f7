"""Small films of every kind, made with PyAV: each frame shows its number, so that order and place can be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

COLOURS = ((205, 45, 35), (40, 190, 70), (45, 65, 200), (225, 215, 60), (128, 128, 128), (240, 240, 240))
"""Of the lower half, from left to right."""
_BITS = 8


@dataclass(frozen=True)
class FilmRecipe:
    """What a film is like.

    Attributes:
        size: Width and height.
        count: Of frames.
        fps: Frames a second.
        times: When each frame is shown, in ticks; None: evenly.
        tick: Of ``times`` and of the encoder.
        codec: FFmpeg's name of the encoder.
        pix_fmt: What is coded.
        options: Of the encoder.
        colour: Primaries, transfer, matrix, range as FFmpeg counts them.
        sound: Seconds of it; 0 for none.
        sound_at: When it begins.
        sound_codec: FFmpeg's name of the encoder.
        rate: Samples a second.
        beeps: Times at which it beeps.
        matrix: (a, b, c, d) of -1, 0 and 1: what is stored at (x, y) is shown at (ax + cy, bx + dy), moved into sight.
        shape: Of pixels.
        tags: What it says of itself.
        container: FFmpeg's name of the muxer; None: by suffix.
        muxing: Options of the muxer.
        change: Is given each video frame before it is coded.
        paint: Number -> pixels, or PyAV's frame as it is coded; None: :func:`numbered`.
    """

    size: tuple[int, int] = (96, 64)
    count: int = 30
    fps: Fraction = Fraction(25)
    times: Sequence[int] | None = None
    tick: Fraction | None = None
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "12", "preset": "veryfast", "g": "10"})
    colour: tuple[int, int, int, int] = (1, 1, 1, 1)
    sound: float = 0
    sound_at: float = 0
    sound_codec: str = "aac"
    rate: int = 48000
    beeps: Sequence[float] = ()
    matrix: tuple[int, int, int, int] | None = None
    shape: Fraction | None = None
    tags: dict[str, str] = field(default_factory=dict)
    container: str | None = None
    muxing: dict[str, str] = field(default_factory=dict)
    change: Callable[[Any], None] | None = None
    paint: Callable[[int], Any] | None = None


def numbered(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A frame that shows a number in black and white above, and the colours below."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    for bit in range(_BITS):
        pixels[: height // 2, bit * width // _BITS : (bit + 1) * width // _BITS] = 235 if number >> bit & 1 else 16
    for i, colour in enumerate(COLOURS):
        pixels[height // 2 :, i * width // len(COLOURS) : (i + 1) * width // len(COLOURS)] = colour
    return pixels


def number_in(pixels: np.ndarray) -> int:
    """What number an upright frame shows."""
    height, width = pixels.shape[:2]
    row = pixels[height // 4, :, 1].astype(int)
    return sum((row[(2 * bit + 1) * width // (2 * _BITS)] > 128) << bit for bit in range(_BITS))


def colours_in(pixels: np.ndarray) -> np.ndarray:
    """(6, 3) what the lower half of an upright frame shows."""
    height, width = pixels.shape[:2]
    n = len(COLOURS)
    return np.array([pixels[height * 3 // 4, (2 * i + 1) * width // (2 * n)] for i in range(n)])


def make_film(path: Path, recipe: FilmRecipe | None = None, **changes: Any) -> Path:
    """Write a film as a recipe says."""
    import av

    how = replace(recipe or FilmRecipe(), **changes)
    with av.open(os.fspath(path), "w", format=how.container, options=how.muxing) as film:
        film.metadata.update(how.tags)
        picture = _picture(film, how) if how.count else None
        sound: Any = film.add_stream(how.sound_codec, rate=how.rate) if how.sound else None
        if sound is not None:
            sound.codec_context.layout = "mono"
        if picture is not None:
            _write_pictures(film, picture, how)
        if sound is not None:
            _write_sound(film, sound, how)
    return path


def _picture(film: Any, how: FilmRecipe) -> Any:
    stream = film.add_stream(how.codec, rate=how.fps, options=how.options)
    stream.width, stream.height = how.size
    stream.pix_fmt = how.pix_fmt
    context = stream.codec_context
    context.thread_count = 1
    if how.tick is not None:
        stream.time_base = context.time_base = how.tick
    context.color_primaries, context.color_trc, context.colorspace, context.color_range = how.colour
    if how.shape is not None:
        context.sample_aspect_ratio = how.shape
    if how.matrix is not None:
        a, b, c, d = (one << 16 for one in how.matrix)
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
    return stream


def _write_pictures(film: Any, stream: Any, how: FilmRecipe) -> None:
    import av
    from av.video.reformatter import ColorRange, Colorspace

    matrix = {1: Colorspace.ITU709, 9: Colorspace.BT2020}.get(how.colour[2], Colorspace.ITU601)
    full = ColorRange.JPEG if how.colour[3] == 2 else ColorRange.MPEG
    tick = how.tick or 1 / how.fps
    paint = how.paint or (lambda number: numbered(number, how.size))
    for number in range(how.count):
        frame = paint(number)
        if isinstance(frame, np.ndarray):
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            frame = frame.reformat(format=how.pix_fmt, dst_colorspace=matrix, dst_color_range=full)
        frame.pts, frame.time_base = number if how.times is None else how.times[number], tick
        if how.change is not None:
            how.change(frame)
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def _write_sound(film: Any, stream: Any, how: FilmRecipe) -> None:
    import av

    samples = sound_of(how)
    for start in range(0, len(samples), 1024):
        part = samples[None, start : start + 1024]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = how.rate, Fraction(1, how.rate)
        frame.pts = round(how.sound_at * how.rate) + start
        film.mux(stream.encode(frame))
    film.mux(stream.encode(None))


def grey_ten(row: np.ndarray, height: int = 64) -> Any:
    """PyAV's frame of 10 bits and narrow range, of grey columns 0..1: 64 is black, 940 is white (ITU-R BT.2020)."""
    import av

    width = len(row)
    frame = av.VideoFrame(width, height, "yuv420p10le")
    luma = np.round(64 + 876 * np.asarray(row)).astype(np.uint16)
    for plane, line in zip(frame.planes, (luma, np.full(width // 2, 512), np.full(width // 2, 512)), strict=True):
        padded = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        padded[:, : plane.width] = line
        plane.update(padded.tobytes())
    return frame


def sound_of(how: FilmRecipe) -> np.ndarray:
    """Silence with beeps of 1 kHz and 40 ms, float32 at its rate."""
    samples = np.zeros(round(how.sound * how.rate), np.float32)
    wave = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(round(0.04 * how.rate)) / how.rate).astype(np.float32)
    for at in how.beeps:
        begin = round((at - how.sound_at) * how.rate)
        part = wave[: max(0, len(samples) - begin)]
        samples[begin : begin + len(part)] = part
    return samples


def seen(path: Path) -> tuple[Any, list[tuple[int, np.ndarray]]]:
    """What is found in a film and all of its frames, read in this very process, which is quicker."""
    from unflat.formats.film_decode import Damage, frames
    from unflat.formats.film_look import look

    found = look(path)
    first, last = int(found.shown[0]), int(found.shown[-1])
    return found, list(frames(path, found.plan, None, first, last, Damage()))
