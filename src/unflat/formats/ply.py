"""PLY meshes and point clouds, coloured at their vertices, x right, y up, z towards the viewer, in metres.

Everything stands in one table of vertices: several surfaces and loose points are merged, the sky is left out. A
texture becomes colours at the vertices, for the file holds no picture; texture coordinates are read but not written,
because readers that find some (trimesh) look for a picture and forget the colours. Confidence (float, 0..1) and
invented (0 or 1) are columns of their own: CloudCompare shows them as scalar fields.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats import splats as splat_ply
from unflat.formats.atomic import replacing
from unflat.formats.looks import dressed
from unflat.formats.merge import Merged, merged
from unflat.formats.ply_table import Ragged, Table, header_bytes, read_header, read_tables
from unflat.formats.registry import ExportOptions
from unflat.formats.story import comment_lines, name_in, scene_from, story_in_lines
from unflat.geometry.transform import Door, door_from_frame, turned
from unflat.types.arrays import F32, U8, U32, Bool
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.scene import Node, Scene
from unflat.types.splats import Splats

_AXES = "x right, y up, z towards the viewer"
_CORNERS = ("vertex_indices", "vertex_index")
_UV = (("s", "t"), ("texture_u", "texture_v"), ("u", "v"))
_RGB = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
_WHITE = {"f4": 1.0, "f8": 1.0, "u2": 65535.0}


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write all meshes and points of a scene as one binary PLY; a scene of nothing but splats as a splat PLY.

    Raises:
        InputError: The scene holds nothing that can be written.
        OutputError: The place cannot be written.
    """
    if scene.nodes and all(isinstance(node.item, Splats) for node in scene.nodes):
        splat_ply.write(scene, path, options)
        return
    whole = merged(scene)
    rows = _rows(whole, door_from_frame(scene.frame, Door.GL))
    corners = np.zeros(len(whole.faces), [("length", "u1"), ("corners", "<i4", 3)])
    corners["length"], corners["corners"] = 3, whole.faces
    elements = [("vertex", len(rows), [(name, rows.dtype[name].str) for name in rows.dtype.names or ()])]
    if len(corners):
        elements.append(("face", len(corners), [("vertex_indices", "[<i4]")]))
    with replacing(path, force=options.force) as (draft,), draft.open("wb") as file:
        file.write(header_bytes(comment_lines(scene, "metre", _AXES), elements))
        file.write(rows.tobytes())
        if len(corners):
            file.write(corners.tobytes())


def read(path: Path) -> Scene:
    """Read a mesh, a point cloud or splats from a PLY file of any program.

    Polygons become fans of triangles. Columns that mean nothing here are passed over.

    Raises:
        InputError: Not a PLY file, damaged, or without positions.
    """
    vertex = next((e for e in read_header(path).elements if e.name == "vertex"), None)
    if vertex is not None and splat_ply.is_splats([p.name for p in vertex.properties]):
        return splat_ply.read(path)
    header, tables = read_tables(path, ("vertex", "face"))
    story = story_in_lines(header.comments)
    columns = tables.get("vertex", {})
    scene = scene_from((), story, path)
    frame_from_door = door_from_frame(scene.frame, Door.GL).T
    xyz = _stacked(columns, ("x", "y", "z"))
    if xyz is None:
        raise InputError(f"{path.name} holds no vertices with x, y and z")
    if not np.isfinite(xyz).all():
        raise InputError(f"{path.name} holds vertices that are not finite")
    vertices = turned(frame_from_door, xyz)
    normals = _stacked(columns, ("nx", "ny", "nz"))
    normals = turned(frame_from_door, normals) if normals is not None and np.isfinite(normals).all() else None
    faces = _faces(tables.get("face", {}), len(xyz), path.name)
    colors, confidence, invented = _colors(columns), _confidence(columns), _invented(columns)
    item: Mesh | PointCloud
    if len(faces):
        item = Mesh(vertices, faces, normals, _uv(columns), colors, confidence, invented)
        return dressed(dataclasses.replace(scene, nodes=(Node(name_in(story, "surface"), item),)), story)
    item = PointCloud(vertices, colors, normals, confidence, invented)
    return dataclasses.replace(scene, nodes=(Node(name_in(story, "points"), item),))


