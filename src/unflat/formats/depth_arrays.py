"""The containers of depth files: one grey plane in PNG, EXR, NPY or PFM. What the numbers mean is not known here.

Sources: NEP 1 (NPY), Paul Debevec's PFM description (rows from the bottom up, the sign of the scale is the byte order;
the size of the scale is ignored, as Middlebury's files ask), OpenEXR.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import PngImagePlugin

from unflat.errors import InputError
from unflat.formats import exr_child
from unflat.formats.decode import check_size, foreign_faults, opened
from unflat.formats.depth_sidecar import KEY
from unflat.formats.exr_blocks import write_blocks
from unflat.formats.image import read_bytes
from unflat.formats.told_rights import XMP_KEY
from unflat.types.arrays import F32
from unflat.types.image import Size

_PATIENCE_S = 300
_PFM_HEAD = re.compile(rb"P([fF])\s+(\d{1,9})\s+(\d{1,9})\s+([-+]?[0-9.eE+-]{1,30})[ \t]*\r?\n")
_KINDS = {b"\x89PNG": "PNG", b"\x93NUM": "NPY", b"\x76\x2f\x31\x01": "EXR"}
_NPY_HEAD = re.compile(
    rb"\{'descr': '([<>=|]?(?:f[248]|[iu][1248]))', 'fortran_order': (True|False), "
    rb"'shape': \(([0-9, ]{1,80})\), ?\}[ \n]*"
)
_LONGEST_NPY_HEAD = 10_000


@dataclass(frozen=True, slots=True)
class Plane:
    """One grey plane as stored.

    Attributes:
        numbers: (h, w), uint8, uint16 or float.
        text: The sidecar's text inside the file, or None.
        confidence: (h, w) float32, or None.
        codes: The numbers are whole codes of a PNG rather than the values themselves.
    """

    numbers: NDArray[Any]
    text: str | None = None
    confidence: F32 | None = None
    codes: bool = False


def read_plane(path: Path, max_pixels: int) -> Plane:
    """Read one plane; the content decides the format.

    Raises:
        InputError: Not a depth file, damaged, of several different channels, or too large.
    """
    data = read_bytes(path)
    kind = "PFM" if data[:2] in (b"Pf", b"PF") else _KINDS.get(data[:4])
    if kind == "PNG":
        return _png(data, path.name, max_pixels)
    if kind == "EXR":
        return _exr(path, max_pixels)
    if kind == "NPY":
        return _npy(data, path.name, max_pixels)
    if kind == "PFM":
        return _pfm(data, path.name, max_pixels)
    hint = "Depth is read from 16-bit PNG, EXR, NPY and PFM."
    if data.startswith(b"\xff\xd8"):
        raise InputError(f"{path.name} is a JPEG; its greys are no longer depth", hint=hint)
    raise InputError(f"{path.name} is not a depth file that can be read", hint=hint)


def _png(data: bytes, name: str, max_pixels: int) -> Plane:
    with foreign_faults(name):
        picture = opened(data, "PNG")
        check_size(name, picture.size[0], picture.size[1], max_pixels)
        picture.load()
        text = picture.info.get(KEY)
        mode = picture.mode
        numbers = np.asarray(picture.convert("RGB") if mode == "P" else picture)
    if mode == "1":
        raise InputError(f"{name} has only black and white", hint="Give a 16-bit PNG.")
    if numbers.ndim == 3:
        colours = numbers[..., : 1 if mode == "LA" else 3]
        if not (colours == colours[..., :1]).all():
            raise InputError(f"{name} is a coloured picture, not depth", hint="Give the grey 16-bit PNG, EXR or NPY.")
        numbers = colours[..., 0]
    return Plane(
        numbers if numbers.dtype == np.uint8 else numbers.astype(np.uint16), str(text) if text else None, codes=True
    )


def _npy(data: bytes, name: str, max_pixels: int) -> Plane:
    """The header is matched, never evaluated: anything but a plain array of numbers does not match."""
    version, wide = data[6:7], 2 if data[6:7] == b"\x01" else 4
    start = 8 + wide
    length = int.from_bytes(data[8:start], "little")
    head = _NPY_HEAD.fullmatch(data[start : start + min(length, _LONGEST_NPY_HEAD)])
    if version not in (b"\x01", b"\x02", b"\x03") or head is None:
        raise InputError(f"{name} is not an NPY file of plain numbers", hint="Save one plane with numpy.save.")
    shape = [int(n) for n in head[3].split(b",") if n.strip()]
    long = [n for n in shape if n != 1]
    if len(shape) > 4 or (len(shape) != 2 and len(long) != 2):
        raise InputError(f"{name} has the shape {tuple(shape)}", hint="One plane of numbers is wanted: height, width.")
    height, width = shape if len(shape) == 2 else long
    check_size(name, width, height, max_pixels)
    dtype, count = np.dtype(head[1].decode()), height * width
    if len(data) - start - length < count * dtype.itemsize:
        raise InputError(f"{name} is cut short", hint="Copy the file again.")
    flat = np.frombuffer(data, dtype, count, start + length)
    return Plane(flat.reshape((height, width), order="F" if head[2] == b"True" else "C"))


def _pfm(data: bytes, name: str, max_pixels: int) -> Plane:
    head = _PFM_HEAD.match(data)
    try:
        scale = float(head[4]) if head else 0.0
    except ValueError:
        scale = 0.0
    if head is None or scale == 0:
        raise InputError(f"{name} cannot be read as PFM: its header is damaged", hint="Save it again.")
    if head[1] == b"F":
        raise InputError(f"{name} is a coloured PFM", hint="One plane is wanted: a PFM that begins with Pf.")
    width, height = int(head[2]), int(head[3])
    check_size(name, width, height, max_pixels)
    if len(data) - head.end() < width * height * 4:
        raise InputError(f"{name} is cut short", hint="Copy the file again.")
    rows = np.frombuffer(data, "<f4" if scale < 0 else ">f4", width * height, head.end()).reshape(height, width)
    return Plane(rows[::-1])


def _exr(path: Path, max_pixels: int) -> Plane:
    words, body = ask_exr(path, max_pixels, "plane")
    width, height = words["size"]
    planes = np.frombuffer(body, np.float32).reshape(words["planes"], height, width)
    return Plane(planes[0], words["text"], planes[1] if len(planes) > 1 else None)


def ask_exr(path: Path, max_pixels: int, what: str) -> tuple[dict[str, Any], bytes]:
    """Read through ``exr_child``: a file that crashes OpenEXR ends that process, not ours.

    Args:
        path: The file.
        max_pixels: More is refused before it is decoded.
        what: "plane" or "layers".

    Returns:
        The child's words, and the bytes after them.

    Raises:
        InputError: Damaged, too large, or without what is asked for.
    """
    hint = "Save it again as a plain scan-line EXR with a channel Z."
    command = [sys.executable, "-P", exr_child.__file__, os.fspath(path.resolve()), str(max_pixels), what]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path.name} takes too long to read", hint=hint) from error
    head, _, body = done.stdout.partition(b"\n")
    try:
        words: dict[str, Any] = json.loads(head)
    except ValueError:
        words = {"error": "OpenEXR broke off"}
    if "error" in words or done.returncode:
        reason = words.get("error", "OpenEXR broke off")
        raise InputError(f"{path.name} cannot be read as EXR: {reason}", hint=hint)
    return words, body


def write_png(draft: Path, codes: NDArray[np.uint16], text: str, packet: str | None = None) -> None:
    """A 16-bit grey PNG with the sidecar's text inside, and an XMP packet."""
    info = PngImagePlugin.PngInfo()
    info.add_text(KEY, text)
    if packet:
        info.add_itxt(XMP_KEY, packet)
    Pil.fromarray(codes).save(draft, "PNG", pnginfo=info, compress_level=4)


def write_npy(draft: Path, values: F32, _text: str) -> None:
    """A C-ordered little-endian float32 array."""
    array = np.ascontiguousarray(values, "<f4")
    with draft.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)  # numpy's own way does not say why a disk took no more


def write_pfm(draft: Path, values: F32, _text: str) -> None:
    """A little-endian grey PFM."""
    height, width = values.shape
    with draft.open("wb") as file:
        file.write(f"Pf\n{width} {height}\n-1.0\n".encode())
        file.write(np.ascontiguousarray(values[::-1], "<f4").tobytes())


def write_exr(
    draft: Path, values: F32, text: str, confidence: F32 | None = None, told: Mapping[str, str] | None = None
) -> None:
    """A ZIP-compressed EXR with the float32 channel Z, ``confidence`` where known, and attributes."""
    planes = {"Z": values} | ({} if confidence is None else {"confidence": confidence})
    size = Size(values.shape[1], values.shape[0])
    header = {**(told or {}), exr_child.TEXT: text}
    write_blocks(draft, size, header, lambda rows: {name: all_[rows] for name, all_ in planes.items()})
