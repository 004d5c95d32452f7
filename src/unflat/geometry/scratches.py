"""Running scratches: thin lines from top to bottom that were ground into the film, brighter or darker than both sides.

They are looked for in bands of rows: what stands out from both of its sides in most rows of a band is a piece of a
line; pieces above each other, a little aside at the most, are a line (after Kokaram, Motion Picture Restoration, 1998).
Poles and the edges of doors look the same, but go with the picture when it moves (:func:`going_along`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, F64, U8, Bool

_BANDS = 8
_LEAST_BANDS = 6
"""Bands in which a piece of the line is found."""
_ASIDE = 2
"""Pixels of 640 that a line may run aside from one band to the next."""
_REACHES = (3, 6)
"""Pixels of 640 to both sides beside which a line is looked for."""
_STANDS_OUT = 5.0
"""Grey levels, at least."""
_OVER_NOISE = 5.0
_MOST = 12
"""Lines of a frame, the strongest first."""
_ALONG = 1.2
"""A line that follows the picture within so many pixels of 640 is of the picture."""


class Scratch(NamedTuple):
    """A line that runs through a frame.

    Attributes:
        columns: (bands,) float32 where its middle is in each band, in widths of the frame.
        wide: Its width, in widths of the frame.
        light: Grey levels that it is brighter than its sides; negative if darker.
    """

    columns: F32
    wide: float
    light: float


def scratches(grey: U8) -> list[Scratch]:
    """Look for lines in a frame.

    Args:
        grey: (h, w).
    """
    import cv2

    height, width = grey.shape
    rows = height // 4
    if rows < _BANDS or width < 64:
        return []
    even = np.asarray(cv2.resize(grey, (width, rows), interpolation=cv2.INTER_AREA), np.float32)
    even = np.asarray(cv2.blur(even, (3, 1), borderType=cv2.BORDER_REPLICATE), np.float32)
    even = even[: rows // _BANDS * _BANDS].reshape(_BANDS, -1, width)
    found: list[tuple[float, Scratch]] = []
    for reach in (max(2, round(r * width / 640)) for r in _REACHES):
        left, right = _shifted(even, reach), _shifted(even, -reach)
        for sign, out in ((1, even - np.maximum(left, right)), (-1, np.minimum(left, right) - even)):
            strength = np.median(out, axis=1)
            strength[:, : reach + 1] = strength[:, -reach - 1 :] = -1.0
            found += _lines(strength, sign, reach, width)
    found.sort(key=lambda one: -one[0])
    kept: list[Scratch] = []
    for _, line in found:
        apart = [float(np.abs(line.columns - k.columns).mean()) * width for k in kept]
        if len(kept) < _MOST and all(a > 6 * width / 640 for a in apart):
            kept.append(line)
    return kept


def _shifted(even: F32, by: int) -> F32:
    return np.roll(even, by, axis=-1)


def _lines(strength: F32, sign: int, reach: int, width: int) -> list[tuple[float, Scratch]]:
    """Lines put together of pieces, band by band; each with how strong it is.

    Args:
        strength: (bands, w) how much each column stands out.
        sign: 1 for bright lines.
        reach: Pixels to both sides that it was compared with.
        width: Of the frame.
    """
    noise = 1.4826 * float(np.median(np.abs(np.diff(strength, axis=1)))) / 2**0.5
    least = max(_STANDS_OUT, _OVER_NOISE * noise)
    hit = strength >= least
    if hit.any(1).sum() < _LEAST_BANDS:
        return []
    gain: F64 = np.where(hit, np.minimum(strength / least, 3.0), 0.0)
    aside = max(1, round(_ASIDE * width / 640))
    best, came = gain.copy(), np.zeros(gain.shape, np.int64)
    for band in range(1, len(gain)):
        options = np.stack([_from(best[band - 1], by) - 0.02 * abs(by) for by in range(-aside, aside + 1)])
        came[band] = options.argmax(0)
        best[band] += options.max(0)
    lines: list[tuple[float, Scratch]] = []
    score = best[-1].copy()
    while len(lines) < _MOST and score.max() >= _LEAST_BANDS:
        at = int(score.argmax())
        score[max(0, at - reach) : at + reach + 1] = 0
        columns: list[int] = [at]
        for band in range(len(gain) - 1, 0, -1):
            at = at + int(came[band][at]) - aside
            columns.append(at)
        columns.reverse()
        pieces = np.array([strength[band, c] for band, c in enumerate(columns)])
        if (pieces >= least).sum() >= _LEAST_BANDS:
            light = float(np.median(pieces))
            wide = _width(strength, columns, light / 2, reach)
            places = (np.array(columns, np.float32) + 0.5) / width
            lines.append((light, Scratch(places.astype(np.float32), wide / width, sign * light)))
    return lines


def _from(row: F64, by: int) -> F64:
    """The value ``by`` columns to the right; nothing from beyond the border."""
    out = np.full_like(row, -np.inf)
    if by >= 0:
        out[: len(row) - by] = row[by:]
    else:
        out[-by:] = row[:by]
    return out


def _width(strength: F32, columns: Sequence[int], least: float, reach: int) -> float:
    """Pixels beside each other that stand out by ``least``, the middle over the bands; blurring took a pixel more."""
    found = list[int]()
    for band, at in enumerate(columns):
        around = strength[band, max(0, at - reach) : at + reach + 1]
        found.append(int(np.count_nonzero(around >= least)))
    return float(np.clip(np.median(found), 1, 2 * reach))


def going_along(line: Scratch, others: Sequence[Scratch], moved: F32) -> bool:
    """Whether a neighbouring frame has the line where the picture has gone: then it belongs to the picture.

    Args:
        line: Of this frame.
        others: Of the neighbouring frame.
        moved: (rows, columns) how far the picture moves to the right from this frame to that one, by cell, in widths.
    """
    cells = np.clip((line.columns * moved.shape[1]).astype(np.int64), 0, moved.shape[1] - 1)
    rows = (np.arange(len(line.columns)) * moved.shape[0]) // len(line.columns)
    expected = line.columns + moved[rows, cells]
    for other in others:
        if other.light * line.light > 0:
            near = float(np.median(np.abs(other.columns - expected)))
            if near <= _ALONG / 640:
                return True
    return False


def scratched(lines: Sequence[Scratch], height: int, width: int, margin: float) -> Bool:
    """(height, width): the pixels of the lines.

    Args:
        lines: What was found, in a picture of any size.
        height: Of the mask.
        width: Of the mask.
        margin: Pixels more at both sides.
    """
    mask = np.zeros((height, width), np.bool_)
    rows = (np.arange(height) + 0.5) / height * _BANDS - 0.5
    x = np.arange(width) + 0.5
    for line in lines:
        middle = np.interp(rows, np.arange(_BANDS), line.columns) * width
        lo, hi = int(middle.min() - width * line.wide - margin - 1), int(middle.max() + width * line.wide + margin + 2)
        part = slice(max(0, lo), min(width, hi))
        mask[:, part] |= np.abs(x[part] - middle[:, None]) <= width * line.wide / 2 + margin
    return mask


def bridged(pixels: U8, mask: Bool) -> U8:
    """A picture whose masked runs of pixels go over from what is left of them to what is right of them.

    Args:
        pixels: (h, w) or (h, w, c).
        mask: (h, w).
    """
    if not mask.any():
        return pixels
    width = mask.shape[1]
    out = pixels.astype(np.float32)
    columns: NDArray[np.int64] = np.arange(width, dtype=np.int64)
    left = np.maximum.accumulate(np.where(mask, -1, columns), axis=1)
    right = np.minimum.accumulate(np.where(mask, width, columns)[:, ::-1], axis=1)[:, ::-1]
    y, x = np.nonzero(mask)
    lo, hi = left[y, x], right[y, x]
    lo, hi = np.where(lo < 0, hi, lo), np.where(hi >= width, lo, hi)
    good = (lo >= 0) & (hi < width)
    y, x, lo, hi = y[good], x[good], lo[good], hi[good]
    share = ((x - lo) / np.maximum(hi - lo, 1)).astype(np.float32)
    share = share if out.ndim == 2 else share[:, None]
    out[y, x] = (1 - share) * out[y, lo] + share * out[y, hi]
    return np.rint(out).astype(np.uint8)
