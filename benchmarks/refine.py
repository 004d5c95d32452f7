"""How well a soft coarse map is brought onto the outlines of its picture.

    python benchmarks/refine.py                 known worlds, drawn here
    python benchmarks/refine.py --pairs FOLDER  also measured pairs (a folder with pairs.py in it)
    python benchmarks/refine.py --speed         also the time at 1600×1200 and 4000×3000

Each exact map is made eight times smaller, blurred, displaced and made noisy, as a network would see it, and then
enlarged in several ways. Columns: boundary F1 (steps of ratio 1.25, within 1 pixel); ramp: share of the pixels
within 8 pixels of a true outline that lie on neither surface (5 %); AbsRel over all pixels and within that band.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from unflat.geometry.refine import RefineOptions, refine_depth
from unflat.types.arrays import F32, U8, Bool
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size

FULL = Size(1600, 1200)
SHRINK = 8
STEP_RATIO = 1.25
BAND = 8

Pair = tuple[str, U8, F32, Bool]


def texture(rng: np.random.Generator, size: Size, contrast: float) -> F32:
    """A coloured surface: noise of several sizes, sometimes a print of stripes; (h, w, 3) in 0..255."""
    base = rng.uniform(50, 205, 3)
    out = np.tile(base, (*size.shape, 1)).astype(np.float32)
    for cell in (4, 16, 64, 256):
        grid = rng.normal(0, contrast, (size.height // cell + 2, size.width // cell + 2, 1)) * rng.uniform(0.5, 1, 3)
        out += cv2.resize(grid.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        x, y = np.meshgrid(np.arange(size.width), np.arange(size.height))
        wave = np.sin((x * rng.normal() + y * rng.normal()) * rng.uniform(0.03, 0.3)) > 0
        out += wave[..., None].astype(np.float32) * rng.normal(0, 3 * contrast, 3).astype(np.float32)
    return out


def world(seed: int, size: Size = FULL) -> Pair:
    """Ellipses, boxes, bars and spheres before a floor and a wall, all textured; depth in metres, exact."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(
        (np.arange(size.width) + 0.5) / size.width - 0.5,
        ((np.arange(size.height) + 0.5) - size.height / 2) / size.width,
    )
    wall = rng.uniform(6, 12)
    inverse = np.maximum(1 / wall * (1 + rng.normal(0, 0.2) * x), y / 1.5)
    picture = texture(rng, size, rng.uniform(1, 10))
    floor = (y / 1.5 > 1 / wall)[..., None]
    picture = np.where(floor, texture(rng, size, rng.uniform(1, 10)), picture)
    for z in np.sort(rng.uniform(1.5, 0.7 * wall, 9))[::-1]:
        cx, cy, rx, ry = (
            rng.uniform(-0.45, 0.45),
            rng.uniform(-0.25, 0.3),
            rng.uniform(0.02, 0.14),
            rng.uniform(0.04, 0.2),
        )
        a, b = (x - cx) / rx, (y - cy) / ry
        shape = rng.integers(4)
        if shape == 0:
            inside = a**2 + b**2 < 1
            here = np.full_like(x, 1 / z)
        elif shape == 1:
            inside = (np.abs(a) < 1) & (np.abs(b) < 1)
            here = 1 / z * (1 + 0.1 * rng.normal() * a)
        elif shape == 2:
            inside = np.abs(a * np.cos(cx * 7) + b * np.sin(cx * 7)) < 0.15
            inside &= a**2 + b**2 < 4
            here = np.full_like(x, 1 / z)
        else:
            inside = a**2 + b**2 < 1
            here = 1 / (z - 0.2 * np.sqrt(np.maximum(1 - a**2 - b**2, 0)))
        inverse = np.where(inside, here, inverse)
        picture = np.where(inside[..., None], texture(rng, size, rng.uniform(1, 10)), picture)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.7) + rng.normal(0, 3, picture.shape)
    rgb = np.clip(picture, 0, 255).astype(np.uint8)
    return f"world {seed}", rgb, (1 / inverse).astype(np.float32), np.ones(size.shape, bool)


