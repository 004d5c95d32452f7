"""The closed surface of a part of a dense volume: marching cubes over rows of bits.

Lorensen and Cline, "Marching cubes" (SIGGRAPH 1987), with the cases of :mod:`unflat.geometry.cube_cases`. What is
inside is held as one bit a voxel, with a border of outside all around: so 64 edges or cubes are judged at once, a
surface is always closed, and no array of the volume's size is needed beside it. Every vertex stands on an edge between
a voxel inside and one outside and is found by counting the bits before it; each is used by one ring of triangles, so
the surface is a manifold whatever the data are.

The bits say what is inside, the values where between two voxels the surface is: where they do not pass a limit
between the two (a part that was cut loose, or filled) it is halfway, and at the border of the volume it is half a
voxel beyond the last.
"""

# pyright: standard

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.bits import SLICES, Packed, ones
from unflat.geometry.cube_cases import edge_begin, triangles_of_cases
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, F64, U8, U32

NO_NEARER = 1e-3
"""Vertices keep so far, in voxels, from the voxels themselves, so that no triangle has lost its area."""


class Limits(NamedTuple):
    """The values between which a part lies, both of them inside; an infinite one limits nothing."""

    low: float
    high: float


class Surface(NamedTuple):
    """A closed surface.

    Attributes:
        vertices: (n, 3) float32, where the affine puts them.
        faces: (m, 3) uint32, counter-clockwise seen from outside.
    """

    vertices: F32
    faces: U32


@inner
def _ahead(words, k, j, w):
    """The word whose bit b is the voxel after that of bit b."""
    over = words[k, j, w + 1] << np.uint64(63) if w + 1 < words.shape[2] else np.uint64(0)
    return (words[k, j, w] >> np.uint64(1)) | over


@inner
def _crossed(words, k, j, w):
    """Bits of the voxels from which an edge along x, y and z leads to the other side."""
    here = words[k, j, w]
    x = here ^ _ahead(words, k, j, w)
    y = here ^ words[k, j + 1, w] if j + 1 < words.shape[1] else np.uint64(0)
    z = here ^ words[k + 1, j, w] if k + 1 < words.shape[0] else np.uint64(0)
    return x, y, z


@inner
def _active(words, k, j, w, corners):
    """The eight corners of 64 cubes, and the bits of those cubes that the surface passes through."""
    some, every = np.uint64(0), ~np.uint64(0)
    for c in range(4):
        at = words[k + (c >> 1), j + (c & 1), w]
        on = _ahead(words, k + (c >> 1), j + (c & 1), w)
        corners[2 * c], corners[2 * c + 1] = at, on
        some |= at | on
        every &= at & on
    return some & ~every


@inner
def _case(corners, bit):
    """Which corners of one of 64 cubes are inside, as bits."""
    case = np.uint64(0)
    for c in range(8):
        case |= ((corners[c] >> bit) & np.uint64(1)) << np.uint64(c)
    return np.int64(case)


@kernel
def _count(words, counts, vertices, triangles, span):
    """How many vertices begin at each word, and how many triangles each row of cubes has."""
    corners = np.empty(8, np.uint64)
    for k in range(span[0], span[1]):
        for j in range(words.shape[1]):
            total = np.int64(0)
            cubes = k + 1 < words.shape[0] and j + 1 < words.shape[1]
            for w in range(words.shape[2]):
                x, y, z = _crossed(words, k, j, w)
                if x | y | z != 0:
                    vertices[k, j, w] = ones(x) + ones(y) + ones(z)
                if not cubes:
                    continue
                active = _active(words, k, j, w, corners)
                while active != 0:
                    low = active & (~active + np.uint64(1))
                    total += counts[_case(corners, np.uint64(ones(low - np.uint64(1))))]
                    active ^= low
            triangles[k, j] = total


@inner
def _share(values, limits, ijk, axis):
    """How far along its edge, from voxel ``ijk`` of the bordered volume, a vertex stands."""
    i, j, k = ijk[0] - 1, ijk[1] - 1, ijk[2] - 1
    p, q, r = i + (axis == 0), j + (axis == 1), k + (axis == 2)
    d, h, w = values.shape
    if i < 0 or j < 0 or k < 0 or p >= w or q >= h or r >= d:
        return 0.5
    a, b = np.float64(values[k, j, i]), np.float64(values[r, q, p])
    lesser, greater = min(a, b), max(a, b)
    limit = limits[0] if lesser < limits[0] else limits[1]
    if not (lesser < limits[0] <= greater or lesser <= limits[1] < greater):
        return 0.5
    return min(max((limit - a) / (b - a), NO_NEARER), 1 - NO_NEARER)


