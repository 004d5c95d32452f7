"""Our own network, shipped in the wheel: trained on pictures that a program drew, run by onnxruntime."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from unflat.models.depth.protocol import Prediction
from unflat.models.looking import looked_at
from unflat.models.sessions import open_session
from unflat.models.weights import CARDS, weights_path
from unflat.types.arrays import F32, U8
from unflat.types.depth import DepthKind

if TYPE_CHECKING:
    import onnxruntime

CARD = CARDS["worlds"]
LONG_SIDE = 448


@lru_cache(maxsize=2)
def _session(threads: int, device: str) -> onnxruntime.InferenceSession:
    return open_session(weights_path(CARD), threads, device)


class Worlds:
    """The embedded default.

    Args:
        threads: Threads of onnxruntime; 0 lets it take all cores.
        device: Where it runs; a word of :data:`unflat.models.devices.Device`.
    """

    card = CARD

    def __init__(self, threads: int = 0, device: str = "cpu") -> None:
        self._threads = threads
        self._device = device

    def predict(self, rgb: U8) -> Prediction:
        """Look at one picture.

        Args:
            rgb: (h, w, 3) uint8 sRGB.

        Returns:
            Inverse z up to one factor at half the network's input size, with sky and confidence; with a field of view
            only if the card promises one, for these weights may guess worse than an assumption.
        """
        inverse, sky, log_error, log_focal = look(_session(self._threads, self._device), rgb)
        return Prediction(
            values=inverse,
            kind=DepthKind.SCALE,
            sky=sky,
            confidence=_within_quarter(log_error),
            focal_over_long_side=float(np.exp(log_focal)) if "field of view" in CARD.gives else None,
        )


def look(session: onnxruntime.InferenceSession, rgb: U8, long_side: int = LONG_SIDE) -> tuple[F32, F32, F32, float]:
    """Look at a picture once.

    Args:
        session: The network.
        rgb: (h, w, 3) uint8 sRGB.
        long_side: Of the picture that the network gets, pixels.

    Returns:
        Inverse depth up to a factor, probability of sky, logarithm of the expected logarithmic error (each at half the
        network's input size), logarithm of the focal length over the long side.
    """
    answers = session.run(None, {"rgb": looked_at(rgb, long_side)})
    outputs = [np.asarray(o, dtype=np.float32) for o in answers]
    inverse, sky, log_error = (o[0, 0] for o in outputs[:3])
    return inverse, sky, log_error, float(outputs[3][0, 0])


def _within_quarter(log_error: F32) -> F32:
    """Probability that depth is right within 25 %, if the logarithmic error is Laplace-distributed.

    Args:
        log_error: (h, w) logarithm of the expected absolute error of log depth, as the network predicts it.
    """
    return (1 - np.exp(-np.log(1.25) / np.exp(np.clip(log_error, -6, 3)))).astype(np.float32)
