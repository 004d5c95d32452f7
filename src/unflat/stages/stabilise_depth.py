"""Depth that was seen frame by frame -> depth that is steady over each shot.

    seen ─► Moment: small picture, flow and scale from the one before ─► cut?
         ─► past and coming moments of the shot ─► one value along each way ─► scale of the shot ─► DepthFrame

Frames are held back by ``look_ahead``; memory does not grow with the film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError, ShapeError
from unflat.geometry.align import assume_scale
from unflat.geometry.moments import (
    Moment,
    Sights,
    blended,
    flicker,
    planes_of,
    reach,
    restored,
    restored_look,
    sights,
    stored,
    stored_look,
)  # fmt: skip
from unflat.geometry.shots import LOOK_AHEAD, Look, begins_shot, remembered, torn
from unflat.geometry.steady import Line, line_between
from unflat.geometry.still import Settled, unmoved
from unflat.stages.estimate_depth import Estimate
from unflat.types.arrays import F32, Bool, settle
from unflat.types.clip import DepthFrame, TimedFrame

_FREE = 0.125
"""How far the shot's scale follows, with each frame, that of the frames around it."""
_TRIED, _ENOUGH = 4, 0.1
"""Depth averaged over so many frames, in this share of the picture, holds the scale of a shot."""
_LOOSE = 0.10
"""The shot's range is held until what is near or far leaves it by this share of it; then it glides."""
_GLIDE = 0.06
"""The share of the way that the range glides with each frame."""


@dataclass(frozen=True, slots=True)
class SteadyOptions:
    """How depth is made steady over time."""

    look_ahead: int = 8
    """Frames before and after each that its depth is made of; with 0 only scale and shift are brought together."""

    def __post_init__(self) -> None:
        if not 0 <= self.look_ahead <= 48:
            raise InputError(f"--look-ahead {self.look_ahead} is out of range", hint="Give 0 to 48 frames.")


@dataclass(frozen=True, slots=True, eq=False)
class RawDepth:
    """What was seen in one frame, by itself.

    Attributes:
        inverse: (h, w) float32 inverse depth up to an unknown factor; NaN where nothing is known.
        sky: (h, w) float32, probability of sky; None where nobody looked for it.
        confidence: (h, w) float32 0..1, or None.
        shifted: Its offset is not known either: each frame has one of its own.
    """

    inverse: F32
    sky: F32 | None = None
    confidence: F32 | None = None
    shifted: bool = False

    def __post_init__(self) -> None:
        settle(self, "inverse", "float32", (None, None))
        settle(self, "sky", "float32", self.inverse.shape)
        settle(self, "confidence", "float32", self.inverse.shape)


def as_inverse(seen: Estimate) -> RawDepth:
    """What a model saw, as inverse depth; where its kind has an unknown offset, that is assumed (``assume_scale``)."""
    depth = assume_scale(seen.depth)
    with np.errstate(divide="ignore"):
        inverse = np.where(np.asarray(depth.valid) & (depth.values > 0), 1 / depth.values, np.float32(np.nan))
    return RawDepth(inverse.astype(np.float32), seen.sky_probability, depth.confidence, not seen.depth.kind.is_depth)


@dataclass(frozen=True, slots=True)
class ShotReport:
    """How steady a shot is: medians of |inverse depth - that of the frame before, followed|, as a share of the range.

    Attributes:
        shot: Its number.
        first: The number of its first frame.
        frames: How many it has.
        before: Mean over its frames of the error of what was seen.
        after: The same of what was made of it.
    """

    shot: int
    first: int
    frames: int
    before: float
    after: float


