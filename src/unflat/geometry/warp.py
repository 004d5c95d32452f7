"""A picture seen by an eye beside the one that saw it, whole.

picture, disparity ─ rows moved (warp_rows) ─► view with gaps ─ filled from behind (warp_fill) ─► outlines softened
"""

from __future__ import annotations

import numpy as np

from unflat.geometry.warp_fill import fill_gaps, soften_outlines
from unflat.geometry.warp_rows import RIM, seen_gaps
from unflat.types.arrays import F32, U8, Bool

SHOWN = 128
"""A pixel of which less than this (of 255) is covered by what the picture shows is made up."""


def seen_by(pixels: U8, disparity: F32, share: float, rim: int = RIM) -> tuple[U8, Bool]:
    """What an eye sees that stands beside the one that saw the picture.

    Args:
        pixels: (h, w, 3) uint8.
        disparity: (h, w) float32 in pixels, finite; larger is nearer.
        share: What is at x is seen at ``x + share * disparity``: positive for an eye to the left.
        rim: So many pixels on either side of an outline may be mixtures of both surfaces; 0 where the disparity of
            every pixel was measured.

    Returns:
        (h, w, 3) uint8, and (h, w) bool, the pixels most of which nothing in the picture shows: they continue what is
        farther away beside them.

    Raises:
        ShapeError: Picture and disparity are of different sizes.
    """
    if share == 0:
        return pixels, np.zeros(disparity.shape, np.bool_)
    seen = seen_gaps(pixels, disparity, share, rim)
    fill_gaps(seen, share)
    soften_outlines(seen)
    return seen.view, seen.cover < SHOWN
