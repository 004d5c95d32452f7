"""What else drives: buses, lorries, trams, motorcycles, bicycles, boats. Front along +z, standing on y = 0."""

from __future__ import annotations

from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Part, Thing, ellipsoid, lathe, loft, place, tube
from training.worlds.palette import Palette
from training.worlds.parts.many import boxes, chain, copies, merge, quads, rods
from training.worlds.parts.vehicles import coat, wheel

_DARK = Material((0.012,) * 3, (0.02,) * 3, shine=0.08, gloss=0.5)
_LENS = Material((0.6, 0.62, 0.65), (0.3, 0.3, 0.3), shine=0.6, gloss=0.95)
_RED = Material((0.28, 0.006, 0.006), (0.1, 0, 0), shine=0.35, gloss=0.9)


def _pane(palette: Palette) -> Material:
    return Material(
        palette.near((0.02, 0.025, 0.028), 1.5, 0.003), (0.01,) * 3, shine=palette.between(0.3, 0.6), gloss=0.97
    )


def _hull(
    size: tuple[float, float, float], foot: float, paint: Material, round_: float = 0.15, nose: float = 0.06
) -> Part:
    """A box with rounded edges, from `foot` up: width, height, length."""
    w, h, length = size
    a = np.linspace(0, pi / 2, 4)
    turn = np.concatenate([np.stack([np.cos(a + k), np.sin(a + k)], 1) for k in (-pi / 2, 0, pi / 2, pi)])
    corner = np.repeat(np.array([[1, -1], [1, 1], [-1, 1], [-1, -1]]), 4, axis=0)
    sections = []
    for z, inset in ((-0.5, nose), (-0.5 + nose / length, 0), (0.5 - nose / length, 0), (0.5, nose)):
        r = round_
        outline = corner * [w / 2 - r - inset, h / 2 - r - inset / 2] + turn * r
        sections.append(np.column_stack([outline[:, 0], outline[:, 1] + foot + h / 2, np.full(16, z * length)]))
    return loft(np.stack(sections), paint)


def _axles(palette: Palette, at: list[float], width: float, radius: float) -> Thing:
    """Pairs of wheels at these z."""
    one = wheel(radius, radius * 0.6, palette, near=False)
    x = width / 2 - radius * 0.3 - 0.02
    places = [(s * x, radius, z) for z in at for s in (1, -1)]
    return copies(one, places, yaw=[0, pi] * len(at))


def bus(palette: Palette) -> Thing:
    """A city or touring coach, sometimes a double-decker."""
    b = palette.between
    length, width, height = b(8.5, 12.5), 2.5, b(2.9, 3.4)
    double = palette.chance(0.15)
    paint, pane = coat(palette), _pane(palette)
    if palette.chance(0.5):
        paint = palette.paint(palette.hue(0.8, b(0.2, 0.7)), shine=0.3)
    high = height + (1.2 if double else 0) - 0.32
    out: Thing = [_hull((width, high, length), 0.32, paint, 0.2, 0.12)]
    bays = int(length / 1.45)
    pitch = (length - 1.2) / bays
    z = -length / 2 + 0.6 + pitch * (np.arange(bays) + 0.5)
    for level in [1.15, 2.75] if double else [1.15]:
        tall = 1.05 if double else b(0.95, 1.25)
        size = [width + 0.02, tall, pitch - b(0.06, 0.14)]
        out.append(boxes(np.stack([0 * z, 0 * z + level, z], 1), size, pane))
        out.append(boxes([[0, level - 0.15, length / 2 - 0.03]], [width * 0.88, tall + 0.45, 0.08], pane))
        out.append(boxes([[0, level, -length / 2 + 0.03]], [width * 0.8, tall * 0.8, 0.08], pane))
    out.append(boxes([[0.02, 0.4, length / 2 - 0.9]], [width + 0.015, 1.9, 0.9], pane))
    sign = Material((0.02,) * 3, (0.6, 0.35, 0.02), "print", 10, seed=palette.seed())
    out.append(boxes([[0, height - 0.42, length / 2 - 0.015]], [1.6, 0.26, 0.06], sign))
    lamps = [[s * 0.9, 0.62, length / 2 - 0.02] for s in (1, -1)]
    out.append(boxes(lamps, [0.3, 0.18, 0.06], _LENS))
    out.append(boxes([[s * 1.0, 0.7, -length / 2 + 0.02] for s in (1, -1)], [0.16, 0.4, 0.06], _RED))
    out.append(boxes([[s * 1.42, 1.9, length / 2 + 0.05] for s in (1, -1)], [0.18, 0.38, 0.12], _DARK))
    out.append(boxes([[0, 0.25, 0]], [width * 0.9, 0.5, length * 0.95], _DARK))
    return merge(out + _axles(palette, [length / 2 - 2.6, -length / 2 + 3.0], width + 0.07, 0.48))


