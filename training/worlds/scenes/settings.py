"""Places for people and animals to be in: a clear spot around the origin, surroundings to the horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from training.worlds.materials import Material
from training.worlds.mesh import Thing, bounds, box, floor, grid, panel, place
from training.worlds.palette import Palette
from training.worlds.parts.buildings import building, house
from training.worlds.parts.cabinets import bookshelf, sideboard, wardrobe
from training.worlds.parts.decor import curtains, picture, rug
from training.worlds.parts.lamps import floor_lamp
from training.worlds.parts.many import copies, merge
from training.worlds.parts.monuments import rock
from training.worlds.parts.plants import bush, grass_tuft, hedge, palm, tree
from training.worlds.parts.pots import plant
from training.worlds.parts.seats import any_seat, sofa
from training.worlds.scenes.nature import Ground, hills, weather
from training.worlds.stage import Camera, Lamp, Sky, Stage, Triple

Box = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(slots=True)
class Setting:
    """Surroundings of the origin. solid: boxes that no camera may be in; room: half-width and half-depth, indoors."""

    things: Thing
    sky: Sky
    solid: list[Box] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    fill: Triple = (0.0, 0.0, 0.0)
    room: tuple[float, float] | None = None
    ground: Ground = field(default_factory=Ground)

    def add(self, thing: Thing, *, solid: bool = True) -> None:
        """Puts a thing here."""
        self.things += thing
        if solid and thing:
            self.solid.append(bounds(thing))

    def stage(self, kind: str, cameras: list[Camera]) -> Stage:
        """The finished scene."""
        return Stage(kind, self.things, cameras, self.sky, self.lamps, self.fill)


def strew(
    palette: Palette,
    setting: Setting,
    thing: Thing,
    count: int,
    span: tuple[float, float],
    *,
    size: float = 1.25,
    solid: bool = True,
) -> None:
    """The thing that many times at distances in `span` (metres), more of them far away, of all sizes, all ways."""
    r = palette.rng
    distance, angle = span[0] * (span[1] / span[0]) ** r.random(count), r.uniform(0, 2 * pi, count)
    x, z = distance * np.sin(angle), distance * np.cos(angle)
    at = np.stack([x, setting.ground.height(x, z), z], 1)
    at = at[at[:, 1] > -0.15] if setting.ground.profile is not None else at
    if not len(at):
        return
    made = copies(thing, at, r.uniform(0, 2 * pi, len(at)), np.exp(r.normal(0, np.log(size), len(at))))
    setting.things += made
    if solid:
        points = [part.vertices.reshape(len(at), -1, 3) for part in made]
        low, high = (np.stack([getattr(p, k)(1) for p in points]) for k in ("min", "max"))
        setting.solid += list(zip(low.min(0), high.max(0), strict=True))


def open_land(
    palette: Palette, material: Material, relief: float, *, flat: float = 8.0, haze: float | None = None
) -> Setting:
    """Nothing yet but ground and sky."""
    ground = Ground.drawn(palette, relief, flat)
    return Setting([ground.part(material)], weather(palette, haze), ground=ground)


def grove(
    palette: Palette, setting: Setting, near: float, far: float, *, kinds: int = 3, count: int = 24, low: float = 0.3
) -> None:
    """Trees and bushes (a share of `low`) between two distances."""
    for _ in range(kinds):
        made = bush(palette) if palette.chance(low) else palm(palette) if palette.chance(0.06) else tree(palette)
        size = sum(len(p.faces) for p in made)
        n = int(np.clip(min(count / kinds, 9000 / max(size, 1)), 1, 40))
        strew(palette, setting, made, n, (near, far))


def tufts(palette: Palette, setting: Setting, near: float, far: float, count: int = 50) -> None:
    """Grass that stands up near the camera."""
    strew(palette, setting, grass_tuft(palette, 14, palette.spread(0.22, 1.6)), count, (near, far), solid=False)


def ridges(palette: Palette, setting: Setting) -> None:
    """One to three ranges of hills, each farther and higher."""
    distance = palette.spread(120, 1.8)
    for _ in range(int(palette.rng.integers(1, 4))):
        stuff = (
            palette.rock()
            if palette.chance(0.4)
            else palette.grass()
            if palette.chance(0.5)
            else replace(palette.grass(), colour=(0.05, 0.09, 0.03), second=(0.02, 0.04, 0.015), tile=-1)
        )
        setting.things.append(
            hills(
                palette,
                distance,
                distance * 1.7,
                distance * palette.between(0.08, 0.5),
                replace(stuff, frequency=stuff.frequency * 8 / distance),
            )
        )
        distance *= palette.between(1.8, 3.2)


# -- places -----------------------------------------------------------------------------------------------------------
def meadow(palette: Palette) -> Setting:
    """A field, a park, a savannah: ground, scattered trees, hills."""
    s = open_land(palette, palette.grass() if palette.chance(0.75) else palette.soil(), palette.spread(1.5, 2.5))
    grove(
        palette,
        s,
        palette.between(7, 30),
        palette.between(60, 150),
        kinds=int(palette.rng.integers(1, 5)),
        count=int(palette.rng.integers(4, 50)),
    )
    if palette.chance(0.6):
        tufts(palette, s, 1.2, 14)
    if palette.chance(0.6):
        ridges(palette, s)
    if palette.chance(0.25):
        s.add(place([rock(palette)], at=(palette.between(-6, 6), 0, -palette.between(3, 9)), scale=palette.spread(0.7)))
    return s


def forest(palette: Palette) -> Setting:
    """Under trees: dense trunks and leaves all around."""
    s = open_land(palette, palette.soil() if palette.chance(0.5) else palette.grass(), 0.7)
    grove(palette, s, palette.between(3, 6), 16, kinds=3, count=26, low=0.45)
    grove(palette, s, 12, 60, kinds=3, count=45, low=0.2)
    if palette.chance(0.5):
        tufts(palette, s, 1.0, 8)
    return s


def foliage(palette: Palette) -> Setting:
    """A wall of leaves close behind: bushes, a hedge."""
    s = open_land(palette, palette.grass(), 0.5)
    if palette.chance(0.3):
        s.add(
            place(
                hedge(palette, 14, palette.between(1.2, 3)),
                at=(0, 0, -palette.between(1, 4)),
                yaw=0.2 * palette.rng.normal(),
            )
        )
    else:
        for _ in range(7):
            at = (palette.between(-4, 4), 0, -palette.between(0.9, 4.5))
            s.add(place(bush(palette, "far", palette.between(1, 2.6)), at=at))
    grove(palette, s, 8, 40, kinds=3, count=24)
    return s


def beach(palette: Palette) -> Setting:
    """Sand or grass in front, water to the horizon behind, hills at its end sometimes."""
    s = Setting([], weather(palette, haze=palette.spread(0.0006, 2)))
    shore = palette.between(2, 25)
    sand = (
        replace(palette.soil(), colour=palette.near((0.5, 0.42, 0.3), 1.3)) if palette.chance(0.6) else palette.soil()
    )
    c = palette.near(palette.one_of((0.03, 0.09, 0.13), (0.05, 0.2, 0.22), (0.1, 0.14, 0.15)), 1.3)  # type: ignore[arg-type]
    water = Material(
        c,
        tuple(min(1.8 * x, 0.9) for x in c),
        "clouds",
        palette.between(0.15, 0.8),
        shine=palette.between(0.2, 0.5),
        gloss=0.85,
        bump=0.03,
        seed=palette.seed(),
    )
    x = np.linspace(-400, 400, 9)
    z = np.array([-shore - 14, -shore, -shore * 0.6, 10, 60, 400])
    y = np.array([-2.0, -0.25, 0.0, 0.0, palette.between(0, 2), palette.between(0, 60)])
    s.ground = Ground(profile=np.stack([z, y], 1))
    points = np.stack(np.broadcast_arrays(x[None], y[:, None], z[:, None]), -1)
    s.things.append(grid(points, sand, uv=points[..., [0, 2]]))
    sea = np.stack(
        np.broadcast_arrays(
            np.linspace(-6000, 6000, 5)[None], -0.12, np.array([-6000, -600, -60, -0.6 * shore])[:, None]
        ),
        -1,
    )
    s.things.append(grid(sea, water, uv=sea[..., [0, 2]]))
    if palette.chance(0.45):
        ridge = hills(palette, 700, 1200, palette.between(60, 260), palette.grass())
        s.things.append(ridge)
    if palette.chance(0.4):
        grove(palette, s, 9, 40, kinds=1, count=3)
    return s


def heights(palette: Palette) -> Setting:
    """A viewpoint in the mountains."""
    stuff = palette.grass() if palette.chance(0.5) else palette.soil()
    s = open_land(palette, stuff, palette.spread(4, 2), flat=5, haze=palette.spread(0.0005, 2))
    ridges(palette, s)
    ridges(palette, s)
    grove(palette, s, 9, 120, kinds=2, count=int(palette.rng.integers(0, 30)) + 2)
    strew(palette, s, [rock(palette)], 8, (4, 40), size=1.8)
    return s


def street(palette: Palette, wide: float | None = None) -> Setting:
    """Between two rows of houses that run along z; wide: half the distance of the fronts."""
    s = Setting([], weather(palette))
    w = wide or palette.between(4, 11)
    s.things.append(floor(600, 600, palette.asphalt() if palette.chance(0.4) else palette.paving()))
    if palette.chance(0.5):
        for side in (-1, 1):
            s.things.append(box((w * 0.45, 0.12, 300), palette.paving(), at=(side * w * 0.78, 0, 0)))
    fronts = [
        building(palette, palette.between(7, 16), 9, int(palette.rng.integers(1, 6)), near=k == 0) for k in range(3)
    ]
    for side in (-1, 1):
        z = -75.0
        while z < 45:
            made = fronts[int(palette.rng.integers(len(fronts)))]
            low, high = bounds(made)
            long = float(high[0] - low[0])
            placed = place(made, at=(side * w, 0, z + long / 2), yaw=-side * pi / 2)
            s.add(placed)
            z += long + float(palette.rng.choice([0, 0, palette.between(1, 9)]))
    if palette.chance(0.5):
        s.add(place(building(palette, 2 * w, 10, 3, near=False), at=(0, 0, -palette.between(25, 80))))
    if palette.chance(0.5):
        made = tree(palette, "far", palette.between(4, 8))
        s.things += copies(made, [(side * w * 0.62, 0, z) for side in (-1, 1) for z in range(-45, 0, 11)])
    return s


def plaza(palette: Palette) -> Setting:
    """A paved square or a lawn with a few houses at some distance."""
    s = open_land(palette, palette.paving() if palette.chance(0.65) else palette.grass(), 0.0)
    made = [
        house(palette, near=False)
        if palette.chance(0.5)
        else building(palette, palette.between(8, 20), 10, int(palette.rng.integers(1, 5)), near=False, sides=True)
        for _ in range(2)
    ]
    for k in range(int(palette.rng.integers(3, 8))):
        angle = 2 * pi * (k + palette.rng.random()) / 7
        d = palette.between(22, 60)
        s.add(place(made[k % 2], at=(d * sin(angle), 0, d * cos(angle)), yaw=angle + pi + 0.2 * palette.rng.normal()))
    grove(palette, s, 10, 60, kinds=2, count=14)
    return s


def farmyard(palette: Palette) -> Setting:
    """Pasture with a fence, a barn, hills."""
    s = meadow(palette)
    wood = palette.wood()
    z = -palette.between(2, 9)
    posts = [box((0.1, 1.2, 0.1), wood, at=(x, 0, z)) for x in np.arange(-20, 21, 2.5)]
    rails = [box((42, 0.09, 0.04), wood, at=(0, y, z + 0.06)) for y in (0.45, 0.95)]
    if palette.chance(0.6):
        s.things += merge([*posts, *rails])
    if palette.chance(0.6):
        s.add(
            place(
                house(palette, near=False),
                at=(palette.between(-15, 15), 0, -palette.between(18, 50)),
                yaw=palette.between(-1, 1),
            )
        )
    return s


def studio(palette: Palette) -> Setting:
    """A curved backdrop, dark, grey or white, and one or two lamps."""
    c = palette.near(palette.one_of((0.02, 0.02, 0.022), (0.2, 0.2, 0.2), (0.75, 0.75, 0.75), palette.hue(0.6)), 1.2)  # type: ignore[arg-type]
    paper = Material(c, palette.near(c, 1.15), "clouds", 1.2, seed=palette.seed())
    depth = palette.between(0.8, 3.0)
    t = np.linspace(0, pi / 2, 7)
    z = np.concatenate([[3.0], -depth + 0.8 * (1 - np.sin(t)), [-depth]])
    y = np.concatenate([[0.0], 0.8 * (1 - np.cos(t)), [9.0]])
    points = np.stack(np.broadcast_arrays(np.array([-14.0, 14.0])[None], y[:, None], z[:, None]), -1)[::-1]
    s = Setting(
        [grid(points, paper)],
        Sky(sun_colour=(0, 0, 0), zenith=(0.03, 0.03, 0.03), horizon=(0.03, 0.03, 0.03), ground=(0.02, 0.02, 0.02)),
    )
    for _ in range(int(palette.rng.integers(1, 4))):
        a, k = palette.between(-1.5, 1.5), palette.between(2, 7)
        s.lamps.append(
            Lamp(
                (2.5 * sin(a), palette.between(1.5, 3.2), 2.5 * cos(a)),
                palette.between(0.1, 0.7),
                (k, k * palette.between(0.8, 1), k * palette.between(0.65, 1)),
            )
        )
    g = palette.between(0.03, 0.3)
    s.fill, s.room = (g, g, g), (5.0, depth)
    return s


def wall(palette: Palette) -> Setting:
    """In front of a wall out of doors."""
    s = open_land(palette, palette.paving() if palette.chance(0.6) else palette.soil(), 0.0)
    s.add(
        place(
            [panel(30, palette.between(2.5, 9), palette.masonry() if palette.chance(0.8) else palette.wood())],
            at=(0, 0, -palette.between(0.5, 3)),
            yaw=0.3 * palette.rng.normal(),
        ),
        solid=False,
    )
    return s


def room(palette: Palette) -> Setting:
    """A room with a few pieces of furniture along its walls, a clear middle, lamps."""
    w, d, h = palette.between(1.7, 4.0), palette.between(1.7, 4.5), palette.between(2.35, 3.2)
    paint = palette.wall()
    s = Setting(
        [floor(2 * w, 2 * d, palette.parquet())],
        Sky(sun_colour=(0, 0, 0), zenith=(0.3, 0.3, 0.3), horizon=(0.3, 0.3, 0.3)),
        room=(w, d),
    )
    ceiling = place([panel(2 * w, 2 * d, palette.paint((0.75, 0.74, 0.7), 0.02))], at=(0, h, -d), pitch=pi / 2)
    s.things += ceiling
    sides = ((0.0, -d, 0.0, w), (-w, 0.0, pi / 2, d), (w, 0.0, -pi / 2, d), (0.0, d, pi, w))
    for k, (x, z, yaw, half) in enumerate(sides):
        s.things += place(
            [panel(2 * half, h, palette.wall() if palette.chance(0.15) else paint)], at=(x, 0, z), yaw=yaw
        )
        spots = np.arange(-half + 0.7, half - 0.6, 1.5) + 0.2 * palette.rng.normal()
        for along in spots:
            _furnish(
                palette,
                s,
                np.array([x, 0, z]) + along * np.array([cos(yaw), 0, -sin(yaw)]),
                yaw,
                clear=min(w, d) > 2.2 and k < 3,
            )
    if palette.chance(0.4):
        s.things += place(rug(palette), at=(palette.between(-0.5, 0.5), 0.003, 0), yaw=palette.between(0, 3))
    for _ in range(int(palette.rng.integers(1, 3))):
        k = palette.between(3, 9)
        at = (palette.between(-0.8, 0.8) * w, h - 0.2, palette.between(-0.8, 0.8) * d)
        s.lamps.append(
            Lamp(at, palette.between(0.1, 0.5), (k, k * palette.between(0.75, 1), k * palette.between(0.5, 1)))
        )
    g = palette.between(0.08, 0.35)
    s.fill = (g, g * 0.97, g * 0.92)
    return s


def _furnish(palette: Palette, s: Setting, at: NDArray[np.float64], yaw: float, *, clear: bool) -> None:
    """Something on or along a wall at `at`; the wall looks along yaw."""
    inward = np.array([sin(yaw), 0, cos(yaw)])
    if palette.chance(0.3):
        s.things += place(picture(palette), at=at + inward * 0.02 + [0, palette.between(1.1, 1.5), 0], yaw=yaw)
    elif palette.chance(0.12):
        s.things += place(curtains(palette, 1.3, 2.1), at=at + inward * 0.08 + [0, 0.1, 0], yaw=yaw)
    if not palette.chance(0.5):
        return
    makers: list[Callable[[Palette], Thing]] = (
        [sideboard, plant, any_seat, floor_lamp]
        if not clear
        else [sideboard, bookshelf, wardrobe, sofa, plant, any_seat, floor_lamp]
    )
    thing = makers[int(palette.rng.integers(len(makers)))](palette)
    low, _ = bounds(thing)
    s.add(place(thing, at=at + inward * (0.03 - float(low[2])), yaw=yaw))
