"""Gaussian splats in activated values: what they look like, not how a file stores them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, Bool, settle


@dataclass(frozen=True, slots=True, eq=False)
class Splats:
    """Oriented ellipsoids in the frame of their scene.

    Attributes:
        means: (n, 3) float32, metres.
        scales: (n, 3) float32, standard deviations along the own axes, metres, > 0.
        quaternions: (n, 4) float32, w x y z of length 1, scene_from_splat.
        opacities: (n,) float32 in 0..1.
        colors: (n, 3) float32 in 0..1, sRGB, the same from every side (spherical harmonics of degree 0).
        confidence: (n,) float32 in 0..1, or None where unknown.
        invented: (n,) bool; None means that nothing is.
    """

    means: F32
    scales: F32
    quaternions: F32
    opacities: F32
    colors: F32
    confidence: F32 | None = None
    invented: Bool | None = None

    def __post_init__(self) -> None:
        settle(self, "means", "float32", (None, 3))
        n = len(self.means)
        for name, shape in (("scales", (n, 3)), ("quaternions", (n, 4)), ("opacities", (n,)), ("colors", (n, 3))):
            settle(self, name, "float32", shape)
        settle(self, "confidence", "float32", (n,))
        settle(self, "invented", "bool", (n,))
        if not np.isfinite(self.means).all() or not (self.scales > 0).all():
            raise ShapeError("splats must have finite centres and positive sizes")
        if not np.allclose(np.linalg.norm(self.quaternions, axis=1), 1, atol=1e-3):
            raise ShapeError("the quaternions of splats must have length 1")

    def __repr__(self) -> str:
        return f"Splats({len(self.means)})"
