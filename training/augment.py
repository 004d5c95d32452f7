"""What happens to a picture between the world and the eye: crop, blur, JPEG, tones, grain, manners of other pictures.

Exchanging low Fourier amplitudes with unlabelled free pictures is Yang and Soatto, "FDA", CVPR 2020; matching colour
statistics is Reinhard et al., 2001; random convolutions are Xu et al., ICLR 2021.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from training.worlds.film import expose

Floats = NDArray[np.float32]


def crop(
    rgb: NDArray[np.uint8], inverse: NDArray[np.float16], what: NDArray[np.uint8], focal: float,
    size: tuple[int, int], rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], Floats, NDArray[np.uint8], float]:  # fmt: skip
    """A part of the picture, mirrored half the time, at size (width, height), with its inverse depth, kinds and focal.

    rgb (h, w, 3), inverse (h, w), what (h, w) and the focal length over the long side; the part has the shape of
    `size`, so nothing is stretched.
    """
    width, height = size
    h, w = inverse.shape
    part = 1.0 if rng.random() < 0.4 else rng.uniform(0.5, 1.0)
    ch = int(min(h, w * height / width) * part)
    cw = min(round(ch * width / height), w)
    y, x = int(rng.integers(0, h - ch + 1)), int(rng.integers(0, w - cw + 1))
    columns = slice(x, x + cw) if rng.random() < 0.5 else slice(x + cw - 1, x - 1 if x else None, -1)
    part_rgb, part_inverse, part_what = (np.ascontiguousarray(a[y : y + ch, columns]) for a in (rgb, inverse, what))
    picture = cv2.resize(part_rgb, size, interpolation=cv2.INTER_AREA if cw >= width else cv2.INTER_LINEAR)
    depth = cv2.resize(part_inverse.astype(np.float32), size, interpolation=cv2.INTER_NEAREST_EXACT)
    kind = cv2.resize(part_what, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return picture, depth, kind, focal * max(w, h) / max(cw, ch)


def photometric(picture: NDArray[np.uint8], rng: np.random.Generator, others: NDArray[np.uint8] | None) -> Floats:
    """The picture as some camera, lens, scanner or age would have left it; (h, w, 3) in 0..1.

    others: (n, h, w, 3) unlabelled free pictures whose manner may be borrowed.
    """
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.5))
    if rng.random() < 0.3:
        done, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 92))])
        if not done:
            raise RuntimeError("a picture could not be encoded as JPEG")
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
    a = picture.astype(np.float32) / 255
    if others is not None and len(others) and rng.random() < 0.2:
        other = others[int(rng.integers(len(others)))]
        other = cv2.resize(other, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
        if rng.random() < 0.5:
            a = _amplitudes(a, other, rng.uniform(0.003, 0.015))
        else:
            a = _statistics(a, other, rng.uniform(0.2, 0.7))
    if rng.random() < 0.08:
        a = _convolved(a, rng)
    a = _medium(a, rng)
    a = (np.maximum(a, 0) ** rng.uniform(0.6, 1.6) - 0.5) * rng.uniform(0.6, 1.4) + 0.5 + rng.uniform(-0.12, 0.12)
    a = a * rng.uniform(0.88, 1.13, 3).astype(np.float32)
    if rng.random() < 0.04:
        a = a[..., rng.permutation(3)]
    if rng.random() < 0.2:
        gain = rng.uniform(0.6, 1.4, (3, 4)).astype(np.float32)
        a = a * cv2.resize(gain, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_CUBIC)[..., None]
    if rng.random() < 0.5:
        grain = rng.standard_normal(a.shape, np.float32) * rng.uniform(0, 0.05)
        a = a + (cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.5 if rng.random() < 0.5 else grain)
    return np.clip(a, 0, 1, dtype=np.float32)


def _amplitudes(a: Floats, other: Floats, share: float) -> Floats:
    """The picture with the amplitudes of its lowest frequencies (a share of them along each axis) from the other."""
    ours, theirs = np.fft.rfft2(a, axes=(0, 1)), np.fft.rfft2(other, axes=(0, 1))
    rows, columns = max(int(a.shape[0] * share), 1), max(int(a.shape[1] * share), 1)
    size = np.abs(ours)
    for part in (slice(0, rows), slice(-rows, None)):
        size[part, :columns] = np.abs(theirs[part, :columns])
    mixed = size * np.exp(1j * np.angle(ours))
    return np.clip(np.fft.irfft2(mixed, a.shape[:2], axes=(0, 1)), 0, 1).astype(np.float32)


def _statistics(a: Floats, other: Floats, weight: float) -> Floats:
    """The picture moved by `weight` towards the mean and spread of each of the other's colours."""
    like = (a - a.mean((0, 1))) / (a.std((0, 1)) + 0.02) * (other.std((0, 1)) + 0.02) + other.mean((0, 1))
    return np.clip(a + weight * (like - a), 0, 1).astype(np.float32)


