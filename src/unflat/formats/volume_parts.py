"""What all readers of volumes share: what was found, how it is asked for, and planes becoming one array."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, MemoryLimitError
from unflat.types.arrays import F64
from unflat.types.volume import Grid, Modality, Quantity

Kind = Literal["dicom", "nifti", "nrrd", "metaimage", "slices", "array"]
Plane = NDArray[Any]
"""(rows, columns) of any number type."""

UNPLACED = "it does not tell how it lay in the patient: left and right, front and back, top and bottom are assumed"
"""The note of every scan whose sides nobody knows."""
_COPIES, _BYTES = 3, 4
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_LADDER = (np.uint8, np.int8, np.uint16, np.int16, np.float32)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a scan is read."""

    series: int | None = None
    """Which series, by its number in the list that is printed (default: the best, and it is said why)."""
    spacing_mm: tuple[float, float, float] | None = None
    """Millimetres from a pixel to the next, from a row to the next and from a slice to the next, for files that do not
    tell: pictures of slices."""
    max_memory: str | None = None
    """Most memory for the voxels and the work on them, as "2GB"; a scan that needs more (12 bytes a voxel) is read as
    averages over 2×2×2 voxels or more, and it is said (default: every voxel)."""
    modality: Literal["auto", "ct", "mr"] = "auto"
    """What kind of scanner it was, for files that do not tell: ct takes the values for Hounsfield units."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A volume whose voxels have not been read yet.

    Attributes:
        shape: (slices, rows, columns).
        dtype: Of the planes as they are stored; where it is to begin.
        mm_from_voxel: (4, 4) float64 to millimetres of patient LPS.
        planes: Reads them, the first slice first; what goes wrong on the way is added to the list that it is given.
        quantity: What the values are, or None where the values themselves have to tell.
        modality: What kind of scanner it was, as far as the file says.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    mm_from_voxel: F64
    planes: Callable[[list[str]], Iterator[Plane]]
    quantity: Quantity | None = None
    modality: Modality = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One volume of those that are there; nothing in it tells whose it is.

    Attributes:
        number: From 1 on, the best first.
        kind: Of its files.
        modality: What kind of scanner it was.
        shape: (slices, rows, columns).
        spacing_mm: Millimetres between columns, rows and slices; None where nobody has said.
        title: What it is, in a few words.
        reason: Why it has its place in the list, in words.
        notes: What was odd about it, in words.
        images: How many files or frames it was put together from.
        stack: Prepares it for reading.
        place: The file or folder that was looked at; what its owner says of its use may lie beside it.
    """

    number: int
    kind: Kind
    modality: Modality
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None
    title: str
    reason: str
    notes: tuple[str, ...]
    images: int
    stack: Callable[[ReadOptions], Stack]
    place: Path | None = None

    def __repr__(self) -> str:
        return f"Series({self.number}: {self.title})"


def memory_of(text: str) -> int:
    """Bytes of "2GB", "500 MB" or "1000000".

    Raises:
        InputError: It is no such amount.
    """
    words = text.strip().upper().replace("IB", "B").replace(" ", "")
    digits = words.rstrip("BKMGT")
    try:
        amount = float(digits) * _UNITS[words[len(digits) :]]
    except (ValueError, KeyError) as error:
        raise InputError(f"'{text}' is no amount of memory", hint="Write it as 2GB or 500MB.") from error
    if not 1 <= amount < math.inf:
        raise InputError(f"'{text}' is no amount of memory", hint="Write it as 2GB or 500MB.")
    return int(amount)


