"""The table of depth models. A variant is a row; an outside package adds rows through entry points."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, cast

from unflat.errors import InputError, UnflatError
from unflat.models import outside
from unflat.models.card import ModelCard
from unflat.models.depth.protocol import DepthModel

ENTRY_POINTS = "unflat.depth_models"
"""Group of entry points; each names a callable ``make(threads: int) -> DepthModel`` with an attribute ``card``. One
that can run elsewhere than on the CPU also takes ``device: str``, a word of ``--device``."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where a model's adapter lives; imported only when asked for."""

    name: str
    module: str
    maker: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A model of another package that could not be loaded.

    Attributes:
        name: The word that would name it.
        place: Its entry point, ``module:attribute``.
        error: What went wrong, in one line.
    """

    name: str
    place: str
    error: str


_ROWS = (
    Row("worlds", "unflat.models.depth.worlds", "Worlds"),
    Row("ramp", "unflat.models.depth.ramp", "Ramp"),
)
SHIPPED = frozenset(row.name for row in _ROWS)
"""The words of ``--depth`` whose models lie in unflat itself."""
AUTO = "worlds"
"""What ``--depth auto`` stands for where no better model was fetched."""


def _rows() -> dict[str, Row]:
    table = {row.name: row for row in _ROWS}
    for point in entry_points(group=ENTRY_POINTS):
        table.setdefault(point.name, Row(point.name, point.module, point.attr))
    return table


def depth_model(
    name: str = "auto",
    *,
    threads: int = 0,
    device: str = "cpu",
    kind: str | None = None,
    commercial_only: bool = False,
) -> DepthModel:
    """Open a model of the table, or one from outside.

    Args:
        name: A name of the table, "auto" for the best one on disk, or what :mod:`unflat.models.outside` opens.
        threads: Threads it may use; 0 for all.
        device: Where it runs: a word of :data:`unflat.models.devices.Device`.
        kind: What the numbers of a model from outside mean, where nothing else tells.
        commercial_only: Refuse weights whose licence does not allow commercial use.

    Raises:
        InputError: No such model, one that cannot be loaded, or one that does not run on ``device``.
        MissingExtraError: Its runtime is not installed.
        WeightsError: Its weights are not on this disk, or damaged.
        RightsError: Its licence forbids what ``commercial_only`` asks for.
    """
    ask = outside.Ask(threads, device, kind, commercial_only)
    table = _rows()
    if name not in taken() and outside.is_outside(name):
        return outside.open_outside(name, ask)
    best = outside.best_on_disk(ask) if name == "auto" else None
    if best is not None:
        return outside.open_held(best, ask)
    row = table.get(AUTO if name == "auto" else name)
    if row is None:
        raise InputError(f"there is no depth model '{name}'", hint=f"Known models: auto {' '.join(sorted(table))}")
    if kind is not None:
        raise InputError(f"the depth model '{row.name}' knows its own kind", hint="Leave out --depth-kind.")
    found = _loaded(row)
    if isinstance(found, Broken):
        hint = "Repair or remove the package that brings it; 'unflat models' lists the others."
        raise InputError(f"the depth model '{name}' cannot be loaded: {found.error}", hint=hint)
    make, card = found
    outside.check_rights(card, ask)
    if device == "cpu":
        return make(threads=threads)
    if "device" not in inspect.signature(make).parameters:
        raise InputError(f"the depth model '{row.name}' runs on the CPU only", hint="Leave out --device.")
    return make(threads=threads, device=device)


def left_aside(used: str, *, device: str = "cpu", commercial_only: bool = False) -> str | None:
    """Why ``used`` was opened for "auto" although a better model is on this disk; None where there is no better one.

    Args:
        used: Name of the model that was opened.
        device: As it was asked for.
        commercial_only: As it was asked for.
    """
    better = outside.passed_over(outside.Ask(device=device, commercial_only=commercial_only))
    if better is None:
        return None
    extra = outside.missing_extra(better)
    how = f'pip install "unflat[{extra}]"'
    return f"'{better.name}' is on this disk but needs the extra '{extra}' ({how}); '{used}' is used."


def taken() -> frozenset[str]:
    """The words of ``--depth`` that are taken whatever lies on this disk: the table's, and "auto"."""
    return frozenset({"auto", *_rows()})


def cards() -> tuple[ModelCard, ...]:
    """The cards of all models that can be loaded, in the order of the table."""
    return tuple(found[1] for found in map(_loaded, _rows().values()) if not isinstance(found, Broken))


def broken() -> tuple[Broken, ...]:
    """The models of other packages that cannot be loaded."""
    return tuple(found for found in map(_loaded, _rows().values()) if isinstance(found, Broken))


def _loaded(row: Row) -> tuple[Callable[..., DepthModel], ModelCard] | Broken:
    """The maker of a model and its card; what somebody else's package does on import is not believed."""
    if row in _ROWS:
        make = getattr(importlib.import_module(row.module), row.maker)
        return make, make.card
    try:
        make: Any = importlib.import_module(row.module)
        for attribute in row.maker.split("."):
            make = getattr(make, attribute)
        card = make.card
    except UnflatError as error:
        return Broken(row.name, f"{row.module}:{row.maker}", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001  (an import may raise anything, even an exit)
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return Broken(row.name, f"{row.module}:{row.maker}", said)
    if not isinstance(card, ModelCard) or not callable(make):
        return Broken(row.name, f"{row.module}:{row.maker}", "its 'card' is no ModelCard")
    return cast("Callable[..., DepthModel]", make), card
