"""How streets are made: carriageway, pavements, rows of houses, traffic, and what stands and walks along them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, bounds, place
from training.worlds.palette import Palette
from training.worlds.parts import plants, street, transport, vehicles
from training.worlds.parts.buildings import block, building, house
from training.worlds.parts.facades import style
from training.worlds.parts.monuments import church
from training.worlds.parts.people import person
from training.worlds.parts.terrain import Way, flat, stations
from training.worlds.scenes.site import Site, Stock
from training.worlds.stage import Lamp


@dataclass(slots=True)
class Town:
    """What one street's makers share."""

    site: Site
    palette: Palette
    way: Way = field(default_factory=Way)
    half: float = 3.5
    pavement: float = 2.0
    kerb: float = 0.12
    dark: bool = False
    rows: list[tuple[Thing, float]] = field(default_factory=list)
    homes: list[Thing] = field(default_factory=list)
    cars: Stock = field(init=False)
    near_cars: Stock = field(init=False)
    people: Stock = field(init=False)
    trees: Stock = field(init=False)

    def __post_init__(self) -> None:
        p = self.palette
        season = p.rng.random()
        kind = (
            plants.bare
            if season < 0.14
            else plants.palm
            if season < 0.2
            else plants.conifer
            if season < 0.24
            else plants.broadleaf
        )
        self.cars = Stock(p, vehicles.car, 4)
        self.near_cars = Stock(p, lambda q: vehicles.car(q, "near"), 2)
        self.people = Stock(p, lambda q: person(q, detail="far", pose="walk" if q.chance(0.6) else "stand"), 3)
        self.trees = Stock(p, lambda q: kind(q, "far", q.spread(7, 1.3)), 3)

    @property
    def edge(self) -> float:
        """Where the houses or gardens begin, metres from the middle of the road."""
        return self.half + self.pavement


def carriageway(
    t: Town, *, length: float = 260.0, behind: float = 60.0, wet: float = 0.0, road: Material | None = None
) -> None:
    """The road with its kerbs and pavements."""
    p, h, k = t.palette, t.half, t.kerb
    z = stations(1.5, length, behind, 40)
    asphalt = road or p.asphalt()
    if wet:
        asphalt = replace(asphalt, colour=tuple(c * 0.5 for c in asphalt.colour), shine=wet, gloss=p.between(0.7, 0.96))
    camber = np.array([-0.04, -0.02, 0.0, -0.02, -0.04]) * min(h / 3.5, 2)
    t.site.add(t.way.ribbon(z, np.array([-1, -0.5, 0, 0.5, 1]) * h, camber, asphalt))
    if not t.pavement:
        return
    stone, paving = p.paint((0.42, 0.41, 0.39), 0.02), p.paving() if p.chance(0.6) else p.asphalt()
    for s in (-1, 1):
        across = s * np.array([h, h + 0.02, h + 0.16])
        up = np.array([camber[0] - 0.02, k, k])
        flags = s * np.array([h + 0.16, h + t.pavement / 2, h + t.pavement])
        order = slice(None, None, s)
        t.site.add(t.way.ribbon(z, across[order], up[order], stone))
        t.site.add(t.way.ribbon(z, flags[order], np.array([k, k + 0.02, k + 0.03])[order], paving))


def markings(t: Town, lanes: int = 2) -> None:
    """Lines between lanes, at the edges, manholes and patches."""
    p, site = t.palette, t.site
    up = t.way
    if p.chance(0.8):
        dash = float(p.rng.choice([0.0, 3.0, 3.0, 4.0]))
        for i in range(1, lanes):
            offset = -t.half + 2 * t.half * i / lanes
            middle = i * 2 == lanes
            site.add(
                street.marking(
                    p, up, offset, dash=0.0 if middle and p.chance(0.3) else dash or 3.0, gap=p.between(3, 9)
                )
            )
    if p.chance(0.5):
        for s in (-1, 1):
            site.add(street.marking(p, up, s * (t.half - p.between(0.15, 0.5))))
    if p.chance(0.5):
        site.add(street.covers(p, up, t.half))


