"""Stairs that fill the picture: wells, wide flights in halls, escalators, atriums with galleries."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from training.worlds.mesh import Thing, box, ellipsoid, floor, grid, place
from training.worlds.palette import Palette
from training.worlds.parts import auditorium, steps
from training.worlds.parts.decor import picture
from training.worlds.parts.many import boxes, copies, merge
from training.worlds.parts.people import person
from training.worlds.parts.pots import plant
from training.worlds.parts.seats import bench
from training.worlds.scenes.interiors import NIGHT, look, warm
from training.worlds.scenes.room import wall_paint, wall_part
from training.worlds.stage import Camera, Lamp, Sky, Stage


def stair_well(palette: Palette) -> Stage:
    """Stairs that wind up round a well, seen from its foot, from its top, and on the way."""
    b = palette.between
    square = palette.chance(0.4)
    a = b(0.12, 0.3) if palette.chance(0.2) and not square else b(0.7, 2.4)
    well = steps.Well(
        a,
        a * (b(1, 1.7) if a > 0.4 else 1),
        palette.one_of(6.0, 12.0) if square else palette.one_of(2.0, 2.0, 2.6),
        b(0.9, 1.8),
        b(3.0, 4.4),
        float(palette.rng.integers(2, 6)),
    )
    top = well.storey * well.turns
    stuff = palette.one_of(palette.wood, palette.parquet, palette.wall)()
    things = steps.winding(well, stuff, palette.wall() if palette.chance(0.7) else stuff, b(0.12, 0.35))
    things += steps.well_rail(palette, well, 0.05)
    if a < 0.4:
        things.append(auditorium.lathe([(0.1, 0), (0.1, top + 1)], palette.metal(), sides=10))
    shell, lamps = _shaft(palette, well, top)
    things += shell
    views = [_in_well(palette, well, top, k) for k in ("up", "down", "up" if palette.chance(0.5) else "down")]
    views += [_on_stairs(palette, well) for _ in range(3)]
    g = b(0.08, 0.3)
    return Stage("stair_well", merge(things), views, NIGHT, lamps, (g, g * 0.97, g * 0.92))


def _shaft(palette: Palette, well: steps.Well, top: float) -> tuple[Thing, list[Lamp]]:
    """The walls round a well with doors and windows, its floor, its ceiling or skylight, and its lamps."""
    b, wall = palette.between, wall_paint(palette)
    t = np.linspace(0, 2 * pi, 49)
    out, high = well.wide + 0.02, top + b(2.4, 4.5)
    made: Thing = [grid(np.stack([well.at(t, out, high), well.at(t, out, 0.0)]), wall, smooth=well.power < 4)]
    size = 2 * (max(well.a, well.b) + out) + 0.2
    made.append(floor(size, size, palette.parquet()))
    lamps, colour = list[Lamp](), warm(palette, b(1.5, 5))
    if palette.chance(0.5):  # a skylight
        made.append(box((size, 0.1, size), palette.light((0.8, 0.9, 1.0), b(0.8, 2.5)), (0, high, 0)))
        x = np.linspace(-size / 2, size / 2, int(palette.rng.integers(4, 9)))
        bar = palette.paint((0.1, 0.1, 0.1))
        made.append(boxes(np.stack([x, 0 * x + high - 0.1, 0 * x], 1), (0.07, 0.1, size), bar))
        made.append(boxes(np.stack([0 * x, 0 * x + high - 0.11, x], 1), (size, 0.1, 0.07), bar))
        lamps.append(Lamp((0, high - 0.3, 0), 0.5, warm(palette, b(10, 30))))
    else:
        made.append(box((size, 0.1, size), palette.paint((0.7, 0.69, 0.66), 0.02), (0, high, 0)))
        lamps.append(Lamp((0, high - 0.5, 0), 0.15, colour))
    phase = b(0, 6)
    bulb = palette.light(glow=5)
    for k in range(int(well.turns)):
        turn = phase + 2 * pi * k
        y = float(well.height(np.array(turn)))
        yaw = -turn - pi / 2
        made += place(steps.door_in(palette), well.at(turn, out - 0.03, y), yaw)
        at = well.at(turn + 1.6, out - 0.15, y + 2.6)
        made.append(ellipsoid((0.1, 0.1, 0.1), bulb, sides=8, at=at))
        lamps.append(Lamp(tuple(float(v) for v in at - 0.12 * at / np.linalg.norm(at)), 0.1, colour))  # type: ignore[arg-type]
        if palette.chance(0.4):
            made += place(
                picture(palette, 0.6, 0.8), well.at(turn + 3, out - 0.06, y + well.storey * 0.5 + 1.2), yaw - 3
            )
    return made, lamps


def _in_well(palette: Palette, well: steps.Well, top: float, way: str) -> Camera:
    """Straight up from the foot of a well, or down from above its railing."""
    b = palette.between
    turn = b(0, 2 * pi)
    if way == "up" and well.a > 0.5:
        x, z = b(-0.5, 0.5) * well.a, b(-0.5, 0.5) * well.b
        return look(palette, (x, b(0.3, 1.5), z), (b(-0.3, 0.3) * well.a, top, b(-0.3, 0.3) * well.b), 0.05)
    if way == "up":
        return look(
            palette,
            tuple(well.at(turn, well.wide * 0.6, 0.9)),
            tuple(well.at(turn + b(0.8, 2), well.wide * 0.3, well.storey)),
        )
    turn = 2 * pi * well.turns - b(0.1, 2.0)
    y = float(well.height(np.array(turn))) + b(1.4, 1.8)
    eye = well.at(turn, -0.15 if well.a > 0.5 else 0.35, y)
    aim = well.at(turn + b(0, 2 * pi), -0.6 * well.a, 0.0) if well.a > 0.5 else well.at(turn - 1.0, 0.3, y - 2.2)
    return look(palette, tuple(eye), tuple(aim), 0.03)


def _on_stairs(palette: Palette, well: steps.Well) -> Camera:
    """On the way: along the steps, up or down, or across the well."""
    b = palette.between
    turn = b(0.6, 2 * pi * well.turns - 0.6)
    eye = well.at(turn, well.wide * b(0.35, 0.7), float(well.height(np.array(turn))) + b(1.4, 1.75))
    on = turn + palette.one_of(-1, 1) * b(0.5, 0.9)
    if palette.chance(0.4) and well.a > 0.5:
        on = turn + pi + b(-0.7, 0.7)
    aim = well.at(on, well.wide * b(0.1, 0.7), float(well.height(np.array(on))) + b(0.2, 1.4))
    return look(palette, tuple(eye), tuple(aim), 0.04)


def grand_stairs(palette: Palette) -> Stage:
    """A hall of two storeys with a wide flight that parts at a landing, balustrades, galleries, columns."""
    b = palette.between
    rise, run, n = b(0.14, 0.17), b(0.3, 0.36), int(palette.rng.integers(9, 14))
    wide, arm, up = b(3, 6), b(1.8, 3.0), 2 * rise * n
    half, land, back = wide / 2 + arm + n * run + b(0.4, 2), b(2.2, 3.5), b(2, 5)
    stone = palette.one_of(palette.wall, palette.parquet)()
    kind = int(palette.rng.choice([0, 0, 1, 1, 1, 2, 3]))
    front = b(7, 14)
    mid = -n * run
    end = mid - land
    things: Thing = [
        *steps.flight(wide, n, (rise, run), stone),
        box((wide + 2 * arm, rise * n, land), stone, (0, 0, mid - land / 2)),
    ]
    if palette.chance(0.5):
        things += place(steps.flight(wide * 0.5, n, (rise, run), palette.fabric((0.3, 0.03, 0.04))), (0, 0.012, 0.012))
    for s in (-1, 1):
        side = place(steps.flight(land * 0.9, n, (rise, run), stone), yaw=-s * pi / 2)
        things += place(side, (s * (wide / 2 + 0.01), rise * n, mid - land / 2))
        path = np.array([(s * wide / 2, 0, 0.1), (s * wide / 2, rise * n, mid)])
        things += steps.balustrade(palette, path, kind)
        for z in (mid - land * 0.05, mid - land * 0.95):
            ramp = [(s * wide / 2, rise * n, z), (s * (wide / 2 + n * run), up, z)]
            things += steps.balustrade(palette, np.array(ramp), kind)
        things.append(boxes([(s * wide / 2, 0, 0.15), (s * wide / 2, rise * n, mid)], (0.3, 1.25, 0.3), stone))
        inner = wide / 2 + n * run
        deck = box((half - inner, 0.35, front - end), stone, (s * (half + inner) / 2, up - 0.35, (front + end) / 2))
        things += [deck, *steps.balustrade(palette, np.array([(s * inner, up, mid), (s * inner, up, front)]), kind)]
    things += steps.balustrade(palette, np.array([(-wide / 2, rise * n, end), (wide / 2, rise * n, end)]), kind)
    lamps = _hall_round(palette, things, (half, end - back, front, up), wide / 2 + n * run)
    views = []
    for k in range(6):
        if k < 3:
            eye, aim = (b(-0.6, 0.6) * wide, b(1.2, 1.8), b(2.0, front - 0.8)), (b(-1, 1) * wide, b(0.4, 1.2) * up, end)
        elif k < 5:
            eye, aim = (
                (palette.one_of(-1, 1) * (wide / 2 + n * run + 0.7), up + 1.6, b(mid, front * 0.8)),
                (b(-1, 1), b(0.2, 1.0) * up, b(end, 2)),
            )
        else:
            eye, aim = (b(-0.3, 0.3) * wide, rise * n + 1.6, mid - land * 0.5), (b(-2, 2), b(0.0, 1.3) * up, front)
        views.append(look(palette, eye, aim, 0.05))
    g = b(0.08, 0.3)
    return Stage("grand_stairs", merge(things), views, NIGHT, lamps, (g, g * 0.97, g * 0.9))


def _hall_round(palette: Palette, things: Thing, size: tuple[float, float, float, float], inner: float) -> list[Lamp]:
    """Walls, floor, columns on the galleries, ceiling, chandeliers round grand stairs; the lamps are returned."""
    half, back, front, up = size
    b, wall = palette.between, wall_paint(palette)
    high, deep, middle = up + b(3.5, 6.5), front - back, (front + back) / 2
    things += place([floor(2 * half, deep, palette.parquet())], (0, 0, middle))
    for z, yaw, long in ((back, 0.0, 2 * half), (front, pi, 2 * half)):
        things += place(wall_part(long, high, [], wall), (0, 0, z), yaw)
    for s in (-1, 1):
        things += place(wall_part(deep, high, [], wall), (s * half, 0, middle), -s * pi / 2)
        for z in np.arange(back + 2, front - 1, 3.2):
            things += place(steps.door_in(palette, 1.2, 2.5), (s * (half - 0.05), up, float(z)), -s * pi / 2)
            things += place(picture(palette, 1.0, 1.4), (s * (half - 0.05), 1.3, float(z)), -s * pi / 2)
    pillar = auditorium.pier(palette, high - up, b(0.18, 0.35), wall if palette.chance(0.5) else palette.parquet())
    z = np.arange(back + 1.5, front - 0.5, b(2.5, 4))
    for s in (-1, 1):
        things += copies(pillar, np.stack([0 * z + s * (inner + 0.35), 0 * z + up, z], 1))
    lower = auditorium.pier(palette, up - 0.35, 0.25, wall)
    z = np.arange(1.5, front - 0.5, 3.0)
    for s in (-1, 1):
        things += copies(lower, np.stack([0 * z + s * (inner + 0.35), 0 * z, z], 1))
    white = palette.paint((0.7, 0.68, 0.62), 0.02)
    things += auditorium.coffers(palette, (-half, back), (half, front), high, white)
    lamps = []
    for z_ in (0.25 * front, back * 0.6):
        hung, drop = auditorium.chandelier(palette, b(0.8, 2.5), b(0.5, 1.0))
        things += place(hung, (0, high, z_))
        lamps.append(Lamp((0, high - drop - 0.2, z_), 0.4, warm(palette, b(8, 25))))
    for _ in range(int(palette.rng.integers(0, 4))):
        x = palette.one_of(-1, 1) * b(0.45, 0.85) * inner
        things += place(person(palette, detail="near"), (x, 0, b(0.8, front - 1)), b(0, 6))
    return lamps


def escalators(palette: Palette) -> Stage:
    """Escalators side by side in a sloping tunnel or under a sloping ceiling, ridden, from below and from above."""
    b = palette.between
    rise, wide, count = b(5, 18), b(0.6, 1.0), int(palette.rng.integers(2, 5))
    gap = wide + b(0.7, 1.3)
    xs = (np.arange(count) - (count - 1) / 2) * gap
    one, line = steps.escalator(palette, rise, wide)
    things = copies(one, np.stack([xs, 0 * xs, 0 * xs], 1))
    half, spring, start, stop = count * gap / 2 + b(0.2, 1.5), b(1.5, 2.6), 6.0, b(5, 10)
    path = np.array([(0, 0, start), (0, 0, -1.0), (0, rise, line[2, 2]), (0, rise, line[2, 2] - stop)])
    a = np.linspace(0, pi, 15)
    round_ = palette.chance(0.6)
    lift = spring + (np.sin(a) * half * b(0.6, 1.0) if round_ else 0 * a + b(0.8, 2.0))
    shape = np.concatenate([[(half, -0.5)], np.stack([np.cos(a) * half, lift], 1), [(-half, -0.5)]])
    tunnel = np.stack([np.stack([shape[:, 0], p[1] + shape[:, 1], 0 * shape[:, 0] + p[2]], 1) for p in path])
    wall = wall_paint(palette) if palette.chance(0.7) else palette.metal()
    things += [
        grid(tunnel, wall, smooth=False),
        *place([floor(2 * half, 7.4, palette.paving())], (0, -0.02, start - 3.5)),
    ]
    things += place([floor(2 * half, stop + 0.4, palette.paving())], (0, rise - 0.02, line[2, 2] + 0.2 - stop / 2))
    slope = np.stack([path[1:3] + np.array([x, -0.32, 0]) for x in (-half, half)])
    things.append(grid(slope, palette.metal((0.4, 0.4, 0.42)), smooth=False))
    for z, yaw, y in ((start, pi, 0.0), (line[2, 2] - stop, 0.0, rise)):
        things += place(wall_part(2 * half, spring + half + 1, [], wall_paint(palette)), (0, y, z), yaw)
    lamps, n = [], max(3, int(rise / 2))
    colour, glow = warm(palette, b(3, 8)), palette.light(glow=6)
    for t in np.linspace(0, 1, n):
        p = path[1] * (1 - t) + path[2] * t
        at = (0.0, float(p[1]) + float(lift.max()) - 0.25, float(p[2]))
        things.append(box((b(0.2, 1.5) if t == 0 else 0.8, 0.08, 0.2), glow, at))
        lamps.append(Lamp((0.0, at[1] - 0.2, at[2]), 0.2, colour))
        for s in (-1, 1):
            things += place(
                picture(palette, 0.6, 0.9), (s * (half - 0.03), float(p[1]) + 0.9, float(p[2])), -s * pi / 2
            )
    things += _riders(palette, xs, line)
    views = []
    for k in range(6):
        x, t = float(palette.one_of(*xs)), b(0, 1)
        low = (x + b(-0.1, 0.1), 1.6, b(0.8, 4.5))
        high = (x, rise + 1.6, line[2, 2] - b(1.2, 3.5))
        on = (x, rise * t + 1.75, -1.0 + t * (line[2, 2] + 1.0))
        eye = (low, high, on, low, high, on)[k]
        up = k in (0, 3) or (k in (2, 5) and palette.chance(0.5))
        aim = (b(-1, 1), rise + 0.5, line[2, 2]) if up else (b(-1, 1), 0.5, -0.5)
        views.append(look(palette, eye, aim, 0.03))
    g = b(0.1, 0.3)
    return Stage("escalators", merge(things), views, NIGHT, lamps, (g, g, g))


def _riders(palette: Palette, xs: np.ndarray, line: np.ndarray) -> Thing:
    """People who stand on escalators."""
    made: Thing = []
    for _ in range(int(palette.rng.integers(0, 7))):
        t = palette.between(0.15, 0.9)
        at = line[1] * (1 - t) + line[2] * t + [palette.one_of(*xs), 0.05, 0]
        made += place(person(palette, pose="stand", detail="far"), at, palette.one_of(0.0, pi))
    return made


def atrium(palette: Palette) -> Stage:
    """A court of several storeys inside a building: galleries with railings, columns, escalators, a roof of glass."""
    b = palette.between
    half, deep, band, n, storey = b(4, 9), b(7, 18), b(2, 4), int(palette.rng.integers(3, 7)), b(3.4, 4.6)
    top = n * storey
    things: Thing = [floor(2 * (half + band) + 0.1, 2 * (deep + band) + 0.1, palette.paving())]
    slab, kind, wall = (
        palette.paint((0.7, 0.69, 0.66), 0.02),
        int(palette.rng.choice([1, 2, 3, 3])),
        wall_paint(palette),
    )
    for k in range(1, n + 1):
        y = k * storey
        for s in (-1, 1):
            things.append(box((band, 0.4, 2 * (deep + band)), slab, (s * (half + band / 2), y - 0.4, 0)))
            things.append(box((2 * half, 0.4, band), slab, (0, y - 0.4, s * (deep + band / 2))))
        edge = np.array([(-half, y, -deep), (half, y, -deep), (half, y, deep), (-half, y, deep), (-half, y, -deep)])
        if k < n:
            things += steps.balustrade(palette, edge, kind if n < 4 or kind == 2 else 3)
    for s in (-1, 1):
        things += place(wall_part(2 * (deep + band), top, [], wall), (s * (half + band), 0, 0), -s * pi / 2)
        things += place(wall_part(2 * (half + band), top, [], wall), (0, 0, s * (deep + band)), pi if s > 0 else 0.0)
    column = auditorium.pier(palette, top, b(0.2, 0.4), slab)
    z = np.linspace(-deep, deep, max(3, round(deep / 2.5)))
    things += copies(column, [(s * (half + 0.35), 0, v) for s in (-1, 1) for v in z])
    things += _fronts(palette, (half + band, deep + band, storey, n))
    if palette.chance(0.6):
        one, line = steps.escalator(palette, storey)
        for k in range(n - 1):
            flip = pi if k % 2 else 0.0
            at = ((-1) ** k * half * 0.4, k * storey, (-1) ** k * -line[-1, 2] / 2)
            things += place(one, at, flip)
    sky, lamps = _glass_roof(palette, things, (half, deep, band, top))
    for _ in range(int(palette.rng.integers(2, 9))):
        who = person(palette, detail="far") if palette.chance(0.6) else palette.one_of(plant, bench)(palette)
        things += place(who, (b(-0.8, 0.8) * half, 0, b(-0.9, 0.9) * deep), b(0, 6))
    views = []
    for k in range(6):
        low = (b(-0.8, 0.8) * half, b(1.2, 1.8), b(-0.95, 0.95) * deep)
        y = storey * int(palette.rng.integers(1, n))
        on = (palette.one_of(-1, 1) * (half + b(0.15, 0.5)), y + b(1.5, 1.7), b(-0.9, 0.9) * deep)
        eye = low if k % 2 == 0 else on
        views.append(look(palette, eye, (-0.6 * eye[0], b(0, 1.0) * top, -b(0.2, 1) * eye[2]), 0.08))
    g = b(0.1, 0.3)
    return Stage("atrium", merge(things), views, sky, lamps, (g, g, g))


def _fronts(palette: Palette, size: tuple[float, float, float, int]) -> Thing:
    """Shop fronts, doors and signs along the walls of the galleries."""
    half, deep, storey, n = size
    made: Thing = []
    pane = [
        box((2.4, 2.4, 0.05), palette.light((1.0, 0.93, 0.8), 0.8)),
        box((2.6, 0.5, 0.1), palette.printed(), (0, 2.5, 0)),
    ]
    door = steps.door_in(palette, 1.6, 2.3)
    for s in (-1, 1):
        z = np.arange(-deep + 2, deep - 1.5, 3.1)
        for k in range(n):
            lit = palette.rng.random(len(z)) < 0.6
            for which, thing in ((lit, pane), (~lit, door)):
                at = np.stack([0 * z + s * (half - 0.06), 0 * z + k * storey, z], 1)[which]
                made += copies(thing, at, -s * pi / 2)
    return made


def _glass_roof(palette: Palette, things: Thing, size: tuple[float, float, float, float]) -> tuple[Sky, list[Lamp]]:
    """Beams with the sky or the night above them, or a closed ceiling; light to go with it."""
    half, deep, band, top = size
    b = palette.between
    iron = palette.paint((0.6, 0.6, 0.6)) if palette.chance(0.5) else palette.paint((0.1, 0.1, 0.1))
    for z in np.linspace(-deep, deep, max(5, round(deep / 1.2))):
        rib = np.stack(
            [np.linspace(-half, half, 9), top + half * 0.35 * (1 - np.linspace(-1, 1, 9) ** 2), np.full(9, z)], 1
        )
        things.append(auditorium.chain(rib, 0.07, iron, sides=4))
    for x in np.linspace(-half, half, 9):
        y = top + half * 0.35 * (1 - (x / half) ** 2)
        things.append(box((0.06, 0.06, 2 * deep), iron, (float(x), float(y), 0)))
    lamps = [
        Lamp((s * (half + band / 2), k - 0.7, v * deep), 0.15, warm(palette, b(1, 4)))
        for s in (-1, 1)
        for v in (-0.5, 0.5)
        for k in np.arange(top, 3, -top / 2)
    ]
    if palette.chance(0.7):
        bright = b(0.5, 1.5)
        return Sky(
            zenith=(0.5 * bright, 0.6 * bright, 0.8 * bright),
            horizon=(bright,) * 3,
            clouds=b(0, 1),
            seed=palette.seed(),
            sun=(b(-0.5, 0.5), 0.8, b(-0.5, 0.5)),
            sun_colour=(bright, 0.9 * bright, 0.8 * bright),
        ), lamps
    return NIGHT, [*lamps, Lamp((0, top - 0.5, 0), 0.3, warm(palette, b(8, 25)))]


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "stair_well": (stair_well, 0.25),
    "grand_stairs": (grand_stairs, 0.2),
    "escalators": (escalators, 0.12),
    "atrium": (atrium, 0.12),
}
"""Stairs and courts by name: maker and weight."""
