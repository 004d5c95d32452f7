"""Films of a known camera through a known room: every wall and box is covered with a texture of its own.

World axes are x right, y down, z forward; lengths are metres; the room is 6 × 2.6 × 8 m around the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.projection import rays
from unflat.geometry.turns import turn
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]

ROOM = (np.array([-3.0, -1.4, -4.0]), np.array([3.0, 1.2, 4.0]))
BOXES = (
    (np.array([-2.0, 0.2, 1.5]), np.array([-1.2, 1.2, 2.5])),
    (np.array([1.0, -0.4, 2.0]), np.array([1.7, 1.2, 2.8])),
    (np.array([-0.4, 0.7, 0.8]), np.array([0.5, 1.2, 1.4])),
    (np.array([2.2, -1.0, -2.5]), np.array([3.0, 1.2, -1.5])),
    (np.array([-2.8, 0.0, -3.5]), np.array([-1.6, 1.2, -2.8])),
)


def looking(x: float, y: float, z: float, yaw_deg: float, pitch_deg: float = 0.0) -> Pose:
    """A camera at a place, turned to the right and then up."""
    world = np.eye(4)
    world[:3, :3] = turn(np.array([0.0, np.radians(yaw_deg), 0.0])) @ turn(np.array([np.radians(pitch_deg), 0.0, 0.0]))
    world[:3, 3] = x, y, z
    return Pose(world)


@dataclass(frozen=True)
class Frame:
    """A picture (h, w, 3) uint8, its depth (h, w), and where it was taken."""

    pixels: NDArray[np.uint8]
    depth: Array
    pose: Pose


def _textures(seed: int, count: int) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        plane = np.zeros((256, 256), np.float32)
        for side, strength in ((8, 45), (20, 45), (48, 45)):
            coarse = rng.uniform(-1, 1, (side, side)).astype(np.float32)
            plane += strength * cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC)
        made.append(128 + plane)
    return made


Sides = tuple[Array, Array, NDArray[np.int64], NDArray[np.int64]]


def _slabs(origin: Array, ray: Array, low: Array, high: Array) -> Sides:
    """Where rays enter and leave a box (as multiples of the ray), and through which of its three pairs of sides."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (low - origin) / ray, (high - origin) / ray
    near, far = np.minimum(a, b), np.maximum(a, b)
    return near.max(-1), far.min(-1), near.argmax(-1), far.argmin(-1)


class Room:
    """The room as a lens sees it.

    Args:
        lens: The camera.
        seed: Of its textures.
        boxes: What stands in it.
    """

    def __init__(self, lens: Intrinsics, seed: int = 1, boxes: Sequence[tuple[Array, Array]] = BOXES) -> None:
        self.lens, self._boxes = lens, list(boxes)
        self._textures = _textures(seed, 3 * (len(boxes) + 1))
        h, w = lens.size.shape
        x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
        self._rays = rays(np.stack([x, y], -1), lens)

    def frame(self, pose: Pose) -> Frame:
        """What the camera sees from there."""
        world = pose.world_from_camera
        ray, origin = self._rays @ world[:3, :3].T, world[:3, 3]
        _, depth, _, side = _slabs(origin, ray, *ROOM)
        surface = side.copy()
        for k, (low, high) in enumerate(self._boxes, 1):
            near, far, entered, _ = _slabs(origin, ray, low, high)
            hit = (near > 0.05) & (near < far) & (near < depth)
            depth, surface = np.where(hit, near, depth), np.where(hit, 3 * k + entered, surface)
        at = (origin + ray * depth[..., None]).astype(np.float32)
        grey = np.zeros(depth.shape, np.float32)
        for k in np.unique(surface):
            u, v = [axis for axis in range(3) if axis != k % 3]
            place = [np.mod(at[..., axis] * 64 + 13 * k, 255).astype(np.float32) for axis in (u, v)]
            grey = np.where(surface == k, cv2.remap(self._textures[k], *place, cv2.INTER_LINEAR), grey)
        colour = np.stack([grey, 0.9 * grey + 10, 0.8 * grey + 20], -1)
        return Frame(np.clip(np.round(colour), 0, 255).astype(np.uint8), depth, pose)


def lens(width: int = 320, height: int = 240, fov_deg: float = 63.0) -> Intrinsics:
    """A plain camera."""
    return Intrinsics.from_fov(fov_deg, Size(width, height))


def noisy(pixels: Pixels, rng: np.random.Generator, gain: float = 1.0, noise: float = 2.0) -> Pixels:
    """As a cheap sensor sees it."""
    grain = rng.normal(0, noise, pixels.shape)
    return np.clip(pixels * gain + grain, 0, 255).astype(np.uint8)


def errors(found: Array, truth: Array) -> Array:
    """(n,) how far the found places (n, 3) are from the true ones after the best similarity (Umeyama, 1991)."""
    a, b = found - found.mean(0), truth - truth.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (s * signs).sum() / max((a**2).sum(), 1e-12)
    return np.linalg.norm(b - scale * a @ (u @ np.diag(signs) @ vt).T, axis=1)
