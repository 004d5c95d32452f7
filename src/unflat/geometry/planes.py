"""Surfaces beyond a picture's border: planes go on as planes, other things straight on, sky stays sky.

A plane has an inverse depth that is linear in the picture. The planes that reach the border are found by sampling
(Fischler and Bolles, "Random sample consensus", 1981) and fitted by least squares; each stretch of the border then
belongs to one of them, to the sky, or to something else. Outside, a pixel follows the nearest pixel of the border.
Where two planes meet there (floor and wall), the line between them goes on as the line in which they meet in space.

Depths are inverse depths; larger is nearer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, F64, Bool

STRIP = 0.2
"""Planes are looked for this far from the border, as a share of the shorter side."""
FITS = 0.03
"""A pixel belongs to a plane if its inverse depth is off by no more than this share."""
LEAST = 0.04
"""A plane has at least this share of the strip."""
MOST_PLANES = 6
TRIES = 200
INWARD = 0.06
"""A pixel of the border belongs to a plane if most pixels so far inwards do, as a share of the shorter side."""
GAP = 0.03
"""Shorter stretches between two planes, as a share of the border, are theirs."""
NEAREST = 3.0
"""Nothing beyond the border is nearer than this many times the nearest that is seen."""
_SAMPLES = 20_000
_SKY, _NOTHING, _LOOSE = -2, -3, -1


class Beyond(NamedTuple):
    """Surfaces of a picture and around it.

    Attributes:
        inverse: (h, w) inverse depth, 0 where no surface is.
        sky: (h, w).
        valid: (h, w) surface or sky.
    """

    inverse: F32
    sky: Bool
    valid: Bool


def continued_depth(inverse: F32, sky: Bool, margin: tuple[int, int]) -> Beyond:
    """Continue surfaces beyond the border of their picture.

    Args:
        inverse: (h, w) inverse depth, 0 where there is no surface.
        sky: (h, w), none of it surface.
        margin: How many pixels are added left and right, and above and below.
    """
    h, w = inverse.shape
    mx, my = margin
    rows, columns = np.indices((h + 2 * my, w + 2 * mx))
    rows, columns = rows - my, columns - mx
    planes = _planes(inverse)
    loop = _loop(h, w)
    number, value, ratio = _stretches(inverse, sky, planes, loop)
    around = np.full((h, w), -1, np.int64)
    around[loop[:, 0], loop[:, 1]] = np.arange(len(loop))
    outside = (rows < 0) | (columns < 0) | (rows >= h) | (columns >= w)
    y, x = rows[outside], columns[outside]
    foot = around[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]
    made = _made(planes, loop, (number, value, ratio), foot, (y, x))
    seen = inverse[inverse > 0]
    far = float(seen.min()) if seen.size else 1.0
    is_sky = number[foot] == _SKY
    if sky.any():
        is_sky |= (number[foot] >= 0) & (made < 0.5 * far)
    made = np.clip(made, 0.5 * far, NEAREST * float(seen.max()) if seen.size else 1.0)
    made[is_sky | (number[foot] == _NOTHING)] = 0
    out = np.zeros(rows.shape, np.float32)
    out[my : my + h, mx : mx + w] = inverse
    out[outside] = made
    wide = np.zeros(rows.shape, np.bool_)
    wide[my : my + h, mx : mx + w] = sky
    wide[outside] = is_sky
    return Beyond(out, wide, (out > 0) | wide)


def _at(plane: F64, y: NDArray[np.int64], x: NDArray[np.int64]) -> F64:
    """Inverse depth of a plane at pixels."""
    return plane[0] + plane[1] * x + plane[2] * y


def _planes(inverse: F32) -> list[F64]:
    """The planes near the border, the largest first, each (3,): inverse depth = a + b·column + c·row."""
    h, w = inverse.shape
    strip = max(1, round(STRIP * min(h, w)))
    near = np.ones((h, w), np.bool_)
    near[strip : h - strip, strip : w - strip] = False
    at = np.argwhere(near & (inverse > 0))
    at = at[:: len(at) // _SAMPLES + 1]
    if len(at) < 3:
        return []
    value = inverse[at[:, 0], at[:, 1]].astype(np.float64)
    terms = np.stack([np.ones(len(at)), at[:, 1], at[:, 0]], axis=1).astype(np.float64)
    chance, free = np.random.default_rng(7), np.ones(len(at), np.bool_)
    found: list[F64] = []
    while len(found) < MOST_PLANES and free.sum() > LEAST * len(at):
        plane = _largest(terms[free], value[free], chance)
        fits = np.zeros_like(free) if plane is None else free & (np.abs(terms @ plane - value) < FITS * value)
        if plane is None or fits.sum() < LEAST * len(at):
            break
        found.append(plane)
        free &= ~fits
    return found


def _largest(terms: F64, value: F64, chance: np.random.Generator) -> F64 | None:
    """The plane that most of these pixels belong to, of some tried by chance, fitted to all of them."""
    some = terms[:: len(terms) // 2000 + 1], value[:: len(terms) // 2000 + 1]
    best: F64 | None = None
    most = 0
    reach = 0.25 * np.ptp(terms[:, 1:], axis=0).max() + 2
    for _ in range(TRIES):
        first = int(chance.integers(len(terms)))
        close = np.flatnonzero(np.abs(some[0][:, 1:] - terms[first, 1:]).max(axis=1) <= reach)
        if len(close) < 3:
            continue
        picked = chance.choice(close, 3, replace=False)
        three = some[0][picked]
        if abs(np.linalg.det(three)) < reach:
            continue
        plane = np.linalg.solve(three, some[1][picked])
        count = int((np.abs(some[0] @ plane - some[1]) < FITS * some[1]).sum())
        if count > most:
            best, most = np.asarray(plane, np.float64), count
    if best is None:
        return None
    off = np.abs(terms @ best - value) / value
    width = FITS
    for _ in range(6):
        fits = off < width
        if fits.sum() < 3:
            break
        best = np.asarray(
            np.linalg.lstsq(terms[fits] / value[fits, None], np.ones(fits.sum()), rcond=None)[0], np.float64
        )
        off = np.abs(terms @ best - value) / value
        width = min(FITS, max(3 * float(np.median(off[off < width])), FITS / 100))
    return best


def _loop(h: int, w: int) -> NDArray[np.int64]:
    """The pixels of the border in order, (n, 2) row and column, each once."""
    top = [(0, x) for x in range(w)]
    right = [(y, w - 1) for y in range(1, h)]
    bottom = [(h - 1, x) for x in range(w - 2, -1, -1)] if h > 1 else []
    left = [(y, 0) for y in range(h - 2, 0, -1)] if w > 1 else []
    return np.array(top + right + bottom + left, np.int64)


def _inwards(loop: NDArray[np.int64], shape: tuple[int, int], steps: int) -> tuple[NDArray[np.int64], ...]:
    """Rows and columns, (n, steps) each, from every pixel of the border towards the middle of the picture."""
    h, w = shape
    y, x = loop[:, :1], loop[:, 1:]
    go = np.arange(steps)
    down = np.where(y == 0, 1, np.where(y == h - 1, -1, 0))
    along = np.where(x == 0, 1, np.where(x == w - 1, -1, 0))
    return np.clip(y + down * go, 0, h - 1), np.clip(x + along * go, 0, w - 1)


def _stretches(
    inverse: F32, sky: Bool, planes: list[F64], loop: NDArray[np.int64]
) -> tuple[NDArray[np.int64], F64, F64]:
    """For every pixel of the border the number of its plane (or what else it is), its inverse depth, and that ratio.

    The ratio is of what is seen to the plane, just inside the border; 1 without a plane.
    """
    steps = max(2, round(INWARD * min(inverse.shape)))
    rows, columns = _inwards(loop, inverse.shape, steps)
    here = inverse[rows, columns].astype(np.float64)
    on = here > 0
    some = on.any(axis=1)
    close = np.where(on[:, :3], here[:, :3], np.nan)
    value = np.zeros(len(loop))
    close_on = on[:, :3].any(axis=1)
    value[close_on] = np.nanmedian(close[close_on], axis=1)
    number = np.where(close_on, _LOOSE, _NOTHING)
    number[~close_on & sky[rows[:, 0], columns[:, 0]]] = _SKY
    share = np.zeros((len(planes) + 1, len(loop)))
    for k, plane in enumerate(planes):
        fits = on & (np.abs(_at(plane, rows, columns) - here) < FITS * here)
        share[k] = np.where(some, fits.sum(axis=1) / np.maximum(on.sum(axis=1), 1), 0)
        share[k] *= np.abs(_at(plane, loop[:, 0], loop[:, 1]) - value) < 2 * FITS * value
    best = share.argmax(axis=0)
    number = np.where((number == _LOOSE) & (share.max(axis=0) > 0.6), best, number)
    number = _closed(number, value, planes, loop)
    ratio = np.ones(len(loop))
    for k, plane in enumerate(planes):
        mine = (number == k) & close_on
        through = np.maximum(_at(plane, rows[mine, :3], columns[mine, :3]), 1e-12)
        ratio[mine] = np.nanmedian(close[mine] / through, axis=1)
    return number, np.where(number == _LOOSE, _calmed(value, max(3, round(GAP * len(loop)))), value), ratio


def _calmed(value: F64, width: int) -> F64:
    """The median of so many neighbours along the closed border, but where that is another surface."""
    n = len(value)
    around = (np.arange(n)[:, None] + np.arange(-(width // 2), width // 2 + 1)) % n
    middle = np.median(value[around], axis=1)
    return np.where(np.abs(middle - value) < 4 * FITS * value, middle, value)


def _runs(number: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First index and length of every stretch of equal numbers on the closed border."""
    n = len(number)
    starts = np.flatnonzero(number != np.roll(number, 1))
    if not len(starts):
        return [(0, n)]
    ends = np.roll(starts, -1)
    return [(int(a), int((b - a) % n) or n) for a, b in zip(starts, ends, strict=True)]


