"""A killed run goes on where its last whole segment ended, and two runs never meet in one folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from unflat.errors import OutputError
from unflat.formats.film_parts import folder_of, key_of, parts_of


def _two_segments(film: Path, key: str = "a") -> None:
    with parts_of(film, key) as parts:
        for number in range(2):
            parts.segment(number, 0, ".mp4").write_bytes(b"film")
            parts.finish({"frames": 7 + number}, {"depth": np.full((2, 3), number, np.float32)})


def test_a_run_goes_on_after_its_whole_segments(tmp_path: Path) -> None:
    film = tmp_path / "x.mp4"
    _two_segments(film)
    folder = folder_of(film)
    (folder / "00002.0.mp4").write_bytes(b"half")
    (folder / "00002.npz.part").write_bytes(b"half")
    with parts_of(film, "a") as parts:
        assert parts.done == 2
        assert parts.about(1)["frames"] == 8
        assert (parts.handed_on()["depth"] == 1).all()
        assert not (folder / "00002.0.mp4").exists() and not (folder / "00002.npz.part").exists()
        parts.remove()
    assert not folder.exists()


def test_a_run_that_failed_leaves_what_can_be_gone_on_from_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no depth"), parts_of(tmp_path / "x.mp4", "a"):
        raise OutputError("no depth")
    assert not list(tmp_path.iterdir())
    _two_segments(tmp_path / "x.mp4")
    with pytest.raises(OutputError, match="no depth"), parts_of(tmp_path / "x.mp4", "a"):
        raise OutputError("no depth")
    with parts_of(tmp_path / "x.mp4", "a") as parts:
        assert parts.done == 2


def test_another_key_begins_anew(tmp_path: Path) -> None:
    film = tmp_path / "x.mp4"
    _two_segments(film)
    with parts_of(film, "b") as parts:
        assert parts.done == 0 and parts.handed_on() == {}
        assert not parts.segment(0, 0, ".mp4").exists()


@pytest.mark.parametrize("damage", ["state", "note", "job", "film", "no film"])
def test_what_a_crash_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    film = tmp_path / "x.mp4"
    _two_segments(film)
    folder = folder_of(film)
    names = {"state": "00001.npz", "note": "00001.json", "job": "job.json"}
    name = names.get(damage, "00001.0.mp4")
    (folder / name).write_bytes((folder / name).read_bytes()[: 2 if "film" in damage else 10])
    if damage == "no film":
        (folder / name).unlink()
    with parts_of(film, "a") as parts:
        assert parts.done == (0 if damage == "job" else 1)


def test_two_runs_do_not_work_on_one_film(tmp_path: Path) -> None:
    film = tmp_path / "x.mp4"
    with parts_of(film, "a"), pytest.raises(OutputError, match="another run"), parts_of(film, "a"):
        pass


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    film = tmp_path / "x.mp4"
    folder_of(film).mkdir()
    (folder_of(film) / "thesis.txt").write_text("dear")
    with pytest.raises(OutputError, match="in the way"), parts_of(film, "a"):
        pass
    assert (folder_of(film) / "thesis.txt").read_text() == "dear"


def test_the_key_knows_the_words_not_their_order() -> None:
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1}) != key_of({"a": 1, "b": 3})
    json.dumps(key_of({}))
