"""TIFF beyond what Pillow does alone: damaged compressed files without libtiff's chatter, and floating-point colours.

libtiff prints about damage to the process's standard error and cannot be told not to from Python, so whatever goes
through it is tried in ``tiff_child`` first. Sources: TIFF 6.0, Adobe TIFF technical note 3 (floating-point samples are
linear light), IEC 61966-2-1 (sRGB), ICC.1 (colorants relative to D50).
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from PIL import Image as Pil
from PIL import ImageCms, ImageFile

from unflat.errors import InputError
from unflat.formats import tiff_child
from unflat.formats.colour import Pixels, known_profile, recoloured
from unflat.types.arrays import F32, U8

_PATIENCE_S = 300
_BITS, _SAMPLES, _PLANAR, _EXTRA, _NUMBERS, _PROFILE = 258, 277, 284, 338, 339, 34675
_FLOATING, _SEPARATE = 3, 2
_LINEAR_GREY = 188
"""The sRGB value of half the light, as 8 bits."""
_BAND = 2**20
_PROFILE_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError)
_HINT = "The file is damaged or cut short; copy it again, or open and save it in a picture editor."


@dataclass(frozen=True, slots=True)
class FloatColours:
    """A TIFF whose colours are floating-point numbers, which Pillow does not open.

    Attributes:
        tags: Of its first page.
        size: Width and height as stored, in pixels.
        profile: Its ICC profile, or None.
    """

    tags: Pil.Exif
    size: tuple[int, int]
    profile: bytes | None


def float_colours(data: bytes, name: str) -> FloatColours | None:
    """The tags of a TIFF of three or more floating-point samples a pixel; None for any other.

    Raises:
        InputError: It is one, but of a layout that is not read.
    """
    tags = Pil.Exif()
    tags.load_from_fp(io.BytesIO(data))
    samples, numbers, bits = (_whole(tags.get(key)) for key in (_SAMPLES, _NUMBERS, _BITS))
    if samples < 3 or numbers != _FLOATING:
        return None
    hint = "Save it as RGB with 32 bits a channel, interleaved, or with 16-bit integers."
    if samples > 4 or bits not in (32, 64):
        raise InputError(f"{name} has {samples} floating-point samples of {bits} bits a pixel", hint=hint)
    if _whole(tags.get(_PLANAR)) == _SEPARATE:
        raise InputError(f"{name} keeps its floating-point colours in separate planes", hint=hint)
    profile = tags.get(_PROFILE)
    return FloatColours(
        tags, (_whole(tags.get(256)), _whole(tags.get(257))), profile if isinstance(profile, bytes) else None
    )


def _whole(value: object) -> int:
    """A whole number of a tag, the first of several; 0 where there is none."""
    first: object = value[0] if isinstance(value, tuple) and value else value  # pyright: ignore[reportUnknownVariableType]
    return first if isinstance(first, int) else 0


def float_pixels(data: bytes, found: FloatColours, name: str) -> Pixels:
    """Decode floating-point colours to sRGB of 8 bits; what was assumed is noted.

    Raises:
        InputError: Damaged.
    """
    words, body = _asked("floats", data, name)
    shape = tuple(words.get("shape", ()))
    width, height = found.size
    if shape[:2] != (height, width) or len(body) != 4 * int(np.prod(shape)):
        raise InputError(f"{name} cannot be read as a picture: its size is not what it says", hint=_HINT)
    colours = np.frombuffer(body, np.float32).reshape(-1, shape[2])
    alpha = _opacity(colours, found.tags)
    matrix, notes = _primaries(found.profile)
    rgb = np.empty((len(colours), 3), np.uint8)
    brightest = 0.0
    for start in range(0, len(colours), _BAND):
        light = np.nan_to_num(colours[start : start + _BAND, :3], nan=0.0, posinf=np.inf, neginf=0.0)
        brightest = max(brightest, float(light.max(initial=0.0)))
        light = np.clip(light, 0, 1)
        rgb[start : start + _BAND] = _eight_bits(light) if matrix is None else srgb_of_light(light @ matrix)
    if brightest > 1:
        notes.append("what is brighter than 1.0 in it became white")
    rgb = rgb.reshape(height, width, 3)
    if matrix is None:
        rgb, note, _ = recoloured(rgb, found.profile)
        notes += [note] if note else []
    return Pixels(rgb, None if alpha is None else alpha.reshape(height, width), True, tuple(notes))


def srgb_of_light(light: F32) -> U8:
    """Linear light with sRGB's primaries, 1.0 as white -> sRGB of 8 bits (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return _eight_bits(curve.astype(np.float32))


