"""pycolmap, imported when cameras are looked for and never before; its log is kept off the terminal."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from unflat.errors import MissingExtraError


def library() -> Any:
    """The module ``pycolmap``, silent.

    Raises:
        MissingExtraError: It is not installed (it has no wheels for Linux on ARM and for Macs of Intel).
    """
    if importlib.util.find_spec("pycolmap") is None:
        raise MissingExtraError("finding the cameras of photographs (pycolmap)", "scan")
    pycolmap: Any = importlib.import_module("pycolmap")
    pycolmap.logging.minloglevel = int(pycolmap.logging.FATAL)
    return pycolmap
