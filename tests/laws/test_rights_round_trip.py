"""What is said of rights survives every format: written, read again by ``inspect``, it is the same."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import rooms, scenes
from tests.stereo_pairs import a_pair

from unflat.formats import mpo, spatial_heic, vr180_photo
from unflat.formats.film_join import join
from unflat.formats.film_read import open_clip
from unflat.formats.film_write import EncodeOptions, SegmentWriter
from unflat.formats.image import read_image, write_image
from unflat.formats.outlet import SealOptions
from unflat.formats.picture_story import film_words, picture_words
from unflat.formats.provenance_text import to_plain
from unflat.formats.registry import ExportOptions, write
from unflat.formats.told_rights import all_rights, json_ld, packet, promises
from unflat.formats.video import write_film
from unflat.formats.xmp_rights import rights_and_reserved
from unflat.pipelines.inspect import inspect
from unflat.trust.label import AI_LABEL, SCHEME
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image, Size
from unflat.types.occupancy import Occupancy
from unflat.types.provenance import Provenance, Reservation, Rights, Source

FORBIDDEN = (
    Reservation("ai", "XMP plus:DataMining", "DMI-PROHIBITED-GENAIMLTRAINING"),
    Reservation("derivatives", "XMP licence", "https://creativecommons.org/licenses/by-nd/4.0/"),
)
BY_ND = "https://creativecommons.org/licenses/by-nd/4.0/"
RIGHTS = Rights("Ada Ørsted", '© 2026 "Ada" <Ørsted> & Co', BY_ND, "ask first|end_header")
STORY = dataclasses.replace(
    scenes.provenance(invented=True),
    sources=(Source("a & <b>.jpg", "ab" * 32, "jpeg", RIGHTS, reserved=FORBIDDEN), Source("c.png", None, "png")),
    leave="I took it myself",
    converter="A museum",
    subject="a stone lion",
    urn="urn:c2pa:8fdc5c4a-6d7e-4d43-9ea8-7f1d6c3a2b10",
)
PROMISED = promises(STORY)
BARE = ExportOptions(seal=SealOptions(sign=False))
"""Signing writes the name of its own manifest."""
SCENES = {
    ".glb": scenes.textured_scene,
    ".gltf": scenes.textured_scene,
    ".usdz": scenes.textured_scene,
    ".ply": scenes.coloured_scene,
    ".splat.ply": scenes.splat_scene,
    ".spz": scenes.splat_scene,
    ".pcd": scenes.cloud_scene,
    ".obj": scenes.textured_scene,
    ".stl": scenes.relief_scene,
    ".3mf": scenes.relief_scene,
    ".html": scenes.textured_scene,
}


def promised(told: dict[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in PROMISED}


def flat() -> Image:
    return Image(np.full((48, 64, 3), 120, np.uint8), source=STORY.sources[0])


def test_the_promises_are_all_there() -> None:
    said = PROMISED["rights_statement"]
    assert said["photographer"] == RIGHTS.creator
    assert (said["converter"], said["subject"], said["leave"]) == ("A museum", "a stone lion", "I took it myself")
    assert [one["forbids"] for one in said["reserved"]] == ["ai", "derivatives"]
    assert PROMISED["label"] == AI_LABEL
    assert [row["name"] for row in PROMISED["materials"]] == ["unflat 0.1.0", "worlds"]


@pytest.mark.parametrize("suffix", SCENES)
def test_scenes(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write(dataclasses.replace(SCENES[suffix](), provenance=STORY), path, BARE)
    told = inspect(path)
    assert promised(told) == PROMISED
    assert told["provenance"] == to_plain(STORY)


@pytest.mark.parametrize("suffix", [".png", ".exr", ".npy", ".pfm", ".jpg"])
def test_depth(suffix: str, tmp_path: Path) -> None:
    values = np.linspace(1, 2, 48 * 64, dtype=np.float32).reshape(48, 64)
    write(DepthMap(values, DepthKind.METRIC, np.ones((48, 64), bool), provenance=STORY), tmp_path / f"a{suffix}", BARE)
    assert promised(inspect(tmp_path / f"a{suffix}")) == PROMISED


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_pictures(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(flat(), path, text=picture_words(STORY))
    told = inspect(path)
    assert promised(told) == PROMISED
    assert told["rights"] == dataclasses.asdict(RIGHTS)
    assert {one["forbids"] for one in told["reserved"]} == {"ai", "derivatives"}


@pytest.mark.parametrize("kind", ["mpo", "vr.jpg", "heic"])
def test_stereo_containers(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "heic":
        pytest.importorskip("av")
    module = {"mpo": mpo, "vr.jpg": vr180_photo, "heic": spatial_heic}[kind]
    module.write(a_pair(64, 64), path, text=picture_words(STORY))
    assert promised(inspect(path)) == PROMISED
    assert {one.forbids for one in read_image(path).source.reserved} == {"ai", "derivatives"}


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp", ".png"])
def test_films(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    frames = [np.full((64, 64, 3), 40 * n, np.uint8) for n in range(1, 4)]
    (path, *_) = write_film(frames, tmp_path / f"a{suffix}", 10, film_words(STORY))
    assert promised(inspect(path)) == PROMISED


def test_the_packet_says_to_others_what_the_sources_said() -> None:
    rights, reserved, note = rights_and_reserved(packet(STORY))
    assert note is None
    assert rights == RIGHTS
    assert {(one.forbids, one.words.split(":")[0]) for one in reserved} >= {
        ("ai", "DMI-PROHIBITED-GENAIMLTRAINING"),
        ("derivatives", "https"),
    }
    assert SCHEME + "compositeWithTrainedAlgorithmicMedia" in packet(STORY)
    assert STORY.urn is not None
    assert STORY.urn in packet(STORY)


def test_the_packet_of_a_story_without_rights() -> None:
    bare = Provenance((Source("\udcff\x01.jpg", None, "jpeg"),), (), "1", False)
    assert rights_and_reserved(packet(bare)) == (Rights(), (), None)
    assert all_rights(bare) == Rights()


def test_gltf_has_a_packet_of_its_own(tmp_path: Path) -> None:
    write(dataclasses.replace(scenes.textured_scene(), provenance=STORY), tmp_path / "a.gltf", BARE)
    document = json.loads((tmp_path / "a.gltf").read_text("utf-8"))
    assert document["asset"]["extensions"] == {"KHR_xmp_json_ld": {"packet": 0}}
    assert document["extensions"]["KHR_xmp_json_ld"]["packets"] == [json_ld(STORY)]
    said = json_ld(STORY)
    assert set(said["@context"]) - {"rdf"} == {name.split(":")[0] for name in said if name != "@context"}
    assert said["dc:creator"] == {"@list": ["Ada Ørsted"]}
    assert said["dc:rights"]["rdf:_1"]["@value"] == RIGHTS.copyright
    assert RIGHTS.copyright is not None
    assert RIGHTS.copyright in document["asset"]["copyright"]


def test_headers_that_people_read(tmp_path: Path) -> None:
    write(dataclasses.replace(scenes.coloured_scene(), provenance=STORY), tmp_path / "a.ply", BARE)
    head = (tmp_path / "a.ply").read_bytes().split(b"end_header\n")[0].decode("ascii")
    assert f"comment label |{AI_LABEL}|" in head
    assert "comment creator |Ada ?rsted|" in head
    assert 'comment copyright |(c) 2026 "Ada" <?rsted> & Co|' in head
    assert "comment terms of use |ask first/end_header|" in head


def test_the_head_of_a_page(tmp_path: Path) -> None:
    write(dataclasses.replace(scenes.textured_scene(), provenance=STORY), tmp_path / "a.html", BARE)
    page = (tmp_path / "a.html").read_text("utf-8")
    for line in (
        '<meta name="author" content="Ada Ørsted">',
        '<meta name="robots" content="noai, noimageai">',
        '<meta name="tdm-reservation" content="1">',
        f'<meta name="dcterms.type" content="{AI_LABEL}">',
    ):
        assert line in page
    assert "<dt>Photographer</dt><dd>Ada Ørsted</dd>" in page
    assert "<dt>Converter</dt><dd>A museum</dd>" in page


@pytest.mark.parametrize("suffix", [".tum", ".colmap", ".nerfstudio"])
def test_cameras(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write(dataclasses.replace(rooms.reconstruction(), provenance=STORY), path, BARE)
    told = inspect(path)
    assert promised(told) == PROMISED
    assert told["provenance"] == to_plain(STORY)


@pytest.mark.parametrize("suffix", [".yaml", ".pgm"])
def test_floors(suffix: str, tmp_path: Path) -> None:
    cells = np.zeros((8, 6), np.int8)
    write(Occupancy(cells, 0.05, 0.0, 0.0, provenance=STORY), tmp_path / f"a{suffix}", BARE)
    assert promised(inspect(tmp_path / f"a{suffix}")) == PROMISED


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_long_films(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    path, part = tmp_path / f"a{suffix}", tmp_path / "part.mp4"
    with SegmentWriter(part, Size(64, 64), Fraction(1, 1000), EncodeOptions(), fps=Fraction(10)) as writer:
        for number in range(3):
            writer.write(np.full((64, 64, 3), 40 * number, np.uint8), Fraction(number, 10))
    join([part], None, path, told=film_words(STORY))
    assert promised(inspect(path)) == PROMISED
    rights = open_clip(path).source.rights
    assert (rights.creator, rights.copyright, rights.licence) == (RIGHTS.creator, RIGHTS.copyright, RIGHTS.licence)
