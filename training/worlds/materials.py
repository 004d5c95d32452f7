"""What a surface looks like, as numbers for the tracer: materials, and the tileable colour maps they may show.

Colours are linear RGB. A material's pattern is drawn by noise (`noise.pattern`), or taken from a collection of tileable
colour maps (`Tiles`), where one is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Pattern = Literal[
    "plain",  # one colour
    "clouds",  # fractal noise between the two colours (solid: no seams)
    "stripes",  # along u
    "checks",
    "bricks",  # running bond; mortar is the second colour
    "tiles",  # square grid; joints are the second colour
    "planks",  # along u, each with its own shade, and grain
    "grain",  # wood: noise stretched along v
    "dots",
    "speckle",  # terrazzo, granite
    "marble",
    "strands",  # fur and hair: fine noise stretched along v
    "print",  # lines of dark marks, like text
    "picture",  # a made-up picture: patches, a horizon, blobs; uv runs 0..1 over the part (give uv yourself)
    "windows",  # a façade: panes of the second colour in a grid of 1 × 1 uv / frequency
    "leaves",  # leaf-sized cells, each its own shade
]
PATTERNS = get_args(Pattern)
"""The index of a pattern here is its number in `noise.pattern`."""
Kind = Literal["matte", "glass", "mirror", "light"]
KINDS = get_args(Kind)
Colour = Sequence[float]


@dataclass(frozen=True, slots=True)
class Material:
    """What a surface looks like.

    colour, second: linear RGB of the pattern. frequency: cycles per metre of uv (or of space, for solid noise).
    tile: index of a tileable map (-1: none), tile_size: metres that one tile covers, tinted: 1 takes the tile's
    brightness but the material's colour, 0 the tile's own colours. shine 0..1 strength and gloss 0..1 sharpness of the
    reflection, metal: the reflection takes the colour. holes 0..1: share of the surface that is cut away in cells of
    1 / frequency (foliage, lace, fences). glow: emitted light (kind "light"). bump: height of the relief in metres.
    """

    colour: Colour = (0.5, 0.5, 0.5)
    second: Colour = (0.3, 0.3, 0.3)
    pattern: Pattern = "plain"
    frequency: float = 1.0
    tile: int = -1
    tile_size: float = 1.0
    tinted: float = 1.0
    shine: float = 0.05
    gloss: float = 0.3
    metal: bool = False
    holes: float = 0.0
    glow: float = 0.0
    bump: float = 0.0
    kind: Kind = "matte"
    seed: int = 0

    def row(self) -> NDArray[np.float32]:
        """The numbers the tracer reads, in the order of the fields; names become indices."""
        values: list[float] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "pattern":
                values.append(PATTERNS.index(value))
            elif field.name == "kind":
                values.append(KINDS.index(value))
            elif field.name in ("colour", "second"):
                values.extend(value)
            else:
                values.append(float(value))
        return np.array(values, np.float32)


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tileable colour maps: linear RGB (n, side, side, 3), and which of them belong to a category."""

    maps: NDArray[np.float32]
    categories: dict[str, NDArray[np.int64]]

    @classmethod
    def none(cls) -> Tiles:
        """No maps: every pattern is drawn by noise."""
        return cls(np.ones((1, 1, 1, 3), np.float32), {})

    @classmethod
    def read(cls, path: Path, side: int = 128) -> Tiles:
        """From a tar or a folder of CATEGORY/NAME.jpg."""
        import tarfile

        import cv2

        files: list[tuple[str, bytes]] = []
        if path.is_dir():
            files = [(p.parent.name, p.read_bytes()) for p in sorted(path.rglob("*.jpg"))]
        else:
            with tarfile.open(path) as archive:
                for member in archive.getmembers():
                    stream = archive.extractfile(member) if member.name.lower().endswith(".jpg") else None
                    if stream:
                        files.append((member.name.split("/")[-2], stream.read()))
        pictures, categories = [], dict[str, list[int]]()
        for category, content in files:
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            if picture is None:
                raise ValueError(f"{path}: a picture of {category} cannot be read")
            picture = cv2.resize(picture[:, :, ::-1], (side, side), interpolation=cv2.INTER_AREA)
            categories.setdefault(category, []).append(len(pictures))
            pictures.append((picture.astype(np.float32) / 255) ** 2.2)
        return cls(np.stack(pictures), {k: np.array(v) for k, v in categories.items()})
