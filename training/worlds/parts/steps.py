"""Stairs that wind round a well, wide flights with balustrades, escalators."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, box, grid, lathe, tube
from training.worlds.palette import Palette
from training.worlds.parts.auditorium import rail_line
from training.worlds.parts.limbs import Doubles
from training.worlds.parts.many import boxes, chain, copies, quads, rods


@dataclass(frozen=True, slots=True)
class Well:
    """Stairs round a well: semi-axes of the well, how square it is (2: an ellipse), width of the flight, metres."""

    a: float
    b: float
    power: float
    wide: float
    storey: float
    turns: float

    def at(self, turn: ArrayLike, out: float, y: ArrayLike = 0.0) -> Doubles:
        """(…, 3) points at an angle, `out` metres outside the well's edge."""
        t = np.asarray(turn, np.float64)
        c, s = np.cos(t), np.sin(t)
        r = (np.abs(c / (self.a + out)) ** self.power + np.abs(s / (self.b + out)) ** self.power) ** (-1 / self.power)
        return np.stack(np.broadcast_arrays(c * r, np.asarray(y, np.float64), s * r), -1)

    def height(self, turn: ArrayLike) -> Doubles:
        """How high the stairs are at an angle; where the well is square they are level at its corners."""
        t = np.asarray(turn, np.float64)
        wave = 0.24 * np.sin(4 * t) if self.power > 4 else 0.0
        return self.storey * (t + wave) / (2 * pi)


def winding(well: Well, stuff: Material, soffit: Material, thick: float) -> Thing:
    """The steps of a well, from angle 0 on."""
    middle = (well.a + well.b) / 2 + well.wide / 2
    n = int(np.clip(well.turns * 2 * pi * middle / 0.3, well.turns * 14, well.turns * 30))
    t = np.linspace(0, well.turns * 2 * pi, n + 1)
    top = well.height(t)
    y0, y1 = top[1:], np.append(top[1:-1], top[-1])
    low0, low1 = top[:-1] - thick, top[1:] - thick
    low0 = np.maximum(low0, -0.05)
    i, o = (lambda turn, y: well.at(turn, 0.0, y)), (lambda turn, y: well.at(turn, well.wide, y))
    a, b = t[:-1], t[1:]
    tread = np.stack([o(a, y0), i(a, y0), i(b, y1), o(b, y1)], 1)
    riser = np.stack([i(a, y0), i(a, np.maximum(low0, y0 - 0.3)), o(a, np.maximum(low0, y0 - 0.3)), o(a, y0)], 1)
    inner = np.stack([i(a, y0), i(a, low0), i(b, low1), i(b, y1)], 1)
    outer = np.stack([o(b, y1), o(b, low1), o(a, low0), o(a, y0)], 1)
    under = np.stack([i(a, low0), o(a, low0), o(b, low1), i(b, low1)], 1)
    return [quads(np.concatenate([tread, riser]), stuff), quads(np.concatenate([inner, outer, under]), soffit)]


def well_rail(palette: Palette, well: Well, out: float) -> Thing:
    """A railing along the stairs of a well: balusters, panels or plates, and a handrail."""
    n = int(well.turns * 26)
    t = np.linspace(0.02, well.turns * 2 * pi, n)
    path = well.at(t, out, well.height(t) + 0.04)
    high, kind = palette.between(0.9, 1.1), palette.rng.random()
    iron = palette.metal((0.1, 0.1, 0.1)) if palette.chance(0.6) else palette.metal()
    rail = palette.wood() if palette.chance(0.5) else iron
    parts: Thing = [tube(path + np.array([0, high, 0]), palette.between(0.025, 0.045), rail, sides=6)]
    if kind < 0.2:
        solid = palette.wall()
        return [grid(np.stack([path + np.array([0, high, 0]), path - np.array([0, 0.15, 0])]), solid), *parts]
    if kind < 0.3:
        return [grid(np.stack([path + np.array([0, high - 0.1, 0]), path]), palette.glass()), *parts]
    made = rail_line(path, high, iron, gap=palette.between(0.1, 0.2), thick=palette.between(0.006, 0.014))
    return [*made, *parts]


def flight(width: float, steps: int, size: tuple[float, float], stuff: Material) -> Thing:
    """A solid flight that climbs towards -z from the origin; size: rise and run."""
    rise, run = size
    k = np.arange(steps)
    at = np.stack([0 * k, 0 * k, -(k + 0.5) * run], 1)
    parts: Thing = [boxes(at, np.stack([0 * k + width, (k + 1) * rise, 0 * k + run], 1), stuff)]
    return parts


