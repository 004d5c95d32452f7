"""What is watched in the dark: rockets, fireworks, a stage."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from training.worlds.materials import Material
from training.worlds.mesh import Thing, box, ellipsoid, lathe, place
from training.worlds.palette import Palette
from training.worlds.parts import auditorium, lattice, plants
from training.worlds.parts.many import boxes, copies, merge, rods
from training.worlds.parts.people import person
from training.worlds.parts.shapes import Maker
from training.worlds.parts.terrain import flat, water
from training.worlds.scenes import country
from training.worlds.scenes.afterdark import WHITE, dimmed, dusk, lit_block, lit_town, scaled
from training.worlds.scenes.site import Site, Stock, lens, view
from training.worlds.stage import Camera, Lamp, Sky, Stage


def _rocket(p: Palette, high: float) -> Thing:
    """A launcher on y = 0: stages, fairing, boosters sometimes."""
    white, dark, r = p.paint((0.75, 0.75, 0.74)), p.paint(), high * p.between(0.025, 0.04)
    profile = [
        (r * 0.8, 0),
        (r, high * 0.02),
        (r, high * 0.7),
        (r * 0.8, high * 0.72),
        (r * 1.15, high * 0.78),
        (r * 1.15, high * 0.9),
        (r * 0.5, high * 0.97),
        (0.01, high),
    ]
    parts: Thing = [lathe(profile, white, sides=18)]
    parts += [lathe([(r * 1.01, y), (r * 1.01, y + high * 0.03)], dark, sides=18) for y in (high * 0.3, high * 0.66)]
    if p.chance(0.5):
        side = lathe(
            [(r * 0.5, 0), (r * 0.6, high * 0.02), (r * 0.6, high * 0.42), (0.01, high * 0.5)], white, sides=12
        )
        parts += [q for s in (-1, 1) for q in place([side], (s * r * 1.6, 0, 0))]
    return parts


def _flame(site: Site, p: Palette, high: float, up: float) -> None:
    """The fire below a rocket of a height whose foot is `up` metres above ground, its light, and smoke on the pad."""
    b, k = p.between, high * 0.035
    flame = p.light((1.0, 0.75, 0.4), b(4, 10))
    shape = [(0.02, -high * b(0.4, 0.9)), (k * 0.9, -high * 0.15), (k * 0.7, 0)]
    site.add(place([lathe(shape, flame, sides=12)], (0, up, 0)))
    site.lamps.append(Lamp((0, up - high * 0.3, 0), 3.0, scaled((1.0, 0.7, 0.4), high**2 * b(0.3, 1.5))))
    smoke = p.paint((0.5, 0.48, 0.46), 0.0)
    for _ in range(22):
        r, at = b(2, 7), p.rng.normal(size=3) * [11, 4, 11]
        site.add([ellipsoid((r * 1.3, r, r * 1.3), smoke, sides=10, at=(at[0], abs(at[1]) + 2, at[2]))])


def launch(p: Palette) -> Stage:
    """A rocket on its pad between lattice masts and floodlights, or rising on its flame, above a dark horizon."""
    site, b = Site("launch", p), p.between
    site.add(flat(p.soil() if p.chance(0.5) else p.grass()))
    high, flying = b(30, 70), p.chance(0.4)
    up = high * b(0.3, 2.5) if flying else 6.0
    iron = lattice.iron(p)
    site.put(_rocket(p, high), (0, up, 0))
    site.put([box((18, 6, 18), p.paint((0.35, 0.34, 0.33), 0.02))], (0, 0, 0))
    for x, z in ((-1, -0.4), (1, -0.5), (-0.8, 0.7), (0.9, 0.6)):
        mast = lattice.mast(p, high * b(0.9, 1.5), b(2, 5), b(0.5, 1.2), iron)
        site.put(mast, (x * high * b(0.5, 0.9), 0, z * high * b(0.6, 1.0)))
    site.add(place(lattice.girder((0, 0, 0), (0, high * 0.95, 0), 4.0, iron, 0.07), (-8.5, 6, 0)))
    for y in (0.3, 0.55, 0.8):
        site.add(lattice.girder((-6.5, 6 + y * high, 0), (-1.5, 6 + y * high, 0), 1.2, iron, 0.1))
    if flying:
        _flame(site, p, high, up)
    for _ in range(int(p.rng.integers(3, 7))):
        a, d = b(0, 2 * pi), high * b(0.5, 0.9)
        at = (d * np.sin(a), b(2, 7), d * np.cos(a))
        bulb = ellipsoid((0.9, 0.9, 0.9), p.light((1.0, 0.75, 0.4), 8), sides=7, at=at)
        site.add([bulb, rods([(at[0], 0, at[2])], [at], 0.15, iron)])
        if not flying:
            site.lamps.append(
                Lamp((0.9 * at[0], at[1] + 1, 0.9 * at[2]), 0.8, scaled((1.0, 0.8, 0.55), high**2 * b(0.05, 0.3)))
            )
    country.hills_behind(site, p, int(p.rng.integers(0, 2)))
    for _ in range(int(p.rng.integers(2, 12))):
        a, d = b(0, 6.3), b(60, 240)
        site.put(
            plants.tree(p, "far", b(4, 8)) if p.chance(0.6) else lit_block(p, 14, 2),
            (d * np.sin(a), 0, d * np.cos(a)),
            b(0, 6),
        )
    sky = dusk(p, b(0.02, 0.14))

    def propose() -> Camera:
        a, d = b(0, 2 * pi), b(1.2, 3.6) * high
        eye = (d * np.sin(a), b(1.2, 6.0), d * np.cos(a))
        aim = (b(-0.25, 0.25) * high, 0.3 * up + high * b(0.12, 0.4), b(-0.25, 0.25) * high)
        return view(p, eye, aim, lens(p, 28, 65), portrait=0.4)

    return dimmed(site.stage(sky, site.cameras(propose, clear=4.0), fill=(0.01, 0.01, 0.012)), WHITE * b(0.8, 1.5))


def fireworks(p: Palette) -> Stage:
    """Bursts of light high over dark water or roofs, heads of people before them."""
    site, b = Site("fireworks", p), p.between
    site.add(water(p) if p.chance(0.5) else flat(p.paving()))
    site.add([box((80, 1.2, 30), p.paving(), (0, -1.0, -13.5))])
    for _ in range(int(p.rng.integers(2, 6))):
        at = np.array([b(-90, 90), b(45, 110), b(130, 260)])
        n, r = int(p.rng.integers(40, 110)), b(12, 38)
        way = p.rng.normal(size=(n, 3))
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        inner = at + way * r * b(0.1, 0.6)
        tip = at + way * r * p.rng.uniform(0.85, 1.05, (n, 1)) - [0, r * 0.08, 0]
        site.add([rods(inner, tip, b(0.12, 0.3), p.light(p.hue(b(0.2, 0.8), 0.95), b(1.5, 6)), sides=3, thin=0.4)])
        site.lamps.append(Lamp(tuple(float(v) for v in at), r * 0.5, scaled(p.hue(0.4, 0.9), 6000 * b(0.2, 1.0))))  # type: ignore[arg-type]

    def spots(n: int) -> np.ndarray:
        return np.stack([p.rng.normal(0, 120, n), np.zeros(n), p.rng.uniform(70, 330, n)], 1)

    lit_town(site, p, spots, int(p.rng.integers(20, 90)), b(2, 8))
    crowd = Stock(p, lambda q: person(q, pose="stand", gesture=q.one_of("any", "phone", "up"), detail="far"), 4)
    for _ in range(int(p.rng.integers(4, 22))):
        site.put(crowd.draw(), (p.rng.normal() * 5, 0.2, b(-7, 1.2)), p.rng.normal() * 0.5)
    sky = dusk(p, b(0.008, 0.08))

    def propose() -> Camera:
        eye = (b(-5, 5), b(1.3, 2.6), b(-12, -6.5))
        return view(p, eye, (b(-40, 40), b(10, 75), 180), lens(p, 40, 85), portrait=0.3)

    return dimmed(site.stage(sky, site.cameras(propose, clear=0.8), fill=(0.01, 0.01, 0.012)), WHITE * b(1.0, 2.5))


def stage_light(p: Palette) -> Stage:
    """Somebody in a spotlight before black: a singer, a band, dancers; heads of the audience in front."""
    b, made, lamps = p.between, Thing(), list[Lamp]()
    wide, deep, high = b(5, 12), b(4, 8), b(0.3, 1.2)
    black = p.paint((0.02, 0.02, 0.022), 0.1)
    made += [
        box((wide, high, deep), p.one_of(p.wood, lambda: black)(), (0, 0, -deep / 2)),
        *_black_box(black, deep),
    ]
    back = p.fabric((0.06, 0.01, 0.015)) if p.chance(0.5) else black
    if p.chance(0.5):
        made += place([auditorium.drape(p, wide * 1.6, high + 6, back)], (0, 0, -deep - 0.3))
    stars = int(p.rng.choice([1, 1, 1, 2, 3, 4]))
    colours = ((1.0, 0.93, 0.85), (1.0, 0.35, 0.15), (0.35, 0.45, 1.0), (0.9, 0.25, 0.8), (0.3, 0.9, 0.5))
    for k in range(stars):
        x, z = (k - (stars - 1) / 2) * b(1.2, 2.0), -b(0.6, deep * 0.6)
        who = person(
            p, pose=p.one_of("stand", "stand", "walk"), gesture=p.one_of("any", "up", "both up", "phone", "reach")
        )
        made += place(who, (x, high, z), 0.5 * p.rng.normal())
        tint, power = p.one_of(*colours) if k else colours[0], b(6, 30)
        lamps.append(Lamp((x + p.rng.normal() * 1.5, high + b(3.5, 6), z + b(-0.5, 3.5)), 0.12, scaled(tint, power)))
        if p.chance(0.6):
            iron = p.metal((0.1, 0.1, 0.1))
            made += place(
                [
                    rods([(0, 0, 0), (0, 1.35, 0)], [(0, 1.4, 0), (0, 1.5, -0.15)], 0.012, iron),
                    ellipsoid((0.03, 0.03, 0.04), iron, at=(0, 1.52, -0.18)),
                ],
                (x + 0.05, high, z + 0.45),
            )
    props: list[Maker] = [auditorium.piano, _drums, _speaker]
    for _ in range(int(p.rng.integers(0, 5))):
        made += place(p.one_of(*props)(p), (b(-0.45, 0.45) * wide, high, -deep * b(0.6, 0.85)), b(-0.6, 0.6))
    if p.chance(0.6):
        y = high + b(4.0, 5.5)
        made += lattice.girder((-wide * 0.6, y, -deep * 0.3), (wide * 0.6, y, -deep * 0.3), 0.4, p.metal(), 0.12)
        can: Thing = [
            lathe([(0.12, 0), (0.16, 0.3), (0.05, 0.4)], black, sides=10),
            ellipsoid((0.11, 0.02, 0.11), p.light(p.one_of(*colours), 4), sides=8),
        ]
        made += copies(can, [(float(x), y - 0.6, -deep * 0.3) for x in np.linspace(-wide * 0.5, wide * 0.5, 6)])
        lamps.append(Lamp((b(-2, 2), y - 0.4, -deep * 0.3), 0.15, scaled(p.one_of(*colours), b(4, 12))))
    for _ in range(int(p.rng.choice([0, 6, 14]))):
        made += place(
            person(p, pose="stand", gesture=p.one_of("any", "up", "both up"), detail="far"),
            (p.rng.normal() * 3, 0, b(1.0, 6)),
            pi + 0.3 * p.rng.normal(),
        )
    glow = b(0.0, 0.02)
    sky = Sky(
        sun_colour=(0, 0, 0), zenith=(0.002, 0.002, 0.003), horizon=(0.002, 0.002, 0.003), ground=(0.001, 0.001, 0.001)
    )
    views = []
    for _ in range(5):
        near = p.chance(0.5)
        eye = np.array([b(-2.5, 2.5), high + b(0.6, 1.6), b(1.0, 3.0)] if near else [b(-4, 4), b(1.5, 2.6), b(4, 11)])
        aim = (b(-0.5, 0.5), high + (b(1.0, 1.6) if near else b(0.6, 1.8)), -b(0.5, 2))
        views.append(view(p, eye, aim, lens(p, 25, 65), portrait=0.4))
    return dimmed(Stage("stage_light", merge(made), views, sky, lamps, (glow,) * 3), WHITE * b(0.8, 1.8))


def _black_box(black: Material, deep: float) -> Thing:
    """The dark hall around a stage: what looks empty has walls."""
    floor_ = boxes([(0, -0.02, 6)], (36, 0.02, 40), black)
    walls = boxes(
        [(0, 0, -deep - 7), (0, 0, 25), (-17, 0, 6), (17, 0, 6)],
        [(36, 13, 0.2), (36, 13, 0.2), (0.2, 13, 40), (0.2, 13, 40)],
        black,
    )
    return [floor_, walls, box((36, 0.2, 40), black, (0, 12.8, 6))]


def _drums(p: Palette) -> Thing:
    """A drum kit."""
    shell, brass, skin = p.paint(), p.metal((0.65, 0.5, 0.25)), Material((0.7, 0.69, 0.66))
    parts: Thing = place(
        [lathe([(0.28, 0), (0.28, 0.4)], shell, sides=16), lathe([(0.0, 0.401), (0.27, 0.401)], skin, sides=16)],
        (0, 0.29, -0.2),
        pitch=pi / 2,
    )
    for x, y, z in ((-0.5, 0.6, 0), (0.55, 0.5, 0.1), (0.2, 0.75, 0), (-0.2, 0.75, 0)):
        parts += place(
            [lathe([(0.16, 0), (0.16, 0.2)], shell, sides=12), lathe([(0, 0.201), (0.155, 0.201)], skin, sides=12)],
            (x, y, z),
        )
        parts.append(rods([(x, 0, z)], [(x, y, z)], 0.015, brass))
    for x in (-0.7, 0.75):
        parts += place([lathe([(0.02, 0.03), (0.2, 0), (0.2, -0.004)], brass, sides=14)], (x, 1.15, -0.1), roll=0.15)
        parts.append(rods([(x, 0, -0.1)], [(x, 1.15, -0.1)], 0.012, brass))
    return parts


def _speaker(p: Palette) -> Thing:
    """A loudspeaker or two upon each other."""
    black, n = p.paint((0.02, 0.02, 0.02)), int(p.rng.integers(1, 4))
    cone = place(
        [lathe([(0.22, 0), (0.05, -0.08)], p.paint((0.06, 0.06, 0.06)), sides=14)], (0, 0.4, 0.26), pitch=pi / 2
    )
    one: Thing = [box((0.6, 0.78, 0.5), black), *cone]
    return copies(one, [(0, 0.8 * k, 0) for k in range(n)])


SCENES: dict[str, tuple[Callable[[Palette], Stage], float]] = {
    "launch": (launch, 0.5),
    "fireworks": (fireworks, 0.3),
    "stage_light": (stage_light, 0.8),
}
"""Spectacles by name: maker and weight."""
