"""The network that forecasts: where mirrors, glass and blank walls are. Ours, shipped, run by onnxruntime."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from unflat.models.looking import looked_at
from unflat.models.sessions import open_session
from unflat.models.weights import CARDS, weights_path
from unflat.types.arrays import U8
from unflat.types.forecast import Marks

if TYPE_CHECKING:
    import onnxruntime

CARD = CARDS["forecast"]
LONG_SIDE = 256


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
    """Look at a picture and at its mirror image with any network of this kind; the marks are the means.

    Args:
        session: The network.
        rgb: (h, w, 3) uint8 sRGB.
        long_side: Of the picture that the network gets, pixels.
    """
    small = looked_at(rgb, long_side)
    one, other = (
        np.asarray(session.run(None, {"rgb": np.ascontiguousarray(seen)})[0], np.float32)[0]
        for seen in (small, small[:, :, ::-1])
    )
    mirror, glass, blank = (one + other[..., ::-1]) / 2
    return Marks(mirror, glass, blank)
