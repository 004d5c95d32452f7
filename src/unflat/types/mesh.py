"""A triangle surface and the picture on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8, U32, Bool, settle
from unflat.types.image import Image


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles in the frame of their scene, in metres.

    Attributes:
        vertices: (n, 3) float32.
        faces: (m, 3) uint32, counter-clockwise seen from outside (from the camera that saw it).
        normals: (n, 3) float32 of length 1, or None.
        uv: (n, 2) float32; (0, 0) is the top left corner of the texture, (1, 1) the bottom right.
        colors: (n, 3) uint8 sRGB, or None.
        confidence: (n,) float32 in 0..1, or None where unknown.
        invented: (n,) bool, made up rather than seen; None means that nothing is.
        texture: The picture that ``uv`` refers to.
    """

    vertices: F32
    faces: U32
    normals: F32 | None = None
    uv: F32 | None = None
    colors: U8 | None = None
    confidence: F32 | None = None
    invented: Bool | None = None
    texture: Image | None = None

    def __post_init__(self) -> None:
        settle(self, "vertices", "float32", (None, 3))
        settle(self, "faces", "uint32", (None, 3))
        n = len(self.vertices)
        settle(self, "normals", "float32", (n, 3))
        settle(self, "uv", "float32", (n, 2))
        settle(self, "colors", "uint8", (n, 3))
        settle(self, "confidence", "float32", (n,))
        settle(self, "invented", "bool", (n,))
        if len(self.faces) and int(self.faces.max()) >= n:
            raise ShapeError(f"a face names vertex {int(self.faces.max())}, there are {n}")
        if not np.isfinite(self.vertices).all():
            raise ShapeError("the vertices of a mesh must be finite")
        if self.texture is not None and self.uv is None:
            raise ShapeError("a mesh with a texture needs uv")

    def __repr__(self) -> str:
        return f"Mesh({len(self.vertices)} vertices, {len(self.faces)} triangles{', textured' if self.texture else ''})"
