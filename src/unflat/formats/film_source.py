"""A film as FFmpeg opens it, within what we allow: known containers, one file, no network, no pictures beyond a size.

Runs in the process of its own that ``film_child`` is. FFmpeg is handed a file that is open already and no way to open
another, so a playlist or a reference inside a film leads nowhere.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.av_late import library

CONTAINERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "ogg", "flv", "asf", "mxf", "dv", "gif", "webm")
"""FFmpeg's demuxers that are tried; nothing else is."""
MOST_PIXELS = 16384 * 8192
"""Of a frame: more than any camera or display has."""
MOST_STREAMS = 256
_HINT = "Copy the film again, or convert it to MP4 with another program."
_NO_PROTOCOL = "none"
_PICTURES = 0x0400
"""Of a stream's disposition: it is the cover, not the film."""


def faults(av: Any) -> tuple[type[BaseException], ...]:
    """What PyAV raises on films that are damaged or strange."""
    return (av.error.FFmpegError, ValueError, RuntimeError, OverflowError, IndexError, UnicodeError, ZeroDivisionError)


def reason(error: BaseException) -> str:
    """In a few words of FFmpeg's, without the path."""
    said = getattr(error, "strerror", None) or str(error)
    return " ".join(str(said).split())[:120].lower() or type(error).__name__


@contextmanager
def opened(path: Path) -> Generator[Any]:
    """The container of a film.

    Raises:
        InputError: It is empty, no film that is known, or damaged beyond opening.
    """
    av = library("reading films")
    options = {
        "protocol_whitelist": _NO_PROTOCOL,
        "format_whitelist": ",".join(CONTAINERS),
        "max_streams": str(MOST_STREAMS),
        "export_xmp": "1",
    }
    with path.open("rb") as file:
        if not file.read(1):
            raise InputError(f"{path.name} is empty", hint=_HINT)
        file.seek(0)
        try:
            container = av.open(_Unnamed(file), options=options, metadata_errors="replace")
        except faults(av) as error:
            raise InputError(f"{path.name} cannot be read as a film: {reason(error)}", hint=_HINT) from error
        try:
            yield container
        finally:
            container.close()


class _Unnamed:
    """A file without its name, by which FFmpeg would guess what it is and which it would put into its messages."""

    def __init__(self, file: Any) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def picture_stream(container: Any, name: str) -> Any:
    """The stream of moving pictures: the default one, else the largest; covers and thumbnails are none.

    Raises:
        InputError: There is none, or nothing can decode it, or its pictures are too large.
    """
    pictures = [s for s in container.streams.video if not s.disposition & _PICTURES]
    if not pictures:
        kinds = sorted({s.type for s in container.streams})
        said = f"only {' and '.join(kinds)}" if kinds else "nothing"
        raise InputError(f"{name} has no moving pictures, {said}", hint="Give a film that has pictures.")
    known = [s for s in pictures if s.codec_context is not None]
    if not known:
        raise InputError(f"{name} is of a codec that is not known here", hint="Convert it to H.264 first.")
    stream = max(known, key=lambda s: (bool(s.disposition & 1), s.width * s.height, -s.index))
    if stream.width * stream.height > MOST_PIXELS:
        raise InputError(f"{name} has frames of {stream.width}×{stream.height} pixels", hint="Make it smaller first.")
    return alone(container, stream.index)


def alone(container: Any, index: int) -> Any:
    """One stream; the others are passed over where the container allows that."""
    from av.stream import Discard

    for other in container.streams:
        if other.index != index:
            other.discard = Discard.all
    stream = container.streams[index]
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return stream


def clock_zero(container: Any) -> Fraction:
    """When the film begins, on the clock of its container, in seconds: the start of its first picture or sound."""
    starts = [
        stream.start_time * stream.time_base
        for stream in container.streams
        if stream.type in ("video", "audio") and not stream.disposition & _PICTURES
        if stream.start_time is not None and stream.time_base
    ]
    return min(starts, default=Fraction(0))
