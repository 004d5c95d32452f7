"""The two surfaces that meet at every outline of a soft map, as numba kernels.

A blurred outline is a ramp between two plateaus. Each pixel on a ramp learns the value of the plateau uphill
(``near``) and downhill (``far``); everywhere else both are the pixel's own value. Values grow towards the viewer
(inverse depth), so planes are linear and a slanted floor has no plateau: it is never taken for an outline.

These maps are small; the kernels run on one core, which is faster than waking another.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PLAIN, RAMP, RIM = 0, 1, 2
"""What a pixel is: on a surface, on a ramp, or on a surface beside a ramp and so within reach of its outline."""

_FLAT = 0.3
"""A ramp ends where its slope has fallen to this share of its steepest ..."""
_TAIL = 0.06
"""... and its tail, two pixels at most, where it has fallen to this share."""


@njit(cache=True, inline="always")
def _bilinear(a, x, y):
    """Value of ``a`` at index coordinates (x, y) inside the array."""
    x0 = min(int(x), a.shape[1] - 2) if a.shape[1] > 1 else 0
    y0 = min(int(y), a.shape[0] - 2) if a.shape[0] > 1 else 0
    x1, y1 = min(x0 + 1, a.shape[1] - 1), min(y0 + 1, a.shape[0] - 1)
    fx, fy = x - x0, y - y0
    return (a[y0, x0] * (1 - fx) + a[y0, x1] * fx) * (1 - fy) + (a[y1, x0] * (1 - fx) + a[y1, x1] * fx) * fy


@njit(cache=True)
def slope_at(u, y, x):
    """Sobel gradient (gx, gy) per pixel, borders repeated."""
    h, w = u.shape
    up, down = max(y - 1, 0), min(y + 1, h - 1)
    left, right = max(x - 1, 0), min(x + 1, w - 1)
    gx = u[up, right] + 2 * u[y, right] + u[down, right] - u[up, left] - 2 * u[y, left] - u[down, left]
    gy = u[down, left] + 2 * u[down, x] + u[down, right] - u[up, left] - 2 * u[up, x] - u[up, right]
    return gx / 8, gy / 8


@njit(cache=True)
def _read_profile(u, ok, y, x, dx, dy, line):
    """Fill ``line`` with the values along (dx, dy) centred on (x, y); returns the first and last known index."""
    h, w = u.shape
    middle = len(line) // 2
    line[middle] = u[y, x]
    first, last = middle, middle
    for sign in (-1, 1):
        for t in range(1, middle + 1):
            px, py = x + sign * t * dx, y + sign * t * dy
            if px < 0 or py < 0 or px > w - 1 or py > h - 1 or not ok[int(py + 0.5), int(px + 0.5)]:
                break
            line[middle + sign * t] = _bilinear(u, px, py)
            if sign < 0:
                first = middle - t
            else:
                last = middle + t
    return first, last


@njit(cache=True)
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


@njit(cache=True)
def find_sides(u, ok, steps, floor, share):
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
    h, w = u.shape
    near, far = u.copy(), u.copy()
    what = np.zeros((h, w), np.uint8)
    for y in range(h):
        line = np.zeros(2 * steps + 1, np.float32)
        for x in range(w):
            if not ok[y, x]:
                continue
            gx, gy = slope_at(u, y, x)
            size = np.sqrt(gx * gx + gy * gy)
            if size * (2 * steps) < max(floor, share * u[y, x]):
                continue
            first, last = _read_profile(u, ok, y, x, gx / size, gy / size, line)
            low, high = ramp_ends(line, first, last)
            if (
                low < 0
                or steps < low
                or steps > high
                or high - low > steps
                or line[high] - line[low] < max(floor, share * line[high])
            ):
                continue
            near[y, x] = max(line[high], u[y, x])
            far[y, x] = min(line[low], u[y, x])
            what[y, x] = RAMP
    return near, far, what


@njit(cache=True)
def smooth_sides(near, far, what):
    """Near and far of every ramp pixel averaged over the ramp pixels of its 5×5 window that see the same two surfaces.

    Returns:
        New near and far, (h, w) float32.
    """
    h, w = near.shape
    near2, far2 = near.copy(), far.copy()
    for y in range(h):
        for x in range(w):
            if what[y, x] != RAMP:
                continue
            keep = 0.35 * (near[y, x] - far[y, x])
            total_near, total_far, n = 0.0, 0.0, 0
            for j in range(max(y - 2, 0), min(y + 3, h)):
                for i in range(max(x - 2, 0), min(x + 3, w)):
                    alike = abs(near[j, i] - near[y, x]) <= keep and abs(far[j, i] - far[y, x]) <= keep
                    if what[j, i] == RAMP and alike:
                        total_near += near[j, i]
                        total_far += far[j, i]
                        n += 1
            near2[y, x] = total_near / n
            far2[y, x] = total_far / n
    return near2, far2


@njit(cache=True)
def loose_ends(u, what):
    """Where a ramp goes on but is no longer known as one: (h, w) uint8.

    These are plain pixels more than half as steep as the steepest ramp pixel of their 5×5 window.
    """
    h, w = u.shape
    out = np.zeros((h, w), np.uint8)
    for y in range(h):
        for x in range(w):
            if what[y, x] == RAMP:
                continue
            steepest = np.float32(0)
            for j in range(max(y - 2, 0), min(y + 3, h)):
                for i in range(max(x - 2, 0), min(x + 3, w)):
                    if what[j, i] == RAMP:
                        gx, gy = slope_at(u, j, i)
                        steepest = max(steepest, gx * gx + gy * gy)
            if steepest > 0:
                gx, gy = slope_at(u, y, x)
                out[y, x] = 4 * (gx * gx + gy * gy) > steepest
    return out


@njit(cache=True)
def fade(u, near, far, what, whole, least_step, least_ratio):
    """Draw the two surfaces together where their step is hardly one, so that an outline ends without a notch.

    A step at the threshold vanishes, one of twice the threshold stays whole. ``whole`` (h, w) float32 in 0..1
    weakens further those below four times the threshold. In place.
    """
    h, w = u.shape
    for y in range(h):
        for x in range(w):
            if what[y, x] == RAMP:
                least = max(least_step, least_ratio * near[y, x])
                strength = (near[y, x] - far[y, x]) / least
                t = min(max(strength - 1, 0.0), 1.0)
                t = t * t * (3 - 2 * t)
                t *= max(whole[y, x], min(max((strength - 2) / 2, 0.0), 1.0))
                middle = min(max(u[y, x], far[y, x]), near[y, x])
                near[y, x] = middle + t * (near[y, x] - middle)
                far[y, x] = middle + t * (far[y, x] - middle)


@njit(cache=True)
def continue_ramps(u, near, far, what, least_step, least_ratio):
    """One ring more of pixels where a ramp goes on but was not recognised, as in corners and where three surfaces meet.

    These are plain pixels more than half as steep as the steepest ramp pixel of their 3×3 window; they take the
    surfaces of the neighbour that fits best. Only strong ramps go on: four times the least step.

    Returns:
        New near, far and what.
    """
    h, w = u.shape
    near2, far2, what2 = near.copy(), far.copy(), what.copy()
    for y in range(h):
        for x in range(w):
            if what[y, x] == RAMP:
                continue
            steepest, best, by, bx = np.float32(0), np.float32(np.inf), -1, -1
            for j in range(max(y - 1, 0), min(y + 2, h)):
                for i in range(max(x - 1, 0), min(x + 2, w)):
                    if what[j, i] != RAMP:
                        continue
                    gx, gy = slope_at(u, j, i)
                    steepest = max(steepest, gx * gx + gy * gy)
                    apart = near[j, i] - far[j, i]
                    outside = max(u[y, x] - near[j, i], far[j, i] - u[y, x])
                    strong = apart >= 4 * max(least_step, least_ratio * near[j, i])
                    if strong and outside < 0.1 * apart and outside < best:
                        best, by, bx = outside, j, i
            if by < 0:
                continue
            gx, gy = slope_at(u, y, x)
            if 4 * (gx * gx + gy * gy) > steepest:
                near2[y, x] = max(near[by, bx], u[y, x])
                far2[y, x] = min(far[by, bx], u[y, x])
                what2[y, x] = RAMP
    return near2, far2, what2


@njit(cache=True)
def widen(u, near, far, what):
    """One ring more of pixels beside a ramp that know both surfaces: their own value and the other one.

    Each takes the surfaces of the neighbour whose near or far value fits its own value best.

    Returns:
        New near, far and what (RIM where a pixel was added).
    """
    h, w = u.shape
    near2, far2, what2 = near.copy(), far.copy(), what.copy()
    for y in range(h):
        for x in range(w):
            if what[y, x] != 0:
                continue
            best = np.float32(np.inf)
            other = np.float32(0)
            is_near = False
            for j in range(max(y - 1, 0), min(y + 2, h)):
                for i in range(max(x - 1, 0), min(x + 2, w)):
                    if what[j, i] == 0:
                        continue
                    as_near, as_far = abs(u[y, x] - near[j, i]), abs(u[y, x] - far[j, i])
                    apart = near[j, i] - far[j, i]
                    if min(as_near, as_far) < best and min(as_near, as_far) < 0.4 * apart:
                        best = min(as_near, as_far)
                        is_near = as_near <= as_far
                        other = far[j, i] if is_near else near[j, i]
            if best < np.inf:
                if is_near and other < u[y, x]:
                    far2[y, x] = other
                    what2[y, x] = RIM
                elif not is_near and other > u[y, x]:
                    near2[y, x] = other
                    what2[y, x] = RIM
    return near2, far2, what2
