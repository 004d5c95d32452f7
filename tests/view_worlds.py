"""Places of known shape seen by several cameras: pictures, exact depth and the reconstruction a perfect tracker gives.

Surfaces carry a solid texture (noise of the place itself), so that every view sees the same marks.
Pictures are drawn with four rays for each pixel; exact depth is that of the pixel's centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, View

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Paint:
    """The look of a surface: a colour, and how strongly noise of the place changes it (0: blank)."""

    colour: tuple[float, float, float] = (130.0, 125.0, 120.0)
    contrast: float = 60.0
    grain: float = 0.04
    """Size of the finest marks, in the place's unit."""
    seed: int = 0


@dataclass(frozen=True)
class Patch:
    """A parallelogram: ``centre ± a ± b``."""

    centre: tuple[float, float, float]
    a: tuple[float, float, float]
    b: tuple[float, float, float]
    paint: Paint = field(default_factory=Paint)

    def meets(self, eye: Array, ray: Array) -> Array:
        """The z (rays have z = 1 in camera axes, so the parameter is the depth) where rays meet it, or inf."""
        c, a, b = (np.asarray(v, float) for v in (self.centre, self.a, self.b))
        normal = np.cross(a, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = ((c - eye) @ normal) / (ray @ normal)
            at = eye + t[..., None] * ray - c
            inside = (np.abs(at @ a) <= a @ a) & (np.abs(at @ b) <= b @ b)
        return np.where((t > 1e-6) & inside, t, np.inf)


@dataclass(frozen=True)
class Ball:
    """A sphere seen from outside."""

    centre: tuple[float, float, float]
    radius: float
    paint: Paint = field(default_factory=Paint)

    def meets(self, eye: Array, ray: Array) -> Array:
        """The nearer z where rays meet it, or inf."""
        off = eye - np.asarray(self.centre)
        a, b = (ray**2).sum(-1), ray @ off
        root = b**2 - a * (off @ off - self.radius**2)
        t = (-b - np.sqrt(np.maximum(root, 0))) / a
        return np.where((root > 0) & (t > 1e-6), t, np.inf)


Surface = Patch | Ball
SMALL, SQUARE = Size(320, 240), Size(240, 240)


def box(low: Sequence[float], high: Sequence[float], paint: Paint, turn: float = 0.0) -> list[Patch]:
    """The six sides of a box, turned about the vertical through its middle (degrees)."""
    lo, hi = np.asarray(low, float), np.asarray(high, float)
    centre, half = (lo + hi) / 2, (hi - lo) / 2
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    axes = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) * half[:, None]
    return [
        Patch(tuple(centre + sign * axes[i]), tuple(axes[(i + 1) % 3]), tuple(axes[(i + 2) % 3]), paint)
        for i in range(3)
        for sign in (-1, 1)
    ]


def _noise(at: Array, seed: int) -> Array:
    """Value noise of the integer lattice, -1..1, smooth."""
    base = np.floor(at).astype(np.int64)
    f = at - base
    f = f * f * (3 - 2 * f)
    total = np.zeros(at.shape[:-1])
    for corner in range(8):
        bit = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        p = (base + bit).astype(np.uint64)
        h = p[..., 0] * np.uint64(73856093) ^ p[..., 1] * np.uint64(19349663) ^ p[..., 2] * np.uint64(83492791)
        h = (h + np.uint64(seed * 2654435761)) * np.uint64(0x9E3779B97F4A7C15)
        h ^= h >> np.uint64(32)
        h *= np.uint64(0xD6E8FEB86659FD93)
        weight = np.prod(np.where(bit, f, 1 - f), axis=-1)
        total += weight * ((h >> np.uint64(40)).astype(np.float64) / 2**23 - 1)
    return total


def _colour(at: Array, paint: Paint) -> Array:
    """(n, 3) colour of places on a surface."""
    grey = np.zeros(len(at))
    if paint.contrast:
        for octave, share in enumerate((0.4, 0.35, 0.25)):
            grey += share * _noise(at / (paint.grain * 3**octave) + 17.3, paint.seed * 7 + octave)
    return np.asarray(paint.colour) + paint.contrast * grey[:, None]


def look_at(eye: Sequence[float], target: Sequence[float]) -> Pose:
    """A camera that looks at a place, y of the world pointing down."""
    forward = np.asarray(target, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    m = np.eye(4)
    m[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    m[:3, 3] = eye
    return Pose(m)


def seen(
    surfaces: Sequence[Surface], camera: Intrinsics, pose: Pose, shift: tuple[float, float]
) -> tuple[Array, Array]:
    """Depth (h, w; inf where nothing is) and which surface (-1: none), for rays ``shift`` pixels off the centres."""
    h, w = camera.size.shape
    x, y = np.meshgrid(np.arange(w) + 0.5 + shift[0], np.arange(h) + 0.5 + shift[1])
    ray = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones((h, w))], -1)
    ray = ray @ pose.world_from_camera[:3, :3].T
    depth, which = np.full((h, w), np.inf), np.full((h, w), -1)
    for number, surface in enumerate(surfaces):
        t = surface.meets(pose.centre, ray)
        which[t < depth] = number
        depth = np.minimum(t, depth)
    return depth, which


