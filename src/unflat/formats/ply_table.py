"""The PLY container: a text header that names tables of numbers, then the tables.

Written little endian; read in all three encodings, with any order and type of properties (Greg Turk, "The PLY
Polygon File Format", 1994). What the tables mean is the business of ``ply`` and ``splats``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_WORDS = {"<f4": "float", "|u1": "uchar", "<i4": "int", "<u4": "uint"}
_ENCODINGS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_MOST_HEADER = 1 << 20
_MOST_ELEMENTS = 64
_MOST_PROPERTIES = 512
_LONGEST_NAME = 100
_MOST_ROWS = 1 << 31
_MOST_RAGGED_ROWS = 20_000_000
_LARGEST_BINARY = 1 << 33
_LARGEST_TEXT = 1 << 29
_PIECE = 1 << 20
_GAP = re.compile(rb"\s+")


@dataclass(frozen=True, slots=True)
class Property:
    """One column: a number type, and for a list also the type of its length."""

    name: str
    dtype: str
    length_dtype: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One table as the header announces it."""

    name: str
    count: int
    properties: list[Property] = field(default_factory=list[Property])


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """A column of lists: row i holds the next ``lengths[i]`` of ``values``."""

    lengths: NDArray[np.int64]
    values: NDArray[Any]


Table = dict[str, NDArray[Any] | Ragged]


@dataclass(frozen=True, slots=True)
class Header:
    """The text before the tables."""

    encoding: str
    comments: tuple[str, ...]
    elements: tuple[Element, ...]


def header_bytes(comments: Iterable[str], elements: Iterable[tuple[str, int, Iterable[tuple[str, str]]]]) -> bytes:
    """A little endian header.

    Args:
        comments: One line each, ASCII without line ends.
        elements: Name, number of rows, and (property, numpy type) of each table; a type in brackets is a list with
            one byte of length.
    """
    lines = ["ply", "format binary_little_endian 1.0", *(f"comment {comment}" for comment in comments)]
    for name, count, properties in elements:
        lines.append(f"element {name} {count}")
        for title, dtype in properties:
            kind = f"list uchar {_WORDS[dtype[1:-1]]}" if dtype.startswith("[") else _WORDS[dtype]
            lines.append(f"property {kind} {title}")
    return ("\n".join([*lines, "end_header"]) + "\n").encode("ascii")


