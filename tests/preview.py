"""A small z-buffer painter for looking at results and for golden pictures: textured, unlit, exact in perspective."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.scene import Node

_NEAR = 1e-3


@njit(cache=True)
def _clip_near(corners, near):
    """A triangle (3, 6: x y z u v shade) cut at z = near: up to four corners."""
    out = np.empty((4, 6))
    n = 0
    for i in range(3):
        a, b = corners[i], corners[(i + 1) % 3]
        if a[2] >= near:
            out[n] = a
            n += 1
        if (a[2] >= near) != (b[2] >= near):
            out[n] = a + (near - a[2]) / (b[2] - a[2]) * (b - a)
            n += 1
    return out[:n]


@njit(cache=True)
def _fill(p, inverse, attributes, texture, target):
    """Paint one triangle; attributes are linear over inverse depth."""
    image, depth = target
    h, w = depth.shape
    area = (p[1, 0] - p[0, 0]) * (p[2, 1] - p[0, 1]) - (p[1, 1] - p[0, 1]) * (p[2, 0] - p[0, 0])
    if area == 0 or not np.isfinite(area):
        return
    for y in range(max(0, int(np.ceil(p[:, 1].min() - 0.5))), min(h, int(np.floor(p[:, 1].max() - 0.5)) + 1)):
        for x in range(max(0, int(np.ceil(p[:, 0].min() - 0.5))), min(w, int(np.floor(p[:, 0].max() - 0.5)) + 1)):
            px, py = x + 0.5, y + 0.5
            b = ((px - p[0, 0]) * (p[2, 1] - p[0, 1]) - (py - p[0, 1]) * (p[2, 0] - p[0, 0])) / area
            c = ((p[1, 0] - p[0, 0]) * (py - p[0, 1]) - (p[1, 1] - p[0, 1]) * (px - p[0, 0])) / area
            a = 1 - b - c
            if min(a, b, c) < -1e-9:
                continue
            d = a * inverse[0] + b * inverse[1] + c * inverse[2]
            if d <= depth[y, x]:
                continue
            depth[y, x] = d
            at = (a * attributes[0] + b * attributes[1] + c * attributes[2]) / d
            v = min(max(int(at[1] * texture.shape[0]), 0), texture.shape[0] - 1)
            u = min(max(int(at[0] * texture.shape[1]), 0), texture.shape[1] - 1)
            for i in range(3):
                image[y, x, i] = np.uint8(texture[v, u, i] * at[2])


@njit(cache=True)
def _paint(vertices, faces, texture, lens, target):
    """Paint every triangle. ``vertices`` are rows x y z u v shade in camera axes."""
    for f in range(len(faces)):
        corners = np.empty((3, 6))
        for i in range(3):
            corners[i] = vertices[faces[f, i]]
        piece = _clip_near(corners, _NEAR)
        for i in range(1, len(piece) - 1):
            t = np.empty((3, 6))
            t[0], t[1], t[2] = piece[0], piece[i], piece[i + 1]
            inverse = 1 / t[:, 2]
            p = np.empty((3, 2))
            p[:, 0] = lens[0] * t[:, 0] * inverse + lens[2]
            p[:, 1] = lens[1] * t[:, 1] * inverse + lens[3]
            attributes = t[:, 3:] * inverse.copy().reshape(3, 1)
            _fill(p, inverse, attributes, texture, target)


def preview(
    nodes: tuple[Node, ...], camera: Camera, shaded: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Paint the meshes of some nodes as a camera sees them.

    Args:
        nodes: Meshes in one frame; anything else is passed over. Textures by nearest pixel.
        camera: Where it stands.
        shaded: Grey, lit from the camera by the triangles' normals, instead of textured.

    Returns:
        (h, w, 3) uint8 on magenta, and (h, w) inverse depth, 0 where nothing is.
    """
    lens = camera.intrinsics
    image = np.full((*lens.size.shape, 3), (255, 0, 255), np.uint8)
    depth = np.zeros(lens.size.shape)
    pose = camera.pose.world_from_camera
    for node in nodes:
        mesh = node.item
        if not isinstance(mesh, Mesh):
            continue
        xyz = (mesh.vertices.astype(np.float64) - pose[:3, 3]) @ pose[:3, :3]
        faces = mesh.faces.astype(np.int64)
        rows = np.ones((len(xyz), 6))
        rows[:, :3] = xyz
        rows[:, 3:5] = 0 if mesh.uv is None else mesh.uv
        texture = np.full((1, 1, 3), 200, np.uint8)
        if mesh.texture is not None and not shaded:
            texture = mesh.texture.pixels
        if shaded:
            rows = rows[faces.ravel()]
            corner = rows[:, :3].reshape(-1, 3, 3)
            normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
            normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
            light = np.array([-0.4, -0.6, -0.7]) / np.linalg.norm([0.4, 0.6, 0.7])
            rows[:, 5] = np.repeat(0.25 + 0.75 * np.abs(normal @ light), 3)
            faces = np.arange(len(rows)).reshape(-1, 3)
        _paint(rows, faces, np.ascontiguousarray(texture), (lens.fx, lens.fy, lens.cx, lens.cy), (image, depth))
    return image, depth


def beside(intrinsics: Intrinsics, pivot: float, yaw_deg: float, pitch_deg: float = 0.0) -> Camera:
    """A camera moved on a sphere around the point ``pivot`` metres straight ahead; yaw to the right, pitch up."""
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    turn_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = turn_y @ turn_x.T
    world_from_camera[:3, 3] = np.array([0, 0, pivot]) - world_from_camera[:3, :3] @ np.array([0, 0, pivot])
    return Camera(intrinsics, Pose(world_from_camera))


def from_the_front(nodes: tuple[Node, ...], picture: Image, intrinsics: Intrinsics) -> float:
    """Share of pixels that a textured scene paints within 8 grey levels of its picture, from its own camera."""
    image, _ = preview(nodes, Camera(intrinsics.resized(picture.size), Pose.identity()))
    miss = np.abs(image.astype(int) - picture.pixels.astype(int)).max(axis=-1)
    return float((miss <= 8).mean())
