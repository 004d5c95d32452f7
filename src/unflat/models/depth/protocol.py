"""The one door through which depth networks come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from unflat.models.card import ModelCard
from unflat.types.arrays import F32, U8, settle
from unflat.types.depth import DepthKind


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a network says of one picture, at the network's own resolution.

    Attributes:
        values: (h, w) float32. METRIC, SCALE: *inverse* z, >= 0, zero is infinitely far. DISPARITY: inverse z up to
            factor and offset. AFFINE: z itself up to factor and offset, the only kind in which near is small.
        kind: What the values become when they are turned into depth.
        sky: (h, w) float32, probability of sky; None if the model does not know sky.
        confidence: (h, w) float32, probability that the depth is right within 25 %; None if the model does not say.
        focal_over_long_side: Focal length divided by the picture's long side; None if the model does not say.
    """

    values: F32
    kind: DepthKind
    sky: F32 | None = None
    confidence: F32 | None = None
    focal_over_long_side: float | None = None

    def __post_init__(self) -> None:
        settle(self, "values", "float32", (None, None))
        settle(self, "sky", "float32", self.values.shape)
        settle(self, "confidence", "float32", self.values.shape)


class DepthModel(Protocol):
    """An eye for depth."""

    @property
    def card(self) -> ModelCard:
        """What one should know of it."""
        ...

    def predict(self, rgb: U8) -> Prediction:
        """Look at one picture, (h, w, 3) uint8 sRGB of any size and shape."""
        ...
