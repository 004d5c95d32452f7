"""Black bars around the picture of a film: they belong to the screen, not to the scene.

A row or column is of a bar if it is dark in every frame that is looked at. What is dark for another reason (night, a
fade) has no sharp end in most of them, so the end of a bar must be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unflat.types.arrays import F64, U8

DARK = 28
"""Luma that is black, also when it is grainy or was compressed; video black is 16 and becomes 0 on screens."""
_STEP = 12
"""By so much brighter is the picture beside a bar, in a frame where its end is seen."""
_SEEN = 1 / 4
"""The end of a bar is seen in at least this share of the frames."""
_LEAST_KEPT = 0.4
"""Bars leave at least this share of each side."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a frame that holds the picture: from ``left`` and ``top`` to before ``right`` and ``bottom``."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, pixels: U8) -> U8:
        """What lies in it of an (h, w, 3) frame; a view."""
        return pixels[self.top : self.bottom, self.left : self.right]

    def cut_small(self, small: U8, width: int, height: int) -> U8:
        """What lies in it of a smaller copy of a frame that is ``width`` by ``height`` pixels; a view."""
        h, w = small.shape[:2]
        top, bottom = round(self.top * h / height), round(self.bottom * h / height)
        left, right = round(self.left * w / width), round(self.right * w / width)
        return small[top:bottom, left:right]

    def put(self, inner: U8, width: int, height: int) -> U8:
        """A frame of the whole size, ``inner`` in the window and black around; ``inner`` itself if it is as large."""
        if inner.shape[:2] == (height, width):
            return inner
        whole = np.zeros((height, width, 3), np.uint8)
        whole[self.top : self.bottom, self.left : self.right] = inner
        return whole


def window_of(frames: Sequence[U8]) -> Window:
    """Find the picture within the bars of a film.

    Args:
        frames: (h, w, 3) uint8 sRGB, some frames from all over the film; at least one.

    Returns:
        The window, its corners even so that colours at half resolution stay whole; all of the frame where there are no
        bars.
    """
    h, w = frames[0].shape[:2]
    lumas = [np.asarray(f, np.float64) @ (0.299, 0.587, 0.114) for f in frames]
    top, bottom = _ends([np.quantile(y, 0.98, axis=1) for y in lumas])
    left, right = _ends([np.quantile(y[top:bottom], 0.98, axis=0) for y in lumas])
    left, top = left + left % 2, top + top % 2
    return Window(left, top, right - (right - left) % 2 * (right < w), bottom - (bottom - top) % 2 * (bottom < h))


def _ends(profiles: Sequence[F64]) -> tuple[int, int]:
    """First and last (exclusive) line of the picture, from how bright each line is in each frame."""
    bright = np.max(profiles, axis=0) > DARK
    whole = (0, len(bright))
    if not bright.any():
        return whole
    first, last = int(np.argmax(bright)), len(bright) - int(np.argmax(bright[::-1]))
    first = first if first and _sharp(profiles, first, -1) else 0
    last = last if last < len(bright) and _sharp(profiles, last - 1, 1) else len(bright)
    return (first, last) if last - first >= _LEAST_KEPT * len(bright) else whole


def _sharp(profiles: Sequence[F64], inside: int, outwards: int) -> bool:
    """Whether the picture ends here within two lines, in enough of the frames."""
    ends = [
        max(p[inside], p[inside - outwards]) - p[inside + outwards] > _STEP
        for p in profiles
        if 0 <= inside - outwards < len(p)
    ]
    return sum(ends) >= max(1.0, _SEEN * len(profiles))
