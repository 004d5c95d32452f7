"""A writer of OpenEXR files that never holds more of a picture than a few rows for each core.

OpenEXR's own Python module wants every channel whole before it writes the first row. Source: "OpenEXR File Layout" of
the OpenEXR documentation: single part, scan lines, ZIP compression (blocks of 16 rows: bytes of even places first, then
those of odd ones, each as its difference to the one before, deflated).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import side_by_side
from unflat.types.image import Size

_MAGIC = b"\x76\x2f\x31\x01\x02\0\0\0"
_ZIP = 3
_BLOCK = 16
_LEVEL = 4
_PIXEL = {np.dtype(np.float16): 1, np.dtype(np.float32): 2}
Channels = Mapping[str, NDArray[Any]]
"""Rows of every channel: (rows, width) float16 or float32."""


def exr_attribute(name: str, value: Any) -> bytes:
    """One entry of a header: a text, a number, or numbers as an array.

    Args:
        name: At most 31 ASCII letters.
        value: str; float; 2 float32 (v2f), 8 (chromaticities), 4×4 (m44f); 4 int32 (box2i: left, top, right, bottom).

    Raises:
        KeyError: An array of another shape or type.
    """
    if isinstance(value, str):
        kind, data = "string", value.encode()
    elif isinstance(value, float):
        kind, data = "float", struct.pack("<f", value)
    else:
        array = np.asarray(value)
        kind = _ARRAYS[array.dtype.kind, array.shape]
        data = array.astype("<f4" if array.dtype.kind == "f" else "<i4").tobytes()
    return _entry(name, kind, data)


_ARRAYS = {
    ("f", (2,)): "v2f",
    ("f", (8,)): "chromaticities",
    ("f", (4, 4)): "m44f",
    ("i", (4,)): "box2i",
}


def write_blocks(draft: Path, size: Size, header: Mapping[str, Any], rows: Callable[[slice], Channels]) -> None:
    """Write an EXR.

    Args:
        draft: Where to.
        size: Of the data window.
        header: Attributes by name; windows, aspect and screen window that are not among them are those of a plain
            picture.
        rows: Makes these rows of all channels, always the same ones; called from several threads at once.

    Raises:
        OSError: The place takes no more.
    """
    whole = np.array((0, 0, size.width - 1, size.height - 1), np.int32)
    told: dict[str, Any] = {
        "dataWindow": whole,
        "displayWindow": whole,
        "pixelAspectRatio": 1.0,
        "screenWindowWidth": 1.0,
    }
    told |= {"screenWindowCenter": np.zeros(2, np.float32), **header}
    kinds = {name: part.dtype for name, part in rows(slice(0, 1)).items()}
    head = _MAGIC + b"".join(exr_attribute(name, value) for name, value in told.items())
    head += _entry("channels", "chlist", _channel_list(kinds)) + _entry("compression", "compression", bytes([_ZIP]))
    head += _entry("lineOrder", "lineOrder", b"\0") + b"\0"
    first, starts = int(told["dataWindow"][1]), range(0, size.height, _BLOCK)
    places: list[int] = []
    with draft.open("wb") as file:
        file.write(head + bytes(8 * len(starts)))
        for start, data in zip(starts, side_by_side(lambda y: _packed(rows, y, size), starts), strict=True):
            places.append(file.tell())
            file.write(struct.pack("<ii", first + start, len(data)) + data)
        file.seek(len(head))
        file.write(struct.pack(f"<{len(places)}Q", *places))


def _entry(name: str, kind: str, data: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data


def _channel_list(kinds: Mapping[str, np.dtype[Any]]) -> bytes:
    rows = (name.encode() + b"\0" + struct.pack("<iIii", _PIXEL[kinds[name]], 0, 1, 1) for name in sorted(kinds))
    return b"".join(rows) + b"\0"


def _packed(rows: Callable[[slice], Channels], start: int, size: Size) -> bytes:
    """One block: its rows, each with all its channels by name, made small if that is smaller."""
    stop = min(start + _BLOCK, size.height)
    channels = rows(slice(start, stop))
    parts = [np.ascontiguousarray(channels[name]).view(np.uint8) for name in sorted(channels)]
    plain = np.concatenate(parts, axis=1).ravel()
    sorted_out = np.concatenate((plain[0::2], plain[1::2]))
    steps = np.empty_like(sorted_out)
    steps[0] = sorted_out[0]
    np.subtract(sorted_out[1:], sorted_out[:-1], out=steps[1:])
    steps[1:] += np.uint8(128)
    small = zlib.compress(steps.data, _LEVEL)
    return small if len(small) < plain.size else plain.tobytes()