def _medium(a: Floats, rng: np.random.Generator) -> Floats:
    """Now and then a painting, a drawing, black and white, or sepia."""
    if rng.random() < 0.07:
        a = _painted(a, rng) if rng.random() < 0.6 else _drawn(a, rng)
    if rng.random() < 0.12:
        a = np.repeat(a @ np.array([[0.3], [0.59], [0.11]], np.float32), 3, 2)
        if rng.random() < 0.3:
            a = a * np.array([1.05, 0.95, 0.75], np.float32)
    return a


def _painted(a: Floats, rng: np.random.Generator) -> Floats:
    """Flat strokes: detail smoothed within edges, few tones, a canvas's weave."""
    side = int(rng.integers(5, 10))
    for _ in range(2):
        a = cv2.bilateralFilter(a, side, float(rng.uniform(0.08, 0.25)), side / 2)
    tones = int(rng.integers(5, 16))
    a = a + (np.rint(a * tones) / tones - a) * rng.uniform(0, 1)
    weave = rng.normal(size=a.shape[:2]).astype(np.float32) * rng.uniform(0, 0.05)
    return a + cv2.GaussianBlur(weave, (0, 0), rng.uniform(0.6, 1.5))[..., None]


def _drawn(a: Floats, rng: np.random.Generator) -> Floats:
    """Ink on paper: lines where brightness changes (difference of Gaussians), some tone left between them."""
    grey = a.mean(2)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), s) for s in (0.8, 1.6))
    ink = np.clip((coarse - fine) * rng.uniform(12, 30), 0, 1)
    paper = 1 - (1 - grey) * rng.uniform(0, 0.5)
    return np.repeat((paper * (1 - ink))[..., None], 3, 2)


def _convolved(a: Floats, rng: np.random.Generator) -> Floats:
    """The picture through a random 3×3 kernel, stretched to 0..1 again."""
    kernel = rng.normal(size=(3, 3)).astype(np.float32) * 0.15
    kernel[1, 1] += 1
    b = cv2.filter2D(a, -1, kernel, borderType=cv2.BORDER_REFLECT)
    low, high = np.quantile(b[::4, ::4], [0.01, 0.99])
    return np.clip((b - low) / max(high - low, 1e-3), 0, 1).astype(np.float32)


def manners(panoramas: Floats, rng: np.random.Generator, count: int = 128, side: int = 128) -> NDArray[np.uint8]:
    """(count, side, side * 4 / 3, 3): views into panoramas (n, h, w, 3 linear), as unlabelled real pictures."""
    views = []
    width = side * 4 // 3
    for _ in range(count):
        pano = panoramas[int(rng.integers(len(panoramas)))]
        yaw, pitch, f = rng.uniform(0, 2 * np.pi), rng.normal() * 0.2, rng.uniform(0.7, 1.4) * width / 2
        x, y = np.meshgrid((np.arange(width) - width / 2) / f, (np.arange(side) - side / 2) / f)
        y, z = y * np.cos(pitch) - np.sin(pitch), y * np.sin(pitch) + np.cos(pitch)
        u = (np.arctan2(x, z) + yaw) / (2 * np.pi) % 1 * pano.shape[1]
        v = (np.arctan2(y, np.hypot(x, z)) / np.pi + 0.5) * pano.shape[0]
        view = cv2.remap(pano, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        views.append(expose(np.maximum(view, 0), rng))
    return np.stack(views)