@kernel
def _place(words, values, limits, affine, firsts, vertices, span):
    """Write the vertices that begin in some slices: of a word those along x, then y, then z."""
    at = np.empty(3, np.int64)
    for k in range(span[0], span[1]):
        for j in range(words.shape[1]):
            for w in range(words.shape[2]):
                n = np.int64(firsts[k, j, w])
                crossed = _crossed(words, k, j, w)
                if crossed[0] | crossed[1] | crossed[2] == 0:
                    continue
                at[1], at[2] = j, k
                for axis in range(3):
                    left = crossed[axis]
                    while left != 0:
                        low = left & (~left + np.uint64(1))
                        left ^= low
                        at[0] = 64 * w + ones(low - np.uint64(1))
                        share = _share(values, limits, at, axis)
                        x, y, z = at[0] - 1.0, at[1] - 1.0, at[2] - 1.0
                        if axis == 0:
                            x += share
                        elif axis == 1:
                            y += share
                        else:
                            z += share
                        for c in range(3):
                            vertices[n, c] = affine[c, 0] * x + affine[c, 1] * y + affine[c, 2] * z + affine[c, 3]
                        n += 1


@inner
def _number(words, firsts, k, j, column, axis):
    """The number of the vertex on the edge that begins at a voxel of the bordered volume."""
    w, bit = column >> 6, np.uint64(column & 63)
    x, y, z = _crossed(words, k, j, w)
    before = (np.uint64(1) << bit) - np.uint64(1)
    n = np.int64(firsts[k, j, w])
    if axis == 0:
        return n + ones(x & before)
    if axis == 1:
        return n + ones(x) + ones(y & before)
    return n + ones(x) + ones(y) + ones(z & before)


@kernel
def _connect(words, firsts, starts, cases, turned, faces, span):
    """Write the triangles of some slices of cubes."""
    counts, edges, begin, axes = cases
    corners, numbers = np.empty(8, np.uint64), np.empty(12, np.int64)
    for k in range(span[0], span[1]):
        for j in range(words.shape[1] - 1):
            n = starts[k, j]
            for w in range(words.shape[2]):
                active = _active(words, k, j, w, corners)
                while active != 0:
                    low = active & (~active + np.uint64(1))
                    active ^= low
                    bit = np.uint64(ones(low - np.uint64(1)))
                    case, column = _case(corners, bit), 64 * w + np.int64(bit)
                    for e in range(12):
                        numbers[e] = -1
                    for t in range(counts[case]):
                        for c in range(3):
                            e = edges[case, 3 * t + c]
                            if numbers[e] < 0:
                                o = begin[e]
                                numbers[e] = _number(
                                    words, firsts, k + (o >> 2), j + (o >> 1 & 1), column + (o & 1), axes[e]
                                )
                            faces[n, 2 - c if turned else c] = numbers[e]
                        n += 1


@cache
def _cases() -> tuple[U8, NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]]:
    corners, axes = (np.array(column, np.int64) for column in zip(*map(edge_begin, range(12)), strict=True))
    return *triangles_of_cases(), corners, axes


def surface_of(bits: Packed, values: NDArray[Any], limits: Limits, affine: F64) -> Surface:
    """Find the closed surface around what is inside.

    Args:
        bits: What is inside.
        values: (slices, rows, columns), what was measured; tells where between two voxels the surface is.
        limits: Of the values inside, in their unit.
        affine: (4, 4) or (3, 4), from voxels (column, row, slice) to where the vertices are wanted.

    Returns:
        No vertex and no face if nothing is inside.
    """
    words, cases = bits.words, _cases()
    vertex_counts = np.zeros(words.shape, np.uint32)
    triangle_counts = np.zeros(words.shape[:2], np.int64)
    deep = words.shape[0]
    in_bands(lambda a, b: _count(words, cases[0], vertex_counts, triangle_counts, (a, b)), deep, SLICES)
    ends = np.cumsum(vertex_counts.ravel(), dtype=np.int64)
    firsts = (ends - vertex_counts.ravel()).astype(np.uint32).reshape(words.shape)
    stops = np.cumsum(triangle_counts.ravel())
    starts = (stops - triangle_counts.ravel()).reshape(triangle_counts.shape)
    vertices, faces = np.empty((int(ends[-1]), 3), np.float32), np.empty((int(stops[-1]), 3), np.uint32)
    matrix = np.ascontiguousarray(affine[:3, :4], np.float64)
    between = float(limits.low), float(limits.high)
    in_bands(lambda a, b: _place(words, values, between, matrix, firsts, vertices, (a, b)), deep, SLICES)
    turned = bool(np.linalg.det(matrix[:, :3]) < 0)
    in_bands(lambda a, b: _connect(words, firsts, starts, cases, turned, faces, (a, b)), deep - 1, SLICES)
    return Surface(vertices, faces)
