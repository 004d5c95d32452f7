"""Tables, desks and beds."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, grid, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes
from training.worlds.parts.seats import pillow
from training.worlds.parts.shapes import canvas, coat, cushion, drape, legs, rod, round_legs, swell


def table_top(palette: Palette) -> Material:
    """What tabletops are made of: mostly wood, also lacquer, stone, glassy stone."""
    kind = palette.between(0, 1)
    if kind < 0.6:
        return palette.wood()
    if kind < 0.85:
        return coat(palette)
    grey = palette.hue(0.1, palette.between(0.05, 0.7))
    return Material(
        grey,
        palette.near(grey, 1.5),
        "marble" if palette.chance(0.5) else "speckle",
        palette.spread(6),
        shine=0.3,
        gloss=0.9,
        seed=palette.seed(),
    )


def table_sized(palette: Palette, width: float, depth: float, height: float) -> Thing:
    """A table with a rectangular top of this size, on legs, trestles, panels or one foot; some with a cloth."""
    thick, top = palette.between(0.018, 0.05), table_top(palette)
    stuff = top if palette.chance(0.5) else palette.one_of(palette.metal, palette.wood, palette.paint)()  # type: ignore[operator]
    made: Thing = [box((width, thick, depth), top, (0, height - thick, 0))]
    under, kind = height - thick, int(palette.rng.integers(6))
    inset = palette.between(0.0, 0.12)
    if kind <= 1:
        made.append(legs(width - inset, depth - inset, under, palette.between(0.035, 0.09), stuff))
        made.append(box((width - inset - 0.06, 0.08, depth - inset - 0.06), stuff, (0, under - 0.08, 0)))
    elif kind == 2:
        made += round_legs(palette, width - inset - 0.08, depth - inset - 0.08, under, stuff)
    elif kind == 3:
        for x in (-width * 0.36, width * 0.36):
            for sign in (-1, 1):
                made.append(rod((x, 0.02, sign * depth * 0.4), (x, under, sign * depth * 0.1), 0.022, stuff))
            made.append(box((0.05, 0.03, depth * 0.5), stuff, (x, under * 0.35, 0)))
    elif kind == 4:
        made.append(boxes([(-width * 0.45, 0, 0), (width * 0.45, 0, 0)], (0.04, under, depth * 0.95), stuff))
        made.append(box((width * 0.88, under * 0.4, 0.02), stuff, (0, under * 0.6, -depth * 0.3)))
    else:
        made.append(box((width * 0.6, 0.05, depth * 0.5), stuff))
        made.append(boxes([(-width * 0.22, 0, 0), (width * 0.22, 0, 0)], (0.09, under, 0.09), stuff))
    return made


def tablecloth(palette: Palette, width: float, depth: float, height: float) -> Thing:
    """A cloth over a rectangular table: the top and four falling sides."""
    cloth, drop = palette.fabric(), palette.between(0.12, 0.35)
    made: Thing = [box((width + 0.01, 0.004, depth + 0.01), cloth, (0, height, 0))]
    for yaw, wide, out in ((0, width, depth), (pi, width, depth), (pi / 2, depth, width), (-pi / 2, depth, width)):
        side = [drape(palette, wide, drop, cloth, fold=0.3, deep=0.02)]
        made += place(
            side, (np.sin(yaw) * (out / 2 + 0.02), height - drop + 0.002, np.cos(yaw) * (out / 2 + 0.02)), yaw
        )
    return made


def dining_table(palette: Palette) -> Thing:
    """A table to eat at, rectangular or round."""
    height = palette.between(0.7, 0.78)
    if palette.chance(0.3):
        return round_table(palette)
    width, depth = palette.between(0.7, 2.4), palette.between(0.7, 1.0)
    made = table_sized(palette, max(width, depth), depth, height)
    return [*made, *tablecloth(palette, max(width, depth), depth, height)] if palette.chance(0.15) else made


def round_table(palette: Palette) -> Thing:
    """A round table on one foot or on legs."""
    height, radius = palette.between(0.68, 0.78), palette.between(0.3, 0.8)
    top = table_top(palette)
    made: Thing = [
        lathe(
            [(radius, height - 0.03), (radius + 0.005, height - 0.015), (radius, height)], top, sides=36, smooth=False
        )
    ]
    if palette.chance(0.5):
        foot = palette.between(0.5, 0.75) * radius
        return [
            *made,
            lathe(
                [(foot, 0), (foot, 0.015), (0.06, 0.06), (0.04, height * 0.5), (0.06, height - 0.03)],
                palette.metal() if palette.chance(0.6) else top,
            ),
        ]
    return made + round_legs(palette, radius * 1.2, radius * 1.2, height - 0.03, top)


def coffee_table(palette: Palette) -> Thing:
    """A low table before a sofa."""
    if palette.chance(0.3):
        return place(round_table(palette), scale=(0.9, 0.6, 0.9))
    return table_sized(palette, palette.between(0.7, 1.4), palette.between(0.45, 0.8), palette.between(0.32, 0.5))


def side_table(palette: Palette) -> Thing:
    """A small table beside a sofa or a bed, some with a drawer."""
    width, height = palette.between(0.35, 0.55), palette.between(0.4, 0.65)
    made = table_sized(palette, width, width * palette.between(0.8, 1), height)
    if palette.chance(0.5):
        made.append(box((width * 0.9, height * 0.35, width * 0.75), made[0].material, (0, height * 0.58, 0)))
    return made


def desk(palette: Palette) -> Thing:
    """A desk, some with a block of drawers."""
    width, depth, height = palette.between(1.0, 1.9), palette.between(0.55, 0.85), palette.between(0.7, 0.76)
    made = table_sized(palette, width, depth, height)
    if palette.chance(0.5):
        x = float(palette.rng.choice([-1, 1])) * (width / 2 - 0.25)
        stuff = made[0].material
        made.append(box((0.4, height - 0.12, depth * 0.85), stuff, (x, 0.05, 0)))
        y = np.array([0.08, 0.28, 0.48])
        made.append(boxes(np.stack([x + 0 * y, y, depth * 0.43 + 0 * y], 1), (0.38, 0.18, 0.02), stuff))
        made.append(
            boxes(np.stack([x + 0 * y, y + 0.08, depth * 0.44 + 0 * y], 1), (0.12, 0.012, 0.03), palette.metal())
        )
    return made


def _blanket(palette: Palette, width: float, length: float, top: float) -> Thing:
    """A duvet that covers the foot end and hangs over both sides, with folds."""
    over, reach = palette.between(0.05, 0.4), palette.between(0.6, 0.95) * length
    half = width / 2 + 0.03
    across = np.concatenate([np.full(4, -half), np.linspace(-half, half, 18), np.full(4, half)])
    fall = np.concatenate([np.linspace(over, over / 4, 4), np.zeros(18), np.linspace(over / 4, over, 4)])
    foot = palette.between(0.0, over)
    along = np.concatenate([np.linspace(length / 2 - reach, length / 2, 20), np.full(3, length / 2 + 0.05)])[:, None]
    down = np.maximum(fall[None], np.concatenate([np.zeros(20), np.linspace(foot / 3, foot, 3)])[:, None])
    rough, size = palette.between(0.005, 0.04), palette.between(0.15, 0.6)
    y = top + 0.05 - down + np.abs(swell(palette.rng, across[None], along, size, rough))
    x = across[None] + np.sign(across)[None] * (fall[None] > 0) * (
        0.02 + swell(palette.rng, along, fall[None], 0.3, 0.02)
    )
    skew = palette.rng.normal() * 0.06 * across[None] / half
    cloth = palette.fabric()
    made: Thing = [grid(np.stack(np.broadcast_arrays(x, np.maximum(y, 0.02), along + skew), -1), cloth)]
    if palette.chance(0.4):
        fold = cushion(
            (width + 0.06, 0.09, 0.3),
            cloth if palette.chance(0.5) else palette.fabric(),
            (0, top + 0.01, length / 2 - reach),
            0.3,
        )
        made.append(fold)
    return made


def bed(palette: Palette) -> Thing:
    """A bed with mattress, pillows and a blanket; its head against the wall at -z, its foot along +z."""
    width = float(palette.rng.choice([0.9, 1.0, 1.2, 1.4, 1.6, 1.8])) + palette.between(-0.03, 0.03)
    length, top = palette.between(1.9, 2.1), palette.between(0.4, 0.65)
    stuff, sheet = palette.wood() if palette.chance(0.6) else palette.fabric(), palette.fabric((0.75, 0.74, 0.72))
    thick = palette.between(0.16, 0.28)
    made: Thing = [
        box((width + 0.06, top - thick - 0.06, length + 0.05), stuff, (0, 0.06, 0)),
        legs(width, length, 0.06, 0.08, stuff),
    ]
    made.append(cushion((width, thick, length), sheet, (0, top - thick, 0), 0.12, sides=20))
    if palette.chance(0.8):
        made.append(box((width + 0.1, palette.between(0.7, 1.3), 0.06), stuff, (0, 0, -length / 2 - 0.06)))
    count = 2 if width > 1.3 else 1
    cover = sheet if palette.chance(0.5) else palette.fabric()
    for i in range(count):
        for j in range(int(palette.rng.integers(1, 3))):
            x = (i - (count - 1) / 2) * width * 0.48 + palette.rng.normal() * 0.03
            one = [cushion((0.68, 0.42, 0.16), cover, soft=0.55)]
            made += place(
                one,
                (x, top + 0.07 + 0.02 * j, -length / 2 + 0.22 + 0.12 * j),
                palette.rng.normal() * 0.08,
                -palette.between(0.5, 1.45) if j == 0 else -1.1,
            )
    if palette.chance(0.85):
        made += _blanket(palette, width, length, top)
    if palette.chance(0.4):
        made += place(
            pillow(palette),
            (palette.rng.normal() * 0.2, top + 0.04, -length / 2 + 0.55),
            pitch=-palette.between(0.4, 1.2),
        )
    return made


def easel_picture(palette: Palette) -> Thing:
    """A picture that leans on a wall or stands on a stand."""
    width, height = palette.between(0.3, 0.9), palette.between(0.4, 0.9)
    made = [
        box((width, height, 0.02), palette.wood()),
        canvas(width * 0.9, height * 0.9, palette.picture(), height * 0.05, 0.0115),
    ]
    return place(made, pitch=-0.2)
