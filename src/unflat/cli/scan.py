"""``unflat scan``: a film or many photographs of one place become one scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from unflat.cli.console import progress, show_report
from unflat.cli.flags import Flat, Outputs, Talk
from unflat.cli.options import flags_of, gathered
from unflat.errors import InputError
from unflat.formats.atomic import check_apart, check_distinct
from unflat.formats.registry import ExportOptions, format_of
from unflat.formats.scan_shelf import shelf_beside
from unflat.pipelines.scan import Scan, ScanOptions
from unflat.pipelines.scan_result import ScanResult, check_noun

_ScanFlags: Any = flags_of(ScanOptions)
_ExportFlags: Any = flags_of(ExportOptions, ("texture_size", "near", "editable"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is made of the pictures."""

    ply: Literal["surface", "points", "splats"] = "surface"
    """What a plain .ply holds."""
    splats: Annotated[bool, Parameter(negative="")] = False
    """A plain .ply holds splats; short for --ply splats."""


_A_SCENE = Wanted()


def scan(
    *inputs: Path,
    output: Outputs = None,
    what: Annotated[Wanted, Flat] = _A_SCENE,
    flags: Annotated[_ScanFlags, Flat] = _ScanFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    writing: Annotated[_ExportFlags, Flat] = _ExportFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Turn a film, a folder or many photographs of one place into one scene.

    Args:
        inputs: Films, pictures, and folders of them.
    """
    if not inputs:
        raise InputError("nothing to scan was given", hint="unflat scan FILM|FOLDER|PICTURES [-o OUT]")
    options, export = gathered(ScanOptions, flags), gathered(ExportOptions, writing)
    paths = output or [_beside(inputs[0])]
    for path in paths:
        check_noun(path)
        format_of(path).check(path, force=export.force)
    check_distinct(paths)
    with progress(quiet=talk.quiet) as line, shelf_beside(paths[0], options.work.longest) as shelf:
        run = Scan(inputs, options, shelf=shelf, progress=line)
        check_apart(paths, run.album.files)
        result = ScanResult(run)
        result.save(*paths, options=export, ply="splats" if what.splats else what.ply)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)


def _beside(given: Path) -> Path:
    """Where a scene goes if nobody said: a page beside what it is made of."""
    whole = given.resolve() if given.name in ("", ".", "..") else given
    return whole.with_name((whole.name if whole.is_dir() else whole.stem) + ".html")
