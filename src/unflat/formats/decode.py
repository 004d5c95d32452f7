"""From the bytes of a picture file to upright sRGB pixels, by Pillow.

Pillow's own decoders say nothing on the terminal. OpenCV's JPEG decoder would save a copy of the pixels, but prints
about damage to the process's standard error, where other threads may be writing.
"""

from __future__ import annotations

import importlib
import io
import logging
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from PIL import Image as Pil
from PIL import ImageFile

from unflat.errors import InputError, MemoryLimitError
from unflat.formats.colour import Pixels, pixels_of
from unflat.formats.exif import EXIF_FAULTS, Facts, exif_of, packet_of, read_facts, read_iptc
from unflat.formats.jpeg import JpegStream
from unflat.formats.tiff import FloatColours, check_compressed, float_colours, float_pixels

Plane = TypeVar("Plane", bound=np.ndarray[Any, Any])

_PLUGINS = {
    "JPEG": ("JpegImagePlugin", "JPEG"),
    "PNG": ("PngImagePlugin", "PNG"),
    "WebP": ("WebPImagePlugin", "WEBP"),
    "TIFF": ("TiffImagePlugin", "TIFF"),
    "AVIF": ("AvifImagePlugin", "AVIF"),
    "GIF": ("GifImagePlugin", "GIF"),
    "BMP": ("BmpImagePlugin", "BMP"),
    "PNM": ("PpmImagePlugin", "PPM"),
}

DECODE_FAULTS = (*EXIF_FAULTS, RuntimeError, AssertionError, zlib.error, Pil.DecompressionBombError)
"""What Pillow and pi-heif raise on damaged pictures."""

_XMP = 700
_DAMAGED_HINT = "The file is damaged or cut short; copy it again, or open and save it in a picture editor."


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright picture with what its file said.

    Attributes:
        pixels: sRGB, upright.
        facts: Lens, rights and orientation.
        notes: What reading had to decide.
        jpeg: The stripped stream that decodes to exactly these pixels, or None.
    """

    pixels: Pixels
    facts: Facts
    notes: tuple[str, ...]
    jpeg: bytes | None = None


@contextmanager
def foreign_faults(name: str) -> Generator[None, None, None]:
    """Turn what the picture libraries raise into errors of the house.

    What they warn of is left to the filters of the program, for filters cannot be changed safely beside other threads.
    """
    try:
        yield
    except MemoryError as error:
        raise MemoryLimitError(f"{name} does not fit in memory") from error
    except DECODE_FAULTS as error:
        reason = " ".join(str(error).split())[:160]
        said = f": {reason}" if reason else ""
        raise InputError(f"{name} cannot be read as a picture{said}", hint=_DAMAGED_HINT) from error


def check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    """Refuse by the declared size, before anything is decoded.

    Raises:
        InputError: No pixels, or more than ``max_pixels``.
    """
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width}×{height})", hint=_DAMAGED_HINT)
    if width * height > max_pixels:
        raise InputError(
            f"{name} declares {width}×{height} pixels, more than the {max_pixels / 1e6:g} million allowed",
            hint="If the file can be trusted, make it smaller first.",
        )


def opened(data: bytes, kind: str) -> ImageFile.ImageFile:
    """Open with the one plugin for ``kind``; no other format is ever tried, nothing is decoded yet."""
    module, row = _PLUGINS[kind]
    importlib.import_module(f"PIL.{module}")
    logger = logging.getLogger("PIL")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    factory = Pil.OPEN[row][0]
    return factory(io.BytesIO(data), "")


def decode(data: bytes, kind: str, name: str, max_pixels: int) -> Decoded:
    """Decode everything but HEIC and RAW.

    Raises:
        InputError: Damaged, empty or too large.
        MemoryLimitError: It does not fit in memory.
    """
    with foreign_faults(name):
        floating = float_colours(data, name) if kind == "TIFF" else None
        if floating is not None:
            return _floating(data, floating, name, max_pixels)
        picture = opened(data, kind)
        width, height = picture.size
        check_size(name, width, height, max_pixels)
        notes = list(_frames(picture, kind))
        profile = picture.info.get("icc_profile") or None
        stream = JpegStream.parse(data) if kind == "JPEG" else None
        if kind == "TIFF":
            check_compressed(picture, data, name)
        picture.load()
        if stream is not None and stream.damaged:
            notes.append("its JPEG data is damaged in places")
        exif, damage = exif_of(picture)
        facts = read_facts(exif, packet_of(picture), read_iptc(picture), (width, height))
        pixels = pixels_of(picture, profile)
        del picture
        keeps = stream is not None and not pixels.converted and facts.orientation == 1 and pixels.alpha is None
        jpeg = stream.stripped() if stream is not None and keeps else None
    notes += [*damage, *facts.notes, *pixels.notes]
    return Decoded(turned_upright(pixels, facts.orientation), facts, tuple(dict.fromkeys(notes)), jpeg)


def _floating(data: bytes, found: FloatColours, name: str, max_pixels: int) -> Decoded:
    """A TIFF of floating-point colours."""
    check_size(name, *found.size, max_pixels)
    pixels = float_pixels(data, found, name)
    packet = found.tags.get(_XMP)
    facts = read_facts(found.tags, packet if isinstance(packet, bytes) else None, {}, found.size)
    return Decoded(turned_upright(pixels, facts.orientation), facts, (*facts.notes, *pixels.notes))


def _frames(picture: Pil.Image, kind: str) -> Iterator[str]:
    """Say which of several pictures is read: always the first."""
    count = getattr(picture, "n_frames", 1)
    if count > 1:
        word = {"TIFF": "pages", "JPEG": "pictures"}.get(kind, "frames")
        yield f"first of {count} {word}"


def turned_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Apply an EXIF orientation (1..8) to pixels as stored."""
    if orientation == 1:
        return pixels
    alpha = None if pixels.alpha is None else turned(pixels.alpha, orientation)
    return Pixels(turned(pixels.rgb, orientation), alpha, pixels.converted, pixels.notes)


def turned(array: Plane, orientation: int) -> Plane:
    """Turn (h, w) or (h, w, c) as EXIF 0x0112 asks, so that row 0 is the top of the scene."""
    steps: dict[int, Callable[[Plane], Any]] = {
        1: np.copy,
        2: lambda a: cv2.flip(a, 1),
        3: lambda a: cv2.rotate(a, cv2.ROTATE_180),
        4: lambda a: cv2.flip(a, 0),
        5: cv2.transpose,
        6: lambda a: cv2.rotate(a, cv2.ROTATE_90_CLOCKWISE),
        7: lambda a: cv2.rotate(cv2.transpose(a), cv2.ROTATE_180),
        8: lambda a: cv2.rotate(a, cv2.ROTATE_90_COUNTERCLOCKWISE),
    }
    return cast(Plane, np.asarray(steps[orientation](array), dtype=array.dtype))
