"""How people and animals are photographed: from where, how large, through which lens; never from inside something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.palette import Palette
from training.worlds.scenes.settings import Box, Setting
from training.worlds.stage import Camera


def _inside(eye: NDArray[np.float64], solid: Iterable[Box], margin: float) -> bool:
    return any(bool((eye > low - margin).all() and (eye < high + margin).all()) for low, high in solid)


def _hidden(eye: NDArray[np.float64], target: NDArray[np.float64], solid: Iterable[Box]) -> bool:
    """True when a box lies between the eye and the target."""
    steps = eye + (target - eye) * np.linspace(0.05, 0.85, 12)[:, None]
    return any(bool(((steps > low) & (steps < high)).all(1).any()) for low, high in solid)


@dataclass(frozen=True, slots=True)
class Shot:
    """How to photograph something: extent (metres of the subject that the long side takes), where from, and the lens.

    sides: range of the direction it is seen from, radians from +z; heights: of the eye, metres; fov: degrees.
    """

    extent: tuple[float, float]
    sides: tuple[float, float] = (-0.9, 0.9)
    heights: tuple[float, float] = (0.4, 2.2)
    fov: tuple[float, float] = (18, 75)
    portrait: float = 0.5
    aperture: float = 0.02
    nearest: float = 0.3


def photograph(
    palette: Palette, setting: Setting, target: ArrayLike, shot: Shot, count: int, own: Box | None = None
) -> list[Camera]:
    """Cameras that see the target, in clear air; `own` is the box of the subject, which no eye may enter either."""
    cameras = []
    centre = np.asarray(target, np.float64)
    for _ in range(count):
        best: Camera | None = None
        for attempt in range(14):
            camera, eye = _one(palette, setting, centre, shot, 1 - 0.05 * attempt)
            blocked = _inside(eye, setting.solid, 0.35) or (own is not None and _inside(eye, [own], 0.12))
            if best is None or not blocked:
                best = camera
            if not blocked and not _hidden(eye, centre, setting.solid):
                break
        if best is not None:
            cameras.append(best)
    return cameras


def _one(
    palette: Palette, setting: Setting, centre: NDArray[np.float64], shot: Shot, closer: float
) -> tuple[Camera, NDArray[np.float64]]:
    """A candidate."""
    r = palette.rng
    fov = float(np.exp(r.uniform(*np.log(shot.fov))))
    upright = palette.chance(shot.portrait)
    extent = float(np.exp(r.uniform(*np.log(shot.extent)))) * closer * (1.0 if upright else 1.2)
    distance = max(extent / 2 / np.tan(np.radians(fov) / 2), shot.nearest)
    side = r.uniform(*shot.sides)
    lift = float(
        np.clip(
            r.uniform(*shot.heights) - centre[1], -0.55 * distance, (0.85 if palette.chance(0.12) else 0.5) * distance
        )
    )
    out = (distance**2 - lift**2) ** 0.5
    eye = centre + np.array([sin(side) * out, lift, cos(side) * out])
    if setting.room:
        half = np.array(setting.room) - 0.15
        eye[0] = np.clip(eye[0], -half[0], half[0])
        eye[2] = (
            min(eye[2], max(half[1], 2.2))
            if setting.lamps and setting.room[0] == 5.0
            else np.clip(eye[2], -half[1], half[1])
        )
    eye[1] = max(eye[1], float(setting.ground.height(eye[0], eye[2])) + (0.1 if distance < 3 else 0.35))
    distance = float(np.linalg.norm(eye - centre))
    jitter = r.normal(0, 0.07, 3) * extent
    aperture = shot.aperture * r.random() if palette.chance(0.7) else 0.0
    aim = centre + jitter
    camera = Camera(
        (float(eye[0]), float(eye[1]), float(eye[2])),
        (float(aim[0]), float(aim[1]), float(aim[2])),
        float(np.radians(fov)),
        roll=float(np.radians(r.normal(0, 2))),
        portrait=upright,
        focus=distance,
        aperture=aperture,
    )
    return camera, eye
