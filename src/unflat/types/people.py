"""People in pictures: where they were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unflat.errors import ShapeError
from unflat.types.image import Size

PersonPart = Literal["face", "body"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face or a body that was found.

    Attributes:
        part: What of a person it is.
        left: Of the box around it, pixels of the upright picture from its left edge.
        top: From its top edge.
        width: Of the box, pixels.
        height: Of the box, pixels.
        score: 0..1, how sure the finder is; comparable only within one finder.
    """

    part: PersonPart
    left: float
    top: float
    width: float
    height: float
    score: float = 1.0

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.height > 0):
            raise ShapeError(f"a sighting has an area, not {self.width:g}×{self.height:g}")


@dataclass(frozen=True, slots=True)
class People:
    """Who was found in a picture of ``size``; an empty tuple means that nobody was."""

    size: Size
    seen: tuple[Sighting, ...] = ()

    @property
    def faces(self) -> tuple[Sighting, ...]:
        """The faces alone."""
        return tuple(one for one in self.seen if one.part == "face")

    def __bool__(self) -> bool:
        return bool(self.seen)
