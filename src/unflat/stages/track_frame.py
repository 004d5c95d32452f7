"""What the tracker makes of a frame's pixels before anything is followed."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import U8
from unflat.types.image import Size

_BLANK = 4.0
"""A frame whose grey values spread less (standard deviation, of 255) shows nothing."""


def fitted(pixels: U8, size: Size) -> U8:
    """The frame at this size, which is no larger."""
    import cv2

    if pixels.shape[:2] == size.shape:
        return pixels
    return np.asarray(cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA), np.uint8)


def grey_of(pixels: U8) -> U8:
    """(h, w) grey values."""
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def blank(grey: U8) -> bool:
    """Whether nothing is to be seen."""
    import cv2

    return float(cv2.meanStdDev(grey)[1].item()) < _BLANK
