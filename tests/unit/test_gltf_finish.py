"""Finishes and pins in glTF: exact there and back, lit, valid, and read of files of ours alone."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scenes
import turned_models
from unflat.formats import glb
from unflat.formats.registry import ExportOptions
from unflat.types import Finish, Frame, Mesh, Node, Pin, Scene


def document(data: bytes) -> dict[str, Any]:
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length])


def there_and_back(scene: Scene, folder: Path) -> Scene:
    path = folder / "a.glb"
    path.write_bytes(glb.glb_bytes(scene, ExportOptions()))
    return glb.read(path)


def with_finishes(*finishes: Finish) -> Scene:
    ball = turned_models.ball((0, 0, 0), 0.1, 8)
    nodes = tuple(Node(f"part {n}", ball, finish=finish) for n, finish in enumerate(finishes))
    return dataclasses.replace(turned_models.head(), nodes=nodes, pins=(), volume=None)


def test_every_byte_of_colour_comes_back(tmp_path: Path) -> None:
    finishes = [Finish((n, 255 - n, n * 7 % 256), round(n / 255, 6)) for n in range(256)]
    back = there_and_back(with_finishes(*finishes), tmp_path)
    assert [node.finish for node in back.nodes] == finishes
    assert all(isinstance(node.item, Mesh) and node.item.colors is None for node in back.nodes)


@pytest.mark.parametrize("frame", list(Frame))
def test_pins_stand_where_they_point(frame: Frame, tmp_path: Path) -> None:
    pins = (Pin("a", (0.1, -2.5, 3.0), "part 0", "more"), Pin("b </script> é", (0.0, 0.0, 0.0)))
    scene = dataclasses.replace(with_finishes(Finish((1, 2, 3))), frame=frame, pins=pins)
    assert there_and_back(scene, tmp_path).pins == pins


def test_finishes_are_lit_and_half_transparent_ones_blend() -> None:
    told = document(glb.glb_bytes(with_finishes(Finish((255, 0, 188), 0.25), Finish((9, 9, 9))), ExportOptions()))
    sheer, solid = told["materials"]
    assert "extensions" not in sheer
    assert told["extensionsUsed"] == ["KHR_xmp_json_ld"]
    assert sheer["alphaMode"] == "BLEND"
    assert "alphaMode" not in solid
    assert sheer["pbrMetallicRoughness"]["baseColorFactor"] == [1, 0, pytest.approx(0.5029, abs=1e-4), 0.25]
    assert sheer["doubleSided"]
    assert all("NORMAL" in mesh["primitives"][0]["attributes"] for mesh in told["meshes"])


def test_parts_without_normals_get_some() -> None:
    ball = dataclasses.replace(turned_models.ball((0, 0, 0), 0.1, 24), normals=None)
    scene = dataclasses.replace(with_finishes(Finish((1, 2, 3))), nodes=(Node("x", ball, finish=Finish((1, 2, 3))),))
    told = document(glb.glb_bytes(scene, ExportOptions()))
    assert "NORMAL" in told["meshes"][0]["primitives"][0]["attributes"]


def test_colours_of_its_own_come_first(tmp_path: Path) -> None:
    ball = turned_models.ball((0, 0, 0), 0.1, 8)
    painted = dataclasses.replace(ball, colors=np.full((len(ball.vertices), 3), 77, np.uint8))
    scene = dataclasses.replace(with_finishes(), nodes=(Node("x", painted, finish=Finish((1, 2, 3))),))
    (node,) = there_and_back(scene, tmp_path).nodes
    assert node.finish is None
    assert isinstance(node.item, Mesh)
    assert node.item.colors is not None
    assert (node.item.colors == 77).all()


def test_what_others_light_has_colours(tmp_path: Path) -> None:
    data = glb.glb_bytes(with_finishes(Finish((200, 100, 50))), ExportOptions())
    told = document(data)
    del told["asset"]["extras"]
    text = json.dumps(told).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + struct.unpack_from("<I", data, 12)[0] :]
    path = tmp_path / "foreign.glb"
    head = struct.pack("<IIIII", 0x46546C67, 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A)
    path.write_bytes(head + text + rest)
    (node,) = glb.read(path).nodes
    assert node.finish is None
    assert isinstance(node.item, Mesh)
    assert node.item.colors is not None
    assert (node.item.colors == (200, 100, 50)).all()


@pytest.mark.parametrize("pin", [{}, {"text": 3}, {"text": "  "}, "text", None])
def test_pins_that_say_nothing_are_left_out(pin: object, tmp_path: Path) -> None:
    scene = dataclasses.replace(with_finishes(Finish((1, 2, 3))), pins=(Pin("a", (0, 0, 0)),))
    data = glb.glb_bytes(scene, ExportOptions())
    told = document(data)
    told["nodes"][-1]["extras"]["pin"] = pin
    text = json.dumps(told).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + struct.unpack_from("<I", data, 12)[0] :]
    path = tmp_path / "a.glb"
    head = struct.pack("<IIIII", 0x46546C67, 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A)
    path.write_bytes(head + text + rest)
    assert glb.read(path).pins == ()


def test_scenes_of_pictures_are_unlit_as_before() -> None:
    told = document(glb.glb_bytes(scenes.textured_scene(), ExportOptions()))
    assert told["extensionsUsed"] == ["KHR_materials_unlit", "KHR_xmp_json_ld"]
