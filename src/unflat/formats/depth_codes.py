"""How depth becomes the numbers of a file, and back.

16-bit PNG
    METRIC: z in millimetres where the farthest point lies within 65.534 m. Code 0 is invalid, 65535 is sky. Something
    nearer than half a millimetre gets code 1, for it is there. Beyond that, millimetres do not fit: it is then written
    like SCALE, near white, which nobody takes for millimetres by mistake; the sidecar still gives the metres back.
    SCALE: inverse depth, linear between the farthest and the nearest point. AFFINE: z. DISPARITY: as it is. All are
    spread over 65534 codes, near white or near black. Code 0 is invalid in both. The sky is the code beyond the far
    end: 1 where near is white, 65535 where near is black.
    METRIC is written like SCALE where white or black is asked for by name.
EXR, NPY, PFM
    The values as they are; invalid is NaN; the sky is +inf, and for DISPARITY, where infinity has no place, the
    next number below the smallest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.types.arrays import F32, F64, Bool
from unflat.types.depth import DepthKind, DepthMap

Quantity = Literal["z", "inverse-z", "disparity"]
Near = Literal["white", "black"]

TOP = 65535
_MM = 0.001
ROOM = 1.5
"""How much nearer than the nearest point of the picture a hand may bring something."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A straight line between whole codes and a quantity.

    Attributes:
        quantity: What is linear in the code.
        low: The quantity at ``code_low``.
        high: The quantity at ``code_high``.
        code_low: A code.
        code_high: Another code; smaller than ``code_low`` where large quantities are dark.
        invalid: The code of pixels without depth.
        sky: The code of the sky.
    """

    quantity: Quantity
    low: float
    high: float
    code_low: int
    code_high: int
    invalid: int = 0
    sky: int = TOP

    def __post_init__(self) -> None:
        codes = (self.code_low, self.code_high, self.invalid, self.sky)
        if not all(0 <= c <= TOP for c in codes) or self.code_low == self.code_high or self.invalid == self.sky:
            raise InputError(f"a depth coding with the codes {codes} makes no sense")
        if not (math.isfinite(self.low) and math.isfinite(self.high)) or self.low > self.high:
            raise InputError(f"a depth coding from {self.low} to {self.high} makes no sense")
        if self.quantity == "inverse-z" and self.low <= 0:
            raise InputError("inverse depth must be positive")

    @property
    def near(self) -> Near:
        """Which end of the grey scale is near."""
        rising = self.code_high > self.code_low
        return "black" if rising == (self.quantity == "z") else "white"

    def encode(self, depth: DepthMap) -> NDArray[np.uint16]:
        """(h, w) uint16 codes."""
        surface = depth.surface
        q = _quantity(depth, self.quantity)
        span = self.high - self.low or 1.0
        with np.errstate(invalid="ignore"):
            codes = np.rint(self.code_low + (q - self.low) * ((self.code_high - self.code_low) / span))
        least, most = sorted((self.code_low, self.code_high))
        codes = np.clip(codes, max(least, 1), min(most, TOP - 1) if self.sky == TOP else most)
        out = np.full(surface.shape, self.invalid, np.uint16)
        out[surface] = codes[surface].astype(np.uint16)
        if depth.sky is not None:
            out[depth.sky & np.asarray(depth.valid)] = self.sky
        return out

    def decode(self, codes: NDArray[np.uint16]) -> tuple[F32, Bool, Bool]:
        """Codes -> values in the kind's own numbers, valid, sky; each (h, w)."""
        invalid, sky = codes == self.invalid, codes == self.sky
        step = (self.high - self.low) / (self.code_high - self.code_low)
        q: F64 = self.low + (codes.astype(np.float64) - self.code_low) * step
        if self.quantity == "inverse-z":
            invalid |= (q <= 0) & ~sky
            q = 1 / np.where(q > 0, q, 1.0)
        with np.errstate(over="ignore"):
            values = q.astype(np.float32)
        invalid |= ~np.isfinite(values) & ~sky
        values[sky] = self.low if self.quantity == "disparity" else np.inf
        values[invalid] = np.nan
        return values, ~invalid, sky


def coding_for(depth: DepthMap, near: str | None) -> Coding:
    """Choose the coding of a 16-bit PNG; see the top of this file.

    Args:
        depth: With at least one valid pixel.
        near: "white", "black", or None for the default of the kind.
    """
    surface = depth.surface
    if depth.kind is DepthKind.METRIC and near is None:
        farthest = float(depth.values[surface].max()) if surface.any() else 1.0
        if round(farthest / _MM) <= TOP - 1:
            return Coding("z", 0.0, _MM * TOP, 0, TOP)
    quantity: Quantity = "inverse-z" if depth.kind.is_depth else "z" if depth.kind is DepthKind.AFFINE else "disparity"
    q = _quantity(depth, quantity)[surface]
    low, high = (float(q.min()), float(q.max())) if q.size else (1.0, 1.0)
    near_code, far_code, sky = (TOP, 2, 1) if near in (None, "white") else (1, TOP - 1, TOP)
    ends = (near_code, far_code) if quantity == "z" else (far_code, near_code)
    return Coding(quantity, low, high, ends[0], ends[1], 0, sky)


def coding_to_edit(depth: DepthMap) -> Coding:
    """A coding with room at both ends, for depth that is moved by hand: inverse depth, near white.

    The first step above the sky is one step above infinity, and what is half as near again as the nearest point
    still has a code.

    Args:
        depth: METRIC or SCALE, with at least one pixel of surface.
    """
    nearest = float(_quantity(depth, "inverse-z")[depth.surface].max())
    step = ROOM * nearest / (TOP - 1)
    return Coding("inverse-z", step, step * (TOP - 1), 2, TOP, 0, 1)


def _quantity(depth: DepthMap, quantity: Quantity) -> F64:
    values = depth.values.astype(np.float64)
    if quantity != "inverse-z":
        return values
    return 1 / np.where(depth.surface, values, 1.0)


def to_floats(depth: DepthMap) -> tuple[F32, float | None]:
    """The (h, w) float32 of a float file, and the number that stands for sky (None if nobody looked for sky)."""
    out = np.where(depth.surface, depth.values, np.float32(np.nan)).astype(np.float32)
    if depth.sky is None:
        return out, None
    mark = np.float32(np.inf)
    if depth.kind is DepthKind.DISPARITY:
        known = out[depth.surface]
        mark = np.nextafter(known.min(), np.float32(-np.inf)) if known.size else np.float32(0)
    out[depth.sky & np.asarray(depth.valid)] = mark
    return out, float(mark)


def from_floats(values: NDArray[Any], sky_mark: float | None) -> tuple[F32, Bool, Bool]:
    """Undo :func:`to_floats`: values, valid, sky. Numbers beyond float32 become infinite, hence sky or invalid."""
    with np.errstate(over="ignore"):
        floats = np.array(values, dtype=np.float32)
    sky = np.zeros(floats.shape, bool) if sky_mark is None else floats == np.float32(sky_mark)
    return floats, np.isfinite(floats) | sky, sky
