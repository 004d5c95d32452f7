"""A thing that stands -> a picture of it, as a page shows it while the model loads."""

from __future__ import annotations

import math

import numpy as np

from unflat.stages.render_view import render_view
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Scene

_FINER = 2
_YAW_DEG, _DOWN_DEG, _FOV_DEG = 25.0, 10.0, 25.0
_FILLS = 0.92


def make_poster(scene: Scene, side: int = 1024) -> Image:
    """Look at a thing from a little to the right and above.

    Args:
        scene: Textured surfaces that stand on y = 0 with their front towards −z.
        side: Of the square picture, in pixels.

    Returns:
        With alpha, transparent around the thing.
    """
    import cv2

    corners = np.concatenate([n.item.vertices for n in scene.nodes if isinstance(n.item, Mesh)]).astype(np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    a, b = math.radians(_YAW_DEG), math.radians(_DOWN_DEG)
    around = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    down = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    world = np.eye(4)
    world[:3, :3] = around @ down
    seen = (corners - (low + high) / 2) @ world[:3, :3]
    slope = math.tan(math.radians(_FOV_DEG) / 2) * _FILLS
    far = float((np.abs(seen[:, :2]).max(axis=1) / slope - seen[:, 2]).max())
    world[:3, 3] = (low + high) / 2 - far * world[:3, 2]
    size = Size(side * _FINER, side * _FINER)
    view = render_view(scene.nodes, Camera(Intrinsics.from_fov(_FOV_DEG, size), Pose(world)))
    cover = (~view.open).astype(np.float32)
    small = np.asarray(cv2.resize(cover, (side, side), interpolation=cv2.INTER_AREA))
    mixed = np.asarray(cv2.resize(view.colour * cover[..., None], (side, side), interpolation=cv2.INTER_AREA))
    colour = np.where(small[..., None] > 0, mixed / np.maximum(small, 1e-6)[..., None], 0)
    return Image(np.rint(colour.clip(0, 255)).astype(np.uint8), np.rint(255 * small).astype(np.uint8))
