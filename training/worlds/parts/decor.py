"""What hangs and stands in rooms: curtains, blinds, doors, windows, pictures, mirrors, rugs, radiators."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, floor, grid, lathe, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.lamps import floor_lamp  # noqa: F401 (also sought here)
from training.worlds.parts.many import boxes, copies, rods
from training.worlds.parts.pots import plant  # noqa: F401 (also sought here)
from training.worlds.parts.shapes import (
    bent,
    canvas,
    crumpled,
    cushion,
    drape,
    frame,
    rod,
    swell,
    torus,
)


def curtains(palette: Palette, width: float, height: float) -> Thing:
    """Two curtains and their rail for a window of this size; the wall at z = 0, hem at y = 0."""
    cloth = palette.fabric()
    drawn = palette.between(0.15, 0.45) * width
    made: Thing = []
    for sign in (-1, 1):
        if palette.chance(0.92):
            sheet = [drape(palette, drawn, height, cloth, palette.between(0.09, 0.16), palette.between(0.03, 0.05))]
            made += place(sheet, (sign * (width / 2 - drawn / 2 + 0.1), 0, 0.09))
    return [
        *made,
        rod((-width / 2 - 0.2, height + 0.02, 0.09), (width / 2 + 0.2, height + 0.02, 0.09), 0.014, palette.metal()),
    ]


def blinds(palette: Palette, width: float, height: float) -> Thing:
    """A Venetian or roller blind, drawn some way down; the top at y = height, the wall at z = 0."""
    part = palette.between(0.2, 0.95) * height
    if palette.chance(0.4):
        return [
            box((width, part, 0.004), palette.fabric(), (0, height - part, 0.04)),
            rod((-width / 2, height, 0.04), (width / 2, height, 0.04), 0.02, palette.paint()),
        ]
    step = palette.between(0.025, 0.05)
    y = np.arange(height - part, height, step)
    slat = place([box((width, 0.002, step * 0.85), palette.paint((0.7, 0.69, 0.66)))], pitch=palette.between(0.1, 0.9))
    return [
        *copies(slat, np.stack([0 * y, y, 0 * y + 0.04], 1)),
        box((width, 0.04, 0.05), palette.paint((0.7, 0.7, 0.7)), (0, height - 0.02, 0.04)),
    ]


def sash(palette: Palette, width: float, height: float) -> Thing:
    """A window's frame, bars and mostly its pane, in an opening this size with its sill at y = 0; in the plane z = 0.

    Nothing tells a clean pane from none but that windows have panes.
    """
    stuff = palette.paint((0.75, 0.75, 0.74)) if palette.chance(0.7) else palette.wood()
    bar = palette.between(0.04, 0.08)
    made: Thing = [frame(width - 2 * bar, height - 2 * bar, bar, 0.06, stuff, bar)]
    columns, rows = int(palette.one_of(1, 2, 2, 3)), int(palette.one_of(1, 1, 2, 3))
    x = (np.arange(1, columns) / columns - 0.5) * width
    y = np.arange(1, rows) / rows * height
    if len(x):
        made.append(boxes(np.stack([x, 0 * x + bar, 0 * x], 1), (bar * 0.8, height - 2 * bar, 0.05), stuff))
    if len(y):
        made.append(boxes(np.stack([0 * y, y, 0 * y], 1), (width - 2 * bar, bar * 0.5, 0.04), stuff))
    if palette.chance(0.95):
        made.append(box((width - 2 * bar, height - 2 * bar, 0.004), palette.glass(), (0, bar, 0)))
    return made


def door_frame(palette: Palette, width: float, height: float) -> Thing:
    """The casing around a door's opening, in the plane z = 0."""
    stuff, bar = (
        palette.paint((0.72, 0.71, 0.69)) if palette.chance(0.6) else palette.wood(),
        palette.between(0.05, 0.1),
    )
    x = (width + bar) / 2
    return [
        boxes(
            [(-x, 0, 0), (x, 0, 0), (0, height, 0)],
            [(bar, height + bar, 0.06), (bar, height + bar, 0.06), (width, bar, 0.06)],
            stuff,
        )
    ]


