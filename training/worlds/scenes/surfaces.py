"""Surfaces with few things on them, so that one cue must do: texture that shrinks, light on a relief, who covers whom.

A floor recedes upward in the picture; walls recede sideways and ceilings downward, and whoever has only seen floors
believes that below is near whatever the texture says. So the camera here may be turned about its own axis as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, box, bumpy, ellipsoid, grid, lathe, place, prism
from training.worlds.palette import Palette
from training.worlds.stage import Camera, Lamp, Sky, Stage


def _covered(palette: Palette) -> Material:
    """Something whose marks are all of one size."""
    material = palette.one_of(
        palette.wall, palette.parquet, palette.paving, palette.masonry, palette.roofing, palette.fabric,
        palette.soil, palette.printed, palette.rock, palette.leaf,
    )()  # fmt: skip
    material = replace(material, holes=0.0, shine=min(material.shine, 0.05))
    marked = material.tile >= 0 or material.pattern not in ("plain", "clouds", "grain", "marble")
    if marked and palette.chance(0.7):
        return material
    size = palette.between(1.2, 8)
    marks = palette.one_of("dots", "dots", "checks", "tiles", "bricks", "stripes", "leaves", "speckle", "planks")
    return replace(material, pattern=marks, second=palette.hue(0.4), frequency=size, tile=-1)


def _turned(palette: Palette) -> float:
    """Roll of the camera: often upright, else anything."""
    return palette.rng.normal() * 0.1 if palette.chance(0.35) else palette.between(-np.pi, np.pi)


def _daylight(palette: Palette) -> tuple[Sky, list[Lamp], tuple[float, float, float]]:
    """Light from a panorama, or from one lamp in front of the plane z = 0 and from all around."""
    fill = palette.between(0.15, 0.5)
    around = Sky(panorama=int(palette.rng.integers(1 << 12)), turn=palette.between(0, 6), rooms=palette.chance(0.5))
    if palette.chance(0.4):
        return around, [], (fill, fill, fill)
    at = (palette.between(-4, 4), palette.between(0, 5), palette.between(2, 6))
    power = palette.between(6, 25)
    return around, [Lamp(at, palette.between(0.05, 0.6), (power, power * 0.96, power * 0.9))], (fill, fill, fill)


def slant(palette: Palette) -> Stage:
    """A wall, ceiling, floor, cloth or page that fills the view and recedes in any direction."""
    things: Thing = [box((60, 60, 0.2), _covered(palette), (0, -30, -0.1))]
    scattered = palette.chance(0.4)
    if scattered:
        piece = _disc(palette) if palette.chance(0.7) else ellipsoid((0.12, 0.12, 0.05), palette.paint(), sides=10)
        for x, y in palette.rng.uniform(-7, 7, (220, 2)):
            things += place([piece], (x, y, 0.001), yaw=0.0)
    views = []
    for _ in range(5):
        away, lean = palette.between(0.7, 3.0), palette.between(0.5, 1.3)
        side = palette.between(0, 2 * np.pi)
        along = np.array([np.cos(side), np.sin(side), 0]) * away * np.tan(lean)
        eye = np.array([palette.between(-2, 2), palette.between(-2, 2), away])
        fov = palette.between(0.5, 1.4)
        # the horizon stays out of the picture, or just touches it
        highest = np.pi / 2 - 0.36 * fov
        along *= min(1.0, np.tan(highest) / np.tan(lean)) if lean > highest else 1.0
        target = eye + along - np.array([0, 0, away])
        views.append(Camera(tuple(eye), tuple(target), fov, roll=_turned(palette), portrait=palette.chance(0.25)))
    sky, lamps, fill = _daylight(palette)
    return Stage("slant", things, views, sky, lamps, fill)


def _disc(palette: Palette) -> Part:
    """A flat round thing that lies in the plane z = 0."""
    r = palette.between(0.08, 0.2)
    angles = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    return prism(np.stack([np.cos(angles), np.sin(angles)], 1) * r, 0.004, palette.paint())


def _relief_heights(palette: Palette, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Heights of a relief over (-1..1)²: bumps and dents, rings, furrows, folds, or dunes."""
    kind = palette.one_of("bumps", "bumps", "rings", "furrows", "folds", "panels")
    z = np.zeros_like(x)
    if kind == "bumps":
        for _ in range(int(palette.rng.integers(1, 14))):
            r, at = palette.between(0.06, 0.4), palette.rng.uniform(-0.8, 0.8, 2)
            d = np.hypot(x - at[0], (y - at[1]) * palette.spread(1, 1.3)) / r
            bump = np.exp(-(d**2)) if palette.chance(0.5) else np.sqrt(np.maximum(1 - d**2, 0))
            z += palette.one_of(-1, 1) * r * palette.between(0.2, 0.7) * bump
    elif kind == "rings":
        d = np.hypot(x - palette.between(-0.4, 0.4), y - palette.between(-0.4, 0.4))
        z = palette.between(0.02, 0.08) * np.cos(d * palette.between(8, 30)) * np.exp(-d)
    elif kind == "furrows":
        turn, count = palette.between(0, np.pi), palette.between(5, 30)
        wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) * count + 0.8 * np.sin(3 * x) + 0.8 * np.cos(2.3 * y))
        z = palette.between(0.3, 0.9) / count * (np.abs(wave) if palette.chance(0.4) else wave)
    elif kind == "folds":
        for _ in range(7):
            turn, bend = palette.between(0, np.pi), palette.between(1, 7)
            phase = palette.between(0, 6)
            z += 0.25 / bend * np.sin((x * np.cos(turn) + y * np.sin(turn)) * bend * 2 + phase)
    else:
        across, down = int(palette.rng.integers(1, 5)), int(palette.rng.integers(1, 5))
        u, v = ((x + 1) / 2 * across) % 1 - 0.5, ((y + 1) / 2 * down) % 1 - 0.5
        z = palette.one_of(-1, 1) * 0.06 * np.clip((0.42 - np.maximum(np.abs(u), np.abs(v))) * 14, 0, 1)
    return z


