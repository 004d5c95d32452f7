"""The first round: the whole picture, coarsely, by several finders of faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from unflat.models.faces.cascade import cascade
from unflat.models.faces.sweep import Sums, sweep
from unflat.types.arrays import F64, U8

_FACTOR = 1.25
"""Steps between the sizes that are looked for."""
_COARSE = 4
"""What is turned or leans is looked for only when so many steps larger than the smallest face."""
_LEAN_DEG = 25.0
_SHORT = 1
"""Windows that fail so late are looked at closely."""
_FAILED = 0.5
"""They count so much for every stage that they fail before the last."""
_GREY = 127
_BEST = (("frontalface_alt2", False, 1.0),)
_ALL = (*_BEST, ("frontalface_default", False, 0.7), ("profileface", False, 0.7), ("profileface", True, 0.7))
"""Who looks, whether mirrored, and what it counts."""

Glance = Callable[[], F64]
"""Looks at a picture and gives (n, 5) float64: x and y of the middle of windows, width, height, weight."""


def glances(grey: U8) -> list[Glance]:
    """What has to be looked at in a picture whose smallest faces are 20 pixels wide; the longest look first.

    Each may run in a thread of its own, and uses no other.
    """
    back, sizes = np.array([[1.0, 0, 0], [0, 1, 0]]), _sizes(grey)
    looks: list[Glance] = [
        partial(_look, small, _ALL if step >= _COARSE else _BEST, back * (grey.shape[1] / small.shape[1]))
        for step, small in enumerate(sizes)
    ]
    if len(sizes) > _COARSE:
        scale = grey.shape[1] / sizes[_COARSE].shape[1]
        for degrees in (_LEAN_DEG, -_LEAN_DEG):
            leaning, back = _leaning(sizes[_COARSE], degrees)
            for small in _sizes(leaning):
                there = np.c_[back[:, :2] * (leaning.shape[1] / small.shape[1]), back[:, 2]]
                looks.append(partial(_look, small, _BEST, scale * there))
    return looks


def _sizes(grey: U8) -> list[U8]:
    """The picture, smaller and smaller."""
    import cv2

    sizes, shrink = [grey], _FACTOR
    while min(side := [round(side / shrink) for side in grey.shape]) >= 24:
        smaller = cv2.resize(sizes[-1], (side[1], side[0]), interpolation=cv2.INTER_LINEAR)
        sizes.append(np.asarray(smaller, np.uint8))
        shrink *= _FACTOR
    return sizes


def _look(grey: U8, looking: Sequence[tuple[str, bool, float]], back: F64) -> F64:
    """What several cascades see in one size, where it is in the picture; ``back`` (2, 3) leads there."""
    sums, scale, seen = Sums.of(grey), float(np.hypot(back[0, 0], back[1, 0])), list[F64]()
    for name, mirrored, weight in looking:
        asked = cascade(name, mirrored)
        found = sweep(sums, asked, _SHORT).astype(np.float64)
        middle = (found[:, :2] + [asked.width / 2, asked.height / 2]) @ back[:, :2].T + back[:, 2]
        sides = np.broadcast_to([scale * asked.width, scale * asked.height], middle.shape)
        seen.append(np.concatenate([middle, sides, weight * _FAILED ** (asked.stages - found[:, 2:])], 1))
    return np.concatenate(seen)


def _leaning(grey: U8, degrees: float) -> tuple[U8, F64]:
    """A turned copy, all of the picture within it, and (2, 3) that leads back from it."""
    import cv2

    height, width = grey.shape
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), np.float64)
    wide, high = (round(float(side)) for side in np.abs(turn[:, :2]) @ [width, height])
    turn[:, 2] += (wide - width) / 2, (high - height) / 2
    turned = cv2.warpAffine(grey, turn, (wide, high), borderMode=cv2.BORDER_CONSTANT, borderValue=(_GREY,))
    return np.asarray(turned, np.uint8), np.asarray(cv2.invertAffineTransform(turn), np.float64)
