"""scene + camera -> a picture, on the CPU, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from unflat.errors import InputError
from unflat.geometry.raster import Canvas, Placed, placed
from unflat.types.arrays import F32, U8, Bool
from unflat.types.camera import Camera
from unflat.types.image import Image, Size
from unflat.types.mesh import Mesh
from unflat.types.scene import Node


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a camera sees of a scene.

    Attributes:
        colour: (h, w, 3) float32 sRGB in 0..255; 0 where nothing is seen.
        inverse: (h, w) float32 inverse depth, 1/m; 0 where nothing is seen.
        invented: (h, w) bool, made up rather than seen by the photograph.
    """

    colour: F32
    inverse: F32
    invented: Bool

    @property
    def open(self) -> Bool:
        """(h, w) bool, where nothing is seen."""
        return self.inverse == 0


@dataclass(slots=True)
class Painter:
    """Textures at about the size at which they are seen, kept from one picture to the next.

    Attributes:
        bands: Into how many bands of rows a picture is shared out; None: as many as there are cores. Several threads
            may paint pictures with one painter; each is then best left in one band.
    """

    bands: int | None = None
    _ready: dict[tuple[int, int, bool], tuple[Image, U8]] = field(
        default_factory=dict[tuple[int, int, bool], tuple[Image, U8]]
    )

    def fitting(self, texture: Image, seen: Placed, *, soft: bool) -> U8:
        """(h, w, 3) the texture, with alpha (4) if ``soft``; halved until its pixels are about those of the picture."""
        level = _level(texture.size, seen)
        key = id(texture), level, soft
        if key not in self._ready:
            whole = np.dstack([texture.pixels, texture.alpha]) if soft and texture.alpha is not None else texture.pixels
            size = max(1, texture.size.width >> level), max(1, texture.size.height >> level)
            small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA) if level else whole
            self._ready[key] = texture, np.ascontiguousarray(small, np.uint8)
        return self._ready[key][1]


def _level(size: Size, seen: Placed) -> int:
    """How often a texture may be halved: by its area in pixels over that which its triangles take in the picture."""
    some = seen.faces[:: max(1, len(seen.faces) // 4_000)]
    if not len(some):
        return 0
    (a, b, c), (p, q, r) = (x[some].transpose(1, 0, 2) for x in (seen.corners[:, :2], seen.uv))
    inside, texels = _area(b - a, c - a), _area(q - p, r - p) * size.pixels
    return max(0, int(0.5 * np.log2(max(float(texels / max(inside, 1e-6)), 1e-6)) + 0.25))


def _area(one: F32, other: F32) -> float:
    """Twice the area of all triangles with these two sides, (n, 2) each."""
    return float(np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum())


def render_view(nodes: Sequence[Node], camera: Camera, painter: Painter | None = None, *, sharp: bool = True) -> View:
    """See textured meshes with a camera: opaque ones by depth, then the soft seams over them.

    Args:
        nodes: Meshes with textures.
        camera: Where the eye is, and how large its picture.
        painter: Keeps textures from one picture to the next.
        sharp: Cubic rather than linear between the pixels of a texture; slower.

    Raises:
        InputError: A node is no textured mesh.
    """
    painter = painter or Painter()
    shape = camera.intrinsics.size.shape
    solid, soft = Canvas(*shape, painter.bands), Canvas(*shape, painter.bands)
    drawn: list[tuple[Canvas, Mesh, int, U8]] = []
    for node in sorted(nodes, key=lambda node: node.role == "soft"):
        mesh = node.item
        if not isinstance(mesh, Mesh) or mesh.texture is None or mesh.uv is None:
            raise InputError(f"the node '{node.name}' is no surface with a picture on it")
        seen = placed(mesh.vertices, mesh.faces, mesh.uv, camera)
        canvas = soft if node.role == "soft" else solid
        texture = painter.fitting(mesh.texture, seen, soft=canvas is soft)
        drawn.append((canvas, mesh, canvas.draw(seen), texture))
    soft.cover(solid)
    colour, invented = np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32)
    for canvas, mesh, number, texture in drawn:
        canvas.shade(number, texture, colour, sharp=sharp)
        if canvas is solid and mesh.invented is not None:
            canvas.values(number, mesh.invented.astype(np.float32), invented)
    return View(colour, solid.inverse, invented > 0.5)


def sees_past(nodes: Sequence[Node], camera: Camera) -> float:
    """The share of a camera's picture that shows nothing of a scene, 0..1."""
    canvas = Canvas(*camera.intrinsics.size.shape)
    for node in nodes:
        if isinstance(node.item, Mesh) and node.item.uv is not None and node.role != "soft":
            canvas.draw(placed(node.item.vertices, node.item.faces, node.item.uv, camera))
    return float((canvas.inverse == 0).mean())
