"""Splat PLY: the plain columns in the customary order, and nothing a viewer could stumble over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mutate
import scenes
from unflat.errors import InputError
from unflat.formats import splats as door
from unflat.formats.registry import ExportOptions
from unflat.geometry.transform import quaternion_from_rotation
from unflat.types import Node, Scene, Splats

OPTIONS = ExportOptions()
COLUMNS = [*"xyz", *(f"f_dc_{i}" for i in range(3)), "opacity"]
COLUMNS += [*(f"scale_{i}" for i in range(3)), *(f"rot_{i}" for i in range(4))]


def written(scene: Scene, folder: Path) -> Path:
    path = folder / "scene.splat.ply"
    door.write(scene, path, OPTIONS)
    return path


def splats_of(scene: Scene) -> Splats:
    (node,) = scene.nodes
    assert isinstance(node.item, Splats)
    return node.item


def test_the_columns_mean_what_the_reference_code_means(tmp_path: Path) -> None:
    ours = splats_of(scenes.splat_scene())
    data = written(scenes.splat_scene(), tmp_path).read_bytes()
    head, body = data.split(b"end_header\n", 1)
    lines = head.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    tail = [line for line in lines[2:] if not line.startswith("comment ")]
    assert tail == [f"element vertex {len(ours.means)}", *(f"property float {name}" for name in COLUMNS)]
    assert len(head) < 60_000, "Spark looks for the end of the header in the first 64 KB"
    rows = np.frombuffer(body, "<f4").reshape(-1, 14).astype(np.float64)
    np.testing.assert_array_equal(rows[:, :3], ours.means)
    np.testing.assert_allclose(rows[:, 3:6] * 0.28209479177387814 + 0.5, ours.colors, atol=1e-6)
    np.testing.assert_allclose(1 / (1 + np.exp(-rows[:, 6])), ours.opacities, atol=1e-6)
    np.testing.assert_allclose(np.exp(rows[:, 7:10]), ours.scales, rtol=1e-5)
    np.testing.assert_allclose(rows[:, 10:], ours.quaternions, atol=1e-6)


def test_it_comes_back(tmp_path: Path) -> None:
    scene = scenes.splat_scene()
    read = door.read(written(scene, tmp_path))
    assert read.provenance == scene.provenance and read.scale == scene.scale
    ours, theirs = splats_of(scene), splats_of(read)
    np.testing.assert_array_equal(theirs.means, ours.means)
    for name in ("scales", "quaternions", "opacities", "colors"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-5, atol=1e-6)


def test_opacities_of_zero_and_one_have_a_finite_logit(tmp_path: Path) -> None:
    plain = splats_of(scenes.splat_scene())
    ends = np.tile(np.array([0, 1], np.float32), 100)
    scene = scenes.scene_of(Node("s", Splats(plain.means, plain.scales, plain.quaternions, ends, plain.colors)))
    np.testing.assert_allclose(splats_of(door.read(written(scene, tmp_path))).opacities, ends, atol=2e-6)


def test_several_nodes_become_one_table(tmp_path: Path) -> None:
    scene = scenes.scene_of(Node("a", scenes.splats(3)), Node("sky", scenes.splats(4), "sky"))
    assert len(splats_of(door.read(written(scene, tmp_path))).means) == 7


@given(hnp.arrays(np.float64, (5, 4), elements=st.floats(-1, 1)), st.integers(0, 3))
def test_turning_splats_turns_their_ellipsoids(q: np.ndarray, axis: int) -> None:
    q = q + np.array([2, 0, 0, 0])
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    turn = np.eye(3) if axis == 3 else -np.eye(3) + 2 * np.diag(np.eye(3)[axis])
    scales = np.tile(np.float32([0.1, 0.2, 0.3]), (5, 1))
    before = Splats(scales, scales, q.astype(np.float32), np.ones(5, np.float32), scales)
    after = door.turned_splats(turn, before)
    np.testing.assert_allclose(covariance(after), turn @ covariance(before) @ turn.T, atol=1e-6)
    np.testing.assert_allclose(after.means, before.means @ turn.T, atol=1e-6)
    assert (after.quaternions[:, 0] >= 0).all()


def covariance(splats: Splats) -> np.ndarray:
    """(n, 3, 3), by trimesh's own reading of w x y z."""
    r = np.stack([trimesh.transformations.quaternion_matrix(q)[:3, :3] for q in splats.quaternions.astype(float)])
    assert np.allclose(np.abs(quaternion_from_rotation(r[0]) @ splats.quaternions[0]), 1, atol=1e-5)
    return (r * splats.scales.astype(float)[:, None] ** 2) @ r.transpose(0, 2, 1)


def test_no_splats_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no splats"):
        door.write(scenes.textured_scene(), tmp_path / "x.splat.ply", OPTIONS)
    assert not list(tmp_path.iterdir())


def test_foreign_files_with_more_columns_are_read(tmp_path: Path) -> None:
    names = ["x", "y", "z", "nx", "ny", "nz", *COLUMNS[3:6], "f_rest_0", *COLUMNS[6:]]
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 1\n" + "".join(f"property float {n}\n" for n in names)
    row = np.array([1, 2, 3, 0, 0, 0, 0, 0, 0, 9, 0, -3, -3, -3, 2, 0, 0, 0], "<f4")
    more = "element extrinsic 16\nproperty float extrinsic\n"
    path = tmp_path / "foreign.ply"
    path.write_bytes((head + more + "end_header\n").encode() + row.tobytes() + np.eye(4, dtype="<f4").tobytes())
    scene = door.read(path)
    found = splats_of(scene)
    np.testing.assert_allclose(found.quaternions, [[1, 0, 0, 0]])
    np.testing.assert_allclose(found.opacities, 0.5)
    assert any("change with the view" in warning for warning in scene.provenance.warnings)


@pytest.mark.parametrize(
    ("column", "value"),
    [("x", np.nan), ("scale_0", 1e30), ("opacity", np.nan), ("f_dc_1", np.inf), ("rot_0", np.nan), ("rot_0", 0.0)],
)
def test_impossible_numbers_are_refused(tmp_path: Path, column: str, value: float) -> None:
    row = np.zeros(14, "<f4")
    row[10] = 1
    row[COLUMNS.index(column)] = value
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 1\n" + "".join(
        f"property float {n}\n" for n in COLUMNS
    )
    mutate.refused(door.read, tmp_path / "x.ply", (head + "end_header\n").encode() + row.tobytes(), "impossible")


def test_packed_and_plain_meshes_are_refused(tmp_path: Path) -> None:
    packed = (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty uint packed_position\nend_header\n"
        + b"0" * 4
    )
    mutate.refused(door.read, tmp_path / "x.ply", packed, "does not hold")
    lists = b"ply\nformat ascii 1.0\nelement vertex 1\n" + b"".join(
        b"property list uchar float %s\n" % n.encode() for n in COLUMNS
    )
    mutate.refused(door.read, tmp_path / "x.ply", lists + b"end_header\n" + b"0 " * 14, "not lists")


def test_damaged_copies_never_break_the_reader(tmp_path: Path) -> None:
    data = written(scenes.splat_scene(), tmp_path).read_bytes()
    mutate.survives(door.read, tmp_path / "broken.ply", data)