def door_leaf(palette: Palette, width: float, height: float) -> Thing:
    """A door's leaf with a handle; plain, panelled or glazed; in the plane z = 0."""
    stuff = (
        palette.wood() if palette.chance(0.5) else palette.paint((0.72, 0.71, 0.69) if palette.chance(0.6) else None)
    )
    kind, made = int(palette.rng.integers(4)), list[Thing]()
    if kind == 3:
        bar = 0.11
        leaf: Thing = [frame(width - 2 * bar, height - 0.35, bar, 0.04, stuff, 0.25), box((width, 0.16, 0.04), stuff)]
        leaf.append(box((width - 2 * bar, height - 0.35, 0.006), palette.glass(), (0, 0.25, 0)))
    else:
        leaf = [box((width, height, 0.04), stuff)]
    if kind in (1, 2):
        n = kind + 1
        field = (height - 0.2) / n - 0.12
        y = 0.14 + np.arange(n) * (field + 0.12)
        dark = replace(stuff, colour=tuple(0.8 * c for c in stuff.colour))
        leaf.append(boxes(np.stack([0 * y, y, 0 * y], 1), (width - 0.24, field, 0.046), dark))
        leaf.append(boxes(np.stack([0 * y, y + 0.03, 0 * y], 1), (width - 0.3, field - 0.06, 0.056), stuff))
    steel = palette.metal()
    for z in (0.035, -0.035):
        leaf.append(
            boxes(
                [(width / 2 - 0.07, 1.0, z), (width / 2 - 0.12, 1.02, z * 1.6)],
                [(0.04, 0.14, 0.03), (0.12, 0.018, 0.018)],
                steel,
            )
        )
    return leaf + [part for thing in made for part in thing]


def picture(palette: Palette, width: float | None = None, height: float | None = None) -> Thing:
    """A framed picture to hang: its back at z = 0, its lower edge at y = 0."""
    width = palette.between(0.2, 1.2) if width is None else width
    height = width * palette.between(0.6, 1.5) if height is None else height
    bar = palette.between(0.01, 0.07)
    stuff = palette.one_of(palette.wood, palette.paint, palette.metal)()  # type: ignore[operator]
    made: Thing = [
        frame(width, height, bar, 0.03, stuff, bar),
        box((width, height, 0.012), palette.paint((0.7, 0.69, 0.66)), (0, bar, 0.0)),
    ]
    mat = palette.between(0, 0.2) * min(width, height) if palette.chance(0.4) else 0.0
    made.append(canvas(width - 2 * mat, height - 2 * mat, palette.picture(), bar + mat, 0.008))
    return place(made, (0, 0, 0.015))


def mirror(palette: Palette, width: float | None = None, height: float | None = None) -> Thing:
    """A mirror in a frame (or round): its back at z = 0, its lower edge at y = 0."""
    width = palette.between(0.35, 1.1) if width is None else width
    height = palette.between(0.5, 1.6) if height is None else height
    if palette.chance(0.25):
        r = width / 2
        round_ = [
            lathe([(r, 0), (r, 0.012)], palette.mirror(), sides=36, smooth=False),
            torus(r, 0.012, palette.metal()),
        ]
        return [*place(round_[:1], (0, r + 0.012, 0.002), pitch=pi / 2), *place(round_[1:], (0, r + 0.012, 0.01))]
    bar = palette.between(0.01, 0.08)
    stuff = palette.one_of(palette.wood, palette.paint, palette.metal)()  # type: ignore[operator]
    return [frame(width, height, bar, 0.03, stuff, bar), canvas(width, height, palette.mirror(), bar, 0.012)]


def wall_clock(palette: Palette) -> Thing:
    """A round clock on the wall, its back at z = 0."""
    r, dark = palette.between(0.1, 0.22), palette.paint((0.02, 0.02, 0.02))
    face = place(
        [lathe([(r, 0), (r, 0.03)], palette.paint((0.75, 0.75, 0.73)), sides=24, smooth=False)], (0, r, 0), pitch=pi / 2
    )
    made = [*face, *place([torus(r, 0.012, palette.paint())], (0, r, 0.03))]
    for long in (0.55, 0.8):
        made += place([box((0.012, r * long, 0.003), dark)], (0, r, 0.032), roll=palette.between(0, 6))
    return made


def rug(palette: Palette) -> Thing:
    """A rug: rectangle, round or a hide; a centimetre thick."""
    cloth = palette.fabric()
    if palette.chance(0.2):
        return [lathe([(0.9, 0), (0.9, 0.012)], cloth, sides=32, smooth=False)]
    width, depth = palette.between(0.8, 2.8), palette.between(0.6, 2.0)
    made: Thing = [box((width, 0.01, depth), cloth)]
    if palette.chance(0.4):
        made.append(box((width * 0.86, 0.0112, depth * 0.8), palette.fabric()))
    return made


