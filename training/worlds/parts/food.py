"""Things to eat: fruit, bread, cakes, and plated dishes."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, bumpy, ellipsoid, grid, lathe, place, prism, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import copies
from training.worlds.parts.shapes import Maker, bent, cushion, disc, settle, swell, torus
from training.worlds.parts.tableware import board, bowl_sized, plate_sized

Colour = tuple[float, float, float]


def eatable(palette: Palette, colour: Colour, wet: float = 0.15) -> Material:
    """A food of this colour, mottled."""
    c = palette.near(colour, 1.15)
    kind, second = palette.one_of("clouds", "clouds", "speckle"), palette.near(c, 1.35, 0.12)
    gloss, shine = palette.between(0.4, 0.85), palette.between(0, 2 * wet)
    return Material(c, second, kind, palette.spread(50, 1.6), shine=shine, gloss=gloss, bump=0.001, seed=palette.seed())


def fruit(palette: Palette) -> Thing:
    """A fruit or vegetable."""
    kind = int(palette.rng.integers(7))
    if kind > 3:
        return _greens(palette, kind)
    if kind == 0:  # apple, tomato, peach
        r = palette.between(0.03, 0.045)
        skin = eatable(palette, palette.one_of((0.5, 0.04, 0.03), (0.35, 0.45, 0.06), (0.65, 0.3, 0.1)))  # type: ignore[arg-type]
        body = lathe(
            [(r * 0.3, 0), (r * 0.8, r * 0.3), (r, r), (r * 0.85, r * 1.6), (r * 0.4, r * 1.85), (r * 0.08, r * 1.65)],
            skin,
        )
        made = [body, tube([(0, r * 1.6, 0), (r * 0.1, r * 2.1, 0)], 0.0015, palette.bark(), sides=5)]
    elif kind == 1:  # orange, lemon, melon
        r = float(palette.rng.choice([0.035, 0.04, 0.03, 0.09]))
        skin = eatable(palette, palette.one_of((0.65, 0.25, 0.02), (0.7, 0.55, 0.05), (0.25, 0.35, 0.05)))  # type: ignore[arg-type]
        made = [ellipsoid((r, r, r * palette.between(1, 1.3)), skin, at=(0, r, 0))]
    elif kind == 2:  # bananas
        skin, bunch = eatable(palette, (0.65, 0.45, 0.05)), list[Thing]()
        for i in range(int(palette.rng.integers(1, 5))):
            path = bent([(-0.09, 0.045, 0), (-0.04, 0.02, 0.0), (0.04, 0.02, 0), (0.09, 0.055, 0)], 9)
            thick = [0.005, 0.012, 0.016, 0.018, 0.018, 0.018, 0.016, 0.012, 0.005]
            bunch.append(place([tube(path, thick, skin)], (0, 0, 0.026 * i), 0.15 * i))
        made = settle([part for one in bunch for part in one])
    else:  # pear, pepper, aubergine
        h = palette.between(0.07, 0.14)
        skin = eatable(
            palette, palette.one_of((0.4, 0.4, 0.06), (0.5, 0.04, 0.02), (0.04, 0.01, 0.04), (0.08, 0.25, 0.03))
        )  # type: ignore[arg-type]
        made = [
            lathe(
                [
                    (h * 0.15, 0),
                    (h * 0.36, h * 0.2),
                    (h * 0.36, h * 0.45),
                    (h * 0.2, h * 0.75),
                    (h * 0.15, h * 0.93),
                    (0.004, h),
                ],
                skin,
            )
        ]
    return made


def _greens(palette: Palette, kind: int) -> Thing:
    if kind == 4:  # grapes, berries, cherries
        r, n = palette.between(0.006, 0.012), int(palette.rng.integers(8, 40))
        skin = eatable(
            palette, palette.one_of((0.2, 0.02, 0.1), (0.35, 0.4, 0.1), (0.5, 0.02, 0.03), (0.05, 0.05, 0.2))
        )  # type: ignore[arg-type]
        made = _heap(palette, [ellipsoid((r, r, r), skin, sides=8, at=(0, r, 0))], n, r * n**0.45, r * n**0.3)
    elif kind == 5:  # carrot, cucumber
        long, r = palette.between(0.1, 0.25), palette.between(0.012, 0.025)
        skin = eatable(palette, palette.one_of((0.6, 0.2, 0.02), (0.06, 0.18, 0.03)))  # type: ignore[arg-type]
        made = settle(
            [
                tube(
                    bent([(-long / 2, r, 0), (0, r, 0.01), (long / 2, r, 0)], 6),
                    r * np.linspace(1, palette.between(0.2, 1), 6),
                    skin,
                    sides=10,
                )
            ]
        )
    else:
        r = palette.between(0.02, 0.07)  # potato, avocado, onion, egg
        skin = eatable(
            palette, palette.one_of((0.4, 0.28, 0.14), (0.06, 0.1, 0.03), (0.45, 0.2, 0.08), (0.7, 0.6, 0.5))
        )  # type: ignore[arg-type]
        made = settle([bumpy(ellipsoid((r * 1.3, r, r), skin), palette.rng, r * palette.between(0, 0.08), r)])
    return made


def _heap(palette: Palette, piece: Thing, count: int, spread: float, rise: float) -> Thing:
    """Copies of a piece, tossed into a dome of radius `spread` and height `rise`."""
    rng = palette.rng
    radius = spread * np.sqrt(rng.uniform(0, 1, count))
    angle = rng.uniform(0, 2 * pi, count)
    y = rise * rng.uniform(0, 1, count) * (1 - (radius / spread) ** 2)
    at = np.stack([radius * np.cos(angle), y, radius * np.sin(angle)], 1)
    return copies(
        piece, at, rng.uniform(0, 2 * pi, count), rng.uniform(0.75, 1.2, count), rng.uniform(-0.5, 0.5, count)
    )


def bread(palette: Palette) -> Thing:
    """A loaf, a baguette, rolls or slices."""
    crust = eatable(palette, (0.4, 0.2, 0.07), 0.05)
    kind = int(palette.rng.integers(4))
    if kind == 0:
        size = (palette.between(0.18, 0.35), palette.between(0.08, 0.13), palette.between(0.1, 0.16))
        return settle([bumpy(cushion(size, crust, soft=0.7), palette.rng, 0.004, 0.05)])
    if kind == 1:
        path = bent([(-0.27, 0.03, 0), (0, 0.03, 0.015), (0.27, 0.03, 0)], 9)
        return settle(
            [
                bumpy(
                    tube(path, 0.033 * np.sin(np.linspace(0.5, pi - 0.5, 9)), crust, sides=10), palette.rng, 0.002, 0.03
                )
            ]
        )
    if kind == 2:
        roll = settle([bumpy(cushion((0.09, 0.055, 0.08), crust, soft=0.9), palette.rng, 0.002, 0.03)])
        n = int(palette.rng.integers(1, 5))
        return copies(
            roll,
            np.stack([np.arange(n) * 0.085, np.zeros(n), palette.rng.normal(size=n) * 0.02], 1),
            palette.rng.uniform(0, 3, n),
        )
    crumb = eatable(palette, (0.65, 0.5, 0.3), 0.0)
    slices = [box((0.11, 0.013, 0.1), crumb), box((0.114, 0.011, 0.104), crust, (0, 0.001, 0))]
    n = int(palette.rng.integers(1, 5))
    return copies(
        slices,
        np.stack([palette.rng.normal(size=n) * 0.012, np.arange(n) * 0.0135, palette.rng.normal(size=n) * 0.012], 1),
        palette.rng.normal(size=n) * 0.3,
    )


def cake(palette: Palette) -> Thing:
    """A round cake or a piece of one, in layers, with things on top."""
    r, h = palette.between(0.07, 0.14), palette.between(0.04, 0.11)
    cream, dough = (
        eatable(palette, palette.hue(0.4, 0.7)),
        eatable(palette, palette.one_of((0.5, 0.3, 0.12), (0.12, 0.05, 0.02), (0.6, 0.5, 0.3)), 0.02),
    )  # type: ignore[arg-type]
    if palette.chance(0.5):
        angle = np.linspace(-0.3, 0.3, 6)
        outline = np.concatenate(
            [[[0, 0]], np.stack([np.sin(angle) * r * 1.2, np.cos(angle) * r * 1.2], 1)[::-1]]
        ) - np.array([0, r * 0.6])
        made: Thing = []
        for i in range(4):
            made += place([prism(outline, h / 4, cream if i % 2 else dough)], (0, h * (i + 0.5) / 4, 0), pitch=-pi / 2)
        return [*made, *place(_topping(palette), (0, h, -r * 0.2))]
    made = [lathe([(r, 0), (r, h * 0.95), (r * 0.97, h)], cream if palette.chance(0.6) else dough, sides=30)]
    at = np.stack(
        [np.sin(np.linspace(0, 6.28, 9)[:-1]) * r * 0.8, np.full(8, h), np.cos(np.linspace(0, 6.28, 9)[:-1]) * r * 0.8],
        1,
    )
    return made + copies(_topping(palette), at) if palette.chance(0.7) else made


def _topping(palette: Palette) -> Thing:
    r = palette.between(0.007, 0.016)
    return [
        ellipsoid(
            (r, r * 0.9, r),
            eatable(palette, palette.one_of((0.5, 0.02, 0.03), (0.7, 0.65, 0.58), (0.1, 0.04, 0.02))),
            sides=9,
            at=(0, r * 0.8, 0),
        )
    ]  # type: ignore[arg-type]


def pastry(palette: Palette) -> Thing:
    """Doughnut, croissant, muffin, biscuits."""
    crust = eatable(palette, (0.42, 0.22, 0.08), 0.1)
    kind = int(palette.rng.integers(4))
    if kind == 0:
        ring = place([torus(0.032, 0.017, crust)], (0, 0.017, 0), pitch=pi / 2)
        icing = place(
            [torus(0.032, 0.0172, eatable(palette, palette.hue(0.5, 0.6)))],
            (0, 0.0215, 0),
            pitch=pi / 2,
            scale=(1, 1, 0.8),
        )
        return settle(ring + icing)
    if kind == 1:
        path = bent(
            [(-0.06, 0.02, 0.035), (-0.035, 0.025, 0), (0, 0.027, -0.012), (0.035, 0.025, 0), (0.06, 0.02, 0.035)], 13
        )
        thick = 0.028 * np.sin(np.linspace(0.35, pi - 0.35, 13)) * (1 + 0.12 * (np.arange(13) % 2))
        return settle([tube(path, thick, crust, sides=10)])
    if kind == 2:
        return [
            lathe([(0.025, 0), (0.034, 0.04)], palette.paint()),
            *place([bumpy(cushion((0.085, 0.05, 0.085), crust, soft=0.9), palette.rng, 0.002, 0.03)], (0, 0.025, 0)),
        ]
    n = int(palette.rng.integers(2, 9))
    one = [lathe([(0.03, 0), (0.033, 0.005), (0.028, 0.011), (0.002, 0.012)], crust)]
    return copies(
        one,
        np.stack([palette.rng.normal(size=n) * 0.02, np.arange(n) * 0.009, palette.rng.normal(size=n) * 0.02], 1),
        0.0,
        1.0,
        palette.rng.normal(size=n) * 0.1,
    )


def burger(palette: Palette) -> Thing:
    """A burger or a sandwich: layers."""
    r, made, y = palette.between(0.045, 0.06), list[Thing](), 0.0
    bun = eatable(palette, (0.5, 0.27, 0.09), 0.1)
    layers: list[tuple[Colour, float, float]] = [((0.55, 0.35, 0.15), 0.02, 1.0)]
    pool = [
        ((0.12, 0.05, 0.03), 0.018, 1.02),
        ((0.7, 0.4, 0.04), 0.004, 1.12),
        ((0.5, 0.05, 0.03), 0.007, 0.9),
        ((0.15, 0.35, 0.05), 0.006, 1.15),
    ]
    layers += [pool[int(i)] for i in palette.rng.integers(0, 4, int(palette.rng.integers(2, 6)))]
    for colour, high, wide in layers:
        ring = [(r * wide * 0.96, y), (r * wide, y + high / 2), (r * wide * 0.96, y + high)]
        made.append([bumpy(lathe(ring, eatable(palette, colour)), palette.rng, 0.0025, 0.02)])
        y += high
    top = place([cushion((2 * r, 0.075, 2 * r), bun, soft=0.9)], (0, y - 0.035, 0))
    return settle([part for one in made for part in one] + top)


def pizza(palette: Palette) -> Thing:
    """A pizza, a tart, a pancake."""
    r, crust = palette.between(0.1, 0.17), eatable(palette, (0.5, 0.3, 0.12), 0.05)
    made: Thing = [
        lathe([(r, 0), (r * 1.02, 0.01), (r * 0.95, 0.02), (r * 0.9, 0.012), (0.01, 0.012)], crust, sides=28),
        disc(
            r * 0.91,
            eatable(palette, palette.one_of((0.55, 0.2, 0.04), (0.7, 0.55, 0.3), (0.4, 0.05, 0.02)), 0.3),
            0.0135,
        ),
    ]  # type: ignore[arg-type]
    for _ in range(int(palette.rng.integers(1, 4))):
        bit = (
            [lathe([(0.015, 0), (0.014, 0.004)], palette.food(), sides=9)]
            if palette.chance(0.5)
            else [cushion((0.02, 0.008, 0.014), palette.food(), soft=0.8, sides=8)]
        )
        made += place(_heap(palette, bit, int(palette.rng.integers(5, 20)), r * 0.85, 0.0), (0, 0.011, 0))
    return settle(made)


def _piece(palette: Palette) -> tuple[Thing, int]:
    """A bit of food for a plate, and how many of it one serves."""
    kind, s = int(palette.rng.integers(8)), palette.between(0.7, 1.4)
    stuff = palette.food()
    if kind == 0:  # rice, peas, grains
        made = (
            [
                cushion(
                    (0.009 * s, 0.006, 0.006),
                    eatable(palette, palette.one_of((0.75, 0.7, 0.6), (0.15, 0.35, 0.05), (0.5, 0.1, 0.03))),
                    soft=1,
                    sides=6,
                )
            ],
            60,
        )  # type: ignore[arg-type]
    elif kind == 1:  # chips, beans, batons
        made = (
            [box((0.009, 0.009, 0.06 * s), eatable(palette, palette.one_of((0.65, 0.42, 0.1), (0.1, 0.25, 0.04))))],
            24,
        )  # type: ignore[arg-type]
    elif kind == 2:  # noodles
        path = bent(palette.rng.normal(size=(7, 3)) * np.array([0.03, 0.004, 0.03]) + np.array([0, 0.008, 0]), 22)
        made = [tube(path, 0.0025, eatable(palette, (0.65, 0.5, 0.22)), sides=5)], 14
    elif kind == 3:  # leaves
        n = np.linspace(-0.5, 0.5, 5)
        x, z = np.meshgrid(n, n)
        y = swell(palette.rng, x, z, 0.5, 0.12)
        leaf = grid(
            np.stack([x * (0.6 - np.abs(z) * 0.7), y + 0.2, z], -1) * 0.07 * s, eatable(palette, (0.12, 0.3, 0.04))
        )
        made = [leaf], 22
    elif kind == 4:  # meat, fish, tofu
        made = (
            [
                bumpy(
                    cushion(
                        (0.1 * s, 0.022, 0.06 * s),
                        eatable(palette, palette.one_of((0.25, 0.1, 0.04), (0.6, 0.25, 0.12), (0.55, 0.4, 0.2))),
                        soft=0.6,
                    ),
                    palette.rng,
                    0.003,
                    0.03,
                )
            ],
            2,
        )  # type: ignore[arg-type]
    elif kind == 5:  # slices
        made = [lathe([(0.018 * s, 0), (0.018 * s, 0.004)], stuff, sides=12, smooth=False)], 10
    elif kind == 6:  # balls, potatoes, dumplings
        r = 0.014 * s
        made = (
            [bumpy(ellipsoid((r, r * 0.85, r * 1.15), stuff, sides=10, at=(0, r * 0.8, 0)), palette.rng, 0.001, 0.02)],
            8,
        )
    else:
        made = [box((0.018 * s, 0.016 * s, 0.018 * s), stuff)], 14  # cubes
    return made


def dish(palette: Palette) -> Thing:
    """A plate or bowl with a meal on it."""
    if palette.chance(0.35):
        return _bowl_dish(palette)
    r = palette.between(0.1, 0.15)
    stuff = (
        palette.ceramic()
        if palette.chance(0.5)
        else replace(palette.ceramic(), pattern="plain", colour=palette.near((0.78, 0.77, 0.75), 1.05, 0.01))
    )
    made = plate_sized(palette, r, stuff)
    parts = int(palette.rng.integers(1, 5))
    phase = palette.between(0, 6)
    if palette.chance(0.4):
        blot = bumpy(
            lathe([(r * 0.5, 0.005), (r * 0.45, 0.009), (0.002, 0.01)], palette.food()), palette.rng, 0.006, 0.05
        )
        made += place([blot], (0, 0.002, 0))
    if palette.chance(0.25):
        return made + place(palette.one_of(burger, pastry, cake, bread)(palette), (0, 0.008, 0))  # type: ignore[operator]
    for i in range(parts):
        piece, count = _piece(palette)
        share = palette.between(0.3, 0.5) * r if parts > 1 else r * 0.6
        out = r * 0.33 if parts > 1 else 0.0
        angle = phase + 2 * pi * i / parts
        made += place(
            _heap(palette, piece, count, share, share * palette.between(0.3, 0.8)),
            (out * np.cos(angle), 0.008, out * np.sin(angle)),
        )
    return made


def _bowl_dish(palette: Palette) -> Thing:
    r = palette.between(0.07, 0.12)
    h = r * palette.between(0.5, 0.8)
    made = bowl_sized(palette, r, h, palette.ceramic())
    made.append(disc(r * 0.85, palette.food(), h * 0.62))
    for _ in range(int(palette.rng.integers(0, 4))):
        piece, count = _piece(palette)
        at = palette.rng.normal(size=2) * r * 0.25
        made += place(_heap(palette, piece, count, r * 0.5, h * 0.4), (at[0], h * 0.6, at[1]))
    return made


def fruit_bowl(palette: Palette) -> Thing:
    """A bowl heaped with fruit."""
    r = palette.between(0.1, 0.16)
    made = bowl_sized(palette, r, r * 0.5, palette.ceramic() if palette.chance(0.6) else palette.wood())
    for i in range(int(palette.rng.integers(4, 10))):
        angle, out = 2.4 * i, r * 0.55 * (i % 4 > 0)
        made += place(fruit(palette), (out * np.cos(angle), r * 0.22 + 0.05 * (i // 5), out * np.sin(angle)), angle)
    return made


def snack_board(palette: Palette) -> Thing:
    """A board with cheese, bread and fruit."""
    made = board(palette)
    for _ in range(int(palette.rng.integers(2, 6))):
        one = palette.one_of(fruit, bread, pastry, _cheese)(palette)  # type: ignore[operator]
        made += place(
            one,
            (palette.between(-0.12, 0.12), 0.02, palette.between(-0.07, 0.07)),
            palette.between(0, 6),
            scale=palette.between(0.5, 0.9),
        )
    return made


def _cheese(palette: Palette) -> Thing:
    return place(
        [prism([(0, 0), (0.1, 0.02), (0.1, 0.07)], 0.04, eatable(palette, (0.7, 0.5, 0.12), 0.05))],
        (-0.06, 0.02, 0.03),
        pitch=-pi / 2,
    )


FOODS: tuple[Maker, ...] = (fruit, fruit, bread, cake, pastry, burger, pizza, dish, dish, dish, fruit_bowl, snack_board)
