"""Which side of a thing a picture shows, by the name of its file or by what the user says; and cameras for such sides.

Pictures that hardly overlap cannot be registered, but shops name them: shoe_front.png, shoe_left.png, shoe_back.png. A
camera far away at that side is near enough to the truth for their outlines to be used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unflat.errors import InputError
from unflat.types.camera import Camera, Intrinsics, Pose
from unflat.types.image import Image
from unflat.types.sight import Sight

FOV_DEG = 12.0
"""Across the long side of a product picture whose lens nothing tells: they are taken from afar."""


class Side(NamedTuple):
    """From where a thing is seen, in degrees.

    Attributes:
        yaw: 0 is its front, 90 its right as one sees it who looks at its front, 180 its back.
        pitch: By how much the eye looks down: 90 from above, -90 from below.
    """

    yaw: float
    pitch: float


SIDES = {
    "front": Side(0, 0),
    "right": Side(90, 0),
    "side": Side(90, 0),
    "profile": Side(90, 0),
    "back": Side(180, 0),
    "rear": Side(180, 0),
    "left": Side(270, 0),
    "top": Side(0, 90),
    "above": Side(0, 90),
    "bottom": Side(0, -90),
    "below": Side(0, -90),
    "underside": Side(0, -90),
}
_KNOWN = f"Known: {' '.join(SIDES)}, or degrees around the object, front 0 and right 90."


@dataclass(frozen=True, slots=True)
class NameOptions:
    """How it is known which side a cut-out shows."""

    sides: str | None = None
    """Which side each picture shows, in their order: front,right,back … or degrees around the object (0,45,90), or
    turntable for equal steps. Unless said, the files' names tell it."""

    def __post_init__(self) -> None:
        if self.sides is not None and self.sides != "turntable":
            told(self.sides)


def told(words: str) -> list[Side]:
    """The sides that a user names: "front,right", "0,45,90".

    Raises:
        InputError: A word is neither a side nor a number.
    """
    found: list[Side] = []
    for word in words.lower().split(","):
        name = word.strip()
        if name in SIDES:
            found.append(SIDES[name])
            continue
        try:
            yaw = float(name)
        except ValueError:
            raise InputError(f"'{word}' is no side of an object", hint=_KNOWN) from None
        if not math.isfinite(yaw):
            raise InputError(f"'{word}' is no side of an object", hint=_KNOWN)
        found.append(Side(yaw % 360, 0))
    return found


def side_in(name: str) -> Side | None:
    """The side that a file's name tells, as a word of its own: "shoe_front.png", "left-2.jpg"; None where none does."""
    words = re.split(r"[^a-z]+", name.rsplit(".", 1)[0].lower())
    return next((SIDES[word] for word in reversed(words) if word in SIDES), None)


def sides_of(names: Sequence[str], options: NameOptions) -> list[Side | None]:
    """From where each picture was taken; None where nothing tells.

    Raises:
        InputError: The user named more or fewer sides than there are pictures.
    """
    if options.sides is None:
        return [side_in(name) for name in names]
    if options.sides == "turntable":
        return [Side(360 * k / len(names), 0) for k in range(len(names))]
    found = told(options.sides)
    if len(found) != len(names):
        raise InputError(
            f"{len(found)} sides were named for {len(names)} pictures", hint="Name one for each, in their order."
        )
    return list(found)


def sights_of(images: Sequence[Image], sides: Sequence[Side]) -> list[Sight]:
    """Cameras for cut-outs whose sides are known, so that all show the thing in one size.

    All pictures from around are as high as the first of them; one from above or below is as wide as the front is, or as
    the thing is deep where only its side is known. The middle of each outline's box looks at the middle of the thing.

    Args:
        images: With alpha.
        sides: As many.

    Returns:
        In units of the first level picture's pixels; x right, y down, z away from who looks at the front.
    """
    boxes = [_box(image) for image in images]
    level = [number for number, side in enumerate(sides) if abs(side.pitch) < 45]
    if not level:
        raise InputError("pictures from above or below alone tell no height", hint="Add one of the front or the side.")
    high = boxes[level[0]][3] - boxes[level[0]][1]
    units = [high / (box[3] - box[1]) for box in boxes]
    front = next((n for n in level if abs(math.sin(math.radians(sides[n].yaw))) < 0.5), None)
    flank = next((n for n in level if abs(math.cos(math.radians(sides[n].yaw))) < 0.5), None)
    for number, side in enumerate(sides):
        if number in level:
            continue
        left, top, right, bottom = boxes[number]
        if front is not None:
            width = (boxes[front][2] - boxes[front][0]) * units[front]
            units[number] = width / (right - left)
        elif flank is not None:
            width = (boxes[flank][2] - boxes[flank][0]) * units[flank]
            units[number] = width / (bottom - top)
        else:
            raise InputError(f"nothing tells the width of the thing for the picture at {side.pitch:g} degrees")
    return [_sight(*each) for each in zip(images, sides, boxes, units, strict=True)]


def _box(image: Image) -> tuple[float, float, float, float]:
    assert image.alpha is not None
    inside = np.asarray(image.alpha) >= 128
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _sight(image: Image, side: Side, box: tuple[float, float, float, float], unit: float) -> Sight:
    """A camera whose pixels are ``unit`` large where the thing's middle is."""
    focal = image.size.long_side / (2 * math.tan(math.radians(FOV_DEG) / 2))
    lens = Intrinsics(focal, focal, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, image.size, "assumed")
    a, b = math.radians(side.yaw), math.radians(side.pitch)
    # Who goes around to the right looks back to the left: the world's y axis is turned by −yaw.
    around = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
    down = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    world = np.eye(4)
    world[:3, :3] = around @ down
    world[:3, 3] = -world[:3, 2] * focal * unit
    return Sight(image, Camera(lens, Pose(world), image.source.name))
