"""Animals on four legs: one body plan, a table of measures for each sort, and postures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, ellipsoid, tube
from training.worlds.palette import Palette
from training.worlds.parts.beast_head import beast_head
from training.worlds.parts.beasts import BEASTS, Beast
from training.worlds.parts.birds import BIRDS, bird
from training.worlds.parts.limbs import Doubles, frame, limb, moved, on_ground, ringed, two_bones
from training.worlds.parts.many import merge

POSTURES = ("stand", "walk", "sit", "lie", "graze")
_UP = np.array([0.0, 1.0, 0.0])


def animal(palette: Palette, *, sort: str | None = None, posture: str = "any", detail: str = "near") -> Thing:
    """An animal in its real size that stands (sits, lies, perches) on y = 0 around the origin and looks along +z.

    Args:
        palette: Draws everything.
        sort: A key of `BEASTS` or `BIRDS`, or None for any.
        posture: "stand", "walk", "sit", "lie", "graze" (head low) for beasts; "stand", "fly" for birds; or "any".
        detail: "near" (about 4 thousand triangles) or "far" (about 600).
    """
    if sort is None:
        sort = str(palette.rng.choice([*BEASTS, *BIRDS]))
    near = detail == "near"
    if sort in BIRDS:
        return bird(palette, sort, posture=posture, near=near)
    return beast(palette, varied(palette, BEASTS[sort]), posture, near=near)


def varied(palette: Palette, plan: Beast) -> Beast:
    """The plan with the measures of one individual."""
    r = palette.rng
    return replace(
        plan,
        withers=plan.withers * float(np.exp(0.1 * r.normal())),
        length=plan.length * float(np.exp(0.05 * r.normal())),
        deep=plan.deep * float(np.exp(0.07 * r.normal())),
        wide=plan.wide * float(np.exp(0.1 * r.normal())),
        neck=plan.neck * float(np.exp(0.08 * r.normal())),
        snout=plan.snout * float(np.exp(0.1 * r.normal())),
    )


@dataclass(slots=True)
class _Frame:
    """Where the trunk is: spine from rump (0) to chest (1), metres, and the direction of its end."""

    rump: Doubles
    chest: Doubles

    @property
    def along(self) -> Doubles:
        d = self.chest - self.rump
        return d / np.linalg.norm(d)


def beast(palette: Palette, plan: Beast, posture: str, *, near: bool) -> Thing:
    """A four-legged animal of a plan."""
    if posture == "any":
        posture = str(
            palette.rng.choice(POSTURES, p=[0.36, 0.22, 0.14 if plan.paws else 0.0, 0.14, 0.14 if plan.paws else 0.28])
        )
    if posture == "sit" and not plan.paws:
        posture = "stand"
    coat = _coat(palette, plan)
    under = (
        replace(coat, colour=tuple(np.clip(np.asarray(coat.colour) * 1.6 + 0.05, 0, 0.9)), pattern="strands")
        if plan.pale
        else coat
    )
    h = plan.withers
    axis = _axis(palette, plan, posture)
    parts: Thing = [_trunk(palette, plan, axis, coat, near=near)]
    parts += _legs(palette, plan, axis, posture, coat, near=near)
    aim, start = _neck_aim(palette, plan, axis, posture)
    end = start + aim * plan.neck * h
    middle = (start + end) / 2 + np.array([0, -0.05 * plan.neck * h if plan.neck > 0.5 else 0.0, 0])
    size = plan.deep * h
    base = axis.chest - axis.along * 0.25 * size
    girths = np.array([0.36, 0.40 * plan.thick**0.3, 0.34 * plan.thick**0.5, 0.27 * plan.thick]) * size
    girths[-1] = max(girths[-1], 0.36 * plan.head * h)
    parts.append(tube([base, start, middle, end], girths * [1, 1, 0.95, 1], coat, sides=14 if near else 7, flat=1.0))
    nod = {"graze": -0.9, "sit": 0.0, "lie": 0.0}.get(posture, -0.12)
    look = palette.rng.normal(0, 0.35) * (1.0 if plan.paws else 0.6)
    parts += moved(
        beast_head(palette, plan, coat, under, near=near),
        _turn(look, -nod + 0.1 * palette.rng.normal() + plan.hang),
        end,
        plan.head * h,
    )
    if plan.mane > 0:
        parts += _mane(palette, plan, base, start, end, coat, near=near)
    parts += _tail(palette, plan, axis, posture, coat, near=near)
    return on_ground(merge(parts))


def _turn(yaw: float, pitch: float) -> Doubles:
    return frame([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def _coat(palette: Palette, plan: Beast) -> Material:
    """Fur in one of the plan's colours and, for some sorts, its pattern."""
    colour = plan.colours[int(palette.rng.integers(len(plan.colours)))]
    coat = palette.fur(colour)
    if plan.pattern:
        light = (0.6, 0.58, 0.54) if plan.pattern == "blotches" else (0.02, 0.015, 0.01)
        pattern = {"blotches": "marble", "spots": "dots", "stripes": "stripes", "skin": "clouds"}[plan.pattern]
        second = coat.second if plan.pattern == "skin" else light
        return replace(coat, second=second, pattern=pattern, frequency=plan.grain / plan.withers)  # type: ignore[arg-type]
    if coat.pattern in ("stripes", "dots") and (plan.withers > 0.6 or palette.chance(0.6)):
        coat = replace(coat, pattern="strands", frequency=50)
    return replace(coat, frequency=coat.frequency * (0.6 / plan.withers) ** 0.5)


