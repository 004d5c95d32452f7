"""A layered depth image: what the picture shows, and what stands behind its outlines."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unflat.errors import ShapeError
from unflat.types.arrays import F32, U8, Bool, settle
from unflat.types.depth import DepthMap
from unflat.types.image import Image, Size


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A surface over some pixels of the depth map's grid.

    Attributes:
        inverse: (h, w) float32 inverse depth, 1/m; 0 where the layer has nothing.
        colour: (h, w, 3) uint8 sRGB; the picture's own where the layer has nothing.
        invented: (h, w) bool, colour and depth made up rather than seen.
        alpha: (h, w) float32 in 0..1; None is opaque.
    """

    inverse: F32
    colour: U8
    invented: Bool
    alpha: F32 | None = None

    def __post_init__(self) -> None:
        settle(self, "inverse", "float32", (None, None))
        shape = self.size.shape
        settle(self, "colour", "uint8", (*shape, 3))
        settle(self, "invented", "bool", shape)
        settle(self, "alpha", "float32", shape)

    @property
    def size(self) -> Size:
        """Width and height of the grid in pixels."""
        return Size(self.inverse.shape[1], self.inverse.shape[0])

    @property
    def on(self) -> Bool:
        """(h, w) bool, where the layer has something."""
        return self.inverse > 0

    def __repr__(self) -> str:
        return f"Layer({self.size}, {float(self.on.mean()):.1%} of it)"


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A picture in layers (Shade, Gortler, He and Szeliski, "Layered depth images", 1998).

    Seen from the picture's own place they show the picture. The hidden layer overlaps the seen surfaces it continues,
    so nothing opens between them.

    Attributes:
        picture: What was seen, whole.
        depth: Its depth, with a camera.
        kept: (h, w) bool, the pixels of ``depth`` that are a surface, or sky, of their own. The others along outlines
            show two at once: what goes on behind and the soft layer stand for them.
        hidden: What goes on behind nearer things.
        deeper: What goes on behind hidden things in their turn; mostly empty.
        soft: The seam of nearer things, half transparent, in front of the hidden layer.
        reach: How far the eye may move aside before it looks past the hidden layer, in metres.
        steepest: Where inverse depth jumps by more than this from pixel to pixel, in 1/m, surfaces are cut: what would
            stretch too far at that reach.
        sky: The sky that goes on behind things, farther off than all of them; its inverse depth is no measure.
        deepest: What goes on behind deeper things once more: rims of half-way depth hide one surface in another.
    """

    picture: Image
    depth: DepthMap
    kept: Bool
    hidden: Layer
    deeper: Layer
    soft: Layer
    reach: float
    steepest: float = math.inf
    sky: Layer | None = None
    deepest: Layer | None = None

    def __post_init__(self) -> None:
        settle(self, "kept", "bool", self.depth.size.shape)
        for name in ("hidden", "deeper", "soft", "sky", "deepest"):
            layer = getattr(self, name)
            if layer is not None and layer.size != self.depth.size:
                raise ShapeError(f"the {name} layer is {layer.size}, the depth {self.depth.size}")

    @property
    def behind(self) -> tuple[Layer, ...]:
        """The hidden layer, the deeper and the deepest one, from the nearest to the farthest."""
        return (self.hidden, self.deeper) if self.deepest is None else (self.hidden, self.deeper, self.deepest)

    def __repr__(self) -> str:
        return f"Layers({self.depth.size}, hidden {float(self.hidden.on.mean()):.1%}, reach {self.reach:.3g} m)"
