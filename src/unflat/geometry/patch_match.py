"""Planes that explain what several views see: PatchMatch stereo with slanted windows.

Hypotheses (see :mod:`patch_cost`) spread from the best of eight regions around a pixel (Bleyer, Rhemann & Rother,
"PatchMatch stereo", BMVC 2011), and sources count by how well these fit there (Xu & Tao, "Multi-scale geometric
consistency guided multi-view stereo", CVPR 2019).
Chance is a hash of place and round: the same everywhere, however many threads work.
"""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import loose_inner, loose_kernel
from unflat.geometry.patch_cost import (
    FARTHEST,
    SAMPLES,
    WORST,
    drawn_to,
    match,
    numbers_of,
    pyramid,
    scales_of,
    steep,
    strays,
    take_patch,
)
from unflat.geometry.rig import Planes, Rig
from unflat.types.arrays import F32

_STRAYING = np.float32(0.15)
"""What it costs to stray by a pixel from what was found in a source."""
_HOPELESS = np.float32(1.2)
"""Of what matches worse than this nobody asks how far it strays."""
_PULL = 0.006
"""What it costs to lie a pixel off the prior."""
_SAME = np.float32(0.05)
"""Planes that move a match by less than so many pixels of each other are the same."""
_ASKED = 4
"""So many sources are asked about planes from around: those that fit a pixel's own best."""
_CHANGES = 4
"""So many changes of the best plane are tried in a round."""
_NEAR, _FAR = 7, 8
_BANDS = 8
"""Rows that are worth a thread."""


@loose_inner
def _chance(x, y, salt):
    """A number in -1..1 that depends on its arguments alone."""
    h = (
        np.uint64(x) * np.uint64(374761393)
        + np.uint64(y) * np.uint64(668265263)
        + np.uint64(salt) * np.uint64(2246822519)
    )
    h = (h ^ (h >> np.uint64(15))) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return np.float32(h >> np.uint64(40)) * np.float32(2.0 / 16777216.0) - np.float32(1)


@loose_inner
def _sum_of(costs, row, weights):
    """Weighted mean of the costs of one hypothesis over the sources."""
    total, weight = np.float32(0), np.float32(0)
    for s in range(costs.shape[1]):
        total += weights[s] * costs[row, s]
        weight += weights[s]
    return total / weight


@loose_inner
def _weigh(costs, rows, weights, order, numbers):
    """How much each source counts at a pixel: by how well the hypotheses from around fit there.

    A source counts that fits at least two of them well and hardly any badly; if none does, the two best sources
    for the hypothesis that fits best.
    """
    n = costs.shape[1]
    found = 0
    for s in range(n):
        good, bad, worth = 0, 0, np.float32(0)
        for row in range(rows):
            c = costs[row, s]
            if c < numbers[2]:
                good += 1
                worth += np.exp(-c * c * np.float32(3))
            elif c > numbers[3]:
                bad += 1
        weights[s] = worth / np.float32(max(good, 1)) if good >= 2 and bad <= 3 else np.float32(0)
        found += weights[s] > 0
    if found >= min(2, n):
        return
    best, least = 0, np.float32(1e9)
    half = min(2, n)
    for row in range(rows):
        for s in range(n):
            order[s] = costs[row, s]
        order.sort()
        total = np.float32(0)
        for s in range(half):
            total += order[s]
        if total < least:
            best, least = row, total
    for s in range(n):
        order[s] = costs[best, s]
    order.sort()
    for s in range(n):
        weights[s] = np.float32(1) if costs[best, s] <= order[half - 1] else np.float32(0)


