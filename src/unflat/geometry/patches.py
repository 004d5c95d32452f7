"""Texture beyond a picture's border, made of patches of the picture.

PatchMatch (Barnes, Shechtman, Finkelstein and Goldman, 2009) finds for every patch out there the patch of the picture
that fits it best; the patches vote for what is seen there (Wexler, Shechtman and Irani, "Space-time completion of
video", 2007), coarse to fine. Three things guide the search: sky feeds only sky; a patch is scaled by how far it and
its source are, so that the texture of a receding ground shrinks with distance; and the smooth continuation of the
picture says about which colour is wanted, so that no second face appears above a head.

All chance comes from one generator with a fixed seed; nothing runs in an order that could change.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, Bool

RADIUS = 3
"""Patches reach this many pixels to each side of their middle."""
_SCALES = 2.0
"""A patch is at most this many times larger or smaller than its source."""
_SAME_SCALE = 0.1
"""Nearer to 1 than this a scale is 1."""
_DEPTH_PRICE = 600.0
"""Price of a source at another distance: times the square of the logarithm of their ratio (squared sRGB units)."""
_HEIGHT_PRICE = 4000.0
"""Price of a source at another height: times the square of that share of the picture's height."""
_COLOUR_PRICE = 1.5
"""Price of a source of another colour, blurred, than the smooth continuation: times the squared difference."""
_SKY_PRICE = 5000.0
_APART_PRICE = 60.0
"""Price of each of the four neighbours that takes its colours from elsewhere: patches hold together in pieces."""
_NEVER = 1e30


class Canvas(NamedTuple):
    """What a search works on, at one size; the picture lies in the middle.

    Attributes:
        colour: (h, w, 3) sRGB 0..255: the picture, and around it what is made up so far.
        smooth: (h, w, 3) the picture blurred, and around it its smooth continuation.
        inverse: (h, w) inverse depth, > 0 except in the sky.
        sky: (h, w).
        box: (4,) int64: top, bottom, left, right of the picture.
    """

    colour: F32
    smooth: F32
    inverse: F32
    sky: Bool
    box: NDArray[np.int64]


class Field(NamedTuple):
    """For every patch with an unknown pixel, its source.

    Attributes:
        at: (n, 2) int64 row and column of the patch's middle.
        number: (h, w) int64, which patch has its middle here; -1 where none has.
        source: (n, 2) int64 row and column of the source's middle.
        price: (n,) float32 how badly it fits.
    """

    at: NDArray[np.int64]
    number: NDArray[np.int64]
    source: NDArray[np.int64]
    price: F32


@inner
def patch_scale(inverse, sky, y, x, v, u):
    """By how much steps at (y, x) are longer in the picture of the source (v, u)."""
    if sky[y, x] or sky[v, u]:
        return np.float32(1)
    s = inverse[v, u] / inverse[y, x]
    s = min(max(s, np.float32(1 / _SCALES)), np.float32(_SCALES))
    return np.float32(1) if abs(s - np.float32(1)) < np.float32(_SAME_SCALE) else s


@inner
def _price(canvas, y, x, v, u, most):
    """How badly the source (v, u) fits the patch (y, x); breaks off where it is more than ``most``."""
    colour, smooth, inverse, sky, box = canvas
    h, w = sky.shape
    rise = np.float32(y - v) / np.float32(h)
    extra = np.float32(_HEIGHT_PRICE) * rise * rise
    if sky[y, x] != sky[v, u]:
        extra += np.float32(_SKY_PRICE)
    elif not sky[y, x]:
        apart = np.log(inverse[v, u] / inverse[y, x])
        extra += np.float32(_DEPTH_PRICE) * apart * apart
    for c in range(3):
        d = smooth[y, x, c] - smooth[v, u, c]
        extra += np.float32(_COLOUR_PRICE) * d * d
    if extra >= most:
        return np.float32(_NEVER)
    s = patch_scale(inverse, sky, y, x, v, u)
    reach = int(np.ceil(np.float32(RADIUS) * s))
    if v - reach < box[0] or v + reach >= box[1] or u - reach < box[2] or u + reach >= box[3]:
        return np.float32(_NEVER)
    total, count = np.float32(0), 0
    for j in range(-RADIUS, RADIUS + 1):
        if y + j < 0 or y + j >= h:
            continue
        b = v + int(np.floor(j * s + np.float32(0.5)))
        for i in range(-RADIUS, RADIUS + 1):
            if x + i < 0 or x + i >= w:
                continue
            a = u + int(np.floor(i * s + np.float32(0.5)))
            for c in range(3):
                d = colour[y + j, x + i, c] - colour[b, a, c]
                total += d * d
            count += 1
        if total / np.float32((2 * RADIUS + 1) ** 2) + extra > most:
            return np.float32(_NEVER)
    return total / np.float32(count) + extra


@inner
def _apart(number, source, y, x, b, a):
    """Price of taking (b, a) as the source of (y, x) for the neighbours that look elsewhere."""
    h, w = number.shape
    price = np.float32(0)
    for k in range(4):
        v, u = y + (k == 0) - (k == 1), x + (k == 2) - (k == 3)
        if v < 0 or u < 0 or v >= h or u >= w or number[v, u] < 0:
            continue
        i = number[v, u]
        if abs(source[i, 0] - v - b + y) > 1 or abs(source[i, 1] - u - a + x) > 1:
            price += np.float32(_APART_PRICE)
    return price


