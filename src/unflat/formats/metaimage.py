"""MetaImage volumes (.mha, .mhd with its data beside it), read plane by plane.

Source: the MetaIO documentation (Kitware, ITK wiki). Its comment, where people write names, is never looked at. The
data may only lie in the same folder: names that lead elsewhere are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from unflat.errors import InputError
from unflat.formats.raw_voxels import RawVoxels
from unflat.formats.volume_blobs import Blob
from unflat.formats.volume_parts import UNPLACED, Plane, Stack
from unflat.types.arrays import F64
from unflat.types.volume import Modality

SUFFIXES = (".mha", ".mhd")
_LONGEST = 1 << 20
_TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4"},
    **{"MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8"},
    **{"MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}
FIELDS = (
    *("objecttype", "ndims", "dimsize", "elementtype", "elementspacing", "elementsize", "offset", "position", "origin"),
    *("transformmatrix", "rotation", "orientation", "binarydatabyteordermsb", "elementbyteordermsb", "compresseddata"),
    *("elementdatafile", "headersize", "elementnumberofchannels", "modality", "binarydata"),
)
_MODALITIES: dict[str, Modality] = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR"}
_HINT = "Save it from its program again, as one .mha file."


def is_metaimage(head: bytes) -> bool:
    """Whether a file's first bytes are those of a MetaImage header."""
    return re.match(rb"\s*(ObjectType|NDims|Comment)\s*=", head) is not None


def read_stack(blob: Blob, notes: list[str]) -> Stack:
    """What the header says; what is odd is noted.

    Raises:
        InputError: Damaged, of colours, of one slice only, of a type that is not read, or without its data.
    """
    fields, end = _fields(blob.head(_LONGEST))
    sizes = _numbers(fields, "dimsize")
    axes = len(sizes)
    if not 2 <= axes <= 4 or min(sizes) < 1 or _numbers(fields, "ndims") != [axes] or max(sizes) > 2**40:
        raise InputError("the sizes in its header make no sense", hint="The file is damaged; copy it again.")
    sides = [int(size) for size in sizes]
    if axes == 2 or min(sides[:3]) < 2:
        raise InputError("it is one slice, and a volume needs two or more", hint="Give the file of all slices.")
    if axes == 4 and sides[3] > 1:
        notes.append(f"it holds {sides[3]} volumes one after the other; the first was read")
    channels = int(next(iter(_numbers(fields, "elementnumberofchannels")), 1))
    if channels != 1:
        raise InputError("its voxels are colours or vectors, not measured values", hint=_HINT)
    kind = fields.get("elementtype", "").upper()
    if kind not in _TYPES:
        raise InputError("its voxels are of a type that is not read", hint=_HINT)
    big = any(_true(fields.get(key)) for key in ("binarydatabyteordermsb", "elementbyteordermsb"))
    dtype = np.dtype((">" if big else "<") + _TYPES[kind])
    packed = _true(fields.get("compresseddata"))
    place, start = _place(blob, fields, end)
    skipped = int(next(iter(_numbers(fields, "headersize")), 0))
    if skipped:
        whole = int(np.prod([float(side) for side in sides])) * dtype.itemsize
        start = place.size - whole if skipped < 0 else skipped
    if start < 0:
        raise InputError("it claims to hold more voxels than its bytes can be", hint=_HINT)
    voxels = RawVoxels(place, "zlib" if packed else "raw", (start, 0), dtype, (sides[2], sides[1], sides[0]))
    voxels.check()
    modality = _MODALITIES.get(fields.get("modality", ""), "other")

    def planes(_: list[str]) -> Iterator[Plane]:
        return voxels.planes()

    quantity = "hu" if modality == "CT" else None
    return Stack(voxels.shape, dtype, _matrix(fields, axes, notes), planes, quantity, modality)


def _fields(head: bytes) -> tuple[dict[str, str], int]:
    """The fields of a header, in small letters, and where it ends."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(head) and "elementdatafile" not in fields:
        stop = head.find(b"\n", at)
        stop = len(head) if stop < 0 else stop
        name, said, value = head[at:stop].decode("utf-8", "replace").partition("=")
        if said and name.strip().lower() in FIELDS:
            fields[name.strip().lower()] = value.strip()
        at = stop + 1
    if "elementdatafile" not in fields:
        raise InputError("it does not tell where its voxels are", hint="The file is damaged; copy it again.")
    return fields, at


def _numbers(fields: dict[str, str], *names: str) -> list[float]:
    for name in names:
        try:
            found = [float(word) for word in fields.get(name, "").split()]
        except ValueError:
            return []
        if found:
            return found if all(np.isfinite(found)) else []
    return []


def _true(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1", "t")


def _place(blob: Blob, fields: dict[str, str], end: int) -> tuple[Blob, int]:
    """The file with the voxels, and where they begin in it."""
    name = fields["elementdatafile"]
    if not _true(fields.get("binarydata", "True")):
        raise InputError("its voxels are written as text, which is not read", hint=_HINT)
    if name.upper() == "LOCAL":
        return blob, end
    if name.upper().startswith("LIST") or "%" in name:
        raise InputError("its slices lie in files of their own, which is not read", hint=_HINT)
    other = blob.beside(name.removeprefix("./"))
    if other is None:
        raise InputError("the file with its voxels is not beside it", hint="Put both files into one folder.")
    return other, 0


def _matrix(fields: dict[str, str], axes: int, notes: list[str]) -> F64:
    """(4, 4) to millimetres of LPS; MetaIO lists the direction of the first axis first.

    Raises:
        InputError: Its directions make no sense.
    """
    turn = _numbers(fields, "transformmatrix", "rotation", "orientation")
    origin = _numbers(fields, "offset", "position", "origin")
    spacing = _numbers(fields, "elementspacing", "elementsize")
    matrix = np.eye(4)
    if len(turn) == axes * axes:
        matrix[:3, :3] = np.array(turn).reshape(axes, axes)[:3, :3].T
    else:
        notes.append(UNPLACED)
    if len(spacing) >= 3 and min(np.abs(spacing)) > 0:
        matrix[:3, :3] *= np.abs(spacing[:3])
    else:
        notes.append("it does not tell the size of its voxels: 1 mm was assumed")
    if len(origin) >= 3:
        matrix[:3, 3] = origin[:3]
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.isfinite(matrix).all() or not lengths.min() > 0 or abs(np.linalg.det(matrix[:3, :3] / lengths)) < 1e-4:
        raise InputError("the directions of its axes make no sense", hint="The file is damaged; save it again.")
    return matrix
