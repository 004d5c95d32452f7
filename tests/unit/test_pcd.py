"""Point Cloud Data: the bytes that the specification asks for, and files of others, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scenes
from unflat.errors import InputError
from unflat.formats.registry import read_scene, write
from unflat.types.points import PointCloud
from unflat.types.scene import Node


def other(path: Path, data: bytes, fields: str = "x y z rgb", kinds: str = "F F F U", **words: str) -> PointCloud:
    """Read a file of another program."""
    count = len(fields.split())
    lines = {
        "VERSION": ".7",
        "FIELDS": fields,
        "SIZE": " ".join(["4"] * count),
        "TYPE": kinds,
        "COUNT": " ".join(["1"] * count),
        "WIDTH": "2",
        "HEIGHT": "1",
        "VIEWPOINT": "0 0 0 1 0 0 0",
        "POINTS": "2",
        "DATA": "binary",
        **words,
    }
    header = "# a comment\n" + "".join(f"{key} {value}\n" for key, value in lines.items() if value)
    path.write_bytes(header.encode() + data)
    item = read_scene(path).nodes[0].item
    assert isinstance(item, PointCloud)
    return item


def test_the_header_and_the_numbers_are_those_of_the_specification(tmp_path: Path) -> None:
    normals = np.array([[0, 0, -1], [0, -1, 0], [1, 0, 0]], np.float32)
    xyz = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.float32)
    colors = np.array([[255, 0, 1], [2, 254, 3], [0, 0, 0]], np.uint8)
    cloud = PointCloud(xyz, colors, normals, np.array([0, 0.5, 1], np.float32), np.array([True, False, True]))
    write(scenes.scene_of(Node("points", cloud)), tmp_path / "a.pcd")
    head, _, body = (tmp_path / "a.pcd").read_bytes().partition(b"DATA binary\n")
    lines = [line for line in head.decode("ascii").splitlines() if not line.startswith("#")]
    assert lines == [
        "VERSION 0.7",
        "FIELDS x y z rgb normal_x normal_y normal_z confidence invented",
        "SIZE 4 4 4 4 4 4 4 4 1",
        "TYPE F F F F F F F F U",
        "COUNT 1 1 1 1 1 1 1 1 1",
        "WIDTH 3",
        "HEIGHT 1",
        "VIEWPOINT 0 0 0 1 0 0 0",
        "POINTS 3",
    ]
    assert head.startswith(b"# .PCD v0.7") and len(body) == 3 * 33
    assert np.frombuffer(body, "<f4", 3).tolist() == [3, -1, -2], "x forward, y left, z up"
    assert np.frombuffer(body, "<u4", 4)[3] == 0xFF0001
    back = read_scene(tmp_path / "a.pcd").nodes[0].item
    assert isinstance(back, PointCloud) and back.normals is not None and back.invented is not None
    np.testing.assert_array_equal(back.normals, normals)
    np.testing.assert_array_equal(back.xyz, xyz)
    assert back.invented.tolist() == [True, False, True]


def test_corners_of_surfaces_are_points(tmp_path: Path) -> None:
    write(scenes.textured_scene(), tmp_path / "a.pcd")
    item = read_scene(tmp_path / "a.pcd").nodes[0].item
    assert isinstance(item, PointCloud) and item.colors is not None and item.normals is not None
    np.testing.assert_allclose(item.xyz, scenes.sheet().vertices, atol=1e-6)


def test_files_of_others(tmp_path: Path) -> None:
    rows = np.zeros(2, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4")])
    rows["x"], rows["rgb"] = (5, np.nan), (0x0A0B0C, 0)
    cloud = other(tmp_path / "binary.pcd", rows.tobytes())
    assert cloud.xyz.tolist() == [[0, 0, 5]] and cloud.colors is not None and cloud.colors.tolist() == [[10, 11, 12]]
    text = b"5 0 0 658188\n1 2 3 0\n"
    cloud = other(tmp_path / "text.pcd", text, DATA="ascii")
    assert cloud.xyz.tolist() == [[0, 0, 5], [-2, -3, 1]]
    assert cloud.colors is not None and cloud.colors[0].tolist() == [10, 11, 12]
    bare = other(tmp_path / "bare.pcd", b"\0" * 24, "x y z", "F F F", POINTS="", COUNT="")
    assert len(bare.xyz) == 2 and bare.colors is None and bare.confidence is None


@pytest.mark.parametrize(
    ("words", "data", "says"),
    [
        ({}, b"\0" * 31, "shorter"),
        ({"DATA": "ascii"}, b"1 2 3", "shorter"),
        ({"DATA": "ascii"}, b"1 2 3 4 a b c d", "none"),
        ({"DATA": "binary_compressed"}, b"", "compressed"),
        ({"DATA": "secret"}, b"", "unknown"),
        ({"POINTS": "-1"}, b"", "promises"),
        ({"POINTS": "999999999999"}, b"", "promises"),
        ({"POINTS": "many"}, b"", "no sense"),
        ({"SIZE": "4 4 4"}, b"", "no sense"),
        ({"SIZE": "4 4 4 3"}, b"", "no sense"),
        ({"COUNT": "1 1 1 99999"}, b"", "promises"),
        ({"FIELDS": "a b c d"}, b"\0" * 32, "no points"),
        ({"DATA": ""}, b"\0" * 32, "does not end"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, words: dict[str, str], data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        other(tmp_path / "bad.pcd", data, **words)
