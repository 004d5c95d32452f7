"""Kitchens and bathrooms: counters with sink and stove, cupboards, fridge, machines; bath, toilet, basin."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, lathe, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.cabinets import fronts
from training.worlds.parts.many import boxes, copies
from training.worlds.parts.shapes import bent, canvas, coat, cushion, disc, frame, torus, vessel


def worktop(palette: Palette) -> Material:
    """Wood, stone or plastic of a counter."""
    if palette.chance(0.4):
        return palette.wood()
    grey = palette.hue(0.12, palette.between(0.03, 0.7))
    return Material(
        grey,
        palette.near(grey, 1.5),
        palette.one_of("speckle", "marble", "plain"),
        palette.spread(12),
        shine=0.25,
        gloss=0.85,
        seed=palette.seed(),
    )  # type: ignore[arg-type]


def tap(palette: Palette) -> Thing:
    """A tap, its spout towards +z."""
    steel, high = palette.metal((0.65, 0.65, 0.67)), palette.between(0.12, 0.36)
    reach = palette.between(0.12, 0.22)
    path = bent(
        [(0, 0, 0), (0, high * 0.7, 0), (0, high, reach * 0.4), (0, high * 0.85, reach), (0, high * 0.7, reach)], 12
    )
    return [
        tube(path, 0.011, steel),
        lathe([(0.028, 0), (0.026, 0.03), (0.018, 0.06)], steel, sides=10),
        box((0.08, 0.012, 0.018), steel, (0.04, 0.05, 0)),
    ]


def oven_front(palette: Palette, width: float, height: float) -> Thing:
    """The face of an oven or dishwasher at z = 0."""
    steel = palette.metal((0.5, 0.5, 0.52)) if palette.chance(0.6) else palette.paint((0.75, 0.75, 0.75))
    dark = Material((0.015, 0.015, 0.018), shine=0.5, gloss=0.95)
    made: Thing = [
        box((width, height, 0.02), steel, (0, 0, 0.01)),
        box((width * 0.8, height * 0.5, 0.004), dark, (0, height * 0.15, 0.022)),
    ]
    made.append(box((width * 0.8, 0.018, 0.03), palette.metal(), (0, height * 0.74, 0.045)))
    knob = [lathe([(0.02, 0), (0.018, 0.02)], dark, sides=10)]
    x = np.linspace(-width * 0.35, width * 0.35, 5)
    return made + copies(knob, np.stack([x, 0 * x + height * 0.9, 0 * x + 0.02], 1), tilt=pi / 2)


def hob(palette: Palette) -> Thing:
    """A hob: black glass with rings, or gas burners with grates; on y = 0."""
    dark = Material((0.012, 0.012, 0.014), shine=0.4, gloss=0.95)
    made: Thing = [box((0.58, 0.006, 0.5), dark if palette.chance(0.6) else palette.metal(), (0, 0, 0))]
    at = np.array([(-0.14, 0.006, -0.11), (0.14, 0.006, -0.11), (-0.14, 0.006, 0.12), (0.14, 0.006, 0.12)])
    if palette.chance(0.5):
        ring = Material((0.1, 0.1, 0.1))
        made += copies([lathe([(0.085, 0), (0.085, 0.001), (0.08, 0.001), (0.08, 0.0)], ring)], at)
    else:
        made += copies(
            [
                lathe([(0.04, 0), (0.035, 0.02)], dark),
                boxes([(0, 0.02, 0), (0, 0.02, 0)], [(0.2, 0.012, 0.01), (0.01, 0.012, 0.2)], dark),
            ],
            at,
        )
    return made


def counter(palette: Palette, width: float, sink: bool = True, stove: bool = True) -> Thing:
    """A run of kitchen cupboards with a worktop, 0.6 m deep around z = 0; a sink and a stove where there is room."""
    height, depth = palette.between(0.86, 0.94), 0.6
    face = (
        palette.paint((0.72, 0.71, 0.69))
        if palette.chance(0.45)
        else (palette.wood() if palette.chance(0.5) else coat(palette))
    )
    top, plinth = worktop(palette), palette.paint((0.1, 0.1, 0.1))
    made: Thing = [
        box((width, 0.1, depth - 0.08), plinth, (0, 0, -0.04)),
        box((width, height - 0.14, depth - 0.03), face, (0, 0.1, -0.015)),
    ]
    units = max(1, round(width / 0.6))
    one = width / units
    oven = int(palette.rng.integers(units)) if stove and units > 1 else -1
    for i in range(units):
        x = (i - (units - 1) / 2) * one
        z = depth / 2 - 0.03
        if i == oven:
            made += place(oven_front(palette, one - 0.004, height - 0.15), (x, 0.1, z))
            made += place(hob(palette), (x, height, 0))
        else:
            made += place(fronts(palette, one, height - 0.14, 1, int(palette.one_of(1, 1, 3)), face), (x, 0.1, z))
    basin = [i for i in range(units) if i != oven]
    if not sink or not basin:
        return [*made, box((width, 0.04, depth + 0.02), top, (0, height - 0.04, 0))]
    x = (float(palette.rng.choice(basin)) - (units - 1) / 2) * one
    return made + place(_sink(palette, width, depth, x, top), (0, height, 0))


def _sink(palette: Palette, width: float, depth: float, x: float, top: Material) -> Thing:
    """The worktop around a hole at x, and the basin and tap in it; the top's upper face at y = 0."""
    w, d, deep = 0.46, 0.38, 0.17
    left, right = x - w / 2 + width / 2, width / 2 - x - w / 2
    rim = (depth + 0.02 - d) / 2
    slabs = [(left, 0.04, depth + 0.02), (right, 0.04, depth + 0.02), (w, 0.04, rim), (w, 0.04, rim)]
    at = [
        (-width / 2 + left / 2, -0.04, 0),
        (width / 2 - right / 2, -0.04, 0),
        (x, -0.04, (d + rim) / 2),
        (x, -0.04, -(d + rim) / 2),
    ]
    keep = [i for i, s in enumerate(slabs) if min(s) > 0.01]
    made: Thing = [boxes([at[i] for i in keep], [slabs[i] for i in keep], top)]
    steel = palette.metal((0.6, 0.6, 0.62)) if palette.chance(0.7) else palette.ceramic()
    made.append(
        boxes(
            [(x, -deep, 0), (x - w / 2, -deep, 0), (x + w / 2, -deep, 0), (x, -deep, -d / 2), (x, -deep, d / 2)],
            [
                (w, 0.004, d),
                (0.006, deep + 0.003, d),
                (0.006, deep + 0.003, d),
                (w, deep + 0.003, 0.006),
                (w, deep + 0.003, 0.006),
            ],
            steel,
        )
    )
    return made + place(tap(palette), (x, 0, -d / 2 - 0.04))


