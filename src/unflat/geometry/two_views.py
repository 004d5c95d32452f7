"""How the camera moved between two pictures, from points seen in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unflat.geometry.triangulate import triangulate_pairs
from unflat.geometry.turns import nearest_rotation
from unflat.types.arrays import F64, Bool

_SEED = 11
_CLEAR = 0.8
"""The second best motion explains at most this share of the points that the best one does, or neither is believed."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoViews:
    """The second camera seen from the first, the distance between them being 1.

    Attributes:
        rotation: (3, 3), second camera from first.
        shift: (3,), second camera from first, of length 1.
        xyz: (n, 3) points in the first camera's axes; NaN where not seen well.
        angle: (n,) radians between both rays.
        kept: (n,) bool, the points that agree with the motion and lie in front of both cameras.
        flat: Whether a homography, a plane's motion, explains the points about as well.
    """

    rotation: F64
    shift: F64
    xyz: F64
    angle: F64
    kept: Bool
    flat: bool


def relative_motion(first: F64, second: F64, within: float) -> TwoViews | None:
    """The motion that most points agree with, from the essential matrix and from the homography.

    Both are fitted by sampling (MAGSAC++, Barath and others, CVPR 2020; the five points of Nistér, 2004; the
    homography's motions by Malis and Vargas, 2007); of all motions they allow, the one wins that puts the most points
    in front of both cameras, within the tolerance. Always the same for the same points.

    Args:
        first: (n, 2) bearings x/z, y/z in the first picture.
        second: (n, 2) in the second.
        within: How far from where it should be a point may be seen, in the unit of the bearings (pixels / focal).

    Returns:
        None where fewer than 12 points agree, or two different motions explain them almost alike.
    """
    import cv2

    if len(first) < 12:
        return None
    cv2.setRNGSeed(_SEED)
    essential: Any = cv2.findEssentialMat(
        first, second, np.eye(3), method=cv2.USAC_MAGSAC, prob=0.999, threshold=within, maxIters=2000
    )[0]
    found: Any = cv2.findHomography(first, second, cv2.USAC_MAGSAC, within, maxIters=1000, confidence=0.999)
    homography, on_plane = found
    motions: list[tuple[F64, F64]] = []
    if essential is not None and essential.shape == (3, 3):
        motions += _motions_of(np.asarray(essential, np.float64))
    if homography is not None:
        _, turns, shifts, _ = cv2.decomposeHomographyMat(np.asarray(homography, np.float64), np.eye(3))
        for r, t in zip(turns, shifts, strict=True):
            length = float(np.linalg.norm(t))
            if length > 1e-6:
                motions.append((nearest_rotation(np.asarray(r, np.float64)), np.asarray(t, np.float64)[:, 0] / length))
    tried = [_judged(motion, first, second, within) for motion in motions]
    if not tried:
        return None
    counts = np.array([view.kept.sum() for view in tried])
    best = tried[int(counts.argmax())]
    if counts.max() < 12:
        return None
    others = [c for c, view in zip(counts, tried, strict=True) if _apart(view, best)]
    if others and max(others) > _CLEAR * counts.max():
        return None
    flat = on_plane is not None and int(np.sum(on_plane)) > 0.9 * counts.max()
    return TwoViews(best.rotation, best.shift, best.xyz, best.angle, best.kept, flat)


def _motions_of(essential: F64) -> list[tuple[F64, F64]]:
    """The four motions that an essential matrix allows (Hartley and Zisserman, 2004, 9.6.2)."""
    u, _, vt = np.linalg.svd(essential)
    u, vt = u * np.linalg.det(u), vt * np.linalg.det(vt)
    quarter = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turns = (np.asarray(u @ w @ vt, np.float64) for w in (quarter, quarter.T))
    return [(r, sign * np.asarray(u[:, 2], np.float64)) for r in turns for sign in (1.0, -1.0)]


def _apart(view: TwoViews, other: TwoViews) -> bool:
    """Whether two motions differ by more than some ten degrees, in the turn or in the direction."""
    turned = float(np.trace(view.rotation.T @ other.rotation))
    return turned < 1 + 2 * np.cos(np.radians(6)) or float(view.shift @ other.shift) < np.cos(np.radians(12))


def _judged(motion: tuple[F64, F64], first: F64, second: F64, within: float) -> TwoViews:
    rotation, shift = motion
    here, there = np.eye(3, 4), np.concatenate([rotation, shift[:, None]], 1)
    xyz, angle = triangulate_pairs(here, there, first, second)
    beyond = xyz @ rotation.T + shift
    with np.errstate(divide="ignore", invalid="ignore"):
        off = (xyz[:, :2] / xyz[:, 2:] - first) ** 2 + (beyond[:, :2] / beyond[:, 2:] - second) ** 2
    kept = (xyz[:, 2] > 0) & (beyond[:, 2] > 0) & (off.sum(1) < 2 * within**2)
    return TwoViews(rotation, shift, np.where(kept[:, None], xyz, np.nan), angle, kept, False)


def pure_turn(first: F64, second: F64, within: float) -> tuple[F64, F64]:
    """The rotation alone that brings the bearings of one picture onto those of the other, robustly.

    Iteratively weighted alignment of the unit rays (Kabsch, 1976).

    Args:
        first: (n, 2), n >= 2.
        second: (n, 2).
        within: Points off by more count less.

    Returns:
        (3, 3) second camera from first, and (n,) how far off each point is.
    """
    a, b = (np.concatenate([p, np.ones((len(p), 1))], 1) for p in (first, second))
    a, b = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in (a, b))
    weights, rotation, off = np.ones(len(a)), np.eye(3), np.zeros(len(a))
    for _ in range(10):
        rotation = nearest_rotation(np.einsum("ni,nj,n->ij", b, a, weights))
        off = np.linalg.norm(b - a @ rotation.T, axis=1)
        weights = 1 / (1 + (off / max(within, 0.5 * float(np.median(off)))) ** 2)
    return rotation, off
