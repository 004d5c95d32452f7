"""Findings in words, confidence where it is fooled, and the recipe that minds them; marks are made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image as Pil

import unflat
from unflat.cli.main import run
from unflat.errors import ShapeError
from unflat.models import forecast as network
from unflat.models.looking import input_size
from unflat.pipelines.depth import depth_map
from unflat.stages.forecast import BLIND, cleared, doubtful, findings, place
from unflat.types import DepthKind, DepthMap
from unflat.types.forecast import Marks

SHAPE = (60, 80)


def marks(**where: tuple[int, int, int, int]) -> Marks:
    """Marks of 0.9 in boxes (top, bottom, left, right), 0.1 elsewhere."""
    maps = {name: np.full(SHAPE, 0.1, np.float32) for name in ("mirror", "glass", "blank")}
    for name, (top, bottom, left, right) in where.items():
        maps[name][top:bottom, left:right] = 0.9
    return Marks(**maps)


def test_marks_are_of_one_size() -> None:
    with pytest.raises(ShapeError, match="marks of glass"):
        Marks(np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32), np.zeros((2, 3), np.float32))


def test_a_mark_becomes_a_finding_with_place_and_share() -> None:
    (found,) = findings(marks(mirror=(0, 30, 40, 80)), None)
    assert found.trouble == "mirror" and found.strong
    assert found.box == (0.5, 0.0, 1.0, 0.5) and found.share == 0.25
    assert found.confidence == pytest.approx(0.9)
    assert found.text.startswith("top right, 25% of the picture: a mirror")
    assert "--reflections surface" in found.advice


def test_each_kind_is_told_for_itself_and_specks_are_not() -> None:
    found = findings(marks(mirror=(0, 3, 0, 8), glass=(20, 50, 10, 60), blank=(0, 60, 0, 80)), None)
    assert [(one.trouble, one.strong) for one in found] == [("glass", True), ("blank wall", True)]
    assert findings(marks(), None) == ()
    assert findings(marks(blank=(0, 10, 0, 15)), None) == ()


def test_two_panes_are_two_findings_the_larger_first() -> None:
    both = marks(glass=(0, 20, 0, 20))
    glass = both.glass.copy()
    glass[30:60, 40:80] = 0.7
    first, second = findings(Marks(both.mirror, glass, both.blank), None)
    assert first.share > second.share and first.confidence == pytest.approx(0.7)


def test_a_cut_off_subject_is_told_with_its_side() -> None:
    z = np.full(SHAPE, 4.0, np.float32)
    z[20:, 30:55] = 1.0
    (found,) = findings(marks(), DepthMap(z, DepthKind.SCALE))
    assert found.trouble == "cut-off subject" and found.strong
    assert found.text.startswith("at the bottom of the frame")
    inverse = (1 / z).astype(np.float32)
    assert [one.trouble for one in findings(marks(), DepthMap(inverse, DepthKind.DISPARITY))] == ["cut-off subject"]


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0.0, 0.0, 0.2, 0.2), "top left"),
        ((0.4, 0.4, 0.6, 0.6), "middle"),
        ((0.8, 0.4, 1.0, 0.6), "right"),
        ((0.1, 0.8, 0.9, 1.0), "bottom"),
        ((0.0, 0.0, 1.0, 1.0), "nearly everywhere"),
        ((0.0, 0.0, 0.2, 1.0), "left"),
    ],
)
def test_places_have_words(box: tuple[float, float, float, float], words: str) -> None:
    assert place(box) == words


def test_confidence_falls_on_mirrors_and_stays_elsewhere() -> None:
    confidence = np.full((30, 40), 0.8, np.float32)
    zero = np.zeros(SHAPE, np.float32)
    sure = zero.copy()
    sure[:30] = 1.0
    for name in BLIND:
        maps = {"mirror": zero, "glass": zero, "blank": zero, name: sure}
        lowered = doubtful(confidence, Marks(**maps))
        assert lowered[20:] == pytest.approx(0.8, abs=1e-6)
        expected, promised = (-np.log(1.25) / np.log(1 - c) for c in (0.8, lowered[0, 0]))
        assert promised / expected == pytest.approx(BLIND[name], rel=1e-4)
    certain = doubtful(np.array([[0.0, 1.0]], np.float32), Marks(sure, zero, sure))
    assert certain.tolist() == [[0.0, 1.0]]
    assert doubtful(confidence, Marks(zero, zero, sure)) == pytest.approx(confidence, abs=1e-6)


def test_no_wall_in_the_sky_and_nothing_where_there_is_no_picture() -> None:
    seen = marks(mirror=(0, 60, 0, 40), blank=(0, 60, 0, 80))
    sky, alpha = np.zeros((30, 40), np.float32), np.full((120, 160), 255, np.uint8)
    sky[:15], alpha[:, :80] = 1, 0
    same = cleared(seen, None, None)
    assert (same.mirror == seen.mirror).all() and (same.blank == seen.blank).all()
    made = cleared(seen, sky, alpha)
    assert not made.mirror[:, :39].any() and not made.blank[:, :39].any()
    assert not made.blank[:27].any() and made.blank[40:, 41:] == pytest.approx(0.9)
    assert (cleared(seen, sky, None).mirror == seen.mirror).all()


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network sees one mirror in the middle of every picture."""
    monkeypatch.setattr(network, "look_ahead", lambda rgb, threads, device: marks(mirror=(15, 45, 20, 60)))


