"""What lies inside the glTF files we write."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh

import scenes
from unflat.errors import InputError, OutputError
from unflat.formats import glb
from unflat.formats.glb import glb_bytes, read
from unflat.formats.registry import ExportOptions, read_scene, write
from unflat.types import Image, Mesh, Node, PointCloud, Size

GLTF_SCENES = {name: make for name, make in scenes.SCENES.items() if name != "splats"}


def opened(data: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, total = struct.unpack_from("<III", data)
    assert (magic, version, total) == (0x46546C67, 2, len(data))
    length, kind = struct.unpack_from("<II", data, 12)
    assert kind == 0x4E4F534A and length % 4 == 0
    document = json.loads(data[20 : 20 + length])
    size, kind = struct.unpack_from("<II", data, 20 + length)
    assert kind == 0x004E4942 and size % 4 == 0 and 28 + length + size == len(data)
    return document, data[28 + length :]


def documents(name: str) -> tuple[dict[str, Any], bytes]:
    return opened(glb_bytes(GLTF_SCENES[name](), ExportOptions()))


def picture_bytes(document: dict[str, Any], binary: bytes, number: int = 0) -> bytes:
    view = document["bufferViews"][document["images"][number]["bufferView"]]
    return binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]


@pytest.mark.parametrize("name", GLTF_SCENES)
def test_same_scene_gives_same_bytes(name: str) -> None:
    assert glb_bytes(GLTF_SCENES[name](), ExportOptions()) == glb_bytes(GLTF_SCENES[name](), ExportOptions())


@pytest.mark.parametrize("name", GLTF_SCENES)
def test_layout_is_what_viewers_need(name: str) -> None:
    document, _ = documents(name)
    moves = document.get("animations", [])
    pointer = ["KHR_animation_pointer"] if "KHR_animation_pointer" in json.dumps(moves) else []
    assert sorted(document["extensionsUsed"]) == [*pointer, "KHR_materials_unlit", "KHR_xmp_json_ld"]
    assert "extensionsRequired" not in document
    for material in document["materials"]:
        assert material["doubleSided"] and material["extensions"] == {"KHR_materials_unlit": {}}
    timed = {sampler[end] for move in moves for sampler in move["samplers"] for end in ("input", "output")}
    for number, accessor in enumerate(document["accessors"]):
        target = document["bufferViews"][accessor["bufferView"]].get("target")
        assert target is None if number in timed else target in (34962, 34963)
    assert all(view["byteOffset"] % 4 == 0 for view in document["bufferViews"])
    assert all("matrix" not in node and ("rotation" not in node or "camera" in node) for node in document["nodes"])
    assert all(node["extras"]["role"] in ("surface", "sky") for node in document["nodes"] if "mesh" in node)


def test_picture_clamps_and_is_filtered() -> None:
    document, _ = documents("textured")
    assert document["samplers"] == [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}]


def test_asset_tells_the_whole_story() -> None:
    document, _ = documents("textured")
    asset = document["asset"]
    assert asset["generator"].startswith("unflat ")
    assert asset["copyright"] == "© 2024 Ada Ørsted; CC-BY-4.0"
    told = asset["extras"]["unflat"]
    assert told["frame"] == "camera-rdf" and told["kind"] == "metric"
    assert told["scale"] == {
        "basis": "known-length",
        "low": 0.98,
        "high": 1.03,
        "coverage": 0.9,
        "detail": "a door, 2.0 m",
        "assumed": False,
    }
    assert told["provenance"]["sources"][0]["sha256"] == "ab" * 32
    assert told["provenance"]["steps"][0]["options"] == {"size": 384, "refine": True}


def test_nothing_is_claimed_where_no_rights_are_stated() -> None:
    scene = scenes.textured_scene()
    silent = replace(scene.provenance, sources=(Image(np.zeros((1, 1, 3), np.uint8)).source,))
    document, _ = opened(glb_bytes(replace(scene, provenance=silent), ExportOptions()))
    assert "copyright" not in document["asset"]


def test_camera_carries_what_gltf_cannot_hold() -> None:
    document, _ = documents("sky")
    shifted = document["cameras"][1]
    intrinsics = scenes.camera(off_centre=True).intrinsics
    assert shifted["extras"]["cx"] == intrinsics.cx and shifted["extras"]["basis"] == "exif-35mm"
    assert shifted["perspective"]["yfov"] == pytest.approx(2 * np.arctan(32 / intrinsics.fy))
    assert shifted["perspective"]["aspectRatio"] == pytest.approx((96 / intrinsics.fx) / (64 / intrinsics.fy))


def test_camera_sees_the_picture_where_gltf_says() -> None:
    """Project with glTF's own rules (node transform, yfov, aspect): each vertex lands on its texture coordinate."""
    document, _ = documents("textured")
    mesh = scenes.sheet()
    node = next(n for n in document["nodes"] if "camera" in n)
    assert node["rotation"] == [0, 0, 0, 1] and node["translation"] == [0, 0, 0]
    view = document["cameras"][0]["perspective"]
    gl = mesh.vertices * [1, -1, -1]
    tangent = np.tan(view["yfov"] / 2)
    x_ndc = gl[:, 0] / -gl[:, 2] / (tangent * view["aspectRatio"])
    y_ndc = gl[:, 1] / -gl[:, 2] / tangent
    assert mesh.uv is not None
    np.testing.assert_allclose(np.stack([(x_ndc + 1) / 2, (1 - y_ndc) / 2], 1), mesh.uv, atol=1e-5)