def _axis(palette: Palette, plan: Beast, posture: str) -> _Frame:
    """The trunk's axis in a posture: its rump and chest points lie inside, half its depth below the back."""
    h, long = plan.withers, plan.length * plan.withers * 0.4
    low = h * (1 - plan.deep * 0.5)
    if posture == "sit":
        tilt = palette.between(0.7, 1.0)
        rump = np.array([0, plan.deep * 0.42 * h, -0.1 * h])
        return _Frame(rump, rump + 1.5 * long * np.array([0, np.sin(tilt), np.cos(tilt)]))
    if posture == "lie":
        y = plan.deep * h * 0.5
        return _Frame(np.array([0, y * 0.95, -long]), np.array([0, y * palette.between(1.0, 1.25), long]))
    slope = plan.slope * h
    return _Frame(np.array([0, low - slope, -long]), np.array([0, low, long]))


def _trunk(palette: Palette, plan: Beast, axis: _Frame, coat: Material, *, near: bool) -> Part:
    """Rump, belly and chest: outlines along the axis."""
    h = plan.withers
    s = np.array([-0.16, -0.13, -0.04, 0.1, 0.3, 0.5, 0.7, 0.86, 1.0, 1.1, 1.14])
    fill = np.array([0.25, 0.5, 0.8, 0.93, 0.93, 0.95, 1.0, 1.04, 0.9, 0.6, 0.25])
    belly = 1 - plan.tuck * np.exp(-(((s - 0.2) / 0.25) ** 2)) + plan.paunch * np.exp(-(((s - 0.45) / 0.3) ** 2))
    if not near:
        pick = np.array([0, 2, 4, 6, 8, 10])
        s, fill, belly = s[pick], fill[pick], belly[pick]
    d = plan.deep * h * 0.5
    size = np.stack([plan.wide * h * 0.5 * fill * (1 + 0.4 * (belly - 1)), d * fill, d * fill * belly], 1)
    sag = np.array([0, plan.hump * h, 0]) * np.exp(-(((s - 0.85) / 0.25) ** 2))[:, None]
    centres = axis.rump + (axis.chest - axis.rump) * s[:, None] + sag
    return ringed(centres, size, coat, turn=frame(axis.along), sides=16 if near else 8, power=2.2)


