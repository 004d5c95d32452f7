"""A picture seen by an eye beside the one that saw it: every pixel moves along its row by its disparity.

Along a row, what comes later in one direction is nearer wherever two pixels meet (McMillan and Bishop, "Head-tracked
stereoscopic display using image warping", 1995), so surfaces are painted from back to front without a z-buffer.
Neighbouring pixels on one surface are joined and the picture is read between them, so nothing cracks; where a surface
ends it covers a share of its last pixel, and what is behind shows through the rest (Porter and Duff, 1984).
"""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.errors import ShapeError
from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8, Bool

TEAR = 1.0
"""Neighbours that move apart by more pixels than this are two surfaces, unless one of them goes on straight."""
LEAST_ROWS = 32
"""A band of rows is worth a thread from this many on."""


@inner
def _torn(disparity, y, x, share):
    """Whether the surface ends between x and x + 1: it would fold, or opens more than either side going on explains."""
    jump = share * (disparity[y, x + 1] - disparity[y, x])
    if jump <= np.float32(-1):
        return True
    miss = jump
    if miss <= np.float32(TEAR):
        return False
    if x > 0:
        miss = min(miss, abs(jump - share * (disparity[y, x] - disparity[y, x - 1])))
    if x + 2 < disparity.shape[1]:
        miss = min(miss, abs(jump - share * (disparity[y, x + 2] - disparity[y, x + 1])))
    return miss > np.float32(TEAR)


@inner
def _over(pixels, place, ends, u, cover, line):
    """Lay the picture's colour at ``place`` (row, x), which covers a share of the pixel ``u``, over what is there."""
    (y, at), (start, stop), (row, shown, _) = place, ends, line
    x = int(np.floor(at))
    t = np.float32(at - x)
    a, b, c, d = min(max(x - 1, start), stop), min(max(x, start), stop), min(max(x + 1, start), stop), min(x + 2, stop)
    d = max(d, start)
    one, half, three = np.float32(1), np.float32(0.5), np.float32(1.5)
    before, after = t * (t * (one - half * t) - half), t * t * (half * t - half)
    here = one + t * t * (three * t - np.float32(2.5))
    there = one - before - after - here
    for k in range(3):
        found = before * pixels[y, a, k] + here * pixels[y, b, k] + there * pixels[y, c, k] + after * pixels[y, d, k]
        found = min(max(found, np.float32(0)), np.float32(255))
        row[u, k] += cover * (found - row[u, k])
    shown[u] += cover * (one - shown[u])


@inner
def _surface(pixels, disparity, y, ends, share, line):
    """Paint one surface, the pixels ``ends[0]`` to ``ends[1]`` of a row."""
    start, stop = ends
    w = disparity.shape[1]
    half = np.float32(0.5)
    left = start + share * disparity[y, start]
    right = stop + share * disparity[y, stop]
    first = int(np.floor(left))  # the pixel that its left end lies in
    if start == stop:
        for u in range(max(first, 0), min(first + 1, w - 1) + 1):
            cover = min(u + half, left + half) - max(u - half, left - half)
            if cover > 0:
                _over(pixels, (y, np.float32(start)), ends, u, cover, line)
        return
    for u in range(max(first, 0), min(int(np.ceil(left)) - 1, w - 1) + 1):
        cover = min(u + half - (left - half), np.float32(1))
        if cover > 0:
            _over(pixels, (y, np.float32(start)), ends, u, cover, line)
    for x in range(start, stop):
        a, b = x + share * disparity[y, x], x + 1 + share * disparity[y, x + 1]
        low, high = int(np.ceil(a)), int(np.ceil(b)) - 1
        if x + 1 == stop:
            high = int(np.floor(b))
        over = np.float32(1) / (b - a)
        for u in range(max(low, 0), min(high, w - 1) + 1):
            _over(pixels, (y, x + (u - a) * over), ends, u, np.float32(1), line)
    after = int(np.floor(right)) + 1
    for u in range(max(after, 0), min(after, w - 1) + 1):
        cover = min(right + half - (u - half), np.float32(1))
        if cover > 0:
            _over(pixels, (y, np.float32(stop)), ends, u, cover, line)


@inner
def _behind(pixels, disparity, y, gap, ends, share, line):
    """Continue a surface, mirrored at one of its ends, under what is not yet whole of the pixels ``gap``."""
    (low, high), (start, stop), (row, shown, done) = gap, ends, line
    a, b = start + share * disparity[y, start], stop + share * disparity[y, stop]
    for u in range(max(low, 0), min(high, row.shape[0] - 1) + 1):
        if done[u] or shown[u] >= np.float32(1):
            continue
        x = start + int(a - u) if u < a else stop - int(u - b)
        x = min(max(x, start), stop)
        for k in range(3):
            row[u, k] += (np.float32(1) - shown[u]) * pixels[y, x, k]
        done[u] = True


@kernel
def _see(pixels, disparity, share, rows, view, made):
    """See the rows [start, stop)."""
    w = disparity.shape[1]
    row, shown, done = np.empty((w, 3), np.float32), np.empty(w, np.float32), np.empty(w, np.bool_)
    line = (row, shown, done)
    for y in range(rows[0], rows[1]):
        row[:] = np.float32(0)
        shown[:] = np.float32(0)
        done[:] = False
        x = 0 if share < 0 else w - 1
        behind = -1 if share < 0 else w
        start, stop = x, x
        while 0 <= x < w:
            start, stop = x, x
            if share < 0:
                while stop + 1 < w and not _torn(disparity, y, stop, share):
                    stop += 1
                x = stop + 1
            else:
                while start > 0 and not _torn(disparity, y, start - 1, share):
                    start -= 1
                x = start - 1
            _surface(pixels, disparity, y, (start, stop), share, line)
            left = int(np.floor(start + share * disparity[y, start]))
            right = int(np.ceil(stop + share * disparity[y, stop]))
            gap = (behind, left) if share < 0 else (right, behind)
            _behind(pixels, disparity, y, gap, (start, stop), share, line)
            behind = right if share < 0 else left
        gap = (behind, w - 1) if share < 0 else (0, behind)
        _behind(pixels, disparity, y, gap, (start, stop), share, line)
        for u in range(w):
            made[y, u] = shown[u] < np.float32(0.5)
            for k in range(3):
                view[y, u, k] = np.uint8(row[u, k] + np.float32(0.5))


def seen_by(pixels: U8, disparity: F32, share: float) -> tuple[U8, Bool]:
    """What an eye sees that stands beside the one that saw the picture.

    Args:
        pixels: (h, w, 3) uint8.
        disparity: (h, w) float32 in pixels, finite; larger is nearer.
        share: What is at x is seen at ``x + share * disparity``: positive for an eye to the left.

    Returns:
        (h, w, 3) uint8, and (h, w) bool, the pixels most of which nothing in the picture shows: they continue what is
        farther away beside them.

    Raises:
        ShapeError: Picture and disparity are of different sizes.
    """
    if pixels.shape[:2] != disparity.shape:
        raise ShapeError(f"the picture is {pixels.shape[1::-1]}, its disparity {disparity.shape[::-1]}")
    made = np.zeros(disparity.shape, np.bool_)
    if share == 0:
        return pixels, made
    view = np.empty_like(pixels)
    pixels, disparity = np.ascontiguousarray(pixels), np.ascontiguousarray(disparity, np.float32)
    moved = np.float32(share)

    def see(start: int, stop: int) -> None:
        _see(pixels, disparity, moved, (np.int64(start), np.int64(stop)), view, made)

    in_bands(see, len(disparity), LEAST_ROWS)
    return view, made
