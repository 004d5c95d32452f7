"""VR180 photos (``.vr.jpg``): the left eye's half sphere as a JPEG picture that carries the right eye's in its XMP.

Any program shows the left eye. What a headset needs stands in two XMP packets: the ordinary one says which part of a
sphere the picture is (GPano) and that there is a second picture (GImage), the extended one, cut into segments and named
by its MD5 sum, holds that picture in base64. All properties are attributes of a single description, for Google Photos
shows the left eye twice where they are not (imrivera/google-photos-vr180-test); to XMP it makes no difference.

Source: Google's "Cardboard Camera VR photo format"; XMP specification part 3, 1.1.3.1 (extended XMP in JPEG).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unflat.errors import InputError
from unflat.formats import xmp
from unflat.formats.atomic import replacing
from unflat.formats.exif_jpeg import coded_picture, exif_record, segment
from unflat.formats.gpano import GPANO, read_panorama
from unflat.formats.jpeg import EXTENDED_XMP, XMP, JpegStream
from unflat.formats.mpo import frame_size
from unflat.formats.told_rights import XMP_KEY, description_in
from unflat.types.image import Size
from unflat.types.stereo import StereoPair

SUFFIX: Final = ".vr.jpg"
"""What names of VR photos end in: some galleries go by it."""
GIMAGE = "http://ns.google.com/photos/1.0/image/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_APP1 = 0xE1
_CHUNK = 65_400
_DAMAGED = "its right eye (GImage) is damaged or cut short"


@dataclass(frozen=True, slots=True)
class VrPhoto:
    """Two eyes in one JPEG file.

    Attributes:
        left: Size of the picture itself.
        right: Size of the picture in its XMP.
        across_deg: Angle across the picture; None where the file does not say.
        jpeg: The stream of the right eye.
    """

    left: Size | None
    right: Size | None
    across_deg: float | None
    jpeg: bytes


def write(
    pair: StereoPair,
    path: Path,
    *,
    force: bool = False,
    quality: int = 92,
    text: dict[str, str] | None = None,
) -> None:
    """Write two half spheres into a VR180 photo.

    Author, copyright, time and colour profile of the source travel, and nothing else of its metadata.

    Args:
        pair: The half sphere before each eye: columns even in longitude over 180 degrees, rows as far apart as columns
            and centred on the horizon (:class:`unflat.geometry.half_sphere.HalfSphere` gives a square).
        path: Where to; the name should end in :data:`SUFFIX`.
        force: Replace a file that exists.
        quality: 1..100, of each picture.
        text: Provenance, key to text: the EXIF image description, as JSON.

    Raises:
        InputError: The pictures are higher than half a sphere, too large for JPEG, or the quality is none.
        OutputError: The place cannot be written, or the provenance is too long.
    """
    with replacing(path, force=force) as (draft,):
        draft.write_bytes(encoded(pair, quality, text))


def encoded(pair: StereoPair, quality: int = 92, text: dict[str, str] | None = None) -> bytes:
    """The bytes of a VR180 photo; see :func:`write`."""
    if pair.size.height > pair.size.width:
        raise InputError(f"{pair.size} is no half sphere: it is higher than wide", hint="Half spheres are square.")
    right = b"\xff\xd8" + coded_picture(pair.right, quality, pair.profile)
    extended = _packet({"GImage": GIMAGE}, {"GImage:Data": base64.b64encode(right).decode()}).encode()
    guid = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper()
    parts = [b"\xff\xd8", segment(_APP1, exif_record(pair, text))]
    parts.append(segment(_APP1, XMP + _main_packet(pair.size, guid, description_in((text or {}).get(XMP_KEY)))))
    for at in range(0, len(extended), _CHUNK):
        place = len(extended).to_bytes(4, "big") + at.to_bytes(4, "big")
        parts.append(segment(_APP1, EXTENDED_XMP + guid.encode() + place + extended[at : at + _CHUNK]))
    parts.append(coded_picture(pair.left, quality, pair.profile))
    return b"".join(parts)


def _main_packet(size: Size, guid: str, told: str) -> bytes:
    """The packet of the panorama; ``told`` is a description that stands in it, too."""
    whole = Size(2 * size.width, size.width)
    said = {
        "GPano:UsePanoramaViewer": "True",
        "GPano:ProjectionType": "equirectangular",
        "GPano:CroppedAreaImageWidthPixels": str(size.width),
        "GPano:CroppedAreaImageHeightPixels": str(size.height),
        "GPano:FullPanoWidthPixels": str(whole.width),
        "GPano:FullPanoHeightPixels": str(whole.height),
        "GPano:CroppedAreaLeftPixels": str((whole.width - size.width) // 2),
        "GPano:CroppedAreaTopPixels": str((whole.height - size.height) // 2),
        "GImage:Mime": "image/jpeg",
        "xmpNote:HasExtendedXMP": guid,
    }
    packet = _packet({"GPano": GPANO, "GImage": GIMAGE, "xmpNote": _NOTE}, said, told)
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{packet}<?xpacket end="r"?>'.encode()


def _packet(spaces: dict[str, str], said: dict[str, str], told: str = "") -> str:
    """One description whose properties are attributes; values of letters, digits and base64 need no escapes."""
    names = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    values = "".join(f' {name}="{value}"' for name, value in said.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{names}{values}/>{told}</rdf:RDF></x:xmpmeta>'
    )


def read_vr_photo(data: bytes) -> VrPhoto | None:
    """The two eyes of a VR photo, the right one not decoded; None for other JPEG files.

    Panoramas of Cardboard Camera, which look all around, are VR photos, too: see ``across_deg``. A picture in the XMP
    of a file that is no panorama (phones kept the sharp original there) is no second eye.

    Raises:
        InputError: It says that it has a right eye, but that is incomplete or no JPEG picture.
    """
    stream = JpegStream.parse(data)
    main, extended = stream.xmp() if stream is not None else (None, None)
    panorama, _ = read_panorama(main)
    if main is None or panorama is None or panorama.projection != "equirectangular":
        return None
    said = _properties(main) | (_properties(extended) if extended is not None else {})
    if said.get("Mime") != "image/jpeg" and "Data" not in said:
        return None
    try:
        right = base64.b64decode("".join(said.get("Data", "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(_DAMAGED, hint="Copy the file again.") from error
    size = frame_size(right)
    if size is None:
        raise InputError(_DAMAGED, hint="Copy the file again; programs that edit a picture often cut it off.")
    full, area = panorama.full, panorama.area
    across = 360 * area[2] / full[0] if full is not None and area is not None else None
    return VrPhoto(frame_size(data), size, across, right)


def _properties(packet: bytes) -> dict[str, str]:
    try:
        return xmp.properties(xmp.parse(packet), GIMAGE)
    except xmp.XmpError:
        return {}
