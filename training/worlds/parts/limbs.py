"""What bodies are made of: chains of bones with a skin around them, and joints that find their own angle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.materials import Material
from training.worlds.mesh import Floats, Part, Thing, loft, tube

Doubles = NDArray[np.float64]


def on_ground(thing: Thing) -> Thing:
    """The thing moved up or down until its lowest point is at y = 0."""
    low = min(float(part.vertices[:, 1].min()) for part in thing)
    return [replace(part, vertices=part.vertices - np.array([0, low, 0], np.float32)) for part in thing]


def triangles(thing: Iterable[Part]) -> int:
    """How many triangles the thing has."""
    return sum(len(part.faces) for part in thing)


def two_bones(
    root: ArrayLike, goal: ArrayLike, first: float, second: float, pole: ArrayLike
) -> tuple[Doubles, Doubles]:
    """Where the middle joint and the end of a chain of two bones come to lie when the end reaches for `goal`.

    The joint bends towards `pole` (a direction). A goal out of reach is approached along the straight line.
    """
    a, b = np.asarray(root, np.float64), np.asarray(goal, np.float64)
    gap = b - a
    distance = float(np.clip(np.linalg.norm(gap), abs(first - second) * 1.1 + 1e-3, (first + second) * 0.998))
    along = gap / (np.linalg.norm(gap) + 1e-9)
    bend = np.asarray(pole, np.float64)
    bend = bend - along * (bend @ along)
    bend /= np.linalg.norm(bend) + 1e-9
    forth = (first**2 - second**2 + distance**2) / (2 * distance)
    aside = max(first**2 - forth**2, 0.0) ** 0.5
    return a + along * forth + bend * aside, a + along * distance


def limb(
    joints: ArrayLike, radii: Sequence[float], material: Material, *, sides: int, rows: int, flat: float = 1.0
) -> Part:
    """A skin around a chain of joints (k, 3), rounded at the bends; radii are spread evenly over the chain's length."""
    p = np.asarray(joints, np.float64)
    length = np.concatenate([[0], np.linalg.norm(np.diff(p, axis=0), axis=1).cumsum()])
    total = length[-1] + 1e-9
    at = np.linspace(0, total, rows)
    at = np.unique(np.concatenate([at, length[1:-1]])) if rows > 4 else at
    soft = 0.04 * total
    spread = np.clip(at[None] + np.array([[-soft], [0], [soft]]), 0, total)
    path = np.stack([np.interp(spread, length, p[:, i]).mean(0) for i in range(3)], 1)
    path[0], path[-1] = p[0], p[-1]
    r = np.interp(at / total, np.linspace(0, 1, len(radii)), radii)
    return tube(path, r, material, sides=sides, flat=flat)


def ringed(
    centres: ArrayLike,
    sizes: ArrayLike,
    material: Material,
    *,
    turn: ArrayLike | None = None,
    sides: int = 12,
    power: float = 2.0,
) -> Part:
    """A skin through outlines that follow each other along +z of a frame: bodies, heads, muzzles, shoes.

    Args:
        centres: (k, 3) metres.
        sizes: (k, 3): half-width in x, height above and depth below the centre in y.
        material: Of the skin.
        turn: (k, 3, 3) or (3, 3): the frame of each outline; upright by default.
        sides: Points of an outline.
        power: 2 is an ellipse, more is boxier.
    """
    c, s = np.asarray(centres, np.float64), np.asarray(sizes, np.float64)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    x, y = np.cos(angle), np.sin(angle)
    x, y = np.sign(x) * np.abs(x) ** (2 / power), np.sign(y) * np.abs(y) ** (2 / power)
    local = np.zeros((len(c), sides, 3))
    local[..., 0] = s[:, :1] * x
    local[..., 1] = np.where(y > 0, s[:, 1:2] * y, s[:, 2:3] * y)
    if turn is not None:
        local = np.einsum("...ij,...kj->...ki", np.broadcast_to(np.asarray(turn), (len(c), 3, 3)), local)
    return loft(local + c[:, None], material)


def frame(direction: ArrayLike, up: ArrayLike = (0.0, 1.0, 0.0)) -> Doubles:
    """(3, 3) whose columns are right, up and the direction as +z; `up` only hints."""
    z = np.asarray(direction, np.float64)
    z = z / (np.linalg.norm(z) + 1e-9)
    hint = np.asarray(up, np.float64)
    if abs(float(hint @ z)) > 0.98 * float(np.linalg.norm(hint)):
        hint = np.array([0.0, 0.0, 1.0]) if abs(z[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
    x = np.cross(hint, z)
    x /= np.linalg.norm(x) + 1e-9
    return np.stack([x, np.cross(z, x), z], 1)


def moved(thing: Iterable[Part], turn: ArrayLike, at: ArrayLike, scale: float = 1.0) -> Thing:
    """The thing scaled, turned by a matrix (3, 3), then moved to `at`."""
    matrix, offset = np.asarray(turn, np.float32), np.asarray(at, np.float32)
    return [replace(p, vertices=(p.vertices * scale) @ matrix.T + offset, uv=p.uv * scale) for p in thing]


def split(part: Part, inside: NDArray[np.bool_], material: Material) -> Thing:
    """The part in two: faces all of whose corners are `inside` (one truth for each vertex) get the other material."""
    chosen = inside[part.faces].all(1)
    pieces = []
    for faces, stuff in ((part.faces[~chosen], part.material), (part.faces[chosen], material)):
        if len(faces):
            used, index = np.unique(faces, return_inverse=True)
            pieces.append(Part(part.vertices[used], index.reshape(-1, 3), part.uv[used], stuff, part.smooth))
    return pieces


def bump(x: Floats | Doubles, y: Floats | Doubles, at: Sequence[float], width: Sequence[float]) -> Doubles:
    """A Gaussian hill of height one over x and y."""
    return np.exp(-(((x - at[0]) / width[0]) ** 2) - ((y - at[1]) / width[1]) ** 2)
