"""Whole buildings: town houses, detached houses, towers, halls. Fronts look along +z."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts.facades import Style, door, facade, flat_roof, frames, gable_roof, shop_front, style
from training.worlds.parts.many import boxes, merge, quads


def building(
    palette: Palette,
    width: float,
    depth: float,
    storeys: int,
    *,
    s: Style | None = None,
    near: bool = True,
    sides: bool = False,
) -> Thing:
    """A town house: its detailed front in the plane z = 0, its back at z = -depth; `sides`: windows in the flanks."""
    s = s or style(palette)
    ground = palette.between(3.2, 4.6) if s.shop else None
    foot = ground or 0.0
    height = foot + s.storey * storeys
    out = facade(palette, s, width, storeys, ground=ground, near=near)
    if s.shop:
        out += shop_front(palette, s, width, foot)
    else:
        out += door(palette, s, width)
    body = [quads([frames(np.array(-depth / 2), np.array(depth / 2), np.array(0.0), np.array(height), 0.0)], s.wall)]
    for sign, turn in ((1, pi / 2), (-1, -pi / 2)):
        flank = facade(palette, s, depth, storeys + bool(s.shop), near=False) if sides else body
        out += place(
            flank,
            at=(sign * width / 2, 0, -depth / 2),
            yaw=turn,
            scale=(1, height / (s.storey * (storeys + bool(s.shop))) if sides else 1, 1),
        )
    out += place(
        [quads([frames(np.array(-width / 2), np.array(width / 2), np.array(0.0), np.array(height), 0.0)], s.wall)],
        at=(0, 0, -depth),
        yaw=pi,
    )
    if s.cornice > 0.1:
        rows = [[0, height - 0.35, 0.5 * s.cornice * 0.6]] + ([[0, foot - 0.12, 0.08]] if s.shop else [])
        out.append(boxes(rows, [[width + 0.02, 0.35, s.cornice * 0.6], [width, 0.14, 0.2]][: len(rows)], s.trim))
    if palette.chance(0.5):
        roof = flat_roof(palette, s, width, depth, height)
    else:
        roof = gable_roof(
            palette,
            s,
            width,
            depth,
            height,
            hip=float(palette.rng.choice([0.0, 0.0, 0.6, 1.0])) if depth < width else 0.0,
        )
    return merge(out + place(roof, at=(0, 0, -depth / 2)))


def block(palette: Palette, width: float, depth: float, storeys: int, s: Style | None = None) -> Thing:
    """A house for far off, about its middle: painted windows, a plain roof."""
    s = s or style(palette)
    height = storeys * s.storey
    pitch = palette.between(2.4, 3.6)
    front = replace(s.wall, pattern="windows", second=s.pane.colour, frequency=1.0, tile=-1)
    x, z = width / 2, depth / 2
    corner = [np.array([k * x, 0, j * z]) for k, j in ((-1, 1), (1, 1), (1, -1), (-1, -1))]
    up, out = np.array([0, height, 0]), []
    for a, b in zip(corner, corner[1:] + corner[:1], strict=True):
        n = max(1, round(float(np.linalg.norm(b - a)) / pitch))
        out.append(quads([np.stack([a + up, a, b, b + up])], front, [[0, 0], [0, storeys], [n, storeys], [n, 0]]))
    if palette.chance(0.5):
        return merge(out + flat_roof(palette, s, width, depth, height))
    return merge(
        out + gable_roof(palette, s, width, depth, height, hip=0.7 if depth < width and palette.chance(0.4) else 0.0)
    )


def house(palette: Palette, *, near: bool = True, night: bool = False) -> Thing:
    """A detached house with gable or hip roof, sometimes with a wing, a porch, a garage; its middle at the origin."""
    b = palette.between
    s = style(palette, night=night, shop=False)
    s = replace(s, bay=b(2.2, 3.4), balconies=False, cornice=0.0, storey=b(2.5, 3.0))
    width, depth, storeys = b(6.5, 13), b(6, 9.5), int(palette.rng.choice([1, 1, 2, 2, 3]))
    height = storeys * s.storey

    def block(w: float, d: float, hip: float) -> Thing:
        out = place(facade(palette, s, w, storeys, near=near), at=(0, 0, d / 2))
        out += place(facade(palette, s, w, storeys, near=False), at=(0, 0, -d / 2), yaw=pi)
        for sign in (1, -1):
            out += place(facade(palette, s, d, storeys, near=near), at=(sign * w / 2, 0, 0), yaw=sign * pi / 2)
        return out + gable_roof(palette, s, w, d, height, hip=hip)

    hip = float(palette.rng.choice([0.0, 0.0, 0.7, 1.0])) if depth < width else 0.0
    out = block(width, depth, hip) + place(door(palette, s, width), at=(0, 0, depth / 2))
    if palette.chance(0.35):
        out += place(block(depth * 0.7, depth * 0.6, 0.0), at=(width * 0.3, 0, depth * 0.55), yaw=pi / 2)
    if palette.chance(0.4):
        high = b(2.4, 2.9)
        x = (width / 2 + 1.7) * (1 if palette.chance(0.5) else -1)
        out += [boxes([[x, 0, 0.5]], [3.4, high, 6], s.wall), boxes([[x, high, 0.5]], [3.8, 0.18, 6.5], s.trim)]
        out.append(
            boxes(
                [[x, 0, 3.5]],
                [2.6, high - 0.35, 0.06],
                replace(palette.paint((0.6, 0.6, 0.58)), pattern="stripes", frequency=2),
            )
        )
    if palette.chance(0.3):
        posts = [[-1.5, 0, depth / 2 + 1.8], [1.5, 0, depth / 2 + 1.8]]
        out += [boxes(posts, [0.16, 2.5, 0.16], s.frame), boxes([[0, 2.5, depth / 2 + 0.9]], [3.6, 0.2, 2.2], s.roof)]
    return merge(out)


def high_rise(palette: Palette, *, s: Style | None = None) -> Thing:
    """A tower of offices or flats, its middle at the origin: bands of glass, or many windows."""
    b = palette.between
    s = replace(s or style(palette, shop=False), recess=b(0.05, 0.25), storey=b(3.0, 4.0))
    width, depth = b(14, 34), b(14, 28)
    storeys = int(b(9, 12 + 0.9 * width))
    bands = palette.chance(0.55) or storeys > 24
    s = replace(s, bay=width, window=(width * b(0.9, 0.99), b(0.4, 0.85))) if bands else replace(s, bay=b(2.6, 5.5))
    height, out = storeys * s.storey, []
    for k, (w, d) in enumerate(((width, depth), (depth, width)) * 2):
        one = replace(s, bay=w, window=(w * 0.96, s.window[1])) if bands else s
        out += place(
            facade(palette, one, w, storeys, near=False),
            at=(np.sin(k * pi / 2) * d / 2, 0, np.cos(k * pi / 2) * d / 2),
            yaw=k * pi / 2,
        )
    if bands:
        n = int(width / b(1.4, 4))
        x = np.linspace(-width / 2, width / 2, n)
        z = np.full(n, depth / 2)
        fins = np.concatenate([np.stack([x, 0 * x, z], 1), np.stack([x, 0 * x, -z], 1)])
        out.append(boxes(fins, [0.12, height, 0.12], s.frame))
    return merge(out + flat_roof(palette, s, width, depth, height))


def shed(palette: Palette) -> Thing:
    """An industrial hall or a barn: sheet or boards, gates, a low roof."""
    b = palette.between
    s = replace(
        style(palette, shop=False),
        wall=palette.masonry(),
        bay=b(4, 7),
        storey=b(4, 8),
        window=(b(1, 4), b(0.1, 0.25)),
        recess=0.05,
    )
    width, depth = b(10, 40), b(9, 24)
    out: Thing = []
    for k, (w, d) in enumerate(((width, depth), (depth, width)) * 2):
        out += place(
            facade(palette, s, w, 1, near=False),
            at=(np.sin(k * pi / 2) * d / 2, 0, np.cos(k * pi / 2) * d / 2),
            yaw=k * pi / 2,
        )
    gate = replace(palette.paint(), pattern="stripes", frequency=3.0)
    n = int(b(1, 4))
    x = (np.arange(n) + 0.5) * width / n - width / 2
    out.append(boxes(np.stack([x, 0 * x, 0 * x + depth / 2], 1), [3.6, min(s.storey * 0.75, 4.2), 0.12], gate))
    roof = (
        gable_roof(palette, s, width, depth, s.storey)
        if palette.chance(0.6)
        else flat_roof(palette, s, width, depth, s.storey)
    )
    return merge(out + roof)


def column(palette: Palette, height: float, radius: float, material: Material) -> Part:
    """A column with base and capital."""
    r, h = radius, height
    return lathe(
        [
            (1.5 * r, 0),
            (1.5 * r, 0.03 * h),
            (1.15 * r, 0.05 * h),
            (r, 0.08 * h),
            (0.97 * r, 0.5 * h),
            (0.84 * r, 0.92 * h),
            (1.1 * r, 0.94 * h),
            (1.45 * r, 0.97 * h),
            (1.45 * r, h),
        ],
        material,
        sides=11,
    )
