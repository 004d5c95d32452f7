"""Pictures into a texture: what the surface at each texel looks like in a picture, and what stands in the gaps."""

# pyright: standard

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.atlas import _inside, covered
from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.geometry.pack import GUTTER
from unflat.geometry.raster import _cubic
from unflat.geometry.seen_faces import Seen, _clear, _slope
from unflat.types.arrays import F32, F64, U8, U32, Bool

_ROWS = 64
RIM = 2e-4
"""What a picture's share counts beside an outline, over which another surface may run."""
SPARE = 1e-3
"""What pictures count that a face is not painted from: enough where the others show nothing."""


class Share(NamedTuple):
    """What one picture gives to the faces.

    Attributes:
        vertex: (n,) float32 0..1, how much of what is painted around each vertex comes from it.
        spare: (m,) float32, how much it counts on a face where no other picture is left; 0: it does not see the face.
        trust: (m,) float32 0..1, whether it shows the face at all, and nothing before it.
        shift: (n, 3) float32, what is added to its colours around each vertex.
    """

    vertex: F32
    spare: F32
    trust: F32
    shift: F32


@dataclass(slots=True)
class Canvas:
    """A texture in the making.

    Attributes:
        corners: (m, 3, 2) float32, the corners of the faces in texels.
        owner: (side, side) int32, the face that each texel belongs to, gutters included; -1: none.
        colour: (side, side, 3) float32, the sum of all colours times their weights.
        weight: (side, side) float32.
    """

    corners: F32
    owner: NDArray[np.int32]
    colour: F32
    weight: F32

    @staticmethod
    def of(corners: F32, side: int) -> Canvas:
        """An empty canvas for faces that lie at ``corners`` (m, 3, 2)."""
        owner = covered(corners, side)[0]
        for _ in range(GUTTER):
            owner = _widened(owner)
        return Canvas(corners, owner, np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32))


def _widened(owner: NDArray[np.int32]) -> NDArray[np.int32]:
    """Empty texels beside one that is taken belong to its face, too."""
    grown = cv2.dilate(owner.astype(np.float64), np.ones((3, 3), np.uint8))
    return np.where(owner < 0, grown.astype(np.int32), owner)


@kernel
def _paint(rows, surface, canvas, share, camera, seen, picture):
    """Add what a picture shows to the texels of some rows."""
    vertices, faces = surface
    corners, owner, colour, weight = canvas
    at_vertex, spare, trust, shift = share
    turn, lens = camera
    pixels, usable, to_pixels = picture
    screen = seen[0]
    before, slope = np.int64(-1), 0.0
    for y in range(rows[0], rows[1]):
        for x in range(owner.shape[1]):
            f = owner[y, x]
            if f < 0 or spare[f] <= 0:
                continue
            a, b, c = np.int64(faces[f, 0]), np.int64(faces[f, 1]), np.int64(faces[f, 2])
            p, q = _inside(corners, f, x + 0.5, y + 0.5)
            r = 1 - p - q
            if p < -1e8:
                continue
            p, q = min(max(p, 0.0), 1.0), min(max(q, 0.0), 1.0)  # the gutter repeats the rim
            r = max(0.0, r)
            p, q = p / (p + q + r), q / (p + q + r)
            r = 1 - p - q
            if f != before:
                before = f
                ax, ay, bx, by, cx, cy = (
                    screen[a, 0],
                    screen[a, 1],
                    screen[b, 0],
                    screen[b, 1],
                    screen[c, 0],
                    screen[c, 1],
                )
                slope = np.float64(_slope(screen, a, b, c, (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)))
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
            own = trust[f] * max(0.0, p * at_vertex[a] + q * at_vertex[b] + r * at_vertex[c])
            w = np.float32(own * (1.0 if clear == 1 else RIM) + SPARE * spare[f] * clear)
            for k in range(3):
                found = _cubic(pixels, u - 0.5, v - 0.5, k) + p * shift[a, k] + q * shift[b, k] + r * shift[c, k]
                colour[y, x, k] += w * np.float32(found)
            weight[y, x] += w


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
    on: tuple[Any, ...] = canvas.corners, canvas.owner, canvas.colour, canvas.weight
    camera, picture = (aim.camera_from_world, aim.lens), (aim.pixels, aim.usable, aim.to_pixels)
    in_bands(
        lambda start, stop: _paint(
            (np.int64(start), np.int64(stop)), surface, on, tuple(share), camera, tuple(aim.seen), picture
        ),
        len(canvas.owner),
        _ROWS,
    )


@kernel
def _settle(rows, canvas, faces, fallback, out, unseen):
    """Colours of some rows: the weighted mean where there is one, else what is between the corners' own colours."""
    corners, owner, colour, weight = canvas
    for y in range(rows[0], rows[1]):
        for x in range(owner.shape[1]):
            f = owner[y, x]
            if f < 0:
                continue
            if weight[y, x] > 0:
                for k in range(3):
                    out[y, x, k] = np.uint8(min(max(colour[y, x, k] / weight[y, x], 0.0), 255.0) + 0.5)
                continue
            unseen[y, x] = True
            p, q = _inside(corners, f, x + 0.5, y + 0.5)
            p, q = min(max(p, 0.0), 1.0), min(max(q, 0.0), 1.0)
            r = max(0.0, 1 - p - q)
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            for k in range(3):
                mixed = (p * fallback[a, k] + q * fallback[b, k] + r * fallback[c, k]) / (p + q + r)
                out[y, x, k] = np.uint8(min(max(mixed, 0.0), 255.0) + 0.5)


def settled(canvas: Canvas, faces: U32, fallback: F32) -> tuple[U8, Bool]:
    """The texture that was painted.

    Args:
        canvas: After all pictures.
        faces: (m, 3).
        fallback: (n, 3) 0..255, the colours of the vertices where no picture tells.

    Returns:
        (side, side, 3) uint8, and (side, side) bool: texels of the surface that no picture shows.
    """
    out, unseen = np.zeros((*canvas.owner.shape, 3), np.uint8), np.zeros(canvas.owner.shape, np.bool_)
    on: tuple[Any, ...] = canvas.corners, canvas.owner, canvas.colour, canvas.weight
    in_bands(
        lambda start, stop: _settle((np.int64(start), np.int64(stop)), on, faces, fallback, out, unseen),
        len(out),
        _ROWS,
    )
    return _filled(out, canvas.owner >= 0), unseen


def _filled(pixels: U8, known: Bool) -> U8:
    """Empty texels take the mean of what is near, coarse to fine, so that no smaller copy mixes in black.

    Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph" (1996): pull and push.
    """
    h, w = known.shape
    if known.all() or min(h, w) < 2 or not known.any():
        return pixels
    weight = known.astype(np.float32)
    half = ((w + 1) // 2, (h + 1) // 2)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(np.where(known[..., None], pixels, 0).astype(np.uint8), half, interpolation=cv2.INTER_AREA)
    small = np.clip(sums / np.maximum(share, 1e-3)[..., None], 0, 255)
    small = _filled(np.rint(small).astype(np.uint8), share > 0)
    large = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.where(known[..., None], pixels, large)
