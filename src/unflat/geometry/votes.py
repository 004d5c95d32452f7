"""Which side of an outline a pixel belongs to, decided by its likeness in colour to its neighbours: numba kernels.

Each neighbour votes for the near or the far surface of the pixel. Its vote counts by likeness in colour, by
closeness, and by how sure it is itself; on a ramp, half way between two surfaces, nobody has a voice. From the
outcome the same vote without colours is subtracted, so that a pixel changes sides only on the word of colour:
where both sides look alike an outline stays where it was.

After Ma, He, Wei, Sun, Wu, "Constant time weighted median filtering for stereo matching and beyond", ICCV 2013, with
two candidates instead of a histogram.
"""

# pyright: standard

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8

Spots = NDArray[np.int32]
"""(n, 2): columns and rows of listed pixels."""

_COLOUR_SHIFT = 4
"""Squared colour distances are looked up in steps of two to this power."""
_POWER = np.float32(1.5)
"""How much the word of colour counts against the side a pixel is on."""


def colour_weights(sigma: float, least: float) -> F32:
    """Weight by squared distance in sRGB (0..195075) in steps of 16: (12193,) float32, never below ``least``."""
    squared = np.arange(3 * 255 * 255 // 2**_COLOUR_SHIFT + 1, dtype=np.float64) * 2**_COLOUR_SHIFT
    return (least + (1 - least) * np.exp(-squared / (2 * sigma * sigma))).astype(np.float32)


def space_weights(radius: int) -> F32:
    """Weight by offset: (2 radius + 1, 2 radius + 1) float32, 0 in the middle."""
    offset = np.arange(-radius, radius + 1)
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    weights = np.exp(-squared / (2 * (0.6 * radius) ** 2)).astype(np.float32)
    weights[radius, radius] = 0
    return weights


def places(flags: U8, height: int, width: int) -> Spots:
    """The pixels of a ``height`` × ``width`` grid whose place in the coarser ``flags`` is set, row by row.

    Pixel y belongs to the row floor(y · h / height) of the h rows of ``flags``; columns likewise.

    Returns:
        (n, 2) int32, columns and rows.
    """
    h, w = flags.shape
    fine = flags.take(np.arange(height) * h // height, 0).take(np.arange(width) * w // width, 1)
    found = cv2.findNonZero(fine)
    return np.zeros((0, 2), np.int32) if found is None else np.asarray(found, np.int32).reshape(-1, 2)


def _read_only(picture: U8) -> U8:
    """A view that is read-only, as the user's own picture is: kernels are compiled for one of both."""
    view = picture.view()
    view.flags.writeable = False
    return view


@inner
def _pick(field, y0, x0, fy, fx, keep):
    """Bilinear value of the corners that lie within ``keep`` of the closest corner."""
    h, w = field.shape
    y1, x1 = (y0 + 1 if y0 + 1 < h else y0), (x0 + 1 if x0 + 1 < w else x0)
    anchor = field[y0 if fy < 0.5 else y1, x0 if fx < 0.5 else x1]
    total, weight = 0.0, 0.0
    for corner in range(4):
        value = field[y1 if corner > 1 else y0, x1 if corner & 1 else x0]
        if abs(value - anchor) <= keep:
            share = (fy if corner > 1 else 1 - fy) * (fx if corner & 1 else 1 - fx)
            total += share * value
            weight += share
    return total / weight if weight > 0 else anchor


@kernel
def _sides_at(span, near, far, spots, zoom, ends):
    """See :func:`sides_at`."""
    h, w = near.shape
    for k in range(span[0], span[1]):
        y, x = (spots[k, 1] + 0.5) * zoom[0] - 0.5, (spots[k, 0] + 0.5) * zoom[1] - 0.5
        y = 0.0 if y < 0 else (h - 1.0 if y > h - 1 else y)
        x = 0.0 if x < 0 else (w - 1.0 if x > w - 1 else x)
        y0, x0 = int(y), int(x)
        keep = 0.0
        for corner in range(4):
            j = y0 + 1 if corner > 1 and y0 + 1 < h else y0
            i = x0 + 1 if corner & 1 and x0 + 1 < w else x0
            apart = near[j, i] - far[j, i]
            keep = apart if apart > keep else keep
        ends[k, 0] = _pick(near, y0, x0, y - y0, x - x0, 0.3 * keep)
        ends[k, 1] = _pick(far, y0, x0, y - y0, x - x0, 0.3 * keep)


def sides_at(near: F32, far: F32, spots: Spots, height: int, width: int) -> F32:
    """Near and far value at pixels of a finer grid, never mixed from two different surfaces.

    Args:
        near: (h, w) on the coarse grid.
        far: (h, w) likewise.
        spots: (n, 2) columns and rows on the grid of ``height`` × ``width``.
        height: Of the fine grid.
        width: Of the fine grid.

    Returns:
        (n, 2) near and far.
    """
    ends = np.empty((len(spots), 2), np.float32)
    zoom = (near.shape[0] / height, near.shape[1] / width)
    in_bands(lambda start, stop: _sides_at((start, stop), near, far, spots, zoom, ends), len(spots))
    return ends


@kernel
def _vote(span, v, guide, spots, ends, tables, side):
    """See :func:`vote`."""
    colour, space = tables
    h, w = v.shape
    r = space.shape[0] // 2
    one = np.float32(1)
    for k in range(span[0], span[1]):
        x, y = np.int64(spots[k, 0]), np.int64(spots[k, 1])
        lo, apart = ends[k, 1], ends[k, 0] - ends[k, 1]
        if apart <= 0:
            side[k] = 0.5
            continue
        per = np.float32(2) / apart
        red, green, blue = np.int32(guide[y, x, 0]), np.int32(guide[y, x, 1]), np.int32(guide[y, x, 2])
        told, told_of, plain, plain_of = np.float32(0), np.float32(1e-6), np.float32(0), np.float32(1e-6)
        for j in range(y - r if y > r else 0, y + r + 1 if y + r < h else h):
            for i in range(x - r if x > r else 0, x + r + 1 if x + r < w else w):
                s = per * (v[j, i] - lo) - one
                s = -one if s < -one else (one if s > one else s)
                a, b, c = guide[j, i, 0] - red, guide[j, i, 1] - green, guide[j, i, 2] - blue
                sure = space[j - y + r, i - x + r] * s * s
                alike = colour[(a * a + b * b + c * c) >> _COLOUR_SHIFT] * sure
                plain += sure * s
                plain_of += sure
                told += alike * s
                told_of += alike
        own = per * (v[y, x] - lo) - one
        own = -one if own < -one else (one if own > one else own)
        own += _POWER * (told / told_of - plain / plain_of)
        side[k] = 0.0 if own < -one else (1.0 if own > one else 0.5 + 0.5 * own)


def vote(v: F32, guide: U8, spots: Spots, ends: F32, tables: tuple[F32, F32]) -> F32:
    """One round: how near (1) or far (0) each listed pixel is by the voices around it.

    Args:
        v: (h, w) present values.
        guide: (h, w, 3) picture.
        spots: (n, 2) columns and rows.
        ends: (n, 2) near and far value at each listed pixel.
        tables: :func:`colour_weights` and :func:`space_weights`.

    Returns:
        (n,) side in 0..1.
    """
    side, guide = np.empty(len(spots), np.float32), _read_only(guide)
    in_bands(lambda start, stop: _vote((start, stop), v, guide, spots, ends, tables, side), len(spots))
    return side


@kernel
def _settle(v, spots, ends, side, gain):
    """See :func:`settle_sides`."""
    for k in range(len(spots)):
        apart = ends[k, 0] - ends[k, 1]
        if apart > 0:
            share = gain * (side[k] - 0.5) + 0.5
            share = 0.0 if share < 0 else (1.0 if share > 1 else share)
            if gain == np.inf:
                share = 1.0 if side[k] >= 0.5 else 0.0
            v[spots[k, 1], spots[k, 0]] = ends[k, 1] + np.float32(share) * apart


def settle_sides(v: F32, spots: Spots, ends: F32, side: F32, gain: float) -> None:
    """Write the outcome of a round into ``v``: the side, steepened by ``gain`` (infinite: all or nothing)."""
    _settle(v, spots, ends, side, float(gain))


@kernel
def _steps(v, spots, ends, flags):
    """Set ``flags`` at every listed pixel that is undecided or beside a step of a third."""
    h, w = v.shape
    for k in range(len(spots)):
        x, y = np.int64(spots[k, 0]), np.int64(spots[k, 1])
        least = (ends[k, 0] - ends[k, 1]) / np.float32(3)
        if least <= 0:
            continue
        here = v[y, x]
        margin = np.float32(0.3) * least
        step = here > ends[k, 1] + margin and here < ends[k, 0] - margin
        for j in range(y - 1 if y > 0 else 0, y + 2 if y + 2 < h else h):
            for i in range(x - 1 if x > 0 else 0, x + 2 if x + 2 < w else w):
                step = step or abs(v[j, i] - here) > least
        if step:
            flags[y, x] = 1


def flag_edges(v: F32, spots: Spots, ends: F32) -> U8:
    """(h, w) uint8: 1 at and around every listed pixel that is undecided or beside a step of a third."""
    flags = np.zeros(v.shape, np.uint8)
    _steps(v, spots, ends, flags)
    return np.asarray(cv2.dilate(flags, np.ones((3, 3), np.uint8)), np.uint8)


@kernel
def _evidence(span, v, guide, spots, ends, radius, out):
    """See :func:`colour_evidence`."""
    h, w = v.shape
    for k in range(span[0], span[1]):
        x, y = np.int64(spots[k, 0]), np.int64(spots[k, 1])
        middle = np.float32(0.5) * (ends[k, 0] + ends[k, 1])
        a, b, c, n = np.int64(0), np.int64(0), np.int64(0), 0
        d, e, f, m = np.int64(0), np.int64(0), np.int64(0), 0
        for j in range(y - radius if y > radius else 0, y + radius + 1 if y + radius < h else h):
            for i in range(x - radius if x > radius else 0, x + radius + 1 if x + radius < w else w):
                red, green, blue = np.int64(guide[j, i, 0]), np.int64(guide[j, i, 1]), np.int64(guide[j, i, 2])
                if v[j, i] >= middle:
                    a, b, c, n = a + red, b + green, c + blue, n + 1
                else:
                    d, e, f, m = d + red, e + green, f + blue, m + 1
        if n > 0 and m > 0:
            red, green, blue = a / n - d / m, b / n - e / m, c / n - f / m
            out[k] = np.sqrt(red * red + green * green + blue * blue)


def colour_evidence(v: F32, guide: U8, spots: Spots, ends: F32, radius: int) -> F32:
    """How far apart the mean colours of both sides are around each listed pixel, in sRGB units: (n,).

    -1 where only one side is in sight.
    """
    out, guide = np.full(len(spots), -1, np.float32), _read_only(guide)
    in_bands(lambda start, stop: _evidence((start, stop), v, guide, spots, ends, radius, out), len(spots))
    return out
