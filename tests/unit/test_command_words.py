"""Words on the command line that look like flags, and what the report counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

import unflat
from unflat.cli.main import run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Pil.fromarray(np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)).save(tmp_path / "-dash.png")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["-dash.png"], "./-dash.png"),
        (["photo", "-dash.png"], "./-dash.png"),
        (["photo", "./-dash.png", "-o", "-out.glb"], "./-out.glb"),
    ],
)
def test_a_name_that_begins_with_a_dash_gets_its_hint(
    here: Path, words: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"write {name}")
    assert [path.name for path in here.iterdir()] == ["-dash.png"]


def test_the_hint_is_true(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["photo", "./-dash.png", "-o", "./-out.glb", "--depth", "ramp", "--no-familiar"]) == 0
    assert (here / "-out.glb").is_file()


@pytest.mark.parametrize("words", [["photo", "a.png", "--bogus"], ["photo", "a.png", "-z"], ["--fov=-3.5x"]])
def test_other_flags_get_the_usual_hint(here: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert "--help" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("names", "forms"),
    [
        (["a.glb"], ["surface"]),
        (["a.usdz"], ["ar"]),
        (["a.stl"], ["relief"]),
        (["a.3mf", "b.stl"], ["relief"]),
        (["a.stl", "a.glb", "a.usdz"], ["surface", "ar", "relief"]),
        (["a.spz"], []),
        (["a.png"], []),
    ],
)
def test_the_report_counts_the_triangles_of_every_mesh(tmp_path: Path, names: list[str], forms: list[str]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    result = unflat.photo(picture, depth="ramp").save(*(tmp_path / name for name in names))
    report = result.report
    assert list(report["triangles_by_form"]) == forms
    assert all(count == result.as_form(form).triangles > 0 for form, count in report["triangles_by_form"].items())
    assert report["triangles"] == (report["triangles_by_form"][forms[0]] if forms else None)
