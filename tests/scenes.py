"""Small scenes made in code, for every test that needs something to write, read or draw.

The picture is bright blue above and dark red below, with a white corner top left, so that a turned, flipped or
mirrored result is seen at once. The surface is a wavy sheet, seen by one camera that stands at the origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from unflat.geometry.projection import rays
from unflat.types import (
    Camera,
    Frame,
    Image,
    Intrinsics,
    Mesh,
    Node,
    PointCloud,
    Pose,
    Provenance,
    Rights,
    Scale,
    Scene,
    Size,
    Source,
    Splats,
    Step,
    Track,
)
from unflat.types.arrays import F32, U8

PICTURE = Size(96, 64)
CREATED = "2026-01-02T03:04:05Z"


def picture(size: Size = PICTURE, *, alpha: str = "none") -> Image:
    """A picture that shows which way it hangs. ``alpha`` is none, mask (0 or 255) or soft."""
    v, u = np.meshgrid(np.linspace(0, 1, size.height), np.linspace(0, 1, size.width), indexing="ij")
    pixels = np.stack([60 + 160 * v, 60 + 100 * u, 220 - 180 * v], axis=-1)
    pixels[(u < 0.2) & (v < 0.2)] = 255
    kinds: dict[str, U8 | None] = {
        "none": None,
        "mask": np.where((u - 0.5) ** 2 + (v - 0.5) ** 2 < 0.2, 255, 0).astype(np.uint8),
        "soft": (255 * u).astype(np.uint8),
    }
    return Image(pixels.astype(np.uint8), kinds[alpha], Source("sheet.png", "ab" * 32, "png"))


def camera(size: Size = PICTURE, *, off_centre: bool = False) -> Camera:
    """A camera at the origin, or one with a shifted principal point that stands somewhere and is turned."""
    if not off_centre:
        return Camera(Intrinsics.from_fov(60, size), Pose.identity())
    angle = 0.3
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = [
        [np.cos(angle), 0, np.sin(angle)],
        [0, 1, 0],
        [-np.sin(angle), 0, np.cos(angle)],
    ]
    world_from_camera[:3, 3] = (0.2, -0.1, 0.05)
    w, h = size.width, size.height
    intrinsics = Intrinsics(1.1 * w, 1.2 * w, 0.45 * w, 0.55 * h, size, "exif-35mm")
    return Camera(intrinsics, Pose(world_from_camera), "second")


def provenance(*, invented: bool = False) -> Provenance:
    """A full story: rights, a model, options, warnings, letters beyond ASCII."""
    rights = Rights(creator="Ada Ørsted", copyright="© 2024 Ada Ørsted", licence="CC-BY-4.0")
    return Provenance(
        sources=(Source("sheet.png", "ab" * 32, "png", rights),),
        steps=(
            Step("estimate_depth", "worlds", "Apache-2.0", (("size", 384), ("refine", True))),
            Step("build_surface", options=(("triangles", 200_000), ("sky", "dome"))),
        ),
        version="0.1.0",
        invented=invented,
        warnings=("The focal length is assumed.",),
        created=CREATED,
    )


def _grid(columns: int, rows: int) -> tuple[F32, np.ndarray]:
    """Uv (n, 2) of a regular grid and its triangles (m, 3), counter-clockwise for who sees (0, 0) top left."""
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    uv = np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32)
    top_left = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).reshape(-1)
    right, below = top_left + 1, top_left + columns + 1
    faces = np.concatenate([np.stack([top_left, below, right], 1), np.stack([right, below, below + 1], 1)])
    return uv, faces.astype(np.uint32)


def sheet(
    columns: int = 12, rows: int = 8, *, distance: float = 2.0, wave: float = 0.2, texture: Image | None = None
) -> Mesh:
    """A wavy sheet that fills the picture of :func:`camera`, about ``distance`` metres away, textured."""
    uv, faces = _grid(columns, rows)
    z = distance + wave * np.sin(5 * uv[:, 0]) * np.cos(4 * uv[:, 1])
    vertices = rays(uv * [PICTURE.width, PICTURE.height], camera().intrinsics) * z[:, None]
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], np.cross(b - a, c - a))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Mesh(
        vertices.astype(np.float32),
        faces,
        normals.astype(np.float32),
        uv,
        confidence=(0.25 + 0.75 * uv[:, 0]).astype(np.float32),
        texture=texture or picture(),
    )


def coloured_sheet(columns: int = 12, rows: int = 8) -> Mesh:
    """The same sheet with colours at its vertices instead of a texture; its lower quarter is invented."""
    plain = sheet(columns, rows)
    assert plain.uv is not None
    u, v = plain.uv.T
    colors = np.stack([60 + 160 * v, 60 + 100 * u, 220 - 180 * v], axis=-1).astype(np.uint8)
    return Mesh(
        plain.vertices, plain.faces, plain.normals, colors=colors, confidence=plain.confidence, invented=v > 0.75
    )


def cloud(count: int = 500) -> PointCloud:
    """Coloured points scattered two to three metres in front of the camera."""
    rng = np.random.default_rng(7)
    xyz = rng.uniform((-1, -0.7, 2), (1, 0.7, 3), (count, 3)).astype(np.float32)
    colors = rng.integers(0, 256, (count, 3), dtype=np.uint8)
    return PointCloud(xyz, colors, confidence=rng.uniform(0, 1, count).astype(np.float32))


def splats(count: int = 200) -> Splats:
    """Flat, turned, half transparent splats two to three metres in front of the camera."""
    rng = np.random.default_rng(8)
    q = rng.normal(size=(count, 4))
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    return Splats(
        rng.uniform((-1, -0.7, 2), (1, 0.7, 3), (count, 3)).astype(np.float32),
        rng.uniform(0.005, 0.05, (count, 3)).astype(np.float32),
        np.where(q[:, :1] < 0, -q, q).astype(np.float32),
        rng.uniform(0.1, 0.95, count).astype(np.float32),
        rng.uniform(0, 1, (count, 3)).astype(np.float32),
    )


def block(width: float = 0.1, height: float = 0.06, depth: float = 0.02) -> Mesh:
    """A closed box in metres, half a metre before the camera, faces outward: what can be printed."""
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=np.float32)
    vertices = (corners - [0.5, 0.5, 0]) * [width, height, depth] + [0, 0, 0.5]
    sides = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = [face for a, b, c, d in sides for face in ((a, b, c), (a, c, d))]
    return Mesh(vertices.astype(np.float32), np.array(faces, dtype=np.uint32))


def scene_of(*nodes: Node, cameras: tuple[Camera, ...] | None = None, invented: bool = False) -> Scene:
    """Put ``nodes`` into a scene with the standard camera, a known scale and a full provenance."""
    scale = Scale("known-length", 0.98, 1.03, 0.9, "a door, 2.0 m")
    seen_by = (camera(),) if cameras is None else cameras
    return Scene(nodes, seen_by, Frame.CAMERA_RDF, scale, provenance(invented=invented))


def textured_scene() -> Scene:
    """One textured sheet with confidence, seen by one camera."""
    return scene_of(Node("surface", sheet()))


def sky_scene() -> Scene:
    """A textured sheet before a sky 100 m away that shares its texture, two cameras, one off centre and turned."""
    texture = picture()
    front, sky = sheet(texture=texture), sheet(4, 3, distance=100, wave=0, texture=texture)
    nodes = Node("surface", front), Node("sky", sky, "sky")
    return scene_of(*nodes, cameras=(camera(), camera(off_centre=True)))


def coloured_scene() -> Scene:
    """A sheet with vertex colours, partly invented."""
    return scene_of(Node("surface", coloured_sheet()), invented=True)


def cloud_scene() -> Scene:
    """Loose coloured points."""
    return scene_of(Node("points", cloud()))


def splat_scene() -> Scene:
    """Gaussian splats."""
    return scene_of(Node("splats", splats()))


def track(*, zooms: bool = True) -> Track:
    """A camera that turns all the way round while its lens grows longer, at uneven times."""
    times = np.array([0.0, 0.5, 0.75, 2.0, 3.5])
    poses = np.tile(np.eye(4), (5, 1, 1))
    for pose, angle in zip(poses, (0.0, 1.5, 3.0, 4.5, 6.0), strict=True):
        c, s = np.cos(angle), np.sin(angle)
        pose[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
        pose[:3, 3] = (0.1 * angle, -0.2, 0.3 * c)
    zoom = np.array([1.0, 1.1, 0.9, 1.5, 1.2]) if zooms else np.ones(5)
    return Track("turn", camera(off_centre=True).intrinsics, times, poses, zoom)


def moving_scene() -> Scene:
    """A textured sheet, a still camera and two that move, one with its lens."""
    tracks = track(), replace(track(zooms=False), name="walk", times=np.arange(5.0))
    return replace(textured_scene(), tracks=tracks)


def relief_scene() -> Scene:
    """A closed body that a printer can print."""
    return scene_of(Node("relief", block()))


def masked_scene() -> Scene:
    """A textured sheet whose picture has holes."""
    return scene_of(Node("surface", sheet(texture=picture(alpha="mask"))))


def glassy_scene() -> Scene:
    """A textured sheet whose picture fades to nothing."""
    return scene_of(Node("surface", sheet(texture=picture(alpha="soft"))))


MESH_SCENES: dict[str, Callable[[], Scene]] = {
    "textured": textured_scene,
    "sky": sky_scene,
    "coloured": coloured_scene,
    "masked": masked_scene,
    "glassy": glassy_scene,
    "moving": moving_scene,
}
"""Scenes that hold nothing but meshes."""

SCENES: dict[str, Callable[[], Scene]] = {
    **MESH_SCENES,
    "cloud": cloud_scene,
    "splats": splat_scene,
    "relief": relief_scene,
}
"""Every scene of this file by its name."""
