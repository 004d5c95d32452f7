"""Triangles into pixels, on the CPU: which triangle each pixel shows, and where on it.

One z-buffer pass finds the nearest triangle of every pixel; what it looks like there is asked afterwards, for seen
pixels only (deferred shading, Deering et al., 1988). Edges belong to both their triangles, so nothing opens between
neighbours. Rows are shared out in bands; the picture does not depend on how many.
"""

# pyright: standard

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import cores
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8, U32
from unflat.types.camera import Camera

NEAREST = 1e-5
"""What is nearer than this share of the farthest corner is cut off."""


class Placed(NamedTuple):
    """Triangles as a camera sees them.

    Attributes:
        corners: (n, 3) float32: x and y in pixels, inverse depth.
        faces: (m, 3) uint32.
        uv: (n, 2) float32, texture coordinates.
        source: (n,) int64, the vertex that each corner is, or was cut from; None: the corners are the vertices.
    """

    corners: F32
    faces: U32
    uv: F32
    source: NDArray[np.int64] | None = None


def placed(vertices: F32, faces: U32, uv: F32, camera: Camera) -> Placed:
    """See triangles with a camera, cut off close before it.

    Args:
        vertices: (n, 3) in the world's axes.
        faces: (m, 3).
        uv: (n, 2).
        camera: Where the eye is.
    """
    camera_from_world = np.linalg.inv(camera.pose.world_from_camera)
    points = vertices @ camera_from_world[:3, :3].T.astype(np.float32) + camera_from_world[:3, 3].astype(np.float32)
    z = points[:, 2]
    near = np.float32(NEAREST) * np.float32(max(float(z.max(initial=0)), 1e-6))
    behind, source = z < near, None
    if behind.any():
        points, faces, uv, source = _cut_off(points, faces, uv, near)
        z = points[:, 2]
    seen = camera.intrinsics
    inverse = (1 / np.maximum(z, near)).astype(np.float32)
    corners = np.empty_like(points)
    corners[:, 0] = np.float32(seen.fx) * points[:, 0] * inverse + np.float32(seen.cx)
    corners[:, 1] = np.float32(seen.fy) * points[:, 1] * inverse + np.float32(seen.cy)
    corners[:, 2] = inverse
    return Placed(corners, faces, uv, source)


def _cut_off(points: F32, faces: U32, uv: F32, near: np.float32) -> tuple[F32, U32, F32, NDArray[np.int64] | None]:
    """Keep what is beyond the plane z = near; triangles that cross it are cut (Sutherland and Hodgman, 1974)."""
    ahead = points[:, 2] >= near
    count = ahead[faces].sum(axis=1)
    whole, crossing = faces[count == 3], faces[(count == 1) | (count == 2)]
    if not len(crossing):
        return points, whole, uv, None
    both = np.concatenate([points, uv], axis=1)
    corners: list[F32] = []
    source = list(range(len(points)))
    triangles: list[tuple[int, int, int]] = []
    first = len(points)
    for face in crossing:
        polygon = []
        for i in range(3):
            a, b = both[face[i]], both[face[(i + 1) % 3]]
            if a[2] >= near:
                polygon.append(a)
                source.append(int(face[i]))
            if (a[2] >= near) != (b[2] >= near):
                polygon.append(a + (near - a[2]) / (b[2] - a[2]) * (b - a))
                source.append(int(face[i] if a[2] >= near else face[(i + 1) % 3]))
        n = first + len(corners)
        corners += polygon
        triangles += [(n, n + i, n + i + 1) for i in range(1, len(polygon) - 1)]
    both = np.concatenate([both, np.array(corners, np.float32)])
    kept = np.concatenate([whole, np.array(triangles, np.uint32)])
    return both[:, :3].copy(), kept, both[:, 3:].copy(), np.array(source, np.int64)


@inner
def _edge(ax, ay, bx, by, px, py):
    """Twice the area of a triangle, in float64: neighbours then agree on which side of their edge a pixel is."""
    x, y = np.float64(ax), np.float64(ay)
    return (bx - x) * (py - y) - (by - y) * (px - x)


