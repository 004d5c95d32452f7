"""How a surface runs through a cube, for each of the 256 ways in which its corners lie inside or outside.

Lorensen and Cline, "Marching cubes" (SIGGRAPH 1987), with the cases worked out here rather than listed: on every face
of the cube each run of inside corners is cut off by a line of its own, which depends on nothing but the face, so
neighbouring cubes always agree and no crack opens. The lines close into loops, and loops become fans.

Corner c stands at (c & 1, c >> 1 & 1, c >> 2). Edges 0-3 run along x, 4-7 along y, 8-11 along z; edge 4 a + c begins
at the corner whose other two coordinates are the bits of c, in the order x, y, z.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import U8

_FACES = ((0, 4, 6, 2), (1, 3, 7, 5), (0, 1, 5, 4), (2, 6, 7, 3), (0, 2, 3, 1), (4, 5, 7, 6))
"""Corners of the six faces, counter-clockwise seen from outside the cube (axes of a right-handed frame)."""


def edge_begin(edge: int) -> tuple[int, int]:
    """The corner at which an edge begins, and its axis (0, 1, 2)."""
    axis, bits = divmod(edge, 4)
    low, high = bits & 1, bits >> 1
    corner = ((low << 1) | (high << 2), low | (high << 2), low | (high << 1))[axis]
    return corner, axis


_ENDS = [frozenset((c, c | 1 << a)) for c, a in map(edge_begin, range(12))]
_EDGE_OF = {ends: edge for edge, ends in enumerate(_ENDS)}


def _loops(inside: int) -> list[list[int]]:
    """Closed rings of edges, counter-clockwise seen from outside the surface."""
    follows: dict[int, int] = {}
    for face in _FACES:
        within = [bool(inside >> corner & 1) for corner in face]
        for i in range(4):
            if within[i] and not within[i - 1]:
                last = i
                while within[(last + 1) % 4]:
                    last += 1
                enter = _EDGE_OF[frozenset((face[i - 1], face[i]))]
                leave = _EDGE_OF[frozenset((face[last % 4], face[(last + 1) % 4]))]
                follows[enter] = leave
    loops: list[list[int]] = []
    while follows:
        loop = [min(follows)]
        while (after := follows.pop(loop[-1])) != loop[0]:
            loop.append(after)
        loops.append(loop)
    return loops


def _on_one_face(edge: int, other: int) -> bool:
    """Whether two edges lie on one face of the cube."""
    both = _ENDS[edge] | _ENDS[other]
    return any(both <= set(face) for face in _FACES)


def _filled(loop: tuple[int, ...]) -> list[tuple[int, ...]] | None:
    """Triangles over a loop none of whose inner lines lies on a face of the cube, where a neighbour's may be."""
    if len(loop) == 3:
        return [loop]
    for k in range(2, len(loop)):
        if (k > 2 and _on_one_face(loop[1], loop[k])) or (k < len(loop) - 1 and _on_one_face(loop[0], loop[k])):
            continue
        right = _filled(loop[1 : k + 1]) if k > 2 else []
        left = _filled((loop[0], *loop[k:])) if k < len(loop) - 1 else []
        if right is not None and left is not None:
            return [(loop[0], loop[1], loop[k]), *right, *left]
    return None


def triangles_of_cases() -> tuple[U8, NDArray[np.int8]]:
    """How many triangles each case has, (256,), and the edges of their corners, (256, 15).

    Case bits are the corners inside, where the field is negative; -1 fills up.
    """
    counts, edges = np.zeros(256, np.uint8), np.full((256, 15), -1, np.int8)
    for inside in range(1, 255):
        filled = [_filled(tuple(loop)) for loop in _loops(inside)]
        triangles = [triangle for part in filled if part for triangle in part]
        counts[inside] = len(triangles)
        edges[inside, : 3 * len(triangles)] = np.array(triangles).ravel()
    return counts, edges
