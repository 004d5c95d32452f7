"""Reads back the USDZ that we wrote. The layer is opened in a process of its own, see ``usdz_layer``."""

from __future__ import annotations

import io
import json
import posixpath
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.atomic import translated
from unflat.formats.gltf_parts import CAMERA_TURN
from unflat.formats.linear_colour import srgb8_from_linear
from unflat.formats.looks import dressed
from unflat.formats.provenance_text import from_record
from unflat.formats.pxr_late import check_usd
from unflat.formats.texture import decoded
from unflat.formats.usdz_archive import unpack
from unflat.geometry.transform import Door, door_from_frame, turned
from unflat.types.arrays import F32, F64, U8
from unflat.types.camera import Camera, FocalBasis, Intrinsics, Pose
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Node, Scene

LIMIT_S = 120
MAX_STORY_BYTES = 64 << 20
_LAYERS = (".usdc", ".usda", ".usd")


def read(path: Path) -> Scene:
    """Read a USDZ of ours: surfaces, pictures, cameras and the record. Its sky was never written.

    Raises:
        InputError: Missing, damaged, hostile, or written by another program.
        OutputError: There is no room for temporary files.
    """
    check_usd()
    members = unpack(path)
    first = next(iter(members), "")
    if not first.endswith(_LAYERS):
        raise InputError(f"{path.name} is no USDZ: its first member is no USD layer")
    story, arrays = _layer(members[first], Path(first).suffix, path.name)
    try:
        return _scene(story, arrays, members, path.name)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path.name} is damaged: {str(error)[:80]}") from error


def _layer(data: bytes, suffix: str, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the layer holds, as the other process tells it."""
    try:
        with tempfile.TemporaryDirectory(prefix="unflat-") as folder:
            layer, out = Path(folder) / f"layer{suffix}", Path(folder) / "out.npz"
            layer.write_bytes(data)
            command = [sys.executable, "-P", "-m", "unflat.formats.usdz_layer", str(layer), str(out)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False)
            told = out.read_bytes() if done.returncode == 0 else b""
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{name} takes too long to read; it may be damaged") from error
    except OSError as error:
        raise translated(error, Path(tempfile.gettempdir())) from error
    try:
        with np.load(io.BytesIO(told), allow_pickle=False) as loaded:
            arrays = {key: loaded[key] for key in loaded.files}
        return json.loads(arrays.pop("story").tobytes()[:MAX_STORY_BYTES]), arrays
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError, RecursionError) as error:
        raise InputError(f"{name} is damaged, or refers to other files") from error


def _scene(story: dict[str, Any], arrays: dict[str, NDArray[Any]], members: dict[str, bytes], name: str) -> Scene:
    if not isinstance(story["record"], str):
        raise InputError(f"{name} was not written by unflat", hint="Convert it to .glb, which is read from everyone.")
    try:
        told = json.loads(story["record"])
        known = from_record(told)
    except RecursionError as error:
        raise InputError(f"{name} is damaged: its record is nested too deep") from error
    frame_from_gl = door_from_frame(known.frame, Door.GL).T
    pictures: dict[str, Image] = {}
    nodes: list[Node] = []
    for number, surface in enumerate(story["surfaces"]):
        picture: Image | None = None
        if surface["texture"] is not None:
            member = posixpath.normpath(surface["texture"])
            if member not in members:
                raise InputError(f"{name} is damaged: the picture {member[:60]!r} is missing")
            if member not in pictures:
                pictures[member] = decoded(members[member], posixpath.basename(member))
            picture = pictures[member]
        own = {key.partition(".")[2]: a for key, a in arrays.items() if key.startswith(f"{number}.")}
        mesh = _mesh(own, frame_from_gl, np.array(surface["root_from_mesh"]), picture, name)
        nodes.append(Node(str(surface["name"]), mesh))
    if not nodes:
        raise InputError(f"{name} holds no surface")
    cameras = tuple(_camera(entry, frame_from_gl) for entry in story["cameras"])
    scene = Scene(tuple(nodes), cameras, known.frame, known.scale, known.provenance, known.safe_view)
    return dressed(scene, told)


def _mesh(
    own: dict[str, NDArray[Any]], frame_from_gl: F64, root_from_mesh: F64, picture: Image | None, name: str
) -> Mesh:
    """One surface. Ours are never moved on their own; a moved one was changed by somebody and is refused."""
    if not np.array_equal(root_from_mesh, np.eye(4)):
        raise InputError(
            f"{name} was changed by another program", hint="Convert it to .glb, which is read from everyone."
        )
    counts, faces, points = own["counts"], own["faces"], own["points"].astype(np.float32)
    if len(faces) != 3 * len(counts) or not (counts == 3).all() or (len(faces) and faces.min() < 0):
        raise InputError(f"{name} holds faces that are no triangles")
    uv: F32 | None = None
    if "st" in own:
        uv = own["st"].astype(np.float32) * np.array([1, -1], np.float32) + np.array([0, 1], np.float32)
    normals = turned(frame_from_gl, own["normals"]) + np.float32(0) if "normals" in own else None
    colors: U8 | None = None
    if "displayColor" in own and picture is None:
        colors = srgb8_from_linear(own["displayColor"])
    invented = own["invented"] > 0.5 if "invented" in own else None
    vertices = turned(frame_from_gl, points) + np.float32(0)
    triangles = faces.astype(np.uint32).reshape(-1, 3)
    return Mesh(
        vertices, triangles, normals, uv, colors, own.get("confidence"), invented, picture if uv is not None else None
    )


def _camera(entry: dict[str, Any], frame_from_gl: F64) -> Camera:
    pixels, gl_from_camera = entry["pixels"], np.array(entry["root_from_camera"], dtype=np.float64)
    bases: tuple[FocalBasis, ...] = get_args(FocalBasis)
    basis = pixels["basis"]
    if basis not in bases:
        raise ValueError(f"the basis of a camera is {str(basis)[:40]!r}")
    fx, fy, cx, cy = (float(pixels[key]) for key in ("fx", "fy", "cx", "cy"))
    size = Size(int(pixels["width"]), int(pixels["height"]))
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = frame_from_gl @ gl_from_camera[:3, :3] @ CAMERA_TURN
    world_from_camera[:3, 3] = frame_from_gl @ gl_from_camera[:3, 3]
    return Camera(Intrinsics(fx, fy, cx, cy, size, basis), Pose(world_from_camera), str(entry["name"]))
