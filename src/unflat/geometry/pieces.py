"""The connected pieces of a mesh, and the mesh without its crumbs."""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, F64, U8, U32, Bool


@kernel
def _join(faces, parent):
    """Union of the corners of every face; roots are the smallest numbers (Tarjan, 1975, with path halving)."""
    for f in range(len(faces)):
        for k in range(1, 3):
            a, b = np.int64(faces[f, 0]), np.int64(faces[f, k])
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a < b:
                parent[b] = a
            else:
                parent[a] = b
    for v in range(len(parent)):
        parent[v] = parent[parent[v]]


def pieces_of(count: int, faces: U32) -> NDArray[np.int64]:
    """The piece that each vertex belongs to, named by its smallest vertex: (count,)."""
    parent = np.arange(count, dtype=np.int64)
    _join(faces, parent)
    return parent


def areas(vertices: F32, faces: U32) -> F64:
    """The area of every triangle: (m,)."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def in_large_pieces(vertices: F32, faces: U32, least: float) -> Bool:
    """Which faces belong to pieces of at least a certain area: (m,)."""
    piece = pieces_of(len(vertices), faces)[faces[:, 0]]
    area = np.bincount(piece, areas(vertices, faces), len(vertices))
    return area[piece] >= least


def spread(faces: U32, known: Bool, colors: U8, rings: int) -> tuple[Bool, U8]:
    """Vertices that are some rings of faces away from the known ones, in the mean colour of those that they border on.

    Args:
        faces: (m, 3).
        known: (n,).
        colors: (n, 3) of the known ones.
        rings: How far; the rest stays as it is.

    Returns:
        (n,) which are known now, and (n, 3).
    """
    known, colors = known.copy(), colors.copy()
    for _ in range(rings):
        mixed = faces[known[faces].any(axis=1) & ~known[faces].all(axis=1)].astype(np.int64)
        if not len(mixed):
            break
        has = known[mixed]
        sums = np.stack([(colors[mixed, k] * has).sum(axis=1) for k in range(3)], axis=1) / has.sum(axis=1)[:, None]
        corner, row = mixed[~has], np.nonzero(~has)[0]
        new, place, count = np.unique(corner, return_inverse=True, return_counts=True)
        for k in range(3):
            colors[new, k] = np.rint(np.bincount(place, sums[row, k], len(new)) / count)
        known[new] = True
    return known, colors


def used(count: int, faces: U32) -> tuple[NDArray[np.int64], U32]:
    """The vertices that faces name, in their order, and the faces with the numbers that these have then."""
    named = np.zeros(count, np.bool_)
    named[faces.ravel()] = True
    number = np.cumsum(named) - 1
    return np.flatnonzero(named), number[faces].astype(np.uint32)
