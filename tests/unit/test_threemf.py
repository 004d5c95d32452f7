"""3MF: valid to other people's readers, closed bodies only, and no trust in zip or XML."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh

import mutate
import scenes
from unflat.errors import InputError
from unflat.formats import threemf
from unflat.formats.registry import ExportOptions
from unflat.formats.solid import volume
from unflat.formats.threemf_model import CORE, MODEL_TYPE, RELATIONSHIPS
from unflat.types import Mesh, Node, Provenance, Rights, Scene, Source

OPTIONS = ExportOptions()
TETRA = (
    '<mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="1" y="0" z="0"/><vertex x="0" y="1" z="0"/>'
    '<vertex x="0" y="0" z="1"/></vertices><triangles><triangle v1="0" v2="2" v3="1"/><triangle v1="0" v2="1" v3="3"/>'
    '<triangle v1="1" v2="2" v3="3"/><triangle v1="0" v2="3" v3="2"/></triangles></mesh>'
)
RELS = (
    f'<Relationships xmlns="{RELATIONSHIPS}"><Relationship Target="/3D/m.model" Id="a" Type="{MODEL_TYPE}"/>'
    "</Relationships>"
)


def ball(at: tuple[float, float, float] = (0.02, -0.03, 0.4)) -> Mesh:
    body = trimesh.creation.icosphere(2, 0.05)
    return Mesh((body.vertices + at).astype(np.float32), body.faces.astype(np.uint32))


def two_balls() -> Scene:
    return scenes.scene_of(Node("relief", ball()), Node("second <&\"'> body", ball((1, 0, 1))))


def written(scene: Scene, folder: Path) -> Path:
    path = folder / "body.3mf"
    threemf.write(scene, path, OPTIONS)
    return path


def package(resources: str, build: str, *, head: str = "", unit: str = "", rels: str = RELS) -> bytes:
    parts = f"<resources>{resources}</resources><build>{build}</build>"
    model = f'<?xml version="1.0"?>{head}<model {unit} xmlns="{CORE}">{parts}</model>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("_rels/.rels", rels)
        archive.writestr("3D/m.model", model)
    return out.getvalue()


def meshes(scene: Scene) -> list[Mesh]:
    return [node.item for node in scene.nodes if isinstance(node.item, Mesh)]


def test_it_comes_back_with_names_places_and_story(tmp_path: Path) -> None:
    scene = two_balls()
    read = threemf.read(written(scene, tmp_path))
    assert [node.name for node in read.nodes] == [node.name for node in scene.nodes]
    assert read.provenance == scene.provenance and read.scale == scene.scale
    for ours, theirs in zip(meshes(scene), meshes(read), strict=True):
        np.testing.assert_array_equal(theirs.faces, ours.faces)
        np.testing.assert_allclose(theirs.vertices, ours.vertices, atol=1e-7)


def test_the_parts_are_those_of_the_specification(tmp_path: Path) -> None:
    path = written(two_balls(), tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"]
        model = archive.read("3D/3dmodel.model").decode("utf-8")
    assert 'unit="millimeter"' in model
    assert '<metadata name="Designer">Ada Ørsted</metadata>' in model
    assert '<metadata name="Copyright">© 2024 Ada Ørsted</metadata>' in model
    assert '<metadata name="unflat:story">' in model and "xmlns:unflat=" in model
    again = tmp_path / "again"
    again.mkdir()
    assert written(two_balls(), again).read_bytes() == path.read_bytes(), "no time inside"


def test_trimesh_reads_watertight_bodies_on_the_plate(tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    pytest.importorskip("networkx")
    loaded = trimesh.load_scene(written(two_balls(), tmp_path))
    assert loaded.units == "millimeter"
    bodies = loaded.dump()
    assert [body.is_watertight for body in bodies] == [True, True]
    assert sum(body.volume for body in bodies) == pytest.approx(2e9 * volume(ball()), rel=1e-5)
    np.testing.assert_allclose(loaded.bounds[0], 0, atol=1e-5)


def test_the_consortium_s_own_library_finds_nothing_wrong(tmp_path: Path) -> None:
    lib3mf = pytest.importorskip("lib3mf")
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(written(two_balls(), tmp_path)))
    assert reader.GetWarningCount() == 0
    found = model.GetMeshObjects()
    count = 0
    while found.MoveNext():
        assert found.GetCurrentMeshObject().IsManifoldAndOriented()
        count += 1
    assert count == 2


def test_words_that_xml_cannot_hold_do_not_break_it(tmp_path: Path) -> None:
    plain = scenes.scene_of(Node("a\x00b\ud800<&>\uffff", ball()))
    rights = Rights("]]></metadata>&lt;", "\x0b©", "<CC>")
    story = Provenance((Source("a\x1b.png", None, "png", rights),), (), "0", False)
    read = threemf.read(written(Scene(plain.nodes, (), plain.frame, plain.scale, story), tmp_path))
    assert read.nodes[0].name == "a?b?<&>?"
    assert read.provenance.rights.creator == "]]></metadata>&lt;"


def test_open_sheets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="open") as caught:
        written(scenes.textured_scene(), tmp_path)
    assert "relief" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_units_components_and_mirrors_of_others_are_read(tmp_path: Path) -> None:
    resources = (
        f'<object id="7">{TETRA}</object><object id="8"><components><component objectid="7"/>'
        '<component objectid="7" transform="-1 0 0 0 1 0 0 0 1 5 0 0"/></components></object>'
    )
    build = '<item objectid="8" transform="2 0 0 0 2 0 0 0 2 0 0 0"/>'
    path = tmp_path / "foreign.3mf"
    path.write_bytes(package(resources, build, unit='unit="inch"'))
    scene = threemf.read(path)
    for mesh in meshes(scene):
        assert volume(mesh) == pytest.approx(8 / 6 * 0.0254**3, rel=1e-5), "mirrored faces are turned back"
    assert meshes(scene)[1].vertices[:, 0].max() == pytest.approx(10 * 0.0254)
    assert scene.scale.assumed


BOX = f'<object id="1">{TETRA}</object>'
ITEM = '<item objectid="1"/>'
DTD = '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]>'
CIRCLE = '<object id="1"><components><component objectid="1"/></components></object>'
LAUGHS = BOX + "".join(
    f'<object id="{i}"><components>' + f'<component objectid="{i - 1}"/>' * 20 + "</components></object>"
    for i in range(2, 12)
)
FOUL = {
    "empty": (b"", "not a 3MF"),
    "garbage": (b"PK\x03\x04" + bytes(200), "not a 3MF"),
    "no relationships": (b"PK\x05\x06" + bytes(18), "not a 3MF"),
    "no model named": (package(BOX, ITEM, rels=f'<Relationships xmlns="{RELATIONSHIPS}"/>'), "names no model"),
    "model outside": (package(BOX, ITEM, rels=RELS.replace("/3D/m", "/../../etc/passwd")), "not a 3MF"),
    "entities": (package(BOX, ITEM, head=DTD), "document type"),
    "nothing built": (package(BOX, ""), "nothing to print"),
    "missing object": (package(BOX, '<item objectid="9"/>'), "not there"),
    "circle": (package(CIRCLE, ITEM), "not there, or too many"),
    "a billion bodies": (package(LAUGHS, '<item objectid="11"/>'), "too many"),
    "far vertex": (package(BOX.replace('v3="3"', 'v3="4"'), ITEM), "not there"),
    "negative vertex": (package(BOX.replace('v3="3"', 'v3="-1"'), ITEM), "no number"),
    "nan": (package(BOX.replace('x="1"', 'x="nan"'), ITEM), "no number"),
    "huge": (package(BOX.replace('x="1"', 'x="1e300"'), ITEM), "impossible"),
    "no y": (package(BOX.replace('y="1"', ""), ITEM), "no number"),
    "short transform": (package(BOX, '<item objectid="1" transform="1 0 0"/>'), "twelve"),
    "unknown unit": (package(BOX, ITEM, unit='unit="parsec"'), "unit"),
    "not closed": (package(BOX, "<item>"), "damaged"),
    "too deep": (package(BOX + "<a>" * 100 + "</a>" * 100, ITEM), "too deep"),
}


@pytest.mark.parametrize("case", FOUL)
def test_foul_files_are_refused(tmp_path: Path, case: str) -> None:
    data, match = FOUL[case]
    mutate.refused(threemf.read, tmp_path / "foul.3mf", data, match)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("_rels/.rels", RELS)
        with archive.open("3D/m.model", "w", force_zip64=True) as part:
            for _ in range(300):
                part.write(b" " * (1 << 20))
    mutate.refused(threemf.read, tmp_path / "bomb.3mf", out.getvalue(), "unpacks to more")


def test_damaged_copies_never_break_the_reader(tmp_path: Path) -> None:
    mutate.survives(threemf.read, tmp_path / "broken.3mf", written(two_balls(), tmp_path).read_bytes())


def test_damaged_xml_never_breaks_the_reader(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package(BOX, ITEM))) as archive:
        model = archive.read("3D/m.model")

    def read(path: Path) -> Scene:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("_rels/.rels", RELS)
            archive.writestr("3D/m.model", path.read_bytes())
        package_path = path.with_suffix(".3mf")
        package_path.write_bytes(out.getvalue())
        return threemf.read(package_path)

    mutate.survives(read, tmp_path / "broken.model", model)
