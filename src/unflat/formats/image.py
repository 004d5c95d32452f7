"""Pictures in and out: any still picture to upright sRGB, and back to a file that tells no secrets."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

from PIL import Image as Pil
from PIL import PngImagePlugin, TiffImagePlugin

from unflat.errors import InputError, OutputError
from unflat.formats.atomic import replacing, translated
from unflat.formats.c2pa_read import doubts, with_credentials
from unflat.formats.decode import DECODE_FAULTS, decode
from unflat.formats.exif import DATE_TIME, DESCRIPTION, exif_block
from unflat.formats.heic import decode_heic
from unflat.formats.jpeg import with_exif
from unflat.formats.raw import decode_raw
from unflat.formats.reserved import with_sidecars
from unflat.formats.sniff import SUFFIXES, kind_of, misnamed, stranger
from unflat.formats.told_rights import XMP_KEY
from unflat.trust.privacy import travelling
from unflat.types.image import Image
from unflat.types.provenance import Source

_LARGEST_FILE = 4 * 2**30
_HEAD = 256
_WRITES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
}
_LONGEST_EXIF = 60_000
_BYTE, _ASCII, _XMP = 1, 2, 0x02BC
_TURNED = "its EXIF turns it, so what it says of its panorama (GPano) was ignored"


def read_bytes(path: Path, *, limit: int = _LARGEST_FILE) -> bytes:
    """All bytes of an ordinary file.

    Raises:
        InputError: Missing, a folder, a device, empty, unreadable, or larger than ``limit`` bytes.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder", hint="Name one file in it.")
    if not path.exists():
        raise InputError(f"{path} does not exist", hint="Check the name and the folder.")
    if not path.is_file():
        raise InputError(f"{path} is not an ordinary file")
    try:
        size = path.stat().st_size
        if size > limit:
            raise InputError(f"{path.name} has {size} bytes, more than the {limit} allowed", hint="Make it smaller.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}", hint="Check its permissions.") from error
    if not data:
        raise InputError(f"{path.name} is empty", hint="Copy the file again; nothing arrived.")
    return data


def read_image(path: Path, *, max_pixels: int = 400_000_000, top: Path | None = None) -> Image:
    """Read a picture: upright, sRGB, 8 bits, alpha kept where not all of it is opaque.

    The content decides the format; a suffix that says otherwise is noted. Reads JPEG, MPO, PNG, WebP, TIFF, AVIF,
    HEIC, GIF, BMP, PNM, and RAW with the extra ``raw``. Of several frames the first one is read, and noted.

    Args:
        path: The file.
        max_pixels: More than this is refused by the declared size, before anything is decoded.
        top: The folder that was given, where the file lies in it: what stands there counts for it, too.

    Raises:
        InputError: No such file, not a picture, damaged, or too large.
        MissingExtraError: The library for HEIC or RAW is not installed.
        MemoryLimitError: It does not fit in memory.
    """
    path = Path(path)
    data = read_bytes(path)
    kind = kind_of(data[:_HEAD], path.suffix.lower())
    if kind is None:
        found = stranger(data[:_HEAD])
        raise InputError(
            f"{path.name} is {found}, not a picture" if found else f"{path.name} is not a picture that can be read",
            hint=f"Pictures that are read: {' '.join(k for k in SUFFIXES)}.",
        )
    special = {"HEIC": decode_heic, "RAW": decode_raw}
    decoded = (
        special[kind](data, path.name, max_pixels) if kind in special else decode(data, kind, path.name, max_pixels)
    )
    wrong_name, upright = misnamed(path, kind), decoded.facts.orientation == 1
    turned = () if upright or decoded.facts.panorama is None else (_TURNED,)
    digest, facts = hashlib.sha256(data).hexdigest(), decoded.facts
    said = Source(path.name, digest, kind.lower(), facts.rights, facts.taken, facts.reserved)
    said = with_credentials(said, path, data)
    source, beside = with_sidecars(said, path, top)
    return Image(
        pixels=decoded.pixels.rgb,
        alpha=decoded.pixels.alpha,
        source=source,
        lens=decoded.facts.lens,
        panorama=decoded.facts.panorama if upright else None,
        private=decoded.facts.private,
        notes=(*([wrong_name] if wrong_name else []), *decoded.notes, *turned, *doubts(said), *beside),
        jpeg=decoded.jpeg,
    )


