"""Two pictures that show the same thing: the noun alone, which the process that places cameras loads, too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.types.arrays import F64, settle

Rows = NDArray[np.int32]
FEWEST = 15
"""With fewer points that agree, two pictures are not believed to show the same thing."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Two pictures that show the same thing.

    Attributes:
        first: Number of a picture.
        second: Number of another one, greater.
        rows: (n, 2) int32, features of the first and the second that are the same place.
        fundamental: (3, 3), second' F first = 0 in pixels.
        turned: Whether they say that the camera only turned; a plane that it moves along looks the same.
    """

    first: int
    second: int
    rows: Rows
    fundamental: F64
    turned: bool = False

    def __post_init__(self) -> None:
        settle(self, "rows", "int32", (None, 2))
        settle(self, "fundamental", "float64", (3, 3))
