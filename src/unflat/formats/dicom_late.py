"""pydicom, imported when it is needed, and without what it would fetch its examples with.

A library for fetching asks the system for sockets as soon as it is imported, to see which kinds there are.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_FETCHES = "requests"


def pydicom_module(name: str = "pydicom") -> Any:
    """A module of pydicom.

    Raises:
        ImportError: It is not installed.
    """
    hidden = _FETCHES not in sys.modules
    if hidden:
        sys.modules[_FETCHES] = None  # type: ignore[assignment]  # Python's word for "cannot be imported"
    try:
        return importlib.import_module(name)
    finally:
        if hidden:
            del sys.modules[_FETCHES]
