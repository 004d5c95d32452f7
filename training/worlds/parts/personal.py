"""What people carry, wear and leave about."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.mesh import Thing, box, lathe, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import copies
from training.worlds.parts.shapes import bent, crumpled, cushion, settle, torus, vessel


def shoe(palette: Palette) -> Thing:
    """A pair of shoes or one."""
    stuff, sole = (
        palette.leather() if palette.chance(0.5) else palette.fabric(),
        palette.paint((0.7, 0.68, 0.64) if palette.chance(0.5) else (0.03, 0.02, 0.02)),
    )
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
    one = [
        lathe(
            [(r, 0), (r, 0.0018), (r * 0.9, 0.0018), (r * 0.88, 0.0014), (0.001, 0.0014)], metal, sides=18, smooth=False
        )
    ]
    piled = palette.chance(0.4)
    at = rng.normal(size=(n, 3)) * (0.001 if piled else 0.03)
    at[:, 1] = 0.0018 * np.arange(n) if piled else 0.0002 * np.arange(n)
    return copies(one, at, rng.uniform(0, 6, n))


def glasses(palette: Palette) -> Thing:
    """Spectacles, folded open on the table."""
    stuff, made = palette.paint((0.03, 0.02, 0.02)) if palette.chance(0.6) else palette.metal(), list[Thing]()
    for x in (-0.033, 0.033):
        ring = [
            torus(0.024, 0.002, stuff),
            *place([lathe([(0.023, 0), (0.023, 0.001)], palette.glass(), smooth=False)], pitch=pi / 2),
        ]
        made.append(place(ring, (x, 0.024, 0.0)))
        made.append(
            [tube([(x * 1.8, 0.035, 0), (x * 1.8, 0.03, -0.1), (x * 1.75, 0.003, -0.14)], 0.002, stuff, sides=5)]
        )
    return settle(
        [part for one in made for part in one] + [tube([(-0.01, 0.03, 0), (0.01, 0.03, 0)], 0.002, stuff, sides=5)]
    )


def brush(palette: Palette) -> Thing:
    """A toothbrush, hairbrush or paint brush, lying along z."""
    long, skin = palette.between(0.14, 0.25), palette.paint()
    shaft = tube(
        bent([(0, 0.006, long / 2), (0, 0.008, 0), (0, 0.006, -long / 2)], 7),
        palette.between(0.004, 0.008),
        skin,
        sides=7,
    )
    wide = palette.between(0.01, 0.05)
    return settle(
        [
            shaft,
            box((wide, 0.018, long * 0.25), palette.hair(), (0, 0.008, -long * 0.4)),
            box((wide, 0.006, long * 0.27), skin, (0, 0.004, -long * 0.4)),
        ]
    )


def squeeze_tube(palette: Palette) -> Thing:
    """A tube of toothpaste or paint, lying."""
    long, r, skin = (
        palette.between(0.08, 0.18),
        palette.between(0.012, 0.024),
        palette.printed() if palette.chance(0.6) else palette.paint(),
    )
    a = np.linspace(0, 2 * pi, 14, endpoint=False)
    rings = [
        np.stack([np.cos(a) * r * (1 + 0.45 * t), np.sin(a) * r * (1 - 0.93 * t) + r, 0 * a + long * (t - 0.5)], 1)
        for t in (0, 0.3, 0.7, 1)
    ]
    return settle(
        [
            loft(np.stack(rings), skin),
            *place(
                [lathe([(r * 0.7, 0), (r * 0.6, 0.02)], palette.paint(), sides=12, smooth=False)],
                (0, r, -long / 2),
                pitch=-pi / 2,
            ),
        ]
    )


def hat(palette: Palette) -> Thing:
    """A hat or a cap."""
    stuff, r = palette.fabric(), 0.09
    brim = r * palette.between(1.2, 1.9)
    return [
        lathe(
            [
                (brim, 0),
                (brim, 0.004),
                (r, 0.01),
                (r * 0.97, palette.between(0.06, 0.1)),
                (r * 0.8, 0.12),
                (0.01, 0.125),
            ],
            stuff,
            sides=22,
        )
    ]


def folded_clothes(palette: Palette) -> Thing:
    """A pile of folded clothes or towels."""
    made, y = list[Thing](), 0.0
    for _ in range(int(palette.rng.integers(1, 7))):
        h = palette.between(0.02, 0.05)
        made.append(
            place(
                [cushion((palette.between(0.25, 0.35), h, palette.between(0.2, 0.3)), palette.fabric(), soft=0.3)],
                (palette.rng.normal() * 0.01, y, 0),
                palette.rng.normal() * 0.06,
            )
        )
        y += h * 0.96
    return [part for one in made for part in one]


def thrown_clothes(palette: Palette) -> Thing:
    """A garment dropped on a bed or chair."""
    return settle(
        [
            crumpled(
                palette,
                palette.between(0.4, 0.8),
                palette.between(0.3, 0.7),
                palette.fabric(),
                palette.between(0.03, 0.08),
            )
        ]
    )


def basket(palette: Palette) -> Thing:
    """A round basket or bin."""
    r, h = palette.between(0.1, 0.22), palette.between(0.12, 0.4)
    stuff = palette.one_of(palette.wood, palette.metal, palette.paint, palette.fabric)()  # type: ignore[operator]
    return [vessel([(r * palette.between(0.7, 1), 0), (r, h)], 0.006, stuff)]