@inner
def _try(canvas, field, i, b, a):
    """Take the source (b, a) for patch i if it fits better."""
    box = canvas.box
    if b < box[0] or b >= box[1] or a < box[2] or a >= box[3]:
        return
    at, number, source, price = field
    y, x = at[i, 0], at[i, 1]
    gain = _apart(number, source, y, x, source[i, 0], source[i, 1]) - _apart(number, source, y, x, b, a)
    found = _price(canvas, y, x, b, a, price[i] + gain)
    if found < price[i] + gain:
        price[i], source[i, 0], source[i, 1] = found, b, a


@inner
def _next(state):
    """Xorshift (Marsaglia, 2003)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    return state ^ (state << np.uint64(17))


@kernel
def _search(canvas, field, sweeps, seed):
    """Better sources for all patches, in place: those of neighbours, and some by chance."""
    at, number, source, price = field
    box = canvas.box
    h, w = number.shape
    state = np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)
    for i in range(len(at)):
        price[i] = _price(canvas, at[i, 0], at[i, 1], source[i, 0], source[i, 1], np.float32(_NEVER))
    for sweep in range(sweeps):
        back = sweep % 2 == 1
        for turn in range(len(at)):
            i = len(at) - 1 - turn if back else turn
            y, x = at[i, 0], at[i, 1]
            for k in range(2):
                step = 1 if back else -1
                v, u = y + step * (k == 0), x + step * (k == 1)
                if v < 0 or u < 0 or v >= h or u >= w or number[v, u] < 0:
                    continue
                j = number[v, u]
                _try(canvas, field, i, source[j, 0] + y - v, source[j, 1] + x - u)
            radius = max(box[1] - box[0], box[3] - box[2])
            while radius >= 1:
                state = _next(state)
                b = source[i, 0] + np.int64(state % np.uint64(2 * radius + 1)) - radius
                state = _next(state)
                a = source[i, 1] + np.int64(state % np.uint64(2 * radius + 1)) - radius
                _try(canvas, field, i, b, a)
                radius //= 2


@kernel
def _vote(canvas, field, trust, total, weight):
    """Add up what the sources of all patches say of every pixel, in the arrays ``total`` and ``weight``."""
    colour, _, inverse, sky, _ = canvas
    h, w = sky.shape
    for i in range(len(field.at)):
        y, x, v, u = field.at[i, 0], field.at[i, 1], field.source[i, 0], field.source[i, 1]
        s = patch_scale(inverse, sky, y, x, v, u)
        for j in range(max(-RADIUS, -y), min(RADIUS, h - 1 - y) + 1):
            b = min(max(v + int(np.floor(j * s + np.float32(0.5))), 0), h - 1)
            for k in range(max(-RADIUS, -x), min(RADIUS, w - 1 - x) + 1):
                a = min(max(u + int(np.floor(k * s + np.float32(0.5))), 0), w - 1)
                for c in range(3):
                    total[y + j, x + k, c] += trust[i] * colour[b, a, c]
                weight[y + j, x + k] += trust[i]


def patches_beyond(shape: tuple[int, int], box: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The middles of all patches that hold an unknown pixel, (n, 2), and their numbers at their places, (h, w)."""
    top, bottom, left, right = box
    rows, columns = np.indices(shape)
    whole = (rows >= top + RADIUS) & (rows < bottom - RADIUS) & (columns >= left + RADIUS) & (columns < right - RADIUS)
    at = np.argwhere(~whole)
    number = np.full(shape, -1, np.int64)
    number[at[:, 0], at[:, 1]] = np.arange(len(at))
    return at, number


def improve(canvas: Canvas, field: Field, near: F32, rounds: int, seed: int) -> F32:
    """Search and vote so many times; ``canvas.colour`` around the picture, and ``field``, are changed in place.

    Args:
        canvas: At this size.
        field: With sources to begin from.
        near: (n,) weight of every patch: those near the picture know more.
        rounds: Of searching and voting; 0 only votes.
        seed: Of this size's chance.

    Returns:
        (h, w, 3) what the patches say of the pixels they cover, those of the picture along its border too.
    """
    top, bottom, left, right = canvas.box
    outside = np.ones(canvas.sky.shape, np.bool_)
    outside[top:bottom, left:right] = False
    says = canvas.colour.copy()
    for turn in range(max(1, rounds)):
        trust = near
        if rounds:
            _search(canvas, field, 2, seed + turn)
            spread = max(float(np.percentile(field.price, 75)), 1.0)
            trust = near * np.exp(-np.minimum(field.price, np.float32(50 * spread)) / np.float32(2 * spread))
        total, weight = np.zeros_like(canvas.colour), np.zeros(outside.shape, np.float32)
        _vote(canvas, field, trust.astype(np.float32), total, weight)
        says = np.where(weight[..., None] > 0, total / np.maximum(weight, 1e-30)[..., None], canvas.colour)
        canvas.colour[outside] = says[outside]
    return says
