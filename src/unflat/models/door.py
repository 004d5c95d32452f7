"""Doors: two upright edges under one lintel, of the shape of a door leaf, and in the leaf a knob at hand's height.

No weights are used. Edges come from OpenCV's line segments (Grompone von Gioi et al., "LSD: a fast line segment
detector with a false detection control", PAMI 2010); pieces of one edge are joined. Rectangles of this shape are
common (cupboards, windows, curtains, shelves, pictures), so what makes one a door is its furniture: a small spot that
differs from the leaf, beside one of the edges, at 0.43 to 0.56 of the height, in a strip that is otherwise calm.

A leaf is 1985 mm high in a German house (DIN 18101, 2110 mm in public ones), 80 in = 2032 mm in North America,
1981 mm in Britain (BS 4787), 2000 to 2100 mm elsewhere; what is found may be the leaf or its frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.image import Size

HEIGHT_M = 2.05
SPREAD = 0.08
"""Relative standard error of a door's height: doors (4 %), leaf or frame (3 %), where its foot is (5 %), old houses."""

_LINES_PX = 512
_TALLEST_FEWEST, _SIDE_LEAST = 0.25, 0.12
"""Of the picture's height: the least height of a door, and of its shorter seen side."""
_NARROW, _WIDE = 0.27, 0.5
"""Width over height as seen; a leaf has 0.35 to 0.47, turning makes it narrower, a frame wider."""
_LEAF = Size(80, 200)
_HAND_LOW, _HAND_HIGH = 0.43, 0.56
_STANDS_OUT, _CONTRAST = 3.0, 25.0


@dataclass(frozen=True, slots=True)
class Door:
    """A closed door.

    Attributes:
        corners: (4, 2) in pixels, from the top left one clockwise.
        height: Mean of its two sides, pixels.
    """

    corners: F64
    height: float


@dataclass(frozen=True, slots=True)
class _Lines:
    """Long straight edges: across = start + slope · along, with their first and last place and how much is seen."""

    start: F64
    slope: F64
    first: F64
    last: F64
    seen: F64

    def only(self, which: Bool) -> _Lines:
        """Some of them."""
        return _Lines(*(v[which] for v in (self.start, self.slope, self.first, self.last, self.seen)))

    def at(self, i: int, along: float) -> float:
        return float(self.start[i] + self.slope[i] * along)


