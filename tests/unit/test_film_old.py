"""Old films on the line: depth from clean copies, pictures as they came, killed and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.aged_films import FAULTS, aged
from tests.film_files import FilmRecipe, make_film
from tests.unit.test_restore_film import film

from unflat.errors import InputError
from unflat.pipelines.film_span import WorkOptions
from unflat.pipelines.source import DepthSource
from unflat.pipelines.stereo_film import Film, FilmOptions
from unflat.stages.restore_film import RestoreOptions

av: Any = pytest.importorskip("av")
COUNT = 11


class Killed(Exception):
    """The run ends here."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An aged film in a file."""
    pictures = aged(film(COUNT), FAULTS, seed=3).pictures
    recipe = FilmRecipe(size=(240, 160), count=COUNT, paint=lambda number: pictures[number])
    return make_film(tmp_path_factory.mktemp("old") / "old.mp4", recipe)


def opened(path: Path, restore: RestoreOptions, progress: Any = None) -> Film:
    work = WorkOptions(segment_seconds=0.2)
    options = FilmOptions(source=DepthSource(depth="ramp"), old=restore, work=work)
    return Film(path, options) if progress is None else Film(path, options, progress=progress)


def shown(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as made:
        return [frame.to_ndarray(format="gray") for frame in made.decode(video=0)]


def test_an_old_film_is_known_for_one_and_its_picture_stays(old: Path, tmp_path: Path) -> None:
    told = opened(old, RestoreOptions())
    assert told.old and told.signs is not None and told.signs.classic
    assert "clean copies" in " ".join(told.report["warnings"])
    copies, restored = tmp_path / "copies_LR.mp4", tmp_path / "restored_LR.mp4"
    told.save(copies)
    opened(old, RestoreOptions("restore")).save(restored)
    jumps = [
        np.abs(np.diff(np.stack(shown(path)).astype(float)[..., :120], axis=0)).mean()
        for path in (old, copies, restored)
    ]
    assert jumps[1] > 0.8 * jumps[0] and jumps[2] < 0.6 * jumps[0]


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(old: Path, tmp_path: Path) -> None:
    options = RestoreOptions("yes")
    whole, again = tmp_path / "whole_LR.mp4", tmp_path / "again_LR.mp4"
    opened(old, options).save(whole)

    def stop(words: str) -> None:
        if words.startswith("frame 8 "):
            raise Killed

    with pytest.raises(Killed):
        opened(old, options, stop).save(again)
    assert not again.exists()
    assert opened(old, options).save(again).frames == COUNT
    with av.open(str(whole)) as a, av.open(str(again)) as b:
        packets = [[bytes(p) for p in one.demux(one.streams.video[0])] for one in (a, b)]
    assert packets[0] == packets[1]


def test_given_depth_and_clean_copies_do_not_go_together(old: Path) -> None:
    options = FilmOptions(source=DepthSource(depth=str(old)), old=RestoreOptions("restore"))
    with pytest.raises(InputError, match="given"):
        Film(old, options)
