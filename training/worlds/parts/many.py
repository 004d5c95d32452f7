"""Many of a kind at once: boxes, rods, quads and copies as single parts, since thousands of small arrays are slow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.materials import Material
from training.worlds.mesh import Floats, Part, Thing

_SIDES = np.array(
    [
        [[-1, 1, 1], [-1, 0, 1], [1, 0, 1], [1, 1, 1]],
        [[1, 1, -1], [1, 0, -1], [-1, 0, -1], [-1, 1, -1]],
        [[1, 1, 1], [1, 0, 1], [1, 0, -1], [1, 1, -1]],
        [[-1, 1, -1], [-1, 0, -1], [-1, 0, 1], [-1, 1, 1]],
        [[-1, 1, -1], [-1, 1, 1], [1, 1, 1], [1, 1, -1]],
        [[-1, 0, 1], [-1, 0, -1], [1, 0, -1], [1, 0, 1]],
    ]
) * np.array([0.5, 1.0, 0.5])
_AXES = np.array([[0, 1], [0, 1], [2, 1], [2, 1], [0, 2], [0, 2]])
_CORNERS = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
_QUAD = np.array([[0, 1, 2], [0, 2, 3]])


def quads(corners: ArrayLike, material: Material, uv: ArrayLike | None = None) -> Part:
    """Rectangles (n, 4, 3): top left, bottom left, bottom right, top right as seen from outside; uv in metres."""
    c = np.asarray(corners, np.float32).reshape(-1, 4, 3)
    if uv is None:
        wide = np.linalg.norm(c[:, 3] - c[:, 0], axis=1)
        high = np.linalg.norm(c[:, 1] - c[:, 0], axis=1)
        uv = _CORNERS * np.stack([wide, high], -1)[:, None] + (np.arange(len(c)) * 0.37)[:, None, None]
    faces = (_QUAD + 4 * np.arange(len(c))[:, None, None]).reshape(-1, 3)
    return Part(c.reshape(-1, 3), faces, np.asarray(uv).reshape(-1, 2), material)


def boxes(at: ArrayLike, size: ArrayLike, material: Material) -> Part:
    """Blocks that stand on `at` (n, 3), the middle of the underside; size (n, 3) or (3,): width, height, depth."""
    p = np.asarray(at, np.float32).reshape(-1, 3)
    s = np.broadcast_to(np.asarray(size, np.float32), p.shape)
    vertices = _SIDES[None] * s[:, None, None] + p[:, None, None]
    uv = _CORNERS * s[:, _AXES][:, :, None] + (np.arange(6) * 0.61 + np.arange(len(p))[:, None] * 0.37)[..., None, None]
    faces = (_QUAD + 4 * np.arange(6 * len(p))[:, None, None]).reshape(-1, 3)
    return Part(vertices.reshape(-1, 3), faces, uv.reshape(-1, 2), material)


def rods(
    start: ArrayLike, end: ArrayLike, radius: ArrayLike, material: Material, *, sides: int = 5, thin: float = 1.0
) -> Part:
    """Straight pipes between points (n, 3); `thin` is the radius at the end over that at the start. No caps."""
    a, b = (np.asarray(x, np.float64).reshape(-1, 3) for x in (start, end))
    a, b = np.broadcast_arrays(a, b)
    along = b - a
    length = np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    along = along / length
    helper = np.where(np.abs(along[:, :1]) < 0.8, [[1.0, 0, 0]], [[0, 0, 1.0]])
    side = np.cross(along, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(along, side)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * other[:, None]
    r = np.broadcast_to(np.asarray(radius, np.float64), (len(a),))[:, None, None]
    vertices = np.stack([a[:, None] + r * ring, b[:, None] + r * thin * ring], 1)
    u = np.broadcast_to(angle * r[..., 0], (len(a), sides + 1))
    uv = np.stack([np.stack([u, u], 1), np.stack([0 * u, length + 0 * u], 1)], -1)
    i = np.arange(sides)
    one = np.concatenate([np.stack([i, i + 1, i + sides + 2], 1), np.stack([i, i + sides + 2, i + sides + 1], 1)])
    faces = (one + 2 * (sides + 1) * np.arange(len(a))[:, None, None]).reshape(-1, 3)
    return Part(vertices.reshape(-1, 3), faces, uv.reshape(-1, 2), material, smooth=True)


def chain(path: ArrayLike, radius: float, material: Material, *, sides: int = 5) -> Part:
    """Rods along a path (k, 3): rails, wires, rims."""
    p = np.asarray(path, np.float64)
    return rods(p[:-1], p[1:], radius, material, sides=sides)


def turns(yaw: ArrayLike, tilt: ArrayLike = 0.0) -> Floats:
    """(n, 3, 3): a tilt about x, then a turn about y."""
    y, t = np.broadcast_arrays(np.atleast_1d(np.asarray(yaw, np.float64)), np.asarray(tilt, np.float64))
    c, s, ct, st, o = np.cos(y), np.sin(y), np.cos(t), np.sin(t), np.zeros_like(y)
    rows = [np.stack([c, s * st, s * ct], -1), np.stack([o, ct, -st], -1), np.stack([-s, c * st, c * ct], -1)]
    return np.stack(rows, 1).astype(np.float32)


def copies(
    thing: Iterable[Part], at: ArrayLike, yaw: ArrayLike = 0.0, scale: ArrayLike = 1.0, tilt: ArrayLike = 0.0
) -> Thing:
    """The thing at each of (n, 3) places, tilted, turned and scaled (n,) or (n, 3): one part for each of its parts."""
    p = np.asarray(at, np.float32).reshape(-1, 3)
    n = len(p)
    turn = np.broadcast_to(turns(yaw, tilt), (n, 3, 3))
    s = np.asarray(scale, np.float32)
    s = np.broadcast_to(s[:, None] if s.ndim == 1 else s, (n, 3))
    size = np.cbrt(np.abs(s.prod(1)))
    out = []
    for part in thing:
        vertices = (part.vertices[None] * s[:, None]) @ turn.transpose(0, 2, 1) + p[:, None]
        faces = part.faces[None] + len(part.vertices) * np.arange(n)[:, None, None]
        uv = part.uv[None] * size[:, None, None]
        out.append(replace(part, vertices=vertices.reshape(-1, 3), faces=faces.reshape(-1, 3), uv=uv.reshape(-1, 2)))
    return out


def merge(thing: Iterable[Part]) -> Thing:
    """The same triangles in as few parts as there are materials."""
    groups: dict[tuple[Material, bool], list[Part]] = {}
    for part in thing:
        groups.setdefault((part.material, part.smooth), []).append(part)
    out = []
    for (material, smooth), parts in groups.items():
        if len(parts) == 1:
            out.append(parts[0])
            continue
        starts = np.cumsum([0] + [len(p.vertices) for p in parts[:-1]])
        faces = np.concatenate([p.faces + int(s) for p, s in zip(parts, starts, strict=True)])
        vertices, uv = np.concatenate([p.vertices for p in parts]), np.concatenate([p.uv for p in parts])
        out.append(Part(vertices, faces, uv, material, smooth))
    return out


def mirrored(part: Part) -> Part:
    """The part seen in a mirror at x = 0, its faces still looking outwards."""
    return replace(part, vertices=part.vertices * np.array([-1, 1, 1]), faces=part.faces[:, ::-1])


def sheet(x: ArrayLike, y: ArrayLike, z: ArrayLike) -> Floats:
    """(rows, columns, 3) points from coordinates that broadcast together."""
    return np.stack(np.broadcast_arrays(x, y, z), -1).astype(np.float32)
