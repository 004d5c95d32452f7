"""RAW photographs, developed by LibRaw through rawpy (an extra)."""

from __future__ import annotations

import io
from dataclasses import replace
from types import ModuleType

import numpy as np

from unflat.errors import InputError, MissingExtraError
from unflat.formats.colour import Pixels
from unflat.formats.decode import Decoded, check_size, foreign_faults
from unflat.formats.exif import Facts, load_exif, read_facts

_XMP = 0x02BC
_TIFF_STARTS = (b"II*\0", b"MM\0*")


def rawpy() -> ModuleType:
    """The library, imported now.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import rawpy as library  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingExtraError("reading RAW photographs", "raw") from error
    return library


def decode_raw(data: bytes, name: str, max_pixels: int) -> Decoded:
    """Develop with the camera's white balance to 8-bit sRGB, upright (LibRaw turns it).

    Raises:
        InputError: Damaged, of an unknown camera, or too large.
        MissingExtraError: rawpy is not installed.
    """
    library = rawpy()
    try:
        with foreign_faults(name), library.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
            check_size(name, sizes.width, sizes.height, max_pixels)
            rgb = np.ascontiguousarray(raw.postprocess(use_camera_wb=True, output_bps=8), dtype=np.uint8)
            stored = (sizes.width, sizes.height)
    except library.LibRawError as error:
        raise InputError(f"{name} cannot be developed: {error}", hint="Develop it in your camera's program.") from error
    facts = _facts(data, stored)
    return Decoded(Pixels(rgb, None, True, ()), facts, ("developed from RAW", *facts.notes))


def _facts(data: bytes, stored: tuple[int, int]) -> Facts:
    """Lens and rights, where the RAW file is TIFF inside."""
    if not data.startswith(_TIFF_STARTS):
        return Facts()
    exif = load_exif(data)
    packet = exif.get(_XMP)
    facts = read_facts(exif, packet if isinstance(packet, bytes) else None, {}, stored)
    return replace(facts, orientation=1)
