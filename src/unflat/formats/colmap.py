"""A folder as COLMAP leaves it: ``sparse/0`` in its binary and its text form, and ``images`` that fit the cameras.

Poses are camera from world; quaternions are w x y z; the first pixel's centre is (0.5, 0.5), as here. Each camera is
a rig of its own and each picture a frame of that rig, which is what COLMAP (from 3.12 on) makes of plain pictures.
The formats: https://colmap.github.io/format.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unflat.formats.atomic import replacing_folder
from unflat.formats.registry import ExportOptions
from unflat.formats.views_folder import write_mark, write_pictures
from unflat.geometry.transform import quaternion_from_rotation
from unflat.types.arrays import F64
from unflat.types.views import Lens, Reconstruction, SparsePoints

_PINHOLE, _OPENCV = (1, "PINHOLE"), (4, "OPENCV")
_CAMERA_SENSOR = (0, "CAMERA")


@dataclass(frozen=True, slots=True)
class _Picture:
    """A row of the table of images, and of the table of frames."""

    number: int
    camera: int
    name: str
    quaternion: F64
    shift: F64
    pixels: F64
    points: Sequence[int]

    @property
    def pose(self) -> tuple[float, ...]:
        """Camera from world: w x y z and the translation."""
        return (*self.quaternion.tolist(), *self.shift.tolist())


@dataclass(frozen=True, slots=True)
class _Point:
    """A row of the table of points; ``track`` is (picture, number of the observation in it) for all who saw it."""

    number: int
    xyz: tuple[float, float, float]
    color: tuple[int, int, int]
    error: float
    track: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Model:
    cameras: dict[int, Lens]
    pictures: list[_Picture]
    points: list[_Point]


def write(reconstruction: Reconstruction, path: Path, options: ExportOptions) -> None:
    """Write the folder, whole or not at all.

    Views that are still distorted get the model OPENCV, the others PINHOLE, which is what trainers of splats ask for.

    Raises:
        InputError: There is no view, or a picture is not of its camera's size.
        OutputError: The place cannot be written.
    """
    with replacing_folder(path, force=options.force) as draft:
        written = write_pictures(reconstruction.views, draft)
        model = _model(reconstruction, [each.name for each in written])
        folder = draft / "sparse" / "0"
        folder.mkdir(parents=True)
        for name, data in _binary(model).items():
            (folder / name).write_bytes(data)
        for name, lines in _text(model).items():
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        write_mark(reconstruction, draft)


def _model(reconstruction: Reconstruction, names: Sequence[str]) -> _Model:
    """Number everything from 1 and gather who saw what."""
    views, points = reconstruction.views, reconstruction.points
    owners = [(view.still.camera, view.lens) for view in views]
    numbers = {owner: at + 1 for at, owner in enumerate(dict.fromkeys(owners))}
    rows = [np.flatnonzero(points.view == at) for at in range(len(views))]
    place = np.zeros(len(points.view), np.int64)
    pictures: list[_Picture] = []
    for at, (view, name, seen) in enumerate(zip(views, names, rows, strict=True)):
        place[seen] = np.arange(len(seen))
        turn = view.pose.world_from_camera[:3, :3].T
        pictures.append(
            _Picture(
                at + 1,
                numbers[owners[at]],
                name,
                quaternion_from_rotation(turn) + 0.0,
                0.0 - turn @ view.pose.centre,
                points.pixel[seen].astype(np.float64),
                (points.point[seen] + 1).tolist(),
            )
        )
    return _Model({number: lens for (_, lens), number in numbers.items()}, pictures, _points(points, place))


def _points(points: SparsePoints, place: np.ndarray) -> list[_Point]:
    """Every point with its track; ``place`` is the number of each observation within its picture."""
    order = np.argsort(points.point, kind="stable")
    ends = np.searchsorted(points.point[order], np.arange(len(points.xyz) + 1)).tolist()
    tracks = list(zip((points.view[order] + 1).tolist(), place[order].tolist(), strict=True))
    xyz, colors, errors = points.xyz.tolist(), points.colors.tolist(), points.error_px.tolist()
    return [
        _Point(at + 1, xyz[at], colors[at], errors[at], tuple(tracks[ends[at] : ends[at + 1]]))
        for at in range(len(xyz))
    ]


def _camera(lens: Lens) -> tuple[tuple[int, str], tuple[float, ...]]:
    """The model's number and name, and its parameters."""
    seen = lens.intrinsics
    pinhole = (seen.fx, seen.fy, seen.cx, seen.cy)
    return (_PINHOLE, pinhole) if lens.pinhole else (_OPENCV, (*pinhole, lens.k1, lens.k2, lens.p1, lens.p2))


