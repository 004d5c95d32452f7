"""What the forecast is taught, and what it is measured by: exact masks of mirrors, glass and blank walls.

- mirror: the first surface that the ray of a pixel meets is a mirror.
- glass: the first surface that it meets is glass (panes, vessels, cases), however little of it is seen.
- blank wall: the pixel lies in a square of 1/13 of the picture's long side that shows nothing and is one plane. It
  shows nothing where in `PLAIN` of its pixels the bytes of no channel deviate by more than `sample.BLANK` within 11×11
  pixels (of a picture with a long side of 320). It is one plane where inverse depth, which is linear over the picture
  of a plane, deviates from the best linear function by less than `BENT` of its mean (root mean square). All of it is
  opaque: no sky, glass, mirror or lamp. Walls, ceilings, table tops and sheets of paper alike: only their surroundings
  tell how far they are.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.worlds.sample import blank
from training.worlds.surface import GLASS, MIRROR

CLASSES = ("mirror", "glass", "blank wall")
"""Their order is that of the bits of a label and of the network's answers."""
MIRROR_BIT, GLASS_BIT, BLANK_BIT = 1, 2, 4
SQUARES = 13
"""Squares that fit along the long side."""
PLAIN = 0.9
BENT = 0.003
_MATTE = 0


def bent(inverse: NDArray[np.floating], side: int) -> NDArray[np.float32]:
    """(h, w): root mean square of what is left of inverse depth after the best plane in the square around each pixel.

    inverse (h, w); side: of the square, odd. In units of the square's mean; infinite where that is zero.
    """
    i = inverse.astype(np.float32)
    i = i / max(float(i.mean()), 1e-12)
    ramp = (np.arange(side) - side // 2) / side
    flat = np.ones(side) / side
    mean, square = (box(i, cv2.CV_64F, (side, side)) for box in (cv2.boxFilter, cv2.sqrBoxFilter))
    across, down = (cv2.sepFilter2D(i, cv2.CV_32F, x, y) for x, y in ((ramp, flat), (flat, ramp)))
    left = np.maximum(square - mean**2 - (across**2 + down**2) * (12 / (side**2 - 1)), 0)
    return np.where(mean > 0, np.sqrt(left) / np.maximum(mean, 1e-9), np.inf).astype(np.float32)


def blank_walls(rgb: NDArray[np.uint8], inverse: NDArray[np.floating], what: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(h, w): the pixels of blank walls; rgb (h, w, 3) without noise, inverse (h, w) 0 in the sky, what (h, w)."""
    side = max(what.shape) // SQUARES // 2 * 2 + 1
    square = np.ones((side, side), np.uint8)
    plain = cv2.blur(blank(rgb).astype(np.float32), (side, side)) > PLAIN
    solid = cv2.erode(((what == _MATTE) & (inverse > 0)).astype(np.uint8), square)
    return cv2.dilate(plain & solid & (bent(inverse, side) < BENT), square).astype(bool)


def label(rgb: NDArray[np.uint8], inverse: NDArray[np.floating], what: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w): the sum of the bits of what each pixel is."""
    bits = np.where(what == MIRROR, MIRROR_BIT, 0) + np.where(what == GLASS, GLASS_BIT, 0)
    return (bits + BLANK_BIT * blank_walls(rgb, inverse, what)).astype(np.uint8)
