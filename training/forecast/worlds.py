"""Worlds for the forecast: stages whose pictures become mirrors and whose vessels become glass, or the other way.

What tells a mirror from a picture, or a pane from a hole, has to be learnt from scenes that differ in nothing else.
`recast` changes materials of a stage that is there; `pane_room` builds what the stages lack: mirrored walls and
wardrobes, partitions, cases and table tops of glass, and the same frames empty, painted or with a picture in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np

from training.worlds.materials import Material, Tiles
from training.worlds.mesh import Part, Thing, box, place
from training.worlds.palette import Palette
from training.worlds.parts import decor, furniture, objects
from training.worlds.parts.shapes import canvas, clutter, frame
from training.worlds.sample import Draw, Sample, photograph, picture_size, scenes, useful
from training.worlds.scenes.eyes import camera
from training.worlds.scenes.outfit import adorn, row
from training.worlds.scenes.room import Room
from training.worlds.stage import Camera, Stage
from training.worlds.trace import Materials, assemble, render

BASES = (
    "living_room", "bedroom", "bathroom", "dining_room", "office", "study", "kitchen", "mirror", "glass",
    "flat_picture", "screens", "chaos",
)  # fmt: skip
"""Scenes that `recast` is done to, beside those of tables."""


def _flat(part: Part) -> bool:
    """Whether a part is a thin board of at least a hand's size."""
    if not len(part.vertices):
        return False
    size = np.sort(part.vertices.max(0) - part.vertices.min(0))
    return bool(size[0] < 0.03 and size[1] > 0.15)


def recast(stage: Stage, palette: Palette) -> Stage:
    """The stage with some boards turned into mirrors or glass, some mirrors and panes into pictures or paint."""
    to_mirror, to_glass, back = palette.one_of((0.0, 0.0, 0.0), (0.5, 0.05, 0.1), (0.1, 0.4, 0.3), (0.3, 0.3, 0.9))
    things: Thing = []
    for part in stage.things:
        kind, flat = part.material.kind, _flat(part)
        material = part.material
        if kind in ("mirror", "glass") and palette.chance(back):
            material = palette.picture() if flat and palette.chance(0.5) else palette.paint(shine=0.3)
        elif flat and material.pattern == "picture" and palette.chance(to_mirror):
            material = palette.mirror()
        elif kind == "matte" and flat and palette.chance(0.06 * (to_mirror + to_glass)):
            material = palette.mirror() if palette.chance(0.5) else palette.glass()
        elif kind == "matte" and not flat and part.smooth and _small(part) and palette.chance(to_glass * 0.5):
            material = palette.glass()
        things.append(part if material is part.material else replace(part, material=material))
    return replace(stage, things=things)


def _small(part: Part) -> bool:
    """Whether a part is a vessel's size."""
    return bool(len(part.vertices)) and bool((part.vertices.max(0) - part.vertices.min(0)).max() < 0.5)


def _fill(palette: Palette) -> Material | None:
    """What is in a frame: a mirror, glass, a picture, paint, or nothing."""
    kind = float(palette.rng.random())
    if kind < 0.45:
        return palette.mirror()
    if kind < 0.6:
        return palette.picture()
    return palette.paint((0.6, 0.6, 0.58), palette.between(0, 0.4)) if kind < 0.8 else palette.wood()


def _wardrobe(palette: Palette) -> Thing:
    """A row of tall doors, some of them mirrors, on a body; its back at z = 0, its foot at y = 0."""
    wide, high, deep = palette.between(0.45, 0.9), palette.between(1.8, 2.3), palette.between(0.35, 0.6)
    n = int(palette.rng.integers(1, 4))
    made: Thing = [
        box((wide * n, high, deep), palette.wood() if palette.chance(0.5) else palette.paint(), (0, 0, deep / 2))
    ]
    shared = _fill(palette)
    for k in range(n):
        stuff = shared if palette.chance(0.6) else _fill(palette)
        if stuff is not None:
            made += place([canvas(wide - 0.04, high - 0.12, stuff, 0.06, 0.004)], ((k - (n - 1) / 2) * wide, 0, deep))
    return made


def _wall_mirror(palette: Palette, length: float, height: float) -> Thing:
    """A mirror (or its like) over much of a wall, with or without a frame; its back at z = 0."""
    w, h = palette.between(0.3, 0.9) * length, palette.between(0.4, 0.85) * height
    stuff = _fill(palette) or palette.mirror()
    bar = palette.between(0.01, 0.09)
    made: Thing = [canvas(w, h, stuff, bar, 0.012)]
    if palette.chance(0.6):
        rim = palette.wood() if palette.chance(0.4) else palette.metal() if palette.chance(0.4) else palette.paint()
        made.append(frame(w, h, bar, 0.03, rim, bar))
    return made


def _partition(palette: Palette, width: float, height: float) -> Thing:
    """Panes between posts, from the floor up, in the plane z = 0; some posts stand without panes."""
    n = int(palette.rng.integers(1, 4))
    bar = palette.between(0.03, 0.08)
    rim = palette.metal() if palette.chance(0.6) else palette.paint()
    clear = palette.chance(0.75)
    made: Thing = []
    w = width / n
    for k in range(n):
        at = ((k - (n - 1) / 2) * w, 0, 0)
        made += place([frame(w - 2 * bar, height - 2 * bar, bar, 0.04, rim, bar)], at)
        if clear:
            tint = tuple(float(v) for v in np.clip(palette.near((0.9, 0.95, 0.95), 1.1, 0.05), 0.4, 0.98))
            made += place([box((w - 2 * bar, height - 2 * bar, 0.008), palette.glass(tint), (0, bar, 0))], at)
    return made


