"""The scan inside a page: exact where it says so, and where it was."""

from __future__ import annotations

import base64
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

import turned_models
from unflat.errors import InputError
from unflat.formats import glb, html, registry
from unflat.formats.registry import ExportOptions
from unflat.formats.volume_page import carried, packed, unpacked, volume_block, volume_in, volume_rows
from unflat.types import Finish, Frame, Grid, Node, Pin, Volume


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (4, 1, 9), (2, 8, 1)])
def test_packing_loses_nothing(shape: tuple[int, int, int]) -> None:
    codes = np.random.default_rng(3).integers(0, 65536, shape).astype(np.uint16)
    assert np.array_equal(unpacked(packed(codes), shape), codes)


def test_damaged_codes_are_refused() -> None:
    data = packed(np.arange(24, dtype=np.uint16).reshape(2, 3, 4))
    for bad, shape in ((data[:-9], (2, 3, 4)), (data, (2, 3, 5)), (data, (2, 3, 3)), (b"nonsense", (2, 3, 4))):
        with pytest.raises(InputError):
            unpacked(bad, shape)


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16", "float32"])
def test_whole_numbers_come_back_as_they_were(kind: str) -> None:
    ends = (-1000, 60000) if kind == "float32" else (np.iinfo(kind).min, np.iinfo(kind).max)
    values = np.random.default_rng(1).integers(*ends, (3, 4, 5), endpoint=True).astype(kind)
    volume = Volume(values, turned_models.oblique((3, 4, 5)), "intensity", "MR")
    back = volume_in(volume_block(carried(volume, 1000)).encode(), "page")
    assert back is not None
    assert np.array_equal(back.values, values)
    assert back.values.dtype == values.dtype
    assert np.array_equal(back.grid.lps_from_voxel, volume.grid.lps_from_voxel)
    assert (back.quantity, back.modality) == ("intensity", "MR")


def test_floats_are_rounded_to_the_step_that_is_told() -> None:
    values = np.random.default_rng(2).normal(0, 3, (4, 5, 6)).astype(np.float32)
    held = carried(Volume(values, turned_models.oblique((4, 5, 6)), "intensity"), 1000)
    back = volume_in(volume_block(held).encode(), "page")
    assert back is not None
    assert held.step == pytest.approx(float(np.ptp(values)) / 65535)
    assert np.abs(back.values - values).max() <= 0.51 * held.step
    assert dict(volume_rows(held))["Values"].startswith("rounded to steps")


def test_a_constant_volume_is_held() -> None:
    volume = Volume(np.full((2, 2, 2), 0.25, np.float32), turned_models.oblique((2, 2, 2)), "intensity")
    back = volume_in(volume_block(carried(volume, 8)).encode(), "page")
    assert back is not None
    assert (back.values == 0.25).all()


@pytest.mark.parametrize("most", [1, 30, 200, 1000])
def test_averages_are_where_their_voxels_were(most: int) -> None:
    """A linear volume has at the middle of every whole block the value that its place has."""
    shape = (9, 8, 12)
    grid = turned_models.oblique(shape)
    k, j, i = np.indices(shape)
    lps = grid.lps(np.stack([i, j, k], -1).reshape(-1, 3).astype(np.float64))
    values = (lps @ (3000, -2000, 1000)).reshape(shape).astype(np.float32)
    held = carried(Volume(values, grid, "intensity"), most)
    assert held.codes.size <= most
    d, h, w = held.grid.shape
    bi, bj, bk = held.blocks
    kk, jj, ii = (a.ravel() for a in np.indices((d, h, w)))
    whole = ((ii + 1) * bi <= 12) & ((jj + 1) * bj <= 8) & ((kk + 1) * bk <= 9)
    there = held.grid.lps(np.stack([ii, jj, kk], -1).astype(np.float64)) @ (3000, -2000, 1000)
    got = held.codes.ravel() * held.step + held.offset
    assert np.abs(got - there)[whole].max(initial=0) < held.step + 1e-3
    assert held.blocks == (1, 1, 1) or "averages" in dict(volume_rows(held))["In this page"]


def test_the_finest_axis_is_averaged_first() -> None:
    grid = Grid((10, 64, 64), np.diag([0.0005, 0.0005, 0.005, 1]))
    held = carried(Volume(np.zeros((10, 64, 64), np.int16), grid, "hu", "CT"), 10 * 32 * 32)
    assert held.blocks == (2, 2, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"int16"', b'"object"'),
        (b'"hu"', b'"volts"'),
        (b'"shape":[', b'"shape":[-'),
        (b'"shape":[', b'"shape":[99999,'),
        (b'"offset":', b'"other":'),
        (b'"lps_from_voxel":[[', b'"lps_from_voxel":[[1,'),
        (b'"step":1.0', b'"step":"x"'),
        (b'{"shape"', b'[{"shape"'),
    ],
)
def test_damaged_notes_are_refused(old: bytes, new: bytes) -> None:
    page = volume_block(carried(turned_models.head().volume or pytest.fail("no volume"), 10**6)).encode()
    assert old in page
    with pytest.raises(InputError):
        volume_in(page.replace(old, new), "page")


def test_a_page_of_a_scan_is_read_back(tmp_path: Path) -> None:
    scene, path = turned_models.head(), tmp_path / "head.html"
    registry.write(scene, path, ExportOptions())
    back = registry.read_scene(path)
    assert back.volume is not None
    assert scene.volume is not None
    assert np.array_equal(back.volume.values, scene.volume.values)
    assert back.frame is Frame.PATIENT_LPS
    assert [node.finish for node in back.nodes] == [node.finish for node in scene.nodes]
    assert back.pins == scene.pins
    assert b"Not for diagnosis" in path.read_bytes()


def test_the_kind_of_the_page_follows_from_what_is_in_it() -> None:
    scene = turned_models.head()
    stripped = dataclasses.replace(
        scene,
        volume=None,
        pins=(),
        nodes=tuple(dataclasses.replace(node, finish=None) for node in scene.nodes),
    )
    assert b'id="tissues"' not in html.page_of_scene(stripped)
    pinned = dataclasses.replace(stripped, pins=scene.pins)
    for shown in (scene, dataclasses.replace(scene, volume=None), pinned):
        page = html.page_of_scene(shown)
        assert b'id="tissues"' in page
        assert (b'id="scan-codes"' in page) is (shown.volume is not None)
        glb_page = html.page_of_glb(glb.glb_bytes(shown, ExportOptions()), "a.glb")
        assert b'id="tissues"' in glb_page
        if shown.volume is None:
            assert glb_page == page


def test_fewer_voxels_can_be_asked_for() -> None:
    page = html.page_of_scene(turned_models.head(), ExportOptions(page_voxels=1000))
    assert b"averages of" in page
    back = volume_in(page, "page")
    assert back is not None
    assert back.values.size <= 1000


def test_pins_and_finishes_survive_hostile_words(tmp_path: Path) -> None:
    scene = turned_models.head()
    words = "</script><img src=x onerror=alert(1)> @@SCENE@@ é\u202e"
    node = Node(words, scene.nodes[0].item, finish=Finish((1, 2, 3), 0.5))
    hostile = dataclasses.replace(scene, nodes=(node,), pins=(Pin(words, (0.0, 0.0, 0.0), words, words),))
    page = html.page_of_scene(hostile)
    inside = re.search(rb'<script type="text/plain" id="scene">([^<]*)</script>', page)
    assert inside
    assert base64.b64decode(inside[1])
    path = tmp_path / "a.html"
    path.write_bytes(page)
    assert html.read(path).pins == hostile.pins
