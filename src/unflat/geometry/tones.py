"""What time did to the colours of a picture, and how to take it back for who has to read it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F32, F64, U8
from unflat.types.image import Size

_TRIED_PX = 512
_ENDS = 0.005
"""Share of the pixels that may be darker, and lighter, than the ends of the tones."""
_FULL = (6.0, 250.0)
"""Where the ends of the tones are brought to, of 0..255."""
_FADED = 0.6
"""Share of 0..255 that lightness spans, below which a picture is faded."""
_BLANK = 0.02
"""The same where there is nothing to bring back."""
_TONED = 3.0
"""Chroma (Lab) left when what goes with lightness is taken out, below which a picture has one colour or none."""


@dataclass(frozen=True, eq=False)
class Tones:
    """The tones of a picture.

    Attributes:
        low: (3,) of red, green and blue: where the dark end lies, 0..255.
        high: (3,) where the light end lies.
        faded: Lightness spans too little.
        coloured: There are colours, not only black and white or one tint such as sepia.
    """

    low: F64
    high: F64
    faded: bool
    coloured: bool


def tones_of(rgb: U8) -> Tones:
    """Measure the tones of a picture.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
    """
    small = Size(rgb.shape[1], rgb.shape[0]).fitted(_TRIED_PX)
    tiny = cv2.resize(rgb, (small.width, small.height), interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.GaussianBlur(tiny, (0, 0), 1.0), np.float32)
    low, high = np.quantile(soft, (_ENDS, 1 - _ENDS), axis=(0, 1))
    first, last = np.quantile(soft @ np.array((0.299, 0.587, 0.114), np.float32), (_ENDS, 1 - _ENDS)).tolist()
    return Tones(low, high, _BLANK < (last - first) / 255 < _FADED, _coloured(soft))


def _coloured(soft: F32) -> bool:
    """Whether colour is more than a function of lightness."""
    lab = np.asarray(cv2.cvtColor(soft / 255, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
    light, chroma = lab[:, 0] / 100, lab[:, 1:]
    basis = np.stack([np.ones_like(light), light, light**2], 1)
    fit = np.asarray(basis @ np.linalg.lstsq(basis, chroma, rcond=None)[0], np.float32)
    return float(np.quantile(np.linalg.norm(chroma - fit, axis=1), 0.95)) > _TONED


def restored(rgb: U8, tones: Tones) -> U8:
    """The picture with each colour stretched to the full range, and single grains taken out.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        tones: Of it.
    """
    levels = np.arange(256)[:, None]
    span = np.maximum(tones.high - tones.low, 8)
    table = np.clip(_FULL[0] + (levels - tones.low) * ((_FULL[1] - _FULL[0]) / span), 0, 255).round().astype(np.uint8)
    return np.asarray(cv2.medianBlur(cv2.LUT(rgb, table[None]), 3), np.uint8)
