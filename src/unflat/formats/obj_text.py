"""The text of OBJ and MTL files, read as if it hated us; what the numbers mean is the business of ``obj``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.types.arrays import F64, U32

_MOST_PARTS = 10_000
_LONGEST_NAME = 1000
_LARGEST_NUMBER = 1e30
_ARGUMENTS = {"-s": 3, "-o": 3, "-t": 3, "-mm": 2}
"""How many numbers follow an option of a texture; every other option takes one word."""

Corner = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The triangles of one object with one material, in the file's axes.

    Attributes:
        name: What the object is called; empty where it has no name.
        material: What its material is called.
        vertices: (n, 3) float64, in the order of the file.
        colors: (n, 3) float64 in 0..1, or None.
        uv: (n, 2) float64 with v upward, or None unless every corner has one.
        normals: (n, 3) float64, or None unless every corner has one.
        faces: (m, 3) uint32.
    """

    name: str
    material: str
    vertices: F64
    colors: F64 | None
    uv: F64 | None
    normals: F64 | None
    faces: U32


@dataclass(slots=True)
class ObjText:
    """What an OBJ file says."""

    comments: list[str] = field(default_factory=list[str])
    libraries: list[str] = field(default_factory=list[str])
    parts: list[Part] = field(default_factory=list[Part])


class _Open:
    """A part whose faces are still being collected; corners are (v, vt, vn) counted from 0, -1 where missing."""

    def __init__(self) -> None:
        self.index_of: dict[Corner, int] = {}
        self.index_of_word: dict[bytes, int] = {}
        self.faces: list[int] = []

    def corner(self, word: bytes, counts: Corner) -> int:
        """The index of a corner within this part. Only what cannot change its meaning is remembered by its text."""
        index = self.index_of_word.get(word)
        if index is None:
            key = _corner(word, counts)
            index = self.index_of.setdefault(key, len(self.index_of))
            if b"-" not in word:
                self.index_of_word[word] = index
        return index


def parse_obj(data: bytes, name: str) -> ObjText:
    """Read positions, texture coordinates, normals, faces, objects, materials and comments; pass over the rest.

    Raises:
        InputError: A number is none, or a face names a vertex that is not there.
    """
    text = ObjText()
    rows: dict[bytes, list[list[bytes]]] = {b"v": [], b"vt": [], b"vn": []}
    v, vt, vn = rows[b"v"], rows[b"vt"], rows[b"vn"]
    parts: dict[tuple[bytes, bytes], _Open] = {}
    title, material = b"", b""
    part: _Open | None = None
    for line in data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").splitlines():
        words = line.split()
        if not words:
            continue
        key = words[0]
        if key in rows:
            rows[key].append(words[1:])
        elif key == b"f" and len(words) > 3:
            if part is None:
                part = _part(parts, (title, material), name)
            counts = (len(v), len(vt), len(vn))
            fan = [part.corner(word, counts) for word in words[1:]]
            for i in range(1, len(fan) - 1):
                part.faces += (fan[0], fan[i], fan[i + 1])
        elif key in (b"o", b"g", b"usemtl"):
            rest = line.strip()[len(key) :].strip()[:_LONGEST_NAME]
            title, material = (title, rest) if key == b"usemtl" else (rest, material)
            part = None
        elif key.startswith(b"#"):
            text.comments.append(line.strip()[1:].strip().decode("latin-1"))
        elif key == b"mtllib" and len(text.libraries) < 100:
            text.libraries.append(_word(line.strip()[len(key) :].strip()))
    tables = _Tables(_numbers(v, 3, name), _numbers(vt, 2, name), _numbers(vn, 3, name), _colors(v, name))
    text.parts = [_closed(key, part, tables, name) for key, part in parts.items() if part.faces]
    return text


