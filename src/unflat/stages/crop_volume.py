"""A box of voxels out of a scan, at its own place; and places told in the voxels of a finer grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.errors import InputError
from unflat.stages.tissues import Box, Seeds
from unflat.types.volume import Grid, Volume


def cropped(volume: Volume, box: Box) -> Volume:
    """The part of a scan within a box of voxels.

    Raises:
        InputError: The box does not lie within the scan.
    """
    d, h, w = volume.grid.shape
    if box.columns[1] > w or box.rows[1] > h or box.slices[1] > d:
        raise InputError(f"--roi reaches beyond the scan of {w}×{h}×{d} voxels", hint="Counting begins at 0.")
    part = volume.values[slice(*box.slices), slice(*box.rows), slice(*box.columns)]
    start = (box.columns[0], box.rows[0], box.slices[0])
    return replace(volume, values=part, grid=part_of(volume.grid, start, part.shape))


def part_of(grid: Grid, start: tuple[int, int, int], shape: tuple[int, ...]) -> Grid:
    """The grid of some of the voxels of another.

    Args:
        grid: The whole.
        start: The first voxel (column, row, slice).
        shape: (slices, rows, columns) of the part.
    """
    affine = grid.lps_from_voxel.copy()
    affine[:3, 3] = grid.lps(np.array([start], np.float64))[0]
    d, h, w = shape
    return Grid((d, h, w), affine)


def coarser_box(box: Box, steps: tuple[int, int, int], grid: Grid) -> Box:
    """The least box of averaged voxels that holds a box of those that they were made of.

    Args:
        box: In voxels as stored.
        steps: Columns, rows and slices of them in one averaged voxel; what was left over at the far ends is not there.
        grid: Of the averaged voxels.
    """
    sides = zip((box.columns, box.rows, box.slices), steps, grid.shape[::-1], strict=True)
    return Box(*((low // step, _within(-(-high // step), side)) for (low, high), step, side in sides))


def coarser_seeds(seeds: Seeds, steps: tuple[int, int, int], grid: Grid) -> Seeds:
    """The averaged voxels that hold voxels as stored, or lie next to them."""
    w, h, d = (side - 1 for side in grid.shape[::-1])
    x, y, z = steps
    return Seeds(tuple((_within(i // x, w), _within(j // y, h), _within(k // z, d)) for i, j, k in seeds.voxels))


def _within(place: int, last: int) -> int:
    """One voxel beyond the last was left over; more was never there."""
    return last if place == last + 1 else place
