"""Great halls for an audience: concert halls and theatres with balconies, arenas with tiers round a field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, ellipsoid, floor, grid, place
from training.worlds.palette import Palette
from training.worlds.parts import auditorium as parts
from training.worlds.parts.many import boxes, copies, merge, quads, rods
from training.worlds.parts.people import person
from training.worlds.scenes.interiors import NIGHT, look, warm
from training.worlds.scenes.room import wall_paint, wall_part
from training.worlds.stage import Lamp, Stage


def auditorium(palette: Palette) -> Stage:
    """A concert hall or theatre: stalls, balconies on a U, a stage with an organ, an orchestra or a curtain."""
    b = palette.between
    half, deep = b(7, 15), b(14, 30)
    tiers = int(palette.rng.choice([0, 1, 2, 2, 3, 3, 4]))
    high = 6.5 + 3.1 * tiers + b(0, 4.5)
    plan = parts.Horseshoe(half, deep - half * b(0.5, 1.0), half * b(0.7, 1.0), palette.one_of(2.0, 3.0, 6.0, 12.0))
    deep = plan.straight + plan.deep
    cloth, wood = palette.fabric(palette.one_of((0.35, 0.02, 0.03), (0.03, 0.05, 0.2), (0.3, 0.2, 0.1))), palette.wood()
    skin = palette.wood() if palette.chance(0.4) else wall_paint(palette)
    rise = b(0.0, 0.16)
    things: Thing = _house(palette, plan, high, skin, rise)
    things += _stalls(palette, plan, (cloth, wood), rise)
    trim = palette.paint((0.7, 0.62, 0.45)) if palette.chance(0.6) else palette.wood()
    decks = [2.9 + 3.1 * k + rise * deep * 0.5 for k in range(tiers)]
    for k, y in enumerate(decks):
        things += _balcony(palette, plan, y, b(2.0, 4.5) if k == 0 else b(1.6, 3.5), (cloth, trim))
    things += _platform(palette, half, high)
    lamps = _ceiling_lights(palette, things, (half, deep, high))
    views = []
    for _ in range(2):
        z = b(0.25, 0.85) * deep
        eye = (b(-0.6, 0.6) * half, rise * z + b(1.15, 1.9), z)
        views.append(look(palette, eye, (b(-0.3, 0.3) * half, b(1.0, 0.75 * high), -1.0)))
    views.append(look(palette, (b(-0.35, 0.35) * half, 2.6, b(0.2, 1.0)), (0, b(1, 0.6 * high), deep * 0.7)))
    for y in (decks or [2.0])[:2]:
        spot, _ = plan.spots(0.9, y + b(1.6, 2.1), 1.0, 2.0)
        k = int(palette.rng.integers(len(spot)))
        target = (b(-3, 3), b(0.5, 2.5), -1.0) if palette.chance(0.6) else (-spot[k][0], y, deep * b(0.2, 0.7))
        views.append(look(palette, tuple(spot[k]), target, 0.06))
    views.append(
        look(palette, (0.5 * half * b(-1, 1), 1.6 + rise * deep * 0.3, deep * 0.3), (0, high, deep * b(0.3, 1)))
    )
    g = b(0.01, 0.12)
    return Stage("auditorium", merge(things), views, NIGHT, lamps, (g, g * 0.95, g * 0.85))


def _house(palette: Palette, plan: parts.Horseshoe, high: float, skin: Material, rise: float) -> Thing:
    """Floor, walls round the U, ceiling, and the wall with the opening of the stage."""
    half, deep = plan.half, plan.straight + plan.deep
    z = np.array([-0.02, deep * 0.5, deep])
    x = np.array([-half, half])
    ground = np.stack(np.broadcast_arrays(x[None], rise * np.maximum(z, 0)[:, None], z[:, None]), -1)
    carpet = palette.fabric((0.2, 0.03, 0.03)) if palette.chance(0.4) else palette.parquet()
    made: Thing = [grid(ground, carpet, smooth=False), plan.swept([(0, high), (0, 0)], skin)]
    if palette.chance(0.6):
        made += parts.coffers(
            palette,
            (-half, 0),
            (half, deep),
            high - 0.5,
            wall_paint(palette) if palette.chance(0.5) else palette.wood(),
        )
    elif palette.chance(0.5):  # a shallow vault with ribs
        u = np.linspace(-1, 1, 13)
        vault = np.stack([np.stack([u * half, high - 0.2 + 0.25 * half * (1 - u**2), 0 * u + k], 1) for k in (0, deep)])
        made += [grid(vault, wall_paint(palette)), plan.swept([(0, high + 0.25 * half), (0, high - 0.2)], skin)]
        for k in np.linspace(0, deep, 9):
            made.append(parts.chain(vault[0] + np.array([0, -0.05, k]), 0.15, skin))
    else:  # sails that hang under a dark ceiling
        made.append(box((2 * half, 0.2, deep), palette.paint((0.1, 0.1, 0.1)), (0, high + 1, deep / 2)))
        for k in np.linspace(1.5, deep - 2, int(palette.rng.integers(3, 7))):
            sail = box((half * 1.5, 0.08, deep / 8), palette.wood(), (0, 0, 0))
            made += place(
                [sail], at=(0, high + palette.between(-0.6, 0.2), float(k)), pitch=palette.between(-0.35, 0.1)
            )
        made.append(plan.swept([(0, high + 1), (0, high)], skin))
    if palette.chance(0.7):
        spot, _ = plan.spots(0.12, 0.0, palette.between(1.5, 4.0))
        made.append(boxes(spot, (0.35, high, 0.35), skin if palette.chance(0.5) else palette.paint((0.7, 0.65, 0.5))))
    return made


def _stalls(palette: Palette, plan: parts.Horseshoe, stuff: tuple[Material, Material], rise: float) -> Thing:
    """Rows of seats on the floor, with aisles, and some people in them."""
    pitch, gap, curve = palette.between(0.85, 1.05), palette.between(0.53, 0.62), palette.between(0, 0.025)
    half, deep = plan.half, plan.straight + plan.deep
    aisles = palette.one_of((0.0,), (-half / 3, half / 3), (-half / 2.2, half / 2.2))
    x, z = np.meshgrid(np.arange(-half + 1.4, half - 1.3, gap), np.arange(2.0, deep - 1.2, pitch))
    z = z - curve * x**2
    keep = (z > 1.4) & np.all([np.abs(x - a) > 0.65 for a in aisles], 0)
    keep &= (z < plan.straight) | (
        np.abs(x / (half - 1.2)) ** plan.power + np.maximum((z - plan.straight) / (plan.deep - 1.2), 0) ** plan.power
        < 1
    )
    at = np.stack([x, rise * z, z], -1)[keep]
    yaw = pi + np.arctan(2 * curve * at[:, 0])
    at, yaw = at[:750], yaw[:750]
    close = palette.rng.random(len(at)) < 150 / max(len(at), 1)
    made = copies(parts.seat(palette, *stuff), at[close], yaw[close])
    made += copies(parts.seat(palette, *stuff, near=False), at[~close], yaw[~close])
    return made + _audience(palette, at, yaw, palette.one_of(0, 0, 8, 22))


def _audience(palette: Palette, at: np.ndarray, yaw: np.ndarray, count: int) -> Thing:
    """People who sit on some of the seats."""
    made: Thing = []
    for _ in range(min(3, count)):
        who = person(palette, height=palette.between(1.55, 1.85), pose="sit", detail="far", seat=0.45)
        some = palette.rng.choice(len(at), min(count // 3 + 1, len(at)), replace=False)
        made += copies(who, at[some], yaw[some])
    return made


def _balcony(
    palette: Palette, plan: parts.Horseshoe, y: float, depth: float, stuff: tuple[Material, Material]
) -> Thing:
    """A tier round the U: its rising floor, its front, seats, small lights along the front."""
    cloth, trim = stuff
    rows = max(1, int((depth - 0.6) / 0.85))
    step = palette.between(0.15, 0.4)
    back = y + rows * step
    bulge, wall = palette.between(0.0, 0.35), palette.between(0.75, 1.0)
    under = [(0, y - 0.45), (depth - 0.2, y - 0.25), (depth + bulge, y + 0.1), (depth + bulge * 0.6, y + wall * 0.5)]
    front = [(depth + 0.02, y + wall), (depth - 0.12, y + wall), (depth - 0.14, y), (0, back)]
    made: Thing = [plan.swept(np.array(under), trim), plan.swept(np.array([under[-1], *front]), trim)]
    made.append(parts.chain(plan.line(depth - 0.05, y + wall + 0.04), 0.045, palette.metal((0.65, 0.5, 0.25))))
    chair = parts.seat(palette, cloth, trim, near=False)
    for k in range(min(rows, 2)):
        inset = depth - 0.7 - 0.85 * k
        spot, yaw = plan.spots(inset, y + step * (depth - inset) / 0.85 - 0.1, palette.between(0.55, 0.7))
        made += copies(chair, spot, yaw)
        if palette.chance(0.25):
            made += _audience(palette, spot, yaw, 2)
    if palette.chance(0.6):
        bulb = ellipsoid((0.06, 0.08, 0.06), palette.light(glow=palette.between(2, 8)), sides=6)
        made += copies([bulb], plan.spots(depth + bulge + 0.08, y + wall * 0.6, palette.between(2, 5))[0])
    return made


def _platform(palette: Palette, half: float, high: float) -> Thing:
    """The stage: a concert platform before an organ or panels, or a picture-frame stage with curtains."""
    b = palette.between
    deep, wide, top = b(6, 11), half * b(1.2, 1.9), min(high - 0.4, b(5.5, 12))
    stuff, boards = palette.wood() if palette.chance(0.6) else wall_paint(palette), palette.parquet()
    made: Thing = [box((2 * half, 1.0, deep), boards, (0, 0, -deep / 2 + 0.01))]
    made += wall_part(2 * half, high + 4, [(-wide / 2, 0.0, wide, top)], stuff)
    for s in (-1, 1):
        made += place(wall_part(deep, top, [], stuff), (s * wide / 2, 0, -deep / 2), -s * pi / 2)
    made += [*place(wall_part(wide, top, [], stuff), (0, 0, -deep)), box((wide, 0.2, deep), stuff, (0, top, -deep / 2))]
    if palette.chance(0.55):
        made += place(parts.organ(palette, wide * b(0.4, 0.9), (top - 2.2) * b(0.7, 0.98)), (0, 2.0, -deep + 0.95))
        made.append(box((wide, 1.0, 0.9), stuff, (0, 1.0, -deep + 0.5)))
    else:
        cloth = palette.fabric(palette.one_of((0.3, 0.02, 0.02), (0.05, 0.05, 0.06), (0.02, 0.05, 0.15)))
        shut = palette.chance(0.3)
        made += place([parts.drape(palette, wide, top - 1, cloth)], (0, 1.0, -0.8 if shut else -deep + 0.4))
        for s in (-1, 1):
            made += place([parts.drape(palette, wide * 0.17, top - 1, cloth)], (s * wide * 0.42, 1.0, -0.6))
        made.append(box((wide, top * 0.14, 0.1), cloth, (0, top * 0.86, -0.5)))
    frame = palette.metal((0.65, 0.5, 0.25)) if palette.chance(0.5) else stuff
    made += [
        boxes([(-wide / 2, 0, 0.1), (wide / 2, 0, 0.1)], (0.7, top, 0.4), frame),
        box((wide + 0.7, 0.6, 0.4), frame, (0, top, 0.1)),
    ]
    return made + _players(palette, wide, deep)


def _players(palette: Palette, wide: float, deep: float) -> Thing:
    """A piano, chairs and stands in arcs, musicians or actors on a stage one metre high."""
    b, made = palette.between, Thing()
    black = palette.paint((0.03, 0.03, 0.03))
    if palette.chance(0.5):
        made += place(parts.piano(palette), (b(-0.3, 0.1) * wide, 1.0, -b(1.5, 3)), pi / 2 + b(-0.3, 0.3))
    if palette.chance(0.5):
        chair: Thing = [boxes([(0, 0.42, 0), (0, 0.42, -0.2)], [(0.4, 0.05, 0.4), (0.4, 0.45, 0.04)], black)]
        chair.append(
            rods(
                [(-0.2, 0, 0.2), (0.2, 0, 0.2), (-0.2, 0, -0.2), (0.2, 0, -0.2)],
                [(-0.18, 0.44, 0.18), (0.18, 0.44, 0.18), (-0.18, 0.44, -0.18), (0.18, 0.44, -0.18)],
                0.014,
                black,
                sides=4,
            )
        )
        chair += [
            rods([(0, 0, 0.6)], [(0, 1.0, 0.6)], 0.012, black),
            *place([box((0.5, 0.35, 0.02), black)], (0, 0.95, 0.6), pitch=0.5),
        ]
        spots = [
            (r * np.sin(a), 1.0, -0.6 - (r * 0.75) * abs(np.cos(a)))
            for r in np.arange(2.2, min(wide * 0.45, deep), 1.3)
            for a in np.arange(-1.4, 1.41, 1.1 / r)
        ]
        at = np.array(spots)[np.array(spots)[:, 2] > -deep + 1.2]
        if len(at):
            made += copies(chair, at, np.arctan2(-at[:, 0], -at[:, 2] - 0.5))
    for _ in range(int(palette.rng.integers(0, 5))):
        who = person(palette, pose="stand", detail="far")
        made += place(who, (b(-0.35, 0.35) * wide, 1.0, -b(0.6, deep * 0.6)), b(-0.8, 0.8))
    return made


def _ceiling_lights(palette: Palette, things: Thing, size: tuple[float, float, float]) -> list[Lamp]:
    """Lamps under the ceiling and over the stage; perhaps chandeliers."""
    half, deep, high = size
    b, lamps = palette.between, list[Lamp]()
    colour = warm(palette, high**2 * b(0.1, 0.35))
    fancy = palette.chance(0.4)
    for x in (-0.45, 0.45):
        for z in np.linspace(0.15, 0.85, 3):
            at = (x * half, high - 1.0, float(z) * deep)
            if fancy:
                thing, drop = parts.chandelier(palette, b(0.8, high * 0.25), b(0.5, 1.2))
                things += place(thing, (at[0], high - 0.3, at[2]))
                at = (at[0], high - 0.6 - drop, at[2])
            else:
                things.append(
                    ellipsoid((0.25, 0.06, 0.25), palette.light(glow=8), sides=8, at=(at[0], high - 0.55, at[2]))
                )
            lamps.append(Lamp(at, 0.4, colour))
    bright = b(1, 4)
    tint = warm(palette, bright * 9)
    return [*lamps, *(Lamp((x * half, 4.8, -2.5), 0.3, tint) for x in (-0.4, 0.4))]


# -- arenas ----------------------------------------------------------------------------------------------------------
def arena(palette: Palette) -> Stage:
    """Tiers of seats round a field, a rink or a court, under a roof on girders."""
    b = palette.between
    a, c, power = b(14, 32), b(20, 48), palette.one_of(2.2, 3.0, 5.0)
    decks, things, seats = int(palette.one_of(1, 2, 2, 3)), Thing(), []
    angle = np.linspace(0, 2 * pi, 73)

    def ring(out: float, y: float, turn: np.ndarray = angle) -> np.ndarray:
        co, si = np.cos(turn), np.sin(turn)
        r = (np.abs(co / (a + out)) ** power + np.abs(si / (c + out)) ** power) ** (-1 / power)
        return np.stack([co * r, y + 0 * r, si * r], 1)

    grey = palette.between(0.06, 0.4)
    concrete, cloth = palette.paint((grey, grey, grey), 0.02), palette.paint()
    things += _field(palette, a, c)
    out, y = 1.5, 1.2
    things.append(grid(np.stack([ring(out, y + 0.5), ring(out, 0.0)]), palette.paint(), smooth=False))
    for deck in range(decks):
        rows, tread, step = int(palette.rng.integers(7, 15)), b(0.8, 1.0), b(0.35, 0.45) + 0.12 * deck
        for _ in range(rows):
            things.append(
                grid(
                    np.stack([ring(out, y), ring(out + tread, y), ring(out + tread, y + step)]), concrete, smooth=False
                )
            )
            seats.append((out + tread * 0.6, y))
            out, y = out + tread, y + step
        lip = [ring(out, y), ring(out, y + 2.6), ring(out - 2.0, y + 2.6), ring(out - 2.0, y + 3.7)]
        things.append(grid(np.stack(lip if deck < decks - 1 else lip[:2]), palette.paint(), smooth=False))
        out, y = out - 2.0, y + 3.0
    things += _tiers(palette, seats, ring, cloth)
    top = y + b(3, 9)
    things.append(grid(np.stack([ring(out + 4, y - 3), ring(out + 4, top + 4)]), concrete, smooth=False))
    lamps = _arena_roof(palette, things, (a + out + 4, c + out + 4, top))
    views, steps = [], len(seats)
    for k in range(6):
        inset, level = seats[int(palette.rng.integers(steps // 4, steps))]
        eye = ring(inset, level + b(1.1, 1.7), np.array([b(0, 2 * pi)]))[0]
        if k == 5:
            eye = np.array([b(-0.7, 0.7) * a, b(1.2, 1.8), b(-0.7, 0.7) * c])
        across = (-eye[0] * b(-0.2, 0.9), b(0.0, 0.6) * y, -eye[2] * b(-0.2, 0.9))
        views.append(look(palette, tuple(eye), across, 0.04))
    g = b(0.02, 0.12)
    return Stage("arena", merge(things), views, NIGHT, lamps, (g, g, g))


def _tiers(
    palette: Palette, seats: list[tuple[float, float]], ring: Callable[..., np.ndarray], cloth: Material
) -> Thing:
    """Seats on the tiers, those of far rows as strips, and a crowd of heads and shoulders on some."""
    made, full = Thing(), palette.one_of(0.0, 0.3, 0.6, 1.0)
    spots, yaws = [], []
    for inset, y in seats:
        fine = ring(inset, y, np.linspace(0, 2 * pi, 700))
        length = np.concatenate([[0], np.linalg.norm(np.diff(fine, axis=0), axis=1).cumsum()])
        at = np.arange(0, length[-1], 1.1)
        at = at[at % 13.2 > 1.5]
        spots.append(np.stack([np.interp(at, length, fine[:, i]) for i in range(3)], 1))
        yaws.append(np.arctan2(-spots[-1][:, 0], -spots[-1][:, 2]))
    at, yaw = np.concatenate(spots), np.concatenate(yaws)
    pick = palette.rng.permutation(len(at))[:2300]
    at, yaw = at[pick], yaw[pick]
    chair = [
        quads(
            [
                [(-0.5, 0.8, -0.2), (-0.5, 0.4, -0.15), (0.5, 0.4, -0.15), (0.5, 0.8, -0.2)],
                [(-0.5, 0.42, -0.2), (-0.5, 0.42, 0.25), (0.5, 0.42, 0.25), (0.5, 0.42, -0.2)],
            ],
            cloth,
        )
    ]
    made += copies(chair, at, yaw)
    for _ in range(4):
        some = palette.rng.random(len(at)) < full / 8
        if not some.any():
            continue
        who = [
            boxes([(-0.2, 0.4, 0.0)], (0.42, 0.6, 0.25), palette.fabric()),
            ellipsoid((0.1, 0.13, 0.11), palette.skin(), sides=5, at=(-0.2, 1.15, 0)),
        ]
        made += copies(who, at[some][:160], yaw[some][:160])
    return made


def _field(palette: Palette, a: float, c: float) -> Thing:
    """The ground of an arena with its lines, and a few players."""
    kind = int(palette.rng.integers(3))
    ground = (palette.grass(), palette.paint((0.75, 0.78, 0.8), 0.25), palette.parquet())[kind]
    white = palette.paint((0.75, 0.75, 0.75) if kind != 1 else (0.5, 0.05, 0.05), 0.02)
    w, h = 0.6 * a, 0.62 * c
    lines = [
        (0, 0, -h, 2 * w, 0.12),
        (0, 0, h, 2 * w, 0.12),
        (-w, 0, 0, 0.12, 2 * h),
        (w, 0, 0, 0.12, 2 * h),
        (0, 0, 0, 2 * w, 0.12),
    ]
    made: Thing = [floor(2 * a + 6, 2 * c + 6, ground)]
    made.append(boxes([v[:3] for v in lines], [(v[3], 0.012, v[4]) for v in lines], white))
    ring = np.linspace(0, 2 * pi, 25)
    made.append(rods(*(np.stack([np.cos(r) * 4, 0 * r, np.sin(r) * 4], 1) for r in (ring[:-1], ring[1:])), 0.05, white))
    for _ in range(int(palette.rng.integers(0, 8))):
        who = person(palette, detail="far", pose=palette.one_of("run", "stand", "walk"))
        made += place(who, (palette.between(-w, w), 0, palette.between(-h, h)), palette.between(0, 6))
    return made


def _arena_roof(palette: Palette, things: Thing, size: tuple[float, float, float]) -> list[Lamp]:
    """Girders, a roof above them or the open night, lamps, a scoreboard; the lamps are returned."""
    w, d, y = size
    iron, b = palette.metal((0.35, 0.35, 0.36)), palette.between
    x = np.linspace(-w, w, 13)
    for z in np.linspace(-d, d, int(palette.rng.integers(5, 10))):
        low, high = np.stack([x, y + 0 * x, 0 * x + z], 1), np.stack([x, y + 2.2 + 0 * x, 0 * x + z], 1)
        web = np.where(np.arange(13)[:, None] % 2 == 0, low, high)
        things += [parts.chain(p, 0.14, iron, sides=4) for p in (low, high)] + [parts.chain(web, 0.08, iron, sides=4)]
    roof = palette.paint((0.6, 0.6, 0.6), 0.02) if palette.chance(0.3) else palette.paint((0.06, 0.06, 0.07), 0.02)
    things.append(box((2 * w, 0.2, 2 * d), roof, (0, y + 2.4, 0)))
    if palette.chance(0.5):
        board = palette.light(palette.hue(0.5, 0.8), 1.5)
        side = replace(board, pattern="print", second=(0.02, 0.02, 0.02), frequency=0.8)
        things += [box((6, 3.5, 6), side, (0, y - 5, 0)), rods([(0, y - 2, 0)], [(0, y, 0)], 0.1, iron)]
    colour, lamps = warm(palette, y * y * b(0.12, 0.3)), list[Lamp]()
    for x_ in (-0.5, 0.5):
        for z_ in (-0.6, 0.0, 0.6):
            at = (x_ * w, y - 0.4, z_ * d)
            things.append(box((3, 0.15, 0.8), palette.light(glow=10), (at[0], y - 0.2, at[2])))
            lamps.append(Lamp(at, 0.6, colour))
    return lamps


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "auditorium": (auditorium, 0.25),
    "arena": (arena, 0.09),
}
"""Halls for an audience by name: maker and weight."""
