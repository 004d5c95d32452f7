"""Depth as a drawing or a painting means it: no step at every stroke, no relief of brush marks and cracks."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.types.arrays import F32, Bool
from unflat.types.image import Size

_SMOOTH = 14.0
"""Within a region of a drawing depth is smoothed over so many pixels of a long side of 512 ..."""
_BARRIER = 12.0
"""... and crossing a pixel of ink counts for so many of them."""
_STROKE = 9
"""Strokes are thinner than this; they belong to the nearer of their sides."""
_DEEPEST = 1.6
"""Ratio of the farthest to the nearest in a drawing, at most: first to last hundredth."""
_MARKS_PX, _MARKS_SPACE, _MARKS = 512, 8.0, 0.04
"""Differences of this share of the depth, within this many pixels of a long side of 512, are brush marks."""


def layered(z: F32, known: Bool, ink: Bool) -> F32:
    """Gentle depth for line art: smooth within what its strokes enclose, pressed into a low relief.

    What the network says of the strokes themselves counts for nothing. The filter is the recursive one of Gastal and
    Oliveira, "Domain transform for edge-aware image and video processing", 2011, with ink for edges.

    Args:
        z: (h, w) depth.
        known: (h, w) where it is known and finite; the rest takes the farthest that is.
        ink: Where the strokes are, of the picture's shape, at any size; see :func:`unflat.geometry.strokes.ink_of`.

    Returns:
        (h, w) float32, finite everywhere, with the median of ``z``.
    """
    log = _filled_log(z, known)
    height, width = ink.shape
    coarse = np.asarray(cv2.resize(log, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    coarse = np.asarray(cv2.medianBlur(coarse, 5), np.float32)
    soft = _within_strokes(coarse, ink)
    first, middle, last = (float(v) for v in np.quantile(soft, (0.01, 0.5, 0.99)))
    gentle = min(1.0, float(np.log(_DEEPEST)) / max(last - first, 1e-6))
    pressed = (soft - middle) * np.float32(gentle) + np.float32(middle)
    fine = cv2.resize(pressed, (z.shape[1], z.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.exp(np.asarray(fine, np.float32))


def _within_strokes(log: F32, ink: Bool) -> F32:
    """Smoothed over paper, hardly across ink; ink takes what is nearest beside it."""
    paper = np.where(ink, np.float32(1e-3), np.float32(1))
    both = np.stack([log * paper, paper], axis=-1)
    cost = 1 + np.float32(_BARRIER) * ink.astype(np.float32)
    rounds = 3
    for turn in range(rounds):
        over = _SMOOTH * np.sqrt(3) * 2 ** (rounds - turn - 1) / np.sqrt(4**rounds - 1)
        keep = np.exp(-np.float32(np.sqrt(2) / over) * cost)
        _swept(both, keep)
        _swept(both.swapaxes(0, 1), keep.T)
    soft = both[..., 0] / both[..., 1]
    beside = np.where(ink, np.float32(np.inf), soft)
    nearest = np.asarray(cv2.erode(beside, np.ones((_STROKE, _STROKE), np.uint8)), np.float32)
    return np.where(ink & np.isfinite(nearest), nearest, soft).astype(np.float32)


def _swept(both: F32, keep: F32) -> None:
    """Down all rows and up again, in place; each keeps a share of the one before, the less of what both ``keep``."""
    between = np.minimum(keep[1:], keep[:-1])[..., None]
    for y in range(1, len(both)):
        both[y] += between[y - 1] * (both[y - 1] - both[y])
    for y in range(len(both) - 2, -1, -1):
        both[y] += between[y] * (both[y + 1] - both[y])


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
