"""The far dome that carries the sky, and the skirt that continues it behind the outlines."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.cuts import Lattice
from unflat.geometry.edges import find_cuts
from unflat.geometry.nearest import nearest_true
from unflat.geometry.simplify_grid import error_pyramid, pad_to_lattice
from unflat.geometry.tessellate import Sheet, tessellate
from unflat.types.arrays import F32, U32, Bool

SKIRT = 0.05
"""How far the sky goes on behind the outlines, as a fraction of the picture's long side."""

OVERLAP = 3
"""How many pixels of seen sky the skirt also stands behind: the outlines of two sheets never agree to the hair."""


class Skirt(NamedTuple):
    """Sky that nobody saw, behind the outlines.

    Attributes:
        points: (n, 2) float32, where it stands over the picture, in pixels.
        seen: (n, 2) float32, the nearest point of the seen sky, in pixels; its colour is taken from there.
        faces: (m, 3) uint32, counter-clockwise as seen.
    """

    points: F32
    seen: F32
    faces: U32


def sky_sheet(sky: Bool, most: int) -> Sheet | None:
    """Triangulate the seen sky up to its outlines.

    Args:
        sky: (h, w).
        most: Triangles it may take.

    Returns:
        The sheet, its inverse depth 1 everywhere; None if no outline coarse enough fits into ``most`` triangles.
    """
    tile = 8
    while tile * 32 <= min(sky.shape) and tile < 64:
        tile *= 2
    inverse = sky.astype(np.float32)
    lattice: Lattice = pad_to_lattice(inverse, sky, find_cuts(inverse, sky, 1.0, 1.0), tile)
    for slack in (0.75, 1.5, 3.0, 6.0):
        worst = error_pyramid(lattice, 1.0, tile, slack, 0.5)
        sheet = tessellate(lattice, worst, 0.5, tile, most)
        if sheet is not None:
            return sheet
    return None


def sky_skirt(sky: Bool, most: int, whole: bool, reach: float = 0.0) -> Skirt:
    """Continue the sky behind the outlines, on a coarse grid.

    Args:
        sky: (h, w), somewhere True.
        most: Triangles it may take.
        whole: Cover the seen sky too.
        reach: How far it goes on behind the outlines, in pixels, if that is more than SKIRT.
    """
    h, w = sky.shape
    blocks_at = _wanted(sky, whole, reach)
    cell = max(1, round(max(h, w) / 128))
    while True:
        ys, xs = _ticks(h, cell), _ticks(w, cell)
        rows, columns = np.nonzero(np.maximum.reduceat(np.maximum.reduceat(blocks_at, ys[:-1], 0), xs[:-1], 1))
        if 2 * len(rows) <= most or cell >= max(h, w):
            break
        cell = int(cell * 1.3) + 1
    n = len(xs)
    top = rows * n + columns
    faces = np.concatenate(
        [np.stack([top, top + n, top + n + 1], axis=1), np.stack([top, top + n + 1, top + 1], axis=1)]
    )
    used, faces = np.unique(faces, return_inverse=True)
    points = np.stack([xs[used % n], ys[used // n]], axis=1).astype(np.float32)
    py, px = np.minimum(points[:, 1].astype(int), h - 1), np.minimum(points[:, 0].astype(int), w - 1)
    seen = np.where(sky[py, px][:, None], points, _nearest_sky(sky, py, px))
    return Skirt(points, seen, faces.reshape(-1, 3).astype(np.uint32))


def _wanted(sky: Bool, whole: bool, reach: float) -> Bool:
    """Where the skirt stands: behind the outlines and a little before them, or everywhere up to there."""
    import cv2

    solid = np.where(sky, 0, 1).astype(np.uint8)
    reached = cv2.distanceTransform(solid, cv2.DIST_L2, 5) < max(SKIRT * max(sky.shape), reach)
    if whole:
        return reached
    outline = cv2.dilate(solid, np.ones((2 * OVERLAP + 1, 2 * OVERLAP + 1), np.uint8))
    return reached & (outline > 0)


def _nearest_sky(sky: Bool, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> F32:
    """The nearest pixel of plain sky, where there is any off the outlines, as (n, 2) x and y."""
    import cv2

    plain = cv2.erode(sky.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    if not plain.any():
        plain = sky
    near = nearest_true(plain)[rows, columns]
    return np.stack([near % sky.shape[1], near // sky.shape[1]], axis=1).astype(np.float32) + np.float32(0.5)


def _ticks(length: int, cell: int) -> NDArray[np.int64]:
    """Grid lines from 0 to length."""
    return np.unique(np.round(np.linspace(0, length, max(1, round(length / cell)) + 1)).astype(np.int64))
