"""Known worlds from any camera: textured triangles, their exact depth, and which of them each pixel shows.

Coverage and depth come from the homogeneous edge functions of Olano and Greer ("Triangle scan conversion using 2D
homogeneous coordinates", 1997): with the corners v of a triangle in camera axes, a = V⁻¹ (x, y, 1) is positive inside
and sums to 1/z, also where the triangle reaches behind the camera. Textures are functions of place in the thing's own
axes, so two pictures of one spot agree; what is finer than a pixel is left out. World axes: x right, y down, z forward,
the floor at y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray
from training.worlds.noise import cell, fractal

from unflat.types.camera import Pose
from unflat.types.views import Lens

Array = NDArray[np.float64]
KINDS = ("plaster", "planks", "bricks", "patches", "cloth", "print", "glow")
STATIC, SUBJECT, MOVER = 0, 1, 2
"""Whose a triangle is: the place's, the object's that the film is about, something's that moves."""


@dataclass(frozen=True)
class Paint:
    """A surface: what pattern, how large it is (metres), its two linear colours, and how glossy it is (0..1)."""

    kind: str
    size: float
    one: tuple[float, float, float]
    two: tuple[float, float, float]
    gloss: float = 0.0
    seed: int = 0

    def row(self) -> list[float]:
        return [KINDS.index(self.kind), self.size, *self.one, *self.two, self.gloss, self.seed]


@dataclass(frozen=True)
class Solid:
    """n triangles: corners (n, 3, 3), own axes (n, 4, 3: origin, three directions), paint (n, 10), whose (n,)."""

    corners: Array
    axes: Array
    paint: Array
    whose: NDArray[np.int32]

    def moved(self, world_from_thing: Array) -> Solid:
        r, t = world_from_thing[:3, :3], world_from_thing[:3, 3]
        axes = self.axes @ r.T
        axes[:, 0] += t
        return Solid(self.corners @ r.T + t, axes, self.paint, self.whose)

    def owned(self, whose: int) -> Solid:
        return Solid(self.corners, self.axes, self.paint, np.full_like(self.whose, whose))

    @staticmethod
    def of(*solids: Solid) -> Solid:
        corners, axes, paint, whose = (
            np.concatenate([getattr(s, name) for s in solids]) for name in ("corners", "axes", "paint", "whose")
        )
        return Solid(corners, axes, paint, whose)


def _solid(corners: Array, axes: Array, paint: Paint) -> Solid:
    n = len(corners)
    return Solid(corners, np.broadcast_to(axes, (n, 4, 3)).copy(), np.tile(paint.row(), (n, 1)), np.zeros(n, np.int32))


def sheet(corner: tuple[float, ...], right: tuple[float, ...], down: tuple[float, ...], paint: Paint) -> Solid:
    """A parallelogram; its pattern runs along its sides."""
    o, u, v = (np.asarray(x, np.float64) for x in (corner, right, down))
    w = np.cross(u, v)
    axes = np.stack([o, *(x / np.linalg.norm(x) for x in (u, v, w))])
    return _solid(np.array([[o, o + u, o + v], [o + u, o + u + v, o + v]]), axes, paint)


def box(low: tuple[float, ...], high: tuple[float, ...], paint: Paint, turn: float = 0.0) -> Solid:
    """A box between two corners, turned (radians) about the upright line through its middle."""
    a, b = np.asarray(low, np.float64), np.asarray(high, np.float64)
    half, middle = (b - a) / 2, (a + b) / 2
    faces = []
    for axis in range(3):
        u, v = np.eye(3)[(axis + 1) % 3] * 2 * half, np.eye(3)[(axis + 2) % 3] * 2 * half
        for side in (-1, 1):
            corner = side * np.eye(3)[axis] * half - (u + v) / 2
            if axis == 0:
                u, v = v, u  # z along, y down: patterns stand upright on walls
            faces.append(sheet(tuple(corner), tuple(u), tuple(v), paint))
    c, s = np.cos(turn), np.sin(turn)
    place = np.eye(4)
    place[:3, :3], place[:3, 3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]], middle
    return Solid.of(*faces).moved(place)


