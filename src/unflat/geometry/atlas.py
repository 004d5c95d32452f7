"""A surface cut into pieces that lie flat on one picture.

Pieces grow over neighbours that look the same way, each is laid flat along its mean normal and turned so that its frame
is small. No two faces of a piece cover the same texel: those that would are cut out and become pieces of their own.
"""

# pyright: standard

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.face_links import face_links
from unflat.geometry.jit import inner, kernel
from unflat.geometry.pack import Pieces, pack
from unflat.types.arrays import F32, F64, U32

ALIKE = 0.64
"""A face joins a piece if the cosine between its smoothed normal and the piece's is larger (50 degrees)."""
FACING = 0.2
"""Each face's own normal has at least this cosine with that of its piece: nothing is folded or squeezed flat."""
_SMOOTHED = 3
_TURNS = 12
_MENDS = 4
_ENOUGH = 1 << 14
"""Sides of textures end here."""

Ints = NDArray[np.int32]


class Atlas(NamedTuple):
    """A mesh cut along the outlines of its pieces, and where they lie on the texture.

    Attributes:
        vertex: (n,) int64, which vertex of the mesh each vertex is.
        faces: (m, 3) uint32, those of the mesh in its order.
        texel: (n, 2) float32, in texels from the top left corner of the texture.
        piece: (m,) int32, the piece of each face.
        side: Of the square texture, in texels.
        scale: Texels per unit of the mesh, where a face's density is 1.
    """

    vertex: NDArray[np.int64]
    faces: U32
    texel: F32
    piece: Ints
    side: int
    scale: float

    @property
    def uv(self) -> F32:
        """(n, 2) in 0..1."""
        return np.clip(self.texel / np.float32(self.side), 0, 1)


