"""A contact sheet: pictures above their inverse depth. `python -m training.worlds.sheet [SCENE ...] [--seed N] [--out PNG]`.

Looking at these is how the worlds get better: what does not look like a photograph teaches the wrong thing.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.worlds.materials import Tiles
from training.worlds.sample import Sample, stream
from training.worlds.sky import Panoramas
from training.worlds.trace import Materials

COLUMNS = 6


def drawn(sample: Sample, side: int) -> NDArray[np.uint8]:
    """The picture above its inverse depth (white near, sky blue, backdrop dark blue), in a square each."""
    inverse = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0)
    grey = np.clip(inverse / max(float(np.quantile(inverse, 0.98)), 1e-6), 0, 1) ** 0.6 * 255
    depth = np.repeat(grey[..., None], 3, 2)
    depth[sample.what == 4] = (90, 130, 220)
    depth[sample.what == 5] = (30, 40, 90)
    depth[sample.what == 1] = depth[sample.what == 1] * 0.5 + (0, 100, 60)
    tiles = []
    for picture in (sample.rgb, depth.astype(np.uint8)):
        scale = side / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        square = np.full((side, side, 3), 24, np.uint8)
        y, x = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
        square[y : y + small.shape[0], x : x + small.shape[1]] = small
        tiles.append(square[side // 8 : side - side // 8] if sample.rgb.shape[0] <= side * 3 // 4 else square)
    height = max(t.shape[0] for t in tiles)
    return np.concatenate([cv2.copyMakeBorder(t, 0, side - height, 0, 0, cv2.BORDER_CONSTANT) for t in tiles])


def sources(shared: Path | None) -> tuple[Tiles, Materials]:
    """Tiles and panoramas from a folder with textures/ and hdri/, or none."""
    tiles = Tiles.read(shared / "textures" / "ambientcg_128.tar") if shared else Tiles.none()
    panoramas = Panoramas.read(shared / "hdri" / "hdri.npz") if shared else Panoramas.none()
    return tiles, Materials.of(tiles, panoramas)


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=18)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--shared", type=Path, help="folder with textures/ and hdri/ (CC0)")
    parser.add_argument("--module", help="all scenes of one module")
    parser.add_argument("--out", type=Path, default=Path("sheet.png"))
    given = parser.parse_args()
    only = tuple(given.scenes)
    if given.module:
        from importlib import import_module

        only = tuple(import_module(f"training.worlds.scenes.{given.module}").SCENES)
    tiles, materials = sources(given.shared)
    pictures = [
        drawn(s, given.side) for s in islice(stream(given.seed, tiles, materials, given.side, only), given.count)
    ]
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % COLUMNS)
    rows = [np.concatenate(pictures[i : i + COLUMNS], 1) for i in range(0, len(pictures), COLUMNS)]
    cv2.imwrite(str(given.out), np.concatenate(rows)[..., ::-1])


if __name__ == "__main__":
    main()
