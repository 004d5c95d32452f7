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
_BORNE = 1.5
"""Grain that grey and sepia pictures may have when they are stretched; more of it costs more than contrast gains."""
_WORTH = 1.1
"""They are stretched where that leaves at least so much more contrast."""
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
        grain: Standard deviation of the finest noise of the lightness, at a long side of 512, 0..255.
    """

    low: F64
    high: F64
    faded: bool
    coloured: bool
    grain: float


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
    faded = _BLANK < (last - first) / 255 < _FADED
    return Tones(
        low, high, faded, _coloured(soft), _grain(np.asarray(cv2.cvtColor(tiny, cv2.COLOR_RGB2GRAY), np.uint8))
    )


def _grain(light: U8) -> float:
    """What a mask that sees neither planes nor straight edges leaves (Immerkær 1996), by its median."""
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    left = np.abs(np.asarray(cv2.filter2D(light.astype(np.float32), -1, mask), np.float32))
    return float(np.median(left)) / 0.6745


def _coloured(soft: F32) -> bool:
    """Whether colour is more than a function of lightness."""
    lab = np.asarray(cv2.cvtColor(soft / 255, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
    light, chroma = lab[:, 0] / 100, lab[:, 1:]
    basis = np.stack([np.ones_like(light), light, light**2], 1)
    fit = np.asarray(basis @ np.linalg.lstsq(basis, chroma, rcond=None)[0], np.float32)
    return float(np.quantile(np.linalg.norm(chroma - fit, axis=1), 0.95)) > _TONED


def restored(rgb: U8, tones: Tones) -> U8 | None:
    """The picture with each colour stretched to the full range, and single grains taken out.

    What has no colours of its own is stretched as far only as its grain, which grows with it, bears.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        tones: Of it.

    Returns:
        (h, w, 3) uint8, or None where grain forbids it.
    """
    levels = np.arange(256)[:, None]
    span = np.maximum(tones.high - tones.low, 8)
    full = _FULL[0] + (levels - tones.low) * ((_FULL[1] - _FULL[0]) / span)
    share = 1.0
    if not tones.coloured:
        most = float((_FULL[1] - _FULL[0]) / span.mean())
        borne = min(_BORNE / max(tones.grain, 1e-3), most)
        if borne < _WORTH:
            return None
        share = (borne - 1) / (most - 1)
    table = np.clip(levels + share * (full - levels), 0, 255).round().astype(np.uint8)
    return np.asarray(cv2.medianBlur(cv2.LUT(rgb, table[None]), 3), np.uint8)
