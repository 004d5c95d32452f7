"""The two surfaces that meet at every outline of a soft map, on the coarse map.

A blurred outline is a ramp between two plateaus. Each pixel on a ramp learns the value of the plateau uphill
(``near``) and downhill (``far``); everywhere else both are the pixel's own value. Values grow towards the viewer
(inverse depth), so planes are linear and a slanted floor has no plateau: it is never taken for an outline.

These maps are small, and what stands beside an outline is a list of a few thousand pixels: mostly numpy.
"""

# pyright: standard

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8, Bool

PLAIN, RAMP, RIM = 0, 1, 2
"""What a pixel is: on a surface, on a ramp, or on a surface beside a ramp and so within reach of its outline."""

_FLAT = 0.3
"""A ramp ends where its slope has fallen to this share of its steepest ..."""
_TAIL = 0.06
"""... and its tail, two pixels at most, where it has fallen to this share."""


@inner
def _bilinear(a, x, y):
    """Value of ``a`` at index coordinates (x, y) inside the array."""
    h, w = a.shape
    y0, x0 = int(y), int(x)
    fx, fy = x - x0, y - y0
    y1, x1 = (y0 + 1 if y0 + 1 < h else y0), (x0 + 1 if x0 + 1 < w else x0)
    return (a[y0, x0] * (1 - fx) + a[y0, x1] * fx) * (1 - fy) + (a[y1, x0] * (1 - fx) + a[y1, x1] * fx) * fy


@inner
def _reach(u, ok, at, way, line, turn):
    """Fill a half of ``line`` with values from ``at`` along ``way`` (x, y): before its middle, after it if turn is -1.

    Returns:
        How many are known.
    """
    h, w = u.shape
    middle = len(line) // 2
    dx, dy = way
    for t in range(1, middle + 1):
        px, py = at[0] + t * dx, at[1] + t * dy
        if px < 0 or py < 0 or px > w - 1 or py > h - 1 or not ok[int(py + 0.5), int(px + 0.5)]:
            return t - 1
        line[middle - turn * t] = _bilinear(u, px, py)
    return middle


@kernel
def ramp_ends(line, first, last):
    """Where the ramp at, or uphill or downhill of, the middle of a rising profile begins and ends.

    Returns:
        (low, high): indices of the plateaus, or (-1, -1) if there is no ramp or a side never flattens.
    """
    middle = len(line) // 2
    at = middle if last == middle else middle + 1
    if at - 1 < first:
        return -1, -1
    if middle - 1 >= first and line[middle] - line[middle - 1] > line[at] - line[at - 1]:
        at = middle
    while at + 1 <= last and line[at + 1] - line[at] > line[at] - line[at - 1]:
        at += 1
    while at - 2 >= first and line[at - 1] - line[at - 2] > line[at] - line[at - 1]:
        at -= 1
    steepest = line[at] - line[at - 1]
    if steepest <= 0:
        return -1, -1
    high = at
    while high < last and line[high + 1] - line[high] > _FLAT * steepest:
        high += 1
    low = at - 1
    while low > first and line[low] - line[low - 1] > _FLAT * steepest:
        low -= 1
    if high == last or low == first:
        return -1, -1
    tail = _TAIL * steepest
    for _ in range(2):
        if high < last and tail < line[high + 1] - line[high] < line[high] - line[high - 1]:
            high += 1
        if low > first and tail < line[low] - line[low - 1] < line[low + 1] - line[low]:
            low -= 1
    return low, high


@kernel
def _find(candidates, slope, u, ok, line, least, found):
    """See :func:`find_sides`; ``found`` takes near and far, and stays NaN where there is no ramp."""
    steps, back = len(line) // 2, np.int64(1)
    for k in range(len(candidates)):
        x, y = np.int64(candidates[k, 0]), np.int64(candidates[k, 1])
        gx, gy = slope[y, x, 0], slope[y, x, 1]
        size = np.sqrt(gx * gx + gy * gy)
        line[steps] = u[y, x]
        first = steps - _reach(u, ok, (x, y), (-gx / size, -gy / size), line, back)
        last = steps + _reach(u, ok, (x, y), (gx / size, gy / size), line, -back)
        low, high = ramp_ends(line, first, last)
        if low < 0 or steps < low or steps > high or high - low > steps:
            continue
        apart = line[high] - line[low]
        if apart >= least[0] and apart >= least[1] * line[high]:
            found[k, 0] = line[high] if line[high] > u[y, x] else u[y, x]
            found[k, 1] = line[low] if line[low] < u[y, x] else u[y, x]


