"""How large is it? Depth up to one factor -> depth in metres, with an error bar.

The first of these that the picture offers tells the size:

    known length      two points and their true distance, from the user
    metric source     the depth map came in metres (a phone's LiDAR, the user's own file)
    subject distance  the camera wrote how far it was focused
    familiar          a face, a standing person, a car's number plate, a door
    assumed           nothing told it: one rule, and the depth stays of kind SCALE

The rule of the assumed scale: the median distance of what is seen, the sky left out, is 2.5 m where there is no sky
in the picture and 12 m where a tenth of it or more is sky, the geometric mean in proportion between them. The true
factor lies within 6.3 times of it either way, nine times in ten; that is all a picture without a clue can say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unflat.errors import InputError, UnitError
from unflat.geometry.measure import Span, span_between, spot_at, weighted_quantile
from unflat.stages.familiar_size import Told, shape_error, told_by_familiar
from unflat.types.camera import FocalBasis, Intrinsics
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.scale import Scale, ScaleBasis

COVERAGE = 0.9
_DEVIATIONS = 1.645
"""Standard deviations on either side of the middle of a normal distribution that hold the share COVERAGE."""
_POINTING_PX = 1 / math.sqrt(3)
"""Standard error per axis of a point that a user marks: anywhere within one pixel of the picture."""
_FOCAL: dict[FocalBasis, float] = {
    "given": 0.005,
    "views": 0.01,
    "file": 0.005,
    "exif-35mm": 0.03,
    "exif-sensor": 0.05,
    "model": 0.4,
    "assumed": 0.3,
}
"""Relative standard error of the focal length by how it is known. EXIF rounds to whole millimetres; the last two
are measured on the real pairs (benchmarks/scale.py)."""
_INDOORS_M, _OUTDOORS_M, _MUCH_SKY = 2.5, 12.0, 0.1
_OFFSET_UNKNOWN = 4.0
"""How far a depth may be off, either way, at places whose offset was assumed: two octaves."""
_ASSUMED_COVERAGE = 0.95
"""Held 38 times in 38 real pairs, which 0.9 would do once in fifty."""
_ASSUMED_FACTOR = 6.3
_FOCUS_TOLERANCE = 0.15
"""Relative standard error of a distance that a camera writes: the steps of its focus, and its rounding."""
_FOCUS_RANGE_M = (0.02, 500.0)


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
        return f"{self.x1!r},{self.y1!r},{self.x2!r},{self.y2!r}={self.metres!r}"


_HOW = "Write two points in pixels and their distance in metres: --known-length X1,Y1,X2,Y2=METRES."


@dataclass(frozen=True, slots=True)
class ScaleOptions:
    """How the size of a scene is found."""

    known_length: KnownLength | None = None
    """Two points of the upright picture, in pixels, and their true distance: X1,Y1,X2,Y2=METRES."""
    metric_error: float = 0.05
    """How far a depth map that comes in metres may be off nine times in ten: 0.05 is 5 %."""
    familiar: bool = True
    """Look for faces, standing people, number plates and doors, whose size tells the size of the rest."""

    def __post_init__(self) -> None:
        if not 0 <= self.metric_error < 10:
            raise InputError(f"the error of a metric depth must be between 0 and 10, not {self.metric_error:g}")


def scale_to_metres(depth: DepthMap, picture: Image, options: ScaleOptions) -> tuple[DepthMap, Scale]:
    """Depth up to one factor -> depth in metres, and how well those are known.

    Args:
        depth: METRIC or SCALE, with intrinsics; of the whole picture, in its own or another resolution.
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
        return _by_length(depth, depth.intrinsics, picture, options.known_length)
    if depth.kind is DepthKind.METRIC:
        return depth, _stated(depth, options.metric_error)
    found = _by_focus(depth, picture)
    if found is None and options.familiar:
        found = _by_familiar(depth, depth.intrinsics, picture)
    if found is None or isinstance(found, str):
        return _by_rule(depth, found)
    factor, scale = found
    return _scaled(depth, factor), scale


def of_assumed_shape(depth: DepthMap, scale: Scale) -> tuple[DepthMap, Scale]:
    """Take back what a length cannot make true: where the *offset* of a depth was assumed, only one factor is known.

    Args:
        depth: In metres by :func:`scale_to_metres`, from a depth whose offset was assumed.
        scale: Its interval.

    Returns:
        The same numbers, of kind SCALE, and an interval that is wider by the far/near range the assumption may be
        wrong by.
    """
    detail = f"{scale.detail}; the offset of the depth was assumed, so other places may be far off"
    wider = replace(scale, low=scale.low / _OFFSET_UNKNOWN, high=scale.high * _OFFSET_UNKNOWN, detail=detail)
    return replace(depth, kind=DepthKind.SCALE), wider


