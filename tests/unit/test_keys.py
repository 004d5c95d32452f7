"""Keys that were opened to others, lost or damaged: closed again, mended, and said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unflat.formats import keys
from unflat.formats.keys import own_keys, own_root


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNFLAT_DATA", str(tmp_path / "own"))
    assert own_keys().note is None
    return tmp_path / "own" / "signing"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_keys_that_others_could_read_are_closed(folder: Path) -> None:
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.chmod(0o644)
    own_keys()
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


@pytest.mark.parametrize("harm", ["lost", "damaged"])
def test_a_signer_is_made_anew_under_the_same_root(folder: Path, harm: str) -> None:
    root = own_root()
    if harm == "lost":
        (folder / "signer.pem").unlink()
    else:
        (folder / "signer.pem").write_bytes(b"until never\n")
    found = own_keys()
    assert found.note is None and found.lasting and own_root() == root
    assert own_keys().chain == found.chain


def test_a_root_that_was_lost_stands_in_the_signers_file(folder: Path) -> None:
    root = own_root()
    (folder / "root.pem").unlink()
    assert own_keys().note is None and own_root() == root


def test_a_root_that_is_damaged_is_mended(folder: Path) -> None:
    root = own_root()
    (folder / "root.pem").write_bytes(b"junk")
    found = own_keys()
    assert own_root() == root and keys.signed_by_own_root(found.chain, b"", b"") is False, "it can be read again"


@pytest.mark.parametrize("harm", ["lost", "damaged", "another's"])
def test_a_root_key_that_was_lost_is_said_once(folder: Path, harm: str) -> None:
    root = own_root()
    assert root is not None
    (folder / "signer.pem").write_bytes(b"")
    if harm == "lost":
        (folder / "root.key").unlink()
    else:
        other = keys._secret(keys._root()[1])
        (folder / "root.key").write_bytes(other if harm == "another's" else b"nothing")
    found = own_keys()
    assert found.note is not None and "a new one was made" in found.note and found.lasting
    held = own_root()
    assert held is not None and held != root and held.endswith(root), "what was signed before keeps its voucher"
    assert own_keys().note is None
