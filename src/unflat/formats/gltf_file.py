"""A glTF file as it lies on the disk, opened with distrust.

Gives the JSON document, checked, and typed arrays out of its buffers. Lengths, offsets, counts and names of other
files are believed only after they were measured: nothing outside the file's own folder is read, nothing is fetched.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.plain import is_list, is_object

MAX_FILE_BYTES = 2 << 30
MAX_JSON_BYTES = 32 << 20
MAX_NUMBERS = 100_000_000
"""How many numbers all arrays of one file may hold together; a small file may name the same bytes many times."""

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HARMLESS = re.compile(
    r"KHR_materials_\w+|KHR_mesh_quantization|KHR_lights_punctual|KHR_animation_pointer|KHR_xmp(_json_ld)?"
)


@dataclass(slots=True)
class GltfFile:
    """An opened file.

    Attributes:
        name: The file's name, for messages.
        folder: Where a .gltf may look for its buffers and pictures; None for a .glb, which holds all itself.
        document: The JSON.
        binary: The binary chunk of a .glb.
    """

    name: str
    folder: Path | None
    document: dict[str, Any]
    binary: bytes | None
    _buffers: dict[object, memoryview] = field(default_factory=dict[object, memoryview])
    _numbers: int = 0

    @staticmethod
    def open(path: Path) -> GltfFile:
        """Open a .glb or .gltf.

        Raises:
            InputError: Missing, too large, damaged, or in need of an extension that is not known here.
        """
        return GltfFile.of(_bytes_of(path), path.name, path.parent)

    @staticmethod
    def of(data: bytes, name: str, folder: Path | None) -> GltfFile:
        """The same from the bytes of a file; ``folder`` is where a .gltf may look for its parts.

        Raises:
            InputError: Damaged, or in need of an extension that is not known here.
        """
        if data[:4] == b"glTF":
            text, binary = _chunks(data, name)
            file = GltfFile(name, None, _document(text, name), binary)
        else:
            file = GltfFile(name, folder, _document(data, name), None)
        asset = file.document.get("asset")
        version = asset.get("version") if is_object(asset) else None
        if not isinstance(version, str) or not version.startswith("2."):
            file.damaged("it is not glTF 2")
        required = file.document.get("extensionsRequired", [])
        for extension in required if is_list(required) else [required]:
            if not isinstance(extension, str) or not _HARMLESS.fullmatch(extension):
                raise InputError(
                    f"{file.name} needs {str(extension)[:60]}, which is not read here",
                    hint="Export it again without compression or extensions.",
                )
        return file

    def damaged(self, what: str) -> NoReturn:
        """Refuse the file."""
        raise InputError(f"{self.name} is damaged: {what}", hint="Open it in another program and export it again.")

    def entry(self, kind: str, number: object) -> dict[str, Any]:
        """Object ``number`` of the list ``kind`` ("meshes", "nodes" …)."""
        entries = self.document.get(kind)
        if not is_list(entries) or isinstance(number, bool) or not isinstance(number, int):
            self.damaged(f"it names one of its {kind} wrongly")
        found: object = entries[number] if 0 <= number < len(entries) else None
        if not is_object(found):
            self.damaged(f"there is no number {number} among its {kind}")
        return found

    def part(self, entry: dict[str, Any], key: str) -> dict[str, Any]:
        """The object under ``key``; an empty one where there is none."""
        value = entry.get(key, {})
        return value if is_object(value) else self.damaged(f"{key} is not an object")

    def whole(self, entry: dict[str, Any], key: str, default: int | None = None) -> int:
        """The whole number >= 0 under ``key``."""
        value = entry.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_FILE_BYTES:
            self.damaged(f"{key} is {str(value)[:40]!r}")
        return value

    def numbers(self, entry: dict[str, Any], key: str, default: list[float]) -> list[float]:
        """The list of finite numbers under ``key``, as long as ``default``."""
        value = entry.get(key, default)
        if not is_list(value) or len(value) != len(default):
            self.damaged(f"{key} must be {len(default)} numbers")
        return [self.finite(each, key) for each in value]

    def finite(self, value: object, key: str) -> float:
        """``value`` as a finite number of reasonable size."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e30:
            self.damaged(f"{key} is {str(value)[:40]!r}")
        return float(value)

    def floats(self, number: object, kinds: tuple[str, ...]) -> NDArray[np.float32]:
        """Accessor ``number`` as (n, k) float32, integers scaled to -1..1 where the file says so."""
        raw = self.array(number, kinds)
        if raw.dtype.kind == "f":
            if not np.isfinite(raw).all():
                self.damaged("an array holds values that are not finite")
            return raw.astype(np.float32, copy=False)
        if not self.entry("accessors", number).get("normalized"):
            return raw.astype(np.float32)
        scaled = raw.astype(np.float64) / np.iinfo(raw.dtype).max
        return np.maximum(scaled, -1).astype(np.float32)

    def array(self, number: object, kinds: tuple[str, ...]) -> NDArray[Any]:
        """Accessor ``number`` as an (n, k) array of its own type; ``kinds`` are the shapes allowed ("VEC3" …)."""
        accessor = self.entry("accessors", number)
        kind, component = accessor.get("type"), accessor.get("componentType")
        if kind not in kinds or not isinstance(component, int) or component not in _COMPONENTS:
            self.damaged(f"an array has the type {str(kind)[:20]} {str(component)[:20]}")
        if "sparse" in accessor or "bufferView" not in accessor:
            raise InputError(f"{self.name} holds sparse arrays, which are not read here")
        dtype, width, count = np.dtype(_COMPONENTS[component]), _WIDTHS[kind], self.whole(accessor, "count")
        self._numbers += count * width
        if self._numbers > MAX_NUMBERS:
            raise InputError(f"{self.name} holds more than {MAX_NUMBERS:,} numbers")
        view = self.entry("bufferViews", accessor["bufferView"])
        data, offset = self.view(accessor["bufferView"]), self.whole(accessor, "byteOffset", 0)
        size = dtype.itemsize * width
        stride = self.whole(view, "byteStride", size)
        if count < 1 or stride < size or stride > 4096 or offset + (count - 1) * stride + size > len(data):
            self.damaged("an array reaches beyond its buffer")
        return np.ndarray((count, width), dtype, data, offset, (stride, dtype.itemsize)).copy()

    def view(self, number: object) -> memoryview:
        """The bytes of bufferView ``number``."""
        view = self.entry("bufferViews", number)
        data = self._buffer(view.get("buffer"))
        start, length = self.whole(view, "byteOffset", 0), self.whole(view, "byteLength")
        if start + length > len(data):
            self.damaged("a part of a buffer reaches beyond it")
        return data[start : start + length]

    def picture(self, number: object) -> bytes:
        """The encoded bytes of image ``number``."""
        entry = self.entry("images", number)
        if "bufferView" in entry:
            return bytes(self.view(entry["bufferView"]))
        return self._outside(entry.get("uri"))

    def _buffer(self, number: object) -> memoryview:
        entry = self.entry("buffers", number)
        if number not in self._buffers:
            inside = "uri" not in entry and number == 0 and self.binary is not None
            data = self.binary if inside and self.binary is not None else self._outside(entry.get("uri"))
            length = self.whole(entry, "byteLength")
            if length > len(data):
                self.damaged("a buffer is shorter than it says")
            self._buffers[number] = memoryview(data)[:length]
        return self._buffers[number]

    def _outside(self, uri: object) -> bytes:
        """What a URI names: data within it, or a file in the folder of a .gltf. Nothing else is followed."""
        if not isinstance(uri, str):
            self.damaged("a buffer or picture says not where it is")
        if uri.startswith("data:"):
            head, comma, body = uri.partition(",")
            if not comma or not head.endswith(";base64"):
                self.damaged("a data URI is not base64")
            try:
                return base64.b64decode(body, validate=True)
            except (binascii.Error, ValueError) as error:
                raise InputError(f"{self.name} is damaged: a data URI is not base64") from error
        relative = unquote(uri)
        if self.folder is None or _SCHEME.match(uri) or "\0" in relative:
            raise InputError(
                f"{self.name} wants {uri[:80]!r}, which is not read", hint="Export it with all data inside."
            )
        return _bytes_of(self._beside(self.folder, relative))

    def _beside(self, folder: Path, relative: str) -> Path:
        """A file inside the folder of the .gltf, also after links are followed."""
        try:
            root = folder.resolve()
            target = (root / relative).resolve()
        except (OSError, RuntimeError) as error:
            raise InputError(f"{self.name} wants a file that cannot be found: {error}") from error
        if not target.is_relative_to(root):
            raise InputError(f"{self.name} wants a file outside its folder: {relative[:80]!r}", hint="Put it beside.")
        return target


