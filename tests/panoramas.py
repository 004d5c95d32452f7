"""Known worlds all around: rooms whose distance is exact in every direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.panorama import panorama_rays
from unflat.types.image import Image, Size
from unflat.types.panorama import Panorama

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Room:
    """A box around the eye, and a pillar in it: metres to its walls, x right, y down, z ahead."""

    low: tuple[float, float, float] = (-2.0, -1.0, -3.0)
    high: tuple[float, float, float] = (2.5, 1.6, 4.0)
    pillar: tuple[float, float, float] | None = (1.0, 2.0, 0.3)
    """x, z and radius of an upright pillar from the floor to the ceiling."""

    def distance(self, rays: Array) -> Array:
        """How far the first surface is along unit rays (…, 3)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            walls = np.maximum(np.asarray(self.low) / rays, np.asarray(self.high) / rays)
            out = np.nanmin(np.where(walls > 0, walls, np.inf), axis=-1)
            if self.pillar is not None:
                x, z, radius = self.pillar
                a = rays[..., 0] ** 2 + rays[..., 2] ** 2
                b = rays[..., 0] * x + rays[..., 2] * z
                root = b**2 - a * (x * x + z * z - radius**2)
                near = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
                out = np.minimum(out, np.where(near > 0, near, np.inf))
        return out

    def off(self, points: Array) -> Array:
        """How far points (n, 3) are from the nearest surface, metres."""
        low, high = np.abs(points - np.asarray(self.low)), np.abs(points - np.asarray(self.high))
        out = np.minimum(low, high).min(axis=1)
        if self.pillar is not None:
            x, z, radius = self.pillar
            out = np.minimum(out, np.abs(np.hypot(points[:, 0] - x, points[:, 2] - z) - radius))
        return out

    def colour(self, points: Array) -> NDArray[np.uint8]:
        """Smooth colours that tell every place apart, with tiles on them: (…, 3) sRGB."""
        waves = 128 + 60 * np.sin(points * np.array([0.9, 1.3, 0.7]) + np.array([0.3, 1.1, 2.0]))
        tiles = np.floor(points * 2 + 0.25).sum(axis=-1, keepdims=True) % 2
        return np.clip(waves + 30 * tiles, 0, 255).astype(np.uint8)

    def seen(self, panorama: Panorama) -> tuple[Image, NDArray[np.float32]]:
        """A panorama of it, and the distance along the ray of each pixel's centre."""
        rays = panorama_rays(panorama).astype(np.float64)
        distance = self.distance(rays)
        return Image(self.colour(rays * distance[..., None])), distance.astype(np.float32)


def whole(width: int) -> Panorama:
    """A sphere of so many pixels."""
    return Panorama(Size(width, width // 2))
