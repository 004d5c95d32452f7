"""Depth of many frames brought together: robust scale and shift between two, one value from many samples of a pixel."""
# pyright: standard

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.flow import places, returning, sampled
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, F64

_ROUNDS = 6
_TUKEY = 4.685
_SHIFT, _APART = 0.1, 100
"""A shift is expected to be about this share of the depth; and so many pixels err as if alone, in all of a frame."""
_SHARE = np.float32(0.03)
_GREY, _NOISE = 25.0, 5.0
"""What is followed shows the same grey: so nearly (of 255), or so many times as nearly as half of all pixels do."""
_AROUND = 17
"""Side of the window, in pixels, over which the depth of one frame is fitted to what many say."""
_OWN = 0.05
"""The weight of a frame's own depth in that fit."""
_LARGEST_STEP = 4.0
"""Between two frames no scale changes by more than this factor: such a fit is not believed."""
_FEWEST = 64
_POINTS = 5000


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


def line_between(x: F32, y: F32, weights: F32, *, shift: bool = True) -> Line | None:
    """Robust ``y ≈ scale * x + shift``, the same whichever of both is called x but for the direction.

    Iterated reweighting with Tukey's biweight; slopes are those of the reduced major axis (the ratio of the spreads),
    for ordinary least squares would shrink the depth a little with every frame that it is handed on to. The shift is
    held to zero as far as the points do not tell it from the scale.

    Args:
        x: Any shape.
        y: The same shape.
        weights: The same shape, >= 0; what has less than a quarter of the largest weight is left out.
        shift: False fits a scale alone.

    Returns:
        The line; None where too few points are left or they contradict each other.
    """
    sure = weights > 0.25 * float(weights.max(initial=0))
    use = np.flatnonzero(sure & (x > 0) & (y > 0) & np.isfinite(x) & np.isfinite(y))
    if use.size < _FEWEST:
        return None
    use = use[:: max(1, use.size // _POINTS)]
    a, b, w = (np.ravel(v)[use].astype(np.float64) for v in (x, y, weights))
    line: Line | None = _resistant(a, b) if shift else Line(float(np.median(b / a)))
    least = 1e-6 * float(np.median(b))
    for _ in range(_ROUNDS):
        residual = b - line.scale * a - line.shift
        spread = 1.4826 * float(np.median(np.abs(residual))) + least
        kept = w * np.maximum(1 - (residual / (_TUKEY * spread)) ** 2, 0) ** 2
        line = _reduced_major_axis(a, b, kept / kept.sum(), spread if shift else None)
        if line is None:
            return None
    return line if 1 / _LARGEST_STEP < line.scale < _LARGEST_STEP else None


def _resistant(a: F64, b: F64) -> Line:
    """A line through the medians of the outer thirds (Tukey's resistant line); a scale alone where that falls."""
    low, high = np.quantile(a, (1 / 3, 2 / 3))
    a0, b0, a1, b1 = (float(np.median(v[part])) for part in (a <= low, a >= high) for v in (a, b))
    if a1 <= a0 or b1 <= b0:
        return Line(float(np.median(b / a)))
    scale = (b1 - b0) / (a1 - a0)
    return Line(scale, float(np.median(b - scale * a)))


def _reduced_major_axis(a: F64, b: F64, w: F64, noise: float | None) -> Line | None:
    """The line through a and b, weights w that sum to 1, or a scale alone where ``noise`` is None.

    Where the noise leaves the shift uncertain, it is held to 0. None where the line would fall.
    """
    mean_a, mean_b = float(w @ a), float(w @ b)
    off_a, off_b = a - mean_a, b - mean_b
    spread_a, spread_b, together = (float(w @ (p * q)) for p, q in ((off_a, off_a), (off_b, off_b), (off_a, off_b)))
    level = mean_b / mean_a
    if noise is None or together <= 0 or spread_a <= 0:
        return Line(level, 0.0)
    alike = together**2 / (spread_a * spread_b)
    unsure = noise**2 * mean_a**2 / (_APART * spread_a)
    free = alike / (1 + unsure / (_SHIFT * mean_b) ** 2)
    scale = free * (spread_b / spread_a) ** 0.5 + (1 - free) * level
    return Line(float(scale), float(mean_b - scale * mean_a)) if scale > 0 else None


def divided(product: F32, weight: F32) -> F32:
    """What a plane was before it was multiplied by its weight; 0 where that is 0."""
    return (product / np.maximum(weight, np.float32(1e-6))).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The way from one frame to its neighbour in time.

    Attributes:
        way: (h, w, 3) float32: pixels to the right, pixels down, and 0..1 how far that can be believed.
    """

    way: F32

    @staticmethod
    def of(flow: F32, back: F32, here: F32, there: F32) -> Step:
        """The way that leads back and shows the same.

        Args:
            flow: (h, w, 2) from the frame to its neighbour.
            back: (h, w, 2) from the neighbour to the frame.
            here: (h, w) grey of the frame.
            there: (h, w) grey of the neighbour.
        """
        import cv2

        other = sampled(there, places(*here.shape) + flow) - here
        believed = returning(flow, back)
        if believed.any():  # a light that changes is no other thing
            off = np.abs(other - np.float32(np.median(other[believed])))
            believed &= off < max(_GREY, _NOISE * float(np.median(off[believed])))
        inner = cv2.blur(believed.astype(np.float32), (3, 3))
        return Step(np.dstack([flow, inner]).astype(np.float32))

    @staticmethod
    def none(height: int, width: int) -> Step:
        """To a frame that is the same."""
        return Step(np.tile(np.array([0, 0, 1], np.float32), (height, width, 1)))

    @property
    def flow(self) -> F32:
        """(h, w, 2) pixels."""
        return self.way[..., :2]

    @property
    def ok(self) -> F32:
        """(h, w) 0..1, how far it can be believed."""
        return self.way[..., 2]


def along(steps: Sequence[Step], planes: Sequence[F32], seen: F32, alive: F32) -> None:
    """What each pixel shows farther and farther along its way through time.

    The ways are put together from step to step; the planes are sampled once, so nothing blurs with the distance.

    Args:
        steps: k of them: from the frame itself to its neighbour, from that to the next, and so on.
        planes: Of each frame reached, (h, w, 4) float32.
        seen: (k, h, w, 4) is filled with the planes as seen from the frame itself.
        alive: (k, h, w) is filled with 0..1, how far the way there is believed.
    """
    if not steps:
        return
    height, width = steps[0].way.shape[:2]
    at, still = places(height, width), np.ones((height, width), np.float32)
    for k, (step, plane) in enumerate(zip(steps, planes, strict=True)):
        _walk(sampled(step.way, at) if k else step.way, at, still)
        seen[k] = sampled(plane, at)
        alive[k] = still


@kernel
def _walk(way, at, still):
    for y in range(still.shape[0]):
        for x in range(still.shape[1]):
            at[y, x, 0] += way[y, x, 0]
            at[y, x, 1] += way[y, x, 1]
            still[y, x] *= max(2 * way[y, x, 2] - 1, np.float32(0))


def agreed(seen: F32, alive: F32, lines: F32, floor: float) -> F32:
    """One value for every pixel from its samples: their mean, around their median where they do not agree.

    Args:
        seen: (k, n, 4) float32: inverse depth times weight, weight, and two planes that are averaged.
        alive: (k, n) float32, how much each sample counts, >= 0.
        lines: (k, 2) float32: scale and shift that bring each to the same units.
        floor: Samples agree within this and _SHARE of themselves; their weight falls with the fourth power beyond.

    Returns:
        (n, 4) float32: inverse depth, NaN where no sample has weight; the means of the two planes; how much of all
        that could count agrees on the value.
    """
    out = np.empty((seen.shape[1], 4), np.float32)

    def work(start: int, stop: int) -> None:
        scratch = np.empty((3, seen.shape[0]), np.float32)
        part = slice(start, stop)
        _agreed(seen[:, part], alive[:, part], lines, np.float32(floor), scratch, out[part])

    in_bands(work, seen.shape[1])
    return out


@kernel
def _agreed(seen, alive, lines, floor, scratch, out):
    value, weight, life = scratch[0], scratch[1], scratch[2]
    for i in range(seen.shape[1]):
        count = 0
        total, third, fourth = np.float32(0), np.float32(0), np.float32(0)
        mass, centre = np.float32(0), np.float32(0)
        for k in range(seen.shape[0]):
            a, trust = alive[k, i], seen[k, i, 1]
            total += a
            third += a * seen[k, i, 2]
            fourth += a * seen[k, i, 3]
            if a * trust > 0:
                value[count] = lines[k, 0] * seen[k, i, 0] / trust + lines[k, 1]
                weight[count] = a * trust
                life[count] = a
                mass += weight[count]
                centre += weight[count] * value[count]
                count += 1
        out[i, 1], out[i, 2] = third / total, fourth / total
        if count == 0:
            out[i, 0], out[i, 3] = np.nan, 0
            continue
        centre /= mass
        allowed, worst = floor + _SHARE * abs(centre), np.float32(0)
        for k in range(count):
            worst = max(worst, abs(value[k] - centre))
        if worst > allowed:
            centre = _around_median(value, weight, life, count, mass, floor)
        agreeing, allowed = np.float32(0), floor + _SHARE * abs(centre)
        for k in range(count):
            off = (value[k] - centre) / allowed
            agreeing += life[k] / max(off * off * off * off, np.float32(1))
        out[i, 0], out[i, 3] = centre, agreeing


@inner
def _around_median(value, weight, life, count, mass, floor):
    for k in range(1, count):  # sort all by value
        v, w, a, j = value[k], weight[k], life[k], k
        while j > 0 and value[j - 1] > v:
            value[j], weight[j], life[j] = value[j - 1], weight[j - 1], life[j - 1]
            j -= 1
        value[j], weight[j], life[j] = v, w, a
    below, j = weight[0], 0
    while below < np.float32(0.5) * mass and j < count - 1:
        j += 1
        below += weight[j]
    middle = value[j]
    allowed = floor + _SHARE * abs(middle)
    total, centre = np.float32(0), np.float32(0)
    for k in range(count):
        off = (value[k] - middle) / allowed
        w = weight[k] / max(off * off * off * off, np.float32(1))
        total += w
        centre += w * value[k]
    return centre / total


def guided(own: F32, many: F32, heard: F32, trust: F32, floor: float) -> F32:
    """What many frames say where they agree; elsewhere the frame's own depth, in every place fitted to what they say.

    The fit is linear over a window (He, Sun and Tang, "Guided image filtering", 2010, with weights), so that outlines
    are those of the frame itself: nothing that moves leaves a trace.

    Args:
        own: (h, w) inverse depth of the frame; finite.
        many: (h, w) what many frames say; finite.
        heard: (h, w) 0..1, how much what they say counts in the fit.
        trust: (h, w) 0..1, how far it is taken as it is.
        floor: What spreads less than this over a window is flat: it is shifted only.
    """
    import cv2

    def mean(plane: NDArray[np.floating]) -> F32:
        return np.asarray(cv2.blur(plane.astype(np.float32), (_AROUND, _AROUND)), np.float32)

    weight = heard + np.float32(_OWN)
    said = (heard * many + np.float32(_OWN) * own) / weight
    mass = mean(weight)
    own_mean, said_mean, square, product = (mean(weight * plane) / mass for plane in (own, said, own * own, own * said))
    firm = np.float32(floor**2 + 1e-12)
    spread = np.maximum(square - own_mean * own_mean, 0) + firm
    scale = np.clip((product - own_mean * said_mean + firm) / spread, 0.5, 2).astype(np.float32)
    shift = (said_mean - scale * own_mean).astype(np.float32)
    return (trust * many + (1 - trust) * (mean(scale) * own + mean(shift))).astype(np.float32)
