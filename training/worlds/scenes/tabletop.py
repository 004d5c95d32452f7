"""Things on tables, seen from near: clutter, food, products, still lifes, flat-lays, macro; also all of `flat`."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, box, floor, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, lamps, objects, pots
from training.worlds.parts.food import dish, fruit, fruit_bowl
from training.worlds.parts.shapes import Maker, clutter, crumpled, drape, settle
from training.worlds.parts.tables import table_top
from training.worlds.parts.tableware import board, cup, fork, knife, napkin, plate
from training.worlds.scenes import flat
from training.worlds.scenes.eyes import camera, orbit
from training.worlds.stage import Camera, Lamp, Sky, Stage, Triple


def studio_light(palette: Palette, size: float, soft: float = 0.3) -> tuple[list[Lamp], Triple, Sky]:
    """Light for a small scene of `size` metres: one to three lamps around it, a fill, or a sky from a panorama."""
    lamps = []
    for i in range(int(palette.rng.integers(1, 4))):
        yaw, rise, away = palette.between(0, 2 * pi), palette.between(0.3, 1.4), size * palette.between(1.5, 5)
        at = away * np.array([np.sin(yaw) * np.cos(rise), np.sin(rise), np.cos(yaw) * np.cos(rise)])
        warm = np.array([1.0, palette.between(0.75, 1.0), palette.between(0.55, 1.05)])
        power = palette.spread(0.8) * away**2 * (1.0 if i == 0 else palette.between(0.1, 0.6))
        lamps.append(Lamp(tuple(at), away * palette.between(0.05, soft), tuple(warm * power)))  # type: ignore[arg-type]
    fill = palette.between(0.05, 0.3)
    sky = Sky(panorama=int(palette.rng.integers(1 << 12)), turn=palette.between(0, 2 * pi))
    if palette.chance(0.4):
        lamps = lamps[:1]
    return lamps, (fill, fill * palette.between(0.9, 1.0), fill * palette.between(0.85, 1.05)), sky


def surroundings(palette: Palette, height: float) -> tuple[Thing, bool]:
    """What stands behind a table whose top is at y = 0: walls and floor of a room, or nothing (a panorama)."""
    if palette.chance(0.3):
        ground = [floor(30, 30, palette.parquet() if palette.chance(0.5) else palette.paving())]
        return place(ground, (0, -height, 0)), False
    far, wide, high = palette.between(0.5, 3.5), palette.between(2.0, 5), palette.between(2.3, 3.0)
    wall, made = palette.wall(), list[Thing]()
    made.append(place([floor(4 * wide, 4 * wide, palette.parquet())], (0, -height, 0)))
    made.append(place([box((2 * wide, high, 0.1), wall)], (0, -height, -far - 0.05)))
    side = float(palette.rng.choice([-1, 1]))
    made.append(place([box((2 * wide, high, 0.1), wall)], (side * wide, -height, 0), pi / 2))
    if palette.chance(0.5):
        made.append(place([box((2 * wide, high, 0.1), wall)], (0, -height, wide + 2.0)))
        made.append(place([box((2 * wide, high, 0.1), wall)], (-side * wide, -height, 0), pi / 2))
    behind: tuple[Maker, ...] = (decor.picture, pots.plant, lamps.floor_lamp)
    for _ in range(int(palette.rng.integers(0, 4))):
        maker = palette.one_of(*behind, _shelf, _shelf)
        x = palette.between(-0.8, 0.8) * wide
        y = palette.between(0.2, 0.7) if maker is decor.picture else -height
        made.append(place(maker(palette), (x, y, -far + (0.25 if maker is not decor.picture else 0.0))))  # type: ignore[operator]
    return [part for one in made for part in one], True


def _shelf(palette: Palette) -> Thing:
    from training.worlds.parts.cabinets import bookshelf, sideboard, wardrobe

    return palette.one_of(bookshelf, sideboard, wardrobe)(palette)  # type: ignore[operator]


def top(palette: Palette, width: float, depth: float, height: float) -> Thing:
    """A table's top at y = 0 with legs below; bare, or with a cloth or board on it."""
    made: Thing = [box((width, 0.03, depth), table_top(palette), (0, -0.03, 0))]
    made.append(
        box((width * 0.8, height - 0.03, depth * 0.8), palette.wood(), (0, -height, 0))
        if palette.chance(0.15)
        else box((0.06, height - 0.03, 0.06), palette.wood(), (-width / 2 + 0.06, -height, depth / 2 - 0.06))
    )
    kind = palette.between(0, 1)
    if kind < 0.2:
        cloth = palette.fabric()
        made.append(box((width + 0.01, 0.002, depth + 0.01), cloth))
        made += place([drape(palette, width, 0.25, cloth, 0.3, 0.02)], (0, -0.25, depth / 2 + 0.02))
    elif kind < 0.35:
        made.append(crumpled(palette, width * 0.7, depth * 0.8, palette.fabric(), 0.003))
    return made


