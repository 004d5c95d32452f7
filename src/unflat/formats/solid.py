"""What printers need: closed surfaces, looked at and put together before STL and 3MF are written, welded on reading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.types.arrays import F32, F64, U32
from unflat.types.mesh import Mesh
from unflat.types.scene import Node, Scene

MM = 1000.0
"""Millimetres in a metre."""


def printable_nodes(scene: Scene) -> tuple[tuple[Node, Mesh], ...]:
    """The meshes of a scene that can be printed, the sky left out.

    Raises:
        InputError: There is none, or one is not a solid.
    """
    nodes = [(node, node.item) for node in scene.nodes if node.role == "surface" and isinstance(node.item, Mesh)]
    solids = tuple((node, mesh) for node, mesh in nodes if len(mesh.faces))
    if not solids:
        raise InputError("the scene holds no surface that could be printed", hint="Choose .glb, .ply or .splat.ply.")
    for node, mesh in solids:
        check_solid(mesh, node.name)
    return tuple((node, _whole(mesh)) for node, mesh in solids)


def _whole(mesh: Mesh) -> Mesh:
    """The same with one vertex a place: corners that are there twice for the sake of light make no closed body."""
    vertices, faces = welded(mesh.vertices[mesh.faces.reshape(-1)])
    return mesh if len(vertices) == len(mesh.vertices) else Mesh(vertices, faces)


def check_solid(mesh: Mesh, name: str) -> None:
    """Refuse what a slicer would have to guess at.

    In a closed and consistently oriented surface every edge is used by exactly two triangles, in opposite
    directions. Vertices at exactly the same place count as one.

    Raises:
        InputError: The surface is open, branches, is turned inconsistently, or is inside out.
    """
    _, faces = welded(mesh.vertices[mesh.faces.reshape(-1)])
    if (faces == np.roll(faces, 1, axis=1)).any():
        raise InputError(f"{name} has triangles without area", hint="Weld or remove them before printing.")
    start = faces.reshape(-1).astype(np.int64)
    end = np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
    count = int(faces.max()) + 1
    along, against = np.sort(start * count + end), np.sort(end * count + start)
    if not np.array_equal(along, against):
        hint = "A slicer needs a closed body: write the relief, which has a base, or choose .glb."
        raise InputError(f"{name} is an open surface, or parts of it are turned inside out", hint=hint)
    if (along[1:] == along[:-1]).any():
        raise InputError(f"more than two triangles of {name} meet at one edge", hint="Split the surface there.")
    if volume(mesh) <= 0:
        raise InputError(f"{name} is inside out", hint="Its triangles must be counter-clockwise seen from outside.")


def volume(mesh: Mesh) -> float:
    """The signed volume of a closed mesh in cubic metres; positive if its triangles look outward."""
    centred = mesh.vertices.astype(np.float64) - mesh.vertices.mean(axis=0, dtype=np.float64)
    a, b, c = (centred[mesh.faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def welded(corners: F32) -> tuple[F32, U32]:
    """Give corners at exactly the same place one vertex.

    Args:
        corners: (3 m, 3) float32, three corners a triangle.

    Returns:
        Vertices (n, 3) in the order of their first use, and faces (m, 3).
    """
    keys = np.ascontiguousarray(corners + np.float32(0), dtype=np.float32).view(np.uint32).reshape(-1, 3)
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.empty(len(keys), np.int64)
    group[order] = np.cumsum(fresh) - 1
    first: NDArray[np.int64] = order[fresh]  # lexsort is stable: the first of a group is its first use
    rank = np.argsort(first, kind="stable")
    new_of_old = np.empty(len(rank), np.int64)
    new_of_old[rank] = np.arange(len(rank))
    return corners[first[rank]], new_of_old[group].reshape(-1, 3).astype(np.uint32)


def in_millimetres(door_from_frame: F64, xyz: F32) -> F64:
    """Turned and in millimetres, (n, 3) float64."""
    return xyz.astype(np.float64) @ door_from_frame.T * MM


def in_metres(frame_from_door: F64, xyz_mm: NDArray[np.floating]) -> F32:
    """The inverse of :func:`in_millimetres`, as float32.

    Raises:
        InputError: A number is not finite, or too large.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        xyz = ((xyz_mm.astype(np.float64) / MM) @ frame_from_door.T).astype(np.float32)
    if not np.isfinite(xyz).all():
        raise InputError("the file holds vertices with impossible numbers")
    return xyz
