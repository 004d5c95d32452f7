"""Scans and label maps that are arrays in memory: as long, wide and high as the caller says, and no place besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.label_maps import numbered
from unflat.formats.slices import check_spacing
from unflat.formats.volume_parts import UNPLACED, Plane, ReadOptions, Series, Stack
from unflat.types.volume import Grid, LabelMap

_KINDS = "biuf"


def series_of_array(array: NDArray[Any], options: ReadOptions) -> Series:
    """An array as the one series of a scan. Rows run to the patient's left, columns to the back, slices to the head.

    Args:
        array: (slices, rows, columns) of whole or real numbers, in Hounsfield units or any other.
        options: ``spacing_mm`` says how far voxels are apart.

    Raises:
        InputError: It has another shape or kind, or nobody has said how large a voxel is.
    """
    _check(array)
    told = options.spacing_mm
    if told is None:
        raise InputError(
            "an array does not tell how large its voxels are",
            hint="Say it in millimetres: spacing_mm=(column, row, slice), or give an unflat.types.Volume.",
        )
    check_spacing(told)
    plain = array.astype(np.uint8) if array.dtype.kind == "b" else array
    shape = (plain.shape[0], plain.shape[1], plain.shape[2])

    def planes(notes: list[str]) -> Iterator[Plane]:
        notes.append(UNPLACED)
        return iter(plain)

    dtype = plain.dtype.newbyteorder("=")
    stack = Stack(shape, dtype, np.diag([*told, 1.0]), planes)
    d, h, w = shape
    title = f"array, {w}×{h}×{d} voxels of {'×'.join(f'{s:.3g}' for s in told)} mm"
    return Series(1, "array", "other", shape, told, title, "the only volume", (), d, lambda _: stack)


def labels_of_array(array: NDArray[Any], grid: Grid) -> LabelMap:
    """An array of label numbers on the voxels of a scan.

    Args:
        array: (slices, rows, columns) of whole numbers from 0 on.
        grid: The scan's.

    Raises:
        InputError: It does not fit on the scan, or holds no labels.
    """
    _check(array)
    if array.shape != grid.shape:
        raise InputError(
            f"the labels have the shape {array.shape}, and the scan {grid.shape}",
            hint="Arrays fit voxel by voxel; give an unflat.types.LabelMap for a grid of its own.",
        )
    return numbered(iter(array.astype(np.uint8) if array.dtype.kind == "b" else array), grid)


def _check(array: NDArray[Any]) -> None:
    if array.ndim != 3 or array.dtype.kind not in _KINDS or min(array.shape) < 2:
        raise InputError(
            f"a scan is an array of (slices, rows, columns), two or more each, of numbers; not {array.shape} "
            f"{array.dtype}"
        )
    if isinstance(array, np.ma.MaskedArray):
        raise InputError("masked voxels have no value", hint="array.filled(VALUE) gives them one.")
