"""Solids that fill, behind each pixel of a picture, the room between a near and a far depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unflat.geometry.closed_surface import Closed, surface_of
from unflat.types.arrays import F32

_MARGIN = 2


class Columns(NamedTuple):
    """A solid as the columns that a picture sees end on; all lengths in pixels of that picture.

    Attributes:
        middle: (h, w) float32 depth of each column's middle; finite also outside of the outline.
        squares: (h, w) float32 square of half its length; it goes through 0 at the outline and is negative outside, so
            that a ball's rim is as round as the ball.
    """

    middle: F32
    squares: F32


def surface_of_columns(parts: Sequence[Columns]) -> Closed:
    """The closed surface around all parts together.

    Args:
        parts: Of one shape (h, w).

    Returns:
        Vertices as (x, y, z) in pixels of the picture, whose first pixel's centre is (0.5, 0.5).

    Raises:
        InputError: The parts are empty.
    """
    halves = [np.sqrt(np.maximum(part.squares, 0)) for part in parts]
    low = min(float((part.middle - half)[half > 0].min(initial=0)) for part, half in zip(parts, halves, strict=True))
    high = max(float((part.middle + half)[half > 0].max(initial=0)) for part, half in zip(parts, halves, strict=True))
    z = np.arange(np.floor(low) - _MARGIN, np.ceil(high) + _MARGIN + 1, dtype=np.float32)[:, None, None]
    whole: F32 | None = None
    for part in parts:
        field = (z - part.middle) ** 2 - part.squares
        whole = field if whole is None else np.minimum(whole, field, out=whole)
    assert whole is not None
    closed = surface_of(whole)
    return Closed(closed.vertices + np.array([0.5, 0.5, float(z[0, 0, 0])]), closed.faces)
