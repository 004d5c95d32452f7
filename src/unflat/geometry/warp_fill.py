"""The gaps of a moved view filled with what is behind, never with what is before; new outlines as soft as old ones.

Gaps are filled column by column, away from the farther side: each pixel becomes the mean of the five beside it on that
side, and of what is seen above and below it. The farther from where something was seen, the more rows a colour comes
from, as with a membrane; rows hold together, and nothing has to be repeated until it settles.
"""

# pyright: standard

from __future__ import annotations

import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.geometry.warp_rows import LEAST_ROWS, Seen

SAME = 1.0
"""What is nearer than the surface behind a gap by more pixels of disparity than this does not go on there."""
STEP = 1.5
"""Where disparity jumps by more pixels than this, an outline is softened."""
BESIDE = 0.107
"""The share of the pixel on either side in a softened one: a Gaussian of half a pixel, as lenses draw."""


@kernel
def _spread(seen, places, starts, values, known, how):
    """Fill open pixels, column by column: ``values`` of those in ``places``, which are sorted by column, then row.

    ``how`` is the step from column to column, and how much nearer a neighbour may be.
    """
    view, cover, deep = seen
    h, w = cover.shape
    step, same = how
    for turn in range(w):
        x = turn if step > 0 else w - 1 - turn
        beside = x - step
        there = 0 <= beside < w
        j, end = (starts[beside], starts[beside + 1]) if there else (0, 0)
        for i in range(starts[x], starts[x + 1]):
            if known[i]:
                continue
            y = places[i]
            red = green = blue = total = np.float32(0)
            limit = deep[y, x] + same
            while j < end and places[j] < y - 2:
                j += 1
            m = j
            for v in range(max(y - 2, 0), min(y + 2, h - 1) + 1):
                weight = np.float32(1)
                if v != y and cover[v, x] == 255 and deep[v, x] <= limit:
                    red, green, blue = red + view[v, x, 0], green + view[v, x, 1], blue + view[v, x, 2]
                    total += 1
                if not there:
                    continue
                if cover[v, beside] == 255:
                    if deep[v, beside] <= limit:
                        red += weight * view[v, beside, 0]
                        green += weight * view[v, beside, 1]
                        blue += weight * view[v, beside, 2]
                        total += weight
                    continue
                while m < end and places[m] < v:
                    m += 1
                if known[m] and deep[v, beside] <= limit:
                    red += weight * values[m, 0]
                    green += weight * values[m, 1]
                    blue += weight * values[m, 2]
                    total += weight
            if total > 0:
                values[i, 0], values[i, 1], values[i, 2] = red / total, green / total, blue / total
                known[i] = True


@kernel
def _close(seen, places, starts, values):
    """Put what was filled under what covers only a share of its pixel."""
    view, cover, _ = seen
    for x in range(cover.shape[1]):
        for i in range(starts[x], starts[x + 1]):
            y = places[i]
            share = cover[y, x] * np.float32(1 / 255)
            for k in range(3):
                both = share * view[y, x, k] + (np.float32(1) - share) * values[i, k]
                view[y, x, k] = np.uint8(both + np.float32(0.5))


def fill_gaps(seen: Seen, share: float) -> None:
    """Fill the gaps of a view, in place.

    Args:
        seen: As :func:`unflat.geometry.warp.seen_gaps` gives it; its ``view`` is changed.
        share: That it was seen with.
    """
    w = seen.cover.shape[1]
    rows, columns = np.divmod(np.flatnonzero(seen.cover < 255), w)
    order = np.argsort(columns.astype(np.uint16 if w <= 65535 else np.int64), kind="stable")
    places, starts = rows[order], np.zeros(w + 1, np.int64)
    np.cumsum(np.bincount(columns, minlength=w), out=starts[1:])
    values, known = np.zeros((len(places), 3), np.float32), np.zeros(len(places), np.bool_)
    away = 1 if share > 0 else -1
    for step, same in ((away, SAME), (-away, SAME), (away, np.inf), (-away, np.inf)):
        if known.all():
            break
        _spread(tuple(seen), places, starts, values, known, (np.int64(step), np.float32(same)))
    _close(tuple(seen), places, starts, values)


@kernel
def _steps(deep, rows, marks):
    """Mark the pixels beside which disparity jumps."""
    h, w = deep.shape
    limit = np.float32(STEP)
    for y in range(rows[0], rows[1]):
        for x in range(w):
            marks[y, x] = False
        for x in range(w - 1):
            jump = abs(deep[y, x + 1] - deep[y, x]) > limit
            marks[y, x] |= jump
            marks[y, x + 1] |= jump
        for v in (y - 1, y + 1):
            if 0 <= v < h:
                for x in range(w):
                    marks[y, x] |= abs(deep[v, x] - deep[y, x]) > limit


@kernel
def _softened(view, places, band, values):
    """What the listed pixels look like softened."""
    h, w, _ = view.shape
    side = np.float32(BESIDE)
    middle = np.float32(1) - side - side
    for i in range(band[0], band[1]):
        y, x = places[i] // w, places[i] % w
        a, b, c, d = max(y - 1, 0), min(y + 1, h - 1), max(x - 1, 0), min(x + 1, w - 1)
        for k in range(3):
            above = side * view[a, c, k] + middle * view[a, x, k] + side * view[a, d, k]
            here = side * view[y, c, k] + middle * view[y, x, k] + side * view[y, d, k]
            below = side * view[b, c, k] + middle * view[b, x, k] + side * view[b, d, k]
            values[i, k] = np.uint8(side * above + middle * here + side * below + np.float32(0.5))


def soften_outlines(seen: Seen) -> None:
    """Draw the outlines of a view as softly as a lens does, in place."""
    marks = np.empty(seen.cover.shape, np.bool_)
    in_bands(lambda a, b: _steps(seen.deep, (np.int64(a), np.int64(b)), marks), len(marks), LEAST_ROWS)
    places = np.flatnonzero(marks)
    values = np.empty((len(places), 3), np.uint8)
    in_bands(lambda a, b: _softened(seen.view, places, (np.int64(a), np.int64(b)), values), len(places))
    seen.view.reshape(-1, 3)[places] = values
