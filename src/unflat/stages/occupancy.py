"""Depth of many views -> where a robot can go: free, occupied, and unknown where nobody looked.

Every ray of sight passes voxels and ends in one. A cell of the floor is occupied where rays end between two heights
above it, free where nothing is and either the floor was seen or rays passed at half of these heights; all else is
unknown. What the network filled in ends and passes nothing: it was not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unflat.errors import InputError
from unflat.geometry.projection import rays
from unflat.geometry.see_through import trace
from unflat.types.arrays import F64, Bool
from unflat.types.occupancy import FREE, OCCUPIED, UNKNOWN, Occupancy
from unflat.types.scale import Scale
from unflat.types.views import ViewDepth

_RAYS = 20_000
"""Of each view, at most about so many."""
_SURE = 0.5
"""Depth that is less likely to be right within 1 % is not looked at."""
_LEAST = 2
"""So many rays at least have to end in a voxel for it to hold something."""
_SEEN_THROUGH = 12
"""A voxel that is passed by so many times more rays than end in it holds nothing."""
_FLOOR = 0.1
"""Metres: what ends so near to the floor is the floor."""
_MOST = 60_000_000
"""Voxels."""


@dataclass(frozen=True, slots=True)
class OccupancyOptions:
    """How a map of what is free is made."""

    cell: float = 0.05
    """Side of the cells of an occupancy map, in metres."""
    from_height: float = 0.1
    """Things lower than this above the floor, in metres, leave the cells of an occupancy map free."""
    to_height: float = 1.8
    """Things higher than this above the floor, in metres, leave the cells of an occupancy map free."""
    sight: float = 8.0
    """What is farther than this from a camera, in metres, is left out of an occupancy map."""

    def __post_init__(self) -> None:
        if not 0.005 <= self.cell <= 10:
            raise InputError(f"--cell {self.cell:g} is out of range", hint="Give 0.005 to 10 metres.")
        if not 0 <= self.from_height < self.to_height <= 100:
            raise InputError(
                f"a map cannot be made of heights from {self.from_height:g} to {self.to_height:g} m",
                hint="--from-height is the lower one: a step that is climbed; --to-height how tall what moves is.",
            )
        if self.to_height - self.from_height < self.cell:
            raise InputError(
                f"{self.from_height:g} to {self.to_height:g} m above the floor is less than a cell of {self.cell:g} m",
                hint="Give heights that are further apart, or a smaller --cell.",
            )
        if not 0.1 <= self.sight <= 1000:
            raise InputError(f"--sight {self.sight:g} is out of range", hint="Give 0.1 to 1000 metres.")


def occupancy(frames: Sequence[ViewDepth], options: OccupancyOptions, scale: Scale | None = None) -> Occupancy:
    """See what is free.

    Args:
        frames: Of a level scene, the floor at y = 0, in metres; gone through twice.
        options: How.
        scale: How well the metres are known.

    Raises:
        InputError: Nothing was seen near the cameras, or the place is too large for cells of that size.
    """
    low, high = _extent(frames, options.sight)
    cell = options.cell
    low = np.array([math.floor(low[0] / cell) * cell, -options.to_height, math.floor(low[1] / cell) * cell])
    tall = math.ceil((options.to_height + _FLOOR) / cell - 1e-9)
    shape = (math.ceil((high[0] - low[0]) / cell), tall, math.ceil((high[1] - low[2]) / cell))
    if math.prod(shape) > _MOST:
        raise InputError(
            f"a map of {shape[0] * cell:.0f} × {shape[2] * cell:.0f} m is too large for cells of {cell:g} m",
            hint="Give larger cells (--cell) or look less far (--sight).",
        )
    hits, passes = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    for frame in frames:
        eye, ends, near = _sight_of(frame, options.sight)
        trace(eye, ends, near, low, cell, 1.5 * cell, hits, passes)
    cells = _judged(hits, passes, options)
    return Occupancy(cells.T, cell, float(low[0]), float(low[2]), (options.from_height, options.to_height), scale)


def _judged(hits: np.ndarray, passes: np.ndarray, options: OccupancyOptions) -> np.ndarray:
    """(a, c) int8 of voxels (a, b, c); b goes down from the upper end of the band to below the floor."""
    above = options.to_height - (np.arange(hits.shape[1]) + 0.5) * options.cell
    holds = (hits >= _LEAST) & (hits.astype(np.int64) * _SEEN_THROUGH >= passes)
    band, floor = above > options.from_height, np.abs(above) <= _FLOOR + 0.5 * options.cell
    occupied = holds[:, band].any(1)
    seen = hits[:, floor].sum(1) >= _LEAST
    free = (passes[:, band] > 0).mean(1) >= 0.5
    return np.where(occupied, OCCUPIED, np.where(seen | free, FREE, UNKNOWN)).astype(np.int8)


def _sight_of(frame: ViewDepth, sight: float) -> tuple[F64, F64, Bool]:
    """The eye, where rays end (n, 3), and which of them end at a surface; the others go on beyond ``sight``."""
    depth = frame.depth
    use = depth.surface & np.isfinite(depth.values)
    if depth.confidence is not None:
        use &= depth.confidence >= _SURE
    for guessed in (frame.learned, frame.flat):
        if guessed is not None:
            use &= ~guessed
    step = max(1, round(math.sqrt(use.size / _RAYS)))
    rows, columns = np.nonzero(use[::step, ::step])
    rows, columns = rows * step, columns * step
    assert depth.intrinsics is not None
    ray = rays(np.stack([columns + 0.5, rows + 0.5], -1), depth.intrinsics)
    along = ray * depth.values[rows, columns, None].astype(np.float64)
    far = np.linalg.norm(along, axis=1)
    near = far <= sight
    along *= np.minimum(sight / np.maximum(far, 1e-9), 1.0)[:, None]
    pose = frame.view.pose.world_from_camera
    return pose[:3, 3].copy(), np.ascontiguousarray(along @ pose[:3, :3].T + pose[:3, 3]), near


def _extent(frames: Sequence[ViewDepth], sight: float) -> tuple[F64, F64]:
    """From which to which x and z surfaces were seen and cameras stood; a thousandth of the points is left out."""
    seen: list[F64] = [np.zeros((0, 2))]
    eyes: list[F64] = []
    for frame in frames:
        eye, ends, near = _sight_of(frame, sight)
        seen.append(ends[near][::7, ::2])
        eyes.append(eye[::2])
    points = np.concatenate(seen)
    if not len(points):
        raise InputError(
            "nothing was seen near the cameras, so there is no map",
            hint="Take more pictures, each a small step aside from the last, of things with some pattern.",
        )
    low, high = np.quantile(points, [0.0005, 0.9995], axis=0)
    return np.minimum(low, np.min(eyes, axis=0)) - 0.2, np.maximum(high, np.max(eyes, axis=0)) + 0.2
