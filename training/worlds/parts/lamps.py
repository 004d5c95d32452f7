"""Lamps: on tables, on the floor, under the ceiling."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.mesh import Thing, box, lathe, loft, place
from training.worlds.palette import Palette
from training.worlds.parts.shapes import (
    cushion,
    rod,
)


def _shade(palette: Palette, r: float, h: float, lit: bool) -> Thing:
    """A lamp shade, open below, foot at y = 0."""
    glow = palette.light((1.0, 0.85, 0.6), palette.between(0.8, 3)) if lit else palette.fabric((0.7, 0.66, 0.58))
    top = r * palette.between(0.4, 1.0)
    return [loft(_rings([(r, 0), (top, h), (top - 0.004, h), (r - 0.004, 0)]), glow, capped=False)]


def _rings(profile: list[tuple[float, float]], sides: int = 20) -> np.ndarray:
    angle = -np.linspace(0, 2 * pi, sides, endpoint=False)
    rh = np.array(profile)
    r, y = rh[:, 0, None], np.broadcast_to(rh[:, 1, None], (len(rh), sides))
    return np.stack([r * np.cos(angle), y, r * np.sin(angle)], -1)


def table_lamp(palette: Palette, lit: bool = False) -> Thing:
    """A lamp for a table, with a turned foot."""
    h, r, stuff = palette.between(0.25, 0.6), palette.between(0.05, 0.09), palette.anything()
    u = np.sort(palette.rng.uniform(0.3, 1, 3))[::-1] * r
    foot = lathe(
        [(r, 0), (r, 0.015), (u[0], h * 0.15), (u[1], h * 0.35), (u[2] * 0.5, h * 0.5), (0.012, h * 0.62)], stuff
    )
    return [foot, *place(_shade(palette, palette.between(0.1, 0.22), h * 0.45, lit), (0, h * 0.58, 0))]


def desk_lamp(palette: Palette) -> Thing:
    """A jointed lamp."""
    stuff, a, b = palette.paint(), palette.between(0.25, 0.4), palette.between(0.2, 0.4)
    lean = palette.between(0.0, 0.5)
    knee = np.array([0, 0.02 + a * np.cos(lean), -a * np.sin(lean)])
    head = knee + np.array([0, b * 0.45, b * 0.9])
    made: Thing = [
        lathe([(0.09, 0), (0.09, 0.015), (0.02, 0.025)], stuff),
        rod((0, 0.02, 0), knee, 0.008, palette.metal()),
        rod(knee, head, 0.008, palette.metal()),
    ]
    return made + place(
        [lathe([(0.07, 0), (0.05, 0.06), (0.025, 0.1)], stuff)], head + np.array([0, -0.08, 0.02]), pitch=-0.4
    )


def floor_lamp(palette: Palette, lit: bool = False) -> Thing:
    """A standing lamp."""
    h, stuff = palette.between(1.35, 1.8), palette.metal() if palette.chance(0.6) else palette.wood()
    made: Thing = [lathe([(0.14, 0), (0.14, 0.02), (0.012, 0.04), (0.012, h)], stuff)]
    if palette.chance(0.3):
        made = [rod((0, h * 0.9, 0), (0.35 * np.sin(a), 0.01, 0.35 * np.cos(a)), 0.012, stuff) for a in (0, 2.1, 4.2)]
    return made + place(
        _shade(palette, palette.between(0.14, 0.26), palette.between(0.18, 0.35), lit), (0, h - 0.12, 0)
    )


def pendant(palette: Palette, drop: float, lit: bool = True) -> Thing:
    """A lamp that hangs from the ceiling at y = 0 down to y = -drop."""
    made: Thing = [
        rod((0, 0, 0), (0, -drop + 0.15, 0), 0.004, palette.paint((0.03, 0.03, 0.03))),
        lathe([(0.05, -0.03), (0.05, 0)], palette.metal()),
    ]
    if palette.chance(0.3):
        glow = palette.light((1, 0.9, 0.75), palette.between(1, 4)) if lit else palette.paint((0.7, 0.7, 0.68))
        r = palette.between(0.08, 0.22)
        return made + place([cushion((2 * r, 2 * r, 2 * r), glow, soft=1.0)], (0, -drop, 0))
    if palette.chance(0.5):
        r, stuff = palette.between(0.12, 0.3), palette.metal() if palette.chance(0.5) else palette.paint()
        cone = loft(
            _rings(
                [
                    (r, -drop),
                    (r * 0.8, -drop + r * 0.5),
                    (0.04, -drop + r * 0.8),
                    (0.036, -drop + r * 0.8 - 0.004),
                    (r * 0.8 - 0.004, -drop + r * 0.5 - 0.004),
                    (r - 0.004, -drop),
                ]
            ),
            stuff,
            capped=False,
        )
        bulb = palette.light((1, 0.9, 0.7), 5.0) if lit else palette.paint((0.8, 0.8, 0.8))
        return [*made, cone, *place([cushion((0.07, 0.07, 0.07), bulb, soft=1)], (0, -drop + r * 0.3, 0))]
    return made + place(_shade(palette, palette.between(0.15, 0.35), 0.25, lit), (0, -drop, 0))


def ceiling_light(palette: Palette, lit: bool = True) -> Thing:
    """A flat lamp under the ceiling at y = 0: a disc, a panel or a tube."""
    glow = palette.light((1, 0.95, 0.88), palette.between(1.5, 6)) if lit else palette.paint((0.78, 0.78, 0.76))
    kind = int(palette.rng.integers(3))
    if kind == 0:
        r = palette.between(0.12, 0.25)
        return [lathe([(r * 0.7, -0.09), (r, -0.05), (r, 0)], glow)]
    size = (0.6, 0.03, 0.6) if kind == 1 else (1.2, 0.06, 0.1)
    return [box(size, glow, (0, -size[1], 0))]
