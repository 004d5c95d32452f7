"""Bodies as skeletons: how long the bones are, and where the joints lie in a pose.

Frame: metres, feet near y = 0, the body looks along +z; its left hand is at +x.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.worlds.mesh import rotation
from training.worlds.palette import Palette
from training.worlds.parts.limbs import Doubles, two_bones

STANCES = ("stand", "walk", "run", "sit", "crouch")
ARMS = ("down", "hips", "crossed", "carry", "up", "both up", "pockets", "phone", "reach", "swing", "lap", "behind")


@dataclass(frozen=True, slots=True)
class Build:
    """A body's measures: height (metres), age (years), sex, fat and muscle (0 lean, 1 much)."""

    height: float
    age: float
    female: bool
    fat: float
    muscle: float

    @classmethod
    def drawn(cls, palette: Palette, height: float | None = None) -> Build:
        """Any body; a height below 1.45 m makes a child."""
        r = palette.rng
        female = palette.chance(0.5)
        if height is None:
            child = palette.chance(0.15)
            height = (
                float(r.uniform(0.85, 1.45))
                if child
                else float(np.clip(r.normal(1.64 if female else 1.76, 0.075), 1.45, 2.02))
            )
        age = (height - 0.75) * 18 + 1.5 if height < 1.45 else float(r.choice([r.uniform(16, 45), r.uniform(30, 85)]))
        return cls(height, age, female, float(np.clip(r.beta(1.6, 3), 0, 1)), float(r.uniform(0, 1)))

    @property
    def head(self) -> float:
        """Size of the head over that of `parts.head`."""
        return 0.70 + 0.29 * min(self.height, 1.85) / 1.75

    @property
    def unit(self) -> float:
        """Length of the body below the chin over that of a man of 1.75 m."""
        return (self.height - 0.228 * self.head) / 1.522

    @property
    def leg(self) -> float:
        """Thigh (and shin) in metres: children's are short."""
        return self.unit * (0.425 - 0.03 * float(np.clip((1.4 - self.height) / 0.5, 0, 1)))

    @property
    def trunk(self) -> float:
        """From the hip joints to the base of the neck, metres."""
        return self.unit * 1.452 - 2 * self.leg - 0.08 * self.unit

    @property
    def shoulder(self) -> float:
        """Half the distance of the shoulder joints, metres."""
        young = float(np.clip((1.45 - self.height) / 0.5, 0, 1))
        return self.unit * (0.165 + (0.0 if self.female else 0.02) + 0.012 * self.muscle - 0.02 * young)

    @property
    def girth(self) -> float:
        """Thickness of limbs over the mean."""
        return self.unit * (0.86 + 0.14 * self.muscle * (not self.female) + 0.32 * self.fat)


@dataclass(slots=True)
class Skeleton:
    """Where the joints are: lists hold the left (+x), then the right side. spine (9, 3) runs from hips to neck."""

    build: Build
    spine: Doubles
    turns: Doubles
    head_turn: Doubles
    head_at: Doubles
    arms: list[Doubles] = field(default_factory=list)
    legs: list[Doubles] = field(default_factory=list)
    toes: list[Doubles] = field(default_factory=list)
    stance: str = "stand"
    gesture: str = "down"
    lead: int = 1


def _spine(build: Build, hips: Doubles, low: Doubles, high: Doubles) -> tuple[Doubles, Doubles]:
    """Nine points and frames from the hips to the base of the neck; low and high are yaw, pitch, roll."""
    t = np.linspace(0, 1, 9)
    angles = low + (high - low) * t[:, None] ** 0.8
    turns = np.stack([rotation(*(float(x) for x in a)) for a in angles]).astype(np.float64)
    step = build.trunk / 8
    middle = (turns[1:, :, 1] + turns[:-1, :, 1]) / 2 * step
    return hips + np.concatenate([np.zeros((1, 3)), middle.cumsum(0)]), turns


