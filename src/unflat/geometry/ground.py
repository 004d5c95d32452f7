"""Cut-outs laid on a ground, and taken off it again once they have been moved about on it.

Moving and resampling what lies on the ground, and its cover alike, does to both what it would do to colour multiplied
by alpha (Porter and Duff, "Compositing digital images", 1984): no colour that was hidden comes in at the seams.
"""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import U8

GROUND = 255
"""White: where formats without transparency are laid on, too."""
_ROWS = 256


def on_ground(pixels: U8, alpha: U8) -> U8:
    """Lay a cut-out on white.

    Args:
        pixels: (h, w, 3) uint8 sRGB.
        alpha: (h, w) uint8, 255 is opaque.

    Returns:
        (h, w, 3) uint8.
    """
    out = np.empty_like(pixels)
    for top in range(0, len(out), _ROWS):
        rows = slice(top, top + _ROWS)
        cover = alpha[rows, :, None].astype(np.float32) / 255
        out[rows] = np.rint(GROUND + cover * (pixels[rows].astype(np.float32) - GROUND)).astype(np.uint8)
    return out


def off_ground(pixels: U8, alpha: U8) -> U8:
    """The colours of what lies on white, where its cover is known; white where it covers nothing.

    Args:
        pixels: (h, w, 3) uint8, as :func:`on_ground` gives it, moved or not.
        alpha: (h, w) uint8, moved alike.

    Returns:
        (h, w, 3) uint8.
    """
    out = np.empty_like(pixels)
    for top in range(0, len(out), _ROWS):
        rows = slice(top, top + _ROWS)
        cover = np.maximum(alpha[rows, :, None], 1).astype(np.float32) / 255
        found = GROUND + (pixels[rows].astype(np.float32) - GROUND) / cover
        out[rows] = np.rint(np.clip(np.where(alpha[rows, :, None] > 0, found, GROUND), 0, 255)).astype(np.uint8)
    return out
