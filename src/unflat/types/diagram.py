"""What is in a drawing of a cell, an organ or an organism: regions within regions, lines, and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.types.arrays import Bool, settle
from unflat.types.image import Size


@dataclass(frozen=True, slots=True)
class Region:
    """What one outline of a drawing encloses, or one single line.

    Attributes:
        number: Its number in the diagram's map, 1 or more.
        name: Different from those of all other regions.
        parent: The number of the region that it lies in, or None.
        color: sRGB bytes, the mean of what is drawn in it.
        line: It is a line that encloses nothing: a flagellum, a thread.
        tinted: Nothing in it is coloured; its colour is made up.
    """

    number: int
    name: str
    parent: int | None
    color: tuple[int, int, int]
    line: bool = False
    tinted: bool = False


@dataclass(frozen=True, slots=True)
class Caption:
    """A printed text of a drawing, unread.

    Attributes:
        box: Left, top, right and bottom of its letters, in pixels of the picture.
        tip: Where its leader ends, or the middle of a text without one; (x, y) in pixels of the picture.
        region: The number of the region that it names, or None: a title.
        led: Whether a line leads from it to what it names.
    """

    box: tuple[float, float, float, float]
    tip: tuple[float, float]
    region: int | None
    led: bool


@dataclass(frozen=True, slots=True, eq=False)
class Diagram:
    """A drawing, taken apart.

    Attributes:
        numbers: (h, w) int32: which region each place belongs to, the innermost; 0 is paper. It may be smaller than
            the picture.
        regions: Those that lie in others come after them.
        captions: Those in the left half of the picture from top to bottom, then those in the right half.
        picture: The size of the picture.
    """

    numbers: NDArray[np.int32]
    regions: tuple[Region, ...]
    captions: tuple[Caption, ...]
    picture: Size

    def __post_init__(self) -> None:
        settle(self, "numbers", "int32", (None, None))
        known: set[int | None] = {None}
        for region in self.regions:
            if region.parent not in known or region.number in known or region.number < 1:
                raise ShapeError("each region of a diagram has its own number, and comes after the one it lies in")
            known.add(region.number)
        if len({region.name for region in self.regions}) != len(self.regions):
            raise ShapeError("the regions of a diagram need different names")

    @property
    def per_cell(self) -> float:
        """Pixels of the picture for each cell of the map."""
        return self.picture.width / self.numbers.shape[1]

    def children(self, number: int | None) -> tuple[Region, ...]:
        """The regions that lie directly in one, or on the paper (None)."""
        return tuple(region for region in self.regions if region.parent == number)

    def inside(self, number: int) -> Bool:
        """(h, w) bool, the region and all that lies in it."""
        family = {number}
        for region in self.regions:
            if region.parent in family:
                family.add(region.number)
        table = np.zeros(int(self.numbers.max()) + 2, bool)
        table[[n for n in family if n < len(table)]] = True
        return table[self.numbers]

    def __repr__(self) -> str:
        return f"Diagram({len(self.regions)} regions, {len(self.captions)} captions, of {self.picture})"


@dataclass(frozen=True, slots=True)
class LabelNote:
    """One label.

    Attributes:
        text: What it says.
        at_px: (x, y) in pixels of the upright picture; or None.
        node: The region that it names, by its name; or None.
        detail: What more there is to read, or None.
    """

    text: str
    at_px: tuple[float, float] | None = None
    node: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class RegionNote:
    """The name of the region that a pixel of the upright picture lies in."""

    name: str
    at_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class DiagramNotes:
    """All that was told of a drawing."""

    labels: tuple[LabelNote, ...] = ()
    regions: tuple[RegionNote, ...] = ()
