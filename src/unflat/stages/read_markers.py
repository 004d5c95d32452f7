"""Printed square markers (ArUco, AprilTag) in several views -> the length of their sides.

The dictionary need not be known: the common ones are tried (Garrido-Jurado et al., 2014; Olson, 2011). A marker counts
if two views or more agree where its corners are and these make a square.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from unflat.geometry.distort import pixels_of, rays_through
from unflat.geometry.square_corners import linear_grey, square_corners
from unflat.types.arrays import F64, U8
from unflat.types.views import View

DICTIONARIES = ("4X4_1000", "5X5_1000", "6X6_1000", "7X7_1000", "ARUCO_ORIGINAL", "APRILTAG_36h11", "APRILTAG_25h9")
_MOST_VIEWS = 60
_LEAST_ANGLE = math.radians(1.5)
_OFF_PX = 2.0
_SQUARE = 0.08
"""Sides of a marker differ by less than this share, its diagonals from those of a square likewise."""
_CORNER_PX = 0.15
"""However well they agree, corners of a marker are not found better than this, all views together."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker that was found.

    Attributes:
        name: Its dictionary and number, for people.
        side: Mean length of its sides, in the unit of the poses.
        error: Relative standard error of that.
        views: How many show it.
    """

    name: str
    side: float
    error: float
    views: int


def read_markers(views: Sequence[View]) -> list[Marker]:
    """The markers that stand in a scene.

    Args:
        views: Cameras that are placed; at most 60 of them, evenly spread, are looked at.
    """
    step = max(1, math.ceil(len(views) / _MOST_VIEWS))
    find = _finder()
    seen: dict[str, list[tuple[View, F64]]] = {}
    for view in views[::step]:
        for name, corners in find(view.still.read()):
            seen.setdefault(name, []).append((view, corners))
    markers = [_measured(name, sights) for name, sights in seen.items() if len(sights) >= 2]
    return [marker for marker in markers if marker is not None]


def _finder() -> Callable[[U8], list[tuple[str, F64]]]:
    """A function that finds (name, (4, 2) corners in pixels) of all dictionaries in a picture."""
    aruco: Any = cv2.aruco
    settings = aruco.DetectorParameters()
    books = [aruco.getPredefinedDictionary(getattr(aruco, f"DICT_{name}")) for name in DICTIONARIES]
    detectors = [aruco.ArucoDetector(book, settings) for book in books]

    def find(pixels: U8) -> list[tuple[str, F64]]:
        grey = cv2.cvtColor(np.asarray(pixels), cv2.COLOR_RGB2GRAY)
        light = linear_grey(pixels)
        found: list[tuple[str, F64]] = []
        for book, detector in zip(DICTIONARIES, detectors, strict=True):
            quads, numbers, _ = detector.detectMarkers(grey)
            for quad, number in zip(quads, [] if numbers is None else numbers.ravel(), strict=True):
                corners = square_corners(light, np.asarray(quad, np.float64).reshape(4, 2) + 0.5)
                found.append((f"{book} {number}", corners))
        return found

    return find


def _measured(name: str, sights: list[tuple[View, F64]]) -> Marker | None:
    """Its corners triangulated by all views that agree; None where they do not, or make no square."""
    for _ in range(3):
        poses = np.stack([view.pose.world_from_camera for view, _ in sights])
        rays = np.stack([rays_through(corners, view.lens) for view, corners in sights])
        xyz = _meeting(poses, rays)
        if xyz is None:
            return None
        off = np.stack([_off(view, corners, xyz) for view, corners in sights])
        fits = off.max(1) < max(_OFF_PX, 2 * float(np.median(off.max(1))))
        if fits.all():
            break
        sights = [sight for sight, fit in zip(sights, fits, strict=True) if fit]
        if len(sights) < 2:
            return None
    else:
        return None
    rms = math.sqrt(float((off**2).mean()))
    sides = np.linalg.norm(np.roll(xyz, -1, 0) - xyz, axis=1)
    diagonals = np.linalg.norm(xyz[2:] - xyz[:2], axis=1) / math.sqrt(2)
    side = float(sides.mean())
    if rms > _OFF_PX or max(np.abs(sides / side - 1).max(), np.abs(diagonals / side - 1).max()) > _SQUARE:
        return None
    across = max(view.lens.intrinsics.fx * side / max(_depth(view, xyz), 1e-9) for view, _ in sights)
    scatter = float(np.concatenate([sides, diagonals]).std(ddof=1)) / side / math.sqrt(6)
    reach = max(rms / math.sqrt(len(sights)), _CORNER_PX) / across
    return Marker(name, side, math.hypot(scatter, reach), len(sights))


def _meeting(poses: F64, rays: F64) -> F64 | None:
    """(4, 3) where the rays (v, 4, 3) of the corners come nearest to each other; None where all are parallel."""
    ways = np.einsum("vij,vkj->vki", poses[:, :3, :3], rays)
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    widest = float(np.arccos(np.clip(np.einsum("vki,wki->vwk", ways, ways).min(), -1, 1)))
    if widest < _LEAST_ANGLE:
        return None
    weight, xyz = np.ones(ways.shape[:2]), np.zeros((4, 3))
    for _ in range(3):  # by angle: what is far off a ray in metres may be near it in the picture
        across = (np.eye(3) - np.einsum("vki,vkj->vkij", ways, ways)) * weight[..., None, None]
        eyes = np.einsum("vkij,vj->ki", across, poses[:, :3, 3])
        xyz = np.linalg.solve(across.sum(0), eyes[..., None])[..., 0]
        weight = 1 / np.maximum(((xyz[None] - poses[:, None, :3, 3]) ** 2).sum(2), 1e-12)
    return xyz


def _off(view: View, corners: F64, xyz: F64) -> F64:
    """(4,) pixels between where corners are and where they were found; infinite behind the eye."""
    m = view.pose.world_from_camera
    there = pixels_of((xyz - m[:3, 3]) @ m[:3, :3], view.lens)
    return np.where(np.isfinite(there).all(1), np.linalg.norm(there - corners, axis=1), np.inf)


def _depth(view: View, xyz: F64) -> float:
    m = view.pose.world_from_camera
    return float(((xyz - m[:3, 3]) @ m[:3, 2]).mean())
