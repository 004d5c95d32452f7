"""Where a camera is at a time, as a user writes it down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from unflat.errors import InputError

Point = tuple[float, float, float]
LONGEST_S = 3600.0
"""No flight takes longer, as no motion does."""
SHORTEST_S = 1e-3
"""Between two keyframes: what is flown in less would leave every measure."""
FARTHEST_M = 1e6
"""No keyframe is farther away along any axis."""


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
        if any(abs(n) > FARTHEST_M for n in (*self.position, *(self.target or ()))):
            raise InputError(f"a keyframe lies farther away than {FARTHEST_M:g} m", hint="Lengths are metres.")
        if self.fov_deg is not None and not 1 <= self.fov_deg <= 170:
            raise InputError(
                f"a keyframe's field of view of {self.fov_deg:g} degrees is out of range", hint="1 to 170."
            )


def in_order(keyframes: list[Keyframe]) -> tuple[Keyframe, ...]:
    """The keyframes of a flight, checked.

    Raises:
        InputError: Fewer than two, their times do not rise, or it takes too long.
    """
    if len(keyframes) < 2:
        raise InputError("a flight needs at least two keyframes")
    for one, other in pairwise(keyframes):
        if not other.time - one.time >= SHORTEST_S:
            raise InputError(
                f"the times of keyframes must rise: {one.time:g} s, then {other.time:g} s",
                hint=f"Seconds, at least {SHORTEST_S:g} apart.",
            )
    lasts = keyframes[-1].time - keyframes[0].time
    if lasts > LONGEST_S:
        raise InputError(
            f"a flight of {lasts:g} s is too long", hint=f"Times are seconds, at most {LONGEST_S:g} in all."
        )
    return tuple(keyframes)
