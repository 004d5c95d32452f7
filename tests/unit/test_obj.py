"""OBJ: three files or none, other people's readers, other people's files, and names that try to leave the folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

import mutate
import scenes
from unflat.errors import InputError, OutputError
from unflat.formats import obj
from unflat.formats.obj_text import materials, parse_obj
from unflat.formats.registry import ExportOptions
from unflat.types import Mesh, Node, Scene

OPTIONS = ExportOptions()


def written(scene: Scene, folder: Path, name: str = "scene.obj") -> Path:
    path = folder / name
    obj.write(scene, path, OPTIONS)
    return path


def mesh_of(scene: Scene, at: int = 0) -> Mesh:
    item = scene.nodes[at].item
    assert isinstance(item, Mesh)
    return item


def text_of(folder: Path, text: str, name: str = "foreign.obj") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", scenes.MESH_SCENES)
def test_meshes_come_back(tmp_path: Path, name: str) -> None:
    scene = scenes.MESH_SCENES[name]()
    read = obj.read(written(scene, tmp_path))
    assert [(n.name, n.role) for n in read.nodes] == [(n.name, n.role) for n in scene.nodes]
    assert read.provenance == scene.provenance and read.scale == scene.scale
    for at in range(len(scene.nodes)):
        ours, theirs = mesh_of(scene, at), mesh_of(read, at)
        np.testing.assert_array_equal(theirs.faces, ours.faces)
        np.testing.assert_allclose(theirs.vertices, ours.vertices, rtol=1e-7)
        if ours.colors is not None:
            np.testing.assert_array_equal(theirs.colors, ours.colors)
        if ours.texture is not None:
            np.testing.assert_allclose(theirs.uv, ours.uv, atol=1e-6)
            assert theirs.texture is not None and theirs.texture.size == ours.texture.size
            assert (theirs.texture.alpha is None) == (ours.texture.alpha is None)


def test_trimesh_sees_it_upright_with_its_picture(tmp_path: Path) -> None:
    scene = scenes.textured_scene()
    loaded = trimesh.load(written(scene, tmp_path), process=False)
    ours = mesh_of(scene)
    np.testing.assert_allclose(loaded.vertices, ours.vertices * [1, -1, -1], rtol=1e-6)
    np.testing.assert_array_equal(loaded.faces, ours.faces)
    colors = loaded.visual.to_color().vertex_colors
    above = colors[loaded.vertices[:, 1] > 0.5].mean(axis=0)
    assert above[2] > above[0], "the blue of the picture hangs above"


def test_trimesh_sees_colours_at_the_vertices(tmp_path: Path) -> None:
    scene = scenes.coloured_scene()
    loaded = trimesh.load(written(scene, tmp_path), process=False)
    np.testing.assert_allclose(loaded.visual.vertex_colors[:, :3], mesh_of(scene).colors, atol=1)
    assert [p.name for p in tmp_path.iterdir()] == ["scene.obj"], "no picture, no side files"


def test_side_files_have_names_without_blanks_and_never_collide(tmp_path: Path) -> None:
    for name in ("my café.obj", "my_caf_.obj", "my caf .obj"):
        path = written(scenes.textured_scene(), tmp_path, name)
        assert mesh_of(obj.read(path)).texture is not None
        assert trimesh.load(path, process=False).visual.material.image is not None
    names = [p.name for p in tmp_path.iterdir()]
    assert len(names) == 9
    assert all(p.isascii() and " " not in p for p in names if not p.endswith(".obj"))


def test_two_textures_make_two_pictures_and_one_texture_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    written(scenes.sky_scene(), tmp_path / "one")
    assert len(list((tmp_path / "one").iterdir())) == 3
    two = scenes.scene_of(
        Node("a", scenes.sheet()), Node("b", scenes.sheet(distance=3)), Node("c", scenes.coloured_sheet())
    )
    read = obj.read(written(two, tmp_path / "two"))
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == [
        "scene.mtl",
        "scene.obj",
        "scene.obj-2.jpg",
        "scene.obj.jpg",
    ]
    assert [mesh_of(read, i).texture is None for i in range(3)] == [False, False, True]


def test_an_existing_side_file_stops_it_whole(tmp_path: Path) -> None:
    (tmp_path / "scene.obj.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        written(scenes.textured_scene(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["scene.obj.jpg"]
    assert (tmp_path / "scene.obj.jpg").read_bytes() == b"mine"


def test_nothing_but_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no mesh"):
        written(scenes.cloud_scene(), tmp_path)


ORDINARY = """# made elsewhere
mtllib missing.mtl
o box
v 0 0 0
v 1 0 0 1.0
v 1 1 0
v 0 1 0
vt 0 0
vn 0 0 1
usemtl red
s off
f -4 -3 -2 -1
f 1/1 2/1 3/1
g other
f 1//1 2//1 \\
3//1
l 1 2
f 1 2
"""


def test_ordinary_files_are_read(tmp_path: Path) -> None:
    scene = obj.read(text_of(tmp_path, ORDINARY))
    assert [node.name for node in scene.nodes] == ["box", "other"]
    box, other = mesh_of(scene, 0), mesh_of(scene, 1)
    assert len(box.faces) == 3 and box.uv is None and box.normals is None
    np.testing.assert_allclose(other.normals, [[0, 0, -1]] * 3)
    np.testing.assert_allclose(box.vertices[box.faces[0]], [[0, 0, 0], [1, 0, 0], [1, -1, 0]])
    assert any("missing.mtl" in warning for warning in scene.provenance.warnings)
    assert scene.scale.assumed


def test_lines_may_end_as_they_like(tmp_path: Path) -> None:
    for end in ("\n", "\r\n"):
        (tmp_path / "a.obj").write_bytes(ORDINARY.replace("\n", end).encode())
        assert len(obj.read(tmp_path / "a.obj").nodes) == 2


@given(st.lists(st.integers(3, 7), min_size=1, max_size=12), st.booleans())
def test_polygons_become_fans_with_either_sign_of_index(lengths: list[int], negative: bool) -> None:
    points = "".join(f"v {i} {i * i} 0\n" for i in range(8))
    corner = (lambda i: i - 8) if negative else (lambda i: i + 1)
    faces = "".join("f " + " ".join(str(corner(i)) for i in range(n)) + "\n" for n in lengths)
    (part,) = parse_obj((points + faces).encode(), "x").parts
    expected = [(0, i, i + 1) for n in lengths for i in range(1, n - 1)]
    np.testing.assert_array_equal(part.vertices[part.faces][..., 0], expected)


def test_texture_options_and_blanks_in_names_are_understood() -> None:
    text = b"newmtl a\nmap_Kd -s 1 1 1 -clamp on my picture.png\nnewmtl b c\nmap_kd x.jpg\n"
    text += b"newmtl d\nKd 1 1 1\nmap_Kd -s 1\n"
    assert materials(text) == {"a": "my picture.png", "b c": "x.jpg"}


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "/etc/passwd", "..", ".", "sub/x.jpg", "..\\x.jpg", "C:x.jpg", "a\0b"]
)
def test_pictures_outside_the_folder_are_not_opened(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    for place in (tmp_path / "secret.jpg", home / "sub" / "x.jpg", tmp_path / "x.jpg"):
        place.write_bytes(b"not to be read")
    (home / "a.mtl").write_text(f"newmtl m\nmap_Kd {name}\n")
    path = text_of(home, "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl m\nf 1/1 2/1 3/1\n")
    scene = obj.read(path)
    assert mesh_of(scene).texture is None
    assert any("not found" in warning for warning in scene.provenance.warnings)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "a.mtl").write_text("newmtl m\nmap_Kd x.jpg\n")
    (home / "a.mtl").symlink_to(tmp_path / "a.mtl")
    path = text_of(home, "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert any("a.mtl" in warning for warning in obj.read(path).provenance.warnings)


TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
FOUL = {
    "empty": ("", "no triangles"),
    "garbage": ("\x01\x02" * 100, "no triangles"),
    "no faces": (TRIANGLE, "no triangles"),
    "far corner": (TRIANGLE + "f 1 2 4\n", "not there"),
    "far picture corner": (TRIANGLE + "f 1/1 2/1 3/1\n", "not there"),
    "corner zero": (TRIANGLE + "f 0 1 2\n", "no sense"),
    "far back": (TRIANGLE + "f -4 1 2\n", "no sense"),
    "words": (TRIANGLE + "f a b c\n", "no sense"),
    "endless corner": (TRIANGLE + f"f {'9' * 5000} 1 2\n", "no sense"),
    "four fields": (TRIANGLE + "f 1/1/1/1 2 3\n", "no sense"),
    "short vertex": ("v 0 0\n" + TRIANGLE + "f 1 2 3\n", "not a number"),
    "no number": (TRIANGLE.replace("1", "one") + "f 1 2 3\n", "not a number"),
    "inf": (TRIANGLE.replace("1", "inf") + "f 1 2 3\n", "finite"),
    "many objects": (TRIANGLE + "".join(f"o {i}\nf 1 2 3\n" for i in range(10_001)), "more than"),
    "damaged story": ("# unflat-json |{|\n" + TRIANGLE + "f 1 2 3\n", "damaged"),
}


@pytest.mark.parametrize("case", FOUL)
def test_foul_files_are_refused(tmp_path: Path, case: str) -> None:
    text, match = FOUL[case]
    mutate.refused(obj.read, tmp_path / "foul.obj", text.encode(), match)


def test_a_damaged_picture_is_refused(tmp_path: Path) -> None:
    path = written(scenes.textured_scene(), tmp_path)
    (tmp_path / "scene.obj.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    with pytest.raises(InputError, match="picture"):
        obj.read(path)


def test_damaged_copies_never_break_the_reader(tmp_path: Path) -> None:
    data = written(scenes.coloured_scene(), tmp_path).read_bytes()
    mutate.survives(obj.read, tmp_path / "broken.obj", data, count=150)
    mutate.survives(obj.read, tmp_path / "broken.obj", ORDINARY.encode())
