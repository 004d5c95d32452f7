"""A scan of a head -> the same without its face, so that nobody can be recognised by the surface.

Two planes shear it off, one upright and one that looks down at the chin, both as deep below the skin as eyes, nose,
lips and chin reach, and no deeper than the forehead is thick (after Schimke and Hale, "Quickshear defacing for
neuroimages", 2011, who find the planes by the brain). What lies before them becomes air in the scan itself, so nothing
that is made of it has a face: surfaces, slices, rays.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry import components, morphology
from unflat.geometry.bits import packed, unpacked
from unflat.stages.crop_volume import part_of
from unflat.stages.segment_volume import body_of, threshold_of
from unflat.types.arrays import F64, Bool
from unflat.types.volume import Grid, LabelMap, Volume

_COARSE_M = 0.003
_DEPTH_M = 0.015
"""From the forehead's skin to the brain."""
_ANGLES = (0.0, 35.0)
"""Degrees by which the planes look down."""
_WIDEST_M = 0.21
"""A head is no wider, ears left aside."""
_SLAB_M = 0.006
_SHOULDERS = 1.3
"""Where a body becomes so many times wider than the head above it, the shoulders begin."""
_LEAST_M = 0.04
"""Less of a head than this, from its top down, is none that could be told."""
_AIR_HU = -1000.0
_WIDTHS, _DEPTHS = (0.10, 0.22), (0.12, 0.27)
"""How wide and how deep heads are, from infants to large adults with their noses."""
_BONE_HU, _WITHIN_SKULL_M2, _SKULL_M = 250.0, 0.004, 0.012
"""A skull encloses more than so much of a slice, over at least such a height."""


class Shears(NamedTuple):
    """Where a face is cut off.

    Attributes:
        low: The height (LPS z, metres) where the head begins; what is lower stays.
        normals: (n, 3) of the planes, looking away from the head.
        offsets: (n,) of the planes from the origin, metres.
    """

    low: float
    normals: F64
    offsets: F64

    def gone(self, grid: Grid, k: int) -> Bool:
        """Which voxels of a slice lie before the planes, (rows, columns)."""
        _, h, w = grid.shape
        affine, i, j = grid.lps_from_voxel, np.arange(w)[None, :], np.arange(h)[:, None]
        x, y, z = (affine[c, 0] * i + affine[c, 1] * j + affine[c, 2] * k + affine[c, 3] for c in range(3))
        gone = np.zeros((h, w), np.bool_)
        for normal, offset in zip(self.normals, self.offsets, strict=True):
            gone |= normal[0] * x + normal[1] * y + normal[2] * z > offset
        return gone & (z > self.low)


def deface(volume: Volume, shears: Shears) -> Volume:
    """Take the face off a scan: what lies before the planes becomes air."""
    values = volume.values.copy()
    air = _air(values)
    for k in range(len(values)):
        values[k][shears.gone(volume.grid, k)] = air
    return replace(volume, values=values)


def deface_labels(labels: LabelMap, shears: Shears) -> LabelMap:
    """The same of a label map, whose grid may be another."""
    numbers = labels.numbers.copy()
    for k in range(len(numbers)):
        numbers[k][shears.gone(labels.grid, k)] = 0
    return replace(labels, numbers=numbers)


def shears_of(volume: Volume) -> Shears:
    """Where a face would be cut off.

    Args:
        volume: CT or magnetic resonance of a head; its axes tell where the front is.

    Raises:
        InputError: No head is found at the upper end of the scan.
    """
    values, grid = _sampled(volume)
    head = _outline(values, grid, hu=volume.quantity == "hu")
    points = _points(head, grid)
    low = _chin(points)
    core = morphology.shrunk(head, morphology.steps_of(_DEPTH_M, grid.spacing))
    inner = _points(core, grid)
    inner = inner[inner[:, 2] > low]
    if not len(inner):
        raise InputError("no head is found in this scan", hint="Leave out --deface where there is no face.")
    turns = np.radians(_ANGLES)
    normals = np.stack([np.zeros(len(turns)), -np.cos(turns), -np.sin(turns)], axis=1)
    return Shears(low, normals, (inner @ normals.T).max(axis=0))


