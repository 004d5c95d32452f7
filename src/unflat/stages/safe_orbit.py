"""layers -> how far the eye may leave the picture's viewpoint before the guess begins.

layers ─ lines that things move along ─ step by step ─► what is made up, missing or doubtful ─► SafeView
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.uncovered import OUTSIDE, SKY, SOLID, VOID, Lines, uncovered
from unflat.stages.build_surface import inverse_depth
from unflat.types.arrays import F32, Bool
from unflat.types.camera import Intrinsics
from unflat.types.layers import Layers
from unflat.types.safe_view import SafeView

STEPS = 8
"""So many places are looked from on the way to the farthest one of each direction."""
ROWS = 96
"""So many lines are looked along in each direction."""
FORWARD = 0.6
"""The eye never goes nearer than this share of the way to what is very near ..."""
VERY_NEAR = 0.98
"""... which this share of the surface is farther than."""
EDGE = 0.06
"""Relative jump of depth from which a surface is cut, as when it is built."""
BLURRED = 0.2
"""Something of confidence 0 counts as wholly doubtful where it moves by this share of the picture's width."""


@dataclass(frozen=True, slots=True)
class SafeOptions:
    """How much guessing a view may show."""

    safe_share: float = 0.05
    """The share of a view that may be made up, missing or doubtful before the eye has left the safe range."""

    def __post_init__(self) -> None:
        if not 0 < self.safe_share < 1:
            raise InputError(f"--safe-share {self.safe_share:g} is out of range", hint="Give a share between 0 and 1.")


def safe_orbit(layers: Layers, options: SafeOptions | None = None) -> SafeView:
    """Find how far the eye may step aside, rise, and go forward.

    It is tried: a few lines of the picture are looked along from places farther and farther off, up to the reach that
    the hidden surfaces were made for. What counts is what is seen there that was made up, what is missing, and seen
    surfaces of low confidence as far as they move against the middle of the scene, where a wrong depth shows. What lies
    beyond the picture's border does not count: views are narrowed so far that it is not seen.

    Args:
        layers: The picture with what stands behind its outlines.
        options: How much guessing is fine.

    Raises:
        InputError: There is no camera, or no surface.
    """
    options = options or SafeOptions()
    camera = layers.depth.intrinsics
    if camera is None:
        raise InputError("a depth map needs a camera before it is known what is safe", hint="Calibrate it first.")
    scene = _Sampled.of(layers)
    inverse, on, _, _ = inverse_depth(layers.depth)
    inverse = inverse[on]
    pivot = float(np.median(inverse))
    near = float(np.quantile(inverse, VERY_NEAR))
    focal, reach = camera.fx, layers.reach
    aside, upright, ahead = scene.rows(), scene.columns(), scene.rays(camera)
    look = partial(_farthest, options=options, steepest=layers.steepest, pivot=pivot, width=layers.depth.size.width)
    return SafeView(
        pivot=1 / pivot,
        left=look(aside, focal, reach),
        right=look(aside, -focal, reach),
        up=look(upright, focal, reach),
        down=look(upright, -focal, reach),
        nearer=look(ahead, 1.0, FORWARD / near),
        share=options.safe_share,
    )


def _farthest(
    lines: Lines, per_metre: float, most: float, *, options: SafeOptions, steepest: float, pivot: float, width: int
) -> float:
    """How many metres, at most ``most``, before the share is exceeded for the first time; between tries it is linear.

    Along outlines the picture's own view shows a little of the hidden layer, in the picture's colours: that is none.
    """
    before, rest = 0.0, 0.0
    for step in range(STEPS + 1):
        metres = most * step / STEPS
        share = float(uncovered(lines, per_metre * metres, EDGE, steepest, pivot, BLURRED * width).sum()) - rest
        if step == 0:
            rest, share = share, 0.0
        if share > options.safe_share:
            part = (options.safe_share - before) / (share - before)
            return most * (step - 1 + part) / STEPS
        before = share
    return most


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """The layers as arrays over the depth map's grid, to take lines from."""

    kind: NDArray[np.uint8]
    inverse: F32
    made_up: Bool
    doubt: F32

    @staticmethod
    def of(layers: Layers) -> _Sampled:
        depth = layers.depth
        inverse, on, _, _ = inverse_depth(depth)
        sky = np.zeros_like(on) if depth.sky is None else np.asarray(depth.sky)
        kind = np.where(on, SOLID, np.where(sky, SKY, VOID)).astype(np.uint8)
        every = np.stack([np.where(layers.kept & on, inverse, 0), *(layer.inverse for layer in layers.behind)])
        made_up = np.stack([np.zeros_like(on), *(layer.invented for layer in layers.behind)])
        doubt = np.zeros_like(inverse) if depth.confidence is None else 1 - np.asarray(depth.confidence)
        return _Sampled(kind, every.astype(np.float32), made_up, doubt.astype(np.float32))

    def _lines(self, at: tuple[Any, ...], *, radial: bool = False, turned: bool = False) -> Lines:
        def taken(array: NDArray[Any]) -> NDArray[Any]:
            some = array[..., *at]
            return np.ascontiguousarray(np.swapaxes(some, -1, -2) if turned else some)

        columns = map(taken, (self.kind, self.inverse, self.made_up, self.doubt))
        return Lines(*columns, first=0.5, radial=radial)

    def rows(self) -> Lines:
        """Rows evenly over the picture."""
        return self._lines((_evenly(self.kind.shape[0]), slice(None)))

    def columns(self) -> Lines:
        """Columns evenly over the picture."""
        return self._lines((slice(None), _evenly(self.kind.shape[1])), turned=True)

    def rays(self, camera: Intrinsics) -> Lines:
        """Rays from the principal point to the farthest corner."""
        h, w = self.kind.shape
        long = float(np.hypot(max(camera.cx, w - camera.cx), max(camera.cy, h - camera.cy)))
        out = np.arange(int(long)) + 0.5
        turn = 2 * np.pi * (np.arange(ROWS) + 0.5) / ROWS
        x = np.floor(camera.cx + np.cos(turn)[:, None] * out).astype(np.intp)
        y = np.floor(camera.cy + np.sin(turn)[:, None] * out).astype(np.intp)
        inside = (x >= 0) & (y >= 0) & (x < w) & (y < h)
        found = self._lines((np.where(inside, y, 0), np.where(inside, x, 0)), radial=True)
        return found._replace(
            kind=np.where(inside, found.kind, np.uint8(OUTSIDE)),
            inverse=np.where(inside, found.inverse, np.float32(0)),
        )


def _evenly(count: int) -> NDArray[np.intp]:
    """At most ROWS whole numbers, evenly over 0 .. count - 1."""
    some = min(ROWS, count)
    return ((np.arange(some) + 0.5) * count / some).astype(np.intp)
