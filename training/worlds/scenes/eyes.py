"""Where a photographer may stand: eyes clear of things, views that are not blocked and show something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import asin, cos, pi, radians, sin, tan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.mesh import Thing
from training.worlds.palette import Palette
from training.worlds.stage import Camera


@dataclass
class Obstacles:
    """Bounding boxes of what stands about, part by part."""

    lows: list[NDArray] = field(default_factory=list)
    highs: list[NDArray] = field(default_factory=list)
    _lows: NDArray = field(default_factory=lambda: np.zeros((0, 3), np.float32), init=False, repr=False)
    _highs: NDArray = field(default_factory=lambda: np.zeros((0, 3), np.float32), init=False, repr=False)

    def add(self, thing: Thing) -> None:
        """Note the boxes of a thing's parts."""
        for part in thing:
            if len(part.vertices):
                self.lows.append(part.vertices.min(0))
                self.highs.append(part.vertices.max(0))

    def corners(self) -> tuple[NDArray, NDArray]:
        """All lowest and all highest corners, (n, 3) each."""
        if len(self._lows) != len(self.lows):
            self._lows, self._highs = np.array(self.lows, np.float32), np.array(self.highs, np.float32)
        return self._lows, self._highs

    def clear(self, eye: ArrayLike, margin: float) -> bool:
        """Whether a point is outside all boxes by a margin."""
        if not self.lows:
            return True
        e = np.asarray(eye)
        lows, highs = self.corners()
        inside = (e > lows - margin) & (e < highs + margin)
        return not inside.all(1).any()

    def distances(self, eye: NDArray, directions: NDArray) -> NDArray:
        """(k,) how far one sees from the eye in each direction (k, 3); 100 where nothing is in the way."""
        if not self.lows:
            return np.full(len(directions), 100.0)
        inverse = (1 / np.where(np.abs(directions) < 1e-6, 1e-6, directions)).astype(np.float32)
        lows, highs = self.corners()
        near = np.full((len(directions), len(lows)), -np.inf, np.float32)
        far = -near
        for axis in range(3):
            a = inverse[:, axis, None] * (lows[:, axis] - eye[axis])
            b = inverse[:, axis, None] * (highs[:, axis] - eye[axis])
            np.maximum(near, np.minimum(a, b), out=near)
            np.minimum(far, np.maximum(a, b), out=far)
        hit = np.where((near <= far) & (far > 0), np.maximum(near, 0), 100.0)
        return hit.min(1)


def direction(yaw: float, tilt: float) -> NDArray:
    """A unit vector; yaw 0 looks along -z, positive yaw to the left; tilt upwards is positive."""
    return np.array([-sin(yaw) * cos(tilt), sin(tilt), -cos(yaw) * cos(tilt)])


def fan(yaw: float, tilt: float, fov: float) -> NDArray:
    """(15, 3) directions spread over a picture."""
    half = 0.8 * tan(fov / 2)
    forward, right = direction(yaw, tilt), np.array([cos(yaw), 0.0, -sin(yaw)])
    up = np.cross(right, forward)
    x, y = np.meshgrid(np.linspace(-half, half, 5), np.linspace(-half, half, 3) * 0.7)
    rays = forward + x.reshape(-1, 1) * right + y.reshape(-1, 1) * up
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def lens(palette: Palette, low: float = 45, high: float = 100) -> float:
    """A field of view along the long side in radians; most are those of telephones (60 to 75 degrees)."""
    if palette.chance(0.5):
        return radians(float(np.clip(palette.rng.normal(67, 5), low, high)))
    return radians(palette.between(low, high))


def roll(palette: Palette) -> float:
    """A hand's tilt: mostly within two degrees."""
    return float(palette.rng.normal() * radians(2)) if palette.chance(0.9) else palette.between(-0.2, 0.2)


def portrait(palette: Palette) -> bool:
    """One picture in five is upright."""
    return palette.chance(0.2)


def camera(
    palette: Palette, eye: ArrayLike, target: ArrayLike, fov: float | None = None, aperture: float = 0.0
) -> Camera:
    """A camera with a hand's roll, focused on what it looks at."""
    e, t = (tuple(float(v) for v in np.asarray(p)) for p in (eye, target))
    away = float(np.linalg.norm(np.asarray(t) - np.asarray(e)))
    return Camera(e, t, lens(palette) if fov is None else fov, roll(palette), portrait(palette), away, aperture)  # type: ignore[arg-type]


def indoors(
    palette: Palette, low: Sequence[float], high: Sequence[float], obstacles: Obstacles, count: int = 5,
    tilts: tuple[float, float] = (-0.5, 0.12),
) -> list[Camera]:  # fmt: skip
    """Cameras in a box of air from corner `low` to `high`: clear eyes, and of a dozen directions a good one each."""
    found: list[Camera] = []
    a, b = np.asarray(low, float), np.asarray(high, float)
    centres = np.add(*obstacles.corners()) / 2
    for attempt in range(count * 12):
        if len(found) == count:
            break
        slack = 1.0 if attempt < count * 8 else 0.5
        eye = palette.rng.uniform(a, b)
        if not obstacles.clear(eye, 0.2 * slack):
            continue
        fov, best = lens(palette), (-1e9, 0.0, 0.0)
        to = centres - eye
        away = np.linalg.norm(to, axis=1)
        to = to / (away[:, None] + 1e-6)
        near = ((away > 0.6) & (away < 6)) / (1 + away)
        for _ in range(14):
            yaw, tilt = palette.between(0, 2 * pi), float(np.clip(palette.rng.normal(-0.2, 0.18), *tilts))
            seen = np.sort(obstacles.distances(eye, fan(yaw, tilt, fov)))
            if seen[0] < 0.3 * slack or seen[4] < 0.7 * slack:
                continue
            content = float(near[to @ direction(yaw, tilt) > cos(fov * 0.42)].sum())
            score = np.log1p(content) + 0.3 * float(np.log(np.median(seen) + 0.1)) + palette.between(0, 0.6)
            best = max(best, (score, yaw, tilt))
        if best[0] > -1e8:
            found.append(camera(palette, eye, eye + direction(*best[1:]) * 3.0, fov))
    return found


def orbit(
    palette: Palette, target: ArrayLike, distance: tuple[float, float], down: tuple[float, float], count: int = 5,
    spread: float = pi, fov: tuple[float, float] = (35, 75),
) -> list[Camera]:  # fmt: skip
    """Cameras around a target, `down` radians above it; spread: how far from the front (+z) they may stand, radians.

    The nearer a camera, the likelier its background is out of focus.
    """
    made = []
    middle = np.asarray(target, float)
    for _ in range(count):
        yaw, high = palette.between(-spread, spread), palette.between(*down)
        away = palette.between(*distance)
        offset = np.array([sin(yaw) * cos(high), sin(high), cos(yaw) * cos(high)]) * away
        aim = middle + palette.rng.normal(size=3) * away * 0.08 * np.array([1, 0.5, 1])
        angle = radians(palette.between(*fov))
        aperture = palette.between(0.001, 0.02) * min(1.0, away) if palette.chance(0.4 / (0.4 + away)) else 0.0
        made.append(camera(palette, middle + offset, aim, angle, aperture))
    return made


def tilt_of(view: Camera) -> float:
    """How far a camera looks up, radians."""
    forward = np.asarray(view.target) - np.asarray(view.eye)
    return asin(float(forward[1] / np.linalg.norm(forward)))
