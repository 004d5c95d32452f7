"""Shelves, bins and boxes full of goods, seen from close in front, as robots and shoppers see them."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, bounds, box, floor, place
from training.worlds.palette import Palette
from training.worlds.parts import objects
from training.worlds.parts.cabinets import GOODS, book_covers, books, bookshelf_sized, carcass, goods, shop_rack
from training.worlds.parts.crates import carton, open_box
from training.worlds.parts.many import boxes, copies, merge
from training.worlds.parts.shapes import Maker, clutter, lying, settle
from training.worlds.scenes.eyes import camera, lens, orbit
from training.worlds.stage import Lamp, Sky, Stage

SMALL: tuple[Maker, ...] = (
    *GOODS,
    *GOODS,
    *objects.PERSONAL,
    *objects.TOYS,
    *objects.WORKSHOP,
    *objects.BATH,
    *objects.ABSTRACT,
)


def _light(palette: Palette, at: tuple[float, float, float]) -> tuple[list[Lamp], tuple[float, float, float]]:
    power, fill = palette.between(0.6, 3.0), palette.between(0.08, 0.3)
    cool = palette.between(0.7, 1.05)
    return [Lamp(at, palette.between(0.05, 0.3), (power, power * 0.97, power * cool))], (fill, fill, fill * cool)


def toss(palette: Palette, makers: tuple[Maker, ...], width: float, depth: float, height: float, count: int) -> Thing:
    """Things thrown into a box: layer upon layer, upright, lying or tipped, none higher than the box by much."""
    made: Thing = []
    tall = np.zeros((8, 8))
    for _ in range(count):
        one = makers[int(palette.rng.integers(len(makers)))](palette)
        if palette.chance(0.5):
            one = lying(one)
        elif palette.chance(0.4):
            one = settle(place(one, pitch=palette.rng.normal() * 0.5, roll=palette.rng.normal() * 0.7))
        one = place(one, yaw=palette.between(0, 2 * pi))
        low, high = bounds(one)
        w, h, d = (float(v) for v in high - low)
        if w > width * 0.98 or d > depth * 0.98 or h > height * 1.1:
            factor = min(0.97 * width / w, 0.97 * depth / d, height / h)
            one, w, h, d = place(one, scale=factor), w * factor, h * factor, d * factor
            low, high = low * factor, high * factor
        x, z = palette.between(-1, 1) * (width - w) / 2, palette.between(-1, 1) * (depth - d) / 2
        i0, i1 = (int(np.clip((v / width + 0.5) * 8, 0, 7)) for v in (x - w / 2, x + w / 2))
        j0, j1 = (int(np.clip((v / depth + 0.5) * 8, 0, 7)) for v in (z - d / 2, z + d / 2))
        under = float(tall[i0 : i1 + 1, j0 : j1 + 1].max())
        if under + h > height * 1.35:
            continue
        tall[i0 : i1 + 1, j0 : j1 + 1] = under + h * 0.9
        middle = (low + high) / 2
        made += place(one, (x - middle[0], under - float(low[1]), z - middle[2]))
    return made


def _plank(palette: Palette) -> Material:
    kind = palette.between(0, 1)
    if kind < 0.35:
        return palette.wood()
    if kind < 0.6:
        return replace(palette.paint((0.5, 0.35, 0.2)), shine=0.0)
    return palette.paint((0.6, 0.6, 0.6)) if kind < 0.8 else palette.metal()


def _rack(palette: Palette, columns: int, rows: int, cell: tuple[float, float, float]) -> Thing:
    """Empty compartments: boards, walls and back; the middle of the front's lower edge at the origin, +z outwards."""
    w, h, d = cell
    stuff, thick = _plank(palette), palette.between(0.006, 0.025)
    wide, high = columns * w, rows * h
    y, x = np.arange(rows + 1) * h, (np.arange(columns + 1) - columns / 2) * w
    made: Thing = [boxes(np.stack([0 * y, y - thick, 0 * y - d / 2], 1), (wide + thick, thick, d), stuff)]
    made.append(boxes(np.stack([x, 0 * x, 0 * x - d / 2], 1), (thick, high, d), stuff))
    if palette.chance(0.85):
        made.append(box((wide, high, 0.01), stuff if palette.chance(0.6) else palette.paint(), (0, 0, -d)))
    if palette.chance(0.35):
        made.append(
            boxes(
                np.stack([0 * y[:-1], y[:-1] - thick, 0 * y[:-1]], 1),
                (wide, palette.between(0.02, 0.06), 0.006),
                palette.printed() if palette.chance(0.5) else stuff,
            )
        )
    return made


