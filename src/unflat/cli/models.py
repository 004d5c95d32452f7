"""``unflat models``: the eyes there are, and their licences; outside ones fetched, shown and removed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from unflat.cli.console import one_line, progress, say, say_json
from unflat.errors import InputError
from unflat.models.cache import Held, find, held, remove
from unflat.models.card import ModelCard
from unflat.models.catalogue import CATALOGUE, Known, known
from unflat.models.outside import missing_extra
from unflat.models.registry import SHIPPED, Broken, broken, cards
from unflat.models.weights import CARDS

AIDES = tuple(card for card in CARDS.values() if card.kind is None)
"""They give no depth, so no word of --depth names them; their cards and licences are shown with the others'."""
Json = Annotated[bool, Parameter(negative="", help="Print a machine-readable report on stdout.")]

models = App(
    name="models",
    help="List the depth models and their licences; fetch, show and remove those from outside.",
    help_format="plaintext",
    result_action="return_value",
)


@models.default
def shown(
    name: str | None = None,
    /,
    *rest: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    json: Json = False,
) -> None:
    """List the depth models, or show the card of one.

    Args:
        name: Show everything that is known of this model.
        rest: Of a command that stands behind --json.
        json: Print a machine-readable report on stdout.
    """
    if name in _COMMANDS:
        flags = ["--json"] if json else []
        models([name, *rest, *flags], exit_on_error=False, print_error=False)
    elif rest:
        raise InputError(f"'{rest[0]}' is one word too many", hint="'unflat models --help' shows what there is.")
    elif name is None:
        list_models(json=json)
    else:
        show(name, json=json)


@models.command(name="list")
def list_models(*, json: Json = False) -> None:
    """List the models of the table, those on this disk, and those that can be fetched by name."""
    table, faulty, there = [*cards(), *AIDES], broken(), held()
    sources = {one.source for one in there}
    rest = [row for row in CATALOGUE if row.repo not in sources]
    if json:
        rows = [_plain(card) for card in table] + [_faulty(one) for one in faulty]
        say_json([*rows, *map(_held, there), *map(_known, rest)])
        return
    here = [
        *(_Line(c.name, _kind(c), c.licence, c.commercial, _mb(c.bytes), c.summary) for c in table),
        *map(_held_line, there),
    ]
    away = [_Line(r.name, r.kind.value, r.licence, r.commercial, "", r.summary) for r in rest]
    lines = _columns([*here, *away])
    for line in lines[: len(here)]:
        say(line)
    for one in faulty:
        say(one_line(f"{one.name:10} broken: {one.place} cannot be loaded: {one.error}"))
    if away:
        say("\nNot on this disk; fetch with 'unflat models pull NAME':")
    for line in lines[len(here) :]:
        say(line)


@models.command
def show(name: str, /, *, json: Json = False) -> None:
    """Show everything that is known of one model.

    Args:
        name: A name that 'unflat models list' shows.
        json: Print a machine-readable report on stdout.
    """
    table = {card.name: card for card in (*cards(), *AIDES)}
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
        names = sorted({*table, *(one.name for one in held()), *(one.name for one in CATALOGUE)})
        raise InputError(f"there is no depth model '{name}'", hint=f"Known models: {' '.join(names)}")
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
    if extra := missing_extra(model):
        say(f'What runs it is not installed here: pip install "unflat[{extra}]"')
    say(f"Use it with --depth {model.name}")


@models.command(name="remove")
def remove_model(name: str, /) -> None:
    """Delete a fetched model from the cache.

    Args:
        name: Its name, or the repository it came from.
    """
    if name in SHIPPED or name in {card.name for card in AIDES}:
        raise InputError(f"'{name}' ships with unflat and stays", hint="--depth NAME picks another model.")
    say(one_line(f"{remove(name)} is gone"))


_COMMANDS = ("list", "show", "pull", "remove")


@dataclass(frozen=True, slots=True)
class _Line:
    """What the list says of one model."""

    name: str
    kind: str
    licence: str
    commercial: bool
    size: str
    text: str


def _held_line(model: Held) -> _Line:
    row, extra = known(model.source), missing_extra(model)
    text = f"On this disk, from {model.source}." + (f" Needs the extra '{extra}'." if extra else "")
    kind = row.kind.value if row else model.runtime
    return _Line(model.name, kind, model.licence, model.commercial, _mb(model.bytes), text)


def _columns(lines: list[_Line]) -> list[str]:
    """The lines of the list, each column as wide as its longest word."""
    names, kinds, licences = (
        max(map(len, column)) for column in zip(*((one.name, one.kind, one.licence) for one in lines), strict=True)
    )
    return [
        f"{one.name:{names}}  {one.kind:{kinds}}  {one.licence:{licences}}  {one.size:>9}  "
        f"{one.text}{'' if one.commercial else ' NOT for commercial use.'}"
        for one in lines
    ]


def _faulty(one: Broken) -> dict[str, str]:
    return {"name": one.name, "broken": one.error, "place": one.place}


def _plain(card: ModelCard) -> dict[str, Any]:
    return {**asdict(card), "kind": card.kind and card.kind.value, "on_disk": True}


def _kind(card: ModelCard) -> str:
    return card.kind.value if card.kind else "-"


def _held(model: Held) -> dict[str, Any]:
    row = known(model.source)
    return {
        **{key: getattr(model, key) for key in ("name", "source", "revision", "runtime", "licence")},
        "commercial": model.commercial,
        "kind": row.kind.value if row else None,
        "bytes": model.bytes,
        "files": {name: sha256 for name, (sha256, _) in model.files.items()},
        "folder": str(model.folder),
        "missing_extra": missing_extra(model),
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
        "gives": ", ".join((*([f"depth of kind '{card.kind.value}'"] if card.kind else []), *card.gives)),
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
        **({"needs": f'pip install "unflat[{extra}]"'} if (extra := missing_extra(model)) else {}),
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
