"""Where a camera stands that sees known points: from a guess by Gauss and Newton, or from nothing by sampling."""

# pyright: standard
# ruff: noqa: PLR0913

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.jit import kernel
from unflat.geometry.seen_by import NEAREST, bearings, slopes
from unflat.geometry.turns import turn
from unflat.types.arrays import F64, Bool

_SEED = 7
_ROUNDS = 12


@kernel
def _pose_terms(rotation, shift, xyz, pixel, along, lens, loss, hessian, gradient, squares):
    """Sums of the normal equations of one camera's pose, (6, 6) and (6,); squared errors into (n,). Gives the cost."""
    at, by_point = np.zeros(2), np.zeros((2, 3))
    j, flat = np.zeros((2, 6)), np.zeros((2, 6))
    hessian[:] = 0.0
    gradient[:] = 0.0
    cost = 0.0
    for i in range(len(xyz)):
        x = rotation[0, 0] * xyz[i, 0] + rotation[0, 1] * xyz[i, 1] + rotation[0, 2] * xyz[i, 2] + shift[0]
        y = rotation[1, 0] * xyz[i, 0] + rotation[1, 1] * xyz[i, 1] + rotation[1, 2] * xyz[i, 2] + shift[1]
        z = rotation[2, 0] * xyz[i, 0] + rotation[2, 1] * xyz[i, 1] + rotation[2, 2] * xyz[i, 2] + shift[2]
        if z <= NEAREST:
            squares[i] = np.inf
            cost += loss * loss * np.log(1e6)
            continue
        slopes(x, y, z, lens, at, by_point)
        e0, e1 = at[0] - pixel[i, 0], at[1] - pixel[i, 1]
        # how far the pixel moves if the point does along the ray on which its depth is uncertain
        mx = rotation[0, 0] * along[i, 0] + rotation[0, 1] * along[i, 1] + rotation[0, 2] * along[i, 2]
        my = rotation[1, 0] * along[i, 0] + rotation[1, 1] * along[i, 1] + rotation[1, 2] * along[i, 2]
        mz = rotation[2, 0] * along[i, 0] + rotation[2, 1] * along[i, 1] + rotation[2, 2] * along[i, 2]
        m0 = by_point[0, 0] * mx + by_point[0, 1] * my + by_point[0, 2] * mz
        m1 = by_point[1, 0] * mx + by_point[1, 1] * my + by_point[1, 2] * mz
        blunt = 1.0 / (1.0 + m0 * m0 + m1 * m1)
        f0 = e0 - blunt * m0 * (m0 * e0 + m1 * e1)
        f1 = e1 - blunt * m1 * (m0 * e0 + m1 * e1)
        r2 = e0 * f0 + e1 * f1
        squares[i] = r2
        cost += loss * loss * np.log(1.0 + r2 / (loss * loss))
        weight = 1.0 / (1.0 + r2 / (loss * loss))
        for r in range(2):
            bx, by, bz = by_point[r, 0], by_point[r, 1], by_point[r, 2]
            j[r, 0], j[r, 1], j[r, 2] = y * bz - z * by, z * bx - x * bz, x * by - y * bx
            j[r, 3], j[r, 4], j[r, 5] = bx, by, bz
        for c in range(6):
            dot = blunt * (m0 * j[0, c] + m1 * j[1, c])
            flat[0, c] = weight * (j[0, c] - m0 * dot)
            flat[1, c] = weight * (j[1, c] - m1 * dot)
        for c in range(6):
            gradient[c] += flat[0, c] * e0 + flat[1, c] * e1
            for d in range(6):
                hessian[c, d] += flat[0, c] * j[0, d] + flat[1, c] * j[1, d]
    return cost


@dataclass(frozen=True, slots=True, eq=False)
class Resection:
    """A camera among known points.

    Attributes:
        rotation: (3, 3), camera from world.
        shift: (3,), camera from world.
        squares: (n,) squared error of each point, in pixels, less what its uncertain depth excuses; inf behind.
        information: (6, 6) inverse covariance of (turn, shift) if pixels are uncertain by 1; outliers count little.
    """

    rotation: F64
    shift: F64
    squares: F64
    information: F64