def _case(palette: Palette) -> Thing:
    """A case of glass with things in it on a plinth, or an aquarium; its middle at the origin."""
    w, d, h = palette.between(0.4, 1.2), palette.between(0.3, 0.6), palette.between(0.3, 0.9)
    foot = palette.between(0.5, 1.0)
    made: Thing = [box((w, foot, d), palette.wood() if palette.chance(0.5) else palette.paint())]
    made += place(clutter(palette, objects.DECOR, w * 0.7, d * 0.6, int(palette.rng.integers(1, 5))), (0, foot, 0))
    clear, t = palette.glass(), 0.006
    if palette.chance(0.8):
        for x in (-w / 2, w / 2):
            made.append(box((t, h, d), clear, (x, foot, 0)))
        for z in (-d / 2, d / 2):
            made.append(box((w, h, t), clear, (0, foot, z)))
        made.append(box((w, t, d), clear, (0, foot + h, 0)))
    return made


def _glass_table(palette: Palette) -> Thing:
    """A table with a top of glass (now and then of wood), things on it; its middle at the origin."""
    w, d, h = palette.between(0.6, 1.8), palette.between(0.5, 1.0), palette.between(0.35, 0.76)
    top = palette.glass() if palette.chance(0.8) else palette.wood()
    steel = palette.metal()
    made: Thing = [box((w, 0.012, d), top, (0, h, 0))]
    for x in (-w / 2 + 0.06, w / 2 - 0.06):
        for z in (-d / 2 + 0.06, d / 2 - 0.06):
            made.append(box((0.04, h, 0.04), steel, (x, 0, z)))
    return made + place(
        clutter(palette, objects.DECOR, w * 0.8, d * 0.7, int(palette.rng.integers(0, 6))), (0, h + 0.013, 0)
    )


def pane_room(palette: Palette) -> Stage:
    """A furnished room with mirrors and glass, large ones too, and with what only looks like them."""
    room = Room(palette, palette.between(2.5, 7), palette.between(2.5, 7), palette.between(2.4, 3.4))
    aims: list[np.ndarray] = []
    for _ in range(int(palette.rng.integers(0, 3))):
        room.window(int(palette.rng.integers(4)))
    room.door(int(palette.rng.integers(4)))
    for _ in range(int(palette.rng.integers(1, 4))):
        wall = int(palette.rng.integers(4))
        kind = int(palette.rng.integers(6))
        along = palette.between(-0.3, 0.3) * room.length(wall)
        aim = room.spot(wall, along, 0.1, 1.2)
        if kind == 0:
            done = room.hang(wall, _wall_mirror(palette, room.length(wall), room.height), palette.between(0, 0.5))
        elif kind == 1:
            done = room.against(wall, _wardrobe(palette), along) is not None
        elif kind == 2:
            size = palette.between(0.8, 0.5 * room.width), palette.between(1.0, room.height - 0.1)
            aim = np.array([along * 0.5, 1.0, palette.between(-0.3, 0.2) * room.depth])
            done = room.put(_partition(palette, *size), aim * [1, 0, 1], palette.between(-0.6, 0.6), force=True)
        elif kind == 3:
            done = room.against(wall, _case(palette), along) is not None
        elif kind == 4:
            aim = np.array([palette.between(-0.25, 0.25) * room.width, 0.5, palette.between(-0.25, 0.25) * room.depth])
            done = room.put(_glass_table(palette), aim * [1, 0, 1], palette.between(0, 3))
        else:
            done = room.hang(wall, decor.mirror(palette))
        if done:
            aims.append(aim)
    row(
        room, (furniture.drawers, furniture.sideboard, furniture.desk, furniture.stool), int(palette.rng.integers(0, 5))
    )
    adorn(room, 5)
    room.strew((furniture.chair, *objects.FLOOR), 3)
    room.light(lit=palette.chance(0.8))
    room.shell()
    stage = room.stage("pane_room")
    views: list[Camera] = []
    for aim in aims * 4:
        eye = palette.rng.uniform(-0.42, 0.42, 3) * [room.width, 0, room.depth] + [0, palette.between(0.7, 1.8), 0]
        if room.obstacles.clear(eye, 0.15) and np.linalg.norm(aim - eye) > 0.7 and len(views) < 4:
            views.append(camera(palette, eye, aim + palette.rng.normal(size=3) * [0.4, 0.2, 0.4]))
    return replace(stage, cameras=[*views, *stage.cameras[: 2 if views else 4]])


def stream(
    seed: int, tiles: Tiles, materials: Materials, long_side: int, draw: Draw = render, first: int = 0
) -> Iterator[Sample]:
    """Endless samples rich in mirrors and glass; the same seed gives the same ones. first: number to begin with."""
    table = scenes()
    for number in count(first):
        rng = np.random.default_rng([seed, number, 77])
        palette = Palette(rng, tiles)
        if palette.chance(0.5):
            name, stage = "pane_room", pane_room(palette)
        else:
            name = str(palette.one_of(*BASES))
            stage = recast(table[name][0](palette), palette)
        world = assemble(stage, materials)
        for view, eye in enumerate(stage.cameras):
            grain = (seed * 1_000_003 + (number + 1) * 64 + view) & 0x3FFFFFFF
            sample = photograph(world, eye, materials, name, picture_size(rng, long_side), grain, draw)
            if useful(sample):
                yield replace(sample, number=number)
