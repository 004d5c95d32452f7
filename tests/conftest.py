"""Lets every test folder import the makers that lie beside this file (``scenes``, ``worlds``, ``nets``)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # tests that start onnxruntime themselves report to nobody either


@pytest.fixture(autouse=True)
def _no_models_of_the_developer(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models fetched on this machine must not change what a test sees."""
    empty = tmp_path_factory.getbasetemp() / "no-models"
    monkeypatch.setenv("UNFLAT_CACHE", str(empty))
    monkeypatch.setenv("HF_HUB_CACHE", str(empty))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    place = tmp_path / "cache"
    monkeypatch.setenv("UNFLAT_CACHE", str(place))
    return place