def shelf_bin(palette: Palette) -> Stage:
    """Right before a shelf's compartment, a bin, carton or crate with packs and products in it."""
    if palette.chance(0.35):
        return _bin(palette)
    columns, rows = int(palette.rng.integers(2, 5)), int(palette.rng.integers(2, 5))
    cell = (palette.between(0.25, 0.6), palette.between(0.2, 0.45), palette.between(0.3, 0.6))
    made = _rack(palette, columns, rows, cell)
    base = palette.between(0.2, 1.2)
    for i in range(columns):
        for j in range(rows):
            at = ((i - (columns - 1) / 2) * cell[0], j * cell[1], -cell[2] / 2)
            inner = (cell[0] * 0.92, cell[2] * 0.92, cell[1] * 0.9)
            kind = palette.between(0, 1)
            if kind < 0.25:
                stuff = goods(palette, inner[0], inner[1], inner[2], 0.8)
            elif kind < 0.75:
                stuff = toss(palette, SMALL, *inner, int(palette.rng.integers(1, 14)))
            elif kind < 0.9:
                stuff = open_box(palette, inner[0] * 0.9, inner[2] * palette.between(0.3, 0.6), inner[1] * 0.9)
                stuff = stuff + toss(
                    palette, SMALL, inner[0] * 0.8, inner[1] * 0.8, inner[2] * 0.7, int(palette.rng.integers(2, 9))
                )
            else:
                stuff = (
                    [] if palette.chance(0.3) else books(palette, inner[0], inner[1], inner[2], book_covers(palette, 5))
                )
            made += place(stuff, at)
    made += place([floor(8, 8, palette.parquet())], (0, -base, 0))
    made += place([box((6, 3, 0.1), palette.wall())], (0, -base, -cell[2] - palette.between(0.06, 0.3)))
    lamps, fill = _light(
        palette, (palette.between(-0.6, 0.6), rows * cell[1] + palette.between(0.2, 0.9), palette.between(0.5, 1.2))
    )
    views = []
    for _ in range(5):
        i, j = (int(palette.rng.integers(n // 3, n - n // 3)) for n in (columns, rows))
        aim = np.array(
            [
                (i - (columns - 1) / 2) * cell[0],
                (j + palette.between(0.2, 0.5)) * cell[1],
                -cell[2] * palette.between(0.3, 0.7),
            ]
        )
        side, high, away = palette.rng.normal() * 0.25, palette.rng.normal(0.2, 0.2), palette.between(0.35, 0.85)
        eye = np.array([aim[0] + away * np.sin(side), aim[1] + away * np.sin(high), max(0.14, away * np.cos(side))])
        views.append(camera(palette, eye, aim, lens(palette, 40, 75)))
    return Stage("shelf_bin", merge(made), views, Sky(panorama=int(palette.rng.integers(1 << 12))), lamps, fill)


def _bin(palette: Palette) -> Stage:
    """An open box on a table or floor, full of things, seen from above."""
    made: Thing = []
    n, (w, h, d) = (
        int(palette.rng.choice([1, 1, 2, 3])),
        (palette.between(0.25, 0.6), palette.between(0.1, 0.4), palette.between(0.25, 0.5)),
    )
    for i in range(n):
        x = (i - (n - 1) / 2) * (w + palette.between(0.01, 0.1))
        full = toss(
            palette,
            SMALL if palette.chance(0.7) else objects.FOODS[:5],
            w * 0.93,
            d * 0.93,
            h * palette.between(0.4, 1.1),
            int(palette.rng.integers(4, 34)),
        )
        made += place(open_box(palette, w, h, d) + place(full, (0, 0.012, 0)), (x, 0, 0), palette.rng.normal() * 0.05)
    made += clutter(palette, (carton, objects.pack, objects.tool), 2.0, 1.6, 3) if palette.chance(0.3) else []
    made.append(floor(7, 7, palette.parquet() if palette.chance(0.6) else palette.metal()))
    made += place([box((6, 3, 0.1), palette.wall())], (0, 0, -palette.between(0.6, 2.5)))
    lamps, fill = _light(palette, (palette.between(-0.8, 0.8), palette.between(1.0, 1.8), palette.between(-0.3, 0.8)))
    views = orbit(palette, (0, h * 0.4, 0), (h + 0.25, h + 0.95), (0.55, 1.57), 5, spread=1.0, fov=(45, 75))
    return Stage("shelf_bin", merge(made), views, Sky(panorama=int(palette.rng.integers(1 << 12))), lamps, fill)


def shelves(palette: Palette) -> Stage:
    """A long front of racks: shop, library, cellar, warehouse; from in front and along it."""
    kind, made = int(palette.rng.integers(3)), list[Thing]()
    units = [_unit(palette, kind) for _ in range(2)]
    x = 0.0
    for i in range(int(palette.rng.integers(2, 5 if kind == 2 else 4))):
        unit = units[i % 2]
        low, high = bounds(unit)
        made.append(place(unit, (x - float(low[0]), 0, 0)))
        x += float(high[0] - low[0]) + palette.between(0, 0.03)
    things = place([part for one in made for part in one], (-x / 2, 0, 0))
    tall = float(bounds(things)[1][1])
    if palette.chance(0.3):
        gap = palette.between(1.6, 2.6)
        things += place(units[0], (0, 0, gap + 0.4), pi)
    things += [floor(20, 20, palette.parquet() if palette.chance(0.6) else palette.asphalt())]
    things += place([box((16, tall + 1.5, 0.1), palette.wall())], (0, 0, -0.8))
    lamps, fill = _light(palette, (palette.between(-1, 1), tall + palette.between(0.2, 0.8), palette.between(0.8, 1.4)))
    lamps = [replace(lamp, colour=tuple(3 * c for c in lamp.colour)) for lamp in lamps]  # type: ignore[arg-type]
    views = []
    for _ in range(5):
        along, away = palette.between(-0.45, 0.45) * x, palette.between(0.5, 1.5)
        aim = np.array([along + palette.rng.normal() * away, palette.between(0.2, 0.9) * min(tall, 2.0), 0.0])
        if palette.chance(0.3):
            aim[0] = along + float(palette.rng.choice([-1, 1])) * palette.between(1.5, 4)
        views.append(camera(palette, (along, palette.between(0.7, 1.8), away), aim, lens(palette, 45, 90)))
    return Stage("shelves", merge(things), views, Sky(), lamps, fill)


def _unit(palette: Palette, kind: int) -> Thing:
    if kind == 0:
        return shop_rack(palette)
    if kind == 1:
        return bookshelf_sized(palette, palette.between(0.8, 1.4), palette.between(1.6, 2.6), 0.3, SMALL)
    wide, deep, high, rows = (
        palette.between(1.0, 2.4),
        palette.between(0.5, 0.9),
        palette.between(1.8, 3.6),
        int(palette.rng.integers(3, 5)),
    )
    made = carcass(wide, high, deep, rows, palette.metal() if palette.chance(0.6) else palette.paint(), back=False)
    made = [
        made[0],
        boxes(
            [(a, 0, b) for a in (-wide / 2, wide / 2) for b in (-deep / 2, deep / 2)],
            (0.05, high, 0.05),
            palette.paint(),
        ),
    ]
    for row in range(rows):
        y, x = row * (high - 0.022) / rows + 0.024, -wide / 2 + 0.03
        while x < wide / 2 - 0.2:
            one = carton(palette) if palette.chance(0.7) else open_box(palette, palette.between(0.3, 0.5), 0.25, 0.4)
            low, top = bounds(one)
            w = float(top[0] - low[0])
            factor = min(1.0, 0.9 * (high / rows - 0.03) / float(top[1]), 0.95 * deep / float(top[2] - low[2]))
            if x + w * factor > wide / 2:
                break
            stack = 1 + int(palette.chance(0.4) and 2 * float(top[1]) * factor < high / rows - 0.04)
            at = [
                (x + w * factor / 2, y + k * float(top[1]) * factor, palette.between(-0.03, 0.03)) for k in range(stack)
            ]
            made += copies(one, at, palette.rng.normal(size=stack) * 0.04, np.full(stack, factor))
            x += w * factor + palette.between(0.01, 0.1)
    return made


SCENES = {
    "shelf_bin": (shelf_bin, 1.2),
    "shelves": (shelves, 0.8),
}
"""Storage scenes by name: maker and weight."""
