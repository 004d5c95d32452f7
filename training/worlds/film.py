"""From light on the film to a photograph: denoised, hazy with distance, out of focus, exposed, toned."""

from __future__ import annotations

from math import exp

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from training.worlds.sky import HAZE, HORIZON
from training.worlds.stage import Camera

Floats = NDArray[np.float32]


@njit(cache=True, error_model="numpy", fastmath=True)
def _smooth(light, guide, step, sharp):
    """One pass of an edge-avoiding à-trous blur (Dammertz et al., 2010).

    light (h, w, 4): the last number says whether a pixel has any. guide (h, w, 4): inverse depth and normal.
    """
    h, w = light.shape[:2]
    out = np.empty_like(light)
    for y in range(h):
        for x in range(w):
            r, g, b, total = 0.0, 0.0, 0.0, 0.0
            z = guide[y, x, 0]
            for j in range(-1, 2):
                v = y + j * step
                if v < 0 or v >= h:
                    continue
                for i in range(-1, 2):
                    u = x + i * step
                    if u < 0 or u >= w:
                        continue
                    if light[v, u, 3] <= 0:
                        continue
                    like = (
                        guide[y, x, 1] * guide[v, u, 1]
                        + guide[y, x, 2] * guide[v, u, 2]
                        + guide[y, x, 3] * guide[v, u, 3]
                    )
                    if like < 0.6:
                        continue
                    apart = abs(guide[v, u, 0] - z) / (z + 1e-6)
                    k = like**8 * exp(-apart * sharp / step) * (2.0 if i == 0 else 1.0) * (2.0 if j == 0 else 1.0)
                    r, g, b, total = r + k * light[v, u, 0], g + k * light[v, u, 1], b + k * light[v, u, 2], total + k
            if total > 1e-9:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = r / total, g / total, b / total
                out[y, x, 3] = 1.0
            else:
                out[y, x] = light[y, x]
    return out


def compose(film: Floats, sky: Floats) -> Floats:
    """Linear RGB (h, w, 3) of a film (see trace.FILM): soft light smoothed, colour put back on, haze laid over."""
    depth = film[..., 12]
    inverse = np.where(depth > 0, 1 / np.maximum(depth, 1e-3), 0).astype(np.float32)
    guide = np.ascontiguousarray(np.concatenate([inverse[..., None], film[..., 13:16]], -1))
    asked = film[..., 17:] > 0
    limit = float(np.quantile(film[..., 6:9][asked[..., 0]], 0.99)) if asked.any() else 0.0
    soft = np.concatenate([np.minimum(film[..., 6:9], limit), asked], -1).astype(np.float32)
    for step in (1, 2, 4, 8):
        soft = _smooth(soft, guide, step, 12.0)
    soft = soft[..., :3]
    shine = np.minimum(film[..., 9:12], np.quantile(film[..., 9:12], 0.995) * 1.5 + 0.05)
    blurred = cv2.GaussianBlur(shine, (0, 0), 0.8)
    shine = np.where((depth > 0)[..., None], blurred, shine)
    light = film[..., 0:3] + film[..., 3:6] * soft + shine
    if sky[HAZE] > 0:
        clear = np.where(depth > 0, np.exp(-sky[HAZE] * depth), 1.0)[..., None]
        light = light * clear + sky[HORIZON : HORIZON + 3] * (1 - clear)
    return light.astype(np.float32)


def defocus(light: Floats, depth: Floats, camera: Camera) -> Floats:
    """The picture through a lens of the camera's aperture: discs of confusion, near ones over far ones."""
    if camera.aperture <= 0:
        return light
    long_side = max(light.shape[:2])
    focal = long_side / 2 / np.tan(camera.fov / 2)
    inverse = np.where(depth > 0, 1 / np.maximum(depth, 1e-3), 0)
    radius = camera.aperture / 2 * focal * (inverse - 1 / max(camera.focus, 1e-3))  # pixels; positive in front
    near, far = np.maximum(radius, 0), np.maximum(-radius, 0)
    out, steps = light.copy(), (0.7, 1.4, 2.8, 5.6, 11.0)
    for size in steps:  # behind the focus: blurred among themselves only
        member = np.clip((far - size * 0.7) / (size * 0.3), 0, 1) * (near <= 0)
        if member.max() <= 0:
            continue
        open_ = ((far > size * 0.35) & (near <= 0)).astype(np.float32)
        spread = _disc(light * open_[..., None], size) / np.maximum(_disc(open_, size), 1e-3)[..., None]
        out += (spread - out) * member[..., None]
    for size in steps:  # before the focus: their discs spill over what is sharp
        member = (near > size * 0.7).astype(np.float32)
        if member.max() <= 0:
            continue
        cover = _disc(member, size)
        spread = _disc(light * member[..., None], size)
        out = out * (1 - cover[..., None]) + spread
    return out.astype(np.float32)


def _disc(picture: Floats, radius: float) -> Floats:
    n = int(np.ceil(radius)) * 2 + 1
    y, x = np.mgrid[:n, :n] - n // 2
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return cv2.filter2D(picture.astype(np.float32), -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def expose(light: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Linear light to an sRGB picture as a camera's automatic would, with its failures.

    Exposure, white balance, glow, curve, saturation and dark corners are each a little off.
    """
    grey = light.mean(2)
    key = exp(float(np.log(np.maximum(grey, 1e-4)).mean())) * 0.6 + float(np.quantile(grey, 0.8)) * 0.4
    exposed = light * (rng.choice([0.22, 0.3]) * exp(rng.normal() * 0.3) / max(key, 1e-5))
    exposed = exposed * np.exp(rng.normal(size=3) * 0.06)
    if rng.random() < 0.5:  # glow of what is too bright
        bright = np.maximum(exposed - 1.0, 0)
        exposed = exposed + cv2.GaussianBlur(np.minimum(bright, 4), (0, 0), rng.uniform(2, 8)) * rng.uniform(0, 0.3)
    shoulder = rng.uniform(0.0, 0.8)
    exposed = exposed * (1 + exposed * shoulder * 0.15) / (1 + exposed * shoulder)
    mean = exposed.mean(2, keepdims=True)
    exposed = np.maximum(mean + (exposed - mean) * rng.uniform(0.7, 1.4), 0)
    h, w = light.shape[:2]
    y, x = np.mgrid[:h, :w]
    edge = ((x - w / 2) ** 2 + (y - h / 2) ** 2) / (w * w + h * h) * 4
    exposed = exposed * (1 - rng.uniform(0, 0.35) * edge * (rng.random() < 0.5))[..., None]
    code = np.where(exposed < 0.0031308, 12.92 * exposed, 1.055 * np.maximum(exposed, 1e-6) ** (1 / 2.4) - 0.055)
    return (np.clip(code, 0, 1) * 255 + 0.5).astype(np.uint8)


def shaken(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Now and then a hand moved while the shutter was open: a blur along a short line."""
    if rng.random() > 0.06:
        return picture
    n = int(rng.choice([3, 5, 7]))  # odd: an even kernel would shift the picture against its depth
    kernel = np.zeros((n, n), np.float32)
    angle = rng.uniform(0, np.pi)
    for s in np.linspace(-(n - 1) / 2, (n - 1) / 2, 4 * n):
        kernel[round((n - 1) / 2 + s * np.sin(angle)), round((n - 1) / 2 + s * np.cos(angle))] = 1
    return cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
