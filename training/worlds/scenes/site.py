"""The open air as a place to put things: light, stocks of things, what is where, cameras that stand clear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import ArrayLike

from training.worlds.mesh import Part, Thing, bounds, place
from training.worlds.palette import Palette
from training.worlds.parts.many import copies, merge
from training.worlds.stage import Camera, Lamp, Sky, Stage, Triple

BUDGET = 95_000
"""Triangles of one scene: what would exceed it is left out."""


def _sun(azimuth: float, elevation: float) -> Triple:
    return (sin(azimuth) * cos(elevation), sin(elevation), cos(azimuth) * cos(elevation))


def daylight(palette: Palette, *, open_: bool = False) -> Sky:
    """A sky by day: a panorama, clear, cloudy, overcast, low sun, fog. `open_` is for far landscapes."""
    r, b = palette.rng, palette.between
    kind = float(r.random())
    haze = float(np.exp(r.uniform(np.log(1e-5), np.log(3e-4))))
    if kind < (0.2 if open_ else 0.38):
        return Sky(panorama=int(r.integers(26)), turn=b(0, 2 * pi), haze=haze, seed=palette.seed())
    azimuth = b(0, 2 * pi)
    if kind < 0.62:
        up = radians(b(18, 68))
        warm = 0.25 * (1 - up)
        blue = np.array([0.16, 0.32, 0.68]) * b(0.7, 1.35)
        pale = np.array([0.62, 0.74, 0.88]) * b(0.75, 1.15)
        colour = np.array([1.0, 0.95 - 0.4 * warm, 0.86 - warm]) * b(0.8, 1.25)
        return Sky(
            sun=_sun(azimuth, up),
            sun_colour=_triple(colour),
            zenith=_triple(blue),
            horizon=_triple(pale),
            clouds=b(0, 0.75) if palette.chance(0.7) else 0.0,
            haze=haze,
            seed=palette.seed(),
        )
    if kind < 0.82:
        grey = b(0.35, 0.9)
        tint = np.array([0.94, 0.98, 1.03])
        weak = b(0, 0.25) if palette.chance(0.4) else 0.0
        return Sky(
            sun=_sun(azimuth, 0.8),
            sun_colour=(weak, weak, weak),
            zenith=_triple(grey * b(0.75, 1.15) * tint),
            horizon=_triple(grey * tint),
            clouds=b(0, 1),
            haze=haze * b(1, 8),
            seed=palette.seed(),
        )
    if kind < 0.95 or open_:
        up, red = radians(b(1.5, 14)), b(0.3, 1)
        glow = np.array([1.0, 0.85 - 0.4 * red, 0.7 - 0.55 * red])
        return Sky(
            sun=_sun(azimuth, up),
            sun_colour=_triple(glow * b(0.35, 1.0)),
            zenith=_triple(np.array([0.16, 0.25, 0.48]) * b(0.4, 1.2)),
            horizon=_triple(np.array([0.9, 0.65 - 0.25 * red, 0.5 - 0.3 * red]) * b(0.5, 1.1)),
            clouds=b(0, 0.9),
            haze=haze * 1.5,
            seed=palette.seed(),
        )
    grey = b(0.45, 0.85)
    return Sky(
        sun=_sun(azimuth, 0.7),
        sun_colour=(0.0, 0.0, 0.0),
        zenith=(grey, grey, grey * 1.02),
        horizon=(grey, grey, grey * 1.02),
        clouds=0.0,
        haze=float(np.exp(r.uniform(np.log(0.003), np.log(0.02)))),
        seed=palette.seed(),
    )


def night(palette: Palette) -> Sky:
    """A dark sky, from dusk to moonless."""
    b = palette.between
    low = b(0.003, 0.06)
    glow = np.array([1.0, 0.8, 0.65]) if palette.chance(0.5) else np.array([0.6, 0.75, 1.0])
    return Sky(
        sun=_sun(b(0, 6), 0.7),
        sun_colour=_triple(np.array([0.7, 0.85, 1.0]) * b(0, 0.03)),
        zenith=_triple(np.array([0.4, 0.55, 1.0]) * low * 0.5),
        horizon=_triple(glow * low),
        ground=(0.01, 0.01, 0.01),
        clouds=b(0, 0.6),
        haze=b(0, 0.003),
        seed=palette.seed(),
    )


def _triple(values: ArrayLike) -> Triple:
    a, b, c = (float(v) for v in np.asarray(values))
    return (a, b, c)


class Stock:
    """Things of one sort that are made when first wanted and used again later: `draw` returns one of at most `size`."""

    def __init__(self, palette: Palette, make: Callable[[Palette], Thing], size: int) -> None:
        self.palette, self.make, self.size = palette, make, size
        self.made: list[Thing] = []

    def draw(self) -> Thing:
        """A new one until `size` are made, then one of them."""
        if len(self.made) < self.size:
            self.made.append(self.make(self.palette))
            return self.made[-1]
        return self.made[int(self.palette.rng.integers(self.size))]


def lens(palette: Palette, low: float = 24, high: float = 90) -> float:
    """Field of view along the long side, radians; mostly that of phones and everyday lenses."""
    middle = 0.5 * (low + high) if palette.chance(0.5) else palette.between(low, high)
    return radians(float(np.clip(palette.rng.normal(middle, 9), max(low, 18), min(high, 104))))


def view(
    palette: Palette, eye: ArrayLike, target: ArrayLike, fov: float, *, portrait: float = 0.15, roll: float = 2.0
) -> Camera:
    """A hand-held camera: a little roll, upright now and then."""
    return Camera(
        _triple(eye),
        _triple(target),
        fov,
        roll=radians(float(palette.rng.normal()) * roll),
        portrait=palette.chance(portrait),
    )


def gaze(
    palette: Palette, eye: ArrayLike, yaw: float, pitch: float, fov: float, *, portrait: float = 0.15, roll: float = 2.0
) -> Camera:
    """The same by direction: yaw about y from +z, pitch upwards; radians."""
    away = np.array([sin(yaw) * cos(pitch), sin(pitch), cos(yaw) * cos(pitch)]) * 10
    return view(palette, eye, np.asarray(eye) + away, fov, portrait=portrait, roll=roll)


@dataclass(slots=True)
class Site:
    """Things gathered for one stage. `boxes`: lowest and highest corners of what a camera must not stand in."""

    kind: str
    palette: Palette
    ground: Callable[[float, float], float] = lambda x, z: 0.0
    things: Thing = field(default_factory=list)
    boxes: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    triangles: int = 0

    def add(self, parts: Part | Thing) -> None:
        """Ground, roads, lines: what cameras stand on."""
        parts = [parts] if isinstance(parts, Part) else parts
        count = sum(len(p.faces) for p in parts)
        if self.triangles + count <= BUDGET:
            self.things += parts
            self.triangles += count

    def put(
        self,
        thing: Thing,
        at: ArrayLike = (0, 0, 0),
        yaw: float = 0.0,
        scale: float = 1.0,
        *,
        solid: bool = True,
        slack: float = 0.0,
    ) -> bool:
        """The thing at its place, if the budget allows; cameras keep out of its bounding box if it is solid.

        `slack`: metres that the box is too wide on each side (balconies, roofs, a box askew).
        """
        count = sum(len(p.faces) for p in thing)
        if self.triangles + count > BUDGET:
            return False
        placed = place(thing, at, yaw, scale=scale)
        self.things += placed
        self.triangles += count
        if solid:
            low, high = bounds(placed)
            edge = np.array([slack, 0.0, slack])
            self.boxes.append((low + edge, high - edge))
        return True

    def scatter(
        self, thing: Thing, at: ArrayLike, yaw: ArrayLike = 0.0, scale: ArrayLike = 1.0, *, solid: float = 0.0
    ) -> None:
        """Copies at (n, 3), as many as the budget allows; `solid` > 0: cameras keep so far from each."""
        p = np.asarray(at, np.float64).reshape(-1, 3)
        each = sum(len(q.faces) for q in thing)
        n = min(len(p), (BUDGET - self.triangles) // max(each, 1))
        if n <= 0:
            return
        yaws, scales = np.broadcast_to(yaw, len(p))[:n], np.broadcast_to(scale, len(p))[:n]
        self.things += copies(thing, p[:n], yaws, scales)
        self.triangles += each * n
        if solid:
            high = bounds(thing)[1][1]
            self.boxes += [
                (q - [solid, 0.2, solid], (q + np.array([solid, high * s, solid])))
                for q, s in zip(p[:n], scales, strict=True)
            ]

    def free(self, eye: ArrayLike, margin: float = 0.3) -> bool:
        """No solid thing's bounding box holds the point or comes near it."""
        p = np.asarray(eye, np.float64)
        if not self.boxes:
            return True
        low, high = np.array([b[0] for b in self.boxes]), np.array([b[1] for b in self.boxes])
        return not bool(np.any(np.all((p > low - margin) & (p < high + margin), axis=1)))

    def ahead(self, camera: Camera) -> float:
        """How far the middle and the sides of the picture are from the first solid box, metres."""
        return min(self._along(camera, turn * camera.fov) for turn in (-0.3, 0.0, 0.3))

    def _along(self, camera: Camera, turn: float) -> float:
        if not self.boxes:
            return np.inf
        eye, aim = np.array(camera.eye), np.array(camera.target) - np.array(camera.eye)
        c, s = np.cos(turn), np.sin(turn)
        aim = np.array([c * aim[0] + s * aim[2], aim[1], c * aim[2] - s * aim[0]])
        aim = np.where(np.abs(aim) < 1e-6, 1e-6, aim) / np.linalg.norm(aim)
        low, high = np.array([b[0] for b in self.boxes]), np.array([b[1] for b in self.boxes])
        t0, t1 = (low - eye) / aim, (high - eye) / aim
        first, last = np.minimum(t0, t1).max(1), np.maximum(t0, t1).min(1)
        hit = (last > np.maximum(first, 0)) & (first > 0)
        return float(first[hit].min()) if hit.any() else np.inf

    def cameras(self, propose: Callable[[], Camera], count: int | None = None, *, clear: float = 1.0) -> list[Camera]:
        """Cameras that stand above ground, outside of things, with nothing solid closer than `clear` straight ahead."""
        wanted, found = count or int(self.palette.rng.integers(4, 7)), list[Camera]()
        for attempt in range(wanted * 40):
            camera = propose()
            above = camera.eye[1] - self.ground(camera.eye[0], camera.eye[2])
            late, lifted = attempt > wanted * 24, attempt > wanted * 36 and len(found) < 3
            if lifted:
                rise = 1.0 * (attempt - wanted * 36)
                camera = Camera(
                    (camera.eye[0], camera.eye[1] + rise, camera.eye[2]), camera.target, camera.fov, camera.roll
                )
                above += rise
            if above > 0.12 and self.free(camera.eye, min(0.6, 0.5 * clear)) and (late or self.ahead(camera) > clear):
                found.append(camera)
                if len(found) == wanted:
                    break
        return found

    def stage(self, sky: Sky, cameras: list[Camera], *, fill: Triple = (0.0, 0.0, 0.0)) -> Stage:
        """The finished stage, in as few parts as there are materials."""
        return Stage(self.kind, merge(self.things), cameras, sky, self.lamps, fill)
