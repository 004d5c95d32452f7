"""Plants: trees of several habits, bushes, hedges, grass, flowers, mushrooms. Rooted at the origin."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import Literal

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Floats, Part, Thing, ellipsoid, grid, lathe, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import copies, merge, quads, rods, sheet, turns

Detail = Literal["near", "far", "mass"]
"""near: some thousand triangles; far: one or two thousand; mass: about three hundred, for woods."""


def blob(palette: Palette, material: Material, sides: int = 8) -> Part:
    """A ragged ball of radius one around the origin: a mass of leaves."""
    a = np.linspace(-pi / 2, pi / 2, max(4, sides * 2 // 3 + 1))
    profile = np.stack([np.maximum(np.cos(a), 1e-3), np.sin(a)], 1)
    ball = lathe(profile, material, sides=sides)
    v = ball.vertices
    waves, shift = palette.rng.normal(size=(5, 3)) * 2.2, palette.rng.uniform(0, 2 * pi, 5)
    push = 1 + 0.13 * np.sin(v @ waves.T.astype(np.float32) + shift).sum(1, keepdims=True) / 1.6
    return replace(ball, vertices=v * push)


def _foliage(palette: Palette, size: float = 0.05) -> Material:
    """Leaves of about `size` metres."""
    leaf = palette.leaf()
    return replace(leaf, holes=min(leaf.holes, 0.45), frequency=palette.spread(1 / size, 1.3))


def _branches(palette: Palette, start: Floats, aim: Floats, count: int, spread: float) -> tuple[Floats, Floats]:
    """`count` shoots from along each of the (n, 3) branches start -> start + aim: their starts and aims."""
    r = palette.rng
    n = len(start)
    at = r.uniform(0.35, 1.0, (n, count, 1))
    at[:, 0] = 1.0
    length = np.linalg.norm(aim, axis=1)[:, None, None]
    wild = r.normal(size=(n, count, 3))
    new = aim[:, None] / length + spread * wild / np.linalg.norm(wild, axis=2, keepdims=True)
    new[..., 1] += 0.15
    new *= length * r.uniform(0.45, 0.72, (n, count, 1)) / np.linalg.norm(new, axis=2, keepdims=True)
    return (start[:, None] + aim[:, None] * at).reshape(-1, 3), new.reshape(-1, 3)


def _skeleton(palette: Palette, height: float, levels: int, bark: Material, spread: float) -> tuple[Thing, Floats]:
    """Trunk and branches; (n, 3) tips of the last level."""
    r = palette.rng
    thick = height * palette.between(0.016, 0.034)
    fork = height * palette.between(0.22, 0.45)
    lean = r.normal(size=2) * 0.04 * height
    top = np.array([lean[0], height * 0.72, lean[1]])
    steps = np.linspace(0, 1, 6)
    trunk = steps[:, None] * top + (r.normal(size=(6, 3)) * [1, 0, 1] * 0.012 * height) * steps[:, None]
    out: Thing = [
        tube(
            np.concatenate([[[0, -0.3, 0]], trunk]),
            thick * np.array([1.5, 1.2, 0.9, 0.8, 0.62, 0.48, 0.2]),
            bark,
            sides=7,
        )
    ]
    n = int(r.integers(6, 10))
    t = np.linspace(fork / top[1], 1, n)
    azimuth = np.arange(n) * 2.4 + r.uniform(0, 6)
    start = np.stack([np.interp(t, steps, trunk[:, i]) for i in range(3)], 1)
    out_, up = spread * (1.15 - 0.75 * (t - t[0])), 0.35 + 0.75 * t
    aim = np.stack([np.cos(azimuth) * out_, up, np.sin(azimuth) * out_], 1)
    aim *= height * (0.36 - 0.16 * t)[:, None] / np.linalg.norm(aim, axis=1, keepdims=True)
    radius = thick * 0.42
    for level in range(levels):
        out.append(rods(start, start + aim, radius, bark, sides=5 if level == 0 else 3, thin=0.5))
        if level < levels - 1:
            start, aim = _branches(palette, start, aim, 3 if level < 2 else 4, 0.75)
            radius *= 0.48
    return out, start + aim


def _cards(palette: Palette, at: Floats, size: float, material: Material) -> Part:
    """Small cards of leaves at (n, 3), turned anyhow."""
    r, n = palette.rng, len(at)
    turn = turns(r.uniform(0, 2 * pi, n), r.uniform(-1.3, 1.3, n))
    s = size * r.uniform(0.6, 1.3, (n, 1, 1))
    corner = np.array([[-1, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0]]) * np.array([0.8, 1, 1])
    return quads((corner * s) @ turn.transpose(0, 2, 1) + at[:, None], material)


def broadleaf(palette: Palette, detail: Detail = "far", height: float | None = None) -> Thing:
    """Oak, lime, birch and their like: branches, leaf masses around their tips, cards of leaves outside."""
    r = palette.rng
    h = height or palette.spread(9, 1.4)
    slim = palette.between(0.55, 1.25)
    leaf = _foliage(palette, 0.08 if detail == "near" else 0.15)
    wood, tips = _skeleton(palette, h, 2, palette.bark(), slim)
    near = detail == "near"
    if detail == "mass":
        tips = tips[r.permutation(len(tips))[:7]]
        lump = copies(
            [blob(palette, leaf, 4)],
            tips,
            r.uniform(0, 6, 7),
            h * r.uniform(0.13, 0.2, (7, 1)) * r.uniform(0.75, 1.2, (7, 3)),
        )
        return merge([rods([[0, -0.3, 0]], [[0, 0.7 * h, 0]], 0.025 * h, wood[0].material, thin=0.5), *lump])
    if not near:
        wood = [wood[0], *wood[1:2]]
        tips = tips[r.random(len(tips)) < 0.75] if len(tips) > 20 else tips
    n = len(tips)
    size = h * palette.between(0.075, 0.12) * r.uniform(0.7, 1.35, (n, 1)) * r.uniform(0.75, 1.2, (n, 3))
    dark = replace(leaf, colour=tuple(0.75 * c for c in leaf.colour), seed=leaf.seed + 1)
    masses = copies([blob(palette, leaf, 8 if near else 6)], tips, r.uniform(0, 6, n), size)
    core = copies([blob(palette, dark, 6)], tips * [0.75, 0.97, 0.75], r.uniform(0, 6, n), size * 0.85)
    if not near:
        return merge([*wood, *masses, *(core if palette.chance(0.4) else [])])
    around = np.repeat(tips, 14, 0) + r.normal(size=(14 * n, 3)) * np.repeat(size, 14, 0) * 0.72
    return merge([*wood, *masses, *core, _cards(palette, around, h * 0.028 + 0.06, leaf)])


def bare(palette: Palette, detail: Detail = "far", height: float | None = None) -> Thing:
    """A tree in winter: branches and twigs only."""
    h = height or palette.spread(9, 1.4)
    wood, _ = _skeleton(palette, h, {"near": 4, "far": 3, "mass": 2}[detail], palette.bark(), palette.between(0.6, 1.2))
    return merge(wood)


def conifer(palette: Palette, detail: Detail = "far", height: float | None = None) -> Thing:
    """Spruce or fir: drooping whorls with a ragged rim around a trunk."""
    r = palette.rng
    h = height or palette.spread(13, 1.45)
    c = np.array([0.035, 0.085, 0.035]) * palette.spread(1, 1.4) * r.uniform(0.8, 1.25, 3)
    needles = Material(
        tuple(c),
        tuple(c * 0.4),
        "leaves",
        palette.spread(7),
        holes=palette.between(0.2, 0.45),
        bump=0.02,
        seed=palette.seed(),
    )
    tiers, points = {"near": (16, 18), "far": (9, 12), "mass": (5, 8)}[detail]
    foot = palette.between(0.04, 0.42)
    t = np.linspace(0, 1, tiers)
    rim = h * palette.between(0.13, 0.24) * (1 - t) ** 0.85 + 0.02 * h
    level = h * (foot + (0.97 - foot) * t)
    a = np.arange(points + 1) % points * 2 * pi / points + (t * 9)[:, None]
    jag = 1 + 0.28 * np.where(np.arange(points + 1) % 2, 1, -1) + r.normal(size=(tiers, points + 1)) * 0.1
    jag[:, -1] = jag[:, 0]
    drop = palette.between(0.1, 0.5)
    thick = h * (1 - foot) / tiers * 1.5
    rings = []
    for share, rise in ((1.0, -drop), (0.45, 0.15), (0.02, 0.9)):
        radius = rim[:, None] * share * (jag if share > 0.3 else 1)
        y = level[:, None] + rise * (rim[:, None] * 0.6 if rise < 0 else thick) + 0 * a
        rings.append(np.stack([radius * np.cos(a), y, radius * np.sin(a)], -1))
    stack = np.stack(rings, 1)
    tier = [grid(s[:, ::-1], needles, smooth=False) for s in stack]
    trunk = tube(
        [[0, -0.3, 0], [0, h * 0.5, 0], [0, h * 0.98, 0]], h * np.array([0.018, 0.011, 0.002]), palette.bark(), sides=6
    )
    return merge([trunk, *tier])


def pine(palette: Palette, detail: Detail = "far", height: float | None = None) -> Thing:
    """A pine: a long bare stem with flat cushions of needles at the top."""
    r = palette.rng
    h = height or palette.spread(12, 1.3)
    leaf = replace(
        _foliage(palette), colour=tuple(np.array([0.06, 0.12, 0.04]) * palette.spread(1)), frequency=palette.spread(25)
    )
    n = {"near": 12, "far": 7, "mass": 5}[detail]
    level = np.linspace(0.55, 0.97, n) + r.normal(size=n) * 0.02
    a = np.arange(n) * 2.4
    out_ = h * palette.between(0.1, 0.22) * np.sin(pi * (0.2 + 0.75 * (1 - level)) / 1.0)
    at = np.stack([np.cos(a) * out_, level * h, np.sin(a) * out_], 1)
    size = h * np.array([0.11, 0.04, 0.11]) * r.uniform(0.7, 1.4, (n, 1))
    wood = tube(
        [[0, -0.3, 0], [0.02 * h, 0.5 * h, 0], [0, 0.95 * h, 0.01 * h]],
        h * np.array([0.022, 0.015, 0.005]),
        palette.bark(),
        sides=7,
    )
    limbs = rods(at * [0, 0.93, 0], at, 0.006 * h, wood.material, thin=0.4)
    return merge([wood, limbs, *copies([blob(palette, leaf, 4 if detail == "mass" else 8)], at, a, size)])


def palm(palette: Palette, detail: Detail = "far", height: float | None = None) -> Thing:
    """A palm: a bent ringed stem and a head of fronds."""
    r = palette.rng
    h = height or palette.spread(6, 1.4)
    bend = r.normal(size=2) * 0.12 * h
    t = np.linspace(0, 1, 7)
    stem = np.stack([bend[0] * t**2, h * t, bend[1] * t**2], 1)
    out: Thing = [tube(stem, h * 0.02 * (1.5 - 0.6 * t) + 0.05, palette.bark(), sides=8)]
    leaf = _foliage(palette)
    n = 18 if detail == "near" else 12
    k = np.linspace(0, 1, 7)[:, None]
    w = np.array([-1.0, 0.0, 1.0])
    long = palette.between(1.6, 3.0)
    width = 0.34 * np.sin(pi * np.clip(k * 0.9 + 0.08, 0, 1)) + 0.02
    frond = grid(sheet(w * width, 0.75 * np.sin(k * 2.3) * 0.9 - 0.9 * k**2 - np.abs(w) * width * 0.6, k), leaf)
    tilt = r.uniform(-0.9, 0.5, n)
    out += copies([frond], np.broadcast_to(stem[-1], (n, 3)), np.arange(n) * 2.4, long * r.uniform(0.8, 1.1, n), tilt)
    return merge(out)


def bush(palette: Palette, detail: Detail = "far", size: float | None = None) -> Thing:
    """A shrub about `size` metres high, in flower now and then."""
    r = palette.rng
    s = size or palette.spread(1.0, 1.5)
    leaf = _foliage(palette)
    n = 7 if detail == "near" else 4
    at = r.normal(size=(n, 3)) * [0.38 * s, 0, 0.38 * s] + np.stack(
        [0 * r.random(n), r.uniform(0.3, 0.62, n) * s, 0 * r.random(n)], 1
    )
    radius = s * r.uniform(0.26, 0.42, (n, 1)) * r.uniform(0.85, 1.2, (n, 3))
    out = copies([blob(palette, leaf, 9 if detail == "near" else 6)], at, r.uniform(0, 6, n), radius)
    if detail == "near":
        around = np.repeat(at, 26, 0) + r.normal(size=(26 * n, 3)) * np.repeat(radius, 26, 0) * 0.65
        around[:, 1] = np.maximum(around[:, 1], 0.05)
        out.append(_cards(palette, around, 0.05 * s + 0.03, leaf))
        if palette.chance(0.3):
            out.append(_cards(palette, around[::3], 0.035 * s + 0.012, palette.paint(palette.hue(0.8, 0.7), 0.02)))
    return merge(out)


def hedge(palette: Palette, length: float, height: float = 1.5, width: float = 0.8) -> Thing:
    """A clipped hedge along x."""
    leaf = replace(_foliage(palette), holes=0.12)
    n = max(3, int(length / 0.6))
    x = np.linspace(-length / 2, length / 2, n)[:, None]
    a = np.linspace(-0.12, pi + 0.12, 11)
    wide, high = (
        np.sign(np.cos(a)) * np.abs(np.cos(a)) ** 0.35,
        np.maximum(np.sign(np.sin(a)) * np.abs(np.sin(a)) ** 0.35, 0),
    )
    noise = 1 + palette.rng.normal(size=(n, 11)) * 0.05
    skin = grid(sheet(x, high * height * noise, wide * width / 2 * noise)[:, ::-1], leaf)
    ends = []
    for k, sign in ((-1, 1), (0, -1)):
        ring = skin.vertices.reshape(n, 11, 3)[k]
        ends.append(grid(np.stack([ring, ring * [1, 0.2, 0.1] + [0, 0.2 * height, 0]])[:, ::sign], leaf))
    return merge([skin, *ends])


def grass_tuft(palette: Palette, blades: int = 40, height: float = 0.25, material: Material | None = None) -> Thing:
    """Blades of grass from one root; `copies` makes a meadow of it."""
    r = palette.rng
    a, lean = r.uniform(0, 2 * pi, blades), r.uniform(0.1, 0.9, blades)
    h, w = height * r.uniform(0.5, 1.2, blades), height * 0.03 + 0.002
    root = r.normal(size=(blades, 2)) * height * 0.22
    out_ = np.stack([np.cos(a), np.sin(a)], 1)
    c = np.array([0.13, 0.22, 0.05]) * palette.spread(1)
    leaf = material or Material(tuple(c), tuple(c * 0.5), "clouds", 8, shine=0.05, seed=palette.seed())
    side = np.stack([-out_[:, 1], 0 * a, out_[:, 0]], 1) * w
    base = np.stack([root[:, 0], 0 * a, root[:, 1]], 1)
    mid = base + np.stack([out_[:, 0] * lean * h * 0.3, h * 0.6, out_[:, 1] * lean * h * 0.3], 1)
    tip = base + np.stack([out_[:, 0] * lean * h, h * (1 - 0.35 * lean), out_[:, 1] * lean * h], 1)
    lower = quads(np.stack([mid - side * 0.8, base - side, base + side, mid + side * 0.8], 1), leaf)
    upper = quads(np.stack([tip, mid - side * 0.8, mid + side * 0.8, tip + 0.1 * side], 1), leaf)
    return merge([lower, upper])


def flower(palette: Palette, height: float | None = None) -> Thing:
    """One flower on a stem with a few leaves: daisies, tulips, poppies, sunflowers."""
    r = palette.rng
    h = height or palette.spread(0.35, 1.5)
    petal, green = (
        palette.paint(palette.hue(palette.between(0.2, 0.95), palette.between(0.4, 0.85)), 0.03),
        _foliage(palette),
    )
    green = replace(green, holes=0.0)
    bend = r.normal(size=2) * 0.1 * h
    t = np.linspace(0, 1, 5)
    stem = np.stack([bend[0] * t**2, h * t, bend[1] * t**2], 1)
    out: Thing = [tube(stem, 0.012 * h + 0.001, green, sides=5)]
    n, size, cup = int(r.integers(5, 14)), h * palette.between(0.07, 0.16), palette.between(-0.2, 1.3)
    k, w = np.linspace(0, 1, 4)[:, None], np.array([-1.0, 0, 1.0])
    wide = (0.1 + 0.9 * np.sin(pi * np.clip(k * 0.85 + 0.1, 0, 1))) * (2.2 / n + 0.12)
    leaf = grid(sheet(w * wide, cup * k**1.5 - 0.06 * np.abs(w), k * (1 - 0.35 * max(cup, 0) * k)), petal)
    out += copies([leaf], np.broadcast_to(stem[-1], (n, 3)), np.arange(n) * 2 * pi / n, size)
    out.append(
        ellipsoid((0.3 * size, 0.16 * size, 0.3 * size), palette.paint((0.5, 0.33, 0.03), 0.02), sides=8, at=stem[-1])
    )
    blade = grid(sheet(w * 0.12 * np.sin(pi * k + 0.02), 0.6 * k - 0.5 * k**2, k), green)
    m = int(r.integers(2, 6))
    out += copies(
        [blade], np.stack([0 * r.random(m), r.uniform(0, 0.5, m) * h, 0 * r.random(m)], 1), r.uniform(0, 6, m), h * 0.4
    )
    return merge(out)


def mushroom(palette: Palette) -> Thing:
    """A toadstool."""
    h = palette.spread(0.09, 1.4)
    w = h * palette.between(0.35, 0.8)
    c = palette.near(
        ((0.45, 0.03, 0.02), (0.35, 0.2, 0.1), (0.6, 0.5, 0.35), (0.25, 0.12, 0.06))[int(palette.rng.integers(4))]
    )
    skin = Material(
        c,
        (0.75, 0.72, 0.65),
        "dots" if palette.chance(0.4) else "clouds",
        60,
        shine=0.2,
        gloss=0.6,
        seed=palette.seed(),
    )
    stalk = palette.paint((0.7, 0.65, 0.55), 0.03)
    t = np.linspace(0, pi / 2, 8)
    cap = [(0.16 * w, 0.62 * h), (0.9 * w, 0.6 * h), *zip(w * np.cos(t), 0.64 * h + 0.4 * h * np.sin(t), strict=True)]
    cap[-1] = (0.001, cap[-1][1])
    return [
        lathe([(0.2 * w, 0), (0.15 * w, 0.3 * h), (0.15 * w, 0.66 * h)], stalk, sides=10),
        lathe(cap, skin, sides=18),
    ]


def leaf_plant(palette: Palette, size: float | None = None) -> Thing:
    """A rosette of broad leaves: ferns, hostas, agaves."""
    r = palette.rng
    s = size or palette.spread(0.5, 1.5)
    fern = palette.chance(0.4)
    leaf = replace(_foliage(palette), holes=0.35 if fern else 0.0, frequency=30 if fern else 8, bump=0.004)
    n = int(r.integers(8, 22))
    k, w = np.linspace(0, 1, 7)[:, None], np.array([-1.0, 0, 1.0])
    wide = palette.between(0.08, 0.28) * np.sin(pi * np.clip(k * 0.95 + 0.04, 0, 1)) ** palette.between(0.6, 1.4)
    rise = palette.between(0.4, 1.6)
    blade = grid(sheet(w * wide, rise * k - palette.between(0.3, 1.1) * k**2 + 0.3 * np.abs(w) * wide, k * 0.9), leaf)
    return copies([blade], np.zeros((n, 3)), np.arange(n) * 2.4, s * r.uniform(0.6, 1.1, n), r.uniform(-0.7, 0.15, n))


def tree(palette: Palette, detail: Detail = "far", height: float | None = None) -> Thing:
    """Any tree of the temperate zone; mostly a broad-leaved one."""
    r = palette.rng.random()
    maker = broadleaf if r < 0.68 else conifer if r < 0.84 else pine if r < 0.91 else bare
    return maker(palette, detail, height)
