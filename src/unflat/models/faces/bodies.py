"""Bodies of standing and walking people, by histograms of gradients (Dalal & Triggs, CVPR 2005).

OpenCV's cascade for heads with shoulders takes longer than all other finders together and saw nobody in the pictures
on which this was set up; it is left out.
"""

from __future__ import annotations

import threading

import numpy as np

from unflat.models.faces.merge import Heap
from unflat.types.arrays import U8
from unflat.types.image import Size

_LONG = 560
"""Pixels of the long side of what is looked at; somebody who stands must be 100 of them high."""
_WINDOW = 64, 128
_STEP = 1.1
_STRIDE, _MARGIN = (8, 8), (16, 16)
_SCORE = 0.5
"""Windows that are farther than this on the right side of the hyperplane count."""
_INSET = (0.16, 0.06)
"""The window has so much of its width, and of its height, beside the body on either side."""
_MINE = threading.local()


def bodies(grey: U8) -> list[Heap]:
    """Standing people, in pixels of the grey picture (h, w); the weight is the distance from the hyperplane."""
    import cv2

    full = Size(grey.shape[1], grey.shape[0])
    size = full.fitted(_LONG)
    if size.width < _WINDOW[0] or size.height < _WINDOW[1]:  # OpenCV reads beyond smaller ones
        return []
    small = grey if size == full else cv2.resize(grey, (size.width, size.height), interpolation=cv2.INTER_AREA)
    if not hasattr(_MINE, "finder"):  # what others do with it meanwhile is not known
        _MINE.finder = cv2.HOGDescriptor()
        _MINE.finder.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))
    found, scores = _MINE.finder.detectMultiScale(small, winStride=_STRIDE, padding=_MARGIN, scale=_STEP)
    back, heaps = full.width / size.width, list[Heap]()
    for (left, top, width, height), score in zip(found, np.ravel(np.asarray(scores)), strict=True):
        if score >= _SCORE:
            x, y = (left + width / 2) * back, (top + height / 2) * back
            wide, high = (1 - 2 * _INSET[0]) * width * back, (1 - 2 * _INSET[1]) * height * back
            heaps.append(Heap(float(x), float(y), float(wide), float(high), float(score)))
    return sorted(heaps, key=lambda heap: -heap.weight)
