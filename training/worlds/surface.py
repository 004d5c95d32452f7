"""What a ray finds on a triangle: its place, its normal, and the colour of its material there."""

from __future__ import annotations

from math import floor, log2, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from training.worlds.materials import KINDS, PATTERNS
from training.worlds.noise import fractal, pattern

(COLOUR, SECOND, PATTERN, FREQUENCY, TILE, TILE_SIZE, TINTED, SHINE, GLOSS, METAL, HOLES, GLOW, BUMP, KIND, SEED) = (
    0, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
)  # fmt: skip
PICTURE = PATTERNS.index("picture")
GLASS, MIRROR, LIGHT = (KINDS.index(name) for name in ("glass", "mirror", "light"))


def pyramids(maps: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Linear maps (n, s, s, 3), s a power of two -> all sizes down to 1 one after another (n, cells, 3), and the means.

    Bytes hold square roots of the linear values.
    """
    import cv2

    levels, side = [], maps.shape[1]
    while side >= 1:
        level = np.stack(
            [cv2.resize(m, (side, side), interpolation=cv2.INTER_AREA).reshape(side, side, 3) for m in maps]
        )
        levels.append(np.sqrt(np.clip(level, 0, 1)).reshape(len(maps), -1, 3))
        side //= 2
    return (np.concatenate(levels, 1) * 255 + 0.5).astype(np.uint8), maps.mean((1, 2)).astype(np.float32)


@njit(cache=True, error_model="numpy", fastmath=True)
def sample(tiles, index, side, s, t, texels):
    """Colour of a tile at s, t (in tiles), averaged over about `texels` of its finest level."""
    level = int(max(log2(max(texels, 1e-6)) + 0.5, 0.0))
    first, size = 0, side
    while level > 0 and size > 1:
        first, size, level = first + size * size, size // 2, level - 1
    x, y = (s - floor(s)) * size - 0.5, (t - floor(t)) * size - 0.5
    x0, y0 = int(floor(x)), int(floor(y))
    a, b = x - x0, y - y0
    x1, y1 = (x0 + 1) % size, (y0 + 1) % size
    x0, y0 = x0 % size, y0 % size
    p, q, r, w = first + y0 * size + x0, first + y0 * size + x1, first + y1 * size + x0, first + y1 * size + x1
    wp, wq, wr, ww = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
    red = wp * tiles[index, p, 0] + wq * tiles[index, q, 0] + wr * tiles[index, r, 0] + ww * tiles[index, w, 0]
    green = wp * tiles[index, p, 1] + wq * tiles[index, q, 1] + wr * tiles[index, r, 1] + ww * tiles[index, w, 1]
    blue = wp * tiles[index, p, 2] + wq * tiles[index, q, 2] + wr * tiles[index, r, 2] + ww * tiles[index, w, 2]
    return (red / 255.0) ** 2, (green / 255.0) ** 2, (blue / 255.0) ** 2


@njit(cache=True, error_model="numpy", fastmath=True)
def albedo(world, material, u, v, x, y, z, pixel):
    """Linear RGB of material number `material` at uv and at a place in space; pixel: metres that a pixel covers."""
    m = world.materials[material]
    if int(m[PATTERN]) == PICTURE and world.gallery.shape[0] > 0:
        hung = world.gallery[int(m[SEED]) % world.gallery.shape[0]]
        i = min(max(int(v * hung.shape[0]), 0), hung.shape[0] - 1)
        j = min(max(int(u * hung.shape[1]), 0), hung.shape[1] - 1)
        return (hung[i, j, 0] / 255.0) ** 2.2, (hung[i, j, 1] / 255.0) ** 2.2, (hung[i, j, 2] / 255.0) ** 2.2
    share, shade = pattern(int(m[PATTERN]), u, v, x, y, z, m[FREQUENCY], int(m[SEED]), pixel)
    red = (m[COLOUR] * (1 - share) + m[SECOND] * share) * shade
    green = (m[COLOUR + 1] * (1 - share) + m[SECOND + 1] * share) * shade
    blue = (m[COLOUR + 2] * (1 - share) + m[SECOND + 2] * share) * shade
    tile = int(m[TILE])
    if tile >= 0:
        side = world.tile_side
        s, t = u / m[TILE_SIZE], v / m[TILE_SIZE]
        tr, tg, tb = sample(world.tiles, tile, side, s, t, pixel / m[TILE_SIZE] * side)
        mean = world.tile_means[tile]
        grey = (tr + tg + tb) / max(mean[0] + mean[1] + mean[2], 0.02)
        k = m[TINTED]
        red = k * m[COLOUR] * grey + (1 - k) * tr
        green = k * m[COLOUR + 1] * grey + (1 - k) * tg
        blue = k * m[COLOUR + 2] * grey + (1 - k) * tb
    return min(max(red, 0.004), 0.95), min(max(green, 0.004), 0.95), min(max(blue, 0.004), 0.95)


@njit(cache=True, error_model="numpy", fastmath=True)
def normal(world, i, b1, b2, dx, dy, dz):
    """Unit normal at a hit, turned against the ray (dx, dy, dz); vertex normals are blended."""
    n, b0 = world.normals, 1 - b1 - b2
    x = b0 * n[i, 0] + b1 * n[i, 3] + b2 * n[i, 6]
    y = b0 * n[i, 1] + b1 * n[i, 4] + b2 * n[i, 7]
    z = b0 * n[i, 2] + b1 * n[i, 5] + b2 * n[i, 8]
    c = world.corners
    gx, gy, gz = (
        c[i, 4] * c[i, 8] - c[i, 5] * c[i, 7],
        c[i, 5] * c[i, 6] - c[i, 3] * c[i, 8],
        c[i, 3] * c[i, 7] - c[i, 4] * c[i, 6],
    )
    if gx * dx + gy * dy + gz * dz > 0:
        x, y, z, gx, gy, gz = -x, -y, -z, -gx, -gy, -gz
    if x * dx + y * dy + z * dz > 0:  # a blended normal that looks away: the flat one serves
        x, y, z = gx, gy, gz
    k = 1.0 / max(sqrt(x * x + y * y + z * z), 1e-12)
    return x * k, y * k, z * k


@njit(cache=True, error_model="numpy", fastmath=True)
def bumped(m, x, y, z, nx, ny, nz, pixel):
    """The normal after a relief of the material's height; washed out where a pixel covers the features."""
    f = m[FREQUENCY]
    if int(m[TILE]) >= 0:
        f = 6.0 / m[TILE_SIZE]
    blur = pixel * f
    if m[BUMP] <= 0 or blur > 0.5:
        return nx, ny, nz
    e, seed = 0.15 / f, int(m[SEED])
    here = fractal(x * f, y * f, z * f, seed, blur)
    k = -min(m[BUMP] * f, 0.5) / 0.15 * (1 - 2 * blur)
    gx = (fractal((x + e) * f, y * f, z * f, seed, blur) - here) * k
    gy = (fractal(x * f, (y + e) * f, z * f, seed, blur) - here) * k
    gz = (fractal(x * f, y * f, (z + e) * f, seed, blur) - here) * k
    d = gx * nx + gy * ny + gz * nz
    x, y, z = nx + gx - d * nx, ny + gy - d * ny, nz + gz - d * nz
    k = 1.0 / sqrt(x * x + y * y + z * z)
    return x * k, y * k, z * k
