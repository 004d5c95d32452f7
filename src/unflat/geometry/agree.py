"""Many views from one place brought to one distance: where two of them see the same, they must say the same.

Each view's logarithm of distance may be moved by a smooth field, bilinear over a few knots. All fields are found
together: robust least squares over directions that several views see, with stiff springs between neighbouring knots
(the deformable alignment of Rey-Area, Yuan and Richardt, "360MonoDepth", CVPR 2022, in the logarithm, where the unknown
factor of each view is a shift). Nothing is lost in a seam, for the fields meet there; nothing is bent that need not be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F32, F64, Bool

KNOTS = 4
"""Knots along each side of a view."""
STIFF = 0.03
"""Weight of the springs between neighbouring knots, beside the mean weight of what two views say of one direction."""
SCATTER = 0.15
"""Disagreements in the logarithm beyond this count less and less (Cauchy)."""
ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What n directions look like in one view.

    Attributes:
        seen: (n,) bool, the view sees them.
        x: (n,) place across the view, 0 at its left edge, 1 at its right one.
        y: (n,) place down the view.
        log: (n,) logarithm of distance.
        weight: (n,) >= 0, how much it is believed.
    """

    seen: Bool
    x: F32
    y: F32
    log: F32
    weight: F32


def agreed(sightings: list[Sighting], knots: int = KNOTS) -> F64:
    """Find the fields that make the views agree.

    Args:
        sightings: The same directions as each view sees them.
        knots: Along each side; 1 moves each view as a whole.

    Returns:
        (views, knots, knots) what to add to the logarithm of each view's distance. Its mean is 0: the overall size
        stays as unknown as it was.
    """
    per_view = knots * knots
    places = [_hat(one, knots) for one in sightings]
    rows: list[tuple[NDArray[np.int64], F64, F64, F64]] = []
    for i, first in enumerate(sightings):
        for j in range(i + 1, len(sightings)):
            second = sightings[j]
            both = np.flatnonzero(first.seen & second.seen & (first.weight > 0) & (second.weight > 0))
            if not len(both):
                continue
            at = np.concatenate([places[i][0][both] + i * per_view, places[j][0][both] + j * per_view], axis=1)
            factor = np.concatenate([places[i][1][both], -places[j][1][both]], axis=1)
            apart = (second.log[both] - first.log[both]).astype(np.float64)
            rows.append((at, factor, apart, np.sqrt(first.weight[both].astype(np.float64) * second.weight[both])))
    count = len(sightings) * per_view
    if not rows:
        return np.zeros((len(sightings), knots, knots))
    at, factor, apart, weight = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    springs = _springs(len(sightings), knots) * (STIFF * weight.sum() / len(sightings))
    springs += np.full((count, count), 1e-3 * weight.sum() / count**2)  # the mean of all is held at 0
    springs += np.eye(count) * (1e-9 * weight.sum())  # a view that shares nothing stays where it is
    solution = np.zeros(count)
    for _ in range(ROUNDS):
        left = (factor * solution[at]).sum(axis=1) - apart
        solution = _solved(at, factor, apart, weight / (1 + (left / SCATTER) ** 2), springs)
    return solution.reshape(len(sightings), knots, knots)


def _solved(at: NDArray[np.int64], factor: F64, apart: F64, weight: F64, springs: F64) -> F64:
    """The normal equations of one round."""
    count = len(springs)
    index = (at[:, :, None] * count + at[:, None, :]).reshape(-1)
    squares = (factor[:, :, None] * factor[:, None, :] * weight[:, None, None]).reshape(-1)
    matrix = np.bincount(index, squares, count * count).reshape(count, count) + springs
    right = np.bincount(at.reshape(-1), (factor * (weight * apart)[:, None]).reshape(-1), count)
    return np.linalg.solve(matrix, right).astype(np.float64)


def _hat(one: Sighting, knots: int) -> tuple[NDArray[np.int64], F64]:
    """The (n, 4) knots around each direction, and the share of each."""
    if knots == 1:
        return np.zeros((len(one.x), 1), np.int64), np.ones((len(one.x), 1))
    x, y = (np.clip(place.astype(np.float64), 0, 1) * (knots - 1) for place in (one.x, one.y))
    column, row = (np.minimum(place.astype(np.int64), knots - 2) for place in (x, y))
    right, down = x - column, y - row
    first = row * knots + column
    at = np.stack([first, first + 1, first + knots, first + knots + 1], axis=1)
    share = np.stack([(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down], axis=1)
    return at, share


def _springs(views: int, knots: int) -> F64:
    """The sum of squared differences of neighbouring knots as a matrix, the same for each view."""
    one = np.zeros((knots * knots,) * 2)
    number = np.arange(knots * knots).reshape(knots, knots)
    for a, b in ((number[:, :-1], number[:, 1:]), (number[:-1], number[1:])):
        for p, q in zip(a.ravel(), b.ravel(), strict=True):
            one[p, p] += 1
            one[q, q] += 1
            one[p, q] -= 1
            one[q, p] -= 1
    return np.kron(np.eye(views), one).astype(np.float64)
