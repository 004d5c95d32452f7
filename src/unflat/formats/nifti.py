"""NIfTI-1, NIfTI-2 and Analyze 7.5 volumes, read plane by plane.

Sources: nifti1.h and nifti2.h (NIMH, 2004 and 2011), the Analyze 7.5 file format (Mayo, 1990). NIfTI's world is RAS, so
x and y change their sign on the way to the patient's LPS. Their header fields for texts (descrip, db_name, aux_file and
others, which people fill with names) are never looked at.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from unflat.errors import InputError
from unflat.formats.raw_voxels import RawVoxels, unpacked
from unflat.formats.volume_blobs import Blob
from unflat.formats.volume_parts import UNPLACED, Plane, Stack
from unflat.types.arrays import F64

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
_TYPES = {
    **{2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"},
    **{256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"},
}
_COLOURS, _COMPLEX = (128, 2304), (32, 1792, 2048)
_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_HEAD = 544
_SCANNER, _TEMPLATE = (1, 2), 3
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_HINT = "Convert it with another program, for example to NIfTI with one number a voxel."


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What a NIfTI header says, of what is used.

    Attributes:
        dim: How many axes, then the length of each.
        pixdim: The handedness of the qform (0 or 1: right, −1: left), then the voxel's sides in the file's unit.
        datatype: NIfTI's code of the number type.
        offset: Where the voxels begin.
        scale: Slope and intercept.
        codes: qform_code and sform_code; None for Analyze, which has neither.
        quatern: b, c, d, then the offsets x, y, z.
        srow: (3, 4) of the sform.
        unit: NIfTI's code of the unit of length.
        order: "<" or ">".
        apart: Whether the voxels are in a file of their own.
    """

    dim: tuple[int, ...]
    pixdim: tuple[float, ...]
    datatype: int
    offset: int
    scale: tuple[float, float]
    codes: tuple[int, int] | None
    quatern: tuple[float, ...]
    srow: F64
    unit: int
    order: str
    apart: bool


def is_nifti(head: bytes) -> bool:
    """Whether a file's first bytes, packed or not, look like a NIfTI or Analyze header."""
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(31).decompress(head, _HEAD)
        except zlib.error:
            return False
    order = _order(head)
    return order is not None


def _order(head: bytes) -> str | None:
    for order in "<>":
        if len(head) >= 348 and struct.unpack_from(order + "i", head)[0] in (348, 540):
            return order
    return None


def read_stack(blob: Blob, notes: list[str]) -> Stack:
    """What the header says; what is odd is noted.

    Raises:
        InputError: Damaged, of colours or complex numbers, of one slice only, or without its second file.
    """
    packed = blob.head(2) == b"\x1f\x8b"
    try:
        with unpacked(blob, "gzip" if packed else "raw") as stream:
            head = stream.read(_HEAD)
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise InputError("the file does not unpack", hint="It is damaged; copy it again.") from error
    header = _header(head)
    shape = _shape(header, notes)
    matrix = _affine(header, notes)
    voxels = RawVoxels(*_place(blob, header, packed), _dtype(header), shape)
    voxels.check()
    slope, offset = _scale(header.scale, notes)

    def planes(_: list[str]) -> Iterator[Plane]:
        return (scaled(plane, slope, offset) for plane in voxels.planes())

    return Stack(shape, voxels.dtype, matrix, planes)


def scaled(plane: Plane, slope: float, offset: float) -> Plane:
    """``slope`` · plane + ``offset``; whole numbers by whole numbers stay whole."""
    if (slope, offset) == (1, 0):
        return plane
    small = plane.dtype.kind in "iu" and plane.dtype.itemsize <= 4 and abs(slope) < 2**15 and abs(offset) < 2**40
    if small and slope == int(slope) and offset == int(offset):
        return plane.astype(np.int64) * int(slope) + int(offset)
    return plane.astype(np.float64) * slope + offset


def _header(head: bytes) -> Header:
    order = _order(head)
    if order is None:
        raise InputError("the file is no NIfTI volume, or a damaged one", hint="Copy it again.")
    size = struct.unpack_from(order + "i", head)[0]
    if size == 540:
        if len(head) < 540:
            raise InputError("the file ends within its header", hint="Copy it again.")
        magic = head[4:7]
        dim, pixdim = struct.unpack_from(order + "8q", head, 16), struct.unpack_from(order + "8d", head, 104)
        datatype, offset = struct.unpack_from(order + "h", head, 12)[0], struct.unpack_from(order + "q", head, 168)[0]
        scale = struct.unpack_from(order + "2d", head, 176)
        codes = struct.unpack_from(order + "2i", head, 344)
        quatern, srow = struct.unpack_from(order + "6d", head, 352), struct.unpack_from(order + "12d", head, 400)
        unit = struct.unpack_from(order + "i", head, 500)[0]
    else:
        magic = head[344:347]
        dim, pixdim = struct.unpack_from(order + "8h", head, 40), struct.unpack_from(order + "8f", head, 76)
        datatype, place = struct.unpack_from(order + "h", head, 70)[0], struct.unpack_from(order + "f", head, 108)[0]
        offset = int(place) if np.isfinite(place) else -1
        scale = struct.unpack_from(order + "2f", head, 112)
        codes = struct.unpack_from(order + "2h", head, 252)
        quatern, srow = struct.unpack_from(order + "6f", head, 256), struct.unpack_from(order + "12f", head, 280)
        unit = head[123]
    known = magic in (b"n+1", b"ni1", b"n+2", b"ni2")
    return Header(
        dim=tuple(dim),
        pixdim=tuple(pixdim),
        datatype=datatype,
        offset=offset,
        scale=scale if known else (1.0, 0.0),
        codes=codes if known else None,
        quatern=tuple(quatern),
        srow=np.array(srow, np.float64).reshape(3, 4),
        unit=unit & 7 if known else 2,
        order=order,
        apart=not known or magic[1:2] == b"i",
    )


