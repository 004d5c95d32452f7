"""Rooms of homes and offices, and (from `halls`) the larger rooms of houses, shops and churches."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, furniture, kitchen, lamps, objects, pots
from training.worlds.parts.cabinets import wall_shelf
from training.worlds.parts.devices import television, wall_television
from training.worlds.parts.shapes import ahead, clutter
from training.worlds.parts.tableware import fork, knife, plate, tumbler, wine_glass
from training.worlds.scenes import cathedrals, halls, stagehalls, stairways
from training.worlds.scenes.eyes import orbit
from training.worlds.scenes.outfit import adorn, openings, row
from training.worlds.scenes.room import Room, dressed
from training.worlds.scenes.work import office, study
from training.worlds.stage import Camera, Stage


def living_room(palette: Palette) -> Stage:
    """Sofa, low table, television, shelves."""
    room = Room(palette, palette.between(3.2, 6.5), palette.between(3.2, 7.5), palette.between(2.35, 3.2))
    openings(room, int(palette.rng.integers(0, 4)))
    side = int(palette.rng.integers(4))
    yaw = room.yaw(side)
    stand = dressed(palette, furniture.sideboard(palette), objects.DECOR, int(palette.rng.integers(0, 3)))
    if palette.chance(0.7):
        top = float(bounds(stand[:1])[1][1]) + 0.02
        stand = stand + place(television(palette), (0, top, 0))
    else:
        room.hang(side, wall_television(palette), palette.between(0.9, 1.3))
    at = room.against(side, stand)
    span = room.length((side + 1) % 4)
    out = min(palette.between(2.0, 3.2), span - 1.2)
    middle = room.spot(side, 0.0 if at is None else float(np.dot(at, room.spot(side, 1.0) - room.spot(side, 0.0))), out)
    sofa = furniture.sofa(palette)
    if not room.put(sofa, middle, yaw + pi):
        room.against((side + 2) % 4, sofa)
    table = dressed(
        palette, furniture.coffee_table(palette), objects.TABLE + objects.DECOR, int(palette.rng.integers(0, 7))
    )
    room.put(table, middle - ahead(yaw) * palette.between(0.9, 1.2), yaw)
    if palette.chance(0.65):
        room.put(decor.rug(palette), middle - ahead(yaw) * 0.9, yaw + palette.rng.normal() * 0.05, solid=False)
    for sign in (-1, 1):
        if palette.chance(0.5):
            right = room.spot(side, 1.0) - room.spot(side, 0.0)
            room.put(
                furniture.armchair(palette),
                middle - ahead(yaw) * 1.1 + right * sign * palette.between(1.2, 1.9),
                yaw - sign * palette.between(0.8, 1.7),
            )
        if palette.chance(0.4):
            room.against(int(palette.rng.integers(4)), lamps.floor_lamp(palette, True))
    row(room, furniture.AT_WALL, int(palette.rng.integers(3, 10)))
    adorn(room, 8)
    room.strew((*objects.FLOOR, furniture.pouf, furniture.chair, pots.plant), int(palette.rng.integers(0, 7)))
    room.light()
    room.shell()
    return room.stage("living_room")


def bedroom(palette: Palette) -> Stage:
    """Bed, bedside tables, wardrobe."""
    room = Room(palette, palette.between(2.6, 5.2), palette.between(2.8, 5.5), palette.between(2.3, 3.0))
    openings(room, int(palette.rng.integers(0, 3)))
    for _ in range(2 if palette.chance(0.2) else 1):
        wall = int(palette.rng.integers(4))
        at = room.against(wall, furniture.bed(palette), gap=0.05)
        if at is None:
            continue
        right = room.spot(wall, 1.0) - room.spot(wall, 0.0)
        along = float(np.dot(at, right))
        for sign in (-1, 1):
            small = dressed(
                palette,
                furniture.side_table(palette),
                (*objects.DESK, lamps.table_lamp, lamps.table_lamp),
                int(palette.rng.integers(1, 4)),
            )
            room.against(wall, small, along + sign * palette.between(0.95, 1.3))
    row(
        room,
        (
            furniture.wardrobe,
            furniture.wardrobe,
            furniture.drawers,
            furniture.desk,
            furniture.bookshelf,
            furniture.armchair,
            pots.plant,
        ),
        int(palette.rng.integers(2, 6)),
    )
    if palette.chance(0.5):
        room.put(
            decor.rug(palette),
            (palette.between(-0.5, 0.5), 0, palette.between(-0.5, 0.5)),
            palette.between(-0.1, 0.1),
            solid=False,
        )
    adorn(room, 5)
    room.strew((*objects.FLOOR, furniture.chair), int(palette.rng.integers(1, 8)))
    room.light()
    room.shell()
    return room.stage("bedroom")


def kitchen_room(palette: Palette) -> Stage:
    """Counters along one to three walls, cupboards above, fridge, perhaps a table."""
    room = Room(palette, palette.between(2.2, 5.0), palette.between(2.4, 5.5), palette.between(2.35, 2.9))
    room.door(2)
    room.window(int(palette.one_of(0, 1, 3)))
    maker = palette.rng.integers(1 << 30)
    side = int(palette.one_of(1, 3))
    for wall in (0, side, (side + 2) % 4)[: int(palette.rng.choice([1, 2, 2, 3]))]:
        same = Palette(np.random.default_rng(maker), palette.tiles)
        long = room.length(wall) - 0.05 if wall == 0 else room.length(wall) * palette.between(0.4, 0.8) - 0.65
        tall: Thing = kitchen.fridge(palette) if palette.chance(0.6) else []
        spare = float(np.ptp([b[0] for b in bounds(tall)])) if tall else 0.0
        if long - spare < 0.7:
            continue
        run = long - spare - 0.05
        start = -room.length(wall) / 2 + (0.62 if wall != 0 and wall == 3 else 0.03)
        end = room.length(wall) / 2 - (0.62 if wall == 1 else 0.03)
        x = (start + run / 2) if wall != 1 else (end - run / 2)
        thing = kitchen.counter(same, run, sink=wall == 0 or palette.chance(0.3), stove=palette.chance(0.8))
        top = float(thing[1].vertices[:, 1].max()) + 0.04
        stuff = clutter(palette, objects.KITCHEN, run * 0.95, 0.5, int(palette.rng.integers(2, 12)), 0.75)
        room.put(thing + place(stuff, (0, top, 0)), room.spot(wall, x, 0.32), room.yaw(wall), force=True)
        room.hung[wall].append((x - run / 2, 0, run, 0.95))
        if tall:
            room.against(wall, tall, x + run / 2 + spare / 2 + 0.02 if wall != 1 else x - run / 2 - spare / 2 - 0.02)
        if palette.chance(0.8):
            wide = run * palette.between(0.3, 0.75)
            room.hang(
                wall,
                kitchen.wall_units(same, wide),
                palette.between(1.4, 1.5),
                x + palette.between(-0.5, 0.5) * (run - wide),
            )
        if palette.chance(0.5):
            room.hang(wall, kitchen.hood(palette), palette.between(1.5, 1.65))
        if palette.chance(0.5):
            room.hang(wall, wall_shelf(palette), palette.between(1.4, 1.7))
    if palette.chance(0.6):
        _set_table(room, (palette.between(-0.3, 0.6), 0.0, palette.between(0.2, 0.6)), palette.between(0, 1))
    adorn(room, 3)
    row(
        room,
        (furniture.stool, furniture.sideboard, pots.plant, kitchen.washing_machine),
        int(palette.rng.integers(0, 3)),
    )
    room.light()
    room.shell(ground=palette.parquet())
    return room.stage("kitchen")


def _set_table(room: Room, at: tuple[float, float, float], much: float) -> bool:
    """A dining table with chairs around it and (much: 0..1) things on it."""
    palette = room.palette
    table = furniture.dining_table(palette)
    low, high = bounds(table[:1])
    w, d, top = float(high[0] - low[0]), float(high[2] - low[2]), float(bounds(table)[1][1])
    yaw = float(palette.rng.choice([0, pi / 2])) + palette.rng.normal() * 0.05
    seats = [(x, sign) for sign in (-1, 1) for x in np.linspace(-w / 2, w / 2, max(1, int(w / 0.62)) * 2 + 1)[1::2]]
    laid: Thing = []
    if palette.chance(0.4 + 0.4 * much):
        dishes, glass = plate(palette), palette.one_of(tumbler, wine_glass)(palette)  # type: ignore[operator]
        cover = (
            dishes
            + place(fork(palette), (-0.17, 0, 0))
            + place(knife(palette), (0.17, 0, 0))
            + place(glass, (0.2, 0, -0.18))
        )
        for x, sign in seats:
            laid += place(cover, (x, top, sign * (d / 2 - 0.18)), 0.0 if sign > 0 else pi)
    laid += place(clutter(palette, objects.TABLE, w * 0.8, d * (0.4 if laid else 0.9), int(1 + 9 * much)), (0, top, 0))
    if not room.put(table + laid, at, yaw):
        return False
    maker = palette.one_of(furniture.chair, furniture.chair, furniture.stool, furniture.bench)
    seed, same = palette.rng.integers(1 << 30), palette.chance(0.85)
    if maker is furniture.bench:
        seats = [(0.0, -1), (0.0, 1)]
    ends = [(0.0, 0)] if palette.chance(0.4) else []
    for x, sign in seats + ends:
        if palette.chance(0.12):
            continue
        one = maker(Palette(np.random.default_rng(seed if same else palette.rng.integers(1 << 30)), palette.tiles))  # type: ignore[operator]
        out = palette.rng.normal(0.1, 0.12)
        offset = np.array([x, 0, sign * (d / 2 + out + 0.12)]) if sign else np.array([w / 2 + 0.2, 0, 0])
        turn = (pi if sign > 0 else 0.0) if sign else -pi / 2
        c, s = np.cos(yaw), np.sin(yaw)
        where = np.array(at) + np.array([c * offset[0] + s * offset[2], 0, -s * offset[0] + c * offset[2]])
        room.put(
            one,
            where,
            yaw + turn + palette.rng.normal() * 0.25,
            force=abs(where[0]) < room.width / 2 - 0.3 and abs(where[2]) < room.depth / 2 - 0.3,
        )
    return True


def dining_room(palette: Palette) -> Stage:
    """A table with chairs around it, seen by someone who stands or sits close by."""
    room = Room(palette, palette.between(3.0, 6.5), palette.between(3.0, 6.5), palette.between(2.35, 3.4))
    openings(room, int(palette.rng.integers(0, 4)))
    at = (palette.between(-0.3, 0.3), 0.0, palette.between(-0.3, 0.3))
    _set_table(room, at, palette.between(0, 1))
    row(room, furniture.AT_WALL, int(palette.rng.integers(2, 8)))
    adorn(room, 7)
    room.light()
    room.shell()
    views = [
        v for v in orbit(palette, (at[0], 0.75, at[2]), (1.1, 2.4), (0.15, 0.9), 9, fov=(50, 95)) if _inside(room, v)
    ]
    return room.stage("dining_room", (views[:4] + room.cameras(5, 1.0))[:6])


def _inside(room: Room, view: Camera) -> bool:
    x, y, z = view.eye
    near = abs(x) < room.width / 2 - 0.15 and abs(z) < room.depth / 2 - 0.15 and 0.3 < y < room.height - 0.2
    return near and room.obstacles.clear(view.eye, 0.15)


def bathroom(palette: Palette) -> Stage:
    """Bath or shower, toilet, basin and mirror, tiles."""
    room = Room(palette, palette.between(1.7, 3.4), palette.between(1.9, 4.0), palette.between(2.3, 2.7))
    if palette.chance(0.75):
        base = palette.paint((0.72, 0.72, 0.71) if palette.chance(0.6) else None)
        tiles = replace(
            base,
            pattern="tiles",
            second=palette.near((0.5, 0.5, 0.5)),
            frequency=palette.spread(6, 1.5),
            shine=0.25,
            gloss=0.9,
        )
        room.wall = palette.tiled(tiles, "Tiles", "Marble", size=1.0)
    room.door(2)
    if palette.chance(0.5):
        room.window(int(palette.one_of(0, 1, 3)))
    order = [int(v) for v in palette.rng.permutation([0, 1, 3])]
    wet = kitchen.bath if palette.chance(0.6) else kitchen.shower
    room.against(order[0], wet(palette))
    wall = order[1]
    at = room.against(wall, dressed_basin(palette))
    if at is not None:
        along = float(np.dot(at, room.spot(wall, 1.0) - room.spot(wall, 0.0)))
        room.hang(
            wall,
            decor.mirror(palette, palette.between(0.45, 0.9), palette.between(0.5, 0.9)),
            palette.between(1.1, 1.25),
            along,
        )
    room.against(order[2], kitchen.toilet(palette))
    row(
        room,
        (kitchen.washing_machine, objects.basket, furniture.stool, decor.radiator, pots.plant, furniture.drawers),
        int(palette.rng.integers(0, 4)),
    )
    for _ in range(int(palette.rng.integers(1, 4))):
        room.hang(
            int(palette.rng.integers(4)),
            decor.towel(palette) if palette.chance(0.7) else wall_shelf(palette),
            palette.between(0.8, 1.3),
        )
    if palette.chance(0.5):
        room.put(decor.doormat(palette), (0, 0, 0), 0.1, solid=False)
    room.light(lit=palette.chance(0.8))
    room.shell(ground=palette.parquet())
    return room.stage("bathroom")


def dressed_basin(palette: Palette) -> Thing:
    """A basin with bottles and brushes around it."""
    basin = kitchen.basin(palette)
    high = float(bounds(basin[:1])[1][1]) - 0.12
    if len(basin) < 5:
        return basin
    return basin + place(
        clutter(palette, objects.BATH, 0.2, 0.15, 3), (float(bounds(basin)[1][0]) - 0.12, high - 0.01, 0.05)
    )


SCENES = {
    "living_room": (living_room, 1.3),
    "bedroom": (bedroom, 1.0),
    "kitchen": (kitchen_room, 1.2),
    "dining_room": (dining_room, 1.2),
    "bathroom": (bathroom, 0.7),
    "office": (office, 1.2),
    "study": (study, 0.9),
    **halls.SCENES,
    **stagehalls.SCENES,
    **cathedrals.SCENES,
    **stairways.SCENES,
}
"""Rooms by name: maker and weight."""
