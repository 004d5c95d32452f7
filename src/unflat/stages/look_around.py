"""A network looks around: through windows that overlap, whose distances are then brought together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from unflat.geometry.agree import Sighting, agreed
from unflat.geometry.align import assume_scale
from unflat.geometry.cube import norms
from unflat.geometry.panorama import Window, in_panorama, in_window, inside, turn_deg, window_rays
from unflat.geometry.zenith import sky_overhead
from unflat.stages.estimate_depth import Estimate
from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.camera import Intrinsics
from unflat.types.image import Size
from unflat.types.panorama import Panorama

TANGENTS: tuple[tuple[float, float, float], ...] = (
    *((45.0 * k, 0.0, 100.0) for k in range(8)),
    (0.0, 90.0, 110.0),
    (0.0, -90.0, 110.0),
)
"""Longitude, latitude and angle of view of the windows that a network looks through. Wide ones: a network that sees
floor, walls and ceiling together errs less than one that sees a piece of ceiling (benchmarks/panorama.py)."""
WINDOW = 640
"""Most pixels on the side of such a window."""
LEAST = 0.15
"""Windows that show less of the panorama than this are left out."""
_DIRECTIONS, _ROW = 8192, 64
_SKY = 0.3
"""What is sky with more than this probability tells nothing of distances."""
_MOSTLY = 0.8
"""Rows and columns of a window that show less of the panorama than this share of the fullest one are cut off."""
_UP = 0.7
"""Sine of the latitude above which a window looks up."""
_TOUCHED = 0.02
"""Where other windows weigh less than this they do not look."""
_FEATHER = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a network saw through one window, at its own resolution.

    Attributes:
        window: Its camera is that of the arrays.
        log: (h, w) logarithm of distance up to an unknown shift.
        sky: (h, w) probability of sky.
        belief: (h, w) >= 0, one over the expected error.
        confidence: (h, w) 0..1; None where the network does not say.
    """

    window: Window
    log: F32
    sky: F32
    belief: F32
    confidence: F32 | None


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """What all windows together see in one.

    Attributes:
        distance: (h, w) along each pixel's ray, up to one factor.
        known: (h, w), where any window looked.
        sky: (h, w) probability of sky.
        confidence: (h, w) 0..1, or None.
    """

    distance: F32
    known: Bool
    sky: F32
    confidence: F32 | None


def tangent_windows(panorama: Panorama) -> list[Window]:
    """The windows that a network looks through: each cut to what it shows of the panorama."""
    windows: list[Window] = []
    middle = (panorama.left_deg + panorama.right_deg) / 2
    for longitude, latitude, fov in TANGENTS:
        side = min(WINDOW, max(64, round(2 * math.tan(math.radians(fov / 2)) * panorama.pixels_per_radian)))
        camera = Intrinsics.from_fov(fov, Size(side, side))
        turn = panorama.scene_from_panorama @ turn_deg(middle + longitude, latitude)
        whole = Window("tangent", camera, turn)
        if panorama.whole:
            windows.append(whole)
            continue
        shown = inside(panorama, whole)
        rows, columns = (np.flatnonzero(s > _MOSTLY * s.max()) for s in (shown.mean(axis=1), shown.mean(axis=0)))
        if shown.mean() < LEAST or min(len(rows), len(columns)) < 32:
            continue
        size = Size(int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1))
        windows.append(Window("tangent", camera.cropped(float(columns[0]), float(rows[0]), size), turn))
    return windows


def settle_sky(looks: list[Looked], pictures: list[U8]) -> list[Looked]:
    """Windows that look up learn from the others what is sky: no network knows a plain sky from a ceiling.

    Args:
        looks: What a network saw through each window.
        pictures: What each window shows, of any size.
    """
    settled = list(looks)
    for i, look in enumerate(looks):
        if -look.window.scene_from_window[1, 2] < _UP:
            continue
        size = look.window.camera.size
        rays = window_rays(look.window)
        total, sky = np.zeros(size.shape, np.float32), np.zeros(size.shape, np.float32)
        for other in looks[:i] + looks[i + 1 :]:
            seen, x, y = _places(other, rays)
            share = seen * _feather(*_shares(other, x, y))
            total += share
            sky += share * _read(other.sky, x, y)
        beside = (sky / np.maximum(total, np.float32(1e-9))).astype(np.float32)
        picture = cv2.resize(pictures[i], (size.width, size.height), interpolation=cv2.INTER_AREA)
        open_ = sky_overhead(np.asarray(picture, np.uint8), beside, total > _TOUCHED)
        settled[i] = replace(look, sky=np.where(open_, np.float32(1), look.sky))
    return settled