def _by_length(depth: DepthMap, camera: Intrinsics, picture: Image, known: KnownLength) -> tuple[DepthMap, Scale]:
    """The two ends are lifted and measured; the factor is the true length over the measured one."""
    a = spot_at(depth, known.x1, known.y1, of=picture.size)
    b = spot_at(depth, known.x2, known.y2, of=picture.size)
    span = span_between(a, b)
    pixel = max(depth.size.width / picture.size.width, depth.size.height / picture.size.height)
    error = math.hypot(
        _POINTING_PX * pixel * span.pointing,
        span.noise,
        span.across * _FOCAL[camera.basis],
        shape_error(span.confidence),
    )
    detail = f"a known length of {known.metres:g} m"
    if span.edge:
        detail += ", measured on the nearer side of an outline"
    if span.confidence is not None:
        detail += "; the depth is estimated, so other parts of the scene are less sure than the marked line"
    if camera.guessed:
        detail += _focal_warning(camera, span)
    return _scaled(depth, known.metres / span.length), _scale("known-length", error, detail)


def _focal_warning(camera: Intrinsics, span: Span) -> str:
    """What a guessed focal length does: it scales what lies across the line of sight against what lies along it."""
    lies, other = ("across", "along") if span.across > 0.5 else ("along", "across")
    often = math.exp(_DEVIATIONS * _FOCAL[camera.basis])
    return (
        f"; the focal length is {'assumed' if camera.basis == 'assumed' else 'a guess of the model'}: the marked line"
        f" runs {lies} the line of sight and is right, lengths {other} it may be off by a factor of {often:.2g}"
    )


def _stated(depth: DepthMap, error: float) -> Scale:
    """What came in metres is believed, within the stated error or, where that is larger, its own confidence."""
    own = 0.0
    if depth.confidence is not None and depth.surface.any():
        own = _DEVIATIONS * shape_error(weighted_quantile(depth.confidence[depth.surface], 0.5))
    half = max(math.log1p(error), own)
    detail = f"the depth came in metres ({depth.origin}), held to be right within {100 * math.expm1(half):.0f} %"
    return Scale("metric-source", math.exp(-half), math.exp(half), COVERAGE, detail)


def _by_focus(depth: DepthMap, picture: Image) -> tuple[float, Scale] | None:
    """The camera's focus distance belongs to the middle ninth of the picture; its spread is part of the error.

    The median of so many pixels of an estimated depth errs about half as much as one of them does.
    """
    distance = picture.lens.subject_distance_m
    if distance is None or not _FOCUS_RANGE_M[0] <= distance <= _FOCUS_RANGE_M[1]:
        return None
    h, w = depth.size.shape
    middle = (slice(h // 3, max(h // 3 + 1, 2 * h // 3)), slice(w // 3, max(w // 3 + 1, 2 * w // 3)))
    on = depth.surface[middle]
    if on.mean() < 0.2:
        return None
    z = depth.z[middle][on]
    low, median, high = (weighted_quantile(z, q) for q in (0.1, 0.5, 0.9))
    sure = None if depth.confidence is None else weighted_quantile(depth.confidence[middle][on], 0.5)
    error = math.hypot(_FOCUS_TOLERANCE, math.log(high / low) / (2 * 1.2816), shape_error(sure) / 2)
    detail = f"the camera was focused at {distance:g} m, taken as the middle of the picture"
    return distance / median, _scale("subject-distance", error, detail)


def _by_familiar(depth: DepthMap, camera: Intrinsics, picture: Image) -> tuple[float, Scale] | str | None:
    """Things of a familiar size; else why there are none, if there is a why."""
    told = told_by_familiar(depth, camera, picture)
    if not isinstance(told, Told):
        return told
    detail = f"the size of something familiar: {told.things}"
    return told.factor, _scale("familiar", math.hypot(told.error, _FOCAL[camera.basis]), detail)


def _by_rule(depth: DepthMap, why: str | None) -> tuple[DepthMap, Scale]:
    """The documented rule for a picture that does not tell its size; see the top of this file."""
    thin = np.s_[:: max(1, depth.size.height // 512), :: max(1, depth.size.width // 512)]
    surface = depth.surface[thin]
    share = 0.0 if depth.sky is None else float(depth.sky.mean())
    metres = _INDOORS_M * (_OUTDOORS_M / _INDOORS_M) ** min(1.0, share / _MUCH_SKY)
    detail = f"assumed, nothing tells the size: the median distance of what is seen is taken as {metres:.2g} m"
    if why is not None:
        detail += f" ({why})"
    scale = Scale("assumed", 1 / _ASSUMED_FACTOR, _ASSUMED_FACTOR, _ASSUMED_COVERAGE, detail)
    if not surface.any():
        return replace(depth, kind=DepthKind.SCALE), scale
    scaled = _scaled(depth, metres / weighted_quantile(depth.z[thin][surface], 0.5))
    return replace(scaled, kind=DepthKind.SCALE), scale


def _scaled(depth: DepthMap, factor: float) -> DepthMap:
    """The depth times a factor, as METRIC; the sky stays at infinity, what overflows is no longer valid."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        values = depth.z * np.float32(factor)
        fits = (values > 0) & (values < np.inf)
    valid = np.asarray(depth.valid) & (fits if depth.sky is None else fits | depth.sky)
    return replace(depth, values=values, valid=valid, kind=DepthKind.METRIC)


def _scale(basis: ScaleBasis, error: float, detail: str) -> Scale:
    """An interval that is symmetric in the logarithm, from a relative standard error."""
    half = _DEVIATIONS * error
    return Scale(basis, math.exp(-half), math.exp(half), COVERAGE, detail)
