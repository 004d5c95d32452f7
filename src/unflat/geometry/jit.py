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
_LOOSE: Any = {**_OPTIONS, "fastmath": {"reassoc", "nsz", "arcp", "contract"}}
"""Sums may be taken in another order, so that several numbers are worked on at once; NaN and infinity stay."""


def kernel(function: Callable[..., Any]) -> Any:
    """Compile what Python calls, and keep it on disk; where nothing can be kept, compile it anew each time.

    A read-only installation under a user without a home is such a place (containers).
    """
    return _kept(function, _OPTIONS)


def loose_kernel(function: Callable[..., Any]) -> Any:
    """The same, for sums whose order does not matter: what machines give may differ in the last digits."""
    return _kept(function, _LOOSE)


def _kept(function: Callable[..., Any], options: Any) -> Any:
    try:
        return _njit(function, cache=True, **options)
    except RuntimeError:  # numba found no folder that it may write to
        return _njit(function, **options)


def inner(function: Callable[..., Any]) -> Any:
    """Compile what only kernels call; it becomes a part of each of them."""
    return _njit(function, no_cpython_wrapper=True, **_OPTIONS)


def loose_inner(function: Callable[..., Any]) -> Any:
    """The same, for what only loose kernels call."""
    return _njit(function, no_cpython_wrapper=True, **_LOOSE)
