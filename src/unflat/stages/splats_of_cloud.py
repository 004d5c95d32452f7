"""a cloud of points on surfaces -> Gaussian splats: flat discs that touch, as a start for training or to look at."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np

from unflat.errors import InputError, MissingExtraError
from unflat.geometry.surfels import quaternions_from_axes
from unflat.types.arrays import F64
from unflat.types.points import PointCloud
from unflat.types.splats import Splats

NEIGHBOURS = 4
"""The spacing of points is the mean distance to so many neighbours."""
SPREAD = 0.6
"""Standard deviation of a disc along the surface, in spacings: even surfaces look even, and no holes show."""
FLAT = 0.1
"""Standard deviation across the surface, as a share of that along it."""
LONGEST = 3.0
"""A lonely point's disc is at most so many times as large as usual."""
FAINTEST = 0.1
"""Opacity where there is no confidence at all."""


def splats_of_cloud(cloud: PointCloud) -> Splats:
    """Lay a disc over every point of a cloud.

    A disc lies across the point's normal and reaches halfway to its neighbours; without normals it is a ball. Its
    opacity is the square root of the confidence, so that only what is hardly known is seen through.

    Raises:
        InputError: There are too few points.
        MissingExtraError: SciPy is not installed.
    """
    count = len(cloud.xyz)
    if count <= NEIGHBOURS:
        raise InputError(f"splats need more than {NEIGHBOURS} points, not {count}")
    spacing = _spacing(cloud.xyz.astype(np.float64))
    along = SPREAD * np.clip(spacing, 1e-9, LONGEST * max(float(np.median(spacing)), 1e-9))
    if cloud.normals is None:
        scales = np.repeat(along[:, None], 3, axis=1)
        turns = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    else:
        scales = along[:, None] * [1.0, 1.0, FLAT]
        turns = quaternions_from_axes(_axes(cloud.normals.astype(np.float64)))
    sure = np.ones(count) if cloud.confidence is None else np.sqrt(cloud.confidence.astype(np.float64))
    colors = np.full((count, 3), 0.5) if cloud.colors is None else cloud.colors / 255
    return Splats(
        cloud.xyz,
        scales.astype(np.float32),
        turns.astype(np.float32),
        np.clip(sure, FAINTEST, 0.99).astype(np.float32),
        np.asarray(colors, np.float32),
        cloud.confidence,
        cloud.invented,
    )


def _spacing(xyz: F64) -> F64:
    """Mean distance of every point to its nearest neighbours: (n,)."""
    if importlib.util.find_spec("scipy") is None:
        raise MissingExtraError("splats of a cloud", "scan")
    tree = importlib.import_module("scipy.spatial").cKDTree(xyz)
    distances, _ = tree.query(xyz, NEIGHBOURS + 1)
    return distances[:, 1:].mean(axis=1)


def _axes(normals: F64) -> F64:
    """Right-handed frames (n, 3, 3) whose third column is the normal.

    Duff et al., "Building an orthonormal basis, revisited", JCGT 6(1), 2017.
    """
    x, y, z = normals.T
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], axis=1)
    second = np.stack([b, sign + y * y * a, -y], axis=1)
    return np.stack([first, second, normals], axis=2)
