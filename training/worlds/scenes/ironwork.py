"""Steel in the open air: truss and cable bridges on foot, pylons, cranes, scaffolds, railings before a far view."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, bounds, box, grid, place
from training.worlds.palette import Palette
from training.worlds.parts import lattice, plants, street, transport, vehicles
from training.worlds.parts.buildings import block, building, high_rise
from training.worlds.parts.many import boxes, chain, rods
from training.worlds.parts.people import person
from training.worlds.parts.terrain import flat, land, meadowland, water
from training.worlds.scenes import country
from training.worlds.scenes.site import Site, Stock, daylight, lens, view
from training.worlds.stage import Camera, Stage


def shores(site: Site, p: Palette, deck: float, *, river: float) -> None:
    """Water under a bridge that runs along z at a height `deck`, land and houses or trees on both sides of it."""
    wet = p.chance(0.75)
    site.add(water(p) if wet else flat(p.grass()))
    near, far = (-river / 2, river / 2)
    bank = p.grass() if p.chance(0.5) else p.paving()
    y = deck - 0.25
    for s, edge in ((-1, near), (1, far)):
        slope = [
            (s * 5, -1.0),
            (s * (5 + 2 * deck), y),
            (s * (60 + 2 * deck), y + 0.4),
            (s * 900, y + p.between(0, 40)),
        ]
        z = edge + np.array([v[0] for v in slope])
        h = np.array([v[1] for v in slope])
        x = np.linspace(-900, 900, 19)
        points = np.stack(np.broadcast_arrays(x[None], h[:, None], z[:, None]), -1)
        site.add(grid(points, bank, uv=points[..., [0, 2]]))
    far_things: list[Thing] = [block(p, p.between(9, 16), 11, int(p.rng.integers(2, 9))) for _ in range(3)]
    far_things.append(high_rise(p))
    trees = [plants.tree(p, "far", p.between(6, 11)) for _ in range(2)]
    town = p.chance(0.6)
    for _ in range(26 if town else 12):
        s = p.one_of(-1, 1)
        at = (p.between(-160, 160), y, s * (river / 2 + 2 * deck + p.between(18, 160)))
        if abs(at[0]) < 14:
            continue
        thing = far_things[int(p.rng.integers(4))] if town else trees[int(p.rng.integers(2))]
        site.put(thing, at, p.one_of(0.0, pi / 2, pi), solid=True)
    for tree in trees:
        n = 10
        s = p.rng.choice([-1, 1], n)
        at = np.stack(
            [
                p.rng.choice([-1, 1], n) * p.rng.uniform(12, 120, n),
                0 * s + y,
                s * (river / 2 + 2 * deck + p.rng.uniform(8, 60, n)),
            ],
            1,
        )
        site.scatter(tree, at, p.rng.uniform(0, 6, n), p.rng.uniform(0.7, 1.2, n))
    country.hills_behind(site, p, int(p.rng.integers(0, 3)))


def _deck(site: Site, p: Palette, size: tuple[float, float, float], stuff: Material) -> None:
    """The road of a bridge along z with what is under it: girders and cross beams; size: width, length, height."""
    wide, long, y = size
    kind = str(p.one_of("road", "road", "planks", "rails"))
    top = {"road": p.asphalt, "planks": p.wood, "rails": p.soil}[kind]()
    site.add([box((wide, 0.25, long), top, (0, y - 0.25, 0))])
    x = np.linspace(-wide / 2 + 0.3, wide / 2 - 0.3, 4)
    site.add([boxes(np.stack([x, 0 * x + y - 0.95, 0 * x], 1), (0.25, 0.7, long), stuff)])
    z = np.arange(-long / 2, long / 2 + 0.1, p.between(2, 4))
    site.add([boxes(np.stack([0 * z, 0 * z + y - 0.75, z], 1), (wide, 0.5, 0.2), stuff)])
    if kind == "rails":
        tie = np.arange(-long / 2, long / 2, 0.65)
        site.add([boxes(np.stack([0 * tie, 0 * tie + y, tie], 1), (2.5, 0.12, 0.24), p.wood())])
        site.add([boxes([(s * 0.75, y + 0.12, 0) for s in (-1, 1)], (0.07, 0.15, long), p.metal())])
    elif kind == "road" and wide > 5:
        dash = np.arange(-long / 2, long / 2, 7)
        site.add(
            [boxes(np.stack([0 * dash, 0 * dash + y, dash], 1), (0.12, 0.012, 3), p.paint((0.7, 0.7, 0.68), 0.02))]
        )
        site.add([boxes([(s * (wide / 2 - 0.9), y, 0) for s in (-1, 1)], (1.6, 0.15, long), p.paving())])


def truss_bridge(p: Palette) -> Stage:
    """A bridge between trusses: inside it on foot, from below, from the bank."""
    site, b = Site("truss_bridge", p), p.between
    wide, bay, bays, deck, high = b(2.5, 9), b(3, 6), int(p.rng.integers(7, 15)), b(5, 11), b(3.5, 7.5)
    long, stuff = bay * bays, lattice.iron(p)
    shores(site, p, deck, river=long - 8)
    _deck(site, p, (wide, long + 60, deck), stuff)
    z = np.linspace(-long / 2, long / 2, bays + 1)
    shape = str(p.one_of("level", "level", "bow", "waves"))
    lift = {
        "level": 1 + 0 * z,
        "bow": 0.35 + 0.65 * (1 - (2 * z / long) ** 2),
        "waves": 0.7 + 0.3 * np.cos(4 * pi * z / long),
    }[shape]
    kind, thick = str(p.one_of("warren", "pratt", "cross", "cross")), b(0.18, 0.4)
    top_y = deck + high * lift
    for s in (-1, 1):
        x = 0 * z + s * (wide / 2 + 0.2)
        site.add(lattice.truss(np.stack([x, top_y, z], 1), np.stack([x, 0 * z + deck - 0.3, z], 1), kind, thick, stuff))
        path = np.stack([x * 0.96, 0 * z + deck, z], 1)
        site.add(lattice.railing(p, path[[0, -1]], 1.1))
    laced = p.chance(0.5)
    for k in range(bays + 1):
        if top_y[k] - deck > 3.4:
            a, c = (np.array([s * (wide / 2 + 0.2), top_y[k], z[k]]) for s in (-1, 1))
            site.add(
                lattice.girder(a, c, thick * 1.6, stuff, 0.14) if laced else [lattice.beams([a], [c], thick, stuff)]
            )
            if k < bays and top_y[k + 1] - deck > 3.4:
                d, e = (np.array([s * (wide / 2 + 0.2), top_y[k + 1], z[k + 1]]) for s in (-1, 1))
                site.add([lattice.beams([a, c], [e, d], thick * 0.5, stuff)])
            low = a * [0.75, 1, 1], c * [0.75, 1, 1]
            drop = np.array([0, thick * 4, 0])
            site.add([lattice.beams([a - drop, c - drop], list(low), thick * 0.5, stuff)])
    for end in (-1, 1):
        site.put([box((wide + 2, deck - 0.9, 3), p.masonry())], (0, 0, end * (long / 2 + 1)), solid=True)
        site.put([box((wide + 1, deck + 0.5, 2.2), p.masonry())], (0, -1.5, end * long * b(0.1, 0.2)), solid=True)
    _traffic(site, p, wide, long, deck)

    def propose() -> Camera:
        r = p.rng.random()
        if r < 0.55:
            eye = (b(-0.4, 0.4) * wide, deck + b(0.8, 1.8), b(-0.5, 0.5) * long)
            way = p.one_of(-1, 1)
            aim = (eye[0] + b(-0.3, 0.3) * wide, deck + b(0.8, 0.7 * high), eye[2] + way * b(6, 25))
            if p.chance(0.2):
                aim = (p.one_of(-1, 1) * wide * 2, deck + 1.4, eye[2] + b(-4, 4))
            return view(p, eye, aim, lens(p, 40, 100))
        if r < 0.8:
            eye = (b(-1.5, 1.5) * wide, b(0.8, deck * 0.5), b(-0.5, 0.5) * long)
            return view(
                p, eye, (b(-0.5, 0.5) * wide, deck + b(-0.5, 2), eye[2] + p.one_of(-1, 1) * b(5, 18)), lens(p, 45, 100)
            )
        eye = (p.one_of(-1, 1) * b(8, 35), b(1.0, deck + 2), b(-0.6, 0.6) * long)
        return view(p, eye, (0, deck + b(0, high * 0.6), b(-0.3, 0.3) * long), lens(p, 40, 90))

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=1.2))


def _traffic(site: Site, p: Palette, wide: float, long: float, deck: float) -> None:
    """People, cyclists, cars on a bridge."""
    stock = Stock(p, lambda q: person(q, detail="far", pose="walk"), 3)
    for _ in range(int(p.rng.integers(0, 6))):
        at = (p.between(-0.42, 0.42) * wide, deck + 0.02, p.between(-0.5, 0.5) * long)
        if wide > 6 and p.chance(0.4):
            site.put(vehicles.car(p), (p.one_of(-1, 1) * wide * 0.17, deck, at[2]), p.one_of(0.0, pi))
        else:
            site.put(stock.draw() if p.chance(0.8) else transport.bicycle(p), at, p.one_of(0.0, pi))


def cable_bridge(p: Palette) -> Stage:
    """A suspension or cable-stayed bridge: from its walkway, from below its towers, from the shore."""
    site, b = Site("cable_bridge", p), p.between
    wide, long, deck = b(3, 14), b(60, 160), b(7, 16)
    stuff = lattice.iron(p)
    shores(site, p, deck, river=long * 0.9)
    _deck(site, p, (wide, long + 60, deck), stuff)
    top = deck + long * b(0.12, 0.25)
    stayed, tower = p.chance(0.5), (p.paint((0.55, 0.54, 0.5), 0.02) if p.chance(0.5) else stuff)
    x0, tz, gap = wide / 2 + 0.3, long * 0.3, b(2.2, 5)
    for s in (-1, 1):
        for t in (-1, 1):
            site.put([box((b(0.8, 1.6), top + 1, b(0.9, 1.8)), tower)], (s * x0, -1, t * tz))
            hang = np.arange(gap, tz * 0.97, gap)
            tip = np.array([s * x0, top, t * tz])
            if stayed:
                ends = np.concatenate(
                    [np.stack([0 * hang + s * x0, 0 * hang + deck, t * tz + k * hang], 1) for k in (-1, 1)]
                )
                heads = tip - np.stack(
                    [0 * ends[:, 0], 0.35 * (top - deck) * (1 - np.abs(ends[:, 2] - t * tz) / tz), 0 * ends[:, 0]], 1
                )
                site.add([rods(heads, ends, 0.05, stuff, sides=5)])
        if not stayed:
            z = np.linspace(-long / 2, long / 2, 81)
            inner = np.abs(z) <= tz
            sag = np.where(
                inner,
                deck + 1.5 + (top - deck - 1.5) * (z / tz) ** 2,
                top - (np.abs(z) - tz) / (long / 2 - tz) * (top - deck),
            )
            line = np.stack([0 * z + s * x0, sag, z], 1)
            foot = line * [1, 0, 1] + [0, deck, 0]
            site.add([chain(line, 0.16, stuff, sides=6), rods(foot[2:-2:2], line[2:-2:2], 0.03, stuff, sides=4)])
        site.add(
            lattice.railing(
                p, np.array([(s * (wide / 2 - 0.1), deck, -long / 2), (s * (wide / 2 - 0.1), deck, long / 2)]), 1.15
            )
        )
    for t in (-1, 1):
        for y in (deck - 2, top - 1.5, (deck + top) / 2 + 2):
            site.add([box((2 * x0, 1.2, 0.9), tower, (0, y, t * tz))])
    _traffic(site, p, wide, long, deck)
    lamp, _ = street.lamp_post(p)
    site.scatter(lamp, [(-wide / 2 + 0.3, deck, v) for v in np.arange(-long / 2, long / 2, 18)], pi / 2)

    def propose() -> Camera:
        r = p.rng.random()
        if r < 0.65:
            eye = (b(-0.42, 0.42) * wide, deck + b(1.2, 1.8), b(-0.5, 0.5) * long)
            aim = (p.between(-0.5, 0.5) * wide, deck + b(0.5, 8), -np.sign(eye[2]) * b(0.1, 0.5) * long)
        else:
            eye = (p.one_of(-1, 1) * b(4, 30), b(1.0, deck), p.one_of(-1, 1) * b(0.2, 0.5) * long)
            aim = (0, deck + b(0, 6), -0.2 * eye[2])
        return view(p, eye, aim, lens(p, 40, 95))

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=1.2))


def pylons(p: Palette) -> Stage:
    """Pylons and their wires over land, from the foot of one, along the line, from afar."""
    site, b = Site("pylons", p), p.between
    rolling = meadowland(p.seed(), b(0, 2.0))
    site.ground = lambda x, z: float(rolling(x, z))
    site.add(land(rolling, p.grass() if p.chance(0.7) else p.soil(), reach=2500))
    one, hooks = lattice.pylon(p, lattice.iron(p))
    span, wire = b(55, 120), Material((0.05, 0.05, 0.05))
    z = np.arange(-1, 5) * span
    ground = rolling(0 * z, z)
    at = np.stack([0 * z, ground - 0.2, z], 1)
    site.scatter(one, at)
    t = np.linspace(0, 1, 13)
    for hook in hooks:
        for k in range(len(z) - 1):
            line = (at[k] + hook) * (1 - t[:, None]) + (at[k + 1] + hook) * t[:, None]
            line[:, 1] -= 4 * b(2.5, 3.0) * t * (1 - t)
            site.add([chain(line, 0.03, wire, sides=3)])

    def spots(n: int) -> np.ndarray:
        a, d = p.rng.uniform(0, 2 * pi, n), p.rng.uniform(18, 120, n)
        q = np.stack([np.sin(a) * d, 0 * a, np.cos(a) * d], 1)
        q[:, 1] = rolling(q[:, 0], q[:, 2]) - 0.1
        q[:, 0] += np.where(np.abs(q[:, 0]) < 8, 16, 0)
        return q

    country.woods(site, p, spots, 40, height=b(5, 10), look="far")
    country.meadow(site, p, lambda n: spots(n) * 0.15, 100, tall=b(0.1, 0.3))
    country.hills_behind(site, p, int(p.rng.integers(0, 3)))

    def propose() -> Camera:
        high = float(bounds(one)[1][1])
        x, zz = (b(-6, 6), b(-9, 9)) if p.chance(0.45) else (b(-45, 45), b(-60, 20))
        eye = (x, float(rolling(x, zz)) + b(0.8, 1.8), zz)
        aim = (b(-2, 2), b(0.3, 1.0) * high, b(0, 1) * span * p.one_of(0.05, 1.0))
        return view(p, eye, aim, lens(p, 35, 95), portrait=0.35)

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=0.8))


def building_site(p: Palette) -> Stage:
    """A house behind a scaffold, cranes above it, fences, materials; from the street and from the scaffold's boards."""
    site, b = Site("building_site", p), p.between
    site.add(flat(p.soil() if p.chance(0.5) else p.asphalt()))
    wide, storeys = b(10, 22), int(p.rng.integers(3, 7))
    shell = building(p, wide, 10, storeys)
    site.put(shell, (0, 0, 0), slack=0.5)
    levels = max(2, int(bounds(shell)[1][1] / 2.1))
    site.add(place(lattice.scaffold(p, wide * 0.98, levels), (0, 0, b(1.3, 1.6))))
    for _ in range(int(p.rng.integers(0, 3))):
        site.put(
            lattice.crane(p, p.paint((0.6, 0.45, 0.05)) if p.chance(0.6) else lattice.iron(p)),
            (b(-35, 35), 0, -b(14, 60)),
            b(0, 6),
            solid=False,
        )
    if p.chance(0.6):  # a frame of columns and slabs that grows beside it
        x, y = wide / 2 + b(3, 6), np.arange(int(p.rng.integers(2, 6)))
        grey = p.paint((0.42, 0.41, 0.39), 0.02)
        side = np.array([(i * 5.0, k * 3.2, -j * 5.0) for i in range(4) for j in range(3) for k in y])
        site.put(
            [
                boxes(side, (0.4, 3.2, 0.4), grey),
                boxes([(7.5, 3.2 * (k + 1) - 0.1, -5) for k in y], (16, 0.25, 11.5), grey),
            ],
            (x, 0, -1),
        )
    path = np.array([(-wide, 0, 7.0), (wide * 1.4, 0, b(6, 9))])
    site.add(lattice.railing(p, path, b(1.1, 2.0)))
    heap = [p.wood(), p.paint(), lattice.iron(p)]
    for _ in range(int(p.rng.integers(3, 9))):
        m = heap[int(p.rng.integers(3))]
        rows = [(b(-0.3, 0.3), 0.12 * k, b(-0.3, 0.3)) for k in range(int(p.rng.integers(1, 7)))]
        site.put([boxes(rows, (b(0.5, 3), 0.11, b(0.3, 1)), m)], (b(-wide, wide), 0, b(2.6, 6)), b(0, 3))
    for _ in range(int(p.rng.integers(0, 5))):
        thing = person(p, detail="far") if p.chance(0.6) else street.street_thing(p)
        site.put(thing, (b(-wide, wide), 0, b(3, 12)), b(0, 6))
    for _ in range(14):
        site.put(
            block(p, b(10, 18), 10, int(p.rng.integers(2, 7))), (b(-70, 70), 0, p.one_of(-1, 1) * b(30, 70)), b(0, 3)
        )

    def propose() -> Camera:
        if p.chance(0.3):
            level = int(p.rng.integers(1, levels)) * 2.0
            eye = (b(-0.4, 0.4) * wide, level + 1.6, b(1.0, 1.4))
            s = p.one_of(-1, 1)
            return view(p, eye, (eye[0] + s * b(4, 8), eye[1] + b(-2, 1), eye[2] + b(-0.4, 3)), lens(p, 50, 100))
        eye = (b(-0.8, 0.8) * wide, b(0.6, 1.8), b(3.0, 15))
        return view(p, eye, (b(-0.5, 0.5) * wide, b(1, levels * 1.8), 0.0), lens(p, 40, 95), portrait=0.3)

    return site.stage(daylight(p), site.cameras(propose, clear=0.5))


