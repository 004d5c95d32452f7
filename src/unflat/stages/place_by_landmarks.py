"""A picture that found no place of its own is placed by points that the user names.

An old photograph, a painting or a drawing shows a few corners of which is known where they are
(``stages/tour_things``). Its camera follows from them (EPnP, Lepetit et al., 2009, then least squares); where its focal
length is not known it is searched for, and the middle of the picture is taken for the axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.distort import pixels_of, rays_through
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics, Pose
from unflat.types.views import Lens, Still, View

LEAST_KNOWN, LEAST_UNKNOWN = 4, 6
"""Landmarks that a camera needs, its focal length known or not."""
_FOCALS = np.geomspace(0.4, 8.0, 40)
"""Focal lengths that are tried, in long sides of the picture."""
_FLAT = 0.02
"""Landmarks whose thickness is less than this share of their length lie in one plane: no focal length follows."""
_GOOD, POOR = 0.01, 0.04
"""Mean error as a share of the picture's long side: above the first it is said, above the second it is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Landmark:
    """A point that the user knows in a picture.

    Attributes:
        pixel: (2,) where it is in the picture that is to be placed.
        xyz: (3,) where it is in the frame of the scene.
        name: What to call it.
    """

    pixel: F64
    xyz: F64
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A picture that was placed.

    Attributes:
        view: Its camera.
        errors_px: How far from where the user marked it each landmark is seen.
        notes: What the user should know.
    """

    view: View
    errors_px: tuple[float, ...]
    notes: tuple[str, ...] = ()


def place_by_landmarks(still: Still, landmarks: Sequence[Landmark], poor: float = POOR) -> Found:
    """Find the camera of a picture from points that the user knows in it.

    Args:
        still: The picture; its lens is kept where it is known.
        landmarks: At least 4, 6 where the lens is not known.
        poor: Mean error, as a share of the picture's long side, above which they are said to contradict each other.

    Raises:
        InputError: Too few landmarks, or they contradict each other, or do not tell the focal length.
    """
    need = LEAST_UNKNOWN if still.lens is None else LEAST_KNOWN
    if len(landmarks) < need:
        raise InputError(
            f"{still.name} has {len(landmarks)} landmarks of which is known where they are; its camera needs {need}",
            hint="Mark more points, far apart, at different distances." + _FOCAL_HINT * (still.lens is None),
        )
    pixels, xyz = (np.stack([getattr(one, what) for one in landmarks]) for what in ("pixel", "xyz"))
    notes: list[str] = []
    found = _with_lens(still.lens, pixels, xyz) if still.lens is not None else _searched(still, pixels, xyz)
    if found is None:
        raise InputError(f"no camera sees the landmarks of {still.name} where they are marked", hint=_CHECK)
    lens, pose, errors = found
    long = max(still.size.width, still.size.height)
    mean = math.sqrt(float((errors**2).mean()))
    most = landmarks[int(errors.argmax())].name
    if mean > poor * long:
        raise InputError(
            f"the landmarks of {still.name} contradict each other by {mean:.0f} pixels, {most} most", hint=_CHECK
        )
    if mean > _GOOD * long:
        notes.append(f"{still.name}: landmarks are off by {mean:.0f} pixels, {most} most ({errors.max():.0f})")
    if still.lens is None:
        angle = f"{lens.intrinsics.fov_x_deg:.0f} degrees"
        notes.append(f"{still.name}: its angle of view follows from the landmarks: {angle}")
    sure = 0.5 * math.exp(-mean / (_GOOD * long))
    return Found(View(replace(still, lens=None), lens, pose, mean, sure), tuple(float(e) for e in errors), tuple(notes))


_FOCAL_HINT = " A known angle of view (fov) needs only 4."
_CHECK = "Check that each pixel and its point are the same corner, and that none is mirrored or twice."


def flat(xyz: F64) -> bool:
    """Whether (n, 3) points lie in one plane, as good as: then they tell no focal length."""
    spread = np.linalg.svd(xyz - xyz.mean(0), compute_uv=False)
    return len(spread) < 3 or bool(spread[2] < _FLAT * spread[0])


def _searched(still: Still, pixels: F64, xyz: F64) -> tuple[Lens, Pose, F64] | None:
    """The camera with the focal length that fits best: tried on a grid, then between its neighbours."""
    if flat(xyz):
        raise InputError(
            f"the landmarks of {still.name} lie in one plane, which does not tell its focal length",
            hint="Mark a point in front of or behind that plane, or give the angle of view (fov).",
        )
    long = max(still.size.width, still.size.height)

    def tried(share: float) -> tuple[float, tuple[Lens, Pose, F64] | None]:
        lens = Lens(Intrinsics.from_focal(share * long, still.size, "model"))
        found = _with_lens(lens, pixels, xyz)
        return (math.inf, None) if found is None else (float((found[2] ** 2).mean()), found)

    scores = [tried(float(share))[0] for share in _FOCALS]
    best = int(np.argmin(scores))
    if not math.isfinite(scores[best]):
        return None
    low, high = (math.log(_FOCALS[min(max(best + d, 0), len(_FOCALS) - 1)]) for d in (-1, 1))
    for _ in range(24):  # golden section
        a, b = high - 0.618 * (high - low), low + 0.618 * (high - low)
        if tried(math.exp(a))[0] < tried(math.exp(b))[0]:
            high = b
        else:
            low = a
    return tried(math.exp((low + high) / 2))[1]


def _with_lens(lens: Lens, pixels: F64, xyz: F64) -> tuple[Lens, Pose, F64] | None:
    """The pose for a lens, and how far off each landmark is in pixels; None where some are behind the camera."""
    middle = xyz.mean(0)
    size = max(float(np.linalg.norm(xyz - middle, axis=1).max()), 1e-12)
    points = np.ascontiguousarray((xyz - middle) / size)
    straight = np.ascontiguousarray(rays_through(pixels, lens)[:, :2])
    best: tuple[Lens, Pose, F64] | None = None
    for way in (cv2.SOLVEPNP_EPNP, cv2.SOLVEPNP_SQPNP):
        ok, turn, shift = cv2.solvePnP(points, straight, np.eye(3), np.zeros(4), flags=way)
        if not ok:
            continue
        turn, shift = cv2.solvePnPRefineLM(points, straight, np.eye(3), np.zeros(4), turn, shift)
        rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation.T, middle - size * rotation.T @ np.asarray(shift, np.float64).ravel()
        seen = pixels_of((xyz - pose[:3, 3]) @ pose[:3, :3], lens)
        errors = np.linalg.norm(seen - pixels, axis=1)
        if np.isfinite(errors).all() and (best is None or (errors**2).sum() < (best[2] ** 2).sum()):
            best = lens, Pose(pose), errors
    return best
