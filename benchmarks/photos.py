"""Convert every picture of a folder and lay the results on contact sheets, to be looked at.

    python benchmarks/photos.py ../shared/data/photos OUT_FOLDER [--triangles 200000]

A row: the picture, its depth (light is near), and the scene from the left, the right and above. Magenta is where
nothing is. One line a picture on stdout: seconds, triangles, how the size is known, share of sky.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import unflat
from unflat.formats import depthmap

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from preview import beside, preview

CELL = 320
VIEWS = ((-15.0, 0.0), (15.0, 0.0), (0.0, -15.0))
ROWS = 8


def row(path: Path, triangles: int) -> NDArray[np.uint8]:
    """One picture and its views, side by side in square cells."""
    start = time.perf_counter()
    result = unflat.photo(path, triangles=triangles)
    scene = result.scene
    seconds = time.perf_counter() - start
    size = result.picture.size.fitted(CELL)
    lens = result.camera.intrinsics.resized(size)
    pivot = float(np.median(result.depth.values[result.depth.surface]))
    tiles = [result.picture.pixels, depthmap.coloured(result.depth)]
    tiles += [preview(scene.nodes, beside(lens, pivot, yaw, pitch))[0] for yaw, pitch in VIEWS]
    sky = 0.0 if result.depth.sky is None else float(result.depth.sky.mean())
    print(f"{path.name:32} {seconds:5.1f} s {scene.triangles:7} triangles  {result.scale.basis:9} sky {sky:.2f}")
    return np.hstack([_cell(tile, size) for tile in tiles])


def _cell(tile: NDArray[np.uint8], size: unflat.Size) -> NDArray[np.uint8]:
    cell = np.zeros((CELL, CELL, 3), np.uint8)
    cell[: size.height, : size.width] = cv2.resize(tile, (size.width, size.height), interpolation=cv2.INTER_AREA)
    return cell


def rows(folder: Path, triangles: int) -> Iterator[NDArray[np.uint8]]:
    """All pictures of a folder, in the order of their names."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif", ".tif", ".tiff"):
            yield row(path, triangles)


def main() -> None:
    """Write sheet-1.jpg, sheet-2.jpg and so on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--triangles", type=int, default=200_000)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    made = list(rows(given.folder, given.triangles))
    for number, start in enumerate(range(0, len(made), ROWS), 1):
        sheet = np.vstack(made[start : start + ROWS])
        cv2.imwrite(str(given.out / f"sheet-{number}.jpg"), sheet[..., ::-1])


if __name__ == "__main__":
    main()
