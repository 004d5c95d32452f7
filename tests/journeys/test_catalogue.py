"""A shop's folder becomes things for its page: grouped, made, checked; gone on with; and what fails is said."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.errors import InputError, OutputError
from unflat.formats.image import read_image
from unflat.formats.registry import ExportOptions, read_scene
from unflat.formats.shop import snippet_of
from unflat.pipelines.scan_catalogue import article_of, articles_of, object_files, scan_catalogue
from unflat.pipelines.scan_object import ObjectOptions
from unflat.stages.inflate import InflateOptions
from unflat.stages.stand import StandOptions

QUICK = ObjectOptions(
    front="none", object_triangles=3000, inflate=InflateOptions(cells=48), stand=StandOptions(height_mm=120.0)
)


def save(path: Path, mask: np.ndarray, tone: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rgba = np.dstack([np.full((*mask.shape, 3), tone, np.uint8), mask.astype(np.uint8) * 255])
    Pil.fromarray(rgba).save(path)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    y, x = np.mgrid[:100, :100] + 0.5
    save(tmp_path / "in" / "box_front.png", (abs(x - 50) < 40) & (abs(y - 50) < 25), (200, 30, 30))
    save(tmp_path / "in" / "box_right.png", (abs(x - 50) < 20) & (abs(y - 50) < 25), (30, 30, 200))
    save(tmp_path / "in" / "Ball 7" / "any.png", np.hypot(x - 50, y - 50) < 35, (30, 200, 30))
    save(tmp_path / "in" / "gone-01.png", x < 0, (0, 0, 0))
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "in" / "notes.txt").write_text("not a picture")
    return tmp_path / "in"


def test_names_tell_articles() -> None:
    told = {"shoe_front.png": "shoe", "shoe-01.jpg": "shoe", "shoe_back_2.png": "shoe", "01.png": "01"}
    assert {name: article_of(name) for name in told} == told
    assert article_of("front.png") == "front" and article_of("upfront.png") == "upfront"


def test_a_folder_becomes_things_for_a_shop_and_is_gone_on_with(shop: Path, tmp_path: Path) -> None:
    assert {name: len(paths) for name, paths in articles_of(shop).items()} == {
        "Ball 7": 1,
        "box": 2,
        "broken": 1,
        "gone": 1,
    }
    out = tmp_path / "out"
    told = scan_catalogue(shop, out, QUICK)
    rows = {row["article"]: row for row in told["articles"]}
    assert (told["made"], told["passed"]) == (2, 2)
    assert "transparent" in rows["gone"]["error"] and "not a picture" in rows["broken"]["error"]
    assert json.loads((out / "catalogue.json").read_text()) == told
    report = json.loads((out / "box.report.json").read_text())
    assert report["passed"] and report["size"]["height_mm"] == pytest.approx(120, abs=0.1)
    assert report["size"]["width_mm"] == pytest.approx(192, rel=0.05)
    assert all((out / name).is_file() for name in report["files"])
    page = (out / "box.snippet.html").read_text()
    addresses = set(re.findall(r'src="(https?:[^"]+)"', page))
    assert addresses == set(report["page"]["loads"])  # nothing is loaded from elsewhere that the report does not name
    assert all(re.search(f'="{re.escape(name)}"', page) for name in report["files"] if name != "box.snippet.html")
    poster = read_image(out / "box.png")
    assert poster.alpha is not None and 0.05 < (np.asarray(poster.alpha) > 128).mean() < 0.9
    border = np.concatenate([poster.alpha[0], poster.alpha[-1], poster.alpha[:, 0], poster.alpha[:, -1]])
    assert (border == 0).all()
    assert len(read_scene(out / "box.glb").nodes) == 1
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name != "catalogue.json"}
    again = scan_catalogue(shop, out, QUICK)
    assert [row.get("resumed") for row in again["articles"]] == [True, True, None, None]
    assert before == {path.name: path.stat().st_mtime_ns for path in out.iterdir() if path.name != "catalogue.json"}
    (out / "box.glb").unlink()
    third = {row["article"]: row.get("resumed") for row in scan_catalogue(shop, out, QUICK)["articles"]}
    assert third["box"] is False and third["Ball 7"] is True


def test_files_that_are_not_ours_stay(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "box.png").write_bytes(b"mine")
    with pytest.raises(OutputError):
        object_files(sorted(shop.glob("box*")), tmp_path / "box.glb", QUICK)
    assert not (tmp_path / "box.glb").exists() and (tmp_path / "box.png").read_bytes() == b"mine"
    object_files(sorted(shop.glob("box*")), tmp_path / "box.glb", QUICK, ExportOptions(force=True))
    assert (tmp_path / "box.glb").exists()


def test_a_snippet_escapes_names_and_holds_its_size() -> None:
    text = snippet_of('<b>"x" & y</b></script>', "a b.glb", "a b.usdz", "p.png", true_size=True)
    assert "<b>" not in text and text.count("</script>") == 2 and 'src="a%20b.glb"' in text
    assert 'ar-scale="fixed"' in text and 'rel="ar" href="a%20b.usdz"' in text and "intent://arvr.google.com" in text
    free = snippet_of("x", "x.glb", None, "x.png", true_size=False)
    assert 'ar-scale="auto"' in free and not re.search(r"usdz|ios-src|quick-look", free)


def test_an_empty_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture"):
        scan_catalogue(tmp_path, tmp_path / "out", QUICK)
    (tmp_path / "f").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        articles_of(tmp_path / "f")
