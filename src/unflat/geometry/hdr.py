# pyright: standard
"""High dynamic range and wide colours brought down to sRGB, as one stated curve.

PQ (SMPTE ST 2084) and HLG (ARIB STD-B67) are turned into light on the reference display (ITU-R BT.2100-2, tables 4
and 5; HLG with a system gamma of 1.2 at 1000 cd/m²). The tone curve is the one of ITU-R BT.2390-10, section 5.4.1,
applied to the brightest of the three channels, all three being scaled alike, so that hues stay: light up to about
90 cd/m² keeps its value, what is brighter is bent so that the peak becomes white. Diffuse white of 203 cd/m² (ITU-R
BT.2408) is white in sRGB before it is bent. Then the primaries become BT.709's, what lies outside is cut off, and
sRGB's curve is put on.

Wide colours of standard range (BT.2020 or Display P3 with an ordinary curve) only change their primaries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, F64, U8

U16 = NDArray[np.uint16]
Curve = Literal["pq", "hlg", "srgb"]
Primaries = Literal["bt2020", "p3", "bt709"]
_NAMES: dict[Primaries, str] = {"bt2020": "BT.2020", "p3": "Display P3", "bt709": "BT.709"}
WHITE_NITS = 203.0
"""Diffuse white (ITU-R BT.2408-7, 2.2)."""
HLG_PEAK_NITS = 1000.0
USUAL_PEAK_NITS = 1000.0
"""Of a film in PQ that does not say how bright it was mastered."""
_HLG_GAMMA = 1.2
_STEPS = 4096
_LEAST_PIXELS = 1 << 15
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_LUMA_2020 = (0.2627, 0.6780, 0.0593)
_TO_709: dict[Primaries, tuple[tuple[float, ...], ...]] = {
    "bt2020": (
        (1.660491, -0.587641, -0.072850),
        (-0.124551, 1.132900, -0.008349),
        (-0.018151, -0.100579, 1.118730),
    ),
    "p3": (
        (1.224940, -0.224940, 0.0),
        (-0.042057, 1.042057, 0.0),
        (-0.019638, -0.078636, 1.098274),
    ),
    "bt709": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}
"""Linear light to BT.709's primaries, D65 throughout (ITU-R BT.2087, SMPTE EG 432-1)."""


def nits_of_pq(code: F64) -> F64:
    """Code 0..1 -> light in cd/m² (SMPTE ST 2084)."""
    root = np.power(np.clip(code, 0, 1), 1 / _M2)
    return 10_000 * np.power(np.maximum(root - _C1, 0) / (_C2 - _C3 * root), 1 / _M1)


def pq_of_nits(nits: F64) -> F64:
    """Light in cd/m² -> code 0..1."""
    root = np.power(np.clip(nits, 0, None) / 10_000, _M1)
    return np.power((_C1 + _C2 * root) / (1 + _C3 * root), _M2)


def scene_of_hlg(code: F64) -> F64:
    """Code 0..1 -> light of the scene, 0..1 (ARIB STD-B67, the inverse of its curve)."""
    return np.where(code <= 0.5, code * code / 3, (np.exp((np.maximum(code, 0.5) - _C) / _A) + _B) / 12)


def bent(nits: F64, peak_nits: float) -> F64:
    """Light in cd/m², up to ``peak_nits`` -> up to :data:`WHITE_NITS` (ITU-R BT.2390-10, 5.4.1, black at 0)."""
    peak_nits = max(peak_nits, WHITE_NITS)
    top, most = (float(code) for code in pq_of_nits(np.array([peak_nits, WHITE_NITS])))
    most /= top
    code = np.clip(pq_of_nits(nits) / top, 0, 1)
    knee = 1.5 * most - 0.5
    t = np.clip((code - knee) / max(1 - knee, 1e-9), 0, 1)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return nits_of_pq(np.where(code < knee, code, curve) * top)


