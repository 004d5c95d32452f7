"""The seam of an outline unmixed: how much of each pixel is the nearer surface, and what it looks like.

A pixel along an outline shows C = a·F + (1 - a)·B. F is taken from inside the nearer surface, B from the continued
farther one; a is where C falls on the line between the two (the compositing equation of Porter and Duff, 1984, solved
as in Smith and Blinn, "Blue screen matting", 1996, for a known background). What is left over goes to the surface that
the pixel shows more of, so the two together give back C. Where C is no such mixture, the pixel stays the farther
surface's own: a patterned wall is not to be taken for a halo. Yet a pixel that is unlike all of the farther surface
around it, as sharpening in cameras leaves them along outlines, is the outline's: a half transparent rim goes with it.

Depths are inverse depths; colours are linear in the byte values, as resampling in cameras mostly is.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.hidden import Seam
from unflat.geometry.nearest import nearest_true
from unflat.types.arrays import F32, U8, Bool

LEAST_APART = 30.0
"""Surfaces whose colours differ by less (sRGB units) cannot be told apart: the pixel is the farther one's."""
LEAST_ALPHA = 0.1
"""A smaller share is not told from the farther surface's own pattern."""
HALO = 0.5
"""How opaque the rim is that sharpening leaves along an outline."""
ODD_SIGMAS, ODD_LEAST = 2.5, 6.0
"""A pixel is odd if it is so many standard deviations, and so many units more, from the mean around it."""
OFF_LINE = 0.5
"""A mixture is no farther from the line between the two colours than this share of its length."""

_BAND = 256
"""Rows whose windows are summed up at once."""


class Matte(NamedTuple):
    """The unmixed seam.

    Attributes:
        alpha: (h, w) float32, the nearer surface's share; 1 on its last own pixels, 0 elsewhere.
        inverse: (h, w) float32 inverse depth of the nearer surface along the seam, 0 elsewhere.
        colour: (h, w, 3) float32, of the nearer surface along the seam.
        behind: (h, w, 3) float32, of the farther surface: as continued, and along the seam as unmixed.
    """

    alpha: F32
    inverse: F32
    colour: F32
    behind: F32


def _means_at(colour: F32 | U8, mask: Bool, at: Bool, width: int) -> tuple[F32, F32, F32]:
    """Mean colour, and mean square, of the masked pixels in the window around each pixel of ``at``, and their number.

    Found band by band, for whole planes of sums fill the memory and few pixels are asked for.

    Args:
        colour: (h, w, 3).
        mask: (h, w), the pixels that count.
        at: (h, w), n pixels.
        width: The window reaches this far to each side.

    Returns:
        (n, 3), (n, 3) and (n,), in the order of the rows.
    """
    size, rows = (2 * width + 1,) * 2, len(mask)
    means, squares, counts = [np.zeros((0, 3), np.float32)], [np.zeros((0, 3), np.float32)], [np.zeros(0, np.float32)]
    for first in range(0, rows, _BAND):
        here = at[first : first + _BAND]
        if not here.any():
            continue
        band = slice(max(first - width, 0), min(first + _BAND + width, rows))
        weight, tint = mask[band].astype(np.float32), colour[band].astype(np.float32)

        def summed(plane: F32, band: slice = band, first: int = first, here: Bool = here) -> F32:
            total = cv2.boxFilter(plane, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
            return np.asarray(total, np.float32)[first - band.start :][: len(here)][here]

        count = summed(weight)
        some = np.maximum(count, np.float32(1e-6))[:, None]
        tint *= weight[..., None]
        means.append(np.divide(summed(tint), some, dtype=np.float32))
        squares.append(np.divide(summed(tint * tint), some, dtype=np.float32))
        counts.append(count)
    return np.concatenate(means), np.concatenate(squares), np.concatenate(counts)


def _inside(colour: F32 | U8, near: Bool, covering: Bool, width: int) -> F32:
    """What nearer surfaces look like beside their outline, from inside where there is an inside: (n, 3) at ``near``."""
    deep, _, several = _means_at(colour, covering & ~near, near, width)
    shallow, _, _ = _means_at(colour, covering | near, near, width)
    return np.where((several > 0.5)[:, None], deep, shallow)


def _odd(colour: F32 | U8, clean: Bool, at: Bool, width: int) -> Bool:
    """Which pixels of ``at`` look like none of the clean ones around them: (n,). On a pattern hardly any does not."""
    mean, square, count = _means_at(colour, clean, at, width + 3)
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return (np.abs(colour[at] - mean) > ODD_SIGMAS * spread + ODD_LEAST).any(axis=1) & (count > 2)


def unmix(
    colour: F32 | U8, behind: F32, inverse: F32, seen: Seam, covering: Bool, width: int, clean: Bool | None = None
) -> Matte:
    """Tell the two surfaces of every mixed pixel apart.

    Args:
        colour: (h, w, 3) float32 or uint8, the picture.
        behind: (h, w, 3) float32, the farther surfaces, continued over the seam from beyond it.
        inverse: (h, w) inverse depth of what is seen.
        seen: The pixels along the outlines.
        covering: (h, w), seen pixels of the nearer surfaces.
        width: Of the mixed seam, in pixels.
        clean: (h, w), seen pixels of the farther surfaces beyond the seam; None: no pixel is odd beside them.
    """
    mixed = seen.mixed
    alpha, front = np.zeros(mixed.shape, np.float32), np.zeros_like(inverse)
    nearer, back = np.zeros_like(behind), behind.copy()
    if not mixed.any() or not seen.near.any():
        return Matte(alpha, front, nearer, back)
    at = np.nonzero(mixed)
    nearest = nearest_true(seen.near, at)
    own = _inside(colour, seen.near, covering, width + 1)[np.searchsorted(np.flatnonzero(seen.near), nearest)]
    c, b = colour[at].astype(np.float32), behind[at]
    line = own - b
    length = np.maximum((line * line).sum(1), 1e-6)
    a = ((c - b) * line).sum(1) / length
    off = c - b - a[:, None] * line
    told = (length >= LEAST_APART**2) & (a >= LEAST_ALPHA) & ((off * off).sum(1) <= OFF_LINE**2 * length)
    a = np.where(told, np.minimum(a, 1), 0)
    halo = np.zeros_like(told) if clean is None else ~told & _odd(colour, clean, mixed, width)
    own = np.where(halo[:, None], np.clip((c - (1 - HALO) * b) / HALO, 0, 255), own)
    a = np.where(halo, HALO, a)
    left = c - (a[:, None] * own + (1 - a[:, None]) * b)
    own = np.clip(own + np.where(a[:, None] >= 0.5, left / np.maximum(a, 0.5)[:, None], 0), 0, 255)
    b = np.clip(b + np.where(a[:, None] < 0.5, left / np.maximum(1 - a, 0.5)[:, None], 0), 0, 255)
    alpha[at], nearer[at], back[at] = a, own, b
    front[at] = np.where(a > 0, inverse.ravel()[nearest], 0)
    ring = (cv2.dilate((alpha > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & seen.near
    alpha[ring], front[ring], nearer[ring] = 1, inverse[ring], colour[ring]
    return Matte(alpha, front, nearer, back)
