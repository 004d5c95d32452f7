"""How kernels are compiled: so that the first picture on a new machine need not wait long for them.

Compiling costs about a fiftieth of a second for every small statement, argument and combination of types, most of
it spent in numba itself. Kernels are therefore few and plain: scalars instead of small arrays and slices, results
written into arrays that the caller made, nothing raised, one combination of types each. What numpy or OpenCV do as
fast is left to them, and threads are the caller's (:mod:`unflat.geometry.bands`).
"""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)
"""Called from Python; kept on disk once compiled."""

inner = njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True)
"""Called from kernels only; compiled into each of them."""
