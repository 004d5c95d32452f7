"""How kernels are compiled: so that the first picture on a new machine need not wait long for them.

Compiling costs about a fiftieth of a second for every small statement, argument and combination of types, most of
it spent in numba itself. Kernels are therefore few and plain: scalars instead of small arrays and slices, results
written into arrays that the caller made, nothing raised, one combination of types each. What numpy or OpenCV do as
fast is left to them, and threads are the caller's (:mod:`unflat.geometry.bands`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

_njit: Any = numba.njit
_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile what Python calls, and keep it on disk; where nothing can be kept, compile it anew each time.

    A read-only installation under a user without a home is such a place (containers).
    """
    try:
        return _njit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # numba found no folder that it may write to
        return _njit(function, **_OPTIONS)


def inner(function: Callable[..., Any]) -> Any:
    """Compile what only kernels call; it becomes a part of each of them."""
    return _njit(function, no_cpython_wrapper=True, **_OPTIONS)