def balustrade(palette: Palette, path: ArrayLike, kind: int) -> Thing:
    """Along a path (k, 3): 0 turned stone balusters, 1 iron with ornaments, 2 glass with a rail, 3 a plain railing."""
    p = np.asarray(path, np.float64)
    high = palette.between(0.9, 1.05)
    if kind == 2:
        rail = chain(p + np.array([0, high, 0]), 0.025, palette.metal())
        return [rail, grid(np.stack([p + np.array([0, high - 0.08, 0]), p]), palette.glass(), smooth=False)]
    if kind == 3:
        return rail_line(p, high, palette.metal(), gap=palette.between(0.1, 0.16))
    length = np.concatenate([[0], np.linalg.norm(np.diff(p, axis=0), axis=1).cumsum()])
    gap = palette.between(0.2, 0.3)
    at = np.arange(gap / 2, length[-1], gap)
    foot = np.stack([np.interp(at, length, p[:, i]) for i in range(3)], 1)
    up = np.array([0, high, 0])
    if kind == 0:
        stone = palette.paint((0.65, 0.62, 0.55)) if palette.chance(0.7) else palette.wood()
        body = np.array([(0.06, 0), (0.04, 0.08), (0.075, 0.3), (0.03, 0.6), (0.05, 0.8), (0.05, 1)]) * [1, high - 0.1]
        sill = [_band(p, y, 0.14, stone) for y in (0.04, high)]
        return [*copies([lathe(body, stuff, sides=8) for stuff in (stone,)], foot), *sill]
    iron = palette.metal((0.1, 0.1, 0.1)) if palette.chance(0.6) else palette.metal((0.65, 0.5, 0.25))
    a = np.linspace(0, 2 * pi, 9)
    curl = np.stack([np.cos(a) * 0.09, np.sin(a) * 0.2 + high * 0.5, 0 * a], 1)
    along = np.gradient(foot, axis=0)
    rings = copies([chain(curl, 0.008, iron, sides=3)], foot, np.arctan2(-along[:, 2], along[:, 0]))
    return [
        *rings,
        rods(foot, foot + up, 0.008, iron, sides=4),
        _band(p, high, 0.06, palette.wood()),
        _band(p, 0.08, 0.03, iron),
    ]


def _band(path: Doubles, y: float, wide: float, stuff: Material) -> Part:
    """A flat rail along a path at a height above it."""
    return tube(np.asarray(path) + np.array([0, y, 0]), wide / 2, stuff, sides=6, flat=0.7)


def escalator(palette: Palette, rise: float, wide: float = 1.0) -> tuple[Thing, Doubles]:
    """An escalator that climbs towards -z from the origin, and the line (k, 3) of its steps."""
    run = rise / np.tan(np.radians(30))
    line = np.array([(0, 0, 0.2), (0, 0, -1.0), (0, rise, -1.0 - run), (0, rise, -2.4 - run)])
    steel, black = palette.metal((0.5, 0.5, 0.52)), palette.paint((0.02, 0.02, 0.02), 0.1)
    ribbed = Material((0.2, 0.2, 0.21), (0.08, 0.08, 0.08), "stripes", 40, shine=0.1)
    n = max(2, round(run / 0.4))
    k = np.arange(n + 1)
    at = np.stack([0 * k, k * rise / n - 0.2, -1.0 - k * run / n - 0.2], 1)
    parts: Thing = [
        boxes(at, (wide, 0.21, 0.41), ribbed),
        boxes([(0, -0.1, -0.4), (0, rise - 0.1, -1.9 - run)], (wide, 0.11, 1.3), steel),
    ]
    edge = boxes(at + np.array([0, 0.2, 0.2]), (wide, 0.012, 0.03), palette.paint((0.6, 0.5, 0.05)))
    clear = palette.chance(0.5)
    cheek = palette.glass() if clear else palette.metal((0.6, 0.6, 0.62))
    for s in (-1, 1):
        side = line + np.array([s * (wide / 2 + 0.08), 0, 0])
        top, low = side + np.array([0, 0.9, 0]), side - np.array([0, 0.45, 0])
        skirt = side + np.array([0, 0.15, 0])
        parts.append(grid(np.stack([skirt, low]), steel, smooth=False))
        parts.append(grid(np.stack([top, skirt]), cheek, smooth=False))
        parts.append(
            tube(np.concatenate([[top[0] - [0, 0.5, -0.05]], top, [top[-1] - [0, 0.5, 0.05]]]), 0.045, black, sides=6)
        )
    half = wide / 2 + 0.1
    under = np.stack([line + np.array([x, -0.45, 0]) for x in (half, -half)])
    return [*parts, edge, grid(under, steel, smooth=False)], line


def door_in(palette: Palette, wide: float = 0.95, high: float = 2.1) -> Thing:
    """A shut door with its frame in the plane z = 0."""
    leaf, trim = palette.wood(), palette.paint((0.7, 0.68, 0.62))
    return [
        box((wide, high, 0.05), leaf),
        boxes([(-wide / 2, 0, 0), (wide / 2, 0, 0)], (0.1, high + 0.1, 0.09), trim),
        box((wide + 0.2, 0.1, 0.09), trim, (0, high, 0)),
    ]
