"""What a scan says of its patient, and whether a result says any of it: the proof that nothing leaks.

Everything textual in the headers counts as identifying but for a short list of technical words: names, numbers,
dates, places, UIDs, free text, private elements; and the names of the files and folders themselves (DICOM PS3.15, annex
E, lists what identifies; this takes more). A result is searched as bytes, with what is inside it unpacked: members of
archives, base64 in pages, compressed blocks. Codes (DICOM's CS) are words of a fixed list and name nobody.

Numbers of few digits are in every file by chance, as a place in a list or a length; so those of fewer than six are not
looked for, and the others neither among the vertices and faces of text formats nor as parts of longer numbers.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from unflat.errors import InputError, MissingExtraError
from unflat.formats.page_parts import viewer_pieces
from unflat.formats.story import sidecar_of
from unflat.formats.zip_faults import ZIP_FAULTS

LEAST = 4
"""Shorter values are found in everything by chance."""
_LONG = 8
"""Shorter words are looked for as whole words: "flat" is in "unflat"."""
LEAST_DIGITS = 6
"""The same for whole numbers."""
_MOST_FILES = 5000
_MOST_BYTES = 1 << 31
_MOST_INSIDE = 1 << 31
_TECHNICAL = frozenset(
    [
        "SOPClassUID",
        "MediaStorageSOPClassUID",
        "TransferSyntaxUID",
        "ImplementationClassUID",
        "ImplementationVersionName",
        "Manufacturer",
        "ManufacturerModelName",
        "ConvolutionKernel",
        "RescaleType",
        "ReferencedSOPClassUID",
        "CodeMeaning",
    ]
)
_TEXT = frozenset(
    ["AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT", "IS", "DS", "UN"]
)
_NUMBERS = frozenset(("IS", "DS"))
_PERSONAL_NUMBERS = frozenset(("PatientAge", "PatientWeight", "PatientSize"))
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


class Leak(NamedTuple):
    """A value of the scan that a result holds.

    Attributes:
        where: The part of the result.
        what: The element of the scan, by its name; never the value itself.
    """

    where: str
    what: str


def identity_of(scan: Path) -> dict[str, set[str]]:
    """Every identifying value of a scan, by the name of its element.

    Args:
        scan: What was turned into a model: a folder, a zip or a file.

    Raises:
        InputError: There is nothing there.
        MissingExtraError: The extra "volume" is not installed.
    """
    found: dict[str, set[str]] = {}
    files = sorted(one for one in scan.rglob("*") if one.is_file()) if scan.is_dir() else [scan]
    if not files or not scan.exists():
        raise InputError(f"there is nothing at {scan.name}", hint="Give the scan that the file was made of.")
    for name in {scan.name, *(part for file in files[:_MOST_FILES] for part in file.relative_to(scan.parent).parts)}:
        _add(found, "file and folder names", Path(name).stem)
    for file in files[:_MOST_FILES]:
        head = _head(file)
        if head[:4] == b"PK\x03\x04":
            _of_zip(file, found)
        else:
            _of_bytes(head, found)
    return found


def leaks_in(result: Path, known: dict[str, set[str]]) -> tuple[Leak, ...]:
    """Which identifying values a result holds, in itself and in the files beside it that belong to it.

    Raises:
        InputError: The result cannot be read, or unpacks to more than can be looked through.
    """
    found: set[Leak] = set()
    patterns = [(what, _pattern(value)) for what, values in known.items() for value in values]
    for where, data in everything_in(result):
        searched = _without_viewer(_without_geometry(data)).lower()
        found |= {Leak(where, what) for what, pattern in patterns if pattern.search(searched)}
    return tuple(sorted(found))


def everything_in(result: Path) -> Iterator[tuple[str, bytes]]:
    """All bytes of a result and of the files beside it, then what is packed inside them, named by where it is.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    beside = [sidecar_of(result), *(result.with_suffix(suffix) for suffix in (".mtl", ".bin"))]
    for file in [result, *(one for one in beside if one != result and one.is_file())]:
        try:
            if file.stat().st_size > _MOST_BYTES:
                raise InputError(f"{file.name} is larger than {_MOST_BYTES >> 20} MB")
            data = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file.name} cannot be read: {error.strerror or error}") from error
        yield file.name, data
        yield from _inside(file.name, data, _MOST_INSIDE)


def _inside(name: str, data: bytes, room: int) -> Iterator[tuple[str, bytes]]:
    """What is packed in bytes: members of a zip, base64, and what that unpacks to."""
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(member.file_size for member in archive.infolist()) > room:
                    raise InputError(f"{name} unpacks to more than {room >> 20} MB")
                for member in archive.infolist():
                    yield f"{name}: {member.filename}", archive.read(member)
        except ZIP_FAULTS as error:
            raise InputError(f"{name} is a damaged archive") from error
        return
    if b"<html" not in data[:4096].lower():
        return
    for number, block in enumerate(_BASE64.finditer(data), 1):
        try:
            plain = base64.b64decode(block.group() + b"=" * (-len(block.group()) % 4))
        except (binascii.Error, ValueError):
            continue
        yield f"{name}: block {number}", plain
        if plain[:2] == b"\x1f\x8b":
            whole = zlib.decompressobj(31).decompress(plain, room)
            yield f"{name}: block {number}, unpacked", whole


