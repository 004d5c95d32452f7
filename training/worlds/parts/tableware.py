"""What one eats and cooks with: cups, glasses, plates, bowls, cutlery, pans, pots, jugs, boards."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, lathe, loft, place, prism, tube
from training.worlds.palette import Palette
from training.worlds.parts.shapes import bent, cushion, disc, vessel


def drink(palette: Palette) -> Material:
    """Coffee, tea, wine, juice, milk, water."""
    colour = palette.near(
        palette.one_of(
            (0.03, 0.015, 0.008),
            (0.25, 0.1, 0.03),
            (0.15, 0.01, 0.02),
            (0.6, 0.3, 0.03),
            (0.75, 0.72, 0.65),
            (0.45, 0.28, 0.15),
        )
    )  # type: ignore[arg-type]
    return Material(colour, palette.near(colour, 1.2), "clouds", 60, shine=0.4, gloss=0.95, seed=palette.seed())


def handle(reach: float, high: float, thick: float, material: Material) -> Thing:
    """A cup's ear that leaves the axis along +x at y = 0 and comes back at y = high."""
    path = bent(
        [(0, 0, 0), (reach * 0.8, 0.05 * high, 0), (reach, 0.6 * high, 0), (reach * 0.7, high, 0), (0, high, 0)], 10
    )
    return [tube(path, thick, material, sides=7)]


def cup(palette: Palette) -> Thing:
    """A cup or mug, some filled, some with a saucer."""
    r, h, stuff = palette.between(0.03, 0.05), palette.between(0.05, 0.115), palette.ceramic()
    foot, belly = palette.between(0.5, 1.0) * r, palette.between(0.8, 1.02) * r
    made: Thing = [vessel([(foot, 0), (belly, h * 0.35), (r, h * 0.75), (r, h)], 0.004, stuff)]
    made += place(
        handle(palette.between(0.02, 0.03), h * 0.55, palette.between(0.003, 0.006), stuff), (r * 0.96, h * 0.22, 0)
    )
    if palette.chance(0.65):
        made.append(disc(r - 0.0045, drink(palette), h * palette.between(0.7, 0.92)))
    if h < 0.08 and palette.chance(0.6):
        saucer = plate_sized(palette, palette.between(0.065, 0.08), stuff)
        return saucer + place(made, (0, 0.006, 0))
    return made


def tumbler(palette: Palette) -> Thing:
    """A drinking glass or paper cup, some filled."""
    r, h = palette.between(0.028, 0.045), palette.between(0.07, 0.16)
    stuff = palette.glass() if palette.chance(0.7) else palette.paint()
    made: Thing = [vessel([(r * palette.between(0.7, 1.0), 0), (r, h)], 0.0025, stuff, bottom=0.008)]
    if palette.chance(0.6):
        level = h * palette.between(0.3, 0.9)
        made.append(
            lathe([(r * 0.7, 0.01), (r * 0.93, level)], drink(palette) if palette.chance(0.7) else palette.glass())
        )
    return made


def wine_glass(palette: Palette) -> Thing:
    """A glass on a stem."""
    r, h, stem = palette.between(0.03, 0.048), palette.between(0.15, 0.24), palette.between(0.35, 0.5)
    y = h * stem
    open_ = palette.between(0.7, 1.05)
    out = [
        (r * 0.95, 0),
        (r * 0.9, 0.003),
        (0.005, 0.01),
        (0.004, y),
        (r * 0.7, y + (h - y) * 0.15),
        (r, y + (h - y) * 0.45),
        (r * open_, h),
    ]
    inside = [
        (r * open_ - 0.002, h),
        (r - 0.002, y + (h - y) * 0.45),
        (r * 0.65, y + (h - y) * 0.18),
        (0.001, y + 0.006),
    ]
    made: Thing = [lathe(out + inside, palette.glass())]
    if palette.chance(0.5):
        made.append(
            lathe([(0.004, y + 0.008), (r * 0.63, y + (h - y) * 0.19), (r * 0.96, y + (h - y) * 0.45)], drink(palette))
        )
    return made


def plate_sized(palette: Palette, r: float, stuff: Material) -> Thing:
    """A plate of radius r."""
    deep = palette.between(0.06, 0.2) * r
    flat = palette.between(0.6, 0.8) * r
    profile = [
        (flat * 0.8, 0),
        (flat, 0.003),
        (r, deep),
        (r - 0.002, deep + 0.003),
        (flat, 0.007),
        (flat * 0.9, 0.005),
        (0.001, 0.005),
    ]
    return [lathe(profile, stuff, sides=28)]


