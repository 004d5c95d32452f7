"""Frames of a film with their depth, each tied to the one before; and a frame as seen through all those around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.flow import flow, places, resized_flow, returning, sampled
from unflat.geometry.shots import Look, tie, torn
from unflat.geometry.steady import Line, Step, agreed, along, divided, line_between
from unflat.types.arrays import F32, U8, Bool

_FLOW_SIDE = 320
"""Flow is looked for in pictures of at least about this long side, in pixels, if the depth is smaller."""
_FLOOR, _SHARE = 0.01, 0.03
"""Samples of a pixel agree within this share of the frame's nearest depth, and of their own."""
_LEAST_SURE = 0.1
"""The weight of depth with no confidence at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A frame, all at its depth's own size (h, w).

    Attributes:
        planes: (h, w, 4): inverse depth times weight, weight, probability of sky, confidence.
        grey: (h', w') uint8, what flow is looked for in.
        look: What tells shots apart.
        there: From the frame before to this one, on that frame's pixels.
        back: From this frame to the one before, on its own pixels.
        line: From the inverse depth of the frame before to that of this one.
    """

    planes: F32
    grey: U8
    look: Look
    there: Step
    back: Step
    line: Line

    @staticmethod
    def of(pixels: U8, inverse: F32, sky: F32 | None, confidence: F32 | None, before: Moment | None) -> Moment:
        """Take a frame in, and find its way from the one before.

        Args:
            pixels: (H, W, 3) uint8 of any size.
            inverse: (h, w) inverse depth; NaN where nothing is known.
            sky: (h, w) probability of sky, or None.
            confidence: (h, w) 0..1, or None.
            before: The frame before, of the same size; None for the first.
        """
        import cv2

        height, width = inverse.shape
        factor = max(1, round(_FLOW_SIDE / max(height, width)))
        small = np.asarray(
            cv2.resize(pixels, (width * factor, height * factor), interpolation=cv2.INTER_AREA), np.uint8
        )
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        planes = _planes(inverse, sky, confidence)
        if before is None:
            still = Step(np.zeros((height, width, 2), np.float32), np.ones((height, width), np.bool_))
            return Moment(planes, grey, Look.of(small, 1.0), still, still, Line())
        there, back = (resized_flow(f, height, width) for f in (flow(before.grey, grey), flow(grey, before.grey)))
        ways = Step(there, returning(there, back)), Step(back, returning(back, there))
        then, now = (np.asarray(cv2.resize(g, (width, height)), np.float32) for g in (before.grey, grey))
        at = places(height, width) + back
        look = Look.of(small, tie(sampled(then, at), now, ways[1].ok.astype(np.float32)))
        line = None if torn(look, before.look) else _line(before.planes, planes, ways[1], at)
        return Moment(planes, grey, look, *ways, line or Line())

    @property
    def inverse(self) -> F32:
        """(h, w), NaN where nothing is known."""
        weight = self.planes[..., 1]
        return np.where(weight > 0, divided(self.planes[..., 0], weight), np.float32(np.nan))


def _planes(inverse: F32, sky: F32 | None, confidence: F32 | None) -> F32:
    """See :class:`Moment`."""
    known = np.isfinite(inverse)
    clear = np.zeros(inverse.shape, np.float32) if sky is None else np.clip(np.nan_to_num(sky), 0, 1)
    sure = np.ones(inverse.shape, np.float32) if confidence is None else np.clip(np.nan_to_num(confidence), 0, 1)
    weight = known * (1 - clear) * (_LEAST_SURE + sure)
    return np.dstack([np.where(known, inverse, 0) * weight, weight, clear, sure]).astype(np.float32)


