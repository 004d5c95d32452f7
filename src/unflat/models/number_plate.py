"""The number plates of cars: light quadrilaterals that hold one line of letters and figures, and nothing else.

No trained finder is used: the wheel's cascades for Russian plates see one in every fourth picture without any, and
take five times as long. Instead the picture is cut at several grey levels; a light region counts if its outline is a
quadrilateral of the shape of a plate, upright, and if in it, straightened, stand five to nine separate dark signs of
one height, in one row, evenly spread from edge to edge and centred, with next to nothing else around them.

What two such shapes measure is laid down by law:

    long     520 × 110 to 520 × 120 mm: the European Union and its neighbours. Council Regulation (EC) No 2411/98 gives
             the sign, the states the size: FZV annex 4 (Germany), BS AU 145e (Britain), GOST R 50577 (Russia).
             The light face inside rim and holder is about 510 × 107 mm.
    short    12 × 6 in = 305 × 152 mm (North America, SAE J686) to 330 × 165 mm (Japan); a frame hides some
             of it: the one in the real pairs shows 285 mm.

A plate that is turned sideways is narrower than its height tells, one that is tilted is lower than its width tells;
so of the two distances that its width and its height give, the smaller is the better.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F64, U8, Bool
from unflat.types.image import Size

_LEAST_WIDTH, _LEAST_HEIGHT = 36, 9
_LEVELS = (50, 100, 145)
_LOCAL = ((10, 12), (20, 5))
"""Local thresholds: the side of the neighbourhood as a part of the picture's long side, and how much lighter."""
_SHEAR_SIDE, _SHEAR_TOP = 0.35, 0.4
_ENOUGH_PX = 150
_FEWEST, _MOST = 5, 9
_MOST_LIGHT = 0.97
"""Of the inside of a plate; the rest is ink."""


@dataclass(frozen=True, slots=True)
class Format:
    """One shape of plate.

    Attributes:
        width_m: Of the light face.
        height_m: Of the light face.
        spread: Relative standard error of a distance by it: the makes, rim and holder, the pixels, turn and tilt.
        least: Smallest width over height in the picture.
        most: Largest.
        patch: What it is straightened to.
        sign: Least and greatest height of a sign, in heights of the plate.
    """

    width_m: float
    height_m: float
    spread: float
    least: float
    most: float
    patch: Size
    sign: tuple[float, float]


FORMATS = (
    Format(0.51, 0.107, 0.07, 3.05, 5.7, Size(312, 66), (0.42, 0.92)),
    Format(0.3, 0.145, 0.08, 1.75, 2.85, Size(240, 120), (0.28, 0.7)),
)


@dataclass(frozen=True, slots=True)
class Plate:
    """A number plate.

    Attributes:
        corners: (4, 2) in pixels, from the top left one clockwise.
        width: Mean of the upper and the lower edge, pixels.
        height: Mean of the left and the right edge, pixels.
        metres: True width of what is ``width`` pixels wide, a sideways turn taken off.
        spread: Relative standard error of ``metres``.
    """

    corners: F64
    width: float
    height: float
    metres: float
    spread: float


def find_plates(rgb: U8, small: U8) -> tuple[Plate, ...]:
    """Number plates in a picture, the widest first.

    Args:
        rgb: (h, w, 3) uint8 sRGB, upright.
        small: The same, about 800 pixels wide or less, in which a plate must be at least 36 pixels wide.

    Returns:
        What was found, in pixels of ``rgb``.
    """
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    if min(grey.shape) < _LEAST_WIDTH:
        return ()
    back = rgb.shape[1] / small.shape[1]
    seen: list[Plate] = []
    for corners in _quadrilaterals(grey):
        width, height = _extent(corners)
        kind = next((f for f in FORMATS if f.least <= width / height <= f.most), None)
        if kind is None or not _is_upright(corners):
            continue
        near = width >= _ENOUGH_PX or back == 1
        patch = _straightened(grey, corners, kind.patch) if near else _cut_out(rgb, corners * back, kind.patch)
        if holds_signs(patch, kind):
            metres = min(kind.width_m, kind.height_m * width / height)
            seen.append(Plate(corners * back, width * back, height * back, metres, kind.spread))
    return _once(seen)


