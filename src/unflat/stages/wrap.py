"""A closed surface and the cut-outs that saw it -> one texture, and for every face the picture that it is taken from.

Each face is taken from the picture that sees it most squarely. What no picture sees takes what a picture shows at that
place on the other side of the thing (the mirrored front), and is marked as invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.geometry.closed_surface import Closed
from unflat.geometry.nearest import nearest_true
from unflat.geometry.normals import vertex_normals
from unflat.geometry.raster import Canvas, placed
from unflat.types.arrays import F32, F64, U8, Bool
from unflat.types.camera import Camera
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.sight import Sight

SEEN, GUESSED = np.float32(0.7), np.float32(0.1)
"""Confidence of what a picture saw, and of what none did."""
_GRAZING = 0.12
"""A surface is not seen where the cosine of its slant is smaller."""
_BEHIND = 0.012
"""Nor where it lies this share of its distance range behind what is seen there."""
_LOOK_SIDE = 640
_RIM_PX = 2
_GAP = 4


@dataclass(frozen=True, slots=True)
class WrapOptions:
    """How pictures are laid on a thing."""

    texture_side: int = 2048
    """Longest side of an object's texture in pixels."""

    def __post_init__(self) -> None:
        if not 64 <= self.texture_side <= 8192:
            raise InputError(f"--texture-side {self.texture_side} is out of range", hint="Give 64 to 8192.")


class Seen(NamedTuple):
    """The vertices of a surface as a picture sees them.

    Attributes:
        pixel: (n, 2) where they are in it.
        slant: (n,) cosine of the angle at which it sees them; negative from behind.
        clear: (n,) bool, seen, and not hidden.
    """

    pixel: F64
    slant: F64
    clear: Bool


def wrap(closed: Closed, sights: Sequence[Sight], options: WrapOptions) -> Mesh:
    """Lay the pictures on the surface.

    Args:
        closed: In the world's units.
        sights: At least one.
        options: How large the texture may be.

    Returns:
        The textured surface. Vertices along seams between pictures are doubled; at the same place, so it stays closed
        to who joins equal places.
    """
    normals = vertex_normals(closed.vertices.astype(np.float32), closed.faces)
    seen = [look(closed, normals, sight) for sight in sights]
    face_slant = np.stack([s.slant[closed.faces].mean(axis=1) for s in seen])
    face_clear = np.stack([s.clear[closed.faces].all(axis=1) for s in seen])
    own = np.array([sight.mirror is None for sight in sights])[:, None]
    score = np.where(face_clear, 1 + 0.2 * own + face_slant, 0.5 * np.abs(face_slant))
    label = score.argmax(axis=0)
    texture, places = _sheet(sights, options.texture_side)
    corner = closed.faces.astype(np.int64) * len(sights) + label[:, None]
    pairs, faces = np.unique(corner, return_inverse=True)
    vertex, picture = np.divmod(pairs, len(sights))
    pixel = np.stack([s.pixel for s in seen])[picture, vertex]
    uv = (pixel - places[picture, :2]) * places[picture, 2:3] + places[picture, 3:5]
    uv /= (texture.size.width, texture.size.height)
    clear = np.stack([s.clear for s in seen])[picture, vertex] & own[picture, 0]
    return Mesh(
        closed.vertices[vertex].astype(np.float32),
        faces.reshape(-1, 3).astype(np.uint32),
        uv=np.clip(uv, 0, 1).astype(np.float32),
        confidence=np.where(clear, SEEN, GUESSED),
        invented=~clear,
        texture=texture,
    )


