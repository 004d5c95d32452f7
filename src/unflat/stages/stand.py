"""A closed thing in free units -> upright on the floor, the middle of its base at the origin, in metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed, cut_flat
from unflat.types.arrays import F64
from unflat.types.scale import Scale
from unflat.types.views import Similarity

ASSUMED_M = 0.3
"""The longest side of a thing whose size nothing tells."""
_ASSUMED_FACTOR = 6.3
_MEASURED = 0.01
"""Relative error of a length that the user measured on the thing itself."""
_LEAST_EDGE, _STEEPEST, _TALLEST = 0.3, 0.6, 1.1
"""A thing rests on an edge of at least this share of its depth; product pictures look down by up to 31 degrees; and the
depth of what is taller than it is wide is not known well enough to tell."""
_FLAT = 0.006
"""This share of the height is cut off at the bottom, so that the thing stands on a plane and not on a point."""


@dataclass(frozen=True, slots=True)
class StandOptions:
    """How large the thing is."""

    height_mm: float | None = None
    """True height of the object in millimetres."""
    width_mm: float | None = None
    """True width of the object, from its left to its right as the first picture sees it, in millimetres."""
    depth_mm: float | None = None
    """True depth of the object, from its front to its back, in millimetres."""

    def __post_init__(self) -> None:
        given = [v for v in (self.height_mm, self.width_mm, self.depth_mm) if v is not None]
        if any(not 0.1 <= v <= 1e6 for v in given):
            raise InputError("a side of an object is between 0.1 mm and a kilometre")


class Known(NamedTuple):
    """What is known of a thing's size before its box is measured: metres per unit, and how well they are known."""

    metres_per_unit: float
    scale: Scale


def size_of(extent: F64, options: StandOptions, known: Known | None) -> tuple[float, Scale]:
    """Metres per unit of the thing, and how well they are known.

    Args:
        extent: (3,) width, height and depth of its box in its units.
        options: What the user measured; of several sides the mean counts, weighed by their length.
        known: What a length in a picture or a scan tells; what the user measured on the thing counts more.
    """
    told = np.array([np.nan if v is None else v for v in (options.width_mm, options.height_mm, options.depth_mm)])
    given = np.isfinite(told)
    if given.any():
        metres = told[given] / 1000
        factor = float((metres * extent[given]).sum() / (extent[given] ** 2).sum())
        off = float(np.max(np.abs(np.log(metres / (factor * extent[given])))))
        names = [name for name, known in zip(("width", "height", "depth"), given, strict=True) if known]
        spread = float(np.exp(max(off, _MEASURED)))
        return factor, Scale("known-length", 1 / spread, spread, 0.9, f"the {' and '.join(names)} that was measured")
    if known is not None:
        return known
    detail = f"nothing told the size: the longest side is taken to be {ASSUMED_M:g} m"
    return ASSUMED_M / float(extent.max()), Scale("assumed", 1 / _ASSUMED_FACTOR, _ASSUMED_FACTOR, 0.9, detail)


def pitch_of_rest(closed: Closed) -> float:
    """By how much an eye that sees a thing looks down on it, as far as the way that it rests tells.

    Seen from the side, a thing rests on that edge of its hull above which its middle lies; the eye that sees the edge
    rise towards the back looks down by as much. Only a thing that leans to neither side is asked about: no roll.

    Args:
        closed: As the eye sees it: y down, z away.

    Returns:
        Radians; 0 where the thing is too tall, or the edge too short or too steep to tell.
    """
    import cv2

    extent = np.ptp(closed.vertices, axis=0)
    if extent[1] > _TALLEST * extent[0]:
        return 0.0
    side = closed.vertices[:, [2, 1]].astype(np.float32)
    hull = np.asarray(cv2.convexHull(side), np.float64).reshape(-1, 2)
    middle, reach = side.mean(axis=0), float(np.ptp(side[:, 0]))
    for one, other in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        near, far = (one, other) if one[0] < other[0] else (other, one)
        below = (near[1] + far[1]) / 2 > middle[1] and near[0] < middle[0] < far[0]
        run, rise = far[0] - near[0], near[1] - far[1]
        if below and run > _LEAST_EDGE * reach and 0 < rise < _STEEPEST * run:
            return float(np.arctan2(rise, run))
    return 0.0


class Standing(NamedTuple):
    """A thing on the floor.

    Attributes:
        closed: In metres: the lowest points lie at y = 0 (up is −y), the middle of the box at x = z = 0.
        metres_from_units: How it came there.
        scale: How well its size is known.
    """

    closed: Closed
    metres_from_units: Similarity
    scale: Scale


def stand(closed: Closed, options: StandOptions, known: Known | None = None) -> Standing:
    """Put a thing on the floor, with a base that is cut flat.

    Args:
        closed: With y pointing down along gravity and the front towards smaller z.
        options: How large it is.
        known: What tells its size beside the options.
    """
    low, high = closed.vertices.min(axis=0), closed.vertices.max(axis=0)
    closed = cut_flat(closed, float(high[1] - _FLAT * (high[1] - low[1])))
    low, high = closed.vertices.min(axis=0), closed.vertices.max(axis=0)
    factor, scale = size_of(high - low, options, known)
    base = np.array([(low[0] + high[0]) / 2, high[1], (low[2] + high[2]) / 2])
    move = Similarity(factor, np.eye(3), -factor * base)
    placed = move.points(closed.vertices)
    placed[placed[:, 1] > -1e-6 * factor * float(high[1] - low[1]), 1] = 0.0
    return Standing(Closed(placed, closed.faces), move, scale)
