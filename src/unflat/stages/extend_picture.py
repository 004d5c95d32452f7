"""picture + depth -> a wider picture and depth, invented beyond the border."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.types.depth import DepthMap
from unflat.types.image import Image, LensRecord, Size

_TRIED = 4
"""Margins of the depth differ by at most so many pixels from what was asked for, to agree with the picture's."""


@dataclass(frozen=True, slots=True)
class ExtendOptions:
    """What lies beyond the picture's border."""

    extend: float = 0.0
    """Continue colour and depth beyond the picture's border by this share of its width to the left and right, and of
    its height above and below, marked as invented; 0.3 makes a picture 1.6 times as wide and high."""

    def __post_init__(self) -> None:
        if not 0 <= self.extend <= 1:
            raise InputError(f"--extend {self.extend:g} is out of range", hint="Give a share between 0 and 1.")


def extend_picture(picture: Image, depth: DepthMap, options: ExtendOptions) -> tuple[Image, DepthMap]:
    """Continue a picture and its depth beyond the border.

    The picture's own pixels stay as they are, byte for byte. Planes go on as planes, sky as sky; things that the
    border cuts end as their outlines say. Colours go on smoothly, not from one surface to another, with texture from
    the picture on them.

    Args:
        picture: The upright picture.
        depth: METRIC or SCALE, with intrinsics; of the picture's shape, possibly smaller.
        options: How far. 0 gives back what was given.

    Returns:
        The wider picture, and its depth: ``invented`` and of confidence 0 around what was seen.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: There is no camera.
    """
    import cv2

    from unflat.geometry.beyond import Surroundings, continued_colours
    from unflat.geometry.outside import continued_depth

    if depth.intrinsics is None:
        raise InputError("a depth map needs a camera before it is continued", hint="Calibrate it first.")
    on = depth.surface & np.isfinite(depth.z) & (depth.z > 0)
    margins = [
        _margins(options.extend, coarse, fine)
        for coarse, fine in ((depth.size.width, picture.size.width), (depth.size.height, picture.size.height))
    ]
    (mx, wide_x), (my, wide_y) = margins
    if not mx or not my:
        return picture, depth
    inverse = np.where(on, 1 / np.where(on, depth.z, np.float32(1)), np.float32(0))
    sky = np.zeros_like(on) if depth.sky is None else np.asarray(depth.sky)
    around = continued_depth(inverse, sky, (mx, my))
    pixels = continued_colours(picture.pixels, (wide_x, wide_y), Surroundings(around.inverse, around.sky, (mx, my)))
    alpha = picture.alpha
    if alpha is not None:
        alpha = np.asarray(cv2.copyMakeBorder(alpha, wide_y, wide_y, wide_x, wide_x, cv2.BORDER_REPLICATE), np.uint8)
    wider = replace(picture, pixels=pixels, alpha=alpha, lens=LensRecord(), jpeg=None)
    return wider, _widened(depth, around.inverse, around.sky, around.valid, (mx, my))


def _margins(share: float, coarse: int, fine: int) -> tuple[int, int]:
    """How many pixels of the depth and of the picture are added on each side, so that both grids go on agreeing."""
    wanted = round(share * coarse)
    if not wanted:
        return 0, 0
    near = range(max(1, wanted - _TRIED), wanted + _TRIED + 1)
    best = min(near, key=lambda m: (round(abs(m * fine / coarse - round(m * fine / coarse)), 6), abs(m - wanted)))
    return best, round(best * fine / coarse)


def _widened(depth: DepthMap, inverse, sky, valid, margin: tuple[int, int]) -> DepthMap:
    """The depth with its surroundings, of the inverse depths given; its own values stay as they are."""
    (mx, my), (h, w) = margin, depth.size.shape
    inside = np.s_[my : my + h, mx : mx + w]
    values = np.where(inverse > 0, 1 / np.where(inverse > 0, inverse, np.float32(1)), np.float32(np.nan))
    values = np.where(sky, np.float32(np.inf), values).astype(np.float32)
    values[inside] = depth.values
    valid = valid.copy()
    valid[inside] = np.asarray(depth.valid)
    invented = np.ones(values.shape, np.bool_)
    invented[inside] = False if depth.invented is None else depth.invented
    confidence = None
    if depth.confidence is not None:
        confidence = np.zeros(values.shape, np.float32)
        confidence[inside] = depth.confidence
    assert depth.intrinsics is not None
    camera = depth.intrinsics.cropped(-mx, -my, Size(values.shape[1], values.shape[0]))
    return replace(
        depth,
        values=values,
        valid=valid,
        sky=None if depth.sky is None else sky,
        confidence=confidence,
        intrinsics=camera,
        invented=invented,
    )
