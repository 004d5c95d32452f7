"""Cars: a lofted body with wheel arches, a glasshouse, and what is screwed on. Front along +z, wheels on y = 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Floats, Part, Thing, ellipsoid, grid, lathe, loft, place
from training.worlds.palette import Palette
from training.worlds.parts.bodies import ODDS, SHAPES, Shape
from training.worlds.parts.many import boxes, copies, merge, mirrored, rods

Detail = Literal["near", "far"]


def coat(palette: Palette) -> Material:
    """Car paint: mostly white, grey and black, glossy under the sky."""
    r = palette.rng.random()
    if r < 0.2:
        c = (0.72, 0.72, 0.7)
    elif r < 0.42:
        c = (palette.between(0.12, 0.5),) * 3
    elif r < 0.6:
        c = (0.012, 0.012, 0.014)
    elif r < 0.72:
        c = (0.02, 0.05, 0.16)
    elif r < 0.83:
        c = (0.35, 0.015, 0.012)
    else:
        c = palette.hue(palette.between(0.4, 0.95), palette.between(0.08, 0.6))
    c = palette.near(c, 1.15, 0.02)
    return Material(
        c, palette.near(c), shine=palette.between(0.15, 0.45), gloss=palette.between(0.85, 0.98), seed=palette.seed()
    )


def _varied(shape: Shape, palette: Palette) -> Shape:
    """A body of another make: every measure a little different."""
    r = palette.rng
    k = np.exp(r.normal(size=6) * 0.035)
    shift = r.normal() * 0.012
    return replace(
        shape,
        length=shape.length * k[0],
        width=shape.width * (0.6 + 0.4 * k[1]),
        height=shape.height * (0.4 + 0.6 * k[2]),
        wheel=shape.wheel * k[3],
        nose=shape.nose * k[4],
        cowl=shape.cowl * (0.4 + 0.6 * k[2]),
        deck=shape.deck * (0.4 + 0.6 * k[5]),
        screen=(shape.screen[0] + shift, shape.screen[1] + shift + r.normal() * 0.01),
        rear=(shape.rear[0] + shift * 0.5, shape.rear[1]),
        square=shape.square * k[0],
    )


def _profile(s: Shape, f: Floats) -> tuple[Floats, Floats, Floats]:
    """Half width, underside and top of the lower body at fractions `f` of the length, wheel arches cut in."""
    belt = (s.cowl + s.deck) / 2
    bed = 0.62 if s.bed else s.rear[1]
    keys = [0, 0.012, 0.05, 0.13, s.screen[0], s.screen[0] + 0.05, bed, 0.955, 0.988, 1.0]
    nose = s.nose
    tops = [
        nose - 0.13,
        nose,
        nose + 0.065,
        nose + 0.62 * (s.cowl - nose),
        s.cowl,
        belt,
        s.deck,
        s.deck - 0.02,
        s.deck - 0.08,
        s.deck - 0.25,
    ]
    top = np.interp(f, np.maximum.accumulate(keys), tops)
    ends = np.maximum(0, 1 - np.minimum(f, (1 - f) * 1.2) / 0.13)
    half = s.width / 2 * (1 - 0.17 * ends**2.2)
    bottom = s.sill + 0.09 * np.maximum(0, 1 - np.minimum(f, 1 - f) / 0.03)
    arch = s.wheel + 0.055
    for axle in s.axles:
        d = np.abs(f - axle) * s.length
        bottom = np.where(d <= arch, np.maximum(bottom, s.wheel + np.sqrt(np.maximum(arch**2 - d**2, 0))), bottom)
    return half, np.minimum(bottom, top - 0.07), top


def _stations(s: Shape, near: bool) -> Floats:
    """Where along the car sections are taken: close together at the ends and the wheel arches."""
    ends = [0, 0.005, 0.012, 0.03, 0.05, 0.09, 0.13] if near else [0, 0.012, 0.05, 0.13]
    f = [*ends, *[1 - e for e in ends], s.screen[0], s.screen[0] + 0.05, 0.5, min(s.rear[1], 0.95)]
    arch = (s.wheel + 0.055) / s.length
    steps = np.cos(np.linspace(0, pi, 11 if near else 6)) * arch
    for axle in s.axles:
        f += [*(axle + steps), axle - arch * 1.001 - 0.001, axle + arch * 1.001 + 0.001]
    return np.unique(np.clip(np.round(f, 5), 0, 1))


def _outline(s: Shape, half: Floats, bottom: Floats, top: Floats) -> Floats:
    """(k, points, 2) x and y of the body's right half, from the underside to the middle of the bonnet."""
    x = np.stack(
        [
            0 * half,
            0.8 * half,
            0.95 * half,
            0.985 * half,
            half,
            0.995 * half,
            0.965 * half,
            0.925 * half,
            0.84 * half,
            0.45 * half,
            0 * half,
        ],
        1,
    )
    waist = s.sill + 0.55 * (min(s.cowl, s.deck) - s.sill)
    level = [
        bottom,
        bottom,
        bottom + 0.012,
        np.maximum(bottom + 0.02, s.sill + 0.1),
        np.maximum(bottom + 0.03, waist - 0.1),
        np.maximum(bottom + 0.035, np.minimum(waist + 0.06, top - 0.12)),
        top - 0.075,
        top - 0.03,
        top,
        top + 0.012,
        top + 0.02,
    ]
    y = np.maximum.accumulate(np.stack([np.broadcast_to(v, half.shape) for v in level], 1), axis=1)
    return np.stack([x, y], -1)


