"""Blobs of a picture: places that stand out from what is around them at one size, and how large they are.

The picture is blurred more and more, octave by octave; where the difference of two neighbouring blurs is greater or
smaller than all of its 26 neighbours in place and size, a blob is found, and its place and size are those of the
parabola through them (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, 3 and 4).
"""

# pyright: standard

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8

SIGMA = 1.6
"""The blur that an octave begins with, in its pixels."""
LAYERS = 3
"""So many sizes of an octave are looked for."""
_CAMERA = 0.5
"""The blur of a picture as it comes, in its pixels."""
_REACH = 3.0
"""A blur is cut off at so many standard deviations."""
_SMALLEST = 16
"""An octave's shorter side has at least so many pixels."""
_RIM = 5
_EDGE = 10.0
"""What is this much more curved across than along is an edge, along which a place is not known."""
_RAW = 0.7
"""A pixel of this part of the least contrast may be the middle of a blob that has it."""
_STEPS, _NEAR = 5, 0.6
"""A top is walked to in so many steps, until it is no farther from a pixel's middle than this: a little more than half,
or what lies right between two would be sent from one to the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Blobs:
    """What was found, and the blurred pictures that it was found in.

    Attributes:
        octaves: Of each octave (6, h, w) float32, its pictures from sharp to blurred.
        octave: (n,) int64, which of them.
        place: (n, 4) float32: x and y in pixels of the octave (0 is the middle of the first), layer, sigma.
        xy: (n, 2) float32, pixels of the picture; the first pixel's centre is (0.5, 0.5).
        size: (n,) float32, sigma in pixels of the picture.
        contrast: (n,) float32, grey values.
    """

    octaves: Sequence[F32]
    octave: np.ndarray
    place: F32
    xy: F32
    size: F32
    contrast: F32


def blobs_of(grey: U8, contrast: float, enough: int, allowed: U8 | None = None) -> Blobs:
    """The blobs of a picture; the finest, seen in the picture twice as large, only where the others are too few.

    Args:
        grey: (h, w) uint8.
        contrast: Least contrast in grey values.
        enough: So many do.
        allowed: (h, w), 0 where none are wanted.
    """
    octaves = _octaves(_first(grey, 1))
    tables = [_found(stack, contrast, number, 2.0**number) for number, stack in enumerate(octaves)]
    table = _inside(tables, allowed)
    if len(table) < enough and min(grey.shape) * 2 >= _SMALLEST:
        octaves.append(_stack(_first(grey, 2)))
        table = _inside([table, _found(octaves[-1], contrast, len(octaves) - 1, 0.5)], allowed)
    octave, place, xy = table[:, 0].astype(np.int64), table[:, 1:5], table[:, 5:7]
    return Blobs(octaves, octave, place, xy, table[:, 7], table[:, 8])


def _found(stack: F32, contrast: float, number: int, step: float) -> F32:
    """Of each blob of an octave (n, 9): its number, place (4), x, y, size in pixels of the picture, contrast.

    Args:
        stack: Of the octave.
        contrast: Least.
        number: Of the octave.
        step: How large its pixels are.
    """
    found = np.zeros((stack[0].size // 8 + 64, 5), np.float32)
    count = _extremes(np.subtract(stack[1:], stack[:-1]), contrast, np.zeros(stack.shape[2], np.int32), found)
    x, y, layer, sigma, strength = found[:count].T
    middle = np.float32(0.5 * min(step, 1.0))  # octaves are halved by leaving out every second pixel: the first stays
    own, pixel = np.full(count, number, np.float32), np.float32(step)
    return np.stack([own, x, y, layer, sigma, x * pixel + middle, y * pixel + middle, sigma * pixel, strength], axis=1)


def _inside(tables: Sequence[F32], allowed: U8 | None) -> F32:
    """The blobs of several octaves that lie where they are allowed."""
    table = np.concatenate([*tables, np.zeros((0, 9), np.float32)])
    return table if allowed is None else table[allowed[table[:, 6].astype(int), table[:, 5].astype(int)] > 0]


def _first(grey: U8, enlarged: int) -> F32:
    """The first picture of the first octave: of a picture that is so many times as large."""
    height, width = grey.shape
    size = enlarged * width, enlarged * height
    picture = np.asarray(cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)
    return _blurred(picture, float(np.sqrt(SIGMA**2 - (_CAMERA * enlarged) ** 2)), np.empty_like(picture))


def _octaves(picture: F32) -> list[F32]:
    """The blurred pictures of all octaves, by the first one."""
    made: list[F32] = []
    while min(picture.shape) >= _SMALLEST:
        made.append(_stack(picture))
        picture = np.ascontiguousarray(made[-1][LAYERS, ::2, ::2])
    return made


def _stack(picture: F32) -> F32:
    """The blurred pictures of one octave, by its first one."""
    stack = np.empty((LAYERS + 3, *picture.shape), np.float32)
    stack[0] = picture
    for layer in range(1, LAYERS + 3):
        before, after = (SIGMA * 2 ** (k / LAYERS) for k in (layer - 1, layer))
        _blurred(stack[layer - 1], float(np.sqrt(after**2 - before**2)), stack[layer])
    return stack


def _blurred(picture: F32, sigma: float, into: F32) -> F32:
    side = 2 * int(np.ceil(_REACH * sigma)) + 1
    cv2.GaussianBlur(picture, (side, side), sigma, dst=into)
    return into


@kernel
def _extremes(dogs: F32, contrast: float, flags: np.ndarray, found: F32) -> int:
    """Write x, y, layer, sigma, contrast of each blob of an octave into ``found``; how many there are.

    Rows are looked at whole first, many pixels at a time: which of them stand out of the eight around them.
    """
    count, least = 0, np.float32(_RAW * contrast)
    height, width = dogs.shape[1], dogs.shape[2]
    for layer in range(1, dogs.shape[0] - 1):
        for y in range(_RIM, height - _RIM):
            _flag(dogs[layer, y - 1], dogs[layer, y], dogs[layer, y + 1], least, flags)
            for x in range(_RIM, width - _RIM):
                if flags[x] == 0 or count == len(found) or not _stands_out(dogs, layer, y, x):
                    continue
                u, v, between, at, good = _settled(dogs, layer, y, x, contrast)
                if good:
                    found[count, 0], found[count, 1], found[count, 2] = u, v, int(between + 0.5)
                    found[count, 3], found[count, 4] = SIGMA * 2.0 ** (between / LAYERS), abs(at)
                    count += 1
    return count


@inner
def _flag(above: F32, row: F32, below: F32, least: float, flags: np.ndarray) -> None:
    """Set ``flags`` where a row's pixel stands out of the eight around it by itself."""
    size = row.size - 2
    row_left, row_right, middle = row[:size], row[2:], row[1 : size + 1]
    above_left, above_middle, above_right = above[:size], above[1 : size + 1], above[2:]
    below_left, below_middle, below_right = below[:size], below[1 : size + 1], below[2:]
    into = flags[1 : size + 1]
    for i in range(size):
        value = middle[i]
        a, b, c, d = row_left[i], row_right[i], above_left[i], above_middle[i]
        e, f, g, h = above_right[i], below_left[i], below_middle[i], below_right[i]
        up = (value >= a) & (value >= b) & (value >= c) & (value >= d) & (value >= e) & (value >= f)
        down = (value <= a) & (value <= b) & (value <= c) & (value <= d) & (value <= e) & (value <= f)
        up, down = up & (value >= g) & (value >= h), down & (value <= g) & (value <= h)
        into[i] = (up & (value > least)) | (down & (value < -least))