def _bytes_of(path: Path) -> bytes:
    """A whole regular file, if it is not too large."""
    try:
        if not path.is_file():
            raise InputError(f"there is no file {path.name}")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path.name} is larger than {MAX_FILE_BYTES >> 30} GiB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name[:80]} cannot be read: {error.strerror or error}") from error


def _chunks(data: bytes, name: str) -> tuple[bytes, bytes | None]:
    """The JSON and the binary chunk of a .glb; chunks of other kinds are passed over."""
    short = InputError(f"{name} is damaged: it ends too early")
    if len(data) < 20:
        raise short
    _, version, total = struct.unpack_from("<III", data)
    if version != 2 or total > len(data):
        raise short if version == 2 else InputError(f"{name} is GLB version {version}, only 2 is read")
    found: dict[int, bytes] = {}
    at = 12
    while at + 8 <= total:
        length, kind = struct.unpack_from("<II", data, at)
        if at + 8 + length > total:
            raise short
        if kind in (_JSON, _BIN):
            found.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length
    if _JSON not in found:
        raise InputError(f"{name} is damaged: it has no description")
    return found[_JSON], found.get(_BIN)


def _document(text: bytes, name: str) -> dict[str, Any]:
    if len(text) > MAX_JSON_BYTES:
        raise InputError(f"the description inside {name} is larger than {MAX_JSON_BYTES >> 20} MiB")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not glTF: {str(error)[:80]}") from error
    if not is_object(document):
        raise InputError(f"{name} is not glTF: it holds no object")
    return document


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
