"""The planes that reach a picture's border.

A plane has an inverse depth that is linear in the picture. The planes near the border are found by sampling (Fischler
and Bolles, "Random sample consensus", 1981) and fitted by least squares; each stretch of a side then belongs to one of
them, to the sky, to nothing, or is loose.

Depths are inverse depths; larger is nearer. Along a side, columns run with the border and rows from it inwards, so
that what is outside lies at rows below 0.
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
GAP = 0.06
"""Shorter stretches between two planes, as a share of the side, are theirs."""
SKY, NOTHING, LOOSE = -2, -3, -1
CLOSE = 0.12
"""... if they are off their planes by no more than this share; else they are a thing before them."""
_SAMPLES = 20_000


class Line(NamedTuple):
    """What is seen along one side of a picture.

    Attributes:
        number: (n,) int64: which plane, or SKY, NOTHING, LOOSE.
        value: (n,) inverse depth, 0 without a surface.
        ratio: (n,) of what is seen to its plane, just inside the border; 1 without a plane.
    """

    number: NDArray[np.int64]
    value: F64
    ratio: F64


def plane_at(plane: F64, row: NDArray[np.int64] | int, column: NDArray[np.int64]) -> F64:
    """Inverse depth of a plane at pixels."""
    return plane[0] + plane[1] * column + plane[2] * row


def planes_of(inverse: F32) -> list[F64]:
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


def line_of(inside: F32, sky: Bool, planes: list[F64]) -> Line:
    """What is seen along one side.

    Args:
        inside: (k, n) inverse depth from the border inwards, 0 without a surface.
        sky: (k, n).
        planes: In the pixels of this side.
    """
    here = inside.astype(np.float64)
    on, (steps, n) = here > 0, here.shape
    rows, columns = np.indices((steps, n))
    close_on = on[:3].any(axis=0)
    value = np.zeros(n)
    value[close_on] = np.nanmedian(np.where(on[:3], here[:3], np.nan)[:, close_on], axis=0)
    number = np.where(close_on, LOOSE, NOTHING)
    number[~close_on & sky[0]] = SKY
    share = np.zeros((len(planes) + 1, n))
    for k, plane in enumerate(planes):
        fits = on & (np.abs(plane_at(plane, rows, columns) - here) < FITS * here)
        share[k] = fits.sum(axis=0) / np.maximum(on.sum(axis=0), 1)
        share[k] *= np.abs(plane_at(plane, 0, columns[0]) - value) < 2 * FITS * value
    number = np.where((number == LOOSE) & (share.max(axis=0) > 0.6), share.argmax(axis=0), number)
    number = _closed(number, value, planes)
    ratio, flat = np.ones(n), (number >= 0) & close_on
    at = np.arange(n, dtype=np.int64)
    through = np.stack([planes_beyond(planes, number, row, at) for row in range(min(3, steps))])[:, flat]
    ratio[flat] = np.nanmedian(np.where(on[:3, flat], here[:3, flat], np.nan) / np.maximum(through, 1e-12), axis=0)
    return Line(number, value, np.clip(ratio, 1 - FITS, 1 + FITS))


def runs(number: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First index and the one after the last of every stretch of equal numbers."""
    starts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist()]
    return list(zip(starts, [*starts[1:], len(number)], strict=True))


def _closed(number: NDArray[np.int64], value: F64, planes: list[F64]) -> NDArray[np.int64]:
    """Short loose stretches between two planes are given to the one that fits better, pixel by pixel."""
    found, n = number.copy(), len(number)
    for first, end in runs(number)[1:-1]:
        before, after = int(number[first - 1]), int(number[end])
        if number[first] != LOOSE or end - first > GAP * n or before < 0 or after < 0:
            continue
        at = np.arange(first, end)
        off = [np.abs(plane_at(planes[k], 0, at) - value[at]) for k in (before, after)]
        if (np.minimum(*off) > CLOSE * value[at]).any():
            continue
        turn = first + int(np.argmin(np.concatenate([[0], np.cumsum(off[0] - off[1])])))
        found[first:turn], found[turn:end] = before, after
    return found


def planes_beyond(planes: list[F64], number: NDArray[np.int64], row: int, foot: NDArray[np.int64]) -> F64:
    """Inverse depth at one row outside, of the plane that each pixel's ``foot`` on the border belongs to.

    Where two planes meet at the border (floor and wall), they meet outside where they would in space.

    Args:
        planes: In the pixels of this side.
        number: (n,) of the border.
        row: Below 0 outside.
        foot: (n,) the pixels of the border that those of the row follow.

    Returns:
        (n,) nan where the foot is on no plane.
    """
    made, column = np.full(len(foot), np.nan), np.arange(len(foot))
    for first, end in runs(number):
        k = int(number[first])
        if k < 0:
            continue
        mine = (foot >= first) & (foot < end)
        own = plane_at(planes[k], row, column[mine])
        inside = np.array([(first + end) // 2])
        for joint, beside in ((first, first - 1), (end - 1, end)):
            other = int(number[beside]) if 0 <= beside < len(number) else k
            if other < 0 or other == k:
                continue
            at = np.array([joint])
            here, there = plane_at(planes[k], 0, at)[0], plane_at(planes[other], 0, at)[0]
            if abs(here - there) > 3 * FITS * here:
                continue
            nearer = plane_at(planes[k], 0, inside)[0] > plane_at(planes[other], 0, inside)[0]
            rest = plane_at(planes[other], row, column[mine])
            own = np.maximum(own, rest) if nearer else np.minimum(own, rest)
        made[mine] = own
    return made
