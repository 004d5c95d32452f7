"""Points in space: one per pixel (PointMap) or loose (PointCloud)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8, Bool, settle


@dataclass(frozen=True, slots=True, eq=False)
class PointMap:
    """One point per pixel, in the camera's axes (x right, y down, z forward).

    Attributes:
        xyz_in_camera: (h, w, 3) float32; metres, or up to a factor if the depth was. NaN where not valid.
        valid: (h, w) bool; the sky is not valid here, for it has no place.
    """

    xyz_in_camera: F32
    valid: Bool

    def __post_init__(self) -> None:
        settle(self, "xyz_in_camera", "float32", (None, None, 3))
        h, w, _ = self.xyz_in_camera.shape
        settle(self, "valid", "bool", (h, w))


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud:
    """Loose points in the frame of their scene, in metres.

    Attributes:
        xyz: (n, 3) float32.
        colors: (n, 3) uint8 sRGB, or None.
        normals: (n, 3) float32 of length 1, or None.
        confidence: (n,) float32 in 0..1, or None where unknown.
        invented: (n,) bool; None means that nothing is.
    """

    xyz: F32
    colors: U8 | None = None
    normals: F32 | None = None
    confidence: F32 | None = None
    invented: Bool | None = None

    def __post_init__(self) -> None:
        settle(self, "xyz", "float32", (None, 3))
        n = len(self.xyz)
        settle(self, "colors", "uint8", (n, 3))
        settle(self, "normals", "float32", (n, 3))
        settle(self, "confidence", "float32", (n,))
        settle(self, "invented", "bool", (n,))
        if not np.isfinite(self.xyz).all():
            raise ShapeError("the points of a cloud must be finite")

    def __repr__(self) -> str:
        return f"PointCloud({len(self.xyz)} points)"
