"""A picture that found no place of its own is placed by points that the user names.

An old photograph, a painting or a drawing shows a few corners that are known: as points of the scene, or as pixels of
pictures that are placed. Its camera follows from them (EPnP, Lepetit et al., 2009, then least squares); where its focal
length is not known it is searched for, and the middle of the picture is taken for the axis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.distort import pixels_of, rays_through
from unflat.stages.locate_mark import located, located_twice
from unflat.types.arrays import F64
from unflat.types.camera import Intrinsics, Pose
from unflat.types.views import Lens, Reconstruction, Still, View

_LEAST_KNOWN, _LEAST_UNKNOWN = 4, 6
"""Landmarks that a camera needs, its focal length known or not."""
_FOCALS = np.geomspace(0.4, 8.0, 40)
"""Focal lengths that are tried, in long sides of the picture."""
_FLAT = 0.02
"""Landmarks whose thickness is less than this share of their length lie in one plane: no focal length follows."""
_GOOD, _POOR = 0.01, 0.04
"""Mean error as a share of the picture's long side: above the first it is said, above the second it is refused."""


@dataclass(frozen=True, slots=True)
class Landmark:
    """A point that the user knows in a picture.

    Attributes:
        pixel: x and y in the picture that is to be placed.
        xyz: The point in the frame of the scene; None where pictures tell it.
        seen: The same point in pictures that are placed: x and y by name.
    """

    pixel: tuple[float, float]
    xyz: tuple[float, float, float] | None = None
    seen: Mapping[str, tuple[float, float]] = field(default_factory=dict)


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


def landmarks_of(document: Any) -> dict[str, tuple[Landmark, ...]]:
    """Landmarks from a JSON document.

    Args:
        document: ``{"pictures": {NAME: [{"pixel": [x, y], "xyz": [x, y, z]}, {"pixel": [x, y], "seen": {OTHER: [x, y],
            …}}, …]}}``, pixels from the top left corner, points in the axes and metres of the scene.

    Raises:
        InputError: It says something else.
    """
    pictures = document.get("pictures") if isinstance(document, dict) else None
    if not isinstance(pictures, dict) or not pictures:
        raise InputError("landmarks need an object 'pictures'", hint=_HOW)
    return {str(name): tuple(_landmark(name, k, row) for k, row in enumerate(_rows(name, rows)))
            for name, rows in pictures.items()}  # fmt: skip


_HOW = 'Write {"pictures": {"NAME": [{"pixel": [x, y], "xyz": [x, y, z]}, {"pixel": …, "seen": {"OTHER": [x, y]}}]}}.'


def _rows(name: str, rows: Any) -> list[Any]:
    if not isinstance(rows, list):
        raise InputError(f"the landmarks of {name} are not a list", hint=_HOW)
    return rows


def _landmark(name: str, k: int, row: Any) -> Landmark:
    where = f"landmark {k + 1} of {name}"
    if not isinstance(row, dict) or set(row) - {"pixel", "xyz", "seen", "name"}:
        raise InputError(f"{where} has other words than pixel, xyz, seen and name", hint=_HOW)
    x, y = _numbers(row.get("pixel"), 2, f"the pixel of {where}")
    xyz = None if row.get("xyz") is None else _numbers(row["xyz"], 3, f"the point of {where}")
    others = row.get("seen") or {}
    if not isinstance(others, dict) or (xyz is None) == (not others):
        raise InputError(f"{where} needs either a point (xyz) or pixels in placed pictures (seen)", hint=_HOW)
    seen: dict[str, tuple[float, float]] = {}
    for other, at in others.items():
        u, v = _numbers(at, 2, f"the pixel of {where} in {other}")
        seen[str(other)] = u, v
    return Landmark((x, y), None if xyz is None else (xyz[0], xyz[1], xyz[2]), seen)


def _numbers(value: Any, count: int, what: str) -> list[float]:
    if not isinstance(value, list) or len(value) != count:
        raise InputError(f"{what} is not a list of {count} numbers", hint=_HOW)
    if any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in value):
        raise InputError(f"{what} is not made of numbers", hint=_HOW)
    return [float(v) for v in value]


