"""Quadrangles whose four sides are steps of colour: the places where a picture may end.

Lab picture ─ steps ─► lines that many steps lie on, for each side ─► quadrangles of four lines that are covered
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.image import Size

STEP = 2.0
"""A change of colour from pixel to pixel (Lab) that may be an edge."""
_TILT_DEG, _TURNS = 17.0, 97
_LINES = 18
_MOST = 80
"""Quadrangles that are looked at, best covered first."""
_BUNDLE = 4.0
"""Quadrangles whose corners are no farther apart, in pixels, are one."""
_LEAST_COVER, _MEAN_COVER = 0.5, 0.75
_SLANT, _TAPER = 0.27, 0.72
"""Cosine of the corners' angles at most; a side over the opposite one at least."""
_LEAST_SHARE = 0.12
"""Smallest share of the photograph that a picture in it takes."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Changes of colour across columns (for upright sides) and, transposed, across rows (for level sides).

    Attributes:
        across: (h, w) size of the change from left to right.
        peaks: (h, w) where that has a peak along its row.
        down: (w, h) size of the change from top to bottom, transposed.
        dips: (w, h) where that has a peak along its column, transposed.
    """

    across: F32
    peaks: Bool
    down: F32
    dips: Bool


def steps_of(lab: F32) -> Steps:
    """Where the colour changes in a picture, (h, w, 3) Lab."""
    return Steps(*_steps(lab), *_steps(np.ascontiguousarray(lab.transpose(1, 0, 2))))


def _steps(lab: F32) -> tuple[F32, Bool]:
    """How much the colour changes from left to right, (h, w), and where that has a peak."""
    soft = np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.0), np.float32)
    across = np.zeros_like(soft)
    across[:, 1:-1] = (soft[:, 2:] - soft[:, :-2]) / 2
    size = np.sqrt((across**2).sum(-1))
    peak = np.zeros(size.shape, bool)
    peak[:, 1:-1] = (size[:, 1:-1] >= size[:, :-2]) & (size[:, 1:-1] > size[:, 2:]) & (size[:, 1:-1] > STEP)
    return size, peak


@dataclass(frozen=True, eq=False)
class _Lines:
    """Nearly vertical lines x = at + slope · (y - middle), with how much of each is covered by steps.

    Attributes:
        at: (n,) pixels.
        slope: (n,).
        covered: (n, h + 1) rows covered above each row.
    """

    at: F64
    slope: F64
    covered: F64

    def share(self, low: F64, high: F64) -> F64:
        """Share of the rows ``low`` to ``high`` that are covered; both (n, ...)."""
        rows = self.covered.shape[1] - 1
        cut = 0.03 * (high - low)
        a = np.clip(np.round(low + cut), 0, rows).astype(int)
        b = np.clip(np.round(high - cut), 0, rows).astype(int)
        line = np.arange(len(self.at)).reshape(-1, *[1] * (low.ndim - 1))
        return (self.covered[line, b] - self.covered[line, a]) / np.maximum(b - a, 1)


