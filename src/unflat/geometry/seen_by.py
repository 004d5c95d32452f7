"""What a lens with distortion makes of a point, as numbers and as kernels that others build on.

A lens is here the eight numbers fx, fy, cx, cy, k1, k2, p1, p2 of :class:`unflat.types.views.Lens`.
"""

# pyright: standard

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.geometry import distort
from unflat.geometry.distort import rays_through
from unflat.geometry.jit import inner
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Lens

NEAREST = 1e-6
"""Points nearer than this in front of a camera, and those behind it, are not seen."""


def numbers_of(lens: Lens) -> F64:
    """(8,) fx, fy, cx, cy, k1, k2, p1, p2."""
    i = lens.intrinsics
    return np.array([i.fx, i.fy, i.cx, i.cy, lens.k1, lens.k2, lens.p1, lens.p2])


def lens_of(numbers: F64, like: Lens) -> Lens:
    """The lens with these eight numbers; the size, and how the focal length is known, are those of ``like``."""
    fx, fy, cx, cy, k1, k2, p1, p2 = (float(n) for n in numbers)
    return Lens(replace(like.intrinsics, fx=fx, fy=fy, cx=cx, cy=cy), k1, k2, p1, p2)


def bearings(pixels: F64, numbers: F64) -> F64:
    """Pixels (n, 2) as they were taken -> x/z, y/z (n, 2) of what is seen there, the distortion taken back."""
    return rays_through(pixels, _sizeless(numbers))[..., :2]


def pixels_of(xyz_in_camera: F64, numbers: F64) -> F64:
    """Points (n, 3) in camera axes -> pixels (n, 2); NaN for what is not in front."""
    return distort.pixels_of(xyz_in_camera, _sizeless(numbers))


def _sizeless(numbers: F64) -> Lens:
    fx, fy, cx, cy, k1, k2, p1, p2 = (float(n) for n in numbers)
    return Lens(Intrinsics(fx, fy, cx, cy, Size(1, 1)), k1, k2, p1, p2)


@inner
def slopes(x, y, z, lens, at, by_point):
    """A point in camera axes, z > 0 -> its pixel into ``at`` (2) and the pixel's slopes by x, y, z into (2, 3)."""
    fx, fy, k1, k2, p1, p2 = lens[0], lens[1], lens[4], lens[5], lens[6], lens[7]
    a, b = x / z, y / z
    r2 = a * a + b * b
    radial, slope = 1 + k1 * r2 + k2 * r2 * r2, k1 + 2 * k2 * r2
    at[0] = fx * (a * radial + 2 * p1 * a * b + p2 * (r2 + 2 * a * a)) + lens[2]
    at[1] = fy * (b * radial + p1 * (r2 + 2 * b * b) + 2 * p2 * a * b) + lens[3]
    aa = fx * (radial + 2 * slope * a * a + 2 * p1 * b + 6 * p2 * a)
    cross = 2 * slope * a * b + 2 * p1 * a + 2 * p2 * b
    ab, ba = fx * cross, fy * cross
    bb = fy * (radial + 2 * slope * b * b + 6 * p1 * b + 2 * p2 * a)
    by_point[0, 0], by_point[0, 1], by_point[0, 2] = aa / z, ab / z, -(aa * a + ab * b) / z
    by_point[1, 0], by_point[1, 1], by_point[1, 2] = ba / z, bb / z, -(ba * a + bb * b) / z