def plate(palette: Palette) -> Thing:
    """A plate; some in a small stack."""
    r, stuff = palette.between(0.08, 0.16), palette.ceramic()
    one = plate_sized(palette, r, stuff)
    if palette.chance(0.2):
        return [part for i in range(int(palette.rng.integers(2, 7))) for part in place(one, (0, 0.007 * i, 0))]
    return one


def bowl_sized(palette: Palette, r: float, h: float, stuff: Material) -> Thing:
    """A bowl of radius r and height h."""
    belly = palette.between(0.75, 0.95)
    return [vessel([(r * 0.45, 0), (r * 0.47, 0.006), (r * belly, h * 0.5), (r, h)], 0.004, stuff, sides=24)]


def bowl(palette: Palette) -> Thing:
    """A bowl, mostly empty."""
    r = palette.between(0.055, 0.15)
    stuff = palette.one_of(palette.ceramic, palette.ceramic, palette.wood, palette.metal, palette.glass)()  # type: ignore[operator]
    made = bowl_sized(palette, r, r * palette.between(0.4, 0.9), stuff)
    if palette.chance(0.3):
        made.append(disc(r * 0.86, drink(palette), r * 0.3))
    return made


def knife(palette: Palette) -> Thing:
    """A knife, flat on the table, its point towards -z."""
    long = palette.between(0.19, 0.33)
    grip = palette.one_of(palette.wood(), palette.paint((0.02, 0.02, 0.02)), palette.metal())
    blade = prism(
        [(-0.008, 0), (0.01, 0), (0.012, long * 0.35), (0.002, long * 0.58), (-0.006, long * 0.6)],
        0.0015,
        palette.metal((0.65, 0.65, 0.67)),
    )
    made = place([blade], (0, 0.004, 0), pitch=-pi / 2)
    return [*made, box((0.018, 0.01, long * 0.4), grip, (0, 0, long * 0.2))]  # type: ignore[arg-type]


def fork(palette: Palette) -> Thing:
    """A fork or a spoon, its head towards -z."""
    long, steel = palette.between(0.14, 0.21), palette.metal((0.62, 0.62, 0.64) if palette.chance(0.8) else None)
    shaft = tube(
        bent([(0, 0.003, long * 0.55), (0, 0.008, long * 0.2), (0, 0.004, -long * 0.15)], 8),
        [0.005] * 3 + [0.0035] * 5,
        steel,
        sides=6,
        flat=0.5,
    )
    if palette.chance(0.5):
        head = cushion((0.036, 0.009, 0.06), steel, (0, 0.0, -long * 0.15 - 0.028), 1.0, 12)
        return [shaft, head]
    made: Thing = [shaft, box((0.024, 0.003, 0.02), steel, (0, 0.001, -long * 0.15 - 0.008))]
    for x in (-0.01, -0.0033, 0.0033, 0.01):
        made.append(box((0.0035, 0.003, 0.045), steel, (x, 0.002, -long * 0.15 - 0.038)))
    return made


def pan(palette: Palette) -> Thing:
    """A frying pan or saucepan with a handle along +x."""
    r, h = palette.between(0.08, 0.15), palette.between(0.04, 0.13)
    stuff = palette.metal() if palette.chance(0.5) else palette.paint((0.03, 0.03, 0.03))
    made: Thing = [vessel([(r * palette.between(0.75, 1), 0), (r, h)], 0.004, stuff, sides=26)]
    made.append(
        tube(
            [(r, h * 0.8, 0), (r + 0.08, h * 0.95, 0), (r + 0.19, h, 0)],
            [0.007, 0.009, 0.011],
            palette.paint((0.02, 0.02, 0.02)),
            flat=0.6,
        )
    )
    if palette.chance(0.35):
        made.append(disc(r - 0.006, palette.food(), h * 0.4))
    return made


def pot(palette: Palette) -> Thing:
    """A cooking pot with two ears, some with lid."""
    r, stuff = palette.between(0.08, 0.15), palette.metal() if palette.chance(0.7) else palette.ceramic()
    h = r * palette.between(0.8, 1.5)
    made: Thing = [vessel([(r * 0.95, 0), (r, 0.01), (r, h)], 0.003, stuff, sides=26)]
    for side in (0.0, pi):
        made += place(
            place(handle(0.035, 0.08, 0.005, stuff), pitch=pi / 2),
            (r * np.cos(side), h * 0.85, -0.04 * np.cos(side)),
            yaw=side,
        )
    if palette.chance(0.5):
        made.append(
            lathe(
                [(r + 0.003, h), (r * 0.9, h + 0.012), (0.02, h + 0.03), (0.012, h + 0.035), (0.02, h + 0.055)],
                stuff,
                sides=26,
            )
        )
    return made