def pose(palette: Palette, build: Build, stance: str = "any", gesture: str = "any", seat: float = 0.45) -> Skeleton:
    """A skeleton in a pose; `seat` is the height of what a sitting body sits on."""
    r = palette.rng
    if stance == "any":
        stance = str(r.choice(STANCES, p=[0.5, 0.24, 0.06, 0.14, 0.06]))
    if gesture == "any":
        gesture = _gesture(palette, stance)
    u = build.unit
    hips, low, high = _trunk(palette, build, stance, seat)
    spine, turns = _spine(build, hips, low, high)
    gaze = np.array([high[0] * 0.4 + 0.25 * r.normal(), high[1] * 0.25 + 0.12 * r.normal() + 0.05, 0.08 * r.normal()])
    if gesture == "phone":
        gaze[1] += 0.35
    head_turn = rotation(*(float(x) for x in gaze)).astype(np.float64)
    neck = spine[-1] + (turns[-1][:, 1] * 0.6 + head_turn[:, 1] * 0.4) * 0.085 * u + turns[-1][:, 2] * 0.015 * u
    head_at = neck - head_turn @ np.array([0, 0.025, 0.012]) * build.head
    body = Skeleton(
        build, spine, turns, head_turn, head_at, stance=stance, gesture=gesture, lead=1 if palette.chance(0.5) else -1
    )
    for side in (1, -1):
        _leg(palette, body, side, hips, turns[0])
    swing = r.uniform(0.1, 0.32) * (1 if body.legs[0][2, 2] > body.legs[1][2, 2] else -1)
    for side in (1, -1):
        _arm(palette, body, side, swing * side)
    return body


def _gesture(palette: Palette, stance: str) -> str:
    """What the arms do in a stance."""
    if stance == "run":
        return "run"
    if stance in ("sit", "crouch"):
        return str(palette.one_of("lap", "lap", "lap", "crossed", "phone", "reach", "up", "carry"))
    if stance == "walk":
        return str(palette.one_of("swing", "swing", "swing", "swing", "phone", "carry", "pockets"))
    return str(palette.one_of("down", "down", "down", *ARMS[:9], "behind"))


def _trunk(palette: Palette, build: Build, stance: str, seat: float) -> tuple[Doubles, Doubles, Doubles]:
    """Where the hips are, and yaw, pitch, roll of the hips and of the chest."""
    r = palette.rng
    stoop = 0.3 * float(np.clip((build.age - 60) / 25, 0, 1)) * r.uniform(0, 1)
    reach = 2 * build.leg + 0.08 * build.unit
    if stance == "sit":
        lean = r.uniform(-0.3, 0.35)
        hips = np.array([0, seat + 0.1 * build.girth, 0])
        return hips, np.array([0, lean - 0.15, 0]), np.array([0.2 * r.normal(), lean + 0.2 + stoop, 0.06 * r.normal()])
    if stance == "crouch":
        kneel = r.uniform(0.25, 0.5) * reach
        return (
            np.array([0, kneel, -0.1]),
            np.array([0, r.uniform(0.3, 0.7), 0]),
            np.array([0.2 * r.normal(), r.uniform(0.5, 1.0), 0]),
        )
    tilt = 0.06 * r.normal()
    if stance == "stand":
        hips = np.array([0.03 * r.normal(), reach * r.uniform(0.975, 0.995), 0])
        return (
            hips,
            np.array([0.1 * r.normal(), 0.03 * r.normal(), tilt]),
            np.array([0.12 * r.normal(), 0.04 + stoop, -tilt]),
        )
    quick = stance == "run"
    hips = np.array([0, reach * (0.93 if quick else r.uniform(0.945, 0.975)), 0])
    lean = r.uniform(0.1, 0.3) if quick else r.uniform(0, 0.08)
    return hips, np.array([0.08 * r.normal(), lean, 0.5 * tilt]), np.array([0.12 * r.normal(), lean + 0.05 + stoop, 0])


def _leg(palette: Palette, body: Skeleton, side: int, hips: Doubles, turn: Doubles) -> None:
    """Adds the joints hip, knee, ankle of one side, and the direction of its toes."""
    r, b = palette.rng, body.build
    u = b.unit
    hip = hips + turn @ np.array([side * 0.085 * u * (1.1 if b.female else 1.0), 0, 0])
    ankle_height = 0.075 * u
    out = r.uniform(0.05, 0.35)
    pole = np.array([side * r.uniform(0, 0.3), 0.1, 1.0])
    toe = np.array([side * np.sin(out), -0.05, np.cos(out)])
    first = side == body.lead
    if body.stance == "stand":
        foot = np.array([side * r.uniform(0.06, 0.17) * u, ankle_height, 0.07 * r.normal() * u])
        if r.random() < 0.12:
            foot[0], foot[2] = -side * 0.02 * u, side * 0.06 * u
    elif body.stance == "walk":
        stride = r.uniform(0.2, 0.38) * u * side * body.lead
        foot = np.array([side * 0.07 * u, ankle_height + (0.09 * u if stride < 0 else 0.015), stride])
        toe = np.array([side * 0.1, -0.75 if stride < 0 else 0.25, 1.0])
    elif body.stance == "run":
        foot = np.array([side * 0.07 * u, (0.12 if first else 0.42) * u, (0.28 if first else -0.42) * u])
        toe = np.array([0, 0.15 if first else -1.6, 1.0])
    elif body.stance == "sit":
        crossed = r.random() < 0.15 and first
        foot = hip * [1, 0, 1] + np.array(
            [side * r.uniform(-0.02, 0.12) * u, ankle_height, b.leg * r.uniform(0.75, 1.35)]
        )
        if crossed:
            foot += [-side * 0.25 * u, 0.22 * u, 0.12 * u]
        foot[1] = max(foot[1], hip[1] - 1.02 * b.leg)
        pole = np.array([side * r.uniform(0, 0.4), 1.0, 0.4])
    else:
        kneel = r.random() < 0.4 and first
        foot = np.array([side * r.uniform(0.1, 0.2) * u, ankle_height, (r.uniform(0, 0.18) if not kneel else -0.3) * u])
        pole = np.array([side * r.uniform(0.1, 0.8), 0.4, 1.0])
    knee, ankle = two_bones(hip, foot, b.leg, b.leg, pole)
    body.legs.append(np.stack([hip, knee, ankle]))
    body.toes.append(toe / np.linalg.norm(toe))


