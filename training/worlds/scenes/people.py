"""Pictures of people: portraits, groups, walkers, crowds, sport, small figures before a wide land."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from training.worlds.mesh import Thing, bounds, box, ellipsoid, place
from training.worlds.palette import Palette
from training.worlds.parts.many import copies
from training.worlds.parts.people import bust, person
from training.worlds.parts.seats import bench, sofa
from training.worlds.scenes import upclose
from training.worlds.scenes.settings import (
    Setting,
    beach,
    foliage,
    forest,
    heights,
    meadow,
    plaza,
    room,
    street,
    studio,
    wall,
)
from training.worlds.scenes.shots import Shot, photograph
from training.worlds.stage import Stage

Maker = Callable[[Palette], Setting]


def _any(palette: Palette, *makers: Maker) -> Setting:
    return makers[int(palette.rng.integers(len(makers)))](palette)


def _sitter(palette: Palette, gesture: str = "any") -> tuple[Thing, float]:
    """A person for portraits, their feet on the ground, and the height of their eyes."""
    thing = bust(palette, gesture=gesture)
    low = float(bounds(thing)[0][1])
    return place(thing, at=(0, -low, 0)), -low


def portrait(palette: Palette) -> Stage:
    """Head and shoulders or half body, half a metre to three metres away, before anything."""
    s = _any(palette, room, room, studio, studio, foliage, forest, meadow, street, plaza, beach, wall)
    thing, eyes = _sitter(palette)
    turn = 0.45 * palette.rng.normal()
    s.things += place(thing, yaw=turn)
    if palette.chance(0.15):
        other, _ = _sitter(palette)
        s.things += place(other, at=(palette.between(0.4, 0.7), 0, palette.between(-0.8, 0.1)), yaw=-0.3)
    frontal = 0.3 if palette.chance(0.5) else 1.0
    close = Shot(
        (0.34, 1.1),
        (turn - frontal, turn + frontal),
        (eyes - 0.25, eyes + 0.3),
        (16, 62),
        portrait=0.55,
        aperture=0.045,
    )
    half = Shot((0.9, 1.8), (-1.1, 1.1), (eyes - 0.6, eyes + 0.4), (18, 70), portrait=0.55, aperture=0.03)
    cameras = photograph(palette, s, (0, eyes - 0.03, 0), close, 4) + photograph(
        palette, s, (0, eyes - 0.3, 0), half, 2
    )
    return s.stage("portrait", cameras)


def selfie(palette: Palette) -> Stage:
    """A picture of oneself at arm's length with a wide lens, alone or with friends."""
    s = _any(palette, room, street, plaza, beach, heights, meadow, studio)
    thing, eyes = _sitter(palette, "reach" if palette.chance(0.6) else "any")
    s.things += thing
    for side in (-1, 1):
        if palette.chance(0.45):
            other, height = _sitter(palette, "down")
            s.things += place(
                other,
                at=(side * palette.between(0.3, 0.42), 0.7 * (eyes - height), palette.between(-0.35, 0.1)),
                yaw=-side * 0.3,
            )
    shot = Shot(
        (0.5, 1.2), (-0.35, 0.35), (eyes - 0.2, eyes + 0.35), (55, 90), portrait=0.6, aperture=0.004, nearest=0.33
    )
    return s.stage("selfie", photograph(palette, s, (0, eyes - 0.08, 0), shot, 5))


def group(palette: Palette) -> Stage:
    """Two to eight people who stand or sit together."""
    s = _any(palette, room, room, street, plaza, meadow, beach, heights, wall, studio)
    count = int(palette.rng.choice([2, 2, 3, 3, 4, 5, 6, 8]))
    seated = palette.chance(0.3)
    if seated:
        s.things += place(sofa(palette) if palette.chance(0.4) else bench(palette), at=(0, 0, -0.1))
        count = min(count, 3)
    gap = palette.between(0.42, 0.85)
    for k in range(count):
        row, column = divmod(k, 4)
        x = (column - (min(count - 4 * row, 4) - 1) / 2) * gap * (0.8 if seated else 1) + 0.08 * palette.rng.normal()
        who = person(
            palette,
            pose="sit" if seated else "any" if palette.chance(0.2) else "stand",
            detail="near" if k < 4 else "far",
        )
        yaw = (-0.5 * x if palette.chance(0.6) else palette.rng.normal()) + 0.2 * palette.rng.normal()
        z = 0.1 if seated else -0.6 * row + 0.25 * palette.rng.normal()
        s.things += place(who, at=(x, 0, z), yaw=yaw)
    tall = 1.0 if seated else 1.3
    wide = Shot(
        (1.4 + 0.3 * count, 3.5 + 0.5 * count),
        (-0.9, 0.9),
        (0.9, 1.8),
        (24, 80),
        portrait=0.35,
        aperture=0.015,
        nearest=1.0,
    )
    tight = Shot((0.7, 1.5), (-0.8, 0.8), (1.0, 1.7), (22, 60), portrait=0.5, aperture=0.03, nearest=0.8)
    return s.stage(
        "group", photograph(palette, s, (0, tall * 0.7, 0), wide, 4) + photograph(palette, s, (0, tall, 0), tight, 2)
    )


