"""Noise and patterns that need no memory: hashes of lattice points, blended (Perlin 1985, value noise)."""

from __future__ import annotations

from math import exp, floor, sin

from numba import njit


@njit(cache=True, error_model="numpy", fastmath=True)
def hash1(n):
    """0..1 from an integer."""
    n = (n << 13) ^ n
    n = (n * ((n * n * 15731 + 789221) & 0x7FFFFFFF) + 1376312589) & 0x7FFFFFFF
    return n / 2147483647.0


@njit(cache=True, error_model="numpy", fastmath=True)
def cell(ix, iy, iz, seed):
    """0..1 for a lattice point."""
    h = (ix * 73856093) ^ (iy * 19349663) ^ (iz * 83492791) ^ (seed * 2654435)
    h = (h ^ (h >> 15)) * 2246822519 & 0x7FFFFFFF
    h = (h ^ (h >> 13)) * 1274126177 & 0x7FFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFFFF) / 16777215.0


@njit(cache=True, error_model="numpy", fastmath=True)
def value(x, y, z, seed):
    """Smooth noise, 0..1, features of size 1."""
    fx, fy, fz = floor(x), floor(y), floor(z)
    ix, iy, iz = int(fx), int(fy), int(fz)
    x, y, z = x - fx, y - fy, z - fz
    x, y, z = x * x * (3 - 2 * x), y * y * (3 - 2 * y), z * z * (3 - 2 * z)
    a = cell(ix, iy, iz, seed) * (1 - x) + cell(ix + 1, iy, iz, seed) * x
    b = cell(ix, iy + 1, iz, seed) * (1 - x) + cell(ix + 1, iy + 1, iz, seed) * x
    c = cell(ix, iy, iz + 1, seed) * (1 - x) + cell(ix + 1, iy, iz + 1, seed) * x
    d = cell(ix, iy + 1, iz + 1, seed) * (1 - x) + cell(ix + 1, iy + 1, iz + 1, seed) * x
    return (a * (1 - y) + b * y) * (1 - z) + (c * (1 - y) + d * y) * z


@njit(cache=True, error_model="numpy", fastmath=True)
def fractal(x, y, z, seed, blur):
    """Four octaves of noise, around 0.5; octaves finer than `blur` (a pixel, in the noise's units) are left out."""
    total, weight, amplitude = 0.0, 0.0, 1.0
    for octave in range(4):
        fade = min(max(2.0 - 2.0 * blur, 0.0), 1.0)
        if fade > 0.0:
            total += amplitude * (0.5 + fade * (value(x, y, z, seed + octave) - 0.5))
        else:
            total += amplitude * 0.5
        weight += amplitude
        x, y, z, blur = x * 2.03 + 17.1, y * 2.03 + 3.7, z * 2.03 - 9.2, blur * 2.03
        amplitude *= 0.55
    return total / weight


@njit(cache=True, error_model="numpy", fastmath=True)
def soften(inside, blur):
    """A 0..1 pattern that washes out to its mean 0.5 where a pixel covers whole periods."""
    return 0.5 + (inside - 0.5) * exp(-(blur * blur) * 4.0)


@njit(cache=True, error_model="numpy", fastmath=True)
def _joints(u, v, row_shift, wide, high):
    """0 in a joint, else 1 + a shade of the brick 0..1; bricks are wide × high."""
    row = floor(v / high)
    s = u / wide + row_shift * (row - 2 * floor(row / 2))
    column = floor(s)
    a, b = s - column, v / high - row
    edge_a, edge_b = 0.03 / max(wide, 1e-3) * high, 0.05
    if a < edge_a or a > 1 - edge_a or b < edge_b or b > 1 - edge_b:
        return 0.0
    return 1.0 + cell(int(column), int(row), 7, 11)


@njit(cache=True, error_model="numpy", fastmath=True)
def _print(u, v, seed):
    """Lines of marks: 1 where there is ink."""
    line = floor(v)
    b = v - line
    r = cell(0, int(line), seed, 3)
    if r < 0.12 or b < 0.3 or b > 0.8:
        return 0.0
    letter = floor(u * 1.7)
    if cell(int(letter), int(line), seed, 5) < 0.2:
        return 0.0
    a = u * 1.7 - letter
    return 1.0 if cell(int(letter) * 4 + int(a * 4), int(line) * 4 + int(b * 6), seed, 9) < 0.55 else 0.0


@njit(cache=True, error_model="numpy", fastmath=True)
def _picture(u, v, seed, blur):
    """A made-up picture: (weight of the first colour, brightness)."""
    kind = seed % 4
    if kind == 0:  # a landscape: sky, ridges, ground
        ridge = 0.35 + 0.3 * fractal(u * 3, 0.5, seed * 0.1, seed, blur)
        if v < ridge:
            return 1.0, 1.2 - 0.6 * v
        return 0.15, 0.4 + 0.6 * fractal(u * 9, v * 9, 1.5, seed + 5, blur * 9)
    if kind == 1:  # a head and shoulders before a ground
        a, b = (u - 0.5) / 0.2, (v - 0.4) / 0.26
        c, d = (u - 0.5) / 0.42, (v - 1.02) / 0.38
        if a * a + b * b < 1:
            return 0.0, 0.7 + 0.5 * fractal(u * 8, v * 8, 2.5, seed, blur * 8)
        if c * c + d * d < 1:
            return 0.4, 0.35 + 0.3 * fractal(u * 12, v * 12, 2.5, seed, blur * 12)
        return 1.0, 0.5 + 0.5 * fractal(u * 3, v * 3, 3.5, seed + 3, blur * 3)
    if kind == 2:  # patches
        s, t = u * 5 + fractal(u * 3, v * 3, 0.5, seed, blur), v * 5 + fractal(v * 3, u * 3, 1.5, seed, blur)
        return cell(int(floor(s)), int(floor(t)), seed, 1), 0.3 + 0.9 * cell(int(floor(s)), int(floor(t)), seed, 2)
    ink = _print(u * 14, v * 20, seed)
    return ink, 1.0


