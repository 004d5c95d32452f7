"""Every kind of pixel a file may hold, to sRGB of 8 bits a channel, a band of rows at a time.

Bands keep the memory at the result plus what the decoder holds.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from PIL import Image as Pil
from PIL import ImageCms

from unflat.types.arrays import F32, U8

_BAND_PIXELS = 2**20
_ALPHA_MODES = {"LA", "RGBA", "PA", "La", "RGBa"}
_WIDE_MODES = {"I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
_PROFILE_FAULTS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Pixels:
    """A decoded picture.

    Attributes:
        rgb: (h, w, 3) uint8 sRGB.
        alpha: (h, w) uint8, or None where all of it is opaque.
        converted: True if the numbers are not those of the file (colour profile, CMYK, 16 bit …).
        notes: What had to be decided.
    """

    rgb: U8
    alpha: U8 | None
    converted: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToSrgb:
    """How to turn bands of one picture into sRGB.

    Attributes:
        mode: The Pillow mode a band is brought into first.
        transform: From that mode to RGB by the embedded profile; None where it changes nothing.
        note: What had to be decided, or None.
    """

    mode: str
    transform: ImageCms.ImageCmsTransform | None = None
    note: str | None = None

    @property
    def changes(self) -> bool:
        """True if colours become different numbers."""
        return self.transform is not None or self.mode == "CMYK"

    def __call__(self, band: Pil.Image) -> U8:
        """A band without alpha -> (rows, w, 3) uint8."""
        if band.mode != self.mode:
            band = band.convert(self.mode)
        if self.transform is not None:
            turned = ImageCms.applyTransform(band, self.transform)
            band = band if turned is None else turned
        return np.asarray(band if band.mode == "RGB" else band.convert("RGB"))


def srgb_from(mode: str, profile: bytes | None) -> ToSrgb:
    """The way from pixels of ``mode`` with an embedded ICC ``profile`` (or none) to sRGB.

    Relative colorimetric intent with black point compensation. A profile that is damaged or belongs to another
    kind of picture is ignored and noted; one that moves no 8-bit colour by more than one step is sRGB already.
    CMYK without a usable profile is turned by R = 255 − min(255, C + K), which is the plain ink model.
    """
    base = {"CMYK": "CMYK", "LAB": "LAB", "L": "L", "1": "L", "LA": "L", "La": "L"}.get(mode, "RGB")
    if base == "LAB":
        return ToSrgb("LAB", _transform(known_profile("LAB"), "LAB"), "turned from CIE L*a*b*")
    plain_note = "CMYK without a colour profile: colours are approximate" if base == "CMYK" else None
    plain = ToSrgb(base, None, plain_note)
    if not profile:
        return plain
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = ImageCms.core.profile_frombytes(profile).xcolor_space.strip()
        wanted = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK", "Lab": "LAB"}.get(space)
        if wanted == "RGB" and base == "L":
            base = "RGB"
        if wanted != base:
            return ToSrgb(base, None, _joined(plain_note, "its colour profile is for another kind of picture; ignored"))
        transform = _transform(opened, base)
        return ToSrgb(base, None if _does_nothing(transform, base) else transform)
    except _PROFILE_FAULTS:
        return ToSrgb(base, None, _joined(plain_note, "its colour profile is damaged and was ignored"))


def _joined(*notes: str | None) -> str:
    return "; ".join(note for note in notes if note)


def known_profile(name: Literal["sRGB", "LAB"]) -> ImageCms.ImageCmsProfile:
    """A profile that LittleCMS makes by itself."""
    made = cast(Any, ImageCms.createProfile(name))  # pyright: ignore[reportUnknownMemberType]  (typed in part)
    return ImageCms.ImageCmsProfile(made)


def _transform(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.ImageCmsTransform(
        profile,
        known_profile("sRGB"),
        mode,
        "RGB",
        intent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _does_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """True if no colour of a grid moves by more than one step."""
    if mode not in ("L", "RGB"):
        return False
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    if mode == "L":
        grid = np.arange(256, dtype=np.uint8)[None]
        want = np.repeat(grid[..., None], 3, axis=2)
    else:
        grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
        want = grid
    turned = ImageCms.applyTransform(Pil.fromarray(grid), transform)
    return turned is not None and int(np.abs(np.asarray(turned).astype(np.int16) - want).max()) <= 1


def pixels_of(picture: Pil.Image, profile: bytes | None) -> Pixels:
    """Turn a loaded Pillow picture of any mode into sRGB.

    16-bit grey is scaled by 255/65535. 32-bit integers beyond 16 bits and floating values beyond 0..1 are stretched
    from their least to their largest and noted; floating values within 0..1 are taken as display values.
    """
    if picture.mode in _WIDE_MODES:
        return _wide_pixels(picture, profile)
    has_alpha = picture.mode in _ALPHA_MODES or "transparency" in picture.info
    colour_mode = "RGB" if picture.mode in ("P", "PA") else picture.mode
    way = srgb_from(colour_mode, profile)
    width, height = picture.size
    rgb = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if has_alpha else None
    for top, bottom in _bands(width, height):
        band = picture.crop((0, top, width, bottom))
        if alpha is not None:
            band, mask = _without_alpha(band, way.mode)
            alpha[top:bottom] = mask
        rgb[top:bottom] = way(band)
    if alpha is not None and int(alpha.min()) == 255:
        alpha = None
    return Pixels(rgb, alpha, way.changes, (way.note,) if way.note else ())


def _bands(width: int, height: int) -> list[tuple[int, int]]:
    rows = max(1, _BAND_PIXELS // width)
    return [(top, min(height, top + rows)) for top in range(0, height, rows)]


def _without_alpha(band: Pil.Image, mode: str) -> tuple[Pil.Image, U8]:
    """Split a band into colour and straight alpha."""
    if band.mode == "La":
        band = band.convert("LA")
    grey = band.mode == "LA" and mode == "L"
    if not grey:
        band = band.convert("RGBA")
    *colours, alpha = band.split()
    return (colours[0] if grey else Pil.merge("RGB", colours)), np.asarray(alpha)


def recoloured(rgb: U8, profile: bytes | None) -> tuple[U8, str | None, bool]:
    """Bring (h, w, 3) uint8 of an embedded profile to sRGB; says what was decided and whether colours changed."""
    way = srgb_from("RGB", profile)
    if way.transform is None:
        return rgb, way.note, False
    out = np.empty_like(rgb)
    for top, bottom in _bands(rgb.shape[1], rgb.shape[0]):
        out[top:bottom] = way(Pil.fromarray(rgb[top:bottom]))
    return out, way.note, True


def _wide_pixels(picture: Pil.Image, profile: bytes | None) -> Pixels:
    """Grey of more than 8 bits."""
    scale, note = _wide_scale(picture)
    way = srgb_from("L", profile)
    width, height = picture.size
    rgb = np.empty((height, width, 3), np.uint8)
    for top, bottom in _bands(width, height):
        band = np.asarray(picture.crop((0, top, width, bottom)))
        rgb[top:bottom] = way(Pil.fromarray(scale(band.astype(np.float32))))
    notes = tuple(n for n in (note, way.note) if n)
    return Pixels(rgb, None, True, notes)


def _wide_scale(picture: Pil.Image) -> tuple[Callable[[F32], U8], str | None]:
    low, high, note = 0.0, 65535.0, None
    if picture.mode in ("I", "F"):
        values = np.asarray(picture)
        finite = values[np.isfinite(values)] if picture.mode == "F" else values
        least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        low, high = 0.0, 1.0 if picture.mode == "F" else 65535.0
        if least < low or most > high:
            low, high = least, most
            note = f"its grey values {least:g}..{most:g} were stretched to black..white"
    span = max(high - low, 1e-30)

    def scale(band: F32) -> U8:
        with np.errstate(over="ignore"):
            unit = (np.nan_to_num(band, nan=low, posinf=high, neginf=low) - np.float32(low)) / np.float32(span)
        return (np.clip(unit, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)

    return scale, note