def read_tables(path: Path, wanted: Iterable[str]) -> tuple[Header, dict[str, Table]]:
    """Read the tables called ``wanted``; the others are passed over.

    Raises:
        InputError: Not a PLY file, damaged, or shorter than its header promises.
    """
    try:
        with path.open("rb") as file:
            header = _header(file, path.name)
            body, start = file, file.tell()
            file.seek(0, 2)
            size = file.tell() - start
            file.seek(start)
            if size > (_LARGEST_BINARY if header.encoding else _LARGEST_TEXT):
                raise InputError(f"{path.name} is too large to read")
            if not header.encoding:
                return header, _text_tables(body.read(), header, set(wanted), path.name)
            data: NDArray[np.uint8] = np.fromfile(file, np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    return header, _binary_tables(data, header, set(wanted), path.name)


def read_header(path: Path) -> Header:
    """The header alone.

    Raises:
        InputError: Not a PLY file.
    """
    try:
        with path.open("rb") as file:
            return _header(file, path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _header(file: BinaryIO, name: str) -> Header:
    lines: list[str] = []
    read = 0
    while not lines or lines[-1] != "end_header":
        raw = file.readline(_MOST_HEADER)
        read += len(raw)
        if not raw or read > _MOST_HEADER or (not lines and raw.rstrip(b"\r\n") != b"ply"):
            raise InputError(f"{name} is not a PLY file, or its header is damaged")
        lines.append(raw.decode("latin-1").strip())
    encoding: str | None = None
    comments: list[str] = []
    elements: list[Element] = []
    for line in lines[1:-1]:
        match line.split():
            case ["comment", *_]:
                comments.append(line[len("comment") :].strip())
            case ["obj_info", *_] | []:
                pass
            case ["format", word, "1.0"] if word in _ENCODINGS and encoding is None:
                encoding = _ENCODINGS[word]
            case ["element", title, count] if _is_count(count) and len(elements) < _MOST_ELEMENTS:
                elements.append(Element(_named(title, name), int(count)))
            case ["property", *words] if elements and len(elements[-1].properties) < _MOST_PROPERTIES:
                elements[-1].properties.append(_property(words, name))
            case _:
                raise InputError(f"{name} has a damaged PLY header: {line[:60]!r}")
    titles = [element.name for element in elements]
    columns = [(element.name, column.name) for element in elements for column in element.properties]
    if encoding is None or len(set(titles)) < len(titles) or len(set(columns)) < len(columns):
        raise InputError(f"{name} has a damaged PLY header")
    return Header(encoding, tuple(comments), tuple(elements))


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 12 and int(word) < _MOST_ROWS


def _named(word: str, name: str) -> str:
    if len(word) > _LONGEST_NAME or not word.isascii() or not word.isprintable():
        raise InputError(f"{name} has a damaged PLY header: the name {word[:60]!r}")
    return word


def _property(words: list[str], name: str) -> Property:
    match words:
        case ["list", length, item, title] if _TYPES.get(length, "f")[0] in "iu" and item in _TYPES:
            return Property(_named(title, name), _TYPES[item], _TYPES[length])
        case [kind, title] if kind in _TYPES:
            return Property(_named(title, name), _TYPES[kind])
        case _:
            pass
    raise InputError(f"{name} has a damaged PLY header: the property {' '.join(words)[:60]!r}")


def _short(name: str) -> InputError:
    return InputError(f"{name} is shorter than its header promises, or damaged", hint="Copy or download it again.")


def _binary_tables(data: NDArray[np.uint8], header: Header, wanted: set[str], name: str) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    at = 0
    for element in header.elements:
        if wanted <= tables.keys():
            break
        table, at = _binary_table(data, at, element, header.encoding, name)
        if element.name in wanted:
            tables[element.name] = table
    return tables


def _binary_table(data: NDArray[np.uint8], at: int, element: Element, order: str, name: str) -> tuple[Table, int]:
    """One table from byte ``at`` on, and where it ends."""
    lists = [p for p in element.properties if p.length_dtype]
    smallest = sum(np.dtype(p.length_dtype or p.dtype).itemsize for p in element.properties)
    if element.count * smallest > len(data) - at:
        raise _short(name)
    if not element.count or not element.properties:
        return _empty(element), at
    lengths = _first_lengths(data, at, element, order) if lists else []
    if lengths is not None:
        row = np.dtype(_row_type(element, lengths, order))
        end = at + element.count * row.itemsize
        if end <= len(data):
            rows = data[at:end].view(row)
            if all((rows[f"{p.name} length"] == k).all() for p, k in zip(lists, lengths, strict=True)):
                return _columns(rows, element), end
    if element.count > _MOST_RAGGED_ROWS:
        raise InputError(f"{name} holds more lists than can be read")
    return _ragged_table(data, at, element, order, name)


def _row_type(element: Element, lengths: list[int], order: str) -> list[tuple[Any, ...]]:
    row: list[tuple[Any, ...]] = []
    left = iter(lengths)
    for p in element.properties:
        if p.length_dtype:
            row += [(f"{p.name} length", order + p.length_dtype), (p.name, order + p.dtype, (next(left),))]
        else:
            row.append((p.name, order + p.dtype))
    return row


def _first_lengths(data: NDArray[np.uint8], at: int, element: Element, order: str) -> list[int] | None:
    """The lengths of the lists in the first row; None if it does not fit or is absurd."""
    lengths: list[int] = []
    for p in element.properties:
        kind = np.dtype(order + (p.length_dtype or p.dtype))
        if at + kind.itemsize > len(data):
            return None
        if p.length_dtype:
            length = int(data[at : at + kind.itemsize].view(kind)[0])
            if not 0 <= length <= 1 << 16:
                return None
            lengths.append(length)
            at += length * np.dtype(p.dtype).itemsize
        at += kind.itemsize
    return lengths


def _columns(rows: NDArray[Any], element: Element) -> Table:
    table: Table = {}
    for p in element.properties:
        values = np.ascontiguousarray(rows[p.name])
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if p.length_dtype:
            table[p.name] = Ragged(np.full(len(rows), values.shape[1], np.int64), values.reshape(-1))
        else:
            table[p.name] = values
    return table


def _empty(element: Element) -> Table:
    return {
        p.name: Ragged(np.zeros(0, np.int64), np.zeros(0, p.dtype)) if p.length_dtype else np.zeros(0, p.dtype)
        for p in element.properties
    }


def _ragged_table(data: NDArray[np.uint8], start: int, element: Element, order: str, name: str) -> tuple[Table, int]:
    """Row by row, for lists of different lengths."""
    raw = data.tobytes()
    at = start
    lengths: dict[str, list[int]] = {p.name: [] for p in element.properties}
    chunks: dict[str, list[bytes]] = {p.name: [] for p in element.properties}
    plan = [
        (struct.Struct(order + np.dtype(p.length_dtype).char) if p.length_dtype else None,
         np.dtype(p.dtype).itemsize, lengths[p.name], chunks[p.name])
        for p in element.properties
    ]  # fmt: skip
    for _ in range(element.count):
        for head, itemsize, known, pieces in plan:
            length = 1
            if head is not None:
                if at + head.size > len(raw):
                    raise _short(name)
                length = head.unpack_from(raw, at)[0]
                at += head.size
                known.append(length)
            end = at + length * itemsize
            if length < 0 or end > len(raw):
                raise _short(name)
            pieces.append(raw[at:end])
            at = end
    table: Table = {}
    for p in element.properties:
        values = np.frombuffer(b"".join(chunks[p.name]), order + p.dtype)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        table[p.name] = Ragged(np.array(lengths[p.name], np.int64), values) if p.length_dtype else values
    return table, at


def _text_tables(body: bytes, header: Header, wanted: set[str], name: str) -> dict[str, Table]:
    try:
        numbers = _numbers(body)
    except ValueError as error:
        raise InputError(f"{name} holds something that is not a number") from error
    tables: dict[str, Table] = {}
    at = 0
    for element in header.elements:
        if element.count * len(element.properties) > len(numbers) - at:
            raise _short(name)
        table, at = _text_table(numbers, at, element, name)
        if element.name in wanted:
            tables[element.name] = table
    return tables


def _numbers(body: bytes) -> NDArray[np.float64]:
    """All numbers of a text, a piece at a time: as single words they take many times the room of the text.

    Raises:
        ValueError: One is no number.
    """
    if b"_" in body:
        raise ValueError("a number holds '_'")  # which Python's own numbers may
    pieces: list[NDArray[np.float64]] = []
    start = 0
    while start < len(body):
        gap = _GAP.search(body, min(start + _PIECE, len(body)))
        end = gap.end() if gap else len(body)
        pieces.append(np.array(body[start:end].split(), dtype=np.float64))
        start = end
    return np.concatenate(pieces) if pieces else np.empty(0)


def _text_table(numbers: NDArray[np.float64], at: int, element: Element, name: str) -> tuple[Table, int]:
    if not element.count or not element.properties:
        return _empty(element), at
    if not any(p.length_dtype for p in element.properties):
        end = at + element.count * len(element.properties)
        rows = numbers[at:end].reshape(element.count, -1)
        return {p.name: _as_type(rows[:, i], p, name) for i, p in enumerate(element.properties)}, end
    lengths: dict[str, list[int]] = {p.name: [] for p in element.properties}
    pieces: dict[str, list[NDArray[np.float64]]] = {p.name: [] for p in element.properties}
    for _ in range(element.count):
        for p in element.properties:
            length = 1.0
            if p.length_dtype:
                if at >= len(numbers):
                    raise _short(name)
                length, at = float(numbers[at]), at + 1
            if not 0 <= length <= len(numbers) - at:
                raise _short(name)
            lengths[p.name].append(int(length))
            pieces[p.name].append(numbers[at : at + int(length)])
            at += int(length)
    table: Table = {}
    for p in element.properties:
        values = _as_type(np.concatenate(pieces[p.name]), p, name)
        table[p.name] = Ragged(np.array(lengths[p.name], np.int64), values) if p.length_dtype else values
    return table, at


def _as_type(values: NDArray[np.float64], p: Property, name: str) -> NDArray[Any]:
    """Numbers from text as the type the header gives them; a number that does not fit is damage."""
    kind = np.dtype(p.dtype)
    if kind.kind in "iu":
        bounds = np.iinfo(kind)
        if not ((values >= bounds.min) & (values <= bounds.max)).all():
            raise InputError(f"{name} holds a number that does not fit its column {p.name}")
    with np.errstate(over="ignore"):
        return values.astype(kind)
