"""What a moved eye uncovers, line by line.

When the eye moves without turning, everything in its picture moves along straight lines (epipolar lines): along rows
when it steps aside, along columns when it rises, along rays from the principal point when it goes forward. What is seen
after the move can therefore be found on each line by itself, at the full resolution of the depth and without triangles.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, F64, U8

OUTSIDE, VOID, SKY, SOLID = 0, 1, 2, 3
"""What stands at a sample: no picture, nothing (a transparent pixel), the sky, a surface."""
SEEN, INVENTED = 1, 2
_BEHIND = 0.995
"""What stands behind is drawn a little farther off, layer by layer, as in the files."""
_PASSED = 0.05
"""What is nearer to the moved eye than this share of its distance is no longer seen."""


class Lines(NamedTuple):
    """Samples along lines over a layered picture, one pixel apart, (lines, samples) each.

    Attributes:
        kind: uint8, OUTSIDE, VOID, SKY or SOLID.
        inverse: (layers, lines, samples) float32 inverse depth of what is seen, then of what stands behind it in
            order; 0 where a layer has nothing.
        made_up: (layers, lines, samples) bool, made up rather than seen.
        doubt: float32, 1 - confidence.
        first: The place of the first sample, in pixels from where the lines are measured.
        radial: Whether the lines are rays from the principal point, which the eye moves along.
    """

    kind: U8
    inverse: F32
    made_up: NDArray[np.bool_]
    doubt: F32
    first: float
    radial: bool


@inner
def _place(at, inverse, move, radial):
    """Where a sample goes; not finite where the eye has passed it."""
    if not radial:
        return at + move * inverse
    left = 1 - move * inverse
    return at / left if left > _PASSED else np.inf


@inner
def _cut(line, i, edge, steepest):
    """Whether the surface breaks between two samples: a jump that neither side, continued straight on, explains."""
    jump = abs(line[i + 1] - line[i])
    least = line[i] if line[i] < line[i + 1] else line[i + 1]
    if jump > steepest:
        return True
    if jump <= edge * least:
        return False
    signed = line[i + 1] - line[i]
    miss = jump
    if i > 0 and line[i - 1] > 0:
        other = abs(signed - (line[i] - line[i - 1]))
        miss = other if other < miss else miss
    if i + 2 < len(line) and line[i + 2] > 0:
        other = abs(signed - (line[i + 2] - line[i + 1]))
        miss = other if other < miss else miss
    return miss > edge * least


@kernel
def _look(lines, flags, move, limits, seen):
    """See every line from the moved eye; ``seen`` gets the weights of all, invented, missing and doubtful places.

    ``limits`` are the relative jump of a cut, the steepest slope, the inverse depth that doubt is measured from, and
    how many pixels something doubtful must move against that to be wholly doubtful.
    """
    kind, inverse, made_up, doubt = lines
    first, radial = flags
    edge, steepest, pivot, blurred = limits
    layers, count, n = inverse.shape
    depth, what, unsure = np.zeros(n, np.float32), np.zeros(n, np.uint8), np.zeros(n, np.float32)
    for k in range(count):
        depth[:] = 0
        what[:] = 0
        for layer in range(layers):
            line, farther = inverse[layer, k], _BEHIND**layer
            for i in range(n):
                if line[i] <= 0:
                    continue
                here = _place(first + i, line[i], move, radial) - first
                linked = i + 1 < n and line[i + 1] > 0 and (layer > 0 or not _cut(line, i, edge, steepest))
                there = _place(first + i + 1, line[i + 1], move, radial) - first if linked else here
                if not (np.isfinite(here) and np.isfinite(there)):
                    continue
                low, high = (here, there) if here < there else (there, here)
                start, stop = int(np.ceil(low - 0.5)), int(np.floor(high + 0.5))
                for x in range(max(0, start), min(n - 1, stop) + 1):
                    t = (x - here) / (there - here) if there != here else 0.0
                    t = 0.0 if t < 0 else (1.0 if t > 1 else t)
                    d = line[i] + t * (line[i + 1] - line[i]) if linked else line[i]
                    d *= farther
                    if d <= depth[x]:
                        continue
                    depth[x] = d
                    nearer = i + 1 if linked and t > 0.5 else i
                    what[x] = INVENTED if made_up[layer, k, nearer] else SEEN
                    shift = abs(_place(first + x, d, move, radial) - _place(first + x, pivot, move, radial))
                    unsure[x] = doubt[k, nearer] * min(1.0, shift / blurred)
        _count(kind[k], what, unsure, first if radial else -1.0, seen)


@inner
def _count(kind, what, unsure, first, seen):
    """Add up one line, between the ends of what is known there; ``first`` >= 0 weighs rays by how far out they are.

    What is drawn outside of the picture has left the view. Where nothing is drawn the sky is seen, which no move
    displaces; beside it, on the same gap, the sky goes on, made up. Beside what is void nothing is missing.
    """
    n = len(kind)
    start, stop = 0, n
    while start < n and what[start] == 0 and kind[start] != SKY:
        start += 1
    while stop > start and what[stop - 1] == 0 and kind[stop - 1] != SKY:
        stop -= 1
    end, beside = start, OUTSIDE
    for x in range(start, stop):
        if what[x] == 0 and x >= end:
            end, beside = x, OUTSIDE
            while end < stop and what[end] == 0:
                beside = max(beside, kind[end] if kind[end] != SOLID else OUTSIDE)
                end += 1
        if kind[x] == OUTSIDE or (what[x] == 0 and kind[x] != SKY and beside == VOID):
            continue
        weight = first + x if first >= 0 else 1.0
        seen[0] += weight
        if what[x] == SEEN:
            seen[3] += weight * unsure[x]
        elif what[x] == INVENTED or (kind[x] != SKY and beside == SKY):
            seen[1] += weight
        elif kind[x] != SKY:
            seen[2] += weight


def uncovered(lines: Lines, move: float, edge: float, steepest: float, pivot: float, blurred: float) -> F64:
    """See lines from a moved eye.

    Args:
        lines: What stands along them.
        move: How far things move per inverse depth: focal length times metres along parallel lines (positive: towards
            higher samples), metres forward along rays.
        edge: Relative jump of depth, beyond what either side's slope explains, from which a surface is cut.
        steepest: Jump of inverse depth from sample to sample that is always a cut.
        pivot: Inverse depth against which doubtful things move.
        blurred: Something of confidence 0 counts whole once it has moved so many pixels against that depth.

    Returns:
        (3,) the shares of what is seen that are made up, missing and doubtful.
    """
    seen = np.zeros(4)
    limits = (np.float64(edge), np.float64(steepest), np.float64(pivot), np.float64(blurred))
    arrays = (lines.kind, lines.inverse, lines.made_up, lines.doubt)
    _look(arrays, (np.float64(lines.first), lines.radial), np.float64(move), limits, seen)
    return seen[1:] / max(seen[0], 1e-9)
