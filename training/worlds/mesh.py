"""Triangles of one material, the few shapes they are made from, and how things are put in their places.

A `Part` is a patch of triangles with one material; a `Thing` is a list of parts. Texture coordinates are metres along
the surface, so that a brick is as large on a house as on a pillar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import cos, pi, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.materials import Material

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """Triangles of one material.

    vertices (n, 3) metres; faces (m, 3) counter-clockwise from outside; uv (n, 2) metres; smooth: normals are blended.
    """

    vertices: Floats
    faces: NDArray[np.int32]
    uv: Floats
    material: Material
    smooth: bool = False

    def __post_init__(self) -> None:
        for name, kind in (("vertices", np.float32), ("faces", np.int32), ("uv", np.float32)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), kind))
        if self.vertices.shape[1:] != (3,) or self.uv.shape != (len(self.vertices), 2) or self.faces.shape[1:] != (3,):
            raise ValueError(f"a part of {self.vertices.shape} {self.faces.shape} {self.uv.shape}")


Thing = list[Part]


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Floats:
    """(3, 3): roll about z, then pitch about x, then yaw about y (up); radians."""
    y, p, r = yaw, pitch, roll
    about_y = np.array([[cos(y), 0, sin(y)], [0, 1, 0], [-sin(y), 0, cos(y)]])
    about_x = np.array([[1, 0, 0], [0, cos(p), -sin(p)], [0, sin(p), cos(p)]])
    about_z = np.array([[cos(r), -sin(r), 0], [sin(r), cos(r), 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)


def place(
    thing: Iterable[Part],
    at: ArrayLike = (0.0, 0.0, 0.0),
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    scale: float | Sequence[float] = 1.0,
) -> Thing:
    """The thing scaled, then turned (see `rotation`), then moved to `at`. A scale for each axis may not mirror."""
    factors = np.broadcast_to(np.asarray(scale, np.float32), (3,))
    turn = rotation(yaw, pitch, roll)
    offset = np.asarray(at, np.float32)
    size = float(np.prod(factors)) ** (1 / 3)
    return [replace(part, vertices=(part.vertices * factors) @ turn.T + offset, uv=part.uv * size) for part in thing]


def bounds(thing: Iterable[Part]) -> tuple[Floats, Floats]:
    """Lowest and highest corner, (3,) each."""
    points = np.concatenate([part.vertices for part in thing])
    return points.min(0), points.max(0)


def grid(points: ArrayLike, material: Material, *, uv: ArrayLike | None = None, smooth: bool = True) -> Part:
    """A sheet through points (rows, columns, 3); its outside is where row × column points.

    uv by arc length unless given.
    """
    p = np.asarray(points, np.float32)
    rows, columns = p.shape[:2]
    if uv is None:
        along_row = np.linalg.norm(np.diff(p, axis=1, prepend=p[:, :1]), axis=2).cumsum(1)
        along_column = np.linalg.norm(np.diff(p, axis=0, prepend=p[:1]), axis=2).cumsum(0)
        uv = np.stack([along_row, along_column], -1)
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Part(p.reshape(-1, 3), faces, np.asarray(uv).reshape(-1, 2), material, smooth)


def panel(width: float, height: float, material: Material) -> Part:
    """An upright rectangle in the plane z = 0 that looks along +z, its foot at y = 0, its middle at x = 0."""
    w = width / 2
    corners = np.array([[-w, height, 0], [-w, 0, 0], [w, 0, 0], [w, height, 0]])
    uv = np.array([[0, 0], [0, height], [width, height], [width, 0]])
    return Part(corners, np.array([[0, 1, 2], [0, 2, 3]]), uv, material)


def floor(width: float, depth: float, material: Material) -> Part:
    """A level rectangle at y = 0 around the origin that looks up."""
    return place([panel(width, depth, material)], at=(0, 0, depth / 2), pitch=-pi / 2)[0]


def box(size: Sequence[float], material: Material, at: ArrayLike = (0.0, 0.0, 0.0)) -> Part:
    """A block of width, height, depth that stands on `at` (the middle of its underside)."""
    w, h, d = float(size[0]) / 2, float(size[1]), float(size[2]) / 2
    sides = []
    for normal, right, up in (
        ((0, 0, 1), (1, 0, 0), (0, 1, 0)), ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
        ((1, 0, 0), (0, 0, -1), (0, 1, 0)), ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
        ((0, 1, 0), (1, 0, 0), (0, 0, -1)), ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    ):  # fmt: skip
        half = np.array([w, h / 2, d])
        n, r, u = (np.array(v) * half for v in (normal, right, up))
        sides.append(np.stack([n - r + u, n - r - u, n + r - u, n + r + u]))
    vertices = np.concatenate(sides) + np.array([0, h / 2, 0]) + np.asarray(at)
    uv = np.concatenate([
        np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * [np.linalg.norm(s[3] - s[0]), np.linalg.norm(s[1] - s[0])]
        + [0.37 * i, 0.61 * i] for i, s in enumerate(sides)
    ])  # fmt: skip
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * i for i in range(6)])
    return Part(vertices, faces, uv, material)


def loft(
    sections: ArrayLike, material: Material, *, closed: bool = True, capped: bool = True, smooth: bool = True
) -> Part:
    """A skin through k outlines of s points each, (k, s, 3): bodies, sleeves, bonnets.

    The outline runs counter-clockwise when one looks against the direction in which the sections follow each other.
    closed: the ends of an outline are joined. capped: the first and the last outline are filled, if closed.
    """
    rings = np.asarray(sections, np.float32)
    around = np.concatenate([rings, rings[:, :1]], 1) if closed else rings
    skin = grid(around, material, smooth=smooth)
    skin = replace(skin, faces=skin.faces[:, ::-1])
    if not (capped and closed):
        return skin
    vertices, faces, uv, count = [skin.vertices], [skin.faces], [skin.uv], len(skin.vertices)
    for ring, flip in ((rings[0], True), (rings[-1], False)):
        fan = np.concatenate([ring.mean(0, keepdims=True), ring])
        i = np.arange(len(ring))
        wedge = np.stack([np.zeros_like(i), i + 1, (i + 1) % len(ring) + 1], 1)
        faces.append((wedge[:, ::-1] if flip else wedge) + count)
        vertices.append(fan)
        uv.append((fan - fan[0])[:, :2] + (fan - fan[0])[:, 2:])
        count += len(fan)
    return Part(np.concatenate(vertices), np.concatenate(faces), np.concatenate(uv), material, smooth)


def tube(path: ArrayLike, radii: ArrayLike, material: Material, *, sides: int = 8, flat: float = 1.0) -> Part:
    """A pipe along path (k, 3) with k radii (or one), with rounded-off caps: limbs, branches, legs, rails.

    `flat` < 1 squeezes the cross-section along its second axis (a belt, a leaf, a forearm).
    """
    p = np.asarray(path, np.float64)
    r = np.broadcast_to(np.asarray(radii, np.float64), (len(p),))
    along = np.gradient(p, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    side = np.array([1.0, 0, 0]) if abs(along[0, 0]) < 0.8 else np.array([0, 0, 1.0])
    angle = np.linspace(0, 2 * pi, sides, endpoint=False)
    sides_of = []
    sx, sy, sz = side.tolist()
    for dx, dy, dz in along.tolist():
        dot = sx * dx + sy * dy + sz * dz
        sx, sy, sz = sx - dx * dot, sy - dy * dot, sz - dz * dot
        norm = (sx * sx + sy * sy + sz * sz) ** 0.5 + 1e-12
        sx, sy, sz = sx / norm, sy / norm, sz / norm
        sides_of.append((sx, sy, sz))
    across = np.array(sides_of)[:, None]
    other = np.cross(along[:, None], across)
    ring = np.cos(angle)[:, None] * across + flat * np.sin(angle)[:, None] * other
    rings = list(p[:, None] + r[:, None, None] * ring)
    first, last = p[0] - along[0] * r[0] * 0.5, p[-1] + along[-1] * r[-1] * 0.5
    ends = [first + (rings[0] - p[0]) * 0.6, *rings, last + (rings[-1] - p[-1]) * 0.6]
    return loft(np.stack(ends), material)


def lathe(profile: ArrayLike, material: Material, *, sides: int = 16, smooth: bool = True) -> Part:
    """A turned body from (k, 2) radius and height, from the foot up: bottles, cups, lamps, columns, wheels."""
    rh = np.asarray(profile, np.float64)
    angle = -np.linspace(0, 2 * pi, sides, endpoint=False)
    radius, height = rh[:, 0, None], np.broadcast_to(rh[:, 1, None], (len(rh), sides))
    return loft(np.stack([radius * np.cos(angle), height, radius * np.sin(angle)], -1), material, smooth=smooth)


def ellipsoid(radii: Sequence[float], material: Material, *, sides: int = 14, at: ArrayLike = (0.0, 0.0, 0.0)) -> Part:
    """An ellipsoid around `at`."""
    angle = np.linspace(-pi / 2, pi / 2, max(6, sides * 2 // 3))
    ball = lathe(np.stack([np.maximum(np.cos(angle), 1e-3), np.sin(angle)], 1), material, sides=sides)
    size = float(np.prod(radii)) ** (1 / 3)
    return replace(ball, vertices=ball.vertices * np.asarray(radii, np.float32) + np.asarray(at), uv=ball.uv * size)


def prism(outline: ArrayLike, depth: float, material: Material) -> Part:
    """An outline (n, 2) in x and y made `depth` thick around z = 0.

    It runs counter-clockwise and is seen whole from its middle.
    """
    xy = np.asarray(outline, np.float64)
    back, front = (np.concatenate([xy, np.full((len(xy), 1), z)], 1) for z in (-depth / 2, depth / 2))
    return loft(np.stack([back, front]), material, smooth=False)


def bumpy(part: Part, rng: np.random.Generator, amount: float, size: float) -> Part:
    """The part pushed about by smooth noise of `amount` metres with features of `size` metres: rocks, cloth, dough."""
    waves = rng.normal(size=(6, 3)) / size
    shift = rng.uniform(0, 2 * pi, (6, 3))
    phase = part.vertices @ waves.T
    push = sum(np.sin(phase[:, i, None] + shift[i]) for i in range(6)) / 6**0.5
    return replace(part, vertices=part.vertices + amount * push)