def _arm(palette: Palette, body: Skeleton, side: int, swing: float) -> None:
    """Adds shoulder, elbow, wrist and finger tips of one side."""
    r, b = palette.rng, body.build
    u, turn = b.unit, body.turns[-1]
    shoulder = body.spine[-1] + turn @ np.array([side * b.shoulder, -0.065 * u, -0.005])
    s, g = float(side), body.gesture
    first = side == body.lead
    if g == "up":
        g = "raise" if first else "down"
    if g in ("phone", "reach", "carry") and not first and palette.chance(0.6):
        g = "down"
    goal, pole = {  # the wrist from the shoulder in the chest's frame, metres of a man; where the elbow points
        "down": ((s * r.uniform(0.03, 0.12), -0.56, r.uniform(-0.04, 0.12)), (s * 0.5, 0, -1)),
        "swing": ((s * 0.06, -0.53, swing), (s * 0.3, 0, -1)),
        "run": ((-s * 0.02, -0.25 if swing > 0 else -0.3, 0.28 if swing > 0 else -0.1), (s * 0.4, -0.6, -1)),
        "hips": ((s * 0.0, -0.40, 0.05), (s, 0.1, -0.3)),
        "crossed": ((-s * 0.24, -0.27 - 0.05 * first, 0.2 + 0.05 * first), (s, -0.8, 0.1)),
        "carry": ((-s * r.uniform(0.05, 0.15), -0.3, 0.3), (s * 0.6, -0.7, -0.6)),
        "raise": ((s * r.uniform(-0.05, 0.35), r.uniform(0.05, 0.5), r.uniform(0, 0.3)), (s, -0.5, -0.2)),
        "both up": ((s * r.uniform(0.0, 0.35), r.uniform(0.2, 0.53), r.uniform(-0.05, 0.2)), (s, 0, -0.3)),
        "pockets": ((s * 0.0, -0.47, 0.06), (s * 0.8, 0, -1)),
        "phone": ((-s * 0.1, -0.2 - 0.1 * r.random(), 0.3), (s * 0.6, -1, -0.2)),
        "reach": ((s * r.uniform(-0.2, 0.1), r.uniform(-0.25, 0.1), 0.5), (s * 0.5, -1, 0)),
        "behind": ((-s * 0.12, -0.45, -0.14), (s, 0, -0.6)),
        "lap": ((-s * r.uniform(0, 0.1), -0.43, r.uniform(0.25, 0.38)), (s, -0.3, -0.7)),
    }[g]  # fmt: skip
    wrist = shoulder + turn @ (np.array(goal) * u)
    if g == "lap" and palette.chance(0.7):
        leg = body.legs[0 if first else 1]
        wrist = leg[1] * 0.75 + leg[0] * 0.25 + np.array([0, 0.11 * b.girth, 0])
    elbow, wrist = two_bones(shoulder, wrist, 0.30 * u, 0.255 * u, turn @ np.array(pole))
    along = (wrist - elbow) / (np.linalg.norm(wrist - elbow) + 1e-9)
    inward = turn @ np.array([-s * 1.0, 0, 0.3])
    droop = {"hips": inward, "crossed": inward, "lap": np.array([-s * 0.2, -0.25, 0.9]), "carry": inward}.get(g, along)
    tip = along + 0.7 * droop
    body.arms.append(np.stack([shoulder, elbow, wrist, wrist + 0.18 * u * tip / np.linalg.norm(tip)]))
