"""The surface in a sparse volume of signed distances: marching cubes over blocks, with shared vertices.

A cube is looked at only where all eight corners are known well enough: what nobody saw stays a hole. A vertex stands
on an edge between two voxels and is made once, by the block of the voxel where the edge begins, so the mesh is
connected across blocks.
"""

# pyright: standard

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.blocks import SIDE, VOXELS
from unflat.geometry.cube_cases import edge_begin, triangles_of_cases
from unflat.geometry.jit import inner, kernel
from unflat.geometry.tsdf import Volume
from unflat.types.arrays import F32, U8, U32

LIGHT = 0.2
"""What is outside needs this share of the support that what is inside needs: beside an edge few rays go on."""
NO_NEARER = 1e-3
"""Vertices keep so far, in voxels, from the voxels themselves, so that no triangle has lost its area."""
_WIDE = SIDE + 1


class Surface(NamedTuple):
    """Triangles of a volume.

    Attributes:
        vertices: (n, 3) float32.
        faces: (m, 3) uint32, counter-clockwise seen from where distances are positive.
        colors: (n, 3) uint8.
        weights: (n,) float32, the lesser weight of the two voxels between which a vertex stands; 0 where no view gave a
            colour, for none saw a surface nearby: what one saw through meets there what is behind what another saw.
    """

    vertices: F32
    faces: U32
    colors: U8
    weights: F32


class _Cases(NamedTuple):
    counts: U8
    edges: NDArray[np.int8]
    begin: NDArray[np.int64]
    axis: NDArray[np.int64]


@cache
def _cases() -> _Cases:
    begins = [edge_begin(edge) for edge in range(12)]
    corners, axes = (np.array(column, np.int64) for column in zip(*begins, strict=True))
    return _Cases(*triangles_of_cases(), corners, axes)


@inner
def _gather(distance, weight, neighbours, row, least, field):
    """Copy the (9, 9, 9) distances of a block and the first layers of those beyond it; NaN where too little is known.

    Returns whether there is anything on either side of zero.
    """
    some_in, some_out = False, False
    for z in range(_WIDE):
        for y in range(_WIDE):
            for x in range(_WIDE):
                b = neighbours[row, (x >> 3) | (y >> 3) << 1 | (z >> 3) << 2]
                at = (x & 7) | (y & 7) << 3 | (z & 7) << 6
                field[z, y, x] = np.nan
                if b < 0:
                    continue
                d = distance[b, at]
                if weight[b, at] >= (least if d < 0 else LIGHT * least):
                    field[z, y, x] = d
                    some_in |= d < 0
                    some_out |= d >= 0
    return some_in and some_out


@inner
def _case(field, x, y, z):
    """Which corners of a cube are inside, as bits; 0 where one is not known."""
    case = 0
    for c in range(8):
        value = field[z + (c >> 2), y + (c >> 1 & 1), x + (c & 1)]
        if np.isnan(value):
            return 0
        if value < 0:
            case |= 1 << c
    return case


@kernel
def _count(fields, neighbours, least, counts, owned, triangles, span):
    """Mark the edges that begin at each voxel and carry a vertex (bits x, y, z), and count triangles, per block."""
    distance, weight = fields
    field = np.empty((_WIDE, _WIDE, _WIDE), np.float32)
    for row in range(span[0], span[1]):
        triangles[row] = 0
        if not _gather(distance, weight, neighbours, row, least, field):
            continue
        for v in range(VOXELS):
            x, y, z = v & 7, v >> 3 & 7, v >> 6
            here = field[z, y, x]
            if np.isnan(here):
                continue
            for axis in range(3):
                other = field[z + (axis == 2), y + (axis == 1), x + (axis == 0)]
                if not np.isnan(other) and (here < 0) != (other < 0):
                    owned[row, v] |= np.uint8(1 << axis)
            triangles[row] += counts[_case(field, x, y, z)]


@inner
def _rank(owned, row, v, axis):
    """How many vertices of a block come before that of voxel ``v`` along ``axis``."""
    bits = owned[row, v]
    return (bits & 1 if axis > 0 else 0) + (bits >> 1 & 1 if axis > 1 else 0)