def _side_lines(peak: Bool) -> tuple[_Lines, _Lines]:
    """Candidates for the left and the right side."""
    h, w = peak.shape
    thick = np.asarray(cv2.dilate(peak.astype(np.uint8), np.ones((1, 3), np.uint8)), np.uint8)
    slopes = np.tan(np.radians(np.linspace(-_TILT_DEG, _TILT_DEG, _TURNS)))
    votes = np.empty((_TURNS, w), np.float32)
    for i, slope in enumerate(slopes.tolist()):
        shear = np.array([[1, slope, -slope * (h - 1) / 2], [0, 1, 0]], np.float64)
        straight = cv2.warpAffine(thick, shear, (w, h), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        votes[i] = cv2.reduce(straight, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0]
    left, right = votes.copy(), votes
    left[:, round(0.65 * w) :] = 0
    right[:, : round(0.35 * w)] = 0
    return _picked(left, slopes, thick), _picked(right, slopes, thick)


def _picked(votes: F32, slopes: F64, thick: U8) -> _Lines:
    """The lines of most votes, none beside another; the votes are used up."""
    h, w = thick.shape
    ats: list[float] = []
    tilts: list[float] = []
    offset = slopes[:, None] * np.array([-h / 2, h / 2])
    x: F64 = np.arange(w, dtype=np.float64)
    for _ in range(_LINES):
        i, at = np.unravel_index(int(votes.argmax()), votes.shape)
        if votes[i, at] < 0.2 * h:
            break
        ats.append(at + 0.5)
        tilts.append(float(slopes[i]))
        ends = at + offset[i]
        near = np.abs(x[None, :] + offset[:, :1] - ends[0]) < 5
        near &= np.abs(x[None, :] + offset[:, 1:] - ends[1]) < 5
        votes[near] = 0
    a, b = np.array(ats), np.array(tilts)
    y: F64 = np.arange(h, dtype=np.float64) + 0.5
    column = np.floor(a[:, None] + b[:, None] * (y - h / 2)).astype(int)
    on = (column >= 0) & (column < w)
    hit = thick[np.arange(h), np.clip(column, 0, w - 1)] * on
    return _Lines(a, b, np.concatenate([np.zeros((len(a), 1)), np.cumsum(hit, 1)], 1))


def _meet(upright: _Lines, flat: _Lines, size: Size) -> tuple[F64, F64]:
    """Where nearly vertical lines meet nearly horizontal ones: x, y (n, m)."""
    a, b = upright.at[:, None], upright.slope[:, None]
    c, d = flat.at[None, :], flat.slope[None, :]
    cx, cy = size.width / 2, size.height / 2
    x = (a + b * (c - d * cx - cy)) / (1 - b * d)
    return x, c + d * (x - cx)


def quadrangles(steps: Steps, size: Size) -> list[tuple[float, F64]]:
    """Quadrangles whose four sides are covered by steps: the share that is, and the corners (4, 2)."""
    left, right = _side_lines(steps.peaks)
    top, bottom = _side_lines(steps.dips)
    if min(len(s.at) for s in (left, right, top, bottom)) == 0:
        return []
    corners = {  # [vertical line, horizontal line, (x, y)]
        name: np.stack(_meet(v, f, size), -1)
        for name, v, f in (("lt", left, top), ("rt", right, top), ("lb", left, bottom), ("rb", right, bottom))
    }
    on_left = left.share(corners["lt"][:, :, None, 1], corners["lb"][:, None, :, 1])  # [l, t, b]
    on_right = right.share(corners["rt"][:, :, None, 1], corners["rb"][:, None, :, 1])
    flip = {name: c.transpose(1, 0, 2) for name, c in corners.items()}
    on_top = top.share(flip["lt"][:, :, None, 0], flip["rt"][:, None, :, 0])  # [t, l, r]
    on_bottom = bottom.share(flip["lb"][:, :, None, 0], flip["rb"][:, None, :, 0])
    sides = np.stack(
        np.broadcast_arrays(
            on_left[:, None, :, :],  # [l, r, t, b]
            on_right[None, :, :, :],
            on_top.transpose(1, 2, 0)[:, :, :, None],
            on_bottom.transpose(1, 2, 0)[:, :, None, :],
        )
    )
    good = (sides.min(0) > _LEAST_COVER) & (sides.mean(0) > _MEAN_COVER)
    le, ri, to, bo = np.nonzero(good)
    picked = corners["lt"][le, to], corners["rt"][ri, to], corners["rb"][ri, bo], corners["lb"][le, bo]
    quads = np.stack(picked, 1)
    on = _plausible(quads, size)
    return _apart(sides.mean(0)[good][on], quads[on])


def _plausible(quads: F64, size: Size) -> Bool:
    """Which of the quadrangles (n, 4, 2) may be a picture on a flat thing seen nearly from the front."""
    side = np.roll(quads, -1, 1) - quads
    ahead = np.roll(side, -1, 1)
    length = np.linalg.norm(side, axis=2)
    turn = side[..., 0] * ahead[..., 1] - side[..., 1] * ahead[..., 0]
    along = (side * ahead).sum(2) / (length * np.roll(length, -1, 1))
    first, second = quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1]
    area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    short, long = np.minimum(length[:, :2], length[:, 2:]), np.maximum(length[:, :2], length[:, 2:])
    inside = (quads > 1).all((1, 2)) & (quads < (size.width - 1, size.height - 1)).all((1, 2))
    shape = (turn > 0).all(1) & (np.abs(along) < _SLANT).all(1) & (short > _TAPER * long).all(1)
    return inside & shape & (area > _LEAST_SHARE * size.pixels)


def _apart(cover: F64, quads: F64) -> list[tuple[float, F64]]:
    """The best covered of each bundle of nearly equal quadrangles, with the share that is covered."""
    kept: list[tuple[float, F64]] = []
    left = np.argsort(-cover, kind="stable")
    while len(left) and len(kept) < _MOST:
        best = quads[left[0]]
        kept.append((float(cover[left[0]]), best))
        left = left[np.abs(quads[left] - best).max((1, 2)) > _BUNDLE]
    return kept


def laid_through(quad: F64, steps: Steps) -> F64:
    """The same quadrangle with each side laid through the steps beside it, to a part of a pixel."""
    ends = quad[[0, 3]], quad[[1, 2]], quad[[0, 1]], quad[[3, 2]]
    left, right = (_laid(steps.across, steps.peaks, e[:, ::-1]) for e in ends[:2])
    top, bottom = (_laid(steps.down, steps.dips, e) for e in ends[2:])

    def meet(v: tuple[float, float], f: tuple[float, float]) -> F64:
        x = (v[0] + v[1] * f[0]) / (1 - v[1] * f[1])
        return np.array([x, f[0] + f[1] * x])

    return np.stack([meet(left, top), meet(right, top), meet(right, bottom), meet(left, bottom)])


def _laid(size: F32, peak: Bool, ends: F64) -> tuple[float, float]:
    """A line x = a + b·y through the peaks beside a first one, given by its two ends (y, x)."""
    (y0, x0), (y1, x1) = ends
    b = (x1 - x0) / (y1 - y0)
    a = x0 - b * y0
    cut = 0.03 * (y1 - y0)
    rows, columns = np.nonzero(peak)
    y, x = rows + 0.5, columns + 0.5
    before, here, after = (size[rows, np.clip(columns + d, 0, size.shape[1] - 1)] for d in (-1, 0, 1))
    x = x + np.clip((after - before) / np.maximum(4 * here - 2 * before - 2 * after, 1e-6), -0.5, 0.5)
    weight = np.minimum(here, 12)
    inside = (y > y0 + cut) & (y < y1 - cut)
    for reach in (3.0, 2.0, 1.2):
        on = inside & (np.abs(x - a - b * y) < reach)
        if on.sum() < 8:
            break
        w = weight[on] * (1 - ((x[on] - a - b * y[on]) / reach) ** 2) ** 2
        b, a = np.polyfit(y[on], x[on], 1, w=np.sqrt(w + 1e-9))
    return float(a), float(b)