def test_turned_camera_looks_where_it_looked() -> None:
    document, _ = documents("sky")
    node = next(n for n in document["nodes"] if n["name"] == "second")
    x, y, z, w = node["rotation"]
    axis = np.array([x, y, z])
    minus_z = np.array([0.0, 0, -1])
    looks = minus_z + 2 * np.cross(axis, np.cross(axis, minus_z) + w * minus_z)
    pose = scenes.camera(off_centre=True).pose.world_from_camera
    np.testing.assert_allclose(looks, pose[:3, 2] * [1, -1, -1], atol=1e-12)
    np.testing.assert_allclose(node["translation"], pose[:3, 3] * [1, -1, -1])


def test_trimesh_sees_it_upright_in_metres_with_its_front_to_the_viewer(tmp_path: Path) -> None:
    write(scenes.textured_scene(), tmp_path / "a.glb")
    loaded = trimesh.load_scene(tmp_path / "a.glb")
    (mesh,) = loaded.dump()
    ours = scenes.sheet()
    assert ours.uv is not None
    top = mesh.vertices[:, 1] > 0.7
    assert top.any() and (ours.uv[top, 1] < 0.2).all(), "the top of the picture has the larger y"
    assert mesh.vertices[:, 2].max() < -1.7 and mesh.vertices[:, 2].min() > -2.3, "two metres before the viewer"
    assert (mesh.face_normals[:, 2] > 0).all()
    colors = np.asarray(mesh.visual.to_color().vertex_colors)[:, :3].astype(int)
    sky = top & (ours.uv[:, 0] > 0.3)
    assert (colors[sky, 2] > colors[sky, 0]).all(), "blue is above"
    bottom = mesh.vertices[:, 1] < -0.7
    assert (colors[bottom, 0] > colors[bottom, 2]).all(), "red is below"
    corner = np.argmin(mesh.vertices[:, 0] - mesh.vertices[:, 1])
    assert (colors[corner] > 240).all(), "the white corner is top left"


def test_layers_share_their_picture() -> None:
    document, _ = documents("sky")
    assert len(document["meshes"]) == 2 and len(document["images"]) == len(document["materials"]) == 1
    assert [n["extras"]["role"] for n in document["nodes"] if "mesh" in n] == ["surface", "sky"]


def test_jpeg_goes_through_untouched() -> None:
    made = scenes.picture()
    jpeg = cv2.imencode(".jpg", made.pixels[..., ::-1])[1].tobytes()
    scene = scenes.scene_of(Node("surface", scenes.sheet(texture=replace(made, jpeg=jpeg))))
    document, binary = opened(glb_bytes(scene, ExportOptions()))
    assert picture_bytes(document, binary) == jpeg
    smaller, binary = opened(glb_bytes(scene, ExportOptions(texture_size=48)))
    shrunk = cv2.imdecode(np.frombuffer(picture_bytes(smaller, binary), np.uint8), cv2.IMREAD_COLOR)
    assert shrunk is not None and shrunk.shape == (32, 48, 3)


@pytest.mark.parametrize(("alpha", "mode"), [("mask", "MASK"), ("soft", "BLEND")])
def test_alpha_chooses_its_mode(alpha: str, mode: str) -> None:
    scene = scenes.scene_of(Node("surface", scenes.sheet(texture=scenes.picture(alpha=alpha))))
    document, binary = opened(glb_bytes(scene, ExportOptions()))
    assert document["materials"][0]["alphaMode"] == mode and document["images"][0]["mimeType"] == "image/png"
    assert picture_bytes(document, binary).startswith(b"\x89PNG")


