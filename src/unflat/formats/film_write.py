"""Segments of a film: frames in, a short film without sound out, whole or not there.

A segment begins with a key frame that nothing before it is needed for, and is coded with the same settings whenever it
is made again, so that ``film_join`` puts segments together without decoding them, and a run that was killed goes on to
the same bytes. It is an MP4 file that begins at 0; where it belongs in the film stands in its comment.
"""

from __future__ import annotations

import json
import os
import secrets
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, OutputError, ShapeError
from unflat.formats.atomic import check_target, translated
from unflat.formats.av_late import library
from unflat.types.image import Size

SEGMENT_SUFFIX: Final = ".mp4"
THREADS: Final = 4
"""Of an encoder, whatever the machine: x265's bytes depend on it."""
_CRF = {"h264": 18, "hevc": 20, "av1": 27}
_LIBRARY = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}
_SPEEDS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
_AV1_SPEED = {"ultrafast": 12, "superfast": 11, "veryfast": 10, "faster": 9, "fast": 8, "medium": 7, "slow": 5}
_LAST_AV1 = 4
_PACKING = {"side-by-side": 3, "top-bottom": 4}
Packing = Literal["side-by-side", "top-bottom"]


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How the pictures of a film are coded."""

    codec: Literal["auto", "h264", "hevc", "av1"] = "auto"
    """Codec of the film: auto is H.264, which everything plays, and HEVC for 10 bits."""
    crf: int | None = None
    """Quality as encoders count it, from 0 (nearly lossless) up; left out, 18 for H.264, 20 for HEVC, 27 for AV1."""
    speed: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"] = "veryfast"
    """How long the encoder may look for a smaller file."""
    chroma: Literal["420", "444"] = "420"
    """Colour at half size (420), which everything plays, or at full size (444), as anaglyphs need it."""
    bits: Literal["8", "10"] = "8"
    """Bits a channel in the file."""

    def __post_init__(self) -> None:
        most = 63 if self.codec == "av1" else 51
        if self.crf is not None and not 0 <= self.crf <= most:
            raise InputError(f"a quality (crf) is 0 to {most}, not {self.crf}")
        if self.codec == "av1" and self.chroma == "444":
            raise InputError("AV1 is written with half the colour only", hint="Use --codec h264 or hevc for 444.")

    @property
    def chosen(self) -> str:
        """The codec, where auto has decided."""
        return ("hevc" if self.bits == "10" else "h264") if self.codec == "auto" else self.codec


def coded_size(size: Size, options: EncodeOptions) -> Size:
    """The size that is written: where colour is at half size, an odd side is one row or column shorter."""
    if options.chroma == "444":
        return size
    return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))


class WholeOrNot(ABC):
    """A file that is being written: it closes itself where its block ends, and leaves nothing where that fails."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file and put it in its place."""

    @abstractmethod
    def abandon(self) -> None:
        """Leave nothing behind."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def check_frame(pixels: NDArray[Any], size: Size) -> None:
    """Say that a frame is not (h, w, 3) uint8 of ``size``.

    Raises:
        ShapeError: It is not.
    """
    if pixels.shape != (*size.shape, 3) or pixels.dtype != np.uint8:
        raise ShapeError(f"a frame of {size} was to come, not {pixels.shape} {pixels.dtype}")


class SegmentWriter(WholeOrNot):
    """Codes frames, one at a time, into a file that appears when all of them are in it."""

    _format = "mp4"

    def __init__(
        self,
        path: Path,
        size: Size,
        time_base: Fraction,
        options: EncodeOptions = EncodeOptions(),  # noqa: B008  # frozen
        *,
        fps: Fraction = Fraction(25),
        packing: Packing | None = None,
    ) -> None:
        """Begin a segment.

        Args:
            path: Where it goes; a name that ends with ``SEGMENT_SUFFIX``. What is there is replaced.
            size: Of the frames; what is written has :func:`coded_size`.
            time_base: Tick of its clock, in seconds (``Clip.tick``): times are kept to the tick.
            options: How it is coded.
            fps: Frames a second, roughly (``Clip.fps``): encoders plan by it.
            packing: Two views in each frame: said in the stream itself (H.264 only, SEI 45).

        Raises:
            OutputError: The place cannot be written.
            MissingExtraError: PyAV is not installed.
        """
        check_target(path, force=True)
        self.path, self.size, self.options = path, size, options
        self._tick = time_base
        self._draft = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part{path.suffix}")
        self._av, self._coded = library("writing films"), coded_size(size, options)
        self._packing: Packing | None = packing
        self._fps = fps
        self._start: Fraction | None = None
        self._last = -1
        self._reformatter: Any = self._av.video.reformatter.VideoReformatter()
        self._file: Any = None
        self._stream: Any = None

    def write(self, pixels: NDArray[Any], time: Fraction) -> None:
        """Add a frame.

        Args:
            pixels: (h, w, 3) uint8 sRGB of the writer's size.
            time: When it is shown, in seconds on the film's clock; later than the one before.

        Raises:
            ShapeError: Of another size, or not later.
            OutputError: The disk is full.
        """
        self._check(pixels)
        if self._start is None:
            self._start = time
        ticks = round((time - self._start) / self._tick)
        if ticks <= self._last:
            raise ShapeError(f"a frame at {float(time):g} s does not come after the one before it")
        with self._guarded():
            if self._file is None:
                self._open(time)
            frame = self._frame(np.ascontiguousarray(pixels[: self._coded.height, : self._coded.width]))
            frame.pts, frame.time_base = ticks, self._tick
            self._mux(self._stream.encode(frame))
        self._last = ticks

    def close(self) -> None:
        """Finish the file and put it in its place.

        Raises:
            OutputError: The disk is full.
            InputError: No frame was written.
        """
        if self._file is None:
            raise InputError("a film needs at least one frame")
        with self._guarded():
            self._mux(self._stream.encode(None))
            self._file.close()
            self._file = None
            self._draft.replace(self.path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError, ValueError):  # a full disk: it cannot even be closed, and goes all the same
                file.close()
        self._draft.unlink(missing_ok=True)

    def _guarded(self) -> _Guard:
        return _Guard(self)

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            self._file.mux(packet)

    def _check(self, pixels: NDArray[Any]) -> None:
        check_frame(pixels, self.size)

    def _frame(self, coded: NDArray[Any]) -> Any:
        """A frame as the encoder takes it."""
        by = self._av.video.reformatter
        return self._reformatter.reformat(
            self._av.VideoFrame.from_ndarray(coded, format="rgb24"),
            format=self._stream.pix_fmt,
            dst_colorspace=by.Colorspace.ITU709,
            dst_color_range=by.ColorRange.MPEG,
            interpolation=by.Interpolation.BICUBIC
            | by.Interpolation.ACCURATE_RND
            | by.Interpolation.FULL_CHR_H_INP
            | by.Interpolation.BITEXACT,
        )

    def _open(self, start: Fraction) -> None:
        tick = self._tick
        words = json.dumps({"start": str(start)})
        options = {"fflags": "+bitexact"}
        if self._format == "mp4":
            options |= {"movflags": "+faststart", "video_track_timescale": str(tick.denominator)}
        self._file = self._av.open(os.fspath(self._draft), "w", format=self._format, options=options)
        self._file.metadata["comment"] = words
        self._stream = self._added(tick)

    def _added(self, tick: Fraction) -> Any:
        """The stream of pictures, added to the file."""
        os.environ.setdefault("SVT_LOG", "1")  # errors only: SVT-AV1 writes to the terminal past FFmpeg
        stream = self._file.add_stream(_LIBRARY[self.options.chosen], options=_settings(self.options, self._packing))
        stream.width, stream.height, stream.pix_fmt = self._coded.width, self._coded.height, _pix_fmt(self.options)
        stream.time_base = tick
        context = stream.codec_context
        context.time_base, context.framerate = tick, self._fps
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 1, 1, 1, 1
        context.thread_count = THREADS
        if self.options.chosen == "hevc":
            context.codec_tag = "hvc1"
        return stream


class _Guard:
    """Turns what PyAV raises while writing into errors of the house, and then leaves nothing behind."""

    def __init__(self, writer: SegmentWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        self._writer.abandon()
        if isinstance(error, OSError):
            raise translated(error, self._writer.path) from error
        if isinstance(error, ValueError | RuntimeError):
            raise OutputError(f"{self._writer.path} cannot be written: {error}") from error


def _pix_fmt(options: EncodeOptions) -> str:
    return f"yuv{options.chroma}p{'10le' if options.bits == '10' else ''}"


def _settings(options: EncodeOptions, packing: Packing | None) -> dict[str, str]:
    """What the encoder is told: fixed threads and look-ahead, closed groups of pictures, nothing on the terminal.

    x264's macroblock tree is left out: with it, small frames come out differently now and then (seen up to 426×240),
    and a film that is gone on with must have the same bytes. Of the same size, films are as good without it.
    """
    codec = options.chosen
    crf = str(_CRF[codec] if options.crf is None else options.crf)
    if codec == "h264":
        packed = "" if packing is None else f":frame-packing={_PACKING[packing]}"
        return {"crf": crf, "preset": options.speed, "x264-params": f"open-gop=0:sliced-threads=0:mbtree=0{packed}"}
    if codec == "hevc":
        return {"crf": crf, "preset": options.speed, "x265-params": "log-level=none:open-gop=0:frame-threads=2:pools=2"}
    speed = str(_AV1_SPEED.get(options.speed, _LAST_AV1))
    return {"crf": crf, "preset": speed, "svtav1-params": "lp=2:enable-force-key-frames=0"}
