"""Small things of every day, and lists of them to strew over tables, shelves and floors."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, box, grid, place, prism, tube
from training.worlds.palette import Palette
from training.worlds.parts.cabinets import bottle, jar, pack, pouch, tin
from training.worlds.parts.crates import carton, crate
from training.worlds.parts.decor import cloth
from training.worlds.parts.devices import (
    alarm_clock,
    cable,
    camera,
    headphones,
    keyboard,
    laptop,
    monitor,
    mouse,
    phone,
    printer,
    remote,
    speaker,
    tablet,
)
from training.worlds.parts.food import FOODS
from training.worlds.parts.lamps import desk_lamp, table_lamp
from training.worlds.parts.personal import (
    basket,
    brush,
    coins,
    folded_clothes,
    glasses,
    hat,
    shoe,
    squeeze_tube,
    thrown_clothes,
)
from training.worlds.parts.pots import flowers, small_plant
from training.worlds.parts.shapes import Maker, canvas, lying, settle, torus, vessel
from training.worlds.parts.tableware import (
    bag,
    board,
    bowl,
    candle,
    coffee_maker,
    cup,
    dish_rack,
    fork,
    grinder,
    jug,
    knife,
    napkin,
    pan,
    plate,
    pot,
    scoop,
    tumbler,
    vase,
    wine_glass,
)
from training.worlds.parts.toys import (
    ball,
    crumpled_paper,
    figurine,
    gift,
    knob_box,
    lump,
    teddy,
    toy_bricks,
    toy_car,
    turned,
)


def book(palette: Palette) -> Thing:
    """A book that lies, closed or open."""
    w, d, h = palette.between(0.11, 0.22), palette.between(0.17, 0.3), palette.between(0.008, 0.05)
    paper, cover = palette.paint((0.72, 0.69, 0.6)), palette.paint()
    if palette.chance(0.25):
        return _open_book(palette, w, d, h)
    made: Thing = [box((w - 0.006, h - 0.003, d - 0.008), paper, (0.001, 0.001, 0)), box((w, 0.002, d), cover)]
    made += [box((w, 0.002, d), cover, (0, h - 0.002, 0)), box((0.003, h, d), cover, (-w / 2, 0, 0))]
    face = lying([canvas(w * 0.98, d * 0.98, palette.picture() if palette.chance(0.7) else palette.printed())])
    return made + place(face, (0, h + 0.0003, 0))


def _open_book(palette: Palette, w: float, d: float, h: float) -> Thing:
    x = np.linspace(-w, w, 21)[:, None]
    y = 0.004 + h * 0.5 * np.sin(np.clip(np.abs(x) / w, 0, 1) * pi * 0.55 + 0.4) * (np.abs(x) > 1e-6)
    z = np.linspace(d / 2, -d / 2, 2)[None]
    pages = palette.printed()
    pages = replace(
        pages,
        colour=palette.near((0.75, 0.73, 0.66), 1.05, 0.02),
        second=(0.05, 0.05, 0.05),
        frequency=palette.between(100, 200),
    )
    sheet = grid(np.stack(np.broadcast_arrays(x, y, z), -1), pages, uv=np.stack(np.broadcast_arrays(x, -z), -1))
    return [sheet, box((2 * w + 0.01, 0.003, d + 0.01), palette.paint())]


def book_stack(palette: Palette) -> Thing:
    """Books or magazines on top of each other."""
    made, y = list[Thing](), 0.0
    for _ in range(int(palette.rng.integers(2, 8))):
        w, h, d = palette.between(0.13, 0.22), palette.between(0.006, 0.045), palette.between(0.18, 0.29)
        body = [
            box((w, h, d), palette.printed() if palette.chance(0.5) else palette.paint()),
            box((w + 0.001, h * 0.8, d - 0.006), palette.paint((0.72, 0.69, 0.6)), (0.003, h * 0.1, 0)),
        ]
        made.append(
            place(body, (palette.rng.normal() * 0.008, y, palette.rng.normal() * 0.008), palette.rng.normal() * 0.12)
        )
        y += h
    return [part for one in made for part in one]


def papers(palette: Palette) -> Thing:
    """Sheets, letters, photographs strewn flat."""
    made: Thing = []
    for i in range(int(palette.rng.integers(1, 6))):
        w, d = ((0.21, 0.297), (0.148, 0.21), (0.1, 0.15), (0.22, 0.11))[int(palette.rng.integers(4))]
        sheet = box((w, 0.0012, d), palette.paint((0.78, 0.78, 0.76)))
        face = lying([canvas(w, d, palette.printed() if palette.chance(0.6) else palette.picture())])
        one = [sheet, *place(face, (0, 0.0014, 0))]
        made += place(
            one, (palette.rng.normal() * 0.06, 0.0012 * i, palette.rng.normal() * 0.06), palette.rng.normal() * 0.5
        )
    return made


def pen(palette: Palette) -> Thing:
    """A pen or pencil that lies."""
    long, r = palette.between(0.12, 0.19), palette.between(0.0035, 0.006)
    return [
        tube([(0, r, -long / 2), (0, r, long * 0.4)], r, palette.paint(), sides=7),
        tube([(0, r, long * 0.4), (0, r, long / 2)], [r, 0.001], palette.wood(), sides=7),
    ]


def pencil_cup(palette: Palette) -> Thing:
    """A cup full of pens."""
    made: Thing = [vessel([(0.035, 0), (0.04, 0.1)], 0.003, palette.anything())]
    for _ in range(int(palette.rng.integers(3, 9))):
        lean = palette.rng.uniform(-1, 1, 2) * 0.035
        made.append(
            tube(
                [(-lean[0] * 0.5, 0.01, -lean[1] * 0.5), (lean[0], palette.between(0.14, 0.18), lean[1])],
                0.0045,
                palette.paint(),
                sides=6,
            )
        )
    return made


def scissors(palette: Palette) -> Thing:
    """Scissors, flat."""
    steel, grip = palette.metal((0.6, 0.6, 0.62)), palette.paint()
    made: Thing = []
    for sign in (-1, 1):
        half = [
            box((0.012, 0.003, 0.11), steel, (0, 0.004, -0.05)),
            *place([torus(0.022, 0.005, grip)], (0.012 * sign, 0.005, 0.04), pitch=pi / 2, scale=(1, 1.5, 1)),
        ]
        made += place(half, yaw=sign * palette.between(0.08, 0.3))
    return settle(made)


def tool(palette: Palette) -> Thing:
    """A hammer, screwdriver, spanner or pliers, lying along z."""
    steel, grip, kind = (
        palette.metal(),
        palette.paint() if palette.chance(0.6) else palette.wood(),
        int(palette.rng.integers(3)),
    )
    long = palette.between(0.16, 0.32)
    if kind == 0:
        made = [
            tube([(0, 0.015, -long / 2), (0, 0.015, long / 2)], 0.013, grip),
            box((0.11, 0.028, 0.028), steel, (0, 0.001, -long / 2)),
        ]
    elif kind == 1:
        made = [
            tube([(0, 0.014, 0), (0, 0.014, long * 0.1), (0, 0.014, long / 2)], [0.01, 0.016, 0.014], grip),
            tube([(0, 0.014, 0), (0, 0.014, -long / 2)], 0.004, steel),
        ]
    else:
        outline = [(-0.008, -long * 0.4), (0.008, -long * 0.4), (0.008, long * 0.4), (-0.008, long * 0.4)]
        made = place([prism(outline, 0.006, steel)], (0, 0.004, 0), pitch=pi / 2)
        for z in (-long * 0.42, long * 0.42):
            made += place([torus(0.014, 0.006, steel, (0.5, 2 * pi - 0.5))], (0, 0.006, z), pitch=pi / 2)
    return settle(made)


TABLE: tuple[Maker, ...] = (
    cup,
    cup,
    tumbler,
    wine_glass,
    plate,
    bowl,
    jug,
    napkin,
    candle,
    flowers,
    *FOODS[5:],
    bottle,
    book,
    phone,
    papers,
    glasses,
)
KITCHEN: tuple[Maker, ...] = (
    pan,
    pot,
    jug,
    board,
    bowl,
    plate,
    cup,
    bottle,
    jar,
    tin,
    pouch,
    pack,
    scoop,
    dish_rack,
    coffee_maker,
    grinder,
    cloth,
    small_plant,
    *FOODS,
)
DESK: tuple[Maker, ...] = (
    book,
    book_stack,
    papers,
    papers,
    pen,
    pencil_cup,
    cup,
    phone,
    tablet,
    headphones,
    mouse,
    cable,
    glasses,
    tumbler,
    small_plant,
    desk_lamp,
    scissors,
    alarm_clock,
)
OFFICE: tuple[Maker, ...] = (laptop, monitor, keyboard, printer, speaker)
DECOR: tuple[Maker, ...] = (
    vase,
    figurine,
    candle,
    small_plant,
    flowers,
    book,
    book_stack,
    bowl,
    alarm_clock,
    jar,
    teddy,
    basket,
    pack,
    speaker,
    table_lamp,
    camera,
    jug,
)
TOYS: tuple[Maker, ...] = (ball, toy_car, toy_bricks, teddy, figurine, book, pack)
BATH: tuple[Maker, ...] = (bottle, bottle, jar, squeeze_tube, brush, cup, pack, folded_clothes, tumbler, candle)
WORKSHOP: tuple[Maker, ...] = (tool, tool, tin, jar, cable, pack, knob_box, pen, scissors, crate)
FLOOR: tuple[Maker, ...] = (
    shoe,
    bag,
    carton,
    crate,
    basket,
    ball,
    book_stack,
    teddy,
    thrown_clothes,
    toy_car,
    toy_bricks,
)
PERSONAL: tuple[Maker, ...] = (
    phone,
    glasses,
    coins,
    hat,
    bag,
    shoe,
    camera,
    remote,
    headphones,
    gift,
    crumpled_paper,
    brush,
    cloth,
)
ABSTRACT: tuple[Maker, ...] = (turned, turned, lump, lump, knob_box, crumpled_paper)
CUTLERY: tuple[Maker, ...] = (knife, fork, fork)
ALL: tuple[Maker, ...] = tuple(
    dict.fromkeys((*TABLE, *KITCHEN, *DESK, *DECOR, *TOYS, *BATH, *WORKSHOP, *PERSONAL, *ABSTRACT, *CUTLERY))
)


def product(palette: Palette) -> Thing:
    """Any small thing at all."""
    return ALL[int(palette.rng.integers(len(ALL)))](palette)
