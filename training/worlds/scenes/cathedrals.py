"""Naves under cross vaults: pillars, arcades, windows that glow, pews, apses and organs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, ellipsoid, floor, grid, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts import auditorium as parts
from training.worlds.parts.decor import picture
from training.worlds.parts.many import boxes, copies, merge, quads
from training.worlds.parts.people import person
from training.worlds.scenes.interiors import NIGHT, look, stone, warm
from training.worlds.scenes.room import wall_part
from training.worlds.stage import Lamp, Stage


def cathedral(palette: Palette) -> Stage:
    """A nave under cross vaults: pillars, arcades, windows that glow, pews, an apse or an organ at the end."""
    b = palette.between
    half, bay, bays = b(3.2, 6.5), b(4, 7), int(palette.rng.integers(4, 8))
    spring, sharp, side = b(5, 14), b(0, 0.8), b(2.5, 5)
    rise = half * b(0.8, 1.3)
    long, low = bay * bays, spring * b(0.45, 0.6)
    walls = stone(palette)
    rib = walls if palette.chance(0.5) else palette.paint((0.6, 0.55, 0.48), 0.02)
    vault = walls if palette.chance(0.4) else palette.paint((0.7, 0.68, 0.62), 0.02)
    z = -np.arange(bays) * bay
    things: Thing = [floor(2 * (half + side), long + 12, palette.parquet())]
    things = place(things, (0, 0, -long / 2))
    one = parts.groin(half, -bay, spring, rise, sharp, (vault, rib))
    things += copies(one, np.stack([0 * z, 0 * z, z], 1))
    pillar = parts.pier(palette, low, b(0.3, 0.7), walls)
    bow = place(
        parts.arch_wall(bay - 0.8, low, min(low * 0.4, bay * 0.6), spring + rise, (0.8, sharp), walls), yaw=pi / 2
    )
    wall = _window_wall(palette, bay, spring * 0.85, walls)
    upper = _lancets(palette, bay, spring, rise)
    for s in (-1, 1):
        edge = np.stack([0 * z + s * half, 0 * z, z], 1)
        things += copies(pillar, np.concatenate([edge, edge[-1:] - [0, 0, bay]]))
        things += copies([box((0.8, rise + spring - low, 0.8), walls)], edge + np.array([0, low, 0]))
        middle = edge - np.array([0, 0, bay / 2])
        things += copies(bow, middle) + copies(upper, middle - np.array([s * 0.45, 0, 0]), -s * pi / 2)
        things += copies(wall, middle + np.array([s * side, 0, 0]), -s * pi / 2)
        slope = [
            (s * half, low * 1.5, 0),
            (s * half, low * 1.5, -long),
            (s * (half + side), low * 1.35, -long),
            (s * (half + side), low * 1.35, 0),
        ]
        things.append(quads([slope], vault))
    things += _ends(palette, (half, side, long, spring + rise), walls)
    things += _furnishing(palette, half, long)
    lamps = []
    for k in range(0, bays, 2):
        hung, drop = parts.chandelier(palette, b(2, spring * 0.6), b(0.5, 1.3))
        things += place(hung, (0, spring + rise, -bay * (k + 0.5)))
        lamps.append(Lamp((0, spring + rise - drop, -bay * (k + 0.5)), 0.4, warm(palette, spring * b(0.5, 2.5))))
    things = merge(things)
    g, views = b(0.05, 0.3), []
    for _ in range(6):
        end = palette.one_of(0.08, 0.3, 0.9, b(0, 1))
        x = b(-0.5, 0.5) if palette.chance(0.7) else palette.one_of(-1, 1) * (half + side * 0.5)
        eye = (x, b(1.2, 1.9), -end * (long - 1) - 0.5)
        to = (-0.5 * x, b(0.1, 1.0) * (spring + rise), -long * (0.95 if end < 0.5 else 0.05))
        views.append(look(palette, eye, to, 0.05))
    dusk = replace(NIGHT, zenith=(g, g, g), horizon=(g, g, g))
    return Stage("cathedral", things, views, dusk, lamps, (g, g * 0.97, g * 0.9))


def _lancets(palette: Palette, bay: float, spring: float, rise: float) -> Thing:
    """A tall window high in a wall, looking along +z, at the height of the vault's springing."""
    tall, wide = rise * 0.6 + spring * 0.15, bay * palette.between(0.25, 0.5)
    return place(_pane(palette, wide, tall), (0, spring * 0.85, 0))


