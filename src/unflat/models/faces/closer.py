"""The second round: what may be a face is looked at closely, in many small pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unflat.geometry.bands import side_by_side
from unflat.models.faces.cascade import Cascade, cascade
from unflat.models.faces.merge import Heap
from unflat.models.faces.sweep import Sums, sweep
from unflat.types.arrays import F64, U8

_CUT, _AROUND = 72, 1.2
"""Pixels of a side of what is cut out, and how much of the face's width it reaches to every side."""
_TILE = 36
"""Pixels of a side of a tile: a window, and some room to move."""
_SIZES = (17.5, 20.0, 23.0, 26.5)
"""How wide the face is in the tiles, pixels; windows are 20 and 24."""
_OFF = 6.5
"""A window belongs to the face if its middle is not farther from the tile's, to either side."""
_SHORT = 2
_FAILED = 0.5
"""Windows that fail one stage, or two, before the last count half, or a quarter."""
_LEAN_DEG = 22.0
_LOOKS = (
    ("frontalface_alt2", False, 0.0, 1.1),
    ("frontalface_alt", False, 0.0, 2.2),
    ("frontalface_default", False, 0.0, 0.4),
    ("frontalface_alt2", False, _LEAN_DEG, 3.0),
    ("frontalface_alt2", False, -_LEAN_DEG, 3.0),
    ("profileface", False, 0.0, 3.1),
    ("profileface", True, 0.0, 3.1),
)
"""Who looks, whether mirrored, how far it leans, and what it counts: a logistic regression on 1013 faces (those of
scikit-image, 25 pixels wide, set into its photographs, upright, leaning, dim, blurred, with dark glasses and caps) and
1076 likenesses of faces in these photographs. Who has looked in the first round counts less."""
_DOUBT = 2.9
"""What weighs so much is a face as often as not."""
NEEDED = tuple(sorted({name for name, *_ in _LOOKS}))


def closer(grey: U8, heaps: Sequence[Heap], threads: int | None = None) -> list[Heap]:
    """The same heaps, looked at closely; their weight is the probability, 0..1, that there is a face. Surest first.

    Every look adds the logarithm of (1 + how many windows see a face there), so that many looks count for more than
    many windows of one.
    """
    if not heaps:
        return []
    cuts = [_cut(grey, heap) for heap in heaps]
    tiles = {lean: _tiles(cuts, lean) for lean in (0.0, _LEAN_DEG, -_LEAN_DEG)}
    looks = [(cascade(name, flip), tiles[lean], len(heaps), count) for name, flip, lean, count in _LOOKS]
    votes = np.sum([*side_by_side(lambda look: _votes(*look), looks, threads)], 0)
    sure = 1 / (1 + np.exp(_DOUBT - votes))
    return [replace(heaps[i], weight=float(sure[i])) for i in np.argsort(-sure, kind="stable")]


def _cut(grey: U8, heap: Heap) -> U8:
    """A square around a heap, its border continued beyond the picture's."""
    import cv2

    height, width = grey.shape
    half = _AROUND * heap.width
    left, right = round(heap.x - half), max(round(heap.x + half), round(heap.x - half) + 1)
    top = round(heap.y - half)
    bottom = top + right - left
    part = grey[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    part = cv2.copyMakeBorder(part, *beyond, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(part, (_CUT, _CUT), interpolation=cv2.INTER_AREA), np.uint8)


def _tiles(cuts: Sequence[U8], lean: float) -> Sums:
    """All tiles in one row: those of the first cut in all sizes, then those of the next."""
    import cv2

    sheet = np.zeros((_TILE, len(cuts) * len(_SIZES) * _TILE), np.uint8)
    middle = (_CUT - 1) / 2
    turns = [cv2.getRotationMatrix2D((middle, middle), lean, 2 * _AROUND * size / _CUT) for size in _SIZES]
    for place in range(len(cuts) * len(_SIZES)):
        turn = turns[place % len(_SIZES)].copy()
        turn[:, 2] += (_TILE - 1) / 2 - middle
        tile = cv2.warpAffine(cuts[place // len(_SIZES)], turn, (_TILE, _TILE), borderMode=cv2.BORDER_REPLICATE)
        sheet[:, place * _TILE : (place + 1) * _TILE] = tile
    return Sums.of(sheet)


def _votes(asked: Cascade, sums: Sums, count: int, counts: float) -> F64:
    """(count,): what a look adds to each heap."""
    found = sweep(sums, asked, _SHORT)
    x, y = found[:, 0] + asked.width / 2, found[:, 1] + asked.height / 2
    central = (np.abs(x % _TILE - _TILE / 2) <= _OFF) & (np.abs(y - _TILE / 2) <= _OFF)
    which = (x[central] // (_TILE * len(_SIZES))).astype(np.int64)
    votes = np.bincount(which, _FAILED ** (asked.stages - found[central, 2]), minlength=count)
    return counts * np.log1p(votes)
