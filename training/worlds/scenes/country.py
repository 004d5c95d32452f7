"""Open land beside a way: verges, fields, woods, hills far off, farms and animals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, grid
from training.worlds.palette import Palette
from training.worlds.parts import plants
from training.worlds.parts.animals import animal
from training.worlds.parts.buildings import house, shed
from training.worlds.parts.monuments import rock
from training.worlds.parts.terrain import Way, fractal, ridge, stations
from training.worlds.scenes.site import Site, Stock

Ground = Callable[[np.ndarray, np.ndarray], np.ndarray]
Places = Callable[[int], np.ndarray]


def beside(way: Way, half: float, seed: int, relief: float, cut: float = 0.0) -> Ground:
    """Height of the land at (x, z): the way's own at its edge, a ditch, then relief; `cut` > 0: a cutting."""

    def height(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        x, z = np.asarray(x, np.float64), np.asarray(z, np.float64)
        d = np.maximum(np.abs(x - way.x(z)) - half, 0)
        ditch = -0.35 * np.exp(-((d - 2.2) ** 2) / 1.2)
        bank = cut * np.clip((d - 2.5) / (abs(cut) * 1.6 + 0.1), 0, 1)
        hills = (
            relief
            * (fractal(x / 160, z / 160, seed, 4) + 0.15)
            * np.clip((d - 3) / 60, 0, 1)
            * np.clip(d / 120, 0.15, 4)
        )
        return way.y(z) - 0.03 + ditch + bank + hills

    return height


def verges(
    site: Site,
    way: Way,
    half: float,
    material: Material,
    height: Ground,
    *,
    reach: float = 2500.0,
    behind: float = 150.0,
) -> None:
    """The land on both sides of the way out to `reach`."""
    z = stations(2.0, reach, behind, 56)[:, None]
    away = np.array([-0.8, 0.0, 0.9, 1.6, 2.4, 3.4, 5, 8, 13, 22, 40, 75, 140, 280, 600, 1300, reach])
    for s in (-1, 1):
        a = s * (half + away)[::s][None]
        edge = way.at(z, a)
        blend = np.clip((np.abs(a) - half - 5) / 20, 0, 1)
        x, zz = edge[..., 0] * (1 - blend) + (way.x(z) + a) * blend, edge[..., 2] * (1 - blend) + z * blend
        inside = np.abs(a) - half
        tucked = way.y(z) - np.where(inside < -0.01, 0.4, 0.05)  # under the road, so that no gap shows
        y = np.where(inside < 0.01, tucked, height(x, zz))
        site.add(grid(np.stack([x, y, zz], -1), material, uv=np.stack([x, zz], -1)))


def hills_behind(
    site: Site, palette: Palette, count: int | None = None, *, high: float = 1.0, snow: bool = False
) -> None:
    """Ranges one behind the other, the farthest at up to 25 km."""
    n = int(palette.rng.integers(0, 4)) if count is None else count
    white = Material((0.8, 0.82, 0.86), (0.7, 0.73, 0.78), "clouds", 0.02, seed=palette.seed())
    for i in range(n):
        distance = float(np.exp(palette.between(np.log(900 * (1 + i)), np.log(3000 * (1 + 2 * i)))))
        tall = distance * palette.between(0.03, 0.13) * high
        wooded = palette.chance(0.6) and distance < 6000
        c = np.array([0.05, 0.09, 0.03]) if wooded else np.array([0.25, 0.23, 0.2])
        c = c * palette.spread(1, 1.3) * palette.rng.uniform(0.85, 1.15, 3)
        cover = Material(
            tuple(c), tuple(c * 0.45), "clouds", palette.between(0.004, 0.03), bump=0.0, seed=palette.seed()
        )
        site.add(
            ridge(
                palette,
                distance,
                tall,
                cover,
                snow=white if snow and tall > 400 else None,
                rough=palette.between(0.15, 0.45) if wooded else palette.between(0.5, 1.0),
            )
        )


def woods(
    site: Site,
    palette: Palette,
    where: Places,
    count: int,
    *,
    height: float = 10.0,
    kinds: int = 3,
    look: plants.Detail = "far",
) -> None:
    """Trees at where(n) -> (n, 3): a few kinds, shared arrays; with the look "near" the first kind is in detail."""
    p = palette
    r = p.rng.random()
    makers = (
        (plants.conifer,)
        if r < 0.3
        else (plants.broadleaf,)
        if r < 0.65
        else (plants.bare,)
        if r < 0.73
        else (plants.broadleaf, plants.conifer, plants.pine)
    )
    per = -(-count // kinds)
    for i in range(kinds):
        close = look == "near" and i == 0
        tree = makers[i % len(makers)](p, "near" if close else "mass" if look == "mass" else "far", height)
        n = min(per, 8) if close else per
        at = where(n)
        site.scatter(tree, at, p.rng.uniform(0, 2 * pi, n), p.rng.uniform(0.55, 1.25, n), solid=0.8)


def beside_way(
    palette: Palette, way: Way, height: Ground, half: float, away: tuple[float, float], span: tuple[float, float]
) -> Places:
    """Places on the land on both sides, `away` (least, most) metres from the edge, over a span of z."""
    (near, far), (start, end) = away, span

    def where(n: int) -> np.ndarray:
        r = palette.rng
        z = start + (end - start) * r.random(n) ** 1.4
        a = (half + near + (far - near) * r.random(n) ** 1.3) * r.choice([-1, 1], n)
        x = way.x(z) + a
        return np.stack([x, height(x, z) - 0.1, z], 1)

    return where


def tree_line(
    site: Site, palette: Palette, way: Way, height: Ground, offset: float, *, gap: float = 12.0, end: float = 300
) -> None:
    """An avenue of like trees at `offset` on both sides or one."""
    tree = plants.tree(palette, "far", palette.between(6, 14))
    for s in (1, -1) if palette.chance(0.6) else (1,):
        z = np.arange(-20 + palette.between(0, gap), end, gap)
        x = way.x(z) + s * offset
        at = np.stack([x, height(x, z), z], 1)
        site.scatter(tree, at, palette.rng.uniform(0, 6, len(z)), palette.rng.uniform(0.8, 1.15, len(z)), solid=0.5)


def farm(site: Site, palette: Palette, at: np.ndarray, height: Ground) -> None:
    """A few houses and barns around `at`, with trees."""
    p = palette
    for i in range(int(p.rng.integers(1, 4))):
        q = np.array([at[0] + p.between(-22, 22), 0.0, at[2] + 22 * i + p.between(-4, 4)])
        q[1] = float(height(q[0], q[2])) - 0.3
        site.put(shed(p) if p.chance(0.45) else house(p, near=False), q, p.between(0, 2 * pi))
    tree = plants.tree(p, "far", p.between(7, 13))
    n = 6
    x, z = at[0] + p.rng.normal(size=n) * 25, at[2] + p.rng.normal(size=n) * 25
    site.scatter(tree, np.stack([x, height(x, z), z], 1), p.rng.uniform(0, 6, n), p.rng.uniform(0.7, 1.2, n))


def herd(site: Site, palette: Palette, where: Places, count: int) -> None:
    """Grazing animals of one sort at where(n)."""
    sorts = ("cow", "sheep", "horse", "goat", "deer")
    try:
        one = Stock(palette, lambda q: animal(q, sort=sorts[int(q.rng.integers(len(sorts)))], detail="far"), 2)
        for at in where(count):
            site.put(one.draw(), (at + np.array([0, 0.1, 0])), palette.between(0, 6))
    except KeyError:
        one = Stock(palette, lambda q: animal(q, detail="far"), 2)
        for at in where(count):
            site.put(one.draw(), (at + np.array([0, 0.1, 0])), palette.between(0, 6))


def stones(
    site: Site, palette: Palette, where: Places, count: int, size: float = 0.6, material: Material | None = None
) -> None:
    """Boulders of two shapes, many small ones and few large."""
    for _ in range(2):
        one = rock(palette, material, 9)
        n = count // 2
        at = where(n)
        scale = size * np.exp(palette.rng.normal(size=n) * 0.6)
        site.scatter([one], at, palette.rng.uniform(0, 6, n), scale, solid=size)


def meadow(
    site: Site, palette: Palette, where: Places, count: int, *, tall: float = 0.3, flowers: bool | None = None
) -> None:
    """Tufts of grass, leafy plants and flowers."""
    p = palette
    tuft = plants.grass_tuft(p, 14, tall)
    site.scatter(tuft, where(count), p.rng.uniform(0, 6, count), p.rng.uniform(0.5, 1.3, count))
    if p.chance(0.5) if flowers is None else flowers:
        for _ in range(2):
            n = max(4, count // 12)
            site.scatter(plants.flower(p, tall * 1.2), where(n), p.rng.uniform(0, 6, n), p.rng.uniform(0.6, 1.2, n))
    n = max(3, count // 20)
    site.scatter(plants.leaf_plant(p, tall * 1.3), where(n), p.rng.uniform(0, 6, n), p.rng.uniform(0.6, 1.3, n))


def wet(material: Material, palette: Palette) -> Material:
    """The same surface after rain."""
    return replace(
        material,
        colour=tuple(c * 0.5 for c in material.colour),
        shine=palette.between(0.2, 0.6),
        gloss=palette.between(0.7, 0.95),
    )


def crop_rows(site: Site, palette: Palette, way: Way, height: Ground, half: float) -> None:
    """A field of maize, vines or the like: rows of plants along the way on one side."""
    p = palette
    plant: Thing = plants.bush(p, "far", p.between(0.5, 1.6))
    s, gap = (1 if p.chance(0.5) else -1), p.between(1.5, 3.0)
    z, a = np.meshgrid(np.arange(2, 60, gap * 0.7), half + 7 + np.arange(5) * gap)
    x, z = way.x(z.ravel()) + s * a.ravel(), z.ravel()
    site.scatter(
        plant,
        np.stack([x, height(x, z), z], 1)[: 12000 // sum(len(q.faces) for q in plant)],
        p.rng.uniform(0, 6, len(z))[: 12000 // sum(len(q.faces) for q in plant)],
    )
