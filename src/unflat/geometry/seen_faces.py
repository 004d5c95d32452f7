"""What each picture shows of each triangle: how well, in which colour, and whether it is hidden there.

For every face the best pictures are kept, a fixed number of them, so memory does not grow with the set. How well a face
is seen is its area in the picture, as in Waechter, Moehrle and Goesele, "Let There Be Color!" (2014), times the cosine
under which it is seen, the share of it that nothing hides, and what speaks for the picture showing this surface at all:
its own depth, and no outline nearby over which another surface may run.
"""

# pyright: standard

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from unflat.geometry.jit import inner, kernel
from unflat.geometry.raster import Canvas, placed
from unflat.types.arrays import F32, F64, U8, U32, Bool
from unflat.types.camera import Camera

KEPT = 8
"""So many of the best pictures of each face are kept."""
LEAST_COSINE = 0.15
"""A face that is seen at more than 81 degrees from its normal is not seen."""
NEAR_OUTLINE = 0.2
"""What a sample counts that lies within two pixels of the z-buffer from an outline."""
DEPTH_DIFFERS = 0.1
"""What a sample counts where the picture's own depth is not that of the surface."""
DEPTH_UNKNOWN = 0.4
"""What a sample counts where the picture's own depth says nothing, though it does elsewhere: often something moved."""
DEPTH_SLACK = 0.04
"""Depth that differs by less than this share of it is the same."""
CLIPPED = 0.5
"""What a sample counts that is white or black in all channels: no detail is left in it."""
_RIM = 2


class Sightings(NamedTuple):
    """The best pictures of each face, in no order.

    Attributes:
        view: (m, k) int16, the number of the picture; -1: none.
        worth: (m, k) float32, how well it shows the face; comparable within a face.
        colour: (m, k, 3) float32, mean colour there, sRGB 0..255.
        detail: (m, k) float32, mean absolute difference between neighbouring pixels there, in grey levels.
        rim: (m, k) float32, squared distance from the picture's middle, 1 in its corners.
    """

    view: NDArray[np.int16]
    worth: F32
    colour: F32
    detail: F32
    rim: F32

    @staticmethod
    def none(faces: int, kept: int = KEPT) -> Sightings:
        """Nothing was seen yet."""
        return Sightings(
            np.full((faces, kept), -1, np.int16),
            np.zeros((faces, kept), np.float32),
            np.zeros((faces, kept, 3), np.float32),
            np.zeros((faces, kept), np.float32),
            np.zeros((faces, kept), np.float32),
        )


class Seen(NamedTuple):
    """A surface as one picture sees it.

    Attributes:
        screen: (n, 3) float32, each vertex: x and y in pixels of the z-buffer, inverse depth (<= 0: behind).
        inverse: (h, w) float32, inverse depth of the nearest surface; 0: none.
        nearest: (h, w) float32, the largest inverse depth within a few pixels.
        farthest: (h, w) float32, the smallest.
        slack: How far a surface may lie behind the nearest one and still be the same, in units of the mesh.
    """

    screen: F32
    inverse: F32
    nearest: F32
    farthest: F32
    slack: float


class Picture(NamedTuple):
    """What a picture is, beside its camera.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        detail: (h, w) uint8, mean absolute difference from the right and lower neighbour, in quarters of a grey level.
        usable: (h, w) bool.
        depth: (h', w') float32, z as the picture's own depth says; 0 where it says nothing. Empty: it has none.
        to_pixels: (4,) float64, x and y of the z-buffer times the first two plus the others are pixels.
        to_depth: (4,) float64, the same for ``depth``.
    """

    pixels: U8
    detail: U8
    usable: Bool
    depth: F32
    to_pixels: F64
    to_depth: F64


def seen_by(vertices: F32, faces: U32, camera: Camera, slack: float) -> Seen:
    """Draw a surface into a z-buffer of the camera's size, and keep where each vertex lies."""
    drawn = placed(vertices, faces, np.zeros((len(vertices), 2), np.float32), camera)
    canvas = Canvas(*camera.intrinsics.size.shape)
    canvas.draw(drawn)
    camera_from_world = np.linalg.inv(camera.pose.world_from_camera)
    points = vertices @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    z, lens = points[:, 2], camera.intrinsics
    ahead = z > 1e-6
    over = np.where(ahead, 1 / np.where(ahead, z, 1), -1)
    screen = np.stack([lens.fx * points[:, 0] * over + lens.cx, lens.fy * points[:, 1] * over + lens.cy, over], axis=1)
    window = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    nearest = np.asarray(cv2.dilate(canvas.inverse, window), np.float32)
    farthest = np.asarray(cv2.erode(canvas.inverse, window), np.float32)
    return Seen(screen.astype(np.float32), canvas.inverse, nearest, farthest, slack)


