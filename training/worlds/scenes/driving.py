"""What a camera on a vehicle sees: motorways, country roads, streets, junctions, tunnels, by day and night."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import grid
from training.worlds.palette import Palette
from training.worlds.parts import plants, street
from training.worlds.parts.terrain import Way, fractal, stations
from training.worlds.scenes import country, town
from training.worlds.scenes.motorist import ahead, bridged, driver, headlights, lanes_of, weather, winding
from training.worlds.scenes.site import Site, Stock, night
from training.worlds.stage import Lamp, Stage


def city_drive(p: Palette) -> Stage:
    """A street in town with parked cars."""
    lanes = int(p.rng.choice([2, 2, 2, 3, 4, 4]))
    park = p.chance(0.75)
    half = lanes * p.between(2.9, 3.5) / 2 + (2.2 if park else 0)
    site = Site("driving", p)
    wet = p.between(0.2, 0.7) if p.chance(0.18) else 0.0
    t = town.Town(site, p, replace(winding(p, 6, 0.0), rise=0.0), half, p.between(1.6, 4.5))
    town.ground(t)
    town.carriageway(t, wet=wet)
    town.markings(t, lanes)
    tall = p.between(2, 7)
    for side in (1, -1):
        r = p.rng.random()
        if r < 0.72:
            town.houses(t, side, tall=tall, gap=p.between(0.02, 0.3))
        elif r < 0.9:
            town.gardens(t, side)
        if park and p.chance(0.85):
            town.parked(t, side, start=-12, most=7, share=p.between(0.4, 0.95))
    inner = lanes_of(half - (2.2 if park else 0), lanes, p.chance(0.3))
    town.traffic(t, inner, int(p.rng.integers(2, 8)), end=110)
    if p.chance(0.6):
        town.avenue(t, share=p.between(0.3, 1))
    town.lamps(t)
    town.clutter(t, 10, end=60)
    town.walkers(t, int(p.rng.integers(0, 9)))
    if p.chance(0.35):
        z = p.between(9, 40)
        site.add(street.crosswalk(p, t.way, z, half))
        for s in (1, -1):
            site.put(street.traffic_light(p), t.way.at(z + 3, s * (half + 0.4), t.kerb), pi)
    if p.chance(0.3):
        town.overhead(t)
    return site.stage(weather(p, wet), site.cameras(driver(p, t.way, ahead(inner)), clear=3.5))


def suburb_drive(p: Palette) -> Stage:
    """A road between gardens."""
    site = Site("driving", p)
    t = town.Town(
        site, p, replace(winding(p, 14, 0), rise=0.0), p.between(3, 4.5), float(p.rng.choice([0.0, 1.6, 2.5]))
    )
    height = country.beside(t.way, t.edge, p.seed(), 0.0)
    country.verges(site, t.way, t.edge, p.grass(), lambda x, z: np.maximum(height(x, z), -0.06))
    town.carriageway(t)
    if p.chance(0.6):
        town.markings(t, 2)
    for side in (1, -1):
        town.gardens(t, side)
        if p.chance(0.5):
            town.parked(t, side, share=0.3, most=4)
    lanes = lanes_of(t.half, 2, p.chance(0.3))
    town.traffic(t, lanes, int(p.rng.integers(0, 4)), heavy=0.08)
    if p.chance(0.6):
        town.avenue(t, share=0.5)
    town.overhead(t) if p.chance(0.6) else town.lamps(t)
    if t.pavement:
        town.clutter(t, 5)
        town.walkers(t, int(p.rng.integers(0, 4)))
    if p.chance(0.4):
        country.hills_behind(site, p)
    return site.stage(weather(p, 0), site.cameras(driver(p, t.way, ahead(lanes)), clear=3.5))


def motorway(p: Palette, *, dark: bool = False) -> Stage:
    """Several lanes each way, rails, verges, gantries, bridges over it."""
    n, lane = int(p.rng.integers(2, 5)), p.between(3.4, 3.8)
    middle, shoulder = p.between(1.2, 5), p.between(1.0, 3.2)
    half = middle / 2 + n * lane + shoulder
    way = replace(winding(p, 40, 2.5), bend_length=p.between(220, 500), rise_length=p.between(120, 300))
    site = Site("driving", p)
    t = town.Town(site, p, way, half, 0.0, dark=dark)
    height = country.beside(
        way,
        half,
        p.seed(),
        p.between(0.5, 5),
        p.between(1.5, 7) if p.chance(0.3) else p.between(-3, 0) if p.chance(0.3) else 0.0,
    )
    country.verges(site, way, half, p.grass(), height)
    wet = p.between(0.2, 0.6) if p.chance(0.15) else 0.0
    town.carriageway(t, length=1500, behind=150, wet=wet)
    for s in (1, -1):
        for i in range(n + 1):
            solid = i in (0, n)
            site.add(
                street.marking(
                    p,
                    way,
                    s * (middle / 2 + 0.25 + i * lane),
                    dash=0.0 if solid else 4.0,
                    gap=8.0,
                    span=(-40, 420),
                    wide=0.18,
                )
            )
    rail = stations(2.0, 420, 60, 50)
    if p.chance(0.6):
        site.add(street.guard_rail(p, way, rail, middle / 2 - 0.3) + street.guard_rail(p, way, rail, -middle / 2 + 0.3))
    else:
        site.add(street.barrier(p, way, rail, 0.0))
    for s in (1, -1):
        if p.chance(0.6):
            site.add(street.guard_rail(p, way, rail, s * (half + 0.4)))
        elif p.chance(0.25):
            wall = p.masonry()
            a = s * np.array([half + 1.5, half + 1.5])
            site.add(way.ribbon(rail, a, [0, p.between(2.5, 5)] if s > 0 else [p.between(2.5, 5), 0], wall))
    directions = [(s * (middle / 2 + 0.25 + (i + 0.5) * lane), -s) for s in (1, -1) for i in range(n)]
    if p.chance(0.3):
        directions = [(o, -d) for o, d in directions]
    town.traffic(t, directions, int(p.rng.integers(4, 14)), end=200, heavy=0.3)
    bridged(p, site, way, half)
    where = country.beside_way(p, way, height, half, (5, 70), (-20, 500))
    country.woods(site, p, where, int(p.rng.integers(0, 70)), height=9, look="mass")
    if p.chance(0.6):
        country.hills_behind(site, p)
    if p.chance(0.5) or dark:
        town.lamps(t, end=260)
    sky = night(p) if dark else weather(p, wet)
    cameras = site.cameras(driver(p, way, ahead(directions)), clear=4.5)
    if dark:
        headlights(site, cameras)
    return site.stage(sky, cameras)


def country_road(p: Palette) -> Stage:
    """A road between fields, trees and hills."""
    half = p.between(2.4, 3.8)
    way = winding(p, 25, 3.0)
    site = Site("driving", p)
    t = town.Town(site, p, way, half, 0.0)
    height = country.beside(way, half, p.seed(), p.between(0.5, 8), p.between(0.5, 3) if p.chance(0.2) else 0.0)
    country.verges(site, way, half, p.grass() if p.chance(0.75) else p.soil(), height)
    wet = p.between(0.2, 0.6) if p.chance(0.15) else 0.0
    town.carriageway(t, length=700, behind=90, wet=wet, road=p.soil() if p.chance(0.15) else None)
    if p.chance(0.7):
        town.markings(t, 2)
    lanes = lanes_of(half, 2, p.chance(0.3))
    town.traffic(t, lanes, int(p.rng.integers(0, 6)), end=150, heavy=0.25)
    _roadside(p, site, way, height, half)
    country.hills_behind(site, p, high=p.between(0.5, 2), snow=p.chance(0.3))
    return site.stage(weather(p, wet), site.cameras(driver(p, way, ahead(lanes)), clear=4.0))


def _roadside(p: Palette, site: Site, way: Way, height: Callable, half: float) -> None:
    """Fences, rails, wires, trees, crops, farms, signs."""
    for s in (1, -1):
        if p.chance(0.35):
            site.add(street.fence(p, way, np.linspace(-10, 110, 40), s * (half + p.between(3.5, 6))))
        if p.chance(0.25):
            site.add(street.guard_rail(p, way, stations(2, 160, 30, 30), s * (half + 0.8)))
    if p.chance(0.45):
        z = np.arange(-40, 320, p.between(30, 45))
        at = way.at(z, (half + p.between(2.5, 7)) * float(p.rng.choice([-1, 1])))
        at[:, 1] = height(at[:, 0], at[:, 2])
        site.add(street.wires(p, at, int(p.rng.integers(1, 5))))
    if p.chance(0.4):
        country.tree_line(site, p, way, height, half + p.between(2.5, 5), gap=p.between(8, 20))
    country.woods(
        site,
        p,
        country.beside_way(p, way, height, half, (4, 110), (-15, 400)),
        int(p.rng.integers(2, 60)),
        height=p.between(6, 13),
        look="mass" if p.chance(0.7) else "far",
    )
    shrubs = country.beside_way(p, way, height, half, (2.5, 20), (-5, 90))
    site.scatter(plants.bush(p, "far"), shrubs(14), p.rng.uniform(0, 6, 14), p.rng.uniform(0.5, 1.5, 14))
    country.meadow(site, p, country.beside_way(p, way, height, half, (0.6, 5), (0, 26)), 90, tall=p.between(0.15, 0.5))
    if p.chance(0.3):
        country.crop_rows(site, p, way, height, half)
    if p.chance(0.5):
        country.farm(
            site,
            p,
            np.array([way.x(120) + float(p.rng.choice([-1, 1])) * p.between(35, 90), 0, p.between(60, 200)]),
            height,
        )
    signs = Stock(p, street.sign, 3)
    for _ in range(int(p.rng.integers(0, 5))):
        z = p.between(8, 90)
        site.put(signs.draw(), way.at(z, (half + 1.2) * float(p.rng.choice([-1, 1])), -0.2), float(way.yaw(z)) + pi)


def forest_road(p: Palette) -> Stage:
    """A road through woods."""
    half, way, site = p.between(1.8, 3.6), winding(p, 18, 2.0), Site("driving", p)
    height = country.beside(way, half, p.seed(), p.between(0.5, 4), p.between(-1, 2))
    country.verges(site, way, half, p.soil() if p.chance(0.5) else p.grass(), height)
    t = town.Town(site, p, way, half, 0.0)
    town.carriageway(t, length=500, behind=60, road=p.soil() if p.chance(0.35) else None)
    if p.chance(0.5):
        town.markings(t, 2)
    lanes = lanes_of(half, 2, False) if half > 2.4 else [(0.0, 1)]
    town.traffic(t, lanes, int(p.rng.integers(0, 3)))
    country.woods(
        site, p, country.beside_way(p, way, height, half, (1.8, 8), (-10, 60)), 14, height=p.between(8, 16), kinds=2
    )
    country.woods(
        site,
        p,
        country.beside_way(p, way, height, half, (4, 70), (-10, 320)),
        110,
        height=p.between(9, 18),
        look="mass",
    )
    site.scatter(
        plants.bush(p, "far"),
        country.beside_way(p, way, height, half, (1.5, 12), (-4, 70))(20),
        p.rng.uniform(0, 6, 20),
        p.rng.uniform(0.4, 1.5, 20),
    )
    country.meadow(site, p, country.beside_way(p, way, height, half, (0.4, 4), (0, 25)), 70)
    return site.stage(weather(p, 0), site.cameras(driver(p, way, ahead(lanes)), clear=4.0))


def mountain_road(p: Palette) -> Stage:
    """A road along a slope: rock on one side, a rail and the valley on the other, ranges behind."""
    half, way, site = p.between(2.8, 3.8), winding(p, 35, 4.0), Site("driving", p)
    seed, s, steep = p.seed(), float(p.rng.choice([-1, 1])), p.between(0.4, 1.6)
    base = country.beside(way, half, seed, 2.0)

    def height(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        d = (np.asarray(x) - way.x(z)) * s
        up = (
            np.clip(d - half - 1.2, 0, 250)
            * steep
            * (0.75 + 0.5 * fractal(np.asarray(x) / 9, np.asarray(z) / 9, seed + 30, 4))
        )
        return base(x, z) + up - np.clip(-d - half - 2.5, 0, 160) * 0.6

    country.verges(site, way, half, p.rock() if p.chance(0.65) else p.grass(), height)
    t = town.Town(site, p, way, half, 0.0)
    town.carriageway(t, length=500, behind=80)
    town.markings(t, 2)
    lanes = lanes_of(half, 2, p.chance(0.3))
    town.traffic(t, lanes, int(p.rng.integers(0, 5)), heavy=0.25)
    site.add(street.guard_rail(p, way, stations(2, 250, 50, 40), -s * (half + 0.7)))
    country.stones(site, p, country.beside_way(p, way, height, half, (1.5, 14), (0, 120)), 24, 0.7)
    country.woods(site, p, country.beside_way(p, way, height, half, (5, 70), (0, 400)), 50, height=9, look="mass")
    country.hills_behind(site, p, 3, high=2.0, snow=p.chance(0.5))
    return site.stage(weather(p, 0), site.cameras(driver(p, way, ahead(lanes)), clear=4.0))


def junction(p: Palette) -> Stage:
    """A crossing: a second street at right angles, lights, crosswalks, cars from the side."""
    lanes = int(p.rng.choice([2, 2, 4]))
    half, site, z0 = lanes * 3.3 / 2 + 0.5, Site("driving", p), p.between(16, 34)
    t = town.Town(site, p, Way(), half, p.between(2, 4.5))
    town.ground(t)
    road = p.asphalt()
    town.carriageway(t, road=road)
    cross = half * p.between(0.8, 1.3)
    site.add(
        grid(
            np.array(
                [
                    [[-120, 0.14, z0 - cross], [120, 0.14, z0 - cross]],
                    [[-120, 0.14, z0 + cross], [120, 0.14, z0 + cross]],
                ]
            ),
            road,
        )
    )
    town.markings(t, lanes)
    free = cross + 2.5
    for side in (1, -1):
        town.houses(t, side, start=-45, end=z0 - free - 12, tall=p.between(2, 6), kinds=3)
        town.houses(t, side, start=z0 + free, end=150, tall=p.between(2, 6), kinds=3)
        for s in (-1, 1):
            site.add(street.crosswalk(p, t.way, z0 + s * (cross + 2), half))
            site.put(street.traffic_light(p), (side * (half + 0.5), t.kerb, z0 + s * (cross + 1)), pi if s < 0 else 0.0)
        row = [(x, z0 - s * cross / 2) for x, s in ((side * 12, 1), (side * 22, -1), (side * 35, 1))]
        for x, z in row[: int(p.rng.integers(0, 4))]:
            site.put(t.cars.draw(), (x, 0.15, z), pi / 2 * (1 if z < z0 else -1))
    flow = lanes_of(half, lanes, p.chance(0.3))
    town.traffic(t, flow, int(p.rng.integers(2, 7)), end=90)
    if p.chance(0.6):
        site.put(t.near_cars.draw(), (p.between(-4, 4), 0.13, z0 + p.between(-2, 2)), p.between(0, 6))
    town.walkers(t, int(p.rng.integers(1, 8)), end=z0 + 8)
    town.clutter(t, 6)
    town.lamps(t)
    return site.stage(weather(p, 0), site.cameras(driver(p, t.way, ahead(flow), 8), clear=3.5))


def tunnel(p: Palette) -> Stage:
    """In a tunnel or before its mouth: a vault, rows of lamps, walls of concrete or tiles."""
    half, site = p.between(3.6, 7.5), Site("driving", p)
    way = replace(winding(p, 30, 0.5), bend_length=p.between(120, 300))
    t = town.Town(site, p, way, half, p.between(0.8, 1.4))
    mouth = -p.between(10, 60) if p.chance(0.7) else p.between(12, 35)
    end = p.between(120, 400)
    height = country.beside(way, t.edge, p.seed(), 3.0, 5.0)
    country.verges(site, way, t.edge, p.grass(), height)
    town.carriageway(t, length=450, behind=80)
    town.markings(t, 2)
    z = np.arange(mouth, end, 4.0)
    w, high = t.edge, p.between(4.6, 6.5)
    if p.chance(0.5):
        a = np.linspace(0, pi, 15)
        across, up = w * 1.02 * np.cos(a), 0.1 + (high + 1) * np.sin(a) ** 0.7
    else:
        across, up = np.array([w, w, w - 0.6, -w + 0.6, -w, -w]), np.array([0, high - 0.6, high, high, high - 0.6, 0.0])
    lining = (
        p.paving() if p.chance(0.3) else replace(street.CONCRETE, seed=p.seed(), colour=p.near((0.3, 0.29, 0.27), 1.4))
    )
    site.add(way.ribbon(z, across, up, lining))
    front = way.at(mouth, np.array([across, across * 2.2]), np.array([up, up * 2.0 + 0.5]))
    site.add(grid(front, street.CONCRETE, smooth=False))
    glow = Palette.light((1.0, p.between(0.6, 0.95), p.between(0.3, 0.9)), 7.0)
    from training.worlds.parts.many import boxes

    at = np.arange(max(mouth, -20) + 2, min(end, 160), p.between(6, 14))
    rows = (0.0,) if p.chance(0.4) else (-w * 0.5, w * 0.5)
    for offset in rows:
        site.add(boxes(way.at(at, offset, high - 0.65 if len(up) == 15 else high - 0.12), [0.3, 0.1, 1.2], glow))
    for z0 in at[(at > -10) & (at < 90)][:10]:
        spot = way.at(z0, 0.0, high - 1.0)
        site.lamps.append(
            Lamp(
                (float(spot[0]), float(spot[1]), float(spot[2])), 0.4, tuple(c * p.between(7, 10) for c in glow.colour)
            )
        )
    lanes = lanes_of(half, 2, p.chance(0.3))
    town.traffic(t, lanes, int(p.rng.integers(1, 7)), heavy=0.2)
    f = 0.02
    return site.stage(weather(p, 0), site.cameras(driver(p, way, ahead(lanes), 6), clear=3.5), fill=(f, f, f))


def night_drive(p: Palette) -> Stage:
    """A lit street or motorway at night."""
    if p.chance(0.35):
        return motorway(p, dark=True)
    half, site = p.between(3, 7), Site("driving", p)
    t = town.Town(site, p, replace(winding(p, 6, 0), rise=0.0), half, p.between(1.6, 4), dark=True)
    town.ground(t)
    town.carriageway(t, wet=p.between(0.2, 0.7) if p.chance(0.4) else 0.0)
    town.markings(t, 2)
    for side in (1, -1):
        town.houses(t, side, tall=p.between(2, 6))
        town.parked(t, side, most=5)
    lanes = lanes_of(half - 2.2 if half > 5 else half, 2, p.chance(0.3))
    town.traffic(t, lanes, int(p.rng.integers(1, 6)))
    town.lamps(t, start=-10)
    town.walkers(t, int(p.rng.integers(0, 5)))
    town.clutter(t, 6)
    cameras = site.cameras(driver(p, t.way, ahead(lanes)), clear=3.5)
    headlights(site, cameras)
    return site.stage(night(p), cameras, fill=(0.006, 0.006, 0.007))


Scene = Callable[[Palette], Stage]
SCENES: dict[str, tuple[Scene, float]] = {
    "city_drive": (city_drive, 5.0),
    "suburb_drive": (suburb_drive, 2.5),
    "motorway": (motorway, 3.0),
    "country_road": (country_road, 3.5),
    "forest_road": (forest_road, 1.5),
    "mountain_road": (mountain_road, 1.2),
    "junction": (junction, 2.0),
    "tunnel": (tunnel, 0.8),
    "night_drive": (night_drive, 1.0),
}
