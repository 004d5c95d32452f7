from __future__ import annotations

import subprocess
import sys

CODE = """
import numba.core.caching
import numpy as np

if {nowhere}:
    for kind in vars(numba.core.caching).values():
        if isinstance(kind, type) and hasattr(kind, "_locator_classes"):
            kind._locator_classes = []

from unflat.geometry.jit import kernel

@kernel
def doubled(values, out):
    for i in range(len(values)):
        out[i] = 2 * values[i]

out = np.zeros(3)
doubled(np.arange(3.0), out)
print(out.tolist(), type(doubled._cache).__name__)
"""


def told(nowhere: bool) -> str:
    """Run from a file-like place where numba may look for a cache, or with no place at all."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(nowhere=nowhere)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_kernels_run_where_nothing_can_be_kept() -> None:
    assert told(nowhere=True) == "[0.0, 2.0, 4.0] NullCache"