def picture(
    surfaces: Sequence[Surface], camera: Intrinsics, pose: Pose, noise: float = 0.0, seed: int = 0
) -> NDArray[np.uint8]:
    """What a camera sees, (h, w, 3) uint8; black where nothing is."""
    h, w = camera.size.shape
    total = np.zeros((h, w, 3))
    for shift in ((-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)):
        depth, which = seen(surfaces, camera, pose, shift)
        x, y = np.meshgrid(np.arange(w) + 0.5 + shift[0], np.arange(h) + 0.5 + shift[1])
        ray = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones((h, w))], -1)
        for number, surface in enumerate(surfaces):
            here = which == number
            if here.any():
                at = pose.centre + (ray[here] * depth[here, None]) @ pose.world_from_camera[:3, :3].T
                total[here] += _colour(at, surface.paint) / 4
    total += np.random.default_rng(seed).normal(0, noise, total.shape) if noise else 0
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Place:
    """A known place and the views of it.

    Attributes:
        reconstruction: Exact cameras, and points that were seen by at least two of them.
        depths: (h, w) exact z of each view; inf where nothing is.
    """

    reconstruction: Reconstruction
    depths: list[Array]


def place(
    surfaces: Sequence[Surface], camera: Intrinsics, poses: Sequence[Pose], *, noise: float = 1.5, points: int = 60
) -> Place:
    """Draw a place from every pose; ``points`` sparse points a view, of 0.1 % error, where there is texture."""
    depths, views = [], []
    for number, pose in enumerate(poses):
        depth, which = seen(surfaces, camera, pose, (0, 0))
        pixels = picture(surfaces, camera, pose, noise, seed=number)
        still = Still(f"{number:06d}", camera.size, lambda made=pixels: made, lens=Lens(camera))
        depths.append(np.where(which >= 0, depth, np.inf))
        views.append(View(still, Lens(camera), pose))
    sparse = _sparse(surfaces, camera, poses, depths, points)
    return Place(Reconstruction(tuple(views), sparse), depths)


def _sparse(
    surfaces: Sequence[Surface], camera: Intrinsics, poses: Sequence[Pose], depths: list[Array], each: int
) -> SparsePoints:
    rng = np.random.default_rng(5)
    places: list[Array] = []
    for pose, depth in zip(poses, depths, strict=True):
        which = seen(surfaces, camera, pose, (0, 0))[1]
        plain = np.array([s.paint.contrast < 20 for s in surfaces] + [True])
        ys, xs = np.nonzero(np.isfinite(depth) & ~plain[which])
        if not len(ys):
            continue
        pick = rng.choice(len(ys), min(each, len(ys)), replace=False)
        y, x = ys[pick], xs[pick]
        z = depth[y, x] * (1 + rng.normal(0, 0.001, len(pick)))
        xyz = np.stack([(x + 0.5 - camera.cx) / camera.fx * z, (y + 0.5 - camera.cy) / camera.fy * z, z], -1)
        places.append(xyz @ pose.world_from_camera[:3, :3].T + pose.centre)
    if not places:
        return SparsePoints.none()
    xyz = np.concatenate(places)
    seen_by = [_seen_by(xyz, number, camera, pose, depths[number]) for number, pose in enumerate(poses)]
    view, point, pixel = (np.concatenate(part) for part in zip(*seen_by, strict=True))
    often = np.bincount(point, minlength=len(xyz)) >= 2
    keep, number = often[point], np.cumsum(often) - 1
    n = int(often.sum())
    return SparsePoints(
        xyz[often],
        np.full((n, 3), 128, np.uint8),
        np.full(n, 0.3, np.float32),
        view[keep].astype(np.int32),
        number[point[keep]].astype(np.int32),
        pixel[keep].astype(np.float32),
    )


def _seen_by(xyz: Array, number: int, camera: Intrinsics, pose: Pose, depth: Array) -> tuple[Array, Array, Array]:
    local = (xyz - pose.centre) @ pose.world_from_camera[:3, :3]
    z = np.maximum(local[:, 2], 1e-9)
    u, v = camera.fx * local[:, 0] / z + camera.cx, camera.fy * local[:, 1] / z + camera.cy
    ok = (local[:, 2] > 0) & (u > 0) & (v > 0) & (u < camera.size.width) & (v < camera.size.height)
    at = np.flatnonzero(ok)
    near = np.abs(depth[v[at].astype(int), u[at].astype(int)] / z[at] - 1) < 0.02
    at = at[near]
    return np.full(len(at), number), at, np.stack([u[at], v[at]], -1)


