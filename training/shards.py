"""Rendered samples on disk: a ring of shards that painters fill and the trainer draws from.

A shard is a folder of NumPy arrays, all of one picture shape: rgb (n, h, w, 3) bytes; inverse (n, h, w) half precision,
inverse depth over its 98 % quantile, 0 where there is sky or backdrop; what (n, h, w) bytes (see worlds.sample);
focal (n,) over the long side. about.json beside them tells people what was painted. A shard appears whole or not at
all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.worlds.sample import Sample

COUNT = 128
LARGEST = 100.0
"""Of inverse depth in a shard: a speck at the lens before a far land is no nearer to learn from."""


class Shard:
    """One folder, its arrays mapped into memory.

    Raises:
        FileNotFoundError: It was replaced while it was being opened.
    """

    def __init__(self, folder: Path) -> None:
        made = (folder / "about.json").stat().st_ino
        self.rgb, self.inverse, self.what, self.focal = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("rgb", "inverse", "what", "focal")
        )
        if (folder / "about.json").stat().st_ino != made:
            raise FileNotFoundError(folder)

    def __len__(self) -> int:
        return len(self.focal)


def arrays(samples: Iterable[Sample]) -> dict[str, NDArray[np.generic]]:
    """The arrays of a shard; all samples have one shape."""
    rgb, inverse, what, focal = [], [], [], []
    for s in samples:
        near = np.where(s.depth > 0, 1 / np.maximum(s.depth, 1e-3), 0)
        rgb.append(s.rgb)
        inverse.append(np.minimum(near / np.quantile(near[s.depth > 0], 0.98), LARGEST).astype(np.float16))
        what.append(s.what)
        focal.append(0.5 / np.tan(s.fov / 2))
    return {
        "rgb": np.stack(rgb),
        "inverse": np.stack(inverse),
        "what": np.stack(what),
        "focal": np.array(focal, np.float32),
    }


def write(folder: Path, content: dict[str, NDArray[np.generic]], **about: object) -> None:
    """Write beside, then rename; an older shard of that name is replaced. `about` goes into about.json."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    beside.mkdir(parents=True)
    for name, array in content.items():
        np.save(beside / f"{name}.npy", array)
    (beside / "about.json").write_text(json.dumps(about))
    if folder.exists():
        shutil.rmtree(folder)
    beside.rename(folder)


def painted(root: Path, seed: int) -> tuple[int, int]:
    """(number of the next shard, number of the next scene) of a seed: where the painter before this one stopped."""
    abouts = [json.loads(path.read_text()) for path in root.glob(f"s{seed}_*/about.json")]
    return max((a["number"] + 1 for a in abouts), default=0), max((a["scene"] + 1 for a in abouts), default=0)


def paint(root: Path, samples: Iterable[Sample], seed: int, ring: int, count: int = COUNT) -> None:
    """Fill shards of `count` pictures as long as there are samples; after `ring` shards the oldest is replaced.

    Each shape of picture is gathered for itself; what is left of one at the end is not written. Drafts that a painter
    of this seed left behind when it was killed are removed.
    """
    for draft in root.glob(f".s{seed}_*"):
        shutil.rmtree(draft)
    waiting: dict[tuple[int, ...], list[Sample]] = {}
    number, _ = painted(root, seed)
    for sample in samples:
        same = waiting.setdefault(sample.depth.shape, [])
        same.append(sample)
        if len(same) < count:
            continue
        kinds = {k: len(list(g)) for k, g in groupby(sorted(s.kind for s in same))}
        last = max(s.number for s in same)
        write(root / f"s{seed}_{number % ring:04d}", arrays(same), seed=seed, number=number, scene=last, kinds=kinds)
        same.clear()
        number += 1


def found(root: Path) -> dict[Path, float]:
    """Finished shards and when they were made, in seconds of the clock."""
    there = {}
    for about in sorted(root.glob("s*_*/about.json")):
        with suppress(FileNotFoundError):  # it is just being replaced; the next look finds it
            there[about.parent] = about.stat().st_mtime
    return there
