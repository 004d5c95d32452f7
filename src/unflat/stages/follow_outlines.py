"""A frame and its depth, as small as networks see it -> depth with its outlines where the picture has them."""

from __future__ import annotations

import cv2
import numpy as np

from unflat.geometry.refine import refine_depth
from unflat.types.arrays import F32, U8
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size


def follow_outlines(pixels: U8, inverse: F32, size: Size) -> F32:
    """Enlarge inverse depth to ``size``, with steep outlines that lie on those of the picture.

    Each frame is looked at by itself: depth that is steady over time stays so, for the outlines of the picture are.

    Args:
        pixels: (H, W, 3) uint8 sRGB, the frame, of any size.
        inverse: (h, w) float32, finite, 0 in the sky; of the same field of view.
        size: Of the result. Depth that is as wide already is returned as it is.
    """
    if inverse.shape[1] >= size.width:
        return inverse
    whole = np.ones(inverse.shape, np.bool_)
    # Inverse depth is a disparity; a sky is but very far then.
    fine = refine_depth(DepthMap(inverse, DepthKind.DISPARITY, whole), pixels, size).values
    # Single pixels beyond an outline are crumbs: moved in, they hang in the air.
    return np.asarray(np.clip(cv2.medianBlur(fine, 3), inverse.min(), inverse.max()), np.float32)
