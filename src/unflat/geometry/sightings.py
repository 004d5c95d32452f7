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
AROUND = 2
"""Slopes are measured over a square of 2 · 2 + 1 pixels."""
STEEPEST = 0.2
"""Smallest cosine between a ray and a normal that is believed: slopes are measured on noisy depth."""


class Sighting(NamedTuple):
    """A frame as the fusion takes it.

    Attributes:
        planes: (h, w, 4) float32: inverse depth (0: nothing is known, or sky where it weighs something), its slopes per
            pixel along x and y, and the distance from the camera to the pixel's plane.
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
def _slopes(inverse, y, x, jump):
    """Slopes along x and y by least squares over the neighbours on the same surface; 0 where there are none."""
    h, w = inverse.shape
    here = inverse[y, x]
    across, down, wide, high, both = 0.0, 0.0, 0.0, 0.0, 0.0
    for dy in range(-AROUND, AROUND + 1):
        for dx in range(-AROUND, AROUND + 1):
            v, u = y + dy, x + dx
            if v < 0 or v >= h or u < 0 or u >= w or inverse[v, u] == 0:
                continue
            step = inverse[v, u] - here
            if abs(step) < jump * here * max(abs(dx), abs(dy)):
                across += dx * step
                down += dy * step
                wide += dx * dx
                high += dy * dy
                both += dx * dy
    area = wide * high - both * both
    if area < 0.5:
        return across / max(wide, 1.0), down / max(high, 1.0)
    return (across * high - down * both) / area, (down * wide - across * both) / area


@inner
def _steps(inverse, y, x, jump):
    """Neighbours on the same surface, whether one lies on another, and whether the pixel hangs between two."""
    h, w = inverse.shape
    here = inverse[y, x]
    same, edge, between = 0, False, False
    for axis in range(2):
        nearer, farther = False, False
        for sign in (-1, 1):
            v, u = y + (sign if axis == 1 else 0), x + (sign if axis == 0 else 0)
            if v < 0 or v >= h or u < 0 or u >= w or inverse[v, u] == 0:
                continue
            step = inverse[v, u] - here
            same += abs(step) < jump * here
            nearer |= step >= jump * here
            farther |= step <= -jump * here
        edge |= nearer or farther
        between |= nearer and farther
    return same, edge, between


@kernel
def _see(seen, lens, planes, weights, start, stop):
    inverse, normals, counts = seen
    h, w = inverse.shape
    fx, fy, cx, cy, typical = lens
    for y in range(start, stop):
        for x in range(w):
            here = np.float64(inverse[y, x])
            if here == 0 or counts[y, x] == 0:
                continue
            same, edge, between = _steps(inverse, y, x, JUMP)
            if same == 0 or between:
                continue
            across, down = _slopes(inverse, y, x, JUMP)
            i, j = (x + 0.5 - cx) / fx, (y + 0.5 - cy) / fy
            ray = np.sqrt(i * i + j * j + 1)
            if normals.shape[0] == h:
                a, b, c = normals[y, x, 0], normals[y, x, 1], normals[y, x, 2]
                facing = -(a * i + b * j + c)
                if facing > STEEPEST * ray:
                    across, down = -here * a / (facing * fx), -here * b / (facing * fy)
            a, b = across * fx, down * fy
            c = here - a * i - b * j
            length = np.sqrt(a * a + b * b + c * c)
            cosine = here / (length * ray)
            if cosine < STEEPEST:
                length, cosine = here / (STEEPEST * ray), STEEPEST
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
