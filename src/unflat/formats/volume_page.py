"""The scan that a web page carries beside the surfaces made of it, to be looked through and sliced.

Two elements of plain text: what the numbers are and where, as JSON, and the numbers themselves, packed and in base64.
Whole numbers stay exact. A float volume is rounded to 65536 steps from its smallest to its largest value, and a volume
of more voxels than a page may hold is averaged in blocks; the page says either.

Packing: each voxel is predicted from the one before it in its row, the first of a row from the first of the row above.
What is left is folded so that small numbers of either sign are small (0, -1, 1, -2 … become 0, 1, 2, 3 …); slice by
slice all high bytes stand before all low ones; zlib does the rest. All arithmetic is modulo 65536, so whole numbers
come back as they were. ``web/src/volumescan.ts`` unpacks it.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, ShapeError
from unflat.formats.plain import is_list, is_object
from unflat.types.arrays import F64
from unflat.types.volume import Grid, Modality, Quantity, Volume

_NOTE = '<script type="text/plain" id="scan-note">'
_CODES = '<script type="text/plain" id="scan-codes">'
_END = "</script>"
_LEVEL = 6
_STEPS = 65535
_MOST_VOXELS = 2**28
_DTYPES = ("uint8", "int8", "uint16", "int16", "float32")

Codes = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A volume as a page holds it.

    Attributes:
        codes: (slices, rows, columns) uint16; a value is ``offset + step * code``.
        grid: Where these voxels are.
        offset: The smallest value.
        step: From one code to the next: 1 for whole numbers.
        blocks: How many voxels were averaged into one along columns, rows and slices.
        volume: What it was made of.
    """

    codes: Codes
    grid: Grid
    offset: float
    step: float
    blocks: tuple[int, int, int]
    volume: Volume


def carried(volume: Volume, most: int) -> Carried:
    """A volume in at most ``most`` voxels of 16 bits: averaged along whichever axis is finest until it fits."""
    blocks = _blocks(volume.grid, most)
    values, grid = _averaged(volume, blocks)
    low, high = float(values.min()), float(values.max())
    whole = values.dtype.kind in "iu" or (high - low <= _STEPS and bool((values == np.rint(values)).all()))
    step = 1.0 if whole else (high - low) / _STEPS or 1.0
    codes = np.empty(values.shape, np.uint16)
    for code, value in zip(codes, values, strict=True):  # a slice at a time, for memory
        code[...] = np.rint((value.astype(np.float64) - low) / step)
    return Carried(codes, grid, low, step, blocks, volume)