def degraded(z: F32, valid: Bool, seed: int, shrink: int = SHRINK) -> F32:
    """Inverse depth as a network gives it: small, blurred, outlines displaced by about 0.6 pixels, 0.5 % noise."""
    rng = np.random.default_rng(seed)
    h, w = z.shape[0] // shrink, z.shape[1] // shrink
    inverse = np.where(valid, 1 / np.where(valid, z, 1), 0).astype(np.float32)
    weight = cv2.resize(valid.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    small = cv2.resize(inverse, (w, h), interpolation=cv2.INTER_AREA)
    soft, part = cv2.GaussianBlur(small, (0, 0), 1.2), cv2.GaussianBlur(weight, (0, 0), 1.2)
    for sigma in (3, 12, 48):  # holes take what lies around them; nothing is measured there
        lack = np.clip(1 - 4 * part, 0, 1)
        soft = soft + lack * cv2.GaussianBlur(small, (0, 0), sigma)
        part = part + lack * cv2.GaussianBlur(weight, (0, 0), sigma)
    small = soft / np.maximum(part, 1e-6)
    move = [cv2.GaussianBlur(rng.normal(0, 1, (h, w)).astype(np.float32), (0, 0), 5) * 0.6 * 2 * 5 * 1.77 for _ in "xy"]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    small = cv2.remap(small, x + move[0], y + move[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.maximum(small * (1 + rng.normal(0, 0.005, (h, w))), 1e-3).astype(np.float32)


def steps(z: F32, valid: Bool) -> Bool:
    """Pixels beside a step of ratio 1.25 to the right or below."""
    out = np.zeros(z.shape, bool)
    for axis in (0, 1):
        a, b = (z[:-1], z[1:]) if axis == 0 else (z[:, :-1], z[:, 1:])
        va, vb = (valid[:-1], valid[1:]) if axis == 0 else (valid[:, :-1], valid[:, 1:])
        step = (np.maximum(a, b) > STEP_RATIO * np.minimum(a, b)) & va & vb
        (out[:-1] if axis == 0 else out[:, :-1])[step] = True
    return out


def measure(z: F32, truth: F32, valid: Bool) -> tuple[float, float, float, float]:
    """(boundary F1, ramp share, AbsRel, AbsRel in the band)."""
    cross = np.ones((3, 3), np.uint8)
    true, found = steps(truth, valid), steps(z, valid)
    hit = (found & (cv2.dilate(true.astype(np.uint8), cross) > 0)).sum() / max(found.sum(), 1)
    kept = (true & (cv2.dilate(found.astype(np.uint8), cross) > 0)).sum() / max(true.sum(), 1)
    f1 = 2 * hit * kept / max(hit + kept, 1e-9)
    window = np.ones((2 * BAND + 1,) * 2, np.uint8)
    band = (cv2.dilate(true.astype(np.uint8), window) > 0) & valid
    near = cv2.erode(np.where(valid, truth, 1e6).astype(np.float32), window)
    far = cv2.dilate(np.where(valid, truth, 0).astype(np.float32), window)
    error = np.abs(z - truth) / np.where(valid, truth, 1)
    ramp = band & (z > 1.05 * near) & (z < far / 1.05) & (error > 0.05)
    return f1, ramp.sum() / max(band.sum(), 1), float(error[valid].mean()), float(error[band].mean())


def enlarged(method: int) -> Callable[[F32, U8], F32]:
    """Inverse depth enlarged without looking at the picture."""
    return lambda small, rgb: 1 / np.maximum(cv2.resize(small, rgb.shape[1::-1], interpolation=method), 1e-4)


def guided(small: F32, rgb: U8, radius: int = 2, epsilon: float = 1e-3) -> F32:
    """The fast guided filter of He and Sun (2015): fitted at the small size, grey guide."""
    guide = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    low = cv2.resize(guide, small.shape[::-1], interpolation=cv2.INTER_AREA)
    mean = lambda a: cv2.blur(a, (2 * radius + 1,) * 2)  # noqa: E731
    slope = (mean(low * small) - mean(low) * mean(small)) / (mean(low * low) - mean(low) ** 2 + epsilon)
    offset = mean(small) - slope * mean(low)
    big = [cv2.resize(mean(a), guide.shape[::-1], interpolation=cv2.INTER_LINEAR) for a in (slope, offset)]
    return 1 / np.maximum(big[0] * guide + big[1], 1e-4)


def ours(small: F32, rgb: U8, options: RefineOptions | None = None) -> F32:
    """What the program does."""
    size = Size(rgb.shape[1], rgb.shape[0])
    return np.asarray(refine_depth(DepthMap(1 / small, DepthKind.SCALE), rgb, size, options=options).values)


METHODS: dict[str, Callable[[F32, U8], F32]] = {
    "nearest": enlarged(cv2.INTER_NEAREST),
    "bicubic": enlarged(cv2.INTER_CUBIC),
    "guided": guided,
    "refine": ours,
}


def table(title: str, pairs: Iterator[Pair], shrink: int = SHRINK) -> None:
    """Print the means over all pairs."""
    rows: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in METHODS}
    for seed, (_, rgb, z, valid) in enumerate(pairs):
        small = degraded(z, valid, seed, shrink)
        for name, method in METHODS.items():
            rows[name].append(measure(method(small, rgb), z, valid))
    print(f"{title}, {len(rows['nearest'])} pictures")
    print(f"{'':10}{'F1':>8}{'ramp':>8}{'AbsRel':>8}{'band':>8}")
    for name, values in rows.items():
        print(f"{name:10}" + "".join(f"{v:8.3f}" for v in np.mean(values, axis=0)))


def measured(folder: Path) -> Iterator[tuple[str, Iterator[Pair]]]:
    """The dense sets of a folder of measured pairs."""
    sys.path.insert(0, str(folder))
    from pairs import pairs  # type: ignore[import-not-found]

    for name in ("kitchen_7scenes", "slambook2_rgbd", "open3d_rgbd", "promptda_arkit"):
        yield name, ((meta["id"], rgb, z, valid) for rgb, z, valid, meta in pairs(only=[name]))


def speed() -> None:
    """Best of five after compilation."""
    _, rgb, z, valid = world(0)
    small = degraded(z, valid, 0, 6)
    depth = DepthMap(1 / small, DepthKind.SCALE, confidence=np.ones_like(small))
    for size in (FULL, Size(4000, 3000)):
        picture = cv2.resize(rgb, (size.width, size.height))
        best = np.inf
        for _ in range(6):
            start = time.perf_counter()
            refine_depth(depth, picture, size)
            best = min(best, time.perf_counter() - start)
        print(f"{depth.size} -> {size}: {1000 * best:.0f} ms")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--worlds", type=int, default=6)
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    table("known worlds", (world(seed) for seed in range(options.worlds)))
    if options.pairs:
        for name, pairs in measured(options.pairs):
            table(name, pairs, 4)
    if options.speed:
        speed()


if __name__ == "__main__":
    main()
