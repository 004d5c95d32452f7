"""A real photograph over a made-up depth: a person before a wall, in two layers, the hidden wall invented."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.projection import rays
from unflat.types import (
    Camera,
    Frame,
    Image,
    Intrinsics,
    Mesh,
    Node,
    Pose,
    Provenance,
    Rights,
    Scale,
    Scene,
    Size,
    Source,
    Step,
)
from unflat.types.arrays import F64, U8, Bool

CELLS = 96
WALL_M = 2.6
SOURCE = Source("astronaut.png", "00" * 32, "png", Rights(creator="NASA", licence="public domain"))


def _person(x: F64, y: F64) -> tuple[Bool, F64]:
    """Whether points of the picture (0..1) are on the person, and how far she is there in metres."""
    head = ((x - 0.435) / 0.13) ** 2 + ((y - 0.21) / 0.2) ** 2
    body = ((x - 0.42) / 0.42) ** 2 + ((y - 1.0) / 0.62) ** 2
    roundness = np.sqrt(np.clip(1 - np.minimum(head, body), 0, 1))
    return np.minimum(head, body) < 1, 1.35 - 0.3 * roundness


def _layer(
    texture: Image, uv: F64, z: F64, faces: NDArray[np.int64], *, confidence: F64, invented: Bool | None
) -> Mesh:
    camera = Intrinsics.from_fov(50, texture.size)
    used = np.unique(faces)
    vertices = rays(uv[used] * [texture.size.width, texture.size.height], camera) * z[used, None]
    return Mesh(
        vertices.astype(np.float32),
        np.searchsorted(used, faces).astype(np.uint32),
        uv=uv[used].astype(np.float32),
        confidence=confidence[used].astype(np.float32),
        invented=None if invented is None else invented[used],
        texture=texture,
    )


def portrait() -> Scene:
    """The scene; about 30 000 triangles."""
    from skimage import data

    pixels: U8 = data.astronaut()
    size = Size(pixels.shape[1], pixels.shape[0])
    v, u = np.meshgrid(np.linspace(0, 1, CELLS + 1), np.linspace(0, 1, CELLS + 1), indexing="ij")
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    corner = (np.arange(CELLS)[:, None] * (CELLS + 1) + np.arange(CELLS)).reshape(-1)
    right, below = corner + 1, corner + CELLS + 1
    faces = np.concatenate([np.stack([corner, below, right], 1), np.stack([right, below, below + 1], 1)])
    on_person, z = _person(uv[:, 0], uv[:, 1])
    yy, xx = np.mgrid[0 : size.height, 0 : size.width]
    hidden, _ = _person((xx + 0.5) / size.width, (yy + 0.5) / size.height)
    # The person's triangles reach a cell beyond her outline, so that no invented pixel shows from the front.
    wall = cv2.inpaint(pixels, cv2.dilate(hidden.astype(np.uint8), np.ones((3, 3))), 3, cv2.INPAINT_TELEA)
    edge = np.clip(1.15 - np.abs(uv[:, 0] - 0.43), 0, 1)
    nodes = (
        Node(
            "person",
            _layer(Image(pixels, source=SOURCE), uv, z, faces[on_person[faces].any(1)], confidence=edge, invented=None),
        ),
        Node(
            "wall",
            _layer(
                Image(wall.astype(np.uint8), source=SOURCE),
                uv,
                WALL_M - 0.5 * uv[:, 1],
                faces,
                confidence=np.where(on_person, 0.1, 0.75 * edge),
                invented=on_person,
            ),
        ),
    )
    story = Provenance(
        (SOURCE,), (Step("hand-made depth"),), "0.1.0", True, ("The depth of this picture was drawn by hand.",)
    )
    cameras = (Camera(Intrinsics.from_fov(50, size), Pose.identity()),)
    return Scene(nodes, cameras, Frame.CAMERA_RDF, Scale("assumed", 0.3, 3.0), story)
