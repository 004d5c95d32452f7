"""A grid of inverse depths into triangles: few where it is flat, cut where one surface ends, whole at the border."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unflat.geometry.cuts import STEP_X, STEP_Y, Lattice, pattern, rim
from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT
from unflat.types.arrays import F32, U32


class Sheet(NamedTuple):
    """Triangles over the picture, before they are lifted.

    Attributes:
        points: (n, 3) float32: x and y in pixels of the grid (first centre at 0.5), inverse depth.
        source: (n,) int64: flat index of the pixel whose surface each point continues.
        faces: (m, 3) uint32, counter-clockwise as seen.
    """

    points: F32
    source: NDArray[np.int64]
    faces: U32


class _Sink(NamedTuple):
    """Where triangles go: vertices of the grid, hash table of all others, vertices, faces, how many, work space."""

    grid: NDArray[np.int32]
    keys: NDArray[np.int64]
    slots: NDArray[np.int64]
    points: NDArray[np.float64]
    source: NDArray[np.int64]
    faces: NDArray[np.int64]
    used: NDArray[np.int64]
    rows: NDArray[np.float64]
    row_keys: NDArray[np.int64]
    row_source: NDArray[np.int64]
    stack: NDArray[np.int64]


@njit(cache=True)
def _mix(a, b):
    """A 62-bit key out of two, the same for both orders."""
    low, high = (a, b) if a < b else (b, a)
    k = np.uint64(low) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(high)
    k ^= k >> np.uint64(31)
    k *= np.uint64(0xBF58476D1CE4E5B9)
    k ^= k >> np.uint64(29)
    k *= np.uint64(0x94D049BB133111EB)
    k ^= k >> np.uint64(32)
    return np.int64(k >> np.uint64(2)) | np.int64(1 << 61)


@njit(cache=True, forceinline=True)
def _new_vertex(sink, point, source):
    n = sink.used[0]
    sink.points[n, 0], sink.points[n, 1], sink.points[n, 2] = point[0], point[1], point[2]
    sink.source[n] = source
    sink.used[0] += 1
    return n


@njit(cache=True)
def _vertex(sink, point, key, source):
    """The index of the vertex with this key; it is made if it is new."""
    if key < len(sink.grid):
        if sink.grid[key] == 0:
            sink.grid[key] = _new_vertex(sink, point, source) + 1
        return np.int64(sink.grid[key] - 1)
    mask = len(sink.keys) - 1
    spot = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask
    while sink.keys[spot] != key:
        if sink.keys[spot] < 0:
            sink.keys[spot], sink.slots[spot] = key, _new_vertex(sink, point, source)
            return sink.slots[spot]
        spot = (spot + 1) & mask
    return sink.slots[spot]


@njit(cache=True)
def _clip(corners, n, axis, bound, upper):
    """Cut a convex polygon at ``bound`` of one axis (Sutherland and Hodgman 1974); returns the new polygon.

    Rows are x, y, inverse depth, key, source. Points on the border depend only on the side they cut, taken in the
    order of its keys, so that neighbours meet exactly.
    """
    points, keys, source = corners
    out, out_keys, out_source = np.empty((12, 3)), np.empty(12, np.int64), np.empty(12, np.int64)
    m = 0
    sign = -1.0 if upper else 1.0
    for i in range(n):
        j = (i + 1) % n
        a, b = sign * (points[i, axis] - bound), sign * (points[j, axis] - bound)
        if a >= 0:
            out[m], out_keys[m], out_source[m] = points[i], keys[i], source[i]
            m += 1
        if (a > 0 and b < 0) or (a < 0 and b > 0):
            p, q = (i, j) if keys[i] < keys[j] else (j, i)
            t = (bound - points[p, axis]) / (points[q, axis] - points[p, axis])
            out[m] = points[p] + t * (points[q] - points[p])
            out[m, axis] = bound
            out_keys[m] = _mix(keys[p], keys[q])
            out_source[m] = source[i] if a > 0 else source[j]
            m += 1
    return (out, out_keys, out_source), m


@njit(cache=True)
def _polygon(sink, corners, n, size):
    """Write a convex polygon as a fan, clipped to the picture; False if there is no room left."""
    points = corners[0]
    height, width = size
    for axis in range(2):
        end = width if axis == 0 else height
        low, high = 0.0, 0.0
        for i in range(n):
            low, high = min(low, points[i, axis]), max(high, points[i, axis])
        if low < 0.0:
            corners, n = _clip(corners, n, axis, 0.0, False)
            points = corners[0]
        if high > end and n:
            corners, n = _clip(corners, n, axis, float(end), True)
            points = corners[0]
    if n < 3:
        return True
    if sink.used[1] + n > len(sink.faces) or sink.used[0] + n > len(sink.points):
        return False
    first = _vertex(sink, points[0], corners[1][0], corners[2][0])
    last = _vertex(sink, points[1], corners[1][1], corners[2][1])
    for i in range(2, n):
        here = _vertex(sink, points[i], corners[1][i], corners[2][i])
        flat = first == last or first == here or last == here  # noqa: PLR1714 - a tuple test does not compile
        if not flat:
            f = sink.used[1]
            sink.faces[f, 0], sink.faces[f, 1], sink.faces[f, 2] = first, last, here
            sink.used[1] += 1
        last = here
    return True


@njit(cache=True)
def _corner(lattice, p, corners, i):
    """Write a corner of a triangle as row i of a polygon."""
    points, keys, source = corners
    points[i, 0], points[i, 1], points[i, 2] = p[1] - 0.5, p[0] - 0.5, lattice.inverse[p]
    keys[i] = p[0] * lattice.inverse.shape[1] + p[1]
    source[i] = keys[i]


@njit(cache=True)
def _rim(lattice, a, b, corners, i):
    """Write the end of a's surface towards b as row i of a polygon."""
    points, keys, source = corners
    h, w = lattice.inverse.shape
    y, x, k, value = rim(lattice, a, b)
    points[i, 0], points[i, 1], points[i, 2] = x - 0.5 + 0.5 * STEP_X[k], y - 0.5 + 0.5 * STEP_Y[k], value
    keys[i] = h * w + (y * w + x) * 8 + k
    source[i] = y * w + x