def bring_together(looks: list[Looked], panorama: Panorama) -> tuple[F64, tuple[float, float]]:
    """The fields that make the windows agree, and how far they are apart before and after (share of the distance)."""
    directions = _directions()
    sightings = [_sighting(look, directions) for look in looks]
    within = in_panorama(panorama, directions)[2].ravel()
    sightings = [replace(one, seen=one.seen & within) for one in sightings]
    moved = agreed(sightings, 1)
    fields = agreed(sightings)
    before, after = [], []
    for i, first in enumerate(sightings):
        for j in range(i + 1, len(sightings)):
            second = sightings[j]
            both = first.seen & second.seen & (first.weight > 0) & (second.weight > 0)
            apart = first.log - second.log
            before.append(abs(apart + moved[i, 0, 0] - moved[j, 0, 0])[both])
            after.append(abs(apart + _field(fields[i], first.x, first.y) - _field(fields[j], second.x, second.y))[both])
    if not before or not sum(map(len, before)):
        return fields, (0.0, 0.0)
    return fields, (
        float(np.expm1(np.median(np.concatenate(before)))),
        float(np.expm1(np.median(np.concatenate(after)))),
    )


def looked(window: Window, seen: Estimate) -> Looked:
    """A network's depth as logarithms of distance."""
    depth = assume_scale(seen.depth)
    camera = window.camera.resized(depth.size)
    small = Window(window.name, camera, window.scene_from_window)
    z = np.where(depth.surface & np.isfinite(depth.values) & (depth.values > 0), depth.values, np.float32(1))
    sky = seen.sky_probability
    if sky is None:
        sky = np.zeros(z.shape, np.float32) if depth.sky is None else depth.sky.astype(np.float32)
    belief = np.ones(z.shape, np.float32)
    if depth.confidence is not None:
        belief = -np.log(np.maximum(1 - depth.confidence, np.float32(1e-4)))
    belief = belief * np.asarray(depth.valid)
    return Looked(small, np.log(z * norms(small)).astype(np.float32), sky, belief, depth.confidence)


def _read(plane: F32, x: F32, y: F32) -> F32:
    """A plane at pixels (rows, columns of any shape with two axes), bilinear, its border beyond it."""
    half = np.float32(0.5)
    return np.asarray(
        cv2.remap(plane, x - half, y - half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def blended(looks: list[Looked], fields: F64, window: Window) -> Blend:
    """What all windows together see in one that is coarse: means weighed by belief, fading to each window's border."""
    rays = window_rays(window)
    total, log, sky, sure = (np.zeros(rays.shape[:2]) for _ in range(4))
    for look, field in zip(looks, fields, strict=True):
        seen, x, y = _places(look, rays)
        across, down = _shares(look, x, y)
        share = np.where(seen, _feather(across, down) * _read(look.belief, x, y) + 1e-9, 0)
        total += share
        log += share * (_read(look.log, x, y) + _field(field, across, down))
        sky += share * _read(look.sky, x, y)
        sure += 0 if look.confidence is None else share * _read(look.confidence, x, y)
    known = total > 0
    total = np.where(known, total, 1)
    confidence = None if looks[0].confidence is None else (sure / total).astype(np.float32)
    return Blend(np.exp(log / total).astype(np.float32), known, (sky / total).astype(np.float32), confidence)


def _places(look: Looked, rays: F32) -> tuple[Bool, F32, F32]:
    """Which directions (m, n, 3) a window sees, and at which of its pixels; 0 where it does not."""
    size = look.window.camera.size
    x, y, along = in_window(look.window, rays)
    seen = (along > 0) & (x > 0) & (x < size.width) & (y > 0) & (y < size.height)
    return seen, np.where(seen, x, np.float32(0)), np.where(seen, y, np.float32(0))


def _shares(look: Looked, x: F32, y: F32) -> tuple[F32, F32]:
    """Pixels of a window as shares of its width and height."""
    size = look.window.camera.size
    return (x / np.float32(size.width)).astype(np.float32), (y / np.float32(size.height)).astype(np.float32)


def _feather(across: F32, down: F32) -> F32:
    """How much a place of a window counts: fully in its middle, not at all at its border."""
    return ((np.sin(math.pi * across) * np.sin(math.pi * down)).clip(0) ** _FEATHER).astype(np.float32)


def _sighting(look: Looked, rays: F32) -> Sighting:
    """What directions (m, n, 3) look like through one window; the arrays are (m·n,)."""
    seen, x, y = _places(look, rays)
    across, down = _shares(look, x, y)
    weight = _feather(across, down) * _read(look.belief, x, y) * (seen & (_read(look.sky, x, y) < _SKY))
    flat = (plane.ravel().astype(np.float32) for plane in (across, down, _read(look.log, x, y), weight))
    return Sighting(seen.ravel(), *flat)


def _field(field: F64, x: F32, y: F32) -> F32:
    """A field over a window at places 0..1."""
    last = len(field) - 1
    plane = field.astype(np.float32)
    shape = x.shape if x.ndim == 2 else (-1, _ROW)
    across, down = (np.clip(place, 0, 1).astype(np.float32).reshape(shape) * np.float32(last) for place in (x, y))
    return np.asarray(cv2.remap(plane, across, down, cv2.INTER_LINEAR), np.float32).reshape(x.shape)


def _directions() -> F32:
    """(m, n, 3) directions evenly spread over the sphere (a Fibonacci spiral)."""
    i = np.arange(_DIRECTIONS) + 0.5
    y = 1 - 2 * i / _DIRECTIONS
    flat, angle = np.sqrt(1 - y * y), i * math.pi * (3 - math.sqrt(5))
    return np.stack([flat * np.cos(angle), y, flat * np.sin(angle)], 1).astype(np.float32).reshape(-1, _ROW, 3)
