"""What lies in a box of a picture, taken out of it for good.

Whatever is put in its place comes from a handful of mean colours, or from what is around; nothing else of the source
is left in the box. Beyond the box it fades into the picture. A blur that could be turned back is none of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.geometry.membrane import membrane
from unflat.types.arrays import F32, U8, Bool

CELLS = 3
"""Mean colours across a box, and down it. Nine of them tell nobody from anybody of the same complexion."""
_POWER = 4
"""The region is a superellipse of this power through the corners of the box."""
_RIM = 0.2
"""So much farther out than the region it has faded away."""
_LEAST_PX = 2.0
_AROUND = 0.5
"""What is filled in comes from so many widths of the region around it."""
_FILLED_PX = 320
"""It is worked out at most so large, pixels of the long side."""


@dataclass(frozen=True, slots=True, eq=False)
class Veil:
    """A region of a picture from which everything goes.

    Attributes:
        top: First row of the part of the picture that it touches.
        left: First column.
        share: (h, w) float32 of this part: 1 in the region, falling to 0 at the rim.
        core: First row, row behind the last, first column, column behind the last of what holds the region, within
            the part.
    """

    top: int
    left: int
    share: F32
    core: tuple[int, int, int, int]

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns that it touches."""
        height, width = self.share.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @staticmethod
    def over(box: tuple[float, float, float, float], height: int, width: int) -> Veil | None:
        """The veil over a box (left, top, width, height, in pixels); None if the picture has nothing of it.

        Every pixel that the box touches is in the region.
        """
        ends = np.floor(box[0]), np.ceil(box[0] + box[2]), np.floor(box[1]), np.ceil(box[1] + box[3])
        left, right, top, bottom = (float(end) for end in ends)
        if right <= 0 or bottom <= 0 or left >= width or top >= height:
            return None
        wide, high = (
            max(_LEAST_PX, (end - start) / 2 * 2 ** (1 / _POWER)) for start, end in ((left, right), (top, bottom))
        )
        x, y = (left + right) / 2, (top + bottom) / 2
        columns, rows = _pixels(x, wide * (1 + _RIM), width), _pixels(y, high * (1 + _RIM), height)
        across = np.abs((columns + 0.5 - x) / wide) ** _POWER
        down = np.abs((rows + 0.5 - y) / high) ** _POWER
        away = (down[:, None] + across[None]) ** (1 / _POWER)
        fade = np.clip((1 + _RIM - away) / _RIM, 0, 1)
        share = (fade * fade * (3 - 2 * fade)).astype(np.float32)
        core = *_within(rows, y, high), *_within(columns, x, wide)
        return Veil(int(rows[0]), int(columns[0]), share, core)


def _pixels(middle: float, reach: float, length: int) -> F32:
    """The pixels of a row that lie within reach."""
    start, stop = max(0, int(np.floor(middle - reach))), min(length, int(np.ceil(middle + reach)))
    return np.arange(start, max(stop, start + 1), dtype=np.float32)


def _within(pixels: F32, middle: float, reach: float) -> tuple[int, int]:
    inside = np.flatnonzero(np.abs(pixels + 0.5 - middle) <= reach)
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, len(pixels))


def cells_of(values: F32, veil: Veil, known: Bool | None = None) -> F32:
    """(up to CELLS, up to CELLS, c) float32: the means of a part (h, w, c) in the cells of a veil's region.

    Args:
        values: Of the part of the picture that the veil touches.
        veil: Where.
        known: (h, w), which pixels count; None: all. A cell without any takes the mean of all that count, 0 if none.
    """
    import cv2

    top, bottom, left, right = veil.core
    size = min(CELLS, right - left), min(CELLS, bottom - top)
    inside = np.ascontiguousarray(values[top:bottom, left:right], np.float64)
    if known is None:
        means = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.float32)
        return means.reshape(size[1], size[0], -1)
    counts = np.ascontiguousarray(known[top:bottom, left:right], np.float64)
    sums = cv2.resize(np.where(counts[..., None] > 0, inside, 0), size, interpolation=cv2.INTER_AREA)
    sums = np.asarray(sums, np.float64).reshape(size[1], size[0], -1)
    count = np.asarray(cv2.resize(counts, size, interpolation=cv2.INTER_AREA), np.float64)[..., None]
    whole = sums.sum((0, 1)) / max(float(count.sum()), 1e-12)
    return np.where(count > 1e-9, sums / np.maximum(count, 1e-12), whole).astype(np.float32)


def spread(cells: F32, veil: Veil) -> F32:
    """(h, w, c) float32: smooth colours between the middles of cells, over all of the part that a veil touches."""
    import cv2

    top, bottom, left, right = veil.core
    wide, high = right - left, bottom - top
    smooth = cv2.resize(cells, (wide, high), interpolation=cv2.INTER_LINEAR)
    smooth = np.asarray(smooth, np.float32).reshape(high, wide, -1)
    height, width = veil.share.shape
    return np.pad(smooth, ((top, height - bottom), (left, width - right), (0, 0)), "edge")


def drawn(source: F32, veil: Veil, instead: F32) -> F32:
    """The part (h, w, c) with what is put instead: nothing else in the region, both in its rim."""
    share = veil.share[..., None]
    return np.where(share >= 1, instead, source + share * (instead - source)).astype(np.float32)


def filled(picture: U8 | F32, veil: Veil, gone: Bool) -> F32:
    """(h, w, c) float32 for the part that a veil touches: what is around it goes on smoothly.

    Args:
        picture: (H, W, c), all of it.
        veil: Where.
        gone: (H, W), pixels that may not be used for it; those of the veil do not count in any case.
    """
    import cv2

    height, width = veil.share.shape
    reach = max(4, round(_AROUND * max(height, width)))
    rows = slice(max(0, veil.top - reach), min(len(picture), veil.top + height + reach))
    columns = slice(max(0, veil.left - reach), min(picture.shape[1], veil.left + width + reach))
    known = ~gone[rows, columns]
    y, x = veil.top - rows.start, veil.left - columns.start
    known[y : y + height, x : x + width] &= veil.share == 0
    around = np.where(known[..., None], picture[rows, columns], 0).astype(np.float32)
    full = known.shape
    if not known.any():  # nothing is around: all of it is of one colour
        return np.broadcast_to(picture.mean((0, 1)).astype(np.float32), (height, width, picture.shape[2])).copy()
    shrink = max(1.0, max(full) / _FILLED_PX)
    size = max(1, round(full[1] / shrink)), max(1, round(full[0] / shrink))
    count = np.asarray(cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    sums = np.asarray(cv2.resize(around, size, interpolation=cv2.INTER_AREA), np.float32)
    mean = sums.reshape(*count.shape, -1) / np.maximum(count, 1e-6)[..., None]
    told = count > 0.5 if (count > 0.5).any() else count > 0
    smooth, lost = membrane(np.ascontiguousarray(mean, np.float32), told, ~told)
    smooth[lost] = mean[told].mean(0)
    back = cv2.resize(smooth, full[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(back, np.float32).reshape(*full, -1)[y : y + height, x : x + width]
