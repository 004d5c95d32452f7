"""Out of doors: the sky's light, rolling ground, ridges on the horizon."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import cos, pi, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.worlds.materials import Material
from training.worlds.mesh import Part, grid
from training.worlds.palette import Palette
from training.worlds.stage import Sky


def weather(palette: Palette, haze: float | None = None) -> Sky:
    """A sky out of doors: a panorama, or a gradient with a sun at any height, or overcast."""
    r = palette.rng
    high, around = palette.between(0.12, 1.35), palette.between(0, 2 * pi)
    sun = (cos(high) * sin(around), sin(high), cos(high) * cos(around))
    warm = float(np.clip(1.2 - high, 0, 1)) * 0.6
    strength = 0.0 if palette.chance(0.25) else palette.between(0.6, 1.3)
    grey = palette.between(0.0, 0.9) if strength else palette.between(0.7, 1.0)
    zenith = np.array([0.22, 0.40, 0.75]) * (1 - grey) + 0.62 * grey
    horizon = np.array([0.72, 0.78, 0.85]) + np.array([0.15, -0.05, -0.25]) * warm * (strength > 0)
    bright = palette.spread(1.0, 1.2)
    air = (
        haze if haze is not None else float(r.choice([0.0, 0.0003, 0.001, 0.004, 0.012], p=[0.3, 0.3, 0.25, 0.1, 0.05]))
    )
    red, green, blue = (float(x) for x in strength * np.array([1.0, 0.95 - 0.25 * warm, 0.85 - 0.5 * warm]))
    return Sky(
        panorama=int(r.integers(26)) if palette.chance(0.5) else -1,
        turn=palette.between(0, 2 * pi),
        sun=sun,
        sun_colour=(red, green, blue),
        zenith=tuple(float(x) for x in zenith * bright),  # type: ignore[arg-type]
        horizon=tuple(float(x) for x in horizon * bright),  # type: ignore[arg-type]
        clouds=palette.between(0, 0.9) if palette.chance(0.6) else 0.0,
        haze=air,
        seed=palette.seed(),
    )


@dataclass(frozen=True, slots=True)
class Ground:
    """Land in waves that is level within `flat` metres of the origin; waves (4, 4): size, direction, two phases.

    profile (k, 2): z and y of a shore instead of waves.
    """

    relief: float = 0.0
    flat: float = 8.0
    waves: NDArray[np.float64] = field(default_factory=lambda: np.ones((4, 4)))
    profile: NDArray[np.float64] | None = None

    @classmethod
    def drawn(cls, palette: Palette, relief: float, flat: float = 8.0) -> Ground:
        """Waves at random; relief: metres at a distance."""
        waves = palette.rng.uniform(0, 2 * pi, (4, 4))
        waves[:, 0] = (25, 60, 140, 320)
        return cls(relief, flat, waves)

    def height(self, x: ArrayLike, z: ArrayLike) -> NDArray[np.float64]:
        """Metres at x and z."""
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        if self.profile is not None:
            return np.interp(z, self.profile[:, 0], self.profile[:, 1]) + 0 * x
        y = np.zeros(np.broadcast_shapes(x.shape, z.shape))
        for size, way, first, second in self.waves if self.relief else ():
            along, across = (x * cos(way) + z * sin(way)) / size, (z * cos(way) - x * sin(way)) / size
            y += self.relief * size / 140 * np.sin(along * 2 + first) * np.cos(across + second)
        return y * np.clip((np.hypot(x, z) - self.flat) / 40, 0, 1) ** 2

    def part(self, material: Material, reach: float = 900.0) -> Part:
        """The land as rings around the origin."""
        radius = np.concatenate([[0.0, 2, 4], np.geomspace(6, reach, 22)])[:, None]
        angle = np.linspace(0, 2 * pi, 49)[None]
        x, z = radius * np.sin(angle), radius * np.cos(angle)
        points = np.stack([x, self.height(x, z), z], -1)
        return grid(points, material, uv=points[..., [0, 2]])


def hills(palette: Palette, near: float, far: float, height: float, material: Material) -> Part:
    """A ridge from `near` to `far` metres away on all sides, with a skyline of peaks up to `height`."""
    r = palette.rng
    angle = np.linspace(0, 2 * pi, 97)
    line = np.zeros_like(angle)
    for k, weight in ((2, 1.0), (3, 0.8), (7, 0.5), (13, 0.3), (29, 0.16), (47, 0.1)):
        line += weight * np.sin(k * angle + r.uniform(0, 2 * pi))
    line = np.clip(0.42 + 0.26 * line, 0.0, 1.3)
    slope = np.array([0.0, 0.25, 0.6, 0.9, 1.0])[:, None]
    distance = near + (far - near) * slope * (1 + 0.08 * np.sin(5 * angle + r.uniform(0, 6)))[None]
    rough = 1 + 0.25 * r.normal(size=(5, 97)) * np.array([0, 0.6, 0.5, 0.3, 0])[:, None]
    rough[:, -1] = rough[:, 0]
    y = height * line[None] * slope**1.2 * rough - 0.5
    points = np.stack([distance * np.sin(angle), y, distance * np.cos(angle)], -1)
    return replace(grid(points, material, uv=np.stack([distance, 0 * distance + angle * near], -1)), smooth=True)
