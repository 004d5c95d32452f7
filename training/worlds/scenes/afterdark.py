"""What nights share: light that stays dark when a camera exposes itself, skies after sunset, towns with lit windows.

A camera that exposes itself turns night into day. So these scenes are lit in units of what a night's picture shows as
white, and then dimmed so far that the camera can do no more (`dimmed`): its dark stays dark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, ellipsoid, place
from training.worlds.palette import Palette
from training.worlds.parts.many import merge, quads
from training.worlds.scenes.site import Site
from training.worlds.stage import Sky, Stage, Triple

WHITE = 2.6e-4
"""Light that the darkroom shows as white once a scene is so dark that it opens the lens no farther."""


def scaled(light: Triple, by: float) -> Triple:
    """Light of a colour times `by`."""
    return (light[0] * by, light[1] * by, light[2] * by)


def dimmed(stage: Stage, by: float = WHITE) -> Stage:
    """The stage with all its light taken times `by`."""
    things = [
        replace(q, material=replace(q.material, glow=q.material.glow * by)) if q.material.glow else q
        for q in stage.things
    ]
    sky = stage.sky
    dark = replace(
        sky,
        sun_colour=scaled(sky.sun_colour, by),
        zenith=scaled(sky.zenith, by),
        horizon=scaled(sky.horizon, by),
        ground=scaled(sky.ground, by),
    )
    lamps = [replace(lamp, colour=scaled(lamp.colour, by)) for lamp in stage.lamps]
    return replace(stage, things=things, sky=dark, lamps=lamps, fill=scaled(stage.fill, by))


def dusk(palette: Palette, level: float | None = None) -> Sky:
    """A dark sky, blue above and often red or green-grey at the horizon; level: 1 shows it as white."""
    b = palette.between
    low = float(np.exp(b(np.log(0.006), np.log(0.16)))) if level is None else level
    glow = np.array(palette.one_of((1.0, 0.6, 0.35), (0.9, 0.75, 0.6), (0.45, 0.6, 1.0), (0.7, 0.8, 0.9)))
    blue = np.array([0.25, 0.4, 1.0])
    a, c = low * glow * b(0.8, 2.5), low * blue * b(0.25, 0.9)
    grey = (float(a[0]), float(a[1]), float(a[2]))
    return Sky(
        sun=(0.3, 0.6, -0.5),
        sun_colour=scaled((0.7, 0.85, 1.0), 0.1 * low),
        zenith=(float(c[0]), float(c[1]), float(c[2])),
        horizon=grey,
        ground=scaled(grey, 0.2),
        clouds=b(0, 0.7),
        haze=b(0, 3e-4),
        seed=palette.seed(),
    )


def lit_block(palette: Palette, wide: float, storeys: int) -> Thing:
    """A house for a dark town: plain walls, some windows alight in a few tints."""
    rise, deep, b = palette.between(3.0, 3.6), palette.between(9, 14), palette.between
    high = storeys * rise
    wall = replace(palette.masonry(), tile=-1)
    parts: Thing = [box((wide, high, deep), wall)]
    dark = Material((0.015, 0.017, 0.02), shine=0.3, gloss=0.9)
    tints = [palette.light(c, b(0.5, 2.2)) for c in ((1.0, 0.72, 0.38), (1.0, 0.85, 0.6), (0.75, 0.88, 1.0))]
    share, size = b(0.12, 0.6), (b(0.8, 1.6), b(1.1, 1.8))
    for turn, long, out in (
        (0.0, wide, deep / 2),
        (pi / 2, deep, wide / 2),
        (pi, wide, deep / 2),
        (-pi / 2, deep, wide / 2),
    ):
        n = max(2, int(long / b(2.4, 3.4)))
        x, y = np.meshgrid(((np.arange(n) + 0.5) / n - 0.5) * long, np.arange(storeys) * rise + 1.0)
        x, y = x.ravel(), y.ravel()
        corner = np.stack(
            [
                np.stack([x + i * size[0], y + j * size[1], 0 * x + out + 0.03], 1)
                for i, j in ((-0.5, 1), (-0.5, 0), (0.5, 0), (0.5, 1))
            ],
            1,
        )
        kind = np.where(palette.rng.random(len(x)) < share, palette.rng.integers(0, 3, len(x)), 3)
        for k, stuff in enumerate((*tints, dark)):
            if (kind == k).any():
                parts += place([quads(corner[kind == k], stuff)], yaw=turn)
    return merge(parts)


def lit_town(site: Site, p: Palette, spots: Callable[[int], np.ndarray], count: int, tall: float) -> None:
    """Blocks with lit windows at the spots, street lamps and glowing dots between them."""
    for _ in range(6):
        storeys = max(1, round(p.spread(tall, 1.6)))
        thing, n = lit_block(p, p.between(9, 24), storeys), count // 6
        at = spots(n)
        site.scatter(thing, at, p.one_of(0.0, pi / 2) + 0.1 * p.rng.normal(size=len(at)))
    for colour in ((1.0, 0.6, 0.25), (1.0, 0.85, 0.6), (0.8, 0.9, 1.0)):
        r = p.between(0.25, 0.7)
        dot = [ellipsoid((r, r, r), p.light(colour, p.between(2, 8)), sides=4, at=(0, 6, 0))]
        n = min(150, 4 * count)
        site.scatter(dot, spots(n), 0.0, p.rng.uniform(0.6, 1.4, n))
