"""Every kind of depth as one kind of number that grows towards the viewer, and back without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.types.arrays import F32, Bool
from unflat.types.depth import DepthKind, DepthMap

_BOUND = 1e6
"""Nearness beyond this is held there; such values are a million times nearer than the rest of their map."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """How depth values of one map become nearness: about 0 (far) to 1 (near), linear on planes.

    METRIC and SCALE: ``scale / z``. DISPARITY: ``(value - offset) / scale``. AFFINE: ``(offset - value) / scale``.

    Attributes:
        kind: The kind of the values.
        offset: See above; 0 for METRIC and SCALE.
        scale: See above; > 0.
    """

    kind: DepthKind
    offset: float
    scale: float

    @staticmethod
    def of(depth: DepthMap, known: Bool) -> Nearness:
        """Fitted to the ``known`` values (h, w) of a map: its nearest hundredth lies at 1."""
        if not known.any():
            return Nearness(depth.kind, 0.0, 1.0)
        low, high = (float(q) for q in np.percentile(depth.values[known].astype(np.float64), (1, 99)))
        if depth.kind.is_depth:
            return Nearness(depth.kind, 0.0, low if low > 0 else 1.0)
        spread = high - low
        scale = spread if spread > 0 else max(abs(high), 1.0)
        return Nearness(depth.kind, low if depth.kind is DepthKind.DISPARITY else high, scale)

    def from_depth(self, values: F32, known: Bool) -> F32:
        """Values of the map -> nearness (same shape), float32; 0 where not ``known``."""
        safe = np.where(known, values, np.float32(1)).astype(np.float64)
        if self.kind.is_depth:
            near = self.scale / safe
        elif self.kind is DepthKind.DISPARITY:
            near = (safe - self.offset) / self.scale
        else:
            near = (self.offset - safe) / self.scale
        return np.where(known, np.clip(near, -_BOUND, _BOUND), 0).astype(np.float32)

    def to_depth(self, nearness: F32) -> F32:
        """Nearness -> values of the map, written in place over ``nearness`` and returned.

        METRIC and SCALE: nearness of 0 or less becomes +inf.
        """
        with np.errstate(divide="ignore"):
            if self.kind.is_depth:
                np.maximum(nearness, 0, out=nearness)
                np.divide(np.float32(self.scale), nearness, out=nearness)
            elif self.kind is DepthKind.DISPARITY:
                nearness *= np.float32(self.scale)
                nearness += np.float32(self.offset)
            else:
                nearness *= np.float32(-self.scale)
                nearness += np.float32(self.offset)
        return nearness
