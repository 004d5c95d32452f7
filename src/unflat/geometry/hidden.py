"""Where surfaces go on behind nearer ones, and how their seen parts are told from the seam between the two.

Depths are inverse depths throughout; larger is nearer.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.edges import CUT_DOWN, CUT_RIGHT
from unflat.geometry.jit import kernel
from unflat.types.arrays import F32, U8, Bool

MARGIN = 2
"""The hidden surface goes on this many pixels farther than the reach needs."""
ROUGHLY, CLOSELY = 1.1, 1.02
"""A pixel belongs to a surface if its inverse depth is at most so many times the surface's: one that hides nothing, and
one that itself hides something, which must not be taken for what it hides."""
BEHIND = 0.97
"""What is hidden has at most this share of the inverse depth of what hides it."""


class _Ground(NamedTuple):
    """What the kernels work on.

    Attributes:
        inverse: (h, w) inverse depth of what is seen.
        on: (h, w), where there is a surface.
        back: (h, w) inverse depth of what is behind, 0 where nothing is (yet).
        left: (h, w) how many pixels farther the eye can look, past the outline that allows most.
        origin: (h·w,) the near pixel of that outline.
        waiting: (h, w), pixels in the queue.
    """

    inverse: F32
    on: Bool
    back: F32
    left: F32
    origin: NDArray[np.int64]
    waiting: Bool


@kernel
def _seed(ground, cuts, queue):
    """Let the near pixel of every cut know the farther surface behind it; returns how many there are."""
    inverse, on, back = ground.inverse, ground.on, ground.back
    h, w = inverse.shape
    n = 0
    for y in range(h):
        for x in range(w):
            for k in range(2):
                v, u = y + k, x + 1 - k
                if v >= h or u >= w or not cuts[y, x] & (1 + k) or not on[y, x] or not on[v, u]:
                    continue
                nearer = inverse[y, x] > inverse[v, u]
                ny, nx, fy, fx = (y, x, v, u) if nearer else (v, u, y, x)
                if back[ny, nx] == 0:
                    queue[n] = ny * w + nx
                    n += 1
                back[ny, nx] = max(back[ny, nx], inverse[fy, fx])
    return n


@kernel
def _cover(ground, n, reach, queue):
    """Find everywhere how many pixels farther the eye can look past the outline that allows most.

    An outline of inverse depth a before a surface of inverse depth b lets the eye look reach · (a - b) pixels behind
    it, and what covers a place must itself move out of the way as far. A pixel is visited again when another outline
    reaches farther.
    """
    inverse, back, left = ground.inverse, ground.back, ground.left
    origin, waiting = ground.origin, ground.waiting
    h, w = inverse.shape
    for i in range(n):
        y, x = queue[i] // w, queue[i] % w
        left[y, x] = reach * (inverse[y, x] - back[y, x]) + np.float32(MARGIN)
        origin[queue[i]] = queue[i]
        waiting[y, x] = True
    first, count = 0, n
    while count:
        at = queue[first]
        first = first + 1 if first + 1 < len(queue) else 0
        count -= 1
        y, x = at // w, at % w
        waiting[y, x] = False
        sy, sx = origin[at] // w, origin[at] % w
        whole = reach * (inverse[sy, sx] - back[sy, sx]) + np.float32(MARGIN)
        for k in range(9):
            v, u = y + k // 3 - 1, x + k % 3 - 1
            if v < 0 or u < 0 or v >= h or u >= w or not ground.on[v, u]:
                continue
            if back[sy, sx] >= np.float32(BEHIND) * inverse[v, u]:
                continue
            here = reach * (inverse[v, u] - back[sy, sx]) + np.float32(MARGIN)
            rest = (whole if whole < here else here) - np.sqrt(np.float32((v - sy) ** 2 + (u - sx) ** 2))
            if rest <= 0 or rest <= left[v, u] + np.float32(0.5):
                continue
            left[v, u] = rest
            origin[v * w + u] = origin[at]
            if not waiting[v, u]:
                waiting[v, u] = True
                last = first + count
                queue[last if last < len(queue) else last - len(queue)] = v * w + u
                count += 1


@kernel
def _grow(ground, n, queue):
    """Carry what lies behind the seeds on, ring by ring, over all pixels that the eye can look behind."""
    inverse, back = ground.inverse, ground.back
    h, w = inverse.shape
    i = 0
    while i < n:
        y, x = queue[i] // w, queue[i] % w
        i += 1
        value = back[y, x]
        for k in range(9):
            v, u = y + k // 3 - 1, x + k % 3 - 1
            if v < 0 or u < 0 or v >= h or u >= w or back[v, u] > 0:
                continue
            if ground.left[v, u] <= 0 or not ground.on[v, u]:
                continue
            if value >= np.float32(BEHIND) * inverse[v, u]:
                continue
            back[v, u] = value
            queue[n] = v * w + u
            n += 1


def grow_behind(inverse: F32, on: Bool, cuts: U8, reach: float) -> F32:
    """Carry the farther surface of every outline on behind the nearer one.

    Args:
        inverse: (h, w) inverse depth, 0 where ``on`` is False.
        on: (h, w), where there is a surface.
        cuts: (h, w) bits of :func:`unflat.geometry.edges.find_cuts`.
        reach: By how many pixels a point of inverse depth 1 moves when the eye moves as far as it may.

    Returns:
        (h, w) inverse depth of the surface behind, as deep as at the outline it continues; 0 where the eye never looks.
    """
    queue, origin = np.empty(inverse.size, np.int64), np.zeros(inverse.size, np.int64)
    ground = _Ground(inverse, on, np.zeros_like(inverse), np.zeros_like(inverse), origin, np.zeros(on.shape, np.bool_))
    n = _seed(ground, cuts, queue)
    seeds = queue[:n].copy()
    _cover(ground, n, np.float32(reach), queue)
    queue[:n] = seeds
    _grow(ground, n, queue)
    return ground.back


class Seam(NamedTuple):
    """The pixels along the outlines.

    Attributes:
        near: (h, w) bool, the last pixels of nearer surfaces.
        mixed: (h, w) bool, the first pixels of the farther surfaces, which the picture shows mixed with the nearer.
    """

    near: Bool
    mixed: Bool


def seam(inverse: F32, on: Bool, cuts: U8, width: int, edge: float) -> Seam:
    """Find the pixels along the outlines.

    Args:
        inverse: (h, w) inverse depth.
        on: (h, w), where there is a surface.
        cuts: (h, w) bits of :func:`unflat.geometry.edges.find_cuts`.
        width: How many pixels of the farther surface are mixed.
        edge: Relative jump of inverse depth between two surfaces.
    """
    near = np.zeros(on.shape, np.bool_)
    for bit, here, there in (
        (CUT_RIGHT, np.s_[:, :-1], np.s_[:, 1:]),
        (CUT_DOWN, np.s_[:-1], np.s_[1:]),
    ):
        cut = (cuts[here] & bit > 0) & on[here] & on[there]
        near[here] |= cut & (inverse[here] > inverse[there])
        near[there] |= cut & (inverse[there] > inverse[here])
    window = np.ones((2 * width + 1,) * 2, np.uint8)
    nearest = np.asarray(cv2.dilate(np.where(near, inverse, np.float32(0)), window))
    return Seam(near, on & ~near & (nearest > inverse * np.float32(1 + edge)))


def nothing_nearer(nothing: Bool, seen: Seam) -> Bool:
    """The places that are nearer to where there is nothing at all than to any outline that something goes on behind.

    Behind a rod that stands out over a board there is board as far down as the board is nearest, and nothing where the
    picture shows nothing on both sides of the rod.

    Args:
        nothing: (h, w), where the picture is known to show nothing.
        seen: The pixels along the outlines.
    """
    if not nothing.any() or not seen.near.any():
        return np.zeros_like(nothing)
    to_nothing, to_outline = (
        np.asarray(cv2.distanceTransform(1 - there.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
        for there in (nothing, seen.near)
    )
    return to_nothing < to_outline


def clean_ring(inverse: F32, on: Bool, behind: F32, around: Bool, seen: Seam, width: int) -> Bool:
    """The seen pixels beside ``around`` that belong to the surfaces behind: what they look like feeds what is hidden.

    A pixel that covers something itself is one of them too, beside a still nearer surface that its own goes on behind.

    Args:
        inverse: (h, w) inverse depth.
        on: (h, w), where there is a surface.
        behind: (h, w) inverse depth of what is behind, 0 where nothing is.
        around: (h, w), the pixels to be filled.
        seen: The pixels along the outlines.
        width: Of the ring in pixels.
    """
    window = np.ones((2 * width + 1,) * 2, np.uint8)
    beside = np.asarray(cv2.dilate(around.astype(np.uint8), window)) > 0
    deepest = np.asarray(cv2.dilate(behind, window))
    alike = inverse <= np.where(around, np.float32(CLOSELY), np.float32(ROUGHLY)) * deepest
    return beside & alike & ~seen.mixed & ~seen.near & on
