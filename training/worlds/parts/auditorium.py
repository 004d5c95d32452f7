"""What great rooms are made of: rows of seats, balconies round a U, organs, coffers, vaults, chandeliers."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, box, ellipsoid, grid, lathe, place, prism, tube
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles
from training.worlds.parts.many import boxes, chain, copies, rods


class Horseshoe:
    """A plan like a U, open at z = 0: legs at x = ±half to z = straight, then a round end `deep` metres on."""

    def __init__(self, half: float, straight: float, deep: float, power: float) -> None:
        self.half, self.straight, self.deep, self.power = half, straight, deep, power

    def line(self, inset: float, y: ArrayLike = 0.0, count: int = 26) -> Doubles:
        """(k, 3) points `inset` metres inside the wall at height y, from the left leg round to the right one."""
        a, b = self.half - inset, max(self.deep - inset, 0.2)
        legs = np.linspace(0, self.straight, 6)[:-1]
        angle = np.linspace(pi, 0, count)
        c, s = np.cos(angle), np.sin(angle)
        x = np.sign(c) * np.abs(c) ** (2 / self.power) * a
        z = self.straight + np.abs(s) ** (2 / self.power) * b
        plan = np.concatenate(
            [np.stack([-a + 0 * legs, legs], 1), np.stack([x, z], 1), np.stack([a + 0 * legs, legs[::-1]], 1)]
        )
        return np.stack([plan[:, 0], np.broadcast_to(y, len(plan)), plan[:, 1]], 1)

    def swept(self, profile: ArrayLike, material: Material) -> Part:
        """A profile of (inset, height) carried round the U."""
        return grid(np.stack([self.line(float(d), float(y)) for d, y in np.asarray(profile)]), material, smooth=False)

    def spots(self, inset: float, y: float, gap: float, start: float = 1.0) -> tuple[Doubles, Doubles]:
        """Places (n, 3) every `gap` metres along the line, `start` off the open end, and the yaws that look inward."""
        line = self.line(inset, y, 90)
        length = np.concatenate([[0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
        at = np.arange(start, length[-1] - start, gap)
        p, q = (np.stack([np.interp(at + e, length, line[:, i]) for i in range(3)], 1) for e in (-0.05, 0.05))
        along = q - p
        return (p + q) / 2, np.arctan2(along[:, 2], -along[:, 0])


def seat(palette: Palette, cloth: Material, frame: Material, *, near: bool = True) -> Thing:
    """A seat of a theatre that looks along +z, its feet at y = 0; 24 triangles, or 70 near by."""
    if not near:
        return [boxes([(0, 0.34, -0.24), (0, 0.0, 0)], [(0.48, 0.5, 0.1), (0.46, 0.43, 0.42)], cloth)]
    round_ = palette.between(0.02, 0.2)
    outline = [(-0.24, 0.3), (0.24, 0.3), (0.24, 0.9 - round_), (0.14, 0.9), (-0.14, 0.9), (-0.24, 0.9 - round_)]
    back = place([prism(np.array(outline), 0.08, cloth)], at=(0, 0.05, -0.2), pitch=-0.14)
    arms = boxes([(-0.26, 0, -0.02), (0.26, 0, -0.02)], (0.05, 0.62, 0.4), frame)
    return [*back, box((0.46, 0.12, 0.44), cloth, (0, 0.34, 0.02)), arms]


def pew(palette: Palette, wide: float, wood: Material) -> Thing:
    """A bench of a church that looks along +z."""
    ends = boxes([(-wide / 2, 0, 0), (wide / 2, 0, 0)], (0.06, palette.between(0.85, 1.1), 0.5), wood)
    plank = boxes([(0, 0.42, 0.02), (0, 0.42, -0.2)], [(wide, 0.04, 0.38), (wide, 0.48, 0.035)], wood)
    return [ends, plank]


def organ(palette: Palette, width: float, height: float) -> Thing:
    """An organ's front at z = 0: a case, and pipes in towers and flats."""
    wood = palette.wood()
    tin = palette.metal((0.65, 0.65, 0.63)) if palette.chance(0.7) else palette.metal((0.65, 0.5, 0.25))
    low = height * palette.between(0.15, 0.3)
    parts: Thing = [box((width, low, 0.9), wood, (0, 0, -0.45)), box((width, height * 0.8, 0.1), wood, (0, 0, -0.9))]
    towers = int(palette.one_of(3, 5, 5, 7))
    edge = np.linspace(-width / 2, width / 2, towers + 1)
    steep, mountain = palette.between(0.1, 0.4), palette.chance(0.5)
    for k in range(towers):
        tall = k % 2 == 0
        middle = 1 - abs(k - (towers - 1) / 2) / towers * (1 if mountain else -0.5)
        top = (height - low) * (0.95 if tall else 0.7) * min(middle, 1.0)
        n = max(3, int((edge[1] - edge[0]) / palette.between(0.13, 0.24)))
        u = (np.arange(n) + 0.5) / n
        x = edge[k] + u * (edge[k + 1] - edge[k])
        bow = 1 - (2 * u - 1) ** 2
        z = (0.35 if tall else 0.0) * bow + 0.02
        rise = top * (1 - steep * (1 - bow if tall else bow))
        foot = np.stack([x, low + 0 * x, z], 1)
        radius = 0.42 * (edge[1] - edge[0]) / n
        throat = foot + np.array([0, 0.35, 0])
        parts.append(rods(foot, throat, 0.3 * radius, tin, sides=6, thin=3.3))
        parts.append(rods(throat, foot + np.stack([0 * x, rise, 0 * x], 1), radius, tin, sides=8))
        parts.append(box((0.12, height * 0.92 * min(middle, 1.0), 0.3), wood, (edge[k], low * 0.5, 0.0)))
    parts.append(box((0.12, height * 0.7, 0.3), wood, (edge[-1], low * 0.5, 0.0)))
    return parts


