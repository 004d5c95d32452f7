"""Shapes that furniture and objects share: cushions, cloth, vessels, clutter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import cos, pi, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, bounds, grid, lathe, loft, panel, place, rotation, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes

Maker = Callable[[Palette], Thing]


def cushion(
    size: Sequence[float],
    material: Material,
    at: ArrayLike = (0.0, 0.0, 0.0),
    soft: float = 0.45,
    sides: int = 16,
) -> Part:
    """A rounded block (superellipsoid) that stands on `at`: soft 1 is an ellipsoid, 0.15 nearly a box."""
    around = -np.linspace(0, 2 * pi, sides, endpoint=False)
    rise = np.linspace(-pi / 2, pi / 2, max(7, sides // 2 + 1))[:, None]

    def power(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sign(value) * np.abs(value) ** soft

    ring = np.maximum(power(np.cos(rise)), 2e-3)
    points = np.stack([ring * power(np.cos(around)), np.broadcast_to(power(np.sin(rise)), (len(rise), sides)),
                       ring * power(np.sin(around))], -1)  # fmt: skip
    half = np.asarray(size, np.float64) / 2
    return loft(points * half + np.array([0, half[1], 0]) + np.asarray(at), material)


def swell(rng: np.random.Generator, x: NDArray, z: NDArray, size: float, amount: float) -> NDArray[np.float64]:
    """Smooth noise over x and z with features of `size` metres and a spread of `amount` metres."""
    total = np.zeros(np.broadcast(x, z).shape)
    for _ in range(5):
        a, b = rng.normal(size=2) * 2.2 / size
        total += np.sin(a * x + b * z + rng.uniform(0, 2 * pi))
    return total * amount / 5**0.5 * 1.4


def coat(palette: Palette) -> Material:
    """The paint of furniture: mostly white, grey, black, beige or a muted colour, now and then any."""
    if palette.chance(0.2):
        return palette.paint()
    muted = (
        (0.76, 0.75, 0.73),
        (0.76, 0.75, 0.73),
        (0.6, 0.56, 0.48),
        (0.35, 0.35, 0.36),
        (0.12, 0.12, 0.13),
        (0.025, 0.025, 0.028),
        (0.1, 0.14, 0.2),
        (0.2, 0.26, 0.2),
        (0.4, 0.16, 0.1),
        (0.35, 0.4, 0.45),
    )
    return palette.paint(palette.near(muted[int(palette.rng.integers(len(muted)))], 1.15, 0.06))


def rod(start: ArrayLike, end: ArrayLike, radius: float, material: Material, sides: int = 8) -> Part:
    """A straight round bar."""
    return tube(np.array([start, end], np.float64), radius, material, sides=sides)


def legs(width: float, depth: float, height: float, thick: float, material: Material) -> Part:
    """Four square legs that stand at the corners of a rectangle."""
    x, z = width / 2 - thick / 2, depth / 2 - thick / 2
    return boxes([(-x, 0, -z), (x, 0, -z), (-x, 0, z), (x, 0, z)], (thick, height, thick), material)


def round_legs(palette: Palette, width: float, depth: float, height: float, material: Material) -> Thing:
    """Four round legs, straight, tapered or splayed."""
    splay, radius = palette.one_of(0.0, 0.0, 0.08, 0.18), palette.between(0.01, 0.025)
    taper = palette.between(0.5, 1.1)
    made = []
    for a in (-1, 1):
        for b in (-1, 1):
            top = np.array([a * width / 2, height, b * depth / 2])
            foot = top * [1, 0, 1] + np.array([a, 0, b]) * splay * height + np.array([0, radius * taper / 2, 0])
            made.append(tube([foot, top], [radius * taper, radius], material, sides=7))
    return made


def frame(width: float, height: float, bar: float, depth: float, material: Material, foot: float = 0.0) -> Part:
    """Four bars around an opening of width × height whose lower edge is at `foot`; the bars lie outside the opening."""
    sizes = [(width + 2 * bar, bar, depth), (width + 2 * bar, bar, depth), (bar, height, depth), (bar, height, depth)]
    x = (width + bar) / 2
    return boxes([(0, foot - bar, 0), (0, foot + height, 0), (-x, foot, 0), (x, foot, 0)], sizes, material)


def canvas(width: float, height: float, material: Material, foot: float = 0.0, z: float = 0.0) -> Part:
    """An upright rectangle whose uv runs from 0 to 1: for pictures and screens."""
    part = panel(width, height, material)
    return replace(part, vertices=part.vertices + np.array([0, foot, z]), uv=part.uv / np.array([width, height]))


def disc(radius: float, material: Material, y: float = 0.0, sides: int = 20) -> Part:
    """A level round sheet that looks up, as thin as can be: liquid in a cup, the light of a lamp."""
    return lathe([(radius, y - 0.0006), (radius, y)], material, sides=sides, smooth=False)


def vessel(
    profile: ArrayLike, wall: float, material: Material, *, bottom: float | None = None, sides: int = 20
) -> Part:
    """A turned hollow body: profile (k, 2) of the outside, radius and height from foot to rim; wall in metres."""
    outside = np.asarray(profile, np.float64)
    base = wall if bottom is None else bottom
    inside = np.stack([np.maximum(outside[:, 0] - wall, 0.002), np.maximum(outside[:, 1], outside[0, 1] + base)], 1)
    return lathe(np.concatenate([outside, inside[::-1], [[0.001, inside[0, 1]]]]), material, sides=sides)


def torus(
    ring: float, thick: float, material: Material, arc: tuple[float, float] = (0.0, 2 * pi), flat: float = 1.0
) -> Part:
    """A ring (or part of one) that stands upright in x and y around the origin: handles, doughnuts, tyres."""
    full = arc[1] - arc[0] >= 2 * pi - 1e-6
    angle = np.linspace(arc[0], arc[1], 17 if full else 9)
    path = np.stack([ring * np.cos(angle), ring * np.sin(angle), 0 * angle], 1)
    return tube(path, thick, material, sides=8, flat=flat)


def settle(thing: Thing) -> Thing:
    """The thing moved up or down so that it stands on y = 0."""
    return place(thing, at=(0.0, -float(bounds(thing)[0][1]), 0.0))


def lying(thing: Thing, yaw: float = 0.0) -> Thing:
    """The thing tipped on its back (its front looks up), standing on y = 0."""
    return place(settle(place(thing, pitch=-pi / 2)), yaw=yaw)


def spots(
    rng: np.random.Generator, radii: Sequence[float], half: tuple[float, float], tries: int = 12
) -> list[tuple[float, float] | None]:
    """Places in a rectangle of ±half for discs that do not overlap; None where there was no room."""
    taken: list[tuple[float, float, float]] = []
    found: list[tuple[float, float] | None] = []
    for radius in radii:
        room = (half[0] - radius, half[1] - radius)
        found.append(None)
        if min(room) < 0:
            continue
        for x, z in rng.uniform(-1, 1, (tries, 2)) * room:
            if all((x - a) ** 2 + (z - b) ** 2 > (radius + c) ** 2 for a, b, c in taken):
                taken.append((x, z, radius))
                found[-1] = (float(x), float(z))
                break
    return found


def clutter(
    palette: Palette, makers: Sequence[Maker], width: float, depth: float, count: int, tight: float = 0.85
) -> Thing:
    """Up to `count` things strewn over a rectangle at y = 0 without (much) overlap, turned at random."""
    things = [makers[int(palette.rng.integers(len(makers)))](palette) for _ in range(count)]
    ends = [bounds(thing) for thing in things]
    radii = [float(np.hypot(*(high - low)[[0, 2]])) / 2 * tight for low, high in ends]
    order = np.argsort(radii)[::-1]
    found = spots(palette.rng, [radii[i] for i in order], (width / 2, depth / 2))
    made: Thing = []
    for i, spot in zip(order, found, strict=True):
        if spot is not None:
            yaw = palette.between(0, 2 * pi) if palette.chance(0.6) else palette.rng.normal() * 0.15
            middle = (ends[i][0] + ends[i][1]) / 2 * np.array([1, 0, 1])
            made += place(things[i], np.array([spot[0], 0, spot[1]]) - rotation(yaw) @ middle, yaw)
    return made


def drape(
    palette: Palette, width: float, drop: float, material: Material, fold: float = 0.14, deep: float = 0.05
) -> Part:
    """A hanging cloth that looks along +z, its hem at y = 0: curtains, towels, banners."""
    columns = int(np.clip(width / fold * 6, 8, 60))
    x = np.linspace(-width / 2, width / 2, columns)[:, None]
    y = np.linspace(0, drop, 6)[None]
    phase = 2 * pi * x / fold + 1.5 * np.sin(2 * x / fold + palette.between(0, 6))
    loose = 0.55 + 0.6 * (1 - y / drop)
    z = deep * loose * np.sin(phase + 0.3 * np.sin(3 * y + palette.between(0, 6)))
    points = np.stack(np.broadcast_arrays(x * (1 + 0.06 * loose), y, z), -1)
    length = np.stack(np.broadcast_arrays(x * 1.6, drop - y), -1)
    return grid(points, material, uv=length)


def crumpled(palette: Palette, width: float, depth: float, material: Material, height: float = 0.04) -> Part:
    """A cloth thrown down on y = 0."""
    n = 16
    x, z = np.meshgrid(np.linspace(-width / 2, width / 2, n), np.linspace(-depth / 2, depth / 2, n))
    size = max(width, depth) / 2.5
    y = np.abs(swell(palette.rng, x, z, size, height)) + np.abs(swell(palette.rng, x, z, size / 2, height / 2))
    shift = size * 0.12
    points = np.stack(
        [x + swell(palette.rng, x, z, size, shift), y + 0.003, z + swell(palette.rng, z, x, size, shift)], -1
    )
    return grid(points, material, uv=np.stack([x, z], -1))


def bent(points: ArrayLike, count: int = 16) -> NDArray[np.float64]:
    """A smooth path (count, 3) through control points (k, 3), by Catmull and Rom's spline."""
    p = np.asarray(points, np.float64)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, len(p) - 3 - 1e-9, count)
    i, f = t.astype(int), (t % 1)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)


def around(count: int, radius: float, y: float = 0.0, phase: float = 0.0) -> tuple[NDArray, NDArray]:
    """`count` places on a circle (count, 3), and the yaws with which things there look outwards."""
    yaw = phase + np.linspace(0, 2 * pi, count, endpoint=False)
    return np.stack([radius * np.sin(yaw), np.full(count, y), radius * np.cos(yaw)], 1), yaw


def ahead(yaw: float) -> NDArray[np.float64]:
    """The level direction in which a thing of this yaw looks."""
    return np.array([sin(yaw), 0.0, cos(yaw)])
