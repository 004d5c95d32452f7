"""Depth of many views as the fusion takes it, and a first look over all of them: how fine, how large, how noisy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.sightings import Sighting, camera_numbers, see
from unflat.types.arrays import F32, U8
from unflat.types.image import Size
from unflat.types.views import ViewDepth

LEARNED = 0.1
"""What a pixel of learned depth counts, against a triangulated one that is believed as much."""
SKY = 0.1
"""What a pixel of sky counts against what stands in its way: a network said so."""
THUMB = 160
"""Longest side, in pixels, of the depth that is kept of every frame."""
COMPARED = 3
"""Every frame is compared with so many before it."""
SAME = 0.1
"""Depths that differ by a larger share are of different surfaces."""
LEAST_COMPARED = 200
"""Fewer pixels than this say nothing about how well two frames agree."""
UNKNOWN_SPREAD = 0.5
"""Standard deviation of depth, in pixels' widths, where frames cannot be compared."""


class Thumb(NamedTuple):
    """A frame's depth in few pixels.

    Attributes:
        seen: Without slopes and colours.
        focal: Of the whole frame, in its pixels.
    """

    seen: Sighting
    focal: float

    @property
    def footprints(self) -> F32:
        """(n,) what each pixel of the whole frame covers at its depth, for the pixels that are kept."""
        inverse = self.seen.planes[..., 0][self.seen.weights != 0]
        return np.float32(1 / self.focal) / inverse[inverse > 0]


class Survey(NamedTuple):
    """What a first look over the frames tells.

    Attributes:
        typical: Their middle depth.
        footprint: What a pixel covers at its depth, in the middle.
        spread: Standard deviation of a depth over that depth, as neighbouring frames disagree.
        thumbs: Every frame's depth in few pixels.
    """

    typical: float
    footprint: float
    spread: float
    thumbs: list[Thumb]


def look_over(frames: Sequence[ViewDepth]) -> Survey:
    """Go through all frames once.

    Raises:
        InputError: No frame has any depth.
    """
    thumbs: list[Thumb] = []
    apart: list[float] = []
    for frame in frames:
        seen = _measured(sighting_of(frame, 1.0, coloured=False), frame)
        apart += [gap for other in thumbs[-COMPARED:] if (gap := _disagreement(other.seen, seen)) is not None]
        thumbs.append(_thumb(seen))
    footprints = [thumb.footprints for thumb in thumbs]
    if not any(map(len, footprints)):
        raise InputError("no view has any depth", hint="Take more pictures that overlap, of a textured place.")
    depths = [thumb.footprints * np.float32(thumb.focal) for thumb in thumbs]
    typical, footprint = (float(np.median(np.concatenate(values))) for values in (depths, footprints))
    spread = 1.48 * float(np.median(apart)) / np.sqrt(2) if apart else UNKNOWN_SPREAD * footprint / typical
    return Survey(typical, footprint, float(spread), thumbs)


def _measured(seen: Sighting, frame: ViewDepth) -> Sighting:
    """With the weights of planes that were put into holes negative, as those of learned depth are: neither measures."""
    if frame.flat is None:
        return seen
    return seen._replace(weights=np.where(frame.flat, -np.abs(seen.weights), seen.weights))


def sighting_of(frame: ViewDepth, typical: float, farthest: float = np.inf, *, coloured: bool = True) -> Sighting:
    """What a frame says, ready to be fused.

    Args:
        frame: The depth of a view.
        typical: The depth at which nearness counts 1.
        farthest: Pixels that cover more than this are left out.
        coloured: Whether the picture is read; else all is black.
    """
    depth, still = frame.depth, frame.view.still
    lens = depth.intrinsics
    assert lens is not None
    good = depth.seen & (depth.z > 0) & (depth.z < farthest * lens.fx)
    if still.mask is not None:
        good &= _resized(still.mask().astype(np.uint8), depth.size) > 0
    inverse = np.zeros(depth.size.shape, np.float32)
    np.divide(np.float32(1), depth.z, out=inverse, where=good)
    counts = np.ones(depth.size.shape, np.float32) if depth.confidence is None else depth.confidence
    if frame.learned is not None:
        counts = np.where(frame.learned, np.float32(LEARNED) * counts, counts)
    planes, weights = see(inverse, counts, frame.learned, lens, frame.normals, typical)
    if depth.sky is not None:
        weights[np.asarray(depth.sky)] = np.float32(SKY)
    colors = _resized(still.read(), depth.size) if coloured else np.zeros((0, 0, 3), np.uint8)
    return Sighting(planes, weights, colors, camera_numbers(lens, frame.view.pose.world_from_camera))


def _resized(pixels: U8, size: Size) -> U8:
    """A picture at the size of the depth; means where it becomes smaller."""
    if pixels.shape[:2] == size.shape:
        return pixels
    smaller = pixels.shape[0] > size.height
    way = (
        cv2.INTER_AREA if smaller and pixels.ndim == 3 else cv2.INTER_LINEAR if pixels.ndim == 3 else cv2.INTER_NEAREST
    )
    return np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=way), np.uint8)


def _thumb(seen: Sighting) -> Thumb:
    """Every so many-th pixel of a sighting, and a camera whose pixels have their centres there."""
    h, w = seen.weights.shape
    step = max(1, max(h, w) // THUMB)
    camera = seen.camera.copy()
    camera[:2] /= step
    camera[2:4] = 0.5 + (camera[2:4] - 0.5) / step
    small = Sighting(seen.planes[::step, ::step, :1].copy(), seen.weights[::step, ::step].copy(), seen.colors, camera)
    return Thumb(small, float(seen.camera[0]))


def _disagreement(one: Sighting, other: Sighting) -> float | None:
    """The middle share by which depths of one view differ from those of another; None where few can be compared."""
    rows, columns = np.nonzero((one.weights > 0) & (one.planes[..., 0] > 0))
    z = 1 / one.planes[rows, columns, 0].astype(np.float64)
    lens, pose = one.camera[:4], one.camera[4:].reshape(3, 4)
    x, y = (columns + 0.5 - lens[2]) / lens[0] * z, (rows + 0.5 - lens[3]) / lens[1] * z
    there = other.camera[4:].reshape(3, 4)
    world = (np.stack([x, y, z], axis=1) - pose[:, 3]) @ pose[:, :3]
    p, q, r = (world @ there[:, :3].T + there[:, 3]).T
    ahead = r > 0
    p, q, r = p[ahead] / r[ahead], q[ahead] / r[ahead], r[ahead]
    u, v = other.camera[0] * p + other.camera[2], other.camera[1] * q + other.camera[3]
    h, w = other.weights.shape
    inside = (u >= 0) & (v >= 0) & (u < w) & (v < h)
    u, v, r = u[inside], v[inside], r[inside]
    column, row = u.astype(np.int64), v.astype(np.int64)
    plane = other.planes[row, column]
    inverse = plane[:, 0] + plane[:, 1] * (u - column - 0.5) + plane[:, 2] * (v - row - 0.5)
    gap = np.abs(1 - r * inverse)[(other.weights[row, column] > 0) & (plane[:, 0] > 0)]
    gap = gap[gap < SAME]
    return float(np.median(gap)) if len(gap) >= LEAST_COMPARED else None
