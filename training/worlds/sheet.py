"""A contact sheet: pictures above their inverse depth.

    python -m training.worlds.sheet [SCENE ...] [--module NAME] [--seed N] [--out PNG]

Looking at these is how the worlds get better: what does not look like a photograph teaches the wrong thing. In the
lower half near is white; sky is light blue, a backdrop of unknown distance dark blue, glass green.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.worlds.sample import BACKDROP, SHARES, SKY, Sample, scenes, stream
from training.worlds.sources import HELP, folder, sources
from training.worlds.surface import GLASS

COLUMNS = 6


def drawn(sample: Sample, side: int) -> NDArray[np.uint8]:
    """The picture above its inverse depth, each in a frame `side` wide."""
    inverse = np.where(sample.depth > 0, 1 / np.maximum(sample.depth, 1e-3), 0)
    grey = np.clip(inverse / max(float(np.quantile(inverse, 0.98)), 1e-6), 0, 1) ** 0.6 * 255
    depth = np.repeat(grey[..., None], 3, 2)
    depth[sample.what == SKY] = (90, 130, 220)
    depth[sample.what == BACKDROP] = (30, 40, 90)
    depth[sample.what == GLASS] = depth[sample.what == GLASS] * 0.5 + (0, 100, 60)
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


def sheet(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of one shape in rows of `COLUMNS`, the last row filled up with black."""
    full = pictures + [np.zeros_like(pictures[0])] * (-len(pictures) % COLUMNS)
    return np.concatenate([np.concatenate(full[i : i + COLUMNS], 1) for i in range(0, len(full), COLUMNS)])


def main() -> None:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="names of scenes; all, by their shares, if none")
    parser.add_argument("--module", choices=tuple(SHARES), help="all scenes of one module")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other pictures (default: 0)")
    parser.add_argument("--count", type=int, default=18, help="pictures on the sheet (default: 18)")
    parser.add_argument("--side", type=int, default=256, help="long side of a picture in pixels (default: 256)")
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    parser.add_argument("--out", type=Path, default=Path("sheet.png"), metavar="PNG", help="default: sheet.png")
    given = parser.parse_args()
    unknown = set(given.scenes) - set(scenes())
    if unknown:
        parser.error(f"no scene is called {', '.join(sorted(unknown))}; there are: {', '.join(scenes())}")
    if not given.out.parent.is_dir():
        parser.error(f"the folder {given.out.parent} does not exist")
    only = tuple(given.scenes)
    if given.module:
        only += tuple(import_module(f"training.worlds.scenes.{given.module}").SCENES)
    tiles, materials = sources(given.shared)
    samples = islice(stream(given.seed, tiles, materials, given.side, only), given.count)
    picture = sheet([drawn(sample, given.side) for sample in samples])
    if not cv2.imwrite(str(given.out), picture[..., ::-1]):
        raise SystemExit(f"{given.out} could not be written")


if __name__ == "__main__":
    main()
