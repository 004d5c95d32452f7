"""A field that is negative inside a solid -> the closed surface around it, with no more triangles than wanted."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, MissingExtraError
from unflat.geometry.pieces import pieces_of, used
from unflat.geometry.simplify import ONE_AT_A_TIME
from unflat.types.arrays import F32, F64, U32

LEAST_SHARE = 1e-4
"""Loose pieces smaller than this share of the largest one are crumbs."""


_APART = 0.02
"""Corners at one place go so much of the way to the middle of their neighbours."""
_LEAST = 2e-3
"""No vertex lies nearer to a sample than this share of the way to the next."""


class Closed(NamedTuple):
    """A surface without a border.

    Attributes:
        vertices: (n, 3) float64.
        faces: (m, 3) uint32, counter-clockwise seen from outside; every edge is shared by two, turned opposite ways.
    """

    vertices: F64
    faces: U32


def _late(module: str) -> Any:
    """A library that is imported only where surfaces are made.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError("making the closed surface of an object", "scan") from error


def surface_of(field: F32) -> Closed:
    """The zero surface of a field, between its samples (marching cubes, Lewiner et al. 2003).

    Args:
        field: (nz, ny, nx), negative inside. What lies beyond its border is outside.

    Returns:
        Vertices as (x, y, z) in samples: the first sample is at 0. Without crumbs.

    Raises:
        InputError: Nothing is inside.
        MissingExtraError: scikit-image is not installed.
    """
    if not (field < 0).any():
        raise InputError("nothing is left of the object: no place lies inside all of its outlines")
    far = max(1.0, float(np.abs(field[np.isfinite(field)]).max()))
    framed = np.pad(np.nan_to_num(field, posinf=far, neginf=-far), 1, constant_values=far)
    # A sample that is (nearly) 0 gives triangles without area, whose corners single precision cannot tell apart.
    steps = np.abs(np.diff(framed, axis=2))[np.signbit(framed[:, :, 1:]) != np.signbit(framed[:, :, :-1])]
    least = np.float32(_LEAST * float(np.median(steps)))
    framed[np.abs(framed) < least] = least
    points, faces, _, _ = _late("skimage.measure").marching_cubes(framed, 0.0, gradient_direction="ascent")
    closed = Closed(points[:, ::-1].astype(np.float64) - 1, faces[:, ::-1].astype(np.uint32))
    if volume_of(closed) < 0:
        closed = Closed(closed.vertices, closed.faces[:, ::-1])
    return without_crumbs(closed)


