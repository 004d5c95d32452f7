"""``unflat models``: the eyes there are, and their licences; outside ones fetched, shown and removed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from unflat.cli.console import one_line, progress, say, say_json
from unflat.errors import InputError
from unflat.models.cache import Held, find, held, remove
from unflat.models.card import ModelCard
from unflat.models.catalogue import CATALOGUE, Known, known
from unflat.models.registry import Broken, broken, cards

Json = Annotated[bool, Parameter(negative="", help="Print a machine-readable report on stdout.")]

models = App(
    name="models",
    help="List the depth models and their licences; fetch, show and remove those from outside.",
    help_format="plaintext",
    result_action="return_value",
)


@models.default
def shown(name: str | None = None, /, *, json: Json = False) -> None:
    """List the depth models, or show the card of one.

    Args:
        name: Show everything that is known of this model.
        json: Print a machine-readable report on stdout.
    """
    if name is None:
        list_models(json=json)
    else:
        show(name, json=json)


@models.command(name="list")
def list_models(*, json: Json = False) -> None:
    """List the models of the table, those on this disk, and those that can be fetched by name."""
    table, faulty, there = cards(), broken(), held()
    sources = {one.source for one in there}
    rest = [row for row in CATALOGUE if row.repo not in sources]
    if json:
        rows = [_plain(card) for card in table] + [_faulty(one) for one in faulty]
        say_json([*rows, *map(_held, there), *map(_known, rest)])
        return
    for card in table:
        say(_line(card.name, card.kind.value, card.licence, _mb(card.bytes), card.summary))
    for one in faulty:
        say(one_line(f"{one.name:10} broken: {one.place} cannot be loaded: {one.error}"))
    for model in there:
        row = known(model.source)
        kind = row.kind.value if row else model.runtime
        say(_line(model.name, kind, model.licence, _mb(model.bytes), f"On this disk, from {model.source}."))
    if rest:
        say("\nNot on this disk; fetch with 'unflat models pull NAME':")
    for row in rest:
        say(_line(row.name, row.kind.value, row.licence, "", row.summary))


@models.command
def show(name: str, /, *, json: Json = False) -> None:
    """Show everything that is known of one model.

    Args:
        name: A name that 'unflat models list' shows.
        json: Print a machine-readable report on stdout.
    """
    table = {card.name: card for card in cards()}
    faulty = {one.name: one for one in broken()}
    if name in faulty:
        raise InputError(
            f"the depth model '{name}' ({faulty[name].place}) cannot be loaded: {faulty[name].error}",
            hint="Repair or remove the package that brings it.",
        )
    model, row = find(name), known(name)
    if name in table:
        about: dict[str, Any] = _plain(table[name])
        told = _card_rows(table[name])
    elif model is not None:
        about, told = _held(model), _held_rows(model)
    elif row is not None:
        about, told = _known(row), _known_rows(row)
    else:
        raise InputError(f"there is no depth model '{name}'", hint=f"Known models: {' '.join(sorted(table))}")
    if json:
        say_json(about)
        return
    for key, value in told.items():
        say(f"{key:8} {one_line(value)}")


@models.command
def pull(
    name: str,
    /,
    *,
    sha256: Annotated[str | None, Parameter(help="What the file at an address must have.")] = None,
    card: Annotated[Path | None, Parameter(help="A JSON that says what the file at an address is.")] = None,
    json: Json = False,
) -> None:
    """Fetch a model into the cache, whole or not at all. The only command that uses a network.

    Args:
        name: A name of the list, OWNER/MODEL on the Hugging Face hub, or the address of an .onnx file.
        sha256: What the file at an address must have.
        card: A JSON that says what the file at an address is.
        json: Print a machine-readable report on stdout.
    """
    from unflat.models.pull import pull as fetch

    with progress(quiet=json) as line:
        model = fetch(name, sha256=sha256, card=card, progress=line)
    if json:
        say_json(_held(model))
        return
    say(one_line(f"{model.name} is on this disk: {_mb(model.bytes)}, licence {model.licence}, {model.folder}"))
    if not model.commercial:
        say("Its licence does not allow commercial use, or nobody knows that it does.")
    say(f"Use it with --depth {model.name}")


@models.command(name="remove")
def remove_model(name: str, /) -> None:
    """Delete a fetched model from the cache.

    Args:
        name: Its name, or the repository it came from.
    """
    say(one_line(f"{remove(name)} is gone"))


def _line(name: str, kind: str, licence: str, size: str, text: str) -> str:
    return f"{name:24} {kind:10} {licence:12} {size:>9}  {text}"


def _faulty(one: Broken) -> dict[str, str]:
    return {"name": one.name, "broken": one.error, "place": one.place}


def _plain(card: ModelCard) -> dict[str, Any]:
    return {**asdict(card), "kind": card.kind.value, "on_disk": True}


def _held(model: Held) -> dict[str, Any]:
    row = known(model.source)
    return {
        **{key: getattr(model, key) for key in ("name", "source", "revision", "runtime", "licence")},
        "commercial": model.commercial,
        "kind": row.kind.value if row else None,
        "bytes": model.bytes,
        "files": {name: sha256 for name, (sha256, _) in model.files.items()},
        "folder": str(model.folder),
        "on_disk": True,
    }


def _known(row: Known) -> dict[str, Any]:
    return {
        **{key: getattr(row, key) for key in ("name", "summary", "licence", "commercial")},
        "kind": row.kind.value,
        "source": row.repo,
        "on_disk": False,
    }


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size else "-"


def _use(licence: str, commercial: bool) -> str:
    return f"{licence} ({'commercial use allowed' if commercial else 'NOT for commercial use'})"


def _card_rows(card: ModelCard) -> dict[str, str]:
    return {
        "name": card.name,
        "summary": card.summary,
        "gives": ", ".join((f"depth of kind '{card.kind.value}'", *card.gives)),
        "licence": _use(card.licence, card.commercial),
        "source": card.source,
        "weights": f"{card.file} ({_mb(card.bytes)}), sha256 {card.sha256}" if card.file else "none",
        "limits": card.limits or "none stated",
    }


def _held_rows(model: Held) -> dict[str, str]:
    row = known(model.source)
    files = ", ".join(f"{name} {sha256[:12]}…" for name, (sha256, _) in model.files.items())
    return {
        "name": model.name,
        "summary": row.summary if row else f"Fetched; opened by {model.runtime}.",
        **({"gives": f"depth of kind '{row.kind.value}'"} if row else {}),
        "licence": _use(model.licence, model.commercial),
        "source": f"{model.source} {model.revision}".strip(),
        "weights": f"{_mb(model.bytes)} in {model.folder}: {files}",
    }


def _known_rows(row: Known) -> dict[str, str]:
    return {
        "name": row.name,
        "summary": row.summary,
        "gives": f"depth of kind '{row.kind.value}'",
        "licence": _use(row.licence, row.commercial),
        "source": row.repo,
        "weights": f"not on this disk; unflat models pull {row.name}",
    }
