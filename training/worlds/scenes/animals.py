"""Pictures of animals: pets, wild ones, farms, birds, heads close up."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from training.worlds.mesh import Thing, bounds, box, floor, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.animals import BIRDS, animal
from training.worlds.parts.many import copies
from training.worlds.parts.people import person
from training.worlds.parts.plants import leaf_plant, tree
from training.worlds.parts.seats import sofa
from training.worlds.scenes import upclose
from training.worlds.scenes.settings import (
    Setting,
    beach,
    farmyard,
    foliage,
    forest,
    heights,
    meadow,
    plaza,
    room,
    street,
    tufts,
    wall,
)
from training.worlds.scenes.shots import Shot, photograph
from training.worlds.stage import Stage

PETS = (
    "cat",
    "cat",
    "cat",
    "kitten",
    "dog",
    "dog",
    "shepherd",
    "terrier",
    "pug",
    "dachshund",
    "greyhound",
    "husky",
    "rabbit",
)
WILD = (
    "lion", "lioness", "tiger", "leopard", "elephant", "zebra", "giraffe", "buffalo", "deer", "doe", "bear", "wolf",
    "fox", "camel", "ostrich", "squirrel", "rabbit", "flamingo", "heron",
)  # fmt: skip
HEADS = (
    "lion", "tiger", "leopard", "bear", "horse", "cow", "wolf", "elephant", "dog", "cat", "sheep", "deer", "giraffe",
    "zebra", "goat", "eagle", "owl", "parrot", "ostrich",
)  # fmt: skip
FARM = ("cow", "cow", "horse", "horse", "sheep", "sheep", "goat", "pig", "chicken", "goose", "duck")


def _any(palette: Palette, *makers: Callable[[Palette], Setting]) -> Setting:
    return makers[int(palette.rng.integers(len(makers)))](palette)


def _size(thing: Thing) -> float:
    low, high = bounds(thing)
    return float(max(high - low))


def _face(thing: Thing) -> NDArray[np.float64]:
    """About where the head is: what lies farthest forward and up."""
    points = np.concatenate([part.vertices for part in thing]).astype(np.float64)
    score = points[:, 2] + 0.8 * points[:, 1]
    return points[score > np.quantile(score, 0.85)].mean(0)


def pet(palette: Palette) -> Stage:
    """A cat or a dog on the floor, a sofa, a lawn; from above and from its own level."""
    s = _any(palette, room, room, room, meadow, foliage, plaza, wall)
    thing = animal(palette, sort=str(palette.one_of(*PETS)))
    high = 0.0
    if s.room and palette.chance(0.35):
        seat = sofa(palette)
        s.things += place(seat, at=(0, 0, -0.1))
        high = 0.44
    elif s.room and palette.chance(0.2):
        high = palette.between(0.4, 0.8)
        s.things.append(box((1.4, high, 0.8), palette.wood()))
    turn = palette.rng.normal() * 0.8 if palette.chance(0.75) else palette.between(0, 2 * pi)
    thing = place(thing, at=(0, high, 0.1), yaw=turn)
    s.things += thing
    if not s.room and palette.chance(0.6):
        tufts(palette, s, 0.5, 5, 30)
    size, face = _size(thing), _face(thing)
    low, up = bounds(thing)
    head = Shot(
        (0.35 * size, 0.9 * size),
        (-0.9, 0.9),
        (high + 0.1, high + 0.9),
        (18, 65),
        portrait=0.45,
        aperture=0.02,
        nearest=0.25,
    )
    whole = Shot(
        (1.1 * size, 2.6 * size),
        (-1.3, 1.3),
        (high + 0.1, high + 1.6),
        (22, 80),
        portrait=0.4,
        aperture=0.012,
        nearest=0.4,
    )
    cameras = photograph(palette, s, face, head, 2, own=(low, up)) + photograph(
        palette, s, (low + up) / 2, whole, 4, own=(low, up)
    )
    return s.stage("pet", cameras)


def wild(palette: Palette) -> Stage:
    """An animal in savannah, forest or mountains, through long lenses too."""
    s = _any(palette, meadow, meadow, forest, foliage, heights)
    sort = str(palette.one_of(*WILD))
    thing = place(animal(palette, sort=sort), yaw=palette.between(0, 2 * pi))
    s.things += thing
    size = _size(thing)
    if palette.chance(0.4):
        kin = animal(palette, sort=sort, detail="far")
        n = int(palette.rng.integers(1, 8))
        d, a = palette.rng.uniform(1.5, 12, n) * size, palette.rng.uniform(0, 2 * pi, n)
        s.things += copies(
            kin, np.stack([d * np.sin(a), 0 * a, -np.abs(d * np.cos(a))], 1), palette.rng.uniform(0, 6, n)
        )
    if palette.chance(0.6):
        tufts(palette, s, 0.5 * size, 8 * size, 60)
    if palette.chance(0.3):
        d, a = palette.rng.uniform(0.75, 3.5, 8), palette.rng.uniform(0, 2 * pi, 8)
        s.things += copies(
            leaf_plant(palette, min(0.5, 0.35 * size)),
            np.stack([size * d * np.sin(a), 0 * a - 0.01, size * d * np.cos(a)], 1),
            palette.rng.uniform(0, 6, 8),
        )
    low, up = bounds(thing)
    level = (0.25 * up[1], 1.1 * up[1] + 0.6)
    tele = Shot((0.8 * size, 3 * size), (-1.2, 1.2), level, (6, 24), portrait=0.3, aperture=0.08, nearest=1.5)
    plain = Shot((1.3 * size, 6 * size), (-1.2, 1.2), (0.5, 2.5), (24, 75), portrait=0.25, aperture=0.01, nearest=1.0)
    middle = (low + up) / 2
    return s.stage(
        "wild",
        photograph(palette, s, middle, tele, 3, own=(low, up))
        + photograph(palette, s, middle, plain, 3, own=(low, up)),
    )


def head_close(palette: Palette) -> Stage:
    """The head and shoulders of a large animal: a zoo, a stable, a chance meeting."""
    s = _any(palette, foliage, forest, meadow, wall, room)
    posture = "stand" if palette.chance(0.6) else "any"
    thing = animal(palette, sort=str(palette.one_of(*HEADS)), posture=posture)
    thing = place(thing, yaw=0.5 * palette.rng.normal())
    s.things += thing
    size, face = _size(thing), _face(thing)
    low, up = bounds(thing)
    shot = Shot(
        (0.3 * size, 0.9 * size),
        (-0.9, 0.9),
        (max(face[1] - 0.3 * size, 0.1), face[1] + 0.25 * size),
        (8, 50),
        portrait=0.45,
        aperture=0.05,
        nearest=0.3,
    )
    return s.stage("head_close", photograph(palette, s, face, shot, 5, own=(low, up)))


def farm(palette: Palette) -> Stage:
    """A herd at pasture, hens in a yard, a rider's horse with somebody beside it."""
    s = _any(palette, farmyard, farmyard, meadow)
    sort = str(palette.one_of(*FARM))
    small = sort in BIRDS
    front = place(animal(palette, sort=sort), yaw=palette.between(0, 2 * pi))
    s.things += front
    size = _size(front)
    for _ in range(3):
        kin = animal(palette, sort=sort, detail="far")
        n = int(palette.rng.integers(1, 5))
        d, a = palette.rng.uniform(1.1, 9 if small else 14, n) * size, palette.rng.normal(0, 0.8, n)
        s.things += copies(
            kin,
            np.stack([d * np.sin(a), 0 * a, -d * np.cos(a)], 1),
            palette.rng.uniform(0, 6, n),
            np.exp(palette.rng.normal(0, 0.06, n)),
        )
    if palette.chance(0.2) and not small:
        s.things += place(
            person(palette, pose="stand"),
            at=(palette.between(0.7, 1.2) * size * 0.5, 0, 0.4),
            yaw=palette.between(0, 6.3),
        )
    low, up = bounds(front)
    near = Shot((1.1 * size, 2.2 * size), (-1.0, 1.0), (0.3, 1.8), (18, 70), portrait=0.3, aperture=0.015, nearest=0.5)
    far = Shot((3 * size, 9 * size), (-0.7, 0.7), (0.8, 2.6), (25, 80), portrait=0.2, aperture=0.0, nearest=1.5)
    middle = (low + up) / 2
    return s.stage(
        "farm",
        photograph(palette, s, middle, near, 3, own=(low, up)) + photograph(palette, s, middle, far, 3, own=(low, up)),
    )


