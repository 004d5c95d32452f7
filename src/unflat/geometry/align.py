"""Depths of different kinds brought together: an assumed scale, a robust fit, a sensor completed by a network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError, ShapeError
from unflat.types.arrays import F32, F64, Bool
from unflat.types.depth import DepthKind, DepthMap

FAR_OVER_NEAR_INDOORS = 12.0
"""Assumed ratio of the farthest to the nearest hundredth of a view without sky."""
FAR_OVER_NEAR_OUTDOORS = 40.0
"""The same for a view with sky."""

_ROUNDS = 30
_PAIRS = 4000
_SAMPLES = 100_000
_TUKEY = 4.685
"""Tukey's constant: 95 % as efficient as least squares where the noise is Gaussian."""
_SENSOR_CONFIDENCE = 1.0
_NETWORK_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Fit:
    """``reference ≈ scale * predicted + shift``.

    Attributes:
        scale: > 0.
        shift: 0 where only a scale was fitted.
        error: Median absolute residual over the median absolute reference; 0 is perfect.
        support: Share of the points (by weight) that the fit kept.
    """

    scale: float
    shift: float
    error: float
    support: float

    def __call__(self, predicted: F32) -> F32:
        """The prediction in the units of the reference."""
        return np.float32(self.scale) * predicted + np.float32(self.shift)


def assume_scale(depth: DepthMap) -> DepthMap:
    """Give a depth with an unknown offset the kind SCALE by one rule.

    Let n be the value brought to 0..1 between the first and the last hundredth of all surface pixels, and R the
    assumed ratio of far to near: 12, or 40 where the map has sky. Then

        DISPARITY:  z = 1 / (A + B n)      with A = 1 / R and B = 1 - 1 / R   (z = R at n = 0, z = 1 at n = 1)
        AFFINE:     z = 1 + (R - 1) n                                         (z = 1 at n = 0, z = R at n = 1)

    and z is held between 1/2 and 2 R. A map without any spread becomes a wall at z = 1. Sky becomes +inf.
    The shape of the result (how deep things are) is thereby assumed; planes stay planes only if the guess of R
    was right. METRIC and SCALE come back unchanged.

    Args:
        depth: Any kind.

    Returns:
        Kind SCALE or METRIC; where it is not valid, z is 1.
    """
    if depth.kind.is_depth:
        return depth
    use = depth.surface & np.isfinite(depth.values)
    has_sky = depth.sky is not None and bool(depth.sky.any())
    ratio = FAR_OVER_NEAR_OUTDOORS if has_sky else FAR_OVER_NEAR_INDOORS
    low, high = np.percentile(depth.values[use].astype(np.float64), (1, 99)) if use.any() else (0.0, 0.0)
    z = np.ones(depth.size.shape, np.float32)
    if high > low:
        share = (depth.values[use].astype(np.float64) - low) / (high - low)
        if depth.kind is DepthKind.DISPARITY:
            inverse = 1 / ratio + (1 - 1 / ratio) * share
            z[use] = 1 / np.clip(inverse, 1 / (2 * ratio), 2)
        else:
            z[use] = np.clip(1 + (ratio - 1) * share, 0.5, 2 * ratio)
    valid = use
    if depth.sky is not None:
        z[depth.sky] = np.inf
        valid = use | depth.sky
    return replace(depth, values=z, kind=DepthKind.SCALE, valid=valid)


def fit_scale_shift(
    reference_inverse: F32, predicted_inverse: F32, weights: F32 | None = None, *, shift: bool = True
) -> Fit:
    """Robust least squares of ``reference ≈ scale * predicted + shift`` in inverse depth.

    Starts from the median slope over pairs of points (Theil 1950, Sen 1968) and goes on with Tukey's biweight by
    iterated reweighting, so that up to about 40 % of the points may be wrong. Points that are not finite or have
    no weight are left out. Where the points cannot tell a shift (fewer than two different predictions, or a
    slope that is not positive) a scale alone is fitted: an inverted prediction is never accepted.

    Args:
        reference_inverse: Any shape, 1 / z of what is trusted.
        predicted_inverse: The same shape.
        weights: The same shape, >= 0; None weighs all alike.
        shift: False fits a scale alone.

    Returns:
        The fit; its scale is always > 0.

    Raises:
        ShapeError: The shapes differ.
        InputError: No point is left, or the predictions have no positive scale.
    """
    if reference_inverse.shape != predicted_inverse.shape:
        raise ShapeError(f"cannot fit {predicted_inverse.shape} to {reference_inverse.shape}")
    if weights is not None and weights.shape != reference_inverse.shape:
        raise ShapeError(f"weights {weights.shape} do not belong to {reference_inverse.shape}")
    y, x, w = _points(reference_inverse, predicted_inverse, weights)
    if shift:
        start = _median_slope(x, y, w)
        if start is not None:
            fit = _reweighted(x, y, w, start, with_shift=True)
            if fit.scale > 0:
                return fit
    positive = x > 0
    if not positive.any():
        raise InputError("the predicted depth has nothing in common with the measured one")
    ratio = _weighted_median(y[positive] / x[positive], w[positive] * x[positive])
    if ratio <= 0:
        raise InputError("the predicted depth contradicts the measured one")
    return _reweighted(x, y, w, (ratio, 0.0), with_shift=False)


