"""All surfaces of a scene as one, for formats that hold a single thing; and colours taken from a texture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unflat.errors import InputError
from unflat.types.arrays import F32, U8, U32, Bool
from unflat.types.image import Image
from unflat.types.mesh import Mesh
from unflat.types.points import PointCloud
from unflat.types.scene import Node, Scene

_GREY = 128


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Vertices of meshes and loose points in one list, in the frame of the scene.

    Attributes:
        xyz: (n, 3) float32, metres.
        faces: (m, 3) uint32; none for loose points.
        normals: (n, 3) float32, or None unless every part has them.
        colors: (n, 3) uint8, or None if no part has a colour; a part without one is grey.
        confidence: (n,) float32, or None unless every part has it.
        invented: (n,) bool, or None if nothing is invented.
    """

    xyz: F32
    faces: U32
    normals: F32 | None
    colors: U8 | None
    confidence: F32 | None
    invented: Bool | None


def merged(scene: Scene) -> Merged:
    """All meshes and points of a scene as one. The sky is left out: it has no place of its own.

    Raises:
        InputError: Nothing is left.
    """
    parts = [
        _painted(n)
        for n in scene.nodes
        if n.role in ("surface", "beyond", "hidden") and isinstance(n.item, (Mesh, PointCloud))
    ]
    parts = [part for part in parts if len(_xyz(part))]
    if not parts:
        raise InputError("the scene holds no surface and no points", hint="The sky alone is not written here.")
    lengths = [len(_xyz(part)) for part in parts]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.uint32)
    faces = [p.faces + s for p, s in zip(parts, starts, strict=True) if isinstance(p, Mesh)]
    invented = [part.invented for part in parts]
    colors = [_colors(part) for part in parts]
    return Merged(
        np.concatenate([_xyz(part) for part in parts]),
        np.concatenate(faces) if faces else np.zeros((0, 3), np.uint32),
        _all_or_none([part.normals for part in parts]),
        _any_or_none(colors, lengths, _GREY),
        _all_or_none([part.confidence for part in parts]),
        _any_or_none(invented, lengths, False),
    )


def sampled(texture: Image, uv: F32) -> U8:
    """Colours of a picture at ``uv``, bilinear between pixel centres, clamped at the border.

    Args:
        texture: The picture.
        uv: (n, 2) float32, (0, 0) top left.

    Returns:
        (n, 3) uint8 sRGB.
    """
    size = texture.size
    column, right, along = _between(uv[:, 0], size.width)
    row, below, down = _between(uv[:, 1], size.height)
    top = texture.pixels[row, column] * (1 - along) + texture.pixels[row, right] * along
    bottom = texture.pixels[below, column] * (1 - along) + texture.pixels[below, right] * along
    return np.rint(top * (1 - down) + bottom * down).astype(np.uint8)


def _between(at: F32, length: int) -> tuple[NDArray[np.intp], NDArray[np.intp], F32]:
    """The two pixels on either side, and the (n, 1) share of the second."""
    pixel = np.clip(np.nan_to_num(at) * np.float32(length) - np.float32(0.5), 0, length - 1)
    first = np.floor(pixel).astype(np.intp)
    return first, np.minimum(first + 1, length - 1), (pixel - first).astype(np.float32)[:, None]


def _painted(node: Node) -> Mesh | PointCloud:
    """A node's surface or points, in the colour of its finish where it has none of its own."""
    item = node.item
    assert isinstance(item, Mesh | PointCloud)
    if node.finish is None or not isinstance(item, Mesh) or item.colors is not None or item.texture is not None:
        return item
    return dataclasses.replace(item, colors=np.tile(np.array(node.finish.color, np.uint8), (len(item.vertices), 1)))


def _xyz(part: Mesh | PointCloud) -> F32:
    return part.vertices if isinstance(part, Mesh) else part.xyz


def _colors(part: Mesh | PointCloud) -> U8 | None:
    if part.colors is None and isinstance(part, Mesh) and part.texture is not None and part.uv is not None:
        return sampled(part.texture, part.uv)
    return part.colors


def _all_or_none(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


def _any_or_none(parts: Sequence[NDArray[Any] | None], lengths: list[int], default: int) -> NDArray[Any] | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    shape, dtype = known[0].shape[1:], known[0].dtype
    filled = [
        part if part is not None else np.full((length, *shape), default, dtype)
        for part, length in zip(parts, lengths, strict=True)
    ]
    return np.concatenate(filled)
