"""Manifest stores looked at byte by byte, where the library that checks signatures looks away.

A signature covers what a manifest says. It does not cover the lengths of boxes, the label of the store and the padding
behind the signature, and none of these may differ from what was written either: JUMBF (ISO 19566-5) boxes fill each
other exactly, and padding is zeros (C2PA 2.2, section 13.2.3).
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

_STORE = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
"""Type of a manifest store, behind the letters ``jumd``."""
_LABEL = b"\x03c2pa\x00"
_SIGNATURE = b"c2cs"
_PNG, _IN_BOX = b"\x89PNG\r\n\x1a\n", bytes(4) + b"manifest\0" + bytes(8)
_INSTANCE = 0x0211
"""Number of the box that a store is in a JPEG."""
_GIF = b"\x21\xff\x0bC2PA_GIF"
_DEEPEST = 32
_UNSIGNED = ("pad", "pad2", "sigTst", "sigTst2", "rVals")
"""What the unprotected header of a signature may hold (C2PA 2.2, section 13.2)."""


class JumbfError(ValueError):
    """A manifest store is not as it would have been written."""


def store_in(path: Path) -> bytes:
    """The manifest store that stands in a file, put together where its format cuts it in pieces.

    Raises:
        JumbfError: There is none, or its pieces do not fit.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        if not file.read(1):
            raise JumbfError("the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:2] == b"\xff\xd8":
                return _of_jpeg(data)
            if data[:3] == b"GIF":
                return _of_gif(data)
            at = data.find(b"jumd" + _STORE) - 12
            if at < 0:
                raise JumbfError("there is no manifest store")
            (length,) = struct.unpack_from(">I", data, at)
            _check_around(data, at, length)
            return bytes(data[at : at + length])


def names_manifest(path: Path) -> bool:
    """Whether a file speaks of a manifest, although none may stand in it: it was signed once.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        if not file.read(1):
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(b"urn:c2pa:") >= 0 or data.find(b"jumd" + _STORE) >= 0


def check_store(store: bytes) -> None:
    """Say whether a store is exactly as a writer would have written it, but for what signatures cover.

    Raises:
        JumbfError: It is not.
    """
    length, kind, body = _box(store, 0)
    if length != len(store) or kind != b"jumb":
        raise JumbfError("its length is not that of what it holds")
    described = _box(body, 0)
    if described[1] != b"jumd" or described[2] != _STORE + _LABEL:
        raise JumbfError("it is not labelled as one")
    _walk(body, _DEEPEST)


def _walk(body: bytes, deeper: int) -> None:
    """Every box within a superbox: they fill it exactly."""
    if deeper == 0:
        raise JumbfError("its boxes are nested too deep")
    signing = body[8:12] == _SIGNATURE
    for number, (kind, inner) in enumerate(_boxes(body)):
        if (number == 0) != (kind == b"jumd"):
            raise JumbfError("a box without a description")
        if number == 0:
            _check_description(inner)
        if kind == b"jumb":
            _walk(inner, deeper - 1)
        elif signing and kind == b"cbor":
            _check_signature(inner)


def _check_description(told: bytes) -> None:
    """Type, flags, label, and salt where the flags say so."""
    end = told.find(b"\0", 17)
    salted = end >= 0 and end + 1 < len(told)
    if end < 0 or told[16] != (0x13 if salted else 0x03):
        raise JumbfError("the description of a box is damaged")


def _boxes(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(body):
        length, kind, inner = _box(body, at)
        yield kind, inner
        at += length


def _box(data: bytes, at: int) -> tuple[int, bytes, bytes]:
    """Length, type and content of the box at ``at``."""
    if at + 8 > len(data):
        raise JumbfError("a box is cut off")
    length, kind = struct.unpack_from(">I4s", data, at)
    if length < 8 or at + length > len(data):
        raise JumbfError("the length of a box is not that of what it holds")
    return length, kind, data[at + 8 : at + length]


def _check_signature(data: bytes) -> None:
    """COSE_Sign1 (RFC 9052): protected header, unprotected header, no payload, signature, and nothing behind it."""
    words = _Cbor(data)
    if words.head() != (6, 18) or words.head() != (4, 4):
        raise JumbfError("the signature is damaged")
    words.skip(2)
    kind, count = words.head()
    if kind != 5:
        raise JumbfError("the signature is damaged")
    for _ in range(count):
        name = words.take(3).decode("utf-8", "replace")
        if name not in _UNSIGNED:
            raise JumbfError("something stands behind the signature that does not belong there")
        if name.startswith("pad"):
            if any(words.take(2)):
                raise JumbfError("something is hidden in the padding of the signature")
        else:
            words.any()
    if words.head() != (7, 22):
        raise JumbfError("the signature is damaged")
    words.skip(2)
    if words.at != len(data):
        raise JumbfError("something stands behind the signature that does not belong there")


class _Cbor:
    """As much of CBOR (RFC 8949) as a signature needs."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def head(self) -> tuple[int, int]:
        """Major type and argument of the next item; arguments are as short as they can be."""
        if self.at >= len(self.data):
            raise JumbfError("the signature is cut off")
        first = self.data[self.at]
        kind, small = first >> 5, first & 31
        self.at += 1
        if small < 24:
            return kind, small
        if small > 27:
            raise JumbfError("the signature is damaged")
        size = 1 << (small - 24)
        value = int.from_bytes(self.data[self.at : self.at + size], "big")
        self.at += size
        return kind, value

    def take(self, wanted: int) -> bytes:
        """The bytes of the next item, a string of a given kind: 2 bytes, 3 text."""
        kind, length = self.head()
        if kind != wanted or self.at + length > len(self.data):
            raise JumbfError("the signature is damaged")
        self.at += length
        return self.data[self.at - length : self.at]

    def skip(self, wanted: int) -> None:
        """Pass over a string."""
        self.take(wanted)

    def any(self, deeper: int = _DEEPEST) -> None:
        """Pass over one item of any kind."""
        if deeper == 0:
            raise JumbfError("the signature is nested too deep")
        kind, value = self.head()
        if kind in (2, 3):
            self.at += value
        elif kind in (4, 5):
            for _ in range(value * (kind - 3)):
                self.any(deeper - 1)
        elif kind == 6:
            self.any(deeper - 1)
        if self.at > len(self.data):
            raise JumbfError("the signature is cut off")


def _check_around(data: mmap.mmap, at: int, length: int) -> None:
    """What a format says of the store that it holds: the checksum of a PNG, the header of an MP4's box."""
    png = data[:8] == _PNG
    if at < 21 or at + length + 4 * png > len(data):
        raise JumbfError("its length is not that of what it holds")
    if png:
        (told,) = struct.unpack_from(">I", data, at + length)
        if zlib.crc32(data[at - 4 : at + length]) != told:
            raise JumbfError("the checksum of the manifest store does not fit")
    elif data[4:8] == b"ftyp" and data[at - 21 : at] != _IN_BOX:
        raise JumbfError("the box around the manifest store is damaged")


def _of_jpeg(data: mmap.mmap) -> bytes:
    """A store in APP11 segments (ISO 19566-5, annex D): the first has the box, the others its header again."""
    pieces: dict[tuple[int, int], bytes] = {}
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        (length,) = struct.unpack_from(">H", data, at + 2)
        piece = bytes(data[at + 4 : at + 2 + length])
        if data[at + 1] == 0xEB and piece[:2] == b"JP" and len(piece) > 16:
            number, order = struct.unpack_from(">HI", piece, 2)
            pieces[number, order] = piece[8:]
        at += 2 + length
    starts = [key for key, piece in pieces.items() if piece[8:28] == b"\x00\x00\x00\x1ejumd" + _STORE[:12]]
    if len(starts) != 1:
        raise JumbfError("there is no manifest store")
    if starts[0] != (_INSTANCE, 1):
        raise JumbfError("the pieces of the manifest store are wrongly numbered")
    run = [pieces[key] for key in sorted(pieces) if key[0] == starts[0][0]]
    if any(piece[:8] != run[0][:8] for piece in run):
        raise JumbfError("the pieces of the manifest store do not fit")
    return run[0] + b"".join(piece[8:] for piece in run[1:])


def _of_gif(data: mmap.mmap) -> bytes:
    """A store in the blocks of an application extension."""
    at = data.find(_GIF) + 14
    if at < 14:
        raise JumbfError("there is no manifest store")
    store = b""
    while at < len(data) and data[at]:
        store += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]
    return store
