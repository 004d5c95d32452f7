"""Pictures that hang on the walls of the worlds, lie on their tables and shine from their screens.

Half are earlier pictures of the same generator, half views into panoramas where these are at hand: what hangs on a wall
looks like a world and yet is flat.
"""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np

from training import augment
from training.worlds.materials import Tiles
from training.worlds.sample import stream
from training.worlds.trace import Materials

SEED = 555_000_111
HEIGHT, WIDTH = 96, 128


def hung(tiles: Tiles, materials: Materials, count: int = 96) -> Materials:
    """The same materials with a gallery of `count` pictures, (count, HEIGHT, WIDTH, 3); always the same ones."""
    rng = np.random.default_rng(SEED)
    panoramas = materials.panoramas.radiance
    views = (
        augment.manners(panoramas, rng, count // 2, HEIGHT)
        if len(panoramas)
        else np.zeros((0, HEIGHT, WIDTH, 3), np.uint8)
    )
    painted = [
        cv2.resize(sample.rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        for sample in islice(stream(SEED, tiles, materials, WIDTH), count - len(views))
    ]
    return materials._replace(gallery=np.concatenate([views, np.stack(painted)]))