@njit(cache=True, error_model="numpy", fastmath=True)
def pattern(kind, u, v, x, y, z, frequency, seed, pixel):
    """(share of the second colour 0..1, brightness) of pattern `kind` (index into PATTERNS).

    u, v: metres along the surface; x, y, z: metres in space; pixel: metres that a pixel covers there.
    """
    f, blur = frequency, pixel * frequency
    fade = exp(-(blur * blur) * 4.0)
    if kind == 1:  # clouds
        m = fractal(x * f, y * f, z * f, seed, blur)
        return min(max((m - 0.5) * 2.2 + 0.5, 0.0), 1.0), 1.0
    if kind == 2:  # stripes
        s = u * f - floor(u * f)
        return soften(1.0 if s < 0.2 + 0.6 * hash1(seed) else 0.0, blur), 1.0
    if kind == 3:  # checks
        return soften(float((int(floor(u * f)) + int(floor(v * f))) & 1), blur), 1.0
    if kind == 4 or kind == 5 or kind == 14:  # bricks, tiles, windows
        j = _joints(u * f, v * f, 0.5 if kind == 4 else 0.0, 2.2 if kind == 4 else 1.0, 1.0)
        if kind == 14:
            a, b = u * f - floor(u * f), v * f - floor(v * f)
            glass = 1.0 if 0.22 < a < 0.78 and 0.2 < b < 0.8 and abs(a - 0.5) > 0.03 else 0.0
            lit = cell(int(floor(u * f)), int(floor(v * f)), seed, 4)
            return glass * fade + 0.3 * (1 - fade), 1.0 if glass < 0.5 else 0.5 + 0.9 * lit
        if j == 0.0:
            return 0.9 * fade + 0.1, 0.75 + 0.25 * (1 - fade)
        return 0.15 * (1 - fade), 1.0 + fade * 0.4 * (j - 1.5)
    if kind == 6:  # planks
        j = _joints(v * f * 0.12, u * f, 0.37, 1.0, 1.0)
        grain = fractal(u * f * 4, v * f * 0.5, 0.5 + floor(u * f), seed, blur * 4)
        if j == 0.0:
            return fade, 0.4 + 0.6 * (1 - fade)
        return min(max((grain - 0.35) * 1.2, 0.0), 1.0), 1.0 + fade * 0.5 * (j - 1.5)
    if kind == 7:  # grain
        m = fractal(u * f, v * f * 0.07, 0.5, seed, blur)
        rings = 0.5 + 0.5 * sin(18.0 * value(u * f * 0.15, v * f * 0.012, 0.5, seed + 9) + 2 * m)
        return min(max(0.55 * m + 0.4 * rings * fade - 0.1, 0.0), 1.0), 1.0
    if kind == 8:  # dots
        a, b = u * f - floor(u * f) - 0.5, v * f - floor(v * f) - 0.5
        r = 0.12 + 0.13 * cell(int(floor(u * f)), int(floor(v * f)), seed, 6)
        return (1.0 if a * a + b * b < r * r * 4 * 0.5 else 0.0) * fade + 0.15 * (1 - fade), 1.0
    if kind == 9:  # speckle
        c = cell(int(floor(x * f * 3)), int(floor(y * f * 3)), int(floor(z * f * 3)), seed)
        return (c if c > 0.6 else 0.0) * fade + 0.3 * (1 - fade), 1.0 + 0.2 * fade * (c - 0.5)
    if kind == 10:  # marble
        m = fractal(x * f, y * f, z * f, seed, blur)
        return 0.5 + 0.5 * sin(x * f * 2 + y * f * 3 + 9.0 * m) * fade, 1.0
    if kind == 11:  # strands
        m = value(u * f * 3 + value(u * 7, v * 7, 0.5, seed) * 4, v * f * 0.25, 0.5, seed)
        return min(max(0.5 + (m - 0.5) * (0.25 + 1.2 * fade), 0.0), 1.0), 0.8 + 0.4 * value(u * 8, v * 8, 1.5, seed + 2)
    if kind == 12:  # print
        return _print(u * f, v * f, seed) * fade + 0.25 * (1 - fade), 1.0
    if kind == 13:  # picture
        return _picture(u, v, seed, pixel)
    if kind == 15:  # leaves
        c = cell(int(floor(u * f)), int(floor(v * f)), seed, 8)
        m = fractal(x * 0.8, y * 0.8, z * 0.8, seed, pixel * 0.8)
        return 0.5 * c * fade + 0.25 * (1 - fade) + 0.5 * m, 0.7 + 0.6 * m
    return 0.0, 1.0
