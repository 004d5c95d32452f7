"""What ``unflat stereo FILM`` and ``unflat depth FILM`` refuse, keep whole and leave behind, in one process."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.film_files import FilmRecipe, make_film

from unflat.cli.main import run
from unflat.errors import OutputError
from unflat.formats import film_join
from unflat.pipelines.source import DepthSource
from unflat.pipelines.stereo_film import Film, FilmOptions

pytest.importorskip("av")
SMALL = FilmRecipe(count=6)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "a.mp4", SMALL)
    return tmp_path


def left_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["stereo", "a.mp4", "--quality", "40"], 2, "--quality means nothing for a film"),
        (["stereo", "a.mp4", "--wiggle-fps", "3"], 2, "--wiggle-fps means nothing for a film"),
        (["depth", "a.mp4", "--near", "white"], 2, "--near means nothing for a film"),
        (["stereo", "a.mp4", "-o", "a.mp4", "--force"], 9, "a.mp4 is read"),
        (["stereo", "a.mp4", "b.mp4", "--force"], 2, "does not exist"),
        (["stereo", "a.mp4", "a_LRF_Full_SBS.mp4", "--force", "--depth", "ramp"], 9, "a_LRF_Full_SBS.mp4 is read"),
        (["stereo", "a.mp4", "-o", "a_LRF_Full_SBS.mp4", "--force", "--depth", "a_LRF_Full_SBS.mp4"], 9, "is read"),
        (["depth", "a.mp4", "-o", "row.png"], 9, "row.00000.png exists"),
        (["depth", "a.mp4", "-o", "note.png"], 9, "note.json exists"),
        (["stereo", "a.mp4", "--depth", "ramp", "--depth-kind", "metric", "-o", "x.mp4"], 2, "knows its own kind"),
    ],
)
def test_what_is_refused_loses_nothing_and_leaves_nothing(
    here: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a_LRF_Full_SBS.mp4", "row.00000.png", "note.json"):
        (here / name).write_bytes(b"mine")
    before = left_in(here)
    assert run(words) == code
    assert said in capsys.readouterr().err.splitlines()[0]
    assert left_in(here) == before


def test_a_film_of_one_frame(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_film(here / "one.mp4", SMALL, count=1)
    assert run(["depth", "one.mp4", "--depth", "ramp", "-o", "x.mkv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 1


def test_a_preview_within_which_no_frame_begins_is_one_of_the_next(here: Path) -> None:
    make_film(here / "slides.mp4", SMALL, count=4, tick=Fraction(1, 1000), times=[0, 10_000, 20_000, 30_000])
    words = ["depth", "slides.mp4", "--depth", "ramp"]
    assert run([*words, "--preview", "5s", "-o", "x.mkv"]) == 0
    assert run([*words, "--from", "5", "--to", "6", "-o", "y.mkv"]) == 2, "a part is what was asked for"
    assert sorted(path.name for path in here.iterdir()) == ["a.mp4", "slides.mp4", "x.mkv", "x.mkv.c2pa"]


def _film(path: Path) -> Film:
    return Film(path, FilmOptions(DepthSource("ramp")))


def test_a_film_is_not_saved_over_its_source(here: Path) -> None:
    os.link(here / "a.mp4", here / "same.mp4")
    before = (here / "a.mp4").read_bytes()
    with pytest.raises(OutputError, match=r"same\.mp4 is read"):
        _film(here / "a.mp4").save("same.mp4", force=True)
    assert (here / "a.mp4").read_bytes() == before


@pytest.mark.parametrize("purpose", ["stereo", "depth"])
def test_nothing_lies_beside_the_film_while_it_is_put_together(
    here: Path, monkeypatch: pytest.MonkeyPatch, purpose: Any
) -> None:
    """A run that is killed then leaves only its segments, which the next one finds."""
    seen: list[list[str]] = []
    joining = film_join.child

    def watched(word: str, task: dict[str, Any], name: str) -> Any:
        Path(task["draft"]).write_bytes(b"half a film")
        seen.append(sorted(path.name for path in here.iterdir()))
        return joining(word, task, name)

    monkeypatch.setattr(film_join, "child", watched)
    Film(here / "a.mp4", FilmOptions(DepthSource("ramp")), purpose).save("x.mp4")
    assert seen == [["a.mp4", "x.mp4.parts"]]
    assert sorted(path.name for path in here.iterdir()) == ["a.mp4", "x.mp4"]


def test_segments_of_another_codec_are_not_gone_on_from(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the second film decides how it is coded."""

    def broken(*_: Any, **__: Any) -> None:
        raise OutputError("no room left on the disk")

    with monkeypatch.context() as full:
        full.setattr(film_join, "join", broken)
        with pytest.raises(OutputError):
            _film(here / "a.mp4").save("x.mp4", "y.mp4")
    assert (here / "x.mp4.parts").is_dir()
    _film(here / "a.mp4").save("x.mp4", "y.webm")
    import av

    with av.open("y.webm") as film:
        assert film.streams.video[0].codec_context.codec.canonical_name == "av1"
        assert len(list(film.decode(video=0))) == 6


def test_who_stops_a_film_is_told_that_it_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    words = ["stereo", "a.mp4", "--depth", "ramp", "-o", "x.mp4"]
    with monkeypatch.context() as late:
        late.setattr(film_join, "join", stopped)
        assert run(words) == 130
    assert "x.mp4.parts; the same command goes on" in capsys.readouterr().err
    assert run(words) == 0
    assert sorted(path.name for path in here.iterdir()) == ["a.mp4", "x.mp4"]


def test_a_finished_film_takes_its_place_and_no_other_s(tmp_path: Path) -> None:
    from unflat.formats.atomic import moved

    (tmp_path / "made").write_bytes(b"film")
    (tmp_path / "x.mp4").write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        moved(tmp_path / "made", tmp_path / "x.mp4")
    moved(tmp_path / "made", tmp_path / "x.mp4", force=True)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("x.mp4", b"film")]
