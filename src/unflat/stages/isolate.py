"""A scanned surface with everything around -> the thing that the cameras looked at, without its table or wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unflat.errors import InputError
from unflat.geometry.pieces import pieces_of
from unflat.types.arrays import F64, Bool
from unflat.types.camera import Camera
from unflat.types.mesh import Mesh

_TRIALS = 400
_WITHIN = 0.012
"""A face lies on a plane, and a thing begins above its table, within this share of the room that cameras look at."""
_ALIGNED = 0.95
_LEAST_TABLE = 0.08
"""A plane with less than this share of the surface is no table."""
_UPRIGHT = 0.9
_STEEP = 0.3
"""Normals of walls rise or fall by no more than this."""
_LEAST_PIECE = 0.04
_OUTVOTED = 0.5
_Support = Literal["any", "table", "wall"]


@dataclass(frozen=True, slots=True, eq=False)
class Isolated:
    """The thing alone.

    Attributes:
        mesh: Open where it stood on its table or hung on its wall; in the frame of the scan.
        up: (3,) of length 1, away from the table; None where there is no table.
        table: Share of the surface around that was the plane of the table or the wall; 0 where there is neither.
        hangs: Whether it was a wall.
    """

    mesh: Mesh
    up: F64 | None
    table: float
    hangs: bool = False


def isolate(mesh: Mesh, cameras: Sequence[Camera], masks: Sequence[Bool | None], *, level: bool) -> Isolated:
    """Keep the thing in the middle of what the cameras see.

    The middle is where the cameras' axes pass each other; the table is the largest plane below it with all cameras on
    one side (RANSAC, Fischler and Bolles, 1981), or, where there is none in a scan that is level, the largest wall
    close behind it; what masks show to be outside in most of the views is not the thing.

    Args:
        mesh: The fused surface.
        cameras: That saw it.
        masks: For each camera (h, w) of its size, True where the thing may be; None: everywhere.
        level: Whether y points down along gravity: a table is then level, too.

    Raises:
        InputError: Nothing is left.
    """
    middle, reach = middle_of(cameras)
    points = np.asarray(mesh.vertices, np.float64)
    faces = np.asarray(mesh.faces).astype(np.int64)
    keep = np.linalg.norm(points - middle, axis=1) < 1.3 * reach
    near = faces[keep[faces].all(axis=1)]
    up, table, hangs = None, 0.0, False
    found = _support(points, near, cameras, middle, reach, "table" if level else "any")
    if found is None and level:
        found = _support(points, near, cameras, middle, reach, "wall")
        hangs = found is not None
    if found is not None:
        away, offset, table = found
        up = None if hangs else away
        height = points @ away - offset
        faces = faces[(height[faces] > _WITHIN * reach).any(axis=1)]
        # The lowest row of faces goes down to the table, and no farther.
        points = points - np.minimum(height, 0)[:, None] * away
    keep &= ~_outvoted(points, cameras, masks)
    faces = faces[keep[faces].all(axis=1)]
    if not len(faces):
        raise InputError(
            "nothing stands where the cameras look",
            hint="Go around the object with it in the middle of every picture, or scan with --subject scene.",
        )
    return Isolated(_main_piece(mesh, points, faces, middle, reach), up, table, hangs)


def middle_of(cameras: Sequence[Camera]) -> tuple[F64, float]:
    """Where the cameras' axes pass each other, and half the width of what they see there.

    Raises:
        InputError: There are fewer than two cameras.
    """
    if len(cameras) < 2:
        raise InputError("an object is scanned from at least two sides")
    total, sums = np.zeros((3, 3)), np.zeros(3)
    for camera in cameras:
        world = camera.pose.world_from_camera
        across = np.eye(3) - np.outer(world[:3, 2], world[:3, 2])
        total += across
        sums += across @ world[:3, 3]
    eyes = np.array([camera.pose.centre for camera in cameras])
    # Axes that are nearly parallel pass each other anywhere: the eyes themselves hold them a little.
    middle = np.linalg.solve(total + 1e-4 * len(cameras) * np.eye(3), sums + 1e-4 * eyes.sum(axis=0))
    halves = [
        np.linalg.norm(middle - camera.pose.centre)
        * min(camera.intrinsics.size.width / camera.intrinsics.fx, camera.intrinsics.size.height / camera.intrinsics.fy)
        / 2
        for camera in cameras
    ]
    return middle, float(np.median(halves))


def _support(
    points: F64, faces: np.ndarray, cameras: Sequence[Camera], middle: F64, reach: float, kind: _Support
) -> tuple[F64, float, float] | None:
    """The largest plane behind the middle: its normal towards the cameras, its offset and its share of the surface."""
    if len(faces) < 16:
        return None
    a, b, c = (points[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    normal = normal / np.maximum(area, 1e-30)[:, None]
    centre = (a + b + c) / 3
    eyes = np.array([camera.pose.centre for camera in cameras])
    rng = np.random.default_rng(0)
    best: tuple[F64, float, float] | None = None
    for pick in rng.choice(len(faces), _TRIALS, p=area / area.sum()):
        up = normal[pick]
        if (kind == "table" and -up[1] < _UPRIGHT) or (kind == "wall" and abs(up[1]) > _STEEP):
            continue
        offset = float(centre[pick] @ up)
        if kind == "wall" and middle @ up > offset + reach:
            continue
        if (eyes @ up < offset).mean() > 0.1 or middle @ up < offset - 0.1 * reach:
            continue
        on = (np.abs(centre @ up - offset) < _WITHIN * reach) & (normal @ up > _ALIGNED)
        share = float(area[on].sum() / area.sum())
        if best is None or share > best[2]:
            flat = (area[on, None] * normal[on]).sum(axis=0)
            flat /= np.linalg.norm(flat)
            best = flat, float(np.average(centre[on] @ flat, weights=area[on])), share
    return None if best is None or best[2] < _LEAST_TABLE else best


def _outvoted(points: F64, cameras: Sequence[Camera], masks: Sequence[Bool | None]) -> Bool:
    """What lies outside of the masks in more than half of the views that show it."""
    seen, outside = np.zeros(len(points)), np.zeros(len(points))
    for camera, mask in zip(cameras, masks, strict=True):
        if mask is None:
            continue
        world, lens = np.linalg.inv(camera.pose.world_from_camera), camera.intrinsics
        local = points @ world[:3, :3].T + world[:3, 3]
        z = np.maximum(local[:, 2], 1e-9)
        x = np.floor(lens.fx * local[:, 0] / z + lens.cx).astype(np.int64)
        y = np.floor(lens.fy * local[:, 1] / z + lens.cy).astype(np.int64)
        h, w = mask.shape
        there = (local[:, 2] > 0) & (x >= 0) & (x < w) & (y >= 0) & (y < h)
        seen += there
        outside[there] += ~mask[y[there], x[there]]
    return outside > _OUTVOTED * np.maximum(seen, 1)


def _main_piece(mesh: Mesh, points: F64, faces: np.ndarray, middle: F64, reach: float) -> Mesh:
    """The piece that has most surface near the middle, and pieces of some size that are as near."""
    piece = pieces_of(len(points), faces.astype(np.uint32))[faces[:, 0]]
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    away = np.linalg.norm((a + b + c) / 3 - middle, axis=1) / reach
    _, number = np.unique(piece, return_inverse=True)
    total = np.bincount(number, area)
    weight = np.bincount(number, area * np.exp(-2 * away**2))
    distance = np.bincount(number, area * away) / np.maximum(total, 1e-30)
    first = int(weight.argmax())
    good = (weight > _LEAST_PIECE * weight[first]) & (distance < distance[first] + 0.3)
    good[first] = True
    kept = faces[good[number]]
    used, corner = np.unique(kept, return_inverse=True)

    def of(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.asarray(values)[used]

    return Mesh(
        points[used].astype(np.float32),
        corner.reshape(-1, 3).astype(np.uint32),
        of(mesh.normals),
        None,
        of(mesh.colors),
        of(mesh.confidence),
        of(mesh.invented),
    )
