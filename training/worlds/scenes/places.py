"""Particular places: monuments, harbours, villages, bridges, castles, and land from the air."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, place
from training.worlds.palette import Palette
from training.worlds.parts import monuments, plants, street, transport
from training.worlds.parts.buildings import block, building, high_rise, house
from training.worlds.parts.many import boxes
from training.worlds.parts.people import person
from training.worlds.parts.terrain import flat, fractal, land, meadowland, water
from training.worlds.scenes import country, town
from training.worlds.scenes.lie import company, scattered, stand_on
from training.worlds.scenes.site import Site, Stock, daylight, gaze, lens, view
from training.worlds.stage import Camera, Stage


def around(
    p: Palette,
    middle: tuple[float, float, float],
    near: float,
    far: float,
    *,
    low: float = 0.5,
    high: float = 2.0,
    fov: tuple[float, float] = (25, 70),
) -> Callable[[], Camera]:
    """Cameras on all sides of something, looking at it and a little past it."""
    ground = p.between(0, 2 * pi)

    def propose() -> Camera:
        a, d = ground + p.between(-pi, pi), p.between(near, far)
        eye = np.array(middle) * [1, 0, 1] + [np.sin(a) * d, p.between(low, high), np.cos(a) * d]
        target = np.array(middle) + p.rng.normal(size=3) * [0.08, 0.04, 0.08] * d
        return view(p, eye, target, lens(p, *fov))

    return propose


def statue(p: Palette) -> Thing:
    """A figure of stone or bronze on a plinth."""
    base, h = monuments.plinth(p)
    c = p.near(((0.06, 0.1, 0.08), (0.05, 0.04, 0.03), (0.55, 0.53, 0.48), (0.35, 0.34, 0.32))[int(p.rng.integers(4))])
    stone = replace(
        p.rock(), colour=c, second=tuple(0.6 * k for k in c), tile=-1, shine=p.between(0.02, 0.3), gloss=0.5
    )
    figure = [replace(q, material=stone) for q in person(p, detail="near", pose="stand" if p.chance(0.7) else "any")]
    return base + place(figure, at=(0, h, 0), scale=p.between(1.0, 2.2))


def monument(p: Palette) -> Stage:
    """A statue, obelisk, temple or church before the sky."""
    site = Site("monument", p)
    site.add(flat(p.paving() if p.chance(0.5) else p.grass()))
    big = p.chance(0.4)
    thing = (
        (monuments.temple, monuments.church)[int(p.rng.integers(2))](p)
        if big
        else statue(p)
        if p.chance(0.65)
        else monuments.obelisk(p)
    )
    site.put(thing, yaw=p.between(0, 6))
    top = float(bounds(thing)[1][1])
    if p.chance(0.5):
        site.put(monuments.stairs(p, p.between(3, 8), 1.2), (0, 0, 7), pi)
    tree = Stock(p, plants.tree, 2)
    for _ in range(int(p.rng.integers(0, 9))):
        b, d = p.between(0, 2 * pi), p.between(14, 45)
        site.put(tree.draw(), (np.sin(b) * d, 0, np.cos(b) * d), solid=False)
    people = Stock(p, lambda q: person(q, detail="far"), 2)
    for _ in range(int(p.rng.integers(0, 6))):
        b, d = p.between(0, 2 * pi), p.between(4, 14)
        site.put(people.draw(), (np.sin(b) * d, 0, np.cos(b) * d), p.between(0, 6))
    near, far = (14, 40) if big else (max(3.0, top * 0.7), 6 + top * 1.6)
    propose = around(p, (0, top * 0.55, 0), near, far, low=0.5, high=2.2, fov=(40, 85) if big else (28, 70))
    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=1.5))


def harbour(p: Palette) -> Stage:
    """A quay with boats, bollards, houses behind, water."""
    site = Site("harbour", p)
    site.add(water(p, level=-1.2))
    quay = p.paving()
    site.add([boxes([[0, -4, -60]], [900, 4, 120], quay)])
    x = np.arange(-60, 60, p.between(4, 8))
    site.add(street.bollards(p, np.stack([x, 0 * x, 0 * x - 0.6], 1)))
    boats = Stock(p, transport.boat, 5)
    for _ in range(int(p.rng.integers(5, 22))):
        site.put(
            boats.draw(),
            (p.between(-45, 45), -1.2, p.between(2.5, 60)),
            p.between(0, 6) if p.chance(0.3) else float(p.rng.normal()) * 0.2,
        )
    row = [(building(p, w, 11, max(1, round(p.spread(3, 1.3))), near=i < 2), w) for i, w in enumerate((9.0, 13.0, 7.0))]
    at, back = -70.0, p.between(9, 20)
    while at < 70:
        thing, w = row[int(p.rng.integers(3))]
        site.put(thing, (at + w / 2, 0, -back))
        at += w + (p.between(2, 12) if p.chance(0.25) else 0)
    if p.chance(0.6):
        country.hills_behind(site, p, 2)
    people = Stock(p, lambda q: person(q, detail="far"), 3)
    for _ in range(int(p.rng.integers(1, 9))):
        site.put(people.draw(), (p.between(-20, 20), 0, -p.between(1, back - 1)), p.between(0, 6))
    post = street.lamp_post(p)[0]
    site.scatter(post, np.stack([x[::3], 0 * x[::3], 0 * x[::3] - 1.6], 1), pi)

    def propose() -> Camera:
        eye = np.array(
            [p.between(-18, 18), p.between(0.8, 2.2) + (4 if p.chance(0.15) else 0), -p.between(0.5, back * 0.8)]
        )
        return gaze(
            p,
            eye,
            float(p.rng.normal()) * 0.9 + (pi if p.chance(0.15) else 0),
            float(p.rng.normal()) * 0.07 - 0.06,
            lens(p, 30, 90),
        )

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=1.5))


def castle(p: Palette) -> Stage:
    """A castle or a ruin on a hill or in a field."""
    site = Site("castle", p)
    seed, hill = p.seed(), p.between(0, 14)
    rolling = meadowland(seed, p.between(0.3, 2.5), 40)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        r = np.hypot(np.asarray(x), np.asarray(z))
        return rolling(x, z) * np.clip(r / 30 - 0.6, 0, 1) - hill * np.clip((r - 44) / 70, 0, 1) ** 1.3

    stand_on(site, p, ground)
    site.add(land(ground, p.grass(), reach=6000, rings=64, spokes=110))
    ruined = p.chance(0.5)
    thing: Thing = monuments.ruin(p) if ruined else monuments.castle(p)
    site.put(thing, yaw=p.between(0, 6), solid=not ruined)
    near, far = (8, 26) if ruined else (46, 110)
    country.woods(site, p, scattered(p, ground, 40, 160), 60, height=9, look="mass")
    country.stones(site, p, scattered(p, ground, 12, 60), 12, 0.7)
    country.hills_behind(site, p, int(p.rng.integers(0, 4)))
    company(site, p, scattered(p, ground, 10, 40), 0.3)

    def propose() -> Camera:
        a, d = p.between(0, 2 * pi), p.between(near, far)
        x, z = np.sin(a) * d, np.cos(a) * d
        eye = (x, float(ground(x, z)) + p.between(0.8, 2.2) + (p.between(3, 25) if p.chance(0.15) else 0), z)
        return view(p, eye, (p.between(-6, 6), p.between(1, 7), p.between(-6, 6)), lens(p, 28, 80))

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=2.0))


def village(p: Palette) -> Stage:
    """Houses close together around a church on uneven ground, lanes and gardens between."""
    site = Site("village", p)
    ground = meadowland(p.seed(), p.between(0.3, 5), p.between(40, 80), p.between(0, 80))
    site.ground = lambda x, z: float(ground(np.float64(x), np.float64(z)))
    site.add(land(ground, p.grass() if p.chance(0.7) else p.soil(), reach=5000, rings=64, spokes=110))
    made = [house(p, near=i < 3) for i in range(4)]
    for k in range(int(p.rng.integers(8, 20))):
        a, d = k * 2.4 + p.between(0, 0.5), 14 + 11 * np.sqrt(k) + p.between(-3, 3)
        x, z = np.sin(a) * d, np.cos(a) * d
        site.put(made[k % 4], (x, float(ground(x, z)) - 0.4, z), a + pi + float(p.rng.normal()) * 0.5)
    a = p.between(0, 6)
    site.put(
        monuments.church(p, near=False),
        (np.sin(a) * 60, float(ground(np.sin(a) * 60, np.cos(a) * 60)) - 0.5, np.cos(a) * 60),
        p.between(0, 6),
    )
    t = town.Town(site, p)

    def where(n: int) -> np.ndarray:
        b, d = p.rng.uniform(0, 2 * pi, n), 4 + 60 * p.rng.random(n) ** 1.4
        x, z = np.sin(b) * d, np.cos(b) * d
        return np.stack([x, ground(x, z), z], 1)

    country.woods(site, p, where, 14, height=p.between(5, 10))
    for at in where(int(p.rng.integers(2, 8))):
        site.put(t.people.draw() if p.chance(0.5) else t.cars.draw(), (at + np.array([0, 0.03, 0])), p.between(0, 6))
    for at in where(8):
        site.put(street.street_thing(p) if p.chance(0.4) else plants.bush(p), at, p.between(0, 6))
    country.meadow(site, p, lambda n: where(n) * [0.25, 1, 0.25] * [1, 0, 1] + [0, 0.0, 0], 60, tall=0.2)
    country.hills_behind(site, p, int(p.rng.integers(1, 4)))

    def propose() -> Camera:
        eye = where(1)[0] + [
            0,
            float(np.clip(p.rng.normal(1.6, 0.3), 0.4, 2.4)) + (p.between(4, 12) if p.chance(0.12) else 0),
            0,
        ]
        return gaze(p, eye, p.between(0, 2 * pi), float(p.rng.normal()) * 0.07, lens(p, 30, 90))

    return site.stage(daylight(p), site.cameras(propose, clear=2.0))


def bridge(p: Palette) -> Stage:
    """A bridge over a river, from the bank, from below and from its deck."""
    site, seed = Site("bridge", p), p.seed()
    wide, deck = p.between(14, 50), p.between(4, 9)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        d = np.abs(x + 6 * np.sin(z / 60)) - wide / 2 + 3 * fractal(x / 20, z / 20, seed, 3)
        return (
            np.clip(d * 0.35, -2.5, deck - 0.6)
            + np.clip(d - 40, 0, 400) * 0.05
            + 0.2 * fractal(x / 7, z / 7, seed + 4, 3)
        )

    site.ground = lambda x, z: max(float(ground(np.float64(x), np.float64(z))), 0.0)
    site.add(land(ground, p.grass() if p.chance(0.7) else p.rock(), reach=3000, rings=72, spokes=120))
    site.add(water(p))
    across = p.between(5, 10)
    z0 = p.between(16, 45)
    site.put(monuments.bridge(p, wide + 4 * deck + 14, across, deck), (0, 0, z0), solid=False)
    t = town.Town(site, p)
    for _ in range(int(p.rng.integers(0, 5))):
        site.put(
            t.cars.draw() if p.chance(0.6) else t.people.draw(),
            (p.between(-wide, wide) / 2, deck, z0 + p.between(-1, 1) * across * 0.3),
            pi / 2 * float(p.rng.choice([-1, 1])),
        )

    def where(n: int) -> np.ndarray:
        x, z = p.rng.normal(size=n) * 45, p.rng.uniform(-30, 140, n)
        q = np.stack([x, ground(x, z) - 0.1, z], 1)
        return q[(q[:, 1] > 0.3) & (np.abs(z - z0) > across) & (np.hypot(x, z) > 3)]

    for _ in range(3):
        tree, at = plants.tree(p, "far", p.between(5, 11)), where(14)
        site.scatter(tree, at, p.between(0, 6), p.rng.uniform(0.6, 1.2, len(at)), solid=0.5)
    for at in where(12)[: int(p.rng.integers(0, 8))]:
        if at[1] > 1.0:
            site.put(house(p, near=False), at * [1.4, 1, 1.2] - [0, 0.3, 0], p.between(0, 6))
    at = where(60)
    site.scatter(plants.bush(p), at[::4], 0.0, 1.0)
    country.stones(site, p, where_stones(p, ground), 18, 0.6)
    country.hills_behind(site, p, int(p.rng.integers(0, 3)))

    def propose() -> Camera:
        if p.chance(0.2):
            return gaze(p, (p.between(-wide, wide) / 2, deck + 1.6, z0), p.between(0, 6), -0.03, lens(p, 40, 85))
        x, z = p.between(-1, 1) * (wide / 2 + 12), p.between(-25, z0 - across)
        eye = (x, max(float(ground(np.float64(x), np.float64(z))), 0.2) + p.between(0.6, 2.2), z)
        return view(p, eye, (p.between(-0.4, 0.4) * wide, deck * p.between(0.3, 1), z0), lens(p, 35, 90))

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=1.5))


def where_stones(p: Palette, ground: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[int], np.ndarray]:
    """Places along a bank."""

    def where(n: int) -> np.ndarray:
        x, z = p.rng.normal(size=n) * 20, p.rng.uniform(-10, 60, n)
        return np.stack([x, np.maximum(ground(x, z), -0.5), z], 1)

    return where


def aerial(p: Palette) -> Stage:
    """A town or fields from a drone, a tower or a hill."""
    site = Site("aerial", p)
    urban = p.chance(0.65)
    site.add(flat(p.asphalt() if urban and p.chance(0.5) else p.grass(), 9000))
    gap, road = p.between(28, 46), p.asphalt()
    lines = np.arange(-4, 5) * gap
    site.add(boxes(np.stack([lines, 0 * lines - 0.05, 0 * lines], 1), [8, 0.08, 1600], road))
    site.add(boxes(np.stack([0 * lines, 0 * lines - 0.045, lines], 1), [1600, 0.08, 8], road))
    town_ = p.chance(0.5)
    made = [
        high_rise(p)
        if urban and not town_ and i < 3
        else block(p, p.between(9, 18), p.between(9, 15), int(p.rng.integers(2, 7)))
        if urban
        else block(p, p.between(8, 13), p.between(7, 10), int(p.rng.integers(1, 3)))
        for i in range(6)
    ]
    for x in lines[:-1] + gap / 2:
        for z in lines[:-1] + gap / 2:
            for _ in range(4 if urban else 3):
                if p.chance(0.75):
                    at = (x + p.between(-0.24, 0.24) * gap, 0, z + p.between(-0.24, 0.24) * gap)
                    site.put(made[int(p.rng.integers(6))], at, float(p.rng.integers(4)) * pi / 2)
    t = town.Town(site, p)
    for _ in range(10):
        line = float(lines[int(p.rng.integers(9))])
        site.put(t.cars.draw(), (line + float(p.rng.choice([-2, 2])), 0.04, p.between(-120, 120)), 0.0)
    tree = plants.tree(p, "mass", 8)
    n = 90
    at = np.stack([p.rng.choice(lines, n) + 6, np.zeros(n), p.rng.uniform(-150, 150, n)], 1)
    site.scatter(tree, at, p.rng.uniform(0, 6, n), p.rng.uniform(0.6, 1.2, n))
    country.hills_behind(site, p, int(p.rng.integers(0, 3)))

    def propose() -> Camera:
        eye = (p.between(-70, 70), p.between(14, 90), p.between(-70, 70))
        return gaze(p, eye, p.between(0, 6), -p.between(0.1, 0.75), lens(p, 40, 85), roll=3)

    sky = daylight(p, open_=True)
    return site.stage(replace(sky, haze=min(sky.haze, 6e-4)), site.cameras(propose, clear=6.0))