@kernel
def _draw(corners, faces, first, rows, face_at, inverse):
    """Draw the triangles over the rows [start, stop), nearest wins; their numbers begin at ``first``."""
    w = face_at.shape[1]
    start, stop = rows
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, bx, by, cx, cy = (
            corners[a, 0],
            corners[a, 1],
            corners[b, 0],
            corners[b, 1],
            corners[c, 0],
            corners[c, 1],
        )
        low, high = min(ay, by, cy), max(ay, by, cy)
        if high < start or low > stop:
            continue
        left, right = min(ax, bx, cx), max(ax, bx, cx)
        if right < 0 or left > w:
            continue
        area = np.float64(_edge(ax, ay, bx, by, np.float64(cx), np.float64(cy)))
        if area == 0:
            continue
        top, bottom = max(start, int(np.ceil(low - 0.5))), min(stop - 1, int(np.floor(high - 0.5)))
        west, east = max(0, int(np.ceil(left - 0.5))), min(w - 1, int(np.floor(right - 0.5)))
        za, zb, zc = corners[a, 2], corners[b, 2], corners[c, 2]
        over = 1 / area
        for y in range(top, bottom + 1):
            py = y + 0.5
            for x in range(west, east + 1):
                px = x + 0.5
                p = _edge(bx, by, cx, cy, px, py) * over
                q = _edge(cx, cy, ax, ay, px, py) * over
                r = 1 - p - q
                if p < -1e-9 or q < -1e-9 or r < -1e-9:
                    continue
                z = np.float32(p * za + q * zb + r * zc)
                if z > inverse[y, x]:
                    inverse[y, x] = z
                    face_at[y, x] = first + f


@inner
def _cubic(t):
    """Weights of four neighbours for a place t (0..1) between the middle two (Catmull and Rom, 1974)."""
    return (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )


@inner
def _sample(texture, u, v, sharp, out):
    """The texture at (u, v), (0, 0) its top left corner, into ``out``: cubic if ``sharp``, else linear."""
    h, w, channels = texture.shape
    x, y = u * w - 0.5, v * h - 0.5
    x0, y0 = np.int64(np.floor(x)), np.int64(np.floor(y))
    a, b, c, d = _cubic(x - x0)
    e, f, g, k = _cubic(y - y0)
    if not sharp:
        a, d, e, k = 0.0, 0.0, 0.0, 0.0
        c, g = x - x0, y - y0
        b, f = 1 - c, 1 - g
    left, right = max(0, min(w - 1, x0)), max(0, min(w - 1, x0 + 1))
    top, low = max(0, min(h - 1, y0)), max(0, min(h - 1, y0 + 1))
    if not sharp:
        for i in range(channels):
            above = b * texture[top, left, i] + c * texture[top, right, i]
            out[i] = f * above + g * (b * texture[low, left, i] + c * texture[low, right, i])
        return
    first, last = max(0, min(w - 1, x0 - 1)), max(0, min(w - 1, x0 + 2))
    for i in range(channels):
        total = 0.0
        for row in range(4):
            r = max(0, min(h - 1, y0 - 1 + row))
            weight = e if row == 0 else (f if row == 1 else (g if row == 2 else k))
            across = a * texture[r, first, i] + b * texture[r, left, i]
            total += weight * (across + c * texture[r, right, i] + d * texture[r, last, i])
        out[i] = total


@inner
def _at(corners, face, px, py):
    """How much each corner of a face counts at a pixel, in perspective."""
    a, b, c = face[0], face[1], face[2]
    ax, ay, bx, by = corners[a, 0], corners[a, 1], corners[b, 0], corners[b, 1]
    cx, cy = np.float64(corners[c, 0]), np.float64(corners[c, 1])
    over = 1 / _edge(ax, ay, bx, by, cx, cy)
    p = _edge(bx, by, cx, cy, px, py) * over
    q = _edge(cx, cy, ax, ay, px, py) * over
    wa, wb, wc = p * corners[a, 2], q * corners[b, 2], (1 - p - q) * corners[c, 2]
    total = wa + wb + wc
    return wa / total, wb / total, wc / total


