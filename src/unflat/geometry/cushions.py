"""Heights over an outline -> solids, and bowls with room for what lies in them, as fields that are negative inside."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.silhouette import signed_distance
from unflat.types.arrays import F32, U8, Bool

_FRAME = 3
_SOFT = 2.0
"""Standard deviation, in pixels, by which the steps of a mask are smoothed."""
_ROUND = 2.5
"""Edges between two surfaces are rounded over so many cells at most."""


class Footprint(NamedTuple):
    """An outline seen from above, in cells of its own grid.

    Attributes:
        left: Of the first cell's corner, in pixels of the map.
        top: The same.
        cell: Pixels a cell.
        depth: (h, w) float32, cells to the outline, positive inside.
    """

    left: float
    top: float
    cell: float
    depth: F32

    def centres(self) -> tuple[F32, F32]:
        """(h, w) x and y of all cells' centres, in pixels of the map."""
        h, w = self.depth.shape
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
        return (x + 0.5) * self.cell + self.left, (y + 0.5) * self.cell + self.top

    def at(self, values: F32, x: F32, y: F32) -> F32:
        """Values of this grid at other places, those at its border beyond it."""
        mx, my = ((v - start) / self.cell - 0.5 for v, start in ((x, self.left), (y, self.top)))
        found = cv2.remap(
            values, mx.astype(np.float32), my.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(found, np.float32)


def footprint_of(mask: Bool, cells: int, finest: float, radius_cells: float = 24.0) -> Footprint:
    """The outline of a mask on a grid that is as fine as it needs to be.

    Args:
        mask: (h, w), somewhere true.
        cells: At most so many along its long side.
        finest: Pixels that a cell has at least.
        radius_cells: Cells that the radius of its widest place takes, if they are not too many.
    """
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    left, right, top, bottom = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    cover = np.pad(mask[top:bottom, left:right].astype(np.uint8) * np.uint8(255), 4)
    radius = float(cv2.distanceTransform(cover, cv2.DIST_L2, 5).max())
    long_side = max(right - left, bottom - top)
    cell = max(finest, long_side / cells, min(radius / radius_cells, long_side / 40))
    soft = cv2.GaussianBlur(cover, (0, 0), max(_SOFT, 0.5 * cell))
    w, h = (int(np.ceil(length / cell)) + 2 * _FRAME for length in (right - left, bottom - top))
    out = Footprint(left - _FRAME * cell, top - _FRAME * cell, cell, np.zeros((h, w), np.float32))
    x, y = out.centres()
    maps = (x - left + 4 - 0.5).astype(np.float32), (y - top + 4 - 0.5).astype(np.float32)
    alpha: U8 = np.asarray(cv2.remap(soft, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8)
    return out._replace(depth=-signed_distance(alpha))


def ball_field(squares: F32, flat: float, z: F32) -> F32:
    """(nz, h, w), about the distance in cells to a solid that is round about z = 0, negative inside.

    Args:
        squares: (h, w) of half its thickness for a round one, in cells; below 0 outside.
        flat: Its thickness for that of round solids.
        z: (nz,) float32 levels in cells.
    """
    uy, ux = np.gradient(squares)
    level = (z / np.float32(flat)).astype(np.float32)[:, None, None]
    slope = np.sqrt(ux * ux + uy * uy + (2 / np.float32(flat) * level) ** 2)
    return ((level**2 - squares) / np.maximum(slope, 1)).astype(np.float32)


def cushion(squares: F32, flat: float) -> tuple[F32, float]:
    """The field of a closed solid, and the z of its first level, in cells."""
    reach = flat * float(np.sqrt(max(float(squares.max()), 0.0)))
    z = np.arange(-np.ceil(reach) - 2, np.ceil(reach) + 3, dtype=np.float32)
    return ball_field(squares, flat, z), float(z[0])


def bowl(outer: F32, inner: F32, flat: float, wall: float) -> tuple[F32, float]:
    """The field of the far half (z > 0) of a solid with a smaller one taken out of it, and the z of its first level.

    Args:
        outer: (h, w) squares of the whole.
        inner: (h, w) squares of the room in it.
        flat: The depth of both for that of round solids.
        wall: Cells between the two at the rim.
    """
    soft = min(_ROUND, wall / 2)
    reach = flat * float(np.sqrt(max(float(outer.max()), 0.0)))
    z = np.arange(-3, np.ceil(reach) + 3, dtype=np.float32)
    field = _harder(ball_field(outer, flat, z), np.broadcast_to(-z[:, None, None], (len(z), *outer.shape)), soft)
    return _harder(field, -ball_field(inner, flat, z), soft), float(z[0])


def _harder(one: F32, other: F32, soft: float) -> F32:
    """What is inside of both, its edges rounded over so many cells."""
    near = np.maximum(np.float32(soft) - np.abs(one - other), 0)
    return (np.maximum(one, other) + near * near / np.float32(4 * soft)).astype(np.float32)