def _pattern(value: str) -> re.Pattern[bytes]:
    """A value in the encodings that files use, in small letters; short words and numbers only where they are whole."""
    small = value.lower()
    spelt = {small.encode("utf-8"), small.encode("utf-16-le"), small.encode("latin-1", "replace")}
    either = b"|".join(re.escape(one) for one in sorted(spelt))
    if value.replace(".", "").isdigit():
        return re.compile(rb"(?<![0-9a-z.])(?:" + either + rb")(?![0-9a-z.])")
    return re.compile(rb"(?<![0-9a-z])(?:" + either + rb")(?![0-9a-z])" if len(value) < _LONG else either)


def _without_geometry(data: bytes) -> bytes:
    """Text formats without their vertices and faces."""
    if b"<triangles>" in data:
        return re.sub(rb"<(?:vertex|triangle) [^>]*>", b"", data)
    if data[:9] == b"# unflat ":
        return re.sub(rb"(?m)^(?:v|vn|vt|f) .*$", b"", data)
    return data


def _without_viewer(data: bytes) -> bytes:
    """A page without the viewer in it, which is the same in all pages and whose words name nobody."""
    if b"<html" not in data[:4096].lower():
        return data
    for piece in viewer_pieces():
        data = data.replace(piece, b" ")
    return data


def _head(file: Path) -> bytes:
    """The file, or as much of it as a header needs; pixel data come last."""
    try:
        with file.open("rb") as opened:
            return opened.read(1 << 24)
    except OSError as error:
        raise InputError(f"a file of the scan cannot be read: {error.strerror or error}") from error


def _of_zip(file: Path, found: dict[str, set[str]]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist()[:_MOST_FILES]:
                if member.is_dir():
                    continue
                _add(found, "file and folder names", Path(member.filename).stem)
                with archive.open(member) as opened:
                    _of_bytes(opened.read(1 << 24), found)
    except ZIP_FAULTS as error:
        raise InputError("the scan's archive is damaged") from error


def _of_bytes(data: bytes, found: dict[str, set[str]]) -> None:
    """Values of a DICOM, NIfTI or NRRD header."""
    if data[128:132] == b"DICM":
        _of_dicom(data, found)
    elif data[:4] == b"NRRD":
        for line in data.split(b"\n\n", 1)[0].splitlines()[1:]:
            key, mark, value = line.decode("utf-8", "replace").partition(":=")
            if mark:
                _add(found, f"NRRD {key.strip()[:40]}", value)
    elif data[344:348] in (b"n+1\0", b"ni1\0"):
        for name, start, length in _NIFTI:
            _add(found, f"NIfTI {name}", data[start : start + length].split(b"\0")[0].decode("latin-1"))


_NIFTI = (("db_name", 14, 18), ("descrip", 148, 80), ("aux_file", 228, 24), ("intent_name", 328, 16))
"""Texts of the header: name, first byte, bytes."""


def _of_dicom(data: bytes, found: dict[str, set[str]]) -> None:
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("reading what a scan says of its patient", "volume") from error
    try:
        reader: Any = pydicom
        dataset: Any = reader.dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
        elements: list[Any] = [*getattr(dataset, "file_meta", ()), *dataset.iterall()]
        told = [(str(e.keyword or e.name or e.tag), str(e.VR), e.value) for e in elements if str(e.VR) in _TEXT]
    except Exception as error:
        raise InputError(f"a file of the scan is damaged: {type(error).__name__}") from error
    for name, kind, value in told:
        if name in _TECHNICAL or (kind in _NUMBERS and name not in _PERSONAL_NUMBERS):
            continue
        for one in _each(value):
            text = one.decode("latin-1") if isinstance(one, bytes) else str(one)
            _add(found, name, text)
            if kind == "PN":
                for part in re.split(r"[\^=\s,]+", text):
                    _add(found, name, part)


def _each(value: Any) -> list[Any]:
    """The values of an element that may have several."""
    several = type(value).__name__ in ("MultiValue", "list", "tuple")
    return list(value) if several else [value]


def _add(found: dict[str, set[str]], name: str, value: str) -> None:
    text = "".join(c for c in value if c.isprintable()).strip()
    least = LEAST_DIGITS if text.replace(".", "").isdigit() else LEAST
    if len(text) >= least and len(set(text)) > 1 and text.lower() not in _COMMON:
        found.setdefault(name, set()).add(text)


_COMMON = frozenset(
    [
        "none",
        "null",
        "true",
        "false",
        "image",
        "axial",
        "head",
        "chest",
        "scan",
        "volume",
        "labels",
        "files",
        "data",
        "series",
        "dicom",
    ]
)
