"""The nearest pixel of a kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import Bool


def nearest_true(mask: Bool, at: tuple[NDArray[np.intp], ...] | None = None) -> NDArray[np.int64]:
    """For every pixel of a mask that is somewhere True, the flat index of the nearest True one.

    Args:
        mask: (h, w).
        at: Rows and columns that are asked for, (n,) each; None: all.

    Returns:
        (n,), or (h, w) for all.
    """
    import cv2

    _, found = cv2.distanceTransformWithLabels(
        np.where(mask, 0, 1).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label = np.asarray(found, np.int32)
    where = np.zeros(int(label.max()) + 1, np.int64)
    where[label[mask]] = np.flatnonzero(mask)
    return where[label if at is None else label[at]]
