"""Larger rooms: corridors, columned halls, stairs, shops, libraries, attics, galleries, class rooms, stores."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, box, grid, lathe, place
from training.worlds.palette import Material, Palette
from training.worlds.parts import decor, furniture, objects
from training.worlds.parts.cabinets import bookshelf_sized, carton, crate, shop_rack
from training.worlds.parts.many import boxes, copies, quads
from training.worlds.scenes.eyes import camera, indoors
from training.worlds.scenes.room import Room, dressed
from training.worlds.stage import Stage


def corridor(palette: Palette) -> Stage:
    """A long narrow room with doors on both sides and lamps above."""
    long = palette.between(6, 26)
    room = Room(palette, palette.between(1.2, 3.0), long, palette.between(2.3, 3.4))
    gap = palette.between(1.6, 4.0)
    for wall in (1, 3):
        for x in np.arange(-long / 2 + 1.0, long / 2 - 1.0, gap):
            if palette.chance(0.75):
                room.door(wall, float(x + palette.between(0, 0.4)))
            elif palette.chance(0.3):
                room.window(wall)
    for wall in (0, 2):
        if palette.chance(0.7):
            room.door(wall, 0.0)
        elif palette.chance(0.5):
            room.window(wall)
    for _ in range(int(palette.rng.integers(0, 7))):
        maker = palette.one_of(decor.radiator, furniture.bench, decor.plant, furniture.chair, decor.coat_rack, furniture.drawers, carton)
        room.against(int(palette.one_of(1, 3)), maker(palette))  # type: ignore[operator]
    for _ in range(int(palette.rng.integers(0, 8))):
        room.hang(int(palette.one_of(1, 3)), decor.picture(palette))
    if palette.chance(0.3):
        room.put([box((room.width * 0.5, 0.01, long * 0.8), palette.fabric())], (0, 0, 0), solid=False)
    room.light(per_lamp=palette.between(4, 14), lit=palette.chance(0.8), hang=palette.chance(0.3))
    room.shell()
    views = []
    for _ in range(3):
        end = float(palette.rng.choice([-1, 1]))
        eye = (palette.between(-0.3, 0.3) * room.width, palette.between(0.8, 1.8), end * palette.between(0.2, 0.46) * long)
        if room.obstacles.clear(eye, 0.2):
            views.append(camera(palette, eye, (palette.rng.normal() * 0.4, eye[1] + palette.rng.normal() * 0.4, eye[2] - end * 4)))
    return room.stage("corridor", views + room.cameras(3, 1.0))


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
        return [box((2 * radius, high, 2 * radius), stuff), boxes([(0, 0, 0), (0, high - 0.25, 0)], (2.5 * radius, 0.25, 2.5 * radius), stuff)]
    body = [(radius * 1.35, 0), (radius * 1.35, 0.12), (radius * 1.1, 0.2), (radius, 0.35), (radius * 0.9, high - 0.5), (radius * 1.0, high - 0.4), (radius * 1.3, high - 0.2)]
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
    column = _column(Palette(np.random.default_rng(column_palette), palette.tiles), spring if arched else high, radius, stone)
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
            hole = (palette.between(-0.45, 0.45) * (room.length(wall) - w) - w / 2, palette.between(1.5, high - h - 0.3), w, h)
            if not any(hole[0] < o[0] + o[2] + 0.1 and o[0] < hole[0] + w + 0.1 for o in room.holes[wall]) and abs(hole[0]) + w < room.length(wall) / 2:
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
        room.against(int(palette.rng.integers(4)), plinth if palette.chance(0.5) else decor.plant(palette))
    for _ in range(int(palette.rng.integers(0, 8))):
        room.hang(int(palette.rng.integers(4)), decor.picture(palette, palette.between(0.8, 3)), palette.between(1.2, 2.0))
    room.strew((furniture.chair, furniture.bench, decor.plant), int(palette.rng.integers(0, 6)))
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
    points = np.stack([np.broadcast_to(x[:, None], (15, 2)), np.broadcast_to(y[:, None], (15, 2)) - 0.05, np.broadcast_to(ends[None], (15, 2))], -1)
    room.things.append(grid(points, stuff))


def stairwell(palette: Palette) -> Stage:
    """A flight of stairs between two storeys, from below, from the middle, from above."""
    rise, run, steps = palette.between(0.15, 0.2), palette.between(0.25, 0.32), int(palette.rng.integers(9, 19))
    up, long, width = steps * rise, steps * run, palette.between(0.9, 2.4)
    room = Room(palette, width + palette.between(0.1, 4.0), long + palette.between(3.5, 6), up + palette.between(2.3, 2.9))
    side = float(palette.rng.choice([-1, 1]))
    x = side * (room.width - width) / 2 * palette.between(0.6, 1)
    foot = room.depth / 2 - palette.between(1.4, 2.2)
    flight = decor.stairs(palette, width, steps, rise, run)
    room.put(flight, (x, 0, foot), force=True)
    back = foot - long
    deep = room.depth / 2 + back
    landing = box((room.width, up, deep), room.wall if palette.chance(0.5) else palette.wall(), (0, 0, 0))
    room.put([landing, box((room.width, 0.03, deep + 0.02), palette.parquet(), (0, up, 0))], (0, 0, -room.depth / 2 + deep / 2), force=True)
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
    row = (decor.plant, furniture.drawers, furniture.bench, decor.coat_rack, carton)
    for _ in range(int(palette.rng.integers(0, 4))):
        room.against(int(palette.one_of(1, 2, 3)), row[int(palette.rng.integers(len(row)))](palette))
    room.light()
    room.shell()
    views = []
    for _ in range(5):
        t = palette.between(0.1, 0.9)
        kind = int(palette.rng.integers(3))
        if kind == 0:
            eye, aim = (x + palette.between(-0.4, 0.4) * width, palette.between(0.7, 1.8), foot + palette.between(0.7, 1.3)), (x, up * palette.between(0.2, 0.8), foot - long * 0.6)
        elif kind == 1:
            eye, aim = (x, up + palette.between(1.2, 1.7), back - palette.between(0.2, max(0.3, deep - 0.4))), (x, up * 0.3, foot)
        else:
            eye, aim = (x, t * up + palette.between(1.3, 1.7), foot - t * long), (x, palette.between(0.0, 1.2) * up, foot - (long if palette.chance(0.5) else -0.5))
        views.append(camera(palette, eye, np.asarray(aim) + palette.rng.normal(size=3) * 0.2))
    return room.stage("stairs", views)


def shop(palette: Palette) -> Stage:
    """Aisles between racks of goods."""
    room = Room(palette, palette.between(4, 8), palette.between(5, 10), palette.between(2.6, 4.0))
    if palette.chance(0.5):
        room.window(2)
    racks = [shop_rack(palette) for _ in range(3)]
    wide = [float(bounds(r)[1][0] - bounds(r)[0][0]) for r in racks]
    count = 0
    for wall in (0, 1, 3):
        x = -room.length(wall) / 2 + 0.7
        while x < room.length(wall) / 2 - 0.7 and count < 7:
            i = int(palette.rng.integers(len(racks)))
            count += room.against(wall, racks[i], x + wide[i] / 2) is not None
            x += wide[i] + 0.01
    gap = palette.between(1.8, 2.4)
    for x in np.arange(-room.width / 2 + 1.9, room.width / 2 - 1.7, gap):
        for z in (-0.7, 0.7):
            i = int(palette.rng.integers(len(racks)))
            for sign in (-1, 1):
                if count < 11:
                    count += room.put(racks[i], (float(x) + 0.28 * sign, 0, z * wide[i]), sign * pi / 2)
    room.strew((crate, carton, objects.basket), int(palette.rng.integers(0, 6)))
    for _ in range(2):
        table = dressed(palette, furniture.dining_table(palette), (*objects.FOODS[:6], crate, objects.pack), int(palette.rng.integers(3, 8)))
        room.put(table, (palette.between(-1, 1), 0, palette.between(0, 0.4) * room.depth), palette.between(0, 3))
    room.light(per_lamp=palette.between(4, 9), lit=True, hang=False)
    room.shell()
    return room.stage("shop", room.cameras(5, 1.1))


def library(palette: Palette) -> Stage:
    """Walls and aisles of books."""
    room = Room(palette, palette.between(3.5, 8), palette.between(4, 12), palette.between(2.5, 4.5))
    if palette.chance(0.6):
        room.window(int(palette.rng.integers(4)))
    room.door(2)
    high = min(room.height - 0.2, palette.between(1.9, 3.4))
    cases = [bookshelf_sized(palette, palette.between(0.8, 1.3), high, palette.between(0.25, 0.32)) for _ in range(3)]
    for wall in (0, 1, 3):
        x = -room.length(wall) / 2 + 0.4
        while x < room.length(wall) / 2 - 0.4:
            case = cases[int(palette.rng.integers(3))]
            wide = float(np.ptp([b[0] for b in bounds(case)]))
            room.against(wall, case, x + wide / 2)
            x += wide + 0.02
    if room.width > 5:
        for z in np.arange(-room.depth / 2 + 2.5, room.depth / 2 - 2.0, palette.between(1.6, 2.4)):
            for sign in (-1, 1):
                for x in (-0.6, 0.6):
                    room.put(cases[int(palette.rng.integers(3))], (x * 1.2, 0, float(z) + 0.17 * sign), 0.0 if sign > 0 else pi)
    for _ in range(int(palette.rng.integers(1, 4))):
        table = dressed(palette, furniture.dining_table(palette), (objects.book, objects.book_stack, objects.papers, decor.table_lamp), int(palette.rng.integers(2, 7)))
        room.put(table, (palette.between(-0.3, 0.3) * room.width, 0, palette.between(-0.3, 0.4) * room.depth), palette.between(0, 3))
    room.strew((furniture.chair, furniture.armchair, furniture.stool, objects.book_stack), int(palette.rng.integers(1, 7)))
    room.light()
    room.shell()
    return room.stage("library")


def attic(palette: Palette) -> Stage:
    """A room under a slanted roof, with beams."""
    room = Room(palette, palette.between(3.5, 7), palette.between(4, 9), palette.between(2.6, 3.8))
    w, d, h, knee = room.width, room.depth, room.height, palette.between(0.4, 1.3)
    room.window(0)
    room.door(2)
    stuff = palette.wood() if palette.chance(0.5) else palette.paint((0.72, 0.71, 0.68))
    beam = palette.wood()
    z = np.arange(-d / 2 + 0.5, d / 2, palette.between(0.8, 1.6))
    long, angle = float(np.hypot(w / 2, h - knee)), float(np.arctan2(h - knee, w / 2))
    for sign in (-1, 1):
        a, b = (sign * w / 2, knee), (0.0, h - 0.01)
        corners = [(a[0], a[1], -sign * d / 2), (b[0], b[1], -sign * d / 2), (b[0], b[1], sign * d / 2), (a[0], a[1], sign * d / 2)]
        room.things.append(quads([corners], stuff))
        if palette.chance(0.6):
            bar = place([box((long, 0.16, 0.1), beam, (0, -0.14, 0))], roll=-sign * angle)
            room.things += copies(bar, np.stack([0 * z + sign * w / 4, 0 * z + (h + knee) / 2, z], 1))
    if palette.chance(0.5):
        tie = np.stack([0 * z[::2], 0 * z[::2] + h * 0.78, z[::2]], 1)
        room.put([boxes(tie, (w * 0.5, 0.14, 0.1), beam)], (0, 0, 0), force=True)
    low_things = (furniture.drawers, furniture.sideboard, carton, furniture.bench, furniture.pouf, crate)
    for _ in range(int(palette.rng.integers(3, 10))):
        thing = palette.one_of(*low_things)(palette)  # type: ignore[operator]
        x = (w / 2 - 0.8) * float(palette.rng.choice([-1, 1]))
        if float(bounds(thing)[1][1]) < knee + 0.3:
            room.put(thing, (x, 0, palette.between(-0.4, 0.4) * d), -np.sign(x) * pi / 2)
    room.against(0, furniture.bed(palette) if palette.chance(0.5) else furniture.desk(palette))
    room.strew((*objects.FLOOR, furniture.chair, furniture.armchair, furniture.coffee_table), int(palette.rng.integers(2, 8)))
    room.light(per_lamp=30)
    room.shell()
    views = indoors(palette, (-w * 0.22, 0.8, -d / 2 + 0.3), (w * 0.22, 1.8, d / 2 - 0.3), room.obstacles, 5, (-0.5, 0.3))
    return room.stage("attic", views)


def gallery(palette: Palette) -> Stage:
    """Pictures on plain walls: paintings must stay flat."""
    room = Room(palette, palette.between(4, 9), palette.between(5, 12), palette.between(2.8, 4.5))
    room.door(2)
    for wall in range(4):
        for _ in range(int(palette.rng.integers(2, 9))):
            room.hang(wall, decor.picture(palette, palette.between(0.3, 2.2)), None)
    room.strew((furniture.bench, decor.plant), int(palette.rng.integers(0, 3)))
    for _ in range(int(palette.rng.integers(0, 4))):
        plinth: Thing = [box((0.4, 1.05, 0.4), palette.paint((0.75, 0.75, 0.74))), *place(objects.DECOR[int(palette.rng.integers(3))](palette), (0, 1.05, 0))]
        room.put(plinth, (palette.between(-0.35, 0.35) * room.width, 0, palette.between(-0.35, 0.35) * room.depth))
    room.light(per_lamp=6, lit=True)
    room.shell()
    views = room.cameras(2, 1.2)
    for _ in range(4):
        wall = int(palette.rng.integers(4))
        along = palette.between(-0.35, 0.35) * room.length(wall)
        aim = room.spot(wall, along, 0.0, palette.between(1.3, 1.7))
        eye = room.spot(wall, along + palette.between(-1.2, 1.2), palette.between(0.9, 2.6), palette.between(1.2, 1.8))
        if abs(eye[0]) < room.width / 2 - 0.2 and abs(eye[2]) < room.depth / 2 - 0.2 and room.obstacles.clear(eye, 0.2):
            views.append(camera(palette, eye, aim))
    return room.stage("gallery", views)


def classroom(palette: Palette) -> Stage:
    """Rows of the same seats or tables: class rooms, cafés, waiting rooms, lecture halls."""
    room = Room(palette, palette.between(4.5, 10), palette.between(5, 12), palette.between(2.6, 4.0))
    for wall in (1, 1, 3):
        if palette.chance(0.6):
            room.window(wall)
    room.door(2)
    seat, table = furniture.chair(palette), furniture.desk(palette) if palette.chance(0.5) else furniture.round_table(palette)
    low, high = bounds(table)
    step_x, step_z = float(high[0] - low[0]) + palette.between(0.5, 1.0), float(high[2] - low[2]) + palette.between(0.8, 1.3)
    for x in np.arange(-room.width / 2 + 1, room.width / 2 - 0.8, step_x)[:5]:
        for z in np.arange(-room.depth / 2 + 1.8, room.depth / 2 - 0.8, step_z)[:7]:
            at = np.array([x, 0, z]) + palette.rng.normal(size=3) * np.array([0.03, 0, 0.03])
            if room.put(table, at, palette.rng.normal() * 0.03):
                room.put(seat, at + np.array([palette.rng.normal() * 0.06, 0, (high[2] - low[2]) / 2 + palette.between(0.0, 0.25)]), pi + palette.rng.normal() * 0.2, force=abs(at[2]) < room.depth / 2 - 1.0)
    board = replace(palette.paint((0.02, 0.06, 0.04)), shine=0.05) if palette.chance(0.5) else palette.paint((0.8, 0.8, 0.8))
    room.hang(0, [box((2.8, 1.2, 0.03), board, (0, 0, 0.015))], 0.9, 0.0)
    for _ in range(int(palette.rng.integers(0, 5))):
        room.hang(int(palette.rng.integers(4)), decor.picture(palette))
        room.against(int(palette.rng.integers(4)), furniture.bookshelf(palette) if palette.chance(0.4) else decor.plant(palette))
    room.light(hang=palette.chance(0.4))
    room.shell()
    return room.stage("classroom", room.cameras(5, 1.0))


SCENES = {
    "corridor": (corridor, 0.8),
    "hall": (hall, 0.8),
    "stairs": (stairwell, 0.6),
    "shop": (shop, 0.7),
    "library": (library, 0.6),
    "attic": (attic, 0.4),
    "gallery": (gallery, 0.4),
    "classroom": (classroom, 0.6),
}
"""Halls by name: maker and weight."""
