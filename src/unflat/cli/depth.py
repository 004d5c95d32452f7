"""``unflat depth``: how far everything is, in pictures and films."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from unflat.cli.console import progress, say_json, show_report
from unflat.cli.films import FILM, PICTURE, are_films, check_flags, make_films
from unflat.cli.flags import Flat, Outputs, Talk, check_inputs, check_outputs, default_output
from unflat.cli.options import flags_of, gathered
from unflat.errors import InputError
from unflat.formats.atomic import check_distinct
from unflat.formats.registry import ExportOptions, format_of
from unflat.pipelines.depth import DepthMapOptions, depth_map
from unflat.pipelines.stereo_film import DepthFilm
from unflat.types.depth import DepthMap


@dataclass(frozen=True, slots=True)
class Everything:
    """All that the command can be told."""

    picture: DepthMapOptions = field(default_factory=DepthMapOptions)
    film: DepthFilm = field(default_factory=DepthFilm)


_Flags: Any = flags_of(Everything, ("familiar",))
_ExportFlags: Any = flags_of(ExportOptions, ("texture_size", "texture_quality", "editable", "page_voxels"))


def depth(
    *pictures: Path,
    output: Outputs = None,
    flags: Annotated[_Flags, Flat] = _Flags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]  (generated)
    writing: Annotated[_ExportFlags, Flat] = _ExportFlags(),  # noqa: B008  # pyright: ignore[reportInvalidTypeForm]
    talk: Annotated[Talk, Flat] = Talk(),  # noqa: B008
) -> None:
    """Write the depth of one or more pictures or films.

    Args:
        pictures: JPEG, PNG, WebP, TIFF, AVIF or HEIC; or films: MP4, MOV, MKV, WebM, AVI and others.
    """
    if not pictures:
        raise InputError("no picture was given", hint="unflat depth PICTURE [-o OUT]")
    check_inputs(*pictures)
    export, everything = gathered(ExportOptions, writing), gathered(Everything, flags)
    if are_films(pictures):
        for told in (flags, writing):
            check_flags(told, DepthFilm, FILM)
        usual = partial(default_output, suffix=".depth.mp4")
        make_films(pictures, output, everything.film.whole, "depth", usual, talk, export)
        return
    check_flags(flags, DepthMapOptions, PICTURE)
    plan = [(picture, _targets(picture, output, many=len(pictures) > 1)) for picture in pictures]
    for picture, paths in plan:
        for path in paths:
            if format_of(path).noun is not DepthMap:
                raise InputError(f"'{path.name}' is not a depth format", hint="Use .png .exr .npy .pfm or .jpg.")
        check_outputs(paths, picture, force=export.force)
    check_distinct([path for _, paths in plan for path in paths])
    reports: list[dict[str, Any]] = []
    for picture, paths in plan:
        with progress(quiet=talk.quiet) as line:
            result = depth_map(picture, everything.picture, progress=line)
            result.save(*paths, options=export)
        reports.append(result.report)
        if not talk.json:
            show_report(result.report, as_json=False, quiet=talk.quiet)
    if talk.json:
        outputs = [path for report in reports for path in report["outputs"]]
        say_json(reports[0] if len(reports) == 1 else {"outputs": outputs, "pictures": reports})


def _targets(picture: Path, output: list[Path] | None, *, many: bool) -> list[Path]:
    """Where the depth of one picture goes."""
    if not output:
        return [default_output(picture, ".depth.png")]
    folders = [path for path in output if path.is_dir()]
    if many and len(folders) < len(output):
        raise InputError("several pictures need a folder to go to", hint="Give an existing folder: -o FOLDER.")
    return [path / f"{picture.stem}.depth.png" if path in folders else path for path in output]
