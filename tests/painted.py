"""Known surfaces with known pictures on them, photographed by known cameras: what texturing is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.stages.render_view import Painter, render_view
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Node
from unflat.types.views import Lens, Still, View, ViewDepth

U8 = NDArray[np.uint8]


def looking(eye: tuple[float, float, float], at: tuple[float, float, float]) -> Pose:
    """A pose that stands at ``eye`` and looks at a point, y down."""
    ahead = np.subtract(at, eye).astype(np.float64)
    ahead /= np.linalg.norm(ahead)
    right = np.cross([0.0, 1.0, 0.0], ahead)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    pose[:3, 3] = eye
    return Pose(pose)


def photograph(side: int = 512) -> U8:
    """A picture with detail of all sizes: scikit-image's, six of them on one square of 3×2 tiles."""
    from skimage import data

    tile = side // 3
    tiles = []
    for name in ("coffee", "astronaut", "chelsea", "rocket", "brick", "gravel"):
        picture = getattr(data, name)()
        if picture.ndim == 2:
            picture = cv2.applyColorMap(picture, cv2.COLORMAP_OCEAN if name == "brick" else cv2.COLORMAP_PINK)[
                ..., ::-1
            ]
        short = min(picture.shape[:2])
        tiles.append(cv2.resize(picture[:short, :short], (tile, tile), interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])]))


def box(half: float = 0.5, cells: int = 1, side: int = 512, *, inside: bool = False) -> Mesh:
    """A cube about the origin, each side cut into cells² squares, a picture on each; a room if seen from inside."""
    tile = np.linspace(0, 1, cells + 1)
    s, t = np.meshgrid(tile, tile)
    grid = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = (x.ravel() for x in (grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]))
    quads = np.concatenate([np.stack([a, d, c], axis=1), np.stack([a, c, b], axis=1)])
    vertices, faces, uv = [], [], []
    sides = [((0, 0, -1), (1, 0, 0)), ((0, 0, 1), (-1, 0, 0)), ((1, 0, 0), (0, 0, 1)), ((-1, 0, 0), (0, 0, -1))]
    sides += [((0, -1, 0), (1, 0, 0)), ((0, 1, 0), (1, 0, 0))]
    for n, (out, right) in enumerate(sides):
        normal, across = np.array(out, float), np.array(right, float)
        down = np.cross(across, -normal) * -1.0
        points = normal + (2 * s.ravel()[:, None] - 1) * across + (2 * t.ravel()[:, None] - 1) * down
        vertices.append(half * points)
        faces.append(quads + n * len(points))
        corner = np.array([n % 3 / 3, n // 3 / 2])
        uv.append(corner + np.stack([s.ravel() / 3, t.ravel() / 2], axis=1) * 0.998 + 0.0005)
    turned = np.concatenate(faces)
    v = np.concatenate(vertices)
    first = v[turned[0]]
    outward = np.cross(first[1] - first[0], first[2] - first[0]) @ first.mean(axis=0) > 0
    if outward == inside:
        turned = turned[:, ::-1]
    return Mesh(
        v.astype(np.float32),
        turned.astype(np.uint32),
        uv=np.concatenate(uv).astype(np.float32),
        texture=Image(photograph(side)),
    )


@dataclass(frozen=True)
class Shot:
    """A camera, what it sees, and how it was exposed."""

    camera: Camera
    pixels: U8
    depth: NDArray[np.float32]


def take(meshes: list[Mesh], camera: Camera, sampling: int = 2) -> Shot:
    """Photograph textured meshes, several samples to each pixel."""
    size = camera.intrinsics.size
    large = Size(size.width * sampling, size.height * sampling)
    fine = Camera(camera.intrinsics.resized(large), camera.pose, camera.name)
    nodes = [Node(f"mesh {n}", mesh) for n, mesh in enumerate(meshes)]
    seen = render_view(nodes, fine, Painter())
    pixels = cv2.resize(seen.colour, (size.width, size.height), interpolation=cv2.INTER_AREA)
    plain = render_view(nodes, camera, Painter(), sharp=False).inverse
    depth = np.where(plain > 0, 1 / np.maximum(plain, 1e-9), 0).astype(np.float32)
    return Shot(camera, np.clip(np.rint(pixels), 0, 255).astype(np.uint8), depth)


def frame_of(shot: Shot, change: Callable[[U8], U8] | None = None) -> ViewDepth:
    """What a shot is to the rooms behind tracking, its picture changed on the way (exposure, noise)."""
    pixels = shot.pixels if change is None else change(shot.pixels)
    still = Still(shot.camera.name, shot.camera.intrinsics.size, lambda: pixels)
    view = View(still, Lens(shot.camera.intrinsics), shot.camera.pose)
    depth = DepthMap(shot.depth, DepthKind.METRIC, intrinsics=shot.camera.intrinsics)
    return ViewDepth(view, depth)


def around(count: int, distance: float, size: Size, fov: float = 50, height: float = 0.6) -> list[Camera]:
    """Cameras on a circle that look at its middle, every other one from below."""
    cameras = []
    for n in range(count):
        angle = 2 * np.pi * n / count
        eye = (distance * np.sin(angle), height * (-1) ** n, -distance * np.cos(angle))
        cameras.append(Camera(Intrinsics.from_fov(fov, size), looking(eye, (0, 0, 0)), f"{n:06d}"))
    return cameras
