"""One web page that holds everything: the scene, the viewer, and what the scene says of itself.

The page works from a disk and asks no network for anything: its own security policy (CSP) forbids every request but
those to data inside it, and only the very script and style built with it may run (their SHA-256 are in the policy).
The viewer in ``static/`` is built from ``web/``; ``static/manifest.json`` says from which sources.

A scene with finishes, pins or a scan is a model to turn in the hand (``web/src/volume.ts``). Of the others, what
several cameras saw, and a tour, is a place to walk through (``web/src/stroll.ts``); what a single picture shows is
looked at from where that was taken (``web/src/main.ts``). The scene travels as the GLB of
:mod:`unflat.formats.glb`, in base64. Splats are shown as points. Beside it travels the depth that a picture's scene
was built from, so that it can be mended by hand: :mod:`unflat.formats.page_depth`; beside a model the scan that it was
made of: :mod:`unflat.formats.volume_page`.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.glb import glb_bytes
from unflat.formats.gltf_file import GltfFile
from unflat.formats.gltf_finish import has_parts
from unflat.formats.gltf_read import scene_of
from unflat.formats.page_depth import depth_block, depth_in
from unflat.formats.page_parts import about, common, filled, source_rows, step_rows, title_of
from unflat.formats.plain import is_list, is_object
from unflat.formats.provenance_text import SceneRecord, foreign_record, from_record
from unflat.formats.registry import ExportOptions
from unflat.formats.volume_page import Carried, carried, volume_block, volume_in, volume_rows
from unflat.types.points import PointCloud
from unflat.types.provenance import Source
from unflat.types.scene import Frame, Node, Scale, Scene
from unflat.types.splats import Splats

_GLB_MAGIC, _JSON_CHUNK = 0x46546C67, 0x4E4F534A
_LARGEST_JSON = 64 * 2**20
_LARGEST_PAGE = 2**31
_SCENE_MARK = b'<script type="text/plain" id="scene">'
_FAINT = 0.1
"""Splats fainter than this are left out when they are shown as points."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """The files of the built viewer that make a page."""

    page: str
    style: str
    script: str


_PICTURE = _Kind("page.html", "viewer.css", "viewer.js")
"""Looked at from where the picture was taken."""
_STROLL = _Kind("stroll.html", "stroll.css", "stroll.js")
"""Seen by several cameras, so that one walks through it."""
_MODEL = _Kind("volume.html", "volume.css", "volume.js")
"""Surfaces with finishes, pins or a scan, to be turned in the hand."""

_NO_DIAGNOSIS = "Not for diagnosis"

_BASIS = {
    "metric-source": "measured by the source of the depth",
    "known-length": "from a known length",
    "marker": "from a printed marker",
    "familiar": "from the usual size of something in the picture",
    "subject-distance": "from the distance the camera noted",
    "assumed": "assumed",
    "made-to-measure": "as it was asked for",
}


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write ``scene`` as one self-contained page.

    Raises:
        InputError: The scene holds nothing to draw.
        OutputError: The place cannot be written.
    """
    page = page_of_scene(scene, options)
    with replacing(path, force=options.force) as (draft,):
        draft.write_bytes(page)


def read(path: Path) -> Scene:
    """Read the scene out of a page of our own making.

    Raises:
        InputError: The page is missing, too large, damaged, or not one of ours.
    """
    try:
        if path.stat().st_size > _LARGEST_PAGE:
            raise InputError(f"{path.name} is larger than {_LARGEST_PAGE >> 20} MB")
        page = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}") from error
    start = page.find(_SCENE_MARK)
    end = page.find(b"</script>", start)
    if start < 0 or end < 0:
        raise InputError(f"{path.name} is not a page that unflat made", hint="Only pages with a scene inside are read.")
    try:
        glb = base64.b64decode(page[start + len(_SCENE_MARK) : end], validate=True)
    except ValueError as error:
        raise InputError(f"the scene inside {path.name} is damaged") from error
    if glb[:4] != b"glTF":
        raise InputError(f"the scene inside {path.name} is damaged")
    scene = scene_of(GltfFile.of(glb, path.name, None), lambda: hashlib.sha256(page).hexdigest())
    return dataclasses.replace(scene, depth=depth_in(page, path.name), volume=volume_in(page, path.name))


def page_of_scene(scene: Scene, options: ExportOptions | None = None) -> bytes:
    """The page of a scene as UTF-8.

    Raises:
        InputError: The scene holds nothing to draw.
    """
    scene = _with_points(scene)
    options = options or ExportOptions()
    record = SceneRecord(scene.frame, scene.scale, scene.provenance)
    glb, title = glb_bytes(scene, options), title_of(scene.provenance, "Scene")
    if scene.volume is not None or scene.pins or any(node.finish for node in scene.nodes):
        scan = None if scene.volume is None else carried(scene.volume, options.page_voxels)
        return _model_page(glb, title, record, scan)
    if len(scene.cameras) > 1:
        return _page(glb, title, record, _STROLL)
    depth = depth_block(scene.depth) if scene.depth is not None and options.editable else ""
    return _page(glb, title, record, _PICTURE, depth)


def page_of_glb(glb: bytes, name: str) -> bytes:
    """The page of a finished GLB, ours or another's, as UTF-8.

    Args:
        glb: The whole file.
        name: What the file is called; the title of the page if the file does not name its source.

    Raises:
        InputError: The file is not a GLB or its record is damaged.
    """
    document = _document_in(glb, name)
    record = _record_in(document, glb, name)
    title = title_of(record.provenance, name)
    if _is_ours(document) and has_parts(document):
        return _model_page(glb, title, record, None)
    return _page(glb, title, record, _STROLL if _still_cameras(document) > 1 else _PICTURE)


