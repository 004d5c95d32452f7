"""What an ONNX file points to, read from its bytes before anything opens it.

ONNX is protocol buffers (onnx.proto3 of the ONNX specification). A tensor may lie in another file beside the model;
whoever wrote the model chose that file's name, so it is looked at first. Only the few messages in which a tensor may
stand are walked; everything else is stepped over.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

from unflat.errors import WeightsError

_Message = Literal["model", "graph", "node", "attribute", "tensor", "sparse", "function", "pair"]
_INSIDE: dict[_Message, dict[int, _Message]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {13: "pair"},
    "pair": {},
}
"""Message to the fields of it that lead to tensors."""
_METADATA = 14
"""Field of the model with its metadata: pairs of key 1 and value 2."""
_DEEPEST = 48
_MOST_FIELDS = 2_000_000
"""Of the messages that are walked; the largest networks have some hundred thousand."""
_LARGEST = 2**31 - 1
_LARGEST_BESIDE = 16 * 2**30
_HINT = "Fetch it again from where it came from; a network is one .onnx file and the data files beside it."


def files_of(path: Path) -> tuple[Path, ...]:
    """The model and the data files it points to, all in its own folder.

    Raises:
        WeightsError: Missing, too large, no ONNX, or it points to a file that is not in its folder.
    """
    if not path.is_file():
        raise WeightsError(f"there is no file {path}", hint="Check the spelling and the folder.")
    size = path.stat().st_size
    if not 0 < size <= _LARGEST:
        raise WeightsError(f"'{path.name}' has {size} bytes, which no ONNX file has", hint=_HINT)
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            left = iter(range(_MOST_FIELDS))
            fields = {number for number, _, _ in _fields(data, 0, len(data), left)}
            names = sorted(set(_locations(data, 0, len(data), "model", 0, left)))
        except (IndexError, UnicodeDecodeError, ValueError) as error:
            raise WeightsError(f"'{path.name}' is no ONNX file, or damaged: {error}", hint=_HINT) from error
    if not {1, 7} <= fields:
        raise WeightsError(f"'{path.name}' is no ONNX file", hint=_HINT)
    beside = tuple(_beside(path, name) for name in names)
    if sum(one.stat().st_size for one in beside) > _LARGEST_BESIDE:
        raise WeightsError(f"the data files of '{path.name}' are larger than 16 GB", hint=_HINT)
    return (path, *beside)


def metadata_of(path: Path) -> dict[str, str]:
    """The graph's own metadata, of a file that :func:`files_of` has walked.

    Raises:
        WeightsError: It is damaged.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            left = iter(range(_MOST_FIELDS))
            entries = [
                {field: data[a:b].decode("utf-8") for field, a, b in _fields(data, at, stop, left) if b >= 0}
                for number, at, stop in _fields(data, 0, len(data), left)
                if number == _METADATA and stop >= 0
            ]
        except (IndexError, UnicodeDecodeError, ValueError) as error:
            raise WeightsError(f"the metadata in '{path.name}' is damaged: {error}", hint=_HINT) from error
    return {entry.get(1, ""): entry.get(2, "") for entry in entries}


def digest_of(files: tuple[Path, ...]) -> str:
    """The sha256 of one file; of several, that of their lines ``sha256  name`` in the order of their names."""
    one = {file.name: sha256_of(file) for file in files}
    if len(one) == 1:
        return next(iter(one.values()))
    return hashlib.sha256("".join(f"{one[name]}  {name}\n" for name in sorted(one)).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes; computed again in one process only when the file was touched."""
    about = path.stat()
    return _digest(path.absolute(), about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=64)
def _digest(path: Path, modified_ns: int, size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _beside(path: Path, name: str) -> Path:
    """A data file by the name that the model gives it: a relative one that stays in the model's folder.

    No name holds a star: onnxruntime takes ``*/_ORT_MEM_ADDR_/*`` for an address in memory.
    """
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    whole = bool(name) and not posix.is_absolute() and not windows.drive and not windows.root
    if not whole or ".." in posix.parts or ".." in windows.parts or any(sign < " " or sign == "*" for sign in name):
        raise WeightsError(f"'{path.name}' points to '{name:.80}', outside its own folder", hint="Do not trust it.")
    target = path.parent / name
    if not target.is_file():
        raise WeightsError(f"'{path.name}' needs the data file '{name:.80}' beside it", hint=_HINT)
    if not target.resolve().is_relative_to(path.parent.resolve()):
        raise WeightsError(f"'{path.name}' points to '{name:.80}', outside its own folder", hint="Do not trust it.")
    return target


def _locations(
    data: mmap.mmap, start: int, end: int, message: _Message, depth: int, left: Iterator[int]
) -> Iterator[str]:
    """The names of all data files in one message; ``left`` is as long as fields may still be walked."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    for number, at, stop in _fields(data, start, end, left):
        inner = _INSIDE[message].get(number)
        if inner is None:
            continue
        if stop < 0:
            raise ValueError("a message is not one")
        if inner == "pair":
            said = {field: data[a:b] for field, a, b in _fields(data, at, stop, left) if b >= 0}
            if said.get(1) == b"location":
                yield said.get(2, b"").decode("utf-8")
        else:
            yield from _locations(data, at, stop, inner, depth + 1, left)


def _fields(data: mmap.mmap, at: int, end: int, left: Iterator[int]) -> Iterator[tuple[int, int, int]]:
    """Field number, first byte, and the byte after the last (-1 for plain numbers) of each field in a message."""
    while at < end:
        if next(left, None) is None:
            raise ValueError("it has too many parts")
        key, at = _varint(data, at, end)
        if key >> 32:  # readers that keep 32 bits of it would see another field than is seen here
            raise ValueError("a field's number is too large")
        number, wire = key >> 3, key & 7
        if wire == 0:
            _, after = _varint(data, at, end)
            yield number, at, -1
        elif wire == 2:
            length, at = _varint(data, at, end)
            after = at + length
            if after > end:
                raise ValueError("it ends too early")
            yield number, at, after
        elif wire in (1, 5):
            after = at + (8 if wire == 1 else 4)
            yield number, at, -1
        else:
            raise ValueError(f"no field is of type {wire}")
        if number == 0 or after > end:
            raise ValueError("it ends too early" if number else "a field without a number")
        at = after


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError("it ends too early")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")
