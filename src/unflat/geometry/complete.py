"""Depth for pixels that have none: that of the known pixel nearest in colour and place together."""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import kernel
from unflat.types.arrays import U8, Bool

STEP = 2.0
"""What a step of one pixel costs beside the change of colour (sRGB units, the largest of the three channels)."""
_SWEEPS = 4
"""Pairs of sweeps; a path may turn as often."""


@kernel
def _sweep(colour, open_, cost, source, back):
    """Carry the cheapest path on in reading order (``back``: from the end), in place; returns what changed."""
    h, w = open_.shape
    changed = 0
    for i in range(h * w):
        at = h * w - 1 - i if back else i
        y, x = at // w, at % w
        if not open_[y, x]:
            continue
        for k in range(4):
            dy, dx = (0, -1) if k == 0 else (-1, k - 2)
            v, u = (y - dy, x - dx) if back else (y + dy, x + dx)
            if v < 0 or u < 0 or v >= h or u >= w or source[v, u] < 0:
                continue
            apart = np.float32(0)
            for c in range(3):
                d = abs(np.float32(colour[y, x, c]) - np.float32(colour[v, u, c]))
                apart = d if d > apart else apart
            price = cost[v, u] + apart + np.float32(STEP) * (np.float32(1.41) if dx and dy else np.float32(1))
            if price < cost[y, x]:
                cost[y, x] = price
                source[y, x] = source[v, u]
                changed += 1
    return changed


def nearest_alike(known: Bool, open_: Bool, colour: U8) -> NDArray[np.int64]:
    """For every open pixel the known one with the cheapest path to it (the geodesic distance of Toivanen, 1996).

    Args:
        known: (h, w) bool, pixels that are sources.
        open_: (h, w) bool, pixels that look for one; paths lead through these only.
        colour: (h, w, 3) uint8, what they look like.

    Returns:
        (h, w) int64 flat index of the source: of known pixels themselves, -1 where there is none.
    """
    source = np.where(known, np.arange(known.size).reshape(known.shape), -1)
    cost = np.where(known, np.float32(0), np.float32(np.inf))
    for _ in range(_SWEEPS):
        changed = _sweep(colour, open_ & ~known, cost, source, False)
        changed += _sweep(colour, open_ & ~known, cost, source, True)
        if not changed:
            break
    return source