def lorry(palette: Palette) -> Thing:
    """A lorry: cab, and a box, a tank, a tipper or a long trailer."""
    b = palette.between
    paint, pane = coat(palette), _pane(palette)
    cab_length, cab_height = b(1.7, 2.3), b(2.2, 3.3)
    load, width = b(4.5, 7.5) if palette.chance(0.5) else b(10, 13.5), 2.5
    total = cab_length + load + 0.4
    front = total / 2
    cab = place(
        [_hull((width - 0.1, cab_height, cab_length), 0.5, paint, 0.18, 0.14)], at=(0, 0, front - cab_length / 2)
    )
    low = 1.45
    out = [*cab, boxes([[0, low, front - 0.04]], [width * 0.86, b(0.75, 0.95), 0.09], pane)]
    out.append(boxes([[0, low + 0.05, front - cab_length * 0.42]], [width - 0.07, 0.75, cab_length * 0.5], pane))
    out.append(boxes([[0, 0.7, front - 0.02]], [1.7, 0.55, 0.08], _DARK))
    out.append(boxes([[s * 0.95, 0.62, front - 0.02] for s in (1, -1)], [0.34, 0.2, 0.09], _LENS))
    out.append(boxes([[s * 1.42, 1.6, front - 0.2] for s in (1, -1)], [0.2, 0.65, 0.12], _DARK))
    middle = front - cab_length - 0.4 - load / 2
    out.append(boxes([[0, 0.7, -cab_length / 2]], [0.9, 0.35, total - 0.6], _DARK))
    out.append(boxes([[s, 0.55, middle] for s in (1.15, -1.15)], [0.04, 0.45, load * 0.4], _DARK))
    kind = palette.rng.random()
    cover = palette.paint() if palette.chance(0.6) else palette.printed()
    if kind < 0.65:
        ribs = palette.chance(0.3)
        high = b(2.2, 2.8)
        out.append(boxes([[0, 1.05, middle]], [width, high, load], cover))
        if ribs:
            z = middle + np.arange(-load / 2 + 0.3, load / 2, 0.6)
            out.append(boxes(np.stack([0 * z, 0 * z + 1.06, z], 1), [width + 0.06, high - 0.04, 0.09], cover))
        if palette.chance(0.5):
            logo = palette.printed() if palette.chance(0.5) else palette.paint()
            out.append(boxes([[0, 1.6, middle + b(-1, 1)]], [width + 0.02, high * 0.45, load * 0.5], logo))
    elif kind < 0.8:
        ring = [(0.4, 0), (1.1, 0.2), (1.1, load - 0.2), (0.4, load)]
        tank = lathe(ring, palette.metal() if palette.chance(0.6) else cover, sides=18)
        out += place([tank], at=(0, 2.15, middle - load / 2), pitch=pi / 2)
    else:
        out.append(boxes([[0, 1.05, middle]], [width, 0.15, load], _DARK))
        rail = [[s * 1.2, 1.2, middle] for s in (1, -1)]
        out.append(boxes(rail, [0.08, b(0.3, 1.2), load], cover))
        out.append(boxes([[0, 1.2, middle + load / 2], [0, 1.2, middle - load / 2]], [width, b(0.3, 1.2), 0.08], cover))
    out.append(boxes([[s * 0.95, 0.75, middle - load / 2 - 0.02] for s in (1, -1)], [0.4, 0.14, 0.06], _RED))
    rear = [middle - load / 2 + 1.2 + 1.25 * i for i in range(2 if load < 8 else 3)]
    return merge(out + _axles(palette, [front - cab_length * 0.6, *rear], width, 0.5))


def tram(palette: Palette) -> Thing:
    """A tram or railway carriage of two to four sections."""
    paint, pane = palette.paint(palette.hue(0.7, palette.between(0.15, 0.6)), shine=0.3), _pane(palette)
    light = palette.paint((0.7, 0.68, 0.62), shine=0.25)
    out: Thing = []
    count, length = int(palette.rng.integers(2, 5)), palette.between(7, 10)
    for i in range(count):
        z = (i - (count - 1) / 2) * (length + 0.5)
        end = i in (0, count - 1)
        out += place([_hull((2.45, 3.0, length), 0.35, light, 0.25, 0.35 if end else 0.1)], at=(0, 0, z))
        out.append(boxes([[0, 0.5, z]], [2.475, 0.75, length - 0.7], paint))
        out.append(boxes([[0, 1.45, z]], [2.48, 1.05, length - 0.9], pane))
        out.append(boxes([[0, 1.3, z]], [1.9, 1.3, length - 0.02], pane))
        out.append(boxes([[0, 0.05, z]], [2.0, 0.35, length * 0.8], _DARK))
        out.append(boxes([[0, 0.5, z]], [2.0, 2.7, length + 0.6], _DARK))
        out.append(boxes([[0, 3.35, z]], [1.2, 0.25, length * 0.6], _DARK))
    return merge(out)


