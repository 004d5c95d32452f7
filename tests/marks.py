"""Finding the visible mark in pictures and frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.stamp import Stamp


def legible(pixels: NDArray[np.uint8], drawn: Stamp) -> float:
    """How well what stands where a stamp should be is like its letters: the correlation of both, -1..1."""
    shown = pixels[drawn.place].astype(float).mean(axis=2).ravel()
    if np.ptp(shown) == 0:
        return 0.0
    return float(np.corrcoef(shown, drawn.letters.ravel())[0, 1])


def shift_of(left: NDArray[np.uint8], right: NDArray[np.uint8], drawn: Stamp, reach: int = 6) -> int:
    """By how many columns the mark lies farther right in the left view than in the right one."""
    places = [
        max(range(-reach, reach + 1), key=lambda by: legible(np.roll(view, -by, 1), drawn)) for view in (left, right)
    ]
    return places[0] - places[1]
