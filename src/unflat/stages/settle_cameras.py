"""A reconstruction whose pictures share one lens -> the same, brought into agreement to the end.

Where a camera mostly walks ahead, focal length, distortion and the shape of the place trade against each other along a
flat valley: an adjustment that ends at the first small gain stays on its slope, metres of film away. This one has few
unknowns of the lens (pixels are square, and what distorts is even all around), judges errors by how large they really
are, and ends at the bottom.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.geometry.bundle import Adjusted, Bundle, adjust
from unflat.geometry.seen_by import lens_of, numbers_of
from unflat.geometry.turns import nearest_rotation
from unflat.types.arrays import F64
from unflat.types.camera import Pose
from unflat.types.views import Reconstruction, SparsePoints

_FREE = (0.15, 0.1, 0.05)
"""How uncertain the logarithm of the focal length, k1 and k2 are at first (standard deviations)."""
_LOSS = 1.5
"""Errors beyond so many times the usual one count less and less."""
_FINEST_PX = 0.2
"""Nothing is seen more exactly than this."""
_WRONG = 6.0
"""An observation off by so many times the usual error is of something else."""
_ROUNDS, _SETTLED = 30, 1e-6


def settle_cameras(made: Reconstruction, *, measure_lens: bool = True) -> Reconstruction:
    """Adjust cameras, points and the lens that all views share, with Cauchy's loss at the scale of the errors.

    Args:
        made: Views of one lens and size, and what they see of its points.
        measure_lens: Adjust focal length and distortion, too; what is not even all around is then taken as none.

    Returns:
        The same views and points, in the axes of the first view; observations that do not agree are left out, and
        points that fewer than two views see.
    """
    points, count = made.points, len(made.views)
    order = np.argsort(points.point, kind="stable")
    world = np.stack([view.pose.world_from_camera for view in made.views])
    rotation = np.ascontiguousarray(world[:, :3, :3].transpose(0, 2, 1))
    lens = numbers_of(made.views[0].lens)
    if measure_lens:
        lens[:2] = np.sqrt(lens[0] * lens[1])
        lens[6:] = 0.0
    seen = len(order)
    bundle = Bundle(
        rotation,
        -np.einsum("nij,nj->ni", rotation, world[:, :3, 3]),
        np.arange(count) > 0,
        points.xyz,
        points.view[order],
        points.point[order],
        points.pixel[order].astype(np.float64),
        lens,
        np.zeros(seen),
        np.zeros(seen),
        _FREE if measure_lens else (0.0, 0.0, 0.0),
    )
    usual = float(np.median(points.error_px)) if len(points.error_px) else 1.0
    done = _adjusted(bundle, usual)
    done = _adjusted(done.bundle, _usual(done))
    errors = np.sqrt(done.squares)
    good = errors < _WRONG * max(_usual(done), _FINEST_PX)
    return _made(made, done.bundle, order, errors, good)


def _adjusted(bundle: Bundle, usual: float) -> Adjusted:
    """Adjusted with the loss for errors that are usually so large, in pixels."""
    return adjust(bundle, rounds=_ROUNDS, loss_px=_LOSS * max(usual, _FINEST_PX), enough=_SETTLED)


def _usual(done: Adjusted) -> float:
    return float(np.sqrt(np.median(done.squares)))


def _made(made: Reconstruction, bundle: Bundle, order: np.ndarray, errors: F64, good: np.ndarray) -> Reconstruction:
    """With adjusted cameras and points, without what does not agree."""
    count = len(made.views)
    times = np.bincount(bundle.point[good], minlength=len(bundle.xyz))
    stays = times >= 2
    rows = np.flatnonzero(good & stays[bundle.point])
    view, point, error = bundle.camera[rows], (np.cumsum(stays) - 1)[bundle.point[rows]], errors[rows]
    points = SparsePoints(
        bundle.xyz[stays],
        made.points.colors[stays],
        (np.bincount(point, error, int(stays.sum())) / np.maximum(times[stays], 1)).astype(np.float32),
        view.astype(np.int32),
        point.astype(np.int32),
        made.points.pixel[order][rows],
    )
    lens = lens_of(bundle.lens, made.views[0].lens)
    seen = np.bincount(view, minlength=count)
    off = np.sqrt(np.bincount(view, error**2, count) / np.maximum(seen, 1))
    views = tuple(
        replace(one, lens=lens, pose=_pose(bundle, k), error_px=float(off[k]) if seen[k] else None)
        for k, one in enumerate(made.views)
    )
    return replace(made, views=views, points=points)


def _pose(bundle: Bundle, camera: int) -> Pose:
    world = np.eye(4)
    world[:3, :3] = nearest_rotation(bundle.rotation[camera]).T
    world[:3, 3] = -world[:3, :3] @ bundle.shift[camera]
    return Pose(world)
