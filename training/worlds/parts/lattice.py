"""Steel made of many members: beams between points, lattice girders, trusses, masts, cranes, scaffolds, railings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, box
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles, frame
from training.worlds.parts.many import boxes, chain, rods


def iron(palette: Palette) -> Material:
    """Painted, galvanised or rusty steel."""
    c = palette.near(
        palette.one_of(
            (0.12, 0.13, 0.13),
            (0.35, 0.36, 0.37),
            (0.1, 0.2, 0.16),
            (0.3, 0.08, 0.05),
            (0.5, 0.5, 0.48),
            (0.03, 0.03, 0.035),
        ),
        1.2,
    )
    rust = palette.near((0.22, 0.1, 0.05)) if palette.chance(0.3) else palette.near(c, 1.3)
    return Material(
        c, rust, "clouds", palette.between(1, 6), shine=palette.between(0.02, 0.2), gloss=0.4, seed=palette.seed()
    )


def beams(start: ArrayLike, end: ArrayLike, thick: ArrayLike, material: Material) -> Part:
    """Square bars between points (n, 3), `thick` metres wide."""
    return replace(rods(start, end, np.asarray(thick) * 0.7, material, sides=4), smooth=False)


def girder(start: ArrayLike, end: ArrayLike, wide: float, stuff: Material, thin: float = 0.1) -> Thing:
    """A lattice girder between two points: four chords, laced on four sides; thin: a lace over the width."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    long = float(np.linalg.norm(b - a))
    n = max(2, round(long / wide / 1.1))
    axes = frame(b - a)
    corner = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * wide / 2
    rail = a + (b - a) * np.linspace(0, 1, n + 1)[:, None, None] + (corner @ axes[:, :2].T)[None]
    k = np.arange(n)
    lace = [
        np.stack(
            [rail[k, i + (k % 2) * (((i + 1) % 4) - i)], rail[k + 1, (i + 1) % 4 + (k % 2) * (i - (i + 1) % 4)]], 1
        )
        for i in range(4)
    ]
    posts = np.stack([rail, np.roll(rail, -1, 1)], 2).reshape(-1, 2, 3)
    thin_ones = np.concatenate([*lace, posts])
    return [
        beams(rail[0], rail[-1], wide * 1.6 * thin, stuff),
        beams(thin_ones[:, 0], thin_ones[:, 1], wide * thin, stuff),
    ]


def truss(top: ArrayLike, low: ArrayLike, kind: str, thick: float, stuff: Material) -> Thing:
    """A plane truss between an upper and a lower chord (k, 3) each; kind: "warren", "pratt", "cross" or "plain"."""
    t, b = np.asarray(top, np.float64), np.asarray(low, np.float64)
    k = np.arange(len(t) - 1)
    odd = (k % 2 == 0)[:, None]
    half = (k < len(k) / 2)[:, None]
    if kind == "warren":
        webs = [(np.where(odd, b[k], t[k]), np.where(odd, t[k + 1], b[k + 1]))]
    elif kind == "pratt":
        webs = [(np.where(half, t[k], b[k]), np.where(half, b[k + 1], t[k + 1]))]
    elif kind == "cross":
        webs = [(b[k], t[k + 1]), (t[k], b[k + 1])]
    else:
        webs = []
    starts = np.concatenate([b] + [w[0] for w in webs])
    ends = np.concatenate([t] + [w[1] for w in webs])
    chords = beams(np.concatenate([t[:-1], b[:-1]]), np.concatenate([t[1:], b[1:]]), thick * 1.5, stuff)
    return [chords, beams(starts, ends, thick * 0.8, stuff)]


