"""The path as TUM text and the folder for nerfstudio, read by others: numpy, scipy, trimesh and the formulas."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image as Pil
from scipy.spatial.transform import Rotation

import rooms
from unflat.errors import InputError
from unflat.formats import registry
from unflat.formats.registry import format_of_picture
from unflat.types import Reconstruction
from unflat.types.scale import Scale


def timed(*seconds: float | None) -> Reconstruction:
    ours = rooms.reconstruction()
    views = tuple(
        dataclasses.replace(view, still=dataclasses.replace(view.still, seconds=at))
        for view, at in zip(ours.views, seconds, strict=False)
    )
    return dataclasses.replace(ours, views=views)


def test_a_trajectory_holds_every_pose(tmp_path: Path) -> None:
    registry.write(rooms.reconstruction(), tmp_path / "a.tum")
    rows = np.loadtxt(tmp_path / "a.tum")
    assert rows.shape == (12, 8)
    np.testing.assert_allclose(rows[:, 0], np.arange(12) / 10)
    for row, view in zip(rows, rooms.reconstruction().views, strict=True):
        np.testing.assert_allclose(row[1:4], view.pose.centre, atol=1e-9)
        turn = Rotation.from_quat(row[4:]).as_matrix()
        np.testing.assert_allclose(turn, view.pose.world_from_camera[:3, :3], atol=1e-8)
    assert (tmp_path / "a.tum").read_text("ascii").startswith("# timestamp tx ty tz qx qy qz qw\n")


def test_time_stamps_stay_as_they_were_written(tmp_path: Path) -> None:
    registry.write(timed(1305031102.175304, 1305031102.275326, 1305031101.5), tmp_path / "a.tum")
    words = [line.split()[0] for line in (tmp_path / "a.tum").read_text("ascii").splitlines() if line[0] != "#"]
    assert words == ["1305031101.500000", "1305031102.175304", "1305031102.275326"]


def test_photographs_without_a_time_are_numbered(tmp_path: Path) -> None:
    registry.write(timed(5.0, None, 7.0), tmp_path / "a.tum")
    assert np.loadtxt(tmp_path / "a.tum")[:, 0].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="no path"):
        registry.write(timed(), tmp_path / "b.tum")
    assert not (tmp_path / "b.tum").exists()


def seen_by_nerfstudio(document: dict[str, Any], frame: dict[str, Any], xyz: np.ndarray) -> np.ndarray:
    """Pixels of world points, as its documentation has it: camera to world, OpenGL axes, pixel centres at a half."""
    lens = document | frame
    camera_from_world = np.linalg.inv(np.array(frame["transform_matrix"]))
    local = xyz @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    x, y = local[:, 0] / -local[:, 2], -local[:, 1] / -local[:, 2]
    return np.stack([lens["fl_x"] * x + lens["cx"], lens["fl_y"] * y + lens["cy"]], 1)


@pytest.mark.parametrize("count", [11, 12])
def test_points_of_the_cloud_are_seen_where_they_were(tmp_path: Path, count: int) -> None:
    """With one lens for all (eleven views), and with two (twelve)."""
    ours = rooms.reconstruction()
    ours = dataclasses.replace(ours, views=ours.views[:count])
    registry.write(ours, tmp_path / "a.nerfstudio")
    folder = tmp_path / "a.nerfstudio"
    document = json.loads((folder / "transforms.json").read_text("utf-8"))
    assert document["camera_model"] == "OPENCV"
    assert ("fl_x" in document) == (count == 11)
    cloud: Any = trimesh.load(folder / document["ply_file_path"])
    xyz = np.asarray(cloud.vertices)
    np.testing.assert_array_equal(np.asarray(cloud.colors)[:, :3], ours.points.colors)
    assert xyz[:, 2].min() > -1e-5 and 2 < xyz[:, 2].max() < rooms.HIGH + 1e-5  # z is up, and the floor is at zero
    assert len(document["frames"]) == count
    for number, frame in enumerate(document["frames"]):
        lens = document | frame
        assert {"fl_x", "fl_y", "cx", "cy", "w", "h", "k1", "k2", "p1", "p2"} <= lens.keys()
        with Pil.open(folder / frame["file_path"]) as picture:
            assert picture.size == (lens["w"], lens["h"])
        seen = ours.points.view == number
        found = seen_by_nerfstudio(document, frame, xyz[ours.points.point[seen]])
        np.testing.assert_allclose(found, ours.points.pixel[seen], atol=2e-3)
        assert np.linalg.det(np.array(frame["transform_matrix"])[:3, :3]) == pytest.approx(1)


def test_masks_are_named_in_each_frame(tmp_path: Path) -> None:
    ours = rooms.reconstruction()
    kept = np.eye(*rooms.SIZE.shape, dtype=bool)
    still = dataclasses.replace(ours.views[0].still, mask=lambda: kept)
    ours = dataclasses.replace(ours, views=(dataclasses.replace(ours.views[0], still=still), ours.views[1]))
    registry.write(ours, tmp_path / "a.nerfstudio")
    frames = json.loads((tmp_path / "a.nerfstudio" / "transforms.json").read_text("utf-8"))["frames"]
    first, second = (np.asarray(Pil.open(tmp_path / "a.nerfstudio" / frame["mask_path"])) for frame in frames)
    np.testing.assert_array_equal(first, kept * 255)
    assert second.min() == 255


@pytest.mark.parametrize("name", ["a.tum", "a.colmap", "a.nerfstudio"])
def test_what_holds_cameras_is_not_asked_of_one_picture(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cameras of many pictures"):
        format_of_picture(Path(name))
    with pytest.raises(InputError, match="holds a Reconstruction"):
        registry.write(rooms.scene(), tmp_path / name)
    with pytest.raises(InputError, match="holds a Scene"):
        registry.write(rooms.reconstruction(), tmp_path / "a.glb")


def test_metres_that_were_assumed_are_said_to_be(tmp_path: Path) -> None:
    ours = rooms.reconstruction()
    for scale, word in (
        (Scale("assumed", 0.2, 6.0, 0.9, "a rule"), "assumed (0.2 to 6 times are true)"),
        (Scale("known-length", 0.99, 1.01, 0.9, "1 m"), "in metres\n"),
        (None, "a unit of its own"),
    ):
        registry.write(dataclasses.replace(ours, scale=scale), tmp_path / "a.tum", registry.ExportOptions(force=True))
        assert word in (tmp_path / "a.tum").read_text("ascii")