def lathe(profile: list[tuple[float, float]], centre: tuple[float, ...], paint: Paint, around: int = 32) -> Solid:
    """A profile of (radius, y) turned about the upright line through ``centre``; closed where its radius is 0."""
    r, y = np.array(profile).T
    angle = np.linspace(0, 2 * np.pi, around + 1)
    ring = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], -1)
    points = ring[None] * r[:, None, None] + np.stack([0 * y, y, 0 * y], -1)[:, None] + np.asarray(centre)
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, :-1], points[1:, 1:]
    triangles = np.concatenate([np.stack(t, 2).reshape(-1, 3, 3) for t in ((a, b, c), (b, d, c))])
    area = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1)
    return _solid(triangles[area > 1e-12], np.stack([np.asarray(centre, np.float64), *np.eye(3)]), paint)


def ball(centre: tuple[float, ...], radii: tuple[float, float, float], paint: Paint, around: int = 24) -> Solid:
    """An ellipsoid."""
    turn = np.linspace(0, np.pi, around // 2 + 1)
    round_ = lathe([(float(np.sin(t)), float(-np.cos(t))) for t in turn], (0, 0, 0), paint, around)
    corners = round_.corners * np.asarray(radii) + np.asarray(centre)
    return _solid(corners, np.stack([np.asarray(centre, np.float64), *np.eye(3)]), paint)


@njit(cache=True, error_model="numpy")
def _cover(ray_x, ray_y, functionals, bounds, inverse, owner):
    """Nearest triangle of each ray: ``functionals`` (n, 9) rows of V⁻¹, ``bounds`` (n, 4) pixels it may cover."""
    for i in range(len(functionals)):
        f = functionals[i]
        for row in range(bounds[i, 1], bounds[i, 3]):
            for column in range(bounds[i, 0], bounds[i, 2]):
                x, y = ray_x[row, column], ray_y[row, column]
                a = f[0] * x + f[1] * y + f[2]
                b = f[3] * x + f[4] * y + f[5]
                c = f[6] * x + f[7] * y + f[8]
                if a >= 0 and b >= 0 and c >= 0 and a + b + c > inverse[row, column]:
                    inverse[row, column] = a + b + c
                    owner[row, column] = i


@njit(cache=True, error_model="numpy")
def _pattern(kind, size, seed, u, v, w, pixel):
    """0..1 between a paint's two colours; ``pixel``: its width in metres there."""
    rough = 0.5 * (fractal(u / 0.4, v / 0.4, w / 0.4, seed, pixel / 0.4)
                   + fractal(u / 0.03, v / 0.03, w / 0.03, seed + 5, pixel / 0.03))  # fmt: skip
    fade = exp(-((pixel / size) ** 2) * 4)
    mean, pattern = 0.5, 0.1 * rough
    if kind == 0:  # plaster
        mean, pattern = rough, 0.0
    elif kind <= 2:  # planks and bricks: rows that are offset, joints, each of another shade
        high = size if kind == 1 else size / 3
        wide = size * 8 if kind == 1 else size
        line = floor(v / high)
        s = u / wide + (cell(line, 3, 1, seed) if kind == 1 else 0.5 * (line % 2))
        joint = (s - floor(s)) * wide < 0.06 * size or v - line * high < 0.06 * size
        grain = fractal(u / 0.5, v / 0.02, w / 0.02, seed + line, pixel / 0.02) if kind == 1 else rough
        mean = 0.2 + 0.4 * grain
        pattern = 0.8 - 0.4 * grain if joint else 0.4 * cell(floor(s), line, 7, seed) - 0.2
    elif kind == 3:  # patches: squares of two sizes
        k = size / 3.7
        pattern = 0.45 * cell(floor(u / size), floor(v / size), floor(w / size), seed) - 0.5
        pattern += 0.35 * cell(floor(u / k), floor(v / k), floor(w / k), seed + 1) + 0.2 * rough
    elif kind == 4:  # cloth: stripes and noise
        pattern = (0.3 if u / size - floor(u / size) < 0.4 else 0.0) + 0.6 * rough - 0.35
    elif kind == 5:  # print: lines of words
        line = floor(v / size)
        inked = cell(floor(u / (0.45 * size)), line, 2, seed) > 0.35 and v / size - line > 0.45
        pattern = 0.45 if inked else -0.45
    return mean + fade * pattern


@njit(cache=True, error_model="numpy")
def _shade(ray_x, ray_y, spread, inverse, owner, pose, solid, lamps, fill, sky, out):
    """Linear colour of each ray; ``solid``: normals (n, 3), axes (n, 4, 3), paint (n, 10); lamps (l, 6)."""
    normals, axes, paint = solid
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            i = owner[row, column]
            x, y = ray_x[row, column], ray_y[row, column]
            dx = pose[0, 0] * x + pose[0, 1] * y + pose[0, 2]
            dy = pose[1, 0] * x + pose[1, 1] * y + pose[1, 2]
            dz = pose[2, 0] * x + pose[2, 1] * y + pose[2, 2]
            if i < 0:
                up = 0.5 - 0.5 * dy / sqrt(dx * dx + dy * dy + dz * dz)
                for k in range(3):
                    out[row, column, k] = sky[k] * (1.3 - 0.6 * up)
                continue
            z = 1.0 / inverse[row, column]
            px, py, pz = pose[0, 3] + z * dx, pose[1, 3] + z * dy, pose[2, 3] + z * dz
            qx, qy, qz = px - axes[i, 0, 0], py - axes[i, 0, 1], pz - axes[i, 0, 2]
            u = qx * axes[i, 1, 0] + qy * axes[i, 1, 1] + qz * axes[i, 1, 2]
            v = qx * axes[i, 2, 0] + qy * axes[i, 2, 1] + qz * axes[i, 2, 2]
            w = qx * axes[i, 3, 0] + qy * axes[i, 3, 1] + qz * axes[i, 3, 2] + 1e-4
            nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
            far = sqrt(dx * dx + dy * dy + dz * dz)
            facing = (nx * dx + ny * dy + nz * dz) / far
            if facing > 0:
                nx, ny, nz, facing = -nx, -ny, -nz, -facing
            p = paint[i]
            mix = _pattern(int(p[0]), p[1], int(p[9]), u, v, w, z * spread / max(-facing, 0.2))
            light, shine = fill, 0.0
            for k in range(len(lamps)):
                lx, ly, lz = lamps[k, 0] - px, lamps[k, 1] - py, lamps[k, 2] - pz
                away = sqrt(lx * lx + ly * ly + lz * lz)
                strength = lamps[k, 3] / (lamps[k, 4] + away * away) * lamps[k, 5]
                lit = max((nx * lx + ny * ly + nz * lz) / away, 0.0)
                light += strength * lit
                if p[8] > 0:
                    hx, hy, hz = lx / away - dx / far, ly / away - dy / far, lz / away - dz / far
                    h = sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
                    shine += p[8] * strength * max((nx * hx + ny * hy + nz * hz) / h, 0.0) ** 60
            if int(p[0]) == 6:
                light = 1.0
            for k in range(3):
                out[row, column, k] = light * (p[2 + k] + mix * (p[5 + k] - p[2 + k])) + shine


@dataclass(frozen=True)
class Light:
    """Lamps (l, 6: place, strength, softening, 1), light from all around, and the colour of the sky; all linear."""

    lamps: Array
    fill: float
    sky: tuple[float, float, float]


def rays_of(lens: Lens, fine: int = 1) -> tuple[Array, Array]:
    """x and y of the ray (x, y, 1) through the middle of each pixel, each side of a pixel cut into ``fine``."""
    k, size = lens.intrinsics, lens.intrinsics.size
    u, v = ((np.arange(n * fine) + 0.5) / fine for n in (size.width, size.height))
    seen_x, seen_y = np.meshgrid((u - k.cx) / k.fx, (v - k.cy) / k.fy)
    x, y = seen_x, seen_y
    for _ in range(0 if lens.pinhole else 30):
        bent_x, bent_y = bent(lens, x, y)
        x, y = x + seen_x - bent_x, y + seen_y - bent_y
    return x, y


def bent(lens: Lens, x: Array, y: Array) -> tuple[Array, Array]:
    """Where the lens shows the ray (x, y, 1), on its plane z = 1."""
    r2 = x * x + y * y
    radial = 1 + lens.k1 * r2 + lens.k2 * r2 * r2
    bent_x = x * radial + 2 * lens.p1 * x * y + lens.p2 * (r2 + 2 * x * x)
    return bent_x, y * radial + lens.p1 * (r2 + 2 * y * y) + 2 * lens.p2 * x * y


def _bounds(seen: Array, ray_x: Array, ray_y: Array) -> NDArray[np.int64]:
    """(n, 4) left, top, right, bottom of the pixels that triangles (n, 3, 3) in camera axes may cover."""
    z = seen[..., 2]
    safe = np.where(z > 0.02, z, 1)
    behind = (z <= 0.02).any(1)
    ends = []
    for ray, along, axis in ((ray_x, 0, 0), (ray_y, 1, 1)):
        at = seen[..., along] / safe
        low, high = np.where(behind, -np.inf, at.min(1)), np.where(behind, np.inf, at.max(1))
        ends += [np.searchsorted(ray.max(axis), low), np.searchsorted(ray.min(axis), high, "right")]
    bounds = np.stack([ends[0], ends[2], ends[1], ends[3]], 1).astype(np.int64)
    bounds[~(z > 0.02).any(1)] = 0
    return bounds


def covered(solid: Solid, pose: Pose, lens: Lens, fine: int = 1) -> tuple[Array, NDArray[np.int32]]:
    """(h, w) inverse z, 0 where there is nothing, and the number of the triangle seen, −1 where there is none."""
    x, y = rays_of(lens, fine)
    m = pose.world_from_camera
    seen = (solid.corners - m[:3, 3]) @ m[:3, :3]
    columns = seen.transpose(0, 2, 1)
    flat = np.abs(np.linalg.det(columns)) < 1e-12  # seen from the side
    functionals = np.linalg.inv(np.where(flat[:, None, None], np.eye(3), columns)).reshape(-1, 9)
    bounds = _bounds(seen, x, y)
    bounds[flat] = 0
    inverse, owner = np.zeros(x.shape), np.full(x.shape, -1, np.int32)
    _cover(x, y, functionals, bounds, inverse, owner)
    return inverse, owner


def drawn(solid: Solid, pose: Pose, lens: Lens, light: Light, fine: int = 2) -> Array:
    """(h, w, 3) linear light, ``fine``² samples a pixel."""
    inverse, owner = covered(solid, pose, lens, fine)
    x, y = rays_of(lens, fine)
    a, b, c = (solid.corners[:, i] for i in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    out = np.zeros((*x.shape, 3))
    spread = 1 / (lens.intrinsics.fx * min(fine, 1.5))
    _shade(
        x, y, spread, inverse, owner, pose.world_from_camera,
        (normals, np.ascontiguousarray(solid.axes), np.ascontiguousarray(solid.paint)),
        light.lamps, light.fill, np.asarray(light.sky), out,
    )  # fmt: skip
    h, w = lens.intrinsics.size.shape
    return out.reshape(h, fine, w, fine, 3).mean((1, 3))
