"""Animals for the eye of somebody right before them: a head modelled finely, a body that recedes, paws with pads.

Unit: half the width of the skull; the origin is the middle of the skull, the face looks along +z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, bumpy, ellipsoid, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles, frame, moved, ringed, split
from training.worlds.parts.many import merge, rods


@dataclass(frozen=True, slots=True)
class Plan:
    """One sort: half-width of the skull (metres); snout, eyes and ears in these; coats; whether it is a cat."""

    half: float
    snout: float
    muzzle: float
    eye: float
    ears: str
    ear: float
    coats: tuple[tuple[float, float, float], ...]
    pattern: str = ""
    cat: bool = False


_PETS = (
    (0.3, 0.2, 0.1),
    (0.25, 0.23, 0.2),
    (0.03, 0.03, 0.03),
    (0.5, 0.25, 0.08),
    (0.65, 0.62, 0.58),
    (0.45, 0.3, 0.14),
)
_TABBY = ((0.35, 0.22, 0.1), (0.3, 0.27, 0.22), (0.5, 0.27, 0.1))
PLANS = {
    "cat": Plan(0.046, 0.25, 1.0, 0.23, "point", 0.85, _PETS, cat=True),
    "tabby": Plan(0.046, 0.25, 1.0, 0.23, "point", 0.85, _TABBY, "tabby", cat=True),
    "kitten": Plan(0.036, 0.15, 0.85, 0.27, "point", 0.9, _PETS, cat=True),
    "dog": Plan(0.065, 1.1, 1.0, 0.15, "hang", 1.1, _PETS),
    "puppy": Plan(0.05, 0.6, 1.0, 0.18, "hang", 0.9, _PETS),
    "husky": Plan(0.07, 1.0, 0.95, 0.14, "point", 0.7, ((0.2, 0.2, 0.21), (0.05, 0.05, 0.05), (0.4, 0.25, 0.15))),
    "pug": Plan(0.065, 0.12, 1.35, 0.2, "hang", 0.5, ((0.55, 0.42, 0.27), (0.03, 0.03, 0.03))),
    "fox": Plan(0.05, 1.1, 0.75, 0.14, "point", 1.0, ((0.45, 0.18, 0.05),)),
    "bear": Plan(0.15, 1.0, 1.05, 0.09, "round", 0.5, ((0.12, 0.06, 0.03), (0.02, 0.02, 0.02), (0.6, 0.57, 0.5))),
    "tiger": Plan(0.14, 0.6, 1.25, 0.14, "round", 0.45, ((0.5, 0.22, 0.05),), "tiger", cat=True),
    "lion": Plan(0.14, 0.7, 1.2, 0.13, "round", 0.45, ((0.42, 0.27, 0.12),), cat=True),
    "seal": Plan(0.1, 0.35, 1.2, 0.2, "none", 0.0, ((0.2, 0.19, 0.18), (0.5, 0.48, 0.45))),
    "rabbit": Plan(0.032, 0.45, 1.0, 0.24, "point", 2.0, _PETS),
}  # fmt: skip


def _lumps(plan: Plan) -> Doubles:
    """Ellipsoids (n, 2, 3) whose smooth hull is the head: centres and radii."""
    s, m = plan.snout, plan.muzzle
    front = 0.62 + s
    lumps = [((0, 0.1, -0.15), (1.0, 0.85, 0.95)), ((0, -0.58 + 0.1 * min(s, 1), front - 0.2), (0.24 * m, 0.18, 0.3))]
    for x in (-1, 1):
        lumps.append(((x * 0.48, -0.28, 0.1), (0.52, 0.48, 0.6)))
        lumps.append(((x * 0.17 * m, -0.36, front - 0.12), (0.28 * m, 0.24, 0.3)))
        lumps.append(((x * 0.38, 0.34, 0.48), (0.3, 0.2, 0.32)))
    for k in np.linspace(0.45, front - 0.1, 5):
        t = (k - 0.45) / max(front - 0.55, 0.1)
        lumps.append(((0, 0.08 - 0.3 * t, k), (0.3 * m * (1 - 0.1 * t), 0.3 - 0.06 * t, 0.35)))
        lumps.append(((0, -0.3 - 0.08 * t, k), (0.4 * m * (1 - 0.25 * t), 0.3, 0.35)))
    return np.array(lumps, np.float64)


def _reach(lumps: Doubles, way: Doubles) -> Doubles:
    """How far the head reaches from its middle in directions (…, 3)."""
    centre, radii = lumps[:, 0], lumps[:, 1]
    d, c = way[..., None, :] / radii, centre / radii
    a, b, q = (d * d).sum(-1), (d * c).sum(-1), (c * c).sum(-1) - 1
    inside = b * b - a * q
    far = np.where(inside > 0, (b + np.sqrt(np.maximum(inside, 0))) / a, 0.0)
    return np.log(np.exp(14 * np.maximum(far, 0)).sum(-1)) / 14 - 0.03


def coat(palette: Palette, plan: Plan) -> tuple[Material, Material]:
    """Fur, and the paler or darker fur of muzzle and throat."""
    base = palette.near(plan.coats[int(palette.rng.integers(len(plan.coats)))], 1.2)
    dark = tuple(0.45 * v for v in base)
    fine = palette.between(2.5, 5) / plan.half
    fur = Material(base, dark, "strands", fine, shine=0.02, bump=0.012 * plan.half, seed=palette.seed())
    if plan.pattern == "tabby":
        fur = replace(fur, pattern="marble", second=palette.near((0.06, 0.045, 0.03)), frequency=0.45 / plan.half)
    elif plan.pattern == "tiger":
        fur = replace(fur, pattern="stripes", second=(0.02, 0.015, 0.01), frequency=0.6 / plan.half)
    pale = tuple(float(v) for v in np.clip(np.array(base) * 1.5 + 0.12, 0, 0.8)) if palette.chance(0.6) else base
    under = replace(fur, colour=pale, second=tuple(0.8 * v for v in pale), pattern="strands", frequency=fine)
    return fur, under


def _hairs(palette: Palette, at: Doubles, normal: Doubles, long: float, stuff: Material) -> Part:
    """Loose hairs that lie back over a surface and break its outline."""
    r = palette.rng
    lean = normal * 0.7 + np.array([0, -0.25, -0.7]) + 0.25 * r.normal(size=at.shape)
    lean /= np.linalg.norm(lean, axis=1, keepdims=True)
    ends = at + lean * long * r.uniform(0.5, 1.3, (len(at), 1))
    return rods(at - lean * 0.02, ends, 0.08 * long, stuff, sides=3, thin=0.15)


def face(palette: Palette, plan: Plan, fur: Material, under: Material) -> Thing:
    """A head in units of its half-width."""
    lumps = _lumps(plan)
    # the pole lies behind, so that the net is finest at the nose
    rise, around = (
        np.linspace(0.012, np.pi - 0.02, 70)[::-1, None],
        np.linspace(0, 2 * np.pi, 64, endpoint=False)[None],
    )
    rise = np.pi * (rise / np.pi) ** 1.35
    way = np.stack([np.sin(rise) * np.cos(around), np.sin(rise) * np.sin(around), np.cos(rise) + 0 * around], -1)
    points = way * _reach(lumps, way)[..., None]
    eyes = [_eye(palette, plan, lumps, side, fur) for side in (-1, 1)]
    for thing, at in eyes:
        gone = np.linalg.norm(points - at, axis=-1)
        points -= way * (0.5 * plan.eye * np.exp(-((gone / (1.0 * plan.eye)) ** 2)))[..., None]
        del thing
    skin = bumpy(loft(points, fur), palette.rng, 0.012, 0.25)
    v = skin.vertices
    front = 0.62 + plan.snout
    low = (v[:, 1] < -0.16 + 0.1 * np.abs(v[:, 0])) & (v[:, 2] > 0.25 * front)
    parts: Thing = split(skin, low | (v[:, 1] < -0.5), under)
    for thing, _ in eyes:
        parts += thing
    parts += _nose(palette, plan, lumps)
    pick = palette.rng.integers(0, points.shape[0] * points.shape[1], 1100)
    p, w = points.reshape(-1, 3)[pick], way.reshape(-1, 3)[pick]
    keep = p[:, 2] < 0.5
    parts.append(_hairs(palette, p[keep], w[keep], palette.between(0.07, 0.16), fur))
    return parts + _ears(palette, plan, fur)


def _on(lumps: Doubles, way: ArrayLike) -> tuple[Doubles, Doubles]:
    """The point of the head in a direction, and its outward normal."""
    d = np.asarray(way, np.float64)
    d = d / np.linalg.norm(d)
    side = frame(d)
    p, q, r = (t * _reach(lumps, t) for t in (d, d + 0.02 * side[:, 0], d + 0.02 * side[:, 1]))
    normal = np.cross(q - p, r - p)
    return p, normal / np.linalg.norm(normal) * np.sign(normal @ d)


def _eye(palette: Palette, plan: Plan, lumps: Doubles, side: int, fur: Material) -> tuple[Thing, Doubles]:
    """An eye in its socket: ball, iris, pupil, dark rim, lids; and where it is."""
    same = Palette(np.random.default_rng([round(plan.half * 1e5), fur.seed]), palette.tiles)
    at, normal = _on(lumps, (side * (0.42 if plan.cat else 0.46), 0.17, 0.8))
    normal = normal + np.array([0, 0.1, 0.9])
    axes = frame(normal)
    e = plan.eye
    if plan.cat:
        iris = Material(
            same.near(same.one_of((0.35, 0.3, 0.04), (0.18, 0.32, 0.08), (0.45, 0.25, 0.03), (0.15, 0.3, 0.4))),
            shine=0.35,
            gloss=0.96,
        )
    else:
        iris = Material(
            same.near(same.one_of((0.05, 0.022, 0.01), (0.12, 0.06, 0.02), (0.02, 0.012, 0.008))), shine=0.4, gloss=0.97
        )
    black = Material((0.006, 0.006, 0.006), shine=0.12, gloss=0.96)
    wide = same.between(0.12, 0.5) if plan.cat else 0.45
    a = np.linspace(0, 2 * np.pi, 17)
    rim = np.stack([np.cos(a) * e * 1.0, np.sin(a) * e * 0.78 + 0.1 * e * np.cos(a) * side, 0.62 * e + 0 * a], 1)
    ball: Thing = [
        ellipsoid((e, e, e), iris, sides=18),
        ellipsoid((e * wide, e * 0.55, e * 0.25), black, sides=12, at=(0, 0, 0.82 * e)),
        tube(rim, 0.13 * e, black, sides=6),
        ellipsoid(
            (e * 1.22, e * 0.8, e * 1.02), fur, sides=14, at=(0, e * (0.78 + 0.1 * palette.rng.random()), -0.12 * e)
        ),
        ellipsoid((e * 1.2, e * 0.7, e * 1.0), fur, sides=14, at=(0, -0.92 * e, -0.15 * e)),
    ]
    return moved(ball, axes, at - 0.55 * e * axes[:, 2]), at


def _nose(palette: Palette, plan: Plan, lumps: Doubles) -> Thing:
    """Nose, mouth, whiskers."""
    r = palette.rng
    pink = plan.cat and palette.chance(0.55)
    skin = Material((0.45, 0.22, 0.18) if pink else (0.02, 0.018, 0.018), shine=0.25, gloss=0.6)
    front = 0.62 + plan.snout
    at, _ = _on(lumps, (0, -0.16, front + 0.1))
    size = np.array([0.17, 0.12, 0.1]) * (plan.muzzle if plan.cat else 1.35 * plan.muzzle)
    parts: Thing = [ellipsoid(size, skin, sides=14, at=at - np.array([0, 0, 0.03]))]
    hole = Material((0.01, 0.005, 0.005))
    parts += [ellipsoid(size * [0.22, 0.3, 0.3], hole, sides=7, at=at + size * [x, -0.3, 0.72]) for x in (-0.45, 0.45)]
    for x in (-1, 1):
        line = [
            (0, -0.3, front),
            (0.02 * x, -0.46, front),
            (0.16 * x, -0.56, front - 0.05),
            (0.34 * x, -0.5, front * 0.8),
        ]
        path = np.array([_on(lumps, w)[0] for w in line])
        parts.append(tube(path, 0.02, Material((0.04, 0.02, 0.02)), sides=5))
        n = 7
        root = np.array(
            [_on(lumps, (x * (0.24 + 0.04 * (k % 2)), -0.28 - 0.05 * (k % 4), front * 0.9))[0] for k in range(n)]
        )
        aim = np.stack([x * r.uniform(0.8, 1.2, n), r.normal(-0.1, 0.25, n), r.uniform(-0.3, 0.3, n)], 1)
        pale = Material((0.45, 0.45, 0.43))
        middle = root + 0.5 * aim
        tip = middle + 0.45 * aim + [0, -0.15, -0.1]
        parts.append(rods(np.concatenate([root, middle]), np.concatenate([middle, tip]), 0.005, pale, sides=3))
    return parts


def _ears(palette: Palette, plan: Plan, fur: Material) -> Thing:
    """Two ears."""
    parts: Thing = []
    inner = Material((0.42, 0.24, 0.2), (0.3, 0.17, 0.14), "clouds", 20, seed=fur.seed)
    k = plan.ear
    u = np.linspace(0, 1, 7)
    for side in (-1, 1):
        if plan.ears == "none":
            continue
        if plan.ears == "hang":
            root = np.array([side * 0.85, 0.45, -0.15])
            path = root + np.stack(
                [side * (0.25 * u + 0.1 * np.sin(3 * u)), 0.15 * np.sin(3 * u) - k * u**1.3, 0.15 * u], 1
            )
            wide = k * np.array([0.18, 0.32, 0.4, 0.42, 0.38, 0.25, 0.08])
            parts.append(ringed(path, np.stack([0 * u + 0.06, wide, wide], 1), fur, turn=_down(path, side), sides=10))
            continue
        aim = np.array([side * 0.5, 1.0, -0.1]) + palette.rng.normal(0, 0.08, 3)
        turn = frame(aim, (0, 0, 1))
        root = np.array([side * 0.58, 0.62, -0.1])
        shape = (
            np.array([1.0, 1.0, 0.88, 0.7, 0.48, 0.25, 0.04])
            if plan.ears == "point"
            else np.sqrt(np.maximum(1 - (u * 1.02) ** 2.5, 0.01))
        )
        wide = 0.42 * min(k, 1.0) * shape
        spine = np.stack([0 * u, 0.1 * wide, (u - 0.12) * k], 1)
        parts += moved([ringed(spine, np.stack([wide, 0.22 * wide, 0.5 * wide], 1), fur, sides=12)], turn, root)
        parts += moved(
            [
                ringed(
                    spine + [0, 0.12, 0] * wide[:, None],
                    np.stack([0.78 * wide, 0.16 * wide, 0.1 * wide], 1),
                    inner,
                    sides=12,
                )
            ],
            turn,
            root,
        )
    return parts


def _down(path: Doubles, side: int) -> Doubles:
    """Frames (k, 3, 3) along a path that hangs: x through an ear's flat side, which looks forward and outward."""
    along = np.gradient(path, axis=0)
    return np.stack([frame(a, (0.75 * side, 0, -0.6)) for a in along])


