"""Tiny islands on the wrong side of an outline: what colour noise leaves behind, never a thin thing."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.types.arrays import F32, U8, Bool

LEAST = 24
"""Islands of fewer pixels than this go over to the side around them; at the size of the finished map."""


def _small(mask: U8, least: int, connectivity: int) -> Bool:
    """Pixels of the islands of a mask that have fewer than ``least`` pixels: (h, w)."""
    _, found, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    small = stats[:, cv2.CC_STAT_AREA] < least
    small[0] = False
    return small[np.asarray(found, np.int32)]


def sweep(v: F32, spots: np.ndarray, ends: F32, least: int = LEAST) -> int:
    """Give islands of a few pixels to the other side of their outline, in place; near islands first, then far ones.

    Near islands hold together across corners, so that a slanted wire stays; gaps do not. A pixel that is not listed
    belongs to whatever side is around it, so an island that touches one is held by it and stays.

    Args:
        v: (h, w) settled values, larger is nearer.
        spots: (n, 2) columns and rows of the listed pixels.
        ends: (n, 2) near and far value of each.
        least: Smallest island that stays, in pixels.

    Returns:
        How many pixels went over.
    """
    open_ = ends[:, 0] > ends[:, 1]
    columns, rows, near, far = spots[open_, 0], spots[open_, 1], ends[open_, 0], ends[open_, 1]
    if not len(rows):
        return 0
    turned = 0
    for side, other, connectivity in ((near, far, 8), (far, near, 4)):
        here = v[rows, columns] == side
        mask = np.ones(v.shape, np.uint8)
        mask[rows, columns] = here
        gone = _small(mask, least, connectivity)[rows, columns] & here
        v[rows[gone], columns[gone]] = other[gone]
        turned += int(gone.sum())
    return turned