def _strewn(palette: Palette, count: int, near: float, far: float, *, lane: float = 0.5) -> Thing:
    """Walking and standing people between two distances in the directions around -z; few kinds, repeated."""
    r = palette.rng
    kinds = [person(palette, pose="walk" if palette.chance(0.6) else "any", detail="far") for _ in range(min(count, 5))]
    things: Thing = []
    for k, who in enumerate(kinds):
        n = len(range(k, count, len(kinds)))
        distance, angle = near * (far / near) ** r.random(n), r.normal(0, lane, n)
        at = np.stack([distance * np.sin(angle), 0 * angle, -distance * np.cos(angle)], 1)
        along = np.where(r.random(n) < 0.7, r.choice([0, pi], n) + 0.25 * r.normal(size=n), r.uniform(0, 2 * pi, n))
        things += copies(who, at, along, np.exp(r.normal(0, 0.035, n)))
    return things


def walkers(palette: Palette) -> Stage:
    """People on a street, a square, a beach, a field, from two to forty metres away, ground to the horizon."""
    s = _any(palette, street, street, street, plaza, plaza, beach, meadow)
    for _ in range(int(palette.rng.integers(1, 4))):
        at = (palette.between(-1.8, 1.8), 0, palette.between(-3, 1))
        s.things += place(
            person(palette, pose="walk" if palette.chance(0.7) else "any"),
            at=at,
            yaw=float(palette.rng.choice([0, pi])) + 0.3 * palette.rng.normal(),
        )
    s.things += _strewn(palette, int(palette.rng.integers(4, 22)), 4, 40)
    shot = Shot((2.5, 11), (-0.5, 0.5), (0.8, 2.5), (28, 95), portrait=0.5, aperture=0.006, nearest=2.2)
    return s.stage("walkers", photograph(palette, s, (0, 1.05, -1), shot, 6))


def crowd(palette: Palette) -> Stage:
    """Many people close together."""
    s = _any(palette, street, plaza, plaza, meadow, beach)
    s.things += _strewn(
        palette, int(palette.rng.integers(20, 38)), 1.2, palette.between(12, 35), lane=palette.between(0.35, 0.9)
    )
    for _ in range(2):
        s.things += place(
            person(palette), at=(palette.between(-0.8, 0.8), 0, palette.between(-0.8, 0.6)), yaw=palette.between(0, 6.3)
        )
    shot = Shot((2, 7), (-0.4, 0.4), (1.2, 3.5), (30, 90), portrait=0.4, aperture=0.01, nearest=1.8)
    return s.stage("crowd", photograph(palette, s, (0, 1.35, -1.0), shot, 6))


def full_body(palette: Palette) -> Stage:
    """One person from head to foot: fashion, sport, dance, a pose before a wall."""
    s = _any(palette, studio, studio, wall, street, plaza, meadow, beach, room)
    who = person(
        palette,
        pose=str(palette.one_of("stand", "stand", "stand", "walk", "run", "crouch")),
        gesture=str(palette.one_of("any", "any", "up", "both up", "hips")),
    )
    airborne = palette.between(0.1, 0.5) if palette.chance(0.08) else 0.0
    s.things += place(
        who, at=(0, airborne, 0), yaw=0.5 * palette.rng.normal() if palette.chance(0.7) else palette.between(0, 6.3)
    )
    if palette.chance(0.25):
        k = palette.one_of(0.033, 0.11, 0.12)
        at = (palette.between(-0.8, 0.8), palette.between(0.12, 2.0), palette.between(-0.3, 0.7))
        s.things.append(ellipsoid((k, k, k), palette.paint(), at=at))  # type: ignore[arg-type]
    if not s.room and palette.chance(0.35):
        s.things += _strewn(palette, 5, 6, 30)
    tall = float(bounds(who)[1][1]) + airborne
    shot = Shot((1.0 * tall, 1.9 * tall), (-1.2, 1.2), (0.3, 2.2), (15, 75), portrait=0.75, aperture=0.025, nearest=1.2)
    return s.stage("full_body", photograph(palette, s, (0, tall * 0.52, 0), shot, 5))


