"""Near things that run off the picture: what stands out along its frame on both sides.

Along the frame, walked around once, a thing that is cut off is a stretch of nearer depth between two jumps. A ground
that runs off below mostly has none, for it grows farther smoothly up both sides; and where it ends at an edge, it takes
the whole lower side, as a ceiling takes the upper one, and is left out for that.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from unflat.types.arrays import F32, U8, Bool

JUMP = 1.3
"""A thing is nearer than what is beside it on the frame by this factor at least."""
INSET = 0.015
"""Depth at the very frame is uncertain: it is read this share of the long side inside."""
APART = 0.012
"""A jump happens within this share of the way around."""
SHORTEST = 0.05
"""Shares of the way around that a stretch has, at least and at most:"""
LONGEST = 0.6
LARGEST = 0.65
"""A thing that covers more of the picture is what is around the camera."""


class CutOff(NamedTuple):
    """A near thing that the frame cuts.

    region: (h, w) where it is; sides: of the frame that cut it; ratio: how much nearer it is than what is beside it.
    """

    region: Bool
    sides: tuple[str, ...]
    ratio: float


def _frame(h: int, w: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns of the ring just inside the frame, clockwise from the top left, and the side of each."""
    inset = max(1, round(INSET * max(h, w)))
    top, left, bottom, right = inset, inset, h - 1 - inset, w - 1 - inset
    across, down = np.arange(left, right), np.arange(top, bottom)
    rows = np.concatenate([np.full_like(across, top), down, np.full_like(across, bottom), down[::-1] + 1])
    columns = np.concatenate([across, np.full_like(down, right), across[::-1] + 1, np.full_like(down, left)])
    sides = np.repeat([0, 1, 2, 3], [len(across), len(down), len(across), len(down)])
    return rows, columns, sides


SIDES = ("top", "right", "bottom", "left")
GROUND, CEILING = {1, 2, 3}, {3, 0, 1}


def _stretches(profile: F32) -> list[tuple[int, int, float]]:
    """(first, last, ratio) of the nearer stretches of a closed profile of inverse depth; last may lie past its end."""
    n = len(profile)
    gap = max(2, round(APART * n))
    logs = np.log(profile)
    rise = np.roll(logs, -gap) - logs  # from here to a gap farther on
    least = np.log(JUMP)
    peaks = _peaks(rise, gap, least)
    falls = _peaks(-rise, gap, least)
    found: list[tuple[int, int, float]] = []
    for start in peaks:
        later = [(f - start) % n for f in falls]
        steps = min((s for s in later if s > gap), default=0)
        if not SHORTEST * n <= steps <= LONGEST * n or any(0 < (p - start) % n < steps for p in peaks):
            continue
        inside = logs[(start + gap + np.arange(max(steps - gap, 1))) % n]
        beside = max(logs[start], logs[(start + steps + gap) % n])
        drop = float(np.quantile(inside, 0.2) - beside)
        if drop > least:
            found.append((start + gap, start + steps, float(np.exp(drop))))
    return found


def _peaks(values: F32, gap: int, least: float) -> list[int]:
    """Where a closed row of values is above ``least`` and largest within ``gap``."""
    wide = np.pad(values, gap, mode="wrap")
    highest = cv2.dilate(wide[:, None], np.ones((2 * gap + 1, 1), np.uint8))[gap:-gap, 0]
    top = (values >= highest) & (values > least)
    return [int(i) for i in np.flatnonzero(top & ~np.roll(top, 1))]


def cut_offs(inverse: F32, on: Bool) -> list[CutOff]:
    """Find the near things that the frame cuts.

    Args:
        inverse: (h, w) float32, inverse depth up to a factor.
        on: (h, w) bool, where there is a surface; a thing before the sky stands out as well.

    Returns:
        The things, those that stand out most first.
    """
    h, w = inverse.shape
    if min(h, w) < 24 or not on.any():
        return []
    known = np.where(on, inverse, 0).astype(np.float32)
    floor = max(0.02 * float(np.quantile(known[on], 0.95)), 1e-12)
    smooth = np.asarray(cv2.medianBlur(np.maximum(known, np.float32(floor)), 5), np.float32)
    rows, columns, sides = _frame(h, w)
    found: list[CutOff] = []
    for first, last, ratio in sorted(_stretches(smooth[rows, columns]), key=lambda one: -one[2]):
        places = np.arange(first, last + 1) % len(rows)
        touched = set(sides[places].tolist())
        if touched >= GROUND or touched >= CEILING:
            continue
        level = float(np.median(smooth[rows[places], columns[places]])) / ratio**0.5
        above: U8 = (smooth > level).astype(np.uint8)
        _, parts, _, _ = cv2.connectedComponentsWithStats(above, connectivity=4)
        labels = np.asarray(parts, np.int32)
        mine = np.unique(labels[rows[places], columns[places]])
        region = np.isin(labels, mine[mine > 0])
        told = any((region & one.region).sum() > 0.5 * min(region.sum(), one.region.sum()) for one in found)
        if not region.any() or region.mean() > LARGEST or told:
            continue
        cut = tuple(SIDES[k] for k in range(4) if (sides[places] == k).sum() > 0.02 * len(rows))
        found.append(CutOff(region, cut or (SIDES[int(np.bincount(sides[places]).argmax())],), ratio))
    return found
