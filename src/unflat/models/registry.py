"""The table of depth models. A variant is a row; an outside package adds rows through entry points."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points

from unflat.errors import InputError
from unflat.models.card import ModelCard
from unflat.models.depth.protocol import DepthModel

ENTRY_POINTS = "unflat.depth_models"
"""Group of entry points; each names a callable ``make(threads: int) -> DepthModel`` with an attribute ``card``."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where a model's adapter lives; imported only when asked for."""

    name: str
    module: str
    maker: str


_ROWS = (
    Row("worlds", "unflat.models.depth.worlds", "Worlds"),
    Row("ramp", "unflat.models.depth.ramp", "Ramp"),
)
AUTO = "worlds"
"""What ``--depth auto`` stands for: the best model already on disk."""


def _rows() -> dict[str, Row]:
    table = {row.name: row for row in _ROWS}
    for point in entry_points(group=ENTRY_POINTS):
        table.setdefault(point.name, Row(point.name, point.module, point.attr))
    return table


def depth_model(name: str = "auto", *, threads: int = 0) -> DepthModel:
    """Open a model of the table.

    Args:
        name: A name of the table, or "auto" for the best one on disk.
        threads: Threads it may use; 0 for all.

    Raises:
        InputError: No such model.
    """
    table = _rows()
    row = table.get(AUTO if name == "auto" else name)
    if row is None:
        raise InputError(f"there is no depth model '{name}'", hint=f"Known models: auto {' '.join(sorted(table))}")
    return getattr(importlib.import_module(row.module), row.maker)(threads=threads)


def cards() -> tuple[ModelCard, ...]:
    """The cards of all models, in the order of the table."""
    return tuple(getattr(importlib.import_module(r.module), r.maker).card for r in _rows().values())