def _legs(palette: Palette, plan: Beast, axis: _Frame, posture: str, coat: Material, *, near: bool) -> Thing:
    """Four legs of three bones each, with paws or hooves."""
    h, r = plan.withers, palette.rng
    up = frame(axis.along)[:, 1]
    reach = h * (1 - plan.deep * 0.5)
    stuff = Material((0.03, 0.025, 0.02), shine=0.2) if not plan.paws else coat
    parts: Thing = []
    phase = r.uniform(0, 2 * np.pi)
    for side in (-1, 1):
        for front in (True, False):
            along = 0.93 if front else 0.02
            root = axis.rump + (axis.chest - axis.rump) * along + np.array([side * plan.wide * h * 0.3, 0, 0])
            root = root - up * plan.deep * h * 0.05
            swing = (
                np.sin(phase + (0 if front else np.pi * 0.5) + (side > 0) * np.pi) * 0.22
                if posture == "walk"
                else 0.05 * r.normal()
            ) * reach
            lift = (
                max(0.0, np.cos(phase + (0 if front else np.pi * 0.5) + (side > 0) * np.pi))
                * 0.12
                * reach
                * (posture == "walk")
            )
            foot = np.array([root[0] * 0.95, lift, root[2] + swing + (0.0 if front else -0.02 * h)])
            joints = _chain(plan, root, foot, posture, front=front, side=side, h=h)
            t = plan.leg * h
            radii = (2.2, 1.5, 0.95, 0.8, 0.66, 0.68) if front else (2.7, 2.2, 1.2, 0.78, 0.64, 0.66)
            parts.append(limb(joints, [t * k for k in radii], coat, sides=10 if near else 5, rows=9 if near else 5))
            if not front and posture in ("sit", "lie"):
                parts.append(
                    ellipsoid(
                        (0.09 * h, 0.2 * h, 0.21 * h),
                        coat,
                        sides=10 if near else 6,
                        at=(joints[0] + joints[1]) / 2 + [side * 0.03 * h, 0, 0],
                    )
                )
            foot_at = joints[-1]
            ahead = np.array([0.0, 0.0, 1.0])
            size = np.array([0.75, 0.55, 0.55]) * t if plan.paws else np.array([0.85, 0.8, 0.6]) * t
            z = np.array([-0.9, -0.2, 1.0, 1.6]) * t * (1.0 if plan.paws else 0.6)
            rings = np.array([0.7, 1.15, 1.15, 0.5])[:, None] * size
            toes = ringed(
                foot_at + np.array([0, 0.5 * t, 0]) + z[:, None] * ahead,
                rings * [1, 1, 0.9],
                stuff,
                sides=8 if near else 5,
                power=2.5,
            )
            parts.append(toes)
    return parts


def _chain(plan: Beast, root: Doubles, foot: Doubles, posture: str, *, front: bool, side: int, h: float) -> Doubles:
    """Joints of a leg from shoulder or hip to the foot."""
    back, forth = np.array([0, 0, -1.0]), np.array([0, 0, 1.0])
    if posture == "lie":
        ground = 0.05 * h
        if front:
            elbow = np.array([root[0] * 1.25, ground * 1.6, root[2] - 0.12 * h])
            return np.stack(
                [
                    root,
                    elbow,
                    np.array([root[0] * 1.1, ground, root[2] + 0.22 * h * plan.stretch]),
                    np.array([root[0] * 0.9, ground, root[2] + 0.36 * h * plan.stretch]),
                ]
            )
        knee = np.array([root[0] * 1.7, 0.18 * h, root[2] + 0.26 * h])
        return np.stack(
            [
                root,
                knee,
                np.array([root[0] * 1.9, ground, root[2] + 0.02 * h]),
                np.array([root[0] * 1.9, ground, root[2] + 0.3 * h]),
            ]
        )
    if posture == "sit":
        if front:
            foot = np.array([foot[0] * 0.9, 0.0, root[2] + 0.02 * h])
        else:
            foot = np.array([root[0] * 1.5, 0.0, root[2] + 0.32 * h])
            knee = np.array([root[0] * 1.6, 0.26 * h, root[2] + 0.30 * h])
            return np.stack([root, knee, np.array([root[0] * 1.6, 0.05 * h, root[2] + 0.05 * h]), foot])
    leg = float(np.linalg.norm(root - foot))
    if front:
        wrist = foot + np.array([0, 0.22 * leg, 0.0])
        elbow, wrist = two_bones(root, wrist, 0.44 * leg, 0.40 * leg, back)
        return np.stack([root, elbow, wrist, foot + np.array([0.0, 0.0, 0.02 * h])])
    hock = foot + np.array([0, 0.34 * leg, -plan.crook * leg])
    knee, hock = two_bones(root, hock, 0.42 * leg, 0.40 * leg, forth)
    return np.stack([root, knee, hock, foot])


