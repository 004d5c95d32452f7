"""Where a picture ends and its frame, mount, page or scanner bed begins.

    photograph ─ small, Lab ─► steps across rows and columns ─► straight lines for each of the four sides
        ─► quadrangles whose sides are covered by steps ─► judged by what is outside ─► the innermost that is believed

What is around a picture looks the same all along a side: a bed and a wall are even, mouldings and mounts run along it.
A photograph that happens to hold four straight lines does not: a window has a house around it. So a quadrangle is
believed when what is outside depends on the distance from its sides only, and is alike on all four of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from unflat.geometry.quadrangles import STEP, laid_through, quadrangles, steps_of
from unflat.geometry.straighten import homography, moved
from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.image import Size

WORK_PX = 480
_LEAST_PX = 64
_BLACK, _WHITE, _FLAT = 24, 235, 12
_RINGING = 9
"""Rows before the end of a margin that may not be flat any more: a block of a JPEG and one."""
_CLEAR, _LESS_CLEAR = 0.75, 0.4
_SUDDEN = 0.6
_CANON = 160
_ALIKE = 9.0
"""Colours (Lab) that are the same, paper and grain included."""
_LEAST_EVEN, _LEAST_NEAR, _MOST_UNLIKE = 0.85, 0.8, 20.0
_BEVEL_PX = 800


@dataclass(frozen=True, eq=False)
class Surround:
    """What was found around a picture.

    Attributes:
        corners: (4, 2) pixels of the whole: top left, top right, bottom right, bottom left of the picture.
        flat: It is nothing but flat black or white margins along the borders; nothing is turned.
    """

    corners: F64
    flat: bool


def find_surround(rgb: U8) -> Surround | None:
    """Look for a picture in a photograph of it.

    Args:
        rgb: (h, w, 3) uint8 sRGB.

    Returns:
        The innermost edge of what is around it, or None where nothing is.
    """
    quad = _quadrangle(rgb)
    if quad is not None:
        return Surround(quad, flat=False)
    top, right, bottom, left = flat_margins(rgb)
    if not (top or right or bottom or left):
        return None
    x1, y1 = rgb.shape[1] - right, rgb.shape[0] - bottom
    return Surround(np.array([[left, top], [x1, top], [x1, y1], [left, y1]], float), flat=True)


def _quadrangle(rgb: U8) -> F64 | None:
    """The corners (4, 2) of a picture that lies in something, or None."""
    size = Size(rgb.shape[1], rgb.shape[0])
    small = size.fitted(WORK_PX)
    if min(small.width, small.height) < _LEAST_PX:
        return None
    lab = _lab(rgb, small)
    steps = steps_of(lab)
    best = _innermost(lab, quadrangles(steps, small))
    if best is None:
        return None
    best = laid_through(best, steps)
    return _past_bevel(rgb, best * (size.width / small.width, size.height / small.height))


def flat_margins(rgb: U8) -> tuple[int, int, int, int]:
    """How many rows and columns of flat black or white there are at the top, right, bottom and left.

    A margin ends in a step along nearly its whole length: a night sky or a white studio does not.

    Args:
        rgb: (h, w, 3) uint8 sRGB.
    """
    top, bottom = _pair(rgb)
    inside = rgb[top : rgb.shape[0] - bottom]
    left, right = _pair(inside.transpose(1, 0, 2))
    top, bottom = _pair(rgb[:, left : rgb.shape[1] - right])  # rows are flat to their ends only now
    return top, right, bottom, left


def _pair(rgb: U8) -> tuple[int, int]:
    """Rows of flat margin above and below; where there is one, the other one need not show as clearly."""
    first, last = _margin(rgb, _CLEAR), _margin(rgb[::-1], _CLEAR)
    if first and not last:
        last = _margin(rgb[::-1], _LESS_CLEAR)
    if last and not first:
        first = _margin(rgb, _LESS_CLEAR)
    return first, last


def _margin(rgb: U8, clear: float) -> int:
    """How many of the first rows are a flat margin that ends in a step along a share ``clear`` of its length."""
    deepest = int(0.4 * len(rgb))
    if deepest < 4 or rgb.shape[1] < _LEAST_PX:
        return 0
    tone = np.median(rgb[0], axis=0)
    if not (tone.max() <= _BLACK or (tone.min() >= _WHITE and np.ptp(tone) < 10)):
        return 0
    depth = 0
    while depth < deepest and (np.abs(rgb[depth] - tone).max(-1) <= _FLAT).mean() > 0.97:
        depth += 1
    if depth < 2 or depth == deepest:
        return 0
    rows = rgb[depth - 2 : depth + _RINGING].astype(np.float32)
    share = (np.abs(rows - tone).max(-1) > _FLAT).mean(1)
    sudden = (np.abs(rows[2:] - rows[:-2]).max(-1) > _FLAT).mean(1) > _SUDDEN * clear  # a slow fade is no step
    jumps = np.flatnonzero((share[2:] > clear) & (share[:-2] < 0.4) & sudden)  # blocks of a JPEG ring before it
    return depth + int(jumps[0]) if len(jumps) else 0


@dataclass(frozen=True)
class Verdict:
    """What is outside a quadrangle.

    Attributes:
        even: Share of what is seen there that runs along the sides.
        near: The same close by, on the worst side.
        unlike: How far the colour close by differs from side to side (Lab, lightness counted half).
    """

    even: float
    near: float
    unlike: float

    @property
    def believed(self) -> bool:
        """Whether that is the surround of a picture."""
        return self.even > _LEAST_EVEN and self.near > _LEAST_NEAR and self.unlike < _MOST_UNLIKE


def judge(lab: F32, quad: F64) -> Verdict:
    """Whether what is outside a quadrangle runs along its sides."""
    side = np.linalg.norm(np.roll(quad, -1, 0) - quad, axis=1)
    w, h = (side[0] + side[2]) / 2, (side[1] + side[3]) / 2
    scale = _CANON / max(w, h)
    inner = np.array([w, h]) * scale
    flat = np.array([[0, 0], [inner[0], 0], inner, [0, inner[1]]])
    view = homography(quad, flat)
    right, bottom = lab.shape[1], lab.shape[0]
    ends = moved(np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], float), view)
    low = np.maximum(ends.min(0), -0.8 * _CANON)
    high = np.minimum(ends.max(0), inner + 0.8 * _CANON)
    span = np.ceil(high - low).astype(int)
    move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ view
    made = cv2.warpPerspective(lab, move, tuple(span.tolist()), flags=cv2.INTER_LINEAR, borderValue=(-999, 0, 0))
    canon = np.asarray(made, np.float32)
    (x0, y0), (x1, y1) = np.round([-low, inner - low]).astype(int).tolist()
    bands = [
        canon[:y0, x0:x1][::-1],
        canon[y0:y1, x1:].transpose(1, 0, 2),
        canon[y1:, x0:x1],
        canon[y0:y1, :x0].transpose(1, 0, 2)[::-1],
    ]
    parts = [_profile(band) for band in bands]
    if min(len(colour) for colour, _, _ in parts) < 3:
        return Verdict(0, 0, 99)
    even = sum(float((e * n).sum()) for _, e, n in parts) / sum(float(n.sum()) for _, _, n in parts)
    reach = max(3, round(0.08 * _CANON))
    near = min(float(np.average(e[:reach], weights=n[:reach] + 1e-9)) for _, e, n in parts)
    near = min(near, *(float(e[1:4].mean()) for _, e, _ in parts))
    rows = min(reach, *(len(colour) for colour, _, _ in parts))
    first = np.stack([colour[:rows] for colour, _, _ in parts])  # [side, distance, lab]
    apart = first - np.median(first, axis=0)
    apart[..., 0] *= 0.5
    unlike = float(np.median(np.sqrt((apart**2).sum(-1)), axis=1).max())
    return Verdict(even, near, unlike)


def _profile(band: F32) -> tuple[F32, F32, F32]:
    """Of a band (distance, along, 3): its colour by distance, the share that has it, how many pixels were seen."""
    seen = band[..., 0] > -1
    rows = seen.sum(1) > 0.3 * band.shape[1]
    band, seen = band[rows], seen[rows]
    if len(band) == 0:
        return np.zeros((0, 3), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32)
    colour = _middle(band, seen)
    rest = band - colour[:, None]
    x = np.linspace(-1, 1, band.shape[1], dtype=np.float32)
    slope = 2 * _middle(rest * np.sign(x)[:, None], seen)
    rest = rest - slope[:, None] * x[:, None]
    alike = (np.sqrt((rest**2).sum(-1)) < _ALIKE) & seen
    count = seen.sum(1).astype(np.float32)
    return colour, alike.sum(1) / count, count


def _middle(band: F32, seen: Bool) -> F32:
    """The median along each row of what was seen, per channel: (distance, 3)."""
    ordered = np.sort(np.where(seen[..., None], band, np.float32(1e9)), axis=1)
    at = (seen.sum(1) // 2)[:, None, None]
    return np.take_along_axis(ordered, at, 1)[:, 0]


def _innermost(lab: F32, found: list[tuple[float, F64]]) -> F64 | None:
    """The smallest quadrangle that is believed, unless one of its sides is a line within the picture.

    That is so where a larger one shares sides with it and is more alike all around. Of those that nearly coincide, the
    one best covered is taken.
    """
    tried = [(judge(lab, quad), cover, quad) for cover, quad in found]
    good = [one for one in tried if one[0].believed]
    if not good:
        return None
    reach = 0.015 * max(lab.shape[:2])
    best = min(good, key=lambda one: _area(one[2]))
    for one in sorted(good, key=lambda one: _area(one[2])):
        if one[0].unlike < 0.5 * best[0].unlike - 2 and _shared(best[2], one[2], reach) in (2, 3):
            best = one
    close = [one for one in good if np.abs(one[2] - best[2]).max() < 0.8 * reach]
    return max(close, key=lambda one: one[1])[2]


def _area(quad: F64) -> float:
    return float(cv2.contourArea(quad.astype(np.float32)))


def _shared(quad: F64, other: F64, reach: float) -> int:
    """How many sides lie on the same lines."""
    ahead = np.roll(quad, -1, 0) - quad
    normal = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.linalg.norm(ahead, axis=1, keepdims=True)
    away = [np.abs((other[[i, (i + 1) % 4]] - quad[i]) @ normal[i]).max() for i in range(4)]
    return int((np.array(away) < reach).sum())


def _past_bevel(rgb: U8, quad: F64) -> F64:
    """Further in by as much as all four sides have one more line close by: the cut of a mount, a dark gap."""
    side = np.linalg.norm(np.roll(quad, -1, 0) - quad, axis=1)
    w, h = max(side[0], side[2]), max(side[1], side[3])
    scale = min(1.0, _BEVEL_PX / max(w, h))
    pad, deep = 3, max(3, round(0.015 * scale * max(w, h)))
    flat = np.array([[0, 0], [w, 0], [w, h], [0, h]]) * scale + pad
    span = Size(round(w * scale) + 2 * pad, round(h * scale) + 2 * pad)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    view = np.linalg.inv(half) @ homography(quad, flat) @ half
    made = cv2.warpPerspective(rgb, view, (span.width, span.height), borderMode=cv2.BORDER_REPLICATE)
    lab = _lab(np.asarray(made, np.uint8), span)
    across = lab.transpose(1, 0, 2)
    share = np.min([_stepped(b[: pad + deep + 2]) for b in (lab, lab[::-1], across, across[::-1])], axis=0)
    peaks = [t for t in range(1, len(share) - 1) if share[t] > 0.6 and share[t - 1] <= share[t] >= share[t + 1]]
    by = max((t + 1.5 - pad for t in peaks), default=0.0)  # row t is the step from t to t + 1
    if by <= 1.5:
        return quad
    return moved(flat + by * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]), homography(flat, quad))


def _stepped(rows: F32) -> F64:
    """Of each row, the share of places where the colour changes to the next row."""
    return (np.sqrt((np.diff(rows, axis=0) ** 2).sum(-1)) > 2 * STEP).mean(1)


def _lab(rgb: U8, small: Size) -> F32:
    """(h, w, 3) float32 CIE Lab, lightness 0..100."""
    shrunk = cv2.resize(rgb, (small.width, small.height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(shrunk, cv2.COLOR_RGB2LAB), np.float32)
