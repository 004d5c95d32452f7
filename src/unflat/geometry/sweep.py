"""Planes swept through space: how well the pictures agree at every depth, and the smoothest surface through that.

Plane sweep after Collins ("A space-sweep approach to true multi-image matching", CVPR 1996), compared by normalised
cross correlation; a surface through the volume of costs by semi-global matching (Hirschmüller, PAMI 2008). Level
planes, floors and ceilings, are swept up and down beside those that face the camera (Gallup et al., "Real-time
plane-sweeping stereo with multiple sweeping directions", CVPR 2007).
"""

# pyright: standard

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.geometry.rig import Rig
from unflat.types.arrays import F32, F64, U8

_STEP_COST, _JUMP_COST = 6, 60
"""What a neighbour one plane off costs, and one any farther off (a match costs 0 to 127)."""
_BEST = 2
"""So many sources that match best count: others may not show the place."""
_LEAST_PLANES, _MOST_PLANES = 24, 128
_LEVELS = 48
"""So many heights are looked at above and below the camera."""
_HORIZON = 0.05
"""Tangent of the angle off the horizon within which nothing level is looked for."""
_LEVEL_REACH = 4
"""The window of level planes goes so many pixels to each side."""
_BOTH = 6
"""No more sources than this are swept."""


def planes_between(rig: Rig, limits: tuple[float, float]) -> F32:
    """Inverse depths, evenly spaced, such that a match moves by about a pixel from one to the next."""
    pixels = (limits[1] - limits[0]) * rig.pixels_per_inverse
    count = int(np.clip(np.ceil(pixels) + 1, _LEAST_PLANES, _MOST_PLANES))
    return np.linspace(limits[0], limits[1], count, dtype=np.float32)


def cost_volume(rig: Rig, planes: F32, reach: int = 3) -> U8:
    """How badly the sources agree with the reference on planes that face it.

    Args:
        rig: The pictures.
        planes: (d,) inverse depths, or (d, 3) of planes that are ``p x + q y + r`` at a pixel.
        reach: The window goes so many pixels to each side.

    Returns:
        (h, w, d) uint8, 0 for a perfect match of the two best sources, 64 for none at all, 127 at most.
    """
    h, w = rig.grey.shape
    volume = np.empty((h, w, len(planes)), np.uint8)
    side = (2 * reach + 1, 2 * reach + 1)
    mean, spread = moments(rig.grey, side, rig.noise)
    half = min(_BEST, len(rig.ways))

    def work(first: int, last: int) -> None:
        costs = np.empty((len(rig.ways), h, w), np.float32)
        for k in range(first, last):
            plane = np.array([0, 0, planes[k]]) if planes.ndim == 1 else planes[k]
            for s in range(len(rig.ways)):
                costs[s] = 1 - _correlation(rig, s, plane, side, mean, spread)
            costs.partition(half - 1, axis=0)
            volume[..., k] = np.clip(costs[:half].mean(0) * 64, 0, 127)

    in_bands(work, len(planes), 4)
    return volume


def moments(picture: F32, side: tuple[int, int], noise: float) -> tuple[F32, F32]:
    """Mean and variance of the window of every pixel, the noise's added."""
    mean = np.asarray(cv2.boxFilter(picture, -1, side), np.float32)
    square = np.asarray(cv2.boxFilter(picture * picture, -1, side), np.float32)
    return mean, np.maximum(square - mean * mean, np.float32(0)) + np.float32(noise**2)


def _correlation(
    rig: Rig, s: int, plane: NDArray[np.floating[Any]], side: tuple[int, int], mean: F32, spread: F32
) -> F32:
    """Normalised correlation with one source on one plane; -1 where the source does not show it."""
    h, w = rig.grey.shape
    way = rig.ways[s].astype(np.float64)
    matrix = way[:9].reshape(3, 3).copy()
    matrix += np.outer(way[9:12], plane)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ matrix @ half
    picture = rig.sources[s, : int(way[13]), : int(way[12])]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(picture, matrix, (w, h), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=-1e4)
    seen_mean, seen_spread = moments(np.asarray(seen, np.float32), side, rig.noise)
    both = np.asarray(cv2.boxFilter(seen * rig.grey, -1, side)) - seen_mean * mean
    return np.where(seen_mean < 0, np.float32(-1), both / np.sqrt(spread * seen_spread))


@inner
def _carry(costs, total, at, came, jump):
    """Carry one path on to a pixel, and add what it costs there.

    A path is (d + 3): a wall, the costs, a wall, and the least of the costs.
    """
    depth = len(costs)
    least = came[depth + 2]
    found = np.int32(1 << 20)
    for d in range(depth):
        step = min(came[d], came[d + 2]) + _STEP_COST
        here = min(came[d + 1], step, least + jump) - least + np.int32(costs[d])
        at[d + 1] = here
        total[d] += np.uint16(here)
        found = min(found, here)
    at[depth + 2] = found


@kernel
def _paths(volume, grey, total, back):
    """Add the costs of the four paths that come from the left and above (``back``: from the right and below)."""
    h, w, depth = volume.shape
    wall = np.int32(1 << 20)
    rows = np.zeros((2, 3, w + 2, depth + 3), np.int32)
    rows[..., 0], rows[..., depth + 1] = wall, wall
    side = np.zeros((2, depth + 3), np.int32)
    side[:, 0], side[:, depth + 1] = wall, wall
    for j in range(h):
        y = h - 1 - j if back else j
        now, before = rows[j & 1], rows[(j & 1) ^ 1]
        side[:, 1 : depth + 1], side[:, depth + 2] = 0, 0
        for i in range(w):
            x = w - 1 - i if back else i
            u, v = x + (1 if back else -1), y + (1 if back else -1)
            jump = _JUMP_COST
            if 0 <= u < w:
                jump = np.int32(max(_JUMP_COST / (1 + abs(grey[y, x] - grey[y, u]) / 8), 2 * _STEP_COST))
            _carry(volume[y, x], total[y, x], side[(i + 1) & 1], side[i & 1], jump)
            if 0 <= v < h:
                jump = np.int32(max(_JUMP_COST / (1 + abs(grey[y, x] - grey[v, x]) / 8), 2 * _STEP_COST))
            for way in range(3):
                _carry(volume[y, x], total[y, x], now[way, i + 1], before[way, i + way], jump)


