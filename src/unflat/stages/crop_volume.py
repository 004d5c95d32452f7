"""A box of voxels out of a scan, at its own place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.errors import InputError
from unflat.stages.tissues import Box
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
