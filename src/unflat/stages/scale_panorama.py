"""How large is what is around? The first of these tells: a known length, a metric source, the height of the eye.

Panoramas stand level, so the floor's distance below the camera is known up to the one factor; people carry cameras and
set up tripods at about the height of their eyes. Where no floor is seen, the rule for ordinary pictures is taken.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.panorama import panorama_rays
from unflat.stages.recognise_panorama import EYE_HEIGHT_M
from unflat.stages.scale_to_metres import COVERAGE, KnownLength, ScaleOptions, scale_to_metres
from unflat.types.arrays import F32
from unflat.types.cube import Side
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.scale import Scale

FLOOR_DEG = (-75.0, -30.0)
"""Latitudes at which the floor is looked for: below, a tripod or its patch; above, things stand before it."""
_LEAST_FLOOR = 0.05
"""At least this share of the panorama must look at those latitudes."""
_HEIGHT_FACTOR = 2.0
"""The assumed height lies within this factor of the true one, either way (benchmarks/panorama.py)."""
_GIVEN_ERROR = 0.25
"""How far the floor that is seen may be off, nine times in ten, where the eye's height is given."""


def scale_panorama(
    distance: DepthMap, sides: tuple[Side, ...], picture: Image, options: ScaleOptions, eye_height: float | None
) -> tuple[float, Scale]:
    """The factor from the units of a panorama's depth to metres, and how well those are known.

    Args:
        distance: Over the panorama's own pixels.
        sides: The same on the sides of a cube.
        picture: The panorama's picture, whose pixels a known length is given in.
        options: What the user knows.
        eye_height: In metres; None assumes one.

    Raises:
        InputError: A point of the known length is outside of the picture, or there is no surface.
    """
    if options.known_length is not None:
        return _by_length(distance, picture.size, options.known_length)
    if distance.kind is DepthKind.METRIC:
        error = options.metric_error
        return 1.0, Scale("metric-source", 1 / (1 + error), 1 + error, COVERAGE, "the depth came in metres")
    height = floor_below(distance)
    if height is None:
        plain = replace(options, known_length=None, familiar=False)
        side = next(side for side in sides if side.depth.surface.any())
        before = side.depth.surface & np.isfinite(side.depth.z)
        after, scale = scale_to_metres(side.depth, side.picture, plain)
        return float(np.median(after.z[before]) / np.median(side.depth.z[before])), scale
    if eye_height is not None:
        error = 1 + _GIVEN_ERROR
        told = f"the camera is {eye_height:g} m above the floor"
        return eye_height / height, Scale("known-length", 1 / error, error, COVERAGE, told)
    told = f"the camera is assumed {EYE_HEIGHT_M:g} m above the floor; --eye-height tells"
    return EYE_HEIGHT_M / height, Scale("assumed", 1 / _HEIGHT_FACTOR, _HEIGHT_FACTOR, COVERAGE, told)


def scaled(depth: DepthMap, factor: float, scale: Scale) -> DepthMap:
    """A depth in metres, of kind METRIC if anything told the size."""
    kind = DepthKind.SCALE if scale.assumed else DepthKind.METRIC
    return replace(depth, values=depth.values * np.float32(factor), kind=kind)


def floor_below(distance: DepthMap) -> float | None:
    """How far below the camera the floor is: the median height of what is seen at FLOOR_DEG; None if too little is."""
    assert distance.panorama is not None
    down = panorama_rays(distance.panorama)[..., 1]
    flat = np.sqrt(np.maximum(1 - down**2, 0)) if distance.panorama.projection == "equirectangular" else 1 - down**2
    low, high = (math.sin(-math.radians(angle)) for angle in FLOOR_DEG)
    use = distance.surface & np.isfinite(distance.values) & (down >= high) & (down <= low)
    if use.mean() < _LEAST_FLOOR:
        return None
    return _weighted_median((distance.values * down)[use], flat[use])


def _weighted_median(values: F32, weights: F32) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def _by_length(distance: DepthMap, size: Size, length: KnownLength) -> tuple[float, Scale]:
    """The factor that gives two points of the picture their known distance."""
    assert distance.panorama is not None
    rays = panorama_rays(distance.panorama)
    ends = []
    for x, y in ((length.x1, length.y1), (length.x2, length.y2)):
        column = math.floor(x * distance.size.width / size.width)
        row = math.floor(y * distance.size.height / size.height)
        if not (0 <= column < distance.size.width and 0 <= row < distance.size.height):
            raise InputError(f"the point {x:g}, {y:g} is outside of the picture ({size})")
        if not distance.surface[row, column]:
            raise InputError(f"there is no surface at {x:g}, {y:g}", hint="Choose points on things, not on the sky.")
        ends.append(rays[row, column].astype(np.float64) * float(distance.values[row, column]))
    seen = float(np.linalg.norm(ends[0] - ends[1]))
    if not seen > 0:
        raise InputError("the two points of the known length are the same place", hint="Choose points farther apart.")
    pixel = max(float(np.linalg.norm(end)) for end in ends) / distance.panorama.pixels_per_radian
    error = 1 + 2 * pixel / seen
    return length.metres / seen, Scale("known-length", 1 / error, error, COVERAGE, f"{length.metres:g} m were given")
