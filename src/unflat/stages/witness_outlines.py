"""Cut-outs with cameras and depth -> the same, with what their masks leave out although others triangulated it.

A place whose depth several views measured belongs to the thing, so it lies inside the outline that any view sees of it,
before or behind whatever else: where a mask ends short of such places it is wrong. Shadows as dark as a black backdrop
are left out so, in many pictures at once, where outlines alone cannot tell who is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unflat.stages.agree_outlines import Agreed
from unflat.types.arrays import F64, U8, Bool
from unflat.types.camera import Camera, Intrinsics
from unflat.types.sight import Sight
from unflat.types.views import ViewDepth

_SURE = 0.5
_WITNESSES, _SHARE = 3, 0.1
"""So many of the other views, and such a share of them, must have measured something there."""
_THICK, _GAP = 5, 7
"""Outlines and cameras are a little off: only what is thicker than this counts, in pixels of the depth, and gaps of
this width between it and what the mask shows are filled."""


def witness_outlines(sights: Sequence[Sight], frames: Sequence[ViewDepth]) -> Agreed:
    """Give back what masks leave out where enough other views measured a surface.

    Args:
        sights: Cut-outs with cameras.
        frames: Depth of the same views, in the same order, found inside their masks.

    Returns:
        The cut-outs, and which of them had something left out.
    """
    clouds = [_surface(frame) for frame in frames]
    needed = max(_WITNESSES, round(_SHARE * (len(frames) - 1)))
    mended, changed = list(sights), []
    for number, (sight, frame) in enumerate(zip(sights, frames, strict=True)):
        lens = frame.depth.intrinsics
        assert lens is not None
        camera = Camera(lens, frame.view.pose)
        others = [cloud for k, cloud in enumerate(clouds) if k != number]
        seen = np.sum([_seen(cloud, camera) for cloud in others], axis=0) >= needed
        alpha = _with(sight.alpha, np.asarray(seen, np.bool_))
        if alpha is not None:
            mended[number] = replace(sight, image=replace(sight.image, alpha=alpha, jpeg=None))
            changed.append(number)
    return Agreed(mended, changed)


def _surface(frame: ViewDepth) -> F64:
    """(n, 3) what a view measured, in the world."""
    depth, lens = frame.depth, frame.depth.intrinsics
    assert lens is not None
    sure = np.asarray(depth.valid) & np.isfinite(depth.z)
    if depth.confidence is not None:
        sure &= np.asarray(depth.confidence) > _SURE
    y, x = np.nonzero(sure)
    z = depth.z[y, x].astype(np.float64)
    local = np.stack([(x + 0.5 - lens.cx) / lens.fx * z, (y + 0.5 - lens.cy) / lens.fy * z, z], axis=-1)
    world = frame.view.pose.world_from_camera
    return local @ world[:3, :3].T + world[:3, 3]


def _seen(cloud: F64, camera: Camera) -> Bool:
    """(h, w) where a cloud (n, 3) is seen, each point a pixel to all sides."""
    import cv2

    lens: Intrinsics = camera.intrinsics
    local = (cloud - camera.pose.centre) @ camera.pose.world_from_camera[:3, :3]
    local = local[local[:, 2] > 1e-9]
    x = np.floor(lens.fx * local[:, 0] / local[:, 2] + lens.cx).astype(np.int64)
    y = np.floor(lens.fy * local[:, 1] / local[:, 2] + lens.cy).astype(np.int64)
    h, w = lens.size.shape
    there = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    shadow = np.zeros((h, w), np.uint8)
    shadow[y[there], x[there]] = 1
    return np.asarray(cv2.dilate(shadow, np.ones((3, 3), np.uint8))) > 0


def _with(alpha: U8, seen: Bool) -> U8 | None:
    """Alpha with what was seen beyond it; None where that is no more than outlines are off."""
    import cv2

    h, w = seen.shape
    inside = np.asarray(cv2.resize(alpha, (w, h), interpolation=cv2.INTER_AREA)) >= 128
    bite = (seen & ~inside).astype(np.uint8)
    bite = np.asarray(cv2.morphologyEx(bite, cv2.MORPH_OPEN, np.ones((_THICK, _THICK), np.uint8)))
    if not bite.any():
        return None
    wide = np.ones((_GAP, _GAP), np.uint8)
    joined = np.asarray(cv2.morphologyEx((inside | (bite > 0)).astype(np.uint8), cv2.MORPH_CLOSE, wide)) > 0
    more = (joined & (np.asarray(cv2.dilate(bite, wide)) > 0)).astype(np.uint8)
    large = cv2.resize(more * np.uint8(255), alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.maximum(alpha, np.asarray(large, np.uint8))
