"""Fewer triangles for the same surface, and how far they are from it.

Edges are collapsed where the quadric error is least (Garland and Heckbert, "Surface simplification using quadric
error metrics", SIGGRAPH 1997) by the library fast-simplification. Rims are held by fins: triangles that stand
upright on the border, so that moving it costs as much as moving the surface; they are taken away afterwards.
"""

# pyright: standard

from __future__ import annotations

import importlib
import importlib.util
import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import MissingExtraError
from unflat.geometry.jit import inner, kernel
from unflat.geometry.normals import vertex_normals
from unflat.geometry.pieces import used
from unflat.geometry.rims import rim_edges, sound
from unflat.types.arrays import F32, F64, U32
from unflat.types.mesh import Mesh

EAGER = 5.0
"""How fast the library's limit of the error grows; less is slower and closer."""
AIM = 1.1
"""The first turn leaves so many times the wanted triangles, for nobody knows how many of the library's are fins."""
TURNS = 8
"""How often, at most, what is left is brought down further; it is little by then."""
_FLUNG = 1.0
"""A point is nowhere near those that became it if it lies farther out of their box than so many of its diagonals."""
ONE_AT_A_TIME = threading.Lock()
"""Held while fast-simplification works: it keeps one mesh for all threads."""


class Simplified(NamedTuple):
    """A mesh of fewer triangles.

    Attributes:
        mesh: Without texture coordinates.
        error: Root mean square distance of the vertices that were to the surface that is.
        worst: The largest such distance.
        gone: How many vertices belonged to small pieces that vanished, which the distances leave out.
    """

    mesh: Mesh
    error: float
    worst: float
    gone: int = 0


def simplified(mesh: Mesh, triangles: int) -> Simplified:
    """Bring a mesh down to so many triangles; one that has no more is left as it is.

    Args:
        mesh: Without texture: colours, confidence and marks of vertices that become one are averaged.
        triangles: At most so many; fewer by a few per cent, and more only where the rims alone need more.

    Raises:
        MissingExtraError: fast-simplification is not installed.
    """
    if len(mesh.faces) <= triangles:
        return Simplified(mesh, 0.0, 0.0)
    if importlib.util.find_spec("fast_simplification") is None:
        raise MissingExtraError("a surface of fewer triangles", "scan")
    middle = mesh.vertices.mean(axis=0, dtype=np.float64)
    size = float(np.abs(mesh.vertices - middle).max()) or 1.0
    points = (mesh.vertices - middle) / size
    fins, fin_faces = _fins(points, mesh.faces)
    every, both = np.concatenate([points, fins]), np.concatenate([mesh.faces, fin_faces])
    is_fin, became = np.arange(len(every)) >= len(points), np.arange(len(points))
    target, left = int(AIM * triangles * len(both) / len(mesh.faces)), mesh.faces
    for _ in range(TURNS):
        every, both, step = _collapsed(every, both, target)
        became, fin = step[became], np.zeros(len(every), np.bool_)
        fin[step[is_fin]] = True
        is_fin, left = fin, sound(every.astype(np.float32), both[~fin[both].any(axis=1)])
        if len(left) <= triangles:
            break
        target = int(0.99 * len(both) * triangles / len(left))
    corners = (every * size + middle).astype(np.float32)
    apart = _distances(mesh.vertices, corners, left, became)
    kept = apart[np.isfinite(apart)]
    error, worst = float(np.sqrt(np.mean(kept**2))) if len(kept) else 0.0, float(kept.max(initial=0))
    return Simplified(_with_attributes(mesh, corners, left, became), error, worst, len(apart) - len(kept))


def _fins(points: F64, faces: U32) -> tuple[F64, U32]:
    """Upright strips along the rims: new points (k, 3) and faces that name them behind the others."""
    rim = rim_edges(faces)
    ends = np.unique(rim)
    number = np.zeros(len(points), np.int64)
    number[ends] = len(points) + np.arange(len(ends))
    length = np.linalg.norm(points[rim[:, 0]] - points[rim[:, 1]], axis=1).mean() if len(rim) else 0.0
    normals = vertex_normals(points.astype(np.float32), faces)
    a, b = rim.T
    low, high = np.stack([b, a, number[a]], axis=1), np.stack([b, number[a], number[b]], axis=1)
    return points[ends] + length * normals[ends], np.concatenate([low, high]).astype(np.uint32)


def _collapsed(points: F64, faces: U32, target: int) -> tuple[F64, U32, NDArray[np.int64]]:
    """Points and faces that are left, and which point each one became. The library keeps one mesh for all threads."""
    library: Any = importlib.import_module("fast_simplification")
    given, target = faces.astype(np.int32), min(target, len(faces) - 1)  # it refuses to have nothing to do
    with ONE_AT_A_TIME:
        _, _, collapses = library.simplify(points, given, target_count=target, agg=EAGER, return_collapses=True)
        less, left, became = library.replay_simplification(points, given, collapses)
    less, became = np.array(less, np.float64), np.asarray(became, np.int64)
    lost = _flung(points, less, became)
    if len(lost):
        count = np.maximum(np.bincount(became, minlength=len(less)), 1)[lost]
        less[lost] = np.stack([np.bincount(became, c, len(less))[lost] / count for c in points.T], axis=1)
    return less, np.asarray(left).astype(np.uint32), became


