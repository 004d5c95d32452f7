"""A picture and those that it is compared with, and the planes that explain it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.types.arrays import F32, F64, Bool
from unflat.types.camera import Intrinsics


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """A reference picture and the sources that it is compared with.

    Attributes:
        grey: (h, w) float32, 0..255, the reference.
        wanted: (h, w) bool, the pixels that are asked for.
        sources: (n, H, W) float32, padded to the largest.
        ways: (n, 14) float32 per source: the 3×3 matrix A (row by row) and b of ``A (x, y, 1) + b w``, homogeneous
            pixels of the source from a pixel of the reference and its inverse depth; then its width and height.
        camera: Of the reference.
        noise: Standard deviation of what is no signal, in grey values.
        found: (n, 3, H, W) float32, inverse depth (0: unknown) and gradient found in each source; None before that.
        back: (n, 14) float32, the ways from the sources to the reference; None likewise.
        down: (3,) unit vector along gravity in the reference's camera axes; None where nobody knows.
    """

    grey: F32
    wanted: Bool
    sources: F32
    ways: F32
    camera: Intrinsics
    noise: float = 2.0
    found: F32 | None = None
    back: F32 | None = None
    down: F64 | None = None

    @property
    def pixels_per_inverse(self) -> float:
        """How far the match moves, in pixels, where inverse depth changes by 1: in the middle, in the widest source."""
        h, w = self.grey.shape
        a, b = self.ways[:, :9].reshape(-1, 3, 3).astype(np.float64), self.ways[:, 9:12].astype(np.float64)
        middle = a @ np.array([w / 2, h / 2, 1.0])
        speed = (b[:, :2] * middle[:, 2:] - middle[:, :2] * b[:, 2:]) / middle[:, 2:] ** 2
        return float(np.median(np.linalg.norm(speed, axis=1)))


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """What was found for every pixel.

    Attributes:
        inverse: (h, w) float32, inverse depth; 0 where nothing is known.
        gradient: (2, h, w) float32, its change for one pixel to the right and one down.
        cost: (h, w) float32, 0 (perfect) to 2.
    """

    inverse: F32
    gradient: F32
    cost: F32
