"""Places in a picture that can be found again in another one.

SIFT (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004; :mod:`unflat.geometry.blobs` and
:mod:`unflat.geometry.blob_words`), its descriptors brought to the Hellinger kernel (Arandjelović, Zisserman, "Three
things everyone should know to improve object retrieval", CVPR 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from unflat.geometry.blob_words import WORD, directions_of, words_of
from unflat.geometry.blobs import blobs_of
from unflat.models.views.options import ViewsOptions
from unflat.types.arrays import F32, U8, Bool, settle
from unflat.types.views import Still

UNIT = 512.0
"""Length of a descriptor; with it the greatest number that occurs in practice fits into a byte."""
_CONTRAST = 0.25
"""Least contrast of a feature in grey values: little, so that faded, dark and calm pictures have enough; where many,
the best stay."""
_ROOM, _FEWEST = 300, 500
"""A feature takes so many pixels, so that a small picture has fewer of them, but not fewer than this."""
_LARGE = 1_000_000
"""From so many pixels on a picture shows enough coarse features; the finest ones, which sit where noise does, are
looked for only where there are fewer than half of those wanted. Of a smaller picture they are needed."""
_STRONGEST = 2
"""Of the strongest, so many times as many as are wanted, the best of each cell are taken."""
_CELLS = 12
"""Features are spread over so many cells along the long side."""
_RIM_PX = 2
"""Features this near to what is masked out sit on an outline, which every view sees elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The features of one picture, the coarsest first.

    Attributes:
        xy: (n, 2) float32, pixels of the still; the first pixel's centre is (0.5, 0.5).
        words: (n, 128) uint8 descriptors of the Euclidean length ``UNIT``, up to rounding.
        colors: (n, 3) uint8 sRGB.
    """

    xy: F32
    words: U8
    colors: U8

    def __post_init__(self) -> None:
        settle(self, "xy", "float32", (None, 2))
        settle(self, "words", "uint8", (len(self.xy), WORD))
        settle(self, "colors", "uint8", (len(self.xy), 3))


def features_of(still: Still, options: ViewsOptions) -> Features:
    """Look for features in a still, where its mask allows.

    Args:
        still: Read once; its mask, too.
        options: How many, and at which resolution.

    Returns:
        At most ``options.most_features`` of them; none in a blank picture.
    """
    pixels: Any = still.read()
    size = still.size.fitted(options.longest)
    if size != still.size:
        pixels = cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA)
    grey: Any = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    allowed = None if still.mask is None else _inner(still.mask(), size.shape)
    found, words = _detect(grey, allowed, min(options.most_features, max(_FEWEST, size.pixels // _ROOM)))
    if not len(found):
        return Features(np.zeros((0, 2), np.float32), np.zeros((0, WORD), np.uint8), np.zeros((0, 3), np.uint8))
    places = found[:, :2]
    column, row = (np.clip(places[:, i].astype(int), 0, limit - 1) for i, limit in enumerate((size.width, size.height)))
    scale = np.array([still.size.width / size.width, still.size.height / size.height], np.float32)
    return Features(places * scale, words, pixels[row, column])


def _inner(mask: Bool, shape: tuple[int, int]) -> U8:
    """The mask as OpenCV takes it, at the size that is looked at, without its rim."""
    small = cv2.resize(mask.astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.erode(small, np.ones((2 * _RIM_PX + 1,) * 2, np.uint8), borderValue=1), np.uint8)


def _detect(grey: U8, allowed: U8 | None, most: int) -> tuple[F32, U8]:
    """Features as (n, 4) x, y, size, contrast and their words, the coarsest first."""
    blobs = blobs_of(grey, _CONTRAST, most // 2 if grey.size >= _LARGE else most, allowed)
    table = np.concatenate([blobs.xy, blobs.size[:, None], blobs.contrast[:, None]], 1)
    cell_px = max(grey.shape) / _CELLS
    strongest = np.sort(np.argsort(-blobs.contrast, kind="stable")[: _STRONGEST * most])
    chosen, turns = directions_of(blobs, strongest[_spread(table[strongest], cell_px, most)])
    kept = _spread(table[chosen], cell_px, most)
    chosen, turns = chosen[kept], turns[kept]
    order = np.lexsort((turns, table[chosen, 0], table[chosen, 1], -table[chosen, 3], -table[chosen, 2]))
    chosen, turns = chosen[order], turns[order]
    return table[chosen], hellinger(words_of(blobs, chosen, turns))


def _spread(table: F32, cell_px: float, most: int) -> np.ndarray:
    """The strongest features of every cell, the same number of each as far as they go; their row numbers, sorted."""
    cell = (table[:, 0] // cell_px).astype(int) + 10_000 * (table[:, 1] // cell_px).astype(int)
    order = np.lexsort((-table[:, 3], cell))
    sorted_cell = cell[order]
    first = np.flatnonzero(np.r_[True, sorted_cell[1:] != sorted_cell[:-1]])
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    chosen = order[np.lexsort((-table[order, 3], rank))[:most]]
    return np.sort(chosen)


def hellinger(raw: F32) -> U8:
    """SIFT's histograms (n, 128) as words whose Euclidean distance is the Hellinger distance of the histograms."""
    total = np.maximum(raw.sum(1, keepdims=True), 1e-6)
    return np.minimum(np.rint(UNIT * np.sqrt(raw / total)), 255).astype(np.uint8)
