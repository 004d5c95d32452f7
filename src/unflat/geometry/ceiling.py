"""How high the ceiling is: of all that is seen above the horizon, what matches best on a level plane tells its height.

Ceilings are seen at a slant and hold little to match, so no pixel can be believed by itself; many of several views
together can. What matches better where it was found already, walls above all, has no vote.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unflat.geometry.plane_costs import depth_costs, signal, window_costs
from unflat.geometry.rig import Rig
from unflat.types.arrays import F32, F64

_LOWEST, _STEP, _COUNT = 0.12, 1.08, 32
"""Heights above the eye that are tried, from this share of the middle depth on, each so many times the one before."""
_ABOVE = 0.2
"""Tangent of the angle above the horizon from which on a pixel may vote."""
_REACH = 8
_MATCHES, _CLEARER, _BETTER = 0.5, 0.2, 0.05
"""A vote costs no more than this, so much less than heights do on the average, and so much less than what was found."""
_LEAST_SIGNAL = 0.33
_BIN = 0.01
"""Heights are counted in steps of this share of the middle depth."""
_LEAST, _AGREED = 0.002, 0.25
"""A ceiling has at least this share of all pixels that were looked at, and of all votes for what is so high."""


def ceiling_votes(rig: Rig, inverse: F32, middle: float) -> F64:
    """(n,) how far above the eye the pixels that can tell find a level plane, in the world's unit.

    Args:
        rig: The pictures, small; down must be known.
        inverse: (h, w) the inverse depth that was found, 0 where none was.
        middle: The middle depth.
    """
    assert rig.down is not None
    slope: F64 = rig.down @ np.linalg.inv(rig.camera.matrix)
    h, w = rig.grey.shape
    x = np.arange(w, dtype=np.float64) + 0.5
    y = (np.arange(h, dtype=np.float64) + 0.5)[:, None]
    above = np.asarray(-(slope[0] * x + slope[1] * y + slope[2]), np.float64)
    rows = np.flatnonzero((above > _ABOVE).mean(1) > _ABOVE)
    if not len(rows) or rows[-1] - rows[0] < _REACH:
        return np.zeros(0)
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    ways = rig.ways.copy()
    ways[:, [2, 5, 8]] += ways[:, [1, 4, 7]] * np.float32(part.start)  # pixels are counted from the first row
    strip = replace(rig, grey=np.ascontiguousarray(rig.grey[part]), ways=ways)
    heights = middle * _LOWEST * _STEP ** np.arange(_COUNT)
    planes = -(slope + np.array([0, 0, slope[1] * part.start])) / heights[:, None]
    costs, unseen = window_costs(strip, planes, _REACH)
    found = np.minimum(depth_costs(strip, np.ascontiguousarray(inverse[part]), _REACH), 1)
    best, least = costs.argmin(2), costs.min(2)
    tells = (above[part] > _ABOVE) & ~unseen.any(2) & (signal(strip, _REACH) > _LEAST_SIGNAL)
    tells &= (best > 0) & (best < _COUNT - 1) & (least < _MATCHES) & (least < found - _BETTER)
    tells &= np.median(costs, axis=2) - least > _CLEARER
    at, mine = best[tells], costs[tells]
    return heights[0] * _STEP ** (at + _between(mine, at))


def _between(costs: F32, at: np.ndarray) -> F64:
    """How far from the least of some costs (n, k) a parabola through it and its neighbours is lowest."""
    one, two, three = (np.take_along_axis(costs, at[:, None] + k, 1)[:, 0].astype(np.float64) for k in (-1, 0, 1))
    bend = one - 2 * two + three
    return np.clip(np.where(bend > 1e-6, 0.5 * (one - three) / np.maximum(bend, 1e-6), 0), -1, 1)


def ceiling_height(votes: F64, middle: float, looked_at: int) -> float | None:
    """The height that votes agree on; None where they do not.

    Args:
        votes: (n,) heights, of what lies as high as most that was measured or higher.
        middle: The middle depth.
        looked_at: How many pixels were asked.
    """
    if len(votes) < _LEAST * looked_at or len(votes) < 8:
        return None
    step, lowest = _BIN * middle, float(votes.min())
    count = np.bincount(((votes - lowest) / step).astype(np.int64))
    high = int(np.flatnonzero(2 * count >= np.sort(count)[-2:].mean())[-1])  # walls vote up to the ceiling
    first = max(0, high - 2)
    peak = lowest + (first + int(count[first : high + 1].argmax()) + 0.5) * step
    mine = votes[np.abs(votes - peak) < 1.5 * step]
    return float(np.median(mine)) if len(mine) >= max(_LEAST * looked_at, _AGREED * len(votes)) else None
