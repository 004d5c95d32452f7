"""What stands alone: churches, castles, ruins, arches, bridges, temples, stairs, walls, statues' plinths."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Floats, Part, Thing, bumpy, ellipsoid, grid, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts.buildings import column
from training.worlds.parts.facades import facade, gable_roof, style
from training.worlds.parts.many import boxes, copies, merge, quads, sheet


def arcade(span: float, rise: float, height: float, depth: float, count: int, material: Material) -> Thing:
    """`count` round arches in a row along x: both faces and the vaults between, its foot at y = 0."""
    k = 14
    pier = span * 0.16
    a = np.linspace(pi, 0, k)
    clear = span - 2 * pier
    one = np.stack([-np.cos(a + pi) * clear / 2, rise - clear / 2 + np.sin(a) * clear / 2], 1)
    one = np.concatenate([[[-span / 2, 0], [-clear / 2, 0]], one, [[clear / 2, 0], [span / 2, 0]]])
    one[:, 0] = np.sort(one[:, 0])
    path = np.concatenate([one + np.array([span * (i - (count - 1) / 2), 0]) for i in range(count)])
    x, y = path[:, 0], np.maximum(path[:, 1], 0)
    z = depth / 2
    top = np.full_like(x, height)
    front = grid(np.stack([sheet(x, top, z), sheet(x, y, z)]), material, smooth=False)
    back = grid(np.stack([sheet(x, y, -z), sheet(x, top, -z)]), material, smooth=False)
    vault = grid(np.stack([sheet(x, y, z), sheet(x, y, -z)]), material, smooth=False)
    wide = span * count
    lid = boxes([[0, height, 0]], [wide + 0.3, 0.25, depth + 0.4], material)
    ends = boxes([[-wide / 2, 0, 0], [wide / 2, 0, 0]], [0.3, height, depth], material)
    return [front, back, vault, lid, ends]


def bridge(palette: Palette, length: float, width: float = 7.0, deck: float = 5.0) -> Thing:
    """A bridge along x whose road lies at y = `deck`: stone arches, or beams on piers, or a truss."""
    kind = palette.rng.random()
    stone = palette.masonry()
    road = palette.asphalt()
    if kind < 0.55:
        count = max(1, round(length / palette.between(7, 14)))
        out = arcade(length / count, deck * palette.between(0.75, 0.9), deck, width, count, stone)
        sides = [[0, deck, s * (width / 2 - 0.15)] for s in (1, -1)]
        out.append(boxes(sides, [length, 1.0, 0.3], stone))
    else:
        grey = palette.metal() if palette.chance(0.4) else palette.paint((0.4, 0.4, 0.38), 0.05)
        out = [boxes([[0, deck - 1.1, 0]], [length, 1.1, width], grey)]
        n = max(2, round(length / 14))
        x = np.linspace(-length / 2, length / 2, n + 1)
        out.append(boxes(np.stack([x, 0 * x, 0 * x], 1), [1.2, deck - 1.1, width * 0.7], grey))
        if kind > 0.75:
            out += _truss(length, width, deck, grey)
        else:
            post = np.arange(-length / 2, length / 2, 1.6)
            for s in (1, -1):
                at = np.stack([post, 0 * post + deck, 0 * post + s * (width / 2 - 0.1)], 1)
                out += [
                    boxes(at, [0.06, 1.1, 0.06], grey),
                    boxes([[0, deck + h, s * (width / 2 - 0.1)] for h in (0.5, 1.05)], [length, 0.06, 0.06], grey),
                ]
    out.append(boxes([[0, deck - 0.05, 0]], [length, 0.08, width - 0.4], road))
    return merge(out)


def _truss(length: float, width: float, deck: float, steel: Material) -> Thing:
    from training.worlds.parts.many import rods

    n = max(4, round(length / 5))
    x = np.linspace(-length / 2, length / 2, n + 1)
    high = 5.5
    out: Thing = []
    for s in (1, -1):
        low = sheet(x, deck, s * width / 2)
        up = sheet(x, deck + high, s * width / 2)
        start = np.concatenate([low, low[:-1], up[1:-2], low[:1]])
        end = np.concatenate([up, up[1:], up[2:-1], low[-1:]])
        out.append(rods(start[1:-1], end[1:-1], 0.16, steel, sides=4))
        out.append(rods([up[0]], [up[-1]], 0.2, steel, sides=4))
    cross = sheet(x, deck + high, width / 2)
    return [*out, rods(cross, cross * [1, 1, -1], 0.12, steel, sides=4)]


def church(palette: Palette, *, near: bool = True) -> Thing:
    """A nave with a tower and spire before it, or with a dome."""
    b = palette.between
    s = style(palette, shop=False)
    s = replace(s, bay=b(3, 4.5), storey=b(7, 12), window=(b(0.9, 1.5), b(0.5, 0.7)), recess=0.35, balconies=False)
    wide, long = b(8, 14), b(16, 30)
    out: Thing = []
    for k, (w, d) in enumerate(((long, wide), (wide, long)) * 2):
        out += place(
            facade(palette, s, w, 1, near=near),
            at=(np.sin(k * pi / 2) * d / 2, 0, np.cos(k * pi / 2) * d / 2),
            yaw=k * pi / 2,
        )
    out += gable_roof(palette, s, long, wide, s.storey)
    t, high = b(4, 6.5), b(16, 34)
    x = -long / 2 - t / 2 + 0.4
    floors = max(2, int(high / s.storey))
    for k in range(4):
        out += place(
            facade(palette, replace(s, bay=t, storey=high / floors), t, floors, near=False),
            at=(x + np.sin(k * pi / 2) * t / 2, 0, np.cos(k * pi / 2) * t / 2),
            yaw=k * pi / 2,
        )
    kind = palette.rng.random()
    if kind < 0.6:
        tip = b(6, 18)
        spire = lathe(
            [(t * 0.74, 0), (t * 0.42, tip * 0.3), (0.02, tip)],
            s.roof,
            sides=int(palette.rng.choice([4, 8])),
            smooth=False,
        )
        out += place([spire], at=(x, high, 0), yaw=pi / 4)
    else:
        a = np.linspace(0, pi / 2, 7)
        dome = [(t * 0.55, 0), *zip(t * 0.55 * np.cos(a), 1 + t * 0.6 * np.sin(a), strict=True)]
        dome[-1] = (0.02, dome[-1][1])
        out += place([lathe(dome, s.roof, sides=16)], at=(x, high, 0))
    out.append(boxes([[x, high - 0.4, 0]], [t + 0.5, 0.4, t + 0.5], s.trim))
    gate = palette.wood()
    out.append(boxes([[x - t / 2, 0, 0]], [0.2, 3.2, 1.8], gate))
    return place(merge(out), yaw=-pi / 2)


def tower(palette: Palette, radius: float, height: float, stone: Material, *, spire: Material | None = None) -> Thing:
    """A round tower with battlements or a pointed roof."""
    top = height
    body = lathe(
        [
            (radius * 1.12, -1),
            (radius, height * 0.2),
            (radius * 0.96, top - 1.2),
            (radius * 1.12, top - 0.7),
            (radius * 1.12, top),
        ],
        stone,
        sides=20,
    )
    out: Thing = [body]
    n = 12
    a = np.arange(n) * 2 * pi / n
    if spire is None:
        at = np.stack([np.sin(a) * radius * 1.02, 0 * a + top, np.cos(a) * radius * 1.02], 1)
        out += copies([boxes([[0, 0, 0]], [radius * 0.33, 0.9, 0.4], stone)], at, a)
    else:
        out += place(
            [lathe([(radius * 1.3, 0), (0.02, radius * palette.between(1.8, 3.2))], spire, sides=18)], at=(0, top, 0)
        )
    slit = Material((0.01,) * 3, (0.01,) * 3)
    k = palette.rng.uniform(0, 2 * pi, 5)
    at = np.stack(
        [np.sin(k) * radius * 0.99, palette.rng.uniform(0.25, 0.75, 5) * height, np.cos(k) * radius * 0.99], 1
    )
    return out + copies([boxes([[0, 0, 0]], [0.3, 1.2, 0.2], slit)], at, k)


def _merlons(start: Floats, end: Floats, top: float, stone: Material) -> Thing:
    d = end - start
    n = max(2, int(np.linalg.norm(d) / 1.6))
    at = start + d * ((np.arange(n) + 0.5) / n)[:, None]
    at[:, 1] = top
    return copies([boxes([[0, 0, 0]], [0.85, 0.9, 0.5], stone)], at, np.full(n, np.arctan2(-d[2], d[0])))


def castle(palette: Palette) -> Thing:
    """Walls between towers around a keep; its gate looks along +z."""
    b = palette.between
    stone, roof = palette.masonry() if palette.chance(0.4) else palette.rock(), palette.roofing()
    size, high = b(14, 26), b(6, 11)
    corners = np.array([[-1, 0, 1], [1, 0, 1], [1, 0, -1], [-1, 0, -1]]) * size
    pointed = palette.chance(0.4)
    out: Thing = []
    for i in range(4):
        p, q = corners[i], corners[(i + 1) % 4]
        middle, d = (p + q) / 2, q - p
        yaw = float(np.arctan2(-d[2], d[0]))
        out += place([boxes([[0, 0, 0]], [2 * size, high, 1.6], stone)], at=middle, yaw=yaw)
        out += _merlons(p, q, high, stone)
        out += place(tower(palette, b(2.6, 4.0), high * b(1.2, 1.7), stone, spire=roof if pointed else None), at=p)
    out += place(arcade(6, 4.6, high * 1.15, 4.5, 1, stone), at=(0, 0, size))
    keep = replace(
        style(palette, shop=False), wall=stone, bay=b(4, 7), window=(b(0.6, 1.1), 0.3), storey=b(4, 5), recess=0.5
    )
    w, d, n = b(9, 15), b(9, 15), int(palette.rng.integers(3, 6))
    for k, (ww, dd) in enumerate(((w, d), (d, w)) * 2):
        out += place(
            facade(palette, keep, ww, n, near=False),
            at=(np.sin(k * pi / 2) * dd / 2, 0, np.cos(k * pi / 2) * dd / 2 - size * 0.3),
            yaw=k * pi / 2,
        )
    return merge(
        out + place(gable_roof(palette, replace(keep, roof=roof), w, d, n * keep.storey), at=(0, 0, -size * 0.3))
    )


def ruin(palette: Palette) -> Thing:
    """Broken walls with window holes, stumps of columns, fallen blocks."""
    r, b = palette.rng, palette.between
    stone = palette.rock() if palette.chance(0.6) else palette.masonry()
    out: Thing = []
    for k in range(int(r.integers(2, 5))):
        n, wide = int(r.integers(6, 16)), b(0.7, 1.1)
        x = (np.arange(n) - n / 2) * wide
        high = np.clip(
            b(2, 7) * (0.65 + 0.5 * np.sin(np.arange(n) * b(0.2, 0.8) + b(0, 6))) + r.normal(size=n) * 0.4, 0.4, 12
        )
        wall = boxes(
            np.stack([x, 0 * x - 0.2, r.normal(size=n) * 0.03], 1),
            np.stack([np.full(n, wide), high, np.full(n, 0.8)], 1),
            stone,
        )
        out += place([wall], at=(b(-7, 7), 0, b(-7, 7)), yaw=k * pi / 2 + r.normal() * 0.05)
    if palette.chance(0.6):
        out += place(
            arcade(b(3, 5), b(3, 4.5), b(5, 7), 0.9, int(r.integers(1, 4)), stone),
            at=(b(-4, 4), 0, b(-5, 5)),
            yaw=b(0, 3),
        )
    n = int(r.integers(2, 7))
    for i in range(n):
        out += place([column(palette, b(1.2, 6), 0.45, stone)], at=(i * 2.4 - n, 0, b(5, 8)))
    block = bumpy(boxes([[0, 0, 0]], [1, 0.6, 0.7], stone), r, 0.06, 0.5)
    m = int(r.integers(6, 20))
    at = np.stack([r.normal(size=m) * 7, np.full(m, -0.1), r.normal(size=m) * 7], 1)
    return merge(out + copies([block], at, r.uniform(0, 6, m), r.uniform(0.3, 1.4, m), r.normal(size=m) * 0.25))


def temple(palette: Palette) -> Thing:
    """Steps, two rows of columns, an entablature and a pediment."""
    b = palette.between
    stone = palette.rock() if palette.chance(0.3) else palette.paint((0.62, 0.57, 0.48), 0.03)
    n, pitch, high = int(palette.rng.choice([4, 6, 6, 8])), b(2.2, 3.2), b(5, 9)
    m = n + 3
    wide, long = (n - 1) * pitch, (m - 1) * pitch
    out: Thing = [
        boxes([[0, 0.35 * i, 0] for i in range(3)], [[wide + 4 - i, 0.35, long + 4 - i] for i in range(3)], stone)
    ]
    x, z = np.meshgrid(np.arange(n) * pitch - wide / 2, np.arange(m) * pitch - long / 2)
    rim = (np.abs(x) > wide / 2 - 0.1) | (np.abs(z) > long / 2 - 0.1)
    at = np.stack([x[rim], np.full(rim.sum(), 1.05), z[rim]], 1)
    out += copies([column(palette, high, b(0.4, 0.55), stone)], at)
    out.append(boxes([[0, 1.05, 0]], [wide * 0.6, high, long * 0.75], stone))
    out.append(boxes([[0, 1.05 + high, 0]], [wide + 1.4, 1.3, long + 1.4], stone))
    s = replace(style(palette, shop=False), wall=stone, trim=stone)
    roof = gable_roof(palette, s, long + 1.4, wide + 1.4, 2.35 + high)[:4]
    return merge(out + place(roof, yaw=pi / 2))


def stairs(
    palette: Palette, width: float, rise: float, steps: int | None = None, material: Material | None = None
) -> Thing:
    """A flight that climbs towards -z from its foot at the origin, with side walls now and then."""
    n = steps or max(3, round(rise / 0.16))
    h, run = rise / n, palette.between(0.28, 0.38)
    stone = material or palette.paving()
    i = np.arange(n)
    at = np.stack([0 * i, 0 * i, -(i + 0.5) * run], 1)
    out: Thing = [boxes(at, np.stack([np.full(n, width), (i + 1) * h, np.full(n, run)], 1), stone)]
    if palette.chance(0.5):
        sides = np.concatenate([(at + np.array([s * (width / 2 + 0.2), 0, 0])) for s in (1, -1)])
        out.append(
            boxes(sides, np.tile(np.stack([np.full(n, 0.4), (i + 1) * h + 0.5, np.full(n, run)], 1), (2, 1)), stone)
        )
    return out


def wall_ruled(palette: Palette, length: float, height: float, material: Material | None = None) -> Thing:
    """A free-standing wall along x with a coping."""
    stone = material or palette.masonry()
    return [
        boxes([[0, 0, 0]], [length, height, 0.35], stone),
        boxes([[0, height, 0]], [length + 0.06, 0.1, 0.45], palette.paint((0.4, 0.38, 0.35), 0.03)),
    ]


def plinth(palette: Palette, height: float | None = None) -> tuple[Thing, float]:
    """A monument's base and the height of its top."""
    h = height or palette.between(0.8, 4)
    w = palette.between(0.8, 1.8)
    stone = palette.rock() if palette.chance(0.5) else palette.paint((0.5, 0.48, 0.44), 0.06)
    at, size = (
        [[0, 0, 0], [0, 0.25, 0], [0, 0.45, 0], [0, h - 0.18, 0]],
        [[w * 1.7, 0.25, w * 1.7], [w * 1.35, 0.2, w * 1.35], [w, h - 0.6, w], [w * 1.2, 0.18, w * 1.2]],
    )
    plate = palette.printed()
    return [boxes(at, size, stone), boxes([[0, h * 0.45, w / 2]], [w * 0.6, h * 0.2, 0.02], plate)], h


