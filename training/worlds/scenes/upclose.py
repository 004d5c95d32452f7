"""Faces that fill the picture, paws and hands held out to the camera, bodies that lie across the frame."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from training.worlds.mesh import Thing, bounds, box, place
from training.worlds.palette import Palette
from training.worlds.parts.animals import animal
from training.worlds.parts.closebeast import PLANS, close_beast
from training.worlds.parts.people import bust, person
from training.worlds.parts.seats import sofa
from training.worlds.scenes.settings import Setting, beach, foliage, forest, meadow, plaza, room, street, studio, wall
from training.worlds.scenes.shots import Shot, photograph
from training.worlds.stage import Camera, Stage

TAME = ("cat", "cat", "tabby", "tabby", "kitten", "dog", "dog", "puppy", "pug", "husky", "rabbit")


def _any(palette: Palette, *makers: Callable[[Palette], Setting]) -> Setting:
    return makers[int(palette.rng.integers(len(makers)))](palette)


def _bed(palette: Palette, s: Setting, size: float) -> float:
    """Something soft or wooden that the subject is on, indoors; its height."""
    if not s.room or palette.chance(0.3):
        return 0.0
    high = palette.between(0.3, 0.8)
    cloth = palette.fabric() if palette.chance(0.7) else palette.wood()
    s.things.append(box((max(1.6, 3 * size), high, max(1.4, 3 * size)), cloth, (0, 0, -0.6 * size)))
    return high


def _near(
    palette: Palette, middle: np.ndarray, away: tuple[float, float], cone: tuple[float, float], fov: tuple[float, float]
) -> Camera:
    """A camera before a face at a distance in `away` (metres), from within a cone of sides and heights (radians)."""
    r = palette.rng
    d, side, up = palette.between(*away), cone[0] * r.uniform(-1, 1), cone[1] * r.uniform(-0.7, 1)
    eye = middle + d * np.array([np.sin(side) * np.cos(up), np.sin(up), np.cos(side) * np.cos(up)])
    eye[1] = max(eye[1], 0.04)
    aim = middle + r.normal(size=3) * 0.12 * d
    aperture = palette.between(0.0, 0.03) * d if palette.chance(0.6) else 0.0
    wide = float(np.radians(palette.between(*fov)))
    e, t = (tuple(float(v) for v in p) for p in (eye, aim))
    return Camera(e, t, wide, 0.06 * r.normal(), palette.chance(0.4), d * palette.between(0.8, 1.05), aperture)  # type: ignore[arg-type]


def muzzle(palette: Palette) -> Stage:
    """The face of an animal that fills the picture: the nose is nearest, ears and body recede."""
    sort = str(palette.one_of(*TAME)) if palette.chance(0.7) else str(palette.one_of(*PLANS))
    tame = sort in TAME
    s = _any(palette, room, room, room, studio, wall, meadow) if tame else _any(palette, foliage, forest, meadow, wall)
    thing, at, half = close_beast(palette, sort)
    lift = _bed(palette, s, 6 * half)
    s.things += place(thing, (0, lift, 0))
    middle = at + np.array([0, lift, 0])
    views = [_near(palette, middle, (2.7 * half, 4.8 * half), (0.7, 0.5), (40, 72)) for _ in range(4)]
    views += [
        _near(palette, middle - [0, 0.5 * half, half], (5 * half, 9 * half), (1.0, 0.5), (25, 55)) for _ in range(2)
    ]
    return s.stage("muzzle", views)


def paws(palette: Palette) -> Stage:
    """Forepaws that lie before an animal, or one held out: nearest of all, the face behind them, then the body."""
    sort = str(palette.one_of(*TAME))
    s = _any(palette, room, room, studio, meadow, plaza, beach)
    reach, raised = palette.between(1.2, 3.0), palette.chance(0.5)
    thing, at, half = close_beast(palette, sort, reach, raised)
    lift = _bed(palette, s, 6 * half)
    s.things += place(thing, (0, lift, 0))
    front = float(bounds(thing)[1][2])
    middle = np.array([0.0, lift + at[1] - 0.9 * half, (front + at[2]) / 2])
    views = []
    for k in range(5):
        low, far = (2.0, 5.0) if k < 3 else (4.0, 9.0)
        reachable = (front - middle[2] + low * half, front - middle[2] + far * half)
        views.append(_near(palette, middle, reachable, (0.5, 0.45), (45, 85)))
    return s.stage("paws", views)


def across(palette: Palette) -> Stage:
    """An animal that lies across the frame: seen from its side or from above, filling the picture."""
    sort = str(
        palette.one_of("cat", "cat", "dog", "shepherd", "husky", "tiger", "lion", "lioness", "leopard", "cow", "sheep")
    )
    tame = sort in ("cat", "dog", "shepherd", "husky")
    s = _any(palette, room, room, studio, meadow) if tame else _any(palette, meadow, foliage, forest)
    thing = animal(palette, sort=sort, posture="lie")
    size = float(np.ptp(np.stack(bounds(thing))[:, 2]))
    high = 0.0
    if s.room and palette.chance(0.5):
        high = 0.44
        s.things += place(sofa(palette), (0, 0, -0.12))
    elif s.room:
        high = _bed(palette, s, size)
    side = palette.one_of(-1, 1) * (pi / 2 + 0.35 * palette.rng.normal())
    placed = place(thing, (0, high, 0.0), yaw=side)
    s.things += placed
    low, up = bounds(placed)
    level = (high + 0.15 * size, high + 0.9 * size)
    tight = Shot((0.45 * size, 0.95 * size), (-0.7, 0.7), level, (25, 70), portrait=0.15, aperture=0.015, nearest=0.3)
    loose = Shot((0.95 * size, 1.5 * size), (-0.8, 0.8), level, (20, 60), portrait=0.15, aperture=0.01, nearest=0.5)
    middle = (low + up) / 2
    views = photograph(palette, s, middle, tight, 3, (low, up)) + photograph(palette, s, middle, loose, 2, (low, up))
    return s.stage("across", views)


def face_full(palette: Palette) -> Stage:
    """A human face that fills the picture or is cut by its edges."""
    s = _any(palette, room, studio, studio, foliage, street, plaza, wall, beach)
    thing = bust(palette)
    low = float(bounds(thing)[0][1])
    s.things += place(thing, (0, -low, 0), yaw=0.25 * palette.rng.normal())
    if palette.chance(0.3):
        other = bust(palette)
        s.things += place(
            other,
            (
                palette.one_of(-1, 1) * palette.between(0.3, 0.5),
                -float(bounds(other)[0][1]),
                -palette.between(0.2, 0.9),
            ),
        )
    eyes = np.array([0.0, -low - 0.03, 0.0])
    views = [_near(palette, eyes, (0.24, 0.5), (0.6, 0.35), (30, 62)) for _ in range(4)]
    views += [_near(palette, eyes - [0, 0.05, 0], (0.4, 0.8), (1.3, 0.4), (20, 45)) for _ in range(2)]
    return s.stage("face_full", views)


def reaching(palette: Palette) -> Stage:
    """Somebody holds a hand out to the camera, takes a picture of themselves, or lies with the feet towards it."""
    s = _any(palette, room, studio, street, plaza, beach, meadow, wall)
    if palette.chance(0.3):
        return _lying(palette, s)
    thing = bust(palette, gesture="reach")
    low = float(bounds(thing)[0][1])
    s.things += place(thing, (0, -low, 0))
    points = np.concatenate([q.vertices for q in thing]).astype(np.float64)
    tip = points[points[:, 2] > points[:, 2].max() - 0.04].mean(0) - [0, low, 0]
    eyes = np.array([0.0, -low, 0.0])
    views = []
    for k in range(5):
        way = tip - eyes + palette.rng.normal(size=3) * 0.12
        way[2] = max(way[2], 0.25)
        eye = eyes + way * (1 + palette.between(0.18, 0.7) / float(np.linalg.norm(way)))
        if k > 2:  # the arm comes in from a side, as in pictures of oneself
            eye = tip + np.array([palette.between(-0.3, 0.3), palette.between(0.02, 0.25), palette.between(0.15, 0.35)])
        aim = eyes + (tip - eyes) * palette.between(0.0, 0.6)
        fov = float(np.radians(palette.between(48, 92)))
        e, t = (tuple(float(v) for v in q) for q in (eye, aim))
        views.append(
            Camera(
                e,
                t,
                fov,
                0.05 * palette.rng.normal(),
                palette.chance(0.5),
                float(np.linalg.norm(eye - eyes)),
                palette.between(0, 0.006),
            )
        )  # type: ignore[arg-type]
    return s.stage("reaching", views)


def _lying(palette: Palette, s: Setting) -> Stage:
    """Somebody on their back, feet or head towards the camera, or across the frame."""
    who = person(palette, pose="stand", gesture=palette.one_of("down", "up", "both up", "crossed"))
    flat = place(who, pitch=-pi / 2)
    low, up = bounds(flat)
    lift = _bed(palette, s, 0.7)
    long = float(up[2] - low[2])
    turn = palette.one_of(0.0, 0.0, pi, pi / 2) + 0.2 * palette.rng.normal()
    middle: Thing = place(flat, (0, -float(low[1]), long / 2))
    s.things += place(middle, (0, lift, -0.2), yaw=turn)
    views = []
    for _ in range(5):
        away = palette.between(0.35, 1.0) + (long / 2 if abs(np.cos(turn)) > 0.5 else 0.5)
        eye = np.array([palette.between(-0.5, 0.5), lift + palette.between(0.25, 1.2), away])
        target = np.array([palette.between(-0.2, 0.2), lift + 0.12, palette.between(-0.4, 0.3)])
        e, t = (tuple(float(v) for v in q) for q in (eye, target))
        views.append(
            Camera(e, t, float(np.radians(palette.between(45, 85))), 0.05 * palette.rng.normal(), palette.chance(0.4))
        )  # type: ignore[arg-type]
    return s.stage("reaching", views)


BEASTS: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "muzzle": (muzzle, 0.65),
    "paws": (paws, 0.3),
    "across": (across, 0.35),
}
"""Animals up close by name: maker and weight among `animals.SCENES`."""
PEOPLE: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "face_full": (face_full, 0.35),
    "reaching": (reaching, 0.35),
}
"""People up close by name: maker and weight among `people.SCENES`."""
SCENES = {**BEASTS, **PEOPLE}
