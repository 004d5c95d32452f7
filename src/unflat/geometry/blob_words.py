"""How blobs are turned, and what is around them in words: histograms of the directions of a picture's slopes.

Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, 5 and 6; a word is gathered from every
second pixel of both rows and columns: the blur that the blob was found in leaves nothing between them.
"""

# pyright: standard

from __future__ import annotations

import math

import numpy as np

from unflat.geometry.blobs import Blobs
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32

WORD = 128
"""Numbers of a word: directions of each of four times four cells."""
_CELLS, _DIRECTIONS = 4, 8
_CELL = 3.0
"""A cell is so many sigmas wide."""
_STRIDE = 2
_BINS = 36
_AROUND = 1.5
"""Slopes count for the direction with the weight of a Gaussian so many sigmas wide, as far as three times that."""
_AS_GOOD = 0.8
_TURNS = 3
"""A blob has as many directions as are about as strong as its strongest, but no more than these."""
_WIDEST = 64
"""More pixels than any blob reaches to either side."""
_MOST = 0.2
"""No number of a word of length 1 is greater, before its length is made 1 again: highlights count little."""


def directions_of(blobs: Blobs, chosen: np.ndarray) -> tuple[np.ndarray, F32]:
    """The main directions of the slopes around blobs.

    Args:
        blobs: Of a picture.
        chosen: (k,) which of them.

    Returns:
        (n,) which blob and (n,) radians, n ≥ k: in the order of ``chosen``, the strongest of each first.
    """
    turns = np.full((len(chosen), _TURNS), np.nan, np.float32)
    for number, stack in enumerate(blobs.octaves):
        rows = np.flatnonzero(blobs.octave[chosen] == number)
        if len(rows):
            of = np.full((len(rows), _TURNS), np.nan, np.float32)
            _turns(
                stack,
                blobs.place[chosen[rows]],
                np.zeros((2, _BINS + 4), np.float32),
                np.zeros(_WIDEST, np.float32),
                of,
            )
            turns[rows] = of
    row, column = np.nonzero(np.isfinite(turns))
    return chosen[row], turns[row, column]


def words_of(blobs: Blobs, chosen: np.ndarray, turns: F32) -> F32:
    """The words of blobs, (n, 128) float32 of length 1; 0 where nothing is around.

    Args:
        blobs: Of a picture.
        chosen: (n,) which of them.
        turns: (n,) how they are turned, radians.
    """
    words = np.zeros((len(chosen), WORD), np.float32)
    for number, stack in enumerate(blobs.octaves):
        rows = np.flatnonzero(blobs.octave[chosen] == number)
        if len(rows):
            raw = np.zeros((len(rows), _CELLS + 2, _CELLS + 2, _DIRECTIONS + 1), np.float32)
            _gather(stack, blobs.place[chosen[rows]], turns[rows], np.zeros((2, 2 * _WIDEST), np.float32), raw)
            raw[..., 0] += raw[..., _DIRECTIONS]
            words[rows] = raw[:, 1:-1, 1:-1, :_DIRECTIONS].reshape(len(rows), WORD)
    words = np.minimum(_of_length_one(words), np.float32(_MOST))
    return _of_length_one(words)


def _of_length_one(words: F32) -> F32:
    return words / np.maximum(np.linalg.norm(words, axis=1, keepdims=True), np.float32(1e-6))


@kernel
def _turns(stack: F32, place: F32, bins: F32, falls: F32, turns: F32) -> None:
    """Write the directions of each blob of an octave."""
    height, width = stack.shape[1], stack.shape[2]
    for k in range(len(place)):
        picture = stack[int(place[k, 2])]
        sigma = _AROUND * place[k, 3]
        reach = int(np.rint(3.0 * sigma))
        x, y = int(np.rint(place[k, 0])), int(np.rint(place[k, 1]))
        bins[:] = 0.0
        for i in range(reach + 1):
            falls[i] = math.exp(-i * i / (2.0 * sigma * sigma))
        for v in range(max(1, y - reach), min(height - 1, y + reach + 1)):
            for u in range(max(1, x - reach), min(width - 1, x + reach + 1)):
                if (u - x) ** 2 + (v - y) ** 2 > reach * reach:
                    continue
                dx, dy = picture[v, u + 1] - picture[v, u - 1], picture[v + 1, u] - picture[v - 1, u]
                weight = falls[abs(u - x)] * falls[abs(v - y)] * math.sqrt(dx * dx + dy * dy)
                to = int(_quarters(dy, dx) * (_BINS / 4.0) + 0.5)
                bins[0, 2 + (to if to < _BINS else 0)] += weight
        for pad in (0, 1):
            bins[0, pad], bins[0, _BINS + 2 + pad] = bins[0, _BINS + pad], bins[0, 2 + pad]
        highest = np.float32(0.0)
        for b in range(2, _BINS + 2):
            near, far = bins[0, b - 1] + bins[0, b + 1], bins[0, b - 2] + bins[0, b + 2]
            bins[1, b] = (far + 4.0 * near + 6.0 * bins[0, b]) / 16.0
            highest = max(highest, bins[1, b])
        bins[1, 1], bins[1, _BINS + 2] = bins[1, _BINS + 1], bins[1, 2]
        _peaks(bins[1], _AS_GOOD * highest, turns[k])


