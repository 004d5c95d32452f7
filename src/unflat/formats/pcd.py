"""Point Cloud Data v0.7, as the Point Cloud Library and ROS read it: x forward, y left, z up (REP 103), in metres.

https://pointclouds.org/documentation/tutorials/pcd_file_format.html. Points stand in rows of binary numbers; the
corners of surfaces are points, too, and the sky is left out. ``rgb`` holds 0x00RRGGBB in the bits of a float, as the
library has it; ``confidence`` (0..1) and ``invented`` (0 or 1) are fields of their own, which it passes over. The
story of the scene stands in comments. Text and binary files are read, compressed ones are not.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.formats.atomic import replacing
from unflat.formats.merge import Merged, merged
from unflat.formats.registry import ExportOptions
from unflat.formats.story import comment_lines, name_in, scene_from, story_in_lines
from unflat.geometry.transform import Door, door_from_frame, turned
from unflat.types.arrays import F32, U8
from unflat.types.points import PointCloud
from unflat.types.scene import Node, Scene

_AXES = "x forward, y left, z up"
_LONGEST_HEADER = 1 << 20
_MOST_POINTS = 1 << 28
_MOST_FIELDS = 256
_LARGEST_TEXT = 1 << 29
_DTYPES = {("F", 4): "<f4", ("F", 8): "<f8", **{(t, s): f"<{t.lower()}{s}" for t in "IU" for s in (1, 2, 4, 8)}}
_WORDS = {"f": "F", "u": "U"}
Columns = dict[str, NDArray[Any]]


def write(scene: Scene, path: Path, options: ExportOptions) -> None:
    """Write all points and the corners of all surfaces of a scene.

    Raises:
        InputError: The scene holds nothing that can be written.
        OutputError: The place cannot be written.
    """
    rows = _rows(merged(scene), scene)
    comments = [".PCD v0.7 - Point Cloud Data file format", *comment_lines(scene, "metre", _AXES)]
    fields = [(name, rows.dtype[name]) for name in rows.dtype.names or ()]
    header = [
        *(f"# {line}" for line in comments),
        "VERSION 0.7",
        "FIELDS " + " ".join(name for name, _ in fields),
        "SIZE " + " ".join(str(dtype.itemsize) for _, dtype in fields),
        "TYPE " + " ".join(_WORDS[dtype.kind] for _, dtype in fields),
        "COUNT " + " ".join("1" for _ in fields),
        f"WIDTH {len(rows)}",
        "HEIGHT 1",
        "VIEWPOINT 0 0 0 1 0 0 0",
        f"POINTS {len(rows)}",
        "DATA binary",
    ]
    with replacing(path, force=options.force) as (draft,), draft.open("wb") as file:
        file.write(("\n".join(header) + "\n").encode("ascii"))
        file.write(rows.tobytes())


def _rows(whole: Merged, scene: Scene) -> NDArray[np.void]:
    """One record a point, only with the fields that are known."""
    turn = door_from_frame(scene.frame, Door.ROS)
    xyz = turned(turn, whole.xyz)
    columns: list[tuple[str, NDArray[Any]]] = [(name, xyz[:, k]) for k, name in enumerate("xyz")]
    if whole.colors is not None:
        red, green, blue = whole.colors.astype("<u4").T
        columns.append(("rgb", (red << 16 | green << 8 | blue).view("<f4")))
    if whole.normals is not None:
        normals = turned(turn, whole.normals)
        columns += [(f"normal_{axis}", normals[:, k]) for k, axis in enumerate("xyz")]
    if whole.confidence is not None:
        columns.append(("confidence", whole.confidence))
    if whole.invented is not None:
        columns.append(("invented", whole.invented.view(np.uint8)))
    rows = np.zeros(len(xyz), [(name, "<f4" if values.dtype.kind == "f" else "|u1") for name, values in columns])
    for name, values in columns:
        rows[name] = values
    return rows


def read(path: Path) -> Scene:
    """Read a point cloud of any program; points without a place (organised clouds have some) are left out.

    Raises:
        InputError: Not a PCD file, damaged, compressed, or without positions.
    """
    try:
        with path.open("rb") as file:
            words, comments = _header(file, path.name)
            columns = _columns(file, words, path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    story = story_in_lines(comments)
    scene = scene_from((), story, path)
    xyz = _stacked(columns, ("x", "y", "z"))
    if xyz is None:
        raise InputError(f"{path.name} holds no points with x, y and z")
    there = np.isfinite(xyz).all(axis=1)
    frame_from_door = door_from_frame(scene.frame, Door.ROS).T
    normals = _stacked(columns, ("normal_x", "normal_y", "normal_z"))
    if normals is not None and not np.isfinite(normals[there]).all():
        normals = None
    confidence = columns.get("confidence")
    if confidence is not None and not ((confidence[there] >= 0) & (confidence[there] <= 1)).all():
        confidence = None
    colors, invented = _colors(columns), columns.get("invented")
    cloud = PointCloud(
        turned(frame_from_door, xyz[there]),
        None if colors is None else colors[there],
        None if normals is None else turned(frame_from_door, normals[there]),
        None if confidence is None else confidence[there].astype(np.float32),
        None if invented is None else invented[there] != 0,
    )
    return dataclasses.replace(scene, nodes=(Node(name_in(story, "points"), cloud),))


def _header(file: BinaryIO, name: str) -> tuple[dict[str, list[str]], list[str]]:
    """The lines up to DATA: words by their first, and the comments."""
    words: dict[str, list[str]] = {}
    comments: list[str] = []
    read_bytes = 0
    while "DATA" not in words:
        line = file.readline(_LONGEST_HEADER)
        read_bytes += len(line)
        if not line or read_bytes > _LONGEST_HEADER:
            raise InputError(f"{name} is not a PCD file, or damaged: its header does not end")
        text = line.decode("ascii", "replace").strip()
        if text.startswith("#"):
            comments.append(text[1:].strip())
        elif text:
            first, *rest = text.split()
            words[first] = rest
    return words, comments


def _columns(file: BinaryIO, words: dict[str, list[str]], name: str) -> Columns:
    """The numbers of every field that has one number per point."""
    try:
        fields = words["FIELDS"]
        sizes, kinds = [int(size) for size in words["SIZE"]], words["TYPE"]
        counts = [int(count) for count in words.get("COUNT", ["1"] * len(fields))]
        points = int(words["POINTS"][0]) if "POINTS" in words else int(words["WIDTH"][0]) * int(words["HEIGHT"][0])
        data = words["DATA"][0]
        dtypes = [_DTYPES[kind, size] for kind, size in zip(kinds, sizes, strict=True)]
        shapes = list(zip(fields, dtypes, counts, strict=True))
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f"{name} is not a PCD file, or damaged: its header makes no sense") from error
    if not (0 <= points <= _MOST_POINTS and len(fields) <= _MOST_FIELDS and all(0 < c <= 4096 for c in counts)):
        raise InputError(f"{name} promises more than can be read")
    if data == "binary_compressed":
        raise InputError(
            f"{name} is compressed", hint="Save it as binary: pcl_convert_pcd_ascii_binary IN.pcd OUT.pcd 1."
        )
    if data not in ("ascii", "binary"):
        raise InputError(f"{name} holds its points as '{data}', which is unknown")
    layout = np.dtype([(f"{i}", dtype, (count,)) for i, (_, dtype, count) in enumerate(shapes)])
    rows = _binary(file, layout, points, name) if data == "binary" else _text(file, layout, points, name)
    return {field: rows[f"{i}"][:, 0] for i, (field, _, count) in enumerate(shapes) if count == 1}


def _binary(file: BinaryIO, layout: np.dtype[np.void], points: int, name: str) -> NDArray[np.void]:
    start = file.tell()
    room = file.seek(0, 2) - start
    if room < points * layout.itemsize:
        raise InputError(f"{name} is shorter than its header promises")
    file.seek(start)
    return np.frombuffer(file.read(points * layout.itemsize), layout)


def _text(file: BinaryIO, layout: np.dtype[np.void], points: int, name: str) -> NDArray[np.void]:
    """Rows of numbers; a whole number stays one, so that colours given as such keep their bits."""
    text = file.read(_LARGEST_TEXT + 1)
    if len(text) > _LARGEST_TEXT:
        raise InputError(f"{name} is too large to read as text")
    titles = layout.names or ()
    width = sum(int(np.prod(layout[title].shape)) for title in titles)
    words = text.split()
    if len(words) < points * width:
        raise InputError(f"{name} is shorter than its header promises")
    rows, at = np.zeros(points, layout), 0
    try:
        table = np.array(words[: points * width], dtype="S32").reshape(points, width)
        for title in titles:
            count = int(np.prod(layout[title].shape))
            rows[title] = table[:, at : at + count].astype(layout[title].base)
            at += count
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name} is damaged: a number is none") from error
    return rows


def _stacked(columns: Columns, names: tuple[str, ...]) -> F32 | None:
    """(n, 3) float32; None if a field is missing."""
    found = [columns[name] for name in names if name in columns]
    if len(found) < len(names):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return np.stack([column.astype(np.float32) for column in found], axis=1)


def _colors(columns: Columns) -> U8 | None:
    """Red, green and blue out of the bits of ``rgb`` or ``rgba``."""
    packed = columns.get("rgb", columns.get("rgba"))
    if packed is None or packed.dtype.itemsize != 4:
        return None
    bits = np.ascontiguousarray(packed).view("<u4")
    return np.stack([bits >> 16 & 255, bits >> 8 & 255, bits & 255], axis=1).astype(np.uint8)
