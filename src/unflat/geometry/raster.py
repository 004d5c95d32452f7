"""Triangles into pixels, on the CPU: which triangle each pixel shows, and where on it.

One z-buffer pass finds the nearest triangle of every pixel; what it looks like there is asked afterwards, for seen
pixels only (deferred shading, Deering et al., 1988). Edges belong to both their triangles, so nothing opens between
neighbours. Rows are shared out in bands; the picture does not depend on how many.
"""

# pyright: standard

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.jit import inner, kernel
from unflat.types.arrays import F32, U8, U32
from unflat.types.camera import Camera

NEAREST = 1e-5
"""What is nearer than this share of the farthest corner is cut off."""
LEAST_ROWS = 64
"""A band of rows is worth a thread from this many on."""


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
        along_p = (np.float64(by) - np.float64(cy)) * over
        along_q = (np.float64(cy) - np.float64(ay)) * over
        for y in range(top, bottom + 1):
            p_west = _edge(bx, by, cx, cy, west + 0.5, y + 0.5) * over
            q_west = _edge(cx, cy, ax, ay, west + 0.5, y + 0.5) * over
            for x in range(west, east + 1):
                p = p_west + along_p * (x - west)
                q = q_west + along_q * (x - west)
                r = 1 - p - q
                if p < -1e-9 or q < -1e-9 or r < -1e-9:
                    continue
                z = np.float32(p * za + q * zb + r * zc)
                if z > inverse[y, x]:
                    inverse[y, x] = z
                    face_at[y, x] = first + f


@inner
def _linear(texture, x, y, k):
    """Channel k of the texture at (x, y), (0, 0) the middle of its top left pixel, between four pixels."""
    h, w = texture.shape[0], texture.shape[1]
    x0, y0 = np.int64(np.floor(x)), np.int64(np.floor(y))
    left, right = max(0, min(w - 1, x0)), max(0, min(w - 1, x0 + 1))
    top, low = max(0, min(h - 1, y0)), max(0, min(h - 1, y0 + 1))
    across, down = np.float32(x - x0), np.float32(y - y0)
    d = across * down
    b, c = across - d, down - d
    above = (np.float32(1) - across - c) * texture[top, left, k] + b * texture[top, right, k]
    return above + c * texture[low, left, k] + d * texture[low, right, k]


@inner
def _weights(t):
    """Weights of four neighbours for a place t (0..1) between the middle two (Catmull and Rom, 1974)."""
    return (
        t * (-0.5 + t * (1 - 0.5 * t)),
        1 + t * t * (-2.5 + 1.5 * t),
        t * (0.5 + t * (2 - 1.5 * t)),
        t * t * (-0.5 + 0.5 * t),
    )


@inner
def _cubic(texture, x, y, k):
    """As `_linear`, between sixteen pixels; within 0..255."""
    h, w = texture.shape[0], texture.shape[1]
    x0, y0 = np.int64(np.floor(x)), np.int64(np.floor(y))
    left, right = max(0, min(w - 1, x0)), max(0, min(w - 1, x0 + 1))
    first, last = max(0, min(w - 1, x0 - 1)), max(0, min(w - 1, x0 + 2))
    a, b, c, d = _weights(x - x0)
    down = _weights(y - y0)
    total = 0.0
    for row in range(4):
        r = max(0, min(h - 1, y0 - 1 + row))
        across = a * texture[r, first, k] + b * texture[r, left, k]
        total += down[row] * (across + c * texture[r, right, k] + d * texture[r, last, k])
    return np.float32(min(max(total, 0.0), 255.0))


@inner
def _slopes(corners, a, b, c):
    """How what the first two corners of a triangle count changes along x and y, before perspective: px, py, qx, qy."""
    ax, ay = np.float64(corners[a, 0]), np.float64(corners[a, 1])
    bx, by = np.float64(corners[b, 0]), np.float64(corners[b, 1])
    cx, cy = np.float64(corners[c, 0]), np.float64(corners[c, 1])
    over = 1 / _edge(ax, ay, bx, by, cx, cy)
    return (by - cy) * over, (cx - bx) * over, (cy - ay) * over, (ax - cx) * over


