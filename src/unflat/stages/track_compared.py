"""A film's followed path -> the same path, held by what frames far from each other have in common.

Following sees a corner for as long as it stays in view; features are known again from much farther and later. So the
frames that differ most are compared as photographs are, which measures lens and places better, and the frames between
them are taken along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.carry import carried
from unflat.stages.choose_views import ViewOptions, choose_views
from unflat.stages.settle_cameras import settle_cameras
from unflat.stages.sharpen_tracks import sharpen_tracks
from unflat.types.camera import Pose
from unflat.types.views import Reconstruction, Similarity, Stills

MOST = 160
"""So many frames of a film are compared, at most."""
_NOT_HELD = "the path is as it was followed, its frames could not be compared with each other: {}"
_SHARPENED = 2
"""So many times places are measured again by the cameras that came of them."""
_ENOUGH = 0.9
"""If fewer of those that are compared find their place, they do not hold the path."""


def held_by_comparing(followed: Reconstruction, compare: Callable[[Stills], Reconstruction]) -> Reconstruction:
    """Compare the frames that differ most, and bend the path so that it goes through their places.

    Args:
        followed: Frames of a film in order, as they were followed.
        compare: Structure from motion.

    Returns:
        The same views, with the lens and the points of the compared ones, in the axes of the first view. If too few of
        them fit together, those of ``followed`` as they are, and a note that says so.
    """
    number = {view.still.name: i for i, view in enumerate(followed.views)}
    chosen = choose_views(followed, ViewOptions(MOST))
    try:
        compared = compare(Stills(tuple(view.still for view in chosen.views), ordered=True))
    except InputError as error:
        return replace(followed, notes=(*followed.notes, _NOT_HELD.format(error)))
    if len(compared.views) < max(2, _ENOUGH * len(chosen.views)):
        few = f"{len(compared.views)} of {len(chosen.views)} found their place"
        return replace(followed, notes=(*followed.notes, _NOT_HELD.format(few)))
    compared = _settled(compared)
    known = np.array([number[view.still.name] for view in compared.views])
    path = np.stack([view.pose.world_from_camera for view in followed.views])
    poses = carried(path, known, np.stack([view.pose.world_from_camera for view in compared.views]))
    views = [
        replace(view, lens=compared.views[0].lens, pose=Pose(pose))
        for view, pose in zip(followed.views, poses, strict=True)
    ]
    for i, view in zip(known, compared.views, strict=True):
        views[i] = view
    points = replace(compared.points, view=known[compared.points.view].astype(np.int32))
    held = replace(followed, views=tuple(views), points=points, notes=(*followed.notes, *compared.notes))
    first = poses[0]
    return held.moved(Similarity(1.0, first[:3, :3].T, -first[:3, :3].T @ first[:3, 3]))


def _settled(compared: Reconstruction) -> Reconstruction:
    """Cameras and lens by the features, and then by what the pictures look like around them."""
    free = compared.views[0].lens.intrinsics.basis == "views"
    settled = settle_cameras(compared, measure_lens=free)
    for _ in range(_SHARPENED):
        settled = settle_cameras(sharpen_tracks(settled), measure_lens=free)
    return settled