def _pane(palette: Palette, wide: float, tall: float) -> Thing:
    """A window of glowing glass with bars, pointed or round above, its foot at y = 0."""
    glow = palette.light(palette.hue(0.3, 0.9) if palette.chance(0.4) else (0.85, 0.9, 1.0), palette.between(0.5, 2.0))
    if palette.chance(0.5):
        marks = palette.one_of("checks", "leaves", "picture", "tiles")
        glow = replace(glow, second=palette.hue(0.7, 0.3), pattern=marks, frequency=palette.between(1, 4))
    u = np.linspace(-1, 1, 9)
    sharp = palette.between(0, 1.2)
    top = tall + wide * 0.5 * parts.pointed(u, sharp)
    face = np.stack([np.stack([u * wide / 2, top, 0 * u], 1), np.stack([u * wide / 2, 0 * u, 0 * u], 1)])
    x = np.array([-wide / 6, wide / 6])
    bars = boxes(np.stack([x, 0 * x, 0 * x + 0.03], 1), (0.07, tall + wide * 0.4, 0.06), Material((0.1, 0.1, 0.1)))
    edge = parts.chain(face[0] + np.array([0, 0, 0.03]), 0.07, Material((0.3, 0.28, 0.25)))
    return [grid(face, glow, smooth=False), bars, edge]


def _window_wall(palette: Palette, bay: float, high: float, walls: Material) -> Thing:
    """One bay of an outer wall with a window."""
    wide, low = bay * palette.between(0.3, 0.55), high * 0.25
    pane = place(_pane(palette, wide, high * 0.35), (0, low, 0.03))
    sill = box((wide + 0.3, 0.15, 0.25), walls, (0, low - 0.15, 0.1))
    return [*wall_part(bay, high, [], walls), *pane, sill, boxes([(-bay / 2, 0, 0.15)], (0.5, high, 0.3), walls)]


def _ends(palette: Palette, size: tuple[float, float, float, float], walls: Material) -> Thing:
    """The east end: an apse or a wall with a rose window; the west end: a wall with an organ on a loft."""
    half, side, long, top = size
    made: Thing = []
    for z, yaw in ((-long - 6, 0.0), (0.4, pi)):
        made += place(wall_part(2 * (half + side), top + 1, [], walls), (0, 0, z), yaw)
    for s in (-1, 1):
        made += place(wall_part(8, top, [], walls), (s * half, 0, -long - 4), -s * pi / 2)
        made += place(wall_part(side + 0.5, top, [], walls), (s * (half + side / 2), 0, -long), 0.0)
    made.append(box((2 * half + 1, 0.3, 12), walls, (0, top - 0.1, -long - 4)))
    for k in (-1, 0, 1):
        made += place(_pane(palette, half * 0.4, top * 0.4), (k * half * 0.6, top * 0.25, -long - 5.9))
    made.append(box((2 * half, 0.5, 6), palette.parquet(), (0, 0, -long - 3)))
    made += [
        box((half * 0.7, 1.0, 0.9), palette.fabric((0.7, 0.68, 0.62)), (0, 0.5, -long - 3)),
        *place(picture(palette, 1.6, 2.6), (0, 2.2, -long - 5.8)),
    ]
    if palette.chance(0.6):
        made.append(box((2 * half, 0.5, 3.0), palette.wood(), (0, 3.5, -1.2)))
        made += place(
            parts.rail_line([(-half, 4.0, -2.6), (half, 4.0, -2.6)], 1.0, palette.wood(), gap=0.2, thick=0.03)
        )
        made += place(parts.organ(palette, half * 1.4, min(top - 5, 7)), (0, 4.0, -0.7), pi)
    return made


def _furnishing(palette: Palette, half: float, long: float) -> Thing:
    """Pews on both sides of an aisle or nothing, people, candles."""
    made: Thing = []
    if palette.chance(0.8):
        bench = parts.pew(palette, half * 0.8, palette.wood())
        z = -np.arange(3.0, long * palette.between(0.6, 0.95), palette.between(0.9, 1.2))
        for s in (-1, 1):
            made += copies(bench, np.stack([0 * z + s * half * 0.48, 0 * z, z], 1), pi)
    for _ in range(int(palette.rng.integers(0, 6))):
        who = person(palette, detail="far", pose=palette.one_of("stand", "walk"))
        made += place(who, (palette.between(-0.1, 0.1) * half, 0, -palette.between(2, long)), palette.between(0, 6))
    stand: Thing = [
        lathe([(0.15, 0), (0.03, 0.1), (0.025, 1.2), (0.1, 1.25)], palette.metal((0.65, 0.5, 0.25)), sides=8)
    ]
    stand.append(ellipsoid((0.02, 0.05, 0.02), palette.light(glow=8), sides=5, at=(0, 1.45, 0)))
    for x in (-0.6, 0.6):
        made += place(stand, (x * half, 0.5 if abs(x) < 0.7 else 0, -long - 1.5))
    return made


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {"cathedral": (cathedral, 0.14)}
"""Maker and weight."""
