"""Cut-outs with cameras -> the visual hull: the largest thing that has all these outlines.

Hollows never show in outlines. Where depth is known, too, the surface lies where the views see it on average (Curless
and Levoy, "A volumetric method for building complex models from range images", SIGGRAPH 1996).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unflat.errors import InputError
from unflat.geometry.carve import carve, samples, weigh_depth
from unflat.geometry.closed_surface import Closed, surface_of
from unflat.geometry.silhouette import signed_distance
from unflat.types.arrays import F32, F64
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.sight import Sight

_COARSE = 64
_MARGIN = 0.04
_SEARCH = 4.0
_SURE, _DEEPEST = 0.2, 0.1
"""Depth of less confidence carves nothing, and none carves deeper than this share of the thing's longest side."""
_REACH = 3.0
"""So many samples before and behind the surface that it sees a view's word counts."""
_FEW = 8
"""Of more views than this no single one is believed."""


def hull(sights: Sequence[Sight], cells: int, depths: Sequence[DepthMap] = ()) -> Closed:
    """Carve the thing out of space.

    Args:
        sights: At least two; mirrored ones count as a camera on the other side.
        cells: Samples along the longest side of the thing.
        depths: For each of the first sights what it sees, in the world's unit, with intrinsics; of any size.

    Returns:
        The closed surface in the world's unit.

    Raises:
        InputError: No place lies inside all outlines: cameras or masks are wrong.
    """
    if len(sights) < 2:
        raise InputError("the hull of outlines needs at least two of them")
    views = [(matrix_of(sight), signed_distance(sight.alpha), touches(sight)) for sight in sights]
    low, high = box_of(sights)
    for along in (_COARSE, cells):
        field, corner, step = samples(low, high, along)
        for matrix, outline, open_border in views:
            carve(field, corner, step, matrix, outline, open_border)
        inside = np.argwhere(field < step)  # with what lies between samples
        if not len(inside):
            raise InputError(
                "no place lies inside the outlines of all pictures",
                hint="Their cameras or their masks are wrong; leave out the pictures that differ.",
            )
        first, last = inside.min(axis=0)[::-1], inside.max(axis=0)[::-1]
        low, high = corner + (first - 1) * step, corner + (last + 1) * step
    if depths:
        limits = _REACH * step, _DEEPEST * float((high - low).max())
        sums = np.zeros((2, *field.shape), np.float32)
        for sight, depth in zip(sights, depths, strict=False):
            weigh_depth(sums, field, corner, step, _matrix(depth.intrinsics, sight), _believed(depth), limits)
        known = sums[1] > (len(depths) > _FEW)
        field = np.where(known, np.maximum(field, sums[0] / np.maximum(sums[1], 1)), field)
    closed = surface_of(field)
    return Closed(closed.vertices * step + corner, closed.faces)


def matrix_of(sight: Sight) -> F64:
    """(3, 4) pixel_from_world, whose third row gives the depth."""
    return _matrix(sight.camera.intrinsics, sight)


def _matrix(lens: Intrinsics | None, sight: Sight) -> F64:
    camera_from_world = np.linalg.inv(sight.camera.pose.world_from_camera)
    if sight.mirror is not None:
        camera_from_world = camera_from_world @ sight.mirror
    return (lens or sight.camera.intrinsics).matrix @ camera_from_world[:3]


def _believed(depth: DepthMap) -> F32:
    """(h, w) depth without lonely pixels; 0 where it is not known well enough."""
    import cv2

    sure = np.asarray(depth.valid) & np.isfinite(depth.z)
    if depth.confidence is not None:
        sure &= np.asarray(depth.confidence) > _SURE
    known = np.where(sure, depth.z, np.float32(0)).astype(np.float32)
    calm = np.asarray(cv2.medianBlur(known, 5), np.float32)
    return np.where(sure & (calm > 0), calm, np.float32(0))


def touches(sight: Sight) -> bool:
    """Whether the object goes on beyond the border of its picture."""
    a = sight.alpha >= 128
    return bool(a[0].any() or a[-1].any() or a[:, 0].any() or a[:, -1].any())


def box_of(sights: Sequence[Sight]) -> tuple[F64, F64]:
    """A cube around the place that all cameras look at: where the rays through the middles of the outlines meet."""
    total, sums, reach = np.zeros((3, 3)), np.zeros(3), []
    for sight in sights:
        alpha: F32 = (sight.alpha >= 128).astype(np.float32)
        rows, columns = np.nonzero(alpha)
        if not len(rows):
            raise InputError(f"{sight.image.source.name} is transparent everywhere")
        lens, world = sight.camera.intrinsics, sight.camera.pose.world_from_camera
        if sight.mirror is not None:
            world = np.linalg.inv(sight.mirror) @ world
        x, y = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
        ray = world[:3, :3] @ np.array([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, 1.0])
        across = np.eye(3) - np.outer(ray, ray) / (ray @ ray)
        total += across
        sums += across @ world[:3, 3]
        reach.append((world[:3, 3], max(np.ptp(rows), np.ptp(columns)) / lens.fx))
    middle = np.linalg.solve(total + 1e-9 * np.eye(3), sums)
    half = max(angle * float(np.linalg.norm(middle - eye)) for eye, angle in reach) * (0.5 + _MARGIN)
    # The pictures may not look at the thing's middle, and a thing is deeper than it is wide where none looks along it.
    return middle - 0.5 * _SEARCH * half, middle + 0.5 * _SEARCH * half