@inner
def _plane(slopes, a, b, c):
    """What is ``a``, ``b`` and ``c`` at a triangle's corners: there, and its change along x and y."""
    px, py, qx, qy = slopes
    return a, px * (a - c) + qx * (b - c), py * (a - c) + qy * (b - c)


@kernel
def _shade(mesh, first, rows, face_at, texture, sharp, colour):
    """Write the colours of the pixels that show a mesh; a texture of four channels is laid over what is there.

    Inverse depth, and texture coordinates times it, are linear over a triangle in the picture (Blinn, 1992): three
    planes, made anew where the triangle changes along a row.
    """
    corners, faces, uv = mesh
    wide, high, channels = texture.shape[1], texture.shape[0], texture.shape[2]
    before, left, top = np.int64(-1), 0.0, 0.0
    inverse, across, down = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for y in range(rows[0], rows[1]):
        for x in range(face_at.shape[1]):
            f = face_at[y, x] - first
            if f < 0 or f >= len(faces):
                continue
            if f != before:
                before = f
                a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                slopes = _slopes(corners, a, b, c)
                za, zb, zc = np.float64(corners[a, 2]), np.float64(corners[b, 2]), np.float64(corners[c, 2])
                left, top = corners[a, 0] - 0.5, corners[a, 1] - 0.5
                inverse = _plane(slopes, za, zb, zc)
                across = _plane(slopes, za * uv[a, 0] * wide, zb * uv[b, 0] * wide, zc * uv[c, 0] * wide)
                down = _plane(slopes, za * uv[a, 1] * high, zb * uv[b, 1] * high, zc * uv[c, 1] * high)
            i, j = x - left, y - top
            depth = 1 / (inverse[0] + inverse[1] * i + inverse[2] * j)
            u = (across[0] + across[1] * i + across[2] * j) * depth - 0.5
            v = (down[0] + down[1] * i + down[2] * j) * depth - 0.5
            share = np.float32(1)
            if channels == 4:
                over = _cubic(texture, u, v, 3) if sharp else _linear(texture, u, v, 3)
                share = over / np.float32(255)
            for k in range(3):
                found = _cubic(texture, u, v, k) if sharp else _linear(texture, u, v, k)
                colour[y, x, k] += share * (found - colour[y, x, k])


@kernel
def _values(mesh, first, rows, face_at, values, out):
    """Write a value of the corners, between them as seen, to the pixels that show a mesh."""
    corners, faces, _ = mesh
    before, slopes = np.int64(-1), (0.0, 0.0, 0.0, 0.0)
    for y in range(rows[0], rows[1]):
        for x in range(face_at.shape[1]):
            f = face_at[y, x] - first
            if f < 0 or f >= len(faces):
                continue
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            if f != before:
                before, slopes = f, _slopes(corners, a, b, c)
            px, py, qx, qy = slopes
            i, j = x + 0.5 - np.float64(corners[a, 0]), y + 0.5 - np.float64(corners[a, 1])
            p, q = 1 + px * i + py * j, qx * i + qy * j
            p, q, r = p * corners[a, 2], q * corners[b, 2], (1 - p - q) * corners[c, 2]
            out[y, x] = (p * values[a] + q * values[b] + r * values[c]) / (p + q + r)


class Canvas:
    """A z-buffer that meshes are drawn into, one after the other; each is asked afterwards what it shows."""

    def __init__(self, height: int, width: int, bands: int | None = None) -> None:
        """An empty canvas.

        Args:
            height: Rows.
            width: Columns.
            bands: Into how many bands of rows work on it is shared out; None: as many as there are cores.
        """
        self._bands = bands
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
        in_bands(lambda start, stop: work((np.int64(start), np.int64(stop))), len(self.face), LEAST_ROWS, self._bands)