def mast(palette: Palette, high: float, foot: float, head: float, stuff: Material) -> Thing:
    """A lattice mast on four legs that draws in upward, its foot square around the origin."""
    n = int(np.clip(high / (0.5 * (foot + head)) * 0.8, 4, 16))
    u = np.linspace(0, 1, n + 1)
    s = (foot + (head - foot) * u ** palette.between(0.6, 1.0)) / 2
    y = high * u**0.9
    sides = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    p = np.stack([s[:, None] * sides[:, 0], np.repeat(y[:, None], 4, 1), s[:, None] * sides[:, 1]], -1)
    q = np.roll(p, -1, 1)
    starts = np.concatenate([p[:-1].reshape(-1, 3), q[:-1].reshape(-1, 3), p[1:].reshape(-1, 3)])
    ends = np.concatenate([q[1:].reshape(-1, 3), p[1:].reshape(-1, 3), q[1:].reshape(-1, 3)])
    thick = max(0.03, 0.03 * foot)
    return [beams(p[:-1].reshape(-1, 3), p[1:].reshape(-1, 3), thick * 1.8, stuff), beams(starts, ends, thick, stuff)]


def pylon(palette: Palette, stuff: Material) -> tuple[Thing, Doubles]:
    """A pylon of a power line that runs along z, and where its wires hang (k, 3)."""
    high, foot = palette.between(22, 45), palette.between(4, 8)
    parts, hooks = mast(palette, high, foot, 1.2, stuff), []
    for level in np.linspace(0.62, 0.92, int(palette.rng.integers(1, 4))):
        reach, y = palette.between(4, 9), high * float(level)
        for s in (-1, 1):
            tip = (s * reach, y, 0.0)
            for z in (-0.5, 0.5):
                parts.append(beams([(0, y, z), (0, y + 1.6, z)], [tip, tip], 0.12, stuff))
            k = np.linspace(0.2, 0.8, 4)
            foot_ = np.stack([s * reach * k, y + 0 * k, 0.5 * (1 - k)], 1)
            parts.append(beams(foot_, foot_ + np.stack([0 * k, 1.6 * (1 - k), 0 * k], 1), 0.08, stuff))
            hook = np.array(tip) - [0, 1.6, 0]
            parts.append(rods([tip], [hook], 0.12, Material((0.2, 0.12, 0.08), shine=0.3), sides=6))
            hooks.append(hook)
    return parts, np.array(hooks)


def crane(palette: Palette, stuff: Material) -> Thing:
    """A tower crane."""
    high, arm, back = palette.between(18, 45), palette.between(18, 40), palette.between(7, 12)
    wide = palette.between(1.2, 2.0)
    parts = girder((0, 0, 0), (0, high, 0), wide, stuff, 0.08)
    parts += girder((0, high + 0.5, -back), (0, high + 0.5, arm), wide * 0.8, stuff, 0.08)
    top = (0, high + 6, 0)
    parts += girder((0, high, 0), top, wide * 0.7, stuff, 0.08)
    parts.append(
        rods(
            [top, top, top],
            [(0, high + 1, arm * 0.8), (0, high + 1, arm * 0.4), (0, high + 1, -back)],
            0.05,
            stuff,
            sides=4,
        )
    )
    hook = arm * palette.between(0.3, 0.9)
    drop = high * palette.between(0.2, 0.8)
    parts.append(rods([(0, high, hook)], [(0, high - drop, hook)], 0.04, stuff, sides=4))
    grey = palette.paint((0.4, 0.4, 0.4))
    return [
        *parts,
        box((1.6, 2.2, 2.5), grey, (0, high - 1.5, -back + 1)),
        box((1.4, 1.8, 1.4), palette.paint(), (1.3, high - 1.2, 0.6)),
        box((0.6, 0.8, 0.6), stuff, (0, high - drop - 0.8, hook)),
    ]