def _closed(number: NDArray[np.int64], value: F64, planes: list[F64], loop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Short loose stretches between two planes are given to the one that fits better, pixel by pixel."""
    number, n = number.copy(), len(number)
    for first, length in _runs(number):
        before, after = int(number[first - 1]), int(number[(first + length) % n])
        if number[first] != _LOOSE or length > GAP * n or before < 0 or after < 0:
            continue
        at = (first + np.arange(length)) % n
        off = [np.abs(_at(planes[k], loop[at, 0], loop[at, 1]) - value[at]) for k in (before, after)]
        turn = int(np.argmin(np.concatenate([[0], np.cumsum(off[0] - off[1])])))
        number[at[:turn]], number[at[turn:]] = before, after
    return number


def _made(
    planes: list[F64],
    loop: NDArray[np.int64],
    border: tuple[NDArray[np.int64], F64, F64],
    foot: NDArray[np.int64],
    pixel: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> F64:
    """Inverse depth of pixels outside, each following the pixel ``foot`` of the border."""
    number, value, ratio = border
    made = value[foot].copy()
    for first, length in _runs(number):
        k, n = int(number[first]), len(number)
        if k < 0:
            continue
        at = (first + np.arange(length)) % n
        mine = np.isin(foot, at)
        off = ratio[foot[mine]]
        y, x = pixel[0][mine], pixel[1][mine]
        own = _at(planes[k], y, x)
        for other, joint in ((int(number[first - 1]), first), (int(number[(first + length) % n]), at[-1])):
            if other < 0 or other == k:
                continue
            there = _at(planes[k], *loop[joint]), _at(planes[other], *loop[joint])
            if abs(there[0] - there[1]) > 3 * FITS * there[0]:
                continue
            inside = at[length // 2]
            nearer = _at(planes[k], *loop[inside]) > _at(planes[other], *loop[inside])
            rest = _at(planes[other], y, x)
            own = np.maximum(own, rest) if nearer else np.minimum(own, rest)
        made[mine] = own * np.clip(off, 1 - FITS, 1 + FITS)
    return made
