"""Mirrors and panes as the flat surfaces they are: fitted to what is around them.

Inverse depth is linear over the picture of a plane (Hartley and Zisserman, "Multiple view geometry", 2004), so the
plane of a pane is the linear function that most of its rim agrees on: the frame, the wall it hangs on. Triples of the
rim's pixels are tried (Fischler and Bolles, RANSAC, 1981), always the same ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, F64, Bool

RIM = 0.03
"""The rim is this share of the long side wide; the first third, where depth is mixed, is left out."""
ALIKE = 0.03
"""A pixel of the rim agrees with a plane that is off by this share of its inverse depth at most."""
AGREED = 0.4
"""So much of the rim must agree."""
BEFORE = 1.25
"""What is nearer than the pane by this factor stands before it, and is left alone."""
TRIES = 300
SOLID = 0.75
"""A pane fills this share of its convex hull; of four corners or round, never a vessel's outline."""


def panes_of(mask: Bool, least: float) -> list[Bool]:
    """The connected parts of a mask that have the shape of a pane and at least this share of the picture."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    found: list[Bool] = []
    for k in range(1, len(stats)):
        part = np.asarray(labels) == k
        if part.mean() < least:
            continue
        rows, columns = np.nonzero(part)
        hull = np.asarray(cv2.convexHull(np.stack([columns, rows], 1).astype(np.int32)), np.int32)
        whole = np.asarray(cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), hull, (1,)))
        if part.sum() >= SOLID * whole.sum():
            found.append(part)
    return found


def rim_plane(nearness: F32, pane: Bool, known: Bool, *, all_around: bool = False) -> F64 | None:
    """The plane of a pane: (a, b, c) of nearness = a·column + b·row + c; None where its rim does not agree on one.

    Args:
        nearness: (h, w), inverse depth up to a factor (and an offset).
        pane: (h, w), where the pane is.
        known: (h, w), where nearness is a surface's and no other pane's.
        all_around: Each of the four sides of the rim must agree for itself, as far as the picture shows it: so does
            the wall around a window, and not what is around a case that stands on something.
    """
    reach = max(3, round(RIM * max(pane.shape)))
    grown = [cv2.dilate(pane.astype(np.uint8), np.ones((2 * r + 1, 2 * r + 1), np.uint8)) for r in (reach // 3, reach)]
    rows, columns = np.nonzero((grown[1] > grown[0]) & known)
    if len(rows) < 12:
        return None
    design = np.stack([columns, rows, np.ones(len(rows))], 1).astype(np.float64)
    values = nearness[rows, columns].astype(np.float64)
    rng = np.random.default_rng(0)
    best, most = np.zeros(len(rows), bool), 0
    for _ in range(TRIES):
        three = rng.choice(len(rows), 3, replace=False)
        if abs(np.linalg.det(design[three])) < 1.0:
            continue
        agree = _agree(design, values, np.asarray(np.linalg.solve(design[three], values[three]), np.float64))
        if agree.sum() > most:
            best, most = agree, int(agree.sum())
    if most < AGREED * len(rows) or (all_around and not _agreed_by_each(best, rows, columns, pane)):
        return None
    plane = np.linalg.lstsq(design[best], values[best], rcond=None)[0]
    return np.asarray(plane, np.float64)


def _agreed_by_each(agree: Bool, rows: NDArray[np.int64], columns: NDArray[np.int64], pane: Bool) -> bool:
    """Whether the pixels of each side of a pane's rim agree, of those sides that have any number of them."""
    inside, across = np.nonzero(pane)
    y = (rows - inside.mean()) / (np.ptp(inside) + 1)
    x = (columns - across.mean()) / (np.ptp(across) + 1)
    side = np.where(np.abs(x) > np.abs(y), np.where(x > 0, 1, 3), np.where(y > 0, 2, 0))
    there = [agree[side == k] for k in range(4) if (side == k).mean() > 0.05]
    return all(float(one.mean()) >= AGREED for one in there)


def _agree(design: F64, values: F64, plane: F64) -> Bool:
    return np.abs(design @ plane - values) < ALIKE * np.maximum(np.abs(values), 1e-9)


def spread(plane: F64, over: Bool) -> F64:
    """The plane's nearness at every pixel of a mask's size, (h, w)."""
    rows, columns = np.mgrid[: over.shape[0], : over.shape[1]]
    return np.asarray(plane[0] * columns + plane[1] * rows + plane[2], np.float64)


def flattened(nearness: F32, pane: Bool, plane: F64) -> F32:
    """Nearness with the pane on its plane; what stands before the pane stays.

    Args:
        nearness: (h, w) as for :func:`rim_plane`.
        pane: (h, w), where the pane is.
        plane: Of :func:`rim_plane`.
    """
    flat = spread(plane, pane)
    behind = pane & (nearness < BEFORE * flat) & (flat > 0)
    return np.where(behind, flat, nearness).astype(np.float32)
