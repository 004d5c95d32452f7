"""Tiny islands on the wrong side of an outline: what colour noise leaves behind, never a thin thing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, U8, Bool

LEAST = 24
"""Islands of fewer pixels than this go over to the side around them; at the size of the finished map."""


_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""Steps to the eight neighbours, once around."""


def _bumps() -> Bool:
    """Which rings of neighbours on a pixel's own side (bits in the order of the ring) leave it a mere bump: (256,).

    At most three, side by side: a step out of a straight outline, the end of a spur. A wire has them on two sides.
    """
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    runs = (bits & (1 - np.roll(bits, 1, axis=1))).sum(axis=1)
    return (bits.sum(axis=1) <= 3) & (runs <= 1)


def trim(v: F32, spots: np.ndarray, ends: F32, rounds: int = 2) -> None:
    """Take single pixels that stick out of an outline off it, near ones and then far ones, in place.

    Args:
        v: (h, w) settled values, larger is nearer.
        spots: (n, 2) columns and rows of the listed pixels.
        ends: (n, 2) near and far value of each.
        rounds: How often; every round takes a pixel off the end of a wire, too.
    """
    span = cv2.dilate(v, np.ones((3, 3), np.uint8)) - cv2.erode(v, np.ones((3, 3), np.uint8))
    apart = ends[:, 0] - ends[:, 1]
    edge = (apart > 0) & (span[spots[:, 1], spots[:, 0]] > np.float32(0.3) * apart)
    columns, rows, near, far = spots[edge, 0], spots[edge, 1], ends[edge, 0], ends[edge, 1]
    middle, bump = np.float32(0.5) * (near + far), _bumps()
    h, w = v.shape
    for turn in range(2 * rounds):
        mine, other = (near, far) if turn % 2 == 0 else (far, near)
        ring = np.zeros(len(rows), np.uint8)
        for bit, (dy, dx) in enumerate(_RING):
            there = v[np.clip(rows + dy, 0, h - 1), np.clip(columns + dx, 0, w - 1)]
            ring |= ((there >= middle) == (turn % 2 == 0)).astype(np.uint8) << np.uint8(bit)
        gone = (v[rows, columns] == mine) & bump[ring]
        v[rows[gone], columns[gone]] = other[gone]


def _small(mask: U8, rows: NDArray[np.int32], columns: NDArray[np.int32], least: int, connectivity: int) -> Bool:
    """Which of some pixels lie in islands of a mask that have fewer than ``least`` pixels: (n,)."""
    _, found, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    small = stats[:, cv2.CC_STAT_AREA] < least
    small[0] = False
    return small[np.asarray(found, np.int32)[rows, columns]]


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
        gone = _small(mask, rows, columns, least, connectivity) & here
        v[rows[gone], columns[gone]] = other[gone]
        turned += int(gone.sum())
    return turned
