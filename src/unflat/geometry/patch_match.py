"""Planes that explain what several views see: PatchMatch stereo with slanted windows.

A hypothesis of a pixel is a plane, written as inverse depth w and its gradient (gx, gy) for each pixel: inverse depth
of a plane is affine in the picture, so a neighbour's plane is carried over by ``w + gx dx + gy dy``. A window of the
reference is compared with where its plane lies in each source (Bleyer, Rhemann & Rother, "PatchMatch stereo", BMVC
2011) by a weighted normalised correlation (Schönberger et al., "Pixelwise view selection for unstructured multi-view
stereo", ECCV 2016). Hypotheses spread from the best of eight regions around a pixel, and sources count by how well
these fit there (Xu & Tao, "Multi-scale geometric consistency guided multi-view stereo", CVPR 2019).
Chance is a hash of place and round: the same everywhere, however many threads work.
"""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import loose_inner, loose_kernel
from unflat.geometry.rig import Planes, Rig
from unflat.types.arrays import F32

REACH, STEP = 4, 2
"""The window goes so many pixels to each side, and every STEP-th is looked at."""
_SIDE = 2 * REACH // STEP + 1
SAMPLES = _SIDE * _SIDE
WORST = np.float32(2)
"""The cost of what a source does not show; 0 is a perfect match, 1 an unrelated one."""
_FARTHEST, _STRAYING = np.float32(2), np.float32(0.15)
"""Pixels from which on it does not matter how far a point strays, and what a pixel of that costs."""
_PULL = 0.006
"""What it costs to lie a pixel off the prior."""
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
def _take_patch(grey, x, y, numbers, patch):
    """Fill ``patch`` with offsets, weights (sum 1) and weighted, centred values; returns their mean and variance."""
    h, w = grey.shape
    middle = grey[y, x]
    total, mean, n = np.float32(0), np.float32(0), 0
    for j in range(-REACH, REACH + 1, STEP):
        for i in range(-REACH, REACH + 1, STEP):
            v, u = min(max(y + j, 0), h - 1), min(max(x + i, 0), w - 1)
            value = grey[v, u]
            off = value - middle
            weight = np.exp(off * off * numbers[0] + np.float32(i * i + j * j) * numbers[1])
            patch[0, n], patch[1, n] = np.float32(u - x), np.float32(v - y)
            patch[2, n], patch[3, n] = weight, value
            total += weight
            mean += weight * value
            n += 1
    mean /= total
    spread = np.float32(0)
    for n in range(SAMPLES):
        weight, value = patch[2, n] / total, patch[3, n] - mean
        patch[2, n], patch[3, n] = weight, weight * value
        spread += weight * value * value
    return mean, spread


@loose_inner
def _match(sources, ways, s, spot, patch):
    """1 - correlation of a patch with source ``s``; spot: x, y (pixel centre), w, gx, gy, mean, variance, noise²."""
    x, y, w, gx, gy = spot[0], spot[1], spot[2], spot[3], spot[4]
    z = ways[s, 6] * x + ways[s, 7] * y + ways[s, 8] + ways[s, 11] * w
    if z <= np.float32(1e-3):
        return WORST
    over = np.float32(1) / z
    u = (ways[s, 0] * x + ways[s, 1] * y + ways[s, 2] + ways[s, 9] * w) * over
    v = (ways[s, 3] * x + ways[s, 4] * y + ways[s, 5] + ways[s, 10] * w) * over
    zx, zy = ways[s, 6] + ways[s, 11] * gx, ways[s, 7] + ways[s, 11] * gy
    ux, uy = (ways[s, 0] + ways[s, 9] * gx - u * zx) * over, (ways[s, 1] + ways[s, 9] * gy - u * zy) * over
    vx, vy = (ways[s, 3] + ways[s, 10] * gx - v * zx) * over, (ways[s, 4] + ways[s, 10] * gy - v * zy) * over
    area = ux * vy - uy * vx
    if area < np.float32(0.1) or area > np.float32(8):
        return WORST
    out_x, out_y = np.float32(REACH) * (abs(ux) + abs(uy)), np.float32(REACH) * (abs(vx) + abs(vy))
    u -= np.float32(0.5)
    v -= np.float32(0.5)
    if u < out_x or v < out_y or u + out_x >= ways[s, 12] - np.float32(1) or v + out_y >= ways[s, 13] - np.float32(1):
        return WORST
    picture = sources[s]
    one, two, both = np.float32(0), np.float32(0), np.float32(0)
    for n in range(SAMPLES):
        px, py = u + ux * patch[0, n] + uy * patch[1, n], v + vx * patch[0, n] + vy * patch[1, n]
        i, j = np.int32(px), np.int32(py)
        fx, fy = px - np.float32(i), py - np.float32(j)
        top = picture[j, i] + fx * (picture[j, i + 1] - picture[j, i])
        low = picture[j + 1, i] + fx * (picture[j + 1, i + 1] - picture[j + 1, i])
        value = top + fy * (low - top) - spot[5]
        one += patch[2, n] * value
        two += patch[2, n] * value * value
        both += patch[3, n] * value
    spread = max(two - one * one, np.float32(0))
    return np.float32(1) - both / np.sqrt((spot[6] + spot[7]) * (spread + spot[7]))


