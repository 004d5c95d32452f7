"""Cameras: pinhole intrinsics that carry their image size, and poses that name both their ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F64, frozen
from unflat.types.image import Size
from unflat.types.panorama import Panorama

FocalBasis = Literal["given", "exif-35mm", "exif-sensor", "file", "views", "model", "assumed"]
"""How the focal length is known; "views": measured from many pictures of one place. Only the last two are guesses."""


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera in pixels of an image of ``size``.

    The image spans [0, width] × [0, height]; the first pixel's centre is (0.5, 0.5). Camera axes are
    x right, y down, z forward.

    Attributes:
        fx: Focal length along x, in pixels.
        fy: Focal length along y, in pixels.
        cx: Principal point, in pixels from the left edge of the image.
        cy: Principal point, in pixels from the top edge of the image.
        size: The image these numbers belong to.
        basis: How the focal length is known.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    size: Size
    basis: FocalBasis = "given"

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not all(math.isfinite(n) for n in numbers) or self.fx <= 0 or self.fy <= 0:
            raise ShapeError(f"intrinsics must be finite with positive focal lengths, not {numbers}")

    @staticmethod
    def from_focal(focal_px: float, size: Size, basis: FocalBasis = "given") -> Intrinsics:
        """Square pixels, principal point in the middle."""
        return Intrinsics(focal_px, focal_px, size.width / 2, size.height / 2, size, basis)

    @staticmethod
    def from_fov(fov_deg: float, size: Size, basis: FocalBasis = "given") -> Intrinsics:
        """Square pixels from the angle (degrees) across the *width* of the image."""
        if not 0.1 <= fov_deg <= 179:
            raise ShapeError(f"a field of view must be between 0.1 and 179 degrees, not {fov_deg:g}")
        return Intrinsics.from_focal(size.width / (2 * math.tan(math.radians(fov_deg) / 2)), size, basis)

    @property
    def fov_x_deg(self) -> float:
        """Angle across the width in degrees."""
        return math.degrees(math.atan(self.cx / self.fx) + math.atan((self.size.width - self.cx) / self.fx))

    @property
    def fov_y_deg(self) -> float:
        """Angle across the height in degrees."""
        return math.degrees(math.atan(self.cy / self.fy) + math.atan((self.size.height - self.cy) / self.fy))

    @property
    def guessed(self) -> bool:
        """True if nobody measured the focal length."""
        return self.basis in ("model", "assumed")

    @property
    def matrix(self) -> F64:
        """The 3×3 matrix pixel_from_camera."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def resized(self, size: Size) -> Intrinsics:
        """The same camera after the whole image was resampled to ``size``."""
        sx, sy = size.width / self.size.width, size.height / self.size.height
        return Intrinsics(self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy, size, self.basis)

    def cropped(self, left: float, top: float, size: Size) -> Intrinsics:
        """The same camera after cutting out ``size`` pixels from (``left``, ``top``)."""
        return Intrinsics(self.fx, self.fy, self.cx - left, self.cy - top, size, self.basis)


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A rigid motion.

    Attributes:
        world_from_camera: (4, 4) float64, rotation of determinant +1 and translation in metres; column vectors.
    """

    world_from_camera: F64

    def __post_init__(self) -> None:
        m = frozen("Pose.world_from_camera", self.world_from_camera, "float64", (4, 4))
        r = m[:3, :3]
        if not np.allclose(r @ r.T, np.eye(3), atol=1e-6) or np.linalg.det(r) < 0 or not np.isfinite(m).all():
            raise ShapeError("a pose must be a rotation of determinant +1 with a finite translation")
        if not np.array_equal(m[3], [0, 0, 0, 1]):
            raise ShapeError("the last row of a pose must be 0 0 0 1")
        object.__setattr__(self, "world_from_camera", m)

    @staticmethod
    def identity() -> Pose:
        """The camera stands at the world's origin and looks along +z."""
        return Pose(np.eye(4))

    @property
    def centre(self) -> F64:
        """Where the camera stands in the world, (3,) metres."""
        return self.world_from_camera[:3, 3]

    def __repr__(self) -> str:
        return f"Pose(centre={np.array2string(self.centre, precision=3)})"


@dataclass(frozen=True, slots=True)
class Camera:
    """Intrinsics that stand somewhere.

    Attributes:
        intrinsics: The pinhole camera; of a panorama, a window into it.
        pose: Where it stands.
        name: For people.
        panorama: What the picture shows where it looks around; None for an ordinary one.
    """

    intrinsics: Intrinsics
    pose: Pose
    name: str = "camera"
    panorama: Panorama | None = None
