"""Looking about in open country: where things may stand on a height field, and who else is there."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from training.worlds.palette import Palette
from training.worlds.parts.people import person
from training.worlds.scenes import country
from training.worlds.scenes.country import Ground
from training.worlds.scenes.site import Site, gaze, lens
from training.worlds.stage import Camera


def stand_on(site: Site, p: Palette, ground: Ground) -> None:
    """Cameras of the site stand above this ground."""
    site.ground = lambda x, z: float(ground(np.float64(x), np.float64(z)))


def scattered(p: Palette, ground: Ground, near: float, far: float) -> Callable[[int], np.ndarray]:
    """Places on the ground between two distances from the origin, denser near."""

    def where(n: int) -> np.ndarray:
        a, d = p.rng.uniform(0, 2 * pi, n), near + (far - near) * p.rng.random(n) ** 1.5
        x, z = np.sin(a) * d, np.cos(a) * d
        return np.stack([x, ground(x, z) - 0.06, z], 1)

    return where


def company(site: Site, p: Palette, where: Callable[[int], np.ndarray], chance: float = 0.35) -> None:
    """People or animals in the open."""
    if p.chance(chance):
        n = int(p.rng.integers(1, 4))
        for at in where(n):
            site.put(person(p, detail="near" if n < 3 else "far"), (at + np.array([0, 0.06, 0])), p.between(0, 6))
    if p.chance(chance * 0.7):
        country.herd(site, p, where, int(p.rng.integers(1, 7)))


def wander(
    p: Palette,
    ground: Ground,
    reach: float = 6.0,
    *,
    fov: tuple[float, float] = (26, 85),
    yaw: float | None = None,
    wide: float = pi,
) -> Callable[[], Camera]:
    """Cameras near the origin; `yaw` and `wide` say where they look."""

    def propose() -> Camera:
        x, z = p.rng.normal(size=2) * reach / 2
        tall = float(np.clip(p.rng.normal(1.5, 0.4), 0.4, 2.2)) if p.chance(0.9) else p.between(2.2, 14)
        eye = np.array([x, float(ground(x, z)) + tall, z])
        turn = p.between(0, 2 * pi) if yaw is None else yaw + p.between(-wide, wide)
        return gaze(p, eye, turn, float(p.rng.normal()) * 0.08 - 0.02 - 0.02 * max(tall - 2, 0), lens(p, *fov))

    return propose