@loose_inner
def _gather(planes, x, y, picks, most):
    """The best planes of eight regions of the other colour, four near, four far; returns how many there are."""
    h, w = planes.shape[1], planes.shape[2]
    found = 0
    for region in range(8):
        best, at_x, at_y = np.float32(1e9), -1, -1
        way = region & 3
        for k in range(_NEAR if region < 4 else _FAR):
            ahead = ((k + 1) // 2 + 1 if k else 1) if region < 4 else 2 * k + 3
            aside = ((k + 1) // 2 if k & 1 else -(k // 2)) if region < 4 else 0
            dx = aside if way < 2 else (ahead if way == 2 else -ahead)
            dy = aside if way >= 2 else (ahead if way == 0 else -ahead)
            u, v = x + dx, y + dy
            if u < 0 or v < 0 or u >= w or v >= h or planes[0, v, u] <= 0:
                continue
            if planes[3, v, u] < best:
                best, at_x, at_y = planes[3, v, u], u, v
        if at_x >= 0:
            picks[found, 0], picks[found, 1] = at_x, at_y
            found += 1
    while found > most:
        worst = 0
        for k in range(1, found):
            if planes[3, picks[k, 1], picks[k, 0]] > planes[3, picks[worst, 1], picks[worst, 0]]:
                worst = k
        found -= 1
        picks[worst, 0], picks[worst, 1] = picks[found, 0], picks[found, 1]
    return found


@loose_inner
def _try(rig, numbers, scratch, scale, row, asked):
    """Costs of the hypothesis in ``spot`` for every source asked, into a row; False if it is not to be believed."""
    spot, patch, costs = scratch
    if steep(spot, numbers):
        return False
    for s in range(rig[1].shape[0]):
        if not asked[s]:
            costs[row, s] = WORST
            continue
        costs[row, s] = match(rig[0], rig[1], s, spot, patch, scale)
        if rig[2].shape[0]:
            costs[row, s] += _STRAYING * (strays(rig, s, spot) if costs[row, s] < _HOPELESS else FARTHEST)
    return True


@loose_inner
def _cost_below(rig, numbers, scratch, scale, weights, most):
    """The weighted mean of the costs of the hypothesis in ``spot``; given up as soon as it exceeds ``most``."""
    spot, patch, _ = scratch
    if steep(spot, numbers):
        return np.float32(1e9)
    whole, total = np.float32(0), np.float32(0)
    for s in range(len(weights)):
        whole += weights[s]
    for s in range(len(weights)):
        if weights[s] <= 0:
            continue
        cost = match(rig[0], rig[1], s, spot, patch, scale)
        if rig[2].shape[0]:
            cost += _STRAYING * (strays(rig, s, spot) if cost < _HOPELESS else FARTHEST)
        total += weights[s] * cost
        if total > most * whole:
            return np.float32(1e9)
    return total / whole


@loose_inner
def _ask(costs, order, asked):
    """Ask only the sources that fit the first hypothesis best from now on."""
    n = len(asked)
    for s in range(n):
        order[s] = costs[0, s]
    order.sort()
    for s in range(n):
        asked[s] = costs[0, s] <= order[min(_ASKED, n) - 1]


@loose_inner
def _known(tried, rows, spot, numbers):
    """The row of a hypothesis that hardly differs from the one in ``spot``; -1 if there is none."""
    near = _SAME / numbers[12]
    turn = near * numbers[15]
    for row in range(rows):
        if (
            abs(tried[row, 0] - spot[2]) < near
            and abs(tried[row, 1] - spot[3]) < turn
            and abs(tried[row, 2] - spot[4]) < turn
        ):
            return row
    return -1


@loose_inner
def _changed(planes, prior, rig, numbers, scratch, state, salt):
    """Try changes of the best plane of a pixel, by chance and smaller and smaller; returns the least cost.

    state: x, y, which size is looked at, how much the sources count, the cost of the plane that the pixel has.
    """
    spot = scratch[0]
    x, y, scale, weights, least = state
    for k in range(salt[2]):
        size = numbers[14] * np.float32(0.5) ** np.float32(k // 2)
        turn = numbers[15] * size
        mark = salt[1] * 64 + k * 4
        both = k % 3
        spot[2] = planes[0, y, x] + (size * _chance(x, y, mark) if both != 1 else np.float32(0))
        spot[3] = planes[1, y, x] + (turn * _chance(x, y, mark + 1) if both != 0 else np.float32(0))
        spot[4] = planes[2, y, x] + (turn * _chance(x, y, mark + 2) if both != 0 else np.float32(0))
        pull = drawn_to(prior, x, y, spot[2], numbers)
        now = _cost_below(rig, numbers, scratch, scale, weights, least - pull) + pull
        if now < least:
            least = now
            planes[0, y, x], planes[1, y, x], planes[2, y, x] = spot[2], spot[3], spot[4]
    return least


@loose_kernel
def _visit(planes, looks, rig, numbers, salt, start, stop):
    """One round over the pixels of one colour in the rows from ``start`` to ``stop``.

    planes: (4, h, w) inverse depth, its gradient, cost. looks: grey pictures of all sizes, prior (h, w), which size is
    looked at (h, w), variance of the noise of each. rig: sources of all sizes, ways there, what was found in them, ways
    back. numbers: see :func:`patch_cost.numbers_of`. salt: colour, a number for chance, how many changes of the best
    plane are tried, how many planes from around.
    """
    grey, prior, scales, noise = looks
    w = scales.shape[1]
    n = rig[1].shape[0]
    spot, patch = np.zeros(8, np.float32), np.zeros((4, SAMPLES), np.float32)
    costs, weights, order = np.zeros((9, n), np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    picks, tried, asked = np.zeros((8, 2), np.int64), np.zeros((9, 3), np.float32), np.ones(n, np.bool_)
    scratch = (spot, patch, costs)
    for y in range(start, stop):
        for x in range((y + salt[0]) & 1, w, 2):
            if planes[0, y, x] <= 0:
                continue
            scale = np.int64(scales[y, x])
            spot[5], spot[6] = take_patch(grey, scale, x, y, numbers, patch)
            spot[7] = noise[scale]
            spot[0], spot[1] = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            rows = 0
            asked[:] = True
            for pick in range(-1, _gather(planes, x, y, picks, salt[3])):
                u, v = (x, y) if pick < 0 else (picks[pick, 0], picks[pick, 1])
                spot[3], spot[4] = planes[1, v, u], planes[2, v, u]
                spot[2] = planes[0, v, u] + spot[3] * np.float32(x - u) + spot[4] * np.float32(y - v)
                same = _known(tried, rows, spot, numbers)
                if same >= 0:
                    for s in range(n):
                        costs[rows, s] = costs[same, s]
                elif not _try(rig, numbers, scratch, scale, rows, asked):
                    continue
                elif rows == 0:
                    _ask(costs, order, asked)
                tried[rows, 0], tried[rows, 1], tried[rows, 2] = spot[2], spot[3], spot[4]
                rows += 1
            if rows == 0:
                planes[3, y, x] = WORST
                continue
            _weigh(costs, rows, weights, order, numbers)
            best, least = 0, np.float32(1e9)
            for row in range(rows):
                c = _sum_of(costs, row, weights) + drawn_to(prior, x, y, tried[row, 0], numbers)
                if c < least:
                    best, least = row, c
            for k in range(3):
                planes[k, y, x] = tried[best, k]
            planes[3, y, x] = _changed(planes, prior, rig, numbers, scratch, (x, y, scale, weights, least), salt)


def improved(
    rig: Rig,
    start: Planes,
    limits: tuple[float, float],
    rounds: int,
    *,
    prior: F32 | None = None,
    salt: int = 0,
    fresh: bool = True,
) -> Planes:
    """Let planes spread and settle.

    Args:
        rig: The pictures.
        start: Where to begin; pixels of inverse depth 0 are left out.
        limits: Least and largest inverse depth.
        rounds: How often every pixel is visited.
        prior: (h, w) float32 inverse depth that is kept to where the pictures do not tell; 0 where there is none.
        salt: Different for every call that is to be different by chance.
        fresh: Nobody improved them before, so in the first round the best of all eight regions are tried, not of four.

    Returns:
        The planes, with their costs.
    """
    planes = np.concatenate([start.inverse[None], start.gradient, start.cost[None]]).astype(np.float32)
    planes[0][~rig.wanted] = 0
    pictures = pyramid(rig)
    scales = scales_of(pictures, numbers_of(rig, limits, 1.0, 0.0, 1.0))
    kept_to = np.zeros_like(rig.grey) if prior is None else np.ascontiguousarray(prior, np.float32)
    looks = pictures.grey, kept_to, scales, pictures.noise
    found = np.zeros((0, 1, 1, 3), np.float32)
    if rig.found is not None:
        found = np.ascontiguousarray(rig.found.transpose(0, 2, 3, 1), np.float32)
    ways = np.ascontiguousarray(rig.ways, np.float32)
    back = ways if rig.back is None else np.ascontiguousarray(rig.back, np.float32)
    around = pictures.sources, ways, found, back
    for turn in range(rounds):
        numbers = numbers_of(rig, limits, 0.5**turn, _PULL, 0.8 * float(np.exp(-((turn + 2) ** 2) / 90)))
        for colour in range(2):
            marks = np.array(
                [colour, (salt * 16 + turn) * 2 + colour, _CHANGES, 8 if fresh and not turn else 4], np.int64
            )

            def work(first: int, last: int, marks: NDArray[np.int64] = marks, numbers: F32 = numbers) -> None:
                _visit(planes, looks, around, numbers, marks, first, last)

            in_bands(work, len(rig.grey), _BANDS)
    return Planes(planes[0], planes[1:3], planes[3])
