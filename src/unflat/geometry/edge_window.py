"""The window that two views are seen through: what comes out of it must not be cut by its sides.

What is nearer than the screen and yet ends at the screen's side is seen farther by one eye than by the other. Either
that side is brought out, too, by a black band in the view of the eye that sees more (a floating window: Mendiburu, "3D
movie making", 2009), or everything is moved back behind the screen and the sides that one eye lacks are cropped.
"""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32, U8, Bool

SIDE = 0.02
"""How wide a strip along each side is looked at, as a share of the width."""
MOST = 0.95
"""This share of the strip comes out no farther than what is answered for: a twig alone does not bring a band."""


def sides_of(disparity: F32) -> tuple[float, float]:
    """How far what is cut by the left and by the right side comes out of the screen.

    Args:
        disparity: (h, w) between the eyes in pixels, positive comes out.

    Returns:
        Two disparities in pixels, 0 where nothing comes out.
    """
    strip = max(1, round(disparity.shape[1] * SIDE))
    left, right = (float(np.quantile(part, MOST)) for part in (disparity[:, :strip], disparity[:, -strip:]))
    return max(left, 0.0), max(right, 0.0)


def float_window(left: U8, right: U8, out: tuple[float, float]) -> tuple[U8, U8]:
    """Black bands that bring the window's sides out of the screen.

    Args:
        left: (h, w, 3) what the left eye sees.
        right: (h, w, 3) what the right eye sees.
        out: How far each side of the window comes out, in pixels of disparity.

    Returns:
        Both views; the left one lacks a strip of its left side, the right one of its right side.
    """
    from_left, from_right = (min(round(px), left.shape[1]) for px in out)
    if from_left:
        left = left.copy()
        left[:, :from_left] = 0
    if from_right:
        right = right.copy()
        right[:, right.shape[1] - from_right :] = 0
    return left, right


def cut_by(margin: float, width: int) -> int:
    """Columns that :func:`crop_sides` cuts from each side of a view: never more than a quarter."""
    return round(min(margin, width / 4))


def crop_sides(view: U8, made: Bool, margin: float) -> tuple[U8, Bool]:
    """A view without its sides, enlarged to its size again; above and below it is cut, too, so that nothing stretches.

    Args:
        view: (h, w, 3).
        made: (h, w).
        margin: Pixels that are cut from the left, and from the right.
    """
    import cv2

    h, w = made.shape
    across = cut_by(margin, w)
    if not across:
        return view, made
    down = round(across * h / w)
    inner = np.s_[down : h - down, across : w - across]
    larger = cv2.resize(np.ascontiguousarray(view[inner]), (w, h), interpolation=cv2.INTER_CUBIC)
    flags = cv2.resize(made[inner].astype(np.uint8), (w, h), interpolation=cv2.INTER_NEAREST)
    return np.asarray(larger, np.uint8), np.asarray(flags) > 0
