"""What a file is, by its content; its name is only compared."""

from __future__ import annotations

from pathlib import Path

_RAW_SUFFIXES = (
    *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".crw", ".arw", ".srf", ".sr2", ".raf"),
    *(".rw2", ".orf", ".pef", ".srw", ".rwl", ".3fr", ".iiq", ".erf", ".mrw", ".x3f"),
)

SUFFIXES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WebP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif", ".avifs", ".avci"),
    "HEIC": (".heic", ".heif", ".hif", ".heics", ".heifs"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "PNM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "RAW": _RAW_SUFFIXES,
}
"""Kinds of picture that are read, and the suffixes they usually have."""

_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop document"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"glTF", "a 3D model"),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM film"),
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_STARTS = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WebP"),
    (0, b"BM", "BMP"),
)
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM")


def kind_of(head: bytes, suffix: str) -> str | None:
    """The kind of picture that a file begins as, or None.

    RAW photographs that are TIFF inside tell themselves by their suffix (in lower case, with the dot) or, for DNG
    and CR2, by a mark near the start.

    Args:
        head: The first bytes, 64 or more where the file has them.
        suffix: Of the file's name.
    """
    if head.startswith(_RAW_STARTS) or (head[4:8] == b"ftyp" and head[8:12] == b"crx "):
        return "RAW"
    if head.startswith(_TIFF_STARTS):
        return "RAW" if suffix in SUFFIXES["RAW"] or head[8:10] == b"CR" else "TIFF"
    if head[4:8] == b"ftyp":
        return _iso_kind(head)
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PNM"
    return next((kind for at, start, kind in _STARTS if head[at:].startswith(start)), None)


def _iso_kind(head: bytes) -> str | None:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12]] + [head[i : i + 4] for i in range(16, size - 3, 4)]
    if any(brand in (b"avif", b"avis") for brand in brands):
        return "AVIF"
    return "HEIC" if any(brand in _HEIC_BRANDS or brand in (b"mif1", b"msf1") for brand in brands) else None


def stranger(head: bytes) -> str | None:
    """What a file is that is no picture to us, in words, where its start tells."""
    if head[4:8] == b"ftyp":
        return "a film"
    return next((words for start, words in _STRANGERS if head.lstrip().startswith(start)), None)


def misnamed(path: Path, kind: str) -> str | None:
    """A note where the suffix promises another kind, else None."""
    suffix = path.suffix.lower()
    if not suffix or suffix in SUFFIXES[kind]:
        return None
    return f"named {path.suffix}, but is {kind}"
