"""Light from all around: panoramas made ready (their sun taken out), and the radiance of a direction."""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, atan2, exp, floor, pi, sqrt
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from training.worlds.noise import fractal
from training.worlds.stage import Sky, Triple

PANORAMA, TURN, SUN, SUN_COLOUR, ZENITH, HORIZON, GROUND, CLOUDS, HAZE, SEED, FILL = (
    0,
    1,
    2,
    5,
    8,
    11,
    14,
    17,
    18,
    19,
    20,
)

ROOMS = (
    "interior",
    "studio",
    "apartment",
    "hall",
    "lab",
    "lobby",
    "warehouse",
    "workshop",
    "bridge",
    "courtyard",
    "esplanade",
)


@dataclass(frozen=True, slots=True)
class Panoramas:
    """Equirectangular radiance (n, h, w, 3) without the sun; the suns' directions and irradiances, (n, 3) each.

    open (n, h, w): where the panorama shows sky rather than things. outside (n,): whether it was taken under the sky.
    """

    radiance: NDArray[np.float32]
    suns: NDArray[np.float32]
    sun_colours: NDArray[np.float32]
    open: NDArray[np.bool_]
    outside: NDArray[np.bool_]

    @classmethod
    def none(cls) -> Panoramas:
        """No panoramas: every sky is a gradient."""
        return cls(np.zeros((0, 2, 2, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32),
                   np.zeros((0, 2, 2), np.bool_), np.zeros(0, np.bool_))  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> Panoramas:
        """From an NPZ of linear RGB arrays (h, 2h, 3); a name that speaks of a room (`ROOMS`) is one."""
        with np.load(path) as archive:
            names = archive.files
            ready = [_prepare(archive[name].astype(np.float32)) for name in names]
        outside = np.array([not any(room in name for room in ROOMS) for name in names])
        radiance, suns, colours, open_ = (np.stack(column) for column in zip(*ready, strict=True))
        for i, name in enumerate(names):
            if name.endswith("_sky"):  # nothing but clouds, whose edges are no roofs
                open_[i] = np.arange(open_.shape[1])[:, None] < open_.shape[1] // 2
        return cls(radiance, suns, colours, open_ & outside[:, None, None], outside)


def _directions(h: int, w: int) -> NDArray[np.float32]:
    """(h, w, 3) unit directions of the pixel centres; the middle column looks along -z, up is y."""
    theta = (np.arange(h) + 0.5) / h * pi
    phi = ((np.arange(w) + 0.5) / w - 0.5) * 2 * pi
    s = np.sin(theta)[:, None]
    return np.stack([s * np.sin(phi), np.broadcast_to(np.cos(theta)[:, None], (h, w)), -s * np.cos(phi)], -1).astype(
        np.float32
    )


def _prepare(
    radiance: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Scaled so that a level white surface is just white; what is far brighter than the rest becomes a sun."""
    h, w = radiance.shape[:2]
    direction = _directions(h, w)
    solid = np.sin((np.arange(h) + 0.5) / h * pi)[:, None] * (pi / h) * (2 * pi / w) * np.ones((1, w))
    light = radiance.mean(2)
    limit = float(np.quantile(light, 0.99)) * 2.0
    excess = np.maximum(light - limit, 0)
    rest = radiance * np.minimum(1.0, limit / np.maximum(light, 1e-6))[..., None]
    taken = (radiance - rest) * solid[..., None] / pi
    weight = excess * solid
    sun = (direction * weight[..., None]).sum((0, 1)) if weight.sum() > 0 else np.array([0.0, 1, 0])
    sun = sun / (np.linalg.norm(sun) + 1e-9)
    aligned = np.maximum((direction * sun).sum(2), 0) ** 8  # a second lamp elsewhere is not this sun
    colour = (taken * aligned[..., None]).sum((0, 1))
    up = np.maximum(direction[..., 1], 0) * solid / pi
    level = float((rest.mean(2) * up).sum() + colour.mean() * max(sun[1], 0.05))
    rest, colour = rest / max(level, 1e-6), colour / max(level, 1e-6)
    return rest.astype(np.float32), sun.astype(np.float32), colour.astype(np.float32), _open(rest)


def _open(radiance: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Sky: from the zenith down as long as brightness changes little and nothing dark comes; rooms have none."""
    import cv2

    light = np.log(radiance.mean(2) + 1e-3)
    smooth = cv2.GaussianBlur(light, (0, 0), 1.0)
    edge = np.abs(np.diff(smooth, axis=0, prepend=smooth[:1])) > 0.35
    h = len(light)
    top = np.median(light[: h // 8])
    dark = smooth < np.minimum(top - 1.6, np.quantile(light, 0.5))
    below = np.arange(h)[:, None] > h * 0.53
    sky = np.cumsum(edge | dark | below, axis=0) == 0
    blue = radiance[: h // 4].mean((0, 1))
    rough = np.abs(np.diff(light[: h // 4], axis=1)).mean()
    if sky.mean() < 0.12 or (rough > 0.12 and blue[2] < blue[0]):
        return np.zeros_like(sky)
    return sky


def sky_row(sky: Sky, fill: Triple, panoramas: Panoramas) -> NDArray[np.float32]:
    """The sky as the row of numbers that `radiance` reads; a panorama brings its own sun."""
    index, sun, colour = sky.panorama, np.asarray(sky.sun, np.float32), np.asarray(sky.sun_colour, np.float32)
    fitting = np.flatnonzero(panoramas.outside != sky.rooms)
    if index >= 0:
        index = int(fitting[index % len(fitting)]) if len(fitting) else -1
    if index >= 0:
        x, y, z = panoramas.suns[index]
        c, s = np.cos(sky.turn), np.sin(sky.turn)
        sun, colour = np.array([c * x - s * z, y, s * x + c * z]), panoramas.sun_colours[index]
    sun = sun / (np.linalg.norm(sun) + 1e-9)
    return np.concatenate([
        [index, sky.turn], sun, colour, sky.zenith, sky.horizon, sky.ground, [sky.clouds, sky.haze, sky.seed], fill,
    ]).astype(np.float32)  # fmt: skip


@njit(cache=True, error_model="numpy", fastmath=True)
def radiance(sky, panoramas, dx, dy, dz):
    """Linear RGB that comes from a unit direction."""
    if sky[PANORAMA] >= 0:
        h, w = panoramas.shape[1], panoramas.shape[2]
        u = (atan2(dx, -dz) - sky[TURN]) / (2 * pi) + 0.5
        x = (u - floor(u)) * w - 0.5
        y = min(max(acos(min(max(dy, -1.0), 1.0)) / pi * h - 0.5, 0.0), h - 1.001)
        x0, y0 = int(floor(x)), int(y)
        a, b = x - floor(x), y - y0
        x1, x0 = (x0 + 1) % w, x0 % w
        p = int(sky[PANORAMA])
        w00, w01, w10, w11 = (1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b
        red = (
            w00 * panoramas[p, y0, x0, 0]
            + w01 * panoramas[p, y0, x1, 0]
            + w10 * panoramas[p, y0 + 1, x0, 0]
            + w11 * panoramas[p, y0 + 1, x1, 0]
        )
        green = (
            w00 * panoramas[p, y0, x0, 1]
            + w01 * panoramas[p, y0, x1, 1]
            + w10 * panoramas[p, y0 + 1, x0, 1]
            + w11 * panoramas[p, y0 + 1, x1, 1]
        )
        blue = (
            w00 * panoramas[p, y0, x0, 2]
            + w01 * panoramas[p, y0, x1, 2]
            + w10 * panoramas[p, y0 + 1, x0, 2]
            + w11 * panoramas[p, y0 + 1, x1, 2]
        )
        return red, green, blue
    if dy < 0:
        m = 1.0 - exp(dy * 12.0)
        return (sky[HORIZON] * (1 - m) + sky[GROUND] * m, sky[HORIZON + 1] * (1 - m) + sky[GROUND + 1] * m,
                sky[HORIZON + 2] * (1 - m) + sky[GROUND + 2] * m)  # fmt: skip
    m = sqrt(dy)
    red = sky[HORIZON] * (1 - m) + sky[ZENITH] * m
    green = sky[HORIZON + 1] * (1 - m) + sky[ZENITH + 1] * m
    blue = sky[HORIZON + 2] * (1 - m) + sky[ZENITH + 2] * m
    towards = max(dx * sky[SUN] + dy * sky[SUN + 1] + dz * sky[SUN + 2], 0.0)
    if sky[CLOUDS] > 0:
        q = 1.2 / (dy + 0.12)
        c = fractal(dx * q, dz * q, 0.37 * sky[SEED], int(sky[SEED]), 0.02 * q)
        c = min(max((c - 0.75 + 0.5 * sky[CLOUDS]) * 5.0, 0.0), 1.0) * min(dy * 12.0, 1.0)
        shade = 0.75 + 0.5 * fractal(dx * q * 2.3, dz * q * 2.3, 5.0, int(sky[SEED]) + 3, 0.05 * q)
        white = (sky[HORIZON] + sky[HORIZON + 1] + sky[HORIZON + 2]) / 3.0 * shade * 1.15
        red, green, blue = red + (white - red) * c, green + (white - green) * c, blue + (white - blue) * c
    glow = towards**6 * 0.12 + towards**60 * 0.3 + (4.0 if towards > 0.99985 else 0.0)
    return red + sky[SUN_COLOUR] * glow, green + sky[SUN_COLOUR + 1] * glow, blue + sky[SUN_COLOUR + 2] * glow