def doormat(palette: Palette) -> Thing:
    """A mat."""
    return [box((palette.between(0.5, 0.8), 0.012, palette.between(0.35, 0.5)), palette.fabric((0.2, 0.15, 0.1)))]


def radiator(palette: Palette) -> Thing:
    """A radiator, its back at z = 0: ribs or a ribbed panel."""
    width, height = palette.between(0.5, 1.6), palette.between(0.4, 0.7)
    white = palette.paint((0.76, 0.76, 0.74))
    x = np.arange(-width / 2, width / 2, 0.06)
    made: Thing = [boxes(np.stack([x, 0 * x + 0.1, 0 * x + 0.08], 1), (0.04, height, 0.1), white)]
    made.append(boxes([(0, 0.13, 0.08), (0, height + 0.03, 0.08)], (width, 0.03, 0.05), white))
    return [*made, rod((width / 2, 0.0, 0.08), (width / 2, 0.15, 0.08), 0.01, white)]


def coat_rack(palette: Palette) -> Thing:
    """A rail with hooks, coats and bags on the wall at z = 0; the hem near y = 0, the rail about 1.1 m above."""
    width = palette.between(0.6, 1.4)
    made: Thing = [box((width, 0.1, 0.02), palette.wood(), (0, 1.1, 0.01))]
    n = int(width / 0.17)
    for x in np.linspace(-width / 2 + 0.1, width / 2 - 0.1, n):
        made.append(rod((x, 1.14, 0.02), (x, 1.17, 0.08), 0.006, palette.metal()))
        if palette.chance(0.6):
            long, wide = palette.between(0.5, 1.05), palette.between(0.22, 0.42)
            body = [
                drape(palette, wide, long, palette.fabric(), 0.12, 0.04),
                drape(palette, wide * 0.9, long, palette.fabric(), 0.15, 0.03),
            ]
            made += place(body[:1], (x, 1.13 - long, 0.12)) + place(body[1:], (x, 1.13 - long, 0.06))
    return made


def towel(palette: Palette) -> Thing:
    """A towel over a bar on the wall at z = 0."""
    wide, cloth, high = palette.between(0.3, 0.6), palette.fabric(), palette.between(0.5, 0.8)
    made: Thing = [rod((-wide / 2 - 0.06, high, 0.08), (wide / 2 + 0.06, high, 0.08), 0.009, palette.metal())]
    return made + place(
        [drape(palette, wide, high * palette.between(0.5, 0.9), cloth, 0.2, 0.012)], (0, high * 0.12, 0.095)
    )


def stairs(palette: Palette, width: float, steps: int, rise: float = 0.17, run: float = 0.28) -> Thing:
    """A flight of stairs that goes up along -z from the origin, with railings on both sides."""
    stuff, i = palette.one_of(palette.wood, palette.parquet, palette.paving)(), np.arange(steps)  # type: ignore[operator]
    tread = palette.wood() if palette.chance(0.3) else stuff
    o = 0.0 * i
    solid = palette.chance(0.7)
    low = i * rise if not solid else o
    high = np.full(steps, rise) if not solid else (i + 1) * rise - 0.03
    made: Thing = [boxes(np.stack([o, i * rise + rise - 0.03, -(i + 0.5) * run], 1), (width, 0.03, run + 0.025), tread)]
    if solid:
        made.append(boxes(np.stack([o, low, -(i + 0.5) * run], 1), np.stack([o + width, high, o + run], 1), stuff))
    rail, tall = palette.wood() if palette.chance(0.5) else palette.metal(), palette.between(0.85, 1.05)
    for x in (-width / 2 + 0.04, width / 2 - 0.04):
        if palette.chance(0.8):
            foot = np.stack([o + x, (i + 1) * rise, -(i + 0.5) * run], 1)
            made.append(rods(foot, foot + np.array([0, tall, 0]), palette.between(0.008, 0.02), rail))
            made.append(tube([foot[0] + [0, tall, 0.1], foot[-1] + [0, tall, 0]], 0.025, rail))
    return made


