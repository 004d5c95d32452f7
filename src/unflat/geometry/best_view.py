"""From which picture each face is painted: well seen, and the same as its neighbours where that costs little.

The choice is a labelling in the sense of Lempitsky and Ivanov, "Seamless mosaicing of image-based texture maps" (2007);
it is found by messages between neighbours, passed in the order of the faces and back (Kolmogorov, "Convergent
tree-reweighted message passing for energy minimization", 2006).
"""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel
from unflat.geometry.seen_faces import Sightings
from unflat.types.arrays import F32

ROUNDS = 12
"""Messages are passed forth and back so often."""
BORDER = 0.35
"""What a border between two pictures costs along an edge of average length; the worst picture of a face costs 1."""
_NEVER = np.float32(1e6)

Ints = NDArray[np.int32]


@inner
def _sum(cost, message, f, k):
    """What a picture costs a face, by itself and its neighbours."""
    return cost[f, k] + message[f, 0, k] + message[f, 1, k] + message[f, 2, k]


@inner
def _send(f, e, scale, state):
    """Tell the neighbour across edge ``e`` what each of its pictures would cost this face."""
    view, cost, links, toll, message = state
    g, kept = links[f, e], cost.shape[1]
    back = 0
    while links[g, back] != f:
        back += 1
    least = _NEVER
    for k in range(kept):
        if view[f, k] >= 0:
            least = min(least, scale * _sum(cost, message, f, k) - message[f, e, k])
    low = _NEVER
    for j in range(kept):
        if view[g, j] < 0:
            continue
        told = least + toll[f, e]
        for k in range(kept):
            if view[f, k] == view[g, j]:
                told = min(told, scale * _sum(cost, message, f, k) - message[f, e, k])
        message[g, back, j] = told
        low = min(low, told)
    for j in range(kept):
        if view[g, j] >= 0:
            message[g, back, j] -= low


@kernel
def _pass(view, cost, links, toll, message):
    """One round of messages, along the order of the faces and back."""
    count = len(view)
    for turn in range(2 * count):
        f = turn if turn < count else 2 * count - 1 - turn
        before, after = 0, 0
        for e in range(3):
            if links[f, e] >= 0:
                before += links[f, e] < f
                after += links[f, e] > f
        scale = np.float32(1 / max(before, after, 1))
        for e in range(3):
            g = links[f, e]
            if g >= 0 and (g > f) == (turn < count):
                _send(f, e, scale, (view, cost, links, toll, message))


@kernel
def _decide(view, cost, links, toll, message, chosen):
    """Choose in the order of the faces, those before having chosen; then each again as long as that is cheaper."""
    kept = cost.shape[1]
    for turn in range(6):
        for f in range(len(view)):
            best, least = -1, _NEVER
            for k in range(kept):
                if view[f, k] < 0:
                    continue
                price = cost[f, k]
                for e in range(3):
                    g = links[f, e]
                    if g < 0:
                        continue
                    if turn == 0 and g > f:
                        price += message[f, e, k]
                    elif view[g, chosen[g]] != view[f, k]:
                        price += toll[f, e]
                if price < least:
                    best, least = k, price
            if best >= 0:
                chosen[f] = best


def costs(sightings: Sightings, suspect: F32 | None = None) -> F32:
    """(m, k) what each picture costs: 0 the best of its face, 1 one that shows nothing of it.

    Args:
        sightings: Of all faces.
        suspect: (m, k) 0..1, how sure it is that a picture shows something else there.
    """
    worth = sightings.worth if suspect is None else sightings.worth * (1 - suspect)
    best = np.maximum(worth.max(axis=1, keepdims=True), 1e-12)
    return (1 - np.sqrt(worth / best)).astype(np.float32)


def choose_views(sightings: Sightings, links: Ints, lengths: F32, cost: F32, border: float = BORDER) -> Ints:
    """For each face, which entry of its list it is painted from.

    Args:
        sightings: Of all faces.
        links: (m, 3) faces across the edges, -1 for none.
        lengths: (m, 3) of the edges.
        cost: (m, k) of each entry.
        border: What a border between two pictures costs along an edge of average length.

    Returns:
        (m,) int32, -1 where no picture shows the face.
    """
    seen = sightings.view.max(axis=1) >= 0
    both = (links >= 0) & seen[:, None] & seen[links]
    linked = np.where(both, links, -1).astype(np.int32)
    toll = (border * lengths / max(float(lengths[both].mean()) if both.any() else 1.0, 1e-12)).astype(np.float32)
    message = np.zeros((*links.shape, cost.shape[1]), np.float32)
    for _ in range(ROUNDS):
        _pass(sightings.view, cost, linked, toll, message)
    chosen = np.where(sightings.view >= 0, cost, np.inf).argmin(axis=1).astype(np.int32)
    _decide(sightings.view, cost, linked, toll, message, chosen)
    return np.where(seen, chosen, -1).astype(np.int32)
