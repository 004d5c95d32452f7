"""GLB and glTF 2.0: the scene that opens everywhere.

Written to be valid (glTF-Validator: no error, no warning), upright, in metres and the same bytes every time. What
stands where is said in :mod:`unflat.formats.gltf_parts`. Reading takes what we wrote and static glTF of others.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from unflat.errors import InputError
from unflat.formats.atomic import replacing, safe_stem
from unflat.formats.gltf_parts import Buffer, document_of
from unflat.formats.gltf_read import read
from unflat.formats.registry import ExportOptions
from unflat.types.scene import Scene

__all__ = ["glb_bytes", "read", "write"]

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_LARGEST = 0xFFFF_FFFF


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write ``scene`` as one .glb, or as .gltf with its .bin and textures beside it, all or nothing.

    Raises:
        InputError: The scene holds splats, nothing to draw, or more than the 4 GiB a .glb can hold.
        OutputError: The place cannot be written.
    """
    if path.suffix.lower() == ".gltf":
        _write_gltf(scene, path, options)
        return
    parts = _glb_parts(scene, options)
    with replacing(path, force=options.force) as (draft,), draft.open("wb") as file:
        file.writelines(parts)


def glb_bytes(scene: Scene, options: ExportOptions) -> bytes:
    """The same file in memory, for pages that carry it inside them.

    Raises:
        InputError: As :func:`write`.
    """
    return b"".join(_glb_parts(scene, options))


def _glb_parts(scene: Scene, options: ExportOptions) -> list[bytes | memoryview]:
    """Header, JSON chunk and binary chunk, not yet joined."""
    document, buffer = document_of(scene, None, options.texture_size, options.texture_quality)
    text = _text(document, buffer)
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.length
    if total > _LARGEST:
        raise InputError("the scene is larger than the 4 GiB of a .glb", hint="Write .gltf, or fewer triangles.")
    return [
        struct.pack("<III", _MAGIC, 2, total),
        struct.pack("<II", len(text), _JSON),
        text,
        struct.pack("<II", buffer.length, _BIN),
        *buffer.chunks,
    ]


def _write_gltf(scene: Scene, path: Path, options: ExportOptions) -> None:
    textures: list[tuple[Path, bytes]] = []
    stem = safe_stem(path.stem)

    def place(data: bytes, mime: str, extension: str) -> dict[str, Any]:
        number = f"-{len(textures) + 1}" if textures else ""
        name = f"{stem}.gltf{number}{extension}"  # never the name of the photograph it came from
        textures.append((path.with_name(name), data))
        return {"uri": name, "mimeType": mime}

    document, buffer = document_of(scene, place, options.texture_size, options.texture_quality)
    binary = path.with_name(f"{stem}.bin")
    text = _text(document, buffer, uri=binary.name)
    targets = (binary, *(target for target, _ in textures), path)
    with replacing(*targets, force=options.force) as drafts:
        with drafts[0].open("wb") as file:
            file.writelines(buffer.chunks)
        for draft, (_, data) in zip(drafts[1:-1], textures, strict=True):
            draft.write_bytes(data)
        drafts[-1].write_bytes(text)


def _text(document: dict[str, Any], buffer: Buffer, **more: str) -> bytes:
    """The document with its one buffer as JSON."""
    whole = {**document, "buffers": [{"byteLength": buffer.length, **more}]}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
