"""Things to sit on: chairs of all sorts, stools, benches, armchairs, sofas."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, lathe, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes, copies
from training.worlds.parts.shapes import around, coat, cushion, legs, rod, round_legs


def _stuff(palette: Palette) -> Material:
    """What a chair is made of."""
    return palette.metal() if palette.chance(0.2) else (coat(palette) if palette.chance(0.3) else palette.wood())  # type: ignore[operator]


def _cover(palette: Palette) -> Material:
    """What a sofa is covered with: mostly plain cloth of a quiet colour."""
    if palette.chance(0.25):
        return palette.leather()
    if palette.chance(0.6):
        colour = palette.hue(palette.between(0, 0.4), palette.between(0.05, 0.65))
        return Material(
            colour, palette.near(colour, 1.1), "clouds", palette.spread(60), shine=0.02, seed=palette.seed()
        )
    return palette.fabric()


def chair_back(palette: Palette, width: float, depth: float, seat: float, top: float) -> Thing:
    """The back of a dining chair: solid, slats, ladder, spindles or a padded board, leaning a little."""
    stuff, thick, lean = _stuff(palette), palette.between(0.015, 0.03), palette.between(0.04, 0.16)
    kind = int(palette.rng.integers(5))
    z, rise = -depth / 2 + thick / 2, top - seat
    made: Thing = []
    if kind != 0:
        made.append(boxes([(-width / 2 + thick / 2, 0, 0), (width / 2 - thick / 2, 0, 0)], (thick, rise, thick), stuff))
    if kind == 0:
        made.append(box((width, rise * 0.75, thick), stuff, (0, rise * 0.25, 0)))
    elif kind == 1:
        n = int(palette.rng.integers(3, 8))
        x = np.linspace(-width / 2 + 0.05, width / 2 - 0.05, n)
        made.append(boxes(np.stack([x, 0 * x, 0 * x], 1), (width / n * 0.45, rise, thick * 0.6), stuff))
        made.append(box((width, 0.06, thick), stuff, (0, rise - 0.06, 0)))
    elif kind == 2:
        n = int(palette.rng.integers(2, 5))
        y = np.linspace(rise * 0.35, rise - 0.07, n)
        made.append(boxes(np.stack([0 * y, y, 0 * y], 1), (width, 0.07, thick * 0.8), stuff))
    elif kind == 3:
        bow = np.linspace(0, pi, 9)
        path = np.stack([-np.cos(bow) * width / 2, rise * (0.55 + 0.45 * np.sin(bow)), 0 * bow], 1)
        made.append(tube(np.concatenate([[[-width / 2, 0, 0]], path, [[width / 2, 0, 0]]]), thick / 2, stuff))
        for x in np.linspace(-width / 3, width / 3, 4):
            made.append(rod((x, 0, 0), (x, rise * 0.93, 0), 0.006, stuff, 6))
    else:
        made.append(cushion((width, rise * 0.8, 0.06), palette.fabric(), (0, rise * 0.2, 0), 0.35))
    return place(made, (0, seat, z), pitch=-lean)


def chair(palette: Palette) -> Thing:
    """A dining chair."""
    width, depth = palette.between(0.38, 0.5), palette.between(0.38, 0.48)
    seat, top = palette.between(0.42, 0.48), palette.between(0.76, 1.08)
    stuff = _stuff(palette)
    thick = palette.between(0.02, 0.05)
    if palette.chance(0.3):
        return _shell_chair(palette, width, seat, top)
    made: Thing = [box((width, thick, depth), stuff, (0, seat - thick, 0))]
    if palette.chance(0.35):
        made.append(cushion((width * 0.96, 0.06, depth * 0.96), palette.fabric(), (0, seat - 0.01, 0), 0.3))
    if palette.chance(0.6):
        made.append(legs(width, depth, seat - thick, palette.between(0.025, 0.05), stuff))
    else:
        made += round_legs(palette, width - 0.05, depth - 0.05, seat - thick, stuff)
    if palette.chance(0.3):
        y = palette.between(0.1, 0.25)
        x = width / 2 - 0.02
        made.append(boxes([(-x, y, 0), (x, y, 0)], (0.015, 0.03, depth - 0.03), stuff))
    made += chair_back(palette, width, depth, seat, top)
    if palette.chance(0.2):
        for x in (-width / 2, width / 2):
            made.append(
                boxes(
                    [(x, seat + 0.2, 0), (x, seat, depth / 2 - 0.05)], [(0.04, 0.03, depth), (0.03, 0.2, 0.03)], stuff
                )
            )
    return made


def _shell_chair(palette: Palette, width: float, seat: float, top: float) -> Thing:
    """A moulded shell on thin legs."""
    u = np.linspace(-1, 1, 9)[:, None]
    curve = np.array(
        [[0.22, -0.02], [0.2, 0.0], [0.0, -0.012], [-0.17, 0.0], [-0.21, 0.05], [-0.25, 0.2], [-0.28, top - seat]]
    )
    half = np.array([0.46, 0.5, 0.5, 0.5, 0.5, 0.48, 0.4]) * width
    dish = 0.05 * np.abs(u) ** 2.5
    z, y = curve[None, :, 0], curve[None, :, 1]
    away = np.array([0, 0, 0, 0.3, 0.8, 1, 1])[None]
    outer = np.stack([u * half[None], seat + y + dish * (1 - away), z + dish * 2 * away], -1)
    inner = outer + np.array([0, -0.012, -0.012])
    skin = np.concatenate([outer, inner[::-1]]).transpose(1, 0, 2)
    shell = loft(skin, palette.paint(shine=palette.between(0.05, 0.3)))
    return [shell, *round_legs(palette, width * 0.7, 0.34, seat - 0.02, _stuff(palette))]


def stool(palette: Palette) -> Thing:
    """A stool: low or for a bar, round or square."""
    high = float(palette.rng.choice([palette.between(0.4, 0.5), palette.between(0.62, 0.8)]))
    width, stuff = palette.between(0.28, 0.4), _stuff(palette)
    top = palette.fabric() if palette.chance(0.3) else palette.wood()
    if palette.chance(0.5):
        made: Thing = [lathe([(width / 2, high - 0.05), (width / 2 + 0.01, high - 0.02), (width / 2, high)], top)]
    else:
        made = [cushion((width, 0.05, width * palette.between(0.8, 1)), top, (0, high - 0.05, 0), 0.2)]
    if palette.chance(0.3):
        profile = [(0.2, 0), (0.2, 0.012), (0.03, 0.03), (0.025, high - 0.05)]
        return [*made, lathe(profile, palette.metal())]
    made += round_legs(palette, width * 0.7, width * 0.7, high - 0.04, stuff)
    y, reach = high * 0.35, width * 0.36
    made.append(boxes([(0, y, reach), (0, y, -reach)], (width * 0.75, 0.02, 0.02), stuff))
    return made


def office_chair(palette: Palette) -> Thing:
    """A swivel chair with a gas spring, a star foot and castors."""
    seat, black = palette.between(0.42, 0.55), palette.paint((0.03, 0.03, 0.03))
    cover = black if palette.chance(0.4) else _cover(palette)
    steel = black if palette.chance(0.5) else palette.metal((0.6, 0.6, 0.62))
    at, yaw = around(5, 0.0, 0.09, palette.between(0, 6))
    made = copies([tube([(0, 0.02, 0.02), (0, 0, 0.3)], [0.025, 0.015], steel)], at, yaw)
    castor = [place([lathe([(0.028, -0.02), (0.03, 0), (0.028, 0.02)], black, sides=10)], (0, 0.03, 0), roll=pi / 2)[0]]
    made += copies(castor, around(5, 0.3, 0.0, yaw[0])[0], yaw)
    made.append(rod((0, 0.1, 0), (0, seat - 0.05, 0), 0.025, steel))
    width, top = palette.between(0.44, 0.52), palette.between(0.45, 0.75)
    made.append(cushion((width, 0.09, 0.48), cover, (0, seat - 0.08, 0), 0.4))
    back = [cushion((width * 0.95, top, 0.07), cover, (0, 0.1, 0), 0.4), box((0.08, 0.25, 0.02), steel, (0, 0, -0.05))]
    if palette.chance(0.3):
        back.append(cushion((0.28, 0.15, 0.08), cover, (0, top + 0.13, 0)))
    made += place(back, (0, seat, -0.24), pitch=-palette.between(0, 0.2))
    if palette.chance(0.7):
        for x in (-width / 2 - 0.03, width / 2 + 0.03):
            made.append(
                boxes([(x, seat - 0.04, 0), (x, seat + 0.2, 0.02)], [(0.03, 0.24, 0.05), (0.06, 0.03, 0.26)], black)
            )
    return made


def _upholstered(palette: Palette, width: float, seats: int) -> Thing:
    cover = _cover(palette)
    depth, seat = palette.between(0.8, 1.0), palette.between(0.38, 0.46)
    arm, back = palette.between(0.08, 0.24), palette.between(0.68, 0.98)
    arm_top, soft, foot = palette.between(0.5, 0.68), palette.between(0.12, 0.35), palette.between(0.02, 0.16)
    outer = width + 2 * arm
    base = box((outer - 0.02, seat - 0.14 - foot, depth - 0.04), cover, (0, foot, 0))
    made: Thing = [base, legs(outer - 0.1, depth - 0.1, foot, 0.05, palette.wood())]
    made.append(cushion((outer, back - foot, 0.2), cover, (0, foot, -depth / 2 + 0.1), soft))
    for x in (-(width + arm) / 2, (width + arm) / 2):
        made.append(cushion((arm, arm_top - foot, depth), cover, (x, foot, 0), soft))
    one = width / seats
    for i in range(seats):
        x = -width / 2 + one * (i + 0.5)
        made.append(cushion((one * 0.99, 0.18, depth - 0.16), cover, (x, seat - 0.15, 0.06), 0.22))
        pad = [cushion((one * 0.97, back - seat + palette.between(-0.05, 0.08), 0.18), cover, soft=0.35)]
        made += place(
            pad, (x, seat, -depth / 2 + 0.27), pitch=-palette.between(0.08, 0.25), roll=palette.rng.normal() * 0.03
        )
    return made


def pillow(palette: Palette, cover: Material | None = None) -> Thing:
    """A loose cushion, upright."""
    side = palette.between(0.35, 0.55)
    wide = side * palette.between(1.0, 1.5)
    return [cushion((wide, side, palette.between(0.12, 0.2)), cover or palette.fabric(), soft=0.6)]


def sofa(palette: Palette) -> Thing:
    """A sofa of two to four seats with loose cushions, sometimes with a chaise longue or a throw."""
    seats = int(palette.rng.integers(2, 5))
    width = seats * palette.between(0.55, 0.8)
    made = _upholstered(palette, width, seats)
    for _ in range(int(palette.rng.integers(0, 5))):
        x = palette.between(-width / 2 + 0.25, width / 2 - 0.25)
        lean = palette.between(0.2, 0.6)
        made += place(
            pillow(palette),
            (x, 0.44, palette.between(-0.15, 0.0)),
            palette.rng.normal() * 0.3,
            -lean,
            palette.rng.normal() * 0.2,
        )
    if palette.chance(0.2):
        side = float(palette.rng.choice([-1, 1])) * (width / 2 - 0.35)
        made.append(cushion((0.7, 0.42, 0.7), made[0].material, (side, 0.02, 0.75), 0.2))
    return made


def armchair(palette: Palette) -> Thing:
    """An armchair."""
    return _upholstered(palette, palette.between(0.5, 0.65), 1)


def bench(palette: Palette) -> Thing:
    """A bench, with or without a back."""
    width, depth, seat, stuff = (
        palette.between(1.0, 2.0),
        palette.between(0.3, 0.45),
        palette.between(0.42, 0.48),
        palette.wood(),
    )
    made: Thing = [
        boxes([(0, seat - 0.04, z) for z in (-depth / 3, 0, depth / 3)], (width, 0.04, depth / 3 * 0.93), stuff)
    ]
    made.append(legs(width * 0.9, depth, seat - 0.04, 0.06, stuff))
    if palette.chance(0.4):
        back = [
            boxes([(0, 0.12, 0), (0, 0.27, 0)], (width, 0.1, 0.03), stuff),
            boxes([(-width * 0.4, 0, -0.03), (width * 0.4, 0, -0.03)], (0.05, 0.4, 0.04), stuff),
        ]
        made += place(back, (0, seat, -depth / 2), pitch=-0.15)
    return made


def pouf(palette: Palette) -> Thing:
    """A pouf or a beanbag."""
    wide, high = palette.between(0.4, 0.8), palette.between(0.3, 0.5)
    return [cushion((wide, high, wide), palette.fabric(), soft=palette.between(0.3, 0.9))]


def any_seat(palette: Palette) -> Thing:
    """One of the above."""
    return palette.one_of(chair, chair, armchair, stool, office_chair, bench, pouf)(palette)  # type: ignore[operator]
