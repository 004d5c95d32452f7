"""sRGB bytes and the linear colours that glTF and USD speak of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F64, U8


def _linear_table() -> F64:
    s = np.arange(256) / 255
    return np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)


LINEAR_FROM_SRGB8 = _linear_table()
"""(256,) float64: the linear colour, 0..1, of each sRGB byte; IEC 61966-2-1."""

LINEAR16_FROM_SRGB8 = np.rint(65535 * LINEAR_FROM_SRGB8).astype(np.uint16)
"""(256,) uint16: the same, 0..65535."""


def srgb8_from_linear(linear: NDArray[Any]) -> U8:
    """Linear colours, 0..1, as the nearest sRGB bytes; what lies outside is clipped."""
    midpoints = (LINEAR_FROM_SRGB8[1:] + LINEAR_FROM_SRGB8[:-1]) / 2
    return np.searchsorted(midpoints, linear).astype(np.uint8)
