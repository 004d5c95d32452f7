"""How large is it? Depth up to one factor -> depth in metres, with an error bar.

The first of these that the picture offers tells the size:

    known length      two points and their true distance, from the user
    metric source     the depth map came in metres (a phone's LiDAR, the user's own file)
    subject distance  the camera wrote how far it was focused
    familiar          a face or a standing person
    assumed           nothing told it: one documented rule, and the depth stays of kind SCALE
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError, UnitError
from unflat.geometry.measure import Span, span_between, spot_at, weighted_quantile
from unflat.types.camera import FocalBasis
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.scene import Scale

COVERAGE = 0.9
_DEVIATIONS = 1.645
"""Standard deviations on either side of the middle of a normal distribution that hold the share COVERAGE."""
_POINTING_PX = 1 / math.sqrt(3)
"""Standard error per axis of a point that a user marks: anywhere within one pixel of the picture."""
_FOCAL: dict[FocalBasis, float] = {
    "given": 0.005,
    "file": 0.005,
    "exif-35mm": 0.03,
    "exif-sensor": 0.05,
    "model": 0.15,
    "assumed": 0.25,
}
"""Relative standard error of the focal length by how it is known. EXIF rounds to whole millimetres."""
_QUARTER = math.log(1.25)

_ASSUMED_MEDIAN_M = 2.5
_ASSUMED_SPREAD = 8.0


@dataclass(frozen=True, slots=True)
class KnownLength:
    """The true distance between two points of a picture.

    Attributes:
        x1: First point, pixels from the left edge of the upright full picture; its first pixel's centre is 0.5.
        y1: First point, pixels from the top edge.
        x2: Second point.
        y2: Second point.
        metres: How far apart the two are in the world.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    metres: float

    def __post_init__(self) -> None:
        numbers = (self.x1, self.y1, self.x2, self.y2, self.metres)
        if not all(math.isfinite(n) for n in numbers):
            raise InputError(f"a known length needs finite numbers, not {numbers}", hint=_HOW)
        if not 1e-6 <= self.metres <= 1e6:
            raise InputError(f"a known length must be between 1e-6 and 1e6 metres, not {self.metres:g}", hint=_HOW)
        if (self.x1, self.y1) == (self.x2, self.y2):
            raise InputError("the two points of the known length are the same", hint=_HOW)

    @staticmethod
    def parse(text: str) -> KnownLength:
        """Read "X1,Y1,X2,Y2=METRES".

        Raises:
            InputError: The text says something else.
        """
        points, equals, metres = text.partition("=")
        words = points.split(",")
        try:
            numbers = [float(word) for word in (*words, metres)]
        except ValueError:
            numbers = []
        if not equals or len(words) != 4 or len(numbers) != 5:
            raise InputError(f"'{text}' is not a known length", hint=_HOW)
        return KnownLength(*numbers)

    def __str__(self) -> str:
        return f"{self.x1:.10g},{self.y1:.10g},{self.x2:.10g},{self.y2:.10g}={self.metres:.10g}"


_HOW = "Write two points in pixels and their distance in metres: --known-length X1,Y1,X2,Y2=METRES."


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """How the size of a scene is found."""

    known_length: KnownLength | None = None
    """Two points of the upright picture, in pixels, and their true distance: X1,Y1,X2,Y2=METRES."""
    familiar: bool = True
    """Look for faces and standing people, whose size is known well enough to tell the size of the rest."""


def scale_to_metres(depth: DepthMap, picture: Image, options: ScaleOptions) -> tuple[DepthMap, Scale]:
    """Depth up to one factor -> depth in metres, and how well those are known.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the picture, in its own or another resolution.
        picture: The upright full picture.
        options: What the user knows.

    Returns:
        The depth in (true or assumed) metres, METRIC if anything told the size and SCALE if it is assumed;
        and the interval for the factor from these metres to true ones.

    Raises:
        UnitError: The depth has an unknown offset.
        InputError: The depth has no camera, or the known length cannot be measured.
    """
    if not depth.kind.is_depth:
        raise UnitError(
            f"a depth map of kind '{depth.kind.value}' has an unknown offset, and no factor makes it metres",
            hint="Turn it into kind 'scale' first: unflat.geometry.align.assume_scale.",
        )
    if depth.intrinsics is None:
        raise InputError("a depth map needs a camera before it has a size", hint="Calibrate it first.")
    if options.known_length is not None:
        return _by_length(depth, picture, options.known_length)
    if depth.kind is DepthKind.METRIC:
        return depth, _stated(depth)
    return _by_rule(depth)


