"""JPEG streams as cameras write them: an EXIF record first, and no JFIF header.

The readers of stereo cameras and televisions ask for that; most programs take either. Source: EXIF 2.32 (CIPA DC-008):
4.5.4 (what a record must state), 4.7.1 (the order of the segments), 4.4.4 (colour is stored 4:2:2 or 4:2:0).
"""

from __future__ import annotations

import io
import json

from PIL import Image as Pil

from unflat.errors import InputError, OutputError
from unflat.formats.exif import DESCRIPTION
from unflat.formats.ifd import HEADER, Tag, ascii_tag, bytes_tag, directory, long_tag, rational_tag, short_tag
from unflat.formats.jpeg import XMP
from unflat.formats.told_rights import XMP_KEY
from unflat.trust.privacy import travelling
from unflat.types.arrays import U8
from unflat.types.stereo import StereoPair

EXIF = b"Exif\0\0"
_APP1 = 0xE1
_LONGEST_SEGMENT = 65_533
_LONGEST_SIDE = 65_500
_FINE = 90
_DATE_TIME, _DATE_TAKEN, _ZONE, _ZONE_TAKEN, _EXIF_IFD = 0x0132, 0x9003, 0x9010, 0x9011, 0x8769


def exif_record(pair: StereoPair, text: dict[str, str] | None = None) -> bytes:
    r"""An EXIF record (beginning ``Exif\0\0``) of one view of a pair, upright.

    Author, copyright and time of the source travel, and nothing else of its metadata.

    Args:
        pair: The views.
        text: Provenance, key to text; it becomes the image description, as JSON.
    """
    inner: list[Tag] = [
        bytes_tag(0x9000, b"0232"),  # version
        bytes_tag(0x9101, b"\1\2\3\0"),  # Y, Cb, Cr
        bytes_tag(0xA000, b"0100"),  # FlashPix
        short_tag(0xA001, 1 if pair.profile is None else 0xFFFF),  # sRGB, or not
        long_tag(0xA002, pair.size.width),
        long_tag(0xA003, pair.size.height),
    ]
    outer: list[Tag] = [
        short_tag(0x0112, 1),  # upright
        rational_tag(0x011A, 72, 1),
        rational_tag(0x011B, 72, 1),
        short_tag(0x0128, 2),  # per inch
        short_tag(0x0213, 1),  # colour lies in the middle between pixels
        *(ascii_tag(number, words) for number, words in travelling(pair.source.rights).items()),
    ]
    own = {key: words for key, words in (text or {}).items() if key != XMP_KEY}
    if own:
        outer.append(ascii_tag(DESCRIPTION, json.dumps(own, ensure_ascii=True)))
    taken = pair.source.taken
    if taken is not None:
        outer.append(ascii_tag(_DATE_TIME, taken[:19]))
        inner.append(ascii_tag(_DATE_TAKEN, taken[:19]))
        if taken[20:]:
            inner += [ascii_tag(_ZONE, taken[20:]), ascii_tag(_ZONE_TAKEN, taken[20:])]
    start = len(HEADER)
    inner_at = start + len(directory([*outer, long_tag(_EXIF_IFD, 0)], start))
    first = directory([*outer, long_tag(_EXIF_IFD, inner_at)], start)
    return EXIF + HEADER + first + directory(inner, inner_at)


def told_segments(pair: StereoPair, text: dict[str, str] | None) -> bytes:
    """The segments that say what a view is and whose: the EXIF record, and the XMP packet where there is one."""
    packet = (text or {}).get(XMP_KEY)
    told = segment(_APP1, exif_record(pair, text))
    return told + segment(_APP1, XMP + packet.encode()) if packet else told


def segment(code: int, content: bytes) -> bytes:
    """A marker segment.

    Raises:
        OutputError: It is longer than a segment can be.
    """
    if len(content) > _LONGEST_SEGMENT:
        raise OutputError("the provenance is too long for a JPEG file", hint="Write a PNG, which has room for it.")
    return bytes((0xFF, code)) + (len(content) + 2).to_bytes(2, "big") + content


def coded_picture(pixels: U8, quality: int, profile: bytes | None = None) -> bytes:
    """A baseline JPEG stream without start marker and header; the profile of its colours comes first.

    Args:
        pixels: (h, w, 3) uint8.
        quality: 1..100; from 90 on colour has its full height (4:2:2), below it is halved both ways (4:2:0).
        profile: ICC profile of the colours; None for sRGB.

    Raises:
        InputError: The quality is none, or a side is longer than JPEG can say.
    """
    if not 1 <= quality <= 100:
        raise InputError(f"the quality must be between 1 and 100, not {quality}")
    if max(pixels.shape[:2]) > _LONGEST_SIDE:
        raise InputError(f"a JPEG can be {_LONGEST_SIDE} pixels long at most", hint="Make the picture smaller first.")
    buffer = io.BytesIO()
    sampling = 1 if quality >= _FINE else 2
    Pil.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=sampling, icc_profile=profile)
    stream = buffer.getvalue()
    at = 2
    while stream[at : at + 2] == b"\xff\xe0":  # JFIF
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return stream[at:]
