"""Matches of two pictures each, joined to places that many pictures see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unflat.models.views.match import Match


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Who sees which place; rows ascend in place, then in picture.

    Attributes:
        place: (m,) int64, 0 … count - 1; two rows of it or more each.
        picture: (m,) int64.
        feature: (m,) int64, of the picture.
        count: How many places there are.
    """

    place: np.ndarray
    picture: np.ndarray
    feature: np.ndarray
    count: int


def sightings_of(lengths: Sequence[int], matches: Sequence[Match]) -> Sightings:
    """Join matches that share a feature, the pairs that agree in most first.

    Two places that one picture sees apart are two, whatever a match says: it is left out.

    Args:
        lengths: How many features each picture has.
        matches: Between them.
    """
    start = np.cumsum([0, *lengths])
    parent = list(range(int(start[-1])))
    seers: dict[int, set[int]] = {}

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for match in sorted(matches, key=lambda one: (-len(one.rows), one.first, one.second)):
        pairs = (match.rows + start[[match.first, match.second]]).tolist()
        for one, other in pairs:
            a, b = root(one), root(other)
            if a == b:
                continue
            of_a, of_b = seers.setdefault(a, {match.first}), seers.setdefault(b, {match.second})
            if not of_a.isdisjoint(of_b):
                continue
            if len(of_a) < len(of_b):
                a, b, of_a, of_b = b, a, of_b, of_a
            parent[b] = a
            of_a |= of_b
            del seers[b]
    used = np.array(sorted(node for node in {n for n in range(len(parent)) if parent[n] != n} | set(seers)), np.int64)
    roots = np.array([root(int(node)) for node in used], np.int64)
    names, place, sizes = np.unique(roots, return_inverse=True, return_counts=True)
    kept = sizes[place] > 1
    used, place = used[kept], place[kept]
    number = np.cumsum(sizes > 1) - 1
    place = number[place]
    order = np.lexsort((used, place))
    used, place = used[order], place[order]
    picture = np.searchsorted(start, used, side="right") - 1
    return Sightings(place, picture, used - start[picture], int((sizes > 1).sum()) if len(names) else 0)
