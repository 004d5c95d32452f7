"""Outlines: how far a pixel is from the edge of a cut-out, and how thick a round thing of that outline is."""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8

_HALF = 127.5


def signed_distance(alpha: U8) -> F32:
    """Distance to the line where the cover is one half.

    The outline runs between pixel centres; beside it the cover itself says where, to a fraction of a pixel.

    Args:
        alpha: (h, w), 255 is inside.

    Returns:
        (h, w) in pixels, negative inside; ``inf`` everywhere where nothing is inside.
    """
    import cv2

    inside = alpha > _HALF
    if not inside.any():
        return np.full(alpha.shape, np.inf, np.float32)
    framed = np.pad(inside, 1)  # what lies beyond the picture is outside
    within = np.asarray(cv2.distanceTransform(framed.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    without = np.asarray(cv2.distanceTransform((~framed).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    whole = np.where(framed, 0.5 - within, without - 0.5)[1:-1, 1:-1].astype(np.float32)
    beside = (np.abs(whole) <= 0.5) & (alpha > 0) & (alpha < 255)
    return np.where(beside, np.float32(0.5) - alpha.astype(np.float32) / 255, whole)


def ball_squares(radius: F32) -> F32:
    """Square of half the thickness of the round thing of an outline: the union of all balls that fit into it.

    A disc becomes a ball, a strip a cylinder, a tapering limb a cone: the largest r² − |x − c|² over all centres c with
    the radius r to the outline is a lower envelope of parabolas (Felzenszwalb and Huttenlocher, "Distance transforms of
    sampled functions", 2012), first along the columns, then along the rows.

    Args:
        radius: (h, w) distance to the nearest outline in pixels; 0 or less outside.

    Returns:
        (h, w) in square pixels, 0 on the outline and going on below 0 outside of it.
    """
    field = np.where(radius > 0, -(radius.astype(np.float64) ** 2), 1e12)
    for _ in range(2):
        field = np.ascontiguousarray(field.T)
        lower_parabolas(field)
    return -field.astype(np.float32)


@kernel
def lower_parabolas(field):
    """Replace every row f of ``field`` (float64) by min over j of f(j) + (i − j)²."""
    rows, columns = field.shape
    at = np.empty(columns, np.int64)
    until = np.empty(columns + 1, np.float64)
    row = np.empty(columns, np.float64)
    for y in range(rows):
        for x in range(columns):
            row[x] = field[y, x]
        last = 0
        at[0] = 0
        until[0], until[1] = -1e18, 1e18
        for x in range(1, columns):
            while True:
                j = at[last]
                meet = ((row[x] + x * x) - (row[j] + j * j)) / (2.0 * (x - j))
                if meet > until[last]:
                    break
                last -= 1
            last += 1
            at[last] = x
            until[last] = meet
            until[last + 1] = 1e18
        part = 0
        for x in range(columns):
            while until[part + 1] < x:
                part += 1
            field[y, x] = row[at[part]] + (x - at[part]) * (x - at[part])
