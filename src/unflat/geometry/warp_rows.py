"""The rows of a picture moved by their disparities, with gaps where nothing is seen.

Along a row, what comes later in one direction is nearer wherever two pixels meet (McMillan and Bishop, "Head-tracked
stereoscopic display using image warping", 1995), so surfaces are painted from back to front without a z-buffer.
Neighbouring pixels on one surface are joined and the picture is read between them, so nothing cracks; where a surface
ends it covers a share of its last pixel, and what is behind shows through the rest (Porter and Duff, 1984).

A row is seen in four rounds: the pixels along its outlines are unmixed (:mod:`unflat.geometry.warp_rims`), for each
pixel of the view it is settled where in the row it is read (`_lay`), its colour is read (`_read`), and what covers only
a share of its pixel is laid over that (`_trim`).
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.geometry.warp_rims import unmix_rim
from unflat.types.arrays import F32, U8

TEAR = 1.0
"""Neighbours that move apart by more pixels than this are two surfaces, unless one of them goes on straight."""
RIM = 2
"""So many pixels on either side of an outline mostly show both surfaces, or the wrong one."""
LEAST_ROWS = 32
"""A band of rows is worth a thread from this many on."""
_NONE = -1.0
"""Where nothing of the row is seen."""
_PARTS = 256
"""Between two pixels colours are read at one of so many places."""


def _weights() -> NDArray[np.int64]:
    """(_PARTS + 1, 4) weights of four pixels in a row, in 1024ths that sum up to 1024 (Catmull and Rom, 1974)."""
    t = np.arange(_PARTS + 1) / _PARTS
    before, after = t * (t * (1 - 0.5 * t) - 0.5), t * t * (0.5 * t - 0.5)
    there = t * (0.5 + t * (2 - 1.5 * t))
    weights = np.rint(1024 * np.stack([before, np.zeros_like(t), there, after], axis=1)).astype(np.int64)
    weights[:, 1] = 1024 - weights.sum(axis=1)
    return weights


_CUBIC = _weights()
_LIFT = (512 * 1024 + 512) * (1 + (1 << 21) + (1 << 42))
"""Added to three packed sums: half of the last place, and as much as keeps them above zero, 512 after the shift."""
_BYTE = np.clip(np.arange(2048) - 512, 0, 255).astype(np.uint8)
"""What is shifted, as a byte."""


class Seen(NamedTuple):
    """A view before its gaps are filled.

    Attributes:
        view: (h, w, 3) uint8, the colours of what is seen.
        cover: (h, w) uint8, how much of each pixel that covers; 255 is all.
        deep: (h, w) float32, the disparity of what is seen; where a pixel is mostly gap, that of the surface that goes
            on behind.
    """

    view: U8
    cover: U8
    deep: F32


@inner
def _cut(at, cut):
    """Find the ends of surfaces: ``cut[x + 1]`` is 1 where x and x + 1 are not one; both ends of the row are cut.

    A surface ends where it would fold, and where it opens more than either side going on explains.
    """
    w, widest = len(at), np.float32(1 + TEAR)
    for x in range(w - 1):
        step = at[x + 1] - at[x]
        cut[x + 1] = (step <= 0) | (step > widest)
    cut[0] = cut[w] = 1
    for x in range(w - 1):
        if cut[x + 1]:
            step = at[x + 1] - at[x]
            before = x > 0 and abs(step - at[x] + at[x - 1]) <= np.float32(TEAR)
            after = x + 2 < w and abs(step - at[x + 2] + at[x + 1]) <= np.float32(TEAR)
            cut[x + 1] = step <= widest or not (before or after)


@inner
def _partly(edges, count, u, place, cover, came):
    """Note that the row at ``place`` covers a share of the pixel ``u``, and what lies there so far."""
    if 0 <= u < len(came) and cover > 0 and count < len(edges):
        edges[count, 0], edges[count, 1], edges[count, 2], edges[count, 3] = u, place, cover, came[u]
        return count + 1
    return count


@inner
def _see_through(line, x, low, came, edges, count):
    """Lay what is between x and x + 1, from the pixel ``low`` on, where it is not wholly opaque."""
    at, alpha, over = line
    for u in range(max(low, 0), min(int(np.ceil(at[x + 1])), len(came))):
        t = (np.float32(u) - at[x]) * over[x]
        count = _partly(edges, count, u, x + t, alpha[x] + t * (alpha[x + 1] - alpha[x]), came)
    return count


@inner
def _surface(line, ends, came, edges, count):
    """Lay one surface, the pixels ``ends[0]`` to ``ends[1]`` of a row, over all so far; how many edges there are."""
    (at, alpha, over), (start, stop), w, one = line, ends, len(came), np.float32(1)
    left, right = at[start], at[stop]
    first, last = int(np.floor(left)), int(np.floor(right)) + 1
    if first < left:
        cover = min(first + one - left, right - left + one)
        count = _partly(edges, count, first, np.float32(start), cover * alpha[start], came)
    low = int(np.ceil(left))
    for x in range(np.uint64(start), np.uint64(stop)):
        high = int(np.ceil(at[x + np.uint64(1)]))
        if high > low:
            if alpha[x] < one or alpha[x + np.uint64(1)] < one:
                count = _see_through(line, x, low, came, edges, count)
            elif high == low + 1 and 0 <= low < w:  # mostly
                came[low] = x + (np.float32(low) - at[x]) * over[x]
            else:
                for u in range(max(low, 0), min(high, w)):
                    came[u] = x + (np.float32(u) - at[x]) * over[x]
        low = high
    if last - 1 == right and 0 <= last - 1 < w:
        if alpha[stop] >= one:
            came[last - 1] = stop
        else:
            count = _partly(edges, count, last - 1, np.float32(stop), alpha[stop], came)
    return _partly(edges, count, last, np.float32(stop), (right - last + one) * alpha[stop], came)


@inner
def _lay(line, cut, share, came, edges):
    """Lay all surfaces of a row, the farthest of any that meet first; how many edges there are.

    In gaps ``came`` is below 0: -2 - the column of the last pixel of the surface that goes on behind.
    """
    at, _, over = line
    w, count = len(at), 0
    came[:] = np.float32(_NONE)
    for x in range(w - 1):
        over[x] = np.float32(1) / (at[x + 1] - at[x])
    right_eye = share < 0
    x, behind, last = (0, 0, 0) if right_eye else (w - 1, w - 1, w - 1)
    while 0 <= x < w:
        start = stop = x
        if right_eye:
            while not cut[stop + 1]:
                stop += 1
            x = stop + 1
        else:
            while not cut[start]:
                start -= 1
            x = start - 1
        count = _surface(line, (start, stop), came, edges, count)
        low, high = (behind, int(np.floor(at[start]))) if right_eye else (int(np.ceil(at[stop])), behind)
        last = start if right_eye else stop
        for u in range(max(low, 0), min(high, w - 1) + 1):
            if came[u] < 0:
                came[u] = np.float32(-2 - last)
        behind = int(np.ceil(at[stop])) if right_eye else int(np.floor(at[start]))
        last = stop if right_eye else start
    for u in range(max(behind, 0) if right_eye else 0, w if right_eye else min(behind, w - 1) + 1):
        if came[u] < 0:
            came[u] = np.float32(-2 - last)
    return count


@inner
def _pack(row, packed):
    """The three colours of every pixel in one number, 21 bits each: what is done to it is done to all three."""
    for x in range(len(packed) - 3):
        packed[x + 1] = (
            np.int64(row[3 * x])
            | (np.int64(row[3 * x + 1]) << np.int64(21))
            | (np.int64(row[3 * x + 2]) << np.int64(42))
        )


@inner
def _read(line, cut, came, view, seen):
    """The colour of every pixel of the view: the row between its pixels by Catmull and Rom's cubic (1974)."""
    (packed, depth), (cover, deep) = line, seen
    field, beside = np.uint64(2047), 0
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    for u in range(len(came)):
        place = came[u]
        if place < 0:
            beside = -2 - int(place) if place < np.float32(_NONE) else beside
            deep[u], cover[u] = depth[beside], 0
            view[3 * u] = view[3 * u + 1] = view[3 * u + 2] = 0
            continue
        whole = np.int64(place)
        b = np.uint64(whole)  # an unsigned index needs no look whether it is below 0
        t = np.uint64(np.int64((place - np.float32(whole)) * np.float32(_PARTS) + np.float32(0.5)))
        deep[u], cover[u] = depth[b], 255
        value = _CUBIC[t, 0] * packed[b + np.uint64(cut[b])] + _CUBIC[t, 1] * packed[b + one] + np.int64(_LIFT)
        value += _CUBIC[t, 2] * packed[b + two] + _CUBIC[t, 3] * packed[b + three - np.uint64(cut[b + two])]
        view[3 * u] = _BYTE[np.uint64(value >> np.int64(10)) & field]
        view[3 * u + 1] = _BYTE[np.uint64(value >> np.int64(31)) & field]
        view[3 * u + 2] = _BYTE[np.uint64(value >> np.int64(52)) & field]


