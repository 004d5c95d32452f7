"""Pictures into a texture: what the surface at each texel looks like in each of them, summed up as they are read.

Two sums are kept. In one each place is painted from the one picture that was chosen for it, which is sharp; in the
other from all that show it well, which is free of noise. `settle` takes of each what is better.
"""

# pyright: standard

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.atlas import _inside, covered
from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.geometry.pack import GUTTER
from unflat.geometry.raster import _cubic
from unflat.geometry.seen_faces import Seen, _clear, _slope
from unflat.types.arrays import F32, F64, U32, Bool

ROWS = 64
RIM = 0.01
"""What a picture counts beside an outline, over which another surface may run."""


class Share(NamedTuple):
    """What one picture gives to the faces.

    Attributes:
        chosen: (n,) float32 0..1, how much of what is painted around each vertex comes from it.
        shift: (n, 3) float32, what is added to its colours there.
        company: (n,) float32 0..1, how much it counts around each vertex among all that show it.
        trust: (m,) float32 0..1, whether it shows a face at all, and nothing before it.
    """

    chosen: F32
    shift: F32
    company: F32
    trust: F32


@dataclass(slots=True)
class Canvas:
    """A texture in the making.

    Attributes:
        corners: (m, 3, 2) float32, the corners of the faces in texels.
        owner: (side, side) int32, the face that each texel belongs to, gutters included; -1: none.
        chosen: (side, side, 4) float32, colours of the chosen pictures times their weights, and the weights.
        company: (side, side, 5) float32, the same of all pictures, and the squares of their brightness times weights.
    """

    corners: F32
    owner: NDArray[np.int32]
    chosen: F32
    company: F32

    @staticmethod
    def of(corners: F32, side: int) -> Canvas:
        """An empty canvas for faces that lie at ``corners`` (m, 3, 2)."""
        owner = covered(corners, side)[0]
        for _ in range(GUTTER):
            owner = _widened(owner)
        chosen, company = (np.zeros((side, side, k), np.float32) for k in (4, 5))
        return Canvas(corners, owner, chosen, company)


def _widened(owner: NDArray[np.int32]) -> NDArray[np.int32]:
    """Empty texels beside one that is taken belong to its face, too."""
    grown = cv2.dilate(owner.astype(np.float64), np.ones((3, 3), np.uint8))
    return np.where(owner < 0, grown.astype(np.int32), owner)


@inner
def _within(corners, f, x, y):
    """Barycentric coordinates of the point of a flat face that a texel shows; the gutter repeats the rim."""
    p, q = _inside(corners, f, x, y)
    p, q, r = max(p, 0.0), max(q, 0.0), max(1 - p - q, 0.0)
    total = p + q + r
    if total <= 0:
        return 1.0, 0.0, 0.0
    return p / total, q / total, r / total


@inner
def _steepness(screen, a, b, c):
    """How much a face's inverse depth changes over a pixel of the z-buffer, at most."""
    ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
    return np.float64(_slope(screen, a, b, c, (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)))


@kernel
def _paint(rows, surface, canvas, share, camera, seen, picture):
    """Add what a picture shows to the texels of some rows."""
    vertices, faces = surface
    corners, owner, chosen, company = canvas
    own, shift, among, trust = share
    turn, lens = camera
    pixels, usable, to_pixels = picture
    screen = seen[0]
    before, slope = np.int64(-1), 0.0
    for y in range(rows[0], rows[1]):
        for x in range(owner.shape[1]):
            f = owner[y, x]
            if f < 0 or trust[f] <= 0:
                continue
            a, b, c = np.int64(faces[f, 0]), np.int64(faces[f, 1]), np.int64(faces[f, 2])
            p, q, r = _within(corners, f, x + 0.5, y + 0.5)
            if f != before:
                before, slope = f, _steepness(screen, a, b, c)
            wx = p * vertices[a, 0] + q * vertices[b, 0] + r * vertices[c, 0]
            wy = p * vertices[a, 1] + q * vertices[b, 1] + r * vertices[c, 1]
            wz = p * vertices[a, 2] + q * vertices[b, 2] + r * vertices[c, 2]
            z = turn[2, 0] * wx + turn[2, 1] * wy + turn[2, 2] * wz + turn[2, 3]
            if z <= 0:
                continue
            u = lens[0] * (turn[0, 0] * wx + turn[0, 1] * wy + turn[0, 2] * wz + turn[0, 3]) / z + lens[2]
            v = lens[1] * (turn[1, 0] * wx + turn[1, 1] * wy + turn[1, 2] * wz + turn[1, 3]) / z + lens[3]
            clear = _clear(seen, u, v, 1 / z, slope)
            if clear == 0:
                continue
            u, v = u * to_pixels[0] + to_pixels[2], v * to_pixels[1] + to_pixels[3]
            column, row = np.int64(np.floor(u)), np.int64(np.floor(v))
            if column < 0 or row < 0 or column >= usable.shape[1] or row >= usable.shape[0] or not usable[row, column]:
                continue
            sure = trust[f] if clear == 1 else RIM * trust[f]
            one = np.float32(sure * (p * own[a] + q * own[b] + r * own[c]))
            all_ = np.float32(sure * (p * among[a] + q * among[b] + r * among[c]))
            grey = np.float32(0)
            for k in range(3):
                found = _cubic(pixels, u - 0.5, v - 0.5, k)
                moved = found + np.float32(p * shift[a, k] + q * shift[b, k] + r * shift[c, k])
                chosen[y, x, k] += one * moved
                company[y, x, k] += all_ * found
                grey += found
            chosen[y, x, 3], company[y, x, 3] = chosen[y, x, 3] + one, company[y, x, 3] + all_
            company[y, x, 4] += all_ * grey * grey


class Aim(NamedTuple):
    """A picture as texels look into it.

    Attributes:
        camera_from_world: (4, 4).
        lens: (4,) fx, fy, cx, cy in pixels of the z-buffer.
        seen: The surface from there.
        pixels: (h, w, 3) float32.
        usable: (h, w) bool.
        to_pixels: (4,) from pixels of the z-buffer to those of the picture, as in `seen_faces.Picture`.
    """

    camera_from_world: F64
    lens: F64
    seen: Seen
    pixels: F32
    usable: Bool
    to_pixels: F64


def paint(canvas: Canvas, surface: tuple[F32, U32], aim: Aim, share: Share) -> None:
    """Add what one picture shows of the surface to a texture, in place."""
    on: tuple[Any, ...] = canvas.corners, canvas.owner, canvas.chosen, canvas.company
    camera, picture = (aim.camera_from_world, aim.lens), (aim.pixels, aim.usable, aim.to_pixels)
    in_bands(
        lambda start, stop: _paint(
            (np.int64(start), np.int64(stop)), surface, on, tuple(share), camera, tuple(aim.seen), picture
        ),
        len(canvas.owner),
        ROWS,
    )
