"""What ``unflat scan`` is told is heard or refused before any work, and what it reads is never written over."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from unflat.cli import scan as commands
from unflat.cli.main import run
from unflat.errors import InputError, OutputError
from unflat.formats.registry import ExportOptions
from unflat.pipelines import scan_catalogue as catalogue
from unflat.pipelines.scan_catalogue import articles_of, object_files, scan_catalogue

FORCED = ExportOptions(force=True)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop's folder, and things that are made of it without work: only a poster and a report."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("vase_front.png", "vase_back.png", "cup.png"):
        Pil.fromarray(np.full((8, 8, 4), 90, np.uint8)).save(folder / name)

    def drawn(_scene: Any, poster: Any, target: Path, _options: Any, told: dict[str, Any]) -> dict[str, Any]:
        report = {"files": [f"{target.stem}.png"], "checks": [], "passed": True, **told}
        target.with_name(report["files"][0]).write_bytes(b"a poster")
        target.with_name(f"{target.stem}.report.json").write_text(json.dumps(report))
        return report

    def of_images(images: Any, *_: Any) -> object:
        if len(images) > 2:
            raise InputError("three pictures of two sides")
        return object()

    monkeypatch.setattr(catalogue, "object_from_images", of_images)
    monkeypatch.setattr(catalogue, "make_poster", lambda scene: scene)
    monkeypatch.setattr(catalogue, "write_shop", drawn)
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.png"))}


@pytest.mark.parametrize("way", ["the folder itself", "a link to it", "a link to one picture"])
def test_no_picture_is_written_over_whatever_may_be_replaced(shop: Path, tmp_path: Path, way: str) -> None:
    before, out = digests(shop), tmp_path / "out"
    if way == "the folder itself":
        out = shop
    elif way == "a link to it":
        out.symlink_to(shop)
    else:
        out.mkdir()
        (out / "vase.png").hardlink_to(shop / "vase_front.png")
    with pytest.raises(OutputError, match="is read, and would be replaced"):
        scan_catalogue(shop, out, export=FORCED)
    assert digests(shop) == before and not list(out.glob("*.json"))
    with pytest.raises(OutputError, match="is read, and would be replaced"):
        object_files([shop / "cup.png"], shop / "cup.glb", export=FORCED)
    assert run(["scan", str(shop), "--catalogue", "-o", str(out), "--force", "-q"]) != 0
    assert digests(shop) == before


@pytest.mark.parametrize("where", ["in", "in/models"])
def test_posters_are_no_articles(shop: Path, tmp_path: Path, where: str) -> None:
    (shop / "cup.png").unlink()
    for resumed in (False, True):
        told = scan_catalogue(shop, tmp_path / where)
        (row,) = told["articles"]
        assert row["pictures"] == ["vase_back.png", "vase_front.png"] and row["resumed"] is resumed
    assert articles_of(shop) == {"vase": [shop / "vase_back.png", shop / "vase_front.png"]}


@pytest.mark.parametrize("talk", ["--json", "--quiet", "-o"])
def test_articles_that_failed_end_the_command_with_a_fault(
    shop: Path, tmp_path: Path, talk: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "vase_left.png").write_bytes((shop / "cup.png").read_bytes())
    out = ["-o", str(tmp_path / "out")]
    assert run(["scan", str(shop), "--catalogue", *out, *([] if talk == "-o" else [talk])]) == 2
    said = capsys.readouterr()
    assert "1 of 2 articles could not be made" in said.err
    if talk == "--json":
        assert json.loads(said.out)["made"] == 1
    else:
        assert said.out.count("made") == (0 if talk == "--quiet" else 2)


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("--catalogue --known-length 1,1,5,5=0.1", "a catalogue"),
        ("--catalogue --ply points", "a catalogue"),
        ("--catalogue --splats", "a catalogue"),
        ("--catalogue --keep-parts", "a catalogue"),
        ("--catalogue --most-views 9", "a catalogue"),
        ("--subject object --ply points", "an object"),
        ("--subject object --splats", "an object"),
        ("--subject object --cell 0.1", "an object"),
        ("--height-mm 120", "a place"),
        ("--sides front,back", "a place"),
    ],
)
def test_what_has_no_say_is_refused(shop: Path, words: str, made: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = words.split()
    flag = next(word for word in told if word not in ("--catalogue", "--subject") and word.startswith("--"))
    assert run(["scan", str(shop), *told]) == 2
    assert f"{flag} has no say in {made}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.spz", "x.splat.ply", "x.colmap", "x.tum", "x.yaml", "x.exr"])
def test_what_holds_no_surface_is_refused_for_a_thing_before_any_work(
    shop: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "thing", None)
    assert run(["scan", str(shop), "--subject", "object", "-o", str(tmp_path / name)]) == 2
    assert f"{name} cannot hold a thing" in capsys.readouterr().err
