"""Binary STL for printing: solids in millimetres, z up.

STL knows neither units nor colours nor any text beyond 80 bytes: the header says ``mm``, as slicers take it, and the
provenance stands in NAME.stl.json. All solids of a scene become one list of triangles.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from unflat import __version__
from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.looks import NOT_FOR_DIAGNOSIS, dressed
from unflat.formats.registry import ExportOptions
from unflat.formats.solid import in_metres, in_millimetres, printable_nodes, welded
from unflat.formats.story import bytes_of, name_in, scene_from, sidecar_of, story_beside, story_text
from unflat.geometry.transform import Door, door_from_frame
from unflat.types.arrays import F32
from unflat.types.mesh import Mesh
from unflat.types.scene import Frame, Node, Scene

_ROW = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEAD = 84
_LARGEST = 1 << 31
_VERTEX = re.compile(rb"\bvertex\s+(\S{1,40})\s+(\S{1,40})\s+(\S{1,40})")


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write the solids of a scene, and its story beside them.

    Raises:
        InputError: There is no closed surface.
        OutputError: The place cannot be written.
    """
    door = door_from_frame(scene.frame, Door.PRINT)
    corners = [in_millimetres(door, m.vertices)[m.faces].astype("<f4") for _, m in printable_nodes(scene)]
    rows = np.zeros(sum(map(len, corners)), _ROW)
    rows["corners"] = np.concatenate(corners)
    rows["normal"] = _normals(rows["corners"])
    warned = f", {NOT_FOR_DIAGNOSIS.lower()}" if scene.frame is Frame.PATIENT_LPS else ""
    header = f"unflat {__version__} binary STL, unit mm, z up{warned}".encode("ascii")[:80].ljust(80)
    with replacing(sidecar_of(path), path, force=options.force) as (sidecar, draft):
        sidecar.write_text(story_text(scene, "millimetre"), encoding="ascii")
        with draft.open("wb") as file:
            file.write(header + len(rows).to_bytes(4, "little"))
            file.write(rows.tobytes())


def read(path: Path) -> Scene:
    """Read a binary or text STL of any program, its numbers taken as millimetres, equal corners welded.

    Raises:
        InputError: Not an STL file, damaged, or empty.
    """
    data = bytes_of(path, _LARGEST)
    story = story_beside(path)
    scene = scene_from((), story, path)
    corners = _binary_corners(data)
    if corners is None:
        corners = _text_corners(data, path.name)
    if not len(corners):
        raise InputError(f"{path.name} holds no triangles")
    vertices, faces = welded(in_metres(door_from_frame(scene.frame, Door.PRINT).T, corners.reshape(-1, 3)))
    return dressed(dataclasses.replace(scene, nodes=(Node(name_in(story, "relief"), Mesh(vertices, faces)),)), story)


def _normals(corners: F32) -> F32:
    """(m, 3) unit normals of (m, 3, 3) corners; zero for a triangle without area."""
    wide = corners.astype(np.float64)
    normals = np.cross(wide[:, 1] - wide[:, 0], wide[:, 2] - wide[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return (normals / np.where(length > 0, length, 1)).astype(np.float32)


def _binary_corners(data: bytes) -> F32 | None:
    """(m, 3, 3) corners; None if this is not a binary STL. A text that starts with "solid" must fit exactly."""
    if len(data) < _HEAD:
        return None
    end = _HEAD + int.from_bytes(data[80:84], "little") * _ROW.itemsize
    if end > len(data) or (end != len(data) and data[:5] == b"solid"):
        return None
    return np.frombuffer(data[_HEAD:end], _ROW)["corners"]


def _text_corners(data: bytes, name: str) -> F32:
    """(m, 3, 3) corners of a text STL."""
    if not data.lstrip()[:5].lower() == b"solid":
        raise InputError(f"{name} is not an STL file, or shorter than its header promises")
    found = _VERTEX.findall(data)
    if len(found) % 3 or len(found) != 3 * data.count(b"endfacet"):
        raise InputError(f"{name} is cut off inside a triangle")
    try:
        return np.array(found, dtype="S40").reshape(-1).astype(np.float32).reshape(-1, 3, 3)
    except ValueError as error:
        raise InputError(f"{name} holds something that is not a number") from error
