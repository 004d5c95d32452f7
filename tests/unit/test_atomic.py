from __future__ import annotations

import errno
from pathlib import Path

import pytest

from unflat.errors import OutputError
from unflat.formats.atomic import check_target, replacing, translated


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.tar.gz"
    with replacing(target) as (draft,):
        draft.write_bytes(b"whole")
        assert not target.exists()
        assert draft.suffixes == [".part", ".tar", ".gz"] or draft.name.endswith(".part.tar.gz")
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, MemoryError])
def test_nothing_is_left_behind_by_a_failure(tmp_path: Path, failure: type[BaseException]) -> None:
    def work() -> None:
        with replacing(tmp_path / "a.x", tmp_path / "b.x") as (a, b):
            a.write_bytes(b"half")
            b.write_bytes(b"half")
            raise failure

    with pytest.raises(failure):
        work()
    assert not list(tmp_path.iterdir())


def test_an_old_file_survives_a_failure_and_needs_force(tmp_path: Path) -> None:
    target = tmp_path / "a.x"
    target.write_text("old")
    with pytest.raises(OutputError, match="exists already") as caught, replacing(target):
        pass
    assert "--force" in caught.value.hint and caught.value.exit_code == 9
    with pytest.raises(RuntimeError), replacing(target, force=True) as (draft,):
        draft.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    with replacing(target, force=True) as (draft,):
        draft.write_text("new")
    assert target.read_text() == "new"


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no room left"), replacing(tmp_path / "a.x") as (draft,):
        draft.write_bytes(b"1")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_target(tmp_path, force=True)
    with pytest.raises(OutputError, match="does not exist"):
        check_target(tmp_path / "no" / "a.x", force=False)
    assert "cannot be written" in str(translated(PermissionError(errno.EACCES, "Permission denied"), tmp_path))


def test_a_long_name_still_fits(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 240 + ".glb")
    with replacing(target) as (draft,):
        draft.write_bytes(b"1")
    assert target.exists()
