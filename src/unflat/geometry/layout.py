"""Two views in one picture, and out of it again.

Half sizes are means over the area that a pixel takes the place of; nothing is moved by half a pixel. A half layout is
as large as one view, its odd side made even, so that the seam lies between two pixels; players stretch it back.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import U8
from unflat.types.image import Size
from unflat.types.stereo import Layout


class _Way(NamedTuple):
    """How two views lie in a picture: beside or above each other, squeezed or not, the right one first or not."""

    beside: bool
    half: bool = False
    right_first: bool = False


_WAYS = {
    Layout.FULL_SBS: _Way(beside=True),
    Layout.HALF_SBS: _Way(beside=True, half=True),
    Layout.FULL_TB: _Way(beside=False),
    Layout.HALF_TB: _Way(beside=False, half=True),
    Layout.CROSS: _Way(beside=True, right_first=True),
    Layout.RGBD: _Way(beside=True),
    Layout.VR180: _Way(beside=True),
}
PACKED = tuple(_WAYS)
"""Layouts that are two views in one picture. VR180 has half spheres for views, RGBD the depth for the right one."""


def packed(left: U8, right: U8, layout: Layout) -> U8:
    """Put two views into one picture.

    Args:
        left: (h, w, 3) uint8 sRGB.
        right: Of the same size; the depth in grey for ``Layout.RGBD``.
        layout: One of :data:`PACKED`.

    Returns:
        (h', w', 3) uint8 of :func:`packed_size`.

    Raises:
        ShapeError: The views differ in size, or the layout is none of :data:`PACKED`.
    """
    way = _way(layout)
    if left.shape != right.shape:
        raise ShapeError(f"two views of one size are packed, not {left.shape} and {right.shape}")
    if way.half:
        half = _half(Size(left.shape[1], left.shape[0]), way)
        left, right = _resized(left, half), _resized(right, half)
    both = (right, left) if way.right_first else (left, right)
    return np.concatenate(both, axis=1 if way.beside else 0)


def packed_size(size: Size, layout: Layout) -> Size:
    """How large the picture is that two views of ``size`` make."""
    way = _way(layout)
    one = _half(size, way) if way.half else size
    return Size(2 * one.width, one.height) if way.beside else Size(one.width, 2 * one.height)


def unpacked(picture: U8, layout: Layout) -> tuple[U8, U8]:
    """The left and the right view of a packed picture, stretched back where they were squeezed.

    Args:
        picture: (h, w, 3) uint8.
        layout: One of :data:`PACKED`.

    Returns:
        Left and right, of one size.

    Raises:
        ShapeError: The picture cannot be cut in two, or the layout is none of :data:`PACKED`.
    """
    way = _way(layout)
    axis = 1 if way.beside else 0
    if picture.shape[axis] < 2 or picture.shape[axis] % 2:
        raise ShapeError(f"a picture of {picture.shape[1]}×{picture.shape[0]} is not cut in two for {layout.value}")
    first, second = np.split(picture, 2, axis=axis)
    if way.half:
        h, w = first.shape[:2]
        whole = Size(2 * w, h) if way.beside else Size(w, 2 * h)
        first, second = (_resized(view, whole) for view in (first, second))
    return (second, first) if way.right_first else (first, second)


def _way(layout: Layout) -> _Way:
    if layout not in _WAYS:
        raise ShapeError(f"{layout.value} is not two views in one picture")
    return _WAYS[layout]


def _half(size: Size, way: _Way) -> Size:
    """One view of a half layout; the odd pixel is kept."""
    if way.beside:
        return Size((size.width + 1) // 2, size.height)
    return Size(size.width, (size.height + 1) // 2)


def _resized(view: U8, size: Size) -> U8:
    """A mean over areas where it shrinks, linear where it grows."""
    grows = size.pixels > view.shape[0] * view.shape[1]
    way = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(view, (size.width, size.height), interpolation=way), np.uint8)
