"""Depth of many frames brought together: robust scale and shift between two, one value from many samples of a pixel."""
# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.flow import places, sampled
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, Bool

_ROUNDS = 6
_TUKEY = 4.685
_TIE = 0.01
"""How strongly a shift is held to 0; it gives way where the depth spans more than about a tenth of its mean."""
_LARGEST_STEP = 2.0
"""Between two frames no scale changes by more than this factor: such a fit is not believed."""
_FEWEST = 64
_POINTS = 8000


class Line(NamedTuple):
    """``y = scale * x + shift``; scale > 0."""

    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, x: F32) -> F32:
        """The values in the other units."""
        return np.float32(self.scale) * x + np.float32(self.shift)

    def after(self, first: Line) -> Line:
        """The line that does ``first`` and then this one."""
        return Line(self.scale * first.scale, self.scale * first.shift + self.shift)

    @property
    def back(self) -> Line:
        """The line that undoes this one."""
        return Line(1 / self.scale, -self.shift / self.scale)


def line_between(x: F32, y: F32, weights: F32) -> Line | None:
    """Robust ``y ≈ scale * x + shift``, the same whichever of both is called x but for the direction.

    Iterated reweighting with Tukey's biweight; slopes are those of the reduced major axis (the ratio of the spreads),
    for ordinary least squares would shrink the depth a little with every frame that it is handed on to. The shift is
    held to zero as far as the points do not tell it from the scale.

    Args:
        x: Any shape.
        y: The same shape.
        weights: The same shape, >= 0.

    Returns:
        The line; None where too few points are left or they contradict each other.
    """
    use = np.flatnonzero((weights > 0) & np.isfinite(x) & np.isfinite(y))
    if use.size < _FEWEST:
        return None
    use = use[:: max(1, use.size // _POINTS)]
    a, b, w = (np.ravel(v)[use].astype(np.float64) for v in (x, y, weights))
    middle = float(np.median(a))
    if middle <= 0 or float(np.median(b)) <= 0:
        return None
    line = Line(float(np.median(b)) / middle, 0.0)
    for _ in range(_ROUNDS):
        residual = b - line.scale * a - line.shift
        spread = 1.4826 * float(np.median(np.abs(residual))) + 1e-6 * abs(float(np.median(b)))
        kept = w * np.maximum(1 - (residual / (_TUKEY * spread)) ** 2, 0) ** 2
        found = _reduced_major_axis(a, b, kept)
        if found is None:
            return None
        line = found
    return line if 1 / _LARGEST_STEP < line.scale < _LARGEST_STEP else None


def _reduced_major_axis(a: np.ndarray, b: np.ndarray, w: np.ndarray) -> Line | None:
    """The weighted line through a and b with its shift held to 0 by _TIE; None where nothing has weight."""
    total = w.sum()
    if total <= 0:
        return None
    w = w / total
    mean_a, mean_b = float(w @ a), float(w @ b)
    spread_a, spread_b = float(w @ (a - mean_a) ** 2), float(w @ (b - mean_b) ** 2)
    together = float(w @ ((a - mean_a) * (b - mean_b)))
    level = mean_b / mean_a
    if together <= 0 or spread_a <= 0:
        return Line(level, 0.0)
    slope = (spread_b / spread_a) ** 0.5
    free = spread_a / (spread_a + _TIE * mean_a**2)
    scale = free * slope + (1 - free) * level
    return Line(scale, mean_b - scale * mean_a) if scale > 0 else None


def divided(product: F32, weight: F32) -> F32:
    """What a plane was before it was multiplied by its weight; 0 where that is 0."""
    return (product / np.maximum(weight, np.float32(1e-6))).astype(np.float32)


class Step(NamedTuple):
    """The way from one frame to its neighbour in time.

    Attributes:
        flow: (h, w, 2) pixels.
        ok: (h, w), where it can be believed.
    """

    flow: F32
    ok: Bool


def along(steps: list[Step], planes: list[F32]) -> list[tuple[F32, F32]]:
    """What each pixel shows farther and farther along its way through time.

    The ways are put together from step to step; the planes are sampled once, so nothing blurs with the distance.

    Args:
        steps: From the frame itself to its neighbour, from that to the next, and so on.
        planes: Of each frame reached, (h, w, c) float32.

    Returns:
        For each: the planes as seen from the frame itself, and (h, w) 0..1 how far the way there is believed.
    """
    if not steps:
        return []
    height, width = steps[0].ok.shape
    at = places(height, width)
    alive = np.ones((height, width), np.float32)
    seen: list[tuple[F32, F32]] = []
    for step, plane in zip(steps, planes, strict=True):
        both = np.dstack([step.flow, step.ok.astype(np.float32)])
        way = sampled(both, at) if seen else both
        at = at + way[..., :2]
        alive = alive * np.maximum(2 * way[..., 2] - 1, 0)
        seen.append((sampled(plane, at), alive))
    return seen


def agreed(samples: F32, weights: F32, floor: float, share: float) -> F32:
    """One value for every pixel from its samples: their mean, around their median where they do not agree.

    Args:
        samples: (k, n) float32.
        weights: (k, n) float32, >= 0.
        floor: Samples agree within ``floor + share * |value|``; weight falls with the fourth power beyond.
        share: See ``floor``.

    Returns:
        (n,) float32; NaN where no sample has weight.
    """
    out = np.empty(samples.shape[1], np.float32)

    def work(start: int, stop: int) -> None:
        order = np.empty(samples.shape[0], np.int64)
        part = out[start:stop]
        _agreed(samples[:, start:stop], weights[:, start:stop], np.float32(floor), np.float32(share), order, part)

    in_bands(work, samples.shape[1])
    return out


@kernel
def _agreed(samples, weights, floor, share, order, out):
    for i in range(samples.shape[1]):
        mass, centre = np.float32(0), np.float32(0)
        for k in range(samples.shape[0]):
            mass += weights[k, i]
            centre += weights[k, i] * samples[k, i]
        if not mass > 0:
            out[i] = np.nan
            continue
        centre /= mass
        allowed, worst = floor + share * abs(centre), np.float32(0)
        for k in range(samples.shape[0]):
            if weights[k, i] > 0:
                worst = max(worst, abs(samples[k, i] - centre))
        if worst > allowed:
            count = 0
            for k in range(samples.shape[0]):
                if weights[k, i] > 0:
                    j = count
                    while j > 0 and samples[order[j - 1], i] > samples[k, i]:
                        order[j] = order[j - 1]
                        j -= 1
                    order[j] = k
                    count += 1
            below, j = weights[order[0], i], 0
            while below < np.float32(0.5) * mass and j < count - 1:
                j += 1
                below += weights[order[j], i]
            middle = samples[order[j], i]
            allowed = floor + share * abs(middle)
            mass, centre = np.float32(0), np.float32(0)
            for k in range(samples.shape[0]):
                off = abs(samples[k, i] - middle) / allowed
                weight = weights[k, i] / max(off**4, np.float32(1))
                mass += weight
                centre += weight * samples[k, i]
            centre /= mass
        out[i] = centre
