"""USD's Python modules, imported when a USDZ is written or read and never before; they are made at run time, so Any."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from unflat.errors import InputError


def usd_module(name: str) -> Any:
    """The module ``pxr.NAME``.

    Raises:
        InputError: usd-core is not installed; there is no package of it for Windows on ARM.
    """
    check_usd()
    return importlib.import_module(f"pxr.{name}")


def check_usd() -> None:
    """Refuse kindly, and without importing anything, where USD is missing.

    Raises:
        InputError: usd-core is not installed.
    """
    if importlib.util.find_spec("pxr") is None:
        raise InputError("USDZ needs usd-core, which is not installed here", hint="Use .glb instead.")
