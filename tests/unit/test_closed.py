"""What is kept, or not finished yet, can be read by its owner alone, whatever the umask; what is finished heeds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from hubs import Hub, exported
from unflat.errors import OutputError
from unflat.formats import consent_file, keys
from unflat.formats.film_parts import folder_of, parts_of
from unflat.formats.outlet import SealOptions, handed_out
from unflat.formats.scan_shelf import shelf_beside
from unflat.models.cache import cache_folder
from unflat.models.pull import pull
from unflat.trust.lineage import Lineage
from unflat.trust.places import close_files, close_folder, place_of
from unflat.types.consent import ConsentRecord
from unflat.types.image import Size
from unflat.types.views import Still

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps profiles apart, not by modes")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """What a user may have set."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What in a folder, or of it, others could read, write or look into."""
    return [str(one) for one in (folder, *folder.rglob("*")) if one.stat().st_mode & 0o077]


def test_a_folder_is_closed_and_closed_again(tmp_path: Path, umask: int) -> None:
    folder = close_folder(tmp_path / "a" / "b")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o777 & ~umask
    folder.chmod(0o755)
    close_folder(folder, again=False)
    assert folder.stat().st_mode & 0o777 == 0o755, "somebody opened it on purpose"
    close_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "x").touch()
    close_files(folder / "x")
    assert (folder / "x").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        close_folder(folder / "x")


def test_unfinished_films(tmp_path: Path, umask: int) -> None:
    film = tmp_path / "x.mp4"
    with parts_of(film, "a") as parts:
        for number in range(2):
            parts.segment(number, 0, ".mp4").write_bytes(b"film")
            parts.finish({"frames": 7}, {"depth": np.zeros((2, 3), np.float32)})
    assert len(list(folder_of(film).iterdir())) >= 6
    assert open_to_others(folder_of(film)) == []


@pytest.mark.parametrize("lossy", [True, False])
def test_unfinished_scans(tmp_path: Path, umask: int, lossy: bool) -> None:
    pixels, mask = np.zeros((6, 8, 3), np.uint8), np.ones((6, 8), bool)
    (tmp_path / "x.glb.parts").mkdir(mode=0o755)  # as earlier versions made it
    (tmp_path / "x.glb.parts" / "lock").touch()
    with shelf_beside(tmp_path / "x.glb", 8, keep=True) as shelf:
        shelf.keep_still(Still("a", Size(8, 6), lambda: pixels), pixels, mask, lossy=lossy)
        shelf.put_notes("a", "key", ["told"])
    assert len(list(shelf.folder.iterdir())) == 4
    assert open_to_others(shelf.folder) == []


def test_models(hub: Hub, cache: Path, tmp_path: Path, umask: int) -> None:
    hub.repos["a/b"] = exported(tmp_path)
    pull("a/b")
    assert len(list(cache.rglob("*"))) >= 5
    assert open_to_others(cache) == []


def test_keys_and_consents(tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNFLAT_DATA", str(tmp_path / "own"))
    keys.own_keys()
    consent_file.keep(
        ConsentRecord("12345678-9abc-4def-8123-456789abcdef", "Olga Owner", "a test", ("make",), date(2026, 1, 2))
    )
    assert len([one for one in (tmp_path / "own").rglob("*") if one.is_file()]) == 4
    assert open_to_others(tmp_path / "own") == []


def test_what_is_made_is_closed_until_it_is_done(tmp_path: Path, umask: int) -> None:
    with handed_out(tmp_path / "x.bin", Lineage().seal(), SealOptions(), force=False) as handing:
        handing.path.write_bytes(b"whole")
        assert handing.path.parent.stat().st_mode & 0o777 == 0o700
    assert len(handing.files) == 2
    assert [file.stat().st_mode & 0o777 for file in handing.files] == [0o666 & ~umask] * 2


def test_where_things_lie_on_each_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("UNFLAT_CACHE", "UNFLAT_DATA", "XDG_DATA_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    words = {
        "linux": (".local/share/unflat", ".cache/unflat"),
        "darwin": ("Library/Application Support/unflat", "Library/Caches/unflat"),
        "win32": ("AppData/Roaming/unflat", "AppData/Local/unflat/Cache"),
    }
    for system, (data, cache) in words.items():
        monkeypatch.setattr("unflat.trust.places.sys.platform", system)
        assert place_of("data", "UNFLAT_DATA", "keys") == tmp_path / data
        assert cache_folder() == tmp_path / cache
    monkeypatch.setattr("unflat.trust.places.sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert cache_folder() == tmp_path / ".cache/unflat"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert cache_folder() == tmp_path / "c" / "unflat"


def test_no_home_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("UNFLAT_DATA", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(OutputError, match="no home folder to keep keys in") as error:
        place_of("data", "UNFLAT_DATA", "keys")
    assert "UNFLAT_DATA" in error.value.hint
