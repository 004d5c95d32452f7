"""What a scan says of its patient: in the headers of its files, and in what they are called.

Everything textual counts as identifying but for a short list of technical words: names, numbers, dates, places, UIDs,
free text, private elements; and the names of the files and folders themselves (DICOM PS3.15, annex E, lists what
identifies; this takes more). Codes (DICOM's CS) are words of a fixed list and name nobody.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from unflat.errors import InputError, MissingExtraError
from unflat.formats import metaimage
from unflat.formats.dicom_late import pydicom_module
from unflat.formats.dicom_parse import looks_like_dicom
from unflat.formats.zip_faults import ZIP_FAULTS

_LEAST = 4
"""Shorter values are found in everything by chance."""
_LEAST_DIGITS = 6
"""The same for whole numbers."""
_MOST_FILES = 200_000
_HEAD = 1 << 24
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
FILE_NAMES = "file and folder names"
"""The element that names of files and folders are told as."""
_DICOM_HEAD = 4096


def identity_of(scan: Path) -> dict[str, set[str]]:
    """Every identifying value of a scan, by the name of its element.

    Args:
        scan: What was turned into a model: a folder, a zip or a file.

    Raises:
        InputError: There is nothing there, or it is damaged.
        MissingExtraError: The extra "volume" is not installed.
    """
    found: dict[str, set[str]] = {}
    files = sorted(one for one in scan.rglob("*") if one.is_file()) if scan.is_dir() else [scan]
    if not files or not scan.exists():
        raise InputError(f"there is nothing at {scan.name}", hint="Give the scan that the file was made of.")
    if len(files) > _MOST_FILES:
        raise InputError(f"there are more than {_MOST_FILES} files", hint="Give the folder of one examination.")
    for name in {scan.name, *(part for file in files for part in file.relative_to(scan.parent).parts)}:
        _add(found, FILE_NAMES, _stem(name))
    for file in files:
        head = _head(file)
        if head[:4] == b"PK\x03\x04":
            _of_zip(file, found)
        else:
            _of_bytes(head, found)
    return found


def _head(file: Path) -> bytes:
    """The file, or as much of it as a header needs; pixel data come last."""
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD)
    except OSError as error:
        raise InputError(f"a file of the scan cannot be read: {error.strerror or error}") from error


def _of_zip(file: Path, found: dict[str, set[str]]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            _lines(found, "archive comment", archive.comment)
            for member in archive.infolist():
                for part in Path(member.filename).parts:
                    _add(found, FILE_NAMES, _stem(part))
                _lines(found, "archive comment", member.comment)
                if not member.is_dir():
                    with archive.open(member) as opened:
                        _of_bytes(opened.read(_HEAD), found)
    except ZIP_FAULTS as error:
        raise InputError("the scan's archive is damaged") from error


def _of_bytes(data: bytes, found: dict[str, set[str]]) -> None:
    """Values of a DICOM, NIfTI, Analyze, NRRD or MetaImage header, packed by gzip or not."""
    if data[:2] == b"\x1f\x8b":
        if data[3:4] == b"\x08":
            _add(found, FILE_NAMES, _stem(data[10:].split(b"\0", 1)[0].decode("latin-1")))
        try:
            data = zlib.decompressobj(31).decompress(data, _HEAD)
        except zlib.error as error:
            raise InputError("a file of the scan does not unpack", hint="It is damaged; copy it again.") from error
    if looks_like_dicom(data[:_DICOM_HEAD]):
        _of_dicom(data, found)
    elif data[:4] == b"NRRD":
        for line in re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0].splitlines()[1:]:
            key, mark, value = re.match(rb"#?([^:]*)(:=?)?(.*)", line).groups()  # type: ignore[union-attr]
            if line.startswith(b"#") or not mark:
                _lines(found, "NRRD comment", line.lstrip(b"# "))
            elif mark == b":=" or key.strip().lower() in (b"content", b"data file", b"datafile"):
                _lines(found, f"NRRD {key.decode('utf-8', 'replace').strip()[:40]}", value)
    elif metaimage.is_metaimage(data):
        for line in data.split(b"ElementDataFile", 1)[0].splitlines():
            key, _, value = line.partition(b"=")
            if (name := key.decode("utf-8", "replace").strip()).lower() not in metaimage.FIELDS:
                _lines(found, f"MetaImage {name[:40]}", value)
    elif len(data) >= 348:
        _of_nifti(data, found)


def _of_nifti(data: bytes, found: dict[str, set[str]]) -> None:
    """Texts of a NIfTI or Analyze header and of its extensions."""
    order = next((o for o in "<>" if struct.unpack_from(o + "i", data)[0] in _NIFTI), None)
    if order is None:
        return
    size = struct.unpack_from(order + "i", data)[0]
    known = data[344:347] in (b"n+1", b"ni1") or size == _SECOND
    for name, start, length in _NIFTI[size] if known else _NIFTI[size] + _ANALYZE:
        _lines(found, f"NIfTI {name}", data[start : start + length].split(b"\0")[0])
    at = size + 4
    while known and data[size : size + 1] != b"\0" and at + 8 <= len(data):
        length, kind = struct.unpack_from(order + "2i", data, at)
        if length < 16 or length % 16 or at + length > len(data):
            return
        inside = data[at + 8 : at + length]
        if kind == _DICOM_EXTENSION:
            _of_dicom(inside, found)
        else:
            _lines(found, "NIfTI extension", inside)
        at += length


_SECOND = 540
_NIFTI = {
    348: (("db_name", 14, 18), ("descrip", 148, 80), ("aux_file", 228, 24), ("intent_name", 328, 16)),
    _SECOND: (("descrip", 240, 80), ("aux_file", 320, 24), ("intent_name", 508, 16)),
}
"""Texts of the header by its size: name, first byte, bytes."""
_ANALYZE = (
    *(("originator", 253, 10), ("generated", 263, 10), ("scannum", 273, 10), ("patient_id", 283, 10)),
    *(("exp_date", 293, 10), ("exp_time", 303, 10)),
)
_DICOM_EXTENSION = 2


def _stem(name: str) -> str:
    """The name of a file without its suffix, of packed ones without both."""
    path = Path(name)
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _lines(found: dict[str, set[str]], name: str, text: bytes) -> None:
    """Every line of a text, each by itself."""
    for line in re.split(r"[\0\r\n]+", text.decode("utf-8", "replace")):
        _add(found, name, line)


def _of_dicom(data: bytes, found: dict[str, set[str]]) -> None:
    try:
        reader = pydicom_module()
    except ImportError as error:
        raise MissingExtraError("reading what a scan says of its patient", "volume") from error
    try:
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
    least = _LEAST_DIGITS if text.replace(".", "").isdigit() else _LEAST
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
