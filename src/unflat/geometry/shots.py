"""Where one shot of a film ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unflat.types.arrays import F32, U8

LOOK_BACK = 12
"""Frames before a frame that are asked whether it begins a shot."""
LOOK_AHEAD = 4
"""Frames after it that are asked, at least: a flash is shorter."""
_THUMB = (32, 24)
_BINS = 8
_EMPTY = 5.0
"""A frame whose grey values spread less than this (of 255) shows nothing: black, white, or nearly."""
_TORN = 0.35
"""Frames less alike than this, each followed along its motion, do not follow upon each other."""
_SAME = 0.55
"""Frames at least so alike in structure and colours show the same place."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is kept of a frame to tell shots apart.

    Attributes:
        thumb: (24, 32) float32 grey.
        colours: (512,) float32, how its colours are spread, sums to 1.
        spread: Standard deviation of its grey values.
        tie: 0..1, how well the frame before it, followed along the motion, looks like it.
    """

    thumb: F32
    colours: F32
    spread: float
    tie: float

    @staticmethod
    def of(small: U8, tie: float) -> Look:
        """Of a small (h, w, 3) uint8 frame; ``tie`` comes from :func:`tie`."""
        import cv2

        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
        thumb = np.asarray(cv2.resize(grey, _THUMB, interpolation=cv2.INTER_AREA), np.float32)
        sides = [_BINS] * 3
        counts = cv2.calcHist([small], [0, 1, 2], None, sides, [0, 256] * 3)
        colours: F32 = np.asarray(counts, np.float32)
        for axis in range(3):  # neighbouring bins are alike
            sides_too = _moved(colours, axis, 1) + _moved(colours, axis, -1)
            colours = (0.5 * colours + 0.25 * sides_too).astype(np.float32)
        return Look(thumb, np.ravel(colours) / max(float(colours.sum()), 1.0), float(thumb.std()), tie)

    @property
    def empty(self) -> bool:
        """Whether nothing is to be seen."""
        return self.spread < _EMPTY


def _moved(counts: F32, axis: int, by: int) -> F32:
    """Counts moved by one bin; what would leave stays in the outermost one."""
    index = np.clip(np.arange(_BINS) + by, 0, _BINS - 1)
    return np.asarray(np.take(counts, index, axis), np.float32)


def tie(followed: F32, grey: F32, seen: F32) -> float:
    """How much a frame looks like the one before it, followed along its motion: correlation, and how much was found.

    Args:
        followed: (h, w) grey of the frame before, where its pixels are now.
        grey: (h, w) grey of the frame.
        seen: (h, w) 0..1, where the motion is believed.
    """
    share = float(seen.mean())
    if share < 0.02:
        return 0.0
    return max(_correlation(followed, grey, seen), 0.0) * min(1.0, share / 0.5)


def _correlation(a: F32, b: F32, weights: F32) -> float:
    w = weights / weights.sum()
    a, b = a - (w * a).sum(), b - (w * b).sum()
    both = float((w * a * a).sum() * (w * b * b).sum()) ** 0.5
    return float((w * a * b).sum()) / (both + 4.0)


def alike(a: Look, b: Look) -> float:
    """0..1: how much two frames look like the same place, however bright, without any motion."""
    structure = _correlation(a.thumb, b.thumb, np.ones_like(a.thumb))
    colours = float(np.minimum(a.colours, b.colours).sum())
    return max(structure, 0.0) * 0.5 + 0.5 * colours


def torn(look: Look, before: Look) -> bool:
    """Whether a frame does not go on from the one before it: a cut, or a flash."""
    if look.empty and before.empty:
        return False
    return look.tie < _TORN and alike(look, before) < _SAME


def begins_shot(before: Sequence[Look], here: Sequence[Look]) -> bool:
    """Whether a shot begins with the first frame of ``here``.

    Args:
        before: The frames before it, in order; of them the last LOOK_BACK count.
        here: It and the frames after it, as many as there are up to LOOK_AHEAD more.
    """
    if not before or not here:
        return False
    if not torn(here[0], before[-1]):
        return False
    return not any(alike(past, to_come) >= _SAME for past in before[-3:] for to_come in here[1 : 1 + LOOK_AHEAD])
