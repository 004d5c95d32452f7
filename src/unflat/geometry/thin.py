"""Clouds of points made even: one point for each cell of a grid, the mean of those in it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F64
from unflat.types.points import PointCloud

_FINER = 0.97
"""How much closer a grid is tried whose points were too few."""


def thinned(cloud: PointCloud, spacing: float) -> PointCloud:
    """Put one point where there are several in a cube of side ``spacing``.

    Place, colour and normal are means weighted with confidence; confidence is the highest in the cube; invented is
    what is so for the most part.
    """
    cells = np.floor(cloud.xyz / np.float64(spacing)).astype(np.int64)
    cells -= cells.min(axis=0, initial=0)
    wide = cells.max(axis=0, initial=0) + 1
    _, cell = np.unique((cells[:, 0] * wide[1] + cells[:, 1]) * wide[2] + cells[:, 2], return_inverse=True)
    count = int(cell.max(initial=-1)) + 1
    confidence = cloud.confidence
    weight = np.ones(len(cell)) if confidence is None else confidence.astype(np.float64) + 1e-6
    total = np.bincount(cell, weight, count)

    def mean(values: NDArray[np.generic]) -> F64:
        columns = [np.bincount(cell, weight * c, count) / total for c in np.asarray(values, np.float64).T]
        return np.stack(columns, axis=-1)

    best = None
    if confidence is not None:
        best = np.zeros(count, np.float32)
        np.maximum.at(best, cell, confidence)
    normals = None
    if cloud.normals is not None:
        normals = mean(cloud.normals)
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        opposed = length[:, 0] < 1e-6
        normals[opposed], length[opposed] = (0, 0, -1), 1
        normals = (normals / length).astype(np.float32)
    return PointCloud(
        mean(cloud.xyz).astype(np.float32),
        None if cloud.colors is None else np.rint(mean(cloud.colors)).astype(np.uint8),
        normals,
        best,
        None if cloud.invented is None else mean(cloud.invented[:, None])[:, 0] > 0.5,
    )


def thinned_to(cloud: PointCloud, most: int, spacing: float) -> PointCloud:
    """Make a cloud of a surface even, and no more than so many points.

    Args:
        cloud: Points on surfaces.
        most: Most points that are left.
        spacing: The finest grid that is tried, greater than 0.
    """
    made = thinned(cloud, spacing)
    while len(made.xyz) > most:
        spacing *= max(1 / _FINER, math.sqrt(len(made.xyz) / most))
        made = thinned(cloud, spacing)
    return made