def volume_of(closed: Closed) -> float:
    """The volume inside; negative if the faces are turned inwards."""
    a, b, c = (closed.vertices[closed.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def without_crumbs(closed: Closed, share: float = LEAST_SHARE) -> Closed:
    """Leave out loose pieces whose volume is less than ``share`` of the largest, and hollows inside of pieces."""
    piece = pieces_of(len(closed.vertices), closed.faces)
    a, b, c = (closed.vertices[closed.faces[:, i]] for i in range(3))
    signed = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6
    volume = np.bincount(piece[closed.faces[:, 0]], signed, minlength=int(piece.max()) + 1)
    keep = volume > share * volume.max()
    return compact(closed.vertices, closed.faces[keep[piece[closed.faces[:, 0]]]])


def compact(vertices: F64, faces: U32) -> Closed:
    """Only the vertices that faces use, in their order."""
    named, renumbered = used(len(vertices), faces)
    return Closed(vertices[named], renumbered)


def is_closed(faces: U32) -> bool:
    """True if every edge is shared by exactly two faces, turned opposite ways."""
    if not len(faces):
        return False
    f = faces.astype(np.int64)
    if (f == np.roll(f, 1, axis=1)).any():
        return False
    edges = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    n = np.int64(f.max() + 1)
    forth, back = np.sort(edges[:, 0] * n + edges[:, 1]), np.sort(edges[:, 1] * n + edges[:, 0])
    return bool((forth[1:] != forth[:-1]).all() and (forth == back).all())


def simplified(closed: Closed, triangles: int, error: float) -> Closed:
    """Fewer triangles, closed as before.

    Quadric error metrics (Garland and Heckbert, 1997) are tried first; where they let two sheets touch along an edge,
    edges are collapsed within a tolerance instead (Smith, "manifold", 2023), which never does; so, too, where
    they fling a corner of a flat side far away.

    Args:
        closed: The surface.
        triangles: As many are wanted at most.
        error: By how much the second way may move the surface at first; it grows until the triangles are few enough.

    Raises:
        InputError: The surface is not closed.
        MissingExtraError: fast-simplification or manifold3d is not installed.
    """
    if len(closed.faces) <= triangles:
        return closed
    library = _late("fast_simplification")
    with ONE_AT_A_TIME:
        points, faces = library.simplify(
            closed.vertices.astype(np.float32),
            closed.faces.astype(np.int64),
            target_reduction=1 - triangles / len(closed.faces),
            agg=7.0,
        )
    fewer = compact(np.asarray(points, np.float64), np.asarray(faces, np.uint32))
    if is_closed(fewer.faces) and len(fewer.faces) <= triangles and _within(fewer, closed):
        return fewer
    whole = _solid(closed)
    few = whole.simplify(error)
    while few.num_tri() > triangles:
        error *= 1.5
        few = whole.simplify(error)
    return _surface(few)


def _within(fewer: Closed, closed: Closed) -> bool:
    """Whether no corner left the box of the surface, but for a hundredth of its size."""
    low, high = closed.vertices.min(axis=0), closed.vertices.max(axis=0)
    slack = 0.01 * float((high - low).max())
    return bool(((fewer.vertices > low - slack) & (fewer.vertices < high + slack)).all())


def told_apart(closed: Closed) -> Closed:
    """Corners that lie at one place in single precision, moved apart.

    Two sheets that touch are joined there by whoever reads the file: an edge then has four faces. Each such corner goes
    a little towards its own neighbours; what lies on y = 0 stays there.
    """
    _, place, count = np.unique(closed.vertices.astype(np.float32), axis=0, return_inverse=True, return_counts=True)
    double = count[place.reshape(-1)] > 1
    if not double.any():
        return closed
    faces = closed.faces.astype(np.int64)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[double[edges[:, 0]]]
    total, number = np.zeros_like(closed.vertices), np.zeros((len(double), 1))
    np.add.at(total, edges[:, 0], closed.vertices[edges[:, 1]])
    np.add.at(number, edges[:, 0], 1.0)
    step = _APART * (total / np.maximum(number, 1) - closed.vertices)
    step[closed.vertices[:, 1] == 0, 1] = 0
    return Closed(closed.vertices + np.where(double[:, None], step, 0), closed.faces)


def cut_flat(closed: Closed, level: float) -> Closed:
    """Cut off what lies beyond y = ``level``, and close the cut with a plane.

    Raises:
        InputError: The surface is not closed.
        MissingExtraError: manifold3d is not installed.
    """
    return _surface(_solid(closed).trim_by_plane((0.0, -1.0, 0.0), -level))


def joined(pieces: Sequence[Closed]) -> Closed:
    """The surface around all pieces together: where they go through each other, what is inside is left out.

    Raises:
        InputError: There is no piece, or one of them is not closed.
        MissingExtraError: manifold3d is not installed.
    """
    if not pieces:
        raise InputError("nothing is left of the object: no piece of it is thick enough to be a solid")
    whole = _solid(pieces[0])
    for piece in pieces[1:]:
        whole = whole + _solid(piece)
    return _surface(whole)


def _solid(closed: Closed) -> Any:
    """The same for manifold3d."""
    manifold3d = _late("manifold3d")
    mesh = manifold3d.Mesh64(vert_properties=closed.vertices, tri_verts=closed.faces.astype(np.uint64))
    solid = manifold3d.Manifold(mesh)
    if solid.status() != manifold3d.Error.NoError:
        raise InputError("the surface of the object is not closed", hint="Give fewer --cells.")
    return solid


def _surface(solid: Any) -> Closed:
    mesh = solid.to_mesh64()
    return compact(np.asarray(mesh.vert_properties, np.float64)[:, :3], np.asarray(mesh.tri_verts, np.uint32))


def smoothed(closed: Closed, rounds: int, *, hold: NDArray[np.float64] | None = None) -> Closed:
    """Take the steps of the samples out without shrinking (Taubin, "A signal processing approach", 1995).

    Args:
        closed: The surface.
        rounds: How often; each is a step in and a step out.
        hold: (n,) 0..1, how much each vertex keeps its place; None: none does.
    """
    n = len(closed.vertices)
    f = closed.faces.astype(np.int64)
    one, other = np.concatenate([f[:, 0], f[:, 1], f[:, 2]]), np.concatenate([f[:, 1], f[:, 2], f[:, 0]])
    links = _late("scipy.sparse").coo_matrix((np.ones(len(one)), (one, other)), shape=(n, n)).tocsr()
    mean = _late("scipy.sparse").diags(1 / np.maximum(np.asarray(links.sum(axis=1)).ravel(), 1)) @ links
    free = np.ones((n, 1)) if hold is None else 1 - hold[:, None]
    points = closed.vertices
    for _ in range(rounds):
        for step in (0.5, -0.53):
            points = points + step * free * (mean @ points - points)
    return Closed(points, closed.faces)
