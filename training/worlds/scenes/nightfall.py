"""The dark out of doors: a lit town seen from a hill, trails of light on a road, cars in the last light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, ellipsoid
from training.worlds.palette import Palette
from training.worlds.parts import lattice, plants, street, vehicles
from training.worlds.parts.many import chain
from training.worlds.parts.people import person
from training.worlds.parts.terrain import Way, flat, land, meadowland, stations, water
from training.worlds.scenes import country
from training.worlds.scenes.afterdark import WHITE, dimmed, dusk, lit_town, scaled
from training.worlds.scenes.site import Site, gaze, lens, view
from training.worlds.stage import Camera, Lamp, Stage


def dark_city(p: Palette) -> Stage:
    """A town by night from a hill: lit windows and lamps below, out to the horizon, something dark near by."""
    site, b = Site("dark_city", p), p.between
    drop, reach = b(12, 90), b(500, 2500)
    rolling = meadowland(p.seed(), b(0.5, 4))
    edge = b(4, 12)

    def ground(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        return rolling(x, z) * 0.5 - drop * np.clip((z - edge) / (2.2 * drop), 0, 1)

    site.ground = lambda x, z: float(ground(np.float64(x), np.float64(z)))
    site.add(land(ground, p.grass() if p.chance(0.6) else p.rock(), reach=6000))
    lake = p.chance(0.35)
    if lake:
        site.add(water(p, level=-drop + b(-1, 1.5)))

    def spots(n: int) -> np.ndarray:
        d, a = edge + 2.6 * drop + 15 + (reach - drop) * p.rng.random(n) ** 1.7, p.rng.normal(0, 0.55, n)
        x, z = d * np.sin(a), d * np.cos(a)
        return np.stack([x, ground(x, z) - 0.3, z], 1)

    lit_town(site, p, spots, int(p.rng.integers(60, 200)), b(2, 7))
    country.hills_behind(site, p, int(p.rng.integers(0, 3)))
    _near_things(site, p, edge)
    sky = dusk(p, float(np.exp(b(np.log(0.02), np.log(0.2)))))
    g = float(max(sky.horizon)) * 0.3
    level = np.array([1.0, 0.7, 0.4]) * b(40, 200)
    for at in spots(10):
        site.lamps.append(Lamp((float(at[0]), float(at[1]) + 12, float(at[2])), 0.5, tuple(float(v) for v in level)))  # type: ignore[arg-type]

    def propose() -> Camera:
        z = b(-6, edge - 1)
        eye = (b(-4, 4), float(ground(np.float64(0), np.float64(z))) + b(0.9, 2.2), z)
        return gaze(p, eye, p.rng.normal() * 0.35, -0.35 * drop / (drop + 60) + p.rng.normal() * 0.06, lens(p, 30, 85))

    return dimmed(site.stage(sky, site.cameras(propose, clear=0.3), fill=(g, g, g)), WHITE * b(1.2, 3.0))


def _near_things(site: Site, p: Palette, edge: float) -> None:
    """What stands dark against the lights: bushes, a railing, a bench, people, a tree."""
    for _ in range(int(p.rng.integers(1, 5))):
        thing: Thing = p.one_of(plants.bush, plants.bush, plants.tree, street.bench)(p)
        site.put(thing, (p.between(-6, 6), -0.2, p.between(0.5, edge + 4)), p.between(0, 6))
    if p.chance(0.5):
        x = np.array([(-14, 0, edge - 0.4), (14, 0, edge - 0.4)])
        site.add(lattice.railing(p, x, p.between(0.9, 1.2)))
    for _ in range(int(p.rng.integers(0, 3))):
        site.put(
            person(p, pose="stand", detail="far"), (p.between(-3, 3), 0, edge - p.between(0.9, 2)), p.rng.normal() * 0.6
        )


def light_trails(p: Palette) -> Stage:
    """A road at night photographed for seconds: cars are red and white lines; from a bridge, from the kerb."""
    site, b = Site("light_trails", p), p.between
    way = Way(bend=p.rng.normal() * 14, bend_length=b(50, 120), phase=b(0, 6))
    lanes, wide = int(p.rng.integers(1, 4)), b(3.0, 3.6)
    half = lanes * wide + 0.6
    site.add(flat(p.grass() if p.chance(0.5) else p.paving()))
    z = stations(2.0, 260, 60, 50)
    road = replace(p.asphalt(), shine=b(0.05, 0.4), gloss=b(0.5, 0.9))
    site.add(way.ribbon(z, np.array([-half, 0, half]), np.array([0.02, 0.06, 0.02]), road))
    for lane in range(1 - lanes, lanes):
        site.add(street.marking(p, way, lane * wide, dash=0.0 if lane == 0 else 3.0, gap=6.0))
    long = np.linspace(-50, 240, 90)
    for s in (-1, 1):
        tint = (1.0, 0.08, 0.04) if s > 0 else (1.0, 0.9, 0.72)
        for _ in range(int(p.rng.integers(3, 10))):
            lane = s * wide * (0.5 + int(p.rng.integers(lanes))) + 0.25 * p.rng.normal()
            y, thick, stuff = b(0.5, 1.0), b(0.02, 0.06), p.light(tint, b(0.8, 5.0))
            for side in (-0.65, 0.65):
                site.add([chain(way.at(long, lane + side, y), thick, stuff, sides=3)])
    site.add(street.guard_rail(p, way, np.linspace(-40, 200, 60), half + 0.6))
    warm = (1.0, b(0.55, 0.9), b(0.2, 0.8))
    post, head = street.lamp_post(p, lit=True)
    for at_z in np.arange(-10, 150, b(22, 38)):
        s = p.one_of(-1, 1)
        at, yaw = way.at(float(at_z), s * (half + 1.5)), float(way.yaw(float(at_z))) + (pi / 2 if s < 0 else -pi / 2)
        site.put(post, at, yaw)
        c, sn = np.cos(yaw), np.sin(yaw)
        spot = at + np.array([c * head[0] + sn * head[2], head[1] - 0.2, -sn * head[0] + c * head[2]])
        site.lamps.append(Lamp(tuple(float(v) for v in spot), 0.2, scaled(warm, b(3, 14))))  # type: ignore[arg-type]

    def spots(n: int) -> np.ndarray:
        at_z, side = p.rng.uniform(-30, 300, n), p.rng.choice([-1, 1], n)
        return way.at(at_z, side * (half + p.rng.uniform(16, 70, n)))

    lit_town(site, p, spots, int(p.rng.integers(12, 60)), b(2, 8))
    tree = plants.tree(p, "far", b(5, 9))
    at = way.at(p.rng.uniform(-20, 150, 14), p.rng.choice([-1, 1], 14) * (half + b(4, 9)))
    site.scatter(tree, at, p.rng.uniform(0, 6, 14), p.rng.uniform(0.7, 1.2, 14), solid=0.6)
    sky, high = dusk(p), p.chance(0.5)
    g = float(max(sky.horizon)) * 0.1

    def propose() -> Camera:
        side, zz = p.one_of(-1, 1), b(-8, 15)
        eye = way.at(zz, side * (half + b(1.2, 3)), b(0.5, 2.0)) if not high else way.at(zz, b(-1, 1) * half, b(5.5, 9))
        yaw = float(way.yaw(zz)) + p.rng.normal() * 0.25 - (0 if high else side * b(0, 0.4))
        return gaze(p, eye, yaw, -b(0.08, 0.35) if high else p.rng.normal() * 0.06, lens(p, 35, 90))

    return dimmed(site.stage(sky, site.cameras(propose, clear=0.6), fill=(g, g, g)), WHITE * b(0.7, 1.6))


def dim_cars(p: Palette) -> Stage:
    """Dark and small cars in the middle distance, at dusk, under lamps, in rain-dark light: parked and on a road."""
    site, b = Site("dim_cars", p), p.between
    site.add(flat(p.one_of(p.asphalt, p.asphalt, p.soil, p.grass)()))
    deep = [
        Material(p.near(c, 1.3), p.near(c), shine=b(0.1, 0.4), gloss=0.9, seed=p.seed())
        for c in (
            (0.012, 0.012, 0.014),
            (0.03, 0.035, 0.045),
            (0.05, 0.012, 0.012),
            (0.015, 0.025, 0.05),
            (0.1, 0.1, 0.1),
        )
    ]
    cars = [
        vehicles.car(p, "near" if k < 2 else "far", paint=p.one_of(*deep) if p.chance(0.75) else None) for k in range(5)
    ]
    rows = p.chance(0.5)
    for k in range(int(p.rng.integers(4, 16))):
        if rows:
            at, yaw = ((k % 6 - 2.5) * 2.8 + 0.2 * p.rng.normal(), 0.0, 8 + (k // 6) * 9), p.one_of(0.0, pi)
        else:
            at, yaw = (b(-16, 16), 0.0, b(5, 60)), p.one_of(0.0, pi, pi / 2) + 0.2 * p.rng.normal()
        site.put(p.one_of(*cars), at, yaw + 0.05 * p.rng.normal())
    if p.chance(0.5):  # lamps of one that comes nearer
        x = b(-4, 4)
        white = p.light((1.0, 0.95, 0.85), b(3, 8))
        site.add([ellipsoid((0.09, 0.09, 0.04), white, sides=8, at=(x + s * 0.65, 0.7, 4.6)) for s in (-1, 1)])
        site.put(cars[0], (x, 0, 7.0), pi)
    post, head = street.lamp_post(p, lit=True)
    for at in ((b(-12, -5), 0.0, b(5, 15)), (b(5, 12), 0.0, b(10, 30))):
        if p.chance(0.6):
            site.put(post, at, 0.0)
            warm = (1.0, b(0.55, 0.95), b(0.25, 0.95))
            site.lamps.append(Lamp((at[0] + head[0], head[1] - 0.2, at[2] + head[2]), 0.2, scaled(warm, b(4, 16))))

    def spots(n: int) -> np.ndarray:
        return np.stack([p.rng.normal(0, 45, n), np.zeros(n), p.rng.uniform(72, 190, n)], 1)

    if p.chance(0.6):
        lit_town(site, p, spots, int(p.rng.integers(6, 40)), b(2, 5))
    else:
        country.hills_behind(site, p, 1)
    tree = plants.tree(p, "far", b(5, 10))
    site.scatter(tree, spots(14) * [0.7, 1, 0.9], p.rng.uniform(0, 6, 14), p.rng.uniform(0.7, 1.2, 14))
    for _ in range(int(p.rng.integers(0, 4))):
        site.put(person(p, detail="far"), (b(-8, 8), 0, b(4, 30)), b(0, 6))
    sky = dusk(p, float(np.exp(b(np.log(0.03), np.log(0.35)))))
    g = 0.08 * float(max(sky.horizon))

    def propose() -> Camera:
        eye = (b(-8, 8), b(0.8, 2.2) if p.chance(0.8) else b(3, 7), b(-14, 1))
        return view(p, eye, (b(-6, 6), b(0.2, 1.4), b(8, 30)), lens(p, 22, 75))

    return dimmed(site.stage(sky, site.cameras(propose, clear=2.0), fill=(g, g, g)), WHITE * b(0.9, 2.0))


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "dark_city": (dark_city, 0.8),
    "light_trails": (light_trails, 0.6),
    "dim_cars": (dim_cars, 0.9),
}
"""Scenes of the dark by name: maker and weight."""