def write_image(
    image: Image, path: Path, *, force: bool = False, quality: int = 92, text: dict[str, str] | None = None
) -> None:
    """Write a still picture; the suffix chooses PNG, JPEG, WebP, TIFF or AVIF.

    Author and copyright of the source are written to EXIF, and nothing else of the source's metadata. A JPEG whose
    pixels were never changed is copied without loss.

    Args:
        image: What to write. JPEG has no alpha: it is laid on white.
        path: Where to.
        force: Replace a file that exists.
        quality: 1..100, for JPEG (encoded anew), WebP and AVIF; PNG and TIFF lose nothing.
        text: Provenance, key to text: PNG text chunks; elsewhere, as JSON, the EXIF image description.

    Raises:
        InputError: The suffix is not one of these, or the picture is too large for the format.
        OutputError: The place cannot be written.
    """
    row = check_suffix(path)
    if not 1 <= quality <= 100:
        raise InputError(f"the quality must be between 1 and 100, not {quality}")
    with replacing(path, force=force) as (draft,):
        data = encoded(image, row, quality, text or {})
        try:
            draft.write_bytes(data)
        except OSError as error:
            raise translated(error, path) from error


def check_suffix(path: Path) -> str:
    """The name of the format that the suffix of a picture stands for.

    Raises:
        InputError: It stands for none.
    """
    row = _WRITES.get(path.suffix.lower())
    if row is None:
        raise InputError(f"no still picture format for {path.name}", hint=f"Known suffixes: {' '.join(_WRITES)}")
    return row


def encoded(
    image: Image,
    row: str,
    quality: int = 92,
    text: dict[str, str] | None = None,
    *,
    fine: bool = False,
    dated: bool = False,
    profile: bytes | None = None,
) -> bytes:
    """The bytes of a picture file; see :func:`write_image`.

    Args:
        image: What to write.
        row: PNG, JPEG, WEBP, TIFF or AVIF.
        quality: 1..100.
        text: Provenance, key to text; under :data:`unflat.formats.told_rights.XMP_KEY` an XMP packet.
        fine: Colours keep their full resolution, whatever the quality (JPEG and AVIF 4:4:4; a WebP without loss).
        dated: It shows the scene of its source at the same time, and says when that was.
        profile: ICC profile that the pixels are of; None is sRGB.
    """
    text = text or {}
    packet = text.get(XMP_KEY, "").encode()
    own = {key: words for key, words in text.items() if key != XMP_KEY}
    described = json.dumps(own, ensure_ascii=True) if own and row != "PNG" else None
    tags = travelling(image.source.rights) | ({DESCRIPTION: described} if described else {})
    taken = image.source.taken if dated else None
    exif = exif_block(tags, taken)
    if len(exif) > _LONGEST_EXIF:
        raise OutputError(f"the provenance is too long for a {row} file", hint="Write a PNG, which has room for it.")
    if row == "JPEG" and image.jpeg is not None:
        return with_exif(image.jpeg, exif, packet)
    picture, options = _flat(image, row), _options(row, quality, fine=fine)
    if row == "PNG":
        options["pnginfo"] = _png_text(text)
    elif packet and row != "TIFF":
        options["xmp"] = packet
    if row == "TIFF":
        options["tiffinfo"] = _tiff_tags(tags | ({DATE_TIME: taken[:19]} if taken else {}), packet)
    elif exif:
        options["exif"] = exif
    if profile is not None:
        options["icc_profile"] = profile
    buffer = io.BytesIO()
    try:
        picture.save(buffer, row, **options)
    except DECODE_FAULTS as error:
        raise InputError(
            f"a picture of {image.size} cannot be written as {row}: {error}", hint="Choose another format."
        ) from error
    return buffer.getvalue()


def _flat(image: Image, row: str) -> Pil.Image:
    picture = Pil.fromarray(image.pixels)
    if image.alpha is None:
        return picture
    alpha = Pil.fromarray(image.alpha)
    if row == "JPEG":
        white = Pil.new("RGB", picture.size, "white")
        white.paste(picture, mask=alpha)
        return white
    picture.putalpha(alpha)
    return picture


def _options(row: str, quality: int, *, fine: bool) -> dict[str, object]:
    rows: dict[str, dict[str, object]] = {
        "PNG": {"compress_level": 4},
        "JPEG": {"quality": quality, "subsampling": 0 if fine or quality >= 90 else 2, "optimize": False},
        "WEBP": {"quality": quality, "method": 4, "exact": True, "lossless": fine},
        "TIFF": {"compression": "tiff_adobe_deflate"},
        "AVIF": {"quality": quality, "speed": 8, "subsampling": "4:4:4" if fine else "4:2:0"},
    }
    return rows[row]


def _tiff_tags(tags: dict[int, str], packet: bytes) -> TiffImagePlugin.ImageFileDirectory_v2:
    """ASCII tags in UTF-8 (handed over as text, Pillow would write question marks), and an XMP packet."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, text in tags.items():
        directory.tagtype[tag] = _ASCII
        directory[tag] = text.encode() + b"\0"
    if packet:
        directory.tagtype[_XMP] = _BYTE
        directory[_XMP] = packet
    return directory


def _png_text(text: dict[str, str]) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        info.add_itxt(key[:79], value)
    return info
