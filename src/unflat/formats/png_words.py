"""Words put into a PNG that was encoded already.

Source: PNG (third edition), 11.3.3.4: international text chunks (iTXt) may stand anywhere behind the header.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from unflat.formats.told_rights import XMP_KEY

_HEAD = 33
"""Bytes of a PNG's signature and header."""


def with_words(png: bytes, told: Mapping[str, str]) -> bytes:
    """A PNG with the comment and the XMP packet of :func:`unflat.formats.picture_story.film_words`."""
    places = {"Comment": told.get("comment"), XMP_KEY: told.get(XMP_KEY)}
    chunks = b"".join(_chunk(key, words) for key, words in places.items() if words)
    return png[:_HEAD] + chunks + png[_HEAD:]


def _chunk(key: str, words: str) -> bytes:
    chunk = b"iTXt" + key.encode() + b"\0" + bytes(4) + words.encode()
    return struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