def slopes(u: F32) -> F32:
    """Sobel gradient of a field, borders repeated: (h, w, 2), along x and y."""
    how: Any = {"ksize": 3, "scale": 1 / 8, "borderType": cv2.BORDER_REPLICATE}
    both = [cv2.Sobel(u, cv2.CV_32F, 1, 0, **how), cv2.Sobel(u, cv2.CV_32F, 0, 1, **how)]
    return np.stack(both, axis=2).astype(np.float32, copy=False)


def find_sides(u: F32, ok: Bool, steps: int, floor: float, share: float) -> tuple[F32, F32, U8]:
    """Near and far plateau of every ramp pixel.

    Args:
        u: (h, w) float32, larger is nearer.
        ok: (h, w) bool, which values mean something.
        steps: How many pixels wide a ramp may be; a wider one is a slope, or a guess that colour should not touch.
        floor: Smallest difference between two surfaces.
        share: Smallest difference as a share of the nearer value.

    Returns:
        near, far (h, w) float32 and what (h, w) uint8 of PLAIN or RAMP.
    """
    slope = slopes(u)
    steep = np.sqrt((slope * slope).sum(axis=2)) * np.float32(2 * steps)
    hopeful = ok & (steep >= np.maximum(np.float32(floor), np.float32(share) * u)) & (steep > 0)
    rows, columns = np.nonzero(hopeful)
    found = np.full((len(rows), 2), np.nan, np.float32)
    line = np.zeros(2 * steps + 1, np.float32)
    spots = np.stack([columns, rows], axis=1).astype(np.int32)
    _find(spots, slope, u, ok, line, (float(floor), float(share)), found)
    is_ramp = found[:, 0] >= found[:, 1]
    rows, columns, found = rows[is_ramp], columns[is_ramp], found[is_ramp]
    near, far, what = u.copy(), u.copy(), np.zeros(u.shape, np.uint8)
    near[rows, columns], far[rows, columns], what[rows, columns] = found[:, 0], found[:, 1], RAMP
    return near, far, what


class _Windows:
    """The square windows around some pixels of a map; ``outside`` of the map nothing counts."""

    def __init__(self, chosen: Bool, reach: int) -> None:
        """Windows of side 2 ``reach`` + 1 around the chosen pixels of a (h, w) mask."""
        h, w = chosen.shape
        rows, columns = np.nonzero(chosen)
        self.at = rows, columns
        step = np.arange(-reach, reach + 1)
        rows = self.at[0][:, None] + np.repeat(step, len(step))
        columns = self.at[1][:, None] + np.tile(step, len(step))
        self.outside = (rows < 0) | (rows >= h) | (columns < 0) | (columns >= w)
        self.index = np.clip(rows, 0, h - 1) * w + np.clip(columns, 0, w - 1)

    def of(self, field: NDArray) -> NDArray:
        """(n, windows' pixels) values of a (h, w) map, row by row."""
        return field.ravel()[self.index]


