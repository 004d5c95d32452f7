"""What pycolmap found, in our own nouns.

Its pixels are ours (the first pixel's centre is (0.5, 0.5)) and so are its camera axes; its poses are turned round,
and the world becomes that of the first view, with the median depth of what is seen as the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unflat.geometry.distort import pixels_of
from unflat.models.views.features import Features
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics, Pose
from unflat.types.image import Size
from unflat.types.views import Dropped, Lens, Reconstruction, Similarity, SparsePoints, Still, View

_SURE_POINTS = 30
"""A view that rests on so many points is half sure."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Who saw what: rows are observations.

    Attributes:
        view: (m,) numbers of views.
        point: (m,) numbers of points.
        feature: (m,) numbers of the view's features.
        pixel: (m, 2) where it was seen.
    """

    view: np.ndarray
    point: np.ndarray
    feature: np.ndarray
    pixel: F64


def lens_of(camera: Any) -> Lens:
    """A camera of pycolmap (SIMPLE_RADIAL or OPENCV) as a lens."""
    size = Size(int(camera.width), int(camera.height))
    numbers = [float(n) for n in camera.params]
    if camera.model_name == "SIMPLE_RADIAL":
        focal, cx, cy, k1 = numbers
        return Lens(Intrinsics(focal, focal, cx, cy, size, "views"), k1)
    fx, fy, cx, cy, k1, k2, p1, p2 = numbers
    return Lens(Intrinsics(fx, fy, cx, cy, size, "views"), k1, k2, p1, p2)


def outcome(
    model: Any, stills: Sequence[Still], features: Sequence[Features], lost: tuple[Dropped, ...], notes: tuple[str, ...]
) -> Reconstruction:
    """A model of pycolmap as a reconstruction in the axes of its first view.

    Args:
        model: ``pycolmap.Reconstruction``; its image ids are numbers of ``stills`` plus one.
        stills: All of the set.
        features: Theirs, in the order in which the model's points of an image are.
        lost: Of those that are not in the model.
        notes: For the user.
    """
    ids = sorted(int(i) for i in model.reg_image_ids())
    lenses = {int(i): lens_of(camera) for i, camera in model.cameras.items()}
    views = [
        View(stills[i - 1], lenses[int(model.image(i).camera_id)], _pose(model.image(i).cam_from_world().matrix()))
        for i in ids
    ]
    sight, xyz = _sight(model, ids, features)
    errors, depths = _errors(views, sight, xyz)
    seen = np.bincount(sight.view, minlength=len(views))
    per_view = np.sqrt(np.bincount(sight.view, errors**2, len(views)) / np.maximum(seen, 1))
    settled = tuple(
        replace(
            views[k], error_px=float(per_view[k]) if seen[k] else None, sure=float(seen[k] / (seen[k] + _SURE_POINTS))
        )
        for k in range(len(views))
    )
    seers = np.maximum(np.bincount(sight.point, minlength=len(xyz)), 1)
    palette = np.concatenate([features[i - 1].colors for i in ids])
    first = np.cumsum([0, *(len(features[i - 1].xy) for i in ids)])
    shown = palette[first[sight.view] + sight.feature].astype(np.float64)
    colors = np.stack([np.bincount(sight.point, shown[:, c], len(xyz)) for c in range(3)], axis=1) / seers[:, None]
    points = SparsePoints(
        xyz,
        np.rint(colors).astype(np.uint8),
        (np.bincount(sight.point, errors, len(xyz)) / seers).astype(np.float32),
        sight.view.astype(np.int32),
        sight.point.astype(np.int32),
        sight.pixel.astype(np.float32),
    )
    found = Reconstruction(settled, points, lost, notes=notes)
    return found.moved(_to_first(views[0].pose, float(np.median(depths)) if len(depths) else 1.0))


def _pose(camera_from_world: F64) -> Pose:
    turned = np.eye(4)
    u, _, vt = np.linalg.svd(camera_from_world[:, :3])
    rotation = u @ vt  # rotations of long sums of products are off by rounding
    turned[:3, :3] = rotation.T
    turned[:3, 3] = -rotation.T @ camera_from_world[:, 3]
    return Pose(turned)


def _to_first(pose: Pose, unit: float) -> Similarity:
    turn = pose.world_from_camera[:3, :3].T
    return Similarity(1 / unit, turn, -turn @ pose.centre / unit)


def _sight(model: Any, ids: list[int], features: Sequence[Features]) -> tuple[Sight, F64]:
    """Observations, sorted by view and feature, and the points (n, 3) in the order of their ids."""
    number = {int(i): row for row, i in enumerate(sorted(model.point3D_ids()))}
    place = {i: k for k, i in enumerate(ids)}
    rows: list[tuple[int, int, int]] = []
    xyz = np.zeros((len(number), 3))
    for key, row in number.items():
        point = model.point3D(key)
        xyz[row] = point.xyz
        rows += [(place[int(e.image_id)], int(e.point2D_idx), row) for e in point.track.elements]
    table = np.array(sorted(rows), np.int64).reshape(-1, 3)
    pixel = np.zeros((len(table), 2))
    for k, i in enumerate(ids):
        of_view = table[:, 0] == k
        pixel[of_view] = features[i - 1].xy[table[of_view, 1]]
    return Sight(table[:, 0], table[:, 2], table[:, 1], pixel), xyz


def _errors(views: Sequence[View], sight: Sight, xyz: F64) -> tuple[F64, F64]:
    """Reprojection error in pixels and depth of every observation."""
    errors, depths = np.zeros(len(sight.view)), np.zeros(len(sight.view))
    for k, view in enumerate(views):
        of_view = sight.view == k
        pose = view.pose.world_from_camera
        local = (xyz[sight.point[of_view]] - pose[:3, 3]) @ pose[:3, :3]
        depths[of_view] = local[:, 2]
        errors[of_view] = np.linalg.norm(pixels_of(local, view.lens) - sight.pixel[of_view], axis=1)
    return errors, depths
