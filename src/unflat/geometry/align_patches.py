"""Where a patch of one picture lies in another, to a fraction of a pixel.

Lucas and Kanade's method with the patch's own slopes (inverse compositional; Baker, Matthews, "Lucas-Kanade 20 years
on", IJCV 2004). Brightness and contrast may differ: both patches are brought to the mean and spread of the first.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, F64

RADIUS = 7
"""A patch reaches so many pixels from its middle: 15 x 15 of them."""
MARGIN = RADIUS + 2
"""No patch lies nearer to the border than this."""
_SIDE = 2 * RADIUS + 1
_STEPS, _SETTLED_PX = 12, 0.01


class Patches(NamedTuple):
    """What pictures show around some places.

    Attributes:
        shown: (n, 3, 15, 15) float32 grey values and their slopes along x and y, the mean of each taken away.
        corner: (n,) float32, the smaller eigenvalue of the slopes' second moments per pixel: how well the place is
            told from those next to it, in grey values squared over pixels squared.
    """

    shown: F32
    corner: F32


@kernel
def _cut(picture, at, shown, corner, start, stop):
    """picture: (h, w); at: (n, 2) middles, pixels whose first one's centre is (0.5, 0.5)."""
    r, side = RADIUS, _SIDE
    for i in range(start, stop):
        x0, y0 = at[i, 0] - 0.5 - r, at[i, 1] - 0.5 - r
        column, row = int(np.floor(x0)), int(np.floor(y0))
        fx, fy = x0 - column, y0 - row
        mean, mean_x, mean_y = 0.0, 0.0, 0.0
        for v in range(side):
            for u in range(side):
                p, q = row + v, column + u
                value = (1 - fy) * ((1 - fx) * picture[p, q] + fx * picture[p, q + 1])
                value += fy * ((1 - fx) * picture[p + 1, q] + fx * picture[p + 1, q + 1])
                right = (1 - fy) * ((1 - fx) * picture[p, q + 1] + fx * picture[p, q + 2])
                right += fy * ((1 - fx) * picture[p + 1, q + 1] + fx * picture[p + 1, q + 2])
                left = (1 - fy) * ((1 - fx) * picture[p, q - 1] + fx * picture[p, q])
                left += fy * ((1 - fx) * picture[p + 1, q - 1] + fx * picture[p + 1, q])
                below = (1 - fy) * ((1 - fx) * picture[p + 1, q] + fx * picture[p + 1, q + 1])
                below += fy * ((1 - fx) * picture[p + 2, q] + fx * picture[p + 2, q + 1])
                above = (1 - fy) * ((1 - fx) * picture[p - 1, q] + fx * picture[p - 1, q + 1])
                above += fy * ((1 - fx) * picture[p, q] + fx * picture[p, q + 1])
                shown[i, 0, v, u] = value
                shown[i, 1, v, u] = (right - left) / 2
                shown[i, 2, v, u] = (below - above) / 2
                mean += value
                mean_x += shown[i, 1, v, u]
                mean_y += shown[i, 2, v, u]
        n = side * side
        mean, mean_x, mean_y = mean / n, mean_x / n, mean_y / n
        xx, xy, yy = 0.0, 0.0, 0.0
        for v in range(side):
            for u in range(side):
                shown[i, 0, v, u] -= mean
                shown[i, 1, v, u] -= mean_x
                shown[i, 2, v, u] -= mean_y
                gx, gy = shown[i, 1, v, u], shown[i, 2, v, u]
                xx += gx * gx
                xy += gx * gy
                yy += gy * gy
        corner[i] = ((xx + yy) / 2 - np.sqrt((xx - yy) ** 2 / 4 + xy * xy)) / n


@inner
def _sampled(picture, x, y, warp, sample):
    """What a picture shows at the pixels of a patch, its mean taken away; into ``sample``."""
    r, side, mean = RADIUS, _SIDE, 0.0
    a, b, c, d = warp[0, 0], warp[0, 1], warp[1, 0], warp[1, 1]
    for v in range(side):
        for u in range(side):
            px, py = x + a * (u - r) + b * (v - r), y + c * (u - r) + d * (v - r)
            q, p = int(px), int(py)
            fx, fy = px - q, py - p
            value = (1 - fy) * ((1 - fx) * picture[p, q] + fx * picture[p, q + 1])
            value += fy * ((1 - fx) * picture[p + 1, q] + fx * picture[p + 1, q + 1])
            sample[v, u] = value
            mean += value
    mean /= side * side
    for v in range(side):
        for u in range(side):
            sample[v, u] -= mean