def lookout(p: Palette) -> Stage:
    """A railing or fence close before the camera, and behind it what lies far below: a town, a lake, hills."""
    site, b = Site("lookout", p), p.between
    drop = b(6, 60)
    foot, stuff = p.between(2.0, 6.0), p.paving() if p.chance(0.6) else p.wood()
    site.add(
        [box((60, drop, 30), p.masonry(), (0, -drop, -15 + foot)), box((60, 0.02, 30), stuff, (0, 0.0, -15 + foot))]
    )
    rolling = meadowland(p.seed(), b(1, 6))
    site.add(land(lambda x, z: rolling(x, z) - drop, p.grass(), reach=4000))
    if p.chance(0.3):
        site.add(water(p, level=-drop + 0.5))
    bend, x = (b(-0.02, -0.006) if p.chance(0.5) else 0.0), np.linspace(-16, 16, 25)
    path = np.stack([x, 0 * x, foot - 0.3 + bend * x**2], 1)
    site.add(lattice.railing(p, path if bend else path[[0, -1]], b(0.95, 1.3) if p.chance(0.75) else b(1.6, 2.4)))
    country.hills_behind(site, p, int(p.rng.integers(1, 4)))
    far: list[Thing] = [block(p, b(10, 16), 11, int(p.rng.integers(2, 8))) for _ in range(4)]
    far += [high_rise(p)] if p.chance(0.5) else []
    town = p.chance(0.65)
    for _ in range(34 if town else 6):
        d, a = b(25, 380) + drop, b(-0.9, 0.9)
        at = np.array([np.sin(a) * d, -drop, foot + np.cos(a) * d])
        at[1] += float(rolling(at[0], at[2]))
        site.put(far[int(p.rng.integers(len(far)))], at, b(0, 3))
    for _ in range(2):
        d, a = p.rng.uniform(10, 260, 24), p.rng.uniform(-1.1, 1.1, 24)
        xx, zz = np.sin(a) * d, foot + 2 + np.cos(a) * d
        at = np.stack([xx, rolling(xx, zz) - drop, zz], 1)
        site.scatter(plants.tree(p, "far", b(6, 10)), at, p.rng.uniform(0, 6, 24), p.rng.uniform(0.6, 1.2, 24))
    for _ in range(int(p.rng.integers(0, 4))):
        thing = person(p, pose="stand") if p.chance(0.7) else street.bench(p)
        site.put(thing, (b(-4, 4), 0.02, foot - b(0.9, 1.4)), b(-0.6, 0.6) if p.chance(0.7) else pi)

    def propose() -> Camera:
        across = b(-6, 6)
        eye = (across, b(0.5, 1.9), foot - 0.3 + bend * across**2 - b(0.4, 2.7))
        if p.chance(0.3):
            return view(p, eye, (eye[0] + p.one_of(-1, 1) * b(3, 8), b(0.3, 1.0), foot + b(0, 2)), lens(p, 35, 90))
        return view(p, eye, (eye[0] + b(-4, 4), b(-0.5, 1.2) - 0.1 * drop * b(0, 1), foot + 10), lens(p, 35, 90))

    return site.stage(daylight(p, open_=True), site.cameras(propose, clear=0.3))


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "truss_bridge": (truss_bridge, 1.2),
    "cable_bridge": (cable_bridge, 0.6),
    "pylons": (pylons, 0.5),
    "building_site": (building_site, 0.6),
    "lookout": (lookout, 0.7),
}
"""Scenes of steel by name: maker and weight."""
