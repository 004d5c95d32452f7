"""Cupboards, drawers, shelves and what stands on them: books, packs, tins and bottles in rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, bounds, box, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes, copies, merge
from training.worlds.parts.shapes import Maker, clutter, coat, legs, settle


def _body(palette: Palette) -> Material:
    """Furniture board: wood, white, coloured lacquer."""
    kind = palette.between(0, 1)
    if kind < 0.5:
        return palette.wood()
    return palette.paint((0.75, 0.74, 0.72)) if kind < 0.7 else coat(palette)


def fronts(palette: Palette, width: float, height: float, columns: int, rows: int, material: Material) -> Thing:
    """Doors or drawer fronts in a grid over an upright face at z = 0, with gaps, frames and handles."""
    w, h = width / columns, height / rows
    x = (np.arange(columns) - (columns - 1) / 2) * w
    y = np.arange(rows) * h
    gx, gy = (v.ravel() for v in np.meshgrid(x, y))
    o = np.zeros_like(gx)
    made: Thing = [boxes(np.stack([gx, gy + 0.002, o + 0.009], 1), (w - 0.005, h - 0.005, 0.018), material)]
    if palette.chance(0.3) and min(w, h) > 0.15:
        inner = replace(material, colour=palette.near(material.colour, 1.1))
        made.append(boxes(np.stack([gx, gy + 0.05, o + 0.0125], 1), (w - 0.1, h - 0.1, 0.013), inner))
    kind, steel = int(palette.rng.integers(4)), palette.metal()
    tall = h > w
    side = np.where(np.arange(len(gx)) % 2 == 0, 1, -1) * (w / 2 - 0.05) if tall else o
    level = gy + (h * palette.between(0.4, 0.6) if tall else h * 0.5)
    if kind == 0:
        made += copies([lathe([(0.006, 0), (0.006, 0.012), (0.014, 0.018), (0.012, 0.026)], steel, sides=8)],
                       np.stack([gx + side, level, o + 0.018], 1), tilt=np.pi / 2)  # fmt: skip
    elif kind < 3:
        long = min(0.16 if kind == 1 else 0.35, 0.8 * max(w, h))
        size = (0.012, long, 0.03) if tall else (long, 0.012, 0.03)
        made.append(boxes(np.stack([gx + side, level - size[1] / 2, o + 0.033], 1), size, steel))
    return made


def _chest(palette: Palette, size: tuple[float, float, float], columns: int, rows: int) -> Thing:
    width, height, depth = size
    stuff, foot = _body(palette), float(palette.one_of(0.0, 0.05, 0.12))
    made: Thing = [box((width, height - foot, depth - 0.02), stuff, (0, foot, -0.01))]
    if foot > 0:
        made.append(legs(width - 0.04, depth - 0.06, foot, 0.04, stuff))
    face = stuff if palette.chance(0.7) else _body(palette)
    made += place(fronts(palette, width, height - foot - 0.02, columns, rows, face), (0, foot, depth / 2 - 0.02))
    if palette.chance(0.5):
        made.append(box((width + 0.02, 0.02, depth + 0.01), stuff, (0, height, 0)))
    return made


def drawers(palette: Palette) -> Thing:
    """A chest of drawers."""
    columns = int(palette.rng.integers(1, 4))
    size = (columns * palette.between(0.38, 0.6), palette.between(0.5, 1.25), palette.between(0.38, 0.52))
    return _chest(palette, size, columns, int(palette.rng.integers(2, 6)))


def sideboard(palette: Palette) -> Thing:
    """A low, long cupboard; televisions stand on it."""
    columns = int(palette.rng.integers(2, 5))
    return _chest(
        palette,
        (columns * palette.between(0.4, 0.55), palette.between(0.35, 0.9), palette.between(0.35, 0.5)),
        columns,
        int(palette.one_of(1, 1, 2)),
    )


def wardrobe(palette: Palette) -> Thing:
    """A wardrobe."""
    columns = int(palette.rng.integers(1, 5))
    return _chest(
        palette,
        (columns * palette.between(0.42, 0.6), palette.between(1.8, 2.35), palette.between(0.5, 0.65)),
        columns,
        1,
    )


def pack(palette: Palette, size: tuple[float, float, float] | None = None) -> Thing:
    """A printed box: a pack of cereals, tea, screws, a game; its front carries a picture."""
    if size is None:
        size = (palette.between(0.04, 0.25), palette.between(0.05, 0.32), palette.between(0.03, 0.15))
    w, h, d = size
    ground = palette.hue(palette.between(0.1, 0.9), palette.between(0.1, 0.8))
    made: Thing = [
        box(
            size,
            Material(ground, palette.hue(0.5), "print", palette.spread(50), shine=0.1, gloss=0.6, seed=palette.seed()),
        )
    ]
    face = palette.picture() if palette.chance(0.6) else palette.paint()
    a, b = sorted(palette.rng.uniform(0.04, 0.96, 2))
    high = max(0.2, b - a)
    low = min(a, 0.97 - high)
    label = box((w * palette.between(0.6, 0.98), h * high, 0.001), face, (0, h * low, d / 2))
    span = np.ptp(label.vertices, 0)[:2]
    made.append(replace(label, uv=(label.vertices - label.vertices.min(0))[:, :2] / span * [1, -1] + [0, 1]))
    return made


def tin(palette: Palette, sides: int = 18) -> Thing:
    """A food tin or a drink can."""
    r, h = (0.033, 0.122) if palette.chance(0.4) else (palette.between(0.03, 0.06), palette.between(0.04, 0.15))
    steel, label = palette.metal((0.6, 0.6, 0.62)), palette.printed() if palette.chance(0.7) else palette.paint()
    body = [(r * 0.9, 0), (r, 0.004), (r, h * 0.96), (r * 0.93, h), (r * 0.9, h - 0.003)]
    return [
        lathe(body, steel, sides=sides),
        lathe([(r + 0.0004, h * 0.08), (r + 0.0004, h * 0.92)], label, smooth=False, sides=sides),
    ]


def bottle(palette: Palette, glassy: float = 0.4, sides: int = 18) -> Thing:
    """A bottle with cap and label: wine, beer, sauce, shampoo, water."""
    r, h = palette.between(0.025, 0.05), palette.between(0.12, 0.34)
    neck, up = r * palette.between(0.25, 0.5), palette.between(0.5, 0.75)
    if palette.chance(glassy):
        body = palette.glass(tuple(np.clip(palette.near((0.75, 0.85, 0.8), 1.3, 0.25), 0.15, 0.97)))
    else:
        body = palette.paint(shine=palette.between(0.2, 0.5))
    soft = palette.between(0.02, 0.1)
    profile = [
        (r * 0.92, 0),
        (r, 0.006),
        (r, h * up),
        (r * 0.86, h * (up + soft)),
        (neck * 1.15, h * (up + soft + 0.09)),
        (neck, h * 0.92),
        (neck, h),
    ]
    made: Thing = [
        lathe(profile, body, sides=sides),
        lathe([(neck * 1.2, h * 0.95), (neck * 1.2, h * 1.03)], palette.paint(), smooth=False, sides=sides),
    ]
    if palette.chance(0.75):
        made.append(
            lathe(
                [(r + 0.0005, h * up * 0.2), (r + 0.0005, h * up * palette.between(0.6, 0.9))],
                palette.printed(),
                smooth=False,
                sides=sides,
            )
        )
    return made


def jar(palette: Palette, sides: int = 18) -> Thing:
    """A jar with a lid: jam, spice, cosmetics."""
    r, h = palette.between(0.025, 0.055), palette.between(0.05, 0.16)
    body = palette.glass() if palette.chance(0.4) else palette.food()
    made: Thing = [lathe([(r * 0.9, 0), (r, 0.006), (r, h * 0.78), (r * 0.85, h * 0.86)], body, sides=sides)]
    if body.kind == "glass":
        made.append(lathe([(r * 0.85, 0.004), (r * 0.92, h * palette.between(0.3, 0.75))], palette.food(), sides=sides))
    made.append(
        lathe(
            [(r * 0.88, h * 0.85), (r * 0.9, h)],
            palette.metal() if palette.chance(0.5) else palette.paint(),
            smooth=False,
            sides=sides,
        )
    )
    if palette.chance(0.6):
        made.append(lathe([(r + 0.0005, h * 0.2), (r + 0.0005, h * 0.6)], palette.printed(), smooth=False, sides=sides))
    return made


def pouch(palette: Palette) -> Thing:
    """A bag of crisps, coffee, flour."""
    from training.worlds.mesh import bumpy
    from training.worlds.parts.shapes import cushion

    size = (palette.between(0.08, 0.2), palette.between(0.12, 0.3), palette.between(0.04, 0.09))
    cover = palette.picture() if palette.chance(0.3) else palette.printed()
    body = cushion(size, cover, soft=0.4)
    if cover.pattern == "picture":
        span = np.ptp(body.vertices, 0)[:2]
        body = replace(body, uv=(body.vertices - body.vertices.min(0))[:, :2] / span * [1, -1] + [0, 1])
    return settle([bumpy(body, palette.rng, 0.004, 0.06)])


_SEEN = [0, 1, 4, 5, 6, 7, 8, 9]
"""The triangles of a block that show on a shelf: all but those of its back and underside."""

GOODS: tuple[Maker, ...] = (pack, pack, pack, tin, bottle, jar, pouch)


SHELVED: tuple[Maker, ...] = (
    *(pack, pack, pack, pack, pouch),
    *(partial(tin, sides=9), partial(bottle, sides=9), partial(jar, sides=9)),
)


def goods(palette: Palette, width: float, depth: float, height: float, full: float = 0.9) -> Thing:
    """A shelf of a shop: runs of the same product, side by side, behind and on top; front at +depth / 2."""
    made: Thing = []
    x = -width / 2 + 0.01
    while x < width / 2 - 0.03:
        product = SHELVED[int(palette.rng.integers(len(SHELVED)))](palette)
        low, high = bounds(product)
        w, h, d = (float(v) for v in high - low)
        factor = min(1.0, 0.92 * height / h, 0.95 * depth / d)
        w, h, d = w * factor, h * factor, d * factor
        most = int((width / 2 - x) / (w + 0.004))
        if most < 1:
            break
        run = min(most, int(palette.rng.integers(1, 7)))
        layers = max(1, min(int(height * 0.95 / h), int(palette.rng.integers(1, 4))))
        deep = max(1, min(int(depth / d), 2 if sum(len(p.faces) for p in product) < 60 else 1))
        i, j, k = (v.ravel() for v in np.meshgrid(np.arange(run), np.arange(layers), np.arange(deep)))
        keep = (palette.rng.random(len(i)) < full) | (j + k < layers + deep - 2)
        i, j, k = i[keep], j[keep], k[keep]
        back = palette.between(0, 0.25) * max(0.0, depth - deep * d)
        at = np.stack([x + w * 0.5 + i * (w + 0.004), j * h * 1.005, depth / 2 - d * (k + 0.5) - back], 1)
        yaw = palette.rng.normal(size=len(at)) * 0.04
        middle = (low + high) / 2 * np.array([1, 0, 1])
        product = place(product, -middle)
        if len(at):
            made += copies(product, at, yaw, np.full(len(at), factor))
        x += run * (w + 0.004) + abs(palette.rng.normal()) * 0.015 + (0.12 if palette.chance(1 - full) else 0)
    return made


def book_covers(palette: Palette, count: int) -> list[Material]:
    """Bindings: cloth, paper, some printed."""
    made = []
    for _ in range(count):
        colour = palette.hue(palette.between(0.1, 0.9), palette.between(0.03, 0.7))
        kind = "plain" if palette.chance(0.5) else "print"
        made.append(
            Material(
                colour,
                palette.hue(0.4),
                kind,
                palette.spread(70),
                shine=palette.between(0, 0.3),
                gloss=0.6,
                seed=palette.seed(),
            )
        )
    return made


def books(palette: Palette, width: float, depth: float, height: float, covers: list[Material], rows: int = 1) -> Thing:
    """Rows of upright books, `height` apart, their spines towards +z; a few lean or lie; merged by binding."""
    sizes, at, which = [], [], []
    for row in range(rows):
        x, y = -width / 2, row * height
        tall = height * palette.between(0.6, 0.85)
        end = width / 2 * (1 if palette.chance(0.6) else palette.between(-0.3, 1))
        while x < end - 0.05:
            thick = float(np.clip(palette.spread(0.025, 1.6), 0.008, 0.07))
            h = min(height * 0.93, tall * palette.spread(1, 1.12))
            d = min(depth * 0.95, h * palette.between(0.62, 0.78))
            sizes.append((thick - 0.001, h, d))
            at.append((x + thick / 2, y, depth / 2 - d / 2 - palette.between(0, 0.03)))
            which.append(int(palette.rng.integers(len(covers))))
            x += thick + (palette.between(0.03, 0.2) if palette.chance(0.02) else 0)
        if width / 2 - end > 0.25:
            for layer in range(int(palette.rng.integers(0, 6))):
                sizes.append((0.2 + palette.between(-0.03, 0.03), 0.03, min(depth * 0.9, 0.15)))
                at.append((width / 2 - 0.13 + palette.rng.normal() * 0.01, y + 0.03 * layer, 0.0))
                which.append(int(palette.rng.integers(len(covers))))
    size, foot, cover = np.array(sizes).reshape(-1, 3), np.array(at).reshape(-1, 3), np.array(which)
    bound = [boxes(foot[cover == i], size[cover == i], covers[i]) for i in range(len(covers)) if (cover == i).any()]
    return [replace(p, faces=p.faces.reshape(-1, 12, 3)[:, _SEEN].reshape(-1, 3)) for p in bound]


def carcass(width: float, height: float, depth: float, rows: int, material: Material, back: bool = True) -> Thing:
    """Sides, boards and a back: an open shelf with `rows` compartments."""
    thick = 0.022
    y = np.linspace(0.0, height - thick, rows + 1)
    boards = boxes(np.stack([0 * y, y, 0 * y], 1), (width - 2 * thick, thick, depth), material)
    x = width / 2 - thick / 2
    made: Thing = [boards, boxes([(-x, 0, 0), (x, 0, 0)], (thick, height, depth), material)]
    if back:
        made.append(
            box(
                (width - 0.01, height - 0.01, 0.008),
                replace(material, colour=tuple(0.85 * c for c in material.colour)),
                (0, 0.005, -depth / 2 + 0.004),
            )
        )
    return made


def bookshelf_sized(
    palette: Palette, width: float, height: float, depth: float, small: tuple[Maker, ...] = GOODS
) -> Thing:
    """An open shelf of this size, filled with books and things; some compartments stay empty."""
    rows = max(1, round(height / palette.between(0.28, 0.4)))
    made = carcass(width, height, depth, rows, _body(palette), palette.chance(0.8))
    covers = book_covers(palette, int(palette.rng.integers(5, 11)))
    step = (height - 0.022) / rows
    bookish = palette.between(0.3, 1.0)
    for row in range(rows):
        y = row * step + 0.022
        kind = palette.between(0, 1)
        if kind < bookish:
            made += place(books(palette, width - 0.05, depth, step - 0.03, covers), (0, y, 0))
        elif kind < bookish + (1 - bookish) * 0.8:
            fit = clutter(palette, small, width - 0.08, depth, int(palette.rng.integers(2, 7)), 0.6)
            if fit:
                high = float(bounds(fit)[1][1])
                made += place(fit, (0, y, 0), scale=(1, min(1, 0.9 * (step - 0.03) / high), 1))
    return merge(made)


def bookshelf(palette: Palette) -> Thing:
    """A bookcase."""
    return bookshelf_sized(palette, palette.between(0.5, 1.6), palette.between(0.7, 2.3), palette.between(0.24, 0.38))


def wall_shelf(palette: Palette) -> Thing:
    """A board on the wall with a few things on it; its back at z = 0."""
    width, depth = palette.between(0.5, 1.4), palette.between(0.15, 0.25)
    made: Thing = [box((width, 0.025, depth), _body(palette), (0, 0, depth / 2))]
    top = (
        books(palette, width * 0.8, depth, 0.28, book_covers(palette, 5))
        if palette.chance(0.5)
        else goods(palette, width * 0.9, depth, 0.3, 0.5)
    )
    return made + place(top, (0, 0.025, depth / 2))


def shop_rack(palette: Palette) -> Thing:
    """A gondola of a supermarket: goods on steel boards, facing +z."""
    width, depth, height = palette.between(0.9, 1.3), palette.between(0.35, 0.5), palette.between(1.3, 2.1)
    rows = int(palette.rng.integers(3, 6))
    made = carcass(width, height, depth, rows, palette.paint((0.7, 0.7, 0.7) if palette.chance(0.6) else None))
    step = (height - 0.022) / rows
    for row in range(rows):
        made += place(goods(palette, width - 0.06, depth, step - 0.03), (0, row * step + 0.022, 0))
    strips = np.arange(rows) * step
    made.append(
        boxes(
            np.stack([0 * strips, strips - 0.006, 0 * strips + depth / 2], 1), (width, 0.035, 0.006), palette.printed()
        )
    )
    return merge(made)
