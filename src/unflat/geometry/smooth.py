"""Steps of the voxels taken out of a closed surface, its volume kept.

Windowed sinc: Taubin, Zhang and Golub, "Optimal surface smoothing as filter design" (ECCV 1996). The places of the
vertices are a signal on the surface, of which the slow part is kept; a Chebyshev series with a Hamming window makes
the filter, one round a term. No vertex leaves the voxel edge it came from by more than it is allowed to, so sheets
that lie apart stay apart. At last all move along their normals by the little that the volume has lost.
"""

# pyright: standard

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import kernel
from unflat.geometry.normals import vertex_normals
from unflat.types.arrays import F32, F64, U32

_TURNS = 12
"""So often, at most, the volume is brought back: each turn leaves a share of what was missing, large in thin parts."""


class _Links(NamedTuple):
    """The neighbours of every vertex: ``others[first[v] : first[v + 1]]``."""

    first: NDArray[np.int64]
    others: NDArray[np.uint32]


@kernel
def _degrees(faces, counts):
    for f in range(len(faces)):
        for c in range(3):
            counts[faces[f, c]] += 1


@kernel
def _link(faces, cursor, others):
    """In a closed surface every neighbour is the next corner of exactly one face."""
    for f in range(len(faces)):
        for c in range(3):
            a = faces[f, c]
            others[cursor[a]] = faces[f, (c + 1) % 3]
            cursor[a] += 1


@kernel
def _advance(links, signals, scale, weight, start, stop):
    """One term of the series: out = scale · (now + mean of neighbours) / 2 - (scale - 1) · before; adds to the total.

    ``scale`` 1 begins the series, 2 goes on with it.
    """
    first, others = links
    now, before, out, total = signals
    for v in range(start, stop):
        a, b = first[v], first[v + 1]
        share = np.float32(0.5 / max(b - a, 1))
        x, y, z = np.float32(0), np.float32(0), np.float32(0)
        for k in range(a, b):
            o = others[k]
            x += now[o, 0]
            y += now[o, 1]
            z += now[o, 2]
        half = np.float32(0.5) if b > a else np.float32(1)
        for c in range(3):
            mean = share * (x if c == 0 else y if c == 1 else z) + half * now[v, c]
            value = scale * mean - (scale - np.float32(1)) * before[v, c]
            out[v, c] = value
            total[v, c] += weight * value


@kernel
def _held(points, home, back, reach, start, stop):
    """Bring points back that are farther from home than allowed along any axis of the voxels."""
    for v in range(start, stop):
        x, y, z = points[v, 0] - home[v, 0], points[v, 1] - home[v, 1], points[v, 2] - home[v, 2]
        farthest = 0.0
        for c in range(3):
            farthest = max(farthest, abs(back[c, 0] * x + back[c, 1] * y + back[c, 2] * z))
        if farthest > reach:
            share = np.float32(reach / farthest)
            points[v, 0], points[v, 1], points[v, 2] = (
                home[v, 0] + share * x,
                home[v, 1] + share * y,
                home[v, 2] + share * z,
            )


def weights_of(rounds: int, band: float) -> F64:
    """The series of a low pass filter: (rounds + 1,) weights whose sum is 1, so that what is flat stays in place.

    Args:
        rounds: The order of the series.
        band: Where the filter ends, 0..2: the eigenvalue of the Laplacian (neighbours' mean) that is let through.
    """
    n = np.arange(1, rounds + 1)
    edge = math.acos(1 - band / 2)
    window = 0.54 + 0.46 * np.cos(np.pi * n / (rounds + 1))
    weights = np.concatenate([[edge / np.pi], 2 * window * np.sin(n * edge) / (n * np.pi)])
    return weights / weights.sum()


def smoothed(vertices: F32, faces: U32, rounds: int, band: float, voxel_from_unit: F64, reach: float) -> F32:
    """Let only the slow part of a closed surface through.

    Args:
        vertices: (n, 3).
        faces: (m, 3), closed.
        rounds: Of the filter; 0 changes nothing.
        band: Where it ends, 0..2; less is smoother.
        voxel_from_unit: (3, 3), steps of the vertices' unit in voxels.
        reach: Voxels along any axis that no vertex may move farther than.

    Returns:
        (n, 3), whose volume may have changed a little.
    """
    if not rounds or not len(faces):
        return vertices
    count = len(vertices)
    degrees = np.zeros(count + 1, np.int64)
    _degrees(faces, degrees[1:])
    first = np.cumsum(degrees)
    links = _Links(first, np.empty(3 * len(faces), np.uint32))
    _link(faces, first[:-1].copy(), links.others)
    middle = vertices.mean(axis=0, dtype=np.float64).astype(np.float32)
    weights = weights_of(rounds, band).astype(np.float32)
    now, before, out = vertices - middle, np.zeros_like(vertices), np.empty_like(vertices)
    total = weights[0] * now
    for n in range(1, rounds + 1):
        scale = np.float32(1 if n == 1 else 2)
        given = (links.first, links.others), (now, before, out, total), scale, weights[n]
        in_bands(lambda a, b, given=given: _advance(*given, a, b), count)
        before, now, out = now, out, before
    total += middle
    in_bands(lambda a, b: _held(total, vertices, voxel_from_unit, reach, a, b), count)
    return total


@kernel
def _measure(vertices, faces, middle):
    """Volume and area of a closed surface."""
    volume, area = 0.0, 0.0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        px, py, pz = vertices[a, 0] - middle[0], vertices[a, 1] - middle[1], vertices[a, 2] - middle[2]
        ux, uy, uz = vertices[b, 0] - middle[0] - px, vertices[b, 1] - middle[1] - py, vertices[b, 2] - middle[2] - pz
        vx, vy, vz = vertices[c, 0] - middle[0] - px, vertices[c, 1] - middle[1] - py, vertices[c, 2] - middle[2] - pz
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        volume += px * x + py * y + pz * z
        area += math.sqrt(x * x + y * y + z * z)
    return volume / 6, area / 2


def volume_and_area(vertices: F32, faces: U32) -> tuple[float, float]:
    """What a closed surface encloses (positive if its faces look outwards), and its area, in the vertices' unit."""
    if not len(faces):
        return 0.0, 0.0
    middle = vertices.mean(axis=0, dtype=np.float64)
    volume, area = _measure(vertices, faces, middle)
    return float(volume), float(area)


def with_volume(vertices: F32, faces: U32, wanted: float, most: float) -> F32:
    """Move a closed surface along its normals until it encloses what is wanted.

    Args:
        vertices: (n, 3).
        faces: (m, 3), closed.
        wanted: Volume in the vertices' unit, cubed.
        most: Never farther than this in all; what is then missing stays missing.
    """
    moved = vertices
    for _ in range(_TURNS):
        volume, area = volume_and_area(moved, faces)
        step = (wanted - volume) / max(area, 1e-30)
        if abs(step) < 1e-6 * most:
            break
        room = most - float(np.abs(moved - vertices).max(initial=0))
        moved = (moved + np.float32(np.clip(step, -room, room)) * vertex_normals(moved, faces)).astype(np.float32)
    return moved
