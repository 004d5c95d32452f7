"""Borders between pictures made invisible: they fade into each other, and their colours are levelled before.

Around a border each picture's colours are shifted, smoothly over all that is painted from it, until both sides agree
(Waechter, Moehrle and Goesele, 2014, global seam levelling); away from borders the shift tends to what all pictures
that show the place agree on.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import kernel
from unflat.geometry.seen_faces import Sightings
from unflat.types.arrays import F32, F64, U32

SMOOTH = 4.0
"""How much neighbouring vertices count that are shifted differently, against two sides of a border that disagree."""
COMMON = 0.02
"""How much it counts that a shift is not the one that brings the picture to what all agree on."""
_ROUNDS = 120
_MOST = 60.0

Ints = NDArray[np.int32]


class Zones(NamedTuple):
    """Where each picture is painted: vertices with what they take from it. Sorted by picture, then vertex.

    Attributes:
        first: (v + 1,) int64, where the entries of each picture begin.
        vertex: (z,) int64.
        share: (z,) float32 in 0..1; the shares of a vertex add up to 1.
    """

    first: NDArray[np.int64]
    vertex: NDArray[np.int64]
    share: F32


def zones_of(faces: U32, label: Ints, count: int, vertices: int, rings: int) -> Zones:
    """Let pictures fade into each other over some rings of faces on either side of their borders.

    Args:
        faces: (m, 3).
        label: (m,) the picture of each face; -1 for none.
        count: Of the pictures.
        vertices: How many there are.
        rings: How wide borders become.
    """
    painted = faces[label >= 0].astype(np.int64)
    around = np.bincount(painted.ravel(), minlength=vertices).astype(np.float64)
    first, vertex, share = [0], list[NDArray[np.int64]](), list[F32]()
    for number in range(count):
        own = faces[label == number].astype(np.int64).ravel()
        value = np.bincount(own, minlength=vertices) / np.maximum(around, 1)
        for _ in range(rings):
            near = painted[(value[painted] > 0).any(axis=1)]
            mean = np.repeat(value[near].mean(axis=1), 3)
            value = np.bincount(near.ravel(), mean, vertices) / np.maximum(around, 1)
        at = np.flatnonzero(value > 1e-3)
        first.append(first[-1] + len(at))
        vertex.append(at)
        share.append(value[at].astype(np.float32))
    return Zones(np.array(first), np.concatenate(vertex), np.concatenate(share))


@kernel
def _differences(faces, view, colour, common, here, sums):
    """For each entry of a zone: sums over the faces around of what all agree on less its own colour, and their count.

    ``here`` is the entry of each vertex for one picture, -1 where it has none.
    """
    number = here[1]
    entry = here[0]
    for f in range(len(faces)):
        k = -1
        for j in range(view.shape[1]):
            if view[f, j] == number:
                k = j
        if k < 0:
            continue
        for corner in range(3):
            at = entry[faces[f, corner]]
            if at < 0:
                continue
            for c in range(3):
                sums[at, c] += common[f, c] - colour[f, k, c]
            sums[at, 3] += 1


def agreed(sightings: Sightings, colour: F32, suspect: F32) -> F32:
    """(m, 3) the colour that the pictures of each face agree on; NaN where none shows it."""
    weight = sightings.worth * (1 - 0.999 * suspect) * (sightings.view >= 0)
    total = weight.sum(axis=1)
    mean = (colour * weight[..., None]).sum(axis=1) / np.maximum(total, 1e-20)[:, None]
    return np.where(total[:, None] > 0, mean, np.nan).astype(np.float32)


def shifts_of(faces: U32, sightings: Sightings, colour: F32, common: F32, zones: Zones) -> F32:
    """(z, 3) what is added to each picture's colours at the vertices of its zone.

    Args:
        faces: (m, 3).
        sightings: Of all faces.
        colour: (m, k, 3) their colours.
        common: (m, 3) what they agree on.
        zones: Where each picture is painted.
    """
    total = len(zones.vertex)
    vertices = int(faces.max()) + 1
    sums = np.zeros((total, 4), np.float64)
    smooth: list[NDArray[np.int64]] = []
    links = np.unique(np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1), axis=0)
    for number in range(len(zones.first) - 1):
        start, stop = zones.first[number], zones.first[number + 1]
        if start == stop:
            continue
        entry = np.full(vertices, -1, np.int64)
        entry[zones.vertex[start:stop]] = np.arange(start, stop)
        _differences(faces, sightings.view, colour, common, (entry, np.int16(number)), sums)
        both = entry[links]
        smooth.append(both[(both >= 0).all(axis=1)])
    told = sums[:, 3] > 0
    wanted = np.where(told[:, None], sums[:, :3] / np.maximum(sums[:, 3:], 1), 0)
    pairs, differ = _borders(zones, told, wanted)
    return _solved(np.concatenate(smooth), pairs, differ, wanted, told)


def _borders(zones: Zones, told: NDArray[np.bool_], wanted: F64) -> tuple[NDArray[np.int64], F64]:
    """Pairs of entries of the same vertex, and how their shifts must differ for their colours to agree."""
    order = np.argsort(zones.vertex, kind="stable")
    order = order[told[order]]
    pairs: list[NDArray[np.int64]] = []
    for apart in (1, 2):
        same = zones.vertex[order[:-apart]] == zones.vertex[order[apart:]]
        pairs.append(np.stack([order[:-apart][same], order[apart:][same]], axis=1))
    every = np.concatenate(pairs)
    return every, wanted[every[:, 0]] - wanted[every[:, 1]]


@kernel
def _times(x, ends, weight, hold, out):
    """The matrix of the normal equations times x."""
    for i in range(len(x)):
        for c in range(3):
            out[i, c] = hold[i] * x[i, c]
    for e in range(len(ends)):
        a, b = ends[e, 0], ends[e, 1]
        for c in range(3):
            d = weight[e] * (x[a, c] - x[b, c])
            out[a, c] += d
            out[b, c] -= d


def _solved(
    smooth: NDArray[np.int64], pairs: NDArray[np.int64], differ: F64, wanted: F64, told: NDArray[np.bool_]
) -> F32:
    """Least squares by conjugate gradients."""
    ends = np.concatenate([smooth, pairs])
    weight = np.concatenate([np.full(len(smooth), SMOOTH), np.ones(len(pairs))])
    hold = np.where(told, COMMON, 1e-6)
    right = hold[:, None] * wanted
    np.add.at(right, pairs[:, 0], differ)
    np.subtract.at(right, pairs[:, 1], differ)
    over = hold + np.bincount(ends.ravel(), np.repeat(weight, 2), len(hold))
    x = np.zeros_like(wanted)
    left = right.copy()
    ready = left / over[:, None]
    way, image, energy = ready.copy(), np.empty_like(x), (left * ready).sum(axis=0)
    start = np.maximum(energy, 1e-12)
    for _ in range(_ROUNDS):
        _times(way, ends, weight, hold, image)
        step = energy / np.maximum((way * image).sum(axis=0), 1e-30)
        x += step * way
        left -= step * image
        ready = left / over[:, None]
        new = (left * ready).sum(axis=0)
        if (new < 1e-6 * start).all():
            break
        way = ready + new / np.maximum(energy, 1e-30) * way
        energy = new
    return np.clip(x, -_MOST, _MOST).astype(np.float32)


@kernel
def _reach(first, near, value, known, queue):
    """From vertex to vertex away from the known ones: each begins as the mean of those reached before, then relaxes."""
    end = 0
    for v in range(len(known)):
        if known[v]:
            queue[end] = v
            end += 1
    fixed, begin = end, 0
    while begin < end:
        v = queue[begin]
        begin += 1
        for i in range(first[v], first[v + 1]):
            w = near[i]
            if known[w]:
                continue
            known[w] = True
            queue[end] = w
            end += 1
            for c in range(3):
                value[w, c] = value[v, c]
    for turn in range(40):
        for n in range(fixed, end):
            v = queue[n if turn % 2 == 0 else fixed + end - 1 - n]
            for c in range(3):
                total = 0.0
                for i in range(first[v], first[v + 1]):
                    total += value[near[i], c]
                value[v, c] = total / (first[v + 1] - first[v])


def vertex_colours(faces: U32, common: F32, own: F32 | None, vertices: int) -> tuple[F32, NDArray[np.bool_]]:
    """(n, 3) colours 0..255 of the vertices: what pictures agree on, else their own, else continued from neighbours.

    Args:
        faces: (m, 3).
        common: (m, 3), NaN where no picture shows a face.
        own: (n, 3) colours that the surface brings with it, or None.
        vertices: How many there are.

    Returns:
        The colours, and (n,) which vertices a picture shows.
    """
    told = np.isfinite(common[:, 0])
    corners = faces[told].astype(np.int64).ravel()
    count = np.bincount(corners, minlength=vertices)
    sums = [np.bincount(corners, np.repeat(common[told, c], 3), vertices) for c in range(3)]
    value = np.stack(sums, axis=1) / np.maximum(count, 1)[:, None]
    seen = count > 0
    if own is not None:
        return np.where(seen[:, None], value, own).astype(np.float32), seen
    value[~seen] = common[told].mean(axis=0)
    ends = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2).astype(np.int64)
    ends = np.concatenate([ends, ends[:, ::-1]])
    order = np.argsort(ends[:, 0], kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=vertices))])
    _reach(first, ends[order, 1], value, seen.copy(), np.empty(vertices, np.int64))
    return value.astype(np.float32), seen