def _body(s: Shape, paint: Material, near: bool) -> tuple[Part, Floats, Floats]:
    """The lower body, and its stations (k,) along z with the right half's outline (k, points, 3)."""
    f = _stations(s, near)[::-1]
    z = s.length * (0.5 - f)
    right = _outline(s, *_profile(s, f))
    full = np.concatenate([right, (right * [-1, 1])[:, -2:0:-1]], 1)
    sections = np.concatenate([full, np.broadcast_to(z[:, None, None], (*full.shape[:2], 1))], -1)
    return loft(sections, paint), z, sections[:, : right.shape[1]]


@dataclass(frozen=True, slots=True)
class Cabin:
    """The glasshouse as a surface: `ring` of it at a height t (0 belt, 1 roof)."""

    shape: Shape

    def measures(self, t: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
        """Middle and half length along z, half width, and height, at t."""
        s, t = self.shape, np.asarray(t, np.float64)
        bulge = t + 0.12 * t * (1 - t)
        front = s.length * (0.5 - (s.screen[0] + (s.screen[1] - s.screen[0]) * bulge))
        back = s.length * (0.5 - (s.rear[1] - 0.006 + (s.rear[0] - s.rear[1] + 0.006) * bulge))
        wide = s.width / 2 * (0.925 + (s.lean - 0.925) * t**1.3)
        belt = min(s.cowl, s.deck) - 0.04
        return (front + back) / 2, (front - back) / 2, wide, belt + (s.height - 0.075 - belt) * t

    def side(self, along: ArrayLike, t: ArrayLike, out: float = 0.0) -> Floats:
        """Points on the right side, `along` from -1 (back) to 1 (front)."""
        along, t = np.broadcast_arrays(np.asarray(along, np.float64), np.asarray(t, np.float64))
        middle, half, wide, y = self.measures(t)
        p = self.shape.square
        return np.stack([wide * (1 - np.abs(along) ** p) ** (1 / p) + out, y, middle + half * along], -1)

    def end(self, across: ArrayLike, t: ArrayLike, sign: float, out: float = 0.0) -> Floats:
        """Points on the windscreen (sign 1) or the rear window (-1), `across` from -1 to 1."""
        across, t = np.broadcast_arrays(np.asarray(across, np.float64), np.asarray(t, np.float64))
        middle, half, wide, y = self.measures(t)
        p = self.shape.square
        bow = (1 - np.abs(across) ** p) ** (1 / p)
        return np.stack([wide * across, y + out * 0.5, middle + sign * (half * bow + out)], -1)


def _cabin(s: Shape, paint: Material, roof: Material, glass: Material, near: bool) -> Thing:
    """Pillars, roof and panes."""
    cabin = Cabin(s)
    n = 10 if near else 6
    a = np.linspace(0, pi / 2, n) ** 1.0
    quarter = np.stack([np.sin(a), np.cos(a)], 1) ** (2 / s.square)
    plan = np.concatenate(
        [quarter, (quarter * [1, -1])[-2::-1], (quarter * [-1, -1])[1:], (quarter * [-1, 1])[-2:0:-1]]
    )
    rings = []
    for t in (0.0, 0.35, 0.7, 1.0) if near else (0.0, 1.0):
        middle, half, wide, y = cabin.measures(t)
        rings.append(np.stack([plan[:, 0] * wide, np.full(len(plan), y), middle + plan[:, 1] * half], 1))
    middle, half, wide, _ = cabin.measures(1.0)
    lid = [
        np.stack(
            [plan[:, 0] * wide * k, np.full(len(plan), s.height - 0.075 + h), middle + plan[:, 1] * half * k**0.5], 1
        )
        for k, h in ((1.0, 0.0), (0.965, 0.035), (0.88, 0.058), (0.5, 0.073))
    ]
    out = [loft(np.stack(rings), paint, capped=False), loft(np.stack(lid), roof)]
    t = np.linspace(0.13, 0.93, 4)[:, None]
    for first, last in s.windows:
        pane = grid(cabin.side(np.linspace(first, last, 6), t[::-1], 0.014), glass)
        out += [pane, mirrored(pane)]
    across = np.linspace(-0.9, 0.9, 9)
    out.append(grid(cabin.end(across, t[::-1], 1.0, 0.015), glass))
    if s.bed or s.windows[-1][1] < -0.5:
        out.append(grid(cabin.end(across[::-1] * 0.96, np.linspace(0.25, 0.92, 4)[::-1, None], -1.0, 0.015), glass))
    return out


def wheel(radius: float, width: float, palette: Palette, near: bool = True) -> Thing:
    """A wheel around the origin, its outer side along +x."""
    tyre = Material((0.018, 0.018, 0.019), (0.03, 0.03, 0.03), shine=0.03)
    rim = (
        palette.metal((0.55, 0.55, 0.57))
        if palette.chance(0.75)
        else Material((0.03,) * 3, (0.03,) * 3, shine=0.3, gloss=0.8)
    )
    r, w = radius, width / 2
    sides = 24
    turn = {"roll": -pi / 2}
    profile = [
        (0.66 * r, -w),
        (0.93 * r, -w),
        (r, -0.6 * w),
        (r, 0.6 * w),
        (0.94 * r, w),
        (0.7 * r, w),
        (0.66 * r, 0.7 * w),
        (0.64 * r, 0.45 * w),
        (0.01, 0.35 * w),
    ]
    if not near:
        out = place([lathe([profile[1], profile[2], profile[3], profile[4], profile[6]], tyre, sides=10)], **turn)
        cap = lathe([(0.62 * r, 0.3 * w), (0.62 * r, 0.62 * w), (0.2 * r, 0.75 * w), (0.01, 0.76 * w)], rim, sides=8)
        return out + place([cap], **turn)
    out = place([lathe(profile, tyre, sides=sides)], **turn)
    ring = [(0.6 * r, 0.4 * w), (0.68 * r, 0.75 * w), (0.66 * r, 0.86 * w), (0.58 * r, 0.6 * w)]
    out += place(
        [
            lathe(ring, rim, sides=sides),
            lathe([(0.16 * r, 0.3 * w), (0.15 * r, 0.8 * w), (0.01, 0.85 * w)], rim, sides=8),
        ],
        **turn,
    )
    spokes = int(palette.rng.choice([5, 5, 6, 7, 10, 10, 15]))
    wide = r * (0.75 / spokes + 0.03)
    spoke = boxes([[0, 0.08 * r, 0]], [0.25 * w, 0.56 * r, wide], rim)
    for i in range(spokes):
        out += place([spoke], at=(0.66 * w, 0, 0), pitch=2 * pi * i / spokes)
    return merge(out)


def _wheels(s: Shape, palette: Palette, near: bool) -> Thing:
    width = 0.62 * s.wheel
    one = wheel(s.wheel, width, palette, near)
    x = s.width / 2 - width / 2 - 0.012
    at = [(sx * x, s.wheel, s.length * (0.5 - axle)) for axle in s.axles for sx in (1, -1)]
    return copies(one, at, yaw=[0, pi, 0, pi])


def _lights(s: Shape, palette: Palette) -> Thing:
    """Headlights, rear lights, grille, plates and bumpers."""
    b, end, half = palette.between, s.length / 2, s.width / 2
    lens = Material((0.6, 0.62, 0.65), (0.3, 0.3, 0.3), shine=0.6, gloss=0.95)
    red = Material((0.28, 0.006, 0.006), (0.1, 0, 0), shine=0.35, gloss=0.9)
    dark = Material((0.012,) * 3, (0.02,) * 3, shine=0.06, gloss=0.5)
    plate = Material(
        (0.75, 0.75, 0.7) if palette.chance(0.7) else (0.7, 0.5, 0.05), (0.02,) * 3, "print", 14, seed=palette.seed()
    )
    trim = palette.metal() if palette.chance(0.4) else dark
    lamp = (b(0.13, 0.2), b(0.055, 0.1), 0.12)
    y = s.nose - b(0.1, 0.16)
    head = ellipsoid(lamp, lens, sides=10, at=(0.64 * half, y, end - 0.075))
    upright = s.rear[1] > 0.95 and s.height > 1.6
    tall = b(0.16, 0.24) if upright else b(0.06, 0.11)
    tail_at = s.deck - (0.16 if upright else 0.22)
    size = (0.085 if upright else b(0.12, 0.2), tall, 0.085)
    tail = ellipsoid(size, red, sides=10, at=((0.72 if upright else 0.66) * half, tail_at, -end + 0.055))
    out = [head, mirrored(head), tail, mirrored(tail)]
    wide = half * b(0.7, 1.0)
    out.append(boxes([[0, y - 0.14, end - 0.005]], [wide, b(0.08, 0.2), 0.03], trim))
    out.append(boxes([[0, s.sill + 0.1, end - 0.004]], [half * 1.2, 0.1, 0.03], dark))
    out.append(boxes([[0, s.sill + 0.26, end + 0.012]], [0.5, 0.11, 0.012], plate))
    out.append(boxes([[0, tail_at - (0.28 if upright else 0.1), -end - 0.003]], [0.5, 0.12, 0.014], plate))
    out.append(boxes([[0, s.sill + 0.08, -end + 0.004]], [half * 1.5, 0.12, 0.03], dark))
    if palette.chance(0.3):
        bumper = palette.metal() if palette.chance(0.4) else dark
        out.append(
            boxes(
                [[0, s.sill + 0.12, end - 0.03], [0, s.sill + 0.12, -end + 0.03]], [s.width * 0.88, 0.16, 0.16], bumper
            )
        )
    return out


def _trim(s: Shape, z: Floats, half: Floats, palette: Palette, paint: Material) -> Thing:
    """Door gaps, handles, mirrors, a sill, sometimes roof rails."""
    dark = Material((0.008,) * 3, (0.01,) * 3)
    cabin = Cabin(s)
    middle, length, _wide, _y = (float(v) for v in cabin.measures(0.0))
    ends = [s.windows[0][0] * 0.82, s.windows[0][1] - 0.03]
    if s.doors == 4 and len(s.windows) > 1:
        ends.append(s.windows[1][1] + 0.02)
    out: Thing = []
    order = np.argsort(z)
    for along in ends:
        at = middle + along * length
        line = np.stack([np.interp(at, z[order], half[order, j, i]) for j in range(2, 9) for i in range(2)]).reshape(
            -1, 2
        )
        face = np.stack([np.stack([line[:, 0] + 0.004, line[:, 1], np.full(7, at + d)], 1) for d in (0.006, -0.006)])
        seam = grid(face, dark, smooth=False)
        out += [seam, mirrored(seam)]
    knob = palette.metal() if palette.chance(0.4) else paint
    side = s.width / 2
    grips = [[side * 0.985, s.deck - 0.17, middle + (e + 0.1) * length] for e in ends[1:]]
    if grips:
        handle = boxes(grips, [0.03, 0.03, 0.17], knob)
        out += [handle, mirrored(handle)]
    front = cabin.side(s.windows[0][0] * 0.93, 0.12)
    mirror = ellipsoid(
        (0.11, 0.075, 0.06), paint if palette.chance(0.7) else dark, sides=8, at=(front + np.array([0.13, 0.06, 0.0]))
    )
    out += [mirror, mirrored(mirror)]
    if s.height > 1.45 and palette.chance(0.35):
        a, b = cabin.side([0.7, -0.85], 1.0) + np.array([-0.05, 0.1, 0])
        out += [rods([a, a * [-1, 1, 1]], [b, b * [-1, 1, 1]], 0.018, palette.metal())]
    return out


def _bed(s: Shape, paint: Material) -> Thing:
    """A pickup's open box."""
    dark = Material((0.03,) * 3, (0.05,) * 3)
    back, front = -s.length / 2 + 0.02, s.length * (0.5 - s.rear[1]) - 0.02
    mid, long = (front + back) / 2, front - back
    w = s.width * 0.925
    rim = boxes([[w / 2, s.deck - 0.06, mid], [-w / 2, s.deck - 0.06, mid]], [0.1, 0.2, long], paint)
    gate = boxes([[0, s.deck - 0.2, back + 0.04]], [w * 0.95, 0.33, 0.07], paint)
    return [rim, gate, boxes([[0, s.deck + 0.021, mid]], [w - 0.12, 0.004, long - 0.1], dark)]


def car(palette: Palette, detail: Detail = "far", body: str | None = None, paint: Material | None = None) -> Thing:
    """A car of any body (`SHAPES`), its front along +z."""
    names = list(ODDS)
    odds = np.array(list(ODDS.values()))
    name = body or names[int(palette.rng.choice(len(names), p=odds / odds.sum()))]
    near = detail == "near"
    s = _varied(SHAPES[name], palette)
    paint = paint or coat(palette)
    dark = Material((0.01,) * 3, (0.02,) * 3)
    glass = Material(
        palette.near((0.02, 0.024, 0.026), 1.5, 0.003), (0.01,) * 3, shine=palette.between(0.35, 0.6), gloss=0.97
    )
    roof = dark if palette.chance(0.12) else paint
    lower, z, half = _body(s, paint, near)
    gap = (s.axles[1] - s.axles[0]) * s.length
    well = boxes(
        [[0, s.sill + 0.02, s.length * (0.5 - sum(s.axles) / 2)]],
        [s.width * 0.6, s.nose - s.sill - 0.2, gap + 1.2 * s.wheel],
        dark,
    )
    out = [lower, well, *_cabin(s, paint, roof, glass, near), *_wheels(s, palette, near), *_lights(s, palette)]
    if near:
        out += _trim(s, z, half, palette, paint)
    if s.bed:
        out += _bed(s, paint)
    return merge(out)


def repainted(thing: Thing, palette: Palette) -> Thing:
    """The same car with another coat: its largest material is exchanged."""
    area: dict[Material, int] = {}
    for part in thing:
        if part.material.shine > 0.1 and part.smooth and part.material.colour != (0.0, 0.0, 0.0):
            area[part.material] = area.get(part.material, 0) + len(part.faces)
    if not area:
        return thing
    old, new = max(area, key=area.__getitem__), coat(palette)
    return [replace(p, material=new) if p.material == old else p for p in thing]
