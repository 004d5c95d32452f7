"""How much brighter a magnetic resonance scan is in some places than in others for no reason but its coils.

Masked homomorphic filtering: the logarithm of what is tissue, blurred widely and divided by the equally blurred mask
(Guillemaud and Brady, "Estimating the bias field of MR images", IEEE TMI 16(3), 1997, discuss why the mask is needed).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, F64

WIDTH = 0.2
"""The blur, as a share of the longest side: wider than organs, narrower than a coil's reach."""
CELLS = 48
"""The longest side of the grid that it is worked out on."""
_ROUNDS = 2


def otsu(values: NDArray[Any], bins: int = 256) -> float:
    """The threshold that parts values best into two heaps (Otsu, IEEE Trans. SMC 9(1), 1979).

    Where there is one value only, it is that.
    """
    low, high = float(values.min()), float(np.quantile(values, 0.995))
    high = high if high > low else float(values.max())
    if not high > low:
        return low
    counts, edges = np.histogram(values.astype(np.float64), bins, (low, high))
    middle = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    first = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = below * above * (first / below - (first[-1] - first) / above) ** 2
    best = np.nan_to_num(apart[:-1], nan=-1.0)
    if best.max() <= 0:
        return low
    flat = np.flatnonzero(best >= best.max() * (1 - 1e-9))
    return float(edges[1:][int(np.median(flat))])


def bias_of(values: NDArray[Any], spacing: tuple[float, float, float]) -> F32:
    """The factor by which each place is too bright, 1 on the average over the tissue.

    Args:
        values: (slices, rows, columns), least where there is air; where that is below zero, it counts as zero.
        spacing: Lengths of a voxel along columns, rows and slices, in one unit.

    Returns:
        (slices, rows, columns) float32 on a coarse grid of the same field of view; see :func:`spread_to`.
    """
    size = np.array(values.shape[::-1]) * spacing
    steps = [max(1, round(size.max() / CELLS / s)) for s in spacing]
    small = values[:: steps[2], :: steps[1], :: steps[0]].astype(np.float32)
    small -= min(float(small.min()), 0.0)
    tissue = small > otsu(small)
    field = np.zeros_like(small)
    logs = np.log(np.maximum(small, max(float(small.max()) * 1e-6, 1e-12)))
    sigma = [WIDTH * size.max() / (n * s) for n, s in zip(steps, spacing, strict=True)]
    for _ in range(_ROUNDS):
        weight = tissue.astype(np.float32)
        field = _blurred(logs * weight, sigma) / np.maximum(_blurred(weight, sigma), 1e-6)
        field -= field[tissue].mean() if tissue.any() else 0.0
        tissue = np.exp(logs - field) > otsu(np.exp(logs - field))
    return np.exp(field).astype(np.float32)


def spread_to(coarse: F32, shape: tuple[int, int, int], k: int) -> F32:
    """One slice of a coarse field on the full grid, (rows, columns)."""
    import cv2

    at = (k + 0.5) * len(coarse) / shape[0] - 0.5
    low = int(np.clip(np.floor(at), 0, len(coarse) - 1))
    high, share = min(low + 1, len(coarse) - 1), np.float32(np.clip(at - low, 0, 1))
    plane = (1 - share) * coarse[low] + share * coarse[high]
    return np.asarray(cv2.resize(plane, (shape[2], shape[1]), interpolation=cv2.INTER_LINEAR), np.float32)


def _blurred(field: F32, sigma: list[float]) -> F32:
    """A Gaussian along every axis; what lies beyond the border counts nothing."""
    wide: F64 = field.astype(np.float64)
    for axis, width in zip((2, 1, 0), sigma, strict=True):
        reach = max(1, round(3 * width))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
        lines = np.moveaxis(wide, axis, -1)
        flat = lines.reshape(-1, lines.shape[-1])
        out = np.stack([np.convolve(line, kernel, "full")[reach : reach + len(line)] for line in flat])
        wide = np.moveaxis(out.reshape(lines.shape), -1, axis)
    return wide.astype(np.float32)
