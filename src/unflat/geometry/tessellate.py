"""A grid of inverse depths into triangles: few where it is flat, cut where one surface ends, whole at the border."""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.cuts import STEP_X, STEP_Y, Grid, Lattice, pattern, rim
from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT
from unflat.geometry.jit import inner, kernel
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
    """Where triangles go.

    Attributes:
        grid: (pixels,) one more than the vertex that stands on a lattice point; 0 where none does.
        table: (2, power of two) hash table of all other vertices: key (-1 is free), vertex.
        points: (vertices, 3) x, y, inverse depth.
        source: (vertices,).
        faces: (triangles, 3).
        used: (2,) vertices and faces so far.
    """

    grid: NDArray[np.int32]
    table: NDArray[np.int64]
    points: NDArray[np.float64]
    source: NDArray[np.int64]
    faces: NDArray[np.int64]
    used: NDArray[np.int64]


class _Polygon(NamedTuple):
    """A convex polygon at work, and room for what is left of it when it is clipped; rows are corners.

    Attributes:
        points: (2, 12, 3) x, y, inverse depth.
        tags: (2, 12, 2) key and source.
    """

    points: NDArray[np.float64]
    tags: NDArray[np.int64]


@inner
def _mix(a, b):
    """A 62-bit key out of two, the same for both orders."""
    k = np.uint64(a if a < b else b) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b if a < b else a)
    k = (k ^ (k >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    k = (k ^ (k >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
    k ^= k >> np.uint64(32)
    return np.int64(k >> np.uint64(2)) | np.int64(1 << 61)


@inner
def _vertex(sink, x, y, value, key, source):
    """The index of the vertex with this key; it is made if it is new."""
    used, spot = sink.used, np.int64(0)
    if key < len(sink.grid):
        if sink.grid[key]:
            return np.int64(sink.grid[key]) - 1
        sink.grid[key] = used[0] + 1
    else:
        table = sink.table
        mask = table.shape[1] - 1
        spot = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask
        while table[0, spot] >= 0:
            if table[0, spot] == key:
                return table[1, spot]
            spot = (spot + 1) & mask
        table[0, spot] = key
        table[1, spot] = used[0]
    n = used[0]
    sink.points[n, 0] = x
    sink.points[n, 1] = y
    sink.points[n, 2] = value
    sink.source[n] = source
    used[0] = n + 1
    return n


@inner
def _clip(points, tags, n, axis, bound, sign):
    """Cut a convex polygon at ``bound`` of one axis (Sutherland and Hodgman 1974), in place; returns its corners.

    Points on the border depend only on the side they cut, taken in the order of its keys, so that neighbours meet
    exactly.
    """
    m = np.int64(0)
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        a, b = sign * (points[0, i, axis] - bound), sign * (points[0, j, axis] - bound)
        if a >= 0:
            for c in range(3):
                points[1, m, c] = points[0, i, c]
            tags[1, m, 0] = tags[0, i, 0]
            tags[1, m, 1] = tags[0, i, 1]
            m += 1
        if (a > 0 and b < 0) or (a < 0 and b > 0):
            in_order = tags[0, i, 0] < tags[0, j, 0]
            p, q = (i if in_order else j), (j if in_order else i)
            t = (bound - points[0, p, axis]) / (points[0, q, axis] - points[0, p, axis])
            for c in range(3):
                points[1, m, c] = points[0, p, c] + t * (points[0, q, c] - points[0, p, c])
            points[1, m, axis] = bound
            tags[1, m, 0] = _mix(tags[0, p, 0], tags[0, q, 0])
            tags[1, m, 1] = tags[0, i if a > 0 else j, 1]
            m += 1
    for i in range(m):
        for c in range(3):
            points[0, i, c] = points[1, i, c]
        tags[0, i, 0] = tags[1, i, 0]
        tags[0, i, 1] = tags[1, i, 1]
    return m


@inner
def _write(sink, polygon, corners, size):
    """Write a convex polygon as a fan, clipped to the picture; False if there is no room left."""
    points, tags, n = polygon.points, polygon.tags, np.int64(corners)
    for border in range(4):
        axis, sign = np.int64(border >> 1), (-1.0 if border & 1 else 1.0)
        bound = float(size[1 - axis]) if border & 1 else 0.0
        beyond = False
        for i in range(n):
            beyond |= sign * (points[0, i, axis] - bound) < 0
        if beyond:
            n = _clip(points, tags, n, axis, bound, sign)
    if n < 3:
        return True
    used, faces = sink.used, sink.faces
    if used[1] + n > len(faces) or used[0] + n > len(sink.points):
        return False
    first, last = np.int64(-1), np.int64(-1)
    for i in range(n):
        here = _vertex(sink, points[0, i, 0], points[0, i, 1], points[0, i, 2], tags[0, i, 0], tags[0, i, 1])
        if i == 0:
            first = here
        elif i > 1 and first != last and first != here and last != here:  # noqa: PLR1714 - a tuple does not compile
            f = used[1]
            faces[f, 0] = first
            faces[f, 1] = last
            faces[f, 2] = here
            used[1] = f + 1
        last = here
    return True


@inner
def _corner(grid, polygon, row, y, x):
    """Write the lattice point (y, x) as a row of a polygon."""
    points, tags = polygon.points, polygon.tags
    points[0, row, 0] = x - 0.5
    points[0, row, 1] = y - 0.5
    points[0, row, 2] = grid.inverse[y, x]
    key = y * grid.inverse.shape[1] + x
    tags[0, row, 0] = key
    tags[0, row, 1] = key


@inner
def _rim(grid, polygon, row, side):
    """Write the end of the surface of the first end of ``side`` (y, x, y, x) towards the second as a row."""
    points, tags = polygon.points, polygon.tags
    h, w = grid.inverse.shape
    y, x, k, value = rim(grid, side[0], side[1], side[2], side[3])
    points[0, row, 0] = x - 0.5 + 0.5 * STEP_X[k]
    points[0, row, 1] = y - 0.5 + 0.5 * STEP_Y[k]
    points[0, row, 2] = value
    tags[0, row, 0] = h * w + (y * w + x) * 8 + k
    tags[0, row, 1] = y * w + x


@inner
def _divided(sink, grid, polygon, t, lone, size):
    """Write one triangle t = (y, x) × 3 that its corner ``lone`` is cut from (3: all); False if there is no room."""
    zeroth, first, second, third = np.int64(0), np.int64(1), np.int64(2), np.int64(3)
    for turn in range(3 if lone >= 3 else 1):
        one = turn if lone >= 3 else lone
        two, three = (one + 1 if one < 2 else 0), (one - 1 if one > 0 else 2)
        ay, ax, by, bx = t[2 * one], t[2 * one + 1], t[2 * two], t[2 * two + 1]
        cy, cx = t[2 * three], t[2 * three + 1]
        if grid.on[ay, ax]:
            last = third if lone >= 3 else second
            _corner(grid, polygon, zeroth, ay, ax)
            _rim(grid, polygon, first, (ay, ax, by, bx))
            _rim(grid, polygon, last, (ay, ax, cy, cx))
            if lone >= 3:
                points, tags = polygon.points, polygon.tags
                points[0, 2, 0] = (t[1] + t[3] + t[5]) / 3 - 0.5
                points[0, 2, 1] = (t[0] + t[2] + t[4]) / 3 - 0.5
                points[0, 2, 2] = (points[0, 1, 2] + points[0, 3, 2]) / 2
                tags[0, 2, 0] = _mix(tags[0, 1, 0], tags[0, 3, 0])
                tags[0, 2, 1] = tags[0, 0, 1]
            if not _write(sink, polygon, last + 1, size):
                return False
        if lone < 3 and grid.on[by, bx]:
            _rim(grid, polygon, zeroth, (by, bx, ay, ax))
            _corner(grid, polygon, first, by, bx)
            _corner(grid, polygon, second, cy, cx)
            _rim(grid, polygon, third, (cy, cx, ay, ax))
            if not _write(sink, polygon, third + 1, size):
                return False
    return True


@inner
def _leaf(sink, grid, polygon, t, size):
    """Write one triangle t = (y, x) × 3; False if there is no room left."""
    whole, cuts = False, grid.cuts
    if abs(t[0] - t[2]) <= 1 and abs(t[1] - t[3]) <= 1:
        top, left = (t[0] if t[0] < t[2] else t[2]), (t[1] if t[1] < t[3] else t[3])
        whole = cuts[t[4], left] & CUT_RIGHT == 0 and cuts[top, t[5]] & CUT_DOWN == 0
    lone = -1 if whole else pattern(cuts, t)
    if lone >= 0:
        return _divided(sink, grid, polygon, t, lone, size)
    if not grid.on[t[0], t[1]]:
        return True
    inside = True
    for i in range(0, 6, 2):
        inside &= 1 <= t[i] <= size[0] and 1 <= t[i + 1] <= size[1]
    if not inside:
        for i in range(3):
            _corner(grid, polygon, i, t[2 * i], t[2 * i + 1])
        return _write(sink, polygon, np.int64(3), size)
    used, faces = sink.used, sink.faces
    f = used[1]
    if f + 1 > len(faces) or used[0] + 3 > len(sink.points):
        return False
    for i in range(3):
        y, x = t[2 * i], t[2 * i + 1]
        key = y * grid.inverse.shape[1] + x
        faces[f, i] = _vertex(sink, x - 0.5, y - 0.5, np.float64(grid.inverse[y, x]), key, key)
    used[1] = f + 1
    return True


@kernel
def _walk(sink, grid, polygon, room, worst, limit, size):
    """Halve every triangle of the stack, the first of ``room``, down to ``limit`` and write what is left.

    A triangle is the ends of its long side and then its right angle.

    Returns:
        False if there is no room left.
    """
    stack, t = room
    depth = len(stack) - 64
    while depth:
        depth -= 1
        top, left, bottom, right = size[0] + 1, size[1] + 1, np.int64(0), np.int64(0)
        for i in range(6):
            t[i] = stack[depth, i]
        for i in range(0, 6, 2):
            top, bottom = (t[i] if t[i] < top else top), (t[i] if t[i] > bottom else bottom)
            left, right = (t[i + 1] if t[i + 1] < left else left), (t[i + 1] if t[i + 1] > right else right)
        if top > size[0] or left > size[1] or bottom == 0 or right == 0:
            continue
        y, x = (t[0] + t[2]) >> 1, (t[1] + t[3]) >> 1
        long = abs(t[0] - t[2]) > 1 or abs(t[1] - t[3]) > 1
        if long and worst[y, x] > limit:
            for i in range(2):
                stack[depth, 4 + i] = y if i == 0 else x
                stack[depth + 1, 4 + i] = y if i == 0 else x
                stack[depth, i] = t[4 + i]
                stack[depth, 2 + i] = t[i]
                stack[depth + 1, i] = t[2 + i]
                stack[depth + 1, 2 + i] = t[4 + i]
            depth += 2
        elif not _leaf(sink, grid, polygon, t, size):
            return False
    return True


def _roots(shape: tuple[int, ...], tile: int) -> NDArray[np.int64]:
    """The two triangles of each tile, last first, and 64 rows of room: (n + 64, 6)."""
    ys, xs = (a.ravel() for a in np.mgrid[0 : shape[0] - 1 : tile, 0 : shape[1] - 1 : tile])
    rising = ((ys // tile) & 1) != ((xs // tile) & 1)
    left, right = np.where(rising, xs + tile, xs), np.where(rising, xs, xs + tile)
    one = np.stack([ys, left, ys + tile, right, np.where(rising, ys + tile, ys), xs + tile], axis=1)
    two = np.stack([ys + tile, right, ys, left, np.where(rising, ys, ys + tile), xs], axis=1)
    both = np.stack([one, two], axis=1).reshape(-1, 6)[::-1]
    return np.concatenate([both, np.zeros((64, 6), np.int64)])


def _sink(triangles: int, pixels: int) -> _Sink:
    """Room for so many triangles."""
    vertices = 2 * triangles + 64
    table = np.empty((2, 1 << vertices.bit_length()), np.int64)
    table[0] = -1
    return _Sink(
        np.zeros(pixels, np.int32),
        table,
        np.empty((vertices, 3)),
        np.empty(vertices, np.int64),
        np.empty((triangles + 64, 3), np.int64),
        np.zeros(2, np.int64),
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
    sink, polygon = _sink(most, worst.size), _Polygon(np.zeros((2, 12, 3)), np.zeros((2, 12, 2), np.int64))
    grid = Grid(lattice.inverse, lattice.on, lattice.cuts)
    room = _roots(worst.shape, tile), np.zeros(6, np.int64)
    if not _walk(sink, grid, polygon, room, worst, np.float32(limit), lattice.size) or sink.used[1] > most:
        return None
    vertices, faces = sink.used
    source = sink.source[:vertices]
    h, w = lattice.size
    rows, columns = np.divmod(source, lattice.inverse.shape[1])
    inside = np.clip(rows - 1, 0, h - 1) * w + np.clip(columns - 1, 0, w - 1)
    return Sheet(sink.points[:vertices].astype(np.float32), inside, sink.faces[:faces].astype(np.uint32))