def wall_units(palette: Palette, width: float) -> Thing:
    """Cupboards that hang on the wall: 0.35 m deep, the back at z = 0, the lower edge at y = 0."""
    height, units = palette.between(0.55, 0.9), max(1, round(width / 0.5))
    face = palette.paint((0.72, 0.71, 0.69)) if palette.chance(0.5) else palette.wood()
    made: Thing = [box((width, height, 0.33), face, (0, 0, 0.165))]
    return made + place(fronts(palette, width, height, units, 1, face), (0, 0, 0.33))


def hood(palette: Palette) -> Thing:
    """A cooker hood with its chimney; the back at z = 0, the lower edge at y = 0."""
    steel, width = palette.metal((0.6, 0.6, 0.62)), palette.between(0.55, 0.9)
    low = np.array([(-width / 2, 0, 0.5), (width / 2, 0, 0.5), (width / 2, 0, 0), (-width / 2, 0, 0)])
    high = np.array([(-0.13, 0.25, 0.28), (0.13, 0.25, 0.28), (0.13, 0.25, 0), (-0.13, 0.25, 0)])
    skirt = low + np.array([0, 0.05, 0])
    return [loft(np.stack([low, skirt, high]), steel, smooth=False), box((0.26, 0.9, 0.28), steel, (0, 0.25, 0.14))]


