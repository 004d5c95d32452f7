"""The network that forecasts: where mirrors, glass and blank walls are. Ours, shipped, run by onnxruntime."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from unflat.models.sessions import open_session
from unflat.models.weights import CARDS, weights_path
from unflat.types.arrays import U8
from unflat.types.forecast import Marks
from unflat.types.image import Size

if TYPE_CHECKING:
    import onnxruntime

CARD = CARDS["forecast"]
LONG_SIDE = 256
_MULTIPLE = 32


def input_size(size: Size, long_side: int = LONG_SIDE) -> Size:
    """The size the network looks at: sides multiples of 32, shape kept as nearly as that lets, 4:1 at the most."""
    aspect = min(max(size.aspect, 0.25), 4.0)
    width, height = (long_side, long_side / aspect) if aspect >= 1 else (long_side * aspect, long_side)
    return Size(*(max(_MULTIPLE, round(side / _MULTIPLE) * _MULTIPLE) for side in (width, height)))


@lru_cache(maxsize=2)
def _session(threads: int, device: str) -> onnxruntime.InferenceSession:
    return open_session(weights_path(CARD), threads, device)


def look_ahead(rgb: U8, threads: int = 0, device: str = "cpu") -> Marks:
    """Look at one picture.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
        threads: Threads of onnxruntime; 0 lets it take all cores.
        device: Where it runs; a word of :data:`unflat.models.devices.Device`.

    Returns:
        The marks, at a quarter of the network's input size.

    Raises:
        WeightsError: The weights are missing or damaged.
        InputError: ``device`` is not there.
    """
    return marked(_session(threads, device), rgb)


def marked(session: onnxruntime.InferenceSession, rgb: U8, long_side: int = LONG_SIDE) -> Marks:
    """Look at a picture once with any network of this kind.

    Args:
        session: The network.
        rgb: (h, w, 3) uint8 sRGB.
        long_side: Of the picture that the network gets, pixels.
    """
    import cv2

    size = input_size(Size(rgb.shape[1], rgb.shape[0]), long_side)
    larger = size.width > rgb.shape[1] or size.height > rgb.shape[0]
    way = cv2.INTER_LINEAR if larger else cv2.INTER_AREA
    small = np.ascontiguousarray(cv2.resize(rgb, (size.width, size.height), interpolation=way))
    (answer,) = session.run(None, {"rgb": small[None]})
    mirror, glass, blank = np.asarray(answer, np.float32)[0]
    return Marks(mirror, glass, blank)
