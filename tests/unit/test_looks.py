"""Finishes and pins go into every file that has nodes, and come back."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest

from scenes import provenance
from unflat.errors import InputError
from unflat.formats.looks import dressed, looks_of
from unflat.formats.registry import ExportOptions, read_scene, write
from unflat.types import Finish, Frame, Mesh, Node, Pin, Scale, Scene

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32) * np.float32(0.1)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.uint32)


@pytest.fixture
def scene() -> Scene:
    nodes = (
        Node("left kidney", Mesh(CORNERS, FACES), finish=Finish((185, 102, 83))),
        Node("skin", Mesh(CORNERS * 3 + np.float32(1), FACES), finish=Finish((222, 174, 146), 0.35)),
    )
    pins = (Pin("hilum", (0.01, 0.02, 0.03), "left kidney", "where vessels enter"), Pin("north", (0, 0, 1)))
    return Scene(nodes, (), Frame.PATIENT_LPS, Scale("metric-source", 1, 1), provenance(), pins=pins)


@pytest.mark.parametrize("suffix", [".obj", ".usdz", ".3mf", ".glb"])
def test_finishes_and_pins_come_back(scene, suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    write(scene, path, ExportOptions())
    back = read_scene(path)
    assert [node.name for node in back.nodes] == ["left kidney", "skin"]
    assert [node.finish for node in back.nodes] == [node.finish for node in scene.nodes]
    assert [(p.text, p.node, p.detail) for p in back.pins] == [(p.text, p.node, p.detail) for p in scene.pins]
    np.testing.assert_allclose([p.at for p in back.pins], [p.at for p in scene.pins], atol=1e-6)
    assert back.frame is Frame.PATIENT_LPS
    for got, given in zip(back.nodes, scene.nodes, strict=True):
        np.testing.assert_allclose(got.item.vertices, given.item.vertices, atol=1e-5)


def test_ply_has_the_colours_at_its_vertices(scene, tmp_path):
    write(scene, tmp_path / "x.ply", ExportOptions())
    colors = read_scene(tmp_path / "x.ply").nodes[0].item.colors
    assert {tuple(c) for c in colors.tolist()} == {(185, 102, 83), (222, 174, 146)}


def test_obj_and_3mf_say_it_in_their_own_words(scene, tmp_path):
    write(scene, tmp_path / "x.obj", ExportOptions())
    mtl = (tmp_path / "x.mtl").read_text()
    named = [line.split()[1] for line in mtl.splitlines() if line.startswith("newmtl")]
    used = [line.split()[1] for line in (tmp_path / "x.obj").read_text().splitlines() if line.startswith("usemtl")]
    assert named == used
    assert len(set(named)) == 2
    assert f"Kd {185 / 255:.6g} {102 / 255:.6g} {83 / 255:.6g}" in mtl
    assert "d 0.35" in mtl
    write(scene, tmp_path / "x.3mf", ExportOptions())
    with zipfile.ZipFile(tmp_path / "x.3mf") as archive:
        model = archive.read("3D/3dmodel.model").decode()
    assert 'displaycolor="#B96653FF"' in model
    assert 'displaycolor="#DEAE9259"' in model
    assert "Not for diagnosis" in model


def test_a_printed_stl_says_what_it_is_not_for(scene, tmp_path):
    write(scene, tmp_path / "x.stl", ExportOptions())
    assert b"not for diagnosis" in (tmp_path / "x.stl").read_bytes()[:80]


def test_pins_of_nodes_that_a_file_has_not_are_pins_of_the_scene(scene):
    story = json.loads(json.dumps(looks_of(scene)))
    alone = dataclasses.replace(scene, nodes=scene.nodes[1:], pins=())
    assert [pin.node for pin in dressed(alone, story).pins] == [None, None]


@pytest.mark.parametrize(
    "story",
    [
        {"pins": 3},
        {"pins": [{"text": "a", "at": [0, 0]}]},
        {"pins": [{"text": "a", "at": [0, 0, 1e999]}]},
        {"pins": [{"text": "", "at": [0, 0, 0]}]},
        {"nodes": [{"name": "skin", "finish": {"color": [1, 2, 300]}}]},
        {"nodes": [{"name": "skin", "finish": {"color": "red"}}]},
        {"nodes": [{"name": "skin", "finish": {"color": [1, 2, 3], "opacity": True}}]},
    ],
)
def test_a_damaged_story_is_refused(scene, story):
    with pytest.raises(InputError, match="damaged"):
        dressed(scene, story)
