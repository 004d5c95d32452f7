"""A reader of HEIF boxes for the tests, written from ISO/IEC 14496-12 and 23008-12 and from nothing else of ours."""

from __future__ import annotations

import struct
from typing import Any

CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"dinf": 0, b"grpl": 0}


def boxes(data: bytes, base: int = 0) -> list[tuple[bytes, bytes]]:
    """Kind and content of the boxes that fill ``data`` exactly."""
    found, at = [], base
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        assert size >= 8 and at + size <= len(data), (kind, size)
        found.append((kind, data[at + 8 : at + size]))
        at += size
    return found


def one(data: bytes, *way: bytes) -> bytes:
    """The content of the only box that is reached through these kinds."""
    for kind in way:
        (data,) = [content for own, content in boxes(data) if own == kind]
        data = data[CONTAINERS.get(kind, 0) :]
    return data


def full(content: bytes) -> tuple[int, int, bytes]:
    """Version, flags and the rest of a full box."""
    (word,) = struct.unpack_from(">I", content)
    return word >> 24, word & 0xFFFFFF, content[4:]


def table(data: bytes) -> dict[str, Any]:
    """Everything that a file of version 0 boxes lists: brands, items, properties, groups, references, places."""
    top = boxes(data)
    assert [kind for kind, _ in top] == [b"ftyp", b"meta", b"mdat"]
    brands = [top[0][1][at : at + 4] for at in range(0, len(top[0][1]), 4) if at != 4]
    properties = boxes(one(data, b"meta", b"iprp", b"ipco"))
    version, flags, rest = full(one(data, b"meta", b"iinf"))
    (count,) = struct.unpack_from(">H", rest)
    infos = boxes(rest, 2)
    assert (version, flags) == (0, 0) and count == len(infos)
    items = {}
    for kind, content in infos:
        version, flags, rest = full(content)
        number, protection, item = struct.unpack_from(">HH4s", rest)
        media = b"\0application/rdf+xml\0" if item == b"mime" else b"\0"
        assert (kind, version, flags, protection, rest[8:]) == (b"infe", 2, 0, 0, media)
        items[number] = item
    said: dict[int, list[tuple[bool, bytes, bytes]]] = {}
    version, flags, rest = full(one(data, b"meta", b"iprp", b"ipma"))
    assert (version, flags) == (0, 0)
    at = 4
    for _ in range(struct.unpack_from(">I", rest)[0]):
        number, links = struct.unpack_from(">HB", rest, at)
        own = rest[at + 3 : at + 3 + links]
        said[number] = [(bool(link & 0x80), *properties[(link & 0x7F) - 1]) for link in own]
        at += 3 + links
    assert at == len(rest) and list(said) == sorted(said)
    return {
        "brands": brands,
        "primary": struct.unpack(">H", full(one(data, b"meta", b"pitm"))[2])[0],
        "handler": full(one(data, b"meta", b"hdlr"))[2][4:8],
        "items": items,
        "said": said,
        "groups": [(kind, *_group(content)) for kind, content in boxes(one(data, b"meta", b"grpl"))],
        "references": [(kind, struct.unpack(">HHH", content)) for kind, content in _references(data)],
        "data": _places(data),
        "properties": properties,
    }


def _group(content: bytes) -> tuple[int, tuple[int, ...]]:
    version, flags, rest = full(content)
    number, count = struct.unpack_from(">II", rest)
    assert (version, flags) == (0, 0) and len(rest) == 8 + 4 * count
    return number, struct.unpack_from(f">{count}I", rest, 8)


def _references(data: bytes) -> list[tuple[bytes, bytes]]:
    return boxes(full(one(data, b"meta", b"iref"))[2])


def _places(data: bytes) -> dict[int, bytes]:
    version, flags, rest = full(one(data, b"meta", b"iloc"))
    sizes, spare, count = struct.unpack_from(">BBH", rest)
    assert (version, flags, sizes, spare, len(rest)) == (0, 0, 0x44, 0, 4 + 14 * count)
    found = {}
    for row in range(count):
        number, reference, extents, at, length = struct.unpack_from(">HHHII", rest, 4 + 14 * row)
        assert (reference, extents) == (0, 1) and at + length <= len(data)
        found[number] = data[at : at + length]
    return found