def shears_if_head(volume: Volume) -> Shears | None:
    """Where a face would be cut off, if the scan shows a head; None where it shows none.

    Stricter than :func:`shears_of`, for nobody asked: what is uppermost is as wide and as deep as heads are, children's
    included. In CT it has a skull, too. Without one a limb of that shape (a knee) is taken for a head.
    """
    try:
        shears = shears_of(volume)
    except InputError:
        return None
    values, grid = _sampled(volume)
    hu = volume.quantity == "hu"
    points = _points(_outline(values, grid, hu=hu), grid)
    points = points[points[:, 2] > shears.low]
    slabs = np.floor(points[:, 2] / _SLAB_M).astype(np.int64)
    sides = np.array([np.ptp(np.quantile(points[slabs == k, :2], (0.02, 0.98), axis=0), axis=0) for k in set(slabs)])
    wide, deep = np.quantile(sides, 0.9, axis=0).tolist()
    fits = _WIDTHS[0] < wide < _WIDTHS[1] and _DEPTHS[0] < deep < _DEPTHS[1]
    return shears if fits and (not hu or _has_skull(values, grid, shears.low)) else None


def _outline(values: NDArray[np.float32], grid: Grid, *, hu: bool) -> components.Packed:
    """The body, filled slice by slice."""
    level = -300.0 if hu else threshold_of(values)
    matter = components.filled_slices(packed(grid.shape, lambda k: values[k] >= level))
    return body_of(matter, grid.spacing)


def _has_skull(values: NDArray[np.float32], grid: Grid, low: float) -> bool:
    """Whether bone of a CT encloses as much in some slices as a skull does."""
    bone = packed(grid.shape, lambda k: values[k] >= _BONE_HU)
    filled, pixel = components.filled_slices(bone), float(np.prod(grid.spacing[:2]))
    middle = np.zeros((grid.shape[0], 3))
    middle[:, 2] = np.arange(grid.shape[0])
    heights = grid.lps(middle)[:, 2]
    inside = [
        pixel * int((unpacked(filled, k) & ~unpacked(bone, k)).sum()) for k in np.flatnonzero(heights > low).tolist()
    ]
    return sum(area > _WITHIN_SKULL_M2 for area in inside) * grid.spacing[2] >= _SKULL_M


def _sampled(volume: Volume) -> tuple[NDArray[np.float32], Grid]:
    """Some of the voxels, about as far apart as :data:`_COARSE_M`, and where they are."""
    steps = [max(1, round(_COARSE_M / s)) for s in volume.grid.spacing]
    values = volume.values[:: steps[2], :: steps[1], :: steps[0]].astype(np.float32)
    return values, _coarse(volume.grid, steps, values.shape)


def _coarse(grid: Grid, steps: list[int], shape: tuple[int, ...]) -> Grid:
    affine = part_of(grid, (0, 0, 0), shape).lps_from_voxel.copy()
    affine[:3, :3] *= np.array(steps)
    return Grid((shape[0], shape[1], shape[2]), affine)


def _points(bits: components.Packed, grid: Grid) -> F64:
    """Where the voxels inside are, (n, 3) LPS metres."""
    found = [
        np.column_stack([*np.nonzero(unpacked(bits, k))[::-1], np.full(int(unpacked(bits, k).sum()), k)])
        for k in range(grid.shape[0])
    ]
    return grid.lps(np.concatenate(found).astype(np.float64))


def _chin(points: F64) -> float:
    """The height where the head begins: the shoulders, or the end of the scan.

    Raises:
        InputError: What is uppermost is too wide for a head, or there is too little of it.
    """
    if not len(points):
        raise InputError("no head is found in this scan", hint="Leave out --deface where there is no face.")
    slab = np.floor((points[:, 2].max() - points[:, 2]) / _SLAB_M).astype(np.int64)
    top, low, widths = float(points[:, 2].max()), float(points[:, 2].min()), list[float]()
    for number in range(int(slab.max()) + 1):
        across = points[slab == number, 0]
        if not len(across):
            continue
        width = float(np.quantile(across, 0.98) - np.quantile(across, 0.02))
        deep = number * _SLAB_M
        if deep > _LEAST_M and width > _SHOULDERS * float(np.median(widths)) and width > _WIDEST_M:
            low = top - deep
            break
        widths.append(width)
    if float(np.quantile(widths, 0.9)) > _WIDEST_M or top - low < _LEAST_M:
        raise InputError(
            "no head is found at the upper end of this scan", hint="Leave out --deface where there is no face."
        )
    return low


def _air(values: NDArray[np.generic]) -> float:
    """What stands for air: that of CT where the scan goes so far down, else its least value."""
    least = float(values.min())
    return max(least, _AIR_HU) if math.isfinite(least) else 0.0
