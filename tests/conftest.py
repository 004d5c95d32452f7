"""Lets every test folder import the makers that lie beside this file (``scenes``, ``worlds``, ``nets`` and others), and
no test reach for another machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import alone

if TYPE_CHECKING:
    from hubs import Hub

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # tests that start onnxruntime themselves report to nobody either

_NOTES = tempfile.TemporaryDirectory(prefix="unflat-attempts-")
_WATCHED = str(Path(__file__).parent / "watched")
os.environ[alone.NOTES] = _NOTES.name
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_WATCHED, os.environ.get("PYTHONPATH")]))
alone.watch(Path(_NOTES.name))


def pytest_unconfigure() -> None:
    """All tests are over."""
    _NOTES.cleanup()


@pytest.fixture
def attempts() -> Path:
    """The folder that attempts to reach other machines are written into; a test that makes some takes them out."""
    return Path(_NOTES.name)


@pytest.fixture(autouse=True)
def _nobody_reaches_other_machines(attempts: Path) -> Iterator[None]:
    """A test fails that reaches for another machine, itself or in a Python process that it starts; see ``alone``."""
    yield
    tried = alone.written_down(attempts)
    if tried:
        pytest.fail("another machine was reached for:\n" + "\n".join(tried))


@pytest.fixture(autouse=True)
def _no_models_of_the_developer(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models fetched on this machine must not change what a test sees."""
    empty = tmp_path_factory.getbasetemp() / "no-models"
    monkeypatch.setenv("UNFLAT_CACHE", str(empty))
    monkeypatch.setenv("HF_HUB_CACHE", str(empty))


@pytest.fixture(autouse=True)
def _keys_of_the_tests(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are signed with a key of the tests' own, made once; nothing of the developer's is read or written."""
    monkeypatch.setenv("UNFLAT_DATA", str(tmp_path_factory.getbasetemp() / "own"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    place = tmp_path / "cache"
    monkeypatch.setenv("UNFLAT_CACHE", str(place))
    return place


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of this test's own, asked instead of the real one."""
    from hubs import Hub, serving

    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    served = Hub()
    with serving(served) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield served