def _rows(whole: Merged, door: NDArray[np.float64]) -> NDArray[np.void]:
    """One record a vertex, only with the columns that are known."""
    columns: list[tuple[str, str, NDArray[Any]]] = _three("xyz", "<f4", turned(door, whole.xyz))
    if whole.normals is not None:
        columns += _three(("nx", "ny", "nz"), "<f4", turned(door, whole.normals))
    if whole.colors is not None:
        columns += _three(("red", "green", "blue"), "|u1", whole.colors)
    if whole.confidence is not None:
        columns.append(("confidence", "<f4", whole.confidence))
    if whole.invented is not None:
        columns.append(("invented", "|u1", whole.invented))
    rows = np.zeros(len(whole.xyz), [(name, dtype) for name, dtype, _ in columns])
    for name, _, values in columns:
        rows[name] = values
    return rows


def _three(names: str | tuple[str, ...], dtype: str, values: NDArray[Any]) -> list[tuple[str, str, NDArray[Any]]]:
    return [(name, dtype, values[:, i]) for i, name in enumerate(names)]


def _stacked(columns: Table, names: tuple[str, ...]) -> F32 | None:
    """(n, len(names)) float32 of scalar columns; None if one is missing."""
    found = [columns.get(name) for name in names]
    scalars = [column for column in found if isinstance(column, np.ndarray)]
    if len(scalars) < len(names):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return np.stack([column.astype(np.float32) for column in scalars], axis=1)


def _uv(columns: Table) -> F32 | None:
    found = next((uv for names in _UV if (uv := _stacked(columns, names)) is not None), None)
    return None if found is None else np.stack([found[:, 0], 1 - found[:, 1]], axis=1)


def _colors(columns: Table) -> U8 | None:
    """Colours as bytes; 16-bit and floating (0..1) ones are brought down."""
    for names in _RGB:
        found = [columns.get(name) for name in names]
        scalars = [column for column in found if isinstance(column, np.ndarray)]
        if len(scalars) < 3:
            continue
        if all(column.dtype == np.uint8 for column in scalars):
            return np.stack(scalars, axis=1)
        most = [_WHITE.get(column.dtype.str[1:], 255.0) for column in scalars]
        shares = np.stack([np.nan_to_num(column.astype(np.float64)) for column in scalars], axis=1) / most
        return np.rint(shares.clip(0, 1) * 255).astype(np.uint8)
    return None


def _confidence(columns: Table) -> F32 | None:
    """Only what lies in 0..1: other programs use the word for other numbers."""
    column = columns.get("confidence")
    if not isinstance(column, np.ndarray) or not ((column >= 0) & (column <= 1)).all():
        return None
    return column.astype(np.float32)


def _invented(columns: Table) -> Bool | None:
    column = columns.get("invented")
    return column != 0 if isinstance(column, np.ndarray) else None


def _faces(columns: Table, count: int, name: str) -> U32:
    """(m, 3) uint32: every polygon as a fan around its first corner; fewer than three corners make nothing."""
    corners = next((column for key in _CORNERS if isinstance(column := columns.get(key), Ragged)), None)
    if corners is None:
        return np.zeros((0, 3), np.uint32)
    values = corners.values
    if values.dtype.kind == "f" or (len(values) and not (int(values.min()) >= 0 and int(values.max()) < count)):
        raise InputError(f"{name} has a face that names a vertex which is not there")
    starts = np.cumsum(corners.lengths) - corners.lengths
    pieces = [np.zeros((0, 3), np.int64)]
    places = [np.zeros(0, np.int64)]
    for length in map(int, np.unique(corners.lengths[corners.lengths >= 3])):
        rows = np.flatnonzero(corners.lengths == length)
        at = starts[rows, None] + np.arange(length, dtype=np.int64)
        fan = np.stack([np.broadcast_to(at[:, :1], (len(rows), length - 2)), at[:, 1:-1], at[:, 2:]], axis=-1)
        pieces.append(values[fan.reshape(-1, 3)].astype(np.int64))
        places.append(np.repeat(rows, length - 2))
    order = np.argsort(np.concatenate(places), kind="stable")
    return np.concatenate(pieces)[order].astype(np.uint32)