def houses(
    t: Town,
    side: int,
    *,
    start: float = -40,
    end: float = 190,
    tall: float = 4,
    gap: float = 0.05,
    kinds: int = 6,
) -> None:
    """A closed row of town houses along one side (+1: towards +x), with cross streets now and then."""
    p, site = t.palette, t.site
    made = t.rows or _row(t, tall, gap, kinds)
    kinds = len(made) - 2
    z, k = start, 0
    while z < end:
        k += 1
        far = abs(z) > 75
        thing, width = (
            made[kinds + int(p.rng.integers(2))]
            if far
            else made[int(p.rng.integers(kinds))]
            if k > kinds
            else made[(k - 1 + (side > 0) * 2) % kinds]
        )
        if p.chance(gap) and k > 1:
            z += p.between(5, 11)
        middle = z + width / 2
        at = t.way.at(middle, side * (t.edge + 0.02))
        site.put(
            thing, at - np.array([0, 0.3, 0]) * (t.way.rise > 0), float(t.way.yaw(middle)) - side * pi / 2, slack=0.9
        )
        z += width + (p.between(0, 3) if gap > 0.3 else 0.0)
    end_block(t, side)


def _row(t: Town, tall: float, gap: float, kinds: int) -> list[tuple[Thing, float]]:
    """Houses with their widths, both sides of the street draw from them; the last two are for far off."""
    p = t.palette
    shops = p.chance(0.6)
    for i in range(kinds):
        width = p.between(6, 17)
        s = style(p, night=t.dark, shop=shops and p.chance(0.75))
        storeys = min(max(1, round(p.spread(tall, 1.35))), 9)
        t.rows.append((building(p, width, p.between(9, 14), storeys, s=s, near=i < 3, sides=gap > 0.2), width))
    for _ in range(2):
        width, depth = p.between(8, 17), p.between(9, 14)
        far = block(p, width, depth, min(max(1, round(p.spread(tall, 1.35))), 9))
        t.rows.append((place(far, at=(0, 0, -depth / 2)), width))
    return t.rows


def end_block(t: Town, side: int) -> None:
    """Something large far behind the row: a tower block, a church, a hall."""
    p = t.palette
    if p.chance(0.4):
        wide, deep = p.between(14, 30), p.between(14, 26)
        thing = block(p, wide, deep, int(p.between(8, 8 + wide))) if p.chance(0.85) else church(p, near=False)
        z = p.between(60, 300)
        t.site.put(thing, t.way.at(z, side * (t.edge + p.between(30, 90))), p.between(0, 6))


def gardens(t: Town, side: int, *, start: float = -30, end: float = 170, kinds: int = 3) -> None:
    """Detached houses behind lawns, hedges and fences."""
    p, site = t.palette, t.site
    t.homes = made = t.homes or [house(p, near=i < 2, night=t.dark) for i in range(kinds)]
    z = start + p.between(0, 6)
    while z < end:
        thing = made[int(p.rng.integers(len(made)))]
        back = t.edge + p.between(7, 13)
        middle = z + 9
        site.put(
            thing,
            t.way.at(middle, side * back, -0.05),
            float(t.way.yaw(middle)) - side * pi / 2 + p.rng.normal() * 0.05,
        )
        if p.chance(0.6):
            site.put(
                t.trees.draw(),
                t.way.at(z, side * (t.edge + p.between(1.5, 9))),
                p.between(0, 6),
                p.between(0.4, 1.0),
                solid=False,
            )
        if p.chance(0.35):
            car_at(t, middle + p.between(5, 7), side * (t.edge + 3.5), turn=side * pi / 2)
        z += p.between(17, 26)
    border = float(p.rng.random())
    rows = np.arange(start, min(end, 120), 22.0)
    for a in rows:
        if border < 0.35 and p.chance(0.8):
            length = p.between(9, 17)
            site.put(
                plants.hedge(p, length, p.between(0.7, 1.9)),
                t.way.at(a + length / 2, side * (t.edge + 0.5)),
                float(t.way.yaw(a)) + pi / 2,
            )
        elif border < 0.75 and p.chance(0.8):
            site.add(street.fence(p, t.way, np.linspace(a, a + p.between(10, 18), 8), side * (t.edge + 0.3)))
    shrub = Stock(p, plants.bush, 2)
    for _ in range(8):
        site.put(
            shrub.draw(),
            t.way.at(p.between(start, 60), side * (t.edge + p.between(1, 6))),
            p.between(0, 6),
            p.between(0.5, 1.3),
            solid=False,
        )


