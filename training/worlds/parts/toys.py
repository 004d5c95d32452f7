"""Toys, figures and generic products."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.mesh import Thing, box, bumpy, ellipsoid, lathe, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes, copies
from training.worlds.parts.shapes import bent, canvas, cushion, settle, torus


def ball(palette: Palette) -> Thing:
    """A ball, from marble to football."""
    r = float(palette.rng.choice([0.02, 0.033, 0.037, 0.11, 0.12])) * palette.between(0.9, 1.1)
    return [ellipsoid((r, r, r), palette.anything(), sides=20, at=(0, r, 0))]


def toy_car(palette: Palette) -> Thing:
    """A toy car."""
    s, skin, dark = palette.between(0.06, 0.25), palette.paint(shine=0.3), palette.paint((0.02, 0.02, 0.02))
    wheel = place([lathe([(0.16, -0.06), (0.16, 0.06)], dark, sides=12)], (0, 0.16, 0), roll=pi / 2)
    made = [
        cushion((0.5, 0.25, 1.0), skin, (0, 0.12, 0), 0.3),
        cushion((0.42, 0.25, palette.between(0.4, 0.7)), dark, (0, 0.28, -0.05), 0.5),
    ]
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
    made: Thing = [
        ellipsoid((0.26, 0.3, 0.23), fur, at=(0, 0.3, 0)),
        ellipsoid((0.22, 0.2, 0.2), fur, at=(0, 0.72, 0.03)),
        ellipsoid((0.1, 0.08, 0.1), pale, at=(0, 0.67, 0.2)),
    ]
    ear, dark = palette.between(0.07, 0.3), palette.paint((0.01, 0.01, 0.01))
    for x in (-1, 1):
        made += [
            ellipsoid((0.08, ear, 0.05), fur, at=(0.16 * x, 0.85 + ear * 0.6, 0)),
            ellipsoid((0.09, 0.2, 0.1), fur, at=(0.28 * x, 0.38, 0.08)),
        ]
        made += [
            ellipsoid((0.1, 0.1, 0.22), fur, at=(0.17 * x, 0.1, 0.25)),
            ellipsoid((0.022, 0.022, 0.02), dark, sides=8, at=(0.08 * x, 0.76, 0.2)),
        ]
    return settle(place([*made, ellipsoid((0.03, 0.02, 0.02), dark, sides=8, at=(0, 0.7, 0.29))], scale=s))


def figurine(palette: Palette) -> Thing:
    """A statuette or bust on a foot."""
    stuff, s = palette.one_of(palette.ceramic, palette.metal, palette.wood, palette.paint)(), palette.between(0.08, 0.4)  # type: ignore[operator]
    made: Thing = [lathe([(0.22, 0), (0.22, 0.04), (0.16, 0.08)], stuff)]
    if palette.chance(0.5):
        made += [
            cushion((0.5, 0.3, 0.26), stuff, (0, 0.22, 0), 0.8),
            lathe([(0.09, 0.08), (0.1, 0.25)], stuff),
            lathe([(0.08, 0.4), (0.075, 0.62)], stuff),
        ]
        made += [
            ellipsoid((0.13, 0.17, 0.15), stuff, at=(0, 0.74, 0.02)),
            ellipsoid((0.025, 0.04, 0.035), stuff, at=(0, 0.72, 0.16)),
            ellipsoid((0.15, 0.15, 0.15), stuff, at=(0, 0.79, -0.03)),
        ]
        return place(made, scale=s)
    made.append(tube([(-0.05, 0.06, 0), (-0.05, 0.4, 0)], [0.06, 0.07], stuff))
    made.append(tube([(0.06, 0.06, 0.05), (0.05, 0.4, 0)], [0.06, 0.07], stuff))
    made += [
        ellipsoid((0.13, 0.24, 0.09), stuff, at=(0, 0.58, 0)),
        ellipsoid((0.065, 0.08, 0.07), stuff, at=(0, 0.9, 0.01)),
    ]
    for x in (-1, 1):
        hand = palette.rng.normal(size=3) * np.array([0.1, 0.15, 0.1]) + np.array([0.25 * x, 0.55, 0.1])
        made.append(tube(bent([(0.12 * x, 0.74, 0), (0.2 * x, 0.6, 0), hand], 6), [0.045] * 3 + [0.03] * 3, stuff))
    return place(made, scale=s)


def gift(palette: Palette) -> Thing:
    """A wrapped present."""
    size = (palette.between(0.1, 0.3), palette.between(0.05, 0.25), palette.between(0.1, 0.3))
    band = palette.paint()
    made: Thing = [
        box(size, palette.fabric()),
        box((size[0] * 1.01, size[1] * 1.01, 0.02), band),
        box((0.02, size[1] * 1.01, size[2] * 1.01), band),
    ]
    for x in (-1, 1):
        made += place(
            [torus(0.03, 0.006, band, flat=2.5)], (0.03 * x, size[1] + 0.015, 0), pitch=0.3, scale=(1, 0.6, 1)
        )
    return made


def crumpled_paper(palette: Palette) -> Thing:
    """A ball of paper, a stone, a lump."""
    r = palette.between(0.02, 0.06)
    return settle(
        [
            bumpy(
                ellipsoid(
                    (r, r * 0.8, r),
                    palette.paint((0.75, 0.75, 0.72)) if palette.chance(0.6) else palette.rock(),
                    sides=16,
                ),
                palette.rng,
                r * 0.12,
                r * 0.5,
            )
        ]
    )


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
    made: Thing = [
        box(size, skin),
        *copies(
            [lathe([(r, 0), (r * 0.85, r)], dark, sides=10)],
            np.stack([at[:, 0], at[:, 1], np.full(n, size[2] / 2)], 1),
            tilt=pi / 2,
        ),
    ]
    made.append(canvas(size[0] * 0.4, size[1] * 0.3, palette.printed(), size[1] * 0.6, size[2] / 2 + 0.0006))
    return [
        *made,
        boxes(
            [(0, size[1], z) for z in np.linspace(-size[2] * 0.3, size[2] * 0.3, 5)],
            (size[0] * 0.6, 0.002, 0.004),
            dark,
        ),
    ]
