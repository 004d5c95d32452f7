"""Birds: perched, standing, swimming, flying."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, ellipsoid, loft, tube
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles, frame, moved, on_ground, ringed
from training.worlds.parts.many import merge

Colours = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Fowl:
    """One body plan. size: length of the trunk, metres; the rest relative to it.

    tilt: how upright the trunk is, radians. neck, head, beak: lengths (head: radius); hook: the beak bends down.
    leg, tail: lengths. span: of one wing. Beaks and legs have a colour of their own.
    """

    size: float
    tilt: float
    neck: float
    head: float
    beak: float
    leg: float
    tail: float
    span: float
    colours: Colours
    hook: float = 0.2
    fat: float = 0.5
    bill: tuple[float, float, float] = (0.05, 0.04, 0.03)
    hood: bool = False
    flat_bill: bool = False
    comb: bool = False


BIRDS: dict[str, Fowl] = {
    "sparrow": Fowl(0.09, 0.55, 0.12, 0.19, 0.14, 0.32, 0.6, 1.1, ((0.25, 0.15, 0.08), (0.3, 0.27, 0.22), (0.06, 0.1,
        0.25), (0.5, 0.15, 0.05), (0.55, 0.45, 0.05)), fat=0.62),
    "pigeon": Fowl(0.2, 0.4, 0.28, 0.14, 0.12, 0.3, 0.5, 1.5, ((0.25, 0.27, 0.32), (0.5, 0.48, 0.46), (0.12, 0.13,
        0.16)), bill=(0.2, 0.12, 0.1)),
    "crow": Fowl(0.24, 0.4, 0.22, 0.16, 0.24, 0.4, 0.65, 1.6, ((0.015, 0.015, 0.018), (0.03, 0.03, 0.035)),
        bill=(0.02, 0.02, 0.02)),
    "gull": Fowl(0.28, 0.2, 0.2, 0.14, 0.22, 0.38, 0.4, 2.0, ((0.7, 0.7, 0.7), (0.6, 0.62, 0.64)), bill=(0.6, 0.4,
        0.05)),
    "eagle": Fowl(0.42, 0.85, 0.22, 0.155, 0.17, 0.28, 0.5, 2.2, ((0.08, 0.05, 0.03), (0.15, 0.09, 0.05), (0.04, 0.03,
        0.02)), hook=1.0, bill=(0.6, 0.42, 0.05), hood=True, fat=0.52),
    "owl": Fowl(0.28, 1.15, 0.1, 0.30, 0.10, 0.15, 0.3, 1.7, ((0.25, 0.18, 0.1), (0.5, 0.47, 0.42), (0.15, 0.1,
        0.06)), hook=1.2, fat=0.6),
    "parrot": Fowl(0.22, 0.9, 0.15, 0.2, 0.16, 0.2, 1.0, 1.3, ((0.5, 0.03, 0.02), (0.05, 0.35, 0.06), (0.04, 0.15,
        0.5), (0.6, 0.58, 0.55)), hook=1.3, bill=(0.08, 0.07, 0.06)),
    "duck": Fowl(0.34, 0.1, 0.38, 0.15, 0.22, 0.2, 0.3, 1.1, ((0.25, 0.18, 0.11), (0.4, 0.38, 0.35), (0.7, 0.68,
        0.62)), bill=(0.5, 0.3, 0.04), hood=True, flat_bill=True, fat=0.55),
    "swan": Fowl(0.75, 0.1, 0.95, 0.095, 0.16, 0.2, 0.25, 1.3, ((0.75, 0.74, 0.7), (0.75, 0.74, 0.7), (0.02, 0.02,
        0.02)), bill=(0.5, 0.15, 0.03), flat_bill=True, fat=0.55),
    "heron": Fowl(0.45, 0.5, 0.95, 0.10, 0.34, 1.1, 0.3, 1.8, ((0.35, 0.37, 0.4), (0.7, 0.69, 0.66)), bill=(0.5, 0.35,
        0.08), fat=0.42),
    "flamingo": Fowl(0.45, 0.3, 1.2, 0.10, 0.2, 1.5, 0.25, 1.5, ((0.65, 0.25, 0.22), (0.7, 0.4, 0.35)), hook=1.0,
        bill=(0.3, 0.15, 0.13), fat=0.45),
    "chicken": Fowl(0.27, 0.25, 0.35, 0.14, 0.12, 0.45, 0.55, 0.8, ((0.35, 0.13, 0.04), (0.7, 0.67, 0.6), (0.05, 0.04,
        0.04)), bill=(0.5, 0.35, 0.1), comb=True, fat=0.66),
    "goose": Fowl(0.5, 0.2, 0.6, 0.12, 0.17, 0.35, 0.25, 1.4, ((0.35, 0.3, 0.25), (0.7, 0.68, 0.64)), bill=(0.5, 0.25,
        0.05), flat_bill=True, fat=0.58),
    "penguin": Fowl(0.5, 1.4, 0.12, 0.17, 0.2, 0.08, 0.15, 0.55, ((0.02, 0.02, 0.025),), bill=(0.05, 0.04, 0.03),
        fat=0.5, hood=False),
    "ostrich": Fowl(0.95, 0.25, 0.95, 0.09, 0.12, 1.2, 0.3, 0.6, ((0.03, 0.025, 0.02), (0.2, 0.17, 0.14)), bill=(0.35,
        0.25, 0.2), fat=0.6),
}  # fmt: skip


def bird(palette: Palette, sort: str, *, posture: str = "any", near: bool = True) -> Thing:
    """A bird in its real size: its feet (or, flying, the lowest point) on y = 0; it looks along +z."""
    plan = BIRDS[sort]
    if posture == "any":
        posture = "fly" if plan.span > 1.0 and palette.chance(0.2) else "stand"
    fly = posture == "fly"
    colour = plan.colours[int(palette.rng.integers(len(plan.colours)))]
    pattern = ("clouds", "strands", "leaves", "plain")[int(palette.rng.integers(4))]
    plumage = Material(
        palette.near(colour),
        palette.near(tuple(0.5 * c for c in colour)),
        pattern,  # type: ignore[arg-type]
        palette.spread(8 / plan.size),
        shine=0.05,
        bump=0.001,
        seed=palette.seed(),
    )
    pale = sort in ("penguin", "sparrow", "owl", "gull") or palette.chance(0.25)
    breast = (
        Material(palette.near((0.62, 0.58, 0.5)), palette.near((0.45, 0.4, 0.33)), "clouds", 10 / plan.size)
        if pale
        else plumage
    )
    tilt = 0.12 if fly else plan.tilt + 0.1 * palette.rng.normal()
    turn = frame([0, np.sin(tilt), np.cos(tilt)])
    parts: Thing = moved(_body(plan, plumage, breast, near=near), turn, (0, 0, 0))
    throat = turn @ np.array([0, 0.05, 0.42])
    parts += _neck_and_head(palette, plan, throat, plumage, breast, fly=fly, near=near)
    parts += moved(_tail(plan, plumage, near=near), turn, (0, 0, 0))
    for side in (-1, 1):
        parts += moved(_wing(palette, plan, side, plumage, fly=fly, near=near), turn, (0, 0, 0))
        if not fly:
            parts += _leg(palette, plan, side, near=near)
    return on_ground(merge(moved(parts, np.eye(3), (0, 0, 0), plan.size * palette.spread(1, 1.12))))


def _body(plan: Fowl, plumage: Material, breast: Material, *, near: bool) -> Thing:
    """The trunk, length one, around the origin along +z, and a paler breast."""
    z = np.array([-0.55, -0.42, -0.25, 0.0, 0.22, 0.38, 0.48, 0.52])
    r = np.array([0.12, 0.42, 0.72, 1.0, 1.0, 0.76, 0.42, 0.15]) * plan.fat / 2
    size = np.stack([r * 0.95, r * 0.85, r * 1.1], 1)
    body = ringed(np.stack([0 * z, 0.06 * z, z], 1), size, plumage, sides=14 if near else 7)
    if breast is plumage:
        return [body]
    front = ringed(
        np.stack([0 * z, 0.06 * z - 0.035, z + 0.01], 1), size * [0.88, 0.6, 0.98], breast, sides=12 if near else 6
    )
    return [body, front]


def _neck_and_head(
    palette: Palette, plan: Fowl, throat: Doubles, plumage: Material, breast: Material, *, fly: bool, near: bool
) -> Thing:
    """A neck in a gentle S, a round head, eyes, and a beak."""
    rise = 0.15 if fly else (1.1 if plan.tilt < 1 else 1.35)
    long = plan.neck + plan.head * 0.6
    aim = np.array([0, np.sin(rise), np.cos(rise)])
    end = throat + aim * long
    bow = np.array([0, 0, 0.12 * plan.neck]) * (not fly)
    path = np.stack([throat - aim * 0.15 - [0, 0.05, 0.05], throat + bow, (throat + end) / 2 - bow * 0.6, end])
    slim = plan.head * (0.75 if plan.neck > 0.5 else 0.95)
    white = Material((0.75, 0.73, 0.68)) if palette.chance(0.6) else Material((0.02, 0.1, 0.06), shine=0.3)
    stuff = white if plan.hood else plumage
    parts: Thing = [
        tube(
            path,
            [plan.fat * 0.36, max(plan.fat * 0.3, slim), slim * 0.95, slim * 0.9],
            stuff if plan.hood else plumage,
            sides=12 if near else 6,
        )
    ]
    turn = frame([np.sin(look := 0.5 * palette.rng.normal()), -0.12, np.cos(look)])
    h = plan.head
    head: Thing = [ellipsoid((0.9 * h, 0.95 * h, 1.12 * h), stuff, sides=14 if near else 7)]
    bill = Material(palette.near(plan.bill, 1.1), shine=0.25, gloss=0.6)
    t = np.linspace(0, 1, 6)
    wide = np.interp(t, [0, 0.6, 1], [0.5, 0.36, 0.3] if plan.flat_bill else [0.38, 0.24, 0.04]) * h
    deep = np.interp(t, [0, 0.5, 1], [0.4, 0.16, 0.1] if plan.flat_bill else [0.42, 0.3, 0.04]) * h
    drop = -plan.hook * plan.beak * 0.55 * t**2.2
    centre = np.stack([0 * t, -0.12 * h + drop, 0.85 * h + plan.beak * t], 1)
    head.append(ringed(centre, np.stack([wide, deep, deep * 0.8], 1), bill, sides=8 if near else 4))
    if plan.comb:
        red = Material((0.5, 0.03, 0.03))
        head += [
            ellipsoid((0.12 * h, 0.5 * h, 0.8 * h), red, sides=6, at=(0, 1.1 * h, 0.1 * h)),
            ellipsoid((0.1 * h, 0.5 * h, 0.25 * h), red, sides=5, at=(0, -0.8 * h, 0.9 * h)),
        ]
    if near:
        owl = plan.head > 0.25
        ring = Material((0.6, 0.4, 0.05) if plan.hook > 0.9 else (0.05, 0.03, 0.02), shine=0.1, gloss=0.95)
        dark = Material((0.005, 0.005, 0.005), shine=0.1, gloss=0.95)
        for side in (-1, 1):
            at = np.array([side * (0.42 if owl else 0.72), 0.22, 0.95 if owl else 0.55]) * h
            out = np.array([side * (0.2 if owl else 0.9), 0, 1.0 if owl else 0.3]) * h
            head += [
                ellipsoid(np.full(3, 0.22 * h), ring, sides=8, at=at),
                ellipsoid(np.full(3, 0.15 * h), dark, sides=6, at=at + 0.11 * out),
            ]
    return parts + moved(head, turn, end)


def _tail(plan: Fowl, plumage: Material, *, near: bool) -> Thing:
    """A flat fan behind."""
    t = np.linspace(0, 1, 4)
    wide = np.interp(t, [0, 1], [0.14, 0.1 + 0.16 * min(plan.tail, 0.6)])
    centre = np.stack([0 * t, 0.02 + 0.1 * t * plan.comb, -0.4 - plan.tail * t], 1)
    return [
        ringed(centre[::-1], np.stack([wide, 0 * t + 0.035, 0 * t + 0.03], 1)[::-1], plumage, sides=8 if near else 4)
    ]


def _wing(palette: Palette, plan: Fowl, side: int, plumage: Material, *, fly: bool, near: bool) -> Thing:
    """A wing, folded against the trunk or spread."""
    dark = Material(
        tuple(np.asarray(plumage.colour) * 0.6), plumage.second, plumage.pattern, plumage.frequency, seed=plumage.seed
    )
    if not fly:
        z = np.array([0.36, 0.3, 0.1, -0.15, -0.45, -0.75])[::-1]
        high = np.array([0.05, 0.14, 0.19, 0.17, 0.1, 0.02])[::-1] * (plan.fat / 0.5)
        size = np.stack([0 * z + 0.03, high, high], 1)
        out = plan.fat * 0.46 * np.array([0.75, 0.95, 1.02, 0.9, 0.55, 0.25])[::-1]
        return [ringed(np.stack([side * out, 0.06 + 0.1 * z, z], 1), size, dark, sides=8 if near else 5)]
    return [_spread(plan, side, dark, palette.between(-0.5, 0.8), near=near)]


def _spread(plan: Fowl, side: int, stuff: Material, beat: float, *, near: bool) -> Part:
    """A spread wing: chords from the shoulder to the tip, with fingers at the end; beat is how far it is raised."""
    n = 9 if near else 5
    s = np.linspace(0, 1, n)
    x = plan.span * s
    y = 0.1 + plan.span * (np.sin(beat) * s - 0.5 * np.sin(beat) * s**2.2)
    lead = 0.28 + 0.18 * np.sin(np.pi * np.minimum(s * 1.3, 1)) - 0.35 * np.maximum(s - 0.5, 0) * plan.span * 0.5
    chord = np.interp(s, [0, 0.3, 0.7, 1], [0.62, 0.6, 0.48, 0.12]) * (0.75 + 0.25 * plan.span / 2)
    rings = []
    for i in range(n):
        c = chord[i]
        outline = np.array([(0, lead[i]), (0.035, lead[i] - 0.25 * c), (0.0, lead[i] - c), (-0.02, lead[i] - 0.5 * c)])
        rings.append(np.stack([np.full(4, side * x[i]), y[i] + outline[:, 0], outline[:, 1]], 1))
    order = np.stack(rings)
    return loft(order if side < 0 else order[:, ::-1], stuff)


def _leg(palette: Palette, plan: Fowl, side: int, *, near: bool) -> Thing:
    """A thigh, a thin shank that bends backwards, and toes."""
    stuff = Material(palette.near((0.35, 0.2, 0.1) if plan.bill[0] > 0.2 else (0.1, 0.08, 0.07)), shine=0.1)
    x, top, low = side * plan.fat * 0.24, -plan.fat * 0.25, -plan.fat * 0.45 - plan.leg
    knee = np.array([x, (top + low) / 2, -0.06 - 0.05 * plan.leg])
    parts: Thing = [
        tube([(x, top, 0.0), knee, (x, low, 0.02)], np.array([0.05, 0.026, 0.022]), stuff, sides=6 if near else 4)
    ]
    for angle in (-0.5, 0.0, 0.5, np.pi) if near else (0.0,):
        toe = np.array([np.sin(angle), -0.03, np.cos(angle)]) * (0.2 if abs(angle) < 1 else 0.12)
        parts.append(
            tube([(x, low + 0.015, 0.02), np.array([x, low + 0.005, 0.02]) + toe], [0.024, 0.012], stuff, sides=4)
        )
    return parts
