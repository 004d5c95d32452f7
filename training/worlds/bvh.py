"""A bounding volume hierarchy over triangles: built on the CPU, walked by the same code on CPU and GPU.

Built by binned surface-area heuristic (Wald, "On fast construction of SAH-based bounding volume hierarchies", 2007);
triangles are hit by the test of Möller and Trumbore (1997). The walkers allocate nothing: the caller brings the stack.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

BIG = 1e30
LEAF = 4
BINS = 12
DEPTH = 48


class Tree(NamedTuple):
    """A hierarchy of m nodes over n triangles, the root first.

    bounds (m, 6): low and high corner of a node. links (m, 2): (right child, axis) of an inner node, whose left child
    is the next node; (first, -count) of a leaf. order (n,): which triangle stands where.
    """

    bounds: NDArray[np.float32]
    links: NDArray[np.int32]
    order: NDArray[np.int32]


def build(triangles: NDArray[np.float32]) -> Tree:
    """The tree over (n, 3, 3) triangles."""
    low, high = triangles.min(1), triangles.max(1)
    bounds, links, order, count = _build(low, high, (low + high) / 2)
    return Tree(bounds[:count].copy(), links[:count].copy(), order)


@njit(cache=True, error_model="numpy", fastmath=True)
def _area(low, high):
    x, y, z = high[0] - low[0], high[1] - low[1], high[2] - low[2]
    return x * y + y * z + z * x


@njit(cache=True, error_model="numpy", fastmath=True)
def _split(low, high, middle, order, first, last):
    """Where to cut order[first:last]: (axis, position on it), axis -1 if a leaf is cheaper."""
    clow, chigh = np.full(3, BIG, np.float32), np.full(3, -BIG, np.float32)
    for i in range(first, last):
        for a in range(3):
            clow[a] = min(clow[a], middle[order[i], a])
            chigh[a] = max(chigh[a], middle[order[i], a])
    best, axis, cut = BIG, -1, 0.0
    for a in range(3):
        width = chigh[a] - clow[a]
        if width <= 1e-7:
            continue
        counts = np.zeros(BINS, np.int64)
        lows, highs = np.full((BINS, 3), BIG, np.float32), np.full((BINS, 3), -BIG, np.float32)
        for i in range(first, last):
            t = order[i]
            b = min(BINS - 1, int((middle[t, a] - clow[a]) / width * BINS))
            counts[b] += 1
            for k in range(3):
                lows[b, k] = min(lows[b, k], low[t, k])
                highs[b, k] = max(highs[b, k], high[t, k])
        left = np.zeros(BINS)
        gl, gh, n = np.full(3, BIG, np.float32), np.full(3, -BIG, np.float32), 0
        for b in range(BINS - 1):
            n += counts[b]
            for k in range(3):
                gl[k], gh[k] = min(gl[k], lows[b, k]), max(gh[k], highs[b, k])
            left[b] = n * _area(gl, gh) if n else 0.0
        gl[:], gh[:], n = BIG, -BIG, 0
        for b in range(BINS - 1, 0, -1):
            n += counts[b]
            for k in range(3):
                gl[k], gh[k] = min(gl[k], lows[b, k]), max(gh[k], highs[b, k])
            if n == 0 or n == last - first:
                continue
            cost = left[b - 1] + n * _area(gl, gh)
            if cost < best:
                best, axis, cut = cost, a, clow[a] + width * b / BINS
    return axis, cut


@njit(cache=True, error_model="numpy", fastmath=True)
def _build(low, high, middle):
    n = len(low)
    order = np.arange(n).astype(np.int32)
    bounds, links = np.empty((2 * n + 1, 6), np.float32), np.empty((2 * n + 1, 2), np.int32)
    stack = np.empty((DEPTH * 2 + 8, 4), np.int64)  # first, last, parent that waits for its right child, depth
    top, count = 0, 0
    stack[0] = (0, n, -1, 0)
    top = 1
    while top:
        top -= 1
        first, last, parent, depth = stack[top]
        node = count
        count += 1
        if parent >= 0:
            links[parent, 0] = node
        for k in range(3):
            a, b = BIG, -BIG
            for i in range(first, last):
                a, b = min(a, low[order[i], k]), max(b, high[order[i], k])
            bounds[node, k], bounds[node, 3 + k] = a, b
        axis = -1
        if last - first > LEAF and depth < DEPTH:
            axis, cut = _split(low, high, middle, order, first, last)
        if axis < 0:
            links[node] = (first, -(last - first))
            continue
        i, j = first, last - 1
        while i <= j:
            if middle[order[i], axis] < cut:
                i += 1
            else:
                order[i], order[j] = order[j], order[i]
                j -= 1
        if i == first or i == last:
            i = (first + last) // 2
        links[node, 1] = axis
        stack[top] = (i, last, node, depth + 1)
        stack[top + 1] = (first, i, -1, depth + 1)
        top += 2
    return bounds, links, order, count


@njit(cache=True, error_model="numpy", fastmath=True)
def _enters(bounds, node, ox, oy, oz, ix, iy, iz, far):
    """Whether the ray passes through the node's box before `far`."""
    ax, bx = (bounds[node, 0] - ox) * ix, (bounds[node, 3] - ox) * ix
    ay, by = (bounds[node, 1] - oy) * iy, (bounds[node, 4] - oy) * iy
    az, bz = (bounds[node, 2] - oz) * iz, (bounds[node, 5] - oz) * iz
    near = max(max(min(ax, bx), min(ay, by)), max(min(az, bz), 0.0))
    return near <= min(min(max(ax, bx), max(ay, by)), min(max(az, bz), far))


