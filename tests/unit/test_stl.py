"""STL: closed bodies in millimetres, z up; open sheets are refused before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

import mutate
import scenes
from unflat.errors import InputError
from unflat.formats import stl
from unflat.formats.registry import ExportOptions
from unflat.formats.solid import check_solid, volume, welded
from unflat.types import Mesh, Node, Scene

OPTIONS = ExportOptions()


def ball(radius: float = 0.05, at: tuple[float, float, float] = (0.02, -0.03, 0.4)) -> Mesh:
    body = trimesh.creation.icosphere(2, radius)
    return Mesh((body.vertices + at).astype(np.float32), body.faces.astype(np.uint32))


def mesh_of(scene: Scene) -> Mesh:
    (node,) = scene.nodes
    assert isinstance(node.item, Mesh)
    return node.item


def written(folder: Path, *bodies: Mesh) -> Path:
    path = folder / "body.stl"
    stl.write(scenes.scene_of(*(Node(f"body {i}", body) for i, body in enumerate(bodies))), path, OPTIONS)
    return path


def test_others_read_a_watertight_body_in_millimetres_with_z_up(tmp_path: Path) -> None:
    path = written(tmp_path, ball())
    loaded = trimesh.load(path)
    assert loaded.is_watertight and loaded.is_winding_consistent
    assert loaded.volume == pytest.approx(volume(ball()) * 1e9, rel=1e-5)
    # The ball stands at x = 20 mm, 30 mm above the camera (y is down), 400 mm in front of it.
    np.testing.assert_allclose(loaded.bounds.mean(axis=0), [20, 400, 30], atol=0.5)
    head = path.read_bytes()[:80]
    assert head.startswith(b"unflat ") and b"unit mm" in head


def test_it_comes_back_with_its_story(tmp_path: Path) -> None:
    scene = scenes.scene_of(Node("relief", ball()))
    path = tmp_path / "body.stl"
    stl.write(scene, path, OPTIONS)
    read = stl.read(path)
    assert read.provenance == scene.provenance and read.scale == scene.scale and read.nodes[0].name == "relief"
    ours, theirs = ball(), mesh_of(read)
    assert len(theirs.vertices) == len(ours.vertices)
    np.testing.assert_allclose(theirs.vertices[theirs.faces], ours.vertices[ours.faces], atol=1e-7)
    check_solid(theirs, "again")


def test_the_story_of_a_foreign_sidecar_is_not_believed(tmp_path: Path) -> None:
    path = written(tmp_path, ball())
    assert json.loads((tmp_path / "body.stl.json").read_text())["unit"] == "millimetre"
    (tmp_path / "body.stl.json").write_text("[]")
    assert stl.read(path).scale.assumed


def test_several_bodies_become_one_list(tmp_path: Path) -> None:
    path = written(tmp_path, ball(), ball(at=(1, 0, 1)))
    assert trimesh.load(path).body_count == 2


def without_last(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.faces[:-1])


def one_turned(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, np.concatenate([mesh.faces[:-1], mesh.faces[-1:, ::-1]]))


def inside_out(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, mesh.faces[:, ::-1])


def twice(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, np.concatenate([mesh.faces, mesh.faces]))


def flat_triangle(mesh: Mesh) -> Mesh:
    return Mesh(mesh.vertices, np.concatenate([mesh.faces, np.zeros((1, 3), np.uint32)]))


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (without_last, "open"),
        (one_turned, "open surface, or parts"),
        (inside_out, "inside out"),
        (twice, "more than two"),
        (flat_triangle, "without area"),
    ],
)
def test_what_is_no_body_is_refused_with_a_hint(tmp_path: Path, spoil, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        written(tmp_path, spoil(ball()))
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_sheets_points_and_skies_are_refused(tmp_path: Path) -> None:
    for scene in (scenes.textured_scene(), scenes.cloud_scene(), scenes.scene_of(Node("sky", ball(), "sky"))):
        with pytest.raises(InputError):
            stl.write(scene, tmp_path / "x.stl", OPTIONS)


def test_a_body_whose_triangles_share_no_vertices_is_still_closed() -> None:
    body = ball()
    loose = body.vertices[body.faces].reshape(-1, 3)
    check_solid(Mesh(loose, np.arange(len(loose), dtype=np.uint32).reshape(-1, 3)), "loose")


@given(st.lists(st.tuples(*[st.sampled_from([0.0, -0.0, 1.0, 1.5, -2.0])] * 3), min_size=3, max_size=60))
def test_welding_agrees_with_a_dictionary(points: list[tuple[float, float, float]]) -> None:
    corners = np.array(points[: len(points) // 3 * 3], np.float32)
    vertices, faces = welded(corners)
    seen: dict[tuple[float, ...], int] = {}
    slow = [seen.setdefault(tuple(c), len(seen)) for c in corners.tolist()]
    np.testing.assert_array_equal(faces.reshape(-1), slow)
    np.testing.assert_array_equal(vertices, np.array(list(seen), np.float32))


def test_text_files_of_others_are_read(tmp_path: Path) -> None:
    body = trimesh.creation.box((10, 20, 30))
    path = tmp_path / "text.stl"
    path.write_text(trimesh.exchange.stl.export_stl_ascii(body))
    mesh = mesh_of(stl.read(path))
    assert len(mesh.vertices) == 8
    assert volume(mesh) == pytest.approx(6e-6, rel=1e-5)


def test_a_binary_that_starts_with_solid_is_read(tmp_path: Path) -> None:
    data = bytearray(written(tmp_path, ball()).read_bytes())
    data[:5] = b"solid"
    path = tmp_path / "solid.stl"
    path.write_bytes(data)
    assert len(mesh_of(stl.read(path)).faces) == len(ball().faces)


TEXT = (
    b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid\n"
)
FOUL = {
    "empty": (b"", "not an STL"),
    "garbage": (b"\x89PNG" * 40, "not an STL"),
    "two billion": (b" " * 80 + b"\xff\xff\xff\x7f" + bytes(500), "not an STL"),
    "none": (b" " * 80 + bytes(4), "no triangles"),
    "nan": (b" " * 80 + b"\x01\0\0\0" + b"\xff" * 50, "impossible"),
    "text without triangles": (b"solid x\nendsolid x\n", "no triangles"),
    "text cut": (TEXT[:70], "cut off"),
    "text with words": (TEXT.replace(b"1 0 0", b"one 0 0"), "not a number"),
    "text with inf": (TEXT.replace(b"1 0 0", b"1e999 0 0"), "impossible"),
}


@pytest.mark.parametrize("case", FOUL)
def test_foul_files_are_refused(tmp_path: Path, case: str) -> None:
    data, match = FOUL[case]
    mutate.refused(stl.read, tmp_path / "foul.stl", data, match)


def test_damaged_copies_never_break_the_reader(tmp_path: Path) -> None:
    mutate.survives(stl.read, tmp_path / "broken.stl", written(tmp_path, ball()).read_bytes())
    mutate.survives(stl.read, tmp_path / "broken.stl", TEXT * 5)
