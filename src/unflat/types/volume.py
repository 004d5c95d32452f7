"""Volumes: what a scanner measured, voxel by voxel, and what somebody called its parts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.types.arrays import F64, U8, U32, settle

Quantity = Literal["hu", "intensity"]
"""What the values are: Hounsfield units, or numbers that only compare within the volume."""
Modality = Literal["CT", "MR", "other"]

_VALUES = (np.uint8, np.int8, np.uint16, np.int16, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the voxels of a volume are.

    Voxel (i, j, k), column, row and slice, has its centre at ``lps_from_voxel @ (i, j, k, 1)`` for whole i, j and k,
    as all volume formats have it. The axes may be oblique, mirrored to each other, and sheared (a tilted gantry).

    Attributes:
        shape: (slices, rows, columns), as numpy has them.
        lps_from_voxel: (4, 4) float64: to metres towards the patient's left, back (posterior) and head (superior).
    """

    shape: tuple[int, int, int]
    lps_from_voxel: F64

    def __post_init__(self) -> None:
        settle(self, "lps_from_voxel", "float64", (4, 4))
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ShapeError(f"a grid has three sides of at least one voxel, not {self.shape}")
        matrix = self.lps_from_voxel
        if not np.isfinite(matrix).all() or not np.array_equal(matrix[3], (0, 0, 0, 1)):
            raise ShapeError("the affine of a grid must be finite, with 0 0 0 1 as its last row")
        volume, sides = abs(float(np.linalg.det(matrix[:3, :3]))), math.prod(self.spacing)
        if not volume > 1e-6 * sides > 0:
            raise ShapeError("the axes of a grid must span space: its affine has no inverse")

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Metres from a voxel to the next along columns (i), rows (j) and slices (k)."""
        i, j, k = np.linalg.norm(self.lps_from_voxel[:3, :3], axis=0).tolist()
        return i, j, k

    @property
    def voxel_m3(self) -> float:
        """Cubic metres of one voxel."""
        return abs(float(np.linalg.det(self.lps_from_voxel[:3, :3])))

    @property
    def mirrored(self) -> bool:
        """Whether i, j, k is a left-handed triple in the patient."""
        return float(np.linalg.det(self.lps_from_voxel[:3, :3])) < 0

    def lps(self, ijk: F64) -> F64:
        """Where (n, 3) voxel coordinates are, (n, 3) float64 metres."""
        return ijk @ self.lps_from_voxel[:3, :3].T + self.lps_from_voxel[:3, 3]

    def __repr__(self) -> str:
        d, h, w = self.shape
        return f"Grid({w}×{h}×{d} voxels of {'×'.join(f'{1000 * s:.3g}' for s in self.spacing)} mm)"


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A scan: one number a voxel.

    Attributes:
        values: (slices, rows, columns) uint8, int8, uint16, int16 or float32; rescaled already, finite. Whole numbers
            stay whole: most CT is int16 and exact.
        grid: Where the voxels are.
        quantity: What the values are.
        modality: What kind of scanner it was.
    """

    values: NDArray[Any]
    grid: Grid
    quantity: Quantity
    modality: Modality = "other"

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.dtype.type not in _VALUES:
            raise ShapeError(f"Volume.values must be 8 or 16 bits or float32, not {values.dtype}")
        if values.shape != self.grid.shape:
            raise ShapeError(f"Volume.values must have the shape {self.grid.shape}, not {values.shape}")
        if isinstance(self.values, np.ma.MaskedArray):
            raise ShapeError("Volume.values must not be masked: fill what has no value")
        if values.dtype == np.float32 and not all(np.isfinite(plane).all() for plane in values):
            raise ShapeError("Volume.values must be finite")
        settle(self, "values", values.dtype, (None, None, None))

    def __repr__(self) -> str:
        return f"Volume({self.modality}, {self.quantity}, {self.values.dtype}, {self.grid!r})"


@dataclass(frozen=True, slots=True)
class Label:
    """What one number of a label map is called.

    Attributes:
        number: The value of its voxels, 1 or more.
        name: Different from those of all other labels of the map.
        color: sRGB bytes; None where the map does not say.
    """

    number: int
    name: str
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Which part of the body each voxel belongs to.

    Attributes:
        numbers: (slices, rows, columns) uint8, uint16 or uint32; 0 is nothing.
        grid: Where the voxels are; it need not be that of any volume.
        labels: What the numbers are called, all that occur and perhaps more.
    """

    numbers: U8 | NDArray[np.uint16] | U32
    grid: Grid
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        numbers = np.asarray(self.numbers)
        if numbers.dtype.type not in (np.uint8, np.uint16, np.uint32):
            raise ShapeError(f"LabelMap.numbers must be uint8, uint16 or uint32, not {numbers.dtype}")
        if numbers.shape != self.grid.shape:
            raise ShapeError(f"LabelMap.numbers must have the shape {self.grid.shape}, not {numbers.shape}")
        settle(self, "numbers", numbers.dtype, (None, None, None))
        names, known = [label.name for label in self.labels], [label.number for label in self.labels]
        if len(set(names)) != len(names) or len(set(known)) != len(known) or min(known, default=1) < 1:
            raise ShapeError("the labels of a map need different names and different numbers from 1 on")

    def __repr__(self) -> str:
        return f"LabelMap({len(self.labels)} labels, {self.grid!r})"
