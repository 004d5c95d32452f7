"""Films out of frames: MP4 with H.264, animated GIF and WebP, or a PNG for each frame.

Frames come one by one and go out one by one: an MP4 or a row of PNG files of any length takes the memory of a few
frames. GIF and WebP keep all their (paletted, or small) frames until the end, as their encoders do.

What a film says of itself stands, as one text, where its format has a place: the comment of an MP4 and of a GIF, the
EXIF image description of a WebP, the text chunk "Comment" of every PNG.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pil

from unflat.errors import InputError, MissingExtraError
from unflat.formats.atomic import check_target, replacing, translated
from unflat.formats.exif import DESCRIPTION, exif_block
from unflat.formats.film_rights import add_packet, tags_of
from unflat.formats.png_words import with_words
from unflat.formats.told_rights import XMP_KEY
from unflat.types.arrays import U8
from unflat.types.image import Size

SUFFIXES = (".mp4", ".gif", ".webp", ".png")
"""What films are written to; a .png gets the number of the frame before its suffix."""
_GIF_SIDE, _WEBP_SIDE = 640, 960
"""Longest side of the animated still formats: larger ones are slow to load and jerk when they play."""
_DIGITS = 5
"""Signature and first chunk of a PNG, in bytes."""
Told = dict[str, str]
"""``comment``: what the film says of itself."""


def library(need: str = "writing films") -> ModuleType:
    """PyAV, imported now; ``need`` says what for.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError(need, "video") from error
    return av


def check_suffix(path: Path) -> None:
    """Say early that a file is no film.

    Raises:
        InputError: It has another suffix.
        MissingExtraError: Films of this kind need a package that is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"no film format for {path.name}", hint=f"Known suffixes: {' '.join(SUFFIXES)}")
    if path.suffix.lower() == ".mp4":
        library()


def fitted(path: Path, size: Size) -> Size:
    """The size of the frames that ``path`` takes: even sides for MP4, small ones for GIF and WebP."""
    suffix = path.suffix.lower()
    if suffix in (".gif", ".webp"):
        return size.fitted(_GIF_SIDE if suffix == ".gif" else _WEBP_SIDE)
    if suffix == ".mp4":
        return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))
    return size


def write_film(frames: Iterable[U8], path: Path, fps: float, told: Told, *, force: bool = False) -> list[Path]:
    """Write frames as a film; the suffix chooses how.

    Args:
        frames: (h, w, 3) uint8 sRGB, all of one size; taken one at a time.
        path: ``x.mp4``, ``x.gif``, ``x.webp``, or ``x.png``, which becomes x.00000.png and so on.
        fps: Frames a second.
        told: Words about the film, key to text, for where the format has a place.
        force: Replace files that exist.

    Returns:
        The files that were written.

    Raises:
        InputError: Another suffix, or no frames.
        OutputError: The place cannot be written.
        MissingExtraError: A package is not installed.
    """
    check_suffix(path)
    if path.suffix.lower() == ".png":
        return _write_row(frames, path, told, force=force)
    with replacing(path, force=force) as (draft,):
        try:
            _WRITERS[path.suffix.lower()](frames, draft, fps, told)
        except OSError as error:
            raise translated(error, path) from error
    return [path]


def _write_mp4(frames: Iterable[U8], draft: Path, fps: float, told: Told) -> None:
    """H.264 in MP4, yuv420p, BT.709, index in front: what every player and browser takes."""
    av = library()
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(draft), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        film.metadata.update(tags_of(told, "mp4"))
        stream: Any = None
        for pixels in frames:
            if stream is None:
                stream = _stream(film, pixels, rate)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            for packet in stream.encode(frame):
                film.mux(packet)
        if stream is None:
            raise InputError("a film needs at least one frame")
        for packet in stream.encode():
            film.mux(packet)
    add_packet(draft, told)


def _stream(film: Any, pixels: U8, rate: Fraction) -> Any:
    h, w = pixels.shape[:2]
    if h % 2 or w % 2:
        raise InputError(f"films in MP4 have even sides, not {w}×{h}")
    stream = film.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
    stream.width, stream.height, stream.pix_fmt = w, h, "yuv420p"
    context = stream.codec_context
    context.color_primaries, context.color_trc, context.colorspace, context.color_range = 1, 1, 1, 1
    return stream


def _write_gif(frames: Iterable[U8], draft: Path, fps: float, told: Told) -> None:
    """One palette for all frames, from the first; times in hundredths of a second."""
    rows = iter(frames)
    first = next(rows, None)
    if first is None:
        raise InputError("a film needs at least one frame")
    palette = Pil.fromarray(first).quantize(255, method=Pil.Quantize.MEDIANCUT)

    def paletted() -> Iterator[Pil.Image]:
        for pixels in rows:
            yield Pil.fromarray(pixels).quantize(palette=palette, dither=Pil.Dither.FLOYDSTEINBERG)

    lead = Pil.fromarray(first).quantize(palette=palette, dither=Pil.Dither.FLOYDSTEINBERG)
    spare: dict[str, Any] = {"comment": told["comment"].encode()} if told.get("comment") else {}
    each = max(20, round(100 / fps) * 10)
    lead.save(draft, "GIF", save_all=True, append_images=paletted(), duration=each, loop=0, disposal=1, **spare)


def _write_webp(frames: Iterable[U8], draft: Path, fps: float, told: Told) -> None:
    rows = (Pil.fromarray(pixels) for pixels in frames)
    first = next(rows, None)
    if first is None:
        raise InputError("a film needs at least one frame")
    each = max(1, round(1000 / fps))
    spare: dict[str, Any] = {"exif": exif_block({DESCRIPTION: told["comment"]})} if told.get("comment") else {}
    spare |= {"xmp": told[XMP_KEY].encode()} if XMP_KEY in told else {}
    first.save(draft, "WEBP", save_all=True, append_images=rows, duration=each, loop=0, quality=80, method=2, **spare)


def _write_row(frames: Iterable[U8], path: Path, told: Told, *, force: bool) -> list[Path]:
    """One PNG a frame; new ones are removed again if a later one fails."""
    written: list[Path] = []
    new: list[Path] = []
    try:
        for number, pixels in enumerate(frames):
            target = path.with_name(f"{path.stem}.{number:0{_DIGITS}d}.png")
            check_target(target, force=force)
            new += [] if target.exists() else [target]
            with replacing(target, force=force) as (draft,):
                draft.write_bytes(_png(pixels, told))
            written.append(target)
    except BaseException:
        for target in new:
            target.unlink(missing_ok=True)
        raise
    if not written:
        raise InputError("a film needs at least one frame")
    return written


def _png(pixels: U8, told: Told) -> bytes:
    """A picture as PNG, with its words."""
    order = np.ascontiguousarray(pixels[..., ::-1])
    return with_words(cv2.imencode(".png", order, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes(), told)


_WRITERS: dict[str, Callable[[Iterable[U8], Path, float, Told], None]] = {
    ".mp4": _write_mp4,
    ".gif": _write_gif,
    ".webp": _write_webp,
}
