"""A colour map for depth: from near (light, yellow) to far (dark, violet), even to the eye.

Made, not taken: lightness falls in a straight line while the hue turns through orange and magenta, in Björn
Ottosson's Oklab (2020); where sRGB has no such colour, chroma gives way and lightness stays.
"""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F64, U8, Bool

_LIGHT, _DARK = 0.95, 0.18
_HUES_DEG = (105.0, -75.0)
_CHROMA = 0.19


def depth_colours(steps: int = 256) -> U8:
    """(steps, 3) uint8 sRGB; row 0 is far, the last row is near."""
    t = np.linspace(0, 1, steps)
    lightness = _DARK + (_LIGHT - _DARK) * t
    hue = np.radians(_HUES_DEG[1] + (_HUES_DEG[0] - _HUES_DEG[1]) * t)
    wanted = _CHROMA * np.sin(np.pi * (0.12 + 0.8 * t))
    low, high = np.zeros(steps), wanted
    for _ in range(24):
        middle = (low + high) / 2
        inside = _in_gamut(_linear_srgb(lightness, middle, hue))
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    linear = np.clip(_linear_srgb(lightness, low, hue), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(encoded * 255).astype(np.uint8)


def _in_gamut(linear: F64) -> Bool:
    return np.all((linear >= -1e-6) & (linear <= 1 + 1e-6), axis=1)


def _linear_srgb(lightness: F64, chroma: F64, hue: F64) -> F64:
    """Oklab in polar form -> linear sRGB, (n, 3)."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    l_, m_, s_ = (
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    )
    cubes = np.stack([l_**3, m_**3, s_**3], axis=1)
    turn = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    return cubes @ turn.T