def holds_signs(patch: U8, kind: Format) -> bool:
    """True if a straightened plate holds one centred row of five to nine dark signs of one height.

    Signs that stand close melt together at one level of grey and are apart at a darker one, so three are tried.
    """
    h, w = patch.shape
    inner = np.ascontiguousarray(patch[h // 10 : h - h // 10, w // 30 : w - w // 30])
    level, _ = cv2.threshold(inner, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink = inner <= level
    if ink.all() or not ink.any():
        return False
    light, dark = float(np.median(inner[~ink])), float(np.median(inner[ink]))
    if light - dark < 15 or light < 1.25 * dark:
        return False
    return any(_is_row(patch <= dark + share * (level - dark), kind) for share in (1, 0.75, 0.5))


def _is_row(ink: Bool, kind: Format) -> bool:
    """True if the dark parts are such signs, side by side over most of the width, and little else."""
    h, w = ink.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    parts = stats[1:].astype(np.float64)
    x, y, width, height, area = parts.T
    inside = (x > 0) & (y > 0) & (x + width < w) & (y + height < h)
    least, most = kind.sign
    sign = inside & (height >= least * h) & (height <= most * h) & (width <= 0.2 * w)
    if sign.sum() < _FEWEST:
        return False
    middle = y + height / 2
    sign &= np.abs(height - np.median(height[sign])) <= 0.22 * np.median(height[sign])
    sign &= np.abs(middle - np.median(middle[sign])) <= 0.1 * h
    if not _FEWEST <= sign.sum() <= _MOST or area[inside & ~sign].sum() >= 0.3 * area[sign].sum():
        return False
    order = np.argsort(x[sign])
    left, right = x[sign][order] / w, (x + width)[sign][order] / w
    gaps = left[1:] - right[:-1]
    return bool(
        right[-1] - left[0] >= 0.6
        and abs(left[0] + right[-1] - 1) <= 0.24
        and gaps.min() > -0.02
        and gaps.max() <= 0.25
        and np.median(height[sign]) > 1.1 * np.median(width[sign])
    )


def _quadrilaterals(grey: U8) -> Iterator[F64]:
    """Corners (4, 2) of the outlines of light regions that are four-sided and wide enough."""
    widest = 0.5 * grey.shape[1]
    for mask in _masks(grey):
        _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
            mask.view(np.uint8), 4, cv2.CV_32S, cv2.CCL_SAUF
        )
        x, y, w, h, area = stats.T
        fits = (w >= _LEAST_WIDTH) & (w <= widest) & (h >= _LEAST_HEIGHT) & (w >= 1.4 * h) & (w <= 7 * h)
        fits &= area >= 0.45 * w * h
        for i in np.flatnonzero(fits[1:]) + 1:
            region = labels[y[i] : y[i] + h[i], x[i] : x[i] + w[i]] == i
            corners = _four_sides(region)
            if corners is not None:
                yield corners + np.array([x[i], y[i]])


def _masks(grey: U8) -> Iterator[Bool]:
    signed = grey.astype(np.int16)
    for part, lighter in _LOCAL:
        side = max(15, max(grey.shape) // part) | 1
        yield signed > cv2.blur(grey, (side, side)).astype(np.int16) + lighter
    for level in _LEVELS:
        yield grey > level


def _four_sides(region: Bool) -> F64 | None:
    """Corners of a region whose outline is four-sided: lines through the middle parts of its four sides.

    The left and the right side are looked for after the lean of the upper and the lower one is taken out.
    """
    h, w = region.shape
    outlines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    hull = cv2.convexHull(outline)
    covered, filled = cv2.contourArea(hull), cv2.contourArea(outline)
    pixels = filled + len(outline) / 2 + 1  # Pick's theorem: the outline runs through the middles of its pixels
    if covered < 0.5 * h * w or filled < 0.7 * covered or np.count_nonzero(region) > _MOST_LIGHT * pixels:
        return None
    _, (a, b), _ = cv2.minAreaRect(hull)
    if covered < 0.75 * a * b:
        return None
    across = slice(w // 8, w - w // 8)
    top = _line(np.argmax(region, axis=0)[across], across.start)
    bottom = _line((h - np.argmax(region[::-1], axis=0))[across], across.start)
    if top is None or bottom is None:
        return None
    lean = (top[1] + bottom[1]) / 2
    drop = lean * (w - 1) / 2
    level = np.array([[1, 0, 0], [-lean, 1, drop]])
    straight = cv2.warpAffine(region.astype(np.uint8), level, (w, h), flags=cv2.INTER_NEAREST) > 0
    above, below = (line[0] + line[1] * w / 2 for line in (top, bottom))
    down = slice(max(0, int(above + 0.2 * (below - above))), max(0, math.ceil(below - 0.2 * (below - above))))
    left = _line(np.argmax(straight, axis=1)[down], down.start)
    right = _line((w - np.argmax(straight[:, ::-1], axis=1))[down], down.start)
    if left is None or right is None:
        return None
    top, bottom = ((start + lean * w / 2, slope - lean) for start, slope in (top, bottom))
    corners = np.array([_crossing(a, b) for a, b in ((top, left), (top, right), (bottom, right), (bottom, left))])
    corners[:, 1] += lean * (corners[:, 0] - w / 2)
    area = cv2.contourArea(corners.astype(np.float32))
    return corners if 0.85 * area <= covered + w + h <= 1.15 * area else None


def _line(places: np.ndarray, first: int) -> tuple[float, float] | None:
    """Start and slope of one edge of a region; None unless most places lie within a pixel and a half of it.

    Args:
        places: (n,) where the edge is in row or column ``first``, ``first`` + 1, and so on.
        first: Number of the first row or column.
    """
    if len(places) < 4:
        return None
    t, v = np.arange(len(places)) + first + 0.5, places.astype(np.float64)
    third = max(1, len(t) // 3)
    slope = float((np.median(v[-third:]) - np.median(v[:third])) / (np.median(t[-third:]) - np.median(t[:third])))
    near = np.ones(len(t), bool)
    for _ in range(3):
        start = float(np.median(v - slope * t))
        near = np.abs(v - start - slope * t) <= 1.5
        if near.sum() < max(4, 0.6 * len(t)):
            return None
        aside = t[near] - t[near].mean()
        slope = float(aside @ v[near] / (aside @ aside))
    return float((v[near] - slope * t[near]).mean()), slope


def _crossing(flat: tuple[float, float], steep: tuple[float, float]) -> tuple[float, float]:
    """Where y = a + b·x meets x = c + d·y."""
    (a, b), (c, d) = flat, steep
    x = (c + d * a) / (1 - d * b)
    return x, a + b * x


def _extent(corners: F64) -> tuple[float, float]:
    """Mean width and height, pixels."""
    tl, tr, br, bl = corners
    across = np.linalg.norm(tr - tl) + np.linalg.norm(br - bl)
    down = np.linalg.norm(bl - tl) + np.linalg.norm(br - tr)
    return float(across) / 2, max(float(down) / 2, 1e-6)


def _is_upright(corners: F64) -> bool:
    """True if no edge leans more than a plate's on a car in an upright picture, and opposite edges are alike."""
    tl, tr, br, bl = corners
    top, bottom, left, right = tr - tl, br - bl, bl - tl, br - tr
    if any(abs(e[1]) > _SHEAR_TOP * e[0] for e in (top, bottom)):
        return False
    if any(abs(e[0]) > _SHEAR_SIDE * e[1] for e in (left, right)):
        return False
    lengths = [float(np.linalg.norm(e)) for e in (top, bottom, left, right)]
    return min(lengths[:2]) >= 0.85 * max(lengths[:2]) and min(lengths[2:]) >= 0.75 * max(lengths[2:])


def _straightened(grey: U8, corners: F64, patch: Size) -> U8:
    w, h = patch.width, patch.height
    target = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - np.float32(0.5)
    turn = cv2.getPerspectiveTransform((corners - 0.5).astype(np.float32), target)
    return np.asarray(cv2.warpPerspective(grey, turn, (w, h), flags=cv2.INTER_CUBIC), dtype=np.uint8)


def _cut_out(rgb: U8, corners: F64, patch: Size) -> U8:
    """The same from the full picture, of which only the part around the plate is made grey."""
    left, top = np.maximum(corners.min(axis=0).astype(int) - 4, 0)
    right, bottom = corners.max(axis=0).astype(int) + 5
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    return _straightened(np.asarray(grey, dtype=np.uint8), corners - (left, top), patch)


def _once(seen: list[Plate]) -> tuple[Plate, ...]:
    """Of those found at one place at several levels the one of middle width; the widest plate first."""
    places: list[list[Plate]] = []
    for plate in seen:
        middle = plate.corners.mean(axis=0)
        for place in places:
            if np.linalg.norm(place[0].corners.mean(axis=0) - middle) < 0.5 * plate.width:
                place.append(plate)
                break
        else:
            places.append([plate])
    chosen = [sorted(place, key=lambda p: p.width)[len(place) // 2] for place in places]
    return tuple(sorted(chosen, key=lambda p: -p.width))
