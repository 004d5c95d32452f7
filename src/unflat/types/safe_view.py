"""How far the eye may leave the picture's viewpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from unflat.errors import ShapeError
from unflat.types.arrays import F64


@dataclass(frozen=True, slots=True)
class SafeView:
    """Where the eye may go before too much of what it sees is made up, missing or doubtful.

    Lengths are metres from the viewpoint of the picture, in the axes of its camera. Between the five ends the safe
    places fill, by good custom, an ellipsoid.

    Attributes:
        pivot: Depth of the point that an orbit turns about.
        left: How far to the left.
        right: How far to the right.
        up: How far upwards.
        down: How far downwards.
        nearer: How far forward.
        share: The share of a view, 0..1, that may be made up, missing or doubtful.
    """

    pivot: float
    left: float
    right: float
    up: float
    down: float
    nearer: float
    share: float

    def __post_init__(self) -> None:
        values = [getattr(self, field.name) for field in fields(self)]
        if not all(math.isfinite(v) and v >= 0 for v in values) or not (self.pivot > 0 and 0 < self.share < 1):
            raise ShapeError(f"a safe view has a positive pivot, a share within 0..1 and no negative length: {values}")

    @property
    def radius(self) -> float:
        """How far the eye may go whichever way, in metres; forward is no step aside and does not count."""
        return min(self.left, self.right, self.up, self.down)

    @property
    def yaw_deg(self) -> tuple[float, float]:
        """How far an orbit about the pivot may turn to the left (negative) and to the right, in degrees."""
        return -self._turn(self.left), self._turn(self.right)

    @property
    def pitch_deg(self) -> tuple[float, float]:
        """How far an orbit about the pivot may go down (negative) and up, in degrees."""
        return -self._turn(self.down), self._turn(self.up)

    def times(self, eye: F64) -> float:
        """How many times as far out as the safe places reach a place is.

        Args:
            eye: (3,) metres from the picture's viewpoint: x right, y down, z forward. Backwards has no end.
        """
        x, y, z = (float(v) for v in eye)
        ends = (self.right if x > 0 else self.left, self.down if y > 0 else self.up, self.nearer if z > 0 else math.inf)
        parts = [0.0 if step == 0 else abs(step) / max(end, 1e-12) for step, end in zip((x, y, z), ends, strict=True)]
        return math.hypot(*parts)

    def _turn(self, aside: float) -> float:
        return math.degrees(math.atan2(aside, self.pivot))

    def __repr__(self) -> str:
        return f"SafeView(radius {self.radius:.3g} m at {self.pivot:.3g} m, {self.share:.0%})"
