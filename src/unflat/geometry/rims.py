"""The rims of a mesh: its edges that have one triangle only, and the closed chains that they make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.pieces import areas
from unflat.types.arrays import F32, U32

Edges = NDArray[np.int64]


def directed(faces: U32) -> Edges:
    """The three edges of every face in the direction in which it turns: (3 m, 2), those of face f in rows 3 f …."""
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)


def keys_of(edges: Edges) -> Edges:
    """One number per edge, the same in both directions: (n,)."""
    low, high = edges.min(axis=1), edges.max(axis=1)
    return (low << 32) | high


def rim_edges(faces: U32) -> Edges:
    """The edges of one face only, as that face turns: (n, 2)."""
    edges = directed(faces)
    _, where, counts = np.unique(keys_of(edges), return_inverse=True, return_counts=True)
    return edges[counts[where] == 1]


def is_closed(faces: U32) -> bool:
    """Whether every edge belongs to exactly two faces, which turn the same way."""
    edges = directed(faces)
    _, where, counts = np.unique(keys_of(edges), return_inverse=True, return_counts=True)
    forward = np.bincount(where, edges[:, 0] < edges[:, 1])
    return bool(len(faces) and (counts == 2).all() and (forward == 1).all())


def sound(vertices: F32, faces: U32) -> U32:
    """The faces without those that fold onto others: no edge has more than two, and none twice in one direction.

    Of the faces at such an edge the smallest go first. Faces that name a vertex twice go, too.
    """
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    area = areas(vertices, faces)
    while True:
        edges = directed(faces)
        _, where, counts = np.unique((edges[:, 0] << 32) | edges[:, 1], return_inverse=True, return_counts=True)
        many = np.flatnonzero(counts[where] > 1)
        if not len(many):
            return faces
        order = many[np.lexsort((area[many // 3], where[many]))]
        first = np.ones(len(order), np.bool_)
        first[1:] = where[order[1:]] != where[order[:-1]]
        keep = np.ones(len(faces), np.bool_)
        keep[order[first] // 3] = False
        faces, area = faces[keep], area[keep]
