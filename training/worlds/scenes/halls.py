"""Larger rooms: corridors, columned halls, stairs, shops, libraries, attics, galleries, class rooms, stores."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, box, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, furniture, lamps, objects, pots
from training.worlds.parts.cabinets import bookshelf_sized, shop_rack
from training.worlds.parts.crates import carton, crate
from training.worlds.parts.many import boxes, copies, quads
from training.worlds.scenes.eyes import camera, indoors
from training.worlds.scenes.nave import hall, stairwell
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
        maker = palette.one_of(
            decor.radiator, furniture.bench, pots.plant, furniture.chair, decor.coat_rack, furniture.drawers, carton
        )
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
        eye = (
            palette.between(-0.3, 0.3) * room.width,
            palette.between(0.8, 1.8),
            end * palette.between(0.2, 0.46) * long,
        )
        if room.obstacles.clear(eye, 0.2):
            views.append(
                camera(
                    palette, eye, (palette.rng.normal() * 0.4, eye[1] + palette.rng.normal() * 0.4, eye[2] - end * 4)
                )
            )
    return room.stage("corridor", views + room.cameras(3, 1.0))


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
                if count < 7:
                    count += room.put(racks[i], (float(x) + 0.28 * sign, 0, z * wide[i]), sign * pi / 2)
    room.strew((crate, carton, objects.basket), int(palette.rng.integers(0, 6)))
    for _ in range(2):
        table = dressed(
            palette,
            furniture.dining_table(palette),
            (*objects.FOODS[:6], crate, objects.pack),
            int(palette.rng.integers(3, 8)),
        )
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
    count = 0
    for wall in (0, 1, 3):
        x = -room.length(wall) / 2 + 0.4
        while x < room.length(wall) / 2 - 0.4 and count < 10:
            case = cases[int(palette.rng.integers(3))]
            wide = float(np.ptp([b[0] for b in bounds(case)]))
            count += room.against(wall, case, x + wide / 2) is not None
            x += wide + 0.02
    if room.width > 5 and count < 8:
        for z in np.arange(-room.depth / 2 + 2.5, room.depth / 2 - 2.0, palette.between(1.6, 2.4)):
            for sign in (-1, 1):
                for x in (-0.6, 0.6):
                    room.put(
                        cases[int(palette.rng.integers(3))],
                        (x * 1.2, 0, float(z) + 0.17 * sign),
                        0.0 if sign > 0 else pi,
                    )
    for _ in range(int(palette.rng.integers(1, 4))):
        table = dressed(
            palette,
            furniture.dining_table(palette),
            (objects.book, objects.book_stack, objects.papers, lamps.table_lamp),
            int(palette.rng.integers(2, 7)),
        )
        room.put(
            table,
            (palette.between(-0.3, 0.3) * room.width, 0, palette.between(-0.3, 0.4) * room.depth),
            palette.between(0, 3),
        )
    room.strew(
        (furniture.chair, furniture.armchair, furniture.stool, objects.book_stack), int(palette.rng.integers(1, 7))
    )
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
        corners = [
            (a[0], a[1], -sign * d / 2),
            (b[0], b[1], -sign * d / 2),
            (b[0], b[1], sign * d / 2),
            (a[0], a[1], sign * d / 2),
        ]
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
    room.strew(
        (*objects.FLOOR, furniture.chair, furniture.armchair, furniture.coffee_table), int(palette.rng.integers(2, 8))
    )
    room.light(per_lamp=30)
    room.shell()
    views = indoors(
        palette, (-w * 0.22, 0.8, -d / 2 + 0.3), (w * 0.22, 1.8, d / 2 - 0.3), room.obstacles, 5, (-0.5, 0.3)
    )
    return room.stage("attic", views)


def gallery(palette: Palette) -> Stage:
    """Pictures on plain walls: paintings must stay flat."""
    room = Room(palette, palette.between(4, 9), palette.between(5, 12), palette.between(2.8, 4.5))
    room.door(2)
    for wall in range(4):
        for _ in range(int(palette.rng.integers(2, 9))):
            room.hang(wall, decor.picture(palette, palette.between(0.3, 2.2)), None)
    room.strew((furniture.bench, pots.plant), int(palette.rng.integers(0, 3)))
    for _ in range(int(palette.rng.integers(0, 4))):
        plinth: Thing = [
            box((0.4, 1.05, 0.4), palette.paint((0.75, 0.75, 0.74))),
            *place(objects.DECOR[int(palette.rng.integers(3))](palette), (0, 1.05, 0)),
        ]
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
    seat, table = (
        furniture.chair(palette),
        furniture.desk(palette) if palette.chance(0.5) else furniture.round_table(palette),
    )
    low, high = bounds(table)
    step_x, step_z = (
        float(high[0] - low[0]) + palette.between(0.5, 1.0),
        float(high[2] - low[2]) + palette.between(0.8, 1.3),
    )
    for x in np.arange(-room.width / 2 + 1, room.width / 2 - 0.8, step_x)[:5]:
        for z in np.arange(-room.depth / 2 + 1.8, room.depth / 2 - 0.8, step_z)[:7]:
            at = np.array([x, 0, z]) + palette.rng.normal(size=3) * np.array([0.03, 0, 0.03])
            if room.put(table, at, palette.rng.normal() * 0.03):
                room.put(
                    seat,
                    at
                    + np.array([palette.rng.normal() * 0.06, 0, (high[2] - low[2]) / 2 + palette.between(0.0, 0.25)]),
                    pi + palette.rng.normal() * 0.2,
                    force=abs(at[2]) < room.depth / 2 - 1.0,
                )
    board = (
        replace(palette.paint((0.02, 0.06, 0.04)), shine=0.05)
        if palette.chance(0.5)
        else palette.paint((0.8, 0.8, 0.8))
    )
    room.hang(0, [box((2.8, 1.2, 0.03), board, (0, 0, 0.015))], 0.9, 0.0)
    for _ in range(int(palette.rng.integers(0, 5))):
        room.hang(int(palette.rng.integers(4)), decor.picture(palette))
        room.against(
            int(palette.rng.integers(4)), furniture.bookshelf(palette) if palette.chance(0.4) else pots.plant(palette)
        )
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
