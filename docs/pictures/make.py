"""Make the pictures of the README anew, with unflat itself: ``python docs/pictures/make.py``.

Each is a strip: the photograph, its depth, and the scene seen from the left and from the right. The photographs are
scikit-image's: coffee (CC0, Rachel Michetti) and the astronaut Eileen Collins (NASA, public domain).
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

import unflat
from unflat.formats import depthmap

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))
from preview import beside, preview  # noqa: E402  (the painter of the tests)

HEIGHT = 300


def strip(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Photograph, depth, left, right, side by side."""
    result = unflat.photo(picture)
    size = unflat.Size(round(HEIGHT * result.picture.size.aspect), HEIGHT)
    pivot = float(np.median(result.depth.values[result.depth.surface]))
    tiles = [picture, depthmap.coloured(result.depth)]
    for yaw in (-9.0, 9.0):
        large = unflat.Size(2 * size.width, 2 * size.height)
        painted, inverse = preview(result.scene.nodes, beside(result.camera.intrinsics.resized(large), pivot, yaw))
        painted[inverse == 0] = 255
        tiles.append(painted)
    return np.hstack([cv2.resize(t, (size.width, size.height), interpolation=cv2.INTER_AREA) for t in tiles])


def main() -> None:
    """Write both strips."""
    for name, picture in (("first", skimage.data.coffee()), ("portrait", skimage.data.astronaut())):
        cv2.imwrite(str(HERE / f"{name}.jpg"), strip(picture)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