def fridge(palette: Palette) -> Thing:
    """A fridge, white, steel or coloured, with one or two doors."""
    width, height, depth = palette.between(0.55, 0.92), palette.between(1.2, 2.05), palette.between(0.58, 0.75)
    skin = palette.one_of(palette.metal((0.55, 0.55, 0.57)), palette.paint((0.78, 0.78, 0.78)), palette.paint())
    made: Thing = [
        box((width, height - 0.02, depth - 0.06), skin, (0, 0.02, -0.03)),
        box((width - 0.05, 0.02, depth - 0.1), palette.paint((0.05, 0.05, 0.05))),
    ]  # type: ignore[arg-type]
    split, steel = palette.between(0.25, 0.75) * height, palette.metal()
    if width > 0.8:
        made.append(
            boxes(
                [(-width / 4, 0.03, depth / 2 - 0.03), (width / 4, 0.03, depth / 2 - 0.03)],
                (width / 2 - 0.006, height - 0.04, 0.06),
                skin,
            )
        )  # type: ignore[arg-type]
        made.append(
            boxes(
                [(-0.05, height * 0.4, depth / 2 + 0.03), (0.05, height * 0.4, depth / 2 + 0.03)],
                (0.02, height * 0.35, 0.03),
                steel,
            )
        )
    else:
        z = depth / 2 - 0.03
        made.append(
            boxes(
                [(0, 0.03, z), (0, split + 0.006, z)],
                [(width, split - 0.03, 0.06), (width, height - split - 0.01, 0.06)],
                skin,
            )
        )  # type: ignore[arg-type]
        x = width / 2 - 0.06
        made.append(
            boxes([(x, split - 0.35, depth / 2 + 0.02), (x, split + 0.08, depth / 2 + 0.02)], (0.02, 0.26, 0.03), steel)
        )
    for _ in range(int(palette.rng.integers(0, 6)) if palette.chance(0.4) else 0):
        note = canvas(
            palette.between(0.05, 0.18),
            palette.between(0.05, 0.2),
            palette.picture(),
            palette.between(0.9, 1.1) * height * 0.7,
            depth / 2 + 0.003,
        )
        made += place([note], (palette.between(-0.2, 0.2), 0, 0))
    return made


def washing_machine(palette: Palette) -> Thing:
    """A washing machine or dryer."""
    skin = palette.paint((0.78, 0.78, 0.78)) if palette.chance(0.8) else palette.metal()
    dark = Material((0.02, 0.02, 0.025), shine=0.5, gloss=0.95)
    made: Thing = [
        box((0.6, 0.85, 0.58), skin),
        box((0.58, 0.1, 0.01), palette.paint((0.4, 0.4, 0.42)), (0, 0.73, 0.29)),
    ]
    made += place([torus(0.17, 0.025, palette.metal())], (0, 0.42, 0.295))
    made += place([lathe([(0.15, 0), (0.14, 0.02), (0.1, 0.03)], dark)], (0, 0.42, 0.29), pitch=pi / 2)
    return made + place([lathe([(0.03, 0), (0.025, 0.025)], skin, sides=12)], (0.1, 0.78, 0.295), pitch=pi / 2)


def microwave(palette: Palette) -> Thing:
    """A microwave oven."""
    skin = palette.one_of(palette.paint((0.75, 0.75, 0.75)), palette.paint((0.04, 0.04, 0.04)), palette.metal())
    dark = Material((0.015, 0.015, 0.018), shine=0.5, gloss=0.95)
    return [
        box((0.48, 0.27, 0.36), skin),
        box((0.32, 0.2, 0.006), dark, (-0.05, 0.035, 0.182)),
        box((0.09, 0.2, 0.006), dark, (0.175, 0.035, 0.182)),
    ]  # type: ignore[arg-type]


def bath(palette: Palette) -> Thing:
    """A bathtub, built in or free-standing; its long side towards +z."""
    white = replace(palette.ceramic(), pattern="plain", colour=palette.near((0.8, 0.8, 0.79), 1.05, 0.02))
    long, wide, high = palette.between(1.5, 1.8), palette.between(0.7, 0.8), palette.between(0.5, 0.62)
    angle = -np.linspace(0, 2 * pi, 28, endpoint=False)
    soft = palette.between(0.25, 0.7)
    ring = np.stack(
        [
            np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** soft,
            0 * angle,
            np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** soft,
        ],
        1,
    )

    def outline(a: float, y: float) -> np.ndarray:
        return ring * np.array([long / 2 - a, 1, wide / 2 - a]) + np.array([0, y, 0])

    inside = [
        outline(0.06, high),
        outline(0.1, high * 0.6),
        outline(0.17, 0.17),
        outline(0.25, 0.12),
        outline(wide / 2 - 0.01, 0.11),
        ring * 0.001 + np.array([0, 0.109, 0]),
    ]
    if palette.chance(0.5):
        shell = loft(
            np.stack([outline(0.12, 0), outline(0.06, 0.1), outline(0.0, high - 0.01), outline(0.02, high), *inside]),
            white,
        )
        return [shell, *place(tap(palette), (-long / 2 + 0.05, high, 0), pi / 2)]
    made: Thing = [loft(np.stack([outline(0.05, high - 0.012), outline(0.045, high), *inside]), white, capped=False)]
    made.append(frame(long - 0.1, wide - 0.1, 0.05, 0.03, white))
    made = [made[0], *place(made[1:], (0, high - 0.015, wide / 2 - 0.05), pitch=-pi / 2)]
    panel_stuff = white if palette.chance(0.5) else palette.tiled(white, "Tiles", size=0.8)
    made.append(
        boxes(
            [(0, 0, wide / 2 - 0.01), (0, 0, -wide / 2 + 0.01), (-long / 2 + 0.01, 0, 0), (long / 2 - 0.01, 0, 0)],
            [(long, high, 0.02), (long, high, 0.02), (0.02, high, wide), (0.02, high, wide)],
            panel_stuff,
        )
    )
    return made + place(tap(palette), (-long / 2 + 0.04, high, 0), pi / 2)