@inner
def _trim(line, came, edges, view, seen):
    """Lay what covers only shares of pixels over what is there, unless something nearer has been laid there since."""
    (row, depth), (cover, deep) = line, seen
    one, half = np.float32(1), np.float32(0.5)
    for i in range(len(edges)):
        u, place, share, under = int(edges[i, 0]), edges[i, 1], edges[i, 2], edges[i, 3]
        if came[u] != under and not (came[u] < 0 and under < 0):
            continue
        b = int(place)
        t = place - np.float32(b)
        so_far = cover[u] * np.float32(1 / 255)
        both = so_far + share * (one - so_far)
        for k in range(3):
            found = row[3 * b + k] + t * (np.float32(row[3 * b + 3 + k]) - row[3 * b + k])
            there = view[3 * u + k] * so_far
            view[3 * u + k] = np.uint8(min((there + share * (found - there)) / both, np.float32(255)) + half)
        cover[u] = np.uint8(both * np.float32(255) + half)
        if share > half:
            deep[u] = depth[b]


@inner
def _unmix(line, cut, outlines, rim):
    """Unmix all outlines of a row, from left to right."""
    w, found = len(outlines), 0
    for x in range(w - 1):
        if cut[x + 1]:
            outlines[found] = x
            found += 1
    for i in range(found):
        unmix_rim(line, cut, outlines[i], rim)


