"""A picture in the colours of its own profile: what is only moved about need not be squeezed into sRGB.

Phones photograph in Display P3, cameras in Adobe RGB. Depth is seen in sRGB like all else, but the two views of a
stereo picture are made of the photograph's own numbers and carry its profile, so that no colour is lost on the way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unflat.formats.colour import srgb_from
from unflat.formats.decode import foreign_faults, opened, turned
from unflat.formats.exif import exif_of, orientation_of
from unflat.formats.heic import heic_plane, open_heic
from unflat.formats.icc import impersonal
from unflat.formats.image import read_bytes
from unflat.formats.sniff import kind_of
from unflat.types.arrays import U8

_HEAD = 256
_LONGEST = 60_000
"""A profile of more bytes (a printer's) is not carried: some formats have no room for it."""


def own_colours(path: Path) -> tuple[U8, bytes] | None:
    """The pixels of a picture file, upright, in its own RGB profile.

    Args:
        path: A file that was read before; what it declares was judged then.

    Returns:
        (h, w, 3) uint8 and the ICC profile, which names nobody (:mod:`~unflat.formats.icc`); None where they are sRGB
        anyway, or no 8-bit RGB with a usable profile.

    Raises:
        InputError: It cannot be read any more.
    """
    data = read_bytes(path)
    kind = kind_of(data[:_HEAD], path.suffix.lower())
    if kind not in ("JPEG", "PNG", "WebP", "TIFF", "AVIF", "HEIC"):
        return None
    with foreign_faults(path.name):
        if kind == "HEIC":
            _, picture = open_heic(data)
            profile = _worth(picture.info.get("icc_profile"), picture.mode)
            plane = None if profile is None else heic_plane(picture)
        else:
            picture = opened(data, kind)
            profile = _worth(picture.info.get("icc_profile"), picture.mode)
            plane = None if profile is None else turned(np.asarray(picture), orientation_of(exif_of(picture)[0]))
    if profile is None or plane is None:
        return None
    return np.ascontiguousarray(plane[..., :3], np.uint8), profile


def _worth(profile: object, mode: str) -> bytes | None:
    """The profile without what it says of machines and people, where pixels of that mode are RGB in it and not sRGB."""
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _LONGEST or mode not in ("RGB", "RGBA"):
        return None
    clean, way = impersonal(profile), srgb_from("RGB", profile)
    return clean if way.mode == "RGB" and way.transform is not None else None