def toilet(palette: Palette) -> Thing:
    """A toilet with lid and cistern, the wall at -z."""
    white = replace(palette.ceramic(), pattern="plain", colour=palette.near((0.8, 0.8, 0.79), 1.05, 0.02))
    oval = np.array([1.0, 1.0, 1.3])
    bowl = lathe(
        [(0.12, 0), (0.11, 0.1), (0.13, 0.2), (0.175, 0.36), (0.18, 0.39), (0.13, 0.39), (0.1, 0.3), (0.03, 0.22)],
        white,
        sides=20,
    )
    made: Thing = place([bowl], (0, 0, 0.05), scale=tuple(oval))
    lid = [lathe([(0.185, 0), (0.19, 0.012), (0.17, 0.03), (0.05, 0.035)], white, sides=20)]
    if palette.chance(0.6):
        made += place(lid, (0, 0.392, 0.05), scale=tuple(oval))
    else:
        made += place(place(lid, scale=tuple(oval)), (0, 0.6, -0.2), pitch=-1.45 + pi)
    if palette.chance(0.8):
        made.append(cushion((0.4, 0.38, 0.18), white, (0, 0.4, -0.29), 0.2))
    made.append(box((0.2, 0.38, 0.25), white, (0, 0, -0.25)))
    return made


def basin(palette: Palette) -> Thing:
    """A wash basin on a cupboard, a pedestal or a board, the wall at -z; with tap."""
    white = replace(palette.ceramic(), pattern="plain", colour=palette.near((0.8, 0.8, 0.79), 1.05, 0.02))
    high, r = palette.between(0.78, 0.88), palette.between(0.19, 0.25)
    bowl = vessel([(r * 0.5, 0), (r * 0.85, 0.06), (r, 0.13), (r * 1.03, 0.15)], 0.015, white)
    wide = palette.between(1.0, 1.4)
    made: Thing = place([bowl], (0, high - 0.15, 0.02), scale=(wide, 1, 1))
    made += place([disc(0.02, palette.metal(), 0.018)], (0, high - 0.15, 0.02))
    made += place(tap(palette), (0, high - 0.02, -r - 0.03))
    if palette.chance(0.4):
        return [*made, lathe([(0.11, 0), (0.08, 0.1), (0.07, high - 0.25), (0.12, high - 0.14)], white)]
    width = 2 * r * wide + palette.between(0.1, 0.6)
    stuff = palette.wood() if palette.chance(0.5) else palette.paint((0.75, 0.75, 0.75))
    made.append(box((width, high - 0.15 - 0.1, 2 * r + 0.08), stuff, (0, 0.1, -0.02)))
    made += place(fronts(palette, width, high - 0.27, 2, 1, stuff), (0, 0.11, r + 0.02))
    return [
        *made,
        box((width, 0.03, 2 * r + 0.1), worktop(palette), (0, high - 0.18, -0.02)),
        box((width * 0.9, 0.1, 0.3), stuff),
    ]


def shower(palette: Palette) -> Thing:
    """A shower: tray, glass sides, a rail with a head; the corner at -x and -z."""
    side, high = palette.between(0.8, 1.0), palette.between(1.9, 2.1)
    white, steel, pane = palette.paint((0.8, 0.8, 0.8)), palette.metal((0.65, 0.65, 0.67)), palette.glass()
    made: Thing = [
        box((side, 0.05, side), white),
        box((0.008, high, side), pane, (side / 2, 0.05, 0)),
        box((side * 0.55, high, 0.008), pane, (side * 0.2, 0.05, side / 2)),
    ]
    made.append(
        boxes(
            [(side / 2, 0.05, side / 2), (side / 2, 0.05, -side / 2), (-side * 0.08, 0.05, side / 2)],
            (0.02, high, 0.02),
            steel,
        )
    )
    made.append(
        tube(
            bent([(0, 1.0, -side / 2 + 0.06), (0, 2.05, -side / 2 + 0.06), (0, 2.12, -side / 2 + 0.3)], 10), 0.01, steel
        )
    )
    return made + place([lathe([(0.1, 0), (0.1, 0.01), (0.02, 0.03)], steel)], (0, 2.08, -side / 2 + 0.3))
