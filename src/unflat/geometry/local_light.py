"""The exposure that pictures had where each place was taken, smooth over the place.

A camera that sets its exposure by what it sees takes long in a dark hall and short in the garden before it. Brought to
one exposure, pictures agree, but the hall is black or the garden white. So places keep, smoothly, the middle exposure
of the pictures that show them; one picture alone that was taken otherwise changes nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.seen_faces import Sightings
from unflat.types.arrays import F32, F64, U32

CELLS = 48
"""The longest side of a place has so many cells."""
ROUNDS = 6
"""Cells are averaged with their neighbours so often; the window's standard deviation is 1.7 cells."""
_FAINT = 1e-3
"""Where no more than this share of the fullest cell's weight is near, the mean of the whole place counts as much."""
_OUTSIDE = 0.01
"""Share of the vertices that may lie outside the cells on each side; they take the nearest cell's value."""

Shape = NDArray[np.int64]


def local_light(vertices: F32, faces: U32, sightings: Sightings, gains: F64) -> F32:
    """What the levelled light of each place is multiplied by so that it is as bright as the pictures show it there.

    Args:
        vertices: (n, 3).
        faces: (m, 3).
        sightings: Of all faces.
        gains: (v, 3), logarithms of what levels the light of each picture.

    Returns:
        (n, 3) logarithms.
    """
    told = (sightings.view >= 0) & (sightings.worth > 0)
    seen = told.any(axis=1)
    own = -np.nanmedian(np.where(told[seen, :, None], gains[sightings.view[seen]], np.nan), axis=1)
    corners = vertices[faces[seen]].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    low, high = (np.quantile(vertices, q, axis=0).astype(np.float64) for q in (_OUTSIDE, 1 - _OUTSIDE))
    cell = max(float((high - low).max()) / CELLS, 1e-12)
    shape = np.ceil((high - low) / cell).astype(np.int64) + 2
    field = _gathered(_cells(corners.mean(axis=1), low, cell, shape), own, area, shape)
    for _ in range(ROUNDS):
        for axis in range(3):
            field = _blurred(field, axis)
    mean = (own * area[:, None]).sum(axis=0) / max(float(area.sum()), 1e-300)
    hold = max(_FAINT * float(field[..., 3].max()), 1e-300)
    light = (field[..., :3] + hold * mean) / (field[..., 3:] + hold)
    return _between(light, _cells(vertices.astype(np.float64), low, cell, shape))


def _cells(points: F64, low: F64, cell: float, shape: Shape) -> F64:
    """(p, 3) where points lie in the grid, in cells from the middle of its first one, and not outside."""
    return np.minimum(np.maximum((points - low) / cell + 0.5, 0.0), shape - 1.0)


def _gathered(at: F64, value: F64, weight: F64, shape: Shape) -> F64:
    """(x, y, z, 4) sums of value times weight, and of the weights, in the nearest cells."""
    index = np.ravel_multi_index(tuple(np.rint(at).astype(np.int64).T), tuple(shape))
    sums = [np.bincount(index, entry, int(shape.prod())) for entry in (*(weight[:, None] * value).T, weight)]
    return np.asarray(np.stack(sums, axis=1), np.float64).reshape(*shape, 4)


def _blurred(field: F64, axis: int) -> F64:
    """Averaged along an axis with the neighbours, by 1 2 1; nothing lies outside."""
    wide = np.moveaxis(np.pad(field, [(1, 1) if k == axis else (0, 0) for k in range(4)]), axis, 0)
    return np.moveaxis(0.25 * wide[:-2] + 0.5 * wide[1:-1] + 0.25 * wide[2:], 0, axis)


def _between(light: F64, at: F64) -> F32:
    """(p, 3) trilinear values."""
    low = np.minimum(np.floor(at).astype(np.int64), np.array(light.shape[:3]) - 2)
    part = at - low
    out = np.zeros((len(at), 3))
    for corner in np.ndindex(2, 2, 2):
        weight = np.where(np.array(corner) == 1, part, 1 - part).prod(axis=1)
        out += weight[:, None] * light[tuple((low + corner).T)]
    return out.astype(np.float32)
