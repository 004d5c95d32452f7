"""Rooms to work in: offices, studies, rooms stuffed with things."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, box, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, furniture, objects, pots
from training.worlds.parts.cabinets import bookshelf_sized, wall_shelf
from training.worlds.parts.devices import keyboard, laptop, monitor, mouse
from training.worlds.parts.many import boxes
from training.worlds.parts.shapes import ahead, clutter
from training.worlds.scenes.outfit import adorn, openings, row
from training.worlds.scenes.room import Room
from training.worlds.stage import Stage


def workplace(palette: Palette) -> Thing:
    """A desk with screens, keyboard, papers; its user sits at +z."""
    made = furniture.desk(palette)
    low, high = bounds(made[:1])
    top, w, d = float(bounds(made)[1][1]), float(high[0] - low[0]), float(high[2] - low[2])
    count = int(palette.rng.choice([0, 1, 1, 2, 2]))
    for i in range(count):
        x = (i - (count - 1) / 2) * 0.6
        made += place(monitor(palette), (x, top, -d / 2 + 0.2), -x * palette.between(0.2, 0.6))
    if count == 0 or palette.chance(0.2):
        made += place(laptop(palette), (palette.rng.normal() * 0.15, top, 0.05), palette.rng.normal() * 0.2)
    if count:
        made += place(keyboard(palette), (palette.rng.normal() * 0.05, top, d / 2 - 0.17)) + place(
            mouse(palette), (0.33, top, d / 2 - 0.17)
        )
    for sign in (-1, 1):
        side = clutter(palette, objects.DESK, w * 0.26, d * 0.85, int(palette.rng.integers(0, 6)))
        made += place(side, (sign * w * 0.35, top, 0))
    return made


def office(palette: Palette) -> Stage:
    """Desks in rows or cubicles, with chairs; shelves and cupboards along the walls."""
    room = Room(palette, palette.between(3.2, 9), palette.between(3.2, 10), palette.between(2.5, 3.2))
    openings(room, int(palette.rng.integers(0, 5)))
    seed, mixed = palette.rng.integers(1 << 30), palette.chance(0.4)
    nx, nz = max(1, int(room.width / 2.4)), max(1, int(room.depth / 2.4))
    cubicle = palette.chance(0.3)
    screen_stuff = palette.fabric()
    for i in range(min(nx, 3)):
        for j in range(min(nz, 3)):
            at = np.array([((i + 0.5) / nx - 0.5) * room.width, 0, ((j + 0.5) / nz - 0.5) * room.depth])
            yaw = (0.0 if (j % 2 == 0 or cubicle) else pi) + (palette.rng.normal() * 0.05 if mixed else 0)
            desk = workplace(palette if mixed else Palette(np.random.default_rng([seed, i + 3 * j]), palette.tiles))
            if cubicle:
                high = palette.between(1.15, 1.5)
                desk = [
                    *desk,
                    boxes(
                        [(0, 0, -0.5), (-1.0, 0, 0.1), (1.0, 0, 0.1)],
                        [(2.0, high, 0.05), (0.05, high, 1.2), (0.05, high, 1.2)],
                        screen_stuff,
                    ),
                ]
            if room.put(desk, at, yaw):
                seat = furniture.office_chair(palette) if palette.chance(0.8) else furniture.chair(palette)
                where = at + ahead(yaw) * palette.between(0.6, 0.9)
                room.put(
                    seat,
                    where,
                    yaw + pi + palette.rng.normal() * 0.5,
                    force=abs(where[0]) < room.width / 2 - 0.35 and abs(where[2]) < room.depth / 2 - 0.35,
                )
    row(
        room,
        (furniture.bookshelf, furniture.wardrobe, furniture.drawers, furniture.sideboard, pots.plant, objects.printer),
        int(palette.rng.integers(2, 6)),
    )
    adorn(room, 5)
    if palette.chance(0.3):
        room.hang(
            int(palette.rng.integers(4)), [box((1.8, 1.1, 0.02), palette.paint((0.8, 0.8, 0.8)), (0, 0, 0.01))], 0.9
        )
    room.strew((*objects.FLOOR, furniture.stool), int(palette.rng.integers(0, 4)))
    room.light(per_lamp=palette.between(5, 10), hang=False)
    room.shell()
    return room.stage("office")


def study(palette: Palette) -> Stage:
    """A small room stuffed with shelves, a desk, things: workshops, childrens' rooms, box rooms."""
    room = Room(palette, palette.between(2.2, 4.0), palette.between(2.4, 4.5), palette.between(2.3, 2.8))
    openings(room, 1)
    room.against(int(palette.rng.integers(4)), workplace(palette))
    for _ in range(int(palette.rng.integers(1, 4))):
        shelf = bookshelf_sized(
            palette,
            palette.between(0.6, 1.6),
            palette.between(1.0, 2.2),
            0.32,
            palette.one_of(objects.DECOR, objects.TOYS, objects.WORKSHOP),
        )  # type: ignore[arg-type]
        room.against(int(palette.rng.integers(4)), shelf)
    row(room, (*furniture.AT_WALL, furniture.bicycle), int(palette.rng.integers(1, 4)))
    for _ in range(2):
        room.hang(
            int(palette.rng.integers(4)),
            palette.one_of(wall_shelf, decor.coat_rack)(palette),
            palette.between(0.9, 1.5),
        )  # type: ignore[operator]
    adorn(room, 6)
    room.strew(
        (*objects.FLOOR, *objects.TOYS, furniture.chair, furniture.office_chair), int(palette.rng.integers(3, 14))
    )
    room.light()
    room.shell()
    return room.stage("study")