def piano(palette: Palette) -> Thing:
    """A grand piano with its keys towards +z, its lid open."""
    black = replace(palette.paint((0.012, 0.012, 0.013)), shine=0.35, gloss=0.95)
    outline = np.array(
        [
            (-0.74, 0.6),
            (-0.74, -1.2),
            (-0.55, -1.45),
            (-0.2, -1.5),
            (0.05, -1.2),
            (0.3, -0.6),
            (0.74, -0.3),
            (0.74, 0.6),
        ]
    )
    body = place([prism(outline[::-1] * [1, -1], 0.32, black)], at=(0, 0.8, 0), pitch=pi / 2)
    lid = place([prism(outline[::-1] * [1, -1], 0.025, black)], at=(-0.3, 1.35, -0.1), pitch=pi / 2, roll=0.0)
    lid = place(place(lid, at=(0.74, -0.96, 0)), at=(-0.74, 0.96, 0), roll=0.6)
    keys = box((1.3, 0.02, 0.15), Material((0.75, 0.74, 0.7)), (0, 0.79, 0.64))
    legs = rods(
        [(-0.6, 0, 0.4), (0.6, 0, 0.4), (-0.3, 0, -1.2)],
        [(-0.6, 0.66, 0.4), (0.6, 0.66, 0.4), (-0.3, 0.66, -1.2)],
        0.06,
        black,
    )
    return [*body, *lid, keys, legs, box((1.4, 0.1, 0.2), black, (0, 0.68, 0.6))]