def _blocks(grid: Grid, most: int) -> tuple[int, int, int]:
    """How many voxels become one along columns, rows and slices."""
    sides, blocks = np.array(grid.shape[::-1]), np.ones(3, np.int64)
    while math.prod((-(-sides // blocks)).tolist()) > most:
        finest = np.where(blocks < sides, grid.spacing * blocks, np.inf)
        blocks[int(finest.argmin())] += 1
    i, j, k = blocks.tolist()
    return i, j, k


def _averaged(volume: Volume, blocks: tuple[int, int, int]) -> tuple[NDArray[Any], Grid]:
    """The means of blocks; those at the far ends hold what is there. Whole numbers stay whole."""
    values, grid = volume.values, volume.grid
    if blocks == (1, 1, 1):
        return values, grid
    i, j, k = blocks
    columns, rows, slices = (np.arange(0, side, n) for side, n in zip(grid.shape[::-1], blocks, strict=True))
    counts = [np.diff(np.append(at, side)) for at, side in zip((rows, columns), grid.shape[1:], strict=True)]
    area = np.multiply.outer(*counts)
    out = np.empty((len(slices), len(rows), len(columns)), values.dtype)
    for number, first in enumerate(slices.tolist()):
        slab = values[first : first + k].sum(axis=0, dtype=np.float64)
        sums = np.add.reduceat(np.add.reduceat(slab, rows, axis=0), columns, axis=1)
        mean = sums / (area * len(values[first : first + k]))
        out[number] = mean if values.dtype.kind == "f" else np.rint(mean)
    affine = grid.lps_from_voxel.copy()
    affine[:3, 3] += affine[:3, :3] @ ((i - 1) / 2, (j - 1) / 2, (k - 1) / 2)
    affine[:3, :3] *= (i, j, k)
    return out, Grid((out.shape[0], out.shape[1], out.shape[2]), affine)


def volume_block(held: Carried) -> str:
    """The elements of a page that carry a volume."""
    note = {
        "shape": list(held.grid.shape),
        "lps_from_voxel": held.grid.lps_from_voxel.tolist(),
        "offset": held.offset,
        "step": held.step,
        "type": str(held.volume.values.dtype),
        "quantity": held.volume.quantity,
        "modality": held.volume.modality,
        "blocks": list(held.blocks),
    }
    words = json.dumps(note, separators=(",", ":"), allow_nan=False)
    codes = base64.b64encode(packed(held.codes)).decode("ascii")
    return f"{_NOTE}{words}{_END}\n{_CODES}{codes}{_END}\n"


def volume_rows(held: Carried) -> list[tuple[str, str]]:
    """What is to be said of the scan in a page: terms and texts."""
    kind = {"CT": "CT", "MR": "MRI", "other": "scan"}[held.volume.modality]
    rows = [("Scan", f"{kind}, {_sides(held.volume.grid)}")]
    if held.blocks != (1, 1, 1):
        i, j, k = held.blocks
        rows.append(("In this page", f"averages of {i}×{j}×{k} voxels: {_sides(held.grid)}"))
    if held.step != 1:
        rows.append(("Values", f"rounded to steps of {held.step:.3g}"))
    elif held.blocks == (1, 1, 1):
        rows.append(("Values", "every voxel, exact"))
    return rows


def _sides(grid: Grid) -> str:
    slices, rows, columns = grid.shape
    return f"{columns}×{rows}×{slices} voxels of {'×'.join(f'{1000 * side:.3g}' for side in grid.spacing)} mm"


def packed(codes: Codes) -> bytes:
    """(slices, rows, columns) uint16 -> bytes."""
    writer = zlib.compressobj(_LEVEL)
    parts: list[bytes] = []
    for plane in codes:
        left = plane.copy()
        left[:, 1:] -= plane[:, :-1]
        left[1:, 0] -= plane[:-1, 0]
        folded = (left << np.uint16(1)) ^ (left.view(np.int16) >> 15).view(np.uint16)
        for byte in (folded >> np.uint16(8), folded & np.uint16(255)):
            parts.append(writer.compress(byte.astype(np.uint8).tobytes()))
    return b"".join([*parts, writer.flush()])


def unpacked(data: bytes, shape: tuple[int, int, int]) -> Codes:
    """The inverse of :func:`packed`.

    Raises:
        InputError: The bytes are damaged, or hold more or fewer voxels than ``shape`` has.
    """
    slices, rows, columns = shape
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(data, 2 * math.prod(shape) + 1)
    except zlib.error as error:
        raise InputError("the scan inside the page is damaged") from error
    if len(plain) != 2 * math.prod(shape):
        raise InputError(f"the scan inside the page does not fill {columns}×{rows}×{slices} voxels")
    planes = np.frombuffer(plain, np.uint8).reshape(slices, 2, rows, columns)
    codes = np.empty(shape, np.uint16)
    for code, (high, low) in zip(codes, planes, strict=True):
        folded = (high.astype(np.uint16) << np.uint16(8)) | low
        left = (folded >> np.uint16(1)) ^ (np.uint16(0) - (folded & np.uint16(1)))
        left[:, 0] = np.cumsum(left[:, 0], dtype=np.uint16)
        code[...] = np.cumsum(left, axis=1, dtype=np.uint16)
    return codes


def volume_in(page: bytes, name: str) -> Volume | None:
    """The volume inside a page of ours, as the page holds it; None if it carries none.

    Args:
        page: The whole page.
        name: What it is called, for errors.

    Raises:
        InputError: The volume is damaged.
    """
    words, codes = _text_of(page, _NOTE), _text_of(page, _CODES)
    if words is None or codes is None:
        return None
    damaged = InputError(f"the scan inside {name} is damaged")
    try:
        note: object = json.loads(words)
        if not is_object(note):
            raise damaged
        grid, kind, quantity, modality = _told(note)
        plain = unpacked(base64.b64decode(codes, validate=True), grid.shape)
        offset, step = float(note["offset"]), float(note["step"])
        values = (plain * step + offset).astype(kind) if step != 1 else (plain.astype(np.float32) + offset).astype(kind)
        return Volume(values, grid, quantity, modality)
    except (KeyError, TypeError, ValueError, RecursionError, ShapeError) as error:
        raise damaged from error


def _told(note: dict[str, Any]) -> tuple[Grid, str, Quantity, Modality]:
    """Where the voxels are, their type, and what they are.

    Raises:
        KeyError, TypeError, ValueError, ShapeError: It does not make sense.
    """
    shape, quantities, modalities = note["shape"], get_args(Quantity), get_args(Modality)
    known = note["type"] in _DTYPES and note["quantity"] in quantities and note["modality"] in modalities
    if not known or not is_list(shape) or len(shape) != 3 or not all(type(side) is int for side in shape):
        raise ValueError("the scan is of no known kind")
    if min(shape) < 1 or math.prod(shape) > _MOST_VOXELS:
        raise ValueError(f"a scan of {shape} voxels")
    affine: F64 = np.array(note["lps_from_voxel"], np.float64)
    return Grid((shape[0], shape[1], shape[2]), affine), note["type"], note["quantity"], note["modality"]


def _text_of(page: bytes, mark: str) -> bytes | None:
    start = page.find(mark.encode())
    end = page.find(_END.encode(), start)
    return None if start < 0 or end < 0 else page[start + len(mark) : end]
