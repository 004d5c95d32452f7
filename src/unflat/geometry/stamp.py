"""A line of words on a dark plate, to be laid into a corner of pictures: light letters that any ground lets be read.

The letters are the strokes that OpenCV brings (Hershey's), drawn large and shrunk, so that they are smooth at any size.
A stamp is drawn once for all frames of one size; laying it in touches no pixel beyond its plate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8
from unflat.types.image import Size

TALL, LEAST = 0.027, 10.0
"""Capital letters are this share of the picture's shorter side tall, and at least so many pixels."""
_FONT, _CAPITAL = cv2.FONT_HERSHEY_SIMPLEX, 21.0
"""Capitals of that font are so many pixels tall at scale 1."""
_STROKE = 0.14
_ABOVE, _BELOW, _BESIDE = 0.45, 0.75, 0.9
"""How far the plate goes beyond capitals (letters such as g and p reach below them), in heights of these."""
_INSET = 1.2
"""How far the plate stays away from the picture's border, in heights of capitals."""
_FILLS = 0.96
"""The most of a narrow picture's width that a plate takes; its letters are smaller there."""
_DARK, _LIGHT, _OPAQUE = 18.0, 255.0, 0.78
_FINE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """Words at their place in pictures of one size.

    Attributes:
        size: Of the pictures.
        left: Of the plate, in pixels.
        top: Likewise.
        cover: (h, w, 1) float32, how opaque the stamp is, 0..1.
        shade: (h, w, 1) float32, its grey from 0 to 255, times ``cover``.
        letters: (h, w) float32, how much of each pixel is letter, 0..1.
    """

    size: Size
    left: int
    top: int
    cover: F32
    shade: F32
    letters: F32

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns that it is laid on."""
        h, w = self.letters.shape
        return slice(self.top, self.top + h), slice(self.left, self.left + w)

    def on(self, pixels: U8) -> U8:
        """A copy of a picture, (h, w, 3) uint8, with the stamp.

        Raises:
            ShapeError: It was drawn for pictures of another size.
        """
        if pixels.shape[:2] != self.size.shape:
            raise ShapeError(f"a stamp for {self.size} is not laid on {pixels.shape[1]}×{pixels.shape[0]} pixels")
        out = pixels.copy()
        ground = out[self.place]
        ground[...] = np.rint(ground * (1 - self.cover) + self.shade)
        return out

    def covering(self, alpha: U8) -> U8:
        """What of a picture is opaque, (h, w) uint8, once the stamp lies on it."""
        out = alpha.copy()
        ground = out[self.place]
        ground[...] = np.rint(255 - (255 - ground) * (1 - self.cover[..., 0]))
        return out

    def flat(self, depth: U8) -> U8:
        """Depth in grey, (h, w, 3) uint8, near is white, with the plate standing before all that lies behind it."""
        out = depth.copy()
        ground = out[self.place]
        ground[self.cover[..., 0] > 0] = ground.max()
        return out


@lru_cache(maxsize=16)
def stamp(words: str, size: Size, *, least: float = LEAST, middle: bool = False) -> Stamp:
    """Draw a stamp.

    Args:
        words: One line of ASCII.
        size: Of the pictures that it is for.
        least: Height of capitals in pixels that they have at least, unless the picture is too narrow or low for that.
        middle: It stands in the middle at the foot of the picture, rather than in its lower right corner.
    """
    (wide, _), _ = cv2.getTextSize(words, _FONT, 1.0, 1)
    across = wide / _CAPITAL + 2 * _BESIDE
    down = 1 + _ABOVE + _BELOW
    capital = max(TALL * min(size.width, size.height), least)
    capital = min(capital, _FILLS * size.width / across, _FILLS * size.height / down)
    w, h = max(1, round(capital * across)), max(1, round(capital * down))
    inset = math.ceil(_INSET * capital)
    left = (size.width - w) // 2 if middle else size.width - w - inset
    left, top = max(0, min(left, size.width - w)), max(0, size.height - h - inset)
    letters, plate = _drawn(words, capital, w, h)
    cover = np.maximum(plate * np.float32(_OPAQUE), letters)
    shade = np.asarray(letters * _LIGHT + (cover - letters) * _DARK, np.float32)
    for one in (cover, shade, letters):
        one.setflags(write=False)
    return Stamp(size, left, top, cover[..., None], shade[..., None], letters)


def _drawn(words: str, capital: float, w: int, h: int) -> tuple[F32, F32]:
    """Letters and plate, (h, w) float32 each, 0..1."""
    tall = capital * _FINE
    letters, plate = np.zeros((h * _FINE, w * _FINE), np.uint8), np.zeros((h * _FINE, w * _FINE), np.uint8)
    foot = (round(_BESIDE * tall), round((1 + _ABOVE) * tall))
    stroke = max(1, round(_STROKE * tall))
    cv2.putText(letters, words, foot, _FONT, tall / _CAPITAL, 255, stroke, cv2.LINE_AA)
    half = plate.shape[0] // 2
    cv2.line(plate, (half, half), (plate.shape[1] - 1 - half, half), 255, 2 * half)
    small = (cv2.resize(one, (w, h), interpolation=cv2.INTER_AREA) for one in (letters, plate))
    first, second = (np.asarray(one, np.float32) / np.float32(255) for one in small)
    return first, second
