"""Pixels of a lens that bends straight lines <-> rays in camera axes (see :class:`unflat.types.views.Lens`)."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32, F64
from unflat.types.views import Lens

_ROUNDS = 25
_CLOSE = 1e-13
_LEAST_SLOPE = 0.05
"""Where the picture of the lens folds back on itself there is no ray; Newton's steps stay on the near side of it."""


def pixels_of(xyz: F32 | F64, lens: Lens) -> F64:
    """Where points are seen.

    Args:
        xyz: (…, 3) in camera axes.
        lens: The lens.

    Returns:
        (…, 2) pixels; not a number where z is not in front of the camera.
    """
    xyz = np.asarray(xyz, np.float64)
    z = np.where(xyz[..., 2] > 0, xyz[..., 2], np.nan)
    x, y = bent(xyz[..., 0] / z, xyz[..., 1] / z, lens)
    inside = lens.intrinsics
    return np.stack([x * inside.fx + inside.cx, y * inside.fy + inside.cy], axis=-1)


def rays_through(pixels: F32 | F64, lens: Lens) -> F64:
    """The rays that are seen at pixels: the inverse of :func:`pixels_of`, by Newton's method.

    Args:
        pixels: (…, 2).
        lens: The lens.

    Returns:
        (…, 3) in camera axes, with z = 1. Beyond the circle where the lens folds back, the nearest ray that it has.
    """
    pixels = np.asarray(pixels, np.float64)
    inside = lens.intrinsics
    seen_x, seen_y = (pixels[..., 0] - inside.cx) / inside.fx, (pixels[..., 1] - inside.cy) / inside.fy
    x, y = seen_x, seen_y
    for _ in range(0 if lens.pinhole else _ROUNDS):
        bent_x, bent_y = bent(x, y, lens)
        off_x, off_y = seen_x - bent_x, seen_y - bent_y
        if max(np.abs(off_x).max(initial=0), np.abs(off_y).max(initial=0)) < _CLOSE:
            break
        r2 = x * x + y * y
        radial, grows = 1 + lens.k1 * r2 + lens.k2 * r2 * r2, 2 * lens.k1 + 4 * lens.k2 * r2
        xx = radial + grows * x * x + 2 * lens.p1 * y + 6 * lens.p2 * x
        yy = radial + grows * y * y + 6 * lens.p1 * y + 2 * lens.p2 * x
        xy = grows * x * y + 2 * lens.p1 * x + 2 * lens.p2 * y
        det = np.maximum(xx * yy - xy * xy, _LEAST_SLOPE)
        x, y = x + (yy * off_x - xy * off_y) / det, y + (xx * off_y - xy * off_x) / det
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def bent(x: F64, y: F64, lens: Lens) -> tuple[F64, F64]:
    """Where on its plane z = 1 the lens shows the ray (x, y, 1)."""
    r2 = x * x + y * y
    radial = 1 + lens.k1 * r2 + lens.k2 * r2 * r2
    bent_x = x * radial + 2 * lens.p1 * x * y + lens.p2 * (r2 + 2 * x * x)
    bent_y = y * radial + lens.p1 * (r2 + 2 * y * y) + 2 * lens.p2 * x * y
    return bent_x, bent_y