def srgb_curve(light: F64) -> F64:
    """Linear light 0..1 -> sRGB 0..1 (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)


def light_of_srgb(code: F64) -> F64:
    """SRGB 0..1 -> linear light 0..1."""
    code = np.clip(code, 0, 1)
    return np.where(code <= 0.04045, code / 12.92, np.power((code + 0.055) / 1.055, 2.4))


@dataclass(frozen=True)
class Tone:
    """How the codes of one film become sRGB.

    Attributes:
        curve: Of the codes.
        primaries: Of the codes.
        peak_nits: How bright the film gets; counts for PQ.
        white: The code of white, 1..65535.
    """

    curve: Curve
    primaries: Primaries
    peak_nits: float = USUAL_PEAK_NITS
    white: int = 65535

    def exact(self, codes: U16) -> F64:
        """(..., 3) codes -> sRGB 0..255, unrounded, without tables: what :meth:`__call__` is held against."""
        unit = np.asarray(codes, np.float64) / self.white
        if self.curve == "srgb":
            light = light_of_srgb(unit)
        else:
            if self.curve == "pq":
                nits = nits_of_pq(unit)
            else:
                scene = scene_of_hlg(np.clip(unit, 0, 1))
                nits = HLG_PEAK_NITS * scene * np.power(scene @ np.array(_LUMA_2020), _HLG_GAMMA - 1)[..., None]
            most = np.maximum(nits.max(-1, keepdims=True), 1e-6)
            light = nits * (bent(most, self._peak) / most) / WHITE_NITS
        return srgb_curve(light @ np.array(_TO_709[self.primaries]).T) * 255

    def __call__(self, codes: U16) -> U8:
        """(h, w, 3) uint16 codes -> (h, w, 3) uint8 sRGB."""
        flat = np.ascontiguousarray(codes).reshape(-1, 3)
        out = np.empty(flat.shape, np.uint8)
        light, gain, srgb, matrix = self._tables
        power = _HLG_GAMMA - 1 if self.curve == "hlg" else 0.0

        def band(start: int, stop: int) -> None:
            _toned(flat[start:stop], light, gain, srgb, matrix, power, out[start:stop])

        in_bands(band, len(flat), _LEAST_PIXELS)
        return out.reshape(codes.shape)

    @property
    def _peak(self) -> float:
        return HLG_PEAK_NITS if self.curve == "hlg" else self.peak_nits

    @cached_property
    def _tables(self) -> tuple[F32, F32, U8, F32]:
        """Light of each code; gain by the fourth root of light / 10 000; sRGB by the square root of light; primaries.

        Light is in cd/m², but of the scene (0..1) for HLG and 0..203 for an ordinary curve.
        """
        unit = np.minimum(np.arange(65536) / self.white, 1)
        steps = np.arange(_STEPS + 1) / _STEPS
        gain = np.ones(_STEPS + 2)
        if self.curve == "srgb":
            light = light_of_srgb(unit) * WHITE_NITS
        else:
            light = nits_of_pq(unit) if self.curve == "pq" else scene_of_hlg(unit) * HLG_PEAK_NITS
            nits = np.maximum(steps**4 * 10_000, 1e-6)
            gain[:-1] = bent(nits, self._peak) / nits
            gain[-1] = gain[-2]
        srgb = np.round(srgb_curve((np.arange(16 * _STEPS + 1) / (16 * _STEPS)) ** 2) * 255)
        matrix = np.array(_TO_709[self.primaries]) / WHITE_NITS
        return light.astype(np.float32), gain.astype(np.float32), srgb.astype(np.uint8), matrix.astype(np.float32)

    def __str__(self) -> str:
        if self.curve == "srgb":
            return f"its colours ({_NAMES[self.primaries]}) were brought to sRGB's primaries"
        name = {"pq": f"PQ, up to {self.peak_nits:.0f} cd/m²", "hlg": "HLG"}[self.curve]
        return f"its high dynamic range ({name}) was toned down to sRGB by the curve of ITU-R BT.2390"


@kernel
def _toned(codes: Any, light: Any, gain: Any, srgb: Any, matrix: Any, power: float, out: Any) -> None:
    """(n, 3) uint16 -> (n, 3) uint8, by tables."""
    steps = np.float32(len(gain) - 2)
    last = np.float32(len(srgb) - 1)
    for i in range(codes.shape[0]):
        r, g, b = light[codes[i, 0]], light[codes[i, 1]], light[codes[i, 2]]
        if power > 0:
            y = np.float32(0.2627) * r + np.float32(0.6780) * g + np.float32(0.0593) * b
            by = (y / np.float32(1000)) ** np.float32(power)
            r, g, b = r * by, g * by, b * by
        at = np.sqrt(np.sqrt(max(r, g, b) / np.float32(10_000))) * steps
        k = int(at)
        part = at - np.float32(k)
        by = gain[k] + (gain[k + 1] - gain[k]) * part
        for c in range(3):
            v = by * (matrix[c, 0] * r + matrix[c, 1] * g + matrix[c, 2] * b)
            v = min(max(v, np.float32(0)), np.float32(1))
            out[i, c] = srgb[int(np.sqrt(v) * last + np.float32(0.5))]
