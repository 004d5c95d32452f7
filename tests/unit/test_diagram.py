"""Drawn cells and organisms become nested solids: one for each region that was drawn, closed, apart from each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import manifold3d
import numpy as np
import pytest
import trimesh
from tests import drawn_cells

import unflat
from unflat.errors import InputError
from unflat.formats.solid import check_solid
from unflat.pipelines.diagram import DiagramResult
from unflat.stages.read_diagram import ReadOptions, read_diagram
from unflat.types.diagram import Diagram
from unflat.types.image import Image
from unflat.types.mesh import Mesh


def tree_of(diagram: Diagram, drawing: drawn_cells.Drawing) -> dict[str, str | None]:
    """What lies in what, by the names that were drawn; what was not drawn keeps the name that it was given."""
    insides = {region.number: np.asarray(diagram.inside(region.number)) for region in diagram.regions}
    names: dict[int | None, str | None] = {None: None}
    names.update({region.number: region.name for region in diagram.regions})
    for number, name in drawn_cells.matched(drawing, insides).items():
        names[number] = name
    return {names[r.number] or "": names[r.parent] for r in diagram.regions if not r.line}


@pytest.mark.parametrize("number", range(10))
def test_every_region_is_found_where_it_was_drawn(number: int) -> None:
    """All ten, every other one in outlines only; benchmarks/diagrams.py has all of them in all looks."""
    drawing, look = drawn_cells.ALL[number](), ("lines", "filled")[number % 2]
    picture = drawn_cells.printed(drawing, look, labels=False).picture
    assert tree_of(read_diagram(Image(picture), ReadOptions()), drawing) == drawing.tree


@pytest.mark.parametrize("draw", [drawn_cells.animal_cell, drawn_cells.bacterium], ids=["animal cell", "bacterium"])
def test_every_region_becomes_a_solid_apart_from_the_others(draw: Callable[[], drawn_cells.Drawing]) -> None:
    drawing = draw()
    result = unflat.photo(drawn_cells.printed(drawing, labels=False).picture, style="diagram")
    assert isinstance(result, DiagramResult)
    nodes = [n for n, region in zip(result.nodes, result.diagram.regions, strict=True) if not region.line]
    assert len(nodes) == len(drawing.parts)
    solids = []
    for node in result.nodes:
        assert isinstance(node.item, Mesh)
        check_solid(node.item, node.name)
        seen = trimesh.Trimesh(node.item.vertices, node.item.faces, process=False)
        assert seen.is_watertight and seen.is_winding_consistent and seen.volume > 0
        solid = manifold3d.Manifold(manifold3d.Mesh(node.item.vertices.copy(), node.item.faces.copy()))
        assert solid.status() == manifold3d.Error.NoError
        solids.append(solid)
    whole = sum(solid.volume() for solid in solids)
    united = manifold3d.Manifold.batch_boolean(solids, manifold3d.OpType.Add)
    assert united.volume() == pytest.approx(whole, rel=1e-5)  # none goes through another
    extent = united.bounding_box()
    assert max(extent[3] - extent[0], extent[4] - extent[1]) == pytest.approx(0.2, rel=0.03)


def test_a_disc_becomes_a_ball() -> None:
    page = np.full((600, 800, 3), 255, np.uint8)
    cv2.circle(page, (400, 300), 150, (60, 120, 200), -1, cv2.LINE_AA)
    result = unflat.photo(page, style="diagram")
    (node,) = result.scene.nodes
    assert isinstance(node.item, Mesh)
    side = np.ptp(node.item.vertices, axis=0)
    assert side == pytest.approx([0.2, 0.2, 0.2], rel=0.04)
    assert node.finish is not None and np.abs(np.subtract(node.finish.color, (60, 120, 200))).max() <= 3


def test_a_ring_stays_a_ring() -> None:
    page = np.full((600, 800, 3), 255, np.uint8)
    cv2.circle(page, (400, 300), 200, (60, 120, 200), -1, cv2.LINE_AA)
    cv2.circle(page, (400, 300), 90, (255, 255, 255), -1, cv2.LINE_AA)
    (node,) = unflat.photo(page, style="diagram").scene.nodes
    assert isinstance(node.item, Mesh)
    assert trimesh.Trimesh(node.item.vertices, node.item.faces, process=False).euler_number == 0


def test_nothing_to_make_solids_of_is_said() -> None:
    page = np.full((300, 400, 3), 255, np.uint8)
    with pytest.raises(InputError, match="no outline"):
        unflat.photo(page, style="diagram")
    cv2.line(page, (40, 40), (350, 260), (0, 0, 0), 3, cv2.LINE_AA)
    with pytest.raises(InputError, match="no outline"):
        unflat.photo(page, style="diagram")


def test_what_a_diagram_cannot_become_is_said() -> None:
    page = drawn_cells.printed(drawn_cells.amoeba(), labels=False).picture
    with pytest.raises(InputError, match="solids"):
        unflat.depth(page, style="diagram")
    with pytest.raises(InputError, match="depth"):
        unflat.photo(page, style="diagram", depth="ramp")
    result = unflat.photo(page, style="diagram")
    with pytest.raises(InputError, match="splats"):
        result.save("cell.splat.ply")


@pytest.mark.parametrize("scan", [False, True], ids=["printed", "scanned"])
def test_labels_become_pins_where_their_leaders_end(tmp_path: Path, scan: bool) -> None:
    drawing = drawn_cells.animal_cell()
    printed = drawn_cells.printed(drawing)
    picture = drawn_cells.scanned(printed.picture) if scan else printed.picture
    tips = [tip for _, tip, _ in printed.tips]
    wanted = drawn_cells.turned_points(tips, drawing.size) if scan else tips
    file = tmp_path / "labels.json"
    texts = [text for text, _, _ in printed.tips]
    file.write_text(json.dumps([{"text": texts[0], "detail": "the outermost"}, *texts[1:]]))
    result = unflat.photo(picture, style="diagram", pins=file)
    pins = result.scene.pins
    assert [pin.text for pin in pins] == texts
    assert pins[0].detail == "the outermost"
    lens = result.camera.intrinsics
    metres = 0.2 / max(np.ptp(np.flatnonzero(drawing.mask(drawing.parts[0]).any(axis=k))) + 1 for k in (0, 1))
    for pin, flag, (x, y) in zip(pins, result.report["diagram"]["pins"], wanted, strict=True):
        assert np.hypot(flag["at_px"][0] - x, flag["at_px"][1] - y) < 3
        assert pin.node == pin.text
        if not scan:
            assert pin.at[:2] == pytest.approx([(x - lens.cx) * metres, (y - lens.cy) * metres], abs=4 * metres)


def test_notes_name_regions_by_pixel_and_what_they_cannot_is_said(tmp_path: Path) -> None:
    page = np.full((600, 800, 3), 255, np.uint8)
    cv2.circle(page, (400, 300), 150, (60, 120, 200), -1, cv2.LINE_AA)
    file = tmp_path / "labels.json"
    told = {"labels": [{"text": "Middle", "at_px": [400, 300]}], "regions": [{"name": "yolk", "at_px": [420, 310]}]}
    file.write_text(json.dumps(told))
    scene = unflat.photo(page, style="diagram", pins=file).scene
    assert scene.nodes[0].name == "yolk"
    assert (scene.pins[0].text, scene.pins[0].node) == ("Middle", "yolk")
    for bad in (
        '{"labels": 3}',
        "{",
        '[{"text": ""}]',
        '[{"text": "a", "at_px": [1, 1]}]',
        '[{"text": "a", "node": "b"}]',
    ):
        file.write_text(bad)
        with pytest.raises(InputError):
            unflat.photo(page, style="diagram", pins=file)


def test_a_photograph_is_no_drawing() -> None:
    """It becomes something, and is told what it looks like; a drawing in outline has colours that were made up."""
    skimage_data = pytest.importorskip("skimage.data")
    told = unflat.photo(np.asarray(skimage_data.coffee())[::2, ::2], style="diagram").report["warnings"]
    assert any("looks like a photograph" in word for word in told)
    drawing = drawn_cells.printed(drawn_cells.ALL[8](), "lines").picture
    told = unflat.photo(drawing, style="diagram").report["warnings"]
    assert any("made up: they were drawn in outline" in word for word in told)
    assert not any("photograph" in word for word in told)