def _line(then: F32, now: F32, back: Step, at: F32) -> Line | None:
    """From the depth of planes to that of the planes after them."""
    seen = sampled(then, at)
    both = np.minimum(seen[..., 1], now[..., 1]) * back.ok
    x, y = (divided(p[..., 0], p[..., 1]) for p in (seen, now))
    return line_between(x, y, both)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A moment as seen from another.

    Attributes:
        planes: Its planes, on the other's pixels.
        weight: (h, w) 0..1, how far the way there is believed.
        line: From its inverse depth to the units of the other's.
        share: How much it counts, for its distance in time.
    """

    planes: F32
    weight: F32
    line: Line
    share: float


def sights(here: Moment, past: list[Moment], future: list[Moment]) -> list[Sight]:
    """All moments around as seen from ``here``, itself first.

    Args:
        here: The one in the middle.
        past: Those before it, the latest first.
        future: Those after it, in order.
    """
    seen = [Sight(here.planes, np.ones(here.planes.shape[:2], np.float32), Line(), 1.0)]
    lines = ([m.line for m in [here, *past]], [m.line.back for m in future])
    steps = ([m.back for m in [here, *past]], [m.there for m in future])
    for side, moments in enumerate((past, future)):
        line = Line()
        ways = along(steps[side][: len(moments)], [m.planes for m in moments])
        for k, (planes, weight) in enumerate(ways):
            line = line.after(lines[side][k])
            seen.append(Sight(planes, weight, line, 1 - (k + 1) / (len(moments) + 1)))
    return seen


def blended(seen: list[Sight], near: float) -> tuple[F32, F32, F32]:
    """What most sights agree on.

    Args:
        seen: From :func:`sights`.
        near: Inverse depth of what is near, in the units of the first.

    Returns:
        Inverse depth (NaN where nothing is known in any), probability of sky, confidence; (h, w) each.
    """
    height, width = seen[0].weight.shape
    samples = np.empty((len(seen), height * width), np.float32)
    weights = np.empty_like(samples)
    mean, total = np.zeros((height, width, 2), np.float32), np.zeros((height, width, 1), np.float32)
    for k, sight in enumerate(seen):
        trust = sight.planes[..., 1]
        samples[k] = sight.line(divided(sight.planes[..., 0], trust)).ravel()
        alive = np.float32(sight.share) * sight.weight
        weights[k] = (alive * trust).ravel()
        mean += alive[..., None] * sight.planes[..., 2:]
        total += alive[..., None]
    value = agreed(samples, weights, _FLOOR * near, _SHARE).reshape(height, width)
    sky, sure = np.moveaxis(mean / total, -1, 0)
    return value, np.ascontiguousarray(sky), np.ascontiguousarray(sure)


def reach(inverse: F32, known: Bool) -> tuple[float, float]:
    """(near, far): all but the nearest and the farthest hundredth of what is known; 0, 0 if nothing is."""
    values = inverse[known][::2]
    if not values.size:
        return 0.0, 0.0
    far, near = np.percentile(values, (1, 99))
    return float(max(near, 0)), float(max(far, 0))


def flicker(then: F32, now: F32, back: Step, span: tuple[float, float]) -> float:
    """Median |now - then, followed| over the pixels that can be followed, as a share of the range.

    Args:
        then: (h, w) inverse depth of the frame before; NaN or <= 0 where there is none.
        now: The same of the frame.
        back: From the frame to the one before.
        span: (near, far), see :func:`reach`.
    """
    reached = sampled(then, places(*then.shape) + back.flow)
    known = back.ok & np.isfinite(reached) & np.isfinite(now) & (now > 0) & (reached > 0)
    if not known.any() or not span[0] > span[1]:
        return 0.0
    return float(np.median(np.abs(now - reached)[known])) / (span[0] - span[1])


def stored(moments: Iterable[Moment]) -> dict[str, NDArray[np.generic]]:
    """Moments as plain arrays, to be kept in a file."""
    kept: dict[str, NDArray[np.generic]] = {}
    for k, m in enumerate(moments):
        kept |= {f"{k}.planes": m.planes, f"{k}.grey": m.grey, f"{k}.line": np.array(m.line, np.float64)}
        kept |= {f"{k}.{way}.{name}": getattr(getattr(m, way), name) for way in _WAYS for name in Step._fields}
        kept |= stored_look(m.look, f"{k}.look")
    return kept


def restored(kept: Mapping[str, NDArray[np.generic]]) -> list[Moment]:
    """The moments that :func:`stored` made arrays of."""
    moments: list[Moment] = []
    while f"{len(moments)}.planes" in kept:
        k = len(moments)
        planes, grey = np.asarray(kept[f"{k}.planes"], np.float32), np.asarray(kept[f"{k}.grey"], np.uint8)
        there, back = (
            Step(np.asarray(kept[f"{k}.{way}.flow"], np.float32), np.asarray(kept[f"{k}.{way}.ok"], np.bool_))
            for way in _WAYS
        )
        line = Line(*(float(v) for v in np.asarray(kept[f"{k}.line"], np.float64)))
        moments.append(Moment(planes, grey, restored_look(kept, f"{k}.look"), there, back, line))
    return moments


_WAYS = ("there", "back")


def stored_look(look: Look, name: str) -> dict[str, NDArray[np.generic]]:
    """A look as plain arrays."""
    return {f"{name}.{f.name}": np.asarray(getattr(look, f.name)) for f in fields(Look)}


def restored_look(kept: Mapping[str, NDArray[np.generic]], name: str) -> Look:
    """The look that :func:`stored_look` made arrays of."""
    thumb, colours = (np.asarray(kept[f"{name}.{n}"], np.float32) for n in ("thumb", "colours"))
    return Look(thumb, colours, float(kept[f"{name}.spread"]), float(kept[f"{name}.tie"]))
