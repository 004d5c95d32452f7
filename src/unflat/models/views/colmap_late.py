"""pycolmap, imported when cameras are looked for and never before; its log is kept off the terminal."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any


def installed() -> bool:
    """Whether pycolmap is there (it has no wheels for Linux on ARM and for Macs of Intel); nothing is imported."""
    return importlib.util.find_spec("pycolmap") is not None


def library() -> Any:
    """The module ``pycolmap``, silent."""
    pycolmap: Any = importlib.import_module("pycolmap")
    pycolmap.logging.minloglevel = int(pycolmap.logging.FATAL)
    return pycolmap
