"""What houses are made of: façades with recessed windows, shop fronts, balconies, doors, roofs. Fronts look to +z."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes, quads, rods


@dataclass(frozen=True, slots=True)
class Style:
    """What the storeys of one house share."""

    wall: Material
    pane: Material
    frame: Material
    trim: Material
    roof: Material
    storey: float
    bay: float
    window: tuple[float, float]
    recess: float
    lit: Material | None = None
    balconies: bool = False
    cornice: float = 0.3
    shop: bool = False


def style(palette: Palette, *, night: bool = False, shop: bool | None = None) -> Style:
    """A style by chance, from cottage to office."""
    b = palette.between
    bay = b(1.7, 3.6)
    modern = palette.chance(0.3)
    return Style(
        wall=palette.masonry(),
        pane=Material(
            palette.near((0.03, 0.04, 0.05), 1.6, 0.01),
            (0.02, 0.02, 0.03),
            shine=b(0.25, 0.6),
            gloss=0.96,
            seed=palette.seed(),
        ),
        frame=palette.paint((0.7, 0.69, 0.66) if palette.chance(0.6) else palette.hue(0.4, b(0.03, 0.3)), shine=0.08),
        trim=palette.masonry() if palette.chance(0.4) else palette.paint((0.6, 0.57, 0.5), shine=0.03),
        roof=palette.roofing(),
        storey=b(2.7, 3.8),
        bay=bay,
        window=(bay * (b(0.72, 0.95) if modern else b(0.35, 0.62)), b(0.62, 0.8) if modern else b(0.45, 0.62)),
        recess=b(0.06, 0.35),
        lit=Palette.light((1.0, b(0.6, 0.85), b(0.3, 0.6)), b(0.5, 1.6)) if night else None,
        balconies=palette.chance(0.22),
        cornice=b(0, 0.6),
        shop=palette.chance(0.45) if shop is None else shop,
    )


def frames(x0: np.ndarray, x1: np.ndarray, y0: np.ndarray, y1: np.ndarray, z: float) -> np.ndarray:
    """Upright rectangles (n, 4, 3) in the plane z that look along +z."""
    x0, x1, y0, y1 = np.broadcast_arrays(x0, x1, y0, y1)
    zz = np.full(x0.shape, z)
    return np.stack(
        [
            np.stack([x0, y1, zz], -1),
            np.stack([x0, y0, zz], -1),
            np.stack([x1, y0, zz], -1),
            np.stack([x1, y1, zz], -1),
        ],
        -2,
    )


def _reveals(x0: np.ndarray, x1: np.ndarray, y0: np.ndarray, y1: np.ndarray, depth: float) -> np.ndarray:
    """The four inner sides of openings from z = 0 back to -depth, (4n, 4, 3)."""
    o, d = np.zeros_like(x0), np.full_like(x0, -depth)

    def quad(*corner: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        return np.stack([np.stack(c, -1) for c in corner], -2)

    left = quad((x0, y1, o), (x0, y0, o), (x0, y0, d), (x0, y1, d))
    right = quad((x1, y1, d), (x1, y0, d), (x1, y0, o), (x1, y1, o))
    foot = quad((x0, y0, d), (x0, y0, o), (x1, y0, o), (x1, y0, d))
    head = quad((x0, y1, o), (x0, y1, d), (x1, y1, d), (x1, y1, o))
    return np.concatenate([left, right, foot, head])


def facade(
    palette: Palette, s: Style, width: float, storeys: int, *, ground: float | None = None, near: bool = True
) -> Thing:
    """A wall of `storeys` in the plane z = 0 over a base of height `ground`, its windows set back into it."""
    base = 0.0 if ground is None else ground
    bays = max(1, round(width / s.bay))
    pitch = width / bays
    wide, high = max(min(s.window[0], pitch * 0.92, pitch - 2 * s.recess - 0.1), 0.3 * pitch), s.window[1] * s.storey
    x = -width / 2 + pitch * (np.arange(bays) + 0.5)
    y = base + s.storey * (np.arange(storeys) + 0.5) + 0.04 * s.storey
    x0, x1, y0, y1 = x - wide / 2, x + wide / 2, y - high / 2, y + high / 2
    top = base + s.storey * storeys
    bands = frames(-width / 2, width / 2, np.r_[base, y1], np.r_[y0, top], 0.0)
    left, right = np.r_[-width / 2, x1], np.r_[x0, width / 2]
    piers = frames(left[None], right[None], y0[:, None], y1[:, None], 0.0).reshape(-1, 4, 3)
    walls = np.concatenate([bands, piers])
    uv = np.stack([walls[..., 0], -walls[..., 1]], -1)
    gx0, gx1, gy0, gy1 = (a.ravel() for a in np.broadcast_arrays(x0, x1, y0[:, None], y1[:, None]))
    glass = frames(gx0, gx1, gy0, gy1, -s.recess)
    out = [quads(walls, s.wall, uv), quads(_reveals(gx0, gx1, gy0, gy1, s.recess), s.trim if near else s.wall)]
    lit = palette.rng.random(len(glass)) < (0.35 if s.lit else 0.0)
    drawn = (palette.rng.random(len(glass)) < 0.25) & ~lit
    curtain = palette.paint((0.5, 0.48, 0.44), shine=0.25)
    for mask, material in ((lit, s.lit), (drawn, curtain), (~lit & ~drawn, s.pane)):
        if material is not None and mask.any():
            out.append(quads(glass[mask], material))
    if near:
        n = len(gx0)
        mid = (gx0 + gx1) / 2
        f = 0.035 + 0.02 * s.recess
        bars = [
            frames(mid - f / 2, mid + f / 2, gy0, gy1, -s.recess + 0.03),
            frames(gx0, gx1, gy0, gy0 + f, -s.recess + 0.03),
            frames(gx0, gx1, gy1 - f, gy1, -s.recess + 0.03),
            frames(gx0, gx0 + f, gy0, gy1, -s.recess + 0.03),
            frames(gx1 - f, gx1, gy0, gy1, -s.recess + 0.03),
        ]
        if s.window[1] < 0.62:
            third = gy0 + (gy1 - gy0) * 0.66
            bars.append(frames(gx0, gx1, third, third + f, -s.recess + 0.031))
        out.append(quads(np.concatenate(bars), s.frame))
        sill = np.stack([mid, gy0 - 0.07, np.full(n, 0.03)], 1)
        out.append(boxes(sill, [wide + 0.16, 0.07, 0.14], s.trim))
        if s.balconies and storeys > 1:
            out += _balconies(s, mid, gy0 - 0.1, pitch)
    return out


def _balconies(s: Style, x: np.ndarray, y: np.ndarray, pitch: float) -> Thing:
    keep = (y > 2) & (np.abs(np.round(x / pitch - 0.01)) % 2 == 0)
    x, y = x[keep], y[keep]
    if not len(x):
        return []
    wide, deep = pitch * 0.85, 0.9
    slab = boxes(np.stack([x, y - 0.55, 0 * x + deep / 2], 1), [wide, 0.12, deep], s.trim)
    rail_at = np.stack([x, y + 0.45, 0 * x + deep - 0.03], 1)
    rail = boxes(rail_at, [wide, 0.05, 0.05], s.frame)
    t = np.linspace(-0.5, 0.5, 7)
    post = np.stack(
        [(x[:, None] + t * wide * 0.97).ravel(), np.repeat(y - 0.45, 7), np.full(7 * len(x), deep - 0.03)], 1
    )
    return [slab, rail, boxes(post, [0.025, 0.92, 0.025], s.frame)]


def shop_front(palette: Palette, s: Style, width: float, height: float) -> Thing:
    """A ground floor of large panes, a door, a sign, perhaps an awning."""
    b = palette.between
    n = max(1, round(width / b(1.6, 3.4)))
    pitch = width / n
    x = -width / 2 + pitch * (np.arange(n) + 0.5)
    low, top, d = np.full(n, b(0.1, 0.6)), np.full(n, height - b(0.6, 1.0)), b(0.12, 0.5)
    low[int(palette.rng.integers(n))] = 0.02
    x0, x1 = x - pitch * 0.45, x + pitch * 0.45
    walls = np.concatenate(
        [
            frames(-width / 2, width / 2, top[:1], np.array([height]), 0.0),
            frames(np.r_[-width / 2, x1], np.r_[x0, width / 2], 0.0, top[0], 0.0),
            frames(x0, x1, 0.0, low, 0.0),
        ]
    )
    inside = s.lit if s.lit and palette.chance(0.7) else s.pane
    cover = palette.paint() if palette.chance(0.5) else s.trim
    out = [
        quads(walls, cover),
        quads(_reveals(x0, x1, low, top, d), s.frame),
        quads(frames(x0, x1, low, top, -d), inside),
    ]
    bars = np.concatenate([frames(c - 0.03, c + 0.03, low, top, -d + 0.03) for c in (x0 + 0.03, x, x1 - 0.03)])
    out.append(quads(bars, s.frame))
    sign = palette.printed()
    out.append(
        boxes(
            [[b(-0.1, 0.1) * width, top[0] + 0.1, 0.06]],
            [width * b(0.4, 0.95), height - top[0] - 0.22, 0.1],
            replace(sign, frequency=4),
        )
    )
    if palette.chance(0.4):
        deep, drop = b(0.8, 1.8), b(0.3, 0.8)
        y, w = top[0] + 0.05, width * 0.47
        cloth = replace(palette.fabric(palette.hue(0.8, 0.4)), pattern="stripes", frequency=b(1.5, 4))
        slope = np.array([[-w, y, 0.02], [-w, y - drop, deep], [w, y - drop, deep], [w, y, 0.02]])
        rim = np.array(
            [[-w, y - drop, deep], [-w, y - drop - 0.2, deep], [w, y - drop - 0.2, deep], [w, y - drop, deep]]
        )
        out.append(quads([slope, slope[::-1] - [0, 0.01, 0], rim], cloth))
    if palette.chance(0.3):
        at = [width * b(-0.45, 0.45), top[0] + 0.2, 0.5]
        out.append(boxes([at], [0.08, b(0.5, 1.1), 0.75], palette.printed()))
    return out


def gable_roof(palette: Palette, s: Style, width: float, depth: float, foot: float, *, hip: float = 0.0) -> Thing:
    """A roof with its ridge along x over a body of width × depth; hip 0..1 slopes the ends."""
    rise = depth / 2 * palette.between(0.45, 1.15)
    over = palette.between(0.15, 0.6)
    w, d = width / 2 + over * (1 if hip else 0.6), depth / 2 + over
    low = foot - over * rise / (depth / 2)
    r = np.array([w - hip * d, 0, 0])
    ridge = np.array([0, foot + rise, 0])
    a, b, c, e = np.array([[-w, low, d], [w, low, d], [w, low, -d], [-w, low, -d]])
    left, right = ridge - r, ridge + r
    slopes = [np.stack([left, a, b, right]), np.stack([right, c, e, left])]
    up = np.array([0, 0.16, 0])
    out: Thing = [quads([q + up for q in slopes], s.roof), quads([q[::-1] for q in slopes], s.trim)]
    eaves = [np.stack([p + up, p, q, q + up]) for p, q in ((a, b), (c, e))]
    out.append(quads(eaves, s.trim))
    if hip:
        ends = [np.stack([right, b, c, right]), np.stack([left, e, a, left])]
        out.append(quads([q + up for q in ends], s.roof))
    else:
        x, z = width / 2, depth / 2
        tip, m = (
            np.array([0, foot + rise, 0]),
            [np.array([k * x, foot, j * z]) for k, j in ((1, 1), (1, -1), (-1, -1), (-1, 1))],
        )
        out.append(
            quads(
                [
                    [(tip + np.array([x, 0, 0])), m[0], m[1], (tip + np.array([x, 0, 0]))],
                    [tip - [x, 0, 0], m[2], m[3], tip - [x, 0, 0]],
                ],
                s.wall,
            )
        )
        barge = [np.stack([p + up, p, q, q + up]) for p, q in ((b, right), (right, c), (e, left), (left, a))]
        out.append(quads(barge, s.trim))
    if palette.chance(0.6):
        n = int(palette.rng.integers(1, 3))
        at = np.stack(
            [
                palette.rng.uniform(-0.4, 0.4, n) * width,
                np.full(n, foot + rise * 0.5),
                palette.rng.uniform(-0.25, 0.25, n) * depth,
            ],
            1,
        )
        out.append(boxes(at, [0.6, rise * 0.5 + 1.0, 0.5], palette.masonry()))
        out.append(boxes((at + np.array([0, rise * 0.5 + 1.0, 0])), [0.7, 0.1, 0.6], s.trim))
    if palette.chance(0.35) and width > 5:
        out += _dormers(palette, s, width, depth, foot, rise)
    return out


def _dormers(palette: Palette, s: Style, width: float, depth: float, foot: float, rise: float) -> Thing:
    n = max(1, int(width / 3.5))
    x = (np.arange(n) + 0.5) * width / n - width / 2
    y, z, high = foot + rise * 0.22, depth / 2 * 0.72, rise * 0.38
    at = np.stack([x, 0 * x + y, 0 * x + z - 0.8], 1)
    wide = palette.between(1.0, 1.5)
    lid = boxes((at + np.array([0, high, 0.05])), [wide + 0.3, 0.12, 1.9], s.roof)
    body, front = boxes(at, [wide, high, 1.6], s.wall), (at + np.array([0, high * 0.2, 0.81]))
    return [body, lid, boxes(front, [wide * 0.72, high * 0.68, 0.02], s.pane)]


def flat_roof(palette: Palette, s: Style, width: float, depth: float, foot: float) -> Thing:
    """Parapet, and what stands on roofs."""
    r = palette.rng
    tall = palette.between(0.2, 1.0)
    t, w, d = 0.25, width / 2, depth / 2
    at = [[0, foot, d - t / 2], [0, foot, -d + t / 2], [w - t / 2, foot, 0], [-w + t / 2, foot, 0]]
    size = np.array([[width, tall, t], [width, tall, t], [t, tall, depth - 0.02], [t, tall, depth - 0.02]])
    out: Thing = [boxes(at, size, s.wall)]
    grey = palette.soil()
    out.append(boxes([[0, foot - 0.1, 0]], [width - 0.1, 0.15, depth - 0.1], grey))
    n = int(r.integers(0, 4))
    if n:
        at = np.stack([r.uniform(-0.35, 0.35, n) * width, np.full(n, foot), r.uniform(-0.35, 0.2, n) * depth], 1)
        size = np.stack([r.uniform(1, 3, n), r.uniform(1, 2.6, n), r.uniform(1, 3, n)], 1)
        out.append(boxes(at, size, palette.metal() if palette.chance(0.5) else s.trim))
    if palette.chance(0.4):
        base = np.array([[r.uniform(-0.3, 0.3) * width, foot, 0]])
        out.append(rods(base, (base + np.array([0, 3.5, 0])), 0.03, palette.metal()))
        out.append(rods((base + np.array([-0.7, 3.2, 0])), (base + np.array([0.7, 3.2, 0])), 0.015, palette.metal()))
    return out


def door(palette: Palette, s: Style, width: float) -> Thing:
    """A house door on its step, in front of the wall by a hand, with a frame and perhaps a canopy."""
    x, wide, high = palette.between(-0.3, 0.3) * width, palette.between(0.9, 1.4), palette.between(2.0, 2.5)
    leaf = palette.paint(palette.hue(0.7, palette.between(0.03, 0.4)), 0.15) if palette.chance(0.6) else palette.wood()
    out = [boxes([[x, 0, 0.0]], [wide, high, 0.1], leaf), boxes([[x, 0, 0.25]], [wide + 0.5, 0.14, 0.7], s.trim)]
    frame = boxes(
        [[x - wide / 2, 0, 0.02], [x + wide / 2, 0, 0.02], [x, high, 0.02]],
        [[0.14, high, 0.18], [0.14, high, 0.18], [wide + 0.28, 0.2, 0.2]],
        s.trim,
    )
    out.append(frame)
    if palette.chance(0.4):
        out.append(boxes([[x, high + 0.3, 0.45]], [wide + 0.7, 0.12, 1.0], s.roof))
    return out
