"""What one view says of each of its pixels, ready to be fused: a little plane, and how much it counts.

The inverse depth of a plane is linear over the picture, so a pixel's plane is its inverse depth and two slopes. The
plane n · X = 1 then gives every point X before the camera its signed distance (1 - n · X) / |n|, also between the
pixels' centres: a flat wall stays flat however the voxels fall on the pixels.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.camera import Intrinsics

JUMP = 0.05
"""Neighbours whose inverse depths differ by more than this share lie on different surfaces."""
STEEPEST = 0.2
"""Smallest cosine between a ray and a normal that is believed: slopes are measured on noisy depth."""


class Sighting(NamedTuple):
    """A frame as the fusion takes it.

    Attributes:
        planes: (h, w, 4) float32: inverse depth (0: nothing is known), its slopes per pixel along x and y, and the
            distance from the camera to the pixel's plane.
        weights: (h, w) float32, how much a pixel counts; negative where its depth is learned, not triangulated.
        colors: (h, w, 3) uint8.
        camera: fx, fy, cx, cy and the (3, 4) rows of camera_from_world, (16,) float64.
    """

    planes: F32
    weights: F32
    colors: U8
    camera: F64


def camera_numbers(intrinsics: Intrinsics, world_from_camera: F64) -> F64:
    """Fx, fy, cx, cy, then camera_from_world row by row: (16,)."""
    rotation = world_from_camera[:3, :3].T
    shift = -rotation @ world_from_camera[:3, 3]
    lens = [intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy]
    return np.concatenate([lens, np.concatenate([rotation, shift[:, None]], axis=1).ravel()])


@inner
def _slope(inverse, y, x, dy, dx, jump):
    """Slope along one axis from the neighbours on the same surface, and how many sides fall away in front or behind."""
    h, w = inverse.shape
    here = inverse[y, x]
    total, count, nearer, farther = np.float32(0), 0, 0, 0
    for sign in (-1, 1):
        v, u = y + sign * dy, x + sign * dx
        if v < 0 or v >= h or u < 0 or u >= w or inverse[v, u] == 0:
            continue
        step = inverse[v, u] - here
        if abs(step) < jump * here:
            total += sign * step
            count += 1
        elif step > 0:
            nearer += 1
        else:
            farther += 1
    return (total / count if count > 0 else np.float32(0)), count, nearer, farther


@kernel
def _see(seen, lens, planes, weights, start, stop):
    inverse, normals, counts = seen
    h, w = inverse.shape
    fx, fy, cx, cy, typical = lens
    jump, steepest = np.float32(JUMP), STEEPEST
    for y in range(start, stop):
        for x in range(w):
            here = inverse[y, x]
            if here == 0 or counts[y, x] == 0:
                continue
            across, count_x, near_x, far_x = _slope(inverse, y, x, 0, 1, jump)
            down, count_y, near_y, far_y = _slope(inverse, y, x, 1, 0, jump)
            flying = (near_x > 0 and far_x > 0) or (near_y > 0 and far_y > 0) or count_x + count_y == 0
            if flying:
                continue
            i, j = (x + 0.5 - cx) / fx, (y + 0.5 - cy) / fy
            if normals.shape[0] == h:
                a, b, c = normals[y, x, 0], normals[y, x, 1], normals[y, x, 2]
                facing = -(a * i + b * j + c)
                if facing > steepest * np.sqrt(i * i + j * j + 1):
                    across, down = np.float32(-here * a / (facing * fx)), np.float32(-here * b / (facing * fy))
            a, b = across * fx, down * fy
            c = here - a * i - b * j
            length, ray = np.sqrt(a * a + b * b + c * c), np.sqrt(i * i + j * j + 1)
            cosine = here / (length * ray)
            if cosine < steepest:
                length, cosine = here / (steepest * ray), steepest
            edge = near_x + far_x + near_y + far_y > 0
            nearness = min(max((here * typical) ** 2, 0.1), 4.0)
            planes[y, x, 0] = here
            planes[y, x, 1] = across
            planes[y, x, 2] = down
            planes[y, x, 3] = 1 / length
            weights[y, x] = counts[y, x] * cosine**2 * nearness * (0.5 if edge else 1.0)


def see(
    inverse: F32, counts: F32, learned: Bool | None, intrinsics: Intrinsics, normals: F32 | None, typical: float
) -> tuple[F32, F32]:
    """Fit a plane to every pixel and weigh it.

    Pixels between two surfaces, nearer than one neighbour and farther than the one on the other side, stand on
    neither and count nothing; those beside an outline count half. What is seen at a slant counts with the
    square of the cosine, what is twice as far a quarter, for so the error of a triangulated depth grows.

    Args:
        inverse: (h, w) inverse depth; 0 where nothing is known.
        counts: (h, w) what each pixel is believed, at least 0.
        learned: (h, w), whose weights become negative.
        intrinsics: The camera.
        normals: (h, w, 3) in camera axes towards the camera, NaN where not known; None: from neighbouring pixels.
        typical: The depth at which nearness counts 1.

    Returns:
        Planes (h, w, 4) and weights (h, w) of a :class:`Sighting`.
    """
    planes, weights = np.zeros((*inverse.shape, 4), np.float32), np.zeros(inverse.shape, np.float32)
    given = np.zeros((0, 0, 3), np.float32) if normals is None else normals
    seen = inverse, given, counts
    lens = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy, float(typical)
    in_bands(lambda start, stop: _see(seen, lens, planes, weights, start, stop), len(inverse), 64)
    if learned is not None:
        np.negative(weights, out=weights, where=learned)
    return planes, weights
