"""The containers of depth files: one grey plane in PNG, EXR, NPY or PFM. What the numbers mean is not known here.

Sources: NEP 1 (NPY), Paul Debevec's PFM description (rows from the bottom up, the sign of the scale is the byte order;
the size of the scale is ignored, as Middlebury's files ask), OpenEXR.
"""

from __future__ import annotations

import io
import os
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import PngImagePlugin

from unflat.errors import InputError
from unflat.formats.decode import check_size, foreign_faults, opened
from unflat.formats.depth_sidecar import KEY
from unflat.formats.image import read_bytes
from unflat.formats.quiet import quiet
from unflat.types.arrays import F32

_EXR_KEY = "unflat_depth"
_EXR_NAMES = ("Z", "Y", "depth", "Depth", "D", "V", "R")
_PFM_HEAD = re.compile(rb"P([fF])\s+(\d{1,9})\s+(\d{1,9})\s+([-+]?[0-9.eE+-]{1,30})[ \t]*\r?\n")
_KINDS = {b"\x89PNG": "PNG", b"\x93NUM": "NPY", b"\x76\x2f\x31\x01": "EXR"}
_NPY_HEAD = 10_000


@dataclass(frozen=True, slots=True)
class Plane:
    """One grey plane as stored.

    Attributes:
        numbers: (h, w), uint8, uint16 or float.
        text: The sidecar's text inside the file, or None.
        confidence: (h, w) float32, or None.
    """

    numbers: NDArray[Any]
    text: str | None = None
    confidence: F32 | None = None


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
    return Plane(numbers if numbers.dtype == np.uint8 else numbers.astype(np.uint16), str(text) if text else None)


def _npy(data: bytes, name: str, max_pixels: int) -> Plane:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise InputError(f"{name} has an unknown version of NPY", hint="Save it with numpy.save.")
        head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = head(stream, max_header_size=_NPY_HEAD)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "its header is damaged"
        raise InputError(f"{name} cannot be read as NPY: {reason[:120]}", hint="Save it with numpy.save.") from error
    long = [n for n in shape if n != 1]
    if dtype.kind not in "fiu" or len(shape) > 4 or (len(shape) != 2 and len(long) != 2):
        raise InputError(
            f"{name} holds {dtype} of shape {shape}", hint="One plane of numbers is wanted: height, width."
        )
    height, width = shape if len(shape) == 2 else long
    check_size(name, width, height, max_pixels)
    count = height * width
    if len(data) - stream.tell() < count * dtype.itemsize:
        raise InputError(f"{name} is cut short", hint="Copy the file again.")
    flat = np.frombuffer(data, dtype, count, stream.tell())
    return Plane(flat.reshape((height, width), order="F" if fortran else "C"))


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
    import Imath  # noqa: PLC0415
    import OpenEXR  # noqa: PLC0415

    hint = "Save it again as a plain scan-line EXR with a channel Z."
    faults = (OSError, RuntimeError, ValueError, TypeError, KeyError)
    try:
        with quiet(), closing(OpenEXR.InputFile(os.fspath(path))) as file:
            header = file.header()
            window = header["dataWindow"]
            width, height = window.max.x - window.min.x + 1, window.max.y - window.min.y + 1
            check_size(path.name, width, height, max_pixels)
            names = list(header["channels"])
            chosen = next((n for n in _EXR_NAMES if n in names), names[0] if len(names) == 1 else None)
            if chosen is None:
                raise InputError(f"{path.name} has no channel Z, only {' '.join(names)[:80]}", hint=hint)
            float32 = Imath.PixelType(Imath.PixelType.FLOAT)
            wanted = [chosen, *(["confidence"] if "confidence" in names else [])]
            planes = [np.frombuffer(b, np.float32).reshape(height, width) for b in file.channels(wanted, float32)]
            text = header.get(_EXR_KEY)
    except faults as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path.name} cannot be read as EXR: {reason}", hint=hint) from error
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Plane(planes[0], str(said) if said else None, planes[1] if len(planes) > 1 else None)


def write_png(draft: Path, codes: NDArray[np.uint16], text: str) -> None:
    """A 16-bit grey PNG with the sidecar's text inside."""
    info = PngImagePlugin.PngInfo()
    info.add_text(KEY, text)
    Pil.fromarray(codes).save(draft, "PNG", pnginfo=info, compress_level=4)


def write_npy(draft: Path, values: F32, _text: str) -> None:
    """A C-ordered little-endian float32 array."""
    with draft.open("wb") as file:
        np.save(file, np.ascontiguousarray(values, "<f4"), allow_pickle=False)


def write_pfm(draft: Path, values: F32, _text: str) -> None:
    """A little-endian grey PFM."""
    height, width = values.shape
    with draft.open("wb") as file:
        file.write(f"Pf\n{width} {height}\n-1.0\n".encode())
        file.write(np.ascontiguousarray(values[::-1], "<f4").tobytes())


def write_exr(draft: Path, values: F32, text: str, confidence: F32 | None = None) -> None:
    """A ZIP-compressed EXR with the float32 channel Z, and ``confidence`` where known."""
    import OpenEXR  # noqa: PLC0415

    channels = {"Z": np.ascontiguousarray(values)}
    if confidence is not None:
        channels["confidence"] = np.ascontiguousarray(confidence)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, _EXR_KEY: text}
    try:
        OpenEXR.File(header, channels).write(os.fspath(draft))
    except RuntimeError as error:
        raise OSError(str(error)) from error