def wall_panel(palette: Palette, width: float, height: float) -> Thing:
    """Wainscot: raised fields along a wall's foot, at z = 0."""
    stuff = palette.paint((0.7, 0.69, 0.66)) if palette.chance(0.6) else palette.wood()
    n = max(1, round(width / 0.6))
    x = (np.arange(n) - (n - 1) / 2) * width / n
    made: Thing = [
        box((width, height, 0.015), stuff, (0, 0, 0.0)),
        boxes(np.stack([x, 0 * x + 0.1, 0 * x + 0.012], 1), (width / n * 0.8, height - 0.2, 0.012), stuff),
    ]
    return [*made, box((width, 0.04, 0.04), stuff, (0, height, 0.01))]


def backdrop(palette: Palette, width: float, drop: float) -> Thing:
    """A photographer's seamless backdrop: level in front, curved up behind; the subject stands at the origin."""
    colour = (
        palette.hue(palette.between(0, 0.5), palette.between(0.02, 0.85))
        if palette.chance(0.5)
        else palette.near((0.8, 0.8, 0.8), 1.05, 0.01)
    )
    bend, back = palette.between(0.1, 0.4) * drop, 0.45 * width
    angle = np.linspace(0, pi / 2, 10)
    z = np.concatenate([[width], -back - bend * np.sin(angle), [-back - bend]])
    y = np.concatenate([[0.0], bend * (1 - np.cos(angle)), [drop]])
    x = np.linspace(-width * 1.5, width * 1.5, 3)
    points = np.stack(
        [
            np.broadcast_to(x[None], (len(z), 3)),
            np.broadcast_to(y[:, None], (len(z), 3)),
            np.broadcast_to(z[:, None], (len(z), 3)),
        ],
        -1,
    )
    kind = "clouds" if palette.chance(0.4) else "plain"
    paper = Material(
        colour, palette.near(colour, 1.15, 0.02), kind, palette.spread(1.5), shine=0.0, seed=palette.seed()
    )
    return [grid(points[::-1], paper)]


def cloth(palette: Palette) -> Thing:
    """A crumpled cloth."""
    return [
        crumpled(
            palette, palette.between(0.2, 0.8), palette.between(0.2, 0.6), palette.fabric(), palette.between(0.01, 0.06)
        )
    ]


def ground_patch(palette: Palette, size: float, material: Material) -> Thing:
    """A slightly uneven patch of ground around the origin."""
    if palette.chance(0.5):
        return [floor(size, size, material)]
    n = np.linspace(-size / 2, size / 2, 14)
    x, z = np.meshgrid(n, n)
    y = swell(palette.rng, x, z, size / 4, size * 0.004)
    return [grid(np.stack([x, y, z], -1), material)]


def bicycle(palette: Palette) -> Thing:
    """A bicycle that stands upright, its front towards +x."""
    stuff, black, steel = palette.paint(shine=0.3), palette.paint((0.02, 0.02, 0.02)), palette.metal()
    made: Thing = []
    for x in (-0.52, 0.52):
        made += place([torus(0.33, 0.018, black)], (x, 0.348, 0))
        angle = np.linspace(0, 2 * pi, 14, endpoint=False)
        rim = np.stack([x + 0.32 * np.cos(angle), 0.348 + 0.32 * np.sin(angle), 0 * angle], 1)
        made.append(rods(np.tile([x, 0.348, 0], (14, 1)), rim, 0.0015, steel, sides=3))
    crank, seat, head, low = (-0.08, 0.3, 0), (-0.22, 0.85, 0), (0.36, 0.85, 0), (0.4, 0.7, 0)
    pairs = [
        (crank, seat),
        (seat, head),
        (crank, low),
        (crank, (-0.52, 0.348, 0)),
        (seat, (-0.52, 0.348, 0)),
        (head, (0.52, 0.348, 0)),
    ]
    made += [rod(a, b, 0.016, stuff) for a, b in pairs]
    made.append(cushion((0.26, 0.06, 0.14), black, (-0.25, 0.9, 0), 0.8))
    made.append(
        tube(
            bent([(0.3, 1.0, -0.3), (0.36, 1.02, -0.1), (0.36, 0.98, 0), (0.36, 1.02, 0.1), (0.3, 1.0, 0.3)]),
            0.013,
            black,
        )
    )
    return [*made, rod((0.36, 0.85, 0), (0.36, 1.0, 0), 0.014, steel), rod(seat, (-0.25, 0.92, 0), 0.014, steel)]
