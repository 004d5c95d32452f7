"""Points from where cameras of known pose see them."""

from __future__ import annotations

import numpy as np

from unflat.types.arrays import F64


def triangulate_pairs(a_from_world: F64, b_from_world: F64, in_a: F64, in_b: F64) -> tuple[F64, F64]:
    """Points seen by two cameras each, linearly (Hartley and Sturm, 1997, solved through normal equations).

    Args:
        a_from_world: (n, 3, 4) or (3, 4) rotation and shift of the first cameras.
        b_from_world: The same of the second ones.
        in_a: (n, 2) bearings x/z, y/z in the first camera.
        in_b: (n, 2) in the second.

    Returns:
        (n, 3) points in the world, NaN where rays are parallel, and (n,) the angle in radians between the two rays.
    """
    n = len(in_a)
    a, b = (np.broadcast_to(m, (n, 3, 4)) for m in (a_from_world, b_from_world))
    rows = np.stack([_rows(a, in_a), _rows(b, in_b)], 1).reshape(n, 4, 4)
    normal = rows[..., :3].transpose(0, 2, 1) @ rows[..., :3]
    right = -(rows[..., :3].transpose(0, 2, 1) @ rows[..., 3:])
    det = np.linalg.det(normal)
    ok = det > 1e-18
    xyz = np.full((n, 3), np.nan)
    xyz[ok] = np.linalg.solve(normal[ok], right[ok])[..., 0]
    return xyz, ray_angles(a, b, in_a, in_b)


def _rows(camera: F64, at: F64) -> F64:
    return np.stack([camera[:, 0] - at[:, :1] * camera[:, 2], camera[:, 1] - at[:, 1:] * camera[:, 2]], 1)


def ray_angles(a_from_world: F64, b_from_world: F64, in_a: F64, in_b: F64) -> F64:
    """(n,) angles in radians between the rays of two cameras each, in the world."""
    rays: list[F64] = []
    for camera, at in ((a_from_world, in_a), (b_from_world, in_b)):
        ray = np.concatenate([at, np.ones((len(at), 1))], 1)
        rotated = np.einsum("...ji,...j->...i", np.broadcast_to(camera, (len(at), 3, 4))[..., :3], ray)
        rays.append(rotated / np.linalg.norm(rotated, axis=1, keepdims=True))
    across = np.linalg.norm(np.cross(rays[0], rays[1]), axis=1)
    return np.arctan2(across, (rays[0] * rays[1]).sum(1))