@njit(cache=True, error_model="numpy", fastmath=True)
def _hit(corners, i, ox, oy, oz, dx, dy, dz):
    """(distance, b1, b2) on triangle i; distance is negative where the ray misses it."""
    e1x, e1y, e1z = corners[i, 3], corners[i, 4], corners[i, 5]
    e2x, e2y, e2z = corners[i, 6], corners[i, 7], corners[i, 8]
    px, py, pz = dy * e2z - dz * e2y, dz * e2x - dx * e2z, dx * e2y - dy * e2x
    det = e1x * px + e1y * py + e1z * pz
    if abs(det) < 1e-12:
        return -1.0, 0.0, 0.0
    inv = 1.0 / det
    tx, ty, tz = ox - corners[i, 0], oy - corners[i, 1], oz - corners[i, 2]
    u = (tx * px + ty * py + tz * pz) * inv
    if u < 0.0 or u > 1.0:
        return -1.0, 0.0, 0.0
    qx, qy, qz = ty * e1z - tz * e1y, tz * e1x - tx * e1z, tx * e1y - ty * e1x
    v = (dx * qx + dy * qy + dz * qz) * inv
    if v < 0.0 or u + v > 1.0:
        return -1.0, 0.0, 0.0
    return (e2x * qx + e2y * qy + e2z * qz) * inv, u, v


@njit(cache=True, error_model="numpy", fastmath=True)
def _inverse(d):
    return 1.0 / d if abs(d) > 1e-9 else (1e9 if d >= 0 else -1e9)


@njit(cache=True, error_model="numpy", fastmath=True)
def hole(holes, uv, i, u, v):
    """Whether triangle i is cut away at (u, v); holes (n, 3): share, cycles per metre and seed of its material."""
    share = holes[i, 0]
    if share <= 0.0:
        return False
    s = ((1 - u - v) * uv[i, 0] + u * uv[i, 2] + v * uv[i, 4]) * holes[i, 1]
    t = ((1 - u - v) * uv[i, 1] + u * uv[i, 3] + v * uv[i, 5]) * holes[i, 1]
    row = floor(t)
    s += 0.5 * (row - 2.0 * floor(row / 2.0))
    column = floor(s)
    h = (int(column) * 73856093) ^ (int(row) * 19349663) ^ (int(holes[i, 2]) * 83492791)
    h = (h ^ (h >> 13)) * 1274126177 & 0x7FFFFFFF
    if (h >> 8 & 1023) / 1023.0 < share * 0.6:
        return True
    a, b = s - column - 0.5, t - row - 0.5  # a leaf is a lens in its cell
    lean = ((h & 255) / 255.0 - 0.5) * 1.2
    a, b = a + lean * b, b - lean * a
    return a * a * 4.0 + b * b * 2.6 > 1.15 - share * 0.5


@njit(cache=True, error_model="numpy", fastmath=True)
def nearest(bounds, links, corners, uv, holes, stack, ox, oy, oz, dx, dy, dz, far):
    """The first triangle along the ray: (distance, triangle, b1, b2); triangle is -1 if there is none before `far`."""
    ix, iy, iz = _inverse(dx), _inverse(dy), _inverse(dz)
    best, which, bu, bv = far, -1, 0.0, 0.0
    top, node = 0, 0
    if not _enters(bounds, 0, ox, oy, oz, ix, iy, iz, far):
        return best, which, bu, bv
    while True:
        b = links[node, 1]
        if b < 0:
            first = links[node, 0]
            for i in range(first, first - b):
                t, u, v = _hit(corners, i, ox, oy, oz, dx, dy, dz)
                if 1e-5 < t < best and not hole(holes, uv, i, u, v):
                    best, which, bu, bv = t, i, u, v
        else:
            near, other = node + 1, links[node, 0]
            d = dx if b == 0 else (dy if b == 1 else dz)
            if d < 0:
                near, other = other, near
            if _enters(bounds, other, ox, oy, oz, ix, iy, iz, best):
                stack[top] = other
                top += 1
            if _enters(bounds, near, ox, oy, oz, ix, iy, iz, best):
                node = near
                continue
        if top == 0:
            return best, which, bu, bv
        top -= 1
        node = stack[top]


@njit(cache=True, error_model="numpy", fastmath=True)
def blocked(bounds, links, corners, uv, holes, clear, stack, ox, oy, oz, dx, dy, dz, far):
    """Whether anything that is not clear (glass, lamps: clear (n,) bool) lies before `far` on the ray."""
    ix, iy, iz = _inverse(dx), _inverse(dy), _inverse(dz)
    top = 1
    stack[0] = 0
    while top:
        top -= 1
        node = stack[top]
        if not _enters(bounds, node, ox, oy, oz, ix, iy, iz, far):
            continue
        b = links[node, 1]
        if b < 0:
            first = links[node, 0]
            for i in range(first, first - b):
                t, u, v = _hit(corners, i, ox, oy, oz, dx, dy, dz)
                if 1e-5 < t < far and not clear[i] and not hole(holes, uv, i, u, v):
                    return True
        else:
            near, other = node + 1, links[node, 0]
            d = dx if b == 0 else (dy if b == 1 else dz)
            if d < 0:
                near, other = other, near
            stack[top], stack[top + 1] = other, near
            top += 2
    return False
