"""Pixels and rays. The image spans [0, w] × [0, h]; the first pixel's centre is (0.5, 0.5)."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32, F64
from unflat.types.camera import Intrinsics
from unflat.types.image import Size


def pixel_centres(size: Size) -> tuple[F32, F32]:
    """The x of every column, (w,), and the y of every row, (h,), in pixels."""
    return (
        np.arange(size.width, dtype=np.float32) + np.float32(0.5),
        np.arange(size.height, dtype=np.float32) + np.float32(0.5),
    )


def project(xyz_in_camera: F32 | F64, intrinsics: Intrinsics) -> F64:
    """Points (…, 3) in front of a camera -> pixels (…, 2), x then y. Points with z <= 0 give NaN."""
    xyz = np.asarray(xyz_in_camera, dtype=np.float64)
    z = np.where(xyz[..., 2] > 0, xyz[..., 2], np.nan)
    u = intrinsics.fx * xyz[..., 0] / z + intrinsics.cx
    v = intrinsics.fy * xyz[..., 1] / z + intrinsics.cy
    return np.stack([u, v], axis=-1)


def rays(xy_px: F32 | F64, intrinsics: Intrinsics) -> F64:
    """Pixels (…, 2) -> directions (…, 3) in camera axes with z = 1."""
    xy = np.asarray(xy_px, dtype=np.float64)
    x = (xy[..., 0] - intrinsics.cx) / intrinsics.fx
    y = (xy[..., 1] - intrinsics.cy) / intrinsics.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1)