@njit(cache=True, forceinline=True)
def _grid_vertex(sink, lattice, p):
    key = p[0] * lattice.inverse.shape[1] + p[1]
    if sink.grid[key] == 0:
        sink.grid[key] = _new_vertex(sink, (p[1] - 0.5, p[0] - 0.5, float(lattice.inverse[p])), key) + 1
    return np.int64(sink.grid[key] - 1)


@njit(cache=True)
def _whole(sink, lattice, triangle):
    """Write a triangle without cuts; False if there is no room left."""
    if not lattice.on[triangle[0]]:
        return True
    a, b, c = triangle
    height, width = lattice.size
    if min(a[0], b[0], c[0], a[1], b[1], c[1]) < 1 or max(a[0], b[0], c[0]) > height or max(a[1], b[1], c[1]) > width:
        corners = (sink.rows, sink.row_keys, sink.row_source)
        for i in range(3):
            _corner(lattice, triangle[i], corners, i)
        return _polygon(sink, corners, 3, lattice.size)
    f = sink.used[1]
    if f + 1 > len(sink.faces) or sink.used[0] + 3 > len(sink.points):
        return False
    for i in range(3):
        sink.faces[f, i] = _grid_vertex(sink, lattice, triangle[i])
    sink.used[1] = f + 1
    return True


@njit(cache=True)
def _triangle(sink, lattice, triangle):
    """Write one triangle of the hierarchy, cut where its sides cross a cut; False if there is no room left."""
    corners = (sink.rows, sink.row_keys, sink.row_source)
    lone = pattern(lattice.cuts, triangle)
    if lone < 0:
        return _whole(sink, lattice, triangle)
    if lone >= 3:
        return _three(sink, lattice, triangle, corners)
    a, b, c = triangle[lone], triangle[(lone + 1) % 3], triangle[(lone + 2) % 3]
    if lattice.on[a]:
        _corner(lattice, a, corners, 0)
        _rim(lattice, a, b, corners, 1)
        _rim(lattice, a, c, corners, 2)
        if not _polygon(sink, corners, 3, lattice.size):
            return False
    if lattice.on[b]:
        _rim(lattice, b, a, corners, 0)
        _corner(lattice, b, corners, 1)
        _corner(lattice, c, corners, 2)
        _rim(lattice, c, a, corners, 3)
        return _polygon(sink, corners, 4, lattice.size)
    return True


@njit(cache=True)
def _three(sink, lattice, triangle, corners):
    """Three surfaces meet in one triangle: each corner gets a kite up to the middle."""
    points, keys, source = corners
    for i in range(3):
        a = triangle[i]
        if not lattice.on[a]:
            continue
        _corner(lattice, a, corners, 0)
        _rim(lattice, a, triangle[(i + 1) % 3], corners, 1)
        _rim(lattice, a, triangle[(i + 2) % 3], corners, 3)
        points[2, 0] = (triangle[0][1] + triangle[1][1] + triangle[2][1]) / 3 - 0.5
        points[2, 1] = (triangle[0][0] + triangle[1][0] + triangle[2][0]) / 3 - 0.5
        points[2, 2] = (points[1, 2] + points[3, 2]) / 2
        keys[2] = _mix(keys[1], keys[3])
        source[2] = source[0]
        if not _polygon(sink, corners, 4, lattice.size):
            return False
    return True