def jug(palette: Palette) -> Thing:
    """A jug, teapot or kettle with a handle."""
    r, h = palette.between(0.05, 0.09), palette.between(0.12, 0.26)
    stuff = palette.one_of(palette.ceramic, palette.metal, palette.glass, palette.paint)()  # type: ignore[operator]
    k = palette.rng.uniform(0.55, 1.0, 3) * r
    made: Thing = [vessel([(k[0], 0), (r, h * 0.3), (k[1], h * 0.7), (k[2], h)], 0.004, stuff)]
    made += place(handle(r * 0.7, h * 0.6, 0.007, stuff), (max(k[1], r * 0.8), h * 0.25, 0))
    if palette.chance(0.6):
        spout = tube(
            bent([(-r * 0.8, h * 0.35, 0), (-r * 1.3, h * 0.5, 0), (-r * 1.6, h * 0.95, 0)], 7),
            np.linspace(0.018, 0.009, 7),
            stuff,
        )
        made += [spout, lathe([(k[2], h), (k[2] * 0.6, h + 0.02), (0.008, h + 0.025), (0.014, h + 0.04)], stuff)]
    return made


def vase(palette: Palette) -> Thing:
    """A turned vessel of any shape: vases, urns, amphoras."""
    h, n = palette.between(0.1, 0.45), int(palette.rng.integers(4, 7))
    t = np.linspace(0, 1, 14)
    r = h * palette.between(0.12, 0.4) * np.interp(t, np.linspace(0, 1, n), palette.rng.uniform(0.3, 1, n))
    r = np.convolve(np.pad(r, 2, mode="edge"), np.ones(5) / 5, "valid")
    stuff = palette.one_of(palette.ceramic, palette.ceramic, palette.glass, palette.metal, palette.wood)()  # type: ignore[operator]
    return [vessel(np.stack([np.maximum(r, 0.012), t * h], 1), 0.004, stuff)]


def board(palette: Palette) -> Thing:
    """A chopping board or tray."""
    w, d, h = palette.between(0.2, 0.45), palette.between(0.15, 0.3), palette.between(0.008, 0.03)
    if palette.chance(0.3):
        return [lathe([(d / 2, 0), (d / 2, h)], palette.wood(), sides=30, smooth=False)]
    return [box((w, h, d), palette.wood() if palette.chance(0.8) else palette.anything())]


def napkin(palette: Palette) -> Thing:
    """A folded napkin or place mat."""
    w = palette.between(0.1, 0.4)
    return [box((w, palette.between(0.002, 0.008), w * palette.between(0.5, 1)), palette.fabric())]


def candle(palette: Palette) -> Thing:
    """A candle, in a stick, a glass or alone."""
    r, h, wax = palette.between(0.01, 0.035), palette.between(0.05, 0.24), palette.paint(palette.hue(0.3, 0.7))
    if palette.chance(0.4):
        stick = palette.between(0.04, 0.2)
        foot = lathe(
            [(0.045, 0), (0.04, 0.01), (0.01, 0.025), (0.014, stick * 0.5), (0.008, stick * 0.8), (0.02, stick)],
            palette.metal(),
        )
        return [
            foot,
            lathe([(0.01, stick), (0.01, stick + h)], wax, sides=10, smooth=False),
            lathe([(0.001, stick + h), (0.001, stick + h + 0.01)], palette.paint((0.02, 0.02, 0.02)), sides=5),
        ]
    made: Thing = [
        lathe([(r, 0), (r, h), (r * 0.8, h - 0.003)], wax, smooth=False),
        lathe([(0.001, h), (0.001, h + 0.01)], palette.paint((0.02, 0.02, 0.02)), sides=5),
    ]
    if palette.chance(0.3):
        made.append(
            place([cushion((0.01, 0.025, 0.01), palette.light((1, 0.7, 0.3), 6), soft=1, sides=8)], (0, h + 0.01, 0))[0]
        )
    return made


