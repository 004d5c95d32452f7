"""``unflat inspect``: what a file says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

from cyclopts import Parameter

from unflat.cli.console import one_line, say, say_json
from unflat.cli.flags import check_inputs
from unflat.errors import ConsentError, InputError


def inspect(
    file: Path, /, *, against: Path | None = None, json: Annotated[bool, Parameter(negative="")] = False
) -> None:
    """Say what a scene, a depth map, cameras, a map, a picture or a film holds: size, units, confidence, provenance.

    Args:
        file: Anything that unflat writes (.colmap and .nerfstudio folders, too), a photograph, or a film.
        against: The scan that the file was made of (a folder, a zip or a file): look for everything that it says of its
            patient in every byte of the file, unpacked, and say what is found; if anything is, the command ends with 7.
        json: Print a machine-readable report on stdout.
    """
    from unflat.formats.registry import is_views_folder
    from unflat.pipelines.inspect import against as look_for
    from unflat.pipelines.inspect import inspect as look_into

    if not (file.is_dir() and is_views_folder(file)):
        check_inputs(file)
    if file.suffix.lower() == ".c2pa":
        raise InputError(
            one_line(f"{file.name} holds credentials of another file"), hint=f"unflat verify {one_line(file.stem)}"
        )
    about = look_into(file)
    if against is not None:
        about["patient"] = look_for(file, against)
    if json:
        say_json(about)
    else:
        for line in _lines(_said_once(about), ""):
            say(one_line_keeping_indent(line))
    if about.get("patient", {}).get("found"):
        raise ConsentError(
            "the file says something of the patient", hint="Make it anew from the scan, under other names."
        )


def one_line_keeping_indent(line: str) -> str:
    """A line of the listing with nothing unprintable in it."""
    indent = len(line) - len(line.lstrip())
    return " " * indent + one_line(line)


def _said_once(about: dict[str, Any]) -> dict[str, Any]:
    """The report without what its story says again."""
    story = about.get("provenance")
    if not isinstance(story, dict):
        return about
    told = cast(dict[str, Any], story)
    return about | {"provenance": {key: item for key, item in told.items() if key not in about}}


def _lines(value: Any, indent: str) -> Iterator[str]:
    """Nested plain values as indented lines."""
    for key, item in value.items():
        if key == "devices" and item:
            yield f"{indent}{key}"
            yield from (f"{indent}  {row['device']}: {row['shows_3d']}, {row['why']}" for row in item)
        elif isinstance(item, dict) and item:
            yield f"{indent}{key}"
            yield from _lines(item, indent + "  ")
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            for number, row in enumerate(item, 1):
                yield f"{indent}{key} {number}"
                yield from _lines(row, indent + "  ")
        elif item not in (None, [], {}):
            yield f"{indent}{key}: {', '.join(map(str, item)) if isinstance(item, list) else item}"
