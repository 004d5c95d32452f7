"""Small films whose depth is exact, for what works on time."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.stages.stabilise_depth import RawDepth
from unflat.types.clip import TimedFrame

Array = NDArray[np.float32]
HEIGHT, WIDTH = 96, 128


@cache
def texture(seed: int, height: int = HEIGHT * 2, width: int = WIDTH * 3) -> NDArray[np.uint8]:
    """Cloudy colours with much to hold on to; another palette for every seed."""
    rng = np.random.default_rng(seed)
    made = np.zeros((height, width, 3), np.float32)
    for cell in (2, 5, 12, 30):
        coarse = rng.random((height // cell + 2, width // cell + 2, 3), np.float32) - 0.5
        made += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * cell**0.5
    base = rng.uniform(60, 200, 3)
    return np.clip(base + made * 18, 0, 255).astype(np.uint8)


def scene(seed: int, moved: float = 0.0, thing: float | None = None) -> tuple[NDArray[np.uint8], Array]:
    """A slanted ground moved by whole and part pixels, and a near disc at a column of its own.

    Returns:
        (h, w, 3) uint8 picture and (h, w) exact inverse depth at half its size.
    """
    ground = texture(seed)
    way = np.array([[1, 0, -20 - moved], [0, 1, -20]], np.float32)
    picture = cv2.warpAffine(ground, way, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    inverse = np.linspace(0.3, 0.7, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, 1)
    if thing is not None:
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32) + 0.5
        disc = np.clip(20.5 - np.hypot(x - thing, y - HEIGHT / 2), 0, 1)
        skin = cv2.warpAffine(
            texture(seed + 1), np.array([[1, 0, thing - 90], [0, 1, -40]], np.float32), (WIDTH, HEIGHT)
        )
        picture = (picture * (1 - disc[..., None]) + (255 - skin) * disc[..., None]).astype(np.uint8)
        inverse = np.where(disc >= 0.5, np.float32(1), inverse)
    half = np.asarray(cv2.resize(inverse, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(picture, np.uint8), half


def taken(pixels: NDArray[np.uint8], inverse: Array, number: int) -> tuple[TimedFrame, RawDepth]:
    """A frame of a film at 24 frames a second, and what was seen in it."""
    return TimedFrame(pixels, Fraction(number, 24), number), RawDepth(inverse)


def noisy(pixels: NDArray[np.uint8], rng: np.random.Generator, strength: float = 6.0) -> NDArray[np.uint8]:
    """With a camera's noise."""
    return np.clip(pixels + rng.normal(0, strength, pixels.shape), 0, 255).astype(np.uint8)
