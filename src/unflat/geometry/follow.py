"""A box that goes with what is in it, from one frame to the next."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32, F64

_CORE = 0.7
"""This share of a box's width and height, in its middle, tells where it goes; at its rim is what is behind."""
_ROOM = 12
"""Boxes with fewer pixels across keep their size."""
_MOST = 0.05
"""Nothing grows or shrinks by more from frame to frame."""


def followed(box: F64, moved: F32) -> F64:
    """Where a box is in the other frame.

    Args:
        box: (4,) left, top, width, height, in pixels of the flow.
        moved: (h, w, 2) how far each pixel has moved there, as :func:`unflat.geometry.flow.flow` gives it.

    Returns:
        The same of the box: shifted by the median of the motion in it, as large as its median divergence says.
    """
    height, width = moved.shape[:2]
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    left, right = _span(x, box[2] * _CORE, width)
    top, bottom = _span(y, box[3] * _CORE, height)
    inside = moved[top:bottom, left:right].astype(np.float64)
    shift = np.median(inside, (0, 1))
    grown = 1.0
    if min(box[2], box[3]) >= _ROOM:
        across, down = np.arange(left, right) + 0.5 - x, np.arange(top, bottom) + 0.5 - y
        far = np.abs(across) > box[2] / 8, np.abs(down) > box[3] / 8
        rates = np.concatenate(
            [
                ((inside[..., 0] - shift[0])[:, far[0]] / across[far[0]]).ravel(),
                ((inside[..., 1] - shift[1])[far[1]] / down[far[1], None]).ravel(),
            ]
        )
        grown = 1 + float(np.clip(np.median(rates), -_MOST, _MOST)) if len(rates) else 1.0
    wide, high = box[2] * grown, box[3] * grown
    return np.array([x + shift[0] - wide / 2, y + shift[1] - high / 2, wide, high])


def hull(a: F64, b: F64) -> F64:
    """The smallest box around two."""
    start = np.minimum(a[:2], b[:2])
    return np.concatenate([start, np.maximum(a[:2] + a[2:], b[:2] + b[2:]) - start])


def grown(box: F64, share: float) -> F64:
    """The box with so much of its size added, half of it on either side."""
    return np.concatenate([box[:2] - share / 2 * box[2:], box[2:] * (1 + share)])


def _span(middle: float, length: float, most: int) -> tuple[int, int]:
    """At least one pixel, within the picture."""
    start = min(max(0, int(np.floor(middle - length / 2))), most - 1)
    return start, max(start + 1, min(most, int(np.ceil(middle + length / 2))))
