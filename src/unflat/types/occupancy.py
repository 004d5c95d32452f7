"""A place from above: where one can stand, where something is, and what nobody saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unflat.errors import ShapeError
from unflat.types.arrays import settle
from unflat.types.provenance import Provenance
from unflat.types.scale import Scale

UNKNOWN, FREE, OCCUPIED = -1, 0, 1
Cells = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Occupancy:
    """Square cells of the floor of a level scene (y down, the floor at y = 0).

    Attributes:
        cells: (h, w) int8: -1 unknown, 0 free, 1 occupied. Cell (i, j) spans x from ``x + j · cell`` and z from
            ``z + i · cell`` on.
        cell: Its side in metres.
        x: Of the side where the cells begin, in metres.
        z: Likewise.
        band: From which to which height above the floor, in metres, something makes a cell occupied.
        scale: How well the metres are known; None where nobody settled that.
        provenance: Where it came from, or None.
    """

    cells: Cells
    cell: float
    x: float
    z: float
    band: tuple[float, float] = (0.0, 0.0)
    scale: Scale | None = None
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        settle(self, "cells", "int8", (None, None))
        if not (self.cell > 0 and np.isfinite([self.cell, self.x, self.z]).all()):
            raise ShapeError(f"cells of {self.cell} m from ({self.x}, {self.z}) on are no map")
        if self.cells.size and not bool(np.isin(self.cells, (UNKNOWN, FREE, OCCUPIED)).all()):
            raise ShapeError("a cell is unknown (-1), free (0) or occupied (1)")

    def __str__(self) -> str:
        counts = [int((self.cells == what).sum()) for what in (FREE, OCCUPIED, UNKNOWN)]
        return "Occupancy({} free, {} occupied, {} unknown cells of {:g} m)".format(*counts, self.cell)