@dataclass
class SteadyState:
    """All that the stage remembers from one frame to the next: it belongs to the frame that was yielded last.

    A film can be cut behind any frame: keep :meth:`arrays` then, make the state anew with :meth:`of`, and feed the
    frames from the next one on; what comes out is the same to the byte.

    Attributes:
        past: The moments before, of the same shot, in order.
        looks: What is remembered of the frames before, of the same shot, to find the next cut.
        shots: What was measured of each shot so far.
        line: From the units of the last moment to those of the shot.
        settled: The depth that was yielded last; None where a shot begins.
        near: See DepthFrame.
        far: See DepthFrame.
    """

    past: list[Moment] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    shots: list[ShotReport] = field(default_factory=list)
    line: Line = field(default_factory=Line)
    settled: Settled | None = None
    near: float = 0.0
    far: float = 0.0

    @property
    def before(self) -> float:
        """Temporal error over all frames as they were seen (see ShotReport)."""
        return _mean(self.shots, [s.before for s in self.shots])

    @property
    def after(self) -> float:
        """Temporal error over all frames as they were made."""
        return _mean(self.shots, [s.after for s in self.shots])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The state as plain arrays, without loss: ``numpy.savez(file, **state.arrays())``."""
        kept = stored(self.past)
        for k, look in enumerate(self.looks):
            kept |= stored_look(look, f"look{k}")
        kept["numbers"] = np.array([*self.line, self.near, self.far], np.float64)
        kept["shots"] = np.array([astuple(s) for s in self.shots], np.float64).reshape(-1, len(fields(ShotReport)))
        return kept | ({} if self.settled is None else self.settled.arrays())

    @staticmethod
    def of(kept: Mapping[str, NDArray[np.generic]]) -> SteadyState:
        """The state that :meth:`arrays` was asked of."""
        looks: list[Look] = []
        while f"look{len(looks)}.thumb" in kept:
            looks.append(restored_look(kept, f"look{len(looks)}"))
        scale, shift, near, far = (float(v) for v in np.asarray(kept["numbers"], np.float64))
        shots = [
            ShotReport(*(int(v) for v in row[:3]), *(float(v) for v in row[3:]))
            for row in np.asarray(kept["shots"], np.float64)
        ]
        return SteadyState(restored(kept), looks, shots, Line(scale, shift), Settled.of(kept), near, far)


def _mean(shots: Sequence[ShotReport], values: Sequence[float]) -> float:
    """Over the pairs of frames that there are."""
    pairs = [max(s.frames - 1, 0) for s in shots]
    return float(np.dot(pairs, values) / sum(pairs)) if sum(pairs) else 0.0


def stabilise_depth(
    seen: Iterable[tuple[TimedFrame, RawDepth]],
    options: SteadyOptions = SteadyOptions(),  # noqa: B008  frozen
    state: SteadyState | None = None,
) -> Generator[DepthFrame]:
    """Make the depth of a film steady, shot by shot.

    Every pixel is followed through the frames around it, as far as flow there and back agree, and takes the value
    that most of what is seen along its way agree on; before that, all are brought to one scale and shift by robust
    fits. Nothing is followed over a cut.

    Args:
        seen: The frames in order with the depth that was seen in each; sizes never change.
        options: How.
        state: What an earlier run remembered; it is kept up to date, and tells at the end how steady the film was.

    Yields:
        Each frame once, with its depth, ``options.look_ahead`` frames later or when the film ends.

    Raises:
        ShapeError: The depth of a frame has another size than that before.
    """
    state = SteadyState() if state is None else state
    ahead = max(options.look_ahead, LOOK_AHEAD)
    coming: deque[tuple[TimedFrame, Moment]] = deque()
    for frame, raw in seen:
        before = coming[-1][1] if coming else state.past[-1] if state.past else None
        if before is not None and before.planes.shape[:2] != raw.inverse.shape:
            raise ShapeError(f"the depth of frame {frame.number} has another size than that of the frame before")
        coming.append((frame, _moment(frame, raw, before)))
        if len(coming) > ahead:
            yield _settled(state, coming, options)
    while coming:
        yield _settled(state, coming, options)


def _moment(frame: TimedFrame, raw: RawDepth, before: Moment | None) -> Moment:
    planes = planes_of(raw.inverse, raw.sky, raw.confidence)
    return Moment.of(frame.pixels, planes, before, shifted=raw.shifted)


def _settled(state: SteadyState, coming: deque[tuple[TimedFrame, Moment]], options: SteadyOptions) -> DepthFrame:
    """The depth of the first moment that is coming, which thereby becomes the past."""
    frame, here = coming.popleft()
    if not state.shots or begins_shot(state.looks, [here.look, *(m.look for _, m in islice(coming, LOOK_AHEAD))]):
        state.past, state.looks, state.settled, state.line = [], [], None, Line()
        state.shots.append(ShotReport(len(state.shots), frame.number, 0, 0.0, 0.0))
    future = _same_shot(state, here, [m for _, m in islice(coming, options.look_ahead)])
    window = sights(here, list(reversed(state.past))[: options.look_ahead], future)
    value, sky, sure = blended(window, reach(here.inverse, here.planes[..., 1] > 0)[0])
    was = state.settled
    still = None if was is None else unmoved(was.anchor, here.grey, here.back.flow)
    state.line = _shot_line(state, here, window, _on_still(here, value, sky, was, still))
    level = np.maximum(_filled(state.line(value), sky, was), 0).astype(np.float32)
    now = Settled.begin(level, sky, here.grey) if was is None else was.then(level, sky, here.grey, still)
    _go_on(state, here, now)
    state.past = [*state.past, here][-max(options.look_ahead, 1) :]
    state.looks = remembered(state.looks, here.look)
    return DepthFrame(frame, now.out, state.shots[-1].shot, state.near, state.far, sure)


def _same_shot(state: SteadyState, here: Moment, coming: Sequence[Moment]) -> list[Moment]:
    """Those of the coming moments that belong to the shot of ``here``, as far as is known yet."""
    looks, before = remembered(state.looks, here.look), here.look
    for k, moment in enumerate(coming):
        if torn(moment.look, before) or begins_shot(looks, [m.look for m in coming[k : k + 1 + LOOK_AHEAD]]):
            return list(coming[:k])
        looks, before = remembered(looks, moment.look), moment.look
    return list(coming)


def _on_still(here: Moment, value: F32, sky: F32, was: Settled | None, still: Bool | None) -> Line | None:
    """From depth in the units of its frame to those of the shot, by what is still; None where too little is."""
    if was is None or still is None:
        return None
    use = still & (was.count >= _TRIED) & (sky < 0.5) & (was.sky < 0.5)
    if use.mean() < _ENOUGH:
        return None
    return line_between(np.nan_to_num(value), was.level, use.astype(np.float32), shift=here.shifted)


def _filled(value: F32, sky: F32, before: Settled | None) -> F32:
    """What is known nowhere along its way keeps what was there before, else takes the middle of what is known."""
    lost = ~np.isfinite(value)
    if not lost.any():
        return value
    if before is not None:
        return np.where(lost, before.level, value)
    rest = value[~lost & (sky <= 0.5)]
    return np.where(lost, np.median(rest) if rest.size else np.float32(0), value).astype(np.float32)


def _shot_line(state: SteadyState, here: Moment, window: Sights, on_still: Line | None) -> Line:
    """From the units of ``here`` to those of the shot.

    They keep to what is still; where all moves, to the frame before, and slowly to the mean of the frames around, or
    a camera that goes forward would shrink the world that it meets.
    """
    if on_still is not None:
        return on_still
    total = sum(window.shares)
    backs = [(share / total, line.back) for share, line in zip(window.shares, window.lines, strict=True)]
    around = Line(sum(w * b.scale for w, b in backs), sum(w * b.shift for w, b in backs))
    if state.settled is None:
        return around
    kept = state.line.after(here.line.back)
    return Line(*((1 - _FREE) * k + _FREE * a for k, a in zip(kept, around, strict=True)))


def _go_on(state: SteadyState, here: Moment, now: Settled) -> None:
    """Range, report and depth of the state go one frame on."""
    shot, out = state.shots[-1], now.out
    near, far = reach(out, out > 0)
    before = after = 0.0
    if state.settled is None:
        state.near, state.far = near, far
    else:
        loose = _LOOSE * (state.near - state.far)
        state.near += _GLIDE * (near - state.near) if abs(near - state.near) > loose else 0
        state.far += _GLIDE * (far - state.far) if abs(far - state.far) > loose else 0
        state.far = min(state.far, state.near)
        raw = here.inverse
        seen = flicker(state.past[-1].inverse, raw, here.back, reach(raw, np.isfinite(raw)))
        made = flicker(state.settled.out, out, here.back, (state.near, state.far))
        n = shot.frames
        before, after = ((mean * (n - 1) + new) / n for mean, new in ((shot.before, seen), (shot.after, made)))
    state.shots[-1] = replace(shot, frames=shot.frames + 1, before=before, after=after)
    state.settled = now
