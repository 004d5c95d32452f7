"""Anaglyphs: two views in one picture for red-cyan glasses, red before the left eye.

Every method is a 3×6 matrix over the colours of both views. ``dubois`` is the least-squares projection of E. Dubois,
"A projection method to generate anaglyph stereo images" (ICASSP 2001), with the matrix for red-cyan glasses before a
liquid crystal display that he gives in "Conversion of a stereo pair to anaglyph with the least-squares projection
method" (2009). It matches light, so it is done in linear light. The others choose channels of the coded values, as
their makers do: ``colour`` takes red from the left view and green and blue from the right one, ``half-colour`` and
``grey`` take the luma (ITU-R BT.601) of the left view for red, ``grey`` that of the right one for green and blue.
"""
# pyright: standard

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from unflat.errors import ShapeError
from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8

Anaglyph = Literal["dubois", "half-colour", "grey", "colour"]
"""How the colours of two views become those of one; see the module."""

_CODES = 1 << 16
_LUMA = (0.299, 0.587, 0.114)
_NONE = (0.0, 0.0, 0.0)
_RED, _GREEN, _BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_ROWS_A_THREAD = 64


class _Method(NamedTuple):
    """What red, green and blue are made of (left view, right view), and whether that is done in linear light."""

    red: tuple[tuple[float, float, float], tuple[float, float, float]]
    green: tuple[tuple[float, float, float], tuple[float, float, float]]
    blue: tuple[tuple[float, float, float], tuple[float, float, float]]
    linear: bool = False

    @property
    def weights(self) -> F32:
        """(3, 6) float32."""
        return np.array([[*left, *right] for left, right in (self.red, self.green, self.blue)], np.float32)


METHODS: dict[Anaglyph, _Method] = {
    "dubois": _Method(
        ((0.437, 0.449, 0.164), (-0.011, -0.032, -0.007)),
        ((-0.062, -0.062, -0.024), (0.377, 0.761, 0.009)),
        ((-0.048, -0.050, -0.017), (-0.026, -0.093, 1.234)),
        linear=True,
    ),
    "half-colour": _Method((_LUMA, _NONE), (_NONE, _GREEN), (_NONE, _BLUE)),
    "grey": _Method((_LUMA, _NONE), (_NONE, _LUMA), (_NONE, _LUMA)),
    "colour": _Method((_RED, _NONE), (_NONE, _GREEN), (_NONE, _BLUE)),
}
"""The matrices. Rows of one colour add up to 1: what is the same grey to both eyes stays that grey."""


def anaglyph(left: U8, right: U8, method: Anaglyph = "dubois") -> U8:
    """Two views as one picture for red-cyan glasses.

    It must be kept at full colour resolution (PNG, or JPEG 4:4:4): each eye's view is in the colour.

    Args:
        left: (h, w, 3) uint8 sRGB.
        right: Of the same size.
        method: See :data:`METHODS`.

    Returns:
        (h, w, 3) uint8 sRGB.

    Raises:
        ShapeError: The views differ in size.
    """
    if left.shape != right.shape:
        raise ShapeError(f"two views of one size make an anaglyph, not {left.shape} and {right.shape}")
    chosen = METHODS[method]
    decode, encode = _tables(linear=chosen.linear)
    weights, out = chosen.weights, np.empty_like(left)

    def rows(top: int, bottom: int) -> None:
        _mix(left[top:bottom], right[top:bottom], weights, decode, encode, out[top:bottom])

    in_bands(rows, left.shape[0], _ROWS_A_THREAD)
    return out


def _tables(*, linear: bool) -> tuple[F32, U8]:
    """From a coded value to light, and from light in 65536 steps to the coded value (IEC 61966-2-1, or as it is)."""
    coded, light = np.arange(256) / 255, np.arange(_CODES) / (_CODES - 1)
    if linear:
        coded = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
        light = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return coded.astype(np.float32), np.rint(light * 255).astype(np.uint8)


@kernel
def _mix(left, right, weights, decode, encode, out):
    """The matrix over each pair of pixels; what is darker than black or lighter than white is cut off."""
    top = encode.shape[0] - 1
    for y in range(left.shape[0]):
        for x in range(left.shape[1]):
            a, b, c = decode[left[y, x, 0]], decode[left[y, x, 1]], decode[left[y, x, 2]]
            d, e, f = decode[right[y, x, 0]], decode[right[y, x, 1]], decode[right[y, x, 2]]
            for k in range(3):
                light = weights[k, 0] * a + weights[k, 1] * b + weights[k, 2] * c
                light += weights[k, 3] * d + weights[k, 4] * e + weights[k, 5] * f
                code = int(light * top + np.float32(0.5))
                out[y, x, k] = encode[min(max(code, 0), top)]
