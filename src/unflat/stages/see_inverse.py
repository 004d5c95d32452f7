"""depth map + picture -> inverse depth of every pixel, and how near and far it reaches: what two eyes are placed by."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F32
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size

RIM_PX = 3
"""The seam around a cut-out is as near as the cut-out itself."""
_NEAREST, _FARTHEST = 99, 1
"""Percentiles: single pixels may be nearer, or farther."""
_SKY_COUNTS = 0.01
"""From so large a share of the picture on, the sky is what is farthest."""
_SAMPLED = 1_000_000


def inverse_everywhere(depth: DepthMap, picture: Image) -> F32:
    """Inverse depth, in the unit of the map, without holes.

    The sky is 0. What is transparent lies where the farthest surface is, but for a seam around what is not; other holes
    are as far as the nearest pixel of like colour.

    Args:
        depth: Of a kind that has a front (METRIC or SCALE), not a panorama's.
        picture: Of the same shape, in any size.

    Returns:
        (h, w) float32 of the map's size.
    """
    surface = depth.surface
    inverse = np.divide(1, depth.z, out=np.zeros(surface.shape, np.float32), where=surface)
    open_ = ~np.asarray(depth.valid)
    if not open_.any():
        return inverse
    clear = open_ & _transparent(picture, depth.size)
    if clear.any():
        ground = np.float32(inverse[surface].min())
        inverse[clear] = np.maximum(_widened(inverse, RIM_PX)[clear], ground)
    return _like_neighbours(inverse, open_ & ~clear, picture)


def reach_of(inverse: F32, depth: DepthMap) -> tuple[float, float]:
    """The inverse depth of what is nearest and of what is farthest.

    Args:
        inverse: As :func:`inverse_everywhere` gives it.
        depth: Its map, which knows the sky.

    Returns:
        Near and far; far is 0 where there is sky to speak of.
    """
    step = max(1, round((inverse.size / _SAMPLED) ** 0.5))
    seen = inverse[::step, ::step][depth.surface[::step, ::step]]
    seen = seen if seen.size else inverse[depth.surface]
    near, far = (float(np.percentile(seen, q)) for q in (_NEAREST, _FARTHEST))
    if depth.sky is not None and float(depth.sky.mean()) > _SKY_COUNTS:
        far = 0.0
    return near, far


def _transparent(picture: Image, size: Size) -> np.ndarray:
    """(h, w) bool at the map's size: less than half opaque."""
    import cv2

    if picture.alpha is None:
        return np.zeros(size.shape, bool)
    alpha = picture.alpha
    if picture.size != size:
        alpha = cv2.resize(alpha, (size.width, size.height), interpolation=cv2.INTER_AREA)
    return np.asarray(alpha < 128)


def _widened(inverse: F32, by: int) -> F32:
    """What is near grows over what is farther by some pixels."""
    import cv2

    return np.asarray(cv2.dilate(inverse, np.ones((2 * by + 1, 2 * by + 1), np.uint8)), np.float32)


def _like_neighbours(inverse: F32, open_: np.ndarray, picture: Image) -> F32:
    """Holes filled from the nearest pixels of like colour, in place."""
    import cv2

    from unflat.geometry.complete import nearest_alike

    if not open_.any():
        return inverse
    h, w = inverse.shape
    colour = picture.pixels
    if colour.shape[:2] != (h, w):
        colour = np.asarray(cv2.resize(colour, (w, h), interpolation=cv2.INTER_AREA), np.uint8)
    source = nearest_alike(~open_, open_, colour)
    found = open_ & (source >= 0)
    inverse[found] = inverse.reshape(-1)[source[found]]
    return inverse
