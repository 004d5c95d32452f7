"""Where a camera is at a time, as a user writes it down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from unflat.errors import InputError

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One station of a flight, in axes of the picture's own camera: x right, y down, z forward, metres of the scene.

    Attributes:
        time: Seconds from the beginning.
        position: Where the camera is; (0, 0, 0) is where the picture was taken.
        target: What it looks at; None is the middle of the scene.
        fov_deg: Angle of view across the width in degrees; None is the picture's own.
    """

    time: float
    position: Point
    target: Point | None = None
    fov_deg: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.time, *self.position, *(self.target or ()))
        if not all(math.isfinite(n) for n in numbers):
            raise InputError("a keyframe's time, position and target must be finite numbers")
        if self.fov_deg is not None and not 1 <= self.fov_deg <= 170:
            raise InputError(
                f"a keyframe's field of view of {self.fov_deg:g} degrees is out of range", hint="1 to 170."
            )


def in_order(keyframes: list[Keyframe]) -> tuple[Keyframe, ...]:
    """The keyframes of a flight, checked.

    Raises:
        InputError: Fewer than two, or their times do not rise.
    """
    if len(keyframes) < 2:
        raise InputError("a flight needs at least two keyframes")
    for one, other in pairwise(keyframes):
        if not other.time > one.time:
            raise InputError(f"the times of keyframes must rise: {one.time:g} s, then {other.time:g} s")
    return tuple(keyframes)