def place_by_landmarks(still: Still, landmarks: Sequence[Landmark], scene: Reconstruction) -> Found:
    """Find the camera of a picture from points that the user knows in it.

    Args:
        still: The picture; its lens is kept where it is known.
        landmarks: At least 4, 6 where the lens is not known.
        scene: What is placed already.

    Raises:
        InputError: Too few landmarks, one that cannot be found in the scene, or they contradict each other.
    """
    need = _LEAST_UNKNOWN if still.lens is None else _LEAST_KNOWN
    if len(landmarks) < need:
        raise InputError(
            f"{still.name} has {len(landmarks)} landmarks, and its camera needs {need}",
            hint="Mark more points, far apart, at different distances." + _FOCAL_HINT * (still.lens is None),
        )
    pixels = np.array([one.pixel for one in landmarks])
    if ((pixels < 0) | (pixels > [still.size.width, still.size.height])).any():
        raise InputError(f"a landmark lies outside {still.name}, which is {still.size}", hint=_HOW)
    xyz = np.stack([_point(one, k, still.name, scene) for k, one in enumerate(landmarks)])
    notes: list[str] = []
    found = _with_lens(still.lens, pixels, xyz) if still.lens is not None else _searched(still, pixels, xyz)
    if found is None:
        raise InputError(f"no camera sees the landmarks of {still.name} where they are marked", hint=_CHECK)
    lens, pose, errors = found
    long = max(still.size.width, still.size.height)
    mean = math.sqrt(float((errors**2).mean()))
    worst = int(errors.argmax())
    if mean > _POOR * long:
        raise InputError(
            f"the landmarks of {still.name} contradict each other by {mean:.0f} pixels, number {worst + 1} most",
            hint=_CHECK,
        )
    if mean > _GOOD * long:
        most = f"number {worst + 1} most ({errors[worst]:.0f})"
        notes.append(f"{still.name}: landmarks are off by {mean:.0f} pixels, {most}")
    if still.lens is None:
        angle = f"{lens.intrinsics.fov_x_deg:.0f} degrees"
        notes.append(f"{still.name}: its angle of view follows from the landmarks: {angle}")
    sure = 0.5 * math.exp(-mean / (_GOOD * long))
    return Found(View(replace(still, lens=None), lens, pose, mean, sure), tuple(float(e) for e in errors), tuple(notes))


_FOCAL_HINT = " A known lens (--fov) needs only 4."
_CHECK = "Check that each pixel and its point are the same corner, and that none is mirrored or twice."


def _point(one: Landmark, k: int, name: str, scene: Reconstruction) -> F64:
    """Where a landmark is in the scene."""
    if one.xyz is not None:
        return np.asarray(one.xyz, np.float64)
    numbers = {view.still.name: n for n, view in enumerate(scene.views)}
    for other in one.seen:
        if other not in numbers:
            raise InputError(f"landmark {k + 1} of {name} is marked in {other}, which is not placed", hint=_HOW)
    marks = [(numbers[other], np.asarray(at, np.float64)) for other, at in one.seen.items()]
    for number, at in marks:
        size = scene.views[number].still.size
        if not (0 <= at[0] <= size.width and 0 <= at[1] <= size.height):
            raise InputError(f"landmark {k + 1} of {name} lies outside {scene.views[number].still.name}", hint=_HOW)
    found = located_twice(scene, marks) if len(marks) > 1 else located(scene, *marks[0])
    if found is None:
        raise InputError(
            f"how far away landmark {k + 1} of {name} is cannot be seen in {' and '.join(one.seen)}",
            hint="Mark it in a second placed picture, taken from elsewhere.",
        )
    return found.xyz


def _searched(still: Still, pixels: F64, xyz: F64) -> tuple[Lens, Pose, F64] | None:
    """The camera with the focal length that fits best: tried on a grid, then between its neighbours."""
    spread = np.linalg.svd(xyz - xyz.mean(0), compute_uv=False)
    if spread[2] < _FLAT * spread[0]:
        raise InputError(
            f"the landmarks of {still.name} lie in one plane, which does not tell its focal length",
            hint="Mark a point in front of or behind that plane, or give the angle of view with --fov.",
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