def scaffold(palette: Palette, wide: float, storeys: int, deep: float = 1.1) -> Thing:
    """Tubes, boards, ladders and braces before a wall; stands on y = 0 behind the plane z = 0."""
    tube_ = palette.metal((0.45, 0.45, 0.46))
    rise, n = 2.0, max(2, round(wide / palette.between(2.0, 3.0)))
    x, y = np.linspace(-wide / 2, wide / 2, n + 1), np.arange(storeys + 1) * rise
    starts, ends = [], []
    for z in (0.0, -deep):
        starts += [(v, 0, z) for v in x]
        ends += [(v, y[-1] + 1.1, z) for v in x]
        for level in y[1:]:
            for up in (0.0, 0.5, 1.0) if z == 0.0 else (0.0,):
                starts.append((x[0], level + up, z))
                ends.append((x[-1], level + up, z))
    for level in y[1:]:
        starts += [(v, level, 0.15) for v in x]
        ends += [(v, level, -deep - 0.1) for v in x]
    for i in range(n):
        for j in range(storeys):
            if (i + j) % 3 == 0:
                starts.append((x[i], y[j], 0.03))
                ends.append((x[i + 1], y[j + 1], 0.03))
    parts: Thing = [rods(starts, ends, 0.026, tube_, sides=5)]
    k = max(2, round(deep / 0.28))
    at = [(0.0, level + 0.03, -deep * (i + 0.5) / k) for level in y[1:] for i in range(k)]
    parts.append(boxes(at, (wide, 0.04, deep / k * 0.93), palette.wood()))
    for j in range(storeys):
        at_x = float(x[int(palette.rng.integers(n))]) + 0.5
        a, b = np.array([at_x, y[j], -0.2]), np.array([at_x + 0.4, y[j + 1] + 0.6, -0.5])
        side = np.array([0, 0, 0.36])
        rungs = a + (b - a) * np.linspace(0.05, 0.95, 8)[:, None]
        parts += [rods([a, a - side], [b, b - side], 0.02, tube_), rods(rungs, rungs - side, 0.013, tube_, sides=4)]
    return parts


def railing(palette: Palette, path: ArrayLike, high: float) -> Thing:
    """A railing or fence along a path (k, 3): bars, wires, mesh, planks or ornaments, with posts."""
    p = np.asarray(path, np.float64)
    up = np.array([0, 1.0, 0])
    length = np.concatenate([[0], np.linalg.norm(np.diff(p, axis=0), axis=1).cumsum()])

    def along(at: ArrayLike) -> Doubles:
        return np.stack([np.interp(at, length, p[:, i]) for i in range(3)], 1)

    stuff, kind = iron(palette), str(palette.one_of("bars", "bars", "wires", "mesh", "cross", "planks"))
    post = along(np.arange(0, length[-1], palette.between(1.4, 2.6)))
    thick = palette.between(0.02, 0.05)
    rail = palette.wood() if kind in ("bars", "planks") and palette.chance(0.3) else stuff
    parts: Thing = [beams(post, post + high * up, thick, stuff), chain(p + high * up, thick * 0.8, rail, sides=6)]
    if kind == "bars":
        foot = along(np.arange(0.05, length[-1], palette.between(0.09, 0.16))) + 0.1 * up
        parts += [
            rods(foot, foot + (high - 0.1) * up, palette.between(0.006, 0.013), stuff, sides=5),
            chain(p + 0.1 * up, 0.015, stuff, sides=4),
        ]
    elif kind == "wires":
        parts += [
            chain(p + y * up, 0.006, stuff, sides=4)
            for y in np.linspace(0.12, high - 0.12, int(palette.rng.integers(3, 8)))
        ]
    elif kind == "planks":
        parts += [
            beams(p[:-1] + y * up, p[1:] + y * up, 0.09, palette.wood()) for y in np.linspace(0.25, high - 0.25, 3)
        ]
    else:
        gap = palette.between(0.06, 0.12) if kind == "mesh" else palette.between(0.25, 0.5)
        at = np.arange(-high + 0.05, length[-1] - 0.02, gap)
        a, b = np.clip(at, 0, None), np.clip(at + high, None, length[-1])
        thin = 0.003 if kind == "mesh" else 0.012
        for flip in (False, True):
            y0, y1 = a - at, b - at
            if flip:
                y0, y1 = high - y0, high - y1
            parts.append(rods(along(a) + y0[:, None] * up, along(b) + y1[:, None] * up, thin, stuff, sides=4))
        parts.append(chain(p + 0.05 * up, 0.015, stuff, sides=4))
    return parts
