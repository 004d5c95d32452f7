"""What mapping found, in our own nouns.

Poses are turned round, and the world becomes that of the first view, with the median depth of what is seen as the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unflat.geometry.distort import pixels_of
from unflat.models.views.features import Features
from unflat.models.views.placement import Placed
from unflat.types.arrays import F64
from unflat.types.camera import Pose
from unflat.types.views import Dropped, Reconstruction, Similarity, SparsePoints, Still, View

_SURE_POINTS = 30
"""A view that rests on so many points is half sure."""


def outcome(
    model: Placed,
    stills: Sequence[Still],
    features: Sequence[Features],
    lost: tuple[Dropped, ...],
    notes: tuple[str, ...],
) -> Reconstruction:
    """A model as a reconstruction in the axes of its first view.

    Args:
        model: Its pictures are numbers of ``stills``.
        stills: All of the set.
        features: Theirs.
        lost: Of those that are not in the model.
        notes: For the user.
    """
    views = [
        View(stills[number], lens, _pose(pose))
        for number, lens, pose in zip(model.pictures, model.lenses, model.camera_from_world, strict=True)
    ]
    first = np.cumsum([0, *(len(features[i].xy) for i in model.pictures)])
    seen_feature = first[model.view] + model.feature
    pixel = np.concatenate([features[i].xy for i in model.pictures])[seen_feature].astype(np.float64)
    errors, depths = _errors(views, model, pixel)
    seen = np.bincount(model.view, minlength=len(views))
    per_view = np.sqrt(np.bincount(model.view, errors**2, len(views)) / np.maximum(seen, 1))
    settled = tuple(
        replace(
            views[k], error_px=float(per_view[k]) if seen[k] else None, sure=float(seen[k] / (seen[k] + _SURE_POINTS))
        )
        for k in range(len(views))
    )
    count = len(model.xyz)
    seers = np.maximum(np.bincount(model.point, minlength=count), 1)
    shown = np.concatenate([features[i].colors for i in model.pictures])[seen_feature].astype(np.float64)
    colors = np.stack([np.bincount(model.point, shown[:, c], count) for c in range(3)], axis=1) / seers[:, None]
    points = SparsePoints(
        model.xyz,
        np.rint(colors).astype(np.uint8),
        (np.bincount(model.point, errors, count) / seers).astype(np.float32),
        model.view.astype(np.int32),
        model.point.astype(np.int32),
        pixel.astype(np.float32),
    )
    found = Reconstruction(settled, points, lost, notes=notes)
    return found.moved(_to_first(views[0].pose, float(np.median(depths)) if len(depths) else 1.0))


def _pose(camera_from_world: F64) -> Pose:
    turned = np.eye(4)
    turned[:3, :3] = camera_from_world[:, :3].T
    turned[:3, 3] = -camera_from_world[:, :3].T @ camera_from_world[:, 3]
    return Pose(turned)


def _to_first(pose: Pose, unit: float) -> Similarity:
    turn = pose.world_from_camera[:3, :3].T
    return Similarity(1 / unit, turn, -turn @ pose.centre / unit)


def _errors(views: Sequence[View], model: Placed, pixel: F64) -> tuple[F64, F64]:
    """Reprojection error in pixels and depth of every observation."""
    errors, depths = np.zeros(len(model.view)), np.zeros(len(model.view))
    for k, view in enumerate(views):
        of_view = model.view == k
        pose = view.pose.world_from_camera
        local = (model.xyz[model.point[of_view]] - pose[:3, 3]) @ pose[:3, :3]
        depths[of_view] = local[:, 2]
        errors[of_view] = np.linalg.norm(pixels_of(local, view.lens) - pixel[of_view], axis=1)
    return errors, depths
