"""Make the pictures of the README anew, with unflat itself: ``python docs/pictures/make.py``.

Each is a strip: the photograph, its depth, and the scene seen from the left and from the right. The photographs are
scikit-image's: coffee (CC0, Rachel Michetti) and the astronaut Eileen Collins (NASA, public domain).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

import unflat
from unflat.formats import depthmap
from unflat.geometry.anaglyph import anaglyph
from unflat.stages.render_view import render_view
from unflat.types import Camera, Pose

HERE = Path(__file__).parent
HEIGHT = 300


def strip(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Photograph, depth, left, right, side by side."""
    result = unflat.photo(picture)
    size = unflat.Size(round(HEIGHT * result.picture.size.aspect), HEIGHT)
    lens, reach = result.camera.intrinsics, result.layers.reach
    middle = float(np.median(1 / result.depth.z[result.depth.surface]))
    tiles = [picture, depthmap.coloured(result.depth)]
    for aside in (-reach, reach):
        pose = np.eye(4)
        pose[0, 3] = aside
        seen = Camera(replace(lens, cx=lens.cx + lens.fx * aside * middle), Pose(pose), "aside")
        view = render_view(result.scene.nodes, seen)
        view.colour[view.open] = 255
        tiles.append(view.colour.astype(np.uint8))
    return np.hstack([cv2.resize(t, (size.width, size.height), interpolation=cv2.INTER_AREA) for t in tiles])


def two_eyes(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Left view, right view, and both for red-cyan glasses, side by side."""
    pair = unflat.stereo(picture, strength=3.0).pair
    size = unflat.Size(round(HEIGHT * pair.size.aspect), HEIGHT)
    tiles = (pair.left, pair.right, anaglyph(pair.left, pair.right))
    return np.hstack([cv2.resize(t, (size.width, size.height), interpolation=cv2.INTER_AREA) for t in tiles])


def main() -> None:
    """Write the strips."""
    both = two_eyes(np.asarray(skimage.data.coffee()))
    cv2.imwrite(str(HERE / "two_eyes.jpg"), both[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    for name, picture in (("first", skimage.data.coffee()), ("portrait", skimage.data.astronaut())):
        cv2.imwrite(str(HERE / f"{name}.jpg"), strip(picture)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
