"""PyAV (FFmpeg), imported when a film is read or written and never before; its log is kept off the terminal."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from unflat.errors import MissingExtraError


def library(need: str = "films") -> Any:
    """The module ``av``, silent.

    Args:
        need: What it is needed for, in words.

    Raises:
        MissingExtraError: It is not installed.
    """
    check_library(need)
    av = importlib.import_module("av")
    av.logging.set_level(None)  # with None FFmpeg's messages go nowhere, and no lock of Python's is taken for them
    return av


def check_library(need: str = "films") -> None:
    """Refuse kindly, and without importing anything, where PyAV is missing.

    Raises:
        MissingExtraError: It is not installed.
    """
    if importlib.util.find_spec("av") is None:
        raise MissingExtraError(need, "video")
