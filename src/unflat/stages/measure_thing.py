"""A true length that is marked in the pictures of a thing -> how large the thing is, with an error bar.

The two ends are looked for on the closed surface, where the rays through the marks meet it. Three things may be wrong:
the marks, by a pixel or two; what lies along the line of sight, for a shape that outlines and a network told is less
sure in depth than across; and the lens, which makes what is nearer than the outline look larger than it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed
from unflat.geometry.raster import Canvas, placed
from unflat.stages.marked_length import MarkedLength
from unflat.stages.scale_to_metres import KnownLength
from unflat.stages.stand import Known
from unflat.types.arrays import F64
from unflat.types.scale import Scale
from unflat.types.sight import Sight

_POINTING_PX, _DEVIATIONS, _COVERAGE = 1.0, 1.645, 0.9
_OFF_RIM = 0.02
"""A mark beside the outline by less than this share of the picture's long side is taken to be on it."""
_LENS = 1.2
"""Standard error of how many times nearer than assumed the camera stood, less one: phones stand much nearer."""
_DEEP = (0.35, 0.1)
"""Standard error of what lies along the line of sight, as a share of it: where one side was seen, and of several."""
_SHAPE = (0.02, 0.01)
"""Standard error of any length: a surface that is made up, or made up between outlines, bulges."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """A length in the units of the thing, and its relative standard error."""

    length: float
    error: float


def measure_thing(closed: Closed, sights: Sequence[Sight], known: MarkedLength) -> Known:
    """How large a thing is by a length that is marked in one picture of it, or in two.

    Args:
        closed: The thing.
        sights: Its pictures, in the same frame and unit; the first one is meant by a mark without a name.
        known: The marks, in pixels of the pictures.

    Raises:
        InputError: No picture has that name, a mark is not on the thing, or both ends are one place.
    """
    found = [_measured(closed, sights[_number(name, sights)], mark, len(sights)) for name, mark in known.marks]
    weights = np.array([one.error**-2 for one in found])
    logs = np.log([one.length for one in found])
    middle = float((logs * weights).sum() / weights.sum())
    error = max(float(weights.sum() ** -0.5), float(np.abs(logs - middle).max()))
    half = _DEVIATIONS * error
    where = " and ".join(sights[_number(name, sights)].image.source.name for name, _ in known.marks)
    detail = f"a known length of {known.metres:g} m in {where}"
    scale = Scale("known-length", math.exp(-half), math.exp(half), _COVERAGE, detail)
    return Known(known.metres / math.exp(middle), scale)


def _number(name: str, sights: Sequence[Sight]) -> int:
    """Which picture a mark is in."""
    names = [sight.image.source.name for sight in sights]
    if not name:
        return 0
    for same in (lambda v: v == name, lambda v: PurePath(v).name == name, lambda v: PurePath(v).stem == name):
        fitting = [k for k, given in enumerate(names) if same(given)]
        if len(fitting) == 1:
            return fitting[0]
    raise InputError(f"no picture of the object is called {name}", hint=f"The pictures are {', '.join(names)}.")


def _measured(closed: Closed, sight: Sight, mark: KnownLength, pictures: int) -> _Measured:
    """One length in one picture."""
    lens, pose = sight.camera.intrinsics, sight.camera.pose
    small = replace(sight.camera, intrinsics=lens.resized(lens.size.fitted(1024)))
    canvas = Canvas(*small.intrinsics.size.shape)
    blank = np.zeros((len(closed.vertices), 2), np.float32)
    canvas.draw(placed(closed.vertices.astype(np.float32), closed.faces, blank, small))
    depth = np.asarray(canvas.inverse, np.float64)
    shrunk = small.intrinsics.size.width / lens.size.width
    ends = [_end(depth, np.array(at) * shrunk, sight, at) for at in ((mark.x1, mark.y1), (mark.x2, mark.y2))]
    local = [
        z * np.array([(at[0] / shrunk - lens.cx) / lens.fx, (at[1] / shrunk - lens.cy) / lens.fy, 1.0])
        for at, z in ends
    ]
    along = local[1] - local[0]
    length = float(np.linalg.norm(along))
    pixels = math.hypot(mark.x2 - mark.x1, mark.y2 - mark.y1)
    if length <= 0 or pixels < 2:
        raise InputError("the two points of the length are the same", hint="Mark two points that are further apart.")
    middle = float(((closed.vertices - pose.centre) @ pose.world_from_camera[:3, 2]).mean())
    nearer = abs(1 - (local[0][2] + local[1][2]) / 2 / middle)
    several = min(pictures - 1, 1)
    parts = (
        _SHAPE[several],
        math.sqrt(2) * _POINTING_PX / pixels,
        _DEEP[several] * (along[2] / length) ** 2,
        _LENS * nearer if lens.basis == "assumed" else 0.0,
    )
    return _Measured(length, math.hypot(*parts))


def _end(inverse: F64, at: F64, sight: Sight, told: tuple[float, float]) -> tuple[F64, float]:
    """Where a mark meets the thing: its pixel in the small picture, and how far off.

    Raises:
        InputError: It is beside the thing.
    """
    name, size = sight.image.source.name, sight.image.size
    if not (0 <= told[0] <= size.width and 0 <= told[1] <= size.height):
        raise InputError(f"the point ({told[0]:g}, {told[1]:g}) is outside {name}, which is {size}", hint=_PIXELS)
    rows, columns = np.nonzero(inverse > 0)
    off = np.hypot(columns + 0.5 - at[0], rows + 0.5 - at[1])
    nearest = int(off.argmin()) if len(off) else -1
    if nearest < 0 or off[nearest] > 1 + _OFF_RIM * max(inverse.shape):
        raise InputError(f"the point ({told[0]:g}, {told[1]:g}) of {name} is beside the object", hint=_PIXELS)
    return at, 1 / float(inverse[rows[nearest], columns[nearest]])


_PIXELS = "Mark two points on the object, in pixels of the upright picture: 0 is its left or top edge."
