"""A model without weights: the lower, the nearer. For tests, and as the least any network must beat."""

from __future__ import annotations

import numpy as np

from unflat.models.card import ModelCard
from unflat.models.depth.protocol import Prediction
from unflat.types.arrays import U8
from unflat.types.depth import DepthKind

CARD = ModelCard(
    name="ramp",
    summary="No network: every picture is a floor that runs to the horizon. For tests only.",
    kind=DepthKind.SCALE,
    licence="Apache-2.0",
    commercial=True,
    source="a formula",
    limits="It does not look at the picture at all.",
)


class Ramp:
    """Inverse depth grows linearly from the top (0.1) to the bottom (1.0) of the picture."""

    card = CARD

    def __init__(self, threads: int = 0) -> None:
        """``threads`` is taken for the protocol's sake; there is nothing to share out."""

    def predict(self, rgb: U8) -> Prediction:
        """Look away. Confidence is zero everywhere, for nothing was seen."""
        h, w = min(rgb.shape[0], 192), min(rgb.shape[1], 192)
        column = np.linspace(0.1, 1.0, h, dtype=np.float32)[:, None]
        return Prediction(np.repeat(column, w, axis=1), DepthKind.SCALE, confidence=np.zeros((h, w), np.float32))