def grinder(palette: Palette) -> Thing:
    """A pepper mill, a salt cellar, a chess piece: a small turned thing."""
    h, r = palette.between(0.05, 0.25), palette.between(0.012, 0.035)
    n = int(palette.rng.integers(5, 9))
    t = np.sort(np.concatenate([[0, 1], palette.rng.uniform(0.05, 0.95, n)]))
    k = np.clip(palette.rng.uniform(0.4, 1.0, n + 2), 0.3, 1)
    k[0] = 1.0
    return [lathe(np.stack([k * r, t * h], 1), palette.anything())]


def coffee_maker(palette: Palette) -> Thing:
    """A coffee machine, toaster or mixer: kitchen machines of simple shape."""
    w, h, d = palette.between(0.16, 0.3), palette.between(0.18, 0.38), palette.between(0.18, 0.3)
    skin, dark = (
        palette.one_of(palette.metal(), palette.paint(), palette.paint((0.03, 0.03, 0.03))),
        palette.paint((0.02, 0.02, 0.02)),
    )
    if palette.chance(0.4):
        toaster = cushion((w, h * 0.6, d * 0.7), skin, soft=0.25)  # type: ignore[arg-type]
        return [
            toaster,
            box((w * 0.7, 0.004, 0.03), dark, (0, h * 0.6 - 0.001, 0.03)),
            box((w * 0.7, 0.004, 0.03), dark, (0, h * 0.6 - 0.001, -0.03)),
        ]
    base = [
        box((w, 0.04, d), skin),
        box((w, h, d * 0.35), skin, (0, 0, -d * 0.32)),
        box((w, h * 0.25, d), skin, (0, h * 0.75, 0)),
    ]  # type: ignore[arg-type]
    glass = vessel([(0.05, 0), (0.06, 0.05), (0.045, 0.1)], 0.003, palette.glass())
    return base + place([glass, disc(0.05, drink(palette), 0.05)], (0, 0.04, d * 0.12))


def scoop(palette: Palette) -> Thing:
    """Whisk, ladle, spatula and the like in a jar."""
    made: Thing = [vessel([(0.05, 0), (0.055, 0.14)], 0.004, palette.ceramic())]
    for _ in range(int(palette.rng.integers(2, 6))):
        lean = palette.rng.normal(size=2) * 0.06
        top = np.array([lean[0], palette.between(0.26, 0.36), lean[1]])
        stuff = palette.wood() if palette.chance(0.5) else palette.metal()
        made.append(tube([(lean[0] * 0.1, 0.02, lean[1] * 0.1), top], 0.006, stuff, sides=6))
        made += place([cushion((0.05, 0.08, 0.015), stuff, soft=0.7, sides=10)], top, palette.between(0, 3))
    return made


def dish_rack(palette: Palette) -> Thing:
    """Plates that stand in a row."""
    r, stuff = palette.between(0.1, 0.14), palette.ceramic()
    one = place(place(plate_sized(palette, r, stuff), pitch=pi / 2 - 0.15), (0, r, 0))
    made: Thing = [box((0.14, 0.015, 0.32), palette.metal())]
    for i in range(int(palette.rng.integers(3, 8))):
        made += place(one, (0, 0.01, -0.13 + 0.035 * i))
    return made


def _bag(width: float, height: float, depth: float, stuff: Material) -> Thing:
    rings = []
    for y, w, d in ((0, 1, 1), (0.05, 1.03, 1.05), (0.6, 1.0, 0.8), (1, 0.95, 0.55)):
        a = -np.linspace(0, 2 * pi, 16, endpoint=False)
        x, z = (np.sign(f(a)) * np.abs(f(a)) ** 0.4 for f in (np.cos, np.sin))
        rings.append(np.stack([x * width / 2 * w, 0 * a + y * height, z * depth / 2 * d], 1))
    return [loft(np.stack(rings), stuff)]


def bag(palette: Palette) -> Thing:
    """A handbag, shopping bag or backpack that stands."""
    w, h, d = palette.between(0.2, 0.42), palette.between(0.22, 0.45), palette.between(0.1, 0.2)
    stuff = palette.one_of(palette.leather, palette.fabric, palette.printed, palette.paint)()  # type: ignore[operator]
    made = _bag(w, h, d, stuff)
    loop = [(-w * 0.25, h * 0.95, 0), (-w * 0.2, h * 1.25, 0), (w * 0.2, h * 1.25, 0), (w * 0.25, h * 0.95, 0)]
    made.append(tube(bent(loop, 10), 0.008, stuff))
    if palette.chance(0.5):
        made.append(cushion((w * 0.7, h * 0.4, 0.06), stuff, (0, h * 0.08, d / 2), 0.3))
    return made
