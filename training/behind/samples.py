"""Samples for the network `behind`: a picture with a part covered, as near things cover what is behind them.

The cover is the outline of a near thing of another picture, so its shape is that of things. What lies under it, as far
in as an eye that moves aside would see, is the answer; the membrane that continues the visible colours over it is the
question. Pictures come from the shards that the painters leave (see training.shards).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from training import shards
from unflat.geometry.membrane import membrane

SIZE = 128
"""Pixels of a side of a sample."""
ZOOM = (0.62, 2.5)
"""Pixels of a sample for a pixel of the picture."""
SHARE = (0.03, 0.6)
"""How much of a sample is covered."""
FAR_IN = (4, 40)
"""How far in from its outline the cover is looked under, in pixels."""
DULL = 2e-4
"""A membrane with less squared error teaches only to leave it alone: a wall, the sky."""
DULL_SHARE = 0.3
"""So many of these are kept."""
SEAM = 4
"""Up to so many pixels beside an outline show both surfaces and are nobody's."""


class Sample(NamedTuple):
    """One question and its answer."""

    colour: NDArray[np.float32]
    """(h, w, 3) sRGB 0..1: as seen where known, the membrane's where wanted, 0 elsewhere."""
    known: NDArray[np.bool_]
    """(h, w) bool: seen, and told to the network."""
    wanted: NDArray[np.bool_]
    guide: NDArray[np.float32]
    """(h, w) inverse depth of the surface that each pixel belongs to; 0 elsewhere."""
    truth: NDArray[np.float32]
    """(h, w, 3) sRGB 0..1."""


class Source:
    """Pictures of the shards in a folder."""

    def __init__(self, root: Path, *, held_out: bool) -> None:
        paths = sorted(shards.found(root))
        kept = [p for i, p in enumerate(paths) if (i % 40 == 0) == held_out]
        self.shards = [shards.Shard(p) for p in kept]

    def crop(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Colours (SIZE, SIZE, 3) 0..1 and inverse depth (SIZE, SIZE) of a part of some picture."""
        shard = self.shards[int(rng.integers(len(self.shards)))]
        i = int(rng.integers(len(shard)))
        h, w = shard.inverse[i].shape
        zoom = max(float(np.exp(rng.uniform(*np.log(ZOOM)))), SIZE / min(h, w))
        side = min(int(SIZE / zoom), h, w)
        y, x = int(rng.integers(h - side + 1)), int(rng.integers(w - side + 1))
        rgb = shard.rgb[i][y : y + side, x : x + side]
        inverse = shard.inverse[i][y : y + side, x : x + side].astype(np.float32)
        how = cv2.INTER_AREA if side > SIZE else cv2.INTER_CUBIC
        rgb = np.asarray(cv2.resize(rgb, (SIZE, SIZE), interpolation=how), np.float32) / 255
        inverse = np.asarray(cv2.resize(inverse, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST))
        if rng.random() < 0.5:
            rgb, inverse = rgb[:, ::-1], inverse[:, ::-1]
        return np.ascontiguousarray(rgb), np.ascontiguousarray(inverse)


class Cover(NamedTuple):
    """A near thing before a picture."""

    mask: NDArray[np.bool_]
    rgb: NDArray[np.float32]
    """(h, w, 3) what it looks like."""
    inverse: NDArray[np.float32]
    """(h, w) its inverse depth up to a factor, positive on the mask."""


def thing(source: Source, rng: np.random.Generator) -> Cover | None:
    """A near thing of a picture; None if it is too small or too large."""
    rgb, inverse = source.crop(rng)
    at = tuple(int(v) for v in rng.integers(SIZE, size=2))
    here = float(inverse[at])
    mask = (inverse > here * rng.uniform(0.5, 0.95)) & (inverse > 0)
    count, label = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    if count < 2 or not mask[at]:
        return None
    mask = np.asarray(label) == np.asarray(label)[at]
    return Cover(mask, rgb, inverse) if SHARE[0] < mask.mean() < SHARE[1] else None


def strip(source: Source, rng: np.random.Generator) -> Cover:
    """A pole, a branch or the edge of something large: a wavy line or half-plane."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    turn, aside = rng.uniform(0, np.pi), rng.uniform(-0.3, 0.3) * SIZE
    off = (x - SIZE / 2) * np.cos(turn) + (y - SIZE / 2) * np.sin(turn) - aside
    off = off + rng.uniform(0, 6) * np.sin((x + y) / rng.uniform(6, 40))
    mask = (off < 0) if rng.random() < 0.5 else np.abs(off) < rng.uniform(1.5, 14)
    return Cover(mask, source.crop(rng)[0], np.ones_like(x))


def tinted(rgb: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The same picture in other light: gain, gamma and mixed channels."""
    order = rng.permutation(3) if rng.random() < 0.3 else np.arange(3)
    gain = np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
    rgb = np.clip(rgb[..., order] * gain, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
    if rng.random() < 0.1:
        rgb = np.repeat(rgb.mean(2, keepdims=True), 3, 2)
    return rgb.astype(np.float32)


def question(
    rgb: NDArray[np.float32], inverse: NDArray[np.float32], cover: NDArray[np.bool_], far_in: int, seam: int
) -> Sample:
    """What is asked when `cover` lies before a picture, looked under `far_in` pixels deep."""
    gone = cv2.dilate(cover.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=seam) > 0
    inside = cv2.distanceTransform(gone.astype(np.uint8), cv2.DIST_L2, 5)
    known, wanted = ~gone, gone & (np.asarray(inside) <= far_in + seam)
    deep, _ = membrane(inverse[..., None], known, wanted)
    guide = np.where(known, inverse, deep[..., 0])
    colour, lost = membrane(rgb * np.float32(255), known, wanted, guide)
    colour = np.where(known[..., None], rgb, colour / np.float32(255))
    return Sample(colour, known, wanted & ~lost, guide, rgb)


def with_cover(made: Sample, cover: Cover, nearer: float) -> Sample:
    """The same question with the cover told too where nothing is asked, `nearer` times as near as what it hides."""
    told = cover.mask & ~made.known & ~made.wanted
    if not told.any():
        return made
    own = cover.inverse / cover.inverse[told].min()
    guide = np.where(told, own * np.float32(nearer * made.guide[made.wanted].max() + 1e-2), made.guide)
    colour = np.where(told[..., None], cover.rgb, made.colour)
    return made._replace(colour=colour, known=made.known | told, guide=guide.astype(np.float32))


def forgetful(made: Sample, far: float) -> Sample:
    """The same question with only that told which is at most `far` pixels from what is asked."""
    away = cv2.distanceTransform((~made.wanted).astype(np.uint8), cv2.DIST_L2, 5)
    return made._replace(known=made.known & (np.asarray(away) < far))


def sample(source: Source, rng: np.random.Generator) -> Sample:
    """A random question."""
    while True:
        rgb, inverse = source.crop(rng)
        cover = strip(source, rng) if rng.random() < 0.25 else thing(source, rng)
        if cover is None:
            continue
        far_in = int(np.exp(rng.uniform(*np.log(FAR_IN))))
        made = question(tinted(rgb, rng), inverse, cover.mask, far_in, int(rng.integers(SEAM + 1)))
        if made.wanted.sum() <= 64:
            continue
        dull = float(((made.colour - made.truth)[made.wanted] ** 2).mean()) < DULL
        if dull and rng.random() > DULL_SHARE:
            continue
        if rng.random() < 0.75:
            made = with_cover(made, cover, float(rng.uniform(1.05, 2)))
        return forgetful(made, rng.uniform(6, 64)) if rng.random() < 0.3 else made
