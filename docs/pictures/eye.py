"""Make the pictures of docs/eye.md anew: ``python docs/pictures/eye.py [--shared ../shared/data]``.

What the shipped network sees in photographs that scikit-image carries, and in worlds of our own generator that it was
not trained on. The second needs, for the textures of the worlds, the folder of CC0 materials that training uses.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

import unflat
from unflat.formats import depthmap
from unflat.types import DepthKind, DepthMap

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from training import gallery  # noqa: E402
from training.worlds.sample import stream  # noqa: E402
from training.worlds.sources import HELP, folder, sources  # noqa: E402

Picture = NDArray[np.uint8]
SIDE = 232
COLUMNS = 4
UNSEEN = 987_654_322
"""A seed that no painter uses."""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "camera", "coins", "brick", "page")
"""NASA, CC0 or free of known rights: see scikit-image's data/README.txt."""


def tile(picture: Picture, height: int) -> Picture:
    """SIDE wide at most, `height` high at most, in a white frame of just that size."""
    scale = min(SIDE / picture.shape[1], height / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    down, right = height - small.shape[0], SIDE - small.shape[1]
    return cv2.copyMakeBorder(
        small, down // 2, down - down // 2, right // 2, right - right // 2, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )


def doubt(depth: DepthMap) -> Picture:
    """How sure it is: white is sure, red is a guess."""
    assert depth.confidence is not None
    unsure = 1 - np.clip(depth.confidence, 0, 1)[..., None]
    return (255 * (1 - unsure * np.array([0.1, 0.75, 0.8]))).astype(np.uint8)


def page(columns: list[list[Picture]]) -> Picture:
    """Each column one picture and what is seen in it, COLUMNS side by side, then the next ones below."""
    gap = np.full((14, SIDE * COLUMNS, 3), 255, np.uint8)
    parts: list[Picture] = []
    for i in range(0, len(columns), COLUMNS):
        row = columns[i : i + COLUMNS]
        height = round(max(min(SIDE, SIDE * c[0].shape[0] / c[0].shape[1]) for c in row))
        parts += [np.hstack([np.vstack([tile(p, height) for p in column]) for column in row]), gap]
    return np.vstack(parts[:-1])


def photographs() -> Picture:
    """Photograph, depth, confidence."""
    data, columns = Path(skimage.data.__file__).parent, []
    for name in PHOTOGRAPHS:
        rgb = cv2.imread(str(next(data.glob(f"{name}.*g"))))[..., ::-1]
        depth = unflat.photo(np.ascontiguousarray(rgb), depth="worlds").depth
        columns.append([rgb, depthmap.coloured(depth), doubt(depth)])
    return page(columns)


def worlds(shared: Path | None, count: int) -> Picture:
    """Picture, the true depth, what is seen, confidence."""
    tiles, materials = sources(shared)
    columns: list[list[Picture]] = []
    for number, sample in enumerate(stream(UNSEEN, tiles, gallery.hung(tiles, materials), 320)):
        if number % 3 or sample.rgb.shape[0] > sample.rgb.shape[1]:  # a scene is photographed several times
            continue
        z = np.where(sample.depth > 0, sample.depth, np.inf).astype(np.float32)
        true = DepthMap(z, DepthKind.METRIC, sky=sample.depth == 0)
        seen = unflat.photo(sample.rgb, depth="worlds").depth
        columns.append([sample.rgb, depthmap.coloured(true), depthmap.coloured(seen), doubt(seen)])
        if len(columns) == count:
            break
    return page(columns)


def main() -> None:
    """Write both pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=folder, metavar="FOLDER", help=HELP)
    given = parser.parse_args()
    for name, picture in (("photographs", photographs()), ("worlds", worlds(given.shared, 12))):
        cv2.imwrite(str(HERE / f"eye_{name}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 84])


if __name__ == "__main__":
    main()
