"""What lines streets: lamps, signs, posts and wires, rails, barriers, bins, benches, shelters, markings."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import pi

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, ellipsoid, lathe, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes, chain, copies, merge, quads, rods, sheet
from training.worlds.parts.terrain import Way

DARK = Material((0.015,) * 3, (0.02,) * 3, shine=0.1, gloss=0.5)
CONCRETE = Material((0.38, 0.37, 0.35), (0.3, 0.29, 0.28), "clouds", 3)


def steel(palette: Palette) -> Material:
    """Galvanised or painted street iron."""
    if palette.chance(0.5):
        return palette.metal((0.35, 0.36, 0.37))
    return palette.paint(((0.02, 0.02, 0.02), (0.02, 0.06, 0.03), (0.3, 0.3, 0.3))[int(palette.rng.integers(3))], 0.15)


def lamp_post(palette: Palette, *, lit: bool = False) -> tuple[Thing, tuple[float, float, float]]:
    """A street lamp that reaches over the road (+z), and where its light hangs."""
    b = palette.between
    iron = steel(palette)
    glass = Palette.light((1.0, 0.8, 0.5), 8.0) if lit else palette.paint((0.6, 0.6, 0.58), 0.3)
    if palette.chance(0.6):
        h, arm = b(6, 10), b(0.8, 2.4)
        t = np.linspace(0, pi / 2, 5)
        path = np.concatenate(
            [
                [[0, 0, 0], [0, h * 0.9, 0]],
                np.stack([0 * t, h * 0.9 + 0.1 * h * np.sin(t), arm * (1 - np.cos(t))], 1)[1:],
            ]
        )
        pole = tube(path, np.linspace(0.09, 0.035, len(path)), iron, sides=7)
        head = boxes([[0, h - 0.03, arm + 0.25]], [0.26, 0.1, 0.65], iron)
        return [pole, head, boxes([[0, h - 0.06, arm + 0.25]], [0.2, 0.03, 0.5], glass)], (0.0, h - 0.2, arm + 0.25)
    h = b(3, 4.5)
    pole = lathe(
        [(0.14, 0), (0.1, 0.4), (0.05, 0.7), (0.04, h * 0.9), (0.09, h * 0.92), (0.02, h * 0.93)], iron, sides=9
    )
    bulb = (
        ellipsoid((0.2, 0.24, 0.2), glass, sides=9, at=(0, h + 0.15, 0))
        if palette.chance(0.5)
        else lathe([(0.1, h * 0.93), (0.2, h + 0.3), (0.05, h + 0.42)], glass, sides=6, smooth=False)
    )
    return [pole, bulb], (0.0, h + 0.15, 0.0)


def traffic_light(palette: Palette) -> Thing:
    """A signal on a post, or on an arm over the road; it faces +z."""
    iron, arm = steel(palette), palette.chance(0.35)
    h, x = (5.5, palette.between(2, 5)) if arm else (palette.between(2.4, 3.2), 0.0)
    out: Thing = [rods([[0, 0, 0]], [[0, h + 0.6, 0]], 0.07, iron, sides=8)]
    if arm:
        out.append(rods([[0, h + 0.6, 0]], [[x + 0.3, h + 0.8, 0]], 0.055, iron, sides=6))
    out.append(boxes([[x, h - 0.3, 0.1]], [0.3, 0.9, 0.22], DARK))
    on = int(palette.rng.integers(3))
    colours = ((0.9, 0.05, 0.02), (0.9, 0.45, 0.02), (0.05, 0.7, 0.25))
    for i, c in enumerate(colours):
        lens = (
            Palette.light(c, 3.0)
            if i == on
            else Material(tuple(0.06 * k for k in c), (0.01,) * 3, shine=0.3, gloss=0.8)
        )
        out.append(ellipsoid((0.1, 0.1, 0.04), lens, sides=8, at=(x, h + 0.43 - 0.28 * i, 0.21)))
    if palette.chance(0.4):
        out.append(boxes([[x, h - 0.42, 0.08]], [0.6, 1.14, 0.02], DARK))
    return merge(out)


def sign(palette: Palette) -> Thing:
    """A traffic or street sign on a post; it faces +z."""
    iron, h = steel(palette), palette.between(2.0, 2.8)
    red, blue, white = (
        Material((0.45, 0.02, 0.02), shine=0.15),
        Material((0.02, 0.08, 0.35), shine=0.15),
        Material((0.75, 0.75, 0.73), shine=0.1),
    )
    kind, r = int(palette.rng.integers(5)), palette.between(0.3, 0.42)
    out: Thing = [rods([[0, 0, 0]], [[0, h + r, 0]], 0.03, iron, sides=6)]
    corners = (24, 3, 8, 4, 4)[kind]
    rim = (red, red, red, (blue, white)[int(palette.rng.integers(2))], palette.paint())[kind]
    face = (white, white, red, rim, palette.printed())[kind]
    wide = palette.between(1.0, 2.6) if kind == 4 else 1.0
    a = np.arange(corners) * 2 * pi / corners + (pi / 2 if corners == 3 else pi / corners)

    def plate(scale: float, z: float, material: Material) -> Part:
        xy = np.stack([np.cos(a) * r * scale * wide, np.sin(a) * r * scale], 1)
        return loft(
            np.stack([sheet(xy[:, 0], xy[:, 1] + h, z - 0.012), sheet(xy[:, 0], xy[:, 1] + h, z)]),
            material,
            smooth=False,
        )

    out += [plate(1.0, 0.05, rim), plate(0.8, 0.056, face)]
    if kind == 2:
        out.append(boxes([[0, h - 0.06, 0.06]], [r * 1.1, 0.12, 0.008], white))
    return out


def gantry(palette: Palette, width: float) -> Thing:
    """A sign bridge over a motorway of `width`, facing +z (towards who comes from there)."""
    iron = palette.metal((0.35, 0.36, 0.37))
    w, h = width / 2 + 1, palette.between(5.6, 6.6)
    out: Thing = [
        boxes([[w, 0, 0], [-w, 0, 0]], [0.4, h + 1.2, 0.4], iron),
        boxes([[0, h, 0], [0, h + 1.0, 0]], [2 * w, 0.18, 0.18], iron),
    ]
    for x in np.linspace(-w * 0.6, w * 0.6, int(palette.rng.integers(1, 4))):
        green = ((0.01, 0.1, 0.05), (0.02, 0.07, 0.3))[int(palette.rng.integers(2))]
        face = Material(green, (0.8, 0.8, 0.8), "print", 1.2, shine=0.1, seed=palette.seed())
        out.append(boxes([[x, h - 0.4, 0.25]], [palette.between(2.5, 4.5), palette.between(1.8, 2.8), 0.1], face))
    return out


def bollards(palette: Palette, at: ArrayLike) -> Thing:
    """Posts at (n, 3)."""
    iron, h, r = steel(palette), palette.between(0.7, 1.1), palette.between(0.05, 0.13)
    post = lathe(
        [(r, 0), (r, h * 0.85), (r * 1.15, h * 0.88), (r * 0.8, h), (0.01, h * 1.02)],
        iron if palette.chance(0.7) else CONCRETE,
        sides=9,
    )
    return copies([post], at)


def bin_(palette: Palette) -> Thing:
    """A litter bin or a wheeled bin."""
    if palette.chance(0.5):
        c = palette.paint(
            ((0.02, 0.08, 0.03), (0.05, 0.05, 0.06), (0.02, 0.05, 0.2), (0.4, 0.3, 0.02))[int(palette.rng.integers(4))],
            0.15,
        )
        body = loft(
            [
                sheet([-0.22, -0.22, 0.22, 0.22], y, np.array([-0.24, 0.24, 0.24, -0.24]) * k)
                for y, k in ((0.06, 0.85), (0.95, 1.1))
            ],
            c,
            smooth=False,
        )
        lid = boxes([[0, 0.95, 0]], [0.52, 0.09, 0.62], c)
        return [body, lid, boxes([[0.2, 0, -0.22], [-0.2, 0, -0.22]], [0.05, 0.2, 0.2], DARK)]
    r, h = palette.between(0.2, 0.3), palette.between(0.7, 1.0)
    return [
        lathe(
            [
                (r * 0.9, 0),
                (r, 0.1),
                (r, h),
                (r * 1.1, h + 0.03),
                (r * 0.75, h + 0.05),
                (r * 0.7, h - 0.2),
                (0.01, h - 0.2),
            ],
            steel(palette),
            sides=12,
        )
    ]


def bench(palette: Palette) -> Thing:
    """A bench whose sitter looks along +z."""
    w, wood, iron = palette.between(1.3, 2.2), palette.wood(), steel(palette)
    z = np.array([-0.18, -0.05, 0.08, 0.21])
    out: Thing = [boxes(sheet(0.0, 0.42, z), [w, 0.04, 0.1], wood)]
    if palette.chance(0.8):
        out.append(boxes([[0, 0.58, -0.26], [0, 0.74, -0.29]], [w, 0.1, 0.035], wood))
    x = np.array([-w * 0.42, w * 0.42])
    out.append(boxes(np.concatenate([sheet(x, 0, 0.18), sheet(x, 0, -0.24)]), [0.06, 0.44, 0.06], iron))
    out.append(rods(sheet(x, 0.42, -0.24), sheet(x, 0.84, -0.3), 0.025, iron))
    return out


def hydrant(palette: Palette) -> Thing:
    """A fire hydrant."""
    c = palette.paint(((0.45, 0.02, 0.02), (0.5, 0.35, 0.02), (0.5, 0.5, 0.5))[int(palette.rng.integers(3))], 0.2)
    post = lathe(
        [(0.16, 0), (0.16, 0.06), (0.1, 0.08), (0.11, 0.5), (0.15, 0.52), (0.13, 0.6), (0.05, 0.7), (0.01, 0.72)],
        c,
        sides=10,
    )
    return [post, rods([[-0.19, 0.42, 0], [0, 0.4, 0]], [[0.19, 0.42, 0], [0, 0.4, 0.19]], 0.055, c, sides=8)]


def meter(palette: Palette) -> Thing:
    """A parking meter, a junction box or a letter box."""
    c = steel(palette)
    if palette.chance(0.4):
        return [rods([[0, 0, 0]], [[0, 1.1, 0]], 0.035, c), ellipsoid((0.11, 0.19, 0.08), c, sides=8, at=(0, 1.25, 0))]
    w, h = palette.between(0.3, 1.1), palette.between(0.8, 1.6)
    box = palette.paint(
        ((0.4, 0.4, 0.38), (0.45, 0.02, 0.02), (0.5, 0.36, 0.01), (0.03, 0.08, 0.05))[int(palette.rng.integers(4))], 0.1
    )
    return [boxes([[0, 0.05, 0], [0, 0, 0]], [[w, h, 0.35], [w * 0.9, 0.06, 0.3]], box)]


def shelter(palette: Palette) -> Thing:
    """A bus shelter that opens towards +z."""
    w, iron, d = palette.between(2.5, 5), steel(palette), 1.4
    x = np.linspace(-w / 2, w / 2, 4)
    out: Thing = [boxes(np.concatenate([sheet(x, 0, -d / 2), sheet(x[[0, 3]], 0, d / 2)]), [0.07, 2.4, 0.07], iron)]
    out += [
        boxes([[0, 2.4, 0]], [w + 0.3, 0.12, d + 0.5], iron),
        boxes([[0, 0.45, -d / 2 + 0.25]], [w * 0.7, 0.05, 0.3], palette.wood()),
    ]
    out.append(boxes([[0, 0.2, -d / 2]], [w - 0.1, 2.0, 0.02], Palette.glass()))
    advert = boxes([[w / 2, 0.25, 0]], [0.12, 1.9, d * 0.85], palette.printed())
    return [*out, replace(advert, material=replace(advert.material, frequency=3.0))]


def cone(palette: Palette) -> Thing:
    """A traffic cone."""
    orange, white = Material((0.75, 0.14, 0.01), shine=0.08), Material((0.8, 0.8, 0.8), shine=0.1)
    return [
        boxes([[0, 0, 0]], [0.38, 0.04, 0.38], orange),
        lathe([(0.14, 0.04), (0.105, 0.28)], orange, sides=10),
        lathe([(0.105, 0.28), (0.075, 0.46)], white, sides=10),
        lathe([(0.075, 0.46), (0.025, 0.72), (0.01, 0.73)], orange, sides=10),
    ]


def hoarding(palette: Palette) -> Thing:
    """A billboard on legs, its picture towards +z."""
    w, h, foot = palette.between(2.5, 6), palette.between(2, 3.2), palette.between(0.6, 3)
    face = np.array([[[-w / 2, foot + h, 0.06], [-w / 2, foot, 0.06], [w / 2, foot, 0.06], [w / 2, foot + h, 0.06]]])
    uv = [[0, 0], [0, 1], [1, 1], [1, 0]]
    iron = steel(palette)
    return [
        boxes([[-w * 0.35, 0, 0], [w * 0.35, 0, 0]], [0.15, foot + h * 0.5, 0.1], iron),
        boxes([[0, foot - 0.08, 0]], [w + 0.16, h + 0.16, 0.1], iron),
        quads(face, palette.picture(), uv),
    ]


def street_thing(palette: Palette) -> Thing:
    """Any small thing that stands on a pavement."""
    makers = (bin_, bin_, bench, hydrant, meter, meter, sign, sign, cone)
    return makers[int(palette.rng.integers(len(makers)))](palette)


# -- along a way -------------------------------------------------------------------------------------------------------


def wires(palette: Palette, points: ArrayLike, cables: int = 3, sag: float = 0.6) -> Thing:
    """Wooden poles at (n, 3) with cross-arms and sagging wires between them."""
    p = np.asarray(points, np.float64)
    h, wood = palette.between(6.5, 9), palette.bark()
    d = np.gradient(p, axis=0)
    side = np.stack([d[:, 2], 0 * d[:, 0], -d[:, 0]], 1) / np.linalg.norm(d[:, [0, 2]], axis=1, keepdims=True)
    out: Thing = [rods(p, (p + np.array([0, h, 0])), 0.14, wood, thin=0.7, sides=7)]
    out.append(rods((p + np.array([0, h - 0.5, 0])) - side, p + np.array([0, h - 0.5, 0]) + side, 0.06, wood, sides=4))
    t = np.linspace(0, 1, 9)[:, None]
    for k in np.linspace(-0.9, 0.9, cables):
        top = p + [0, h - 0.4, 0] + side * k
        for a, b in itertools.pairwise(top):
            out.append(chain(a + (b - a) * t - np.array([0, 4 * sag, 0]) * t * (1 - t), 0.018, DARK, sides=3))
    return merge(out)


def guard_rail(palette: Palette, way: Way, z: ArrayLike, offset: float, *, double: bool = False) -> Thing:
    """A steel rail on posts along a way; its front is towards the road."""
    iron = palette.metal((0.4, 0.41, 0.42))
    z = np.asarray(z, np.float64)
    flip = -1 if offset > 0 else 1
    wave = np.array([0.0, 0.05, 0.02, 0.05, 0.0]) * flip
    high = np.array([0.42, 0.48, 0.58, 0.67, 0.74])
    order = slice(None, None, 1 if flip > 0 else -1)
    out: Thing = [way.ribbon(z, (offset + wave)[order], high[order], iron)]
    if double:
        out.append(way.ribbon(z, (offset - wave - 0.2 * flip)[::-1][order], high[::-1][order], iron))
    posts = np.arange(max(z[0], -30), min(z[-1], 160), 2.0)
    return [*out, boxes(way.at(posts, offset - 0.08 * flip), [0.08, 0.7, 0.1], iron)]


def barrier(palette: Palette, way: Way, z: ArrayLike, offset: float) -> Thing:
    """A concrete wall with sloping feet along a way."""
    h = palette.between(0.8, 1.2)
    across = offset + np.array([-0.3, -0.28, -0.12, -0.08, 0.08, 0.12, 0.28, 0.3])
    return [way.ribbon(z, across, [0, 0.08, 0.3, h, h, 0.3, 0.08, 0], replace(CONCRETE, seed=palette.seed()))]


def fence(palette: Palette, way: Way, z: ArrayLike, offset: float) -> Thing:
    """A fence along a way: pickets, rails, wire or mesh."""
    z = np.asarray(z, np.float64)
    kind, start, end = palette.rng.random(), float(z[0]), float(z[-1])
    h = palette.between(0.8, 1.5)
    post_gap = palette.between(1.8, 3)
    posts = np.arange(start, min(end, start + 160), post_gap)
    wood = palette.wood() if palette.chance(0.6) else palette.paint((0.6, 0.6, 0.58), 0.05)
    out: Thing = [boxes(way.at(posts, offset), [0.09, h + 0.1, 0.09], wood)]
    levels = (0.35, 0.85) if kind < 0.5 else (0.25, 0.5, 0.75, 0.97)
    radius = 0.03 if kind < 0.75 else 0.006
    material = wood if kind < 0.75 else DARK
    for level in levels:
        p = way.at(posts, offset, level * h)
        out.append(rods(p[:-1], p[1:], radius, material, sides=4))
    if kind < 0.4:
        at = np.arange(start, min(end, start + 70), palette.between(0.14, 0.22))
        p = way.at(at, offset + 0.05)
        out += copies([boxes([[0, 0.08, 0]], [0.022, h, 0.09], wood)], p, way.yaw(at))
    elif kind > 0.88:
        mesh = replace(palette.metal((0.3,) * 3), holes=0.65, frequency=palette.between(5, 14))
        out.append(way.ribbon(posts, [offset, offset], [0.05, h], mesh))
    return out


def marking(
    palette: Palette,
    way: Way,
    offset: float,
    *,
    dash: float = 0.0,
    gap: float = 6.0,
    span: tuple[float, float] = (-30, 180),
    wide: float = 0.13,
) -> Thing:
    """A painted line along the way, broken if `dash` > 0; one centimetre above the road."""
    c = palette.near((0.62, 0.62, 0.6), 1.1, 0.02)
    paint = Material(c, tuple(0.6 * k for k in c), "clouds", 6, shine=0.05, seed=palette.seed())
    if not dash:
        z = stations_of(*span)
        return [way.ribbon(z, [offset - wide / 2, offset + wide / 2], [0.012, 0.012], paint)]
    z = np.arange(span[0], span[1], dash + gap)
    corner = [
        way.at(z + dash, offset - wide / 2, 0.012),
        way.at(z, offset - wide / 2, 0.012),
        way.at(z, offset + wide / 2, 0.012),
        way.at(z + dash, offset + wide / 2, 0.012),
    ]
    return [quads(np.stack(corner[::-1], 1), paint)]


def stations_of(start: float, end: float, step: float = 4.0) -> np.ndarray:
    """Evenly spaced places along a way."""
    return np.linspace(start, end, max(2, int((end - start) / step)))


def crosswalk(palette: Palette, way: Way, z: float, half: float) -> Thing:
    """Stripes across the road and a stop line."""
    paint = Material((0.62, 0.62, 0.6), (0.4, 0.4, 0.39), "clouds", 5, seed=palette.seed())
    x = np.arange(-half + 0.4, half - 0.3, 1.0)
    at = way.at(np.full(len(x), z), x, 0.004)
    stripe = copies([boxes([[0, 0, 0]], [0.5, 0.008, 3.0], paint)], at, way.yaw(np.full(len(x), z)))
    return stripe + place(
        [boxes([[0, 0, 0]], [half * 0.9, 0.008, 0.35], paint)],
        at=way.at(z - 2.6, half * 0.48, 0.004),
        yaw=float(way.yaw(z)),
    )


def covers(palette: Palette, way: Way, half: float, count: int = 5) -> Thing:
    """Manholes, patches and stains on the road."""
    r = palette.rng
    z, x = r.uniform(-8, 45, count), r.uniform(-0.8, 0.8, count) * half
    lid = lathe([(0.32, 0.004), (0.3, 0.01), (0.01, 0.01)], palette.metal((0.1,) * 3), sides=14)
    patch = replace(palette.asphalt(), shine=palette.between(0, 0.4), gloss=0.8)
    return copies([lid], way.at(z, x)) + copies(
        [boxes([[0, 0, 0]], [1, 0.007, 1], patch)],
        way.at(z + 5, x),
        r.uniform(0, 0.2, count),
        np.stack([r.uniform(0.4, 2, count), np.ones(count), r.uniform(0.4, 5, count)], 1),
    )
