"""Plants in pots and flowers in vases."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, grid, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts.many import copies, rods
from training.worlds.parts.shapes import (
    around,
    cushion,
    disc,
    vessel,
)


def flower_pot(palette: Palette, radius: float, height: float) -> Thing:
    """A pot with soil."""
    clay = palette.paint((0.45, 0.2, 0.1)) if palette.chance(0.3) else palette.ceramic()
    swell_ = palette.between(0.6, 1.0)
    pot = vessel([(radius * swell_, 0), (radius * (0.5 + swell_ / 2), height * 0.5), (radius, height)], 0.012, clay)
    return [pot, disc(radius - 0.012, palette.soil(), height * 0.88)]


def _blade(width: float, length: float, droop: float, rise: float, material: Material) -> Thing:
    """One leaf that grows from the origin up and towards +z and bends down, pointed at both ends."""
    t = np.linspace(0, 1, 7)
    z, y = length * t * np.cos(rise * (1 - 0.3 * t)), length * (t * np.sin(rise) - droop * t**2)
    half = width / 2 * np.sin(pi * np.clip(t * 0.94 + 0.05, 0, 1)) ** 0.7
    rows = [np.stack([s * half, y + 0.15 * half * abs(s), z], 1) for s in (-1, 0, 1)]
    return [grid(np.stack(rows, 1)[:, ::-1], material)]


def plant(palette: Palette, height: float | None = None) -> Thing:
    """A plant in a pot: rosette, bush, palm, snake plant, cactus or a bouquet of leaves."""
    high = palette.between(0.2, 1.7) if height is None else height
    pot_high, pot = min(0.45, 0.28 * high), min(0.22, 0.14 * high + 0.02)
    made = flower_pot(palette, pot, pot_high)
    green = (
        np.array([0.07, 0.2, 0.04])
        * palette.spread(1, 1.4)
        * np.array([palette.between(0.5, 2), 1, palette.between(0.5, 1.6)])
    )
    leaf = Material(tuple(green), tuple(green * 0.6), "grain", 40, shine=0.15, gloss=0.5, seed=palette.seed())
    kind, up = int(palette.rng.integers(6)), high - pot_high
    n = int(palette.rng.integers(12, 40))
    yaw, rng = palette.rng.uniform(0, 2 * pi, n), palette.rng
    base = np.array([0, pot_high * 0.9, 0])
    if kind == 0:  # snake plant: upright blades
        blade = _blade(0.05 + 0.04 * up, up, 0.02, 1.4, leaf)
        at = base + np.stack([rng.normal(size=n // 2), 0 * yaw[: n // 2], rng.normal(size=n // 2)], 1) * pot * 0.4
        return made + copies(blade, at, yaw[: n // 2], rng.uniform(0.5, 1, n // 2))
    if kind == 1:  # rosette, fern, grass
        blade = _blade(0.02 + 0.06 * up, up * 1.2, palette.between(0.3, 0.9), palette.between(0.7, 1.3), leaf)
        return made + copies(blade, np.tile(base, (n, 1)), yaw, rng.uniform(0.5, 1, n), rng.uniform(-0.5, 0.2, n))
    if kind == 5:  # cactus
        body = lathe(
            [(0.02, 0), (0.35 * pot, up * 0.1), (0.5 * pot, up * 0.6), (0.3 * pot, up * 0.93), (0.01, up)], leaf
        )
        return made + place([body], tuple(base))
    # stem(s) with leaves along them
    stems = int(palette.rng.integers(1, 5))
    lean = rng.normal(size=(stems, 3)) * np.array([0.25, 0, 0.25]) * up + np.array([0, up * 0.85, 0])
    made.append(rods(np.tile(base, (stems, 1)), base + lean, 0.004 + 0.012 * up, palette.bark(), thin=0.5))
    n *= 2
    share = rng.uniform(0.15 if kind == 2 else 0.5, 1.0, n) if kind != 4 else np.ones(n)
    at = base + lean[rng.integers(stems, size=n)] * share[:, None]
    size = palette.between(0.1, 0.3) * (0.25 + up * 0.75)
    blade = _blade(size * palette.between(0.25, 0.8), size, palette.between(0.1, 0.7), palette.between(0.1, 1.0), leaf)
    return made + copies(blade, at, rng.uniform(0, 2 * pi, n), rng.uniform(0.5, 1.2, n), rng.uniform(-0.9, 0.5, n))


def small_plant(palette: Palette) -> Thing:
    """A plant for a window sill or a table."""
    return plant(palette, palette.between(0.12, 0.4))


def flowers(palette: Palette) -> Thing:
    """A vase with flowers."""
    r, h = palette.between(0.035, 0.08), palette.between(0.12, 0.3)
    stuff = palette.glass() if palette.chance(0.4) else palette.ceramic()
    k = palette.rng.uniform(0.45, 1.0, 4) * r
    made: Thing = [vessel([(k[0], 0), (r, h * 0.3), (k[1], h * 0.7), (k[2] * 0.8, h * 0.9), (k[3], h)], 0.004, stuff)]
    n, rng = int(palette.rng.integers(3, 16)), palette.rng
    tips = np.stack([rng.normal(size=n) * 0.09, h * rng.uniform(1.4, 2.1, n), rng.normal(size=n) * 0.09], 1)
    made.append(rods(np.tile([0, h * 0.3, 0], (n, 1)), tips, 0.002, palette.paint((0.1, 0.25, 0.05)), sides=4))
    size = palette.between(0.02, 0.05)
    petal = palette.paint(palette.hue(palette.between(0.2, 0.9), palette.between(0.4, 0.85)))
    at, yaw = around(6, 0.0)
    bloom = copies(_blade(size * 1.1, size * 1.3, 0.3, palette.between(0.1, 1.1), petal), at, yaw)
    bloom.append(
        cushion((size * 0.7, size * 0.4, size * 0.7), palette.paint((0.6, 0.4, 0.05)), (0, -size * 0.1, 0), 1.0, 8)
    )
    made += copies(bloom, tips, rng.uniform(0, 6, n), rng.uniform(0.7, 1.2, n), rng.uniform(-0.6, 0.6, n))
    leaf = _blade(0.03, 0.12, 0.4, 0.8, palette.paint((0.08, 0.2, 0.04)))
    return made + copies(leaf, tips * rng.uniform(0.55, 0.8, (n, 1)), rng.uniform(0, 6, n))
