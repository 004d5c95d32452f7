"""Depth of field: what is not in focus is blurred by its distance from the plane that is.

The circle of confusion of a thin lens has a diameter in proportion to the difference of inverse depths (Potmesil and
Chakravarty, "A lens and aperture camera model for synthetic image generation", 1981). The picture is cut into slices of
like blur, each slice is blurred with its own cover and laid over those behind it, so sharp things keep their outlines
before a blurred ground and blurred things spread over it.
"""

from __future__ import annotations

import cv2
import numpy as np

from unflat.types.arrays import F32

SLICES = 9
"""How many blurs there are on each side of the focus."""
SHARP_PX = 0.5
"""A circle of confusion of this diameter is still a point."""


def defocused(colour: F32, inverse: F32, focus: float, aperture_px: float) -> F32:
    """Blur a picture as a lens does.

    Args:
        colour: (h, w, 3) float32.
        inverse: (h, w) inverse depth of every pixel; 0 is infinity.
        focus: Inverse depth that is sharp.
        aperture_px: Diameter, in pixels, of the circle of something whose inverse depth differs by 1.

    Returns:
        (h, w, 3) float32.
    """
    circle = (inverse - np.float32(focus)) * np.float32(aperture_px)
    most = float(np.abs(circle).max(initial=0.0))
    if most <= SHARP_PX:
        return colour
    steps = min(SLICES, max(1, int(np.ceil(most))))
    edges = np.linspace(-most, most, 2 * steps + 2)
    out, cover = np.zeros_like(colour), np.zeros(inverse.shape, np.float32)
    which = np.clip(np.searchsorted(edges, circle, side="right") - 1, 0, 2 * steps)
    for i in range(2 * steps + 1):
        mask = (which == i).astype(np.float32)
        if not mask.any():
            continue
        size = abs(float(edges[i] + edges[i + 1]) / 2)
        seen, share = colour * mask[..., None], mask
        if size > SHARP_PX:
            seen, share = _disc(seen, size), _disc(mask, size)
        out += seen - out * share[..., None]
        cover += share - cover * share
    return (out / np.maximum(cover, np.float32(1e-3))[..., None]).astype(np.float32)


def _disc(image: F32, diameter: float) -> F32:
    """Mean over a disc, its rim weighed by how much of it a pixel covers."""
    radius = diameter / 2
    half = int(np.ceil(radius))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    blurred = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)