def _by_length(depth: DepthMap, picture: Image, known: KnownLength) -> tuple[DepthMap, Scale]:
    """The two ends are lifted and measured; the factor is the true length over the measured one."""
    a = spot_at(depth, known.x1, known.y1, of=picture.size)
    b = spot_at(depth, known.x2, known.y2, of=picture.size)
    span = span_between(a, b)
    pixel = max(depth.size.width / picture.size.width, depth.size.height / picture.size.height)
    assert depth.intrinsics is not None
    focal = _FOCAL[depth.intrinsics.basis]
    error = math.hypot(
        _POINTING_PX * pixel * span.pointing,
        span.noise,
        span.across * focal,
        _shape_error(span.confidence),
    )
    detail = f"a known length of {known.metres:g} m"
    if span.edge:
        detail += ", measured on the nearer side of an outline"
    if depth.intrinsics.guessed:
        detail += _focal_warning(depth, span)
    return _scaled(depth, known.metres / span.length), _scale("known-length", error, detail)


def _focal_warning(depth: DepthMap, span: Span) -> str:
    assert depth.intrinsics is not None
    lies = "across" if span.across > 0.5 else "along"
    other = "along" if span.across > 0.5 else "across"
    share = 100 * _DEVIATIONS * _FOCAL[depth.intrinsics.basis]
    return (
        f"; the focal length is a guess ({depth.intrinsics.basis}): the marked line runs {lies} the line of sight, "
        f"lengths {other} it may be wrong by another {share:.0f} %"
    )


def _shape_error(confidence: float | None) -> float:
    """Relative error of an estimated depth at one place against the whole, from its confidence.

    Confidence is the probability to be right within 25 %; with a Laplace law of the log error that is
    1 − exp(−ln 1.25 / b), whose standard deviation is √2·b. Measured depth (no confidence) has none.
    """
    if confidence is None:
        return 0.0
    sure = min(max(confidence, 0.05), 0.99)
    return math.sqrt(2) * _QUARTER / -math.log1p(-sure)


def _stated(depth: DepthMap) -> Scale:
    return Scale(
        "metric-source", 0.95, 1.05, COVERAGE, f"the depth came in metres ({depth.origin}), held to be right to 5 %"
    )


def _by_rule(depth: DepthMap) -> tuple[DepthMap, Scale]:
    surface = depth.surface
    if not surface.any():
        return depth, Scale("assumed", 1 / _ASSUMED_SPREAD, _ASSUMED_SPREAD, COVERAGE, "nothing but sky")
    median = weighted_quantile(depth.z[surface], 0.5)
    detail = f"assumed: the middle distance of what is seen is {_ASSUMED_MEDIAN_M:g} m"
    metres = replace(_scaled(depth, _ASSUMED_MEDIAN_M / median), kind=DepthKind.SCALE)
    return metres, Scale("assumed", 1 / _ASSUMED_SPREAD, _ASSUMED_SPREAD, COVERAGE, detail)


def _scaled(depth: DepthMap, factor: float) -> DepthMap:
    """The depth times a factor, as METRIC; the sky stays at infinity."""
    with np.errstate(over="ignore"):
        values = depth.z * np.float32(factor)
    return replace(depth, values=values, kind=DepthKind.METRIC)


def _scale(basis: str, error: float, detail: str) -> Scale:
    """A symmetric interval in the logarithm from a relative standard error."""
    half = _DEVIATIONS * error
    return Scale(basis, math.exp(-half), math.exp(half), COVERAGE, detail)  # type: ignore[arg-type]