@loose_inner
def _steep(spot, numbers):
    """Whether the plane is seen so obliquely, or lies so far out of range, that it is not to be believed."""
    x, y, w, gx, gy = spot[0], spot[1], spot[2], spot[3], spot[4]
    if w < numbers[8] or w > numbers[9]:
        return True
    cx, cy = (x - numbers[6]) / numbers[4], (y - numbers[7]) / numbers[5]
    nx, ny = numbers[4] * gx, numbers[5] * gy
    nz = w - gx * (x - numbers[6]) - gy * (y - numbers[7])
    return w * w < numbers[10] * (nx * nx + ny * ny + nz * nz) * (cx * cx + cy * cy + np.float32(1))


@loose_inner
def _drawn_to(prior, x, y, w, numbers):
    """What a hypothesis costs for lying off the prior: the more the farther, up to three pixels."""
    if prior[y, x] <= 0:
        return np.float32(0)
    off = min(abs(w - prior[y, x]) * numbers[12], np.float32(3))
    return numbers[11] * off * off


@loose_inner
def _strays(rig, s, spot):
    """How many pixels off a point comes back from the depth that was found in source ``s``, at most _FARTHEST."""
    ways, found, back = rig[1], rig[2], rig[3]
    x, y, w = spot[0], spot[1], spot[2]
    z = ways[s, 6] * x + ways[s, 7] * y + ways[s, 8] + ways[s, 11] * w
    if z <= np.float32(1e-3):
        return _FARTHEST
    u = (ways[s, 0] * x + ways[s, 1] * y + ways[s, 2] + ways[s, 9] * w) / z
    v = (ways[s, 3] * x + ways[s, 4] * y + ways[s, 5] + ways[s, 10] * w) / z
    if u < 0 or v < 0 or u >= ways[s, 12] or v >= ways[s, 13]:
        return _FARTHEST
    i, j = np.int32(u), np.int32(v)
    seen = found[s, 0, j, i]
    if seen <= 0:
        return _FARTHEST
    seen += found[s, 1, j, i] * (u - i - np.float32(0.5)) + found[s, 2, j, i] * (v - j - np.float32(0.5))
    z = back[s, 6] * u + back[s, 7] * v + back[s, 8] + back[s, 11] * seen
    if z <= np.float32(1e-3):
        return _FARTHEST
    dx = (back[s, 0] * u + back[s, 1] * v + back[s, 2] + back[s, 9] * seen) / z - x
    dy = (back[s, 3] * u + back[s, 4] * v + back[s, 5] + back[s, 10] * seen) / z - y
    return min(np.sqrt(dx * dx + dy * dy), _FARTHEST)


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

    A source counts that fits at least two of them well and hardly any badly; if none does, the best half of the sources
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
    half = (n + 1) // 2
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
def _gather(planes, x, y, picks):
    """The best plane of each of eight regions of the other colour: four near, four far; returns how many there are."""
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
    return found


@loose_inner
def _try(rig, numbers, scratch, row):
    """Costs of the hypothesis in ``spot`` for every source, into a row; False if it is not to be believed."""
    spot, patch, costs = scratch
    if _steep(spot, numbers):
        return False
    for s in range(rig[1].shape[0]):
        costs[row, s] = _match(rig[0], rig[1], s, spot, patch)
        if rig[2].shape[0]:
            costs[row, s] += _STRAYING * _strays(rig, s, spot)
    return True


