"""Cut-outs with cameras -> the same, without the bites that one wrong mask takes out of the thing.

A hull believes every outline: what one mask leaves out is gone. If it belonged to the thing, then where it stood the
other masks show something that nothing is left to explain; if it did not, something behind or before it explains them.
(That outlines of one thing agree if its hull fills them all: Bottino and Laurentini, "Introducing a new problem:
shape-from-silhouette when the relative positions of the viewpoints is unknown", PAMI 25, 2003.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.carve import carve, samples
from unflat.geometry.silhouette import signed_distance
from unflat.stages.hull import box_of, matrix_of, touches
from unflat.types.arrays import F64, U8, Bool
from unflat.types.sight import Sight

_SEARCH, _CELLS = 64, 96
"""Samples along the box in which the thing is looked for, and along the thing."""
_FEWEST = 6
"""Fewer views than this cannot outvote one of them."""
_LEAST = 30
"""Samples of a bite; of less, masks are not known."""
_BARE, _WITNESSES = 0.25, 0.1
"""In so large a share of the other views so large a part of a bite must stand before nothing that is left."""


class Agreed(NamedTuple):
    """Cut-outs that agree.

    Attributes:
        sights: With alpha mended.
        mended: Which of them had something left out.
    """

    sights: list[Sight]
    mended: list[int]


class _Volume(NamedTuple):
    """Samples of space.

    Attributes:
        corner: (3,) the first, x, y and z.
        step: Between them.
        past: (nz, ny, nx) how many views see past the thing there.
        who: (nz, ny, nx) the last of these views; -1 for none.
    """

    corner: F64
    step: float
    past: NDArray[np.uint8]
    who: NDArray[np.int32]


def agree_outlines(sights: Sequence[Sight]) -> Agreed:
    """Give back what one mask alone leaves out, where several others show that it belongs to the thing.

    Args:
        sights: Cut-outs with cameras; fewer than six come back as they are.
    """
    if len(sights) < _FEWEST:
        return Agreed(list(sights), [])
    from scipy.ndimage import binary_dilation, binary_erosion

    low, high = box_of(sights)
    space = _seen_past(sights, low, high, _SEARCH)
    near = np.argwhere(space.past <= 1)
    if not len(near):
        return Agreed(list(sights), [])
    first, last = near.min(axis=0)[::-1] - 1, near.max(axis=0)[::-1] + 1
    space = _seen_past(sights, space.corner + first * space.step, space.corner + last * space.step, _CELLS)
    prints = [_Print.of(sight, space) for sight in sights]
    bare = [one.inside & ~one.cast(space, np.argwhere(space.past == 0), 1) for one in prints]
    mended, changed = list(sights), []
    for number in np.unique(space.who[space.past == 1]):
        # Outlines and cameras are a little off everywhere: only what is thicker than that counts.
        alone = (space.past == 1) & (space.who == number)
        parts = _labelled(np.asarray(binary_erosion(alone), np.bool_))
        given = np.zeros(alone.shape, np.bool_)
        for part in range(1, int(parts.max()) + 1):
            where = np.argwhere(parts == part)
            if len(where) >= _LEAST and _belongs(int(number), where, space, prints, bare):
                given |= parts == part
        if given.any():
            back = np.argwhere(binary_dilation(given, iterations=2) & alone)
            mended[number] = _given_back(sights[number], prints[number].cast(space, back, 1))
            changed.append(int(number))
    return Agreed(mended, changed)


def _labelled(mask: Bool) -> NDArray[np.int64]:
    """Numbers of connected parts from 1 on."""
    from scipy.ndimage import label

    found: Any = label(mask)
    return np.asarray(found[0], np.int64)


def _seen_past(sights: Sequence[Sight], low: F64, high: F64, along: int) -> _Volume:
    """How many views see past the thing at each sample of a box."""
    blank, corner, step = samples(low, high, along)
    past, who = np.zeros(blank.shape, np.uint8), np.full(blank.shape, -1, np.int32)
    for number, sight in enumerate(sights):
        field = blank.copy()
        carve(field, corner, step, matrix_of(sight), signed_distance(sight.alpha), touches(sight))
        beyond = field > 0
        past += beyond & (past < 255)
        who[beyond] = number
    return _Volume(corner, step, past, who)


class _Print(NamedTuple):
    """A view so small that a sample is about a pixel.

    Attributes:
        matrix: (3, 4) pixel_from_world.
        inside: (h, w) the cut-out.
    """

    matrix: F64
    inside: Bool

    @staticmethod
    def of(sight: Sight, space: _Volume) -> _Print:
        """Shrink a cut-out."""
        import cv2

        matrix, alpha = matrix_of(sight), sight.alpha
        middle = space.corner + space.step * np.array(space.past.shape[::-1]) / 2
        pixel = sight.camera.intrinsics.fx * space.step / max(float(matrix[2, :3] @ middle + matrix[2, 3]), 1e-9)
        factor = min(1.0, 1.0 / pixel)
        h, w = (max(1, round(side * factor)) for side in alpha.shape)
        small = np.asarray(cv2.resize(alpha, (w, h), interpolation=cv2.INTER_AREA))
        shrink = np.diag([w / alpha.shape[1], h / alpha.shape[0], 1.0])
        return _Print(shrink @ matrix, small >= 128)

    def cast(self, space: _Volume, where: NDArray[np.int64], spread: int) -> Bool:
        """(h, w) where samples (n, 3), as z, y, x, are seen, each ``spread`` pixels to all sides."""
        import cv2

        points = space.corner + space.step * where[:, ::-1]
        seen = points @ self.matrix[:, :3].T + self.matrix[:, 3]
        seen = seen[seen[:, 2] > 1e-9]
        x, y = np.floor(seen[:, :2] / seen[:, 2:]).astype(np.int64).T
        h, w = self.inside.shape
        there = (x >= 0) & (y >= 0) & (x < w) & (y < h)
        shadow = np.zeros((h, w), np.uint8)
        shadow[y[there], x[there]] = 1
        side = 2 * spread + 1
        return np.asarray(cv2.dilate(shadow, np.ones((side, side), np.uint8))) > 0


def _belongs(
    own: int, where: NDArray[np.int64], space: _Volume, prints: Sequence[_Print], bare: Sequence[Bool]
) -> bool:
    """Whether enough other views show a bite where nothing is left to be seen."""
    witnesses = 0
    for number, (one, open_) in enumerate(zip(prints, bare, strict=True)):
        if number != own:
            shadow = one.cast(space, where, 0)
            witnesses += bool((shadow & open_).sum() > _BARE * max(int(shadow.sum()), 1))
    return witnesses >= max(2, _WITNESSES * (len(prints) - 1))


def _given_back(sight: Sight, small: Bool) -> Sight:
    """The cut-out with what was left out; the other outlines say where it ends."""
    import cv2

    h, w = sight.alpha.shape
    more = np.asarray(cv2.resize(small.astype(np.uint8) * 255, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)
    alpha: U8 = np.maximum(sight.alpha, more)
    return replace(sight, image=replace(sight.image, alpha=alpha, jpeg=None))