def _neck_aim(palette: Palette, plan: Beast, axis: _Frame, posture: str) -> tuple[Doubles, Doubles]:
    """The direction of the neck, and the point of the trunk where it leaves."""
    up = plan.rise + 0.12 * palette.rng.normal()
    if posture == "graze":
        up = -palette.between(0.5, 1.0) if plan.neck > 0.35 else -0.4
    elif posture == "sit":
        up = max(up, 0.9)
    elif posture == "lie":
        up = max(up, 0.5) if palette.chance(0.8) else -0.2
    aside = 0.25 * palette.rng.normal()
    start = axis.chest + frame(axis.along)[:, 1] * plan.deep * plan.withers * 0.2 + axis.along * 0.02 * plan.withers
    return np.array([np.sin(aside) * np.cos(up), np.sin(up), np.cos(aside) * np.cos(up)]), start


def _mane(
    palette: Palette, plan: Beast, base: Doubles, start: Doubles, end: Doubles, coat: Material, *, near: bool
) -> Thing:
    """A crest of hair along the neck, or a lion's collar."""
    h = plan.withers
    dark = replace(palette.fur(tuple(np.asarray(coat.colour) * 0.45)), pattern="strands")
    if plan.cat:
        middle = start * 0.35 + end * 0.65
        size = np.array([0.27, 0.30, 0.23]) * plan.mane * h
        return [ellipsoid(size, dark, sides=16 if near else 7, at=middle - [0, 0.05 * h, 0.02 * h])]
    along = end - base
    back = np.cross(along / np.linalg.norm(along), [1.0, 0, 0])
    path = (
        np.stack([base, start, (start + end) / 2, end])
        + back * np.array([[0.15], [0.3], [0.24], [0.19]]) * plan.deep * h
    )
    return [tube(path, np.array([0.04, 0.06, 0.06, 0.05]) * h * plan.mane, dark, sides=6)]


def _tail(palette: Palette, plan: Beast, axis: _Frame, posture: str, coat: Material, *, near: bool) -> Thing:
    """A tail: hanging, raised or curled."""
    h = plan.withers
    root = axis.rump - axis.along * plan.length * h * 0.12 + frame(axis.along)[:, 1] * plan.deep * h * 0.25
    t = np.linspace(0, 1, 7)
    lift = plan.tail_up * palette.between(-0.6, 1.0) - 0.5
    if posture in ("sit", "lie"):
        y = np.maximum(root[1] * (1 - 3 * t), 0.03 * h)
        path = np.stack(
            [
                root[0] + 0.5 * plan.tail * h * np.sin(2.5 * t) * palette.one_of(-1, 1),
                y,
                root[2] - plan.tail * h * (0.5 * t - 0.4 * t**3),
            ],
            1,
        )
    else:
        angle = np.linspace(0.3, 0, 7) + lift * 1.6 * t**0.5 + palette.rng.normal() * 0.5 * plan.tail_up * t
        step = np.stack([0.15 * palette.rng.normal() * t, np.sin(angle), -np.cos(angle)], 1) * plan.tail * h / 6
        path = root + np.concatenate([np.zeros((1, 3)), step.cumsum(0)[:-1]])
        path[:, 1] = np.maximum(path[:, 1], 0.05 * h)
    radii = np.interp(t, [0, 0.5, 1], np.array(plan.tail_girth) * h)
    return [tube(path, radii, coat, sides=8 if near else 4)]
