"""Consent records by accident and by malice: nothing vanishes, nothing hangs, nothing passes for another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unflat.cli.main import run
from unflat.errors import ConsentError
from unflat.formats import consent_file
from unflat.types.consent import ConsentRecord

ID = "12345678-1234-4234-8234-123456789abc"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNFLAT_DATA", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    return consent_file.keep(ConsentRecord(ID, "A. Person", "a portrait", ("make",), consent_file.today()))


def test_an_edited_record_is_listed_as_such(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.write_text(kept.read_text(encoding="utf-8").replace("portrait", "landscape"), encoding="utf-8")
    assert run(["consent", "list"]) == 0
    assert "not as it was signed" in capsys.readouterr().out


def test_a_file_of_that_name_in_the_current_folder_does_not_stand_in(kept: Path, tmp_path: Path) -> None:
    (tmp_path / ID).write_bytes(kept.read_bytes())
    kept.unlink()
    assert consent_file.find(ID).id == ID, "the user may name a file"
    with pytest.raises(ConsentError, match="no such consent record"):
        consent_file.check_again((ID,))
    assert "no such consent record" in consent_file.standing(ID)


def test_another_record_under_its_name_does_not_stand_in(kept: Path) -> None:
    other = ConsentRecord("87654321" + ID[8:], "B. Person", "a portrait", ("make",), consent_file.today())
    kept.write_bytes(consent_file.keep(other).read_bytes())
    with pytest.raises(ConsentError, match="another consent"):
        consent_file.check_again((ID,))
    assert "another consent" in consent_file.standing(ID)
    assert [one.id for one in consent_file.kept()[0]] == [other.id]


def test_credentials_beside_a_file_are_not_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.glb.c2pa").write_bytes(b"jumb")
    assert run(["inspect", str(tmp_path / "a.glb.c2pa")]) == 2
    assert "unflat verify a.glb" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_among_the_records_is_not_waited_for(kept: Path) -> None:
    os.mkfifo(kept.with_name("pipe.json"))
    records, faults = consent_file.kept()
    assert [one.id for one in records] == [ID] and len(faults) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_is_not_verified(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert run(["verify", str(tmp_path / "pipe.png")]) == 2
