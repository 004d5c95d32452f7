"""Whether a result says anything of what a scan says of its patient: the proof that nothing leaks.

A result is searched as bytes, with what is inside it unpacked: members of archives, base64 in pages, compressed blocks.
What a scan says is told by ``identity_headers``.

Numbers of few digits are in every file by chance, as a place in a list or a length; so those of fewer than six are not
looked for, and the others neither among the vertices and faces of text formats nor as parts of longer numbers.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from unflat.errors import InputError
from unflat.formats.page_parts import viewer_pieces
from unflat.formats.story import sidecar_of
from unflat.formats.zip_faults import ZIP_FAULTS

_LONG = 8
"""Shorter words are looked for as whole words: "flat" is in "unflat"."""
_PARTING = " _^=,-"
"""What parts the words of a name, in this spelling or that."""
_MOST_BYTES = 1 << 31
_MOST_INSIDE = 1 << 31
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


class Leak(NamedTuple):
    """A value of the scan that a result holds.

    Attributes:
        where: The part of the result.
        what: The element of the scan, by its name; never the value itself.
    """

    where: str
    what: str


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
    parts = {".obj": ".mtl", ".gltf": ".bin"}.get(result.suffix.lower())
    beside = [sidecar_of(result), *([] if parts is None else [result.with_suffix(parts)])]
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
    """A value in the spellings and encodings that files use; short words and numbers only where they are whole.

    ASCII is looked for in small letters; other letters in both cases; what parts words may be any of what does.
    """
    spellings = {value, html.escape(value), html.escape(value, quote=False), json.dumps(value)[1:-1]}
    spellings |= {json.dumps(value, ensure_ascii=False)[1:-1]}
    codes = ("utf-8", "utf-16-le", "latin-1")
    either = b"|".join(sorted({way for one in spellings for code in codes if (way := _spelt(one, code))}))
    if value.replace(".", "").isdigit():
        return re.compile(rb"(?<![0-9a-z.])(?:" + either + rb")(?![0-9a-z.])")
    return re.compile(rb"(?<![0-9a-z])(?:" + either + rb")(?![0-9a-z])" if len(value) < _LONG else either)


def _spelt(text: str, code: str) -> bytes:
    """A pattern of a text in one encoding; nothing where the encoding has not all of its letters."""
    parts: list[bytes] = []
    for letter in text:
        both = letter.lower() if letter.isascii() else letter.lower() + letter.upper()
        try:
            each = sorted({re.escape(way.encode(code)) for way in (_PARTING if letter in _PARTING else both)})
        except UnicodeEncodeError:
            return b""
        parts.append(each[0] if len(each) == 1 else b"(?:" + b"|".join(each) + b")")
    return b"".join(parts)


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
