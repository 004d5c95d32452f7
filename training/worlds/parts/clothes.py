"""Skin and cloth around a skeleton: trunk, limbs, hands, shoes, and garments that hang more or less loosely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, bumpy, grid, loft, tube
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles, frame, limb, moved, ringed
from training.worlds.parts.poses import Build, Skeleton

# height from hips (0) to base of the neck (1); half-width, front and back depth of a lean man of 1.75 m, metres
_TRUNK = np.array([
    (-0.24, 0.085, 0.05, 0.06), (-0.12, 0.150, 0.085, 0.105), (0.0, 0.166, 0.092, 0.118), (0.18, 0.156, 0.092, 0.102),
    (0.38, 0.140, 0.092, 0.085), (0.55, 0.150, 0.104, 0.090), (0.75, 0.170, 0.118, 0.095), (0.86, 0.180, 0.100, 0.095),
    (0.94, 0.168, 0.072, 0.085), (1.0, 0.115, 0.052, 0.072), (1.06, 0.066, 0.050, 0.060), (1.12, 0.056, 0.052, 0.056),
])  # fmt: skip
LEG = (0.088, 0.080, 0.066, 0.054, 0.056, 0.047, 0.038)
ARM = (0.056, 0.049, 0.043, 0.040, 0.040, 0.034, 0.027)


def trunk_points(body: Skeleton, heights: ArrayLike, around: ArrayLike, loose: ArrayLike = 0.0) -> Doubles:
    """Points (rows, columns, 3) on the trunk: heights (rows,) of the table, around (…, columns) radians from +z."""
    b, t = body.build, np.asarray(heights, np.float64)
    w, front, back = (np.interp(t, _TRUNK[:, 0], _TRUNK[:, i]) for i in (1, 2, 3))
    belly, chest = np.exp(-(((t - 0.28) / 0.28) ** 2)), np.exp(-(((t - 0.72) / 0.11) ** 2))
    upper = np.clip((t - 0.6) / 0.3, 0, 1) * (t < 0.98)
    w = w * (1 + upper * (b.shoulder / b.unit / 0.185 - 1)) + 0.055 * b.fat * belly
    front = front + 0.10 * b.fat**1.3 * belly + 0.028 * chest * (b.female and b.height > 1.4)
    back = back + 0.02 * b.fat * belly
    if b.female:
        w = w * (1 - 0.07 * np.exp(-(((t - 0.42) / 0.15) ** 2)) + 0.05 * np.exp(-(((t - 0.0) / 0.2) ** 2)))
    size = (b.girth * 0.5 + b.unit * 0.5) * 0.98
    extra = np.broadcast_to(np.asarray(loose, np.float64), t.shape) * b.unit
    w, front, back = ((v * size + extra)[:, None] for v in (w, front, back))
    a = np.asarray(around, np.float64)
    s, c = np.sin(a), np.cos(a)
    local = np.stack(
        np.broadcast_arrays(
            w * np.sign(s) * np.abs(s) ** 0.85, 0.0, np.where(c > 0, front, back) * np.sign(c) * np.abs(c) ** 0.9
        ),
        -1,
    )
    knots = np.linspace(0, 1, 9)
    turns = np.stack([np.interp(t, knots, body.turns.reshape(9, 9)[:, i]) for i in range(9)], 1).reshape(-1, 3, 3)
    centre = np.stack([np.interp(t, knots, body.spine[:, i]) for i in range(3)], 1)
    over = np.where(t < 0, t, np.maximum(t - 1, 0)) * b.trunk
    centre = centre + turns[:, :, 1] * over[:, None]
    return np.einsum("rij,rcj->rci", turns, local) + centre[:, None]


def trunk(
    body: Skeleton, low: float, high: float, material: Material, *, near: bool, loose: float = 0.0, hem: float = 0.0
) -> Part:
    """The skin of the trunk between two heights, `loose` metres off the body and `hem` more at the lower end."""
    rows, columns = (14, 18) if near else (6, 8)
    t = np.linspace(low, high, rows)
    off = loose + hem * np.clip((low + 0.35 - t) / 0.35, 0, 1)
    return loft(trunk_points(body, t, np.linspace(0, 2 * np.pi, columns, endpoint=False)[None], off), material)


def strip(body: Skeleton, heights: Sequence[float], widths: Sequence[float], material: Material, off: float) -> Part:
    """A sheet on the breast: half-widths (radians around the trunk) at heights; ties, shirt fronts, aprons."""
    t = np.linspace(heights[-1], heights[0], 10)
    half = np.interp(t, heights, widths)
    return grid(trunk_points(body, t, half[:, None] * np.linspace(-1, 1, 5)[None], off), material)


def sleeve(body: Skeleton, i: int, material: Material, *, near: bool, share: float = 1.0, loose: float = 0.0) -> Part:
    """A skin around an arm from within the shoulder to `share` of its length (0.45 ends above the elbow)."""
    joints = body.arms[i][:3]
    inside = joints[0] + (body.spine[-1] - joints[0]) * 0.35 - body.turns[-1][:, 1] * 0.02 * body.build.unit
    radii = np.array(ARM) * body.build.girth + loose * body.build.unit
    return _shortened(np.concatenate([inside[None], joints]), radii, share, material, near=near, skip=0.07)


def trouser(body: Skeleton, i: int, material: Material, *, near: bool, share: float = 1.0, loose: float = 0.0) -> Part:
    """A skin around a leg from the hip to `share` of its length."""
    joints = body.legs[i].copy()
    joints[0] += (joints[1] - joints[0]) * 0.03
    radii = np.array(LEG) * (0.55 * body.build.girth + 0.45 * body.build.unit) * (1.06 if body.build.female else 1.0)
    radii = radii + np.array([0.3, 0.6, 1, 1, 1, 1.2, 1.2]) * loose * body.build.unit
    return _shortened(joints, radii, share, material, near=near, skip=0.0)


def _shortened(joints: Doubles, radii: Doubles, share: float, material: Material, *, near: bool, skip: float) -> Part:
    """A limb that ends at a share of its length; the radii begin after `skip` of it."""
    length = np.concatenate([[0], np.linalg.norm(np.diff(joints, axis=0), axis=1).cumsum()])
    length /= length[-1]
    keep = length < share - 0.02
    end = np.array([np.interp(share, length, joints[:, k]) for k in range(3)])
    at = np.linspace(0, share, 8)
    r = np.interp((at - skip) / (1 - skip), np.linspace(0, 1, len(radii)), radii)
    return limb(
        np.concatenate([joints[keep], end[None]]), list(r), material, sides=10 if near else 5, rows=10 if near else 4
    )


def skirt(
    body: Skeleton,
    length: float,
    flare: float,
    material: Material,
    *,
    near: bool,
    top: float = 0.3,
    loose: float = 0.012,
) -> Part:
    """A skirt or the tails of a coat: from the waist over both legs down to `length` (1 is the ankle) of them."""
    b = body.build
    columns = 24 if near else 9
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    waist = trunk_points(body, np.linspace(top, -0.02, 4), around[None], loose + np.linspace(0, 0.02, 4))
    s = np.linspace(0.12, length, 8 if near else 4)
    left, right = (np.stack([np.interp(s, [0, 0.5, 1], leg[:, k]) for k in range(3)], 1) for leg in body.legs)
    middle, gap = (left + right) / 2, left - right
    along = np.gradient(np.concatenate([body.spine[:1], middle]), axis=0)[1:]
    radius = np.interp(s, [0, 0.2, 0.5, 1], [0.13, 0.11, 0.09, 0.08]) * b.girth + flare * s * b.unit
    rings = []
    for c, g, d, r in zip(middle, gap, along, radius, strict=True):
        down = d / (np.linalg.norm(d) + 1e-9)
        flat = np.array([1.0, 0, 0]) - down * down[0]
        flat /= np.linalg.norm(flat)
        front = np.cross(down, flat)
        front = front if front[2] > 0 or front[1] > 0.5 else -front
        wide = np.abs(g @ flat) / 2 + r
        deep = np.abs(g @ front) / 2 + r
        fold = 1 + 0.06 * np.sin(around * 7 + 3 * r) * (flare > 0.03)
        rings.append(
            c + (np.sin(around) * wide * fold)[:, None] * flat + (np.cos(around) * deep * fold)[:, None] * front
        )
    return loft(np.concatenate([waist, np.stack(rings)])[::-1], material)


def hand(body: Skeleton, i: int, skin: Material, palette: Palette, *, near: bool) -> Thing:
    """A hand: a palm with four fingers and a thumb, or a mitten."""
    u, side = body.build.unit * (0.9 if body.build.female else 1.0), (1.0, -1.0)[i]
    wrist, tip = body.arms[i][2], body.arms[i][3]
    outward = body.turns[-1] @ np.array([side, 0.25, 0.0])
    turn = frame(tip - wrist, outward)
    curl = palette.between(0.05, 1.1)
    if not near:
        z = np.array([-0.01, 0.06, 0.16])
        size = np.stack([[0.022, 0.042, 0.018], [0.02, 0.022, 0.01], [0.02, 0.022, 0.01]], 1)
        centre = np.stack([0 * z, -curl * 3 * np.maximum(z - 0.05, 0) ** 2, z], 1)
        return moved([ringed(centre, size, skin, sides=4)], turn, wrist, u)
    z = np.array([-0.015, 0.01, 0.045, 0.08, 0.097])
    size = np.stack(
        [[0.026, 0.031, 0.039, 0.041, 0.037], [0.021, 0.018, 0.015, 0.013, 0.01], [0.021, 0.019, 0.017, 0.013, 0.009]],
        1,
    )
    parts: Thing = [ringed(np.stack([0 * z, 0 * z, z], 1), size, skin, sides=10)]
    for k, long in enumerate((0.068, 0.077, 0.072, 0.056)):
        x = -side * (0.030 - 0.0195 * k)
        bend = np.cumsum([0.3, 0.45, 0.4]) * curl * palette.between(0.8, 1.2)
        steps = (
            np.stack([x * 0.08 * np.ones(3), -np.sin(bend), np.cos(bend)], 1)
            * long
            * np.array([[0.42], [0.33], [0.25]])
        )
        path = np.array([x, -0.001, 0.088]) + np.concatenate([np.zeros((1, 3)), steps.cumsum(0)])
        parts.append(tube(path, [0.0098, 0.0094, 0.0085, 0.0065], skin, sides=6))
    out = palette.between(0.2, 1.0)
    thumb = np.array(
        [
            [-side * 0.025, -0.004, 0.015],
            [-side * (0.036 + 0.02 * out), -0.012, 0.05],
            [-side * (0.036 + 0.03 * out), -0.018, 0.085],
        ]
    )
    parts.append(tube(thumb, [0.015, 0.0118, 0.0085], skin, sides=6))
    return moved(parts, turn, wrist, u)


def shoe(body: Skeleton, i: int, upper: Material, sole: Material, *, near: bool) -> Thing:
    """A shoe that points where the toes do."""
    u = body.build.unit * (0.92 if body.build.female else 1.0)
    z = np.array([-0.078, -0.066, -0.02, 0.04, 0.10, 0.15, 0.178])
    wide = np.array([0.018, 0.034, 0.037, 0.041, 0.047, 0.040, 0.016])
    up = np.array([0.045, 0.065, 0.07, 0.052, 0.028, 0.018, 0.008])
    pick = slice(None) if near else np.array([0, 2, 6])
    centre = np.stack([0 * z, 0 * z - 0.045, z], 1)[pick]
    turn = frame(body.toes[i])
    parts = [ringed(centre, np.stack([wide, up, 0 * z + 0.012], 1)[pick], upper, sides=10 if near else 5, power=2.4)]
    if near:
        low = centre - [0, 0.016, 0]
        parts.append(
            ringed(
                low * [1, 1, 1.02], np.stack([wide * 1.06, 0 * z + 0.012, 0 * z + 0.016], 1), sole, sides=10, power=4
            )
        )
    return moved(parts, turn, body.legs[i][2], u)


def neck(body: Skeleton, skin: Material, *, near: bool) -> Part:
    """From between the shoulders into the head."""
    u = body.build.unit
    base = body.spine[-1] - body.turns[-1][:, 1] * 0.04 * u
    inside = body.head_at + body.head_turn @ np.array([0, 0.075, -0.012]) * body.build.head
    r = (0.046 if body.build.female else 0.055) * (0.6 * body.build.girth + 0.4 * u)
    return tube([base, base * 0.5 + inside * 0.5, inside], [r * 1.25, r, r], skin, sides=12 if near else 5)


def belongings(palette: Palette, body: Skeleton, *, near: bool) -> Thing:
    """A backpack, a handbag or a bag across the shoulder."""
    u, turn = body.build.unit, body.turns[5]
    stuff = palette.leather() if palette.chance(0.4) else palette.fabric()
    kind = str(palette.one_of("backpack", "handbag", "across"))
    back = trunk_points(body, [0.62], [[np.pi]], 0.02)[0, 0]
    z = np.array([0, 0.02, 0.1, 0.19, 0.22]) * palette.between(0.6, 1.2)
    size = np.array([0.11, 0.15, 0.155, 0.14, 0.09])[:, None] * [1, 1.5, 1.5] * palette.between(0.7, 1.15)
    if kind == "backpack":
        pack = ringed(np.stack([0 * z, 0 * z - 0.02, -z], 1)[::-1], size[::-1], stuff, sides=10 if near else 6, power=4)
        parts = moved([pack], turn, back, u)
        for side in (-1, 1):
            a = side * np.array([0.9, 0.75, 0.7, 1.2, 2.0])
            path = trunk_points(body, [0.5], a[None, :1], 0.02)[0]
            rest = [
                trunk_points(body, [t], [[b]], 0.018)[0] for t, b in zip((0.75, 0.97, 1.0, 0.9), a[1:], strict=True)
            ]
            parts.append(tube(np.concatenate([path, *rest]), 0.017 * u, stuff, sides=5, flat=0.6))
        return parts
    z = np.array([-0.06, -0.05, 0.05, 0.06])[:, None] * [0, 0, 1]
    bag = ringed(
        z, [(0.12, 0.1, 0.1), *[(0.15, 0.12, 0.13)] * 2, (0.12, 0.1, 0.1)], stuff, sides=10 if near else 6, power=5
    )
    if kind == "handbag":
        at = body.arms[1][3] - np.array([0, 0.2, 0]) * u
        handle = tube(at + np.array([(0, 0.1 * u, -0.06), (0, 0.2 * u, 0), (0, 0.1 * u, 0.06)]), 0.008, stuff, sides=4)
        return [*moved([bag], frame([1, 0, 0]), at, 0.85 * u), handle]
    side = 1 if palette.chance(0.5) else -1
    at = trunk_points(body, [0.0], [[side * np.pi / 2]], 0.09)[0, 0]
    front = trunk_points(body, np.linspace(0.05, 1.0, 7), side * np.linspace(1.4, -1.3, 7)[:, None], 0.018)[:, 0]
    return [*moved([bag], frame([side, 0, 0]), at, 0.8 * u), tube(front, 0.012 * u, stuff, sides=5)]


def creased(part: Part, palette: Palette, build: Build, amount: float = 0.006) -> Part:
    """Cloth with folds."""
    return bumpy(part, palette.rng, amount * build.unit, palette.between(0.03, 0.1))
