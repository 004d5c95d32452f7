"""``unflat photo``: one picture becomes a scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from unflat.cli.console import one_line, progress, say, say_json, show_report
from unflat.cli.flags import Flat, Outputs, Talk, check_inputs, check_outputs, check_written, default_output
from unflat.cli.options import flags_of, gathered
from unflat.errors import InputError
from unflat.formats.image import check_suffix
from unflat.formats.registry import ExportOptions
from unflat.pipelines.eye import Eye
from unflat.pipelines.forecast import forecast
from unflat.pipelines.photo import PhotoOptions
from unflat.pipelines.photo import photo as run_photo

FINEST = 4096
"""Long side of the depth that a rendered eye or an EXR of layers is made with, in pixels, unless more is asked for."""

_PhotoFlags: Any = flags_of(PhotoOptions)
_ExportFlags: Any = flags_of(ExportOptions, ("page_voxels",))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is made of the picture."""

    ply: Literal["surface", "points", "splats"] = "surface"
    """What a plain .ply holds."""
    splats: Annotated[bool, Parameter(negative="")] = False
    """A plain .ply holds splats; short for --ply splats."""
    render_eye: Eye | None = None
    """Write what the other eye sees of the layered scene, as a picture, instead of the scene."""
    forecast: Annotated[bool, Parameter(negative="")] = False
    """Say what will go wrong (mirrors, glass, blank walls, cut-off subjects), where, and what helps; write nothing."""


_A_SCENE = Wanted()


def photo(
    picture: Path,
    /,
    *,
    output: Outputs = None,
    what: Annotated[Wanted, Flat] = _A_SCENE,
    flags: Annotated[_PhotoFlags, Flat] = _PhotoFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    writing: Annotated[_ExportFlags, Flat] = _ExportFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Turn one picture into a scene.

    Args:
        picture: JPEG, PNG, WebP, TIFF, AVIF or HEIC.
    """
    check_inputs(picture)
    if what.forecast:
        if what.render_eye is not None:
            raise InputError("--forecast converts nothing, so there is no eye to render", hint="Leave out one of them.")
        _forecast(picture, output, gathered(PhotoOptions, flags), talk)
        return
    if what.render_eye is not None:
        _render(picture, what.render_eye, output, gathered(PhotoOptions, flags), gathered(ExportOptions, writing), talk)
        return
    export = gathered(ExportOptions, writing)
    paths = output or [default_output(picture, ".html")]
    check_outputs(paths, picture, force=export.force)
    with progress(quiet=talk.quiet) as line:
        options = gathered(PhotoOptions, flags)
        if any(path.suffix.lower() == ".exr" for path in paths):  # compositors want depth as fine as colour
            options = replace(options, estimate=replace(options.estimate, detail=max(options.estimate.detail, FINEST)))
        result = run_photo(picture, options, progress=line)
        result.save(*paths, options=export, ply="splats" if what.splats else what.ply)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)


def _render(
    picture: Path, eye: Eye, output: list[Path] | None, options: PhotoOptions, export: ExportOptions, talk: Talk
) -> None:
    """Write what the other eye sees."""
    if options.surface.layers == "none":
        raise InputError("what the other eye sees is rendered from layers", hint="Leave out --layers none.")
    paths = output or [picture.with_name(f"{picture.stem}-{eye}.png")]
    check_written(paths, picture, check_suffix, force=export.force)
    options = replace(options, estimate=replace(options.estimate, detail=max(options.estimate.detail, FINEST)))
    if options.around.panorama == "auto":
        options = replace(options, around=replace(options.around, panorama="no"))  # two eyes see an ordinary picture
    with progress(quiet=talk.quiet) as line:
        result = run_photo(picture, options, progress=line)
        result.save_eye(eye, *paths, force=export.force, seal=export.seal)
    show_report(result.report, as_json=talk.json, quiet=talk.quiet)


def _forecast(picture: Path, output: list[Path] | None, options: PhotoOptions, talk: Talk) -> None:
    """Say what will go wrong."""
    if output:
        raise InputError("--forecast writes nothing", hint="Leave out -o, or --forecast.")
    with progress(quiet=talk.quiet) as line:
        ahead = forecast(picture, options, progress=line)
    if talk.json:
        say_json(ahead.report)
        return
    for one in ahead.findings:
        say(one_line(f"{one.trouble}: {one.text} {one.advice}"))
    if not ahead.findings:
        say("No mirror, glass, blank wall or cut-off subject was found.")