def bird(palette: Palette) -> Stage:
    """A bird on a branch, a post, the ground, the water, close through a long lens; the background far and blurred."""
    s = _any(palette, meadow, meadow, forest, beach, heights, foliage)
    sort = str(palette.rng.choice(list(BIRDS)))
    perches = sort in ("sparrow", "pigeon", "crow", "eagle", "owl", "parrot", "gull")
    high = palette.between(0.8, 2.6) if perches and palette.chance(0.85) else 0.0
    thing = place(animal(palette, sort=sort, posture="stand"), at=(0, high, 0), yaw=palette.rng.normal())
    s.things += thing
    low, up = bounds(thing)
    if high:
        _perch(palette, s, high, _size(thing))
    size, face = _size(thing), _face(thing)
    level = (high - 0.5 * size, high + 1.2 * size)
    close = Shot((0.45 * size, 1.2 * size), (-1.2, 1.2), level, (7, 35), portrait=0.4, aperture=0.05, nearest=0.4)
    whole = Shot((1.3 * size, 4 * size), (-1.3, 1.3), level, (7, 45), portrait=0.35, aperture=0.04, nearest=0.6)
    cameras = photograph(palette, s, face, close, 3, own=(low, up)) + photograph(
        palette, s, (low + up) / 2, whole, 3, own=(low, up)
    )
    return s.stage("bird", cameras)


