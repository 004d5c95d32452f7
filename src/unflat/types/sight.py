"""A cut-out whose camera is known."""

from __future__ import annotations

from dataclasses import dataclass

from unflat.errors import ShapeError
from unflat.types.arrays import F64, U8
from unflat.types.camera import Camera
from unflat.types.image import Image


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A cut-out and the camera that saw it.

    Attributes:
        image: With alpha: the object and nothing else.
        camera: For the image's size; a pinhole.
        mirror: (4, 4) reflection of the world: the picture shows the thing's other side as if it were the same. What
            it sees that way was not seen. None: the picture as it is.
    """

    image: Image
    camera: Camera
    mirror: F64 | None = None

    def __post_init__(self) -> None:
        if self.image.alpha is None:
            raise ShapeError(f"{self.image.source.name} is not cut out")
        if self.camera.intrinsics.size != self.image.size:
            raise ShapeError(f"the camera is one for {self.camera.intrinsics.size}, not {self.image.size}")

    @property
    def alpha(self) -> U8:
        """(h, w), 255 is object."""
        assert self.image.alpha is not None
        return self.image.alpha