def coffers(palette: Palette, low: tuple[float, float], high: tuple[float, float], y: float, stuff: Material) -> Thing:
    """A ceiling of beams and fields over a rectangle of x and z, its beams' undersides at y."""
    gap, wide, deep = palette.between(1.6, 4.0), palette.between(0.25, 0.6), palette.between(0.25, 0.8)
    x = np.linspace(low[0], high[0], max(2, round((high[0] - low[0]) / gap)) + 1)
    z = np.linspace(low[1], high[1], max(2, round((high[1] - low[1]) / gap)) + 1)
    mx, mz, w, d = (low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[0] - low[0], high[1] - low[1]
    beams = boxes(np.stack([x, y + 0 * x, mz + 0 * x], 1), (wide, deep, d), stuff)
    cross = boxes(np.stack([mx + 0 * z, y + 0.013 + 0 * z, z], 1), (w, deep, wide), stuff)
    field = palette.paint((0.7, 0.68, 0.62), 0.02) if palette.chance(0.5) else stuff
    parts: Thing = [beams, cross, box((w, 0.1, d), field, (mx, y + deep, mz))]
    if palette.chance(0.6):  # a second, smaller step, or a rosette
        cx, cz = np.meshgrid((x[1:] + x[:-1]) / 2, (z[1:] + z[:-1]) / 2)
        at = np.stack([cx.ravel(), y + deep - 0.12 + 0 * cx.ravel(), cz.ravel()], 1)
        size = palette.between(0.15, 0.5) * (x[1] - x[0] - wide)
        gold = palette.metal((0.65, 0.5, 0.25)) if palette.chance(0.4) else field
        parts += copies([lathe([(0.2, 0), (0.7, 0.03), (1, 0.12)], gold, sides=10)], at, 0.0, np.full(len(at), size))
    return parts


def pointed(u: ArrayLike, sharp: float) -> NDArray[np.float64]:
    """Height 0..1 of an arch over -1..1: round for a sharpness of 0, pointed above."""
    w = (np.abs(np.asarray(u, np.float64)) + sharp) / (1 + sharp)
    return np.sqrt(np.maximum(1 - w**2, 0)) / np.sqrt(1 - (sharp / (1 + sharp)) ** 2)


def groin(half: float, bay: float, spring: float, rise: float, sharp: float, stuff: tuple[Material, Material]) -> Thing:
    """One bay of a cross vault over x = ±half, z = 0..bay, with ribs; stuff: the vault's and the ribs' material."""
    u = np.linspace(-1, 1, 13)
    x, z = np.meshgrid(u, u)
    y = spring + rise * np.maximum(pointed(x, sharp), pointed(z, sharp))
    points = np.stack([x * half, y, (z + 1) / 2 * bay], -1)
    parts: Thing = [grid(points, stuff[0])]
    h = spring + rise * pointed(u, sharp) - 0.02
    thick = 0.02 + 0.02 * half
    for s in (-1, 1):
        parts.append(chain(np.stack([u * half, h, (s * u + 1) / 2 * bay], 1), thick, stuff[1], sides=5))
    parts.append(chain(np.stack([u * half, h, 0 * u], 1), 1.6 * thick, stuff[1], sides=5))
    parts.append(chain(np.stack([0 * u, spring + rise + 0 * u - 0.02, (u + 1) / 2 * bay], 1), thick, stuff[1], sides=5))
    return parts


def arch_wall(width: float, spring: float, rise: float, top: float, how: tuple[float, float], stuff: Material) -> Thing:
    """The wall above an arch in the plane z = 0, from its springing to `top`; how: thickness and sharpness."""
    thick, sharp = how
    u = np.linspace(-1, 1, 15)
    x, y = u * width / 2, spring + rise * pointed(u, sharp)
    parts: Thing = []
    for z in (thick / 2, -thick / 2):
        face = np.stack([np.stack([x, 0 * x + top, 0 * x + z], 1), np.stack([x, y, 0 * x + z], 1)])
        parts.append(grid(face, stuff, uv=face[..., :2], smooth=False))
    under = np.stack([np.stack([x, y, 0 * x - thick / 2], 1), np.stack([x, y, 0 * x + thick / 2], 1)])
    return [*parts, grid(under, stuff)]


def pier(palette: Palette, high: float, radius: float, stuff: Material) -> Thing:
    """A pillar with foot and capital: a plain column, or one with shafts around it."""
    body = [
        (1.5, 0),
        (1.5, 0.3),
        (1.1, 0.5),
        (1.0, 0.7),
        (0.95, high - 0.8),
        (1.1, high - 0.7),
        (1.6, high - 0.1),
        (1.6, high),
    ]
    profile = np.array(body) * [radius, 1]
    parts: Thing = [lathe(profile, stuff, sides=14)]
    if palette.chance(0.6):
        a = np.linspace(0, 2 * pi, 8, endpoint=False)
        foot = np.stack([np.cos(a), 0 * a + 0.3 / radius, np.sin(a)], 1) * radius
        parts.append(rods(foot, foot + np.array([0, high - 0.6, 0]), radius * 0.25, stuff, sides=6))
    return parts


def chandelier(palette: Palette, drop: float, size: float) -> tuple[Thing, float]:
    """A ring of lights that hangs from y = 0, and how far below the lights are."""
    brass, n = palette.metal((0.65, 0.5, 0.25)), int(palette.rng.integers(6, 15))
    a = np.linspace(0, 2 * pi, n, endpoint=False)
    ring = np.stack([np.cos(a) * size, 0 * a - drop, np.sin(a) * size], 1)
    parts: Thing = [rods([(0, 0, 0)], [(0, -drop - 0.1, 0)], 0.015, brass)]
    parts.append(chain(np.concatenate([ring, ring[:1]]), 0.02, brass))
    parts.append(rods(ring, np.zeros((n, 3)) - [0, drop * 0.6, 0], 0.008, brass, sides=4))
    bulb = ellipsoid((0.05, 0.08, 0.05), palette.light(glow=palette.between(4, 12)), sides=6, at=(0, 0.1, 0))
    parts += copies([bulb], ring)
    if palette.chance(0.4):
        parts.append(
            lathe(
                [(0.01, -drop - 0.25), (size * 0.5, -drop), (0.05, -drop * 0.8)],
                palette.metal((0.65, 0.6, 0.5)),
                sides=12,
            )
        )
    return parts, drop


def drape(palette: Palette, wide: float, high: float, cloth: Material) -> Part:
    """A curtain of a stage in the plane z = 0, its hem at y = 0."""
    n = max(12, int(wide * 6))
    x = np.linspace(-wide / 2, wide / 2, n)
    fold = 0.12 * np.sin(x * palette.between(9, 16)) + 0.05 * np.sin(x * 23)
    y = np.array([high, high * 0.5, 0.0])[:, None]
    return grid(np.stack(np.broadcast_arrays(x[None], y, fold[None] * np.array([[0.6], [1], [1.1]])), -1), cloth)


def rail_line(path: ArrayLike, high: float, iron: Material, *, gap: float = 0.14, thick: float = 0.012) -> Thing:
    """A railing above a path (k, 3): a handrail, a lower rail, upright balusters."""
    p = np.asarray(path, np.float64)
    length = np.concatenate([[0], np.linalg.norm(np.diff(p, axis=0), axis=1).cumsum()])
    at = np.arange(gap / 2, length[-1], gap)
    foot = np.stack([np.interp(at, length, p[:, i]) for i in range(3)], 1)
    up = np.array([0, high, 0])
    bars = rods(foot, foot + up, thick, iron, sides=4)
    return [
        bars,
        tube(p + up, thick * 2.4, iron, sides=6),
        chain(p + np.array([0, 0.08, 0]), thick * 1.2, iron, sides=4),
    ]
