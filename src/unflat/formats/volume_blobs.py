"""The files that a scan may lie in: one, those of a folder and all below it, or those of a ZIP archive.

Nothing is unpacked to the disk, so names in an archive lead nowhere. No message and no note tells a file's name: people
put patients' names there.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from unflat.errors import InputError
from unflat.formats.zip_faults import ZIP_FAULTS

_MOST_FILES = 200_000
_MOST_PACKED = 1040
"""Deflate packs no more than 1032 bytes into one."""
_MEMBERS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Blob:
    """One file, on the disk or in an archive.

    Attributes:
        name: Its own name with that of its folder, for order and suffixes; never told.
        size: In bytes, as its folder or archive says.
        open: Opens it for reading.
        beside: The file of that name in the same folder, or None.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    beside: Callable[[str], Blob | None]

    @property
    def suffix(self) -> str:
        """In small letters; those of packed files with both parts (".nii.gz")."""
        parts = PurePosixPath(self.name.lower()).suffixes
        return "".join(parts[-2:]) if parts[-1:] == [".gz"] else "".join(parts[-1:])

    def head(self, count: int) -> bytes:
        """Its first bytes, as many as there are up to ``count``.

        Raises:
            InputError: It cannot be read or unpacked.
        """
        return self.part(0, count)

    def part(self, start: int, count: int) -> bytes:
        """``count`` of its bytes from ``start`` on, or as many as there are.

        Raises:
            InputError: It cannot be read or unpacked.
        """
        with translating(), self.open() as file:
            file.seek(start)
            return file.read(max(min(count, self.size - start), 0))


class translating:
    """Turns what a disk or an archive raises into errors of the house, without any name."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Translate.

        Raises:
            InputError: For the errors of disks and archives.
        """
        if isinstance(error, InputError) or error is None:
            return
        if isinstance(error, OSError):
            raise InputError(f"a file cannot be read: {error.strerror or 'the disk failed'}") from error
        if isinstance(error, RuntimeError):
            raise InputError("the archive is locked by a password", hint="Unpack it first.") from error
        if isinstance(error, ZIP_FAULTS):
            raise InputError("it does not unpack", hint="The file is damaged or cut short; copy it again.") from error


def in_memory(data: bytes, name: str = "") -> Blob:
    """Bytes as a file that has nothing beside it."""
    return Blob(name, len(data), lambda: io.BytesIO(data), lambda _: None)


def blobs(path: Path) -> list[Blob]:
    """All ordinary files of a folder and the folders below it, those in a ZIP archive, or the one file.

    Links to folders are not followed, hidden files and macOS's doubles are left out; sorted by name as people count
    (``a2`` before ``a10``).

    Raises:
        InputError: It does not exist, cannot be read, holds too many files, or is a damaged archive.
    """
    with translating():
        if not path.exists():
            raise InputError("there is nothing at the path that was given", hint="Check the spelling and the folder.")
        if path.is_dir():
            return _of_folder(path)
        if not path.is_file():
            raise InputError("that is neither a file nor a folder", hint="Give a folder, a ZIP archive, or a file.")
        if path.stat().st_size == 0:
            raise InputError("the file is empty", hint="Copy it again.")
        with path.open("rb") as file:
            if file.read(4) in (b"PK\x03\x04", b"PK\x05\x06"):
                return _of_archive(path)
        return [on_disk(path)]


def on_disk(path: Path) -> Blob:
    """One file of a folder."""

    def beside(name: str) -> Blob | None:
        other = path.parent / PurePosixPath(name).name
        return on_disk(other) if name == other.name and other.is_file() else None

    return Blob(f"{path.parent.name}/{path.name}", path.stat().st_size, lambda: path.open("rb"), beside)


def _of_folder(folder: Path) -> list[Blob]:
    found: list[Path] = []
    for place, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        found += [Path(place, name) for name in names if not name.startswith(".")]
        if len(found) > _MOST_FILES:
            raise _too_many()
    return [on_disk(path) for path in sorted(found, key=lambda path: natural(str(path))) if path.is_file()]


def _of_archive(path: Path) -> list[Blob]:
    archive = zipfile.ZipFile(path)
    members = {info.filename: info for info in archive.infolist() if _wanted(info)}
    if len(members) > _MOST_FILES:
        raise _too_many()
    if sum(info.file_size for info in members.values()) > _MOST_PACKED * path.stat().st_size:
        raise InputError("the archive claims to hold more than its size allows", hint="Unpack it first.")

    return [_member(archive, members, members[name]) for name in sorted(members, key=natural)]


def _member(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], info: zipfile.ZipInfo) -> Blob:
    place = PurePosixPath(info.filename)
    beside = partial(_beside, archive, members, place.parent)
    return Blob(f"{place.parent.name}/{place.name}", info.file_size, partial(archive.open, info), beside)


def _beside(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], folder: PurePosixPath, name: str
) -> Blob | None:
    other = members.get(str(folder / PurePosixPath(name).name))
    return _member(archive, members, other) if other is not None and name == PurePosixPath(name).name else None


def _wanted(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    hidden = any((part[0] == "." and part.strip(".")) or part == "__MACOSX" for part in parts)
    return not info.is_dir() and not hidden and info.compress_type in _MEMBERS and info.file_size > 0


def _too_many() -> InputError:
    return InputError(f"there are more than {_MOST_FILES} files", hint="Give the folder of one examination.")


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts ``a2`` before ``a10``."""
    parts: Iterable[str] = re.split(r"(\d{1,18})", name.lower())
    return [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts]
