"""The sizes between a coarse map and a fine picture, and the picture at each of them."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8
from unflat.types.image import Size


def ladder(coarse: Size, fine: Size) -> list[Size]:
    """The sizes from just above ``coarse`` up to ``fine``, each about twice the one before; the last is ``fine``.

    A ``fine`` that is no larger than ``coarse`` gives itself alone.
    """
    sizes = [fine]
    while sizes[0].width > 2 * coarse.width and sizes[0].height > 2 * coarse.height:
        sizes.insert(0, Size((sizes[0].width + 1) // 2, (sizes[0].height + 1) // 2))
    return sizes


def guides(picture_rgb: U8, sizes: list[Size]) -> list[U8]:
    """The picture at each of ``sizes`` (ascending), every one averaged from the next larger.

    Args:
        picture_rgb: (h, w, 3) uint8 of any size; not copied where a size is its own.
        sizes: Ascending, as :func:`ladder` gives them.

    Returns:
        One (h, w, 3) uint8 picture per size, in the same order.

    Raises:
        ShapeError: The picture is not (h, w, 3) uint8.
    """
    if picture_rgb.ndim != 3 or picture_rgb.shape[2] != 3 or picture_rgb.dtype != np.uint8:
        raise ShapeError(f"a guide must be h×w×3 uint8, not {picture_rgb.shape} {picture_rgb.dtype}")
    out: list[U8] = []
    current = np.ascontiguousarray(picture_rgb)
    for size in reversed(sizes):
        current = resized(current, size)
        out.insert(0, current)
    return out


def resized(array: U8, size: Size) -> U8:
    """Averaged down, or interpolated up; the outer borders of both images coincide."""
    if array.shape[:2] == size.shape:
        return array
    smaller = size.width <= array.shape[1] and size.height <= array.shape[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(array, (size.width, size.height), interpolation=method), dtype=np.uint8)


def interpolated(array: F32, size: Size) -> F32:
    """A float map at another size by bilinear interpolation; the outer borders of both coincide."""
    if array.shape == size.shape:
        return array.copy()
    return np.asarray(cv2.resize(array, (size.width, size.height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
