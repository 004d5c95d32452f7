"""Known worlds seen from many sides, for the fusion: exact depth by tracing a ray through each pixel's centre."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unflat.types.camera import Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size
from unflat.types.views import Lens, Still, View, ViewDepth

Array = NDArray[np.float64]
Field = Callable[[Array], Array]
"""Signed distance of points (n, 3) to a surface, positive outside."""


def ball(centre: tuple[float, float, float] = (0, 0, 0), radius: float = 1.0) -> Field:
    """A sphere."""
    return lambda xyz: np.linalg.norm(xyz - np.asarray(centre, float), axis=-1) - radius


def box(centre: tuple[float, float, float], half: tuple[float, float, float]) -> Field:
    """A box along the axes."""

    def distance(xyz: Array) -> Array:
        q = np.abs(xyz - np.asarray(centre, float)) - np.asarray(half, float)
        return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)

    return distance


def room(half: tuple[float, float, float] = (2.0, 1.3, 2.5)) -> Field:
    """The inside of a box, with a chest, a pillar and a ball in it; y points down."""
    walls, chest = box((0, 0, 0), half), box((1.2, 0.9, 1.2), (0.5, 0.4, 0.6))
    pillar, thing = box((-1.0, 0, 1.6), (0.15, 1.3, 0.15)), ball((0.3, 0.9, -0.8), 0.4)
    return lambda xyz: np.minimum.reduce([-walls(xyz), chest(xyz), pillar(xyz), thing(xyz)])


def toward(eye: tuple[float, float, float], target: tuple[float, float, float] = (0, 0, 0)) -> Pose:
    """A camera that stands at ``eye`` and looks at ``target``, its y axis as far down (+y) as can be."""
    ahead = np.subtract(target, eye).astype(float)
    ahead /= np.linalg.norm(ahead)
    down = np.array([0.0, 1.0, 0.0]) if abs(ahead[1]) < 0.95 else np.array([0.0, 0.0, 1.0])
    right = np.cross(down, ahead)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    matrix[:3, 3] = eye
    return Pose(matrix)


def around(count: int, distance: float) -> list[Pose]:
    """Cameras evenly over a sphere that look at its middle (Fibonacci's spiral)."""
    i = np.arange(count) + 0.5
    y, angle = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - y**2)
    eyes = distance * np.stack([r * np.cos(angle), y, r * np.sin(angle)], axis=1)
    return [toward((float(a), float(b), float(c))) for a, b, c in eyes]


def walk(count: int, radius: float = 0.7) -> list[Pose]:
    """Cameras on a small circle in the middle of a room that look outwards, up and down by turns."""
    poses = []
    for k in range(count):
        angle, tilt = 2 * np.pi * k / count, 0.7 * (k % 3 - 1)
        eye = (radius * np.cos(angle), 0.1 * (k % 2), radius * np.sin(angle))
        away = (3 * np.cos(angle + 0.4), eye[1] + 3 * tilt, 3 * np.sin(angle + 0.4))
        poses.append(toward(eye, away))
    return poses


def depth_of(field: Field, lens: Intrinsics, pose: Pose, farthest: float = 20.0) -> Array:
    """Depth along z at every pixel's centre, inf where nothing is, by sphere tracing (Hart, 1996): (h, w)."""
    h, w = lens.size.shape
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    ray = np.stack([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, np.ones_like(x)], axis=-1).reshape(-1, 3)
    length = np.linalg.norm(ray, axis=1)
    way = ray @ pose.world_from_camera[:3, :3].T / length[:, None]
    t, alive = np.zeros(len(ray)), np.arange(len(ray))
    for _ in range(300):
        d = field(pose.centre + t[alive, None] * way[alive])
        t[alive] += d
        alive = alive[(np.abs(d) > 1e-7) & (t[alive] < farthest)]
        if not len(alive):
            break
    return np.where(t < farthest, t / length, np.inf).reshape(h, w)


def paint(xyz: Array) -> NDArray[np.uint8]:
    """A colour that changes slowly over space."""
    return np.round(128 + 100 * np.sin(3 * xyz + [0, 1, 2])).astype(np.uint8)


def frame_of(
    name: str,
    z: Array,
    lens: Intrinsics,
    pose: Pose,
    confidence: NDArray[np.float32] | None = None,
    learned: NDArray[np.bool_] | None = None,
) -> ViewDepth:
    """A frame with that depth, painted by :func:`paint`."""
    valid = np.isfinite(z) & (z > 0)
    h, w = lens.size.shape
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    near = np.where(valid, z, 1.0)
    local = np.stack([(x - lens.cx) / lens.fx * near, (y - lens.cy) / lens.fy * near, near], axis=-1)
    colors = paint(local @ pose.world_from_camera[:3, :3].T + pose.centre)
    still = Still(name, lens.size, lambda: colors)
    depth = DepthMap(near.astype(np.float32), DepthKind.METRIC, valid, confidence=confidence, intrinsics=lens)
    return ViewDepth(View(still, Lens(lens), pose), depth, learned=learned)


def frames_of(
    field: Field, poses: list[Pose], lens: Intrinsics, noise: float = 0.0, outliers: float = 0.0, seed: int = 0
) -> list[ViewDepth]:
    """Views of a world.

    Args:
        field: The world.
        poses: The cameras.
        lens: Their lens.
        noise: Standard deviation of the depth, as a share of depth squared (metres).
        outliers: Share of pixels, in patches of 3×3, whose depth is anything between half and twice the true one.
        seed: Of all chance.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for number, pose in enumerate(poses):
        z = depth_of(field, lens, pose)
        h, w = z.shape
        with np.errstate(invalid="ignore"):
            z = z + noise * z**2 * rng.normal(size=z.shape)
        wrong = np.kron(rng.random(((h + 2) // 3, (w + 2) // 3)) < outliers, np.ones((3, 3), bool))[:h, :w]
        factor = np.kron(2 ** rng.uniform(-1, 1, ((h + 2) // 3, (w + 2) // 3)), np.ones((3, 3)))[:h, :w]
        frames.append(frame_of(f"{number:06d}", np.where(wrong, z * factor, z), lens, pose))
    return frames


def lens_of(width: int, height: int, fov_deg: float = 60.0) -> Intrinsics:
    """A plain lens."""
    return Intrinsics.from_fov(fov_deg, Size(width, height))
