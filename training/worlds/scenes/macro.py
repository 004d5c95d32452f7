"""Nature from close by: flowers, leaves, mushrooms, stones before a blurred background."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import place
from training.worlds.palette import Palette
from training.worlds.parts import plants
from training.worlds.parts.monuments import rock
from training.worlds.parts.terrain import land, meadowland
from training.worlds.scenes import country
from training.worlds.scenes.site import Site, daylight, lens, view
from training.worlds.stage import Camera, Stage


def _subject(p: Palette, site: Site, ground: country.Ground) -> tuple[float, float]:
    """What is photographed, around the origin; its height and how large the picture's field is, metres."""

    def around(n: int, reach: float) -> np.ndarray:
        x, z = p.rng.normal(size=(2, n)) * reach
        return np.stack([x, ground(x, z) - 0.004, z], 1)

    r = p.rng.random()
    if r < 0.34:
        h = p.between(0.12, 0.6)
        for _ in range(int(p.rng.integers(1, 4))):
            n = int(p.rng.integers(1, 9))
            site.scatter(plants.flower(p, h), around(n, h * 0.8), p.rng.uniform(0, 6, n), p.rng.uniform(0.7, 1.25, n))
        return h * 0.85, h
    if r < 0.5:
        h = 0.09
        for _ in range(2):
            n = int(p.rng.integers(1, 6))
            site.scatter(plants.mushroom(p), around(n, 0.08), p.rng.uniform(0, 6, n), p.rng.uniform(0.5, 1.3, n))
        return h * 0.6, h * 1.4
    if r < 0.7:
        h = p.between(0.2, 0.8)
        n = int(p.rng.integers(1, 6))
        site.scatter(plants.leaf_plant(p, h), around(n, h * 0.9), p.rng.uniform(0, 6, n), p.rng.uniform(0.6, 1.2, n))
        return h * 0.4, h
    if r < 0.85:
        size, stone = p.between(0.1, 0.6), p.rock()
        for _ in range(3):
            n = int(p.rng.integers(2, 9))
            site.scatter(
                [rock(p, stone if p.chance(0.6) else None, 16)],
                around(n, size * 1.3),
                p.rng.uniform(0, 6, n),
                size * p.rng.uniform(0.3, 1.3, n),
            )
        return size * 0.3, size * 1.3
    h = p.between(0.5, 1.4)
    site.put(plants.bush(p, "near", h), solid=False)
    return h * 0.6, h * 0.8


def close_nature(p: Palette) -> Stage:
    """A small subject near the lens, grass around it, trees and bushes out of focus behind."""
    site = Site("close_nature", p)
    ground = meadowland(p.seed(), p.between(0, 0.4), p.between(2, 12), 20)
    site.ground = lambda x, z: float(ground(np.float64(x), np.float64(z)))
    floor: Material = p.soil() if p.chance(0.45) else p.grass()
    site.add(
        land(ground, replace(floor, tile_size=min(floor.tile_size, 0.8)), reach=1500, rings=64, spokes=96, near=0.03)
    )
    middle, size = _subject(p, site, ground)

    def ring(near: float, far: float, n: int) -> np.ndarray:
        a, d = p.rng.uniform(0, 2 * pi, n), near + (far - near) * p.rng.random(n) ** 1.5
        x, z = np.sin(a) * d, np.cos(a) * d
        return np.stack([x, ground(x, z) - 0.01, z], 1)

    if p.chance(0.85):
        country.meadow(site, p, lambda n: ring(size * 0.3, 2.5, n), 150, tall=p.between(0.04, 0.25))
    country.woods(site, p, lambda n: ring(7, 60, n), 16, height=p.between(5, 11), kinds=2)
    at = ring(2, 15, 12)
    site.scatter(plants.bush(p), at, p.rng.uniform(0, 6, 12), p.rng.uniform(0.5, 1.4, 12))
    if p.chance(0.4):
        country.stones(site, p, lambda n: ring(size, 6, n), 14, size * 0.5)
    if p.chance(0.25):
        stem = plants.bare(p, "far", 9)[0]
        site.things += place([stem], at=ring(size * 1.5, size * 4, 1)[0])

    def propose() -> Camera:
        a, d = p.between(0, 2 * pi), size * p.between(0.9, 3.2)
        up = max(middle * p.between(0.6, 2.2), 0.03)
        x, z = np.sin(a) * d, np.cos(a) * d
        eye = (x, float(ground(x, z)) + up + 0.13, z)
        camera = view(p, eye, (0.0, middle + float(ground(0.0, 0.0)), 0.0), lens(p, 22, 62), portrait=0.3, roll=3)
        reach = float(np.linalg.norm(np.array(eye) - np.array(camera.target)))
        return replace(camera, focus=reach, aperture=p.between(0.0, 0.03) if p.chance(0.85) else 0.0)

    return site.stage(daylight(p), site.cameras(propose, clear=0.02))
