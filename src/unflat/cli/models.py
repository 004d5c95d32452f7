"""``unflat models``: the eyes there are, and their licences."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from unflat.cli.console import one_line, say, say_json
from unflat.errors import InputError
from unflat.models.card import ModelCard
from unflat.models.registry import Broken, broken, cards


def models(name: str | None = None, /, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """List the depth models, or show the card of one.

    Args:
        name: Show everything that is known of this model.
        json: Print a machine-readable list on stdout.
    """
    table = {card.name: card for card in cards()}
    faulty = {one.name: one for one in broken()}
    if name in faulty:
        raise InputError(
            f"the depth model '{name}' ({faulty[name].place}) cannot be loaded: {faulty[name].error}",
            hint="Repair or remove the package that brings it.",
        )
    if name is not None and name not in table:
        raise InputError(f"there is no depth model '{name}'", hint=f"Known models: {' '.join(sorted(table))}")
    chosen = list(table.values()) if name is None else [table[name]]
    if json:
        rows = [{**asdict(card), "kind": card.kind.value} for card in chosen]
        say_json([*rows, *map(_faulty, faulty.values())] if name is None else rows[0])
    elif name is None:
        for card in chosen:
            say(f"{card.name:10} {card.kind.value:10} {card.licence:12} {_mb(card):>8}  {card.summary}")
        for one in faulty.values():
            say(one_line(f"{one.name:10} broken: {one.place} cannot be loaded: {one.error}"))
    else:
        _show(chosen[0])


def _faulty(one: Broken) -> dict[str, str]:
    return {"name": one.name, "broken": one.error, "place": one.place}


def _mb(card: ModelCard) -> str:
    return f"{card.bytes / 1e6:.1f} MB" if card.bytes else "-"


def _show(card: ModelCard) -> None:
    rows = {
        "name": card.name,
        "summary": card.summary,
        "gives": ", ".join((f"depth of kind '{card.kind.value}'", *card.gives)),
        "licence": f"{card.licence} ({'commercial use allowed' if card.commercial else 'NOT for commercial use'})",
        "source": card.source,
        "weights": f"{card.file} ({_mb(card)}), sha256 {card.sha256}" if card.file else "none",
        "limits": card.limits or "none stated",
    }
    for key, value in rows.items():
        say(f"{key:8} {value}")
