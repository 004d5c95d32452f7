"""Flags that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unflat.errors import InputError, OutputError
from unflat.formats.atomic import check_distinct, check_places, check_target
from unflat.formats.registry import format_of_picture

Flat = Parameter(name="*")
"""A dataclass whose fields are flags of the command itself."""

Outputs = Annotated[
    list[Path] | None,
    Parameter(
        name=["--output", "-o"],
        help="Where to write; the suffix picks the format. Give it several times for several files.",
        negative="",
        consume_multiple=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Talk:
    """How a command reports."""

    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False
    """Say nothing but errors."""
    json: Annotated[bool, Parameter(negative="")] = False
    """Print a machine-readable report on stdout."""


def default_output(source: Path, suffix: str) -> Path:
    """Where a result goes when the user did not say: beside the input."""
    return source.with_name(source.stem + suffix)


def check_inputs(*paths: Path) -> None:
    """Say early that an input is missing.

    Raises:
        InputError: A path is not a file.
    """
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path} is a folder", hint="Name a file in it.")
        if not path.exists():
            raise InputError(f"{path} does not exist", hint="Check the spelling and the folder.")
        if not path.is_file():
            raise InputError(f"{path} is no ordinary file", hint="Save what comes out of it into a file first.")


def check_outputs(outputs: list[Path], picture: Path, *, force: bool) -> None:
    """Say before the work what would fail after it.

    Raises:
        InputError: A suffix is unknown, or two outputs are the same.
        OutputError: A place cannot be written, or a file there would be lost.
    """
    for path in outputs:
        for target in format_of_picture(path).targets(path):
            check_target(target, force=force)
            if target.exists() and target.samefile(picture):
                raise OutputError(f"{target} is the picture itself", hint="Choose another name with -o.")
    check_distinct(outputs)


def check_written(outputs: list[Path], picture: Path, check_suffix: Callable[[Path], object], *, force: bool) -> None:
    """Say before the work what would fail when pictures or films are written after it.

    Args:
        outputs: Where to.
        picture: What they are made of.
        check_suffix: Refuses a name that is of no format.
        force: Files may be replaced.

    Raises:
        InputError: A suffix is refused, or two outputs are the same.
        OutputError: A place cannot be written, or a file there would be lost.
    """
    check_places(outputs, check_suffix, force=force)
    for path in outputs:
        if path.exists() and path.samefile(picture):
            raise OutputError(f"{path} is the picture itself", hint="Choose another name with -o.")