def _points(reference: F32, predicted: F32, weights: F32 | None) -> tuple[F64, F64, F64]:
    """Finite points with weight, at most 100 000 of them, evenly chosen."""
    y, x = np.ravel(reference), np.ravel(predicted)
    w = np.ones(y.shape) if weights is None else np.ravel(weights).astype(np.float64)
    index = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(w) & (w > 0))
    if index.size == 0:
        raise InputError("no pixel has both a measured and a predicted depth", hint="Check that the two maps overlap.")
    if index.size > _SAMPLES:
        index = index[np.linspace(0, index.size - 1, _SAMPLES).astype(np.int64)]
    return y[index].astype(np.float64), x[index].astype(np.float64), w[index]


def _weighted_median(values: F64, weights: F64) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def _median_slope(x: F64, y: F64, w: F64) -> tuple[float, float] | None:
    """(scale, shift) from pairs of points far enough apart, or None if there is no such pair or no rising slope."""
    rng = np.random.default_rng(0)
    a, b = rng.choice(len(x), (2, _PAIRS), p=w / w.sum())
    run = x[a] - x[b]
    apart = np.abs(run) > 0.05 * np.ptp(x)
    if not apart.any() or np.ptp(x) <= 1e-9 * np.abs(x).max():
        return None
    slope = float(np.median((y[a] - y[b])[apart] / run[apart]))
    return (slope, _weighted_median(y - slope * x, w)) if slope > 0 else None


def _reweighted(x: F64, y: F64, w: F64, start: tuple[float, float], *, with_shift: bool) -> Fit:
    """Iterated least squares with Tukey's biweight from a good start."""
    scale, offset = start
    size = max(float(np.median(np.abs(y))), np.finfo(np.float64).tiny)
    trust = np.ones_like(w)
    for _ in range(_ROUNDS):
        residual = y - scale * x - offset
        spread = max(1.4826 * _weighted_median(np.abs(residual), w), 1e-7 * size)
        trust = np.maximum(1 - (residual / (_TUKEY * spread)) ** 2, 0) ** 2
        v = w * trust
        mean_x, mean_y = (np.average(x, weights=v), np.average(y, weights=v)) if with_shift else (0.0, 0.0)
        power = float((v * (x - mean_x) ** 2).sum())
        if power <= 0:
            break
        new = float((v * (x - mean_x) * (y - mean_y)).sum() / power)
        moved = abs(new - scale)
        scale, offset = new, float(mean_y - new * mean_x)
        if moved <= 1e-9 * abs(scale):
            break
    error = _weighted_median(np.abs(y - scale * x - offset), w) / size
    return Fit(scale, offset, error, float((w * (trust > 0)).sum() / w.sum()))


def merge_depths(sensor: DepthMap, network: DepthMap) -> DepthMap:
    """Fill what a sensor did not measure with a network's depth, brought to the sensor's units.

    The network's inverse depth is fitted to the sensor's (scale and shift) over all pixels both have. What the
    fit leaves over is smoothed per place and per depth (a bilateral grid) and added, so that a filled hole meets
    its rim; far from any measurement the global fit stands alone. Measured pixels are never changed.

    Confidence: measured pixels keep the sensor's (1 where the sensor gives none and the network does); filled
    ones get the network's (1/2 where it gives none) divided by 1 + 4 e, e being the relative error of the fit.
    None if neither gives any. Where only the network sees sky, it is sky.

    Args:
        sensor: METRIC or SCALE.
        network: Any kind, the same size.

    Returns:
        The sensor's kind, camera and licence; both origins.

    Raises:
        UnitError: The sensor's depth has an unknown offset.
        ShapeError: The sizes differ.
        InputError: They have no pixel in common, or the network contradicts the sensor.
    """
    if sensor.size != network.size:
        raise ShapeError(f"the sensor's depth is {sensor.size}, the network's {network.size}; refine one first")
    measured = sensor.surface & np.isfinite(sensor.z) & (sensor.z > 0)
    guess = assume_scale(network) if network.kind is DepthKind.AFFINE else network
    known = guess.surface & np.isfinite(guess.values)
    if guess.kind.is_depth:
        known &= guess.values > 0
    predicted = np.zeros(sensor.size.shape, np.float32)
    predicted[known] = 1 / guess.values[known] if guess.kind.is_depth else guess.values[known]
    both = measured & known
    inverse = np.zeros_like(predicted)
    inverse[measured] = 1 / sensor.z[measured]
    fit = fit_scale_shift(inverse[both], predicted[both])
    aligned = fit(predicted)
    taken = np.asarray(sensor.valid) if sensor.sky is None else np.asarray(sensor.valid) | sensor.sky
    hole = known & ~taken
    filled = aligned[hole] + _local_correction(inverse, aligned, both, hole)
    farthest = 1 / (4 * float(sensor.z[measured].max()))
    values = np.where(measured, sensor.z, np.float32(1)).astype(np.float32)
    values[hole] = 1 / np.maximum(filled, farthest)
    sky = _either_sky(sensor, network, taken)
    valid = measured | hole
    if sky is not None:
        values[sky] = np.inf
        valid |= sky
    confidence = _merged_confidence(sensor, network, hole, fit)
    origin = f"{sensor.origin} + {network.origin}"
    return replace(sensor, values=values, valid=valid, sky=sky, confidence=confidence, origin=origin)