@pytest.mark.parametrize(("vertices", "component"), [(65_535, 5123), (65_536, 5125)])
def test_indices_are_as_short_as_they_can_be(vertices: int, component: int) -> None:
    xyz = np.zeros((vertices, 3), np.float32)
    xyz[:, 2] = 1
    mesh = Mesh(xyz, np.array([[0, 1, vertices - 1]], np.uint32))
    document, binary = opened(glb_bytes(scenes.scene_of(Node("a", mesh)), ExportOptions()))
    primitive = document["meshes"][0]["primitives"][0]
    accessor = document["accessors"][primitive["indices"]]
    assert accessor["componentType"] == component
    offset = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    wanted = np.array([0, 1, vertices - 1], np.uint16 if component == 5123 else np.uint32).tobytes()
    assert binary[offset : offset + len(wanted)] == wanted


def test_all_srgb_steps_survive_linear_colours(tmp_path: Path) -> None:
    colors = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    cloud = PointCloud(np.random.default_rng(0).normal(size=(256, 3)).astype(np.float32), colors)
    write(scenes.scene_of(Node("points", cloud)), tmp_path / "a.glb")
    item = read_scene(tmp_path / "a.glb").nodes[0].item
    assert isinstance(item, PointCloud) and item.colors is not None
    np.testing.assert_array_equal(item.colors, colors)


def test_invented_is_left_out_where_nothing_is() -> None:
    assert "_INVENTED" not in documents("textured")[0]["meshes"][0]["primitives"][0]["attributes"]
    assert "_INVENTED" in documents("coloured")[0]["meshes"][0]["primitives"][0]["attributes"]


def test_normals_that_are_none_become_valid() -> None:
    sheet = scenes.sheet()
    assert sheet.normals is not None
    normals = sheet.normals.copy()
    normals[:3] = [[0, 0, 0], [np.nan, 0, 0], [0, 0, -5]]
    scene = scenes.scene_of(Node("surface", replace(sheet, normals=normals)))
    document, binary = opened(glb_bytes(scene, ExportOptions()))
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["NORMAL"]]
    start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    written = np.frombuffer(binary, np.float32, len(normals) * 3, start).reshape(-1, 3)
    np.testing.assert_array_equal(written[:3], [[0, 0, 1]] * 3)
    np.testing.assert_array_equal(written[3:], normals[3:] * [1, -1, -1])


def test_splats_and_emptiness_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="splats"):
        write(scenes.splat_scene(), tmp_path / "a.glb")
    with pytest.raises(InputError, match="empty"):
        write(scenes.scene_of(), tmp_path / "a.gltf")
    assert list(tmp_path.iterdir()) == []


def test_what_is_empty_is_left_out() -> None:
    nothing = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32))
    scene = scenes.scene_of(Node("nothing", nothing), Node("surface", scenes.sheet()))
    document, _ = opened(glb_bytes(scene, ExportOptions()))
    assert [m["name"] for m in document["meshes"]] == ["surface"]


def test_gltf_lies_beside_its_parts_all_or_nothing(tmp_path: Path) -> None:
    scene = scenes.scene_of(
        Node("one", scenes.sheet(texture=scenes.picture())),
        Node("two", scenes.sheet(texture=scenes.picture(Size(30, 20)))),
        Node("three", scenes.sheet(texture=scenes.picture(alpha="mask"))),
    )
    target = tmp_path / "ein Bild ä.gltf"
    write(scene, target)
    beside = (target, tmp_path / f"{target.name}.c2pa")
    sides = sorted(p.name for p in tmp_path.iterdir() if p not in beside)
    assert all(name.isascii() and " " not in name and name.startswith("ein_Bild-") for name in sides)
    assert [name.split(".", 1)[1] for name in sides] == ["bin", "gltf-2.jpg", "gltf-3.png", "gltf.jpg"]
    assert [n.name for n in read_scene(target).nodes] == ["one", "two", "three"]
    target.unlink()
    with pytest.raises(OutputError, match="exists already"):
        write(scene, target)
    assert sorted(p.name for p in tmp_path.iterdir() if p not in beside) == sides
    write(scene, target, ExportOptions(force=True))


def test_read_is_the_one_of_the_table() -> None:
    assert glb.read is read
