"""The pictures that scikit-image's wheel carries, by what they show: for tests and benchmarks alike."""

from __future__ import annotations

import numpy as np
import skimage.data

from unflat.types.arrays import U8

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "camera", "coins", "brick", "grass", "gravel", "moon")
PAGES = ("text", "page")
"""Photographs and scans of writing."""


def bundled(name: str) -> U8:
    """(h, w, 3) sRGB, grey ones too."""
    picture = np.asarray(getattr(skimage.data, name)())
    return np.repeat(picture[..., None], 3, 2) if picture.ndim == 2 else picture
