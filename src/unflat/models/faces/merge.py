"""Many windows in which something was seen -> few boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.types.arrays import F64, Bool


@dataclass(frozen=True, slots=True)
class Heap:
    """Windows that mean the same thing.

    Attributes:
        x: Mean of their middles, pixels.
        y: The same.
        width: Mean of theirs.
        height: Mean of theirs.
        weight: The sum of theirs.
    """

    x: float
    y: float
    width: float
    height: float
    weight: float


def heaped(windows: F64, near: float = 0.35, ratio: float = 1.5) -> list[Heap]:
    """Heaps of windows that lie on each other, the heaviest first.

    Every time the window with the most weight around it takes what is around it; nothing belongs to two heaps.

    Args:
        windows: (n, 5) x and y of the middle, width, height, weight.
        near: Middles less than this share of the smaller width apart are the same.
        ratio: Widths that differ by no more are the same.
    """
    heaps, left = list[Heap](), windows
    while len(left):
        same = _same(left, near, ratio)
        around = same[np.argmax(same @ left[:, 4])]
        mine = left[around]
        share = mine[:, 4:] / mine[:, 4].sum()
        x, y, width, height = (float(v) for v in (mine[:, :4] * share).sum(0))
        heaps.append(Heap(x, y, width, height, float(mine[:, 4].sum())))
        left = left[~around]
    return heaps


def _same(windows: F64, near: float, ratio: float) -> Bool:
    """(n, n): which windows mean the same thing."""
    x, y, width = windows[:, 0], windows[:, 1], windows[:, 2]
    smaller, larger = np.minimum.outer(width, width), np.maximum.outer(width, width)
    apart = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    return (apart < near * smaller) & (larger <= ratio * smaller)


def apart(heaps: list[Heap]) -> list[Heap]:
    """Those that are not mostly inside a heavier one, and do not hold most of it; the heaviest first."""
    kept = list[Heap]()
    for heap in sorted(heaps, key=lambda heap: -heap.weight):
        if all(_shared(heap, other) < 0.5 for other in kept):
            kept.append(heap)
    return kept


def _shared(a: Heap, b: Heap) -> float:
    """What two boxes share over the smaller one's area."""
    wide = min(a.x + a.width / 2, b.x + b.width / 2) - max(a.x - a.width / 2, b.x - b.width / 2)
    high = min(a.y + a.height / 2, b.y + b.height / 2) - max(a.y - a.height / 2, b.y - b.height / 2)
    return max(wide, 0.0) * max(high, 0.0) / min(a.width * a.height, b.width * b.height)
