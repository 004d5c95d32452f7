"""The outlines that reach one side of a picture, the things they enclose, and how those end outside.

An outline goes on in the direction it has at the border and soon bends to the square. A thing, nearer than what is
seen on both sides of it, ends as its outlines say: they are continued by the arc of the circle that they touch (a head
cut at its widest ends in a half circle, a tip sooner), after half the way that they have come side by side (a trunk, a
pole). Under it what is seen beside it goes on.

Along a side, columns run with the border and rows from it inwards (see :mod:`unflat.geometry.planes`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.planes import LOOSE, NOTHING, SKY, Line
from unflat.types.arrays import F64

STEP = float(np.log(1.15))
"""Logarithm of the ratio of the depths on both sides of an outline, at least."""
FRONTAL = float(np.log(0.7))
"""What stands at a corner is no nearer there than at its outline by this; ground is."""
_TILTED = 0.1
"""... nor does a plane end there whose inverse depth changes by this share over its width: a wall, ground."""
ARC = 0.1
"""Outlines bend to the square over this share of the side, or the width of a thing if that is less."""
_EVENED = 0.05
"""Things go on with their unevenness smoothed with a Gaussian of this share of their width."""
_SHARP = 0.35
"""An outline has this share of its step within two pixels; a slope has not."""
_BLUR = 0.006
"""An outline is so wide at most, as a share of the side."""
_STEEPEST = 1.0
"""Outlines lean by so many pixels along the border for each outwards, at most."""
_FLARED = -0.5
"""... and those of one thing go apart by so many at most."""
_PARALLEL = 0.3
_STRAIGHT = 0.5
"""A thing whose outlines are parallel goes on straight for this share of the way they have been so."""
_SAME = float(np.log(1.5))
"""Surfaces on both sides of a thing are one behind it if their depths differ by no more."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Where an outline meets the border.

    Attributes:
        at: First column of what is right of it.
        lean: Columns to the right for each row outwards.
        path: (k,) its columns in the rows inwards, as far as it can be followed.
    """

    at: int
    lean: float = 0.0
    path: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Thing:
    """Something near that the border cuts.

    Attributes:
        first: Its first column.
        end: The column after its last.
        left: Lean of its left outline; None where it goes on around the corner of the picture.
        right: Lean of its right outline, or None.
        straight: Rows that it goes straight on before it ends.
        over: It leans for about so many rows, and less and less.
        log: (n,) logarithm of its inverse depth, between first and end.
    """

    first: int
    end: int
    left: float | None
    right: float | None
    straight: float
    over: float
    log: F64

    def spans(self, rows: F64, tall: float) -> tuple[F64, F64]:
        """From which column to which it reaches, in so many rows outside (nan where it has ended).

        Args:
            rows: (m,) distance from the border.
            tall: How many times farther than the arc of a circle it reaches.
        """
        width = (self.end - self.first) * (1.0 if self.left is not None and self.right is not None else 2.0)
        left = -(self.right or 0.0) if self.left is None else self.left
        right = -(self.left or 0.0) if self.right is None else self.right
        r, lean, meet = width / 2, (left + right) / 2, tall * max((left - right) / 2, _FLARED)
        high = r * np.tan(np.arctan2(1.0, meet) / 2)
        radius = (r * r + high * high) / (2 * high)
        up = np.maximum(rows - self.straight, 0) / tall
        half = np.sqrt(np.maximum(radius**2 - (up - high + radius) ** 2, 0))
        half = np.where(up < high, half, np.nan)
        middle = self.first if self.left is None else self.end if self.right is None else self.first + r
        middle = middle + bent(lean, self.over, rows)
        return middle - half, middle + half


def bent(lean: float, over: float, rows: F64) -> F64:
    """How far to the right an outline comes, that bends to the square over so many pixels."""
    return lean * over * (1 - np.exp(-rows / over))


@dataclass(frozen=True, slots=True)
class _Part:
    first: int
    end: int
    left: Outline
    right: Outline


@dataclass(frozen=True, slots=True)
class Ground:
    """What goes on along the whole of a side, when the things are taken away.

    Attributes:
        line: What is seen there, and behind the things.
        outlines: Those that are left, from left to right; they divide it.
        things: Those taken away.
    """

    line: Line
    outlines: tuple[Outline, ...]
    things: tuple[Thing, ...]


def without_things(line: Line, planes: list[F64], inside: F64, far: float) -> Ground:
    """Take the things away from in front of what is seen along a side, the narrowest first.

    Args:
        line: What is seen.
        planes: Its planes, in the pixels of this side.
        inside: (k, n) inverse depth from the border inwards, 0 without a surface.
        far: Inverse depth of the farthest there is.
    """
    logs = np.log(np.maximum(inside, far / 2))
    log = np.log(np.maximum(line.value, far / 2))
    cuts = [_followed(at, nearer, logs) for at, nearer in _cuts(line, log)]
    ends = [Outline(0), *cuts, Outline(len(log))]
    parts = [_Part(a.at, b.at, a, b) for a, b in pairwise(ends) if a.at < b.at]
    number, value, ratio = line.number.copy(), line.value.copy(), line.ratio.copy()
    things: list[Thing] = []
    while True:
        now = Line(number, value, ratio)
        found = [i for i in range(len(parts)) if _is_thing(parts, i, (now, planes), log)]
        if not found:
            return Ground(now, tuple(p.left for p in parts[1:]), tuple(things))
        i = min(found, key=lambda k: parts[k].end - parts[k].first)
        things.append(_thing(parts[i], log, len(log)))
        parts = _filled(parts, i, now, log)


def _cuts(line: Line, log: F64) -> list[tuple[int, bool]]:
    """Columns at which something else begins, and whether that is nearer."""
    n = len(log)
    k = max(1, round(_BLUR * n))
    at = np.arange(1, n)
    jump = log[np.minimum(at + k - 1, n - 1)] - log[np.maximum(at - k, 0)]
    number = line.number
    change = (number[1:] < LOOSE) | (number[:-1] < LOOSE)
    change &= number[1:] != number[:-1]
    same = (number[1:] == number[:-1]) & (number[1:] >= 0)
    sign = np.where((np.abs(jump) > STEP) & ~same, np.sign(jump), 0)
    rise = np.abs(log[np.minimum(at, n - 1)] - log[at - 1]) + 100.0 * change
    found: list[tuple[int, bool]] = []
    starts = np.flatnonzero(np.diff(np.concatenate([[0.0], sign, [0.0]])))
    for a, b in pairwise(starts):
        if sign[a] != 0:
            best = int(a + np.argmax(rise[a:b]))
            if rise[best] + max(rise[max(best - 1, 0)], rise[min(best + 1, n - 2)]) > _SHARP * abs(jump[best]):
                found.append((best + 1, bool(sign[a] > 0)))
    return _each_once(found, log, 2 * k)


def _each_once(cuts: list[tuple[int, bool]], log: F64, wide: int) -> list[tuple[int, bool]]:
    """Cuts without those of the valley that an outline may have at its foot, and of the ledge that it may have."""
    kept: list[tuple[int, bool]] = []
    for at, nearer in cuts:
        kept.append((at, nearer))
        if len(kept) < 2:
            continue
        (first, rises), apart = kept[-2], at - kept[-2][0]
        if rises == nearer and apart <= 2 * wide:
            kept[-2:] = [kept[-1] if nearer else kept[-2]]
        elif not rises and nearer and apart <= wide:
            up = float(log[min(at + wide, len(log) - 1)] - log[max(first - 1 - wide, 0)])
            kept[-2:] = [] if abs(up) < STEP else [kept[-1]] if up > 0 else [kept[-2]]
    return kept


def _followed(at: int, nearer: bool, logs: F64) -> Outline:
    """Follow an outline inwards from the border as far as it holds."""
    n, here = logs.shape[1], at
    path: list[int] = []
    for row in logs:
        p: NDArray[np.int64] = np.arange(max(1, here - 2), min(n, here + 3), dtype=np.int64)
        rise = row[np.minimum(p + 1, n - 1)] - row[np.maximum(p - 2, 0)] + row[p] - row[p - 1]
        rise = (rise if nearer else -rise) - 1e-3 * np.abs(p - here)
        best = int(np.argmax(rise))
        if rise[best] < STEP:
            break
        here = int(p[best])
        path.append(here)
    way = np.array(path, np.int64)
    some = way[: max(4, round(0.06 * n))]
    r = np.arange(len(some))
    lean = -float(np.polyfit(r, some, 1)[0]) if len(some) >= 4 else 0.0
    return Outline(at, float(np.clip(lean, -_STEEPEST, _STEEPEST)), way)


def _edge(part: _Part, log: F64, side: int) -> float:
    """Logarithm of inverse depth of a part at its left (0) or right (1) outline, away from what the outline blurs."""
    k = max(1, round(_BLUR * len(log)))
    some = log[part.first : part.end]
    some = (
        some[min(k, len(some) // 2) :][: 2 * k] if side == 0 else some[: len(some) - min(k, len(some) // 2)][-2 * k :]
    )
    return float(np.median(some))


def _is_thing(parts: list[_Part], i: int, seen: tuple[Line, list[F64]], log: F64) -> bool:
    """Nearer than what is on both sides; or in a corner, upright, and nearer than what is beside it."""
    part, (line, planes) = parts[i], seen
    number = line.number[part.first : part.end]
    if len(parts) == 1 or number[0] in (SKY, NOTHING):
        return False
    left = i > 0 and _edge(part, log, 0) > _edge(parts[i - 1], log, 1) + STEP / 2
    right = i + 1 < len(parts) and _edge(part, log, 1) > _edge(parts[i + 1], log, 0) + STEP / 2
    if left and right:
        return True
    if not (left and i + 1 == len(parts)) and not (right and i == 0):
        return False
    here, there = (_edge(part, log, 0), _edge(part, log, 1)) if left else (_edge(part, log, 1), _edge(part, log, 0))
    if here < there + FRONTAL:
        return False
    tilted = [k for k, p in enumerate(planes) if np.abs(p[1:]).max() * len(number) > _TILTED * np.exp(here)]
    return bool(np.isin(number, tilted).mean() <= 0.5)


def _thing(part: _Part, log: F64, n: int) -> Thing:
    left = part.left.lean if part.first > 0 else None
    right = part.right.lean if part.end < n else None
    straight = 0.0
    if left is not None and right is not None and abs(left - right) / 2 < _PARALLEL:
        rows = min(len(part.left.path), len(part.right.path))
        width = part.right.path[:rows] - part.left.path[:rows]
        whole = part.end - part.first
        off = np.flatnonzero(np.abs(width - whole) > 0.25 * whole)
        straight = _STRAIGHT * max(0.0, float(off[0] if len(off) else rows) - whole)
    k = max(1, round(_BLUR * n))
    some = log[part.first : part.end].copy()
    if len(some) > 4 * k:
        some[:k], some[-k:] = some[k], some[-k - 1]
    over = min(part.end - part.first, ARC * n)
    smooth = cv2.GaussianBlur(some[None], (0, 0), max(1.0, _EVENED * len(some)), borderType=cv2.BORDER_REPLICATE)
    return Thing(part.first, part.end, left, right, straight, over, smooth[0].astype(np.float64))


def _filled(parts: list[_Part], i: int, line: Line, log: F64) -> list[_Part]:
    """The parts without one of them; what is beside it goes on behind it, in place in ``line`` and ``log``."""
    part, k = parts[i], max(1, round(_BLUR * len(log)))
    line.ratio[part.first : part.end] = 1
    if i == 0:
        after = parts[1]
        _lay(line, log, (part.first, part.end + k), *_beside(after, line, log, 0))
        return [replace(after, first=part.first, left=part.left), *parts[2:]]
    before = parts[i - 1]
    a = _beside(before, line, log, 1)
    if i + 1 == len(parts):
        _lay(line, log, (max(0, part.first - k), part.end), *a)
        return [*parts[: i - 1], replace(before, end=part.end, right=part.right)]
    after = parts[i + 1]
    b = _beside(after, line, log, 0)
    empty = a[0] in (SKY, NOTHING), b[0] in (SKY, NOTHING)
    if (a[0] == b[0] and empty[0]) or (not any(empty) and (a[0] == b[0] >= 0 or abs(a[1] - b[1]) < _SAME)):
        first, end = max(0, part.first - k), min(len(log), part.end + k)
        if a[0] == b[0] != LOOSE:
            _lay(line, log, (part.first, part.end), *a)
        else:
            _lay(line, log, (first, end), LOOSE, np.linspace(a[1], b[1], end - first))
        return [*parts[: i - 1], replace(before, end=after.end, right=after.right), *parts[i + 2 :]]
    behind = before.end - before.first, after.end - after.first
    turn = part.first + (part.end - part.first) * behind[0] // sum(behind)
    if a[0] >= 0 and empty[1]:
        turn = part.end
    elif b[0] >= 0 and empty[0]:
        turn = part.first
    _lay(line, log, (part.first, turn), *a)
    _lay(line, log, (turn, part.end), *b)
    joint = Outline(turn)
    two = replace(before, end=turn, right=joint), replace(after, first=turn, left=joint)
    return [*parts[: i - 1], *two, *parts[i + 2 :]]


def _beside(part: _Part, line: Line, log: F64, side: int) -> tuple[int, float]:
    """What a part is at its left (0) or right (1) outline: number, and logarithm of inverse depth."""
    return int(line.number[part.end - 1 if side else part.first]), _edge(part, log, side)


def _lay(line: Line, log: F64, where: tuple[int, int], kind: int, level: float | F64) -> None:
    """Say what is in some columns, in place."""
    here = slice(*where)
    line.number[here], log[here] = kind, level
    line.value[here] = 0 if kind in (SKY, NOTHING) else np.exp(log[here])
