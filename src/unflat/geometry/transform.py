"""Rotations, and the one table of how each frame is turned at each door.

A matrix is named ``target_from_source`` and multiplies column vectors. Every turn has determinant +1, so
nothing is ever mirrored. Only ``formats`` calls :func:`door_from_frame`.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from unflat.types.arrays import F32, F64
from unflat.types.scene import Frame


class Door(Enum):
    """The axes a family of file formats expects."""

    GL = "gl"
    """x right, y up, z towards the viewer: glTF, USD (upAxis Y), OBJ, PLY meshes, three.js."""
    PRINT = "print"
    """x right, y into the scene, z up: STL, 3MF."""
    ROS = "ros"
    """x forward, y left, z up: point clouds and maps of robots (REP 103)."""
    SPLAT = "splat"
    """x right, y down, z forward: the 3DGS training convention that viewers of splat PLY files turn upright."""


_TURNS: dict[tuple[Frame, Door], tuple[tuple[int, int, int], ...]] = {
    (Frame.CAMERA_RDF, Door.GL): ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    (Frame.CAMERA_RDF, Door.PRINT): ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    (Frame.CAMERA_RDF, Door.ROS): ((0, 0, 1), (-1, 0, 0), (0, -1, 0)),
    (Frame.CAMERA_RDF, Door.SPLAT): ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    (Frame.LEVEL_RDF, Door.GL): ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    (Frame.LEVEL_RDF, Door.PRINT): ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    (Frame.LEVEL_RDF, Door.ROS): ((0, 0, 1), (-1, 0, 0), (0, -1, 0)),
    (Frame.LEVEL_RDF, Door.SPLAT): ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    (Frame.PATIENT_LPS, Door.GL): ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    (Frame.PATIENT_LPS, Door.PRINT): ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    (Frame.PATIENT_LPS, Door.ROS): ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    (Frame.PATIENT_LPS, Door.SPLAT): ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


def door_from_frame(frame: Frame, door: Door) -> F64:
    """The 3×3 rotation that turns points of a scene in ``frame`` into the axes of ``door``."""
    return np.array(_TURNS[frame, door], dtype=np.float64)


def turned(target_from_source: F64, xyz: F32) -> F32:
    """Apply a 3×3 rotation to (n, 3) points or directions, keeping float32."""
    return np.ascontiguousarray(xyz @ target_from_source.T.astype(np.float32))


def quaternion_from_rotation(rotation: F64) -> F64:
    """Unit quaternion (w, x, y, z) with w >= 0 of one 3×3 rotation.

    Shepperd, "Quaternion from rotation matrix", Journal of Guidance and Control 1(3), 1978.
    """
    m = rotation
    squares = np.array(
        [
            1 + m[0, 0] + m[1, 1] + m[2, 2],
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
        ]
    )
    pairs = np.array(
        [
            [0, m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], 0, m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
            [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], 0, m[1, 2] + m[2, 1]],
            [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 0],
        ]
    )
    largest = int(np.argmax(squares))
    root = np.sqrt(squares[largest])
    q = pairs[largest] / (2 * root)
    q[largest] = root / 2
    return q if q[0] >= 0 else -q


def quaternion_product(a: F64, b: F64) -> F64:
    """Hamilton product of (…, 4) quaternions in w x y z order; broadcasts."""
    aw, ax, ay, az = np.moveaxis(np.asarray(a), -1, 0)
    bw, bx, by, bz = np.moveaxis(np.asarray(b), -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )
