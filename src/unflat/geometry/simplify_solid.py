"""Closed surfaces with fewer triangles, or cut by a plane: closed and manifold before and after.

By manifold3d: edges are collapsed only as long as the surface stays within a tolerance of what it was, and no two
sheets ever come to share an edge (Smith, "manifold", 2023).
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np

from unflat.errors import InputError, MissingExtraError
from unflat.geometry.closed_surface import Closed, compact
from unflat.geometry.normals import vertex_normals
from unflat.types.arrays import F64

_FIRST = 0.02
"""The first tolerance where a number of triangles is wanted, as a share of the mean edge."""
_SHAPE = 0.1
"""What changes the volume by more than this share is another shape."""
_SLIVER_M = 1e-6
"""Metres: slivers thinner than this are left out of a cut."""
_HALVINGS = 12


class Fewer(NamedTuple):
    """A simpler surface.

    Attributes:
        closed: It.
        error: The tolerance it was made with: no part moved farther; the sum of all turns. Less than was allowed, or
            more triangles than wanted, where it would have become another shape.
    """

    closed: Closed
    error: float


def fewer(closed: Closed, error: float | None, triangles: int | None) -> Fewer:
    """Leave out triangles.

    Args:
        closed: The surface.
        error: How far it may move, in its own unit; None: no farther than ``triangles`` needs.
        triangles: As many are wanted at most, even if it moves farther then; None: only ``error`` counts.

    Raises:
        MissingExtraError: manifold3d is not installed.
        InputError: The surface is not closed.
    """
    if not len(closed.faces):
        return Fewer(closed, 0.0)
    solid, moved = solid_of(closed), 0.0
    whole = solid.volume()
    if error is not None:
        for halved in range(_HALVINGS):
            less = solid.simplify(error / 2**halved)
            if _alike(less.volume(), whole):
                solid, moved = less, error / 2**halved
                break
    step = _FIRST * _mean_edge(closed)
    while triangles is not None and solid.num_tri() > triangles:
        less = solid.simplify(step)
        if not _alike(less.volume(), whole):
            break
        solid, moved = less, moved + step
        step *= 1.25
    return Fewer(single(closed_of(solid)), moved) if moved else Fewer(closed, 0.0)


def _alike(volume: float, whole: float) -> bool:
    return abs(volume - whole) <= _SHAPE * abs(whole)


def single(closed: Closed) -> Closed:
    """The same in single precision, where no two vertices are at one place: a reader that merges them finds it closed.

    Sheets that touch at a point are drawn apart by what such a number can just tell, each to its own inside.
    """
    vertices, faces = closed.vertices.astype(np.float32), closed.faces
    step = 8 * np.spacing(np.abs(vertices).max(initial=0))
    for _ in range(4):
        order = np.lexsort(vertices.T)
        same = (vertices[order[1:]] == vertices[order[:-1]]).all(axis=1)
        if not same.any():
            break
        twins = order[1:][same]
        vertices[twins] -= step * vertex_normals(vertices, faces)[twins]
    return Closed(vertices.astype(np.float64), faces)


def trimmed(closed: Closed, normal: F64, offset: float) -> Closed:
    """Cut off what lies before a plane, and close the cut.

    Args:
        closed: The surface.
        normal: (3,) of length 1; what is kept lies on the side that it points to.
        offset: Of the plane from the origin along the normal.

    Returns:
        Perhaps no face at all.

    Raises:
        MissingExtraError: manifold3d is not installed.
        InputError: The surface is not closed.
    """
    if not len(closed.faces):
        return closed
    cut = solid_of(closed).trim_by_plane(tuple(normal.tolist()), offset)
    return single(closed_of(cut.simplify(_SLIVER_M)))


def solid_of(closed: Closed) -> Any:
    """The same for manifold3d.

    Raises:
        MissingExtraError: It is not installed.
        InputError: The surface is not closed.
    """
    try:
        library: Any = importlib.import_module("manifold3d")
    except ImportError as error:
        raise MissingExtraError("simplifying and cutting a closed surface", "volume") from error
    solid = library.Manifold(library.Mesh64(closed.vertices, closed.faces.astype(np.uint64)))
    if solid.status() != library.Error.NoError:
        raise InputError("the surface is not closed, so it cannot be simplified or cut")
    return solid


def closed_of(solid: Any) -> Closed:
    """The surface of a solid of manifold3d."""
    mesh = solid.to_mesh64()
    return compact(np.asarray(mesh.vert_properties, np.float64)[:, :3], np.asarray(mesh.tri_verts, np.uint32))


def _mean_edge(closed: Closed) -> float:
    some = closed.faces[:: max(1, len(closed.faces) // 10_000)]
    return float(np.linalg.norm(closed.vertices[some[:, 0]] - closed.vertices[some[:, 1]], axis=1).mean())