@kernel
def _place(fields, neighbours, places, voxel, index, out, span):
    """Write the vertices that begin in the blocks [start, stop), where the distance between two voxels is zero."""
    distance, weight, colour = fields
    vertices, colors, weights = out
    owned, first = index
    for row in range(span[0], span[1]):
        block = neighbours[row, 0]
        for v in range(VOXELS):
            bits = owned[row, v]
            if bits == 0:
                continue
            at = first[row, v]
            for axis in range(3):
                if bits >> axis & 1 == 0:
                    continue
                along = v >> (3 * axis) & 7
                other = neighbours[row, 1 << axis] if along == 7 else block
                w = v - 7 * (1 << 3 * axis) if along == 7 else v + (1 << 3 * axis)
                a, b = np.float64(distance[block, v]), np.float64(distance[other, w])
                share = min(max(a / (a - b), NO_NEARER), 1 - NO_NEARER)
                for k in range(3):
                    start = places[block, k] * SIDE + (v >> (3 * k) & 7)
                    vertices[at, k] = (start + (share if k == axis else 0.0)) * voxel
                one, two = colour[block, v, 3] * (1 - share), colour[other, w, 3] * share
                total = one + two
                for k in range(3):
                    mean = 32768.0 if total == 0 else (one * colour[block, v, k] + two * colour[other, w, k]) / total
                    colors[at, k] = np.uint8(min(mean / 256.0 + 0.5, 255.0))
                weights[at] = min(weight[block, v], weight[other, w]) if total > 0 else 0.0
                at += 1


@kernel
def _connect(fields, neighbours, least, cases, index, faces, span):
    """Write the triangles of the blocks [start, stop)."""
    distance, weight = fields
    counts, edges, begin, axes = cases
    owned, first, rows, starts = index
    field = np.empty((_WIDE, _WIDE, _WIDE), np.float32)
    for row in range(span[0], span[1]):
        if starts[row] == starts[row + 1]:
            continue
        _gather(distance, weight, neighbours, row, least, field)
        at = starts[row]
        for v in range(VOXELS):
            x, y, z = v & 7, v >> 3 & 7, v >> 6
            case = _case(field, x, y, z)
            for k in range(3 * counts[case]):
                edge = edges[case, k]
                corner, axis = begin[edge], axes[edge]
                i, j, o = x + (corner & 1), y + (corner >> 1 & 1), z + (corner >> 2)
                owner = rows[neighbours[row, (i >> 3) | (j >> 3) << 1 | (o >> 3) << 2]]
                w = (i & 7) | (j & 7) << 3 | (o & 7) << 6
                faces[at + k // 3, k % 3] = first[owner, w] + _rank(owned, owner, w, axis)
            at += counts[case]


def extract(volume: Volume, least: float) -> Surface:
    """Find where the distance is zero.

    Args:
        volume: The field.
        least: The weight from which on a voxel inside is believed.
    """
    blocks, cases = volume.blocks, _cases()
    neighbours = blocks.neighbours(np.arange(blocks.count))
    distance, weight = volume.distance, volume.weight
    owned, triangles = np.zeros((blocks.count, VOXELS), np.uint8), np.zeros(blocks.count, np.int64)
    _over(blocks.count, _count, (distance, weight), neighbours, least, cases.counts, owned, triangles)
    crossed = np.flatnonzero(owned.any(axis=1) | (triangles > 0))
    neighbours, owned, triangles = neighbours[crossed], owned[crossed], triangles[crossed]
    ones = (owned & 1) + (owned >> 1 & 1) + (owned >> 2)
    ends = np.cumsum(ones.ravel(), dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    first = (ends - ones.ravel()).astype(np.uint32).reshape(owned.shape)
    vertices, colors = np.empty((total, 3), np.float32), np.empty((total, 3), np.uint8)
    weights = np.empty(total, np.float32)
    fields, out = (distance, weight, volume.colour), (vertices, colors, weights)
    _over(len(crossed), _place, fields, neighbours, blocks.places, volume.voxel, (owned, first), out)
    starts = np.concatenate([[0], np.cumsum(triangles)])
    faces = np.empty((int(starts[-1]), 3), np.uint32)
    rows = np.full(blocks.count, -1, np.int64)
    rows[crossed] = np.arange(len(crossed))
    index = owned, first, rows, starts
    _over(len(crossed), _connect, (distance, weight), neighbours, least, cases, index, faces)
    return Surface(vertices, faces, colors, weights)


def _over(blocks: int, work: Callable[..., None], *given: object) -> None:
    """Call a kernel on bands of blocks side by side."""
    in_bands(lambda start, stop: work(*given, (start, stop)), blocks, 64)