def before_a_view(palette: Palette) -> Stage:
    """A person, small or large, before the sea, mountains, a forest's edge."""
    s = _any(palette, beach, heights, heights, meadow, forest)
    who = person(
        palette, pose=str(palette.one_of("stand", "stand", "walk", "sit", "any")), seat=palette.between(0.2, 0.5)
    )
    s.things += place(who, yaw=float(palette.rng.choice([0, pi])) + 0.6 * palette.rng.normal())
    if palette.chance(0.25):
        s.things += place(
            person(palette), at=(palette.between(0.5, 0.9), 0, 0.2 * palette.rng.normal()), yaw=palette.between(0, 6.3)
        )
    near = Shot((0.9, 3.0), (-0.8, 0.8), (0.8, 1.9), (24, 80), portrait=0.5, aperture=0.012, nearest=0.8)
    far = Shot((5, 22), (-0.8, 0.8), (0.4, 3.5), (20, 90), portrait=0.4, aperture=0.0, nearest=2.5)
    cameras = photograph(palette, s, (0, 1.15, 0), near, 2) + photograph(palette, s, (0, 1.3, 0), far, 4)
    return s.stage("before_a_view", cameras)


def seated(palette: Palette) -> Stage:
    """Someone on a bench, a sofa or a stool, at a table sometimes."""
    s = _any(palette, room, room, room, street, plaza, meadow, foliage)
    seat = palette.between(0.4, 0.5)
    kind = palette.between(0, 1)
    if kind < 0.35:
        s.things += place(bench(palette), at=(0, 0, -0.08))
    elif kind < 0.6 and s.room:
        s.things += place(sofa(palette), at=(0, 0, -0.15))
    else:
        s.things.append(
            box((0.45, seat, 0.42), palette.wood() if palette.chance(0.5) else palette.fabric(), at=(0, 0, -0.02))
        )
    table = palette.chance(0.35)
    tall = palette.between(1.55, 1.9) if table else None
    s.things += place(person(palette, height=tall, pose="sit", seat=seat), yaw=0.15 * palette.rng.normal())
    if table:
        top, wide = palette.between(0.68, 0.78), palette.between(0.7, 1.5)
        wood = palette.wood()
        s.things += [box((wide, 0.03, 0.65), wood, at=(0, top, 0.62)), box((0.06, top, 0.06), wood, at=(0, 0, 0.7))]
        s.things.append(
            ellipsoid((0.04, 0.05, 0.04), palette.ceramic(), sides=10, at=(palette.between(-0.3, 0.3), top + 0.08, 0.5))
        )
    shot = Shot((0.8, 2.6), (-1.1, 1.1), (0.6, 1.9), (20, 75), portrait=0.5, aperture=0.02, nearest=0.9)
    return s.stage("seated", photograph(palette, s, (0, 0.85, 0.1), shot, 5, own=_at(0.35, 1.4)))


def _at(half: float, high: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A box around the origin that no camera may enter."""
    return np.array([-half, 0, -half], np.float32), np.array([half, high, half], np.float32)


def ring(palette: Palette) -> Stage:
    """People who stand around the camera at all distances in a room or a square: a party, a meeting, a queue."""
    s = _any(palette, room, plaza, street)
    reach = min(s.room) - 0.4 if s.room else 5.0
    for k in range(int(palette.rng.integers(3, 7))):
        d, a = palette.between(0.35, 1.0) * reach, palette.between(0, 2 * pi)
        at = (d * sin(a), 0, -abs(d * cos(a)))
        s.things += place(
            person(palette, detail="near" if k < 3 else "far", pose="stand" if palette.chance(0.8) else "any"),
            at=at,
            yaw=a + pi + palette.rng.normal(),
        )
        s.solid.append(
            (np.array([at[0] - 0.3, 0, at[2] - 0.3], np.float32), np.array([at[0] + 0.3, 1.9, at[2] + 0.3], np.float32))
        )
    if not s.room:
        s.things += _strewn(palette, 9, 2, 18, lane=0.7)
    shot = Shot((1.5, 4), (-0.7, 0.7), (1.0, 1.9), (40, 95), portrait=0.4, aperture=0.01, nearest=1.0)
    return s.stage("ring", photograph(palette, s, (0, 1.2, -0.35 * reach), shot, 5))


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "portrait": (portrait, 2.5),
    "selfie": (selfie, 0.8),
    "group": (group, 1.5),
    "walkers": (walkers, 1.5),
    "crowd": (crowd, 0.7),
    "full_body": (full_body, 1.2),
    "before_a_view": (before_a_view, 1.5),
    "seated": (seated, 1.2),
    "ring": (ring, 0.8),
    **upclose.PEOPLE,
}
