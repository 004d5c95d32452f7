"""A sparse volume of signed distances, fused from depth of many views.

Curless and Levoy, "A volumetric method for building complex models from range images" (SIGGRAPH 1996), in blocks
that exist only near surfaces (Nießner et al., "Real-time 3D reconstruction at scale using voxel hashing", 2013).
Every voxel keeps the weighted mean of its distances to what each view sees, positive on the side of the cameras,
cut off at a reach that grows with the uncertainty of the depth. A ray that goes on behind a voxel says that it is
free: so what one view made up in mid-air is carved away by the others; so does a ray into the sky. Learned depth
carves nothing.
"""

# pyright: standard

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unflat.geometry.bands import in_bands
from unflat.geometry.blocks import SIDE, VOXELS, Blocks, insert, pack
from unflat.geometry.jit import inner, kernel
from unflat.geometry.sightings import Sighting
from unflat.types.arrays import F32

FREE = 0.5
"""What a ray through a voxel counts, against one that ends beside it."""
BYTES_PER_BLOCK = VOXELS * (4 + 4 + 8)
STRIDE = 3
"""Every so many-th pixel makes blocks: they are eight voxels wide, and a voxel is about as large as a pixel."""
Reach = tuple[float, float]
"""(a, b): distances are cut off at max(a, b · depth)."""
_COLOUR_STEPS = 256.0
_WEIGHT_STEPS = 64.0


@inner
def _reserve_box(keys, numbers, places, count, centre, half, size):
    """Insert all blocks that a cube touches; returns how many blocks there are, or -1 where there is no room."""
    x0, x1 = np.int64(np.floor((centre[0] - half) / size)), np.int64(np.floor((centre[0] + half) / size))
    y0, y1 = np.int64(np.floor((centre[1] - half) / size)), np.int64(np.floor((centre[1] + half) / size))
    z0, z1 = np.int64(np.floor((centre[2] - half) / size)), np.int64(np.floor((centre[2] + half) / size))
    for x in range(x0, x1 + 1):
        for y in range(y0, y1 + 1):
            for z in range(z0, z1 + 1):
                key = pack(x, y, z)
                if key < 0:
                    continue
                if count >= len(places):
                    return np.int64(-1)
                if insert(keys, numbers, key, count):
                    places[count, 0], places[count, 1], places[count, 2] = x, y, z
                    count += 1
    return count


@kernel
def _reserve(sighting, stride, voxel, reach, table, first):
    """Insert the blocks around every ``stride``-th pixel's surface, within its reach along the ray.

    Returns the row at which there was no more room (to be called again from there), and the number of blocks.
    """
    planes, weights, _, camera = sighting
    keys, numbers, places, count = table
    h, w = weights.shape
    size = SIDE * voxel
    for y in range(first, h, stride):
        for x in range(0, w, stride):
            here = planes[y, x, 0]
            if weights[y, x] == 0 or here == 0:
                continue
            z = 1.0 / here
            i, j = (x + 0.5 - camera[2]) / camera[0], (y + 0.5 - camera[3]) / camera[1]
            ray = np.sqrt(i * i + j * j + 1)
            near = max(reach[0], reach[1] * z) / ray
            half = 1.01 * voxel + 0.5 * stride * z / min(camera[0], camera[1])
            steps = np.int64(np.ceil(2 * near * ray / (0.5 * size)))
            for step in range(steps + 1):
                at = z - near + 2 * near * step / steps
                p, q, r = i * at - camera[7], j * at - camera[11], at - camera[15]
                centre = (
                    camera[4] * p + camera[8] * q + camera[12] * r,
                    camera[5] * p + camera[9] * q + camera[13] * r,
                    camera[6] * p + camera[10] * q + camera[14] * r,
                )
                found = _reserve_box(keys, numbers, places, count, centre, half, size)
                if found < 0:
                    return np.int64(y), count
                count = found
    return np.int64(-1), count


@inner
def _mix_colour(colour, b, v, colors, y, x, weight):
    """The weighted mean of colours, in 256ths of a step; its weight in 64ths, full at 1024."""
    old = colour[b, v, 3] / _WEIGHT_STEPS
    share = weight / (old + weight)
    for k in range(3):
        mean = np.float64(colour[b, v, k])
        colour[b, v, k] = np.uint16(mean + share * (colors[y, x, k] * _COLOUR_STEPS - mean) + 0.5)
    colour[b, v, 3] = np.uint16(min(old + weight, 1023.0) * _WEIGHT_STEPS + 0.5)