def _page(glb: bytes, title: str, record: SceneRecord, kind: _Kind, depth: str = "") -> bytes:
    words = {
        **common(kind.style, kind.script, title, record.provenance),
        "KIND": "3D estimate" if record.provenance.steps else "3D scene",
        "ABOUT": _about(record),
        "DEPTH": depth,
        "SCENE": base64.b64encode(glb).decode("ascii"),
    }
    return "".join(filled(kind.page, words)).encode("utf-8")


def _model_page(glb: bytes, title: str, record: SceneRecord, scan: Carried | None) -> bytes:
    """The page of surfaces with finishes, pins or a scan."""
    patient = record.frame is Frame.PATIENT_LPS
    story = record.provenance
    said = "This model was made by a computer and can be wrong."
    if patient:
        said = f"{_NO_DIAGNOSIS}. A computer made these surfaces from a scan; they can be wrong."
    measured = patient and not record.scale.assumed
    size = ("Scale", "millimetres as the scanner gave them" if measured else _scale_line(record.scale))
    rows = [*source_rows(story), *(volume_rows(scan) if scan else ()), size]
    words = {
        **common(_MODEL.style, _MODEL.script, title, story),
        "KIND": "3D model",
        "NOTE": _NO_DIAGNOSIS if patient else "",
        "ABOUT": about(said, [*rows, *step_rows(story)], story.warnings),
        "SCAN": volume_block(scan) if scan else "",
        "SCENE": base64.b64encode(glb).decode("ascii"),
    }
    return "".join(filled(_MODEL.page, words)).encode("utf-8")


def _about(record: SceneRecord) -> str:
    """The panel about a scene, as HTML: readable without the viewer, too."""
    story = record.provenance
    said = "This 3D scene was generated by a computer. Shapes and distances in it are estimates and can be wrong."
    if story.invented:
        said += " Some of its surfaces were seen by no camera: they are invented."
    if not story.steps or story.steps[0].name == "read_file":
        said = "This file does not say how it was made."
    rows = [*source_rows(story), ("Scale", _scale_line(record.scale)), *step_rows(story)]
    return about(said, rows, story.warnings)


def _scale_line(scale: Scale) -> str:
    """How the size is known, in one sentence."""
    if scale.assumed:
        said = scale.detail if scale.detail.startswith("assumed") else f"assumed; {scale.detail}".rstrip("; ")
        return f"{said}. Lengths in metres are not to be relied on."
    detail = f" ({scale.detail})" if scale.detail else ""
    share = f"{100 * scale.coverage:.0f} %"
    return (
        f"{_BASIS[scale.basis]}{detail}; the true size is {scale.low:.2f} to {scale.high:.2f} times this "
        f"with {share} confidence."
    )


def _with_points(scene: Scene) -> Scene:
    """The same scene with splats as points, for the viewer draws surfaces and points."""
    if not any(isinstance(node.item, Splats) for node in scene.nodes):
        return scene
    nodes = tuple(
        Node(node.name, _points(node.item), node.role) if isinstance(node.item, Splats) else node
        for node in scene.nodes
    )
    warnings = (*scene.provenance.warnings, "Splats are shown as points here.")
    return dataclasses.replace(scene, nodes=nodes, provenance=dataclasses.replace(scene.provenance, warnings=warnings))


def _points(splats: Splats) -> PointCloud:
    kept = splats.opacities >= _FAINT
    if not kept.any():
        kept = np.ones_like(kept)
    return PointCloud(
        splats.means[kept],
        np.rint(255 * splats.colors[kept].clip(0, 1)).astype(np.uint8),
        confidence=None if splats.confidence is None else splats.confidence[kept],
        invented=None if splats.invented is None else splats.invented[kept],
    )


def _document_in(glb: bytes, name: str) -> dict[str, Any]:
    """The JSON of a GLB.

    Raises:
        InputError: The file is not a GLB.
    """
    damaged = InputError(f"{name} is not a GLB file", hint="Give a .glb or .html that unflat wrote.")
    if len(glb) < 20:
        raise damaged
    magic, version, _, length, chunk = struct.unpack_from("<IIIII", glb)
    if magic != _GLB_MAGIC or version != 2 or chunk != _JSON_CHUNK or length > min(len(glb) - 20, _LARGEST_JSON):
        raise damaged
    try:
        document = json.loads(glb[20 : 20 + length])
    except (ValueError, RecursionError) as error:
        raise damaged from error
    return document if is_object(document) else {}


def _record_in(document: dict[str, Any], glb: bytes, name: str) -> SceneRecord:
    """What a GLB says of itself; a file of others says nothing.

    Raises:
        InputError: Its record is damaged.
    """
    asset = document.get("asset")
    extras = asset.get("extras") if is_object(asset) else None
    if is_object(extras) and "unflat" in extras:
        return from_record(extras["unflat"])
    return foreign_record(Source(name, hashlib.sha256(glb).hexdigest(), "glb"))


def _is_ours(document: dict[str, Any]) -> bool:
    asset = document.get("asset")
    extras = asset.get("extras") if is_object(asset) else None
    return is_object(extras) and "unflat" in extras


def _still_cameras(document: dict[str, Any]) -> int:
    """How many cameras of a GLB of ours no animation moves; files of others are looked at from outside."""
    cameras, animations = document.get("cameras"), document.get("animations")
    if not is_list(cameras) or not _is_ours(document):
        return 0
    return len(cameras) - (len(animations) if is_list(animations) else 0)
