"""The six sides of a cube around the eye, each a little larger than its own quarter of the way around.

A side is a window (see :mod:`unflat.geometry.panorama`); what it holds beyond its 90 degrees it shares with its
neighbours, and there they are faded into each other. The share of each depends on the direction alone, so all sides
hold parts of one function over the sphere: where two meet there is no seam, and there are no poles.
"""

from __future__ import annotations

import cv2
import numpy as np

from unflat.geometry.panorama import Window, in_window, turn_deg, window_rays
from unflat.types.arrays import F32, Bool
from unflat.types.camera import Intrinsics
from unflat.types.cube import Side
from unflat.types.image import Size

SIDES: tuple[tuple[str, float, float], ...] = (
    ("front", 0.0, 0.0),
    ("right", 90.0, 0.0),
    ("back", 180.0, 0.0),
    ("left", -90.0, 0.0),
    ("up", 0.0, 90.0),
    ("down", 0.0, -90.0),
)
"""Name, longitude and latitude of what each looks at."""
MARGIN = 0.16
"""How far each goes on beyond its own 90 degrees, as a share of its width."""
_FADED = 0.6
"""The share of the margin within which neighbours are faded into each other."""
_ALIKE = 0.05
"""Neighbours whose distances differ by more than this are not mixed: one of them is taken."""


def cube(inner: int) -> tuple[Window, ...]:
    """Six windows of ``inner`` pixels for 90 degrees, and MARGIN of them more on each border."""
    outer = inner + 2 * max(1, round(MARGIN * inner))
    camera = Intrinsics(inner / 2, inner / 2, outer / 2, outer / 2, Size(outer, outer))
    return tuple(Window(name, camera, turn_deg(longitude, latitude)) for name, longitude, latitude in SIDES)


def window_of(side: Side) -> Window:
    """What a side looks through."""
    return Window(side.name, side.camera, side.scene_from_side)


def shares(window: Window, rays: F32) -> F32:
    """How much of each direction belongs to a side: 1 well inside its 90 degrees, 0 well outside, 1/2 on the border.

    Args:
        window: A side of :func:`cube`.
        rays: (…, 3) in the scene.
    """
    x, y, along = in_window(window, rays)
    camera = window.camera
    with np.errstate(invalid="ignore"):
        out = np.maximum(abs(x - np.float32(camera.cx)), abs(y - np.float32(camera.cy))) / np.float32(camera.fx)
    width = np.float32(_FADED * (camera.size.width / 2 / camera.fx - 1))
    return np.where(along > 0, np.clip((1 + width - out) / (2 * width), 0, 1), 0).astype(np.float32)


def read_side(window: Window, plane: F32, rays: F32, *, nearest: bool = False) -> F32:
    """What a plane over a side holds in directions of the scene, (m, n, 3); its border beyond it."""
    x, y, along = in_window(window, rays)
    ahead = along > 0
    x, y = (np.where(ahead, place - np.float32(0.5), np.float32(0)).astype(np.float32) for place in (x, y))
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(plane, x, y, how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def read_cube(windows: tuple[Window, ...], logs: list[F32], known: list[Bool], rays: F32) -> tuple[F32, Bool]:
    """The one function over the sphere that the sides hold parts of.

    Args:
        windows: The sides.
        logs: Logarithm of distance over each, (h, w).
        known: (h, w), where it is known.
        rays: (m, n, 3) directions in the scene.

    Returns:
        (m, n) its value in each direction, and where it is known. Beside outlines, where pixels would be mixed of two
        surfaces, the nearest pixel of the side with the largest share is taken.
    """
    shape = rays.shape[:2]
    best, total, mean = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    low, high = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
    chosen, whole = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    for window, log, some in zip(windows, logs, known, strict=True):
        share = shares(window, rays)
        if not share.any():
            continue
        exact = read_side(window, log, rays, nearest=True)
        is_known = read_side(window, some.astype(np.float32), rays, nearest=True) > 0.5
        smooth = read_side(window, log, rays)
        mixed = read_side(window, some.astype(np.float32), rays) < 0.999
        smooth = np.where(mixed | (abs(smooth - exact) > _ALIKE / 2), exact, smooth)
        larger = share > best
        best = np.where(larger, share, best)
        chosen, whole = np.where(larger, smooth, chosen), np.where(larger, is_known, whole)
        counts = is_known & (share > 0)
        low, high = np.where(counts, np.minimum(low, smooth), low), np.where(counts, np.maximum(high, smooth), high)
        total += np.where(counts, share, 0)
        mean += np.where(counts, share * smooth, 0)
    agree = (total > 0) & (high - low < _ALIKE)
    return np.where(agree, mean / np.maximum(total, 1e-9), chosen).astype(np.float32), whole


def largest_share(windows: tuple[Window, ...], planes: list[F32], rays: F32) -> F32:
    """The value of each direction in the side that has the largest share of it, nearest pixel."""
    best, chosen = np.zeros(rays.shape[:2], np.float32), np.zeros(rays.shape[:2], np.float32)
    for window, plane in zip(windows, planes, strict=True):
        share = shares(window, rays)
        chosen = np.where(share > best, read_side(window, plane, rays, nearest=True), chosen)
        best = np.maximum(best, share)
    return chosen


def inner_pixels(window: Window) -> Bool:
    """(h, w), the pixels within a side's own 90 degrees."""
    camera = window.camera
    x = abs(np.arange(camera.size.width) + 0.5 - camera.cx) <= camera.fx
    y = abs(np.arange(camera.size.height) + 0.5 - camera.cy) <= camera.fy
    return y[:, None] & x[None]


def norms(window: Window) -> F32:
    """(h, w) distance along each pixel's ray over z along the window's axis."""
    return np.linalg.norm(window_rays(window), axis=2).astype(np.float32)
