"""What will go wrong when a picture is converted: where, how much of it, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unflat.errors import ShapeError
from unflat.types.arrays import F32, settle
from unflat.types.image import Size

Trouble = Literal["mirror", "glass", "blank wall", "cut-off subject"]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the width and height of the picture, without its frame if it was cropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Where a picture shows what fools a depth network: maps of probability over the whole picture, of any size.

    Attributes:
        mirror: (h, w) float32 in 0..1; from one half on it counts as one. The same for the others.
        glass: Panes, vessels, cases.
        blank: Large flat surfaces on which nothing is to be seen: walls, ceilings, table tops.
    """

    mirror: F32
    glass: F32
    blank: F32

    def __post_init__(self) -> None:
        for name in ("mirror", "glass", "blank"):
            settle(self, name, "float32", (None, None))
            if getattr(self, name).shape != self.mirror.shape:
                raise ShapeError(f"the marks of {name} are not of the size of the others")

    @property
    def size(self) -> Size:
        """Width and height of the maps in pixels."""
        return Size(self.mirror.shape[1], self.mirror.shape[0])


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that will go wrong.

    Attributes:
        trouble: What it is.
        box: Where it is.
        share: How much of the picture it covers, 0..1.
        confidence: How sure this is, 0..1.
        strong: Whether it is sure and large enough to be told without being asked.
        text: What it is and what it does, in words for the user.
        advice: What helps.
    """

    trouble: Trouble
    box: Box
    share: float
    confidence: float
    strong: bool
    text: str
    advice: str
