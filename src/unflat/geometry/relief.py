"""A picture's depth as a bas-relief: heights, and the closed solid below them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.cuts import Lattice
from unflat.geometry.edges import diagonal_cuts
from unflat.geometry.simplify_grid import error_pyramid, pad_to_lattice
from unflat.geometry.tessellate import Sheet, tessellate
from unflat.types.arrays import F32, U32, Bool

_TILE = 64


def compress(inverse: F32, on: Bool, evenness: float) -> F32:
    """Inverse depth -> height in 0..1 by one monotone curve, near is high, 0 without surface.

    The curve is the logarithm of the inverse depth between its 0.5th and 99.5th percentile, so that equal
    ratios of depth get equal steps, blended with its own distribution (histogram equalisation), which takes
    height away from the empty space between things and gives it to their shape.

    Args:
        inverse: (h, w) inverse depth.
        on: (h, w) where there is a surface.
        evenness: 0 logarithm only, 1 distribution only.
    """
    logs = np.log(np.maximum(inverse[on], 1e-12))
    low, high = (float(each) for each in np.percentile(logs, (0.5, 99.5)))
    if high - low < 1e-6:
        return on.astype(np.float32)
    edges = np.linspace(low, high, 257)
    counts, _ = np.histogram(np.clip(logs, low, high), bins=edges)
    share = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    straight = np.linspace(0, 1, 257)
    curve = (1 - evenness) * straight + evenness * share
    height = np.zeros(inverse.shape, np.float32)
    height[on] = np.interp(logs, edges, 0.02 + 0.98 * curve)
    return height


def height_sheet(height: F32, triangles: int, max_error: float) -> tuple[Sheet, float]:
    """Triangulate a field of heights without holes.

    Args:
        height: (h, w), in any unit.
        triangles: Most triangles.
        max_error: Largest error in the unit of ``height``; grows until the triangles are enough.

    Returns:
        The sheet, whose third coordinate is the height, and its error bound.
    """
    whole = np.ones(height.shape, np.bool_)
    cuts = np.zeros(height.shape, np.uint8)
    diagonal_cuts(whole, cuts)
    lattice: Lattice = pad_to_lattice(height, whole, cuts, _TILE)
    scale = float(np.abs(lattice.inverse).max()) + 1.0
    worst = error_pyramid(lattice, scale, _TILE, 0.0, 1.0) * np.float32(scale)
    limit = max_error
    errors = np.sort(worst[worst > limit])[::-1]
    goal = triangles // 2
    while True:
        if goal < len(errors):
            limit = max(limit, float(errors[goal]))
        sheet = tessellate(lattice, worst, limit, _TILE, triangles)
        if sheet is not None or goal == 0:
            break
        goal = int(min(goal, len(errors)) * 0.85)
    if sheet is None:
        sheet = tessellate(lattice, worst, np.inf, _TILE, 16 * worst.size)
        assert sheet is not None
    return sheet, limit


def close(top: NDArray[np.float64], faces: U32, floor: NDArray[np.float64]) -> tuple[F32, U32]:
    """Close a sheet with one border into a solid, by walls down to a floor.

    Args:
        top: (n, 3) points of the sheet.
        faces: (m, 3), counter-clockwise from outside.
        floor: (n, 3) where each point stands on the floor; only those of the border are used.

    Returns:
        Vertices and faces of a closed surface: every edge is shared by two faces, turned opposite ways.
    """
    n = np.int64(len(top))
    f = faces.astype(np.int64)
    edges = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    forth, back = edges[:, 0] * n + edges[:, 1], edges[:, 1] * n + edges[:, 0]
    border = edges[~np.isin(forth, back)]
    rim, ends = np.unique(border, return_inverse=True)
    ends = ends.reshape(-1, 2) + n
    middle = np.full(len(border), n + len(rim))
    walls = [
        np.stack([border[:, 1], border[:, 0], ends[:, 0]], axis=1),
        np.stack([border[:, 1], ends[:, 0], ends[:, 1]], axis=1),
        np.stack([ends[:, 1], ends[:, 0], middle], axis=1),
    ]
    vertices = np.concatenate([top, floor[rim], floor[rim].mean(axis=0, keepdims=True)])
    return vertices.astype(np.float32), np.concatenate([f, *walls]).astype(np.uint32)
