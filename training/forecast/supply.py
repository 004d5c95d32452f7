"""Batches for the forecast's trainer: shards of any painter, pictures with mirrors and glass drawn more often."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from training import augment, shards
from training.forecast.labels import BLANK_BIT, GLASS_BIT, MIRROR_BIT, label
from training.supply import SHAPE_WEIGHTS, SHAPES
from training.worlds.surface import GLASS, MIRROR

WORTH = 0.01
"""Share of a picture that a mirror or glass must fill to be drawn for its sake."""
DRAWN = {MIRROR: 0.25, GLASS: 0.3}
"""How many of the pictures are drawn for the sake of what; the others are any."""
EVERY = 2
"""Of the pictures that are not drawn for the sake of anything, one of so many: their labels are made once and kept."""
LOOK_EVERY = 120.0
SHRINK = 4
"""Pixels of a picture for one of the network's answer."""


class Supply:
    """Augmented pictures and labels from the shards in some folders, looked for again now and then."""

    def __init__(self, roots: list[Path], others: NDArray[np.uint8] | None, scale: float) -> None:
        self.roots, self.others, self.scale = roots, others, scale
        self.open: dict[Path, shards.Shard] = {}
        self.holding: dict[int, list[tuple[Path, int]]] = {kind: [] for kind in DRAWN}
        self.any: list[tuple[Path, int]] = []
        self.labels: dict[tuple[Path, int], NDArray[np.uint8]] = {}
        self.looked = -math.inf

    def look(self) -> None:
        """Open what is new, and note which of its pictures hold mirrors and glass."""
        if time.monotonic() - self.looked < LOOK_EVERY:
            return
        for path in sorted(path for root in self.roots for path in shards.found(root) if path not in self.open):
            with suppress(FileNotFoundError):  # it is just being replaced; the next look finds it
                shard = shards.Shard(path)
                coarse = shard.what[:, ::4, ::4]
                for kind in DRAWN:
                    worth = np.flatnonzero((coarse == kind).mean((1, 2)) > WORTH)
                    self.holding[kind] += [(path, int(i)) for i in worth]
                self.any += [(path, i) for i in range(0, len(shard), EVERY)]
                self.open[path] = shard
        self.looked = time.monotonic()

    def drawn(self, rng: np.random.Generator) -> tuple[Path, int]:
        """A shard and the number of a picture in it."""
        choices, chance = self.any, rng.random()
        for kind, share in DRAWN.items():
            chance -= share
            if chance < 0 and self.holding[kind]:
                choices = self.holding[kind]
                break
        return choices[int(rng.integers(len(choices)))]

    def picture(self, size: tuple[int, int], rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """One augmented picture of size (width, height), (h, w, 3) in 0..1, and its label (h, w)."""
        path, i = self.drawn(rng)
        shard = self.open[path]
        if (path, i) not in self.labels:
            self.labels[path, i] = label(shard.rgb[i], shard.inverse[i], shard.what[i])
        bits = self.labels[path, i]
        rgb, _, bits, _ = augment.crop(shard.rgb[i], shard.inverse[i], bits, float(shard.focal[i]), size, rng)
        return augment.photometric(rgb, rng, self.others), bits

    def batch(self, count: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """(rgb (n, 3, h, w) in 0..1, truth (n, 3, h/4, w/4): the share of each of `labels.CLASSES`)."""
        self.look()
        width, height = SHAPES[int(rng.choice(len(SHAPES), p=SHAPE_WEIGHTS))]
        size = round(width * self.scale / 32) * 32, round(height * self.scale / 32) * 32
        pictures, bits = zip(*(self.picture(size, rng) for _ in range(count)), strict=True)
        rgb = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        marks = np.stack([np.stack(bits) & bit > 0 for bit in (MIRROR_BIT, GLASS_BIT, BLANK_BIT)], 1)
        return rgb, F.avg_pool2d(torch.from_numpy(marks.astype(np.float32)), SHRINK)
