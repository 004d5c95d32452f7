"""A folder that nerfstudio trains on: ``transforms.json``, the pictures, and the sparse points to begin with.

The world is turned z up; cameras look along -z with y up (OpenGL), camera to world. Pixels count as here: nerfstudio
shoots its rays through (column + 0.5, row + 0.5).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from unflat.formats.atomic import replacing_folder
from unflat.formats.gltf_parts import CAMERA_TURN
from unflat.formats.ply_table import header_bytes
from unflat.formats.registry import ExportOptions
from unflat.formats.views_folder import Written, frame_of, write_mark, write_pictures
from unflat.geometry.transform import Door, door_from_frame
from unflat.types.arrays import F64
from unflat.types.views import Lens, Reconstruction, SparsePoints, View

_POINTS = "sparse_pc.ply"


def write(reconstruction: Reconstruction, path: Path, options: ExportOptions) -> None:
    """Write the folder, whole or not at all.

    Raises:
        InputError: There is no view, or a picture is not of its camera's size.
        OutputError: The place cannot be written.
    """
    up_from_frame = door_from_frame(frame_of(reconstruction), Door.PRINT)
    with replacing_folder(path, force=options.force) as draft:
        written = write_pictures(reconstruction.views, draft)
        document = _document(reconstruction.views, written, up_from_frame)
        if len(reconstruction.points.xyz):
            document["ply_file_path"] = _POINTS
            (draft / _POINTS).write_bytes(_points(reconstruction.points, up_from_frame))
        (draft / "transforms.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        write_mark(reconstruction, draft)


def _document(views: tuple[View, ...], written: tuple[Written, ...], up_from_frame: F64) -> dict[str, Any]:
    """One lens for all is said once, at the top; several are said with each frame."""
    lenses = {view.lens for view in views}
    shared = _lens(views[0].lens) if len(lenses) == 1 else {}
    frames: list[dict[str, Any]] = []
    for view, files in zip(views, written, strict=True):
        pose = np.eye(4)
        pose[:3, :3] = up_from_frame @ view.pose.world_from_camera[:3, :3] @ CAMERA_TURN.T
        pose[:3, 3] = up_from_frame @ view.pose.centre
        frame: dict[str, Any] = {"file_path": files.picture, "transform_matrix": (pose + 0.0).tolist()}
        if files.mask is not None:
            frame["mask_path"] = files.mask
        frames.append(frame if shared else _lens(view.lens) | frame)
    return {"camera_model": "OPENCV", **shared, "frames": frames}


def _lens(lens: Lens) -> dict[str, float]:
    seen = lens.intrinsics
    return {
        "fl_x": seen.fx,
        "fl_y": seen.fy,
        "cx": seen.cx,
        "cy": seen.cy,
        "w": seen.size.width,
        "h": seen.size.height,
        "k1": lens.k1,
        "k2": lens.k2,
        "p1": lens.p1,
        "p2": lens.p2,
    }


def _points(points: SparsePoints, up_from_frame: F64) -> bytes:
    """The sparse points as binary PLY, in the axes of the cameras."""
    columns = [*((axis, "<f4") for axis in "xyz"), *((colour, "|u1") for colour in ("red", "green", "blue"))]
    rows = np.zeros(len(points.xyz), dtype=columns)
    for at, axis in enumerate("xyz"):
        rows[axis] = points.xyz @ up_from_frame[at]
    for at, colour in enumerate(("red", "green", "blue")):
        rows[colour] = points.colors[:, at]
    return header_bytes((), [("vertex", len(rows), columns)]) + rows.tobytes()
