"""A drawing's lines and colours -> its faces: what lies between lines, or is of one colour; and what lies in what."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.sheet import Ink, Sheet, filled_from
from unflat.types.arrays import F32, Bool

_STEP = 1.6
"""A colour that changes by more than this (Lab) from pixel to pixel, or three times the grain, has an edge there."""
_SAME = 5.0
"""Neighbours without a line between them whose colours differ by less are one."""
_LINED = 0.4
"""Two faces have a line between them if this share of their border is ink."""
_LED = 0.25
"""Two faces are one if so much of their border is only a leader."""
_BLANK = 9.0
"""What differs less than this from the paper may be paper."""


class Faces(NamedTuple):
    """A drawing divided.

    Attributes:
        numbers: (h, w) int32, 0 paper, 1 … the faces; every place belongs to one, lines to the nearest.
        parents: For each face its parent's number, 0 for none; parents[0] is 0.
    """

    numbers: NDArray[np.int32]
    parents: NDArray[np.int32]


def faces_of(sheet: Sheet, ink: Ink, lines: Bool, drawn: Bool, least: float) -> Faces:
    """Divide a drawing.

    A leader divides at first, too, so that no outline that it crosses is cut; what only it divides is joined again.

    Args:
        sheet: The drawing.
        ink: All of its ink, letters as well.
        lines: (h, w) bool, the ink of lines, leaders among them.
        drawn: (h, w) bool, the ink without leaders.
        least: Pixels that a face has at least.
    """
    wide = np.asarray(cv2.dilate(ink.mask.astype(np.uint8), np.ones((3, 3), np.uint8))).astype(bool)
    if wide.all():
        return Faces(np.zeros(wide.shape, np.int32), np.zeros(1, np.int32))
    colors = np.asarray(filled_from(sheet.lab, ~wide), np.float32)
    between = lines | _steps(colors, sheet.noise)
    count, found = cv2.connectedComponents((~between).astype(np.uint8), connectivity=4)
    pieces = np.asarray(found, np.int32)
    small = np.bincount(pieces.reshape(-1), minlength=count) < least
    small[0] = True
    known = ~small[pieces]
    if not known.any():
        return Faces(np.zeros(wide.shape, np.int32), np.zeros(1, np.int32))
    grown = np.asarray(filled_from(pieces, known), np.int32)
    means = _means(colors, pieces, count)
    grown = _joined(grown, means, (drawn, lines & ~drawn), sheet.noise)
    blank = _paper(grown, means, sheet, drawn)
    numbers = _counted(np.where(blank[grown], 0, grown))
    return Faces(numbers, _parents(numbers))


def _steps(colors: F32, noise: float) -> Bool:
    """Where flat colours meet."""
    soft = np.asarray(cv2.GaussianBlur(colors, (0, 0), 0.8 if noise < 0.8 else 1.6), np.float32)
    gx, gy = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *way, ksize=3, scale=0.125)) for way in ((1, 0), (0, 1)))
    steep = np.sqrt((gx * gx + gy * gy).sum(axis=-1))
    return steep > max(_STEP, 4.5 * float(np.median(steep[::3, ::3])))


def _means(colors: F32, pieces: NDArray[np.int32], count: int) -> F32:
    """(count, 3) mean colour of each piece."""
    flat = pieces.reshape(-1)
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    return np.stack([np.bincount(flat, colors[..., k].reshape(-1), count) / size for k in range(3)], axis=-1).astype(
        np.float32
    )


def _borders(numbers: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of neighbouring pixels of different numbers: the smaller number, the larger, and the pixel's index."""
    index = np.arange(numbers.size).reshape(numbers.shape)
    one: list[NDArray[np.int64]] = []
    other: list[NDArray[np.int64]] = []
    at: list[NDArray[np.int64]] = []
    for first, second in (((slice(None), slice(-1)), (slice(None), slice(1, None))), (slice(-1), slice(1, None))):
        a, b = numbers[first].astype(np.int64), numbers[second].astype(np.int64)
        differs = a != b
        one.append(np.minimum(a, b)[differs])
        other.append(np.maximum(a, b)[differs])
        at.append(index[first][differs])
    return np.concatenate(one), np.concatenate(other), np.concatenate(at)


