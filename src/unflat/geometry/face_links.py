"""Which triangles meet along an edge, and triangles cut into smaller ones that still meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, U32, Bool

_ROUNDS = 16
"""An edge is halved at most this often."""


def _edges(faces: U32) -> NDArray[np.int64]:
    """(3m,) a number for the edge from corner k to k + 1 of each face, the same from both sides."""
    one, two = faces.astype(np.int64), np.roll(faces, -1, axis=1).astype(np.int64)
    return (np.minimum(one, two) * (int(faces.max(initial=0)) + 1) + np.maximum(one, two)).ravel()


def face_links(faces: U32) -> NDArray[np.int32]:
    """(m, 3) the face across the edge from corner k to k + 1; -1 at a border, and where more than two faces meet."""
    key = _edges(faces)
    order = np.argsort(key, kind="stable")
    row = key[order]
    begins = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
    pairs = begins[np.diff(np.concatenate([begins, [len(row)]])) == 2]
    links = np.full(len(key), -1, np.int32)
    one, two = order[pairs], order[pairs + 1]
    links[one], links[two] = two // 3, one // 3
    links[one[one // 3 == two // 3]] = -1
    links[two[one // 3 == two // 3]] = -1
    return links.reshape(-1, 3)


class Split(NamedTuple):
    """A mesh with its large triangles cut up.

    Attributes:
        vertices: (n, 3) float32, those of the mesh first.
        faces: (m, 3) uint32.
        parent: (m,) int32, the face of the mesh that each was cut from.
        share: (m, 3, 3) float32, barycentric coordinates of each corner in the parent.
    """

    vertices: F32
    faces: U32
    parent: NDArray[np.int32]
    share: F32


def split_faces(vertices: F32, faces: U32, longest: float) -> Split:
    """Halve every edge that is longer than ``longest`` until none is; neighbours still meet corner to corner."""
    points = vertices.astype(np.float64)
    corners = faces.astype(np.int64)
    parent = np.arange(len(faces), dtype=np.int32)
    share = np.broadcast_to(np.eye(3), (len(faces), 3, 3)).copy()
    for _ in range(_ROUNDS):
        side = np.linalg.norm(points[corners] - points[np.roll(corners, -1, axis=1)], axis=2)
        long = side > longest
        if not long.any():
            break
        key = _edges(corners.astype(np.uint32)).reshape(-1, 3)
        which, inverse = np.unique(key[long], return_inverse=True)
        middle = np.full(corners.shape, -1, np.int64)
        middle[long] = len(points) + inverse.ravel()
        base = int(corners.max(initial=0)) + 1
        points = np.concatenate([points, (points[which // base] + points[which % base]) / 2])
        corners, parent, share = _cut(points, corners, middle, parent, share)
    return Split(points.astype(np.float32), corners.astype(np.uint32), parent, share.astype(np.float32))


Pieces = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


def _cut(
    points: NDArray[np.float64],
    corners: NDArray[np.int64],
    middle: NDArray[np.int64],
    parent: NDArray[np.int32],
    share: NDArray[np.float64],
) -> Pieces:
    """Cut triangles into 2, 3 or 4 at the middles of their edges (-1: that edge stays whole)."""
    halves = (share + np.roll(share, -1, axis=1)) / 2
    six, place = np.concatenate([corners, middle], axis=1), np.concatenate([share, halves], axis=1)
    count = (middle >= 0).sum(axis=1)
    made: list[Pieces] = [(corners[count == 0], parent[count == 0], share[count == 0])]

    def keep(chosen: Bool, turn: int, triangles: list[tuple[int, int, int]]) -> None:
        """Take the triangles, numbered as if the face were turned by ``turn`` corners; 3, 4, 5 are the middles."""
        at = np.flatnonzero(chosen)
        for triangle in triangles:
            picked = [(i + turn) % 3 + (3 if i > 2 else 0) for i in triangle]
            made.append((six[at][:, picked], parent[at], place[at][:, picked]))

    keep(count == 3, 0, [(0, 3, 5), (1, 4, 3), (2, 5, 4), (3, 4, 5)])
    for turn in range(3):
        keep((count == 1) & (middle[:, turn] >= 0), turn, [(0, 3, 2), (3, 1, 2)])
        # The edge from corner 2 to 0 stays whole: the shorter diagonal of what is left when the corner 1 is cut off.
        two = (count == 2) & (middle[:, (turn + 2) % 3] < 0)
        a, c = corners[:, turn], corners[:, (turn + 2) % 3]
        p, q = middle[:, turn], middle[:, (turn + 1) % 3]
        shorter = np.linalg.norm(points[a] - points[q], axis=1) <= np.linalg.norm(points[c] - points[p], axis=1)
        keep(two & shorter, turn, [(3, 1, 4), (0, 3, 4), (0, 4, 2)])
        keep(two & ~shorter, turn, [(3, 1, 4), (0, 3, 2), (3, 4, 2)])
    return (
        np.concatenate([piece[0] for piece in made]),
        np.concatenate([piece[1] for piece in made]),
        np.concatenate([piece[2] for piece in made]),
    )
