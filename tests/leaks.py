"""Finds words in files, whatever they are packed in: archives, streams of zlib and gzip, base64, layers of USD."""

from __future__ import annotations

import base64
import io
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{48,}={0,2}")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_DEEPEST = 4
_MOST = 1 << 26


def ways(text: str) -> dict[str, bytes]:
    """How a text may stand in bytes: plain, two bytes a letter, as hex, in base64 at each of its three places."""
    plain = text.encode("latin-1")
    found = {"plain": plain, "utf-16-le": text.encode("utf-16-le"), "utf-16-be": text.encode("utf-16-be")}
    for case in (str.lower, str.upper):
        found[f"hex {case.__name__}"] = case(plain.hex()).encode()
    for shift in range(3):
        packed = base64.b64encode(b"\0" * shift + plain)
        found[f"base64 +{shift}"] = packed[-(-8 * shift // 6) : 4 * ((shift + len(plain)) // 3)]
    return found


def found_in(data: bytes, texts: Iterable[str], *, whole: bool = True) -> list[str]:
    """Which texts are in bytes, each with what stands around it.

    Args:
        data: Of a file.
        texts: What to look for; small and capital letters differ.
        whole: Also look into what is packed in it.
    """
    patterns = [(text, how, way) for text in texts for how, way in ways(text).items() if len(way) >= 5]
    said: list[str] = []
    for where, part in unpacked(data) if whole else [("", data)]:
        for text, how, way in patterns:
            at = part.find(way)
            if at >= 0:
                around = part[max(0, at - 24) : at + len(way) + 40]
                said.append(f"{text!r} as {how}{where}: {around!r}")
    return said


def unpacked(data: bytes, where: str = "", depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Bytes, and all that is packed in them; each with a word for where it was."""
    yield where, data
    if depth >= _DEEPEST:
        return
    for name, inside in _packed(data):
        yield from unpacked(inside, f"{where} > {name}", depth + 1)


def _packed(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data[:8] == b"PXR-USDC":
        yield "layer", _usd(data)
        return
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield "comment", archive.comment
            for member in archive.infolist():
                yield f"{member.filename}'s entry", member.filename.encode() + member.extra + member.comment
                yield member.filename, archive.read(member)
        return
    for match in _ZLIB.finditer(data):
        stream = zlib.decompressobj(31 if match.group()[0] == 0x1F else 15)
        try:
            plain = stream.decompress(data[match.start() :], _MOST)
        except zlib.error:
            continue
        if len(plain) >= 5:
            yield f"zlib at {match.start()}", plain
    for match in _BASE64.finditer(data):
        text = match.group().rstrip(b"=")
        yield f"base64 at {match.start()}", base64.b64decode(text[: len(text) // 4 * 4])


def _usd(data: bytes) -> bytes:
    """A binary layer of USD as text."""
    from pxr import Sdf

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.usdc"
        path.write_bytes(data)
        return Sdf.Layer.FindOrOpen(str(path)).ExportToString().encode()


def rational(numerator: int, denominator: int) -> tuple[str, str]:
    """A fraction as EXIF writes it, in both orders of bytes, as texts of one byte a letter."""
    little, big = (struct.pack(order + "II", numerator, denominator).decode("latin-1") for order in "<>")
    return little, big
