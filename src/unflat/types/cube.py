"""A panorama on the six sides of a cube around the eye."""

from __future__ import annotations

from dataclasses import dataclass

from unflat.errors import ShapeError
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side: a pinhole picture with depth that looks from the eye, a little wider than 90 degrees.

    Attributes:
        name: front, right, back, left, up or down.
        scene_from_side: (3, 3) float64 rotation from the side's camera axes.
        depth: z along the side's own axis, with its camera.
        picture: What the side shows, of the depth's size; transparent where the panorama shows nothing.
    """

    name: str
    scene_from_side: F64
    depth: DepthMap
    picture: Image

    def __post_init__(self) -> None:
        if self.depth.intrinsics is None or self.picture.size != self.depth.size:
            raise ShapeError(f"the side '{self.name}' needs a camera, and a picture of its depth's size")

    @property
    def camera(self) -> Intrinsics:
        """Its pixels, those of the depth."""
        assert self.depth.intrinsics is not None
        return self.depth.intrinsics
