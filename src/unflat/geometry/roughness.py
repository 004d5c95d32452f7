"""How rough what is inside of a part of a volume is: noise where it is of one kind, more where it is a sponge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bits import Packed, unpacked

_ENOUGH = 5000
"""Voxels of a slice that tell."""


def roughness(values: NDArray[Any], bits: Packed) -> float:
    """The median, over the voxels inside, of the standard deviation of a voxel and its 26 neighbours; 0 without any.

    Args:
        values: (slices, rows, columns).
        bits: Which voxels; those at the border of the volume are left out.
    """
    found: list[NDArray[np.float64]] = []
    for k in np.flatnonzero(bits.words[2:-2].any(axis=(1, 2))) + 1:
        j, i = np.nonzero(unpacked(bits, int(k))[1:-1, 1:-1])
        step = 1 + len(j) // _ENOUGH
        j, i = j[::step] + 1, i[::step] + 1
        around = [values[k + a, j + b, i + c] for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
        found.append(np.array(around, np.float64).std(axis=0))
    together = np.concatenate(found) if found else np.empty(0)
    return float(np.median(together)) if len(together) else 0.0
