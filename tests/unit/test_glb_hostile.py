"""Files of others: fair ones are read, foul ones end in an InputError, never in anything else."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scenes
from unflat.errors import InputError
from unflat.formats.glb import glb_bytes, read
from unflat.formats.registry import ExportOptions
from unflat.types import Mesh, PointCloud, Scene

Change = Callable[[dict[str, Any]], None]
GOOD = glb_bytes(scenes.sky_scene(), ExportOptions())


def packed(document: Any, binary: bytes) -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    total = 28 + len(text) + len(binary)
    head = struct.pack("<IIIII", 0x46546C67, 2, total, len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", len(binary), 0x004E4942) + binary


def parts() -> tuple[dict[str, Any], bytes]:
    length = struct.unpack_from("<I", GOOD, 12)[0]
    return json.loads(GOOD[20 : 20 + length]), GOOD[28 + length :]


def reading(data: bytes, folder: Path, name: str = "foreign.glb") -> Scene:
    path = folder / name
    path.write_bytes(data)
    return read(path)


def changed(change: Change, folder: Path) -> Scene:
    document, binary = parts()
    change(document)
    return reading(packed(document, binary), folder)


def put(*keys: Any) -> Change:
    """Put the last of ``keys`` at the place that the others name."""

    def change(document: dict[str, Any]) -> None:
        *path, last, value = keys
        for key in path:
            document = document[key]
        document[last] = value

    return change


BAD: dict[str, Change] = {
    "version 1": put("asset", "version", "1.0"),
    "no asset": put("asset", []),
    "draco": put("extensionsRequired", ["KHR_draco_mesh_compression"]),
    "extension is a number": put("extensionsRequired", 7),
    "record is text": put("asset", "extras", {"unflat": "x"}),
    "frame unknown": put("asset", "extras", "unflat", "frame", "sideways"),
    "scale negative": put("asset", "extras", "unflat", "scale", "low", -1),
    "scale huge": put("asset", "extras", "unflat", "scale", "high", 10**400),
    "provenance missing": put("asset", "extras", "unflat", "provenance", None),
    "scene missing": put("scene", 7),
    "scene is true": put("scene", True),
    "nodes no list": put("scenes", 0, "nodes", 3),
    "node number too large": put("scenes", 0, "nodes", [99]),
    "node hangs twice": put("scenes", 0, "nodes", [0, 0]),
    "node in a ring": put("nodes", 0, "children", [0]),
    "mesh negative": put("nodes", 0, "mesh", -1),
    "matrix short": put("nodes", 0, "matrix", [1, 2]),
    "matrix of text": put("nodes", 0, "matrix", ["1"] * 16),
    "translation far": put("nodes", 0, "translation", [1e39, 0, 0]),
    "rotation zero": put("nodes", 0, "rotation", [0, 0, 0, 0]),
    "scale overflow": put("nodes", 0, "scale", [1e30, 1e30, 1e30]),
    "scale overflow in a chain": lambda document: document.update(
        nodes=[{"mesh": 0, "scale": [1e30] * 3, "children": [n + 1] if n < 19 else []} for n in range(20)],
        scenes=[{"nodes": [0]}],
    ),
    "texture source a list": put("textures", 0, "source", [0]),
    "primitives missing": put("meshes", 0, "primitives", None),
    "lines": put("meshes", 0, "primitives", 0, "mode", 1),
    "mode is a list": put("meshes", 0, "primitives", 0, "mode", [4]),
    "no position": put("meshes", 0, "primitives", 0, "attributes", {}),
    "attributes a list": put("meshes", 0, "primitives", 0, "attributes", []),
    "position is the index": put("meshes", 0, "primitives", 0, "attributes", "POSITION", 4),
    "count too large": put("accessors", 0, "count", 10**6),
    "count enormous": put("accessors", 0, "count", 2**60),
    "count text": put("accessors", 0, "count", "9"),
    "count zero": put("accessors", 0, "count", 0),
    "offset beyond": put("accessors", 0, "byteOffset", 10**6),
    "offset negative": put("accessors", 0, "byteOffset", -4),
    "type unknown": put("accessors", 0, "type", "MAT4"),
    "type a list": put("accessors", 0, "type", ["VEC3"]),
    "component unknown": put("accessors", 0, "componentType", 5124),
    "component a list": put("accessors", 0, "componentType", [5126]),
    "sparse": put("accessors", 0, "sparse", {"count": 1}),
    "normals shorter": put("accessors", 1, "count", 3),
    "stride zero": put("bufferViews", 0, "byteStride", 0),
    "stride huge": put("bufferViews", 0, "byteStride", 2**31),
    "view beyond": put("bufferViews", 0, "byteLength", 10**8),
    "view negative": put("bufferViews", 0, "byteOffset", -1),
    "buffer unknown": put("bufferViews", 0, "buffer", 5),
    "buffer short": put("buffers", 0, "byteLength", 10**8),
    "buffer on the net": put("buffers", 0, "uri", "http://127.0.0.1/x.bin"),
    "buffer beside a glb": put("buffers", 0, "uri", "x.bin"),
    "image is a view of triangles": put("images", 0, {"bufferView": 0}),
    "image nowhere": put("images", 0, {}),
    "texture without picture": put("textures", 0, {}),
    "texture number": put("textures", 0, "source", 5),
    "material number": put("meshes", 0, "primitives", 0, "material", 5),
    "factor text": put("materials", 0, "pbrMetallicRoughness", "baseColorFactor", "red"),
    "camera size zero": put("cameras", 0, "extras", "width", 0),
    "camera focal zero": put("cameras", 0, "extras", "fx", 0),
    "camera focal text": put("cameras", 0, "extras", "fx", "1"),
    "camera basis": put("cameras", 0, "extras", "basis", ["given"]),
    "camera angle": put("cameras", 0, {"type": "perspective", "perspective": {"yfov": 4}}),
    "no mesh at all": put("scenes", 0, "nodes", [2]),
}


@pytest.mark.parametrize("what", BAD)
def test_foul_documents_are_refused(what: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        changed(BAD[what], tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"7", b'{"asset":', b"\xff\xfe", b"[" * 100_000, b'{"asset":{"version":NaN}}', b'{"a":' + b"9" * 5000],
    ids=range(8),
)
def test_foul_json_is_refused(text: bytes, tmp_path: Path) -> None:
    for data, name in ((packed(text, b""), "a.glb"), (text, "a.gltf")):
        with pytest.raises(InputError):
            reading(data, tmp_path, name)


def test_index_beyond_the_vertices_is_refused(tmp_path: Path) -> None:
    document, binary = parts()
    view = document["bufferViews"][document["accessors"][4]["bufferView"]]
    at = view["byteOffset"]
    with pytest.raises(InputError, match="corner"):
        reading(packed(document, binary[:at] + b"\xff\xfe" + binary[at + 2 :]), tmp_path)


def test_not_finite_positions_are_refused(tmp_path: Path) -> None:
    document, binary = parts()
    with pytest.raises(InputError, match="finite"):
        reading(packed(document, struct.pack("<f", np.nan) + binary[4:]), tmp_path)


def test_picture_bomb_is_refused_unread(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )
    document, binary = parts()
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(png)})
    document["images"][0] = {"bufferView": len(document["bufferViews"]) - 1}
    whole = binary + png + b"\0" * (-len(png) % 4)
    document["buffers"][0]["byteLength"] = len(whole)
    with pytest.raises(InputError, match="picture"):
        reading(packed(document, whole), tmp_path)


def test_many_instances_of_one_mesh_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unflat.formats.gltf_file.MAX_NUMBERS", 50_000)

    def many(document: dict[str, Any]) -> None:
        document["nodes"] = [{"mesh": 0} for _ in range(1000)]
        document["scenes"] = [{"nodes": list(range(1000))}]

    with pytest.raises(InputError, match="more than"):
        changed(many, tmp_path)


@pytest.mark.parametrize("cut", [0, 3, 11, 12, 19, 20, 100, 2000, -1])
def test_truncated_files_are_refused(cut: int, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        reading(GOOD[:cut], tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_mutated_files_are_read_or_refused(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    try:
        scene = reading(bytes(data), tmp_path)
    except InputError:
        return
    assert scene.nodes and all(np.isfinite(n.item.vertices).all() for n in scene.nodes if isinstance(n.item, Mesh))


@pytest.mark.parametrize(
    "uri",
    [
        "../secret.bin",
        "..%2Fsecret.bin",
        "/etc/passwd",
        "link.bin",
        "file:///etc/passwd",
        "https://example.org/a",
        "a%00b",
    ],
)
def test_gltf_reads_nothing_outside_its_folder(uri: str, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(parts()[1])
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    document, _ = parts()
    document["buffers"][0]["uri"] = uri
    with pytest.raises(InputError):
        reading(json.dumps(document).encode(), folder, "a.gltf")


def test_gltf_reads_data_uris_and_files_beside_it(tmp_path: Path) -> None:
    import base64

    document, binary = parts()
    for uri in ("data:application/octet-stream;base64," + base64.b64encode(binary).decode(), "with%20space.bin"):
        (tmp_path / "with space.bin").write_bytes(binary)
        document["buffers"][0]["uri"] = uri
        assert reading(json.dumps(document).encode(), tmp_path, "a.gltf").triangles == 216
    document["buffers"][0]["uri"] = "data:application/octet-stream;base64,!!"
    with pytest.raises(InputError, match="base64"):
        reading(json.dumps(document).encode(), tmp_path, "a.gltf")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.glb", tmp_path):
        with pytest.raises(InputError):
            read(path)


def test_trimesh_scene_with_placed_nodes_is_read(tmp_path: Path) -> None:
    box = trimesh.creation.box((1, 2, 3))
    turn = trimesh.transformations.rotation_matrix(0.7, [1, 2, 3], [0.1, 0.2, 0.3])
    mirror = np.diag([-2.0, 1, 1, 1])
    theirs = trimesh.Scene()
    theirs.add_geometry(box, transform=turn)
    theirs.add_geometry(box, transform=mirror)
    theirs.export(tmp_path / "boxes.glb")
    ours = read(tmp_path / "boxes.glb")
    turned_box, mirrored = (n.item for n in ours.nodes)
    assert isinstance(turned_box, Mesh) and isinstance(mirrored, Mesh)
    wanted = trimesh.transform_points(box.vertices, turn) * [1, -1, -1]
    np.testing.assert_allclose(turned_box.vertices, wanted, atol=1e-6)
    for mesh, volume in ((turned_box, 6.0), (mirrored, 12.0)):
        signed = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).volume
        assert signed == pytest.approx(volume, rel=1e-5), "faces still point outwards"
    assert ours.scale.assumed and ours.provenance.sources[0].name == "boxes.glb" and ours.provenance.warnings
    assert len(ours.provenance.sources[0].sha256 or "") == 64


def test_trimesh_colours_and_points_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    xyz = rng.normal(size=(50, 3))
    trimesh.Scene([trimesh.PointCloud(xyz, rng.integers(0, 255, (50, 4), dtype=np.uint8))]).export(tmp_path / "p.glb")
    item = read(tmp_path / "p.glb").nodes[0].item
    assert isinstance(item, PointCloud) and item.colors is not None
    np.testing.assert_allclose(item.xyz, xyz * [1, -1, -1], rtol=1e-6)


def test_foreign_camera_keeps_its_angle(tmp_path: Path) -> None:
    def foreign(document: dict[str, Any]) -> None:
        document["cameras"][0] = {"type": "perspective", "perspective": {"yfov": 0.8, "aspectRatio": 1.5, "znear": 0.1}}

    seen = changed(foreign, tmp_path).cameras[0].intrinsics
    assert seen.fov_y_deg == pytest.approx(np.degrees(0.8)) and seen.size.aspect == pytest.approx(1.5)
    assert seen.basis == "file"
