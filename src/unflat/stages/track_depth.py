"""What a frame shows of the landmarks -> a depth for every pixel near them, and how likely it is right.

A landmark tells the depth of its own pixel. Between landmarks that agree depth is the mean of the inverse depths
around, weighed by nearness and by how well each is known; where they do not agree something ends, nobody knows where,
and confidence is small. Where a network looked, too, its depth is fitted to the landmarks and carries between them and
beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError
from unflat.geometry.align import assume_scale, fit_scale_shift, merge_depths
from unflat.types.arrays import F64, U8
from unflat.types.camera import Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Size

Guess = Callable[[U8], DepthMap]
"""(h, w, 3) uint8 sRGB pixels -> their depth up to a factor, at any size of the same shape: a network."""

_CELL = 8
"""Without a network depth has one value for so many pixels of the tracker's size, along and across."""
_AROUND = 6
"""Landmarks that each of them is told by."""
_KNOWN = 0.3
"""Landmarks whose depth is known worse (standard deviation of its logarithm) tell nothing of what is around them."""
_LIKELY = 0.5
"""Depth that is less likely to be right within 25 % is not given."""
_FEW = 8
_CONTRADICTS = 0.5
"""A network whose depth differs more from the landmarks (median, relative) is not believed."""
_CURVE = (3.9, -13.4, -0.7)
"""Confidence without a network: logit of 1, of how far the landmarks around differ (standard deviation of the
logarithm), and of how far off they are (in twentieths of the picture's width);
fitted to the known room of ``tests/scan_places``."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The landmarks as one frame sees them.

    Attributes:
        pixel: (n, 2) where, at the tracker's size.
        z: (n,) along the axis of the camera, in the unit of its pose.
        spread: (n,) how uncertain the logarithm of z is, one standard deviation.
        intrinsics: The pinhole part of the lens, for the tracker's size.
        pixels: (h, w, 3) the frame at the tracker's size.
        guess: The network, or None.
    """

    pixel: F64
    z: F64
    spread: F64
    intrinsics: Intrinsics
    pixels: U8
    guess: Guess | None = None

    def depth(self) -> DepthMap | None:
        """Kind SCALE, in the unit of the pose, for the frame as it came (its distortion left in).

        Valid where it is likelier than not to be right within 25 %; ``confidence`` is how likely. With a network it has
        the network's size, else an eighth of the tracker's. None where hardly a landmark is in view.
        """
        good = (self.z > 0) & (self.spread < _KNOWN)
        if int(good.sum()) < _FEW:
            return None
        pixel, z, spread = self.pixel[good], self.z[good], self.spread[good]
        if self.guess is not None:
            return _fitted(self.guess(self.pixels), pixel, z, spread, self.intrinsics)
        return _between(pixel, z, spread, self.intrinsics)


def _between(pixel: F64, z: F64, spread: F64, intrinsics: Intrinsics) -> DepthMap:
    size = Size(max(intrinsics.size.width // _CELL, 1), max(intrinsics.size.height // _CELL, 1))
    x, y = np.meshgrid((np.arange(size.width) + 0.5) / size.width, (np.arange(size.height) + 0.5) / size.height)
    at = np.stack([x, y], -1).reshape(-1, 1, 2) * [intrinsics.size.width, intrinsics.size.height]
    far = ((at - pixel[None]) ** 2).sum(-1)
    nearest = np.argpartition(far, _AROUND - 1, 1)[:, :_AROUND]
    unit = intrinsics.size.width / 20
    away = np.take_along_axis(far, nearest, 1) / unit**2
    weight = 1 / ((away + 0.05) * (spread[nearest] ** 2 + 0.03**2))
    weight /= weight.sum(1, keepdims=True)
    inverse = (weight / z[nearest]).sum(1)
    differ = np.sqrt((weight * (np.log(z[nearest]) + np.log(inverse)[:, None]) ** 2).sum(1))
    told = _CURVE[0] + _CURVE[1] * differ + _CURVE[2] * np.sqrt(away.min(1))
    sure = (1 / (1 + np.exp(-told))).reshape(size.shape).astype(np.float32)
    values = (1 / inverse).reshape(size.shape).astype(np.float32)
    camera = intrinsics.resized(size)
    return DepthMap(values, DepthKind.SCALE, sure >= _LIKELY, confidence=sure, intrinsics=camera, origin="landmarks")


def _fitted(seen: DepthMap, pixel: F64, z: F64, spread: F64, intrinsics: Intrinsics) -> DepthMap:
    """The network's depth in the landmarks' unit; where it contradicts them theirs alone."""
    values, weight = np.zeros(seen.size.shape, np.float32), np.zeros(seen.size.shape, np.float32)
    factor = np.array([seen.size.width / intrinsics.size.width, seen.size.height / intrinsics.size.height])
    column, row = np.clip((pixel * factor).astype(int), 0, np.array(values.shape)[::-1] - 1).T
    values[row, column], weight[row, column] = z, 1 / (1 + (spread / 0.1) ** 2)
    known = values > 0
    sensor = DepthMap(values, DepthKind.SCALE, known, confidence=weight.astype(np.float32), origin="landmarks")
    try:
        merged = merge_depths(sensor, seen)
    except InputError:  # nothing in common, or one is the other upside down
        return _between(pixel, z, spread, intrinsics)
    return replace(merged, intrinsics=intrinsics.resized(seen.size))


def guessed_around(seen: DepthMap, pixel: F64, z: F64, spread: F64, at: F64, size: Size) -> F64 | None:
    """Depth at pixels where there are no landmarks, by a network's depth that is fitted to those that are near.

    Args:
        seen: By the network.
        pixel: (n, 2) where landmarks are.
        z: (n,) how far they are.
        spread: (n,) how uncertain the logarithm of z is.
        at: (m, 2) where depth is asked for.
        size: That pixels are counted in.

    Returns:
        (m,) in the unit of z; None where the network contradicts the landmarks, or there are too few of them.
    """
    guess = assume_scale(seen)
    factor = np.array([guess.size.width / size.width, guess.size.height / size.height])
    use = (z > 0) & np.isfinite(z)

    def look(pixels: F64) -> F64:
        column, row = np.clip((pixels * factor).astype(int), 0, np.array(guess.values.shape)[::-1] - 1).T
        return np.where(guess.surface[row, column], 1 / guess.values[row, column], 0.0).astype(np.float64)

    here = look(pixel[use])
    if int((here > 0).sum()) < _FEW:
        return None
    weight = np.where(here > 0, 1 / (spread[use] ** 2 + 0.1**2), 0.0)
    fit = fit_scale_shift(*(a.astype(np.float32) for a in (1 / z[use], here, weight)), shift=False)
    if fit.error > _CONTRADICTS:
        return None
    there = fit.scale * look(at)
    return 1 / np.where(there > 0, there, float(np.median(1 / z[use])))
