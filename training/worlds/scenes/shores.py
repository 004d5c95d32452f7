"""Land at the water: beaches, lakes, cliffs."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.palette import Palette
from training.worlds.parts import monuments, plants, street
from training.worlds.parts.people import person
from training.worlds.parts.terrain import bands, fractal, land, water
from training.worlds.parts.transport import boat
from training.worlds.scenes import country
from training.worlds.scenes.lie import Ground, company, scattered, stand_on, wander
from training.worlds.scenes.site import Site, Stock, daylight, gaze, lens
from training.worlds.stage import Camera, Sky, Stage


def clear_air(p: Palette) -> Sky:
    """A sky over open land through which one sees far."""
    sky = daylight(p, open_=True)
    return replace(sky, haze=float(np.exp(p.between(np.log(2e-5), np.log(2.5e-4)))))


def _shore(p: Palette, *, steep: float, level: float, seed: int) -> Ground:
    """Land that falls towards +z into the water at y = 0."""
    wide = p.between(25, 70)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        line = 9 * fractal(x / wide, 0 * x, seed, 3) + 12 * np.sin(x / 230)
        d = z - 12 - line
        land_ = level + 0.04 * np.clip(-d - 10, 0, 4000) * (1 + fractal(x / 90, z / 90, seed + 2, 4))
        return np.clip(-d * steep, -4 * max(steep, 0.5), np.maximum(land_, 0.05)) + 0.05 * fractal(
            x / 5, z / 5, seed + 4, 3
        )

    return ground


def beach(p: Palette) -> Stage:
    """Sand, sea, surf, parasols, palms, people."""
    site, seed = Site("beach", p), p.seed()
    ground = _shore(p, steep=p.between(0.03, 0.1), level=p.between(1.5, 4), seed=seed)
    stand_on(site, p, lambda x, z: np.maximum(ground(x, z), 0))
    sand = Material(
        p.near((0.55, 0.45, 0.32), 1.2),
        p.near((0.48, 0.38, 0.26), 1.2),
        "clouds",
        p.spread(2, 2),
        bump=0.02,
        seed=p.seed(),
    )
    site.add(land(ground, sand, reach=4000, rings=70, spokes=120))
    site.add(water(p))
    foam = Material((0.8, 0.82, 0.83), (0.6, 0.65, 0.68), "clouds", 3, seed=p.seed())
    x = np.linspace(-90, 90, 90)
    line = 12 + 9 * fractal(x / 45, 0 * x, seed, 3)
    for k in range(int(p.rng.integers(1, 5))):
        z = line + 1 + 5 * k + 0.8 * np.sin(x / 7 + k * 2)
        wide = 0.5 + 0.4 * np.sin(x / 11 + k)
        site.add(
            monuments.grid(
                np.stack(
                    [
                        np.stack([x, 0 * x + 0.06, z - wide], 1),
                        np.stack([x, 0 * x + 0.1 + 0.06 * k, z + wide * 0.2], 1),
                        np.stack([x, 0 * x + 0.02, z + wide], 1),
                    ]
                ),
                foam,
            )
        )
    where = scattered(p, lambda x, z: np.maximum(ground(x, z), 0.0), 3, 45)
    people = Stock(p, lambda q: person(q, detail="far"), 3)
    for at in where(int(p.rng.integers(0, 12))):
        site.put(people.draw(), (at + np.array([0, 0.05, 0])), p.between(0, 6))
    for at in where(int(p.rng.integers(0, 6))):
        if at[1] > 0.3:
            cloth = p.fabric(p.hue(0.9, 0.5))
            shade = monuments.lathe([(1.3, 1.9), (0.7, 2.2), (0.02, 2.35)], cloth, sides=10, smooth=False)
            site.put(
                [shade, monuments.boxes([[0, 0, 0]], [0.05, 2.2, 0.05], street.steel(p))], at, p.between(0, 2 * pi)
            )
    if p.chance(0.4):
        for at in where(5):
            site.put(plants.palm(p), at * [1.5, 1, 1] - [0, 0.2, 0], p.between(0, 6), solid=False)
    country.stones(site, p, where, int(p.rng.integers(0, 24)), p.between(0.2, 1.2))
    if p.chance(0.5):
        country.hills_behind(site, p, 2)
    return site.stage(
        clear_air(p), site.cameras(wander(p, site_ground(site), 10, yaw=p.between(-1.4, 1.4), wide=1.0), clear=1.2)
    )


def site_ground(site: Site) -> Ground:
    """The site's ground as a function of arrays' single values."""
    return lambda x, z: np.float64(site.ground(float(x), float(z)))


def roll_free(p: Palette) -> float:
    """Any direction."""
    return p.between(0, 2 * pi)


def lake(p: Palette) -> Stage:
    """Still water between woods and hills."""
    site, seed = Site("lake", p), p.seed()
    far = p.between(120, 900)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        d = np.hypot(x, z - far * 0.5 - 5) / (far * 0.5)
        d = d + 0.18 * fractal(x / far * 5, z / far * 5, seed, 4)
        shore = np.clip((d - 1) * far * 0.25, -3, 1e9)
        return np.where(
            shore > 0,
            1.2 * np.tanh(shore / 4)
            + 0.1 * np.minimum(shore, 900) * (0.6 + 0.5 * fractal(x / 300, z / 300, seed + 3, 4)),
            shore,
        )

    stand_on(site, p, lambda x, z: np.maximum(ground(x, z), 0))
    site.add(land(ground, p.grass() if p.chance(0.8) else p.soil(), reach=5000, rings=90, spokes=150))
    site.add(water(p))

    def where(n: int, near: float = 4, out: float = 1.4) -> np.ndarray:
        a = p.rng.uniform(-2.6, 2.6, n)
        r = far * 0.5 * p.rng.uniform(0.95, out, n)
        x, z = np.sin(a) * r, far * 0.5 + 5 + np.cos(a) * r
        q = np.stack([x, ground(x, z), z], 1)
        return q[(q[:, 1] > 0.1) & (np.hypot(x, z) > near)]

    country_woods(site, p, where(140), p.between(7, 15))
    country.meadow(site, p, scattered(p, lambda x, z: np.maximum(ground(x, z), 0), 1, 9), 110, tall=p.between(0.3, 0.9))
    country.stones(site, p, scattered(p, lambda x, z: np.maximum(ground(x, z), -0.2), 3, 30), 16, 0.6)
    country.hills_behind(site, p, int(p.rng.integers(1, 4)), high=p.between(0.8, 2.4), snow=p.chance(0.5))
    if p.chance(0.4):
        site.put(boat(p), (p.between(-12, 12), 0, far * 0.12 + 14), p.between(0, 6))
    if p.chance(0.35):
        planks = [
            monuments.boxes([[0, 0.5, 8.0]], [1.6, 0.1, 18], p.wood()),
            monuments.boxes([[s * 0.7, -1, z] for s in (1, -1) for z in (2, 7, 12, 16)], [0.16, 1.8, 0.16], p.bark()),
        ]
        site.put(planks, (p.between(-6, 6), 0, 2), solid=False)
    return site.stage(clear_air(p), site.cameras(wander(p, site_ground(site), 8, yaw=0.0, wide=0.9), clear=1.2))


def country_woods(site: Site, p: Palette, at: np.ndarray, height: float) -> None:
    """Trees at given places, three kinds."""
    for i in range(3):
        tree = plants.tree(p, "mass", height)
        q = at[i::3][: 26000 // (3 * sum(len(k.faces) for k in tree))]
        site.scatter(tree, q, p.rng.uniform(0, 6, len(q)), p.rng.uniform(0.6, 1.25, len(q)), solid=0.6)


def cliff(p: Palette) -> Stage:
    """A rocky coast: cliffs above the sea, from below or from the edge."""
    site, seed = Site("cliff", p), p.seed()
    tall, soft = p.between(8, 70), p.between(0.5, 3)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        line = 25 * fractal(x / 60, 0 * x + 3, seed, 5) + 7 * fractal(x / 11, z / 40, seed + 3, 4)
        d = (z - 14 - line) / (soft * 4)
        face = tall / (1 + np.exp(np.clip(d * 3, -30, 30)))
        ledge = 0.22 * tall * fractal(x / 14, z / 7, seed + 6, 4) * np.exp(-(d**2))
        return face + ledge - 3.0 + 0.4 * fractal(x / 8, z / 8, seed + 9, 4)

    above = p.chance(0.4)
    stand_on(site, p, lambda x, z: np.maximum(ground(x, z), 0))
    stone = p.rock()
    top = tall * 0.85 - 3
    site.add(bands(ground, [(-np.inf, stone), (top, p.grass())], reach=3000, rings=100, spokes=200))
    site.add(water(p))
    country.stones(site, p, scattered(p, ground, 3, 60), 24, 1.2, stone)
    if above:
        country.meadow(site, p, scattered(p, ground, 0.5, 8), 120)
        propose = wander(p, ground, 12, yaw=float(p.rng.choice([-1, 1])) * p.between(1.2, 1.8), wide=0.4)
    else:

        def propose() -> Camera:
            eye = np.array([p.between(-30, 30), p.between(1, 4), p.between(50, 95)])
            return gaze(p, eye, pi + p.between(-0.9, 0.9), p.between(-0.05, 0.25), lens(p, 35, 80))

    country.hills_behind(site, p, int(p.rng.integers(0, 2)))
    company(site, p, scattered(p, ground, 3, 12), 0.3 if above else 0)
    return site.stage(clear_air(p), site.cameras(propose, clear=1.0))