def _binary(model: _Model) -> dict[str, bytes]:
    cameras, images, points, rigs, frames = ([struct.pack("<Q", 0)] for _ in range(5))
    for number, lens in model.cameras.items():
        (kind, _), values = _camera(lens)
        size = lens.intrinsics.size
        cameras.append(struct.pack(f"<IiQQ{len(values)}d", number, kind, size.width, size.height, *values))
        rigs.append(struct.pack("<IIiI", number, 1, _CAMERA_SENSOR[0], number))
    for each in model.pictures:
        images.append(struct.pack("<I7dI", each.number, *each.pose, each.camera) + each.name.encode() + b"\0")
        images.append(_binary_observations(each))
        sensor = (_CAMERA_SENSOR[0], each.camera, each.number)
        frames.append(struct.pack("<II7dIiIQ", each.number, each.camera, *each.pose, 1, *sensor))
    for point in model.points:
        track = [number for pair in point.track for number in pair]
        head = (point.number, *point.xyz, *point.color, point.error, len(point.track))
        points.append(struct.pack(f"<Q3d3BdQ{len(track)}I", *head, *track))
    for rows, count in (
        (cameras, len(model.cameras)),
        (images, len(model.pictures)),
        (points, len(model.points)),
        (rigs, len(model.cameras)),
        (frames, len(model.pictures)),
    ):
        rows[0] = struct.pack("<Q", count)
    tables = {"cameras": cameras, "images": images, "points3D": points, "rigs": rigs, "frames": frames}
    return {f"{name}.bin": b"".join(rows) for name, rows in tables.items()}


def _binary_observations(picture: _Picture) -> bytes:
    rows = np.zeros(len(picture.points), dtype=[("x", "<f8"), ("y", "<f8"), ("point", "<u8")])
    rows["x"], rows["y"], rows["point"] = picture.pixels[:, 0], picture.pixels[:, 1], picture.points
    return struct.pack("<Q", len(rows)) + rows.tobytes()


def _text(model: _Model) -> dict[str, list[str]]:
    cameras = ["# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]"]
    images = [
        "# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME",
        "# POINTS2D[] as (X, Y, POINT3D_ID)",
    ]
    points = ["# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)"]
    rigs = ["# RIG_ID, NUM_SENSORS, REF_SENSOR_TYPE, REF_SENSOR_ID"]
    frames = ["# FRAME_ID, RIG_ID, RIG_FROM_WORLD[QW, QX, QY, QZ, TX, TY, TZ], NUM_DATA_IDS, DATA_IDS[]"]
    for number, lens in model.cameras.items():
        (_, kind), values = _camera(lens)
        size = lens.intrinsics.size
        cameras.append(_line((number, kind, size.width, size.height, *values)))
        rigs.append(_line((number, 1, _CAMERA_SENSOR[1], number)))
    for each in model.pictures:
        images.append(_line((each.number, *each.pose, each.camera, each.name)))
        seen = zip(each.pixels.tolist(), each.points, strict=True)
        images.append(" ".join(f"{x:.9g} {y:.9g} {point}" for (x, y), point in seen))
        sensor = (_CAMERA_SENSOR[1], each.camera, each.number)
        frames.append(_line((each.number, each.camera, *each.pose, 1, *sensor)))
    for point in model.points:
        track = (number for pair in point.track for number in pair)
        points.append(_line((point.number, *point.xyz, *point.color, point.error, *track)))
    tables = {"cameras": cameras, "images": images, "points3D": points, "rigs": rigs, "frames": frames}
    return {f"{name}.txt": lines for name, lines in tables.items()}


def _line(values: Iterable[object]) -> str:
    """Values between blanks; floats with as many digits as they need."""
    return " ".join(map(str, values))
