"""Depth as a drawing or a painting means it: no step at every stroke, no relief of brush marks and cracks."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.types.arrays import F32, Bool
from unflat.types.image import Size

_COARSE_PX = 256
_STROKES = 4.0
"""Depth of a drawing holds nothing finer than this, in pixels of a long side of 256."""
_DEEPEST = 1.6
"""Ratio of the farthest to the nearest in a drawing, at most: first to last hundredth."""
_MARKS_PX, _MARKS_SPACE, _MARKS = 512, 8.0, 0.04
"""Differences of this share of the depth, within this many pixels of a long side of 512, are brush marks."""


def layered(z: F32, known: Bool) -> F32:
    """Gentle depth for line art: only its large structure, pressed into a low relief.

    Args:
        z: (h, w) depth.
        known: (h, w) where it is known and finite; the rest takes the farthest that is.

    Returns:
        (h, w) float32, finite everywhere, with the median of ``z``.
    """
    log = _filled_log(z, known)
    small = Size(z.shape[1], z.shape[0]).fitted(_COARSE_PX)
    coarse = cv2.resize(log, (small.width, small.height), interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(cv2.medianBlur(coarse, 5), (0, 0), _STROKES, borderType=cv2.BORDER_REPLICATE)
    soft = np.asarray(coarse, np.float32)
    first, middle, last = (float(v) for v in np.quantile(soft, (0.01, 0.5, 0.99)))
    gentle = min(1.0, float(np.log(_DEEPEST)) / max(last - first, 1e-6))
    pressed = (soft - middle) * np.float32(gentle) + np.float32(middle)
    fine = cv2.resize(pressed, (z.shape[1], z.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.exp(np.asarray(fine, np.float32))


def without_marks(z: F32, known: Bool) -> F32:
    """Depth without the low relief of brush marks, canvas and cracks; its steps stay where they are.

    The marks are found as what a bilateral filter takes away from a smaller map, and subtracted from the fine one.

    Args:
        z: (h, w) depth.
        known: (h, w) where it is known and finite; elsewhere it stays as it is.
    """
    log = _filled_log(z, known)
    small = Size(z.shape[1], z.shape[0]).fitted(_MARKS_PX)
    coarse = np.asarray(cv2.resize(log, (small.width, small.height), interpolation=cv2.INTER_AREA), np.float32)
    smooth = np.asarray(cv2.bilateralFilter(coarse, 0, _MARKS, _MARKS_SPACE), np.float32)
    marks = cv2.resize(coarse - smooth, (z.shape[1], z.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.where(known, np.exp(log - np.asarray(marks, np.float32)), z)


def _filled_log(z: F32, known: Bool) -> F32:
    """Logarithm of depth; what is not known is as far as the farthest hundredth."""
    log = np.zeros(z.shape, np.float32)
    np.log(z, out=log, where=known)
    log[~known] = np.quantile(log[known], 0.99)
    return log