@inner
def _peaks(bins: F32, least: float, turns: F32) -> None:
    """The highest peaks of a ring of bins, between them, as radians; the first three in falling order."""
    last = np.float32(np.inf)
    for rank in range(_TURNS):
        best, where = np.float32(0.0), -1
        for b in range(2, _BINS + 2):
            if best < bins[b] < last and bins[b] >= least and bins[b] > bins[b - 1] and bins[b] >= bins[b + 1]:
                best, where = bins[b], b
        if where < 0:
            return
        left, right = bins[where - 1], bins[where + 1]
        aside = 0.5 * (left - right) / (left - 2.0 * best + right)
        turns[rank] = (where - 2 + aside) * (2.0 * math.pi / _BINS)
        last = best


@kernel
def _gather(stack: F32, place: F32, turns: F32, falls: F32, words: F32) -> None:
    """Add the slopes around each blob of an octave to the cells and directions that they lie between."""
    height, width = stack.shape[1], stack.shape[2]
    for k in range(len(place)):
        picture = stack[int(place[k, 2])]
        across = _CELL * place[k, 3]
        cosine, sine = math.cos(turns[k]) / across, math.sin(turns[k]) / across
        turned = turns[k] * (2.0 / math.pi)
        reach = int(across * math.sqrt(2.0) * 0.5 * (_CELLS + 1))
        x, y = int(np.rint(place[k, 0])), int(np.rint(place[k, 1]))
        reach -= reach % _STRIDE
        for i in range(0, 2 * reach + 1, _STRIDE):
            for axis in range(2):
                off = ((x if axis == 0 else y) + i - reach - place[k, axis]) / across
                falls[axis, i] = math.exp(-off * off / (0.5 * _CELLS * _CELLS))
        for v in range(y - reach, y + reach + 1, _STRIDE):
            if v < 1 or v >= height - 1:
                continue
            for u in range(x - reach, x + reach + 1, _STRIDE):
                off_x, off_y = u - place[k, 0], v - place[k, 1]
                column, row = cosine * off_x + sine * off_y, cosine * off_y - sine * off_x
                if u < 1 or u >= width - 1 or abs(column) >= 0.5 * (_CELLS + 1) or abs(row) >= 0.5 * (_CELLS + 1):
                    continue
                column, row = column + 0.5 * (_CELLS + 1), row + 0.5 * (_CELLS + 1)
                dx, dy = picture[v, u + 1] - picture[v, u - 1], picture[v + 1, u] - picture[v - 1, u]
                way = (_quarters(dy, dx) - turned) * (_DIRECTIONS / 4.0)
                way -= _DIRECTIONS * math.floor(way / _DIRECTIONS)
                weight = falls[0, u - x + reach] * falls[1, v - y + reach]
                strength = weight * math.sqrt(dx * dx + dy * dy)
                i, j, o = int(row), int(column), int(way)
                o = min(o, _DIRECTIONS - 1)
                fi, fj, fo = row - i, column - j, way - o
                for a in range(2):
                    down = strength * (fi if a else 1.0 - fi)
                    for b in range(2):
                        both = down * (fj if b else 1.0 - fj)
                        words[k, i + a, j + b, o] += both * (1.0 - fo)
                        words[k, i + a, j + b, o + 1] += both * fo


@inner
def _quarters(dy: float, dx: float) -> float:
    """The angle of a slope in quarter turns, 0..4: a rational arctangent, off by a thousandth of a quarter at most."""
    rise, run = abs(dy), abs(dx)
    steep = rise > run
    ratio = (run / rise if rise > 0.0 else 0.0) if steep else (rise / run if run > 0.0 else 0.0)
    angle = ratio * (0.5 + (1.0 - ratio) * (0.1556 + 0.0422 * ratio))
    if steep:
        angle = 1.0 - angle
    if dx < 0.0:
        angle = 2.0 - angle
    return 4.0 - angle if dy < 0.0 else angle
