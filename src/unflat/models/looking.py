"""What our own networks see of a picture: all of it, small."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import U8
from unflat.types.image import Size

_MULTIPLE = 32


def input_size(size: Size, long_side: int) -> Size:
    """The size a network looks at: long side as given, both sides multiples of 32, shape kept as nearly as that lets.

    A shape beyond 4:1 is squeezed to 4:1, for our networks never saw longer ones.
    """
    aspect = min(max(size.aspect, 0.25), 4.0)
    width, height = (long_side, long_side / aspect) if aspect >= 1 else (long_side * aspect, long_side)
    return Size(*(max(_MULTIPLE, round(side / _MULTIPLE) * _MULTIPLE) for side in (width, height)))


def looked_at(rgb: U8, long_side: int) -> U8:
    """A picture as a network gets it.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        long_side: Of the picture that the network gets, pixels.

    Returns:
        (1, height, width, 3) uint8 sRGB of :func:`input_size`.
    """
    import cv2

    size = input_size(Size(rgb.shape[1], rgb.shape[0]), long_side)
    # area averages are for shrinking only: enlarged by them, a picture becomes blocks
    larger = size.width > rgb.shape[1] or size.height > rgb.shape[0]
    way = cv2.INTER_LINEAR if larger else cv2.INTER_AREA
    return np.ascontiguousarray(cv2.resize(rgb, (size.width, size.height), interpolation=way), np.uint8)[None]
