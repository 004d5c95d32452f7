"""The known places of the scans: a room, a street, an object on a table, and someone who walks past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from tests.scan_draw import SUBJECT, Array, Light, Paint, Solid, ball, box, lathe, sheet
from tests.scan_worlds import KnownFilm, Trouble, lens_of, looking

from unflat.types.camera import Pose
from unflat.types.image import Size

WHITE, CREAM, OAK = (0.75, 0.74, 0.7), (0.62, 0.58, 0.5), (0.35, 0.2, 0.1)
SMALL, FULL = Size(160, 120), Size(640, 480)


def _patches(seed: int, size: float = 0.09) -> Paint:
    rng = np.random.default_rng(seed)
    one, two = rng.uniform(0.02, 0.25, 3), rng.uniform(0.4, 0.9, 3)
    return Paint("patches", size, tuple(one), tuple(two), seed=seed)


def _room_shell() -> list[Solid]:
    """5 m × 4 m × 2.6 m: a floor of boards, plastered and papered walls, a door, two windows."""
    floor = Paint("planks", 0.12, (0.42, 0.26, 0.14), (0.16, 0.08, 0.04), gloss=0.15, seed=1)
    wall = Paint("plaster", 1.0, WHITE, (0.52, 0.51, 0.47), seed=2)
    paper = Paint("patches", 0.16, (0.5, 0.55, 0.45), (0.66, 0.64, 0.5), seed=3)
    ceiling = Paint("plaster", 1.0, (0.8, 0.8, 0.78), (0.62, 0.62, 0.6), seed=4)
    brick = Paint("bricks", 0.24, (0.45, 0.2, 0.13), (0.6, 0.56, 0.5), seed=5)
    x, z, h = 2.5, 2.0, -2.6
    shell = [
        sheet((-x, 0, -z), (2 * x, 0, 0), (0, 0, 2 * z), floor),
        sheet((-x, h, -z), (2 * x, 0, 0), (0, 0, 2 * z), ceiling),
        sheet((-x, h, z), (2 * x, 0, 0), (0, -h, 0), wall),
        sheet((-x, h, -z), (2 * x, 0, 0), (0, -h, 0), paper),
        sheet((-x, h, -z), (0, 0, 2 * z), (0, -h, 0), brick),
        sheet((x, h, -z), (0, 0, 2 * z), (0, -h, 0), wall),
    ]
    wood = Paint("planks", 0.09, (0.5, 0.38, 0.24), (0.28, 0.18, 0.1), seed=6)
    frame = Paint("plaster", 1.0, (0.85, 0.85, 0.83), (0.6, 0.6, 0.58), seed=7)
    outside = Paint("glow", 0.3, (0.7, 0.85, 1.0), (1.1, 1.15, 1.2), seed=8)
    shell += [box((1.2, -2.05, z - 0.05), (2.1, 0, z), wood), box((1.1, -2.15, z - 0.07), (1.2, 0, z), frame)]
    shell += [box((2.1, -2.15, z - 0.07), (2.2, 0, z), frame), box((1.1, -2.25, z - 0.07), (2.2, -2.15, z), frame)]
    for left in (-1.3, 0.4):  # two windows in the right wall
        shell += [sheet((x - 0.02, -2.1, left), (0, 0, 0.9), (0, 1.2, 0), outside)]
        for low, high in (((-2.16, left - 0.06), (-2.1, left + 0.96)), ((-0.9, left - 0.06), (-0.84, left + 0.96)),
                          ((-2.1, left - 0.06), (-0.9, left)), ((-2.1, left + 0.9), (-0.9, left + 0.96)),
                          ((-2.1, left + 0.42), (-0.9, left + 0.48))):  # fmt: skip
            shell.append(box((x - 0.08, low[0], low[1]), (x, high[0], high[1]), frame))
    shell.append(box((-x, -0.09, z - 0.02), (1.1, 0, z), frame))
    return shell


def _furniture() -> list[Solid]:
    """A table with chairs, a sofa, shelves of books, pictures, a rug, a lamp, a pot."""
    oak = Paint("planks", 0.08, OAK, (0.16, 0.08, 0.04), gloss=0.1, seed=10)
    cloth = Paint("cloth", 0.05, (0.12, 0.2, 0.38), (0.5, 0.55, 0.6), seed=11)
    solids = [box((-0.5, -0.75, -1.0), (0.7, -0.71, -0.3), oak)]
    solids += [box((a, -0.71, b), (a + 0.06, 0, b + 0.06), oak) for a in (-0.46, 0.6) for b in (-0.96, -0.4)]
    for x, turn in ((-0.9, 0.3), (1.1, -0.2)):
        solids += [box((x - 0.22, -0.46, -0.87), (x + 0.22, -0.42, -0.43), oak, turn)]
        solids += [box((x + a, -0.42, -0.65 + b), (x + a + 0.04, 0, -0.61 + b), oak)
                   for a in (-0.19, 0.15) for b in (-0.19, 0.15)]  # fmt: skip
        back = x - 0.2 if x < 0 else x + 0.16
        solids += [box((back, -0.95, -0.85), (back + 0.04, -0.46, -0.45), cloth, turn)]
    solids += [box((-1.7, -0.42, 1.15), (0.1, 0, 1.95), cloth), box((-1.7, -0.85, 1.7), (0.1, -0.42, 1.95), cloth)]
    solids += [box((-1.75, -0.62, 1.15), (-1.55, 0, 1.95), cloth), box((-0.05, -0.62, 1.15), (0.15, 0, 1.95), cloth)]
    solids += [box((-1.4, -0.72, 1.5), (-0.98, -0.42, 1.66), _patches(12, 0.06), 0.2)]
    rng = np.random.default_rng(9)
    for shelf in range(5):  # a bookcase at the left wall
        y = -0.08 - 0.38 * shelf
        solids.append(box((-2.5, y, -1.3), (-2.2, y + 0.025, 0.1), oak))
        along = -1.26
        while along < 0.02 and shelf < 4:
            thick, high = rng.uniform(0.025, 0.06), rng.uniform(0.2, 0.31)
            paint = _patches(int(rng.integers(100)), float(rng.uniform(0.03, 0.1)))
            solids.append(box((-2.48, y - high, along), (-2.25 - rng.uniform(0, 0.04), y, along + thick), paint))
            along += thick + (0.12 if rng.random() < 0.08 else 0.002)
    solids += [box((-2.5, -1.62, side), (-2.2, 0, side + 0.03), oak) for side in (-1.33, 0.1)]
    for i, (a, b, c, d) in enumerate(((-1.9, -1.9, -1.1, -1.3), (-0.7, -2.0, -0.3, -1.4), (0.1, -1.8, 0.8, -1.3))):
        solids.append(box((a, b, 1.97), (c, d, 2.0), _patches(20 + i, 0.1)))
    solids.append(box((-1.2, -1.9, -2.0), (0.2, -1.1, -1.97), _patches(30, 0.14)))
    solids.append(
        box((0.7, -1.75, -2.0), (1.3, -1.25, -1.97), Paint("print", 0.05, WHITE, (0.05, 0.05, 0.06), seed=31))
    )
    solids.append(box((-1.6, -0.012, 0.0), (1.2, 0, 1.1), _patches(32, 0.2)))
    vase = [(0.0, 0.0), (0.07, 0.0), (0.1, -0.1), (0.06, -0.22), (0.03, -0.25), (0.045, -0.3)]
    solids.append(lathe(vase, (0.1, -0.75, -0.7), _patches(33, 0.04), 24))
    solids.append(box((0.3, -0.79, -0.85), (0.52, -0.75, -0.55), Paint("print", 0.02, WHITE, (0.1, 0.1, 0.1), seed=34)))
    lamp = Paint("cloth", 0.04, (0.8, 0.7, 0.5), (0.55, 0.45, 0.3), seed=35)
    solids += [lathe([(0.15, 0.0), (0.15, -0.03), (0.015, -0.03), (0.015, -1.35)], (2.1, 0, -1.6), oak, 16)]
    solids += [lathe([(0.22, -1.3), (0.13, -1.6)], (2.1, 0, -1.6), lamp, 24)]
    pot = Paint("bricks", 0.1, (0.5, 0.24, 0.14), (0.3, 0.14, 0.08), seed=36)
    leaf = Paint("plaster", 1.0, (0.02, 0.12, 0.02), (0.25, 0.5, 0.12), seed=37)
    solids += [lathe([(0.0, 0.0), (0.13, 0.0), (0.18, -0.3)], (2.1, 0, 1.5), pot, 20)]
    solids += [ball((2.1 + 0.1 * np.cos(k), -0.55 - 0.09 * k, 1.5 + 0.1 * np.sin(k)), (0.17, 0.13, 0.17), leaf, 14)
               for k in range(5)]  # fmt: skip
    return solids


def _bobbing(t: float) -> Array:
    return np.array([0.012 * np.sin(1.3 * t), 0.02 * np.sin(0.9 * t), 0.012 * np.cos(1.1 * t)])


def room(size: Size = SMALL, count: int = 8, **rest: object) -> KnownFilm:
    """Once around in the room, looking ahead and outward, to where the walk began; ``rest``: fields of KnownFilm."""
    around = 2 * np.pi / count

    def path(t: float) -> Pose:
        a = around * t
        eye = np.array([1.35 * np.sin(a), -1.45, 0.15 + 0.95 * np.cos(a)]) + _bobbing(t * 120 / count)
        ahead = a + 0.95 + 0.3 * np.sin(3 * a)
        to = eye + np.array([2 * np.cos(ahead), 0.45 + 0.35 * np.sin(2 * a), -2 * np.sin(ahead)])
        return looking(eye, to, 0.03 * np.sin(5 * a))

    light = Light(np.array([[0.0, -2.3, 0.0, 1.5, 0.8, 1], [1.6, -1.5, 0.2, 1.0, 1.0, 1]]), 0.2, (0.9, 1.0, 1.2))
    fields = {"lens": lens_of(size, 72), **rest}
    return KnownFilm("room", Solid.of(*_room_shell(), *_furniture()), light, count=count, path=path, **fields)


def street(size: Size = SMALL, count: int = 8, **rest: object) -> KnownFilm:
    """Twenty metres along a street of houses with cars, trees and lamps; the sky above."""
    asphalt = Paint("plaster", 1.0, (0.08, 0.08, 0.09), (0.26, 0.26, 0.26), seed=40)
    slabs = Paint("bricks", 0.6, (0.4, 0.4, 0.38), (0.2, 0.2, 0.2), seed=41)
    solids = [sheet((-4, 0, -5), (8, 0, 0), (0, 0, 70), asphalt)]
    rng = np.random.default_rng(42)
    glass = Paint("plaster", 1.0, (0.02, 0.03, 0.05), (0.2, 0.25, 0.3), seed=43)
    for side in (-1, 1):
        a, b = sorted((side * 4, side * 6.5))
        solids.append(box((a, -0.12, -5), (b, 0, 65), slabs))
        along = -5.0
        while along < 60:
            deep, high = float(rng.uniform(5, 9)), float(rng.uniform(6, 12))
            back = 6.5 + float(rng.uniform(0, 0.6))
            kind, seed = ("bricks", "plaster", "planks")[int(rng.integers(3))], int(rng.integers(1000))
            one, two = tuple(rng.uniform(0.3, 0.7, 3)), tuple(rng.uniform(0.15, 0.4, 3))
            a, b = sorted((side * back, side * (back + 6)))
            solids.append(box((a, -high, along), (b, 0, along + deep), Paint(kind, 0.4, one, two, seed=seed)))
            for floor in range(int(high // 2.8)):
                for k in range(int(deep // 1.8)):
                    z, y = along + 0.6 + 1.8 * k, -0.9 - 2.8 * floor
                    a, b = sorted((side * (back - 0.06), side * back))
                    solids.append(box((a, y - 1.4, z), (b, y, z + 0.9), glass))
            along += deep + (float(rng.uniform(0.5, 2)) if rng.random() < 0.3 else 0)
    leaf = Paint("plaster", 1.0, (0.03, 0.1, 0.02), (0.3, 0.45, 0.15), seed=44)
    bark = Paint("bricks", 0.1, (0.2, 0.14, 0.08), (0.08, 0.06, 0.04), seed=45)
    for k in range(7):
        side, z = (1, -1)[k % 2], 4.0 + 7 * k
        solids += [lathe([(0.14, 0), (0.11, -3.0)], (side * 4.7, 0, z), bark, 12)]
        solids += [ball((side * 4.7 + dx, -3.4 - dy, z + dz), (1.0, 0.8, 1.0), leaf, 14)
                   for dx, dy, dz in rng.uniform(-0.6, 0.6, (4, 3))]  # fmt: skip
        paint = Paint("plaster", 1.0, tuple(rng.uniform(0.05, 0.6, 3)), tuple(rng.uniform(0.02, 0.3, 3)), 0.3, k)
        x, z = -side * 3.0, 3.0 + 7 * k
        solids += [box((x - 0.85, -0.85, z), (x + 0.85, -0.25, z + 4.2), paint)]
        solids += [box((x - 0.75, -1.4, z + 1), (x + 0.75, -0.85, z + 3.4), glass)]
        solids += [box((x + a, -0.6, z + b), (x + a + 0.2, 0, z + b + 0.6), asphalt) for a in (-0.87, 0.67)
                   for b in (0.5, 3.1)]  # fmt: skip
    length = 20.0

    def path(t: float) -> Pose:
        s = t / max(count - 1, 1)
        eye = np.array([0.6 * np.sin(5 * s), -1.6, length * s]) + 2 * _bobbing(t * 120 / count)
        return looking(eye, eye + np.array([0.9 * np.sin(4 * s + 1), 0.08, 2.0]), 0.02 * np.sin(9 * s))

    sun = np.array([40.0, -60.0, -20.0])
    light = Light(np.array([[*sun, 7000.0, 0.0, 1]]), 0.3, (0.75, 0.85, 1.0))
    fields = {"lens": lens_of(size, 66), **rest}
    return KnownFilm("street", Solid.of(*solids), light, count=count, path=path, **fields)


def thing(size: Size = SMALL, count: int = 8, alone: bool = False, **rest: object) -> KnownFilm:
    """Around a jug on a table, at two heights; ``alone``: before nothing, as on a turntable in a light tent."""
    body = [(0.0, 0.0), (0.05, 0.0), (0.075, -0.03), (0.085, -0.08), (0.07, -0.13), (0.045, -0.17), (0.04, -0.2),
            (0.052, -0.23), (0.0, -0.23)]  # fmt: skip
    fine = np.linspace(0, len(body) - 1, 40)
    at = np.arange(len(body))
    profile = [
        (float(np.interp(k, at, [b[0] for b in body])), float(np.interp(k, at, [b[1] for b in body]))) for k in fine
    ]
    glaze = Paint("patches", 0.03, (0.05, 0.12, 0.35), (0.8, 0.75, 0.6), seed=50)
    solids = [lathe(profile, (0, -0.75, 0), glaze, 64).owned(SUBJECT)]
    grip = Paint("cloth", 0.012, (0.5, 0.2, 0.08), (0.85, 0.6, 0.3), seed=51)
    for k in np.linspace(-1.2, 1.2, 15):  # a handle of beads
        centre = (0.075 + 0.05 * np.cos(k), -0.865 - 0.06 * np.sin(k), 0.0)
        solids.append(ball(centre, (0.013, 0.013, 0.013), grip, 14).owned(SUBJECT))
    solids.append(box((-0.045, -0.8, 0.075), (0.045, -0.75, 0.12), _patches(52, 0.02), 0.3).owned(SUBJECT))
    if not alone:
        top = Paint("planks", 0.07, (0.5, 0.36, 0.2), (0.25, 0.15, 0.08), seed=53)
        page = Paint("print", 0.012, (0.75, 0.75, 0.72), (0.05, 0.05, 0.05), seed=54)
        solids += [box((-0.6, -0.75, -0.45), (0.6, -0.71, 0.45), top)]
        solids += [
            box((-0.42, -0.752, -0.3), (-0.21, -0.75, 0.0), page, 0.3),
            box((0.2, -0.752, 0.1), (0.41, -0.75, 0.4), page),
        ]
        solids += [
            sheet((-3, 0, -3), (6, 0, 0), (0, 0, 6), Paint("bricks", 0.5, (0.3, 0.3, 0.28), (0.5, 0.5, 0.48), seed=55))
        ]
        wall = Paint("plaster", 1.0, WHITE, (0.5, 0.5, 0.46), seed=56)
        for corner, right in (((-3, -2.6, 3), (6, 0, 0)), ((-3, -2.6, -3), (6, 0, 0)), ((-3, -2.6, -3), (0, 0, 6)),
                              ((3, -2.6, -3), (0, 0, 6))):  # fmt: skip
            solids.append(sheet(corner, right, (0, 2.6, 0), wall))

    def path(t: float) -> Pose:
        half = max(count / 2, 1)
        a, high = 2 * np.pi * t / half + (0.1 if t >= half else 0.0), (0.2, 0.42)[int(t >= half)]
        away = np.sqrt(0.55**2 - high**2)
        eye = np.array([away * np.sin(a), -0.85 - high, -away * np.cos(a)])
        return looking(eye + 0.2 * _bobbing(t), np.array([0.02, -0.86, 0.0]))

    light = Light(np.array([[1.0, -2.4, -0.8, 2.2, 0.6, 1], [-1.5, -2.0, 1.2, 1.2, 0.6, 1]]), 0.25, (0.01, 0.01, 0.01))
    fields = {"lens": lens_of(size, 42), **rest}
    return KnownFilm("thing", Solid.of(*solids), light, count=count, path=path, **fields)


def walker(way: Callable[[float], tuple[float, float]]) -> Callable[[float], Solid]:
    """Someone who walks over the floor; ``way`` gives x and z at a time counted in frames."""
    shirt, trousers = Paint("cloth", 0.06, (0.5, 0.08, 0.06), (0.75, 0.7, 0.6), seed=60), Paint(
        "plaster", 1.0, (0.03, 0.04, 0.1), (0.12, 0.14, 0.25), seed=61)  # fmt: skip
    skin, hair = Paint("plaster", 1.0, (0.6, 0.4, 0.3), (0.5, 0.3, 0.22), seed=62), Paint(
        "plaster", 1.0, (0.05, 0.03, 0.02), (0.15, 0.1, 0.06), seed=63)  # fmt: skip

    def limb(top: tuple[float, float, float], long: float, swing: float, paint: Paint) -> Solid:
        part = ball((0, long / 2, 0), (0.07, long / 2, 0.07), paint, 12)
        c, s = np.cos(swing), np.sin(swing)
        place = np.eye(4)
        place[:3, :3], place[:3, 3] = [[1, 0, 0], [0, c, -s], [0, s, c]], top
        return part.moved(place)

    def figure(t: float) -> Solid:
        swing = 0.5 * np.sin(0.8 * t)
        parts = [ball((0, -1.2, 0), (0.2, 0.33, 0.13), shirt, 18), ball((0, -1.62, 0), (0.09, 0.13, 0.1), skin, 14)]
        parts += [ball((0, -1.68, -0.01), (0.1, 0.1, 0.11), hair, 14)]
        parts += [limb((0.09, -0.92, 0), 0.92, swing, trousers), limb((-0.09, -0.92, 0), 0.92, -swing, trousers)]
        parts += [limb((0.23, -1.45, 0), 0.65, -swing, shirt), limb((-0.23, -1.45, 0), 0.65, swing, shirt)]
        (x, z), (next_x, next_z) = way(t), way(t + 0.5)
        turn = np.arctan2(next_x - x, next_z - z)
        c, s = np.cos(turn), np.sin(turn)
        place = np.eye(4)
        place[:3] = [[c, 0, s, x], [0, 1, 0, 0], [-s, 0, c, z]]
        return Solid.of(*parts).moved(place)

    return figure


def marker(corner: tuple[float, float, float], right: Array, down: Array, number: int = 7) -> Solid:
    """A printed ArUco marker (4X4): its black square by a corner and two sides as one sees them, and its white rim."""
    bits = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), number, 6)
    o, u, v = np.asarray(corner, np.float64), right / 6, down / 6
    white, black = ((0.9, 0.9, 0.9), (0.88, 0.88, 0.88)), ((0.02, 0.02, 0.02), (0.03, 0.03, 0.03))
    out = np.cross(u, v) / np.linalg.norm(u) * 0.02  # a third of a millimetre apart, towards the eye
    cells = [sheet(tuple(o - u - v), tuple(right + 2 * u), tuple(down + 2 * v), Paint("plaster", 1.0, *white))]
    for row, column in np.argwhere(bits == 0):
        cells.append(sheet(tuple(o + column * u + row * v - out), tuple(u), tuple(v), Paint("plaster", 1.0, *black)))
    return Solid.of(*cells)


def troubled(film: KnownFilm, figure: bool = True) -> KnownFilm:
    """The same film by a poor camera, with someone walking about ahead of it (in the room and the street)."""

    def ahead(t: float) -> tuple[float, float]:
        if film.name == "street":
            return 0.9 * np.sin(0.05 * t) + 1.5, 7.0 + 20 * t / film.count + 3 * np.sin(0.04 * t)
        a = 2 * np.pi * t / film.count + 1.0 + 0.8 * np.sin(0.07 * t)
        return 1.7 * np.sin(a), 0.1 + 1.05 * np.cos(a)

    poor = Trouble(noise=4.0, shutter=0.4, exposure=0.35, focus=1.2, jpeg=85)
    walks = walker(ahead) if figure and film.name != "thing" else None
    return replace(film, trouble=poor, figure=walks)


PLACES: dict[str, Callable[..., KnownFilm]] = {"room": room, "street": street, "thing": thing}
