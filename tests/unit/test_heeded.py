"""What is asked for and cannot be heeded is said, in a note or as an error; nothing is passed over in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.cli.main import run
from unflat.formats.gpano import GPANO
from unflat.formats.image import read_image
from unflat.pipelines.depth import DepthMapOptions, depth_map
from unflat.pipelines.flat import from_keywords
from unflat.pipelines.photo import PhotoOptions, photo, take_in
from unflat.types import Image
from unflat.types.image import PanoramaRecord

GREY = np.full((32, 40, 3), 120, np.uint8)


def told(image: Image, **words: Any) -> list[str]:
    return take_in(image, from_keywords(PhotoOptions(), words)).lineage.warnings


@pytest.mark.parametrize(("share", "wider"), [(0.005, False), (0.1, True)])
def test_an_extension_of_less_than_a_pixel_is_said_to_be_none(share: float, wider: bool) -> None:
    words = {"depth": "ramp", "familiar": False, "extend": share}
    result = photo(Image(GREY), from_keywords(PhotoOptions(), words))
    assert (result.picture.size.width > 40) == wider
    warned = [text for text in result.report["warnings"] if "--extend" in text]
    assert bool(warned) == (not wider)
    steps = [step["name"] for step in result.report["provenance"]["steps"]]
    assert ("extend_picture" in steps) == wider


def test_a_style_for_a_panorama_is_said_to_be_of_no_use() -> None:
    around = Image(np.full((64, 128, 3), 120, np.uint8))
    assert any("--style drawing" in text for text in told(around, panorama="yes", style="drawing"))
    for style in ("auto", "photo"):
        assert not any("--style" in text for text in told(around, panorama="yes", style=style))
    assert not any("--style" in text for text in told(around, panorama="no", style="drawing"))


def test_a_panorama_that_is_not_understood_is_said_to_be_one() -> None:
    record = Image(GREY, panorama=PanoramaRecord("fisheye"))
    assert any("fisheye" in text for text in told(record))
    assert not any("fisheye" in text for text in told(record, panorama="no"))


def test_a_turned_file_does_not_lose_its_panorama_in_silence(tmp_path: Path) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:GPano="{GPANO}" GPano:ProjectionType="equirectangular"/></rdf:RDF></x:xmpmeta>'
    )
    for turn, lost in ((1, False), (6, True)):
        exif = Pil.Exif()
        exif[0x0112] = turn
        Pil.fromarray(GREY).save(tmp_path / "p.jpg", exif=exif, xmp=packet.encode())
        image = read_image(tmp_path / "p.jpg")
        assert (image.panorama is None) == lost == any("GPano" in note for note in image.notes)


@pytest.mark.parametrize(("name", "lost"), [("d.png", True), ("d.npy", True), ("d.exr", False)])
def test_confidence_that_a_depth_file_lost_is_missed(tmp_path: Path, name: str, lost: bool) -> None:
    made = depth_map(Image(GREY), from_keywords(DepthMapOptions(), {"depth": "worlds", "threads": 1})).save(
        tmp_path / name
    )
    assert made.depth.confidence is not None
    said = told(Image(GREY), depth=str(tmp_path / name))
    assert any("confidence" in text and name in text for text in said) == lost
    np.save(tmp_path / "bare.npy", np.ones((32, 40), np.float32))
    assert not told(Image(GREY), depth=str(tmp_path / "bare.npy"), depth_kind="metric")


def test_a_forecast_renders_no_eye(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Pil.fromarray(GREY).save(tmp_path / "p.png")
    assert run(["photo", str(tmp_path / "p.png"), "--forecast", "--render-eye", "left"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --forecast") and "hint: " in said
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
