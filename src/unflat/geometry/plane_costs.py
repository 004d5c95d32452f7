"""What pictures say of planes and depth: how well large windows match, and how much there is in them to match."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.rig import Rig
from unflat.geometry.sweep import cost_volume, moments
from unflat.types.arrays import F32, Bool

UNSEEN = 1.6
"""A cost from which on fewer than two sources show the place at all."""
BLANK = 0.5
"""What it costs to lie on a plane of which the pictures say nothing."""
_REACHES = 4, 8
"""The windows go so many pixels to each side; the larger one is asked where there is too little in the smaller."""
_SIGNAL = 4.0
"""A window whose variance is so many times that of the noise is believed half."""


def window_costs(rig: Rig, planes: NDArray[np.floating[Any]], reach: int) -> tuple[F32, Bool]:
    """(h, w, n) how badly planes match, 0 to about 1.3; and where too few sources see them to tell.

    Args:
        rig: The pictures.
        planes: (n, 3) inverse depth at a pixel (x, y, 1).
        reach: The window goes so many pixels to each side.
    """
    costs = cost_volume(rig, np.asarray(planes, np.float32), reach).astype(np.float32) / np.float32(64)
    return costs, costs > UNSEEN


def plane_costs(rig: Rig, planes: NDArray[np.floating[Any]]) -> F32:
    """(h, w, n) what it costs each pixel to lie on each plane: 0 it matches, BLANK nobody can tell, 1 it does not.

    Args:
        rig: The pictures.
        planes: (n, 3) inverse depth at a pixel (x, y, 1).
    """
    told: F32 = np.full((*rig.grey.shape, len(planes)), BLANK, np.float32)
    for reach in reversed(_REACHES):
        costs, unseen = window_costs(rig, planes, reach)
        share = signal(rig, reach)[..., None]
        here = np.where(unseen, np.float32(BLANK), np.minimum(costs, np.float32(1)))
        told = (share * here + (1 - share) * told).astype(np.float32)
    return told


def signal(rig: Rig, reach: int) -> F32:
    """(h, w) 0..1, how much of what a window holds is not noise."""
    variance = moments(rig.grey, (2 * reach + 1, 2 * reach + 1), 0.0)[1]
    return np.asarray(variance / (variance + np.float32(_SIGNAL * rig.noise**2)), np.float32)


def depth_costs(rig: Rig, inverse: F32, reach: int) -> F32:
    """(h, w) how badly the two sources that fit best match at a depth; 2 where none is known.

    Args:
        rig: The pictures.
        inverse: (h, w) inverse depth, 0 where nothing is known.
        reach: The window goes so many pixels to each side.
    """
    h, w = inverse.shape
    side = (2 * reach + 1, 2 * reach + 1)
    mean, spread = moments(rig.grey, side, rig.noise)
    y, x = np.mgrid[:h, :w].astype(np.float32) + np.float32(0.5)
    costs = np.full((max(2, len(rig.ways)), h, w), 2, np.float32)
    for s, way in enumerate(rig.ways):
        z = np.maximum(way[6] * x + way[7] * y + way[8] + way[11] * inverse, np.float32(1e-3))
        u = (way[0] * x + way[1] * y + way[2] + way[9] * inverse) / z
        v = (way[3] * x + way[4] * y + way[5] + way[10] * inverse) / z
        across, down = u - np.float32(0.5), v - np.float32(0.5)
        seen = np.asarray(cv2.remap(rig.sources[s], across, down, cv2.INTER_LINEAR), np.float32)
        there, theirs = moments(seen, side, rig.noise)
        both = np.asarray(cv2.boxFilter(seen * rig.grey, -1, side)) - there * mean
        inside = (u > 0) & (v > 0) & (u < way[12]) & (v < way[13])
        costs[s] = np.where(inside, 1 - both / np.sqrt(spread * theirs), np.float32(2))
    costs.partition(1, axis=0)
    return np.where(inverse > 0, costs[:2].mean(0), 2).astype(np.float32)