def arc(count: int, eye: Sequence[float], target: Sequence[float], degrees: float) -> list[Pose]:
    """Cameras on an arc about the vertical through the target, beginning at ``-degrees / 2``."""
    off = np.asarray(eye, float) - np.asarray(target, float)
    poses = []
    for angle in np.radians(np.linspace(-degrees / 2, degrees / 2, count)):
        c, s = np.cos(angle), np.sin(angle)
        poses.append(look_at(np.asarray(target) + np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ off, target))
    return poses


def boxes(size: Size = SMALL, count: int = 7) -> Place:
    """Two boxes and a ball on a floor before a wall; y points down."""
    surfaces: list[Surface] = [
        Patch((0, 0, 0), (4, 0, 0), (0, 0, 4), Paint((120, 110, 95), 70, seed=1)),
        Patch((0, -1.5, 2.0), (4, 0, 0), (0, 1.6, 0), Paint((150, 150, 160), 60, seed=2)),
        *box((-1.0, -0.8, -0.2), (-0.3, 0.0, 0.5), Paint((160, 90, 80), 70, seed=3), 30),
        *box((0.3, -0.5, -0.7), (0.9, 0.0, -0.1), Paint((90, 120, 160), 70, seed=4), -20),
        Ball((0.1, -0.35, 0.6), 0.35, Paint((120, 160, 90), 70, seed=5)),
    ]
    return place(surfaces, Intrinsics.from_fov(60, size), arc(count, (0, -1.0, -3.0), (0, -0.4, 0), 36))


def room(size: Size = SMALL, count: int = 9, walls: float = 6.0) -> Place:
    """Inside a room whose walls have hardly any texture (contrast ``walls``), with furniture that has."""
    wall = Paint((190, 188, 180), walls, grain=0.05, seed=1)
    surfaces: list[Surface] = [
        Patch((0, 0, 0), (2.5, 0, 0), (0, 0, 2.5), Paint((120, 95, 70), 60, seed=2)),
        Patch((0, -2.5, 0), (2.5, 0, 0), (0, 0, 2.5), wall),
        Patch((0, -1.25, 2.5), (2.5, 0, 0), (0, 1.25, 0), wall),
        Patch((-2.5, -1.25, 0), (0, 0, 2.5), (0, 1.25, 0), replace(wall, seed=8)),
        Patch((2.5, -1.25, 0), (0, 0, 2.5), (0, 1.25, 0), wall),
        Patch((-0.7, -1.5, 2.49), (0.5, 0, 0), (0, 0.35, 0), Paint((120, 130, 100), 80, seed=3)),
        *box((0.6, -0.75, 1.4), (1.8, 0, 2.0), Paint((140, 110, 90), 60, seed=4), 10),
        *box((-1.9, -1.1, 0.9), (-1.4, 0, 1.7), Paint((90, 100, 140), 60, seed=5)),
        Ball((1.1, -0.95, 1.6), 0.2, Paint((180, 90, 80), 60, seed=6)),
    ]
    poses = [
        look_at((-0.9 + 1.8 * i / (count - 1), -1.4 + 0.15 * (i % 3), -1.9 + 0.1 * (i % 2)), (0.15 * (i % 4), -0.9, 2))
        for i in range(count)
    ]
    return place(surfaces, Intrinsics.from_fov(75, size), poses)


def statue(size: Size = SQUARE, count: int = 12) -> Place:
    """A thing on nothing: a box, a ball and a thin post, seen all round from a little above; black behind."""
    surfaces: list[Surface] = [
        *box((-0.05, -0.04, -0.05), (0.05, 0.0, 0.05), Paint((150, 120, 90), 60, grain=0.002, seed=1), 20),
        Ball((0, -0.075, 0), 0.035, Paint((110, 140, 120), 60, grain=0.002, seed=2)),
        *box((0.03, -0.1, -0.004), (0.038, -0.04, 0.004), Paint((140, 90, 120), 60, grain=0.002, seed=3), 10),
    ]
    eyes = [(0.4 * np.sin(a), -0.25, -0.4 * np.cos(a)) for a in 2 * np.pi * np.arange(count) / count]
    made = place(surfaces, Intrinsics.from_fov(25, size), [look_at(eye, (0, -0.05, 0)) for eye in eyes])
    views = [
        replace(v, still=replace(v.still, mask=lambda d=d: np.isfinite(d)))
        for v, d in zip(made.reconstruction.views, made.depths, strict=True)
    ]
    return Place(replace(made.reconstruction, views=tuple(views)), made.depths)
