"""Panoramas: pictures that look around, and what their files say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F64, frozen
from unflat.types.image import Size

PanoramaBasis = Literal["file", "shape", "given"]
"""How it is known that a picture looks around: its file says so, its shape and borders do, or the user."""
Projection = Literal["equirectangular", "cylindrical"]
"""What the rows are: even in latitude, or even in its tangent (the sweep of a phone, a film on a drum)."""
STEEPEST_DEG = 80.0
"""No cylinder goes on beyond this latitude."""


@dataclass(frozen=True, slots=True, eq=False)
class Panorama:
    """The camera of a picture whose columns are even in longitude.

    Longitude 0 is straight ahead and grows to the right, latitude 0 is the horizon and grows upwards. The axes are x
    right, y down, z ahead; level, once ``scene_from_panorama`` has turned them.

    Attributes:
        size: Of the picture, in pixels.
        left_deg: Longitude of its left edge.
        right_deg: Longitude of its right edge, at most 360 more.
        top_deg: Latitude of its upper edge, at most 90.
        bottom_deg: Latitude of its lower edge, at least -90.
        projection: What the rows are.
        scene_from_panorama: (3, 3) float64 rotation.
        basis: How all this is known.
    """

    size: Size
    left_deg: float = -180.0
    right_deg: float = 180.0
    top_deg: float = 90.0
    bottom_deg: float = -90.0
    projection: Projection = "equirectangular"
    scene_from_panorama: F64 = field(default_factory=lambda: np.eye(3))
    basis: PanoramaBasis = "given"

    def __post_init__(self) -> None:
        if not (0 < self.right_deg - self.left_deg <= 360 + 1e-6 and -90 <= self.bottom_deg < self.top_deg <= 90):
            raise ShapeError(f"a panorama cannot span {self.span} degrees")
        if self.projection == "cylindrical" and max(abs(self.top_deg), abs(self.bottom_deg)) > STEEPEST_DEG:
            raise ShapeError(f"a cylinder cannot reach from {self.bottom_deg:g} to {self.top_deg:g} degrees")
        turn = frozen("Panorama.scene_from_panorama", self.scene_from_panorama, "float64", (3, 3))
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) or np.linalg.det(turn) < 0:
            raise ShapeError("a panorama is turned by a rotation of determinant +1")
        object.__setattr__(self, "scene_from_panorama", turn)

    @property
    def span(self) -> tuple[float, float, float, float]:
        """Left, right, top and bottom in degrees."""
        return self.left_deg, self.right_deg, self.top_deg, self.bottom_deg

    @property
    def closed(self) -> bool:
        """True if it goes all the way around."""
        return self.right_deg - self.left_deg > 360 - 1e-3

    @property
    def whole(self) -> bool:
        """True if there is no direction that it does not show."""
        return self.closed and self.top_deg > 90 - 1e-3 and self.bottom_deg < -90 + 1e-3

    @property
    def pixels_per_radian(self) -> float:
        """How fine it is along the horizon."""
        return self.size.width / math.radians(self.right_deg - self.left_deg)

    def resized(self, size: Size) -> Panorama:
        """The same camera after the whole picture was resampled to ``size``."""
        return Panorama(size, *self.span, self.projection, self.scene_from_panorama, self.basis)

    def __repr__(self) -> str:
        left, right, top, bottom = self.span
        return f"Panorama({self.size}, {left:.4g}° to {right:.4g}°, {bottom:.4g}° to {top:.4g}°, {self.projection})"
