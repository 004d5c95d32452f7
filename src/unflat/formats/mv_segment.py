"""Segments of a spatial film: MV-HEVC, coded by an x265 of the user's that was built with multiview.

No package of Python holds such an encoder: those in PyAV, pillow-heif and Linux distributions take the option and write
plain H.265. So a program is looked for that says it knows views, and is run as a child on raw frames.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, MissingExtraError, OutputError, ShapeError
from unflat.formats.atomic import translated
from unflat.formats.av_late import library
from unflat.formats.film_write import EncodeOptions, WholeOrNot, check_frame
from unflat.formats.mv_hevc import write_spatial
from unflat.formats.stereo_boxes import StereoMarks
from unflat.types.image import Size
from unflat.types.stereo import Layout

VARIABLE = "UNFLAT_X265"
"""Of the environment: where the encoder is, if it is not the ``x265`` of the path."""
_CRF = 20
_HELP_S = 30


def find_encoder() -> Path:
    """The encoder that knows two views.

    Raises:
        MissingExtraError: There is none, or it was built without multiview; the hint says what to do.
    """
    named = os.environ.get(VARIABLE)
    found = shutil.which(named or "x265")
    if found is None:
        where = f"{named} ({VARIABLE}) cannot be run" if named else "there is no x265 on this machine"
        raise _missing(where)
    try:
        done = subprocess.run(
            [found, "--help"], capture_output=True, text=True, errors="replace", timeout=_HELP_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _missing(f"{found} cannot be run") from error
    if "--num-views" not in done.stdout:
        raise _missing(f"{found} was built without multiview")
    return Path(found)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the encoder if it still runs; what was on its way to it is lost."""
    child.kill()
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()
    child.wait()


def _missing(why: str) -> MissingExtraError:
    missing = MissingExtraError("writing MV-HEVC", "x265 built with multiview")
    missing.args = (f"writing MV-HEVC needs an x265 that was built with multiview, and {why}",)
    build = "cmake -DENABLE_MULTIVIEW=ON -S source -B build && make -C build"
    missing.hint = f"Build x265 4.1 or later ({build}) and set {VARIABLE}=build/x265, or use --layout full-sbs."
    return missing


