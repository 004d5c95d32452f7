"""Grown and shrunk masks of a volume, on rows of bits: 64 voxels at once.

A step reaches over the same number of voxels along every axis by itself (a box), so anisotropic voxels are given as
many steps along each axis as make the wanted length. Beyond the border of the volume lies more of the same, as far as
shrinking is concerned: a body that the scan cuts off is not eaten from there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unflat.geometry.bits import WORD, Bits, Packed, within

Steps = tuple[int, int, int]
"""Voxels along columns, rows and slices."""


def steps_of(length: float, spacing: tuple[float, float, float]) -> Steps:
    """How many voxels a length is along each axis, at the nearest."""
    i, j, k = (round(length / s) for s in spacing)
    return i, j, k


def grown(bits: Packed, steps: Steps) -> Packed:
    """All voxels within a box of so many steps of one inside."""
    words = bits.words
    for axis, reach in zip((2, 1, 0), steps, strict=True):
        words = _spread(words, axis, reach)
    return Packed(words & within(bits), bits.shape)


def shrunk(bits: Packed, steps: Steps, *, beyond: bool = True) -> Packed:
    """All voxels whose whole box of so many steps is inside; ``beyond`` says whether what is beyond the border is."""
    voxels = within(bits)
    words = ~bits.words & voxels if beyond else ~bits.words
    for axis, reach in zip((2, 1, 0), steps, strict=True):
        words = _spread(words, axis, reach)
    return Packed(~words & voxels, bits.shape)


def core(bits: Packed) -> Packed:
    """All voxels whose six neighbours are inside."""
    i, j, k = (shrunk(bits, steps) for steps in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    return both(both(i, j), k)


def opened(bits: Packed, steps: Steps) -> Packed:
    """Without what is thinner than the box."""
    return grown(shrunk(bits, steps), steps)


def closed(bits: Packed, steps: Steps) -> Packed:
    """Gaps narrower than the box filled; a gap to the border of the volume is none."""
    return either(bits, shrunk(grown(bits, steps), steps, beyond=False))


def both(one: Packed, other: Packed) -> Packed:
    """What is inside of both."""
    return Packed(one.words & other.words, one.shape)


def either(one: Packed, other: Packed) -> Packed:
    """What is inside of one or the other."""
    return Packed(one.words | other.words, one.shape)


def without(one: Packed, other: Packed) -> Packed:
    """What is inside of the first, but not of the second."""
    return Packed(one.words & ~other.words, one.shape)


def turned_out(bits: Packed) -> Packed:
    """What is not inside, within the volume."""
    return Packed(~bits.words & within(bits), bits.shape)


def _spread(words: Bits, axis: int, reach: int) -> Bits:
    """Every bit also at all places up to ``reach`` before and after it along an axis."""
    done, shift = 0, _along_words if axis == 2 else _along(axis)
    while done < reach:
        step = min(done + 1, reach - done)  # more would leave gaps where the border cuts off
        words = words | shift(words, step) | shift(words, -step)
        done += step
    return words


def _along(axis: int) -> Callable[[Bits, int], Bits]:
    """Moves rows or slices; what leaves the array is lost."""

    def shift(words: Bits, step: int) -> Bits:
        out = np.zeros_like(words)
        length = words.shape[axis]
        if abs(step) < length:
            target, source = [slice(None)] * 3, [slice(None)] * 3
            target[axis] = slice(max(step, 0), length + min(step, 0))
            source[axis] = slice(max(-step, 0), length + min(-step, 0))
            out[tuple(target)] = words[tuple(source)]
        return out

    return shift


def _along_words(words: Bits, step: int) -> Bits:
    """Moves columns, from word to word."""
    whole, part = divmod(abs(step), WORD)
    moved = _along(2)(words, whole if step > 0 else -whole)
    if not part:
        return moved
    near, far = np.uint64(part), np.uint64(WORD - part)
    over = _along(2)(moved, 1 if step > 0 else -1)
    return moved << near | over >> far if step > 0 else moved >> near | over << far
