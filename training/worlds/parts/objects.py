"""Small things of every day, and lists of them to strew over tables, shelves and floors."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.mesh import Thing, box, bumpy, ellipsoid, grid, lathe, loft, place, prism, tube
from training.worlds.palette import Palette
from training.worlds.parts.cabinets import bottle, carton, crate, jar, pack, pouch, tin
from training.worlds.parts.decor import flowers, cloth, desk_lamp, small_plant, table_lamp
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
from training.worlds.parts.many import boxes, copies
from training.worlds.parts.shapes import Maker, bent, canvas, crumpled, cushion, lying, settle, torus, vessel
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
    pages = replace(pages, colour=palette.near((0.75, 0.73, 0.66), 1.05, 0.02), second=(0.05, 0.05, 0.05), frequency=palette.between(100, 200))
    sheet = grid(np.stack(np.broadcast_arrays(x, y, z), -1), pages, uv=np.stack(np.broadcast_arrays(x, -z), -1))
    return [sheet, box((2 * w + 0.01, 0.003, d + 0.01), palette.paint())]


def book_stack(palette: Palette) -> Thing:
    """Books or magazines on top of each other."""
    made, y = list[Thing](), 0.0
    for _ in range(int(palette.rng.integers(2, 8))):
        w, h, d = palette.between(0.13, 0.22), palette.between(0.006, 0.045), palette.between(0.18, 0.29)
        body = [box((w, h, d), palette.printed() if palette.chance(0.5) else palette.paint()), box((w + 0.001, h * 0.8, d - 0.006), palette.paint((0.72, 0.69, 0.6)), (0.003, h * 0.1, 0))]
        made.append(place(body, (palette.rng.normal() * 0.008, y, palette.rng.normal() * 0.008), palette.rng.normal() * 0.12))
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
        made += place(one, (palette.rng.normal() * 0.06, 0.0012 * i, palette.rng.normal() * 0.06), palette.rng.normal() * 0.5)
    return made


def pen(palette: Palette) -> Thing:
    """A pen or pencil that lies."""
    long, r = palette.between(0.12, 0.19), palette.between(0.0035, 0.006)
    return [tube([(0, r, -long / 2), (0, r, long * 0.4)], r, palette.paint(), sides=7), tube([(0, r, long * 0.4), (0, r, long / 2)], [r, 0.001], palette.wood(), sides=7)]


def pencil_cup(palette: Palette) -> Thing:
    """A cup full of pens."""
    made: Thing = [vessel([(0.035, 0), (0.04, 0.1)], 0.003, palette.anything())]
    for _ in range(int(palette.rng.integers(3, 9))):
        lean = palette.rng.uniform(-1, 1, 2) * 0.035
        made.append(tube([(-lean[0] * 0.5, 0.01, -lean[1] * 0.5), (lean[0], palette.between(0.14, 0.18), lean[1])], 0.0045, palette.paint(), sides=6))
    return made


def scissors(palette: Palette) -> Thing:
    """Scissors, flat."""
    steel, grip = palette.metal((0.6, 0.6, 0.62)), palette.paint()
    made: Thing = []
    for sign in (-1, 1):
        half = [box((0.012, 0.003, 0.11), steel, (0, 0.004, -0.05)), *place([torus(0.022, 0.005, grip)], (0.012 * sign, 0.005, 0.04), pitch=pi / 2, scale=(1, 1.5, 1))]
        made += place(half, yaw=sign * palette.between(0.08, 0.3))
    return settle(made)


def tool(palette: Palette) -> Thing:
    """A hammer, screwdriver, spanner or pliers, lying along z."""
    steel, grip, kind = palette.metal(), palette.paint() if palette.chance(0.6) else palette.wood(), int(palette.rng.integers(3))
    long = palette.between(0.16, 0.32)
    if kind == 0:
        made = [tube([(0, 0.015, -long / 2), (0, 0.015, long / 2)], 0.013, grip), box((0.11, 0.028, 0.028), steel, (0, 0.001, -long / 2))]
    elif kind == 1:
        made = [tube([(0, 0.014, 0), (0, 0.014, long * 0.1), (0, 0.014, long / 2)], [0.01, 0.016, 0.014], grip), tube([(0, 0.014, 0), (0, 0.014, -long / 2)], 0.004, steel)]
    else:
        outline = [(-0.008, -long * 0.4), (0.008, -long * 0.4), (0.008, long * 0.4), (-0.008, long * 0.4)]
        made = place([prism(outline, 0.006, steel)], (0, 0.004, 0), pitch=pi / 2)
        for z in (-long * 0.42, long * 0.42):
            made += place([torus(0.014, 0.006, steel, (0.5, 2 * pi - 0.5))], (0, 0.006, z), pitch=pi / 2)
    return settle(made)


def ball(palette: Palette) -> Thing:
    """A ball, from marble to football."""
    r = float(palette.rng.choice([0.02, 0.033, 0.037, 0.11, 0.12])) * palette.between(0.9, 1.1)
    return [ellipsoid((r, r, r), palette.anything(), sides=20, at=(0, r, 0))]


def toy_car(palette: Palette) -> Thing:
    """A toy car."""
    s, skin, dark = palette.between(0.06, 0.25), palette.paint(shine=0.3), palette.paint((0.02, 0.02, 0.02))
    wheel = place([lathe([(0.16, -0.06), (0.16, 0.06)], dark, sides=12)], (0, 0.16, 0), roll=pi / 2)
    made = [cushion((0.5, 0.25, 1.0), skin, (0, 0.12, 0), 0.3), cushion((0.42, 0.25, palette.between(0.4, 0.7)), dark, (0, 0.28, -0.05), 0.5)]
    made += copies(wheel, [(x, 0, z) for x in (-0.24, 0.24) for z in (-0.3, 0.3)])
    return place(made, scale=s)


def toy_bricks(palette: Palette) -> Thing:
    """Building blocks, stacked and strewn."""
    s, made, n = palette.between(0.02, 0.05), list[Thing](), int(palette.rng.integers(3, 12))
    for i in range(n):
        size = (s * palette.one_of(1, 1, 2), s, s)  # type: ignore[operator]
        at = palette.rng.normal(size=2) * s * 1.8 * (0.2 if i < 3 else 1)
        made.append(place([box(size, palette.paint())], (at[0], s * i if i < 3 else 0, at[1]), palette.between(0, 3)))
    return [part for one in made for part in one]


def teddy(palette: Palette) -> Thing:
    """A soft toy that sits: bear, rabbit or doll."""
    fur, s = palette.fur(), palette.between(0.12, 0.4)
    pale = palette.fur()
    made: Thing = [ellipsoid((0.26, 0.3, 0.23), fur, at=(0, 0.3, 0)), ellipsoid((0.22, 0.2, 0.2), fur, at=(0, 0.72, 0.03)), ellipsoid((0.1, 0.08, 0.1), pale, at=(0, 0.67, 0.2))]
    ear, dark = palette.between(0.07, 0.3), palette.paint((0.01, 0.01, 0.01))
    for x in (-1, 1):
        made += [ellipsoid((0.08, ear, 0.05), fur, at=(0.16 * x, 0.85 + ear * 0.6, 0)), ellipsoid((0.09, 0.2, 0.1), fur, at=(0.28 * x, 0.38, 0.08))]
        made += [ellipsoid((0.1, 0.1, 0.22), fur, at=(0.17 * x, 0.1, 0.25)), ellipsoid((0.022, 0.022, 0.02), dark, sides=8, at=(0.08 * x, 0.76, 0.2))]
    return settle(place([*made, ellipsoid((0.03, 0.02, 0.02), dark, sides=8, at=(0, 0.7, 0.29))], scale=s))


def figurine(palette: Palette) -> Thing:
    """A statuette or bust on a foot."""
    stuff, s = palette.one_of(palette.ceramic, palette.metal, palette.wood, palette.paint)(), palette.between(0.08, 0.4)  # type: ignore[operator]
    made: Thing = [lathe([(0.22, 0), (0.22, 0.04), (0.16, 0.08)], stuff)]
    if palette.chance(0.5):
        made += [cushion((0.5, 0.3, 0.26), stuff, (0, 0.22, 0), 0.8), lathe([(0.09, 0.08), (0.1, 0.25)], stuff), lathe([(0.08, 0.4), (0.075, 0.62)], stuff)]
        made += [ellipsoid((0.13, 0.17, 0.15), stuff, at=(0, 0.74, 0.02)), ellipsoid((0.025, 0.04, 0.035), stuff, at=(0, 0.72, 0.16)), ellipsoid((0.15, 0.15, 0.15), stuff, at=(0, 0.79, -0.03))]
        return place(made, scale=s)
    made.append(tube([(-0.05, 0.06, 0), (-0.05, 0.4, 0)], [0.06, 0.07], stuff))
    made.append(tube([(0.06, 0.06, 0.05), (0.05, 0.4, 0)], [0.06, 0.07], stuff))
    made += [ellipsoid((0.13, 0.24, 0.09), stuff, at=(0, 0.58, 0)), ellipsoid((0.065, 0.08, 0.07), stuff, at=(0, 0.9, 0.01))]
    for x in (-1, 1):
        hand = palette.rng.normal(size=3) * np.array([0.1, 0.15, 0.1]) + np.array([0.25 * x, 0.55, 0.1])
        made.append(tube(bent([(0.12 * x, 0.74, 0), (0.2 * x, 0.6, 0), hand], 6), [0.045] * 3 + [0.03] * 3, stuff))
    return place(made, scale=s)


def shoe(palette: Palette) -> Thing:
    """A pair of shoes or one."""
    stuff, sole = palette.leather() if palette.chance(0.5) else palette.fabric(), palette.paint((0.7, 0.68, 0.64) if palette.chance(0.5) else (0.03, 0.02, 0.02))
    high = palette.between(0.06, 0.2)
    one = [cushion((0.098, 0.03, 0.29), sole, soft=0.5), cushion((0.09, 0.075, 0.27), stuff, (0, 0.015, 0.008), 0.7)]
    ankle = [(0.035, 0.05), (0.04, 0.05 + high * 0.5), (0.042, 0.05 + high), (0.034, 0.05 + high), (0.03, 0.06)]
    one += place([lathe(ankle, stuff)], (0, 0, -0.075), scale=(1, 1, 1.4))
    if palette.chance(0.3):
        return one
    return one + place(one, (palette.between(0.11, 0.16), 0, palette.rng.normal() * 0.03), palette.rng.normal() * 0.2)


def coins(palette: Palette) -> Thing:
    """Coins, strewn or in piles."""
    metal = palette.metal(palette.one_of((0.6, 0.35, 0.2), (0.6, 0.5, 0.25), (0.55, 0.55, 0.56)))  # type: ignore[arg-type]
    r, n, rng = palette.between(0.008, 0.014), int(palette.rng.integers(3, 25)), palette.rng
    one = [lathe([(r, 0), (r, 0.0018), (r * 0.9, 0.0018), (r * 0.88, 0.0014), (0.001, 0.0014)], metal, sides=18, smooth=False)]
    piled = palette.chance(0.4)
    at = rng.normal(size=(n, 3)) * (0.001 if piled else 0.03)
    at[:, 1] = 0.0018 * np.arange(n) if piled else 0.0002 * np.arange(n)
    return copies(one, at, rng.uniform(0, 6, n))


def glasses(palette: Palette) -> Thing:
    """Spectacles, folded open on the table."""
    stuff, made = palette.paint((0.03, 0.02, 0.02)) if palette.chance(0.6) else palette.metal(), list[Thing]()
    for x in (-0.033, 0.033):
        ring = [torus(0.024, 0.002, stuff), *place([lathe([(0.023, 0), (0.023, 0.001)], palette.glass(), smooth=False)], pitch=pi / 2)]
        made.append(place(ring, (x, 0.024, 0.0)))
        made.append([tube([(x * 1.8, 0.035, 0), (x * 1.8, 0.03, -0.1), (x * 1.75, 0.003, -0.14)], 0.002, stuff, sides=5)])
    return settle([part for one in made for part in one] + [tube([(-0.01, 0.03, 0), (0.01, 0.03, 0)], 0.002, stuff, sides=5)])


def brush(palette: Palette) -> Thing:
    """A toothbrush, hairbrush or paint brush, lying along z."""
    long, skin = palette.between(0.14, 0.25), palette.paint()
    shaft = tube(bent([(0, 0.006, long / 2), (0, 0.008, 0), (0, 0.006, -long / 2)], 7), palette.between(0.004, 0.008), skin, sides=7)
    wide = palette.between(0.01, 0.05)
    return settle([shaft, box((wide, 0.018, long * 0.25), palette.hair(), (0, 0.008, -long * 0.4)), box((wide, 0.006, long * 0.27), skin, (0, 0.004, -long * 0.4))])


def squeeze_tube(palette: Palette) -> Thing:
    """A tube of toothpaste or paint, lying."""
    long, r, skin = palette.between(0.08, 0.18), palette.between(0.012, 0.024), palette.printed() if palette.chance(0.6) else palette.paint()
    a = np.linspace(0, 2 * pi, 14, endpoint=False)
    rings = [np.stack([np.cos(a) * r * (1 + 0.45 * t), np.sin(a) * r * (1 - 0.93 * t) + r, 0 * a + long * (t - 0.5)], 1) for t in (0, 0.3, 0.7, 1)]
    return settle([loft(np.stack(rings), skin), *place([lathe([(r * 0.7, 0), (r * 0.6, 0.02)], palette.paint(), sides=12, smooth=False)], (0, r, -long / 2), pitch=-pi / 2)])


def hat(palette: Palette) -> Thing:
    """A hat or a cap."""
    stuff, r = palette.fabric(), 0.09
    brim = r * palette.between(1.2, 1.9)
    return [lathe([(brim, 0), (brim, 0.004), (r, 0.01), (r * 0.97, palette.between(0.06, 0.1)), (r * 0.8, 0.12), (0.01, 0.125)], stuff, sides=22)]


def gift(palette: Palette) -> Thing:
    """A wrapped present."""
    size = (palette.between(0.1, 0.3), palette.between(0.05, 0.25), palette.between(0.1, 0.3))
    band = palette.paint()
    made: Thing = [box(size, palette.fabric()), box((size[0] * 1.01, size[1] * 1.01, 0.02), band), box((0.02, size[1] * 1.01, size[2] * 1.01), band)]
    for x in (-1, 1):
        made += place([torus(0.03, 0.006, band, flat=2.5)], (0.03 * x, size[1] + 0.015, 0), pitch=0.3, scale=(1, 0.6, 1))
    return made


def crumpled_paper(palette: Palette) -> Thing:
    """A ball of paper, a stone, a lump."""
    r = palette.between(0.02, 0.06)
    return settle([bumpy(ellipsoid((r, r * 0.8, r), palette.paint((0.75, 0.75, 0.72)) if palette.chance(0.6) else palette.rock(), sides=16), palette.rng, r * 0.12, r * 0.5)])


def folded_clothes(palette: Palette) -> Thing:
    """A pile of folded clothes or towels."""
    made, y = list[Thing](), 0.0
    for _ in range(int(palette.rng.integers(1, 7))):
        h = palette.between(0.02, 0.05)
        made.append(place([cushion((palette.between(0.25, 0.35), h, palette.between(0.2, 0.3)), palette.fabric(), soft=0.3)], (palette.rng.normal() * 0.01, y, 0), palette.rng.normal() * 0.06))
        y += h * 0.96
    return [part for one in made for part in one]


def thrown_clothes(palette: Palette) -> Thing:
    """A garment dropped on a bed or chair."""
    return settle([crumpled(palette, palette.between(0.4, 0.8), palette.between(0.3, 0.7), palette.fabric(), palette.between(0.03, 0.08))])


def basket(palette: Palette) -> Thing:
    """A round basket or bin."""
    r, h = palette.between(0.1, 0.22), palette.between(0.12, 0.4)
    stuff = palette.one_of(palette.wood, palette.metal, palette.paint, palette.fabric)()  # type: ignore[operator]
    return [vessel([(r * palette.between(0.7, 1), 0), (r, h)], 0.006, stuff)]


def turned(palette: Palette) -> Thing:
    """Any turned product: a smooth or stepped profile in one material, with a band in another."""
    h, r = palette.between(0.04, 0.35), palette.between(0.015, 0.09)
    n = int(palette.rng.integers(3, 9))
    t = np.sort(np.concatenate([[0, 1], palette.rng.uniform(0, 1, n)]))
    t = t + np.arange(n + 2) * 1e-3
    k = np.clip(np.cumsum(palette.rng.normal(size=n + 2) * 0.25) + 0.8, 0.2, 1.3)
    made: Thing = [lathe(np.stack([k * r, t / t[-1] * h], 1), palette.anything(), smooth=palette.chance(0.7))]
    if palette.chance(0.4):
        y = palette.between(0.1, 0.8) * h
        edge = float(np.interp(y / h, t / t[-1], k) * r)
        made += place([torus(edge, 0.004, palette.anything())], (0, y, 0), pitch=pi / 2)
    return settle(made)


def lump(palette: Palette) -> Thing:
    """Any product of rounded blocks, smooth or bumpy, two or three joined."""
    made: Thing = []
    for i in range(int(palette.rng.integers(1, 4))):
        size = palette.rng.uniform(0.03, 0.2, 3)
        one = cushion(tuple(size), palette.anything(), soft=float(palette.rng.choice([0.1, 0.3, 0.6, 1.0])))
        if palette.chance(0.3):
            one = bumpy(one, palette.rng, float(size.min()) * 0.08, float(size.mean()) * 0.7)
        made += place([one], tuple(palette.rng.normal(size=3) * 0.04 * (i > 0)), palette.between(0, 3))
    return settle(made)


def knob_box(palette: Palette) -> Thing:
    """An apparatus: a box with knobs, slots and a label."""
    size = (palette.between(0.08, 0.4), palette.between(0.04, 0.25), palette.between(0.08, 0.3))
    skin, dark = palette.paint() if palette.chance(0.6) else palette.metal(), palette.paint((0.02, 0.02, 0.02))
    n = int(palette.rng.integers(1, 6))
    at = palette.rng.uniform(-0.42, 0.42, (n, 2)) * np.array(size[:2]) + np.array([0, size[1] / 2])
    r = min(size[:2]) * 0.1
    made: Thing = [box(size, skin), *copies([lathe([(r, 0), (r * 0.85, r)], dark, sides=10)], np.stack([at[:, 0], at[:, 1], np.full(n, size[2] / 2)], 1), tilt=pi / 2)]
    made.append(canvas(size[0] * 0.4, size[1] * 0.3, palette.printed(), size[1] * 0.6, size[2] / 2 + 0.0006))
    return [*made, boxes([(0, size[1], z) for z in np.linspace(-size[2] * 0.3, size[2] * 0.3, 5)], (size[0] * 0.6, 0.002, 0.004), dark)]


TABLE: tuple[Maker, ...] = (cup, cup, tumbler, wine_glass, plate, bowl, jug, napkin, candle, flowers, *FOODS[5:], bottle, book, phone, papers, glasses)
KITCHEN: tuple[Maker, ...] = (pan, pot, jug, board, bowl, plate, cup, bottle, jar, tin, pouch, pack, scoop, dish_rack, coffee_maker, grinder, cloth, small_plant, *FOODS)
DESK: tuple[Maker, ...] = (book, book_stack, papers, papers, pen, pencil_cup, cup, phone, tablet, headphones, mouse, cable, glasses, tumbler, small_plant, desk_lamp, scissors, alarm_clock)
OFFICE: tuple[Maker, ...] = (laptop, monitor, keyboard, printer, speaker)
DECOR: tuple[Maker, ...] = (vase, figurine, candle, small_plant, flowers, book, book_stack, bowl, alarm_clock, jar, teddy, basket, pack, speaker, table_lamp, camera, jug)
TOYS: tuple[Maker, ...] = (ball, toy_car, toy_bricks, teddy, figurine, book, pack)
BATH: tuple[Maker, ...] = (bottle, bottle, jar, squeeze_tube, brush, cup, pack, folded_clothes, tumbler, candle)
WORKSHOP: tuple[Maker, ...] = (tool, tool, tin, jar, cable, pack, knob_box, pen, scissors, crate)
FLOOR: tuple[Maker, ...] = (shoe, bag, carton, crate, basket, ball, book_stack, teddy, thrown_clothes, toy_car, toy_bricks)
PERSONAL: tuple[Maker, ...] = (phone, glasses, coins, hat, bag, shoe, camera, remote, headphones, gift, crumpled_paper, brush, cloth)
ABSTRACT: tuple[Maker, ...] = (turned, turned, lump, lump, knob_box, crumpled_paper)
CUTLERY: tuple[Maker, ...] = (knife, fork, fork)
ALL: tuple[Maker, ...] = tuple(dict.fromkeys((*TABLE, *KITCHEN, *DESK, *DECOR, *TOYS, *BATH, *WORKSHOP, *PERSONAL, *ABSTRACT, *CUTLERY)))


def product(palette: Palette) -> Thing:
    """Any small thing at all."""
    return ALL[int(palette.rng.integers(len(ALL)))](palette)
