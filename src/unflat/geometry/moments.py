"""Frames of a film with their depth, each tied to the one before; and a frame as seen through all those around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.flow import flow, places, resized_flow, sampled
from unflat.geometry.shots import Look, tie, torn
from unflat.geometry.steady import Line, Step, agreed, along, divided, guided, line_between
from unflat.types.arrays import F32, U8, Bool

_FLOW_SIDE = 320
"""Flow is looked for in pictures of at least about this long side, in pixels, if the depth is smaller."""
_FLOOR = 0.01
"""Samples of a pixel agree at least within this share of what is near, and the noise between frames."""
_FEW, _MANY = 0.05, 0.25
"""What less than this share of the frames around agrees on does not count; what more than that does, counts alone."""
_SPLIT, _AT_ONE = 0.5, 0.8
"""The same for the share of those that can be followed to a pixel."""
_BLIND = 0.01
"""The weight of depth that was seen in an empty frame."""
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
        shifted: The offset of its inverse depth is unknown, too.
    """

    planes: F32
    grey: U8
    look: Look
    there: Step
    back: Step
    line: Line
    shifted: bool = False

    @staticmethod
    def of(pixels: U8, planes: F32, before: Moment | None, *, shifted: bool = False) -> Moment:
        """Take a frame in, and find its way from the one before.

        Args:
            pixels: (H, W, 3) uint8 of any size.
            planes: (h, w, 4), from :func:`planes_of`.
            before: The frame before, of the same size; None for the first.
            shifted: See :class:`Moment`.
        """
        import cv2

        height, width = planes.shape[:2]
        factor = max(1, round(_FLOW_SIDE / max(height, width)))
        small = np.asarray(
            cv2.resize(pixels, (width * factor, height * factor), interpolation=cv2.INTER_AREA), np.uint8
        )
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        if before is None:
            still = Step.none(height, width)
            look = Look.of(small, 1.0)
            return Moment(_weighed(planes, look), grey, look, still, still, Line(), shifted)
        there, back = (resized_flow(f, height, width) for f in (flow(before.grey, grey), flow(grey, before.grey)))
        small_greys = (cv2.resize(g, (width, height), interpolation=cv2.INTER_AREA) for g in (before.grey, grey))
        then, now = (np.asarray(g, np.float32) for g in small_greys)
        ways = Step.of(there, back, then, now), Step.of(back, there, now, then)
        at = places(height, width) + back
        look = Look.of(small, tie(sampled(then, at), now, ways[1].ok))
        planes = _weighed(planes, look)
        line = None if torn(look, before.look) else _line(before.planes, planes, ways[1], at, shift=shifted)
        return Moment(planes, grey, look, *ways, line or Line(), shifted)

    @property
    def inverse(self) -> F32:
        """(h, w), NaN where nothing is known."""
        weight = self.planes[..., 1]
        return np.where(weight > 0, divided(self.planes[..., 0], weight), np.float32(np.nan))


def _weighed(planes: F32, look: Look) -> F32:
    """What was seen in a frame in which there is nothing to see counts only where there is nothing else."""
    return planes * np.array([_BLIND, _BLIND, 1, 1], np.float32) if look.empty else planes


def planes_of(inverse: F32, sky: F32 | None, confidence: F32 | None) -> F32:
    """(h, w, 4), as :class:`Moment` keeps what was seen in a frame.

    Args:
        inverse: (h, w) inverse depth; NaN where nothing is known.
        sky: (h, w) probability of sky, or None.
        confidence: (h, w) 0..1, or None.
    """
    known = np.isfinite(inverse)
    clear = np.zeros(inverse.shape, np.float32) if sky is None else np.clip(np.nan_to_num(sky), 0, 1)
    sure = np.ones(inverse.shape, np.float32) if confidence is None else np.clip(np.nan_to_num(confidence), 0, 1)
    weight = known * (1 - clear) * (_LEAST_SURE + sure)
    return np.dstack([np.where(known, inverse, 0) * weight, weight, clear, sure]).astype(np.float32)


def _line(then: F32, now: F32, back: Step, at: F32, *, shift: bool) -> Line | None:
    """From the depth of planes to that of the planes after them."""
    seen = sampled(then, at)
    both = np.minimum(seen[..., 1], now[..., 1]) * back.ok
    x, y = (divided(p[..., 0], p[..., 1]) for p in (seen, now))
    return line_between(x, y, both, shift=shift)


@dataclass(frozen=True, slots=True, eq=False)
class Sights:
    """k moments as seen from one of them, the first.

    Attributes:
        planes: (k, h, w, 4), theirs on its pixels.
        alive: (k, h, w), how much each counts there: by its distance in time, and how far the way is believed.
        lines: From the inverse depth of each to the units of the first.
        shares: How much each counts, by its distance in time alone.
    """

    planes: F32
    alive: F32
    lines: tuple[Line, ...]
    shares: tuple[float, ...]