def _joined(grown: NDArray[np.int32], means: F32, ink: tuple[Bool, Bool], noise: float) -> NDArray[np.int32]:
    """Neighbours of one colour made one that have no line between them, or, for a part, only a leader.

    Args:
        grown: (h, w) numbers of faces.
        means: Their colours.
        ink: (h, w) bool each: outlines, and leaders.
        noise: Of the sheet.
    """
    drawn, led = (
        np.asarray(cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8))).reshape(-1) > 0 for one in ink
    )
    a, b, at = _borders(grown)
    pairs, number = np.unique(a * (int(grown.max()) + 1) + b, return_inverse=True)
    length = np.bincount(number)
    apart = np.bincount(number, drawn[at]) >= _LINED * length
    apart &= np.bincount(number, led[at] & ~drawn[at]) < _LED * length
    root = np.arange(int(grown.max()) + 1)
    for pair, lined in zip(pairs.tolist(), apart.tolist(), strict=True):
        one, other = divmod(pair, int(grown.max()) + 1)
        if not lined and np.linalg.norm(means[one] - means[other]) < _SAME + noise:
            one, other = _root(root, one), _root(root, other)
            root[max(one, other)] = min(one, other)
    return np.array([_root(root, n) for n in range(len(root))], np.int32)[grown]


def _root(root: NDArray[np.int64], n: int) -> int:
    while root[n] != n:
        n = int(root[n])
    return n


def _paper(grown: NDArray[np.int32], means: F32, sheet: Sheet, drawn: Bool) -> Bool:
    """Which faces are paper: of its colour, and at the picture's border, or a hole without a line round it."""
    count = len(means)
    blank = np.linalg.norm(means - sheet.paper, axis=1) < _BLANK + sheet.noise
    border = np.zeros(count, bool)
    for edge in (grown[0], grown[-1], grown[:, 0], grown[:, -1]):
        border[edge] = True
    thick = np.asarray(cv2.dilate(drawn.astype(np.uint8), np.ones((3, 3), np.uint8))).reshape(-1)
    a, b, at = _borders(grown)
    length = np.bincount(a, minlength=count) + np.bincount(b, minlength=count)
    lined = np.bincount(a, thick[at], count) + np.bincount(b, thick[at], count)
    outer = blank & border
    beside = np.zeros(count, bool)  # what differs from the paper beside it is none
    beside[a[outer[b]]] = beside[b[outer[a]]] = True
    return outer | (blank & ~beside & (lined < _LINED * length))


def _counted(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """The same with numbers without gaps, 0 staying 0; a face of several pieces keeps the largest number of pixels."""
    present = np.unique(numbers)
    table = np.zeros(int(numbers.max()) + 1, np.int32)
    table[present[present > 0]] = np.arange(1, int((present > 0).sum()) + 1)
    return table[numbers]


def _parents(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """What each face lies in: the smallest of those whose outer outline goes round it."""
    count = int(numbers.max())
    parents = np.zeros(count + 1, np.int32)
    sizes = np.full(count + 1, np.inf)
    spots, boxes = _spots(numbers, count)
    for n in range(1, count + 1):
        x, y, w, h = boxes[n]
        own = numbers[y : y + h, x : x + w] == n
        filled = _filled(own)
        area = float(filled.sum())
        held = np.unique(numbers[y : y + h, x : x + w][filled & ~own])
        for m in held[held > 0].tolist():
            sx, sy = spots[m]
            if x <= sx < x + w and y <= sy < y + h and filled[sy - y, sx - x] and area < sizes[m]:
                parents[m], sizes[m] = n, area
    return parents


def _filled(mask: Bool) -> Bool:
    """A mask with its holes: all that cannot be reached from its border."""
    _, found = cv2.connectedComponents(np.pad(~mask, 1, constant_values=True).astype(np.uint8), connectivity=8)
    pieces = np.asarray(found, np.int32)
    return (pieces != pieces[0, 0])[1:-1, 1:-1]


def _spots(numbers: NDArray[np.int32], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A pixel (x, y) of each face, and its box (x, y, w, h); both (count + 1, …)."""
    ys, xs = np.nonzero(numbers)
    n = numbers[ys, xs]
    spots, boxes = np.zeros((count + 1, 2), np.int64), np.zeros((count + 1, 4), np.int64)
    spots[n] = np.stack([xs, ys], axis=1)
    low = np.full((count + 1, 2), np.iinfo(np.int64).max)
    high = np.full((count + 1, 2), -1)
    np.minimum.at(low, n, np.stack([xs, ys], axis=1))
    np.maximum.at(high, n, np.stack([xs, ys], axis=1))
    boxes[:, :2], boxes[:, 2:] = low, high - low + 1
    return spots, boxes
