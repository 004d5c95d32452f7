"""Rotations by their axis times angle: how a camera turns a little."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F64


def turn(axis_angle: F64) -> F64:
    """The 3×3 rotation about an axis by its length in radians (Rodrigues' formula)."""
    angle = float(np.linalg.norm(axis_angle))
    k = cross_matrix(axis_angle)
    if angle < 1e-8:
        return np.eye(3) + k + 0.5 * k @ k
    return np.eye(3) + np.sin(angle) / angle * k + (1 - np.cos(angle)) / angle**2 * (k @ k)


def axis_angle(rotation: F64) -> F64:
    """The axis times the angle, 0..π radians, of a 3×3 rotation."""
    import cv2

    return np.asarray(cv2.Rodrigues(np.asarray(rotation, np.float64))[0], np.float64).reshape(3)


def cross_matrix(v: F64) -> F64:
    """The 3×3 matrix whose product with w is v × w."""
    return np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])


def nearest_rotation(matrix: F64) -> F64:
    """The rotation nearest to a 3×3 matrix that is almost one (by its singular values)."""
    u, _, vt = np.linalg.svd(matrix)
    return u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