def car_at(t: Town, z: float, offset: float, *, turn: float = 0.0, near: bool = False, up: float = 0.0) -> bool:
    """A car on the way at z, its front along the way turned by `turn`; like the stock's, but with a coat of its own."""
    p = t.palette
    thing = (t.near_cars if near else t.cars).draw()
    if p.chance(0.7):
        thing = vehicles.repainted(thing, p)
    jitter = float(p.rng.normal()) * 0.02
    return t.site.put(thing, t.way.at(z, offset, up - 0.02), float(t.way.yaw(z)) + turn + jitter)


def parked(t: Town, side: int, *, start: float = -15, end: float = 90, share: float = 0.7, most: int = 9) -> None:
    """Cars along the kerb."""
    p, z, count = t.palette, start + t.palette.between(0, 5), 0
    while z < end and count < most:
        if p.chance(share):
            near = 0 < z < 12
            car_at(t, z, side * (t.half - 1.05), turn=0.0 if p.chance(0.5) else pi, near=near)
            count += 1
        z += p.between(5.4, 6.5)


def traffic(
    t: Town, lanes: list[tuple[float, int]], count: int, *, start: float = 8, end: float = 120, heavy: float = 0.15
) -> None:
    """Moving vehicles: lanes are (offset, direction); none overlap."""
    p = t.palette
    big = Stock(p, transport.transport, 2)
    taken: list[tuple[float, float]] = []
    for _ in range(count * 3):
        if len(taken) >= count:
            return
        offset, direction = lanes[int(p.rng.integers(len(lanes)))]
        z = start + (end - start) * p.between(0, 1) ** 1.6
        large = p.chance(heavy) and z > 14
        room = 16 if large else 9
        if any(abs(z - a) < room and abs(offset - b) < 2.5 for a, b in taken):
            continue
        taken.append((z, offset))
        turn = 0.0 if direction > 0 else pi
        if large:
            t.site.put(big.draw(), t.way.at(z, offset, -0.02), float(t.way.yaw(z)) + turn)
        elif p.chance(0.06):
            rider(t, z, offset, turn)
        else:
            car_at(t, z, offset + float(p.rng.normal()) * 0.15, turn=turn, near=z < 14)


def rider(t: Town, z: float, offset: float, turn: float) -> None:
    """A bicycle or motorcycle with somebody on it."""
    p = t.palette
    two = transport.bicycle(p) if p.chance(0.6) else transport.motorcycle(p)
    body = person(p, pose="sit", detail="far", seat=0.75)
    low = bounds(body)[0][1]
    t.site.put([*two, *place(body, at=(0, 0.16 - min(low, 0), -0.3))], t.way.at(z, offset), float(t.way.yaw(z)) + turn)


def walkers(t: Town, count: int, *, start: float = 3, end: float = 55) -> None:
    """People on the pavements, a few on the road."""
    p = t.palette
    for _ in range(count):
        side = 1 if p.chance(0.5) else -1
        offset = (
            side * p.between(t.half + 0.4, max(t.edge - 0.4, t.half + 0.5))
            if p.chance(0.85)
            else p.between(-t.half, t.half)
        )
        z = start + (end - start) * p.between(0, 1) ** 1.5
        yaw = (0.0 if p.chance(0.5) else pi) + float(p.rng.normal()) * 0.4
        t.site.put(t.people.draw(), t.way.at(z, offset, t.kerb if abs(offset) > t.half else -0.02), yaw)


