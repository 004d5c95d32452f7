"""HEIC pictures through pi-heif (libheif).

libheif turns them upright itself, by the ``irot`` and ``imir`` properties, which by ISO/IEC 23008-12 outrank the EXIF
orientation; so the EXIF orientation is never applied here.
"""

from __future__ import annotations

import io
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image as Pil

from unflat.errors import MissingExtraError
from unflat.formats.colour import Pixels, recoloured
from unflat.formats.decode import Decoded, check_size, foreign_faults
from unflat.formats.exif import load_exif, read_facts
from unflat.formats.isobmff import wrong_words

_SRGB_PRIMARIES = (1, 2)
_SDR_TRANSFERS = (1, 2, 6, 13, 14, 15)


def pi_heif() -> ModuleType:
    """The library, imported now.

    Raises:
        MissingExtraError: It is not installed (there is no wheel for Windows on ARM).
    """
    try:
        import pi_heif as library  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        missing = MissingExtraError("reading HEIC pictures", "pi-heif")
        missing.hint = "pip install pi-heif, or save the picture as JPEG."
        raise missing from error
    return library


def open_heic(data: bytes) -> tuple[Any, Any]:
    """The container and its primary picture, not yet decoded. Call it inside ``foreign_faults``.

    Raises:
        ValueError: A file that would crash pi-heif, or what pi-heif raises.
    """
    wrong = wrong_words(data)
    if wrong:
        raise ValueError(wrong)
    container = pi_heif().open_heif(io.BytesIO(data), convert_hdr_to_8bit=True, bgr_mode=False)
    return container, container[container.primary_index]


def heic_plane(picture: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """Decode one picture of a container: (h, w) or (h, w, c), the padding at the end of its rows cut off.

    It is a copy: what pi-heif 1.4 shows to numpy is memory that is given back with the picture.
    """
    return np.array(np.asarray(picture)[:, : picture.size[0]])


def decode_heic(data: bytes, name: str, max_pixels: int) -> Decoded:
    """Decode the primary picture, upright.

    Raises:
        InputError: Damaged or too large.
        MissingExtraError: pi-heif is not installed.
    """
    with foreign_faults(name):
        container, picture = open_heic(data)
        width, height = picture.size
        check_size(name, width, height, max_pixels)
        notes = [f"first of {len(container)} pictures"] if len(container) > 1 else []
        info = picture.info
        exif = load_exif(info.get("exif") or b"")
        facts = read_facts(exif, info.get("xmp"), {}, (width, height))
        notes += _wide_colours(info.get("nclx_profile") if not info.get("icc_profile") else None)
        pixels = _pixels(heic_plane(picture), picture.mode, info.get("icc_profile") or None)
        check_size(name, pixels.rgb.shape[1], pixels.rgb.shape[0], max_pixels)
    upright = replace(facts, orientation=1)
    return Decoded(pixels, upright, tuple(dict.fromkeys([*notes, *facts.notes, *pixels.notes])))


def _pixels(plane: np.ndarray[Any, np.dtype[Any]], mode: str, profile: bytes | None) -> Pixels:
    alpha = None
    if mode in ("RGBa", "La"):
        plane = np.asarray(Pil.fromarray(plane, mode).convert(mode.upper()))
    if plane.ndim == 3 and plane.shape[2] in (2, 4):
        alpha = np.ascontiguousarray(plane[..., -1])
        plane = plane[..., :-1]
        alpha = None if int(alpha.min()) == 255 else alpha
    if plane.ndim == 2 or plane.shape[2] == 1:
        plane = np.repeat(plane.reshape(*plane.shape[:2], 1), 3, axis=2)
    rgb, note, converted = recoloured(np.ascontiguousarray(plane, dtype=np.uint8), profile)
    return Pixels(rgb, alpha, converted, (note,) if note else ())


def _wide_colours(nclx: dict[str, Any] | None) -> list[str]:
    """A note where colours are coded beyond sRGB by numbers (nclx) instead of a profile; they are not converted."""
    if not nclx:
        return []
    primaries, transfer = nclx.get("color_primaries", 1), nclx.get("transfer_characteristics", 13)
    if int(primaries) in _SRGB_PRIMARIES and int(transfer) in _SDR_TRANSFERS:
        return []
    return ["its colours are coded beyond sRGB (wide gamut or HDR) and were taken as sRGB"]
