"""Our own network, shipped in the wheel: trained on pictures that a program drew, run by onnxruntime."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from unflat.models.depth.protocol import Prediction
from unflat.models.sessions import open_session
from unflat.models.weights import CARDS, weights_path
from unflat.types.arrays import F32, U8
from unflat.types.depth import DepthKind
from unflat.types.image import Size

if TYPE_CHECKING:
    import onnxruntime

CARD = CARDS["worlds"]
LONG_SIDE = 448
_MULTIPLE = 32


def input_size(size: Size, long_side: int = LONG_SIDE) -> Size:
    """The size the network looks at: long side as given, both sides multiples of 32, shape kept as nearly as that lets.

    A shape beyond 4:1 is squeezed to 4:1, for the network never saw longer ones.
    """
    aspect = min(max(size.aspect, 0.25), 4.0)
    width, height = (long_side, long_side / aspect) if aspect >= 1 else (long_side * aspect, long_side)
    return Size(*(max(_MULTIPLE, round(side / _MULTIPLE) * _MULTIPLE) for side in (width, height)))


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
    import cv2

    size = input_size(Size(rgb.shape[1], rgb.shape[0]), long_side)
    # area averages are for shrinking only: enlarged by them, a picture becomes blocks
    larger = size.width > rgb.shape[1] or size.height > rgb.shape[0]
    way = cv2.INTER_LINEAR if larger else cv2.INTER_AREA
    small = np.ascontiguousarray(cv2.resize(rgb, (size.width, size.height), interpolation=way))
    outputs = [np.asarray(o, dtype=np.float32) for o in session.run(None, {"rgb": small[None]})]
    inverse, sky, log_error = (o[0, 0] for o in outputs[:3])
    return inverse, sky, log_error, float(outputs[3][0, 0])


def _within_quarter(log_error: F32) -> F32:
    """Probability that depth is right within 25 %, if the logarithmic error is Laplace-distributed.

    Args:
        log_error: (h, w) logarithm of the expected absolute error of log depth, as the network predicts it.
    """
    return (1 - np.exp(-np.log(1.25) / np.exp(np.clip(log_error, -6, 3)))).astype(np.float32)
