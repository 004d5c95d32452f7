"""Smooth continuation: every unknown pixel becomes the mean of its neighbours (Laplace's equation), coarse to fine.

Neighbours count less the more their guides differ (the depths of the surfaces that they belong to), so what is
continued from one surface does not run into another.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8, Bool

ROUNDS = 12
"""Rounds of relaxation at each size."""
_OVER = 1.6
"""Over-relaxation; the last two rounds do without."""
APART = 0.3
"""Neighbours whose guides differ by this share of the larger count half."""
_LEAST = 1e-3
"""Neighbours never count less than this: nothing is cut off entirely."""


@kernel
def _relax(value, places, linked, guide, rounds):
    """Gauss and Seidel's relaxation with over-relaxation (Young 1954) of the listed places, in place."""
    h, w, channels = value.shape
    for turn in range(rounds):
        over = np.float32(_OVER) if turn < rounds - 2 else np.float32(1)
        for i in range(len(places)):
            at = places[i] if turn % 2 == 0 else places[len(places) - 1 - i]
            y, x = at // w, at % w
            total = np.float32(0)
            for c in range(channels):
                mean, total = np.float32(0), np.float32(0)
                low, high = np.float32(np.inf), np.float32(-np.inf)
                for k in range(4):
                    v, u = y + (k == 0) - (k == 1), x + (k == 2) - (k == 3)
                    if v < 0 or u < 0 or v >= h or u >= w or not linked[v, u]:
                        continue
                    larger = guide[v, u] if guide[v, u] > guide[y, x] else guide[y, x]
                    apart = (guide[v, u] - guide[y, x]) / (np.float32(APART) * larger + np.float32(1e-12))
                    weight = np.float32(1) / (np.float32(1) + apart * apart * apart * apart)
                    weight = weight if weight > np.float32(_LEAST) else np.float32(_LEAST)
                    total += weight
                    there = value[v, u, c]
                    mean += weight * there
                    low, high = min(low, there), max(high, there)
                if total > 0:
                    moved = value[y, x, c] + over * (mean / total - value[y, x, c])
                    value[y, x, c] = min(max(moved, low), high)


class _Step(NamedTuple):
    """One size of the pyramid."""

    value: F32
    known: Bool
    wanted: Bool
    guide: F32


@kernel
def _halve(step, half):
    """Means of the known pixels of each 2×2; a coarse pixel is wanted if one of its four is and none is known."""
    value, known, wanted, guide = step
    out_value, out_known, out_wanted, out_guide = half
    h, w, channels = value.shape
    for y in range(out_known.shape[0]):
        for x in range(out_known.shape[1]):
            count, lacking, telling = 0, 0, np.float32(0)
            for k in range(4):
                v, u = 2 * y + k % 2, 2 * x + k // 2
                if v < h and u < w:
                    count += known[v, u]
                    lacking += wanted[v, u]
            for k in range(4):
                v, u = 2 * y + k % 2, 2 * x + k // 2
                if v < h and u < w and (known[v, u] if count else wanted[v, u]):
                    telling += guide[v, u]
                    if count:
                        for c in range(channels):
                            out_value[y, x, c] += value[v, u, c]
            for c in range(channels):
                out_value[y, x, c] /= np.float32(max(count, 1))
            out_known[y, x] = count > 0
            out_wanted[y, x] = lacking > 0 and count == 0
            out_guide[y, x] = telling / np.float32(max(count if count else lacking, 1))


def _halved(step: _Step) -> _Step:
    """The next size of the pyramid; what is missing at the border counts for nothing."""
    h, w = (step.known.shape[0] + 1) // 2, (step.known.shape[1] + 1) // 2
    half = _Step(
        np.zeros((h, w, step.value.shape[2]), np.float32),
        np.empty((h, w), np.bool_),
        np.empty((h, w), np.bool_),
        np.empty((h, w), np.float32),
    )
    _halve(tuple(step), tuple(half))
    return half


def membrane(value: F32 | U8, known: Bool, wanted: Bool, guide: F32 | None = None) -> tuple[F32, Bool]:
    """Continue known values smoothly over wanted pixels; what is neither known nor wanted is not there.

    Args:
        value: (h, w, c) float32 or uint8, read where ``known``.
        known: (h, w) bool.
        wanted: (h, w) bool, none of them known.
        guide: (h, w) float32 >= 0, inverse depth of the surface that each pixel belongs to; None: all the same.

    Returns:
        (h, w, c) float32: as given where known, continued where wanted, 0 elsewhere; and (h, w) bool, the wanted
        pixels that no known one can reach; they stay 0.
    """
    flat = np.ones(known.shape, np.float32) if guide is None else np.ascontiguousarray(guide, np.float32)
    steps = [_Step(np.where(known[..., None], value, np.float32(0)), known, wanted, flat)]
    while steps[-1].wanted.any() and max(steps[-1].known.shape) > 1:
        steps.append(_halved(steps[-1]))
    coarse = steps[-1].value
    for step in reversed(steps):
        places = np.flatnonzero(step.wanted)
        if coarse is not step.value:
            y, x = np.divmod(places, step.known.shape[1])
            step.value[y, x] = coarse[y // 2, x // 2]
        _relax(step.value, places, step.known | step.wanted, step.guide, ROUNDS)
        coarse = step.value
    lost = wanted & ~_reached(known, wanted)
    coarse[lost] = 0
    return coarse, lost


def _reached(known: Bool, wanted: Bool) -> Bool:
    """The pixels that a path over wanted ones, from side to side, leads to from a known one."""
    import cv2

    count, found = cv2.connectedComponents((known | wanted).astype(np.uint8), connectivity=4)
    label, holds = np.asarray(found, np.int32), np.zeros(count, np.bool_)
    holds[label[known]] = True
    return holds[label] & (known | wanted)
