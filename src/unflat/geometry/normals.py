"""Normals of a triangle surface."""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U32


@kernel
def _accumulate(vertices, faces, out):
    """Add the normal of every face, as long as twice its area, to those of its corners."""
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        for i in range(3):
            at = faces[f, i]
            out[at, 0] += uy * vz - uz * vy
            out[at, 1] += uz * vx - ux * vz
            out[at, 2] += ux * vy - uy * vx


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
