"""What a picture file says of its lens and its rights: EXIF, IPTC and XMP, read without trust.

Damage never fails the picture; it is noted. Only the allow-listed facts below are taken: nothing else of the
metadata is kept. Source: EXIF 2.32 (CIPA DC-008), IPTC IIM 4.2, ISO 16684-1.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field
from typing import Any, cast

from PIL import Image as Pil
from PIL import ImageFile, IptcImagePlugin

from unflat.formats.gpano import read_panorama
from unflat.formats.xmp_rights import rights_and_reserved
from unflat.trust.privacy import ARTIST, COPYRIGHT, private_things
from unflat.trust.reserved import in_words
from unflat.trust.stated import merged
from unflat.types.image import LensRecord, PanoramaRecord
from unflat.types.provenance import Reservation, Rights

DESCRIPTION = 0x010E
"""EXIF ImageDescription: where an output that has no text chunks carries its provenance."""
_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_FOCAL, _FOCAL_35MM, _DISTANCE, _ZOOM = 0x920A, 0xA405, 0x9206, 0xA404
_TAKEN, _TAKEN_ZONE, DATE_TIME = 0x9003, 0x9011, 0x0132
_MOMENTS = ((_TAKEN, _TAKEN_ZONE), (0x9004, 0x9012), (DATE_TIME, 0x9010))
"""Tags of a time and of its zone: taken, digitised, last changed."""
_MOMENT = re.compile(r"\d{4}:[01]\d:[0-3]\d [0-2]\d:[0-5]\d:[0-6]\d( [+-][01]\d:[0-5]\d)?")
_PLANE_X, _PLANE_UNIT, _PIXELS_X, _PIXELS_Y = 0xA20E, 0xA210, 0xA002, 0xA003
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_FURTHEST_M = 1e4
_CROPPED = 0.02
_BYLINE, _CREDIT, _IPTC_COPYRIGHT, _INSTRUCTIONS = (2, 80), (2, 110), (2, 116), (2, 40)
_PHOTOGRAPHER = 0xA437
"""New in EXIF 3.0."""

EXIF_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    Warning,
)
"""What Pillow raises on damaged metadata; a warning, where the program's filters make it an error."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was believed of a file's metadata.

    Attributes:
        lens: The lens record; does not depend on how the picture is turned.
        rights: Merged from all places.
        orientation: EXIF orientation, 1..8.
        notes: What was damaged or contradictory, in words.
        private: What is there that no output may carry, in words.
        panorama: What it says of looking around, or None.
        taken: When it was taken; see :class:`unflat.types.Source`.
        reserved: What it forbids.
    """

    lens: LensRecord = field(default_factory=LensRecord)
    rights: Rights = field(default_factory=Rights)
    orientation: int = 1
    notes: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    panorama: PanoramaRecord | None = None
    taken: str | None = None
    reserved: tuple[Reservation, ...] = ()


def load_exif(block: bytes) -> Pil.Exif:
    """The tags of a bare EXIF block; empty where it is damaged beyond reading."""
    exif = Pil.Exif()
    try:
        exif.load(block)
    except EXIF_FAULTS:
        return Pil.Exif()
    return exif


def exif_of(picture: Pil.Image) -> tuple[Pil.Exif, tuple[str, ...]]:
    """The EXIF tags of an open picture, and a note where they are damaged."""
    try:
        return picture.getexif(), ()
    except EXIF_FAULTS:
        return Pil.Exif(), ("its EXIF data is damaged and was ignored",)


def read_facts(
    exif: Pil.Exif, packet: bytes | str | None, iptc: dict[tuple[int, int], Any], size_px: tuple[int, int]
) -> Facts:
    """Read lens and rights.

    Args:
        exif: The tags of the main picture.
        packet: Its XMP, or None.
        iptc: Its IPTC record as (record, dataset) -> bytes or list of bytes.
        size_px: Width and height as stored, before any turning.
    """
    notes: list[str] = []
    try:
        inner = dict(exif.get_ifd(_EXIF_IFD))
        outer = dict(exif)
    except EXIF_FAULTS:
        inner, outer = {}, {}
        notes.append("its EXIF data is damaged and was ignored")
    lens, note = _lens(inner, size_px)
    notes += [note] if note else []
    rights, forbidden, note = rights_and_reserved(packet)
    notes += [note] if note else []
    panorama, heard = read_panorama(packet)
    notes += heard
    exif_rights = Rights(
        creator=_text(outer.get(ARTIST)) or _text(inner.get(_PHOTOGRAPHER)), copyright=_copyright(outer.get(COPYRIGHT))
    )
    iptc_rights = Rights(
        creator=_text(iptc.get(_BYLINE)) or _text(iptc.get(_CREDIT)), copyright=_text(iptc.get(_IPTC_COPYRIGHT))
    )
    words = {
        "EXIF copyright": exif_rights.copyright,
        "IPTC copyright": iptc_rights.copyright,
        "IPTC instructions": _text(iptc.get(_INSTRUCTIONS)),
    }
    told = [one for place, text in words.items() for one in in_words(text, place)]
    return Facts(
        lens,
        merged(exif_rights, rights, iptc_rights),
        _orientation(outer.get(_ORIENTATION)),
        tuple(notes),
        private_things([*outer, *inner]),
        panorama,
        _moment(outer | inner),
        tuple(dict.fromkeys((*forbidden, *told))),
    )


def read_iptc(picture: ImageFile.ImageFile) -> dict[tuple[int, int], Any]:
    """The IPTC record of an open picture; empty where there is none or it is damaged."""
    try:
        return dict(IptcImagePlugin.getiptcinfo(picture) or {})
    except EXIF_FAULTS:
        return {}


def packet_of(picture: Pil.Image) -> bytes | str | None:
    """The XMP packet of an open picture, wherever its format keeps it."""
    for key in ("xmp", "XML:com.adobe.xmp"):
        packet = picture.info.get(key)
        if isinstance(packet, (bytes, str)) and packet:
            return packet
    return None


def exif_block(texts: dict[int, str], taken: str | None = None) -> bytes:
    r"""An EXIF block (beginning ``Exif\0\0``) that holds these ASCII tags in UTF-8, and nothing else.

    Args:
        texts: Tag to text, from :func:`unflat.trust.privacy.travelling` and our own :data:`DESCRIPTION`.
        taken: When the picture was taken, as :class:`unflat.types.Source` has it.

    Returns:
        Empty bytes if there is nothing to say.
    """
    if not texts and taken is None:
        return b""
    if taken is None:
        outer = _directory(texts, 8)
    else:
        texts = texts | {DATE_TIME: taken[:19]}
        ends = 8 + len(_directory(texts, 8, 0))
        inner = {_TAKEN: taken[:19]} | ({_TAKEN_ZONE: taken[20:]} if taken[20:] else {})
        outer = _directory(texts, 8, ends) + _directory(inner, ends)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + outer


def _directory(texts: dict[int, str], at: int, inner: int | None = None) -> bytes:
    """A directory of ASCII tags that begins at the byte ``at``; ``inner`` is where a directory within it begins."""
    tags: dict[int, str | int] = dict(texts) | ({} if inner is None else {_EXIF_IFD: inner})
    entries, heap, head = b"", b"", at + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        if isinstance(value, int):
            entries += struct.pack("<HHII", tag, 4, 1, value)
            continue
        raw = value.encode() + b"\0"
        if len(raw) <= 4:
            entries += struct.pack("<HHI4s", tag, 2, len(raw), raw)
        else:
            entries += struct.pack("<HHII", tag, 2, len(raw), head + len(heap))
            heap += raw + b"\0" * (len(raw) % 2)
    return struct.pack("<H", len(tags)) + entries + b"\0" * 4 + heap


def _moment(tags: dict[int, Any]) -> str | None:
    """When the picture was taken, or else digitised, or else last changed, if that can be a time."""
    for taken, place in _MOMENTS:
        when, zone = ((_text(tags.get(tag)) or "").strip() for tag in (taken, place))
        for told in (f"{when} {zone}", when):
            if _MOMENT.fullmatch(told) and not told.startswith("0000"):
                return told
    return None


def orientation_of(exif: Pil.Exif) -> int:
    """How a picture is turned, 1..8; 1 where that is not said or damaged."""
    try:
        return _orientation(dict(exif).get(_ORIENTATION))
    except EXIF_FAULTS:
        return 1


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _number(value: object) -> float | None:
    """A finite number, or None: EXIF rationals may be 0/0, tuples or text."""
    if isinstance(value, (tuple, list)):
        value = value[0] if value else None  # pyright: ignore[reportUnknownVariableType]
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _positive(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _lens(inner: dict[int, Any], size_px: tuple[int, int]) -> tuple[LensRecord, str | None]:
    distance = _positive(inner.get(_DISTANCE))
    if distance is not None and distance > _FURTHEST_M:
        distance = None
    wide, high = _positive(inner.get(_PIXELS_X)), _positive(inner.get(_PIXELS_Y))
    if _cropped(wide, high, size_px) and (_positive(inner.get(_FOCAL_35MM)) or _positive(inner.get(_FOCAL))):
        note = "it was cropped after it was taken, so its EXIF focal length was not used"
        return LensRecord(subject_distance_m=distance), note
    pitch_unit = _UNIT_MM.get(int(_number(inner.get(_PLANE_UNIT)) or 2))
    per_unit = _positive(inner.get(_PLANE_X))
    sensor = None
    if pitch_unit and per_unit and wide:
        sensor = max(wide, high or wide) * pitch_unit / per_unit
        sensor = sensor if 1 <= sensor <= 100 else None
    return LensRecord(
        focal_35mm=_positive(inner.get(_FOCAL_35MM)),
        focal_mm=_positive(inner.get(_FOCAL)),
        sensor_width_mm=sensor,
        subject_distance_m=distance,
        digital_zoom=_positive(inner.get(_ZOOM)),
    ), None


def _cropped(wide: float | None, high: float | None, size_px: tuple[int, int]) -> bool:
    """True if the camera wrote a picture of another shape than the file holds, whichever way up."""
    if not wide or not high:
        return False
    wrote = max(wide, high) / min(wide, high)
    holds = max(size_px) / min(size_px)
    rounding = 1 / min(size_px)
    return abs(wrote / holds - 1) > _CROPPED + rounding


def _text(value: object) -> str | None:
    """Text of a tag: Pillow decodes as Latin-1 what most cameras and editors write as UTF-8."""
    if isinstance(value, list):
        parts = [text for v in cast(list[object], value) if (text := _text(v))]
        return "; ".join(parts) or None
    if isinstance(value, str):
        try:
            value = value.encode("latin-1")
        except UnicodeEncodeError:
            return str(value)
    if not isinstance(value, bytes):
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _copyright(value: object) -> str | None:
    """EXIF Copyright may hold two statements, photographer and editor, with a NUL between."""
    text = _text(value)
    return None if text is None else "; ".join(part.strip() for part in text.split("\0") if part.strip()) or None
