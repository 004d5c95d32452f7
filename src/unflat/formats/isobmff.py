"""A look at the boxes of a HEIF file before pi-heif sees it.

pi-heif 1.4 crashes the process on item types, content types and auxiliary types that are not UTF-8 text; such files are
refused here. Source: ISO/IEC 14496-12, ISO/IEC 23008-12.
"""

from __future__ import annotations

from collections.abc import Iterator

_FULL = {b"meta": 4, b"iinf": 6}
_INSIDE = {b"meta", b"iinf", b"iprp", b"ipco"}
_DEEPEST = 6


def boxes(data: bytes, start: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every box that can hold words, inner boxes included; stops where lengths make no sense."""
    while start + 8 <= end and depth < _DEEPEST:
        size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        stop = end if size == 0 else min(end, start + size)
        if stop < start + head:
            return
        if kind in _INSIDE:
            skip = _FULL.get(kind, 0)
            if kind == b"iinf" and data[start + head : start + head + 1] != b"\0":
                skip = 8
            yield from boxes(data, start + head + skip, stop, depth + 1)
        elif kind in (b"infe", b"auxC"):
            yield kind, data[start + head : stop]
        start = stop


def wrong_words(data: bytes) -> str | None:
    """What is wrong with the words of a HEIF file, or None."""
    for kind, content in boxes(data, 0, len(data)):
        if kind == b"auxC":
            words = content[4:].split(b"\0", 1)[0]
        elif content[:1] in (b"\2", b"\3"):
            words = content[6 if content[:1] == b"\2" else 8 :]
        else:
            continue
        try:
            words.decode()
        except UnicodeDecodeError:
            return "an item's type is not text"
    return None
