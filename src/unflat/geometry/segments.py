"""Straight edges in pictures, as planes through the eye."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from unflat.geometry.distort import rays_through
from unflat.types.arrays import F64, U8
from unflat.types.image import Size
from unflat.types.views import Lens

LONGEST = 800
"""Pictures are looked at no larger than this: it keeps edges of walls and loses those of leaves."""
_SHORTEST = 0.04
"""A segment counts from this share of the picture's long side on."""


def straight_edges(pixels: U8) -> F64:
    """Segments (n, 4): x, y of both ends in pixels (Grompone von Gioi et al., "LSD", 2010).

    Args:
        pixels: (h, w, 3) uint8.
    """
    h, w = pixels.shape[:2]
    factor = min(1.0, LONGEST / max(h, w))
    size = Size(max(1, round(w * factor)), max(1, round(h * factor)))
    grey = cv2.cvtColor(np.asarray(pixels), cv2.COLOR_RGB2GRAY)
    if factor < 1:
        grey = cv2.resize(grey, (size.width, size.height), interpolation=cv2.INTER_AREA)
    found: Any = cv2.createLineSegmentDetector().detect(grey)[0]  # None where there are none
    if found is None:
        return np.zeros((0, 4))
    ends = (np.asarray(found, np.float64).reshape(-1, 4) + 0.5) * np.tile([w / size.width, h / size.height], 2)
    long = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]) > _SHORTEST * max(h, w)
    return ends[long]


def planes_through(ends: F64, lens: Lens, world_from_camera: F64) -> F64:
    """(n, 3) unit normals, in the world, of the planes through the eye and segments (n, 4) of its picture."""
    one, other = rays_through(ends[:, :2], lens), rays_through(ends[:, 2:], lens)
    normals = np.cross(one, other)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return normals @ world_from_camera[:3, :3].T