def resect(
    guess: tuple[F64, F64], xyz: F64, pixels: F64, lens: F64, along: F64 | None = None, *, loss_px: float = 1.5
) -> Resection:
    """Refine a camera's pose by the points it sees: iteratively weighted least squares with Cauchy's loss.

    Args:
        guess: Rotation (3, 3) and shift (3,), camera from world.
        xyz: (n, 3) points in the world.
        pixels: (n, 2) where they are seen.
        lens: (8,), see :mod:`unflat.geometry.seen_by`.
        along: (n, 3) one standard deviation of each point along the ray that it was first seen on, in the world:
            errors in the direction that this moves the pixel count less. None: the points are certain.
        loss_px: Errors beyond this count less and less.
    """
    along = np.zeros_like(xyz) if along is None else along
    xyz, pixels, along = (np.ascontiguousarray(a, np.float64) for a in (xyz, pixels, along))
    rotation, shift = np.array(guess[0], np.float64, order="C"), np.array(guess[1], np.float64)
    h, g, squares = np.zeros((6, 6)), np.zeros(6), np.zeros(len(xyz))
    cost = float(_pose_terms(rotation, shift, xyz, pixels, along, lens, loss_px, h, g, squares))
    damping = 1e-6
    for _ in range(_ROUNDS):
        damped = h + np.diag(damping * np.diag(h) + 1e-9)
        step = np.asarray(np.linalg.solve(damped, -g), np.float64)
        by = turn(step[:3])
        new = by @ rotation, by @ shift + step[3:]
        h2, g2, squares2 = np.zeros((6, 6)), np.zeros(6), np.zeros(len(xyz))
        new_cost = float(_pose_terms(new[0], new[1], xyz, pixels, along, lens, loss_px, h2, g2, squares2))
        if not new_cost <= cost:
            damping = max(damping, 1e-4) * 10
            continue
        gained = cost - new_cost
        (rotation, shift), h, g, squares, cost = new, h2, g2, squares2, new_cost
        damping *= 0.3
        if gained < 1e-6 * (cost + 1e-9):
            break
    return Resection(rotation, shift, squares, h)


def resect_from_nothing(
    xyz: F64, pixels: F64, lens: F64, *, within_px: float, rounds: int = 200
) -> tuple[F64, F64, Bool] | None:
    """A camera's pose from points some of which are wrong, without a guess: three points and sampling.

    P3P (Ke and Roumeliotis, CVPR 2017) inside RANSAC, as OpenCV has them; always the same for the same points.

    Args:
        xyz: (n, 3) points in the world.
        pixels: (n, 2) where they may be.
        lens: (8,).
        within_px: A point agrees with a pose if it is seen so near.
        rounds: Samples drawn at most.

    Returns:
        Rotation and shift, camera from world, and (n,) which points agree; None if fewer than six do.
    """
    import cv2

    if len(xyz) < 6:
        return None
    focal = float(np.sqrt(lens[0] * lens[1]))
    cv2.setRNGSeed(_SEED)
    ok, rvec, tvec, agreeing = cv2.solvePnPRansac(
        np.ascontiguousarray(xyz, np.float64),
        bearings(pixels, lens),
        np.eye(3),
        None,
        iterationsCount=rounds,
        reprojectionError=within_px / focal,
        confidence=0.999,
        flags=cv2.SOLVEPNP_AP3P,
    )
    if not ok or agreeing is None or len(agreeing) < 6:
        return None
    agrees = np.zeros(len(xyz), bool)
    agrees[np.ravel(np.asarray(agreeing, np.int64))] = True
    return turn(np.asarray(rvec, np.float64).reshape(3)), np.asarray(tvec, np.float64).reshape(3), agrees
