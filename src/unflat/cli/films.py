"""Films given to ``unflat stereo`` and ``unflat depth``: what both verbs do with them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from unflat.cli.console import one_line, progress, say_json, show_report, tell
from unflat.cli.flags import Talk
from unflat.errors import InputError
from unflat.formats.atomic import check_distinct
from unflat.formats.film_parts import folder_of
from unflat.formats.film_read import SUFFIXES
from unflat.formats.outlet import SealOptions
from unflat.formats.registry import ExportOptions
from unflat.pipelines.film_kinds import check_targets
from unflat.pipelines.flat import leaves
from unflat.pipelines.stereo_film import Film, FilmOptions, Purpose

FILM, PICTURE = "a film", "a picture"
_OF_PICTURES = {"phone_depth", "detail", "ipd_mm", "wiggle_fps"}
"""Options in groups that films have, too, but that only pictures heed: depth of a film has no unit."""


def are_films(inputs: tuple[Path, ...]) -> bool:
    """Whether films were given, by their names.

    Raises:
        InputError: Films and pictures were given together.
    """
    films = [path for path in inputs if path.suffix.lower() in SUFFIXES]
    if films and len(films) < len(inputs):
        raise InputError("films and pictures are not made together", hint="Give them in two commands.")
    return bool(films)


def check_flags(flags: Any, wanted: type, what: str) -> None:
    """Say that a flag has no meaning for what was given, instead of passing over it.

    Args:
        flags: All that the command was told.
        wanted: The options that have a meaning.
        what: FILM or PICTURE.

    Raises:
        InputError: Another flag was set.
    """
    known = {"force", *(leaf.name for options in (wanted, SealOptions) for _, leaf, _ in leaves(options))}
    if what == FILM:
        known -= _OF_PICTURES
    for one in fields(flags):
        if one.name not in known and getattr(flags, one.name) != one.default:
            name = one.name.strip("_").replace("_", "-")
            raise InputError(f"--{name} means nothing for {what}", hint="Leave it out.")


def make_films(
    films: tuple[Path, ...],
    output: list[Path] | None,
    options: FilmOptions,
    purpose: Purpose,
    usual: Callable[[Path], Path],
    talk: Talk,
    export: ExportOptions,
) -> None:
    """Make films of films, one after the other.

    Args:
        films: What was given.
        output: Where to: files, or folders.
        options: How.
        purpose: What is made of them.
        usual: Where a film goes if nobody said.
        talk: How to report.
        export: Whether files are replaced, and whether and with what the films are signed.
    """
    plan = [(film, _places(film, output, usual, many=len(films) > 1)) for film in films]
    written: list[Path] = []
    for _, paths in plan:
        written += check_targets(paths, films, options, purpose, force=export.force)
    check_distinct(written)
    reports: list[dict[str, Any]] = []
    for film, paths in plan:
        with progress(quiet=talk.quiet) as line, _telling_what_waits(written, quiet=talk.quiet):
            made = Film(film, options, purpose, line).save(*paths, force=export.force, seal=export.seal)
        reports.append(made.report)
        if not talk.json:
            show_report(made.report, as_json=False, quiet=talk.quiet)
    if talk.json:
        outputs = [path for report in reports for path in report["outputs"]]
        say_json(reports[0] if len(reports) == 1 else {"outputs": outputs, "films": reports})


@contextmanager
def _telling_what_waits(files: list[Path], *, quiet: bool) -> Generator[None]:
    """Who stops a run of hours is told that none of it is lost."""
    try:
        yield
    except KeyboardInterrupt:
        waiting = [folder_of(file) for file in files if folder_of(file).is_dir()]
        if waiting and not quiet:
            tell(one_line(f"note: what is finished waits in {waiting[0]}; the same command goes on from there"))
        raise


def _places(film: Path, output: list[Path] | None, usual: Callable[[Path], Path], *, many: bool) -> list[Path]:
    """Where one film goes."""
    if not output:
        return [usual(film)]
    folders = [path for path in output if path.is_dir()]
    if many and len(folders) < len(output):
        raise InputError("several films need a folder to go to", hint="Give an existing folder: -o FOLDER.")
    return [path / usual(film).name if path in folders else path for path in output]
