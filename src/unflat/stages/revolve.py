"""A cut-out of a turned thing (a vase, a bottle, a bulb, a plate) -> the round body, and what is fixed to it.

Seen a little from above, every circle of such a body is an ellipse. The body is the largest one of circles whose
ellipses all stay within the outline; the lean of its axis towards the eye is the largest at which they still fill it.
What lies outside (a handle, a spout) stands in the plane of the axis and is round by its own outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unflat.geometry.closed_surface import Closed, joined
from unflat.geometry.columns import Columns, surface_of_columns
from unflat.geometry.lathe import (
    Core,
    arc_below,
    core_of,
    lathe,
    outline_of,
    pitch_of,
    settled_profile,
    turned_within,
)
from unflat.geometry.silhouette import ball_squares, signed_distance
from unflat.types.arrays import F32, F64, U8, Bool

_LEAST_SHARE, _LEAST_ALIKE, _MOST_OFF = 0.75, 0.58, 0.07
_LOSS, _STEEPEST = 0.003, math.radians(40)
_GAIN = 0.3
"""The front comes forward by at least this share of what a round one would, and goes with it as closely."""
_SAG, _FIT = 1.2, 0.4
"""The lower edge of a round base sags by so many cells, and an ellipse leaves no more than this share of it."""
_OVERLAP = 5
"""What is fixed to the body reaches so many cells into it."""
_APART = 4.0
"""Less than this far from the body, in cells, outline and circles merely differ."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What speaks for a thing being round about an upright axis.

    Attributes:
        core: The symmetric part of its outline.
        sure: 0..1; it is taken for round from one half on.
        pitch: How far the axis leans towards the eye, in radians: the eye looks down by as much.
        radius: (h,) of the circle whose centre is seen in each row.
    """

    core: Core
    sure: float
    pitch: float
    radius: F64

    @property
    def round(self) -> bool:
        """True if it is taken for round."""
        return self.sure >= 0.5


def judge_turned(alpha: U8, relief: F32 | None) -> Turned:
    """Is this thing round about an upright axis?

    Its outline must be the same on both sides of the axis, and something must tell a round thing from a flat one: its
    front comes forward in the middle, or the lower edge is that of a round base seen from above.

    Args:
        alpha: (h, w) in cells.
        relief: (h, w) depth of the front in cells, or None.
    """
    inside = alpha >= 128
    core = core_of(inside)
    rows = inside.any(axis=1)
    alike = float(core.alike[rows].mean())
    outline = min(core.share / _LEAST_SHARE, alike / _LEAST_ALIKE, 2 - core.off / _MOST_OFF)
    profile = settled_profile(core)
    sag, left, lean = arc_below(inside, core.axis)
    arc = min(sag / _SAG, _FIT * sag / max(left, 0.2))
    depth = 0.0 if relief is None else min(_bulge(relief, core.axis, profile)) / _GAIN
    pitch = min(lean, _STEEPEST) if arc >= 1 else pitch_of(profile, loss=_LOSS, steepest=_STEEPEST)
    sure = 0.5 * float(np.clip(min(outline, max(arc, depth)), 0, 2))
    return Turned(core, sure, pitch, turned_within(profile, pitch))


def _bulge(relief: F32, axis: float, half: F64) -> tuple[float, float]:
    """How far the front comes forward over how far a round one would, and how closely the two go together."""
    x = np.arange(relief.shape[1])[None, :] + 0.5 - axis
    wide = half[:, None]
    on = (np.abs(x) < 0.9 * wide) & (wide > 4)
    if not on.any():
        return 0.0, 0.0
    round_ = -np.sqrt(np.maximum(wide**2 - x**2, 0))
    count = np.maximum(on.sum(axis=1, keepdims=True), 1)
    seen, wanted = (
        np.where(on, v - np.where(on, v, 0).sum(axis=1, keepdims=True) / count, 0) for v in (relief, round_)
    )
    both, own = float((seen * wanted).sum()), float((wanted**2).sum())
    return both / own, both / max(math.sqrt(own * float((seen**2).sum())), 1e-9)


def revolve(alpha: U8, turned: Turned) -> Closed:
    """The round body with what is fixed to it.

    Args:
        alpha: (h, w) in cells.
        turned: As :func:`judge_turned` found it.

    Returns:
        Vertices as (x, y, z) in cells as the eye sees them; z is 0 on the axis in the middle of the rows.
    """
    rows = np.flatnonzero(turned.radius > 0.5)
    middle = (rows[0] + rows[-1] + 1) / 2
    lean, upright = math.sin(turned.pitch), math.cos(turned.pitch)
    pieces: list[Closed] = []
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if len(run) < 2:
            continue
        along = np.concatenate([[run[0] - 0.0], run + 0.5, [run[-1] + 1.0]]) - middle
        radius = turned.radius[run]
        body = lathe(np.concatenate([radius[:1], radius, radius[-1:]]), along / upright)
        x, y, z = body.vertices.T
        # The eye looks down: the upper end of the axis is nearer.
        seen = np.stack([x + turned.core.axis, y * upright - z * lean + middle, y * lean + z * upright], axis=1)
        pieces.append(Closed(seen, body.faces))
    fixed = _fixed(alpha >= 128, turned)
    if fixed.any():
        outline = signed_distance(np.where(fixed, alpha, 0).astype(np.uint8))
        leaning = (np.arange(alpha.shape[0], dtype=np.float32)[:, None] + 0.5 - middle) * math.tan(turned.pitch)
        plane = np.broadcast_to(leaning, alpha.shape).astype(np.float32)
        pieces.append(surface_of_columns([Columns(plane, ball_squares(-outline))]))
    return joined(pieces)


def _fixed(inside: Bool, turned: Turned) -> Bool:
    """What lies outside of the body's outline, with a strip of the body where the two meet."""
    import cv2

    half = outline_of(turned.radius, turned.pitch)
    x = np.arange(inside.shape[1])[None, :] + 0.5 - turned.core.axis
    body = np.abs(x) < half[:, None]
    rest = (inside & ~body).astype(np.uint8)
    far = np.asarray(cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    count, found = cv2.connectedComponents(rest, connectivity=8)
    label = np.asarray(found, np.int64)
    reach = np.zeros(count)
    np.maximum.at(reach, label.ravel(), far.ravel())
    large = reach > _APART
    large[0] = False
    parts = large[label]
    square = np.ones((2 * _OVERLAP + 1, 2 * _OVERLAP + 1), np.uint8)
    wider = np.asarray(cv2.dilate(parts.astype(np.uint8), square)) > 0
    return wider & inside & (parts | body)