def lamps(t: Town, *, start: float = -20, end: float = 170, reach: float = 60) -> None:
    """Street lamps; they shine where the town is dark."""
    p = t.palette
    post, bulb = street.lamp_post(p, lit=t.dark)
    gap, sides = p.between(18, 34), ((1, -1) if p.chance(0.5) else (1,) if p.chance(0.5) else (-1,))
    colour = np.array([1.0, 0.72, 0.42]) if p.chance(0.6) else np.array([0.85, 0.93, 1.0])
    strength = p.between(14, 40)
    for side in sides:
        for z in np.arange(start + p.between(0, gap), end, gap):
            yaw = float(t.way.yaw(z)) - side * pi / 2
            at = t.way.at(z, side * (t.half + 0.5), t.kerb)
            if t.site.put(post, at, yaw, solid=False) and t.dark and abs(z) < reach and len(t.site.lamps) < 12:
                hang = at + np.array([np.sin(yaw) * bulb[2], bulb[1] - 0.25, np.cos(yaw) * bulb[2]])
                t.site.lamps.append(
                    Lamp(
                        (float(hang[0]), float(hang[1]), float(hang[2])),
                        0.15,
                        tuple(float(c) for c in colour * strength),
                    )
                )


def avenue(t: Town, *, start: float = -12, end: float = 130, share: float = 0.8) -> None:
    """Trees along the kerbs."""
    p = t.palette
    gap = p.between(8, 16)
    for side in (1, -1):
        for z in np.arange(start + p.between(0, gap), end, gap):
            if p.chance(share):
                at = t.way.at(z, side * (t.half + 0.9), t.kerb)
                t.site.put(t.trees.draw(), at, p.between(0, 6), p.between(0.75, 1.2), solid=False)
                t.site.boxes.append((at - [0.4, 0, 0.4], (at + np.array([0.4, 3, 0.4]))))


def clutter(t: Town, count: int, *, start: float = 1, end: float = 45) -> None:
    """Signs, bins, benches, boxes, shelters, bicycles on the pavements; traffic lights, posts, cones."""
    p = t.palette
    things = Stock(p, street.street_thing, 6)
    for _ in range(count):
        side, z = (1 if p.chance(0.5) else -1), p.between(start, end)
        offset = side * (t.half + 0.45 if p.chance(0.6) else t.edge - 0.5)
        pick = p.rng.random()
        thing = transport.bicycle(p) if pick < 0.12 else street.traffic_light(p) if pick < 0.2 else things.draw()
        facing = pi if p.chance(0.7) else -side * pi / 2
        t.site.put(thing, t.way.at(z, offset, t.kerb), float(t.way.yaw(z)) + facing)
    if p.chance(0.25) and t.pavement > 1.5:
        side = 1 if p.chance(0.5) else -1
        z = p.between(6, 40)
        t.site.put(street.shelter(p), t.way.at(z, side * (t.edge - 1.0), t.kerb), float(t.way.yaw(z)) - side * pi / 2)
    if p.chance(0.3):
        row = np.arange(0, 30, p.between(1.4, 2.5))
        t.site.add(street.bollards(p, t.way.at(row, (t.half + 0.35) * (1 if p.chance(0.5) else -1), t.kerb)))
    if p.chance(0.15):
        row = np.arange(p.between(4, 8), 26, 2.2)
        t.site.scatter(street.cone(p), t.way.at(row, p.between(-0.6, 0.6) * t.half, -0.02))


def overhead(t: Town) -> None:
    """Wires on poles, or cables hung across the street."""
    p = t.palette
    if p.chance(0.6):
        z = np.arange(-40, 200, p.between(26, 40))
        t.site.add(
            street.wires(p, t.way.at(z, (t.edge - 0.3) * (1 if p.chance(0.5) else -1)), int(p.rng.integers(2, 6)))
        )
    else:
        z = np.arange(6, 90, p.between(9, 25))
        a, b = t.way.at(z, t.edge, 7.5), t.way.at(z, -t.edge, 7.5)
        middle = (a + b) / 2 - [0, 0.5, 0]
        from training.worlds.parts.many import rods

        t.site.add([rods(np.r_[a, middle], np.r_[middle, b], 0.012, street.DARK, sides=3)])


def ground(
    t: Town, material: Material | None = None, relief: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
) -> None:
    """Level ground everywhere, a little under the road."""
    if relief is None and t.way.rise == 0:
        base = flat(material or t.palette.paving())
        t.site.add(place([base], at=(0, -0.08, 0)))
