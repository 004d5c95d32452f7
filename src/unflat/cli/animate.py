"""``unflat animate``: a camera moves through a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from unflat.cli.console import progress, show_report
from unflat.cli.flags import Flat, Outputs, Talk, check_inputs, check_outputs, check_written, default_output
from unflat.cli.options import flags_of, gathered
from unflat.formats.outlet import SealOptions
from unflat.pipelines.animate import SCENES, AnimateOptions, check_suffix
from unflat.pipelines.animate import animate as run_animate

_OF_OTHERS = ("count", "longest", "points", "width_mm", "relief_mm", "base_mm", "evenness", "max_error_mm")
_OF_DIAGRAMS = ("least_region", "bowl_depth", "roundness", "solid_error", "pins")
_NOT_FILMED = (*_OF_OTHERS, *_OF_DIAGRAMS, "panorama", "eye_height")
"""Options of splats, points, reliefs, diagrams and panoramas."""
_Flags: Any = flags_of(AnimateOptions, _NOT_FILMED)
_SealFlags: Any = flags_of(SealOptions)


def animate(
    picture: Path,
    /,
    *,
    output: Outputs = None,
    force: Annotated[bool, Parameter(negative="", help="Replace files that exist.")] = False,
    flags: Annotated[_Flags, Flat] = _Flags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    sealing: Annotated[_SealFlags, Flat] = _SealFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Move a camera through one picture.

    Args:
        picture: JPEG, PNG, WebP, TIFF, AVIF or HEIC.
    """
    check_inputs(picture)
    paths = output or [default_output(picture, ".mp4")]
    check_written(paths, picture, check_suffix, force=force)
    check_outputs([path for path in paths if path.suffix.lower() in SCENES], picture, force=force)
    with progress(quiet=talk.quiet) as line:
        film = run_animate(picture, gathered(AnimateOptions, flags), progress=line)
        film.save(*paths, force=force, seal=gathered(SealOptions, sealing))
    show_report(film.result.report, as_json=talk.json, quiet=talk.quiet)