def _looks(palette: Palette, size: float) -> list[Camera]:
    """Cameras on a table's clutter of this size: from a seat, from above, straight down."""
    near, far = max(0.25, size * 0.7), max(0.45, size * 1.9)
    views = orbit(palette, (0, 0.04, 0), (near, far), (0.26, 1.0), 3, spread=0.9)
    views += orbit(palette, (0, 0.04, 0), (near, far), (0.26, 1.2), 1, spread=1.4)
    views += orbit(palette, (0, 0.0, 0), (near, far), (1.35, 1.569), 1, spread=0.3)
    return views


def tabletop(palette: Palette) -> Stage:
    """Clutter on a table."""
    makers = palette.one_of(
        objects.TABLE,
        objects.KITCHEN,
        objects.DESK,
        objects.PERSONAL,
        objects.TOYS,
        objects.WORKSHOP,
        objects.DECOR,
        objects.ALL,
    )
    width, depth, height = palette.between(0.6, 1.6), palette.between(0.5, 0.9), palette.between(0.45, 0.9)
    behind, _ = surroundings(palette, height)
    span = palette.between(0.3, 1.0)
    stuff = clutter(palette, makers, min(width, span * 1.5), min(depth, span), int(palette.rng.integers(4, 26)), 0.75)  # type: ignore[arg-type]
    lamps, fill, sky = studio_light(palette, 1.0)
    return Stage(
        "tabletop", behind + top(palette, width, depth, height) + stuff, _looks(palette, span), sky, lamps, fill
    )


def desk(palette: Palette) -> Stage:
    """A place of work: screen, keyboard, cups, papers, from where its user sits."""
    from training.worlds.scenes.work import workplace

    things = workplace(palette)
    high = float(bounds(things[:1])[1][1])
    behind, _ = surroundings(palette, high)
    lamps, fill, sky = studio_light(palette, 1.5)
    views = orbit(palette, (0, 0.12, -0.05), (0.6, 1.3), (0.1, 0.9), 5, spread=1.0, fov=(45, 85))
    return Stage("desk", behind + place(things, (0, -high, 0)), views, sky, lamps, fill)


def food(palette: Palette) -> Stage:
    """Plated dishes, cups, cutlery: from above, at 45 degrees, from the side."""
    height = 0.75
    behind, _ = surroundings(palette, height)
    made: Thing = list(dish(palette))
    r = float(bounds(made)[1][0])
    if palette.chance(0.5):
        made = place(board(palette) if palette.chance(0.3) else napkin(palette)) + place(made, (0, 0.015, 0))
    if palette.chance(0.6):
        made += place(fork(palette), (-r - 0.03, 0, 0)) + place(knife(palette), (r + 0.03, 0, 0))
    extra: tuple[Maker, ...] = (cup, plate, dish, dish, fruit, fruit_bowl, *objects.TABLE)
    for i in range(int(palette.rng.integers(0, 6))):
        thing = extra[int(palette.rng.integers(len(extra)))](palette)
        size = float(np.linalg.norm((bounds(thing)[1] - bounds(thing)[0])[[0, 2]])) / 2
        angle, away = 2.4 * i + palette.between(0, 0.6), r + size + palette.between(0.01, 0.08) + 0.05 * (i > 3)
        made += place(thing, (away * np.sin(angle), 0, -away * np.cos(angle)), palette.between(0, 6))
    lamps, fill, sky = studio_light(palette, 0.7)
    views = orbit(palette, (0, 0.03, 0), (0.28, 0.7), (0.3, 1.1), 3, spread=1.4, fov=(35, 65))
    views += orbit(palette, (0, 0.03, 0), (0.35, 0.8), (1.3, 1.57), 2, spread=0.4, fov=(40, 65))
    return Stage("food", behind + top(palette, 1.4, 0.9, height) + made, views, sky, lamps, fill)


def product(palette: Palette) -> Stage:
    """One object (or two) before a seamless backdrop."""
    thing = objects.product(palette)
    if palette.chance(0.2):
        thing = thing + place(objects.product(palette), (palette.between(0.1, 0.2), 0, -0.1), palette.between(0, 6))
    thing = settle(place(thing, yaw=palette.between(-0.7, 0.7)))
    low, high = bounds(thing)
    middle, size = (low + high) / 2, float(np.linalg.norm(high - low))
    thing = place(thing, (-middle[0], 0, -middle[2]))
    back = decor.backdrop(palette, max(1.0, 3 * size), max(1.5, 5 * size))
    lamps, fill, sky = studio_light(palette, 2 * size, 0.5)
    views = orbit(palette, (0, middle[1], 0), (1.1 * size, 2.6 * size), (0.03, 0.9), 4, spread=0.8, fov=(28, 60))
    return Stage("product", back + thing, views, replace(sky, panorama=-1), lamps, fill)


