"""Machines of home and office: televisions, screens, keyboards, laptops, telephones, loudspeakers, cameras."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, lathe, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes
from training.worlds.parts.shapes import bent, canvas, cushion, lying, settle, torus


def case(palette: Palette) -> Material:
    """Black, grey, white or silver housings."""
    kind = palette.between(0, 1)
    if kind < 0.5:
        return palette.paint((0.025, 0.025, 0.028))
    return palette.paint((0.72, 0.72, 0.71)) if kind < 0.75 else palette.metal((0.55, 0.55, 0.57))


def display(palette: Palette) -> Material:
    """What a screen shows: dark and shiny when off, else a glowing picture or text."""
    kind = palette.between(0, 1)
    if kind < 0.35:
        return Material((0.01, 0.01, 0.012), shine=0.4, gloss=0.97)
    shown = palette.picture() if kind < 0.75 else palette.printed()
    return (
        replace(shown, glow=palette.between(0.6, 1.5), kind="light")
        if palette.chance(0.5)
        else replace(shown, shine=0.2, gloss=0.95)
    )


def screen(palette: Palette, width: float, height: float, bar: float) -> Thing:
    """A flat screen whose lower edge is at y = 0, thin, without a stand."""
    shell = case(palette)
    made: Thing = [box((width + 2 * bar, height + 2 * bar, 0.03), shell, (0, 0, -0.017))]
    return [*made, canvas(width, height, display(palette), bar, -0.0013)]


def television(palette: Palette) -> Thing:
    """A television on its feet."""
    width = palette.between(0.7, 1.5)
    made = place(screen(palette, width, width * 0.5625, palette.between(0.008, 0.03)), (0, 0.06, 0))
    x = width * palette.between(0.1, 0.4)
    return [*made, boxes([(-x, 0, 0), (x, 0, 0)], (0.03, 0.07, 0.2), made[0].material)]


def wall_television(palette: Palette) -> Thing:
    """A television that hangs, its back at z = 0."""
    width = palette.between(0.8, 1.7)
    return place(screen(palette, width, width * 0.5625, 0.012), (0, 0, 0.06))


def monitor(palette: Palette) -> Thing:
    """A computer's screen on its stand."""
    width, lift = palette.between(0.4, 0.75), palette.between(0.07, 0.2)
    height = width * palette.between(0.45, 0.75)
    made = place(
        screen(palette, width, height, palette.between(0.006, 0.02)), (0, lift, 0), pitch=-palette.between(0, 0.12)
    )
    shell = made[0].material
    return [
        *made,
        box((0.06, lift + height * 0.4, 0.03), shell, (0, 0, -0.07)),
        box((0.24, 0.012, 0.2), shell, (0, 0, -0.05)),
    ]


def keyboard(palette: Palette) -> Thing:
    """A keyboard."""
    width = palette.between(0.28, 0.46)
    shell, cap = case(palette), case(palette)
    columns = round(width / 0.019) - 1
    x, z = np.meshgrid((np.arange(columns) - (columns - 1) / 2) * 0.019, (np.arange(5) - 2) * 0.019)
    x, z = x.ravel(), z.ravel()
    keep = ~((np.abs(x) < 0.055) & (z > 0.03))
    at = np.stack([x, 0 * x + 0.012, z], 1)[keep]
    return [
        box((width, 0.014, 0.125), shell),
        boxes(at, (0.0155, 0.009, 0.0155), cap),
        box((0.11, 0.008, 0.0155), cap, (0, 0.012, 0.038)),
    ]


def mouse(palette: Palette) -> Thing:
    """A computer mouse."""
    return [cushion((0.06, 0.036, 0.105), case(palette), soft=0.8)]


def laptop(palette: Palette) -> Thing:
    """An open laptop."""
    width, depth = palette.between(0.28, 0.37), palette.between(0.2, 0.25)
    shell, cap = case(palette), palette.paint((0.03, 0.03, 0.03))
    made: Thing = [box((width, 0.014, depth), shell)]
    x, z = np.meshgrid((np.arange(14) - 6.5) * width * 0.064, (np.arange(5) - 2) * 0.0185 - depth * 0.14)
    made.append(boxes(np.stack([x.ravel(), 0 * x.ravel() + 0.0135, z.ravel()], 1), (width * 0.056, 0.002, 0.016), cap))
    made.append(
        box((0.1, 0.0006, 0.06), replace(shell, colour=tuple(0.8 * c for c in shell.colour)), (0, 0.014, depth * 0.3))
    )
    lid = [
        box((width, depth, 0.007), shell, (0, 0, -0.004)),
        canvas(width * 0.94, depth * 0.92, display(palette), depth * 0.05, 0.0002),
    ]
    return made + place(lid, (0, 0.013, -depth / 2), pitch=-palette.between(0.0, 0.6))


def phone(palette: Palette) -> Thing:
    """A telephone, its screen or back up."""
    w, h = palette.between(0.065, 0.08), palette.between(0.13, 0.165)
    made: Thing = [box((w, h, 0.008), case(palette)), canvas(w * 0.93, h * 0.93, display(palette), h * 0.035, 0.0044)]
    return lying(made) if palette.chance(0.85) else settle(place(made, pitch=-0.4))


