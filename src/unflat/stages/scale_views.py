"""How large is a place that many pictures show? Its reconstruction's unit -> metres, with an error bar.

The first of these that there is tells:

    known length      two points that the user marks, in one picture or in two
    marker            a printed square of known side (ArUco, AprilTag), found in the pictures
    measured depth    pictures that came with depth in metres (a phone's LiDAR), or a tracker that already had metres
    the network       depth in metres, or faces, people, number plates and doors at the depth that it sees
    assumed           nothing told it: one rule

The rule: cameras are held 1.5 m above the floor that is seen; where none is, or one thing is filmed from around, the
median distance of what is seen is 2.5 m, or 0.7 m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from unflat.errors import InputError
from unflat.geometry.measure import weighted_quantile
from unflat.geometry.pyramid import resized
from unflat.stages.familiar_size import Told, told_by_familiar
from unflat.stages.locate_mark import Located, length_between, located, located_twice, observed, together
from unflat.stages.marked_length import MarkedLength
from unflat.stages.read_markers import read_markers
from unflat.stages.scale_to_metres import COVERAGE, KnownLength
from unflat.types.arrays import F64, U8
from unflat.types.depth import DepthKind, DepthMap
from unflat.types.image import Image
from unflat.types.scale import Scale, ScaleBasis
from unflat.types.views import Reconstruction

_DEVIATIONS = 1.645
_LENS = 0.002
"""What the lens and the path of a reconstruction leave of error in any length, at best."""
_RULER = 0.002
"""How exactly a marker is printed and glued flat."""
_NETWORK = 0.12
"""A network that speaks of metres may be off alike in all pictures of a place by so much (standard error)."""
_HELD_M, _HELD_FACTOR = 1.5, 2.0
_PLACE_M, _THING_M, _ASSUMED_FACTOR = 2.5, 0.7, 6.3
_ASKED = 6
"""So many views are shown to the network."""
_LOOKED_AT = 640
"""Long side of what it is shown: enough for what its depth is compared with, which are points."""
_LEAST_POINTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Clues:
    """What may tell the size; the fields are those of PlaceOptions and Hints in stages/place_scene.

    ``floor_seen``: y = 0 is a floor that was found.
    """

    known_length: MarkedLength | None
    marker_mm: float | None
    metric_error: float
    familiar: bool
    depths: Mapping[str, DepthMap]
    guess: Callable[[U8], DepthMap] | None
    around: bool
    floor_seen: bool


def size_of_place(reconstruction: Reconstruction, clues: Clues) -> tuple[float, Scale, list[str]]:
    """The factor from the reconstruction's unit to metres, how well it is known, and notes.

    Args:
        reconstruction: Upright, its floor at y = 0.
        clues: What may tell.

    Raises:
        InputError: What the user said (a length, a marker) cannot be found in the pictures.
    """
    if clues.known_length is not None:
        return _by_length(reconstruction, clues.known_length)
    if clues.marker_mm is not None:
        return _by_marker(reconstruction, clues.marker_mm / 1000)
    found = _by_depths(reconstruction, clues)
    if found is None and reconstruction.scale is not None and not reconstruction.scale.assumed:
        return 1.0, reconstruction.scale, []
    if found is None and clues.guess is not None:
        found = _by_network(reconstruction, clues, clues.guess)
    if found is not None:
        return (*found, [])
    factor, scale = _by_rule(reconstruction, clues)
    return factor, scale, [f"the size is {scale.detail}; --known-length or --marker-mm makes it true"]


def _by_length(reconstruction: Reconstruction, known: MarkedLength) -> tuple[float, Scale, list[str]]:
    marks = known.views(reconstruction)
    names = [reconstruction.views[k].still.name for k, _ in marks]
    ends = [_end(reconstruction, marks, which) for which in (0, 1)]
    notes: list[str] = []
    one, other = ends
    if one is None or other is None:
        raise InputError(
            f"how far away the ends of the known length are in {' and '.join(names)} cannot be seen",
            hint="Mark corners with texture, or the same two points in a second picture: PICTURE:…+PICTURE:…=METRES.",
        )
    length, error = length_between(one, other)
    if length <= 0:
        raise InputError("the two points of the length are the same", hint="Mark two points that are further apart.")
    if one.plain or other.plain:
        notes.append("an end of the known length is on a plain surface: points around it tell how far away it is")
    detail = f"a known length of {known.metres:g} m in {' and '.join(names)}"
    return known.metres / length, _scale("known-length", math.hypot(error, _LENS), detail), notes


def _end(reconstruction: Reconstruction, marks: list[tuple[int, KnownLength]], which: int) -> Located | None:
    """One end of the length, as the surest of its pictures tells it, or two together."""
    pixels = [(k, np.array([(m.x1, m.y1), (m.x2, m.y2)][which])) for k, m in marks]
    found = [located(reconstruction, k, at) for k, at in pixels]
    return together(found, located_twice(reconstruction, pixels) if len(pixels) == 2 else None)


def _by_marker(reconstruction: Reconstruction, side_m: float) -> tuple[float, Scale, list[str]]:
    markers = read_markers(reconstruction.views)
    if not markers:
        raise InputError(
            "no marker is seen well in two pictures or more",
            hint="Show it flat, sharp, with its white rim, and 40 pixels wide or more; or leave --marker-mm away.",
        )
    weights = np.array([marker.error for marker in markers]) ** -2.0
    logs = np.array([math.log(side_m / marker.side) for marker in markers])
    middle = float((logs * weights).sum() / weights.sum())
    spread = float(np.abs(logs - middle).max())
    error = math.hypot(float(weights.sum() ** -0.5), _LENS, _RULER)
    notes: list[str] = []
    if spread > 5 * max(marker.error for marker in markers):
        notes.append(f"the markers differ in size by {100 * spread:.0f} %: are they all {side_m * 1000:g} mm wide?")
        error = max(error, spread)
    names = ", ".join(marker.name for marker in markers[:4])
    return math.exp(middle), _scale("marker", error, f"a marker of {side_m * 1000:g} mm ({names})"), notes


def _by_depths(reconstruction: Reconstruction, clues: Clues) -> tuple[float, Scale] | None:
    """Pictures that came with depth in metres, compared with the points that they see."""
    logs: list[float] = []
    for k, view in enumerate(reconstruction.views):
        depth = clues.depths.get(view.still.name)
        if depth is not None and depth.kind is DepthKind.METRIC:
            ratio = _ratio(reconstruction, k, depth)
            logs += [] if ratio is None else [ratio]
    if not logs:
        return None
    middle = float(np.median(logs))
    own = _scatter(logs)
    common = math.log1p(clues.metric_error) / _DEVIATIONS
    detail = f"depth in metres that came with {len(logs)} pictures"
    return math.exp(middle), _scale("metric-source", math.hypot(own, common, _LENS), detail)


def _ratio(reconstruction: Reconstruction, number: int, depth: DepthMap) -> float | None:
    """Log of a depth map's unit over the reconstruction's, by the points that the view sees."""
    seen, z = observed(reconstruction, number)
    size = reconstruction.views[number].still.size
    columns = np.clip((seen[:, 0] * depth.size.width / size.width).astype(np.int64), 0, depth.size.width - 1)
    rows = np.clip((seen[:, 1] * depth.size.height / size.height).astype(np.int64), 0, depth.size.height - 1)
    there = depth.surface[rows, columns]
    if there.sum() < _LEAST_POINTS:
        return None
    return float(np.median(np.log(depth.z[rows, columns][there] / z[there])))


def _by_network(
    reconstruction: Reconstruction, clues: Clues, guess: Callable[[U8], DepthMap]
) -> tuple[float, Scale] | None:
    """The network's metres, or things of a familiar size at the depth that it sees, fitted to the points."""
    step = max(1, math.ceil(len(reconstruction.views) / _ASKED))
    logs: list[float] = []
    told: list[Told] = []
    for k in range(0, len(reconstruction.views), step):
        view = reconstruction.views[k]
        pixels = view.still.read()
        depth = guess(resized(pixels, view.still.size.fitted(_LOOKED_AT)))
        ratio = _ratio(reconstruction, k, depth)
        if ratio is None:
            continue
        if depth.kind is DepthKind.METRIC:
            logs.append(ratio)
        elif clues.familiar:
            unit = DepthMap(
                (depth.z / np.float32(math.exp(ratio))), DepthKind.SCALE, depth.valid, depth.sky, depth.confidence,
                view.lens.intrinsics.resized(depth.size),
            )  # fmt: skip
            one = told_by_familiar(unit, view.lens.intrinsics.resized(depth.size), Image(pixels))
            told += [one] if isinstance(one, Told) else []
    if logs:
        error = math.hypot(_scatter(logs), _NETWORK)
        return math.exp(float(np.median(logs))), _scale("metric-source", error, "the network's metres")
    if not told:
        return None
    weights = np.array([one.error for one in told]) ** -2.0
    middle = float((np.log([one.factor for one in told]) * weights).sum() / weights.sum())
    error = math.hypot(min(one.error for one in told), _scatter([math.log(one.factor) for one in told]))
    things = " and ".join(sorted({one.things for one in told}))
    return math.exp(middle), _scale("familiar", error, f"the size of something familiar: {things}")


