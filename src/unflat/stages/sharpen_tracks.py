"""What a reconstruction sees of its points, measured again by what the pictures look like around them.

features' places ─ the sharpest picture of each point ─► a patch ─ looked for where each view should see it (aligned) ─►
places to a tenth of a pixel, and in views whose features were not known again

After Lindenberger and others, "Pixel-perfect structure-from-motion with featuremetric refinement" (ICCV 2021), with
grey values in place of learned features.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.align_patches import MARGIN, RADIUS, Patches, aligned, patches_at
from unflat.geometry.distort import pixels_of
from unflat.types.arrays import F32, F64, U8
from unflat.types.views import Reconstruction, View

_LONGEST = 1024
"""Pictures are looked at no larger than this."""
_CORNER = 4.0
"""A patch shows a place if the slopes' smaller second moment, grey values squared per pixel, is at least this."""
_KNOWN, _NEW = 0.8, 0.9
"""How alike a patch must be where it was seen, and where nobody has seen it yet."""
_MOVED, _FOUND = 1.5, 3.0
"""How far, in pixels, from where it was seen, and from where it should be seen, it may lie."""
_ASIDE, _LARGER = 0.75, 2.0
"""A patch is looked for by views whose direction to it differs by less than about 40 degrees (cosine), and that see it
no more than twice as large or small."""
_STEP = 0.01
"""A patch's plane is sampled at steps of this share of its distance."""


class _Seen(NamedTuple):
    """A view as it is looked at: its grey picture, and what its pixels are multiplied by to be that picture's."""

    grey: U8
    factor: F64


def sharpen_tracks(made: Reconstruction) -> Reconstruction:
    """Measure again where points are seen, and look for them in the other views that should see them.

    A point's patch is that of the view that shows it most clearly; its plane faces the views that see it.

    Args:
        made: Views, their places right within a few pixels, and what they see of its points.

    Returns:
        The same views and points. Observations are those that the patches were found at, and those of before where no
        patch was found near them.
    """
    points = made.points
    looks = [_look(view) for view in made.views]
    from_view, patches = _references(made, looks)
    towards = _facing(made)
    rows: list[tuple[np.ndarray, np.ndarray, F32]] = []
    for number in range(len(looks)):
        mine = np.flatnonzero(points.view == number)
        here = points.point[mine]
        which, near = _expected(made, number, from_view)
        sought = np.isin(here, which)
        near[np.searchsorted(which, here[sought])] = points.pixel[mine[sought]]
        known = np.isin(which, here)
        warp = _warps(made, looks, from_view[which], number, which, towards[which])
        factor = looks[number].factor
        at, like = aligned(patches, which, looks[number].grey.astype(np.float32), near * factor, warp)
        off = np.linalg.norm(at - near * factor, axis=1)
        good = np.where(known, (like > _KNOWN) & (off < _MOVED), (like > _NEW) & (off < _FOUND))
        good &= (patches.corner[which] > _CORNER) & (from_view[which] != number)
        stays = mine[~np.isin(here, which[good])]
        found = (at[good] / factor).astype(np.float32)
        rows.append((points.point[stays], np.full(len(stays), number), points.pixel[stays]))
        rows.append((which[good], np.full(int(good.sum()), number), found))
    point, view, pixel = (np.concatenate(column) for column in zip(*rows, strict=True))
    return replace(made, points=replace(points, point=point, view=view, pixel=pixel))


def _look(view: View) -> _Seen:
    still = view.still
    size = still.size.fitted(min(_LONGEST, still.size.long_side))
    grey = cv2.cvtColor(still.read(), cv2.COLOR_RGB2GRAY)
    if size != still.size:
        grey = cv2.resize(grey, (size.width, size.height), interpolation=cv2.INTER_AREA)
    factor = np.array([size.width / still.size.width, size.height / still.size.height])
    return _Seen(np.asarray(grey, np.uint8), factor)