class SpatialSegment(WholeOrNot):
    """Codes frames of two full views side by side, one at a time, into a file that appears when all are in it.

    It is used like :class:`unflat.formats.film_write.SegmentWriter`, and ``film_join`` joins what it writes.
    """

    def __init__(
        self,
        path: Path,
        size: Size,
        time_base: Fraction,
        options: EncodeOptions = EncodeOptions(),  # noqa: B008  # frozen
        *,
        fps: Fraction = Fraction(25),
    ) -> None:
        """Begin a segment.

        Args:
            path: Where it goes: a name that ends in ``.mp4``. What is there is replaced.
            size: Of the frames, with the left view beside the right one.
            time_base: Tick of its clock, in seconds: times are kept to the tick.
            options: How it is coded: HEVC, 8 bits, half the colour.
            fps: Frames a second, roughly.

        Raises:
            InputError: Options that MV-HEVC does not have.
            MissingExtraError: PyAV or the encoder is not installed.
        """
        if options.codec not in ("auto", "hevc") or options.bits != "8" or options.chroma != "420":
            raise InputError("spatial films are HEVC with 8 bits and half the colour", hint="Leave out --codec.")
        self.path, self.size, self.options = path, size, options
        self._eye = Size(size.width // 4 * 2, size.height // 2 * 2)
        if not self._eye.width or not self._eye.height:
            raise InputError(f"two views do not fit into {size}")
        self._tick, self._fps = time_base, fps
        self._av, self._encoder = library("writing films"), find_encoder()
        self._stream = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part.hevc")
        self._times: list[Fraction] = []
        self._child: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._reformatter: Any = self._av.video.reformatter.VideoReformatter()

    def write(self, pixels: NDArray[Any], time: Fraction) -> None:
        """Add a frame.

        Args:
            pixels: (h, w, 3) uint8 sRGB of the segment's size: the left view beside the right one.
            time: When it is shown, in seconds on the film's clock; later than the one before.

        Raises:
            ShapeError: Of another size, or not later.
            OutputError: The encoder broke off.
        """
        check_frame(pixels, self.size)
        if self._times and time - self._times[-1] < self._tick:
            raise ShapeError(f"a frame at {float(time):g} s does not come after the one before it")
        if self._child is None:
            self._start()
        child = self._child
        try:
            if child is not None and child.stdin is not None:
                child.stdin.write(self._raw(pixels))
        except OSError as error:
            raise self._broken() from error
        self._times.append(time)

    def close(self) -> None:
        """Finish the file and put it in its place.

        Raises:
            OutputError: The encoder broke off, or the disk is full.
            InputError: No frame was written, or the encoder wrote one view only.
        """
        child = self._child
        if child is None or child.stdin is None:
            raise InputError("a film needs at least one frame")
        try:
            child.stdin.close()
            if child.wait():
                raise self._broken()
            last = self._times[-1]
            step = last - self._times[-2] if len(self._times) > 1 else 1 / self._fps
            write_spatial(
                [self._stream],
                [*self._times, last + max(step, self._tick)],
                self.path,
                StereoMarks(Layout.SPATIAL, hero="left"),
                clock=self._tick.denominator,
                comment=json.dumps({"start": str(self._times[0])}),
                force=True,
            )
        except OSError as error:
            raise translated(error, self.path) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Leave nothing behind but a finished file."""
        child, self._child = self._child, None
        if child is not None:
            _end(child)
        if self._said is not None:
            self._said.close()
        self._stream.unlink(missing_ok=True)

    def _start(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the segment
        try:
            self._child = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._said
            )
        except OSError as error:
            raise OutputError(f"{self._encoder} cannot be run: {error.strerror or error}") from error

    def _command(self) -> Sequence[str]:
        crf = _CRF if self.options.crf is None else self.options.crf
        return [
            os.fspath(self._encoder),
            *("--input", "-", "--input-res", f"{self._eye.width}x{self._eye.height}"),
            *("--fps", f"{self._fps.numerator}/{self._fps.denominator}", "--num-views", "2", "--format", "1"),
            *("--preset", self.options.speed, "--crf", str(crf), "--no-open-gop", "--no-info"),
            *("--frame-threads", "2", "--pools", "2", "--log-level", "error", "--no-progress"),
            *("--colorprim", "bt709", "--transfer", "bt709", "--colormatrix", "bt709", "--range", "limited"),
            *("--output", os.fspath(self._stream)),
        ]

    def _raw(self, pixels: NDArray[Any]) -> bytes:
        """A frame as the encoder takes it: planes of Y, U and V, BT.709, both views with even sides."""
        by, half = self._av.video.reformatter, self.size.width // 2
        views = [pixels[: self._eye.height, at : at + self._eye.width] for at in (0, half)]
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(np.concatenate(views, axis=1)), format="rgb24")
        coded = self._reformatter.reformat(
            frame, format="yuv420p", dst_colorspace=by.Colorspace.ITU709, dst_color_range=by.ColorRange.MPEG
        )
        return np.ascontiguousarray(coded.to_ndarray()).tobytes()

    def _broken(self) -> OutputError:
        """What the encoder said last."""
        if self._child is not None:
            _end(self._child)
        words = b""
        if self._said is not None:
            self._said.seek(0)
            words = self._said.read(1 << 16)
        lines = [line for line in words.decode(errors="replace").splitlines() if line.strip()]
        said = f": {lines[-1][:200]}" if lines else ""
        return OutputError(f"{self._encoder.name} broke off while it wrote {self.path.name}{said}", hint="Make room.")
