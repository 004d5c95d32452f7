"""Gate weave: the whole frame of an old film jumps about in the gate, which no camera did.

What all parts of the picture do together, from one frame to the next and back, is the gate's; what goes on smoothly,
and differently near and far, is the camera's. So each cell of a grid tells how far it strays from its own smooth
course, and one shift and turn is fitted to what most of them tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unflat.types.arrays import F32, F64, Bool

GRID = (6, 8)
"""Rows and columns of the cells."""
WINDOW = 8
"""Frames before and after that a smooth course is made of."""
_LEAST_KNOWN = 0.15
"""A cell speaks if so much of it could be followed."""
_FEWEST = 6
"""So many cells must speak."""
_ROUNDS = 6
_TUKEY = 4.685
_FARTHEST, _MOST_TURNED = 0.006, 0.0035
"""No gate lets a frame stray farther (widths, radians): what is more was a hand's that held the camera."""
_FINEST = 5e-5
"""Cells that agree this well (in widths) are not told apart further."""


class Weave(NamedTuple):
    """How a frame lies in the gate: from the pixels of its steady copy to its own.

    Attributes:
        x: To the right, in widths of the frame.
        y: Down, in widths, too.
        turn: Clockwise about the middle of the frame, radians.
    """

    x: float = 0.0
    y: float = 0.0
    turn: float = 0.0

    def matrix(self, width: int, height: int) -> F32:
        """(2, 3) frame_from_copy for pictures of a size, on pixels counted from 0 at their centres."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        turned = np.array([[cos, -sin], [sin, cos]])
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        moved = middle - turned @ middle + width * np.array([self.x, self.y])
        return np.column_stack([turned, moved]).astype(np.float32)


def by_cell(values: F32, known: Bool) -> F32:
    """The median in each cell of a grid of GRID.

    Args:
        values: (h, w) or (h, w, c).
        known: (h, w), what counts.

    Returns:
        (rows, columns) or (rows, columns, c) float32; NaN where too little is known.
    """
    rows, columns = GRID
    height, width = known.shape
    out = np.full((rows, columns, *values.shape[2:]), np.nan, np.float32)
    ys, xs = ([length * k // n for k in range(n + 1)] for length, n in ((height, rows), (width, columns)))
    for r in range(rows):
        for c in range(columns):
            part = (slice(ys[r], ys[r + 1], 2), slice(xs[c], xs[c + 1], 2))
            use = known[part]
            if use.size and use.mean() >= _LEAST_KNOWN:
                out[r, c] = np.median(values[part][use], axis=0)
    return out


def filled(cells: F32) -> F32:
    """Cells of which nothing is known take the mean of those around them, ring by ring; 0 where no cell is known.

    Args:
        cells: (rows, columns) or (rows, columns, c); a cell is unknown as a whole.
    """
    import cv2

    known = np.asarray(np.isfinite(cells).reshape(*cells.shape[:2], -1).all(-1), np.float32)
    if known.all():
        return cells
    plain = np.nan_to_num(cells).astype(np.float32)
    while known.any() and not known.all():
        around = np.asarray(cv2.blur(known, (3, 3), borderType=cv2.BORDER_CONSTANT), np.float32)
        sums = np.asarray(cv2.blur(plain, (3, 3), borderType=cv2.BORDER_CONSTANT), np.float32)
        new = (known == 0) & (around > 0)
        plain[new] = (sums[new].T / around[new]).T
        known[new] = 1
    return plain


def strayed(steps: Sequence[F32], here: int, sigma: float, *, straight: bool) -> F32:
    """How far a path is off its smooth course at one of its points.

    Args:
        steps: From each point to the next; any shape, n - 1 of them for n points; at least one.
        here: The number of the point, 0 to n - 1.
        sigma: Points count by a bell of this width, in steps.
        straight: The course is a line fitted to the points around, so that a steady pan strays nowhere, not at the ends
            of a shot either; otherwise it is their mean.
    """
    stack = np.stack(steps).astype(np.float64)
    path = np.concatenate([np.zeros_like(stack[:1]), np.cumsum(stack, 0)])
    path -= path[here]
    t = np.arange(len(path)) - here
    weights = np.exp(-(t**2) / (2 * sigma**2))
    share: F64 = weights / weights.sum()
    if straight:
        s0, s1, s2 = (float((weights * t**k).sum()) for k in range(3))
        share = np.asarray(weights * (s2 - s1 * t) / (s0 * s2 - s1 * s1), np.float64)
    return (-np.tensordot(share, path, 1)).astype(np.float32)


def weave_of(strays: F32, height_over_width: float, *, limited: bool = True) -> Weave:
    """The one shift and turn that most cells agree on.

    Args:
        strays: (rows, columns, 2) how far the cells stray to the right and down, in widths; NaN: unknown.
        height_over_width: Of the frame.
        limited: No more than a gate allows.
    """
    rows, columns = strays.shape[:2]
    y, x = np.mgrid[:rows, :columns].astype(np.float64)
    x, y = (x + 0.5) / columns - 0.5, ((y + 0.5) / rows - 0.5) * height_over_width
    use = np.isfinite(strays).all(-1)
    if np.count_nonzero(use) < _FEWEST:
        return Weave()
    told = strays[use].astype(np.float64)
    one, none = np.ones(len(told)), np.zeros(len(told))
    design = np.stack([np.column_stack([one, none, -y[use]]), np.column_stack([none, one, x[use]])], 1)
    found: F64 = np.array([*np.median(told, axis=0), 0.0])
    for _ in range(_ROUNDS):
        residual = np.linalg.norm(told - design @ found, axis=1)
        spread = max(1.4826 * float(np.median(residual)), _FINEST)
        weights = np.maximum(1 - (residual / (_TUKEY * spread)) ** 2, 0) ** 2
        normal = np.einsum("n,nki,nkj->ij", weights, design, design)
        right = np.einsum("n,nki,nk->i", weights, design, told)
        found = np.asarray(np.linalg.solve(normal + 1e-9 * np.eye(3), right), np.float64)
    x, y, turn = (float(v) for v in found)
    if not limited:
        return Weave(x, y, turn)
    share = min(1.0, _FARTHEST / max(float(np.hypot(x, y)), 1e-12))
    return Weave(share * x, share * y, float(np.clip(turn, -_MOST_TURNED, _MOST_TURNED)))
