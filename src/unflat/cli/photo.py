"""``unflat photo``: one picture becomes a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from unflat.cli.console import progress, show_report
from unflat.cli.flags import Flat, Outputs, Talk, check_inputs, check_outputs, default_output
from unflat.cli.options import flags_of, gathered
from unflat.formats.registry import ExportOptions
from unflat.pipelines.photo import PhotoOptions
from unflat.pipelines.photo import photo as run_photo

_PhotoFlags: Any = flags_of(PhotoOptions)
_ExportFlags: Any = flags_of(ExportOptions)


def photo(
    picture: Path,
    /,
    *,
    output: Outputs = None,
    ply: Annotated[Literal["surface", "points", "splats"], Parameter(help="What a plain .ply holds.")] = "surface",
    splats: Annotated[bool, Parameter(help="A plain .ply holds splats; short for --ply splats.", negative="")] = False,
    flags: Annotated[_PhotoFlags, Flat] = _PhotoFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    writing: Annotated[_ExportFlags, Flat] = _ExportFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Turn one picture into a scene.

    Args:
        picture: JPEG, PNG, WebP, TIFF, AVIF or HEIC.
    """
    check_inputs(picture)
    export = gathered(ExportOptions, writing)
    paths = output or [default_output(picture, ".html")]
    check_outputs(paths, picture, force=export.force)
    with progress(quiet=talk.quiet) as line:
        result = run_photo(picture, gathered(PhotoOptions, flags), progress=line)
        result.save(*paths, options=export, ply="splats" if splats else ply)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)