def _ring(radius: float, thick: float, material: Material, sides: int = 20) -> Part:
    """A hoop in the plane x = 0."""
    a = np.linspace(0, 2 * pi, sides + 1)
    return chain(np.stack([0 * a, radius * np.cos(a), radius * np.sin(a)], 1), thick, material, sides=5)


def bicycle(palette: Palette) -> Thing:
    """A bicycle that stands upright: hoops, spokes and tubes."""
    paint, metal, r = coat(palette), palette.metal((0.5,) * 3), 0.34
    front, back = np.array([0, r, 0.52]), np.array([0, r, -0.52])
    crank, seat, head = np.array([0, 0.28, -0.08]), np.array([0, 0.86, -0.25]), np.array([0, 0.88, 0.36])
    out: Thing = []
    a = np.linspace(0, 2 * pi, 13)[:-1]
    spoke = np.stack([0 * a, r * np.cos(a), r * np.sin(a)], 1)
    for hub in (front, back):
        out += place([_ring(r, 0.022, _DARK), _ring(r - 0.025, 0.01, metal)], at=hub)
        out.append(rods(np.broadcast_to(hub, spoke.shape), hub + spoke * 0.93, 0.0025, metal, sides=3))
    low = palette.chance(0.35)
    joint = seat * 0.5 + crank * 0.5 if low else seat
    start = [crank, joint, head, back, back, head]
    end = [seat, head - [0, 0.05, 0], crank, crank, seat, front]
    out.append(rods(start, end, 0.017, paint))
    bar = head + np.array([0, 0.14, 0.02])
    grips = [
        (bar + np.array([0, 0, 0.03])),
        (bar + np.array([0.27, 0.02, -0.08])),
        (bar + np.array([-0.27, 0.02, -0.08])),
    ]
    out.append(
        rods(
            [head, grips[0], grips[0], (crank + np.array([-0.09, 0, 0]))],
            [grips[0], grips[1], grips[2], (crank + np.array([0.09, 0, 0]))],
            0.012,
            metal,
        )
    )
    out.append(ellipsoid((0.07, 0.03, 0.13), _DARK, sides=7, at=(seat + np.array([0, 0.1, 0]))))
    out.append(rods([seat], [(seat + np.array([0, 0.09, 0]))], 0.013, metal))
    if palette.chance(0.4):
        a = np.linspace(-0.3, pi * 0.75, 9)
        for hub in (front, back):
            arc = np.stack([0 * a, (r + 0.03) * np.sin(a), -(r + 0.03) * np.cos(a)], 1)
            out.append(chain(hub + arc, 0.02, paint))
    if palette.chance(0.3):
        out.append(boxes([(bar + np.array([0, -0.16, 0.2]))], [0.34, 0.24, 0.26], palette.fabric((0.2, 0.13, 0.07))))
    return merge(out)


