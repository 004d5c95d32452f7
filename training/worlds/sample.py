"""One picture with all that is known about it, and the endless row of them that a seed stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from training.worlds import film as darkroom
from training.worlds.materials import KINDS, Tiles
from training.worlds.palette import Palette
from training.worlds.stage import Camera, Stage
from training.worlds.trace import Materials, World, assemble, pose, render

SHAPES = ((4, 3), (3, 2), (16, 9), (1, 1), (5, 4), (2, 1))
SHAPE_WEIGHTS = (0.4, 0.22, 0.2, 0.08, 0.05, 0.05)
SHARES = {
    "indoor": 0.32,
    "tabletop": 0.11,
    "storage": 0.05,
    "surfaces": 0.04,
    "people": 0.1,
    "animals": 0.06,
    "outdoor": 0.12,
    "landscape": 0.07,
    "driving": 0.13,
}
"""How much of the pictures each module of scenes gets."""
SKY, BACKDROP = len(KINDS), len(KINDS) + 1
"""What a pixel is if it is no material. BACKDROP: a panorama's picture of far things, whose distance nobody knows."""


BLANK = 2.5
"""Standard deviation of a plain surface's bytes in 11×11 pixels, at most."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture and its truth.

    rgb (h, w, 3) sRGB bytes; depth (h, w) metres along the axis, 0 = sky or backdrop; normal (h, w, 3) in camera axes
    (x right, y down, z forward); what (h, w): index into `materials.KINDS`, or SKY, or BACKDROP; fov: radians along
    the long side; kind: the name of the scene; number: of the scene, in the row of its seed.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
    what: NDArray[np.uint8]
    fov: float
    kind: str
    number: int = 0


Scene = Callable[[Palette], Stage]
Draw = Callable[[World, Camera, tuple[int, int], int, int], NDArray[np.float32]]
"""`trace.render`, or a `trace_gpu.Gpu`."""


def scenes() -> dict[str, tuple[Scene, float]]:
    """Every scene by name, with its share: what the modules of `SHARES` list as SCENES."""
    found: dict[str, tuple[Scene, float]] = {}
    for name, share in SHARES.items():
        listed: dict[str, tuple[Scene, float]] = import_module(f"training.worlds.scenes.{name}").SCENES
        total = sum(weight for _, weight in listed.values())
        found.update({k: (scene, share * weight / total) for k, (scene, weight) in listed.items()})
    return found


def photograph(
    world: World,
    camera: Camera,
    materials: Materials,
    kind: str,
    size: tuple[int, int],
    seed: int,
    draw: Draw = render,
) -> Sample:
    """Take one picture; size: (width, height), turned upright for a portrait camera."""
    rng = np.random.default_rng([seed, 1])
    if camera.portrait:
        size = (min(size), max(size))
    raw = draw(world, camera, size, 1, seed & 0x3FFFFFFF)
    depth = raw[..., 12]
    light = darkroom.defocus(darkroom.compose(raw, world.sky), depth, camera)
    rgb = darkroom.shaken(darkroom.expose(light, rng), rng)
    axes = pose(camera)
    normal = raw[..., 13:16] @ axes * np.array([1, -1, -1], np.float32)
    what = np.where(depth > 0, raw[..., 16], _beyond(world, camera, materials, size)).astype(np.uint8)
    return Sample(rgb, depth.astype(np.float32), normal.astype(np.float32), what, camera.fov, kind)


def _beyond(world: World, camera: Camera, materials: Materials, size: tuple[int, int]) -> NDArray[np.uint8]:
    """SKY or BACKDROP for each pixel's direction."""
    index, turn = int(world.sky[0]), float(world.sky[1])
    width, height = size
    if index < 0:
        return np.full((height, width), SKY, np.uint8)
    scale = max(size) / 2 / np.tan(camera.fov / 2)
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2) / scale, (height / 2 - np.arange(height) - 0.5) / scale)
    direction = np.stack([x, y, -np.ones_like(x)], -1) @ pose(camera).T
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    open_ = materials.panoramas.open[index]
    h, w = open_.shape
    u = (np.arctan2(direction[..., 0], -direction[..., 2]) - turn) / (2 * np.pi) + 0.5
    i = np.minimum((np.arccos(np.clip(direction[..., 1], -1, 1)) / np.pi * h).astype(int), h - 1)
    return np.where(open_[i, ((u % 1) * w).astype(int) % w], SKY, BACKDROP).astype(np.uint8)


def blank(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(h, w): where nothing but a plain surface is seen, so that only its surroundings can tell how far it is."""
    mean, square = (box(rgb, cv2.CV_32F, (11, 11)) for box in (cv2.boxFilter, cv2.sqrBoxFilter))
    spread = cv2.subtract(square, cv2.multiply(mean, mean))
    return cv2.inRange(spread, (-1.0,) * 3, (BLANK**2,) * 3) > 0


def useful(sample: Sample) -> bool:
    """Whether there is something to learn: not all dark or bright, not all sky, and, but for pictures, not all flat."""
    inverse = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0)
    low, high = np.quantile(inverse, [0.02, 0.98])
    lit = sample.rgb.std() > 10 and 20 < sample.rgb.mean() < 235
    known = (sample.depth > 0).mean() > 0.1 and high > 1e-4
    return bool(lit and known and (high - low > 0.02 * high or sample.kind == "flat_picture"))


def picture_size(rng: np.random.Generator, long_side: int) -> tuple[int, int]:
    """(width, height) of a usual shape, lying; the height is a multiple of 16."""
    a, b = SHAPES[int(rng.choice(len(SHAPES), p=SHAPE_WEIGHTS))]
    return long_side, round(long_side * b / a / 16) * 16


def stream(
    seed: int,
    tiles: Tiles,
    materials: Materials,
    long_side: int,
    only: tuple[str, ...] = (),
    draw: Draw = render,
    first: int = 0,
) -> Iterator[Sample]:
    """Endless useful samples; the same seed gives the same ones. `only`: names of scenes, all by default.

    first: the number of the scene to begin with.
    """
    table = {k: v for k, v in scenes().items() if not only or k in only}
    names = list(table)
    weights = np.array([table[k][1] for k in names], float)
    for number in count(first):
        rng = np.random.default_rng([seed, number])
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        stage = table[name][0](Palette(rng, tiles))
        world = assemble(stage, materials)
        for view, camera in enumerate(stage.cameras):
            grain = (seed * 1_000_003 + (number + 1) * 64 + view) & 0x3FFFFFFF
            sample = photograph(world, camera, materials, name, picture_size(rng, long_side), grain, draw)
            if useful(sample):
                yield replace(sample, number=number)
