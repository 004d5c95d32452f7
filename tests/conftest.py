"""Lets every test folder import the makers that lie beside this file (``scenes``, ``worlds``, ``nets`` and others)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hubs import Hub

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # tests that start onnxruntime themselves report to nobody either


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
