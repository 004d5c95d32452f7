"""PLY: what we write, what others read of it, what others write, and what nobody should have written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

import mutate
import scenes
from unflat.errors import InputError, OutputError
from unflat.formats import ply
from unflat.formats.merge import merged, sampled
from unflat.formats.registry import ExportOptions
from unflat.types import Image, Mesh, Node, PointCloud, Provenance, Scene, Source, Splats

OPTIONS = ExportOptions()
QUAD = (
    "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    "{more}end_header\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n"
)
FACE = "element face 1\nproperty list uchar int vertex_indices\n"


def written(scene: Scene, folder: Path) -> Path:
    path = folder / "scene.ply"
    ply.write(scene, path, OPTIONS)
    return path


def mesh_of(scene: Scene) -> Mesh:
    (node,) = scene.nodes
    assert isinstance(node.item, Mesh)
    return node.item


def test_a_coloured_mesh_comes_back_exactly(tmp_path: Path) -> None:
    scene = scenes.coloured_scene()
    ours, theirs = mesh_of(scene), mesh_of(ply.read(written(scene, tmp_path)))
    for name in ("vertices", "faces", "normals", "colors", "confidence", "invented"):
        np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))


def test_others_see_it_upright_and_coloured(tmp_path: Path) -> None:
    scene = scenes.textured_scene()
    loaded = trimesh.load(written(scene, tmp_path), process=False)
    np.testing.assert_array_equal(loaded.vertices, mesh_of(scene).vertices * [1, -1, -1])
    np.testing.assert_array_equal(loaded.faces, mesh_of(scene).faces)
    assert loaded.visual.kind == "vertex"
    top = loaded.visual.vertex_colors[loaded.vertices[:, 1] > 0.5].mean(axis=0)
    assert top[2] > top[0], "the blue of the picture hangs above"


def test_the_sky_is_left_out_and_the_rest_is_merged(tmp_path: Path) -> None:
    whole = scenes.scene_of(*scenes.sky_scene().nodes, Node("points", scenes.cloud(50)))
    read = ply.read(written(whole, tmp_path))
    mesh = mesh_of(read)
    front = scenes.sheet()
    assert len(mesh.vertices) == len(front.vertices) + 50
    np.testing.assert_array_equal(mesh.faces, front.faces)
    assert mesh.vertices[:, 2].max() < 10, "the sky stands at 100 m"
    assert mesh.confidence is not None and mesh.normals is None, "points have no normals here"


def test_a_scene_of_nothing_but_splats_becomes_a_splat_ply(tmp_path: Path) -> None:
    (node,) = ply.read(written(scenes.splat_scene(), tmp_path)).nodes
    assert isinstance(node.item, Splats)


def test_header_lines_end_the_same_everywhere_and_stay_short(tmp_path: Path) -> None:
    data = written(scenes.textured_scene(), tmp_path).read_bytes()
    head = data[: data.index(b"end_header\n") + 11]
    assert b"\r" not in head and head.isascii()
    assert max(map(len, head.split(b"\n"))) < 256


def test_hostile_words_in_the_provenance_cannot_end_the_header(tmp_path: Path) -> None:
    scene = scenes.textured_scene()
    name = "end_header\nelement vertex 9\n" + "end_header" * 200 + "\r\n|  "
    story = Provenance((Source(name, None, "png"),), (), "0", False, ("end_header",))
    scene = Scene(scene.nodes, (), scene.frame, scene.scale, story)
    path = written(scene, tmp_path)
    read = ply.read(path)
    assert read.provenance.warnings == ("end_header",)
    assert len(trimesh.load(path, process=False).vertices) == len(mesh_of(scene).vertices)
    lines = path.read_bytes().split(b"element vertex 117")[0].split(b"\n")
    assert not any(line.endswith(b"end_header") for line in lines)


def test_a_story_longer_than_a_header_is_shortened_and_says_so(tmp_path: Path) -> None:
    scene = scenes.textured_scene()
    sources = tuple(Source(f"picture {i:05d}.jpg", "ab" * 32, "jpeg") for i in range(2000))
    story = Provenance(sources, scene.provenance.steps, "0.1.0", False)
    path = written(Scene(scene.nodes, (), scene.frame, scene.scale, story), tmp_path)
    assert path.read_bytes().index(b"end_header\n") < 60_000
    read = ply.read(path)
    assert 100 < len(read.provenance.sources) < 2000
    assert read.provenance.steps == scene.provenance.steps
    assert b'"left_out":' in path.read_bytes()


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_trimesh_files_are_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    body = trimesh.creation.icosphere(2, 0.5)
    body.visual.vertex_colors = np.random.default_rng(1).integers(0, 256, (len(body.vertices), 4), dtype=np.uint8)
    path = tmp_path / "foreign.ply"
    if encoding == "binary_big_endian":
        path.write_bytes(big_endian(body))
    else:
        body.export(path, encoding="ascii" if encoding == "ascii" else "binary")
    scene = ply.read(path)
    np.testing.assert_allclose(mesh_of(scene).vertices * [1, -1, -1], body.vertices, atol=1e-6)
    np.testing.assert_array_equal(mesh_of(scene).faces, body.faces)
    assert scene.scale.assumed and scene.provenance.sources[0].name == "foreign.ply"


def big_endian(body: trimesh.Trimesh) -> bytes:
    head = (
        "ply\r\nformat binary_big_endian 1.0\r\nobj_info x\r\nelement camera 1\r\nproperty list uchar float f\r\n"
        f"element face {len(body.faces)}\r\nproperty uchar flag\r\nproperty list ushort uint vertex_index\r\n"
        f"element vertex {len(body.vertices)}\r\nproperty double z\r\nproperty short q\r\nproperty double y\r\n"
        "property double x\r\nend_header\r\n"
    )
    faces = np.zeros(len(body.faces), [("flag", "u1"), ("n", ">u2"), ("v", ">u4", 3)])
    faces["n"], faces["v"] = 3, body.faces
    rows = np.zeros(len(body.vertices), [("z", ">f8"), ("q", ">i2"), ("y", ">f8"), ("x", ">f8")])
    for i, name in enumerate("xyz"):
        rows[name] = body.vertices[:, i]
    return head.encode() + b"\x02" + b"\x00" * 8 + faces.tobytes() + rows.tobytes()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.booleans())
def test_polygons_become_fans_in_their_order(lengths: list[int], text: bool) -> None:
    corners = [list(range(n)) for n in lengths]
    fans = [(0, i, i + 1) for face in corners for i in range(1, len(face) - 1)]
    head = (
        f"ply\nformat {'ascii' if text else 'binary_little_endian'} 1.0\nelement vertex 6\nproperty float x\n"
        f"property float y\nproperty float z\nelement face {len(lengths)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    ).encode()
    points = np.arange(18, dtype="<f4")
    if text:
        body = " ".join(map(str, points)).encode() + b"\n"
        body += b"\n".join(" ".join(map(str, [len(face), *face])).encode() for face in corners)
    else:
        body = points.tobytes()
        body += b"".join(bytes([len(face)]) + np.array(face, "<i4").tobytes() for face in corners)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fan.ply"
        path.write_bytes(head + body)
        (node,) = ply.read(path).nodes
    if fans:
        assert isinstance(node.item, Mesh)
        assert [tuple(face) for face in node.item.faces.tolist()] == fans
    else:
        assert isinstance(node.item, PointCloud)


def test_floating_and_wide_colours_are_brought_to_bytes(tmp_path: Path) -> None:
    rows = "0 0 0 1 0.5 0\n1 0 0 0 0 1\n"
    head = "ply\nformat ascii 1.0\nelement vertex 2\n" + "".join(f"property float {n}\n" for n in "xyz")
    path = tmp_path / "c.ply"
    path.write_text(head + "".join(f"property float {n}\n" for n in ("red", "green", "blue")) + "end_header\n" + rows)
    (node,) = ply.read(path).nodes
    assert isinstance(node.item, PointCloud) and node.item.colors is not None
    np.testing.assert_array_equal(node.item.colors, [[255, 128, 0], [0, 0, 255]])


def test_sampling_a_texture_gives_pixel_centres_exactly() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    v, u = np.meshgrid((np.arange(5) + 0.5) / 5, (np.arange(7) + 0.5) / 7, indexing="ij")
    uv = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)
    np.testing.assert_array_equal(sampled(Image(pixels), uv).reshape(5, 7, 3), pixels)
    np.testing.assert_array_equal(
        sampled(Image(pixels), np.array([[9, 9], [-1, -1]], np.float32)), pixels[[4, 0], [6, 0]]
    )


def test_nothing_to_write_is_said(tmp_path: Path) -> None:
    sky = scenes.sky_scene().nodes[1]
    with pytest.raises(InputError, match="no surface"):
        merged(scenes.scene_of(sky))
    with pytest.raises(InputError, match="no surface"):
        ply.write(scenes.scene_of(), tmp_path / "x.ply", OPTIONS)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = written(scenes.cloud_scene(), tmp_path)
    with pytest.raises(OutputError):
        ply.write(scenes.cloud_scene(), path, OPTIONS)
    ply.write(scenes.cloud_scene(), path, ExportOptions(force=True))
    assert [p.name for p in tmp_path.iterdir()] == ["scene.ply"]


FOUL = {
    "empty": (b"", "not a PLY"),
    "not a ply": (b"PK\x03\x04" * 50, "not a PLY"),
    "no end": (b"ply\nformat ascii 1.0\n", "not a PLY"),
    "one endless line": (b"ply\n" + b"a" * (3 << 20), "not a PLY"),
    "no format": (b"ply\nelement vertex 0\nend_header\n", "damaged"),
    "two formats": (b"ply\nformat ascii 1.0\nformat ascii 1.0\nend_header\n", "damaged"),
    "a billion": (QUAD.replace("vertex 4", "vertex 1000000000").format(more="").encode(), "shorter"),
    "more digits than int": (QUAD.replace("vertex 4", f"vertex {'9' * 5000}").format(more="").encode(), "damaged"),
    "negative": (QUAD.replace("vertex 4", "vertex -4").format(more="").encode(), "damaged"),
    "unknown type": (QUAD.replace("float x", "quad x").format(more="").encode(), "damaged"),
    "twice x": (QUAD.replace("float y", "float x").format(more="").encode(), "damaged"),
    "no x": (QUAD.replace("float x", "float a").format(more="").encode(), "no vertices"),
    "words": (QUAD.format(more="").encode().replace(b"1 1 0", b"1 one 0"), "not a number"),
    "inf": (QUAD.format(more="").encode().replace(b"1 1 0", b"1 inf 0"), "finite"),
    "far face": ((QUAD.format(more=FACE) + "3 0 1 9\n").encode(), "not there"),
    "negative face": ((QUAD.format(more=FACE) + "3 0 1 -1\n").encode(), "not there"),
    "cut face": ((QUAD.format(more=FACE) + "3 0 1\n").encode(), "shorter"),
    "half a corner": ((QUAD.format(more=FACE) + "3 0 1 1.5e40\n").encode(), "fit"),
    "damaged story": (QUAD.format(more="comment unflat-json |{|\n").encode(), "damaged"),
    "cut story": (QUAD.format(more="comment unflat-json {\n").encode(), "damaged"),
    "story of a list": (QUAD.format(more="comment unflat-json |[1]|\n").encode(), "damaged"),
    "deep story": (QUAD.format(more=f"comment unflat-json |{'[' * 100000}|\n").encode(), "damaged"),
}


@pytest.mark.parametrize("case", FOUL)
def test_foul_files_are_refused(tmp_path: Path, case: str) -> None:
    data, match = FOUL[case]
    mutate.refused(ply.read, tmp_path / "foul.ply", data, match)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        ply.read(tmp_path / "no.ply")


@pytest.mark.parametrize("name", ["coloured", "cloud", "splats"])
def test_damaged_copies_never_break_the_reader(tmp_path: Path, name: str) -> None:
    data = written(scenes.SCENES[name](), tmp_path).read_bytes()
    mutate.survives(ply.read, tmp_path / "broken.ply", data)


def test_damaged_text_never_breaks_the_reader(tmp_path: Path) -> None:
    text = (QUAD.format(more=FACE + "property float q\n") + "4 0 1 2 3 0.5\n").encode()
    mutate.survives(ply.read, tmp_path / "broken.ply", text)