def _normals(vertices: F32, faces: U32) -> tuple[F64, F64]:
    """(m, 3) normals of length 1 (0 where a face has no area) and (m,) areas."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    cross = np.cross(b - a, c - a)
    length = np.linalg.norm(cross, axis=1)
    return cross / np.maximum(length, 1e-30)[:, None], length / 2


def _smoothed(normals: F64, areas: F64, links: Ints) -> F64:
    """Normals averaged with those of the neighbours, a few times."""
    flow = normals * areas[:, None]
    for _ in range(_SMOOTHED):
        near = flow[links] * (links >= 0)[..., None]
        flow = flow + near.sum(axis=1)
    return flow / np.maximum(np.linalg.norm(flow, axis=1), 1e-30)[:, None]


@kernel
def _grow(order, links, looks, areas, strict, piece, first):
    """Let pieces grow from the faces in ``order`` over faces that belong to none (-1); returns the next number."""
    normals, smooth = looks
    queue = np.empty(len(piece), np.int64)
    count = first
    for s in range(len(order)):
        seed = order[s]
        if piece[seed] != -1:
            continue
        begin, end = 0, 1
        queue[0] = seed
        piece[seed] = count
        x, y, z = normals[seed, 0], normals[seed, 1], normals[seed, 2]
        if strict:
            x, y, z = smooth[seed, 0], smooth[seed, 1], smooth[seed, 2]
        x, y, z = x * areas[seed], y * areas[seed], z * areas[seed]
        while begin < end:
            f = queue[begin]
            begin += 1
            for k in range(3):
                g = links[f, k]
                if g < 0 or piece[g] != -1:
                    continue
                length = np.sqrt(x * x + y * y + z * z)
                own = x * normals[g, 0] + y * normals[g, 1] + z * normals[g, 2]
                mean = x * smooth[g, 0] + y * smooth[g, 1] + z * smooth[g, 2]
                if own < FACING * length or (strict and mean < ALIKE * length):
                    continue
                piece[g] = count
                queue[end] = g
                end += 1
                x, y, z = x + areas[g] * normals[g, 0], y + areas[g] * normals[g, 1], z + areas[g] * normals[g, 2]
        count += 1
    return count


def _mean_normals(normals: F64, areas: F64, piece: Ints) -> F64:
    """(p, 3) the mean normal of each piece."""
    count = int(piece.max(initial=-1)) + 1
    sums = np.stack([np.bincount(piece, normals[:, k] * areas, count) for k in range(3)], axis=1)
    length = np.linalg.norm(sums, axis=1)
    sums[length < 1e-30] = (0.0, 0.0, 1.0)
    return sums / np.where(length < 1e-30, 1.0, length)[:, None]


def _charts(normals: F64, areas: F64, links: Ints, smooth: F64) -> Ints:
    """(m,) the piece of each face."""
    piece = np.full(len(areas), -1, np.int32)
    order = np.argsort(-areas, kind="stable")
    strict, count = True, 0
    for _ in range(_MENDS):
        count = _grow(order, links, (normals, smooth), areas, strict, piece, count)
        facing = (normals * _mean_normals(normals, areas, piece)[piece]).sum(axis=1)
        alone = np.bincount(piece, minlength=count)[piece] == 1
        astray = (facing < FACING / 2) & ~alone
        if not astray.any():
            return _numbered(piece)
        piece[astray] = -1
        strict = False
    lost = np.flatnonzero(piece < 0)
    piece[lost] = count + np.arange(len(lost))
    return _numbered(piece)


def _numbered(piece: Ints) -> Ints:
    """The same pieces, numbered without gaps."""
    return np.unique(piece, return_inverse=True)[1].reshape(-1).astype(np.int32)


def _flattened(vertices: F32, faces: U32, piece: Ints, normals: F64, areas: F64) -> F64:
    """(m, 3, 2) corners of the faces in the plane of their piece, turned so that the piece's frame is small."""
    normal = _mean_normals(normals, areas, piece)
    aside = np.where(np.abs(normal[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    across = np.cross(aside, normal)
    across /= np.linalg.norm(across, axis=1)[:, None]
    down = np.cross(normal, across)
    corners = vertices[faces].astype(np.float64)
    flat = np.stack([(corners * d[piece][:, None]).sum(axis=2) for d in (across, down)], axis=2)
    count, best, turn = len(normal), np.full(len(normal), np.inf), np.zeros(len(normal))
    for angle in np.arange(_TURNS) * (np.pi / 2 / _TURNS):
        low, high = _frames(_turned(flat, np.full(len(flat), angle)), piece, count)
        area = np.prod(high - low, axis=1)
        smaller = area < best * 0.999
        best[smaller], turn[smaller] = area[smaller], angle
    flat = _turned(flat, turn[piece])
    low, high = _frames(flat, piece, count)
    flat -= low[piece][:, None]
    lying = (high - low)[:, 0] < (high - low)[:, 1]  # long sides along x: few columns would be tall towers
    swapped = np.stack([(high - low)[piece][:, None, 1] - flat[..., 1], flat[..., 0]], axis=2)
    return np.where(lying[piece][:, None, None], swapped, flat)


def _turned(flat: F64, angle: F64) -> F64:
    """Corners turned by an angle for each face."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([cos * flat[..., 0] - sin * flat[..., 1], sin * flat[..., 0] + cos * flat[..., 1]], axis=2)


def _frames(flat: F64, piece: Ints, count: int) -> tuple[F64, F64]:
    """(p, 2) the least and greatest coordinates of each piece."""
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    for k in range(2):
        np.minimum.at(low[:, k], piece, flat[..., k].min(axis=1))
        np.maximum.at(high[:, k], piece, flat[..., k].max(axis=1))
    return low, high


def _pieces(flat: F64, piece: Ints, links: Ints) -> Pieces:
    """The outline edges of all pieces."""
    rim = (links < 0) | (piece[links] != piece[:, None])
    face, k = np.nonzero(rim)
    edges = np.concatenate([flat[face, k], flat[face, (k + 1) % 3]], axis=1)
    order = np.argsort(piece[face], kind="stable")
    count = int(piece.max(initial=-1)) + 1
    return Pieces(edges[order], piece[face][order].astype(np.int64), _frames(flat, piece, count)[1])


@inner
def _inside(corners, f, x, y):
    """Barycentric coordinates p, q of a point in a flat face; outside far off where it has no area."""
    ax, ay = np.float64(corners[f, 0, 0]), np.float64(corners[f, 0, 1])
    bx, by = corners[f, 1, 0] - ax, corners[f, 1, 1] - ay
    cx, cy = corners[f, 2, 0] - ax, corners[f, 2, 1] - ay
    area = bx * cy - by * cx
    if area == 0:
        return -1e9, -1e9
    q = ((x - ax) * cy - (y - ay) * cx) / area
    r = (bx * (y - ay) - by * (x - ax)) / area
    return 1 - q - r, q


@kernel
def _cover(corners, owner, doubled):
    """Write the face of each texel whose centre it covers; counts for each face how many of its are taken already."""
    side = len(owner)
    for f in range(len(corners)):
        x0, x1, x2 = corners[f, 0, 0], corners[f, 1, 0], corners[f, 2, 0]
        y0, y1, y2 = corners[f, 0, 1], corners[f, 1, 1], corners[f, 2, 1]
        left, right = max(0, int(np.ceil(min(x0, x1, x2) - 0.5))), min(side - 1, int(np.floor(max(x0, x1, x2) - 0.5)))
        top, low = max(0, int(np.ceil(min(y0, y1, y2) - 0.5))), min(side - 1, int(np.floor(max(y0, y1, y2) - 0.5)))
        for y in range(top, low + 1):
            for x in range(left, right + 1):
                p, q = _inside(corners, f, x + 0.5, y + 0.5)
                r = 1 - p - q
                if p < -1e-7 or q < -1e-7 or r < -1e-7:
                    continue
                if owner[y, x] < 0:
                    owner[y, x] = f
                elif p > 1e-3 and q > 1e-3 and r > 1e-3:
                    p2, q2 = _inside(corners, owner[y, x], x + 0.5, y + 0.5)
                    if p2 > 1e-3 and q2 > 1e-3 and 1 - p2 - q2 > 1e-3:
                        doubled[f] += 1


def covered(corners: F32 | F64, side: int) -> tuple[Ints, Ints]:
    """Which face covers the centre of each texel, and for each face how many of its texels were taken already.

    Args:
        corners: (m, 3, 2) in texels.
        side: Of the texture.

    Returns:
        (side, side) int32, -1 where there is none; (m,) int32.
    """
    owner, doubled = np.full((side, side), -1, np.int32), np.zeros(len(corners), np.int32)
    _cover(np.ascontiguousarray(corners, np.float64), owner, doubled)
    return owner, doubled


def build_atlas(vertices: F32, faces: U32, density: F64, largest: int) -> Atlas:
    """Cut a mesh into flat pieces and lay them out on a square texture.

    Args:
        vertices: (n, 3).
        faces: (m, 3).
        density: (m,) wanted texels per unit of length on each face; a piece gets their mean.
        largest: Side of the largest texture; fewer texels are used if that is enough for the density.

    Raises:
        InputError: The texture is too small for so many pieces.
    """
    links = face_links(faces)
    normals, areas = _normals(vertices, faces)
    piece = _charts(normals, areas, links, _smoothed(normals, areas, links))
    packed = None
    for mend in range(_MENDS + 1):
        flat = _flattened(vertices, faces, piece, normals, areas)
        count = int(piece.max(initial=-1)) + 1
        total = np.maximum(np.bincount(piece, areas, count), 1e-30)
        dense = np.sqrt(np.maximum(np.bincount(piece, areas * density**2, count), 1e-30) / total)
        flat *= dense[piece][:, None, None]
        packed = pack(_pieces(flat, piece, links), 1.0, min(largest, _ENOUGH), before=packed)
        if packed is None:
            raise InputError(
                f"the surface falls into {count} pieces, too many for a texture of {largest}²",
                hint="Ask for a larger texture, or simplify the surface first.",
            )
        corners = flat * packed.scale + packed.corner[piece][:, None]
        doubled = covered(corners, packed.side)[1] > 0
        if not doubled.any() or mend == _MENDS:
            return _cut(faces, piece, corners, packed.side, packed.scale)
        piece = _without(piece, doubled, links, normals, areas, last=mend == _MENDS - 1)
    raise AssertionError("unreachable")


def _without(piece: Ints, doubled: NDArray[np.bool_], links: Ints, normals: F64, areas: F64, *, last: bool) -> Ints:
    """The pieces after faces that lie on others were taken out: they go on together, the last time each alone."""
    out = piece.copy()
    count, at = int(piece.max()) + 1, np.flatnonzero(doubled)
    if last:
        out[at] = count + np.arange(len(at))
        return _numbered(out)
    out[at] = -1
    _grow(at, links, (normals, normals), areas, False, out, count)
    return _numbered(out)


def _cut(faces: U32, piece: Ints, corners: F64, side: int, scale: float) -> Atlas:
    """Vertices become one for each piece that they belong to."""
    key = faces.astype(np.int64) * (int(piece.max(initial=0)) + 1) + piece[:, None]
    _, at, inverse = np.unique(key.ravel(), return_index=True, return_inverse=True)
    return Atlas(
        faces.ravel()[at].astype(np.int64),
        inverse.reshape(-1, 3).astype(np.uint32),
        corners.reshape(-1, 2)[at].astype(np.float32),
        piece,
        side,
        scale,
    )