def motorcycle(palette: Palette) -> Thing:
    """A motorcycle or a scooter."""
    paint, metal, r = coat(palette), palette.metal((0.4,) * 3), palette.between(0.26, 0.32)
    base = palette.between(0.62, 0.74)
    front, back = np.array([0, r, base]), np.array([0, r, -base])
    tyre = lathe([(r * 0.62, -0.05), (r * 0.93, -0.06), (r, 0), (r * 0.93, 0.06), (r * 0.62, 0.05)], _DARK, sides=16)
    disc = lathe([(r * 0.6, -0.02), (r * 0.6, 0.02), (0.01, 0.04)], metal, sides=10)
    out = [*place([tyre, disc], at=front, roll=pi / 2), *place([tyre, disc], at=back, roll=pi / 2)]
    head = np.array([0, 0.95, 0.36])
    fork = [[s * 0.09, 0, 0] for s in (1, -1)]
    out.append(rods([front + f for f in fork], [head + f for f in fork], 0.028, metal))
    tank = tube([[0, 0.72, -0.12], [0, 0.82, 0.06], [0, 0.84, 0.28]], [0.1, 0.16, 0.11], paint, sides=10)
    saddle = tube(
        [[0, 0.74, -0.75], [0, 0.72, -0.45], [0, 0.74, -0.1]], [0.08, 0.13, 0.1], palette.leather(), sides=8, flat=0.6
    )
    out += [tank, saddle, boxes([[0, 0.28, 0.02]], [0.3, 0.34, 0.44], metal)]
    out.append(rods([back, (back + np.array([0, 0.1, 0]))], [[0, 0.4, 0], [0, 0.72, -0.5]], 0.035, _DARK))
    out.append(rods([[0.17, 0.3, 0.2]], [[0.17, 0.38, -0.85]], 0.045, metal, sides=8))
    out.append(ellipsoid((0.09, 0.09, 0.07), _LENS, sides=8, at=(head + np.array([0, 0.0, 0.1]))))
    bar = head + np.array([0, 0.12, -0.02])
    out.append(rods([bar], [(bar + np.array([0.36, 0.05, -0.12]))], 0.014, _DARK))
    out.append(rods([bar], [(bar + np.array([-0.36, 0.05, -0.12]))], 0.014, _DARK))
    fender = np.linspace(0.6, 2.4, 7)
    arc = np.stack([0 * fender, (r + 0.035) * np.sin(fender), -(r + 0.035) * np.cos(fender)], 1)
    out += [tube(front + arc, 0.06, paint, sides=6, flat=0.4), tube(back + arc, 0.07, paint, sides=6, flat=0.4)]
    if palette.chance(0.4):
        out.append(
            loft(
                [
                    [[-0.2, 0.6, 0.3], [0.2, 0.6, 0.3], [0.15, 1.1, 0.3], [-0.15, 1.1, 0.3]],
                    [[-0.1, 0.7, 0.5], [0.1, 0.7, 0.5], [0.08, 1.0, 0.46], [-0.08, 1.0, 0.46]],
                ],
                paint,
            )
        )
    return merge(out)


def boat(palette: Palette, length: float | None = None) -> Thing:
    """A boat that lies in the water with its waterline at y = 0: rowing, sailing, fishing or motor boat."""
    length = length or palette.between(3.5, 13)
    beam, free = length * palette.between(0.26, 0.36), 0.3 + length * 0.07
    f = np.linspace(0, 1, 11)
    half = beam / 2 * np.minimum(1, 1.25 * np.sin(pi * (0.28 + 0.72 * f)) ** 0.8 + 0.02)
    sheer = free * (1 + 0.5 * f**2)
    z = length * (f - 0.5)
    right = [
        np.stack([k * half, np.where(np.isclose(h, 1), sheer, -0.3 + h * (sheer + 0.3)), z + lean * f**3], 1)
        for k, h, lean in ((0.0, 0.0, 0.0), (0.55, 0.1, 0.0), (0.85, 0.5, 0.1 * length), (1.0, 1.0, 0.14 * length))
    ]
    left = [p * [-1, 1, 1] for p in right[:0:-1]]
    out: Thing = [loft(np.stack([*right, *left], 1), palette.paint(shine=0.3))]
    wood, white = palette.wood(), palette.paint((0.75, 0.74, 0.7), shine=0.3)
    kind = palette.rng.random()
    if length > 5 and kind < 0.75:
        high = palette.between(0.6, 1.6)
        out.append(boxes([[0, free, -0.05 * length]], [beam * 0.6, high, length * 0.35], white))
        out.append(
            boxes([[0, free + high * 0.35, -0.05 * length]], [beam * 0.62, high * 0.4, length * 0.31], _pane(palette))
        )
    else:
        out.append(
            boxes(
                [[0, free - 0.05, z_] for z_ in (-0.3 * length, -0.05 * length, 0.15 * length)],
                [beam * 0.8, 0.06, 0.25],
                wood,
            )
        )
    if length > 5 and palette.chance(0.6):
        mast = length * palette.between(1.0, 1.4)
        top = [0, mast, 0.1 * length]
        out.append(
            rods(
                [[0, free, 0.1 * length], [0, free + 1.2, 0.1 * length]],
                [top, [0, free + 1.3, -0.4 * length]],
                0.06,
                palette.metal(),
            )
        )
        stays = [[beam / 2, free, 0], [-beam / 2, free, 0], [0, free * 1.5, length * 0.55], [0, free, -length * 0.5]]
        out.append(rods(stays, [top] * 4, 0.008, _DARK, sides=3))
        if palette.chance(0.4):
            sail = np.array(
                [
                    [0, mast * 0.96, 0.08 * length],
                    [0, free + 1.4, 0.07 * length],
                    [0.1, free + 1.4, -0.38 * length],
                    [0.1, mast * 0.95, 0.07 * length],
                ]
            )
            cloth = palette.paint((0.8, 0.79, 0.75), shine=0.02)
            out += [quads([sail], cloth), quads([sail[::-1]], cloth)]
    return merge(out)


def transport(palette: Palette) -> Thing:
    """A large vehicle of the road."""
    return (bus, lorry, lorry)[int(palette.rng.integers(3))](palette)
