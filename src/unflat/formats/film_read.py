"""Films: from a file to a :class:`Clip`, whose frames are upright, of square pixels and in sRGB.

FFmpeg (through PyAV) works in a process of its own (``film_child``): what crashes or hangs it becomes an error here,
and decoding goes on while we work. Time stamps are exact: ticks of the container's clock, counted from the film's
beginning.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.av_late import check_library
from unflat.formats.c2pa_read import doubts, with_credentials
from unflat.formats.film_child import END
from unflat.formats.film_process import child, resolved
from unflat.formats.film_rights import film_rights
from unflat.formats.reserved import with_sidecars
from unflat.types.clip import Clip, TimedFrame
from unflat.types.image import Size
from unflat.types.provenance import Source

I64 = NDArray[np.int64]
SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg"),
    *(".vob", ".ogv", ".ogg", ".flv", ".f4v", ".wmv", ".asf", ".mxf", ".dv", ".insv", ".lrv", ".divx", ".m2v"),
)
"""Names that films usually have; what a file is, is decided by its content."""
_BLOCK = 1 << 22
_GREY = 2
"""Bytes of a pixel that is only bright or dark."""
ReadGrey = Callable[[Fraction, Fraction | None], Generator[tuple[Fraction, NDArray[np.uint16]]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Film:
    """A film that was looked at: the way to its frames.

    Attributes:
        path: Where it is.
        words: What ``film_look`` found.
        size: Of its frames.
        shown: (n,) ticks of its frames, ascending.
        keys: (m, 2) presentation and decoding ticks of key frames, ascending.
        sha256: Of its bytes.
    """

    path: Path
    words: dict[str, Any]
    size: Size
    shown: I64
    keys: I64
    sha256: str

    @property
    def tick(self) -> Fraction:
        return Fraction(self.words["tick"])

    def time(self, ticks: int) -> Fraction:
        """On the film's clock, in seconds."""
        return ticks * self.tick - Fraction(self.words["zero"])

    def index(self, time: Fraction) -> int:
        """Of the first frame that is shown at ``time`` or later."""
        return bisect_left(self.shown, (time + Fraction(self.words["zero"])) / self.tick)

    def read(self, start: Fraction, stop: Fraction | None) -> Generator[TimedFrame]:
        """The frames from ``start`` until before ``stop``.

        Raises:
            InputError: It cannot be decoded any further, or not at all.
        """
        shape = (*self.size.shape, 3)
        with closing(self._raw(start, stop, 3)) as frames:
            for time, number, data in frames:
                yield TimedFrame(np.frombuffer(data, np.uint8).reshape(shape), time, number)

    def read_grey(self, start: Fraction, stop: Fraction | None) -> Generator[tuple[Fraction, NDArray[np.uint16]]]:
        """The time of each frame and how bright it is, (h, w) uint16, as finely as the film holds it.

        Raises:
            InputError: It cannot be decoded any further, or not at all.
        """
        with closing(self._raw(start, stop, 2)) as frames:
            for time, _, data in frames:
                yield time, np.frombuffer(data, "<u2").reshape(self.size.shape).astype(np.uint16)

    def _raw(
        self, start: Fraction, stop: Fraction | None, pixel: Literal[2, 3]
    ) -> Generator[tuple[Fraction, int, bytearray]]:
        """Time, number and the bytes of each frame: 3 a pixel are its colour, 2 how bright it is."""
        begin, end = self.index(start), len(self.shown) if stop is None else self.index(stop)
        if begin >= end:
            return
        task = {
            "path": resolved(self.path),
            "plan": self.words["plan"] | {"grey": pixel == _GREY},
            "key": self._key(begin),
            "first": int(self.shown[begin]),
            "last": int(self.shown[end - 1]),
        }
        with child("frames", task, self.path.name) as reader:
            reader.words()
            while (at := struct.unpack("<q", reader.bytes(8))[0]) != END:
                data = reader.bytes(self.size.pixels * pixel)
                number = bisect_left(self.shown, at)
                if number < len(self.shown) and self.shown[number] == at:
                    yield self.time(at), number, data
            reader.words()

    def _key(self, index: int) -> tuple[int, int] | None:
        """The key frame that decoding begins at for a frame; None is the beginning of the film.

        Where fields are taken apart, the frame before it has to be decoded as well.
        """
        wanted = max(0, index - 1) if self.words["plan"]["interlaced"] else index
        at = bisect_right(self.keys[:, 0], self.shown[wanted]) - 1
        return None if at <= 0 else (int(self.keys[at, 0]), int(self.keys[at, 1]))


def open_clip(path: Path) -> Clip:
    """Open a film; all of its packets are gone through once, and a few frames decoded.

    Args:
        path: A film of a container that is known; what it is decides its content, not its name.

    Returns:
        What is known of it, and the way to its frames.

    Raises:
        InputError: It is no film, has no pictures, or is damaged beyond reading.
        MissingExtraError: PyAV is not installed.
    """
    return _clip(_opened(path))


def open_depth_film(path: Path) -> tuple[Clip, ReadGrey]:
    """Open a film whose brightness is depth: what is known of it, and the way to its frames at up to 16 bits.

    Raises:
        InputError: It is no film, has no pictures, or is damaged beyond reading.
        MissingExtraError: PyAV is not installed.
    """
    film = _opened(path)
    return _clip(film), film.read_grey


def _opened(path: Path) -> _Film:
    check_library("reading films")
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    with child("look", {"path": resolved(path)}, path.name) as looker:
        sha256 = _sha256(path)
        words = looker.words()
        shown = np.frombuffer(looker.bytes(8 * words["frames"]), "<i8").astype(np.int64)
        keys = np.frombuffer(looker.bytes(16 * words["keys"]), "<i8").astype(np.int64).reshape(-1, 2)
    return _Film(path, words, Size(*words["size"]), shown, keys, sha256)


def _clip(film: _Film) -> Clip:
    words, shown = film.words, film.shown
    fps = Fraction(words["fps"])
    rights, reserved, said = film_rights(words["tags"])
    source = Source(film.path.name, film.sha256, str(words["container"]), rights, reserved=reserved)
    source, beside = with_sidecars(with_credentials(source, film.path), film.path)
    return Clip(
        size=film.size,
        fps=fps,
        read=film.read,
        seconds=float(film.time(int(shown[-1])) + 1 / fps),
        count=len(shown),
        even=bool(words["even"]),
        source=source,
        notes=(*words["notes"], *said, *doubts(source), *beside),
        tick=film.tick,
    )


def _sha256(path: Path) -> str:
    """Of the bytes of a file, a block at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