def detail_of(pixels: U8) -> U8:
    """(h, w) mean absolute difference of each pixel's grey from those right of and below it, in quarters of a level."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.int16)
    across = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    down = np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    return np.minimum(2 * (across + down), 255).astype(np.uint8)


@inner
def _clear(seen, x, y, inverse, slope):
    """0: hidden or outside; else how clearly a point is seen: 1, or less near an outline."""
    _, nearest_surface, nearest, farthest, slack = seen
    column, row = np.int64(np.floor(x)), np.int64(np.floor(y))
    if column < 0 or row < 0 or column >= nearest_surface.shape[1] or row >= nearest_surface.shape[0]:
        return 0.0
    near = inverse * inverse * slack
    if nearest_surface[row, column] > inverse + near + 1.5 * slope:
        return 0.0
    around = 0.01 * inverse + 2 * near + (_RIM + 1.5) * slope
    if nearest[row, column] > inverse + around or farthest[row, column] < inverse - around:
        return NEAR_OUTLINE
    return 1.0


@inner
def _slope(screen, a, b, c, area):
    """How much inverse depth changes over a pixel of the z-buffer, at most."""
    bx, by, bz = screen[b, 0] - screen[a, 0], screen[b, 1] - screen[a, 1], screen[b, 2] - screen[a, 2]
    cx, cy, cz = screen[c, 0] - screen[a, 0], screen[c, 1] - screen[a, 1], screen[c, 2] - screen[a, 2]
    return (abs(bz * cy - cz * by) + abs(bx * cz - cx * bz)) / abs(area)


@inner
def _trust(picture, x, y, inverse):
    """How much a sample counts by what the picture itself holds there; 0: not usable."""
    pixels, _, usable, depth, to_pixels, to_depth = picture
    column = np.int64(np.floor(x * to_pixels[0] + to_pixels[2]))
    row = np.int64(np.floor(y * to_pixels[1] + to_pixels[3]))
    if column < 0 or row < 0 or column >= pixels.shape[1] or row >= pixels.shape[0] or not usable[row, column]:
        return 0.0, column, row
    trust = 1.0
    low = min(pixels[row, column, 0], pixels[row, column, 1], pixels[row, column, 2])
    high = max(pixels[row, column, 0], pixels[row, column, 1], pixels[row, column, 2])
    if low >= 252 or high <= 3:
        trust = CLIPPED
    u, v = np.int64(np.floor(x * to_depth[0] + to_depth[2])), np.int64(np.floor(y * to_depth[1] + to_depth[3]))
    if u >= 0 and v >= 0 and u < depth.shape[1] and v < depth.shape[0]:
        if not depth[v, u] > 0:
            trust *= DEPTH_UNKNOWN
        elif abs(depth[v, u] * inverse - 1) > DEPTH_SLACK:
            trust *= DEPTH_DIFFERS
    return trust, column, row


@inner
def _cosine(vertices, eye, a, b, c):
    """The cosine between a face's normal and the way to the eye; negative from behind."""
    ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
    vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    ex, ey, ez = eye[0] - vertices[a, 0], eye[1] - vertices[a, 1], eye[2] - vertices[a, 2]
    size = np.sqrt((nx * nx + ny * ny + nz * nz) * (ex * ex + ey * ey + ez * ez))
    return (nx * ex + ny * ey + nz * ez) / size if size > 0 else -1.0


@inner
def _weakest(sightings, f):
    """The place of the least worth in a face's list."""
    worth = sightings[1]
    found = 0
    for k in range(1, worth.shape[1]):
        if worth[f, k] < worth[f, found]:
            found = k
    return found


@kernel
def _look(surface, eye, seen, picture, number, sightings):
    """Look at every face from one picture and keep what is better than what was kept."""
    vertices, faces = surface
    screen, (view, worth, colour, detail, rim) = seen[0], sightings
    tall, wide = seen[1].shape
    pixels, fine, to_pixels = picture[0], picture[1], picture[4]
    per_pixel = abs(to_pixels[0] * to_pixels[1])
    for f in range(len(faces)):
        a, b, c = np.int64(faces[f, 0]), np.int64(faces[f, 1]), np.int64(faces[f, 2])
        if screen[a, 2] <= 0 or screen[b, 2] <= 0 or screen[c, 2] <= 0:
            continue
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = np.float64((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
        if area >= 0 or max(ax, bx, cx) < 0 or max(ay, by, cy) < 0:
            continue  # seen from behind, or not at all
        cosine = _cosine(vertices, eye, a, b, c)
        if cosine < LEAST_COSINE:
            continue
        slope = np.float64(_slope(screen, a, b, c, area))
        steps = min(16, max(2, int(np.sqrt(-area * per_pixel) / 3)))
        total, count, red, green, blue, rough = 0.0, 0, 0.0, 0.0, 0.0, 0.0
        for i in range(steps):
            for j in range(steps - i):
                p, q = (i + 1 / 3) / steps, (j + 1 / 3) / steps
                r = 1 - p - q
                count += 1
                x, y = p * ax + q * bx + r * cx, p * ay + q * by + r * cy
                z = p * screen[a, 2] + q * screen[b, 2] + r * screen[c, 2]
                clear = _clear(seen, x, y, z, slope)
                if clear == 0:
                    continue
                trust, column, row = _trust(picture, x, y, z)
                weight = clear * trust
                total += weight
                red += weight * pixels[row, column, 0]
                green += weight * pixels[row, column, 1]
                blue += weight * pixels[row, column, 2]
                rough += weight * fine[row, column]
        if total <= 0:
            continue
        value = np.float32(-0.5 * area * per_pixel * cosine * total / count)
        k = _weakest(sightings, f)
        if value > worth[f, k]:
            view[f, k], worth[f, k] = number, value
            colour[f, k, 0], colour[f, k, 1], colour[f, k, 2] = red / total, green / total, blue / total
            detail[f, k] = 0.25 * rough / total
            x, y = (ax + bx + cx) / 3 - wide / 2, (ay + by + cy) / 3 - tall / 2
            rim[f, k] = 4 * (x * x + y * y) / (wide * wide + tall * tall)


def look(surface: tuple[F32, U32], eye: F64, seen: Seen, picture: Picture, number: int, sightings: Sightings) -> None:
    """Enter what a picture shows of the faces into their lists, in place.

    Args:
        surface: Vertices (n, 3) float32 and faces (m, 3) uint32.
        eye: (3,) where the camera stands.
        seen: The surface from there.
        picture: What was taken there.
        number: Of the picture.
        sightings: Of all faces.
    """
    as_tuples: tuple[Any, ...] = tuple(seen), tuple(picture)
    _look(surface, eye, *as_tuples, np.int16(number), tuple(sightings))
