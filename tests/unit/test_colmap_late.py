"""Without pycolmap a scan says kindly what is missing."""

from __future__ import annotations

import importlib.util

import pytest

from unflat.errors import MissingExtraError
from unflat.models.views.colmap_late import library


def test_what_is_missing_is_said_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match="scan") as told:
        library()
    assert 'pip install "unflat[scan]"' in told.value.hint