def sights(here: Moment, past: Sequence[Moment], future: Sequence[Moment]) -> Sights:
    """All moments around as seen from ``here``.

    Args:
        here: The one in the middle.
        past: Those before it, the latest first.
        future: Those after it, in order.
    """
    height, width = here.planes.shape[:2]
    middle = 1 + len(past)
    planes = np.empty((middle + len(future), height, width, 4), np.float32)
    alive = np.empty(planes.shape[:3], np.float32)
    planes[0], alive[0] = here.planes, 1
    along([m.back for m in [here, *past][: len(past)]], [m.planes for m in past], planes[1:middle], alive[1:middle])
    along([m.there for m in future], [m.planes for m in future], planes[middle:], alive[middle:])
    lines, shares = [Line()], [1.0]
    for ways in ([m.line for m in [here, *past][: len(past)]], [m.line.back for m in future]):
        line = Line()
        for k, way in enumerate(ways):
            line = line.after(way)
            lines.append(line)
            shares.append(1 - (k + 1) / (len(ways) + 1))
    alive *= np.array(shares, np.float32)[:, None, None]
    return Sights(planes, alive, tuple(lines), tuple(shares))


def blended(seen: Sights, near: float) -> tuple[F32, F32, F32]:
    """What most sights agree on.

    Args:
        seen: From :func:`sights`.
        near: Inverse depth of what is near, in the units of the first.

    Returns:
        Inverse depth (NaN where nothing is known in any), probability of sky, confidence; (h, w) each.
    """
    count, height, width = seen.alive.shape
    planes, alive = seen.planes.reshape(count, -1, 4), seen.alive.reshape(count, -1)
    floor = _FLOOR * near + _noise(seen)
    made = agreed(planes, alive, np.array(seen.lines, np.float32), floor)
    value, sky, sure, agreeing = (np.ascontiguousarray(made[:, k]).reshape(height, width) for k in range(4))
    own = divided(seen.planes[0, ..., 0], seen.planes[0, ..., 1])
    known = (seen.planes[0, ..., 1] > 0) & np.isfinite(value)
    if count == 1:
        return value, sky, sure
    kept = np.nan_to_num(value)
    enough = np.clip((agreeing / sum(seen.shares) - _FEW) / (_MANY - _FEW), 0, 1)
    at_one = np.clip((agreeing / seen.alive.sum(0) - _SPLIT) / (_AT_ONE - _SPLIT), 0, 1)
    heard, trust = (np.where(known, _softened(v), np.float32(1)) for v in (enough, enough * at_one))
    fused = guided(np.where(known, own, kept), kept, heard, trust, floor)
    return np.where(np.isfinite(value), fused, np.float32(np.nan)), sky, sure


def _noise(seen: Sights) -> float:
    """Median of how far depth is off from that of the neighbouring frame; 0 if there is none."""
    if len(seen.lines) == 1:
        return 0.0
    own, there = seen.planes[:2, ::2, ::2]
    use = (seen.alive[1, ::2, ::2] > 0.5 * seen.shares[1]) & (own[..., 1] > 0) & (there[..., 1] > 0)
    own, there = own[use], there[use]
    if not own.size:
        return 0.0
    off = seen.lines[1](divided(there[:, 0], there[:, 1])) - divided(own[:, 0], own[:, 1])
    return float(np.median(np.abs(off)))


def _softened(trust: NDArray[np.floating]) -> F32:
    """Less where there is little beside it, and without steps."""
    import cv2

    least = cv2.erode(trust.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.blur(np.asarray(least), (5, 5)), np.float32)


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
    known = (back.ok > 0) & np.isfinite(reached) & np.isfinite(now) & (now > 0) & (reached > 0)
    if not known.any() or not span[0] > span[1]:
        return 0.0
    return float(np.median(np.abs(now - reached)[known])) / (span[0] - span[1])


def stored(moments: Iterable[Moment]) -> dict[str, NDArray[np.generic]]:
    """Moments as plain arrays, to be kept in a file."""
    kept: dict[str, NDArray[np.generic]] = {}
    for k, m in enumerate(moments):
        kept |= {f"{k}.planes": m.planes, f"{k}.grey": m.grey, f"{k}.line": np.array([*m.line, m.shifted], np.float64)}
        kept |= {f"{k}.there": m.there.way, f"{k}.back": m.back.way}
        kept |= stored_look(m.look, f"{k}.look")
    return kept


def restored(kept: Mapping[str, NDArray[np.generic]]) -> list[Moment]:
    """The moments that :func:`stored` made arrays of."""
    moments: list[Moment] = []
    while f"{len(moments)}.planes" in kept:
        k = len(moments)
        planes, grey = np.asarray(kept[f"{k}.planes"], np.float32), np.asarray(kept[f"{k}.grey"], np.uint8)
        there, back = (Step(np.asarray(kept[f"{k}.{way}"], np.float32)) for way in ("there", "back"))
        scale, shift, shifted = (float(v) for v in np.asarray(kept[f"{k}.line"], np.float64))
        look = restored_look(kept, f"{k}.look")
        moments.append(Moment(planes, grey, look, there, back, Line(scale, shift), shifted > 0))
    return moments


def stored_look(look: Look, name: str) -> dict[str, NDArray[np.generic]]:
    """A look as plain arrays."""
    return {f"{name}.{f.name}": np.asarray(getattr(look, f.name)) for f in fields(Look)}


def restored_look(kept: Mapping[str, NDArray[np.generic]], name: str) -> Look:
    """The look that :func:`stored_look` made arrays of."""
    thumb, colours = (np.asarray(kept[f"{name}.{n}"], np.float32) for n in ("thumb", "colours"))
    return Look(thumb, colours, float(kept[f"{name}.spread"]), float(kept[f"{name}.tie"]))
