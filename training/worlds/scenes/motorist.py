"""Who drives where: lanes, winding ways, and cameras on vehicles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import pi, radians

import numpy as np

from training.worlds.palette import Palette
from training.worlds.parts import monuments, street
from training.worlds.parts.terrain import Way
from training.worlds.scenes.site import Site, daylight, gaze
from training.worlds.stage import Camera, Lamp, Sky


def winding(p: Palette, bend: float = 12, rise: float = 1.5) -> Way:
    """A way that bends and rises by chance; a third are straight."""
    straight = p.chance(0.35)
    return Way(
        bend=0.0 if straight else float(p.rng.normal()) * bend,
        bend_length=p.between(70, 200),
        phase=p.between(0, 6),
        rise=0.0 if p.chance(0.4) else float(p.rng.normal()) * rise,
        rise_length=p.between(50, 160),
        rise_phase=p.between(0, 6),
    )


def driver(p: Palette, way: Way, lanes: list[tuple[float, int]], reach: float = 12.0) -> Callable[[], Camera]:
    """Cameras on a vehicle in one of the lanes: mostly forward, level."""
    fovs = p.between(42, 95)

    def propose() -> Camera:
        offset, direction = lanes[int(p.rng.integers(len(lanes)))]
        z = p.between(-4, reach)
        eye = way.at(z, offset + float(p.rng.normal()) * 0.25, p.between(1.3, 2.0) + (0.9 if p.chance(0.08) else 0.0))
        forward = float(way.yaw(z)) + (0.0 if direction > 0 else pi)
        side = float(p.rng.random())
        turn = (
            float(p.rng.normal()) * 0.06
            if side < 0.8
            else pi + p.between(-0.1, 0.1)
            if side < 0.88
            else p.between(0.5, 1.6) * float(p.rng.choice([-1, 1]))
        )
        slope = (
            float(np.arctan2(way.y(z + 8) - way.y(z - 8), 16)) * (1 if direction > 0 else -1) * (1 if side < 0.8 else 0)
        )
        fov = radians(float(np.clip(p.rng.normal(fovs, 8), 40, 102)))
        return gaze(p, eye, forward + turn, slope + radians(p.between(-3, 3)), fov, portrait=0.0, roll=0.7)

    return propose


def weather(p: Palette, wet: float) -> Sky:
    """A sky by day, mostly without sun where the road is wet."""
    sky = daylight(p, open_=p.chance(0.5))
    return replace(sky, sun_colour=(0.0, 0.0, 0.0)) if wet and sky.panorama < 0 and p.chance(0.6) else sky


def ahead(lanes: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """The lanes a camera may drive in so that traffic lies before it: those of travel along +z."""
    return [lane for lane in lanes if lane[1] > 0]


def lanes_of(half: float, count: int, left: bool) -> list[tuple[float, int]]:
    """Offsets and directions of `count` lanes over a road of half width `half`; along +z keeps right unless `left`."""
    middle = -half + 2 * half * (np.arange(count) + 0.5) / count
    return [(float(m), (1 if (m < 0) != left else -1)) for m in middle] if count > 1 else [(0.0, 1)]


def headlights(site: Site, cameras: list[Camera]) -> None:
    """A light before the first camera's car, as its lamps throw it."""
    if cameras and len(site.lamps) < 14:
        eye, aim = np.array(cameras[0].eye), np.array(cameras[0].target)
        forward = (aim - eye) / np.linalg.norm(aim - eye)
        at = eye + forward * 2.0 - [0, 0.5, 0]
        site.lamps.append(Lamp((float(at[0]), float(at[1]), float(at[2])), 0.2, (9.0, 8.5, 7.5)))


def bridged(p: Palette, site: Site, way: Way, half: float) -> None:
    """Sign gantries and bridges over the road."""
    if p.chance(0.55):
        for z in (p.between(25, 90), p.between(150, 320)):
            site.put(street.gantry(p, 2 * half), way.at(z), float(way.yaw(z)) + pi, solid=False)
    if p.chance(0.4):
        z = p.between(40, 220)
        site.put(
            monuments.bridge(p, 2 * half + 30, p.between(6, 12), p.between(5.6, 7)),
            way.at(z, 0.0, -0.1),
            float(way.yaw(z)),
            solid=False,
        )