def find_doors(rgb: U8) -> tuple[Door, ...]:
    """Doors in a picture, the tallest first.

    Args:
        rgb: (h, w, 3) uint8 sRGB, upright; about 800 pixels wide, in which knobs are still seen. Edges are looked for
            with its long side at most 512 pixels.

    Returns:
        What was found, in pixels of ``rgb``. The foot is where the longer upright edge ends.
    """
    full = Size(rgb.shape[1], rgb.shape[0])
    if min(rgb.shape[:2]) < 64:
        return ()
    fine = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    size = full.fitted(_LINES_PX)
    coarse = np.asarray(cv2.resize(fine, (size.width, size.height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    found = [corners * (full.width / size.width) for corners in _frames(coarse)]
    return _once([_door(corners) for corners in found if has_knob(_leaf(fine, corners))])


def has_knob(leaf: U8) -> bool:
    """True if a straightened leaf (200, 80) has one small spot at hand's height in a calm strip along one side.

    A bar across the whole leaf, as of a window or a shelf, is no spot. Only the strip above the spot and a little
    below it has to be calm: chairs and tables stand before doors.
    """
    h, w = leaf.shape
    low, high = round(h * (1 - _HAND_HIGH)), round(h * (1 - _HAND_LOW))
    bars = _spots(leaf[:, w // 2 - 12 : w // 2 + 12])
    for strip in (leaf[:, 2:16], leaf[:, w - 16 : w - 2]):
        profile = _spots(strip)
        at = low + int(profile[low:high].argmax())
        near = profile[max(0, at - 14) : at + 15]
        calm = np.concatenate([profile[h // 10 : at - 7], profile[at + 8 : at + 15]])
        small = np.count_nonzero(near > 0.5 * profile[at]) <= 14 and bars[at - 3 : at + 4].max() < 0.5 * profile[at]
        if small and profile[at] >= max(_CONTRAST, _STANDS_OUT * float(np.quantile(calm, 0.97))):
            return True
    return False


def _spots(strip: U8) -> F32:
    """By how much any place of each row differs from what is above and below it."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(strip, ((15, 15), (0, 0)), mode="edge"), 31, axis=0)
    differs = np.abs(strip.astype(np.float32) - np.partition(around, 15, axis=-1)[..., 15])
    return np.asarray(cv2.blur(differs, (3, 3))[:, 1:-1].max(axis=1), dtype=np.float32)


def _leaf(grey: U8, corners: F64) -> U8:
    w, h = _LEAF.width, _LEAF.height
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - np.float32(0.5)
    turn = cv2.getPerspectiveTransform((corners - 0.5).astype(np.float32), target)
    return np.asarray(cv2.warpPerspective(grey, turn, (w, h), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _frames(grey: U8) -> Iterator[F64]:
    """Corners (4, 2) of every pair of upright edges that one lintel joins at the top and that has a door's shape."""
    h, w = grey.shape
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE).detect(grey)[0]
    if found is None:
        return
    ends = np.asarray(found, dtype=np.float64).reshape(-1, 4) + 0.5
    lintels, sides = _joined(ends, 0.55, 0.012 * w), _joined(ends[:, [1, 0, 3, 2]], 0.18, 0.02 * h)
    tall = (sides.last - sides.first >= _SIDE_LEAST * h) & (sides.seen >= 0.55 * (sides.last - sides.first))
    sides = sides.only(tall)
    for k in range(len(lintels.start)):
        y = (lintels.start[k] + lintels.slope[k] * sides.start) / (1 - lintels.slope[k] * sides.slope)
        x = sides.start + sides.slope * y
        hung = np.flatnonzero(np.abs(y - sides.first) <= 0.06 * (sides.last - y)).tolist()
        tops = [(i, np.array([x[i], y[i]])) for i in hung]
        for i, left in tops:
            for j, right in tops:
                span = right[0] - left[0]
                covered = min(lintels.last[k], right[0]) - max(lintels.first[k], left[0])
                if span >= 0.04 * w and covered >= 0.6 * span:
                    corners = _down_to_the_foot(sides, (i, j), (left, right))
                    if corners is not None and corners[2:, 1].max() - corners[:2, 1].min() >= _TALLEST_FEWEST * h:
                        yield corners


def _down_to_the_foot(sides: _Lines, which: tuple[int, int], tops: tuple[F64, F64]) -> F64 | None:
    """Corners of the door whose foot is at the end of its longer seen side; None if it has not a door's shape."""
    lengths = [float(sides.last[i] - top[1]) for i, top in zip(which, tops, strict=True)]
    tall = max(lengths)
    span = float(tops[1][0] - tops[0][0])
    if min(lengths) < 0.45 * tall or not _NARROW * tall < span < _WIDE * tall:
        return None
    (left, right), (i, j) = tops, which
    feet = (np.array([sides.at(n, top[1] + tall), top[1] + tall]) for n, top in ((j, right), (i, left)))
    return np.array([left, right, *feet])


def _joined(ends: F64, steepest: float, least: float) -> _Lines:
    """Line pieces (along, across, along, across) that run along, joined where one continues another."""
    ends = np.where((ends[:, 0] > ends[:, 2])[:, None], ends[:, [2, 3, 0, 1]], ends)
    length = ends[:, 2] - ends[:, 0]
    keep = (np.abs(ends[:, 3] - ends[:, 1]) < steepest * length) & (np.hypot(length, ends[:, 3] - ends[:, 1]) >= least)
    ends = ends[keep][np.argsort(-length[keep], kind="stable")]
    free = np.ones(len(ends), bool)
    rows: list[tuple[float, float, float, float, float]] = []
    for i in range(len(ends)):
        if not free[i]:
            continue
        free[i] = False
        first, across, last, across_last = (float(v) for v in ends[i])
        slope = (across_last - across) / (last - first)
        start, seen = across - slope * first, last - first
        aside = np.maximum(*(np.abs(ends[:, k + 1] - start - slope * ends[:, k]) for k in (0, 2)))
        mates = free & (aside < 2)
        while mates.any():
            gap = np.maximum(ends[:, 0] - last, first - ends[:, 2])
            near = np.flatnonzero(mates & (gap < 0.12 * (last - first) + 4))
            if not len(near):
                break
            for j in near:
                low, high = min(first, float(ends[j, 0])), max(last, float(ends[j, 2]))
                seen += min(float(ends[j, 2] - ends[j, 0]), (high - low) - (last - first))
                first, last = low, high
            mates[near] = free[near] = False
        rows.append((start, slope, first, last, seen))
    return _Lines(*np.array(rows, dtype=np.float64).reshape(-1, 5).T)


def _door(corners: F64) -> Door:
    tl, tr, br, bl = corners
    return Door(corners, float(np.linalg.norm(bl - tl) + np.linalg.norm(br - tr)) / 2)


def _once(found: list[Door]) -> tuple[Door, ...]:
    """Of those that overlap (leaf and frame have several edges each) the one of middle height; the tallest first."""
    places: list[list[Door]] = []
    for door in found:
        middle = float(door.corners[:, 0].mean())
        for place in places:
            if abs(float(place[0].corners[:, 0].mean()) - middle) < 0.25 * door.height:
                place.append(door)
                break
        else:
            places.append([door])
    chosen = [sorted(place, key=lambda d: d.height)[len(place) // 2] for place in places]
    return tuple(sorted(chosen, key=lambda d: -d.height))