def still_life(palette: Palette) -> Stage:
    """Vessels, fruit, flowers, cloth before a dark or draped background."""
    made: Thing = [box((1.4, 0.04, 0.8), table_top(palette), (0, -0.04, 0))]
    if palette.chance(0.7):
        made += place(
            [crumpled(palette, 0.9, 0.6, palette.fabric(), palette.between(0.002, 0.01))],
            (palette.between(-0.1, 0.1), 0, 0),
        )
    makers: tuple[Maker, ...] = (
        objects.vase,
        objects.jug,
        objects.bottle,
        objects.bowl,
        fruit,
        fruit,
        fruit_bowl,
        pots.flowers,
        objects.candle,
        objects.figurine,
        objects.book_stack,
        objects.wine_glass,
        objects.board,
        objects.basket,
    )
    made += place(clutter(palette, makers, 0.9, 0.5, int(palette.rng.integers(4, 13)), 0.7), (0, 0.004, 0))
    if palette.chance(0.5):
        made += place([drape(palette, 2.4, 1.6, palette.fabric(), 0.35, 0.06)], (0, -0.4, -0.5))
    else:
        made += place([box((3, 2, 0.1), palette.wall())], (0, -0.5, -palette.between(0.5, 1.0)))
    lamps, fill, sky = studio_light(palette, 1.0)
    views = orbit(palette, (0, 0.12, 0), (0.6, 1.4), (0.03, 0.6), 5, spread=0.8, fov=(35, 60))
    return Stage("still_life", made, views, sky, lamps[:1], tuple(0.6 * f for f in fill))  # type: ignore[arg-type]


def close_up(palette: Palette) -> Stage:
    """Macro: five to thirty centimetres from small things or a plant, little in focus."""
    if palette.chance(0.3):
        made, target = pots.small_plant(palette) if palette.chance(0.6) else pots.flowers(palette), np.zeros(3)
        target[1] = 0.7 * float(bounds(made)[1][1])
    else:
        makers = palette.one_of(
            objects.CUTLERY + objects.FOODS,
            objects.DESK,
            objects.PERSONAL,
            objects.WORKSHOP,
            objects.ABSTRACT,
            objects.ALL,
        )
        made, target = clutter(palette, makers, 0.4, 0.4, int(palette.rng.integers(2, 9)), 0.65), np.array([0, 0.03, 0])  # type: ignore[arg-type]
        if not made:
            made = objects.product(palette)
    behind, _ = surroundings(palette, 0.75)
    lamps, fill, sky = studio_light(palette, 0.5)
    points = np.concatenate([p.vertices for p in made])
    views = []
    for view in orbit(palette, target, (0.14, 0.42), (0.1, 1.3), 14, fov=(30, 65)):
        away = float(np.linalg.norm(points - np.asarray(view.eye, np.float32), axis=1).min())
        if away > 0.045 and len(views) < 5:
            aim = points[int(palette.rng.integers(len(points)))] if palette.chance(0.25) else view.target
            views.append(
                camera(palette, view.eye, aim, view.fov, palette.between(0.001, 0.006) if palette.chance(0.6) else 0.0)
            )
    return Stage("close_up", behind + top(palette, 1.2, 0.8, 0.75) + made, views, sky, lamps, fill)


def level_board(palette: Palette) -> Stage:
    """Flat things on a level board, from straight above or nearly: coins, papers, phones, cutlery, tools."""
    makers: tuple[Maker, ...] = (
        objects.coins,
        objects.coins,
        objects.papers,
        objects.phone,
        objects.pen,
        *objects.CUTLERY,
        objects.tool,
        objects.scissors,
        objects.book,
        objects.tablet,
        objects.cable,
        objects.brush,
        plate,
        board,
    )
    stuff = table_top(palette)
    if palette.chance(0.5):
        stuff = palette.one_of(palette.fabric, palette.paint, palette.parquet, palette.leather)()  # type: ignore[operator]
    span = palette.between(0.2, 0.7)
    made: Thing = [box((3, 0.03, 3), stuff, (0, -0.03, 0))]
    made += clutter(palette, makers, span * 1.6, span * 1.2, int(palette.rng.integers(2, 14)), 0.7)
    lamps, fill, sky = studio_light(palette, 1.0)
    views = orbit(palette, (0, 0, 0), (max(0.22, span * 0.8), max(0.4, span * 1.8)), (1.1, 1.57), 5, fov=(40, 70))
    return Stage("level_board", made, views, sky, lamps, fill)


SCENES = {
    "tabletop": (tabletop, 1.4),
    "desk": (desk, 0.7),
    "food": (food, 1.0),
    "product": (product, 0.7),
    "still_life": (still_life, 0.5),
    "close_up": (close_up, 0.7),
    "level_board": (level_board, 0.4),
    **flat.SCENES,
}
"""Table scenes by name: maker and weight."""