def _eight_bits(unit: F32) -> U8:
    return (np.clip(unit, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _opacity(colours: F32, tags: Pil.Exif) -> U8 | None:
    """Straight alpha, or None where there is none or all of it is opaque."""
    if colours.shape[1] < 4 or _whole(tags.get(_EXTRA)) not in (1, 2):
        return None
    alpha = _eight_bits(np.nan_to_num(colours[:, 3], nan=1.0, posinf=1.0, neginf=0.0))
    return None if int(alpha.min()) == 255 else alpha


def _primaries(profile: bytes | None) -> tuple[F32 | None, list[str]]:
    """(3, 3) rows of light of the file to light of sRGB, to be multiplied from the right, and what was assumed.

    None where the profile says that the numbers are not linear light.
    """
    assumed = "its floating-point colours were taken as linear light with sRGB's primaries, 1.0 as white"
    if profile is None:
        return np.eye(3, dtype=np.float32), [assumed]
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        half = Pil.new("RGB", (1, 1), (128, 128, 128))
        srgb = known_profile("sRGB")
        way = ImageCms.buildTransform(opened, srgb, "RGB", "RGB")
        seen = np.asarray(ImageCms.applyTransform(half, way)).reshape(-1)
        if abs(int(seen[1]) - _LINEAR_GREY) > 2:
            return None, ["its floating-point colours were rounded to 8 bits before its colour profile was applied"]
        matrix = np.linalg.solve(_colorants(srgb), _colorants(opened)).T.astype(np.float32)
    except (*_PROFILE_FAULTS, np.linalg.LinAlgError):
        return np.eye(3, dtype=np.float32), [f"its colour profile is damaged and was ignored; {assumed}"]
    return matrix, ["its floating-point colours are linear light by its colour profile; 1.0 became white"]


def _colorants(profile: ImageCms.ImageCmsProfile) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(3, 3) columns: CIE XYZ of a profile's red, green and blue, relative to D50."""
    inside = cast(Any, profile.profile)  # pyright: ignore[reportUnknownMemberType]  (Pillow types it in part)
    columns = [
        colorant[0] for colorant in (inside.red_colorant, inside.green_colorant, inside.blue_colorant) if colorant
    ]
    return np.array(columns, np.float64).reshape(3, 3).T


def check_compressed(picture: ImageFile.ImageFile, data: bytes, name: str) -> None:
    """Refuse a damaged TIFF before libtiff is asked to decode it here, where it would print.

    Raises:
        InputError: It is damaged; the reason is libtiff's own.
    """
    if any(tile[0] == "libtiff" for tile in picture.tile):
        _asked("try", data, name)


def check_pages(data: bytes, name: str) -> None:
    """Refuse a damaged TIFF of many packed pages before libtiff is asked to decode them here, where it would print.

    Raises:
        InputError: It is damaged; the reason is libtiff's own.
    """
    _asked("pages", data, name)


def _asked(word: str, data: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    """The answer of ``tiff_child``.

    Raises:
        InputError: It could not do it, broke off, or took too long.
    """
    command = [sys.executable, "-P", tiff_child.__file__, word]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{name} takes too long to read", hint=_HINT) from error
    head, _, body = done.stdout.partition(b"\n")
    try:
        words: dict[str, Any] = json.loads(head)
    except ValueError:
        words = {"error": "its decoder broke off"}
    if "error" in words or done.returncode:
        printed = done.stderr.decode(errors="replace").strip().splitlines()
        libtiff = word != "floats" and printed and not printed[0].startswith(("Traceback", "  ", "/"))
        reason = printed[0][:160] if libtiff else words.get("error", "its decoder broke off")
        raise InputError(f"{name} cannot be read as a picture: {reason}", hint=_HINT)
    return words, body