def paw(size: float, fur: Material, *, pads: bool) -> Thing:
    """A paw that points along +z, its sole down; with pads if it shows its sole. Unit: its half-width."""
    parts: Thing = [ellipsoid((1.0, 0.72, 1.15), fur, sides=14)]
    for x in (-0.68, -0.24, 0.24, 0.68):
        parts.append(ellipsoid((0.3, 0.36, 0.5), fur, sides=10, at=(x, -0.12, 1.0 - 0.35 * x * x)))
    if pads:
        pink = Material((0.3, 0.14, 0.12) if fur.seed % 2 else (0.05, 0.04, 0.04), shine=0.1)
        parts.append(ellipsoid((0.5, 0.16, 0.42), pink, sides=12, at=(0, -0.66, 0.15)))
        parts += [
            ellipsoid((0.19, 0.14, 0.26), pink, sides=9, at=(x, -0.42, 1.05 - 0.35 * x * x))
            for x in (-0.68, -0.24, 0.24, 0.68)
        ]
    return place(parts, scale=size)


def close_beast(palette: Palette, sort: str, reach: float = 0.0, raised: bool = False) -> tuple[Thing, Doubles, float]:
    """An animal in metres on y = 0 that looks along +z; where its face is, and the half-width of its skull.

    Args:
        palette: Draws everything.
        sort: A key of `PLANS`.
        reach: How far the forepaws lie before the face, in half-widths; 0 keeps them under the chest.
        raised: One paw is held out towards the eye of the beholder, its pads to the front.
    """
    plan, r = PLANS[sort], palette.rng
    plan = replace(
        plan, snout=plan.snout * float(np.exp(0.12 * r.normal())), ear=plan.ear * float(np.exp(0.1 * r.normal()))
    )
    fur, under = coat(palette, plan)
    nod, look, tilt = 0.1 * r.normal(), 0.18 * r.normal(), 0.1 * r.normal()
    lying = palette.chance(0.6) or reach > 0
    body_y = -1.5 if lying else -2.3
    head = place(face(palette, plan, fur, under), yaw=look, pitch=nod, roll=tilt)
    parts: Thing = [*head]
    back = np.array(
        [
            (0, -0.1, -0.3),
            (0, -0.5, -1.2),
            (0, body_y + 0.5, -2.4),
            (0, body_y + 0.4, -4.0),
            (0, body_y + 0.2, -5.2),
            (0, body_y, -5.8),
        ]
    )
    girth = np.array([0.8, 1.05, 1.5, 1.65, 1.5, 0.6]) * palette.between(0.85, 1.1)
    body = bumpy(tube(back, girth, fur, sides=20), r, 0.05, 1.0)
    parts += split(body, body.vertices[:, 1] < body_y - 0.5, under)
    at = body.vertices[r.integers(0, len(body.vertices), 700)].astype(np.float64)
    parts.append(_hairs(palette, at, np.stack([at[:, 0], at[:, 1] - body_y, 0 * at[:, 0]], 1) / 1.5, 0.16, fur))
    ground = body_y - (1.25 if lying else 2.0)
    for side in (-1, 1):
        shoulder = np.array([side * 0.95, body_y + 0.1, -2.0])
        up = raised and side == 1
        foot = np.array([side * 0.7, ground + 0.3, 0.4 + reach + 0.3 * r.normal()])
        if up:
            foot = np.array([0.9 + 0.2 * r.normal(), -0.7 + 0.5 * r.random(), 2.0 + max(reach, 0.8)])
        elbow = (shoulder + foot) / 2 + np.array([side * 0.25, -0.2 if up else -0.35, -0.4])
        elbow[1] = max(elbow[1], ground + 0.4)
        parts.append(tube(np.stack([shoulder, elbow, foot - [0, 0, 0.2]]), np.array([0.75, 0.5, 0.36]), fur, sides=12))
        parts += place(paw(0.42, fur, pads=up), foot, yaw=0.1 * r.normal(), pitch=-1.2 if up else 0.0)
        hip = np.array([side * 1.2, ground + 0.9, -4.4])
        parts.append(ellipsoid((0.6, 0.95, 1.2), fur, sides=12, at=hip))
        parts += place(paw(0.42, fur, pads=False), hip + np.array([side * 0.3, -0.6, 1.4]), yaw=side * 0.3)
    low = ground - 0.02
    made = place(merge(parts), at=(0, -low * plan.half, 0), scale=plan.half)
    return made, np.array([0.0, -low * plan.half, (0.4 + 0.5 * plan.snout) * plan.half]), plan.half
