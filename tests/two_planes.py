"""A textured square floating before a textured wall: what any eye sees of it is known, the hidden wall too.

Places on both are told in pixels of the picture taken from the origin. The square covers a little of the pixels around
it whose middles show the wall: with several samples these are mixed, as they are in a camera's picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

import worlds
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Paint = Callable[[Array, Array], Array]
"""(u, v) -> (..., 3) colours in 0..255."""


def gradient(u: Array, v: Array) -> Array:
    """A wall that changes evenly along both axes."""
    return np.stack([60 + 0.6 * u, 200 - 0.8 * v, 90 + 0.4 * u + 0.3 * v], axis=-1)


def grain(u: Array, v: Array) -> Array:
    """A wall with a fine pattern in all directions over a vertical gradient."""
    rng = np.random.default_rng(5)
    total = np.zeros_like(u)
    for angle, pace, phase in rng.uniform((0, 0.3, 0), (2 * np.pi, 1.2, 6), (24, 3)):
        total += np.sin(pace * (u * np.cos(angle) + v * np.sin(angle)) + phase)
    return np.stack([100 + 8 * total + 0.4 * v, 130 + 8 * total - 0.3 * v, 110 - 6 * total], axis=-1)


def plain(u: Array, v: Array) -> Array:
    """A wall of one colour."""
    return np.stack(np.broadcast_arrays(np.float64(100), 120 + 0 * u, np.float64(90)), axis=-1)


def warm(u: Array, v: Array) -> Array:
    """The square's own pattern."""
    return np.stack([210 + 20 * np.sin(0.3 * u), 60 + 20 * np.cos(0.25 * v), 50 + 0 * u], axis=-1)


@dataclass(frozen=True)
class Sight:
    """What an eye sees.

    Attributes:
        colour: (h, w, 3) exact colours at the pixels' centres (or their means).
        near: (h, w), pixels that show the square.
        framed: (h, w), what they show lies within the picture taken from the origin.
        hidden: (h, w), wall that the square hides from the origin.
        calm: (h, w), no edge of the square within a pixel.
    """

    colour: Array
    near: Bools
    framed: Bools
    hidden: Bools
    calm: Bools


@dataclass(frozen=True)
class TwoPlanes:
    """The world.

    Attributes:
        wall: Its paint.
        camera: The picture's.
        box: left, top, right, bottom of the square in pixels of the picture.
        near: Distance of the square in metres.
        far: Distance of the wall in metres.
    """

    wall: Paint = gradient
    camera: Intrinsics = field(default_factory=worlds.camera)
    box: tuple[float, float, float, float] = (54.6, 39.7, 105.3, 85.4)
    near: float = 2.0
    far: float = 4.0

    def sight(self, x: float = 0.0, y: float = 0.0, samples: int = 1) -> Sight:
        """What the eye at (x, y, 0) metres sees, every pixel the mean of so many samples along each axis."""
        h, w = self.camera.size.shape
        row, column = (np.mgrid[: h * samples, : w * samples] + 0.5) / samples
        fx = self.camera.fx
        un, vn, uf, vf = (at + fx * move / z for z in (self.near, self.far) for at, move in ((column, x), (row, y)))
        on, behind = self._inside(un, vn), self._inside(uf, vf)
        colour = np.clip(np.where(on[..., None], warm(un, vn), self.wall(uf, vf)), 0, 255)
        u, v = np.where(on, un, uf), np.where(on, vn, vf)
        framed = (u > 0) & (u < w) & (v > 0) & (v < h)
        colour = colour.reshape(h, samples, w, samples, 3).mean(axis=(1, 3))
        middle = np.s_[samples // 2 :: samples, samples // 2 :: samples]
        on, hidden = on[middle], (behind & ~on)[middle]
        padded = np.pad(on, 1, mode="edge")
        around = [padded[1 + dy : h + 1 + dy, 1 + dx : w + 1 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        return Sight(colour, on, framed[middle], hidden, np.all(around, axis=0) | ~np.any(around, axis=0))

    def _inside(self, u: Array, v: Array) -> Bools:
        left, top, right, bottom = self.box
        return (u >= left) & (u < right) & (v >= top) & (v < bottom)

    def picture(self, samples: int = 1) -> Image:
        """What the origin sees."""
        return Image(np.rint(self.sight(samples=samples).colour).astype(np.uint8))

    @property
    def depth(self) -> DepthMap:
        """Exact depth from the origin."""
        z = np.where(self.sight().near, self.near, self.far)
        return DepthMap(z.astype(np.float32), DepthKind.METRIC, intrinsics=self.camera)

    def eye(self, x: float = 0.0, y: float = 0.0) -> Camera:
        """The picture's camera moved aside."""
        pose = np.eye(4)
        pose[:2, 3] = x, y
        return Camera(self.camera, Pose(pose))


def psnr(a: NDArray[np.floating], b: NDArray[np.floating], where: Bools | None = None) -> float:
    """Peak signal to noise ratio in dB over some pixels."""
    squared = (np.asarray(a, np.float64) - b) ** 2
    error = float(squared.mean() if where is None else squared[where].mean())
    return 10 * float(np.log10(255**2 / max(error, 1e-9)))


def stretched(sight: Sight, x: float) -> Array:
    """The simple way to fill: every row repeats the wall's colour at the far end of the gap (exact there)."""
    out = sight.colour.copy()
    step = 1 if x > 0 else -1
    for row in np.flatnonzero(sight.hidden.any(axis=1)):
        gap = np.flatnonzero(sight.hidden[row])
        end = (gap.max() if step > 0 else gap.min()) + step
        if 0 <= end < out.shape[1]:
            out[row, gap] = sight.colour[row, end]
    return out