def _perch(palette: Palette, s: Setting, high: float, size: float) -> None:
    """A branch with twigs and leaves, or a post, whose top is at `high`."""
    if palette.chance(0.25):
        s.things.append(box((0.12, high, 0.12), palette.wood()))
        return
    bark = palette.bark()
    thick = palette.between(0.05, 0.16) * size
    x = np.linspace(-1.6, 1.6, 7) * palette.between(0.6, 1.5)
    wave = 0.1 * np.sin(x * 2 + palette.between(0, 6)) * np.abs(x)
    path = np.stack([x, high - thick + wave, 0.02 * np.sin(3 * x) + 0.15 * palette.rng.normal() * x], 1)
    s.things.append(tube(path, np.linspace(1.5, 0.8, 7) * thick, bark, sides=7))
    if palette.chance(0.6):
        at = path[palette.rng.integers(0, 7, 8)]
        at = at[np.abs(at[:, 0]) > 0.3]
        if len(at):
            s.things += copies(leaf_plant(palette, 0.25), at, palette.rng.uniform(0, 6, len(at)))


def flock(palette: Palette) -> Stage:
    """Birds in the air or on open ground."""
    s = _any(palette, beach, meadow, plaza, street, heights)
    sort = str(palette.one_of("gull", "pigeon", "eagle", "crow", "duck", "goose", "flamingo", "swan", "sparrow"))
    flying = palette.chance(0.5)
    middle = np.array([0, palette.between(2, 7) if flying else 0.0, 0])
    first = place(
        animal(palette, sort=sort, posture="fly" if flying else "stand"), at=middle, yaw=palette.between(0, 6.3)
    )
    s.things += first
    size = _size(first)
    for _ in range(3):
        n = int(palette.rng.integers(2, 8))
        at = middle + palette.rng.normal(size=(n, 3)) * [3.5 * size, 1.5 * size * flying, 5 * size] - [0, 0, 3 * size]
        at[:, 1] = np.maximum(at[:, 1], 1.0) if flying else 0.0
        s.things += copies(
            animal(palette, sort=sort, posture="fly" if flying else "stand", detail="far"),
            at,
            palette.rng.normal(0, 0.8, n),
        )
    shot = Shot((1.3 * size, 9 * size), (-1.0, 1.0), (0.3, 2.0), (10, 60), portrait=0.3, aperture=0.02, nearest=1.0)
    return s.stage("flock", photograph(palette, s, middle + np.array([0, 0.4 * size, 0]), shot, 6))


def walk_the_dog(palette: Palette) -> Stage:
    """Somebody with an animal beside them."""
    s = _any(palette, street, meadow, beach, plaza, forest)
    turn = float(palette.rng.choice([0, pi])) + 0.3 * palette.rng.normal()
    s.things += place(person(palette, pose="walk"), yaw=turn)
    sort = str(palette.one_of("dog", "shepherd", "terrier", "husky", "greyhound", "horse", "goat"))
    x, z = palette.between(0.5, 0.95), palette.between(-0.2, 0.8)
    at = (x * cos(turn) + z * sin(turn), 0, -x * sin(turn) + z * cos(turn))
    s.things += place(animal(palette, sort=sort, posture="walk"), at=at, yaw=turn)
    if palette.chance(0.3):
        s.things += place(tree(palette), at=(palette.between(2, 4), 0, -palette.between(2, 6)))
    if palette.chance(0.2):
        s.things += place([floor(2.5, 60, palette.paving())], at=(0, 0.004, 0))
    shot = Shot((1.6, 6), (-0.9, 0.9), (0.5, 2.0), (20, 75), portrait=0.5, aperture=0.01, nearest=1.4)
    return s.stage("walk_the_dog", photograph(palette, s, (0.3, 0.75, 0), shot, 5))


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "pet": (pet, 2.0),
    "wild": (wild, 1.6),
    "head_close": (head_close, 1.0),
    "farm": (farm, 1.0),
    "bird": (bird, 1.0),
    "flock": (flock, 0.5),
    "walk_the_dog": (walk_the_dog, 0.6),
    **upclose.BEASTS,
}
