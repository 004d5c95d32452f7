"""Depth -> a cloud of coloured points, one per pixel as far as the limit allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unflat.errors import InputError
from unflat.geometry.lift import lift
from unflat.types.depth import DepthMap
from unflat.types.image import Image
from unflat.types.points import PointCloud


@dataclass(frozen=True, slots=True)
class PointOptions:
    """How dense a point cloud is."""

    points: int = 1_000_000
    """Most points of a point cloud."""

    def __post_init__(self) -> None:
        if self.points < 1:
            raise InputError(f"a cloud needs at least one point, not {self.points}")


def make_points(depth: DepthMap, picture: Image, options: PointOptions) -> PointCloud:
    """Lift every pixel of ``depth``, or every n-th in both directions, coloured by the picture.

    Args:
        depth: METRIC or SCALE, with intrinsics, in the metres of the scene.
        picture: The upright picture, of any size of the same shape.
        options: How many at most.
    """
    import cv2

    step = max(1, math.ceil(math.sqrt(depth.size.pixels / options.points)))
    cells = lift(depth)
    keep = np.zeros_like(cells.valid)
    keep[step // 2 :: step, step // 2 :: step] = True
    keep &= cells.valid
    colours = cv2.resize(picture.pixels, (depth.size.width, depth.size.height), interpolation=cv2.INTER_AREA)
    return PointCloud(
        cells.xyz_in_camera[keep],
        colors=np.asarray(colours, np.uint8)[keep],
        confidence=None if depth.confidence is None else depth.confidence[keep],
        invented=None if depth.invented is None else depth.invented[keep],
    )
