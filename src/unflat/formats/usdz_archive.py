"""The zip around a USDZ: nothing compressed, every member at a multiple of 64 bytes, and read with distrust.

The rules are those of the USDZ specification (openusd.org, "USDZ File Format Specification"): stored members only,
no encryption, the first member is the layer that is opened.
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from unflat.errors import InputError
from unflat.formats.zip_faults import ZIP_FAULTS

ALIGNMENT = 64
MAX_MEMBERS = 1000
MAX_BYTES = 1 << 30

_HEADER_BYTES = 30
_PADDING_ID = 0x1986


def pack(members: Iterable[tuple[str, bytes]], file: BinaryIO) -> None:
    """Write (name, bytes) pairs as an uncompressed, aligned zip; the same members give the same bytes.

    Raises:
        InputError: More than MAX_BYTES together.
    """
    members = list(members)
    if sum(len(data) for _, data in members) > MAX_BYTES:
        raise InputError(f"the scene is larger than {MAX_BYTES >> 30} GiB", hint="Use fewer triangles, or write .glb.")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            start = file.tell() + _HEADER_BYTES + len(name.encode()) + 4
            padding = -start % ALIGNMENT
            entry.extra = struct.pack("<HH", _PADDING_ID, padding) + b"\0" * padding
            archive.writestr(entry, data)


def unpack(path: Path) -> dict[str, bytes]:
    """All members of a USDZ by name, in their order.

    Raises:
        InputError: No zip, damaged, compressed, encrypted, too large, or with a name that leaves the archive.
    """
    try:
        if not path.is_file():
            raise InputError(f"there is no file {path.name}")
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check(entries, path)
            return {entry.filename: archive.read(entry) for entry in entries if not entry.is_dir()}
    except (OSError, *ZIP_FAULTS) as error:
        raise InputError(f"{path.name} is no readable USDZ: {str(error)[:80] or 'it is cut short'}") from error


def _check(entries: list[zipfile.ZipInfo], path: Path) -> None:
    if not entries or len(entries) > MAX_MEMBERS or sum(e.file_size for e in entries) > MAX_BYTES:
        raise InputError(f"{path.name} is empty or too large to be read")
    for entry in entries:
        name = entry.filename
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise InputError(f"{path.name} is compressed or encrypted, which a USDZ never is")
        if name.startswith("/") or "\\" in name or ".." in name.split("/") or posixpath.normpath(name) == ".":
            raise InputError(f"{path.name} holds a member that leaves the archive: {name[:60]!r}")
    if len({entry.filename for entry in entries}) != len(entries):
        raise InputError(f"{path.name} holds two members of one name")