@njit(cache=True, forceinline=True)
def _outside(lattice, a, b, c):
    """True if a triangle lies wholly beyond the picture's border."""
    height, width = lattice.size
    if min(a[0], b[0], c[0]) >= height + 1 or min(a[1], b[1], c[1]) >= width + 1:
        return True
    return max(a[0], b[0], c[0]) <= 0 or max(a[1], b[1], c[1]) <= 0


@njit(cache=True, forceinline=True)
def _is_cut_between(cuts, a, b):
    """True if a cut runs between two side neighbours."""
    if a[0] == b[0]:
        return cuts[a[0], min(a[1], b[1])] & CUT_RIGHT != 0
    return cuts[min(a[0], b[0]), a[1]] & CUT_DOWN != 0


@njit(cache=True, forceinline=True)
def _push(row, a, b, c):
    row[0], row[1], row[2], row[3], row[4], row[5] = a[0], a[1], b[0], b[1], c[0], c[1]


@njit(cache=True)
def _descend(sink, lattice, worst, limit, first):
    """Halve one triangle (ends of the long side, then the right angle) down to ``limit`` and write what is left."""
    stack = sink.stack
    stack[0] = first
    depth = 1
    while depth:
        depth -= 1
        t = stack[depth]
        a, b, c = (t[0], t[1]), (t[2], t[3]), (t[4], t[5])
        if _outside(lattice, a, b, c):
            continue
        y, x = (a[0] + b[0]) // 2, (a[1] + b[1]) // 2
        if max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 1 and worst[y, x] > limit:
            _push(stack[depth], c, a, (y, x))
            _push(stack[depth + 1], b, c, (y, x))
            depth += 2
            continue
        leaf = max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
        if leaf and not (_is_cut_between(lattice.cuts, c, a) or _is_cut_between(lattice.cuts, c, b)):
            if not _whole(sink, lattice, (a, b, c)):
                return False
        elif not _triangle(sink, lattice, (a, b, c)):
            return False
    return True


@njit(cache=True)
def _walk(sink, lattice, worst, limit, tile):
    """Write the whole sheet; False if there is no room left."""
    h, w = lattice.inverse.shape
    for y in range(0, h - 1, tile):
        for x in range(0, w - 1, tile):
            if ((y // tile) & 1) == ((x // tile) & 1):
                one = np.array((y, x, y + tile, x + tile, y, x + tile))
                two = np.array((y + tile, x + tile, y, x, y + tile, x))
            else:
                one = np.array((y, x + tile, y + tile, x, y + tile, x + tile))
                two = np.array((y + tile, x, y, x + tile, y, x))
            if not _descend(sink, lattice, worst, limit, one):
                return False
            if not _descend(sink, lattice, worst, limit, two):
                return False
    return True


def _sink(triangles: int, pixels: int) -> _Sink:
    """Room for so many triangles."""
    vertices = 2 * triangles + 64
    table = 1 << vertices.bit_length()
    return _Sink(
        np.zeros(pixels, np.int32),
        np.full(table, -1, np.int64),
        np.empty(table, np.int64),
        np.empty((vertices, 3)),
        np.empty(vertices, np.int64),
        np.empty((triangles + 64, 3), np.int64),
        np.zeros(2, np.int64),
        np.empty((12, 3)),
        np.empty(12, np.int64),
        np.empty(12, np.int64),
        np.empty((64, 6), np.int64),
    )


def tessellate(lattice: Lattice, worst: F32, limit: float, tile: int, most: int) -> Sheet | None:
    """Triangulate a lattice so that no triangle misses it by more than ``limit``.

    Args:
        lattice: The padded grid.
        worst: Its :func:`unflat.geometry.simplify_grid.error_pyramid`.
        limit: The largest bound a triangle may have.
        tile: Side of the largest square.
        most: Give up beyond this many triangles.

    Returns:
        The sheet, clipped to the picture [0, w] × [0, h]; None if it would take more than ``most`` triangles.
    """
    sink = _sink(most, worst.size)
    if not _walk(sink, lattice, worst, np.float32(limit), tile) or sink.used[1] > most:
        return None
    vertices, faces = sink.used
    source = sink.source[:vertices]
    h, w = lattice.size
    rows, columns = np.divmod(source, lattice.inverse.shape[1])
    inside = np.clip(rows - 1, 0, h - 1) * w + np.clip(columns - 1, 0, w - 1)
    return Sheet(sink.points[:vertices].astype(np.float32), inside, sink.faces[:faces].astype(np.uint32))