def smoothest(volume: U8, grey: F32) -> NDArray[np.uint16]:
    """The volume of costs with what paths from eight sides say; (h, w, d) uint16, small is good."""
    totals = [np.zeros(volume.shape, np.uint16) for _ in range(2)]

    def work(first: int, last: int) -> None:
        for back in range(first, last):
            _paths(volume, grey, totals[back], bool(back))

    in_bands(work, 2, 1)
    return totals[0] + totals[1]


def lowest(costs: NDArray[np.uint16] | U8, planes: F32) -> F32:
    """(h, w) float32 inverse depth at the least cost, between the planes by a parabola."""
    best = costs.argmin(axis=2)
    inner_best = np.clip(best, 1, len(planes) - 2)
    around = [np.take_along_axis(costs, (inner_best + k)[..., None], 2)[..., 0].astype(np.float32) for k in (-1, 0, 1)]
    bend = around[0] - 2 * around[1] + around[2]
    shift = np.where(bend > 0, 0.5 * (around[0] - around[2]) / np.maximum(bend, 1e-6), 0)
    at = np.where(best == inner_best, best + np.clip(shift, -0.5, 0.5), best)
    return (planes[0] + at * (planes[-1] - planes[0]) / (len(planes) - 1)).astype(np.float32)


def swept(rig: Rig, limits: tuple[float, float], *, smooth: bool = True) -> F32:
    """Inverse depth by a plane sweep.

    Args:
        rig: The pictures.
        limits: Least and largest inverse depth.
        smooth: The smoothest surface through the costs; False: the best plane of each pixel by itself.

    Returns:
        (h, w) float32 inverse depth; 0 where none is wanted.
    """
    planes = planes_between(rig, limits)
    volume = cost_volume(rig, planes)
    found = lowest(smoothest(volume, rig.grey) if smooth else volume, planes)
    return np.where(rig.wanted, found, np.float32(0))


def _rise(rig: Rig, slope: F64) -> F64:
    """(h, w) how much lower than the eye a ray gets where z is 1, from its change along x and y and its start."""
    h, w = rig.grey.shape
    return slope[0] * (np.arange(w) + 0.5) + slope[1] * (np.arange(h)[:, None] + 0.5) + slope[2]


def _level_volume(rig: Rig, slope: F64, heights: F32, limits: tuple[float, float]) -> U8:
    """The volume of costs of level planes, (h, w, d): of floors below the horizon, of ceilings above it.

    Args:
        rig: The pictures.
        slope: See :func:`_rise`.
        heights: (d,) one over how far below or above the eye.
        limits: Least and largest inverse depth.
    """
    rise = _rise(rig, slope)
    volume = np.full((*rise.shape, len(heights)), 127, np.uint8)
    for sign in (1.0, -1.0):
        there = np.flatnonzero((sign * rise > _HORIZON).any(1))
        if not len(there):
            continue
        rows = slice(int(there[0]), int(there[-1]) + 1)
        ways = rig.ways.copy()
        ways[:, [2, 5, 8]] += ways[:, [1, 4, 7]] * np.float32(rows.start)  # pixels are counted from the first row
        part = replace(rig, grey=np.ascontiguousarray(rig.grey[rows]), ways=ways)
        plane = slope + np.array([0, 0, slope[1] * rows.start])
        costs = cost_volume(part, (sign * heights[:, None] * plane).astype(np.float32), _LEVEL_REACH)
        np.copyto(volume[rows], costs, where=(sign * rise[rows] > _HORIZON)[..., None])
    volume[np.abs(rise)[..., None] * heights < limits[0]] = 127
    return volume


def swept_planes(rig: Rig, limits: tuple[float, float]) -> tuple[F32, F32]:
    """Inverse depth by sweeping planes that face the camera and, where down is known, level ones.

    Args:
        rig: The pictures.
        limits: Least and largest inverse depth.

    Returns:
        (h, w) float32 inverse depth, 0 where none is wanted; and (2, h, w) its gradient, NaN where a plane that faces
        the camera fits best.
    """
    rig = replace(rig, sources=rig.sources[:_BOTH], ways=rig.ways[:_BOTH])
    planes = planes_between(rig, limits)
    costs = smoothest(cost_volume(rig, planes), rig.grey)
    inverse, gradient = lowest(costs, planes), np.full((2, *rig.grey.shape), np.nan, np.float32)
    if rig.down is not None:
        slope = rig.down @ np.linalg.inv(rig.camera.matrix)
        rise = _rise(rig, slope)
        heights = np.linspace(0, limits[1] / float(np.abs(rise).max()), _LEVELS + 1, dtype=np.float32)[1:]
        others = smoothest(_level_volume(rig, slope, heights, limits), rig.grey)
        flat = others.min(2) < costs.min(2)
        inverse = np.where(flat, np.abs(rise) * lowest(others, heights), inverse).astype(np.float32)
        share = np.where(flat, inverse / np.where(rise == 0, 1, rise), np.nan)
        gradient = (share * slope[:2, None, None]).astype(np.float32)
    return np.where(rig.wanted, inverse, np.float32(0)), gradient
