"""Batches for the trainer, from the shards that painters leave on the disk."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from training import augment, shards

SHAPES = ((256, 192), (192, 256), (256, 160), (224, 224), (288, 160))
"""(width, height) of the pictures of a batch, at scale 1; how often each is drawn:"""
SHAPE_WEIGHTS = (0.5, 0.2, 0.15, 0.08, 0.07)
LOOK_EVERY = 60.0
"""Seconds between looks for new shards."""


class Supply:
    """Batches of augmented samples from the shards there are, looked for again now and then."""

    def __init__(self, root: Path, others: NDArray[np.uint8] | None, scale: float, threads: int = 1) -> None:
        self.root, self.others, self.scale = root, others, scale
        self.feeders = ThreadPoolExecutor(threads)
        self.open: dict[Path, tuple[float, shards.Shard]] = {}
        self.looked, self.looking = -math.inf, Lock()

    def look(self) -> None:
        """Open what is new, forget what is gone."""
        if time.monotonic() - self.looked < LOOK_EVERY:
            return
        there = shards.found(self.root)
        for path, made in there.items():
            if path not in self.open or self.open[path][0] != made:
                try:
                    self.open[path] = (made, shards.Shard(path))
                except FileNotFoundError:
                    continue  # it is just being replaced; the next look finds it
        self.open = {p: s for p, s in self.open.items() if p in there}
        self.looked = time.monotonic()

    def picture(
        self, choices: list[shards.Shard], size: tuple[int, int], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], float]:
        """One augmented sample of a shard."""
        shard = choices[int(rng.integers(len(choices)))]
        i = int(rng.integers(len(shard)))
        rgb, depth, kind, f = augment.crop(
            shard.rgb[i], shard.inverse[i], shard.what[i], float(shard.focal[i]), size, rng
        )
        return augment.photometric(rgb, rng, self.others), depth, kind, f

    def batch(self, count: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """(rgb (n, 3, h, w) in 0..1, inverse (n, 1, h, w), what (n, 1, h, w), focal (n,))."""
        with self.looking:
            self.look()
        width, height = SHAPES[int(rng.choice(len(SHAPES), p=SHAPE_WEIGHTS))]
        size = round(width * self.scale / 32) * 32, round(height * self.scale / 32) * 32
        choices = [s for _, s in self.open.values()]
        seeds = rng.integers(1 << 62, size=count)
        made = self.feeders.map(lambda seed: self.picture(choices, size, np.random.default_rng(seed)), seeds)
        pictures, inverse, what, focal = zip(*made, strict=True)
        rgb_tensor = (
            torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        )
        return (
            rgb_tensor,
            torch.from_numpy(np.stack(inverse))[:, None],
            torch.from_numpy(np.stack(what))[:, None],
            torch.tensor(focal),
        )
