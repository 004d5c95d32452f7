"""A colour profile without what it says of machines and people: the profile of a display often bears its owner's name.

ICC.1:2022 (ISO 15076-1): a header of 128 bytes, a table of tags, their data. Whatever decides colours stays as it is,
and so does the profile's copyright, which it must have. Its description is made anew; all other texts, the device, its
maker and model, dates, identifiers and tags of programs are left out.
"""

from __future__ import annotations

import struct

_COLOUR = frozenset(
    [
        *(b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"wtpt", b"bkpt", b"chad", b"lumi", b"cicp"),
        *(b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt", b"chrm", b"cprt"),
        *(b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3"),
    ]
)
_HEAD, _ROW, _MOST_TAGS = 128, 12, 200
_NAME = "the colours of the source"
_DATE, _DEVICE, _MAKER = slice(24, 36), slice(48, 64), slice(80, 100)
"""Bytes of the header: the date; maker, model and attributes of the device; the program that made it, and a digest."""


def impersonal(profile: bytes) -> bytes | None:
    """The profile with its colours and its copyright alone; None where it is damaged.

    Args:
        profile: Of a picture.
    """
    if len(profile) < _HEAD + 4 or profile[36:40] != b"acsp":
        return None
    (count,) = struct.unpack_from(">I", profile, _HEAD)
    if count > _MOST_TAGS or len(profile) < _HEAD + 4 + _ROW * count:
        return None
    rows = [struct.unpack_from(">4sII", profile, _HEAD + 4 + _ROW * number) for number in range(count)]
    if any(start + length > len(profile) for _, start, length in rows):
        return None
    parts = [(name, profile[start : start + length]) for name, start, length in rows if name in _COLOUR]
    head = bytearray(profile[:_HEAD])
    head[_DEVICE], head[_MAKER] = bytes(16), bytes(20)
    head[_DATE] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # a date there must be
    return _built(head, [(b"desc", _description(profile[8])), *parts])


def _description(version: int) -> bytes:
    """The profile's name, as its version writes texts."""
    if version >= 4:
        text = _NAME.encode("utf-16-be")
        return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    text = _NAME.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)  # no Unicode, no Macintosh script


def _built(head: bytearray, parts: list[tuple[bytes, bytes]]) -> bytes:
    """A profile of these tags; what several of them share is stored once."""
    table, body, places = b"", b"", dict[bytes, int]()
    begin = _HEAD + 4 + _ROW * len(parts)
    for name, data in parts:
        if data not in places:
            places[data] = begin + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    head[0:4] = struct.pack(">I", begin + len(body))
    return bytes(head) + struct.pack(">I", len(parts)) + table + body