def _by_rule(reconstruction: Reconstruction, clues: Clues) -> tuple[float, Scale]:
    eyes = np.stack([view.pose.centre for view in reconstruction.views])
    height = float(np.median(-eyes[:, 1]))
    if clues.floor_seen and not clues.around and height > 0:
        detail = f"assumed: cameras held {_HELD_M:g} m above the floor"
        return _HELD_M / height, Scale("assumed", 1 / _HELD_FACTOR, _HELD_FACTOR, COVERAGE, detail)
    metres = _THING_M if clues.around else _PLACE_M
    distances = [z for k in range(len(eyes)) for z in observed(reconstruction, k)[1]]
    median = weighted_quantile(distances, 0.5) if distances else _spread(eyes)
    detail = f"assumed: the median distance of what is seen is {metres:g} m"
    return metres / median, Scale("assumed", 1 / _ASSUMED_FACTOR, _ASSUMED_FACTOR, COVERAGE, detail)


def _spread(eyes: F64) -> float:
    """How far apart the cameras stand; 1 where there is but one place."""
    return float(np.linalg.norm(np.ptp(eyes, axis=0))) or 1.0


def _scatter(logs: list[float]) -> float:
    """Standard error of the median of several logs."""
    return 1.2533 * float(np.std(logs, ddof=1)) / math.sqrt(len(logs)) if len(logs) > 1 else 0.03


def _scale(basis: ScaleBasis, error: float, detail: str) -> Scale:
    """An interval that is symmetric in the logarithm, from a relative standard error."""
    half = _DEVIATIONS * error
    return Scale(basis, math.exp(-half), math.exp(half), COVERAGE, detail)
