"""Views through bent lenses -> the same views through pinholes, at a size that is worked on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.distort import pixels_of, rays_through
from unflat.geometry.projection import pixel_centres, project, rays
from unflat.types.arrays import F64, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.views import Lens, Reconstruction, SparsePoints, Still, View

Places = Callable[[Intrinsics, Lens], NDArray[np.float32]]
_ALONG = 65
"""So many places of each border are looked at."""
_SAFE = 0.98
"""Rays are used up to this share of the angle's tangent at which the lens folds back."""
_HELD = 4
"""The ways of so many lenses are held, 8 bytes a pixel each; where every picture has a lens of its own, the rest is
worked out anew when a picture is read."""
_LEAST = 0.2
"""A pinhole that keeps less than this share of the width or height is not worth having: the lens is wrong."""


def undistort_views(reconstruction: Reconstruction, longest: int) -> Reconstruction:
    """Give every view a pinhole lens and pictures that fit it.

    The pinhole looks the same way and shows the largest part of the picture that has no empty border. Its pixels are
    square where the lens's are, and as fine as those in the middle of the still, but for what ``longest`` asks.

    Args:
        reconstruction: As it was tracked.
        longest: Longest side of the pictures, in pixels; they are never enlarged.

    Returns:
        The same cameras and points; stills read undistorted pictures (masks likewise) and the observations are in
        their pixels. Observations that fall outside are left out. Views that need no change are not changed.

    Raises:
        InputError: ``longest`` is less than 1, or a lens bends so much that hardly anything could be shown.
    """
    if longest < 1:
        raise InputError(f"pictures cannot be {longest} pixels long", hint="Give the longest side in pixels.")

    held = lru_cache(maxsize=_HELD)(_places)

    @cache
    def way_of(lens: Lens) -> _Way:
        return _way(lens, longest, held)

    views: list[View] = []
    points = reconstruction.points
    pixel, kept = points.pixel.copy(), np.ones(len(points.view), bool)
    for number, view in enumerate(reconstruction.views):
        way = way_of(view.lens)
        if way.camera == view.lens.intrinsics and view.lens.pinhole:
            views.append(view)
            continue
        mine = points.view == number
        moved = project(rays_through(pixel[mine], view.lens), way.camera)
        size = way.camera.size
        pixel[mine] = moved
        kept[mine] = ((moved > 0) & (moved < (size.width, size.height))).all(axis=1)
        error = None if view.error_px is None else view.error_px * way.camera.fx / view.lens.intrinsics.fx
        views.append(replace(view, still=_still(view.still, way), lens=Lens(way.camera), error_px=error))
    seen = SparsePoints(points.xyz, points.colors, points.error_px, points.view[kept], points.point[kept], pixel[kept])
    return replace(reconstruction, views=tuple(views), points=seen)


@dataclass(frozen=True, eq=False)
class _Way:
    """From the still of a lens to the picture of its pinhole.

    Attributes:
        lens: Of the still, made smaller.
        camera: The pinhole.
        places: Gives (h, w, 2) float32, where each pixel of the pinhole lies in that still; None: the same everywhere.
    """

    lens: Lens
    camera: Intrinsics
    places: Places | None

    def picture(self, pixels: NDArray[np.uint8], interpolation: int) -> NDArray[np.uint8]:
        """The picture of the pinhole."""
        size = self.lens.intrinsics.size
        if pixels.shape[:2] != size.shape:
            pixels = np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)
        if self.places is None:
            return pixels
        places = self.places(self.camera, self.lens)
        made = cv2.remap(pixels, places, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # pyright: ignore
        return np.asarray(made, np.uint8)


def _places(camera: Intrinsics, lens: Lens) -> NDArray[np.float32]:
    """Where each pixel of a pinhole lies in the still of a lens."""
    x, y = np.meshgrid(*pixel_centres(camera.size))
    return (pixels_of(rays(np.stack([x, y], -1), camera), lens) - 0.5).astype(np.float32)


def _way(lens: Lens, longest: int, places: Places) -> _Way:
    """The pinhole for a lens, and the way to it."""
    if lens.pinhole:
        size = lens.intrinsics.size.fitted(longest)
        smaller = lens if size == lens.intrinsics.size else lens.resized(size)
        return _Way(smaller, smaller.intrinsics, None)
    left, top, right, bottom = _window(lens)
    inside = lens.intrinsics
    full = max((right - left) * inside.fx, (bottom - top) * inside.fy)
    factor = min(1.0, longest / full)
    smaller = lens.resized(Size(*(max(1, round(n * factor)) for n in (inside.size.width, inside.size.height))))
    fx, fy = smaller.intrinsics.fx, smaller.intrinsics.fy
    size = Size(max(1, min(longest, int((right - left) * fx))), max(1, min(longest, int((bottom - top) * fy))))
    camera = Intrinsics(fx, fy, -left * fx, -top * fy, size, inside.basis)
    return _Way(smaller, camera, places)


def _window(lens: Lens) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the largest window on the plane z = 1 that the lens shows all of."""
    size = lens.intrinsics.size
    x, y = np.linspace(0, size.width, _ALONG), np.linspace(0, size.height, _ALONG)

    def rim(xs: F64 | float, ys: F64 | float) -> F64:
        return rays_through(np.stack(np.broadcast_arrays(xs, ys), -1), lens)[..., :2]

    left, right = float(rim(0.0, y)[:, 0].max()), float(rim(float(size.width), y)[:, 0].min())
    top, bottom = float(rim(x, 0.0)[:, 1].max()), float(rim(x, float(size.height))[:, 1].min())
    reach = math.hypot(max(-left, right), max(-top, bottom))
    factor = min(1.0, _SAFE * _fold(lens) / max(reach, 1e-12))
    left, top, right, bottom = (edge * factor for edge in (left, top, right, bottom))
    wide, tall = (right - left) * lens.intrinsics.fx / size.width, (bottom - top) * lens.intrinsics.fy / size.height
    if not (wide >= _LEAST and tall >= _LEAST and left < 0 < right and top < 0 < bottom):
        raise InputError(
            "a lens bends its picture so much that hardly anything can be straightened",
            hint="Leave out pictures by fisheye or damaged lenses, or straighten them first.",
        )
    return left, top, right, bottom


def _fold(lens: Lens) -> float:
    """Tangent of the angle at which the radial distortion turns back, infinite where it never does."""
    roots = np.roots([5 * lens.k2, 3 * lens.k1, 1.0]) if lens.k2 or lens.k1 else np.zeros(0)
    real = [float(r.real) for r in roots if abs(r.imag) < 1e-12 and r.real > 0]
    return math.sqrt(min(real)) if real else math.inf


def _still(still: Still, way: _Way) -> Still:
    """The still as the pinhole sees it."""
    read, mask = still.read, still.mask

    def straight() -> U8:
        return way.picture(read(), cv2.INTER_CUBIC)

    def straight_mask(seen: Callable[[], Bool]) -> Callable[[], Bool]:
        return lambda: way.picture(seen().astype(np.uint8) * 255, cv2.INTER_LINEAR) > 127

    return replace(
        still,
        size=way.camera.size,
        read=straight,
        lens=Lens(way.camera),
        mask=None if mask is None else straight_mask(mask),
    )
