"""Where one shot of a film ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unflat.types.arrays import F32, U8

LOOK_BACK = 9
"""Frames before a frame that are asked whether it begins a shot; a stretch of black counts as one."""
LOOK_AHEAD = 8
"""Frames after it that are asked."""
_FLASH = 4
"""A flash lasts fewer frames."""
_THUMB = (32, 24)
_BINS = 8
_EMPTY = 5.0
"""A frame whose grey values spread less than this (of 255) shows nothing: black, white, or nearly."""
_TORN = 0.35
"""Frames less alike than this, each followed along its motion, do not follow upon each other."""
_LOST = 0.2
"""So little alike, nothing at all was found again."""
_SAME, _SURELY_SAME = 0.55, 0.7
"""Frames at least so alike in structure and colours show the same place; and if nothing was found again."""
_SPAN = 7
"""A dissolve is looked for between frames so many before its middle and after it."""
_LIGHT = 0.15
"""Other colours cost no more than this where the structure is the same: somebody switched the light."""
_CALM = 0.6
"""Frames so alike follow upon each other without doubt."""
_SMOOTH = 0.8
"""Frames of a dissolve are at least so alike to the one before."""
_APART = 0.6
"""They are less alike than this."""
_MIXED, _LEAST = 0.6, 0.05
"""So much of the frames in the middle of a dissolve is what is seen before and after it, laid over each other; and so
much of them at least is of either."""


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
    structure = max(_correlation(a.thumb, b.thumb, np.ones_like(a.thumb)), 0.0)
    colours = float(np.minimum(a.colours, b.colours).sum())
    return max(0.5 * structure + 0.5 * colours, structure - _LIGHT)


def torn(look: Look, before: Look) -> bool:
    """Whether a frame does not go on from the one before it: a cut, or a flash, or motion that cannot be followed."""
    if look.empty and before.empty:
        return False
    return look.tie < _TORN and alike(look, before) < (_SURELY_SAME if look.tie < _LOST else _SAME)


def remembered(looks: Sequence[Look], look: Look) -> list[Look]:
    """The looks before the next frame: LOOK_BACK of them, a stretch of empty ones counting as one."""
    known = looks[:-1] if looks and look.empty and looks[-1].empty else looks
    return [*known, look][-LOOK_BACK:]


def begins_shot(before: Sequence[Look], here: Sequence[Look]) -> bool:
    """Whether a shot begins with the first frame of ``here``.

    A cut is seen between two frames; a flash is told from it by what comes after. The frames of a fade belong to the
    side of the black that they are on, the black to what is before it. A dissolve is cut in its middle.

    Args:
        before: The frames before it, in order, from :func:`remembered`.
        here: It and the frames after it, as many as there are up to LOOK_AHEAD more.
    """
    if not before or not here or here[0].empty:
        return False
    if before[-1].empty:
        known = [look for look in before if not look.empty]
        return not known or alike(_fullest(known), _fullest(here)) < _SAME
    if torn(here[0], before[-1]):
        calm = [before[-1].tie > _CALM, len(here) == 1 or here[1].tie > _CALM]
        if not any(calm):
            return False  # all is torn: the camera whips round
        sudden = all(calm)
        same = _SURELY_SAME if sudden else _SAME
        across = [(past, coming) for past in before[-3:] for coming in here[1 : 1 + _FLASH]]
        return all(alike(a, b) < same for a, b in [(before[-1], here[0]), *across])
    return _in_dissolve(before, here)


def _fullest(looks: Sequence[Look]) -> Look:
    return max(looks, key=lambda look: look.spread)


def _in_dissolve(before: Sequence[Look], here: Sequence[Look]) -> bool:
    """Whether the middle of a dissolve lies before ``here``: both sides of it are mixtures of what is farther off.

    What moves, however fast, is no mixture of where it was and where it will be.
    """
    if len(before) < _SPAN + 2 or len(here) < _SPAN + 2:
        return False
    around = [*before, *here]
    middle = len(before)
    first, last = before[-_SPAN], here[_SPAN - 1]
    if first.empty or any(look.empty or look.tie < _SMOOTH for look in around[middle - _SPAN + 1 : middle + _SPAN]):
        return False
    apart = alike(first, last)
    pairs = [(middle - _SPAN + k, middle + _SPAN - 1 + k) for k in (-2, -1, 1, 2)]
    if apart >= _APART or any(alike(around[a], around[b]) < apart for a, b in pairs):
        return False  # not the middle
    ends, mixed = (
        np.stack([np.ravel(look.thumb - look.thumb.mean()) for look in pair], 1)
        for pair in ((first, last), (before[-1], here[0]))
    )
    shares = np.linalg.lstsq(ends, mixed, rcond=None)[0]
    left = ((mixed - ends @ shares) ** 2).sum(0) / ((mixed**2).sum(0) + 1e-6)
    turns = shares[0, 0] >= shares[0, 1] and shares[1, 0] <= shares[1, 1]
    return bool(turns and shares.min() > _LEAST and shares.max() < 0.95 and left.max() < 1 - _MIXED)