def _references(made: Reconstruction, looks: list[_Seen]) -> tuple[np.ndarray, Patches]:
    """(n,) the view that shows each point most clearly, -1 where none does; and its patches."""
    points, n = made.points, len(made.points.xyz)
    best = np.full(n, -1)
    clear = np.zeros(n, np.float32)
    shown = np.zeros((n, 3, 2 * RADIUS + 1, 2 * RADIUS + 1), np.float32)
    for number, look in enumerate(looks):
        mine = np.flatnonzero(points.view == number)
        at = points.pixel[mine] * look.factor
        h, w = look.grey.shape
        mine = mine[((at >= MARGIN) & (at <= np.array([w, h]) - MARGIN)).all(1)]
        cut = patches_at(look.grey.astype(np.float32), points.pixel[mine] * look.factor)
        which = points.point[mine]
        better = cut.corner > clear[which]
        which = which[better]
        best[which], clear[which] = number, cut.corner[better]
        shown[which] = cut.shown[better]
    return best, Patches(shown, clear)


def _facing(made: Reconstruction) -> F64:
    """(n, 3) from each point towards those who see it, of length 1."""
    points = made.points
    eyes = np.stack([view.pose.centre for view in made.views])
    ray = eyes[points.view] - points.xyz[points.point]
    ray /= np.maximum(np.linalg.norm(ray, axis=1, keepdims=True), 1e-12)
    total = np.stack([np.bincount(points.point, ray[:, k], len(points.xyz)) for k in range(3)], 1)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def _expected(made: Reconstruction, number: int, from_view: np.ndarray) -> tuple[np.ndarray, F64]:
    """The points that a view should see like the view that their patch is from, ascending; and where, (m, 2)."""
    points, view = made.points, made.views[number]
    eyes = np.stack([one.pose.centre for one in made.views])
    here, there = view.pose.centre - points.xyz, eyes[from_view] - points.xyz
    near, far = np.linalg.norm(here, axis=1), np.linalg.norm(there, axis=1)
    pixel = pixels_of((points.xyz - view.pose.centre) @ view.pose.world_from_camera[:3, :3], view.lens)
    size = view.still.size
    good = (from_view >= 0) & ((here * there).sum(1) > _ASIDE * near * far)
    good &= (near < _LARGER * far) & (far < _LARGER * near)
    with np.errstate(invalid="ignore"):
        good &= ((pixel > 0) & (pixel < [size.width, size.height])).all(1)
    mine = points.point[points.view == number]
    good[mine[from_view[mine] >= 0]] = True
    which = np.flatnonzero(good)
    return which, pixel[which]


def _warps(
    made: Reconstruction, looks: list[_Seen], source: np.ndarray, number: int, which: np.ndarray, towards: F64
) -> F64:
    """(m, 2, 2) how a step around a point in the picture of its patch is a step in a view's."""
    xyz = made.points.xyz[which]
    side = np.cross(towards, np.where(np.abs(towards[:, :1]) < 0.7, [[1.0, 0, 0]], [[0, 1.0, 0]]))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
    up = np.cross(towards, side)
    eyes = np.stack([view.pose.centre for view in made.views])
    step = _STEP * np.linalg.norm(xyz - eyes[source], axis=1)[:, None]
    ends = np.stack([xyz, xyz + step * side, xyz + step * up])
    here = _slopes(ends, made.views[number], looks[number].factor)
    there = np.empty_like(here)
    for other in np.unique(source):
        rows = source == other
        there[rows] = _slopes(ends[:, rows], made.views[other], looks[other].factor)
    with np.errstate(invalid="ignore", divide="ignore"):
        det = there[:, 0, 0] * there[:, 1, 1] - there[:, 0, 1] * there[:, 1, 0]
        inverse = np.stack([there[:, 1, 1], -there[:, 0, 1], -there[:, 1, 0], there[:, 0, 0]], 1).reshape(-1, 2, 2)
        warp = here @ (inverse / det[:, None, None])
    sane = np.asarray(np.isfinite(warp).all((1, 2)))
    return np.where(sane[:, None, None], warp, np.eye(2))


def _slopes(ends: F64, view: View, factor: F64) -> F64:
    """(m, 2, 2) the steps in a picture that lead from points to the ends of their patch, as columns."""
    m = view.pose.world_from_camera
    at = pixels_of((ends - m[:3, 3]) @ m[:3, :3], view.lens) * factor
    return np.stack([at[1] - at[0], at[2] - at[0]], -1)