def picture(folder: Path) -> Path:
    path = folder / "p.png"
    Pil.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)).save(path)
    return path


@pytest.mark.usefixtures("mirrored")
def test_the_command_says_what_will_go_wrong_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(tmp_path)
    assert run(["photo", str(path), "--forecast"]) == 0
    (line, *_) = capsys.readouterr().out.splitlines()
    assert line.startswith("mirror: middle, 25% of the picture")
    assert run(["photo", str(path), "--forecast", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["forecast"][0]["box"] == [0.25, 0.25, 0.75, 0.75]
    assert {"trouble", "share", "confidence", "strong", "text", "advice"} <= set(report["forecast"][0])
    assert run(["photo", str(path), "--forecast", "-o", str(tmp_path / "a.glb")]) == 2
    assert [one.name for one in tmp_path.iterdir()] == ["p.png"]


def test_nothing_found_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(network, "look_ahead", lambda rgb, threads, device: marks())
    np.save(tmp_path / "d.npy", np.full(SHAPE, 2.0, np.float32))
    words = ["photo", str(picture(tmp_path)), "--forecast", "--depth", str(tmp_path / "d.npy"), "--depth-kind"]
    assert run([*words, "metric"]) == 0
    assert capsys.readouterr().out.startswith("No mirror")


@pytest.mark.usefixtures("mirrored")
def test_a_conversion_warns_and_lowers_confidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(tmp_path)
    report = unflat.photo(path).report
    assert any(warning.startswith("mirror: middle") for warning in report["warnings"])
    assert report["forecast"][0]["trouble"] == "mirror"
    lowered = unflat.depth(path)
    assert depth_map(path).report["forecast"][0]["trouble"] == "mirror"
    monkeypatch.setattr(network, "look_ahead", lambda rgb, threads, device: marks())
    before = unflat.depth(path)
    assert lowered.confidence is not None and before.confidence is not None
    middle, corner = ((1 - lowered.confidence[at]) / (1 - before.confidence[at]) for at in ((30, 40), (2, 2)))
    assert middle > 3 and corner == pytest.approx(1, rel=0.05)
    assert not any("mirror" in warning for warning in unflat.photo(path).report["warnings"])


@pytest.mark.usefixtures("mirrored")
def test_reflections_are_built_flat_only_when_asked(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:60, :80]
    wall = 1 / (0.3 + 0.001 * columns)
    into = np.where((abs(rows - 29.5) < 15) & (abs(columns - 39.5) < 20), wall * 2, wall).astype(np.float32)
    np.save(tmp_path / "d.npy", into)
    how = {"depth": str(tmp_path / "d.npy"), "depth_kind": "metric", "fov": 60}
    path = picture(tmp_path)
    kept = unflat.photo(path, **how).depth.z
    flat = unflat.photo(path, reflections="surface", **how).depth.z
    assert kept[30, 40] == pytest.approx(2 * wall[30, 40], rel=1e-3)
    assert flat[30, 40] == pytest.approx(wall[30, 40], rel=1e-3)
    assert flat[5, 5] == kept[5, 5]


def test_asked_for_in_vain_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "look_ahead", lambda rgb, threads, device: marks())
    np.save(tmp_path / "d.npy", np.full(SHAPE, 2.0, np.float32))
    how = {"depth": str(tmp_path / "d.npy"), "depth_kind": "metric", "fov": 60}
    report = unflat.photo(picture(tmp_path), reflections="surface", **how).report
    assert any("No mirror or pane was made flat" in warning for warning in report["warnings"])


def test_the_shipped_network_answers_at_a_quarter_of_its_input() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    seen = network.look_ahead(rgb, 1)
    size = input_size(unflat.Size(160, 90), network.LONG_SIDE)
    assert (seen.size.width, seen.size.height) == (size.width // 4, size.height // 4)
    assert network.CARD.kind is None and network.CARD.gives == ("mirror", "glass", "blank wall")
    for map_ in (seen.mirror, seen.glass, seen.blank):
        assert (map_ >= 0).all() and (map_ <= 1).all()


def test_a_mirrored_picture_has_mirrored_marks() -> None:
    picture = np.asarray(skimage.data.astronaut())[:384, :512]
    marks, other = (network.look_ahead(p, 1) for p in (picture, np.ascontiguousarray(picture[:, ::-1])))
    for name in ("mirror", "glass", "blank"):
        np.testing.assert_allclose(getattr(other, name)[:, ::-1], getattr(marks, name), atol=1e-5)
    assert marks.blank.std() > 0.01
