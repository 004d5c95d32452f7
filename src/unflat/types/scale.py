"""How well the metres of a scene or a depth map are known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unflat.errors import ShapeError

ScaleBasis = Literal[
    "metric-source", "known-length", "marker", "familiar", "subject-distance", "assumed", "made-to-measure"
]
"""How the size is known. ``assumed``: nothing in the picture told it. ``made-to-measure``: it was chosen (a relief)."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How well the metres of a scene are known.

    The scene is written in these metres; its true size is, with the stated coverage, between
    ``low`` and ``high`` times as large.

    Attributes:
        basis: What told the size.
        low: Lower end of the factor from written to true metres, 0 < low <= 1 for an honest interval.
        high: Upper end of that factor.
        coverage: How often the interval is expected to hold the truth.
        detail: In words for the user ("a standing person, 1.7 m").
    """

    basis: ScaleBasis
    low: float
    high: float
    coverage: float = 0.9
    detail: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.low <= self.high and math.isfinite(self.high)):
            raise ShapeError(f"a scale interval must be positive and ordered, not {self.low}..{self.high}")

    @property
    def assumed(self) -> bool:
        """True if nothing in the picture told the size."""
        return self.basis == "assumed"
