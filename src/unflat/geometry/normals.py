"""Normals of a triangle surface."""

from __future__ import annotations

import numpy as np
from numba import njit

from unflat.types.arrays import F32, U32


@njit(cache=True)
def _accumulate(vertices, faces, out):
    for f in range(len(faces)):
        a, b, c = faces[f]
        ux, uy, uz = vertices[b] - vertices[a]
        vx, vy, vz = vertices[c] - vertices[a]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            out[i, 0] += nx
            out[i, 1] += ny
            out[i, 2] += nz


def vertex_normals(vertices: F32, faces: U32) -> F32:
    """Area-weighted normals, on the side from which the faces turn counter-clockwise.

    Args:
        vertices: (n, 3).
        faces: (m, 3).

    Returns:
        (n, 3) float32 of length 1. A vertex without area looks at the origin, where the camera stands.
    """
    total = np.zeros(vertices.shape, np.float64)
    _accumulate(vertices.astype(np.float64), faces, total)
    length = np.linalg.norm(total, axis=1)
    lost = length < 1e-30
    total[lost] = -vertices[lost]
    length[lost] = np.maximum(np.linalg.norm(vertices[lost], axis=1), 1e-30)
    total /= length[:, None]
    total[np.linalg.norm(total, axis=1) < 0.5] = (0.0, 0.0, -1.0)
    return total.astype(np.float32)
