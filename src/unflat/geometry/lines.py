"""Lines that enclose nothing: small gaps in outlines closed, and flagella and threads found."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import Bool

_GAP = 3.0
"""Gaps in outlines are closed that are up to so many times half a line wide."""
_AWAY = 2.0
"""What lies so many times half a line from every border between faces, and a pixel, is no part of an outline."""
_LONG = 0.035
"""A line is at least this share of the picture's long side long."""
_THIN = 5.0
"""It is at least so many times as long as it is wide."""
_MOST = 12
"""If a face holds more lines than this they are its hatching, its cilia or its grain."""


class Line(NamedTuple):
    """A line that encloses nothing.

    Attributes:
        number: In the map of regions.
        inside: The number of the face that it lies in, 0 for the paper.
        mask: (h, w) bool.
    """

    number: int
    inside: int
    mask: Bool


def sealed_lines(ink: Bool, half: float) -> Bool:
    """The ink with small gaps in its lines closed.

    Args:
        ink: (h, w) bool.
        half: Half the usual width of lines, in pixels.
    """
    reach = 2 * round(_GAP * half / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    framed = np.pad(ink, reach).astype(np.uint8)
    closed = np.asarray(cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc)) > 0
    return closed[reach:-reach, reach:-reach]


def with_lines(numbers: NDArray[np.int32], ink: Bool, half: float) -> tuple[NDArray[np.int32], tuple[Line, ...]]:
    """The map of faces with single lines drawn over it.

    Args:
        numbers: (h, w) int32, 0 paper, 1 … the faces.
        ink: (h, w) bool, without letters and leaders.
        half: Half the usual width of lines, in pixels.

    Returns:
        The map, and the lines, numbered on from the faces.
    """
    real, around = numbers.astype(np.float32), np.ones((3, 3), np.uint8)
    even: Bool = np.equal(np.asarray(cv2.erode(real, around)), np.asarray(cv2.dilate(real, around)))
    border = np.asarray(cv2.distanceTransform(even.astype(np.uint8), cv2.DIST_L2, 5))
    loose = ink & (border > _AWAY * half + 1)
    count, found = cv2.connectedComponents(sealed_lines(loose, 3 * half).astype(np.uint8), connectivity=8)
    pieces, first = np.where(loose, np.asarray(found, np.int32), 0), int(numbers.max()) + 1
    within = np.asarray(cv2.distanceTransform(loose.astype(np.uint8), cv2.DIST_L2, 5))
    size = np.bincount(pieces.reshape(-1), minlength=count)
    lines: list[Line] = []
    for n in np.flatnonzero(size > 2 * half * _LONG * max(ink.shape)).tolist():
        mask = pieces == n
        width = 2 * max(float(np.quantile(within[mask], 0.9)), half / 2)
        if n and size[n] / width > max(_THIN * width, _LONG * max(ink.shape)):
            lines.append(Line(first + len(lines), int(np.bincount(numbers[mask]).argmax()), mask))
    crowd = np.bincount([line.inside for line in lines], minlength=first) > _MOST
    lines = [line for line in lines if not crowd[line.inside]]
    out = numbers.copy()
    for place, line in enumerate(lines):
        lines[place] = line._replace(number=first + place)
        out[line.mask] = first + place
    return out, tuple(lines)