def tablet(palette: Palette) -> Thing:
    """A tablet or reader, flat."""
    w, h = palette.between(0.12, 0.2), palette.between(0.17, 0.27)
    return lying([box((w, h, 0.008), case(palette)), canvas(w * 0.9, h * 0.88, display(palette), h * 0.06, 0.0044)])


def remote(palette: Palette) -> Thing:
    """A remote control."""
    x, z = np.meshgrid((-0.012, 0, 0.012), np.linspace(-0.07, 0.05, 8))
    keys = boxes(np.stack([x.ravel(), 0 * x.ravel() + 0.017, z.ravel()], 1), (0.007, 0.003, 0.007), palette.paint())
    return [cushion((0.045, 0.019, 0.18), palette.paint((0.03, 0.03, 0.03)), soft=0.3), keys]


def speaker(palette: Palette) -> Thing:
    """A loudspeaker."""
    h = palette.between(0.16, 1.0)
    w, d = h * palette.between(0.3, 0.6) if h < 0.5 else 0.22, min(0.3, h * 0.7)
    shell, dark = palette.wood() if palette.chance(0.4) else case(palette), palette.paint((0.02, 0.02, 0.02))
    made: Thing = [box((w, h, d), shell)]
    for y, r in ((h * 0.35, w * 0.38), (h * 0.75, w * 0.2)):
        made += place(
            [lathe([(r, 0), (r, 0.012), (r * 0.9, 0.012), (r * 0.3, 0.002), (0.001, 0.006)], dark)],
            (0, y, d / 2),
            pitch=pi / 2,
        )
    return made


def headphones(palette: Palette) -> Thing:
    """Headphones that lie on their side."""
    stuff, r = (
        palette.paint((0.03, 0.03, 0.03)) if palette.chance(0.6) else palette.paint(),
        palette.between(0.07, 0.085),
    )
    bow = place([torus(r, 0.008, stuff, (0.0, pi))], (0, 0.035, 0), pitch=-pi / 2)
    cups = [place([cushion((0.05, 0.075, 0.07), stuff, soft=0.7)], (x, 0, 0))[0] for x in (-r, r)]
    return settle(bow + cups)


def camera(palette: Palette) -> Thing:
    """A photographer's camera."""
    dark = palette.paint((0.025, 0.025, 0.025))
    made: Thing = [
        cushion((0.13, 0.085, 0.06), dark, soft=0.25),
        box((0.05, 0.025, 0.04), dark if palette.chance(0.5) else palette.metal(), (0, 0.083, 0)),
    ]
    lens = [lathe([(0.032, 0), (0.034, 0.05), (0.03, 0.06), (0.028, 0.05), (0.001, 0.045)], dark)]
    return made + place(lens, (0, 0.045, 0.025), pitch=pi / 2, scale=(1, palette.between(0.6, 2), 1))


def printer(palette: Palette) -> Thing:
    """A printer or copier."""
    w, h, d = palette.between(0.38, 0.6), palette.between(0.18, 0.5), palette.between(0.3, 0.5)
    shell, dark = palette.paint((0.7, 0.7, 0.69)), palette.paint((0.04, 0.04, 0.04))
    return [
        box((w, h, d), shell),
        box((w * 0.8, 0.06, 0.01), dark, (0, h * 0.35, d / 2)),
        *place([box((w * 0.6, 0.005, 0.25), palette.paint((0.8, 0.8, 0.8)))], (0, h, -d * 0.3), pitch=-0.9),
        box((0.12, 0.01, 0.08), dark, (w * 0.3, h, d * 0.3)),
    ]


def computer(palette: Palette) -> Thing:
    """A computer's tower."""
    shell = case(palette)
    return [
        box((0.2, palette.between(0.38, 0.48), 0.45), shell),
        box((0.15, 0.02, 0.004), palette.metal(), (0, 0.3, 0.226)),
        box((0.15, 0.15, 0.004), palette.paint((0.02, 0.02, 0.02)), (0, 0.06, 0.226)),
    ]


def cable(palette: Palette) -> Thing:
    """A cable that lies about."""
    n = int(palette.rng.integers(5, 10))
    points = np.cumsum(palette.rng.normal(size=(n, 3)) * np.array([0.06, 0, 0.06]), 0)
    points = points - points.mean(0) + np.array([0, 0.003, 0])
    return settle(
        [
            tube(
                bent(points, 5 * n),
                palette.between(0.002, 0.004),
                palette.paint((0.03, 0.03, 0.03)) if palette.chance(0.6) else palette.paint(),
                sides=5,
            )
        ]
    )


def alarm_clock(palette: Palette) -> Thing:
    """A small clock on two feet."""
    r, skin = palette.between(0.035, 0.07), palette.metal() if palette.chance(0.5) else palette.paint()
    body = place(
        [
            lathe([(r, 0), (r, 0.04)], skin, smooth=False),
            lathe([(r * 0.9, 0.04), (r * 0.9, 0.041)], palette.paint((0.75, 0.74, 0.7)), smooth=False),
        ],
        (0, r + 0.01, -0.02),
        pitch=pi / 2,
    )
    hands = [
        part
        for k in (0.5, 0.75)
        for part in place(
            [box((0.004, r * k, 0.002), palette.paint((0.02, 0.02, 0.02)))],
            (0, r + 0.01, 0.022),
            roll=palette.between(0, 6),
        )
    ]
    return body + hands + [boxes([(-r * 0.5, 0, 0), (r * 0.5, 0, 0)], (0.012, 0.03, 0.02), skin)]
