"""The tangent plane of a depth map, and ellipsoids that lie on it."""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.cuts import STEP_X, STEP_Y, is_cut
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, F64, U8
from unflat.types.camera import Intrinsics


@inner
def _slope(inverse, cuts, y, x, k):
    """Change of inverse depth per step in direction k, from the neighbours on the same surface."""
    back = (k + 4) % 8
    here = inverse[y, x]
    ahead = not is_cut(cuts, y, x, k)
    behind = not is_cut(cuts, y, x, back)
    forth = inverse[y + STEP_Y[k], x + STEP_X[k]] - here if ahead else np.float32(0)
    past = here - inverse[y + STEP_Y[back], x + STEP_X[back]] if behind else np.float32(0)
    if ahead and behind:
        return (forth + past) / 2
    return forth if ahead else past


@kernel
def _slopes(inverse, cuts, rows, columns, out):
    for i in range(len(rows)):
        out[i, 0] = _slope(inverse, cuts, rows[i], columns[i], 0)
        out[i, 1] = _slope(inverse, cuts, rows[i], columns[i], 1)


def slopes(inverse: F32, cuts: U8, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> F32:
    """How inverse depth changes per pixel along x and y, at some pixels: (n, 2)."""
    out = np.empty((len(rows), 2), np.float32)
    _slopes(inverse, cuts, rows.astype(np.int64), columns.astype(np.int64), out)
    return out


def surfels(xy_px: F64, plane: F64, camera: Intrinsics, step_px: float, longest: float) -> tuple[F64, F64, F64]:
    """Flat ellipsoids that cover one pixel step each on their tangent planes.

    The image of the unit circle under (x, y) -> point of the tangent plane is an ellipse; its axes are the
    singular vectors of the 3×2 Jacobian.

    Args:
        xy_px: (n, 2) where they are seen.
        plane: (n, 3) inverse depth there and its change per pixel along x and y.
        camera: The camera of these pixels.
        step_px: Distance of neighbouring surfels in pixels.
        longest: Cap of the long axis, in footprints of a surface that faces the camera.

    Returns:
        Centres (n, 3), axes as columns of rotations (n, 3, 3), extents (n, 3) of one step along these axes; the
        third axis is the normal, facing the camera, and its extent is 0.
    """
    ray = np.stack(
        [(xy_px[:, 0] - camera.cx) / camera.fx, (xy_px[:, 1] - camera.cy) / camera.fy, np.ones(len(xy_px))], axis=1
    )
    d, a, b = plane.T
    centres = ray / d[:, None]
    along_x = -ray * (a / d**2)[:, None]
    along_y = -ray * (b / d**2)[:, None]
    along_x[:, 0] += 1 / (camera.fx * d)
    along_y[:, 1] += 1 / (camera.fy * d)
    xx, yy, xy = (along_x**2).sum(1), (along_y**2).sum(1), (along_x * along_y).sum(1)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    major, minor = c * along_x + s * along_y, c * along_y - s * along_x
    major_length, minor_length = np.linalg.norm(major, axis=1), np.linalg.norm(minor, axis=1)
    normal = np.cross(minor, major)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    major = major / major_length[:, None]
    axes = np.stack([major, np.cross(normal, major), normal], axis=2)
    facing = 1 / (np.sqrt(camera.fx * camera.fy) * d)
    extents = np.stack([np.minimum(major_length, longest * facing), minor_length, np.zeros(len(d))], axis=1)
    return centres, axes, extents * step_px


def quaternions_from_axes(axes: F64) -> F64:
    """Unit quaternions (n, 4), w x y z, of rotations (n, 3, 3).

    Bar-Itzhack, "New method for extracting the quaternion from a rotation matrix", Journal of Guidance 23(6), 2000,
    in the closed form that takes the largest of the four squares (Shepperd 1978).
    """
    m = axes
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    yz, zx, xy = m[:, 2, 1], m[:, 0, 2], m[:, 1, 0]
    zy, xz, yx = m[:, 1, 2], m[:, 2, 0], m[:, 0, 1]
    rows = np.stack(
        [
            np.stack([1 + xx + yy + zz, yz - zy, zx - xz, xy - yx], axis=1),
            np.stack([yz - zy, 1 + xx - yy - zz, xy + yx, zx + xz], axis=1),
            np.stack([zx - xz, xy + yx, 1 - xx + yy - zz, yz + zy], axis=1),
            np.stack([xy - yx, zx + xz, yz + zy, 1 - xx - yy + zz], axis=1),
        ],
        axis=1,
    )
    best = np.argmax(np.einsum("nii->ni", rows), axis=1)
    q = rows[np.arange(len(m)), best]
    q /= np.linalg.norm(q, axis=1)[:, None]
    return np.where(q[:, :1] < 0, -q, q)