def _flung(points: F64, less: F64, became: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which points lie nowhere near those that became them, whose middle is the place for them.

    Where faces have no area, or all lie in one plane, the best place of a point is anywhere along a line or plane.
    """
    low, high = np.full(less.shape, np.inf), np.full(less.shape, -np.inf)
    np.minimum.at(low, became, points)
    np.maximum.at(high, became, points)
    size = np.linalg.norm(high - low, axis=1)
    with np.errstate(invalid="ignore"):
        off = np.linalg.norm(np.maximum(np.maximum(low - less, less - high), 0), axis=1)
    return np.flatnonzero(~(off <= _FLUNG * size + 1e-6) & np.isfinite(size))


def _with_attributes(mesh: Mesh, corners: F32, faces: U32, became: NDArray[np.int64]) -> Mesh:
    """A mesh of the faces, whose corners have the means of what the vertices had that became them."""
    count = np.maximum(np.bincount(became, minlength=len(corners)), 1)

    def mean(values: NDArray[Any] | None) -> NDArray[Any] | None:
        if values is None:
            return None
        columns = values.reshape(len(values), -1).T
        total = np.stack([np.bincount(became, c.astype(np.float64), len(corners)) for c in columns], axis=1)
        return (total / count[:, None]).reshape(-1, *values.shape[1:])[named]

    named, faces = used(len(corners), faces)
    vertices = corners[named]
    colors, confidence, invented = mean(mesh.colors), mean(mesh.confidence), mean(mesh.invented)
    return Mesh(
        vertices,
        faces,
        None if mesh.normals is None else vertex_normals(vertices, faces),
        colors=None if colors is None else np.rint(colors).astype(np.uint8),
        confidence=None if confidence is None else confidence.astype(np.float32),
        invented=None if invented is None else invented > 0.5,
    )


@inner
def _squared(p, a, b, c):
    """Squared distance of a point to a triangle (Ericson, Real-Time Collision Detection, 2004, 5.1.5)."""
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    acx, acy, acz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    apx, apy, apz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    d1, d2 = abx * apx + aby * apy + abz * apz, acx * apx + acy * apy + acz * apz
    bb, cc, bc = abx * abx + aby * aby + abz * abz, acx * acx + acy * acy + acz * acz, abx * acx + aby * acy + abz * acz
    d3, d4, d5, d6 = d1 - bb, d2 - bc, d1 - bc, d2 - cc
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    s, t = 0.0, 0.0
    if d1 <= 0 and d2 <= 0:
        pass
    elif d3 >= 0 and d4 <= d3:
        s = 1.0
    elif vc <= 0 and d1 >= 0 and d3 <= 0:
        s = d1 / (d1 - d3)
    elif d6 >= 0 and d5 <= d6:
        t = 1.0
    elif vb <= 0 and d2 >= 0 and d6 <= 0:
        t = d2 / (d2 - d6)
    elif va <= 0 and d4 >= d3 and d5 >= d6:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        s = 1 - t
    else:
        s, t = vb / (va + vb + vc), vc / (va + vb + vc)
    x, y, z = apx - s * abx - t * acx, apy - s * aby - t * acy, apz - s * abz - t * acz
    return x * x + y * y + z * z


@kernel
def _nearest(points, corners, faces, became, first, around, out):
    """Walk from the corner that a point became to ever nearer triangles, ring after ring."""
    for i in range(len(points)):
        p, v = points[i], became[i]
        best, found = np.inf, np.int64(-1)
        walking = first[v] < first[v + 1]
        while walking:
            walking, start = False, found
            for corner in range(3):
                at = v if start < 0 else faces[start, corner]
                for k in range(first[at], first[at + 1]):
                    f = faces[around[k]]
                    away = _squared(p, corners[f[0]], corners[f[1]], corners[f[2]])
                    if away < best * 0.999999:
                        best, found, walking = away, around[k], True
        out[i] = np.sqrt(best)


def _distances(points: F32, corners: F32, faces: U32, became: NDArray[np.int64]) -> F64:
    """How far each point is from the surface near the corner that it became: (n,), never less than the distance.

    Points whose corner has no triangle left, for a small piece can vanish as a whole, are infinitely far.
    """
    flat = faces.ravel().astype(np.int64)
    around = np.argsort(flat, kind="stable") // 3
    first = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=len(corners)))])
    out = np.empty(len(points))
    _nearest(points.astype(np.float64), corners.astype(np.float64), faces.astype(np.int64), became, first, around, out)
    return out