def _shape(header: Header, notes: list[str]) -> tuple[int, int, int]:
    axes = header.dim[0]
    if not 1 <= axes <= 7 or min(header.dim[1 : axes + 1]) < 1:
        raise InputError("the sizes in its header make no sense", hint="It is damaged; copy it again.")
    sides = (*header.dim[1 : axes + 1], 1, 1)
    w, h, d = sides[:3]
    if min(w, h, d) < 2:
        raise InputError("it is one slice, and a volume needs two or more", hint="Give the file of the whole scan.")
    more = int(np.prod([float(side) for side in sides[3:]]))
    if more > 1:
        notes.append(f"it holds {more} volumes one after the other; the first was read")
    return d, h, w


def _dtype(header: Header) -> np.dtype[Any]:
    if header.datatype in _COLOURS:
        raise InputError("its voxels are colours, not measured values", hint=_HINT)
    if header.datatype in _COMPLEX:
        raise InputError("its voxels are complex or 128-bit numbers", hint=_HINT)
    if header.datatype not in _TYPES:
        raise InputError(f"its voxels are of a type that NIfTI has not ({header.datatype})", hint=_HINT)
    return np.dtype(header.order + _TYPES[header.datatype])


def _place(blob: Blob, header: Header, packed: bool) -> tuple[Blob, Any, tuple[int, int]]:
    """The file with the voxels, how it is packed, and the bytes before them."""
    if header.offset < 0:
        raise InputError("its voxels would begin before the file", hint="It is damaged; copy it again.")
    if not header.apart:
        return blob, "gzip" if packed else "raw", (0, header.offset) if packed else (header.offset, 0)
    stem = blob.name.rpartition("/")[2]
    stem = stem[: len(stem) - len(blob.suffix)] if blob.suffix in SUFFIXES else stem
    for suffix in (".img", ".img.gz", ".IMG"):
        other = blob.beside(stem + suffix)
        if other is not None:
            gz = other.head(2) == b"\x1f\x8b"
            return other, "gzip" if gz else "raw", (0, header.offset) if gz else (header.offset, 0)
    raise InputError("the file with its voxels (.img) is not beside it", hint="Put both files into one folder.")


def _scale(scale: tuple[float, float], notes: list[str]) -> tuple[float, float]:
    slope, offset = scale
    if slope == 0 or not np.isfinite([slope, offset]).all():
        if not np.isfinite([slope, offset]).all() and not np.isnan(slope):
            notes.append("its slope and intercept are no numbers and were left out")
        return 1.0, 0.0
    return float(slope), float(offset)


def _affine(header: Header, notes: list[str]) -> F64:
    """(4, 4) to millimetres of LPS."""
    if header.codes is None:
        notes.append("it is of the old Analyze format")
    q_code, s_code = header.codes or (0, 0)
    ways: list[F64] = []
    template = s_code >= _TEMPLATE and q_code in _SCANNER
    if s_code > 0 and not template:
        ways.append(np.vstack([header.srow, (0, 0, 0, 1)]))
    if q_code > 0:
        ways.append(_of_quaternion(header))
    if template:
        notes.append("of its two places, the scanner's and a template's, the scanner's was taken")
        ways.append(np.vstack([header.srow, (0, 0, 0, 1)]))
    chosen = next((way for way in ways if _spans(way)), None)
    if chosen is None:
        chosen = _of_sides(header)
        notes.append(UNPLACED)
    if header.unit == 0 and header.codes is not None:
        notes.append("it does not tell its unit of length: millimetres were assumed")
    if header.unit not in _MM:
        notes.append("its unit of length is none that NIfTI has: millimetres were assumed")
    scale = np.diag([_MM.get(header.unit, 1.0)] * 3 + [1.0])
    return LPS_FROM_RAS @ scale @ chosen


def _spans(matrix: F64) -> bool:
    sides = np.linalg.norm(matrix[:3, :3], axis=0)
    return bool(np.isfinite(matrix).all() and (sides > 0).all() and abs(np.linalg.det(matrix[:3, :3] / sides)) > 1e-4)


def _of_quaternion(header: Header) -> F64:
    """nifti1.h, method 2: a unit quaternion whose real part is not negative."""
    b, c, d, *origin = header.quatern
    square = 1 - b * b - c * c - d * d
    if not np.isfinite(header.quatern).all() or square < -1e-3:
        return np.full((4, 4), np.nan)
    a = np.sqrt(max(square, 0.0))
    length = np.sqrt(a * a + b * b + c * c + d * d)
    a, b, c, d = a / length, b / length, c / length, d / length
    turn = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])  # fmt: skip
    sides = np.abs(np.array(header.pixdim[1:4], np.float64)) * (1, 1, -1 if header.pixdim[0] < 0 else 1)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn * sides, origin
    return matrix


def _of_sides(header: Header) -> F64:
    """Voxels of the header's sides, their middle at the origin; the first column at the patient's left, as most are.

    Raises:
        InputError: It has no sides either.
    """
    sides = np.abs(np.array(header.pixdim[1:4], np.float64))
    if not np.isfinite(sides).all() or not (sides > 0).all():
        raise InputError("it does not tell the size of its voxels", hint="Convert it again from what it was made of.")
    matrix = np.diag([*(sides * (-1, 1, 1)), 1.0])
    matrix[:3, 3] = -matrix[:3, :3] @ ((np.array(header.dim[1:4]) - 1) / 2)
    return matrix
