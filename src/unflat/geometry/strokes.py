"""Statistics that tell drawings and paintings from photographs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F32, U8, Bool
from unflat.types.image import Size

_DRAWN_PX = 512
_PAINTED_PX = 1024
_INK = 18.0
"""How much darker than the paper around it ink is, in lightness 0..100."""
_WIDEST = 9
"""Strokes are thinner than this, in pixels of the long side's 512."""
_TILE = 16


@dataclass(frozen=True)
class Strokes:
    """What a picture looks like as a drawing and as a painting.

    Attributes:
        paper: Lightness of the ground, 0..100.
        uneven: How much that varies, from its first to its last tenth.
        ink: Share of the picture that is darker than the ground around it.
        thin: Share of the ink that is in strokes and not in areas.
        colour: How far colours lie from that of the ground (Lab, nine tenths of the picture).
        touch: Fine contrast in the quietest twentieth of the picture, in lightness: brushes leave some everywhere.
        busy: The same in the median place.
        chroma: Of the median colour (Lab).
    """

    paper: float
    uneven: float
    ink: float
    thin: float
    colour: float
    touch: float
    busy: float
    chroma: float

    @property
    def drawn(self) -> bool:
        """Thin dark strokes on an even, light ground, and next to no colour."""
        ground = self.paper > 55 and self.uneven < 45 and self.colour < 14
        return ground and 0.01 < self.ink < 0.4 and self.thin > 0.8

    @property
    def painted(self) -> bool:
        """Colourful, with a touch everywhere: no place is smooth or out of focus, none as rough as grass or gravel."""
        return 0.9 < self.touch < 2.2 and self.touch > 0.3 * self.busy and self.busy < 5 and self.chroma > 20


def strokes_of(rgb: U8) -> Strokes:
    """Measure a picture.

    Args:
        rgb: (h, w, 3) uint8 sRGB, its sides at least 16 pixels.
    """
    lab = _lab(rgb, _DRAWN_PX)
    light = np.ascontiguousarray(lab[..., 0])
    wide = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_WIDEST, _WIDEST))
    ground = _ground(light)
    ink = light < ground - _INK
    filled = np.asarray(cv2.morphologyEx(light, cv2.MORPH_CLOSE, wide), np.float32)
    gone = ink & (filled > ground - _INK / 2)
    low, paper, high = (float(v) for v in np.quantile(ground, (0.1, 0.5, 0.9)))
    tint = np.median(lab[..., 1:], axis=(0, 1))
    colour = float(np.quantile(np.linalg.norm(lab[..., 1:] - tint, axis=-1), 0.9))
    fine = _fine_contrast(np.ascontiguousarray(_lab(rgb, _PAINTED_PX)[..., 0]))
    touch, busy = (float(v) for v in np.quantile(fine, (0.05, 0.5)))
    return Strokes(
        paper=paper,
        uneven=high - low,
        ink=float(ink.mean()),
        thin=float(gone.sum() / max(int(ink.sum()), 1)),
        colour=colour,
        touch=touch,
        busy=busy,
        chroma=float(np.median(np.linalg.norm(lab[..., 1:], axis=-1))),
    )


def ink_of(rgb: U8) -> Bool:
    """Where the ink of a drawing is, at a long side of at most 512.

    Args:
        rgb: (h, w, 3) uint8 sRGB, its sides at least 16 pixels.
    """
    light = np.ascontiguousarray(_lab(rgb, _DRAWN_PX)[..., 0])
    return light < _ground(light) - _INK


def _ground(light: F32) -> F32:
    """Lightness of the paper around every place."""
    ground = np.asarray(cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((31, 31), np.uint8)), np.float32)
    return np.asarray(cv2.blur(ground, (31, 31)), np.float32)


def _fine_contrast(light: F32) -> F32:
    """Standard deviation of what is finer than a few pixels, in every place of 16×16 pixels."""
    fine = light - np.asarray(cv2.GaussianBlur(light, (0, 0), 1.5), np.float32)
    places = np.asarray(cv2.blur(fine * fine, (_TILE, _TILE)), np.float32)[_TILE // 2 :: _TILE, _TILE // 2 :: _TILE]
    return np.sqrt(np.maximum(places, 0))


def _lab(rgb: U8, long_side: int) -> F32:
    size = Size(rgb.shape[1], rgb.shape[0]).fitted(long_side)
    small = cv2.resize(rgb, (size.width, size.height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