@inner
def _add_voxel(fields, b, v, sighting, seen, reach, voxel):
    """Let one view speak of one voxel, ``seen`` at (column, row, depth)."""
    planes, weights, colors, _ = sighting
    distance, weight, colour = fields
    u, t, z = seen
    h, w = weights.shape
    if not (0 <= u < w and 0 <= t < h):
        return
    x, y = np.int64(u), np.int64(t)
    count = weights[y, x]
    if count == 0:
        return
    if planes[y, x, 0] == 0:  # sky: whatever there is stands in its way
        d, count = max(reach[0], reach[1] * z), abs(count) * np.float32(FREE)
        total = weight[b, v] + np.float32(count)
        distance[b, v] += np.float32(count / total * (d - distance[b, v]))
        weight[b, v] = total
        return
    inverse = planes[y, x, 0] + planes[y, x, 1] * (u - x - 0.5) + planes[y, x, 2] * (t - y - 0.5)
    d = (1 - z * inverse) * planes[y, x, 3]
    far = max(reach[0], reach[1] / planes[y, x, 0])
    if d < -far:
        return
    if d > far:
        if count < 0:
            return
        d, count = far, count * np.float32(FREE)
    else:
        count = abs(count)
        if d < -voxel:
            count *= np.float32((d + far) / (far - voxel))
        if abs(d) < 1.5 * voxel:
            _mix_colour(colour, b, v, colors, y, x, np.float64(count))
    total = weight[b, v] + np.float32(count)
    if total > 0:
        distance[b, v] += np.float32(count / total * (d - distance[b, v]))
        weight[b, v] = total


@kernel
def _add(fields, places, sighting, voxel, reach, start, stop):
    """Let one view speak of every voxel of the blocks [start, stop) that it sees."""
    camera = sighting[3]
    h, w = sighting[1].shape
    size = SIDE * voxel
    radius = 0.87 * size
    for b in range(start, stop):
        x, y, z = (places[b, 0] + 0.5) * size, (places[b, 1] + 0.5) * size, (places[b, 2] + 0.5) * size
        p = camera[4] * x + camera[5] * y + camera[6] * z + camera[7]
        q = camera[8] * x + camera[9] * y + camera[10] * z + camera[11]
        r = camera[12] * x + camera[13] * y + camera[14] * z + camera[15]
        if r < -radius:
            continue
        if r > 2 * radius:
            u, t = camera[0] * p / r + camera[2], camera[1] * q / r + camera[3]
            around = radius * (camera[0] + camera[1]) / (r - radius) * (1 + (abs(p) + abs(q)) / r)
            if u < -around or t < -around or u > w + around or t > h + around:
                continue
        for k in range(VOXELS):
            i, j, o = k & 7, (k >> 3) & 7, k >> 6
            x, y, z = (
                (places[b, 0] * SIDE + i) * voxel,
                (places[b, 1] * SIDE + j) * voxel,
                (places[b, 2] * SIDE + o) * voxel,
            )
            r = camera[12] * x + camera[13] * y + camera[14] * z + camera[15]
            if r <= 0:
                continue
            p = camera[4] * x + camera[5] * y + camera[6] * z + camera[7]
            q = camera[8] * x + camera[9] * y + camera[10] * z + camera[11]
            seen = camera[0] * p / r + camera[2], camera[1] * q / r + camera[3], r
            _add_voxel(fields, b, k, sighting, seen, reach, voxel)


def reserve(blocks: Blocks, sighting: Sighting, voxel: float, reach: Reach, stride: int = 1) -> None:
    """Make the blocks around what a view sees.

    Args:
        blocks: Grows.
        sighting: What is seen; of its planes only the inverse depth is looked at.
        voxel: Distance of neighbouring voxels.
        reach: How far on either side of a surface blocks are wanted.
        stride: Only every so many-th pixel along rows and columns is looked at, for a square around it.
    """
    row = 0
    while row >= 0:
        table = blocks.keys, blocks.numbers, blocks.places, np.int64(blocks.count)
        row, count = _reserve(sighting, stride, voxel, reach, table, row)
        blocks.count = int(count)
        if row >= 0:
            blocks.grow(blocks.room + max(1024, blocks.room // 4))


class Volume:
    """Signed distances, weights and colours of the voxels near surfaces.

    Voxel (i, j, k) of a block stands at (place · 8 + (i, j, k)) · voxel, its number in the block is i + 8 j + 64 k.

    Attributes:
        voxel: Distance of neighbouring voxels, in the unit of the frames.
        reach: Distances are cut off there.
        blocks: Which blocks there are.
        distance: (room, 512) float32, positive towards the cameras.
        weight: (room, 512) float32.
        colour: (room, 512, 4) uint16: sRGB in 256ths of a step, and its weight in 64ths.
    """

    def __init__(self, voxel: float, reach: Reach, blocks: Blocks) -> None:
        """A volume of which nothing is known yet, with some blocks."""
        self.voxel, self.reach, self.blocks = voxel, reach, blocks
        self.distance, self.weight, self.colour = _fields(blocks.room)

    def add(self, sighting: Sighting) -> None:
        """Let a view speak of all voxels that it sees, in the blocks that are there and those that it needs."""
        reserve(self.blocks, sighting, self.voxel, self.reach, STRIDE)
        room = len(self.distance)
        if self.blocks.room > room:
            old, new = (self.distance, self.weight, self.colour), _fields(self.blocks.room)
            for before, after in zip(old, new, strict=True):
                after[:room] = before
            self.distance, self.weight, self.colour = new
        fields, places = (self.distance, self.weight, self.colour), self.blocks.places
        in_bands(
            lambda start, stop: _add(fields, places, sighting, self.voxel, self.reach, start, stop),
            self.blocks.count,
            64,
        )


def _fields(room: int) -> tuple[F32, F32, NDArray[np.uint16]]:
    """Distances, weights and colours of so many blocks."""
    flat = np.zeros((room, VOXELS), np.float32), np.zeros((room, VOXELS), np.float32)
    return *flat, np.zeros((room, VOXELS, 4), np.uint16)
