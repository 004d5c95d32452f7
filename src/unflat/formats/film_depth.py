"""Films of depth: how bright a pixel is says how near it is.

What everything plays holds 8 bits (H.264 in MP4); HEVC holds 10; FFV1 in Matroska holds 16, without loss. What the
numbers mean stands in the comment of a film, and beside a row of PNG files in ``NAME.json``.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, ShapeError
from unflat.formats.atomic import replacing
from unflat.formats.film_join import join
from unflat.formats.film_read import open_depth_film
from unflat.formats.film_write import EncodeOptions, SegmentWriter
from unflat.formats.picture_story import film_words
from unflat.formats.png_words import with_words
from unflat.formats.provenance_text import to_plain
from unflat.types.image import Size
from unflat.types.provenance import Provenance

Bits = Literal["8", "10", "16"]
U16 = NDArray[np.uint16]
FULL = 65535
"""What is nearest; 0 is infinitely far."""
NEAR = 0.8
"""The share of FULL that what is near in a shot has: its nearest hundredth, which may be nearer, fits above it."""
KEY = "unflat-depth"
_DIGITS = 5
_MATROSKA_TICK = Fraction(1, 1000)
_LOSSLESS = (".mkv",)
_CRF = {"8": 12, "10": 10}
"""Finer than for pictures: a step in depth is seen as an edge in space."""


@dataclass(frozen=True, slots=True)
class DepthFilmOptions:
    """How depth is coded as a film."""

    depth_bits: Literal["auto", "8", "10", "16"] = "auto"
    """Bits of a depth film: 8 (H.264, plays everywhere), 10 (HEVC) or 16 (FFV1 in .mkv, without loss). Default: 16 in
    .mkv and for frames, else 8."""

    def for_file(self, path: Path) -> Bits:
        """The bits that a file gets.

        Raises:
            InputError: Its format holds fewer.
        """
        lossless = path.suffix.lower() in _LOSSLESS
        if self.depth_bits == "16" and not lossless:
            raise InputError(f"{path.name} cannot hold 16 bits", hint="Use .mkv, or .png for a row of frames.")
        if path.suffix.lower() == ".webm":
            raise InputError(f"{path.name} is no film of depth", hint="Use .mp4, .mov or .mkv, or .png for frames.")
        return ("16" if lossless else "8") if self.depth_bits == "auto" else self.depth_bits


class DepthWriter(SegmentWriter):
    """Codes (h, w) uint16 depth, 65535 nearest, into a file that appears when all of it is in it.

    Args:
        path: Where it goes.
        size: Of the frames.
        time_base: Tick of its clock, in seconds.
        bits: Of the film: 8, 10, or 16 without loss.
        fps: Frames a second, roughly.
    """

    def __init__(self, path: Path, size: Size, time_base: Fraction, bits: Bits, *, fps: Fraction) -> None:
        self._deep = bits == "16"
        options = EncodeOptions(
            codec="h264" if bits == "8" else "hevc",
            bits="10" if bits == "10" else "8",
            crf=_CRF.get(bits),
            chroma="444" if self._deep else "420",
        )
        super().__init__(path, size, _MATROSKA_TICK if self._deep else time_base, options, fps=fps)
        if self._deep:
            self._format = "matroska"

    def write(self, pixels: NDArray[Any], time: Fraction) -> None:
        """Add the depth of a frame: (h, w) uint16, shown at ``time`` (seconds; in Matroska to the millisecond)."""
        super().write(pixels, round(time / _MATROSKA_TICK) * _MATROSKA_TICK if self._deep else time)

    def _check(self, pixels: NDArray[Any]) -> None:
        if pixels.shape != self.size.shape or pixels.dtype != np.uint16:
            raise ShapeError(f"depth of {self.size} was to come, not {pixels.shape} {pixels.dtype}")

    def _frame(self, coded: NDArray[Any]) -> Any:
        frame = self._av.VideoFrame.from_ndarray(coded, format="gray16le")
        if self._deep:
            return frame
        by = self._av.video.reformatter
        return self._reformatter.reformat(
            frame, format=self._stream.pix_fmt, src_color_range=by.ColorRange.JPEG, dst_color_range=by.ColorRange.MPEG
        )

    def _added(self, tick: Fraction) -> Any:
        if not self._deep:
            return super()._added(tick)
        stream = self._file.add_stream("ffv1", options={"level": "3", "slices": "4", "slicecrc": "1"})
        stream.width, stream.height, stream.pix_fmt = self._coded.width, self._coded.height, "gray16le"
        stream.time_base = tick
        context = stream.codec_context
        context.time_base, context.framerate, context.color_range = tick, self._fps, 2
        context.thread_count = 4
        return stream


def meaning(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the numbers of a depth film mean, with what the recipe tells of it."""
    return {
        "format": "unflat-depth-film",
        "kind": "disparity",
        "polarity": "near-white",
        "zero": "infinitely far",
        "unit": f"value / largest = {NEAR:g} * inverse depth / inverse depth of what is near in the shot",
        **told,
    }


def write_depth_film(
    segments: Sequence[Path], path: Path, told: Mapping[str, Any], story: Provenance, *, start: Fraction, force: bool
) -> list[Path]:
    """Join segments of depth, silent.

    Args:
        segments: Of :class:`DepthWriter`, in order.
        path: ``.mp4``, ``.mov`` or ``.mkv``.
        told: What the recipe tells of it, plain values.
        story: Where it comes from.
        start: From when on the source was read.
        force: Replace a file that exists.

    Returns:
        The file.
    """
    said = film_words(story)
    words = json.loads(said["comment"]) | {KEY: meaning(told)}
    join(segments, None, path, start=start, told=said | {"comment": json.dumps(words)}, force=force)
    return [path]


def row_of(path: Path, number: int = 0) -> list[Path]:
    """The file of a frame in the row ``x.png``, and the note that goes with all of them."""
    return [path.with_name(f"{path.stem}.{number:0{_DIGITS}d}.png"), path.with_suffix(".json")]


def write_depth_row(
    segments: Sequence[Path], path: Path, told: Mapping[str, Any], story: Provenance, *, force: bool
) -> list[Path]:
    """One 16-bit PNG a frame, ``x.00000.png`` and so on, and ``x.json``; new files are removed if a later one fails.

    Args:
        segments: Of :class:`DepthWriter` with 16 bits, in order.
        path: ``x.png``.
        told: What the recipe tells of it, plain values.
        story: Where it comes from.
        force: Replace files that exist.

    Returns:
        The files.
    """
    import cv2

    written, new, words = list[Path](), list[Path](), film_words(story)
    try:
        for values in _frames(segments):
            target = row_of(path, len(written))[0]
            new += [] if target.exists() else [target]
            with replacing(target, force=force) as (draft,):
                png = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()
                draft.write_bytes(with_words(png, words))
            written.append(target)
        note = row_of(path)[1]
        new += [] if note.exists() else [note]
        with replacing(note, force=force) as (draft,):
            meant = {**meaning(told), "provenance": to_plain(story)}
            draft.write_text(json.dumps(meant, indent=1), encoding="utf-8")
    except BaseException:
        for target in new:
            target.unlink(missing_ok=True)
        raise
    return [*written, note]


def _frames(segments: Sequence[Path]) -> Generator[U16]:
    """The depth in segments."""
    for segment in segments:
        _, read = open_depth_film(segment)
        with closing(read(Fraction(0), None)) as frames:
            for _, values in frames:
                yield values