def steps_for(stack: Stack, most: int | None) -> tuple[int, int, int]:
    """Over how many columns, rows and slices it has to be averaged to stay below ``most`` bytes.

    The axis whose voxels are the shortest gives way first, so that voxels become more alike on all sides.
    """
    counts = np.array(stack.shape[::-1])
    sides = np.linalg.norm(stack.mm_from_voxel[:3, :3], axis=0)
    steps = np.ones(3, int)
    while most is not None and math.prod((counts // steps).tolist()) * _COPIES * _BYTES > most:
        free = counts // (steps + 1) >= 2
        if not free.any():
            raise MemoryLimitError("the scan does not fit in so little memory", hint="Give more: --max-memory 1GB")
        steps[int(np.argmin(np.where(free, sides * steps, np.inf)))] += 1
    return int(steps[0]), int(steps[1]), int(steps[2])


def gather(stack: Stack, steps: tuple[int, int, int], notes: list[str]) -> tuple[Plane, Grid]:
    """Read all planes into one array, as narrow as its values allow, and say where its voxels are, in metres.

    Whole numbers of up to 16 bits stay as they are. What is not finite becomes the lowest value there is.

    Args:
        stack: What to read.
        steps: Over how many columns, rows and slices it is averaged (see ``steps_for``).
        notes: What is worth saying is added.

    Raises:
        InputError: The file is damaged.
        MemoryLimitError: It does not fit in memory.
    """
    shape = (stack.shape[0] // steps[2], stack.shape[1] // steps[1], stack.shape[2] // steps[0])
    planes = stack.planes(notes)
    if steps != (1, 1, 1):
        planes = _averaged(planes, steps)
        notes.append(
            f"to stay within the memory allowed it was read as averages over {'×'.join(map(str, steps))} voxels "
            f"(columns × rows × slices): {_size(shape)} instead of {_size(stack.shape)}"
        )
    values = _filled(planes, shape, stack.dtype)
    affine = stack.mm_from_voxel.copy()
    affine[:3, 3] += affine[:3, :3] @ ((np.array(steps) - 1) / 2)
    affine[:3, :3] *= steps
    affine[:3] /= 1000
    return values, Grid(shape, affine)


def _size(shape: tuple[int, int, int]) -> str:
    return "×".join(map(str, shape[::-1]))


def _filled(planes: Iterator[Plane], shape: tuple[int, int, int], begin: np.dtype[Any]) -> Plane:
    start = np.dtype(begin.type) if begin.type in _LADDER[:4] else np.dtype(np.int16)
    check_memory(math.prod(shape) * start.itemsize)
    whole = True
    try:
        values: Plane = np.zeros(shape, start)
        for k, plane in enumerate(planes):
            values = _room_for(values, plane)
            with np.errstate(over="ignore", invalid="ignore"):
                values[k] = plane
            whole = whole and (plane.dtype.kind != "f" or bool(np.isfinite(values[k]).all()))
        if not whole:
            finite = np.isfinite(values)
            values[~finite] = values[finite].min(initial=0)
    except MemoryError as error:
        raise too_large(math.prod(shape) * 4) from error
    return values


def _room_for(values: Plane, plane: Plane) -> Plane:
    """``values`` in a type that also holds ``plane``, which may be itself."""
    if values.dtype == np.float32 or np.can_cast(plane.dtype, values.dtype):
        return values
    if plane.dtype.kind == "f" and not (np.isfinite(plane).all() and np.array_equal(np.rint(plane), plane)):
        return values.astype(np.float32)
    low, high = min(float(plane.min()), 0), max(float(plane.max()), 0)
    begun = np.iinfo(values.dtype)
    if begun.min <= low and high <= begun.max:
        return values
    low, high = min(low, float(values.min())), max(high, float(values.max()))
    for kind in _LADDER[:4]:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.float32)


def _averaged(planes: Iterator[Plane], steps: tuple[int, int, int]) -> Iterator[Plane]:
    """Means over blocks; what is left over at the far ends is left out. Whole numbers stay whole."""
    x, y, z = steps
    total, have = None, 0
    for plane in planes:
        h, w = plane.shape[0] // y, plane.shape[1] // x
        mean = plane[: h * y, : w * x].reshape(h, y, w, x).mean((1, 3), dtype=np.float64)
        total, have = mean if total is None else total + mean, have + 1
        if have == z:
            yield np.rint(total / z).astype(np.int32) if plane.dtype.kind in "iu" else (total / z).astype(np.float32)
            total, have = None, 0


def check_memory(count: int) -> None:
    """Refuse what this machine cannot hold before it is asked for.

    Raises:
        MemoryLimitError: More bytes than the machine has.
    """
    told = hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names
    if told and count > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
        raise too_large(count)


def too_large(count: int) -> MemoryLimitError:
    """The error of a volume of so many bytes."""
    return MemoryLimitError(
        f"the scan does not fit in memory: it has {count / 1e9:.1f} GB of voxels",
        hint="Read averages of its voxels instead: --max-memory 4GB",
    )
