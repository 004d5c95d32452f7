"""docs/trust.md, written from what ran. ``python -m tests.promise_page`` runs all of it and writes the page."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import promise_runs
from tests.promise_checks import CHECKS, GONE, excuse
from tests.promise_inputs import KINDS, OTHER_FILMS, Kind
from tests.promise_runs import DOOR, RECIPES, Recipe, said_of_door

PAGE = Path(__file__).parents[1] / "docs" / "trust.md"
PROMISES = (*CHECKS, GONE)
_HEAD = """# What is promised, and held

<!-- Written by `python -m tests.promise_page`. tests/journeys/test_promises.py runs every cell and fails where this
page says anything else. -->

Whatever comes in, by whichever way, and whatever comes out: the promises below are the same. Each number in the tables
is a count of checks that ran on a real file, made by the program of one source of that kind; none is skipped unless a
letter says so, and the letter says why.

What each promise means in plain words stands in [ethics.md](ethics.md); how it is kept, in
[0010](decisions/0010-leave-and-truth.md).
"""
_NOT = """
## What is not in these tables

- **Spatial video (MV-HEVC)** needs an encoder that the user installs (x265 with multiview); where the tests run there
  is none. It is signed and told like the other films: the same code joins it, names it and hands it out.
- **Films in other containers** ({others}) are opened and read by the very code that reads the four above.
- **Tours** of several rooms are put together from what the recipes *scene* and *place* make;
  tests/journeys/test_tour.py.
- **Whether faces are found** is another question: in these runs the finder is replaced by one that always points at the
  same place, so that what happens *afterwards* can be compared to the byte. How many real faces it finds, and which
  it misses, is told in [ethics.md](ethics.md) and measured by benchmarks/people.py.
"""


@dataclass
class Held:
    """What was kept.

    Attributes:
        outputs: (recipe, kind, output, promise) of every check of an output.
        door: (recipe, kind, promise) of every check at the door.
    """

    outputs: set[tuple[str, str, str, str]] = field(default_factory=set)
    door: set[tuple[str, str, str]] = field(default_factory=set)


def hold(recipe: Recipe, kind: Kind, folder: Path, held: Held) -> None:
    """Run one recipe with one kind of source and note what was kept.

    Raises:
        AssertionError: A promise was not, or was not asked without a reason.
    """
    for part, run in (("out", promise_runs.hold_outputs), ("gone", promise_runs.hold_gone)):
        (folder / part).mkdir()
        found = {(recipe.name, kind.name, *cell) for cell in run(recipe, kind, folder / part)}
        held.outputs |= found
    (folder / "door").mkdir()
    held.door |= {(recipe.name, kind.name, one) for one in promise_runs.hold_door(recipe, kind, folder / "door")}
    asked = {
        (recipe.name, kind.name, output, promise)
        for output in recipe.outputs
        for promise in PROMISES
        if excuse(recipe.name, kind, promise) is None
    }
    assert asked == {cell for cell in held.outputs if cell[:2] == (recipe.name, kind.name)}
    assert {one for one in DOOR if said_of_door(kind, one) is None} == {
        cell[2] for cell in held.door if cell[:2] == (recipe.name, kind.name)
    }


def page(held: Held) -> str:
    """The page."""
    letters: dict[str, str] = {}
    parts = [_HEAD, "\n## Of every file that is made\n\n"]
    parts += [f"{number}. {promise}\n" for number, promise in enumerate(PROMISES, 1)]
    for recipe in RECIPES:
        kinds = [kind for of, kind in promise_runs.cases() if of is recipe]
        parts.append(f"\n### {recipe.name[0].upper()}{recipe.name[1:]}\n\n`unflat {' '.join(_told(recipe))}`\n\n")
        rows = [[output, *(_cell(held, recipe, kind, output, letters) for kind in kinds)] for output in recipe.outputs]
        parts.append(_table(["written from", *(kind.name for kind in kinds)], rows))
    parts.append("\n## At the door\n\nNothing is written, and an error says what to do, where a source is\n\n")
    parts += [f"{number}. {promise}\n" for number, promise in enumerate(DOOR, 1)]
    rows = [[recipe.name, kind.name, _door(held, recipe, kind, letters)] for recipe, kind in promise_runs.cases()]
    parts += ["\n", _table(["recipe", "source", "checks"], rows)]
    parts.append("\n## What is not asked, and why\n\n")
    parts += [f"- ({letter}) {why}\n" for why, letter in letters.items()]
    parts.append(_NOT.format(others=", ".join(OTHER_FILMS)))
    return "".join(parts)


def _told(recipe: Recipe) -> Iterable[str]:
    verb, *more = recipe.words
    small = {"--triangles", "--texture-size", "--count", "--depth-size", "--seconds", "--fps", "--long-side"}
    words = [word for at, word in enumerate(more) if word not in small and (at == 0 or more[at - 1] not in small)]
    return (verb, "SOURCE", *(word for word in words if word != "--no-familiar"), "-o", "FILE")


def _cell(held: Held, recipe: Recipe, kind: Kind, output: str, letters: dict[str, str]) -> str:
    kept = sum((recipe.name, kind.name, output, promise) in held.outputs for promise in PROMISES)
    reasons = {excuse(recipe.name, kind, promise) for promise in PROMISES}
    return _with_letters(kept, len(PROMISES), reasons, letters)


def _door(held: Held, recipe: Recipe, kind: Kind, letters: dict[str, str]) -> str:
    kept = sum((recipe.name, kind.name, promise) in held.door for promise in DOOR)
    return _with_letters(kept, len(DOOR), {said_of_door(kind, promise) for promise in DOOR}, letters)


def _with_letters(kept: int, of: int, reasons: set[str | None], letters: dict[str, str]) -> str:
    told = [letters.setdefault(why, chr(ord("a") + len(letters))) for why in sorted(filter(None, reasons))]
    return f"{kept}/{of}" + "".join(f" ({letter})" for letter in told)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _main() -> None:
    held = Held()
    for recipe, kind in promise_runs.cases():
        with tempfile.TemporaryDirectory() as folder:
            hold(recipe, kind, Path(folder), held)
        sys.stderr.write(f"{recipe.name}: {kind.name}\n")
    PAGE.write_text(page(held), encoding="utf-8", newline="\n")


def known_kinds() -> set[str]:
    """Every name that a kind stands for."""
    return {name for kind in KINDS for name in kind.names}


if __name__ == "__main__":
    _main()
