"""A cascade moved over a picture: every second window of every second row, at one size.

Neighbouring windows are asked together as long as a fair share of them is left, then each alone: what most windows
fail at is worked on by all lanes of the processor. So the first stages cost little, and most windows see no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.jit import inner, kernel
from unflat.models.faces.cascade import I32, Cascade
from unflat.types.arrays import F32, U8

STEP = 2
"""Pixels between windows."""
_FEW = 6
"""When only one in so many windows of a row is left, they are asked without the others."""
_FLAT = 6.0
"""A window whose grey values (0..255) spread less shows nothing."""
_MOST = 4096
"""Windows that are kept; more of them mean noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What windows are asked of: sums of a picture's grey values, and of their squares, above and left of each pixel.

    Attributes:
        width: Of the picture, pixels.
        height: Of it.
        grey: (2, height + 1, half the width) int32: the even columns and the odd ones, so that steps of two lie side
            by side.
        square: The same of the squares; where they are too large for int32, their differences still are right.
    """

    width: int
    height: int
    grey: I32
    square: I32

    @staticmethod
    def of(grey: U8) -> Sums:
        """Of a picture (h, w)."""
        import cv2

        sums, squares = cv2.integral2(grey, sdepth=cv2.CV_32S, sqdepth=cv2.CV_32S)
        parted = (_parted(np.asarray(both, np.int32)) for both in (sums, squares))
        return Sums(grey.shape[1], grey.shape[0], *parted)


def _parted(sums: I32) -> I32:
    height, width = sums.shape
    planes = np.zeros((2, height, (width + 1) // 2), np.int32)
    planes[0], planes[1, :, : width // 2] = sums[:, 0::2], sums[:, 1::2]
    return planes


def sweep(sums: Sums, cascade: Cascade, short: int) -> F32:
    """The windows that come within ``short`` stages of passing.

    Args:
        sums: Of a picture in which what is looked for is as large as the cascade's window.
        cascade: What is asked.
        short: How many of the last stages need not be passed.

    Returns:
        (n, 3) float32: left and top of each window in pixels, and how many stages it passed.
    """
    columns, rows = (sums.width - cascade.width) // STEP + 1, (sums.height - cascade.height) // STEP + 1
    if sums.width < cascade.width or sums.height < cascade.height:
        return np.empty((0, 3), np.float32)
    shape, sides = sums.grey.shape, (cascade.width - 2) * (cascade.height - 2)
    frame = cascade.frame.places(shape), np.float32(sides)
    found = np.empty((_MOST, 3), np.float32)
    goal = (rows, cascade.stages - short)
    both = (sums.grey.ravel(), sums.square.ravel())
    count = _sweep(cascade.asked, cascade.corners.places(shape), frame, both, (columns, shape[2]), goal, found)
    return found[:count]


@inner
def _boxes(sums, at, corners, weights, node, values):
    """Put a feature of neighbouring windows, the first of which is ``at``, into ``values``."""
    for k in range(3 * node, 3 * node + 3):
        weight = weights[k]
        if weight == 0:
            break
        a, b = at + np.uint64(corners[4 * k]), at + np.uint64(corners[4 * k + 1])
        c, d = at + np.uint64(corners[4 * k + 2]), at + np.uint64(corners[4 * k + 3])
        keep = np.float32(k > 3 * node)
        for j in range(np.uint64(len(values))):
            box = np.float32(np.int32(sums[a + j] - sums[b + j] - sums[c + j] + sums[d + j]))
            values[j] = keep * values[j] + weight * box


@inner
def _boxes_of(sums, places, corners, weights, node, values):
    """The same of windows anywhere; as many as there are ``places``."""
    for k in range(3 * node, 3 * node + 3):
        weight = weights[k]
        if weight == 0:
            break
        a, b = np.uint64(corners[4 * k]), np.uint64(corners[4 * k + 1])
        c, d = np.uint64(corners[4 * k + 2]), np.uint64(corners[4 * k + 3])
        keep = np.float32(k > 3 * node)
        for j in range(np.uint64(len(places))):
            at = np.uint64(places[j])
            box = np.float32(np.int32(sums[at + a] - sums[at + b] - sums[at + c] + sums[at + d]))
            values[j] = keep * values[j] + weight * box


@inner
def _vote(asked, t, spread, one, two, total):
    """Add what a tree says, from its features."""
    _first, _least, chain, split, leaf, _weights = asked
    s0, s1, under, over, other = split[2 * t], split[2 * t + 1], leaf[3 * t], leaf[3 * t + 1], leaf[3 * t + 2]
    if chain[t] == 0:
        for j in range(len(spread)):
            total[j] += under if one[j] < s0 * spread[j] else over
    elif chain[t] < 0:
        for j in range(len(spread)):
            said = under if two[j] < s1 * spread[j] else over
            total[j] += said if one[j] < s0 * spread[j] else other
    else:
        for j in range(len(spread)):
            said = under if two[j] < s1 * spread[j] else over
            total[j] += other if one[j] < s0 * spread[j] else said


@inner
def _spreads(frame, both, at, spread, alive):
    """Area times the standard deviation of neighbouring windows, and whether they show anything."""
    corner, area = frame
    sums, squares = both
    a, b = at + np.uint64(corner[0]), at + np.uint64(corner[1])
    c, d = at + np.uint64(corner[2]), at + np.uint64(corner[3])
    flat = np.float32(_FLAT) * area
    for j in range(np.uint64(len(spread))):
        total = np.float32(np.int32(sums[a + j] - sums[b + j] - sums[c + j] + sums[d + j]))
        square = np.float32(np.int32(squares[a + j] - squares[b + j] - squares[c + j] + squares[d + j]))
        spread[j] = np.sqrt(max(area * square - total * total, np.float32(0)))
        alive[j] = spread[j] > flat


@inner
def _ask_row(asked, corners, sums, at, row):
    """Ask neighbouring windows together as long as many are left; the stage that comes next.

    ``row``: spread, total, one, two, alive of each.
    """
    first, least, chain, weights = asked[0], asked[1], asked[2], asked[5]
    spread, total, one, two, alive = row
    left, stage = 0, 0
    for j in range(len(alive)):
        left += alive[j]
    while left > len(alive) // _FEW and stage < len(least):
        total[:] = np.float32(0)
        for t in range(first[stage], first[stage + 1]):
            _boxes(sums, at, corners, weights, 2 * t, one)
            if chain[t] != 0:
                _boxes(sums, at, corners, weights, 2 * t + 1, two)
            _vote(asked, t, spread, one, two, total)
        left = 0
        for j in range(len(alive)):
            alive[j] = alive[j] and total[j] >= least[stage]
            left += alive[j]
        stage += 1
    return stage


@inner
def _ask_list(asked, corners, sums, places, stage, row):
    """Ask one stage of the windows at ``places``."""
    first, chain, weights = asked[0], asked[2], asked[5]
    spread, total, one, two, _alive = row
    count = len(places)
    total[:count] = np.float32(0)
    for t in range(first[stage], first[stage + 1]):
        _boxes_of(sums, places, corners, weights, 2 * t, one)
        if chain[t] != 0:
            _boxes_of(sums, places, corners, weights, 2 * t + 1, two)
        _vote(asked, t, spread[:count], one, two, total)


@kernel
def _sweep(asked, corners, frame, both, sizes, goal, found):
    """See :func:`sweep`; ``goal``: rows of windows, and stages to be passed. How many were found."""
    least, stages = asked[1], len(asked[1])
    columns, half = sizes
    spread, total = np.empty(columns, np.float32), np.empty(columns, np.float32)
    one, two = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
    alive, places, count = np.empty(columns, np.uint8), np.empty(columns, np.uint32), 0
    row = (spread, total, one, two, alive)
    for y in range(goal[0]):
        at, left = np.uint64(y * STEP * half), 0
        _spreads(frame, both, at, spread, alive)
        stage = _ask_row(asked, corners, both[0], at, row)
        for j in range(columns):
            if alive[j]:
                places[left], spread[left] = at + np.uint64(j), spread[j]
                left += 1
        while left > 0:
            if stage < stages:
                _ask_list(asked, corners, both[0], places[:left], stage, row)
            kept = 0
            for j in range(left):
                if stage < stages and total[j] >= least[stage]:
                    places[kept], spread[kept] = places[j], spread[j]
                    kept += 1
                elif stage >= goal[1] and count < len(found):
                    found[count, 0], found[count, 1] = (np.uint64(places[j]) - at) * STEP, y * STEP
                    found[count, 2] = stage
                    count += 1
            left, stage = kept, stage + 1
    return count
