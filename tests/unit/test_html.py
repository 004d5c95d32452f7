"""The page that holds everything, as text: what a browser makes of it is in journeys/test_viewer_browser.py."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

import rooms
import scenes
from outline import Outline
from unflat.errors import InputError, OutputError
from unflat.formats import glb, html, registry
from unflat.formats.outlet import SealOptions
from unflat.formats.registry import ExportOptions
from unflat.types import Node, Provenance, Rights, Scale, Scene, Source

HOSTILE = "</title><script>alert(1)</script><img src=\"x\" onerror='y'>&@@SCENE@@\n\x00\u202e.jpg"


def scene_from(source: Source, **changes: object) -> Scene:
    scene = scenes.textured_scene()
    story = dataclasses.replace(scene.provenance, sources=(source,), **changes)
    return dataclasses.replace(scene, provenance=story)


def embedded(page: bytes) -> bytes:
    found = re.search(rb'<script type="text/plain" id="scene">([^<]*)</script>', page)
    assert found
    return base64.b64decode(found[1], validate=True)


@pytest.mark.parametrize("name", [n for n in scenes.SCENES if n != "splats"])
def test_the_page_carries_the_glb_unchanged(name: str) -> None:
    scene = scenes.SCENES[name]()
    assert embedded(html.page_of_scene(scene)) == glb.glb_bytes(scene, ExportOptions())


def test_the_same_scene_gives_the_same_bytes() -> None:
    assert html.page_of_scene(scenes.sky_scene()) == html.page_of_scene(scenes.sky_scene())


def test_a_finished_glb_gives_the_same_page_as_its_scene() -> None:
    scene = scenes.sky_scene()
    data = glb.glb_bytes(scene, ExportOptions())
    assert html.page_of_glb(data, "other name.glb") == html.page_of_scene(scene)


def walked_page() -> bytes:
    return html.page_of_scene(rooms.scene())


def test_what_several_cameras_saw_is_walked_through(tmp_path: Path) -> None:
    page = walked_page()
    assert 'id="map"' in page.decode() and 'id="map"' not in html.page_of_scene(scenes.textured_scene()).decode()
    assert html.page_of_glb(embedded(page), "other.glb") == page
    (tmp_path / "a.html").write_bytes(page)
    back = html.read(tmp_path / "a.html")
    assert [camera.name for camera in back.cameras] == [camera.name for camera in rooms.cameras()]
    assert len(back.tracks) == 1 and back.scale == rooms.scene().scale


def test_a_picture_with_a_camera_that_moves_is_still_a_picture() -> None:
    page = html.page_of_scene(scenes.moving_scene())
    assert 'id="map"' not in page.decode()
    assert 'id="map"' not in html.page_of_glb(embedded(page), "a.glb").decode()


@pytest.mark.parametrize("page", [html.page_of_scene(scenes.textured_scene()), walked_page()], ids=["picture", "walk"])
def test_nothing_outside_the_page_is_named(page: bytes) -> None:
    outline = Outline(page)
    for tag, attributes in outline.tags:
        assert tag not in ("iframe", "object", "embed", "base", "img", "video", "audio", "source")
        for key in ("src", "href", "action", "formaction", "srcset", "poster"):
            assert (attributes.get(key) or "data:").startswith("data:"), (tag, attributes)
        assert not [key for key in attributes if key.startswith("on") or key == "style"], (tag, attributes)


@pytest.mark.parametrize("page", [html.page_of_scene(scenes.textured_scene()), walked_page()], ids=["picture", "walk"])
def test_only_the_built_script_and_style_may_run(page: bytes) -> None:
    outline = Outline(page)
    policy = next(a["content"] for t, a in outline.tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert set(rules["img-src"].split()) | set(rules["connect-src"].split()) <= {"data:", "blob:"}
    for tag in ("script", "style"):
        text = max(outline.text_of(tag), key=len)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    scripts = [attributes for tag, attributes in outline.tags if tag == "script"]
    assert [a.get("type") for a in scripts] == ["text/plain", None]
    position = [tag for tag, a in outline.tags].index("script")
    assert ("meta", "Content-Security-Policy") in [(t, a.get("http-equiv")) for t, a in outline.tags[:position]]


def test_a_hostile_name_is_only_a_name() -> None:
    rights = Rights(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    page = html.page_of_scene(scene_from(Source(HOSTILE, None, "jpeg", rights), warnings=(HOSTILE,), version=HOSTILE))
    plain = Outline(html.page_of_scene(scene_from(Source("a.jpg", None, "jpeg", rights), warnings=("a",))))
    outline = Outline(page)
    assert [t for t, _ in outline.tags] == [t for t, _ in plain.tags]
    assert outline.text_of("title")[0].startswith("</title><script>alert(1)</script>")
    assert "\x00" not in page.decode() and "\u202e" not in page.decode()
    assert glb.glb_bytes(scenes.textured_scene(), ExportOptions())[:4] == embedded(page)[:4]


def test_the_panel_tells_the_whole_story() -> None:
    about = Outline(html.page_of_scene(scenes.coloured_scene())).about
    for text in (
        "generated by a computer",
        "invented",
        "sheet.png",
        "Ada Ørsted",
        "© 2024 Ada Ørsted",
        "CC-BY-4.0",
        "worlds (Apache-2.0)",
        "from a known length (a door, 2.0 m)",
        "0.98 to 1.03",
        "90 %",
        "The focal length is assumed.",
        "2026-01-02T03:04:05Z",
    ):
        assert text in about


def test_an_assumed_scale_is_said_and_unknown_rights_are_not_made_up() -> None:
    scene = scene_from(Source("a.jpg", None, "jpeg"), warnings=())
    scene = dataclasses.replace(scene, scale=Scale("assumed", 0.3, 3.0))
    about = Outline(html.page_of_scene(scene)).about
    assert "Scale assumed. Lengths" in about
    assert "Copyright unknown" in " ".join(about.split()) and "Photographer unknown" in " ".join(about.split())
    assert "seen by no camera" not in about
    assert "What to keep in mind" not in about


def test_a_scene_without_sources_is_still_titled() -> None:
    story = Provenance((), (), "0.1.0", False)
    page = html.page_of_scene(dataclasses.replace(scenes.textured_scene(), provenance=story))
    assert Outline(page).text_of("title")[0] == "Scene"


def test_splats_are_shown_as_points_and_the_page_says_so() -> None:
    page = html.page_of_scene(scenes.splat_scene())
    data = embedded(page)
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    primitive = document["meshes"][0]["primitives"][0]
    kept = scenes.splats().opacities >= 0.1
    assert primitive["mode"] == 0
    assert document["accessors"][primitive["attributes"]["POSITION"]]["count"] == np.count_nonzero(kept)
    assert "shown as points" in Outline(page).about


def test_faint_splats_are_kept_where_there_are_no_others() -> None:
    faint = dataclasses.replace(scenes.splats(), opacities=np.full(200, 0.01, np.float32))
    assert embedded(html.page_of_scene(scenes.scene_of(Node("s", faint))))


def test_a_foreign_glb_claims_nothing() -> None:
    text = json.dumps({"asset": {"version": "2.0"}, "scenes": []}).encode()
    text += b" " * (-len(text) % 4)
    data = struct.pack("<IIIII", 0x46546C67, 2, 20 + len(text), len(text), 0x4E4F534A) + text
    outline = Outline(html.page_of_glb(data, "chair.glb"))
    assert outline.text_of("title")[0] == "chair.glb"
    assert "does not say how it was made" in outline.about
    assert "generated by a computer" not in outline.about


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"glTF",
        bytes(64),
        struct.pack("<IIIII", 0x46546C67, 2, 24, 0xFFFFFFFF, 0x4E4F534A),
        struct.pack("<IIIII", 0x46546C67, 1, 24, 4, 0x4E4F534A) + b"{}  ",
        struct.pack("<IIIII", 0x46546C67, 2, 24, 4, 0x4E4F534A) + b"{x  ",
        struct.pack("<IIIII", 0x46546C67, 2, 24, 4, 0x4E4F534A) + b"\xff\xfe\x00\x00",
        struct.pack("<IIIII", 0x46546C67, 2, 0, 200_000, 0x4E4F534A) + b"[" * 200_000,
    ],
)
def test_what_is_no_glb_is_said(data: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.glb"):
        html.page_of_glb(data, "a.glb")


def test_writing_goes_through_the_table_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "scene.html"
    registry.write(scenes.textured_scene(), path, registry.ExportOptions(seal=SealOptions(sign=False)))
    assert path.read_bytes() == html.page_of_scene(scenes.textured_scene())
    with pytest.raises(OutputError, match="exists"):
        registry.write(scenes.coloured_scene(), path)
    registry.write(scenes.coloured_scene(), path, ExportOptions(force=True, seal=SealOptions(sign=False)))
    assert path.read_bytes() == html.page_of_scene(scenes.coloured_scene())
    assert [p.name for p in tmp_path.iterdir()] == ["scene.html"]