def relief(palette: Palette) -> Stage:
    """A surface of one colour whose shape shows only in how it is lit: plaster, sand, paper, cloth, sheet metal."""
    side = np.linspace(-1, 1, 120)
    x, y = np.meshgrid(side, -side)
    z = _relief_heights(palette, x, y)
    c = palette.hue(palette.between(0, 0.4), palette.between(0.2, 0.85))
    if palette.chance(0.7):
        stuff = Material(c, c, shine=palette.between(0, 0.15), gloss=0.4, seed=palette.seed())
    else:
        stuff = palette.one_of(palette.fabric, palette.soil, palette.wall)()
    size = palette.spread(0.7, 2)
    outer = 40.0
    sheet = grid(np.stack([x, y, z], -1) * size, stuff)
    around = place(
        [box((outer, outer, 0.2), stuff, (0, -outer / 2, -0.1))], (0, 0, -0.004 - abs(float(z.min())) * size)
    )
    if abs(float(z.min())) < 1e-3:
        around = place(around, (0, 0, -0.02))
    views = []
    for _ in range(4):
        fov = palette.between(0.5, 1.1)
        away = size * palette.between(0.75, 0.95) / np.tan(fov / 2)
        lean = palette.rng.normal(size=2) * 0.22
        eye = np.array([np.sin(lean[0]), np.sin(lean[1]), 1.0]) * away
        target = palette.rng.normal(size=3) * 0.06 * size
        views.append(
            Camera(tuple(eye), tuple(target), fov, roll=palette.rng.normal() * 0.08, portrait=palette.chance(0.25))
        )
    # light comes from above, as it does for everyone who looks at pictures; seldom straight from the camera
    at = (palette.between(-3, 3) * size, palette.between(1.2, 5) * size, palette.between(0.7, 3.5) * size)
    power = float(np.dot(at, at)) * palette.between(0.6, 1.1)
    lamp = Lamp(at, palette.between(0.02, 0.5) * size, (power, power * 0.97, power * 0.92))
    fill = palette.between(0.06, 0.3)
    grey = (fill,) * 3
    sky = Sky(sun_colour=(0, 0, 0), zenith=grey, horizon=grey, ground=(0.5 * fill,) * 3)
    return Stage("relief", [sheet, *around], views, sky, [lamp], grey)


def _cutout(palette: Palette, size: float) -> Part:
    """A flat figure: disc, polygon, star, blob."""
    corners = int(palette.rng.integers(3, 9))
    count = palette.one_of(corners, corners * 2, 40)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + palette.between(0, 6)
    r = np.ones(count)
    if count == corners * 2:
        r[::2] = palette.between(0.4, 0.95)
    elif count == 40 and palette.chance(0.5):
        r += 0.25 * np.sin(angles * palette.rng.integers(2, 6) + palette.between(0, 6))
    outline = np.stack([np.cos(angles), np.sin(angles)], 1) * (r * size)[:, None]
    stuff = palette.paint(shine=0.02) if palette.chance(0.6) else palette.one_of(palette.fabric, palette.printed)()
    return prism(outline, 0.004, stuff)


def cutouts(palette: Palette) -> Stage:
    """Flat figures that hang before each other at many distances: only the outlines tell who is nearer."""
    deep = palette.between(1.0, 5.0)
    wall = palette.paint(shine=0.0) if palette.chance(0.5) else palette.wall()
    things: Thing = place([box((40, 40, 0.2), wall, (0, -20, 0))], (0, 0, -deep))
    alike = palette.chance(0.4)
    for _ in range(int(palette.rng.integers(3, 22))):
        z = palette.between(-deep, 0)
        reach = 0.6 * (2.5 - z)
        # where sizes in the picture are alike, size tells nothing
        size = 0.2 * (2.5 - z) * (palette.spread(1, 1.2) if alike else palette.spread(0.8, 1.8))
        turned = (0.0, 0.0) if palette.chance(0.6) else tuple(palette.rng.normal(size=2) * 0.3)
        at = (palette.between(-reach, reach), palette.between(-reach, reach), z)
        things += place([_cutout(palette, size)], at, yaw=turned[0], pitch=turned[1])
    if palette.chance(0.3):
        ball = bumpy(ellipsoid((0.3, 0.3, 0.3), palette.paint()), palette.rng, 0.02, 0.2)
        things += place([ball], (palette.between(-0.5, 0.5), palette.between(-0.5, 0.5), -0.5))
        things += place(
            [lathe([(0.2, 0), (0.25, 0.3), (0.1, 0.6)], palette.ceramic())], (palette.between(-1, 1), 0, -1)
        )
    views = [
        Camera(
            (palette.rng.normal() * 0.4, palette.rng.normal() * 0.4, 2.5 + palette.between(0, 1.5)),
            (palette.rng.normal() * 0.2, palette.rng.normal() * 0.2, -deep / 2),
            palette.between(0.5, 1.1),
            roll=_turned(palette),
        )
        for _ in range(4)
    ]
    sky, lamps, fill = _daylight(palette)
    return Stage("cutouts", things, views, sky, lamps, fill)


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "slant": (slant, 0.45),
    "relief": (relief, 0.3),
    "cutouts": (cutouts, 0.25),
}
"""Scenes of surfaces by name: maker and weight."""