@kernel
def _align(shown, which, picture, warp, found, start, stop):
    """which: (m,) rows of the patches; warp: (m, 2, 2) picture from patch; found: (m, 3) x, y, likeness, in and out."""
    h, w = picture.shape
    r, side = RADIUS, _SIDE
    sample = np.empty((side, side))
    for i in range(start, stop):
        mine, along, down = shown[which[i], 0], shown[which[i], 1], shown[which[i], 2]
        a, b, c, d = warp[i, 0, 0], warp[i, 0, 1], warp[i, 1, 0], warp[i, 1, 1]
        xx, xy, yy, own = 0.0, 0.0, 0.0, 0.0
        for v in range(side):
            for u in range(side):
                xx += along[v, u] * along[v, u]
                xy += along[v, u] * down[v, u]
                yy += down[v, u] * down[v, u]
                own += mine[v, u] * mine[v, u]
        det = xx * yy - xy * xy
        x, y = found[i, 0] - 0.5, found[i, 1] - 0.5
        reach_x, reach_y = r * (abs(a) + abs(b)), r * (abs(c) + abs(d))
        settled = False
        for _ in range(_STEPS if det > 0 and own > 0 else 0):
            if not (x >= reach_x and y >= reach_y and x + reach_x < w - 1 and y + reach_y < h - 1):
                break
            _sampled(picture, x, y, warp[i], sample)
            there, both = 0.0, 0.0
            for v in range(side):
                for u in range(side):
                    there += sample[v, u] * sample[v, u]
                    both += sample[v, u] * mine[v, u]
            if there <= 0:
                break
            if settled:
                found[i, 0], found[i, 1], found[i, 2] = x + 0.5, y + 0.5, both / np.sqrt(there * own)
                break
            gain, ex, ey = np.sqrt(own / there), 0.0, 0.0
            for v in range(side):
                for u in range(side):
                    e = sample[v, u] * gain - mine[v, u]
                    ex += along[v, u] * e
                    ey += down[v, u] * e
            dx, dy = (yy * ex - xy * ey) / det, (xx * ey - xy * ex) / det
            x -= a * dx + b * dy
            y -= c * dx + d * dy
            settled = dx * dx + dy * dy < _SETTLED_PX**2


def patches_at(picture: F32, at: F64) -> Patches:
    """What a picture shows around places.

    Args:
        picture: (h, w) float32 grey values.
        at: (n, 2) pixels, the first one's centre is (0.5, 0.5); at least ``MARGIN`` from the border.

    Raises:
        ValueError: A place lies nearer to the border.
    """
    h, w = picture.shape
    if len(at) and not ((at >= MARGIN).all() and (at <= np.array([w, h]) - MARGIN).all()):
        raise ValueError(f"patches reach {MARGIN} pixels from their middle, which is more than there are")
    n = len(at)
    shown, corner = np.zeros((n, 3, _SIDE, _SIDE), np.float32), np.zeros(n, np.float32)
    places = np.ascontiguousarray(at, np.float64)
    in_bands(lambda i, j: _cut(picture, places, shown, corner, i, j), n, 256)
    return Patches(shown, corner)


def aligned(patches: Patches, which: np.ndarray, picture: F32, near: F64, warp: F64) -> tuple[F64, F64]:
    """Find patches in a picture.

    Args:
        patches: What is looked for.
        which: (m,) the number of each one that is looked for here.
        picture: (h, w) float32 grey values.
        near: (m, 2) where to begin, pixels; no farther off than half a patch.
        warp: (m, 2, 2) how a step in the patch's picture is a step in this one.

    Returns:
        (m, 2) where they lie; and (m,) how alike they are there, as normalised cross-correlation: -1 where the search
        left the picture or did not settle.
    """
    found = np.column_stack([near, np.full(len(near), -1.0)])
    steps = np.ascontiguousarray(warp, np.float64)
    rows = np.ascontiguousarray(which, np.int64)
    in_bands(lambda i, j: _align(patches.shown, rows, picture, steps, found, i, j), len(rows), 128)
    return found[:, :2], found[:, 2]