@loose_kernel
def _visit(planes, looks, rig, numbers, salt, start, stop):
    """One round over the pixels of one colour in the rows from ``start`` to ``stop``.

    planes: (4, h, w) inverse depth, its gradient, cost. looks: (2, h, w) grey, prior. rig: sources, ways there, what
    was found in them, ways back. numbers: see :func:`_numbers`. salt: colour, a number for chance, how many changes of
    the best plane are tried.
    """
    grey, prior = looks[0], looks[1]
    w = grey.shape[1]
    n = rig[1].shape[0]
    spot, patch = np.zeros(8, np.float32), np.zeros((4, SAMPLES), np.float32)
    costs, weights, order = np.zeros((9, n), np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    picks, tried = np.zeros((8, 2), np.int64), np.zeros((9, 3), np.float32)
    scratch = (spot, patch, costs)
    spot[7] = numbers[13]
    for y in range(start, stop):
        for x in range((y + salt[0]) & 1, w, 2):
            if planes[0, y, x] <= 0:
                continue
            spot[5], spot[6] = _take_patch(grey, x, y, numbers, patch)
            spot[0], spot[1] = np.float32(x) + np.float32(0.5), np.float32(y) + np.float32(0.5)
            rows = 0
            for pick in range(-1, _gather(planes, x, y, picks)):
                u, v = (x, y) if pick < 0 else (picks[pick, 0], picks[pick, 1])
                spot[3], spot[4] = planes[1, v, u], planes[2, v, u]
                spot[2] = planes[0, v, u] + spot[3] * np.float32(x - u) + spot[4] * np.float32(y - v)
                if _try(rig, numbers, scratch, rows):
                    tried[rows, 0], tried[rows, 1], tried[rows, 2] = spot[2], spot[3], spot[4]
                    rows += 1
            if rows == 0:
                planes[3, y, x] = WORST
                continue
            _weigh(costs, rows, weights, order, numbers)
            best, least = 0, np.float32(1e9)
            for row in range(rows):
                c = _sum_of(costs, row, weights) + _drawn_to(prior, x, y, tried[row, 0], numbers)
                if c < least:
                    best, least = row, c
            a, b, c = tried[best, 0], tried[best, 1], tried[best, 2]
            for k in range(salt[2]):
                size = numbers[14] * np.float32(0.5) ** np.float32(k // 2)
                turn = numbers[15] * size
                mark = salt[1] * 64 + k * 4
                both = k % 3
                spot[2] = a + (size * _chance(x, y, mark) if both != 1 else np.float32(0))
                spot[3] = b + (turn * _chance(x, y, mark + 1) if both != 0 else np.float32(0))
                spot[4] = c + (turn * _chance(x, y, mark + 2) if both != 0 else np.float32(0))
                if _try(rig, numbers, scratch, 0):
                    now = _sum_of(costs, 0, weights) + _drawn_to(prior, x, y, spot[2], numbers)
                    if now < least:
                        least, a, b, c = now, spot[2], spot[3], spot[4]
            planes[0, y, x], planes[1, y, x], planes[2, y, x], planes[3, y, x] = a, b, c, least


def _numbers(rig: Rig, limits: tuple[float, float], step_px: float, pull: float, threshold: float) -> F32:
    """What the kernel needs to know, as one row of numbers.

    0, 1: exponents of the weights by value and place; 2, 3: what counts as good and as bad; 4..7: the camera; 8, 9:
    least and largest inverse depth; 10: squared cosine of the steepest plane; 11, 12: strength of the prior, and pixels
    that a match moves per inverse depth; 13: variance of the noise; 14: the first trial step of inverse depth; 15: of
    its gradient, as a share of that.
    """
    per = max(rig.pixels_per_inverse, 1e-9)
    camera = rig.camera
    return np.array(
        [
            -1 / (2 * 12.0**2), -1 / (2 * REACH**2), threshold, 1.2,
            camera.fx, camera.fy, camera.cx, camera.cy, *limits, np.cos(np.radians(80)) ** 2,
            pull, per, rig.noise**2, step_px / per, 1 / REACH,
        ],
        np.float32,
    )  # fmt: skip


def improved(
    rig: Rig, start: Planes, limits: tuple[float, float], rounds: int, *, prior: F32 | None = None, salt: int = 0
) -> Planes:
    """Let planes spread and settle.

    Args:
        rig: The pictures.
        start: Where to begin; pixels of inverse depth 0 are left out.
        limits: Least and largest inverse depth.
        rounds: How often every pixel is visited.
        prior: (h, w) float32 inverse depth that is kept to where the pictures do not tell; 0 where there is none.
        salt: Different for every call that is to be different by chance.

    Returns:
        The planes, with their costs.
    """
    planes = np.concatenate([start.inverse[None], start.gradient, start.cost[None]]).astype(np.float32)
    planes[0][~rig.wanted] = 0
    looks = np.stack([rig.grey, np.zeros_like(rig.grey) if prior is None else prior]).astype(np.float32)
    found = np.zeros((0, 3, 1, 1), np.float32) if rig.found is None else rig.found
    pictures = (rig.sources, rig.ways, found, rig.ways if rig.back is None else rig.back)
    pictures = tuple(np.ascontiguousarray(part, np.float32) for part in pictures)
    for turn in range(rounds):
        numbers = _numbers(rig, limits, 0.5**turn, _PULL, 0.8 * float(np.exp(-((turn + 2) ** 2) / 90)))
        for colour in range(2):
            marks = np.array([colour, (salt * 16 + turn) * 2 + colour, 6], np.int64)

            def work(first: int, last: int, marks: NDArray[np.int64] = marks, numbers: F32 = numbers) -> None:
                _visit(planes, looks, pictures, numbers, marks, first, last)

            in_bands(work, len(rig.grey), _BANDS)
    return Planes(planes[0], planes[1:3], planes[3])