@kernel
def _shade(mesh, first, rows, face_at, texture, sharp, colour):
    """Write the colours of the pixels that show a mesh; a texture of four channels is laid over what is there."""
    corners, faces, uv = mesh
    w, channels = face_at.shape[1], texture.shape[2]
    found = np.zeros(4, np.float32)
    for y in range(rows[0], rows[1]):
        for x in range(w):
            f = face_at[y, x] - first
            if f < 0 or f >= len(faces):
                continue
            face = faces[f]
            p, q, r = _at(corners, face, x + 0.5, y + 0.5)
            u = p * uv[face[0], 0] + q * uv[face[1], 0] + r * uv[face[2], 0]
            v = p * uv[face[0], 1] + q * uv[face[1], 1] + r * uv[face[2], 1]
            _sample(texture, u, v, sharp, found)
            share = np.float32(1)
            if channels == 4:
                share = found[3] / np.float32(255)
                share = np.float32(0) if share < 0 else (np.float32(1) if share > 1 else share)
            for i in range(3):
                value = np.float32(0) if found[i] < 0 else (np.float32(255) if found[i] > 255 else found[i])
                colour[y, x, i] += share * (value - colour[y, x, i])


@kernel
def _values(mesh, first, rows, face_at, values, out):
    """Write a value of the corners, between them as seen, to the pixels that show a mesh."""
    corners, faces, _ = mesh
    for y in range(rows[0], rows[1]):
        for x in range(face_at.shape[1]):
            f = face_at[y, x] - first
            if f < 0 or f >= len(faces):
                continue
            face = faces[f]
            p, q, r = _at(corners, face, x + 0.5, y + 0.5)
            out[y, x] = p * values[face[0]] + q * values[face[1]] + r * values[face[2]]


class Canvas:
    """A z-buffer that meshes are drawn into, one after the other; each is asked afterwards what it shows."""

    def __init__(self, height: int, width: int) -> None:
        """An empty canvas."""
        self.face = np.full((height, width), -1, np.int32)
        self.inverse = np.zeros((height, width), np.float32)
        self._drawn: list[tuple[int, Placed]] = []
        self._next = 0

    def draw(self, mesh: Placed) -> int:
        """Draw a mesh; returns the number by which it is asked for later."""
        first = self._next
        self._in_bands(lambda rows: _draw(mesh.corners, mesh.faces, first, rows, self.face, self.inverse))
        self._drawn.append((first, mesh))
        self._next += len(mesh.faces)
        return len(self._drawn) - 1

    def shown(self, number: int) -> NDArray[np.bool_]:
        """(h, w) bool, the pixels that show a mesh."""
        first, mesh = self._drawn[number]
        return (self.face >= first) & (self.face < first + len(mesh.faces))

    def shade(self, number: int, texture: U8, colour: F32, *, sharp: bool) -> None:
        """Write the colours of a mesh where it is shown.

        Args:
            number: As :meth:`draw` gave it.
            texture: (h, w, 3) uint8, or (h, w, 4), which is laid over what is there.
            colour: (h, w, 3) float32 in 0..255, changed in place.
            sharp: Cubic rather than linear between the texture's pixels.
        """
        first, mesh = self._drawn[number]
        self._in_bands(lambda rows: _shade(mesh[:3], first, rows, self.face, texture, sharp, colour))

    def values(self, number: int, values: F32, out: F32) -> None:
        """Write a (n,) value of a mesh's vertices into (h, w) where the mesh is shown, in place."""
        first, mesh = self._drawn[number]
        of_corners = values if mesh.source is None else values[mesh.source]
        self._in_bands(lambda rows: _values(mesh[:3], first, rows, self.face, of_corners, out))

    def cover(self, other: Canvas) -> None:
        """Forget what stands behind the ``other`` canvas."""
        self.face[self.inverse < other.inverse] = -1

    def _in_bands(self, work: Callable[[tuple[np.int64, np.int64]], object]) -> None:
        """Call ``work((start, stop))`` for bands of rows side by side."""
        from concurrent.futures import ThreadPoolExecutor

        height, bands = len(self.face), max(1, min(cores(), len(self.face) // 64))
        ends = [height * i // bands for i in range(bands + 1)]
        spans = [(np.int64(a), np.int64(b)) for a, b in pairwise(ends)]
        if bands == 1:
            work(spans[0])
            return
        with ThreadPoolExecutor(bands) as pool:
            list(pool.map(work, spans))
