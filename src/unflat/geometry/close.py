"""Holes closed by membranes, so that a surface becomes a body; what closes them is marked as invented.

Every rim is a ring. A ring becomes the triangulation of least area over its corners (Barequet and Sharir, "Filling
gaps in the boundary of a polyhedron", CAGD 12, 1995), so a flat hole stays flat whatever its outline. In the middle
of every such triangle stands a vertex of its own: it carries the mark, and no new edge can meet an old one. Long
rings are first drawn in to fewer corners.
"""

# pyright: standard

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel
from unflat.geometry.normals import vertex_normals
from unflat.geometry.pieces import pieces_of
from unflat.geometry.rims import directed, keys_of, rim_edges, sound
from unflat.types.arrays import F32, F64, U32, Bool
from unflat.types.mesh import Mesh

MOST = 400
"""Corners of a ring that is triangulated as it is; the work grows with the cube of it."""
_PARTED, _TURNS = 2e-6, 8
"""Vertices at one place are moved apart by this share of the whole, in at most so many turns."""
Ring = NDArray[np.int64]


def closed(mesh: Mesh, longest: float | None = None) -> Mesh:
    """Close the holes of a mesh.

    Faces that fold onto others are left out before, and vertices at which the surface only touches itself are
    parted, so that what has no hole left is a closed manifold: every edge has two faces that turn the same way.

    Args:
        mesh: Without texture; texture coordinates would mean nothing on what is new.
        longest: The longest rim, in the unit of the mesh, that is closed; None: all are.

    Returns:
        The mesh with the vertices that close it behind its own, marked invented, their confidence 0, their colours
        the means of the corners around.
    """
    source, faces = parted(len(mesh.vertices), sound(mesh.vertices, mesh.faces))
    points = mesh.vertices[source].astype(np.float64)
    existing = np.unique(keys_of(directed(faces)))
    new_points: list[F64] = []
    new_faces: list[Ring] = []
    stems: list[Ring] = []
    count = len(points)
    for ring in rings(faces):
        corners = points[ring]
        if longest is not None and np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).sum() > longest:
            continue
        added, filled, stem = _fill(ring, corners, existing, count)
        new_points.append(added)
        new_faces.append(filled)
        stems.append(stem)
        count += len(added)
    if not new_points:
        return _rebuilt(mesh, source, points, faces, np.zeros((0, 3), np.int64))
    every = np.concatenate([points, *new_points])
    both = np.concatenate([faces, np.concatenate(new_faces).astype(np.uint32)])
    return _rebuilt(mesh, source, every, both, np.concatenate(stems))


