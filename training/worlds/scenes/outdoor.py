"""Out of doors where people live: streets, squares, gardens, parks, villages, harbours, monuments, cars portrayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, place
from training.worlds.palette import Palette
from training.worlds.parts import monuments, plants, street, transport, vehicles
from training.worlds.parts.buildings import building, house
from training.worlds.parts.facades import style
from training.worlds.parts.many import boxes
from training.worlds.parts.people import person
from training.worlds.parts.terrain import Way, flat, land, meadowland, patches
from training.worlds.scenes import country, ironwork, nightfall, places, spectacle, town
from training.worlds.scenes.site import Site, Stock, daylight, gaze, lens, night, view
from training.worlds.stage import Camera, Sky, Stage


def walking(
    p: Palette, way: Way, half: float, *, start: float = -6, end: float = 25, up: float = 0.0
) -> Callable[[], Camera]:
    """Cameras of somebody on foot on or beside a way, now and then at a window above it."""
    high = p.chance(0.15)

    def propose() -> Camera:
        z, offset = p.between(start, end), p.between(-1, 1) * half
        eye = way.at(z, offset, up + (p.between(3.5, 11) if high else float(np.clip(p.rng.normal(1.5, 0.3), 0.3, 2.6))))
        r = p.rng.random()
        yaw = float(way.yaw(z)) + (
            float(p.rng.normal()) * 0.3
            if r < 0.6
            else p.between(-1.4, 1.4)
            if r < 0.85
            else pi + float(p.rng.normal()) * 0.3
        )
        pitch = float(p.rng.normal()) * 0.07 - (p.between(0.05, 0.5) if high else 0)
        return gaze(p, eye, yaw, pitch, lens(p, 28, 92))

    return propose


def _street(p: Palette, *, dark: bool = False, sky: Sky | None = None) -> Stage:
    """A street between houses: parked and driving cars, people, trees, signs."""
    site = Site("night_street" if dark else "street", p)
    park = p.chance(0.75)
    half = p.between(2.2, 4.2) + (2.1 if park else 0)
    t = town.Town(
        site,
        p,
        replace(Way(), bend=float(p.rng.normal()) * 5, bend_length=p.between(60, 140), phase=p.between(0, 6)),
        half,
        p.between(1.4, 5),
        dark=dark,
    )
    town.ground(t)
    town.carriageway(t, length=200, wet=p.between(0.2, 0.6) if p.chance(0.15) else 0.0)
    if p.chance(0.7):
        town.markings(t, 2)
    tall = p.between(2, 6)
    for side in (1, -1):
        if p.chance(0.88):
            town.houses(t, side, tall=tall, gap=p.between(0.02, 0.25), end=150)
        else:
            town.gardens(t, side, end=120)
        if park:
            town.parked(t, side, share=p.between(0.4, 0.95), most=6)
    inner = half - (2.1 if park else 0)
    town.traffic(t, [(-inner / 2, 1), (inner / 2, -1)], int(p.rng.integers(0, 5)))
    town.walkers(t, int(p.rng.integers(1, 12)), end=40)
    if p.chance(0.55):
        town.avenue(t, share=p.between(0.3, 1))
    town.lamps(t, start=-8)
    town.clutter(t, int(p.rng.integers(5, 14)))
    if p.chance(0.3):
        town.overhead(t)
    if p.chance(0.2):
        site.add(street.crosswalk(p, t.way, p.between(4, 20), half))
    f = 0.006 if dark else 0.0
    cameras = site.cameras(walking(p, t.way, t.edge - 0.4, up=t.kerb), clear=1.5)
    return site.stage(sky or (night(p) if dark else daylight(p)), cameras, fill=(f, f, f))


def street_(p: Palette) -> Stage:
    """A street by day."""
    return _street(p)


def night_street(p: Palette) -> Stage:
    """A street by lamplight."""
    return _street(p, dark=True)


def alley(p: Palette) -> Stage:
    """A narrow lane between walls: doors, steps, pots, washing, arches."""
    site = Site("alley", p)
    way = Way(bend=float(p.rng.normal()) * 2.5, bend_length=p.between(15, 40), phase=p.between(0, 6))
    t = town.Town(site, p, way, p.between(1.0, 2.2), 0.0, dark=p.chance(0.15))
    town.carriageway(t, length=80, behind=30, road=p.paving() if p.chance(0.7) else p.asphalt())
    town.ground(t)
    for side in (1, -1):
        town.houses(t, side, start=-20, end=60, tall=p.between(1.6, 5), gap=0.03)
    pots = Stock(p, lambda q: plants.bush(q, "near", q.between(0.3, 0.9)), 2)
    for _ in range(int(p.rng.integers(2, 12))):
        side, z = (1 if p.chance(0.5) else -1), p.between(1, 25)
        at = way.at(z, side * (t.half - 0.3))
        if p.chance(0.4):
            site.put(
                [
                    boxes([[0, 0, 0]], [0.45, 0.4, 0.45], p.paint((0.35, 0.14, 0.07), 0.03)),
                    *place(pots.draw(), at=(0, 0.36, 0)),
                ],
                at,
            )
        else:
            site.put(
                street.street_thing(p) if p.chance(0.5) else transport.bicycle(p),
                at,
                float(way.yaw(z)) + (0 if p.chance(0.5) else -side * pi / 2),
            )
    for _ in range(int(p.rng.integers(0, 3))):
        z = p.between(6, 30)
        arch = monuments.arcade(
            2 * t.half + 1.5, p.between(2.4, 3.6), p.between(4, 7), p.between(0.8, 4), 1, p.masonry()
        )
        site.put(arch, way.at(z), float(way.yaw(z)), solid=False)
    if p.chance(0.5):
        town.overhead(t)
    town.walkers(t, int(p.rng.integers(0, 4)), end=25)
    town.lamps(t, start=2, end=40)
    sky = night(p) if t.dark else daylight(p)
    return site.stage(sky, site.cameras(walking(p, way, t.half * 0.6, start=-2, end=8), clear=0.7))


def square(p: Palette) -> Stage:
    """A town square: houses around, a monument or fountain, people, stalls, trees."""
    site, size = Site("square", p), p.between(16, 38)
    site.add(flat(p.paving()))
    t = town.Town(site, p, Way(), 2.0, 2.0)
    for k in range(4):
        if p.chance(0.85):
            made = [
                (building(p, w, 11, max(1, round(p.spread(3.4, 1.3))), near=i < 2), w)
                for i, w in enumerate((p.between(8, 16), p.between(8, 18)))
            ]
            x = -size
            while x < size:
                thing, w = made[int(p.rng.integers(2))]
                turn = k * pi / 2
                at = np.array([x + w / 2, 0, -size - 2])
                site.put(
                    thing,
                    (at[0] * np.cos(turn) + at[2] * np.sin(turn), 0, -at[0] * np.sin(turn) + at[2] * np.cos(turn)),
                    turn,
                )
                x += w + (p.between(3, 8) if p.chance(0.2) else 0)
    if p.chance(0.35):
        site.put(monuments.church(p), (p.between(-8, 8), 0, -size - 30))
    middle = (monuments.fountain, monuments.obelisk, places.statue)[int(p.rng.integers(3))](p)
    site.put(middle, (p.between(-4, 4), 0, p.between(-4, 4)), p.between(0, 6))

    def spots(n: int) -> np.ndarray:
        return np.stack([p.rng.uniform(-size, size, n) * 0.85, np.zeros(n), p.rng.uniform(-size, size, n) * 0.85], 1)

    for at in spots(int(p.rng.integers(3, 16))):
        site.put(t.people.draw(), at, p.between(0, 6))
    for at in spots(int(p.rng.integers(2, 10))):
        site.put(street.bench(p) if p.chance(0.4) else street.street_thing(p), at, p.between(0, 6))
    for at in spots(int(p.rng.integers(0, 6))):
        site.put(stall(p), at, p.between(0, 6))
    for at in spots(int(p.rng.integers(0, 8))):
        site.put(t.trees.draw(), at, p.between(0, 6), solid=False)
    for at in spots(int(p.rng.integers(0, 4))):
        site.put(t.cars.draw(), at, p.between(0, 6))

    def propose() -> Camera:
        eye = spots(1)[0] + [
            0,
            float(np.clip(p.rng.normal(1.55, 0.2), 0.4, 2.2)) + (p.between(4, 14) if p.chance(0.1) else 0),
            0,
        ]
        return view(p, eye, spots(1)[0] * 0.35 + [0, p.between(0.5, 4), 0], lens(p, 30, 95))

    return site.stage(daylight(p), site.cameras(propose, clear=2.0))


def stall(p: Palette) -> Thing:
    """A market stall or a parasol with a table."""
    cloth, iron = p.fabric(p.hue(0.8, 0.4)), street.steel(p)
    w, d = p.between(1.6, 3), p.between(1.2, 2)
    posts = [[x * w / 2, 0, z * d / 2] for x in (1, -1) for z in (1, -1)]
    goods = boxes(
        np.stack([p.rng.uniform(-0.45, 0.45, 12) * w, np.full(12, 0.9), p.rng.uniform(-0.4, 0.4, 12) * d], 1),
        p.rng.uniform(0.1, 0.35, (12, 3)),
        p.printed(),
    )
    from training.worlds.parts.facades import gable_roof

    top = gable_roof(p, replace(style(p), roof=cloth, wall=cloth, trim=cloth), w, d, 2.15)[:4]
    return [boxes(posts, [0.05, 2.2, 0.05], iron), boxes([[0, 0, 0]], [w, 0.9, d], cloth), goods, *top]


def suburb(p: Palette) -> Stage:
    """Houses with gardens, seen on foot."""
    site = Site("suburb", p)
    t = town.Town(
        site,
        p,
        Way(bend=float(p.rng.normal()) * 8, bend_length=90),
        p.between(2.8, 4),
        float(p.rng.choice([0.0, 1.5, 2.5])),
    )
    town.ground(t, p.grass())
    town.carriageway(t, length=160)
    for side in (1, -1):
        town.gardens(t, side, end=130)
    if p.chance(0.6):
        town.parked(t, 1, share=0.4, most=4)
    town.walkers(t, int(p.rng.integers(0, 4)))
    town.clutter(t, 4)
    town.overhead(t) if p.chance(0.5) else town.lamps(t)
    return site.stage(daylight(p), site.cameras(walking(p, t.way, t.edge + 2), clear=1.5))


def garden(p: Palette) -> Stage:
    """A garden behind a house: lawn, beds, paths, hedges, furniture, people."""
    site, size = Site("garden", p), p.between(6, 14)
    site.add(flat(p.grass()))
    site.put(house(p), (p.between(-3, 3), 0, -size - 5), 0.0)
    path = p.paving()
    site.add([boxes([[0, -0.19, -size / 2]], [p.between(1, 3), 0.2, size], path)])
    for k in range(3):
        turn = (k - 1) * pi / 2
        at = (np.sin(turn) * size, 0, np.cos(turn) * size)
        edge = (
            plants.hedge(p, 2 * size, p.between(1, 2.4))
            if p.chance(0.5)
            else monuments.wall_ruled(p, 2 * size, p.between(1, 2.2))
            if p.chance(0.4)
            else street.fence(p, Way(), np.linspace(-size, size, 12), 0.0)
        )
        fenced = bounds(edge)[1][2] > size * 0.9
        site.put(edge, at, turn + (pi / 2 if fenced else 0))

    def spots(n: int, reach: float = 0.85) -> np.ndarray:
        return np.stack([p.rng.uniform(-size, size, n) * reach, np.zeros(n), p.rng.uniform(-size, size, n) * reach], 1)

    for k in range(3):
        n = int(p.rng.integers(2, 6))
        thing = (plants.bush, plants.leaf_plant, plants.bush)[k](p, "near") if k != 1 else plants.leaf_plant(p)
        site.scatter(thing, spots(n), p.rng.uniform(0, 6, n), p.rng.uniform(0.6, 1.3, n), solid=0.4)
    for _ in range(3):
        n, middle = int(p.rng.integers(8, 24)), spots(1)
        site.scatter(
            plants.flower(p),
            middle + p.rng.normal(size=(n, 3)) * [0.9, 0, 0.5],
            p.rng.uniform(0, 6, n),
            p.rng.uniform(0.7, 1.3, n),
        )
    for at in spots(int(p.rng.integers(1, 4))):
        site.put(plants.tree(p, "near", p.between(2.5, 7)), at, p.between(0, 6), solid=False)
    for at in spots(int(p.rng.integers(1, 5))):
        site.put((street.bench, street.bin_, transport.bicycle, stall)[int(p.rng.integers(4))](p), at, p.between(0, 6))
    for at in spots(int(p.rng.integers(0, 4))):
        site.put(person(p, detail="near"), at, p.between(0, 6))
    country.meadow(site, p, lambda n: spots(n, 1.0), 150, tall=p.between(0.06, 0.2), flowers=False)

    def propose() -> Camera:
        eye = spots(1)[0] + [0, p.between(0.4, 1.8), 0]
        return view(p, eye, spots(1, 0.6)[0] + [0, p.between(0, 2), 0], lens(p, 28, 85))

    return site.stage(daylight(p), site.cameras(propose, clear=1.2))


def park(p: Palette) -> Stage:
    """Lawns, trees, a path, benches, people."""
    site = Site("park", p)
    rolling = meadowland(p.seed(), p.between(0, 1.2))
    site.ground = lambda x, z: float(rolling(x, z))
    site.add(land(rolling, p.grass(), reach=2500))
    way = Way(bend=float(p.rng.normal()) * 8, bend_length=p.between(20, 60), phase=p.between(0, 6))
    z = np.linspace(-40, 90, 50)
    half = p.between(0.8, 2.5)
    a = np.array([-half, 0, half])
    where = way.at(z[:, None], a[None])
    site.add(way.ribbon(z, a, rolling(where[..., 0], where[..., 2]) + 0.03, p.soil() if p.chance(0.6) else p.paving()))

    def spots(n: int, near: float = 4, far: float = 70) -> np.ndarray:
        b, d = p.rng.uniform(0, 2 * pi, n), near + (far - near) * p.rng.random(n) ** 1.3
        x, zz = np.sin(b) * d, np.cos(b) * d
        return np.stack([x, rolling(x, zz) - 0.05, zz], 1)

    country.woods(site, p, lambda n: spots(n, 6, 25), 8, height=p.between(6, 12), kinds=2, look="near")
    country.woods(site, p, lambda n: spots(n, 15, 130), 60, height=p.between(7, 14), look="mass")
    for at in spots(10, 3, 35):
        site.put(plants.bush(p) if p.chance(0.5) else street.bench(p), at, p.between(0, 6), solid=True)
    people = Stock(p, lambda q: person(q, detail="far"), 3)
    for at in spots(int(p.rng.integers(0, 9)), 3, 40):
        site.put(people.draw(), (at + np.array([0, 0.05, 0])), p.between(0, 6))
    if p.chance(0.3):
        site.put((monuments.fountain, places.statue, monuments.obelisk)[int(p.rng.integers(3))](p), spots(1, 8, 20)[0])
    country.meadow(site, p, lambda n: spots(n, 0.5, 12), 120, tall=p.between(0.08, 0.25))

    def propose() -> Camera:
        eye = spots(1, 0, 9)[0] + [0, float(np.clip(p.rng.normal(1.5, 0.3), 0.3, 2)), 0]
        return gaze(p, eye, p.between(0, 2 * pi), float(p.rng.normal()) * 0.07, lens(p, 28, 90))

    return site.stage(daylight(p), site.cameras(propose, clear=1.5))


def car_portrait(p: Palette) -> Stage:
    """One or a few cars from all sides, in a street, a field, a hall."""
    site = Site("car_portrait", p)
    r = p.rng.random()
    ground = p.asphalt() if r < 0.45 else p.grass() if r < 0.65 else p.soil() if r < 0.75 else p.paving()
    site.add(flat(ground))
    n = 1 if p.chance(0.55) else int(p.rng.integers(2, 5))
    gap, slant = p.between(2.5, 3.4), p.between(0, 6)
    for i in range(n):
        r2 = p.rng.random()
        thing = (
            transport.motorcycle(p)
            if r2 < 0.06
            else transport.transport(p)
            if r2 < 0.12
            else vehicles.car(p, "near" if i < 3 else "far")
        )
        site.put(
            thing,
            (i * gap, 0, p.between(-0.4, 0.4)),
            slant if n == 1 else float(p.rng.normal()) * 0.06 + (pi if p.chance(0.4) else 0),
        )
    t = town.Town(site, p, Way(), 6, 2)
    if p.chance(0.8):
        for _ in range(int(p.rng.integers(1, 5))):
            turn = p.between(0, 2 * pi)
            d = p.between(8, 30)
            thing = building(p, p.between(9, 26), 10, int(p.rng.integers(1, 5))) if p.chance(0.7) else house(p)
            site.put(thing, (-np.sin(turn) * d, 0, -np.cos(turn) * d), turn)
    for _ in range(int(p.rng.integers(2, 12))):
        b, d = p.between(0, 2 * pi), p.between(8, 40)
        site.put(t.trees.draw(), (np.sin(b) * d, 0, np.cos(b) * d), p.between(0, 6), solid=False)
    for _ in range(int(p.rng.integers(0, 4))):
        b, d = p.between(0, 2 * pi), p.between(6, 25)
        site.put(
            t.cars.draw() if p.chance(0.6) else t.people.draw(), (np.sin(b) * d, 0, np.cos(b) * d), p.between(0, 6)
        )
    if p.chance(0.3):
        site.put(person(p, detail="near"), (p.between(-2, 2), 0, 1.8), p.between(0, 6))
    site.add(patches(p, 10, 5, p.asphalt() if r < 0.6 else p.soil()))
    middle = ((n - 1) * gap / 2 if p.chance(0.5) else 0.0, 0.65, 0.0)
    sky = night(p) if p.chance(0.04) else daylight(p)
    return site.stage(sky, site.cameras(places.around(p, middle, 3.6, 11, low=0.5, high=1.9, fov=(30, 75)), clear=1.3))


Scene = Callable[[Palette], Stage]
SCENES: dict[str, tuple[Scene, float]] = {
    "street": (street_, 6.0),
    "square": (square, 2.0),
    "suburb": (suburb, 2.0),
    "alley": (alley, 1.5),
    "park": (park, 2.0),
    "garden": (garden, 2.0),
    "car_portrait": (car_portrait, 3.0),
    "night_street": (night_street, 1.0),
    "monument": (places.monument, 1.5),
    "harbour": (places.harbour, 1.2),
    "village": (places.village, 1.2),
    "bridge": (places.bridge, 1.2),
    "aerial": (places.aerial, 1.0),
    **ironwork.SCENES,
    **nightfall.SCENES,
    **spectacle.SCENES,
}
