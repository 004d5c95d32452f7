"""A photograph or scan of a picture -> the picture alone, straightened."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.stages.see_as_art import without_lens
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthMap
from unflat.types.image import Image, LensRecord

if TYPE_CHECKING:
    from unflat.geometry.straighten import Straightening

_ASSUMED_FOCAL = 1.1
"""Over the long side, where EXIF does not tell; it only matters for the shape of what was seen in perspective."""
_SAFE = 0.004
"""How much further in is cut, over the long side, so that no line of the frame stays."""


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """What is done with what is around a picture."""

    keep_frame: bool = False
    """Keep the frame, mount, album page, scanner bed or black bars around a picture instead of cropping it."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture alone.

    Attributes:
        picture: Cropped and straightened.
        way: From the pixels of the whole to those of the picture.
        reproduction: It was photographed or scanned as a thing; else only flat margins were cut off.
        whole: What it was cut out of.
    """

    picture: Image
    way: Straightening
    reproduction: bool
    whole: Image


def crop_frame(whole: Image, options: FrameOptions) -> Crop | None:
    """Find the picture within frames, mounts, borders, pages, beds and bars, and take it out.

    What a camera wrote of its lens stays true when flat margins are cut off, and moves along; it is dropped where
    the picture was photographed as a thing, for then it belongs to the camera that reproduced it. Pictures with
    alpha are cut out already and are left alone.

    Args:
        whole: The upright photograph or scan.
        options: See :class:`FrameOptions`.

    Returns:
        The picture alone, or None where nothing is around it or that is kept.
    """
    from unflat.geometry.lens import focal_px
    from unflat.geometry.straighten import Straightening, inset, straightening
    from unflat.geometry.surround import find_surround

    if options.keep_frame or whole.alpha is not None:
        return None
    found = find_surround(whole.pixels)
    if found is None:
        return None
    size = whole.size
    if found.flat:
        extent = np.ptp(found.corners, axis=0).round().astype(int).tolist()
        way = Straightening(found.corners, size, type(size)(*extent))
        lens = _cut_lens(whole.lens, way)
        note = f"Flat margins around the picture were cut off ({size} became {way.size}); --keep-frame keeps them."
    else:
        side = float(np.linalg.norm(np.roll(found.corners, -1, 0) - found.corners, axis=1).max())
        known = focal_px(whole.lens, size)
        focal = _ASSUMED_FOCAL * size.long_side if known is None else known[0]
        way = straightening(inset(found.corners, _SAFE * side), size, focal)
        lens = whole.lens
        note = (
            f"The picture was taken out of what is around it and straightened ({size} became {way.size}); "
            "--keep-frame keeps all."
        )
    pixels = np.asarray(way.pixels(whole.pixels), np.uint8)
    picture = replace(whole, pixels=pixels, lens=lens, notes=(*whole.notes, note), jpeg=None)
    return Crop(picture if found.flat else without_lens(picture), way, not found.flat, whole)


def _cut_lens(lens: LensRecord, way: Straightening) -> LensRecord:
    """The same lens for the pixels that are left: its focal length in pixels and its axis stay where they are."""
    if lens.focal_35mm is None and lens.focal_mm is None:
        return lens
    old, new = way.whole, way.size
    diagonal = math.hypot(old.width, old.height) / math.hypot(new.width, new.height)
    left, top = way.corners[0].tolist()
    return replace(
        lens,
        focal_35mm=None if lens.focal_35mm is None else lens.focal_35mm * diagonal,
        sensor_width_mm=None if lens.sensor_width_mm is None else lens.sensor_width_mm * new.long_side / old.long_side,
        axis_px=(old.width / 2 - left, old.height / 2 - top),
    )


def crop_depth(depth: DepthMap, crop: Crop) -> DepthMap:
    """Depth of the whole, cropped and straightened as the picture was; values are moved, never mixed.

    Args:
        depth: Of the whole, in any size of its shape.
        crop: What was done to the picture.
    """
    way = crop.way

    def cut(plane: NDArray[Any]) -> NDArray[Any]:
        made = way.pixels(plane.astype(np.uint8) if plane.dtype == np.bool_ else plane, nearest=True)
        return made.astype(plane.dtype)

    moved = depth.moved(cut, None)
    lens = depth.intrinsics and _moved_camera(depth.intrinsics.resized(way.whole), way)
    return replace(moved, intrinsics=lens and lens.resized(moved.size))


def _moved_camera(lens: Intrinsics, way: Straightening) -> Intrinsics:
    """The camera of the whole for the picture: exact for crops and turns, else near the middle."""
    middle = way.corners.mean(0)
    around = way.points(middle + np.array([[0, 0], [1, 0], [0, 1]], float))
    scale = math.sqrt(abs(float(np.linalg.det(around[1:] - around[0]))))
    cx, cy = way.points(np.array([[lens.cx, lens.cy]]))[0].tolist()
    return Intrinsics(lens.fx * scale, lens.fy * scale, cx, cy, way.size, lens.basis)


def crop_points(points: list[tuple[float, float]], crop: Crop) -> list[tuple[float, float]]:
    """Points of the whole, in pixels, as points of the picture.

    Raises:
        InputError: A point lies in what was cropped away.
    """
    size = crop.way.size
    found = [(float(x), float(y)) for x, y in crop.way.points(np.array(points, float))]
    if any(not (0 <= x <= size.width and 0 <= y <= size.height) for x, y in found):
        raise InputError(
            "a point of the known length lies outside the picture, in what was cropped around it",
            hint="Measure within the picture, or keep all with --keep-frame.",
        )
    return found
