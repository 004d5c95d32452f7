"""What great rooms share: their night, their lamps, how they are looked at."""

from __future__ import annotations

import numpy as np

from training.worlds.materials import Material
from training.worlds.palette import Palette
from training.worlds.scenes.eyes import camera, lens
from training.worlds.stage import Camera, Sky, Triple

NIGHT = Sky(sun_colour=(0, 0, 0), zenith=(0.02, 0.02, 0.025), horizon=(0.02, 0.02, 0.02), ground=(0.02, 0.02, 0.02))


def warm(palette: Palette, power: float) -> Triple:
    """The light of a lamp, from yellow to white."""
    return (power, power * palette.between(0.72, 1.0), power * palette.between(0.45, 0.95))


def look(palette: Palette, eye: tuple[float, ...], target: tuple[float, ...], loose: float = 0.1) -> Camera:
    """A camera whose aim is a little off."""
    e, t = np.asarray(eye, float), np.asarray(target, float)
    away = float(np.linalg.norm(t - e))
    return camera(palette, e, t + palette.rng.normal(size=3) * loose * away, lens(palette, 38, 100))


def stone(palette: Palette) -> Material:
    """Dressed stone, plaster or brick of an old building, in the colours that such have."""
    c = palette.near(palette.one_of((0.5, 0.46, 0.38), (0.38, 0.37, 0.35), (0.66, 0.63, 0.56), (0.35, 0.2, 0.13)), 1.2)
    kind = palette.one_of("clouds", "bricks", "tiles", "plain")
    base = Material(c, palette.near(c, 1.2, 0.02), kind, palette.between(1.0, 3.0), seed=palette.seed())
    return palette.tiled(base, "Travertine", "Concrete", "Rock", "Bricks", "Plaster", "Marble", size=2, tinted=0.8)
