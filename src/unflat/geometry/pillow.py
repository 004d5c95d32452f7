"""Outlines -> pillows without creases: the height of a film that is blown up over an outline."""

# pyright: standard

from __future__ import annotations

import math

import numpy as np

from unflat.geometry.jit import kernel
from unflat.geometry.sheet import filled_from
from unflat.geometry.silhouette import ball_squares
from unflat.types.arrays import F32

_NEAREST = 0.15
"""An outline counts as no nearer to a cell's centre than this share of a cell."""
_SWEEPS = 2.5
"""Sweeps over the grid, for the cells across the widest place."""


@kernel
def _relax(depth, u, over, sweeps):
    """Successive over-relaxation of -(u_xx + u_yy) = 4 where depth > 0; u is 0 on the outline, between two cells."""
    rows, columns = depth.shape
    for _ in range(sweeps):
        for y in range(1, rows - 1):
            for x in range(1, columns - 1):
                d = depth[y, x]
                if d <= 0:
                    continue
                total, weight = 4.0, 0.0
                for k in range(4):
                    q = y + (k == 0) - (k == 1)
                    p = x + (k == 2) - (k == 3)
                    e = depth[q, p]
                    if e > 0:
                        total += u[q, p]
                        weight += 1.0
                    else:
                        weight += 1.0 / max(d / (d - e), 0.15)
                u[y, x] += over * (total / weight - u[y, x])


def pillow_squares(depth: F32) -> F32:
    """Squares of half the thickness of a pillow: -Δu = 4, which makes a ball of a disc, and has no creases.

    Of two outlines, one within the other, the inner one's u is less everywhere (the maximum principle), so what is
    drawn inside something is inside it in space, too. Where an outline passes between two cells the equation holds
    with its true distance (Shortley and Weller, 1938).

    Args:
        depth: (h, w) float32, cells to the outline, positive inside; its border is outside.

    Returns:
        (h, w) float32 square cells; below 0 outside, and 0 where ``depth`` is.
    """
    inside = depth > 0
    if not inside.any():
        return np.full(depth.shape, np.float32(-1))
    u = np.where(inside, ball_squares(depth), np.float32(0)).astype(np.float64)
    across = max(4.0, 2 * float(depth.max()))
    _relax(depth.astype(np.float64), u, 2 / (1 + math.sin(math.pi / (across + 1))), int(_SWEEPS * across) + 20)
    slope = np.asarray(filled_from(u / np.maximum(depth, _NEAREST), inside), np.float64)
    return np.where(inside, u, slope * np.minimum(depth, 0)).astype(np.float32)