def parted(count: int, faces: U32) -> tuple[NDArray[np.int64], U32]:
    """Give every fan of faces around a vertex a vertex of its own; unused vertices go.

    Returns:
        The old vertex of each new one, and the faces with the new numbers.
    """
    edges = directed(faces)
    corner = np.stack([np.arange(3 * len(faces)), np.arange(3 * len(faces)) // 3 * 3], axis=1)
    corner[:, 1] += (corner[:, 0] + 1) % 3
    keys = keys_of(edges)
    order = np.argsort(keys, kind="stable")
    pair = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    one, other = order[pair], order[pair + 1]
    # the two faces of an edge run along it in opposite directions
    joined = np.concatenate(
        [np.stack([corner[one, k], corner[other, 1 - k], corner[other, 1 - k]], axis=1) for k in (0, 1)]
    )
    fan = pieces_of(3 * len(faces), joined.astype(np.uint32))
    named, numbers = np.unique(fan, return_inverse=True)
    source = faces.ravel()[named].astype(np.int64)
    order = np.argsort(source, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return source[order], place[numbers].reshape(-1, 3).astype(np.uint32)


def rings(faces: U32) -> list[Ring]:
    """The rims of a mesh without touching fans as rings of vertices, turning as what fills them must turn."""
    rim = rim_edges(faces)
    before = dict(zip(rim[:, 1].tolist(), rim[:, 0].tolist(), strict=True))
    found: list[Ring] = []
    while before:
        start = next(iter(before))
        ring, at = [start], before.pop(start)
        while at != start:
            ring.append(at)
            at = before.pop(at)
        found.append(np.array(ring, np.int64))
    return found


def _fill(ring: Ring, corners: F64, existing: Ring, count: int) -> tuple[F64, Ring, Ring]:
    """Close one ring.

    Args:
        ring: (n,) vertices.
        corners: (n, 3) where they are.
        existing: Sorted keys of the edges that there are.
        count: The number that the first new vertex gets.

    Returns:
        New points, faces, and three old vertices for each new point, from whose attributes it takes its own.
    """
    if len(ring) > MOST:
        return _drawn_in(ring, corners, existing, count)
    triangles = _least_area(corners, _taken(ring, existing)) if len(ring) > 3 else np.array([[0, 1, 2]])
    if triangles is None:
        middle, after = corners.mean(axis=0, keepdims=True), np.roll(ring, -1)
        third = len(ring) // 3
        fan = np.stack([ring, after, np.full(len(ring), count)], axis=1)
        return middle, fan, ring[[0, third, 2 * third]][None]
    old = ring[triangles]
    number = count + np.arange(len(old))
    parts = [np.stack([old[:, k], old[:, (k + 1) % 3], number], axis=1) for k in range(3)]
    return corners[triangles].mean(axis=1), np.concatenate(parts), old


def _drawn_in(ring: Ring, corners: F64, existing: Ring, count: int) -> tuple[F64, Ring, Ring]:
    """A band from a long ring to one of fewer new corners, evenly along it, and what closes that."""
    chosen = np.arange(MOST) * len(ring) // MOST
    inner_ring = count + np.arange(MOST)
    owner = np.searchsorted(chosen, np.arange(len(ring)), side="right") - 1
    after = (np.arange(len(ring)) + 1) % len(ring)
    band = [np.stack([ring, ring[after], inner_ring[owner]], axis=1)]
    steps = np.flatnonzero(owner != owner[after])
    band.append(np.stack([ring[after[steps]], inner_ring[owner[after[steps]]], inner_ring[owner[steps]]], axis=1))
    added, filled, stems = _fill(inner_ring, corners[chosen], existing, count + MOST)
    own = np.repeat(ring[chosen][:, None], 3, axis=1)
    stems = np.where(stems >= count, ring[chosen[np.clip(stems - count, 0, MOST - 1)]], stems)
    return np.concatenate([corners[chosen], added]), np.concatenate([*band, filled]), np.concatenate([own, stems])


def _taken(ring: Ring, existing: Ring) -> Bool:
    """Which pairs of a ring's corners are joined by an edge already, beside those of the ring itself: (n, n)."""
    n = len(ring)
    one, other = np.triu_indices(n, 2)
    keys = keys_of(np.stack([ring[one], ring[other]], axis=1))
    at = np.minimum(np.searchsorted(existing, keys), len(existing) - 1)
    taken = np.zeros((n, n), np.bool_)
    taken[one, other] = existing[at] == keys
    taken[0, n - 1] = False
    return taken


@inner
def _area(corners, i, j, k):
    """Twice the area of a triangle."""
    ax, ay, az = corners[j, 0] - corners[i, 0], corners[j, 1] - corners[i, 1], corners[j, 2] - corners[i, 2]
    bx, by, bz = corners[k, 0] - corners[i, 0], corners[k, 1] - corners[i, 1], corners[k, 2] - corners[i, 2]
    x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return np.sqrt(x * x + y * y + z * z)


@kernel
def _cheapest(corners, taken, cost, best):
    """Least area over the corners i … k of a ring, for every i and k; ``best`` is the corner between them."""
    n = len(corners)
    for gap in range(2, n):
        for i in range(n - gap):
            k = i + gap
            cost[i, k] = np.inf
            if taken[i, k]:
                continue
            for j in range(i + 1, k):
                total = cost[i, j] + cost[j, k] + _area(corners, i, j, k)
                if total < cost[i, k]:
                    cost[i, k] = total
                    best[i, k] = j


def _least_area(corners: F64, taken: Bool) -> Ring | None:
    """Triangles (n - 2, 3) over a ring whose area together is least; None where no way leads past taken edges."""
    n = len(corners)
    cost, best = np.zeros((n, n)), np.full((n, n), -1, np.int64)
    _cheapest(corners, taken, cost, best)
    if not np.isfinite(cost[0, n - 1]):
        return None
    triangles: list[tuple[int, int, int]] = []
    open_ = [(0, n - 1)]
    while open_:
        i, k = open_.pop()
        if k - i >= 2:
            j = int(best[i, k])
            triangles.append((i, j, k))
            open_ += [(i, j), (j, k)]
    return np.array(triangles, np.int64)


def _apart(vertices: F32, faces: U32) -> F32:
    """Vertices at the same place moved inwards by next to nothing.

    Files for printers name corners by their places: what is parted there, or drawn in from, would become one again.
    """
    moved, inwards = vertices.copy(), -vertex_normals(vertices, faces)
    step = np.float32(_PARTED * np.linalg.norm(np.ptp(vertices, axis=0))) if len(vertices) else np.float32(0)
    for turn in range(1, 1 + _TURNS):
        order = np.lexsort(moved.T)
        again = order[1:][(moved[order[1:]] == moved[order[:-1]]).all(axis=1)]
        if not len(again):
            break
        moved[again] += turn * step * inwards[again]
    return moved


def _rebuilt(mesh: Mesh, source: Ring, points: F64, faces: U32, stems: Ring) -> Mesh:
    """A mesh of old and new vertices; the new ones take the means of what their stems have."""

    def grown(values: NDArray[Any] | None, fresh: NDArray[Any] | None = None) -> NDArray[Any] | None:
        if values is None:
            return None
        old = values[source]
        new = np.rint(old[stems].mean(axis=1)).astype(old.dtype) if fresh is None else fresh
        return np.concatenate([old, new])

    vertices = _apart(points.astype(np.float32), faces)
    invented = np.zeros(len(mesh.vertices), np.bool_) if mesh.invented is None else mesh.invented
    marked = grown(invented, np.ones(len(stems), np.bool_))
    return Mesh(
        vertices,
        faces,
        None if mesh.normals is None else vertex_normals(vertices, faces),
        colors=grown(mesh.colors),
        confidence=grown(mesh.confidence, np.zeros(len(stems), np.float32)),
        invented=None if marked is None or not marked.any() else marked,
    )
