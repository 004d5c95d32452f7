"""What does not move in front of a camera that does not move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.flow import flow, resized_flow
from unflat.types.arrays import F32, U8, Bool

_CAMERA = 0.15
"""A camera stands still while half of its picture stays within this share of a pixel of where it was."""
_THING = 0.5
"""So far, in pixels, may what is still seem to move: flow is no better where there is little to hold on to."""
_GREY = 8.0
"""So much may the grey of what is still change, of 255, noise taken away."""
_NOISE = 2.0
"""Standard deviation of the blur that takes noise away, in pixels."""


def unmoved(anchor: U8, grey: U8, recent: F32) -> Bool | None:
    """Where a frame still shows what an earlier one showed.

    Motion is measured against the earlier frame and not from frame to frame, so that a slow drift is seen as well.

    Args:
        anchor: (h', w') grey, the earlier frame; it may be put together from several (see :func:`renewed`).
        grey: The same of the frame.
        recent: (h, w, 2) flow from the frame before this one, which spares the measuring where all is in motion.

    Returns:
        (h, w) bool; None if the camera has moved.
    """
    import cv2

    height, width = recent.shape[:2]
    if float(np.median(np.abs(recent))) > _CAMERA:
        return None
    moved = np.sqrt((resized_flow(flow(grey, anchor), height, width) ** 2).sum(-1))
    if float(np.median(moved)) > _CAMERA:
        return None
    smooth = [cv2.GaussianBlur(g, (0, 0), _NOISE) for g in (anchor, grey)]
    changed = np.asarray(cv2.resize(cv2.absdiff(*smooth), (width, height), interpolation=cv2.INTER_AREA), np.float32)
    return (moved < _THING) & (changed < _GREY)


def renewed(anchor: U8, grey: U8, still: Bool) -> U8:
    """The anchor with what has changed since as it is now."""
    import cv2

    kept = cv2.resize(still.astype(np.uint8), grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(np.asarray(kept) > 0, anchor, grey)


_LIKE = 0.1
"""Depth that differs by more than this share of its sum was seen wrongly before, or is now: no mean is made of it."""
LONGEST = 64
"""Frames that a pixel's average reaches back in effect."""


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The depth of a frame, averaged over the time since when each pixel is still.

    Attributes:
        level: (h, w) float32 inverse depth in the units of the shot.
        sky: (h, w) float32, probability of sky.
        count: (h, w) float32, over how many frames each pixel is averaged, 1 to LONGEST.
        anchor: (h', w') grey, what pixels that are still show.
    """

    level: F32
    sky: F32
    count: F32
    anchor: U8

    @staticmethod
    def begin(level: F32, sky: F32, grey: U8) -> Settled:
        """The first frame of a shot."""
        return Settled(level, sky, np.ones_like(level), grey)

    @property
    def out(self) -> F32:
        """(h, w) inverse depth, 0 in the sky."""
        return np.where(self.sky > 0.5, np.float32(0), self.level)

    def then(self, level: F32, sky: F32, grey: U8, still: Bool | None) -> Settled:
        """One frame on; ``still`` comes from :func:`unmoved`."""
        if still is None:
            return Settled.begin(level, sky, grey)
        like = still & (np.abs(level - self.level) <= _LIKE * (level + self.level))
        count = np.where(like, np.minimum(self.count + 1, LONGEST), 1).astype(np.float32)
        pairs = ((self.level, level), (self.sky, sky))
        level, sky = ((was + (now - was) / count).astype(np.float32) for was, now in pairs)
        return Settled(level, sky, count, renewed(self.anchor, grey, still))

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """To be kept in a file."""
        return {f"settled.{f.name}": getattr(self, f.name) for f in fields(self)}

    @staticmethod
    def of(kept: Mapping[str, NDArray[np.generic]]) -> Settled | None:
        """What :meth:`arrays` was asked of; None if nothing was kept."""
        if "settled.anchor" not in kept:
            return None
        level, sky, count = (np.asarray(kept[f"settled.{n}"], np.float32) for n in ("level", "sky", "count"))
        return Settled(level, sky, count, np.asarray(kept["settled.anchor"], np.uint8))
