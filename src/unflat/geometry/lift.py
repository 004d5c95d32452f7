"""Depth into space: one point per pixel centre."""

from __future__ import annotations

import numpy as np

from unflat.errors import InputError
from unflat.geometry.projection import pixel_centres
from unflat.types.depth import DepthMap
from unflat.types.points import PointMap


def lift(depth: DepthMap) -> PointMap:
    """Put every valid pixel centre at its depth.

    Args:
        depth: METRIC or SCALE, with intrinsics.

    Returns:
        Points in the camera's axes, in the unit of the depth. Sky and invalid pixels are NaN and not valid.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: The depth has no intrinsics.
    """
    if depth.intrinsics is None:
        raise InputError("a depth map needs a camera before it can be lifted", hint="Calibrate it first.")
    camera = depth.intrinsics
    valid = depth.surface
    z = np.where(valid, depth.z, np.float32(np.nan))
    x, y = pixel_centres(depth.size)
    xyz = np.empty((*depth.size.shape, 3), dtype=np.float32)
    xyz[..., 0] = (x - np.float32(camera.cx)) / np.float32(camera.fx) * z
    xyz[..., 1] = ((y - np.float32(camera.cy)) / np.float32(camera.fy))[:, None] * z
    xyz[..., 2] = z
    return PointMap(xyz, valid)