def _either_sky(sensor: DepthMap, network: DepthMap, taken: Bool) -> Bool | None:
    """The sensor's sky, and the network's where the sensor says nothing; None if nobody looked."""
    if network.sky is None:
        return sensor.sky
    from_network = network.sky & ~taken
    return from_network if sensor.sky is None else sensor.sky | from_network


def _merged_confidence(sensor: DepthMap, network: DepthMap, hole: Bool, fit: Fit) -> F32 | None:
    """See :func:`merge_depths`."""
    if sensor.confidence is None and network.confidence is None:
        return None
    shape = sensor.size.shape
    own = np.full(shape, _SENSOR_CONFIDENCE, np.float32) if sensor.confidence is None else sensor.confidence
    other = np.full(shape, _NETWORK_CONFIDENCE, np.float32) if network.confidence is None else network.confidence
    return np.where(hole, other / np.float32(1 + 4 * fit.error), own).astype(np.float32)


def _local_correction(inverse: F32, aligned: F32, both: Bool, hole: Bool, cells: int = 24) -> F32:
    """What to add to the aligned inverse depth in the holes: (n,) float32 in reading order.

    A bilateral grid (Chen, Paris, Durand, "Real-time edge-aware image processing with the bilateral grid",
    SIGGRAPH 2007) of ``cells`` along the long side and 12 levels of inverse depth.
    """
    h, w = inverse.shape
    step = max(h, w) / cells
    low, high = np.percentile(aligned[both], (1, 99)).astype(np.float64)
    levels = 12 if high > low else 1
    width = (high - low) / (levels - 1) if levels > 1 else 1.0

    def place(where: Bool) -> tuple[F64, F64, F64]:
        ys, xs = np.nonzero(where)
        depth = np.clip((aligned[where] - low) / width, 0, levels - 1)
        return (ys + 0.5) / step, (xs + 0.5) / step, depth.astype(np.float64)

    shape = (math.ceil(h / step) + 2, math.ceil(w / step) + 2, levels + 1)
    y, x, d = place(both)
    index = np.ravel_multi_index((np.rint(y).astype(int), np.rint(x).astype(int), np.rint(d).astype(int)), shape)
    weight = np.bincount(index, minlength=math.prod(shape)).reshape(shape).astype(np.float64)
    total = np.bincount(index, (inverse - aligned)[both], math.prod(shape)).reshape(shape).astype(np.float64)
    for axis in range(3):
        for _ in range(3):
            weight, total = _smoothed(weight, axis), _smoothed(total, axis)
    grid = total / (weight + 1e-3 * step * step)
    return _sliced(grid, *place(hole))


def _smoothed(grid: F64, axis: int) -> F64:
    """(1 2 1) / 4 along one axis, zero outside."""
    out = 0.5 * grid
    lower = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    upper = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    out[lower] += 0.25 * grid[upper]
    out[upper] += 0.25 * grid[lower]
    return out


def _sliced(grid: F64, y: F64, x: F64, d: F64) -> F32:
    """Trilinear values of a grid at (n,) places inside it."""
    y0, x0, d0 = y.astype(int), x.astype(int), d.astype(int)
    out = np.zeros(len(y))
    for corner in range(8):
        j, i, k = corner >> 2, corner >> 1 & 1, corner & 1
        weight = np.abs(1 - j - (y - y0)) * np.abs(1 - i - (x - x0)) * np.abs(1 - k - (d - d0))
        out += weight * grid[y0 + j, x0 + i, d0 + k]
    return out.astype(np.float32)