@kernel
def _see(pixels, disparity, how, rows, seen):
    """See the rows [start, stop)."""
    w, (share, rim) = disparity.shape[1], how
    away = np.float32(4 * w + 16)
    at, over, came = np.empty(w, np.float32), np.empty(w, np.float32), np.empty(w, np.float32)
    depth, alpha, cut = np.empty(w, np.float32), np.empty(w, np.float32), np.zeros(w + 3, np.uint8)
    row, packed = np.zeros(3 * w + 6, np.uint8), np.zeros(w + 3, np.int64)
    edges, outlines = np.empty((4 * w, 4), np.float32), np.empty(w, np.int64)
    for y in range(rows[0], rows[1]):
        for i in range(3 * w):
            row[i] = pixels[y, i]
        for x in range(w):
            place = share * disparity[y, x]
            near = abs(place) < away  # what is no number, or goes out of sight, stands out of sight
            depth[x] = disparity[y, x] if near else np.float32(0)
            at[x] = x + place if near else -away
            alpha[x] = np.float32(1)
        _cut(at, cut)
        if rim:
            _unmix((at, row, alpha, depth), cut, outlines, rim)
        count = _lay((at, alpha, over), cut, share, came, edges)
        _pack(row, packed)
        view, rest = seen[0][y], (seen[1][y], seen[2][y])
        _read((packed, depth), cut, came, view, rest)
        _trim((row, depth), came, edges[:count], view, rest)


def seen_gaps(pixels: U8, disparity: F32, share: float, rim: int = RIM) -> Seen:
    """What an eye sees that stands beside the one that saw the picture, where the picture shows it.

    Args:
        pixels: (h, w, 3) uint8.
        disparity: (h, w) float32 in pixels, finite; larger is nearer.
        share: What is at x is seen at ``x + share * disparity``: positive for an eye to the left; not 0.
        rim: So many pixels on either side of an outline may be mixtures of both surfaces; 0: none are.

    Raises:
        ShapeError: Picture and disparity are of different sizes.
    """
    if pixels.shape[:2] != disparity.shape:
        raise ShapeError(f"the picture is {pixels.shape[1::-1]}, its disparity {disparity.shape[::-1]}")
    h, w = disparity.shape
    seen = Seen(np.empty((h, w, 3), np.uint8), np.empty((h, w), np.uint8), np.empty((h, w), np.float32))
    flat, disparity = np.ascontiguousarray(pixels).reshape(h, 3 * w), np.ascontiguousarray(disparity, np.float32)
    how, arrays = (np.float32(share), np.int64(rim)), (seen.view.reshape(h, 3 * w), seen.cover, seen.deep)
    in_bands(lambda a, b: _see(flat, disparity, how, (np.int64(a), np.int64(b)), arrays), h, LEAST_ROWS)
    return seen
