"""Landscapes: woods, meadows, mountains, deserts, shores, snow, farms and ruins, and nature from close by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import place
from training.worlds.palette import Palette
from training.worlds.parts import monuments, plants, street
from training.worlds.parts.buildings import house
from training.worlds.parts.people import person
from training.worlds.parts.terrain import Way, bands, fractal, land, meadowland, water
from training.worlds.scenes import country, macro, places, shores
from training.worlds.scenes.lie import Ground, company, scattered, stand_on, wander
from training.worlds.scenes.shores import clear_air
from training.worlds.scenes.site import Site, daylight, gaze, lens
from training.worlds.stage import Camera, Stage


def forest(p: Palette) -> Stage:
    """Inside a wood: stems near and far, undergrowth, stones."""
    site = Site("forest", p)
    ground = meadowland(p.seed(), p.between(0.5, 4), p.between(15, 50))
    stand_on(site, p, ground)
    site.add(land(ground, p.soil() if p.chance(0.6) else p.grass(), reach=700, rings=48, spokes=96))
    country.woods(site, p, scattered(p, ground, 4.5, 15), 14, height=p.between(9, 20), kinds=2, look="near")
    country.woods(site, p, scattered(p, ground, 10, 95), 130, height=p.between(10, 20), look="mass")
    _undergrowth(site, p, ground)
    company(site, p, scattered(p, ground, 2.5, 12), 0.3)
    sky = daylight(p)
    return site.stage(
        replace(sky, haze=max(sky.haze, p.between(0, 0.01))), site.cameras(wander(p, ground, 3), clear=1.5)
    )


def _undergrowth(site: Site, p: Palette, ground: Ground) -> None:
    n = 24
    site.scatter(
        plants.bush(p, "far", p.between(0.4, 1.3)),
        scattered(p, ground, 2, 25)(n),
        p.rng.uniform(0, 6, n),
        p.rng.uniform(0.5, 1.4, n),
        solid=0.6,
    )
    country.meadow(site, p, scattered(p, ground, 0.6, 9), 90, tall=p.between(0.15, 0.5))
    if p.chance(0.5):
        country.stones(site, p, scattered(p, ground, 1.5, 25), 14, p.between(0.3, 1.2))
    if p.chance(0.4):
        log = [monuments.lathe([(0.001, 0), (0.22, 0.0), (0.19, 4.0), (0.17, 4.02), (0.001, 4.03)], p.bark(), sides=9)]
        at = scattered(p, ground, 2.5, 8)(2)
        for q in at:
            site.put(place(log, pitch=pi / 2, yaw=p.between(0, 6)), (q + np.array([0, 0.2, 0])))


def forest_path(p: Palette) -> Stage:
    """A path through a wood."""
    site, half = Site("forest_path", p), p.between(0.6, 1.6)
    way = Way(
        bend=float(p.rng.normal()) * 5,
        bend_length=p.between(15, 40),
        phase=p.between(0, 6),
        rise=float(p.rng.normal()) * 1.2,
        rise_length=30,
    )
    height = country.beside(way, half, p.seed(), p.between(0.5, 4))
    site.ground = lambda x, z: float(height(np.float64(x), np.float64(z)))
    country.verges(site, way, half, p.grass() if p.chance(0.5) else p.soil(), height, reach=900)
    z = np.linspace(-25, 90, 50)
    wobble = np.sin(z * 0.9)[:, None] * 0.15
    site.add(way.ribbon(z, np.array([-half - 0.1, 0, half + 0.1]), np.array([0.0, -0.03, 0.0]) + 0 * wobble, p.soil()))
    country.woods(
        site,
        p,
        country.beside_way(p, way, height, half, (2.0, 8), (-10, 35)),
        14,
        height=p.between(8, 18),
        kinds=2,
        look="near",
    )
    country.woods(
        site,
        p,
        country.beside_way(p, way, height, half, (3, 55), (-10, 150)),
        120,
        height=p.between(8, 18),
        look="mass",
    )
    country.meadow(
        site, p, country.beside_way(p, way, height, half, (0.1, 3), (-1, 16)), 110, tall=p.between(0.15, 0.5)
    )
    site.scatter(
        plants.bush(p, "far"),
        country.beside_way(p, way, height, half, (0.5, 6), (1, 40))(16),
        p.rng.uniform(0, 6, 16),
        p.rng.uniform(0.4, 1.2, 16),
        solid=0.6,
    )
    if p.chance(0.35):
        zz = p.between(4, 20)
        site.put(
            person(p, detail="near", pose="walk"), way.at(zz, 0.0), float(way.yaw(zz)) + (pi if p.chance(0.5) else 0)
        )

    def propose() -> Camera:
        zz = p.between(-4, 6)
        eye = way.at(zz, p.between(-1, 1) * half, p.between(0.6, 1.9))
        return gaze(
            p, eye, float(way.yaw(zz)) + float(p.rng.normal()) * 0.25, float(p.rng.normal()) * 0.08, lens(p, 30, 85)
        )

    return site.stage(daylight(p), site.cameras(propose, clear=1.5))


def meadow(p: Palette) -> Stage:
    """Grassland with flowers, single trees, animals, hills."""
    site = Site("meadow", p)
    ground = meadowland(p.seed(), p.between(0.5, 5), p.between(30, 90), p.between(0, 60))
    stand_on(site, p, ground)
    site.add(land(ground, p.grass(), reach=6000, rings=64, spokes=110))
    country.meadow(site, p, scattered(p, ground, 0.5, 10), 240, tall=p.between(0.15, 0.6))
    country.woods(
        site, p, scattered(p, ground, 9, 70), int(p.rng.integers(4, 22)), height=p.between(5, 12), look="near"
    )
    country.woods(
        site, p, scattered(p, ground, 60, 420), int(p.rng.integers(0, 80)), height=p.between(6, 14), look="mass"
    )
    site.scatter(
        plants.bush(p), scattered(p, ground, 4, 60)(14), p.rng.uniform(0, 6, 14), p.rng.uniform(0.5, 1.4, 14), solid=0.6
    )
    country.hills_behind(site, p, int(p.rng.integers(1, 4)))
    company(site, p, scattered(p, ground, 4, 40), 0.5)
    if p.chance(0.4):
        way = Way(bend=float(p.rng.normal()) * 5, bend_length=40)
        if ground(np.zeros(1), np.full(1, 40.0))[0] < 0.6:
            site.add(street.fence(p, way, np.linspace(4, 60, 20), p.between(-3, 3)))
    return site.stage(daylight(p, open_=True), site.cameras(wander(p, ground), clear=1.2))


def mountains(p: Palette) -> Stage:
    """A valley or alp before ranges of mountains, the farthest 25 km away."""
    site = Site("mountains", p)
    seed, near = p.seed(), p.between(1, 8)
    size, tall, start = p.between(900, 3500), p.between(150, 1300), p.between(120, 900)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        r = np.hypot(x, z)
        relief = fractal(np.asarray(x) / size, np.asarray(z) / size, seed, 6, ridged=True) - 0.25
        return (
            near
            * (fractal(np.asarray(x) / 50, np.asarray(z) / 50, seed + 50, 4) - near_zero)
            * np.minimum(1, 0.1 + r / 60)
            + tall * relief * np.clip((r - start) / 2500, 0, 1.4) ** 1.2
        )

    near_zero = float(fractal(0.0, 0.0, seed + 50, 4))
    stand_on(site, p, ground)
    grass, stone = p.grass(), p.rock()
    snow = Material((0.8, 0.82, 0.87), (0.68, 0.72, 0.8), "clouds", 0.05, seed=p.seed())
    line = tall * p.between(0.2, 0.6)
    layers = [(-np.inf, grass), (line, replace(stone, tile_size=60.0, frequency=0.02))] + (
        [(line * p.between(1.3, 2.2), snow)] if p.chance(0.6) else []
    )
    site.add(bands(ground, layers, reach=9000, rings=100, spokes=190))
    country.hills_behind(site, p, int(p.rng.integers(1, 4)), high=p.between(1.2, 3), snow=p.chance(0.7))
    country.stones(site, p, scattered(p, ground, 3, 60), int(p.rng.integers(0, 30)), p.between(0.3, 1.5), stone)
    country.woods(
        site, p, scattered(p, ground, 12, 500), int(p.rng.integers(0, 110)), height=p.between(6, 14), look="mass"
    )
    country.meadow(site, p, scattered(p, ground, 0.6, 8), 70, tall=p.between(0.1, 0.3))
    if p.chance(0.3):
        site.add(water(p, level=-near * p.between(0.3, 0.8)))
    company(site, p, scattered(p, ground, 3, 20), 0.3)
    return site.stage(clear_air(p), site.cameras(wander(p, ground, 10, fov=(24, 80)), clear=1.0))


def desert(p: Palette) -> Stage:
    """Dunes, gravel plains, mesas."""
    site = Site("desert", p)
    seed, tall, wave = p.seed(), p.between(0.5, 14), p.between(25, 90)
    sand = Material(
        p.near((0.52, 0.34, 0.18), 1.25),
        p.near((0.42, 0.27, 0.14), 1.2),
        "clouds",
        p.spread(0.6, 2),
        bump=0.02,
        seed=p.seed(),
    )
    if p.chance(0.3):
        sand = p.soil()

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        r = np.hypot(x, z)
        phase = (x * 0.8 + z * 0.6) / wave + 1.5 * fractal(x / 200, z / 200, seed, 3)
        saw = phase - np.floor(phase)
        crest = np.where(saw < 0.75, saw / 0.75, (1 - saw) / 0.25)
        dune = tall * crest * crest * (3 - 2 * crest) * (0.6 + 0.4 * fractal(x / 130, z / 130, seed + 5, 2))
        return dune * np.clip(r / 25, 0.1, 1) + 0.1 * fractal(x / 6, z / 6, seed + 8, 2)

    stand_on(site, p, ground)
    site.add(land(ground, sand, reach=8000, rings=110, spokes=180, near=0.5))
    country.stones(site, p, scattered(p, ground, 2, 80), int(p.rng.integers(0, 30)), p.between(0.2, 1.4))
    n = int(p.rng.integers(0, 18))
    if n:
        site.scatter(
            plants.bush(p, "far", 0.6),
            scattered(p, ground, 3, 60)(n),
            p.rng.uniform(0, 6, n),
            p.rng.uniform(0.4, 1.3, n),
            solid=0.6,
        )
    if p.chance(0.2):
        site.scatter(plants.palm(p), scattered(p, ground, 8, 50)(6), p.rng.uniform(0, 6, 6), p.rng.uniform(0.7, 1.2, 6))
    country.hills_behind(site, p, int(p.rng.integers(0, 3)), high=p.between(0.6, 1.6))
    company(site, p, scattered(p, ground, 4, 30), 0.35)
    return site.stage(clear_air(p), site.cameras(wander(p, ground, 8), clear=1.0))


def snow(p: Palette) -> Stage:
    """A winter landscape: snow, bare and snowy trees, a house."""
    site = Site("snow", p)
    ground = meadowland(p.seed(), p.between(0.5, 5), p.between(20, 70), p.between(0, 120))
    stand_on(site, p, ground)
    white = Material(
        (0.8, 0.82, 0.86), (0.72, 0.76, 0.83), "clouds", p.spread(0.8, 2), shine=0.04, bump=0.02, seed=p.seed()
    )
    site.add(land(ground, p.tiled(white, "Snow", size=2.0), reach=6000, rings=70, spokes=120))
    n = int(p.rng.integers(8, 40))
    maker = (plants.conifer, plants.bare, plants.conifer)
    for k in range(3):
        tree = maker[k](p, "far", p.between(6, 14))
        if p.chance(0.6) and k != 1:
            tree = [
                replace(q, material=replace(q.material, colour=(0.55, 0.58, 0.6), second=(0.05, 0.09, 0.05)))
                if q.material.holes
                else q
                for q in tree
            ]
        m = min(n // 3, 24000 // sum(len(q.faces) for q in tree))
        site.scatter(
            tree, scattered(p, ground, 5, 110)(m), p.rng.uniform(0, 6, m), p.rng.uniform(0.5, 1.2, m), solid=0.6
        )
    if p.chance(0.45):
        home = [
            replace(q, material=white) if i == 0 and q.material.pattern == "bricks" else q
            for i, q in enumerate(house(p))
        ]
        site.put(home, scattered(p, ground, 15, 45)(1)[0], p.between(0, 6))
    country.stones(site, p, scattered(p, ground, 3, 40), 8, 0.6)
    country.hills_behind(site, p, int(p.rng.integers(0, 4)), high=p.between(0.8, 2.5), snow=True)
    company(site, p, scattered(p, ground, 3, 25), 0.45)
    return site.stage(daylight(p, open_=True), site.cameras(wander(p, ground), clear=1.2))


def farm_field(p: Palette) -> Stage:
    """Fields, a farm, animals, hills."""
    site = Site("field_with_farm", p)
    ground = meadowland(p.seed(), p.between(0.5, 4), p.between(40, 90), p.between(0, 50))
    stand_on(site, p, ground)
    site.add(land(ground, p.grass() if p.chance(0.6) else p.soil(), reach=6000, rings=64, spokes=110))
    for _ in range(int(p.rng.integers(2, 5))):
        a, d = p.between(0, 2 * pi), p.between(28, 80)
        country.farm(site, p, np.array([np.sin(a) * d, 0, np.cos(a) * d]), ground)
    country.herd(site, p, scattered(p, ground, 5, 50), int(p.rng.integers(2, 10)))
    country.woods(
        site, p, scattered(p, ground, 14, 300), int(p.rng.integers(10, 80)), height=p.between(6, 12), look="mass"
    )
    country.crop_rows(site, p, Way(), ground, p.between(0, 3))
    country.meadow(site, p, scattered(p, ground, 0.5, 8), 100)
    country.hills_behind(site, p, int(p.rng.integers(0, 4)))
    return site.stage(daylight(p, open_=True), site.cameras(wander(p, ground, 8), clear=1.5))


Scene = Callable[[Palette], Stage]
SCENES: dict[str, tuple[Scene, float]] = {
    "forest": (forest, 1.5),
    "forest_path": (forest_path, 2.0),
    "meadow": (meadow, 1.5),
    "mountains": (mountains, 2.5),
    "desert": (desert, 1.0),
    "beach": (shores.beach, 1.5),
    "lake": (shores.lake, 1.5),
    "cliff": (shores.cliff, 1.0),
    "snow": (snow, 1.3),
    "field_with_farm": (farm_field, 1.3),
    "castle": (places.castle, 1.2),
    "close_nature": (macro.close_nature, 3.0),
}