def materials(data: bytes) -> dict[str, str]:
    """The picture (map_Kd) of every material of an MTL file that has one."""
    found: dict[str, str] = {}
    current = ""
    for line in data.splitlines():
        key, _, rest = line.strip().partition(b" ")
        if key == b"newmtl":
            current = _word(rest.strip())
        elif key.lower() == b"map_kd":
            words = rest.split()
            skip = 0
            while skip < len(words) and words[skip].startswith(b"-"):
                skip += 1 + _ARGUMENTS.get(words[skip].decode("latin-1"), 1)
            name = rest.split(None, skip)[skip:]
            if name:
                found[current] = _word(name[0].strip())
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """All numbers of the file."""

    v: F64
    vt: F64
    vn: F64
    colors: F64 | None


def _part(parts: dict[tuple[bytes, bytes], _Open], key: tuple[bytes, bytes], name: str) -> _Open:
    if key not in parts and len(parts) >= _MOST_PARTS:
        raise InputError(f"{name} holds more than {_MOST_PARTS} objects")
    return parts.setdefault(key, _Open())


def _word(raw: bytes) -> str:
    return raw[:_LONGEST_NAME].decode("utf-8", "replace")


def _corner(word: bytes, counts: Corner) -> Corner:
    """One of v, v/vt, v//vn, v/vt/vn, counted from 0; a negative index counts back from the last line read."""
    fields = word.split(b"/")
    if len(fields) > 3 or not fields[0]:
        raise InputError(f"a face has a corner that makes no sense: {_word(word)[:40]!r}")
    found = [-1, -1, -1]
    for i, digits in enumerate(fields):
        if not digits:
            continue
        try:
            index = int(digits) if len(digits) < 12 else 0
        except ValueError:
            index = 0
        found[i] = index - 1 if index > 0 else counts[i] + index
        if found[i] < 0 or index == 0:
            raise InputError(f"a face has a corner that makes no sense: {_word(word)[:40]!r}")
    return found[0], found[1], found[2]


def _numbers(rows: list[list[bytes]], width: int, name: str) -> F64:
    """(n, width) float64, the first numbers of each row. A missing third texture coordinate is no matter."""
    short = next((row for row in rows if len(row) < width), None)
    try:
        if short is not None:
            raise ValueError(short)
        flat = list(map(float, chain.from_iterable(row[:width] for row in rows)))
    except ValueError as error:
        raise InputError(f"{name} holds something that is not a number") from error
    numbers = np.array(flat, dtype=np.float64).reshape(-1, width)
    if not (np.abs(numbers) < _LARGEST_NUMBER).all():
        raise InputError(f"{name} holds a number that is not finite")
    return numbers


def _colors(rows: list[list[bytes]], name: str) -> F64 | None:
    """(n, 3) of the colours behind the positions (x y z r g b); None unless every row has them."""
    if not rows or not all(len(row) == 6 for row in rows):
        return None
    return _numbers([row[3:] for row in rows], 3, name)


def _closed(key: tuple[bytes, bytes], part: _Open, tables: _Tables, name: str) -> Part:
    """Gather the numbers of one part. Its vertices keep the order of the file."""
    corners = np.array(list(part.index_of), dtype=np.int64)
    order = np.lexsort((corners[:, 2], corners[:, 1], corners[:, 0]))
    corners = corners[order]
    rank = np.empty(len(order), np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    if (corners.max(axis=0) >= (len(tables.v), len(tables.vt), len(tables.vn))).any():
        raise InputError(f"{name} has a face that names a vertex which is not there")
    return Part(
        _word(key[0]),
        _word(key[1]),
        tables.v[corners[:, 0]],
        None if tables.colors is None else tables.colors[corners[:, 0]],
        _taken(tables.vt, corners[:, 1]),
        _taken(tables.vn, corners[:, 2]),
        rank[np.array(part.faces, dtype=np.int64)].reshape(-1, 3),
    )


def _taken(table: F64, index: NDArray[np.int64]) -> F64 | None:
    return table[index] if (index >= 0).all() else None
