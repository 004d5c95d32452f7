"""Names of models, where the cache lies, and what a licence allows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nets import leftovers
from unflat.cli.main import run
from unflat.errors import InputError
from unflat.models import cache as shelf
from unflat.models.pull import pull
from unflat.trust.licences import allows_commerce, licence_of_readme


@pytest.mark.parametrize(
    "word",
    [
        "ftp://x/net.onnx",
        "https://x/net.bin",
        "https://x/",
        "https://x/..onnx",
        "../up",
        "a/../b",
        "a/b/c",
        "",
        "A b/c",
    ],
)
def test_words_that_name_nothing_to_fetch(cache: Path, word: str) -> None:
    with pytest.raises(InputError):
        pull(word, sha256="0" * 64 if "://" in word else None)


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../etc", "/etc", "", "x" * 200, "A", ".hidden", "a..b"])
def test_remove_never_leaves_the_cache(tmp_path: Path, cache: Path, name: str) -> None:
    (cache / "models").mkdir(parents=True)
    (tmp_path / "keep").write_text("me")
    with pytest.raises(InputError):
        shelf.remove(name)
    assert (tmp_path / "keep").is_file() and (cache / "models").is_dir()


def test_removing_a_link_removes_the_link_alone(tmp_path: Path, cache: Path) -> None:
    (cache / "models").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "net.onnx").write_text("precious")
    (cache / "models" / "mine").symlink_to(tmp_path / "mine")
    shelf.remove("mine")
    assert (tmp_path / "mine" / "net.onnx").is_file() and leftovers(cache) == []


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        '{"files": []}',
        '{"files": {"../x": {"sha256": "0", "bytes": 1}}, "source": "", "revision": "", "licence": "", "main": "", '
        '"runtime": "onnx"}',
        '{"files": {}, "source": "", "revision": "", "licence": "", "main": "../../net.onnx", "runtime": "onnx"}',
        "[" * 100_000,
    ],
)
def test_a_damaged_record_hides_its_model_and_no_other(cache: Path, record: str) -> None:
    (cache / "models" / "bad").mkdir(parents=True)
    (cache / "models" / "bad" / "unflat.json").write_text(record)
    assert shelf.held() == () and run(["models"]) == 0
    shelf.remove("bad")
    assert leftovers(cache) == []


@pytest.mark.parametrize(
    ("system", "variables", "wanted"),
    [
        ("linux", {}, ".cache/unflat"),
        ("linux", {"XDG_CACHE_HOME": "/var/x"}, "/var/x/unflat"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/unflat"),
        ("darwin", {"XDG_CACHE_HOME": "/var/x"}, "Library/Caches/unflat"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/unflat/Cache"),
        ("win32", {}, "AppData/Local/unflat/Cache"),
        ("win32", {"UNFLAT_CACHE": "/mine"}, "/mine"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, variables: dict[str, str], wanted: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    for name in ("UNFLAT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert shelf.cache_folder() == (Path(wanted) if wanted.startswith("/") else Path.home() / wanted)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n", "apache-2.0"),
        ("---\r\ntags: [a]\r\nlicense: 'mit'\r\n---\r\n# x", "mit"),
        ("---\nlicense: other\nlicense_name: apple-amlr\n---\n", "apple-amlr"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense:\n- cc-by-nc-4.0\n- mit\ntags:\n- x\n---\n", "cc-by-nc-4.0 and mit"),
        ("---\nlicense: [mit, apache-2.0]\n---\n", "mit and apache-2.0"),
        ("---\nlicense:\ntags: x\n---\n", None),
        ("---\ntags: x\n---\nlicense: mit\n", None),
        ("# no front matter\nlicense: mit", None),
        ("---\nlicense: <script>\n---\n", None),
        ("", None),
    ],
)
def test_the_licence_is_read_from_the_front_matter(text: str, licence: str | None) -> None:
    assert licence_of_readme(text) == licence


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("Apache-2.0", True),
        ("MIT", True),
        ("gpl-3.0-only", True),
        ("CC-BY-4.0", True),
        ("cc-by-nc-4.0", False),
        ("cc-by-nc-sa-4.0", False),
        ("apple-amlr", False),
        ("other", False),
        ("unknown", False),
        ("mit and cc-by-nc-4.0", False),
        ("", False),
        (None, False),
    ],
)
def test_what_is_not_known_to_allow_is_not_allowed(licence: str | None, allowed: bool) -> None:
    assert allows_commerce(licence) is allowed
