"""Flicker: a film that was exposed, printed or faded unevenly is brighter in one frame than in the next.

The light of a frame is told cell by cell against the frame before it, followed along the motion; what strays from its
smooth course is flicker (see :mod:`unflat.geometry.weave`, whose grid it has).
"""

from __future__ import annotations

import numpy as np

from unflat.geometry.weave import by_cell, filled
from unflat.types.arrays import F32, Bool

VEIL = 16.0
"""Grey levels: light is told by ``log(grey + VEIL)``, so that black with a little veil does not count for much."""
_BLACK, _WHITE = 4, 250
_FLAT = 1.0
"""Grey levels from pixel to pixel."""
_MOST = 0.5
"""No frame is made darker or brighter than by this (logarithm): what changes more is a flash of the scene."""


def light_step(then: F32, now: F32, known: Bool) -> F32:
    """By how much the cells are brighter than before.

    Args:
        then: (h, w) grey of the frame before, followed to the pixels of this one.
        now: (h, w) grey.
        known: (h, w), where the motion is believed; where nothing is to be seen, it does not matter.

    Returns:
        GRID float32, differences of logarithms; NaN where nothing can be told.
    """
    told = (known | (_flat(then) & _flat(now))) & (np.minimum(then, now) > _BLACK) & (np.maximum(then, now) < _WHITE)
    return by_cell(np.log((now + np.float32(VEIL)) / (then + np.float32(VEIL))), told)


def _flat(grey: F32) -> Bool:
    """Where a picture shows next to nothing: sky, a wall."""
    import cv2

    even = cv2.GaussianBlur(grey, (0, 0), 2)
    slopes = [np.abs(np.asarray(cv2.Sobel(even, cv2.CV_32F, *way), np.float32)) for way in ((1, 0), (0, 1))]
    return slopes[0] + slopes[1] < np.float32(8 * _FLAT)


def gain_of(strays: F32, height: int, width: int) -> F32:
    """(height, width) float32: what ``grey + VEIL`` is multiplied by to take the flicker out.

    Args:
        strays: GRID, how much brighter than on its smooth course each cell is (logarithm); NaN: unknown.
        height: Of the picture.
        width: Of the picture.
    """
    import cv2

    even = np.asarray(cv2.blur(filled(strays), (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
    even = np.clip(even, -_MOST, _MOST)
    return np.exp(-np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_CUBIC), np.float32))


def lit(pixels: F32, gain: F32) -> F32:
    """A picture with its light changed.

    Args:
        pixels: (h, w, 3) 0 to 255.
        gain: (h, w), see :func:`gain_of`.
    """
    import cv2

    each = cv2.merge([gain] * 3)
    return np.asarray(cv2.multiply(pixels, each) + (each - 1) * np.float32(VEIL), np.float32)
