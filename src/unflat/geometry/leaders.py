"""The lines that lead from a text to what it names: straight, thin, from beside the text to their end."""

# pyright: standard

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from unflat.geometry.jit import inner, kernel
from unflat.geometry.lettering import Text
from unflat.types.arrays import F64, Bool

_BESIDE = 1.6
"""A leader begins at most so many letter heights from its text."""
_SHORTEST = 1.3
"""It is at least so many letter heights long."""
_ACROSS = 2.0
"""Where ink is so many times as wide across a leader as the leader usually is, it crosses something else."""
_COARSE, _FINE = 720, 41


class Leader(NamedTuple):
    """A straight line.

    Attributes:
        start: (x, y) beside its text, in pixels.
        tip: (x, y) of its other end.
    """

    start: tuple[float, float]
    tip: tuple[float, float]

    @property
    def way(self) -> tuple[float, float]:
        """Unit vector from its start to its tip."""
        dx, dy = self.tip[0] - self.start[0], self.tip[1] - self.start[1]
        length = max(math.hypot(dx, dy), 1e-9)
        return dx / length, dy / length


@inner
def _run(ink, x, y, dx, dy, gap):
    """How far ink goes on from (x, y) along a direction; gaps of so many pixels are passed over."""
    h, w = ink.shape
    length, t = 0.0, 0.0
    while t - length <= gap:
        t += 0.5
        i, j = int(np.floor(x + t * dx)), int(np.floor(y + t * dy))
        if i < 0 or j < 0 or i >= w or j >= h:
            break
        if ink[j, i]:
            length = t
    return length


@kernel
def _longest(ink, starts, away, angles, gap, back, best):
    """The longest run from any start at any angle that leads away from the text and does not come from beyond it.

    ``best`` is written: length, x, y, angle.
    """
    for s in range(len(starts)):
        x, y = starts[s, 0], starts[s, 1]
        for a in range(len(angles)):
            dx, dy = np.cos(angles[a]), np.sin(angles[a])
            if dx * away[s, 0] + dy * away[s, 1] < 0.25:
                continue
            length = _run(ink, x, y, dx, dy, gap)
            if length > best[0] and _run(ink, x, y, -dx, -dy, gap) <= back:
                best[0], best[1], best[2], best[3] = length, x, y, angles[a]


def leader_of(text: Text, others: Sequence[Text], ink: Bool, half: float) -> Leader | None:
    """The line that begins beside a text, if there is one.

    Args:
        text: Where its letters are.
        others: Texts, which lines may be nearer to.
        ink: (h, w) bool, lines without any letters.
        half: Half the usual width of lines, in pixels.
    """
    left, top, right, bottom = text.box
    reach = int(_BESIDE * text.height)
    h, w = ink.shape
    x0, y0, x1, y1 = max(left - reach, 0), max(top - reach, 0), min(right + reach, w), min(bottom + reach, h)
    ys, xs = np.nonzero(ink[y0:y1, x0:x1])
    if not len(xs):
        return None
    starts: F64 = np.stack([xs + x0 + 0.5, ys + y0 + 0.5], axis=1).astype(np.float64)
    away = _from(text, starts)
    far = np.linalg.norm(away, axis=1)
    for other in others:
        far[np.linalg.norm(_from(other, starts), axis=1) < far] = np.inf
    if not np.isfinite(far).any():
        return None
    starts, away, far = (values[np.isfinite(far)] for values in (starts, away, far))
    some = np.argsort(far, kind="stable")[: 6 * reach]
    starts, away, far = starts[some], away[some], far[some]
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    away = np.where(far[:, None] > 0.5, away / np.maximum(far, 0.5)[:, None], starts - middle)
    away /= np.maximum(np.linalg.norm(away, axis=1), 1e-9)[:, None]
    angles = np.arange(_COARSE) * (2 * math.pi / _COARSE)
    for near in (far <= far.min() + 0.6 * text.height, np.ones(len(far), bool)):  # what begins nearest is its own
        some, best = np.flatnonzero(near), np.zeros(4)
        some = some[:: max(1, len(some) // 60)]
        _longest(ink, starts[some], away[some], angles, 2.0, text.height, best)
        if best[0] >= _SHORTEST * text.height:
            return _refined(ink, best, half)
    return None


def _from(text: Text, points: F64) -> F64:
    """(n, 2) the way from the nearest place of a text's box to each of (n, 2) points."""
    left, top, right, bottom = text.box
    return points - np.stack([np.clip(points[:, 0], left, right), np.clip(points[:, 1], top, bottom)], axis=1)


def _refined(ink: Bool, best: F64, half: float) -> Leader:
    """The same line with its direction to a small fraction of a degree, and its beginning."""
    angle = best[3] + np.linspace(-1, 1, _FINE) * (2 * math.pi / _COARSE)
    side = np.array([-math.sin(best[3]), math.cos(best[3])])
    offsets = np.linspace(-half - 0.5, half + 0.5, 9)
    starts = best[1:3] + offsets[:, None] * side
    away = np.repeat([[math.cos(best[3]), math.sin(best[3])]], len(starts), axis=0)
    fine = np.zeros(4)
    _longest(ink, starts, away, angle, 2.0, 1e9, fine)
    length, x, y, turn = (fine if fine[0] > 0 else best).tolist()
    dx, dy = math.cos(turn), math.sin(turn)
    return Leader((x, y), (x + length * dx, y + length * dy))


def erased(ink: Bool, leader: Leader, half: float) -> Bool:
    """The ink without a leader, but with what crosses it.

    Args:
        ink: (h, w) bool.
        leader: The line.
        half: Half the usual width of lines, in pixels.
    """
    length = math.hypot(leader.tip[0] - leader.start[0], leader.tip[1] - leader.start[1])
    dx, dy = leader.way
    t = np.arange(-4 * half, length + half + 0.5, 0.5)
    reach = np.arange(-math.ceil(6 * half), math.ceil(6 * half) + 0.5, 0.5)
    x = leader.start[0] + t[:, None] * dx - reach * dy
    y = leader.start[1] + t[:, None] * dy + reach * dx
    h, w = ink.shape
    i = np.clip(np.floor(x).astype(np.int64), 0, w - 1)
    j = np.clip(np.floor(y).astype(np.int64), 0, h - 1)
    on, middle, none = ink[j, i], len(reach) // 2, np.zeros((len(t), 1), bool)
    right = np.argmin(np.concatenate([on[:, middle:], none], axis=1), axis=1)
    left = np.argmin(np.concatenate([on[:, middle::-1], none], axis=1), axis=1)
    across = (left + right) * 0.5
    usual = float(np.median(across[across > 0])) if (across > 0).any() else 2 * half
    crossed = (across > _ACROSS * usual + 0.5).astype(np.uint8)[:, None]
    alone = np.asarray(cv2.dilate(crossed, np.ones((5, 1), np.uint8))).reshape(-1) == 0
    near = np.abs(reach) <= usual / 2 + 1.5
    rest = ink.copy()
    rest[j[alone][:, near], i[alone][:, near]] = False
    return rest