@inner
def _stands_out(dogs: F32, layer: int, y: int, x: int) -> bool:
    """Whether a pixel is no less than, or no more than, the nine before it and the nine behind it."""
    value = dogs[layer, y, x]
    up = value > 0
    for other in (layer - 1, layer + 1):
        for v in range(y - 1, y + 2):
            for u in range(x - 1, x + 2):
                if (up and dogs[other, v, u] > value) or (not up and dogs[other, v, u] < value):
                    return False
    return True


@inner
def _settled(dogs: F32, layer: int, y: int, x: int, contrast: float) -> tuple[float, float, float, float, bool]:
    """Where the parabola through a pixel and its neighbours has its top: x, y, layer, value, whether it is a blob."""
    nothing = (0.0, 0.0, 0.0, 0.0, False)
    height, width = dogs.shape[1], dogs.shape[2]
    for _ in range(_STEPS):
        here = dogs[layer, y, x]
        left, right, over, under = (
            dogs[layer, y, x - 1],
            dogs[layer, y, x + 1],
            dogs[layer, y - 1, x],
            dogs[layer, y + 1, x],
        )
        before, after = dogs[layer - 1, y, x], dogs[layer + 1, y, x]
        gx, gy, gz = 0.5 * (right - left), 0.5 * (under - over), 0.5 * (after - before)
        xx, yy, zz = right + left - 2.0 * here, under + over - 2.0 * here, after + before - 2.0 * here
        xy = _crossed(
            dogs[layer, y - 1, x - 1], dogs[layer, y - 1, x + 1], dogs[layer, y + 1, x - 1], dogs[layer, y + 1, x + 1]
        )
        xz = _crossed(
            dogs[layer - 1, y, x - 1], dogs[layer - 1, y, x + 1], dogs[layer + 1, y, x - 1], dogs[layer + 1, y, x + 1]
        )
        yz = _crossed(
            dogs[layer - 1, y - 1, x], dogs[layer - 1, y + 1, x], dogs[layer + 1, y - 1, x], dogs[layer + 1, y + 1, x]
        )
        a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
        whole = xx * a + xy * b + xz * c
        if whole == 0.0:
            return nothing
        e, f, g = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
        dx, dy, dz = (
            -(a * gx + b * gy + c * gz) / whole,
            -(b * gx + e * gy + f * gz) / whole,
            -(c * gx + f * gy + g * gz) / whole,
        )
        if abs(dx) < _NEAR and abs(dy) < _NEAR and abs(dz) < _NEAR:
            at = here + 0.5 * (gx * dx + gy * dy + gz * dz)
            round_ = g > 0.0 and (xx + yy) ** 2 * _EDGE < (_EDGE + 1.0) ** 2 * g
            return x + dx, y + dy, layer + dz, at, round_ and abs(at) >= contrast
        if not (abs(dx) < width and abs(dy) < height and abs(dz) < LAYERS):
            return nothing
        x, y, layer = x + _step(dx), y + _step(dy), layer + _step(dz)
        if layer < 1 or layer > LAYERS or not (_RIM <= x < width - _RIM and _RIM <= y < height - _RIM):
            return nothing
    return nothing


@inner
def _crossed(first: float, second: float, third: float, fourth: float) -> float:
    """How the slope along one axis changes along another, of four pixels around."""
    return 0.25 * (fourth - third - second + first)


@inner
def _step(by: float) -> int:
    """To the nearest pixel."""
    return math.floor(by + 0.5)