def look(closed: Closed, normals: F32 | F64, sight: Sight) -> Seen:
    """Where each vertex is in the picture, how squarely it is seen, and whether it is seen at all."""
    camera_from_world = np.linalg.inv(sight.camera.pose.world_from_camera)
    vertices = closed.vertices
    if sight.mirror is not None:
        vertices, normals = vertices @ sight.mirror[:3, :3].T + sight.mirror[:3, 3], normals @ sight.mirror[:3, :3].T
    points = vertices @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    lens = sight.camera.intrinsics
    z = np.maximum(points[:, 2], 1e-9)
    pixel = np.stack([lens.fx * points[:, 0] / z + lens.cx, lens.fy * points[:, 1] / z + lens.cy], axis=1)
    ray = vertices - sight.camera.pose.centre
    slant = -np.einsum("ij,ij->i", normals, ray) / np.maximum(np.linalg.norm(ray, axis=1), 1e-12)
    size = lens.size.fitted(_LOOK_SIDE)
    small = Camera(lens.resized(size), sight.camera.pose)
    canvas = Canvas(*size.shape)
    none = np.zeros((len(closed.vertices), 2), np.float32)
    canvas.draw(placed(closed.vertices.astype(np.float32), closed.faces, none, small))
    factor = size.width / lens.size.width
    x = np.clip((pixel[:, 0] * factor).astype(np.int64), 0, size.width - 1)
    y = np.clip((pixel[:, 1] * factor).astype(np.int64), 0, size.height - 1)
    nearest = np.asarray(canvas.inverse)[y, x]
    slack = _BEHIND * float(np.ptp(points[:, 2])) + 1.5 * float(np.median(z)) / small.intrinsics.fx
    clear = (slant > _GRAZING) & ((nearest == 0) | (z <= 1 / np.maximum(nearest, 1e-12) + slack))
    within = (pixel >= 0).all(axis=1) & (pixel[:, 0] < lens.size.width) & (pixel[:, 1] < lens.size.height)
    return Seen(pixel, slant, clear & within)


def _sheet(sights: Sequence[Sight], side: int) -> tuple[Image, F64]:
    """All cut-outs, cropped, on one sheet.

    Returns:
        The texture, and per picture: left and top of its crop, texels per pixel, left and top on the sheet.
    """
    import cv2

    of_image = {id(sight.image): number for number, sight in reversed(list(enumerate(sights)))}
    own = sorted(of_image.values())
    boxes = [_box(sights[number].alpha) for number in own]
    columns = int(np.ceil(np.sqrt(len(own))))
    cell_w = max(right - left for left, _, right, _ in boxes)
    cell_h = max(bottom - top for _, top, _, bottom in boxes)
    rows = -(-len(own) // columns)
    factor = min(1.0, (side - _GAP * columns) / (cell_w * columns), (side - _GAP * rows) / (cell_h * rows))
    wide, high = (max(8, int(factor * n)) for n in (cell_w, cell_h))
    sheet = np.zeros((rows * (high + _GAP), columns * (wide + _GAP), 3), np.uint8)
    places: list[tuple[float, ...]] = []
    for number, (left, top, right, bottom) in enumerate(boxes):
        row, column = divmod(number, columns)
        crop = _bled(sights[own[number]].image, (left, top, right, bottom))
        size = max(1, round((right - left) * factor)), max(1, round((bottom - top) * factor))
        small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA) if factor < 1 else crop
        y, x = row * (high + _GAP), column * (wide + _GAP)
        padded = cv2.copyMakeBorder(small, 0, high + _GAP, 0, wide + _GAP, cv2.BORDER_REPLICATE)
        sheet[y : y + high + _GAP, x : x + wide + _GAP] = padded[: high + _GAP, : wide + _GAP]
        places.append((left, top, factor, x, y))
    place_of = [places[own.index(of_image[id(sight.image)])] for sight in sights]
    return Image(sheet, source=sights[0].image.source), np.array(place_of, np.float64)


def _box(alpha: U8) -> tuple[int, int, int, int]:
    inside = alpha >= 128
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    h, w = alpha.shape
    return max(0, columns[0] - 4), max(0, rows[0] - 4), min(w, columns[-1] + 5), min(h, rows[-1] + 5)


def _bled(image: Image, box: tuple[int, int, int, int]) -> U8:
    """The crop with the colours of the object drawn out over its rim: no background comes in at the edge."""
    import cv2

    left, top, right, bottom = box
    pixels = np.asarray(image.pixels)[top:bottom, left:right]
    inside = np.asarray(image.alpha)[top:bottom, left:right] >= 250
    kernel: NDArray[np.uint8] = np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8)
    sure = np.asarray(cv2.erode(inside.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE)) > 0
    thin = inside & ~(np.asarray(cv2.dilate(sure.astype(np.uint8), np.ones((9, 9), np.uint8))) > 0)
    sure = sure | thin if (sure | thin).any() else np.asarray(image.alpha)[top:bottom, left:right] >= 128
    return np.where(sure[..., None], pixels, pixels.reshape(-1, 3)[nearest_true(sure)])
