"""Boxes to put things in: cartons, crates, trays, baskets."""

from __future__ import annotations

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, place
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes


def carton(palette: Palette) -> Thing:
    """A cardboard box, closed with tape."""
    size = (palette.between(0.2, 0.6), palette.between(0.15, 0.5), palette.between(0.2, 0.5))
    made: Thing = [
        box(size, cardboard(palette)),
        box((0.05, 0.001, size[2]), palette.paint((0.45, 0.33, 0.2)), (0, size[1], 0)),
    ]
    if palette.chance(0.6):
        made.append(
            box((size[0] * 0.4, size[1] * 0.35, 0.001), palette.printed(), (size[0] * 0.2, size[1] * 0.3, size[2] / 2))
        )
    return made


def cardboard(palette: Palette) -> Material:
    """Brown board."""
    colour = palette.near((0.4, 0.26, 0.14), 1.2)
    return palette.tiled(
        Material(colour, palette.near(colour, 1.1), "clouds", 6, seed=palette.seed()), "Cardboard", size=0.5
    )


def crate(palette: Palette) -> Thing:
    """An open box: carton with flaps, wooden crate, plastic tray or wire basket."""
    return open_box(palette, palette.between(0.3, 0.6), palette.between(0.12, 0.35), palette.between(0.25, 0.45))


def open_box(palette: Palette, width: float, height: float, depth: float) -> Thing:
    """An open box of this size (see `crate`)."""
    kind = int(palette.rng.integers(4))
    if kind == 3:
        return _wire_basket(palette, width, height, depth)
    wall = 0.006 if kind == 0 else 0.012
    stuff = cardboard(palette) if kind == 0 else (palette.wood((0.5, 0.36, 0.2)) if kind == 1 else palette.paint())
    made: Thing = [box((width, wall, depth), stuff)]
    rows = 3 if kind == 1 else 1
    y = np.arange(rows) * height / rows
    high, o = height / rows * (0.8 if kind == 1 else 1), 0 * y
    for sign in (-1, 1):
        made.append(boxes(np.stack([o + sign * (width - wall) / 2, y, o], 1), (wall, high, depth), stuff))
        made.append(boxes(np.stack([o, y, o + sign * (depth - wall) / 2], 1), (width, high, wall), stuff))
    if kind == 0 and palette.chance(0.6):
        for sign in (-1, 1):
            flap = [box((depth, depth * 0.3, wall), stuff)]
            made += place(flap, (sign * width / 2, height, 0), sign * np.pi / 2, palette.between(0.3, 1.9))
    return made


def _wire_basket(palette: Palette, width: float, height: float, depth: float) -> Thing:
    from training.worlds.parts.many import rods

    x, z = np.linspace(-width / 2, width / 2, int(width / 0.03)), np.linspace(-depth / 2, depth / 2, int(depth / 0.03))
    a, b = [], []
    for sign in (-1, 1):
        a += [(v, 0.002, sign * depth / 2) for v in x] + [(sign * width / 2, 0.002, v) for v in z]
        b += [(v, height, sign * depth / 2) for v in x] + [(sign * width / 2, height, v) for v in z]
        for y in np.linspace(0.002, height, 5):
            a += [(-width / 2, y, sign * depth / 2), (sign * width / 2, y, -depth / 2)]
            b += [(width / 2, y, sign * depth / 2), (sign * width / 2, y, depth / 2)]
    a += [(v, 0.002, -depth / 2) for v in x]
    b += [(v, 0.002, depth / 2) for v in x]
    return [rods(a, b, 0.0016, palette.metal(), sides=4)]
