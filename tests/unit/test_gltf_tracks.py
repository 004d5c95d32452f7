"""Cameras that move in glTF: what is written, what is read of other programs, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rooms
import scenes
from unflat.errors import InputError, ShapeError
from unflat.formats.registry import read_scene, write
from unflat.types import Scene, Track

Document = dict[str, Any]


def changed(folder: Path, change: Callable[[Document], object]) -> Scene:
    """The moving scene after a change to its document."""
    path = folder / "a.gltf"
    write(scenes.moving_scene(), path)
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), "utf-8")
    return read_scene(path)


def sampler(document: Document, animation: int, number: int) -> Document:
    return document["animations"][animation]["samplers"][number]


def test_the_lens_moves_by_the_pointer_extension_which_is_not_required(tmp_path: Path) -> None:
    found: list[Document] = []
    changed(tmp_path, found.append)
    (document,) = found
    assert document["extensionsUsed"] == ["KHR_materials_unlit", "KHR_animation_pointer", "KHR_xmp_json_ld"]
    assert "extensionsRequired" not in document
    turn, walk = document["animations"]
    assert [c["target"]["path"] for c in walk["channels"]] == ["translation", "rotation"]
    *moves, lens = (c["target"] for c in turn["channels"])
    assert {target["node"] for target in moves} == {2} and document["nodes"][2]["camera"] == 1
    assert "node" not in lens
    assert lens["extensions"]["KHR_animation_pointer"]["pointer"] == "/cameras/1/perspective/yfov"
    assert document["cameras"][0]["name"] == "camera", "the picture's own comes first"


def test_a_scene_without_moves_is_as_it_was(tmp_path: Path) -> None:
    write(scenes.textured_scene(), tmp_path / "a.gltf")
    document = json.loads((tmp_path / "a.gltf").read_text("utf-8"))
    assert "animations" not in document and document["extensionsUsed"] == ["KHR_materials_unlit", "KHR_xmp_json_ld"]


def test_neighbouring_quaternions_lie_on_one_side() -> None:
    from unflat.formats.gltf_tracks import _quaternions

    angles = np.linspace(0, 4 * np.pi, 50)
    turns = np.array([[[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]] for a in angles])
    found = _quaternions(turns).astype(float)
    assert ((found[1:] * found[:-1]).sum(axis=1) > 0.9).all()
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def _drop_lens(document: Document) -> None:
    document["animations"][0]["channels"].pop()


def _pointers_for_nodes(document: Document) -> None:
    for channel in document["animations"][0]["channels"][:2]:
        node, path = channel["target"]["node"], channel["target"]["path"]
        pointer = {"KHR_animation_pointer": {"pointer": f"/nodes/{node}/{path}"}}
        channel["target"] = {"path": "pointer", "extensions": pointer}


def test_other_programs_may_say_the_same_in_other_words(tmp_path: Path) -> None:
    ours = scenes.track()
    turn, _ = changed(tmp_path, _pointers_for_nodes).tracks
    np.testing.assert_allclose(turn.world_from_camera, ours.world_from_camera, atol=1e-6)
    (tmp_path / "b").mkdir()
    turn, _ = changed(tmp_path / "b", _drop_lens).tracks
    assert not turn.zooms and turn.lens.fy == pytest.approx(ours.lens.fy)


LEFT_OUT: dict[str, Callable[[Document], object]] = {
    "stepped": lambda d: d["animations"][0]["samplers"][0].update(interpolation="STEP"),
    "cubic": lambda d: d["animations"][0]["samplers"][1].update(interpolation="CUBICSPLINE"),
    "of a mesh": lambda d: d["nodes"][2].pop("camera"),
    "no rotation": lambda d: d["animations"][0]["channels"].pop(1),
    "scaled, too": lambda d: d["animations"][0]["channels"][2].update(target={"node": 2, "path": "scale"}),
    "of two nodes": lambda d: d["animations"][0]["channels"][1]["target"].update(node=3),
    "hanging": lambda d: (d["nodes"][0].update(children=[2]), d["scenes"][0]["nodes"].remove(2)),
    "times of another": lambda d: sampler(d, 0, 0).update(input=sampler(d, 1, 0)["input"]),
    "no channels": lambda d: d["animations"][0].update(channels=[]),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_no_track_can_hold_is_left_where_it_is(tmp_path: Path, case: str) -> None:
    scene = changed(tmp_path, LEFT_OUT[case])
    assert [track.name for track in scene.tracks] == ["walk"]
    assert len(scene.nodes) == 1 and "camera" in [camera.name for camera in scene.cameras]


def test_a_mesh_that_moves_is_no_camera(tmp_path: Path) -> None:
    """Files of other programs are full of them; they open."""
    scene = changed(tmp_path, lambda d: d["nodes"][3].pop("camera"))
    assert [track.name for track in scene.tracks] == ["turn"] and len(scene.nodes) == 1


FOUL: dict[str, Callable[[Document], object]] = {
    "animations no list": lambda d: d.update(animations={}),
    "animation a number": lambda d: d.update(animations=[7]),
    "channels a number": lambda d: d["animations"][0].update(channels=7),
    "a channel is none": lambda d: d["animations"][0].update(channels=[None]),
    "no such sampler": lambda d: d["animations"][0]["channels"][0].update(sampler=99),
    "sampler is text": lambda d: d["animations"][0]["channels"][0].update(sampler="0"),
    "samplers gone": lambda d: d["animations"][0].pop("samplers"),
    "a sampler is none": lambda d: d["animations"][0]["samplers"].__setitem__(0, None),
    "no such node": lambda d: [c["target"].update(node=99) for c in d["animations"][1]["channels"]],
    "no such camera": lambda d: d["nodes"][2].update(camera=99),
    "node is text": lambda d: d["animations"][0]["channels"][0]["target"].update(node="2"),
    "no such array": lambda d: d["animations"][0]["samplers"][0].update(output=999),
    "times of other length": lambda d: d["accessors"][d["animations"][0]["samplers"][0]["input"]].update(count=4),
    "turns for places": lambda d: sampler(d, 0, 0).update(output=sampler(d, 0, 1)["output"]),
    "target is text": lambda d: d["animations"][0]["channels"][0].update(target="x"),
    "no quaternions": lambda d: d["accessors"][sampler(d, 1, 1)["output"]].update(bufferView=0),
    "angles of half a turn": lambda d: sampler(d, 0, 2).update(output=sampler(d, 1, 0)["input"]),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUL)
def test_foul_animations_are_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(tmp_path, FOUL[case])
    assert caught.value.hint


def test_times_that_do_not_rise_are_refused(tmp_path: Path) -> None:
    def back(document: Document) -> None:
        accessor = document["accessors"][document["animations"][0]["samplers"][0]["input"]]
        accessor["bufferView"] = document["accessors"][document["animations"][0]["samplers"][2]["output"]]["bufferView"]

    with pytest.raises(InputError, match="do not rise"):
        changed(tmp_path, back)


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": [0, 1, 1, 2, 3]},
        {"times": [0, 1, np.nan, 2, 3]},
        {"times": [0, 1]},
        {"zoom": [1, 1, 1, 1, 0]},
        {"world_from_camera": np.tile(np.diag([1.0, 1, -1, 1]), (5, 1, 1))},
    ],
)
def test_what_is_no_track_is_refused(wrong: dict[str, Any]) -> None:
    ours = scenes.track()
    arrays: dict[str, Any] = {name: np.asarray(values, float) for name, values in wrong.items()}
    with pytest.raises(ShapeError):
        replace(ours, **arrays)


def test_a_track_says_what_it_is() -> None:
    ours = scenes.track()
    assert ours.seconds == 3.5 and ours.zooms and not scenes.track(zooms=False).zooms
    assert repr(ours) == "Track(turn, 5 poses in 3.5 s)"
    again = Track.of([ours.camera(i) for i in range(5)], list(ours.times), "turn")
    np.testing.assert_allclose(again.zoom, ours.zoom)
    np.testing.assert_array_equal(again.world_from_camera, ours.world_from_camera)


def test_all_cameras_of_a_scan_stand_in_the_file_by_name_and_the_walk_moves_one_more(tmp_path: Path) -> None:
    scan = rooms.reconstruction()
    walk = scan.track()
    assert walk is not None
    np.testing.assert_allclose(walk.times, np.arange(12) / 10)
    scene = replace(rooms.scene(), cameras=tuple(view.camera for view in scan.views), tracks=(walk,))
    write(scene, tmp_path / "a.gltf")
    document = json.loads((tmp_path / "a.gltf").read_text("utf-8"))
    assert [camera["name"] for camera in document["cameras"]] == [*(f"{at:06d}" for at in range(12)), "walk"]
    read = read_scene(tmp_path / "a.gltf")
    for ours, theirs in zip(scene.cameras, read.cameras, strict=True):
        assert ours.name == theirs.name and ours.intrinsics == theirs.intrinsics
        np.testing.assert_allclose(theirs.pose.world_from_camera, ours.pose.world_from_camera, atol=1e-6)
    (moved,) = read.tracks
    np.testing.assert_allclose(moved.world_from_camera, walk.world_from_camera, atol=1e-6)


def test_photographs_without_times_make_no_track() -> None:
    scan = rooms.reconstruction()
    views = tuple(replace(view, still=replace(view.still, seconds=None)) for view in scan.views)
    assert replace(scan, views=views).track() is None
    assert replace(scan, views=(*views[1:], scan.views[0])).track() is None
