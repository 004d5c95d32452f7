"""Pictures that are flat whatever they show, mirrors, glass, and piles of anything in a void."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.worlds.mesh import Thing, bounds, box, bumpy, ellipsoid, floor, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, objects
from training.worlds.parts.devices import display, monitor, screen, television
from training.worlds.parts.furniture import AT_WALL, chair
from training.worlds.parts.many import boxes, copies
from training.worlds.parts.shapes import canvas, clutter, cushion, lying, torus
from training.worlds.scenes.eyes import camera, orbit
from training.worlds.scenes.room import Room
from training.worlds.stage import Camera, Lamp, Sky, Stage


def _facing(palette: Palette, middle: np.ndarray, width: float, height: float, count: int) -> list[Camera]:
    """Cameras before an upright picture that looks along +z, so that it fills most of the view or all of it."""
    made = []
    for _ in range(count):
        fov = palette.between(0.7, 1.3)
        away = max(width, height) / 2 / np.tan(fov / 2) * palette.between(0.55, 1.3)
        side, high = palette.rng.normal() * 0.35, palette.rng.normal() * 0.2
        offset = np.array([np.sin(side) * np.cos(high), np.sin(high), np.cos(side) * np.cos(high)]) * away
        aim = middle + palette.rng.normal(size=3) * np.array([0.08 * width, 0.08 * height, 0])
        view = camera(palette, middle + offset, aim, fov)
        made.append(replace(view, portrait=height > 1.2 * width if palette.chance(0.8) else view.portrait))
    return made


def flat_picture(palette: Palette) -> Stage:
    """A painting, poster, photograph, page or screen that fills the view; it is a plane, whatever is drawn on it."""
    width = palette.between(0.2, 2.0)
    height = width * palette.between(0.5, 1.5)
    kind = int(palette.rng.integers(4))
    if kind == 0:
        made, foot = decor.picture(palette, width, height), 0.0
    elif kind == 1:
        made, foot = (
            [canvas(width, height, palette.picture() if palette.chance(0.7) else palette.printed(), z=0.001)],
            0.0,
        )
    elif kind == 2:
        made, foot = place(screen(palette, width, height, 0.01), (0, 0, 0.05)), 0.0
    else:
        page = replace(palette.printed(), frequency=palette.between(8, 40) / height)
        made, foot = [canvas(width, height, page, z=0.001)], 0.0
        for _ in range(int(palette.rng.integers(0, 5))):
            w, h = width * palette.between(0.2, 0.6), height * palette.between(0.1, 0.4)
            made += place(
                [canvas(w, h, palette.picture())],
                (palette.between(-0.5, 0.5) * (width - w), palette.between(0, height - h), 0.0015),
            )
    wall: Thing = place([box((8, 5, 0.1), palette.wall())], (0, -1.5, -0.05))
    level = palette.chance(0.25)
    views = _facing(palette, np.array([0, height / 2 + foot, 0]), width, height, 4)
    lamp = Lamp(
        (palette.between(-1.5, 1.5) * width, height * palette.between(1.0, 2.0), 1.5 * width + 0.5),
        0.1 * width,
        (2.0 * width**2 + 0.5,) * 3,
    )
    fill = palette.between(0.2, 0.6)
    things = wall + made
    if level:
        things = lying(things)
        views = [replace(v, eye=_tip(v.eye), target=_tip(v.target)) for v in views]
        lamp = replace(lamp, at=_tip(lamp.at))
    return Stage(
        "flat_picture", things, views, Sky(panorama=int(palette.rng.integers(1 << 12))), [lamp], (fill, fill, fill)
    )


def _tip(point: tuple[float, float, float]) -> tuple[float, float, float]:
    """Where `lying` carries a point of the frame of a wall whose back is at z = -0.1."""
    x, y, z = point
    return (x, z + 0.1, -y)


def mirror(palette: Palette) -> Stage:
    """A mirror on a wall or leaning; what is to be known is the distance of its surface."""
    room = Room(palette, palette.between(2.5, 5), palette.between(2.5, 5), palette.between(2.4, 3.0))
    room.window(2)
    room.door(int(palette.one_of(1, 3)))
    wide, high = palette.between(0.6, 2.0), palette.between(0.7, 1.9)
    glass = decor.mirror(palette, wide, high)
    foot = palette.between(0.0, 0.3) if high > 1.4 else palette.between(0.7, 1.1)
    room.hang(0, glass, foot, palette.between(-0.2, 0.2) * room.width)
    for _ in range(int(palette.rng.integers(2, 7))):
        room.against(int(palette.rng.integers(4)), AT_WALL[int(palette.rng.integers(len(AT_WALL)))](palette))
    for _ in range(4):
        room.hang(int(palette.rng.integers(4)), decor.picture(palette))
    room.strew((chair, *objects.FLOOR), 3)
    room.light(lit=palette.chance(0.8))
    room.shell()
    views = []
    for _ in range(12):
        eye = (
            palette.between(-0.4, 0.4) * room.width,
            palette.between(0.8, 1.8),
            palette.between(-0.25, 0.4) * room.depth,
        )
        if room.obstacles.clear(eye, 0.15) and len(views) < 5:
            views.append(camera(palette, eye, (palette.rng.normal() * 0.3, foot + high * 0.5, -room.depth / 2)))
    return room.stage("mirror", views)


def glass(palette: Palette) -> Stage:
    """Glass vessels on a table, or a shop window with things behind it."""
    if palette.chance(0.35):
        return _shop_window(palette)
    makers = (objects.wine_glass, objects.tumbler, objects.vase, objects.jug, objects.jar, objects.bottle, objects.bowl)
    made: Thing = [box((1.6, 0.04, 0.9), palette.wood() if palette.chance(0.5) else palette.paint(), (0, -0.04, 0))]
    stuff = clutter(palette, makers, 0.6, 0.4, int(palette.rng.integers(4, 18)), 0.8)
    clear = palette.glass()
    made += [replace(p, material=clear) if palette.chance(0.4) and p.material.kind == "matte" else p for p in stuff]
    made += place([box((5, 3, 0.1), palette.wall())], (0, -0.75, -palette.between(0.5, 2.5)))
    made += place([floor(8, 8, palette.parquet())], (0, -0.75, 0))
    power = palette.between(0.5, 3)
    lamps = [Lamp((palette.between(-1, 1), 1.2, palette.between(-0.5, 1.2)), 0.15, (power, power, power * 0.8))]
    views = orbit(palette, (0, 0.08, 0), (0.4, 1.1), (0.02, 0.7), 5, spread=1.0, fov=(35, 65))
    fill = palette.between(0.05, 0.3)
    return Stage(
        "glass",
        made,
        views,
        Sky(panorama=int(palette.rng.integers(1 << 12)), turn=palette.between(0, 6)),
        lamps,
        (fill, fill, fill),
    )


def _shop_window(palette: Palette) -> Stage:
    """A pane one looks through, its frame, and shelves of things behind."""
    from training.worlds.parts.cabinets import bookshelf_sized
    from training.worlds.parts.decor import sash

    w, h = palette.between(1.5, 3.0), palette.between(1.6, 2.3)
    made: Thing = place(
        [*sash(palette, w, h), box((w - 0.1, h - 0.1, 0.004), palette.glass(), (0, 0.05, 0.01))], (0, 0.3, 0)
    )
    face = palette.masonry()
    made.append(
        boxes(
            [(-w / 2 - 1.5, 0, 0), (w / 2 + 1.5, 0, 0), (0, 0.3 + h, 0), (0, 0, 0)],
            [(3, h + 2, 0.3), (3, h + 2, 0.3), (w, 1.7, 0.3), (w, 0.3, 0.3)],
            face,
        )
    )
    made += place([floor(12, 6, palette.paving())], (0, 0, 3.15)) + place(
        [floor(w + 3, 4, palette.parquet())], (0, 0.02, -2.1)
    )
    made += place([box((w + 3, 3, 0.1), palette.wall())], (0, 0, -palette.between(1.5, 3.5)))
    made += place(
        bookshelf_sized(palette, min(w, 1.8), 2.0, 0.35, objects.DECOR), (palette.between(-0.3, 0.3), 0, -1.3)
    )
    for x in np.linspace(-w / 2 + 0.3, w / 2 - 0.3, 4):
        made += place([box((0.35, palette.between(0.3, 0.9), 0.35), palette.paint())], (float(x), 0.02, -0.5))
        made += place(objects.DECOR[int(palette.rng.integers(len(objects.DECOR)))](palette), (float(x), 0.95, -0.5))
    lamps = [Lamp((0, h + 0.2, -0.8), 0.1, (2.5, 2.2, 1.8))]
    views = orbit(palette, (0, 1.2, 0), (0.9, 3.0), (-0.05, 0.25), 5, spread=0.8, fov=(45, 80))
    fill = palette.between(0.1, 0.3)
    return Stage(
        "glass",
        made,
        views,
        Sky(panorama=int(palette.rng.integers(1 << 12)), turn=palette.between(0, 6)),
        lamps,
        (fill, fill, fill),
    )


def _solid(palette: Palette) -> Thing:
    """Any solid of about a metre."""
    stuff, kind = palette.anything(), int(palette.rng.integers(7))
    size = palette.rng.uniform(0.2, 1.0, 3)
    if kind == 0:
        made = [box(size, stuff)]
    elif kind == 1:
        made = [ellipsoid(size / 2, stuff, sides=20, at=(0, size[1] / 2, 0))]
    elif kind == 2:
        made = [
            lathe(
                [(size[0] / 2, 0), (size[0] / 2, size[1])],
                stuff,
                sides=int(palette.rng.choice([5, 6, 24])),
                smooth=False,
            )
        ]
    elif kind == 3:
        made = [
            lathe([(size[0] / 2, 0), (0.002, size[1])], stuff, sides=int(palette.rng.choice([4, 24])), smooth=False)
        ]
    elif kind == 4:
        made = place([torus(size[0] / 2, size[0] * palette.between(0.06, 0.2), stuff)], (0, size[0] / 2, 0))
    elif kind == 5:
        made = [bumpy(ellipsoid(size / 2, stuff, sides=20, at=(0, size[1] / 2, 0)), palette.rng, 0.06, 0.3)]
    else:
        made = [cushion(size, stuff, soft=palette.between(0.1, 0.8))]
    return made


def chaos(palette: Palette) -> Stage:
    """Random solids, piled on a ground or floating, in a void, before a wall, or in a box."""
    made: Thing = []
    kinds = [_solid(palette) for _ in range(int(palette.rng.integers(2, 7)))]
    spread, rng = palette.between(0.8, 3.0), palette.rng
    floating = palette.chance(0.4)
    for one in kinds:
        n = int(rng.integers(1, 8))
        at = rng.normal(size=(n, 3)) * np.array([spread, 0, spread])
        if floating:
            at[:, 1] = rng.uniform(-0.5, 2.5, n)
            made += copies(one, at, rng.uniform(0, 6, n), rng.uniform(0.3, 1.5, n), rng.uniform(-3, 3, n))
        else:
            at[:, 1] = rng.uniform(0, 0.6, n) * (rng.random(n) < 0.3)
            made += copies(one, at, rng.uniform(0, 6, n), rng.uniform(0.3, 1.5, n))
    if not floating or palette.chance(0.5):
        made += place(
            [floor(40, 40, palette.one_of(palette.parquet, palette.paving, palette.paint, palette.soil)())],
            (0, -1.0 if floating else 0, 0),
        )  # type: ignore[operator]
    if palette.chance(0.5):
        for yaw in (0.0, 1.57, 3.14, 4.71):
            made += place([box((16, 6, 0.2), palette.wall())], (-7 * np.sin(yaw), -1, -7 * np.cos(yaw)), yaw)
    low, high = bounds(made[: len(kinds)])
    points = np.concatenate([p.vertices for p in made[: len(kinds)]])
    views = []
    for view in orbit(palette, (low + high) / 2 * np.array([0.3, 1, 0.3]), (1.5, 6.0), (-0.1, 0.9), 20, fov=(35, 95)):
        away = float(np.linalg.norm(points - np.asarray(view.eye, np.float32), axis=1).min())
        if away > 0.4 and view.eye[1] > 0.1 and max(abs(view.eye[0]), abs(view.eye[2])) < 6.5 and len(views) < 5:
            views.append(view)
    power = palette.between(5, 40)
    lamps = [
        Lamp(
            (palette.between(-3, 3), palette.between(3, 5), palette.between(-3, 3)),
            palette.between(0.1, 0.8),
            (power, power * 0.95, power * 0.9),
        )
    ]
    fill = palette.between(0.05, 0.3)
    sky = Sky(
        panorama=int(rng.integers(1 << 12)) if palette.chance(0.5) else -1,
        turn=palette.between(0, 6),
        sun=(palette.between(-1, 1), 0.8, palette.between(-1, 1)),
    )
    return Stage("chaos", made, views, sky, lamps if palette.chance(0.6) else [], (fill, fill, fill))


def screens(palette: Palette) -> Stage:
    """A television or monitor that shows a picture of another world: still a plane."""
    made = television(palette) if palette.chance(0.5) else monitor(palette)
    low, high = bounds(made)
    shown = display(palette)
    made = [replace(p, material=shown) if p.material.pattern == "picture" else p for p in made]
    things: Thing = [box((3, 0.04, 0.6), palette.wood(), (0, -0.04, 0))]
    things += place([floor(8, 8, palette.parquet())], (0, -0.7, 0)) + place(
        [box((6, 3.5, 0.1), palette.wall())], (0, -0.7, -0.45)
    )
    things += made + place(clutter(palette, objects.DECOR, 2.4, 0.3, 5), (0, 0, 0.25))
    size = float(high[0] - low[0])
    views = orbit(
        palette,
        (0, float(high[1]) / 2, 0),
        (0.8 * size + 0.2, 2.5 * size + 0.3),
        (-0.1, 0.5),
        4,
        spread=0.7,
        fov=(45, 75),
    )
    fill = palette.between(0.1, 0.4)
    lamps = [Lamp((palette.between(-2, 2), 1.5, 2.0), 0.15, (3.0, 2.7, 2.3))]
    return Stage("screens", things, views, Sky(), lamps, (fill, fill, fill))


SCENES = {
    "flat_picture": (flat_picture, 0.5),
    "mirror": (mirror, 0.3),
    "glass": (glass, 0.4),
    "screens": (screens, 0.2),
    "chaos": (chaos, 0.5),
}
"""Flat and odd scenes by name: maker and weight."""