def obelisk(palette: Palette) -> Thing:
    """An obelisk, a column with a ball, or a slab."""
    base, h = plinth(palette)
    stone = base[0].material
    tall = palette.between(4, 18)
    kind = palette.rng.random()
    if kind < 0.5:
        r = 0.06 * tall + 0.1
        shaft: Thing = place(
            [lathe([(r, 0), (r * 0.62, tall * 0.9), (0.01, tall)], stone, sides=4, smooth=False)],
            at=(0, h, 0),
            yaw=pi / 4,
        )
    else:
        shaft = place([column(palette, tall, 0.45 + 0.02 * tall, stone)], at=(0, h, 0))
        shaft.append(ellipsoid((0.7, 0.7, 0.7), palette.metal(), at=(0, h + tall + 0.6, 0)))
    return merge(base + shaft)


def fountain(palette: Palette) -> Thing:
    """A round basin with water and a bowl in its middle."""
    stone = palette.paint((0.5, 0.48, 0.44), 0.05)
    r = palette.between(1.5, 4)
    rim = lathe(
        [(r, 0), (r * 1.05, 0.1), (r, 0.5), (r * 1.06, 0.6), (r * 0.92, 0.6), (r * 0.9, 0.35), (0.01, 0.34)],
        stone,
        sides=24,
    )
    water = Material((0.05, 0.09, 0.09), (0.04, 0.07, 0.07), "clouds", 2, shine=0.5, gloss=0.9, bump=0.01)
    bowl = lathe(
        [(0.3, 0.3), (0.18, 0.6), (0.2, 1.3), (r * 0.45, 1.6), (r * 0.47, 1.72), (0.1, 1.62), (0.1, 2.1), (0.01, 2.3)],
        stone,
        sides=18,
    )
    pool = quads(
        [[[-1, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1]]] * np.array([r * 0.66, 1, r * 0.66]) + [0, 0.45, 0], water
    )
    return [rim, pool, bowl]


def rock(palette: Palette, material: Material | None = None, sides: int = 12) -> Part:
    """A boulder about one metre across, half sunk."""
    stone = material or palette.rock()
    r = palette.rng
    ball = ellipsoid(np.array([0.55, 0.42, 0.5]) * r.uniform(0.75, 1.3, 3), stone, sides=sides, at=(0, 0.18, 0))
    return replace(bumpy(bumpy(ball, r, 0.08, 0.35), r, 0.03, 0.13), smooth=palette.chance(0.4))
