"""Plain sky overhead, which no network knows from a ceiling: it goes on from the sky that is seen beside it."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.types.arrays import F32, U8, Bool

_STEEP = 10.0
"""Colours that change by more grey levels from pixel to pixel are an outline."""
_HOLE = 0.03
"""The sun, a bird: what the sky encloses and is smaller than this share of the window is sky."""


def sky_overhead(picture: U8, beside: F32, seen: Bool) -> Bool:
    """Where a window that looks up shows the same sky as the windows beside it.

    Args:
        picture: (h, w, 3) what the window shows.
        beside: (h, w) probability of sky as the other windows say it.
        seen: (h, w), where another window looks.

    Returns:
        (h, w) the even regions that are mostly sky where other windows see them.
    """
    smooth = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), np.float32)
    steep = np.maximum(
        np.abs(np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125))).max(axis=2),
        np.abs(np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125))).max(axis=2),
    )
    label = np.asarray(cv2.connectedComponents((steep < _STEEP).astype(np.uint8), connectivity=4)[1], np.int32)
    count = int(label.max()) + 1
    told = np.bincount(label[seen], minlength=count)
    sky = np.bincount(label[seen], beside[seen] > 0.5, count)
    open_ = (told > 0) & (sky > 0.5 * told)
    open_[0] = False
    return _filled(open_[label])


def _filled(sky: Bool) -> Bool:
    """Small holes closed, and outlines that have sky on both sides."""
    window = np.ones((5, 5), np.uint8)
    closed = np.asarray(cv2.morphologyEx(sky.astype(np.uint8), cv2.MORPH_CLOSE, window))
    count, found, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < _HOLE * sky.size
    small[0] = False
    h, w = sky.shape
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    small[:count] &= (left > 0) & (top > 0) & (right < w) & (bottom < h)
    return (closed > 0) | small[np.asarray(found, np.int32)]
