"""Silhouettes carve a volume: what lies outside of any outline is not the thing (Laurentini, 1994)."""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, F64


@kernel
def carve(field, corner, step, pixel_from_world, outline, open_border):
    """Raise a field to the distance from one more outline where that is larger.

    The distance in the picture times depth over focal length is about the distance in the world.

    Args:
        field: (nz, ny, nx) float32, changed in place; negative inside all outlines so far.
        corner: (3,) float64, x, y and z of the first sample.
        step: Between samples.
        pixel_from_world: (3, 4) float64, focal lengths and principal point times camera_from_world; the third row gives
            the depth.
        outline: (h, w) float32 signed distance in pixels, negative inside; the first pixel's centre is (0.5, 0.5).
        open_border: True if the thing goes on beyond the picture: nothing is carved there.
    """
    nz, ny, nx = field.shape
    h, w = outline.shape
    m = pixel_from_world
    along = m[0, 0] * m[2, 0] + m[0, 1] * m[2, 1] + m[0, 2] * m[2, 2]  # the principal point
    focal = np.sqrt(m[0, 0] * m[0, 0] + m[0, 1] * m[0, 1] + m[0, 2] * m[0, 2] - along * along)
    for k in range(nz):
        z = corner[2] + k * step
        for j in range(ny):
            y = corner[1] + j * step
            for i in range(nx):
                x = corner[0] + i * step
                depth = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
                if depth <= 1e-9:
                    continue
                u = (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]) / depth - 0.5
                v = (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]) / depth - 0.5
                a = min(max(u, 0.0), w - 1.001)
                b = min(max(v, 0.0), h - 1.001)
                beyond = np.sqrt((u - a) * (u - a) + (v - b) * (v - b))
                if beyond > 1.0 and open_border:
                    continue
                p, q = int(a), int(b)
                s, t = a - p, b - q
                upper = outline[q, p] * (1 - s) + outline[q, p + 1] * s
                lower = outline[q + 1, p] * (1 - s) + outline[q + 1, p + 1] * s
                away = (upper * (1 - t) + lower * t + beyond) * depth / focal
                field[k, j, i] = max(field[k, j, i], away)


def samples(low: F64, high: F64, along: int) -> tuple[F32, F64, float]:
    """A volume to carve from.

    Args:
        low: (3,) corner of the box.
        high: (3,) the opposite one.
        along: Samples along its longest side.

    Returns:
        (nz, ny, nx) float32 that is all inside, the place of its first sample, and the step between samples.
    """
    step = float((high - low).max()) / (along - 1)
    nx, ny, nz = (max(2, int(np.ceil(side / step)) + 1) for side in (high - low))
    return np.full((nz, ny, nx), -1e30, np.float32), np.asarray(low, np.float64), step


@kernel
def weigh_depth(sums, field, corner, step, pixel_from_world, depth, limits):
    """Add what a view says of how far each sample lies before the surface that it sees.

    Args:
        sums: (2, nz, ny, nx) float32, changed in place: the sum of these distances, and of how many views it is.
        field: (nz, ny, nx) float32 distance from the outlines, negative inside.
        corner: (3,) float64, x, y and z of the first sample.
        step: Between samples.
        pixel_from_world: (3, 4) float64; the third row gives the depth.
        depth: (h, w) float32 of that camera's picture, 0 where it is not known.
        limits: How far a view's word counts before and behind its surface, and how deep in what outlines leave.
    """
    nz, ny, nx = field.shape
    h, w = depth.shape
    m = pixel_from_world
    reach, deepest = limits
    for k in range(nz):
        z = corner[2] + k * step
        for j in range(ny):
            y = corner[1] + j * step
            for i in range(nx):
                if field[k, j, i] < -deepest or field[k, j, i] > reach:
                    continue
                x = corner[0] + i * step
                own = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
                if own <= 1e-9:
                    continue
                u = (m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]) / own - 0.5
                v = (m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]) / own - 0.5
                if u < 0 or v < 0 or u >= w - 1 or v >= h - 1:
                    continue
                p, q = int(u), int(v)
                a, b, c, d = depth[q, p], depth[q, p + 1], depth[q + 1, p], depth[q + 1, p + 1]
                near, far = min(a, b, c, d), max(a, b, c, d)
                if near <= 0 or far - near > 4 * step:
                    continue
                s, t = u - p, v - q
                before = (a * (1 - s) + b * s) * (1 - t) + (c * (1 - s) + d * s) * t - own
                if before > -reach:
                    sums[0, k, j, i] += min(before, reach)
                    sums[1, k, j, i] += 1
