"""Which voxels rays of sight end in, and which they pass: loops over rays (Amanatides and Woo, 1987)."""

# pyright: standard
# ruff: noqa: PLR0912, PLR0913, SIM102

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import kernel

_FULL = 60000


@kernel
def trace(eye, ends, hit, low, cell, margin, hits, passes):
    """Count rays from an eye.

    Args:
        eye: (3,) where they begin.
        ends: (n, 3) where they end.
        hit: (n,) bool, whether a surface is there; a ray that was cut short ends at nothing.
        low: (3,) the corner where voxels begin.
        cell: Their side.
        margin: A ray that ends at a surface passes nothing so near before it.
        hits: (a, b, c) uint16, voxels along the three axes; one is added where a ray ends at a surface.
        passes: (a, b, c) uint16; one is added where a ray passes.
    """
    shape = hits.shape
    at, step = np.zeros(3, np.int64), np.zeros(3, np.int64)
    until, every = np.zeros(3), np.zeros(3)
    for i in range(len(ends)):
        length = np.sqrt((ends[i, 0] - eye[0]) ** 2 + (ends[i, 1] - eye[1]) ** 2 + (ends[i, 2] - eye[2]) ** 2)
        if length <= 1e-9:
            continue
        if hit[i]:
            a = int(np.floor((ends[i, 0] - low[0]) / cell))
            b = int(np.floor((ends[i, 1] - low[1]) / cell))
            c = int(np.floor((ends[i, 2] - low[2]) / cell))
            if 0 <= a < shape[0] and 0 <= b < shape[1] and 0 <= c < shape[2] and hits[a, b, c] < _FULL:
                hits[a, b, c] += 1
        reach = length - margin if hit[i] else length
        if reach <= 0:
            continue
        for k in range(3):
            along = (ends[i, k] - eye[k]) / length
            at[k] = int(np.floor((eye[k] - low[k]) / cell))
            if along > 1e-12:
                step[k], every[k] = 1, cell / along
                until[k] = (low[k] + (at[k] + 1) * cell - eye[k]) / along
            elif along < -1e-12:
                step[k], every[k] = -1, -cell / along
                until[k] = (low[k] + at[k] * cell - eye[k]) / along
            else:
                step[k], every[k], until[k] = 0, np.inf, np.inf
        gone = 0.0
        while gone < reach:
            if 0 <= at[0] < shape[0] and 0 <= at[1] < shape[1] and 0 <= at[2] < shape[2]:
                if passes[at[0], at[1], at[2]] < _FULL:
                    passes[at[0], at[1], at[2]] += 1
            k = 0
            if until[1] < until[k]:
                k = 1
            if until[2] < until[k]:
                k = 2
            gone = until[k]
            until[k] += every[k]
            at[k] += step[k]