def _beside(what: U8) -> Bool:
    """Plain pixels with a pixel that is none among their eight neighbours: (h, w)."""
    return (cv2.dilate((what != PLAIN).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (what == PLAIN)


def smooth_sides(near: F32, far: F32, what: U8) -> tuple[F32, F32]:
    """Near and far of every ramp pixel averaged over the ramp pixels of its 5×5 window that see the same two surfaces.

    Returns:
        New near and far, (h, w) float32.
    """
    near2, far2 = near.copy(), far.copy()
    around = _Windows(what == RAMP, 2)
    mine_near, mine_far = near[around.at][:, None], far[around.at][:, None]
    nears, fars, keep = around.of(near), around.of(far), np.float32(0.35) * (mine_near - mine_far)
    alike = (np.abs(nears - mine_near) <= keep) & (np.abs(fars - mine_far) <= keep)
    alike &= (around.of(what) == RAMP) & ~around.outside
    near2[around.at] = np.where(alike, nears, 0).sum(1) / alike.sum(1)
    far2[around.at] = np.where(alike, fars, 0).sum(1) / alike.sum(1)
    return near2, far2


def loose_ends(u: F32, what: U8) -> U8:
    """Where a ramp goes on but is no longer known as one: (h, w) uint8.

    These are plain pixels more than half as steep as the steepest ramp pixel of their 5×5 window.
    """
    squared = (slopes(u) ** 2).sum(axis=2)
    steepest = cv2.dilate(np.where(what == RAMP, squared, np.float32(0)), np.ones((5, 5), np.uint8))
    return ((what != RAMP) & (steepest > 0) & (4 * squared > steepest)).astype(np.uint8)


def fade(u: F32, near: F32, far: F32, what: U8, whole: F32, least_step: float, least_ratio: float) -> None:
    """Draw the two surfaces together where their step is hardly one, so that an outline ends without a notch.

    A step at the threshold vanishes, one of twice the threshold stays whole. ``whole`` (h, w) float32 in 0..1
    weakens further those below four times the threshold. In place.
    """
    at = np.nonzero(what == RAMP)
    above, below = near[at], far[at]
    strength = (above - below) / np.maximum(np.float32(least_step), np.float32(least_ratio) * above)
    t = np.clip(strength - 1, 0, 1)
    t = t * t * (3 - 2 * t) * np.maximum(whole[at], np.clip((strength - 2) / 2, 0, 1))
    middle = np.clip(u[at], below, above)
    near[at], far[at] = middle + t * (above - middle), middle + t * (below - middle)


def continue_ramps(u: F32, near: F32, far: F32, what: U8, least_step: float, least_ratio: float) -> tuple[F32, F32, U8]:
    """One ring more of pixels where a ramp goes on but was not recognised, as in corners and where three surfaces meet.

    These are plain pixels more than half as steep as the steepest ramp pixel of their 3×3 window; they take the
    surfaces of the neighbour that fits best. Only strong ramps go on: four times the least step.

    Returns:
        New near, far and what.
    """
    near2, far2, what2 = near.copy(), far.copy(), what.copy()
    around = _Windows(_beside(what), 1)
    if not len(around.at[0]):
        return near2, far2, what2
    squared = (slopes(u) ** 2).sum(axis=2)
    ramp = (around.of(what) == RAMP) & ~around.outside
    steepest = np.where(ramp, around.of(squared), 0).max(axis=1)
    nears, fars, own = around.of(near), around.of(far), u[around.at]
    apart = nears - fars
    beyond = np.maximum(own[:, None] - nears, fars - own[:, None])
    fits = ramp & (apart >= 4 * np.maximum(np.float32(least_step), np.float32(least_ratio) * nears))
    beyond = np.where(fits & (beyond < np.float32(0.1) * apart), beyond, np.float32(np.inf))
    best = np.argmin(beyond, axis=1)
    each = np.arange(len(best))
    goes_on = np.isfinite(beyond[each, best]) & (4 * squared[around.at] > steepest)
    at = around.at[0][goes_on], around.at[1][goes_on]
    near2[at] = np.maximum(nears[each, best], own)[goes_on]
    far2[at] = np.minimum(fars[each, best], own)[goes_on]
    what2[at] = RAMP
    return near2, far2, what2


def widen(u: F32, near: F32, far: F32, what: U8) -> tuple[F32, F32, U8]:
    """One ring more of pixels beside a ramp that know both surfaces: their own value and the other one.

    Each takes the surfaces of the neighbour whose near or far value fits its own value best.

    Returns:
        New near, far and what (RIM where a pixel was added).
    """
    near2, far2, what2 = near.copy(), far.copy(), what.copy()
    around = _Windows(_beside(what), 1)
    if not len(around.at[0]):
        return near2, far2, what2
    nears, fars, own = around.of(near), around.of(far), u[around.at]
    as_near, as_far = np.abs(own[:, None] - nears), np.abs(own[:, None] - fars)
    off = np.minimum(as_near, as_far)
    fits = (around.of(what) != PLAIN) & ~around.outside & (off < np.float32(0.4) * (nears - fars))
    off = np.where(fits, off, np.float32(np.inf))
    best = np.argmin(off, axis=1)
    each = np.arange(len(best))
    is_near = (as_near <= as_far)[each, best]
    other = np.where(is_near, fars[each, best], nears[each, best])
    found = np.isfinite(off[each, best])
    for field, side in ((far2, is_near & (other < own)), (near2, ~is_near & (other > own))):
        at = around.at[0][found & side], around.at[1][found & side]
        field[at] = other[found & side]
        what2[at] = RIM
    return near2, far2, what2
