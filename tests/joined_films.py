"""Films that were joined from segments: read again, cut, listened to."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.film_files import seen

from unflat.formats import film_child, film_join
from unflat.formats.film_source import clock_zero, opened
from unflat.formats.film_write import EncodeOptions, SegmentWriter
from unflat.types.image import Size

SPEED = EncodeOptions(speed="ultrafast", crf=12)


def join_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Join in this process, which is quicker."""

    @contextmanager
    def child(word: str, task: dict[str, Any], name: str) -> Generator[Any]:
        out = io.BytesIO()
        film_child._WAYS[word](json.loads(json.dumps(task)), out)
        lines = iter(out.getvalue().splitlines())
        yield type("Child", (), {"words": lambda _: json.loads(next(lines))})()

    monkeypatch.setattr(film_join, "child", child)


@dataclass
class Film:
    """A film that was read in this process."""

    size: Size
    tick: Fraction
    fps: Fraction
    frames: list[tuple[Fraction, np.ndarray]]

    def between(self, start: float, stop: float) -> list[tuple[Fraction, np.ndarray]]:
        return [(time, pixels) for time, pixels in self.frames if start <= time < stop]


def read(path: Path) -> Film:
    found, frames = seen(path)
    timed = [(ticks * found.tick - found.zero, pixels) for ticks, pixels in frames]
    return Film(Size(*found.size), found.tick, found.fps, timed)


def cut(
    film: Film, folder: Path, frames: list[tuple[Fraction, np.ndarray]], each: int, options: EncodeOptions = SPEED
) -> list[Path]:
    """Segments of so many frames."""
    paths: list[Path] = []
    for begin in range(0, len(frames), each):
        paths.append(folder / f"segment{len(paths)}.mp4")
        with SegmentWriter(paths[-1], film.size, film.tick, options, fps=film.fps) as writer:
            for time, pixels in frames[begin : begin + each]:
                writer.write(pixels, time)
    return paths


def sounding(path: Path, stream: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """When each sample of a film's sound is heard, in seconds, and how loud it is."""
    times, loud = [], []
    with opened(path) as film:
        zero = float(clock_zero(film))
        for frame in film.decode(audio=stream):
            samples = frame.to_ndarray().astype(np.float32).reshape(-1, frame.samples)[0]
            samples /= 32768 if frame.format.name.startswith("s16") else 1
            times.append(float(frame.pts * frame.time_base) - zero + np.arange(frame.samples) / frame.sample_rate)
            loud.append(np.abs(samples))
    return np.concatenate(times), np.concatenate(loud)


def beeps_in(path: Path, stream: int = 0) -> np.ndarray:
    """When beeps begin."""
    times, loud = sounding(path, stream)
    on = times[loud > 0.25]
    return on[np.append(True, np.diff(on) > 0.2)]


def flashes_in(path: Path) -> np.ndarray:
    """When the picture becomes bright."""
    found, frames = seen(path)
    bright = np.array([pixels.mean() > 128 for _, pixels in frames])
    times = np.array([float(t * found.tick - found.zero) for t, _ in frames])
    return times[bright & ~np.append(False, bright[:-1])]
