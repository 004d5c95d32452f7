"""Where every pixel of a frame goes in another: dense optical flow, and where it can be believed."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32, U8, Bool

_SMALLEST = 48
"""The search for flow needs a few coarser levels of its pictures: sides in pixels."""


def flow(source: U8, target: U8) -> F32:
    """How far each pixel of ``source`` has moved in ``target``: dense inverse search (Kroeger et al., ECCV 2016).

    Args:
        source: (h, w) grey.
        target: The same size.

    Returns:
        (h, w, 2) float32 pixels to the right and down: what is at x in the source is at x + flow in the target.
    """
    import cv2

    height, width = source.shape
    larger = max(width, _SMALLEST), max(height, _SMALLEST)
    if larger != (width, height):
        source, target = (np.asarray(cv2.resize(p, larger), np.uint8) for p in (source, target))
    found = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(source, target, None)  # type: ignore[call-overload]
    return resized_flow(np.asarray(found, np.float32), height, width)


def resized_flow(moved: F32, height: int, width: int) -> F32:
    """The same motion in pixels of another size, (height, width, 2)."""
    import cv2

    if moved.shape[:2] == (height, width):
        return moved
    factor = np.array([width / moved.shape[1], height / moved.shape[0]], np.float32)
    return np.asarray(cv2.resize(moved, (width, height), interpolation=cv2.INTER_AREA), np.float32) * factor


def places(height: int, width: int) -> F32:
    """(height, width, 2) float32: the column and row of every pixel, as :func:`sampled` counts them (from 0)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([x, y], -1)


def sampled(planes: F32, at: F32) -> F32:
    """The planes between their pixels, linearly; 0 beyond their border.

    Args:
        planes: (h, w) or (h, w, up to 4) float32.
        at: (h, w, 2) float32, see :func:`places`.
    """
    import cv2

    return np.asarray(cv2.remap(planes, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32)  # type: ignore[call-overload]


def returning(there: F32, back: F32) -> Bool:
    """The pixels of the source whose way there leads back: neither hidden, nor out of the picture, nor guessed.

    The tolerance grows with the motion (Sundaram, Brox and Keutzer, ECCV 2010).

    Args:
        there: (h, w, 2), from the source to the target.
        back: (h, w, 2), from the target to the source.
    """
    height, width = there.shape[:2]
    at = places(height, width) + there
    returned = sampled(back, at)
    off = ((there + returned) ** 2).sum(-1)
    allowed = 0.01 * ((there**2).sum(-1) + (returned**2).sum(-1)) + 0.25
    inside = (at[..., 0] >= 0) & (at[..., 0] <= width - 1) & (at[..., 1] >= 0) & (at[..., 1] <= height - 1)
    return (off < allowed) & inside
