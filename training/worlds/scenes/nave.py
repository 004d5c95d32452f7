"""High rooms: columned halls with arches and vaults, and flights of stairs."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, grid, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, furniture, objects, pots
from training.worlds.parts.crates import carton
from training.worlds.parts.many import boxes, copies
from training.worlds.scenes.eyes import camera, indoors
from training.worlds.scenes.room import Room
from training.worlds.stage import Stage


def _arch(width: float, spring: float, top: float, thick: float, stuff: Material) -> Thing:
    """The wall above a round arch between two supports, in the plane z = 0."""
    angle = np.linspace(pi, 0, 13)
    x, y = np.cos(angle) * width / 2, spring + np.sin(angle) * min(width / 2, top - spring - 0.1)
    made: Thing = []
    for z, flip in ((thick / 2, False), (-thick / 2, True)):
        low, high = np.stack([x, y, 0 * x + z], 1), np.stack([x, 0 * x + top, 0 * x + z], 1)
        face = np.stack([high, low] if not flip else [low, high])
        made.append(grid(face, stuff, uv=face[..., :2], smooth=False))
    under = np.stack([np.stack([x, y, 0 * x - thick / 2], 1), np.stack([x, y, 0 * x + thick / 2], 1)])
    return [*made, grid(under, stuff)]


def _column(palette: Palette, high: float, radius: float, stuff: Material) -> Thing:
    if palette.chance(0.3):
        return [
            box((2 * radius, high, 2 * radius), stuff),
            boxes([(0, 0, 0), (0, high - 0.25, 0)], (2.5 * radius, 0.25, 2.5 * radius), stuff),
        ]
    body = [
        (radius * 1.35, 0),
        (radius * 1.35, 0.12),
        (radius * 1.1, 0.2),
        (radius, 0.35),
        (radius * 0.9, high - 0.5),
        (radius * 1.0, high - 0.4),
        (radius * 1.3, high - 0.2),
    ]
    return [lathe(body, stuff, sides=18), box((2.7 * radius, 0.22, 2.7 * radius), stuff, (0, high - 0.22, 0))]


def hall(palette: Palette) -> Stage:
    """A high room with columns, arches, a vault; benches, statues, or empty: churches, museums, stations."""
    high = palette.between(4, 14)
    room = Room(palette, palette.between(7, 20), palette.between(10, 40), high)
    stone = palette.one_of(palette.masonry, palette.wall, palette.rock)()  # type: ignore[operator]
    room.wall = stone if palette.chance(0.6) else room.wall
    aisle, bay = room.width * palette.between(0.22, 0.36), palette.between(2.5, 5.5)
    spring, radius = high * palette.between(0.4, 0.6), palette.between(0.15, 0.5)
    z = np.arange(-room.depth / 2 + bay / 2, room.depth / 2, bay)
    arched, column_palette = palette.chance(0.6), palette.rng.integers(1 << 30)
    column = _column(
        Palette(np.random.default_rng(column_palette), palette.tiles), spring if arched else high, radius, stone
    )
    for sign in (-1, 1):
        for at in z:
            room.put(column, (sign * aisle, 0, float(at)), force=True)
        if arched:
            bow = place(_arch(bay - 1.6 * radius, spring, high, radius * 1.6, stone), yaw=pi / 2)
            strip = box((radius * 1.6, high - spring, radius * 1.6), stone, (0, spring, 0))
            room.things += copies(bow, np.stack([0 * z + sign * aisle, 0 * z, z + bay / 2], 1))
            room.things += copies([strip], np.stack([0 * z + sign * aisle, 0 * z, z], 1))
    for wall in range(4):
        for _ in range(int(palette.rng.integers(0, 5))):
            w, h = palette.between(0.8, 2.5), palette.between(1.5, high * 0.5)
            hole = (
                palette.between(-0.45, 0.45) * (room.length(wall) - w) - w / 2,
                palette.between(1.5, high - h - 0.3),
                w,
                h,
            )
            if (
                not any(hole[0] < o[0] + o[2] + 0.1 and o[0] < hole[0] + w + 0.1 for o in room.holes[wall])
                and abs(hole[0]) + w < room.length(wall) / 2
            ):
                room.holes[wall].append(hole)
                room.windows.append(wall)
    if palette.chance(0.5):
        _vault(room, aisle, high, stone)
    bench = furniture.bench(palette)
    if palette.chance(0.45):
        for sign in (-1, 1):
            rows = np.arange(-room.depth * 0.3, room.depth * 0.35, palette.between(0.9, 1.2))[:14]
            for at in rows:
                room.put(bench, (sign * aisle * 0.5, 0, float(at)), pi, force=True)
    for _ in range(int(palette.rng.integers(0, 8))):
        statue = place(objects.figurine(palette), scale=palette.between(3, 6))
        plinth: Thing = [box((0.7, 1.0, 0.7), stone), *place(statue, (0, 1.0, 0))]
        room.against(int(palette.rng.integers(4)), plinth if palette.chance(0.5) else pots.plant(palette))
    for _ in range(int(palette.rng.integers(0, 8))):
        room.hang(
            int(palette.rng.integers(4)), decor.picture(palette, palette.between(0.8, 3)), palette.between(1.2, 2.0)
        )
    room.strew((furniture.chair, furniture.bench, pots.plant), int(palette.rng.integers(0, 6)))
    room.light(per_lamp=palette.between(16, 50), lit=palette.chance(0.6))
    room.shell(ceiling=stone if palette.chance(0.4) else None)
    w, d = room.width / 2 - 0.5, room.depth / 2 - 0.5
    views = indoors(palette, (-w, 1.2, -d), (w, 1.9, d), room.obstacles, 5, (-0.2, 0.3))
    return room.stage("hall", views)


def _vault(room: Room, aisle: float, high: float, stuff: Material) -> None:
    """A half-round ceiling over the middle of a hall."""
    angle = np.linspace(0, pi, 15)
    rise = min(aisle, high * 0.4)
    x, y = np.cos(angle) * aisle, high - rise + np.sin(angle) * rise
    ends = np.array([-room.depth / 2, room.depth / 2])
    points = np.stack(
        [
            np.broadcast_to(x[:, None], (15, 2)),
            np.broadcast_to(y[:, None], (15, 2)) - 0.05,
            np.broadcast_to(ends[None], (15, 2)),
        ],
        -1,
    )
    room.things.append(grid(points, stuff))


def stairwell(palette: Palette) -> Stage:
    """A flight of stairs between two storeys, from below, from the middle, from above."""
    rise, run, steps = palette.between(0.15, 0.2), palette.between(0.25, 0.32), int(palette.rng.integers(9, 19))
    up, long, width = steps * rise, steps * run, palette.between(0.9, 2.4)
    room = Room(
        palette, width + palette.between(0.1, 4.0), long + palette.between(3.5, 6), up + palette.between(2.3, 2.9)
    )
    side = float(palette.rng.choice([-1, 1]))
    x = side * (room.width - width) / 2 * palette.between(0.6, 1)
    foot = room.depth / 2 - palette.between(1.4, 2.2)
    flight = decor.stairs(palette, width, steps, rise, run)
    room.put(flight, (x, 0, foot), force=True)
    back = foot - long
    deep = room.depth / 2 + back
    landing = box((room.width, up, deep), room.wall if palette.chance(0.5) else palette.wall(), (0, 0, 0))
    room.put(
        [landing, box((room.width, 0.03, deep + 0.02), palette.parquet(), (0, up, 0))],
        (0, 0, -room.depth / 2 + deep / 2),
        force=True,
    )
    rail = palette.metal()
    posts = np.array([v for v in np.arange(-room.width / 2, room.width / 2, 0.12) if abs(v - x) > width / 2])
    if len(posts):
        o = 0 * posts
        room.put([boxes(np.stack([posts, o + up, o + back], 1), (0.015, 0.95, 0.015), rail)], (0, 0, 0), force=True)
    for wall in range(4):
        if palette.chance(0.4):
            room.window(wall)
    room.hang(1, decor.picture(palette), 1.5)
    for _ in range(int(palette.rng.integers(0, 6))):
        room.hang(int(palette.one_of(1, 3, 2)), decor.picture(palette), palette.between(1.2, up + 1.6))
    row = (pots.plant, furniture.drawers, furniture.bench, decor.coat_rack, carton)
    for _ in range(int(palette.rng.integers(0, 4))):
        room.against(int(palette.one_of(1, 2, 3)), row[int(palette.rng.integers(len(row)))](palette))
    room.light()
    room.shell()
    views = []
    for _ in range(5):
        t = palette.between(0.1, 0.9)
        kind = int(palette.rng.integers(3))
        if kind == 0:
            eye, aim = (
                (x + palette.between(-0.4, 0.4) * width, palette.between(0.7, 1.8), foot + palette.between(0.7, 1.3)),
                (x, up * palette.between(0.2, 0.8), foot - long * 0.6),
            )
        elif kind == 1:
            eye, aim = (
                (x, up + palette.between(1.2, 1.7), back - palette.between(0.2, max(0.3, deep - 0.4))),
                (x, up * 0.3, foot),
            )
        else:
            eye, aim = (
                (x, t * up + palette.between(1.3, 1.7), foot - t * long),
                (x, palette.between(0.0, 1.2) * up, foot - (long if palette.chance(0.5) else -0.5)),
            )
        views.append(camera(palette, eye, np.asarray(aim) + palette.rng.normal(size=3) * 0.2))
    return room.stage("stairs", views)
